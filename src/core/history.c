/*-------------------------------------------------------------------------
 *
 * history.c
 *	  Trigger functions for append-only tables and for optional references.
 *
 *	  No level has the right to change a history; append_only() also stops a
 *	  superuser's slip.  What may remove rows is the deletion of the row that
 *	  they are about, by which time that row is gone.
 *
 *	  Optional references are cleared by clear_references() instead of ON
 *	  DELETE SET NULL, which a composite key that contains the tenant does not
 *	  allow (it would clear organization_id, too).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"

/* A uuid column of the row that a trigger fired for; false when it is null. */
static bool
row_uuid(TriggerData *trigdata, const char *column, pg_uuid_t *value)
{
	Relation rel = trigdata->tg_relation;
	bool isnull;
	Datum datum = SPI_getbinval(
		trigdata->tg_trigtuple, RelationGetDescr(rel), ls_trigger_attnum(rel, column), &isnull);

	if (!isnull)
		*value = *DatumGetUUIDP(datum);
	return !isnull;
}

/* Is the parent row that a pair of trigger arguments names gone? */
static bool
parent_is_gone(TriggerData *trigdata, const char *parent, const char *column)
{
	pg_uuid_t org;
	pg_uuid_t id;

	return row_uuid(trigdata, "organization_id", &org) && row_uuid(trigdata, column, &id) &&
		   !ls_row_exists(parent, &org, &id);
}

/* The lead whose histories are being rewritten, and its organisation. */
static pg_uuid_t open_org;
static pg_uuid_t open_lead;
static bool is_open = false;

/*
 * Let the rows of a lead's histories be changed, until it is called with NULL.
 * For the erasure of personal data alone.
 */
void
ls_histories_open(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	is_open = (lead != NULL);
	if (is_open)
	{
		open_org = *org;
		open_lead = *lead;
	}
}

/*
 * Is an update of a row part of the erasure of its lead?  Also when it belongs to
 * none, and has the number of that lead.
 */
bool
ls_row_is_being_erased(TriggerData *trigdata)
{
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	pg_uuid_t org;
	pg_uuid_t lead;

	if (!is_open || SPI_fnumber(desc, "lead_id") <= 0)
		return false;
	if (SPI_fnumber(desc, "subject_id") > 0 && row_uuid(trigdata, "subject_id", &lead) &&
		ls_uuid_equal(&lead, &open_lead))
		return true;
	return row_uuid(trigdata, "organization_id", &org) && ls_uuid_equal(&org, &open_org) &&
		   (!row_uuid(trigdata, "lead_id", &lead) || ls_uuid_equal(&lead, &open_lead));
}

/* May this row of a history be deleted?  With its organisation or its parent. */
static bool
may_go(TriggerData *trigdata)
{
	Trigger *trigger = trigdata->tg_trigger;
	pg_uuid_t org;
	int i;

	if (row_uuid(trigdata, "organization_id", &org) && ls_org_is_leaving(&org))
		return true;
	for (i = 0; i + 1 < trigger->tgnargs; i += 2)
	{
		if (parent_is_gone(trigdata, trigger->tgargs[i], trigger->tgargs[i + 1]))
			return true;
	}
	return false;
}

PG_FUNCTION_INFO_V1(ls_core_append_only);

/*
 * append_only(parent, column, ...): BEFORE UPDATE OR DELETE row trigger, and
 * BEFORE TRUNCATE statement trigger.
 */
Datum
ls_core_append_only(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool for_row = CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_FOR_ROW(trigdata->tg_event);

	trigdata = ls_trigger_check(fcinfo, "append_only",
		for_row ? LS_TRIGGER_BEFORE_ROW : LS_TRIGGER_BEFORE_STATEMENT,
		LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE | LS_TRIGGER_TRUNCATE, NULL);
	ls_trigger_check_args(trigdata, "append_only", 0);
	if (for_row && TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) && may_go(trigdata))
		return PointerGetDatum(trigdata->tg_trigtuple);
	if (for_row && TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && ls_row_is_being_erased(trigdata))
		return PointerGetDatum(trigdata->tg_newtuple);
	if (!for_row)
		ereport(ERROR, (errcode(LS_ERRCODE_APPEND_ONLY),
						   errmsg("table \"%s\" cannot be truncated",
							   RelationGetRelationName(trigdata->tg_relation)),
						   errdetail("What it keeps is not thrown away as a whole.")));
	ereport(ERROR,
		(errcode(LS_ERRCODE_APPEND_ONLY),
			errmsg("table \"%s\" is append-only", RelationGetRelationName(trigdata->tg_relation)),
			errdetail("Its rows are a record of what happened and are never changed.")));
}

