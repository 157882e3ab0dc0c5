/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  claim_campaign_leads(): hands out the next leads to be called.
 *
 *	  Rows are taken in the order of the queue's index with FOR UPDATE SKIP
 *	  LOCKED, so that claimers never wait for each other and never get the same
 *	  lead.  Each candidate then passes the gate (gate.c), which judges all rules;
 *	  a lead that may not be called is marked and the next candidate taken.
 *
 *	  Leads that wait for their next attempt, or for the hour at which they may be
 *	  called, are not in the queue's index, or each claim would step over all of
 *	  them.  A claim lets in those whose time has come, so many at a time that
 *	  none has to wait for a long list.  In the same way a claim that finds leads
 *	  that may not be called takes only so many of them out of the queue, and
 *	  leaves the rest to the next; each is looked at once.
 *
 *	  The queue is read in the order of its index, whatever the planner expects
 *	  to find, so sorting is off.
 *
 *	  The daily cap counts calls and claims that have been committed.  Claims
 *	  that other sessions make at the same instant are not seen, since seeing
 *	  them would mean to wait for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "communication/communication.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "outreach/claim.h"
#include "outreach/outreach.h"

#define MAX_CLAIM 1000

/*
 * So many leads that may not be called does a claim look at: the first number,
 * when it has something to hand out all the same; else the second.
 */
#define MAX_REFUSED 500
#define MAX_REFUSED_IN_VAIN 2000

/* Read the campaign.  False when nothing may be handed out. */
static bool
read_campaign(LsClaim *claim)
{
	LS_QUERY(query,
		"SELECT c.status, c.daily_cap, c.zone, c.is_active AND CASE WHEN c.calling_from IS NULL THEN true"
		"       WHEN c.calling_from < c.calling_to THEN c.at >= c.calling_from AND c.at < c.calling_to"
		"       ELSE c.at >= c.calling_from OR c.at < c.calling_to END,"
		"       coalesce((c.call_price * 100)::bigint, 0)"
		"  FROM (SELECT p.status, p.daily_cap, p.calling_from, p.calling_to, p.call_price,"
		"               o.status = 'active' AS is_active,"
		"               coalesce(p.timezone, o.timezone) AS zone,"
		"               ($3 AT TIME ZONE coalesce(p.timezone, o.timezone))::time AS at"
		"          FROM lead_system.campaigns p"
		"          JOIN lead_system.organizations o ON o.id = p.organization_id"
		"         WHERE p.organization_id = $1 AND p.id = $2) c",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	char *status;
	bool is_open; /* at this hour, for an organisation that is active */

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_arg_timestamptz(&args, ls_clock_now());
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("campaign", &claim->campaign);
	status = ls_result_text(0, 1);
	claim->capped = !ls_result_isnull(0, 2);
	claim->daily_cap = claim->capped ? ls_result_int32(0, 2) : 0;
	claim->timezone = ls_result_text(0, 3);
	is_open = ls_result_bool(0, 4);
	claim->price = ls_result_int64(0, 5);
	if (strcmp(status, "draft") == 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the campaign is a draft"),
				errhint("Set campaigns.status to 'active' to start it.")));
	return strcmp(status, "active") == 0 && is_open;
}

