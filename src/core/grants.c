/*-------------------------------------------------------------------------
 *
 * grants.c
 *	  grant_access(): gives a database role one of the access levels.
 *
 *	  The extension creates no roles, since roles belong to the whole cluster.
 *	  What was granted is remembered in access_grants, so that install() can
 *	  give it again after the functions were dropped with the extension.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/grants.h"
#include "core/input.h"
#include "core/query.h"

#define MAX_GRANT_LISTS 32

static const char *const level_names[] = {
	"readonly", "agent", "manager", "admin", "maintenance", "owner"};

static struct
{
	const LsGrant *grants;
	int n;
} grant_lists[MAX_GRANT_LISTS];
static int n_grant_lists = 0;

/* Add a domain's list.  Called once, from the domain's Init. */
void
ls_grants_register(const LsGrant *grants, int n)
{
	if (n_grant_lists == MAX_GRANT_LISTS)
		elog(ERROR, "too many grant lists");
	grant_lists[n_grant_lists].grants = grants;
	grant_lists[n_grant_lists].n = n;
	n_grant_lists++;
}

/* The level of a name; "owner" is not one that can be given. */
static LsLevel
level_of(const char *name)
{
	int i;

	for (i = LS_LEVEL_READONLY; i <= LS_LEVEL_MAINTENANCE; i++)
	{
		if (strcmp(level_names[i], name) == 0)
			return (LsLevel) i;
	}
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized access level \"%s\"", name),
			errhint("Access levels are: readonly, agent, manager, admin, maintenance.")));
}

/* Does a level include a grant? */
static bool
level_includes(LsLevel level, const LsGrant *grant)
{
	if (level == LS_LEVEL_MAINTENANCE)
		return grant->maintenance || grant->level == LS_LEVEL_READONLY ||
			   grant->level == LS_LEVEL_MAINTENANCE;
	return grant->level <= level;
}

/* Run one GRANT or REVOKE. */
static void
run_utility(const char *sql)
{
	int rc = SPI_execute(sql, false, 0);

	if (rc != SPI_OK_UTILITY)
		elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(rc));
}

/* The kind of a registered object, as GRANT names it. */
static const char *
object_kind(const LsGrant *grant)
{
	return strchr(grant->object, '(') != NULL ? "ROUTINE" : "TABLE";
}

/*
 * Take all functions of the extension from a role: beside those that levels
 * give, there may be trigger functions that default privileges gave.
 */
static void
remove_functions(const char *grantee)
{
	LS_QUERY0(query,
		"SELECT pg_catalog.string_agg(p.oid::pg_catalog.regprocedure::text, ', ')"
		"  FROM pg_catalog.pg_proc p"
		"  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
		"   AND d.objid = p.oid AND d.deptype = 'e'"
		"  JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid"
		" WHERE e.extname = 'lead_system'");
	char *functions;

	ls_query_run(&query, NULL, LS_WRITE);
	functions = ls_result_text(0, 1);
	if (functions != NULL)
		run_utility(psprintf("REVOKE ALL ON ROUTINE %s FROM %s", functions, grantee));
}

/* Take from a role what any level gives.  What a user keeps in the schema stays. */
static void
remove_level(const char *role)
{
	const char *grantee = quote_identifier(role);
	int list;
	int i;

	for (list = 0; list < n_grant_lists; list++)
	{
		for (i = 0; i < grant_lists[list].n; i++)
		{
			const LsGrant *grant = &grant_lists[list].grants[i];

			run_utility(psprintf("REVOKE ALL ON %s %s.%s FROM %s", object_kind(grant), LS_SCHEMA,
				grant->object, grantee));
		}
	}
	remove_functions(grantee);
	run_utility(psprintf("REVOKE ALL ON SCHEMA %s FROM %s", LS_SCHEMA, grantee));
}

/* Give a role what a level includes. */
static void
add_level(const char *role, LsLevel level)
{
	const char *grantee = quote_identifier(role);
	int list;
	int i;

	run_utility(psprintf("GRANT USAGE ON SCHEMA %s TO %s", LS_SCHEMA, grantee));
	for (list = 0; list < n_grant_lists; list++)
	{
		for (i = 0; i < grant_lists[list].n; i++)
		{
			const LsGrant *grant = &grant_lists[list].grants[i];

			if (level_includes(level, grant))
				run_utility(psprintf("GRANT %s ON %s %s.%s TO %s", grant->privileges,
					object_kind(grant), LS_SCHEMA, grant->object, grantee));
		}
	}
}

