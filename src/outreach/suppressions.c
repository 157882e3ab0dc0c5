/*-------------------------------------------------------------------------
 *
 * suppressions.c
 *	  Numbers that one campaign must not contact, although others may.
 *
 *	  As with the do-not-call list, what a change entails is in the trigger of
 *	  the table.  A row of the queue that a suppression closed says so in
 *	  blocked_rule, and is opened again when the suppression ends; one that a
 *	  claim finds suppressed, since it came into the campaign later, is closed
 *	  by the claim.
 *
 *	  Locks: campaign_suppressions (by number), then as in outreach.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/contact.h"
#include "core/clock.h"
#include "core/grants.h"
#include "core/input.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "directory/directory.h"
#include "outreach/outreach.h"

static const LsGrant suppression_grants[] = {
	{"suppress_in_campaign(uuid, text, text)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"unsuppress_in_campaign(uuid, text, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
};

/* Parameters of the statements: time, user, reason of a removal. */

#define AUDIT(action, rows, reason) \
	"INSERT INTO lead_system.dnc_audit_log" \
	" (organization_id, action, phone_number, reason, source, user_id, created_at)" \
	" SELECT s.organization_id, '" action "', s.phone_number, " reason "," \
	"        'campaign ' || s.campaign_id, $2, $1" \
	"   FROM " rows " s JOIN lead_system.campaigns p ON p.organization_id = s.organization_id" \
	"    AND p.id = s.campaign_id"

/* The rows of the queue that are about the numbers, locked in the order of outreach.h. */
#define LOCKED_ROWS(rows, tables, condition) \
	"WITH u AS MATERIALIZED (SELECT c.organization_id, c.id" \
	"  FROM " rows " s JOIN lead_system.leads l ON l.organization_id = s.organization_id" \
	"   AND l.phone_number = s.phone_number AND l.deleted_at IS NULL" \
	"  JOIN lead_system.campaign_leads c ON c.organization_id = s.organization_id" \
	"   AND c.campaign_id = s.campaign_id AND c.lead_id = l.id " tables " WHERE " condition \
	" ORDER BY c.lead_id, c.campaign_id FOR NO KEY UPDATE OF c)" \
	" UPDATE lead_system.campaign_leads c"

#define OF_LOCKED_ROW " FROM u WHERE c.organization_id = u.organization_id AND c.id = u.id"

/* Claims and call-backs end, too. */
static const char *const sql_after_insert[] = {AUDIT("suppressed", "new_rows", "s.reason"),
	LOCKED_ROWS("new_rows", "",
		"(c.status IN ('new', 'queued', 'calling') OR (c.status = 'contacted' AND " //
		LS_IS_CALLBACK_SQL("c") "))") " SET status = 'dnc', blocked_rule = 'campaign_suppression',"
									  "     claimed_by = NULL, lease_until = NULL" OF_LOCKED_ROW,
	NULL};

/* What the suppression had closed is open again, unless something else stands against it. */
static const char *const sql_after_delete[] = {AUDIT("unsuppressed", "old_rows", "$3"),
	LOCKED_ROWS("old_rows",
		"JOIN lead_system.campaigns p ON p.organization_id = c.organization_id"
		" AND p.id = c.campaign_id"
		" JOIN lead_system.campaign_lead_lists a ON a.organization_id = c.organization_id"
		" AND a.campaign_id = c.campaign_id AND a.lead_list_id = c.lead_list_id",
		"c.status = 'dnc' AND c.blocked_rule = 'campaign_suppression' AND NOT l.do_not_call"
		" AND a.removed_at IS NULL"
		" AND c.attempts < coalesce(a.max_attempts_override, p.max_attempts)") //
	" SET status = " LS_REQUEUED_SQL("c") ", is_waiting = c.next_attempt_at > $1,"
										  "     blocked_rule = NULL" OF_LOCKED_ROW,
	NULL};

/* The reason of the removal that is under way, for its audit. */
static const char *removal_reason = NULL;

PG_FUNCTION_INFO_V1(ls_outreach_suppressions_changed);

