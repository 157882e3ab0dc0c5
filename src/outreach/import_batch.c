/*-------------------------------------------------------------------------
 *
 * import_batch.c
 *	  Writes a batch of imported rows.
 *
 *	  Rows that the table would not take are reported and left out; one that it
 *	  may not take is written alone, and the table decides.  The rows of one lead
 *	  are collapsed into one unit, units are matched with the leads that exist
 *	  (semantics I13), new ones inserted and others updated, each with one
 *	  statement.  All this runs in a subtransaction: when something is refused all
 *	  the same, the batch is halved and tried again, down to the one unit that is
 *	  at fault, so that a bad row costs itself and no other, whichever rule or
 *	  constraint refuses it.  A conflict with another session that imports the
 *	  same leads is tried again first, since by then its leads can be seen.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "lead_system.h"
#include "core/query.h"
#include "outreach/import.h"
#include "outreach/import_write.h"

/* 17 has no name for it, since it no longer raises it. */
#define LS_SNAPSHOT_TOO_OLD MAKE_SQLSTATE('7', '2', '0', '0', '0')

/*
 * May an error be the fault of a row?  Rules of the user's raise what they
 * like, so it is told by what cannot be: the state of the server, of a
 * connection or of the transaction, other sessions, a request to stop.
 */
bool
ls_import_is_row_error(int sqlstate)
{
	static const int others[] = {ERRCODE_CONNECTION_EXCEPTION, ERRCODE_INVALID_TRANSACTION_STATE,
		ERRCODE_TRANSACTION_ROLLBACK, ERRCODE_INSUFFICIENT_RESOURCES, ERRCODE_OPERATOR_INTERVENTION,
		ERRCODE_SYSTEM_ERROR, LS_SNAPSHOT_TOO_OLD, ERRCODE_CONFIG_FILE_ERROR,
		ERRCODE_INTERNAL_ERROR};
	int i;

	for (i = 0; i < (int) lengthof(others); i++)
	{
		if (ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TO_CATEGORY(others[i]))
			return false;
	}
	return sqlstate != ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Was a lead deleted between being found and being put into the list? */
static bool
lead_is_gone(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION && error->table_name != NULL &&
		   strcmp(error->table_name, "lead_list_members") == 0;
}

/* May trying again help?  When another session wrote the same leads, if it can be seen. */
static bool
is_conflict(const ErrorData *error)
{
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK)
		return error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED || !IsolationUsesXactSnapshot();
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION || lead_is_gone(error);
}

/*
 * Write units in a subtransaction.  NULL when that went well, else the error,
 * which is that of a row.
 */
static ErrorData *
try_units(LsImport *import, LsImportUnit *units, int n)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	LsImportCounts counts = import->counts;
	ErrorData *volatile failure = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		ls_import_write(import, units, n);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		failure = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		import->counts = counts;
		if (!ls_import_is_row_error(failure->sqlerrcode) && !is_conflict(failure))
			ReThrowError(failure);
		ls_import_show_progress(import);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return failure;
}

static void write_units(LsImport *import, LsImportUnit *units, int n);

/* A unit that was refused: its rows are tried one by one. */
static void
write_rows_of(LsImport *import, const LsImportUnit *unit)
{
	ListCell *cell;

	foreach (cell, unit->rows)
	{
		LsImportUnit single;

		memset(&single, 0, sizeof(single));
		single.own = ((LsImportRow *) lfirst(cell))->input;
		single.rows = list_make1(lfirst(cell));
		write_units(import, &single, 1);
	}
}

/* Write units, going on without those that are refused. */
static void
write_units(LsImport *import, LsImportUnit *units, int n)
{
	ErrorData *error;

	if (n == 0)
		return;
	error = try_units(import, units, n);
	if (error != NULL && is_conflict(error))
		error = try_units(import, units, n);
	if (error == NULL)
		return;
	if (n > 1)
	{
		write_units(import, units, n / 2);
		write_units(import, units + n / 2, n - n / 2);
	}
	else if (list_length(units->rows) > 1)
		write_rows_of(import, units);
	else if (!ls_import_is_row_error(error->sqlerrcode))
		ReThrowError(error); /* no fault of the row: the whole import is to be retried */
	else if (IsolationUsesXactSnapshot() &&
			 (lead_is_gone(error) ? units->matched : ls_import_is_unseen(import, units, error)))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("another session wrote a lead that is imported"),
						   errhint("Retry the transaction.")));
	else
		ls_import_reject_row(import, linitial(units->rows), error);
}

/* Write all units, wave by wave; a unit whose row is suspect goes alone. */
static void
write_waves(LsImport *import, LsImportUnit *units, int n)
{
	LsImportUnit *run = palloc(sizeof(LsImportUnit) * n);
	int left = n;
	int wave;
	int i;

	for (wave = 0; left > 0; wave++)
	{
		int n_run = 0;

		for (i = 0; i < n; i++)
		{
			if (units[i].wave != wave)
				continue;
			left--;
			run[n_run++] = units[i];
			if (!((LsImportRow *) linitial(units[i].rows))->suspect)
				continue;
			write_units(import, run, n_run - 1);
			write_units(import, &run[n_run - 1], 1);
			n_run = 0;
		}
		write_units(import, run, n_run);
	}
}

/* Write the batch and start the next one. */
void
ls_import_flush(LsImport *import)
{
	MemoryContext caller = MemoryContextSwitchTo(import->batch_context);
	LsImportUnit *units;
	int n;

	if (import->n_rows > 0)
	{
		ls_import_check_rows(import);
		units = palloc(sizeof(LsImportUnit) * Max(import->n_rows, 1));
		n = ls_import_collapse(import, units);
		write_waves(import, units, n);
	}
	import->n_rows = 0;
	import->n_begun = 0;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(import->batch_context);
}
