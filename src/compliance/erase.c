/*-------------------------------------------------------------------------
 *
 * erase.c
 *	  erase_lead(): takes the person out of a lead and all that is kept of it.
 *
 *	  The row of the lead stays, deleted, for statistics.  Which tables have
 *	  rows about it the catalog says, which of their columns are personal the
 *	  list in personal_data.c; a column that nobody classified is erased.  The
 *	  lead is changed first, so that what its own triggers write into the
 *	  histories about that is erased with the rest.
 *
 *	  The lead is locked FOR UPDATE first, which waits for everybody who is
 *	  writing a row that refers to it.  The statements that follow see what they
 *	  wrote in READ COMMITTED only, so nothing else will do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/privacy.h"
#include "compliance/privacy_sql.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

#define N_PARAMETERS 5

/* What is known of a lead before it is erased. */
typedef struct Subject
{
	pg_uuid_t org;
	pg_uuid_t id;
	char *phone;
	char *email;
	char *first_name;
	char *last_name;
	bool number_shared; /* another lead has the number, too */
	bool erased_before;
} Subject;

/* Lock the lead and read it. */
static void
lock_subject(Subject *subject)
{
	LS_QUERY(query,
		"SELECT l.phone_number, l.email, l.first_name, l.last_name,"
		"  EXISTS (SELECT 1 FROM lead_system.leads o WHERE o.organization_id = $1"
		"             AND o.phone_number = l.phone_number AND o.id <> $2),"
		"  EXISTS (SELECT 1 FROM lead_system.erasures e"
		"           WHERE e.organization_id = $1 AND e.subject_id = $2)"
		"  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $2 FOR UPDATE OF l",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &subject->org);
	ls_arg_uuid(&args, &subject->id);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("lead", &subject->id);
	subject->phone = ls_result_text(0, 1);
	subject->email = ls_result_text(0, 2);
	subject->first_name = ls_result_text(0, 3);
	subject->last_name = ls_result_text(0, 4);
	subject->number_shared = ls_result_bool(0, 5);
	subject->erased_before = ls_result_bool(0, 6);
}

/* Write down that the lead is erased, with what is left of its number. */
static void
record_erasure(const Subject *subject, const char *reason)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.erasures"
		" (organization_id, subject_id, phone_hash, reason, erased_by, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)",
		UUIDOID, UUIDOID, BYTEAOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	bytea *hash = palloc(VARHDRSZ + LS_HASH_SIZE);
	LsArgs args = {0};
	pg_uuid_t user;

	SET_VARSIZE(hash, VARHDRSZ + LS_HASH_SIZE);
	if (subject->phone != NULL)
		ls_erasure_hash(&subject->org, subject->phone, (uint8 *) VARDATA(hash));
	ls_arg_uuid(&args, &subject->org);
	ls_arg_uuid(&args, &subject->id);
	ls_arg_datum(&args, PointerGetDatum(hash), subject->phone == NULL);
	ls_arg_text(&args, reason);
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* What a column becomes; NULL when it is kept. */
static char *
erased_value(const char *table, const char *column, const char *type, bool not_null)
{
	const LsPersonalColumn *known = ls_personal_column(table, column);
	LsErasure erasure = known ? known->erasure : LS_CLEAR;
	const char *name = quote_identifier(column);
	const char *nothing = "'" LS_ERASED_TEXT "'";

	if (erasure == LS_KEEP)
		return NULL;
	if (erasure == LS_REPLACE)
	{
		const char *place = strstr(known->expression, "%s");

		if (place == NULL)
			return pstrdup(known->expression);
		return psprintf("%.*s%s%s", (int) (place - known->expression), known->expression, name,
			place + strlen("%s"));
	}
	if (erasure == LS_CLEAR && !not_null)
		return pstrdup("NULL");
	if (strncmp(type, "json", strlen("json")) == 0 || type[0] == '_')
		nothing = "'{}'";
	else if (strcmp(type, "inet") == 0 || strcmp(type, "cidr") == 0)
		nothing = "'0.0.0.0'";
	return psprintf("CASE WHEN %s IS NOT NULL THEN %s::pg_catalog.%s END", name, nothing,
		quote_identifier(type));
}

