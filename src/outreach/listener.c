/*-------------------------------------------------------------------------
 *
 * listener.c
 *	  What a change of a lead means for the campaigns it is in: its place in the
 *	  queue, whether it can be dialled, and whether it may be called at all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "lead_system.h"
#include "core/batch.h"
#include "core/query.h"
#include "outreach/outreach.h"

/* Columns of the batches: organisation, lead, and what the queue knows of it. */
#define LISTENER_COLUMNS 5

#define LISTENER_SOURCE \
	"unnest($1, $2, $3, $4, $5) u(organization_id, lead_id, temperature, lead_score, is_dialable)"

#define SET_PLACE \
	"temperature_rank = " LS_TEMPERATURE_RANK_SQL( \
		"u.temperature") "," \
						 " lead_score = u.lead_score, is_dialable = u.is_dialable"

/*
 * Rows of the leads, locked in the order of outreach.h.  The organisation comes
 * from the batch: what the planner expects of it does not depend on one.
 */
#define LOCKED_ROWS(tables, condition) \
	"WITH u AS MATERIALIZED (SELECT c.id, u.* FROM " LISTENER_SOURCE \
	"  JOIN lead_system.campaign_leads c ON c.organization_id = u.organization_id" \
	"   AND c.lead_id = u.lead_id " tables " WHERE c.id IS DISTINCT FROM $6 AND " condition \
	" ORDER BY c.lead_id, c.campaign_id FOR NO KEY UPDATE OF c)" \
	" UPDATE lead_system.campaign_leads c"

#define OF_LOCKED_ROW " FROM u WHERE c.organization_id = u.organization_id AND c.id = u.id"

/*
 * The row whose call is being recorded.  Who records it writes all of it once: a
 * second version within a transaction would make the server check its foreign
 * keys again, and lock list and campaign after the row.
 */
static const pg_uuid_t *recorded_row = NULL;

/* What happened to a lead, and the batch that writes it. */
typedef enum LeadEvent
{
	LEAD_MOVED,     /* another place in the queue, or it can (not) be dialled */
	LEAD_BLOCKED,   /* must not be called any more */
	LEAD_UNBLOCKED, /* may be called again */
	LEAD_ELSEWHERE  /* is somewhere else, or has another number */
} LeadEvent;

#define N_EVENTS (LEAD_ELSEWHERE + 1)

/*
 * What a statement means for the queue.  It is kept until the statement's last
 * lead has been seen, since all rows of the queue are locked before the first of
 * them is written; on disk, should it be much.
 */
typedef struct QueueChanges
{
	Tuplestorestate *rows; /* event, and the columns of the batches */
	TupleDesc desc;
	int n;
	bool has_event[N_EVENTS];
	LsBatch *batches[N_EVENTS];
	const LsLeadStatement *statement;
} QueueChanges;

static const Oid column_types[LISTENER_COLUMNS] = {UUIDOID, UUIDOID, TEXTOID, INT4OID, BOOLOID};

/*
 * Rows that are or may come back in the queue by themselves know where their
 * lead stands; those that are done are told when they are queued again.
 */
static LsQuery *
moved_query(void)
{
	LS_QUERY(query,
		LOCKED_ROWS("", "c.status IN ('new', 'queued', 'calling', 'contacted')") " SET " SET_PLACE
			OF_LOCKED_ROW,
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, BOOLARRAYOID, UUIDOID);

	return &query;
}

/* A block ends claims and call-backs (D5). */
static LsQuery *
blocked_query(void)
{
	LS_QUERY(query,
		LOCKED_ROWS("",
			"(c.status IN ('new', 'queued', 'calling') OR (c.status = 'contacted' AND " LS_IS_CALLBACK_SQL(
				"c") "))") " SET status = 'dnc', blocked_rule = NULL, claimed_by = NULL, lease_until = NULL, " SET_PLACE
			OF_LOCKED_ROW,
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, BOOLARRAYOID, UUIDOID);

	return &query;
}

/*
 * When the block ends, the rows that it had closed are open again (D6), unless
 * the list is gone or all attempts were made.  Who said so in a call of this
 * campaign is not called by it again.
 */
