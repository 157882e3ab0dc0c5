-- Reports over a year of leads, and the snapshot of a day on which a twelfth of them
-- came in, beside the SQL that somebody would write who knows that a lead that was
-- lost may have been qualified before.
--
-- psql -v leads=1200000 -v rounds=5 -f bench/analytics.sql, in an empty database.
\set ON_ERROR_STOP on
\set QUIET on
CREATE EXTENSION lead_system;
SET lead_system.now = '2026-01-15 15:00+00';
SELECT lead_system.create_organization('Bench', 'recruiting', '{"timezone": "America/Chicago"}') AS org \gset
SET app.current_org_id = :'org';
ALTER TABLE lead_system.leads DISABLE TRIGGER USER;
-- Of ten leads: three new, two nurtured, one contacted, one qualified, one recruited, two cold.
INSERT INTO lead_system.leads (organization_id, first_name, last_name, company_name, email, city, state, message, source, utm_source, pipeline_id, status, stage,
    status_changed_at, contacted_at, qualified_at, lead_score, raw_score, temperature, score_breakdown, created_at, updated_at)
SELECT :'org', 'First ' || n, 'Last ' || n, 'Company ' || n % 50000, 'lead' || n || '@example.com', 'Springfield', 'IL', repeat('message ', 12),
       'source ' || n % 12, CASE WHEN n % 3 = 0 THEN 'utm ' || n % 5 END, '00000000-0000-7000-8000-000000000002',
       (ARRAY['new', 'new', 'new', 'nurturing', 'nurturing', 'contacted', 'qualified', 'recruited', 'cold', 'cold'])[1 + n % 10],
       (ARRAY['new', 'new', 'new', 'working', 'working', 'contacted', 'qualified', 'won', 'lost', 'lost'])[1 + n % 10],
       d.at, CASE WHEN n % 10 >= 5 THEN d.at + interval '1 hour' END, CASE WHEN n % 10 IN (6, 7, 8) THEN d.at + interval '1 day' END,
       n % 101, n % 101, CASE WHEN n % 101 >= 80 THEN 'hot' WHEN n % 101 >= 50 THEN 'warm' ELSE 'cold' END,
       '{"company_size": 10, "industry": 8, "inquiry_type": 15, "budget_timeline": 5}', d.at, d.at
  FROM generate_series(1, :leads) n
 CROSS JOIN LATERAL (SELECT CASE WHEN n <= :leads / 12 THEN '2025-06-10 00:00+00'::timestamptz + n * interval '86000 seconds' / (:leads / 12)
                                 ELSE '2025-01-02 00:00+00'::timestamptz + n * interval '360 days' / :leads END AS at) d;
ALTER TABLE lead_system.leads ENABLE TRIGGER USER;
INSERT INTO lead_system.lead_status_history (organization_id, lead_id, old_status, new_status, old_stage, new_stage, time_in_status, created_at)
SELECT l.organization_id, l.id, s.old_status, s.new_status, s.old_stage, s.new_stage, interval '1 hour', l.created_at + s.hours * interval '1 hour'
  FROM lead_system.leads l
 CROSS JOIN LATERAL (VALUES (1, 'new', 'contacted', 'new', 'contacted'), (24, 'contacted', 'qualified', 'contacted', 'qualified')) s(hours, old_status, new_status, old_stage, new_stage)
 WHERE (s.hours = 1 AND l.contacted_at IS NOT NULL) OR (s.hours = 24 AND l.qualified_at IS NOT NULL)
UNION ALL
SELECT l.organization_id, l.id, CASE WHEN l.qualified_at IS NULL THEN 'contacted' ELSE 'qualified' END, l.status,
       CASE WHEN l.qualified_at IS NULL THEN 'contacted' ELSE 'qualified' END, l.stage, interval '2 days', l.created_at + interval '3 days'
  FROM lead_system.leads l WHERE l.stage IN ('won', 'lost');
VACUUM ANALYZE;

