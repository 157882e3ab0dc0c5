/*-------------------------------------------------------------------------
 *
 * agent_logs.c
 *	  What agents did, and what people decide about what they propose.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/errors.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "automation/automation.h"

/* Refuse what the log could not hold, before anything is done. */
void
ls_agent_action_check(text *agent_name, Jsonb *action_data)
{
	static const char *const agents[] = {"monitor", "cx", "diagnostic", "optimizing", "retention"};
	char *name = text_to_cstring(agent_name);
	int i;

	if (!JB_ROOT_IS_OBJECT(action_data))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("action_data must be a JSON object")));
	for (i = 0; i < (int) lengthof(agents); i++)
	{
		if (strcmp(agents[i], name) == 0)
			return;
	}
	ereport(
		ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not an agent", name),
				   errhint("Agents are monitor, cx, diagnostic, optimizing and retention.")));
}

/* What is advertised, and what agents do, is the organisation's to say. */
void
ls_agent_refuse_contractor(void)
{
	pg_uuid_t contractor;

	if (ls_current_contractor(&contractor))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("advertising and automation are not for contractors")));
}

/* The name of what an agent did: a word of small letters, digits and underscores. */
static void
check_action_type(const char *name)
{
	if (name[0] < 'a' || name[0] > 'z' || strlen(name) > 100 ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("action_type must be a word of small letters, such as "
								  "send_review_request")));
}

PG_FUNCTION_INFO_V1(ls_automation_log_agent_action);

/* log_agent_action(agent_name, action_type, action_data, result, result_message, estimated_impact, lead_id) */
Datum
ls_automation_log_agent_action(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.ai_agent_logs (organization_id, agent_name, action_type, action_data,"
		"   result, result_message, estimated_impact, lead_id, action_day, guard, decided_by,"
		"   created_at, completed_at)"
		" SELECT $1, $2, $3, $4, $5, $6, $7, $8, ($10 AT TIME ZONE o.timezone)::date, 'note', $9, $10, $10"
		"   FROM lead_system.organizations o WHERE o.id = $1 RETURNING id",
		UUIDOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, TEXTOID, JSONBOID, UUIDOID, UUIDOID,
		TIMESTAMPTZOID);
	static const char *const required[] = {"agent_name", "action_type", "action_data", "result"};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	char *result;
	pg_uuid_t org;
	pg_uuid_t user;
	LsScope scope;
	LsArgs args = {0};
	int i;

	for (i = 0; i < (int) lengthof(required); i++)
		LS_REQUIRE_ARG(i, required[i]);
	ls_agent_action_check(PG_GETARG_TEXT_PP(0), PG_GETARG_JSONB_P(2));
	check_action_type(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (!PG_ARGISNULL(5) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(5)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("estimated_impact must be a JSON object")));
	result = text_to_cstring(PG_GETARG_TEXT_PP(3));
	if (strcmp(result, "success") != 0 && strcmp(result, "failed") != 0)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("result must be success or failed"),
				errhint("What is to be decided on is proposed by propose_action().")));
	ls_require_org(&org);
	ls_agent_refuse_contractor();
	if (!PG_ARGISNULL(6) && !ls_row_exists("leads", &org, PG_GETARG_UUID_P(6)))
		ls_no_such_row("lead", PG_GETARG_UUID_P(6));
	ls_arg_uuid(&args, &org);
	for (i = 0; i < 7; i++)
		ls_arg_datum(&args, PG_GETARG_DATUM(i), PG_ARGISNULL(i));
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}

/* Whoever decides is a manager, if the session says who it is. */
static void
require_manager(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.users u WHERE u.organization_id = $1 AND u.id = $2"
		"    AND u.role IN ('manager', 'admin')",
		UUIDOID, UUIDOID);
	pg_uuid_t user;
	LsScope scope;
	LsArgs args = {0};
	bool is_manager;

	if (!ls_current_user(&user))
		return;
	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, &user);
	ls_scope_open(&scope, LS_AS_OWNER);
	is_manager = ls_query_run(&query, &args, LS_READ) > 0;
	ls_scope_close(&scope);
	if (!is_manager)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("only a manager may decide on what agents propose")));
}