static LsQuery *
unblocked_query(void)
{
	LS_QUERY(query,
		LOCKED_ROWS(
			"JOIN lead_system.campaigns p ON p.organization_id = c.organization_id"
			" AND p.id = c.campaign_id"
			" JOIN lead_system.campaign_lead_lists a ON a.organization_id = c.organization_id"
			" AND a.campaign_id = c.campaign_id AND a.lead_list_id = c.lead_list_id",
			"c.status = 'dnc' AND c.outcome IS DISTINCT FROM 'do_not_call' AND a.removed_at IS NULL"
			" AND c.attempts < coalesce(a.max_attempts_override, p.max_attempts)") //
		" SET status = " LS_REQUEUED_SQL(
			"c") ", is_waiting = c.next_attempt_at > $7, blocked_rule = NULL, " SET_PLACE
			OF_LOCKED_ROW,
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, BOOLARRAYOID, UUIDOID,
		TIMESTAMPTZOID);

	return &query;
}

/*
 * A claim passed the lead over until some instant, because of where it was or of
 * its number.  The next claim judges it anew.
 */
static LsQuery *
elsewhere_query(void)
{
	LS_QUERY(query,
		LOCKED_ROWS("",
			"c.is_waiting AND c.blocked_rule IS NOT NULL") " SET is_waiting = false, next_attempt_at = $7, " SET_PLACE
			OF_LOCKED_ROW,
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, BOOLARRAYOID, UUIDOID,
		TIMESTAMPTZOID);

	return &query;
}

/* Leave a row alone (none with NULL); returns the one that was. */
const pg_uuid_t *
ls_queue_set_recorded(const pg_uuid_t *row)
{
	const pg_uuid_t *previous = recorded_row;

	recorded_row = row;
	return previous;
}

/* The changes of a statement, made at the first of them. */
static QueueChanges *
changes_of(LsLeadStatement *statement, void **state)
{
	MemoryContext caller = MemoryContextSwitchTo(statement->context);
	QueueChanges *changes = *state;
	int i;

	if (changes == NULL)
	{
		*state = changes = palloc0(sizeof(QueueChanges));
		changes->statement = statement;
		changes->desc = CreateTemplateTupleDesc(LISTENER_COLUMNS + 1);
		TupleDescInitEntry(changes->desc, 1, "event", INT4OID, -1, 0);
		for (i = 0; i < LISTENER_COLUMNS; i++)
			TupleDescInitEntry(changes->desc, i + 2, NULL, column_types[i], -1, 0);
		changes->rows = tuplestore_begin_heap(false, false, work_mem);
	}
	MemoryContextSwitchTo(caller);
	return changes;
}

/* The batch for an event, made at its first lead. */
static LsBatch *
batch_for(QueueChanges *changes, LeadEvent event)
{
	LsQuery *query = event == LEAD_MOVED       ? moved_query()
					 : event == LEAD_BLOCKED   ? blocked_query()
					 : event == LEAD_UNBLOCKED ? unblocked_query()
											   : elsewhere_query();
	LsArgs fixed = {0};

	if (changes->batches[event] == NULL)
	{
		ls_arg_uuid(&fixed, recorded_row);
		if (event == LEAD_UNBLOCKED || event == LEAD_ELSEWHERE)
			ls_arg_timestamptz(&fixed, changes->statement->now);
		changes->batches[event] = ls_batch_create(query, LISTENER_COLUMNS, column_types, &fixed);
	}
	return changes->batches[event];
}

/* Can a lead be dialled?  As LS_IS_DIALABLE_SQL. */
static bool
is_dialable(const LsLeadRow *row)
{
	return !ls_lead_isnull(row, LEAD_phone_number) && ls_lead_isnull(row, LEAD_deleted_at) &&
		   !ls_lead_bool(row, LEAD_is_spam);
}

/* Keep what happened to a lead. */
static void
add_lead(LsLeadStatement *statement, void **state, const LsLeadRow *row, LeadEvent event)
{
	QueueChanges *changes = changes_of(statement, state);
	Datum values[LISTENER_COLUMNS + 1];
	bool nulls[LISTENER_COLUMNS + 1] = {false};

	values[0] = Int32GetDatum(event);
	values[1] = ls_lead_get(row, LEAD_organization_id, &nulls[1]);
	values[2] = ls_lead_get(row, LEAD_id, &nulls[2]);
	values[3] = ls_lead_get(row, LEAD_temperature, &nulls[3]);
	values[4] = ls_lead_get(row, LEAD_lead_score, &nulls[4]);
	values[5] = BoolGetDatum(is_dialable(row));
	tuplestore_putvalues(changes->rows, changes->desc, values, nulls);
	changes->has_event[event] = true;
	changes->n++;
}

