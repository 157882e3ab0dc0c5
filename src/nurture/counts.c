/*-------------------------------------------------------------------------
 *
 * counts.c
 *	  The counts of nurture_sequences.
 *
 *	  They are kept by a statement trigger of the enrolments, which locks the
 *	  sequences in the order of their ids.  A claim writes enrolments several
 *	  times, and would come back to lower ids; so it holds what its statements
 *	  count, and writes all of it at its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "nurture/nurture.h"

/* What statements add to the counts of a sequence. */
typedef struct CountDelta
{
	pg_uuid_t org; /* hash key, with the next */
	pg_uuid_t sequence;
	int total;
	int active;
	int completed;
} CountDelta;

/* The columns that are counted by. */
typedef struct CountColumns
{
	int org;
	int sequence;
	int status;
} CountColumns;

/* What a claim that is being made has counted; NULL outside of one. */
static HTAB *held = NULL;

/* No sequences yet. */
static HTAB *
create_deltas(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = 2 * sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(CountDelta);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("counts of sequences", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Count a row, or take it back. */
static void
count_row(HTAB *deltas, const CountColumns *columns, TupleTableSlot *slot, int sign)
{
	pg_uuid_t key[2];
	CountDelta *delta;
	bool isnull;
	bool found;
	char *status;

	key[0] = *DatumGetUUIDP(slot_getattr(slot, columns->org, &isnull));
	key[1] = *DatumGetUUIDP(slot_getattr(slot, columns->sequence, &isnull));
	delta = hash_search(deltas, key, HASH_ENTER, &found);
	if (!found)
		delta->total = delta->active = delta->completed = 0;
	status = TextDatumGetCString(slot_getattr(slot, columns->status, &isnull));
	delta->total += sign;
	if (strcmp(status, "active") == 0)
		delta->active += sign;
	else if (strcmp(status, "completed") == 0)
		delta->completed += sign;
	pfree(status);
}

/* Count the rows of a statement. */
static void
count_rows(HTAB *deltas, TriggerData *trigdata)
{
	Relation rel = trigdata->tg_relation;
	CountColumns columns;
	LsTransition rows;

	columns.org = ls_trigger_attnum(rel, "organization_id");
	columns.sequence = ls_trigger_attnum(rel, "sequence_id");
	columns.status = ls_trigger_attnum(rel, "status");
	ls_transition_open(&rows, trigdata);
	while (ls_transition_next(&rows))
	{
		if (rows.new != NULL)
			count_row(deltas, &columns, rows.new, 1);
		if (rows.old != NULL)
			count_row(deltas, &columns, rows.old, -1);
	}
	ls_transition_close(&rows);
}

/* An int4[]. */
static Datum
int_array(Datum *values, int n)
{
	return PointerGetDatum(construct_array(values, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* Add to the counts; the sequences are locked in the order of their ids before the first is written. */
static void
write_deltas(HTAB *deltas)
{
	LS_QUERY_ARRAY(query,
		"WITH l AS MATERIALIZED (SELECT s.organization_id, s.id, d.total, d.active, d.completed"
		"   FROM unnest($1, $2, $3, $4, $5) d(organization_id, sequence_id, total, active, completed)"
		"   JOIN lead_system.nurture_sequences s ON s.organization_id = d.organization_id"
		"    AND s.id = d.sequence_id ORDER BY s.id FOR NO KEY UPDATE OF s)"
		" UPDATE lead_system.nurture_sequences s SET"
		"  total_enrollments = s.total_enrollments + l.total,"
		"  active_enrollments = s.active_enrollments + l.active,"
		"  completed_enrollments = s.completed_enrollments + l.completed"
		"  FROM l WHERE s.organization_id = l.organization_id AND s.id = l.id",
		UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID);
	long size = hash_get_num_entries(deltas) + 1;
	pg_uuid_t *orgs = palloc(sizeof(pg_uuid_t) * size);
	pg_uuid_t *sequences = palloc(sizeof(pg_uuid_t) * size);
	Datum *counts[3];
	HASH_SEQ_STATUS all;
	CountDelta *delta;
	LsScope scope;
	LsArgs args = {0};
	int n = 0;
	int i;

	for (i = 0; i < (int) lengthof(counts); i++)
		counts[i] = palloc(sizeof(Datum) * size);
	hash_seq_init(&all, deltas);
	while ((delta = hash_seq_search(&all)) != NULL)
	{
		if (delta->total == 0 && delta->active == 0 && delta->completed == 0)
			continue;
		orgs[n] = delta->org;
		sequences[n] = delta->sequence;
		counts[0][n] = Int32GetDatum(delta->total);
		counts[1][n] = Int32GetDatum(delta->active);
		counts[2][n++] = Int32GetDatum(delta->completed);
	}
	if (n == 0)
		return;
	ls_arg_datum(&args, ls_uuid_array(orgs, n), false);
	ls_arg_datum(&args, ls_uuid_array(sequences, n), false);
	for (i = 0; i < (int) lengthof(counts); i++)
		ls_arg_datum(&args, int_array(counts[i], n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_nurture_enrollments_changed);

/* lead_sequence_enrollments_changed(): AFTER statement triggers; keeps the counts. */
Datum
ls_nurture_enrollments_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "lead_sequence_enrollments_changed", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "lead_sequence_enrollments");
	HTAB *deltas;

	if (ls_org_is_leaving(NULL))
		return PointerGetDatum(NULL);
	deltas = held ? held : create_deltas();
	count_rows(deltas, trigdata);
	if (deltas != held)
	{
		write_deltas(deltas);
		hash_destroy(deltas);
	}
	return PointerGetDatum(NULL);
}

/*
 * Run something that writes enrolments by several statements, and write the counts
 * of all of them at its end.
 */
void
ls_nurture_counts_once(void (*run)(void *), void *arg)
{
	HTAB *previous = held;
	HTAB *deltas = create_deltas();

	held = deltas;
	PG_TRY();
	{
		run(arg);
	}
	PG_FINALLY();
	{
		held = previous;
	}
	PG_END_TRY();
	write_deltas(deltas);
	hash_destroy(deltas);
}
