/*-------------------------------------------------------------------------
 *
 * listener.c
 *	  What a change of a lead means for the sequences it is in, or comes into.
 *
 *	  A lead that is not to be followed up any more leaves all sequences in the
 *	  transaction that says so (semantics D5, F6); a reply pauses them (F5).  A
 *	  step that a worker has at that moment stays claimed, so that the worker can
 *	  still report what it did.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/batch.h"
#include "core/query.h"
#include "nurture/nurture.h"

/* Columns of the batch: organisation, lead, new status, reason. */
#define LISTENER_COLUMNS 4

static const Oid column_types[LISTENER_COLUMNS] = {UUIDOID, UUIDOID, TEXTOID, TEXTOID};

/* What a statement means. */
typedef struct Changes
{
	LsBatch *ended; /* leads that leave or pause */
	LsBatch *enrolled;
} Changes;

/* Ends or pauses enrolments of leads. */
static LsQuery *
end_query(void)
{
	LS_QUERY(query,
		"WITH u AS MATERIALIZED (SELECT e.id, u.* FROM unnest($1, $2, $3, $4)"
		"   u(organization_id, lead_id, status, reason)"
		"  JOIN lead_system.lead_sequence_enrollments e ON e.organization_id = u.organization_id"
		"   AND e.lead_id = u.lead_id"
		"  JOIN lead_system.nurture_sequences s ON s.organization_id = u.organization_id"
		"   AND s.id = e.sequence_id"
		" WHERE e.status = 'active' AND (u.status = 'cancelled' OR s.auto_pause_on_reply)"
		"    OR e.status = 'paused' AND u.status = 'cancelled'"
		" ORDER BY e.lead_id, e.id FOR NO KEY UPDATE OF e)"
		" UPDATE lead_system.lead_sequence_enrollments e SET status = u.status,"
		"  next_step_scheduled_at = NULL,"
		"  pause_reason = CASE u.status WHEN 'paused' THEN u.reason END,"
		"  cancel_reason = CASE u.status WHEN 'cancelled' THEN u.reason END,"
		"  ended_at = CASE u.status WHEN 'cancelled' THEN $5 END"
		"  FROM u WHERE e.organization_id = u.organization_id AND e.id = u.id",
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID);

	return &query;
}

/* The changes of a statement, made at the first of them. */
static Changes *
changes_of(LsLeadStatement *statement, void **state)
{
	if (*state == NULL)
		*state = MemoryContextAllocZero(statement->context, sizeof(Changes));
	return *state;
}

/* Why a lead is not followed up; NULL when it is. */
static const char *
closed_reason(const LsLeadRow *row)
{
	char *stage;

	if (ls_lead_bool(row, LEAD_do_not_call))
		return LS_NURTURE_LISTED;
	if (!ls_lead_isnull(row, LEAD_deleted_at))
		return "Lead deleted";
	stage = ls_lead_text(row, LEAD_stage);
	if (strcmp(stage, "won") == 0 || strcmp(stage, "lost") == 0 || strcmp(stage, "blocked") == 0 ||
		strcmp(stage, "archived") == 0)
		return psprintf("Lead is %s", stage);
	return NULL;
}

/* Could a change make a lead one that is not followed up? */
static bool
may_close(const LsLeadRow *old, const LsLeadRow *new)
{
	return ls_lead_differs(old, new, LEAD_do_not_call) ||
		   ls_lead_differs(old, new, LEAD_deleted_at) || ls_lead_differs(old, new, LEAD_stage);
}

/* Did the lead reply? */
static bool
has_replied(const LsLeadRow *old, const LsLeadRow *new)
{
	return ls_lead_int(new, LEAD_email_reply_count) > ls_lead_int(old, LEAD_email_reply_count) ||
		   ls_lead_int(new, LEAD_sms_reply_count) > ls_lead_int(old, LEAD_sms_reply_count);
}

/* Note that a lead leaves its sequences, or pauses. */
static void
add_end(LsLeadStatement *statement, void **state, const LsLeadRow *row, const char *status,
	const char *reason)
{
	Changes *changes = changes_of(statement, state);
	Datum values[LISTENER_COLUMNS];
	bool nulls[LISTENER_COLUMNS] = {false};

	if (changes->ended == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);
		LsArgs fixed = {0};

		ls_arg_timestamptz(&fixed, statement->now);
		changes->ended = ls_batch_create(end_query(), LISTENER_COLUMNS, column_types, &fixed);
		MemoryContextSwitchTo(caller);
	}
	values[0] = ls_lead_get(row, LEAD_organization_id, &nulls[0]);
	values[1] = ls_lead_get(row, LEAD_id, &nulls[1]);
	values[2] = CStringGetTextDatum(status);
	values[3] = CStringGetTextDatum(reason);
	ls_batch_add(changes->ended, values, nulls);
}

/* Listener: one row. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	const char *closed;
	LsBatch *enrolled;

	if (new == NULL)
		return;
	closed = closed_reason(new);
	if (closed != NULL)
	{
		if (old != NULL && may_close(old, new))
			add_end(statement, state, new, "cancelled", closed);
		return;
	}
	if (old != NULL && !ls_lead_cause()->no_activity && has_replied(old, new))
		add_end(statement, state, new, "paused", "reply");
	if (ls_lead_bool(new, LEAD_is_spam) || ls_lead_cause()->undone)
		return;
	enrolled = *state != NULL ? ((Changes *) *state)->enrolled : NULL;
	ls_nurture_auto_row(statement, &enrolled, old, new);
	if (enrolled != NULL)
		changes_of(statement, state)->enrolled = enrolled;
}

/* Listener: write what the statement means. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	Changes *changes = *state;

	if (changes->ended != NULL)
		ls_batch_flush(changes->ended);
	if (changes->enrolled != NULL)
		ls_batch_flush(changes->enrolled);
}

const LsLeadListener ls_nurture_listener = {listener_row, listener_end};
