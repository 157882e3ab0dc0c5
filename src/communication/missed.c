/*-------------------------------------------------------------------------
 *
 * missed.c
 *	  Following up calls that were not answered (semantics J1).
 *
 *	  The caller is enrolled in the sequence "missed_call" of the organisation: a
 *	  text message now, an e-mail after five minutes, a last message a day later.
 *	  A reply pauses it, as any sequence.  The sequence is made when it is needed
 *	  first; its id follows from the organisation's, so that two sessions make
 *	  one.  Managers edit it like any other.
 *
 *	  A caller who has not been heard of for two days is given up.  The score
 *	  decides how warm a lead is, so what is written is the tag "cold", and the
 *	  status of that name where the lead's pipeline has a step to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/query.h"
#include "core/sweep.h"
#include "nurture/nurture.h"

/* Largest batch of a sweep. */
#define MAX_BATCH 10000

/* Make the sequence, unless it is there; a manager's changes to it stay. */
static void
ensure_sequence(const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.nurture_sequences"
		" WHERE organization_id = $1 AND id = " LS_MISSED_CALL_SEQUENCE_SQL,
		UUIDOID);
	LS_QUERY(insert,
		"INSERT INTO lead_system.nurture_sequences (organization_id, id, name, description, steps)"
		" VALUES ($1, " LS_MISSED_CALL_SEQUENCE_SQL ", 'missed_call',"
		"  'Follows up calls that were not answered.',"
		"  '[{\"step\": 1, \"channel\": \"sms\", \"template_id\": \"missed_call_sms\"},"
		"    {\"step\": 2, \"channel\": \"email\", \"template_id\": \"missed_call_email\","
		"     \"delay_minutes\": 5},"
		"    {\"step\": 3, \"channel\": \"sms\", \"template_id\": \"missed_call_final\","
		"     \"delay_hours\": 24}]')"
		" ON CONFLICT (id, organization_id) DO NOTHING",
		UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		(void) ls_query_run(&insert, &args, LS_WRITE);
}

/*
 * Is the lead one that is followed up, and the sequence active?  Gives its id.
 * A customer whose job is done is not sent the messages for new ones, but must
 * not be overheard either: people are told.
 */
static bool
may_follow_up(const LsReport *report, pg_uuid_t *sequence)
{
	LS_QUERY(query,
		"SELECT s.id, l.stage IN " LS_NURTURE_CLOSED_STAGES_SQL
		" FROM lead_system.leads l, lead_system.nurture_sequences s"
		" WHERE l.organization_id = $1 AND l.id = $2 AND NOT l.do_not_call"
		"   AND l.deleted_at IS NULL AND NOT l.is_spam"
		"   AND s.organization_id = $1 AND s.id = " LS_MISSED_CALL_SEQUENCE_SQL
		"   AND s.is_active",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	if (ls_query_run_latest(&query, &args) == 0)
		return false;
	if (ls_result_bool(0, 2))
	{
		ls_reply_tell_users(report, "missed_call", "missed call");
		return false;
	}
	*sequence = ls_result_uuid(0, 1);
	return true;
}

/* Note when the caller is given up, after hours that are not 0. */
static void
set_deadline(const LsReport *report, int hours)
{
	LS_QUERY(query,
		"UPDATE lead_system.call_logs SET goes_cold_at = created_at + make_interval(hours => $3)"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, INT4OID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->id);
	ls_arg_int32(&args, hours);
	(void) ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Follow up a call from a lead, which the caller has locked.  A call that would be
 * given up at once is history that is being brought in, or a report that came much
 * too late: nobody is written to about it.
 */
void
ls_missed_call(const LsReport *report)
{
	int hours = ls_config_int(&report->org, "communication.cold_hours");
	pg_uuid_t sequence;
	LsScope scope;

	if (!ls_config_bool(&report->org, "communication.missed_call_follow_up") ||
		(hours > 0 && report->at < ls_clock_now() - hours * USECS_PER_HOUR))
		return;
	ls_scope_open(&scope, LS_AS_OWNER);
	ensure_sequence(&report->org);
	if (may_follow_up(report, &sequence))
	{
		ls_nurture_enroll_locked(&report->org, &sequence, &report->lead);
		if (hours > 0)
			set_deadline(report, hours);
	}
	ls_scope_close(&scope);
}

/* The ids in a column of the result that was read last. */
static Datum
result_ids(int column, uint64 n)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * (n + 1));
	uint64 i;

	for (i = 0; i < n; i++)
		ids[i] = ls_result_uuid(i, column);
	return ls_uuid_array(ids, (int) n);
}

/*
 * Take calls whose deadline has passed, and their leads; what another session
 * holds is left for the next sweep.  One statement each: joined, and without
 * statistics, they would be read from the side of all leads that there are.
 * False when there is none.
 */
