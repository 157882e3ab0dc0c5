/*-------------------------------------------------------------------------
 *
 * triggers.c
 *	  Triggers of organizations and users.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/email.h"
#include "core/input.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "directory/directory.h"

/* A text column of a tuple; NULL when it is null or there is no such column. */
static char *
column_text(HeapTuple tuple, TupleDesc desc, const char *column, int *attnum)
{
	bool isnull;
	Datum value;

	*attnum = SPI_fnumber(desc, column);
	if (*attnum <= 0)
		return NULL;
	value = SPI_getbinval(tuple, desc, *attnum, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

/* Put a text value into a tuple. */
static HeapTuple
with_text(HeapTuple tuple, TupleDesc desc, int attnum, const char *value)
{
	Datum datum = CStringGetTextDatum(value);
	bool isnull = false;

	return heap_modify_tuple_by_cols(tuple, desc, 1, &attnum, &datum, &isnull);
}

/* Set a column of a tuple to null. */
static HeapTuple
with_null(HeapTuple tuple, TupleDesc desc, int attnum)
{
	Datum datum = (Datum) 0;
	bool isnull = true;

	return heap_modify_tuple_by_cols(tuple, desc, 1, &attnum, &datum, &isnull);
}

/* The region in which a row's phone number is read. */
static const char *
row_region(HeapTuple tuple, TupleDesc desc)
{
	int attnum;
	char *own = column_text(tuple, desc, "default_region", &attnum);
	const LsOrganization *organization = NULL;
	bool isnull;
	Datum org;

	if (own != NULL)
		return own;
	attnum = SPI_fnumber(desc, "organization_id");
	org = attnum > 0 ? SPI_getbinval(tuple, desc, attnum, &isnull) : (Datum) 0;
	if (attnum > 0 && !isnull)
		organization = ls_organization(DatumGetUUIDP(org));
	return organization ? organization->default_region : "US";
}

/* Bring a phone column to the stored form, or refuse it. */
static HeapTuple
normalize_phone_column(HeapTuple tuple, TupleDesc desc, const char *column)
{
	int attnum;
	char *raw = column_text(tuple, desc, column, &attnum);
	char e164[LS_PHONE_SIZE];

	if (raw == NULL || ls_phone_is_nanp(raw))
		return tuple;
	if (ls_trim(raw) == NULL)
		return with_null(tuple, desc, attnum);
	if (!ls_phone_to_e164(raw, row_region(tuple, desc), e164))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not a valid phone number", raw),
						   errhint("Pass the number as +<country code><number>.")));
	return with_text(tuple, desc, attnum, e164);
}

/* Fold an e-mail column to lower case; the table's CHECK judges it. */
static HeapTuple
fold_email_column(HeapTuple tuple, TupleDesc desc, const char *column)
{
	int attnum;
	char *address = column_text(tuple, desc, column, &attnum);

	if (address == NULL)
		return tuple;
	ls_email_fold(address);
	return with_text(tuple, desc, attnum, address);
}

/* Refuse a time zone that the server does not know. */
static void
check_timezone_column(HeapTuple tuple, TupleDesc desc, const char *column)
{
	int attnum;
	char *name = column_text(tuple, desc, column, &attnum);

	if (name != NULL && pg_tzset(name) == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized time zone \"%s\"", name),
						   errhint("Use a name from pg_timezone_names, such as America/Chicago.")));
}

/* The caller must be allowed to write for the organisation of the row. */
static void
check_tenant(Relation rel, HeapTuple tuple)
{
	TupleDesc desc = RelationGetDescr(rel);
	int attnum = SPI_fnumber(desc, "organization_id");
	bool isnull;
	Datum org;

	if (attnum <= 0)
		attnum = ls_trigger_attnum(rel, "id"); /* the organisation itself */
	org = SPI_getbinval(tuple, desc, attnum, &isnull);
	ls_check_row_org(rel, isnull ? NULL : DatumGetUUIDP(org));
}

/* Refuse a region that no phone number is read in. */
static void
check_region_column(HeapTuple tuple, TupleDesc desc, const char *column)
{
	int attnum;
	char *region = column_text(tuple, desc, column, &attnum);

	if (region != NULL && !ls_phone_region_exists(region))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized region \"%s\"", region),
				errhint("A region is a two-letter ISO 3166 code such as US or GB.")));
}

PG_FUNCTION_INFO_V1(ls_directory_normalize);

