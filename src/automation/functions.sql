-- automation: what agents propose and do, and workflows that run elsewhere.

CREATE FUNCTION lead_system.log_agent_action(agent_name text, action_type text, action_data jsonb DEFAULT '{}', result text DEFAULT 'success',
    result_message text DEFAULT NULL, estimated_impact jsonb DEFAULT NULL, lead_id uuid DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_automation_log_agent_action';
COMMENT ON FUNCTION lead_system.log_agent_action(text, text, jsonb, text, text, jsonb, uuid) IS
    'Writes down what an agent has done outside the database: result is success or failed. Changes of advertising go through propose_action(). Returns the id.';
REVOKE ALL ON FUNCTION lead_system.log_agent_action(text, text, jsonb, text, text, jsonb, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.approve_action(log_id uuid, reason text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_automation_approve_action';
COMMENT ON FUNCTION lead_system.approve_action(uuid, text) IS
    'Approves a pending proposal, so that it can be applied. Raises LS060 for one that is above the limits, 55000 when it is not pending or has expired, P0002 for an unknown one.';
REVOKE ALL ON FUNCTION lead_system.approve_action(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.reject_action(log_id uuid, reason text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_automation_reject_action';
COMMENT ON FUNCTION lead_system.reject_action(uuid, text) IS
    'Rejects a proposal that is pending, or approved and not yet applied. Raises 55000 when it is neither, P0002 for an unknown one.';
REVOKE ALL ON FUNCTION lead_system.reject_action(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.record_workflow_run(workflow_id uuid, run_key text, outcome text DEFAULT 'started', lead_id uuid DEFAULT NULL,
    error text DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_automation_record_workflow_run';
COMMENT ON FUNCTION lead_system.record_workflow_run(uuid, text, text, uuid, text) IS
    'Takes down that a run of a workflow started, completed or failed; returns the id of the run. A run that failed is to be tried again, at most as often as retry_minutes has numbers. Reporting the same again changes nothing, but a run that nothing was heard of for automation.run_minutes begins again, which counts as a failure: NULL when there are no retries left, and the run is failed. Raises 55000 for a workflow that is not active, or a run that is over, P0002 for an unknown workflow or lead.';
REVOKE ALL ON FUNCTION lead_system.record_workflow_run(uuid, text, text, uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.due_workflow_runs(batch integer DEFAULT 100)
    RETURNS TABLE (run_id uuid, workflow_id uuid, run_key text, lead_id uuid, failures integer, due_at timestamptz, last_error text)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 100 AS 'MODULE_PATHNAME', 'ls_automation_due_workflow_runs';
COMMENT ON FUNCTION lead_system.due_workflow_runs(integer) IS
    'Runs of active workflows of the session''s organization that failed, or that nothing was heard of for automation.run_minutes, and are to be tried again now, the longest due first. To begin with one, record it as started.';
REVOKE ALL ON FUNCTION lead_system.due_workflow_runs(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.workflows_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_automation_workflows_check';
COMMENT ON FUNCTION lead_system.workflows_check() IS
    'Trigger of workflows: refuses a definition that is not valid.';
REVOKE ALL ON FUNCTION lead_system.workflows_check() FROM PUBLIC;
