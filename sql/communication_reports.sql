-- communication: reports that are late, wrong, or about something else.
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd9000000-0000-4000-8000-00000000000a'
\set beta  'd9000000-0000-4000-8000-00000000000b'
\set rita  'd9000000-0000-4000-8000-0000000000a1'
\set camp  'd9000000-0000-4000-8000-0000000000c1'
INSERT INTO lead_system.organizations (id, name, timezone, default_pipeline) VALUES (:'alpha', 'Alpha', 'America/Chicago', 'field_service'), (:'beta', 'Beta', 'America/Chicago', 'field_service');
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES (:'alpha', :'rita', 'Rita', 'rita@example.com', 'manager');
CREATE FUNCTION pg_temp.tried(kind text, report jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE format('SELECT lead_system.record_%s($1)', kind) USING report;
    RETURN 'recorded';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' / ', SQLSTATE, SQLERRM, nullif(detail, ''));
END
$$;

-- The id of another message is no repetition: a STOP would be lost.
SELECT pg_temp.tried('sms', r::jsonb) FROM (VALUES
    (1, '{"direction": "outbound", "to_phone": "202 555 0101", "message_text": "Hello", "provider": "one", "provider_message_id": "7"}'),
    (2, '{"direction": "inbound", "from_phone": "202 555 0101", "message_text": "STOP", "provider_message_id": "7"}'),
    (3, '{"direction": "outbound", "to_phone": "202 555 0102", "message_text": "Hello", "provider_message_id": "7"}'),
    (4, '{"provider": "two", "provider_message_id": "7", "status": "delivered"}'),
    (5, '{"direction": "outbound", "to_phone": "(202) 555-0101", "from_phone": "12345", "provider": "one", "provider_message_id": "7", "status": "delivered"}')) t(n, r) ORDER BY n;
SELECT pg_temp.tried('call', r::jsonb) FROM (VALUES
    (1, '{"direction": "outbound", "called_phone": "202 555 0101", "status": "answered", "provider_call_id": "7"}'),
    (2, '{"direction": "inbound", "caller_phone": "202 555 0101", "status": "no_answer", "provider_call_id": "7"}'),
    (3, '{"called_phone": "202 555 0102", "provider_call_id": "7", "notes": "x"}'),
    (4, '{"called_phone": "202 555 0101", "provider_call_id": "7", "notes": "late"}')) t(n, r) ORDER BY n;
SELECT direction, status FROM lead_system.sms_logs;
SELECT direction, status, notes FROM lead_system.call_logs;
-- Another organization has ids of its own.
SET app.current_org_id = :'beta';
SELECT pg_temp.tried('sms', '{"direction": "inbound", "from_phone": "202 555 0101", "message_text": "Hi", "provider": "two", "provider_message_id": "7"}');
SET app.current_org_id = :'alpha';

-- Statuses by direction; whom a call was to; instants.
SELECT pg_temp.tried('sms', '{"direction": "inbound", "from_phone": "202 555 0101", "message_text": "x", "status": "queued"}');
SELECT pg_temp.tried('sms', '{"direction": "outbound", "to_phone": "202 555 0101", "message_text": "x", "status": "received"}');
SELECT pg_temp.tried('sms', '{"provider_message_id": "7", "status": "received"}'), (SELECT status FROM lead_system.sms_logs WHERE provider_message_id = '7' AND organization_id = :'alpha');
SELECT pg_temp.tried('sms', '{"direction": "outbound", "to_phone": "202 555 0101", "message_text": "x", "delivered_at": "infinity"}');
SELECT pg_temp.tried('call', '{"direction": "outbound", "status": "answered"}');
SELECT pg_temp.tried('call', '{"direction": "outbound", "status": "answered", "called_phone": "anonymous"}');
SELECT pg_temp.tried('call', '{"direction": "inbound", "status": "answered", "caller_phone": "202 555 0101", "ended_at": "infinity"}');

-- Who withholds the number, in letters or typed on the keys.
SELECT n, pg_temp.tried('call', jsonb_build_object('direction', 'inbound', 'status', 'no_answer', 'caller_phone', n)) FROM unnest('{Anonymous,+266696687,+7378742833,+2562533,+8656696,+86282452253,+266696688}'::text[]) n;
SELECT count(*) AS leads FROM lead_system.leads;

