/*-------------------------------------------------------------------------
 *
 * proposals.c
 *	  What could be done, judged by the limits and written down (semantics J5,
 *	  J6).  Nothing is changed here but the log.
 *
 *	  Every proposal, of a rule or of an agent outside the database, goes through
 *	  the same statement.  Two unique indexes see to it that the same is proposed
 *	  once a day, and that one proposal of a kind is open for a target.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/errors.h"
#include "core/input.h"
#include "core/json.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "advertising/internal.h"

/*
 * The log's lines of candidates "c": agent_name, action_type, target_type,
 * target_id, data, from_value, to_value (NULL when only the status changes),
 * per_unit, spend (a day, of a change of status), expires_at.
 */
#define PROPOSE_SQL \
	" based AS (SELECT c.*, " LS_AD_BASE_SQL("c.target_id", "c.action_type", "c.from_value") " AS base, " LS_AD_BY_RULE_SQL( \
		"c.data") " AS by_rule FROM c)," \
				  " judged AS (SELECT r.*, " LS_AD_GUARD_SQL( \
					  "r") " AS guard FROM based r)" \
						   " INSERT INTO lead_system.ai_agent_logs (organization_id, agent_name, action_type, action_data," \
						   "    target_type, target_id, action_day, from_value, to_value, guard, estimated_impact, result," \
						   "    result_message, expires_at, created_at, completed_at)" \
						   " SELECT $1, j.agent_name, j.action_type, j.data, j.target_type, j.target_id, $3, j.from_value, j.to_value, j.guard," \
						   "    jsonb_strip_nulls(jsonb_build_object(" \
						   "       'spend_per_day', round(coalesce((j.to_value - j.from_value) * j.per_unit, j.spend), 2)," \
						   "       'change_percent', round(" LS_AD_PERCENT_SQL( \
							   "j") ", 1)))," \
									"    CASE j.guard WHEN 'refused' THEN 'refused' ELSE 'pending' END," \
									"    CASE j.guard WHEN 'refused' THEN format('the effect is above %s a day', $6)" \
									"                 WHEN 'manual' THEN format('the change is above %s percent', $5) END," \
									"    j.expires_at, $2, CASE j.guard WHEN 'refused' THEN $2 END" \
									"   FROM judged j"

/* What was proposed today, or is open, is not proposed by a rule again. */
#define ONCE_SQL \
	" WHERE NOT EXISTS (SELECT 1 FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1 AND l.guard <> 'note'" \
	"    AND l.target_id = j.target_id AND l.action_type = j.action_type" \
	"    AND (l.action_day = $3 OR l.result IN ('pending', 'approved')))" \
	" ORDER BY j.target_id, j.action_type ON CONFLICT DO NOTHING"

/* Keywords that many have clicked and nobody was converted by. */
#define PAUSE_KEYWORDS_SQL \
	"SELECT 'optimizing' AS agent_name, 'pause_keyword' AS action_type, 'keyword' AS target_type, k.id AS target_id," \
	"   jsonb_build_object('rule', 'no_conversions', 'clicks', k.total_clicks, 'spend', k.total_spend, 'limit', $11) AS data," \
	"   NULL::numeric AS from_value, NULL::numeric AS to_value, NULL::numeric AS per_unit," \
	"   -coalesce(u.spend, 0) AS spend, $10 AS expires_at" \
	"  FROM lead_system.keywords k" \
	"  JOIN lead_system.ad_campaigns c ON c.organization_id = $1 AND c.id = k.campaign_id AND c.status = 'active'" \
	"  LEFT JOIN LATERAL " LS_AD_USUAL_SQL( \
		"k.id") " u ON true" \
				" WHERE k.organization_id = $1 AND k.status = 'active' AND k.total_clicks >= $11 AND k.total_conversions = 0"

/*
 * Keywords that do well, unless their bid has been changed of late: the less a
 * conversion costs, the higher the bid.
 */
