-- The marketplace as a good developer would write it in PL/pgSQL, and the
-- markets that are measured: an organization of its own, with 10,140
-- contractors, and 10,000 leads to close and to sweep in every round.
\set ON_ERROR_STOP on
RESET ROLE;
SET client_min_messages = warning;
SELECT lead_system.create_organization('Marketplace', 'marketplace') AS market \gset
SET app.current_org_id = :'market';
CREATE TABLE bench.market AS SELECT :'market'::uuid AS id;
GRANT SELECT ON bench.market TO bench_app;
INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor, profile_rating)
SELECT :'market', 'Contractor ' || g, 'contractor' || g || '@example.com', 'contractor', true, (ARRAY[0, 4.00, 4.50, 4.80])[1 + g % 4]
  FROM generate_series(1, 10140) g;
CALL bench.copy_table('users', 'users', true);
CALL bench.copy_table('lead_listings', 'lead_listings', false);
CALL bench.copy_table('bids', 'bids', false);
CALL bench.copy_table('bids', 'ranked_bids', false);
CALL bench.copy_table('strike_logs', 'strike_logs', false);
CALL bench.copy_table('contractor_metrics', 'contractor_metrics', false);
CALL bench.copy_table('lead_status_history', 'lead_status_history', false);
-- Where a trigger ranks all bids, there are more than three ranks, which
-- change places one after the other.
ALTER TABLE bench.ranked_bids DROP CONSTRAINT bids_bid_rank_check;
DROP INDEX bench.ranked_bids_organization_id_lead_id_bid_rank_idx;
CREATE INDEX ON bench.ranked_bids (organization_id, lead_id, bid_rank);
-- LIKE has left out how these are generated.
ALTER TABLE bench.contractor_metrics DROP COLUMN contact_rate, DROP COLUMN avg_time_to_contact_minutes;
ALTER TABLE bench.contractor_metrics ADD COLUMN contact_rate numeric(3,2) NOT NULL GENERATED ALWAYS AS
    (CASE WHEN total_leads_won > 0 THEN round(total_leads_contacted::numeric / total_leads_won, 2) ELSE 0 END) STORED;
CREATE INDEX ON bench.contractor_metrics (organization_id, contact_rate DESC);
CREATE TABLE bench.contractors AS
SELECT substring(full_name FROM '\d+$')::integer AS n, id FROM lead_system.users WHERE organization_id = :'market';
CREATE UNIQUE INDEX ON bench.contractors (n);
CREATE TABLE bench.lots (round integer, kind text, n integer, id uuid DEFAULT lead_system.uuid_v7(), PRIMARY KEY (round, kind, n));
ALTER TABLE bench.contractors OWNER TO bench_app;
ALTER TABLE bench.lots OWNER TO bench_app;
ANALYZE bench.contractors, bench.users, lead_system.users;
-- The clock is the superuser's to set.
CREATE FUNCTION bench.set_clock(at timestamptz) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$ SELECT set_config('lead_system.now', coalesce(at::text, ''), false) $$;
SET ROLE bench_app;
SET search_path = bench;

-- A lead goes on to a status.
CREATE FUNCTION bench.move(p_lead uuid, p_status text, p_trigger text, p_reason text) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    t CONSTANT timestamptz := lead_system.clock_now();
    before record;
    s record;
BEGIN
    SELECT l.pipeline_id, l.status, l.stage, l.status_changed_at INTO before FROM bench.leads l WHERE l.organization_id = org AND l.id = p_lead;
    SELECT p.stage, p.pipeline_stage INTO s FROM lead_system.pipeline_statuses p WHERE p.pipeline_id = before.pipeline_id AND p.status = p_status;
    UPDATE bench.leads SET status = p_status, stage = s.stage, pipeline_stage = s.pipeline_stage, status_changed_at = t
     WHERE organization_id = org AND id = p_lead;
    INSERT INTO bench.lead_status_history (organization_id, lead_id, old_status, new_status, old_stage, new_stage, time_in_status,
        trigger_type, reason, changed_by, created_at)
    VALUES (org, p_lead, before.status, p_status, before.stage, s.stage, t - before.status_changed_at, p_trigger, p_reason,
        lead_system.current_user_id(), t);
    INSERT INTO bench.activities (organization_id, lead_id, user_id, action_type, old_value, new_value, description, created_at)
    VALUES (org, p_lead, lead_system.current_user_id(), 'status_changed', jsonb_build_object('status', before.status),
        jsonb_build_object('status', p_status), format('Changed status from %s to %s', before.status, p_status), t);
