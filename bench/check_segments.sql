-- Do the variants find the same leads, and do the smart lists have what their
-- filters have?  Asked after the rounds.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
SELECT 'organization: ' || bench.use_stage('count');
SELECT bench.same('filter as SQL', format('SELECT lead_system.count_leads(%L) AS n', f.filter), format('SELECT count(*) AS n FROM lead_system.leads WHERE %s', f.plain)),
       bench.same('filter_matches', format('SELECT l.id FROM lead_system.leads l WHERE lead_system.filter_matches(%L, l)', f.filter),
                  format('SELECT l.id FROM lead_system.leads l WHERE bench.filter_matches(%L, l)', f.filter))
  FROM bench.segment_filter f;
SELECT bench.use_stage(kind) || bench.same('smart lists, ' || kind,
    format('SELECT l.name, count(m.lead_id) AS n FROM lead_system.lead_lists l LEFT JOIN lead_system.lead_list_members m ON m.lead_list_id = l.id AND m.organization_id = l.organization_id WHERE l.organization_id = %L GROUP BY 1', org),
    format('SELECT l.name, (SELECT count(*) FROM lead_system.segment_leads(l.segment_id)) AS n FROM lead_system.lead_lists l WHERE l.organization_id = %L', org))
  FROM bench.segment_stages WHERE kind <> 'count';
