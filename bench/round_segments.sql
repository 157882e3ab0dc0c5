-- One round of filters and segments: every case, a different variant first in
-- every round.  The changes of a lead are measured in three turns, the number of
-- lists by turns, so that what the machine does besides hits all alike.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
SET client_min_messages = warning;
SELECT format('SELECT bench.measure(%L, %L, %s)', case_name, variant, :round) AS command
  FROM (SELECT *, min(position) OVER (PARTITION BY case_name) AS first FROM bench.cases WHERE prepare LIKE '%use_stage(''count'')%') c
 ORDER BY first, (position + :round) % 3 \gexec

SELECT format('SELECT bench.measure(%L, %L, %s)', c.case_name, c.variant, :round) AS command
  FROM bench.cases c, generate_series(1, 3) turn
 WHERE c.prepare LIKE '%use_stage%' AND c.prepare NOT LIKE '%use_stage(''count'')%'
 ORDER BY turn, (c.position + :round + turn) % 6 \gexec
