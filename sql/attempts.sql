-- attempts: record_call_attempt() (semantics I9 to I12).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd5000000-0000-4000-8000-00000000000a'
\set bravo 'd5000000-0000-4000-8000-00000000000b'
\set rita  'd5000000-0000-4000-8000-0000000000a1'
\set ron   'd5000000-0000-4000-8000-0000000000a2'
\set main  'd5000000-0000-4000-8000-000000000c01'
\set list  'd5000000-0000-4000-8000-000000000f01'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
INSERT INTO lead_system.users (organization_id, id, full_name, email) VALUES
    (:'alpha', :'rita', 'Rita', 'rita@example.com'), (:'alpha', :'ron', 'Ron', 'ron@example.com');
CREATE ROLE regress_ls_attempts_agent;
CREATE ROLE regress_ls_attempts_readonly;
SELECT lead_system.grant_access('regress_ls_attempts_agent', 'agent');
SELECT lead_system.grant_access('regress_ls_attempts_readonly', 'readonly');
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'rita';
-- one lead for each outcome, and some more
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
SELECT :'alpha', ('d5000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, name, '+120255501' || lpad(n::text, 2, '0')
  FROM unnest(ARRAY['answered', 'pledged', 'donated', 'declined', 'callback', 'no_answer', 'voicemail', 'busy', 'failed', 'wrong_number',
                    'do_not_call', 'retry', 'claims', 'listed', 'details']) WITH ORDINALITY u(name, n);
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'list', 'All');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', :'list', id FROM lead_system.leads WHERE organization_id = :'alpha';
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'main', 'Main', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'main', :'list') IS NOT NULL AS added;
CREATE TEMP VIEW queue AS
SELECT q.id, d.first_name AS lead, q.status, q.attempts, q.outcome, q.last_attempt_at, q.next_attempt_at, q.pledged_amount, q.donated_amount,
       q.total_talk_time, q.last_call_duration, q.notes, q.claimed_by IS NOT NULL AS claimed, q.lease_until
  FROM lead_system.campaign_leads q JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
 WHERE q.campaign_id = 'd5000000-0000-4000-8000-000000000c01' ORDER BY d.id;
CREATE TEMP VIEW calls AS
SELECT d.first_name AS lead, c.direction, c.status, c.outcome, c.duration, u.full_name AS "user", c.caller_phone, c.called_phone,
       c.provider_call_id, c.recording_url, c.notes, c.created_at, c.ended_at
  FROM lead_system.call_logs c
  LEFT JOIN lead_system.leads d ON d.organization_id = c.organization_id AND d.id = c.lead_id
  LEFT JOIN lead_system.users u ON u.organization_id = c.organization_id AND u.id = c.user_id
 WHERE c.organization_id = 'd5000000-0000-4000-8000-00000000000a' ORDER BY c.id;
