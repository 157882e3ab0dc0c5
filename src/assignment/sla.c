/*-------------------------------------------------------------------------
 *
 * sla.c
 *	  How soon leads should be contacted, and what happens to those that were
 *	  not (A11, A16).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "assignment/internal.h"

/*
 * Leads that the times are for, as the indexes on them have it: one by needs_review,
 * so that those which are marked are not read again, and one of those that somebody
 * has.
 */
#define WATCHED_SQL(lead) \
	"(" lead ".stage = 'new' AND " lead ".temperature IN ('hot', 'warm') AND " lead \
	".deleted_at IS NULL AND NOT " lead ".is_spam)"

PG_FUNCTION_INFO_V1(ls_assignment_sla_breaches);

/* sla_breaches(): new leads that should have been contacted by now. */
Datum
ls_assignment_sla_breaches(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT l.id, l.assigned_to, l.temperature, l.lead_score, l.status_changed_at, d.due_at,"
		"       $2 - d.due_at,"
		"       CASE WHEN l.status_changed_at < $2 - make_interval(hours => $6) THEN 'escalate'"
		"            WHEN l.status_changed_at < $2 - make_interval(hours => $5) THEN 'review'"
		"            ELSE 'response' END"
		"  FROM lead_system.leads l"
		" CROSS JOIN LATERAL (SELECT l.status_changed_at"
		"    + make_interval(mins => CASE l.temperature WHEN 'hot' THEN $3 ELSE $4 END) AS due_at) d"
		" WHERE l.organization_id = $1 AND l.needs_review IN (false, true) AND " WATCHED_SQL(
			"l") " AND d.due_at < $2"
				 "   AND l.status_changed_at < $2 - make_interval(mins => least($3, $4))"
				 " ORDER BY d.due_at, l.id",
		UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID, INT4OID, INT4OID);
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, 0);
	ls_arg_uuid(&args, &org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, ls_config_int(&org, "assignment.sla_hot_minutes"));
	ls_arg_int32(&args, ls_config_int(&org, "assignment.sla_warm_minutes"));
	ls_arg_int32(&args, ls_config_int(&org, "assignment.sla_review_hours"));
	ls_arg_int32(&args, ls_config_int(&org, "assignment.sla_escalate_hours"));
	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}

/* Mark leads that have been new for too long for review. */
static int64
mark_for_review(const pg_uuid_t *org, int batch)
{
	LS_QUERY(query,
		"WITH due AS MATERIALIZED (SELECT l.id FROM lead_system.leads l"
		"   WHERE l.organization_id = $1 AND " WATCHED_SQL(
			"l") " AND NOT l.needs_review"
				 "     AND l.status_changed_at < $2 - make_interval(hours => $3)"
				 "   ORDER BY l.status_changed_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)"
				 " UPDATE lead_system.leads l SET needs_review = true FROM due"
				 "  WHERE l.organization_id = $1 AND l.id = due.id",
		UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	int64 n;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, ls_config_int(org, "assignment.sla_review_hours"));
	ls_arg_int32(&args, batch);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return n;
}

/*
 * Read and lock leads that their users have not contacted, oldest first.  Those of
 * the only user who has room stay there, and would be in the way of the others.
 */
static void
read_neglected(LsAssignPass *pass, const LsAssignee *only_free, int batch)
{
	LS_QUERY(query,
		"SELECT " LS_ASSIGN_COLUMNS " FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND " WATCHED_SQL(
			"l") " AND l.assigned_to IS NOT NULL AND ($5 IS NULL OR l.assigned_to <> $5)"
				 "   AND l.status_changed_at < $2 - make_interval(hours => $3) AND " LS_ASSIGNABLE_SQL(
					 "l") "   AND NOT EXISTS (SELECT 1 FROM lead_system.lead_assignments a WHERE a.organization_id = $1"
						  "         AND a.lead_id = l.id AND a.created_at >= $2 - make_interval(hours => $3))"
						  " ORDER BY l.status_changed_at LIMIT $4 FOR NO KEY UPDATE OF l SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &pass->org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, ls_config_int(&pass->org, "assignment.sla_escalate_hours"));
	ls_arg_int32(&args, batch);
	ls_arg_uuid(&args, only_free ? &only_free->id : NULL);
	ls_assign_read_leads(pass, &query, &args);
}

/*
 * Give leads that were not contacted to somebody else.  Who has just been given
 * one has the same time again.  Leads are locked before users, so the room is
 * looked at first, and counted again under the lock.
 */
static int64
reassign(const pg_uuid_t *org, int batch)
{
	LsStrategy strategy = ls_strategy_of_org(org);
	LsAssignPass pass = {0};
	LsPool pool;
	int i;

	ls_pool_look(&pool, org);
	batch = (int) Min((int64) batch, ls_pool_room(&pool));
	if (batch == 0)
		return 0;
	pass.org = *org;
	pass.reason = "not contacted in time";
	read_neglected(&pass, ls_pool_only_free(&pool), batch);
	if (pass.n == 0)
		return 0;
	for (i = 0; i < pass.n; i++)
		pass.leads[i].strategy = strategy == LS_STRATEGY_NONE ? LS_STRATEGY_CAPACITY : strategy;
	ls_assign_lock_users(&pass, &pool);
	return ls_assign_run(&pass, &pool);
}

/* Both steps for one organisation. */
static int64
sweep_org(const pg_uuid_t *org, int batch)
{
	int64 done = mark_for_review(org, batch);

	if (done < batch)
		done += reassign(org, (int) (batch - done));
	return done;
}

PG_FUNCTION_INFO_V1(ls_assignment_sweep_sla);

/* sweep_sla(batch): how many steps were made. */
Datum
ls_assignment_sweep_sla(PG_FUNCTION_ARGS)
{
	LS_QUERY0(organizations,
		"SELECT o.id FROM lead_system.organizations o WHERE EXISTS (SELECT 1 FROM lead_system.leads l"
		"   WHERE l.organization_id = o.id AND " WATCHED_SQL("l") ") ORDER BY o.id");

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(
		ls_sweep(&organizations, sweep_org, PG_GETARG_INT32(0), LS_ASSIGNMENT_MAX_BATCH));
}
