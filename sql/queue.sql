-- queue: claim_campaign_leads() (semantics I4, I5, I10, I16).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd4000000-0000-4000-8000-00000000000a'
\set bravo 'd4000000-0000-4000-8000-00000000000b'
\set rita  'd4000000-0000-4000-8000-0000000000a1'
\set ron   'd4000000-0000-4000-8000-0000000000a2'
\set gone  'd4000000-0000-4000-8000-0000000000a3'
INSERT INTO lead_system.organizations (id, name, timezone) VALUES (:'alpha', 'Alpha', 'America/Chicago'), (:'bravo', 'Bravo', 'UTC');
-- this file is about the order of the queue: neither caps nor gaps between calls
INSERT INTO lead_system.system_config (organization_id, key, value)
SELECT o.id, k.key, '0' FROM lead_system.organizations o, (VALUES ('compliance.max_attempts_per_day'), ('compliance.min_gap_minutes')) k(key)
 WHERE o.id IN (:'alpha', :'bravo');
-- and it is noon wherever the leads are
CREATE FUNCTION pg_temp.noon() RETURNS void LANGUAGE sql AS $$
    UPDATE lead_system.leads SET timezone = 'Etc/GMT' || to_char(extract(hour FROM lead_system.clock_now() AT TIME ZONE 'UTC') - 12, 'SGFM90')
     WHERE organization_id = 'd4000000-0000-4000-8000-00000000000a' $$;
INSERT INTO lead_system.users (organization_id, id, full_name, email, is_active) VALUES
    (:'alpha', :'rita', 'Rita', 'rita@example.com', true), (:'alpha', :'ron', 'Ron', 'ron@example.com', true),
    (:'alpha', :'gone', 'Gone', 'gone@example.com', false);
CREATE ROLE regress_ls_queue_agent;
CREATE ROLE regress_ls_queue_readonly;
SELECT lead_system.grant_access('regress_ls_queue_agent', 'agent');
SELECT lead_system.grant_access('regress_ls_queue_readonly', 'readonly');
SET app.current_org_id = :'alpha';

