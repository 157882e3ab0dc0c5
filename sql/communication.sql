-- communication: calls and text messages (semantics J, D9 to D12).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd7000000-0000-4000-8000-00000000000a'
\set ada   'd7000000-0000-4000-8000-000000000101'
\set bob   'd7000000-0000-4000-8000-000000000102'
\set rita  'd7000000-0000-4000-8000-0000000000a1'
INSERT INTO lead_system.organizations (id, name, timezone, default_pipeline) VALUES (:'alpha', 'Alpha', 'America/Chicago', 'field_service');
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES (:'alpha', :'rita', 'Rita', 'rita@example.com', 'manager');
INSERT INTO lead_system.leads (organization_id, id, first_name, email, phone_number) VALUES
    (:'alpha', :'ada', 'Ada', 'ada@example.com', '+12025550101'),
    (:'alpha', :'bob', 'Bob', 'bob@example.com', '+12025550102');
CREATE VIEW pg_temp.messages AS
SELECT coalesce(l.first_name, l.phone_number, '-') AS lead, s.direction AS dir, s.message_text AS text, s.status, s.meaning, s.replied_at IS NOT NULL AS replied,
       (SELECT o.message_text FROM lead_system.sms_logs o WHERE o.id = s.reply_to_sms_id) AS reply_to,
       (SELECT n.template_name FROM lead_system.notifications n WHERE n.id = s.answer_id) AS answer
  FROM lead_system.sms_logs s LEFT JOIN lead_system.leads l ON l.id = s.lead_id ORDER BY s.created_at, s.id;
CREATE VIEW pg_temp.state AS
SELECT coalesce(first_name, phone_number) AS lead, status, call_count AS calls, sms_reply_count AS replies, last_contact_at AS contact, needs_review AS review,
       do_not_call AS dnc, calling_blocked_reason AS reason, tags FROM lead_system.leads ORDER BY 1;

-- What is no report.
CREATE FUNCTION pg_temp.refused(kind text, report jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE format('SELECT lead_system.record_%s($1)', kind) USING report;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT pg_temp.refused('call', r::jsonb) FROM (VALUES (1, '[]'), (2, '{}'), (3, '{"status": "answered"}'), (4, '{"status": "ringing", "direction": "inbound"}'),
    (5, '{"status": "answered", "direction": "sideways"}'), (6, '{"status": "answered", "direction": "inbound", "caller_phone": "12"}'), (7, '{"colour": "red"}'),
    (8, '{"status": "answered", "direction": "outbound", "called_phone": "202 555 0101", "duration": -1}'), (9, '{"status": {"a": 1}, "direction": "outbound"}'),
    (10, '{"status": "answered", "direction": "inbound", "created_at": "2026-03-02 15:02+00"}'), (11, '{"status": "answered", "direction": "inbound", "lead_id": "x"}'),
    (12, '{"status": "answered", "direction": "inbound", "lead_id": "d7000000-0000-4000-8000-000000000999"}'), (13, '{"status": "answered", "direction": "inbound", "user_id": "d7000000-0000-4000-8000-000000000999"}'),
    (14, '{"status": "answered", "direction": "outbound", "pledged_amount": 5}'), (15, '{"outcome": "answered", "campaign_lead_id": "d7000000-0000-4000-8000-000000000999"}')) t(n, r) ORDER BY n;
SELECT pg_temp.refused('sms', r::jsonb) FROM (VALUES (1, '{}'), (2, '{"direction": "inbound", "message_text": "x"}'), (3, '{"direction": "outbound", "message_text": "x"}'),
    (4, '{"direction": "inbound", "from_phone": "202 555 0101"}'), (5, '{"direction": "inbound", "from_phone": "pizza", "message_text": "x"}'), (6, '{"transcript": "x"}'),
    (7, '{"direction": "inbound", "from_phone": "202 555 0101", "message_text": "x", "status": "lost"}'),
    (8, '{"direction": "inbound", "from_phone": "202 555 0101", "message_text": "x", "reply_to_sms_id": "d7000000-0000-4000-8000-000000000999"}')) t(n, r) ORDER BY n;
SELECT lead_system.record_call(NULL);
SELECT lead_system.record_sms(NULL);
SELECT count(*) FROM lead_system.call_logs;

-- A message, how far it came, and its answer. Any spelling finds the lead.
SELECT lead_system.record_sms('{"direction": "outbound", "to_phone": "(202) 555-0101", "from_phone": "12345", "message_text": "Hello", "status": "queued", "provider": "example", "provider_message_id": "m1"}') AS m1 \gset
SELECT lead_system.record_sms('{"provider_message_id": "m1", "status": "delivered"}') = :'m1' AS same, lead_system.record_sms('{"provider_message_id": "m1", "status": "sent"}') = :'m1' AS same;
SELECT status, delivered_at, to_phone, from_phone FROM lead_system.sms_logs;
SET lead_system.now = '2026-03-02 15:01:00+00';
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "1-202-555-0101", "to_phone": "12345", "message_text": "Tell me more", "provider_message_id": "m2"}') AS m2 \gset
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "1-202-555-0101", "to_phone": "12345", "message_text": "Who is this?", "provider_message_id": "m2"}') = :'m2' AS same;
SELECT lead_system.record_sms(jsonb_build_object('direction', 'outbound', 'lead_id', :'ada', 'message_text', 'We come on Monday', 'reply_to_sms_id', :'m2')) IS NOT NULL AS recorded;
TABLE pg_temp.messages;
TABLE pg_temp.state;
SELECT action_type, new_value FROM lead_system.activities WHERE lead_id = :'ada' AND action_type LIKE 'sms%' ORDER BY created_at, id;

