-- communication: calls and text messages.

CREATE FUNCTION lead_system.record_call(call jsonb) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_communication_record_call';
COMMENT ON FUNCTION lead_system.record_call(jsonb) IS
    'Records a call that was made or received, and what it means: counters and score of the lead, the row of a campaign''s queue (campaign_lead_id), the follow-up of a missed call, a request in the transcript not to be called again. Returns the id of the row; a call that is reported again, by provider_call_id, returns the first one''s and adds what came late. Unknown keys are refused (22023), and an outbound call to whom must not be called (LS001, LS004).';
REVOKE ALL ON FUNCTION lead_system.record_call(jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.record_sms(sms jsonb) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_communication_record_sms';
COMMENT ON FUNCTION lead_system.record_sms(jsonb) IS
    'Records a text message that was sent or received, and what it means: STOP and what is like it stop all that is pending for the number in the same transaction, START takes that back for text messages, HELP, YES, BOOK and CALL are answered or passed on, any message pauses the lead''s sequences. Returns the id of the row; a message that is reported again, by provider_message_id, returns the first one''s, and moves the status of an outbound one on. Unknown keys are refused (22023), and an outbound message to whom must not be texted (LS001, LS004).';
REVOKE ALL ON FUNCTION lead_system.record_sms(jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.record_engagement(lead_id uuid, event text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_communication_record_engagement';
COMMENT ON FUNCTION lead_system.record_engagement(uuid, text) IS
    'Counts in a lead that it opened an e-mail or replied to one, followed a link, visited the page of prices or watched the video: email_open, email_reply, link_click, pricing_page_visit, demo_video_watched. The lead is scored anew.';
REVOKE ALL ON FUNCTION lead_system.record_engagement(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.sweep_missed_calls(batch integer DEFAULT 1000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_communication_sweep_missed_calls';
COMMENT ON FUNCTION lead_system.sweep_missed_calls(integer) IS
    'Gives up callers who were not answered and did not reply within communication.cold_hours: their leads get the tag cold, and the status cold where their pipeline has a step to it. Returns how many calls were settled. Rows that another session holds are left for the next run. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.sweep_missed_calls(integer) FROM PUBLIC;
