-- compliance: personal data.

CREATE FUNCTION lead_system.personal_data_columns()
    RETURNS TABLE (table_name text, column_name text, kind text, on_erasure text, note text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 200 AS 'MODULE_PATHNAME', 'ls_compliance_personal_data';
COMMENT ON FUNCTION lead_system.personal_data_columns() IS
    'Every column that could hold personal data: of which kind, and whether erase_lead() keeps, clears, redacts or replaces it, and why.';
REVOKE ALL ON FUNCTION lead_system.personal_data_columns() FROM PUBLIC;

CREATE FUNCTION lead_system.erase_lead(lead_id uuid, reason text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_erase_lead';
COMMENT ON FUNCTION lead_system.erase_lead(uuid, text) IS
    'Erases the personal data of a lead, in its histories too, and keeps the row for statistics and the number suppressed. For administrators; erasing again changes nothing. Raises P0002 for an unknown lead, 22023 without a reason.';
REVOKE ALL ON FUNCTION lead_system.erase_lead(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.export_lead(lead_id uuid) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'ls_compliance_export_lead';
COMMENT ON FUNCTION lead_system.export_lead(uuid) IS
    'Everything that is held about a lead and that the caller may read: one array of rows per table. Raises P0002 for an unknown lead.';
REVOKE ALL ON FUNCTION lead_system.export_lead(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.organizations_erasure_key() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_make_keys';
COMMENT ON FUNCTION lead_system.organizations_erasure_key() IS
    'Trigger of organizations: gives each new one the secret for hashing erased numbers.';
REVOKE ALL ON FUNCTION lead_system.organizations_erasure_key() FROM PUBLIC;
