-- nurture: sequences, enrolments, and the queue of steps.

CREATE FUNCTION lead_system.enroll_lead(sequence_id uuid, lead_id uuid) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_enroll';
COMMENT ON FUNCTION lead_system.enroll_lead(uuid, uuid) IS
    'Enrols a lead in a sequence; returns the enrolment. A lead that is in the sequence already keeps its enrolment, which is returned. Raises 55000 for a sequence that is not active and for a lead that is deleted, spam, or in a stage that is closed (won, lost, blocked, archived), LS001 for a lead that must not be called.';
REVOKE ALL ON FUNCTION lead_system.enroll_lead(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.pause_enrollment(enrollment_id uuid, reason text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_pause';
COMMENT ON FUNCTION lead_system.pause_enrollment(uuid, text) IS
    'Pauses an enrolment; nothing happens when it is paused. A step that a worker has at that moment can still be reported. Raises 55000 for one that has ended.';
REVOKE ALL ON FUNCTION lead_system.pause_enrollment(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.resume_enrollment(enrollment_id uuid, reason text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_resume';
COMMENT ON FUNCTION lead_system.resume_enrollment(uuid, text) IS
    'Goes on with a paused enrolment; nothing happens when it is active. The next step is due after its delay from now (semantics F5). Raises 55000 for one that has ended or a lead that is closed, LS001 for a lead that must not be called.';
REVOKE ALL ON FUNCTION lead_system.resume_enrollment(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.cancel_enrollment(enrollment_id uuid, reason text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_cancel';
COMMENT ON FUNCTION lead_system.cancel_enrollment(uuid, text) IS
    'Ends an enrolment; nothing happens when it is cancelled. Raises 55000 for one that is completed or failed.';
REVOKE ALL ON FUNCTION lead_system.cancel_enrollment(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.claim_due_steps(batch integer DEFAULT 100, lease interval DEFAULT '5 minutes') RETURNS TABLE (enrollment_id uuid, lead_id uuid, step integer, channel text, template_id text, payload jsonb)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 100 AS 'MODULE_PATHNAME', 'ls_nurture_claim';
COMMENT ON FUNCTION lead_system.claim_due_steps(integer, interval) IS
    'Hands out up to batch steps that are due, the earliest first, never one twice. Every step passes the gate of contacts at that moment: leads that must not be contacted are cancelled, what may not be now is postponed to the instant at which it may (semantics F4, F8). A step must be reported by complete_step() or fail_step() before the lease ends; after that it is uncertain. Rows that another session holds are left for the next call. Works in the session''s organization, or in all for a role above row level security that has none set.';
REVOKE ALL ON FUNCTION lead_system.claim_due_steps(integer, interval) FROM PUBLIC;

CREATE FUNCTION lead_system.complete_step(enrollment_id uuid, step integer) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_complete';
COMMENT ON FUNCTION lead_system.complete_step(uuid, integer) IS
    'Reports that a claimed step was carried out: the next one is due after its delay, or the enrolment is completed. Repeating it for a step that was completed changes nothing. Raises 55000 for a step that is not claimed, and when the lease has lapsed: then confirm_step() or retry_step() decides.';
REVOKE ALL ON FUNCTION lead_system.complete_step(uuid, integer) FROM PUBLIC;

CREATE FUNCTION lead_system.fail_step(enrollment_id uuid, step integer, error text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_fail';
COMMENT ON FUNCTION lead_system.fail_step(uuid, integer, text) IS
    'Reports that a claimed step was not carried out. It is tried again after 1, 5 and 15 minutes (nurture.max_retries); after the last one the enrolment has failed. Raises 55000 for a step that is not claimed, and when the lease has lapsed.';
REVOKE ALL ON FUNCTION lead_system.fail_step(uuid, integer, text) FROM PUBLIC;

CREATE FUNCTION lead_system.confirm_step(enrollment_id uuid, step integer) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_confirm';
COMMENT ON FUNCTION lead_system.confirm_step(uuid, integer) IS
    'Decides that a step whose lease has lapsed was carried out; goes on as complete_step() does. Raises 55000 for any other step.';
REVOKE ALL ON FUNCTION lead_system.confirm_step(uuid, integer) FROM PUBLIC;

CREATE FUNCTION lead_system.retry_step(enrollment_id uuid, step integer) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_retry';
COMMENT ON FUNCTION lead_system.retry_step(uuid, integer) IS
    'Decides that a step whose lease has lapsed was not carried out: it is due now. Raises 55000 for any other step.';
REVOKE ALL ON FUNCTION lead_system.retry_step(uuid, integer) FROM PUBLIC;

CREATE FUNCTION lead_system.release_lapsed_steps(batch integer DEFAULT 1000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_release';
COMMENT ON FUNCTION lead_system.release_lapsed_steps(integer) IS
    'Marks up to batch claimed steps whose lease has lapsed as uncertain, or puts them back where nurture.retry_lapsed names their channel; returns how many. claim_due_steps() does the same first. Rows that another session holds are left for the next run. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.release_lapsed_steps(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.record_reply(lead_id uuid, channel text) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_reply';
COMMENT ON FUNCTION lead_system.record_reply(uuid, text) IS
    'Takes note of a reply of a lead: sms, email or call. Counts it in the lead (sms_reply_count, email_reply_count), which pauses its active enrolments in sequences with auto_pause_on_reply, with reason reply; returns how many were paused.';
REVOKE ALL ON FUNCTION lead_system.record_reply(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.nurture_sequences_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_sequences_check';
COMMENT ON FUNCTION lead_system.nurture_sequences_check() IS
    'Trigger of nurture_sequences: refuses steps and trigger_conditions that cannot be carried out; sorts the steps.';
REVOKE ALL ON FUNCTION lead_system.nurture_sequences_check() FROM PUBLIC;

CREATE FUNCTION lead_system.lead_sequence_enrollments_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_enrollments_changed';
COMMENT ON FUNCTION lead_system.lead_sequence_enrollments_changed() IS
    'Trigger of lead_sequence_enrollments: keeps the counts of nurture_sequences.';
REVOKE ALL ON FUNCTION lead_system.lead_sequence_enrollments_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.sms_logs_pause_nurture() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_nurture_sms_received';
COMMENT ON FUNCTION lead_system.sms_logs_pause_nurture() IS
    'Trigger of sms_logs: a message from a lead pauses its enrolments.';
REVOKE ALL ON FUNCTION lead_system.sms_logs_pause_nurture() FROM PUBLIC;
