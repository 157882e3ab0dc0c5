/*-------------------------------------------------------------------------
 *
 * days.c
 *	  What an advertising platform reports, day by day.
 *
 *	  Campaigns are locked first, then keywords, both by id, so that reports take
 *	  turns and each difference is added to the totals once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/json.h"
#include "core/tenant.h"
#include "advertising/internal.h"

/* A report as rows. */
#define ROWS_SQL \
	"jsonb_to_recordset($2) r(campaign text, keyword text, match_type text, day date," \
	"   spend numeric(12,2), clicks bigint, impressions bigint, conversions bigint)"

/*
 * The rows with the ids of what they are about, each looked up by its unique
 * key, whatever the planner knows of the tables.
 */
#define FOUND_SQL \
	"SELECT r.*, f.campaign_id, (SELECT k.id FROM lead_system.keywords k WHERE k.organization_id = $1" \
	"           AND k.campaign_id = f.campaign_id AND k.keyword_text = r.keyword" \
	"           AND k.match_type = r.match_type) AS keyword_id" \
	"  FROM " ROWS_SQL " CROSS JOIN LATERAL (SELECT (SELECT c.id FROM lead_system.ad_campaigns c" \
	"           WHERE c.organization_id = $1 AND c.external_id = r.campaign) AS campaign_id OFFSET 0) f"

/* Refuse objects with keys that mean nothing. */
static void
check_keys(Jsonb *days)
{
	static const char *const known[] = {"campaign", "keyword", "match_type", "day", "spend",
		"clicks", "impressions", "conversions"};
	JsonbIterator *it = JsonbIteratorInit(&days->root);
	JsonbIteratorToken token;
	JsonbValue element;

	if (!JB_ROOT_IS_ARRAY(days) || JB_ROOT_IS_SCALAR(days))
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("days must be a JSON array")));
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		LsJsonMember *members;
		int n;
		int i;
		int j;

		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvBinary)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("an element of days must be a JSON object")));
		members = ls_json_members(ls_json_value_to_jsonb(&element), "an element of days", &n);
		for (i = 0; i < n; i++)
		{
			for (j = 0; j < (int) lengthof(known); j++)
			{
				if (strcmp(members[i].key, known[j]) == 0)
					break;
			}
			if (j == (int) lengthof(known))
				ls_json_unknown_key("an element of days", members[i].key,
					"campaign, keyword, match_type, day, spend, clicks, impressions, conversions");
		}
	}
}

/* Lock what the report is about. */
static void
lock_targets(const LsArgs *args)
{
	LS_QUERY_ARRAY(campaigns,
		"SELECT 1 FROM lead_system.ad_campaigns c WHERE c.organization_id = $1"
		"    AND c.id = ANY (ARRAY(SELECT DISTINCT x.campaign_id FROM (" FOUND_SQL ") x))"
		" ORDER BY c.id FOR NO KEY UPDATE",
		UUIDOID, JSONBOID);
	LS_QUERY_ARRAY(keywords,
		"SELECT 1 FROM lead_system.keywords k WHERE k.organization_id = $1"
		"    AND k.id = ANY (ARRAY(SELECT DISTINCT x.keyword_id FROM (" FOUND_SQL ") x))"
		" ORDER BY k.id FOR NO KEY UPDATE",
		UUIDOID, JSONBOID);

	ls_query_run(&campaigns, args, LS_WRITE);
	ls_query_run(&keywords, args, LS_WRITE);
}

