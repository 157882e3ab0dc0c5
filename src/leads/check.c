/*-------------------------------------------------------------------------
 *
 * check.c
 *	  Would the table take these values?
 *
 *	  The CHECK constraints of leads, whoever made them, are evaluated on what
 *	  comes in, before anything is written, and with them what the row trigger
 *	  says of single values.  A bulk load thus finds the rows that are at fault
 *	  without writing, being refused, and trying again in parts.
 *
 *	  A column that is not set may still get a value, from a default, a trigger,
 *	  or the lead that the input is merged into.  It counts as null, which is
 *	  right as long as null means "unknown": what is false then is false for any
 *	  value.  A constraint that does something else with nulls is evaluated only
 *	  if all its columns are set.
 *
 *	  The row that the table is given need not have the values that come in: a
 *	  trigger of the user's may change any of them, our own changes some, and
 *	  others are merged with what a lead has.  What is found is certain only when
 *	  none of that can be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "nodes/readfuncs.h"
#include "optimizer/optimizer.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/query.h"
#include "leads/check.h"

/* Bytes of a value that a message shows. */
#define SHOWN 60

/* A CHECK constraint, and the columns that it is about. */
typedef struct Check
{
	char *name;
	ExprState *state;
	bool usable;     /* it is enforced, and about columns that are known here */
	bool sees_nulls; /* null is not just "unknown" to it */
	int n_columns;   /* that it uses */
	bool uses[LEAD_N_COLUMNS];
} Check;

struct LsLeadChecker
{
	Relation rel;
	const LsLeadMap *map;
	EState *estate;
	TupleTableSlot *slot;
	bool has_hooks; /* what comes in may be changed by what is not ours */
	Check *checks;
	int n;
};

/* For check_functions_in_node: is it called with nulls? */
static bool
is_not_strict(Oid function, void *context)
{
	return !func_strict(function);
}

/* Does an expression do anything with a null but pass it on? */
static bool
sees_nulls(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_NullTest:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_RowCompareExpr:
			return true;
		case T_ArrayExpr:
		case T_RowExpr:
			if (contain_var_clause(node))
				return true;
			break;
		default:
			break;
	}
	return check_functions_in_node(node, is_not_strict, context) ||
		   expression_tree_walker(node, sees_nulls, context);
}

/* Prepare a constraint. */
static void
check_init(LsLeadChecker *checker, const ConstrCheck *constraint, Check *check)
{
	Node *expression = stringToNode(constraint->ccbin);
	Bitmapset *attributes = NULL;
	int known = 0;
	int i;

	pull_varattnos(expression, 1, &attributes);
	check->name = pstrdup(constraint->ccname);
	check->state = ExecPrepareExpr((Expr *) expression, checker->estate);
	check->sees_nulls = sees_nulls(expression, NULL);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		check->uses[i] =
			bms_is_member(checker->map->attnum[i] - FirstLowInvalidHeapAttributeNumber, attributes);
		known += check->uses[i];
	}
	check->n_columns = known;
	/* Columns of the user's, and the row as a whole, are not known. */
	check->usable = ls_check_is_enforced(constraint) && known == bms_num_members(attributes);
}

/* Is there a rule, or a trigger before rows are written, that is not ours? */
static bool
has_hooks(Relation rel)
{
	const TriggerDesc *triggers = rel->trigdesc;
	int i;

	for (i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_BEFORE(trigger->tgtype) && TRIGGER_FOR_ROW(trigger->tgtype) &&
			get_func_namespace(trigger->tgfoid) != RelationGetNamespace(rel))
			return true;
	}
	return rel->rd_rules != NULL;
}

/* Start checking. */
LsLeadChecker *
ls_lead_checker_open(void)
{
	LsLeadChecker *checker = palloc0(sizeof(LsLeadChecker));
	TupleConstr *constraints;
	MemoryContext caller;
	int i;

	checker->rel = table_open(ls_relation_oid("leads", false), AccessShareLock);
	checker->map = ls_lead_map(checker->rel);
	checker->has_hooks = has_hooks(checker->rel);
	checker->estate = CreateExecutorState();
	caller = MemoryContextSwitchTo(checker->estate->es_query_cxt);
	checker->slot = MakeSingleTupleTableSlot(RelationGetDescr(checker->rel), &TTSOpsVirtual);
	constraints = RelationGetDescr(checker->rel)->constr;
	checker->n = constraints ? constraints->num_check : 0;
	checker->checks = palloc0(sizeof(Check) * Max(checker->n, 1));
	for (i = 0; i < checker->n; i++)
		check_init(checker, &constraints->check[i], &checker->checks[i]);
	MemoryContextSwitchTo(caller);
	return checker;
}

/* Is a value that the table would not take refused for sure, whatever else is written? */
bool
ls_lead_checker_is_certain(const LsLeadChecker *checker)
{
	return !checker->has_hooks;
}

/* Is what comes in what will be written, also into a lead that exists? */
static bool
is_taken_as_it_is(LsLeadColumn column)
{
	Oid type = ls_lead_columns[column].type;
	int flags = ls_lead_columns[column].flags;

	switch (column)
	{
		case LEAD_status:
		case LEAD_pipeline_id:
		case LEAD_lost_reason:
			return false;
		default:
			return !ls_lead_fills_only(column) && type != JSONBOID && type != TEXTARRAYOID &&
				   !(flags & (LS_LEAD_STICKY | LS_LEAD_STAMP)) &&
				   (!(flags & LS_LEAD_DERIVED) || (flags & LS_LEAD_ENGAGEMENT));
	}
}

