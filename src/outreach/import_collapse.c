/*-------------------------------------------------------------------------
 *
 * import_collapse.c
 *	  The rows of a batch that are about one lead become one unit.
 *
 *	  What comes out must not depend on where batches end: it is what would be
 *	  there if each row had been written before the next one was read.  A row
 *	  for which that cannot be told without writing starts another unit of its
 *	  lead, in a later wave; waves are written one after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "core/uuid.h"
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

/* Find the last unit of a row's lead; -1 when there is none yet. */
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
		{
			int unit = entry->unit;

			while (units[unit].next > 0)
				unit = units[unit].next;
			return unit;
		}
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
	if (ls_lead_columns[column].type == TEXTARRAYOID)
		return ls_lead_list_union(earlier, later);
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
 * May what a later row says be merged before either is written?  Not a status,
 * a pipeline or a reason that is news: whether a lead takes them depends on
 * what it has by then.
 */
bool
ls_import_may_join(const LsLeadInput *into, const LsLeadInput *from)
{
	static const LsLeadColumn texts[] = {LEAD_status, LEAD_lost_reason};
	int i;

	for (i = 0; i < (int) lengthof(texts); i++)
	{
		if (from->set[texts[i]] &&
			(!into->set[texts[i]] || strcmp(ls_lead_input_text(into, texts[i]),
										 ls_lead_input_text(from, texts[i])) != 0))
			return false;
	}
	return !from->set[LEAD_pipeline_id] ||
		   (into->set[LEAD_pipeline_id] &&
			   ls_uuid_equal(DatumGetUUIDP(into->values[LEAD_pipeline_id]),
				   DatumGetUUIDP(from->values[LEAD_pipeline_id])));
}

/* Does a row go into the unit that its lead has already? */
static bool
joins(const LsImport *import, const LsImportUnit *unit, const LsImportRow *row)
{
	if (row->suspect || ((LsImportRow *) linitial(unit->rows))->suspect)
		return false;
	return import->options.on_duplicate != LS_IMPORT_MERGE ||
		   ls_import_may_join(&unit->input, &row->input);
}

/* Start a unit with a row. */
static void
unit_start(LsImportUnit *unit, LsImportRow *row)
{
	memset(unit, 0, sizeof(LsImportUnit));
	unit->input = row->input;
	unit->rows = list_make1(row);
}

/*
 * Collapse rows into units; returns how many there are.  Only when rows are
 * merged does a later row add to its unit.  Otherwise it is a duplicate of the
 * first, as it would be if that had been in the batch before.
 */
int
ls_import_collapse(LsImport *import, LsImportUnit *units)
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

		if (unit < 0 || !joins(import, &units[unit], row))
		{
			unit_start(&units[n], row);
			if (unit >= 0)
			{
				units[n].wave = units[unit].wave + 1;
				units[unit].next = n;
			}
			unit = n++;
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
	for (i = 0; i < n; i++)
		units[i].own = units[i].input;
	return n;
}