/* campaign_suppressions_changed(): AFTER statement triggers of campaign_suppressions. */
Datum
ls_outreach_suppressions_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "campaign_suppressions_changed",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT | LS_TRIGGER_DELETE, "campaign_suppressions");
	Oid types[3] = {TIMESTAMPTZOID, UUIDOID, TEXTOID};
	Datum values[3];
	char nulls[3];
	pg_uuid_t user;

	if (ls_org_is_leaving(NULL))
		return PointerGetDatum(NULL);
	values[0] = TimestampTzGetDatum(ls_clock_now());
	nulls[0] = ' ';
	values[1] = UUIDPGetDatum(&user);
	nulls[1] = ls_current_user(&user) ? ' ' : 'n';
	values[2] = removal_reason ? CStringGetTextDatum(removal_reason) : (Datum) 0;
	nulls[2] = removal_reason ? ' ' : 'n';
	ls_transition_run(trigdata,
		TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? sql_after_insert : sql_after_delete, 3, types,
		values, nulls);
	return PointerGetDatum(NULL);
}

/* The arguments of both functions. */
typedef struct Suppression
{
	pg_uuid_t org;
	pg_uuid_t campaign;
	char e164[LS_PHONE_SIZE];
	char *reason;
} Suppression;

/* Read the arguments: campaign_id, phone_number, reason. */
static void
read_arguments(FunctionCallInfo fcinfo, Suppression *suppression)
{
	const LsOrganization *organization;
	char *raw;

	LS_REQUIRE_ARG(0, "campaign_id");
	LS_REQUIRE_ARG(1, "phone_number");
	LS_REQUIRE_ARG(2, "reason");
	suppression->campaign = *PG_GETARG_UUID_P(0);
	raw = text_to_cstring(PG_GETARG_TEXT_PP(1));
	suppression->reason = ls_trim(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (suppression->reason == NULL)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reason must not be empty")));
	ls_enter_org_of("campaigns", "campaign", &suppression->campaign, LS_WRITE, &suppression->org);
	organization = ls_organization(&suppression->org);
	if (!ls_phone_to_e164(
			raw, organization ? organization->default_region : "US", suppression->e164))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not a valid phone number", raw),
						   errhint("Pass the number as +<country code><number>.")));
}

PG_FUNCTION_INFO_V1(ls_outreach_suppress);

/* suppress_in_campaign(campaign_id, phone_number, reason) */
Datum
ls_outreach_suppress(PG_FUNCTION_ARGS)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.campaign_suppressions"
		" (organization_id, campaign_id, phone_number, reason, added_by, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (organization_id, campaign_id, phone_number) DO NOTHING RETURNING id",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	LS_QUERY(find,
		"SELECT id FROM lead_system.campaign_suppressions"
		" WHERE organization_id = $1 AND campaign_id = $2 AND phone_number = $3",
		UUIDOID, UUIDOID, TEXTOID);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	Suppression suppression;
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t user;

	read_arguments(fcinfo, &suppression);
	ls_arg_uuid(&args, &suppression.org);
	ls_arg_uuid(&args, &suppression.campaign);
	ls_arg_text(&args, suppression.e164);
	ls_arg_text(&args, suppression.reason);
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&insert, &args, LS_WRITE) == 0)
	{
		args.n = find.nargs;
		if (ls_query_run(&find, &args, LS_WRITE) == 0)
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							   errmsg("the suppression was removed by another session"),
							   errhint("Retry the transaction.")));
	}
	*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(ls_outreach_unsuppress);

/* unsuppress_in_campaign(campaign_id, phone_number, reason) */
Datum
ls_outreach_unsuppress(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"DELETE FROM lead_system.campaign_suppressions"
		" WHERE organization_id = $1 AND campaign_id = $2 AND phone_number = $3",
		UUIDOID, UUIDOID, TEXTOID);
	Suppression suppression;
	LsArgs args = {0};
	LsScope scope;
	volatile bool removed = false;

	if (!ls_caller_is_admin())
		ereport(
			ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					   errmsg("permission denied to let a campaign contact a suppressed number"),
					   errdetail("Only administrators may do so.")));
	read_arguments(fcinfo, &suppression);
	ls_arg_uuid(&args, &suppression.org);
	ls_arg_uuid(&args, &suppression.campaign);
	ls_arg_text(&args, suppression.e164);
	ls_scope_open(&scope, LS_AS_OWNER);
	removal_reason = suppression.reason;
	PG_TRY();
	{
		removed = ls_query_run(&query, &args, LS_WRITE) > 0;
	}
	PG_FINALLY();
	{
		removal_reason = NULL;
	}
	PG_END_TRY();
	ls_scope_close(&scope);
	PG_RETURN_BOOL(removed);
}

void
ls_suppressions_init(void)
{
	ls_grants_register(suppression_grants, lengthof(suppression_grants));
}