/* Lock a line of the log; raises P0002 for one that the caller cannot see. */
void
ls_agent_action_lock(LsAgentAction *action, const pg_uuid_t *id)
{
	LS_QUERY(query,
		"SELECT l.result, l.guard, coalesce(l.expires_at <= $3, false)"
		"  FROM lead_system.ai_agent_logs l WHERE l.organization_id = $1 AND l.id = $2"
		"   FOR NO KEY UPDATE",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_enter_org_of("ai_agent_logs", "action", id, LS_WRITE, &action->org);
	require_manager(&action->org);
	action->id = *id;
	ls_arg_uuid(&args, &action->org);
	ls_arg_uuid(&args, id);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		action->result = ls_result_text(0, 1);
		action->guard = ls_result_text(0, 2);
		action->has_expired = ls_result_bool(0, 3);
	}
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("action", id);
}

/* An action on which nothing can be decided any more. */
void
ls_agent_action_require_open(const LsAgentAction *action)
{
	if (strcmp(action->result, "pending") != 0 && strcmp(action->result, "approved") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("action \"%s\" is not open", ls_uuid_text(&action->id)),
						   errdetail("Its result is %s.", action->result)));
	if (action->has_expired)
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("action \"%s\" has expired", ls_uuid_text(&action->id)),
					   errhint("propose_actions() proposes it again if there is still cause.")));
}

/* An action that the limits do not allow. */
void
ls_agent_action_above_limits(const pg_uuid_t *id, const char *guard)
{
	if (strcmp(guard, "approval") == 0)
		ereport(ERROR, (errcode(LS_ERRCODE_ABOVE_LIMITS),
						   errmsg("action \"%s\" needs an approval", ls_uuid_text(id)),
						   errdetail("The change is above ads.approval_percent, or resumes a "
									 "campaign."),
						   errhint("approve_action() approves it.")));
	if (strcmp(guard, "manual") == 0)
		ereport(ERROR, (errcode(LS_ERRCODE_ABOVE_LIMITS),
						   errmsg("action \"%s\" is for a person to do", ls_uuid_text(id)),
						   errdetail("The change is above ads.max_percent."),
						   errhint("Change the campaign or the keyword itself.")));
	ereport(ERROR,
		(errcode(LS_ERRCODE_ABOVE_LIMITS), errmsg("action \"%s\" is refused", ls_uuid_text(id)),
			errdetail("Its effect is above ads.max_impact.")));
}

/* Write a decision down. */
static void
decide(const LsAgentAction *action, const char *result, FunctionCallInfo fcinfo)
{
	LS_QUERY(query,
		"UPDATE lead_system.ai_agent_logs SET result = $3, result_message = coalesce($4, result_message),"
		"       decided_by = $5, decided_at = $6,"
		"       completed_at = CASE $3 WHEN 'rejected' THEN $6 END"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	pg_uuid_t user;
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &action->org);
	ls_arg_uuid(&args, &action->id);
	ls_arg_text(&args, result);
	ls_arg_datum(&args, PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_automation_approve_action);

/* approve_action(log_id, reason) */
Datum
ls_automation_approve_action(PG_FUNCTION_ARGS)
{
	LsAgentAction action;

	LS_REQUIRE_ARG(0, "log_id");
	ls_agent_action_lock(&action, PG_GETARG_UUID_P(0));
	if (strcmp(action.guard, "refused") == 0)
		ls_agent_action_above_limits(&action.id, action.guard);
	ls_agent_action_require_open(&action);
	if (strcmp(action.result, "approved") == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("action \"%s\" is approved already", ls_uuid_text(&action.id))));
	if (strcmp(action.guard, "manual") == 0)
		ls_agent_action_above_limits(&action.id, action.guard);
	decide(&action, "approved", fcinfo);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_automation_reject_action);

/* reject_action(log_id, reason) */
Datum
ls_automation_reject_action(PG_FUNCTION_ARGS)
{
	LsAgentAction action;

	LS_REQUIRE_ARG(0, "log_id");
	ls_agent_action_lock(&action, PG_GETARG_UUID_P(0));
	action.has_expired = false;
	ls_agent_action_require_open(&action);
	decide(&action, "rejected", fcinfo);
	PG_RETURN_VOID();
}
