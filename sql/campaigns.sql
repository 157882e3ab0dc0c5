-- campaigns: lists given to campaigns and taken from them (semantics I1 to I8, I14).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd3000000-0000-4000-8000-00000000000a'
\set bravo 'd3000000-0000-4000-8000-00000000000b'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
CREATE ROLE regress_ls_campaigns_manager;
CREATE ROLE regress_ls_campaigns_agent;
SELECT lead_system.grant_access('regress_ls_campaigns_manager', 'manager');
SELECT lead_system.grant_access('regress_ls_campaigns_agent', 'agent');
SET app.current_org_id = :'alpha';

--
-- Campaigns: defaults and limits
--
\set main   'd3000000-0000-4000-8000-000000000c01'
\set second 'd3000000-0000-4000-8000-000000000c02'
INSERT INTO lead_system.campaigns (organization_id, id, name) VALUES (:'alpha', :'main', 'Main'), (:'alpha', :'second', 'Second');
SELECT name, status, max_attempts, retry_after, daily_cap, exclude_dnc, dedupe_by_phone, calling_from, calling_to, timezone, created_at
  FROM lead_system.campaigns WHERE organization_id = :'alpha' AND id = :'main';
\set VERBOSITY terse
INSERT INTO lead_system.campaigns (organization_id, name, status) VALUES (:'alpha', 'Bad', 'running');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.campaigns (organization_id, name, max_attempts) VALUES (:'alpha', 'Bad', 0);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.campaigns (organization_id, name, retry_after) VALUES (:'alpha', 'Bad', '-1 hour');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.campaigns (organization_id, name, daily_cap) VALUES (:'alpha', 'Bad', -1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.campaigns (organization_id, name, calling_from) VALUES (:'alpha', 'Bad', '09:00');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.campaigns (organization_id, name, timezone) VALUES (:'alpha', 'Bad', 'Mars/Olympus');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

--
-- Lists that overlap: one has leads 1 to 4, two 3 to 6, three 5 to 8
--
\set one   'd3000000-0000-4000-8000-000000000f01'
\set two   'd3000000-0000-4000-8000-000000000f02'
\set three 'd3000000-0000-4000-8000-000000000f03'
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
SELECT :'alpha', ('d3000000-0000-4000-8000-00000000010' || n)::uuid, 'L' || n, '+1202555010' || n FROM generate_series(1, 9) n;
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES
    (:'alpha', :'one', 'one'), (:'alpha', :'two', 'two'), (:'alpha', :'three', 'three');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', l.id, ('d3000000-0000-4000-8000-00000000010' || n)::uuid
  FROM (VALUES (:'one'::uuid, 1, 4), (:'two', 3, 6), (:'three', 5, 8)) l(id, low, high) CROSS JOIN LATERAL generate_series(l.low, l.high) n;
CREATE TEMP VIEW queue AS
SELECT c.name AS campaign, d.first_name AS lead, coalesce(l.name, '-') AS list, q.list_priority AS priority, q.status, q.attempts, q.outcome, q.added_at
  FROM lead_system.campaign_leads q
  JOIN lead_system.campaigns c ON c.organization_id = q.organization_id AND c.id = q.campaign_id
  JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
  LEFT JOIN lead_system.lead_lists l ON l.organization_id = q.organization_id AND l.id = q.lead_list_id;
CREATE TEMP VIEW owners AS
SELECT campaign, list, priority, string_agg(lead || CASE status WHEN 'new' THEN '' ELSE ' ' || status END, ', ' ORDER BY lead COLLATE "C") AS leads
  FROM queue GROUP BY campaign, list, priority ORDER BY campaign COLLATE "C", priority, list COLLATE "C";
CREATE TEMP VIEW counts AS
SELECT c.name AS campaign, l.name AS list, a.priority, a.total_leads AS total, a.open_leads AS open, a.contacted_leads AS contacted,
       a.successful_leads AS successful, a.is_active, a.assigned_at, a.completed_at,
       (a.total_leads, a.open_leads, a.contacted_leads, a.successful_leads) =
       (SELECT count(*)::int, count(*) FILTER (WHERE q.status IN ('new', 'queued', 'calling'))::int,
                count(*) FILTER (WHERE q.status IN ('contacted', 'converted'))::int, count(*) FILTER (WHERE q.status = 'converted')::int
          FROM lead_system.campaign_leads q
         WHERE q.organization_id = a.organization_id AND q.campaign_id = a.campaign_id AND q.lead_list_id = a.lead_list_id) AS right_counts
  FROM lead_system.campaign_lead_lists a
  JOIN lead_system.campaigns c ON c.organization_id = a.organization_id AND c.id = a.campaign_id
  JOIN lead_system.lead_lists l ON l.organization_id = a.organization_id AND l.id = a.lead_list_id
 ORDER BY c.name COLLATE "C", a.priority, l.name COLLATE "C";

-- the priority is 1 unless given; a draft can be filled
SELECT lead_system.add_lead_list_to_campaign(:'main', :'two') AS assignment \gset
SELECT * FROM owners;
SELECT * FROM counts;
SELECT max_attempts_override, filter_criteria FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha' AND id = :'assignment';
-- again: the same assignment, and nothing twice (I2)
SELECT lead_system.add_lead_list_to_campaign(p_campaign_id => :'main', p_lead_list_id => :'two', p_priority => 1) = :'assignment' AS same_assignment;
SELECT lead_system.add_lead_list_to_campaign(:'main', :'two', NULL) = :'assignment' AS same_assignment;
SELECT * FROM owners;
-- repeating it takes over new members and the priority
SET lead_system.now = '2026-03-03 15:00:00+00';
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', :'two', 'd3000000-0000-4000-8000-000000000109');
SELECT lead_system.add_lead_list_to_campaign(:'main', :'two', 5) = :'assignment' AS same_assignment;
SELECT * FROM owners;
SELECT * FROM counts;
SELECT lead, added_at FROM queue ORDER BY lead COLLATE "C";

--
-- A lead of several lists (I3): the list of the higher priority owns it
--
SELECT lead_system.add_lead_list_to_campaign(:'main', :'three', 5) IS NOT NULL AS tie;
SELECT * FROM owners;
SELECT lead_system.add_lead_list_to_campaign(:'main', :'one', 2) IS NOT NULL AS higher;
SELECT * FROM owners;
SELECT * FROM counts;
-- when a list rises it takes over, when it falls it gives away
SELECT lead_system.add_lead_list_to_campaign(:'main', :'three', 1) IS NOT NULL AS rises;
SELECT * FROM owners;
SELECT lead_system.add_lead_list_to_campaign(:'main', :'one', 9) IS NOT NULL AS falls;
SELECT * FROM owners;
SELECT * FROM counts;
-- a lead that was called never moves; one that is being called neither
UPDATE lead_system.campaigns SET status = 'active' WHERE organization_id = :'alpha' AND id = :'main';
SELECT l.first_name, count(lead_system.record_call_attempt(q.campaign_lead_id, 'no_answer')) AS calls
  FROM lead_system.claim_campaign_leads(:'main', 2) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id
 GROUP BY l.first_name ORDER BY l.first_name COLLATE "C";
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 1) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id;
SELECT lead_system.add_lead_list_to_campaign(:'main', :'three', 8) IS NOT NULL AS falls;
SELECT * FROM owners;
SELECT * FROM counts;

