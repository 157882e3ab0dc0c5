-- What must hold at any time, computed in another way than by the code that keeps it.
-- Each function returns what does not hold, in words.  Called above row level security.

-- Marketplace: states, ranks, windows, strikes, charges.  Leads in the archive took their rows along.
CREATE FUNCTION sim.market_faults(o sim.orgs) RETURNS SETOF text LANGUAGE sql AS $$
    WITH bids AS MATERIALIZED (
        SELECT b.*, l.status AS lead_status, l.deleted_at IS NOT NULL AS is_erased, b.status = 'ACTIVE' AND b.response_window_starts_at IS NOT NULL AS is_open, s.bidding_closed_at, s.pricing, s.charge_on, s.base_lead_cost,
               row_number() OVER (PARTITION BY b.lead_id, b.status = 'CANCELLED' ORDER BY b.rank_amount DESC, b.bid_placed_at, b.rating_at_bid DESC, b.id) AS place,
               lead(b.final_bid_amount) OVER (PARTITION BY b.lead_id, b.status = 'CANCELLED' ORDER BY b.rank_amount DESC, b.bid_placed_at, b.rating_at_bid DESC, b.id) AS next_amount
          FROM lead_system.bids b JOIN lead_system.lead_listings s ON s.organization_id = b.organization_id AND s.lead_id = b.lead_id
          JOIN lead_system.leads l ON l.organization_id = b.organization_id AND l.id = b.lead_id WHERE b.organization_id = o.id
    ), markets AS MATERIALIZED (
        SELECT l.id, l.status, s.bidding_closed_at, s.winner_bid_id, count(b.id) AS bids, count(*) FILTER (WHERE b.is_open) AS open, max(b.bid_rank) FILTER (WHERE b.is_open) AS open_rank,
               count(*) FILTER (WHERE b.status = 'WON') AS won, count(*) FILTER (WHERE b.status = 'ACTIVE') AS active, count(*) FILTER (WHERE b.status IN ('ACTIVE', 'CANCELLED')) AS undecided
          FROM lead_system.leads l JOIN lead_system.lead_listings s ON s.organization_id = o.id AND s.lead_id = l.id LEFT JOIN bids b ON b.lead_id = l.id
         WHERE l.organization_id = o.id AND l.deleted_at IS NULL GROUP BY l.id, l.status, s.bidding_closed_at, s.winner_bid_id
    ), logged AS MATERIALIZED (
        SELECT s.bid_id, s.contractor_id, s.created_at FROM lead_system.strike_logs s WHERE s.organization_id = o.id
        UNION ALL SELECT s.bid_id, s.contractor_id, s.created_at FROM lead_system.leads_archive a CROSS JOIN LATERAL jsonb_populate_recordset(NULL::lead_system.strike_logs, a.children->'strike_logs') s WHERE a.organization_id = o.id
    )
    SELECT 'more than one open window on lead ' || id FROM markets WHERE open > 1
    UNION ALL
    SELECT 'status and windows do not agree: lead ' || id || ' is ' || status FROM markets
     WHERE NOT CASE status WHEN 'CREATED' THEN bids = 0 AND bidding_closed_at IS NULL WHEN 'ACTIVE' THEN undecided = bids AND open = 0 AND bidding_closed_at IS NULL
            WHEN 'CONTACTED' THEN won = 1 AND active = 0 AND winner_bid_id IS NOT NULL WHEN 'EXPIRED' THEN won = 0 AND active = 0 AND winner_bid_id IS NULL AND bidding_closed_at IS NOT NULL
            WHEN 'ARCHIVED' THEN active = 0 ELSE open = 1 AND won = 0 AND status = 'PENDING_RESPONSE_' || open_rank AND bidding_closed_at IS NOT NULL END
    UNION ALL
    SELECT 'rank of bid ' || id FROM bids WHERE lead_status <> 'ARCHIVED' AND bid_rank IS DISTINCT FROM CASE WHEN bidding_closed_at IS NOT NULL AND status <> 'CANCELLED' AND place <= 3 THEN place END
    UNION ALL
    SELECT 'window of bid ' || b.id || ' out of turn' FROM bids b LEFT JOIN bids p ON p.lead_id = b.lead_id AND p.bid_rank = b.bid_rank - 1
     WHERE b.response_window_starts_at IS NOT NULL AND NOT (b.response_window_ends_at = b.response_window_starts_at + interval '2 hours'
           AND CASE b.bid_rank WHEN 1 THEN b.response_window_starts_at = b.bidding_closed_at ELSE p.response_window_starts_at <= b.response_window_starts_at
                AND ((p.status = 'EXPIRED' AND p.response_window_ends_at < b.response_window_starts_at) OR (p.status = 'LOST' AND (p.declined_reason IS NOT NULL OR p.is_erased))) END)
    UNION ALL
    SELECT 'window of bid ' || id || ' has lapsed' FROM bids WHERE is_open AND response_window_ends_at < lead_system.clock_now()
    UNION ALL
    SELECT 'bidding for lead ' || s.lead_id || ' is over' FROM lead_system.lead_listings s JOIN markets m ON m.id = s.lead_id AND m.status = 'ACTIVE' WHERE s.organization_id = o.id AND s.bidding_closes_at <= lead_system.clock_now()
    UNION ALL
    SELECT 'strike and window of bid ' || coalesce(b.id, s.bid_id) FROM (SELECT * FROM bids WHERE status = 'EXPIRED') b FULL JOIN (SELECT * FROM logged x WHERE EXISTS (SELECT FROM bids y WHERE y.id = x.bid_id)) s ON s.bid_id = b.id
     WHERE b.id IS NULL OR s.bid_id IS NULL OR NOT b.strike_applied OR s.contractor_id <> b.contractor_id
    UNION ALL
    SELECT 'strikes of ' || u.full_name || ': ' || u.strike_count || ', and ' || x.n FROM lead_system.users u
     CROSS JOIN LATERAL (SELECT count(*) AS n FROM logged s WHERE s.contractor_id = u.id AND (u.strikes_reset_at IS NULL OR s.created_at >= u.strikes_reset_at)) x
     WHERE u.organization_id = o.id AND u.is_contractor AND x.n <> u.strike_count AND NOT EXISTS (SELECT FROM logged s WHERE s.contractor_id = u.id AND s.created_at = u.strikes_reset_at)
    UNION ALL
    SELECT u.full_name || ' is banned, and should not be' FROM lead_system.users u WHERE u.organization_id = o.id AND u.is_bidding_banned AND u.bidding_ban_until <= lead_system.clock_now()
    UNION ALL
    SELECT 'charge of bid ' || id FROM bids WHERE charge_amount IS DISTINCT FROM CASE WHEN bid_rank IS NULL THEN NULL WHEN pricing = 'first' THEN final_bid_amount
           ELSE least(final_bid_amount, coalesce(next_amount, round(0.5 * base_lead_cost * discount_multiplier, 2))) END
    UNION ALL
    SELECT 'money of bid ' || coalesce(b.id, m.bid_id) FROM (SELECT id, charge_amount FROM bids WHERE CASE charge_on WHEN 'win' THEN response_window_starts_at IS NOT NULL ELSE status = 'WON' END) b
      FULL JOIN (SELECT c.bid_id, c.amount FROM lead_system.conversions c WHERE c.organization_id = o.id AND c.amount IS NOT NULL AND EXISTS (SELECT FROM bids x WHERE x.id = c.bid_id)) m ON m.bid_id = b.id
     WHERE b.id IS NULL OR m.bid_id IS NULL OR m.amount <> b.charge_amount
    UNION ALL
    SELECT 'conversion ' || c.id || ' is not in the ledger once' FROM lead_system.conversions c WHERE c.organization_id = o.id AND c.amount > 0
       AND (SELECT count(*) FROM lead_system.budget_transactions t WHERE t.organization_id = o.id AND t.user_id = c.contractor_id AND t.amount = -c.amount AND t.reference->>'bid_id' = c.bid_id::text) <> 1
