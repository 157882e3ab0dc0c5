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

/* What a check of a row found. */
typedef struct Verdict
{
	bool refused;
	LsLeadColumn column;
	LsInputError error;
} Verdict;

/* Is there what a row refers to?  Names have been looked up when they were read. */
static bool
check_references(const LsImport *import, const LsLeadInput *input, Verdict *verdict)
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
		verdict->column = column;
		verdict->error.sqlstate = ERRCODE_FOREIGN_KEY_VIOLATION;
		verdict->error.message =
			psprintf("%s refers to what does not exist", ls_lead_columns[column].name);
		return false;
	}
	return true;
}

/* Check the rows of the batch; what is found stays in the batch's context. */
static void
check_rows(LsImport *import, Verdict *verdicts)
{
	LsScope scope;
	LsLeadChecker *checker;
	int i;

	/* As the owner, like the statement that will write the rows. */
	ls_scope_open(&scope, LS_AS_OWNER);
	MemoryContextSwitchTo(import->batch_context);
	checker = ls_lead_checker_open();
	for (i = 0; i < import->n_rows; i++)
	{
		const LsLeadInput *input = &import->rows[i]->input;

		verdicts[i].refused =
			!ls_lead_check(checker, input, &verdicts[i].column, &verdicts[i].error) ||
			!check_references(import, input, &verdicts[i]);
	}
	ls_lead_checker_close(checker);
	ls_scope_close(&scope);
}

/*
 * Check in a subtransaction, since constraints of others may raise errors; then
 * nothing is known, and writing will tell.
 */
static bool
try_check(LsImport *import, Verdict *verdicts)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		check_rows(import, verdicts);
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

/* Take the rows out of the batch that the table would refuse, and report them. */
void
ls_import_refuse_rows(LsImport *import)
{
	Verdict *verdicts = palloc0(sizeof(Verdict) * import->n_rows);
	int n = 0;
	int i;

	if (!try_check(import, verdicts))
		return;
	for (i = 0; i < import->n_rows; i++)
	{
		LsImportRow *row = import->rows[i];

		if (verdicts[i].refused)
			ls_import_problem(import, row->line, row->raw, strlen(row->raw),
				ls_lead_columns[verdicts[i].column].name, true, verdicts[i].error.sqlstate,
				verdicts[i].error.message);
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
static char *
column_at_fault(const ErrorData *error)
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

/* Report the one row that is at fault. */
void
ls_import_reject_row(LsImport *import, const LsImportRow *row, const ErrorData *error)
{
	const char *column = column_at_fault(error);

	ls_import_problem(import, row->line, row->raw, strlen(row->raw), column, true,
		error->sqlerrcode, reason_of(error, column));
}
