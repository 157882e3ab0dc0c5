/*-------------------------------------------------------------------------
 *
 * health.c
 *	  What a DBA asks an installation: its version, whether it is whole, and
 *	  whether row level security keeps tenants apart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/extension.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/storage.h"
#include "core/uuid.h"

/* Does the relation "c" of our schema hold rows of tenants? */
#define SQL_IS_TENANT_TABLE \
	"c.relkind IN ('r', 'p') AND (c.relname = 'organizations' OR EXISTS (" \
	"  SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid" \
	"     AND a.attname = 'organization_id' AND NOT a.attisdropped))"

/* Organisations whose view of every table rls_selftest() takes. */
#define SELFTEST_ORGS 3

/* Add one line to the answer of health_check(). */
static void
health_row(ReturnSetInfo *rsinfo, const char *name, bool ok, const char *detail)
{
	Datum values[3] = {CStringGetTextDatum(name), BoolGetDatum(ok), CStringGetTextDatum(detail)};
	bool nulls[3] = {false, false, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The library and the SQL side must be of one version. */
static void
health_version(ReturnSetInfo *rsinfo)
{
	char *installed = ls_installed_version();
	bool ok = strcmp(installed, LS_VERSION) == 0;

	health_row(rsinfo, "version", ok,
		ok ? psprintf("%s", installed)
		   : psprintf(
				 "SQL objects are of %s, the library is of %s; ALTER EXTENSION lead_system UPDATE",
				 installed, LS_VERSION));
}

/* Everything in the storage script must be there. */
static void
health_storage(ReturnSetInfo *rsinfo)
{
	List *missing = ls_storage_missing();
	StringInfoData detail;
	ListCell *cell;

	if (missing == NIL)
	{
		health_row(rsinfo, "storage", true, "complete");
		return;
	}
	initStringInfo(&detail);
	appendStringInfoString(&detail, "CALL lead_system.install() to create: ");
	foreach (cell, missing)
		appendStringInfo(
			&detail, "%s%s", cell == list_head(missing) ? "" : ", ", (char *) lfirst(cell));
	health_row(rsinfo, "storage", false, detail.data);
}

/* Conditions over the catalogs: each query returns the offending objects. */
static void
health_catalog(FunctionCallInfo fcinfo)
{
	LS_QUERY0(query,
		"WITH relations AS ("
		"  SELECT c.* FROM pg_catalog.pg_class c"
		"    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		"   WHERE n.nspname = 'lead_system'), "
		"tenant_tables AS ("
		"  SELECT c.* FROM relations c WHERE " SQL_IS_TENANT_TABLE "), "
		"problems(check_name, good, object) AS ("
		"  SELECT 'row security', 'on for every tenant table', t.relname::text"
		"    FROM tenant_tables t"
		"   WHERE NOT (t.relrowsecurity AND t.relforcerowsecurity) OR NOT EXISTS ("
		"     SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polrelid = t.oid)"
		"  UNION ALL"
		"  SELECT 'policies', 'all look at the organization of the session',"
		"         t.relname || '.' || p.polname"
		"    FROM tenant_tables t JOIN pg_catalog.pg_policy p ON p.polrelid = t.oid"
		"   WHERE p.polpermissive AND NOT EXISTS ("
		"     SELECT 1 FROM pg_catalog.pg_depend d"
		"      WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid"
		"        AND d.refclassid = 'pg_catalog.pg_proc'::regclass"
		"        AND d.refobjid = 'lead_system.current_org_id()'::regprocedure)"
		"  UNION ALL"
		"  SELECT 'ownership', 'all has one owner, a superuser', t.name"
		"    FROM (SELECT r.relname::text, r.relowner FROM relations r WHERE r.relkind IN ('r', 'p', 'v')"
		"          UNION ALL"
		"          SELECT 'schema ' || n.nspname, n.nspowner FROM pg_catalog.pg_namespace n"
		"           WHERE n.nspname = 'lead_system') t(name, owner)"
		"    JOIN pg_catalog.pg_roles o ON o.oid = t.owner"
		"   WHERE NOT o.rolsuper OR (t.name NOT LIKE 'schema %' AND o.oid <> ("
		"     SELECT g.relowner FROM relations g WHERE g.relname = 'organizations'))"
		"  UNION ALL"
		"  SELECT 'triggers', 'none is disabled', r.relname || '.' || t.tgname FROM relations r"
		"    JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid WHERE t.tgenabled = 'D'"
		"  UNION ALL"
		"  SELECT 'indexes', 'all are valid', i.indexrelid::regclass::text FROM relations r"
		"    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid WHERE NOT i.indisvalid) "
		"SELECT c.name, count(p.object) = 0,"
		"       coalesce(string_agg(p.object, ', ' ORDER BY p.object), c.good)"
		"  FROM (VALUES (1, 'row security', 'on for every tenant table'),"
		"               (2, 'policies', 'all look at the organization of the session'),"
		"               (3, 'ownership', 'all has one owner, a superuser'),"
		"               (4, 'triggers', 'none is disabled'),"
		"               (5, 'indexes', 'all are valid')) c(position, name, good)"
		"  LEFT JOIN problems p ON p.check_name = c.name"
		" GROUP BY c.position, c.name, c.good ORDER BY c.position");
	LsScope scope;

	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(&query, NULL, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
}

/* Things that are used when they are there. */
static void
health_optional(ReturnSetInfo *rsinfo)
{
	static const char *const extensions[] = {"pgcrypto", "pg_trgm"};
	int i;

	health_row(rsinfo, "phone parser", true,
		ls_phone_parser_available() ? "available"
									: "not available: phone numbers must come in E.164 form");
	for (i = 0; i < (int) lengthof(extensions); i++)
	{
		char *schema = ls_extension_schema(extensions[i]);

		health_row(rsinfo, extensions[i], true,
			schema ? psprintf("installed in schema %s", schema)
				   : psprintf("not installed: CREATE EXTENSION %s; CALL lead_system.install();",
						 extensions[i]));
	}
}

PG_FUNCTION_INFO_V1(ls_core_health_check);

/* health_check(): one line per check. */
Datum
ls_core_health_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	health_version(rsinfo);
	health_storage(rsinfo);
	health_catalog(fcinfo);
	health_optional(rsinfo);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_core_extension_version);

/* extension_version(): the version of the SQL objects. */
Datum
ls_core_extension_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ls_installed_version()));
}

