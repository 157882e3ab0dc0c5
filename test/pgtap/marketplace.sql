-- The marketplace, rule by rule: every course that the market of a lead can take
-- (semantics C7), every refusal of a bid (C15), every edge of time, and who sees
-- what. The life of a market as a whole is in sql/marketplace.sql.
--
-- Runs alone: pg_prove test/pgtap/marketplace.sql

BEGIN;
SELECT plan(286);
\ir lib/two_organizations.sql
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';

\set market 'c0000000-0000-4000-8000-000000000000'
\set lead 'c0000000-0000-4000-8000-000000000001'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'market', 'Market', 'marketplace');
SET LOCAL app.current_org_id = :'market';
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor)
SELECT :'market', ('c0000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid, 'bidder ' || n, 'bidder' || n || '@example.com', 'contractor', true
  FROM generate_series(11, 22) n;
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'market', 'c0000000-0000-4000-8000-000000000010', 'meg', 'meg@example.com', 'manager');

-- The n-th bidder, and the bid of the n-th bidder on the lead.
CREATE FUNCTION pg_temp.bidder(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('c0000000-0000-4000-8000-0000000000' || 10 + n)::uuid $$;
CREATE FUNCTION pg_temp.bid(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('c0000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION pg_temp.lead() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT 'c0000000-0000-4000-8000-000000000001'::uuid $$;
CREATE FUNCTION pg_temp.at(moment timestamptz) RETURNS void LANGUAGE sql AS
$$ SELECT set_config('lead_system.now', moment::text, true) $$;

-- A lead, offered at three for half an hour, with a number of bids: 195.00, 190.00 and so on.
CREATE FUNCTION pg_temp.offer(bids integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.at('2026-03-02 15:00:00+00');
    INSERT INTO lead_system.leads (organization_id, id, title) VALUES (lead_system.current_org_id(), pg_temp.lead(), 'lead');
    PERFORM lead_system.open_bidding(pg_temp.lead(), 100);
    -- the last one first, so that the order of coming in says nothing
    INSERT INTO lead_system.bids (organization_id, id, lead_id, contractor_id, bid_multiplier)
    SELECT lead_system.current_org_id(), pg_temp.bid(n), pg_temp.lead(), pg_temp.bidder(n), 2 - 0.05 * n FROM generate_series(bids, 1, -1) n;
END
$$;
-- The same, closed, and taken through windows: each is answered at its very end
-- (M), declined then (D), or lapses (L).
CREATE FUNCTION pg_temp.play(bids integer, moves text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    holder record;
BEGIN
    PERFORM pg_temp.offer(bids);
    PERFORM pg_temp.at('2026-03-02 15:30:00+00');
    PERFORM lead_system.close_due_bidding();
    FOR i IN 1 .. length(moves) LOOP
        SELECT * INTO STRICT holder FROM lead_system.bids WHERE status = 'ACTIVE' AND response_window_starts_at IS NOT NULL;
        PERFORM pg_temp.at(holder.response_window_ends_at);
        CASE substr(moves, i, 1)
        WHEN 'M' THEN PERFORM lead_system.send_message(pg_temp.lead(), holder.contractor_id, 'Good morning');
        WHEN 'D' THEN PERFORM lead_system.decline_lead(holder.id, 'no answer');
        WHEN 'L' THEN
            PERFORM pg_temp.at(holder.response_window_ends_at + interval '1 microsecond');
            PERFORM lead_system.expire_response_windows();
        END CASE;
    END LOOP;
END
$$;
-- Run statements, and one more; say what the last one came to, and undo it all.
-- Of an error: SQLSTATE, message, detail and hint.
CREATE FUNCTION pg_temp.outcome(before text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    message text;
    detail text;
    hint text;
    stage text := 'before that | ';
BEGIN
    BEGIN
        EXECUTE before;
        stage := NULL;
        EXECUTE statement INTO answer;
        answer := coalesce(nullif(answer, ''), 'done');
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        answer := coalesce(stage, '') || concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
    END;
    RAISE EXCEPTION USING ERRCODE = 'TAP00', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'TAP00' THEN
    RETURN replace(replace(replace(SQLERRM, pg_temp.lead()::text, 'LEAD'), pg_temp.bidder(1)::text, 'ADA'), pg_temp.bid(1)::text, 'BID');
END
$$;

-- C7: with no, one, two, three and more bids, all that can happen.

CREATE FUNCTION pg_temp.course() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT string_agg(new_status, ' ' ORDER BY id) FROM lead_system.lead_status_history WHERE lead_id = pg_temp.lead())
        || '; ' || coalesce((SELECT string_agg(coalesce(b.bid_rank::text, '-') || ' ' || b.status, ' ' ORDER BY b.rank_amount DESC) FROM lead_system.bids b), 'no bids')
        || '; struck:' || coalesce((SELECT string_agg(' ' || b.bid_rank, '' ORDER BY b.bid_rank) FROM lead_system.bids b
                JOIN lead_system.strike_logs s ON s.bid_id = b.id JOIN lead_system.users u ON u.id = s.contractor_id
               WHERE b.strike_applied AND u.strike_count = 1 AND s.strike_reason = 'response_window_expired'), '')
        || '; charged: ' || coalesce((SELECT string_agg(c.conversion_type || ' ' || c.amount || ' ' || m.total_spent || ' ' || u.response_rate, ' ') FROM lead_system.conversions c
                JOIN lead_system.contractor_metrics m USING (organization_id, contractor_id) JOIN lead_system.users u ON u.id = c.contractor_id), '')
        || '; windows: ' || (SELECT coalesce(sum(total_leads_won), 0) FROM lead_system.contractor_metrics)
$$;
CREATE FUNCTION pg_temp.expected_course(bids integer, moves text) RETURNS text LANGUAGE sql AS $$
    SELECT 'ACTIVE BIDDING_CLOSED' || coalesce((SELECT string_agg(' PENDING_RESPONSE_' || i, '' ORDER BY i) FROM generate_series(1, length(moves)) i), '')
        || CASE WHEN moves LIKE '%M' THEN ' CONTACTED' ELSE ' EXPIRED' END
        || '; ' || coalesce((SELECT string_agg(CASE WHEN i <= 3 THEN i::text ELSE '-' END || ' '
                || CASE substr(moves, i, 1) WHEN 'M' THEN 'WON' WHEN 'L' THEN 'EXPIRED' ELSE 'LOST' END, ' ' ORDER BY i) FROM generate_series(1, bids) i), 'no bids')
        || '; struck:' || coalesce((SELECT string_agg(' ' || i, '' ORDER BY i) FROM generate_series(1, length(moves)) i WHERE substr(moves, i, 1) = 'L'), '')
        || '; charged: ' || CASE WHEN moves LIKE '%M' THEN 'contacted ' || 200 - 5 * length(moves) || '.00 ' || 200 - 5 * length(moves) || '.00 1.00' ELSE '' END
        || '; windows: ' || length(moves)
$$;
WITH RECURSIVE passed(moves) AS (
    SELECT '' UNION ALL SELECT moves || move FROM passed, (VALUES ('L'), ('D')) m(move) WHERE length(moves) < 3),
courses AS (
    SELECT bids, moves || 'M' AS moves FROM passed, unnest(ARRAY[0, 1, 2, 3, 4, 12]) bids WHERE length(moves) < least(bids, 3)
    UNION ALL
    SELECT bids, moves FROM passed, unnest(ARRAY[0, 1, 2, 3, 4, 12]) bids WHERE length(moves) = least(bids, 3))
SELECT is(pg_temp.outcome(format('SELECT pg_temp.play(%s, %L)', bids, moves), 'SELECT pg_temp.course()'), pg_temp.expected_course(bids, moves),
    format('%s bids, %s', bids, CASE WHEN moves = '' THEN 'no window' ELSE moves END))
  FROM courses ORDER BY bids, length(moves), moves;

-- By hand: from each state to the archive alone; with force to where the market is over.
CREATE TEMP TABLE states (status text, reached text, position integer) ON COMMIT DROP;
INSERT INTO states VALUES
    ('CREATED', $$INSERT INTO lead_system.leads (organization_id, id) VALUES (lead_system.current_org_id(), pg_temp.lead());
        INSERT INTO lead_system.lead_listings (organization_id, lead_id, base_lead_cost) VALUES (lead_system.current_org_id(), pg_temp.lead(), 100)$$, 1),
    ('ACTIVE', 'SELECT pg_temp.offer(4)', 2), ('BIDDING_CLOSED', NULL, 3),
    ('PENDING_RESPONSE_1', 'SELECT pg_temp.play(4, '''')', 4), ('PENDING_RESPONSE_2', 'SELECT pg_temp.play(4, ''D'')', 5),
    ('PENDING_RESPONSE_3', 'SELECT pg_temp.play(4, ''DD'')', 6), ('CONTACTED', 'SELECT pg_temp.play(4, ''M'')', 7),
    ('EXPIRED', 'SELECT pg_temp.play(4, ''DDD'')', 8), ('ARCHIVED', NULL, 9);
CREATE FUNCTION pg_temp.step(new_status text, force boolean) RETURNS text LANGUAGE sql AS
$$ SELECT format('SELECT lead_system.change_lead_status(%L, %L, ''by hand'', force => %L)', pg_temp.lead(), new_status, force) $$;

SELECT is((SELECT string_agg(t.status, ' ' ORDER BY t.position) FROM states t
            WHERE t.status <> f.status AND pg_temp.outcome(f.reached, pg_temp.step(t.status, false)) NOT LIKE 'LS030 |%'),
        'ARCHIVED', 'by hand, ' || f.status || ' goes to the archive alone')
  FROM states f WHERE f.reached IS NOT NULL ORDER BY f.position;
SELECT is((SELECT string_agg(t.status, ' ' ORDER BY t.position) FROM states t
            WHERE t.status NOT IN (f.status, 'CREATED') AND pg_temp.outcome(f.reached, pg_temp.step(t.status, true)) NOT LIKE 'LS030 |%'),
        btrim(replace('CONTACTED EXPIRED ARCHIVED', f.status, '')::text) COLLATE "C", 'by force, ' || f.status || ' goes where no market is open')
  FROM states f WHERE f.reached IS NOT NULL AND f.status NOT IN ('CONTACTED', 'EXPIRED') ORDER BY f.position;
SELECT is(pg_temp.outcome(f.reached, pg_temp.step(t.status, false)),
        'LS030 | status step from "' || f.status || '" to "' || t.status || '" is the marketplace''s to make | The lead is offered to contractors. | ' || t.hint,
        'who makes the step from ' || f.status || ' to ' || t.status)
  FROM (VALUES ('CREATED', 'ACTIVE', 'open_bidding() offers a lead.'), ('ACTIVE', 'BIDDING_CLOSED', 'close_bidding() and close_due_bidding() end the bidding.'),
    ('PENDING_RESPONSE_1', 'PENDING_RESPONSE_2', 'decline_lead() and expire_response_windows() end a window.'),
    ('PENDING_RESPONSE_2', 'CONTACTED', 'send_message() of the contractor whose window is open contacts the lead.'),
    ('PENDING_RESPONSE_3', 'EXPIRED', 'decline_lead() and expire_response_windows() end a window.')) t(from_status, status, hint)
  JOIN states f ON f.status = t.from_status ORDER BY f.position;

-- Archived while its market is open: all open bids have lost, nobody is struck or charged, nothing is left for the sweepers.
SELECT is(pg_temp.outcome(f.reached || '; ' || pg_temp.step('ARCHIVED', false) || $$; SELECT pg_temp.at('2026-03-05 00:00:00+00')$$,
        $$SELECT concat_ws(' ', lead_system.close_due_bidding(), lead_system.expire_response_windows(), (SELECT count(*) FROM lead_system.strike_logs),
            (SELECT count(*) FROM lead_system.conversions), (SELECT string_agg(status, ' ' ORDER BY rank_amount DESC) FROM lead_system.bids))$$),
        '0 0 0 0 LOST LOST LOST LOST', 'archived from ' || f.status)
  FROM states f WHERE f.status = 'ACTIVE' OR f.status LIKE 'PENDING%' ORDER BY f.position;
SELECT is(pg_temp.outcome('SELECT pg_temp.play(3, ''LM''); ' || pg_temp.step('ARCHIVED', false), 'SELECT pg_temp.course()'),
        replace(pg_temp.expected_course(3, 'LM'), ' CONTACTED', ' CONTACTED ARCHIVED'), 'archived from CONTACTED, everything stays');
SELECT is(pg_temp.outcome('SELECT pg_temp.play(1, ''''); UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = pg_temp.lead()',
        $$SELECT concat_ws(' ', (SELECT status FROM lead_system.leads WHERE id = pg_temp.lead()), (SELECT status FROM lead_system.bids))$$),
        'ARCHIVED LOST', 'a lead that is deleted is archived');
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(2); SELECT lead_system.cancel_bid(pg_temp.bid(1)); SELECT lead_system.close_bidding(pg_temp.lead())',
        'SELECT pg_temp.course()'), 'ACTIVE BIDDING_CLOSED PENDING_RESPONSE_1; - CANCELLED 1 ACTIVE; struck:; charged: ; windows: 1', 'a cancelled bid is not ranked');
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(1); SELECT lead_system.cancel_bid(pg_temp.bid(1)); SELECT lead_system.close_bidding(pg_temp.lead())',
        'SELECT pg_temp.course()'), 'ACTIVE BIDDING_CLOSED EXPIRED; - CANCELLED; struck:; charged: ; windows: 0', 'a market of cancelled bids is over');