CREATE FUNCTION pg_temp.row_of(name text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM pg_temp.queue WHERE lead = name $$;
GRANT SELECT ON queue, calls TO regress_ls_attempts_agent;

--
-- All outcomes
--
SET lead_system.now = '2026-03-02 16:00:00+00';
SET ROLE regress_ls_attempts_agent;
SELECT lead, lead_system.record_call_attempt(id, lead) IS NOT NULL AS recorded
  FROM queue WHERE lead NOT IN ('retry', 'claims', 'listed', 'details');
RESET ROLE;
SELECT lead AS outcome, status, attempts, last_attempt_at, next_attempt_at, outcome = lead AS kept, total_talk_time, last_call_duration
  FROM queue WHERE attempts > 0;
SELECT outcome, status, direction, duration, "user", called_phone, created_at, ended_at FROM calls;
-- only somebody who was spoken to has been contacted (I11)
SELECT first_name AS outcome, call_count, last_contact_at, last_activity_at, do_not_call FROM lead_system.leads
 WHERE organization_id = :'alpha' AND call_count > 0 ORDER BY id;
SELECT total_leads, open_leads, contacted_leads, successful_leads, completed_at FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha';
SELECT d.first_name AS outcome, a.new_value, a.user_id = :'rita' AS by_rita FROM lead_system.activities a
  JOIN lead_system.leads d ON d.organization_id = a.organization_id AND d.id = a.lead_id
 WHERE a.organization_id = :'alpha' AND a.action_type = 'call_made' ORDER BY d.id;
-- who says so goes on the do-not-call list
SELECT phone_number, reason, source FROM lead_system.dnc_list WHERE organization_id = :'alpha';

--
-- Details
--
SELECT lead_system.record_call_attempt(p_campaign_lead_id => pg_temp.row_of('details'), p_outcome => 'pledged', p_duration => 125, p_details => '{
    "pledged_amount": 50, "notes": "call in May", "provider_call_id": "call-1", "recording_url": "https://example.com/call-1",
    "caller_phone": "(303) 555-0199", "started_at": "2026-03-02 15:57:00+00"}') AS call \gset
SELECT status, attempts, last_attempt_at, pledged_amount, donated_amount, total_talk_time, last_call_duration, notes FROM queue WHERE lead = 'details';
SELECT * FROM calls WHERE lead = 'details' \gx
-- a report that is repeated is recognised by the provider's id, and changes nothing
SELECT lead_system.record_call_attempt(pg_temp.row_of('details'), 'donated', 10, '{"provider_call_id": "call-1"}') = :'call' AS same_call;
SELECT status, attempts, total_talk_time FROM queue WHERE lead = 'details';
-- the id of a call to somebody else is a mistake
SELECT lead_system.record_call_attempt(pg_temp.row_of('claims'), 'answered', 10, '{"provider_call_id": "call-1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT status, attempts FROM queue WHERE lead = 'claims';
-- what is not told stays, talk adds up
SET lead_system.now = '2026-03-03 16:00:00+00';
SELECT lead_system.record_call_attempt(pg_temp.row_of('details'), 'donated', 60, '{"donated_amount": "45.50", "notes": null}') IS NOT NULL AS recorded;
SELECT status, attempts, pledged_amount, donated_amount, total_talk_time, last_call_duration, notes FROM queue WHERE lead = 'details';

--
-- Attempts (I10): three, a day apart, then the campaign gives up
--
SET lead_system.now = '2026-03-04 16:00:00+00';
SELECT lead_system.record_call_attempt(pg_temp.row_of('retry'), 'no_answer') IS NOT NULL AS first;
SELECT status, attempts, outcome, next_attempt_at FROM queue WHERE lead = 'retry';
SELECT lead_system.record_call_attempt(pg_temp.row_of('retry'), 'busy') IS NOT NULL AS second;
SELECT status, attempts, outcome FROM queue WHERE lead = 'retry';
SELECT lead_system.record_call_attempt(pg_temp.row_of('retry'), 'voicemail') IS NOT NULL AS third;
SELECT status, attempts, outcome FROM queue WHERE lead = 'retry';
SELECT lead_system.record_call_attempt(pg_temp.row_of('retry'), 'answered');
\echo :LAST_ERROR_SQLSTATE
-- the campaign's settings, and the list's before those
UPDATE lead_system.campaigns SET max_attempts = 2, retry_after = '90 minutes' WHERE organization_id = :'alpha' AND id = :'main';
SELECT lead_system.record_call_attempt(pg_temp.row_of('busy'), 'busy') IS NOT NULL AS second_of_two;
UPDATE lead_system.campaign_lead_lists SET max_attempts_override = 4 WHERE organization_id = :'alpha';
SELECT lead_system.record_call_attempt(pg_temp.row_of('failed'), 'failed') IS NOT NULL AS second_of_four;
SELECT lead, status, attempts, next_attempt_at FROM queue WHERE lead IN ('busy', 'failed');
-- somebody who was reached can be called once more, and convert
SELECT lead_system.record_call_attempt(pg_temp.row_of('declined'), 'donated', 30, '{"donated_amount": 5}') IS NOT NULL AS recorded;
-- not reached at the call back: there is another try
SELECT lead_system.record_call_attempt(pg_temp.row_of('callback'), 'no_answer') IS NOT NULL AS recorded;
SELECT lead, status, attempts, outcome, donated_amount FROM queue WHERE lead IN ('declined', 'callback');

--
-- Who was reached once has been contacted, whatever becomes of later calls (I10)
--
SELECT lead_system.record_call_attempt(pg_temp.row_of('callback'), 'busy') IS NOT NULL AS third_of_four;
SELECT status, attempts, outcome FROM queue WHERE lead = 'callback';
BEGIN;
SELECT lead_system.record_call_attempt(pg_temp.row_of('callback'), 'no_answer') IS NOT NULL AS last;
SELECT q.status, q.attempts, q.outcome, c.contacted_at FROM queue q JOIN lead_system.campaign_leads c ON c.id = q.id WHERE lead = 'callback';
SELECT contacted_leads FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha';
ROLLBACK;

-- who is done with stays so, when somebody rings again and is not answered
BEGIN;
SELECT lead, lead_system.record_call_attempt(id, 'no_answer') IS NOT NULL AS recorded FROM queue WHERE lead IN ('answered', 'pledged');
SELECT lead, status, attempts, outcome FROM queue WHERE lead IN ('answered', 'pledged');
SELECT open_leads, contacted_leads FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha';
-- nor does the list bring them back, after it was away
SELECT lead_system.remove_lead_list_from_campaign(:'main', :'list') AS left_the_campaign;
SELECT lead_system.record_call_attempt(id, 'busy') IS NOT NULL AS recorded FROM queue WHERE lead = 'pledged';
SELECT lead_system.add_lead_list_to_campaign(:'main', :'list') IS NOT NULL AS given_back;
SELECT lead, status, attempts, outcome FROM queue WHERE lead IN ('answered', 'pledged');
ROLLBACK;

--
-- Claims
--
SET lead_system.now = '2026-03-05 16:00:00+00';
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'main', 100, :'ron', '10 minutes');
SELECT lead, status, claimed, lease_until FROM queue WHERE lead = 'claims';
SET ROLE regress_ls_attempts_agent;
-- Rita cannot record the call of Ron
SELECT lead_system.record_call_attempt(pg_temp.row_of('claims'), 'answered');
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = :'ron';
SELECT lead_system.record_call_attempt(pg_temp.row_of('claims'), 'no_answer', 3) IS NOT NULL AS recorded;
SELECT lead, status, attempts, claimed, lease_until FROM queue WHERE lead = 'claims';
SELECT lead, "user", status FROM calls WHERE lead = 'claims';
-- a lead whose score changes during the call goes back to where it belongs (I4)
UPDATE lead_system.leads SET company_size = '201-1000', industry = 'Software/SaaS' WHERE organization_id = :'alpha' AND first_name IN ('no_answer', 'answered');
SELECT lead, status, (SELECT l.lead_score = c.lead_score AND l.lead_score > 0 FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.organization_id = c.organization_id AND l.id = c.lead_id WHERE c.id = q.id) AS right_score
  FROM queue q WHERE lead IN ('no_answer', 'answered');
-- when the lease is over, whoever called may say so
SET app.current_user_id = :'rita';
SELECT lead, claimed, lease_until FROM queue WHERE lead = 'voicemail';
RESET ROLE;
SET lead_system.now = '2026-03-05 16:10:00+00';
SET ROLE regress_ls_attempts_agent;
SELECT lead_system.record_call_attempt(pg_temp.row_of('voicemail'), 'answered') IS NOT NULL AS recorded;
SELECT lead, status, claimed, lease_until FROM queue WHERE lead = 'voicemail';
SELECT lead, "user" FROM calls WHERE lead = 'voicemail';
RESET ROLE;

--
-- The do-not-call list
--
SET lead_system.now = '2026-03-06 16:00:00+00';
SELECT lead_system.add_to_dnc_list('+12025550114', 'complaint') IS NOT NULL AS added;
SET lead_system.now = '2026-03-06 17:00:00+00';
SELECT lead_system.record_call_attempt(pg_temp.row_of('listed'), 'no_answer');
\echo :LAST_ERROR_SQLSTATE
-- a call that began before is recorded, and the lead stays what it is
SELECT lead_system.record_call_attempt(pg_temp.row_of('listed'), 'no_answer', 5, '{"started_at": "2026-03-06 16:00:00+00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('listed'), 'no_answer', 5, '{"started_at": "2026-03-06 15:59:59+00"}') IS NOT NULL AS recorded;
SELECT lead, status, attempts, outcome FROM queue WHERE lead = 'listed';

-- whatever the status of the row, a listed number must not have been called
SELECT lead, status FROM queue WHERE lead = 'answered';
SELECT lead_system.add_to_dnc_list('+12025550101', 'complaint') IS NOT NULL AS added;
SELECT lead, status FROM queue WHERE lead = 'answered';
SELECT lead_system.record_call_attempt(pg_temp.row_of('answered'), 'pledged', 5);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('answered'), 'do_not_call', 5);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('answered'), 'pledged', 5, '{"started_at": "2026-03-06 16:00:00+00"}') IS NOT NULL AS begun_before;
-- nor one whose lead is marked
UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'by hand' WHERE organization_id = :'alpha' AND first_name = 'pledged';
SELECT lead_system.record_call_attempt(pg_temp.row_of('pledged'), 'donated', 5, '{"started_at": "2026-03-06 16:00:00+00"}');
\echo :LAST_ERROR_SQLSTATE
-- somebody who is on the list for a while, and says so in a call that had begun, is on it for good
SELECT lead_system.add_to_dnc_list('+12025550105', 'manual', expires_at => '2026-04-01 00:00:00+00') IS NOT NULL AS added;
SELECT lead_system.record_call_attempt(pg_temp.row_of('callback'), 'do_not_call', 5, '{"started_at": "2026-03-06 16:59:00+00"}') IS NOT NULL AS recorded;
SELECT expires_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND phone_number = '+12025550105';

