/*-------------------------------------------------------------------------
 *
 * transition.h
 *	  Reading the transition tables of a statement trigger, side by side.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_TRANSITION_H
#define LS_CORE_TRANSITION_H

#include "commands/trigger.h"
#include "executor/tuptable.h"

/*
 * The rows of a statement: "old" is NULL for inserts, "new" for deletes.  Both
 * tables are filled by the same event of the same row, so they are read in
 * step.
 */
typedef struct LsTransition
{
	Tuplestorestate *old_store;
	Tuplestorestate *new_store;
	TupleTableSlot *old;
	TupleTableSlot *new;
	MemoryContext context; /* in which rows are fetched */
} LsTransition;

extern void ls_transition_open(LsTransition *transition, TriggerData *trigdata);
extern bool ls_transition_next(LsTransition *transition);
extern void ls_transition_close(LsTransition *transition);
extern void ls_transition_run(TriggerData *trigdata, const char *const *statements, int nargs,
	Oid *types, Datum *values, const char *nulls);

#endif /* LS_CORE_TRANSITION_H */
