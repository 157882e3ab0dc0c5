/*-------------------------------------------------------------------------
 *
 * appeals.c
 *	  Appeals against a ban (semantics C13).
 *
 *	  The contractor's row is locked first, so that appeals, reviews and strikes
 *	  of one contractor come one after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

#define MIN_REASON 10
#define MAX_REASON 1000

/* Lock a contractor; returns whether there is a ban at this time. */
static bool
lock_contractor(const pg_uuid_t *org, const pg_uuid_t *contractor, TimestampTz now)
{
	LS_QUERY(query,
		"SELECT is_bidding_banned AND (bidding_ban_until IS NULL OR bidding_ban_until > $3)"
		"  FROM lead_system.users WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;
	bool is_banned = false;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, contractor);
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
		is_banned = ls_result_bool(0, 1);
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("contractor", contractor);
	return is_banned;
}

/* Is there an appeal that stands in the way of another one? */
static void
check_earlier_appeals(const pg_uuid_t *org, const pg_uuid_t *contractor, TimestampTz now)
{
	LS_QUERY(query,
		"SELECT id, status, reviewed_at + make_interval(hours => 24 * $3) FROM lead_system.ban_appeals"
		" WHERE organization_id = $1 AND contractor_id = $2 AND (status = 'PENDING'"
		"    OR (status = 'REJECTED' AND reviewed_at + make_interval(hours => 24 * $3) > $4))"
		" ORDER BY status, reviewed_at DESC LIMIT 1",
		UUIDOID, UUIDOID, INT4OID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id = {{0}};
	char *status = NULL;
	TimestampTz allowed_at = 0;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, contractor);
	ls_arg_int32(&args, ls_config_int(org, "marketplace.appeal_retry_days"));
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0)
	{
		id = ls_result_uuid(0, 1);
		status = ls_result_text(0, 2);
		if (!ls_result_isnull(0, 3))
			allowed_at = ls_result_timestamptz(0, 3);
	}
	ls_scope_close(&scope);
	if (status == NULL)
		return;
	if (strcmp(status, "PENDING") == 0)
		ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
				errmsg("an appeal of contractor \"%s\" is pending", ls_uuid_text(contractor)),
				errdetail("It is appeal \"%s\".", ls_uuid_text(&id)),
				errhint("review_appeal() decides it.")));
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("contractor \"%s\" cannot appeal yet", ls_uuid_text(contractor)),
					   errdetail("An appeal was rejected; the next one is allowed from %s on.",
						   timestamptz_to_str(allowed_at))));
}

/* Write the appeal; returns its id. */
static pg_uuid_t
add_appeal(const pg_uuid_t *org, const pg_uuid_t *contractor, const char *reason, TimestampTz now)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.ban_appeals"
		" (organization_id, contractor_id, appeal_reason, review_due_at, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $5) RETURNING id",
		UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, contractor);
	ls_arg_text(&args, reason);
	ls_arg_timestamptz(&args,
		ls_market_minutes_later(now, ls_config_int(org, "marketplace.appeal_review_hours") * 60));
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return id;
}

/* Write what became of an appeal into the activities; it is about no lead. */
static void
note_appeal(
	const pg_uuid_t *org, const pg_uuid_t *appeal, const pg_uuid_t *contractor, const char *action)
{
	LsActivity activity = {.org = org, .action = action};

	activity.new_value =
		ls_json_parse(psprintf("{\"appeal_id\": \"%s\", \"contractor_id\": \"%s\"}",
			ls_uuid_text(appeal), ls_uuid_text(contractor)));
	(void) ls_activity_add(&activity);
}

PG_FUNCTION_INFO_V1(ls_market_appeal_ban);

/* appeal_ban(contractor_id, appeal_reason) */
Datum
ls_market_appeal_ban(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	TimestampTz now = ls_clock_now();
	pg_uuid_t *contractor;
	pg_uuid_t org;
	char *reason;
	int length;

	LS_REQUIRE_ARG(0, "contractor_id");
	LS_REQUIRE_ARG(1, "appeal_reason");
	contractor = PG_GETARG_UUID_P(0);
	reason = ls_trim(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	length = reason ? pg_mbstrlen(reason) : 0;
	if (length < MIN_REASON || length > MAX_REASON)
		ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
				errmsg("appeal_reason must have %d to %d characters", MIN_REASON, MAX_REASON),
				errdetail("It has %d, without white space around it.", length)));
	ls_enter_org_of("users", "contractor", contractor, LS_WRITE, &org);
	ls_market_check_self(contractor);
	if (!lock_contractor(&org, contractor, now))
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("contractor \"%s\" is not banned from bidding", ls_uuid_text(contractor)),
				errdetail("There is nothing to appeal against.")));
	check_earlier_appeals(&org, contractor, now);
	*id = add_appeal(&org, contractor, reason, now);
	note_appeal(&org, id, contractor, "appeal_submitted");
	PG_RETURN_UUID_P(id);
}