$$;

-- Ledger: each account, in itself and against what was charged.
CREATE FUNCTION sim.ledger_faults(o sim.orgs) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'ledger of account ' || a.id || ': ' || coalesce(v.detail, '') FROM lead_system.budget_accounts a CROSS JOIN LATERAL lead_system.verify_ledger(a.id) v WHERE a.organization_id = o.id AND NOT v.ok
    UNION ALL
    SELECT 'sums of account ' || a.id FROM lead_system.budget_accounts a
     CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS balance, coalesce(sum(held_change), 0) AS held, count(*) AS n, coalesce(max(sequence), 0) AS last, coalesce(bool_or(balance_after < held_after OR held_after < 0), false) AS below
                           FROM lead_system.budget_transactions t WHERE t.organization_id = o.id AND t.account_id = a.id) t
     CROSS JOIN LATERAL (SELECT coalesce(sum(h.amount), 0) AS held FROM lead_system.budget_holds h WHERE h.organization_id = o.id AND h.account_id = a.id AND h.status = 'held') h
     WHERE a.organization_id = o.id AND ((a.balance, a.held, a.last_sequence, t.n, h.held) IS DISTINCT FROM (t.balance, t.held, t.last, t.last, t.held) OR (t.below AND NOT a.allow_overdraft AND a.user_id IS NULL))
    UNION ALL
    SELECT 'refunds of ' || t.id FROM lead_system.budget_transactions t JOIN lead_system.budget_transactions r ON r.organization_id = o.id AND r.refund_of = t.id
     WHERE t.organization_id = o.id GROUP BY t.id, t.amount HAVING count(*) > 1 OR sum(r.amount) > -t.amount
    UNION ALL
    SELECT 'hold ' || id || ' has expired' FROM lead_system.budget_holds WHERE organization_id = o.id AND status = 'held' AND expires_at <= lead_system.clock_now()
    UNION ALL
    SELECT 'call ' || t.call_id || ' was paid for more than once' FROM lead_system.budget_transactions t WHERE t.organization_id = o.id AND t.call_id IS NOT NULL AND t.amount < 0 GROUP BY t.call_id HAVING count(*) > 1 OR sum(t.amount) <> -0.25
    UNION ALL
    SELECT 'call ' || c.id || ' was paid for, and failed' FROM lead_system.call_logs c JOIN lead_system.budget_transactions t ON t.organization_id = o.id AND t.call_id = c.id AND t.amount < 0 WHERE c.organization_id = o.id AND c.outcome = 'failed'
