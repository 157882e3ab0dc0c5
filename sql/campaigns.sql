-- campaigns: lists given to campaigns and taken from them (semantics I1 to I8, I14).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd3000000-0000-4000-8000-00000000000a'
\set bravo 'd3000000-0000-4000-8000-00000000000b'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
-- this file is about lists: neither caps nor gaps between calls
INSERT INTO lead_system.system_config (organization_id, key, value)
SELECT o.id, k.key, '0' FROM lead_system.organizations o, (VALUES ('compliance.max_attempts_per_day'), ('compliance.min_gap_minutes')) k(key)
 WHERE o.id IN (:'alpha', :'bravo');
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
INSERT INTO lead_system.campaigns (organization_id, name, retry_after) VALUES (:'alpha', 'Bad', '11 years');
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
       (SELECT count(*)::int, count(*) FILTER (WHERE q.status = 'calling' OR q.status IN ('new', 'queued') AND q.is_dialable)::int,
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
-- when the number is taken off, the lead is queued again; adding the list again changes nothing
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

-- a deleted lead that nobody called does not stand in the way of the live one
\set eighth 'd3000000-0000-4000-8000-000000000c08'
\set ninth  'd3000000-0000-4000-8000-000000000c09'
\set four   'd3000000-0000-4000-8000-000000000f04'
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES
    (:'alpha', 'd3000000-0000-4000-8000-000000000121', 'M1', '+13035550121'),
    (:'alpha', 'd3000000-0000-4000-8000-000000000122', 'M2', '+13035550122'),
    (:'alpha', 'd3000000-0000-4000-8000-000000000123', 'M3', '+13035550123'),
    (:'alpha', 'd3000000-0000-4000-8000-000000000124', 'M4', '+13035550124');
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'four', 'four');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', :'four', id FROM lead_system.leads WHERE organization_id = :'alpha' AND first_name LIKE 'M%';
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES
    (:'alpha', :'eighth', 'Eighth', 'active'), (:'alpha', :'ninth', 'Ninth', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'eighth', :'four') IS NOT NULL AS added;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'M4';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
VALUES (:'alpha', 'd3000000-0000-4000-8000-000000000125', 'M4 again', '+13035550124');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', :'four', 'd3000000-0000-4000-8000-000000000125');
SELECT lead_system.add_lead_list_to_campaign(:'eighth', :'four') IS NOT NULL AS added;
SELECT * FROM owners WHERE campaign = 'Eighth';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'eighth', 10) q JOIN lead_system.leads l ON l.organization_id = :'alpha' AND l.id = q.lead_id ORDER BY 1;

--
-- A list that goes while its leads are being called
--
SELECT lead, lead_system.record_call_attempt(id, outcome) IS NOT NULL AS recorded
  FROM (VALUES ('M1', 'no_answer'), ('M2', 'callback')) v(name, outcome)
  JOIN (SELECT q.id, d.first_name AS lead FROM lead_system.campaign_leads q JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
         WHERE q.organization_id = :'alpha' AND q.campaign_id = :'eighth') q ON q.lead = v.name;
SELECT lead_system.remove_lead_list_from_campaign(:'eighth', :'four') AS left_the_campaign;
SELECT lead, status, attempts, outcome FROM queue WHERE campaign = 'Eighth' ORDER BY lead COLLATE "C";
-- nobody answers: not again; nobody calls: neither
SELECT lead_system.record_call_attempt(q.id, 'no_answer') IS NOT NULL AS recorded FROM lead_system.campaign_leads q
 WHERE q.organization_id = :'alpha' AND q.campaign_id = :'eighth' AND q.lead_id = 'd3000000-0000-4000-8000-000000000123';
SET lead_system.now = '2026-03-06 15:00:00+00';
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'eighth', 10);
SELECT lead, status, attempts, outcome FROM queue WHERE campaign = 'Eighth' ORDER BY lead COLLATE "C";
SELECT total, open, contacted, is_active, completed_at, right_counts FROM counts WHERE campaign = 'Eighth';
-- is_active is the manager's, but does not bring a list back that was taken away
\set VERBOSITY terse
UPDATE lead_system.campaign_lead_lists SET is_active = true WHERE organization_id = :'alpha' AND campaign_id = :'eighth';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- given back, its leads take the place that they have now (I4)
UPDATE lead_system.leads SET company_size = '201-1000', industry = 'Software/SaaS', inquiry_type = 'Demo Request', budget_timeline = 'Immediate'
 WHERE organization_id = :'alpha' AND first_name = 'M3';
