/*-------------------------------------------------------------------------
 *
 * uuid.h
 *	  Identifiers: time-ordered generation and small helpers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_UUID_H
#define LS_CORE_UUID_H

#include "utils/uuid.h"

extern void ls_uuid_v7(pg_uuid_t *result);
extern char *ls_uuid_text(const pg_uuid_t *uuid);
extern bool ls_uuid_parse(const char *text, pg_uuid_t *result);

static inline bool
ls_uuid_equal(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN) == 0;
}

#endif /* LS_CORE_UUID_H */
