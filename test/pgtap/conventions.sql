-- The conventions of the project, checked over the catalogs: what the tables,
-- constraints, indexes, policies, triggers and functions of the schema must
-- look like.  Each check selects the offenders and expects none, so a failure
-- names the culprit.  Nothing is excepted by name unless a list says so.
--
-- Runs alone: pg_prove test/pgtap/conventions.sql

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(86);

-- What the checks look at.

CREATE TEMP VIEW our_relations AS
SELECT c.relname::text AS name, c.*
  FROM pg_catalog.pg_class c
 WHERE c.relnamespace = 'lead_system'::regnamespace;

CREATE TEMP VIEW our_tables AS
SELECT * FROM our_relations WHERE relkind IN ('r', 'p');

CREATE TEMP VIEW our_columns AS
SELECT t.oid AS table_oid, t.name AS table_name, a.attname::text AS column_name, a.attnum, a.attnotnull,
       a.atttypid, format_type(a.atttypid, a.atttypmod) AS type, a.attgenerated, a.attidentity, a.attcollation, a.attacl
  FROM our_tables t
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped;

-- A tenant table has organization_id; organizations is the tenant itself.
-- Rows without organization are built in and shared by all tenants, which a
-- table can have whose organization_id may be NULL.
CREATE TEMP VIEW tenant_tables AS
SELECT t.oid, t.name, c.column_name AS tenant_column, c.attnum AS tenant_attnum, NOT c.attnotnull AS is_shared,
       t.relrowsecurity, t.relforcerowsecurity
  FROM our_tables t
  JOIN our_columns c ON c.table_oid = t.oid
   AND c.column_name = CASE t.name WHEN 'organizations' THEN 'id' ELSE 'organization_id' END;

CREATE TEMP VIEW our_constraints AS
SELECT n.oid, n.conname::text AS name, n.contype, t.name AS table_name, n.conrelid, n.confrelid, n.confdeltype, n.confupdtype,
       n.condeferrable, n.convalidated, n.confmatchtype, n.conkey, n.confkey,
       ARRAY(SELECT a.attname::text FROM unnest(n.conkey) WITH ORDINALITY k(attnum, position)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.attnum
              ORDER BY k.position) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(n.confkey) WITH ORDINALITY k(attnum, position)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = n.confrelid AND a.attnum = k.attnum
              ORDER BY k.position) AS target_columns
  FROM pg_catalog.pg_constraint n
  JOIN our_tables t ON t.oid = n.conrelid;

CREATE TEMP VIEW our_indexes AS
SELECT i.indexrelid, i.indrelid, ic.relname::text AS name, t.name AS table_name, i.indisunique, i.indisvalid, i.indisready,
       i.indisprimary, m.amname, i.indexprs IS NOT NULL AS has_expressions, i.indpred IS NOT NULL AS is_partial,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint n WHERE n.conindid = i.indexrelid AND n.contype IN ('p', 'u', 'x')) AS is_constraint,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, position)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
              WHERE k.position <= i.indnkeyatts
              ORDER BY k.position) AS columns
  FROM pg_catalog.pg_index i
  JOIN our_tables t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = ic.relam;

