-- assignment: strategies, waiting, counters, times.
SET lead_system.now = '2026-03-02 15:00+00';
SET timezone = 'UTC';
SET intervalstyle = postgres;
SELECT lead_system.create_organization('Assignment', 'b2b') AS org \gset
SET app.current_org_id = :'org';
-- The n-th user, the n-th lead.
CREATE FUNCTION u(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION l(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION new_leads(a int, b int, extra jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    INSERT INTO lead_system.leads (organization_id, id, company_name, company_size, industry, inquiry_type, budget_timeline, state, zip_code, country, service_type, assigned_to)
    SELECT lead_system.current_org_id(), l(n), 'Company ' || n, coalesce(extra ->> 'size', '1000+'), 'Software/SaaS', coalesce(extra ->> 'inquiry', 'Demo Request'), coalesce(extra ->> 'budget', 'Immediate'),
           extra ->> 'state', extra ->> 'zip', extra ->> 'country', extra ->> 'service', (extra ->> 'user')::uuid
      FROM generate_series(a, b) n
$$;
CREATE FUNCTION who(id uuid) RETURNS text LANGUAGE sql AS $$ SELECT full_name FROM lead_system.users WHERE users.id = who.id $$;
CREATE VIEW owners AS SELECT l.company_name, u.full_name, l.needs_review FROM lead_system.leads l LEFT JOIN lead_system.users u ON u.id = l.assigned_to;
CREATE VIEW counts AS SELECT full_name, current_lead_count AS open, total_leads_assigned AS given, total_leads_contacted AS contacted, total_leads_qualified AS qualified, avg_response_time_minutes AS minutes FROM lead_system.users;

INSERT INTO lead_system.users (organization_id, id, full_name, email, role, max_active_leads, is_active, is_contractor) VALUES
    (:'org', u(1), 'ann', 'ann@example.com', 'rep', 2, true, false),
    (:'org', u(2), 'bob', 'bob@example.com', 'rep', 4, true, false),
    (:'org', u(3), 'cid', 'cid@example.com', 'rep', 2, true, false),
    (:'org', u(4), 'off', 'off@example.com', 'rep', 9, false, false),
    (:'org', u(5), 'con', 'con@example.com', 'contractor', 9, true, true),
    (:'org', u(6), 'vie', 'vie@example.com', 'viewer', 9, true, false),
    (:'org', u(7), 'meg', 'meg@example.com', 'manager', 1, true, false);

-- round robin: everybody in turn, by id at first
SELECT new_leads(1, 20);
SELECT n, who(lead_system.assign_lead(l(n), 'round_robin')) FROM generate_series(1, 7) n;
SELECT * FROM counts ORDER BY 1;
-- capacity: what is left; then they wait
SELECT who(lead_system.assign_lead(l(8)));
SELECT who(lead_system.assign_lead(l(9)));
SELECT needs_review FROM lead_system.leads WHERE id = l(9);
SELECT lead_system.assign_leads(ARRAY[l(12), l(11), l(10), l(8)]);
SELECT l.company_name, w.strategy, w.waiting_since, w.set_review FROM lead_system.waiting_leads w JOIN lead_system.leads l ON l.id = w.lead_id ORDER BY w.waiting_since, w.lead_id;
SELECT lead_system.recount_user_counters();

-- refusals
SELECT lead_system.assign_lead(l(1), 'fair');
SELECT lead_system.assign_lead(l(1), 'manual');
SELECT lead_system.assign_lead(l(1), 'capacity', u(2));
SELECT lead_system.assign_lead(NULL);
SELECT lead_system.assign_lead(u(1));
SELECT lead_system.assign_lead(l(13), 'manual', l(1));
SELECT lead_system.assign_lead(l(13), 'manual', u(1));
SELECT lead_system.assign_lead_to(l(13), u(4), force => true);
SELECT lead_system.assign_lead(l(13), 'manual', u(5));
SELECT lead_system.assign_lead(l(13), 'manual', u(6));
SELECT lead_system.assign_lead(l(1), 'capacity');
SELECT lead_system.assign_leads(ARRAY[l(13), u(1)]);
SELECT lead_system.assign_leads(ARRAY[l(13), NULL]);
SELECT lead_system.assign_leads(ARRAY[l(13)], 'manual');
SELECT lead_system.assign_leads('{}');
SELECT lead_system.assign_waiting_leads(0);
SELECT new_leads(21, 21, '{"size": "1-10", "inquiry": "Content Download", "budget": "Just Researching"}');
SELECT temperature FROM lead_system.leads WHERE id = l(21);
SELECT lead_system.assign_lead(l(21));
UPDATE lead_system.leads SET is_spam = true WHERE id = l(20);
SELECT lead_system.assign_lead_to(l(20), u(2), force => true);
SELECT lead_system.assign_leads(ARRAY[l(20), l(21)]);

-- above capacity with force only; a manager by hand, or when the reps are full
SELECT who(lead_system.assign_lead_to(l(13), u(1), 'knows them', true));
SELECT strategy, reason, metadata FROM lead_system.lead_assignments WHERE lead_id = l(13);
SELECT who(lead_system.assign_lead(l(13), 'manual', u(1)));
SELECT lead_system.set_config('assignment.manager_fallback', 'true');
SELECT who(lead_system.assign_lead(l(14)));
SELECT metadata FROM lead_system.lead_assignments WHERE lead_id = l(14);
SELECT lead_system.set_config('assignment.manager_fallback', 'false');

-- room is not given away unless a strategy says how
UPDATE lead_system.users SET max_active_leads = 5 WHERE id = u(2);
SELECT count(*) FROM lead_system.waiting_leads;
SELECT lead_system.set_config('assignment.strategy', '"capacity"');
SELECT lead_system.assign_waiting_leads(1);
SELECT * FROM owners WHERE company_name = 'Company 9';
-- a lead is closed, deleted, given to somebody else, somebody becomes active
SET lead_system.now = '2026-03-02 15:30+00';
UPDATE lead_system.leads SET status = 'Contacted' WHERE id = l(3);
UPDATE lead_system.leads SET status = 'Qualified' WHERE id = l(3);
SELECT * FROM counts WHERE full_name = 'cid';
UPDATE lead_system.leads SET status = 'Opportunity' WHERE id = l(3);
SELECT * FROM owners WHERE company_name = 'Company 12';
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = l(11);
SELECT company_name FROM lead_system.waiting_leads w JOIN lead_system.leads l ON l.id = w.lead_id ORDER BY w.waiting_since, w.lead_id;
SELECT lead_system.assign_leads(ARRAY[l(15), l(16), l(17), l(18)], 'round_robin', 'four more');
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = l(2);
UPDATE lead_system.users SET is_active = true, max_active_leads = 2 WHERE id = u(4);
SELECT l.company_name, u.full_name, a.strategy, a.reason FROM lead_system.lead_assignments a JOIN lead_system.leads l ON l.id = a.lead_id
  JOIN lead_system.users u ON u.id = a.to_user_id WHERE a.reason IS NOT NULL ORDER BY l.id;
SELECT company_name FROM lead_system.waiting_leads w JOIN lead_system.leads l ON l.id = w.lead_id ORDER BY w.waiting_since, w.lead_id;
SELECT * FROM counts ORDER BY 1;
-- whichever way a lead is written, it counts
UPDATE lead_system.leads SET assigned_to = u(7) WHERE id IN (l(4), l(5));
UPDATE lead_system.leads SET assigned_to = NULL WHERE id = l(6);
SELECT new_leads(30, 31, jsonb_build_object('user', u(7)));
DELETE FROM lead_system.leads WHERE id IN (l(30), l(3));
SELECT * FROM counts ORDER BY 1;
SELECT lead_system.recount_user_counters();
SELECT old_value, new_value FROM lead_system.activities WHERE lead_id = l(31) AND action_type = 'assigned';
SELECT count(*) FROM lead_system.lead_assignments WHERE lead_id = l(30);
SELECT count(*) FROM lead_system.users WHERE current_lead_count > max_active_leads AND id NOT IN (u(1), u(7));
-- the counters belong to the extension; the histories stay
UPDATE lead_system.users SET current_lead_count = 9 WHERE id = u(1);
SELECT lead_system.recount_user_counters();
UPDATE lead_system.lead_assignments SET reason = 'other';
DELETE FROM lead_system.lead_assignments;
TRUNCATE lead_system.lead_assignments;

-- by place: zip, state, country, fallback; then by capacity
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE deleted_at IS NULL;
SELECT sum(current_lead_count) FROM lead_system.users;
INSERT INTO lead_system.territories (organization_id, kind, code, user_id) VALUES
    (:'org', 'zip', '60601', u(1)), (:'org', 'state', 'IL', u(2)), (:'org', 'country', 'US', u(3)), (:'org', 'fallback', '', u(4));
\set VERBOSITY terse
INSERT INTO lead_system.territories (organization_id, kind, code, user_id) VALUES (:'org', 'state', 'il', u(1));
INSERT INTO lead_system.territories (organization_id, kind, code, user_id) VALUES (:'org', 'state', '', u(1));
\set VERBOSITY default
SELECT new_leads(40, 42, '{"zip": "60601-1234", "state": "il", "country": "US"}');
SELECT new_leads(43, 43, '{"state": "IL"}'), new_leads(44, 44, '{"state": "NY", "country": "us"}'), new_leads(45, 45);
SELECT n, who(lead_system.assign_lead(l(n), 'geographic')) FROM generate_series(40, 45) n;
SELECT l.company_name, u.full_name, a.metadata FROM lead_system.lead_assignments a JOIN lead_system.leads l ON l.id = a.lead_id JOIN lead_system.users u ON u.id = a.to_user_id WHERE a.strategy = 'geographic' ORDER BY 1;

-- by skill; hot leads to who turns most into qualified ones
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE deleted_at IS NULL;
UPDATE lead_system.users SET max_active_leads = 3, skills = CASE id WHEN u(3) THEN '{Roofing}' ELSE '{}' END::text[] WHERE role = 'rep';
UPDATE lead_system.users SET total_leads_assigned = 10, total_leads_qualified = 5 WHERE id = u(2);
UPDATE lead_system.users SET total_leads_assigned = 4, total_leads_qualified = 4 WHERE id = u(4);
UPDATE lead_system.users SET total_leads_assigned = 20, total_leads_qualified = 9 WHERE id = u(1);
SELECT new_leads(50, 51), new_leads(52, 52, '{"service": "roofing"}'), new_leads(53, 53, '{"inquiry": "General Question"}');
SELECT n, who(lead_system.assign_lead(l(n), 'skill_based')) FROM generate_series(50, 53) n;
SELECT metadata FROM lead_system.lead_assignments WHERE strategy = 'skill_based' ORDER BY lead_id;
SELECT lead_system.recount_user_counters();

-- new leads by themselves; a cold one when it gets warm; never above capacity
SELECT lead_system.set_config('assignment.auto', 'true');
SELECT new_leads(60, 62), new_leads(63, 63, '{"size": "1-10", "inquiry": "Content Download", "budget": "Just Researching"}');
SELECT * FROM owners WHERE company_name IN ('Company 60', 'Company 61', 'Company 62', 'Company 63') ORDER BY 1;
UPDATE lead_system.leads SET inquiry_type = 'Demo Request', budget_timeline = 'Immediate', company_size = '201-1000' WHERE id = l(63);
SELECT * FROM owners WHERE company_name = 'Company 63';
SELECT new_leads(64, 80);
SELECT full_name, current_lead_count, max_active_leads FROM lead_system.users WHERE role = 'rep' ORDER BY 1;
SELECT count(*) FROM lead_system.waiting_leads;
SELECT lead_system.set_config('assignment.max_active', '2');
UPDATE lead_system.leads SET status = 'Disqualified' WHERE assigned_to = u(1);
SELECT current_lead_count FROM lead_system.users WHERE id = u(1);
SELECT lead_system.set_config('assignment.max_active', '0');
SELECT lead_system.set_config('assignment.max_total', '1');
SELECT lead_system.assign_waiting_leads();
SELECT lead_system.set_config('assignment.max_total', '0');
SELECT lead_system.assign_waiting_leads();

-- in time
SELECT level, temperature, count(*), min(overdue), max(overdue) FROM lead_system.sla_breaches() GROUP BY 1, 2 ORDER BY 1, 2;
SET lead_system.now = '2026-03-02 16:30:00+00';
SELECT level, temperature, count(*) FROM lead_system.sla_breaches() GROUP BY 1, 2 ORDER BY 1, 2;
SET lead_system.now = '2026-03-02 16:30:00.000001+00';
SELECT level, temperature, count(*), min(overdue) FROM lead_system.sla_breaches() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT lead_system.sweep_sla();
SET lead_system.now = '2026-03-03 16:00+00';
SELECT lead_system.sweep_sla(2), lead_system.sweep_sla(), lead_system.sweep_sla();
SELECT level, temperature, count(*) FROM lead_system.sla_breaches() GROUP BY 1, 2 ORDER BY 1, 2;
SET lead_system.now = '2026-03-04 16:00+00';
SELECT lead_system.sweep_sla();
UPDATE lead_system.users SET max_active_leads = 5 WHERE id = u(3);
SELECT lead_system.set_config('assignment.drain', 'false');
UPDATE lead_system.users SET max_active_leads = 7 WHERE id = u(3);
SELECT lead_system.sweep_sla();
SELECT reason, count(*), count(DISTINCT from_user_id) > 0 AS from_somebody FROM lead_system.lead_assignments WHERE reason LIKE 'not contacted%' GROUP BY 1;
SELECT lead_system.sweep_sla();
SELECT lead_system.recount_user_counters();

DELETE FROM lead_system.organizations WHERE id = :'org';
SELECT count(*) FROM lead_system.lead_assignments;
DROP VIEW owners, counts;
DROP FUNCTION u, l, new_leads, who;
