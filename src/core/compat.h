/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The only place that knows server versions.
 *
 *	  Wrappers carry the name of the newest server API; older servers get a
 *	  replacement here.  Supported are PostgreSQL 15 to 18.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_COMPAT_H
#define LS_CORE_COMPAT_H

#include "access/genam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "lead_system supports PostgreSQL 15 to 18"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * 17 has RestrictSearchPath(); before, the same set_config_option() call was
 * spelled out by every maintenance command (commit 2af07e2f7).
 */
#if PG_VERSION_NUM < 170000
static inline void
RestrictSearchPath(void)
{
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
		GUC_ACTION_SAVE, true, 0, false);
}
#endif

/* 16 replaced the per-class functions by object_aclcheck() (commit afbfc0298). */
#if PG_VERSION_NUM < 160000
static inline AclResult
object_aclcheck(Oid classid, Oid objectid, Oid roleid, AclMode mode)
{
	Assert(classid == ProcedureRelationId);
	(void) classid;
	return pg_proc_aclcheck(objectid, roleid, mode);
}
#endif

/* 16 keeps what a check hook returns in a memory context (commit 407b50f2d). */
#if PG_VERSION_NUM < 160000
#define guc_malloc(elevel, size) malloc(size)
#endif

/* 16 added an argument for details of the error (commit e39f99046). */
static inline int
ls_decode_datetime(
	char **field, int *ftype, int nf, int *dtype, struct pg_tm *tm, fsec_t *fsec, int *tz)
{
#if PG_VERSION_NUM >= 160000
	DateTimeErrorExtra extra;

	return DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz, &extra);
#else
	return DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz);
#endif
}

/* 17 dropped old_snapshot_threshold (commit f691f5b80). */
#if PG_VERSION_NUM >= 170000
#define ls_snapshots_expire() false
#else
#define ls_snapshots_expire() (old_snapshot_threshold >= 0)
#endif

/* 18 takes an instrumentation argument (commit 0fbceae84). */
#if PG_VERSION_NUM >= 180000
#define ls_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define ls_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* 18 has no execute_once any more (commit 3eea7a0c9). */
#if PG_VERSION_NUM >= 180000
#define LS_EXECUTOR_RUN_PARAMS QueryDesc *query, ScanDirection direction, uint64 count
#define LS_EXECUTOR_RUN_ARGS query, direction, count
#else
#define LS_EXECUTOR_RUN_PARAMS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define LS_EXECUTOR_RUN_ARGS query, direction, count, once
#endif

/* 18 has constraints that are not enforced (commit ca87c415e). */
#if PG_VERSION_NUM >= 180000
#define ls_check_is_enforced(check) ((check)->ccenforced)
#else
#define ls_check_is_enforced(check) true
#endif

/* 18 has pg_noreturn, which stands first (commit 28f04984f). */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 18 lets a module say its name and version (commit 9324c8c58). */
#if PG_VERSION_NUM >= 180000
#define LS_MODULE_MAGIC(modname, modversion) \
	PG_MODULE_MAGIC_EXT(.name = (modname), .version = (modversion))
#else
#define LS_MODULE_MAGIC(modname, modversion) PG_MODULE_MAGIC
#endif

#endif /* LS_CORE_COMPAT_H */
