/*-------------------------------------------------------------------------
 *
 * exact.c
 *	  Statements that write rows as they are.
 *
 *	  "Exactly" means as the rows are: session_replication_role is replica for
 *	  the statement, so neither ordinary triggers nor foreign keys look at them.
 *	  Who writes so takes care of both.
 *
 *	  On a table of another role code of that role may run in the middle of it: a
 *	  check, a trigger that fires always.  What that code writes itself must not
 *	  pass by triggers and foreign keys, so there the executor is followed, and
 *	  the statement alone is exact.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"

#include "core/compat.h"
#include "core/trigger.h"
#include "merge/merge.h"

static ExecutorRun_hook_type previous_run = NULL;
static ExecutorFinish_hook_type previous_finish = NULL;

/* What of the session has to be put back when an exact statement is over. */
typedef struct ExactState
{
	const char *followed; /* the statement that is exact while others are not; or NULL */
	bool inside;          /* it is being executed */
	int others;           /* session_replication_role for what it calls */
} ExactState;

static ExactState state;

/*
 * Begin a part of the execution of a query: exact when it is the statement that
 * is followed.  Who writes the same text gets the same, at its own outset only.
 */
static void
enter_query(const QueryDesc *query)
{
	bool exact = !state.inside && strcmp(query->sourceText, state.followed) == 0;

	SessionReplicationRole = exact ? SESSION_REPLICATION_ROLE_REPLICA : state.others;
	state.inside |= exact;
}

/*
 * Follow what is executed; the state is put back after an error, too, since the
 * code in the middle may catch it.
 */
static void
exact_run(LS_EXECUTOR_RUN_PARAMS)
{
	const bool follow = state.followed != NULL;
	const bool inside = state.inside;
	const int role = SessionReplicationRole;

	if (follow)
		enter_query(query);
	PG_TRY();
	{
		if (previous_run)
			previous_run(LS_EXECUTOR_RUN_ARGS);
		else
			standard_ExecutorRun(LS_EXECUTOR_RUN_ARGS);
	}
	PG_FINALLY();
	{
		if (follow)
		{
			state.inside = inside;
			SessionReplicationRole = role;
		}
	}
	PG_END_TRY();
}

/* The same for what is left when the rows are done: triggers that fire afterwards. */
static void
exact_finish(QueryDesc *query)
{
	const bool follow = state.followed != NULL;
	const bool inside = state.inside;
	const int role = SessionReplicationRole;

	if (follow)
		enter_query(query);
	PG_TRY();
	{
		if (previous_finish)
			previous_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		if (follow)
		{
			state.inside = inside;
			SessionReplicationRole = role;
		}
	}
	PG_END_TRY();
}

/*
 * Run a statement of a move, exactly.  The variable behind
 * session_replication_role is written itself: setting the parameter throws away
 * every plan that the session keeps, which costs more than the statement does.
 * Those plans do not depend on it, since our tables have no rules.  Triggers of
 * ours that fire always let pass what our owner does, and nobody else.
 */
uint64
ls_move_run_exactly(const LsMove *move, const char *sql)
{
	const bool ours = GetUserId() == ls_owner();
	const int role = SessionReplicationRole;
	const ExactState saved = state;
	const bool moved = ls_rows_are_moved();

	state.followed = ours ? NULL : sql;
	state.inside = false;
	state.others = role;
	ls_rows_set_moved(ours);
	if (ours)
		SessionReplicationRole = SESSION_REPLICATION_ROLE_REPLICA;
	PG_TRY();
	{
		(void) ls_move_run(move, sql);
	}
	PG_FINALLY();
	{
		ls_rows_set_moved(moved);
		state = saved;
		SessionReplicationRole = role;
	}
	PG_END_TRY();
	return SPI_processed;
}

void
ls_move_exact_init(void)
{
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = exact_run;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = exact_finish;
}
