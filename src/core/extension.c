/*-------------------------------------------------------------------------
 *
 * extension.c
 *	  Other extensions: none is required, some are used when installed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/extension.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/extension.h"
#include "core/query.h"

/* The schema in which an extension lives; NULL when it is not installed. */
char *
ls_extension_schema(const char *extension)
{
	LS_QUERY(query,
		"SELECT n.nspname::text FROM pg_catalog.pg_extension e"
		"  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
		" WHERE e.extname = $1",
		TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	char *schema = NULL;

	ls_arg_text(&args, extension);
	ls_scope_open(&scope, LS_AS_CALLER);
	if (ls_query_run(&query, &args, LS_READ) > 0)
		schema = ls_result_text(0, 1);
	ls_scope_close(&scope);
	return schema;
}

/* The same, with an error that says what to do when it is not installed. */
char *
ls_require_extension(const char *extension, const char *what)
{
	char *schema = ls_extension_schema(extension);

	if (schema == NULL)
		ereport(
			ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					   errmsg("%s needs the extension \"%s\"", what, extension),
					   errhint("CREATE EXTENSION %s; CALL %s.install();", extension, LS_SCHEMA)));
	return schema;
}

/* The version of our own SQL side. */
char *
ls_installed_version(void)
{
	LS_QUERY0(
		query, "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'lead_system'");
	LsScope scope;
	char *version;

	ls_scope_open(&scope, LS_AS_CALLER);
	if (ls_query_run(&query, NULL, LS_READ) == 0)
		elog(ERROR, "extension \"lead_system\" is not installed");
	version = ls_result_text(0, 1);
	ls_scope_close(&scope);
	return version;
}

/* What is known of tables that are read directly; there are a handful. */
#define MAX_DISTRIBUTED 8

static LsCache distributed_cache = {
	.name = "distributed tables", .relations = {"leads", "dnc_list", "organizations"}};
static struct
{
	Oid relid;
	bool distributed;
} distributed_known[MAX_DISTRIBUTED];
static int n_distributed_known = 0;

/* Ask Citus, if it is installed, about a table. */
static bool
ask_citus(Oid relid)
{
	LS_QUERY(query, "SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1::regclass",
		OIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool distributed;

	if (!OidIsValid(get_extension_oid("citus", true)))
		return false;
	ls_arg_datum(&args, ObjectIdGetDatum(relid), false);
	ls_scope_open(&scope, LS_AS_CALLER);
	distributed = ls_query_run(&query, &args, LS_READ) > 0;
	ls_scope_close(&scope);
	return distributed;
}

/*
 * Is a table distributed by Citus?  Its local heap is then an empty shell, and
 * code that would read it directly goes through SQL instead.
 */
bool
ls_relation_is_distributed(Oid relid)
{
	bool distributed;
	int i;

	if (!ls_cache_valid(&distributed_cache))
	{
		(void) ls_cache_renew(&distributed_cache);
		n_distributed_known = 0;
	}
	for (i = 0; i < n_distributed_known; i++)
	{
		if (distributed_known[i].relid == relid)
			return distributed_known[i].distributed;
	}
	distributed = ask_citus(relid);
	if (n_distributed_known < MAX_DISTRIBUTED)
	{
		distributed_known[n_distributed_known].relid = relid;
		distributed_known[n_distributed_known++].distributed = distributed;
	}
	return distributed;
}

void
ls_extension_init(void)
{
	ls_cache_register(&distributed_cache);
}
