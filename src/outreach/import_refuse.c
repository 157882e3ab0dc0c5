/*-------------------------------------------------------------------------
 *
 * import_refuse.c
 *	  Rows that are refused: which they are, and what is told of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"
#include "leads/check.h"
#include "outreach/import_write.h"

/* Is there what a row refers to?  Names have been looked up when they were read. */
static bool
check_references(const LsImport *import, const LsLeadInput *input, LsLeadFault *fault)
{
	static const struct
	{
		LsLeadColumn column;
		const char *relname;
	} references[] = {{LEAD_assigned_to, "users"}, {LEAD_category_id, "categories"}};
	int i;

	for (i = 0; i < (int) lengthof(references); i++)
	{
		LsLeadColumn column = references[i].column;

		if (!input->set[column] || ls_row_exists(references[i].relname, &import->org,
									   DatumGetUUIDP(input->values[column])))
			continue;
		fault->column = column;
		fault->error.sqlstate = ERRCODE_FOREIGN_KEY_VIOLATION;
		fault->error.message =
			psprintf("%s refers to what does not exist", ls_lead_columns[column].name);
		return false;
	}
	return true;
}

/* Check rows of the batch; what is found stays in the batch's context. */
static void
check_rows(LsImport *import, int first, int n)
{
	LsScope scope;
	LsLeadChecker *checker;
	int i;

	/* As the owner, like the statement that will write the rows. */
	ls_scope_open(&scope, LS_AS_OWNER);
	MemoryContextSwitchTo(import->batch_context);
	checker = ls_lead_checker_open();
	import->may_be_changed = !ls_lead_checker_is_certain(checker);
	for (i = first; i < first + n; i++)
	{
		LsImportRow *row = import->rows[i];

		row->suspect = !ls_lead_check(checker, &row->input, &row->suspicion) ||
					   !check_references(import, &row->input, &row->suspicion);
	}
	ls_lead_checker_close(checker);
	ls_scope_close(&scope);
}

/* Check in a subtransaction, since constraints of others may raise errors. */
static bool
try_check(LsImport *import, int first, int n)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		check_rows(import, first, n);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (!ls_import_is_row_error(error->sqlerrcode))
			ReThrowError(error);
		ls_import_show_progress(import);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

/* Check rows; of one that a constraint raises an error for, writing will tell. */
static void
check_all(LsImport *import, int first, int n)
{
	if (try_check(import, first, n))
		return;
	if (n == 1)
	{
		import->rows[first]->suspect = true;
		memset(&import->rows[first]->suspicion, 0, sizeof(LsLeadFault));
		return;
	}
	check_all(import, first, n / 2);
	check_all(import, first + n / 2, n - n / 2);
}

/*
 * Find the rows that the table may refuse.  What it refuses for sure is taken
 * out of the batch and reported.  Where leads that exist are not updated, what
 * a row becomes depends on the rows before it, and the table decides.
 */
void
ls_import_check_rows(LsImport *import)
{
	int n = 0;
	int i;

	check_all(import, 0, import->n_rows);
	for (i = 0; i < import->n_rows; i++)
	{
		LsImportRow *row = import->rows[i];

		if (row->suspect && row->suspicion.certain &&
			import->options.on_duplicate == LS_IMPORT_MERGE)
			ls_import_problem(import, row->line, row->raw, strlen(row->raw),
				ls_lead_columns[row->suspicion.column].name, true, row->suspicion.error.sqlstate,
				row->suspicion.error.message);
		else
			import->rows[n++] = row;
	}
	import->n_rows = n;
}

/* The column of leads that a constraint is about, next to the organisation. */
static char *
constraint_column(Oid relid, Oid constraint)
{
	HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	char *name = NULL;
	bool isnull;
	Datum keys;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	keys = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey, &isnull);
	if (!isnull)
	{
		ArrayType *array = DatumGetArrayTypeP(keys);
		int16 *numbers = (int16 *) ARR_DATA_PTR(array);
		int i;

		for (i = 0; i < ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) && name == NULL; i++)
		{
			name = get_attname(relid, numbers[i], true);
			if (name != NULL && strcmp(name, "organization_id") == 0)
				name = NULL;
		}
	}
	ReleaseSysCache(tuple);
	return name;
}

/* The same for an index. */
static char *
index_column(Oid relid, Oid index)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	char *name = NULL;
	int i;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	for (i = 0; i < ((Form_pg_index) GETSTRUCT(tuple))->indnkeyatts && name == NULL; i++)
	{
		AttrNumber attnum = ((Form_pg_index) GETSTRUCT(tuple))->indkey.values[i];

		name = attnum > 0 ? get_attname(relid, attnum, true) : NULL;
		if (name != NULL && strcmp(name, "organization_id") == 0)
			name = NULL;
	}
	ReleaseSysCache(tuple);
	return name;
}

/* The column that an error is about; NULL when it does not say. */
char *
ls_import_column_at_fault(const ErrorData *error)
{
	Oid relid = ls_relation_oid("leads", false);
	Oid constraint;
	Oid index;

	if (error->column_name != NULL)
		return error->column_name;
	if (error->sqlerrcode == LS_ERRCODE_STATUS_STEP)
		return "status";
	if (error->constraint_name == NULL || error->table_name == NULL ||
		strcmp(error->table_name, "leads") != 0)
		return NULL;
	constraint = get_relation_constraint_oid(relid, error->constraint_name, true);
	if (OidIsValid(constraint))
		return constraint_column(relid, constraint);
	index = get_relname_relid(error->constraint_name, get_rel_namespace(relid));
	return OidIsValid(index) ? index_column(relid, index) : NULL;
}

/*
 * What is wrong, in words.  What the server adds to a constraint's name, the
 * whole row and internal columns, is left out.
 */
static const char *
reason_of(const ErrorData *error, const char *column)
{
	const char *what = column ? column : "value";

	if (error->constraint_name == NULL)
		return error->detail ? psprintf("%s (%s)", error->message, error->detail) : error->message;
	switch (error->sqlerrcode)
	{
		case ERRCODE_UNIQUE_VIOLATION:
			return psprintf("another lead has the same %s", what);
		case ERRCODE_FOREIGN_KEY_VIOLATION:
			return psprintf("%s refers to what does not exist", what);
		case ERRCODE_CHECK_VIOLATION:
			return psprintf(
				"%s is not acceptable (constraint \"%s\")", what, error->constraint_name);
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return psprintf("%s is too long for index \"%s\"", what, error->constraint_name);
		default:
			return error->message;
	}
}

/* Is an error what the check of a row has said before? */
static bool
was_suspected(const LsImportRow *row, const ErrorData *error)
{
	const char *suspected = row->suspicion.constraint;

	if (!row->suspect || row->suspicion.error.sqlstate != error->sqlerrcode)
		return false;
	return suspected == NULL || error->constraint_name == NULL
			   ? suspected == error->constraint_name
			   : strcmp(suspected, error->constraint_name) == 0;
}

/* Report the one row that is at fault. */
void
ls_import_reject_row(LsImport *import, const LsImportRow *row, const ErrorData *error)
{
	const char *column = ls_import_column_at_fault(error);
	const char *reason = reason_of(error, column);

	if (was_suspected(row, error))
	{
		column = ls_lead_columns[row->suspicion.column].name;
		reason = row->suspicion.error.message;
	}
	ls_import_problem(
		import, row->line, row->raw, strlen(row->raw), column, true, error->sqlerrcode, reason);
}
