/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  claim_campaign_leads(): hands out the next leads to be called.
 *
 *	  Rows are taken in the order of the queue's index with FOR UPDATE SKIP
 *	  LOCKED, so that claimers never wait for each other and never get the same
 *	  lead.  Each candidate then passes the gate: lead and do-not-call list are
 *	  read with a snapshot of this very moment, whatever the isolation level; a
 *	  lead that may not be called is marked and the next candidate taken.
 *
 *	  Leads that wait for their next attempt are not in the queue's index, or
 *	  each claim would step over all of them.  A claim lets in those whose time
 *	  has come, so many at a time that none has to wait for a long list.
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
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
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
#include "outreach/claim.h"
#include "outreach/outreach.h"

#define MAX_CLAIM 1000

/* What becomes of a candidate. */
typedef enum Fate
{
	FATE_CLAIMED,
	FATE_BLOCKED,    /* the lead, or the list, says so */
	FATE_UNDIALABLE, /* no number, deleted or spam */
	FATE_EXHAUSTED   /* was called as often as it may be */
} Fate;

#define N_FATES (FATE_EXHAUSTED + 1)

/* A candidate from the queue. */
typedef struct Candidate
{
	pg_uuid_t id;
	pg_uuid_t lead;
	int attempts;
	pg_uuid_t list;
	char *phone_number; /* NULL: not to be dialled */
	bool blocked;
} Candidate;

