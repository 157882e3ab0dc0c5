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
  FROM medians o, medians p WHERE o.variant = 'ours' AND p.variant = 'plpgsql' AND o.few IS NOT NULL;

-- The aims of filters and smart lists.
WITH medians AS (
    SELECT t.case_name, t.variant, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms) AS ms FROM bench.timings t GROUP BY 1, 2
)
SELECT r.label AS "ratio", round((a.ms / b.ms)::numeric, 2) AS "measured", r.aim
  FROM (VALUES
    (1, 'count_leads / plain SQL', 'count_leads, status + score + tags', 'ours', 'count_leads, status + score + tags', 'plpgsql', 'at most 1.1'),
    (2, 'count_leads / plain SQL without policies', 'count_leads, status + score + tags', 'ours', 'count_leads, status + score + tags', 'bare', 'at most 1.1'),
    (3, 'PL/pgSQL / filter_matches', 'filter_matches over all leads', 'plpgsql', 'filter_matches over all leads', 'ours', 'at least 5'),
    (4, '500 smart lists, 5 read the column / 1', 'change of a lead, 500, of which 5 read the column', 'ours', 'change of a lead, 1 smart list', 'ours', 'at most 3'),
    (5, '500 smart lists, all read it / 1', 'change of a lead, 500 that read the column', 'ours', 'change of a lead, 1 smart list', 'ours', 'at most 3'),
    (6, '500 smart lists, all move with the time / 1', 'change of a lead, 500 that move with the time', 'ours', 'change of a lead, 1 smart list', 'ours', 'at most 3'),
    (7, '500 smart lists, a lead comes and goes / 1', 'change of a lead that comes and goes, 500', 'ours', 'change of a lead that comes or goes, 1 smart list', 'ours', 'at most 3')
  ) r(position, label, case_a, variant_a, case_b, variant_b, aim)
  JOIN medians a ON a.case_name = r.case_a AND a.variant = r.variant_a
  JOIN medians b ON b.case_name = r.case_b AND b.variant = r.variant_b
 ORDER BY r.position;
