-- Medians of the rounds, and how many times as long as ours the others took.
SET search_path = bench;
WITH medians AS (
    SELECT t.case_name, t.variant, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms / t.units) AS ms
      FROM bench.timings t GROUP BY 1, 2
)
SELECT c.case_name || ', per ' || c.unit AS "case", round(o.ms::numeric * 1000, 1) AS "ours µs", round(p.ms::numeric * 1000, 1) AS "plpgsql µs",
       round(b.ms::numeric * 1000, 1) AS "bare µs", round((p.ms / o.ms)::numeric, 2) AS "plpgsql/ours", round((b.ms / o.ms)::numeric, 2) AS "bare/ours",
       (SELECT max(round) FROM bench.timings) AS rounds
  FROM bench.cases c JOIN medians o ON o.case_name = c.case_name AND o.variant = 'ours'
  LEFT JOIN medians p ON p.case_name = c.case_name AND p.variant = 'plpgsql'
  LEFT JOIN medians b ON b.case_name = c.case_name AND b.variant = 'bare'
 WHERE c.variant = 'ours' ORDER BY c.position;

-- Does a bid cost the same, however many there are?
WITH medians AS (
    SELECT t.variant, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms) FILTER (WHERE t.case_name = 'place_bid, 10 bids') AS few,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms) FILTER (WHERE t.case_name = 'place_bid, 10,000 bids') AS many
      FROM bench.timings t GROUP BY 1
)
SELECT 'place_bid: 10,000 bids / 10 bids' AS "ratio", round((o.many / o.few)::numeric, 2) AS "ours (aim: at most 1.2)",
       round((p.many / p.few)::numeric, 2) AS "plpgsql"
  FROM medians o, medians p WHERE o.variant = 'ours' AND p.variant = 'plpgsql';
