-- Installing, what the extension consists of, and bringing it back.
--
-- pg_regress has installed the extension already.  This file removes it to
-- start on a bare database, and leaves it installed.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION lead_system CASCADE;
DROP SCHEMA lead_system CASCADE;
RESET client_min_messages;

--
-- A schema or a table that somebody else owns is not adopted
--
CREATE ROLE regress_ls_stranger;
CREATE SCHEMA lead_system AUTHORIZATION regress_ls_stranger;
CREATE EXTENSION lead_system;
\echo :LAST_ERROR_SQLSTATE
ALTER SCHEMA lead_system OWNER TO CURRENT_USER;
CREATE TABLE lead_system.leads (id uuid);
ALTER TABLE lead_system.leads OWNER TO regress_ls_stranger;
CREATE EXTENSION lead_system;
\echo :LAST_ERROR_SQLSTATE
DROP SCHEMA lead_system CASCADE;

-- Only a superuser may install it.
\set VERBOSITY sqlstate
SET ROLE regress_ls_stranger;
CREATE EXTENSION lead_system;
RESET ROLE;
\set VERBOSITY default

--
-- Sessions that must not create tables: the restore of a dump, a Citus worker
--
SET client_min_messages = error;
SET row_security = off;
CREATE EXTENSION lead_system;
SELECT count(*) FROM pg_class WHERE relnamespace = 'lead_system'::regnamespace;
RESET row_security;
DROP EXTENSION lead_system;
SET application_name = 'citus_internal gpid=10000000001';
CREATE EXTENSION lead_system;
SELECT count(*) FROM pg_class WHERE relnamespace = 'lead_system'::regnamespace;
RESET application_name;
RESET client_min_messages;

-- install() then does by hand what CREATE EXTENSION left out.
CALL lead_system.install();
SELECT ok, detail FROM lead_system.health_check() WHERE check_name = 'storage';
SET client_min_messages = warning;
DROP EXTENSION lead_system CASCADE;
DROP SCHEMA lead_system CASCADE;
RESET client_min_messages;

--
-- A plain CREATE EXTENSION gives a working system
--
CREATE EXTENSION lead_system;
SELECT lead_system.extension_version();
SELECT check_name, ok FROM lead_system.health_check();

-- Its members are functions and procedures only; tables belong to the user.
SELECT DISTINCT d.classid::regclass AS catalog, p.prokind AS kind
  FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid
  LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
 WHERE d.refclassid = 'pg_extension'::regclass AND e.extname = 'lead_system' AND d.deptype = 'e'
 ORDER BY 1, 2;
SELECT count(*) > 0 AS has_tables, bool_and(c.relowner = current_user::regrole) AS owned
  FROM pg_class c WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r';

-- What works at once, without any setting.
SELECT name, organization_id IS NULL AS built_in FROM lead_system.pipelines ORDER BY id;
SELECT name, organization_id IS NULL AS built_in FROM lead_system.scoring_models ORDER BY id;

-- The last step of the install script is no function to call.
SELECT lead_system.install_storage();
\echo :LAST_ERROR_SQLSTATE

--
-- install() changes nothing that is there
--
UPDATE lead_system.scoring_models SET description = 'Ours' WHERE name = 'b2b';
COMMENT ON TABLE lead_system.leads IS 'All our leads';
ALTER TABLE lead_system.leads ADD COLUMN shoe_size integer;
CREATE INDEX regress_ls_shoe_idx ON lead_system.leads (shoe_size);
CREATE VIEW catalog_before AS
    SELECT 'class' AS kind, c.oid, c.relname || coalesce(c.relfilenode::text, '') AS name
      FROM pg_class c WHERE c.relnamespace = 'lead_system'::regnamespace
    UNION ALL
    SELECT 'default', a.oid, pg_get_expr(a.adbin, a.adrelid)
      FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid WHERE c.relnamespace = 'lead_system'::regnamespace
    UNION ALL
    SELECT 'constraint', oid, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'lead_system'::regnamespace
    UNION ALL
    SELECT 'trigger', t.oid, pg_get_triggerdef(t.oid)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'lead_system'::regnamespace
    UNION ALL
    SELECT 'policy', p.oid, p.polname || pg_get_expr(p.polqual, p.polrelid)
      FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'lead_system'::regnamespace
    UNION ALL
    SELECT 'comment', d.objoid, d.description
      FROM pg_description d JOIN pg_class c ON c.oid = d.objoid WHERE c.relnamespace = 'lead_system'::regnamespace
    UNION ALL
    SELECT 'rule', 0, r::text FROM lead_system.scoring_rules r
    UNION ALL
    SELECT 'model', 0, m::text FROM lead_system.scoring_models m
    UNION ALL
    SELECT 'transition', 0, t::text FROM lead_system.pipeline_transitions t;