PG_FUNCTION_INFO_V1(ls_core_forget_histories);

/*
 * forget_histories(table, column, ...): AFTER DELETE statement trigger.
 * Histories have no foreign keys, so this is their ON DELETE CASCADE.
 */
Datum
ls_core_forget_histories(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "forget_histories", LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_DELETE, NULL);
	Trigger *trigger = trigdata->tg_trigger;
	const char **statements = palloc0(sizeof(char *) * (trigger->tgnargs / 2 + 1));
	int n = 0;
	int i;

	ls_trigger_check_args(trigdata, "forget_histories", 0);
	for (i = 0; i + 1 < trigger->tgnargs; i += 2)
		statements[n++] = psprintf("DELETE FROM %s.%s h USING old_rows o"
								   " WHERE h.organization_id = o.organization_id AND h.%s = o.id",
			LS_SCHEMA, quote_identifier(trigger->tgargs[i]),
			quote_identifier(trigger->tgargs[i + 1]));
	ls_transition_run(trigdata, statements, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(ls_core_clear_references);

/* clear_references(table, column, ...): BEFORE DELETE row trigger. */
Datum
ls_core_clear_references(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "clear_references", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_DELETE, NULL);
	Oid argtypes[2] = {UUIDOID, UUIDOID};
	pg_uuid_t org;
	pg_uuid_t id;
	Datum keys[2] = {UUIDPGetDatum(&org), UUIDPGetDatum(&id)};
	LsScope scope;
	int i;

	ls_trigger_check_args(trigdata, "clear_references", 0);
	if (!row_uuid(trigdata, "organization_id", &org) || !row_uuid(trigdata, "id", &id) ||
		ls_org_is_leaving(&org))
		return PointerGetDatum(trigdata->tg_trigtuple);
	ls_scope_open(&scope, LS_AS_OWNER);
	for (i = 0; i + 1 < trigdata->tg_trigger->tgnargs; i += 2)
	{
		const char *table = quote_identifier(trigdata->tg_trigger->tgargs[i]);
		const char *column = quote_identifier(trigdata->tg_trigger->tgargs[i + 1]);
		char *sql = psprintf("UPDATE %s.%s SET %s = NULL WHERE organization_id = $1 AND %s = $2",
			LS_SCHEMA, table, column, column);
		int rc = SPI_execute_with_args(sql, 2, argtypes, keys, NULL, false, 0);

		if (rc != SPI_OK_UPDATE)
			elog(ERROR, "\"%s\" failed: %s", sql, SPI_result_code_string(rc));
	}
	ls_scope_close(&scope);
	return PointerGetDatum(trigdata->tg_trigtuple);
}

PG_FUNCTION_INFO_V1(ls_core_same_owner);

/*
 * same_owner(parent, column): BEFORE row trigger of a table with built-in rows.
 *
 * A foreign key alone would let a tenant add to a built-in row, or to another
 * tenant's; and it would tell, by which constraint fails, whether that exists.
 */
Datum
ls_core_same_owner(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "same_owner", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	TriggerData new_row = *trigdata;
	char **args = trigdata->tg_trigger->tgargs;
	Oid argtypes[2] = {UUIDOID, UUIDOID};
	pg_uuid_t org;
	pg_uuid_t parent;
	Datum values[2] = {UUIDPGetDatum(&parent), UUIDPGetDatum(&org)};
	char nulls[2] = {' ', ' '};
	LsScope scope;
	bool found;

	ls_trigger_check_args(trigdata, "same_owner", 2);
	new_row.tg_trigtuple = ls_trigger_new_tuple(trigdata);
	if (!row_uuid(&new_row, "organization_id", &org))
		nulls[1] = 'n';
	ls_check_row_org(trigdata->tg_relation, nulls[1] == 'n' ? NULL : &org);
	if (!row_uuid(&new_row, args[1], &parent))
		return PointerGetDatum(new_row.tg_trigtuple);

	ls_scope_open(&scope, LS_AS_OWNER);
	found = SPI_execute_with_args(
				psprintf(
					"SELECT 1 FROM %s.%s WHERE id = $1 AND organization_id IS NOT DISTINCT FROM $2",
					LS_SCHEMA, quote_identifier(args[0])),
				2, argtypes, values, nulls, false, 1) == SPI_OK_SELECT &&
			SPI_processed > 0;
	ls_scope_close(&scope);
	if (!found)
		ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				errmsg("insert or update on table \"%s\" refers to a row that does not exist",
					RelationGetRelationName(trigdata->tg_relation)),
				errdetail("Table \"%s\" has no row \"%s\" of the same organization.", args[0],
					ls_uuid_text(&parent))));
	return PointerGetDatum(new_row.tg_trigtuple);
}
