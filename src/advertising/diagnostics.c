/*-------------------------------------------------------------------------
 *
 * diagnostics.c
 *	  What looks wrong (semantics J5): leads that cost too much, bookings that
 *	  fail to come, fewer leads than usual, leads that nobody has touched.
 *
 *	  Days are those of the organisation's time zone; the day as of which one
 *	  looks is not over, so figures are taken of the days before it.  What is
 *	  found is written down once a day, whoever looks how often.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/tenant.h"
#include "advertising/internal.h"

/* The log's columns, from what a rule finds: $1 organisation, $2 time, $3 day. */
#define FIND_SQL(agent, action, kind) \
	"INSERT INTO lead_system.ai_agent_logs (organization_id, agent_name, action_type, target_type, target_id," \
	"   action_day, guard, result, created_at, completed_at, action_data, result_message)" \
	" SELECT $1, '" agent "', '" action "', '" kind \
	"', f.id, $3, 'finding', 'success', $2, $2, f.data, f.message FROM ("

#define FOUND_SQL ") f ORDER BY f.id ON CONFLICT DO NOTHING"

/* Leads that count: $4 and $5 are when the days begin and end. */
#define LEADS_SQL \
	"lead_system.leads l WHERE l.organization_id = $1 AND l.created_at >= $4 AND l.created_at < $5" \
	"   AND l.deleted_at IS NULL AND NOT l.is_spam"

/* The time at which a number of days before the day begins. */
static TimestampTz
begins(const LsAdDay *day, int days_before)
{
	LS_QUERY(query,
		"SELECT ($2 - $3)::timestamp AT TIME ZONE o.timezone FROM lead_system.organizations o"
		" WHERE o.id = $1",
		UUIDOID, DATEOID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	TimestampTz at;

	ls_arg_uuid(&args, &day->org);
	ls_arg_datum(&args, DateADTGetDatum(day->date), false);
	ls_arg_int32(&args, days_before);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	at = ls_result_timestamptz(0, 1);
	ls_scope_close(&scope);
	return at;
}

/* Write down what a rule finds; returns how many. */
static int64
find(LsQuery *query, const LsArgs *args)
{
	LsScope scope;
	int64 n;

	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(query, args, LS_WRITE);
	ls_scope_close(&scope);
	return n;
}

/* The parameters that all rules begin with. */
static void
day_args(LsArgs *args, const LsAdDay *day)
{
	ls_arg_uuid(args, &day->org);
	ls_arg_timestamptz(args, day->now);
	ls_arg_datum(args, DateADTGetDatum(day->date), false);
}

/* Campaigns whose leads cost too much on each of the last days; a day without any does when it cost that much. */
static int64
find_high_cpl(const LsAdDay *day)
{
	LS_QUERY(query,
		FIND_SQL("diagnostic", "detect_high_cpl",
			"campaign") "SELECT c.id, jsonb_build_object('rule', 'cpl', 'days', $4, 'limit', $5, 'spend', x.spend,"
						"          'conversions', x.conversions, 'cpl', round(x.spend / nullif(x.conversions, 0), 2)) AS data,"
						"       format('each lead of %s cost more than %s on %s days', c.name, $5, $4) AS message"
						"  FROM (SELECT d.campaign_id, sum(d.spend) AS spend, sum(d.conversions)::bigint AS conversions"
						"          FROM lead_system.ad_campaign_days d"
						"         WHERE d.organization_id = $1 AND d.day >= $3 - $4 AND d.day < $3"
						"         GROUP BY d.campaign_id"
						"        HAVING count(*) = $4 AND bool_and(d.spend > $5 * greatest(d.conversions, 1))) x"
						"  JOIN lead_system.ad_campaigns c ON c.organization_id = $1 AND c.id = x.campaign_id"
						" WHERE c.status = 'active'" FOUND_SQL,
		UUIDOID, TIMESTAMPTZOID, DATEOID, INT4OID, INT4OID);
	LsArgs args = {0};

	day_args(&args, day);
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.cpl_days"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.cpl_limit"));
	return find(&query, &args);
}

/* Too few of the leads of the last days are booked. */
static int64
find_low_booking_rate(const LsAdDay *day)
{
	LS_QUERY(query,
		FIND_SQL("diagnostic", "detect_low_booking_rate",
			"organization") "SELECT $1 AS id, jsonb_build_object('rule', 'booking_rate', 'leads', x.leads, 'booked', x.booked,"
							"          'percent', round(x.booked * 100.0 / x.leads, 2), 'limit', $6) AS data,"
							"       format('%s of %s leads are booked', x.booked, x.leads) AS message"
							"  FROM (SELECT count(*) AS leads, count(*) FILTER (WHERE l.booked_at IS NOT NULL"
							"                  OR l.stage = 'won') AS booked FROM " LEADS_SQL ") x"
							" WHERE x.leads >= $7 AND x.booked * 100 < x.leads * $6" FOUND_SQL,
		UUIDOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT4OID);
	LsArgs args = {0};

	day_args(&args, day);
	ls_arg_timestamptz(&args, begins(day, ls_config_int(&day->org, "ads.booking_days")));
	ls_arg_timestamptz(&args, day->starts_at);
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.booking_percent"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.booking_min_leads"));
	return find(&query, &args);
}

