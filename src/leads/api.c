/*-------------------------------------------------------------------------
 *
 * api.c
 *	  Functions on single leads: change_lead_status(), add_lead_note().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "leads/internal.h"
#include "leads/leads.h"

/* The causes that the status history knows. */
static void
check_trigger_type(const char *type)
{
	static const char *const types[] = {"call", "manual", "automation", "ai", "import"};
	int i;

	for (i = 0; i < (int) lengthof(types); i++)
	{
		if (strcmp(types[i], type) == 0)
			return;
	}
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized trigger type \"%s\"", type),
			errhint("Trigger types are: call, manual, automation, ai, import.")));
}

/*
 * Move a lead to a status.  Nothing happens when it is there already, so that
 * a repeated call does no harm.  The reason becomes lost_reason when the
 * status asks for one or means a loss.
 */
static void
change_status(const pg_uuid_t *org, const pg_uuid_t *lead, const char *status, const char *reason)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads l"
		"   SET status = $3,"
		"       lost_reason = CASE WHEN $4 IS NOT NULL AND EXISTS ("
		"           SELECT 1 FROM lead_system.pipeline_statuses s WHERE s.pipeline_id = l.pipeline_id"
		"              AND s.status = $3 AND (s.requires_reason OR s.stage = 'lost'))"
		"         THEN $4 ELSE l.lost_reason END"
		" WHERE l.organization_id = $1 AND l.id = $2 AND l.status <> $3",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool changed;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_arg_text(&args, status);
	ls_arg_text(&args, reason);
	ls_scope_open(&scope, LS_AS_CALLER);
	changed = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	/* Nothing to change: it is there already, or has just been deleted. */
	if (!changed && !ls_row_exists("leads", org, lead))
		ls_no_such_row("lead", lead);
}

PG_FUNCTION_INFO_V1(ls_leads_change_status);

/* change_lead_status(lead_id, new_status, reason, trigger_type, trigger_id, force) */
Datum
ls_leads_change_status(PG_FUNCTION_ARGS)
{
	LsLeadCause cause = {0};
	const LsLeadCause *previous;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "new_status");
	LS_REQUIRE_ARG(3, "trigger_type");
	cause.reason = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	cause.trigger_type = text_to_cstring(PG_GETARG_TEXT_PP(3));
	cause.trigger_id = PG_ARGISNULL(4) ? NULL : PG_GETARG_UUID_P(4);
	cause.force = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	check_trigger_type(cause.trigger_type);
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	if (cause.force && !ls_caller_is_admin())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied to force a status step"),
						   errdetail("Only administrators may use force.")));

	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		change_status(
			&org, PG_GETARG_UUID_P(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), cause.reason);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_leads_add_note);

/* add_lead_note(lead_id, note): returns the id of the activity. */
Datum
ls_leads_add_note(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsActivity activity = {0};
	pg_uuid_t org;
	char *note;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "note");
	note = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (note[strspn(note, " \t\r\n")] == '\0')
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("note must not be empty")));
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	activity.org = &org;
	activity.lead = PG_GETARG_UUID_P(0);
	activity.action = "note_added";
	activity.new_value = ls_json_pair_text("note", note);
	*result = ls_activity_add(&activity);
	PG_RETURN_UUID_P(result);
}
