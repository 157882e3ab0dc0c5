/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  claim_due_steps(): hands out the steps that are due.
 *
 *	  Enrolments are taken in the order of their due times with FOR NO KEY UPDATE
 *	  SKIP LOCKED, so that workers never wait for each other and never get the
 *	  same step.  Each then passes the gate (gate.c).  What becomes of an
 *	  enrolment is written once, in one statement for all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "nurture/claim.h"

/* A claim looks at so many enrolments that it cannot hand out. */
#define MAX_REFUSED 2000

/* It looks at no more than that at a time, and at no fewer once it found none. */
#define MAX_ROUND 500
#define MIN_ROUND 50

/* Steps whose worker is gone, released by a claim. */
#define RELEASE_ROWS 1000

/*
 * Read the active sequences, and keep them from being deleted: who deletes one
 * waits for its enrolments.  Those that are being deleted now are left out.
 */
static void
read_sequences(LsNurtureClaim *claim)
{
	LS_QUERY(query,
		"SELECT s.id, s.steps FROM lead_system.nurture_sequences s"
		" WHERE s.organization_id = $1 AND s.is_active FOR KEY SHARE SKIP LOCKED",
		UUIDOID);
	LsArgs args = {0};
	pg_uuid_t *ids;
	int i;

	ls_arg_uuid(&args, &claim->org);
	claim->n_sequences = (int) ls_query_run(&query, &args, LS_WRITE);
	claim->sequences = palloc0(sizeof(LsNurtureSequence) * (claim->n_sequences + 1));
	ids = palloc(sizeof(pg_uuid_t) * (claim->n_sequences + 1));
	for (i = 0; i < claim->n_sequences; i++)
	{
		bool isnull;

		ids[i] = claim->sequences[i].id = ls_result_uuid(i, 1);
		ls_nurture_steps_parse(
			DatumGetJsonbPCopy(ls_result(i, 2, &isnull)), &claim->sequences[i].steps);
	}
	claim->sequence_ids = ls_uuid_array(ids, claim->n_sequences);
}

/* A sequence by its id. */
static const LsNurtureSequence *
find_sequence(const LsNurtureClaim *claim, const pg_uuid_t *id)
{
	int i;

	for (i = 0; i < claim->n_sequences; i++)
	{
		if (ls_uuid_equal(&claim->sequences[i].id, id))
			return &claim->sequences[i];
	}
	elog(ERROR, "an enrolment of a sequence that was not asked for");
}

