/*-------------------------------------------------------------------------
 *
 * expiry.c
 *	  Entries of the do-not-call list that run out, and ones that must not
 *	  change.
 *
 *	  Nothing happens in a database at the moment when time has passed.  The
 *	  list itself answers by the clock; leads that it had blocked are unblocked
 *	  by release_expired_dnc_blocks().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "core/clock.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

/* Unblock the leads of an organisation (NULL: of all); returns how many. */
static uint64
release_expired(const pg_uuid_t *org)
{
	LS_QUERY(query,
		/* An entry that another session is writing, to list it again, is left for the next run. */
		"WITH expired AS MATERIALIZED ("
		"  SELECT d.organization_id, d.phone_number FROM lead_system.dnc_list d"
		"   WHERE d.expires_at <= $2 AND ($1 IS NULL OR d.organization_id = $1)"
		"     AND EXISTS (SELECT 1 FROM lead_system.leads b"
		"       WHERE b.organization_id = d.organization_id AND b.phone_number = d.phone_number"
		"         AND b.deleted_at IS NULL AND b.do_not_call"
		"         AND b.calling_blocked_reason = '" LS_BLOCKED_BY_LIST "')"
		"   ORDER BY d.organization_id, d.phone_number FOR UPDATE OF d SKIP LOCKED)"
		"UPDATE lead_system.leads l SET do_not_call = false, calling_blocked_reason = NULL"
		"  FROM expired e"
		" WHERE l.organization_id = e.organization_id AND l.phone_number = e.phone_number"
		"   AND l.deleted_at IS NULL AND l.do_not_call"
		"   AND l.calling_blocked_reason = '" LS_BLOCKED_BY_LIST "'",
		UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	uint64 released;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	released = ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return released;
}

PG_FUNCTION_INFO_V1(ls_compliance_release_expired);

/* release_expired_dnc_blocks(): see the top of the file. */
Datum
ls_compliance_release_expired(PG_FUNCTION_ARGS)
{
	const LsLeadCause cause = {"do-not-call entry expired", "automation", NULL, true};
	const LsLeadCause *previous;
	pg_uuid_t org;
	bool bound = ls_current_org(&org);
	volatile uint64 released = 0;

	if (!bound && !ls_caller_bypasses_rls())
		ls_require_org(&org);
	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		released = release_expired(bound ? &org : NULL);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	PG_RETURN_INT64((int64) released);
}

PG_FUNCTION_INFO_V1(ls_compliance_keep_number);

/* dnc_list_keep_number(): BEFORE UPDATE OF phone_number row trigger of dnc_list. */
Datum
ls_compliance_keep_number(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "dnc_list_keep_number", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_UPDATE, "dnc_list");
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	int attnum = ls_trigger_attnum(trigdata->tg_relation, "phone_number");
	bool isnull;
	Datum old_number = SPI_getbinval(trigdata->tg_trigtuple, desc, attnum, &isnull);
	Datum new_number = SPI_getbinval(trigdata->tg_newtuple, desc, attnum, &isnull);

	if (!isnull && !datum_image_eq(old_number, new_number, false, -1))
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("the number of an entry of the do-not-call list cannot be changed"),
					   errhint("Add the right number, and take the wrong one off.")));
	return PointerGetDatum(trigdata->tg_newtuple);
}
