-- Random markets, for 008_market_properties.pl: worlds of 20 markets each, driven
-- by random events, with a small model of who may do what beside them.  After
-- each event everything that must hold is looked up in the tables.
CREATE SCHEMA prop;

-- The model: what the tables cannot tell by themselves.
CREATE TABLE prop.contractors (
    org          uuid,
    n            integer,
    id           uuid,
    forgotten    integer NOT NULL DEFAULT 0, -- strikes before the last reset
    banned       boolean NOT NULL DEFAULT false,
    banned_until timestamptz,
    PRIMARY KEY (org, n)
);
CREATE TABLE prop.leads (org uuid, n integer, id uuid, PRIMARY KEY (org, n));
CREATE TABLE prop.worlds (org uuid PRIMARY KEY, manager uuid, strikes integer);
CREATE TABLE prop.outcomes (kind text, code text, times integer NOT NULL DEFAULT 1, PRIMARY KEY (kind, code));

-- 0 to n - 1.
CREATE FUNCTION prop.dice(n integer) RETURNS integer LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::integer $$;

-- Run a statement; the SQLSTATE, and the value or the message.
CREATE FUNCTION prop.attempt(statement text, OUT code text, OUT result text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement INTO result;
    code := '00000';
EXCEPTION WHEN OTHERS THEN
    code := SQLSTATE;
    result := SQLERRM;
END
$$;

-- A world: eight contractors with ratings, a manager, 20 leads; other rules in each.
CREATE FUNCTION prop.create_world(w integer) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    world uuid;
BEGIN
    PERFORM set_config('lead_system.now', '2026-03-02 15:00:00+00', false);
    world := lead_system.create_organization('World ' || w, 'marketplace');
    PERFORM set_config('app.current_org_id', world::text, false);
    INSERT INTO prop.worlds SELECT world, lead_system.uuid_v7(), 2 + w % 3;
    INSERT INTO prop.contractors SELECT world, n, lead_system.uuid_v7() FROM generate_series(0, 7) n;
    INSERT INTO prop.leads SELECT world, n, lead_system.uuid_v7() FROM generate_series(0, 19) n;
    INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor, profile_rating)
    SELECT world, id, 'Contractor ' || n, 'contractor' || n || '@example.com', 'contractor', true, (ARRAY[0, 3.9, 4, 4.5, 4.8, 4.8, 5, 4.2])[n + 1]
      FROM prop.contractors WHERE org = world;
    INSERT INTO lead_system.users (organization_id, id, full_name, email, role)
    SELECT world, manager, 'Manager', 'manager@example.com', 'manager' FROM prop.worlds WHERE org = world;
    INSERT INTO lead_system.leads (organization_id, id, title) SELECT world, id, 'Lead ' || n FROM prop.leads WHERE org = world;
    PERFORM lead_system.set_config('marketplace.strikes_until_ban', to_jsonb(2 + w % 3));
    PERFORM lead_system.set_config('marketplace.charge_on', (CASE WHEN w % 4 = 1 THEN '"win"' ELSE '"contact"' END)::jsonb);
    PERFORM lead_system.set_config('marketplace.pricing', (CASE WHEN w % 4 >= 2 THEN '"second"' ELSE '"first"' END)::jsonb);
    PERFORM lead_system.set_config('marketplace.rank_by', (CASE WHEN w % 8 >= 5 THEN '"gross_amount"' ELSE '"final_amount"' END)::jsonb);
    PERFORM lead_system.set_config('marketplace.anti_snipe', to_jsonb(w % 5 = 0));
    RETURN world;
END
$$;

-- A ban that is over counts for nothing from then on.
CREATE FUNCTION prop.is_banned(world uuid, contractor uuid) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT banned AND banned_until > lead_system.clock_now() FROM prop.contractors WHERE org = world AND id = contractor $$;

