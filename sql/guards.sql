-- guards: whatever the path, nothing is recorded of whom must not be contacted;
-- every attempt and every refusal is logged.
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd7000000-0000-4000-8000-00000000000a'
\set bravo 'd7000000-0000-4000-8000-00000000000b'
\set rita  'd7000000-0000-4000-8000-0000000000a1'
\set main  'd7000000-0000-4000-8000-000000000c01'
\set other 'd7000000-0000-4000-8000-000000000c02'
\set list  'd7000000-0000-4000-8000-000000000f01'
INSERT INTO lead_system.organizations (id, name, default_region) VALUES (:'alpha', 'Alpha', 'US'), (:'bravo', 'Bravo', 'US');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES (:'alpha', :'rita', 'Rita', 'rita@example.com', 'admin');
CREATE ROLE regress_ls_guards_agent;
CREATE ROLE regress_ls_guards_manager;
CREATE ROLE regress_ls_guards_admin;
SELECT lead_system.grant_access('regress_ls_guards_agent', 'agent');
SELECT lead_system.grant_access('regress_ls_guards_manager', 'manager');
SELECT lead_system.grant_access('regress_ls_guards_admin', 'admin');
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'rita';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
SELECT :'alpha', ('d7000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, name, '+120255501' || lpad(n::text, 2, '0')
  FROM unnest(ARRAY['free', 'listed', 'marked', 'revoked', 'suppressed', 'hawaiian']) WITH ORDINALITY u(name, n);
UPDATE lead_system.leads SET timezone = 'Pacific/Honolulu' WHERE organization_id = :'alpha' AND first_name = 'hawaiian';
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'list', 'All');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', :'list', id FROM lead_system.leads WHERE organization_id = :'alpha';
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'main', 'Main', 'active'), (:'alpha', :'other', 'Other', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'main', :'list') IS NOT NULL AS added;
CREATE TEMP VIEW attempts AS
SELECT l.first_name AS lead, p.name AS campaign, a.channel, a.phone_number, a.email, a.allowed, a.rule, a.detail, a.unblocks_at, a.created_at
  FROM lead_system.contact_attempts a
  LEFT JOIN lead_system.leads l ON l.organization_id = a.organization_id AND l.id = a.lead_id
  LEFT JOIN lead_system.campaigns p ON p.organization_id = a.organization_id AND p.id = a.campaign_id
 WHERE a.organization_id = 'd7000000-0000-4000-8000-00000000000a' ORDER BY a.id;
CREATE TEMP VIEW queue AS
SELECT q.id, d.first_name AS lead, q.status, q.is_waiting, q.next_attempt_at, q.blocked_rule, q.lease_until
  FROM lead_system.campaign_leads q JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
 WHERE q.campaign_id = 'd7000000-0000-4000-8000-000000000c01' ORDER BY d.id;
CREATE FUNCTION pg_temp.lead(name text) RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM lead_system.leads WHERE organization_id = 'd7000000-0000-4000-8000-00000000000a' AND first_name = name $$;
SELECT lead_system.add_to_dnc_list('+12025550102', 'lead_requested') IS NOT NULL AS listed;
UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'moved abroad' WHERE id = pg_temp.lead('marked');