--
-- Taking a list away
--
-- those that nobody called go to the next list that has them, or leave
SELECT lead_system.remove_lead_list_from_campaign(:'main', :'two') AS left_the_campaign;
SELECT * FROM owners;
SELECT * FROM counts;
-- those that were called stay, and are not called again
SELECT lead_system.remove_lead_list_from_campaign(p_campaign_id => :'main', p_lead_list_id => :'three') AS left_the_campaign;
SELECT lead, list, status, attempts, outcome FROM queue ORDER BY lead COLLATE "C";
SELECT * FROM counts;
-- again, and a list that was never there: nothing happens
SELECT lead_system.remove_lead_list_from_campaign(:'main', :'two') AS again, lead_system.remove_lead_list_from_campaign(:'second', :'two') AS never;
-- given back, the list takes up where it was
SELECT lead_system.add_lead_list_to_campaign(:'main', :'three', 1) IS NOT NULL AS given_back;
SELECT lead, list, status, attempts, outcome FROM queue ORDER BY lead COLLATE "C";
SELECT * FROM counts;

--
-- Do-not-call (I5)
--
SELECT lead_system.add_to_dnc_list('+12025550101', 'lead_requested') IS NOT NULL AS added;
UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'by hand' WHERE organization_id = :'alpha' AND first_name = 'L2';
SELECT lead_system.add_lead_list_to_campaign(:'second', :'one') IS NOT NULL AS scrubbed;
SELECT * FROM owners WHERE campaign = 'Second';
SELECT * FROM counts WHERE campaign = 'Second';
-- when the number is taken off, adding the list again queues the lead
SELECT lead_system.remove_from_dnc_list('+12025550101', 'asked to be called again');
SELECT * FROM owners WHERE campaign = 'Second';
SELECT lead_system.add_lead_list_to_campaign(:'second', :'one') IS NOT NULL AS again;
SELECT * FROM owners WHERE campaign = 'Second';
-- a lead that is blocked while it is queued, or being called, is dnc at once (D5)
UPDATE lead_system.campaigns SET status = 'active' WHERE organization_id = :'alpha' AND id = :'second';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'second', 1) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id;
SELECT count(*) FROM lead_system.add_numbers_to_dnc_list(ARRAY['+12025550101', '+12025550103'], 'complaint');
SELECT * FROM owners WHERE campaign = 'Second';
SELECT * FROM counts WHERE campaign = 'Second';
-- a lead that was called stays with its list even when it comes back by way of a higher one (I3)
\set seventh 'd3000000-0000-4000-8000-000000000c07'
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'seventh', 'Seventh', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'seventh', :'two', 2) IS NOT NULL AS added;
SELECT count(lead_system.record_call_attempt(q.campaign_lead_id, 'no_answer')) AS calls FROM lead_system.claim_campaign_leads(:'seventh', 2) q;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Seventh' AND lead IN ('L4', 'L6') ORDER BY lead COLLATE "C";
SELECT count(*) FROM lead_system.add_numbers_to_dnc_list(ARRAY['+12025550104', '+12025550106'], 'complaint');
SELECT lead_system.remove_from_dnc_list('+12025550104', 'by mistake') AND lead_system.remove_from_dnc_list('+12025550106', 'by mistake') AS removed;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Seventh' AND lead IN ('L4', 'L6') ORDER BY lead COLLATE "C";
SELECT lead_system.add_lead_list_to_campaign(:'seventh', l, 1) IS NOT NULL AS added FROM unnest(ARRAY[:'one', :'three']::uuid[]) l;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Seventh' AND lead IN ('L4', 'L6') ORDER BY lead COLLATE "C";
SELECT * FROM counts WHERE campaign = 'Seventh';
-- without exclude_dnc they look as if they were queued, but are not handed out (see queue)
\set third 'd3000000-0000-4000-8000-000000000c03'
INSERT INTO lead_system.campaigns (organization_id, id, name, exclude_dnc, status) VALUES (:'alpha', :'third', 'Third', false, 'active');
SELECT lead_system.add_lead_list_to_campaign(:'third', :'one') IS NOT NULL AS added;
SELECT * FROM owners WHERE campaign = 'Third';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'third', 10) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id;
SELECT * FROM owners WHERE campaign = 'Third';

