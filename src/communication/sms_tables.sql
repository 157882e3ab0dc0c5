-- communication: text messages.

CREATE TABLE lead_system.sms_logs (
    organization_id     uuid        NOT NULL,
    id                  uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    user_id             uuid,
    lead_id             uuid,
    campaign_id         uuid,
    campaign_lead_id    uuid,
    direction           text        NOT NULL,
    from_phone          text        COLLATE "C",
    to_phone            text        COLLATE "C",
    message_text        text        NOT NULL,
    status              text        NOT NULL DEFAULT 'sent',
    error_message       text,
    reply_to_sms_id     uuid,
    meaning             text,
    answer_id           uuid,
    provider            text,
    provider_message_id text,
    created_at          timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    delivered_at        timestamptz,
    replied_at          timestamptz,
    CONSTRAINT sms_logs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT sms_logs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT sms_logs_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id),
    CONSTRAINT sms_logs_direction_check CHECK (direction IN ('inbound', 'outbound')),
    CONSTRAINT sms_logs_from_phone_check CHECK (lead_system.is_e164(from_phone)),
    CONSTRAINT sms_logs_to_phone_check CHECK (lead_system.is_e164(to_phone)),
    CONSTRAINT sms_logs_phones_check CHECK (CASE direction WHEN 'outbound' THEN to_phone ELSE from_phone END IS NOT NULL OR message_text = '[erased]'),
    CONSTRAINT sms_logs_meaning_check CHECK (meaning IN ('opt_out', 'review', 'resubscribe', 'help', 'yes', 'book', 'call')),
    CONSTRAINT sms_logs_status_check CHECK (status IN ('queued', 'sent', 'delivered', 'failed', 'replied', 'received'))
);
COMMENT ON TABLE lead_system.sms_logs IS
    'Text messages that were sent or received.';
COMMENT ON COLUMN lead_system.sms_logs.from_phone IS 'NULL when the organization sends from a short code.';
COMMENT ON COLUMN lead_system.sms_logs.reply_to_sms_id IS 'The message that this one answers. No foreign key: a message is a record of what happened, and stays when others go.';
COMMENT ON COLUMN lead_system.sms_logs.meaning IS 'What a message from outside asks for: opt_out, review (somebody has to read it), resubscribe, help, yes, book, call; NULL for nothing that is known.';
COMMENT ON COLUMN lead_system.sms_logs.answer_id IS 'The notification that was queued in answer; NULL for none. No foreign key, for the same reason.';
COMMENT ON COLUMN lead_system.sms_logs.created_at IS 'When the message was sent or received.';
CREATE INDEX sms_logs_lead_id_idx ON lead_system.sms_logs (lead_id, organization_id, created_at);
CREATE INDEX sms_logs_organization_id_created_at_idx ON lead_system.sms_logs (organization_id, created_at);
CREATE INDEX sms_logs_opt_out_idx ON lead_system.sms_logs (organization_id, from_phone, created_at) WHERE meaning = 'opt_out';
CREATE UNIQUE INDEX sms_logs_provider_message_id_idx ON lead_system.sms_logs (organization_id, provider_message_id) WHERE provider_message_id IS NOT NULL;

ALTER TABLE lead_system.sms_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.sms_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.sms_logs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER leads_clear_sms BEFORE DELETE ON lead_system.leads
    FOR EACH ROW EXECUTE FUNCTION lead_system.clear_references('sms_logs', 'lead_id');
