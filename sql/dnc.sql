-- dnc: the do-not-call list (semantics D3 to D6, D17).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd0000000-0000-4000-8000-00000000000a'
\set bravo 'd0000000-0000-4000-8000-00000000000b'
\set charlie 'd0000000-0000-4000-8000-00000000000c'
\set chief 'd0000000-0000-4000-8000-0000000000a1'
\set rep   'd0000000-0000-4000-8000-0000000000a2'
INSERT INTO lead_system.organizations (id, name, default_pipeline, default_region) VALUES
    (:'alpha', 'Alpha', 'recruiting', 'US'), (:'bravo', 'Bravo', 'b2b', 'GB'), (:'charlie', 'Charlie', 'b2b', 'GB');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'alpha', :'chief', 'Chief', 'chief@example.com', 'admin'),
    (:'alpha', :'rep', 'Rep', 'rep@example.com', 'rep');
CREATE ROLE regress_ls_dnc_agent;
CREATE ROLE regress_ls_dnc_admin;
SELECT lead_system.grant_access('regress_ls_dnc_agent', 'agent');
SELECT lead_system.grant_access('regress_ls_dnc_admin', 'admin');
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';

--
-- Asking
--
SELECT lead_system.is_on_dnc_list('+12025550110', :'alpha');
-- by name, and with a varchar
SELECT lead_system.is_on_dnc_list(phone_number => '+12025550110'::varchar, org_id => :'alpha');
-- what is not a phone number is not off the list, but unknown
SELECT raw, lead_system.is_on_dnc_list(raw, :'alpha') AS listed
  FROM (VALUES (NULL), (''), ('unknown'), ('12'), ('+0123456789'), ('555-0110')) v(raw);
SELECT lead_system.is_on_dnc_list('+12025550110', NULL);

--
-- Adding
--
SELECT lead_system.add_to_dnc_list('(202) 555-0110', 'lead_requested') AS entry \gset
SELECT phone_number, reason, source, opt_out_phrase, added_by = :'chief' AS by_chief, expires_at, created_at
  FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'entry';
-- all arguments
SELECT lead_system.add_to_dnc_list(phone_number => '+1 303 555 0111', reason => 'sms_stop', source => 'sms_reply',
    expires_at => '2026-04-01 00:00:00+00', opt_out_phrase => 'STOP') AS temporary \gset
SELECT phone_number, reason, source, opt_out_phrase, expires_at
  FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'temporary';
-- any way of writing the number will do, for asking as for adding
SELECT raw, lead_system.is_on_dnc_list(raw, :'alpha') AS listed, lead_system.add_to_dnc_list(raw, 'manual') = :'entry' AS same_entry
  FROM (VALUES ('+12025550110'), ('2025550110'), ('12025550110'), ('1-202-555-0110'), ('(202)5550110'), ('202.555.0110'),
               (' 202 555 0110 '), ('+1 (202) 555-0110'), ('tel:+1-202-555-0110'), ('011 1 202 555 0110'),
               ('202-555-0110 ext. 7'), ('+1 202 555 0110 x7')) v(raw);
SELECT lead_system.is_on_dnc_list('202-555-0111', :'alpha') AS neighbour;
SELECT count(*) FROM lead_system.dnc_list WHERE organization_id = :'alpha';

-- text that has the stored form can be another spelling of a number: it finds the one entry
SELECT lead_system.add_to_dnc_list('+4402079460958', 'lead_requested') AS london \gset
SELECT raw, lead_system.is_on_dnc_list(raw, :'alpha') AS listed, lead_system.add_to_dnc_list(raw, 'manual') = :'london' AS same_entry
  FROM (VALUES ('+442079460958'), ('+4402079460958'), ('+44 (0)20 7946 0958'), ('011 44 20 7946 0958')) v(raw);