-- Closing writes a lead once, but not where its pipeline gives BIDDING_CLOSED a meaning of its own.
SELECT is(pg_temp.outcome('SELECT lead_system.copy_pipeline(''marketplace'', ''own''); UPDATE lead_system.pipeline_statuses SET stage = ''working'', stamp_column = ''contacted_at'''
        ' WHERE status = ''BIDDING_CLOSED'' AND organization_id IS NOT NULL; UPDATE lead_system.organizations SET default_pipeline = ''own'' WHERE id = lead_system.current_org_id(); SELECT pg_temp.offer(1); SELECT lead_system.close_bidding(pg_temp.lead())',
        $$SELECT pg_temp.course() || '; ' || (SELECT string_agg(new_stage, ' ' ORDER BY id) || '; ' FROM lead_system.lead_status_history WHERE lead_id = pg_temp.lead()) || (contacted_at = lead_system.clock_now())
            FROM lead_system.leads WHERE id = pg_temp.lead()$$),
        'ACTIVE BIDDING_CLOSED PENDING_RESPONSE_1; 1 ACTIVE; struck:; charged: ; windows: 1; new working working; true', 'a status with a meaning is entered on the way');
SELECT is(pg_temp.outcome('SELECT pg_temp.play(1, '''')', 'SELECT lead_system.close_bidding(pg_temp.lead())'),
        'LS010 | bidding on lead "LEAD" is not open | The lead is PENDING_RESPONSE_1.', 'bidding is closed once');
SELECT is(pg_temp.outcome('SELECT pg_temp.play(1, '''')', 'SELECT lead_system.open_bidding(pg_temp.lead(), 100)'),
        '55000 | lead "LEAD" was offered before | Bidding was opened at 2026-03-02 15:00:00+00; the lead is PENDING_RESPONSE_1. | A lead is offered once. Make a new lead to offer it again.',
        'a lead is offered once');

-- A copy of the pipeline: steps that it lacks are made all the same, statuses it keeps.
\set copy 'SELECT lead_system.copy_pipeline(''marketplace'', ''mine''); UPDATE lead_system.organizations SET default_pipeline = ''mine'' WHERE id = lead_system.current_org_id(); '
\set own 'pipeline_id IN (SELECT id FROM lead_system.pipelines WHERE name = ''mine'')'
SELECT is(pg_temp.outcome(:'copy' || 'DELETE FROM lead_system.pipeline_transitions WHERE ' || :'own' || '; SELECT pg_temp.play(4, ''DLM'')', 'SELECT pg_temp.course()'),
        pg_temp.expected_course(4, 'DLM'), 'steps that a copy of the pipeline lacks are made');