-- A reply pauses what follows the lead up.
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES (:'alpha', 'plan', '[{"step": 1, "channel": "task"}]');
SELECT count(lead_system.enroll_lead(s.id, :'ada')) FROM lead_system.nurture_sequences s;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550101", "message_text": "tell me more"}') IS NOT NULL AS recorded;
SELECT status, pause_reason FROM lead_system.lead_sequence_enrollments;
SELECT count(lead_system.resume_enrollment(id)) FROM lead_system.lead_sequence_enrollments;
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "+12025550101", "status": "answered", "duration": 60}') IS NOT NULL AS recorded;
SELECT status, pause_reason FROM lead_system.lead_sequence_enrollments;

-- Soft words want somebody to read them; HELP is answered.
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550102", "message_text": "I''m not interested"}') IS NOT NULL AS recorded;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550102", "message_text": "help"}') IS NOT NULL AS recorded;
SELECT * FROM pg_temp.messages WHERE lead = 'Bob';
SELECT lead, review, replies FROM pg_temp.state;

-- STOP takes effect at once, on all channels; repeated, it changes nothing.
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'sms', 'lead_id', :'bob', 'body', 'x')) IS NOT NULL AS queued;
SELECT count(lead_system.enroll_lead(s.id, :'bob')) FROM lead_system.nurture_sequences s;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550102", "message_text": "Stop!"}') IS NOT NULL AS recorded;
SELECT * FROM pg_temp.messages WHERE lead = 'Bob';
SELECT * FROM pg_temp.state;
SELECT status, blocked_rule FROM lead_system.notifications ORDER BY id;
SELECT e.status, e.cancel_reason FROM lead_system.lead_sequence_enrollments e WHERE e.lead_id = :'bob';
SELECT phone_number, reason, source, opt_out_phrase FROM lead_system.dnc_list;
SELECT channel, action FROM lead_system.contact_consents ORDER BY channel;
SELECT c, (SELECT string_agg(rule, ', ') FROM lead_system.contact_blockers(:'bob', c)) AS blockers FROM unnest('{call,sms,email}'::text[]) c;
SELECT pg_temp.refused('sms', '{"direction": "outbound", "to_phone": "202 555 0102", "message_text": "x"}');
SELECT pg_temp.refused('call', '{"direction": "outbound", "called_phone": "202 555 0102", "status": "answered"}');

