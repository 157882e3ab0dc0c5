/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  Carrying out what was proposed, within the limits of the moment (semantics
 *	  J6).
 *
 *	  Locks: lines of the log, then campaigns, then keywords, each by id.  What
 *	  the limits say is asked again once all of them are held, so neither a
 *	  limit that was lowered nor a change that was made meanwhile is passed over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/input.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "advertising/internal.h"

/* How a target stands to what is proposed for it. */
typedef enum Standing
{
	STANDS_READY,   /* as it was when the proposal was made */
	STANDS_DONE,    /* as proposed already */
	STANDS_CHANGED, /* neither */
	STANDS_GONE     /* there is none any more */
} Standing;

/* A proposal that is being carried out. */
typedef struct Judged
{
	pg_uuid_t id;
	bool is_approved;
	char *guard; /* what the limits say now */
	Standing standing;
} Judged;

/* Lock the campaigns, then the keywords, that proposals are about. */
static void
lock_targets(const LsArgs *args)
{
	LS_QUERY_ARRAY(campaigns,
		"SELECT 1 FROM lead_system.ad_campaigns c WHERE c.organization_id = $1 AND c.id IN ("
		"   SELECT l.target_id FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1"
		"      AND l.id = ANY ($2) AND l.target_type = 'campaign')"
		" ORDER BY c.id FOR NO KEY UPDATE",
		UUIDOID, UUIDARRAYOID);
	LS_QUERY_ARRAY(keywords,
		"SELECT 1 FROM lead_system.keywords k WHERE k.organization_id = $1 AND k.id IN ("
		"   SELECT l.target_id FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1"
		"      AND l.id = ANY ($2) AND l.target_type = 'keyword')"
		" ORDER BY k.id FOR NO KEY UPDATE",
		UUIDOID, UUIDARRAYOID);

	ls_query_run(&campaigns, args, LS_WRITE);
	ls_query_run(&keywords, args, LS_WRITE);
}

/*
 * Of a line "l", its campaign "c" or keyword "k": a Standing.  A rule's cause
 * has to be there still: a budget may have been raised since it was reached, and
 * a campaign paused for another reason.
 */
#define STANDING_SQL \
	"CASE l.action_type" \
	" WHEN 'pause_campaign' THEN CASE WHEN c.status = 'paused' THEN 1 WHEN c.status IS DISTINCT FROM 'active' THEN 3" \
	"      WHEN l.action_data ->> 'rule' = 'daily_budget' AND NOT EXISTS (SELECT 1 FROM lead_system.ad_campaign_days d" \
	"           WHERE d.organization_id = $1 AND d.campaign_id = c.id AND d.day = l.action_day" \
	"             AND d.spend >= c.daily_budget) THEN 2 ELSE 0 END" \
	" WHEN 'resume_campaign' THEN CASE WHEN c.status = 'active' THEN 1 WHEN c.status IS DISTINCT FROM 'paused' THEN 3" \
	"      WHEN l.action_data ->> 'rule' = 'new_day' AND c.paused_for IS NULL THEN 2 ELSE 0 END" \
	" WHEN 'change_budget' THEN CASE WHEN c.status IS NULL OR c.status = 'ended' THEN 3" \
	"      WHEN c.daily_budget = l.to_value THEN 1 WHEN c.daily_budget = l.from_value THEN 0 ELSE 2 END" \
	" WHEN 'pause_keyword' THEN CASE WHEN k.status = 'paused' THEN 1 WHEN k.status IS DISTINCT FROM 'active' THEN 3" \
	"      WHEN l.action_data ->> 'rule' = 'no_conversions' AND k.total_conversions > 0 THEN 2 ELSE 0 END" \
	" WHEN 'change_bid' THEN CASE WHEN k.status IS NULL OR k.status = 'removed' THEN 3" \
	"      WHEN k.max_cpc = l.to_value THEN 1 WHEN k.max_cpc = l.from_value THEN 0 ELSE 2 END" \
	" ELSE 3 END"

