/*-------------------------------------------------------------------------
 *
 * dnc_audit_verify.c
 *	  Is the audit of the do-not-call list whole?
 *
 *	  The chain is walked from its beginning, each link computed anew from the
 *	  audit row as it stands now.  All is read with the one snapshot of the
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
#define LINK_COLUMNS 5

/* How far the walk has come. */
typedef struct Walk
{
	pg_uuid_t org;
	int64 sequence;
	uint8 hash[LS_HASH_SIZE];
	pg_uuid_t audit_id; /* of the last link; if broken, of the one that is wrong */
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

/* Is a link what it must be? */
static bool
link_holds(Walk *walk, LsHash *hash, uint64 row)
{
	const uint8 *row_hash = result_hash(row, 3);
	const uint8 *chain_hash = result_hash(row, 4);
	Datum values[LS_AUDIT_COLUMNS];
	bool nulls[LS_AUDIT_COLUMNS];
	uint8 computed[LS_HASH_SIZE];
	int i;

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
		"SELECT c.sequence, c.audit_id, c.row_hash, c.chain_hash, a.xmin, " LS_AUDIT_COLUMN_NAMES
		"  FROM (SELECT sequence, audit_id, row_hash, chain_hash FROM lead_system.dnc_audit_chain"
		"         WHERE organization_id = $1) c"
		"  FULL JOIN (SELECT l.*, l.xmin FROM lead_system.dnc_audit_log l"
		"              WHERE l.organization_id = $1) a ON a.id = c.audit_id"
		" ORDER BY c.sequence NULLS LAST, a.created_at, a.id",
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
	ls_scope_close(&scope);
}

/* The end of the chain as it was written; sequence 0 when there is none. */
static uint64
read_head(const pg_uuid_t *org, LsScope *scope)
{
	LS_QUERY(query,
		"SELECT sequence, audit_id, chain_hash FROM lead_system.dnc_audit_heads"
		" WHERE organization_id = $1",
		UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_scope_open(scope, LS_AS_OWNER);
	return ls_query_run(&query, &args, LS_READ);
}

/* Does the chain end where it should?  If not, links were cut off. */
static bool
end_is_missing(Walk *walk)
{
	LsScope scope;
	bool found = read_head(&walk->org, &scope) > 0;
	bool missing;

	if (found)
	{
		const uint8 *hash = result_hash(0, 3);

		missing = ls_result_int64(0, 1) != walk->sequence || hash == NULL ||
				  memcmp(hash, walk->hash, LS_HASH_SIZE) != 0;
		if (missing)
			walk->audit_id = ls_result_uuid(0, 2);
	}
	else
		missing = walk->sequence > 0;
	ls_scope_close(&scope);
	return missing;
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
	walk_chain(&walk, &hash);
	ls_hash_close(&hash);
	if (!walk.broken)
		walk.broken = end_is_missing(&walk);

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
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	pg_uuid_t org;
	LsScope scope;
	Datum values[2] = {Int64GetDatum(0), (Datum) 0};
	bool nulls[2] = {false, true};

	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, 0);
	if (read_head(&org, &scope) > 0)
	{
		const uint8 *hash = result_hash(0, 3);
		char hex[LS_HASH_SIZE * 2 + 1] = "";

		if (hash != NULL)
			hex[hex_encode((const char *) hash, LS_HASH_SIZE, hex)] = '\0';
		values[0] = Int64GetDatum(ls_result_int64(0, 1));
		values[1] = CStringGetTextDatum(hex);
		nulls[1] = false;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	else
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	ls_scope_close(&scope);
	return (Datum) 0;
}
