/*-------------------------------------------------------------------------
 *
 * import.c
 *	  The frame of an import: its record, its list, its rows, its errors.
 *
 *	  An import is one transaction of its caller: all of it, or nothing.  Run
 *	  again, it finds what it made and adds nothing, so an import that was cut
 *	  off, or done in parts, is resumed by running it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/progress.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "utils/backend_progress.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "outreach/import.h"

/* What a row says, by its digest, and how often the import has met it. */
typedef struct Fingerprint
{
	char digest[PG_SHA256_DIGEST_LENGTH]; /* hash key */
	int seen;
} Fingerprint;

/*
 * The list of a name, made if need be.  Two imports into a new list at once:
 * the second waits for the first, and finds its list.
 */
static pg_uuid_t
find_or_create_list(const pg_uuid_t *org, const char *name)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.lead_lists (organization_id, name) VALUES ($1, $2)"
		" ON CONFLICT (organization_id, name) WHERE NOT is_archived DO NOTHING",
		UUIDOID, TEXTOID);
	LS_QUERY(find,
		"SELECT id FROM lead_system.lead_lists"
		" WHERE organization_id = $1 AND name = $2 AND NOT is_archived",
		UUIDOID, TEXTOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, name);
	ls_query_run(&insert, &args, LS_WRITE);
	if (ls_query_run(&find, &args, LS_WRITE) == 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("list \"%s\" is being made by another session", name),
						   errhint("Retry the transaction.")));
	return ls_result_uuid(0, 1);
}

/* Write the record of the import. */
static pg_uuid_t
insert_import(const LsImport *import)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_imports (organization_id, lead_list_id, source, options, created_at)"
		" VALUES ($1, $2, $3, $4, $5) RETURNING id",
		UUIDOID, UUIDOID, TEXTOID, JSONBOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &import->org);
	ls_arg_uuid(&args, &import->list);
	ls_arg_text(&args, import->options.source);
	ls_arg_datum(&args, JsonbPGetDatum(import->options.json), false);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
	return ls_result_uuid(0, 1);
}

/*
 * Report to pg_stat_progress_copy: at the start, and again after a
 * subtransaction has failed, which ends the report.
 */
void
ls_import_show_progress(const LsImport *import)
{
	pgstat_progress_start_command(PROGRESS_COMMAND_COPY, ls_relation_oid("leads", false));
	pgstat_progress_update_param(PROGRESS_COPY_COMMAND, PROGRESS_COPY_COMMAND_FROM);
	pgstat_progress_update_param(PROGRESS_COPY_TYPE, PROGRESS_COPY_TYPE_CALLBACK);
	pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED, import->counts.rows);
	pgstat_progress_update_param(PROGRESS_COPY_TUPLES_EXCLUDED, import->counts.rejected);
}

/* Start an import into a list.  The caller has checked the organisation. */
LsImport *
ls_import_start(const pg_uuid_t *org, const char *list_name, const LsImportOptions *options)
{
	LsImport *import = palloc0(sizeof(LsImport));
	const LsOrganization *organization = ls_organization(org);
	HASHCTL ctl = {0};
	LsScope scope;

	if (organization == NULL)
		ls_no_such_row("organization", org);
	if (list_name[strspn(list_name, " \t\r\n")] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the list needs a name")));
	import->org = *org;
	import->options = *options;
	import->organization = *organization;
	if (options->region != NULL)
		strlcpy(import->organization.default_region, options->region,
			sizeof(import->organization.default_region));
	import->batch_size = ls_config_int(org, "import.batch_size");
	import->max_errors = ls_config_int(org, "import.max_errors");
	import->rows = palloc(sizeof(LsImportRow *) * import->batch_size);
	import->batch_context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system import batch", ALLOCSET_DEFAULT_SIZES);

	ctl.keysize = PG_SHA256_DIGEST_LENGTH;
	ctl.entrysize = sizeof(Fingerprint);
	ctl.hcxt = CurrentMemoryContext;
	import->fingerprints =
		hash_create("lead_system import", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	ls_scope_open(&scope, LS_AS_OWNER);
	import->list = find_or_create_list(org, list_name);
	import->id = insert_import(import);
	ls_scope_close(&scope);
	ls_import_show_progress(import);
	return import;
}

/* Start a row of the batch. */
LsImportRow *
ls_import_new_row(LsImport *import, int line, const char *raw, size_t raw_len)
{
	MemoryContext caller;
	LsImportRow *row;

	/* Rows that were reported take memory, too. */
	if (import->n_begun == import->batch_size)
		ls_import_flush(import);
	import->n_begun++;
	caller = MemoryContextSwitchTo(import->batch_context);
	row = palloc0(sizeof(LsImportRow));
	row->line = line;
	row->raw = pnstrdup(raw, raw_len);
	MemoryContextSwitchTo(caller);
	import->counts.rows++;
	pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED, import->counts.rows);
	return row;
}

/*
 * Set what a column of the input stands for.  False when the value does not
 * fit; the row has then been reported as rejected.
 *
 * So is a row that says that its lead is deleted: among live leads it would be
 * called, and a deleted one is not found again when the file comes again.
 */
bool
ls_import_set(LsImport *import, LsImportRow *row, const LsImportColumn *column, const char *value)
{
	MemoryContext caller;
	LsInputError error;
	bool fits;

	caller = MemoryContextSwitchTo(import->batch_context);
	fits = ls_lead_input_set(
		&row->input, &import->organization, column->target, column->column, value, &error);
	MemoryContextSwitchTo(caller);
	if (row->input.set[LEAD_deleted_at])
	{
		fits = false;
		error.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
		error.message = "the lead is deleted";
	}
	if (!fits)
		ls_import_problem(import, row->line, row->raw, strlen(row->raw), column->name, true,
			error.sqlstate, error.message);
	return fits;
}

/*
 * Everything that a row says, in a form that does not depend on how the file
 * is written or on settings of the session.
 */
static char *
all_values(const LsLeadInput *input)
{
	StringInfoData all;
	int i;

	initStringInfo(&all);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		Oid type = ls_lead_columns[i].type;
		Oid function;
		bool is_varlena;
		char *value;

		if (!input->set[i] || i == LEAD_source)
			continue;
		getTypeOutputInfo(type, &function, &is_varlena);
		value = type == TIMESTAMPTZOID
					? psprintf(INT64_FORMAT, (int64) DatumGetTimestampTz(input->values[i]))
					: OidOutputFunctionCall(function, input->values[i]);
		appendStringInfo(&all, "%s:%zu:%s;", ls_lead_columns[i].name, strlen(value), value);
	}
	return all.data;
}

