-- notifications: the queue, alerts, templates (semantics A18, D5).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'e0000000-0000-4000-8000-00000000000a'
\set bravo 'e0000000-0000-4000-8000-00000000000b'
\set rita  'e0000000-0000-4000-8000-0000000000a1'
\set max   'e0000000-0000-4000-8000-0000000000a2'
\set otto  'e0000000-0000-4000-8000-0000000000a3'
\set ada   'e0000000-0000-4000-8000-000000000001'
\set bob   'e0000000-0000-4000-8000-000000000002'
\set west  'e0000000-0000-4000-8000-000000000003'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, phone_number, slack_user_id, notify_sms) VALUES
    (:'alpha', :'rita', 'Rita', 'rita@example.com', 'rep', '+12025550190', 'U0RITA', true),
    (:'alpha', :'max', 'Max', 'max@example.com', 'manager', NULL, NULL, true),
    (:'alpha', :'otto', 'Otto', 'otto@example.com', 'rep', NULL, NULL, false);
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.leads (organization_id, id, first_name, last_name, email, phone_number) VALUES
    (:'alpha', :'ada', 'Ada', '{{user.email}}', 'ada@example.com', '+12025550101'),
    (:'alpha', :'bob', 'Bob', 'Example', 'bob@example.org', '+12025550102'),
    (:'alpha', :'west', 'West', 'Example', 'west@example.net', '+12135550103');
CREATE TEMP VIEW queue AS
SELECT coalesce(u.full_name, l.first_name) AS "to", n.notification_type AS type, n.template_name AS template, n.recipient, n.status,
       n.scheduled_at, n.retry_count AS retries, n.lease_until, n.sent_at, n.error_message AS error, n.blocked_rule AS rule, n.subject, n.body
  FROM lead_system.notifications n LEFT JOIN lead_system.users u ON u.id = n.user_id LEFT JOIN lead_system.leads l ON l.id = n.lead_id
 ORDER BY n.created_at, n.id;

--
-- What is refused
--
SELECT lead_system.enqueue_notification(n) FROM (VALUES ('[]'::jsonb)) v(n);
SELECT lead_system.enqueue_notification('{"to": "x"}');
SELECT lead_system.enqueue_notification('{}');
SELECT lead_system.enqueue_notification('{"notification_type": "fax"}');
SELECT lead_system.enqueue_notification('{"notification_type": "email", "body": "x", "recipient": "x@example.com"}');
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'slack', 'lead_id', :'ada', 'body', 'x'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'lead_id', :'ada'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'lead_id', :'ada', 'body', 'x', 'template_name', 'welcome'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'lead_id', :'ada', 'body', ' '));
SELECT lead_system.enqueue_notification('{"notification_type": "email", "lead_id": "ada", "body": "x"}');
SELECT lead_system.enqueue_notification('{"notification_type": "email", "lead_id": 7, "body": "x"}');
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'lead_id', :'rita', 'body', 'x'));
\echo :SQLSTATE
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'ada', 'body', 'x'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'lead_id', :'rita', 'body', 'x'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'slack', 'user_id', :'max', 'body', 'x'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'sms', 'lead_id', :'ada', 'body', 'x', 'recipient', '+12025550102'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'body', 'x', 'recipient', 'nowhere'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'sms', 'user_id', :'rita', 'body', 'x', 'recipient', '12'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'template_name', 'nothing'));
\echo :SQLSTATE
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'body', 'x', 'payload', '[]'::jsonb));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'body', 'x', 'scheduled_at', 'infinity'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'body', 'x', 'dedupe_key', ''));
SET app.current_org_id = '';
SELECT lead_system.enqueue_notification('{}');
\echo :SQLSTATE
SET app.current_org_id = :'alpha';
SELECT count(*) FROM queue;

