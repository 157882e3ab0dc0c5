-- compliance: guards of what was contacted, and the log of attempts.

CREATE FUNCTION lead_system.contact_guard() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_contact_guard';
COMMENT ON FUNCTION lead_system.contact_guard() IS
    'Trigger of call_logs and sms_logs: refuses an outbound row to a number that was on the do-not-call list when the contact was made, to a lead that is marked, to a number that the campaign must not contact (LS001), or after its consent was revoked (LS004).';
REVOKE ALL ON FUNCTION lead_system.contact_guard() FROM PUBLIC;

CREATE FUNCTION lead_system.contact_attempted() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_contact_attempted';
COMMENT ON FUNCTION lead_system.contact_attempted() IS
    'Trigger of call_logs and sms_logs: writes the attempt that an outbound row is, unless authorize_contact() has written it.';
REVOKE ALL ON FUNCTION lead_system.contact_attempted() FROM PUBLIC;

CREATE FUNCTION lead_system.authorize_contact(lead_id uuid, channel text DEFAULT 'call', campaign_id uuid DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_authorize_contact';
COMMENT ON FUNCTION lead_system.authorize_contact(uuid, text, uuid) IS
    'May this lead be contacted at this moment? For programs that dial or send by themselves: judges as can_contact() does and writes the answer to contact_attempts, so that an authorized contact counts for the caps from now on. The call or message that is recorded within ten minutes is that attempt. Raises P0002 for a lead or campaign that is not the organization''s, 22023 for an unknown channel.';
REVOKE ALL ON FUNCTION lead_system.authorize_contact(uuid, text, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.compliance_report(from_time timestamptz, to_time timestamptz)
    RETURNS TABLE (additions bigint, removals bigint, overrides bigint, allowed_attempts bigint, refused_attempts bigint,
        refused_by_rule jsonb, score numeric)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'ls_compliance_report';
COMMENT ON FUNCTION lead_system.compliance_report(timestamptz, timestamptz) IS
    'What was done to the do-not-call list from one instant until before another, how often contact was allowed and refused, and by which rule. The score is 100 when nobody tried to contact whom must not be contacted, and falls with the share of such attempts in the additions (semantics D8).';
REVOKE ALL ON FUNCTION lead_system.compliance_report(timestamptz, timestamptz) FROM PUBLIC;
