-- compliance: the national registry, and who agreed to be contacted.

CREATE TABLE lead_system.national_dnc_registry (
    phone_number text COLLATE "C" NOT NULL,
    area_code    text COLLATE "C" NOT NULL,
    loaded_on    date NOT NULL,
    CONSTRAINT national_dnc_registry_pkey PRIMARY KEY (phone_number),
    CONSTRAINT national_dnc_registry_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT national_dnc_registry_area_code_check CHECK (phone_number LIKE '+1%' AND area_code = substr(phone_number, 3, 3))
);
COMMENT ON TABLE lead_system.national_dnc_registry IS
    'Numbers of the national do-not-call registry, as loaded by load_national_dnc(). The same for all organizations.';
COMMENT ON COLUMN lead_system.national_dnc_registry.loaded_on IS 'Day of the load that brought the number; later loads that have it, too, leave it alone.';

CREATE TABLE lead_system.national_dnc_loads (
    area_code text   COLLATE "C" NOT NULL,
    loaded_on date   NOT NULL,
    rows      bigint NOT NULL,
    CONSTRAINT national_dnc_loads_pkey PRIMARY KEY (area_code, loaded_on),
    CONSTRAINT national_dnc_loads_area_code_check CHECK (area_code ~ '^[2-9][0-9]{2}$'),
    CONSTRAINT national_dnc_loads_rows_check CHECK (rows >= 0)
);
COMMENT ON TABLE lead_system.national_dnc_loads IS
    'When which area code of the national registry was loaded, and how many numbers it had.';

CREATE TABLE lead_system.contact_consents (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    phone_number    text        COLLATE "C",
    email           text,
    channel         text        NOT NULL,
    action          text        NOT NULL,
    at              timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    evidence        jsonb       NOT NULL DEFAULT '{}',
    user_id         uuid                 DEFAULT lead_system.current_user_id(),
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT contact_consents_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT contact_consents_channel_check CHECK (channel IN ('call', 'sms', 'email')),
    CONSTRAINT contact_consents_action_check CHECK (action IN ('granted', 'revoked')),
    CONSTRAINT contact_consents_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT contact_consents_email_check CHECK (email = lower(email)),
    CONSTRAINT contact_consents_point_check CHECK ((channel = 'email') = (email IS NOT NULL) AND (channel <> 'email') = (phone_number IS NOT NULL)),
    CONSTRAINT contact_consents_evidence_check CHECK (jsonb_typeof(evidence) = 'object' AND (action = 'revoked' OR evidence <> '{}'))
);
COMMENT ON TABLE lead_system.contact_consents IS
    'Who agreed to be contacted, and who took that back: a log of events. The latest event (by at, then id) of a phone number or e-mail address and a channel counts, for every lead that has it. Written by the extension alone.';
COMMENT ON COLUMN lead_system.contact_consents.lead_id IS 'The lead of whom it was recorded; it may be gone.';
COMMENT ON COLUMN lead_system.contact_consents.at IS 'When the consent was given or revoked.';
COMMENT ON COLUMN lead_system.contact_consents.evidence IS 'What proves the consent: form, address, wording, recording.';
CREATE INDEX contact_consents_phone_number_idx ON lead_system.contact_consents (organization_id, phone_number, channel, at, id) WHERE phone_number IS NOT NULL;
CREATE INDEX contact_consents_email_idx ON lead_system.contact_consents (organization_id, email, channel, at, id) WHERE email IS NOT NULL;
CREATE INDEX contact_consents_lead_id_idx ON lead_system.contact_consents (organization_id, lead_id, at);
CREATE INDEX contact_consents_organization_id_created_at_idx ON lead_system.contact_consents (organization_id, created_at);

ALTER TABLE lead_system.contact_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.contact_consents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.contact_consents
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER contact_consents_append_only BEFORE UPDATE OR DELETE ON lead_system.contact_consents
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER contact_consents_no_truncate BEFORE TRUNCATE ON lead_system.contact_consents
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER contact_consents_after_insert AFTER INSERT ON lead_system.contact_consents
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_consents_changed();
