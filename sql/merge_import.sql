-- merge: a file that is imported twice, under changed spellings, becomes one again, and two.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set org 'd6000000-0000-4000-8000-00000000000a'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Twice', 'b2b');
SET app.current_org_id = :'org';
SELECT string_agg(format(E'name%1$s,Example%2$s,Works %1$s,(202) 555-01%3$s,%1$s@example.com', n, chr(96 + n), lpad(n::text, 2, '0')), E'\n') AS first,
       string_agg(format(E'NAME%1$s,example%2$s,"Works %1$s, %4$s",202.555.01%3$s,new%1$s@example.com', n, upper(chr(96 + n)), lpad((n + 30)::text, 2, '0'), (ARRAY['Inc.', 'LLC', 'Ltd'])[1 + n % 3]), E'\n') AS second
  FROM generate_series(1, 20) n \gset
SELECT lead_system.import_leads_csv('first', E'first_name,last_name,company_name,phone_number,email\n' || :'first') IS NOT NULL AS first,
       lead_system.import_leads_csv('second', E'first_name,last_name,company_name,phone_number,email\n' || :'second') IS NOT NULL AS second;
CREATE FUNCTION row_hashes() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r'
                AND (a.attname = 'lead_id' OR (c.relname IN ('leads', 'lead_lists') AND a.attname = 'id'))
                AND c.relname NOT IN ('lead_merges', 'lead_merge_rows', 'activities', 'lead_audit_log') ORDER BY 1 LOOP
        RETURN QUERY EXECUTE format('SELECT %L, md5(x::text) FROM lead_system.%I x WHERE x.organization_id = lead_system.current_org_id()', t, t);
    END LOOP;
END
$$;
CREATE TEMP TABLE before AS SELECT * FROM row_hashes();
CREATE TEMP TABLE found AS SELECT * FROM lead_system.find_duplicate_leads();
SELECT matched_on, count(*), count(DISTINCT duplicate_of) AS of FROM found GROUP BY 1;
SET lead_system.now = '2026-03-02 16:00:00+00';
CREATE TEMP TABLE merges AS SELECT lead_system.merge_leads(duplicate_of, array_agg(lead_id)) AS id FROM found GROUP BY duplicate_of;
SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS live, count(*) AS leads FROM lead_system.leads WHERE organization_id = :'org';
SELECT count(*) AS found_again FROM lead_system.find_duplicate_leads();
SELECT name, lead_count, (SELECT count(*) FROM lead_system.lead_list_members m JOIN lead_system.leads d ON d.id = m.lead_id WHERE m.lead_list_id = l.id AND d.deleted_at IS NULL) AS live FROM lead_system.lead_lists l WHERE organization_id = :'org' ORDER BY 1;
SET lead_system.now = '2026-03-02 17:00:00+00';
SELECT count(lead_system.unmerge_leads(id)) AS undone FROM merges;
SELECT * FROM (SELECT * FROM before EXCEPT ALL SELECT * FROM row_hashes()) x;
SELECT * FROM (SELECT * FROM row_hashes() EXCEPT ALL SELECT * FROM before) x;
-- A survivor that was changed, merged again or deleted since.
SELECT lead_id, duplicate_of, (SELECT min(x.duplicate_of::text)::uuid FROM found x WHERE x.duplicate_of <> f.duplicate_of) AS other FROM found f ORDER BY duplicate_of DESC LIMIT 1 \gset
SELECT lead_system.merge_leads(:'duplicate_of', ARRAY[:'lead_id']::uuid[]) AS one \gset
UPDATE lead_system.leads SET notes = 'since', city = 'Springfield' WHERE id = :'duplicate_of';
SELECT lead_system.merge_leads(:'other', ARRAY[:'duplicate_of']::uuid[]) AS two \gset
SELECT lead_system.unmerge_leads(:'one');
SELECT lead_system.unmerge_leads(:'two');
BEGIN;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = :'duplicate_of';
SELECT lead_system.unmerge_leads(:'one');
ROLLBACK;
BEGIN;
DELETE FROM lead_system.leads WHERE id = :'duplicate_of';
\set VERBOSITY sqlstate
SELECT lead_system.unmerge_leads(:'one');
\set VERBOSITY default
ROLLBACK;
SELECT lead_system.unmerge_leads(:'one');
SELECT notes, city, deleted_at FROM lead_system.leads WHERE id IN (:'duplicate_of', :'lead_id') ORDER BY id;
DROP TABLE before, found, merges;
DROP FUNCTION row_hashes();
DELETE FROM lead_system.organizations WHERE id = :'org';
