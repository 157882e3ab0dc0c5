-- Did the story come out as told?  The files are the same every time, so every
-- count is known.
\set ON_ERROR_STOP on
SET search_path = lead_system, public;
DO $$
DECLARE
    expected CONSTANT jsonb := '{"rows": 22212, "new": 20000, "updated": 2000, "duplicates": 200, "rejected": 12,
        "errors": 12, "leads": 20002, "unscored": 0, "listed": 1981, "blocked": 401, "queued": 20000, "owned": [8000, 12000],
        "scrubbed": 401, "calling": 9, "contacted": 1, "calls": 1, "status": "Qualified", "audited": 6, "steps": 8,
        "bids": "WON 3, EXPIRED 1, LOST 2, LOST", "strikes": 1, "charged": 85.50, "won_by": "Ben", "market": "CONTACTED",
        "segment": 189, "members": [189, 189, 189], "moved": ["list_entered", "list_left"], "reps": [80, 60, 40], "shared": 180, "alerts": 180,
        "waiting": 9, "nurture": "active 2 completed", "merges": [1, 1], "duplicates": 1}';
    found jsonb;
BEGIN
    SELECT jsonb_build_object('rows', sum(row_count), 'new', sum(inserted_count), 'updated', sum(updated_count),
               'duplicates', sum(duplicate_count), 'rejected', sum(rejected_count))
      INTO found FROM lead_imports;
    SELECT found || jsonb_build_object(
        'errors', (SELECT count(*) FROM lead_import_errors),
        'leads', (SELECT count(*) FROM leads),
        'unscored', (SELECT count(*) FROM leads WHERE source <> 'referral' AND (temperature = 'unrated' OR raw_score < 18)),
        'listed', (SELECT count(*) FROM dnc_list),
        'blocked', (SELECT count(*) FROM leads WHERE do_not_call),
        'queued', (SELECT count(*) FROM campaign_leads),
        'owned', (SELECT jsonb_agg(total_leads ORDER BY priority) FROM campaign_lead_lists),
        'scrubbed', (SELECT count(*) FROM campaign_leads WHERE status = 'dnc'),
        'calling', (SELECT count(*) FROM campaign_leads WHERE status = 'calling'),
        'contacted', (SELECT count(*) FROM campaign_leads WHERE status = 'contacted' AND attempts = 1),
        'calls', (SELECT count(*) FROM call_logs WHERE duration = 184),
        'status', (SELECT l.status FROM leads l JOIN call_logs c ON c.lead_id = l.id),
        'audited', (SELECT count(*) FROM lead_audit_log a JOIN call_logs c ON c.lead_id = a.lead_id WHERE field_name <> 'metadata'),
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
        'nurture', (SELECT concat_ws(' ', status, current_step, executed_steps->0->>'status') FROM lead_sequence_enrollments),
        'merges', (SELECT jsonb_build_array(count(*), count(unmerged_at)) FROM lead_merges),
        'duplicates', (SELECT count(*) FROM find_duplicate_leads())) INTO found;
    IF found <> expected THEN
        RAISE EXCEPTION 'the story ended differently'
            USING DETAIL = format('expected %s, found %s', expected, found);
    END IF;
END
$$;
