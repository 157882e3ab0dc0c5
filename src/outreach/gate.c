/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  The gate of a claim: which of the candidates may be called at this moment,
 *	  and what becomes of the others.
 *
 *	  The rules are judged by compliance, all candidates at once, with a
 *	  snapshot of this very moment and by its clock, whatever the isolation level
 *	  and whenever the transaction began.  What does not
 *	  pass leaves the queue, so that no claim looks at it in vain: for good, when
 *	  the lead must not be called at all, or until the instant at which it may
 *	  be.  When no such instant is known, because somebody has to act, the lead
 *	  is looked at again after a day.  Refusals are logged when they begin.
 *
 *	  Caps count what has been committed, and the claims of other campaigns are
 *	  made by other sessions at the same instant.  So a lead that other campaigns
 *	  have, too, is locked before it is judged.  Who does not get the lock passes
 *	  the lead over, and never waits.  (A live lead has its number alone.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/contact_log.h"
#include "core/clock.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "outreach/claim.h"
#include "outreach/outreach.h"

/* A lead for which no instant is known is looked at again after this time. */
#define LOOK_AGAIN USECS_PER_DAY

/* What becomes of a candidate. */
typedef enum Fate
{
	FATE_CLAIMED,
	FATE_NOT_NEEDED, /* enough others have been claimed */
	FATE_BUSY,       /* another session is at the lead */
	FATE_BLOCKED,    /* the lead, or the list, says so */
	FATE_UNDIALABLE, /* no number, deleted or spam */
	FATE_EXHAUSTED,  /* was called as often as it may be */
	FATE_WAITING     /* not now */
} Fate;

#define N_FATES (FATE_WAITING + 1)

/* Candidates at the gate. */
typedef struct Gate
{
	LsClaim *claim;
	LsCandidate *candidates;
	int n;
	bool callbacks;
	LsContactQuestion question;
	LsContact *contacts;
	bool *busy;
	pg_uuid_t *ids[N_FATES];
	int counts[N_FATES];
	LsContactEntry *log;
	int n_log;
	Datum *wait_until; /* of those that wait */
	Datum *wait_rules;
} Gate;

/* The leads of the candidates that other campaigns may be calling, too. */
static pg_uuid_t *
shared_leads(const Gate *gate, int *n)
{
	LS_QUERY(query,
		"SELECT DISTINCT o.lead_id FROM lead_system.campaign_leads o"
		" WHERE o.organization_id = $1 AND o.lead_id = ANY ($2) AND o.campaign_id <> $3"
		"   AND o.status NOT IN ('converted', 'failed', 'dnc')",
		UUIDOID, UUIDARRAYOID, UUIDOID);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * gate->n);
	LsArgs args = {0};
	int i;

	for (i = 0; i < gate->n; i++)
		leads[i] = gate->candidates[i].lead;
	ls_arg_uuid(&args, &gate->claim->org);
	ls_arg_datum(&args, ls_uuid_array(leads, gate->n), false);
	ls_arg_uuid(&args, &gate->claim->campaign);
	*n = (int) ls_query_run_latest(&query, &args);
	for (i = 0; i < *n; i++)
		leads[i] = ls_result_uuid(i, 1);
	return leads;
}

/* Is an identifier among some? */
static bool
is_among(const pg_uuid_t *id, const pg_uuid_t *ids, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (ls_uuid_equal(&ids[i], id))
			return true;
	}
	return false;
}

