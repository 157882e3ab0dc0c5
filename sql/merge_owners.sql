-- merge and archive: tables of other roles, with the rights of their owners.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set org 'd5000000-0000-4000-8000-00000000000a'
\set other 'd5000000-0000-4000-8000-00000000000b'
\set a 'd5000000-0000-4000-8000-000000000001'
\set b 'd5000000-0000-4000-8000-000000000002'
\set c 'd5000000-0000-4000-8000-000000000003'
\set x 'd5000000-0000-4000-8000-000000000009'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Owners', 'recruiting'), (:'other', 'Others', 'recruiting');
SET app.current_org_id = :'other';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, status) VALUES (:'other', :'x', 'Xen', '+12025550109', 'cold');
SET app.current_org_id = :'org';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, status) VALUES
    (:'org', :'a', 'Ada', '+12025550101', 'cold'), (:'org', :'b', 'Bob', '+12025550102', 'cold'), (:'org', :'c', 'Cid', '+12025550103', 'recruited');
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'org', 'd5000000-0000-4000-8000-0000000000b1', 'one');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'org', 'd5000000-0000-4000-8000-0000000000b1', :'b');
-- Two applications, each with tables of its own; neither may read ours.
CREATE ROLE regress_merge_app;
CREATE ROLE regress_merge_app2;
CREATE SCHEMA own_app AUTHORIZATION regress_merge_app;
CREATE SCHEMA own_app2 AUTHORIZATION regress_merge_app2;
GRANT USAGE ON SCHEMA lead_system TO regress_merge_app, regress_merge_app2;
GRANT REFERENCES ON lead_system.leads, lead_system.lead_list_members TO regress_merge_app, regress_merge_app2;
SET ROLE regress_merge_app;
CREATE TYPE own_app.kind AS ENUM ('first', 'second');
CREATE TABLE own_app.invoices (id int PRIMARY KEY, tenant uuid NOT NULL, lead uuid, kind own_app.kind, doc jsonb, amount float8, parent int REFERENCES own_app.invoices, UNIQUE (tenant, lead, kind),
    FOREIGN KEY (lead, tenant) REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE);
CREATE TABLE own_app.notes (list uuid, lead uuid, organization_id uuid, note text, PRIMARY KEY (list, lead),
    FOREIGN KEY (organization_id, list, lead) REFERENCES lead_system.lead_list_members (organization_id, lead_list_id, lead_id) ON DELETE CASCADE);
-- Policies that hide the rows from their owner do not hide them here, as with foreign keys.
ALTER TABLE own_app.invoices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY none ON own_app.invoices USING (false);
GRANT USAGE ON SCHEMA own_app TO regress_merge_app2;
GRANT REFERENCES ON own_app.invoices TO regress_merge_app2;
SET ROLE regress_merge_app2;
CREATE TABLE own_app2.lines (invoice int REFERENCES own_app.invoices ON DELETE CASCADE, line int, PRIMARY KEY (invoice, line));
RESET ROLE;
-- Below them one that belongs to whom our tables belong.
CREATE TABLE own_app2.ours (invoice int, line int, note text, PRIMARY KEY (invoice, line), FOREIGN KEY (invoice, line) REFERENCES own_app2.lines ON DELETE CASCADE);
INSERT INTO own_app.invoices VALUES (1, :'org', :'a', 'first', NULL, 0.1, NULL), (2, :'org', :'b', 'first', 'null', 1.0 / 3, NULL), (3, :'org', :'b', 'second', '{"=": null}', 'NaN', 1), (4, :'org', :'b', NULL, NULL, NULL, 3);
CREATE TABLE own_app.before (name text, hash text);
CREATE FUNCTION own_app.rows() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['own_app.invoices', 'own_app.notes', 'own_app2.lines', 'own_app2.ours', 'lead_system.leads'] LOOP
        RETURN QUERY EXECUTE format('SELECT %L, x::text FROM %s x', t, t);
    END LOOP;
