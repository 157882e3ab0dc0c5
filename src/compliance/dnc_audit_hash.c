/*-------------------------------------------------------------------------
 *
 * dnc_audit_hash.c
 *	  What is hashed of a row of dnc_audit_log, and of a link of its chain.
 *
 *	  The bytes depend on nothing but the values: no setting of the session, no
 *	  encoding of the database, no order of the columns.  A null is left out, so
 *	  that a column that a later version adds leaves old hashes as they are.
 *	  docs/dnc-audit.md describes the form; it is not changed any more, since
 *	  every hash that somebody has noted depends on it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/dnc_audit.h"

/* In the order of LS_AUDIT_COLUMN_NAMES. */
const LsAuditColumn ls_audit_columns[LS_AUDIT_COLUMNS] = {{"organization_id", UUIDOID},
	{"id", UUIDOID}, {"action", TEXTOID}, {"phone_number", TEXTOID}, {"reason", TEXTOID},
	{"source", TEXTOID}, {"expires_at", TIMESTAMPTZOID}, {"user_id", UUIDOID},
	{"consent_id", UUIDOID}, {"created_at", TIMESTAMPTZOID}};

/* Add a text, in UTF-8 whatever the database's encoding. */
static void
hash_text(LsHash *hash, const char *name, Datum value)
{
	text *source = DatumGetTextPP(value);
	char *utf8 = pg_server_to_any(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source), PG_UTF8);
	size_t len = (utf8 == VARDATA_ANY(source)) ? VARSIZE_ANY_EXHDR(source) : strlen(utf8);

	ls_hash_field(hash, name, utf8, len);
	if (utf8 != VARDATA_ANY(source))
		pfree(utf8);
	if ((Pointer) source != DatumGetPointer(value))
		pfree(source);
}

/* Add a column's value. */
static void
hash_value(LsHash *hash, const LsAuditColumn *column, Datum value)
{
	switch (column->type)
	{
		case UUIDOID:
			ls_hash_field(hash, column->name, DatumGetUUIDP(value)->data, UUID_LEN);
			break;
		case TEXTOID:
			hash_text(hash, column->name, value);
			break;
		case TIMESTAMPTZOID:
		{
			uint64 bytes = pg_hton64((uint64) DatumGetTimestampTz(value));

			ls_hash_field(hash, column->name, &bytes, sizeof(bytes));
			break;
		}
		default:
			elog(ERROR, "unexpected type %u in the audit", column->type);
	}
}

/* The hash of a row. */
void
ls_audit_row_hash(LsHash *hash, const Datum *values, const bool *nulls, uint8 *result)
{
	int i;

	ls_hash_begin(hash);
	for (i = 0; i < LS_AUDIT_COLUMNS; i++)
	{
		if (!nulls[i])
			hash_value(hash, &ls_audit_columns[i], values[i]);
	}
	ls_hash_end(hash, result);
}

/* What stands for the link before the first one: the branch, and zeros. */
void
ls_audit_chain_begin(const pg_uuid_t *branch, uint8 *result)
{
	memset(result, 0, LS_HASH_SIZE);
	memcpy(result, branch->data, UUID_LEN);
}

/* The hash of a link: of the one before, its place, and its row. */
void
ls_audit_chain_hash(LsHash *hash, const uint8 *previous, const pg_uuid_t *org, int64 sequence,
	const pg_uuid_t *audit_id, const uint8 *row_hash, uint8 *result)
{
	ls_hash_begin(hash);
	ls_hash_bytes(hash, previous, LS_HASH_SIZE);
	ls_hash_bytes(hash, org->data, UUID_LEN);
	ls_hash_number(hash, (uint64) sequence);
	ls_hash_bytes(hash, audit_id->data, UUID_LEN);
	ls_hash_bytes(hash, row_hash, LS_HASH_SIZE);
	ls_hash_end(hash, result);
}
