/*-------------------------------------------------------------------------
 *
 * dnc_triggers.c
 *	  What follows from being listed: the statement triggers of dnc_list, and
 *	  the step of the row trigger of leads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "compliance/privacy.h"
#include "core/clock.h"
#include "core/dirty.h"
#include "core/extension.h"
#include "core/growth.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"

/* Parameters of the statements: time, user, reason of a removal, its consent. */

/*
 * After an insert or update: block leads (D5).  Those that a revocation had blocked
 * are the list's from now on, or a consent that is being recorded would not wait
 * for this, and unblock them.
 */
#define SQL_BLOCK_LEADS \
	"UPDATE lead_system.leads l SET do_not_call = true, calling_blocked_reason = '" LS_BLOCKED_BY_LIST \
	"'" \
	"  FROM new_rows n" \
	" WHERE l.organization_id = n.organization_id AND l.phone_number = n.phone_number" \
	"   AND l.deleted_at IS NULL" \
	"   AND (NOT l.do_not_call OR l.calling_blocked_reason = '" LS_BLOCKED_BY_REVOCATION "')" \
	"   AND (n.expires_at IS NULL OR n.expires_at > $1)"

static const char *const sql_after_insert[] = {
	"INSERT INTO lead_system.dnc_audit_log"
	" (organization_id, action, phone_number, reason, source, expires_at, user_id, created_at)"
	" SELECT n.organization_id, 'added', n.phone_number, n.reason, n.source, n.expires_at, $2, $1"
	"   FROM new_rows n",
	SQL_BLOCK_LEADS, NULL};

static const char *const sql_after_update[] = {
	"INSERT INTO lead_system.dnc_audit_log"
	" (organization_id, action, phone_number, reason, source, expires_at, user_id, created_at)"
	" SELECT n.organization_id,"
	"        CASE WHEN n.created_at = o.created_at THEN 'extended' ELSE 'added' END,"
	"        n.phone_number, n.reason, n.source, n.expires_at, $2, $1"
	"   FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.id = n.id"
	"  WHERE n.expires_at IS DISTINCT FROM o.expires_at OR n.created_at <> o.created_at",
	SQL_BLOCK_LEADS, NULL};

static const char *const sql_after_delete[] = {
	"INSERT INTO lead_system.dnc_audit_log"
	" (organization_id, action, phone_number, reason, source, expires_at, user_id, consent_id,"
	"  created_at)"
	" SELECT o.organization_id, CASE WHEN $4 IS NULL THEN 'removed' ELSE 'overridden' END,"
	"        o.phone_number, $3, o.source, o.expires_at, $2, $4, $1"
	"   FROM old_rows o",
	/* Unblock what the list had blocked (D6). */
	"UPDATE lead_system.leads l SET do_not_call = false, calling_blocked_reason = NULL"
	"  FROM old_rows o"
	" WHERE l.organization_id = o.organization_id AND l.phone_number = o.phone_number"
	"   AND l.deleted_at IS NULL AND l.do_not_call"
	"   AND l.calling_blocked_reason = '" LS_BLOCKED_BY_LIST "'",
	NULL};

/*
 * Wait for transactions that are writing leads with the numbers of a statement's
 * rows, entries of the list or consents.  They looked there before the entries came or went, and an UPDATE that does
 * not see their leads would leave those as they are.
 */
void
ls_dnc_await_leads(TriggerData *trigdata)
{
	int org = ls_trigger_attnum(trigdata->tg_relation, "organization_id");
	int number = ls_trigger_attnum(trigdata->tg_relation, "phone_number");
	Relation leads = table_open(ls_relation_oid("leads", false), AccessShareLock);
	Oid indexid = ls_lead_map(leads)->phone_index;
	LsTransition transition;
	Relation index;

	/* Of a distributed table this node has an empty shell. */
	if (!OidIsValid(indexid) || ls_relation_is_distributed(RelationGetRelid(leads)))
	{
		table_close(leads, AccessShareLock);
		return;
	}
	index = index_open(indexid, AccessShareLock);
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		TupleTableSlot *slot = transition.new ? transition.new : transition.old;
		Datum *entry = slot->tts_values;
		ScanKeyData keys[2];

		if (slot->tts_isnull[number - 1])
			continue;

		ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, entry[org - 1]);
		ScanKeyEntryInitialize(&keys[1], 0, 2, BTEqualStrategyNumber, InvalidOid,
			index->rd_indcollation[1], F_TEXTEQ, entry[number - 1]);
		(void) ls_dirty_exists(leads, index, keys, 2, NULL, NULL);
	}
	ls_transition_close(&transition);
	index_close(index, AccessShareLock);
	table_close(leads, AccessShareLock);
}