CREATE TEMP VIEW our_triggers AS
SELECT g.oid, g.tgname::text AS name, t.name AS table_name, g.tgrelid, f.proname::text AS function_name, f.pronamespace,
       g.tgenabled, g.tgdeferrable, g.tgtype, (g.tgtype & 1) <> 0 AS for_row, (g.tgtype & 2) <> 0 AS is_before,
       (g.tgtype & 4) <> 0 AS on_insert, (g.tgtype & 8) <> 0 AS on_delete, (g.tgtype & 16) <> 0 AS on_update,
       (g.tgtype & 32) <> 0 AS on_truncate,
       -- The arguments are stored as bytes, each closed by a zero byte.
       ARRAY(SELECT convert_from(decode(a.argument, 'hex'), 'UTF8')
               FROM regexp_split_to_table(regexp_replace(encode(g.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ')
                    WITH ORDINALITY s(hex, position),
                    LATERAL (SELECT replace(s.hex, ' ', '')) a(argument)
              WHERE s.position <= g.tgnargs ORDER BY s.position) AS arguments
  FROM pg_catalog.pg_trigger g
  JOIN our_tables t ON t.oid = g.tgrelid
  JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
 WHERE NOT g.tgisinternal;

CREATE TEMP VIEW histories AS
SELECT DISTINCT t.oid, t.name
  FROM our_tables t JOIN our_triggers g ON g.tgrelid = t.oid
 WHERE g.function_name = 'append_only' AND g.for_row;

-- What a delete trigger of some table removes by forget_histories(): pairs of
-- table and column that refers to the deleted row.
CREATE TEMP VIEW forgotten AS
SELECT g.table_name AS parent, g.arguments[i] AS table_name, g.arguments[i + 1] AS column_name
  FROM our_triggers g CROSS JOIN LATERAL generate_series(1, cardinality(g.arguments) - 1, 2) i
 WHERE g.function_name = 'forget_histories' AND g.on_delete;

CREATE TEMP VIEW our_functions AS
SELECT p.oid, p.proname::text AS name, p.oid::regprocedure::text AS signature, l.lanname, p.prokind, p.provolatile,
       p.proparallel, p.prosecdef, p.proconfig, p.proowner, p.proacl, p.prosrc, p.probin, p.prorettype, p.pronargs,
       p.proargtypes, p.proallargtypes, p.prorettype = 'trigger'::regtype AS is_trigger,
       EXISTS (SELECT 1 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE') AS is_public
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = 'lead_system'::regnamespace;

-- Functions that anybody may execute: pure helpers, which the defaults,
-- checks and policies of the tables call with the rights of whoever writes.
CREATE TEMP TABLE public_helpers (signature text) ON COMMIT DROP;
INSERT INTO public_helpers VALUES
    ('lead_system.clock_now()'),
    ('lead_system.current_contractor_id()'), ('lead_system.sees_all_segments()'),
    ('lead_system.current_org_id()'),
    ('lead_system.current_user_id()'),
    ('lead_system.extension_version()'),
    ('lead_system.is_e164(text)'),
    ('lead_system.is_valid_email(text)'),
    ('lead_system.normalize_phone(text,text)'),
    ('lead_system.uuid_v7()');

-- Tables that belong to no tenant.
CREATE TEMP TABLE global_tables (name text) ON COMMIT DROP;
INSERT INTO global_tables VALUES ('access_grants'), ('area_code_timezones'), ('state_timezones'), ('national_dnc_registry'), ('national_dnc_loads');

-- Objects that call a function whenever a row is written or read.
CREATE TEMP VIEW called_functions AS
SELECT 'constraint' AS kind, n.table_name || '.' || n.name AS object, d.refobjid AS function
  FROM pg_catalog.pg_depend d JOIN our_constraints n ON n.oid = d.objid
 WHERE d.classid = 'pg_catalog.pg_constraint'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
UNION ALL
SELECT CASE c.attgenerated WHEN 's' THEN 'generated column' ELSE 'default' END, c.table_name || '.' || c.column_name, d.refobjid
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
  JOIN our_columns c ON c.table_oid = f.adrelid AND c.attnum = f.adnum
 WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
UNION ALL
SELECT 'index', i.table_name || '.' || i.name, d.refobjid
  FROM pg_catalog.pg_depend d JOIN our_indexes i ON i.indexrelid = d.objid
 WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
UNION ALL
SELECT 'policy', t.name || '.' || p.polname, d.refobjid
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_policy p ON p.oid = d.objid
  JOIN our_tables t ON t.oid = p.polrelid
 WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass;

-- The extension is logic, the tables are data.

SELECT is_empty($$
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
      FROM pg_catalog.pg_depend d
     WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
       AND d.refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'lead_system')
       AND d.classid <> 'pg_catalog.pg_proc'::regclass
$$, 'members of the extension are only functions, procedures and aggregates');

SELECT is_empty($$
    SELECT f.signature FROM our_functions f
     WHERE NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_depend d
         WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'
           AND d.refclassid = 'pg_catalog.pg_extension'::regclass
           AND d.refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'lead_system'))
$$, 'every function of the schema is a member of the extension');

SELECT results_eq($$
    SELECT extrelocatable, extnamespace::regnamespace::text, extconfig IS NULL
      FROM pg_catalog.pg_extension WHERE extname = 'lead_system'
$$, $$ VALUES (false, 'lead_system', true) $$,
    'the extension lives in lead_system, cannot be moved, and registers no table for pg_dump');

SELECT is_empty($$
    SELECT f.signature, y.typname
      FROM our_functions f
     CROSS JOIN LATERAL unnest(f.proargtypes::oid[] || coalesce(f.proallargtypes, '{}') || f.prorettype) u(type)
      JOIN pg_catalog.pg_type y ON y.oid = u.type
     WHERE y.typnamespace <> 'pg_catalog'::regnamespace
$$, 'no function mentions a type that is not built in');

SELECT is_empty($$
    SELECT r.name, r.relkind FROM our_relations r
     WHERE r.relkind NOT IN ('r', 'p', 'i', 'I', 'v') OR r.relpersistence <> 'p'
$$, 'there are only tables, indexes and views: no sequences, materialized views, foreign or unlogged tables, composite types');

SELECT is_empty($$
    SELECT y.typname, y.typtype FROM pg_catalog.pg_type y
     WHERE y.typnamespace = 'lead_system'::regnamespace AND y.typtype <> 'c' AND y.typcategory <> 'A'
$$, 'there are no enums, domains, ranges or base types');

SELECT is_empty($$
    SELECT c.table_name, c.column_name, c.type
      FROM our_columns c JOIN pg_catalog.pg_type y ON y.oid = c.atttypid
     WHERE y.typnamespace <> 'pg_catalog'::regnamespace
$$, 'column types are built in');

SELECT is_empty($$ SELECT table_name, column_name FROM our_columns WHERE attidentity <> '' $$,
    'there are no identity columns');

SELECT is_empty($$
    SELECT w.rulename, r.name FROM pg_catalog.pg_rewrite w JOIN our_relations r ON r.oid = w.ev_class
     WHERE w.rulename <> '_RETURN' OR r.relkind <> 'v'
$$, 'there are no rules but those of views');

SELECT is_empty($$
    SELECT r.name FROM pg_catalog.pg_inherits i JOIN our_relations r ON r.oid = i.inhrelid
     WHERE NOT r.relispartition AND r.relkind = 'r'
$$, 'no table inherits from another');

SELECT is_empty($$
    SELECT e.evtname FROM pg_catalog.pg_event_trigger e
      JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid WHERE p.pronamespace = 'lead_system'::regnamespace
$$, 'there are no event triggers');

SELECT is_empty($$
    SELECT r.name, pg_get_userbyid(r.relowner) FROM our_relations r
     WHERE r.relowner <> (SELECT o.relowner FROM our_relations o WHERE o.name = 'organizations')
    UNION ALL
    SELECT f.signature, pg_get_userbyid(f.proowner) FROM our_functions f
     WHERE f.proowner <> (SELECT o.relowner FROM our_relations o WHERE o.name = 'organizations')
$$, 'everything has one owner');

-- Tenants: columns and keys.

SELECT set_eq($$ SELECT t.name FROM our_tables t WHERE t.oid NOT IN (SELECT oid FROM tenant_tables) $$,
    'SELECT name FROM global_tables',
    'every table has organization_id, but organizations and the listed global tables');

SELECT is_empty($$
    SELECT t.name, t.tenant_column, c.type, c.attnum
      FROM tenant_tables t JOIN our_columns c ON c.table_oid = t.oid AND c.attnum = t.tenant_attnum
     WHERE c.attnum <> 1 OR c.type <> 'uuid' OR c.attgenerated <> ''
$$, 'organization_id (id of organizations) is the first column, a uuid, and stored');

SELECT is_empty($$
    SELECT t.name FROM tenant_tables t
     WHERE t.is_shared
       AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_policy p
         WHERE p.polrelid = t.oid AND p.polcmd = 'r'
           AND pg_get_expr(p.polqual, p.polrelid) LIKE '%organization_id IS NULL%')
$$, 'organization_id is NOT NULL, unless the table has a policy that shows built-in rows to all');

SELECT is_empty($$
    SELECT t.name FROM our_tables t
     WHERE NOT EXISTS (SELECT 1 FROM our_constraints n WHERE n.conrelid = t.oid AND n.contype = 'p')
$$, 'every table has a primary key');

SELECT is_empty($$
    SELECT t.name, n.columns
      FROM tenant_tables t JOIN our_constraints n ON n.conrelid = t.oid AND n.contype = 'p'
     WHERE n.columns <> CASE
             WHEN t.name = 'organizations' THEN '{id}'::text[]
             WHEN t.is_shared AND EXISTS (SELECT 1 FROM our_columns c WHERE c.table_oid = t.oid AND c.column_name = 'id') THEN '{id}'
             WHEN t.is_shared THEN n.columns
             WHEN EXISTS (SELECT 1 FROM our_columns c WHERE c.table_oid = t.oid AND c.column_name = 'id') THEN '{id,organization_id}'
             ELSE ARRAY['organization_id'] || n.columns[2:] END
$$, 'the primary key is (id, organization_id), or begins with organization_id where there is no id');

