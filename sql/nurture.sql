-- nurture: sequences, enrolments and the queue of steps (semantics F).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd5000000-0000-4000-8000-00000000000a'
\set seq   'd5000000-0000-4000-8000-0000000000c1'
\set one   'd5000000-0000-4000-8000-000000000101'
\set two   'd5000000-0000-4000-8000-000000000102'
INSERT INTO lead_system.organizations (id, name, timezone) VALUES (:'alpha', 'Alpha', 'America/Chicago');
SET app.current_org_id = :'alpha';
CREATE VIEW pg_temp.progress AS
SELECT l.first_name, e.status, e.current_step AS step, e.next_step_scheduled_at AS due, e.step_state AS state, e.retry_count AS retries, e.blocked_rule, coalesce(e.pause_reason, e.cancel_reason) AS reason
  FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id ORDER BY l.first_name, e.enrolled_at;
CREATE VIEW pg_temp.executed AS
SELECT l.first_name, x->>'step' AS step, x->>'status' AS status, x->>'channel' AS channel, (x->>'executed_at')::timestamptz AS executed_at, x->>'rule' AS rule
  FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id
 CROSS JOIN LATERAL jsonb_array_elements(e.executed_steps) WITH ORDINALITY u(x, n) ORDER BY l.first_name, e.enrolled_at, n;