END
$$;

-- A bid gets its window.
CREATE FUNCTION bench.open_window(p_bid bench.bids, p_rank integer) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    t CONSTANT timestamptz := lead_system.clock_now();
    rate numeric;
BEGIN
    UPDATE bench.bids SET response_window_starts_at = t, response_window_ends_at = t + interval '2 hours'
     WHERE organization_id = org AND id = p_bid.id;
    UPDATE bench.contractor_metrics SET total_leads_won = total_leads_won + 1
     WHERE organization_id = org AND contractor_id = p_bid.contractor_id RETURNING contact_rate INTO rate;
    UPDATE bench.users SET response_rate = rate WHERE organization_id = org AND id = p_bid.contractor_id AND response_rate <> rate;
    INSERT INTO bench.activities (organization_id, lead_id, user_id, action_type, new_value, description, created_at)
    VALUES (org, p_bid.lead_id, lead_system.current_user_id(), 'window_opened',
        jsonb_build_object('bid_id', p_bid.id, 'contractor_id', p_bid.contractor_id, 'rank', p_rank),
        'Response window until ' || to_char(t + interval '2 hours', 'YYYY-MM-DD HH24:MI:SS') || '+00', t);
END
$$;

CREATE FUNCTION bench.close_due(p_batch integer) RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    t CONSTANT timestamptz := lead_system.clock_now();
    listing bench.lead_listings;
    best bench.bids;
    closed integer := 0;
BEGIN
    FOR listing IN SELECT s.* FROM bench.lead_listings s
         WHERE s.organization_id = org AND s.bidding_opens_at IS NOT NULL AND s.bidding_closed_at IS NULL AND s.bidding_closes_at <= t
         ORDER BY s.bidding_closes_at LIMIT p_batch FOR NO KEY UPDATE SKIP LOCKED LOOP
        UPDATE bench.lead_listings SET bidding_closed_at = t, updated_at = t WHERE organization_id = org AND lead_id = listing.lead_id;
        UPDATE bench.bids b SET bid_rank = r.place, charge_amount = b.final_bid_amount
          FROM (SELECT x.id, row_number() OVER () AS place FROM (SELECT id FROM bench.bids
                 WHERE organization_id = org AND lead_id = listing.lead_id AND status = 'ACTIVE'
                 ORDER BY rank_amount DESC, bid_placed_at, rating_at_bid DESC, id LIMIT 3) x) r
         WHERE b.organization_id = org AND b.id = r.id;
        UPDATE bench.bids SET status = 'LOST'
         WHERE organization_id = org AND lead_id = listing.lead_id AND status = 'ACTIVE' AND bid_rank IS NULL;
        PERFORM bench.move(listing.lead_id, 'BIDDING_CLOSED', 'automation', 'bidding is over');
        SELECT * INTO best FROM bench.bids WHERE organization_id = org AND lead_id = listing.lead_id AND bid_rank = 1;
        IF FOUND THEN
            PERFORM bench.move(listing.lead_id, 'PENDING_RESPONSE_1', 'automation', 'window of rank 1');
            PERFORM bench.open_window(best, 1);
        ELSE
            PERFORM bench.move(listing.lead_id, 'EXPIRED', 'automation', 'no bids');
        END IF;
        closed := closed + 1;
    END LOOP;
    RETURN closed;
END
$$;