SELECT is_empty($$
    SELECT c.table_name, c.column_name, c.type, pg_get_expr(d.adbin, d.adrelid)
      FROM our_columns c
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.table_oid AND d.adnum = c.attnum
     WHERE c.column_name = 'id' AND (c.type <> 'uuid' OR NOT c.attnotnull
           OR pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM 'lead_system.uuid_v7()')
$$, 'every id is a uuid NOT NULL DEFAULT lead_system.uuid_v7()');

SELECT is_empty($$
    SELECT i.name, i.columns
      FROM our_indexes i JOIN tenant_tables t ON t.oid = i.indrelid
     WHERE i.indisunique AND NOT t.is_shared AND t.name <> 'organizations' AND NOT 'organization_id' = ANY (i.columns)
$$, 'every unique index of a tenant table contains organization_id');

SELECT is_empty($$
    SELECT i.name, i.columns
      FROM our_indexes i JOIN tenant_tables t ON t.oid = i.indrelid
     WHERE i.indisunique AND NOT i.indisprimary AND NOT t.is_shared AND t.name <> 'organizations'
       AND i.columns[1] IS DISTINCT FROM 'organization_id'
$$, 'a unique index other than the primary key begins with organization_id');

SELECT is_empty($$ SELECT table_name, name FROM our_constraints WHERE contype = 'x' $$,
    'there are no exclusion constraints, which cannot begin with the tenant');

-- Foreign keys.

SELECT is_empty($$
    SELECT n.name, n.columns, n.target_columns
      FROM our_constraints n
      JOIN tenant_tables t ON t.oid = n.conrelid
      JOIN tenant_tables target ON target.oid = n.confrelid
     WHERE n.contype = 'f'
       AND CASE WHEN target.name = 'organizations' THEN n.columns <> '{organization_id}' OR n.target_columns <> '{id}'
                ELSE NOT target.is_shared
                     AND array_position(n.columns, 'organization_id') IS NULL
                      OR array_position(n.columns, 'organization_id')
                         IS DISTINCT FROM array_position(n.target_columns, 'organization_id') END
$$, 'every foreign key between tenant tables carries organization_id to organization_id');

SELECT is_empty($$
    SELECT n.name, n.columns
      FROM our_constraints n
      JOIN tenant_tables t ON t.oid = n.conrelid AND t.is_shared
     WHERE n.contype = 'f' AND NOT 'organization_id' = ANY (n.columns)
       AND NOT EXISTS (
        SELECT 1 FROM our_constraints own
         WHERE own.conrelid = n.conrelid AND own.contype = 'f' AND 'organization_id' = ANY (own.columns)
           AND array_remove(own.columns, 'organization_id') <@ n.columns)
$$, 'in a shared table a second foreign key, with organization_id, keeps a tenant''s own row from pointing at another tenant''s');

SELECT is_empty($$
    SELECT n.name FROM our_constraints n
     WHERE n.contype = 'f' AND n.confrelid IN (SELECT oid FROM tenant_tables)
       AND n.conrelid NOT IN (SELECT oid FROM tenant_tables)
    UNION ALL
    SELECT n.name FROM our_constraints n
      JOIN tenant_tables t ON t.oid = n.conrelid AND t.is_shared
      JOIN tenant_tables target ON target.oid = n.confrelid AND NOT target.is_shared
     WHERE n.contype = 'f'
$$, 'lookup tables that all tenants share reference no tenant table');

SELECT is_empty($$
    SELECT n.name FROM our_constraints n JOIN pg_catalog.pg_class c ON c.oid = n.confrelid
     WHERE n.contype = 'f' AND c.relnamespace <> 'lead_system'::regnamespace
    UNION ALL
    SELECT n.conname FROM pg_catalog.pg_constraint n JOIN pg_catalog.pg_class c ON c.oid = n.conrelid
     WHERE n.contype = 'f' AND n.confrelid IN (SELECT oid FROM our_tables) AND c.relnamespace <> 'lead_system'::regnamespace
$$, 'no foreign key leaves or enters the schema');

SELECT is_empty($$
    SELECT n.name, n.confdeltype, n.confupdtype FROM our_constraints n
     WHERE n.contype = 'f' AND (n.confdeltype NOT IN ('a', 'c') OR n.confupdtype <> 'a' OR n.confmatchtype <> 's')
$$, 'foreign keys are NO ACTION or CASCADE on delete, NO ACTION on update, MATCH SIMPLE');

SELECT is_empty($$
    SELECT n.table_name, n.name FROM our_constraints n WHERE n.condeferrable OR NOT n.convalidated
    UNION ALL
    SELECT g.table_name, g.name FROM our_triggers g WHERE g.tgdeferrable
$$, 'no constraint or trigger is deferrable, and every constraint is validated');

-- An index on all rows, or on those whose reference is set: the statements of
-- the referential triggers compare for equality, so a NULL is never looked for.
SELECT is_empty($$
    SELECT n.name, n.columns
      FROM our_constraints n
     WHERE n.contype = 'f'
       AND NOT EXISTS (
        SELECT 1 FROM our_indexes i
         WHERE i.indrelid = n.conrelid AND i.amname = 'btree' AND i.indisvalid
           AND i.columns[1:cardinality(n.columns)] @> n.columns
           AND (NOT i.is_partial OR i.predicate IN (SELECT format('(%I IS NOT NULL)', k) FROM unnest(n.columns) k)))
$$, 'an index serves each foreign key');

SELECT is_empty($$
    WITH RECURSIVE reachable(source, target) AS (
        SELECT conrelid, confrelid FROM our_constraints WHERE contype = 'f'
        UNION
        SELECT r.source, n.confrelid FROM reachable r JOIN our_constraints n ON n.contype = 'f' AND n.conrelid = r.target)
    SELECT source::regclass FROM reachable WHERE source = target
$$, 'foreign keys form no cycle');

-- An optional reference is cleared before the row it points at goes; SET NULL
-- would clear organization_id, too.  Users are deactivated, not deleted.
SELECT is_empty($$
    SELECT n.name
      FROM our_constraints n
      JOIN tenant_tables t ON t.oid = n.conrelid AND NOT t.is_shared
     WHERE n.contype = 'f' AND n.confdeltype = 'a'
       AND n.name <> 'lead_lists_segment_id_fkey' -- a list without its segment would be no list
       AND EXISTS (SELECT 1 FROM our_columns c
                    WHERE c.table_oid = n.conrelid AND c.column_name = ANY (n.columns) AND NOT c.attnotnull)
       AND NOT EXISTS (
        SELECT 1 FROM our_triggers g CROSS JOIN LATERAL generate_series(1, cardinality(g.arguments) - 1, 2) i
         WHERE g.tgrelid = n.confrelid AND g.function_name = 'clear_references' AND g.for_row AND g.is_before AND g.on_delete
           AND g.arguments[i] = t.name AND g.arguments[i + 1] = ANY (n.columns))
       AND NOT EXISTS (
        SELECT 1 FROM our_triggers g
         WHERE g.tgrelid = n.confrelid AND g.function_name = 'users_refuse_delete' AND g.for_row AND g.is_before AND g.on_delete)
$$, 'optional references are cleared by a trigger of the table they point at');