-- The model forgets the strikes of contractors.
CREATE FUNCTION prop.reset(world uuid, who uuid[]) RETURNS void LANGUAGE sql AS $$
    UPDATE prop.contractors c SET banned = false, banned_until = NULL,
           forgotten = (SELECT count(*) FROM lead_system.strike_logs s WHERE s.organization_id = world AND s.contractor_id = c.id)
     WHERE org = world AND id = ANY (who) $$;

-- The sweeper: strikes for the windows that lapsed, and for these only.
CREATE FUNCTION prop.sweep(world uuid, OUT code text, OUT problem text) LANGUAGE plpgsql AS $$
DECLARE
    t CONSTANT timestamptz := lead_system.clock_now();
    most CONSTANT integer := (SELECT strikes FROM prop.worlds WHERE org = world);
    lapsed uuid[] := ARRAY(SELECT id FROM lead_system.bids WHERE organization_id = world AND status = 'ACTIVE' AND response_window_ends_at < t ORDER BY id);
    logged uuid[] := ARRAY(SELECT id FROM lead_system.strike_logs WHERE organization_id = world);
    who uuid[] := ARRAY(SELECT DISTINCT contractor_id FROM lead_system.bids WHERE organization_id = world AND id = ANY (lapsed));
    n bigint;
    struck uuid[];
BEGIN
    PERFORM prop.reset(world, ARRAY(SELECT id FROM prop.contractors WHERE org = world AND id = ANY (who) AND banned AND banned_until <= t));
    n := lead_system.expire_response_windows();
    struck := ARRAY(SELECT bid_id FROM lead_system.strike_logs WHERE organization_id = world AND id <> ALL (logged) ORDER BY bid_id);
    IF n <> cardinality(lapsed) OR struck <> lapsed THEN
        problem := format('%s windows lapsed, %s ended, %s strikes', cardinality(lapsed), n, cardinality(struck));
    END IF;
    UPDATE prop.contractors c SET banned = true, banned_until = t + interval '30 days'
     WHERE org = world AND id = ANY (who) AND NOT banned
       AND (SELECT count(*) FROM lead_system.strike_logs s WHERE s.organization_id = world AND s.contractor_id = c.id) - forgotten >= most;
    code := CASE WHEN n = 0 THEN 'none' ELSE 'some' END;
END
$$;

