-- credentials: passwords of users, tokens of integrations.
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'e1000000-0000-4000-8000-00000000000a'
\set bravo 'e1000000-0000-4000-8000-00000000000b'
\set boss  'e1000000-0000-4000-8000-0000000000a1'
\set rita  'e1000000-0000-4000-8000-0000000000a2'
\set bea   'e1000000-0000-4000-8000-0000000000b1'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'alpha', :'boss', 'Boss', 'boss@example.com', 'admin'), (:'alpha', :'rita', 'Rita', 'rita@example.com', 'rep'),
    (:'bravo', :'bea', 'Rita', 'rita@example.com', 'rep');
CREATE ROLE regress_ls_credentials_agent;
CREATE ROLE regress_ls_credentials_admin;
SELECT lead_system.grant_access('regress_ls_credentials_agent', 'agent');
SELECT lead_system.grant_access('regress_ls_credentials_admin', 'admin');
SET app.current_org_id = :'alpha';

--
-- Without pgcrypto
--
SELECT lead_system.set_password(:'rita', 'correct horse battery');
\echo :SQLSTATE
SELECT lead_system.verify_password('rita@example.com', 'correct horse battery');
SET lead_system.secret_key = 'a key for the tests';
SELECT lead_system.set_integration_token('twilio', 'token');
RESET lead_system.secret_key;
-- it may be in any schema, and functions of the same name elsewhere are not taken
CREATE SCHEMA regress_ls_crypto;
CREATE EXTENSION pgcrypto SCHEMA regress_ls_crypto;
CREATE FUNCTION public.crypt(text, text) RETURNS text LANGUAGE sql AS $$ SELECT $2 $$;
SELECT lead_system.set_config('credentials.bcrypt_cost', '4');

--
-- Passwords
--
SELECT lead_system.set_password(:'rita', 'correct horse battery');
SELECT user_id = :'rita' AS rita, password_hash ~ '^\$2a\$04\$.{53}$' AS is_bcrypt, created_at FROM lead_system.user_credentials;
SELECT lead_system.verify_password('rita@example.com', 'correct horse battery') = :'rita' AS rita,
       lead_system.verify_password('RITA@Example.com', 'correct horse battery') = :'rita' AS folded,
       lead_system.verify_password('rita@example.com', 'correct horse batterz') AS wrong,
       lead_system.verify_password('nobody@example.com', 'correct horse battery') AS unknown,
       lead_system.verify_password('boss@example.com', 'correct horse battery') AS without_one,
       lead_system.verify_password('not an address', '') AS empty;
SET app.current_org_id = :'bravo';
SELECT lead_system.verify_password('rita@example.com', 'correct horse battery') AS of_another_organization;
SELECT lead_system.set_password(:'rita', 'correct horse battery');
\echo :SQLSTATE
SET app.current_org_id = '';
SELECT lead_system.verify_password('rita@example.com', 'correct horse battery');
\echo :SQLSTATE
SET app.current_org_id = :'alpha';
-- another password, with another salt
SELECT password_hash AS before FROM lead_system.user_credentials \gset
SELECT lead_system.set_password(:'rita', 'correct horse battery');
SELECT password_hash <> :'before' AS salted FROM lead_system.user_credentials;
SELECT lead_system.set_password(:'rita', 'another one entirely');
SELECT lead_system.verify_password('rita@example.com', 'correct horse battery') AS old, lead_system.verify_password('rita@example.com', 'another one entirely') = :'rita' AS new;
SELECT count(*) FROM lead_system.user_credentials;
-- lengths: at least so many characters, at most so many bytes as bcrypt looks at
SELECT lead_system.set_password(:'rita', 'too short');
SELECT lead_system.set_password(:'rita', U&'\00e4\00e4\00e4\00e4\00e4\00e4\00e4\00e4\00e4\00e4\00e4');
SELECT lead_system.set_password(:'rita', repeat('x', 73));
SELECT lead_system.set_password(:'rita', repeat('x', 72));
SELECT lead_system.verify_password('rita@example.com', repeat('x', 72)) = :'rita' AS exact, lead_system.verify_password('rita@example.com', repeat('x', 73)) AS longer;
SELECT lead_system.set_config('credentials.min_password_length', '7');
SELECT lead_system.set_config('credentials.min_password_length', '8');
SELECT lead_system.set_password(:'rita', 'eight ch');
SELECT lead_system.set_password(NULL, 'eight ch');
SELECT lead_system.set_password(:'bea', 'eight ch');
\echo :SQLSTATE
-- who is not active has no way in
UPDATE lead_system.users SET is_active = false WHERE id = :'rita';
SELECT lead_system.verify_password('rita@example.com', 'eight ch') AS inactive;
UPDATE lead_system.users SET is_active = true WHERE id = :'rita';
-- whose password is whose to set
SET ROLE regress_ls_credentials_agent;
SELECT lead_system.set_password(:'rita', 'by nobody at all');
\echo :SQLSTATE
SET app.current_user_id = :'rita';
SELECT lead_system.set_password(:'rita', 'by Rita herself');
SELECT lead_system.set_password(:'boss', 'by Rita as well');
SELECT lead_system.set_password('e1000000-0000-4000-8000-00000000dead', 'of nobody at all');
SELECT lead_system.verify_password('rita@example.com', 'by Rita herself') = :'rita' AS verified;
SET ROLE regress_ls_credentials_admin;
SELECT lead_system.set_password(:'boss', 'by Rita, with an admin''s role');
SET app.current_user_id = :'boss';
SELECT lead_system.set_password(:'rita', 'by the boss herself');
SELECT lead_system.set_password('e1000000-0000-4000-8000-00000000dead', 'of nobody at all');
SELECT * FROM lead_system.user_credentials;
RESET ROLE;
SET app.current_user_id = '';

