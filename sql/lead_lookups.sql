-- lead_lookups: looking for duplicates of a lead reads a few leads, not all.
SET lead_system.now = '2026-03-02 12:00:00+00';
SELECT lead_system.create_organization('Lookups') AS org \gset
SET app.current_org_id = :'org';
INSERT INTO lead_system.leads (organization_id, first_name, email, source, source_id)
SELECT :'org', 'Lead ' || n, 'lead' || n || '@lookups.example.com', 'crm', 'c-' || n FROM generate_series(1, 2000) n;
CREATE FUNCTION rows_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = 'lead_system.leads'::regclass
$$;
-- The look-up's rows alone: what is a duplicate is skipped.
CREATE FUNCTION reads_few(lead jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint := rows_read();
    read bigint;
BEGIN
    PERFORM lead_system.upsert_lead(lead, 'skip');
    read := rows_read() - before;
    RETURN CASE WHEN read < 100 THEN 'few' ELSE read::text END;
END
$$;
ANALYZE lead_system.leads;
SELECT reads_few('{"email": "lead7@lookups.example.com"}') AS by_email,
       reads_few('{"source": "crm", "source_id": "c-7"}') AS by_source_id,
       reads_few('{"phone_number": "(202) 555-0177"}') AS by_phone_of_nobody;
-- A deleted lead is no duplicate by its source_id.
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE source_id = 'c-7';
SELECT lead_system.upsert_lead('{"first_name": "Anew", "source": "crm", "source_id": "c-7"}') AS anew \gset
SELECT first_name, deleted_at IS NOT NULL AS deleted FROM lead_system.leads WHERE source_id = 'c-7' ORDER BY id;

RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id = :'org';
DROP FUNCTION reads_few(jsonb);
DROP FUNCTION rows_read();
RESET lead_system.now;
