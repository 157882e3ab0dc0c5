/*-------------------------------------------------------------------------
 *
 * release.c
 *	  release_leads(): what a user has who leaves, or is away.
 *
 *	  Users are never deleted, and whoever is no longer active keeps the leads: who
 *	  is to go on with them is for the organisation to say, with this.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/tenant.h"
#include "assignment/internal.h"

/* Read and lock the open leads of a user, in the order of their ids. */
static void
read_leads_of(LsAssignPass *pass, const pg_uuid_t *user, LsStrategy strategy)
{
	LS_QUERY(query,
		"SELECT " LS_ASSIGN_COLUMNS " FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.assigned_to = $2 AND " LS_OPEN_SQL(
			"l") " ORDER BY l.id FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, &pass->org);
	ls_arg_uuid(&args, user);
	ls_assign_read_leads(pass, &query, &args);
	for (i = 0; i < pass->n; i++)
		pass->leads[i].strategy = strategy;
}

/* Lock the user, before others who may be given the leads; is it active? */
static bool
lock_user(const pg_uuid_t *org, const pg_uuid_t *user)
{
	LS_QUERY(query,
		"SELECT u.is_active FROM lead_system.users u"
		" WHERE u.organization_id = $1 AND u.id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool is_active;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, user);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("user", user);
	is_active = ls_result_bool(0, 1);
	ls_scope_close(&scope);
	return is_active;
}

PG_FUNCTION_INFO_V1(ls_assignment_release);

/* release_leads(user_id, strategy, reason): how many leads the user has no longer. */
Datum
ls_assignment_release(PG_FUNCTION_ARGS)
{
	LsAssignPass pass = {0};
	LsStrategy strategy;
	LsPool pool;
	pg_uuid_t *user;
	int64 given;

	LS_REQUIRE_ARG(0, "user_id");
	LS_REQUIRE_ARG(1, "strategy");
	user = PG_GETARG_UUID_P(0);
	strategy = ls_strategy_parse_many(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	pass.reason = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	ls_enter_org_of("users", "user", user, LS_WRITE, &pass.org);
	read_leads_of(&pass, user, strategy);
	pass.release = pass.wait = !lock_user(&pass.org, user);
	if (pass.n == 0)
		PG_RETURN_INT64(0);
	ls_assign_lock_users(&pass, &pool);
	given = ls_assign_run(&pass, &pool);
	PG_RETURN_INT64(pass.release ? pass.n : given);
}
