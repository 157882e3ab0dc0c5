/*-------------------------------------------------------------------------
 *
 * query.h
 *	  The only way in which C code runs SQL.
 *
 *	  A query is a static LsQuery (text with schema-qualified names, argument
 *	  types).  Between ls_scope_open() and ls_scope_close() it runs under a
 *	  restricted search path, as the caller or as the owner of the tables; its
 *	  plan is prepared once per backend and kept.  Arguments are collected in
 *	  an LsArgs, results are read with typed getters, which copy into the
 *	  memory context that was current when the scope was opened.
 *
 *	  An error inside a scope needs no cleaning up: transaction abort restores
 *	  the user, the search path and SPI.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_QUERY_H
#define LS_CORE_QUERY_H

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/uuid.h"

#define LS_MAX_ARGS 24

typedef struct LsQuery
{
	const char *sql;
	int nargs;
	const Oid *argtypes;
	SPIPlanPtr plan;  /* kept; NULL until the first use */
	bool custom_plan; /* planned anew for the parameters of each run */
} LsQuery;

/* Declares a static query; the types of its parameters follow the text. */
#define LS_QUERY(var, text, ...) \
	static const Oid var##_argtypes[] = {__VA_ARGS__}; \
	static LsQuery var = {text, lengthof(var##_argtypes), var##_argtypes, NULL, false}

/*
 * The same for a query that takes an array of any length: planned for the array
 * that it gets, so that the array is hashed where no index is probed.
 */
#define LS_QUERY_ARRAY(var, text, ...) \
	static const Oid var##_argtypes[] = {__VA_ARGS__}; \
	static LsQuery var = {text, lengthof(var##_argtypes), var##_argtypes, NULL, true}

/* The same for a query without parameters. */
#define LS_QUERY0(var, text) static LsQuery var = {text, 0, NULL, NULL, false}

typedef struct LsArgs
{
	int n;
	Datum values[LS_MAX_ARGS];
	char nulls[LS_MAX_ARGS];
} LsArgs;

/* Whose privileges and policies a scope's statements run under. */
typedef enum LsRunAs
{
	LS_AS_CALLER,
	LS_AS_OWNER
} LsRunAs;

/* Reading sees the caller's snapshot; writing sees all that was done before. */
typedef enum LsRunMode
{
	LS_READ,
	LS_WRITE
} LsRunMode;

typedef struct LsScope
{
	int guc_nest_level;
	Oid saved_user;
	int saved_security;
	bool nonatomic;
} LsScope;

extern void ls_scope_open(LsScope *scope, LsRunAs run_as);
extern void ls_scope_open_nonatomic(LsScope *scope, LsRunAs run_as);
extern void ls_scope_close(LsScope *scope);

extern uint64 ls_query_run(LsQuery *query, const LsArgs *args, LsRunMode mode);
extern uint64 ls_query_run_limit(LsQuery *query, const LsArgs *args, LsRunMode mode, uint64 limit);
extern uint64 ls_query_run_latest(LsQuery *query, const LsArgs *args);
extern Portal ls_query_open(LsQuery *query, const LsArgs *args, LsRunMode mode);
extern uint64 ls_query_write_latest(LsQuery *query, const LsArgs *args);
extern uint64 ls_query_run_built(
	const char *sql, int nargs, Oid *argtypes, Datum *values, LsRunMode mode);

extern void ls_arg_datum(LsArgs *args, Datum value, bool isnull);
extern void ls_arg_uuid(LsArgs *args, const pg_uuid_t *value);
extern void ls_arg_text(LsArgs *args, const char *value);
extern void ls_arg_int32(LsArgs *args, int32 value);
extern void ls_arg_int64(LsArgs *args, int64 value);
extern void ls_arg_bool(LsArgs *args, bool value);
extern void ls_arg_timestamptz(LsArgs *args, TimestampTz value);

extern Datum ls_result(uint64 row, int column, bool *isnull);
extern bool ls_result_isnull(uint64 row, int column);
extern pg_uuid_t ls_result_uuid(uint64 row, int column);
extern char *ls_result_text(uint64 row, int column);
extern int32 ls_result_int32(uint64 row, int column);
extern int64 ls_result_int64(uint64 row, int column);
extern bool ls_result_bool(uint64 row, int column);
extern TimestampTz ls_result_timestamptz(uint64 row, int column);
extern void ls_result_to_srf(FunctionCallInfo fcinfo);

extern Oid ls_relation_oid(const char *relname, bool missing_ok);
extern Oid ls_owner(void);
extern Datum ls_uuid_array(const pg_uuid_t *ids, int n);

#endif /* LS_CORE_QUERY_H */
