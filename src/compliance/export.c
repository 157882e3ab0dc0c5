/*-------------------------------------------------------------------------
 *
 * export.c
 *	  export_lead(): everything that is held about a lead.
 *
 *	  Read as the caller: tables that the role may not read are left out, and
 *	  row level security hides what it hides elsewhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "lead_system.h"
#include "compliance/privacy.h"
#include "compliance/privacy_sql.h"
#include "core/input.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"

/*
 * The lead itself, as JSON; its contact data goes into the other arguments, and
 * whether another lead has its number, too.
 */
static char *
read_lead(const pg_uuid_t *org, const pg_uuid_t *id, LsArgs *contact, char **phone, bool *shared)
{
	LS_QUERY(query,
		"SELECT pg_catalog.to_jsonb(l)::text, l.phone_number, l.email, l.first_name, l.last_name,"
		"  EXISTS (SELECT 1 FROM lead_system.leads o WHERE o.organization_id = $1"
		"             AND o.phone_number = l.phone_number AND o.id <> $2)"
		"  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	if (ls_query_run(&query, &args, LS_READ) == 0)
		ls_no_such_row("lead", id);
	*phone = ls_result_text(0, 2);
	*shared = ls_result_bool(0, 6);
	ls_arg_uuid(contact, org);
	ls_arg_text(contact, ls_result_text(0, 3));
	ls_arg_text(contact, ls_phone_digits(*phone));
	ls_arg_text(contact, ls_result_text(0, 4));
	ls_arg_text(contact, ls_result_text(0, 5));
	return ls_result_text(0, 1);
}

/* Add the rows of a table that a condition finds, if the caller may read it. */
static void
add_rows(StringInfo json, const char *table, const char *condition, int n, const LsArgs *args,
	const Oid *types)
{
	Oid relid = ls_relation_oid(table, true);
	char *sql;
	char *rows;
	int rc;

	if (!OidIsValid(relid) || pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return;
	sql =
		psprintf("SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(t))::text FROM %s.%s t WHERE %s",
			LS_SCHEMA, quote_identifier(table), condition);
	rc = SPI_execute_with_args(sql, n, (Oid *) types, (Datum *) args->values, args->nulls, true, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(rc));
	rows = ls_result_text(0, 1);
	if (rows == NULL)
		return;
	appendStringInfoString(json, ", ");
	escape_json(json, table);
	appendStringInfo(json, ": %s", rows);
}

/* Add what refers to the lead, and what has its number (NULL: nothing) and refers to nobody. */
static void
add_references(StringInfo json, const pg_uuid_t *org, const pg_uuid_t *id, const char *number)
{
	static const Oid types[] = {UUIDOID, UUIDOID, TEXTOID};
	int n;
	LsLeadTable *tables = ls_lead_tables(&n);
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	ls_arg_text(&args, number);
	for (i = 0; i < n; i++)
		add_rows(json, tables[i].name, ls_lead_condition(&tables[i], "$3"), args.n, &args, types);
}

/* Add what is held about the number, in tables that do not know the lead. */
static void
add_number(StringInfo json, const pg_uuid_t *org, const char *phone)
{
	static const Oid types[] = {UUIDOID, TEXTOID};
	LS_QUERY0(query,
		"SELECT c.relname::text FROM pg_catalog.pg_class c"
		" WHERE c.relnamespace = 'lead_system'::pg_catalog.regnamespace"
		"   AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
		"   AND c.relname NOT IN ('leads', 'users')"
		"   AND (SELECT pg_catalog.array_agg(a.attname::text) FROM pg_catalog.pg_attribute a"
		"         WHERE a.attrelid = c.oid AND NOT a.attisdropped"
		"           AND a.attname IN ('organization_id', 'phone_number', 'lead_id'))"
		"       @> '{organization_id,phone_number}'"
		"   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
		"                      AND NOT a.attisdropped AND a.attname = 'lead_id')"
		" ORDER BY c.relname");
	uint64 n = ls_query_run(&query, NULL, LS_READ);
	char **names = palloc(sizeof(char *) * (n + 1));
	LsArgs args = {0};
	uint64 i;

	for (i = 0; i < n; i++)
		names[i] = ls_result_text(i, 1);
	ls_arg_uuid(&args, org);
	ls_arg_text(&args, phone);
	for (i = 0; i < n; i++)
		add_rows(
			json, names[i], "organization_id = $1 AND phone_number = $2", args.n, &args, types);
}

PG_FUNCTION_INFO_V1(ls_compliance_export_lead);

/* export_lead(lead_id) */
Datum
ls_compliance_export_lead(PG_FUNCTION_ARGS)
{
	static const Oid line_types[] = {UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	StringInfoData json;
	LsArgs contact = {0};
	LsScope scope;
	pg_uuid_t org;
	char *phone;
	bool shared;

	LS_REQUIRE_ARG(0, "lead_id");
	ls_require_org(&org);
	initStringInfo(&json);
	ls_scope_open(&scope, LS_AS_CALLER);
	appendStringInfo(
		&json, "{\"leads\": [%s]", read_lead(&org, PG_GETARG_UUID_P(0), &contact, &phone, &shared));
	add_references(&json, &org, PG_GETARG_UUID_P(0), shared ? NULL : phone);
	if (phone != NULL)
		add_number(&json, &org, phone);
	add_rows(&json, "lead_import_errors", LS_IMPORT_LINES_OF_LEAD, contact.n, &contact, line_types);
	ls_scope_close(&scope);
	appendStringInfoChar(&json, '}');
	PG_RETURN_JSONB_P(ls_json_parse(json.data));
}
