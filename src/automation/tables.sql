-- automation: what agents propose and do, and workflows that run elsewhere.

CREATE TABLE lead_system.ai_agent_logs (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    agent_name       text        NOT NULL,
    action_type      text        NOT NULL,
    action_data      jsonb       NOT NULL DEFAULT '{}',
    target_type      text        NOT NULL DEFAULT 'none',
    target_id        uuid,
    lead_id          uuid,
    action_day       date        NOT NULL,
    from_value       numeric(12,2),
    to_value         numeric(12,2),
    guard            text        NOT NULL,
    estimated_impact jsonb,
    result           text        NOT NULL,
    result_message   text,
    decided_by       uuid,
    decided_at       timestamptz,
    expires_at       timestamptz,
    created_at       timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    completed_at     timestamptz,
    CONSTRAINT ai_agent_logs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT ai_agent_logs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT ai_agent_logs_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT ai_agent_logs_agent_name_check CHECK (agent_name IN ('monitor', 'cx', 'diagnostic', 'optimizing', 'retention')),
    CONSTRAINT ai_agent_logs_action_type_check CHECK (action_type ~ '^[a-z][a-z0-9_]*$' AND length(action_type) <= 100),
    CONSTRAINT ai_agent_logs_action_data_check CHECK (jsonb_typeof(action_data) = 'object'),
    CONSTRAINT ai_agent_logs_target_type_check CHECK (target_type IN ('none', 'organization', 'campaign', 'keyword')
        AND (target_type = 'none') = (target_id IS NULL)),
    CONSTRAINT ai_agent_logs_values_check CHECK ((from_value IS NULL) = (to_value IS NULL)
        AND from_value <> 'NaN' AND to_value <> 'NaN'),
    CONSTRAINT ai_agent_logs_guard_check CHECK (guard IN ('note', 'finding', 'automatic', 'approval', 'manual', 'refused')),
    CONSTRAINT ai_agent_logs_estimated_impact_check CHECK (jsonb_typeof(estimated_impact) = 'object'),
    CONSTRAINT ai_agent_logs_result_check
        CHECK (result IN ('pending', 'approved', 'success', 'failed', 'rejected', 'refused', 'expired')),
    CONSTRAINT ai_agent_logs_completed_at_check CHECK ((completed_at IS NULL) = (result IN ('pending', 'approved')))
);
COMMENT ON TABLE lead_system.ai_agent_logs IS
    'What agents found, proposed and did. Written by functions alone; a proposal goes from pending, or approved, to success or failed, or is rejected, refused or expired.';
COMMENT ON COLUMN lead_system.ai_agent_logs.guard IS
    'What the limits say: automatic may be applied, approval needs one first, manual is for a person to do, refused is not done; finding and note are nothing to apply.';
COMMENT ON COLUMN lead_system.ai_agent_logs.from_value IS 'The daily budget or the bid that a change starts from.';
COMMENT ON COLUMN lead_system.ai_agent_logs.action_day IS 'The day of the organization''s time zone that it is about; the same is proposed once a day.';
COMMENT ON COLUMN lead_system.ai_agent_logs.estimated_impact IS 'spend_per_day and change_percent for proposals; whatever an agent expects otherwise.';
CREATE UNIQUE INDEX ai_agent_logs_once_a_day_idx ON lead_system.ai_agent_logs
    (organization_id, target_id, action_type, action_day, to_value) NULLS NOT DISTINCT WHERE guard <> 'note';
CREATE UNIQUE INDEX ai_agent_logs_open_idx ON lead_system.ai_agent_logs
    (organization_id, target_id, action_type) WHERE result IN ('pending', 'approved');
CREATE INDEX ai_agent_logs_organization_id_created_at_idx ON lead_system.ai_agent_logs (organization_id, created_at);
CREATE INDEX ai_agent_logs_changes_idx ON lead_system.ai_agent_logs (organization_id, target_id, action_type, completed_at)
    WHERE result = 'success' AND from_value IS NOT NULL;
CREATE INDEX ai_agent_logs_lead_id_idx ON lead_system.ai_agent_logs (lead_id, organization_id) WHERE lead_id IS NOT NULL;