--
-- The key
--
SHOW lead_system.secret_key;
SELECT pg_catalog.set_config('lead_system.secret_key', 'a key for the tests', false);
SHOW lead_system.secret_key;
SELECT current_setting('lead_system.secret_key');
SELECT count(*) FROM pg_settings WHERE name = 'lead_system.secret_key';
SET lead_system.secret_key = 'short';
ALTER ROLE regress_ls_credentials_admin SET lead_system.secret_key = 'stored with a role';
ALTER SYSTEM SET lead_system.secret_key = 'stored in a file, really';
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SET lead_system.secret_key = 'stored with a function' AS 'SELECT 1';

--
-- Tokens
--
SELECT lead_system.set_integration_token('twilio', 'access-1', 'refresh-1', 'AC-example', '2026-04-01 00:00:00+00');
SELECT * FROM lead_system.get_integration_token('twilio');
SELECT provider, external_id, expires_at, position('access-1'::bytea in access_token) AS plain, position('refresh-1'::bytea in refresh_token) AS plain FROM lead_system.integrations;
-- a new token; what is not passed stays
SELECT lead_system.set_integration_token('twilio', 'access-2');
SELECT * FROM lead_system.get_integration_token('twilio');
SELECT count(*) FROM lead_system.integrations;
SELECT lead_system.set_integration_token('ghl', 'access-3');
SELECT * FROM lead_system.get_integration_token('ghl');
SELECT lead_system.set_integration_token('Not a provider', 'x');
\echo :SQLSTATE
SELECT lead_system.set_integration_token('ghl', NULL);
SELECT lead_system.get_integration_token('stripe');
\echo :SQLSTATE
SET app.current_org_id = :'bravo';
SELECT lead_system.get_integration_token('twilio');
SET app.current_org_id = :'alpha';
-- another key, no key, damage
SET lead_system.secret_key = 'another key altogether';
SELECT lead_system.get_integration_token('twilio');
\echo :SQLSTATE
SELECT 1 AS session_goes_on;
RESET lead_system.secret_key;
SELECT lead_system.get_integration_token('twilio');
\echo :SQLSTATE
SELECT lead_system.set_integration_token('twilio', 'access-4');
\echo :SQLSTATE
BEGIN;
SET LOCAL lead_system.secret_key = 'a key for the tests';
SELECT access_token FROM lead_system.get_integration_token('twilio');
UPDATE lead_system.integrations SET access_token = substr(access_token, 1, 60) WHERE provider = 'twilio';
SELECT lead_system.get_integration_token('twilio');
ROLLBACK;
SHOW lead_system.secret_key;
-- for administrators
SET lead_system.secret_key = 'a key for the tests';
SET ROLE regress_ls_credentials_agent;
SELECT lead_system.get_integration_token('twilio');
SET ROLE regress_ls_credentials_admin;
SELECT access_token FROM lead_system.get_integration_token('twilio');
SELECT access_token FROM lead_system.integrations;
SELECT provider, external_id FROM lead_system.integrations ORDER BY 1;
SELECT * FROM lead_system.integrations;
SELECT pg_catalog.set_config('lead_system.secret_key', 'a key for the tests', false);
SET app.current_user_id = :'rita';
SELECT access_token FROM lead_system.get_integration_token('twilio');
SELECT lead_system.set_integration_token('twilio', 'x');
\echo :SQLSTATE
SET app.current_user_id = '';
RESET ROLE;
RESET lead_system.secret_key;

SET app.current_org_id = '';
DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'bravo');
SELECT (SELECT count(*) FROM lead_system.user_credentials) + (SELECT count(*) FROM lead_system.integrations) AS left_behind;
DROP FUNCTION public.crypt(text, text);
DROP EXTENSION pgcrypto;
DROP SCHEMA regress_ls_crypto;
SELECT lead_system.revoke_access('regress_ls_credentials_agent'), lead_system.revoke_access('regress_ls_credentials_admin');
DROP ROLE regress_ls_credentials_agent;
DROP ROLE regress_ls_credentials_admin;
