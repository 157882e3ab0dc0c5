/*-------------------------------------------------------------------------
 *
 * sequences.c
 *	  The trigger that checks nurture_sequences.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "lead_system.h"
#include "core/json.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "nurture/nurture.h"

/* A jsonb column of the new row; NULL when it is null. */
static Jsonb *
json_column(TriggerData *trigdata, HeapTuple tuple, const char *column)
{
	Relation rel = trigdata->tg_relation;
	bool isnull;
	Datum value =
		SPI_getbinval(tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, column), &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

/*
 * The numbers of a new sequence are 1 to n.  A step that is removed later leaves
 * a gap, so that leads in the middle are where they were; a sequence with gaps
 * comes back from a dump, whose sessions have row_security off.
 */
static void
check_numbers(const LsNurtureSteps *steps)
{
	int i;

	for (i = 0; i < steps->n; i++)
	{
		if (steps->steps[i].number != i + 1)
			ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no step %d", i + 1),
					errdetail("The steps of a new sequence are numbered from 1 without gaps.")));
	}
}

PG_FUNCTION_INFO_V1(ls_nurture_sequences_check);

/* nurture_sequences_check(): BEFORE row trigger of nurture_sequences. */
Datum
ls_nurture_sequences_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "nurture_sequences_check",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "nurture_sequences");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	Relation rel = trigdata->tg_relation;
	Jsonb *steps_json = json_column(trigdata, tuple, "steps");
	Jsonb *conditions = json_column(trigdata, tuple, "trigger_conditions");
	LsNurtureSteps steps;
	int attnum;
	Datum value;
	bool isnull = false;

	if (conditions != NULL && JB_ROOT_IS_OBJECT(conditions))
		ls_nurture_auto_check(conditions);
	if (steps_json == NULL)
		return PointerGetDatum(tuple); /* the column refuses that */
	ls_nurture_steps_parse(steps_json, &steps);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) && row_security)
		check_numbers(&steps);
	attnum = ls_trigger_attnum(rel, "steps");
	value = JsonbPGetDatum(ls_nurture_steps_sorted(steps_json, &steps));
	return PointerGetDatum(
		heap_modify_tuple_by_cols(tuple, RelationGetDescr(rel), 1, &attnum, &value, &isnull));
}
