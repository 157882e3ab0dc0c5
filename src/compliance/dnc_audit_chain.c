/*-------------------------------------------------------------------------
 *
 * dnc_audit_chain.c
 *	  Chains the rows of dnc_audit_log by hashes.
 *
 *	  A chain has one end per organisation, so whoever adds to it keeps others
 *	  from doing so until the transaction ends.  If that lock were taken when a
 *	  row is written, it would come before locks on leads in one session and
 *	  after them in another, and they would wait for each other; and one long
 *	  import would stop every other change of the list.
 *
 *	  So a statement only remembers the hashes of its rows, in memory, and the
 *	  links are written when the transaction is about to commit: after all
 *	  statements and deferred triggers, hence after all other locks.  The lock
 *	  is held for the commit alone.  Several organisations are locked in the
 *	  order of their ids.  What is rolled back to a savepoint is forgotten: rows
 *	  are remembered with their subtransaction, and what an aborted one, or one
 *	  inside it, has written is the end of each organisation's list.
 *
 *	  A deferred constraint trigger would come at the same moment, but is called
 *	  once per row, cannot know which call is the last one, and SET CONSTRAINTS
 *	  IMMEDIATE would bring the early lock back.
 *
 *	  A transaction that is prepared would hold the lock until somebody ends it,
 *	  and nobody could be put on the list until then.  It writes a chain of its
 *	  own instead, a branch, and needs no lock.
 *
 *	  The end of the chain is read and written with the latest snapshot, under
 *	  the lock: two sessions in REPEATABLE READ may add to one chain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/dnc_audit.h"
#include "core/lock.h"
#include "core/query.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"

/* Rows that one subtransaction has written for an organisation. */
typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk *previous;
	SubTransactionId subid;
	int n;
	int capacity;
	pg_uuid_t *ids;
	uint8 (*hashes)[LS_HASH_SIZE];
} Chunk;

#define FIRST_CAPACITY 8
#define LAST_CAPACITY 4096

/* What the transaction has written so far for an organisation. */
typedef struct Pending
{
	pg_uuid_t org; /* hash key */
	Chunk *first;
	Chunk *last;
} Pending;

/* By organisation, in TopTransactionContext; NULL when nothing was written. */
static HTAB *pending = NULL;

/* The end of a chain. */
typedef struct Head
{
	pg_uuid_t branch; /* zero: the organisation's own */
	bool is_new;
	int64 sequence;
	pg_uuid_t audit_id;
	uint8 hash[LS_HASH_SIZE];
} Head;

/* What the transaction has written for an organisation, maybe nothing yet. */
static Pending *
pending_for(const pg_uuid_t *org)
{
	Pending *entry;
	bool found;

	if (pending == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(Pending);
		ctl.hcxt = TopTransactionContext;
		pending =
			hash_create("rows to be chained", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(pending, org, HASH_ENTER, &found);
	if (!found)
		entry->first = entry->last = NULL;
	return entry;
}

/*
 * Make room for rows that do not fit the last chunk.  Only a subtransaction that
 * goes on writing gets more of it at a time: there may be one for each row.
 */
static Chunk *
add_chunk(Pending *rows)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
	Chunk *last = rows->last;
	Chunk *chunk = palloc0(sizeof(Chunk));

	chunk->subid = GetCurrentSubTransactionId();
	chunk->capacity = last != NULL && last->subid == chunk->subid
						  ? Min(last->capacity * 2, LAST_CAPACITY)
						  : FIRST_CAPACITY;
	chunk->ids = palloc(sizeof(pg_uuid_t) * chunk->capacity);
	chunk->hashes = palloc(LS_HASH_SIZE * chunk->capacity);
	chunk->previous = last;
	if (last != NULL)
		last->next = chunk;
	else
		rows->first = chunk;
	rows->last = chunk;
	MemoryContextSwitchTo(caller);
	return chunk;
}

/* Remember a row. */
static void
remember(const pg_uuid_t *org, const pg_uuid_t *id, const uint8 *hash)
{
	Pending *rows = pending_for(org);
	Chunk *chunk = rows->last;

	if (chunk == NULL || chunk->n == chunk->capacity ||
		chunk->subid != GetCurrentSubTransactionId())
		chunk = add_chunk(rows);
	chunk->ids[chunk->n] = *id;
	memcpy(chunk->hashes[chunk->n], hash, LS_HASH_SIZE);
	chunk->n++;
}

PG_FUNCTION_INFO_V1(ls_compliance_audit_collect);

/* dnc_audit_collect(): AFTER INSERT statement trigger of dnc_audit_log. */
Datum
ls_compliance_audit_collect(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "dnc_audit_collect",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "dnc_audit_log");
	int attnums[LS_AUDIT_COLUMNS];
	LsTransition transition;
	LsHash hash;
	int i;

	for (i = 0; i < LS_AUDIT_COLUMNS; i++)
		attnums[i] = ls_trigger_attnum(trigdata->tg_relation, ls_audit_columns[i].name);
	ls_hash_open(&hash);
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		Datum values[LS_AUDIT_COLUMNS];
		bool nulls[LS_AUDIT_COLUMNS];
		uint8 row_hash[LS_HASH_SIZE];

		for (i = 0; i < LS_AUDIT_COLUMNS; i++)
		{
			values[i] = transition.new->tts_values[attnums[i] - 1];
			nulls[i] = transition.new->tts_isnull[attnums[i] - 1];
		}
		ls_audit_row_hash(&hash, values, nulls, row_hash);
		remember(DatumGetUUIDP(values[0]), DatumGetUUIDP(values[1]), row_hash);
	}
	ls_transition_close(&transition);
	ls_hash_close(&hash);
	return PointerGetDatum(NULL);
}

