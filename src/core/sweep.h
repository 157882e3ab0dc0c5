/*-------------------------------------------------------------------------
 *
 * sweep.h
 *	  What functions that a scheduler calls have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_SWEEP_H
#define LS_CORE_SWEEP_H

#include "core/query.h"

/* Works on up to "limit" rows of an organisation; returns how many were done. */
typedef int64 (*LsSweep)(const pg_uuid_t *org, int limit);

extern pg_uuid_t *ls_sweep_organizations(LsQuery *query, int *n);
extern int64 ls_sweep(LsQuery *organizations, LsSweep sweep, int64 batch, int max_batch);

#endif /* LS_CORE_SWEEP_H */
