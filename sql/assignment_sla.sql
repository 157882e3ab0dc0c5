-- assignment_sla: the sweep reads what it has to change, and nothing is in its way.
SET lead_system.now = '2026-03-02 15:00+00';
SET timezone = 'UTC';
SELECT lead_system.create_organization('Times', 'b2b') AS org \gset
SET app.current_org_id = :'org';
CREATE FUNCTION u(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION new_leads(a int, b int, owner uuid DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO lead_system.leads (organization_id, company_name, company_size, industry, inquiry_type, budget_timeline, assigned_to)
    SELECT lead_system.current_org_id(), 'Company ' || n, '1000+', 'Software/SaaS', 'Demo Request', 'Immediate', owner
      FROM generate_series(a, b) n
$$;
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, max_active_leads) VALUES
    (:'org', u(1), 'ann', 'ann@example.com', 'rep', 20), (:'org', u(2), 'bob', 'bob@example.com', 'rep', 2);

-- The oldest leads are those of the only user with room.
SELECT new_leads(1, 10, u(1));
SET lead_system.now = '2026-03-02 16:00+00';
SELECT new_leads(11, 12, u(2));
SET lead_system.now = '2026-03-04 12:00+00';
SELECT lead_system.sweep_sla() AS marked;
SET lead_system.now = '2026-03-05 15:00+00';
SELECT lead_system.sweep_sla(5) AS given;
SELECT l.company_name, u.full_name FROM lead_system.leads l JOIN lead_system.users u ON u.id = l.assigned_to WHERE l.company_name IN ('Company 11', 'Company 12') ORDER BY 1;
-- Now both have room; no more leads are looked at than there is room for.
SET lead_system.now = '2026-03-05 15:30+00';
SELECT lead_system.sweep_sla(5) AS given;
-- Nobody has any.
UPDATE lead_system.users SET max_active_leads = 1;
SET lead_system.now = '2026-03-09 15:00+00';
SELECT lead_system.sweep_sla();

-- A backlog that is marked already, and that nobody has, is not read again.
SELECT new_leads(1001, 4000);
SET lead_system.now = '2026-03-12 15:00+00';
SELECT lead_system.sweep_sla(10000);
ANALYZE lead_system.leads;
UPDATE lead_system.users SET max_active_leads = 20;
\c -
SET lead_system.now = '2026-03-12 15:00+00';
SET app.current_org_id = :'org';
BEGIN;
SELECT lead_system.sweep_sla(10000);
SELECT seq_tup_read + idx_tup_fetch < 100 AS reads_little FROM pg_stat_xact_user_tables WHERE relname = 'leads';
COMMIT;
SELECT count(*), bool_and(needs_review) FROM lead_system.leads;
SELECT count(*) FROM lead_system.sla_breaches();

SELECT lead_system.recount_user_counters();
DELETE FROM lead_system.organizations WHERE id = :'org';
DROP FUNCTION u, new_leads;
