-- Assignment: what each access level may do, that nobody assigns a lead of
-- another organization, and that the counters belong to the extension.
--
-- Runs alone: pg_prove test/pgtap/assignment.sql

BEGIN;
SELECT plan(9);
\ir lib/two_organizations.sql

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('INSERT INTO lead_system.lead_assignments (organization_id, lead_id, strategy) VALUES (pg_temp.alpha(), pg_temp.nobody(), ''manual'')'),
        ('UPDATE lead_system.lead_assignments SET reason = ''x'''),
        ('DELETE FROM lead_system.lead_assignments'),
        ('INSERT INTO lead_system.lead_credits (organization_id, lead_id, user_id, milestone) VALUES (pg_temp.alpha(), pg_temp.nobody(), pg_temp.nobody(), ''qualified'')'),
        ('DELETE FROM lead_system.lead_credits'),
        ('INSERT INTO lead_system.waiting_leads (organization_id, lead_id, strategy, waiting_since, set_review) VALUES (pg_temp.alpha(), pg_temp.nobody(), ''capacity'', now(), false)'),
        ('DELETE FROM lead_system.waiting_leads'),
        ('TRUNCATE lead_system.lead_assignments')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | permission denied for %'
$$, 'no level writes assignments, credits or the queue');

SELECT set_eq($$
    SELECT l.level, s.name
      FROM levels l
     CROSS JOIN (VALUES
        ('look', 'SELECT 1 FROM lead_system.lead_assignments HAVING count(*) = 1'),
        ('breaches', 'SELECT count(*) FROM lead_system.sla_breaches()'),
        ('one', 'SELECT lead_system.assign_lead(''a0000000-0000-4000-8000-000000000002'')'),
        ('many', 'SELECT lead_system.assign_leads(ARRAY[''a0000000-0000-4000-8000-000000000002'']::uuid[])'),
        ('territory', 'INSERT INTO lead_system.territories (organization_id, kind, user_id) VALUES (pg_temp.alpha(), ''fallback'', ''a0000000-0000-4000-8000-0000000000a2'')'),
        ('waiting', 'SELECT lead_system.assign_waiting_leads()'),
        ('sweep', 'SELECT lead_system.sweep_sla()'),
        ('recount', 'SELECT lead_system.recount_user_counters()')) s(name, statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer = '1 rows'
$$, $$
    SELECT l.level, s.name FROM (VALUES ('look', 1), ('breaches', 1), ('one', 2), ('many', 3), ('territory', 3), ('waiting', 3), ('sweep', 3), ('recount', 4)) s(name, lowest)
      JOIN levels l ON l.position BETWEEN s.lowest AND 4
    UNION ALL VALUES ('maintenance', 'look'), ('maintenance', 'breaches'), ('maintenance', 'waiting'), ('maintenance', 'sweep'), ('maintenance', 'recount')
$$, 'who may look, assign, sweep and recount');

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('SELECT lead_system.assign_lead(''b0000000-0000-4000-8000-000000000001'')'),
        ('SELECT lead_system.assign_lead(pg_temp.nobody())'),
        ('SELECT lead_system.assign_lead_to(''a0000000-0000-4000-8000-000000000002'', ''b0000000-0000-4000-8000-0000000000a2'', force => true)'),
        ('SELECT lead_system.release_leads(''b0000000-0000-4000-8000-0000000000a2'')'),
        ('SELECT lead_system.assign_leads(ARRAY[''b0000000-0000-4000-8000-000000000001'']::uuid[])')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE l.position IN (3, 4) AND x.answer NOT LIKE 'P0002 | % does not exist'
$$, 'leads and users of another organization do not exist');

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES ('SELECT lead_system.assign_waiting_leads()'), ('SELECT lead_system.sweep_sla()'), ('SELECT lead_system.sla_breaches()'),
        ('SELECT lead_system.recount_user_counters()'), ('SELECT lead_system.assign_leads(''{}'')')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, '', s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | %'
$$, 'nobody does any of it without an organization');

SELECT is(pg_temp.try_as('tap_admin', :'alpha',
        'UPDATE lead_system.users SET current_lead_count = 7, total_leads_assigned = 7, total_leads_contacted = 7, total_leads_qualified = 7, total_response_seconds = 7, avg_response_time_minutes = 7, last_assigned_at = NULL, max_active_leads = 21 WHERE id = ''a0000000-0000-4000-8000-0000000000a2''',
        'SELECT concat_ws('' '', current_lead_count, total_leads_assigned, total_leads_contacted, total_leads_qualified, total_response_seconds, avg_response_time_minutes, last_assigned_at IS NULL, max_active_leads) FROM lead_system.users WHERE id = ''a0000000-0000-4000-8000-0000000000a2'''),
    '1 rows -> 1 1 1 0 0 0 f 21', 'an administrator changes the maximum, but not the counters');
SELECT is(pg_temp.try_as('tap_admin', :'alpha',
        'INSERT INTO lead_system.users (organization_id, id, full_name, email, current_lead_count, last_assigned_at) VALUES (pg_temp.alpha(), pg_temp.nobody(), ''new'', ''new@alpha.example'', 5, now())',
        'SELECT concat_ws('' '', current_lead_count, last_assigned_at IS NULL) FROM lead_system.users WHERE id = pg_temp.nobody()'),
    '1 rows -> 0 t', 'nor brings any along');
SELECT is(pg_temp.try_as('tap_agent', :'alpha',
        'UPDATE lead_system.leads SET assigned_to = ''a0000000-0000-4000-8000-0000000000a2'' WHERE id = ''a0000000-0000-4000-8000-000000000002''',
        'SELECT u.current_lead_count || '' '' || count(a.id) || '' '' || (SELECT count(*) FROM lead_system.waiting_leads w WHERE w.organization_id = pg_temp.alpha()) FROM lead_system.users u JOIN lead_system.lead_assignments a ON a.to_user_id = u.id AND a.strategy = ''manual'' WHERE u.id = ''a0000000-0000-4000-8000-0000000000a2'' GROUP BY u.current_lead_count'),
    '1 rows -> 2 2 0', 'a plain update by an agent counts, and ends the waiting');
SELECT is(pg_temp.in_alpha('tap_maintenance', 'SELECT lead_system.assign_waiting_leads()',
        'SELECT count(*) || '' '' || count(*) FILTER (WHERE organization_id = pg_temp.alpha()) FROM lead_system.waiting_leads'),
    '1 rows -> 1 0', 'a sweeper works in the organization of its session');
SELECT is(pg_temp.text_as('tap_readonly', :'alpha', 'SELECT DISTINCT code FROM lead_system.territories'), '(ALPHA)', 'territories are seen by their organization alone');

SELECT * FROM finish();
ROLLBACK;
