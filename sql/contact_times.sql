-- contact_times: what is allowed now and not later, or on one channel alone; and
-- what a claim costs when the statistics mislead.
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-04 18:00:00+00'; -- a Wednesday, 13:00 in New York
\set alpha 'd9000000-0000-4000-8000-00000000000a'
\set ada   'd9000000-0000-4000-8000-000000000101'
\set bob   'd9000000-0000-4000-8000-000000000102'
\set night 'd9000000-0000-4000-8000-000000000c01'
\set list  'd9000000-0000-4000-8000-000000000f01'
INSERT INTO lead_system.organizations (id, name, default_region, timezone) VALUES (:'alpha', 'Alpha', 'US', 'America/New_York');
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.leads (organization_id, id, phone_number, email, inquiry_type) VALUES
    (:'alpha', :'ada', '+12125550101', 'ada@example.com', 'Demo Request'), (:'alpha', :'bob', '+12125550102', 'bob@example.com', NULL);
SELECT lead_system.load_national_dnc('212', '{2125550101}');

--
-- The registry: an exemption ends, and a load grows old, before the instant asked about
--
SELECT lead_system.next_call_time(:'ada') AS now, lead_system.next_call_time(:'ada', '2026-05-20 18:00+00') AS within_three_months,
       lead_system.next_call_time(:'ada', '2026-06-20 18:00+00') AS later;
SELECT lead_system.set_config('compliance.national_dnc', '"deny"');
SELECT lead_system.next_call_time(:'bob', '2026-04-04 23:00+00') AS last_day, lead_system.next_call_time(:'bob', '2026-04-05 00:00+00') AS too_old;
-- the evening's last minute: the load is too old in the morning
SELECT lead_system.next_call_time(:'bob', '2026-04-05 01:00+00') AS morning;
SELECT lead_system.record_consent(:'bob', 'call', '{"form": "web"}') IS NOT NULL AS recorded;
SELECT lead_system.next_call_time(:'bob', '2026-04-05 01:00+00') AS morning;
SELECT lead_system.set_config('compliance.national_dnc', NULL);

--
-- A revocation of one channel leaves the others
--
SELECT lead_system.set_config('compliance.cross_channel_revocation', 'false');
SELECT lead_system.revoke_consent(:'bob', 'call');
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = :'bob';
SELECT c.channel, b.rule FROM unnest(ARRAY['call', 'sms', 'email']) c(channel) LEFT JOIN LATERAL lead_system.contact_blockers(:'bob', c.channel) b ON true;
INSERT INTO lead_system.sms_logs (organization_id, lead_id, to_phone, direction, message_text) VALUES (:'alpha', :'bob', '+12125550102', 'outbound', 'hello');
INSERT INTO lead_system.call_logs (organization_id, lead_id, called_phone, direction, status) VALUES (:'alpha', :'bob', '+12125550102', 'outbound', 'answered');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.revoke_consent(:'bob', 'sms');
SELECT c.channel, b.rule FROM unnest(ARRAY['call', 'sms', 'email']) c(channel) LEFT JOIN LATERAL lead_system.contact_blockers(:'bob', c.channel) b ON true;
-- a mark by hand, or by the list, is for texts, too
SELECT lead_system.record_consent(:'bob', 'call', '{"form": "web"}') IS NOT NULL AND lead_system.record_consent(:'bob', 'sms', '{"form": "web"}') IS NOT NULL AS recorded;
UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'asked' WHERE id = :'bob';
SELECT rule FROM lead_system.contact_blockers(:'bob', 'sms');
UPDATE lead_system.leads SET do_not_call = false, calling_blocked_reason = NULL WHERE id = :'bob';
SELECT lead_system.set_config('compliance.cross_channel_revocation', NULL);

--
-- The instant that decides is the real one, not that of the transaction
--
RESET lead_system.now;
BEGIN;
SELECT lead_system.clock_now() AS began \gset
INSERT INTO lead_system.call_logs (organization_id, called_phone, direction, status, created_at) VALUES (:'alpha', '+12125550102', 'outbound', 'answered', clock_timestamp());
SELECT rule, detail FROM lead_system.contact_blockers(:'bob') WHERE rule = 'minimum_gap';
SELECT lead_system.authorize_contact(:'bob', 'email');
SELECT created_at > :'began' AS later FROM lead_system.contact_attempts WHERE organization_id = :'alpha' AND channel = 'email';
ROLLBACK;
SET lead_system.now = '2026-03-04 19:00:00+00';

