-- The stage of the benchmarks: one organization with :leads leads and :dnc
-- numbers on its do-not-call list, and, in schema bench, copies of the tables
-- that are written: same columns, checks, indexes, foreign keys, row security.
--
-- Phone numbers are of exchange 555 of the North American plan, which nobody is
-- called at.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION lead_system;
CREATE ROLE bench_app;
SELECT lead_system.grant_access('bench_app', 'admin');
CREATE SCHEMA bench AUTHORIZATION bench_app;
SELECT lead_system.create_organization('Benchmark') AS org \gset
ALTER ROLE postgres SET app.current_org_id = :'org';
SET app.current_org_id = :'org';

CREATE TABLE bench.timings (
    case_name text    NOT NULL,
    variant   text    NOT NULL,
    round     integer NOT NULL,
    units     integer NOT NULL,
    ms        numeric NOT NULL
);

-- The n-th number, of eight million.
CREATE FUNCTION bench.number(n bigint) RETURNS text
    LANGUAGE sql IMMUTABLE
AS $$ SELECT '+1' || 200 + n % 800 || '555' || lpad((n / 800)::text, 4, '0') $$;

-- Invented people "first" to "last"; the same ones every time.
CREATE FUNCTION bench.people(first bigint, last bigint)
    RETURNS TABLE (first_name text, last_name text, company_name text, email text, phone_number text, city text,
        company_size text, industry text, inquiry_type text, budget_timeline text, source text)
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT 'First' || g % 997, 'Last' || g % 9973, 'Company ' || g % 49999,
           'person' || g || '@company' || g % 49999 || '.example.com',
           -- Four blocks of people are used, which begin at multiples of 100 million.
           bench.number(g / 100000000 * 1500000 + g % 100000000),
           'City ' || g % 499,
           (ARRAY['1-10', '11-50', '51-200', '201-1000', '1000+'])[1 + abs(hashint8(g) % 5)],
           (ARRAY['Software/SaaS', 'Marketing/Advertising', 'Financial Services', 'Healthcare', 'Manufacturing',
                  'Retail/E-commerce', 'Education', 'Other'])[1 + (hashint8(g + 1) & 7)],
           (ARRAY['Demo Request', 'Pricing Information', 'General Question', 'Content Download'])[1 + (hashint8(g + 2) & 3)],
           (ARRAY['Immediate', '1-3 months', '3-6 months', 'Just Researching'])[1 + (hashint8(g + 3) & 3)],
           'bench'
      FROM generate_series(first, last) g
$$;

-- Ten more organizations: each has its first import in a round of its own.
CREATE TABLE bench.tenants AS
SELECT r AS round, lead_system.create_organization('Newcomer ' || r) AS id FROM generate_series(1, 10) r;
GRANT SELECT ON bench.tenants TO bench_app;
\echo 'do-not-call list ...'
-- One lead in a hundred is listed; the rest of the list is of other numbers.
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason)
SELECT :'org', CASE WHEN g * 100 <= :leads THEN bench.number(g * 100)
                    ELSE bench.number(5999999 + g) END, 'lead_requested'
  FROM generate_series(1, :dnc) g;
\echo 'leads ...'
-- It is noon where they all are, and the campaigns of the rounds call the same ones.
INSERT INTO lead_system.system_config (organization_id, key, value) VALUES
    (:'org', 'compliance.max_attempts_per_day', '0'), (:'org', 'compliance.min_gap_minutes', '0');
INSERT INTO lead_system.leads (organization_id, first_name, last_name, company_name, email, phone_number, city, company_size,
        industry, inquiry_type, budget_timeline, source, created_at, timezone)
SELECT :'org', p.*, lead_system.clock_now() - (random() * 40 + 2) * interval '1 day',
       'Etc/GMT' || to_char(extract(hour FROM lead_system.clock_now() AT TIME ZONE 'UTC') - 12, 'SGFM90')
  FROM bench.people(1, :leads) p;
\echo 'a list of leads ...'
INSERT INTO lead_system.lead_lists (organization_id, name) VALUES (:'org', 'Benchmark') RETURNING id AS list \gset
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'org', :'list', id FROM lead_system.leads ORDER BY phone_number LIMIT :members;
VACUUM ANALYZE;

-- A copy of a table with all that makes writing cost something, but triggers.
CREATE PROCEDURE bench.copy_table(name text, target text, with_rows boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    EXECUTE format('CREATE TABLE bench.%I (LIKE lead_system.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)%s', target, name,
        (SELECT ' WITH (' || array_to_string(reloptions, ', ') || ')' FROM pg_class WHERE oid = format('lead_system.%I', name)::regclass));
    IF with_rows THEN
        EXECUTE format('INSERT INTO bench.%I SELECT * FROM lead_system.%I', target, name);
    END IF;
    FOR command IN
        SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \S+ ON lead_system\.\S+', 'INDEX ON bench.' || quote_ident(target))
          FROM pg_index WHERE indrelid = format('lead_system.%I', name)::regclass ORDER BY indexrelid
    LOOP
        EXECUTE command;
    END LOOP;
    FOR command IN
        SELECT format('ALTER TABLE bench.%I ADD CONSTRAINT %I %s', target, conname,
                   CASE WHEN to_regclass(replace(confrelid::regclass::text, 'lead_system.', 'bench.')) IS NULL
                        THEN pg_get_constraintdef(oid)
                        ELSE replace(pg_get_constraintdef(oid), 'REFERENCES lead_system.', 'REFERENCES bench.') END)
          FROM pg_constraint WHERE conrelid = format('lead_system.%I', name)::regclass AND contype = 'f'
    LOOP
        EXECUTE command;
    END LOOP;
    EXECUTE format('ALTER TABLE bench.%I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE bench.%I FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant_isolation ON bench.%I'
        ' USING (organization_id = (SELECT lead_system.current_org_id()))'
        ' WITH CHECK (organization_id = (SELECT lead_system.current_org_id()))', target);
    EXECUTE format('ALTER TABLE bench.%I OWNER TO bench_app', target);
END
$$;
\echo 'copies of the tables ...'
CALL bench.copy_table('leads', 'leads', true);
CALL bench.copy_table('lead_audit_log', 'lead_audit_log', false);
CALL bench.copy_table('lead_score_history', 'lead_score_history', false);
CALL bench.copy_table('activities', 'activities', true);
CALL bench.copy_table('lead_lists', 'lead_lists', true);
CALL bench.copy_table('lead_list_members', 'lead_list_members', true);
CALL bench.copy_table('campaigns', 'campaigns', false);
CALL bench.copy_table('campaign_lead_lists', 'campaign_lead_lists', false);
CALL bench.copy_table('campaign_leads', 'campaign_leads', false);
CALL bench.copy_table('campaign_leads', 'bare_campaign_leads', false);
GRANT REFERENCES ON ALL TABLES IN SCHEMA lead_system TO bench_app;
VACUUM ANALYZE;
GRANT pg_read_server_files TO bench_app;
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO bench_app;
GRANT INSERT, SELECT ON bench.timings TO bench_app;
