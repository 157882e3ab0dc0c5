-- analytics: what is counted, and by which days (semantics A20, E6, E7, K1).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'e7000000-0000-4000-8000-00000000000a'
\set bravo 'e7000000-0000-4000-8000-00000000000b'
INSERT INTO lead_system.organizations (id, name, timezone, default_pipeline) VALUES
    (:'alpha', 'Alpha', 'America/Chicago', 'recruiting'), (:'bravo', 'Bravo', 'Asia/Tokyo', 'b2b');
SET app.current_org_id = :'alpha';
-- A lead that came in at a time, and went through some statuses, a day each.
CREATE FUNCTION pg_temp.lead(name text, at timestamptz, steps text[] DEFAULT '{}', src text DEFAULT NULL, sub text DEFAULT NULL, utm text DEFAULT NULL, amount numeric DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lead uuid;
    step text;
    n integer := 0;
BEGIN
    PERFORM set_config('lead_system.now', at::text, true);
    INSERT INTO lead_system.leads (organization_id, first_name, source, sub_source, utm_source, actual_amount) VALUES (lead_system.current_org_id(), name, src, sub, utm, amount) RETURNING id INTO lead;
    FOREACH step IN ARRAY steps LOOP
        n := n + 1;
        PERFORM set_config('lead_system.now', (at + n * interval '1 day')::text, true);
        PERFORM lead_system.change_lead_status(lead, step, force => true);
    END LOOP;
    PERFORM set_config('lead_system.now', '2026-03-02 15:00:00+00', true);
END
$$;

-- The edges of days: in Chicago the first of February begins at 06:00 UTC and the
-- eighth of March, when the clocks change, is over at 05:00 UTC.
SELECT pg_temp.lead('too early', '2026-02-01 05:59:59.999999+00');
SELECT pg_temp.lead('first', '2026-02-01 06:00:00+00');
SELECT pg_temp.lead('last', '2026-03-09 04:59:59.999999+00');
SELECT pg_temp.lead('too late', '2026-03-09 05:00:00+00');
SELECT leads FROM lead_system.lead_funnel('2026-02-01', '2026-03-08') WHERE stage = 'new';
SELECT leads FROM lead_system.lead_funnel('2026-01-31', '2026-03-08') WHERE stage = 'new';
SELECT leads FROM lead_system.lead_funnel('2026-03-08', '2026-03-08') WHERE stage = 'new';
SELECT * FROM lead_system.lead_funnel('2026-03-08', '2026-03-07');
SELECT * FROM lead_system.lead_funnel(NULL, '2026-03-07');
SELECT * FROM lead_system.lead_funnel('-infinity', '2026-03-07');
SELECT * FROM lead_system.lead_funnel('2026-05-01', '2026-05-01');

-- How far leads came, wherever they are now.
SELECT pg_temp.lead('a', '2026-01-05 12:00+00', '{}', 'web', NULL, 'google');
SELECT pg_temp.lead('b', '2026-01-05 13:00+00', '{contacted}', 'web');
SELECT pg_temp.lead('c', '2026-01-05 14:00+00', '{contacted,qualified,cold}', 'web', 'spring');
SELECT pg_temp.lead('d', '2026-01-06 12:00+00', '{contacted,qualified,hot,recruited}', 'web', 'spring', NULL, 500.50);
SELECT pg_temp.lead('e', '2026-01-06 13:00+00', '{nurturing,cold}');
SELECT pg_temp.lead('f', '2026-01-07 12:00+00', '{contacted,hot,recruited,dnc}', 'fair', NULL, NULL, 200);
SELECT pg_temp.lead('g', '2026-01-07 13:00+00', '{contacted,hot,recruited,cold}', 'fair', NULL, NULL, 900);
SELECT pg_temp.lead('h', '2026-02-04 12:00+00', '{contacted,qualified,nurturing}', 'fair');
SELECT * FROM lead_system.lead_funnel('2026-01-01', '2026-01-31');
SELECT * FROM lead_system.time_in_stage('2026-01-01', '2026-01-31');

-- What does not count: spam, deleted leads, but those that were erased do.
INSERT INTO lead_system.leads (organization_id, first_name, email, is_spam, created_at) VALUES (:'alpha', 'spam', 'test@test.com', true, '2026-01-08 12:00+00');
INSERT INTO lead_system.leads (organization_id, first_name, created_at) VALUES (:'alpha', 'deleted', '2026-01-08 12:00+00'), (:'alpha', 'erased', '2026-01-08 12:00+00');
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE first_name = 'deleted';
SELECT lead_system.erase_lead(id, 'asked for it') FROM lead_system.leads WHERE first_name = 'erased';
SELECT leads FROM lead_system.lead_funnel('2026-01-08', '2026-01-08') WHERE stage = 'new';
-- Nor one that was merged into another or deleted before, when it is erased; and so in the stays.
SELECT pg_temp.lead('kept', '2025-11-08 12:00+00', '{contacted}'), pg_temp.lead('double', '2025-11-08 12:00+00'), pg_temp.lead('dropped', '2025-11-08 12:00+00', '{contacted}'), pg_temp.lead('junk', '2025-11-08 12:00+00', '{contacted}');
SELECT count(lead_system.merge_leads(k.id, ARRAY[d.id])) AS merged FROM lead_system.leads k, lead_system.leads d WHERE k.first_name = 'kept' AND d.first_name = 'double';
UPDATE lead_system.leads SET deleted_at = '2025-12-01' WHERE first_name = 'dropped';
UPDATE lead_system.leads SET is_spam = true WHERE first_name = 'junk';
SELECT stage, leads FROM lead_system.lead_funnel('2025-11-08', '2025-11-08') WHERE leads > 0;
SELECT stage, stays, leads FROM lead_system.time_in_stage('2025-11-01', '2025-11-30');
SELECT lead_system.erase_lead(id, 'asked for it') FROM lead_system.leads WHERE first_name IN ('kept', 'dropped');
SELECT stage, leads FROM lead_system.lead_funnel('2025-11-08', '2025-11-08') WHERE leads > 0;
SELECT stage, stays, leads FROM lead_system.time_in_stage('2025-11-01', '2025-11-30');

-- Costs of a month, in part for a part of it; one in another currency.
INSERT INTO lead_system.lead_source_costs (organization_id, source, sub_source, period_month, total_cost, currency) VALUES
    (:'alpha', 'web', NULL, '2026-01-01', 310, 'USD'), (:'alpha', 'web', 'spring', '2026-01-01', 62, 'USD'), (:'alpha', 'web', 'spring', '2026-02-01', 28, 'USD'),
    (:'alpha', 'radio', NULL, '2026-01-01', 31, 'USD'), (:'alpha', 'fair', NULL, '2026-01-01', 99, 'EUR');
SELECT * FROM lead_system.source_performance('2026-01-01', '2026-01-31');
SELECT * FROM lead_system.source_performance('2026-01-06', '2026-02-01');

-- Cohorts, and what happened in each month.
SELECT * FROM lead_system.cohort_report('2026-01-01', '2026-02-28');
SELECT * FROM lead_system.cohort_report('2026-01-05', '2026-01-07', 'day') WHERE age <= 4;
SELECT * FROM lead_system.velocity_report('2026-01-01', '2026-02-28');
SELECT * FROM lead_system.velocity_report('2026-01-05', '2026-01-18', 'week');
SELECT * FROM lead_system.velocity_report('2026-01-05', '2026-01-18', 'year');
SELECT count(*) FROM lead_system.velocity_report('1900-01-01', '2026-01-18', 'day');
SELECT * FROM lead_system.velocity_report('0001-01-01', '9999-12-31', 'day');
SELECT * FROM lead_system.cohort_report('0001-01-01', '0001-12-31', 'week');
SELECT count(*) FROM lead_system.cohort_report('1900-01-01', '1999-12-31', 'month');

-- Who won a lead: of d the sources web, newsletter, call and newsletter; of f fair alone.
BEGIN;
SET LOCAL lead_system.now = '2026-01-07 08:00+00';
SELECT lead_system.record_touch(id, ' newsletter ', '{"issue": 1}') IS NOT NULL AS recorded FROM lead_system.leads WHERE first_name = 'd';
SET LOCAL lead_system.now = '2026-01-07 09:00+00';
INSERT INTO lead_system.activities (organization_id, lead_id, action_type) SELECT organization_id, id, 'call_made' FROM lead_system.leads WHERE first_name = 'd';
SET LOCAL lead_system.now = '2026-01-07 10:00+00';
SELECT lead_system.record_touch(id, 'newsletter') IS NOT NULL AS recorded FROM lead_system.leads WHERE first_name = 'd';
SET LOCAL lead_system.now = '2026-02-07 10:00+00';
SELECT lead_system.record_touch(id, 'after it was won') IS NOT NULL AS recorded FROM lead_system.leads WHERE first_name = 'd';
COMMIT;
SELECT m.model, a.* FROM unnest('{first,last,linear,position}'::text[]) WITH ORDINALITY m(model, n), lead_system.attribution('2026-01-01', '2026-01-31', m.model) a ORDER BY m.n, a.source;
SELECT * FROM lead_system.attribution('2026-01-01', '2026-01-31', 'linear', contacts => false);
SELECT * FROM lead_system.attribution('2026-02-01', '2026-02-28');
SELECT * FROM lead_system.attribution('2026-01-01', '2026-01-31', 'random');
SELECT lead_system.record_touch(id, '  ') FROM lead_system.leads WHERE first_name = 'd';
SELECT lead_system.record_touch(id, 'x', '[]') FROM lead_system.leads WHERE first_name = 'd';
SELECT lead_system.record_touch(id, 'x', '{"utm_source": "y"}') FROM lead_system.leads WHERE first_name = 'd';
SELECT lead_system.record_touch('e7000000-0000-4000-8000-0000000000ff', 'x');

-- Leads in the archive count as before.
CREATE TEMP TABLE before AS SELECT f.*, '' AS what FROM lead_system.lead_funnel('2026-01-01', '2026-01-31') f;
CREATE TEMP TABLE sources_before AS SELECT * FROM lead_system.source_performance('2026-01-01', '2026-01-31');
CREATE TEMP TABLE times_before AS SELECT * FROM lead_system.time_in_stage('2026-01-01', '2026-01-31');
CREATE TEMP TABLE cohorts_before AS SELECT * FROM lead_system.cohort_report('2026-01-01', '2026-01-31', 'week') WHERE age < 8;
SELECT lead_system.take_analytics_snapshot('2026-01-05');
CREATE TEMP TABLE snapshot_before AS SELECT total_leads, leads_contacted, leads_qualified, leads_disqualified, avg_lead_score, median_lead_score, avg_response_time_minutes, leads_by_source FROM lead_system.analytics_snapshots;
BEGIN;
SET LOCAL lead_system.now = '2026-10-01 15:00:00+00';
SELECT lead_system.archive_leads() AS archived;
COMMIT;
SELECT * FROM before EXCEPT SELECT f.*, '' FROM lead_system.lead_funnel('2026-01-01', '2026-01-31') f;
SELECT * FROM sources_before EXCEPT SELECT * FROM lead_system.source_performance('2026-01-01', '2026-01-31');
SELECT * FROM times_before EXCEPT SELECT * FROM lead_system.time_in_stage('2026-01-01', '2026-01-31');
SELECT * FROM cohorts_before EXCEPT SELECT * FROM lead_system.cohort_report('2026-01-01', '2026-01-31', 'week');
SELECT lead_system.take_analytics_snapshot('2026-01-05');
TABLE snapshot_before EXCEPT SELECT total_leads, leads_contacted, leads_qualified, leads_disqualified, avg_lead_score, median_lead_score, avg_response_time_minutes, leads_by_source FROM lead_system.analytics_snapshots;

-- Snapshots: days of UTC, or of the organization; a second one replaces the first.
SELECT lead_system.take_analytics_snapshot('2026-02-01');
SELECT snapshot_date, total_leads, leads_by_source, avg_score_by_source, avg_response_time_minutes FROM lead_system.analytics_snapshots WHERE snapshot_date = '2026-02-01';
SELECT lead_system.set_config('analytics.snapshot_day', '"organization"');
SELECT lead_system.take_analytics_snapshot('2026-02-01');
SELECT snapshot_date, total_leads, leads_by_source FROM lead_system.analytics_snapshots WHERE snapshot_date = '2026-02-01';
SELECT lead_system.set_config('analytics.snapshot_day', '"local"');
SELECT lead_system.take_analytics_snapshot('2026-01-06');
SELECT total_leads, hot_leads + warm_leads + cool_leads + cold_leads + unrated_leads = total_leads AS bands, leads_contacted, leads_qualified, leads_disqualified, leads_to_opportunity,
       avg_response_time_minutes, fastest_response_time_minutes, slowest_response_time_minutes, leads_by_source FROM lead_system.analytics_snapshots WHERE snapshot_date = '2026-01-06';
SELECT lead_system.take_analytics_snapshot('2026-05-01');
SELECT total_leads, avg_lead_score, median_lead_score, leads_by_source, avg_score_by_source FROM lead_system.analytics_snapshots WHERE snapshot_date = '2026-05-01';
SELECT lead_system.take_analytics_snapshot(NULL);
SELECT lead_system.take_analytics_snapshot('infinity');
-- Without an organization: all of them, for a superuser.
RESET app.current_org_id;
SELECT lead_system.take_analytics_snapshot('2026-02-02');
SELECT o.name, s.snapshot_date, s.total_leads FROM lead_system.analytics_snapshots s JOIN lead_system.organizations o ON o.id = s.organization_id WHERE s.snapshot_date = '2026-02-02' AND o.id IN (:'alpha', :'bravo') ORDER BY 1;
SELECT * FROM lead_system.lead_funnel('2026-01-01', '2026-01-31');
SET app.current_org_id = :'alpha';

-- The views. Two subscriptions, two advertising campaigns and three days do not multiply each other (K1).
INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end) VALUES
    (:'alpha', 's1', 'p', 'Basic', 49, '2026-02-01', '2026-03-01'), (:'alpha', 's2', 'p', 'Pro', 99, '2026-03-01', '2026-04-01');
