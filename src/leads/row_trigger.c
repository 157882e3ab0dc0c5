/*-------------------------------------------------------------------------
 *
 * row_trigger.c
 *	  BEFORE ROW trigger of leads: makes a row right before it is stored,
 *	  whichever way it comes in.
 *
 *	  The row is taken apart once, handed to the steps in order (normalise,
 *	  status, e-mail rule, then those of other domains: do-not-call, score),
 *	  and put together again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/email.h"
#include "core/input.h"
#include "core/phone.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "leads/internal.h"
#include "leads/leads.h"

/* A text column without white space around it; NULL when nothing is left. */
static char *
trimmed(const LsLeadRow *row, LsLeadColumn column)
{
	char *text = ls_lead_text(row, column);

	return text ? ls_trim(text) : NULL;
}

/* Bring the phone number to the stored form, or refuse the row. */
static void
normalize_phone(LsLeadChange *change)
{
	char *raw = trimmed(change->row, LEAD_phone_number);
	char e164[LS_PHONE_SIZE];

	if (raw != NULL && !ls_phone_to_e164(raw, change->organization->default_region, e164))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not a valid phone number", raw),
						   errdetail("It was read as a number of region %s.",
							   change->organization->default_region),
						   errhint("Pass the number as +<country code><number>."),
						   errtablecol(change->rel, change->row->map->attnum[LEAD_phone_number])));
	ls_lead_set_text(change->row, LEAD_phone_number, raw ? e164 : NULL);
}

/* Fold the e-mail address to lower case, or refuse the row. */
static void
normalize_email(LsLeadChange *change)
{
	char *address = trimmed(change->row, LEAD_email);

	if (address != NULL)
	{
		if (!ls_email_is_valid(address))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("\"%s\" is not a valid e-mail address", address),
							   errtablecol(change->rel, change->row->map->attnum[LEAD_email])));
		ls_email_fold(address);
	}
	ls_lead_set_text(change->row, LEAD_email, address);
}

/* Did a column get a value that has not been looked at yet? */
static bool
is_new_value(LsLeadChange *change, LsLeadColumn column)
{
	if (ls_lead_isnull(change->row, column))
		return false;
	return change->old == NULL || ls_lead_differs(change->old, change->row, column);
}

/* An increase of a counter of engagement is activity of the lead (A12). */
static void
note_engagement(LsLeadChange *change)
{
	int i;

	if (change->old == NULL || ls_lead_cause()->no_activity ||
		ls_lead_differs(change->old, change->row, LEAD_last_activity_at))
		return;
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		LsLeadColumn column = (LsLeadColumn) i;

		if ((ls_lead_columns[i].flags & LS_LEAD_ENGAGEMENT) &&
			ls_lead_int(change->row, column) > ls_lead_int(change->old, column))
		{
			ls_lead_set(
				change->row, LEAD_last_activity_at, TimestampTzGetDatum(change->now), false);
			return;
		}
	}
}

/*
 * Who made the lead is what the session says, and stays.  Only who is above the
 * policies may write something else, to bring in old data.
 */
static void
stamp_creator(LsLeadChange *change)
{
	bool confined = ls_caller_is_confined(change->rel);
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));
	bool known = ls_current_user(user);

	if (change->old != NULL)
	{
		if (confined)
		{
			bool isnull;
			Datum creator = ls_lead_get(change->old, LEAD_created_by, &isnull);

			ls_lead_set(change->row, LEAD_created_by, creator, isnull);
		}
	}
	else if (confined || ls_lead_isnull(change->row, LEAD_created_by))
		ls_lead_set(change->row, LEAD_created_by, UUIDPGetDatum(user), !known);
}

/* Times are counted with, so infinite ones are refused. */
static void
check_times(LsLeadChange *change)
{
	int i;

	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		LsLeadColumn column = (LsLeadColumn) i;
		bool isnull;

		if (ls_lead_columns[i].type == TIMESTAMPTZOID && is_new_value(change, column) &&
			TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(ls_lead_get(change->row, column, &isnull))))
			ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					errmsg("\"%s\" of a lead must be a finite time", ls_lead_columns[i].name),
					errtablecol(change->rel, change->row->map->attnum[column])));
	}
}

