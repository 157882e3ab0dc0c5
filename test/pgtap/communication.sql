-- Communication, rule by rule: what each message and each call means for whom it
-- is from, and who may record it. The course of things is in sql/communication.sql.
--
-- Runs alone: pg_prove test/pgtap/communication.sql

BEGIN;
SELECT plan(30);
\ir lib/two_organizations.sql
SET LOCAL timezone = 'UTC';
SET LOCAL app.current_org_id = :'alpha';
SET LOCAL lead_system.now = '2026-03-02 15:00:00+00';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, source) VALUES (:'alpha', 'a0000000-0000-4000-8000-0000000000f1', 'tap', '+12025550181', 'web');

-- Record a report, say what became of it, and undo it all.
CREATE FUNCTION pg_temp.said(message text, setting text DEFAULT NULL, before text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    BEGIN
        IF setting IS NOT NULL THEN
            PERFORM lead_system.set_config(setting, 'false');
        END IF;
        IF before IS NOT NULL THEN
            PERFORM lead_system.record_sms(jsonb_build_object('direction', 'inbound', 'from_phone', '202-555-0181', 'message_text', before));
        END IF;
        PERFORM lead_system.record_sms(jsonb_build_object('direction', 'inbound', 'from_phone', '202-555-0181', 'message_text', message, 'provider_message_id', 'tap'));
        SELECT concat_ws(' ', coalesce(s.meaning, 'nothing'), CASE WHEN l.do_not_call THEN 'blocked:' || l.calling_blocked_reason END, CASE WHEN l.needs_review THEN 'review' END,
                         (SELECT 'listed:' || d.reason FROM lead_system.dnc_list d WHERE d.organization_id = l.organization_id AND d.phone_number = l.phone_number),
                         (SELECT 'revoked:' || string_agg(c.channel, ',' ORDER BY c.channel) FROM lead_system.contact_consents c WHERE c.lead_id = l.id AND c.action = 'revoked'),
                         (SELECT 'granted:' || string_agg(c.channel, ',') FROM lead_system.contact_consents c WHERE c.lead_id = l.id AND c.action = 'granted'),
                         (SELECT 'answered:' || n.template_name FROM lead_system.notifications n WHERE n.id = s.answer_id), 'replies:' || l.sms_reply_count)
          INTO answer FROM lead_system.sms_logs s JOIN lead_system.leads l ON l.id = s.lead_id WHERE s.provider_message_id = 'tap';
        RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = answer;
    EXCEPTION WHEN SQLSTATE 'XX999' THEN
        RETURN SQLERRM;
    END;
END
$$;
SELECT is(pg_temp.said(u), 'opt_out blocked:dnc_list listed:sms_stop revoked:call,sms replies:0', format('%s stops all channels at once', u))
  FROM unnest('{STOP,stop.," StopAll ",Quit,END,Revoke,"OPT OUT",opt-out,cancel,Unsubscribe}'::text[]) u;
SELECT is(pg_temp.said('please take me off your list'), 'opt_out blocked:dnc_list listed:lead_requested revoked:call,sms replies:0', 'words that ask for it do so, too');
SELECT is(pg_temp.said('STOP', 'compliance.cross_channel_revocation'), 'opt_out revoked:sms replies:0', 'where channels are apart, STOP is about messages alone');
SELECT is(pg_temp.said('I''m not interested'), 'review review replies:1', 'soft words are for somebody to read');
SELECT is(pg_temp.said('Where are you?'), 'nothing replies:1', 'what is ordinary is a reply and no more');
SELECT is(pg_temp.said('START'), 'resubscribe granted:sms replies:1', 'START is a consent to messages');
SELECT is(pg_temp.said('START', NULL, 'STOP'), 'resubscribe blocked:consent_revoked revoked:call,sms granted:sms replies:1', 'START after STOP takes back what was about messages');
SELECT is(pg_temp.said('START', NULL, 'remove me from your list'), 'resubscribe blocked:dnc_list listed:lead_requested revoked:call,sms granted:sms replies:1', 'what was asked for in words START does not take off the list');
SELECT is(pg_temp.said('HELP'), 'help answered:sms_help replies:1', 'HELP is answered');
SELECT is(pg_temp.said('HELP', 'communication.answer_help'), 'help replies:1', 'HELP is not answered where another program does');
SELECT is(pg_temp.said('yes'), 'yes replies:1', 'YES means nothing to a lead of another pipeline that nobody asked');
SELECT is(pg_temp.said('YES', NULL, 'STOP'), 'resubscribe blocked:consent_revoked revoked:call,sms granted:sms replies:1', 'YES after STOP is START');

-- A call by its direction and status.
CREATE FUNCTION pg_temp.called(direction text, status text, lead_phone text DEFAULT '202-555-0181') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    BEGIN
        PERFORM lead_system.record_call(jsonb_build_object('direction', direction, 'status', status, CASE direction WHEN 'inbound' THEN 'caller_phone' ELSE 'called_phone' END, lead_phone));
        SELECT concat_ws(' ', coalesce(min(l.source), 'no lead'), 'calls:' || min(l.call_count), CASE WHEN min(l.last_contact_at) IS NOT NULL THEN 'reached' END, (SELECT 'enrolled' FROM lead_system.lead_sequence_enrollments e WHERE e.lead_id = min(l.id::text)::uuid))
          INTO answer FROM lead_system.leads l WHERE l.phone_number = lead_system.normalize_phone(lead_phone);
        RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = answer;
    EXCEPTION WHEN SQLSTATE 'XX999' THEN
        RETURN SQLERRM;
    END;
END
$$;
SELECT results_eq($$ SELECT s, pg_temp.called('inbound', s), pg_temp.called('inbound', s, '202-555-0182'), pg_temp.called('outbound', s) FROM unnest('{answered,no_answer,busy,voicemail,failed}'::text[]) s $$,
    $$ VALUES ('answered', 'web calls:1 reached', 'no lead', 'web calls:1 reached'),
              ('no_answer', 'web calls:1 enrolled', 'missed_call calls:1 enrolled', 'web calls:1'),
              ('busy', 'web calls:1 enrolled', 'missed_call calls:1 enrolled', 'web calls:1'),
              ('voicemail', 'web calls:1 enrolled', 'missed_call calls:1 enrolled', 'web calls:1'),
              ('failed', 'web calls:1', 'no lead', 'web calls:1') $$,
    'a call counts; one that came in and was not answered is followed up, and makes a lead (J1)');

-- How far a message has come: reports may overtake each other.
CREATE FUNCTION pg_temp.progress(VARIADIC reports text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    r text;
BEGIN
    BEGIN
        FOREACH r IN ARRAY reports LOOP
            PERFORM lead_system.record_sms(jsonb_build_object('direction', 'outbound', 'to_phone', '202-555-0181', 'message_text', 'x', 'provider_message_id', 'p', 'status', r));
        END LOOP;
        SELECT status || CASE WHEN delivered_at IS NOT NULL THEN ' stamped' ELSE '' END INTO answer FROM lead_system.sms_logs WHERE provider_message_id = 'p';
        RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = answer;
    EXCEPTION WHEN SQLSTATE 'XX999' THEN
        RETURN SQLERRM;
    END;
END
$$;
SELECT is(pg_temp.progress('queued', 'sent', 'delivered'), 'delivered stamped', 'a message comes on');
SELECT is(pg_temp.progress('sent', 'delivered', 'queued'), 'delivered stamped', 'a late report does not take it back');
SELECT is(pg_temp.progress('sent', 'failed', 'delivered'), 'failed stamped', 'what has failed stays failed');

-- Who may record: agents and above; contractors and readers may not, nor may anybody write the tables.
SELECT is(pg_temp.try_as(r, :'alpha', $$ SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "202 555 0181", "message_text": "hello"}') $$) LIKE '1 rows%', may, format('%s records messages: %s', r, may))
  FROM (VALUES ('tap_readonly', false), ('tap_agent', true), ('tap_manager', true), ('tap_admin', true)) v(r, may);
SELECT is(pg_temp.try_as('tap_admin', :'alpha', $$ UPDATE lead_system.sms_logs SET message_text = 'x' $$) LIKE '42501 | permission denied%', true, 'nobody rewrites what was said');

SELECT * FROM finish();
ROLLBACK;
