-- Do the variants read the same?  Asked before the rounds, since those change
-- what there is to read.  Each comparison is between sets that are not empty,
-- else nothing would be shown.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;

SELECT bench.same(format('dashboard, %s, %s', coalesce(temperature, 'all'), first),
    format('SELECT row_number() OVER () AS n, d.* FROM lead_system.dashboard_leads(%1$L, NULL, 50, %2$L::jsonb) d', temperature, CASE WHEN NOT first THEN cursor END),
    format('SELECT row_number() OVER () AS n, d.* FROM bench.dashboard(%1$L, 50, %2$L::jsonb) d', temperature, CASE WHEN NOT first THEN cursor END))
  FROM bench.cursors, (VALUES (true), (false)) f(first);
SELECT bench.same(format('dashboard by OFFSET, %s', coalesce(temperature, 'all')),
    format('SELECT lead_id FROM lead_system.dashboard_leads(%L, NULL, 50, %L::jsonb)', temperature, cursor),
    format('(SELECT id FROM lead_system.leads WHERE (%1$L::text IS NULL OR temperature = %1$L) AND deleted_at IS NULL AND NOT is_spam'
        ' ORDER BY raw_score DESC, created_at DESC, id DESC OFFSET 4950 LIMIT 50)', temperature))
  FROM bench.cursors;
SELECT bench.same('calculate_lead_score, plpgsql', 'SELECT id, lead_system.calculate_lead_score(id) FROM bench.sample',
                  'SELECT id, bench.calculate_lead_score(id) FROM bench.sample');
SELECT bench.same('calculate_lead_score, bare', 'SELECT id, lead_system.calculate_lead_score(id) FROM bench.sample',
                  'SELECT id, score FROM bench.sample JOIN bench.scores USING (id)');
SELECT bench.same('is_on_dnc_list', 'SELECT phone_number, lead_system.is_on_dnc_list(phone_number, lead_system.current_org_id()) FROM bench.numbers',
                  'SELECT phone_number, bench.is_on_dnc_list(phone_number, lead_system.current_org_id()) FROM bench.numbers');