UPDATE lead_system.leads SET phone_number = NULL WHERE organization_id = :'alpha' AND first_name = 'M1';
SELECT lead_system.add_lead_list_to_campaign(:'eighth', :'four') IS NOT NULL AS given_back;
SELECT d.first_name, q.status, q.attempts, q.outcome, d.temperature, q.temperature_rank, q.lead_score = d.lead_score AS right_score, q.is_dialable
  FROM lead_system.campaign_leads q JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
 WHERE q.organization_id = :'alpha' AND q.campaign_id = :'eighth' AND d.deleted_at IS NULL ORDER BY 1;
SELECT total, open, contacted, is_active, completed_at, right_counts FROM counts WHERE campaign = 'Eighth';

--
-- A list that is deleted leaves its campaigns like one that is taken away
--
\set five 'd3000000-0000-4000-8000-000000000f05'
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'five', 'five');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES
    (:'alpha', :'five', 'd3000000-0000-4000-8000-000000000122'), (:'alpha', :'five', 'd3000000-0000-4000-8000-000000000123');
SELECT lead_system.add_lead_list_to_campaign(:'ninth', :'four', 1) IS NOT NULL AS four, lead_system.add_lead_list_to_campaign(:'ninth', :'five', 2) IS NOT NULL AS five;
SELECT * FROM owners WHERE campaign = 'Ninth';
SELECT count(lead_system.record_call_attempt(q.campaign_lead_id, 'no_answer')) AS calls FROM lead_system.claim_campaign_leads(:'ninth', 1) q;
SET ROLE regress_ls_campaigns_manager;
DELETE FROM lead_system.lead_lists WHERE organization_id = :'alpha' AND id = :'four';
RESET ROLE;
SELECT campaign, lead, list, status, attempts, outcome FROM queue WHERE campaign IN ('Eighth', 'Ninth') ORDER BY campaign COLLATE "C", lead COLLATE "C";
SELECT campaign, list, total, open, right_counts FROM counts WHERE campaign IN ('Eighth', 'Ninth');
SET lead_system.now = '2026-03-09 15:00:00+00';
SELECT c AS campaign, count(q.*) AS claimed FROM unnest(ARRAY[:'eighth', :'ninth']::uuid[]) c LEFT JOIN LATERAL lead_system.claim_campaign_leads(c, 10) q ON true GROUP BY c ORDER BY c;

--
-- Who leaves the do-not-call list when the list that called them is gone
--
\set tenth  'd3000000-0000-4000-8000-000000000c10'
\set list_a 'd3000000-0000-4000-8000-000000000fa1'
\set list_b 'd3000000-0000-4000-8000-000000000fa2'
SET lead_system.now = '2026-03-09 16:00:00+00';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES
    (:'alpha', 'd3000000-0000-4000-8000-000000000131', 'N1', '+13125550131'), (:'alpha', 'd3000000-0000-4000-8000-000000000132', 'N2', '+13125550132');
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'list_a', 'A'), (:'alpha', :'list_b', 'B');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', l, d.id FROM lead_system.leads d CROSS JOIN unnest(ARRAY[:'list_a', :'list_b']::uuid[]) l WHERE d.organization_id = :'alpha' AND d.first_name IN ('N1', 'N2');
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'tenth', 'Tenth', 'active');
-- N1 was called, N2 was only claimed; both are listed, and unlisted after the list was taken away
SELECT lead_system.add_lead_list_to_campaign(:'tenth', :'list_a', 2) IS NOT NULL AS added;
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'tenth', 2);
SELECT lead_system.record_call_attempt(id, 'no_answer') IS NOT NULL AS recorded FROM lead_system.campaign_leads
 WHERE organization_id = :'alpha' AND campaign_id = :'tenth' AND lead_id = 'd3000000-0000-4000-8000-000000000131';
