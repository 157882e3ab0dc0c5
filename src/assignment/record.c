/*-------------------------------------------------------------------------
 *
 * record.c
 *	  Writes what the listener has collected: assignments, milestones, the
 *	  queue, the counters of users.
 *
 *	  The users are locked first, in order, since their counters are written
 *	  last, and the order of assignments depends on them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "assignment/record.h"

#define ASSIGNMENT_COLUMNS 8

/* Add the organisations and the leads of a series to the arguments of a query. */
static void
add_keys(LsArgs *args, const Series *keys)
{
	pg_uuid_t *orgs = palloc_extended(sizeof(pg_uuid_t) * keys->n, MCXT_ALLOC_HUGE);
	pg_uuid_t *leads = palloc_extended(sizeof(pg_uuid_t) * keys->n, MCXT_ALLOC_HUGE);
	int64 i;

	for (i = 0; i < keys->n; i++)
	{
		const LeadKey *key = series_get(keys, i);

		orgs[i] = key->org;
		leads[i] = key->lead;
	}
	ls_arg_datum(args, ls_uuid_array(orgs, (int) keys->n), false);
	ls_arg_datum(args, ls_uuid_array(leads, (int) keys->n), false);
}

/* Leads that are gone for good take what counted for them along. */
static void
count_deleted(AssignmentState *state)
{
	LS_QUERY_ARRAY(query,
		"SELECT x.organization_id, x.user_id, sum(x.assigned)::integer, sum(x.contacted)::integer,"
		"       sum(x.qualified)::integer, sum(x.seconds)::bigint"
		"  FROM (SELECT a.organization_id, a.to_user_id AS user_id, 1 AS assigned, 0 AS contacted, 0 AS qualified, 0 AS seconds"
		"          FROM unnest($1, $2) d(organization_id, lead_id)"
		"          JOIN lead_system.lead_assignments a ON a.organization_id = d.organization_id AND a.lead_id = d.lead_id"
		"         WHERE a.to_user_id IS NOT NULL"
		"        UNION ALL"
		"        SELECT c.organization_id, c.user_id, 0, (c.milestone = 'contacted')::integer,"
		"               (c.milestone = 'qualified')::integer, coalesce(c.response_seconds, 0)"
		"          FROM unnest($1, $2) d(organization_id, lead_id)"
		"          JOIN lead_system.lead_credits c ON c.organization_id = d.organization_id AND c.lead_id = d.lead_id) x"
		" GROUP BY x.organization_id, x.user_id",
		UUIDARRAYOID, UUIDARRAYOID);
	LsArgs args = {0};
	LsScope scope;
	uint64 n;
	uint64 row;

	if (state->deleted.n == 0)
		return;
	add_keys(&args, &state->deleted);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < n; row++)
	{
		pg_uuid_t org = ls_result_uuid(row, 1);
		pg_uuid_t user = ls_result_uuid(row, 2);
		LsUserDelta *delta = ls_user_delta(state->deltas, &org, &user);

		delta->assigned -= ls_result_int32(row, 3);
		delta->contacted -= ls_result_int32(row, 4);
		delta->qualified -= ls_result_int32(row, 5);
		delta->response_seconds -= ls_result_int64(row, 6);
	}
	ls_scope_close(&scope);
}

