-- What the documentation claims of the catalog: the mapping of the design
-- documents' columns, the settings, the access levels, the functions.
--
-- Run from the project's folder; make check also has a copy of it in $TMP/src.
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on

\set mapping `cat docs/mapping.csv 2>/dev/null || cat "$TMP/src/docs/mapping.csv"`
\set configuration `cat docs/configuration.md 2>/dev/null || cat "$TMP/src/docs/configuration.md"`
\set security `cat docs/security.md 2>/dev/null || cat "$TMP/src/docs/security.md"`
\set pages `cd docs 2>/dev/null || cd "$TMP/src/docs"; cat $(ls *.md | grep -v security.md); grep -v "^|" security.md`

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TEMP TABLE mapping AS
SELECT fields[1] AS document, fields[2] AS source_table, fields[3] AS source_column, fields[4] AS type, fields[5] AS state,
       fields[6] AS target, coalesce(fields[7], '') AS note
  FROM lead_system.parse_csv(:'mapping') WHERE line > 1;

SELECT is((SELECT count(*) FROM mapping), 491::bigint, 'the mapping has a row for each of the 491 columns of the design documents');
SELECT is((SELECT count(DISTINCT (document, source_table, source_column)) FROM mapping), 491::bigint, '... and each of them once');
SELECT is_empty($$ SELECT * FROM mapping WHERE state <> 'exists' OR target IS NULL $$, 'each exists, and it is said where');

CREATE TEMP TABLE targets AS
SELECT m.*, t.name, split_part(t.name, '.', 1) AS relname, split_part(t.name, '.', 2) AS attname
  FROM mapping m, regexp_split_to_table(m.target, ' ') t(name);
CREATE TEMP TABLE catalog_columns AS
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped;

SELECT is_empty($$ SELECT t.source_table, t.source_column, t.target FROM targets t WHERE t.state = 'exists'
    AND NOT EXISTS (SELECT 1 FROM catalog_columns c WHERE c.relname = t.relname AND c.attname = t.attname) $$,
    'columns that are said to exist do');

-- Types, as the documents state them. Document 002 states few, 004 leaves some out.
SELECT is_empty($$ SELECT document, source_table, source_column FROM mapping WHERE type = ''
    AND document !~ '^00[24]_' $$, 'the type that the document states is in the mapping');