/* Lock the next enrolments that are due. */
static LsNurtureRow *
next_rows(const LsNurtureClaim *claim, int n, int *found)
{
	LS_QUERY(query,
		"SELECT e.id, e.lead_id, e.sequence_id, e.current_step, e.next_step_scheduled_at,"
		"       e.enrolled_at, e.blocked_rule, e.retry_count"
		"  FROM lead_system.lead_sequence_enrollments e"
		" WHERE e.organization_id = $1 AND e.status = 'active' AND e.step_state = 'scheduled'"
		"   AND e.next_step_scheduled_at <= $2 AND e.sequence_id = ANY ($3) AND e.id <> ALL ($4)"
		" ORDER BY e.next_step_scheduled_at, e.id LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDARRAYOID, INT8OID);
	LsArgs args = {0};
	LsNurtureRow *rows;
	int i;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_timestamptz(&args, claim->now);
	ls_arg_datum(&args, claim->sequence_ids, false);
	ls_arg_datum(&args, ls_uuid_array(claim->passed, claim->n_passed), false);
	ls_arg_int64(&args, n);
	*found = (int) ls_query_run(&query, &args, LS_WRITE);
	rows = palloc0(sizeof(LsNurtureRow) * (*found + 1));
	for (i = 0; i < *found; i++)
	{
		pg_uuid_t sequence = ls_result_uuid(i, 3);

		rows[i].id = ls_result_uuid(i, 1);
		rows[i].lead = ls_result_uuid(i, 2);
		rows[i].sequence = find_sequence(claim, &sequence);
		rows[i].current_step = ls_result_int32(i, 4);
		rows[i].due = ls_result_timestamptz(i, 5);
		rows[i].enrolled_at = ls_result_timestamptz(i, 6);
		rows[i].blocked_rule = ls_result_text(i, 7);
		rows[i].retry_count = ls_result_int32(i, 8);
		initStringInfo(&rows[i].log);
	}
	return rows;
}

/* What a worker needs for each of the steps, in their order. */
static void
return_steps(const LsNurtureClaim *claim, ReturnSetInfo *rsinfo, const LsNurtureRow *rows, int n)
{
	LS_QUERY_ARRAY(query,
		"SELECT u.n::integer, jsonb_build_object('organization_id', e.organization_id,"
		"  'sequence_id', e.sequence_id, 'sequence_name', s.name, 'phone_number', l.phone_number,"
		"  'email', l.email, 'attempt', e.retry_count + 1, 'due_at', e.next_step_scheduled_at,"
		"  'lease_until', e.lease_until, 'lead', jsonb_build_object('first_name', l.first_name,"
		"   'last_name', l.last_name, 'company_name', l.company_name, 'title', l.title,"
		"   'city', l.city, 'state', l.state, 'country', l.country, 'timezone', l.timezone,"
		"   'status', l.status, 'temperature', l.temperature, 'lead_score', l.lead_score,"
		"   'source', l.source, 'assigned_to', l.assigned_to, 'tags', l.tags,"
		"   'metadata', l.metadata))"
		"  FROM unnest($2) WITH ORDINALITY u(id, n)"
		"  JOIN lead_system.lead_sequence_enrollments e ON e.organization_id = $1 AND e.id = u.id"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = e.lead_id"
		"  JOIN lead_system.nurture_sequences s ON s.organization_id = $1 AND s.id = e.sequence_id"
		" ORDER BY u.n",
		UUIDOID, UUIDARRAYOID);
	const LsNurtureRow **claimed = palloc(sizeof(LsNurtureRow *) * (n + 1));
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * (n + 1));
	LsArgs args = {0};
	uint64 found;
	uint64 i;
	int count = 0;
	int j;

	for (j = 0; j < n; j++)
	{
		if (rows[j].fate != FATE_CLAIMED)
			continue;
		ids[count] = rows[j].id;
		claimed[count++] = &rows[j];
	}
	if (count == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, count), false);
	found = ls_query_run(&query, &args, LS_WRITE);
	for (i = 0; i < found; i++)
	{
		const LsNurtureRow *row = claimed[ls_result_int32(i, 1) - 1];
		Datum values[6];
		bool nulls[6] = {false};

		values[0] = UUIDPGetDatum(&row->id);
		values[1] = UUIDPGetDatum(&row->lead);
		values[2] = Int32GetDatum(row->step->number);
		values[3] = CStringGetTextDatum(ls_nurture_channel_name(row->step->channel));
		nulls[4] = row->step->template_id == NULL;
		values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(row->step->template_id);
		values[5] = ls_result(i, 2, &nulls[5]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* No leads yet. */
static HTAB *
create_leads(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(pg_uuid_t);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("leads of a claim", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * Hand out up to "wanted" steps of one organisation; returns how many.  Goes on
 * while enrolments fail at the gate, with more of them at a time the more have.
 */
static int
claim_steps(LsNurtureClaim *claim, ReturnSetInfo *rsinfo, int wanted)
{
	int taken = 0;
	int n = Min(wanted, MAX_ROUND);
	int found = n;

	(void) ls_nurture_release_lapsed(&claim->org, RELEASE_ROWS);
	read_sequences(claim);
	claim->passed = palloc(sizeof(pg_uuid_t) * (MAX_REFUSED + MAX_ROUND));
	claim->leads = create_leads();
	while (found == n && taken < wanted && claim->n_refused < MAX_REFUSED && claim->n_sequences > 0)
	{
		LsNurtureRow *rows;
		int claimed;

		n = Min(wanted - taken, MAX_ROUND);
		if (claim->n_refused > 0)
			n = Max(n, MIN_ROUND);
		rows = next_rows(claim, n, &found);
		claimed = ls_nurture_gate(claim, rows, found, wanted - taken);
		return_steps(claim, rsinfo, rows, found);
		taken += claimed;
	}
	return taken;
}

/* The claims of a call, of one organisation after the other. */
typedef struct Claims
{
	LsNurtureClaim start; /* what all have in common */
	const pg_uuid_t *orgs;
	int n;
	int batch;
	ReturnSetInfo *rsinfo;
} Claims;

/* Make the claims. */
static void
claim_all(void *arg)
{
	const Claims *claims = arg;
	int taken = 0;
	int i;

	for (i = 0; i < claims->n && taken < claims->batch; i++)
	{
		LsNurtureClaim claim = claims->start;

		claim.org = claims->orgs[i];
		taken += claim_steps(&claim, claims->rsinfo, claims->batch - taken);
	}
}

PG_FUNCTION_INFO_V1(ls_nurture_claim);

/* claim_due_steps(batch, lease) */
Datum
ls_nurture_claim(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT DISTINCT e.organization_id FROM lead_system.lead_sequence_enrollments e"
		" WHERE (e.status = 'active' AND e.step_state = 'scheduled'"
		"        AND e.next_step_scheduled_at <= $1)"
		"    OR (e.step_state = 'claimed' AND e.lease_until <= $1) ORDER BY 1",
		TIMESTAMPTZOID);
	Claims claims = {.start.now = ls_clock_now()};
	LsNurtureClaim *start = &claims.start;
	LsScope scope;

	LS_REQUIRE_ARG(0, "batch");
	LS_REQUIRE_ARG(1, "lease");
	claims.batch = PG_GETARG_INT32(0);
	if (claims.batch < 1 || claims.batch > LS_NURTURE_MAX_BATCH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", LS_NURTURE_MAX_BATCH)));
	start->lease_until = DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(start->now), PG_GETARG_DATUM(1)));
	if (start->lease_until <= start->now)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("lease must be positive")));
	start->has_user = ls_current_user(&start->user);
	claims.orgs = ls_sweep_organizations(&organizations, &claims.n);
	InitMaterializedSRF(fcinfo, 0);
	claims.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ls_scope_open(&scope, LS_AS_OWNER);
	/* The queue is read in the order of its index, whatever the planner expects. */
	(void) set_config_option(
		"enable_sort", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	ls_nurture_counts_once(claim_all, &claims);
	ls_scope_close(&scope);
	return (Datum) 0;
}