/* Does a change touch what hours and caps go by? */
static bool
is_elsewhere(const LsLeadRow *old, const LsLeadRow *new)
{
	return ls_lead_differs(old, new, LEAD_timezone) ||
		   ls_lead_differs(old, new, LEAD_phone_number) || ls_lead_differs(old, new, LEAD_state) ||
		   ls_lead_differs(old, new, LEAD_zip_code) || ls_lead_differs(old, new, LEAD_country);
}

/* Listener: one row. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	bool was_blocked;
	bool blocked;

	if (old == NULL || new == NULL)
		return;
	if (ls_lead_differs(old, new, LEAD_lead_score) || ls_lead_differs(old, new, LEAD_temperature) ||
		is_dialable(old) != is_dialable(new))
		add_lead(statement, state, new, LEAD_MOVED);
	if (is_elsewhere(old, new))
		add_lead(statement, state, new, LEAD_ELSEWHERE);
	was_blocked = ls_lead_bool(old, LEAD_do_not_call);
	blocked = ls_lead_bool(new, LEAD_do_not_call);
	if (was_blocked != blocked)
		add_lead(statement, state, new, blocked ? LEAD_BLOCKED : LEAD_UNBLOCKED);
}

/* Read the next change, taken apart. */
static bool
next_change(QueueChanges *changes, TupleTableSlot *slot)
{
	if (!tuplestore_gettupleslot(changes->rows, true, false, slot))
		return false;
	slot_getallattrs(slot);
	return true;
}

/* Lock the rows of all leads, in the order of outreach.h. */
static void
lock_all(QueueChanges *changes, TupleTableSlot *slot)
{
	LS_QUERY(query,
		"SELECT count(*) FROM (SELECT FROM unnest($1, $2) u(organization_id, lead_id)"
		"  JOIN lead_system.campaign_leads c ON c.organization_id = u.organization_id"
		"   AND c.lead_id = u.lead_id"
		" WHERE c.id IS DISTINCT FROM $3 AND c.status NOT IN ('converted', 'failed')"
		" ORDER BY c.lead_id, c.campaign_id FOR NO KEY UPDATE OF c) x",
		UUIDARRAYOID, UUIDARRAYOID, UUIDOID);
	pg_uuid_t *orgs = palloc_extended(sizeof(pg_uuid_t) * changes->n, MCXT_ALLOC_HUGE);
	pg_uuid_t *leads = palloc_extended(sizeof(pg_uuid_t) * changes->n, MCXT_ALLOC_HUGE);
	LsArgs args = {0};
	LsScope scope;
	int n = 0;

	while (next_change(changes, slot))
	{
		orgs[n] = *DatumGetUUIDP(slot->tts_values[1]);
		leads[n++] = *DatumGetUUIDP(slot->tts_values[2]);
	}
	tuplestore_rescan(changes->rows);
	ls_arg_datum(&args, ls_uuid_array(orgs, n), false);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_arg_uuid(&args, recorded_row);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/*
 * Write the changes.  One batch locks its rows itself, several would not do it in
 * order.
 */
static void
write_changes(void *argument)
{
	QueueChanges *changes = argument;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(changes->desc, &TTSOpsMinimalTuple);
	int n_batches = changes->n / LS_BATCH_ROWS;
	int event;

	for (event = 0; event < N_EVENTS; event++)
		n_batches += changes->has_event[event];
	if (n_batches > 1)
		lock_all(changes, slot);
	while (next_change(changes, slot))
		ls_batch_add(batch_for(changes, DatumGetInt32(slot->tts_values[0])), slot->tts_values + 1,
			slot->tts_isnull + 1);
	for (event = 0; event < N_EVENTS; event++)
	{
		if (changes->batches[event] != NULL)
			ls_batch_flush(changes->batches[event]);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Listener: write what the statement means for the queue. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	QueueChanges *changes = *state;

	ls_counts_defer(write_changes, changes);
	tuplestore_end(changes->rows);
}

const LsLeadListener ls_outreach_listener = {listener_row, listener_end};