\set main 'd4000000-0000-4000-8000-000000000c01'
\set first_list  'd4000000-0000-4000-8000-000000000f01'
\set second_list 'd4000000-0000-4000-8000-000000000f02'
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, company_size, industry, inquiry_type, budget_timeline) VALUES
    (:'alpha', 'd4000000-0000-4000-8000-000000000101', 'cold 5',   '+12025550101', '1-10', NULL, NULL, NULL),
    (:'alpha', 'd4000000-0000-4000-8000-000000000102', 'warm 50',  '+12025550102', '201-1000', NULL, NULL, 'Immediate'),
    (:'alpha', 'd4000000-0000-4000-8000-000000000103', 'warm 60',  '+12025550103', '201-1000', NULL, 'Demo Request', NULL),
    (:'alpha', 'd4000000-0000-4000-8000-000000000104', 'hot 80',   '+12025550104', '201-1000', 'Software/SaaS', 'Demo Request', NULL),
    (:'alpha', 'd4000000-0000-4000-8000-000000000105', 'hot 100',  '+12025550105', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate'),
    (:'alpha', 'd4000000-0000-4000-8000-000000000106', 'cold 5 b', '+12025550106', '1-10', NULL, NULL, NULL),
    (:'alpha', 'd4000000-0000-4000-8000-000000000107', 'hot 100 b', '+12025550107', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate'),
    (:'alpha', 'd4000000-0000-4000-8000-000000000108', 'no number', NULL, '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate');
SELECT first_name, temperature, lead_score FROM lead_system.leads WHERE organization_id = :'alpha' ORDER BY id;
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'first_list', 'first'), (:'alpha', :'second_list', 'second');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', CASE WHEN first_name IN ('warm 60', 'cold 5', 'cold 5 b') THEN :'first_list' ELSE :'second_list' END::uuid, id
  FROM lead_system.leads WHERE organization_id = :'alpha';
INSERT INTO lead_system.campaigns (organization_id, id, name) VALUES (:'alpha', :'main', 'Main');
SELECT lead_system.add_lead_list_to_campaign(:'main', :'second_list', 2) IS NOT NULL AND lead_system.add_lead_list_to_campaign(:'main', :'first_list', 1) IS NOT NULL AS added;
CREATE TEMP VIEW queue AS
SELECT c.name AS campaign, d.first_name AS lead, q.status, q.attempts, q.outcome, u.full_name AS claimed_by, q.lease_until, q.last_attempt_at, q.next_attempt_at
  FROM lead_system.campaign_leads q
  JOIN lead_system.campaigns c ON c.organization_id = q.organization_id AND c.id = q.campaign_id
  JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
  LEFT JOIN lead_system.users u ON u.organization_id = q.organization_id AND u.id = q.claimed_by
 ORDER BY d.id;
GRANT SELECT ON queue TO regress_ls_queue_agent;
-- Claims, in the order in which they are handed out.
CREATE FUNCTION pg_temp.claim(campaign uuid, n integer DEFAULT 1, user_id uuid DEFAULT NULL, lease interval DEFAULT '5 minutes')
    RETURNS TABLE ("position" bigint, lead text, phone_number text, attempts integer, list text) LANGUAGE sql AS $$
    SELECT q.ordinality, d.first_name, q.phone_number, q.attempts, l.name
      FROM ROWS FROM (lead_system.claim_campaign_leads($1, $2, $3, $4)) WITH ORDINALITY
           q(campaign_lead_id, lead_id, phone_number, attempts, lead_list_id, ordinality)
      JOIN lead_system.leads d ON d.id = q.lead_id
      LEFT JOIN lead_system.lead_lists l ON l.id = q.lead_list_id ORDER BY 1
$$;

--
-- The state of the campaign
--
SELECT * FROM lead_system.claim_campaign_leads(:'main');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.campaigns SET status = 'paused' WHERE organization_id = :'alpha' AND id = :'main';
SELECT * FROM pg_temp.claim(:'main');
UPDATE lead_system.campaigns SET status = 'completed' WHERE organization_id = :'alpha' AND id = :'main';
SELECT * FROM pg_temp.claim(:'main');
UPDATE lead_system.campaigns SET status = 'active' WHERE organization_id = :'alpha' AND id = :'main';

--
-- The order (I4): priority of the list, temperature, score, last attempt, time added
--
BEGIN;
SELECT * FROM pg_temp.claim(:'main', 100);
ROLLBACK;
-- whoever was called last comes after those of the same score who were not
BEGIN;
UPDATE lead_system.campaign_leads SET status = 'queued', attempts = 1, last_attempt_at = lead_system.clock_now() - interval '2 days'
 WHERE organization_id = :'alpha' AND lead_id = 'd4000000-0000-4000-8000-000000000105';
UPDATE lead_system.campaign_leads SET added_at = added_at + interval '1 hour'
 WHERE organization_id = :'alpha' AND lead_id = 'd4000000-0000-4000-8000-000000000101';
SELECT * FROM pg_temp.claim(:'main', 100);
ROLLBACK;
-- temperature goes before score: models differ in what is warm, and what is cool
BEGIN;
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, last_contact_at)
VALUES (:'alpha', 'd4000000-0000-4000-8000-000000000109', 'cool', '+12025550109', lead_system.clock_now() - interval '10 days');
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest, authority, budget, need, timing)
VALUES (:'alpha', 'd4000000-0000-4000-8000-000000000109', 25, 20, 25, 15, 15);
UPDATE lead_system.leads SET email_open_count = 1 WHERE organization_id = :'alpha' AND first_name = 'cool';
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', :'second_list', 'd4000000-0000-4000-8000-000000000109');
SELECT lead_system.add_lead_list_to_campaign(:'main', :'second_list', 2) IS NOT NULL AS added;
SELECT first_name, temperature, lead_score, scoring_model FROM lead_system.leads WHERE organization_id = :'alpha' AND first_name IN ('cool', 'warm 50') ORDER BY id;
SELECT * FROM pg_temp.claim(:'main', 100) WHERE lead IN ('cool', 'warm 50');
ROLLBACK;
-- the queue follows the lead's score while it waits
BEGIN;
UPDATE lead_system.leads SET industry = 'Software/SaaS', inquiry_type = 'Demo Request', budget_timeline = '1-3 months'
 WHERE organization_id = :'alpha' AND first_name = 'cold 5';