-- START takes it back, for text messages alone.
SET lead_system.now = '2026-03-02 15:10:00+00';
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550102", "message_text": "YES"}') IS NOT NULL AS recorded;
SELECT meaning FROM lead_system.sms_logs ORDER BY id DESC LIMIT 1;
SELECT * FROM pg_temp.state WHERE lead = 'Bob';
SELECT count(*) AS listed FROM lead_system.dnc_list;
SELECT c, (SELECT string_agg(rule, ', ') FROM lead_system.contact_blockers(:'bob', c)) AS blockers FROM unnest('{call,sms,email}'::text[]) c;
SELECT pg_temp.refused('sms', '{"direction": "outbound", "to_phone": "202 555 0102", "message_text": "Welcome back"}');
SELECT pg_temp.refused('call', '{"direction": "outbound", "called_phone": "202 555 0102", "status": "answered"}');
-- What others have listed it leaves alone.
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550103", "message_text": "remove me from your list"}') IS NOT NULL AS recorded;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550103", "message_text": "START"}') IS NOT NULL AS recorded;
SELECT phone_number, reason, opt_out_phrase FROM lead_system.dnc_list;

-- Where the pipeline has a status for that, the lead keeps it while it must not be called.
SELECT lead_system.upsert_lead('{"first_name": "Kim", "phone": "202 555 0141", "pipeline": "recruiting"}') IS NOT NULL AS made;
SELECT lead_system.record_sms(jsonb_build_object('direction', 'inbound', 'from_phone', '+12025550141', 'message_text', m)) IS NOT NULL AS recorded FROM unnest('{stop,start}'::text[]) m;
SELECT * FROM pg_temp.state WHERE lead = 'Kim';

-- Where a revocation is for its channel alone, STOP is not about calls.
SELECT lead_system.set_config('compliance.cross_channel_revocation', 'false');
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550101", "message_text": "UNSUBSCRIBE"}') IS NOT NULL AS recorded;
SELECT c, (SELECT string_agg(rule, ', ') FROM lead_system.contact_blockers(:'ada', c)) AS blockers FROM unnest('{call,sms,email}'::text[]) c;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+12025550104", "message_text": "STOP"}') IS NOT NULL AS recorded;
SELECT phone_number, reason FROM lead_system.dnc_list ORDER BY 1;
SELECT lead_system.set_config('compliance.cross_channel_revocation', 'true');

-- A call: counters, the transcript, what comes late.
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES (:'alpha', 'd7000000-0000-4000-8000-000000000105', 'Cy', '+12025550105'), (:'alpha', 'd7000000-0000-4000-8000-000000000106', 'Di', '+12025550106');
SELECT lead_system.record_call('{"direction": "outbound", "lead_id": "d7000000-0000-4000-8000-000000000105", "status": "answered", "duration": 90, "provider_call_id": "c1"}') AS c1 \gset
SELECT lead_system.record_call('{"provider_call_id": "c1", "recording_url": "https://example.com/r1", "recording_duration": 88, "transcript": "maybe later, I am not interested"}') = :'c1' AS same;
SELECT called_phone, status, duration, recording_url, recording_duration, meaning, ended_at FROM lead_system.call_logs WHERE id = :'c1';
SELECT * FROM pg_temp.state WHERE lead = 'Cy';
SELECT lead_system.record_call('{"provider_call_id": "c1", "transcript": "please stop calling me"}') = :'c1' AS same;
SELECT * FROM pg_temp.state WHERE lead = 'Cy';
SELECT meaning FROM lead_system.call_logs WHERE id = :'c1';
SELECT lead_system.record_call('{"direction": "outbound", "called_phone": "+12025550106", "status": "answered", "outcome": "pleasant", "transcript": "take me off your list"}') AS c2 \gset
SELECT outcome, meaning FROM lead_system.call_logs WHERE id = :'c2';
SELECT * FROM pg_temp.state WHERE lead = 'Di';
SELECT reason, source, opt_out_phrase FROM lead_system.dnc_list WHERE phone_number = '+12025550106';
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "Anonymous", "status": "no_answer"}') IS NOT NULL AS recorded;