-- What is no sequence.
CREATE FUNCTION pg_temp.refused(steps jsonb, conditions jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    INSERT INTO lead_system.nurture_sequences (organization_id, name, steps, trigger_conditions) VALUES (lead_system.current_org_id(), 'bad', steps, conditions);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT pg_temp.refused(t.steps::jsonb) FROM (VALUES (1, '{}'), (2, '[]'), (3, '"x"'), (4, '[1]'), (5, '[[]]'), (6, '[{}]'), (7, '[{"step": 0}]'), (8, '[{"step": 1}]'),
    (9, '[{"step": 1, "channel": "fax"}]'), (10, '[{"step": 1, "channel": "sms"}]'), (11, '[{"step": 1, "channel": "task", "delay_days": -1}]'),
    (12, '[{"step": 1, "channel": "task", "delay_hours": 1.5}]'), (13, '[{"step": 1, "channel": "task", "delay_from": "birth"}]'),
    (14, '[{"step": 1, "channel": "task", "delay_weeks": 1}]'), (15, '[{"step": 1, "channel": "task"}, {"step": 1, "channel": "task"}]'),
    (16, '[{"step": 2, "channel": "task"}]'), (17, '[{"step": 1, "channel": "task", "conditions": []}]'),
    (18, '[{"step": 1, "channel": "task", "conditions": {"shoe_size": 1}}]'), (19, '[{"step": 1, "channel": "task", "delay_days": 3650, "delay_minutes": 1}]')) t(n, steps) ORDER BY n;
SELECT pg_temp.refused('[{"step": 1, "channel": "task"}]', conditions::jsonb) FROM (VALUES (2, '{"filter": {}}'), (3, '{"lead_created": 1}'), (4, '{"status": []}'),
    (5, '{"tag": [1]}'), (6, '{"temperature": "mild"}'), (7, '{"score": 5}'), (8, '{"score": {"min": 90, "max": 10}}'), (9, '{"score": {"least": 1}}'), (10, '{"birthday": true}'),
    (11, '{"lead_created": true, "filter": {"status": {"near": 1}}}')) t(n, conditions) ORDER BY n;

-- Steps are kept in their order.
INSERT INTO lead_system.nurture_sequences (organization_id, id, name, steps) VALUES (:'alpha', :'seq', 'welcome', '[
    {"step": 3, "channel": "email", "template_id": "offer", "delay_days": 2, "conditions": {"source": "web"}},
    {"step": 1, "channel": "sms", "template_id": "hello"},
    {"step": 2, "channel": "wait", "delay_days": 1},
    {"step": 4, "channel": "task", "delay_hours": 1},
    {"step": 5, "channel": "call", "delay_from": "enrollment", "delay_days": 5}]');
SELECT x->>'step' AS step, x->>'channel' AS channel FROM lead_system.nurture_sequences, jsonb_array_elements(steps) x;
INSERT INTO lead_system.leads (organization_id, id, first_name, email, phone_number, timezone, source) VALUES
    (:'alpha', :'one', 'one', 'one@example.com', '+12025550101', 'America/Chicago', 'web'),
    (:'alpha', :'two', 'two', 'two@example.com', '+12025550102', 'America/Chicago', 'fair');

-- One live enrolment.
SELECT lead_system.enroll_lead(:'seq', :'one') AS e1 \gset
SELECT lead_system.enroll_lead(:'seq', :'one') = :'e1' AS same;
SELECT lead_system.enroll_lead(:'seq', :'two') AS e2 \gset
SELECT total_enrollments, active_enrollments, completed_enrollments, completion_rate FROM lead_system.nurture_sequences;
SELECT * FROM pg_temp.progress;
SELECT lead_system.enroll_lead(:'seq', :'seq');
SELECT lead_system.enroll_lead(:'one', :'one');

-- A step is handed out once, and reported once.
SELECT c.step, c.channel, c.template_id, c.payload - 'lead' - 'organization_id' - 'sequence_id' AS payload FROM lead_system.claim_due_steps(1) c;
SELECT step, channel, payload->>'phone_number' AS phone FROM lead_system.claim_due_steps();
SELECT * FROM lead_system.claim_due_steps();
SELECT lead_system.complete_step(:'e1', 2);
SELECT lead_system.complete_step(:'e1', 1);
SELECT lead_system.complete_step(:'e1', 1);
SELECT lead_system.confirm_step(:'e2', 1);
SELECT lead_system.retry_step(:'e2', 1);
SELECT lead_system.fail_step(:'e2', 1, 'carrier error');
SELECT lead_system.fail_step(:'e2', 1, 'carrier error');
SELECT lead_system.complete_step(:'e2', 1);
SELECT * FROM pg_temp.progress;
SELECT * FROM lead_system.claim_due_steps();
SET lead_system.now = '2026-03-02 15:01:00+00';
SELECT step, payload->>'attempt' AS attempt FROM lead_system.claim_due_steps();
SELECT lead_system.fail_step(:'e2', 1, 'carrier error');
SET lead_system.now = '2026-03-02 15:06:00+00';
SELECT step, payload->>'attempt' AS attempt FROM lead_system.claim_due_steps();
SELECT lead_system.fail_step(:'e2', 1, 'carrier error');
SELECT * FROM pg_temp.progress;
-- three text messages within a day are enough (D15)
SET lead_system.now = '2026-03-02 15:21:00+00';
SELECT step, payload->>'attempt' AS attempt FROM lead_system.claim_due_steps();
SELECT * FROM pg_temp.progress;
SET lead_system.now = '2026-03-03 15:00:00+00';
SELECT step, payload->>'attempt' AS attempt FROM lead_system.claim_due_steps();
SELECT lead_system.fail_step(:'e2', 1, 'carrier error');
SELECT * FROM pg_temp.progress;
SELECT status, last_error, ended_at FROM lead_system.lead_sequence_enrollments WHERE id = :'e2';

-- Waits go by themselves, on time; conditions decide when a step is due.
SELECT lead_system.enroll_lead(:'seq', :'two') AS e3 \gset
SET lead_system.now = '2026-03-03 15:01:00+00';
SELECT step FROM lead_system.claim_due_steps();
SELECT lead_system.complete_step(:'e3', 1);
SET lead_system.now = '2026-03-06 16:01:00+00';
SELECT payload->'lead'->>'first_name' AS lead, step, channel, template_id FROM lead_system.claim_due_steps();
SELECT * FROM pg_temp.progress;

-- A worker that does not report: nobody knows whether the e-mail was sent.
SET lead_system.now = '2026-03-06 16:06:00+00';
SELECT lead_system.complete_step(:'e1', 3);
SELECT lead_system.release_lapsed_steps();
SELECT lead_system.release_lapsed_steps();
SELECT * FROM lead_system.claim_due_steps();
SELECT lead_system.complete_step(:'e1', 3);
SELECT lead_system.confirm_step(:'e1', 3);
SELECT lead_system.confirm_step(:'e1', 3);
SELECT * FROM pg_temp.progress;
-- or the channel says that twice does no harm
SELECT lead_system.set_config('nurture.retry_lapsed', '["task", "wait"]');
SELECT lead_system.set_config('nurture.retry_lapsed', '["task"]');
SET lead_system.now = '2026-03-06 17:06:00+00';
SELECT step, channel FROM lead_system.claim_due_steps();
SET lead_system.now = '2026-03-06 17:11:00+00';
SELECT step, channel, payload->>'attempt' AS attempt FROM lead_system.claim_due_steps();
SELECT lead_system.complete_step(:'e1', 4);

-- Pause, resume, reply.
SELECT lead_system.pause_enrollment(:'e1', 'holiday');
SELECT lead_system.pause_enrollment(:'e1');
SELECT * FROM pg_temp.progress;
SET lead_system.now = '2026-03-08 18:00:00+00';
SELECT step, channel FROM lead_system.claim_due_steps();
SELECT lead_system.resume_enrollment(:'e1');
SELECT lead_system.resume_enrollment(:'e2');
SELECT step, channel FROM lead_system.claim_due_steps();
SELECT lead_system.record_reply(:'one', 'fax');
SELECT lead_system.record_reply(:'one', 'call');
SELECT lead_system.complete_step(:'e1', 5);
SELECT * FROM pg_temp.progress;
SELECT * FROM pg_temp.executed;
SELECT total_enrollments, active_enrollments, completed_enrollments, completion_rate FROM lead_system.nurture_sequences;

-- Every way of a reply.
SELECT lead_system.enroll_lead(:'seq', :'one') AS e4 \gset
UPDATE lead_system.leads SET email_reply_count = email_reply_count + 1 WHERE id = :'one';
SELECT status, pause_reason FROM lead_system.lead_sequence_enrollments WHERE id = :'e4';
SELECT lead_system.resume_enrollment(:'e4');
INSERT INTO lead_system.sms_logs (organization_id, lead_id, direction, from_phone, message_text, status) VALUES (:'alpha', :'one', 'inbound', '+12025550101', 'who is this?', 'received');
SELECT status, pause_reason FROM lead_system.lead_sequence_enrollments WHERE id = :'e4';
SELECT lead_system.resume_enrollment(:'e4');
SELECT lead_system.record_reply(:'one', 'sms');
SELECT status, pause_reason FROM lead_system.lead_sequence_enrollments WHERE id = :'e4';
SELECT sms_reply_count, email_reply_count FROM lead_system.leads WHERE id = :'one';
UPDATE lead_system.nurture_sequences SET auto_pause_on_reply = false;
SELECT lead_system.resume_enrollment(:'e4');
SELECT lead_system.record_reply(:'one', 'sms');
SELECT status, pause_reason FROM lead_system.lead_sequence_enrollments WHERE id = :'e4';

-- The list, a closed stage and deletion end all.
SELECT lead_system.pause_enrollment(:'e4');
SELECT lead_system.add_to_dnc_list('+12025550101', 'lead_requested', 'manual_entry') IS NOT NULL AS listed;
SELECT status, cancel_reason, ended_at FROM lead_system.lead_sequence_enrollments WHERE id = :'e4';
SELECT lead_system.enroll_lead(:'seq', :'one') IS NULL;
SELECT lead_system.resume_enrollment(:'e4');
SELECT lead_system.enroll_lead(:'seq', :'two') AS e5 \gset
UPDATE lead_system.leads SET status = 'Disqualified' WHERE id = :'two';
SELECT status, cancel_reason FROM lead_system.lead_sequence_enrollments WHERE id = :'e5';
SELECT lead_system.enroll_lead(:'seq', :'two');
SELECT lead_system.cancel_enrollment(:'e5');
SELECT lead_system.cancel_enrollment(:'e2');

-- Steps are edited while leads are in the middle: numbers are kept, a step that is gone is passed over.
INSERT INTO lead_system.leads (organization_id, first_name, email, phone_number, timezone) VALUES (:'alpha', 'three', 'three@example.com', '+12025550103', 'America/Chicago');
SELECT lead_system.enroll_lead(:'seq', id) AS e6 FROM lead_system.leads WHERE first_name = 'three' \gset
SELECT step FROM lead_system.claim_due_steps();
UPDATE lead_system.nurture_sequences SET steps = '[{"step": 4, "channel": "task"}, {"step": 7, "channel": "task", "delay_minutes": 10}]';
SELECT lead_system.complete_step(:'e6', 1);
SELECT step FROM lead_system.claim_due_steps();
UPDATE lead_system.nurture_sequences SET steps = '[{"step": 1, "channel": "task"}]';
SELECT lead_system.complete_step(:'e6', 4);
SELECT status, current_step FROM lead_system.lead_sequence_enrollments WHERE id = :'e6';

-- Caps of the day: the organization's, and to the beginning of its next one.
SELECT lead_system.set_config('nurture.daily_email_cap', '20');
UPDATE lead_system.nurture_sequences SET steps = '[{"step": 1, "channel": "email", "template_id": "news"}]', trigger_conditions = '{"lead_created": true, "filter": {"source": "list"}}';
SET lead_system.now = '2026-03-09 18:00:00+00';
INSERT INTO lead_system.leads (organization_id, first_name, email, source, timezone)
SELECT :'alpha', 'bulk ' || n, 'bulk' || n || '@example.com', CASE WHEN n > 2 THEN 'list' ELSE 'web' END, 'America/Chicago' FROM generate_series(1, 27) n;
SELECT count(*) FROM lead_system.claim_due_steps(7);
SELECT count(*) FROM lead_system.claim_due_steps();
SELECT status, step_state, blocked_rule, next_step_scheduled_at, count(*) FROM lead_system.lead_sequence_enrollments WHERE enrolled_at = lead_system.clock_now() GROUP BY 1, 2, 3, 4 ORDER BY 2, 3;
SELECT day, channel, sum(step_count) FROM lead_system.nurture_daily_counts GROUP BY 1, 2 ORDER BY 1, 2;
SET lead_system.now = '2026-03-10 14:00:00+00';
SELECT count(*) FROM lead_system.claim_due_steps();

-- Enrolment by events; once, unless it says again.
UPDATE lead_system.nurture_sequences SET is_active = false;
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps, trigger_conditions) VALUES
    (:'alpha', 'by status', '[{"step": 1, "channel": "task"}]', '{"status": ["Contacted"]}'),
    (:'alpha', 'by tag', '[{"step": 1, "channel": "task"}]', '{"tag": "webinar", "again": true}'),
    (:'alpha', 'by temperature', '[{"step": 1, "channel": "task"}]', '{"temperature": ["warm", "hot"]}'),
    (:'alpha', 'by score', '[{"step": 1, "channel": "task"}]', '{"score": {"min": 10, "max": 40}}');