/*
 * The statement that erases the rows of a table; NULL when all of it is kept.
 * Rows that have nothing left to erase are not written.
 */
static char *
erasing_statement(const char *table, const char *condition)
{
	LS_QUERY(query,
		"SELECT a.attname::text, t.typname::text, a.attnotnull FROM pg_catalog.pg_attribute a"
		"  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
		" WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped"
		"   AND a.attgenerated = '' AND t.typname IN ('text', 'varchar', 'bpchar', 'json', 'jsonb',"
		"       'inet', 'cidr', 'xml', '_text', '_varchar')"
		" ORDER BY a.attnum",
		TEXTOID);
	LsArgs args = {0};
	StringInfoData set;
	StringInfoData differs;
	uint64 n;
	uint64 row;

	ls_arg_text(&args, psprintf("%s.%s", LS_SCHEMA, quote_identifier(table)));
	n = ls_query_run(&query, &args, LS_WRITE);
	initStringInfo(&set);
	initStringInfo(&differs);
	for (row = 0; row < n; row++)
	{
		char *column = ls_result_text(row, 1);
		char *value = erased_value(table, column, ls_result_text(row, 2), ls_result_bool(row, 3));
		const char *name = quote_identifier(column);

		if (value == NULL)
			continue;
		appendStringInfo(&set, "%s%s = %s", set.len > 0 ? ", " : "", name, value);
		appendStringInfo(&differs, "%s%s::text IS DISTINCT FROM (%s)::text",
			differs.len > 0 ? " OR " : "", name, value);
	}
	if (set.len == 0)
		return NULL;
	return psprintf("UPDATE %s.%s SET %s WHERE %s AND (%s)", LS_SCHEMA, quote_identifier(table),
		set.data, condition, differs.data);
}

/* Run a statement with the parameters that all of them take. */
static void
run_erasing(const Subject *subject, const char *sql)
{
	Oid types[N_PARAMETERS] = {UUIDOID, UUIDOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID};
	Datum values[N_PARAMETERS] = {UUIDPGetDatum(&subject->org), UUIDPGetDatum(&subject->id),
		ls_personal_kept("leads"), (Datum) 0, TimestampTzGetDatum(ls_clock_now())};
	char nulls[N_PARAMETERS] = {' ', ' ', ' ', 'n', ' '};
	int rc;

	if (subject->phone != NULL && !subject->number_shared)
	{
		values[3] = CStringGetTextDatum(subject->phone);
		nulls[3] = ' ';
	}
	rc = SPI_execute_with_args(sql, N_PARAMETERS, types, values, nulls, false, 0);
	if (rc != SPI_OK_UPDATE)
		elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(rc));
}

/* Erase the lead's own row; it stays, deleted. */
static void
erase_row(const Subject *subject)
{
	char *sql = erasing_statement("leads", "organization_id = $1 AND id = $2");

	run_erasing(subject, sql);
	run_erasing(subject, "UPDATE lead_system.leads SET deleted_at = $5"
						 " WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL");
}

/* Erase the rows that refer to the lead, in whatever table. */
static void
erase_references(const Subject *subject)
{
	int n;
	LsLeadTable *tables = ls_lead_tables(&n);
	int i;

	for (i = 0; i < n; i++)
	{
		char *sql = erasing_statement(tables[i].name, ls_lead_condition(&tables[i], "$4"));

		if (sql != NULL)
			run_erasing(subject, sql);
	}
}

