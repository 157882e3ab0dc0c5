/*-------------------------------------------------------------------------
 *
 * discounts.c
 *	  The discount that a rating gives (semantics C4): users carry it as
 *	  lead_discount_multiplier, where a bid takes it from.
 *
 *	  It follows the rating and the tiers.  A discount that was set by hand
 *	  stays until one of those changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "marketplace/internal.h"

/*
 * The discount of a rating in an organisation: its own tiers, or the built-in
 * ones if it has none.
 */
#define SQL_DISCOUNT(org, rating) \
	"coalesce((SELECT t.discount_multiplier FROM lead_system.rating_discount_tiers t" \
	" WHERE t.min_rating <= " rating " AND (t.organization_id = " org \
	"    OR (t.organization_id IS NULL AND NOT EXISTS (SELECT 1" \
	"        FROM lead_system.rating_discount_tiers o WHERE o.organization_id = " org ")))" \
	" ORDER BY t.min_rating DESC LIMIT 1), 1.00)"

/* Did a column of the row change?  An inserted row differs from the default. */
static bool
is_given(TriggerData *trigdata, const char *column, const char *default_value)
{
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	int attnum = ls_trigger_attnum(trigdata->tg_relation, column);
	bool new_null;
	bool old_null = false;
	Datum new_value = SPI_getbinval(ls_trigger_new_tuple(trigdata), desc, attnum, &new_null);
	Datum old_value;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		old_value = SPI_getbinval(trigdata->tg_trigtuple, desc, attnum, &old_null);
	else
		old_value = DirectFunctionCall3(numeric_in, CStringGetDatum(default_value), InvalidOid, -1);
	if (new_null || old_null)
		return new_null != old_null;
	return DatumGetBool(DirectFunctionCall2(numeric_ne, old_value, new_value));
}

PG_FUNCTION_INFO_V1(ls_market_rating_discount);

/* users_rating_discount(): BEFORE row trigger of users. */
Datum
ls_market_rating_discount(PG_FUNCTION_ARGS)
{
	LS_QUERY(query, "SELECT " SQL_DISCOUNT("$1", "$2"), UUIDOID, NUMERICOID);
	TriggerData *trigdata = ls_trigger_check(fcinfo, "users_rating_discount", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "users");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	int attnum = ls_trigger_attnum(trigdata->tg_relation, "lead_discount_multiplier");
	bool org_null;
	bool rating_null;
	bool isnull = false;
	Datum org;
	Datum rating;
	Datum discount;
	LsScope scope;
	LsArgs args = {0};

	if (!is_given(trigdata, "profile_rating", "0") ||
		is_given(trigdata, "lead_discount_multiplier", "1"))
		return PointerGetDatum(tuple);
	org = SPI_getbinval(
		tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "organization_id"), &org_null);
	rating = SPI_getbinval(
		tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "profile_rating"), &rating_null);
	if (org_null || rating_null)
		return PointerGetDatum(tuple);
	ls_check_row_org(trigdata->tg_relation, DatumGetUUIDP(org));
	ls_arg_datum(&args, org, false);
	ls_arg_datum(&args, rating, false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	discount = SPI_datumTransfer(ls_result(0, 1, &isnull), false, -1);
	ls_scope_close(&scope);
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, 1, &attnum, &discount, &isnull));
}

PG_FUNCTION_INFO_V1(ls_market_tiers_changed);

/*
 * rating_discount_tiers_changed(): AFTER statement triggers of
 * rating_discount_tiers.  A change of built-in tiers concerns all organisations
 * without tiers of their own.
 */
Datum
ls_market_tiers_changed(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"UPDATE lead_system.users u SET lead_discount_multiplier = d.discount"
		"  FROM (SELECT x.organization_id, x.id,"
		"               " SQL_DISCOUNT("x.organization_id",
			"x.profile_rating") " AS discount"
								"          FROM lead_system.users x WHERE x.profile_rating > 0"
								"           AND EXISTS (SELECT 1 FROM changed_rows c WHERE c.organization_id IS NULL"
								"                   OR c.organization_id = x.organization_id)) d"
								" WHERE u.organization_id = d.organization_id AND u.id = d.id"
								"   AND u.lead_discount_multiplier <> d.discount",
		NULL};
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "rating_discount_tiers_changed", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "rating_discount_tiers");

	if (!ls_org_is_leaving(NULL))
		ls_transition_run(trigdata, statements, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}