-- A START that was overtaken by a later STOP takes nothing back; one that is later does.
SELECT pg_temp.tried('sms', '{"direction": "inbound", "from_phone": "202 555 0111", "message_text": "STOP", "created_at": "2026-03-02 14:30+00"}');
SELECT pg_temp.tried('sms', '{"direction": "inbound", "from_phone": "202 555 0111", "message_text": "START", "created_at": "2026-03-02 14:29+00"}');
SELECT phone_number, reason FROM lead_system.dnc_list;
SELECT pg_temp.tried('sms', '{"direction": "inbound", "from_phone": "202 555 0111", "message_text": "START", "created_at": "2026-03-02 14:31+00"}');
SELECT phone_number, reason FROM lead_system.dnc_list;

-- A missed call that is brought in long after is not followed up.
SELECT pg_temp.tried('call', '{"direction": "inbound", "status": "no_answer", "caller_phone": "202 555 0121", "created_at": "2026-02-28 14:59+00"}');
SELECT pg_temp.tried('call', '{"direction": "inbound", "status": "no_answer", "caller_phone": "202 555 0122", "created_at": "2026-02-28 15:00+00"}');
SELECT l.phone_number, l.source, e.status FROM lead_system.leads l LEFT JOIN lead_system.lead_sequence_enrollments e ON e.lead_id = l.id
 WHERE l.phone_number BETWEEN '+12025550121' AND '+12025550122' ORDER BY 1;
-- Who replied by e-mail when the sequence was through is not given up.
SELECT pg_temp.tried('call', '{"direction": "inbound", "status": "no_answer", "caller_phone": "202 555 0123"}'), pg_temp.tried('call', '{"direction": "inbound", "status": "no_answer", "caller_phone": "202 555 0124"}');
SELECT count(lead_system.cancel_enrollment(e.id, 'through')) FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id WHERE l.phone_number >= '+12025550123';
SET lead_system.now = '2026-03-03 15:00:00+00';
SELECT lead_system.record_engagement(id, 'email_reply') FROM lead_system.leads WHERE phone_number = '+12025550123';
SET lead_system.now = '2026-03-04 15:00:00+00';
SELECT lead_system.sweep_missed_calls();
SELECT phone_number, tags FROM lead_system.leads WHERE phone_number >= '+12025550123' ORDER BY 1;
-- A customer whose job is done calls in vain: somebody is told, once.
INSERT INTO lead_system.leads (organization_id, first_name, last_name, phone_number, status) VALUES (:'alpha', 'Cleo', 'Closed', '+12025550131', 'completed');
SELECT pg_temp.tried('call', '{"direction": "inbound", "status": "no_answer", "caller_phone": "202 555 0131", "provider_call_id": "m1"}') FROM generate_series(1, 2);
SELECT recipient, template_name FROM lead_system.notifications WHERE user_id IS NOT NULL;
SELECT count(*) AS enrolled FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id WHERE l.first_name = 'Cleo';