/* Write lead_assignments, each user's in an order. */
static void
write_changes(AssignmentState *state, TimestampTz now)
{
	static const Oid types[ASSIGNMENT_COLUMNS] = {
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_assignments"
		" (organization_id, lead_id, from_user_id, to_user_id, strategy, reason, metadata, created_at, assigned_by)"
		" SELECT a.organization_id, a.lead_id, a.from_user_id, a.to_user_id, a.strategy, a.reason, a.metadata::jsonb, a.created_at, $9"
		"   FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
		"     a(organization_id, lead_id, from_user_id, to_user_id, strategy, reason, metadata, created_at)",
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TIMESTAMPTZARRAYOID, UUIDOID);
	const LsAssignPass *pass = ls_assign_current_pass();
	const char *reason = pass ? pass->reason : ls_lead_cause()->reason;
	LsArgs fixed = {0};
	pg_uuid_t user;
	LsBatch *batch;
	int64 i;

	ls_arg_uuid(&fixed, ls_current_user(&user) ? &user : NULL);
	batch = ls_batch_create(&query, ASSIGNMENT_COLUMNS, types, &fixed);
	for (i = 0; i < state->changes.n; i++)
	{
		Change *change = series_get(&state->changes, i);
		const LsAssignLead *lead = pass ? ls_assign_lead_of(pass, &change->lead) : NULL;
		TimestampTz at = now;
		Datum values[ASSIGNMENT_COLUMNS];
		bool nulls[ASSIGNMENT_COLUMNS] = {false};

		if (change->has_to)
		{
			LsUserDelta *delta = ls_user_delta(state->deltas, &change->org, &change->to);

			if (delta->was_assigned)
				at = Max(now, delta->last_assigned + 1);
			delta->last_assigned = at;
			delta->was_assigned = true;
		}
		values[0] = UUIDPGetDatum(&change->org);
		values[1] = UUIDPGetDatum(&change->lead);
		values[2] = UUIDPGetDatum(&change->from);
		nulls[2] = !change->has_from;
		values[3] = UUIDPGetDatum(&change->to);
		nulls[3] = !change->has_to;
		values[4] =
			CStringGetTextDatum(ls_strategy_name(lead ? lead->strategy : LS_STRATEGY_MANUAL));
		nulls[5] = reason == NULL;
		values[5] = reason ? CStringGetTextDatum(reason) : (Datum) 0;
		values[6] = CStringGetTextDatum(lead && lead->metadata ? lead->metadata : "{}");
		values[7] = TimestampTzGetDatum(at);
		ls_batch_add(batch, values, nulls);
	}
	ls_batch_flush(batch);
}

