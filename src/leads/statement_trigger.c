/*-------------------------------------------------------------------------
 *
 * statement_trigger.c
 *	  AFTER STATEMENT triggers of leads: walk what a statement wrote, old and
 *	  new versions side by side, and tell the listeners.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/growth.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "leads/internal.h"
#include "leads/leads.h"

/* A slot as a row of leads; NULL for a version that there is not. */
static LsLeadRow *
slot_row(LsLeadRow *row, const LsLeadMap *map, TupleTableSlot *slot)
{
	if (slot == NULL)
		return NULL;
	row->map = map;
	row->desc = slot->tts_tupleDescriptor;
	row->values = slot->tts_values;
	row->nulls = slot->tts_isnull;
	return row;
}

/* Walk all rows and tell all listeners of each. */
static void
walk(LsLeadStatement *statement, LsTransition *transition)
{
	const LsLeadMap *map = ls_lead_map(statement->rel);
	MemoryContext row_context = AllocSetContextCreate(
		statement->context, "lead_system row of leads", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);

	while (ls_transition_next(transition))
	{
		LsLeadRow old_row;
		LsLeadRow new_row;
		LsLeadRow *old = slot_row(&old_row, map, transition->old);
		LsLeadRow *new = slot_row(&new_row, map, transition->new);
		int i;

		for (i = 0; i < ls_lead_n_listeners; i++)
			ls_lead_listeners[i]->row(statement, &statement->states[i], old, new);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
}

PG_FUNCTION_INFO_V1(ls_leads_after_statement);

/* leads_after_statement(): AFTER INSERT, UPDATE and DELETE statement triggers. */
Datum
ls_leads_after_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "leads_after_statement", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "leads");
	void *states[LS_MAX_LEAD_LISTENERS] = {NULL};
	LsLeadStatement statement = {0};
	LsTransition transition;
	MemoryContext caller;
	int i;

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ls_plans_follow_growth(trigdata->tg_relation);
	statement.rel = trigdata->tg_relation;
	statement.now = ls_clock_now();
	statement.states = states;
	statement.context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system statement on leads", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(statement.context);
	ls_transition_open(&transition, trigdata);
	walk(&statement, &transition);
	for (i = 0; i < ls_lead_n_listeners; i++)
	{
		if (ls_lead_listeners[i]->end != NULL && states[i] != NULL)
			ls_lead_listeners[i]->end(&statement, &states[i]);
	}
	ls_transition_close(&transition);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(statement.context);
	return PointerGetDatum(NULL);
}
