-- Medians of the rounds, and how the leads were distributed.
SELECT c.description AS "case", c.leads, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.seconds)::numeric, 2) AS seconds,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY t.seconds) / c.leads * 1000000)::numeric, 1) AS "µs per lead",
       round(min(t.seconds), 2) AS fastest, round(max(t.seconds), 2) AS slowest,
       CASE WHEN c.is_ours THEN max(t.fewest) || ' to ' || max(t.most) END AS "leads of a user",
       CASE WHEN c.is_ours THEN max(t.above_capacity) END AS "above capacity", CASE WHEN c.is_ours THEN max(t.wrong) END AS "counters wrong", count(*) AS rounds
  FROM bench.timings t JOIN bench.cases c USING (name) GROUP BY c.description, c.leads, c.is_ours, c.position ORDER BY c.position;