END
$$;
INSERT INTO own_app.before SELECT * FROM own_app.rows();
-- A row that others refer to cannot be dropped.
INSERT INTO own_app2.lines VALUES (2, 1);
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
DELETE FROM own_app2.lines;
ALTER TABLE own_app2.lines DROP CONSTRAINT lines_invoice_fkey;
ALTER TABLE own_app.invoices DROP CONSTRAINT invoices_parent_fkey;
SET extra_float_digits = -10;
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS merge \gset
RESET extra_float_digits;
SELECT id, right(lead::text, 1) AS lead, kind, parent FROM own_app.invoices ORDER BY 1;
SELECT lead_system.unmerge_leads(:'merge');
SELECT * FROM (SELECT * FROM own_app.before EXCEPT ALL SELECT * FROM own_app.rows()) x ORDER BY 1, 2;
SELECT * FROM (SELECT * FROM own_app.rows() EXCEPT ALL SELECT * FROM own_app.before) x ORDER BY 1, 2;
-- Whoever calls it: an ordinary trigger does not fire, one that fires always does as its owner.
CREATE TABLE own_app.seen (n int GENERATED ALWAYS AS IDENTITY, who text, leads text, lead_is_stamped boolean);
ALTER TABLE own_app.seen OWNER TO regress_merge_app;
GRANT SELECT, UPDATE ON lead_system.leads TO regress_merge_app;
SET ROLE regress_merge_app;
CREATE FUNCTION own_app.look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE lead_system.leads SET updated_at = '2000-01-01' WHERE first_name = 'Cid';
    INSERT INTO own_app.seen (who, leads, lead_is_stamped)
        SELECT current_user, string_agg(first_name, ' ' ORDER BY first_name), bool_or(updated_at > '2026-01-01') FILTER (WHERE first_name = 'Cid') FROM lead_system.leads;
    IF current_setting('own_app.steal', true) = 'on' THEN
        PERFORM 1 FROM lead_system.users;
    ELSIF current_setting('own_app.steal', true) = 'unblock' THEN
        UPDATE lead_system.leads SET do_not_call = false WHERE first_name = 'Cid';
    ELSIF current_setting('own_app.steal', true) = 'role' THEN
        SET ROLE postgres;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER look BEFORE UPDATE ON own_app.invoices FOR EACH ROW EXECUTE FUNCTION own_app.look();
CREATE TRIGGER look_after AFTER UPDATE ON own_app.invoices FOR EACH ROW EXECUTE FUNCTION own_app.look();
CREATE TRIGGER ordinary BEFORE UPDATE ON own_app.invoices FOR EACH ROW EXECUTE FUNCTION own_app.look();
ALTER TABLE own_app.invoices ENABLE ALWAYS TRIGGER look, ENABLE REPLICA TRIGGER look_after;
RESET ROLE;
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS merge \gset
SELECT who, leads, lead_is_stamped FROM own_app.seen ORDER BY n;
SELECT lead_system.unmerge_leads(:'merge');
-- His function may do no more than he may, and after its error everybody is who he was.
SET own_app.steal = 'on';
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
SELECT current_user = session_user AS the_same, current_setting('session_replication_role') AS role;
DO $$
BEGIN
    PERFORM lead_system.merge_leads('d5000000-0000-4000-8000-000000000001', ARRAY['d5000000-0000-4000-8000-000000000002']::uuid[]);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'still %, triggers %, rows %', CASE WHEN current_user = session_user THEN 'the same' ELSE current_user END,
        current_setting('session_replication_role'), (SELECT count(*) FROM own_app.invoices);
END
$$;
UPDATE lead_system.leads SET do_not_call = true WHERE id = :'c';
SET own_app.steal = 'unblock';
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
SET own_app.steal = 'role';
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
RESET own_app.steal;
DROP TRIGGER look ON own_app.invoices;
DROP TRIGGER look_after ON own_app.invoices;
DROP TRIGGER ordinary ON own_app.invoices;
-- A cast is code of his, too.
SET ROLE regress_merge_app;
CREATE FUNCTION own_app.tell(own_app.kind) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'cast as %', current_user;
    RETURN to_json($1::text);