SELECT phone_number FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'london';
SELECT lead_system.remove_from_dnc_list('+4402079460958', 'asked again') AS removed;
-- what has the form and is no number of its plan is unknown, and is not listed
SELECT raw, lead_system.is_on_dnc_list(raw, :'alpha') AS listed FROM (VALUES ('+10000000'), ('+10025550110'), ('+9990000000')) v(raw);
SELECT lead_system.add_to_dnc_list('+10000000', 'manual');
\echo :LAST_ERROR_SQLSTATE

-- errors
SELECT lead_system.add_to_dnc_list(NULL, 'manual');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('555-0110', 'manual');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('not a number', 'manual');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('+12025550112', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('+12025550112', '  ');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('+12025550112', 'manual', '');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('+12025550112', 'manual', NULL);
\echo :LAST_ERROR_SQLSTATE
-- an entry that lists nothing is a slip
SELECT lead_system.add_to_dnc_list('+12025550112', 'manual', expires_at => '2026-03-02 15:00:00+00');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_to_dnc_list('+12025550112', 'manual', expires_at => '-infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.add_numbers_to_dnc_list(ARRAY['+12025550112'], 'manual', expires_at => '2026-03-02 14:59:59+00');
\echo :LAST_ERROR_SQLSTATE
RESET app.current_user_id;
RESET app.current_org_id;
SELECT lead_system.add_to_dnc_list('+12025550112', 'manual');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = 'd0000000-0000-4000-8000-0000000000ff';
SELECT lead_system.add_to_dnc_list('+12025550112', 'manual');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';
SELECT count(*) FROM lead_system.dnc_list WHERE phone_number = '+12025550112';

--
-- Expiry (D4): listed while expires_at is later than now
--
SELECT lead_system.is_on_dnc_list('+13035550111', :'alpha') AS before;
SET lead_system.now = '2026-03-31 23:59:59.999999+00';
SELECT lead_system.is_on_dnc_list('+13035550111', :'alpha') AS last_instant;
SET lead_system.now = '2026-04-01 00:00:00+00';
SELECT lead_system.is_on_dnc_list('+13035550111', :'alpha') AS at_expiry;
-- an expired entry starts anew: same id, listed since now
SELECT lead_system.add_to_dnc_list('+13035550111', 'complaint', 'complaint', '2026-05-01 00:00:00+00') = :'temporary' AS same_entry;
SELECT reason, source, opt_out_phrase, created_at, expires_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'temporary';
SET lead_system.now = '2026-04-02 00:00:00+00';
-- earlier does not beat later
SELECT lead_system.add_to_dnc_list('+13035550111', 'manual', expires_at => '2026-04-15 00:00:00+00') = :'temporary' AS same_entry;
SELECT reason, created_at, expires_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'temporary';
-- later beats earlier; listed without interruption since the same day
SELECT lead_system.add_to_dnc_list('+13035550111', 'manual', expires_at => '2026-06-01 00:00:00+00') = :'temporary' AS same_entry;
SELECT reason, created_at, expires_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'temporary';
-- permanent beats temporary
SELECT lead_system.add_to_dnc_list('+13035550111', 'legal_requirement') = :'temporary' AS same_entry;
SELECT reason, created_at, expires_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'temporary';
-- and temporary does not beat permanent
SELECT lead_system.add_to_dnc_list('+13035550111', 'manual', expires_at => '2099-01-01 00:00:00+00') = :'temporary' AS same_entry;
SELECT reason, created_at, expires_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND id = :'temporary';
-- the audit has every request, those that changed nothing as repeated
SELECT action, reason, source, expires_at, user_id = :'chief' AS by_chief, created_at FROM lead_system.dnc_audit_log
 WHERE organization_id = :'alpha' AND phone_number = '+13035550111' ORDER BY id;

--
-- What listing does to leads (D5), and what removal does (D6)
--
SET lead_system.now = '2026-04-03 09:00:00+00';
\set anna 'd0000000-0000-4000-8000-000000000001'
\set ben  'd0000000-0000-4000-8000-000000000002'
\set cleo 'd0000000-0000-4000-8000-000000000003'
\set dan  'd0000000-0000-4000-8000-000000000004'
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES
    (:'alpha', :'anna', 'Anna', '202-555-0121'), (:'alpha', :'cleo', 'Cleo', '202-555-0123');
-- a pipeline without a status for it: the lead is blocked all the same
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, pipeline_id)
SELECT :'alpha', :'ben', 'Ben', '202-555-0122', id FROM lead_system.pipelines WHERE organization_id IS NULL AND name = 'b2b';
-- blocked by hand, which has nothing to do with the list
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, do_not_call, calling_blocked_reason)
VALUES (:'alpha', :'dan', 'Dan', '202-555-0124', true, 'moved abroad');
CREATE TEMP VIEW blocks AS
SELECT first_name, phone_number, status, stage, do_not_call, calling_blocked_reason
  FROM lead_system.leads WHERE organization_id = 'd0000000-0000-4000-8000-00000000000a' ORDER BY first_name COLLATE "C";