INSERT INTO lead_system.leads (organization_id, first_name, email) VALUES (:'alpha', 'event', 'event@example.com');
CREATE FUNCTION pg_temp.enrolled() RETURNS TABLE (sequence text, n bigint) LANGUAGE sql AS $$
    SELECT s.name, count(*) FROM lead_system.lead_sequence_enrollments e JOIN lead_system.nurture_sequences s ON s.id = e.sequence_id
      JOIN lead_system.leads l ON l.id = e.lead_id WHERE l.first_name = 'event' GROUP BY 1 ORDER BY 1 $$;
SELECT * FROM pg_temp.enrolled();
UPDATE lead_system.leads SET tags = '{webinar,other}', status = 'Contacted' WHERE first_name = 'event';
SELECT * FROM pg_temp.enrolled();
UPDATE lead_system.leads SET company_size = '201-1000' WHERE first_name = 'event';
UPDATE lead_system.leads SET budget_timeline = 'Immediate' WHERE first_name = 'event';
SELECT * FROM pg_temp.enrolled();
SELECT lead_system.cancel_enrollment(id) FROM lead_system.lead_sequence_enrollments WHERE status = 'active' AND sequence_id IN (SELECT id FROM lead_system.nurture_sequences WHERE name LIKE 'by %');
UPDATE lead_system.leads SET tags = '{}', company_size = NULL, budget_timeline = NULL WHERE first_name = 'event';
UPDATE lead_system.leads SET tags = '{webinar}', company_size = '201-1000', budget_timeline = 'Immediate' WHERE first_name = 'event';
SELECT * FROM pg_temp.enrolled();

