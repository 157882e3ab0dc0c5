/*-------------------------------------------------------------------------
 *
 * query.c
 *	  The SPI helper: scopes, kept plans, typed arguments and results.
 *
 *	  Becoming the owner follows what the server's own foreign-key triggers do
 *	  (SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS), so no function of
 *	  the extension has to be SECURITY DEFINER.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/query.h"

/*
 * The OID of a table, view or index of ours.
 *
 * There is no OID cache: the two look-ups hit the syscache and cost less than
 * keeping a copy right would.
 */
Oid
ls_relation_oid(const char *relname, bool missing_ok)
{
	Oid namespace_oid = get_namespace_oid(LS_SCHEMA, true);
	Oid relid = InvalidOid;

	if (OidIsValid(namespace_oid))
		relid = get_relname_relid(relname, namespace_oid);
	if (!OidIsValid(relid) && !missing_ok)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						   errmsg("relation \"%s.%s\" does not exist", LS_SCHEMA, relname),
						   errhint("CALL %s.install() creates what is missing.", LS_SCHEMA)));
	return relid;
}

/*
 * The owner of our tables.  All of them belong to one role; organizations is
 * the one that everything else hangs from.
 */
Oid
ls_owner(void)
{
	HeapTuple tuple;
	Oid owner;
	Oid relid = ls_relation_oid("organizations", false);

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Common part of opening a scope. */
static void
scope_enter(LsScope *scope, LsRunAs run_as)
{
	scope->guc_nest_level = NewGUCNestLevel();
	RestrictSearchPath();
	GetUserIdAndSecContext(&scope->saved_user, &scope->saved_security);
	if (run_as == LS_AS_OWNER)
		SetUserIdAndSecContext(ls_owner(),
			scope->saved_security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

/*
 * Start running queries.  Every ls_scope_open() is paired with an
 * ls_scope_close() in the same function.
 */
void
ls_scope_open(LsScope *scope, LsRunAs run_as)
{
	scope->nonatomic = false;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	scope_enter(scope, run_as);
}

/*
 * The same for a procedure that commits between batches.  Close the scope
 * before SPI_commit() and enter it again afterwards with this function; the
 * SPI connection itself lives on until the procedure ends.
 */
void
ls_scope_open_nonatomic(LsScope *scope, LsRunAs run_as)
{
	scope->nonatomic = true;
	scope_enter(scope, run_as);
}

/* End a scope: give back user and search path, and SPI unless nonatomic. */
void
ls_scope_close(LsScope *scope)
{
	SetUserIdAndSecContext(scope->saved_user, scope->saved_security);
	AtEOXact_GUC(false, scope->guc_nest_level);
	if (!scope->nonatomic && SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/*
 * Prepare a query's plan and keep it; kept only once SPI_keepplan succeeded.
 *
 * Planned for any parameters, unless it takes an array of any length.  A plan for a particular organisation would be
 * made on what the statistics know of it, which is nothing while it is new: an
 * estimate of one row, for which every index is as good as the right one.
 */
static SPIPlanPtr
query_plan(LsQuery *query)
{
	SPIPlanPtr plan;

	if (query->plan != NULL)
		return query->plan;
	plan = SPI_prepare_cursor(query->sql, query->nargs, (Oid *) query->argtypes,
		query->custom_plan ? CURSOR_OPT_CUSTOM_PLAN : CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed for \"%s\": %s", query->sql,
			SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed for \"%s\"", query->sql);
	query->plan = plan;
	return plan;
}

/* Run a query; returns the number of rows processed. */
uint64
ls_query_run(LsQuery *query, const LsArgs *args, LsRunMode mode)
{
	return ls_query_run_limit(query, args, mode, 0);
}

/* Run a query for at most "limit" rows (0: all). */
uint64
ls_query_run_limit(LsQuery *query, const LsArgs *args, LsRunMode mode, uint64 limit)
{
	int rc;

	Assert((args ? args->n : 0) == query->nargs);
	rc = SPI_execute_plan(query_plan(query), args ? (Datum *) args->values : NULL,
		args ? args->nulls : NULL, mode == LS_READ, (long) limit);
	if (rc < 0)
		elog(ERROR, "query \"%s\" failed: %s", query->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * Read with a snapshot taken now, for filling a cache.
 *
 * In REPEATABLE READ the transaction's snapshot can be older than the last
 * invalidation message; a cache filled from it would stay stale for good.
 * In a parallel worker no new snapshot can be taken, so the active one serves.
 * Rows that the current command has written count, too.
 */
uint64
ls_query_run_latest(LsQuery *query, const LsArgs *args)
{
	Snapshot snapshot;
	int rc;

	Assert((args ? args->n : 0) == query->nargs);
	if (IsInParallelMode())
		return ls_query_run(query, args, LS_READ);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	snapshot->curcid = GetCurrentCommandId(false) + 1;
	rc = SPI_execute_snapshot(query_plan(query), args ? (Datum *) args->values : NULL,
		args ? args->nulls : NULL, snapshot, InvalidSnapshot, true, false, 0);
	UnregisterSnapshot(snapshot);
	if (rc < 0)
		elog(ERROR, "query \"%s\" failed: %s", query->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * Write on top of what is committed now, in REPEATABLE READ, too.  For a row of
 * ours that nobody else can be writing, since the caller holds a lock that
 * every writer takes.
 */
uint64
ls_query_write_latest(LsQuery *query, const LsArgs *args)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	int rc;

	Assert((args ? args->n : 0) == query->nargs);
	rc = SPI_execute_snapshot(query_plan(query), args ? (Datum *) args->values : NULL,
		args ? args->nulls : NULL, snapshot, InvalidSnapshot, false, true, 0);
	UnregisterSnapshot(snapshot);
	if (rc < 0)
		elog(ERROR, "query \"%s\" failed: %s", query->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * Run a text that was built for one run, planned for its parameters.  Nothing in
 * it comes from a caller but through the parameters.  Reading sees the caller's
 * snapshot; writing goes on top of what is committed now, in REPEATABLE READ,
 * too, as ls_query_write_latest() does.
 */
uint64
ls_query_run_built(const char *sql, int nargs, Oid *argtypes, Datum *values, LsRunMode mode)
{
	SPIPlanPtr plan =
		SPI_prepare_cursor(sql, nargs, argtypes, CURSOR_OPT_CUSTOM_PLAN | CURSOR_OPT_PARALLEL_OK);
	Snapshot snapshot;
	int rc;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed for \"%s\": %s", sql,
			SPI_result_code_string(SPI_result));
	if (mode == LS_READ)
		rc = SPI_execute_plan(plan, values, NULL, true, 0);
	else
	{
		snapshot = RegisterSnapshot(GetLatestSnapshot());
		rc = SPI_execute_snapshot(plan, values, NULL, snapshot, InvalidSnapshot, false, true, 0);
		UnregisterSnapshot(snapshot);
	}
	if (rc < 0)
		elog(ERROR, "query \"%s\" failed: %s", sql, SPI_result_code_string(rc));
	return SPI_processed;
}

/* Start reading a result piece by piece, with SPI_cursor_fetch() and the getters. */
Portal
ls_query_open(LsQuery *query, const LsArgs *args, LsRunMode mode)
{
	Portal portal;

	Assert((args ? args->n : 0) == query->nargs);
	portal = SPI_cursor_open(NULL, query_plan(query), args ? (Datum *) args->values : NULL,
		args ? args->nulls : NULL, mode == LS_READ);
	if (portal == NULL)
		elog(ERROR, "query \"%s\" failed: %s", query->sql, SPI_result_code_string(SPI_result));
	return portal;
}

/* Append an argument; a reference must stay valid until the query has run. */
void
ls_arg_datum(LsArgs *args, Datum value, bool isnull)
{
	Assert(args->n < LS_MAX_ARGS);
	args->values[args->n] = value;
	args->nulls[args->n] = isnull ? 'n' : ' ';
	args->n++;
}

/* NULL pointers become SQL NULLs. */
void
ls_arg_uuid(LsArgs *args, const pg_uuid_t *value)
{
	ls_arg_datum(args, UUIDPGetDatum(value), value == NULL);
}

void
ls_arg_text(LsArgs *args, const char *value)
{
	ls_arg_datum(args, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
ls_arg_int32(LsArgs *args, int32 value)
{
	ls_arg_datum(args, Int32GetDatum(value), false);
}

void
ls_arg_int64(LsArgs *args, int64 value)
{
	ls_arg_datum(args, Int64GetDatum(value), false);
}

void
ls_arg_bool(LsArgs *args, bool value)
{
	ls_arg_datum(args, BoolGetDatum(value), false);
}

void
ls_arg_timestamptz(LsArgs *args, TimestampTz value)
{
	ls_arg_datum(args, TimestampTzGetDatum(value), false);
}

/*
 * One value of the last result, not copied: valid until the scope is closed
 * or the next query runs.  Rows count from 0, columns from 1.  A row that is
 * missing, since somebody has removed it meanwhile, must not end the server.
 */
Datum
ls_result(uint64 row, int column, bool *isnull)
{
	if (SPI_tuptable == NULL || row >= SPI_tuptable->numvals)
		elog(ERROR, "query returned no row " UINT64_FORMAT, row + 1);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

bool
ls_result_isnull(uint64 row, int column)
{
	bool isnull;

	(void) ls_result(row, column, &isnull);
	return isnull;
}

/* Same as ls_result for a column that the query never returns as NULL. */
static Datum
result_not_null(uint64 row, int column)
{
	bool isnull;
	Datum value = ls_result(row, column, &isnull);

	if (isnull)
		elog(ERROR, "unexpected null in column %d", column);
	return value;
}

pg_uuid_t
ls_result_uuid(uint64 row, int column)
{
	return *DatumGetUUIDP(result_not_null(row, column));
}

/* A text column as a C string in the caller's context; NULL for NULL. */
char *
ls_result_text(uint64 row, int column)
{
	bool isnull;
	Datum value = ls_result(row, column, &isnull);
	char *string;
	char *copy;

	if (isnull)
		return NULL;
	string = TextDatumGetCString(value);
	copy = SPI_palloc(strlen(string) + 1);
	strcpy(copy, string);
	pfree(string);
	return copy;
}

int32
ls_result_int32(uint64 row, int column)
{
	return DatumGetInt32(result_not_null(row, column));
}

int64
ls_result_int64(uint64 row, int column)
{
	return DatumGetInt64(result_not_null(row, column));
}

bool
ls_result_bool(uint64 row, int column)
{
	return DatumGetBool(result_not_null(row, column));
}

TimestampTz
ls_result_timestamptz(uint64 row, int column)
{
	return DatumGetTimestampTz(result_not_null(row, column));
}

/*
 * Append the last result, whose columns are those that the set-returning
 * function declares, to the function's tuplestore (InitMaterializedSRF has
 * been called).
 */
void
ls_result_to_srf(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	uint64 row;

	for (row = 0; row < SPI_processed; row++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[row]);
}

/* Build a uuid[] for a set-wise statement. */
Datum
ls_uuid_array(const pg_uuid_t *ids, int n)
{
	Datum *elements = palloc(sizeof(Datum) * Max(n, 1));
	int i;

	for (i = 0; i < n; i++)
		elements[i] = UUIDPGetDatum(&ids[i]);
	return PointerGetDatum(construct_array(elements, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}
