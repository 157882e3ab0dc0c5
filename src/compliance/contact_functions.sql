-- compliance: may this lead be contacted, and when?

CREATE FUNCTION lead_system.contact_blockers(lead_id uuid, channel text DEFAULT 'call', campaign_id uuid DEFAULT NULL)
    RETURNS TABLE (rule text, detail text, unblocks_at timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 2 AS 'MODULE_PATHNAME', 'ls_compliance_contact_blockers';
COMMENT ON FUNCTION lead_system.contact_blockers(uuid, text, uuid) IS
    'Every rule that forbids to contact a lead now by a channel (call, sms or email), with the instant at which the rule stops to forbid it; NULL when only an act of somebody can lift it. With a campaign, the rules of the campaign, too, and claims of that campaign do not count. Raises P0002 and 22023.';
REVOKE ALL ON FUNCTION lead_system.contact_blockers(uuid, text, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.can_contact(lead_id uuid, channel text DEFAULT 'call') RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'ls_compliance_can_contact';
COMMENT ON FUNCTION lead_system.can_contact(uuid, text) IS
    'May a lead be contacted now by a channel (call, sms or email)? True when contact_blockers() has nothing to say. Raises P0002 and 22023.';
REVOKE ALL ON FUNCTION lead_system.can_contact(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.next_call_time(lead_id uuid, after timestamptz DEFAULT lead_system.clock_now()) RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'ls_compliance_next_call_time';
COMMENT ON FUNCTION lead_system.next_call_time(uuid, timestamptz) IS
    'The first instant from "after" on at which a lead may be called, by all rules that are known by now; NULL when somebody has to act before, or when its hours are never open. Raises P0002 and 22023.';
REVOKE ALL ON FUNCTION lead_system.next_call_time(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION lead_system.contact_time_zones(lead_id uuid) RETURNS TABLE (timezone text, source text, contradicted boolean)
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 2 AS 'MODULE_PATHNAME', 'ls_compliance_contact_time_zones';
COMMENT ON FUNCTION lead_system.contact_time_zones(uuid) IS
    'The time zones that a lead may be in, all of which count, and what they were taken from: lead, state, zip_code or area_code. "contradicted" when the clocks of the number''s area code show another time than all of them now. No rows when nothing is known. Raises P0002.';
REVOKE ALL ON FUNCTION lead_system.contact_time_zones(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.contact_timezone_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_timezone_check';
COMMENT ON FUNCTION lead_system.contact_timezone_check() IS
    'Trigger of area_code_timezones and state_timezones: the server must know the time zone.';
REVOKE ALL ON FUNCTION lead_system.contact_timezone_check() FROM PUBLIC;
