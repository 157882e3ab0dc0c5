-- Did the variants write the same?  Asked after the rounds.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;

-- Leads that were inserted, updated or imported; those that only the bare
-- statements wrote are left out.
SELECT bench.same('leads', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT phone_number, first_name, last_name, company_name, email, city, company_size, industry, inquiry_type, budget_timeline, source,'
      ' pipeline_id, status, stage, pipeline_stage, lead_score, raw_score, score_breakdown, temperature, scoring_model, notes, do_not_call,'
      ' calling_blocked_reason, is_spam, deleted_at FROM $schema.leads WHERE email NOT LIKE ''person2________@%'''
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
      ' FROM $schema.campaign_leads q JOIN $schema.campaigns c ON c.id = q.campaign_id')) c(q);

-- And in the first of the organizations that came later.
SELECT 'organization: ' || set_config('app.current_org_id', id::text, false) FROM bench.tenants WHERE round = 1;
SELECT bench.same('new organization: leads', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT phone_number, first_name, last_name, company_name, email, city, company_size, industry, inquiry_type, budget_timeline, source,'
      ' status, lead_score, score_breakdown, temperature, do_not_call FROM $schema.leads')) c(q);
SELECT bench.same('new organization: queue', replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES ('SELECT c.name, l.phone_number, q.list_priority, q.temperature_rank, q.lead_score, q.is_dialable, q.status'
      ' FROM $schema.campaign_leads q JOIN $schema.campaigns c ON c.id = q.campaign_id JOIN $schema.leads l ON l.id = q.lead_id')) c(q);
