-- core: context, clock, identifiers, configuration, installation.

CREATE FUNCTION lead_system.current_org_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_current_org_id';
COMMENT ON FUNCTION lead_system.current_org_id() IS
    'The organization of this session (app.current_org_id); NULL when unset. Raises 42501 when app.current_user_id is not an active member of it, or app.current_tenant_id is not its tenant.';

CREATE FUNCTION lead_system.require_org_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_require_org_id';
COMMENT ON FUNCTION lead_system.require_org_id() IS
    'The organization of this session, as current_org_id(). Raises 42501 when none is set.';
REVOKE ALL ON FUNCTION lead_system.require_org_id() FROM PUBLIC;

CREATE FUNCTION lead_system.current_user_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_current_user_id';
COMMENT ON FUNCTION lead_system.current_user_id() IS
    'The application''s user of this session (app.current_user_id); NULL when unset.';

CREATE FUNCTION lead_system.current_contractor_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_current_contractor_id';
COMMENT ON FUNCTION lead_system.current_contractor_id() IS
    'The application''s user of this session, if the user''s role is contractor; else NULL. Policies confine contractors to what is theirs by it.';

CREATE FUNCTION lead_system.clock_now() RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_clock_now';
COMMENT ON FUNCTION lead_system.clock_now() IS
    'The time that all rules go by: the transaction''s, unless a superuser set lead_system.now.';

CREATE FUNCTION lead_system.uuid_v7() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_uuid_v7';
COMMENT ON FUNCTION lead_system.uuid_v7() IS
    'A new time-ordered identifier (RFC 9562, version 7).';

CREATE FUNCTION lead_system.normalize_phone(raw text, region text DEFAULT 'US') RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'ls_core_normalize_phone';
COMMENT ON FUNCTION lead_system.normalize_phone(text, text) IS
    'E.164 form of a phone number as people write it in a region (ISO 3166 code); NULL when it is not a valid number. Raises 22023 for a region that does not exist, 0A000 for raw input when the number parser is not installed.';