--
-- Queue, claim, complete
--
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'lead_id', :'bob', 'template_name', 'welcome')) AS mail \gset
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'sms', 'lead_id', :'ada', 'body', 'Hello', 'recipient', '(202) 555-0101')) AS sms \gset
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'slack', 'user_id', :'rita', 'lead_id', :'ada', 'subject', 'S', 'body', 'B', 'dedupe_key', 'once')) AS slack \gset
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'max', 'body', 'other', 'dedupe_key', 'once')) = :'slack' AS same;
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'max', 'body', 'later', 'scheduled_at', '2026-03-02 16:00:00+00')) AS later \gset
SELECT * FROM queue;
SELECT lead_system.claim_notifications(0);
SELECT lead_system.claim_notifications(1001);
SELECT lead_system.claim_notifications(1, '0');
\set VERBOSITY sqlstate
SELECT lead_system.complete_notification(:'mail');
\set VERBOSITY default
SELECT notification_type, recipient, subject, body, template_name, payload, retry_count FROM lead_system.claim_notifications();
SELECT count(*) AS nothing_left FROM lead_system.claim_notifications();
-- what is handed out to a lead is an attempt, and the message that follows is that one
SELECT channel, phone_number, email, allowed, detail FROM lead_system.contact_attempts WHERE organization_id = :'alpha' ORDER BY channel;
INSERT INTO lead_system.sms_logs (organization_id, lead_id, direction, to_phone, message_text) VALUES (:'alpha', :'ada', 'outbound', '+12025550101', 'Hello');
SELECT count(*) FROM lead_system.contact_attempts WHERE organization_id = :'alpha' AND channel = 'sms';
SET lead_system.now = '2026-03-02 15:01:00+00';
SELECT lead_system.complete_notification(:'mail'), lead_system.complete_notification(:'sms');
SELECT lead_system.complete_notification(:'mail');
\set VERBOSITY sqlstate
SELECT lead_system.fail_notification(:'mail', 'no');
SELECT lead_system.complete_notification(:'later');
\set VERBOSITY default
SELECT lead_system.complete_notification(:'ada');
\echo :SQLSTATE

--
-- Retries after 1, 5 and 15 minutes
--
SELECT lead_system.fail_notification(:'slack', 'first');
SELECT scheduled_at, retries, status, error FROM queue WHERE type = 'slack';
SELECT count(*) FROM lead_system.claim_notifications();
SET lead_system.now = '2026-03-02 15:02:00+00';
SELECT recipient, retry_count FROM lead_system.claim_notifications();
SELECT lead_system.fail_notification(:'slack', 'second');
SET lead_system.now = '2026-03-02 15:07:00+00';
SELECT recipient, retry_count FROM lead_system.claim_notifications();
SELECT lead_system.fail_notification(:'slack', 'third');
SELECT scheduled_at, retries, status, error FROM queue WHERE type = 'slack';
SET lead_system.now = '2026-03-02 15:22:00+00';
SELECT recipient, retry_count FROM lead_system.claim_notifications();
SELECT lead_system.fail_notification(:'slack', 'fourth');
\set VERBOSITY sqlstate
SELECT lead_system.fail_notification(:'slack', 'fifth');
\set VERBOSITY default
SELECT scheduled_at, retries, status, error FROM queue WHERE type = 'slack';
-- other retries; a lease that lapses counts as one
SELECT lead_system.set_config('notifications.retry_minutes', '[0]');
SELECT lead_system.set_config('notifications.retry_minutes', '["x"]');
SELECT lead_system.set_config('notifications.retry_minutes', '[30]');
SET lead_system.now = '2026-03-02 16:00:00+00';
SELECT recipient, retry_count FROM lead_system.claim_notifications(lease => '1 minute');
SET lead_system.now = '2026-03-02 16:00:59+00';
SELECT count(*) FROM lead_system.claim_notifications();
SET lead_system.now = '2026-03-02 16:01:00+00';
SELECT recipient, retry_count FROM lead_system.claim_notifications(lease => '1 minute');
-- who was late is believed, as long as no claim has come since
SET lead_system.now = '2026-03-02 16:03:00+00';
BEGIN;
SELECT lead_system.complete_notification(:'later');
SELECT status, sent_at, error FROM queue WHERE body = 'later';
ROLLBACK;
SELECT count(*) FROM lead_system.claim_notifications();
SELECT status, retries, error FROM queue WHERE body = 'later';
SELECT lead_system.set_config('notifications.retry_minutes', NULL);
DELETE FROM lead_system.notifications;

