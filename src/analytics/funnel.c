/*-------------------------------------------------------------------------
 *
 * funnel.c
 *	  lead_funnel(): how far leads come.  time_in_stage(): how long they stay.
 *
 *	  The funnel is made in one pass over the leads.  Their rows tell how far
 *	  most of them came; of the history it reads the retreats alone, through an
 *	  index that holds nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "lead_system.h"
#include "analytics/analytics.h"

/* clang-format off */
/* Leads of the report: how many, by the stage they are in and the one they came to. */
#define FUNNEL_COUNTS \
	"SELECT c.stage, " LS_FURTHEST " AS furthest, count(*) AS n" \
	"  FROM " LS_REPORT_LEADS " c LEFT JOIN " LS_RETREATS " h ON h.lead_id = c.id GROUP BY 1, 2"
/* clang-format on */

PG_FUNCTION_INFO_V1(ls_analytics_funnel);

/* lead_funnel(from_day, to_day) */
Datum
ls_analytics_funnel(PG_FUNCTION_ARGS)
{
	LS_QUERY_ARRAY(query,
		"WITH counts AS MATERIALIZED (" FUNNEL_COUNTS "), stages AS ("
		"  SELECT s.stage, s.position::integer AS position,"
		"         coalesce(sum(n.n) FILTER (WHERE n.stage = s.stage), 0)::bigint AS leads,"
		"         coalesce(sum(n.n) FILTER (WHERE CASE WHEN s.position <= 5"
		"           THEN n.furthest >= s.position ELSE n.stage = s.stage END), 0)::bigint AS reached,"
		"         coalesce(sum(n.n), 0) AS total"
		"    FROM unnest('{new,working,contacted,qualified,won,lost,blocked,archived}'::text[])"
		"         WITH ORDINALITY s(stage, position) LEFT JOIN counts n ON true"
		"   GROUP BY s.stage, s.position)"
		"SELECT s.stage, s.position, s.leads, s.reached, round(s.reached / nullif(s.total, 0), 4),"
		"       CASE WHEN s.position BETWEEN 2 AND 5 THEN round(s.reached::numeric"
		"         / nullif(lag(s.reached) OVER (ORDER BY s.position), 0), 4) END"
		"  FROM stages s ORDER BY s.position",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsReport report;
	LsArgs args = {0};

	ls_report_open(fcinfo, &report);
	ls_report_args(&args, &report);
	ls_report_run(fcinfo, &query, &args);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_analytics_time_in_stage);

/*
 * time_in_stage(from_day, to_day): stays that ended in these days.  A stay in a
 * stage lasts over all statuses of that stage that follow each other.  The whole
 * history of the leads is read whose stay may have ended: it may have begun
 * long before.  In the archive a lead takes no steps, so that those which went
 * there before these days need not be read.
 */
Datum
ls_analytics_time_in_stage(PG_FUNCTION_ARGS)
{
	LS_QUERY_ARRAY(query,
		"WITH leaving AS (SELECT DISTINCT h.lead_id FROM lead_system.lead_status_history h"
		"    JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = h.lead_id"
		"   WHERE h.organization_id = $1 AND h.created_at >= $2 AND h.created_at < $3"
		"     AND h.new_stage <> h.old_stage AND " LS_LEAD_COUNTS "), "
		"steps AS (SELECT h.lead_id, h.id, h.old_stage, h.new_stage, h.time_in_status, h.created_at"
		"    FROM lead_system.lead_status_history h JOIN leaving ON leaving.lead_id = h.lead_id"
		"   WHERE h.organization_id = $1 AND h.created_at < $3"
		"  UNION ALL SELECT * FROM (" LS_ARCHIVED_STEPS " AND a.archived_at >= $2"
		"     AND NOT (a.lead->>'is_spam')::boolean) x WHERE x.created_at < $3), "
		"numbered AS (SELECT s.*, count(*) FILTER (WHERE s.new_stage <> s.old_stage) OVER ("
		"      PARTITION BY s.lead_id ORDER BY s.created_at, s.id"
		"      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS stay"
		"    FROM steps s), "
		"stays AS (SELECT n.lead_id, min(n.old_stage) AS stage, sum(n.time_in_status) AS lasted"
		"    FROM numbered n GROUP BY n.lead_id, n.stay"
		"  HAVING bool_or(n.new_stage <> n.old_stage) AND max(n.created_at) >= $2) "
		"SELECT y.stage, count(*), count(DISTINCT y.lead_id), avg(y.lasted),"
		"       percentile_cont(0.5) WITHIN GROUP (ORDER BY y.lasted),"
		"       percentile_cont(0.9) WITHIN GROUP (ORDER BY y.lasted), max(y.lasted)"
		"  FROM stays y GROUP BY y.stage"
		" ORDER BY array_position("
		"   '{new,working,contacted,qualified,won,lost,blocked,archived}'::text[], y.stage)",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsReport report;
	LsArgs args = {0};

	ls_report_open(fcinfo, &report);
	ls_report_args(&args, &report);
	ls_report_run(fcinfo, &query, &args);
	return (Datum) 0;
}
