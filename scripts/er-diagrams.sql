-- The graphviz source of one domain's diagram, from the catalog.
--
-- psql variables: domain, its name; tables, its tables, separated by spaces.
-- Everything is sorted, so that the same catalog gives the same text.
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned

CREATE TEMP TABLE own AS
SELECT c.oid, c.relname, count(*) AS n_columns
  FROM pg_catalog.regexp_split_to_table(:'tables', ' +') t(name)
  JOIN pg_catalog.pg_class c ON c.oid = ('lead_system.' || t.name)::regclass
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 GROUP BY 1, 2;

-- Foreign keys by their first column; the others repeat the tenant.  Two keys
-- on the same column, one of them with the tenant, are one line.
CREATE TEMP TABLE fks AS
SELECT DISTINCT f.conrelid, r.relname AS from_table, f.conkey[1] AS attnum, f.confrelid, t.relname AS to_table,
       f.confdeltype = 'c' AS cascades
  FROM pg_catalog.pg_constraint f
  JOIN pg_catalog.pg_class r ON r.oid = f.conrelid
  JOIN pg_catalog.pg_class t ON t.oid = f.confrelid
 WHERE f.contype = 'f' AND f.connamespace = 'lead_system'::regnamespace
   AND (f.conrelid IN (SELECT oid FROM own) OR f.confrelid IN (SELECT oid FROM own));

-- What belongs to an organization is nearly everything: only this domain's own
-- lines to organizations are drawn.
DELETE FROM fks WHERE to_table = 'organizations' AND conrelid NOT IN (SELECT oid FROM own);

-- Histories have no foreign key; the trigger that removes them names them, as
-- arguments between zero bytes.
CREATE TEMP TABLE histories AS
SELECT DISTINCT h.relname AS from_table, p.relname AS to_table, a.attname AS column_name
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class p ON p.oid = t.tgrelid
  JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid AND f.proname = 'forget_histories'
  CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(pg_catalog.encode(t.tgargs, 'escape'), '\\000')
       WITH ORDINALITY x(arg, i)
  JOIN pg_catalog.pg_class h ON h.relname = x.arg AND h.relnamespace = 'lead_system'::regnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = h.oid AND a.attname = pg_catalog.regexp_replace(p.relname, 's$', '') || '_id'
 WHERE p.relnamespace = 'lead_system'::regnamespace AND p.relname <> 'organizations'
   AND (h.oid IN (SELECT oid FROM own) OR p.oid IN (SELECT oid FROM own));

CREATE TEMP TABLE column_rows AS
WITH keyed AS (
    SELECT o.oid, o.relname, o.n_columns, a.attnum, a.attname, a.attnotnull, a.atttypid, a.atttypmod,
           EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = o.oid AND k.contype = 'p'
                      AND a.attnum = ANY (k.conkey)) AS is_pk,
           EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = o.oid AND k.contype = 'f'
                      AND a.attnum = ANY (k.conkey)) AS is_fk,
           EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = o.oid AND i.indisunique
                      AND NOT i.indisprimary AND a.attnum = ANY (i.indkey::smallint[])) AS is_unique
      FROM own o
      JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
), placed AS (
    -- Long tables are drawn as four stacks side by side; lines leave to the
    -- right, so what they start from stands at the end.
    SELECT k.*, n_columns > 40 AS is_long,
           row_number() OVER (PARTITION BY oid ORDER BY n_columns > 40 AND is_fk, attnum) AS position
      FROM keyed k
)
SELECT relname, attnum, position, attname, attnotnull,
       CASE WHEN is_long THEN (position - 1) / ((n_columns + 3) / 4) ELSE 0 END AS stack,
       pg_catalog.concat_ws(' ', CASE WHEN is_pk THEN 'PK' END, CASE WHEN is_fk THEN 'FK' END,
                            CASE WHEN is_unique THEN 'U' END) AS keys,
       pg_catalog.replace(pg_catalog.replace(pg_catalog.format_type(atttypid, atttypmod),
           'timestamp with time zone', 'timestamptz'), 'time without time zone', 'time') AS type
  FROM placed;

