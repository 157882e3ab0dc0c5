-- compliance: erased leads.

CREATE TABLE lead_system.erasure_keys (
    organization_id uuid  NOT NULL,
    key             bytea NOT NULL,
    CONSTRAINT erasure_keys_pkey PRIMARY KEY (organization_id),
    CONSTRAINT erasure_keys_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT erasure_keys_key_check CHECK (length(key) = 32)
);
COMMENT ON TABLE lead_system.erasure_keys IS
    'The secret of each organization with which the numbers of erased leads are hashed. No access level reads it: with it every number could be tried.';

CREATE TABLE lead_system.erasures (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    subject_id      uuid        NOT NULL,
    phone_hash      bytea,
    reason          text        NOT NULL,
    erased_by       uuid,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT erasures_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT erasures_phone_hash_check CHECK (length(phone_hash) = 32),
    CONSTRAINT erasures_reason_check CHECK (length(btrim(reason)) > 0)
);
COMMENT ON TABLE lead_system.erasures IS
    'Leads whose personal data was erased. Written by erase_lead() alone.';
COMMENT ON COLUMN lead_system.erasures.subject_id IS 'The lead; it may have been deleted for good since.';
COMMENT ON COLUMN lead_system.erasures.phone_hash IS 'HMAC of the number, so that it stays suppressed although nobody can read it any more.';
CREATE INDEX erasures_phone_hash_idx ON lead_system.erasures (organization_id, phone_hash);
CREATE INDEX erasures_organization_id_created_at_idx ON lead_system.erasures (organization_id, created_at);
CREATE INDEX erasures_subject_id_idx ON lead_system.erasures (subject_id, organization_id);

ALTER TABLE lead_system.erasure_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.erasure_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.erasure_keys
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.erasures
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER organizations_erasure_key AFTER INSERT ON lead_system.organizations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.organizations_erasure_key();
CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE ON lead_system.erasures
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER erasures_no_truncate BEFORE TRUNCATE ON lead_system.erasures
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
