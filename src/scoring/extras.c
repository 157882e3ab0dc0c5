/*-------------------------------------------------------------------------
 *
 * extras.c
 *	  What is known of a lead besides its row: its latest assessment, and what
 *	  was heard in its last three calls (B1, B4).
 *
 *	  A statement may score many leads, and which ones is only known as they
 *	  come by.  So there is no query per lead: the rows of a lead are read
 *	  through the index of each table, below SQL, which costs a few
 *	  microseconds.  Callers have checked the tenant; it is the lead's own.  A
 *	  table that is distributed or has lost its index is read by a query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/extension.h"
#include "core/index.h"
#include "core/query.h"
#include "core/trigger.h"
#include "scoring/model.h"

#define MAX_INPUT_COLUMNS 6

/* One of the two tables: where its columns and its index are. */
typedef struct InputTable
{
	const char *name;
	const char *columns[MAX_INPUT_COLUMNS]; /* besides created_at */
	int n_columns;
	Oid index; /* on lead and organisation; InvalidOid when there is none */
	AttrNumber created_at;
	AttrNumber attnums[MAX_INPUT_COLUMNS];
} InputTable;

static InputTable qualifications = {
	"lead_qualifications", {"id", "interest", "authority", "budget", "need", "timing"}, 6};
static InputTable signals = {"lead_intent_signals", {"call_id", "kind"}, 2};

static LsCache tables_cache = {
	.name = "inputs of scoring", .relations = {"lead_qualifications", "lead_intent_signals"}};

/* A scan over the rows of one lead in one of the tables. */
typedef struct InputScan
{
	Relation rel;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	ScanKeyData keys[2];
} InputScan;

/* A call that signals were heard in. */
typedef struct HeardCall
{
	TimestampTz at; /* the latest signal of it */
	pg_uuid_t id;
	int heard; /* a bit per kind */
} HeardCall;

static const char *const signal_kinds[] = {
	"explicit_interest", "question", "callback", "objection_handled", "hard_objection"};

/* The number of a kind of signal; -1 for "none" and what is no kind. */
int
ls_score_signal_number(const char *kind, int len)
{
	int i;

	for (i = 0; i < LS_SCORE_SIGNALS; i++)
	{
		if ((int) strlen(signal_kinds[i]) == len && strncmp(signal_kinds[i], kind, len) == 0)
			return i;
	}
	return -1;
}

/* The kinds that can be recorded, for messages. */
const char *
ls_score_signal_kinds(void)
{
	return "explicit_interest, question, callback, objection_handled, hard_objection, none";
}

/* Look up the columns of a table and an index that finds the rows of a lead. */
static void
describe_table(InputTable *table)
{
	Relation rel = table_open(ls_relation_oid(table->name, false), AccessShareLock);
	AttrNumber keys[] = {
		ls_trigger_attnum(rel, "lead_id"), ls_trigger_attnum(rel, "organization_id")};
	int i;

	table->created_at = ls_trigger_attnum(rel, "created_at");
	for (i = 0; i < table->n_columns; i++)
		table->attnums[i] = ls_trigger_attnum(rel, table->columns[i]);
	table->index = ls_relation_is_distributed(RelationGetRelid(rel))
					   ? InvalidOid
					   : ls_index_on(rel, keys, 2, InvalidAttrNumber);
	table_close(rel, AccessShareLock);
}

/* Know the tables, as they are now. */
static void
describe_tables(void)
{
	if (ls_cache_valid(&tables_cache))
		return;
	(void) ls_cache_renew(&tables_cache);
	describe_table(&qualifications);
	describe_table(&signals);
}

/* Start reading the rows of a lead. */
static void
scan_open(InputScan *scan, const InputTable *table, const pg_uuid_t *org, const pg_uuid_t *lead,
	Snapshot snapshot)
{
	scan->rel = table_open(ls_relation_oid(table->name, false), AccessShareLock);
	scan->index = index_open(table->index, AccessShareLock);
	ScanKeyInit(&scan->keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(lead));
	ScanKeyInit(&scan->keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(org));
	scan->scan = ls_index_beginscan(scan->rel, scan->index, snapshot, 2);
	index_rescan(scan->scan, scan->keys, 2, NULL, 0);
	scan->slot = table_slot_create(scan->rel, NULL);
}

