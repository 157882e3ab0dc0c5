-- Advertising and automation: what each access level may do, that the log and
-- the figures are the extension's alone, and that no limit can be passed over.
--
-- Runs alone: pg_prove test/pgtap/advertising.sql

BEGIN;
SELECT plan(14);
\ir lib/two_organizations.sql

-- The n-th thing of alpha.
\set campaign '''a0000000-0000-4000-8000-0000000000f1'''
\set keyword '''a0000000-0000-4000-8000-0000000000f2'''
CREATE FUNCTION pg_temp.pending(action text) RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM lead_system.ai_agent_logs WHERE organization_id = pg_temp.alpha() AND action_type = action AND result IN ('pending', 'approved') $$;

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('INSERT INTO lead_system.ai_agent_logs (organization_id, agent_name, action_type, action_day, guard, result) VALUES (pg_temp.alpha(), ''cx'', ''x'', ''2026-03-02'', ''automatic'', ''pending'')'),
        ('UPDATE lead_system.ai_agent_logs SET result = ''approved'''),
        ('UPDATE lead_system.ai_agent_logs SET guard = ''automatic'''),
        ('DELETE FROM lead_system.ai_agent_logs'),
        ('UPDATE lead_system.ad_campaigns SET total_spend = 0'),
        ('UPDATE lead_system.ad_campaigns SET paused_for = NULL'),
        ('UPDATE lead_system.keywords SET total_conversions = 9'),
        ('UPDATE lead_system.ad_campaign_days SET spend = 0'),
        ('INSERT INTO lead_system.keyword_days VALUES (pg_temp.alpha(), pg_temp.nobody(), ''2026-03-02'', 1, 1, 1, 1)'),
        ('UPDATE lead_system.workflows SET total_completed = 9'),
        ('UPDATE lead_system.workflow_runs SET status = ''completed'''),
        ('DELETE FROM lead_system.workflow_runs')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | permission denied for %'
$$, 'no level writes the log, figures of days, totals, or runs');

SELECT set_eq($$
    SELECT l.level, s.name
      FROM levels l
     CROSS JOIN (VALUES
        ('look', 'SELECT 1 FROM lead_system.ai_agent_logs HAVING count(*) > 0'),
        ('runs', 'SELECT 1 FROM (SELECT count(*) FROM lead_system.due_workflow_runs()) x'),
        ('campaign', 'INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, daily_budget) VALUES (pg_temp.alpha(), ''x'', ''x'', 1)'),
        ('bid', 'UPDATE lead_system.keywords SET max_cpc = 9'),
        ('workflow', 'INSERT INTO lead_system.workflows (organization_id, workflow_name, workflow_type, config) VALUES (pg_temp.alpha(), ''x'', ''amc_offer'', ''{"steps": [{"action": "call"}]}'')'),
        ('report', 'SELECT lead_system.record_ad_days(''[{"campaign": "alpha", "day": "2026-03-01", "spend": 1, "clicks": 1, "impressions": 1, "conversions": 1}]'')'),
        ('diagnose', 'SELECT lead_system.run_ad_diagnostics()'),
        ('propose all', 'SELECT lead_system.propose_actions()'),
        ('propose', 'SELECT lead_system.propose_action(''cx'', ''change_budget'', ''a0000000-0000-4000-8000-0000000000f1'', 101)'),
        ('note', 'SELECT lead_system.log_agent_action(''cx'', ''x'')'),
        ('run', 'SELECT lead_system.record_workflow_run(''a0000000-0000-4000-8000-0000000000f3'', ''x'')'),
        ('approve', 'SELECT lead_system.approve_action((SELECT id FROM lead_system.ai_agent_logs WHERE action_type = ''pause_keyword''))'),
        ('reject', 'SELECT lead_system.reject_action((SELECT id FROM lead_system.ai_agent_logs WHERE action_type = ''pause_keyword''))'),
        ('apply', 'SELECT lead_system.apply_action((SELECT id FROM lead_system.ai_agent_logs WHERE action_type = ''pause_keyword''))'),
        ('apply due', 'SELECT lead_system.apply_due_actions()')) s(name, statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer = '1 rows'
$$, $$
    SELECT l.level, s.name FROM (VALUES ('look', 1), ('runs', 1), ('campaign', 3), ('bid', 3), ('workflow', 3), ('report', 2), ('diagnose', 3), ('propose all', 3),
        ('propose', 2), ('note', 2), ('run', 2), ('approve', 3), ('reject', 3), ('apply', 3), ('apply due', 3)) s(name, lowest)
      JOIN levels l ON l.position BETWEEN s.lowest AND 4
    UNION ALL VALUES ('maintenance', 'look'), ('maintenance', 'runs'), ('maintenance', 'diagnose'), ('maintenance', 'propose all'), ('maintenance', 'apply due')
$$, 'who may look, report, propose, decide and apply');

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES ('SELECT lead_system.run_ad_diagnostics()'), ('SELECT lead_system.propose_actions()'), ('SELECT lead_system.apply_due_actions()'),
        ('SELECT lead_system.record_ad_days(''[]'')'), ('SELECT lead_system.due_workflow_runs()'), ('SELECT lead_system.log_agent_action(''cx'', ''x'')'),
        ('SELECT lead_system.apply_action(pg_temp.nobody())'), ('SELECT lead_system.record_workflow_run(pg_temp.nobody(), ''x'')')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, '', s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | %'
$$, 'nobody does any of it without an organization');

