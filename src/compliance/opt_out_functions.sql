-- compliance: opt-outs in messages.

CREATE FUNCTION lead_system.detect_opt_out(message text, channel text DEFAULT 'sms')
    RETURNS TABLE (opt_out boolean, kind text, phrase text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 COST 50 AS 'MODULE_PATHNAME', 'ls_compliance_detect_opt_out';
COMMENT ON FUNCTION lead_system.detect_opt_out(text, text) IS
    'What a message, text or transcript says: keyword or hard are opt-outs, soft is for somebody to read, resubscribe and help are answers to carriers'' words, NULL is anything else. Always one row; phrase is what was found in the message. Channels are sms, call and email.';
REVOKE ALL ON FUNCTION lead_system.detect_opt_out(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.opt_out_phrases_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_phrases_check';
COMMENT ON FUNCTION lead_system.opt_out_phrases_check() IS
    'Trigger of opt_out_phrases: a phrase must be one, and only an administrator makes fewer messages opt-outs.';
REVOKE ALL ON FUNCTION lead_system.opt_out_phrases_check() FROM PUBLIC;
