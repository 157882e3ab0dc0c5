/*-------------------------------------------------------------------------
 *
 * transition.c
 *	  Reading transition tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/transition.h"

/* Start reading one of the tables; NULL stays NULL. */
static TupleTableSlot *
open_store(Tuplestorestate *store, Relation rel)
{
	if (store == NULL)
		return NULL;
	tuplestore_rescan(store);
	return MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
}

/* Start reading what a trigger was given. */
void
ls_transition_open(LsTransition *transition, TriggerData *trigdata)
{
	transition->context = CurrentMemoryContext;
	transition->old_store = trigdata->tg_oldtable;
	transition->new_store = trigdata->tg_newtable;
	transition->old = open_store(transition->old_store, trigdata->tg_relation);
	transition->new = open_store(transition->new_store, trigdata->tg_relation);
}

/* Read the next row of one of the tables. */
static bool
next_row(Tuplestorestate *store, TupleTableSlot *slot)
{
	if (store == NULL)
		return true;
	if (!tuplestore_gettupleslot(store, true, false, slot))
		return false;
	slot_getallattrs(slot);
	return true;
}

/*
 * Go to the next row; false at the end.  The slots are taken apart.
 *
 * A row that had been written to disk is allocated when it is fetched, and
 * freed by its slot at the next fetch; so this must not happen in a context
 * that the caller resets in between.
 */
bool
ls_transition_next(LsTransition *transition)
{
	MemoryContext caller = MemoryContextSwitchTo(transition->context);
	bool found = (transition->old_store != NULL || transition->new_store != NULL) &&
				 next_row(transition->old_store, transition->old) &&
				 next_row(transition->new_store, transition->new);

	MemoryContextSwitchTo(caller);
	return found;
}

/* Stop reading. */
void
ls_transition_close(LsTransition *transition)
{
	if (transition->old != NULL)
		ExecDropSingleTupleTableSlot(transition->old);
	if (transition->new != NULL)
		ExecDropSingleTupleTableSlot(transition->new);
}

/*
 * Run statements that name the transition tables of a trigger, as the owner of
 * the tables.  The list ends with NULL; all take the same parameters.
 */
void
ls_transition_run(TriggerData *trigdata, const char *const *statements, int nargs, Oid *types,
	Datum *values, const char *nulls)
{
	LsScope scope;

	ls_scope_open(&scope, LS_AS_OWNER);
	if (SPI_register_trigger_data(trigdata) != SPI_OK_TD_REGISTER)
		elog(ERROR, "SPI_register_trigger_data failed");
	for (; *statements != NULL; statements++)
	{
		int rc = SPI_execute_with_args(*statements, nargs, types, values, nulls, false, 0);

		if (rc < 0)
			elog(ERROR, "\"%s\" failed: %s", *statements, SPI_result_code_string(rc));
	}
	ls_scope_close(&scope);
}