SELECT * FROM pg_temp.claim(:'main', 2);
ROLLBACK;
-- deleted leads and spam wait, too
BEGIN;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'warm 60';
UPDATE lead_system.leads SET is_spam = true WHERE organization_id = :'alpha' AND first_name = 'cold 5';
SELECT * FROM pg_temp.claim(:'main', 1);
UPDATE lead_system.leads SET is_spam = false WHERE organization_id = :'alpha' AND first_name = 'cold 5';
UPDATE lead_system.leads SET phone_number = '+12025550108' WHERE organization_id = :'alpha' AND first_name = 'no number';
SELECT * FROM pg_temp.claim(:'main', 3);
ROLLBACK;

--
-- Claims and leases (I16)
--
SET app.current_user_id = :'rita';
SET ROLE regress_ls_queue_agent;
SELECT * FROM pg_temp.claim(:'main');
SELECT lead, status, claimed_by, lease_until FROM queue WHERE status = 'calling';
-- for somebody else, and for longer; nobody gets what is out
SELECT * FROM pg_temp.claim(:'main', 2, :'ron', '1 hour');
SELECT lead, status, claimed_by, lease_until FROM queue WHERE status = 'calling';
-- NULL limit means one
SELECT count(*) FROM lead_system.claim_campaign_leads(p_campaign_id => :'main', p_limit => NULL, p_user_id => NULL, p_lease => '10 minutes');
RESET ROLE;
RESET app.current_user_id;
SELECT lead, status, claimed_by, lease_until FROM queue WHERE status = 'calling';
-- a claim lapses at the end of its lease, not before
SET lead_system.now = '2026-03-02 15:04:59.999999+00';
BEGIN;
SELECT * FROM pg_temp.claim(:'main', 100);
ROLLBACK;
SET lead_system.now = '2026-03-02 15:05:00+00';
SELECT * FROM pg_temp.claim(:'main', 1);
-- a lapsed claim was no attempt; without a user nobody holds the claim
SELECT lead, status, attempts, claimed_by, lease_until FROM queue WHERE status <> 'new';

--
-- Do-not-call at claim (I5): the list is asked again
--
SET lead_system.now = '2026-03-02 16:30:00+00';
-- an entry that came without its trigger, as logical replication brings it
SET session_replication_role = replica;
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'alpha', '+12025550103', 'manual');
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason, expires_at) VALUES (:'alpha', '+12025550101', 'manual', '2026-03-02 16:30:00+00');
RESET session_replication_role;
SELECT * FROM pg_temp.claim(:'main', 2);
SELECT lead, status, claimed_by, lease_until FROM queue WHERE lead IN ('warm 60', 'cold 5', 'cold 5 b');
-- one that is put on the list ends the claim
SELECT lead_system.add_to_dnc_list('+12025550101', 'lead_requested') IS NOT NULL AS added;
SELECT lead, status, claimed_by, lease_until FROM queue WHERE lead = 'cold 5';

--
-- When a lead may be called again, and callbacks
--
SET lead_system.now = '2026-03-03 15:00:00+00';
UPDATE lead_system.campaign_leads SET status = 'queued', lease_until = NULL, claimed_by = NULL WHERE organization_id = :'alpha' AND status = 'calling';
UPDATE lead_system.campaign_leads SET next_attempt_at = '2026-03-03 18:00:00+00' WHERE organization_id = :'alpha' AND lead_id = 'd4000000-0000-4000-8000-000000000106';
SELECT * FROM pg_temp.claim(:'main', 1);
-- who asked to be called back comes first, at the time that was agreed
SELECT lead_system.record_call_attempt(id, 'callback', 20, '{"callback_at": "2026-03-03 17:00:00+00"}') IS NOT NULL AS recorded
  FROM lead_system.campaign_leads WHERE organization_id = :'alpha' AND status = 'calling';