SELECT 'digraph "' || :'domain' || '" {';
SELECT '  graph [rankdir=LR, nodesep=0.3, ranksep=1.0, pad=0.25, bgcolor=white, fontname="DejaVu Sans", fontsize=11, labelloc=b, labeljust=l,
    label="Bold: NOT NULL.  PK primary key, FK foreign key, U in a unique index.\lSolid line: foreign key (filled arrow: ON DELETE CASCADE). Dashed line: a history, without foreign key, removed by trigger.\lGrey: tables of other domains. A foreign key is drawn from its first column; most have organization_id as the second.\l"];';
SELECT '  node [shape=plain, fontname="DejaVu Sans", fontsize=11];';
SELECT '  edge [color="#4a5a6a", arrowsize=0.8];';

-- The tables.
WITH cells AS (
    SELECT relname, stack, position, pg_catalog.format(
               '<TR><TD ALIGN="LEFT" BGCOLOR="%1$s"><FONT POINT-SIZE="8" COLOR="#8a4b08">%2$s</FONT></TD>'
               '<TD ALIGN="LEFT" BGCOLOR="%1$s">%4$s</TD>'
               '<TD ALIGN="LEFT" PORT="c%3$s" BGCOLOR="%1$s"><FONT COLOR="#56606b">%5$s</FONT></TD></TR>',
               CASE WHEN position % 2 = 0 THEN '#f3f6f9' ELSE '#ffffff' END,
               CASE WHEN keys = '' THEN ' ' ELSE keys END, attnum,
               CASE WHEN attnotnull THEN '<B>' || attname || '</B>' ELSE attname END, type) AS row
      FROM column_rows
), stacks AS (
    SELECT relname, stack, '<TD VALIGN="TOP" CELLPADDING="0"><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
           || string_agg(row, '' ORDER BY position) || '</TABLE></TD>' AS stack_cell
      FROM cells GROUP BY relname, stack
)
SELECT pg_catalog.format('  "%1$s" [label=<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="#34495e" BGCOLOR="white">'
           '<TR><TD COLSPAN="%2$s" PORT="head" BGCOLOR="#34495e"><FONT COLOR="white" POINT-SIZE="13"><B>%1$s</B></FONT></TD></TR>'
           '<TR>%3$s</TR></TABLE>>];', relname, count(*), string_agg(stack_cell, '<VR/>' ORDER BY stack))
  FROM stacks GROUP BY relname ORDER BY relname;

-- The neighbours.
SELECT DISTINCT pg_catalog.format('  "%1$s" [label=<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="5" COLOR="#9aa5b1" BGCOLOR="#e9edf1">'
           '<TR><TD PORT="head">%1$s</TD></TR></TABLE>>];', name) AS node
  FROM (SELECT from_table FROM fks UNION SELECT to_table FROM fks
        UNION SELECT from_table FROM histories UNION SELECT to_table FROM histories) n(name)
 WHERE name NOT IN (SELECT relname FROM own)
 ORDER BY node;

-- The lines.  A grey table has no columns to start from.
SELECT pg_catalog.format('  "%s":%s:e -> "%s":head:w [arrowhead=%s];', from_table,
           CASE WHEN conrelid IN (SELECT oid FROM own) THEN 'c' || attnum ELSE 'head' END, to_table,
           CASE WHEN cascades THEN 'normal' ELSE 'empty' END)
  FROM (SELECT from_table, to_table, conrelid, attnum, bool_or(cascades) AS cascades FROM fks GROUP BY 1, 2, 3, 4) f
 ORDER BY from_table, attnum, to_table;
SELECT pg_catalog.format('  "%s":%s:e -> "%s":head:w [style=dashed, arrowhead=normal];', h.from_table,
           coalesce('c' || c.attnum, 'head'), h.to_table)
  FROM histories h LEFT JOIN column_rows c ON c.relname = h.from_table AND c.attname = h.column_name
 ORDER BY h.from_table, h.to_table;
SELECT '}';
