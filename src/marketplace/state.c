/*-------------------------------------------------------------------------
 *
 * state.c
 *	  The state of a lead's market, which is the lead's status: locking a lead,
 *	  and moving leads from status to status.
 *
 *	  Every step is an UPDATE of leads, so that its row trigger, the status
 *	  history and the activities see it like any other.  While the marketplace
 *	  makes such a step it says so, since others may not make them by hand
 *	  (lead_step.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* True while the marketplace itself writes leads and listings. */
static bool moving = false;

/* Is what is being written the marketplace's own doing? */
bool
ls_market_is_moving(void)
{
	return moving;
}

/*
 * Run a statement as the marketplace's own doing, and say what caused it
 * (NULL: what causes the caller).  A scope is open; results can be read.
 */
uint64
ls_market_run(LsQuery *query, const LsArgs *args, const LsLeadCause *cause)
{
	bool was_moving = moving;
	const LsLeadCause *previous = ls_lead_cause();
	volatile uint64 n = 0;

	moving = true;
	if (cause != NULL)
		ls_lead_cause_set(cause);
	PG_TRY();
	{
		n = ls_query_run(query, args, LS_WRITE);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
		moving = was_moving;
	}
	PG_END_TRY();
	return n;
}

/* Is bidding or a window open, or about to be, in a status? */
bool
ls_market_is_open_status(const char *status)
{
	return strcmp(status, LS_MARKET_ACTIVE) == 0 || strcmp(status, LS_MARKET_CLOSED) == 0 ||
		   strncmp(status, LS_MARKET_PENDING, strlen(LS_MARKET_PENDING)) == 0;
}

/* The status in which the contractor of a rank has the window. */
const char *
ls_market_pending_status(int rank)
{
	static const char *const statuses[] = {
		LS_MARKET_PENDING "1", LS_MARKET_PENDING "2", LS_MARKET_PENDING "3"};

	if (rank < 1 || rank > (int) lengthof(statuses))
		elog(ERROR, "there is no response window for rank %d", rank);
	return statuses[rank - 1];
}

/* An instant some minutes after another. */
TimestampTz
ls_market_minutes_later(TimestampTz at, int minutes)
{
	return at + (TimestampTz) minutes * USECS_PER_MINUTE;
}

/*
 * A session that acts for a contractor acts for that one alone.
 */
void
ls_market_check_self(const pg_uuid_t *contractor)
{
	pg_uuid_t self;

	if (ls_current_contractor(&self) && !ls_uuid_equal(&self, contractor))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied to act for another contractor"),
						   errdetail("The session's user is a contractor."),
						   errhint("Pass the id that app.current_user_id has.")));
}

/* What is for the organisation's own people, a contractor's session cannot do. */
void
ls_market_refuse_contractor(const char *action)
{
	pg_uuid_t self;

	if (ls_current_contractor(&self))
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("a contractor cannot %s", action),
				errdetail("The session's user is a contractor.")));
}

/*
 * Lock a lead and see where it stands; a deleted one does not exist.  What belongs to it is read after this,
 * with a snapshot that sees what was committed while the lock was waited for.
 */
void
ls_market_lock_lead(
	const pg_uuid_t *org, const pg_uuid_t *lead, LsMarketLock lock, LsMarketLead *result)
{
	LS_QUERY(to_bid,
		"SELECT pipeline_id, status, deleted_at IS NOT NULL FROM lead_system.leads"
		" WHERE organization_id = $1 AND id = $2 FOR SHARE",
		UUIDOID, UUIDOID);
	LS_QUERY(to_change,
		"SELECT pipeline_id, status, deleted_at IS NOT NULL FROM lead_system.leads"
		" WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(lock == LS_MARKET_TO_BID ? &to_bid : &to_change, &args, LS_WRITE) > 0 &&
			!ls_result_bool(0, 3);
	if (found)
	{
		result->id = *lead;
		result->pipeline = ls_result_uuid(0, 1);
		result->status = ls_result_text(0, 2);
	}
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("lead", lead);
}

/* The ids of a batch's leads as an array. */
Datum
ls_market_lead_ids(const LsMarketBatch *batch)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(batch->n, 1));
	int i;

	for (i = 0; i < batch->n; i++)
		ids[i] = batch->leads[i].id;
	return ls_uuid_array(ids, batch->n);
}