/* Keep others from adding to an organisation's chain until the commit. */
static void
lock_chain(const pg_uuid_t *org)
{
	LOCKTAG tag = ls_lock_tag_org(LS_LOCK_AUDIT_CHAIN, org);

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/*
 * Read the end of the chain, or begin a branch; false when the organisation is
 * gone.
 */
static bool
read_head(const pg_uuid_t *org, bool is_branch, Head *head)
{
	LS_QUERY(query,
		"SELECT h.sequence, h.audit_id, h.chain_hash FROM lead_system.organizations o"
		"  LEFT JOIN lead_system.dnc_audit_heads h ON h.organization_id = o.id AND h.branch = $2"
		" WHERE o.id = $1",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	bool isnull;
	bytea *chain_hash;

	memset(head, 0, sizeof(Head));
	if (is_branch)
		ls_uuid_v7(&head->branch);
	ls_audit_chain_begin(&head->branch, head->hash);
	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, &head->branch);
	if (ls_query_run_latest(&query, &args) == 0)
		return false;
	head->is_new = ls_result_isnull(0, 1);
	if (head->is_new)
		return true;
	head->sequence = ls_result_int64(0, 1);
	chain_hash = DatumGetByteaPP(ls_result(0, 3, &isnull));
	memcpy(head->hash, VARDATA_ANY(chain_hash), LS_HASH_SIZE);
	return true;
}

/* A hash as a bytea. */
static Datum
hash_datum(const uint8 *hash)
{
	bytea *result = palloc(VARHDRSZ + LS_HASH_SIZE);

	SET_VARSIZE(result, VARHDRSZ + LS_HASH_SIZE);
	memcpy(VARDATA(result), hash, LS_HASH_SIZE);
	return PointerGetDatum(result);
}

/* Write the links of a chunk, and move the end of the chain there. */
static void
write_links(LsHash *hash, Head *head, const pg_uuid_t *org, const Chunk *chunk)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.dnc_audit_chain"
		" (organization_id, branch, sequence, audit_id, row_hash, chain_hash)"
		" SELECT $1, $6, $2 + u.n, u.id, u.row_hash, u.chain_hash"
		"   FROM ROWS FROM (unnest($3), unnest($4), unnest($5))"
		"        WITH ORDINALITY u(id, row_hash, chain_hash, n)",
		UUIDOID, INT8OID, UUIDARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID, UUIDOID);
	Datum *row_hashes = palloc(sizeof(Datum) * chunk->n);
	Datum *chain_hashes = palloc(sizeof(Datum) * chunk->n);
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_int64(&args, head->sequence);
	for (i = 0; i < chunk->n; i++)
	{
		head->sequence++;
		ls_audit_chain_hash(
			hash, head->hash, org, head->sequence, &chunk->ids[i], chunk->hashes[i], head->hash);
		row_hashes[i] = hash_datum(chunk->hashes[i]);
		chain_hashes[i] = hash_datum(head->hash);
	}
	head->audit_id = chunk->ids[chunk->n - 1];
	ls_arg_datum(&args, ls_uuid_array(chunk->ids, chunk->n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(row_hashes, chunk->n, BYTEAOID, -1, false, TYPALIGN_INT)),
		false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(chain_hashes, chunk->n, BYTEAOID, -1, false, TYPALIGN_INT)),
		false);
	ls_arg_uuid(&args, &head->branch);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Write the end of the chain. */