-- A call of a campaign writes its row, once.
INSERT INTO lead_system.campaigns (organization_id, name, status) VALUES (:'alpha', 'spring', 'active') RETURNING id AS campaign \gset
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'list', '[{"name": "Eve", "phone": "202-555-0107"}, {"name": "Fay", "phone": "202-555-0108"}]') AS list \gset
SELECT lead_system.add_lead_list_to_campaign(:'campaign', :'list') IS NOT NULL AS added;
SELECT campaign_lead_id AS eve FROM lead_system.claim_campaign_leads(:'campaign') \gset
SELECT lead_system.record_call(jsonb_build_object('campaign_lead_id', :'eve', 'outcome', 'pledged', 'pledged_amount', 25, 'duration', 30, 'provider', 'example', 'provider_call_id', 'c3')) AS c3 \gset
SELECT lead_system.record_call(jsonb_build_object('campaign_lead_id', :'eve', 'outcome', 'pledged', 'pledged_amount', 25, 'duration', 30, 'provider_call_id', 'c3')) = :'c3' AS same;
SELECT campaign_lead_id AS fay FROM lead_system.claim_campaign_leads(:'campaign') \gset
SELECT lead_system.record_call(jsonb_build_object('campaign_lead_id', :'fay', 'status', 'answered', 'transcript', 'do not call me again')) IS NOT NULL AS recorded;
SELECT status, attempts, outcome, pledged_amount, total_talk_time FROM lead_system.campaign_leads ORDER BY id;
SELECT lead_id IS NOT NULL AS lead, direction, status, outcome, provider, meaning FROM lead_system.call_logs WHERE campaign_id = :'campaign' ORDER BY id;
SELECT lead, calls, dnc FROM pg_temp.state WHERE lead IN ('Eve', 'Fay');

-- A missed call makes a lead, and follows it up (J1).
SET lead_system.now = '2026-03-03 16:00:00+00';
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0111", "called_phone": "202-555-0199", "status": "no_answer", "provider_call_id": "in1"}') IS NOT NULL AS recorded;
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0111", "status": "busy", "provider_call_id": "in2"}') IS NOT NULL AS recorded;
SELECT source, status, phone_number, call_count FROM lead_system.leads WHERE phone_number = '+12025550111';
SELECT name, jsonb_array_length(steps) AS steps, total_enrollments FROM lead_system.nurture_sequences ORDER BY name;
UPDATE lead_system.leads SET email = 'caller@example.com', first_name = 'Gus' WHERE phone_number = '+12025550111';
SELECT next_step_scheduled_at - e.enrolled_at AS due_in FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id WHERE l.first_name = 'Gus';
CREATE FUNCTION pg_temp.work() RETURNS TABLE (step int, channel text, template text) LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT * FROM lead_system.claim_due_steps() LOOP
        PERFORM lead_system.complete_step(c.enrollment_id, c.step);
        step := c.step; channel := c.channel; template := c.template_id;
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT * FROM pg_temp.work();
SELECT r.body FROM lead_system.leads l, lead_system.render_template('missed_call_sms', l.id) r WHERE l.first_name = 'Gus';
SET lead_system.now = '2026-03-03 16:05:00+00';
SELECT * FROM pg_temp.work();
SET lead_system.now = '2026-03-04 16:05:00+00';
SELECT * FROM pg_temp.work();
SELECT lead_system.sweep_missed_calls();
SET lead_system.now = '2026-03-05 16:00:00+00';
SELECT lead_system.sweep_missed_calls(0);
SELECT lead_system.sweep_missed_calls();
SELECT lead_system.sweep_missed_calls();
SELECT * FROM pg_temp.state WHERE lead = 'Gus';

-- YES is answered with the prices; of BOOK somebody is told (J2); who replied is not cold.
SET lead_system.now = '2026-03-05 16:01:00+00';
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "202 555 0111", "message_text": "Sure!"}') IS NOT NULL AS recorded;
SELECT * FROM pg_temp.messages WHERE lead = 'Gus';
SELECT template_name, notification_type, scheduled_at FROM lead_system.notifications WHERE template_name = 'pricing';
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "202 555 0111", "message_text": "BOOK"}') IS NOT NULL AS recorded;
SELECT template_name, recipient, payload FROM lead_system.notifications WHERE template_name = 'callback_requested';
SELECT status, pipeline_stage, contacted_at, tags FROM lead_system.leads WHERE first_name = 'Gus';
SELECT old_status, new_status, trigger_type FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.id = h.lead_id WHERE l.first_name = 'Gus' AND old_status IS NOT NULL;