-- A campaign's call: by whom, and until when; the price is paid once, however often it is reported.
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, timezone) VALUES (:'alpha', 'Dora', '+12025550141', 'America/Chicago'), (:'alpha', 'Emil', '+12025550142', 'America/Chicago');
SELECT lead_system.open_account() AS account \gset
SELECT lead_system.post_transaction(:'account', 'credit', 10) IS NOT NULL AS posted;
INSERT INTO lead_system.campaigns (organization_id, id, name, status, call_price) VALUES (:'alpha', :'camp', 'c', 'active', 0.75);
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', 'd9000000-0000-4000-8000-0000000000b1', 'l');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT organization_id, 'd9000000-0000-4000-8000-0000000000b1', id FROM lead_system.leads WHERE first_name IN ('Dora', 'Emil');
SELECT lead_system.add_lead_list_to_campaign(:'camp', 'd9000000-0000-4000-8000-0000000000b1') IS NOT NULL AS added;
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads(:'camp', 2);
SELECT c.id AS dora FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.id = c.lead_id WHERE l.first_name = 'Dora' \gset
SELECT c.id AS emil FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.id = c.lead_id WHERE l.first_name = 'Emil' \gset
SELECT balance, held FROM lead_system.budget_accounts;
SELECT pg_temp.tried('call', jsonb_build_object('campaign_lead_id', :'dora', 'status', 'answered', 'duration', 20, 'provider_call_id', 'q1', 'user_id', :'rita', 'created_at', '2026-03-04 14:58+00', 'ended_at', '2026-03-04 14:59+00')) FROM generate_series(1, 2);
SELECT user_id = :'rita' AS by_rita, ended_at FROM lead_system.call_logs WHERE provider_call_id = 'q1';
SELECT balance, held FROM lead_system.budget_accounts;
-- A call that is known must not pass for the call of another row, whose price stays held.
SELECT pg_temp.tried('call', jsonb_build_object('campaign_lead_id', :'emil', 'status', 'answered', 'provider_call_id', id)) FROM unnest('{q1,7}'::text[]) id;
SELECT pg_temp.tried('call', jsonb_build_object('campaign_lead_id', :'emil', 'status', 'failed', 'provider_call_id', 'q2')) FROM generate_series(1, 2);
SELECT balance, held FROM lead_system.budget_accounts;
SELECT transaction_type, amount FROM lead_system.budget_transactions ORDER BY sequence;

-- What a report reads does not grow with what there is, also while nothing is known of the tables.
ALTER TABLE lead_system.sms_logs SET (autovacuum_enabled = off);
ALTER TABLE lead_system.call_logs SET (autovacuum_enabled = off);
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) SELECT :'alpha', 'many', '+1' || a || '5550' || 100 + n FROM generate_series(0, 99) n, unnest('{205,206,207}'::text[]) a;
SET session_replication_role = replica;
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, lead_id, message_text) SELECT organization_id, 'outbound', phone_number, id, 'x' FROM lead_system.leads, generate_series(1, 10) WHERE organization_id = :'alpha' AND first_name = 'many';
INSERT INTO lead_system.call_logs (organization_id, direction, caller_phone, lead_id, status) SELECT organization_id, 'inbound', phone_number, id, 'answered' FROM lead_system.leads, generate_series(1, 10) WHERE organization_id = :'alpha' AND first_name = 'many';
SET session_replication_role = origin;
\c -
SET app.current_org_id = :'alpha';
SET lead_system.now = '2026-03-04 16:00:00+00';
CREATE FUNCTION pg_temp.rows_read(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    after bigint;
BEGIN
    SELECT sum(seq_tup_read + idx_tup_fetch) INTO before FROM pg_stat_xact_user_tables WHERE schemaname = 'lead_system' AND relname IN ('sms_logs', 'call_logs');
    EXECUTE statement;
    SELECT sum(seq_tup_read + idx_tup_fetch) INTO after FROM pg_stat_xact_user_tables WHERE schemaname = 'lead_system' AND relname IN ('sms_logs', 'call_logs');
    RETURN CASE WHEN after - before < 100 THEN 'few' ELSE 'many: ' || after - before END;
END
$$;
SELECT s, pg_temp.rows_read(format($$ SELECT lead_system.record_sms('%s') $$, s)) FROM unnest(ARRAY['{"direction": "inbound", "from_phone": "205 555 0100", "message_text": "hi"}',
    '{"direction": "outbound", "to_phone": "205 555 0100", "message_text": "hi", "provider_message_id": "r1", "status": "queued"}', '{"provider_message_id": "r1", "status": "sent"}',
    '{"direction": "inbound", "from_phone": "205 555 0101", "message_text": "STOP"}', '{"direction": "inbound", "from_phone": "205 555 0101", "message_text": "START", "created_at": "2026-03-04 15:00+00"}']) s;
SELECT pg_temp.rows_read($$ SELECT lead_system.sweep_missed_calls() $$);
ALTER TABLE lead_system.sms_logs RESET (autovacuum_enabled);
ALTER TABLE lead_system.call_logs RESET (autovacuum_enabled);

RESET app.current_org_id;
RESET lead_system.now;
DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'beta');