SELECT is(pg_temp.in_alpha('tap_agent', 'SELECT lead_system.record_ad_days(''[{"campaign": "bravo", "day": "2026-03-01", "spend": 1, "clicks": 1, "impressions": 1, "conversions": 1}]'')'),
    'P0002 | campaign "bravo" does not exist', 'a campaign of another organization does not exist');

-- What may be applied without approval, with one, and not at all.
SELECT is_empty($$
    SELECT v.value, v.expected, x.answer FROM (VALUES (110, 'automatic'), (90, 'automatic'), (110.01, 'approval'), (120, 'approval'), (80, 'approval'),
        (120.01, 'manual'), (79.99, 'manual'), (200, 'manual'), (200.01, 'refused'), (1000000, 'refused')) v(value, expected)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_agent', format('SELECT lead_system.propose_action(''optimizing'', ''change_budget'', ''a0000000-0000-4000-8000-0000000000f1'', %s)', v.value),
        'SELECT guard FROM lead_system.ai_agent_logs WHERE action_type = ''change_budget''')) x(answer)
     WHERE x.answer <> '1 rows -> ' || v.expected
$$, 'the limits are those of J6: ten percent, twenty, a hundred a day');
SELECT is_empty($$
    SELECT v.value, x.answer FROM (VALUES (110.01), (120), (120.01), (200), (200.01)) v(value)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_admin', format('WITH p AS (SELECT lead_system.propose_action(''optimizing'', ''change_budget'', ''a0000000-0000-4000-8000-0000000000f1'', %s) AS id) SELECT lead_system.apply_action(id) FROM p', v.value))) x(answer)
     WHERE x.answer NOT LIKE 'LS060 | %'
$$, 'nobody applies what is above them');
SELECT is_empty($$
    SELECT v.value, x.answer FROM (VALUES (120.01), (200), (200.01)) v(value)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_admin', format('WITH p AS (SELECT lead_system.propose_action(''optimizing'', ''change_budget'', ''a0000000-0000-4000-8000-0000000000f1'', %s) AS id) SELECT lead_system.approve_action(id) FROM p', v.value))) x(answer)
     WHERE x.answer NOT LIKE 'LS060 | %'
$$, 'nor approves what is not to be');

-- Ten small steps do not lead further than one may.
SET LOCAL app.current_org_id = :'alpha';
SELECT lead_system.set_config('ads.automatic', 'true') \g /dev/null
DO $$
DECLARE
    budget numeric;
BEGIN
    FOR i IN 1..10 LOOP
        SELECT round(daily_budget * 1.05, 2) INTO budget FROM lead_system.ad_campaigns WHERE id = 'a0000000-0000-4000-8000-0000000000f1';
        PERFORM lead_system.reject_action(id) FROM lead_system.ai_agent_logs WHERE organization_id = pg_temp.alpha() AND action_type = 'change_budget' AND result = 'pending';
        PERFORM lead_system.propose_action('optimizing', 'change_budget', 'a0000000-0000-4000-8000-0000000000f1', budget + i * 0.01);
        PERFORM lead_system.apply_due_actions();
    END LOOP;
END $$;
SELECT cmp_ok(daily_budget, '<=', 110.00, 'steps of five percent, again and again, end at ten') FROM lead_system.ad_campaigns WHERE id = :campaign;
SELECT cmp_ok(daily_budget, '>', 105.00, '... and the first ones were made') FROM lead_system.ad_campaigns WHERE id = :campaign;
SELECT is((SELECT status FROM lead_system.keywords WHERE id = :keyword), 'paused', 'what needs no approval is applied once that is allowed');
SELECT lead_system.set_config('ads.automatic', NULL) \g /dev/null

-- A contractor's session sees none of it, whatever the role may.
INSERT INTO lead_system.users (organization_id, id, full_name, email, role)
    VALUES (:'alpha', 'a0000000-0000-4000-8000-0000000000c9', 'outsider', 'outsider@example.com', 'contractor');
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT count(*) > 0 FROM lead_system.ad_campaigns), (SELECT count(*) > 0 FROM lead_system.keywords),
        (SELECT count(*) > 0 FROM lead_system.ai_agent_logs), (SELECT count(*) > 0 FROM lead_system.workflows)) $$;
SET LOCAL ROLE tap_manager;
SELECT is(pg_temp.seen(), 't t t t', 'a manager sees campaigns, keywords, the log and workflows');
SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000c9', true) \g /dev/null
SELECT is(pg_temp.seen(), 'f f f f', '... and a contractor does not');
RESET ROLE;
SELECT set_config('app.current_user_id', '', true) \g /dev/null

-- Sweeping as maintenance.
SELECT set_config('app.current_org_id', '', true) \g /dev/null
SET LOCAL lead_system.now = '2026-03-03 15:00:00+00';
SELECT lead_system.reject_action(id) FROM lead_system.ai_agent_logs WHERE organization_id = :'bravo' AND action_type = 'pause_keyword' \g /dev/null
SELECT cmp_ok(lead_system.propose_actions(), '>=', 1::bigint, 'a role above row level security works in all organizations');
SELECT results_eq($$ SELECT organization_id, action_type FROM lead_system.ai_agent_logs WHERE created_at = lead_system.clock_now()
        AND organization_id IN (pg_temp.alpha(), pg_temp.bravo()) ORDER BY 1, 2 $$,
    $$ VALUES (pg_temp.alpha(), 'resume_campaign'), (pg_temp.bravo(), 'pause_keyword') $$, 'in each what is due there, and nothing that is open');

SELECT * FROM finish();
ROLLBACK;