SELECT lead_system.add_to_dnc_list('+13125550131', 'manual') IS NOT NULL AS listed;
SELECT lead_system.remove_lead_list_from_campaign(:'tenth', :'list_a') AS left_the_campaign;
SELECT lead_system.add_to_dnc_list('+13125550132', 'manual') IS NOT NULL AS listed;
SELECT lead_system.remove_from_dnc_list('+13125550131', 'by mistake') AND lead_system.remove_from_dnc_list('+13125550132', 'by mistake') AS unlisted;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Tenth' ORDER BY lead COLLATE "C";
-- another list: who was called never moves, and is not queued where nobody calls
SELECT lead_system.add_lead_list_to_campaign(:'tenth', :'list_b', 3) IS NOT NULL AS added;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Tenth' ORDER BY lead COLLATE "C";
SELECT list, total, open, completed_at IS NOT NULL AS complete, right_counts FROM counts WHERE campaign = 'Tenth';
-- the list itself takes up where it was
SELECT lead_system.add_lead_list_to_campaign(:'tenth', :'list_a', 2) IS NOT NULL AS given_back;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Tenth' ORDER BY lead COLLATE "C";
-- as often as it may be called, no more
SELECT lead_system.add_to_dnc_list('+13125550131', 'manual') IS NOT NULL AS listed;
SELECT lead_system.remove_lead_list_from_campaign(:'tenth', :'list_a') AS left_the_campaign;
SELECT lead_system.remove_from_dnc_list('+13125550131', 'by mistake') AS unlisted;
UPDATE lead_system.campaigns SET max_attempts = 1 WHERE organization_id = :'alpha' AND id = :'tenth';
SELECT lead_system.add_lead_list_to_campaign(:'tenth', :'list_a', 2) IS NOT NULL AS given_back;
SELECT lead, list, status, attempts FROM queue WHERE campaign = 'Tenth' ORDER BY lead COLLATE "C";
-- who said so in a call of the campaign is not called by it again, when the list is given again
UPDATE lead_system.campaigns SET max_attempts = 3 WHERE organization_id = :'alpha' AND id = :'tenth';
SELECT lead_system.record_call_attempt(id, 'do_not_call') IS NOT NULL AS recorded FROM lead_system.campaign_leads
 WHERE organization_id = :'alpha' AND campaign_id = :'tenth' AND lead_id = 'd3000000-0000-4000-8000-000000000132';
SELECT lead_system.remove_from_dnc_list('+13125550132', 'asked to be called again') AS unlisted;
SELECT lead_system.add_lead_list_to_campaign(:'tenth', l, 2) IS NOT NULL AS again FROM unnest(ARRAY[:'list_a', :'list_b']::uuid[]) l;
SELECT lead, list, status, attempts, outcome FROM queue WHERE campaign = 'Tenth' ORDER BY lead COLLATE "C";

--
-- A claim that lapses: the lead belongs to whom it belongs now (I3)
--
\set eleventh 'd3000000-0000-4000-8000-000000000c11'
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'eleventh', 'Eleventh', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'eleventh', :'list_a', 2) IS NOT NULL AS added;
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'eleventh', 1);
SELECT lead_system.add_lead_list_to_campaign(:'eleventh', :'list_b', 1) IS NOT NULL AS higher;
SELECT lead, list, status FROM queue WHERE campaign = 'Eleventh' ORDER BY lead COLLATE "C";
SET lead_system.now = '2026-03-09 17:00:00+00';
SELECT d.first_name, l.name AS list, q.attempts FROM lead_system.claim_campaign_leads(:'eleventh', 1) q
  JOIN lead_system.leads d ON d.id = q.lead_id JOIN lead_system.lead_lists l ON l.id = q.lead_list_id;
SELECT list, total, open, right_counts FROM counts WHERE campaign = 'Eleventh';
-- its list was taken away: another has it
SELECT lead_system.remove_lead_list_from_campaign(:'eleventh', :'list_b') AS left_the_campaign;
SELECT lead, list, status FROM queue WHERE campaign = 'Eleventh' ORDER BY lead COLLATE "C";
SET lead_system.now = '2026-03-09 18:00:00+00';
SELECT d.first_name, l.name AS list, q.attempts FROM lead_system.claim_campaign_leads(:'eleventh', 2) q
  JOIN lead_system.leads d ON d.id = q.lead_id JOIN lead_system.lead_lists l ON l.id = q.lead_list_id ORDER BY 1;
SELECT list, total, open, is_active, right_counts FROM counts WHERE campaign = 'Eleventh';
-- a tie, or one of lower priority: the first stays, though it waits; without any, it is over
SELECT lead_system.add_lead_list_to_campaign(:'eleventh', :'list_b', 2) IS NOT NULL AS tie;
UPDATE lead_system.campaign_lead_lists SET is_active = false WHERE organization_id = :'alpha' AND campaign_id = :'eleventh' AND lead_list_id = :'list_a';
SET lead_system.now = '2026-03-09 19:00:00+00';
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'eleventh', 2);
SELECT lead, list, status FROM queue WHERE campaign = 'Eleventh' ORDER BY lead COLLATE "C";

--
-- A list whose last leads cannot be dialled is complete, until they can
--
\set twelfth 'd3000000-0000-4000-8000-000000000c12'
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'twelfth', 'Twelfth', 'active');
UPDATE lead_system.leads SET phone_number = NULL WHERE organization_id = :'alpha' AND first_name = 'N1';
SELECT lead_system.add_lead_list_to_campaign(:'twelfth', :'list_a') IS NOT NULL AS added;
SELECT list, total, open, completed_at, right_counts FROM counts WHERE campaign = 'Twelfth';
SELECT count(lead_system.record_call_attempt(q.campaign_lead_id, 'answered')) AS calls FROM lead_system.claim_campaign_leads(:'twelfth', 2) q;
SELECT list, total, open, completed_at, right_counts FROM counts WHERE campaign = 'Twelfth';
UPDATE lead_system.leads SET phone_number = '+13125550131' WHERE organization_id = :'alpha' AND first_name = 'N1';
SELECT list, total, open, completed_at, right_counts FROM counts WHERE campaign = 'Twelfth';
SET lead_system.now = '2026-03-09 15:00:00+00';

