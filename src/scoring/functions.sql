-- scoring: points of a lead, and why.

CREATE FUNCTION lead_system.calculate_lead_score(lead_id uuid) RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 20 AS 'MODULE_PATHNAME', 'ls_scoring_calculate';
COMMENT ON FUNCTION lead_system.calculate_lead_score(uuid) IS
    'The score (0..100) that a lead has now, by the model that applies to it (semantics B10). Reads only. Raises P0002 when there is no such lead.';
REVOKE ALL ON FUNCTION lead_system.calculate_lead_score(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.calculate_lead_score(lead_id uuid, model text) RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 20 AS 'MODULE_PATHNAME', 'ls_scoring_calculate_by_model';
COMMENT ON FUNCTION lead_system.calculate_lead_score(uuid, text) IS
    'The score (0..100) that a lead has now by a named model. Reads only. Raises 22023 when there is no such model.';
REVOKE ALL ON FUNCTION lead_system.calculate_lead_score(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.explain_lead_score(lead_id uuid, model text DEFAULT NULL)
    RETURNS TABLE (component text, rule text, value text, points numeric)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'ls_scoring_explain';
COMMENT ON FUNCTION lead_system.explain_lead_score(uuid, text) IS
    'The points that make up a lead''s score now, rule by rule; they add up to raw_score.';
REVOKE ALL ON FUNCTION lead_system.explain_lead_score(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.score_at(lead_id uuid, at timestamptz) RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 20 AS 'MODULE_PATHNAME', 'ls_scoring_score_at';
COMMENT ON FUNCTION lead_system.score_at(uuid, timestamptz) IS
    'The score that the lead as it is would have at an instant: what inactivity makes of it.';
REVOKE ALL ON FUNCTION lead_system.score_at(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION lead_system.record_qualification(lead_id uuid, inputs jsonb) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_record_qualification';
COMMENT ON FUNCTION lead_system.record_qualification(uuid, jsonb) IS
    'Records an assessment of a lead: interest and budget up to 25, authority up to 20, need and timing up to 15. What inputs does not name stays as in the latest assessment. The lead is scored again at once. Returns the id. Raises 22023 for unknown keys and bad values, P0002 when there is no such lead.';
REVOKE ALL ON FUNCTION lead_system.record_qualification(uuid, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.record_intent_signal(lead_id uuid, kind text, call_id uuid) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_record_signal';
COMMENT ON FUNCTION lead_system.record_intent_signal(uuid, text, uuid) IS
    'Records what was heard in a call: explicit_interest, question, callback, objection_handled, hard_objection, or none. The lead is scored again at once; a signal that is recorded already stays one. Returns the id. Raises 22023 for an unknown kind and for a call with another lead, P0002 when there is no such lead.';
REVOKE ALL ON FUNCTION lead_system.record_intent_signal(uuid, text, uuid) FROM PUBLIC;

CREATE PROCEDURE lead_system.recalculate_lead_scores(batch integer DEFAULT 10000)
    LANGUAGE c AS 'MODULE_PATHNAME', 'ls_scoring_recalculate';
COMMENT ON PROCEDURE lead_system.recalculate_lead_scores(integer) IS
    'Brings the stored scores of all live leads up to date, of the session''s organization or, for a role with BYPASSRLS and none set, of all. Commits per batch, shows its progress in scoring_runs and resumes there; several sessions can share the work.';
REVOKE ALL ON PROCEDURE lead_system.recalculate_lead_scores(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.copy_scoring_model(source text, name text DEFAULT NULL) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH original AS (
        SELECT m.* FROM lead_system.scoring_models m
         WHERE m.name = copy_scoring_model.source
           AND (m.organization_id IS NULL OR m.organization_id = (SELECT lead_system.current_org_id()))
         ORDER BY m.organization_id NULLS LAST LIMIT 1
    ), made AS (
        INSERT INTO lead_system.scoring_models (organization_id, name, description, components, thresholds, decay, is_active, is_shadow)
        SELECT lead_system.require_org_id(), coalesce(copy_scoring_model.name, o.name), 'Copy of ' || o.name,
               o.components, o.thresholds, o.decay, o.is_active, o.is_shadow
          FROM original o
        RETURNING organization_id, id
    ), rules AS (
        INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points, cap, position)
        SELECT m.organization_id, m.id, r.component, r.attribute, r.operator, r.operand, r.points, r.cap, r.position
          FROM made m, original o JOIN lead_system.scoring_rules r ON r.model_id = o.id
    )
    SELECT id FROM made
$$;
COMMENT ON FUNCTION lead_system.copy_scoring_model(text, text) IS
    'Copies a scoring model with its rules into one of the organization''s own; under the same name, which is the default, it takes the built-in one''s place. Returns the new id, NULL when there is no such model. Raises 23505 when the organization has one of that name.';
REVOKE ALL ON FUNCTION lead_system.copy_scoring_model(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.scoring_models_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_models_check';
COMMENT ON FUNCTION lead_system.scoring_models_check() IS
    'Trigger of scoring_models: refuses components, thresholds and decay that cannot be computed.';
REVOKE ALL ON FUNCTION lead_system.scoring_models_check() FROM PUBLIC;

CREATE FUNCTION lead_system.scoring_rules_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_rules_check';
COMMENT ON FUNCTION lead_system.scoring_rules_check() IS
    'Trigger of scoring_rules: refuses unknown components and attributes, and operators or operands that do not fit.';
REVOKE ALL ON FUNCTION lead_system.scoring_rules_check() FROM PUBLIC;

CREATE FUNCTION lead_system.scoring_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_changed';
COMMENT ON FUNCTION lead_system.scoring_changed() IS
    'Trigger of scoring_models, scoring_rules and system_config: makes sessions compile models anew and unfinished recalculations start over.';
REVOKE ALL ON FUNCTION lead_system.scoring_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.scoring_inputs_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_inputs_changed';
COMMENT ON FUNCTION lead_system.scoring_inputs_changed() IS
    'Trigger of lead_qualifications and lead_intent_signals: scores the leads concerned again.';
REVOKE ALL ON FUNCTION lead_system.scoring_inputs_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.scoring_inputs_check_time() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_scoring_inputs_check_time';
COMMENT ON FUNCTION lead_system.scoring_inputs_check_time() IS
    'Trigger of lead_qualifications and lead_intent_signals: refuses what was learnt in the future, which would count for more than all that comes later.';
REVOKE ALL ON FUNCTION lead_system.scoring_inputs_check_time() FROM PUBLIC;