/* Fewer leads a day than there used to be. */
static int64
find_declining_trend(const LsAdDay *day)
{
	LS_QUERY(query,
		FIND_SQL("monitor", "detect_declining_trend",
			"organization") "SELECT $1 AS id, jsonb_build_object('rule', 'trend', 'mean', round(x.late / $8::numeric, 2),"
							"          'base_mean', round(x.leads / $7::numeric, 2), 'days', $8, 'base_days', $7, 'limit', $9) AS data,"
							"       format('%s leads a day, after %s', round(x.late / $8::numeric, 2), round(x.leads / $7::numeric, 2)) AS message"
							"  FROM (SELECT count(*) AS leads, count(*) FILTER (WHERE l.created_at >= $6) AS late FROM " LEADS_SQL
							") x"
							" WHERE x.leads >= $10 AND x.late * 100 * $7::bigint < x.leads * $9 * $8::bigint" FOUND_SQL,
		UUIDOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID,
		INT4OID, INT4OID, INT4OID);
	int base_days = ls_config_int(&day->org, "ads.trend_base_days");
	int days = ls_config_int(&day->org, "ads.trend_days");
	LsArgs args = {0};

	day_args(&args, day);
	ls_arg_timestamptz(&args, begins(day, base_days));
	ls_arg_timestamptz(&args, day->starts_at);
	ls_arg_timestamptz(&args, begins(day, days));
	ls_arg_int32(&args, base_days);
	ls_arg_int32(&args, days);
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.trend_percent"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.trend_min_leads"));
	return find(&query, &args);
}

/* Leads that nobody has touched for too long: how many, and the oldest of them. */
static int64
find_untouched_leads(const LsAdDay *day)
{
	LS_QUERY(query,
		FIND_SQL("monitor", "alert_untouched_leads",
			"organization") "SELECT $1 AS id, jsonb_build_object('rule', 'untouched', 'hours', $5, 'leads', x.leads,"
							"          'oldest', to_jsonb(x.oldest), 'lead_ids', to_jsonb(x.ids[1:20])) AS data,"
							"       format('nobody has touched %s leads for %s hours', x.leads, $5) AS message"
							"  FROM (SELECT count(*) AS leads, min(l.created_at) AS oldest,"
							"               array_agg(l.id ORDER BY l.created_at, l.id) AS ids"
							"          FROM lead_system.leads l WHERE l.organization_id = $1 AND " LS_AD_UNTOUCHED_SQL
							"           AND l.created_at < $4 - make_interval(hours => $5)) x"
							" WHERE x.leads > 0" FOUND_SQL,
		UUIDOID, TIMESTAMPTZOID, DATEOID, TIMESTAMPTZOID, INT4OID);
	LsArgs args = {0};

	day_args(&args, day);
	ls_arg_timestamptz(&args, Min(day->now, day->ends_at));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.untouched_hours"));
	return find(&query, &args);
}

/*
 * The day as of which one looks.  False when it has not begun: an error within
 * an organisation, while among all of them some days begin later than others.
 */
static bool
enter_day(LsAdDay *day, DateADT as_of)
{
	pg_uuid_t current;

	if (DATE_NOT_FINITE(as_of) || (as_of > day->date && ls_current_org(&current)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("as_of must be a day that is not in the future")));
	if (as_of > day->date)
		return false;
	day->date = as_of;
	day->starts_at = begins(day, 0);
	day->ends_at = begins(day, -1);
	return true;
}

PG_FUNCTION_INFO_V1(ls_advertising_run_diagnostics);

/* run_ad_diagnostics(as_of) */
Datum
ls_advertising_run_diagnostics(PG_FUNCTION_ARGS)
{
	pg_uuid_t *orgs;
	int64 done = 0;
	int n;
	int i;

	orgs = ls_ad_organizations(&n);
	for (i = 0; i < n; i++)
	{
		LsAdDay day;

		ls_ad_today(&orgs[i], &day);
		if (!PG_ARGISNULL(0) && !enter_day(&day, PG_GETARG_DATEADT(0)))
			continue;
		done += find_high_cpl(&day);
		done += find_low_booking_rate(&day);
		done += find_declining_trend(&day);
		done += find_untouched_leads(&day);
		if (PG_ARGISNULL(0))
			ls_ad_alert_untouched(&day);
	}
	PG_RETURN_INT64(done);
}