--
-- An organization that the statistics do not know: each statement reads its rows a few times at most
--
-- (they know one with a thousand leads, all in a list and in a campaign)
\set known_list 'd3000000-0000-4000-8000-000000000fc0'
\set known      'd3000000-0000-4000-8000-000000000cc0'
INSERT INTO lead_system.leads (organization_id, first_name) SELECT :'alpha', 'known' FROM generate_series(1, 1000);
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'known_list', 'known');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT :'alpha', :'known_list', id FROM lead_system.leads WHERE organization_id = :'alpha' AND first_name = 'known';
INSERT INTO lead_system.campaigns (organization_id, id, name) VALUES (:'alpha', :'known', 'Known');
SELECT lead_system.add_lead_list_to_campaign(:'known', :'known_list') IS NOT NULL AS added;
ANALYZE lead_system.leads, lead_system.lead_list_members, lead_system.campaign_leads, lead_system.dnc_list;
\set many_list 'd3000000-0000-4000-8000-000000000fc1'
\set many      'd3000000-0000-4000-8000-000000000cc1'
SET app.current_org_id = :'bravo';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number)
SELECT :'bravo', 'many', '+1' || area || '55501' || lpad(n::text, 2, '0') FROM generate_series(0, 99) n CROSS JOIN unnest(ARRAY[202, 303, 312, 415, 503, 602, 702, 803]) area;
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'bravo', :'many_list', 'many');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT :'bravo', :'many_list', id FROM lead_system.leads WHERE organization_id = :'bravo';
INSERT INTO lead_system.campaigns (organization_id, id, name, status, daily_cap, retry_after) VALUES (:'bravo', :'many', 'Many', 'active', NULL, '1 day');
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
     WHERE schemaname = 'lead_system' AND relname IN ('leads', 'lead_list_members', 'campaign_leads', 'dnc_list') $$;
SELECT pg_temp.rows_read() AS before \gset
BEGIN;
SELECT lead_system.add_lead_list_to_campaign(:'many', :'many_list', 2) IS NOT NULL AS added;
SELECT pg_temp.rows_read() - :before < 20 * 800 AS few_rows_read, pg_temp.rows_read() AS before \gset
\echo :few_rows_read
COMMIT;
-- nothing to do: nothing is written
BEGIN;
SELECT lead_system.add_lead_list_to_campaign(:'many', :'many_list', 2) IS NOT NULL AS again;
SELECT pg_temp.rows_read() - :before < 20 * 800 AS few_rows_read, pg_temp.rows_read() AS before \gset
\echo :few_rows_read
SELECT count(*) AS locked FROM lead_system.campaign_leads WHERE organization_id = :'bravo' AND xmax = pg_current_xact_id()::xid;
COMMIT;
BEGIN;
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'many', 700);
SELECT pg_temp.rows_read() - :before < 20 * 800 AS few_rows_read, pg_temp.rows_read() AS before \gset
\echo :few_rows_read
COMMIT;
SELECT count(lead_system.record_call_attempt(id, 'no_answer')) AS calls FROM lead_system.campaign_leads WHERE organization_id = :'bravo' AND status = 'calling';
-- leads that wait for another attempt are not in the index of the queue, until a claim lets them in
SELECT count(*) FILTER (WHERE is_waiting) AS waiting, count(*) FILTER (WHERE NOT is_waiting) AS in_the_queue FROM lead_system.campaign_leads WHERE organization_id = :'bravo';
SET lead_system.now = '2026-03-10 14:59:59+00';
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'many', 1000);
SELECT count(*) FILTER (WHERE is_waiting) AS waiting FROM lead_system.campaign_leads WHERE organization_id = :'bravo';
SET lead_system.now = '2026-03-10 15:00:00+00';
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'many', 10);
SELECT count(*) FILTER (WHERE is_waiting) AS waiting FROM lead_system.campaign_leads WHERE organization_id = :'bravo';
DROP FUNCTION pg_temp.rows_read();
DELETE FROM lead_system.campaigns WHERE organization_id = :'bravo';
RESET app.current_org_id;
SET app.current_org_id = :'alpha';

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
-- a filter (I7) that cannot be read is refused rather than ignored
UPDATE lead_system.campaign_lead_lists SET filter_criteria = '{"trade": "Education"}' WHERE organization_id = :'alpha' AND campaign_id = :'main';
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