/* Read the lists whose leads may be called, and how often. */
static void
read_lists(LsClaim *claim)
{
	LS_QUERY(query,
		"SELECT a.lead_list_id, coalesce(a.max_attempts_override, p.max_attempts)"
		"  FROM lead_system.campaign_lead_lists a"
		"  JOIN lead_system.campaigns p ON p.organization_id = $1 AND p.id = a.campaign_id"
		" WHERE a.organization_id = $1 AND a.campaign_id = $2 AND a.is_active"
		" ORDER BY a.priority, a.assigned_at, a.lead_list_id",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	claim->n_lists = (int) ls_query_run(&query, &args, LS_WRITE);
	claim->list_ids = palloc(sizeof(pg_uuid_t) * Max(claim->n_lists, 1));
	claim->max_attempts = palloc(sizeof(int) * Max(claim->n_lists, 1));
	for (i = 0; i < claim->n_lists; i++)
	{
		claim->list_ids[i] = ls_result_uuid(i, 1);
		claim->max_attempts[i] = ls_result_int32(i, 2);
	}
	claim->lists = ls_uuid_array(claim->list_ids, claim->n_lists);
}

/* Leads that are being called. */
static int
open_claims(const LsClaim *claim)
{
	LS_QUERY(query,
		"SELECT count(*)::integer FROM lead_system.campaign_leads"
		" WHERE organization_id = $1 AND campaign_id = $2 AND status = 'calling'",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_query_run(&query, &args, LS_WRITE);
	return ls_result_int32(0, 1);
}

/* The beginning of today in a time zone. */
static TimestampTz
start_of_day(const char *timezone)
{
	Datum zone = CStringGetTextDatum(timezone);

	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_trunc_zone,
		CStringGetTextDatum("day"), TimestampTzGetDatum(ls_clock_now()), zone));
}

/* How many leads may be handed out now, by the campaign's daily cap. */
static int
allowed_now(const LsClaim *claim)
{
	int used;

	if (!claim->capped)
		return claim->limit;
	used = open_claims(claim) + ls_calls_of_campaign_since(&claim->org, &claim->campaign,
									start_of_day(claim->timezone), claim->daily_cap);
	return Min(claim->limit, Max(claim->daily_cap - used, 0));
}

/*
 * Lock the next candidates.  Those who asked to be called back, and whose time
 * has come, are first; then the queue in its order (I4).
 */
static LsCandidate *
next_candidates(const LsClaim *claim, bool callbacks, int n, int *found)
{
/* clang-format off */
#define CANDIDATES(condition, ordering) \
	"SELECT c.id, c.lead_id, c.attempts, c.lead_list_id, c.blocked_rule" \
	"  FROM lead_system.campaign_leads c" \
	" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.next_attempt_at <= $3" \
	"   AND c.lead_list_id = ANY ($4) AND c.is_dialable AND c.id <> ALL ($6) AND " condition \
	" ORDER BY " ordering " LIMIT $5 FOR UPDATE SKIP LOCKED"
	/* clang-format on */
	LS_QUERY(queue,
		CANDIDATES("c.status IN ('new', 'queued') AND NOT c.is_waiting",
			"c.list_priority, c.temperature_rank, c.lead_score DESC, c.last_attempt_at NULLS FIRST,"
			" c.added_at, c.id"),
		UUIDOID, UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID, INT8OID, UUIDARRAYOID);
	LS_QUERY(due_callbacks,
		CANDIDATES("c.status = 'contacted' AND c.outcome = 'callback'", "c.next_attempt_at, c.id"),
		UUIDOID, UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID, INT8OID, UUIDARRAYOID);
	LsArgs args = {0};
	LsCandidate *candidates;
	int i;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_datum(&args, claim->lists, false);
	ls_arg_int64(&args, n);
	ls_arg_datum(&args, ls_uuid_array(claim->passed, claim->n_passed), false);
	*found = (int) ls_query_run(callbacks ? &due_callbacks : &queue, &args, LS_WRITE);
	candidates = palloc0(sizeof(LsCandidate) * Max(*found, 1));
	for (i = 0; i < *found; i++)
	{
		candidates[i].id = ls_result_uuid(i, 1);
		candidates[i].lead = ls_result_uuid(i, 2);
		candidates[i].attempts = ls_result_int32(i, 3);
		candidates[i].list = ls_result_uuid(i, 4);
		candidates[i].blocked_rule = ls_result_text(i, 5);
	}
	return candidates;
}