SELECT * FROM blocks;
SELECT raw, result FROM lead_system.add_numbers_to_dnc_list(ARRAY['202 555 0121', '202 555 0122', '202 555 0124'], 'complaint', 'complaint');
SELECT * FROM blocks;
SELECT field_name, old_value, new_value, changed_by = :'chief' AS by_chief, change_reason FROM lead_system.lead_audit_log
 WHERE organization_id = :'alpha' AND lead_id = :'anna' ORDER BY field_name COLLATE "C";
SELECT old_status, new_status, old_stage, new_stage, trigger_type, reason FROM lead_system.lead_status_history
 WHERE organization_id = :'alpha' AND lead_id = :'anna';
-- a listed lead cannot be unblocked while it is listed
UPDATE lead_system.leads SET do_not_call = false WHERE organization_id = :'alpha' AND id = :'anna';
\echo :LAST_ERROR_SQLSTATE

-- removal: true when the number was listed, and the reason goes into the audit
SELECT lead_system.remove_from_dnc_list('(202) 555-0121', 'asked to be called again');
SELECT lead_system.remove_from_dnc_list('(202) 555-0121', 'asked to be called again');
SELECT lead_system.remove_from_dnc_list('202-555-0122', 'listed by mistake');
SELECT lead_system.remove_from_dnc_list('202-555-0124', 'listed by mistake');
SELECT * FROM blocks;
SELECT action, phone_number, reason, source, user_id = :'chief' AS by_chief, created_at FROM lead_system.dnc_audit_log
 WHERE organization_id = :'alpha' AND phone_number IN ('+12025550121', '+12025550122', '+12025550124') AND action = 'removed'
 ORDER BY phone_number;
SELECT old_status, new_status, reason, changed_by = :'chief' AS by_chief FROM lead_system.lead_status_history
 WHERE organization_id = :'alpha' AND lead_id = :'anna' ORDER BY id;
