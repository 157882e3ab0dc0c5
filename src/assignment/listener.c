/*-------------------------------------------------------------------------
 *
 * listener.c
 *	  What a change of leads means for the people who work on them, whichever
 *	  way it came about: who got which lead, and what counts for whom (A15).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "assignment/record.h"
#include "scoring/scoring.h"

/* Add an element. */
static void
series_add(AssignmentState *state, Series *series, const void *item, Size size)
{
	if (series->n == series->capacity)
	{
		series->size = size;
		series->capacity = series->capacity ? series->capacity * 2 : 16;
		if (series->items == NULL)
			series->items = MemoryContextAllocHuge(state->context, size * series->capacity);
		else
			series->items = repalloc_huge(series->items, size * series->capacity);
	}
	memcpy(series->items + size * series->n++, item, size);
}

/* The state of a statement, made at the first row that matters. */
static AssignmentState *
state_of(LsLeadStatement *statement, void **state)
{
	AssignmentState *made = *state;

	if (made == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		*state = made = palloc0(sizeof(AssignmentState));
		made->context = statement->context;
		made->deltas = ls_user_deltas_create();
		MemoryContextSwitchTo(caller);
	}
	return made;
}

/* A uuid of a row; NULL for null. */
static const pg_uuid_t *
row_uuid(const LsLeadRow *row, LsLeadColumn column)
{
	bool isnull;
	Datum value = ls_lead_get(row, column, &isnull);

	return isnull ? NULL : DatumGetUUIDP(value);
}

/* Is a text column this? */
static bool
text_is(const LsLeadRow *row, LsLeadColumn column, const char *expected)
{
	bool isnull;
	Datum value = ls_lead_get(row, column, &isnull);
	text *t;

	if (isnull)
		return false;
	t = DatumGetTextPP(value);
	return VARSIZE_ANY_EXHDR(t) == strlen(expected) &&
		   memcmp(VARDATA_ANY(t), expected, VARSIZE_ANY_EXHDR(t)) == 0;
}

/* LS_OPEN_SQL */
static bool
is_open(const LsLeadRow *row)
{
	return ls_lead_isnull(row, LEAD_deleted_at) && !ls_lead_bool(row, LEAD_is_spam) &&
		   (text_is(row, LEAD_stage, "new") || text_is(row, LEAD_stage, "working") ||
			   text_is(row, LEAD_stage, "contacted") || text_is(row, LEAD_stage, "qualified"));
}

/* LS_ASSIGNABLE_SQL of a lead that nobody has. */
static bool
can_wait(const LsLeadRow *row)
{
	return row != NULL && ls_lead_isnull(row, LEAD_assigned_to) && is_open(row) &&
		   !(text_is(row, LEAD_scoring_model, "b2b") && text_is(row, LEAD_temperature, "cold"));
}

/* A lead of an insert has a user: histories of an update tell that themselves. */
static void
note_assigned(AssignmentState *state, const Change *change)
{
	LsActivity activity = {0};

	if (state->activities == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->context);

		state->activities = ls_activity_batch();
		MemoryContextSwitchTo(caller);
	}
	activity.org = &change->org;
	activity.lead = &change->lead;
	activity.action = "assigned";
	activity.new_value = ls_json_pair_text("user_id", ls_uuid_text(&change->to));
	ls_activity_batch_add(state->activities, &activity);
}