SELECT lead, status, outcome, next_attempt_at FROM queue WHERE outcome = 'callback';
SET lead_system.now = '2026-03-03 16:59:59+00';
BEGIN;
SELECT * FROM pg_temp.claim(:'main', 1);
ROLLBACK;
SET lead_system.now = '2026-03-03 18:00:00+00';
SELECT * FROM pg_temp.claim(:'main', 2);

--
-- The daily cap, by the clock of the campaign or of the organization (I10)
--
\set capped 'd4000000-0000-4000-8000-000000000c02'
SET lead_system.now = '2026-03-05 20:00:00+00';
INSERT INTO lead_system.campaigns (organization_id, id, name, status, daily_cap) VALUES (:'alpha', :'capped', 'Capped', 'active', 2);
SELECT lead_system.add_lead_list_to_campaign(:'capped', :'second_list') IS NOT NULL AS added;
-- open claims count, and then the calls
SELECT * FROM pg_temp.claim(:'capped', 100);
SELECT * FROM pg_temp.claim(:'capped', 1);
SELECT lead_system.record_call_attempt(id, 'declined') IS NOT NULL AS recorded FROM lead_system.campaign_leads
 WHERE organization_id = :'alpha' AND campaign_id = :'capped' AND status = 'calling';
SELECT * FROM pg_temp.claim(:'capped', 1);
-- midnight in Chicago
SET lead_system.now = '2026-03-06 05:59:59+00';
SELECT pg_temp.noon();
SELECT count(*) FROM lead_system.claim_campaign_leads(:'capped');
SET lead_system.now = '2026-03-06 06:00:00+00';
SELECT pg_temp.noon();
SELECT count(*) FROM lead_system.claim_campaign_leads(:'capped');
-- midnight by the campaign's own clock
SET lead_system.now = '2026-03-06 10:59:59+00';
SELECT pg_temp.noon();
SELECT count(*) FROM lead_system.claim_campaign_leads(:'capped');
SELECT lead_system.record_call_attempt(id, 'no_answer') IS NOT NULL AS recorded FROM lead_system.campaign_leads
 WHERE organization_id = :'alpha' AND campaign_id = :'capped' AND status = 'calling';
UPDATE lead_system.campaigns SET timezone = 'Pacific/Auckland', daily_cap = 1 WHERE organization_id = :'alpha' AND id = :'capped';
SELECT count(*) AS before_midnight FROM lead_system.claim_campaign_leads(:'capped');
SET lead_system.now = '2026-03-06 11:00:00+00';
SELECT pg_temp.noon();
SELECT count(*) AS after_midnight FROM lead_system.claim_campaign_leads(:'capped');
-- no calls at all, and no limit
SET lead_system.now = '2026-03-07 12:00:00+00';
SELECT pg_temp.noon();
UPDATE lead_system.campaigns SET daily_cap = 0 WHERE organization_id = :'alpha' AND id = :'capped';
SELECT count(*) AS none FROM lead_system.claim_campaign_leads(:'capped', 100);
UPDATE lead_system.campaigns SET daily_cap = NULL WHERE organization_id = :'alpha' AND id = :'capped';
SELECT count(*) AS the_rest FROM lead_system.claim_campaign_leads(:'capped', 100);

--
-- A list that is switched off is not called
--
\set third 'd4000000-0000-4000-8000-000000000c03'
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'third', 'Third', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'third', :'second_list') IS NOT NULL AS added;
UPDATE lead_system.campaign_lead_lists SET is_active = false WHERE organization_id = :'alpha' AND campaign_id = :'third';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'third', 100);
UPDATE lead_system.campaign_lead_lists SET is_active = true WHERE organization_id = :'alpha' AND campaign_id = :'third';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'third', 2);