/* Does the pipeline of a lead have the step? */
static bool
pipeline_has_step(const LsMarketLead *lead, const char *status)
{
	const LsPipeline *pipeline = ls_pipeline(&lead->pipeline);
	const LsStatus *from = pipeline ? ls_pipeline_status(pipeline, lead->status) : NULL;
	const LsStatus *to = pipeline ? ls_pipeline_status(pipeline, status) : NULL;

	return from != NULL && to != NULL && list_member_ptr(from->next, to);
}

/*
 * Can the leads of a batch pass a status on their way?  Both steps must be the
 * pipeline's, and entering the status must mean nothing else: see LsLeadCause.
 */
static bool
can_pass(const LsMarketBatch *batch, const char *via, const char *const *statuses)
{
	int i;

	for (i = 0; i < batch->n; i++)
	{
		LsMarketLead between = batch->leads[i];
		const LsPipeline *pipeline = ls_pipeline(&between.pipeline);
		const LsStatus *from = pipeline ? ls_pipeline_status(pipeline, between.status) : NULL;
		const LsStatus *passed = pipeline ? ls_pipeline_status(pipeline, via) : NULL;

		between.status = via;
		if (from == NULL || passed == NULL || !pipeline_has_step(&batch->leads[i], via) ||
			!pipeline_has_step(&between, statuses[i]) || passed->requires_reason ||
			passed->stamp_column != LEAD_NONE || strcmp(passed->stage, from->stage) != 0)
			return false;
	}
	return true;
}

/* Move leads to a status one after the other that they cannot pass in one step. */
static void
move_in_two_steps(LsMarketBatch *batch, const char *const *statuses, const LsLeadCause *cause)
{
	LsLeadCause step = *cause;
	const char **passed = palloc(sizeof(char *) * batch->n);
	int i;

	for (i = 0; i < batch->n; i++)
		passed[i] = cause->via;
	step.via = NULL;
	step.reason = cause->via_reason;
	ls_market_move(batch, passed, &step);
	step.reason = cause->reason;
	ls_market_move(batch, statuses, &step);
}

/*
 * Move each lead of a batch to a status.  The steps of the marketplace are
 * forced where an organisation's own pipeline does not have them: a window that
 * lapses must not be stopped by that.
 */
void
ls_market_move(LsMarketBatch *batch, const char *const *statuses, const LsLeadCause *cause)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads l SET status = u.status"
		"  FROM unnest($2, $3) u(id, status) WHERE l.organization_id = $1 AND l.id = u.id",
		UUIDOID, UUIDARRAYOID, TEXTARRAYOID);
	LsLeadCause forced = *cause;
	Datum *texts = palloc(sizeof(Datum) * Max(batch->n, 1));
	LsScope scope;
	LsArgs args = {0};
	int i;

	if (batch->n == 0)
		return;
	if (cause->via != NULL && !can_pass(batch, cause->via, statuses))
	{
		move_in_two_steps(batch, statuses, cause);
		return;
	}
	for (i = 0; i < batch->n; i++)
	{
		texts[i] = CStringGetTextDatum(statuses[i]);
		if (cause->via == NULL && !pipeline_has_step(&batch->leads[i], statuses[i]))
			forced.force = true;
	}
	ls_arg_uuid(&args, &batch->org);
	ls_arg_datum(&args, ls_market_lead_ids(batch), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(texts, batch->n, TEXTOID, -1, false, TYPALIGN_INT)), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_market_run(&query, &args, &forced) != (uint64) batch->n)
		elog(ERROR, "leads were changed by others while the marketplace moved them");
	ls_scope_close(&scope);
	for (i = 0; i < batch->n; i++)
		batch->leads[i].status = statuses[i];
}
