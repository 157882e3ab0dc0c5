-- leads: one lead at a time, the dashboard, pipelines.

CREATE FUNCTION lead_system.upsert_lead(lead jsonb, on_duplicate text DEFAULT 'reject') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_upsert';
COMMENT ON FUNCTION lead_system.upsert_lead(jsonb, text) IS
    'Creates a lead from an object of columns and returns its id. on_duplicate: reject raises LS031, merge updates the lead that exists, skip leaves it. Duplicates have the same source and source_id, phone number, or e-mail address within 24 hours (semantics A13). Raises 22023 for unknown keys and invalid values.';
REVOKE ALL ON FUNCTION lead_system.upsert_lead(jsonb, text) FROM PUBLIC;

CREATE FUNCTION lead_system.change_lead_status(lead_id uuid, new_status text, reason text DEFAULT NULL,
        trigger_type text DEFAULT 'manual', trigger_id uuid DEFAULT NULL, force boolean DEFAULT false) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_change_status';
COMMENT ON FUNCTION lead_system.change_lead_status(uuid, text, text, text, uuid, boolean) IS
    'Moves a lead to a status and records why: trigger_type is call, manual, automation, ai or import. Raises LS030 when the pipeline has no such step; an administrator can force it. Raises P0002 when there is no such lead.';
REVOKE ALL ON FUNCTION lead_system.change_lead_status(uuid, text, text, text, uuid, boolean) FROM PUBLIC;

CREATE FUNCTION lead_system.add_lead_note(lead_id uuid, note text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_add_note';
COMMENT ON FUNCTION lead_system.add_lead_note(uuid, text) IS
    'Adds a note to a lead''s activities and returns the activity''s id. Raises P0002 when there is no such lead.';
REVOKE ALL ON FUNCTION lead_system.add_lead_note(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.dashboard_leads(temperature text DEFAULT NULL, status text DEFAULT NULL,
        page_size integer DEFAULT 50, after jsonb DEFAULT NULL)
    RETURNS TABLE (lead_id uuid, company_name text, contact_name text, email text, phone_number text, status text,
        temperature text, lead_score integer, raw_score integer, assigned_to uuid, created_at timestamptz, cursor jsonb)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 50 AS 'MODULE_PATHNAME', 'ls_leads_dashboard';
COMMENT ON FUNCTION lead_system.dashboard_leads(text, text, integer, jsonb) IS
    'One page of live leads, best score first, then newest. Pass the cursor of the last row as after to get the next page. Raises 22023 for a page_size outside 1..1000.';
REVOKE ALL ON FUNCTION lead_system.dashboard_leads(text, text, integer, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.search_leads(name text, max_results integer DEFAULT 20)
    RETURNS TABLE (lead_id uuid, company_name text, contact_name text, email text, phone_number text, similarity real)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 20 AS 'MODULE_PATHNAME', 'ls_leads_search';
COMMENT ON FUNCTION lead_system.search_leads(text, integer) IS
    'Live leads whose person or company resembles a name, most similar first. Needs pg_trgm; raises 0A000 without it.';
REVOKE ALL ON FUNCTION lead_system.search_leads(text, integer) FROM PUBLIC;

CREATE FUNCTION lead_system.copy_pipeline(source text, name text) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH original AS (
        SELECT p.id FROM lead_system.pipelines p
         WHERE p.name = copy_pipeline.source
           AND (p.organization_id IS NULL OR p.organization_id = (SELECT lead_system.current_org_id()))
         ORDER BY p.organization_id NULLS LAST LIMIT 1
    ), made AS (
        INSERT INTO lead_system.pipelines (organization_id, name, description)
        SELECT lead_system.require_org_id(), copy_pipeline.name, 'Copy of ' || copy_pipeline.source FROM original
        RETURNING organization_id, id
    ), statuses AS (
        INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position, is_initial,
            requires_reason, stamp_column, pipeline_stage)
        SELECT m.organization_id, m.id, s.status, s.stage, s.position, s.is_initial, s.requires_reason, s.stamp_column, s.pipeline_stage
          FROM made m, original o JOIN lead_system.pipeline_statuses s ON s.pipeline_id = o.id
    ), transitions AS (
        INSERT INTO lead_system.pipeline_transitions (organization_id, pipeline_id, from_status, to_status)
        SELECT m.organization_id, m.id, t.from_status, t.to_status
          FROM made m, original o JOIN lead_system.pipeline_transitions t ON t.pipeline_id = o.id
    )
    SELECT id FROM made
$$;
COMMENT ON FUNCTION lead_system.copy_pipeline(text, text) IS
    'Copies a pipeline that the organization can use into one of its own, which it may then change; returns the new id, or NULL when there is no such pipeline. Raises 23505 when the name is taken.';
REVOKE ALL ON FUNCTION lead_system.copy_pipeline(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.organizations_check_pipeline() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_check_pipeline';
COMMENT ON FUNCTION lead_system.organizations_check_pipeline() IS
    'Trigger of organizations: the default pipeline must exist.';
REVOKE ALL ON FUNCTION lead_system.organizations_check_pipeline() FROM PUBLIC;

CREATE FUNCTION lead_system.pipelines_keep_default() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_keep_default_pipeline';
COMMENT ON FUNCTION lead_system.pipelines_keep_default() IS
    'Trigger of pipelines: refuses to rename or delete one that new leads of an organization start in.';
REVOKE ALL ON FUNCTION lead_system.pipelines_keep_default() FROM PUBLIC;

CREATE FUNCTION lead_system.pipeline_stages_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_stages_changed';
COMMENT ON FUNCTION lead_system.pipeline_stages_changed() IS
    'Trigger of pipeline_statuses: leads follow when a status comes to mean another stage.';
REVOKE ALL ON FUNCTION lead_system.pipeline_stages_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.leads_before_row() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_before_row';
COMMENT ON FUNCTION lead_system.leads_before_row() IS
    'Trigger of leads: normalizes a row, enforces status steps and the e-mail rule, blocks listed numbers, scores.';
REVOKE ALL ON FUNCTION lead_system.leads_before_row() FROM PUBLIC;

CREATE FUNCTION lead_system.leads_after_statement() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_leads_after_statement';
COMMENT ON FUNCTION lead_system.leads_after_statement() IS
    'Trigger of leads: writes the histories of all rows that a statement changed.';
REVOKE ALL ON FUNCTION lead_system.leads_after_statement() FROM PUBLIC;