/*
 * The organisations to look as: some that exist, and one that does not, which
 * must see nothing at all.
 */
static int
selftest_orgs(pg_uuid_t *orgs)
{
	LS_QUERY0(query, "SELECT id FROM lead_system.organizations ORDER BY id");
	LsScope scope;
	uint64 found;
	uint64 row;

	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run_limit(&query, NULL, LS_READ, SELFTEST_ORGS - 1);
	for (row = 0; row < found; row++)
		orgs[row] = ls_result_uuid(row, 1);
	ls_scope_close(&scope);
	ls_uuid_v7(&orgs[found]);
	return (int) found + 1;
}

/*
 * The roles to look at a table as: pg_read_all_data, which may select from
 * every table and is subject to row level security, and those that have a
 * policy of their own.
 */
static Oid *
selftest_roles(const char *table, int *n)
{
	LS_QUERY(query,
		"SELECT DISTINCT r.oid FROM pg_catalog.pg_policy p"
		"  JOIN pg_catalog.pg_class c ON c.oid = p.polrelid"
		"  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace"
		"  JOIN pg_catalog.pg_roles r ON r.oid = ANY (p.polroles)"
		" WHERE s.nspname = 'lead_system' AND c.relname = $1"
		"   AND NOT r.rolsuper AND NOT r.rolbypassrls"
		"   AND pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT')",
		TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	Oid *roles;
	uint64 found;
	uint64 row;

	ls_arg_text(&args, table);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_READ);
	roles = SPI_palloc(sizeof(Oid) * (found + 1));
	roles[0] = ROLE_PG_READ_ALL_DATA;
	for (row = 0; row < found; row++)
	{
		bool isnull;

		roles[row + 1] = DatumGetObjectId(ls_result(row, 1, &isnull));
	}
	ls_scope_close(&scope);
	*n = (int) found + 1;
	return roles;
}

/* How many rows of other organisations does a role see in a table? */
static int64
selftest_leaked(const char *table, Oid role, const pg_uuid_t *org)
{
	const char *tenant_column = strcmp(table, "organizations") == 0 ? "id" : "organization_id";
	Oid argtype = UUIDOID;
	Datum arg = UUIDPGetDatum(org);
	LsScope scope;
	int64 leaked;
	int rc;

	ls_scope_open(&scope, LS_AS_CALLER);
	set_config_option(
		"row_security", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option(
		"app.current_user_id", "", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option(
		"app.current_tenant_id", "", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option("app.current_org_id", ls_uuid_text(org), PGC_USERSET, PGC_S_SESSION,
		GUC_ACTION_SAVE, true, 0, false);
	SetUserIdAndSecContext(role, scope.saved_security | SECURITY_LOCAL_USERID_CHANGE);
	rc = SPI_execute_with_args(psprintf("SELECT count(*) FROM %s.%s t WHERE t.%s <> $1", LS_SCHEMA,
								   quote_identifier(table), tenant_column),
		1, &argtype, &arg, NULL, true, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "could not look at table %s: %s", table, SPI_result_code_string(rc));
	leaked = ls_result_int64(0, 1);
	ls_scope_close(&scope);
	return leaked;
}

/* The names of all tables that hold rows of tenants. */
static List *
selftest_tables(void)
{
	LS_QUERY0(query,
		"SELECT c.relname::text FROM pg_catalog.pg_class c"
		"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE n.nspname = 'lead_system' AND " SQL_IS_TENANT_TABLE " ORDER BY c.relname");
	LsScope scope;
	List *tables = NIL;
	uint64 n;
	uint64 row;
	char **names;

	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, NULL, LS_READ);
	names = SPI_palloc(sizeof(char *) * (n + 1));
	for (row = 0; row < n; row++)
		names[row] = ls_result_text(row, 1);
	ls_scope_close(&scope);
	for (row = 0; row < n; row++)
		tables = lappend(tables, names[row]);
	return tables;
}

PG_FUNCTION_INFO_V1(ls_core_rls_selftest);

/*
 * rls_selftest(): per tenant table, the rows that an organisation saw and
 * should not have seen; all zero when tenants are kept apart.
 */
Datum
ls_core_rls_selftest(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	pg_uuid_t orgs[SELFTEST_ORGS];
	int n_orgs = selftest_orgs(orgs);
	ListCell *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach (cell, selftest_tables())
	{
		const char *table = lfirst(cell);
		int64 leaked = 0;
		Datum values[2];
		bool nulls[2] = {false, false};
		int n_roles;
		Oid *roles = selftest_roles(table, &n_roles);
		int i;

		for (i = 0; i < n_orgs * n_roles; i++)
			leaked += selftest_leaked(table, roles[i / n_orgs], &orgs[i % n_orgs]);
		values[0] = CStringGetTextDatum(table);
		values[1] = Int64GetDatum(leaked);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