/* Who has the lead, and for whom it counts. */
static void
follow_user(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	const pg_uuid_t *from = old ? row_uuid(old, LEAD_assigned_to) : NULL;
	const pg_uuid_t *to = new ? row_uuid(new, LEAD_assigned_to) : NULL;
	bool changed = (from == NULL) != (to == NULL) || (from && !ls_uuid_equal(from, to));
	bool old_counts = from != NULL && is_open(old);
	bool new_counts = to != NULL && is_open(new);
	const pg_uuid_t *org = row_uuid(new ? new : old, LEAD_organization_id);
	AssignmentState *kept;
	Change change = {0};

	if (!changed && old_counts == new_counts)
		return;
	kept = state_of(statement, state);
	if (old_counts)
		ls_user_delta(kept->deltas, org, from)->open--;
	if (new_counts)
		ls_user_delta(kept->deltas, org, to)->open++;
	if (!changed || new == NULL)
		return;
	change.org = *org;
	change.lead = *row_uuid(new, LEAD_id);
	change.has_from = from != NULL;
	change.has_to = to != NULL;
	if (from != NULL)
		change.from = *from;
	if (to != NULL)
	{
		change.to = *to;
		ls_user_delta(kept->deltas, org, to)->assigned++;
	}
	series_add(kept, &kept->changes, &change, sizeof(Change));
	if (old == NULL)
		note_assigned(kept, &change);
}

/* A milestone counts for who had the lead when it was reached, once. */
static void
follow_milestone(LsLeadStatement *statement, void **state, const LsLeadRow *old,
	const LsLeadRow *new, LsLeadColumn column)
{
	const pg_uuid_t *user = row_uuid(new, LEAD_assigned_to);
	Credit credit = {0};
	AssignmentState *kept;
	bool isnull;

	if (user == NULL || ls_lead_isnull(new, column) || !ls_lead_isnull(old, column))
		return;
	kept = state_of(statement, state);
	credit.org = *row_uuid(new, LEAD_organization_id);
	credit.lead = *row_uuid(new, LEAD_id);
	credit.user = *user;
	credit.is_contact = column == LEAD_contacted_at;
	credit.seconds = (DatumGetTimestampTz(ls_lead_get(new, column, &isnull)) -
						 DatumGetTimestampTz(ls_lead_get(new, LEAD_created_at, &isnull))) /
					 USECS_PER_SEC;
	credit.seconds = Max(credit.seconds, 0);
	(void) ls_user_delta(kept->deltas, &credit.org, user);
	series_add(kept, &kept->credits, &credit, sizeof(Credit));
}

/*
 * Is the lead one that should be assigned by itself?  It is when it has come to be
 * worth it, and when it has become worth a call, if nobody has it yet (A17).
 */
static void
follow_queue(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	bool could = can_wait(old);
	bool can = can_wait(new);
	LeadKey key;
	AssignmentState *kept;

	if (new == NULL || (could == can && !(can && ls_score_upgraded(old, new))))
		return;
	key.org = *row_uuid(new, LEAD_organization_id);
	key.lead = *row_uuid(new, LEAD_id);
	if (!can)
	{
		kept = state_of(statement, state);
		series_add(kept, &kept->not_waiting, &key, sizeof(LeadKey));
	}
	else if (!ls_lead_cause()->undone && (old == NULL || ls_lead_isnull(old, LEAD_assigned_to)) &&
			 ls_config_bool(&key.org, "assignment.auto") &&
			 ls_strategy_of_org(&key.org) != LS_STRATEGY_NONE)
	{
		kept = state_of(statement, state);
		series_add(kept, &kept->fresh, &key, sizeof(LeadKey));
	}
}

/* Listener: one row. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	if (new == NULL && ls_org_is_leaving(row_uuid(old, LEAD_organization_id)))
		return;
	follow_user(statement, state, old, new);
	follow_queue(statement, state, old, new);
	if (old != NULL && new != NULL)
	{
		follow_milestone(statement, state, old, new, LEAD_contacted_at);
		follow_milestone(statement, state, old, new, LEAD_qualified_at);
	}
	if (new == NULL)
	{
		AssignmentState *kept = state_of(statement, state);
		LeadKey key;

		key.org = *row_uuid(old, LEAD_organization_id);
		key.lead = *row_uuid(old, LEAD_id);
		series_add(kept, &kept->deleted, &key, sizeof(LeadKey));
	}
}

const LsLeadListener ls_assignment_listener = {listener_row, ls_assignment_record};
