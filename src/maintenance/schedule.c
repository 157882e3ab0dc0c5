/*-------------------------------------------------------------------------
 *
 * schedule.c
 *	  schedule_maintenance(): through pg_cron.
 *
 *	  Runs as the caller: pg_cron decides who may schedule, and starts the job as
 *	  the role that scheduled it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/query.h"

/* By this name the job is found again; it is the role's own. */
#define JOB_NAME "lead_system maintenance"
#define COMMAND "CALL lead_system.run_maintenance()"

/*
 * pg_cron lives in one database; if it is not this one, say what can be done.
 * There a name is good for one job of a role, so it names the database, too; and
 * the line names the role, since pg_cron lets superusers run it, who are another.
 * cron is NULL for taking it back.
 */
static void
require_pg_cron(const char *cron)
{
	char *database;
	char *name;

	if (OidIsValid(get_extension_oid("pg_cron", true)))
		return;
	database = get_database_name(MyDatabaseId);
	name = quote_literal_cstr(psprintf("%s of %s", JOB_NAME, database));
	ereport(ERROR,
		(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			errmsg("pg_cron is not installed in database \"%s\"", database),
			errdetail(
				"It is installed in the database that cron.database_name names, with CREATE EXTENSION pg_cron, "
				"and needs shared_preload_libraries = 'pg_cron'."),
			cron == NULL
				? errhint(
					  "If it is in another database, run there: SELECT cron.unschedule(jobid) FROM "
					  "cron.job WHERE jobname = %s;",
					  name)
				: errhint(
					  "If it is in another database, run there: SELECT cron.schedule_in_database(%s, %s, %s, %s, %s);\n"
					  "Without pg_cron, add to a crontab: %s psql -X -q -d %s -c '%s'",
					  name, quote_literal_cstr(cron), quote_literal_cstr(COMMAND),
					  quote_literal_cstr(database),
					  quote_literal_cstr(GetUserNameFromId(GetUserId(), false)), cron,
					  quote_literal_cstr(database), COMMAND)));
}

PG_FUNCTION_INFO_V1(ls_maintenance_schedule);

/* schedule_maintenance(cron): the id of the job. */
Datum
ls_maintenance_schedule(PG_FUNCTION_ARGS)
{
	LS_QUERY(query, "SELECT cron.schedule('" JOB_NAME "', $1, '" COMMAND "')", TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	char *cron;
	int64 id;

	LS_REQUIRE_ARG(0, "cron");
	cron = text_to_cstring(PG_GETARG_TEXT_PP(0));
	require_pg_cron(cron);
	ls_arg_text(&args, cron);
	ls_scope_open(&scope, LS_AS_CALLER);
	(void) ls_query_run(&query, &args, LS_WRITE);
	id = ls_result_int64(0, 1);
	ls_scope_close(&scope);
	PG_RETURN_INT64(id);
}

PG_FUNCTION_INFO_V1(ls_maintenance_unschedule);

/* unschedule_maintenance(): was there a job of the caller's? */
Datum
ls_maintenance_unschedule(PG_FUNCTION_ARGS)
{
	LS_QUERY0(query, "SELECT cron.unschedule(j.jobid) FROM cron.job j"
					 " WHERE j.jobname = '" JOB_NAME "' AND j.username = current_user");
	LsScope scope;
	bool found;

	require_pg_cron(NULL);
	ls_scope_open(&scope, LS_AS_CALLER);
	found = ls_query_run(&query, NULL, LS_WRITE) > 0;
	ls_scope_close(&scope);
	PG_RETURN_BOOL(found);
}