#define RAISE_BIDS_SQL \
	"SELECT 'optimizing', 'change_bid', 'keyword', x.id," \
	"   jsonb_build_object('rule', 'high_performer', 'conversions', x.total_conversions, 'cost', round(x.cost, 2), 'limit', x.allowed)," \
	"   x.max_cpc, x.bid, x.clicks, NULL, $10" \
	"  FROM (SELECT k.*, p.*, u.clicks, trunc(k.max_cpc * (100 + least($13, greatest($12," \
	"               trunc($12 + ($13 - $12) * (1 - p.cost / p.allowed))))) / 100, 2) AS bid" \
	"          FROM lead_system.keywords k" \
	"          JOIN lead_system.ad_campaigns c ON c.organization_id = $1 AND c.id = k.campaign_id AND c.status = 'active'" \
	"         CROSS JOIN LATERAL (SELECT k.total_spend / nullif(k.total_conversions, 0) AS cost," \
	"               $14::numeric * $15 / 100 AS allowed) p" \
	"          LEFT JOIN LATERAL " LS_AD_USUAL_SQL( \
		"k.id") " u ON true" \
				"         WHERE k.organization_id = $1 AND k.status = 'active' AND k.max_cpc IS NOT NULL" \
				"           AND k.total_conversions >= $16 AND p.cost <= p.allowed) x" \
				" WHERE x.bid > x.max_cpc AND NOT EXISTS (SELECT 1 FROM lead_system.ai_agent_logs l" \
				"         WHERE l.organization_id = $1 AND l.target_id = x.id AND l.action_type = 'change_bid'" \
				"           AND l.result = 'success' AND l.from_value IS NOT NULL" \
				"           AND l.completed_at > $2 - make_interval(days => $7))"

/* Campaigns that have spent the budget of the day. */
#define PAUSE_CAMPAIGNS_SQL \
	"SELECT 'monitor', 'pause_campaign', 'campaign', c.id," \
	"   jsonb_build_object('rule', 'daily_budget', 'spend', d.spend, 'daily_budget', c.daily_budget)," \
	"   NULL, NULL, NULL, 0, $9" \
	"  FROM lead_system.ad_campaigns c" \
	"  JOIN lead_system.ad_campaign_days d ON d.organization_id = $1 AND d.campaign_id = c.id AND d.day = $3" \
	" WHERE c.organization_id = $1 AND c.status = 'active' AND d.spend >= c.daily_budget"

/* Campaigns that were paused for that on a day that is over. */
#define RESUME_CAMPAIGNS_SQL \
	"SELECT 'monitor', 'resume_campaign', 'campaign', c.id," \
	"   jsonb_build_object('rule', 'new_day', 'paused_for', c.paused_for), NULL, NULL, NULL, c.daily_budget, $10" \
	"  FROM lead_system.ad_campaigns c" \
	" WHERE c.organization_id = $1 AND c.status = 'paused' AND c.paused_for < $3"

/* Close what has expired. */
static void
close_expired(const LsAdDay *day)
{
	LS_QUERY(query,
		"UPDATE lead_system.ai_agent_logs l SET result = 'expired', completed_at = $2 FROM ("
		"   SELECT o.id FROM lead_system.ai_agent_logs o WHERE o.organization_id = $1"
		"      AND o.result IN ('pending', 'approved') AND o.expires_at <= $2"
		"    ORDER BY o.id FOR NO KEY UPDATE SKIP LOCKED) x"
		" WHERE l.organization_id = $1 AND l.id = x.id",
		UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &day->org);
	ls_arg_timestamptz(&args, day->now);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Until when a proposal can be decided on that has no end of its own. */
static TimestampTz
usual_expiry(const LsAdDay *day)
{
	return day->now + (int64) ls_config_int(&day->org, "ads.proposal_days") * USECS_PER_DAY;
}

/* What the rules propose for an organisation. */
static int64
propose(const LsAdDay *day)
{
	LS_QUERY(query,
		"WITH c AS (" PAUSE_KEYWORDS_SQL " UNION ALL " RAISE_BIDS_SQL
		" UNION ALL " PAUSE_CAMPAIGNS_SQL " UNION ALL " RESUME_CAMPAIGNS_SQL
		")," PROPOSE_SQL ONCE_SQL,
		LS_AD_LIMIT_TYPES, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT4OID, INT4OID, INT4OID,
		INT4OID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	int64 n;

	ls_ad_limit_args(&args, day);
	ls_arg_timestamptz(&args, day->ends_at);
	ls_arg_timestamptz(&args, usual_expiry(day));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.keyword_clicks"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.bid_min_percent"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.bid_max_percent"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.cpl_limit"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.performer_cost_percent"));
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.performer_conversions"));
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return n;
}

PG_FUNCTION_INFO_V1(ls_advertising_propose_actions);

/* propose_actions() */
Datum
ls_advertising_propose_actions(PG_FUNCTION_ARGS)
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
		close_expired(&day);
		done += propose(&day);
	}
	PG_RETURN_INT64(done);
}