/*
 * directory_normalize(): BEFORE row trigger of tables with a phone number, an
 * e-mail address or a time zone.
 */
Datum
ls_directory_normalize(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "directory_normalize", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);

	check_tenant(trigdata->tg_relation, tuple);
	tuple = normalize_phone_column(tuple, desc, "phone");
	tuple = normalize_phone_column(tuple, desc, "phone_number");
	tuple = fold_email_column(tuple, desc, "email");
	check_timezone_column(tuple, desc, "timezone");
	check_region_column(tuple, desc, "default_region");
	return PointerGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(ls_directory_default_categories);

/* organizations_default_categories(): AFTER INSERT statement trigger. */
Datum
ls_directory_default_categories(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"INSERT INTO lead_system.categories (organization_id, slug, display_name, description)"
		" SELECT o.id, c.slug, c.display_name, c.description"
		"   FROM new_rows o CROSS JOIN (VALUES"
		"     ('plumbing', 'Plumbing', 'Pipes, drains, fixtures and water heaters'),"
		"     ('electrical', 'Electrical', 'Wiring, panels, lighting and outlets'),"
		"     ('hvac', 'HVAC', 'Heating, ventilation and air conditioning'),"
		"     ('roofing', 'Roofing', 'New roofs, repairs and gutters'),"
		"     ('painting', 'Painting', 'Painting inside and outside'),"
		"     ('carpentry', 'Carpentry', 'Wood work, framing and cabinets'),"
		"     ('landscaping', 'Landscaping', 'Garden design, planting and upkeep'),"
		"     ('flooring', 'Flooring', 'Laying, repairing and refinishing floors'),"
		"     ('general-contracting', 'General Contracting', 'Building and renovation as a whole'),"
		"     ('other', 'Other', 'Everything else')) c(slug, display_name, description)"
		"  WHERE o.default_pipeline = 'marketplace'"
		" ON CONFLICT DO NOTHING",
		NULL};
	TriggerData *trigdata = ls_trigger_check(fcinfo, "organizations_default_categories",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "organizations");

	ls_transition_run(trigdata, statements, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(ls_directory_users_refuse_delete);

/* users_refuse_delete(): BEFORE DELETE row trigger of users. */
Datum
ls_directory_users_refuse_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "users_refuse_delete", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_DELETE, "users");
	Relation rel = trigdata->tg_relation;
	bool isnull;
	Datum org = SPI_getbinval(trigdata->tg_trigtuple, RelationGetDescr(rel),
		ls_trigger_attnum(rel, "organization_id"), &isnull);

	if (!ls_org_is_leaving(DatumGetUUIDP(org)))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("users cannot be deleted"), errdetail("Histories refer to them."),
						   errhint("UPDATE lead_system.users SET is_active = false.")));
	return PointerGetDatum(trigdata->tg_trigtuple);
}

/* Did one row's membership change? */
static bool
membership_differs(TupleTableSlot *old_slot, TupleTableSlot *new_slot, int attnum)
{
	bool old_null;
	bool new_null;
	Form_pg_attribute att = TupleDescAttr(old_slot->tts_tupleDescriptor, attnum - 1);
	Datum old_value = slot_getattr(old_slot, attnum, &old_null);
	Datum new_value = slot_getattr(new_slot, attnum, &new_null);

	return old_null != new_null ||
		   (!old_null && !datumIsEqual(old_value, new_value, att->attbyval, att->attlen));
}

PG_FUNCTION_INFO_V1(ls_directory_users_membership_changed);

/*
 * users_membership_changed(): AFTER UPDATE statement trigger of users.
 *
 * Counters of users change all the time; only a change of membership is worth
 * an invalidation, which makes all sessions plan their queries on users anew.
 */
Datum
ls_directory_users_membership_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "users_membership_changed", LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_UPDATE, "users");
	Relation rel = trigdata->tg_relation;
	int is_active = ls_trigger_attnum(rel, "is_active");
	int org = ls_trigger_attnum(rel, "organization_id");
	int role = ls_trigger_attnum(rel, "role");
	LsTransition transition;
	bool changed = false;

	ls_transition_open(&transition, trigdata);
	while (!changed && ls_transition_next(&transition))
		changed = membership_differs(transition.old, transition.new, is_active) ||
				  membership_differs(transition.old, transition.new, role) ||
				  membership_differs(transition.old, transition.new, org);
	ls_transition_close(&transition);
	if (changed)
		CacheInvalidateRelcache(rel);
	return PointerGetDatum(NULL);
}