SELECT is(pg_temp.outcome(:'copy' || 'SELECT pg_temp.play(2, '''')', format(v.statement, :'own')),
        '55000 | status "' || v.status || '" is needed by leads that are offered | The pipeline has leads that are listed and not archived. | Archive them first.', v.what)
  FROM (VALUES ('PENDING_RESPONSE_2', 'a status that a window may enter cannot be deleted', 'DELETE FROM lead_system.pipeline_statuses WHERE %s AND status = ''PENDING_RESPONSE_2'' RETURNING status'),
               ('EXPIRED', 'nor renamed', 'UPDATE lead_system.pipeline_statuses SET status = ''OVER'' WHERE %s AND status = ''EXPIRED'' RETURNING status'))
       v(status, what, statement);
SELECT is(pg_temp.outcome(:'copy' || 'SELECT pg_temp.play(2, ''''); ' || pg_temp.step('ARCHIVED', false),
        format('DELETE FROM lead_system.pipeline_statuses WHERE %s AND status = ''PENDING_RESPONSE_2'' RETURNING status', :'own')), 'PENDING_RESPONSE_2', 'it can when nothing is offered any more');

-- C15: who may not bid, and what would help. Each refusal by place_bid() and by
-- plain INSERT; a bid that no rule forbids comes in by both.