/* Add a row to the answer. */
static void
return_candidate(ReturnSetInfo *rsinfo, const LsCandidate *candidate)
{
	Datum values[5] = {UUIDPGetDatum(&candidate->id), UUIDPGetDatum(&candidate->lead),
		CStringGetTextDatum(candidate->phone_number), Int32GetDatum(candidate->attempts),
		UUIDPGetDatum(&candidate->list)};
	bool nulls[5] = {false, false, false, false, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Take up to "wanted" leads from the callbacks or from the queue; returns how
 * many were handed out.  Goes on while candidates fail at the gate, with more of
 * them at a time the more have failed.
 */
static int
take(LsClaim *claim, ReturnSetInfo *rsinfo, bool callbacks, int wanted)
{
	int taken = 0;
	int n = wanted;
	bool more = true;

	while (more && taken < wanted &&
		   claim->n_refused < (taken > 0 ? MAX_REFUSED : MAX_REFUSED_IN_VAIN))
	{
		int found;
		LsCandidate *candidates = next_candidates(claim, callbacks, n, &found);
		int claimed = ls_claim_gate(claim, candidates, found, callbacks, wanted - taken);
		int i;

		for (i = 0; i < found; i++)
		{
			if (candidates[i].claimed)
				return_candidate(rsinfo, &candidates[i]);
		}
		more = found == n;
		taken += claimed;
		n = Min(MAX_CLAIM, wanted - taken + 2 * (found - claimed));
	}
	return taken;
}

/*
 * How many calls the budget covers.  The account is locked before the queue, see
 * billing/calls.c; claims of campaigns without a price do not wait for it.
 */
static int
affordable_now(const LsClaim *claim)
{
	int affordable;

	if (claim->price == 0)
		return claim->limit;
	affordable = ls_calls_affordable(&claim->org, claim->price, claim->limit);
	if (affordable == 0)
		ereport(
			NOTICE, (errmsg("the organization's budget does not cover a call of the campaign")));
	return affordable;
}

/* A claim, and where its leads go. */
typedef struct Claiming
{
	LsClaim claim;
	ReturnSetInfo *rsinfo;
} Claiming;

/* Make the claim: callbacks, then the queue, as long as leads come into it. */
static void
make_claim(void *argument)
{
	Claiming *this = argument;
	LsClaim *claim = &this->claim;
	int allowed;
	int taken;
	int affordable;
	bool more = true;

	read_lists(claim);
	affordable = affordable_now(claim);
	ls_claim_release_lapsed(claim);
	allowed = Min(allowed_now(claim), affordable);
	taken = take(claim, this->rsinfo, true, allowed);
	while (taken < allowed && more && claim->n_refused < MAX_REFUSED_IN_VAIN)
	{
		more = ls_claim_release_waiting(claim);
		taken += take(claim, this->rsinfo, false, allowed - taken);
	}
}

/* Who claims: the user that is named, who must be an active one, or the session's. */
static void
set_user(LsClaim *claim, const pg_uuid_t *user)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.users WHERE organization_id = $1 AND id = $2 AND is_active",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	if (user == NULL)
	{
		claim->has_user = ls_current_user(&claim->user);
		return;
	}
	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, user);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("active user", user);
	claim->has_user = true;
	claim->user = *user;
}

PG_FUNCTION_INFO_V1(ls_outreach_claim);

/* claim_campaign_leads(p_campaign_id, p_limit, p_user_id, p_lease) */
Datum
ls_outreach_claim(PG_FUNCTION_ARGS)
{
	Claiming claiming = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	LsClaim *claim = &claiming.claim;
	LsScope scope;

	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(3, "p_lease");
	claim->campaign = *PG_GETARG_UUID_P(0);
	claim->limit = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1);
	if (claim->limit < 1 || claim->limit > MAX_CLAIM)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("p_limit must be between 1 and %d", MAX_CLAIM)));
	claim->lease_until = DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(ls_clock_now()), PG_GETARG_DATUM(3)));
	if (claim->lease_until <= ls_clock_now())
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p_lease must be positive")));
	ls_enter_org_of("campaigns", "campaign", &claim->campaign, LS_WRITE, &claim->org);
	set_user(claim, PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2));
	InitMaterializedSRF(fcinfo, 0);

	ls_scope_open(&scope, LS_AS_OWNER);
	(void) set_config_option(
		"enable_sort", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (read_campaign(claim))
		ls_counts_defer(make_claim, &claiming);
	ls_scope_close(&scope);
	return (Datum) 0;
}
