-- Removing the extension and its data leaves nothing behind.
--
-- Leaves the extension installed, as it was found.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 12:00:00+00';
CREATE TEMP TABLE catalogs (moment text, catalog text, entries bigint);
CREATE FUNCTION pg_temp.count_catalogs(at_moment text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    catalog text;
BEGIN
    FOREACH catalog IN ARRAY ARRAY['pg_namespace', 'pg_extension', 'pg_class', 'pg_attribute', 'pg_attrdef', 'pg_type', 'pg_proc', 'pg_aggregate',
            'pg_operator', 'pg_constraint', 'pg_index', 'pg_trigger', 'pg_policy', 'pg_rewrite', 'pg_event_trigger', 'pg_depend', 'pg_description',
            'pg_init_privs', 'pg_default_acl', 'pg_statistic_ext'] LOOP
        EXECUTE format('INSERT INTO catalogs SELECT $1, %L, count(*) FROM pg_catalog.%I', catalog, catalog) USING at_moment;
    END LOOP;
    INSERT INTO catalogs SELECT at_moment, 'pg_shdepend', count(*) FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
     WHERE b.datname = current_database();
END $$;
CREATE ROLE regress_ls_agent;
SET client_min_messages = warning;
DROP EXTENSION lead_system CASCADE;
DROP SCHEMA lead_system CASCADE;
RESET client_min_messages;
SELECT pg_temp.count_catalogs('before');

-- Install, use, grant, and remove it.
CREATE EXTENSION lead_system;
INSERT INTO lead_system.organizations (id, name) VALUES ('80000000-0000-4000-8000-000000000001', 'Acme');
SET app.current_org_id = '80000000-0000-4000-8000-000000000001';
SELECT lead_system.grant_access('regress_ls_agent', 'agent');
SELECT lead_system.set_config('scoring.decay', 'false');
SET ROLE regress_ls_agent;
SELECT lead_system.upsert_lead('{"id": "80000000-0000-4000-8000-0000000000a1", "phone": "+12025550101", "email": "ann@example.com"}');
SELECT lead_system.change_lead_status('80000000-0000-4000-8000-0000000000a1', 'Contacted');
RESET ROLE;
-- The first half takes the logic.
SET client_min_messages = warning;
DROP EXTENSION lead_system CASCADE;
RESET client_min_messages;
SELECT email, status FROM lead_system.leads;
SELECT count(*) AS triggers FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'lead_system'::regnamespace AND NOT t.tgisinternal;
-- The second half takes the data.
SET client_min_messages = warning;
DROP SCHEMA lead_system CASCADE;
RESET client_min_messages;
SELECT pg_temp.count_catalogs('after');
SELECT b.catalog, a.entries - b.entries AS left_behind
  FROM catalogs b JOIN catalogs a ON a.catalog = b.catalog AND a.moment = 'after'
 WHERE b.moment = 'before' AND a.entries <> b.entries;
SELECT count(*) AS functions_of_the_library FROM pg_proc WHERE probin LIKE '%lead_system%';
-- The role can go without further ado.
DROP ROLE regress_ls_agent;
-- A session that starts now knows nothing of it.
\c -
SHOW lead_system.now;
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.current_org_id();
\echo :LAST_ERROR_SQLSTATE

-- And back again, empty
CREATE EXTENSION lead_system;
SELECT * FROM lead_system.health_check() WHERE NOT ok;
SELECT (SELECT count(*) FROM lead_system.organizations) AS organizations, (SELECT count(*) FROM lead_system.leads) AS leads,
       (SELECT count(*) FROM lead_system.access_grants) AS grants;