-- an entry that had expired goes as well, but was not listed
SELECT lead_system.add_to_dnc_list('+12025550125', 'manual', expires_at => '2026-04-04 00:00:00+00') IS NOT NULL AS added;
SET lead_system.now = '2026-04-05 09:00:00+00';
SELECT lead_system.remove_from_dnc_list('+12025550125', 'over');
SELECT count(*) FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND phone_number = '+12025550125';
-- errors
SELECT lead_system.remove_from_dnc_list(NULL, 'over');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_from_dnc_list('nobody', 'over');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_from_dnc_list('+12025550110', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.remove_from_dnc_list('+12025550110', ' ');
\echo :LAST_ERROR_SQLSTATE
-- for administrators: of the database role, and of the application's user
SET app.current_user_id = :'rep';
SET ROLE regress_ls_dnc_admin;
SELECT lead_system.remove_from_dnc_list('+12025550110', 'please');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET ROLE regress_ls_dnc_agent;
SELECT lead_system.remove_from_dnc_list('+12025550110', 'please');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.dnc_list WHERE phone_number = '+12025550110';
\echo :LAST_ERROR_SQLSTATE
-- listing is for everybody who calls
SELECT lead_system.add_to_dnc_list('+12025550126', 'lead_requested', 'call_transcript') IS NOT NULL AS added;
SELECT lead_system.is_on_dnc_list('+12025550126', :'alpha');
RESET ROLE;
SET app.current_user_id = :'chief';
SET ROLE regress_ls_dnc_admin;
SELECT lead_system.remove_from_dnc_list('+12025550126', 'asked to be called again');
RESET ROLE;
SELECT lead_system.is_on_dnc_list('+12025550110', :'alpha');

--
-- Leads that come in, or change, while their number is listed (D17)
--
SELECT lead_system.add_to_dnc_list('+12025550127', 'litigator') IS NOT NULL AS added;
SELECT lead_system.add_to_dnc_list('+12025550128', 'manual', expires_at => '2026-04-05 09:00:00.000001+00') IS NOT NULL AS added;
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES
    (:'alpha', 'Eve', '202 555 0127'), (:'alpha', 'Finn', '202 555 0128');
SET lead_system.now = '2026-04-05 09:00:00.000001+00';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'alpha', 'Gil', '202 555 0129');
SELECT * FROM blocks;
-- a number that is not listed ends the block, and one that is listed begins it
UPDATE lead_system.leads SET phone_number = '202 555 0130' WHERE organization_id = :'alpha' AND first_name = 'Eve';
UPDATE lead_system.leads SET phone_number = '202 555 0127' WHERE organization_id = :'alpha' AND first_name = 'Gil';
-- a block by hand stays, whatever the number
UPDATE lead_system.leads SET phone_number = '202 555 0131' WHERE organization_id = :'alpha' AND first_name = 'Dan';
SELECT * FROM blocks;
-- an entry that expired no longer blocks a lead that somebody unblocks
UPDATE lead_system.leads SET do_not_call = false, calling_blocked_reason = NULL WHERE organization_id = :'alpha' AND first_name = 'Finn';
SELECT first_name, status, do_not_call FROM blocks WHERE first_name = 'Finn';

--
-- Blocked by hand
--
-- a status that means blocked blocks, whoever sets it, and is not queued
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES
    (:'alpha', 'd0000000-0000-4000-8000-000000000031', 'Ida', '+13035550131'), (:'alpha', 'd0000000-0000-4000-8000-000000000032', 'Jon', '+13035550132'),
    (:'alpha', 'd0000000-0000-4000-8000-000000000033', 'Kay', '+13035550133');
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, status) VALUES (:'alpha', 'Leo', '+13035550134', 'dnc');
SELECT lead_system.change_lead_status('d0000000-0000-4000-8000-000000000031', 'dnc', 'said so');
UPDATE lead_system.leads SET status = 'dnc', calling_blocked_reason = 'lawyer' WHERE organization_id = :'alpha' AND first_name = 'Jon';
SELECT * FROM blocks WHERE first_name IN ('Ida', 'Jon', 'Kay', 'Leo');
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', 'd0000000-0000-4000-8000-0000000000b1', 'by hand');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', 'd0000000-0000-4000-8000-0000000000b1', id FROM lead_system.leads
 WHERE organization_id = :'alpha' AND first_name IN ('Ida', 'Jon', 'Kay', 'Leo');
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', 'd0000000-0000-4000-8000-0000000000c1', 'calls', 'active');
SELECT lead_system.add_lead_list_to_campaign('d0000000-0000-4000-8000-0000000000c1', 'd0000000-0000-4000-8000-0000000000b1') IS NOT NULL AS added;
-- they are where it is day
UPDATE lead_system.leads SET timezone = 'Asia/Tokyo' WHERE organization_id = :'alpha';
SELECT phone_number FROM lead_system.claim_campaign_leads('d0000000-0000-4000-8000-0000000000c1', 10);
-- a queued lead that comes into such a status leaves the queue
UPDATE lead_system.campaign_leads SET status = 'queued', lease_until = NULL WHERE organization_id = :'alpha' AND status = 'calling';
SELECT lead_system.change_lead_status('d0000000-0000-4000-8000-000000000033', 'dnc');
SELECT l.first_name, c.status FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.organization_id = c.organization_id AND l.id = c.lead_id
 WHERE c.organization_id = :'alpha' ORDER BY l.first_name COLLATE "C";
