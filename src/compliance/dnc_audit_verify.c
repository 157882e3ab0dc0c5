/*-------------------------------------------------------------------------
 *
 * dnc_audit_verify.c
 *	  Is the audit of the do-not-call list whole?
 *
 *	  The chain is walked from its beginning, each link computed anew from the
 *	  audit row as it stands now; so are the branches that prepared
 *	  transactions have written.  All is read with the one snapshot of the
 *	  calling statement; links are committed together with their rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "compliance/dnc_audit.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"

#define PAGE_ROWS 5000

/* Columns of the query before those of the audit row. */
#define LINK_COLUMNS 6

/* The end of a branch, as it was written. */
typedef struct End
{
	pg_uuid_t branch;
	int64 sequence; /* 0 when the hash is none */
	pg_uuid_t audit_id;
	uint8 hash[LS_HASH_SIZE];
	bool reached;
} End;

/* How far the walk has come. */
typedef struct Walk
{
	pg_uuid_t org;
	pg_uuid_t branch;
	int64 sequence; /* 0 before the first link of a branch */
	uint8 hash[LS_HASH_SIZE];
	pg_uuid_t audit_id; /* of the last link; if broken, of the one that is wrong */
	End *ends;          /* as they were written, by branch */
	int n_ends;
	bool broken;
} Walk;

/* A hash in a result; NULL when it has not the length of one. */
static const uint8 *
result_hash(uint64 row, int column)
{
	bool isnull;
	bytea *value = DatumGetByteaPP(ls_result(row, column, &isnull));

	return VARSIZE_ANY_EXHDR(value) == LS_HASH_SIZE ? (const uint8 *) VARDATA_ANY(value) : NULL;
}

/* Read the ends of the chains. */
static void
read_ends(Walk *walk)
{
	LS_QUERY(query,
		"SELECT branch, sequence, audit_id, chain_hash FROM lead_system.dnc_audit_heads"
		" WHERE organization_id = $1 ORDER BY branch",
		UUIDOID);
	LsArgs args = {0};
	LsScope scope;
	int i;

	ls_arg_uuid(&args, &walk->org);
	ls_scope_open(&scope, LS_AS_OWNER);
	walk->n_ends = (int) ls_query_run(&query, &args, LS_READ);
	walk->ends = SPI_palloc(sizeof(End) * (walk->n_ends + 1));
	for (i = 0; i < walk->n_ends; i++)
	{
		const uint8 *hash = result_hash(i, 4);
		End *end = &walk->ends[i];

		end->branch = ls_result_uuid(i, 1);
		end->sequence = hash != NULL ? ls_result_int64(i, 2) : 0;
		end->audit_id = ls_result_uuid(i, 3);
		if (hash != NULL)
			memcpy(end->hash, hash, LS_HASH_SIZE);
		end->reached = false;
	}
	ls_scope_close(&scope);
}

/* Compare the ends of branches, for bsearch. */
static int
compare_ends(const void *a, const void *b)
{
	return memcmp(((const End *) a)->branch.data, ((const End *) b)->branch.data, UUID_LEN);
}

/* Does the branch end where it should?  If not, links were cut off. */
static bool
end_holds(Walk *walk)
{
	End key = {.branch = walk->branch};
	End *end = bsearch(&key, walk->ends, walk->n_ends, sizeof(End), compare_ends);

	if (end == NULL)
		return false;
	end->reached = true;
	if (end->sequence == walk->sequence && memcmp(end->hash, walk->hash, LS_HASH_SIZE) == 0)
		return true;
	walk->audit_id = end->audit_id;
	return false;
}

/* Have all links of a branch been cut off? */
static bool
branch_is_missing(Walk *walk)
{
	int i;

	for (i = 0; i < walk->n_ends; i++)
	{
		if (!walk->ends[i].reached)
		{
			walk->audit_id = walk->ends[i].audit_id;
			return true;
		}
	}
	return false;
}

/*
 * Come to the branch of a link, or to the end (NULL); false when the one before
 * does not end where it should.
 */
static bool
enter_branch(Walk *walk, const pg_uuid_t *branch)
{
	if (walk->sequence > 0 && branch != NULL && ls_uuid_equal(branch, &walk->branch))
		return true;
	if (walk->sequence > 0 && !end_holds(walk))
		return false;
	walk->sequence = 0;
	if (branch != NULL)
	{
		walk->branch = *branch;
		ls_audit_chain_begin(branch, walk->hash);
	}
	return true;
}

