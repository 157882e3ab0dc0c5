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

-- And in the marketplace.
SELECT 'organization: ' || set_config('app.current_org_id', id::text, false) FROM bench.market;
SELECT bench.same('market: ' || name, replace(q, '$schema', 'lead_system'), replace(q, '$schema', 'bench'))
  FROM (VALUES
    ('leads', 'SELECT id, status, stage, pipeline_stage, status_changed_at FROM $schema.leads'),
    ('listings', 'SELECT lead_id, bidding_opens_at, bidding_closes_at, bidding_closed_at, winner_bid_id FROM $schema.lead_listings'),
    ('bids', 'SELECT b.id, status, bid_rank, charge_amount, response_window_starts_at, response_window_ends_at, strike_applied FROM $schema.bids b'
        ' JOIN bench.lots l ON l.id = b.lead_id WHERE kind = ''close'''),
    ('status history', 'SELECT lead_id, old_status, new_status, old_stage, new_stage, time_in_status, trigger_type, reason, created_at'
        ' FROM $schema.lead_status_history WHERE old_status <> ''CREATED'''),
    ('activities', 'SELECT lead_id, action_type, old_value, new_value, description, created_at FROM $schema.activities'
        ' WHERE action_type <> ''lead_created'' AND old_value IS DISTINCT FROM ''{"status": "CREATED"}'''),
    ('audit log', 'SELECT lead_id, field_name, old_value, new_value FROM $schema.lead_audit_log WHERE old_value IS DISTINCT FROM ''CREATED'''),
    ('strikes', 'SELECT contractor_id, lead_id, bid_id, strike_count_after, ban_triggered, created_at FROM $schema.strike_logs'),
    ('contractors', 'SELECT id, strike_count, is_bidding_banned, bidding_ban_until, response_rate FROM $schema.users'),
    ('metrics', 'SELECT contractor_id, total_bids_placed, total_leads_won, contact_rate FROM $schema.contractor_metrics')) c(name, q);
SELECT bench.same('market: ranks of all bids', 'SELECT l.id, r.contractor_id, r.final_bid_amount, r.bid_rank FROM bench.lots l, lead_system.rank_bids(l.id) r WHERE kind <> ''close''',
    'SELECT lead_id, contractor_id, final_bid_amount, bid_rank::integer FROM bench.ranked_bids');