$$;

-- Counts that triggers keep.
CREATE FUNCTION sim.count_faults(o sim.orgs) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'counters of ' || n || ' users' FROM lead_system.recount_user_counters() n WHERE n <> 0
    UNION ALL
    SELECT 'leads of ' || u.full_name FROM lead_system.users u WHERE u.organization_id = o.id AND u.current_lead_count <> (SELECT count(*) FROM lead_system.leads l WHERE l.organization_id = o.id AND l.assigned_to = u.id
       AND l.deleted_at IS NULL AND NOT l.is_spam AND l.stage IN ('new', 'working', 'contacted', 'qualified'))
    UNION ALL
    SELECT 'leads of list ' || s.name FROM lead_system.lead_lists s WHERE s.organization_id = o.id AND s.list_type <> 'dynamic'
       AND s.lead_count <> (SELECT count(*) FROM lead_system.lead_list_members m WHERE m.organization_id = o.id AND m.lead_list_id = s.id)
    UNION ALL
    SELECT 'counts of list ' || a.lead_list_id || ' in campaign ' || a.campaign_id FROM lead_system.campaign_lead_lists a
     CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE status IN ('contacted', 'converted')) AS reached, count(*) FILTER (WHERE status = 'converted') AS won,
                                count(*) FILTER (WHERE status = 'calling' OR status IN ('new', 'queued') AND is_dialable) AS open
                           FROM lead_system.campaign_leads c WHERE c.organization_id = o.id AND c.campaign_id = a.campaign_id AND c.lead_list_id = a.lead_list_id) c
     WHERE a.organization_id = o.id AND (a.total_leads, a.contacted_leads, a.successful_leads, a.open_leads) IS DISTINCT FROM (c.n, c.reached, c.won, c.open)
    UNION ALL
    SELECT 'counts of sequence ' || s.name FROM lead_system.nurture_sequences s WHERE s.organization_id = o.id AND (s.active_enrollments) IS DISTINCT FROM
           (SELECT count(*) FROM lead_system.lead_sequence_enrollments e WHERE e.organization_id = o.id AND e.sequence_id = s.id AND e.status = 'active')
    UNION ALL
    SELECT 'count of segment ' || s.name FROM lead_system.segments s
     WHERE s.organization_id = o.id AND lead_system.refresh_segment_count(s.id) IS DISTINCT FROM (SELECT count(*) FROM lead_system.segment_leads(s.id))
    UNION ALL
    SELECT 'segment ' || s.name || ' and plain SQL' FROM lead_system.segments s WHERE s.organization_id = o.id AND (SELECT count(*) FROM lead_system.segment_leads(s.id)) <> (SELECT count(*) FROM lead_system.leads l WHERE l.organization_id = o.id AND l.deleted_at IS NULL
       AND CASE s.name WHEN 'warm' THEN l.temperature IN ('warm', 'hot') AND NOT l.do_not_call WHEN 'called' THEN l.call_count >= 1
            ELSE l.created_at >= lead_system.clock_now() - interval '2 days' AND l.tags && '{fair}' END)
    UNION ALL
    SELECT 'lead ' || x.lead_id || ' and smart list ' || s.name FROM lead_system.lead_lists s
     CROSS JOIN LATERAL (SELECT lead_id FROM (SELECT m.lead_id FROM lead_system.lead_list_members m WHERE m.organization_id = o.id AND m.lead_list_id = s.id
                         UNION ALL SELECT g.lead_id FROM lead_system.segment_leads(s.segment_id) g) y GROUP BY lead_id HAVING count(*) <> 2) x
     WHERE s.organization_id = o.id AND s.list_type = 'smart'
    UNION ALL
    SELECT 'lead ' || l.id || ' waits, and is assigned or closed' FROM lead_system.waiting_leads w JOIN lead_system.leads l ON l.organization_id = o.id AND l.id = w.lead_id
     WHERE w.organization_id = o.id AND (l.assigned_to IS NOT NULL OR l.deleted_at IS NOT NULL OR l.is_spam OR l.stage NOT IN ('new', 'working', 'contacted', 'qualified'))
