-- compliance: every attempt to contact somebody, and every refusal.

CREATE TABLE lead_system.contact_attempts (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id          uuid,
    campaign_id      uuid,
    campaign_lead_id uuid,
    user_id          uuid,
    channel          text        NOT NULL,
    phone_number     text        COLLATE "C",
    email            text,
    allowed          boolean     NOT NULL,
    rule             text,
    detail           text,
    unblocks_at      timestamptz,
    created_at       timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT contact_attempts_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT contact_attempts_channel_check CHECK (channel IN ('call', 'sms', 'email')),
    CONSTRAINT contact_attempts_rule_check CHECK (allowed = (rule IS NULL))
);
COMMENT ON TABLE lead_system.contact_attempts IS
    'Attempts to contact somebody, allowed and refused, with the rule that refused them. Written by the extension alone; stays when the lead goes.';
COMMENT ON COLUMN lead_system.contact_attempts.rule IS 'The rule that refused the attempt; NULL when it was allowed.';
COMMENT ON COLUMN lead_system.contact_attempts.detail IS 'Of a refusal: what the rule found. Of an attempt: recorded (a row of call_logs or sms_logs) or authorized (authorize_contact).';
COMMENT ON COLUMN lead_system.contact_attempts.unblocks_at IS 'When the contact becomes possible; NULL when only an act of somebody can make it so.';
COMMENT ON COLUMN lead_system.contact_attempts.created_at IS 'When the attempt was made: of a call, when it began.';
CREATE INDEX contact_attempts_organization_id_phone_number_idx ON lead_system.contact_attempts (organization_id, phone_number, created_at);
CREATE INDEX contact_attempts_organization_id_created_at_idx ON lead_system.contact_attempts (organization_id, created_at);
CREATE INDEX contact_attempts_lead_id_idx ON lead_system.contact_attempts (lead_id, organization_id, created_at);

ALTER TABLE lead_system.contact_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.contact_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.contact_attempts
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER contact_attempts_append_only BEFORE UPDATE OR DELETE ON lead_system.contact_attempts
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER contact_attempts_no_truncate BEFORE TRUNCATE ON lead_system.contact_attempts
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
