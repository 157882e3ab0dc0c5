-- A market in each of the two organizations of two_organizations.sql: a lead
-- that the second bidder has won, one that is open for bids, one that is not
-- offered.  The first bidder is banned, and appeals.  Included inside a test's
-- transaction, after that file.

CREATE FUNCTION pg_temp.fill_market(org uuid, word text, digit text) RETURNS void LANGUAGE plpgsql AS $fill$
DECLARE
    contractors uuid[] := ARRAY(SELECT (digit || '0000000-0000-4000-8000-0000000000d' || i)::uuid FROM generate_series(1, 3) i);
    offered uuid := (digit || '0000000-0000-4000-8000-000000000003')::uuid;
BEGIN
    PERFORM set_config('app.current_org_id', org::text, true);
    INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor)
    SELECT org, contractors[i], word || ' contractor ' || i, 'contractor' || i || '@' || word || '.example', 'contractor', true
      FROM generate_series(1, 3) i;
    INSERT INTO lead_system.rating_discount_tiers (organization_id, min_rating, discount_multiplier) VALUES (org, 4.10, 0.97);
    INSERT INTO lead_system.leads (organization_id, id, first_name, pipeline_id)
    SELECT org, (digit || '0000000-0000-4000-8000-00000000000' || i)::uuid, word, '00000000-0000-7000-8000-000000000004'
      FROM generate_series(3, 5) i;
    PERFORM lead_system.open_bidding(offered, 50), lead_system.open_bidding((digit || '0000000-0000-4000-8000-000000000004')::uuid, 50);
    PERFORM lead_system.place_bid(offered, contractors[1], 2.00), lead_system.place_bid(offered, contractors[2], 1.00);
    PERFORM lead_system.set_config('marketplace.strikes_until_ban', '1');
    PERFORM set_config('lead_system.now', '2026-03-02 15:30:00+00', true);
    PERFORM lead_system.close_bidding(offered);
    PERFORM set_config('lead_system.now', '2026-03-02 17:30:01+00', true);
    PERFORM lead_system.expire_response_windows();
    PERFORM lead_system.appeal_ban(contractors[1], word || ' appeals against the ban');
    PERFORM lead_system.send_message(offered, contractors[2], word);
    PERFORM lead_system.set_config('marketplace.strikes_until_ban', NULL);
    PERFORM set_config('lead_system.now', '2026-03-02 15:00:00+00', true);
    PERFORM set_config('app.current_org_id', '', true);
END
$fill$;
SELECT pg_temp.fill_market(:'alpha', 'alpha', 'a'), pg_temp.fill_market(:'bravo', 'bravo', 'b') \g /dev/null

-- A change of settings has ended the recalculation that was under way.
INSERT INTO lead_system.scoring_runs (organization_id, started_at)
VALUES (:'alpha', lead_system.clock_now()), (:'bravo', lead_system.clock_now()) ON CONFLICT DO NOTHING;