/* Lock the leads that several campaigns have; those that somebody else holds are busy. */
static void
lock_shared_leads(Gate *gate)
{
	LS_QUERY(query,
		"SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		" FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};
	pg_uuid_t *locked;
	pg_uuid_t *shared;
	int n_locked;
	int n_shared;
	int i;

	shared = shared_leads(gate, &n_shared);
	if (n_shared == 0)
		return;
	ls_arg_uuid(&args, &gate->claim->org);
	ls_arg_datum(&args, ls_uuid_array(shared, n_shared), false);
	n_locked = (int) ls_query_run(&query, &args, LS_WRITE);
	locked = palloc(sizeof(pg_uuid_t) * Max(n_locked, 1));
	for (i = 0; i < n_locked; i++)
		locked[i] = ls_result_uuid(i, 1);
	for (i = 0; i < gate->n; i++)
		gate->busy[i] = is_among(&gate->candidates[i].lead, shared, n_shared) &&
						!is_among(&gate->candidates[i].lead, locked, n_locked);
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
 * The fate of a candidate.  Who asked to be called back is called back, however
 * often it took to reach them.
 */
static Fate
fate_of(const Gate *gate, int i)
{
	const LsCandidate *candidate = &gate->candidates[i];

	if (gate->busy[i])
		return FATE_BUSY;
	switch (gate->contacts[i].rule)
	{
		case LS_RULE_LEAD_DELETED:
		case LS_RULE_SPAM:
		case LS_RULE_NO_PHONE_NUMBER:
			return FATE_UNDIALABLE;
		case LS_RULE_DO_NOT_CALL:
		case LS_RULE_DNC_LIST:
		case LS_RULE_CAMPAIGN_SUPPRESSION:
			return FATE_BLOCKED;
		default:
			break;
	}
	if (!gate->callbacks && candidate->attempts >= max_attempts(gate->claim, &candidate->list))
		return FATE_EXHAUSTED;
	return gate->contacts[i].rule == LS_RULE_NONE ? FATE_CLAIMED : FATE_WAITING;
}

/*
 * Note a refusal.  One that somebody's act has to end is told once, not each time
 * that the lead is looked at again.
 */
static void
note_refusal(Gate *gate, int i)
{
	const LsContact *contact = &gate->contacts[i];
	const char *before = gate->candidates[i].blocked_rule;
	LsContactEntry *entry;

	if (contact->unblocks_at == LS_NEVER && before != NULL &&
		strcmp(before, ls_contact_rule_name(contact->rule)) == 0)
		return;
	entry = &gate->log[gate->n_log++];
	entry->contact = contact;
	entry->campaign_lead = &gate->candidates[i].id;
	entry->detail = ls_contact_detail(&gate->question, contact, contact->rule);
}

/* Sort a candidate to those of its fate. */
static void
add_to_fate(Gate *gate, int i, Fate fate)
{
	const LsContact *contact = &gate->contacts[i];
	int place = gate->counts[fate]++;

	gate->ids[fate][place] = gate->candidates[i].id;
	if (fate == FATE_WAITING)
	{
		TimestampTz at = contact->unblocks_at;

		if (at == LS_NEVER)
			at = gate->question.at + LOOK_AGAIN;
		gate->wait_until[place] = TimestampTzGetDatum(Max(at, gate->question.at + USECS_PER_SEC));
		gate->wait_rules[place] = CStringGetTextDatum(ls_contact_rule_name(contact->rule));
	}
	if (fate == FATE_WAITING || fate == FATE_BLOCKED || fate == FATE_UNDIALABLE)
		note_refusal(gate, i);
}

/* Judge all candidates, in their order, until enough can be claimed. */
static void
judge_all(Gate *gate, int wanted)
{
	int i;

	for (i = 0; i < gate->n; i++)
	{
		Fate fate = fate_of(gate, i);

		if (fate == FATE_CLAIMED && gate->counts[FATE_CLAIMED] == wanted)
			fate = FATE_NOT_NEEDED;
		gate->candidates[i].claimed = fate == FATE_CLAIMED;
		gate->candidates[i].phone_number = gate->contacts[i].phone_number;
		add_to_fate(gate, i, fate);
	}
}

/* Give the leads to the claimer. */
static void
mark_claimed(const Gate *gate)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads"
		"   SET status = 'calling', claimed_by = $3, lease_until = $4, blocked_rule = NULL"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID, UUIDOID, TIMESTAMPTZOID);
	const LsClaim *claim = gate->claim;
	LsArgs args = {0};

	if (gate->counts[FATE_CLAIMED] == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(gate->ids[FATE_CLAIMED], gate->counts[FATE_CLAIMED]), false);
	ls_arg_uuid(&args, claim->has_user ? &claim->user : NULL);
	ls_arg_timestamptz(&args, claim->lease_until);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Mark those that are not to be called any more, so that nobody looks at them again. */
