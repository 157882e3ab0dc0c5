/*-------------------------------------------------------------------------
 *
 * sources.c
 *	  source_performance(): what each source of leads cost and brought (E6, E7).
 *
 *	  Costs are kept by month.  Of a month that the days take in only in part,
 *	  that part counts.  All money of an organisation is in its currency, so a
 *	  cost in another one is not counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "lead_system.h"
#include "analytics/analytics.h"

PG_FUNCTION_INFO_V1(ls_analytics_source_performance);

/* source_performance(from_day, to_day) */
Datum
ls_analytics_source_performance(PG_FUNCTION_ARGS)
{
	LS_QUERY_ARRAY(query,
		"WITH won AS (SELECT coalesce(c.source, 'direct') AS source, nullif(c.sub_source, '') AS sub_source,"
		"    c.actual_amount, c.furthest = 5 AND c.stage IN ('won', 'blocked', 'archived') AS is_won"
		"  FROM (SELECT c.*, " LS_FURTHEST " AS furthest FROM " LS_REPORT_LEADS " c"
		"          LEFT JOIN " LS_RETREATS " h ON h.lead_id = c.id) c), "
		"brought AS (SELECT w.source, w.sub_source, count(*) AS leads,"
		"    count(*) FILTER (WHERE w.is_won) AS won,"
		"    coalesce(sum(w.actual_amount) FILTER (WHERE w.is_won), 0) AS revenue"
		"  FROM won w GROUP BY w.source, w.sub_source), "
		"months AS (SELECT k.source, nullif(k.sub_source, '') AS sub_source, k.total_cost, k.period_month AS starts,"
		"    (k.period_month + interval '1 month')::date AS ends"
		"  FROM lead_system.lead_source_costs k"
		"  JOIN lead_system.organizations o ON o.id = $1 AND o.currency = k.currency"
		" WHERE k.organization_id = $1 AND k.period_month > $4 - 31 AND k.period_month <= $5), "
		"costs AS (SELECT m.source, m.sub_source, sum(m.total_cost"
		"      * (least(m.ends, $5 + 1) - greatest(m.starts, $4)) / (m.ends - m.starts)) AS cost"
		"  FROM months m WHERE m.ends > $4 GROUP BY m.source, m.sub_source), "
		"both_sides AS (SELECT coalesce(b.source, k.source) AS source,"
		"    coalesce(b.sub_source, k.sub_source) AS sub_source, coalesce(b.leads, 0) AS leads,"
		"    coalesce(b.won, 0) AS won, coalesce(k.cost, 0) AS cost, coalesce(b.revenue, 0) AS revenue"
		"  FROM brought b FULL JOIN costs k"
		"    ON k.source = b.source AND k.sub_source IS NOT DISTINCT FROM b.sub_source) "
		"SELECT s.source, s.sub_source, s.leads, s.won, round(s.cost, 2), round(s.revenue, 2),"
		"       round(nullif(s.cost, 0) / nullif(s.leads, 0), 2),"
		"       round(nullif(s.cost, 0) / nullif(s.won, 0), 2),"
		"       round((s.revenue - s.cost) / nullif(s.cost, 0), 4)"
		"  FROM both_sides s ORDER BY s.source, s.sub_source NULLS FIRST",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, DATEOID, DATEOID);
	LsReport report;
	LsArgs args = {0};

	ls_report_open(fcinfo, &report);
	ls_report_args(&args, &report);
	ls_arg_datum(&args, DateADTGetDatum(report.from_day), false);
	ls_arg_datum(&args, DateADTGetDatum(report.to_day), false);
	ls_report_run(fcinfo, &query, &args);
	return (Datum) 0;
}