/* Go to the next row; false at the end. */
static bool
scan_next(InputScan *scan)
{
	return index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot);
}

/* A column of the row that the scan is at.  None of those that are read is ever null. */
static Datum
scan_get(InputScan *scan, AttrNumber attnum)
{
	bool isnull;

	return slot_getattr(scan->slot, attnum, &isnull);
}

/* Stop reading. */
static void
scan_close(InputScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);
	table_close(scan->rel, AccessShareLock);
}

/* Read the latest assessment; of those of one instant, the one made last. */
static void
read_qualification(
	ScoreExtras *extras, const pg_uuid_t *org, const pg_uuid_t *lead, Snapshot snapshot)
{
	const AttrNumber *attnums = qualifications.attnums;
	InputScan scan;
	TimestampTz latest = 0;
	pg_uuid_t latest_id = {0};

	scan_open(&scan, &qualifications, org, lead, snapshot);
	while (scan_next(&scan))
	{
		TimestampTz at = DatumGetTimestampTz(scan_get(&scan, qualifications.created_at));
		const pg_uuid_t *id = DatumGetUUIDP(scan_get(&scan, attnums[0]));

		if (extras->has_qualification &&
			(at < latest || (at == latest && memcmp(id, &latest_id, UUID_LEN) < 0)))
			continue;
		extras->has_qualification = true;
		latest = at;
		latest_id = *id;
		extras->interest = DatumGetInt32(scan_get(&scan, attnums[1]));
		extras->authority = DatumGetInt32(scan_get(&scan, attnums[2]));
		extras->budget = DatumGetInt32(scan_get(&scan, attnums[3]));
		extras->need = DatumGetInt32(scan_get(&scan, attnums[4]));
		extras->timing = DatumGetInt32(scan_get(&scan, attnums[5]));
	}
	scan_close(&scan);
}

/* Is a call before another: later, or of the same instant with the lower id? */
static bool
call_precedes(TimestampTz at, const pg_uuid_t *id, const HeardCall *other)
{
	return at > other->at || (at == other->at && memcmp(id, &other->id, UUID_LEN) < 0);
}

/* The call of an id among those that are kept; -1 when it is not. */
static int
kept_call(const HeardCall *calls, int n, const pg_uuid_t *id)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (memcmp(&calls[i].id, id, UUID_LEN) == 0)
			return i;
	}
	return -1;
}

/*
 * Keep a call if it is among the last ones.  One that had to go comes back with
 * a later signal of it, so what is kept in the end does not depend on the order
 * in which signals are read.
 */
static void
keep_call(HeardCall *calls, int *n, TimestampTz at, const pg_uuid_t *id)
{
	int place = kept_call(calls, *n, id);
	int i;

	if (place < 0 && *n < LS_SCORE_CALLS)
	{
		place = (*n)++;
		calls[place].at = at;
	}
	else if (place < 0)
	{
		place = 0;
		for (i = 1; i < *n; i++)
		{
			if (call_precedes(calls[place].at, &calls[place].id, &calls[i]))
				place = i;
		}
		if (!call_precedes(at, id, &calls[place]))
			return;
		calls[place].at = at;
	}
	calls[place].at = Max(calls[place].at, at);
	calls[place].id = *id;
	calls[place].heard = 0;
}

/* Count the calls in which each signal was heard. */
static void
count_signals(ScoreExtras *extras, const HeardCall *calls, int n)
{
	int call;
	int kind;

	for (call = 0; call < n; call++)
	{
		for (kind = 0; kind < LS_SCORE_SIGNALS; kind++)
		{
			if (calls[call].heard & (1 << kind))
				extras->intent[kind]++;
		}
	}
}