SELECT is_empty($$
    SELECT g.table_name, g.name, g.arguments[i], g.arguments[i + 1]
      FROM our_triggers g CROSS JOIN LATERAL generate_series(1, cardinality(g.arguments) - 1, 2) i
     WHERE g.function_name = 'clear_references'
       AND NOT EXISTS (SELECT 1 FROM our_columns c
                        WHERE c.table_name = g.arguments[i] AND c.column_name = g.arguments[i + 1] AND NOT c.attnotnull)
    UNION ALL
    SELECT f.parent, 'forget_histories', f.table_name, f.column_name
      FROM forgotten f
     WHERE NOT EXISTS (SELECT 1 FROM our_columns c WHERE c.table_name = f.table_name AND c.column_name = f.column_name)
    UNION ALL
    SELECT g.table_name, g.name, g.arguments[i], g.arguments[i + 1]
      FROM our_triggers g CROSS JOIN LATERAL generate_series(1, cardinality(g.arguments) - 1, 2) i
     WHERE g.function_name = 'append_only'
       AND (NOT EXISTS (SELECT 1 FROM our_tables t WHERE t.name = g.arguments[i])
            OR NOT EXISTS (SELECT 1 FROM our_columns c WHERE c.table_oid = g.tgrelid AND c.column_name = g.arguments[i + 1]))
$$, 'triggers that are told tables and columns are told ones that exist');

-- What an organization owns goes with it; tenants.sql tries that with a row in
-- every table.
SELECT isnt_empty($$
    SELECT 1 FROM our_triggers g
     WHERE g.table_name = 'organizations' AND g.function_name = 'organizations_delete_data' AND g.for_row AND g.is_before AND g.on_delete
       AND g.tgenabled IN ('O', 'A')
$$, 'rows of an organization that is deleted are deleted, in every tenant table');

-- Row level security.

SELECT is_empty($$ SELECT name FROM tenant_tables WHERE NOT relrowsecurity $$,
    'row level security is enabled for every tenant table');

SELECT is_empty($$ SELECT name FROM tenant_tables WHERE NOT relforcerowsecurity $$,
    'row level security is forced for every tenant table');

-- Permissive policies are alternatives, so one that is wider than the others
-- opens the table; hence every one must have the one condition.  A restrictive
-- policy only takes away: it confines contractors to what is theirs.
CREATE TEMP VIEW our_policies AS
SELECT t.name AS table_name, t.is_shared, p.polname::text AS name, p.polcmd, p.polpermissive, p.polroles,
       pg_get_expr(p.polqual, p.polrelid) AS using_condition,
       pg_get_expr(p.polwithcheck, p.polrelid) AS check_condition,
       format('(%s = ( SELECT lead_system.current_org_id() AS current_org_id))', t.tenant_column) AS tenant_condition
  FROM pg_catalog.pg_policy p JOIN tenant_tables t ON t.oid = p.polrelid;

SELECT is_empty($$
    SELECT table_name, name, using_condition FROM our_policies
     WHERE polpermissive AND using_condition IS NOT NULL AND using_condition <> tenant_condition
       AND NOT (is_shared AND polcmd = 'r'
                AND using_condition = format('((organization_id IS NULL) OR %s)', tenant_condition))
    UNION ALL
    SELECT table_name, name, check_condition FROM our_policies
     WHERE polpermissive AND check_condition IS NOT NULL AND check_condition <> tenant_condition
$$, 'every permissive policy says organization_id = (SELECT lead_system.current_org_id()); built-in rows can be read, not written');

SELECT is_empty($$
    SELECT t.name, c.command
      FROM tenant_tables t CROSS JOIN (VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) c(code, command)
     WHERE NOT EXISTS (
        SELECT 1 FROM our_policies p
         WHERE p.table_name = t.name AND p.polpermissive AND p.polroles = '{0}' AND p.polcmd::text IN (c.code, '*')
           AND (c.code = 'a' OR p.using_condition IS NOT NULL)
           AND (c.code NOT IN ('a', 'w') OR p.check_condition IS NOT NULL))
$$, 'every tenant table has policies for reading and for writing, for all roles, with USING and WITH CHECK');

SELECT is_empty($$
    SELECT table_name, name, using_condition, check_condition FROM our_policies
     WHERE NOT polpermissive AND table_name <> 'segments' -- whose policies are about their user
       AND (polcmd <> '*' OR polroles <> '{0}' OR using_condition IS DISTINCT FROM check_condition
            OR using_condition NOT LIKE '%( SELECT lead_system.current_contractor_id() AS current_contractor_id)%')
$$, 'restrictive policies are for all commands and roles, and ask once per query for the contractor');

SELECT set_eq($$ SELECT c.table_name FROM our_columns c WHERE c.column_name = 'contractor_id' UNION VALUES ('messages'), ('notifications'), ('budget_accounts'), ('budget_holds'), ('budget_transactions'), ('ad_campaign_days'), ('ad_campaigns'), ('ai_agent_logs'), ('analytics_snapshots'), ('financials'), ('keyword_days'), ('keywords'), ('workflow_runs'), ('workflows'), ('lead_source_costs'), ('subscriptions') $$,
    $$ SELECT table_name FROM our_policies WHERE NOT polpermissive AND table_name <> 'segments' $$,
    'what belongs to a contractor has a policy that hides it from the others, as the daily figures have');

SELECT is_empty($$
    SELECT t.name, p.polname FROM pg_catalog.pg_policy p JOIN our_tables t ON t.oid = p.polrelid
     WHERE t.oid NOT IN (SELECT oid FROM tenant_tables)
$$, 'tables that belong to no tenant have no policies, which would only look like protection');

-- Histories.

SELECT set_eq('SELECT name FROM histories',
    ARRAY['activities', 'budget_transactions', 'contact_attempts', 'contact_consents', 'dnc_audit_chain', 'dnc_audit_log', 'erasures', 'lead_assignments', 'lead_audit_log', 'lead_credits', 'lead_score_history', 'lead_status_history', 'strike_logs', 'lead_merge_rows', 'lead_merges'],
    'the histories of the data model are append-only, and nothing else is');

SELECT is_empty($$
    SELECT n.table_name, n.name FROM our_constraints n
     WHERE n.contype = 'f' AND (n.conrelid IN (SELECT oid FROM histories) OR n.confrelid IN (SELECT oid FROM histories))
$$, 'histories have no foreign keys and are referenced by none');

SELECT is_empty($$
    SELECT h.name FROM histories h
     WHERE NOT EXISTS (
        SELECT 1 FROM our_triggers g
         WHERE g.tgrelid = h.oid AND g.function_name = 'append_only' AND g.for_row AND g.is_before AND g.on_update AND g.on_delete
           AND g.tgenabled IN ('O', 'A'))
$$, 'a history refuses UPDATE and DELETE of each row');