static void
mark_closed(const Gate *gate, Fate fate)
{
	LS_QUERY(blocked,
		"UPDATE lead_system.campaign_leads c SET status = 'dnc', blocked_rule = ("
		"  SELECT 'campaign_suppression' FROM lead_system.leads l"
		"    JOIN lead_system.campaign_suppressions s ON s.organization_id = $1"
		"     AND s.campaign_id = c.campaign_id AND s.phone_number = l.phone_number"
		"   WHERE l.organization_id = $1 AND l.id = c.lead_id)"
		" WHERE c.organization_id = $1 AND c.id = ANY ($2)",
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

	if (gate->counts[fate] == 0)
		return;
	ls_arg_uuid(&args, &gate->claim->org);
	ls_arg_datum(&args, ls_uuid_array(gate->ids[fate], gate->counts[fate]), false);
	ls_query_run(fate == FATE_BLOCKED      ? &blocked
				 : fate == FATE_UNDIALABLE ? &undialable
										   : &exhausted,
		&args, LS_WRITE);
}

/* Take those that may not be called now out of the queue until they may. */
static void
mark_waiting(const Gate *gate)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads c"
		"   SET is_waiting = c.status IN ('new', 'queued'), next_attempt_at = u.at, blocked_rule = u.rule"
		"  FROM unnest($2, $3, $4) u(id, at, rule)"
		" WHERE c.organization_id = $1 AND c.id = u.id",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID);
	int n = gate->counts[FATE_WAITING];
	LsArgs args = {0};

	if (n == 0)
		return;
	ls_arg_uuid(&args, &gate->claim->org);
	ls_arg_datum(&args, ls_uuid_array(gate->ids[FATE_WAITING], n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(gate->wait_until, n, TIMESTAMPTZOID, sizeof(TimestampTz),
			FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(gate->wait_rules, n, TEXTOID, -1, false, TYPALIGN_INT)),
		false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Rows that are passed over are not to come up again in this claim. */
static void
pass_over(const Gate *gate)
{
	LsClaim *claim = gate->claim;
	int n = gate->counts[FATE_BUSY];

	if (n == 0)
		return;
	claim->passed = claim->passed == NULL
						? palloc(sizeof(pg_uuid_t) * n)
						: repalloc(claim->passed, sizeof(pg_uuid_t) * (claim->n_passed + n));
	memcpy(claim->passed + claim->n_passed, gate->ids[FATE_BUSY], sizeof(pg_uuid_t) * n);
	claim->n_passed += n;
}

/*
 * Let candidates through the gate, up to "wanted", and mark the others; returns
 * how many were claimed.  Those of them are marked as claimed.
 */
int
ls_claim_gate(LsClaim *claim, LsCandidate *candidates, int n, bool callbacks, int wanted)
{
	Gate gate = {.claim = claim, .candidates = candidates, .n = n, .callbacks = callbacks};
	int fate;
	int i;

	if (n == 0)
		return 0;
	gate.question.org = claim->org;
	gate.question.channel = LS_CHANNEL_CALL;
	gate.question.campaign = &claim->campaign;
	gate.contacts = palloc0(sizeof(LsContact) * n);
	gate.busy = palloc0(sizeof(bool) * n);
	gate.log = palloc0(sizeof(LsContactEntry) * n);
	gate.wait_until = palloc(sizeof(Datum) * n);
	gate.wait_rules = palloc(sizeof(Datum) * n);
	for (fate = 0; fate < N_FATES; fate++)
		gate.ids[fate] = palloc(sizeof(pg_uuid_t) * n);
	for (i = 0; i < n; i++)
		gate.contacts[i].lead = candidates[i].lead;
	lock_shared_leads(&gate);
	gate.question.at = ls_clock_instant();
	PushActiveSnapshot(GetLatestSnapshot());
	ls_contact_judge(&gate.question, gate.contacts, n);
	PopActiveSnapshot();
	judge_all(&gate, wanted);
	mark_claimed(&gate);
	if (claim->price > 0)
		ls_calls_hold(&claim->org, claim->price, gate.ids[FATE_CLAIMED], gate.counts[FATE_CLAIMED],
			claim->lease_until);
	mark_closed(&gate, FATE_BLOCKED);
	mark_closed(&gate, FATE_UNDIALABLE);
	mark_closed(&gate, FATE_EXHAUSTED);
	mark_waiting(&gate);
	pass_over(&gate);
	ls_contact_log(&gate.question, claim->has_user ? &claim->user : NULL, gate.log, gate.n_log);
	claim->n_refused += n - gate.counts[FATE_CLAIMED] - gate.counts[FATE_NOT_NEEDED];
	return gate.counts[FATE_CLAIMED];
}