/* The kinds of actions, and what each is about. */
typedef struct ActionKind
{
	const char *name;
	const char *table;
	const char *target;
	bool has_value;
} ActionKind;

static const ActionKind kinds[] = {{"pause_campaign", "ad_campaigns", "campaign", false},
	{"resume_campaign", "ad_campaigns", "campaign", false},
	{"change_budget", "ad_campaigns", "campaign", true},
	{"pause_keyword", "keywords", "keyword", false}, {"change_bid", "keywords", "keyword", true}};

/* A kind of action by its name, and a value if it needs one. */
static const ActionKind *
parse_kind(const char *name, bool has_value)
{
	int i;

	for (i = 0; i < (int) lengthof(kinds); i++)
	{
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		if (kinds[i].has_value != has_value)
			ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg(
						has_value ? "to_value is not for %s" : "to_value is needed for %s", name)));
		return &kinds[i];
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("\"%s\" is not an action on advertising", name),
					   errhint("Actions are pause_campaign, resume_campaign, change_budget, "
							   "pause_keyword and change_bid.")));
}

/* A new budget or bid. */
static Datum
parse_value(Numeric value)
{
	Datum rounded = DirectFunctionCall2(numeric_round, NumericGetDatum(value), Int32GetDatum(2));

	if (numeric_is_nan(value) || numeric_is_inf(value) ||
		DatumGetInt32(
			DirectFunctionCall2(numeric_cmp, rounded, NumericGetDatum(int64_to_numeric(0)))) <= 0 ||
		DatumGetInt32(DirectFunctionCall2(
			numeric_cmp, rounded, NumericGetDatum(int64_to_numeric(INT64CONST(10000000000))))) >= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("to_value must be an amount above zero")));
	return rounded;
}

/* The proposal that stands in the way: its id when it is the same. */
static pg_uuid_t
existing_proposal(const LsAdDay *day, const ActionKind *kind, const pg_uuid_t *target, Datum value)
{
	LS_QUERY(query,
		"SELECT l.id, l.to_value IS NOT DISTINCT FROM $5 FROM lead_system.ai_agent_logs l"
		" WHERE l.organization_id = $1 AND l.target_id = $2 AND l.action_type = $3"
		"   AND l.guard <> 'note' AND (l.result IN ('pending', 'approved')"
		"        OR l.action_day = $4 AND l.to_value IS NOT DISTINCT FROM $5)"
		" ORDER BY l.result IN ('pending', 'approved') DESC LIMIT 1",
		UUIDOID, UUIDOID, TEXTOID, DATEOID, NUMERICOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;
	bool same;

	ls_arg_uuid(&args, &day->org);
	ls_arg_uuid(&args, target);
	ls_arg_text(&args, kind->name);
	ls_arg_datum(&args, DateADTGetDatum(day->date), false);
	ls_arg_datum(&args, value, !kind->has_value);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) == 0)
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("there is nothing to change"),
					   errdetail("The %s is as proposed, has no bid, or is over.", kind->target)));
	id = ls_result_uuid(0, 1);
	same = ls_result_bool(0, 2);
	ls_scope_close(&scope);
	if (!same)
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("another %s of the %s is proposed already", kind->name, kind->target),
					   errdetail("It is action \"%s\".", ls_uuid_text(&id)),
					   errhint("reject_action() makes room for another one.")));
	return id;
}

