-- compliance: numbers that one campaign must not contact.

CREATE TABLE lead_system.campaign_suppressions (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    campaign_id     uuid        NOT NULL,
    phone_number    text        COLLATE "C" NOT NULL,
    reason          text        NOT NULL,
    added_by        uuid                 DEFAULT lead_system.current_user_id(),
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT campaign_suppressions_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT campaign_suppressions_campaign_id_phone_number_key UNIQUE (organization_id, campaign_id, phone_number),
    CONSTRAINT campaign_suppressions_campaign_id_fkey FOREIGN KEY (campaign_id, organization_id)
        REFERENCES lead_system.campaigns (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT campaign_suppressions_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT campaign_suppressions_reason_check CHECK (length(btrim(reason)) > 0)
);
COMMENT ON TABLE lead_system.campaign_suppressions IS
    'Numbers that a campaign must not contact, although others may.';
COMMENT ON COLUMN lead_system.campaign_suppressions.created_at IS 'Suppressed since.';
CREATE INDEX campaign_suppressions_organization_id_created_at_idx ON lead_system.campaign_suppressions (organization_id, created_at);

ALTER TABLE lead_system.campaign_suppressions ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.campaign_suppressions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.campaign_suppressions
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER campaign_suppressions_a_normalize BEFORE INSERT OR UPDATE ON lead_system.campaign_suppressions
    FOR EACH ROW EXECUTE FUNCTION lead_system.directory_normalize();
CREATE TRIGGER campaign_suppressions_stamp_user BEFORE INSERT OR UPDATE ON lead_system.campaign_suppressions
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('added_by');
CREATE TRIGGER campaign_suppressions_after_insert AFTER INSERT ON lead_system.campaign_suppressions
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.campaign_suppressions_changed();
CREATE TRIGGER campaign_suppressions_after_delete AFTER DELETE ON lead_system.campaign_suppressions
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.campaign_suppressions_changed();