/* Step: bring what was passed to the stored form. */
void
ls_lead_step_normalize(LsLeadChange *change)
{
	check_times(change);
	if (is_new_value(change, LEAD_phone_number))
		normalize_phone(change);
	if (is_new_value(change, LEAD_email))
		normalize_email(change);
	if (is_new_value(change, LEAD_timezone))
	{
		char *name = ls_lead_text(change->row, LEAD_timezone);

		if (pg_tzset(name) == NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("unrecognized time zone \"%s\"", name),
							   errtablecol(change->rel, change->row->map->attnum[LEAD_timezone])));
	}
	stamp_creator(change);
	note_engagement(change);
}

/* Take a tuple apart. */
static void
deform(LsLeadRow *row, const LsLeadMap *map, TupleDesc desc, HeapTuple tuple)
{
	row->map = map;
	row->desc = desc;
	row->values = palloc(sizeof(Datum) * desc->natts);
	row->nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
}

/*
 * What the steps count on.  The server looks at NOT NULL only after them; what
 * they fill in themselves may be null in a new row.
 */
static void
refuse_nulls(LsLeadChange *change)
{
	static const LsLeadColumn needed[] = {LEAD_id, LEAD_created_at, LEAD_pipeline_id, LEAD_status};
	int n = change->old ? lengthof(needed) : 2;
	int i;

	for (i = 0; i < n; i++)
	{
		if (ls_lead_isnull(change->row, needed[i]))
			ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
					errmsg("\"%s\" of a lead must not be null", ls_lead_columns[needed[i]].name),
					errtablecol(change->rel, change->row->map->attnum[needed[i]])));
	}
}

/* The organisation of the row; a row never changes hands. */
static void
find_organization(LsLeadChange *change)
{
	bool isnull;
	Datum org = ls_lead_get(change->row, LEAD_organization_id, &isnull);
	pg_uuid_t current;

	if (isnull && ls_current_org(&current))
	{
		pg_uuid_t *copy = palloc(sizeof(pg_uuid_t));

		*copy = current;
		org = UUIDPGetDatum(copy);
		ls_lead_set(change->row, LEAD_organization_id, org, false);
	}
	else if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("a lead needs an organization"),
						   errhint("Set organization_id, or app.current_org_id.")));
	if (change->old != NULL && (ls_lead_differs(change->old, change->row, LEAD_organization_id) ||
								   ls_lead_differs(change->old, change->row, LEAD_id)))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("id and organization of a lead cannot be changed")));
	change->org = *DatumGetUUIDP(org);
	ls_check_row_org(change->rel, &change->org);
	change->organization = ls_organization(&change->org);
	if (change->organization == NULL)
		ereport(
			ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					   errmsg("organization \"%s\" does not exist", ls_uuid_text(&change->org))));
}

PG_FUNCTION_INFO_V1(ls_leads_before_row);

/* leads_before_row(): BEFORE INSERT OR UPDATE row trigger of leads. */
Datum
ls_leads_before_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "leads_before_row", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "leads");
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	const LsLeadMap *map = ls_lead_map(trigdata->tg_relation);
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	HeapTuple result;
	LsLeadChange change = {0};
	LsLeadRow row;
	LsLeadRow old;
	int i;

	change.rel = trigdata->tg_relation;
	change.now = ls_clock_now();
	deform(&row, map, desc, tuple);
	change.row = &row;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		deform(&old, map, desc, trigdata->tg_trigtuple);
		change.old = &old;
		change.old_tid = &trigdata->tg_trigtuple->t_self;
	}

	refuse_nulls(&change);
	find_organization(&change);
	for (i = 0; i < ls_lead_n_steps; i++)
		ls_lead_steps[i](&change);
	ls_lead_set(&row, LEAD_updated_at, TimestampTzGetDatum(change.now), false);

	result = heap_form_tuple(desc, row.values, row.nulls);
	result->t_data->t_ctid = tuple->t_data->t_ctid;
	result->t_self = tuple->t_self;
	result->t_tableOid = tuple->t_tableOid;
	return PointerGetDatum(result);
}