END
$$;
RESET ROLE;
CREATE CAST (own_app.kind AS json) WITH FUNCTION own_app.tell(own_app.kind);
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) IS NOT NULL AS merged \gset
DROP CAST (own_app.kind AS json);
SELECT :'merged' AS merged;
SELECT lead_system.unmerge_leads(id) FROM lead_system.lead_merges WHERE unmerged_at IS NULL;
-- The archive: the rows go along, those of deeper tables, too, and come back.
ALTER TABLE own_app.invoices ADD FOREIGN KEY (parent) REFERENCES own_app.invoices;
ALTER TABLE own_app2.lines ADD FOREIGN KEY (invoice) REFERENCES own_app.invoices ON DELETE CASCADE;
INSERT INTO own_app.notes VALUES ('d5000000-0000-4000-8000-0000000000b1', :'b', :'org', 'a note');
INSERT INTO own_app2.lines VALUES (2, 1), (2, 2), (4, 1);
INSERT INTO own_app2.ours VALUES (2, 1, 'one'), (4, 1, 'four');
UPDATE own_app.invoices SET parent = 2 WHERE id = 3;
SET lead_system.now = '2026-09-02 15:00:00+00';
-- What outlives the lead keeps it, and not the others behind it.
CREATE TABLE own_app.orders (id int PRIMARY KEY, tenant uuid, lead uuid, FOREIGN KEY (lead, tenant) REFERENCES lead_system.leads (id, organization_id));
ALTER TABLE own_app.orders OWNER TO regress_merge_app;
INSERT INTO own_app.orders VALUES (1, :'org', :'a'), (2, :'org', :'b'), (3, :'other', :'x');
SELECT lead_system.archive_leads() AS orders;
TRUNCATE own_app.before;
INSERT INTO own_app.before SELECT * FROM own_app.rows();
DELETE FROM own_app.orders WHERE id = 2;
SELECT lead_system.archive_leads(1) AS behind;
DELETE FROM own_app.orders WHERE id = 1;
SELECT lead_system.archive_leads() AS gone;
SELECT right(id::text, 1) AS lead, (SELECT jsonb_object_agg(key, jsonb_array_length(value)) FROM jsonb_each(children) WHERE key ~ 'own') AS rows FROM lead_system.leads_archive ORDER BY 1;
SELECT name, count(*) FROM own_app.rows() GROUP BY 1 ORDER BY 1;
SELECT lead_system.restore_lead(id) FROM lead_system.leads_archive ORDER BY id;
SELECT * FROM (SELECT * FROM own_app.before EXCEPT ALL SELECT * FROM own_app.rows()) x ORDER BY 1, 2;
SELECT * FROM (SELECT * FROM own_app.rows() EXCEPT ALL SELECT * FROM own_app.before) x ORDER BY 1, 2;
-- Rows whose parent has gone since stay away, whoever has it.
SELECT lead_system.archive_leads() AS gone;
DELETE FROM lead_system.lead_lists WHERE id = 'd5000000-0000-4000-8000-0000000000b1';
SELECT lead_system.restore_lead(id) FROM lead_system.leads_archive ORDER BY id;
SELECT name, count(*) FROM own_app.rows() GROUP BY 1 ORDER BY 1;
-- Only what cannot be told apart stays where it is.
CREATE TABLE own_app.plain (tenant uuid, lead uuid, FOREIGN KEY (lead, tenant) REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE);
ALTER TABLE own_app.plain OWNER TO regress_merge_app;
INSERT INTO own_app.plain VALUES (:'org', :'b');
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
SELECT lead_system.archive_leads() AS gone;
SELECT right(id::text, 1) AS lead FROM lead_system.leads ORDER BY 1;
SET client_min_messages = warning;
DROP SCHEMA own_app, own_app2 CASCADE;
DELETE FROM lead_system.organizations WHERE id IN (:'org', :'other');
DROP OWNED BY regress_merge_app, regress_merge_app2;
DROP ROLE regress_merge_app, regress_merge_app2;