/* Read the campaign.  False when nothing may be handed out. */
static bool
read_campaign(LsClaim *claim)
{
	LS_QUERY(query,
		"SELECT c.status, c.daily_cap, c.zone, CASE WHEN c.calling_from IS NULL THEN true"
		"       WHEN c.calling_from < c.calling_to THEN c.at >= c.calling_from AND c.at < c.calling_to"
		"       ELSE c.at >= c.calling_from OR c.at < c.calling_to END"
		"  FROM (SELECT p.status, p.daily_cap, p.calling_from, p.calling_to,"
		"               coalesce(p.timezone, o.timezone) AS zone,"
		"               ($3 AT TIME ZONE coalesce(p.timezone, o.timezone))::time AS at"
		"          FROM lead_system.campaigns p"
		"          JOIN lead_system.organizations o ON o.id = p.organization_id"
		"         WHERE p.organization_id = $1 AND p.id = $2) c",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	char *status;
	bool in_window;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_arg_timestamptz(&args, ls_clock_now());
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("campaign", &claim->campaign);
	status = ls_result_text(0, 1);
	claim->capped = !ls_result_isnull(0, 2);
	claim->daily_cap = claim->capped ? ls_result_int32(0, 2) : 0;
	claim->timezone = ls_result_text(0, 3);
	in_window = ls_result_bool(0, 4);
	if (strcmp(status, "draft") == 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the campaign is a draft"),
				errhint("Set campaigns.status to 'active' to start it.")));
	return strcmp(status, "active") == 0 && in_window;
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

/* How many leads may be handed out now. */
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
static Candidate *
next_candidates(const LsClaim *claim, bool callbacks, int n, int *found)
{
/* clang-format off */
#define CANDIDATES(condition, ordering) \
	"SELECT c.id, c.lead_id, c.attempts, c.lead_list_id FROM lead_system.campaign_leads c" \
	" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.next_attempt_at <= $3" \
	"   AND c.lead_list_id = ANY ($4) AND c.is_dialable AND " condition \
	" ORDER BY " ordering " LIMIT $5 FOR UPDATE SKIP LOCKED"
	/* clang-format on */
	LS_QUERY(queue,
		CANDIDATES("c.status IN ('new', 'queued') AND NOT c.is_waiting",
			"c.list_priority, c.temperature_rank, c.lead_score DESC, c.last_attempt_at NULLS FIRST,"
			" c.added_at, c.id"),
		UUIDOID, UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID, INT8OID);
	LS_QUERY(due_callbacks,
		CANDIDATES("c.status = 'contacted' AND c.outcome = 'callback'", "c.next_attempt_at, c.id"),
		UUIDOID, UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID, INT8OID);
	LsArgs args = {0};
	Candidate *candidates;
	int i;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_uuid(&args, &claim->campaign);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_datum(&args, claim->lists, false);
	ls_arg_int64(&args, n);
	*found = (int) ls_query_run(callbacks ? &due_callbacks : &queue, &args, LS_WRITE);
	candidates = palloc0(sizeof(Candidate) * Max(*found, 1));
	for (i = 0; i < *found; i++)
	{
		candidates[i].id = ls_result_uuid(i, 1);
		candidates[i].lead = ls_result_uuid(i, 2);
		candidates[i].attempts = ls_result_int32(i, 3);
		candidates[i].list = ls_result_uuid(i, 4);
	}
	return candidates;
}

/* Read what the leads of candidates are like at this moment. */
static void
read_leads(const LsClaim *claim, Candidate *candidates, int n)
{
	LS_QUERY(query,
		"SELECT l.id, CASE WHEN " LS_IS_DIALABLE_SQL(
			"l") " THEN l.phone_number END, l.do_not_call"
				 "  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(n, 1));
	LsArgs args = {0};
	uint64 rows;
	uint64 row;
	int i;

	for (i = 0; i < n; i++)
		ids[i] = candidates[i].lead;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	rows = ls_query_run_latest(&query, &args);
	for (row = 0; row < rows; row++)
	{
		pg_uuid_t lead = ls_result_uuid(row, 1);

		for (i = 0; !ls_uuid_equal(&candidates[i].lead, &lead); i++)
			Assert(i < n - 1);
		candidates[i].phone_number = ls_result_text(row, 2);
		candidates[i].blocked = ls_result_bool(row, 3);
	}
}

/* How often may leads of a list be called? */
static int
max_attempts(const LsClaim *claim, const pg_uuid_t *list)
{
	int i;

	for (i = 0; !ls_uuid_equal(&claim->list_ids[i], list); i++)
		Assert(i < claim->n_lists - 1);
	return claim->max_attempts[i];
}

/*
 * The gate: may this lead be called at this moment?  Who asked to be called
 * back is called back, however often it took to reach them.
 */
static Fate
judge(const LsClaim *claim, const Candidate *candidate, bool callbacks)
{
	if (candidate->phone_number == NULL)
		return FATE_UNDIALABLE;
	if (candidate->blocked || ls_dnc_listed(&claim->org, candidate->phone_number))
		return FATE_BLOCKED;
	if (!callbacks && candidate->attempts >= max_attempts(claim, &candidate->list))
		return FATE_EXHAUSTED;
	return FATE_CLAIMED;
}

/* Mark leads that did not pass the gate, so that nobody looks at them again. */
static void
mark_refused(const LsClaim *claim, Fate fate, const pg_uuid_t *ids, int n)
{
	LS_QUERY(blocked,
		"UPDATE lead_system.campaign_leads SET status = 'dnc'"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LS_QUERY(undialable,
		"UPDATE lead_system.campaign_leads SET is_dialable = false"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LS_QUERY(exhausted,
		"UPDATE lead_system.campaign_leads c SET status = " LS_SETTLED_SQL(
			"c") " WHERE c.organization_id = $1 AND c.id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	if (n == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_query_run(fate == FATE_BLOCKED      ? &blocked
				 : fate == FATE_UNDIALABLE ? &undialable
										   : &exhausted,
		&args, LS_WRITE);
}

/* Give the leads to the claimer. */
static void
mark_claimed(const LsClaim *claim, const pg_uuid_t *ids, int n)
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
	bool nulls[5] = {false, false, false, false, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Hand out those candidates that may be called, and mark the others; returns
 * how many were handed out.
 */
static int
hand_out(const LsClaim *claim, ReturnSetInfo *rsinfo, Candidate *candidates, int n, bool callbacks)
{
	pg_uuid_t *ids[N_FATES];
	int counts[N_FATES] = {0};
	int fate;
	int i;

	for (fate = 0; fate < N_FATES; fate++)
		ids[fate] = palloc(sizeof(pg_uuid_t) * Max(n, 1));
	read_leads(claim, candidates, n);
	PushActiveSnapshot(GetLatestSnapshot());
	for (i = 0; i < n; i++)
	{
		fate = judge(claim, &candidates[i], callbacks);
		ids[fate][counts[fate]++] = candidates[i].id;
		if (fate == FATE_CLAIMED)
			return_candidate(rsinfo, &candidates[i]);
	}
	PopActiveSnapshot();
	mark_claimed(claim, ids[FATE_CLAIMED], counts[FATE_CLAIMED]);
	for (fate = FATE_CLAIMED + 1; fate < N_FATES; fate++)
		mark_refused(claim, fate, ids[fate], counts[fate]);
	return counts[FATE_CLAIMED];
}

/*
 * Take up to "wanted" leads from the callbacks or from the queue; returns how
 * many were handed out.  Goes on while candidates fail at the gate.
 */
static int
take(const LsClaim *claim, ReturnSetInfo *rsinfo, bool callbacks, int wanted)
{
	int taken = 0;

	while (taken < wanted)
	{
		int want = wanted - taken;
		int found;
		Candidate *candidates = next_candidates(claim, callbacks, want, &found);
		int handed_out = hand_out(claim, rsinfo, candidates, found, callbacks);

		taken += handed_out;
		if (found < want || handed_out == found)
			break;
	}
	return taken;
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
	bool more = true;

	read_lists(claim);
	ls_claim_release_lapsed(claim);
	allowed = allowed_now(claim);
	taken = take(claim, this->rsinfo, true, allowed);
	while (taken < allowed && more)
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