CREATE FUNCTION bench.expire_windows(p_batch integer) RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    t CONSTANT timestamptz := lead_system.clock_now();
    lapsed bench.bids;
    next bench.bids;
    strikes integer;
    ban boolean;
    ended integer := 0;
BEGIN
    FOR lapsed IN SELECT b.* FROM bench.bids b JOIN bench.leads l ON l.organization_id = org AND l.id = b.lead_id
         WHERE b.organization_id = org AND b.status = 'ACTIVE' AND b.response_window_starts_at IS NOT NULL AND b.response_window_ends_at < t
         ORDER BY b.response_window_ends_at, b.id LIMIT p_batch FOR NO KEY UPDATE OF l SKIP LOCKED LOOP
        UPDATE bench.bids SET status = 'EXPIRED', strike_applied = true
         WHERE organization_id = org AND id = lapsed.id AND status = 'ACTIVE' AND NOT strike_applied;
        CONTINUE WHEN NOT FOUND;
        SELECT CASE WHEN is_bidding_banned AND bidding_ban_until <= t THEN 1 ELSE strike_count + 1 END,
               NOT (is_bidding_banned AND bidding_ban_until > t) INTO strikes, ban
          FROM bench.users WHERE organization_id = org AND id = lapsed.contractor_id FOR NO KEY UPDATE;
        ban := ban AND strikes >= 10;
        UPDATE bench.users SET strike_count = strikes, is_bidding_banned = ban OR (is_bidding_banned AND bidding_ban_until > t),
               bidding_ban_until = CASE WHEN ban THEN t + interval '30 days' WHEN bidding_ban_until > t THEN bidding_ban_until END
         WHERE organization_id = org AND id = lapsed.contractor_id;
        INSERT INTO bench.strike_logs (organization_id, contractor_id, lead_id, bid_id, strike_reason, strike_count_after, ban_triggered, created_at)
        VALUES (org, lapsed.contractor_id, lapsed.lead_id, lapsed.id, 'response_window_expired', strikes, ban, t);
        INSERT INTO bench.activities (organization_id, lead_id, user_id, action_type, new_value, description, created_at)
        VALUES (org, lapsed.lead_id, lead_system.current_user_id(), 'strike_applied', jsonb_build_object('bid_id', lapsed.id,
            'contractor_id', lapsed.contractor_id, 'strike_count', strikes), 'Response window expired', t);
        IF ban THEN
            INSERT INTO bench.activities (organization_id, lead_id, user_id, action_type, new_value, description, created_at)
            VALUES (org, lapsed.lead_id, lead_system.current_user_id(), 'contractor_banned',
                jsonb_build_object('contractor_id', lapsed.contractor_id), format('Banned from bidding after %s strikes', strikes), t);
        END IF;
        SELECT * INTO next FROM bench.bids
         WHERE organization_id = org AND lead_id = lapsed.lead_id AND bid_rank > lapsed.bid_rank AND status = 'ACTIVE' ORDER BY bid_rank LIMIT 1;
        IF FOUND THEN
            PERFORM bench.move(lapsed.lead_id, 'PENDING_RESPONSE_' || next.bid_rank, 'automation', 'response window expired');
            PERFORM bench.open_window(next, next.bid_rank);
        ELSE
            PERFORM bench.move(lapsed.lead_id, 'EXPIRED', 'automation', 'response window expired');
        END IF;
        ended := ended + 1;
    END LOOP;
    RETURN ended;
END
$$;

-- A bid: the rules of who may, the amount, the metrics; a trigger ranks all bids of the lead again.
CREATE FUNCTION bench.place_bid(p_lead uuid, p_contractor uuid, p_multiplier numeric) RETURNS uuid
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    t CONSTANT timestamptz := lead_system.clock_now();
    l record;
    s bench.lead_listings;
    u bench.users;
    amount numeric;
    bid uuid;
