/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  claim_campaign_leads(): hands out the next leads to be called.
 *
 *	  Rows are taken in the order of the queue's index with FOR UPDATE SKIP
 *	  LOCKED, so that claimers never wait for each other and never get the same
 *	  lead.  Each candidate then passes the gate: the do-not-call list is read
 *	  with a snapshot of this very moment, whatever the isolation level; a lead
 *	  that may not be called is marked and the next candidate taken.
 *
 *	  The daily cap counts calls and claims that have been committed.  Claims
 *	  that other sessions make at the same instant are not seen, since seeing
 *	  them would mean to wait for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "communication/communication.h"
#include "compliance/compliance.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "outreach/outreach.h"

#define MAX_CLAIM 1000

/* A claim being made. */
typedef struct Claim
{
	pg_uuid_t org;
	pg_uuid_t campaign;
	pg_uuid_t user;
	bool has_user;
	TimestampTz lease_until;
	int limit;
	char *timezone; /* in which the campaign's day begins */
	bool capped;
	int daily_cap;
} Claim;

/* A candidate from the queue. */
typedef struct Candidate
{
	pg_uuid_t id;
	pg_uuid_t lead;
	char *phone_number;
	int attempts;
	pg_uuid_t list;
	bool has_list;
	bool blocked; /* the lead itself says so */
} Candidate;

/* Read the campaign.  False when nothing may be handed out. */
static bool
read_campaign(Claim *claim)
{
	LS_QUERY(query,
		"SELECT c.status, c.daily_cap, coalesce(c.timezone, o.timezone)"
		"  FROM lead_system.campaigns c JOIN lead_system.organizations o ON o.id = c.organization_id"
		" WHERE c.organization_id = $1 AND c.id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	char *status;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("campaign", &claim->campaign);
	status = ls_result_text(0, 1);
	claim->capped = !ls_result_isnull(0, 2);
	claim->daily_cap = claim->capped ? ls_result_int32(0, 2) : 0;
	claim->timezone = ls_result_text(0, 3);
	if (strcmp(status, "draft") == 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the campaign is a draft"),
				errhint("Set campaigns.status to 'active' to start it.")));
	return strcmp(status, "active") == 0;
}

/* Give back leads whose claim has lapsed. */
static void
release_lapsed(const Claim *claim)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads SET status = 'queued', claimed_by = NULL, lease_until = NULL"
		" WHERE organization_id = $1 AND id IN ("
		"   SELECT id FROM lead_system.campaign_leads WHERE organization_id = $1 AND campaign_id = $2"
		"      AND status = 'calling' AND lease_until <= $3 FOR UPDATE SKIP LOCKED)",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/* Leads that are being called. */
static int
open_claims(const Claim *claim)
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