--
-- More leads are due than a claim lets in: those of the first list before others (I4)
--
\set crowd 'd4000000-0000-4000-8000-000000000c05'
\set crowd_first  'd4000000-0000-4000-8000-000000000f12'
\set crowd_second 'd4000000-0000-4000-8000-000000000f11'
BEGIN;
INSERT INTO lead_system.leads (organization_id, first_name, phone_number)
SELECT :'alpha', CASE WHEN n < 5 THEN 'of the first' ELSE 'of the second' END, '+1' || (200 + n / 50) || '55501' || lpad((n % 50)::text, 2, '0')
  FROM generate_series(0, 1604) n WHERE (200 + n / 50) NOT IN (202, 211);
SELECT pg_temp.noon();
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'crowd_first', 'of the first'), (:'alpha', :'crowd_second', 'of the second');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', l.id, d.id FROM lead_system.lead_lists l JOIN lead_system.leads d ON d.first_name = l.name AND d.organization_id = l.organization_id WHERE l.id IN (:'crowd_first', :'crowd_second');
INSERT INTO lead_system.campaigns (organization_id, id, name, status, daily_cap) VALUES (:'alpha', :'crowd', 'Crowd', 'active', NULL);
SELECT lead_system.add_lead_list_to_campaign(:'crowd', :'crowd_second', 2) IS NOT NULL AND lead_system.add_lead_list_to_campaign(:'crowd', :'crowd_first', 1) IS NOT NULL AS added;
SELECT open_leads > 1400 AS crowd FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha' AND lead_list_id = :'crowd_second';
UPDATE lead_system.campaign_leads SET is_waiting = true WHERE organization_id = :'alpha' AND campaign_id = :'crowd';
SELECT lead, count(*) FROM pg_temp.claim(:'crowd', 5) GROUP BY 1;
SELECT lead, count(*) FROM pg_temp.claim(:'crowd', 5) GROUP BY 1;
ROLLBACK;

--
-- Attempts are counted when a lead is handed out, too (I10)
--
\set tries 'd4000000-0000-4000-8000-000000000c04'
SET lead_system.now = '2026-03-09 12:00:00+00';
INSERT INTO lead_system.campaigns (organization_id, id, name, status, daily_cap) VALUES (:'alpha', :'tries', 'Tries', 'active', NULL);
SELECT lead_system.add_lead_list_to_campaign(:'tries', :'second_list') IS NOT NULL AS added;
SELECT count(lead_system.record_call_attempt(q.campaign_lead_id, CASE WHEN l.first_name = 'hot 80' THEN 'callback' ELSE 'no_answer' END)) AS calls
  FROM lead_system.claim_campaign_leads(:'tries', 3) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id;
SET lead_system.now = '2026-03-11 12:00:00+00';
UPDATE lead_system.campaign_lead_lists SET max_attempts_override = 1 WHERE organization_id = :'alpha' AND campaign_id = :'tries';
-- who asked to be called back is called back; the two who were not reached are given up
SELECT * FROM pg_temp.claim(:'tries', 100);
SELECT lead, status, attempts, outcome FROM queue WHERE campaign = 'Tries' AND attempts > 0;
-- not reached at the call back either: given up, but contacted
SELECT lead_system.record_call_attempt(id, 'no_answer') IS NOT NULL AS recorded FROM lead_system.campaign_leads
 WHERE organization_id = :'alpha' AND campaign_id = :'tries' AND status = 'calling' AND attempts = 1;
SELECT lead, status, attempts, outcome FROM queue WHERE campaign = 'Tries' AND attempts > 0;
SELECT total_leads, open_leads, contacted_leads FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha' AND campaign_id = :'tries';