SELECT phone_number FROM lead_system.claim_campaign_leads('d0000000-0000-4000-8000-0000000000c1', 10);
-- the block stays when the lead moves to a pipeline without such a status
UPDATE lead_system.leads SET pipeline_id = '00000000-0000-7000-8000-000000000001' WHERE organization_id = :'alpha' AND first_name = 'Kay'
    RETURNING status, stage, do_not_call, calling_blocked_reason;
-- unblocking, and another reason, are for administrators: of the database role, and of the application's user
SET app.current_user_id = :'rep';
UPDATE lead_system.leads SET do_not_call = false WHERE organization_id = :'alpha' AND first_name = 'Jon';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET calling_blocked_reason = 'none' WHERE organization_id = :'alpha' AND first_name = 'Jon';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET calling_blocked_reason = NULL WHERE organization_id = :'alpha' AND first_name = 'Jon';
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = :'chief';
SET ROLE regress_ls_dnc_agent;
UPDATE lead_system.leads SET calling_blocked_reason = 'none' WHERE first_name = 'Jon';
\echo :LAST_ERROR_SQLSTATE
-- nobody passes a block by hand off as one by the list, which ends with the number
UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'dnc_list' WHERE first_name = 'Cleo';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (first_name, phone_number, do_not_call, calling_blocked_reason) VALUES ('Max', '+13035550135', true, 'dnc_list');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"first_name": "Max", "phone": "+13035550135", "do_not_call": true, "calling_blocked_reason": "dnc_list"}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (first_name, phone_number, do_not_call, calling_blocked_reason) VALUES ('Max', '+12025550110', true, 'dnc_list')
    RETURNING status, calling_blocked_reason;
RESET ROLE;
SET ROLE regress_ls_dnc_admin;
UPDATE lead_system.leads SET calling_blocked_reason = 'lawyers' WHERE first_name = 'Jon' RETURNING calling_blocked_reason;
UPDATE lead_system.leads SET do_not_call = false WHERE first_name = 'Jon' RETURNING status, stage, do_not_call, calling_blocked_reason;
RESET ROLE;

--
-- Listed while it was deleted, and deleted while it was listed
--
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'alpha', 'Nat', '+13035550141'), (:'alpha', 'Ola', '+13035550142');
SELECT lead_system.add_to_dnc_list('+13035550141', 'manual') IS NOT NULL AS added;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name IN ('Nat', 'Ola');
SELECT lead_system.remove_from_dnc_list('+13035550141', 'asked again') AS removed;
SELECT lead_system.add_to_dnc_list('+13035550142', 'manual') IS NOT NULL AS added;
SELECT * FROM blocks WHERE first_name IN ('Nat', 'Ola');
UPDATE lead_system.leads SET deleted_at = NULL WHERE organization_id = :'alpha' AND first_name IN ('Nat', 'Ola');
SELECT * FROM blocks WHERE first_name IN ('Nat', 'Ola');
-- one by hand stays blocked
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'Dan';
UPDATE lead_system.leads SET deleted_at = NULL WHERE organization_id = :'alpha' AND first_name = 'Dan' RETURNING do_not_call, calling_blocked_reason;

--
-- Entries that have expired: their leads are unblocked by the function that a scheduler calls
--
SET app.current_user_id = '';
SET app.current_org_id = :'charlie';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'charlie', 'Zoe', '020 7946 0151');
SELECT count(*) FROM lead_system.add_numbers_to_dnc_list(ARRAY['020 7946 0151'], 'manual', expires_at => '2026-04-06 09:00:00+00');
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES
    (:'alpha', 'Pia', '+13035550151'), (:'alpha', 'Quin', '+13035550152'), (:'alpha', 'Rae', '+13035550153'), (:'alpha', 'Sam', '+13035550154');
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, do_not_call, calling_blocked_reason) VALUES
    (:'alpha', 'Tom', '+13035550155', true, 'moved abroad');