/* The statements that belong to an event. */
static const char *const *
statements_for(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return sql_after_insert;
	return TRIGGER_FIRED_BY_UPDATE(event) ? sql_after_update : sql_after_delete;
}

PG_FUNCTION_INFO_V1(ls_compliance_dnc_list_changed);

/* dnc_list_changed(): AFTER statement triggers of dnc_list. */
Datum
ls_compliance_dnc_list_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "dnc_list_changed", LS_TRIGGER_AFTER_STATEMENT,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "dnc_list");
	LsLeadCause cause = {"do-not-call list", "automation", NULL, true};
	const LsLeadCause *previous = ls_lead_cause();
	Oid types[4] = {TIMESTAMPTZOID, UUIDOID, TEXTOID, UUIDOID};
	const pg_uuid_t *consent = ls_dnc_overriding();
	Datum values[4];
	char nulls[4];
	pg_uuid_t user;

	if (ls_org_is_leaving(NULL))
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) && previous->reason != NULL)
	{
		cause = *previous;
		cause.force = true;
	}
	values[0] = TimestampTzGetDatum(ls_clock_now());
	nulls[0] = ' ';
	values[1] = UUIDPGetDatum(&user);
	nulls[1] = ls_current_user(&user) ? ' ' : 'n';
	values[2] = previous->reason ? CStringGetTextDatum(previous->reason) : (Datum) 0;
	nulls[2] = previous->reason ? ' ' : 'n';
	values[3] = UUIDPGetDatum(consent);
	nulls[3] = consent ? ' ' : 'n';

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ls_plans_follow_growth(trigdata->tg_relation);
	ls_lead_cause_set(&cause);
	PG_TRY();
	{
		ls_dnc_await_leads(trigdata);
		ls_transition_run(trigdata, statements_for(trigdata->tg_event), 4, types, values, nulls);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	return PointerGetDatum(NULL);
}

/* Is the lead's number listed? */
static bool
number_is_listed(const LsLeadChange *change)
{
	char *e164 = ls_lead_text(change->row, LEAD_phone_number);

	bool listed;

	if (e164 == NULL)
		return false;
	if (!ls_consent_unblocks(change))
		return ls_dnc_listed_soon(&change->org, e164);
	/* The lead is locked: who is listing the number waits for it, and blocks it then. */
	PushActiveSnapshot(GetLatestSnapshot());
	listed = ls_dnc_listed(&change->org, e164);
	PopActiveSnapshot();
	return listed;
}

/*
 * Must the list be asked?  When a number comes in, or a lead comes back, or
 * somebody wants to unblock a lead.
 */
static bool
must_ask(const LsLeadChange *change)
{
	if (change->old == NULL || ls_lead_differs(change->old, change->row, LEAD_phone_number))
		return true;
	if (ls_lead_isnull(change->row, LEAD_deleted_at) &&
		!ls_lead_isnull(change->old, LEAD_deleted_at))
		return true;
	return ls_lead_bool(change->old, LEAD_do_not_call) &&
		   !ls_lead_bool(change->row, LEAD_do_not_call);
}

/*
 * The status goes with the block, where the pipeline has a status for it; a
 * lead that is unblocked starts anew (D5, D6).
 */
void
ls_dnc_status_follows(LsLeadChange *change, bool was_blocked, bool is_blocked)
{
	bool isnull;
	Datum id = ls_lead_get(change->row, LEAD_pipeline_id, &isnull);
	const LsPipeline *pipeline = ls_pipeline(DatumGetUUIDP(id));
	const LsStatus *blocked = ls_pipeline_stage_status(pipeline, "blocked");

	if (blocked == NULL)
		return;
	if (is_blocked && !was_blocked && strcmp(ls_lead_text(change->row, LEAD_stage), "blocked") != 0)
		ls_lead_change_status_now(change, blocked->status);
	else if (was_blocked && !is_blocked && pipeline->initial != NULL &&
			 strcmp(ls_lead_text(change->row, LEAD_status), blocked->status) == 0)
		ls_lead_change_status_now(change, pipeline->initial->status);
}

