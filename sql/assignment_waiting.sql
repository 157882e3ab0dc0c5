-- assignment: leads that wait, and what becomes of them.
SET lead_system.now = '2026-03-02 15:00+00';
SET timezone = 'UTC';
SELECT lead_system.create_organization('Waiting', 'b2b') AS org \gset
SET app.current_org_id = :'org';
CREATE FUNCTION new_leads(a int, b int, how text DEFAULT 'Demo Request') RETURNS void LANGUAGE sql AS $$
    INSERT INTO lead_system.leads (organization_id, company_name, company_size, industry, inquiry_type, budget_timeline)
    SELECT lead_system.current_org_id(), 'Company ' || n, CASE how WHEN 'Demo Request' THEN '1000+' ELSE '1-10' END, 'Software/SaaS', how,
           CASE how WHEN 'Demo Request' THEN 'Immediate' ELSE 'Just Researching' END FROM generate_series(a, b) n
$$;
CREATE FUNCTION assign(a int, b int, strategy text DEFAULT 'capacity') RETURNS bigint LANGUAGE sql AS $$
    SELECT lead_system.assign_leads(array_agg(id ORDER BY substring(company_name from '\d+')::int), strategy) FROM lead_system.leads
     WHERE substring(company_name from '\d+')::int BETWEEN a AND b
$$;
CREATE VIEW owners AS SELECT l.company_name AS company, u.full_name AS "user", l.needs_review AS review, w.lead_id IS NOT NULL AS waits
  FROM lead_system.leads l LEFT JOIN lead_system.users u ON u.id = l.assigned_to LEFT JOIN lead_system.waiting_leads w ON w.lead_id = l.id;
INSERT INTO lead_system.users (organization_id, full_name, email, max_active_leads) VALUES
    (:'org', 'ann', 'ann@example.com', 1), (:'org', 'bob', 'bob@example.com', 0);

-- Whichever way waiting ends, the mark for review that it made goes with it; one that was there stays.
SELECT new_leads(1, 7);
UPDATE lead_system.leads SET needs_review = true WHERE company_name = 'Company 7';
SELECT assign(1, 7);
SELECT * FROM owners ORDER BY 1;
UPDATE lead_system.leads SET assigned_to = (SELECT id FROM lead_system.users WHERE full_name = 'bob') WHERE company_name IN ('Company 2', 'Company 7');
UPDATE lead_system.leads SET is_spam = true WHERE company_name = 'Company 3';
UPDATE lead_system.leads SET status = 'Disqualified' WHERE company_name = 'Company 4';
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE company_name = 'Company 5';
SELECT * FROM owners ORDER BY 1;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE deleted_at IS NULL;

-- A free place is given by a probe of the index, also of a queue that was never analyzed.
ALTER TABLE lead_system.waiting_leads SET (autovacuum_enabled = off);
SELECT new_leads(1001, 3000);
SELECT assign(1001, 3000);
SELECT lead_system.set_config('assignment.strategy', '"capacity"');
CREATE FUNCTION touched() RETURNS bigint LANGUAGE sql AS $$
    SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'lead_system.waiting_leads'::regclass
$$;
BEGIN;
SELECT touched() AS before \gset
UPDATE lead_system.users SET max_active_leads = 2 WHERE full_name = 'ann';
SELECT lead_system.assign_waiting_leads(1);
SELECT touched() - :before < 20 AS few;
COMMIT;
ALTER TABLE lead_system.waiting_leads RESET (autovacuum_enabled);
SELECT * FROM owners WHERE NOT waits AND "user" IS NOT NULL ORDER BY 1;
DELETE FROM lead_system.leads WHERE organization_id = :'org';
SELECT lead_system.set_config('assignment.strategy', NULL);

-- Codes of places: the delivery route of a zip code is left out, other hyphens and long letters are not.
INSERT INTO lead_system.users (organization_id, full_name, email) SELECT :'org', name, name || '@example.com' FROM unnest('{cat,dan,eve}'::text[]) name;
INSERT INTO lead_system.territories (organization_id, kind, code, user_id)
SELECT :'org', kind, code, u.id FROM (VALUES ('zip', '60601', 'cat'), ('zip', '00-950', 'dan'), ('state', 'ΑΝΑΤΟΛΙΚΗ ΜΑΚΕΔΟΝΙΑ', 'eve')) t(kind, code, name)
  JOIN lead_system.users u ON u.full_name = t.name;
SELECT new_leads(4001, 4004);
UPDATE lead_system.leads SET zip_code = (ARRAY[' 60601-1234', '00-950', '60601'])[substring(company_name from '\d+')::int - 4000],
       state = CASE company_name WHEN 'Company 4004' THEN 'ΑΝΑΤΟΛΙΚΗ ΜΑΚΕΔΟΝΙΑ' END WHERE company_name LIKE 'Company 400_';
SELECT assign(4001, 4004, 'geographic');
SELECT o.company, o."user", a.metadata FROM owners o JOIN lead_system.leads l ON l.company_name = o.company JOIN lead_system.lead_assignments a ON a.lead_id = l.id
 WHERE a.strategy = 'geographic' ORDER BY 1;