SELECT is_empty($$
    SELECT h.name FROM histories h
     WHERE NOT EXISTS (
        SELECT 1 FROM our_triggers g
         WHERE g.tgrelid = h.oid AND g.function_name = 'append_only' AND NOT g.for_row AND g.is_before AND g.on_truncate
           AND g.tgenabled IN ('O', 'A'))
$$, 'a history refuses TRUNCATE');

SELECT is_empty($$
    SELECT a.object, a.privileges, a.level FROM lead_system.access_levels() a
     WHERE a.object IN (SELECT name FROM histories) AND a.privileges <> 'SELECT'
$$, 'no access level may write a history');

-- Consents are about a number or an address, and outlive the lead: a revocation
-- counts for the next lead that has the number.
SELECT is_empty($$
    SELECT h.name, c.column_name FROM histories h JOIN our_columns c ON c.table_oid = h.oid
     WHERE c.column_name = 'lead_id' AND h.name NOT IN ('contact_attempts', 'contact_consents')
       AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.table_name = h.name AND f.column_name = c.column_name)
       AND NOT EXISTS (SELECT 1 FROM our_constraints n WHERE n.conrelid = h.oid AND n.contype = 'f' AND n.confdeltype = 'c')
$$, 'something removes the rows of a history with the row they are about');

SELECT is_empty($$
    SELECT f.parent, f.table_name FROM forgotten f
     WHERE NOT EXISTS (
        SELECT 1 FROM our_triggers g CROSS JOIN LATERAL generate_series(1, cardinality(g.arguments) - 1, 2) i
         WHERE g.table_name = f.table_name AND g.function_name = 'append_only' AND g.for_row
           AND g.arguments[i] = f.parent AND g.arguments[i + 1] = f.column_name)
       AND f.table_name IN (SELECT name FROM histories)
$$, 'a history lets go of its rows when, and only when, the parent is gone that removes them');

-- Triggers.

SELECT is_empty($$
    SELECT g.table_name, g.name, g.function_name FROM our_triggers g WHERE g.pronamespace <> 'lead_system'::regnamespace
$$, 'triggers call functions of the extension only');

-- Guards of what was contacted judge what replication brings, too, and the filter knows it.
SELECT is_empty($$ SELECT table_name, name FROM our_triggers
                    WHERE tgenabled <> CASE WHEN function_name IN ('contact_guard', 'dnc_filter_note') THEN 'A' ELSE 'O' END::"char" $$,
    'every trigger is enabled, those of the guards and of the filter for replicas, too');

SELECT is_empty($$
    SELECT g.table_name, g.name FROM our_triggers g WHERE NOT starts_with(g.name, g.table_name || '_')
$$, 'the name of a trigger begins with that of its table');

SELECT is_empty($$
    SELECT f.signature FROM our_functions f
     WHERE f.is_trigger AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgfoid = f.oid)
$$, 'every trigger function is used by a trigger');

SELECT is_empty($$
    SELECT c.table_name FROM our_columns c
     WHERE c.column_name = 'updated_at'
       AND NOT EXISTS (
        SELECT 1 FROM our_triggers g
         WHERE g.tgrelid = c.table_oid AND g.for_row AND g.is_before AND g.on_update
           AND g.function_name IN ('touch_updated_at', 'leads_before_row'))
$$, 'updated_at is kept by trigger');

-- Names.

SELECT is_empty($$
    SELECT n.table_name, n.name, n.columns FROM our_constraints n
     WHERE n.contype IN ('f', 'u')
       AND n.name NOT IN (
        n.table_name || '_' || array_to_string(n.columns, '_') || CASE n.contype WHEN 'f' THEN '_fkey' ELSE '_key' END,
        n.table_name || '_' || array_to_string(array_remove(n.columns, 'organization_id'), '_')
            || CASE n.contype WHEN 'f' THEN '_fkey' ELSE '_key' END)
$$, 'foreign keys and unique constraints are named after their table and columns, with or without organization_id');

SELECT is_empty($$
    SELECT n.table_name, n.name FROM our_constraints n WHERE n.contype = 'p' AND n.name <> n.table_name || '_pkey'
$$, 'primary keys are named <table>_pkey');

SELECT is_empty($$
    SELECT n.table_name, n.name, n.columns FROM our_constraints n
     WHERE n.contype = 'c'
       AND CASE WHEN cardinality(n.columns) = 1 THEN n.name <> n.table_name || '_' || n.columns[1] || '_check'
                ELSE n.name !~ ('^' || n.table_name || '_[a-z0-9_]*[a-z]_check$') END
$$, 'checks are named <table>_<column>_check, or after what several columns have in common');

SELECT is_empty($$
    SELECT i.table_name, i.name, i.columns FROM our_indexes i
     WHERE NOT i.is_constraint
       AND (i.name !~ ('^' || i.table_name || '_[a-z0-9_]+_idx$')
            OR NOT i.is_partial AND NOT i.has_expressions
               AND NOT starts_with(array_to_string(i.columns, '_') || '_',
                    regexp_replace(substr(i.name, length(i.table_name) + 2), 'idx$', ''))
               AND NOT starts_with(array_to_string(array_remove(i.columns, 'organization_id'), '_') || '_',
                    regexp_replace(substr(i.name, length(i.table_name) + 2), 'idx$', '')))
$$, 'indexes are named <table>_<columns>_idx; partial ones and those on expressions may say what they are for');

SELECT is_empty($$
    SELECT name FROM our_relations WHERE length(name) > 56
    UNION ALL
    SELECT name FROM our_constraints WHERE length(name) > 56
$$, 'names leave room for the number of a shard');

SELECT is_empty($$
    SELECT name FROM our_relations WHERE name !~ '^[a-z][a-z0-9_]*$'
    UNION ALL
    SELECT table_name || '.' || column_name FROM our_columns WHERE column_name !~ '^[a-z][a-z0-9_]*$'
    UNION ALL
    SELECT signature FROM our_functions WHERE name !~ '^[a-z][a-z0-9_]*$'
$$, 'names need no quotes');

-- Comments.

SELECT is_empty($$
    SELECT name FROM our_relations
     WHERE relkind IN ('r', 'p', 'v') AND coalesce(btrim(obj_description(oid, 'pg_class')), '') = ''
$$, 'every table and view has a comment');

SELECT is_empty($$
    SELECT signature FROM our_functions WHERE coalesce(btrim(obj_description(oid, 'pg_proc')), '') = ''
$$, 'every function has a comment');

-- Columns.

SELECT is_empty($$
    SELECT table_name, column_name, type FROM our_columns WHERE type IN ('timestamp without time zone', 'time with time zone', 'money')
       OR type LIKE 'timestamp(%' OR type LIKE 'character(%'
$$, 'time is timestamptz, and there are no money or char(n) columns');