-- Let time pass: to an edge, a moment after it, or for a while.
CREATE FUNCTION prop.tick(world uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t timestamptz := lead_system.clock_now();
    edge timestamptz := (SELECT min(e) FROM (
        SELECT bidding_closes_at FROM lead_system.lead_listings WHERE organization_id = world AND bidding_closed_at IS NULL
        UNION ALL SELECT response_window_ends_at FROM lead_system.bids WHERE organization_id = world AND status = 'ACTIVE'
        UNION ALL SELECT bidding_ban_until FROM lead_system.users WHERE organization_id = world) x(e) WHERE e > t);
    r integer := prop.dice(100);
BEGIN
    t := CASE WHEN r < 25 AND edge IS NOT NULL THEN edge WHEN r < 40 AND edge IS NOT NULL THEN edge + interval '1 microsecond'
              WHEN r < 88 THEN t + interval '1 minute' * (1 + prop.dice(15)) WHEN r < 98 THEN t + interval '1 hour' * (1 + prop.dice(3))
              ELSE t + interval '1 day' * (1 + prop.dice(10)) END;
    PERFORM set_config('lead_system.now', t::text, false);
END
$$;

-- One random event.  "expected" are the SQLSTATEs that would be right; none: it
-- must succeed.
CREATE FUNCTION prop.event(world uuid, kind text, OUT code text, OUT problem text) LANGUAGE plpgsql AS $$
DECLARE
    t CONSTANT timestamptz := lead_system.clock_now();
    lead_n CONSTANT integer := floor(20 * random() ^ 1.5);
    who_n CONSTANT integer := prop.dice(8);
    lead uuid := (SELECT id FROM prop.leads WHERE org = world AND n = lead_n);
    who uuid := (SELECT id FROM prop.contractors WHERE org = world AND n = who_n);
    s record;
    b record;
    a record;
    expected text[] := '{}';
    wanted text;
    result text;
    before bigint;
BEGIN
    -- mostly one that is open for bids, some of them more popular than others
    IF prop.dice(5) > 0 THEN
        lead := coalesce((SELECT p.id FROM prop.leads p JOIN lead_system.leads l ON l.organization_id = world AND l.id = p.id
             WHERE p.org = world AND l.status = 'ACTIVE' ORDER BY p.n DESC OFFSET prop.dice(1 + prop.dice(4)) LIMIT 1), lead);
    END IF;
    SELECT l.status, x.* INTO s FROM lead_system.leads l LEFT JOIN lead_system.lead_listings x ON x.organization_id = world AND x.lead_id = l.id
     WHERE l.organization_id = world AND l.id = lead;
    CASE kind
    WHEN 'open' THEN
        lead := coalesce((SELECT p.id FROM prop.leads p WHERE p.org = world
             AND NOT EXISTS (SELECT FROM lead_system.lead_listings x WHERE x.organization_id = world AND x.lead_id = p.id) ORDER BY p.n LIMIT 1), lead);
        IF EXISTS (SELECT FROM lead_system.lead_listings WHERE organization_id = world AND lead_id = lead) THEN expected := '{55000}'; END IF;
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.open_bidding(%L, %s, %L)', lead, 10 + prop.dice(90),
            t + interval '15 minutes' * (1 + prop.dice(60))));
    WHEN 'bid' THEN
        IF s.bidding_opens_at IS NULL OR s.bidding_closed_at IS NOT NULL OR t >= s.bidding_closes_at THEN expected := expected || 'LS010'::text; END IF;
        IF prop.is_banned(world, who) THEN expected := expected || 'LS011'::text; END IF;
        IF EXISTS (SELECT FROM lead_system.bids x WHERE x.organization_id = world AND x.lead_id = lead AND contractor_id = who) THEN
            expected := expected || '23505'::text;
        END IF;
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.place_bid(%L, %L, %s)', lead, who,
            (ARRAY[0.50, 0.75, 1, 1.25, 1.25, 2])[1 + prop.dice(6)]));
    WHEN 'cancel' THEN
        SELECT x.id, x.status INTO b FROM lead_system.bids x JOIN prop.contractors c ON c.org = world AND c.id = x.contractor_id
         WHERE x.organization_id = world AND x.lead_id = lead ORDER BY c.n OFFSET prop.dice(3) LIMIT 1;
        IF b.id IS NULL THEN code := 'none'; RETURN; END IF;
        IF s.bidding_closed_at IS NOT NULL OR t >= s.bidding_closes_at THEN expected := '{LS010}'; END IF;
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.cancel_bid(%L)', b.id));
        IF code = '00000' AND (SELECT x.status FROM lead_system.bids x WHERE x.organization_id = world AND x.id = b.id) <> 'CANCELLED' THEN
            problem := 'the bid is not cancelled';
        END IF;
    WHEN 'close' THEN
        IF s.status <> 'ACTIVE' THEN expected := '{LS010}'; END IF;
        wanted := (EXISTS (SELECT FROM lead_system.bids x WHERE x.organization_id = world AND x.lead_id = lead AND x.status = 'ACTIVE'))::integer::text;
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.close_bidding(%L)', lead));
    WHEN 'close due' THEN
        wanted := (SELECT count(*) FROM lead_system.lead_listings x WHERE x.organization_id = world AND bidding_closed_at IS NULL AND bidding_closes_at <= t)::text;
        SELECT * INTO code, result FROM prop.attempt('SELECT lead_system.close_due_bidding()');
    WHEN 'sweep' THEN
        SELECT * INTO code, problem FROM prop.sweep(world);
        RETURN;
    WHEN 'message', 'decline' THEN
        -- mostly by who may
        SELECT x.id, x.lead_id, x.contractor_id, x.response_window_ends_at INTO b FROM lead_system.bids x JOIN prop.leads l ON l.org = world AND l.id = x.lead_id
         WHERE x.organization_id = world AND x.status = 'ACTIVE' AND response_window_starts_at IS NOT NULL ORDER BY l.n OFFSET prop.dice(3) LIMIT 1;
        IF b.id IS NULL OR prop.dice(4) = 0 THEN
            SELECT x.id, x.lead_id, x.contractor_id, x.response_window_ends_at INTO b FROM lead_system.bids x
             WHERE x.organization_id = world AND x.lead_id = lead AND contractor_id = who;
            IF b.id IS NULL THEN code := 'none'; RETURN; END IF;
        END IF;
        IF NOT EXISTS (SELECT FROM lead_system.bids x WHERE x.organization_id = world AND x.id = b.id AND x.status = 'ACTIVE' AND response_window_ends_at >= t) THEN
            expected := '{LS013}';
        END IF;
        IF kind = 'message' THEN
            IF EXISTS (SELECT FROM lead_system.bids x WHERE x.organization_id = world AND x.id = b.id AND x.status = 'WON') THEN expected := '{}'; END IF;
            SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.send_message(%L, %L, %L)', b.lead_id, b.contractor_id, 'Good morning'));
        ELSE
            before := (SELECT count(*) FROM lead_system.conversions WHERE organization_id = world);
            SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.decline_lead(%L, %L)', b.id, 'Number does not answer'));
        END IF;
    WHEN 'appeal' THEN
        who := coalesce((SELECT c.id FROM prop.contractors c WHERE org = world AND banned ORDER BY c.n OFFSET prop.dice(2) LIMIT 1), who);
        IF NOT prop.is_banned(world, who) THEN expected := '{55000}'; END IF;
        IF EXISTS (SELECT FROM lead_system.ban_appeals x WHERE x.organization_id = world AND contractor_id = who AND x.status = 'PENDING') THEN
            expected := expected || '23505'::text;
        ELSIF EXISTS (SELECT FROM lead_system.ban_appeals x WHERE x.organization_id = world AND contractor_id = who AND x.status = 'REJECTED'
                         AND reviewed_at + interval '7 days' > t) THEN
            expected := expected || '55000'::text;
        END IF;
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.appeal_ban(%L, %L)', who, 'I was in hospital'));
    WHEN 'review' THEN
        SELECT x.id, x.contractor_id, x.status INTO a FROM lead_system.ban_appeals x JOIN prop.contractors c ON c.org = world AND c.id = x.contractor_id
         WHERE x.organization_id = world ORDER BY x.status <> 'PENDING', c.n, x.created_at LIMIT 1;
        IF a.id IS NULL THEN code := 'none'; RETURN; END IF;
        IF a.status <> 'PENDING' THEN expected := '{55000}'; END IF;
        before := prop.dice(2);
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.review_appeal(%L, %L, %L)', a.id, before = 1,
            (SELECT manager FROM prop.worlds WHERE org = world)));
        IF code = '00000' AND before = 1 THEN
            PERFORM prop.reset(world, ARRAY(SELECT c.id FROM prop.contractors c WHERE org = world AND c.id = a.contractor_id AND banned));
        END IF;
    WHEN 'lift' THEN
        wanted := (SELECT count(*) FROM prop.contractors WHERE org = world AND banned AND banned_until <= t)::text;
        SELECT * INTO code, result FROM prop.attempt('SELECT lead_system.lift_expired_bans()');
        PERFORM prop.reset(world, ARRAY(SELECT c.id FROM prop.contractors c WHERE org = world AND banned AND banned_until <= t));
    WHEN 'rating' THEN
        UPDATE lead_system.users SET profile_rating = (ARRAY[0, 4, 4.5, 4.8, 5])[1 + prop.dice(5)] WHERE organization_id = world AND id = who;
        code := '00000';
    WHEN 'refresh' THEN
        SELECT * INTO code, result FROM prop.attempt(format('SELECT lead_system.refresh_contractor_metrics(%L)', who));
    WHEN 'tick' THEN
        PERFORM prop.tick(world);
        code := '00000';
    END CASE;
    IF (cardinality(expected) = 0 AND code <> '00000') OR (cardinality(expected) > 0 AND code <> ALL (expected)) THEN
        problem := format('got %s (%s), expected %s', code, result, coalesce(nullif(expected, '{}')::text, 'success'));
    ELSIF code = '00000' AND wanted IS NOT NULL AND result <> wanted THEN
        problem := format('returned %s, expected %s', result, wanted);
    END IF;
