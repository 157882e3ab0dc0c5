-- import_scale: what an import reads grows with its rows, not with their square,
-- also for an organization that the statistics do not know.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd8000000-0000-4000-8000-00000000000a'
\set bravo 'd8000000-0000-4000-8000-00000000000b'
BEGIN;
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
-- Rows of a table that this transaction has read so far.
CREATE FUNCTION pg_temp.rows_read(relation regclass) RETURNS bigint LANGUAGE sql AS
    'SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = $1';
-- Import n rows; are at most so many rows read for each?
CREATE FUNCTION pg_temp.import(organization text, columns text, pattern text, n integer, most integer, OUT inserted integer, OUT updated integer, OUT few_reads text)
    LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    rows text;
    import_id uuid;
    per_row numeric;
BEGIN
    PERFORM set_config('app.current_org_id', organization, true);
    PERFORM lead_system.set_config('import.batch_size', '200');
    before := pg_temp.rows_read('lead_system.leads') + pg_temp.rows_read('lead_system.lead_list_members');
    SELECT string_agg(replace(replace(pattern, '%', i::text), '#', '+1' || 201 + i / 100 || '55501' || to_char(i % 100, 'FM00')), E'\n' ORDER BY i)
      INTO STRICT rows FROM generate_series(1, n) i;
    import_id := lead_system.import_leads_csv('Scale', columns || E'\n' || rows);
    SELECT i.inserted_count, i.updated_count INTO STRICT inserted, updated
      FROM lead_system.lead_imports i WHERE i.organization_id = $1::uuid AND i.id = import_id;
    per_row := (pg_temp.rows_read('lead_system.leads') + pg_temp.rows_read('lead_system.lead_list_members') - before)::numeric / n;
    few_reads := CASE WHEN per_row <= most THEN 'yes' ELSE 'no: ' || round(per_row) END;
END
$$;
-- nothing is known of any organization
DELETE FROM pg_catalog.pg_statistic WHERE starelid IN ('lead_system.leads'::regclass, 'lead_system.lead_list_members'::regclass);
SELECT * FROM pg_temp.import(:'alpha', 'email', 's%@example.com', 3000, 30);
SELECT * FROM pg_temp.import(:'alpha', 'email,first_name', 's%@example.com,First', 3000, 30);
SELECT * FROM pg_temp.import(:'alpha', 'source_id,first_name', 'S%,First', 3000, 30);
SELECT * FROM pg_temp.import(:'alpha', 'source_id,first_name', 'S%,Second', 3000, 30);
SELECT * FROM pg_temp.import(:'alpha', 'phone', '#', 3000, 30);
SELECT * FROM pg_temp.import(:'alpha', 'phone,first_name', '#,First', 3000, 30);
-- all that is known is of another organization
ANALYZE lead_system.leads, lead_system.lead_list_members;
SELECT * FROM pg_temp.import(:'bravo', 'email', 's%@example.com', 3000, 30);
SELECT * FROM pg_temp.import(:'bravo', 'email,first_name', 's%@example.com,First', 3000, 30);
SELECT * FROM pg_temp.import(:'bravo', 'source_id,first_name', 'S%,First', 3000, 30);
SELECT * FROM pg_temp.import(:'bravo', 'source_id,first_name', 'S%,Second', 3000, 30);
-- rows that the table would refuse are found before any is written: none is written twice
SELECT n_tup_ins AS before FROM pg_stat_xact_user_tables WHERE relid = 'lead_system.leads'::regclass \gset
SELECT count(*) FROM (SELECT lead_system.import_leads_csv('Refused', E'email,company_size,assigned_to,status,budget_min\n' || string_agg('r' || i || '@example.com,'
    || (ARRAY[',,,', 'Large,,,', ',d8000000-0000-4000-8000-0000000000ff,,', ',,Nowhere,', ',,,-1'])[i % 5 + 1], E'\n')) FROM generate_series(1, 1000) i) done;
SELECT row_count, inserted_count, rejected_count FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1;
SELECT n_tup_ins - :before AS written FROM pg_stat_xact_user_tables WHERE relid = 'lead_system.leads'::regclass;
-- objects take memory one at a time
SELECT lead_system.set_config('import.batch_size', '500');
CREATE FUNCTION pg_temp.memory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.email = 'last@example.com' THEN
        RAISE NOTICE 'little memory: %', (SELECT sum(total_bytes) < 12 * 1024 * 1024 FROM pg_backend_memory_contexts WHERE name ~ TG_ARGV[0]);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER memory BEFORE INSERT ON lead_system.leads FOR EACH ROW EXECUTE FUNCTION pg_temp.memory('^(ExprContext|ExecutorState|SPI|lead_system import)');
SELECT lead_system.create_lead_list_from_csv(:'bravo', 'Objects', o) IS NOT NULL AS done
  FROM (SELECT jsonb_agg(jsonb_build_object('email', 'o' || i || '@example.com', 'first_name', 'O')) || '{"email": "last@example.com"}' AS o FROM generate_series(1, 3000) i) x;
-- and so do records that are reported
DELETE FROM lead_system.leads WHERE organization_id = :'bravo' AND email = 'last@example.com';
DROP TRIGGER memory ON lead_system.leads;
CREATE TRIGGER memory BEFORE INSERT ON lead_system.leads FOR EACH ROW EXECUTE FUNCTION pg_temp.memory('^lead_system import');
SELECT lead_system.import_leads_csv('Bad', E'email\n' || string_agg(repeat('b', 6000), E'\n') || E'\nlast@example.com\n') IS NOT NULL AS done FROM generate_series(1, 3000) i;
ROLLBACK;