SELECT is_empty($$
    SELECT table_name, column_name, type FROM our_columns
     WHERE (column_name ~ '(^|_)(amount|cost|price|balance|spend|revenue)$' OR column_name IN ('budget_min', 'budget_max'))
       AND type ~ '^(numeric|integer|bigint|real|double)' AND type <> 'numeric(12,2)'
$$, 'money is numeric(12,2)');

SELECT is_empty($$
    SELECT DISTINCT m.table_name FROM our_columns m
     WHERE m.type = 'numeric(12,2)'
       AND NOT EXISTS (SELECT 1 FROM our_columns c
                        WHERE c.table_name IN (m.table_name, 'organizations') AND c.column_name = 'currency')
$$, 'money has a currency, in its row or in its organization''s');

SELECT is_empty($$
    SELECT c.table_name, c.column_name, c.type, l.collname
      FROM our_columns c LEFT JOIN pg_catalog.pg_collation l ON l.oid = c.attcollation
     WHERE c.column_name ~ '(^|_)phone(_number)?$' AND c.type <> 'boolean' AND (c.type <> 'text' OR l.collname IS DISTINCT FROM 'C')
$$, 'phone numbers are text COLLATE "C"');

SELECT is_empty($$
    SELECT c.table_name, c.column_name FROM our_columns c
     WHERE c.table_oid NOT IN (SELECT oid FROM histories)
       AND (c.column_name ~ '(^|_)phone(_number)?$' AND c.type <> 'boolean'
            AND NOT EXISTS (SELECT 1 FROM our_constraints n
                             WHERE n.conrelid = c.table_oid AND n.contype = 'c' AND n.columns = ARRAY[c.column_name]
                               AND pg_get_constraintdef(n.oid) = format('CHECK (lead_system.is_e164(%I))', c.column_name))
         OR c.column_name = 'email'
            AND NOT EXISTS (SELECT 1 FROM our_constraints n
                             WHERE n.conrelid = c.table_oid AND n.contype = 'c' AND n.columns = ARRAY[c.column_name]
                               AND pg_get_constraintdef(n.oid) = format('CHECK (lead_system.is_valid_email(%I))', c.column_name)))
$$, 'phone numbers and e-mail addresses are checked');

SELECT is_empty($$
    SELECT c.table_name, c.column_name, pg_get_expr(d.adbin, d.adrelid)
      FROM our_columns c
      JOIN tenant_tables t ON t.oid = c.table_oid
      JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.table_oid AND d.adnum = c.attnum
     WHERE c.type = 'timestamp with time zone'
       AND pg_get_expr(d.adbin, d.adrelid) <> 'lead_system.clock_now()'
       AND pg_get_expr(d.adbin, d.adrelid) !~ '^''-?infinity'''
$$, 'times default to the clock that all rules go by');

-- An event has a time of its own, is not changed, and has no name to be unique by.
SELECT is_empty($$
    SELECT t.name
      FROM tenant_tables t
      JOIN our_columns c ON c.table_oid = t.oid AND c.column_name = 'created_at'
     WHERE NOT EXISTS (SELECT 1 FROM our_columns u WHERE u.table_oid = t.oid AND u.column_name = 'updated_at')
       AND NOT EXISTS (SELECT 1 FROM our_constraints n WHERE n.conrelid = t.oid AND n.contype = 'u')
       AND NOT EXISTS (
        SELECT 1 FROM our_indexes i
         WHERE i.indrelid = t.oid
           AND EXISTS (SELECT 1 FROM our_columns k
                        WHERE k.table_oid = t.oid AND k.column_name = ANY (i.columns) AND k.type = 'timestamp with time zone'))
$$, 'every table of events has an index with the time');

SELECT is_empty($$ SELECT table_name, name FROM our_indexes WHERE NOT indisvalid OR NOT indisready $$,
    'every index is valid');

-- Functions that are called for each row.

SELECT is_empty($$
    SELECT c.kind, c.object, c.function::regprocedure
      FROM called_functions c
      JOIN pg_catalog.pg_proc p ON p.oid = c.function
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang
     WHERE l.lanname NOT IN ('c', 'internal')
$$, 'checks, defaults, generated columns, indexes and policies call no function that is SQL');

SELECT is_empty($$
    SELECT c.kind, c.object, c.function::regprocedure
      FROM called_functions c JOIN pg_catalog.pg_proc p ON p.oid = c.function
     WHERE c.kind IN ('constraint', 'index', 'generated column') AND p.provolatile <> 'i'
        OR c.kind = 'generated column' AND p.pronamespace <> 'pg_catalog'::regnamespace
$$, 'checks, indexes and generated columns are immutable, the latter with built-in functions');

SELECT is_empty($$
    SELECT DISTINCT c.kind, c.object, c.function::regprocedure
      FROM called_functions c JOIN our_functions f ON f.oid = c.function
     WHERE NOT f.is_public
$$, 'what checks, defaults and policies call may be executed by whoever writes or reads');

-- Functions.

SELECT is_empty($$ SELECT signature, lanname FROM our_functions WHERE lanname NOT IN ('c', 'sql') $$,
    'functions are C or SQL; no PL/pgSQL ships');

SELECT is_empty($$ SELECT signature FROM our_functions WHERE prosecdef $$,
    'no function is SECURITY DEFINER');

SELECT is_empty($$
    SELECT signature, proconfig FROM our_functions
     WHERE lanname = 'sql' AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
$$, 'SQL functions run under search_path = pg_catalog, pg_temp');

SELECT is_empty($$
    SELECT signature, probin, prosrc FROM our_functions
     WHERE lanname = 'c' AND (probin <> '$libdir/lead_system' OR prosrc !~ '^ls_[a-z]+_[a-z0-9_]+$')
$$, 'C functions are found in lead_system under a link name ls_<domain>_<verb>');

-- What the catalog can tell of a declaration: a function that writes, and so is
-- VOLATILE, is PARALLEL UNSAFE; one that only reads says whether a worker may
-- call it.  uuid_v7() is volatile without writing.
SELECT is_empty($$
    SELECT signature, provolatile, proparallel FROM our_functions
     WHERE provolatile = 'v' AND proparallel <> 'u' AND name <> 'uuid_v7'
        OR provolatile = 'i' AND proparallel <> 's'
        OR is_trigger AND (provolatile <> 'v' OR proparallel <> 'u' OR pronargs > 0)
$$, 'functions that write are parallel unsafe, immutable ones are safe, trigger functions write and take no arguments');

SELECT is_empty($$
    SELECT signature FROM our_functions WHERE is_public EXCEPT SELECT signature FROM public_helpers
$$, 'PUBLIC may execute pure helpers and nothing else');

