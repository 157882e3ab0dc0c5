/*-------------------------------------------------------------------------
 *
 * dnc_audit.h
 *	  The hash chain over dnc_audit_log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_DNC_AUDIT_H
#define LS_DNC_AUDIT_H

#include "utils/uuid.h"

#include "core/hash.h"

/* A column of dnc_audit_log that is hashed. */
typedef struct LsAuditColumn
{
	const char *name;
	Oid type;
} LsAuditColumn;

#define LS_AUDIT_COLUMNS 10
#define LS_AUDIT_COLUMN_NAMES \
	"a.organization_id, a.id, a.action, a.phone_number, a.reason, a.source, a.expires_at," \
	" a.user_id, a.consent_id, a.created_at"

extern const LsAuditColumn ls_audit_columns[LS_AUDIT_COLUMNS];

extern void ls_audit_row_hash(LsHash *hash, const Datum *values, const bool *nulls, uint8 *result);
extern void ls_audit_chain_begin(const pg_uuid_t *branch, uint8 *result);
extern void ls_audit_chain_hash(LsHash *hash, const uint8 *previous, const pg_uuid_t *org,
	int64 sequence, const pg_uuid_t *audit_id, const uint8 *row_hash, uint8 *result);
extern void ls_audit_init(void);

#endif /* LS_DNC_AUDIT_H */