/* The reviewer: named, or the session's user; one of the organisation's people. */
static pg_uuid_t
find_reviewer(const pg_uuid_t *org, const pg_uuid_t *named)
{
	LS_QUERY(query,
		"SELECT NOT is_contractor AND role <> 'contractor' FROM lead_system.users"
		" WHERE organization_id = $1 AND id = $2 AND is_active",
		UUIDOID, UUIDOID);
	pg_uuid_t reviewer;
	LsScope scope;
	LsArgs args = {0};
	bool found;
	bool may_review = false;

	if (named != NULL)
		reviewer = *named;
	else if (!ls_current_user(&reviewer))
		ereport(
			ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reviewed_by must not be null"),
					   errhint("Pass a user, or set app.current_user_id.")));
	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, &reviewer);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
		may_review = ls_result_bool(0, 1);
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("active user", &reviewer);
	if (!may_review)
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("a contractor cannot review appeals"),
				errhint("Pass one of the organization's people as reviewed_by.")));
	return reviewer;
}

/* The contractor who made an appeal. */
static pg_uuid_t
appellant(const pg_uuid_t *org, const pg_uuid_t *appeal)
{
	LS_QUERY(query,
		"SELECT contractor_id FROM lead_system.ban_appeals WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t contractor = {{0}};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, appeal);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
		contractor = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("appeal", appeal);
	return contractor;
}

/* Write the decision; an appeal is decided once. */
static void
decide(const pg_uuid_t *org, const pg_uuid_t *appeal, bool approve, const pg_uuid_t *reviewer,
	TimestampTz now)
{
	LS_QUERY(query,
		"UPDATE lead_system.ban_appeals SET status = $3, reviewed_by_id = $4, reviewed_at = $5"
		" WHERE organization_id = $1 AND id = $2 AND status = 'PENDING'",
		UUIDOID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool decided;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, appeal);
	ls_arg_text(&args, approve ? "APPROVED" : "REJECTED");
	ls_arg_uuid(&args, reviewer);
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	decided = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!decided)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("appeal \"%s\" has been decided", ls_uuid_text(appeal)),
						   errhint("The contractor can make another one.")));
}

/* End a ban before its time; the count of strikes starts anew (C12). */
static void
unban(const pg_uuid_t *org, const pg_uuid_t *contractor, TimestampTz now)
{
	LS_QUERY(query,
		"UPDATE lead_system.users SET is_bidding_banned = false, bidding_ban_until = NULL,"
		"       strike_count = 0, strikes_reset_at = $3"
		" WHERE organization_id = $1 AND id = $2 AND is_bidding_banned",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool was_banned;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, contractor);
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	was_banned = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (was_banned)
		ls_market_note_unbanned(org, contractor, 1, "An appeal was approved");
}

PG_FUNCTION_INFO_V1(ls_market_review_appeal);

/* review_appeal(appeal_id, approve, reviewed_by) */
Datum
ls_market_review_appeal(PG_FUNCTION_ARGS)
{
	TimestampTz now = ls_clock_now();
	pg_uuid_t *appeal;
	pg_uuid_t contractor;
	pg_uuid_t reviewer;
	pg_uuid_t org;
	bool approve;

	LS_REQUIRE_ARG(0, "appeal_id");
	LS_REQUIRE_ARG(1, "approve");
	appeal = PG_GETARG_UUID_P(0);
	approve = PG_GETARG_BOOL(1);
	ls_enter_org_of("ban_appeals", "appeal", appeal, LS_WRITE, &org);
	ls_market_refuse_contractor("review appeals");
	reviewer = find_reviewer(&org, PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2));
	contractor = appellant(&org, appeal);
	(void) lock_contractor(&org, &contractor, now);
	decide(&org, appeal, approve, &reviewer, now);
	note_appeal(&org, appeal, &contractor, approve ? "appeal_approved" : "appeal_rejected");
	if (approve)
		unban(&org, &contractor, now);
	PG_RETURN_VOID();
}
