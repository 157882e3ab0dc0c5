/*-------------------------------------------------------------------------
 *
 * trigger.c
 *	  Trigger prologue, and the triggers that any table can have: updated_at
 *	  and append-only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/tenant.h"
#include "core/trigger.h"

/* Raise a protocol violation: the function was attached to a wrong trigger. */
static void
trigger_violation(const char *function, const char *expected)
{
	ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					   errmsg("function \"%s\" must be fired %s", function, expected)));
}

/* Does a trigger's timing and level match? */
static bool
trigger_kind_matches(TriggerEvent event, LsTriggerKind kind)
{
	switch (kind)
	{
		case LS_TRIGGER_BEFORE_ROW:
			return TRIGGER_FIRED_BEFORE(event) && TRIGGER_FIRED_FOR_ROW(event);
		case LS_TRIGGER_AFTER_ROW:
			return TRIGGER_FIRED_AFTER(event) && TRIGGER_FIRED_FOR_ROW(event);
		case LS_TRIGGER_BEFORE_STATEMENT:
			return TRIGGER_FIRED_BEFORE(event) && TRIGGER_FIRED_FOR_STATEMENT(event);
		case LS_TRIGGER_AFTER_STATEMENT:
			return TRIGGER_FIRED_AFTER(event) && TRIGGER_FIRED_FOR_STATEMENT(event);
	}
	return false;
}

/* The event as one of our mask bits. */
static int
trigger_event_bit(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return LS_TRIGGER_INSERT;
	if (TRIGGER_FIRED_BY_UPDATE(event))
		return LS_TRIGGER_UPDATE;
	if (TRIGGER_FIRED_BY_DELETE(event))
		return LS_TRIGGER_DELETE;
	return LS_TRIGGER_TRUNCATE;
}

/*
 * Is this the relation that a trigger function was written for?  A shard of a
 * distributed table carries the table's name and a number.
 */
static bool
trigger_relation_matches(Relation rel, const char *relname)
{
	const char *actual = RelationGetRelationName(rel);
	size_t len = strlen(relname);
	const char *p;

	if (strncmp(actual, relname, len) != 0)
		return false;
	if (actual[len] == '\0')
		return true;
	if (actual[len] != '_' || actual[len + 1] == '\0')
		return false;
	for (p = actual + len + 1; *p != '\0'; p++)
	{
		if (!isdigit((unsigned char) *p))
			return false;
	}
	return true;
}

/*
 * First call of every trigger function: was it called as a trigger, of the
 * kind, for the event and on the relation (any, if NULL) it was written for?
 */
TriggerData *
ls_trigger_check(FunctionCallInfo fcinfo, const char *function, LsTriggerKind kind, int events,
	const char *relname)
{
	static const char *const kinds[] = {
		"BEFORE ROW", "AFTER ROW", "BEFORE STATEMENT", "AFTER STATEMENT"};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						   errmsg("function \"%s\" was not called by trigger manager", function)));
	if (!trigger_kind_matches(trigdata->tg_event, kind))
		trigger_violation(function, kinds[kind]);
	if ((trigger_event_bit(trigdata->tg_event) & events) == 0)
		trigger_violation(function, "for another event");
	if (relname != NULL && !trigger_relation_matches(trigdata->tg_relation, relname))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						   errmsg("function \"%s\" must be fired for relation \"%s\", not \"%s\"",
							   function, relname, RelationGetRelationName(trigdata->tg_relation))));
	return trigdata;
}

/* Has the trigger the arguments that its function takes: n, or pairs when n is 0? */
void
ls_trigger_check_args(TriggerData *trigdata, const char *function, int n)
{
	int actual = trigdata->tg_trigger->tgnargs;

	if (n > 0 ? actual != n : actual % 2 != 0)
		ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("trigger \"%s\" has the wrong number of arguments for function \"%s\"",
					trigdata->tg_trigger->tgname, function)));
}

/* Rows are being moved as they are: into the archive, to another lead, or back. */
static bool rows_are_moved = false;

/*
 * Say that rows are written as they have been.  Ordinary triggers do not fire
 * then (see merge/exact.c); those that are ENABLE ALWAYS ask.
 */
void
ls_rows_set_moved(bool moved)
{
	rows_are_moved = moved;
}

bool
ls_rows_are_moved(void)
{
	return rows_are_moved;
}

/* The row that a BEFORE or AFTER ROW trigger is about. */
HeapTuple
ls_trigger_new_tuple(TriggerData *trigdata)
{
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple
													   : trigdata->tg_trigtuple;
}

/* A column's number by name; the table belongs to the user, so it may vary. */
int
ls_trigger_attnum(Relation rel, const char *column)
{
	int attnum = SPI_fnumber(RelationGetDescr(rel), column);

	if (attnum <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						   errmsg("column \"%s\" of relation \"%s\" does not exist", column,
							   RelationGetRelationName(rel))));
	return attnum;
}

/* Does a trigger fire whatever session_replication_role says? */
bool
ls_trigger_fires_always(Relation rel, const char *name)
{
	int i;

	for (i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (strcmp(rel->trigdesc->triggers[i].tgname, name) == 0)
			return rel->trigdesc->triggers[i].tgenabled == TRIGGER_FIRES_ALWAYS;
	}
	return false;
}

PG_FUNCTION_INFO_V1(ls_core_touch_updated_at);

/*
 * touch_updated_at(): BEFORE UPDATE row trigger.  Sets updated_at to the time
 * that rules go by.
 */
Datum
ls_core_touch_updated_at(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "touch_updated_at", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_UPDATE, NULL);
	int attnum = ls_trigger_attnum(trigdata->tg_relation, "updated_at");
	Datum now = TimestampTzGetDatum(ls_clock_now());
	bool isnull = false;

	return PointerGetDatum(heap_modify_tuple_by_cols(
		trigdata->tg_newtuple, RelationGetDescr(trigdata->tg_relation), 1, &attnum, &now, &isnull));
}

PG_FUNCTION_INFO_V1(ls_core_stamp_user);

/*
 * stamp_user(column): BEFORE row trigger.  Who made a row is what the session
 * says; only who is above the policies may write it, to bring in old data.
 */
Datum
ls_core_stamp_user(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "stamp_user", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	int attnum;
	pg_uuid_t user;
	Datum value;
	bool isnull;

	ls_trigger_check_args(trigdata, "stamp_user", 1);
	attnum = ls_trigger_attnum(trigdata->tg_relation, trigdata->tg_trigger->tgargs[0]);
	if (!ls_caller_is_confined(trigdata->tg_relation))
		return PointerGetDatum(tuple);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		value = SPI_getbinval(trigdata->tg_trigtuple, desc, attnum, &isnull);
	else
	{
		isnull = !ls_current_user(&user);
		value = UUIDPGetDatum(&user);
	}
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, 1, &attnum, &value, &isnull));
}