SELECT is_empty($$
    SELECT signature FROM public_helpers EXCEPT SELECT signature FROM our_functions WHERE is_public
$$, 'every helper of that list exists and is executable by PUBLIC');

SELECT is_empty($$ SELECT signature FROM our_functions WHERE is_trigger AND is_public $$,
    'trigger functions are revoked from PUBLIC');

SELECT is_empty($$
    SELECT 'schema', n.nspname::text FROM pg_catalog.pg_namespace n
     CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
     WHERE n.nspname = 'lead_system' AND a.grantee = 0
    UNION ALL
    SELECT 'relation', r.name FROM our_relations r
     CROSS JOIN LATERAL aclexplode(coalesce(r.relacl, acldefault('r', r.relowner))) a
     WHERE r.relkind IN ('r', 'p', 'v') AND a.grantee = 0
    UNION ALL
    SELECT 'column', c.table_name || '.' || c.column_name FROM our_columns c WHERE c.attacl IS NOT NULL
$$, 'PUBLIC has no right to the schema or to any table, and no column has rights of its own');

-- Access levels.

SELECT is_empty($$
    SELECT name FROM our_relations WHERE relkind IN ('r', 'p', 'v')
    EXCEPT
    SELECT object FROM lead_system.access_levels()
$$, 'every table and view has an access level');

SELECT is_empty($$
    SELECT f.signature FROM our_functions f
     WHERE NOT f.is_trigger AND NOT f.is_public
       AND NOT EXISTS (
        SELECT 1 FROM lead_system.access_levels() a
         WHERE CASE WHEN a.object LIKE '%(%' THEN to_regprocedure('lead_system.' || a.object) = f.oid END)
$$, 'every function that can be called has an access level, but the public helpers');

SELECT is_empty($$
    SELECT a.object FROM lead_system.access_levels() a
     WHERE CASE WHEN a.object LIKE '%(%' THEN to_regprocedure('lead_system.' || a.object) IS NULL
                ELSE to_regclass('lead_system.' || a.object) IS NULL END
$$, 'every object with an access level exists');