--
-- Deleted leads, and one number twice (I6): a lead that was called, was deleted,
-- and came back under another id
--
\set fourth 'd3000000-0000-4000-8000-000000000c04'
\set fifth  'd3000000-0000-4000-8000-000000000c05'
INSERT INTO lead_system.campaigns (organization_id, id, name, dedupe_by_phone, status) VALUES
    (:'alpha', :'fourth', 'Fourth', true, 'active'), (:'alpha', :'fifth', 'Fifth', false, 'active');
SELECT lead_system.add_lead_list_to_campaign(c, :'three') IS NOT NULL AS added FROM unnest(ARRAY[:'fourth', :'fifth']::uuid[]) c;
SELECT count(lead_system.record_call_attempt(q.campaign_lead_id, 'no_answer')) AS calls
  FROM unnest(ARRAY[:'fourth', :'fifth']::uuid[]) c CROSS JOIN LATERAL lead_system.claim_campaign_leads(c, 1) q;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'L5';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
VALUES (:'alpha', 'd3000000-0000-4000-8000-000000000115', 'L5 again', '+12025550105');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', :'three', 'd3000000-0000-4000-8000-000000000115');
SELECT lead_system.add_lead_list_to_campaign(c, :'three') IS NOT NULL AS added FROM unnest(ARRAY[:'fourth', :'fifth']::uuid[]) c;
SELECT * FROM owners WHERE campaign IN ('Fourth', 'Fifth');
-- a deleted lead is not added
\set sixth 'd3000000-0000-4000-8000-000000000c06'
INSERT INTO lead_system.campaigns (organization_id, id, name) VALUES (:'alpha', :'sixth', 'Sixth');
SELECT lead_system.add_lead_list_to_campaign(:'sixth', :'three') IS NOT NULL AS added;
SELECT * FROM owners WHERE campaign = 'Sixth';

