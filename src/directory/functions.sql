-- directory: organizations and the people in them.

CREATE FUNCTION lead_system.create_organization(name text, pipeline text DEFAULT 'b2b', settings jsonb DEFAULT '{}')
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_create_organization';
COMMENT ON FUNCTION lead_system.create_organization(text, text, jsonb) IS
    'Creates an organization with a default pipeline; settings holds further columns of organizations by name. Returns its id. Raises 22023 for an unknown pipeline or key.';
REVOKE ALL ON FUNCTION lead_system.create_organization(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.directory_normalize() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_normalize';
COMMENT ON FUNCTION lead_system.directory_normalize() IS
    'Trigger of tables with phone numbers, e-mail addresses or time zones: brings the first two to their stored form, checks the third.';
REVOKE ALL ON FUNCTION lead_system.directory_normalize() FROM PUBLIC;

CREATE FUNCTION lead_system.organizations_default_categories() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_default_categories';
COMMENT ON FUNCTION lead_system.organizations_default_categories() IS
    'Trigger of organizations: gives one that uses the marketplace pipeline the ten default categories.';
REVOKE ALL ON FUNCTION lead_system.organizations_default_categories() FROM PUBLIC;

CREATE FUNCTION lead_system.users_refuse_delete() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_users_refuse_delete';
COMMENT ON FUNCTION lead_system.users_refuse_delete() IS
    'Trigger of users: users are deactivated, not deleted, unless their organization goes.';
REVOKE ALL ON FUNCTION lead_system.users_refuse_delete() FROM PUBLIC;

CREATE FUNCTION lead_system.users_membership_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_users_membership_changed';
COMMENT ON FUNCTION lead_system.users_membership_changed() IS
    'Trigger of users: makes sessions check membership anew when is_active, role or organization changed.';
REVOKE ALL ON FUNCTION lead_system.users_membership_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.organizations_delete_data() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_delete_data';
COMMENT ON FUNCTION lead_system.organizations_delete_data() IS
    'Trigger of organizations: deletes everything that the organization has in the tables of the schema, histories too.';
REVOKE ALL ON FUNCTION lead_system.organizations_delete_data() FROM PUBLIC;