/* Refuse a report that is incomplete, ambiguous, or about what is not there. */
static int64
check_rows(const LsArgs *args)
{
	LS_QUERY_ARRAY(query,
		"SELECT count(*),"
		"       count(*) FILTER (WHERE x.campaign IS NULL OR x.day IS NULL OR x.spend IS NULL OR x.clicks IS NULL"
		"          OR x.impressions IS NULL OR x.conversions IS NULL OR (x.keyword IS NULL) <> (x.match_type IS NULL)),"
		"       count(*) FILTER (WHERE x.spend < 0 OR x.spend = 'NaN' OR least(x.clicks, x.impressions, x.conversions) < 0),"
		"       count(*) - count(DISTINCT (x.campaign, x.keyword, x.match_type, x.day)),"
		"       min(x.campaign) FILTER (WHERE x.campaign_id IS NULL),"
		"       min(x.keyword) FILTER (WHERE x.keyword_id IS NULL AND x.keyword IS NOT NULL),"
		"       count(*) FILTER (WHERE NOT isfinite(x.day))"
		"  FROM (" FOUND_SQL ") x",
		UUIDOID, JSONBOID);

	ls_query_run(&query, args, LS_WRITE);
	if (ls_result_int64(0, 2) > 0)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("an element of days is incomplete"),
				errdetail(
					"campaign, day, spend, clicks, impressions and conversions are needed, and "
					"match_type with a keyword.")));
	if (ls_result_int64(0, 3) > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("an element of days has a number below zero")));
	if (ls_result_int64(0, 7) > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("a day of an element of days must be finite")));
	if (ls_result_int64(0, 4) > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("a day of a campaign or a keyword is there twice")));
	if (!ls_result_isnull(0, 5))
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						   errmsg("campaign \"%s\" does not exist", ls_result_text(0, 5))));
	if (!ls_result_isnull(0, 6))
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						   errmsg("keyword \"%s\" does not exist", ls_result_text(0, 6))));
	return ls_result_int64(0, 1);
}

/*
 * Replace the days and add the differences to the totals.  "found" is where the
 * rows of the report come from, with the id of what they are about.
 */
#define WRITE_SQL(days, target, totals, found) \
	"WITH n AS MATERIALIZED (SELECT " found ")," \
	" written AS (INSERT INTO lead_system." days "    (organization_id, " target \
	", day, spend, clicks, impressions, conversions)" \
	"    SELECT $1, n.id, n.day, n.spend, n.clicks, n.impressions, n.conversions FROM n" \
	"    ON CONFLICT (organization_id, " target ", day) DO UPDATE SET spend = EXCLUDED.spend," \
	"       clicks = EXCLUDED.clicks, impressions = EXCLUDED.impressions," \
	"       conversions = EXCLUDED.conversions)" \
	" UPDATE lead_system." totals " t SET total_spend = t.total_spend + x.spend," \
	"    total_clicks = t.total_clicks + x.clicks," \
	"    total_impressions = t.total_impressions + x.impressions," \
	"    total_conversions = t.total_conversions + x.conversions, last_synced_at = $3" \
	"  FROM (SELECT n.id, sum(n.spend - coalesce(d.spend, 0)) AS spend," \
	"           sum(n.clicks - coalesce(d.clicks, 0))::bigint AS clicks," \
	"           sum(n.impressions - coalesce(d.impressions, 0))::bigint AS impressions," \
	"           sum(n.conversions - coalesce(d.conversions, 0))::bigint AS conversions" \
	"          FROM n LEFT JOIN lead_system." days " d ON d.organization_id = $1 AND d." target \
	" = n.id" \
	"           AND d.day = n.day GROUP BY n.id) x" \
	" WHERE t.organization_id = $1 AND t.id = x.id"

/* Write the report. */
static void
write_days(const LsArgs *args)
{
	LS_QUERY_ARRAY(campaigns,
		WRITE_SQL("ad_campaign_days", "campaign_id", "ad_campaigns",
			"x.campaign_id AS id, x.* FROM (" FOUND_SQL ") x WHERE x.keyword IS NULL"),
		UUIDOID, JSONBOID, TIMESTAMPTZOID);
	LS_QUERY_ARRAY(keywords,
		WRITE_SQL("keyword_days", "keyword_id", "keywords",
			"x.keyword_id AS id, x.* FROM (" FOUND_SQL ") x WHERE x.keyword IS NOT NULL"),
		UUIDOID, JSONBOID, TIMESTAMPTZOID);

	ls_query_run(&campaigns, args, LS_WRITE);
	ls_query_run(&keywords, args, LS_WRITE);
}

PG_FUNCTION_INFO_V1(ls_advertising_record_days);

/* record_ad_days(days) */
Datum
ls_advertising_record_days(PG_FUNCTION_ARGS)
{
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};
	int64 n;

	LS_REQUIRE_ARG(0, "days");
	ls_require_org(&org);
	ls_agent_refuse_contractor();
	check_keys(PG_GETARG_JSONB_P(0));
	ls_arg_uuid(&args, &org);
	ls_arg_datum(&args, PG_GETARG_DATUM(0), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	lock_targets(&args);
	n = check_rows(&args);
	ls_arg_timestamptz(&args, ls_clock_now());
	write_days(&args);
	ls_scope_close(&scope);
	PG_RETURN_INT64(n);
}