/* Does a constraint hold?  Of one column of the input, unless it is LEAD_NONE. */
static bool
holds(LsLeadChecker *checker, Check *check, const LsLeadInput *input, LsLeadColumn only)
{
	ExprContext *context = GetPerTupleExprContext(checker->estate);
	TupleTableSlot *slot = checker->slot;
	int i;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (!check->uses[i] || !input->set[i] || (only != LEAD_NONE && only != (LsLeadColumn) i))
			continue;
		slot->tts_values[checker->map->attnum[i] - 1] = input->values[i];
		slot->tts_isnull[checker->map->attnum[i] - 1] = false;
	}
	ExecStoreVirtualTuple(slot);
	context->ecxt_scantuple = slot;
	return ExecCheck(check->state, context);
}

/* A value for a message. */
static char *
shown(const LsLeadInput *input, LsLeadColumn column)
{
	Oid function;
	bool is_varlena;
	char *text;
	int len;

	getTypeOutputInfo(ls_lead_columns[column].type, &function, &is_varlena);
	text = OidOutputFunctionCall(function, input->values[column]);
	len = strlen(text);
	if (len <= SHOWN)
		return text;
	return psprintf("%s...", pnstrdup(text, pg_mbcliplen(text, len, SHOWN)));
}

/*
 * Say which column is at fault; the last one, if it is how several go together.
 * A constraint that does something with nulls says nothing of a column without
 * the others.
 */
static void
explain(LsLeadChecker *checker, Check *check, const LsLeadInput *input, LsLeadFault *fault)
{
	bool alone = !check->sees_nulls || check->n_columns == 1;
	int i;

	fault->error.sqlstate = ERRCODE_CHECK_VIOLATION;
	fault->constraint = pstrdup(check->name);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (!check->uses[i] || !input->set[i])
			continue;
		fault->column = (LsLeadColumn) i;
		fault->certain = fault->certain && is_taken_as_it_is(fault->column);
	}
	for (i = 0; alone && i < LEAD_N_COLUMNS; i++)
	{
		if (!check->uses[i] || !input->set[i] || holds(checker, check, input, (LsLeadColumn) i))
			continue;
		fault->column = (LsLeadColumn) i;
		fault->error.message = psprintf("\"%s\" is not a value of %s (constraint \"%s\")",
			shown(input, fault->column), ls_lead_columns[i].name, check->name);
		return;
	}
	fault->error.message = psprintf("%s does not go with the rest of the row (constraint \"%s\")",
		ls_lead_columns[fault->column].name, check->name);
}

/* What the row trigger says of single values. */
static bool
check_values(const LsLeadInput *input, LsLeadFault *fault)
{
	int i;

	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (input->set[i] && ls_lead_columns[i].type == TIMESTAMPTZOID &&
			TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(input->values[i])))
		{
			fault->column = (LsLeadColumn) i;
			fault->error.sqlstate = ERRCODE_DATETIME_VALUE_OUT_OF_RANGE;
			fault->error.message =
				psprintf("\"%s\" of a lead must be a finite time", ls_lead_columns[i].name);
			fault->certain = fault->certain && is_taken_as_it_is(fault->column);
			return false;
		}
	}
	if (input->set[LEAD_timezone] &&
		pg_tzset(TextDatumGetCString(input->values[LEAD_timezone])) == NULL)
	{
		fault->column = LEAD_timezone;
		fault->error.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
		fault->error.message =
			psprintf("unrecognized time zone \"%s\"", ls_lead_input_text(input, LEAD_timezone));
		return false;
	}
	return true;
}

/* Can a constraint say something about the columns that are set? */
static bool
can_judge(const Check *check, const LsLeadInput *input)
{
	bool any = false;
	int i;

	for (i = 0; i < LEAD_N_COLUMNS && check->usable; i++)
	{
		if (!check->uses[i])
			continue;
		if (!input->set[i] && check->sees_nulls)
			return false;
		any = any || input->set[i];
	}
	return any;
}

/*
 * Would the table take the values?  If not, *fault says why.  Functions in a
 * constraint may raise errors of their own.
 */
bool
ls_lead_check(LsLeadChecker *checker, const LsLeadInput *input, LsLeadFault *fault)
{
	bool passes;
	int i;

	memset(fault, 0, sizeof(LsLeadFault));
	fault->certain = ls_lead_checker_is_certain(checker);
	passes = check_values(input, fault);

	for (i = 0; i < checker->n && passes; i++)
	{
		Check *check = &checker->checks[i];

		if (!can_judge(check, input) || holds(checker, check, input, LEAD_NONE))
			continue;
		explain(checker, check, input, fault);
		passes = false;
	}
	ResetPerTupleExprContext(checker->estate);
	return passes;
}

/* End checking. */
void
ls_lead_checker_close(LsLeadChecker *checker)
{
	ExecDropSingleTupleTableSlot(checker->slot);
	FreeExecutorState(checker->estate);
	table_close(checker->rel, AccessShareLock);
	pfree(checker);
}