CREATE TABLE lead_system.workflows (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    workflow_name   text        NOT NULL,
    workflow_type   text        NOT NULL,
    ghl_workflow_id text,
    config          jsonb       NOT NULL,
    status          text        NOT NULL DEFAULT 'active',
    total_triggered bigint      NOT NULL DEFAULT 0,
    total_completed bigint      NOT NULL DEFAULT 0,
    total_failed    bigint      NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT workflows_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT workflows_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT workflows_organization_id_workflow_name_key UNIQUE (organization_id, workflow_name),
    CONSTRAINT workflows_workflow_name_check CHECK (workflow_name = btrim(workflow_name) AND length(workflow_name) BETWEEN 1 AND 255),
    CONSTRAINT workflows_workflow_type_check CHECK (workflow_type IN
        ('missed_call', 'offer_quote', 'booking_confirmation', 'review_request', 'amc_offer')),
    CONSTRAINT workflows_ghl_workflow_id_check CHECK (length(ghl_workflow_id) <= 255),
    CONSTRAINT workflows_status_check CHECK (status IN ('active', 'paused', 'draft')),
    CONSTRAINT workflows_counts_check CHECK (total_triggered >= 0 AND total_completed >= 0 AND total_failed >= 0)
);
COMMENT ON TABLE lead_system.workflows IS
    'What a program outside the database carries out, and how often it did.';
COMMENT ON COLUMN lead_system.workflows.config IS 'steps, and retry_minutes; checked by trigger.';
COMMENT ON COLUMN lead_system.workflows.total_triggered IS 'Runs that began; kept by record_workflow_run().';

CREATE TABLE lead_system.workflow_runs (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    workflow_id     uuid        NOT NULL,
    run_key         text        COLLATE "C" NOT NULL,
    lead_id         uuid,
    status          text        NOT NULL,
    failures        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    completed_at    timestamptz,
    CONSTRAINT workflow_runs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT workflow_runs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT workflow_runs_workflow_id_fkey FOREIGN KEY (workflow_id, organization_id)
        REFERENCES lead_system.workflows (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT workflow_runs_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT workflow_runs_organization_id_workflow_id_run_key_key UNIQUE (organization_id, workflow_id, run_key),
    CONSTRAINT workflow_runs_run_key_check CHECK (length(run_key) BETWEEN 1 AND 255),
    CONSTRAINT workflow_runs_status_check CHECK (status IN ('running', 'retrying', 'completed', 'failed')),
    CONSTRAINT workflow_runs_failures_check CHECK (failures >= 0),
    CONSTRAINT workflow_runs_next_attempt_at_check CHECK (CASE status WHEN 'retrying' THEN next_attempt_at IS NOT NULL
        WHEN 'running' THEN true ELSE next_attempt_at IS NULL END),
    CONSTRAINT workflow_runs_completed_at_check CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed')))
);
COMMENT ON TABLE lead_system.workflow_runs IS
    'Runs of workflows. Written by record_workflow_run() alone.';
COMMENT ON COLUMN lead_system.workflow_runs.run_key IS 'What the program calls the run; reporting it again changes nothing.';
COMMENT ON COLUMN lead_system.workflow_runs.failures IS 'Attempts that failed, or that nothing was heard of.';
COMMENT ON COLUMN lead_system.workflow_runs.next_attempt_at IS 'When it is tried again; of a running one, unless something is heard of it before.';
CREATE INDEX workflow_runs_workflow_id_idx ON lead_system.workflow_runs (workflow_id, organization_id);
CREATE INDEX workflow_runs_organization_id_created_at_idx ON lead_system.workflow_runs (organization_id, created_at);
CREATE INDEX workflow_runs_organization_id_next_attempt_at_idx ON lead_system.workflow_runs (organization_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX workflow_runs_lead_id_idx ON lead_system.workflow_runs (lead_id, organization_id) WHERE lead_id IS NOT NULL;

ALTER TABLE lead_system.ai_agent_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.ai_agent_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.ai_agent_logs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.ai_agent_logs AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.workflows ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.workflows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.workflows
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.workflows AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.workflow_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.workflow_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.workflow_runs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.workflow_runs AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);

CREATE TRIGGER workflows_check BEFORE INSERT OR UPDATE ON lead_system.workflows
    FOR EACH ROW EXECUTE FUNCTION lead_system.workflows_check();
CREATE TRIGGER workflows_touch_updated_at BEFORE UPDATE ON lead_system.workflows
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
