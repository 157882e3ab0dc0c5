-- Did the variants of the marketplace write the same?  Asked after the rounds.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
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
