/*-------------------------------------------------------------------------
 *
 * sequences.c
 *	  Triggers of nurture_sequences and of its enrolments.
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
#include "core/transition.h"
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

/* What rows count for, per sequence. */
#define COUNTS(rows, sign) \
	"SELECT organization_id, sequence_id, " sign "1 AS n," \
	" CASE status WHEN 'active' THEN " sign "1 ELSE 0 END AS active," \
	" CASE status WHEN 'completed' THEN " sign "1 ELSE 0 END AS completed FROM " rows

/* The sequences are locked in the order of their ids before the first is written. */
#define KEEP_COUNTS(rows) \
	"WITH d AS MATERIALIZED (SELECT organization_id, sequence_id, pg_catalog.sum(n)::integer AS n," \
	"   pg_catalog.sum(active)::integer AS active, pg_catalog.sum(completed)::integer AS completed" \
	"  FROM (" rows ") r GROUP BY organization_id, sequence_id" \
	"  HAVING pg_catalog.sum(n) <> 0 OR pg_catalog.sum(active) <> 0 OR pg_catalog.sum(completed) <> 0)," \
	" l AS MATERIALIZED (SELECT s.organization_id, s.id, d.n, d.active, d.completed" \
	"  FROM lead_system.nurture_sequences s JOIN d ON d.organization_id = s.organization_id" \
	"   AND d.sequence_id = s.id ORDER BY s.id FOR NO KEY UPDATE OF s)" \
	" UPDATE lead_system.nurture_sequences s SET" \
	"  total_enrollments = s.total_enrollments + l.n," \
	"  active_enrollments = s.active_enrollments + l.active," \
	"  completed_enrollments = s.completed_enrollments + l.completed" \
	"  FROM l WHERE s.organization_id = l.organization_id AND s.id = l.id"

PG_FUNCTION_INFO_V1(ls_nurture_enrollments_changed);

/* lead_sequence_enrollments_changed(): AFTER statement triggers; keeps the counts. */
Datum
ls_nurture_enrollments_changed(PG_FUNCTION_ARGS)
{
	static const char *const inserted[] = {KEEP_COUNTS(COUNTS("new_rows", "")), NULL};
	static const char *const updated[] = {
		KEEP_COUNTS(COUNTS("new_rows", "") " UNION ALL " COUNTS("old_rows", "-")), NULL};
	static const char *const deleted[] = {KEEP_COUNTS(COUNTS("old_rows", "-")), NULL};
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "lead_sequence_enrollments_changed", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "lead_sequence_enrollments");

	if (!ls_org_is_leaving(NULL))
		ls_transition_run(trigdata,
			TRIGGER_FIRED_BY_INSERT(trigdata->tg_event)   ? inserted
			: TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? updated
														  : deleted,
			0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}
