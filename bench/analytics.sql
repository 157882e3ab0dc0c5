-- Reports over a year of 1,200,000 leads, and the snapshot of a day on which
-- 100,000 came in, beside the SQL that somebody would write who knows that a lead
-- that was lost may have been qualified before.
--
-- By hand, in a database of its own: psql -f bench/analytics.sql
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
  FROM generate_series(1, 1200000) n
 CROSS JOIN LATERAL (SELECT CASE WHEN n <= 100000 THEN '2025-06-10 00:00+00'::timestamptz + n * interval '0.8 seconds'
                                 ELSE '2025-01-02 00:00+00'::timestamptz + n * interval '25 seconds' END AS at) d;
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

-- What the reports are compared with.
PREPARE plain_funnel(date, date) AS
WITH ranks(stage, position) AS (VALUES ('new', 1), ('working', 2), ('contacted', 3), ('qualified', 4), ('won', 5)),
bounds AS (SELECT $1::timestamp AT TIME ZONE o.timezone AS lower, ($2 + 1)::timestamp AT TIME ZONE o.timezone AS upper FROM lead_system.organizations o WHERE o.id = lead_system.current_org_id()),
l AS (SELECT l.id, l.stage FROM lead_system.leads l, bounds b WHERE l.organization_id = lead_system.current_org_id() AND l.created_at >= b.lower AND l.created_at < b.upper AND l.deleted_at IS NULL AND NOT l.is_spam),
seen AS (SELECT l.id, r.position FROM l JOIN ranks r USING (stage)
         UNION ALL SELECT l.id, r.position FROM l JOIN lead_system.lead_status_history h ON h.lead_id = l.id JOIN ranks r ON r.stage IN (h.old_stage, h.new_stage)
         UNION ALL SELECT l.id, 1 FROM l),
furthest AS (SELECT id, max(position) AS position FROM seen GROUP BY id)
SELECT r.stage, count(*) FILTER (WHERE f.position >= r.position) AS reached FROM ranks r CROSS JOIN furthest f GROUP BY r.stage, r.position ORDER BY r.position;
PREPARE plain_snapshot(date) AS
WITH l AS (SELECT * FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() AND created_at >= $1::timestamp AT TIME ZONE 'UTC' AND created_at < ($1 + 1)::timestamp AT TIME ZONE 'UTC' AND deleted_at IS NULL AND NOT is_spam)
SELECT count(*), count(*) FILTER (WHERE temperature = 'hot'), count(*) FILTER (WHERE temperature = 'warm'), count(*) FILTER (WHERE temperature = 'cold'),
       count(*) FILTER (WHERE contacted_at IS NOT NULL), count(*) FILTER (WHERE qualified_at IS NOT NULL), count(*) FILTER (WHERE stage = 'lost'), count(*) FILTER (WHERE stage = 'won'),
       round(avg(lead_score), 2), percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_score), avg(extract(epoch FROM contacted_at - created_at) / 60),
       (SELECT jsonb_object_agg(s, n) FROM (SELECT coalesce(utm_source, source, 'direct') AS s, count(*) AS n FROM l GROUP BY 1) x),
       (SELECT jsonb_object_agg(s, n) FROM (SELECT coalesce(utm_source, source, 'direct') AS s, round(avg(lead_score), 2) AS n FROM l GROUP BY 1) x) FROM l;
\set QUIET off
\timing on
\echo lead_funnel over a year, three times
SELECT stage, reached FROM lead_system.lead_funnel('2025-01-01', '2025-12-31') LIMIT 5;
SELECT stage, reached FROM lead_system.lead_funnel('2025-01-01', '2025-12-31') LIMIT 5;
SELECT stage, reached FROM lead_system.lead_funnel('2025-01-01', '2025-12-31') LIMIT 5;
\echo plain SQL, three times
EXECUTE plain_funnel('2025-01-01', '2025-12-31');
EXECUTE plain_funnel('2025-01-01', '2025-12-31');
EXECUTE plain_funnel('2025-01-01', '2025-12-31');
\echo snapshot of a day, three times
SELECT lead_system.take_analytics_snapshot('2025-06-10');
SELECT lead_system.take_analytics_snapshot('2025-06-10');
SELECT lead_system.take_analytics_snapshot('2025-06-10');
\echo plain SQL, three times
EXECUTE plain_snapshot('2025-06-10');
EXECUTE plain_snapshot('2025-06-10');
EXECUTE plain_snapshot('2025-06-10');
\echo the other reports over the year
SELECT count(*) FROM lead_system.source_performance('2025-01-01', '2025-12-31');
SELECT count(*) FROM lead_system.cohort_report('2025-01-01', '2025-12-31');
SELECT count(*) FROM lead_system.velocity_report('2025-01-01', '2025-12-31');
SELECT count(*) FROM lead_system.attribution('2025-01-01', '2025-12-31', 'linear');
SELECT count(*) FROM lead_system.time_in_stage('2025-01-01', '2025-12-31');
