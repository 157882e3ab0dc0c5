-- Analytics: who may read and who may write, and that a report of one
-- organization shows nothing of another. What the figures are is in
-- sql/analytics.sql and test/tap/034_analytics_properties.pl.
--
-- Runs alone: pg_prove test/pgtap/analytics.sql

BEGIN;
SELECT plan(30);
\ir lib/two_organizations.sql
SET LOCAL timezone = 'UTC';

-- A lead of its own for each, and the snapshot of its day.
DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES (pg_temp.alpha(), 'alpha'), (pg_temp.bravo(), 'bravo')) v(org, word) LOOP
        PERFORM set_config('app.current_org_id', o.org::text, true);
        INSERT INTO lead_system.leads (organization_id, first_name, source, created_at) VALUES (o.org, o.word, o.word, '2026-03-01 12:00:00+00');
        PERFORM lead_system.take_analytics_snapshot('2026-03-01');
    END LOOP;
    PERFORM set_config('app.current_org_id', '', true);
END
$$;

-- What a statement comes to for a role in an organization: the rows as text, or the code.
CREATE FUNCTION pg_temp.said(role_name text, org uuid, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('app.current_user_id', '', true), set_config('app.current_org_id', coalesce(org::text, ''), true);
    EXECUTE format('SET LOCAL ROLE %I', role_name);
    BEGIN
        EXECUTE format('SELECT coalesce(string_agg(x::text, ''; ''), ''nothing'') FROM (%s) x', statement) INTO answer;
    EXCEPTION WHEN OTHERS THEN
        answer := SQLSTATE;
    END;
    RESET ROLE;
    RETURN answer;
END
$$;

CREATE TEMP TABLE reports (name text, call text) ON COMMIT DROP;
INSERT INTO reports VALUES
    ('lead_funnel', $$lead_system.lead_funnel('2026-01-01', '2026-03-31')$$),
    ('time_in_stage', $$lead_system.time_in_stage('2026-01-01', '2026-03-31')$$),
    ('source_performance', $$lead_system.source_performance('2026-01-01', '2026-03-31')$$),
    ('cohort_report', $$lead_system.cohort_report('2026-01-01', '2026-03-31')$$),
    ('velocity_report', $$lead_system.velocity_report('2026-01-01', '2026-03-31')$$),
    ('attribution', $$lead_system.attribution('2026-01-01', '2026-03-31', 'linear')$$),
    ('analytics_snapshots', 'lead_system.analytics_snapshots'),
    ('user_dashboard', 'lead_system.user_dashboard'),
    ('lead_pipeline', 'lead_system.lead_pipeline'),
    ('campaign_performance', 'lead_system.campaign_performance'),
    ('campaign_lead_lists_with_stats', 'lead_system.campaign_lead_lists_with_stats'),
    ('lead_lists_with_campaigns', 'lead_system.lead_lists_with_campaigns');

SELECT is_empty(format($$ SELECT name, pg_temp.said(%L, pg_temp.alpha(), 'SELECT * FROM ' || call) FROM reports
     WHERE pg_temp.said(%1$L, pg_temp.alpha(), 'SELECT * FROM ' || call) ~ '^([0-9A-Z]{5})$' $$, role_name), format('level %s may make every report', level))
  FROM levels WHERE level <> 'none' ORDER BY position;
SELECT is_empty($$ SELECT name FROM reports WHERE pg_temp.said('tap_none', pg_temp.alpha(), 'SELECT * FROM ' || call) <> '42501' $$, 'a role without level may make none');
SELECT is_empty($$ SELECT name FROM reports WHERE pg_temp.said('tap_readonly', pg_temp.alpha(), 'SELECT * FROM ' || call) ~ '(bravo|b0000000)' $$,
    'no report of alpha shows anything of bravo');
SELECT isnt_empty($$ SELECT name FROM reports WHERE pg_temp.said('tap_readonly', pg_temp.bravo(), 'SELECT * FROM ' || call) ~ 'bravo' $$, 'which its own do');
SELECT is_empty($$ SELECT name FROM reports WHERE call LIKE '%(%' AND pg_temp.said('tap_admin', NULL, 'SELECT * FROM ' || call) <> '42501' $$, 'without an organization there is no report');
SELECT is_empty($$ SELECT name FROM reports WHERE call NOT LIKE '%(%' AND pg_temp.said('tap_admin', NULL, 'SELECT * FROM ' || call) <> 'nothing' $$, 'and the views are empty');

-- Both organizations have leads from the same day: each counts its own.
SELECT is(pg_temp.said('tap_readonly', org, $$SELECT leads FROM lead_system.source_performance('2026-03-01', '2026-03-01')$$), '(1)', 'one lead of its own')
  FROM unnest(ARRAY[pg_temp.alpha(), pg_temp.bravo()]) org;

-- Snapshots are taken by admin and maintenance, and written by nobody.
SELECT is(pg_temp.said('tap_' || level, pg_temp.alpha(), $$SELECT lead_system.take_analytics_snapshot('2026-03-01')$$), answer, format('snapshot by %s', level))
  FROM (VALUES ('readonly', '42501'), ('agent', '42501'), ('manager', '42501'), ('admin', '("")'), ('maintenance', '("")')) v(level, answer);
SELECT is(pg_temp.said('tap_maintenance', NULL, $$SELECT lead_system.take_analytics_snapshot('2026-03-01')$$), '42501', 'a role under row level security has to say for whom');
SELECT is(pg_temp.said('tap_admin', pg_temp.alpha(), $$SELECT count(*) FROM lead_system.analytics_snapshots$$), '(1)', 'one snapshot of a day');
SET LOCAL app.current_org_id = :'alpha';
SELECT throws_ok($$ SET LOCAL ROLE tap_admin; UPDATE lead_system.analytics_snapshots SET total_leads = 7 $$, '42501', NULL, 'nobody changes a snapshot');
RESET ROLE;
SELECT throws_ok($$ SET LOCAL ROLE tap_admin; INSERT INTO lead_system.analytics_snapshots (snapshot_date) VALUES ('2026-01-01') $$, '42501', NULL, 'nobody makes one up');
RESET ROLE;

-- Touches: from agents, and of one's own leads alone.
SELECT is(pg_temp.said('tap_readonly', pg_temp.alpha(), $$SELECT lead_system.record_touch('a0000000-0000-4000-8000-000000000001', 'x')$$), '42501', 'readonly records no touch');
SELECT isnt(pg_temp.said('tap_agent', pg_temp.alpha(), $$SELECT lead_system.record_touch('a0000000-0000-4000-8000-000000000001', 'x')$$), '42501', 'an agent does');
SELECT is(pg_temp.said('tap_agent', pg_temp.alpha(), $$SELECT lead_system.record_touch('b0000000-0000-4000-8000-000000000001', 'x')$$), 'P0002', 'not for a lead of another organization');
SELECT is(pg_temp.said('tap_agent', pg_temp.alpha(), $$SELECT lead_system.record_touch(pg_temp.nobody(), 'x')$$), 'P0002', 'which looks like none');

-- The views have the columns of the design document (003), with the organization in place of the user.
SELECT is_empty($$ SELECT v.view_name, c.name FROM (VALUES
    ('user_dashboard', 'organization_id uuid, business_name text, status text, plan_name text, monthly_fee numeric(12,2), subscription_status text, monthly_ad_spend numeric, monthly_leads bigint, monthly_bookings bigint, monthly_revenue numeric, avg_cpl numeric, avg_conversion_rate numeric, avg_roi numeric, active_campaigns bigint'),
    ('lead_pipeline', 'organization_id uuid, status text, count bigint, total_quoted numeric, total_actual numeric, avg_days_to_close numeric'),
    ('campaign_performance', 'organization_id uuid, campaign_name text, daily_budget numeric(12,2), total_spend numeric(12,2), cpl numeric, conversion_rate numeric')) v(view_name, columns),
    regexp_split_to_table(v.columns, ', ') c(name)
    WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = ('lead_system.' || v.view_name)::regclass AND a.attnum > 0
        AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) = c.name) $$, 'the views have the columns of the documents');

-- Contractors are outsiders, whatever the level of their connection.
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor)
VALUES (pg_temp.alpha(), 'a0000000-0000-4000-8000-0000000000cc', 'alpha outsider', 'outsider@example.com', 'contractor', true);
SET LOCAL app.current_org_id = :'alpha';
SET LOCAL app.current_user_id = 'a0000000-0000-4000-8000-0000000000cc';
SET LOCAL ROLE tap_admin;
SELECT throws_ok(format('SELECT * FROM %s', call), '42501', NULL, name || ' is not for contractors') FROM (VALUES ('lead_funnel', $$lead_system.lead_funnel('2026-01-01', '2026-03-31')$$),
    ('take_analytics_snapshot', $$lead_system.take_analytics_snapshot('2026-03-01')$$), ('record_touch', $$lead_system.record_touch('a0000000-0000-4000-8000-000000000001', 'x')$$)) v(name, call);
SELECT is_empty('SELECT * FROM lead_system.analytics_snapshots', 'nor are the daily figures');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