SELECT raw, result FROM lead_system.add_numbers_to_dnc_list(ARRAY['+13035550151', '+13035550152', '+13035550153', '+13035550155'], 'manual',
    expires_at => '2026-04-06 09:00:00+00');
SELECT lead_system.add_to_dnc_list('+13035550154', 'manual', expires_at => '2026-04-06 09:00:00.000001+00') IS NOT NULL AS added;
SELECT lead_system.add_to_dnc_list('+13035550152', 'manual', expires_at => '2026-05-01 00:00:00+00') IS NOT NULL AS extended;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'Rae';
SELECT lead_system.release_expired_dnc_blocks() AS too_early;
SET lead_system.now = '2026-04-06 09:00:00+00';
SELECT * FROM blocks WHERE first_name IN ('Pia', 'Quin', 'Rae', 'Sam', 'Tom');
-- an administrator's, in his organization
SET ROLE regress_ls_dnc_agent;
SELECT lead_system.release_expired_dnc_blocks();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET ROLE regress_ls_dnc_admin;
SELECT lead_system.release_expired_dnc_blocks() AS released;
SELECT lead_system.release_expired_dnc_blocks() AS again;
SET app.current_org_id = '';
SELECT lead_system.release_expired_dnc_blocks();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- extended, later, deleted, by hand: those stay
SELECT * FROM blocks WHERE first_name IN ('Pia', 'Quin', 'Rae', 'Sam', 'Tom');
SELECT old_status, new_status, trigger_type, reason FROM lead_system.lead_status_history h
 WHERE organization_id = :'alpha' AND lead_id = (SELECT id FROM lead_system.leads WHERE organization_id = :'alpha' AND first_name = 'Pia') ORDER BY id;
SELECT field_name, old_value, new_value, change_reason FROM lead_system.lead_audit_log
 WHERE organization_id = :'alpha' AND lead_id = (SELECT id FROM lead_system.leads WHERE organization_id = :'alpha' AND first_name = 'Pia')
   AND new_value IS DISTINCT FROM 't' AND field_name IN ('do_not_call', 'calling_blocked_reason') ORDER BY id;
-- a lead that was deleted comes back unblocked
UPDATE lead_system.leads SET deleted_at = NULL WHERE organization_id = :'alpha' AND first_name = 'Rae' RETURNING status, do_not_call, calling_blocked_reason;
-- above the policies and without an organization: all of them
SELECT do_not_call FROM lead_system.leads WHERE organization_id = :'charlie' AND first_name = 'Zoe';
SELECT lead_system.release_expired_dnc_blocks() AS released;
SELECT do_not_call FROM lead_system.leads WHERE organization_id = :'charlie' AND first_name = 'Zoe';
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';
-- as it was before
DELETE FROM lead_system.leads WHERE organization_id = :'alpha' AND (phone_number LIKE '+1303%' OR first_name = 'Max');
DELETE FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND phone_number LIKE '+13035550%' AND phone_number <> '+13035550111';

--
-- Plain statements on the table obey the same rules
--
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'alpha', '(202) 555-0123', 'admin_added');
SELECT phone_number, source, added_by = :'chief' AS by_chief, created_at FROM lead_system.dnc_list
 WHERE organization_id = :'alpha' AND phone_number = '+12025550123';
SELECT * FROM blocks WHERE first_name = 'Cleo';
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'alpha', '202-555-0123', 'admin_added');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'alpha', '555-0123', 'admin_added');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'alpha', '+12025550132', ' ');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SET lead_system.now = '2026-04-06 09:00:00+00';
UPDATE lead_system.dnc_list SET expires_at = '2026-07-01 00:00:00+00' WHERE organization_id = :'alpha' AND phone_number = '+12025550123';
SELECT updated_at FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND phone_number = '+12025550123';
DELETE FROM lead_system.dnc_list WHERE organization_id = :'alpha' AND phone_number = '+12025550123';
SELECT * FROM blocks WHERE first_name = 'Cleo';
SELECT action, reason, expires_at FROM lead_system.dnc_audit_log
 WHERE organization_id = :'alpha' AND phone_number = '+12025550123' ORDER BY id;
