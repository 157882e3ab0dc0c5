-- The stage of the benchmark of assignment, in a database of its own: :leads leads
-- and 200 users with room for a few more, and the cases.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION lead_system;
CREATE SCHEMA bench;
SELECT lead_system.create_organization('Bench', 'b2b') AS org \gset
SELECT format('ALTER DATABASE %I SET app.current_org_id = %L', current_database(), :'org') \gexec
SET app.current_org_id = :'org';
INSERT INTO lead_system.users (organization_id, full_name, email, max_active_leads, assignment_weight, skills)
SELECT :'org', 'User ' || n, 'user' || n || '@example.com', ceil(:leads * 0.8 / 200) + ceil(n * :leads / 100000.0), 1 + n % 2, ARRAY['skill ' || n % 10]
  FROM generate_series(1, 200) n;
INSERT INTO lead_system.territories (organization_id, kind, code, user_id)
SELECT :'org', 'state', 'S' || row_number() OVER (ORDER BY id) % 20, id FROM lead_system.users;
INSERT INTO lead_system.leads (organization_id, first_name, company_size, industry, inquiry_type, budget_timeline, state, service_type)
SELECT :'org', 'lead ' || n, '1000+', 'Software/SaaS', 'Demo Request', 'Immediate', 'S' || n % 20, 'skill ' || n % 10 FROM generate_series(1, :leads) n;
CREATE TABLE bench.ids AS SELECT array_agg(id ORDER BY id) AS leads FROM lead_system.leads;

-- The loop that a careful user would write, without any trigger.
CREATE FUNCTION bench.assign(leads uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    org uuid := current_setting('app.current_org_id');
    lead uuid;
    rep uuid;
    n bigint := 0;
BEGIN
    FOREACH lead IN ARRAY leads LOOP
        SELECT id INTO rep FROM lead_system.users WHERE organization_id = org AND is_active AND role = 'rep' AND current_lead_count < max_active_leads
         ORDER BY current_lead_count::numeric / (max_active_leads * assignment_weight), last_assigned_at NULLS FIRST, id LIMIT 1 FOR UPDATE;
        CONTINUE WHEN rep IS NULL;
        UPDATE lead_system.leads SET assigned_to = rep WHERE organization_id = org AND id = lead;
        UPDATE lead_system.users SET current_lead_count = current_lead_count + 1, total_leads_assigned = total_leads_assigned + 1,
               last_assigned_at = clock_timestamp() WHERE organization_id = org AND id = rep;
        INSERT INTO lead_system.lead_assignments (organization_id, lead_id, to_user_id, strategy) VALUES (org, lead, rep, 'capacity');
        n := n + 1;
    END LOOP;
    RETURN n;
END
$$;

CREATE TABLE bench.cases (
    position    serial,
    name        text PRIMARY KEY,
    leads       integer NOT NULL,
    is_ours     boolean NOT NULL,
    description text    NOT NULL,
    statement   text    NOT NULL
);
INSERT INTO bench.cases (name, leads, is_ours, description, statement)
SELECT s, :leads, true, 'assign_leads, ' || s, format('SELECT lead_system.assign_leads(leads, %L) FROM bench.ids', s)
  FROM unnest(ARRAY['round_robin', 'capacity', 'geographic', 'skill_based']) s;
INSERT INTO bench.cases (name, leads, is_ours, description, statement) VALUES
    ('plpgsql', :leads / 10, false, 'PL/pgSQL loop, a tenth of the leads, no triggers', format('SELECT bench.assign(leads[1:%s]) FROM bench.ids', :leads / 10)),
    ('bare', :leads, false, 'UPDATE of one column, no triggers', 'WITH u AS (SELECT array_agg(id ORDER BY id) AS a FROM lead_system.users),'
        ' n AS (SELECT id, row_number() OVER () AS r FROM lead_system.leads)'
        ' UPDATE lead_system.leads l SET assigned_to = u.a[1 + n.r % 200] FROM u, n WHERE n.id = l.id');
CREATE TABLE bench.timings (name text, round integer, seconds numeric, assigned bigint, fewest integer, most integer, above_capacity bigint, wrong bigint);
VACUUM ANALYZE;