CREATE TEMP TABLE snapshot AS SELECT * FROM catalog_before;
SELECT count(DISTINCT kind) AS kinds FROM snapshot;
CALL lead_system.install();
CALL lead_system.install();
(SELECT * FROM snapshot EXCEPT ALL SELECT * FROM catalog_before)
UNION ALL
(SELECT * FROM catalog_before EXCEPT ALL SELECT * FROM snapshot);
DROP VIEW catalog_before;
UPDATE lead_system.scoring_models SET description = 'What the form says, plus engagement, less inactivity' WHERE name = 'b2b';

--
-- health_check() finds what was broken, and says what to do
--
BEGIN;
DROP POLICY tenant_isolation ON lead_system.leads;
DROP TRIGGER leads_before_row ON lead_system.leads;
DROP INDEX lead_system.leads_tags_idx;
ALTER TABLE lead_system.leads DROP CONSTRAINT leads_email_check;
ALTER TABLE lead_system.leads ALTER COLUMN id DROP DEFAULT;
DROP TABLE lead_system.lead_qualifications;
SELECT check_name, unnest(string_to_array(detail, ', ')) AS detail FROM lead_system.health_check() WHERE NOT ok;
CALL lead_system.install();
SELECT * FROM lead_system.health_check() WHERE NOT ok;
ROLLBACK;
BEGIN;
ALTER TABLE lead_system.users DISABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.leads DISABLE TRIGGER leads_after_update;
CREATE ROLE regress_ls_super SUPERUSER;
ALTER TABLE lead_system.categories OWNER TO regress_ls_super;
SELECT check_name, detail FROM lead_system.health_check() WHERE NOT ok ORDER BY check_name;
ROLLBACK;
-- An owner that install() would not trust is reported, too, while something is missing.
BEGIN;
ALTER TABLE lead_system.leads OWNER TO regress_ls_stranger;
DROP INDEX lead_system.leads_tags_idx;
DROP TRIGGER users_touch_updated_at ON lead_system.users;
SELECT check_name, detail FROM lead_system.health_check() WHERE NOT ok ORDER BY check_name;
CALL lead_system.install();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT * FROM lead_system.health_check() WHERE NOT ok;

--
-- rls_selftest() counts rows that an organization sees and should not
--
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name) VALUES
    ('10000000-0000-4000-8000-000000000001', 'First'),
    ('10000000-0000-4000-8000-000000000002', 'Second');
INSERT INTO lead_system.leads (organization_id, id, email, shoe_size) VALUES
    ('10000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000011', 'one@example.com', 40),
    ('10000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000012', 'two@example.com', 41);
SELECT count(*) > 20 AS many_tables, sum(leaked) AS leaked FROM lead_system.rls_selftest();
BEGIN;
CREATE POLICY generous ON lead_system.leads FOR SELECT USING (true);
-- First sees one, Second sees one, an organization that does not exist sees both.
SELECT * FROM lead_system.rls_selftest() WHERE leaked > 0;
SELECT check_name, detail FROM lead_system.health_check() WHERE NOT ok;
ROLLBACK;

--
-- DROP EXTENSION takes the logic and leaves the data
--
CREATE ROLE regress_ls_reader;
SELECT lead_system.grant_access('regress_ls_reader', 'readonly');
\set VERBOSITY terse
DROP EXTENSION lead_system;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SET client_min_messages = warning;
DROP EXTENSION lead_system CASCADE;
RESET client_min_messages;
SELECT id, email, shoe_size FROM lead_system.leads ORDER BY id;
SELECT count(*) AS routines_left FROM pg_proc WHERE pronamespace = 'lead_system'::regnamespace;

-- Row security stays on, without a policy: nobody reads but the owner.
SET ROLE regress_ls_reader;
SET app.current_org_id = '10000000-0000-4000-8000-000000000001';
SELECT count(*) FROM lead_system.leads;
RESET ROLE;

-- CREATE EXTENSION brings back what was lost, rights included.
CREATE EXTENSION lead_system;
SELECT * FROM lead_system.health_check() WHERE NOT ok;
SELECT sum(leaked) AS leaked FROM lead_system.rls_selftest();
SELECT obj_description('lead_system.leads'::regclass) AS comment, to_regclass('lead_system.regress_ls_shoe_idx') AS index;
SET ROLE regress_ls_reader;
SELECT lead_system.current_org_id(), id, email FROM lead_system.leads;
INSERT INTO lead_system.leads (email) VALUES ('three@example.com');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- Defaults, normalization, scoring and histories are at work again.
INSERT INTO lead_system.leads (phone_number, company_size) VALUES ('(202) 555-0101', '1-10')
    RETURNING id IS NOT NULL AS has_id, organization_id, phone_number, status, lead_score;