INSERT INTO lead_system.financials (organization_id, date, ad_spend, leads_generated, leads_booked, revenue) VALUES
    (:'alpha', '2026-02-28', 1000, 1000, 1000, 1000), (:'alpha', '2026-03-01', 100, 1, 1, 50), (:'alpha', '2026-03-02', 20, 39, 3, 190), (:'alpha', '2026-03-03', 777, 1, 1, 1);
INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, daily_budget, status, total_spend, total_clicks, total_conversions) VALUES
    (:'alpha', '1', 'spring', 10, 'active', 100, 50, 8), (:'alpha', '2', 'new', 10, 'active', 5, 0, 0), (:'alpha', '3', 'free', 10, 'active', 0, 10, 1), (:'alpha', '4', 'over', 10, 'ended', 9, 9, 9);
SELECT business_name, plan_name, monthly_fee, subscription_status, monthly_ad_spend, monthly_leads, monthly_bookings, monthly_revenue, avg_cpl, avg_conversion_rate, avg_roi, active_campaigns
  FROM lead_system.user_dashboard WHERE organization_id = :'alpha';
SELECT business_name, monthly_ad_spend, avg_cpl, avg_roi, active_campaigns FROM lead_system.user_dashboard WHERE organization_id = :'bravo';
-- In Chicago it is still February.
BEGIN;
SET LOCAL lead_system.now = '2026-03-01 05:00:00+00';
SELECT monthly_ad_spend, monthly_leads FROM lead_system.user_dashboard WHERE organization_id = :'alpha';
COMMIT;
SELECT campaign_name, daily_budget, total_spend, total_clicks, total_conversions, cpl, conversion_rate FROM lead_system.campaign_performance WHERE organization_id = :'alpha' ORDER BY 1;
-- Thirty days before the second of March by Chicago begin at 06:00 UTC on the 31st of January.
SELECT pg_temp.lead('too old', '2026-01-31 05:59:59+00');
SELECT pg_temp.lead('old enough', '2026-01-31 06:00:00+00');
SELECT pg_temp.lead('new', '2026-03-02 12:00+00');
SELECT pg_temp.lead('won', '2026-02-20 12:00+00', '{contacted,hot,recruited}', amount => 50);
SELECT pg_temp.lead('won, too', '2026-02-20 12:00+00', '{contacted,hot,recruited}', amount => 70);
UPDATE lead_system.leads SET quoted_amount = 60, completed_at = created_at + interval '36 hours' WHERE first_name = 'won';
SELECT status, count, total_quoted, total_actual, round(avg_days_to_close, 2) AS days FROM lead_system.lead_pipeline WHERE organization_id = :'alpha' ORDER BY 1;

