-- compliance: the do-not-call list.

CREATE FUNCTION lead_system.is_on_dnc_list(phone_number text, org_id uuid) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'ls_compliance_is_on_dnc_list';
COMMENT ON FUNCTION lead_system.is_on_dnc_list(text, uuid) IS
    'Is a number on an organization''s do-not-call list now? Any way of writing the number will do; NULL when it is not a phone number. Raises 42501 for an organization that is not the session''s.';
REVOKE ALL ON FUNCTION lead_system.is_on_dnc_list(text, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.add_to_dnc_list(phone_number text, reason text, source text DEFAULT 'manual_entry',
        expires_at timestamptz DEFAULT NULL, opt_out_phrase text DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_add_to_dnc_list';
COMMENT ON FUNCTION lead_system.add_to_dnc_list(text, text, text, timestamptz, text) IS
    'Puts a number on the do-not-call list, until expires_at or for good, and stops everything that is pending for it in the same transaction (semantics D4, D5). Returns the entry''s id; repeating the call changes nothing. Raises 22023 when it is not a phone number.';
REVOKE ALL ON FUNCTION lead_system.add_to_dnc_list(text, text, text, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION lead_system.add_numbers_to_dnc_list(phone_numbers text[], reason text, source text DEFAULT 'import',
        expires_at timestamptz DEFAULT NULL)
    RETURNS TABLE (raw text, phone_number text, result text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1000 AS 'MODULE_PATHNAME', 'ls_compliance_add_numbers';
COMMENT ON FUNCTION lead_system.add_numbers_to_dnc_list(text[], text, text, timestamptz) IS
    'Puts many numbers on the do-not-call list at once. Tells of each what became of it: added, extended, unchanged (it or an earlier one of the array is listed already) or invalid.';
REVOKE ALL ON FUNCTION lead_system.add_numbers_to_dnc_list(text[], text, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION lead_system.remove_from_dnc_list(phone_number text, reason text) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_remove_from_dnc_list';
COMMENT ON FUNCTION lead_system.remove_from_dnc_list(text, text) IS
    'Takes a number off the do-not-call list and unblocks the leads that it blocked (semantics D6). True when it was listed. For administrators, with a reason; raises 42501 and 22023.';
REVOKE ALL ON FUNCTION lead_system.remove_from_dnc_list(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.dnc_list_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_dnc_list_changed';
COMMENT ON FUNCTION lead_system.dnc_list_changed() IS
    'Trigger of dnc_list: audits the change, blocks or unblocks leads, whichever way the list was changed.';
REVOKE ALL ON FUNCTION lead_system.dnc_list_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.dnc_list_keep_number() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_keep_number';
COMMENT ON FUNCTION lead_system.dnc_list_keep_number() IS
    'Trigger of dnc_list: the number of an entry does not change; one is removed and another added.';
REVOKE ALL ON FUNCTION lead_system.dnc_list_keep_number() FROM PUBLIC;

CREATE FUNCTION lead_system.release_expired_dnc_blocks() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_release_expired';
COMMENT ON FUNCTION lead_system.release_expired_dnc_blocks() IS
    'Unblocks the leads whose number''s entry on the do-not-call list has expired (semantics D4), in the session''s organization, or in all for a role that bypasses row level security. To be run by a scheduler; returns how many leads were unblocked.';
REVOKE ALL ON FUNCTION lead_system.release_expired_dnc_blocks() FROM PUBLIC;