END
$$;

-- Everything that does not hold, in words.
CREATE FUNCTION prop.violations(world uuid) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH bids AS MATERIALIZED (
        SELECT b.*, b.status = 'ACTIVE' AND b.response_window_starts_at IS NOT NULL AS is_open, s.bidding_closed_at, s.pricing, s.charge_on, s.base_lead_cost,
               row_number() OVER (PARTITION BY b.lead_id, b.status = 'CANCELLED' ORDER BY b.rank_amount DESC, b.bid_placed_at, b.rating_at_bid DESC, b.id) AS place,
               lead(b.final_bid_amount) OVER (PARTITION BY b.lead_id, b.status = 'CANCELLED'
                   ORDER BY b.rank_amount DESC, b.bid_placed_at, b.rating_at_bid DESC, b.id) AS next_amount
          FROM lead_system.bids b JOIN lead_system.lead_listings s ON s.organization_id = b.organization_id AND s.lead_id = b.lead_id
         WHERE b.organization_id = world
    ), leads AS MATERIALIZED (
        SELECT l.id, l.status, s.bidding_closed_at, s.winner_bid_id, count(b.id) AS bids, count(*) FILTER (WHERE b.is_open) AS open,
               max(b.bid_rank) FILTER (WHERE b.is_open) AS open_rank, count(*) FILTER (WHERE b.status = 'WON') AS won,
               count(*) FILTER (WHERE b.status = 'ACTIVE') AS active, count(*) FILTER (WHERE b.status IN ('ACTIVE', 'CANCELLED')) AS undecided
          FROM lead_system.leads l LEFT JOIN lead_system.lead_listings s ON s.organization_id = world AND s.lead_id = l.id
          LEFT JOIN bids b ON b.lead_id = l.id
         WHERE l.organization_id = world GROUP BY l.id, l.status, s.bidding_closed_at, s.winner_bid_id
    ), money AS MATERIALIZED (
        SELECT * FROM lead_system.conversions WHERE organization_id = world
    ), strikes AS MATERIALIZED (
        SELECT * FROM lead_system.strike_logs WHERE organization_id = world
    )
    SELECT 'more than one open window on lead ' || id FROM leads WHERE open > 1
    UNION ALL
    SELECT 'status and windows do not agree: lead ' || id || ' is ' || status FROM leads
     WHERE NOT CASE status WHEN 'CREATED' THEN bids = 0 AND bidding_closed_at IS NULL
            WHEN 'ACTIVE' THEN undecided = bids AND open = 0 AND bidding_closed_at IS NULL
            WHEN 'CONTACTED' THEN won = 1 AND active = 0 AND winner_bid_id IS NOT NULL
            WHEN 'EXPIRED' THEN won = 0 AND active = 0 AND winner_bid_id IS NULL AND bidding_closed_at IS NOT NULL
            ELSE open = 1 AND won = 0 AND status = 'PENDING_RESPONSE_' || open_rank AND bidding_closed_at IS NOT NULL END
    UNION ALL
    SELECT 'rank of bid ' || id FROM bids
     WHERE bid_rank IS DISTINCT FROM CASE WHEN bidding_closed_at IS NOT NULL AND status <> 'CANCELLED' AND place <= 3 THEN place END
    UNION ALL
    SELECT 'bid ' || id || ' is still open' FROM bids WHERE bidding_closed_at IS NOT NULL AND bid_rank IS NULL AND status NOT IN ('LOST', 'CANCELLED')
    UNION ALL
    SELECT 'window of bid ' || b.id || ' out of turn' FROM bids b LEFT JOIN bids p ON p.lead_id = b.lead_id AND p.bid_rank = b.bid_rank - 1
     WHERE b.response_window_starts_at IS NOT NULL AND NOT (b.response_window_ends_at = b.response_window_starts_at + interval '2 hours'
           AND CASE b.bid_rank WHEN 1 THEN b.response_window_starts_at = b.bidding_closed_at
                ELSE p.response_window_starts_at <= b.response_window_starts_at
                 AND ((p.status = 'EXPIRED' AND p.response_window_ends_at < b.response_window_starts_at) OR (p.status = 'LOST' AND p.declined_reason IS NOT NULL)) END)
    UNION ALL
    SELECT 'strike and window of bid ' || coalesce(b.id, s.bid_id) FROM (SELECT * FROM bids WHERE status = 'EXPIRED') b FULL JOIN strikes s ON s.bid_id = b.id
     WHERE b.id IS NULL OR s.id IS NULL OR NOT b.strike_applied OR s.contractor_id <> b.contractor_id OR s.created_at <= b.response_window_ends_at
    UNION ALL
    SELECT format('contractor %s has %s strikes, banned %s until %s; the model has %s, %s, %s', u.id, u.strike_count, u.is_bidding_banned,
                  u.bidding_ban_until, x.n - c.forgotten, c.banned, c.banned_until)
      FROM prop.contractors c JOIN lead_system.users u ON u.organization_id = world AND u.id = c.id
     CROSS JOIN LATERAL (SELECT count(*) AS n FROM strikes s WHERE s.contractor_id = c.id) x
     WHERE c.org = world AND (u.strike_count, u.is_bidding_banned, u.bidding_ban_until) IS DISTINCT FROM (x.n - c.forgotten, c.banned, c.banned_until)
    UNION ALL
    SELECT 'charge of bid ' || id FROM bids
     WHERE charge_amount IS DISTINCT FROM CASE WHEN bid_rank IS NULL THEN NULL WHEN pricing = 'first' THEN final_bid_amount
           ELSE least(final_bid_amount, coalesce(next_amount, round(0.5 * base_lead_cost * discount_multiplier, 2))) END
    UNION ALL
    SELECT 'money of bid ' || coalesce(b.id, m.bid_id) FROM
           (SELECT id, charge_amount FROM bids WHERE CASE charge_on WHEN 'win' THEN response_window_starts_at IS NOT NULL ELSE status = 'WON' END) b
      FULL JOIN (SELECT * FROM money WHERE amount IS NOT NULL) m ON m.bid_id = b.id
     WHERE b.id IS NULL OR m.id IS NULL OR m.amount <> b.charge_amount
    UNION ALL
    SELECT 'conversion of lead ' || l.id FROM leads l
     WHERE (l.status = 'CONTACTED')::integer <> (SELECT count(*) FROM money m WHERE m.lead_id = l.id AND conversion_type = 'contacted' AND m.bid_id = l.winner_bid_id)
    UNION ALL
    SELECT 'metrics of contractor ' || c.id FROM prop.contractors c JOIN lead_system.users u ON u.organization_id = world AND u.id = c.id
      LEFT JOIN lead_system.contractor_metrics m ON m.organization_id = world AND m.contractor_id = c.id
     CROSS JOIN LATERAL (SELECT count(*) AS placed, count(response_window_starts_at) AS won, count(responded_at) AS contacted,
           coalesce(sum(trunc(extract(epoch FROM responded_at - response_window_starts_at))), 0) AS seconds FROM bids b WHERE b.contractor_id = c.id) x
     CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS spent FROM money WHERE contractor_id = c.id) y
     WHERE c.org = world AND ((x.placed, x.won, x.contacted, x.seconds, y.spent) IS DISTINCT FROM
           (coalesce(m.total_bids_placed, 0), coalesce(m.total_leads_won, 0), coalesce(m.total_leads_contacted, 0), coalesce(m.total_contact_seconds, 0),
            coalesce(m.total_spent, 0)) OR coalesce(m.contact_rate, 0) <> coalesce(u.response_rate, 0))