/* Read the signals: once to find the last calls, once to hear what was said in them. */
static void
read_intent(ScoreExtras *extras, const pg_uuid_t *org, const pg_uuid_t *lead, Snapshot snapshot)
{
	HeardCall calls[LS_SCORE_CALLS];
	InputScan scan;
	int n = 0;

	scan_open(&scan, &signals, org, lead, snapshot);
	while (scan_next(&scan))
		keep_call(calls, &n, DatumGetTimestampTz(scan_get(&scan, signals.created_at)),
			DatumGetUUIDP(scan_get(&scan, signals.attnums[0])));
	if (n > 0)
		index_rescan(scan.scan, scan.keys, 2, NULL, 0);
	while (n > 0 && scan_next(&scan))
	{
		int call = kept_call(calls, n, DatumGetUUIDP(scan_get(&scan, signals.attnums[0])));
		text *kind = DatumGetTextPP(scan_get(&scan, signals.attnums[1]));
		int number = ls_score_signal_number(VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));

		if (call >= 0 && number >= 0)
			calls[call].heard |= 1 << number;
	}
	scan_close(&scan);
	count_signals(extras, calls, n);
}

/* Run one of the queries below: on what is committed now when the lead is locked. */
static uint64
run_query(LsQuery *query, const LsArgs *args, bool latest)
{
	return latest ? ls_query_run_latest(query, args) : ls_query_run(query, args, LS_READ);
}

/* Load the latest assessment through SQL. */
static void
query_qualification(ScoreExtras *extras, const LsArgs *args, bool latest)
{
	LS_QUERY(query,
		"SELECT interest, authority, budget, need, timing FROM lead_system.lead_qualifications"
		" WHERE organization_id = $1 AND lead_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1",
		UUIDOID, UUIDOID);

	extras->has_qualification = run_query(&query, args, latest) > 0;
	if (!extras->has_qualification)
		return;
	extras->interest = ls_result_int32(0, 1);
	extras->authority = ls_result_int32(0, 2);
	extras->budget = ls_result_int32(0, 3);
	extras->need = ls_result_int32(0, 4);
	extras->timing = ls_result_int32(0, 5);
}

/* Load the signals of the last three calls through SQL. */
static void
query_intent(ScoreExtras *extras, const LsArgs *args, bool latest)
{
	LS_QUERY(query,
		"SELECT s.kind, count(DISTINCT s.call_id)"
		"  FROM (SELECT call_id FROM lead_system.lead_intent_signals"
		"         WHERE organization_id = $1 AND lead_id = $2"
		"         GROUP BY call_id ORDER BY max(created_at) DESC, call_id LIMIT 3) c"
		"  JOIN lead_system.lead_intent_signals s"
		"    ON s.organization_id = $1 AND s.lead_id = $2 AND s.call_id = c.call_id"
		" GROUP BY s.kind",
		UUIDOID, UUIDOID);
	uint64 n = run_query(&query, args, latest);
	uint64 row;

	for (row = 0; row < n; row++)
	{
		char *kind = ls_result_text(row, 1);
		int number = ls_score_signal_number(kind, strlen(kind));

		if (number >= 0)
			extras->intent[number] = (int) ls_result_int64(row, 2);
	}
}

/* Load both through SQL. */
static void
query_extras(ScoreExtras *extras, const pg_uuid_t *org, const pg_uuid_t *lead, bool latest)
{
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	query_qualification(extras, &args, latest);
	query_intent(extras, &args, latest);
	ls_scope_close(&scope);
}

/*
 * Load what is known of a lead besides its row, once.
 *
 * A statement that had to wait for the lead has a snapshot from before what
 * others recorded meanwhile.  Their scores are in the row that it goes on from,
 * so it must see what they were made of.
 */
void
ls_score_load_extras(ScoreSubject *subject)
{
	const pg_uuid_t *org = &subject->organization->id;
	bool latest = subject->is_locked && !IsolationUsesXactSnapshot();
	const pg_uuid_t *lead;
	Snapshot snapshot;
	bool isnull;

	if (subject->extras.loaded)
		return;
	subject->extras.loaded = true;
	if (subject->is_new)
		return;
	lead = DatumGetUUIDP(ls_lead_get(subject->row, LEAD_id, &isnull));
	describe_tables();
	if (!OidIsValid(qualifications.index) || !OidIsValid(signals.index))
	{
		query_extras(&subject->extras, org, lead, latest);
		return;
	}
	snapshot = RegisterSnapshot(latest ? GetLatestSnapshot() : GetActiveSnapshot());
	read_qualification(&subject->extras, org, lead, snapshot);
	read_intent(&subject->extras, org, lead, snapshot);
	UnregisterSnapshot(snapshot);
}

void
ls_score_extras_init(void)
{
	ls_cache_register(&tables_cache);
}
