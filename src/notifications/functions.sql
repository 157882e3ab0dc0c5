-- notifications: the queue, and how notifications are worded.

CREATE FUNCTION lead_system.enqueue_notification(notification jsonb)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_notifications_enqueue';
COMMENT ON FUNCTION lead_system.enqueue_notification(jsonb) IS
    'Queues a notification to a user, or to a lead when no user_id is given. Keys: notification_type (email, slack, sms, call), lead_id, user_id, template_name or subject and body, payload, recipient, scheduled_at, dedupe_key. Returns its id, or that of the one with the same dedupe_key. Raises 22023 for an unknown key.';
REVOKE ALL ON FUNCTION lead_system.enqueue_notification(jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.claim_notifications(batch integer DEFAULT 100, lease interval DEFAULT '5 minutes')
    RETURNS TABLE (organization_id uuid, id uuid, lead_id uuid, user_id uuid, notification_type text, recipient text,
                   subject text, body text, template_name text, payload jsonb, retry_count integer)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 100 AS 'MODULE_PATHNAME', 'ls_notifications_claim';
COMMENT ON FUNCTION lead_system.claim_notifications(integer, interval) IS
    'Hands out notifications that are due, each to one caller until its lease ends. Those to leads pass the rules of contact first: what may not be sent is dropped, or waits for the time at which it may. A notification whose lease has lapsed is handed out again. In all organizations for a role above row level security that has none set.';
REVOKE ALL ON FUNCTION lead_system.claim_notifications(integer, interval) FROM PUBLIC;

CREATE FUNCTION lead_system.complete_notification(id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_notifications_complete';
COMMENT ON FUNCTION lead_system.complete_notification(uuid) IS
    'A claimed notification has been sent. Telling it twice is no error; LS050 when the notification is not being sent.';
REVOKE ALL ON FUNCTION lead_system.complete_notification(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.fail_notification(id uuid, error text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_notifications_fail';
COMMENT ON FUNCTION lead_system.fail_notification(uuid, text) IS
    'A claimed notification could not be sent: it is tried again after the minutes of the setting notifications.retry_minutes, and failed when they are used up. LS050 when it is not being sent.';
REVOKE ALL ON FUNCTION lead_system.fail_notification(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.render_template(template_name text, lead_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL, payload jsonb DEFAULT '{}')
    RETURNS TABLE (subject text, body text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'ls_notifications_render';
COMMENT ON FUNCTION lead_system.render_template(text, uuid, uuid, jsonb) IS
    'Subject and body of a template, the organization''s own or a built-in one, with the values of a lead, a user and a payload in place of the placeholders.';
REVOKE ALL ON FUNCTION lead_system.render_template(text, uuid, uuid, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.notification_templates_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_notifications_template_check';
COMMENT ON FUNCTION lead_system.notification_templates_check() IS
    'Trigger of notification_templates: subject and body have only placeholders that there are.';
REVOKE ALL ON FUNCTION lead_system.notification_templates_check() FROM PUBLIC;

CREATE FUNCTION lead_system.notifications_tell() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_notifications_tell';
COMMENT ON FUNCTION lead_system.notifications_tell() IS
    'Trigger of notifications: NOTIFY lead_system_notifications with the id of the organization, once per transaction.';
REVOKE ALL ON FUNCTION lead_system.notifications_tell() FROM PUBLIC;