--
-- The list is done when none of its leads is open any more (I12)
--
SELECT open_leads, completed_at FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha';
SELECT lead, status FROM queue WHERE status IN ('new', 'queued', 'calling');
SELECT lead, lead_system.record_call_attempt(id, 'wrong_number') IS NOT NULL AS recorded FROM queue WHERE status IN ('new', 'queued', 'calling');
SELECT total_leads, open_leads, contacted_leads, successful_leads, completed_at FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha';
SET lead_system.now = '2026-03-07 16:00:00+00';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
VALUES (:'alpha', 'd5000000-0000-4000-8000-000000000116', 'late', '+12025550116');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', :'list', 'd5000000-0000-4000-8000-000000000116');
SELECT lead_system.add_lead_list_to_campaign(:'main', :'list') IS NOT NULL AS added;
SELECT total_leads, open_leads, completed_at FROM lead_system.campaign_lead_lists WHERE organization_id = :'alpha';

--
-- Errors
--
SELECT lead_system.record_call_attempt(NULL, 'answered');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'sold');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', -1);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', 86401);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', 1, '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', 1, '{"amount": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'pledged', 1, '{"pledged_amount": "a lot"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'pledged', 1, '{"pledged_amount": -5}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'callback', 1, '{"callback_at": "some day"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'callback', 1, '{"callback_at": "infinity"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', 1, '{"started_at": "-infinity"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', 1, '{"started_at": "2026-03-07 16:01:01+00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'pledged', 1, '{"pledged_amount": "NaN"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'donated', 1, '{"donated_amount": "Infinity"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'answered', 1, '{"caller_phone": "unknown"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_call_attempt(:'main', 'answered');
\echo :LAST_ERROR_SQLSTATE
-- nothing of all that was recorded
SELECT status, attempts FROM queue WHERE lead = 'late';
SELECT count(*) FROM calls WHERE lead = 'late';
-- NULL for what is optional is as good as nothing
SELECT lead_system.record_call_attempt(pg_temp.row_of('late'), 'no_answer', NULL, NULL) IS NOT NULL AS recorded;
SELECT status, attempts, last_call_duration FROM queue WHERE lead = 'late';
SELECT pg_temp.row_of('late') AS late \gset
SET ROLE regress_ls_attempts_readonly;
SELECT lead_system.record_call_attempt(:'late', 'answered');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- another organization's row does not exist
RESET app.current_user_id;
SET app.current_org_id = :'bravo';
SET ROLE regress_ls_attempts_agent;
SELECT lead_system.record_call_attempt('d5000000-0000-4000-8000-0000000000ff', 'answered');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
SELECT lead_system.record_call_attempt(:'late', 'answered');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
RESET ROLE;

RESET app.current_org_id;
DROP FUNCTION pg_temp.row_of(text);
DROP VIEW queue, calls;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd5000000-%';
SELECT (SELECT count(*) FROM lead_system.campaign_leads WHERE organization_id::text LIKE 'd5000000-%') AS campaign_leads,
       (SELECT count(*) FROM lead_system.call_logs WHERE organization_id::text LIKE 'd5000000-%') AS call_logs,
       (SELECT count(*) FROM lead_system.activities WHERE organization_id::text LIKE 'd5000000-%') AS activities;
SELECT lead_system.revoke_access('regress_ls_attempts_agent');
SELECT lead_system.revoke_access('regress_ls_attempts_readonly');
DROP ROLE regress_ls_attempts_agent, regress_ls_attempts_readonly;
