-- merge and archive: tables and columns that the database's owner has added.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set org 'd4000000-0000-4000-8000-00000000000a'
\set a 'd4000000-0000-4000-8000-000000000001'
\set b 'd4000000-0000-4000-8000-000000000002'
\set c 'd4000000-0000-4000-8000-000000000003'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Added', 'recruiting');
SET app.current_org_id = :'org';
CREATE SCHEMA "own Data";
SET search_path = "own Data";
-- Other names of columns, a key that is generated, a row of which a lead has one only.
CREATE TABLE invoices (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant uuid NOT NULL, "the lead" uuid, kind text, doc jsonb, raw json, amount float8,
    parent bigint REFERENCES invoices, UNIQUE (tenant, "the lead", kind),
    FOREIGN KEY ("the lead", tenant) REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE);
CREATE TABLE lines (invoice bigint NOT NULL REFERENCES invoices ON DELETE CASCADE, line int, PRIMARY KEY (invoice, line));
-- Partitions: places of rows are the same in each.
CREATE TABLE visits (id uuid, lead_id uuid, organization_id uuid, page int, PRIMARY KEY (id, page), UNIQUE (lead_id, page),
    FOREIGN KEY (lead_id, organization_id) REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE) PARTITION BY LIST (page);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1);
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES IN (2);
-- No column of the organization; the row outlives the lead.
CREATE UNIQUE INDEX leads_id_key ON lead_system.leads (id);
CREATE TABLE orders (id int PRIMARY KEY, lead uuid REFERENCES lead_system.leads (id) ON DELETE SET NULL);
-- Two leads in a row.
CREATE TABLE links (id int PRIMARY KEY, organization_id uuid, one uuid, other uuid,
    FOREIGN KEY (one, organization_id) REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (other, organization_id) REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE);
-- A table below one of ours.
CREATE TABLE list_notes (organization_id uuid, list uuid, lead uuid, note text, PRIMARY KEY (list, lead),
    FOREIGN KEY (organization_id, list, lead) REFERENCES lead_system.lead_list_members (organization_id, lead_list_id, lead_id) ON DELETE CASCADE);
-- Columns of leads.
ALTER TABLE lead_system.leads ADD COLUMN vip boolean, ADD COLUMN region text, ADD COLUMN facts jsonb, ADD COLUMN codes text[], ADD COLUMN badge text UNIQUE,
    ADD COLUMN nothing jsonb, ADD COLUMN size int, ADD COLUMN twice int GENERATED ALWAYS AS (size * 2) STORED, ADD COLUMN referred_by uuid,
    ADD FOREIGN KEY (referred_by, organization_id) REFERENCES lead_system.leads (id, organization_id);
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, status, vip, region, facts, codes, badge, nothing, size, referred_by) VALUES
    (:'org', :'a', 'Ada', '+12025550101', 'cold', false, NULL, '{"k": 1}', '{x}', NULL, NULL, NULL, NULL),
    (:'org', :'b', 'Bob', '+12025550102', 'cold', NULL, 'south', '{"k": 2, "j": null}', '{y,x}', 'B7', 'null', 3, :'a'),
    (:'org', :'c', 'Cid', '+12025550103', 'recruited', true, 'north', NULL, NULL, NULL, '{"=": 1}', 4, :'b');
INSERT INTO invoices (tenant, "the lead", kind, doc, raw, amount, parent) VALUES
    (:'org', :'a', 'first', NULL, NULL, 0.1, NULL), (:'org', :'b', 'first', 'null', '{"b": 1,  "a": 2, "a": 3}', 1.0 / 3, NULL), (:'org', :'b', 'second', '{"=": null}', 'null', 'NaN', 1), (:'org', :'b', 'third', '{"a": null}', NULL, NULL, 3);
INSERT INTO visits SELECT ('d4000000-0000-4000-8000-0000000000' || lead || page)::uuid, ('d4000000-0000-4000-8000-00000000000' || lead)::uuid, :'org', page FROM generate_series(1, 3) lead, generate_series(1, 2) page WHERE lead <> 1 OR page = 1;
INSERT INTO orders VALUES (1, :'a'), (2, :'b');
INSERT INTO links VALUES (1, :'org', :'a', :'b'), (2, :'org', :'b', :'b'), (3, :'org', :'c', :'b');
CREATE FUNCTION rows() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['invoices', 'lines', 'visits', 'orders', 'links', 'list_notes', 'lead_system.leads', 'lead_system.lead_list_members'] LOOP
        RETURN QUERY EXECUTE format('SELECT %L, x::text FROM %s x', t, t);
    END LOOP;