SELECT count(*) FROM lead_system.activities a JOIN lead_system.leads l ON l.id = a.lead_id WHERE l.phone_number = '+12025550101';

--
-- A role of the same name is not the role that was meant
--
DROP OWNED BY regress_ls_reader;
DROP ROLE regress_ls_reader;
CREATE ROLE regress_ls_reader;
CALL lead_system.install();
SET ROLE regress_ls_reader;
SELECT count(*) FROM lead_system.leads;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT lead_system.revoke_access('regress_ls_reader');
CALL lead_system.install();

--
-- grant_access() and install() deal with what is the extension's, and install() only gives
--
CREATE TABLE lead_system.regress_ls_own (id integer);
CREATE FUNCTION lead_system.regress_ls_one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON FUNCTION lead_system.regress_ls_one() FROM PUBLIC;
CREATE VIEW rights AS
    SELECT has_table_privilege('regress_ls_reader', 'lead_system.leads', 'SELECT') AS leads,
           has_table_privilege('regress_ls_reader', 'lead_system.leads', 'UPDATE') AS write_leads,
           has_table_privilege('regress_ls_reader', 'lead_system.regress_ls_own', 'SELECT') AS own_table,
           has_function_privilege('regress_ls_reader', 'lead_system.regress_ls_one()', 'EXECUTE') AS own_function;
SELECT lead_system.grant_access('regress_ls_reader', 'readonly');
SELECT * FROM rights;
-- What a DBA gives on top stays, whoever looks after the levels.
GRANT UPDATE ON lead_system.leads TO regress_ls_reader;
GRANT SELECT ON lead_system.regress_ls_own TO regress_ls_reader;
GRANT EXECUTE ON FUNCTION lead_system.regress_ls_one() TO regress_ls_reader;
REVOKE SELECT ON lead_system.leads FROM regress_ls_reader;
CALL lead_system.install();
SELECT * FROM rights;
-- Another level replaces what a level can give, and leaves what is not the extension's.
SELECT lead_system.grant_access('regress_ls_reader', 'readonly');
SELECT * FROM rights;
SELECT lead_system.revoke_access('regress_ls_reader');
SELECT * FROM rights;
DROP VIEW rights;
DROP FUNCTION lead_system.regress_ls_one();
DROP TABLE lead_system.regress_ls_own;

-- Nobody calls install() who was not given the right.
SET ROLE regress_ls_reader;
CALL lead_system.install();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- What is missing is named in a session that has done nothing else.
DROP INDEX lead_system.leads_tags_idx;
ALTER TABLE lead_system.lead_lists DROP CONSTRAINT lead_lists_name_check;
ALTER TABLE lead_system.users ALTER COLUMN skills DROP DEFAULT;
\c -
SELECT check_name, detail FROM lead_system.health_check() WHERE NOT ok ORDER BY check_name;
CALL lead_system.install();
SELECT * FROM lead_system.health_check() WHERE NOT ok;

--
-- Extensions that are used when they are there
--
SELECT check_name, detail FROM lead_system.health_check() WHERE check_name IN ('pg_trgm', 'pgcrypto') ORDER BY check_name COLLATE "C";
CREATE SCHEMA regress_ls_trgm;
CREATE EXTENSION pg_trgm SCHEMA regress_ls_trgm;
SELECT check_name, ok, detail FROM lead_system.health_check() WHERE check_name IN ('pg_trgm', 'storage') ORDER BY 1;
CALL lead_system.install();
SELECT check_name, ok, detail FROM lead_system.health_check() WHERE check_name IN ('pg_trgm', 'storage') ORDER BY 1;
SELECT indexdef LIKE '%regress_ls_trgm.gin_trgm_ops%' AS found FROM pg_indexes WHERE indexname = 'leads_search_idx';

-- Leave it as it was found.
SET client_min_messages = warning;
DROP SCHEMA regress_ls_trgm CASCADE;
RESET client_min_messages;
DROP INDEX lead_system.regress_ls_shoe_idx;
ALTER TABLE lead_system.leads DROP COLUMN shoe_size;
DELETE FROM lead_system.organizations WHERE id::text LIKE '10000000-0000-4000-8000-%';
SELECT count(*) FROM lead_system.leads;
DROP ROLE regress_ls_reader, regress_ls_stranger;
