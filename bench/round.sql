-- One round: every case but those of the parts, its variants one after the other, a different one
-- first in every round.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
SET client_min_messages = warning;
CREATE TEMP VIEW round AS
SELECT case_name, row_number() OVER (ORDER BY first, (nth + :round) % 3) AS n,
       format('SELECT bench.measure(%L, %L, %s)', case_name, variant, :round) AS command
  FROM (SELECT *, min(position) OVER (PARTITION BY case_name) AS first, row_number() OVER (PARTITION BY case_name ORDER BY position) AS nth
          FROM bench.cases WHERE prepare IS NULL OR prepare NOT SIMILAR TO '%(prepare_market|use_stage)%') c;
SELECT command FROM round WHERE case_name NOT LIKE '%new organization' AND case_name NOT LIKE 'claim%' ORDER BY n \gexec

-- Autovacuum, which is off here, analyzes a queue soon after it was filled.
RESET ROLE;
ANALYZE lead_system.campaign_leads, bench.campaign_leads, bench.bare_campaign_leads;
SET ROLE bench_app;
SELECT command FROM round WHERE case_name LIKE 'claim%' ORDER BY n \gexec

-- A new organization comes with a new session: no plan is there yet.
SELECT string_agg(command, '; ' ORDER BY n) FILTER (WHERE case_name LIKE '%new organization') AS newcomer FROM round \gset
\connect
SET ROLE bench_app;
SET client_min_messages = warning;
:newcomer;