--
-- Calls: the owner's plain statements
--
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'alpha', 'outbound', 'answered', '+12025550102');
\echo :LAST_ERROR_SQLSTATE
-- by the lead, without a number, or with another spelling of one
INSERT INTO lead_system.call_logs (organization_id, direction, status, lead_id) VALUES (:'alpha', 'outbound', 'answered', pg_temp.lead('listed'));
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'alpha', 'outbound', 'answered', '(202) 555-0102');
\echo :LAST_ERROR_SQLSTATE
-- a lead that is marked, named or found by its number
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone, lead_id) VALUES (:'alpha', 'outbound', 'answered', '+12025550199', pg_temp.lead('marked'));
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'alpha', 'outbound', 'answered', '+12025550103');
\echo :LAST_ERROR_SQLSTATE
COPY lead_system.call_logs (organization_id, direction, status, called_phone) FROM stdin;
d7000000-0000-4000-8000-00000000000a	outbound	answered	+12025550101
d7000000-0000-4000-8000-00000000000a	outbound	answered	+12025550102
\.
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.call_logs WHERE organization_id = :'alpha';
-- inbound calls, calls that had begun before, other numbers, other organizations
INSERT INTO lead_system.call_logs (organization_id, direction, status, caller_phone, called_phone) VALUES (:'alpha', 'inbound', 'answered', '+12025550102', '+12025550190');
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone, created_at) VALUES (:'alpha', 'outbound', 'answered', '+12025550102', '2026-03-02 14:59:59+00');
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'alpha', 'outbound', 'answered', '+12025550101');
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'bravo', 'outbound', 'answered', '+12025550102');
-- spelled as the list spells it, or the lead's
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'alpha', 'outbound', 'answered', '(202) 555-0191') RETURNING called_phone;
INSERT INTO lead_system.call_logs (organization_id, direction, status, lead_id) VALUES (:'alpha', 'outbound', 'answered', pg_temp.lead('hawaiian')) RETURNING called_phone;
-- an update makes of no row what could not have been inserted
UPDATE lead_system.call_logs SET direction = 'outbound', called_phone = caller_phone WHERE organization_id = :'alpha' AND direction = 'inbound';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.call_logs SET called_phone = '+12025550102' WHERE organization_id = :'alpha' AND called_phone = '+12025550101';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.call_logs SET created_at = '2026-03-02 15:00:00+00' WHERE organization_id = :'alpha' AND direction = 'outbound' AND called_phone = '+12025550102';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.call_logs SET notes = 'seen', duration = 5 WHERE organization_id = :'alpha' AND called_phone = '+12025550102';
-- each outbound row is an attempt, at the time at which it was made
SELECT lead, phone_number, channel, allowed, rule, detail, created_at FROM attempts;
-- a row that becomes another contact is another attempt
UPDATE lead_system.call_logs SET called_phone = '+12025550192' WHERE organization_id = :'alpha' AND called_phone = '+12025550191';
SELECT phone_number FROM attempts WHERE phone_number LIKE '%019_';

--
-- Text messages
--
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text) VALUES (:'alpha', 'outbound', '+12025550102', 'hello');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.sms_logs (organization_id, direction, from_phone, message_text) VALUES (:'alpha', 'inbound', '+12025550102', 'hello') RETURNING direction;
SELECT lead_system.record_consent(pg_temp.lead('revoked'), 'sms', '{"form": "web"}') IS NOT NULL AS granted;
SET lead_system.now = '2026-03-02 15:10:00+00';
SELECT lead_system.revoke_consent(pg_temp.lead('revoked'), 'sms');
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text) VALUES (:'alpha', 'outbound', '+12025550104', 'hello');
\echo :LAST_ERROR_SQLSTATE
-- a call, too: one revocation covers all channels (D12)
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (:'alpha', 'outbound', 'answered', '+12025550104');
\echo :LAST_ERROR_SQLSTATE
-- sent before the consent was taken back
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text, created_at) VALUES (:'alpha', 'outbound', '+12025550104', 'hello', '2026-03-02 15:09:00+00') RETURNING status;
\set VERBOSITY terse
INSERT INTO lead_system.sms_logs (organization_id, direction, message_text) VALUES (:'alpha', 'outbound', 'hello');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead, channel, phone_number, created_at FROM attempts WHERE channel = 'sms';

