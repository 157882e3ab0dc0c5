-- One round of the marketplace: every case, a different variant first in every
-- round.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
SET client_min_messages = warning;
SELECT bench.prepare_market(:round);

-- Autovacuum, which is off here, would do so: for both the same.
RESET ROLE;
ANALYZE lead_system.leads, lead_system.lead_listings, lead_system.bids, lead_system.users, lead_system.contractor_metrics,
        bench.leads, bench.lead_listings, bench.bids, bench.ranked_bids, bench.users, bench.contractor_metrics;
CHECKPOINT;
SET ROLE bench_app;
CREATE TEMP VIEW round AS
SELECT case_name, row_number() OVER (ORDER BY first, (position + :round) % 2) AS n,
       format('SELECT bench.measure(%L, %L, %s)', case_name, variant, :round) AS command
  FROM (SELECT *, min(position) OVER (PARTITION BY case_name) AS first FROM bench.cases WHERE prepare LIKE '%prepare_market%') c;
SELECT bids[1] AS bid1, bids[2] AS bid2, bids[3] AS bid3, bids[4] AS bid4, ends
  FROM (SELECT array_agg(command ORDER BY n) FILTER (WHERE case_name LIKE 'place_bid%') AS bids,
               string_agg(command, '; ' ORDER BY n) FILTER (WHERE case_name NOT LIKE 'place_bid%') AS ends FROM round) r \gset

-- Each has a session of its own, so that none finds the plans of another.
\connect
SET ROLE bench_app;
SET client_min_messages = warning;
:bid1;
\connect
SET ROLE bench_app;
SET client_min_messages = warning;
:bid2;
\connect
SET ROLE bench_app;
SET client_min_messages = warning;
:bid3;
\connect
SET ROLE bench_app;
SET client_min_messages = warning;
:bid4;
\connect
SET ROLE bench_app;
SET client_min_messages = warning;
:ends;