/* Erase lines of imports, which refer to nothing. */
static void
erase_import_lines(const Subject *subject)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_import_errors"
		"   SET raw_text = '" LS_ERASED_TEXT "', reason = '" LS_ERASED_TEXT "'"
		" WHERE raw_text <> '" LS_ERASED_TEXT "' AND " LS_IMPORT_LINES_OF_LEAD,
		UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID);
	LsArgs args = {0};

	if (subject->erased_before && subject->phone == NULL)
		return;
	ls_arg_uuid(&args, &subject->org);
	ls_arg_text(&args, subject->email);
	ls_arg_text(&args, ls_phone_digits(subject->phone));
	ls_arg_text(&args, subject->first_name);
	ls_arg_text(&args, subject->last_name);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/* Erase one lead, with the histories open for it. */
static void
erase_one(Subject *subject, const char *reason)
{
	LsActivity activity = {&subject->org, &subject->id, "lead_erased", NULL, NULL, NULL};

	ls_lead_set_being_erased(&subject->id);
	ls_histories_open(&subject->org, &subject->id);
	lock_subject(subject);
	if (!subject->erased_before || subject->phone != NULL)
		record_erasure(subject, reason);
	erase_row(subject);
	erase_references(subject);
	erase_import_lines(subject);
	if (!subject->erased_before)
		(void) ls_activity_add(&activity);
}

/*
 * The leads that were merged into one, at whatever remove: they tell of the same
 * person.  Returned in the order of their ids, in which they are locked.
 */
static pg_uuid_t *
merged_leads(const Subject *subject, uint64 *n)
{
	LS_QUERY(query,
		"SELECT DISTINCT l.id FROM lead_system.lead_merges m, unnest(m.duplicate_ids) d(id)"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = d.id"
		" WHERE m.organization_id = $1 AND m.lead_id = $2 AND m.unmerged_at IS NULL ORDER BY l.id",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	pg_uuid_t *ids;
	uint64 i;

	ls_arg_uuid(&args, &subject->org);
	ls_arg_uuid(&args, &subject->id);
	*n = ls_query_run(&query, &args, LS_WRITE);
	ids = palloc(sizeof(pg_uuid_t) * (*n + 1));
	for (i = 0; i < *n; i++)
		ids[i] = ls_result_uuid(i, 1);
	return ids;
}

/* All of it, as the owner of the tables. */
static void
erase(Subject *subject, const char *reason)
{
	const LsLeadArchive *archive = ls_lead_archive();
	pg_uuid_t *others;
	LsScope scope;
	uint64 n;
	uint64 i;

	if (archive != NULL)
		(void) archive->recall(&subject->org, &subject->id);
	ls_scope_open(&scope, LS_AS_OWNER);
	erase_one(subject, reason);
	others = merged_leads(subject, &n);
	for (i = 0; i < n; i++)
	{
		Subject other = {0};

		other.org = subject->org;
		other.id = others[i];
		erase_one(&other, reason);
	}
	ls_scope_close(&scope);
}

/* Who may erase, and with what? */
static char *
check_call(FunctionCallInfo fcinfo)
{
	char *reason;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "reason");
	reason = ls_trim(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (reason == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"reason\" must not be empty")));
	if (!ls_caller_is_admin())
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to erase a lead"),
				errdetail("Only administrators may do so.")));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
						   errmsg("a lead is erased in isolation level READ COMMITTED only"),
						   errdetail("With an older snapshot, rows that others have written would "
									 "be missed.")));
	return reason;
}

PG_FUNCTION_INFO_V1(ls_compliance_erase_lead);

/* erase_lead(lead_id, reason) */
Datum
ls_compliance_erase_lead(PG_FUNCTION_ARGS)
{
	LsLeadCause cause = {"erasure", "manual", NULL, true};
	const LsLeadCause *previous;
	Subject subject = {0};
	char *reason;

	ls_require_org(&subject.org);
	reason = check_call(fcinfo);
	subject.id = *PG_GETARG_UUID_P(0);

	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		erase(&subject, reason);
	}
	PG_FINALLY();
	{
		ls_histories_open(NULL, NULL);
		ls_lead_set_being_erased(NULL);
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