COPY lead_system.dnc_list (organization_id, phone_number, reason, source) FROM stdin;
d0000000-0000-4000-8000-00000000000a	202 555 0123	national_registry	import
d0000000-0000-4000-8000-00000000000a	202 555 0133	national_registry	import
\.
SELECT * FROM blocks WHERE first_name = 'Cleo';
SELECT phone_number, action FROM lead_system.dnc_audit_log WHERE organization_id = :'alpha' AND reason = 'national_registry' ORDER BY phone_number;
TRUNCATE lead_system.dnc_list;
\echo :LAST_ERROR_SQLSTATE
-- an entry is about one number
UPDATE lead_system.dnc_list SET phone_number = '+12025550134' WHERE organization_id = :'alpha' AND phone_number = '+12025550133';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.dnc_list SET phone_number = '(202) 555-0133', reason = 'complaint' WHERE organization_id = :'alpha' AND phone_number = '+12025550133'
    RETURNING phone_number, reason;
-- nobody rewrites the audit
UPDATE lead_system.dnc_audit_log SET reason = 'other' WHERE organization_id = :'alpha';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.dnc_audit_log WHERE organization_id = :'alpha';
\echo :LAST_ERROR_SQLSTATE
TRUNCATE lead_system.dnc_audit_log;
\echo :LAST_ERROR_SQLSTATE

--
-- Many numbers at once
--
SELECT lead_system.add_to_dnc_list('+14155550101', 'manual', expires_at => '2026-05-01 00:00:00+00') IS NOT NULL AS added;
SELECT lead_system.add_to_dnc_list('+14155550105', 'manual', expires_at => '2026-04-07 00:00:00+00') IS NOT NULL AS added;
SET lead_system.now = '2026-04-07 09:00:00+00';
SELECT * FROM lead_system.add_numbers_to_dnc_list(
    ARRAY['+14155550101', '(415) 555-0102', '415-555-0102', NULL, '', '12345', '+14155550103', '415.555.0101', '+14155550105', '202 555 0110'], 'legal_requirement');
SELECT phone_number, reason, source, expires_at FROM lead_system.dnc_list
 WHERE organization_id = :'alpha' AND phone_number LIKE '+1415%' ORDER BY phone_number;
-- again: nothing changes
SELECT * FROM lead_system.add_numbers_to_dnc_list(ARRAY['+14155550101', '+14155550102'], 'legal_requirement', 'import', '2030-01-01 00:00:00+00');
SELECT phone_number, action, source FROM lead_system.dnc_audit_log
 WHERE organization_id = :'alpha' AND phone_number LIKE '+1415%' ORDER BY phone_number, id;
SELECT * FROM lead_system.add_numbers_to_dnc_list('{}', 'manual');
SELECT * FROM lead_system.add_numbers_to_dnc_list(NULL, 'manual');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.add_numbers_to_dnc_list(ARRAY['+14155550104'], '');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.add_numbers_to_dnc_list(ARRAY['+14155550104'], 'manual', NULL);
\echo :LAST_ERROR_SQLSTATE

