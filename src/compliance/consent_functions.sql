-- compliance: the national registry and consents.

CREATE FUNCTION lead_system.load_national_dnc(area_code text, numbers text[]) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_load_national';
COMMENT ON FUNCTION lead_system.load_national_dnc(text, text[]) IS
    'Replaces the numbers that the national do-not-call registry has in an area code, as of today (UTC). Any spelling will do; one number that is not of the area code makes it refuse all (22023). Returns how many distinct numbers the area code has now; repeating the call changes nothing.';
REVOKE ALL ON FUNCTION lead_system.load_national_dnc(text, text[]) FROM PUBLIC;

CREATE FUNCTION lead_system.national_dnc_status()
    RETURNS TABLE (area_code text, loaded_on date, rows bigint, age integer, usable boolean)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 400 AS 'MODULE_PATHNAME', 'ls_compliance_national_dnc_status';
COMMENT ON FUNCTION lead_system.national_dnc_status() IS
    'The latest load of each area code of the national registry, its age in days, and whether it can be used: no older than compliance.national_dnc_max_age_days of the session''s organization.';
REVOKE ALL ON FUNCTION lead_system.national_dnc_status() FROM PUBLIC;

CREATE FUNCTION lead_system.national_dnc_check(phone_number text, channel text DEFAULT 'call')
    RETURNS TABLE (listed boolean, loaded_on date, usable boolean, exemption text, rule text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'ls_compliance_national_dnc_check';
COMMENT ON FUNCTION lead_system.national_dnc_check(text, text) IS
    'What the national registry says of a number to the session''s organization: listed, day of the area code''s load and whether that is usable, exemption (consent, transaction, inquiry; NULL for none), and the rule that forbids to contact it (national_registry, national_registry_stale; NULL when it may be contacted).';
REVOKE ALL ON FUNCTION lead_system.national_dnc_check(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.record_consent(lead_id uuid, channel text, evidence jsonb) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_record_consent';
COMMENT ON FUNCTION lead_system.record_consent(uuid, text, jsonb) IS
    'Records that a lead agreed to be contacted by call, sms or email, with what proves it: a JSON object that is not empty (22023). Returns the event''s id. Unblocks leads that a revocation had blocked; a number on the do-not-call list stays there.';
REVOKE ALL ON FUNCTION lead_system.record_consent(uuid, text, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.revoke_consent(lead_id uuid, channel text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_revoke_consent';
COMMENT ON FUNCTION lead_system.revoke_consent(uuid, text) IS
    'Records that a lead does not want to be contacted any more: on a channel, or NULL for all; one channel means all of them unless compliance.cross_channel_revocation is false (semantics D12). Stops what is pending for the number in the same transaction.';
REVOKE ALL ON FUNCTION lead_system.revoke_consent(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.override_dnc(lead_id uuid, reason text, consent_id uuid) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_override_dnc';
COMMENT ON FUNCTION lead_system.override_dnc(uuid, text, uuid) IS
    'Takes a lead''s number off the do-not-call list on the strength of a consent that was recorded for it and still counts (semantics D7). Returns the id of the audit row. For administrators, with a reason; raises 42501, 22023, 55000 when the number is not listed, LS004 when the consent does not count. Revoking the consent lists the number again.';
REVOKE ALL ON FUNCTION lead_system.override_dnc(uuid, text, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.contact_consents_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_consents_changed';
COMMENT ON FUNCTION lead_system.contact_consents_changed() IS
    'Trigger of contact_consents: blocks leads whose consent to calls is revoked, and unblocks those who gave it again.';
REVOKE ALL ON FUNCTION lead_system.contact_consents_changed() FROM PUBLIC;
