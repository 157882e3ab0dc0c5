-- Prepares the stage of the demo: the extension, an organization, and a role
-- as an application would have one.  pg_read_file() stands in for the file that
-- an application would pass.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION lead_system;
CREATE ROLE demo_app;
SELECT lead_system.grant_access('demo_app', 'admin');
GRANT pg_read_server_files TO demo_app;
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO demo_app;
SELECT lead_system.create_organization('Example Sales') AS org \gset
ALTER ROLE postgres SET app.current_org_id = :'org';
-- It is a Tuesday, and day from Boston to Honolulu.
ALTER ROLE postgres SET lead_system.now = '2026-03-03 19:00+00';
ALTER ROLE postgres SET search_path = lead_system, public;