$$;

-- Queues: claims with a lease, nobody and nothing twice.
CREATE FUNCTION sim.queue_faults(o sim.orgs) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'row ' || id || ' of a campaign is ' || status || ' with a lease until ' || coalesce(lease_until::text, 'never') FROM lead_system.campaign_leads WHERE organization_id = o.id AND (status = 'calling') <> (lease_until IS NOT NULL)
    UNION ALL
    SELECT 'lead ' || lead_id || ' is twice in a campaign' FROM lead_system.campaign_leads WHERE organization_id = o.id GROUP BY campaign_id, lead_id HAVING count(*) > 1
    UNION ALL
    SELECT 'row ' || c.id || ' was called too often' FROM lead_system.campaign_leads c JOIN lead_system.campaigns p ON p.organization_id = o.id AND p.id = c.campaign_id
     WHERE c.organization_id = o.id AND c.attempts > p.max_attempts AND c.status IN ('new', 'queued') AND c.outcome IS DISTINCT FROM 'callback' AND c.contacted_at IS NULL
    UNION ALL
    SELECT 'lead ' || lead_id || ' is called by two campaigns' FROM lead_system.campaign_leads WHERE organization_id = o.id AND status = 'calling' AND lease_until > lead_system.clock_now() GROUP BY lead_id HAVING count(*) > 1
    UNION ALL
    SELECT 'lead ' || c.lead_id || ' is open in a campaign, and not to be called' FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.organization_id = o.id AND l.id = c.lead_id
     WHERE c.organization_id = o.id AND c.status IN ('new', 'queued') AND c.is_dialable AND (l.do_not_call OR l.deleted_at IS NOT NULL OR l.is_spam)
    UNION ALL
    SELECT 'lead ' || lead_id || ' is twice in a sequence' FROM lead_system.lead_sequence_enrollments WHERE organization_id = o.id AND status IN ('active', 'paused') GROUP BY lead_id, sequence_id HAVING count(*) > 1
    UNION ALL
    SELECT 'enrolment ' || id || ' is ' || step_state || ' with a lease until ' || coalesce(lease_until::text, 'never') FROM lead_system.lead_sequence_enrollments
     WHERE organization_id = o.id AND ((step_state = 'claimed' AND (lease_until IS NULL OR lease_until <= lead_system.clock_now())) OR (step_state = 'scheduled' AND lease_until IS NOT NULL))
    UNION ALL
    SELECT 'enrolment ' || id || ' is live, and its lead closed or gone' FROM lead_system.lead_sequence_enrollments e WHERE e.organization_id = o.id AND e.status = 'active'
       AND EXISTS (SELECT FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = e.lead_id AND (l.deleted_at IS NOT NULL OR l.is_spam))
    UNION ALL
    SELECT 'step ' || s.step || ' of enrolment ' || s.enrollment_id || ' was carried out ' || s.times || ' times' FROM sim.steps s JOIN lead_system.lead_sequence_enrollments e ON e.organization_id = o.id AND e.id = s.enrollment_id WHERE s.times > 1
    UNION ALL
    SELECT 'notification ' || id || ' is ' || status FROM lead_system.notifications WHERE organization_id = o.id AND ((status = 'sending') <> (lease_until IS NOT NULL) OR (status = 'sent') <> (sent_at IS NOT NULL))
    UNION ALL
    SELECT 'notification ' || s.id || ' was sent, and is ' || n.status FROM sim.sent s JOIN lead_system.notifications n ON n.organization_id = o.id AND n.id = s.id WHERE n.status <> 'sent'