--
-- One campaign may not, others may
--
SET lead_system.now = '2026-03-02 16:30:00+00';
SET ROLE regress_ls_guards_agent;
SELECT lead_system.suppress_in_campaign(:'main', '202-555-0105', 'asked for another caller');
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_ls_guards_manager;
SELECT lead_system.suppress_in_campaign(:'main', '202-555-0105', 'asked for another caller') AS suppression \gset
SELECT lead_system.suppress_in_campaign(:'main', '+12025550105', 'again') = :'suppression' AS same;
RESET ROLE;
SELECT lead, status, blocked_rule FROM queue WHERE lead = 'suppressed';
SET ROLE regress_ls_guards_manager;
SELECT lead_system.suppress_in_campaign(:'main', '12', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.suppress_in_campaign(:'main', '+12025550105', ' ');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.suppress_in_campaign(:'list', '+12025550105', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.unsuppress_in_campaign(:'main', '+12025550105', 'mistake');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
INSERT INTO lead_system.call_logs (organization_id, campaign_id, direction, status, called_phone) VALUES (:'alpha', :'main', 'outbound', 'answered', '+12025550105');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.call_logs (organization_id, campaign_id, direction, status, called_phone) VALUES (:'alpha', :'other', 'outbound', 'answered', '+12025550105') RETURNING called_phone;
SET ROLE regress_ls_guards_admin;
SELECT lead_system.unsuppress_in_campaign(:'main', '+12025550105', 'mistake');
SELECT lead_system.unsuppress_in_campaign(:'main', '+12025550105', 'mistake');
RESET ROLE;
SELECT lead, status, blocked_rule FROM queue WHERE lead = 'suppressed';
SELECT action, phone_number, reason, source FROM lead_system.dnc_audit_log WHERE organization_id = :'alpha' AND action LIKE '%suppressed' ORDER BY id;
-- a lead that comes into the campaign later is stopped by the claim
SELECT lead_system.suppress_in_campaign(:'other', '+12025550105', 'asked for another caller') IS NOT NULL AS suppressed;
SELECT lead_system.add_lead_list_to_campaign(:'other', :'list') IS NOT NULL AS added;
SET lead_system.now = '2026-03-02 19:30:00+00';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'other', 10) c JOIN lead_system.leads l ON l.id = c.lead_id;
SELECT d.first_name, q.status, q.blocked_rule FROM lead_system.campaign_leads q JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
 WHERE q.campaign_id = :'other' ORDER BY d.id;
SELECT lead, campaign, rule FROM attempts WHERE NOT allowed;

--
-- A lead that may not be called now comes back when it may
--
SET lead_system.now = '2026-03-03 14:00:00+00';
-- four in the morning in Honolulu; called within the last hour
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone, created_at) VALUES (:'alpha', 'outbound', 'no_answer', '+12025550101', '2026-03-03 13:30:00+00');
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id ORDER BY 1;
SELECT lead, status, is_waiting, blocked_rule, next_attempt_at FROM queue;
-- told once, not at each claim
SELECT count(*) FROM lead_system.claim_campaign_leads(:'main', 10);
SELECT lead, rule, unblocks_at FROM attempts WHERE NOT allowed AND created_at >= '2026-03-03' ORDER BY lead;
SET lead_system.now = '2026-03-03 14:29:59+00';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id;
SET lead_system.now = '2026-03-03 14:30:00+00';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id;
-- one of whom nobody knows the time zone is looked at again after a day, or when it is known
SET lead_system.now = '2026-03-03 15:00:00+00';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'alpha', 'nowhere', '+442079460958');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', :'list', pg_temp.lead('nowhere'));
SELECT lead_system.add_lead_list_to_campaign(:'main', :'list') IS NOT NULL AS added;
SELECT count(*) FROM lead_system.claim_campaign_leads(:'main', 10);
SELECT lead, status, is_waiting, blocked_rule, next_attempt_at FROM queue WHERE lead = 'nowhere';
UPDATE lead_system.leads SET timezone = 'Europe/London' WHERE organization_id = :'alpha' AND first_name = 'nowhere';
SELECT lead, status, is_waiting, blocked_rule, next_attempt_at FROM queue WHERE lead IN ('nowhere', 'hawaiian');
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id;
-- or when there is a consent
INSERT INTO lead_system.system_config (organization_id, key, value) VALUES (:'alpha', 'compliance.consent_required', '["call"]');
SET lead_system.now = '2026-03-03 16:30:00+00';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'main', 10);
SELECT lead, status, is_waiting, blocked_rule, next_attempt_at FROM queue WHERE lead = 'nowhere';
SELECT lead_system.record_consent(pg_temp.lead('nowhere'), 'call', '{"form": "web"}') IS NOT NULL AS granted;
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id;
DELETE FROM lead_system.system_config WHERE organization_id = :'alpha' AND key = 'compliance.consent_required';
SET lead_system.now = '2026-03-03 17:59:59+00';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id WHERE l.first_name = 'hawaiian';
SET lead_system.now = '2026-03-03 18:00:00+00';
SELECT l.first_name FROM lead_system.claim_campaign_leads(:'main', 10) c JOIN lead_system.leads l ON l.id = c.lead_id WHERE l.first_name = 'hawaiian';
SELECT lead, status, blocked_rule FROM queue WHERE lead = 'hawaiian';

