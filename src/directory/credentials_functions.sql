-- directory: passwords and tokens.

CREATE FUNCTION lead_system.set_password(user_id uuid, password text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_set_password';
COMMENT ON FUNCTION lead_system.set_password(uuid, text) IS
    'Gives a user a password. Users set their own, administrators that of anybody in the organization. Raises 22023 for one that is too short or too long, 0A000 without the extension pgcrypto.';
REVOKE ALL ON FUNCTION lead_system.set_password(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.verify_password(email text, password text)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'ls_directory_verify_password';
COMMENT ON FUNCTION lead_system.verify_password(text, text) IS
    'The id of the active user of the session''s organization who has this e-mail address and password; else NULL, after the same work, whatever is wrong. How often somebody may try is for the application to say.';
REVOKE ALL ON FUNCTION lead_system.verify_password(text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.set_integration_token(provider text, access_token text, refresh_token text DEFAULT NULL,
                                                  external_id text DEFAULT NULL, expires_at timestamptz DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_directory_set_token';
COMMENT ON FUNCTION lead_system.set_integration_token(text, text, text, text, timestamptz) IS
    'Keeps the tokens for a provider, encrypted under lead_system.secret_key. NULL for refresh_token or external_id leaves what there is. For administrators.';
REVOKE ALL ON FUNCTION lead_system.set_integration_token(text, text, text, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION lead_system.get_integration_token(provider text)
    RETURNS TABLE (external_id text, access_token text, refresh_token text, expires_at timestamptz)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1 AS 'MODULE_PATHNAME', 'ls_directory_get_token';
COMMENT ON FUNCTION lead_system.get_integration_token(text) IS
    'The tokens for a provider, decrypted with lead_system.secret_key. For administrators. Raises P0002 when there are none, 55000 without a key, 22023 with another key.';
REVOKE ALL ON FUNCTION lead_system.get_integration_token(text) FROM PUBLIC;
