/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *	  take_analytics_snapshot(): what came of the leads of a day (A20).
 *
 *	  A snapshot is one statement, and a second one of the same day replaces it.
 *	  Leads that come in while it is taken are in the next one.  Two sessions
 *	  take turns, so that the figures that stay are the later ones: the second
 *	  looks at the leads when the first is done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/lock.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "analytics/analytics.h"

#define COUNT_WHERE(condition) "count(*) FILTER (WHERE " condition ")"
#define MINUTES(aggregate) \
	"round(" aggregate \
	"(extract(epoch FROM greatest(c.contacted_at, c.created_at) - c.created_at)" \
	" / 60) FILTER (WHERE c.contacted_at IS NOT NULL))::integer"

/* clang-format off */
/* What a snapshot holds, in the order of VALUES. */
#define COLUMNS \
	" total_leads, hot_leads, warm_leads, cool_leads, cold_leads, unrated_leads," \
	" leads_contacted, leads_qualified, leads_disqualified, leads_to_opportunity," \
	" avg_lead_score, median_lead_score, avg_response_time_minutes," \
	" fastest_response_time_minutes, slowest_response_time_minutes, leads_by_source," \
	" avg_score_by_source"
#define REPLACE \
	" total_leads = excluded.total_leads, hot_leads = excluded.hot_leads," \
	" warm_leads = excluded.warm_leads, cool_leads = excluded.cool_leads," \
	" cold_leads = excluded.cold_leads, unrated_leads = excluded.unrated_leads," \
	" leads_contacted = excluded.leads_contacted," \
	" leads_qualified = excluded.leads_qualified," \
	" leads_disqualified = excluded.leads_disqualified," \
	" leads_to_opportunity = excluded.leads_to_opportunity," \
	" avg_lead_score = excluded.avg_lead_score," \
	" median_lead_score = excluded.median_lead_score," \
	" avg_response_time_minutes = excluded.avg_response_time_minutes," \
	" fastest_response_time_minutes = excluded.fastest_response_time_minutes," \
	" slowest_response_time_minutes = excluded.slowest_response_time_minutes," \
	" leads_by_source = excluded.leads_by_source," \
	" avg_score_by_source = excluded.avg_score_by_source, updated_at = excluded.updated_at"
#define LEADS_OF_DAY \
	"SELECT c.stage, c.temperature, c.lead_score, c.created_at, c.contacted_at," \
	"       " LS_LEAD_SOURCE("c") " AS origin, " LS_FURTHEST " AS furthest" \
	"  FROM " LS_REPORT_LEADS " c LEFT JOIN " LS_RETREATS " h ON h.lead_id = c.id"
#define VALUES \
	"count(*)," \
	COUNT_WHERE("c.temperature = 'hot'") "," \
	COUNT_WHERE("c.temperature = 'warm'") "," \
	COUNT_WHERE("c.temperature = 'cool'") "," \
	COUNT_WHERE("c.temperature = 'cold'") "," \
	COUNT_WHERE("c.temperature = 'unrated'") "," \
	COUNT_WHERE("c.furthest >= 3") "," \
	COUNT_WHERE("c.furthest >= 4") "," \
	COUNT_WHERE("c.stage = 'lost'") "," \
	COUNT_WHERE("c.furthest = 5") "," \
	"round(avg(c.lead_score), 2)," \
	"round((percentile_cont(0.5) WITHIN GROUP (ORDER BY c.lead_score))::numeric)::integer," \
	MINUTES("avg") "," \
	MINUTES("min") "," \
	MINUTES("max") "," \
	"coalesce((SELECT b.leads FROM by_source b), '{}')," \
	"coalesce((SELECT b.scores FROM by_source b), '{}')"
/* clang-format on */

/* When a day begins and ends: in UTC, unless the organisation asks for its own. */
static void
edges_of_day(const pg_uuid_t *org, DateADT day, LsArgs *args)
{
	LS_QUERY(query,
		"SELECT $2::timestamp AT TIME ZONE z.zone, ($2 + 1)::timestamp AT TIME ZONE z.zone"
		"  FROM (SELECT CASE WHEN $3 THEN 'UTC' ELSE o.timezone END AS zone"
		"          FROM lead_system.organizations o WHERE o.id = $1) z",
		UUIDOID, DATEOID, BOOLOID);
	LsArgs parameters = {0};

	ls_arg_uuid(&parameters, org);
	ls_arg_datum(&parameters, DateADTGetDatum(day), false);
	ls_arg_bool(&parameters, strcmp(ls_config_choice(org, "analytics.snapshot_day"), "utc") == 0);
	if (ls_query_run(&query, &parameters, LS_WRITE) == 0)
		ls_no_such_row("organization", org);
	ls_arg_uuid(args, org);
	ls_arg_timestamptz(args, ls_result_timestamptz(0, 1));
	ls_arg_timestamptz(args, ls_result_timestamptz(0, 2));
	ls_arg_datum(args, DateADTGetDatum(day), false);
	ls_arg_timestamptz(args, ls_clock_now());
}

/* Take the snapshot of one organisation. */
static void
take_snapshot(const pg_uuid_t *org, DateADT day)
{
	LS_QUERY_ARRAY(query,
		"WITH c AS MATERIALIZED (" LEADS_OF_DAY "), "
		"by_source AS (SELECT jsonb_object_agg(o.origin, o.n) AS leads,"
		"    jsonb_object_agg(o.origin, o.score) AS scores"
		"  FROM (SELECT c.origin, count(*) AS n, round(avg(c.lead_score), 2) AS score"
		"          FROM c GROUP BY c.origin) o) "
		"INSERT INTO lead_system.analytics_snapshots"
		"  (organization_id, snapshot_date, created_at, updated_at," COLUMNS ")"
		" SELECT $1, $4, $5, $5, " VALUES " FROM c"
		" ON CONFLICT (organization_id, snapshot_date) DO UPDATE SET" REPLACE,
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID);
	LOCKTAG tag = ls_lock_tag_org(LS_LOCK_SNAPSHOTS, org);
	LsScope scope;
	LsArgs args = {0};

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	ls_scope_open(&scope, LS_AS_OWNER);
	edges_of_day(org, day, &args);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_analytics_take_snapshot);

/* take_analytics_snapshot(day) */
Datum
ls_analytics_take_snapshot(PG_FUNCTION_ARGS)
{
	LS_QUERY0(organizations,
		"SELECT o.id FROM lead_system.organizations o WHERE o.status <> 'cancelled' ORDER BY o.id");
	pg_uuid_t *orgs;
	DateADT day;
	int n;
	int i;

	LS_REQUIRE_ARG(0, "day");
	day = PG_GETARG_DATEADT(0);
	if (DATE_NOT_FINITE(day))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("day must be finite")));
	ls_report_refuse_contractor();
	orgs = ls_sweep_organizations(&organizations, &n);
	for (i = 0; i < n; i++)
		take_snapshot(&orgs[i], day);
	PG_RETURN_VOID();
}