SELECT is_empty($$
    SELECT r.name, r.reloptions FROM our_relations r
     WHERE r.relkind = 'v' AND NOT coalesce(r.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
$$, 'views are security_invoker');

-- The SQL surface that is promised: names, arguments, defaults, results.
CREATE TEMP TABLE promised (name text, arguments text, result text) ON COMMIT DROP;
INSERT INTO promised VALUES
    ('current_org_id', '', 'uuid'),
    ('current_user_id', '', 'uuid'),
    ('clock_now', '', 'timestamp with time zone'),
    ('uuid_v7', '', 'uuid'),
    ('get_config', 'key text', 'jsonb'),
    ('set_config', 'key text, value jsonb', 'void'),
    ('grant_access', 'role_name text, level text', 'void'),
    ('install', '', NULL),
    ('health_check', '', 'TABLE(check_name text, ok boolean, detail text)'),
    ('rls_selftest', '', 'TABLE(table_name text, leaked bigint)'),
    ('extension_version', '', 'text'),
    ('create_organization', 'name text, pipeline text DEFAULT ''b2b''::text, settings jsonb DEFAULT ''{}''::jsonb', 'uuid'),
    ('normalize_phone', 'raw text, region text DEFAULT ''US''::text', 'text'),
    ('is_valid_email', 'address text', 'boolean'),
    ('upsert_lead', 'lead jsonb, on_duplicate text DEFAULT ''reject''::text', 'uuid'),
    ('change_lead_status', 'lead_id uuid, new_status text, reason text DEFAULT NULL::text, trigger_type text DEFAULT ''manual''::text, trigger_id uuid DEFAULT NULL::uuid, force boolean DEFAULT false', 'void'),
    ('add_lead_note', 'lead_id uuid, note text', 'uuid'),
    ('dashboard_leads', 'temperature text DEFAULT NULL::text, status text DEFAULT NULL::text, page_size integer DEFAULT 50, after jsonb DEFAULT NULL::jsonb',
        'TABLE(lead_id uuid, company_name text, contact_name text, email text, phone_number text, status text, temperature text, lead_score integer, raw_score integer, assigned_to uuid, created_at timestamp with time zone, cursor jsonb)'),
    ('calculate_lead_score', 'lead_id uuid', 'integer'),
    ('calculate_lead_score', 'lead_id uuid, model text', 'integer'),
    ('explain_lead_score', 'lead_id uuid, model text DEFAULT NULL::text', 'TABLE(component text, rule text, value text, points numeric)'),
    ('score_at', 'lead_id uuid, at timestamp with time zone', 'integer'),
    ('recalculate_lead_scores', 'IN batch integer DEFAULT 10000', NULL),
    ('run_maintenance', 'IN jobs text[] DEFAULT NULL::text[]', NULL),
    ('schedule_maintenance', 'cron text DEFAULT ''* * * * *''::text', 'bigint'),
    ('maintenance_status', '', 'TABLE(job text, last_run timestamp with time zone, rows bigint, ok boolean, detail text)'),
    ('record_intent_signal', 'lead_id uuid, kind text, call_id uuid', 'uuid'),
    ('record_qualification', 'lead_id uuid, inputs jsonb', 'uuid'),
    ('is_on_dnc_list', 'phone_number text, org_id uuid', 'boolean'),
    ('add_to_dnc_list', 'phone_number text, reason text, source text DEFAULT ''manual_entry''::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, opt_out_phrase text DEFAULT NULL::text', 'uuid'),
    ('remove_from_dnc_list', 'phone_number text, reason text', 'boolean'),
    ('can_contact', 'lead_id uuid, channel text DEFAULT ''call''::text', 'boolean'),
    ('contact_blockers', 'lead_id uuid, channel text DEFAULT ''call''::text, campaign_id uuid DEFAULT NULL::uuid', 'TABLE(rule text, detail text, unblocks_at timestamp with time zone)'),
    ('next_call_time', 'lead_id uuid, after timestamp with time zone DEFAULT lead_system.clock_now()', 'timestamp with time zone'),
    ('create_lead_list_from_csv', 'p_business_id uuid, p_list_name character varying, p_leads jsonb', 'uuid'),
    ('import_leads_csv', 'list_name text, csv text, options jsonb DEFAULT ''{}''::jsonb', 'uuid'),
    ('add_lead_list_to_campaign', 'p_campaign_id uuid, p_lead_list_id uuid, p_priority integer DEFAULT 1', 'uuid'),
    ('remove_lead_list_from_campaign', 'p_campaign_id uuid, p_lead_list_id uuid', 'bigint'),
    ('claim_campaign_leads', 'p_campaign_id uuid, p_limit integer DEFAULT 1, p_user_id uuid DEFAULT NULL::uuid, p_lease interval DEFAULT ''00:05:00''::interval',
        'TABLE(campaign_lead_id uuid, lead_id uuid, phone_number text, attempts integer, lead_list_id uuid)'),
    ('open_bidding', 'lead_id uuid, base_lead_cost numeric, closes_at timestamp with time zone DEFAULT NULL::timestamp with time zone', 'void'),
    ('place_bid', 'lead_id uuid, contractor_id uuid, bid_multiplier numeric', 'uuid'),
    ('cancel_bid', 'bid_id uuid', 'void'),
    ('rank_bids', 'lead_id uuid', 'TABLE(bid_id uuid, contractor_id uuid, final_bid_amount numeric, bid_rank integer)'),
    ('close_bidding', 'lead_id uuid', 'integer'),
    ('close_due_bidding', 'batch integer DEFAULT 100', 'bigint'),
    ('send_message', 'lead_id uuid, sender_id uuid, message_text text', 'uuid'),
    ('decline_lead', 'bid_id uuid, reason text', 'void'),
    ('expire_response_windows', 'batch integer DEFAULT 100', 'bigint'),
    ('appeal_ban', 'contractor_id uuid, appeal_reason text', 'uuid'),
    ('review_appeal', 'appeal_id uuid, approve boolean, reviewed_by uuid', 'void'),
    ('lift_expired_bans', '', 'bigint'),
    ('refresh_contractor_metrics', 'contractor_id uuid', 'void'),
    ('erase_lead', 'lead_id uuid, reason text', 'void'),
    ('take_analytics_snapshot', 'day date', 'void'),
    ('lead_funnel', 'from_day date, to_day date', 'TABLE(stage text, "position" integer, leads bigint, reached bigint, rate numeric, step_rate numeric)'),
    ('time_in_stage', 'from_day date, to_day date', 'TABLE(stage text, stays bigint, leads bigint, average interval, median interval, percentile_90 interval, longest interval)'),
    ('source_performance', 'from_day date, to_day date', 'TABLE(source text, sub_source text, leads bigint, won bigint, cost numeric, revenue numeric, cpl numeric, cpr numeric, roi numeric)'),
    ('find_duplicate_leads', '', 'TABLE(lead_id uuid, duplicate_of uuid, matched_on text)'),
    ('merge_leads', 'survivor uuid, duplicates uuid[]', 'uuid'),
    ('unmerge_leads', 'merge_id uuid', 'void'),
    ('archive_leads', 'batch integer DEFAULT 1000', 'bigint'),
    ('assign_lead', 'lead_id uuid, strategy text DEFAULT ''capacity''::text, user_id uuid DEFAULT NULL::uuid', 'uuid'),
    ('assign_waiting_leads', 'batch integer DEFAULT 100', 'bigint'),
    ('enroll_lead', 'sequence_id uuid, lead_id uuid', 'uuid'),
    ('pause_enrollment', 'enrollment_id uuid, reason text DEFAULT NULL::text', 'void'),
    ('resume_enrollment', 'enrollment_id uuid, reason text DEFAULT NULL::text', 'void'),
    ('cancel_enrollment', 'enrollment_id uuid, reason text DEFAULT NULL::text', 'void'),
    ('claim_due_steps', 'batch integer DEFAULT 100, lease interval DEFAULT ''00:05:00''::interval',
        'TABLE(enrollment_id uuid, lead_id uuid, step integer, channel text, template_id text, payload jsonb)'),
    ('complete_step', 'enrollment_id uuid, step integer', 'void'),
    ('fail_step', 'enrollment_id uuid, step integer, error text', 'void'),
    ('enqueue_notification', 'notification jsonb', 'uuid'),
    ('complete_notification', 'id uuid', 'void'),
    ('fail_notification', 'id uuid, error text', 'void'),
    ('filter_matches', 'filter jsonb, lead record', 'boolean'),
    ('explain_filter', 'filter jsonb', 'text'),
    ('segment_leads', 'segment_id uuid', 'TABLE(lead_id uuid)'),
    ('refresh_segment_count', 'segment_id uuid', 'bigint'),
    ('set_password', 'user_id uuid, password text', 'void'),
    ('verify_password', 'email text, password text', 'uuid'),
    ('restore_lead', 'lead_id uuid', 'void'),
    ('export_lead', 'lead_id uuid', 'jsonb'),
    ('post_transaction', 'account_id uuid, transaction_type text, amount numeric, description text DEFAULT NULL::text, reference jsonb DEFAULT ''{}''::jsonb', 'uuid'),
    ('hold_budget', 'account_id uuid, amount numeric', 'uuid'),
    ('capture_hold', 'hold_id uuid, amount numeric', 'uuid'),
    ('release_hold', 'hold_id uuid', 'uuid'),
    ('verify_ledger', 'account_id uuid', 'TABLE(ok boolean, broken_at bigint, detail text)'),
    ('verify_dnc_audit', '', 'TABLE(ok boolean, broken_at uuid)'),
    ('record_call', 'call jsonb', 'uuid'),
    ('record_sms', 'sms jsonb', 'uuid'),
    ('run_ad_diagnostics', 'as_of date DEFAULT NULL::date', 'bigint'),
    ('propose_actions', '', 'bigint'),
    ('approve_action', 'log_id uuid, reason text DEFAULT NULL::text', 'void'),
    ('reject_action', 'log_id uuid, reason text DEFAULT NULL::text', 'void'),
    ('apply_action', 'log_id uuid', 'text'),
    ('record_workflow_run', 'workflow_id uuid, run_key text, outcome text DEFAULT ''started''::text, lead_id uuid DEFAULT NULL::uuid, error text DEFAULT NULL::text', 'uuid'),
    ('record_call_attempt', 'p_campaign_lead_id uuid, p_outcome text, p_duration integer DEFAULT 0, p_details jsonb DEFAULT ''{}''::jsonb', 'uuid');

SELECT is_empty($$
    SELECT name, arguments, result FROM promised
    EXCEPT
    SELECT f.name, pg_get_function_arguments(f.oid), pg_get_function_result(f.oid) FROM our_functions f
$$, 'every promised function exists with the promised arguments, defaults and result');

-- An overload of a promised function would make calls by position ambiguous
-- that work today.
SELECT is_empty($$
    SELECT f.signature FROM our_functions f
     WHERE f.name IN (SELECT name FROM promised)
       AND (f.name, pg_get_function_arguments(f.oid)) NOT IN (SELECT name, arguments FROM promised)
$$, 'promised functions have no other forms');

SELECT results_eq($$
    SELECT f.name COLLATE "default", f.prokind::text FROM our_functions f WHERE f.prokind <> 'f' ORDER BY 1
$$, $$ VALUES ('install', 'p'), ('recalculate_lead_scores', 'p'), ('run_maintenance', 'p') $$,
    'install(), recalculate_lead_scores() and run_maintenance() are procedures');

SELECT * FROM finish();
ROLLBACK;