/* The milestones of a statement as arrays for the query below. */
static void
add_credits(LsArgs *args, const Series *credits)
{
	int n = (int) credits->n;
	pg_uuid_t *orgs = palloc_extended(sizeof(pg_uuid_t) * n, MCXT_ALLOC_HUGE);
	pg_uuid_t *leads = palloc_extended(sizeof(pg_uuid_t) * n, MCXT_ALLOC_HUGE);
	pg_uuid_t *users = palloc_extended(sizeof(pg_uuid_t) * n, MCXT_ALLOC_HUGE);
	Datum *contacts = palloc_extended(sizeof(Datum) * n, MCXT_ALLOC_HUGE);
	Datum *seconds = palloc_extended(sizeof(Datum) * n, MCXT_ALLOC_HUGE);
	int i;

	for (i = 0; i < n; i++)
	{
		const Credit *credit = series_get(credits, i);

		orgs[i] = credit->org;
		leads[i] = credit->lead;
		users[i] = credit->user;
		contacts[i] = BoolGetDatum(credit->is_contact);
		seconds[i] = Int64GetDatum(credit->seconds);
	}
	ls_arg_datum(args, ls_uuid_array(orgs, n), false);
	ls_arg_datum(args, ls_uuid_array(leads, n), false);
	ls_arg_datum(args, ls_uuid_array(users, n), false);
	ls_arg_datum(args,
		PointerGetDatum(construct_array(contacts, n, BOOLOID, 1, true, TYPALIGN_CHAR)), false);
	ls_arg_datum(args,
		PointerGetDatum(
			construct_array(seconds, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		false);
}

/*
 * Write the milestones that are reached for the first time, and count them.  The
 * leads are held by this statement, so nobody else writes theirs.
 */
static void
write_credits(AssignmentState *state, TimestampTz now)
{
	LS_QUERY_ARRAY(query,
		"WITH made AS (INSERT INTO lead_system.lead_credits"
		"   (organization_id, lead_id, user_id, milestone, response_seconds, created_at)"
		"   SELECT c.organization_id, c.lead_id, c.user_id,"
		"          CASE WHEN c.is_contact THEN 'contacted' ELSE 'qualified' END,"
		"          CASE WHEN c.is_contact THEN c.seconds END, $6"
		"     FROM unnest($1, $2, $3, $4, $5) c(organization_id, lead_id, user_id, is_contact, seconds)"
		"   ON CONFLICT (organization_id, lead_id, milestone) DO NOTHING"
		"   RETURNING organization_id, user_id, milestone, response_seconds)"
		" SELECT m.organization_id, m.user_id,"
		"        (count(*) FILTER (WHERE m.milestone = 'contacted'))::integer,"
		"        (count(*) FILTER (WHERE m.milestone = 'qualified'))::integer,"
		"        coalesce(sum(m.response_seconds), 0)::bigint"
		"   FROM made m GROUP BY m.organization_id, m.user_id",
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, BOOLARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	LsScope scope;
	uint64 n;
	uint64 row;

	if (state->credits.n == 0)
		return;
	add_credits(&args, &state->credits);
	ls_arg_timestamptz(&args, now);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < n; row++)
	{
		pg_uuid_t org = ls_result_uuid(row, 1);
		pg_uuid_t user = ls_result_uuid(row, 2);
		LsUserDelta *delta = ls_user_delta(state->deltas, &org, &user);

		delta->contacted += ls_result_int32(row, 3);
		delta->qualified += ls_result_int32(row, 4);
		delta->response_seconds += ls_result_int64(row, 5);
	}
	ls_scope_close(&scope);
}

#define LEAVE_QUEUE \
	"DELETE FROM lead_system.waiting_leads w USING unnest($1, $2) d(organization_id, lead_id)" \
	" WHERE w.organization_id = d.organization_id AND w.lead_id = d.lead_id"

/*
 * Leads that have somebody, or are not worth it any more, wait no longer, and need
 * no review on that account.  A pass says so in the statement that assigns them.
 */
static void
leave_queue(AssignmentState *state)
{
	LS_QUERY_ARRAY(leave, LEAVE_QUEUE, UUIDARRAYOID, UUIDARRAYOID);
	LS_QUERY_ARRAY(leave_unmarked,
		"WITH gone AS (" LEAVE_QUEUE " RETURNING w.organization_id, w.lead_id, w.set_review)"
		" UPDATE lead_system.leads l SET needs_review = false FROM gone"
		"  WHERE gone.set_review AND l.organization_id = gone.organization_id"
		"    AND l.id = gone.lead_id AND l.needs_review",
		UUIDARRAYOID, UUIDARRAYOID);
	LsArgs args = {0};
	LsScope scope;

	if (state->not_waiting.n == 0)
		return;
	add_keys(&args, &state->not_waiting);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(ls_assign_current_pass() ? &leave : &leave_unmarked, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Compare keys of leads by organisation, for qsort. */
static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(LeadKey));
}

/* Assign the leads that are to be assigned by themselves, by organisation. */
static void
assign_fresh(AssignmentState *state)
{
	pg_uuid_t *leads;
	int64 i;
	int n = 0;

	if (state->fresh.n == 0)
		return;
	leads = palloc_extended(sizeof(pg_uuid_t) * state->fresh.n, MCXT_ALLOC_HUGE);
	qsort(state->fresh.items, state->fresh.n, sizeof(LeadKey), compare_keys);
	for (i = 0; i < state->fresh.n; i++)
	{
		LeadKey *key = series_get(&state->fresh, i);
		LeadKey *next = i + 1 < state->fresh.n ? series_get(&state->fresh, i + 1) : NULL;

		leads[n++] = key->lead;
		if (next != NULL && ls_uuid_equal(&key->org, &next->org))
			continue;
		ls_assign_new_leads(&key->org, leads, n);
		n = 0;
	}
}

/* Listener: write what has been collected. */
void
ls_assignment_record(LsLeadStatement *statement, void **state)
{
	AssignmentState *collected = *state;

	count_deleted(collected);
	ls_user_deltas_lock(collected->deltas);
	write_changes(collected, statement->now);
	write_credits(collected, statement->now);
	if (collected->activities != NULL)
		ls_batch_flush(collected->activities);
	leave_queue(collected);
	/* What becomes free is given away by the trigger of users. */
	ls_user_deltas_write(collected->deltas);
	assign_fresh(collected);
}