--
-- Programs that dial by themselves
--
SET lead_system.now = '2026-03-04 15:00:00+00';
SET ROLE regress_ls_guards_agent;
SELECT l.first_name, lead_system.authorize_contact(l.id) FROM lead_system.leads l WHERE organization_id = :'alpha' ORDER BY l.id;
-- an authorized contact counts at once
SELECT lead_system.authorize_contact(pg_temp.lead('free'));
SELECT lead_system.authorize_contact(pg_temp.lead('listed'), 'email');
SELECT lead_system.authorize_contact(pg_temp.lead('free'), 'fax');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.authorize_contact(:'main');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.authorize_contact(pg_temp.lead('free'), 'call', :'list');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.authorize_contact(NULL);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT lead, channel, allowed, rule, unblocks_at FROM attempts WHERE created_at >= '2026-03-04' ORDER BY created_at;
-- the call that follows is that attempt; a second one is another
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone, created_at) VALUES (:'alpha', 'outbound', 'busy', '+12025550101', '2026-03-04 15:00:10+00');
SELECT count(*) FROM attempts WHERE phone_number = '+12025550101' AND allowed AND created_at >= '2026-03-04';
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone, created_at) VALUES (:'alpha', 'outbound', 'busy', '+12025550101', '2026-03-04 15:02:00+00');
SELECT allowed, detail, created_at FROM attempts WHERE phone_number = '+12025550101' AND allowed AND created_at >= '2026-03-04';
-- another organization's lead does not exist
SET app.current_org_id = :'bravo';
RESET app.current_user_id;
SET ROLE regress_ls_guards_agent;
SELECT lead_system.authorize_contact('d7000000-0000-4000-8000-000000000101');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.contact_attempts;
RESET ROLE;
SET app.current_org_id = :'alpha';

--
-- The report
--
SELECT * FROM lead_system.compliance_report('2026-03-02', '2026-03-05');
SELECT additions, refused_attempts, score FROM lead_system.compliance_report('2026-03-04 15:00', '2026-03-04 15:01');
SELECT additions, refused_attempts, score FROM lead_system.compliance_report('2026-03-05', '2026-03-06');
SELECT * FROM lead_system.compliance_report('2026-03-05', '2026-03-05');
\echo :LAST_ERROR_SQLSTATE

--
-- The log is not changed, and stays when the lead goes
--
UPDATE lead_system.contact_attempts SET allowed = true WHERE organization_id = :'alpha';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.contact_attempts WHERE organization_id = :'alpha';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.leads WHERE organization_id = :'alpha' AND first_name = 'free';
SELECT count(*) > 0 AS kept FROM lead_system.contact_attempts WHERE organization_id = :'alpha' AND phone_number = '+12025550101';
SELECT count(*) FROM lead_system.call_logs WHERE organization_id = :'alpha' AND lead_id IS NULL AND called_phone = '+12025550101';
-- a campaign that goes takes its suppressions along, and nothing is audited
DELETE FROM lead_system.campaigns WHERE organization_id = :'alpha' AND id = :'other';
SELECT count(*) FROM lead_system.campaign_suppressions WHERE organization_id = :'alpha';
SELECT count(*) FROM lead_system.dnc_audit_log WHERE organization_id = :'alpha' AND action = 'unsuppressed';

RESET app.current_org_id;
RESET app.current_user_id;
DROP FUNCTION pg_temp.lead(text);
DROP VIEW queue, attempts;
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd7000000-%';
SELECT (SELECT count(*) FROM lead_system.contact_attempts WHERE organization_id::text LIKE 'd7000000-%') AS attempts,
       (SELECT count(*) FROM lead_system.sms_logs WHERE organization_id::text LIKE 'd7000000-%') AS messages;
SELECT lead_system.revoke_access('regress_ls_guards_agent');
SELECT lead_system.revoke_access('regress_ls_guards_manager');
SELECT lead_system.revoke_access('regress_ls_guards_admin');
DROP ROLE regress_ls_guards_agent, regress_ls_guards_manager, regress_ls_guards_admin;