-- A strategy that is chosen, a limit that is raised, managers who are asked: leads that wait are assigned at once.
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE deleted_at IS NULL;
UPDATE lead_system.users SET max_active_leads = 0;
UPDATE lead_system.users SET max_active_leads = 3 WHERE full_name = 'ann';
SELECT new_leads(5001, 5008);
SELECT lead_system.set_config('assignment.max_active', '1');
SELECT assign(5001, 5006);
UPDATE lead_system.users SET max_active_leads = 9, role = 'manager' WHERE full_name = 'bob';
CREATE VIEW waiting AS SELECT count(*) AS waiting, (SELECT string_agg(full_name || ' ' || current_lead_count, ', ' ORDER BY full_name) FROM lead_system.users WHERE current_lead_count > 0) AS have
  FROM lead_system.waiting_leads;
SELECT lead_system.set_config('assignment.max_active', '2');
SELECT * FROM waiting;
SELECT lead_system.set_config('assignment.strategy', '"round_robin"');
SELECT * FROM waiting;
SELECT lead_system.set_config('assignment.max_active', NULL);
SELECT * FROM waiting;
SELECT lead_system.set_config('assignment.drain', 'false');
SELECT lead_system.set_config('assignment.manager_fallback', 'true');
SELECT * FROM waiting;
SELECT lead_system.set_config('assignment.drain', 'true');
SELECT * FROM waiting;
SELECT lead_system.recount_user_counters();

-- Who is no longer active keeps the leads until they are released: they go to others, or wait.
SELECT lead_system.set_config('assignment.manager_fallback', 'false'), lead_system.set_config('assignment.strategy', NULL);
UPDATE lead_system.users SET is_active = false WHERE full_name = 'bob';
SELECT * FROM waiting;
UPDATE lead_system.users SET max_active_leads = 1 WHERE full_name = 'cat';
SELECT lead_system.release_leads(id, reason => 'has left') FROM lead_system.users WHERE full_name = 'bob';
SELECT * FROM waiting;
SELECT count(*), count(to_user_id) AS given, min(reason) AS reason FROM lead_system.lead_assignments a JOIN lead_system.users u ON u.id = a.from_user_id AND u.full_name = 'bob' WHERE a.reason IS NOT NULL;
SELECT needs_review, count(*) FROM lead_system.leads WHERE deleted_at IS NULL AND assigned_to IS NULL AND company_name <= 'Company 5006' GROUP BY 1;
-- an active user keeps what nobody else has room for
UPDATE lead_system.users SET max_active_leads = 2 WHERE full_name = 'cat';
SELECT lead_system.release_leads(id, 'round_robin') FROM lead_system.users WHERE full_name = 'ann';
SELECT * FROM waiting;
SELECT lead_system.release_leads(id) FROM lead_system.users WHERE full_name = 'dan';
-- cold ones are assigned to nobody
UPDATE lead_system.leads SET inquiry_type = 'Content Download', budget_timeline = 'Just Researching', company_size = '1-10', industry = 'Education'
 WHERE assigned_to = (SELECT id FROM lead_system.users WHERE full_name = 'cat');
UPDATE lead_system.users SET is_active = false WHERE full_name = 'cat';
SELECT lead_system.release_leads(id) FROM lead_system.users WHERE full_name = 'cat';
SELECT * FROM waiting;
SELECT lead_system.recount_user_counters();
SELECT lead_system.release_leads(NULL);
SELECT lead_system.release_leads('00000000-0000-4000-8000-000000000099');
SELECT lead_system.release_leads(id, 'manual') FROM lead_system.users WHERE full_name = 'cat';
DROP VIEW waiting;

-- A lead that has become worth a call is assigned, if nobody has it (A17).
SELECT lead_system.create_organization('Upgraded', 'recruiting') AS recruiting \gset
SET app.current_org_id = :'recruiting';
INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (:'recruiting', 'fay', 'fay@example.com');
INSERT INTO lead_system.leads (organization_id, first_name) VALUES (:'recruiting', 'upgraded'), (:'recruiting', 'as it was');
SELECT lead_system.set_config('assignment.auto', 'true'), lead_system.set_config('assignment.strategy', '"capacity"'), lead_system.set_config('scoring.upgrade_score', '30');
SELECT lead_system.record_qualification(id, '{"need": 5}') IS NOT NULL AS recorded FROM lead_system.leads WHERE organization_id = :'recruiting';
SELECT first_name, lead_score, assigned_to IS NOT NULL AS assigned FROM lead_system.leads WHERE organization_id = :'recruiting' ORDER BY 1;
SELECT lead_system.record_qualification(id, '{"interest": 25, "budget": 25, "authority": 20}') IS NOT NULL AS recorded FROM lead_system.leads WHERE first_name = 'upgraded';
SELECT first_name, lead_score, assigned_to IS NOT NULL AS assigned FROM lead_system.leads WHERE organization_id = :'recruiting' ORDER BY 1;
DELETE FROM lead_system.organizations WHERE id = :'recruiting';
SET app.current_org_id = :'org';

DELETE FROM lead_system.organizations WHERE id = :'org';
DROP VIEW owners;
DROP FUNCTION new_leads, assign, touched;