static bool
take_due(const pg_uuid_t *org, int limit, Datum *calls, Datum *leads)
{
	LS_QUERY(due,
		"SELECT c.id, c.lead_id FROM lead_system.call_logs c"
		" WHERE c.organization_id = $1 AND c.goes_cold_at <= $2 AND c.lead_id IS NOT NULL"
		" ORDER BY c.goes_cold_at, c.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, INT4OID);
	LS_QUERY_ARRAY(lock,
		"SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		" FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};
	LsArgs lead_args = {0};
	uint64 n;

	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, limit);
	n = ls_query_run(&due, &args, LS_WRITE);
	if (n == 0)
		return false;
	*calls = result_ids(1, n);
	ls_arg_uuid(&lead_args, org);
	ls_arg_datum(&lead_args, result_ids(2, n), false);
	n = ls_query_run(&lock, &lead_args, LS_WRITE);
	*leads = result_ids(1, n);
	return n > 0;
}

/* Give up the leads of due calls that have not been heard of since. */
static int64
sweep(const pg_uuid_t *org, int limit)
{
	LS_QUERY_ARRAY(give_up,
		"UPDATE lead_system.leads l SET tags = l.tags || '{" LS_COLD_TAG "}',"
		"   status = coalesce((SELECT t.to_status FROM lead_system.pipeline_transitions t"
		"     WHERE t.pipeline_id = l.pipeline_id AND t.from_status = l.status"
		"       AND t.to_status = '" LS_COLD_TAG "'), l.status)"
		" WHERE l.organization_id = $1 AND l.id = ANY ($3)"
		"   AND l.deleted_at IS NULL AND l.stage IN ('new', 'working')"
		"   AND NOT '" LS_COLD_TAG "' = ANY (l.tags)"
		"   AND l.id IN (SELECT c.lead_id FROM lead_system.call_logs c"
		"     WHERE c.organization_id = $1 AND c.id = ANY ($2)"
		"       AND (l.last_contact_at IS NULL OR l.last_contact_at < c.created_at)"
		"       AND NOT EXISTS (SELECT FROM lead_system.sms_logs s WHERE s.organization_id = $1"
		"         AND s.lead_id = c.lead_id AND s.direction = 'inbound'"
		"         AND s.created_at >= c.created_at)"
		"       AND NOT EXISTS (SELECT FROM lead_system.call_logs o WHERE o.organization_id = $1"
		"         AND o.lead_id = c.lead_id AND o.created_at >= c.created_at"
		"         AND (o.status = 'answered' OR o.goes_cold_at > $4))"
		"       AND NOT EXISTS (SELECT FROM lead_system.lead_sequence_enrollments e"
		"         WHERE e.organization_id = $1 AND e.lead_id = c.lead_id"
		"           AND e.sequence_id = " LS_MISSED_CALL_SEQUENCE_SQL
		"           AND e.pause_reason = 'reply'))",
		UUIDOID, UUIDARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID);
	LS_QUERY_ARRAY(settle,
		"UPDATE lead_system.call_logs SET goes_cold_at = NULL"
		" WHERE organization_id = $1 AND id = ANY ($2) AND lead_id = ANY ($3)",
		UUIDOID, UUIDARRAYOID, UUIDARRAYOID);
	LsLeadCause cause = {"no reply to the follow-up of a missed call", "automation", NULL, false};
	const LsLeadCause *previous = ls_lead_cause_set(&cause);
	volatile uint64 n = 0;

	PG_TRY();
	{
		LsArgs args = {0};
		Datum calls;
		Datum leads;
		LsScope scope;

		ls_scope_open(&scope, LS_AS_OWNER);
		if (take_due(org, limit, &calls, &leads))
		{
			ls_arg_uuid(&args, org);
			ls_arg_datum(&args, calls, false);
			ls_arg_datum(&args, leads, false);
			n = ls_query_run(&settle, &args, LS_WRITE);
			ls_arg_timestamptz(&args, ls_clock_now());
			(void) ls_query_run(&give_up, &args, LS_WRITE);
		}
		ls_scope_close(&scope);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	return (int64) n;
}

PG_FUNCTION_INFO_V1(ls_communication_sweep_missed_calls);

/* sweep_missed_calls(batch) */
Datum
ls_communication_sweep_missed_calls(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT DISTINCT c.organization_id FROM lead_system.call_logs c"
		" WHERE c.goes_cold_at <= $1 AND c.lead_id IS NOT NULL ORDER BY 1",
		TIMESTAMPTZOID);

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_sweep(&organizations, sweep, PG_GETARG_INT32(0), MAX_BATCH));
}
