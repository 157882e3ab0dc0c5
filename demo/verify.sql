-- Did the story come out as told?  The files are the same every time, so every
-- count is known.
\set ON_ERROR_STOP on
SET search_path = lead_system, public;
DO $$
DECLARE
    expected CONSTANT jsonb := '{"rows": 22212, "new": 20000, "updated": 2000, "duplicates": 200, "rejected": 12,
        "errors": 12, "leads": 20003, "unscored": 0, "listed": 1982, "blocked": 402, "queued": 20000, "owned": [8000, 12000],
        "scrubbed": 401, "calling": 0, "contacted": 2, "calls": 1, "status": "Opportunity", "audited": 8, "steps": 9,
        "bids": "WON 3, EXPIRED 1, LOST 2, LOST", "strikes": 1, "charged": 85.50, "won_by": "Ben", "market": "CONTACTED",
        "segment": 189, "members": [189, 189, 189], "moved": ["list_entered", "list_left"], "reps": [80, 60, 40], "shared": 180, "alerts": 180,
        "waiting": 9, "nurture": "cancelled 2 completed", "merges": [1, 1], "found_twice": 1,
        "missed": "missed_call cancelled Lead added to DNC list sms_stop", "ledger": "credit 20.00 0.00, hold 0.00 0.75, capture -0.75 0.00",
        "whole": [true, true], "balances": [-85.50, 19.25], "proposals": "690.00 approval success, 720.00 refused refused", "budget": 690.00,
        "sources": "direct 1 0, missed_call 1 0, referral 1 0, trade_fair 14000 1 0.31 -0.5853, web_form 6000 0 0.16 -1.0000",
        "funnel": [20003, 2, 2, 1, 1, 0, 0, 0], "jobs": [27, 27]}';
    found jsonb;
BEGIN
    SELECT jsonb_build_object('rows', sum(row_count), 'new', sum(inserted_count), 'updated', sum(updated_count),
               'duplicates', sum(duplicate_count), 'rejected', sum(rejected_count))
      INTO found FROM lead_imports;
    SELECT found || jsonb_build_object(
        'errors', (SELECT count(*) FROM lead_import_errors),
        'leads', (SELECT count(*) FROM leads),
        'unscored', (SELECT count(*) FROM leads WHERE source NOT IN ('referral', 'missed_call') AND (temperature = 'unrated' OR raw_score < 18)),
        'listed', (SELECT count(*) FROM dnc_list),
        'blocked', (SELECT count(*) FROM leads WHERE do_not_call),
        'queued', (SELECT count(*) FROM campaign_leads),
        'owned', (SELECT jsonb_agg(total_leads ORDER BY priority) FROM campaign_lead_lists),
        'scrubbed', (SELECT count(*) FROM campaign_leads WHERE status = 'dnc'),
        'calling', (SELECT count(*) FROM campaign_leads WHERE status = 'calling'),
        'contacted', (SELECT count(*) FROM campaign_leads WHERE status = 'contacted' AND attempts = 1),
        'calls', (SELECT count(*) FROM call_logs WHERE duration = 184),
        'status', (SELECT l.status FROM leads l JOIN call_logs c ON c.lead_id = l.id WHERE c.duration = 184),
        'audited', (SELECT count(*) FROM lead_audit_log a JOIN call_logs c ON c.lead_id = a.lead_id WHERE c.duration = 184 AND field_name <> 'metadata'),
        'steps', (SELECT count(*) FROM lead_status_history),
        'bids', (SELECT string_agg(concat_ws(' ', b.status, b.bid_rank), ', ' ORDER BY b.status = 'WON' DESC, b.bid_rank) FROM bids b),
        'strikes', (SELECT sum(strike_count) FROM users),
        'charged', (SELECT sum(amount) FROM conversions),
        'won_by', (SELECT u.full_name FROM contractor_metrics m JOIN users u ON u.id = m.contractor_id WHERE m.total_leads_contacted = 1),
        'market', (SELECT l.status FROM leads l JOIN lead_listings s ON s.lead_id = l.id),
        'segment', (SELECT lead_count FROM segments)) INTO found;
    SELECT found || jsonb_build_object(
        'members', (SELECT jsonb_build_array(l.lead_count, (SELECT count(*) FROM lead_list_members m WHERE m.lead_list_id = l.id), count_leads(s.filter))
                      FROM lead_lists l JOIN segments s ON s.id = l.segment_id),
        'moved', (SELECT jsonb_agg(action_type ORDER BY id) FROM (SELECT a.id, a.action_type FROM activities a JOIN leads l ON l.id = a.lead_id
                   WHERE a.action_type LIKE 'list\_%' ORDER BY a.id DESC LIMIT 2) last),
        'reps', (SELECT jsonb_agg(current_lead_count ORDER BY full_name) FROM users WHERE role = 'rep'),
        'shared', (SELECT count(*) FROM lead_assignments a JOIN leads l ON l.id = a.lead_id AND l.assigned_to = a.to_user_id),
        'alerts', (SELECT count(*) FROM notifications WHERE template_name = 'hot_lead_alert' AND user_id IS NOT NULL),
        'waiting', (SELECT count(*) FROM waiting_leads),
        'nurture', (SELECT concat_ws(' ', status, current_step, executed_steps->0->>'status') FROM lead_sequence_enrollments e JOIN nurture_sequences s ON s.id = e.sequence_id WHERE s.name = 'Price list'),
        'merges', (SELECT jsonb_build_array(count(*), count(unmerged_at)) FROM lead_merges),
        'found_twice', (SELECT count(*) FROM find_duplicate_leads()),
        'missed', (SELECT concat_ws(' ', l.source, e.status, e.cancel_reason, d.reason) FROM leads l JOIN lead_sequence_enrollments e ON e.lead_id = l.id
                     JOIN dnc_list d ON d.phone_number = l.phone_number WHERE l.source = 'missed_call' AND l.do_not_call),
        'ledger', (SELECT string_agg(concat_ws(' ', t.transaction_type, t.amount, t.held_after), ', ' ORDER BY t.sequence)
                     FROM budget_transactions t JOIN budget_accounts a ON a.id = t.account_id WHERE a.user_id IS NULL),
        'whole', (SELECT jsonb_agg(v.ok) FROM budget_accounts a, verify_ledger(a.id) v),
        'balances', (SELECT jsonb_agg(balance ORDER BY balance) FROM budget_accounts),
        'proposals', (SELECT string_agg(concat_ws(' ', to_value, guard, result), ', ' ORDER BY to_value) FROM ai_agent_logs),
        'budget', (SELECT daily_budget FROM ad_campaigns),
        'sources', (SELECT string_agg(concat_ws(' ', source, leads, won, cpl, roi), ', ' ORDER BY source) FROM source_performance('2026-03-01', '2026-03-31')),
        'funnel', (SELECT jsonb_agg(reached ORDER BY position) FROM lead_funnel('2026-03-01', '2026-03-31')),
        'jobs', (SELECT jsonb_build_array(count(*), count(*) FILTER (WHERE state = 'done')) FROM maintenance_runs)) INTO found;
    IF found <> expected THEN
        RAISE EXCEPTION 'the story ended differently'
            USING DETAIL = format('expected %s, found %s', expected, found);
    END IF;
END
$$;
