-- communication: calls.

CREATE TABLE lead_system.call_logs (
    organization_id    uuid        NOT NULL,
    id                 uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    user_id            uuid,
    lead_id            uuid,
    campaign_id        uuid,
    campaign_lead_id   uuid,
    caller_phone       text        COLLATE "C",
    called_phone       text        COLLATE "C",
    direction          text        NOT NULL,
    status             text        NOT NULL,
    outcome            text,
    duration           integer     NOT NULL DEFAULT 0,
    recording_url      text,
    recording_duration integer,
    provider           text,
    provider_call_id   text,
    notes              text,
    meaning            text,
    goes_cold_at       timestamptz,
    created_at         timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    ended_at           timestamptz,
    CONSTRAINT call_logs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT call_logs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT call_logs_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id),
    CONSTRAINT call_logs_caller_phone_check CHECK (lead_system.is_e164(caller_phone)),
    CONSTRAINT call_logs_called_phone_check CHECK (lead_system.is_e164(called_phone)),
    CONSTRAINT call_logs_direction_check CHECK (direction IN ('inbound', 'outbound')),
    CONSTRAINT call_logs_status_check CHECK (status IN ('answered', 'no_answer', 'busy', 'voicemail', 'failed')),
    CONSTRAINT call_logs_meaning_check CHECK (meaning IN ('opt_out', 'review')),
    CONSTRAINT call_logs_duration_check CHECK (duration >= 0 AND recording_duration >= 0)
);
COMMENT ON TABLE lead_system.call_logs IS
    'Calls that were made or received; durations in seconds.';
COMMENT ON COLUMN lead_system.call_logs.created_at IS 'When the call began.';
COMMENT ON COLUMN lead_system.call_logs.meaning IS 'What its transcript says of further contact: opt_out, or review when somebody has to read it; NULL for nothing. The transcript is not kept.';
COMMENT ON COLUMN lead_system.call_logs.goes_cold_at IS 'Of a missed call that is followed up: when sweep_missed_calls() gives it up. NULL when that is done, or there is nothing to do.';
CREATE INDEX call_logs_lead_id_idx ON lead_system.call_logs (lead_id, organization_id, created_at);
CREATE INDEX call_logs_organization_id_created_at_idx ON lead_system.call_logs (organization_id, created_at);
CREATE INDEX call_logs_campaign_id_idx ON lead_system.call_logs (organization_id, campaign_id, created_at) WHERE campaign_id IS NOT NULL;
CREATE INDEX call_logs_campaign_lead_id_idx ON lead_system.call_logs (campaign_lead_id, organization_id) WHERE campaign_lead_id IS NOT NULL;
CREATE INDEX call_logs_goes_cold_at_idx ON lead_system.call_logs (organization_id, goes_cold_at) WHERE goes_cold_at IS NOT NULL;
CREATE UNIQUE INDEX call_logs_provider_call_id_idx ON lead_system.call_logs (organization_id, provider_call_id) WHERE provider_call_id IS NOT NULL;

ALTER TABLE lead_system.call_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.call_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.call_logs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER leads_clear_calls BEFORE DELETE ON lead_system.leads
    FOR EACH ROW EXECUTE FUNCTION lead_system.clear_references('call_logs', 'lead_id');