--
-- The rules of contact
--
SET lead_system.now = '2026-03-02 15:00:00+00';
-- eight in Los Angeles is at 16:00; calls need an hour between them, and this is the second message
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', t, 'lead_id', l, 'body', t)) IS NOT NULL AS queued
  FROM (VALUES ('sms', :'west'), ('call', :'bob'), ('call', :'bob'), ('email', :'bob')) v(t, l);
SELECT notification_type, recipient FROM lead_system.claim_notifications();
SELECT "to", type, status, scheduled_at, rule FROM queue;
-- one per lead and claim; then the gap counts, and the next one is taken
SELECT notification_type, recipient FROM lead_system.claim_notifications();
SELECT "to", type, status, scheduled_at, rule FROM queue;
SELECT notification_type, recipient FROM lead_system.claim_notifications();
SELECT "to", type, status, scheduled_at, rule FROM queue WHERE status = 'pending';
SELECT channel, allowed, rule, unblocks_at FROM lead_system.contact_attempts WHERE organization_id = :'alpha' AND NOT allowed ORDER BY id;
SET lead_system.now = '2026-03-02 16:00:00+00';
SELECT notification_type, recipient FROM lead_system.claim_notifications() ORDER BY 1;
-- a number that the list has got takes what waits for the lead along, not what is for users
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', t, 'lead_id', :'ada', 'user_id', u, 'body', 'list')) IS NOT NULL AS queued
  FROM (VALUES ('sms', NULL), ('email', NULL), ('email', :'rita')) v(t, u);
SELECT lead_system.add_to_dnc_list('+12025550101', 'lead_requested', 'sms_reply') IS NOT NULL AS added;
SELECT "to", type, status, rule FROM queue WHERE body = 'list';
SELECT notification_type, recipient FROM lead_system.claim_notifications();
-- what comes afterwards is dropped by the claim; so is what a revoked consent, a deletion or a user who left forbids
SELECT lead_system.revoke_consent(:'bob', 'sms') IS NOT NULL AS revoked;
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', t, 'lead_id', l, 'user_id', u, 'body', 'blocked')) IS NOT NULL AS queued
  FROM (VALUES ('sms', :'ada', NULL), ('sms', :'bob', NULL), ('email', :'west', NULL), ('email', NULL, :'otto')) v(t, l, u);
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = :'west';
UPDATE lead_system.users SET is_active = false WHERE id = :'otto';
SELECT count(*) FROM lead_system.claim_notifications();
SELECT "to", type, status, rule FROM queue WHERE body = 'blocked';
DELETE FROM lead_system.notifications;

--
-- Hot leads
--
SET lead_system.now = '2026-03-03 15:00:00+00';
SELECT lead_system.upsert_lead('{"email": "hot@corp.example", "first_name": "Hot", "company_size": "201-1000", "industry": "Software/SaaS",
    "inquiry_type": "Demo Request", "budget_timeline": "Immediate"}') AS hot \gset