/* Refuse a proposal that claims to be of a rule, which is judged otherwise. */
static void
check_not_by_rule(Jsonb *action_data)
{
	if (ls_json_get(action_data, LS_AD_RULE) != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("action_data must not have the key \"%s\"", LS_AD_RULE),
						   errdetail("It tells what propose_actions() proposes.")));
}

PG_FUNCTION_INFO_V1(ls_advertising_propose_action);

/* propose_action(agent_name, action_type, target_id, to_value, action_data) */
Datum
ls_advertising_propose_action(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"WITH c AS ("
		"   SELECT $9 AS agent_name, $10 AS action_type, 'campaign' AS target_type, a.id AS target_id, $12 AS data,"
		"          CASE WHEN $13 IS NOT NULL THEN a.daily_budget END AS from_value, $13 AS to_value, 1::numeric AS per_unit,"
		"          CASE $10 WHEN 'resume_campaign' THEN a.daily_budget ELSE -a.daily_budget END AS spend, $14 AS expires_at"
		"     FROM lead_system.ad_campaigns a WHERE a.organization_id = $1 AND a.id = $11 AND a.status <> 'ended'"
		"      AND CASE $10 WHEN 'pause_campaign' THEN a.status = 'active' WHEN 'resume_campaign' THEN a.status = 'paused'"
		"               WHEN 'change_budget' THEN a.daily_budget <> $13 ELSE false END"
		"   UNION ALL"
		"   SELECT $9, $10, 'keyword', k.id, $12, CASE WHEN $13 IS NOT NULL THEN k.max_cpc END, $13, coalesce(u.clicks, 0),"
		"          -coalesce(u.spend, 0), $14"
		"     FROM lead_system.keywords k LEFT JOIN LATERAL " LS_AD_USUAL_SQL(
			"k.id") " u ON true"
					"    WHERE k.organization_id = $1 AND k.id = $11 AND k.status <> 'removed'"
					"      AND CASE $10 WHEN 'pause_keyword' THEN k.status = 'active'"
					"               WHEN 'change_bid' THEN k.max_cpc <> $13 ELSE false END)," PROPOSE_SQL
					" ON CONFLICT DO NOTHING RETURNING id",
		LS_AD_LIMIT_TYPES, TEXTOID, TEXTOID, UUIDOID, JSONBOID, NUMERICOID, TIMESTAMPTZOID);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	const ActionKind *kind;
	Datum value = (Datum) 0;
	LsAdDay day;
	LsScope scope;
	LsArgs args = {0};
	bool is_new;

	LS_REQUIRE_ARG(0, "agent_name");
	LS_REQUIRE_ARG(1, "action_type");
	LS_REQUIRE_ARG(2, "target_id");
	LS_REQUIRE_ARG(4, "action_data");
	ls_agent_action_check(PG_GETARG_TEXT_PP(0), PG_GETARG_JSONB_P(4));
	check_not_by_rule(PG_GETARG_JSONB_P(4));
	kind = parse_kind(text_to_cstring(PG_GETARG_TEXT_PP(1)), !PG_ARGISNULL(3));
	if (kind->has_value)
		value = parse_value(PG_GETARG_NUMERIC(3));
	ls_enter_org_of(kind->table, kind->target, PG_GETARG_UUID_P(2), LS_WRITE, &day.org);
	ls_agent_refuse_contractor();
	ls_ad_today(&day.org, &day);
	close_expired(&day);
	ls_ad_limit_args(&args, &day);
	ls_arg_datum(&args, PG_GETARG_DATUM(0), false);
	ls_arg_text(&args, kind->name);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(2));
	ls_arg_datum(&args, PG_GETARG_DATUM(4), false);
	ls_arg_datum(&args, value, !kind->has_value);
	ls_arg_timestamptz(&args, usual_expiry(&day));
	ls_scope_open(&scope, LS_AS_OWNER);
	is_new = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (is_new)
		*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	if (!is_new)
		*id = existing_proposal(&day, kind, PG_GETARG_UUID_P(2), value);
	PG_RETURN_UUID_P(id);
}