/*
 * A record with neither id, source_id, e-mail address nor phone number is known
 * by its values, so that importing the file again adds nothing.  The second of
 * two records that say the same is another lead, not a duplicate.
 */
static void
set_fingerprint(LsImport *import, LsImportRow *row)
{
	bytea *digest = DatumGetByteaPP(DirectFunctionCall1(
		sha256_bytea, PointerGetDatum(cstring_to_text(all_values(&row->input)))));
	Fingerprint *entry;
	bool found;
	StringInfoData id;
	int i;

	entry = hash_search(import->fingerprints, VARDATA_ANY(digest), HASH_ENTER, &found);
	entry->seen = found ? entry->seen + 1 : 1;
	initStringInfo(&id);
	appendStringInfoString(&id, "row:");
	for (i = 0; i < 16; i++)
		appendStringInfo(&id, "%02x", (unsigned char) entry->digest[i]);
	if (entry->seen > 1)
		appendStringInfo(&id, "-%d", entry->seen);
	row->input.values[LEAD_source_id] = CStringGetTextDatum(id.data);
	row->input.set[LEAD_source_id] = true;
}

/* Put a row into the batch; writes the batch when it is full. */
void
ls_import_add_row(LsImport *import, LsImportRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(import->batch_context);

	if (!row->input.set[LEAD_source])
	{
		row->input.values[LEAD_source] = CStringGetTextDatum(import->options.source);
		row->input.set[LEAD_source] = true;
	}
	if (!row->input.set[LEAD_id] && !row->input.set[LEAD_source_id] &&
		!row->input.set[LEAD_email] && !row->input.set[LEAD_phone_number])
		set_fingerprint(import, row);
	MemoryContextSwitchTo(caller);
	import->rows[import->n_rows++] = row;
	if (import->n_rows == import->batch_size)
		ls_import_flush(import);
}

/* Report a row that is rejected, or taken with a warning. */
void
ls_import_problem(LsImport *import, int line, const char *raw, size_t raw_len, const char *column,
	bool rejected, int sqlstate, const char *reason)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_import_errors"
		" (organization_id, import_id, line, raw_text, column_name, severity, sqlstate, reason, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		UUIDOID, UUIDOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	if (rejected)
		import->counts.rejected++;
	else
		import->counts.warnings++;
	pgstat_progress_update_param(PROGRESS_COPY_TUPLES_EXCLUDED, import->counts.rejected);
	if (import->counts.rejected + import->counts.warnings > import->max_errors)
		return;
	ls_arg_uuid(&args, &import->org);
	ls_arg_uuid(&args, &import->id);
	ls_arg_int32(&args, line);
	ls_arg_text(&args, pnstrdup(raw, raw_len));
	ls_arg_text(&args, column);
	ls_arg_text(&args, rejected ? "rejected" : "warning");
	ls_arg_text(&args, unpack_sql_state(sqlstate));
	ls_arg_text(&args, reason);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Write what is left, and the counts. */
void
ls_import_finish(LsImport *import)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_imports SET status = 'completed', row_count = $3, inserted_count = $4,"
		"       updated_count = $5, duplicate_count = $6, rejected_count = $7, blocked_count = $8,"
		"       warning_count = $9, finished_at = $10"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID,
		TIMESTAMPTZOID);
	const LsImportCounts *counts = &import->counts;
	LsScope scope;
	LsArgs args = {0};

	ls_import_flush(import);
	ls_arg_uuid(&args, &import->org);
	ls_arg_uuid(&args, &import->id);
	ls_arg_int32(&args, counts->rows);
	ls_arg_int32(&args, counts->inserted);
	ls_arg_int32(&args, counts->updated);
	ls_arg_int32(&args, counts->duplicate);
	ls_arg_int32(&args, counts->rejected);
	ls_arg_int32(&args, counts->blocked);
	ls_arg_int32(&args, counts->warnings);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	pgstat_progress_end_command();
}