/* What the limits say of locked proposals, and how their targets stand. */
static Judged *
judge(const LsAdDay *day, Datum ids, int *n)
{
	LS_QUERY_ARRAY(query,
		"WITH r AS (SELECT l.id, l.result, l.action_type, l.from_value, l.to_value, " STANDING_SQL
		" AS standing, " LS_AD_BY_RULE_SQL(
			"l.action_data") " AS by_rule,"
							 "    CASE l.target_type WHEN 'campaign' THEN c.daily_budget ELSE coalesce(u.spend, 0) END AS spend,"
							 "    CASE l.target_type WHEN 'campaign' THEN 1 ELSE coalesce(u.clicks, 0) END AS per_unit," LS_AD_BASE_SQL(
								 "l.target_id", "l.action_type",
								 "l.from_value") " AS base"
												 "   FROM lead_system.ai_agent_logs l"
												 "   LEFT JOIN lead_system.ad_campaigns c ON c.organization_id = $1 AND c.id = l.target_id"
												 "   LEFT JOIN lead_system.keywords k ON k.organization_id = $1 AND k.id = l.target_id"
												 "   LEFT JOIN LATERAL " LS_AD_USUAL_SQL(
													 "k.id") " u ON true"
															 "  WHERE l.organization_id = $1 AND l.id = ANY ($9))"
															 " SELECT r.id, r.result = 'approved', " LS_AD_GUARD_SQL(
																 "r") ", r.standing FROM r ORDER BY r.id",
		LS_AD_LIMIT_TYPES, UUIDARRAYOID);
	LsArgs args = {0};
	Judged *judged;
	int i;

	ls_ad_limit_args(&args, day);
	ls_arg_datum(&args, ids, false);
	*n = (int) ls_query_run(&query, &args, LS_WRITE);
	judged = SPI_palloc(sizeof(Judged) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		judged[i].id = ls_result_uuid(i, 1);
		judged[i].is_approved = ls_result_bool(i, 2);
		judged[i].guard = ls_result_text(i, 3);
		judged[i].standing = (Standing) ls_result_int32(i, 4);
	}
	return judged;
}

/* Do the limits let this one be carried out? */
static bool
is_within_limits(const Judged *judged)
{
	return strcmp(judged->guard, "automatic") == 0 ||
		   (strcmp(judged->guard, "approval") == 0 && judged->is_approved);
}

/* Change campaigns and keywords as proposals say that are ready. */
static void
write_targets(const LsAdDay *day, Datum ids)
{
	LS_QUERY_ARRAY(campaigns,
		"UPDATE lead_system.ad_campaigns c SET daily_budget = coalesce(x.budget, c.daily_budget),"
		"       status = coalesce(x.status, c.status),"
		"       paused_for = CASE WHEN x.status IS NULL THEN c.paused_for ELSE x.paused_for END"
		"  FROM (SELECT l.target_id, max(l.to_value) AS budget,"
		"               max(CASE l.action_type WHEN 'pause_campaign' THEN 'paused' WHEN 'resume_campaign' THEN 'active' END) AS status,"
		"               max(l.action_day) FILTER (WHERE l.action_data ->> 'rule' = 'daily_budget') AS paused_for"
		"          FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		"           AND l.target_type = 'campaign' GROUP BY l.target_id) x"
		" WHERE c.organization_id = $1 AND c.id = x.target_id",
		UUIDOID, UUIDARRAYOID);
	LS_QUERY_ARRAY(keywords,
		"UPDATE lead_system.keywords k SET max_cpc = coalesce(x.bid, k.max_cpc),"
		"       status = CASE WHEN x.pause THEN 'paused' ELSE k.status END"
		"  FROM (SELECT l.target_id, max(l.to_value) AS bid, bool_or(l.action_type = 'pause_keyword') AS pause"
		"          FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		"           AND l.target_type = 'keyword' GROUP BY l.target_id) x"
		" WHERE k.organization_id = $1 AND k.id = x.target_id",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &day->org);
	ls_arg_datum(&args, ids, false);
	ls_query_run(&campaigns, &args, LS_WRITE);
	ls_query_run(&keywords, &args, LS_WRITE);
}

/* Write down what became of proposals. */
static void
write_results(const LsAdDay *day, const Judged *judged, int n)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.ai_agent_logs l SET completed_at = $4,"
		"       result = CASE WHEN x.standing IN (0, 1) THEN 'success' ELSE 'failed' END,"
		"       result_message = CASE x.standing WHEN 0 THEN l.result_message WHEN 1 THEN 'it was so already'"
		"          WHEN 2 THEN 'it has changed since' ELSE 'it is there no more' END"
		"  FROM unnest($2, $3) x(id, standing) WHERE l.organization_id = $1 AND l.id = x.id",
		UUIDOID, UUIDARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * n);
	Datum *standings = palloc(sizeof(Datum) * n);
	LsArgs args = {0};
	int i;

	for (i = 0; i < n; i++)
	{
		ids[i] = judged[i].id;
		standings[i] = Int32GetDatum((int32) judged[i].standing);
	}
	ls_arg_uuid(&args, &day->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(standings, n, INT4OID, sizeof(int32), true, TYPALIGN_INT)),
		false);
	ls_arg_timestamptz(&args, day->now);
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Write down that the limits do not let a proposal be carried out any more: an
 * approval that was given within other limits is none now.  Were it left, it
 * would take a place in each batch until it expires.
 */