END
$$;
CREATE TEMP TABLE before AS SELECT * FROM rows();
-- What refers to a row of which there can be one only is not dropped with it.
INSERT INTO lines VALUES (2, 1);
SELECT lead_system.merge_leads(:'a', ARRAY[:'b', :'c']::uuid[]);
ALTER TABLE lines DROP CONSTRAINT lines_invoice_fkey;
ALTER TABLE invoices DROP CONSTRAINT invoices_parent_fkey;
DELETE FROM lines;
-- Merging; whatever the session's settings are.
SET extra_float_digits = -10;
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS merge \gset
RESET extra_float_digits;
SELECT number, right("the lead"::text, 1) AS lead, kind, doc, parent FROM invoices ORDER BY 1;
SELECT right(id::text, 2) AS visit, right(lead_id::text, 1) AS lead, page FROM visits ORDER BY id;
SELECT id, right(lead::text, 1) AS lead FROM orders ORDER BY 1;
SELECT id, right(one::text, 1) AS one, right(other::text, 1) AS other FROM links ORDER BY 1;
SELECT right(id::text, 1) AS lead, vip, region, facts, codes, badge, nothing, size, twice, right(referred_by::text, 1) AS referred_by FROM lead_system.leads ORDER BY id;
SELECT lead_system.unmerge_leads(:'merge');
SELECT * FROM (SELECT * FROM before EXCEPT ALL SELECT * FROM rows()) x ORDER BY 1, 2;
SELECT * FROM (SELECT * FROM rows() EXCEPT ALL SELECT * FROM before) x ORDER BY 1, 2;
-- Rows that cannot be moved are not left behind.
CREATE TABLE plain (lead uuid REFERENCES lead_system.leads (id));
INSERT INTO plain VALUES (:'b');
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
SELECT lead_system.merge_leads(:'b', ARRAY[:'c']::uuid[]) AS merge \gset
SELECT lead_system.unmerge_leads(:'merge');
DROP TABLE plain;
CREATE ROLE regress_merge_owner;
GRANT CREATE, USAGE ON SCHEMA "own Data" TO regress_merge_owner;
GRANT REFERENCES ON lead_system.leads TO regress_merge_owner;
CREATE TABLE theirs (id int PRIMARY KEY, lead uuid REFERENCES lead_system.leads (id));
ALTER TABLE theirs OWNER TO regress_merge_owner;
INSERT INTO theirs VALUES (1, :'b');
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS merge \gset
SELECT right(lead::text, 1) AS lead FROM theirs;
SELECT lead_system.unmerge_leads(:'merge');
SELECT right(lead::text, 1) AS lead FROM theirs;
-- The archive: what outlives a lead, or belongs to another one, too, keeps it; the rest goes along.
ALTER TABLE invoices ADD FOREIGN KEY (parent) REFERENCES invoices;
ALTER TABLE lines ADD FOREIGN KEY (invoice) REFERENCES invoices ON DELETE CASCADE;
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'org', 'd4000000-0000-4000-8000-0000000000b1', 'one');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'org', 'd4000000-0000-4000-8000-0000000000b1', :'b');
INSERT INTO list_notes VALUES (:'org', 'd4000000-0000-4000-8000-0000000000b1', :'b', 'a note');
INSERT INTO lines VALUES (2, 1), (2, 2), (4, 1);
SET lead_system.now = '2026-09-02 15:00:00+00';
SELECT lead_system.archive_leads() AS theirs;
DROP TABLE theirs;
SELECT lead_system.archive_leads() AS orders;
DELETE FROM orders;
SELECT lead_system.archive_leads() AS links;
DELETE FROM links WHERE id <> 2;
SELECT lead_system.archive_leads() AS referred;
UPDATE lead_system.leads SET referred_by = NULL WHERE id = :'c';
UPDATE invoices SET parent = NULL WHERE number = 3;
TRUNCATE before;
INSERT INTO before SELECT * FROM rows();
SELECT lead_system.archive_leads() AS gone;
SELECT right(id::text, 1) AS lead, (SELECT jsonb_object_agg(key, jsonb_array_length(value)) FROM jsonb_each(children) WHERE key ~ 'own|list') AS rows FROM lead_system.leads_archive ORDER BY 1;
SELECT count(*) AS visits FROM visits;
SELECT lead_system.restore_lead(id) FROM lead_system.leads_archive ORDER BY id;
SELECT * FROM (SELECT * FROM before EXCEPT ALL SELECT * FROM rows()) x ORDER BY 1, 2;
SELECT * FROM (SELECT * FROM rows() EXCEPT ALL SELECT * FROM before) x ORDER BY 1, 2;
-- A table that is not there any more loses nothing.
SELECT lead_system.archive_leads() AS gone;
ALTER TABLE visits RENAME TO visits_before;
SELECT lead_system.restore_lead(:'b');
ALTER TABLE visits_before RENAME TO visits;
SELECT lead_system.restore_lead(:'b');
SELECT count(*) AS visits FROM visits WHERE lead_id = :'b';
RESET search_path;
DELETE FROM lead_system.organizations WHERE id = :'org';
DROP TABLE before;
ALTER TABLE lead_system.leads DROP COLUMN vip, DROP COLUMN region, DROP COLUMN facts, DROP COLUMN codes, DROP COLUMN badge, DROP COLUMN nothing, DROP COLUMN twice, DROP COLUMN size, DROP COLUMN referred_by;
SET client_min_messages = warning;
DROP SCHEMA "own Data" CASCADE;
DROP INDEX lead_system.leads_id_key;
REVOKE ALL ON lead_system.leads FROM regress_merge_owner;
DROP ROLE regress_merge_owner;
