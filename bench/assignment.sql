-- 100,000 leads assigned to 200 users: by each strategy in one pass, beside the
-- bare UPDATE of one column without any trigger, and beside the loop that a careful
-- user would write in PL/pgSQL, over a tenth of the leads and without any trigger.
-- Every run is rolled back.
--
-- By hand, in a database of its own: psql -f bench/assignment.sql
\set QUIET on
CREATE EXTENSION lead_system;
SELECT lead_system.create_organization('Bench', 'b2b') AS org \gset
SET app.current_org_id = :'org';
INSERT INTO lead_system.users (organization_id, full_name, email, max_active_leads, assignment_weight, skills)
SELECT :'org', 'User ' || n, 'user' || n || '@example.com', 400 + n, 1 + n % 2, ARRAY['skill ' || n % 10] FROM generate_series(1, 200) n;
INSERT INTO lead_system.territories (organization_id, kind, code, user_id)
SELECT :'org', 'state', 'S' || row_number() OVER (ORDER BY id) % 20, id FROM lead_system.users;
INSERT INTO lead_system.leads (organization_id, first_name, company_size, industry, inquiry_type, budget_timeline, state, service_type)
SELECT :'org', 'lead ' || n, '1000+', 'Software/SaaS', 'Demo Request', 'Immediate', 'S' || n % 20, 'skill ' || n % 10 FROM generate_series(1, 100000) n;
VACUUM ANALYZE;
CREATE TABLE ids AS SELECT array_agg(id ORDER BY id) AS leads FROM lead_system.leads;
CREATE VIEW spread AS SELECT min(current_lead_count), max(current_lead_count),
    count(*) FILTER (WHERE current_lead_count > max_active_leads) AS above_capacity,
    lead_system.recount_user_counters() AS wrong, (SELECT count(*) FROM lead_system.waiting_leads) AS waiting FROM lead_system.users;

CREATE FUNCTION plain_assign(leads uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
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
\set QUIET off
\timing on
\echo round_robin
BEGIN; SELECT lead_system.assign_leads(leads, 'round_robin') FROM ids; SELECT * FROM spread; ROLLBACK; VACUUM lead_system.leads;
\echo capacity
BEGIN; SELECT lead_system.assign_leads(leads, 'capacity') FROM ids; SELECT * FROM spread; ROLLBACK; VACUUM lead_system.leads;
\echo geographic
BEGIN; SELECT lead_system.assign_leads(leads, 'geographic') FROM ids; SELECT * FROM spread; ROLLBACK; VACUUM lead_system.leads;
\echo skill_based
BEGIN; SELECT lead_system.assign_leads(leads, 'skill_based') FROM ids; SELECT * FROM spread; ROLLBACK; VACUUM lead_system.leads;
\echo the bare UPDATE
BEGIN; ALTER TABLE lead_system.leads DISABLE TRIGGER USER;
WITH u AS (SELECT array_agg(id ORDER BY id) AS a FROM lead_system.users), n AS (SELECT id, row_number() OVER () AS r FROM lead_system.leads)
UPDATE lead_system.leads l SET assigned_to = u.a[1 + n.r % 200] FROM u, n WHERE n.id = l.id;
ROLLBACK; VACUUM lead_system.leads;
\echo PL/pgSQL, a tenth of the leads
BEGIN; ALTER TABLE lead_system.leads DISABLE TRIGGER USER; ALTER TABLE lead_system.users DISABLE TRIGGER USER;
SELECT plain_assign(leads[1:10000]) FROM ids;
ROLLBACK;