--
-- Errors
--
SELECT lead_system.add_lead_list_to_campaign(NULL, :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_list_to_campaign(:'main', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_list_to_campaign(:'main', :'one', 0);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_list_to_campaign(:'one', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_list_to_campaign(:'main', :'main');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_lead_list_from_campaign(NULL, :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_lead_list_from_campaign(:'main', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_lead_list_from_campaign(:'main', :'main');
\echo :LAST_ERROR_SQLSTATE
-- a campaign that is over, and a list that is put away
UPDATE lead_system.campaigns SET status = 'completed' WHERE organization_id = :'alpha' AND id = :'sixth';
SELECT lead_system.add_lead_list_to_campaign(:'sixth', :'one');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.lead_lists SET is_archived = true WHERE organization_id = :'alpha' AND id = :'two';
SELECT lead_system.add_lead_list_to_campaign(:'main', :'two');
\echo :LAST_ERROR_SQLSTATE
-- filters (I7) cannot be evaluated yet, and are refused rather than ignored
UPDATE lead_system.campaign_lead_lists SET filter_criteria = '{"industry": "Education"}' WHERE organization_id = :'alpha' AND campaign_id = :'main';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
UPDATE lead_system.campaign_lead_lists SET max_attempts_override = 0 WHERE organization_id = :'alpha' AND campaign_id = :'main';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

--
-- Campaign and list must be of the caller's organization (I14)
--
\set theirs 'd3000000-0000-4000-8000-000000000cb1'
\set list_b 'd3000000-0000-4000-8000-000000000fb1'
RESET app.current_org_id;
INSERT INTO lead_system.campaigns (organization_id, id, name) VALUES (:'bravo', :'theirs', 'Theirs');
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'bravo', :'list_b', 'theirs');
-- not even a superuser mixes two organizations
SELECT lead_system.add_lead_list_to_campaign(:'theirs', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_list_to_campaign(:'theirs', :'list_b') IS NOT NULL AS added;
SET app.current_org_id = :'bravo';
SET ROLE regress_ls_campaigns_manager;
SELECT lead_system.add_lead_list_to_campaign(:'theirs', :'list_b') IS NOT NULL AS own;
SELECT lead_system.add_lead_list_to_campaign(:'theirs', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_list_to_campaign(:'main', :'list_b');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_lead_list_from_campaign(:'main', :'one');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS campaigns FROM lead_system.campaigns;
RESET app.current_org_id;
SELECT lead_system.add_lead_list_to_campaign(:'theirs', :'list_b');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET app.current_org_id = :'bravo';
SET ROLE regress_ls_campaigns_agent;
SELECT lead_system.add_lead_list_to_campaign(:'theirs', :'list_b');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_lead_list_from_campaign(:'theirs', :'list_b');
\echo :LAST_ERROR_SQLSTATE
-- the rows themselves are written by functions alone
RESET ROLE;
SET ROLE regress_ls_campaigns_manager;
UPDATE lead_system.campaign_leads SET status = 'new';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.campaign_lead_lists;
\echo :LAST_ERROR_SQLSTATE
-- a campaign that is deleted takes its queue along
DELETE FROM lead_system.campaigns WHERE id = :'theirs';
RESET ROLE;
SELECT count(*) FROM lead_system.campaign_lead_lists WHERE organization_id = :'bravo';

RESET app.current_org_id;
DROP VIEW owners, counts, queue;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd3000000-%';
SELECT (SELECT count(*) FROM lead_system.campaigns WHERE organization_id::text LIKE 'd3000000-%') AS campaigns,
       (SELECT count(*) FROM lead_system.campaign_lead_lists WHERE organization_id::text LIKE 'd3000000-%') AS campaign_lead_lists,
       (SELECT count(*) FROM lead_system.campaign_leads WHERE organization_id::text LIKE 'd3000000-%') AS campaign_leads;
SELECT lead_system.revoke_access('regress_ls_campaigns_manager');
SELECT lead_system.revoke_access('regress_ls_campaigns_agent');
DROP ROLE regress_ls_campaigns_manager, regress_ls_campaigns_agent;
