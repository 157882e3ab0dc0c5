/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  What the row triggers of the marketplace ask of single columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/trigger.h"
#include "marketplace/internal.h"

/* A column of a new row that must not be null; "what" is the word for the row. */
Datum
ls_market_required(TriggerData *trigdata, const char *what, const char *column)
{
	Relation rel = trigdata->tg_relation;
	int attnum = ls_trigger_attnum(rel, column);
	bool isnull;
	Datum value = SPI_getbinval(trigdata->tg_trigtuple, RelationGetDescr(rel), attnum, &isnull);

	if (isnull)
		ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
				errmsg("\"%s\" of a %s must not be null", column, what), errtablecol(rel, attnum)));
	return value;
}

/* Refuse an update that changes one of some columns; the erasure of a lead may. */
void
ls_market_refuse_changes(
	TriggerData *trigdata, const char *what, const char *const *columns, int n, const char *hint)
{
	Relation rel = trigdata->tg_relation;
	TupleDesc desc = RelationGetDescr(rel);
	int i;

	if (ls_row_is_being_erased(trigdata))
		return;
	for (i = 0; i < n; i++)
	{
		int attnum = ls_trigger_attnum(rel, columns[i]);
		Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
		bool old_null;
		bool new_null;
		Datum old_value = SPI_getbinval(trigdata->tg_trigtuple, desc, attnum, &old_null);
		Datum new_value = SPI_getbinval(trigdata->tg_newtuple, desc, attnum, &new_null);

		if (old_null != new_null ||
			(!old_null && !datum_image_eq(old_value, new_value, att->attbyval, att->attlen)))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							   errmsg("\"%s\" of a %s cannot be changed", columns[i], what),
							   errhint("%s", hint), errtablecol(rel, attnum)));
	}
}