$$;

-- Do-not-call: nothing goes out to who is listed; the marks of leads follow the list.
CREATE FUNCTION sim.dnc_faults(o sim.orgs) RETURNS SETOF text LANGUAGE sql AS $$
    WITH outbound AS (
        SELECT c.called_phone AS phone, c.created_at FROM lead_system.call_logs c WHERE c.organization_id = o.id AND c.direction = 'outbound'
        UNION ALL SELECT s.to_phone, s.created_at FROM lead_system.sms_logs s WHERE s.organization_id = o.id AND s.direction = 'outbound'
    ), periods AS (
        SELECT a.phone_number AS phone, a.action, a.created_at AS since, least(coalesce(a.expires_at, 'infinity'), lead(a.created_at, 1, 'infinity') OVER w) AS until
          FROM lead_system.dnc_audit_log a WHERE a.organization_id = o.id AND a.action IN ('added', 'extended', 'repeated', 'removed', 'overridden') WINDOW w AS (PARTITION BY a.phone_number ORDER BY a.created_at, a.id)
    )
    SELECT 'something went out to ' || u.phone || ' at ' || u.created_at FROM outbound u JOIN periods p ON p.phone = u.phone AND p.action IN ('added', 'extended', 'repeated') AND u.created_at > p.since AND u.created_at < p.until
    UNION ALL
    SELECT 'lead ' || l.id || ' is listed, and not marked' FROM lead_system.leads l WHERE l.organization_id = o.id AND l.deleted_at IS NULL AND NOT l.do_not_call
       AND EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = o.id AND d.phone_number = l.phone_number AND (d.expires_at IS NULL OR d.expires_at > lead_system.clock_now()))
    UNION ALL
    SELECT 'lead ' || l.id || ' is marked as listed, and is not' FROM lead_system.leads l WHERE l.organization_id = o.id AND l.deleted_at IS NULL AND l.do_not_call AND l.calling_blocked_reason = 'dnc_list'
       AND NOT EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = o.id AND d.phone_number = l.phone_number)
    UNION ALL
    SELECT 'the look-up does not know ' || d.phone_number FROM lead_system.dnc_list d WHERE d.organization_id = o.id AND (d.expires_at IS NULL OR d.expires_at > lead_system.clock_now()) AND NOT lead_system.is_on_dnc_list(d.phone_number, o.id)
    UNION ALL
    SELECT 'two live leads have ' || phone_number FROM lead_system.leads WHERE organization_id = o.id AND deleted_at IS NULL AND phone_number IS NOT NULL GROUP BY phone_number HAVING count(*) > 1
    UNION ALL
    SELECT 'audit of the do-not-call list' FROM lead_system.verify_dnc_audit() v WHERE NOT v.ok
$$;

-- Snapshots of all days, taken again, and the same by plain SQL over leads and archive.
CREATE FUNCTION sim.snapshot_faults(o sim.orgs) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    last date := (lead_system.clock_now() AT TIME ZONE 'UTC')::date - 2;
    zone text := (SELECT CASE WHEN o.n % 2 = 0 THEN 'UTC' ELSE g.timezone END FROM lead_system.organizations g WHERE g.id = o.id);