/* Was a lead blocked for this reason? */
static bool
blocked_by(const LsLeadRow *row, const char *why)
{
	char *reason = ls_lead_text(row, LEAD_calling_blocked_reason);

	return reason != NULL && strcmp(reason, why) == 0;
}

/*
 * A block is lifted, and its reason changed, by an administrator alone; and
 * nobody passes a block by hand off as one by the list, or by a revocation, which end by
 * themselves.
 */
static void
check_block_by_hand(LsLeadChange *change, bool was_blocked, bool unblocks)
{
	bool new_reason = change->old == NULL ||
					  ls_lead_differs(change->old, change->row, LEAD_calling_blocked_reason);

	if (ls_lead_cause()->force || (!unblocks && !new_reason))
		return;
	if (was_blocked && !ls_caller_is_admin())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("only an administrator can unblock a lead"),
						   errdetail("Neither do_not_call nor calling_blocked_reason of a blocked "
									 "lead can be changed."),
						   errtablecol(change->rel, change->row->map->attnum[LEAD_do_not_call])));
	if (!new_reason || !ls_caller_is_confined(change->rel))
		return;
	if (blocked_by(change->row, LS_BLOCKED_BY_LIST) && !number_is_listed(change))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("calling_blocked_reason \"%s\" is for numbers that are listed",
					LS_BLOCKED_BY_LIST),
				errtablecol(change->rel, change->row->map->attnum[LEAD_calling_blocked_reason])));
	if (blocked_by(change->row, LS_BLOCKED_BY_REVOCATION) && !ls_consent_is_revoked(change))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("calling_blocked_reason \"%s\" is for numbers whose consent is revoked",
					LS_BLOCKED_BY_REVOCATION),
				errtablecol(change->rel, change->row->map->attnum[LEAD_calling_blocked_reason])));
}

/* A lead that comes into a status that means blocked is blocked. */
static void
follow_status(LsLeadChange *change)
{
	if (strcmp(ls_lead_text(change->row, LEAD_stage), "blocked") != 0 ||
		ls_lead_bool(change->row, LEAD_do_not_call) ||
		(change->old != NULL && !ls_lead_differs(change->old, change->row, LEAD_stage)))
		return;
	ls_lead_set(change->row, LEAD_do_not_call, BoolGetDatum(true), false);
	if (ls_lead_isnull(change->row, LEAD_calling_blocked_reason))
		ls_lead_set_text(change->row, LEAD_calling_blocked_reason, "status");
}

/*
 * Step of the row trigger of leads: a listed lead is stored and blocked (D17).
 *
 * A block by the list ends when the number is replaced by one that is not
 * listed, or the number has left the list while the lead was deleted; a block
 * by hand stays.  Unblocking a listed number is refused.
 */
void
ls_dnc_step(LsLeadChange *change)
{
	bool was_blocked = change->old != NULL && ls_lead_bool(change->old, LEAD_do_not_call);
	bool unblocks = was_blocked && !ls_lead_bool(change->row, LEAD_do_not_call);
	bool was_listed = was_blocked && blocked_by(change->old, LS_BLOCKED_BY_LIST);

	if (ls_lead_is_being_erased(change))
		return;
	check_block_by_hand(change, was_blocked, unblocks);
	follow_status(change);
	if (must_ask(change))
	{
		if (number_is_listed(change))
		{
			if (unblocks && !ls_consent_unblocks(change))
				ereport(ERROR,
					(errcode(LS_ERRCODE_ON_DNC_LIST),
						errmsg("the lead's number is on the do-not-call list"),
						errhint("remove_from_dnc_list() takes it off and unblocks the lead.")));
			if (!ls_lead_bool(change->row, LEAD_do_not_call))
				ls_lead_set_text(change->row, LEAD_calling_blocked_reason, LS_BLOCKED_BY_LIST);
			ls_lead_set(change->row, LEAD_do_not_call, BoolGetDatum(true), false);
		}
		else if (was_listed && !unblocks)
		{
			ls_lead_set(change->row, LEAD_do_not_call, BoolGetDatum(false), false);
			ls_lead_set_text(change->row, LEAD_calling_blocked_reason, NULL);
		}
	}
	ls_consent_step(change);
	if (!ls_lead_bool(change->row, LEAD_do_not_call))
		ls_lead_set_text(change->row, LEAD_calling_blocked_reason, NULL);
	if (ls_lead_bool(change->row, LEAD_do_not_call) != was_blocked)
		ls_dnc_status_follows(change, was_blocked, ls_lead_bool(change->row, LEAD_do_not_call));
}