BEGIN
    SELECT x.status, x.category_id, x.zip_code INTO l FROM bench.leads x WHERE x.organization_id = org AND x.id = p_lead FOR SHARE;
    SELECT * INTO s FROM bench.lead_listings WHERE organization_id = org AND lead_id = p_lead;
    IF l.status <> 'ACTIVE' OR t >= s.bidding_closes_at THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'bidding is not open';
    END IF;
    SELECT * INTO u FROM bench.users WHERE organization_id = org AND id = p_contractor;
    IF NOT u.is_contractor OR NOT u.is_active OR (u.is_bidding_banned AND u.bidding_ban_until > t)
        OR (cardinality(u.contractor_categories) > 0 AND l.category_id <> ALL (u.contractor_categories))
        OR (cardinality(u.service_area_zip_codes) > 0 AND l.zip_code <> ALL (u.service_area_zip_codes)) THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'the contractor may not bid for this lead';
    END IF;
    amount := round(s.base_lead_cost * p_multiplier * u.lead_discount_multiplier, 2);
    INSERT INTO bench.ranked_bids (organization_id, lead_id, contractor_id, bid_multiplier, discount_multiplier, final_bid_amount, rank_amount,
        rating_at_bid, bid_placed_at)
    VALUES (org, p_lead, p_contractor, p_multiplier, u.lead_discount_multiplier, amount, amount, u.profile_rating, t) RETURNING id INTO bid;
    INSERT INTO bench.contractor_metrics AS m (organization_id, contractor_id, total_bids_placed) VALUES (org, p_contractor, 1)
    ON CONFLICT (organization_id, contractor_id) DO UPDATE SET total_bids_placed = m.total_bids_placed + 1;
    RETURN bid;
END
$$;
CREATE FUNCTION bench.rerank() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE bench.ranked_bids b SET bid_rank = r.place
      FROM (SELECT id, row_number() OVER (ORDER BY rank_amount DESC, bid_placed_at, rating_at_bid DESC, id) AS place
              FROM bench.ranked_bids WHERE organization_id = NEW.organization_id AND lead_id = NEW.lead_id AND status = 'ACTIVE') r
     WHERE b.organization_id = NEW.organization_id AND b.id = r.id AND b.bid_rank IS DISTINCT FROM r.place;
    RETURN NULL;
END
$$;
CREATE TRIGGER ranked_bids_rerank AFTER INSERT ON bench.ranked_bids FOR EACH ROW EXECUTE FUNCTION bench.rerank();

-- The same leads, listings and bids for both, before the round's cases.  Of the
-- leads to close one in ten has no bid, the others one to five.
CREATE FUNCTION bench.prepare_market(p_round integer) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := (SELECT id FROM bench.market);
    t CONSTANT timestamptz := '2026-03-02 00:00:00+00'::timestamptz + interval '1 day' * p_round;