--
-- The campaign's calling hours
--
\set hours 'd4000000-0000-4000-8000-000000000c05'
INSERT INTO lead_system.campaigns (organization_id, id, name, status, calling_from, calling_to) VALUES (:'alpha', :'hours', 'Hours', 'active', '09:00', '17:30');
SELECT lead_system.add_lead_list_to_campaign(:'hours', :'second_list') IS NOT NULL AS added;
CREATE FUNCTION pg_temp.claims_at(campaign uuid, variadic times timestamptz[]) RETURNS TABLE (at timestamptz, claims bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH at IN ARRAY times LOOP
        PERFORM set_config('lead_system.now', at::text, true);
        PERFORM pg_temp.noon();
        claims := count(*) FROM lead_system.claim_campaign_leads(campaign, 1, NULL, '1 second');
        RETURN NEXT;
    END LOOP;
END $$;
-- by the clock of the organization (Chicago, on summer time since Sunday)
SELECT * FROM pg_temp.claims_at(:'hours', '2026-03-12 13:59:59+00', '2026-03-12 14:00+00', '2026-03-12 22:29:59+00', '2026-03-12 22:30+00', '2026-03-13 03:00+00');
-- by the campaign's own
UPDATE lead_system.campaigns SET timezone = 'Asia/Tokyo' WHERE organization_id = :'alpha' AND id = :'hours';
SELECT * FROM pg_temp.claims_at(:'hours', '2026-03-13 14:00+00', '2026-03-13 23:59:59+00', '2026-03-14 00:00+00', '2026-03-14 08:30+00');
-- over midnight
UPDATE lead_system.campaigns SET timezone = 'UTC', calling_from = '22:00', calling_to = '02:00' WHERE organization_id = :'alpha' AND id = :'hours';
SELECT * FROM pg_temp.claims_at(:'hours', '2026-03-15 21:59:59+00', '2026-03-15 22:00+00', '2026-03-16 00:00+00', '2026-03-16 01:59:59+00', '2026-03-16 02:00+00');
-- the whole day, and no limit
UPDATE lead_system.campaigns SET calling_from = '00:00', calling_to = '24:00' WHERE organization_id = :'alpha' AND id = :'hours';
SELECT * FROM pg_temp.claims_at(:'hours', '2026-03-17 00:00+00', '2026-03-17 23:59:59+00');
UPDATE lead_system.campaigns SET calling_from = NULL, calling_to = NULL WHERE organization_id = :'alpha' AND id = :'hours';
SELECT * FROM pg_temp.claims_at(:'hours', '2026-03-18 03:00+00');
\set VERBOSITY terse
UPDATE lead_system.campaigns SET calling_from = '09:00', calling_to = '09:00' WHERE organization_id = :'alpha' AND id = :'hours';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.campaigns SET calling_from = '09:00' WHERE organization_id = :'alpha' AND id = :'hours';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
DROP FUNCTION pg_temp.claims_at(uuid, timestamptz[]);
UPDATE lead_system.leads SET timezone = NULL WHERE organization_id = :'alpha';

--
-- When a number leaves the do-not-call list, what it had closed is open again (D6)
--
\set back 'd4000000-0000-4000-8000-000000000c06'
SET lead_system.now = '2026-03-19 12:00:00+00';
SELECT count(lead_system.remove_from_dnc_list(phone_number, 'test')) AS removed FROM lead_system.dnc_list WHERE organization_id = :'alpha';
INSERT INTO lead_system.campaigns (organization_id, id, name, status, daily_cap) VALUES (:'alpha', :'back', 'Back', 'active', NULL);
SELECT lead_system.add_lead_list_to_campaign(:'back', :'second_list', 2) IS NOT NULL AS second, lead_system.add_lead_list_to_campaign(:'back', :'first_list', 1) IS NOT NULL AS first;
-- one of each: called back, not reached, asked not to be called, being called, new
SELECT l.first_name, lead_system.record_call_attempt(q.campaign_lead_id, o.outcome) IS NOT NULL AS recorded
  FROM lead_system.claim_campaign_leads(:'back', 100) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id
  JOIN (VALUES ('hot 80', 'callback'), ('hot 100', 'no_answer'), ('hot 100 b', 'do_not_call'), ('warm 60', 'no_answer')) o(lead, outcome) ON o.lead = l.first_name ORDER BY 1;
UPDATE lead_system.campaign_leads SET status = 'new', lease_until = NULL, claimed_by = NULL
 WHERE organization_id = :'alpha' AND campaign_id = :'back' AND lead_id = 'd4000000-0000-4000-8000-000000000102';
SELECT lead_system.remove_lead_list_from_campaign(:'back', :'first_list') AS left_the_campaign;
SELECT count(*) FROM lead_system.add_numbers_to_dnc_list((SELECT array_agg(phone_number) FROM lead_system.leads WHERE organization_id = :'alpha' AND phone_number IS NOT NULL), 'manual');
SELECT lead, status, attempts, outcome, lease_until FROM queue WHERE campaign = 'Back';
-- the score may change meanwhile
UPDATE lead_system.leads SET company_size = '1-10' WHERE organization_id = :'alpha' AND first_name = 'hot 100';
SELECT count(lead_system.remove_from_dnc_list(phone_number, 'test')) AS removed FROM lead_system.dnc_list WHERE organization_id = :'alpha';
SELECT lead, status, attempts, outcome, next_attempt_at FROM queue WHERE campaign = 'Back';
SELECT count(*) AS wrong_places FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.organization_id = c.organization_id AND l.id = c.lead_id
 WHERE c.organization_id = :'alpha' AND c.campaign_id = :'back' AND c.status IN ('new', 'queued', 'calling', 'contacted') AND c.lead_score <> l.lead_score;
SELECT l.name, a.total_leads, a.open_leads, a.contacted_leads FROM lead_system.campaign_lead_lists a
  JOIN lead_system.lead_lists l ON l.organization_id = a.organization_id AND l.id = a.lead_list_id WHERE a.campaign_id = :'back' ORDER BY a.priority;
-- a claim of a call back that lapses leaves it one
SELECT lead_system.record_call_attempt(id, 'callback', 20, '{"callback_at": "2026-03-19 13:00:00+00"}') IS NOT NULL AS recorded FROM lead_system.campaign_leads
 WHERE organization_id = :'alpha' AND campaign_id = :'back' AND lead_id = 'd4000000-0000-4000-8000-000000000104';
SET lead_system.now = '2026-03-19 13:00:00+00';
SELECT * FROM pg_temp.claim(:'back', 1);
SET lead_system.now = '2026-03-19 14:00:00+00';
SELECT * FROM pg_temp.claim(:'back', 1);

--
-- Errors
--
SELECT * FROM lead_system.claim_campaign_leads(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'main', 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'main', 1001);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'main', 1, NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'main', 1, NULL, '0');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'main', 1, NULL, '-1 minute');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'alpha');
\echo :LAST_ERROR_SQLSTATE
-- only for active users of the organization
SELECT * FROM lead_system.claim_campaign_leads(:'main', 1, :'gone');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.claim_campaign_leads(:'main', 1, :'main');
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_ls_queue_readonly;
SELECT * FROM lead_system.claim_campaign_leads(:'main');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- another organization's campaign does not exist
SET app.current_org_id = :'bravo';
SET ROLE regress_ls_queue_agent;
SELECT * FROM lead_system.claim_campaign_leads(:'main');
\echo :LAST_ERROR_SQLSTATE
RESET app.current_org_id;
SELECT * FROM lead_system.claim_campaign_leads(:'main');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

DROP FUNCTION pg_temp.noon();
DROP VIEW queue;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd4000000-%';
SELECT (SELECT count(*) FROM lead_system.campaign_leads WHERE organization_id::text LIKE 'd4000000-%') AS campaign_leads,
       (SELECT count(*) FROM lead_system.call_logs WHERE organization_id::text LIKE 'd4000000-%') AS call_logs;
SELECT lead_system.revoke_access('regress_ls_queue_agent');
SELECT lead_system.revoke_access('regress_ls_queue_readonly');
DROP ROLE regress_ls_queue_agent, regress_ls_queue_readonly;
