-- Did the variants do the same work?  Every query counts differences; each is
-- between sets that are not empty, else nothing would be shown.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;

CREATE FUNCTION bench.same(what text, ours text, theirs text) RETURNS text
    LANGUAGE plpgsql
AS $$
DECLARE
    rows bigint;
    differences bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (%s) o', ours) INTO rows;
    EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', ours, theirs) INTO differences;
    IF rows = 0 OR differences <> 0 THEN
        RAISE EXCEPTION '%: % rows, % differences', what, rows, differences;
    END IF;
    RETURN format('same: %s (%s rows)', what, rows);
END
$$;

SELECT bench.same(format('dashboard, %s, %s', coalesce(temperature, 'all'), first),
    format('SELECT row_number() OVER () AS n, d.* FROM lead_system.dashboard_leads(%1$L, NULL, 50, %2$L::jsonb) d', temperature, CASE WHEN NOT first THEN cursor END),
    format('SELECT row_number() OVER () AS n, d.* FROM bench.dashboard(%1$L, 50, %2$L::jsonb) d', temperature, CASE WHEN NOT first THEN cursor END))
  FROM bench.cursors, (VALUES (true), (false)) f(first);
SELECT bench.same(format('dashboard by OFFSET, %s', coalesce(temperature, 'all')),
    format('SELECT lead_id FROM lead_system.dashboard_leads(%L, NULL, 50, %L::jsonb)', temperature, cursor),
    format('(SELECT id FROM lead_system.leads WHERE (%1$L::text IS NULL OR temperature = %1$L) AND deleted_at IS NULL AND NOT is_spam'
        ' ORDER BY raw_score DESC, created_at DESC, id DESC OFFSET 4950 LIMIT 50)', temperature))
  FROM bench.cursors;
SELECT bench.same('calculate_lead_score, plpgsql', 'SELECT id, lead_system.calculate_lead_score(id) FROM bench.sample',
                  'SELECT id, bench.calculate_lead_score(id) FROM bench.sample');
SELECT bench.same('calculate_lead_score, bare', 'SELECT id, lead_system.calculate_lead_score(id) FROM bench.sample',
                  'SELECT id, score FROM bench.sample JOIN bench.scores USING (id)');
SELECT bench.same('is_on_dnc_list', 'SELECT phone_number, lead_system.is_on_dnc_list(phone_number, lead_system.current_org_id()) FROM bench.numbers',
                  'SELECT phone_number, bench.is_on_dnc_list(phone_number, lead_system.current_org_id()) FROM bench.numbers');

-- Leads that were inserted, updated or imported; those that only the bare
-- statements wrote are left out.
SELECT bench.same('leads', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT phone_number, first_name, last_name, company_name, email, city, company_size, industry, inquiry_type, budget_timeline, source,'
      ' pipeline_id, status, stage, pipeline_stage, lead_score, raw_score, score_breakdown, temperature, scoring_model, notes, do_not_call,'
      ' calling_blocked_reason, is_spam, deleted_at FROM $schema.leads WHERE phone_number NOT LIKE ''+99912________'''
      ' AND id NOT IN (SELECT id FROM bench.sample WHERE n > (SELECT batch FROM bench.sizes))'
      ' AND (source = ''bench_import'' OR updated_at > (SELECT min(updated_at) FROM bench.campaigns))')) c(q);
SELECT bench.same('audit log', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT l.phone_number, a.field_name, a.old_value, a.new_value, a.changed_by FROM $schema.lead_audit_log a JOIN $schema.leads l ON l.id = a.lead_id')) c(q);
SELECT bench.same('score history', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT l.phone_number, h.old_score, h.new_score, h.raw_score, h.model, h.breakdown FROM $schema.lead_score_history h JOIN $schema.leads l ON l.id = h.lead_id')) c(q);
SELECT bench.same('activities', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT l.phone_number, a.action_type, a.old_value, a.new_value, a.user_id FROM $schema.activities a JOIN $schema.leads l ON l.id = a.lead_id'
      ' WHERE a.created_at > (SELECT min(updated_at) FROM bench.campaigns)')) c(q);
SELECT bench.same('lists', 'SELECT name, lead_count FROM lead_system.lead_lists', 'SELECT name, lead_count FROM bench.lead_lists');
SELECT bench.same('campaigns', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT c.name, a.priority, a.total_leads, a.open_leads FROM $schema.campaign_lead_lists a JOIN $schema.campaigns c ON c.id = a.campaign_id')) c(q);
SELECT bench.same('queue', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT c.name, q.lead_id, q.list_priority, q.temperature_rank, q.lead_score, q.is_dialable, q.status, q.attempts'
      ' FROM $schema.campaign_leads q JOIN $schema.campaigns c ON c.id = q.campaign_id WHERE c.name NOT LIKE ''bare%''')) c(q);