CREATE FUNCTION pg_temp.base(type text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE b WHEN 'varchar' THEN 'text' WHEN 'int' THEN 'integer' WHEN 'decimal' THEN 'numeric' WHEN 'timestamptz' THEN 'timestamp with time zone' ELSE b END
      FROM regexp_replace(type, '\(.*\)', '') b
$$;
-- One of the two numbers of numeric(12,2), or all that there is room for.
CREATE FUNCTION pg_temp.digits(type text, n integer) RETURNS integer LANGUAGE sql AS $$
    SELECT coalesce((regexp_match(type, '\((\d+),(\d+)\)'))[n]::integer, 1000)
$$;
-- What a document's type may be instead, without a word; anything else needs a note in the mapping.
CREATE TEMP TABLE widenings (stated text, ours text);
INSERT INTO widenings VALUES ('timestamp', 'timestamp with time zone'), ('integer', 'bigint');
CREATE TEMP TABLE changes (stated text, ours text);
INSERT INTO changes VALUES
    ('text', 'jsonb'),                         -- any value; an external id under its key
    ('text', 'text[]'), ('text', 'uuid[]'),    -- K7: JSON in text
    ('text', 'bytea'),                         -- encrypted
    ('integer', 'smallint'),                   -- of a few values
    ('boolean', 'timestamp with time zone');   -- since when
CREATE TEMP TABLE pairs AS
SELECT t.*, c.type AS our_type, pg_temp.base(t.type) AS stated, pg_temp.base(c.type) AS ours
  FROM targets t JOIN catalog_columns c ON c.relname = t.relname AND c.attname = t.attname;
SELECT is_empty($$ SELECT p.source_table, p.source_column, p.type, p.name, p.our_type FROM pairs p
    WHERE p.type <> '' AND p.ours <> p.stated
    AND NOT EXISTS (SELECT 1 FROM widenings w WHERE w.stated = p.stated AND w.ours = p.ours)
    AND NOT EXISTS (SELECT 1 FROM changes x WHERE x.stated = p.stated AND x.ours = p.ours AND p.note <> '') $$,
    'each column has the type that the document states, or a wider one, or a note');
SELECT is_empty($$ SELECT p.source_table, p.source_column, p.type, p.name, p.our_type FROM pairs p
    WHERE p.type ~ '\(\d+,' AND (pg_temp.digits(p.our_type, 2) < pg_temp.digits(p.type, 2)
       OR pg_temp.digits(p.our_type, 1) - pg_temp.digits(p.our_type, 2) % 1000 < pg_temp.digits(p.type, 1) - pg_temp.digits(p.type, 2)) $$,
    'numbers have as many digits on both sides of the point');
SELECT is_empty($$ SELECT p.source_table, p.source_column, p.name, p.our_type FROM pairs p WHERE p.type = ''
    AND p.our_type <> CASE WHEN p.source_column ~ '^(id|.*_(id|by))$' THEN 'uuid'
        WHEN p.source_column ~ '_(at|date)$' THEN 'timestamp with time zone' WHEN p.source_column ~ '^is_' THEN 'boolean'
        WHEN p.source_column ~ '^(amount|balance_.*|.*_cost)$' THEN 'numeric(12,2)' WHEN p.source_column ~ '_(score|step)$' THEN 'integer'
        WHEN p.source_column ~ '_count$' THEN 'bigint' WHEN p.source_column ~ '^(metadata|value|.*_conditions)$' THEN 'jsonb'
        WHEN p.source_column = 'period_month' THEN 'date' WHEN p.source_column = 'ip_address' THEN 'inet' ELSE 'text' END $$,
    'columns without a stated type have the one that their name says');

-- One line of a table in a page, cell by cell; code marks do not count.
CREATE FUNCTION pg_temp.cells(page text) RETURNS SETOF text[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT btrim(replace(cell, '`', '')) FROM unnest(regexp_split_to_array(btrim(l.line, ' |'), ' *\| *')) cell)
      FROM regexp_split_to_table(page, '\n') l(line) WHERE l.line LIKE '|%'
$$;

CREATE TEMP TABLE documented_keys AS SELECT c[1] AS key, c[2] AS default_value FROM pg_temp.cells(:'configuration') c;
SELECT is_empty($$ SELECT k.key, k.default_value FROM lead_system.config_keys() k WHERE NOT EXISTS (
    SELECT 1 FROM documented_keys d WHERE d.key = k.key AND d.default_value = k.default_value::text) $$,
    'docs/configuration.md has every setting with its default');
SELECT is_empty($$ SELECT s.name FROM pg_settings s WHERE (s.name LIKE 'lead\_system.%' OR s.name IN (
        'app.current_org_id', 'app.current_user_id', 'app.current_tenant_id', 'app.client_ip', 'app.user_agent'))
    AND NOT EXISTS (SELECT 1 FROM documented_keys d WHERE d.key = s.name) $$,
    'docs/configuration.md has every parameter');

CREATE TEMP TABLE documented_levels AS
SELECT c[1] AS object, c[2] AS privileges, c[3] AS level, coalesce(c[4], '') AS maintenance FROM pg_temp.cells(:'security') c;
CREATE TEMP TABLE real_levels AS
SELECT object, privileges, level, CASE WHEN maintenance THEN 'yes' ELSE '' END AS maintenance FROM lead_system.access_levels();
SELECT is_empty($$ SELECT * FROM real_levels EXCEPT SELECT * FROM documented_levels $$, 'docs/security.md has every access level');
SELECT is_empty($$ SELECT object FROM documented_levels WHERE level IN (SELECT level FROM real_levels)
    EXCEPT SELECT object FROM real_levels $$, '... and no other');

CREATE TEMP TABLE page_text AS SELECT :'pages'::text AS pages;
SELECT is_empty($$ SELECT p.proname FROM pg_proc p, page_text t WHERE p.pronamespace = 'lead_system'::regnamespace
    AND p.prorettype <> 'trigger'::regtype AND t.pages !~ ('\m' || p.proname || '\M') $$, 'every function is in a page');
SELECT is_empty($$ SELECT c.relname FROM pg_class c, page_text t WHERE c.relnamespace = 'lead_system'::regnamespace
    AND c.relkind IN ('r', 'p', 'v') AND t.pages !~ ('\m' || c.relname || '\M') $$, 'every table is in a page');

SELECT * FROM finish();
ROLLBACK;