--
-- Another organization's entry neither counts nor leaks (D3)
--
RESET app.current_user_id;
SET app.current_org_id = :'bravo';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'bravo', 'Hal', '+1 202 555 0110');
SELECT first_name, do_not_call FROM lead_system.leads WHERE organization_id = :'bravo';
SET ROLE regress_ls_dnc_agent;
SELECT lead_system.is_on_dnc_list('+12025550110', :'bravo');
-- numbers are read as the organization writes them: this is none in Britain
SELECT lead_system.is_on_dnc_list('(202) 555-0110', :'bravo');
SELECT count(*) AS entries FROM lead_system.dnc_list;
SELECT count(*) AS audited FROM lead_system.dnc_audit_log;
-- asking for another organization, or for one that does not exist, is refused alike
SELECT lead_system.is_on_dnc_list('+12025550110', :'alpha');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.is_on_dnc_list('+12025550110', 'd0000000-0000-4000-8000-0000000000ff');
\echo :LAST_ERROR_SQLSTATE
-- the same number may be in both lists
SELECT lead_system.add_to_dnc_list('+12025550110', 'lead_requested') <> :'entry' AS own_entry;
SELECT phone_number, reason FROM lead_system.dnc_list;
-- an agent lists by the function alone, and many at once are for managers
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'bravo', '+12025550140', 'manual');
\echo :LAST_ERROR_SQLSTATE
SELECT result FROM lead_system.add_numbers_to_dnc_list(ARRAY['+12025550127'], 'manual');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT first_name, do_not_call FROM lead_system.leads WHERE organization_id = :'bravo';
SET ROLE regress_ls_dnc_admin;
SELECT lead_system.remove_from_dnc_list('+12025550127', 'by mistake');
SELECT lead_system.remove_from_dnc_list('+12025550133', 'not in this list');
RESET ROLE;
RESET app.current_org_id;
-- alpha's entries are as they were
SELECT lead_system.is_on_dnc_list('+12025550127', :'alpha') AS alpha, lead_system.is_on_dnc_list('+12025550127', :'bravo') AS bravo,
       lead_system.is_on_dnc_list('+12025550133', :'alpha') AS alpha_other;
-- without an organization a session may ask for none
SET ROLE regress_ls_dnc_agent;
SELECT lead_system.is_on_dnc_list('+12025550110', :'alpha');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- The list is right without our index, and with others of its name.
SET app.current_org_id = :'alpha';
SELECT lead_system.add_to_dnc_list('+12025550161', 'manual', expires_at => lead_system.clock_now() + '1 day') IS NOT NULL AS listed;
BEGIN;
ALTER TABLE lead_system.dnc_list DROP CONSTRAINT dnc_list_organization_id_phone_number_key;
SELECT lead_system.is_on_dnc_list('+12025550161', :'alpha') AS without;
CREATE INDEX dnc_list_organization_id_phone_number_key ON lead_system.dnc_list (organization_id, phone_number) WHERE expires_at IS NULL;
SELECT lead_system.is_on_dnc_list('+12025550161', :'alpha') AS with_a_part;
DROP INDEX lead_system.dnc_list_organization_id_phone_number_key;
CREATE UNIQUE INDEX dnc_list_organization_id_phone_number_key ON lead_system.dnc_list (phone_number, organization_id);
SELECT lead_system.is_on_dnc_list('+12025550161', :'alpha') AS the_other_way_round;
CREATE INDEX regress_ls_number_idx ON lead_system.dnc_list (organization_id, phone_number, reason);
SELECT lead_system.is_on_dnc_list('+12025550161', :'alpha') AS with_more_columns;
INSERT INTO lead_system.leads (organization_id, phone_number) VALUES (:'alpha', '+12025550161') RETURNING do_not_call;
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER TABLE lead_system.leads DROP CONSTRAINT leads_pkey CASCADE;
INSERT INTO lead_system.leads (organization_id, id) VALUES (:'alpha', 'd0000000-0000-4000-8000-0000000000e1');
SELECT lead_system.calculate_lead_score('d0000000-0000-4000-8000-0000000000e1') IS NOT NULL AS scored;
ROLLBACK;
RESET app.current_org_id;

-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd0000000-%';
SELECT (SELECT count(*) FROM lead_system.dnc_list WHERE organization_id::text LIKE 'd0000000-%') AS dnc_list,
       (SELECT count(*) FROM lead_system.dnc_audit_log WHERE organization_id::text LIKE 'd0000000-%') AS dnc_audit_log,
       (SELECT count(*) FROM lead_system.leads WHERE organization_id::text LIKE 'd0000000-%') AS leads;
SELECT lead_system.revoke_access('regress_ls_dnc_agent');
SELECT lead_system.revoke_access('regress_ls_dnc_admin');
DROP ROLE regress_ls_dnc_agent, regress_ls_dnc_admin;