$$;

-- What refresh_contractor_metrics() must leave alone.
CREATE FUNCTION prop.metrics(world uuid) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT string_agg(m::text || m.xmin, E'\n' ORDER BY m.contractor_id) FROM lead_system.contractor_metrics m WHERE organization_id = world AND total_bids_placed > 0 $$;

-- Play an event and look at everything; raises an error at the first thing wrong.
CREATE PROCEDURE prop.play(w integer, step integer, world uuid, kind text) LANGUAGE plpgsql AS $$
DECLARE
    metrics text := CASE WHEN kind = 'refresh' THEN prop.metrics(world) END;
    e record;
    wrong text;
BEGIN
    SELECT * INTO e FROM prop.event(world, kind);
    INSERT INTO prop.outcomes VALUES (kind, e.code) ON CONFLICT ON CONSTRAINT outcomes_pkey DO UPDATE SET times = outcomes.times + 1;
    COMMIT;
    IF kind = 'refresh' AND metrics <> prop.metrics(world) THEN
        wrong := 'refresh_contractor_metrics() has changed something';
    END IF;
    wrong := concat_ws('; ', e.problem, wrong, (SELECT string_agg(v, '; ') FROM prop.violations(world) v));
    IF wrong <> '' THEN
        RAISE EXCEPTION 'world %, step %, % at %: %', w, step, kind, lead_system.clock_now(), wrong;
    END IF;