-- The statements; $1 and $2 are the days.  Both of a pair must say the same.
CREATE SCHEMA bench;
CREATE TABLE bench.statements (report text, variant text, statement text);
INSERT INTO bench.statements VALUES
('lead_funnel, a year', 'ours', $$SELECT stage, reached FROM lead_system.lead_funnel($1, $2) WHERE position <= 5$$),
('lead_funnel, a year', 'plain', $$
WITH ranks(stage, position) AS (VALUES ('new', 1), ('working', 2), ('contacted', 3), ('qualified', 4), ('won', 5)),
bounds AS (SELECT $1::timestamp AT TIME ZONE o.timezone AS lower, ($2 + 1)::timestamp AT TIME ZONE o.timezone AS upper
    FROM lead_system.organizations o WHERE o.id = lead_system.current_org_id()),
l AS (SELECT l.id, l.stage FROM lead_system.leads l, bounds b WHERE l.organization_id = lead_system.current_org_id()
    AND l.created_at >= b.lower AND l.created_at < b.upper AND l.deleted_at IS NULL AND NOT l.is_spam),
seen AS (SELECT l.id, r.position FROM l JOIN ranks r USING (stage)
    UNION ALL SELECT l.id, r.position FROM l JOIN lead_system.lead_status_history h ON h.lead_id = l.id JOIN ranks r ON r.stage IN (h.old_stage, h.new_stage)
    UNION ALL SELECT l.id, 1 FROM l),
furthest AS (SELECT id, max(position) AS position FROM seen GROUP BY id)
SELECT r.stage, count(*) FILTER (WHERE f.position >= r.position) AS reached FROM ranks r CROSS JOIN furthest f GROUP BY r.stage$$),
('snapshot of a day', 'ours', $$
WITH taken AS MATERIALIZED (SELECT lead_system.take_analytics_snapshot('2025-06-10')) SELECT count(*) FROM taken$$),
-- That a day's leads have the times of their contacts spares it the history.
('snapshot of a day', 'plain', $$
WITH l AS (SELECT * FROM lead_system.leads WHERE organization_id = lead_system.current_org_id()
    AND created_at >= '2025-06-10'::timestamp AT TIME ZONE 'UTC' AND created_at < '2025-06-11'::timestamp AT TIME ZONE 'UTC' AND deleted_at IS NULL AND NOT is_spam)
SELECT jsonb_build_object('total_leads', count(*), 'hot_leads', count(*) FILTER (WHERE temperature = 'hot'), 'warm_leads', count(*) FILTER (WHERE temperature = 'warm'),
    'cold_leads', count(*) FILTER (WHERE temperature = 'cold'), 'leads_contacted', count(*) FILTER (WHERE contacted_at IS NOT NULL),
    'leads_qualified', count(*) FILTER (WHERE qualified_at IS NOT NULL), 'leads_disqualified', count(*) FILTER (WHERE stage = 'lost'),
    'leads_to_opportunity', count(*) FILTER (WHERE stage = 'won'), 'avg_lead_score', round(avg(lead_score), 2),
    'median_lead_score', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_score)), 'avg_response_time_minutes', round(avg(extract(epoch FROM contacted_at - created_at) / 60)),
    'fastest_response_time_minutes', round(min(extract(epoch FROM contacted_at - created_at) / 60)),
    'slowest_response_time_minutes', round(max(extract(epoch FROM contacted_at - created_at) / 60)),
    'leads_by_source', (SELECT jsonb_object_agg(s, n) FROM (SELECT coalesce(utm_source, source, 'direct') AS s, count(*) AS n FROM l GROUP BY 1) x),
    'avg_score_by_source', (SELECT jsonb_object_agg(s, n) FROM (SELECT coalesce(utm_source, source, 'direct') AS s, round(avg(lead_score), 2) AS n FROM l GROUP BY 1) x)) AS figures FROM l$$),
('source_performance, a year', 'ours', $$SELECT count(*) FROM lead_system.source_performance($1, $2)$$),
('cohort_report, a year', 'ours', $$SELECT count(*) FROM lead_system.cohort_report($1, $2)$$),
('velocity_report, a year', 'ours', $$SELECT count(*) FROM lead_system.velocity_report($1, $2)$$),
('attribution, a year', 'ours', $$SELECT count(*) FROM lead_system.attribution($1, $2, 'linear')$$),
('time_in_stage, a year', 'ours', $$SELECT count(*) FROM lead_system.time_in_stage($1, $2)$$);

-- The same answers?
CREATE FUNCTION bench.answer(for_report text, for_variant text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE (SELECT 'SELECT to_jsonb(x) FROM (' || s.statement || ') x' FROM bench.statements s
        WHERE s.report = for_report AND s.variant = for_variant) USING '2025-01-01'::date, '2025-12-31'::date;
END
$$;
SELECT lead_system.take_analytics_snapshot('2025-06-10') \g /dev/null
DO $$
BEGIN
    IF EXISTS (SELECT bench.answer('lead_funnel, a year', 'ours') EXCEPT SELECT bench.answer('lead_funnel, a year', 'plain'))
       OR NOT EXISTS (SELECT FROM lead_system.analytics_snapshots s, bench.answer('snapshot of a day', 'plain') p WHERE to_jsonb(s) @> (p->'figures')) THEN
        RAISE EXCEPTION 'ours and plain SQL differ';
    END IF;
END
$$;

CREATE TABLE bench.times (report text, variant text, milliseconds numeric);
-- One round; which of a pair is first changes.
CREATE PROCEDURE bench.run(round integer) LANGUAGE plpgsql AS $$
DECLARE
    s bench.statements;
    started timestamptz;
BEGIN
    FOR s IN SELECT * FROM bench.statements x ORDER BY x.report, (x.variant = 'ours') = (round % 2 = 0) LOOP
        started := clock_timestamp();
        EXECUTE 'SELECT count(x.*) FROM (' || s.statement || ') x' USING '2025-01-01'::date, '2025-12-31'::date;
        INSERT INTO bench.times VALUES (s.report, s.variant, extract(epoch FROM clock_timestamp() - started) * 1000);
    END LOOP;
END
$$;
SELECT format('CALL bench.run(%s)', n) FROM generate_series(0, :rounds) n \gexec
-- The first round was to make plans and fill caches.
DELETE FROM bench.times WHERE ctid IN (SELECT min(ctid) FROM bench.times GROUP BY report, variant);
SELECT t.report, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.milliseconds) FILTER (WHERE t.variant = 'ours')::numeric, 1) AS "ours, ms",
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.milliseconds) FILTER (WHERE t.variant = 'plain')::numeric, 1) AS "plain SQL, ms",
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY t.milliseconds) FILTER (WHERE t.variant = 'plain')
            / percentile_cont(0.5) WITHIN GROUP (ORDER BY t.milliseconds) FILTER (WHERE t.variant = 'ours'))::numeric, 2) AS "plain/ours"
  FROM bench.times t GROUP BY t.report ORDER BY count(*) FILTER (WHERE t.variant = 'plain') = 0, t.report;