BEGIN
    PERFORM lead_system.take_analytics_snapshot(day::date) FROM generate_series(last - 9, last, interval '1 day') day;
    RETURN QUERY
    WITH l AS (
        SELECT id, created_at, temperature, lead_score, is_spam, deleted_at, stage, contacted_at FROM lead_system.leads WHERE organization_id = o.id
        UNION ALL SELECT r.id, r.created_at, r.temperature, r.lead_score, r.is_spam, r.deleted_at, r.stage, r.contacted_at
          FROM lead_system.leads_archive a CROSS JOIN LATERAL jsonb_populate_record(NULL::lead_system.leads, a.lead) r WHERE a.organization_id = o.id
    ), plain AS (
        SELECT (created_at AT TIME ZONE zone)::date AS day, count(*) AS n, count(*) FILTER (WHERE temperature = 'hot') AS hot, count(*) FILTER (WHERE temperature = 'warm') AS warm,
               count(*) FILTER (WHERE temperature = 'cold') AS cold, count(*) FILTER (WHERE stage = 'lost') AS lost, round(avg(lead_score), 2) AS score
          FROM l WHERE NOT is_spam AND (deleted_at IS NULL OR EXISTS (SELECT FROM lead_system.erasures e WHERE e.organization_id = o.id AND e.subject_id = l.id)) GROUP BY 1
    )
    SELECT format('snapshot of %s: %s, and %s', s.snapshot_date, (s.total_leads, s.hot_leads, s.warm_leads, s.cold_leads, s.leads_disqualified, s.avg_lead_score), (p.n, p.hot, p.warm, p.cold, p.lost, p.score))
      FROM lead_system.analytics_snapshots s LEFT JOIN plain p ON p.day = s.snapshot_date
     WHERE s.organization_id = o.id AND s.snapshot_date BETWEEN last - 9 AND last
       AND (s.total_leads, s.hot_leads, s.warm_leads, s.cold_leads, s.leads_disqualified, coalesce(s.avg_lead_score, 0)) IS DISTINCT FROM (coalesce(p.n, 0), coalesce(p.hot, 0), coalesce(p.warm, 0), coalesce(p.cold, 0), coalesce(p.lost, 0), coalesce(p.score, 0));
END
$$;

-- All of it, in all organizations; what time decides is made due before.
CREATE PROCEDURE sim.check_all() LANGUAGE plpgsql AS $$
DECLARE
    o sim.orgs;
    faults text[] := '{}';
BEGIN
    CALL lead_system.run_maintenance('{refresh_smart_lists,release_expired_dnc_blocks,release_lapsed_steps,close_due_bidding,expire_response_windows,lift_expired_bans,release_expired_holds}');
    FOR o IN SELECT * FROM sim.orgs ORDER BY n LOOP
        PERFORM pg_catalog.set_config('app.current_org_id', o.id::text, true);
        faults := faults || ARRAY(SELECT o.pipeline || ': ' || f FROM (SELECT * FROM sim.market_faults(o) UNION ALL SELECT * FROM sim.ledger_faults(o) UNION ALL SELECT * FROM sim.count_faults(o)
            UNION ALL SELECT * FROM sim.queue_faults(o) UNION ALL SELECT * FROM sim.dnc_faults(o) UNION ALL SELECT * FROM sim.ad_faults(o) UNION ALL SELECT * FROM sim.snapshot_faults(o)) x(f) LIMIT 20);
        COMMIT;
    END LOOP;
    faults := faults || ARRAY(SELECT 'maintenance: ' || job || ' ' || state || ' ' || coalesce(error, '') || ' ' || rows FROM lead_system.maintenance_runs
        WHERE error IS NOT NULL OR state NOT IN ('done', 'continues') OR (rows > 0 AND job ~ '^(recount|verify)') LIMIT 10);
    PERFORM pg_catalog.set_config('role', 'sim_app', true), pg_catalog.set_config('app.current_org_id', (SELECT id::text FROM sim.orgs WHERE n = 1), true);
    faults := faults || ARRAY(SELECT 'leaked by ' || table_name || ': ' || leaked FROM lead_system.rls_selftest() WHERE leaked > 0);
    COMMIT;
    faults := faults || ARRAY(SELECT 'health: ' || check_name || ' ' || coalesce(detail, '') FROM lead_system.health_check() WHERE NOT ok);
    IF faults <> '{}' THEN
        RAISE EXCEPTION 'at % does not hold:%', lead_system.clock_now(), E'\n' || array_to_string(faults, E'\n');
    END IF;
    PERFORM sim.note('everything checked');
END
$$;
