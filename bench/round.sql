-- One round: every case, its variants one after the other, a different one
-- first in every round.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
SET client_min_messages = warning;
SELECT format('SELECT bench.measure(%L, %L, %s)', case_name, variant, :round)
  FROM (SELECT *, min(position) OVER (PARTITION BY case_name) AS first, row_number() OVER (PARTITION BY case_name ORDER BY position) AS nth
          FROM bench.cases) c
 ORDER BY first, (nth + :round) % 3 \gexec