SELECT temperature FROM lead_system.leads WHERE id = :'hot';
-- nobody has it: the managers, by the channels that they can be reached by
SELECT "to", type, template, recipient, status FROM queue;
-- it is assigned; once
UPDATE lead_system.leads SET assigned_to = :'rita' WHERE id = :'hot';
UPDATE lead_system.leads SET assigned_to = NULL WHERE id = :'hot';
UPDATE lead_system.leads SET assigned_to = :'rita', notes = 'again' WHERE id = :'hot';
SELECT "to", type, template, recipient, status FROM queue;
SELECT recipient, subject, body FROM lead_system.claim_notifications(1) ORDER BY 1;
-- not hot any more, and hot again
UPDATE lead_system.leads SET company_size = '1-10', inquiry_type = 'Content Download' WHERE id = :'hot';
UPDATE lead_system.leads SET company_size = '201-1000', inquiry_type = 'Demo Request' WHERE id = :'hot';
SELECT "to", type, count(*) FROM queue GROUP BY 1, 2 ORDER BY 1, 2;
DELETE FROM lead_system.notifications;
-- one who left: the managers; unless only who is assigned is told, or nobody
UPDATE lead_system.leads SET assigned_to = :'otto' WHERE id = :'hot';
SELECT "to", type FROM queue;
DELETE FROM lead_system.notifications;
SELECT lead_system.set_config('notifications.hot_lead_alerts', '"assigned"');
UPDATE lead_system.leads SET assigned_to = NULL, company_size = '1-10', inquiry_type = 'Content Download' WHERE id = :'hot';
UPDATE lead_system.leads SET company_size = '201-1000', inquiry_type = 'Demo Request' WHERE id = :'hot';
SELECT count(*) FROM queue;
SELECT lead_system.set_config('notifications.hot_lead_alerts', '"off"');
UPDATE lead_system.leads SET assigned_to = :'rita' WHERE id = :'hot';
SELECT count(*) FROM queue;
SELECT lead_system.set_config('notifications.hot_lead_alerts', '"x"');
SELECT lead_system.set_config('notifications.hot_lead_alerts', NULL);
-- many at once; spam is nobody's business
INSERT INTO lead_system.leads (organization_id, first_name, email, company_size, industry, inquiry_type, budget_timeline, assigned_to, is_spam)
SELECT :'alpha', 'many', 'many' || n || '@corp.example', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', CASE WHEN n % 2 = 0 THEN :'rita'::uuid END, n % 10 = 0
  FROM generate_series(1, 100) n;
SELECT u.full_name, n.notification_type, count(*) FROM lead_system.notifications n JOIN lead_system.users u ON u.id = n.user_id GROUP BY 1, 2 ORDER BY 1, 2;
DELETE FROM lead_system.notifications;

--
-- Templates
--
SELECT name, channel, subject FROM lead_system.notification_templates WHERE organization_id IS NULL ORDER BY name;
INSERT INTO lead_system.notification_templates (organization_id, name, subject, body) VALUES
    (:'alpha', 'offer', '{{ lead.first_name }} {{lead.last_name}}', E'{{organization.name}}: {{user.full_name}}, {{payload.price}} {{payload.what}}{{payload.none}} {{lead.phone_number}} {} }} {{lead.do_not_call}}');
SELECT * FROM lead_system.render_template('offer', :'ada', :'rita', '{"price": 12.50, "what": {"a": [1, null]}}');
SELECT * FROM lead_system.render_template('offer');
SELECT * FROM lead_system.render_template('nothing');
SELECT * FROM lead_system.render_template('offer', :'rita');
SELECT * FROM lead_system.render_template('offer', NULL, :'ada');
SELECT * FROM lead_system.render_template('offer', payload => '3');
SELECT * FROM lead_system.render_template(NULL);
-- placeholders that there are not
\set VERBOSITY terse
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'bad', '{{lead.password}}');
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'bad', '{{user.password_hash}}');
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'bad', '{{organization.owner_name}}');
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'bad', '{{payload.}}');
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'bad', '{{}}');
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'bad', 'a {{lead.email');
INSERT INTO lead_system.notification_templates (organization_id, name, subject, body) VALUES (:'alpha', 'bad', '{{name}}', 'x');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'Bad Name', 'x');
\set VERBOSITY default
INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (:'alpha', 'offer', 'x');
-- an own one takes the place of the built-in one; a template for one channel; one that has gone
INSERT INTO lead_system.notification_templates (organization_id, name, channel, body) VALUES (:'alpha', 'welcome', 'sms', 'Hi {{lead.first_name}}');
SELECT * FROM lead_system.render_template('welcome', :'ada');
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'template_name', 'welcome'));
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'template_name', 'offer')) IS NOT NULL AS queued;
DELETE FROM lead_system.notification_templates WHERE name = 'offer';
DELETE FROM lead_system.notifications WHERE body IS NOT NULL;
SELECT count(*) FROM lead_system.claim_notifications();
SELECT status, error FROM queue;
DELETE FROM lead_system.notifications;