/* Is a link what it must be? */
static bool
link_holds(Walk *walk, LsHash *hash, uint64 row)
{
	const uint8 *row_hash = result_hash(row, 3);
	const uint8 *chain_hash = result_hash(row, 4);
	Datum values[LS_AUDIT_COLUMNS];
	bool nulls[LS_AUDIT_COLUMNS];
	uint8 computed[LS_HASH_SIZE];
	pg_uuid_t branch = ls_result_uuid(row, 5);
	int i;

	if (!enter_branch(walk, &branch))
		return false;
	walk->audit_id = ls_result_uuid(row, 2);
	if (ls_result_int64(row, 1) != walk->sequence + 1 || row_hash == NULL || chain_hash == NULL)
		return false;
	/* The row was removed. */
	if (ls_result_isnull(row, LINK_COLUMNS + 1))
		return false;
	for (i = 0; i < LS_AUDIT_COLUMNS; i++)
		values[i] = ls_result(row, LINK_COLUMNS + 1 + i, &nulls[i]);
	ls_audit_row_hash(hash, values, nulls, computed);
	if (memcmp(computed, row_hash, LS_HASH_SIZE) != 0)
		return false;
	walk->sequence++;
	ls_audit_chain_hash(
		hash, walk->hash, &walk->org, walk->sequence, &walk->audit_id, row_hash, walk->hash);
	return memcmp(walk->hash, chain_hash, LS_HASH_SIZE) == 0;
}

/*
 * Is a row that has no link out of place?  The current transaction's own rows
 * get theirs when it commits.
 */
static bool
was_inserted(Walk *walk, uint64 row)
{
	bool isnull;
	TransactionId xmin = DatumGetTransactionId(ls_result(row, LINK_COLUMNS, &isnull));

	walk->audit_id = ls_result_uuid(row, LINK_COLUMNS + 2);
	return !TransactionIdIsCurrentTransactionId(xmin);
}

/*
 * Walk over the chain, and after it over the rows that have no link.
 *
 * A full join, since that is always done by sorting or hashing: no index leads
 * from a row to its link, and statistics that are behind would have the server
 * read one table anew for each row of the other.
 */
static void
walk_chain(Walk *walk, LsHash *hash)
{
	LS_QUERY(query,
		"SELECT c.sequence, c.audit_id, c.row_hash, c.chain_hash, c.branch, a.xmin, " LS_AUDIT_COLUMN_NAMES
		"  FROM (SELECT branch, sequence, audit_id, row_hash, chain_hash FROM lead_system.dnc_audit_chain"
		"         WHERE organization_id = $1) c"
		"  FULL JOIN (SELECT l.*, l.xmin FROM lead_system.dnc_audit_log l"
		"              WHERE l.organization_id = $1) a ON a.id = c.audit_id"
		" ORDER BY c.branch NULLS LAST, c.sequence, a.created_at, a.id",
		UUIDOID);
	LsArgs args = {0};
	LsScope scope;
	Portal portal;

	ls_arg_uuid(&args, &walk->org);
	ls_scope_open(&scope, LS_AS_OWNER);
	portal = ls_query_open(&query, &args, LS_READ);
	do
	{
		uint64 row;

		SPI_cursor_fetch(portal, true, PAGE_ROWS);
		for (row = 0; row < SPI_processed && !walk->broken; row++)
			walk->broken =
				ls_result_isnull(row, 1) ? was_inserted(walk, row) : !link_holds(walk, hash, row);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0 && !walk->broken);
	SPI_cursor_close(portal);
	if (!walk->broken)
		walk->broken = !enter_branch(walk, NULL) || branch_is_missing(walk);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_compliance_verify_audit);

/* verify_dnc_audit() */
Datum
ls_compliance_verify_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Walk walk = {0};
	LsHash hash;
	Datum values[2];
	bool nulls[2];

	ls_require_org(&walk.org);
	InitMaterializedSRF(fcinfo, 0);
	ls_hash_open(&hash);
	read_ends(&walk);
	walk_chain(&walk, &hash);
	ls_hash_close(&hash);

	values[0] = BoolGetDatum(!walk.broken);
	nulls[0] = false;
	values[1] = UUIDPGetDatum(&walk.audit_id);
	nulls[1] = !walk.broken;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_compliance_audit_head);

/* dnc_audit_head() */
Datum
ls_compliance_audit_head(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT b.branch, coalesce(h.sequence, 0), encode(h.chain_hash, 'hex')"
		"  FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid"
		"        UNION SELECT branch FROM lead_system.dnc_audit_heads WHERE organization_id = $1) b(branch)"
		"  LEFT JOIN lead_system.dnc_audit_heads h ON h.organization_id = $1 AND h.branch = b.branch"
		" ORDER BY b.branch",
		UUIDOID);
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, 0);
	ls_arg_uuid(&args, &org);
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