CREATE FUNCTION lead_system.is_e164(phone_number text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_is_e164';
COMMENT ON FUNCTION lead_system.is_e164(text) IS
    'Has a phone number the stored form: +, then 7 to 15 digits of which the first is not 0 (semantics D18)?';

CREATE FUNCTION lead_system.is_valid_email(address text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_is_valid_email';
COMMENT ON FUNCTION lead_system.is_valid_email(text) IS
    'Has an e-mail address the form of one that people use: a dot-atom, @ and a host name?';

CREATE FUNCTION lead_system.get_config(key text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_get_config';
COMMENT ON FUNCTION lead_system.get_config(text) IS
    'The value of a setting for the session''s organization, or its default. Raises 22023 for a key that does not exist.';
REVOKE ALL ON FUNCTION lead_system.get_config(text) FROM PUBLIC;

CREATE FUNCTION lead_system.set_config(key text, value jsonb) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_set_config';
COMMENT ON FUNCTION lead_system.set_config(text, jsonb) IS
    'Overrides a setting for the session''s organization; NULL goes back to the default. Raises 22023 for an unknown key or a value that the key cannot have.';
REVOKE ALL ON FUNCTION lead_system.set_config(text, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.config_keys()
    RETURNS TABLE (key text, default_value jsonb, description text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'ls_core_config_keys';
COMMENT ON FUNCTION lead_system.config_keys() IS
    'All settings with their defaults and meaning.';
REVOKE ALL ON FUNCTION lead_system.config_keys() FROM PUBLIC;

CREATE FUNCTION lead_system.grant_access(role_name text, level text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_grant_access';
COMMENT ON FUNCTION lead_system.grant_access(text, text) IS
    'Gives a database role an access level: readonly, agent, manager, admin or maintenance. Replaces the level it had.';
REVOKE ALL ON FUNCTION lead_system.grant_access(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.access_levels()
    RETURNS TABLE (object text, privileges text, level text, maintenance boolean)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'ls_core_access_levels';
COMMENT ON FUNCTION lead_system.access_levels() IS
    'What each access level may use: the lowest level of an object, and whether the maintenance level has it, too.';
REVOKE ALL ON FUNCTION lead_system.access_levels() FROM PUBLIC;

CREATE FUNCTION lead_system.health_check()
    RETURNS TABLE (check_name text, ok boolean, detail text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'ls_core_health_check';
COMMENT ON FUNCTION lead_system.health_check() IS
    'Is the installation whole? One row per check, with what to do when one fails.';
REVOKE ALL ON FUNCTION lead_system.health_check() FROM PUBLIC;

CREATE FUNCTION lead_system.rls_selftest()
    RETURNS TABLE (table_name text, leaked bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 50 AS 'MODULE_PATHNAME', 'ls_core_rls_selftest';
COMMENT ON FUNCTION lead_system.rls_selftest() IS
    'Looks at every tenant table as several organizations; leaked counts rows of others that were visible.';
REVOKE ALL ON FUNCTION lead_system.rls_selftest() FROM PUBLIC;

CREATE FUNCTION lead_system.extension_version() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_core_extension_version';
COMMENT ON FUNCTION lead_system.extension_version() IS
    'The version of the extension''s SQL objects.';

CREATE PROCEDURE lead_system.install()
    LANGUAGE c AS 'MODULE_PATHNAME', 'ls_core_install';
COMMENT ON PROCEDURE lead_system.install() IS
    'Creates what is missing of tables, indexes, triggers, policies and views; changes nothing that is there.';
REVOKE ALL ON PROCEDURE lead_system.install() FROM PUBLIC;

CREATE FUNCTION lead_system.install_storage() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_install_storage';
COMMENT ON FUNCTION lead_system.install_storage() IS
    'Internal: last statement of the install script, creates the storage outside the extension.';
REVOKE ALL ON FUNCTION lead_system.install_storage() FROM PUBLIC;

CREATE FUNCTION lead_system.cache_invalidate() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_cache_invalidate';
COMMENT ON FUNCTION lead_system.cache_invalidate() IS
    'Trigger: makes every session forget what it remembers of a table of rules.';
REVOKE ALL ON FUNCTION lead_system.cache_invalidate() FROM PUBLIC;

CREATE FUNCTION lead_system.touch_updated_at() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_touch_updated_at';
COMMENT ON FUNCTION lead_system.touch_updated_at() IS
    'Trigger: sets updated_at.';
REVOKE ALL ON FUNCTION lead_system.touch_updated_at() FROM PUBLIC;

CREATE FUNCTION lead_system.config_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_config_check';
COMMENT ON FUNCTION lead_system.config_check() IS
    'Trigger of system_config: refuses unknown keys and values that a key cannot have.';
REVOKE ALL ON FUNCTION lead_system.config_check() FROM PUBLIC;

CREATE FUNCTION lead_system.append_only() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_append_only';
COMMENT ON FUNCTION lead_system.append_only() IS
    'Trigger of histories: refuses changes (LS021), except the removal that follows the deletion of the parent row, which is named by table and column in the arguments.';
REVOKE ALL ON FUNCTION lead_system.append_only() FROM PUBLIC;

CREATE FUNCTION lead_system.forget_histories() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_forget_histories';
COMMENT ON FUNCTION lead_system.forget_histories() IS
    'Trigger AFTER DELETE: removes the histories of rows that are gone; the arguments are pairs of table and column that refers to them.';
REVOKE ALL ON FUNCTION lead_system.forget_histories() FROM PUBLIC;

CREATE FUNCTION lead_system.clear_references() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_clear_references';
COMMENT ON FUNCTION lead_system.clear_references() IS
    'Trigger BEFORE DELETE: sets optional references to the row to NULL; the arguments are pairs of table and column.';
REVOKE ALL ON FUNCTION lead_system.clear_references() FROM PUBLIC;

CREATE FUNCTION lead_system.same_owner() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_same_owner';
COMMENT ON FUNCTION lead_system.same_owner() IS
    'Trigger of tables with built-in rows: the row that the arguments (table, column) refer to must be built in, too, or of the same organization.';
REVOKE ALL ON FUNCTION lead_system.same_owner() FROM PUBLIC;

CREATE FUNCTION lead_system.stamp_user() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_stamp_user';
COMMENT ON FUNCTION lead_system.stamp_user() IS
    'Trigger: the column that the argument names holds the session''s user, whatever was passed, and does not change.';
REVOKE ALL ON FUNCTION lead_system.stamp_user() FROM PUBLIC;

CREATE FUNCTION lead_system.revoke_access(role_name text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_core_revoke_access';
COMMENT ON FUNCTION lead_system.revoke_access(text) IS
    'Takes from a database role the access level that grant_access() gave it.';
REVOKE ALL ON FUNCTION lead_system.revoke_access(text) FROM PUBLIC;
