-- consent: the national registry, consents, overriding the list (semantics D7, D12, D16).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'cc000000-0000-4000-8000-00000000000a'
\set bravo 'cc000000-0000-4000-8000-00000000000b'
\set chief 'cc000000-0000-4000-8000-0000000000a1'
\set ada   'cc000000-0000-4000-8000-000000000001'
\set bob   'cc000000-0000-4000-8000-000000000002'
\set rep   'cc000000-0000-4000-8000-0000000000a2'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'alpha', 'Alpha', 'recruiting'), (:'bravo', 'Bravo', 'b2b');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'alpha', :'chief', 'Chief', 'chief@example.com', 'admin'), (:'alpha', :'rep', 'Rep', 'rep@example.com', 'rep');
CREATE ROLE regress_ls_consent_agent;
CREATE ROLE regress_ls_consent_admin;
SELECT lead_system.grant_access('regress_ls_consent_agent', 'agent');
SELECT lead_system.grant_access('regress_ls_consent_admin', 'admin');

--
-- Loading the registry
--
SELECT lead_system.load_national_dnc('202', '{2025550101, (202) 555-0102, +1 202.555.0103, 1-202-555-0101, "202,5550104"}');
SELECT * FROM lead_system.national_dnc_registry ORDER BY phone_number;
-- again: nothing changes; next day: one leaves, one comes
SELECT lead_system.load_national_dnc('202', '{2025550101, 2025550102, 2025550103, 2025550104}');
SET lead_system.now = '2026-03-03 15:00:00+00';
SELECT lead_system.load_national_dnc('202', '{2025550101, 2025550102, 2025550103, 2025550105}');
SELECT phone_number, loaded_on FROM lead_system.national_dnc_registry ORDER BY phone_number;
SELECT * FROM lead_system.national_dnc_loads ORDER BY loaded_on;
-- other area codes are left alone
SELECT lead_system.load_national_dnc('303', '{3035550101}');
SELECT lead_system.load_national_dnc('303', '{}');
SELECT area_code, count(*) FROM lead_system.national_dnc_registry GROUP BY area_code;
-- what is not of the area code
SELECT lead_system.load_national_dnc('202', '{2025550101, 3035550102, NULL, rubbish}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.load_national_dnc('202', '{2025550101, 2025550102, 202555010}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.load_national_dnc('102', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.load_national_dnc('20', '{}');
SELECT lead_system.load_national_dnc(NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.load_national_dnc('202', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.national_dnc_registry;

--
-- What it says, and how old it is
--
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';
SELECT * FROM lead_system.national_dnc_check('202-555-0101');
SELECT * FROM lead_system.national_dnc_check('202-555-0109');
SELECT * FROM lead_system.national_dnc_check('404-555-0109');
-- 31 days old: usable; 32: not, which is a rule only with deny
SET lead_system.now = '2026-04-03 23:59:00+00';
SELECT area_code, age, usable FROM lead_system.national_dnc_status();
SET lead_system.now = '2026-04-04 00:00:00+00';
SELECT area_code, age, usable FROM lead_system.national_dnc_status();
SELECT rule FROM lead_system.national_dnc_check('202-555-0109');
SELECT lead_system.set_config('compliance.national_dnc', '"deny"');
SELECT rule FROM lead_system.national_dnc_check('202-555-0109');
SELECT rule FROM lead_system.national_dnc_check('404-555-0109');
SELECT rule FROM lead_system.national_dnc_check('+44 20 7946 0958');
SELECT lead_system.set_config('compliance.national_dnc', '"off"');
SELECT rule FROM lead_system.national_dnc_check('404-555-0109');
-- a listed number is blocked all the same, but for e-mail
SELECT rule FROM lead_system.national_dnc_check('202-555-0101');
SELECT rule FROM lead_system.national_dnc_check('202-555-0101', 'sms');
SELECT rule FROM lead_system.national_dnc_check('202-555-0101', 'email');
SELECT lead_system.set_config('compliance.national_dnc', NULL);
SELECT lead_system.set_config('compliance.national_dnc_max_age_days', '60');
\echo :LAST_ERROR_SQLSTATE

--
-- Exemptions
--
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, email, inquiry_type) VALUES
    (:'alpha', :'ada', 'Ada', '+12025550101', 'ada@example.com', 'Demo Request'), (:'alpha', :'bob', 'Bob', '+12025550102', NULL, NULL);
SELECT exemption, rule FROM lead_system.national_dnc_check('202-555-0101');
SET lead_system.now = '2026-07-04 00:00:00+00';
SELECT exemption, rule FROM lead_system.national_dnc_check('202-555-0101');
SELECT exemption, rule FROM lead_system.national_dnc_check('202-555-0102');
UPDATE lead_system.leads SET completed_at = '2026-05-01 00:00+00' WHERE organization_id = :'alpha' AND id = :'bob';
SELECT exemption, rule FROM lead_system.national_dnc_check('202-555-0102');
SET lead_system.now = '2027-11-01 00:00:00+00';
SELECT exemption, rule FROM lead_system.national_dnc_check('202-555-0102');
SELECT lead_system.record_consent(:'bob', 'sms', '{"form": "web"}') IS NOT NULL AS recorded;
SELECT c.channel, d.exemption, d.rule FROM (VALUES ('call'), ('sms')) c(channel) CROSS JOIN LATERAL lead_system.national_dnc_check('202-555-0102', c.channel) d;

--
-- Consents
--
SELECT lead_system.record_consent(:'ada', 'call', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_consent(:'ada', 'call', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_consent(:'ada', 'call', '[1]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_consent(:'ada', 'fax', '{"a": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_consent(:'bob', 'email', '{"a": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_consent('00000000-0000-4000-8000-000000000000', 'call', '{"a": 1}');
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = :'rep';
SET ROLE regress_ls_consent_agent;
SELECT lead_system.record_consent(:'ada', 'call', '{"form": "https://example.com/quote"}') AS consent \gset
SELECT channel, action, phone_number, email, at, evidence, user_id = :'rep' AS by_rep FROM lead_system.contact_consents WHERE id = :'consent';
-- nobody writes the log by hand
INSERT INTO lead_system.contact_consents (organization_id, lead_id, phone_number, channel, action, evidence) VALUES (:'alpha', :'ada', '+12025550101', 'call', 'granted', '{"a": 1}');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.contact_consents SET action = 'granted';
DELETE FROM lead_system.contact_consents;
SELECT lead_system.override_dnc(:'ada', 'asked us', :'consent');
\echo :LAST_ERROR_SQLSTATE
-- a revocation stops what is pending, on all channels
SELECT lead_system.revoke_consent(:'ada', 'email');
SELECT channel, action, evidence FROM lead_system.contact_consents WHERE lead_id = :'ada' ORDER BY id;
SELECT status, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = :'ada';
-- it cannot be lifted by hand, nor be pretended
UPDATE lead_system.leads SET do_not_call = false WHERE id = :'ada';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'consent_revoked' WHERE id = :'bob';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET app.current_user_id = :'chief';
SET ROLE regress_ls_consent_admin;
UPDATE lead_system.leads SET do_not_call = false WHERE id = :'ada';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DELETE FROM lead_system.contact_consents WHERE organization_id = :'alpha';
\echo :LAST_ERROR_SQLSTATE
TRUNCATE lead_system.contact_consents;
\echo :LAST_ERROR_SQLSTATE
-- a lead that comes in with the number, or back with it, is blocked
UPDATE lead_system.leads SET phone_number = '+12025550109' WHERE organization_id = :'alpha' AND id = :'ada' RETURNING do_not_call, calling_blocked_reason;
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'alpha', 'Eve', '+12025550101') RETURNING do_not_call, calling_blocked_reason, status;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'Eve';
UPDATE lead_system.leads SET phone_number = '+12025550101' WHERE organization_id = :'alpha' AND id = :'ada' RETURNING do_not_call, calling_blocked_reason;
-- listed in the meantime and taken off again: still revoked
SELECT lead_system.add_to_dnc_list('202-555-0101', 'manual') IS NOT NULL AS added;
SELECT lead_system.remove_from_dnc_list('202-555-0101', 'mistake');
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'ada';
-- a new consent unblocks, but for the list
SELECT lead_system.add_to_dnc_list('202-555-0101', 'manual') IS NOT NULL AS added;
SELECT lead_system.record_consent(:'ada', 'call', '{"letter": "2027-10-30"}') AS consent \gset
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'ada';

--
-- Overriding the list
--
SELECT lead_system.override_dnc(:'ada', NULL, :'consent');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.override_dnc(:'ada', ' ', :'consent');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.override_dnc(:'ada', 'asked us', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.override_dnc(:'ada', 'asked us', :'ada');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.override_dnc(:'ada', 'asked us', (SELECT id FROM lead_system.contact_consents WHERE organization_id = :'alpha' AND phone_number = '+12025550102' LIMIT 1));
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_consent(:'ada', 'sms', '{"form": "texts"}') AS texts \gset
SELECT lead_system.override_dnc(:'ada', 'agreed to texts', :'texts');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.is_on_dnc_list('202-555-0101', :'alpha') AS still_listed;
SET ROLE regress_ls_consent_admin;
SELECT lead_system.override_dnc(:'ada', 'asked us to call', :'consent') AS audit \gset
RESET ROLE;
SELECT action, reason, consent_id = :'consent' AS consent, user_id = :'chief' AS by_chief FROM lead_system.dnc_audit_log WHERE organization_id = :'alpha' AND id = :'audit';
SELECT lead_system.is_on_dnc_list('202-555-0101', :'alpha') AS listed;
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'ada';
SELECT lead_system.override_dnc(:'ada', 'again', :'consent');
\echo :LAST_ERROR_SQLSTATE
-- the consent is revoked: listed again; a consent alone does not take it off
SELECT lead_system.revoke_consent(:'ada');
SELECT lead_system.is_on_dnc_list('202-555-0101', :'alpha') AS listed;
SELECT lead_system.record_consent(:'ada', 'call', '{"letter": "2027-11-01"}') IS NOT NULL AS recorded;
SELECT lead_system.is_on_dnc_list('202-555-0101', :'alpha') AS listed, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'ada';
SELECT lead_system.override_dnc(:'ada', 'old letter', :'consent') IS NOT NULL AS overridden;
\echo :LAST_ERROR_SQLSTATE
SELECT action, reason FROM lead_system.dnc_audit_log WHERE organization_id = :'alpha' ORDER BY created_at, id;

--
-- Channels apart
--
SELECT lead_system.set_config('compliance.cross_channel_revocation', 'false');
SELECT lead_system.revoke_consent(:'bob', 'email');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.revoke_consent(:'bob', 'sms');
SELECT do_not_call FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'bob';
SELECT lead_system.revoke_consent(:'bob', 'call');
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'bob';
SELECT channel, action FROM lead_system.contact_consents WHERE organization_id = :'alpha' AND lead_id = :'bob' ORDER BY id;
-- a revocation is never older than what was granted
SELECT lead_system.record_consent(:'bob', 'call', '{"form": "web"}') IS NOT NULL AS recorded;
SET lead_system.now = '2027-10-01 00:00:00+00';
SELECT lead_system.revoke_consent(:'bob', 'call');
SELECT action, at FROM lead_system.contact_consents WHERE organization_id = :'alpha' AND lead_id = :'bob' AND channel = 'call' ORDER BY at, id;
SELECT do_not_call FROM lead_system.leads WHERE organization_id = :'alpha' AND id = :'bob';
-- another organization's leads
SET app.current_org_id = :'bravo';
SET app.current_user_id = '';
SELECT lead_system.revoke_consent(:'bob');
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_ls_consent_agent;
SELECT lead_system.revoke_consent(:'bob');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.contact_consents;
SELECT lead_system.load_national_dnc('202', '{}');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

RESET app.current_org_id;
RESET app.current_user_id;
DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'bravo');
SELECT count(*) FROM lead_system.contact_consents WHERE organization_id IN (:'alpha', :'bravo');
SELECT lead_system.load_national_dnc('202', '{}');
TRUNCATE lead_system.national_dnc_loads;
SELECT lead_system.revoke_access('regress_ls_consent_agent');
SELECT lead_system.revoke_access('regress_ls_consent_admin');
DROP ROLE regress_ls_consent_agent, regress_ls_consent_admin;