-- Numbers are found by indexes, also where a table was small when it was analyzed.
ANALYZE lead_system.contact_attempts;
BEGIN;
SELECT count(lead_system.can_contact(id, 'sms')) > 0 AS judged FROM lead_system.leads;
SELECT seq_scan FROM pg_stat_xact_user_tables WHERE schemaname = 'lead_system' AND relname = 'contact_attempts';
COMMIT;

-- Two sequences that are active have different names.
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES (:'alpha', 'twin', '[{"step": 1, "channel": "task"}]');
\set VERBOSITY terse
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES (:'alpha', 'twin', '[{"step": 1, "channel": "task"}]');
\echo :SQLSTATE
UPDATE lead_system.nurture_sequences SET is_active = false WHERE name = 'twin';
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES (:'alpha', 'twin', '[{"step": 1, "channel": "task"}]');
UPDATE lead_system.nurture_sequences SET is_active = true WHERE name = 'twin';
\set VERBOSITY default
DELETE FROM lead_system.nurture_sequences WHERE name = 'twin';

-- The counts are what a recount says; a lead that goes takes its enrolments along.
DELETE FROM lead_system.leads WHERE first_name IN ('three', 'bulk 5', 'bulk 6');
SELECT count(*) FROM lead_system.nurture_sequences s WHERE (total_enrollments, active_enrollments, completed_enrollments) <>
    (SELECT count(*), count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'completed') FROM lead_system.lead_sequence_enrollments e WHERE e.sequence_id = s.id);
SELECT * FROM lead_system.claim_due_steps(0);
SELECT * FROM lead_system.claim_due_steps(1, '-1 second');
SELECT lead_system.release_lapsed_steps(0);

RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id = :'alpha';