static void
write_guards(const LsAdDay *day, const Judged *blocked, int n)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.ai_agent_logs l SET guard = x.guard,"
		"       result = CASE x.guard WHEN 'refused' THEN 'refused' ELSE 'pending' END,"
		"       completed_at = CASE x.guard WHEN 'refused' THEN $4 END,"
		"       result_message = 'the limits have changed since'"
		"  FROM unnest($2, $3) x(id, guard) WHERE l.organization_id = $1 AND l.id = x.id",
		UUIDOID, UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * n);
	Datum *guards = palloc(sizeof(Datum) * n);
	LsArgs args = {0};
	int i;

	for (i = 0; i < n; i++)
	{
		ids[i] = blocked[i].id;
		guards[i] = CStringGetTextDatum(blocked[i].guard);
	}
	ls_arg_uuid(&args, &day->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(guards, n, TEXTOID, -1, false, TYPALIGN_INT)), false);
	ls_arg_timestamptz(&args, day->now);
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Carry out locked proposals that the limits allow; what is as proposed already
 * is done whatever they say.  Raises LS060 for the others, or sends them back.
 * Returns those that were dealt with, first in the array.
 */
static Judged *
apply(const LsAdDay *day, const pg_uuid_t *ids, int n, bool send_back, int *n_done)
{
	LsArgs args = {0};
	LsScope scope;
	Judged *judged;
	Judged *blocked;
	pg_uuid_t *ready;
	int n_blocked = 0;
	int n_ready = 0;
	int i;

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_arg_uuid(&args, &day->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	lock_targets(&args);
	judged = judge(day, args.values[1], &n);
	ready = palloc(sizeof(pg_uuid_t) * (n + 1));
	blocked = palloc(sizeof(Judged) * (n + 1));
	*n_done = 0;
	for (i = 0; i < n; i++)
	{
		if (judged[i].standing == STANDS_READY && !is_within_limits(&judged[i]))
		{
			if (!send_back)
				ls_agent_action_above_limits(&judged[i].id, judged[i].guard);
			blocked[n_blocked++] = judged[i];
			continue;
		}
		if (judged[i].standing == STANDS_READY)
			ready[n_ready++] = judged[i].id;
		judged[(*n_done)++] = judged[i];
	}
	if (n_ready > 0)
		write_targets(day, ls_uuid_array(ready, n_ready));
	if (*n_done > 0)
		write_results(day, judged, *n_done);
	if (n_blocked > 0)
		write_guards(day, blocked, n_blocked);
	ls_scope_close(&scope);
	return judged;
}

PG_FUNCTION_INFO_V1(ls_advertising_apply_action);

/* apply_action(log_id) */
Datum
ls_advertising_apply_action(PG_FUNCTION_ARGS)
{
	LsAgentAction action;
	LsAdDay day;
	Judged *judged;
	int n;

	LS_REQUIRE_ARG(0, "log_id");
	ls_agent_action_lock(&action, PG_GETARG_UUID_P(0));
	if (strcmp(action.guard, "refused") == 0)
		ls_agent_action_above_limits(&action.id, action.guard);
	ls_agent_action_require_open(&action);
	ls_ad_today(&action.org, &day);
	judged = apply(&day, &action.id, 1, false, &n);
	PG_RETURN_TEXT_P(cstring_to_text(judged[0].standing <= STANDS_DONE ? "success" : "failed"));
}

/* Carry out what needs nobody any more, for an organisation. */
static int64
apply_due(const pg_uuid_t *org, int batch)
{
	LS_QUERY(query,
		"SELECT l.id FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1"
		"   AND l.result IN ('pending', 'approved') AND l.expires_at > $2"
		"   AND (l.result = 'approved' OR $3 AND l.guard = 'automatic')"
		" ORDER BY l.id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, BOOLOID, INT4OID);
	LsAdDay day;
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t *ids;
	int n;
	int i;

	ls_ad_today(org, &day);
	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, day.now);
	ls_arg_bool(&args, ls_config_bool(org, "ads.automatic"));
	ls_arg_int32(&args, batch);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	ids = SPI_palloc(sizeof(pg_uuid_t) * (n + 1));
	for (i = 0; i < n; i++)
		ids[i] = ls_result_uuid(i, 1);
	ls_scope_close(&scope);
	if (n == 0)
		return 0;
	(void) apply(&day, ids, n, true, &n);
	return n;
}

PG_FUNCTION_INFO_V1(ls_advertising_apply_due);

/* apply_due_actions(batch) */
Datum
ls_advertising_apply_due(PG_FUNCTION_ARGS)
{
	LS_QUERY0(organizations, "SELECT DISTINCT l.organization_id FROM lead_system.ai_agent_logs l"
							 " WHERE l.result IN ('pending', 'approved') ORDER BY 1");

	LS_REQUIRE_ARG(0, "batch");
	ls_agent_refuse_contractor();
	PG_RETURN_INT64(ls_sweep(&organizations, apply_due, PG_GETARG_INT32(0), LS_AD_MAX_BATCH));
}