CREATE TEMP TABLE bid_rules (position serial, what text, before text, answer text) ON COMMIT DROP;
INSERT INTO bid_rules (what, before, answer) VALUES
    ('a lead that is not listed', $$INSERT INTO lead_system.leads (organization_id, id) VALUES (lead_system.current_org_id(), pg_temp.lead())$$,
        'LS010 | bidding on lead "LEAD" is not open | The lead is not offered. | open_bidding() offers it.'),
    ('a lead that is listed, not opened', (SELECT reached FROM states WHERE status = 'CREATED'),
        'LS010 | bidding on lead "LEAD" is not open | The lead is not offered. | open_bidding() offers it.'),
    ('a lead whose bidding is over', $$SELECT pg_temp.offer(0), pg_temp.at('2026-03-02 15:30:00+00')$$,
        'LS010 | bidding on lead "LEAD" is not open | Bidding ended at 2026-03-02 15:30:00+00. | A bid must come in before bidding closes.'),
    ('a lead whose bidding was closed before its time', $$SELECT pg_temp.offer(0); INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier)
        VALUES (lead_system.current_org_id(), pg_temp.lead(), pg_temp.bidder(2), 1); SELECT pg_temp.at('2026-03-02 15:10:00+00'), lead_system.close_bidding(pg_temp.lead())$$,
        'LS010 | bidding on lead "LEAD" is not open | Bidding was closed at 2026-03-02 15:10:00+00; the lead is PENDING_RESPONSE_1. | A bid must come in before bidding closes.'),
    ('a lead that nobody has bid for', 'SELECT pg_temp.play(0, '''')',
        'LS010 | bidding on lead "LEAD" is not open | Bidding was closed at 2026-03-02 15:30:00+00; the lead is EXPIRED. | A bid must come in before bidding closes.'),
    ('a lead that was archived', 'SELECT pg_temp.offer(0); ' || pg_temp.step('ARCHIVED', false),
        'LS010 | bidding on lead "LEAD" is not open | Bidding was closed at 2026-03-02 15:00:00+00; the lead is ARCHIVED. | A bid must come in before bidding closes.'),
    ('a lead that was deleted', 'SELECT pg_temp.offer(0); UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = pg_temp.lead()', 'P0002 | lead "LEAD" does not exist'),
    ('a user who is not active', 'SELECT pg_temp.offer(0); UPDATE lead_system.users SET is_active = false WHERE id = pg_temp.bidder(1)',
        'LS012 | contractor "ADA" cannot bid for lead "LEAD" | The user is not active. | Set users.is_active to let the user in again.'),
    ('a user who is no contractor', 'SELECT pg_temp.offer(0); UPDATE lead_system.users SET is_contractor = false WHERE id = pg_temp.bidder(1)',
        'LS012 | contractor "ADA" cannot bid for lead "LEAD" | The user is not a contractor. | Set users.is_contractor for those who bid.'),
    ('another category', $$SELECT pg_temp.offer(0); UPDATE lead_system.leads SET category_id = (SELECT id FROM lead_system.categories WHERE slug = 'roofing') WHERE id = pg_temp.lead();
        UPDATE lead_system.users SET contractor_categories = ARRAY(SELECT id FROM lead_system.categories WHERE slug <> 'roofing') WHERE id = pg_temp.bidder(1)$$,
        'LS012 | contractor "ADA" cannot bid for lead "LEAD" | The category of the lead is not among the contractor''s categories. | users.contractor_categories lists them; empty means all.'),
    ('no category', $$SELECT pg_temp.offer(0); UPDATE lead_system.users SET contractor_categories = ARRAY(SELECT id FROM lead_system.categories) WHERE id = pg_temp.bidder(1)$$,
        'LS012 | contractor "ADA" cannot bid for lead "LEAD" | The category of the lead is not among the contractor''s categories. | users.contractor_categories lists them; empty means all.'),
    ('the category', $$SELECT pg_temp.offer(0); UPDATE lead_system.leads SET category_id = (SELECT id FROM lead_system.categories WHERE slug = 'roofing') WHERE id = pg_temp.lead();
        UPDATE lead_system.users SET contractor_categories = ARRAY(SELECT id FROM lead_system.categories) WHERE id = pg_temp.bidder(1)$$, 'done'),
    ('another ZIP code', $$SELECT pg_temp.offer(0); UPDATE lead_system.leads SET zip_code = '60601' WHERE id = pg_temp.lead();
        UPDATE lead_system.users SET service_area_zip_codes = '{60602,6060}' WHERE id = pg_temp.bidder(1)$$,
        'LS012 | contractor "ADA" cannot bid for lead "LEAD" | The ZIP code of the lead is not in the contractor''s service area. | users.service_area_zip_codes lists it; empty means everywhere.'),
    ('no ZIP code', $$SELECT pg_temp.offer(0); UPDATE lead_system.users SET service_area_zip_codes = '{60601}' WHERE id = pg_temp.bidder(1)$$,
        'LS012 | contractor "ADA" cannot bid for lead "LEAD" | The ZIP code of the lead is not in the contractor''s service area. | users.service_area_zip_codes lists it; empty means everywhere.'),
    ('the ZIP code', $$SELECT pg_temp.offer(0); UPDATE lead_system.leads SET zip_code = '60601' WHERE id = pg_temp.lead();
        UPDATE lead_system.users SET service_area_zip_codes = '{60600,60601}' WHERE id = pg_temp.bidder(1)$$, 'done'),
    ('a ban', $$SELECT pg_temp.offer(0); UPDATE lead_system.users SET is_bidding_banned = true, bidding_ban_until = '2026-03-02 15:00:00.000001+00' WHERE id = pg_temp.bidder(1)$$,
        'LS011 | contractor "ADA" is banned from bidding | The ban ends at 2026-03-02 15:00:00.000001+00. | appeal_ban() asks for its end.'),
    ('a ban without end', $$SELECT pg_temp.offer(0); UPDATE lead_system.users SET is_bidding_banned = true WHERE id = pg_temp.bidder(1)$$,
        'LS011 | contractor "ADA" is banned from bidding | The ban has no end. | appeal_ban() asks for its end.'),
    ('a ban that has just ended', $$SELECT pg_temp.offer(0); UPDATE lead_system.users SET is_bidding_banned = true, bidding_ban_until = '2026-03-02 15:00:00+00' WHERE id = pg_temp.bidder(1)$$, 'done'),
    ('a second bid', 'SELECT pg_temp.offer(1)',
        '23505 | contractor "ADA" has bid for lead "LEAD" already | Bid "BID" is ACTIVE. | A contractor bids once for a lead; a bid that was cancelled counts, too.'),
    ('a second bid after the first was cancelled', 'SELECT pg_temp.offer(1); SELECT lead_system.cancel_bid(pg_temp.bid(1))',
        '23505 | contractor "ADA" has bid for lead "LEAD" already | Bid "BID" is CANCELLED. | A contractor bids once for a lead; a bid that was cancelled counts, too.'),
    ('a session of another contractor', $$SELECT pg_temp.offer(0); SELECT set_config('app.current_user_id', pg_temp.bidder(2)::text, true)$$,
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    ('the session of the contractor', $$SELECT pg_temp.offer(0); SELECT set_config('app.current_user_id', pg_temp.bidder(1)::text, true)$$, 'done'),
    ('the moment before the end', $$SELECT pg_temp.offer(0), pg_temp.at('2026-03-02 15:29:59.999999+00')$$, 'done');
CREATE FUNCTION pg_temp.place(contractor uuid, multiplier text) RETURNS text LANGUAGE sql AS
$$ SELECT format('SELECT left(lead_system.place_bid(%L, %L, %s)::text, 0)', pg_temp.lead(), contractor, multiplier) $$;
CREATE FUNCTION pg_temp.add(contractor uuid, multiplier text) RETURNS text LANGUAGE sql AS
$$ SELECT format('INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier) VALUES (lead_system.current_org_id(), %L, %L, %s) RETURNING left(id::text, 0)', pg_temp.lead(), contractor, multiplier) $$;

SELECT is(pg_temp.outcome(before, w.statement), answer, what || ', ' || w.way)
  FROM bid_rules, (VALUES ('place_bid', pg_temp.place(pg_temp.bidder(1), '1')), ('INSERT', pg_temp.add(pg_temp.bidder(1), '1'))) w(way, statement) ORDER BY position, way;
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(0)', pg_temp.place(pg_temp.bidder(1), multiplier)), answer, 'a multiplier of ' || multiplier)
  FROM (VALUES ('0.50', 'done'), ('2.00', 'done'),
    ('0.49', '23514 | bid multiplier must be between 0.50 and 2.00 | It is 0.49. | 1.00 bids the base cost of the lead.'),
    ('0.4999', '23514 | bid multiplier must be between 0.50 and 2.00 | It is 0.4999. | 1.00 bids the base cost of the lead.'),
    ('2.01', '23514 | bid multiplier must be between 0.50 and 2.00 | It is 2.01. | 1.00 bids the base cost of the lead.'),
    ('2.0001', '23514 | bid multiplier must be between 0.50 and 2.00 | It is 2.0001. | 1.00 bids the base cost of the lead.'),
    ('-1', '23514 | bid multiplier must be between 0.50 and 2.00 | It is -1. | 1.00 bids the base cost of the lead.'),
    ('''NaN''', '23514 | bid multiplier must be between 0.50 and 2.00 | It is NaN. | 1.00 bids the base cost of the lead.')) v(multiplier, answer);
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(0)', pg_temp.place(:'alpha', '1')), 'P0002 | contractor "' || :'alpha' || '" does not exist', 'a contractor who does not exist');
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(0)', pg_temp.place('a0000000-0000-4000-8000-0000000000a2', '1')),
    'P0002 | contractor "a0000000-0000-4000-8000-0000000000a2" does not exist', 'somebody of another organization');
-- What is frozen cannot be given along.
SELECT is(pg_temp.outcome($$SELECT pg_temp.offer(0); INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier, discount_multiplier, final_bid_amount,
        rank_amount, rating_at_bid, bid_placed_at, status, bid_rank, response_window_starts_at, response_window_ends_at)
        VALUES (lead_system.current_org_id(), pg_temp.lead(), pg_temp.bidder(1), 1, 0.01, 1, 99999, 5, '2001-01-01', 'WON', 1, '2001-01-01', '2031-01-01')$$,
    'SELECT concat_ws('' '', discount_multiplier, final_bid_amount, rank_amount, rating_at_bid, bid_placed_at, status, bid_rank, response_window_starts_at) FROM lead_system.bids'),
    '1.00 100.00 100.00 0.00 2026-03-02 15:00:00+00 ACTIVE', 'a bid is what the rules make of it');

-- Edges of time.

CREATE TEMP TABLE edges (position serial, what text, before text, statement text, answer text) ON COMMIT DROP;
INSERT INTO edges (what, before, statement, answer) VALUES
    ('bidding closes in half an hour', 'SELECT pg_temp.offer(0)', 'SELECT bidding_closes_at FROM lead_system.lead_listings', '2026-03-02 15:30:00+00'),
    ('it cannot close now', $$SELECT pg_temp.at('2026-03-02 15:00:00+00'); INSERT INTO lead_system.leads (organization_id, id) VALUES (lead_system.current_org_id(), pg_temp.lead())$$,
        $$SELECT lead_system.open_bidding(pg_temp.lead(), 100, '2026-03-02 15:00:00+00')$$, '22023 | closes_at must be a time to come | It is 2026-03-02 15:00:00+00 now.'),
    ('it can close in a moment', $$SELECT pg_temp.at('2026-03-02 15:00:00+00'); INSERT INTO lead_system.leads (organization_id, id) VALUES (lead_system.current_org_id(), pg_temp.lead())$$,
        $$SELECT lead_system.open_bidding(pg_temp.lead(), 100, '2026-03-02 15:00:00.000001+00')$$, 'done'),
    ('it is not due before its end', $$SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 15:29:59.999999+00')$$, 'SELECT lead_system.close_due_bidding()', '0'),
    ('it is due at its end', $$SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 15:30:00+00')$$, 'SELECT lead_system.close_due_bidding()', '1'),
    ('a bid can be cancelled before the end', $$SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 15:29:59.999999+00')$$, 'SELECT lead_system.cancel_bid(pg_temp.bid(1))', 'done'),
    ('not at the end', $$SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 15:30:00+00')$$, 'SELECT lead_system.cancel_bid(pg_temp.bid(1))',
        'LS010 | bidding on lead "LEAD" is not open | Bidding ended at 2026-03-02 15:30:00+00. | A bid must come in before bidding closes.'),
    ('a late bid extends nothing by itself', $$SELECT pg_temp.offer(0), pg_temp.at('2026-03-02 15:29:59.999999+00'); SELECT lead_system.place_bid(pg_temp.lead(), pg_temp.bidder(1), 1)$$,
        'SELECT bidding_closes_at FROM lead_system.lead_listings', '2026-03-02 15:30:00+00'),
    ('where it does, not two minutes and a moment before', $$SELECT lead_system.set_config('marketplace.anti_snipe', 'true'); SELECT pg_temp.offer(0), pg_temp.at('2026-03-02 15:27:59.999999+00');
        SELECT lead_system.place_bid(pg_temp.lead(), pg_temp.bidder(1), 1)$$, 'SELECT bidding_closes_at FROM lead_system.lead_listings', '2026-03-02 15:30:00+00'),
    ('but two minutes before', $$SELECT lead_system.set_config('marketplace.anti_snipe', 'true'); SELECT pg_temp.offer(0), pg_temp.at('2026-03-02 15:28:00+00');
        SELECT lead_system.place_bid(pg_temp.lead(), pg_temp.bidder(1), 1)$$, 'SELECT bidding_closes_at FROM lead_system.lead_listings', '2026-03-02 15:32:00+00'),
    ('the window has two hours', 'SELECT pg_temp.play(1, '''')', 'SELECT response_window_starts_at || '' '' || response_window_ends_at FROM lead_system.bids',
        '2026-03-02 15:30:00+00 2026-03-02 17:30:00+00'),
    ('they begin with the sweeper, not with the end of bidding', $$SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 16:00:00+00'); SELECT lead_system.close_due_bidding()$$,
        'SELECT response_window_starts_at || '' '' || response_window_ends_at FROM lead_system.bids', '2026-03-02 16:00:00+00 2026-03-02 18:00:00+00'),
    ('a message at once', 'SELECT pg_temp.play(1, '''')', 'SELECT left(lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), ''x'')::text, 0)', 'done'),
    ('a message at the end', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00+00')$$, 'SELECT left(lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), ''x'')::text, 0)', 'done'),
    ('a message after the end', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00.000001+00')$$, 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), ''x'')',
        'LS013 | user "ADA" does not hold the response window of lead "LEAD" | The window ended at 2026-03-02 17:30:00+00. | The first message comes from the contractor whose window is open.'),
    ('a decline at the end', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00+00')$$, 'SELECT lead_system.decline_lead(pg_temp.bid(1), ''x'')', 'done'),
    ('a decline after the end', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00.000001+00')$$, 'SELECT lead_system.decline_lead(pg_temp.bid(1), ''x'')',
        'LS013 | the response window of bid "BID" is not open | It ended at 2026-03-02 17:30:00+00. | Only the contractor whose window is open can decline.'),
    ('a decline before one''s window', 'SELECT pg_temp.play(2, ''''); UPDATE lead_system.users SET is_active = true', 'SELECT lead_system.decline_lead(pg_temp.bid(2), ''x'')',
        'LS013 | the response window of bid "' || pg_temp.bid(2) || '" is not open | The lead is PENDING_RESPONSE_1. | Only the contractor whose window is open can decline.'),
    ('no window lapses at its end', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00+00')$$, 'SELECT lead_system.expire_response_windows()', '0'),
    ('but a moment later', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00.000001+00')$$, 'SELECT lead_system.expire_response_windows()', '1'),
    ('no warning while more than half an hour is left', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 16:59:59.999999+00')$$, 'SELECT lead_system.warn_response_windows()', '0'),
    ('half an hour before the end of a window its holder is warned, once', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:00:00+00'); SELECT lead_system.warn_response_windows()$$,
        $$SELECT concat_ws(' ', lead_system.warn_response_windows(), (SELECT window_warned_at FROM lead_system.bids),
            (SELECT string_agg(concat_ws(' | ', new_value ->> 'contractor_id', new_value ->> 'bid_id', description), ';') FROM lead_system.activities WHERE action_type = 'window_ending_soon'))$$,
        '0 2026-03-02 17:00:00+00 ADA | BID | Response window ends at 2026-03-02 17:30:00+00'),
    ('at the end a warning is still of use', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00+00')$$, 'SELECT lead_system.warn_response_windows()', '1'),
    ('but not after it', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:30:00.000001+00')$$, 'SELECT lead_system.warn_response_windows()', '0'),
    ('nor when the lead was contacted', $$SELECT pg_temp.play(1, 'M')$$, 'SELECT lead_system.warn_response_windows()', '0'),
    ('nor to a bid that waits for its window', $$SELECT pg_temp.play(3, ''), pg_temp.at('2026-03-02 17:29:00+00'); SELECT lead_system.warn_response_windows()$$,
        'SELECT concat_ws('' '', lead_system.warn_response_windows(), (SELECT string_agg(bid_rank::text, '' '') FROM lead_system.bids WHERE window_warned_at IS NOT NULL))', '0 1'),
    ('the next holder has a warning, too', $$SELECT pg_temp.play(2, ''), pg_temp.at('2026-03-02 17:15:00+00'); SELECT lead_system.warn_response_windows(); SELECT lead_system.decline_lead(pg_temp.bid(1), 'x'), pg_temp.at('2026-03-02 18:45:00+00')$$,
        'SELECT lead_system.warn_response_windows()', '1'),
    ('a window as short as the warning has none', $$SELECT lead_system.set_config('marketplace.response_minutes', '30'); SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 15:45:00+00')$$,
        'SELECT lead_system.warn_response_windows()', '0'),
    ('the warning comes as early as the organization likes', $$SELECT lead_system.set_config('marketplace.warning_minutes', '45'); SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 16:45:00+00')$$,
        'SELECT lead_system.warn_response_windows()', '1'),
    ('or never', $$SELECT lead_system.set_config('marketplace.warning_minutes', '0'); SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:29:00+00')$$,
        'SELECT lead_system.warn_response_windows()', '0'),
    ('so many at a time as asked for', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:29:00+00')$$, 'SELECT lead_system.warn_response_windows(0)', '22023 | batch must be between 1 and 1000000'),
    ('the next window begins with the sweeper', $$SELECT pg_temp.play(2, ''), pg_temp.at('2026-03-02 20:00:00+00'); SELECT lead_system.expire_response_windows()$$,
        'SELECT response_window_starts_at || '' '' || response_window_ends_at FROM lead_system.bids WHERE bid_rank = 2', '2026-03-02 20:00:00+00 2026-03-02 22:00:00+00'),
    ('or with the decline', $$SELECT pg_temp.play(2, ''), pg_temp.at('2026-03-02 16:00:00+00'); SELECT lead_system.decline_lead(pg_temp.bid(1), 'x')$$,
        'SELECT response_window_starts_at || '' '' || response_window_ends_at FROM lead_system.bids WHERE bid_rank = 2', '2026-03-02 16:00:00+00 2026-03-02 18:00:00+00'),
    ('a sweeper that comes late ends one window of a lead at a time', $$SELECT pg_temp.play(3, ''), pg_temp.at('2026-03-09 00:00:00+00')$$,
        'SELECT concat_ws('' '', lead_system.expire_response_windows(), lead_system.expire_response_windows())', '1 0'),
    ('nine strikes ban nobody', $$UPDATE lead_system.users SET strike_count = 8 WHERE id = pg_temp.bidder(1); SELECT pg_temp.play(1, 'L')$$,
        'SELECT concat_ws('' '', strike_count, is_bidding_banned) FROM lead_system.users WHERE id = pg_temp.bidder(1)', '9 f'),
    ('the tenth one does, for thirty days', $$UPDATE lead_system.users SET strike_count = 9 WHERE id = pg_temp.bidder(1); SELECT pg_temp.play(1, 'L')$$,
        'SELECT concat_ws('' '', strike_count, is_bidding_banned, bidding_ban_until, (SELECT ban_triggered FROM lead_system.strike_logs)) FROM lead_system.users WHERE id = pg_temp.bidder(1)',
        '10 t 2026-04-01 17:30:00.000001+00 t'),
    ('of 24 hours each, whatever the time zone', $$SET LOCAL timezone = 'America/New_York'; UPDATE lead_system.users SET strike_count = 9 WHERE id = pg_temp.bidder(1); SELECT pg_temp.play(1, 'L')$$,
        'SELECT bidding_ban_until AT TIME ZONE ''UTC'' FROM lead_system.users WHERE id = pg_temp.bidder(1)', '2026-04-01 17:30:00.000001'),
    ('the next strike adds no ban', $$UPDATE lead_system.users SET strike_count = 10 WHERE id = pg_temp.bidder(1); SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 15:30:00+00'); SELECT lead_system.close_due_bidding();
        UPDATE lead_system.users SET is_bidding_banned = true, bidding_ban_until = '2026-03-03 00:00:00+00' WHERE id = pg_temp.bidder(1); SELECT pg_temp.at('2026-03-02 17:31:00+00'); SELECT lead_system.expire_response_windows()$$,
        'SELECT concat_ws('' '', strike_count, bidding_ban_until, (SELECT ban_triggered FROM lead_system.strike_logs)) FROM lead_system.users WHERE id = pg_temp.bidder(1)', '11 2026-03-03 00:00:00+00 f'),
    ('a strike at the end of a ban is the first one', $$UPDATE lead_system.users SET strike_count = 10 WHERE id = pg_temp.bidder(1); SELECT pg_temp.offer(1), pg_temp.at('2026-03-02 15:30:00+00'); SELECT lead_system.close_due_bidding();
        UPDATE lead_system.users SET is_bidding_banned = true, bidding_ban_until = '2026-03-02 17:31:00+00' WHERE id = pg_temp.bidder(1); SELECT pg_temp.at('2026-03-02 17:31:00+00'); SELECT lead_system.expire_response_windows()$$,
        'SELECT concat_ws('' '', strike_count, is_bidding_banned, bidding_ban_until, strikes_reset_at) FROM lead_system.users WHERE id = pg_temp.bidder(1)', '1 f 2026-03-02 17:31:00+00'),
    ('the end of the ban is written down, too', $$UPDATE lead_system.users SET strike_count = 10 WHERE id = pg_temp.bidder(1); SELECT pg_temp.play(1, '');
        UPDATE lead_system.users SET is_bidding_banned = true, bidding_ban_until = '2026-03-02 17:00:00+00' WHERE id = pg_temp.bidder(1); SELECT pg_temp.at('2026-03-02 17:31:00+00'); SELECT lead_system.expire_response_windows()$$,
        'SELECT string_agg(concat_ws('' '', action_type, new_value ->> ''contractor_id'', description, lead_id), '', '' ORDER BY id) FROM lead_system.activities WHERE action_type IN (''ban_lifted'', ''strike_applied'')',
        'ban_lifted ADA The ban has run out, strike_applied ADA Response window expired LEAD'),
    ('a strike during a ban without end', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:31:00+00'); UPDATE lead_system.users SET is_bidding_banned = true, strike_count = 8 WHERE id = pg_temp.bidder(1); SELECT lead_system.expire_response_windows()$$,
        'SELECT concat_ws('' '', strike_count, is_bidding_banned, bidding_ban_until) FROM lead_system.users WHERE id = pg_temp.bidder(1)', '9 t'),
    ('it stays without end, however many there are', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-03-02 17:31:00+00'); UPDATE lead_system.users SET is_bidding_banned = true, strike_count = 9 WHERE id = pg_temp.bidder(1); SELECT lead_system.expire_response_windows()$$,
        'SELECT concat_ws('' '', strike_count, is_bidding_banned, bidding_ban_until, (SELECT ban_triggered FROM lead_system.strike_logs)) FROM lead_system.users WHERE id = pg_temp.bidder(1)', '10 t f');
-- Bans and appeals.
CREATE FUNCTION pg_temp.banned() RETURNS void LANGUAGE sql AS
$$ UPDATE lead_system.users SET is_bidding_banned = true, bidding_ban_until = '2026-03-20 00:00:00+00', strike_count = 10 WHERE id = pg_temp.bidder(1);
   SELECT pg_temp.at('2026-03-02 15:00:00+00') $$;
CREATE FUNCTION pg_temp.appealed() RETURNS void LANGUAGE sql AS
$$ SELECT pg_temp.banned(); INSERT INTO lead_system.ban_appeals (organization_id, id, contractor_id, appeal_reason, review_due_at)
   VALUES (lead_system.current_org_id(), pg_temp.bid(1), pg_temp.bidder(1), 'I was in hospital', lead_system.clock_now()) $$;
INSERT INTO edges (what, before, statement, answer) VALUES
    ('a ban is not over before its end', $$SELECT pg_temp.banned(), pg_temp.at('2026-03-19 23:59:59.999999+00')$$, 'SELECT lead_system.lift_expired_bans()', '0'),
    ('it is at its end', $$SELECT pg_temp.banned(), pg_temp.at('2026-03-20 00:00:00+00')$$, 'SELECT lead_system.lift_expired_bans()', '1'),
    ('and the count starts anew', $$SELECT pg_temp.banned(), pg_temp.at('2026-03-20 00:00:00+00'); SELECT lead_system.lift_expired_bans()$$,
        'SELECT concat_ws('' '', strike_count, is_bidding_banned, bidding_ban_until, strikes_reset_at) FROM lead_system.users WHERE id = pg_temp.bidder(1)', '0 f 2026-03-20 00:00:00+00'),
    ('an appeal before the end', $$SELECT pg_temp.banned(), pg_temp.at('2026-03-19 23:59:59.999999+00')$$, 'SELECT left(lead_system.appeal_ban(pg_temp.bidder(1), ''0123456789'')::text, 0)', 'done'),
    ('an appeal at the end', $$SELECT pg_temp.banned(), pg_temp.at('2026-03-20 00:00:00+00')$$, 'SELECT lead_system.appeal_ban(pg_temp.bidder(1), ''0123456789'')',
        '55000 | contractor "ADA" is not banned from bidding | There is nothing to appeal against.'),
    ('an appeal that is too short', 'SELECT pg_temp.banned()', 'SELECT lead_system.appeal_ban(pg_temp.bidder(1), ''  012345678  '')',
        '23514 | appeal_reason must have 10 to 1000 characters | It has 9, without white space around it.'),
    ('a long appeal', 'SELECT pg_temp.banned()', 'SELECT left(lead_system.appeal_ban(pg_temp.bidder(1), repeat(''ä'', 1000))::text, 0)', 'done'),
    ('an appeal that is too long', 'SELECT pg_temp.banned()', 'SELECT lead_system.appeal_ban(pg_temp.bidder(1), repeat(''ä'', 1001))',
        '23514 | appeal_reason must have 10 to 1000 characters | It has 1001, without white space around it.'),
    ('a second appeal', 'SELECT pg_temp.appealed()', 'SELECT lead_system.appeal_ban(pg_temp.bidder(1), ''0123456789'')',
        '23505 | an appeal of contractor "ADA" is pending | It is appeal "BID". | review_appeal() decides it.'),
    ('it is due in two days', $$SELECT pg_temp.banned(); SELECT lead_system.appeal_ban(pg_temp.bidder(1), '0123456789')$$, 'SELECT review_due_at FROM lead_system.ban_appeals', '2026-03-04 15:00:00+00'),
    ('approved', $$SELECT pg_temp.appealed(); SELECT lead_system.review_appeal(pg_temp.bid(1), true, 'c0000000-0000-4000-8000-000000000010')$$,
        'SELECT concat_ws('' '', a.status, strike_count, is_bidding_banned, bidding_ban_until, strikes_reset_at) FROM lead_system.users u JOIN lead_system.ban_appeals a ON a.contractor_id = u.id', 'APPROVED 0 f 2026-03-02 15:00:00+00'),
    ('rejected', $$SELECT pg_temp.appealed(); SELECT lead_system.review_appeal(pg_temp.bid(1), false, 'c0000000-0000-4000-8000-000000000010')$$,
        'SELECT concat_ws('' '', a.status, strike_count, is_bidding_banned, bidding_ban_until) FROM lead_system.users u JOIN lead_system.ban_appeals a ON a.contractor_id = u.id', 'REJECTED 10 t 2026-03-20 00:00:00+00'),
    ('decided once', $$SELECT pg_temp.appealed(); SELECT lead_system.review_appeal(pg_temp.bid(1), false, 'c0000000-0000-4000-8000-000000000010')$$,
        $$SELECT lead_system.review_appeal(pg_temp.bid(1), true, 'c0000000-0000-4000-8000-000000000010')$$, '55000 | appeal "BID" has been decided | The contractor can make another one.'),
    ('not by a contractor', 'SELECT pg_temp.appealed()', 'SELECT lead_system.review_appeal(pg_temp.bid(1), true, pg_temp.bidder(2))',
        '42501 | a contractor cannot review appeals | Pass one of the organization''s people as reviewed_by.'),
    ('the next appeal a moment too early', $$SELECT pg_temp.appealed(); SELECT lead_system.review_appeal(pg_temp.bid(1), false, 'c0000000-0000-4000-8000-000000000010'); SELECT pg_temp.at('2026-03-09 14:59:59.999999+00')$$,
        'SELECT lead_system.appeal_ban(pg_temp.bidder(1), ''0123456789'')', '55000 | contractor "ADA" cannot appeal yet | An appeal was rejected; the next one is allowed from 2026-03-09 15:00:00+00 on.'),
    ('the next appeal after seven days', $$SELECT pg_temp.appealed(); SELECT lead_system.review_appeal(pg_temp.bid(1), false, 'c0000000-0000-4000-8000-000000000010'); SELECT pg_temp.at('2026-03-09 15:00:00+00')$$,
        'SELECT left(lead_system.appeal_ban(pg_temp.bidder(1), ''0123456789'')::text, 0)', 'done'),
    ('a lead is archived after thirty days, not before', $$SELECT pg_temp.play(0, ''), pg_temp.at('2026-04-01 14:59:59.999999+00')$$, 'SELECT lead_system.archive_listings()', '0'),
    ('a lead is archived after thirty days', $$SELECT pg_temp.play(0, ''), pg_temp.at('2026-04-01 15:00:00+00')$$, 'SELECT lead_system.archive_listings()', '1'),
    ('not while a window is open', $$SELECT pg_temp.play(1, ''), pg_temp.at('2026-04-10 15:00:00+00')$$, 'SELECT lead_system.archive_listings()', '0');
-- Messages.
INSERT INTO edges (what, before, statement, answer) VALUES
    ('a message of 5000 characters', 'SELECT pg_temp.play(1, '''')', 'SELECT left(lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), repeat(''ä'', 5000))::text, 0)', 'done'),
    ('a message of 5001', 'SELECT pg_temp.play(1, '''')', 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), repeat(''ä'', 5001))',
        '23514 | a message must have 1 to 5000 characters | It has 5001, white space at its ends included.'),
    ('a message of nothing', 'SELECT pg_temp.play(1, '''')', 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), E'' \n'')',
        '23514 | a message must have 1 to 5000 characters | It has 2, white space at its ends included.'),
    ('the first message by the next bidder', 'SELECT pg_temp.play(2, '''')', 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(2), ''x'')',
        'LS013 | user "' || pg_temp.bidder(2) || '" does not hold the response window of lead "LEAD" | The lead is PENDING_RESPONSE_1. | The first message comes from the contractor whose window is open.'),
    ('the first message by the staff', 'SELECT pg_temp.play(2, '''')', 'SELECT lead_system.send_message(pg_temp.lead(), ''c0000000-0000-4000-8000-000000000010'', ''x'')',
        'LS013 | user "c0000000-0000-4000-8000-000000000010" does not hold the response window of lead "LEAD" | The lead is PENDING_RESPONSE_1. | The first message comes from the contractor whose window is open.'),
    ('a message by one whose window has lapsed', 'SELECT pg_temp.play(2, ''L'')', 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), ''x'')',
        'LS013 | user "ADA" does not hold the response window of lead "LEAD" | The lead is PENDING_RESPONSE_2. | The first message comes from the contractor whose window is open.'),
    ('a message by one who has lost', 'SELECT pg_temp.play(2, ''LM'')', 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), ''x'')',
        'LS013 | user "ADA" does not hold the response window of lead "LEAD" | Another contractor has contacted the lead. | The first message comes from the contractor whose window is open.'),
    ('the staff writes to the winner', 'SELECT pg_temp.play(2, ''LM'')', 'SELECT left(lead_system.send_message(pg_temp.lead(), ''c0000000-0000-4000-8000-000000000010'', ''x'')::text, 0)', 'done'),
    ('the winner writes again, charged once', $$SELECT pg_temp.play(1, 'M'); SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), 'x')$$,
        'SELECT concat_ws('' '', (SELECT count(*) FROM lead_system.messages), count(*), sum(amount)) FROM lead_system.conversions', '2 1 195.00'),
    ('two first messages in one statement', $$SELECT pg_temp.play(2, ''); INSERT INTO lead_system.messages (organization_id, lead_id, sender_id, message_text)
        SELECT lead_system.current_org_id(), pg_temp.lead(), pg_temp.bidder(1), n::text FROM generate_series(1, 2) n$$,
        'SELECT concat_ws('' '', (SELECT count(*) FROM lead_system.messages), count(*), sum(amount)) FROM lead_system.conversions', '2 1 195.00'),
    ('a message that is not kept charges nobody', $$CREATE FUNCTION pg_temp.spam() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER spam BEFORE INSERT ON lead_system.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.spam();
        SELECT pg_temp.play(1, ''); INSERT INTO lead_system.messages (organization_id, lead_id, sender_id, message_text) VALUES (lead_system.current_org_id(), pg_temp.lead(), pg_temp.bidder(1), 'x')$$,
        'SELECT concat_ws('' '', (SELECT count(*) FROM lead_system.messages), (SELECT count(*) FROM lead_system.conversions), (SELECT status FROM lead_system.leads WHERE id = pg_temp.lead()))', '0 0 PENDING_RESPONSE_1');
SELECT is(pg_temp.outcome(before, statement), answer, what) FROM edges ORDER BY position;

-- Who sees what, and who does what.

CREATE FUNCTION pg_temp.as_role(role_name text, user_id uuid) RETURNS text LANGUAGE sql AS
$$ SELECT format('; SET LOCAL ROLE %I; SELECT set_config(''app.current_user_id'', %L, true)', role_name, user_id) $$;
\set meg 'c0000000-0000-4000-8000-000000000010'
\set seen 'SELECT string_agg(coalesce(final_bid_amount::text, ''-'') || '' '' || coalesce(bid_rank::text, ''-''), '', '' ORDER BY bid_rank, final_bid_amount DESC) FROM lead_system.rank_bids(pg_temp.lead())'
\set amounts 'SELECT string_agg(final_bid_amount::text, '' '' ORDER BY final_bid_amount DESC) FROM lead_system.bids'

-- The organization's people see all bids at any time, a contractor at no level those of others.
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3)' || pg_temp.as_role(role_name, :'meg'), :'amounts'),
        CASE level WHEN 'none' THEN '42501 | permission denied for schema lead_system' ELSE '195.00 190.00 185.00' END, level || ' and the bids')
  FROM levels ORDER BY position;
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3)' || pg_temp.as_role(role_name, :'meg'), :'seen'),
        CASE level WHEN 'none' THEN '42501 | permission denied for schema lead_system' ELSE '195.00 1, 190.00 2, 185.00 3' END, level || ' and the ranks')
  FROM levels ORDER BY position;
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3)' || pg_temp.as_role(role_name, pg_temp.bidder(2)), :'amounts'), '190.00', 'a contractor''s own bid, at level ' || level)
  FROM levels WHERE level <> 'none' ORDER BY position;
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3)' || pg_temp.as_role(role_name, pg_temp.bidder(2)), :'seen'), '190.00 -', 'no ranks before the close, at level ' || level)
  FROM levels WHERE level <> 'none' ORDER BY position;
SELECT is(pg_temp.outcome('SELECT pg_temp.play(4, '''')' || pg_temp.as_role(role_name, pg_temp.bidder(2)), :'seen'), '- 1, 190.00 2, - 3, - 4', 'ranks after it, own amount only, at level ' || level)
  FROM levels WHERE level <> 'none' ORDER BY position;
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3)' || pg_temp.as_role('tap_agent', pg_temp.bidder(5)), :'seen'), 'done', 'who has not bid sees nothing before the close');
SELECT is(pg_temp.outcome('SELECT pg_temp.play(1, '''')' || pg_temp.as_role('tap_agent', pg_temp.bidder(5)), :'seen'), '- 1', 'nor amounts after it');
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3); UPDATE lead_system.users SET is_contractor = false WHERE id = pg_temp.bidder(2)'
        || pg_temp.as_role('tap_agent', pg_temp.bidder(2)), :'amounts'), '190.00', 'a contractor who may not bid any more sees no more than before');
SELECT alike(pg_temp.outcome('SELECT pg_temp.offer(3); UPDATE lead_system.users SET is_active = false WHERE id = pg_temp.bidder(2)'
        || pg_temp.as_role('tap_agent', pg_temp.bidder(2)), :'amounts'), '42501 | user "%" is not an active member of organization %', 'one who was let go sees nothing');
SELECT is(pg_temp.outcome('SELECT pg_temp.offer(3)' || pg_temp.as_role('tap_agent', pg_temp.bidder(2)),
        $$SELECT count(*) FROM lead_system.activities a WHERE a::text LIKE '%195%' OR a::text LIKE '%' || pg_temp.bidder(1) || '%'$$), '0', 'the activities do not tell of the others'' bids');
SELECT is(pg_temp.outcome(format('SELECT pg_temp.offer(3); SELECT set_config(''app.current_org_id'', %L, true)', :'alpha') || pg_temp.as_role('tap_admin', NULL), :'amounts'), 'done', 'another organization sees no bids');
SELECT is(pg_temp.outcome(format('SELECT pg_temp.offer(3); SELECT set_config(''app.current_org_id'', %L, true)', :'alpha') || pg_temp.as_role('tap_admin', NULL), :'seen'),
        'P0002 | lead "LEAD" does not exist', 'and no ranks');

-- What comes after the close is each contractor's own as well: Ada's window has lapsed, the second bidder won.
CREATE TEMP TABLE own (what text, of_ada text, of_second text, statement text) ON COMMIT DROP;
INSERT INTO own VALUES
    ('bids', 'EXPIRED', 'WON', 'SELECT string_agg(status, '' '') FROM lead_system.bids'),
    ('strikes', '1', '0', 'SELECT count(*) FROM lead_system.strike_logs'),
    ('charges', '0', '1', 'SELECT count(*) FROM lead_system.conversions'),
    ('messages', '0', '1', 'SELECT count(*) FROM lead_system.messages'),
    ('metrics', '0.00', '190.00', 'SELECT string_agg(total_spent::text, '' '') FROM lead_system.contractor_metrics'),
    ('appeals', '1', '0', 'SELECT count(*) FROM lead_system.ban_appeals');
SELECT is(pg_temp.outcome('SELECT pg_temp.play(3, ''LM''), pg_temp.appealed()' || pg_temp.as_role('tap_agent', pg_temp.bidder(n)), statement),
        CASE n WHEN 1 THEN of_ada ELSE of_second END, what || ' of bidder ' || n)
  FROM own, generate_series(1, 2) n ORDER BY what, n;

-- A contractor acts for nobody else, and for the organization not at all.
SELECT is(pg_temp.outcome(v.before || pg_temp.as_role(v.role_name, pg_temp.bidder(2)), v.statement), v.answer, 'a contractor cannot ' || v.what)
  FROM (VALUES
    (1, 'tap_agent', 'bid for another one', 'SELECT pg_temp.offer(2)', pg_temp.place(pg_temp.bidder(5), '1'),
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    (2, 'tap_agent', 'bid for another one with INSERT', 'SELECT pg_temp.offer(2)', pg_temp.add(pg_temp.bidder(5), '1'),
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    (3, 'tap_agent', 'cancel another one''s bid', 'SELECT pg_temp.offer(2)', 'SELECT lead_system.cancel_bid(pg_temp.bid(1))', 'P0002 | bid "BID" does not exist'),
    (4, 'tap_agent', 'decline for another one', 'SELECT pg_temp.play(2, '''')', 'SELECT lead_system.decline_lead(pg_temp.bid(1), ''x'')', 'P0002 | bid "BID" does not exist'),
    (5, 'tap_agent', 'write for another one', 'SELECT pg_temp.play(2, '''')', 'SELECT lead_system.send_message(pg_temp.lead(), pg_temp.bidder(1), ''x'')',
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    (6, 'tap_agent', 'appeal for another one', 'SELECT pg_temp.banned()', 'SELECT lead_system.appeal_ban(pg_temp.bidder(1), ''0123456789'')',
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    (7, 'tap_agent', 'record another one''s conversion', 'SELECT pg_temp.play(2, ''M'')', 'SELECT lead_system.record_conversion(pg_temp.lead(), ''paid'')',
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    (8, 'tap_admin', 'refresh another one''s metrics', 'SELECT pg_temp.play(2, ''M'')', 'SELECT lead_system.refresh_contractor_metrics(pg_temp.bidder(1))',
        '42501 | permission denied to act for another contractor | The session''s user is a contractor. | Pass the id that app.current_user_id has.'),
    (9, 'tap_admin', 'review another one''s appeal', 'SELECT pg_temp.appealed()', 'SELECT lead_system.review_appeal(pg_temp.bid(1), true, NULL)',
        '42501 | a contractor cannot review appeals | The session''s user is a contractor.'),
    (10, 'tap_admin', 'archive a lead that is offered', 'SELECT pg_temp.offer(2)', pg_temp.step('ARCHIVED', false),
        '42501 | a contractor cannot change the status of a lead that is offered | The session''s user is a contractor.'),
    (11, 'tap_agent', 'delete it', 'SELECT pg_temp.offer(2)', 'UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = pg_temp.lead() RETURNING status',
        '42501 | a contractor cannot delete a lead that is offered | The session''s user is a contractor.'),
    (12, 'tap_admin', 'offer a lead', 'SELECT pg_temp.at(''2026-03-02 15:00:00+00''); INSERT INTO lead_system.leads (organization_id, id) VALUES (lead_system.current_org_id(), pg_temp.lead())',
        'SELECT lead_system.open_bidding(pg_temp.lead(), 100)', '42501 | a contractor cannot open bidding | The session''s user is a contractor.'),
    (13, 'tap_admin', 'offer one with INSERT', 'SELECT pg_temp.at(''2026-03-02 15:00:00+00''); INSERT INTO lead_system.leads (organization_id, id) VALUES (lead_system.current_org_id(), pg_temp.lead())',
        'INSERT INTO lead_system.lead_listings (organization_id, lead_id, base_lead_cost) VALUES (lead_system.current_org_id(), pg_temp.lead(), 100) RETURNING base_lead_cost', '42501 | a contractor cannot offer leads | The session''s user is a contractor.'),
    (14, 'tap_admin', 'end the bidding', 'SELECT pg_temp.offer(2)', 'SELECT lead_system.close_bidding(pg_temp.lead())', '42501 | a contractor cannot close bidding | The session''s user is a contractor.')) v(position, role_name, what, before, statement, answer)
 ORDER BY position;
SELECT is(pg_temp.outcome('SELECT pg_temp.appealed()' || pg_temp.as_role('tap_admin', pg_temp.bidder(1)), 'SELECT lead_system.review_appeal(pg_temp.bid(1), true, NULL)'),
        '42501 | a contractor cannot review appeals | The session''s user is a contractor.', 'nor the own appeal');
SELECT is(pg_temp.outcome('SELECT pg_temp.appealed()' || pg_temp.as_role('tap_admin', pg_temp.bidder(1)), format('SELECT lead_system.review_appeal(pg_temp.bid(1), true, %L)', :'meg')),
        '42501 | a contractor cannot review appeals | The session''s user is a contractor.', 'nor in somebody''s name');

-- The functions of each level.
SELECT is((SELECT string_agg(split_part(f.call, '(', 1), ' ' ORDER BY f.position)
             FROM (VALUES (1, 'rank_bids(NULL)'), (2, 'place_bid(NULL, NULL, NULL)'), (3, 'cancel_bid(NULL)'), (4, 'send_message(NULL, NULL, NULL)'), (5, 'decline_lead(NULL, NULL)'),
                     (6, 'record_conversion(NULL, NULL)'), (7, 'appeal_ban(NULL, NULL)'), (8, 'open_bidding(NULL, NULL)'), (9, 'close_bidding(NULL)'), (10, 'review_appeal(NULL, NULL, NULL)'),
                     (11, 'close_due_bidding()'), (12, 'expire_response_windows()'), (13, 'archive_listings()'), (14, 'lift_expired_bans()'), (15, 'refresh_contractor_metrics(NULL)'), (16, 'warn_response_windows()')) f(position, call)
            WHERE pg_temp.outcome('SELECT 1' || pg_temp.as_role(l.role_name, :'meg'), 'SELECT lead_system.' || f.call) NOT LIKE '42501 | permission denied%'),
        btrim(concat_ws(' ', CASE WHEN level <> 'none' THEN 'rank_bids' END,
            CASE WHEN level IN ('agent', 'manager', 'admin') THEN 'place_bid cancel_bid send_message decline_lead record_conversion appeal_ban' END,
            CASE WHEN level IN ('manager', 'admin') THEN 'open_bidding close_bidding review_appeal' END,
            CASE WHEN level IN ('admin', 'maintenance') THEN 'close_due_bidding expire_response_windows archive_listings lift_expired_bans refresh_contractor_metrics warn_response_windows' END)),
        'functions of ' || level)
  FROM levels l WHERE level <> 'none' ORDER BY position;

-- What a sweeper reads is what it changes, also of tables that were never
-- analyzed: 50 of 2,000 windows, each contractor with a hundred other bids.
SET LOCAL app.current_org_id = :'market';
SET LOCAL session_replication_role = replica;
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor)
SELECT :'market', ('c1000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'c ' || n, 'c' || n || '@example.com', 'contractor', true FROM generate_series(0, 59) n;
INSERT INTO lead_system.leads (organization_id, id, pipeline_id, status, stage, status_changed_at)
SELECT :'market', ('c2000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, id, 'PENDING_RESPONSE_1', 'working', '2026-03-02 15:00:00+00'
  FROM lead_system.pipelines, generate_series(1, 2000) n WHERE name = 'marketplace' AND organization_id IS NULL;
INSERT INTO lead_system.lead_listings (organization_id, lead_id, base_lead_cost, bidding_opens_at, bidding_closes_at, bidding_closed_at, rank_by, pricing, charge_on)
SELECT organization_id, id, 100, '2026-03-02 15:00:00+00', '2026-03-02 15:30:00+00', '2026-03-02 15:30:00+00', 'final_amount', 'first', 'contact' FROM lead_system.leads WHERE id::text LIKE 'c2%';
INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier, discount_multiplier, final_bid_amount, rank_amount, rating_at_bid, bid_placed_at, bid_rank, charge_amount, response_window_starts_at, response_window_ends_at)
SELECT l.organization_id, l.id, ('c1000000-0000-4000-8000-' || lpad(((right(l.id::text, 4)::integer + 20 * k) % 60)::text, 12, '0'))::uuid, 2 - 0.1 * k, 1, 200 - 10 * k, 200 - 10 * k, 0, '2026-03-02 15:00:00+00', k, 200 - 10 * k,
        CASE k WHEN 1 THEN '2026-03-02 15:30:00+00'::timestamptz END, CASE k WHEN 1 THEN '2026-03-02 17:30:00+00'::timestamptz + right(l.id::text, 4)::integer * interval '1 second' END
  FROM lead_system.leads l, generate_series(1, 3) k WHERE l.id::text LIKE 'c2%';
SET LOCAL session_replication_role = origin;
DISCARD PLANS;
SELECT pg_temp.at('2026-03-04 00:00:00+00');
CREATE TEMP TABLE reads ON COMMIT DROP AS SELECT idx_tup_fetch + seq_tup_read AS rows FROM pg_stat_xact_user_tables WHERE relid = 'lead_system.bids'::regclass;
SELECT is(lead_system.expire_response_windows(50), 50::bigint, 'some of many windows');
SELECT cmp_ok(s.idx_tup_fetch + s.seq_tup_read - r.rows, '<', 1000::bigint, 'their end reads no other bids')
  FROM pg_stat_xact_user_tables s, reads r WHERE s.relid = 'lead_system.bids'::regclass;

SELECT * FROM finish();
ROLLBACK;