--
-- Several organizations: one that has none set and is above the policies works in all
--
SET app.current_org_id = :'bravo';
INSERT INTO lead_system.users (organization_id, id, full_name, email) VALUES (:'bravo', :'rita', 'Bea', 'bea@example.com');
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'body', 'bravo')) IS NOT NULL AS queued;
SELECT lead_system.render_template('welcome', :'ada');
SET app.current_org_id = :'alpha';
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', :'rita', 'body', 'alpha')) IS NOT NULL AS queued;
SET app.current_org_id = '';
SELECT o.name, c.recipient, c.body FROM lead_system.claim_notifications() c JOIN lead_system.organizations o ON o.id = c.organization_id ORDER BY 1;
SELECT count(lead_system.complete_notification(id)) FROM lead_system.notifications WHERE status = 'sending';
SELECT body, status FROM lead_system.notifications ORDER BY 1;

--
-- A window that ends: its holder is told, once, in the organization's time
--
\set market 'e0000000-0000-4000-8000-00000000000c'
\set cleo 'e0000000-0000-4000-8000-0000000000c1'
\set roof 'e0000000-0000-4000-8000-0000000000c2'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'market', 'Market', 'marketplace');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor) VALUES (:'market', :'cleo', 'Cleo', 'cleo@example.com', 'contractor', true);
SET app.current_org_id = :'market';
INSERT INTO lead_system.leads (organization_id, id, first_name, is_qualified) VALUES (:'market', :'roof', 'Roof', true);
SELECT lead_system.open_bidding(:'roof', 72) \g /dev/null
SELECT lead_system.place_bid(:'roof', :'cleo', 1.5) \g /dev/null
SELECT lead_system.close_bidding(:'roof');
SET lead_system.now = '2026-03-03 16:29:59+00';
SELECT lead_system.warn_response_windows();
SET lead_system.now = '2026-03-03 16:30:00+00';
SELECT lead_system.warn_response_windows();
SELECT lead_system.warn_response_windows();
SELECT notification_type, recipient, subject, body FROM lead_system.claim_notifications();
SET app.current_org_id = '';
DELETE FROM lead_system.organizations WHERE id = :'market';
SET lead_system.now = '2026-03-03 15:00:00+00';

--
-- A lead that is erased, one that is deleted, an organization that goes
--
SET app.current_org_id = :'alpha';
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', u, 'lead_id', :'bob', 'body', 'Bob Example', 'payload', '{"name": "Bob"}'::jsonb, 'dedupe_key', 'bob' || u)) IS NOT NULL AS queued
  FROM (VALUES (NULL), (:'rita')) v(u);
SELECT lead_system.erase_lead(:'bob', 'asked for it') IS NOT NULL AS erased;
SELECT status, recipient, subject, body, payload, dedupe_key FROM lead_system.notifications WHERE lead_id = :'bob' ORDER BY id;
SELECT recipient, body FROM lead_system.claim_notifications();
SELECT status, blocked_rule FROM lead_system.notifications WHERE lead_id = :'bob' ORDER BY id;
DELETE FROM lead_system.leads WHERE id = :'bob';
SELECT count(*) FROM lead_system.notifications WHERE lead_id = :'bob';
SET app.current_org_id = '';
DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'bravo');
SELECT count(*) FROM lead_system.notifications;