END
$$;

-- A world from its first event to the last; when the random events are over,
-- what is still open is brought to its end.
CREATE PROCEDURE prop.run_world(w integer, seed integer) LANGUAGE plpgsql AS $$
DECLARE
    kinds CONSTANT text[] := '{open,bid,cancel,close,close due,sweep,message,decline,appeal,review,lift,rating,refresh,tick}';
    weights CONSTANT integer[] := '{14,100,10,2,10,14,16,5,6,4,2,3,4,40}';
    bag CONSTANT text[] := ARRAY(SELECT k FROM unnest(kinds, weights) WITH ORDINALITY v(k, weight, n), generate_series(1, weight) ORDER BY n);
    world uuid;
    step integer := 0;
BEGIN
    PERFORM setseed(((seed::bigint * 1009 + w) % 100003) / 100003.0);
    world := prop.create_world(w);
    COMMIT;
    FOR step IN 1..400 LOOP
        CALL prop.play(w, step, world, bag[1 + prop.dice(cardinality(bag))]);
    END LOOP;
    step := 401;
    WHILE EXISTS (SELECT FROM lead_system.leads WHERE organization_id = world AND status NOT IN ('CONTACTED', 'EXPIRED')) LOOP
        IF step > 1000 THEN
            RAISE EXCEPTION 'world % does not come to an end', w;
        END IF;
        CALL prop.play(w, step, world, (ARRAY['open', 'bid', 'tick', 'close due', 'sweep'])[1 + step % 5]);
        step := step + 1;
    END LOOP;
    CALL prop.play(w, step, world, 'refresh');
    IF EXISTS (SELECT FROM (SELECT h.*, lag(h.new_status, 1, 'CREATED') OVER (PARTITION BY lead_id ORDER BY id) AS before,
                   lead(h.new_status) OVER (PARTITION BY lead_id ORDER BY id) AS after FROM lead_system.lead_status_history h WHERE organization_id = world) h
                 JOIN lead_system.leads l ON l.organization_id = world AND l.id = h.lead_id
                WHERE h.old_status <> h.before OR (h.after IS NULL AND h.new_status <> l.status)) THEN
        RAISE EXCEPTION 'world %: the history of a status has a gap', w;
    END IF;
END
$$;