\set list  'e7000000-0000-4000-8000-0000000000c1'
\set list2 'e7000000-0000-4000-8000-0000000000c2'
\set camp  'e7000000-0000-4000-8000-0000000000d1'
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'list', 'one'), (:'alpha', :'list2', 'two');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT :'alpha', :'list', id FROM lead_system.leads WHERE first_name IN ('new', 'old enough', 'too old', 'won');
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'alpha', :'camp', 'calls', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'camp', :'list', 3) IS NOT NULL AS added;
UPDATE lead_system.campaign_leads SET status = 'contacted', attempts = 2, total_talk_time = 60 WHERE lead_id IN (SELECT id FROM lead_system.leads WHERE first_name IN ('new', 'old enough'));
UPDATE lead_system.campaign_leads SET status = 'converted', attempts = 1, pledged_amount = 25.50 WHERE lead_id IN (SELECT id FROM lead_system.leads WHERE first_name = 'won');
SELECT campaign_name, lead_list_name, lead_count, priority, total_leads, contacted_leads, successful_leads, contact_rate, conversion_rate, attempts, pledged_amount, donated_amount, total_talk_time
  FROM lead_system.campaign_lead_lists_with_stats WHERE organization_id = :'alpha';
SELECT name, lead_count, campaign_count, active_campaign_count, campaigns FROM lead_system.lead_lists_with_campaigns WHERE organization_id = :'alpha' ORDER BY 1;
SELECT lead_system.remove_lead_list_from_campaign(:'camp', :'list') > 0 AS removed;
SELECT name, campaign_count FROM lead_system.lead_lists_with_campaigns WHERE organization_id = :'alpha' ORDER BY 1;

DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'bravo');
SELECT count(*) FROM lead_system.analytics_snapshots WHERE organization_id IN (:'alpha', :'bravo');
