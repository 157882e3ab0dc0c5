/*-------------------------------------------------------------------------
 *
 * counters.c
 *	  The counters of users: adding to them, and counting anew (A15).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "assignment/assignment.h"
#include "assignment/internal.h"

/* The mean response in minutes, of a sum in seconds and a number. */
#define AVERAGE_SQL(seconds, n) \
	"CASE WHEN " n " > 0 THEN round((" seconds ")::numeric / 60 / (" n "))::integer END"

/* The rows of a table that went into the archive with their leads. */
#define ARCHIVED_SQL(table, columns) \
	"SELECT " columns " FROM lead_system.leads_archive z" \
	" CROSS JOIN LATERAL jsonb_populate_recordset(NULL::lead_system." table \
	", z.children -> '" table "') r WHERE z.organization_id = $1 AND z.children ? '" table "'"

static const char *const counters[] = {"current_lead_count", "total_leads_assigned",
	"total_leads_contacted", "total_leads_qualified", "total_response_seconds",
	"avg_response_time_minutes", "last_assigned_at"};

/* Make an empty set of deltas in the current memory context. */
HTAB *
ls_user_deltas_create(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = 2 * sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(LsUserDelta);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("lead counts of users", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* What is added to a user's counters; made at the first call. */
LsUserDelta *
ls_user_delta(HTAB *deltas, const pg_uuid_t *org, const pg_uuid_t *user)
{
	pg_uuid_t key[2];
	LsUserDelta *delta;
	bool found;

	key[0] = *org;
	key[1] = *user;
	delta = hash_search(deltas, key, HASH_ENTER, &found);
	if (!found)
	{
		memset(delta, 0, sizeof(LsUserDelta));
		delta->org = *org;
		delta->user = *user;
	}
	return delta;
}

/* Organisations and users of all deltas as arrays. */
static LsUserDelta **
all_deltas(HTAB *deltas, LsArgs *args, int *n)
{
	long size = hash_get_num_entries(deltas);
	LsUserDelta **all = palloc(sizeof(LsUserDelta *) * (size + 1));
	pg_uuid_t *orgs = palloc(sizeof(pg_uuid_t) * (size + 1));
	pg_uuid_t *users = palloc(sizeof(pg_uuid_t) * (size + 1));
	HASH_SEQ_STATUS status;
	LsUserDelta *delta;

	*n = 0;
	hash_seq_init(&status, deltas);
	while ((delta = hash_seq_search(&status)) != NULL)
	{
		orgs[*n] = delta->org;
		users[*n] = delta->user;
		all[(*n)++] = delta;
	}
	ls_arg_datum(args, ls_uuid_array(orgs, *n), false);
	ls_arg_datum(args, ls_uuid_array(users, *n), false);
	return all;
}

/* Lock the users, by id, and learn when each was last given a lead. */
void
ls_user_deltas_lock(HTAB *deltas)
{
	LS_QUERY_ARRAY(query,
		"SELECT u.organization_id, u.id, u.last_assigned_at"
		"  FROM unnest($1, $2) d(organization_id, user_id)"
		"  JOIN lead_system.users u ON u.organization_id = d.organization_id AND u.id = d.user_id"
		" ORDER BY u.id, u.organization_id FOR NO KEY UPDATE OF u",
		UUIDARRAYOID, UUIDARRAYOID);
	LsArgs args = {0};
	LsScope scope;
	uint64 rows;
	uint64 row;
	int n;

	(void) all_deltas(deltas, &args, &n);
	if (n == 0)
		return;
	ls_scope_open(&scope, LS_AS_OWNER);
	rows = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < rows; row++)
	{
		pg_uuid_t org = ls_result_uuid(row, 1);
		pg_uuid_t user = ls_result_uuid(row, 2);
		LsUserDelta *delta = ls_user_delta(deltas, &org, &user);

		delta->was_assigned = !ls_result_isnull(row, 3);
		if (delta->was_assigned)
			delta->last_assigned = ls_result_timestamptz(row, 3);
	}
	ls_scope_close(&scope);
}

/* An int8[] of the values that an offset within the deltas has. */
static Datum
delta_numbers(LsUserDelta **all, int n, Size offset, bool is_wide)
{
	Datum *values = palloc(sizeof(Datum) * (n + 1));
	int i;

	for (i = 0; i < n; i++)
	{
		const char *field = (const char *) all[i] + offset;

		values[i] = Int64GetDatum(is_wide ? *(const int64 *) field : *(const int *) field);
	}
	return PointerGetDatum(
		construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* When each user was last given a lead, as timestamptz[]. */
static Datum
delta_times(LsUserDelta **all, int n)
{
	Datum *values = palloc(sizeof(Datum) * (n + 1));
	bool *nulls = palloc(sizeof(bool) * (n + 1));
	int lower_bound = 1;
	int i;

	for (i = 0; i < n; i++)
	{
		values[i] = TimestampTzGetDatum(all[i]->last_assigned);
		nulls[i] = !all[i]->was_assigned;
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower_bound, TIMESTAMPTZOID,
		sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Add to the counters.  The users are locked. */
void
ls_user_deltas_write(HTAB *deltas)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.users u SET current_lead_count = greatest(u.current_lead_count + d.open, 0),"
		"       total_leads_assigned = greatest(u.total_leads_assigned + d.assigned, 0),"
		"       total_leads_contacted = greatest(u.total_leads_contacted + d.contacted, 0),"
		"       total_leads_qualified = greatest(u.total_leads_qualified + d.qualified, 0),"
		"       total_response_seconds = greatest(u.total_response_seconds + d.seconds, 0),"
		"       avg_response_time_minutes = " AVERAGE_SQL(
			"greatest(u.total_response_seconds + d.seconds, 0)",
			"(u.total_leads_contacted + d.contacted)") ","
													   "       last_assigned_at = d.last_assigned"
													   "  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
													   "       d(organization_id, user_id, open, assigned, contacted, qualified, seconds, last_assigned)"
													   " WHERE u.organization_id = d.organization_id AND u.id = d.user_id",
		UUIDARRAYOID, UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
		INT8ARRAYOID, TIMESTAMPTZARRAYOID);
	LsArgs args = {0};
	LsUserDelta **all;
	LsScope scope;
	int n;

	all = all_deltas(deltas, &args, &n);
	if (n == 0)
		return;
	ls_arg_datum(&args, delta_numbers(all, n, offsetof(LsUserDelta, open), false), false);
	ls_arg_datum(&args, delta_numbers(all, n, offsetof(LsUserDelta, assigned), false), false);
	ls_arg_datum(&args, delta_numbers(all, n, offsetof(LsUserDelta, contacted), false), false);
	ls_arg_datum(&args, delta_numbers(all, n, offsetof(LsUserDelta, qualified), false), false);
	ls_arg_datum(
		&args, delta_numbers(all, n, offsetof(LsUserDelta, response_seconds), true), false);
	ls_arg_datum(&args, delta_times(all, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Lock all users of an organisation, in order. */
static void
lock_users(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.users WHERE organization_id = $1 ORDER BY id FOR NO KEY UPDATE",
		UUIDOID);
	LsArgs args = {0};
	LsScope scope;

	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/*
 * Count anew, with what is in the archive: users have done that work.  Who writes counters holds the user's row until the end of the
 * transaction, so all that counts is there, or not begun.  A user who was given a
 * lead that is gone for good was given it nevertheless at that time.
 */
int64
ls_assignment_recount_users(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"WITH l AS (SELECT assigned_to AS user_id, count(*) AS n FROM lead_system.leads l"
		"            WHERE organization_id = $1 AND assigned_to IS NOT NULL AND " LS_OPEN_SQL(
			"l") "            GROUP BY assigned_to),"
				 " h AS (SELECT to_user_id, created_at FROM lead_system.lead_assignments WHERE organization_id = $1"
				 "       UNION ALL " ARCHIVED_SQL("lead_assignments",
					 "r.to_user_id, r.created_at") "),"
												   " a AS (SELECT to_user_id AS user_id, count(*) AS n, max(created_at) AS last FROM h GROUP BY to_user_id),"
												   " k AS (SELECT user_id, milestone, response_seconds FROM lead_system.lead_credits WHERE organization_id = $1"
												   "       UNION ALL " ARCHIVED_SQL("lead_credits",
													   "r.user_id, r.milestone, r.response_seconds") "),"
																									 " c AS (SELECT user_id, count(*) FILTER (WHERE milestone = 'contacted') AS contacted,"
																									 "              count(*) FILTER (WHERE milestone = 'qualified') AS qualified,"
																									 "              coalesce(sum(response_seconds), 0) AS seconds"
																									 "         FROM k GROUP BY user_id),"
																									 " r AS (SELECT u.id, coalesce(l.n, 0) AS open, coalesce(a.n, 0) AS assigned, a.last,"
																									 "              coalesce(c.contacted, 0) AS contacted, coalesce(c.qualified, 0) AS qualified,"
																									 "              coalesce(c.seconds, 0) AS seconds, " AVERAGE_SQL(
																										 "c.seconds",
																										 "c.contacted") " AS minutes"
																														"         FROM lead_system.users u LEFT JOIN l ON l.user_id = u.id LEFT JOIN a ON a.user_id = u.id"
																														"         LEFT JOIN c ON c.user_id = u.id WHERE u.organization_id = $1)"
																														" UPDATE lead_system.users u SET current_lead_count = r.open, total_leads_assigned = r.assigned,"
																														"        total_leads_contacted = r.contacted, total_leads_qualified = r.qualified,"
																														"        total_response_seconds = r.seconds, avg_response_time_minutes = r.minutes,"
																														"        last_assigned_at = greatest(r.last, u.last_assigned_at)"
																														"   FROM r WHERE u.organization_id = $1 AND u.id = r.id"
																														"    AND (u.current_lead_count, u.total_leads_assigned, u.total_leads_contacted, u.total_leads_qualified,"
																														"         u.total_response_seconds, u.avg_response_time_minutes, u.last_assigned_at)"
																														"        IS DISTINCT FROM (r.open, r.assigned, r.contacted, r.qualified, r.seconds, r.minutes,"
																														"         greatest(r.last, u.last_assigned_at))",
		UUIDOID);
	LsArgs args = {0};
	LsScope scope;
	int64 n;

	lock_users(org);
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return n;
}

PG_FUNCTION_INFO_V1(ls_assignment_recount);

/* recount_user_counters(): the number of users whose counters were wrong. */
Datum
ls_assignment_recount(PG_FUNCTION_ARGS)
{
	pg_uuid_t org;

	ls_require_org(&org);
	PG_RETURN_INT64(ls_assignment_recount_users(&org));
}

/* The counters of a new user. */
static HeapTuple
without_counters(Relation rel, HeapTuple tuple)
{
	int attnums[lengthof(counters)];
	Datum values[lengthof(counters)];
	bool nulls[lengthof(counters)];
	int i;

	for (i = 0; i < (int) lengthof(counters); i++)
	{
		attnums[i] = ls_trigger_attnum(rel, counters[i]);
		values[i] = (Datum) 0;
		nulls[i] = i >= (int) lengthof(counters) - 2;
	}
	return heap_modify_tuple_by_cols(
		tuple, RelationGetDescr(rel), lengthof(counters), attnums, values, nulls);
}

PG_FUNCTION_INFO_V1(ls_assignment_keep_counters);

/*
 * users_keep_counters(): BEFORE INSERT OR UPDATE row trigger of users.  Only who
 * is above the policies may bring counters along, with old data.
 */
Datum
ls_assignment_keep_counters(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "users_keep_counters", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "users");
	Relation rel = trigdata->tg_relation;
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	int attnums[lengthof(counters)];
	Datum values[lengthof(counters)];
	bool nulls[lengthof(counters)];
	int i;

	if (!ls_caller_is_confined(rel))
		return PointerGetDatum(tuple);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(without_counters(rel, tuple));
	for (i = 0; i < (int) lengthof(counters); i++)
	{
		attnums[i] = ls_trigger_attnum(rel, counters[i]);
		values[i] =
			heap_getattr(trigdata->tg_trigtuple, attnums[i], RelationGetDescr(rel), &nulls[i]);
	}
	return PointerGetDatum(heap_modify_tuple_by_cols(
		tuple, RelationGetDescr(rel), lengthof(counters), attnums, values, nulls));
}