PG_FUNCTION_INFO_V1(ls_core_grant_access);

/*
 * grant_access(role_name, level): set a role's level.  Calling it again with
 * another level replaces the first.
 */
Datum
ls_core_grant_access(PG_FUNCTION_ARGS)
{
	LS_QUERY(remember,
		"INSERT INTO lead_system.access_grants (role_name, role_id, level) VALUES ($1, $2, $3)"
		" ON CONFLICT (role_name) DO UPDATE SET role_id = excluded.role_id, level = excluded.level,"
		"   granted_at = excluded.granted_at",
		TEXTOID, OIDOID, TEXTOID);
	char *role;
	char *level_name;
	LsLevel level;
	Oid roleid;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "role_name");
	LS_REQUIRE_ARG(1, "level");
	role = text_to_cstring(PG_GETARG_TEXT_PP(0));
	level_name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	level = level_of(level_name);
	roleid = get_role_oid(role, false);
	if (level == LS_LEVEL_MAINTENANCE && !has_bypassrls_privilege(roleid))
		ereport(NOTICE, (errmsg("role \"%s\" can maintain one organization at a time", role),
							errdetail("Without BYPASSRLS it works in the organization that "
									  "app.current_org_id names."),
							errhint("ALTER ROLE %s BYPASSRLS lets it work for all of them.",
								quote_identifier(role))));

	ls_arg_text(&args, role);
	ls_arg_datum(&args, ObjectIdGetDatum(roleid), false);
	ls_arg_text(&args, level_name);
	ls_scope_open(&scope, LS_AS_OWNER);
	remove_level(role);
	add_level(role, level);
	ls_query_run(&remember, &args, LS_WRITE);
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_core_revoke_access);

/* revoke_access(role_name): the counterpart of grant_access(). */
Datum
ls_core_revoke_access(PG_FUNCTION_ARGS)
{
	LS_QUERY(forget, "DELETE FROM lead_system.access_grants WHERE role_name = $1", TEXTOID);
	char *role;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "role_name");
	role = text_to_cstring(PG_GETARG_TEXT_PP(0));
	(void) get_role_oid(role, false);
	ls_arg_text(&args, role);
	ls_scope_open(&scope, LS_AS_OWNER);
	remove_level(role);
	ls_query_run(&forget, &args, LS_WRITE);
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

/*
 * Give all remembered roles their level again.  A role that only has the name
 * of the one that was meant, after DROP ROLE or in another cluster, gets
 * nothing.
 */
void
ls_grants_restore(void)
{
	LS_QUERY0(query, "SELECT role_name, role_id, level FROM lead_system.access_grants"
					 " ORDER BY granted_at, role_name");
	LsScope scope;
	uint64 n;
	uint64 row;
	char **roles;
	LsLevel *levels;

	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, NULL, LS_WRITE);
	roles = palloc0(sizeof(char *) * (n + 1));
	levels = palloc(sizeof(LsLevel) * (n + 1));
	for (row = 0; row < n; row++)
	{
		bool isnull;
		Oid id = DatumGetObjectId(ls_result(row, 2, &isnull));
		char *name = ls_result_text(row, 1);

		levels[row] = level_of(ls_result_text(row, 3));
		if (get_role_oid(name, true) == id)
			roles[row] = name;
		else
			ereport(NOTICE, (errmsg("role \"%s\" is not the one that had access", name),
								errhint("SELECT %s.grant_access('%s', '%s') gives it access.",
									LS_SCHEMA, name, level_names[levels[row]])));
	}
	for (row = 0; row < n; row++)
	{
		if (roles[row] != NULL)
			add_level(roles[row], levels[row]);
	}
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_core_access_levels);

/* access_levels(): who may use what, as registered by the domains. */
Datum
ls_core_access_levels(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int list;
	int i;

	InitMaterializedSRF(fcinfo, 0);
	for (list = 0; list < n_grant_lists; list++)
	{
		for (i = 0; i < grant_lists[list].n; i++)
		{
			const LsGrant *grant = &grant_lists[list].grants[i];
			Datum values[4] = {CStringGetTextDatum(grant->object),
				CStringGetTextDatum(grant->privileges),
				CStringGetTextDatum(level_names[grant->level]),
				BoolGetDatum(level_includes(LS_LEVEL_MAINTENANCE, grant))};
			bool nulls[4] = {false, false, false, false};

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}
