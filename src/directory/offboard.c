/*-------------------------------------------------------------------------
 *
 * offboard.c
 *	  An organisation leaves: everything that it has goes with it.
 *
 *	  Foreign keys alone would not do: histories have none, users and histories
 *	  refuse to be deleted, and pipelines are still in use while leads go.  So
 *	  the tables are emptied one by one, those that refer to others first.  The
 *	  organisation's row is locked by then, so nothing new can come in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

/* The tables of tenants, those that refer to others before them. */
static char **
tables_to_empty(uint64 *n)
{
	LS_QUERY0(query,
		"WITH RECURSIVE tenant_tables AS ("
		"  SELECT c.oid, c.relname FROM pg_catalog.pg_class c"
		"    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		"    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
		"   WHERE n.nspname = 'lead_system' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
		"     AND a.attname = 'organization_id' AND a.atttypid = 'pg_catalog.uuid'::regtype"
		"     AND NOT a.attisdropped), "
		"depths(oid, depth) AS ("
		"  SELECT t.oid, 0 FROM tenant_tables t"
		"  UNION"
		"  SELECT f.conrelid, d.depth + 1 FROM depths d"
		"    JOIN pg_catalog.pg_constraint f ON f.confrelid = d.oid AND f.contype = 'f'"
		"   WHERE f.conrelid <> f.confrelid AND d.depth < 50)"
		"SELECT t.relname::text FROM tenant_tables t JOIN depths d ON d.oid = t.oid"
		" GROUP BY t.oid, t.relname"
		/* Histories last: whoever holds a row of another table may be writing one. */
		" ORDER BY EXISTS (SELECT 1 FROM pg_catalog.pg_constraint f"
		"                   WHERE f.conrelid = t.oid AND f.contype = 'f') DESC,"
		"          pg_catalog.max(d.depth) DESC, t.relname");
	char **names;
	uint64 row;

	*n = ls_query_run(&query, NULL, LS_WRITE);
	names = palloc(sizeof(char *) * (*n + 1));
	for (row = 0; row < *n; row++)
		names[row] = ls_result_text(row, 1);
	return names;
}

/* Delete what an organisation has. */
static void
delete_data(pg_uuid_t *org)
{
	Oid argtype = UUIDOID;
	Datum arg = UUIDPGetDatum(org);
	LsScope scope;
	char **tables;
	uint64 n;
	uint64 i;

	ls_scope_open(&scope, LS_AS_OWNER);
	tables = tables_to_empty(&n);
	for (i = 0; i < n; i++)
	{
		char *sql = psprintf(
			"DELETE FROM %s.%s WHERE organization_id = $1", LS_SCHEMA, quote_identifier(tables[i]));
		int rc = SPI_execute_with_args(sql, 1, &argtype, &arg, NULL, false, 0);

		if (rc != SPI_OK_DELETE)
			elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(rc));
	}
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_directory_delete_data);

/* organizations_delete_data(): BEFORE DELETE row trigger of organizations. */
Datum
ls_directory_delete_data(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "organizations_delete_data",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_DELETE, "organizations");
	Relation rel = trigdata->tg_relation;
	bool isnull;
	pg_uuid_t org = *DatumGetUUIDP(SPI_getbinval(
		trigdata->tg_trigtuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "id"), &isnull));

	ls_org_set_leaving(&org);
	PG_TRY();
	{
		delete_data(&org);
	}
	PG_FINALLY();
	{
		ls_org_set_leaving(NULL);
	}
	PG_END_TRY();
	return PointerGetDatum(trigdata->tg_trigtuple);
}
