/*-------------------------------------------------------------------------
 *
 * import_batch.c
 *	  Writes a batch of imported rows.
 *
 *	  Rows that the table would not take are reported and left out.  The rows of
 *	  one lead are collapsed into one unit, units are matched with the leads that
 *	  exist (semantics I13), new ones inserted and others updated, each with one
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
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/uuid.h"
#include "outreach/import.h"
#include "outreach/import_write.h"

/* The first unit that has a key. */
typedef struct KeyEntry
{
	uint64 hash; /* hash key */
	int unit;
} KeyEntry;

const LsLeadColumn ls_import_keys[LS_IMPORT_N_KEYS] = {
	LEAD_id, LEAD_source_id, LEAD_email, LEAD_phone_number};

/* A key of a row as text, with the kind of key before it; NULL if not set. */
static char *
key_text(const LsLeadInput *input, LsLeadColumn column)
{
	const char *source = "";

	if (!input->set[column])
		return NULL;
	if (column == LEAD_id)
		return psprintf("id:%s", ls_uuid_text(DatumGetUUIDP(input->values[column])));
	if (column == LEAD_source_id)
		source = ls_lead_input_text(input, LEAD_source);
	return psprintf("%d:%s:%s", column, source, ls_lead_input_text(input, column));
}

/* Hash of a key. */
static uint64
key_hash(const char *key)
{
	return hash_bytes_extended((const unsigned char *) key, strlen(key), 0);
}

/* Find the unit that a row belongs to; -1 when it is the first of its lead. */
static int
find_unit(HTAB *keys, LsImportUnit *units, const LsLeadInput *input)
{
	int i;

	for (i = 0; i < LS_IMPORT_N_KEYS; i++)
	{
		char *key = key_text(input, ls_import_keys[i]);
		uint64 hash = key ? key_hash(key) : 0;
		KeyEntry *entry = key ? hash_search(keys, &hash, HASH_FIND, NULL) : NULL;
		char *other = entry ? key_text(&units[entry->unit].input, ls_import_keys[i]) : NULL;

		if (other != NULL && strcmp(other, key) == 0)
			return entry->unit;
	}
	return -1;
}

/* Note the keys of a unit. */
static void
remember_keys(HTAB *keys, const LsLeadInput *input, int unit)
{
	int i;

	for (i = 0; i < LS_IMPORT_N_KEYS; i++)
	{
		char *key = key_text(input, ls_import_keys[i]);
		uint64 hash = key ? key_hash(key) : 0;
		KeyEntry *entry = key ? hash_search(keys, &hash, HASH_ENTER, NULL) : NULL;

		if (entry != NULL)
			entry->unit = unit;
	}
}

/* What two rows say of a column of the same lead: the later one overwrites. */
static Datum
merged_value(int column, Datum earlier, Datum later)
{
	if (ls_lead_columns[column].flags & LS_LEAD_STICKY)
		return BoolGetDatum(DatumGetBool(earlier) || DatumGetBool(later));
	if (ls_lead_columns[column].type == JSONBOID)
		return DirectFunctionCall2(jsonb_concat, earlier, later);
	return later;
}

/* A later row of the same lead overwrites, but for the origin. */
void
ls_import_merge_input(LsLeadInput *into, const LsLeadInput *from)
{
	int i;

	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (!from->set[i] || (into->set[i] && ls_lead_fills_only((LsLeadColumn) i)))
			continue;
		into->values[i] =
			into->set[i] ? merged_value(i, into->values[i], from->values[i]) : from->values[i];
		into->set[i] = true;
	}
}

/*
 * Collapse rows into units; returns how many there are.  Only when rows are
 * merged does a later row add to its unit.  Otherwise it is a duplicate of the
 * first, as it would be if that had been in the batch before.
 */
static int
collapse(LsImport *import, LsImportUnit *units)
{
	HASHCTL ctl = {0};
	HTAB *keys;
	int n = 0;
	int i;

	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(KeyEntry);
	ctl.hcxt = CurrentMemoryContext;
	keys = hash_create("lead_system import keys", import->n_rows * 2 + 1, &ctl,
		HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < import->n_rows; i++)
	{
		LsImportRow *row = import->rows[i];
		int unit = find_unit(keys, units, &row->input);

		if (unit < 0)
		{
			unit = n++;
			memset(&units[unit], 0, sizeof(LsImportUnit));
			units[unit].input = row->input;
			units[unit].rows = list_make1(row);
		}
		else
		{
			units[unit].rows = lappend(units[unit].rows, row);
			if (import->options.on_duplicate != LS_IMPORT_MERGE)
				continue;
			ls_import_merge_input(&units[unit].input, &row->input);
		}
		remember_keys(keys, &units[unit].input, unit);
	}
	return n;
}

/* May an error be the fault of a row?  Others end the import. */
bool
ls_import_is_row_error(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_DATA_EXCEPTION ||
		   category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		   category == ERRCODE_TO_CATEGORY(LS_ERRCODE_STATUS_STEP) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_PROGRAM_LIMIT_EXCEEDED) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_RAISE_EXCEPTION) ||
		   sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/* May trying again help?  When another session wrote the same leads. */
static bool
is_conflict(int sqlstate)
{
	return sqlstate == ERRCODE_UNIQUE_VIOLATION || sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED;
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
		if (!ls_import_is_row_error(failure->sqlerrcode))
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
		single.input = ((LsImportRow *) lfirst(cell))->input;
		single.rows = list_make1(lfirst(cell));
		write_units(import, &single, 1);
	}
}

/* Write units, going on without those that are refused. */
static void
write_units(LsImport *import, LsImportUnit *units, int n)
{
	ErrorData *error;

	/* An attempt may have folded other units into this one. */
	if (n == 1 && list_length(units->rows) == 1)
		units->input = ((LsImportRow *) linitial(units->rows))->input;
	error = try_units(import, units, n);
	if (error != NULL && is_conflict(error->sqlerrcode))
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
	else if (error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED)
		ReThrowError(error); /* no fault of the row: the whole import is to be retried */
	else
		ls_import_reject_row(import, linitial(units->rows), error);
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
		ls_import_refuse_rows(import);
		units = palloc(sizeof(LsImportUnit) * Max(import->n_rows, 1));
		n = collapse(import, units);
		if (n > 0)
			write_units(import, units, n);
	}
	import->n_rows = 0;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(import->batch_context);
}