-- A caller who replies in time is not given up, nor one who gets through.
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0112", "status": "voicemail"}') IS NOT NULL AS recorded;
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0113", "status": "no_answer"}') IS NOT NULL AS recorded;
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0114", "status": "no_answer"}') IS NOT NULL AS recorded;
SET lead_system.now = '2026-03-05 16:03:00+00';
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "202 555 0112", "message_text": "I need a plumber"}') IS NOT NULL AS recorded;
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0113", "status": "answered", "duration": 30}') IS NOT NULL AS recorded;
SET lead_system.now = '2026-03-07 16:03:00+00';
SELECT lead_system.sweep_missed_calls();
SELECT l.phone_number, l.tags, e.status, e.pause_reason FROM lead_system.leads l JOIN lead_system.lead_sequence_enrollments e ON e.lead_id = l.id
 WHERE l.phone_number BETWEEN '+12025550112' AND '+12025550114' ORDER BY 1;
-- In a pipeline that has the status, a caller who is given up gets it.
SELECT lead_system.upsert_lead('{"first_name": "Hal", "phone": "202 555 0115", "pipeline": "recruiting"}') IS NOT NULL AS made;
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0115", "status": "no_answer"}') IS NOT NULL AS recorded;
SET lead_system.now = '2026-03-09 16:03:00+00';
SELECT lead_system.sweep_missed_calls();
SELECT status, tags FROM lead_system.leads WHERE first_name = 'Hal';

-- The settings say who becomes a lead.
SELECT lead_system.set_config('communication.create_leads', '"none"');
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0121", "status": "no_answer"}') IS NOT NULL AS recorded;
SELECT lead_system.set_config('communication.create_leads', '"all"');
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0122", "status": "answered"}') IS NOT NULL AS recorded;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "202 555 0123", "message_text": "hello"}') IS NOT NULL AS recorded;
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "202 555 0124", "message_text": "stop"}') IS NOT NULL AS recorded;
SELECT lead_system.set_config('communication.missed_call_follow_up', 'false');
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "202 555 0125", "status": "no_answer"}') IS NOT NULL AS recorded;
SELECT l.phone_number, l.source, (SELECT count(*) FROM lead_system.lead_sequence_enrollments e WHERE e.lead_id = l.id) AS enrolled
  FROM lead_system.leads l WHERE l.phone_number BETWEEN '+12025550121' AND '+12025550129' ORDER BY 1;

-- Engagement.
SELECT lead_system.record_engagement(:'ada', 'yawn');
SELECT lead_score AS score FROM lead_system.leads WHERE id = :'ada' \gset
SELECT count(lead_system.record_engagement(:'ada', e)) FROM unnest('{email_open,email_open,link_click,pricing_page_visit,demo_video_watched,email_reply}'::text[]) e;
SELECT lead_score > :score AS scored_anew, score_breakdown->'engagement' AS engagement FROM lead_system.leads WHERE id = :'ada';
SELECT email_open_count, link_click_count, pricing_page_visits, demo_video_watched, email_reply_count, last_contact_at, last_activity_at FROM lead_system.leads WHERE id = :'ada';

-- After a job: a review is asked for, a contract offered (J4); not when it was not done after all.
SELECT lead_system.change_lead_status(:'ada', 'completed');
SELECT template_name, notification_type, status, scheduled_at FROM lead_system.notifications WHERE lead_id = :'ada' AND template_name IN ('review_request', 'amc_offer') ORDER BY scheduled_at;
SELECT lead_system.change_lead_status(:'ada', 'lost', 'was never there');
SELECT template_name, status, blocked_rule FROM lead_system.notifications WHERE lead_id = :'ada' AND template_name IN ('review_request', 'amc_offer') ORDER BY scheduled_at;
SELECT lead_system.set_config('communication.amc_offer_months', '0');
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, status, completed_at) VALUES
    (:'alpha', 'Ivy', '+12025550131', 'completed', '2026-03-09 15:00+00'), (:'alpha', 'Joe', '+12025550132', 'completed', '2025-03-09 15:00+00');
SELECT l.first_name, n.template_name, n.scheduled_at FROM lead_system.notifications n JOIN lead_system.leads l ON l.id = n.lead_id WHERE l.first_name IN ('Ivy', 'Joe');

RESET app.current_org_id;
RESET lead_system.now;
DELETE FROM lead_system.organizations WHERE id = :'alpha';