/* How many leads may be handed out now. */
static int
allowed_now(const Claim *claim)
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
static Candidate *
next_candidates(const Claim *claim, bool callbacks, int n, int *found)
{
/* clang-format off */
#define CANDIDATES(condition, ordering) \
	"SELECT c.id, c.lead_id, l.phone_number, c.attempts, c.lead_list_id, l.do_not_call" \
	"  FROM lead_system.campaign_leads c" \
	"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = c.lead_id" \
	" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.next_attempt_at <= $3" \
	"   AND " condition " AND " LS_IS_DIALABLE_SQL("l") \
	"   AND NOT EXISTS (SELECT 1 FROM lead_system.campaign_lead_lists a" \
	"        WHERE a.organization_id = $1 AND a.campaign_id = $2" \
	"          AND a.lead_list_id = c.lead_list_id AND NOT a.is_active)" \
	" ORDER BY " ordering " LIMIT $4 FOR UPDATE OF c SKIP LOCKED"
	/* clang-format on */
	LS_QUERY(queue,
		CANDIDATES("c.status IN ('new', 'queued') AND c.is_dialable",
			"c.list_priority, c.temperature_rank, c.lead_score DESC, c.last_attempt_at NULLS FIRST,"
			" c.added_at, c.id"),
		UUIDOID, UUIDOID, TIMESTAMPTZOID, INT8OID);
	LS_QUERY(due_callbacks,
		CANDIDATES("c.status = 'contacted' AND c.outcome = 'callback'", "c.next_attempt_at, c.id"),
		UUIDOID, UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsArgs args = {0};
	Candidate *candidates;
	int i;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int64(&args, n);
	*found = (int) ls_query_run(callbacks ? &due_callbacks : &queue, &args, LS_WRITE);
	candidates = palloc(sizeof(Candidate) * Max(*found, 1));
	for (i = 0; i < *found; i++)
	{
		candidates[i].id = ls_result_uuid(i, 1);
		candidates[i].lead = ls_result_uuid(i, 2);
		candidates[i].phone_number = ls_result_text(i, 3);
		candidates[i].attempts = ls_result_int32(i, 4);
		candidates[i].has_list = !ls_result_isnull(i, 5);
		if (candidates[i].has_list)
			candidates[i].list = ls_result_uuid(i, 5);
		candidates[i].blocked = ls_result_bool(i, 6);
	}
	return candidates;
}

/* The gate: may this lead be called at this moment? */
static bool
may_call(const Claim *claim, const Candidate *candidate)
{
	return !candidate->blocked && !ls_dnc_listed(&claim->org, candidate->phone_number);
}

/* Mark leads that did not pass the gate. */
static void
mark_blocked(const Claim *claim, const pg_uuid_t *ids, int n)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads SET status = 'dnc'"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	if (n == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Give the leads to the claimer. */
static void
mark_claimed(const Claim *claim, const pg_uuid_t *ids, int n)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads"
		"   SET status = 'calling', claimed_by = $3, lease_until = $4"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	if (n == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_arg_uuid(&args, claim->has_user ? &claim->user : NULL);
	ls_arg_timestamptz(&args, claim->lease_until);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Add a row to the answer. */
static void
return_candidate(ReturnSetInfo *rsinfo, const Candidate *candidate)
{
	Datum values[5] = {UUIDPGetDatum(&candidate->id), UUIDPGetDatum(&candidate->lead),
		CStringGetTextDatum(candidate->phone_number), Int32GetDatum(candidate->attempts),
		UUIDPGetDatum(&candidate->list)};
	bool nulls[5] = {false, false, false, false, !candidate->has_list};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Take up to "wanted" leads from the callbacks or from the queue; returns how
 * many were handed out.  Goes on while candidates fail at the gate.
 */
static int
take(const Claim *claim, ReturnSetInfo *rsinfo, bool callbacks, int wanted)
{
	int taken = 0;

	while (taken < wanted)
	{
		int want = wanted - taken;
		int found;
		Candidate *candidates = next_candidates(claim, callbacks, want, &found);
		pg_uuid_t *claimed = palloc(sizeof(pg_uuid_t) * Max(found, 1));
		pg_uuid_t *blocked = palloc(sizeof(pg_uuid_t) * Max(found, 1));
		int n_claimed = 0;
		int n_blocked = 0;
		int i;

		PushActiveSnapshot(GetLatestSnapshot());
		for (i = 0; i < found; i++)
		{
			if (may_call(claim, &candidates[i]))
			{
				claimed[n_claimed++] = candidates[i].id;
				return_candidate(rsinfo, &candidates[i]);
			}
			else
				blocked[n_blocked++] = candidates[i].id;
		}
		PopActiveSnapshot();
		mark_blocked(claim, blocked, n_blocked);
		mark_claimed(claim, claimed, n_claimed);
		taken += n_claimed;
		if (found < want || n_blocked == 0)
			break;
	}
	return taken;
}

/* Who claims: the user that is named, who must be an active one, or the session's. */
static void
set_user(Claim *claim, const pg_uuid_t *user)
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
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Claim claim = {0};
	LsScope scope;

	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(3, "p_lease");
	claim.campaign = *PG_GETARG_UUID_P(0);
	claim.limit = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1);
	if (claim.limit < 1 || claim.limit > MAX_CLAIM)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("p_limit must be between 1 and %d", MAX_CLAIM)));
	claim.lease_until = DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(ls_clock_now()), PG_GETARG_DATUM(3)));
	if (claim.lease_until <= ls_clock_now())
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p_lease must be positive")));
	ls_enter_org_of("campaigns", "campaign", &claim.campaign, LS_WRITE, &claim.org);
	set_user(&claim, PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2));
	InitMaterializedSRF(fcinfo, 0);

	ls_scope_open(&scope, LS_AS_OWNER);
	if (read_campaign(&claim))
	{
		int allowed;
		int taken;

		release_lapsed(&claim);
		allowed = allowed_now(&claim);
		taken = take(&claim, rsinfo, true, allowed);
		take(&claim, rsinfo, false, allowed - taken);
	}
	ls_scope_close(&scope);
	return (Datum) 0;
}