BEGIN
    PERFORM set_config('app.current_org_id', org::text, true), set_config('TimeZone', 'UTC', true), bench.set_clock(t);
    IF EXISTS (SELECT FROM bench.lots WHERE round = p_round) THEN
        RETURN;
    END IF;
    INSERT INTO bench.lots SELECT p_round, 'close', g FROM generate_series(1, 10000) g
     UNION ALL SELECT p_round, 'small', g FROM generate_series(1, 50) g UNION ALL SELECT p_round, 'large', 1
     UNION ALL SELECT p_round, 'warm', g FROM generate_series(1, 20) g;
    ANALYZE bench.lots;
    INSERT INTO lead_system.leads (organization_id, id, title, is_qualified)
    SELECT org, id, format('%s %s of round %s', kind, n, p_round), true FROM bench.lots WHERE round = p_round;
    INSERT INTO lead_system.lead_listings (organization_id, lead_id, base_lead_cost, bidding_closes_at)
    SELECT org, id, 10 + n % 90, CASE kind WHEN 'close' THEN t + interval '30 minutes' ELSE t + interval '1 year' END FROM bench.lots WHERE round = p_round;
    INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier)
    SELECT org, l.id, c.id, 0.50 + (hashint8(l.n::bigint * 31 + b) & 127) / 100.0
      FROM bench.lots l
     CROSS JOIN LATERAL generate_series(1, CASE kind WHEN 'close' THEN CASE WHEN l.n % 10 = 0 THEN 0 ELSE 1 + l.n % 5 END WHEN 'large' THEN 10000 ELSE 10 END) b
      JOIN bench.contractors c ON c.n = 1 + (l.n * 7 + b) % 10000
     WHERE l.round = p_round;
    ALTER TABLE bench.leads DISABLE TRIGGER USER;
    ALTER TABLE bench.ranked_bids DISABLE TRIGGER USER;
    INSERT INTO bench.leads SELECT l.* FROM lead_system.leads l JOIN bench.lots USING (id) WHERE round = p_round;
    INSERT INTO bench.lead_listings SELECT s.* FROM lead_system.lead_listings s JOIN bench.lots l ON l.id = s.lead_id WHERE round = p_round;
    INSERT INTO bench.bids SELECT b.* FROM lead_system.bids b JOIN bench.lots l ON l.id = b.lead_id WHERE round = p_round AND kind = 'close';
    INSERT INTO bench.ranked_bids SELECT b.* FROM lead_system.bids b JOIN bench.lots l ON l.id = b.lead_id WHERE round = p_round AND kind <> 'close';
    ANALYZE bench.ranked_bids;
    UPDATE bench.ranked_bids b SET bid_rank = r.place
      FROM (SELECT id, row_number() OVER (PARTITION BY lead_id ORDER BY rank_amount DESC, bid_placed_at, rating_at_bid DESC, id) AS place
              FROM bench.ranked_bids) r WHERE b.id = r.id AND b.bid_rank IS NULL;
    ALTER TABLE bench.leads ENABLE TRIGGER USER;
    ALTER TABLE bench.ranked_bids ENABLE TRIGGER USER;
    DELETE FROM bench.contractor_metrics;
    INSERT INTO bench.contractor_metrics (organization_id, contractor_id, total_bids_placed, total_leads_won)
    SELECT organization_id, contractor_id, total_bids_placed, total_leads_won FROM lead_system.contractor_metrics;
    ANALYZE bench.leads, bench.lead_listings, bench.bids, bench.ranked_bids, bench.contractor_metrics;
END
$$;

-- The first bids of a session make plans, of ours and of the PL/pgSQL alike: 20
-- real bids, by contractors and for leads that are not measured.
CREATE FUNCTION bench.warm_up(p_round integer, p_variant text, first integer) RETURNS bigint
    LANGUAGE plpgsql
AS $$
BEGIN
    RETURN (SELECT count(CASE p_variant WHEN 'ours' THEN lead_system.place_bid(l.id, c.id, 1.00) ELSE bench.place_bid(l.id, c.id, 1.00) END)
              FROM bench.lots l JOIN bench.contractors c ON c.n = first - 1 + l.n WHERE l.round = p_round AND l.kind = 'warm');
END
$$;

-- Bids one by one; returns the median of their times, which a pause of the
-- machine does not move.
CREATE FUNCTION bench.bid_each(p_round integer, p_variant text, p_kind text, first integer) RETURNS numeric
    LANGUAGE plpgsql
AS $$
DECLARE
    b record;
    started timestamptz;
    took numeric[];
BEGIN
    FOR b IN SELECT l.id AS lead, c.id AS contractor FROM generate_series(1, 50) g JOIN bench.contractors c ON c.n = first - 1 + g
              JOIN bench.lots l ON l.round = p_round AND l.kind = p_kind AND l.n = CASE p_kind WHEN 'large' THEN 1 ELSE g END LOOP
        started := clock_timestamp();
        IF p_variant = 'ours' THEN
            PERFORM lead_system.place_bid(b.lead, b.contractor, 1.00);
        ELSE
            PERFORM bench.place_bid(b.lead, b.contractor, 1.00);
        END IF;
        took := took || extract(epoch FROM clock_timestamp() - started) * 1000;
    END LOOP;
    RETURN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(took) t);
END
$$;