static void
write_head(const pg_uuid_t *org, const Head *head)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.dnc_audit_heads"
		" (organization_id, sequence, audit_id, chain_hash, branch) VALUES ($1, $2, $3, $4, $5)",
		UUIDOID, INT8OID, UUIDOID, BYTEAOID, UUIDOID);
	LS_QUERY(update,
		"UPDATE lead_system.dnc_audit_heads SET sequence = $2, audit_id = $3, chain_hash = $4"
		" WHERE organization_id = $1 AND branch = $5",
		UUIDOID, INT8OID, UUIDOID, BYTEAOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_int64(&args, head->sequence);
	ls_arg_uuid(&args, &head->audit_id);
	ls_arg_datum(&args, hash_datum(head->hash), false);
	ls_arg_uuid(&args, &head->branch);
	(void) ls_query_write_latest(head->is_new ? &insert : &update, &args);
}

/* Chain what the transaction has written for one organisation. */
static void
chain_organization(const Pending *rows, bool is_branch)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "links of an audit", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	MemoryContext links;
	const pg_uuid_t *org = &rows->org;
	const Chunk *chunk;
	LsScope scope;
	LsHash hash;
	Head head;

	if (!is_branch)
		lock_chain(org);
	ls_scope_open(&scope, LS_AS_OWNER);
	/* An organisation that was deleted meanwhile took its audit with it. */
	if (read_head(org, is_branch, &head))
	{
		ls_hash_open(&hash);
		links = AllocSetContextCreate(context, "links of a chunk", ALLOCSET_DEFAULT_SIZES);
		for (chunk = rows->first; chunk != NULL; chunk = chunk->next)
		{
			/* SPI leaves its own context behind. */
			MemoryContextSwitchTo(links);
			write_links(&hash, &head, org, chunk);
			MemoryContextReset(links);
		}
		MemoryContextSwitchTo(context);
		write_head(org, &head);
		ls_hash_close(&hash);
	}
	ls_scope_close(&scope);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Compare by organisation, for qsort. */
static int
compare_pending(const void *a, const void *b)
{
	return memcmp((*(Pending *const *) a)->org.data, (*(Pending *const *) b)->org.data, UUID_LEN);
}

/* Chain all that the transaction has written. */
static void
chain_rows(bool is_branch)
{
	Pending **all = palloc(sizeof(Pending *) * hash_get_num_entries(pending));
	HASH_SEQ_STATUS scan;
	Pending *rows;
	int n = 0;
	int i;

	hash_seq_init(&scan, pending);
	while ((rows = hash_seq_search(&scan)) != NULL)
	{
		/* All of it may have been rolled back. */
		if (rows->first != NULL)
			all[n++] = rows;
	}
	qsort(all, n, sizeof(Pending *), compare_pending);

	PushActiveSnapshot(GetTransactionSnapshot());
	for (i = 0; i < n; i++)
		chain_organization(all[i], is_branch);
	PopActiveSnapshot();
	pfree(all);
}

/* The transaction is about to end, or has ended. */
static void
audit_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (pending != NULL)
				chain_rows(event == XACT_EVENT_PRE_PREPARE);
			pending = NULL;
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			pending = NULL;
			break;
		default:
			break;
	}
}

/*
 * A subtransaction was rolled back: forget what it has written, and what those
 * inside it have.  Their numbers are higher, and they come last.
 */
static void
audit_subxact_callback(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	HASH_SEQ_STATUS scan;
	Pending *rows;

	if (event != SUBXACT_EVENT_ABORT_SUB || pending == NULL)
		return;
	hash_seq_init(&scan, pending);
	while ((rows = hash_seq_search(&scan)) != NULL)
	{
		while (rows->last != NULL && rows->last->subid >= sub)
			rows->last = rows->last->previous;
		if (rows->last != NULL)
			rows->last->next = NULL;
		else
			rows->first = NULL;
	}
}

void
ls_audit_init(void)
{
	RegisterXactCallback(audit_xact_callback, NULL);
	RegisterSubXactCallback(audit_subxact_callback, NULL);
}