--
-- A row of a call moves to no campaign that must not contact the number
--
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'night', 'Night', 'active');
SELECT lead_system.suppress_in_campaign(:'night', '+12125550103', 'asked') IS NOT NULL AS suppressed;
INSERT INTO lead_system.call_logs (organization_id, called_phone, direction, status) VALUES (:'alpha', '+12125550103', 'outbound', 'answered');
UPDATE lead_system.call_logs SET campaign_id = :'night' WHERE organization_id = :'alpha' AND called_phone = '+12125550103';
\echo :LAST_ERROR_SQLSTATE

--
-- A claim reads no table from end to end, whatever the planner has seen
--
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'list', 'All');
INSERT INTO lead_system.leads (organization_id, id, phone_number)
SELECT :'alpha', ('d9000000-0000-4000-8000-00000001' || lpad(n::text, 4, '0'))::uuid, '+1212556' || lpad(n::text, 4, '0') FROM generate_series(1, 3000) n;
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', :'list', id FROM lead_system.leads WHERE organization_id = :'alpha' AND id NOT IN (:'ada', :'bob');
SELECT lead_system.add_lead_list_to_campaign(:'night', :'list') IS NOT NULL AS added;
SET lead_system.now = '2026-03-05 06:00:00+00'; -- one in the morning
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 100);
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 100);
SELECT is_waiting, blocked_rule, next_attempt_at, count(*) FROM lead_system.campaign_leads WHERE campaign_id = :'night' GROUP BY 1, 2, 3;
ANALYZE lead_system.campaign_leads;
CREATE FUNCTION pg_temp.scans(relation text) RETURNS bigint LANGUAGE sql AS $$ SELECT pg_stat_get_xact_numscans(('lead_system.' || relation)::regclass) $$;
BEGIN;
SELECT pg_temp.scans('campaign_leads') AS before \gset
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 10);
SELECT pg_temp.scans('campaign_leads') - :before AS whole_queue;
COMMIT;
-- one probe of each table, by the number
BEGIN;
SELECT pg_temp.scans('national_dnc_registry') AS registry, pg_temp.scans('national_dnc_registry_pkey') AS registry_index,
       pg_temp.scans('campaign_suppressions') AS suppressions, pg_temp.scans('campaign_suppressions_campaign_id_phone_number_key') AS suppressions_index \gset
SELECT rule FROM lead_system.contact_blockers(:'bob', campaign_id => :'night');
SELECT pg_temp.scans('national_dnc_registry') - :registry AS whole_registry, pg_temp.scans('national_dnc_registry_pkey') - :registry_index AS by_number,
       pg_temp.scans('campaign_suppressions') - :suppressions AS all_suppressions, pg_temp.scans('campaign_suppressions_campaign_id_phone_number_key') - :suppressions_index AS by_number;
COMMIT;

--
-- Other rules: who was timed by laxer ones is judged anew when due; who was timed
-- by stricter ones does not have to wait
--
CREATE TEMP VIEW queue AS
SELECT is_waiting, blocked_rule, next_attempt_at, count(*) FROM lead_system.campaign_leads
 WHERE campaign_id = 'd9000000-0000-4000-8000-000000000c01' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
DELETE FROM lead_system.campaign_leads WHERE campaign_id = :'night' AND lead_id > 'd9000000-0000-4000-8000-000000010003';
SELECT * FROM queue;
INSERT INTO lead_system.calling_rules (organization_id, from_time, to_time, source) VALUES (:'alpha', '10:00', '18:00', 'policy');
SET lead_system.now = '2026-03-05 13:00:00+00';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 10);
SELECT * FROM queue;
UPDATE lead_system.calling_rules SET from_time = '09:00' WHERE organization_id = :'alpha';
SELECT * FROM queue;
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 10);
SELECT * FROM queue;
DELETE FROM lead_system.calling_rules WHERE organization_id = :'alpha';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 1);
-- limits: a call each, half an hour ago
UPDATE lead_system.campaign_leads SET status = 'new', claimed_by = NULL, lease_until = NULL WHERE campaign_id = :'night';
INSERT INTO lead_system.call_logs (organization_id, called_phone, direction, status, created_at)
SELECT :'alpha', '+1212556' || lpad(n::text, 4, '0'), 'outbound', 'answered', '2026-03-05 12:30+00' FROM generate_series(1, 3) n;
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 10);
SELECT * FROM queue;
SELECT lead_system.set_config('compliance.cross_channel_revocation', 'false');
SELECT * FROM queue;
SELECT lead_system.set_config('compliance.min_gap_minutes', '20');
SELECT * FROM queue;
SELECT lead_system.set_config('compliance.min_gap_minutes', NULL);
SELECT lead_system.set_config('compliance.consent_required', '["call"]');
SELECT count(*) FROM lead_system.claim_campaign_leads(:'night', 10);
SELECT * FROM queue;
SELECT lead_system.set_config('compliance.consent_required', NULL);
SELECT * FROM queue;
