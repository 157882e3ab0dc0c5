/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  claim_notifications(): hands out what is due.
 *
 *	  Rows are taken in the order of their times with SKIP LOCKED, so claimers
 *	  never wait for each other and never get the same notification.  A lease
 *	  that lapses counts as a failure, or a notification that kills its sender
 *	  would be tried for ever; so each is sent at least once, and rarely twice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "notifications/internal.h"

#define MAX_CLAIM 1000

/* So many notifications that cannot be handed out does a claim look at. */
#define MAX_REFUSED 2000

/* Notifications whose lease has lapsed are due again, or have failed. */
static void
release_lapsed(const LsNoticeClaim *claim)
{
	LS_QUERY(query,
		"WITH lapsed AS MATERIALIZED (SELECT id FROM lead_system.notifications"
		"   WHERE organization_id = $1 AND status = 'sending' AND lease_until <= $2"
		"   ORDER BY lease_until LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED)"
		" UPDATE lead_system.notifications n SET lease_until = NULL, scheduled_at = $2,"
		"        status = CASE WHEN n.retry_count < $3 THEN 'pending' ELSE 'failed' END,"
		"        retry_count = CASE WHEN n.retry_count < $3 THEN n.retry_count + 1"
		"          ELSE n.retry_count END,"
		"        error_message = 'the lease lapsed'"
		"   FROM lapsed l WHERE n.organization_id = $1 AND n.id = l.id",
		UUIDOID, TIMESTAMPTZOID, INT4OID);
	LsArgs args = {0};
	int retries;

	(void) ls_notification_retries(&claim->org, &retries);
	ls_arg_uuid(&args, &claim->org);
	ls_arg_timestamptz(&args, claim->now);
	ls_arg_int32(&args, retries);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Take over a row of the query for candidates. */
static void
set_notice(LsNotice *notice, uint64 row)
{
	bool isnull;
	Jsonb *payload = DatumGetJsonbP(ls_result(row, 9, &isnull));

	memset(notice, 0, sizeof(LsNotice));
	notice->fate = LS_NOTICE_CLAIMED;
	notice->id = ls_result_uuid(row, 1);
	notice->has_lead = !ls_result_isnull(row, 2);
	if (notice->has_lead)
		notice->lead = ls_result_uuid(row, 2);
	notice->has_user = !ls_result_isnull(row, 3);
	if (notice->has_user)
		notice->user = ls_result_uuid(row, 3);
	notice->type = ls_result_text(row, 4);
	notice->template_name = ls_result_text(row, 5);
	notice->recipient = ls_result_text(row, 6);
	notice->subject = ls_result_text(row, 7);
	notice->body = ls_result_text(row, 8);
	notice->payload = palloc(VARSIZE(payload));
	memcpy(notice->payload, payload, VARSIZE(payload));
	notice->retry_count = ls_result_int32(row, 10);
}

/* Lock the next notifications that are due. */
static void
next_notices(LsNoticeClaim *claim, int n)
{
	LS_QUERY(query,
		"SELECT id, lead_id, user_id, notification_type, template_name, recipient, subject, body,"
		"       payload, retry_count"
		"  FROM lead_system.notifications"
		" WHERE organization_id = $1 AND status = 'pending' AND scheduled_at <= $2"
		"   AND id <> ALL ($3)"
		" ORDER BY scheduled_at, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID, INT8OID);
	LsArgs args = {0};
	int i;

	ls_arg_uuid(&args, &claim->org);
	ls_arg_timestamptz(&args, claim->now);
	ls_arg_datum(&args, ls_uuid_array(claim->passed, claim->n_passed), false);
	ls_arg_int64(&args, n);
	claim->n = (int) ls_query_run(&query, &args, LS_WRITE);
	claim->notices = palloc(sizeof(LsNotice) * Max(claim->n, 1));
	for (i = 0; i < claim->n; i++)
		set_notice(&claim->notices[i], i);
}

/* Add a notification to the answer. */
static void
return_notice(ReturnSetInfo *rsinfo, const LsNoticeClaim *claim, const LsNotice *notice)
{
	Datum values[11] = {UUIDPGetDatum(&claim->org), UUIDPGetDatum(&notice->id),
		UUIDPGetDatum(&notice->lead), UUIDPGetDatum(&notice->user),
		CStringGetTextDatum(notice->type)};
	bool nulls[11] = {false};
	const char *texts[] = {notice->recipient, notice->subject, notice->body, notice->template_name};
	int i;

	nulls[2] = !notice->has_lead;
	nulls[3] = !notice->has_user;
	for (i = 0; i < (int) lengthof(texts); i++)
	{
		nulls[5 + i] = texts[i] == NULL;
		if (texts[i] != NULL)
			values[5 + i] = CStringGetTextDatum(texts[i]);
	}
	values[9] = JsonbPGetDatum(notice->payload);
	values[10] = Int32GetDatum(notice->retry_count);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Hand out what may be; returns how many.  Those that are busy do not come up
 * again, unless *again says so.
 */
static int
hand_out(LsNoticeClaim *claim, ReturnSetInfo *rsinfo, bool *again)
{
	int claimed = 0;
	int i;

	ls_notices_read(claim);
	ls_notices_judge(claim);
	ls_notices_store(claim);
	for (i = 0; i < claim->n; i++)
	{
		if (claim->notices[i].fate == LS_NOTICE_BUSY && claim->notices[i].again)
			*again = true;
		else if (claim->notices[i].fate == LS_NOTICE_BUSY)
			claim->passed[claim->n_passed++] = claim->notices[i].id;
		if (claim->notices[i].fate != LS_NOTICE_CLAIMED)
			continue;
		return_notice(rsinfo, claim, &claim->notices[i]);
		claimed++;
	}
	return claimed;
}

/* Claim up to "limit" notifications of one organisation; returns how many. */
static int
claim_of(const pg_uuid_t *org, TimestampTz lease_until, int limit, ReturnSetInfo *rsinfo)
{
	LsNoticeClaim claim = {.org = *org, .now = ls_clock_now(), .lease_until = lease_until};
	LsScope scope;
	int claimed = 0;
	int refused = 0;
	bool more = true;

	ls_scope_open(&scope, LS_AS_OWNER);
	(void) set_config_option(
		"enable_sort", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	claim.passed = palloc(sizeof(pg_uuid_t) * (MAX_REFUSED + MAX_CLAIM));
	claim.served = palloc(sizeof(pg_uuid_t) * (MAX_CLAIM + 1));
	release_lapsed(&claim);
	while (more && claimed < limit && refused < MAX_REFUSED)
	{
		int wanted = limit - claimed;
		int found;

		next_notices(&claim, wanted);
		more = claim.n == wanted;
		if (claim.n == 0)
			break;
		found = hand_out(&claim, rsinfo, &more);
		claimed += found;
		refused += claim.n - found;
	}
	ls_scope_close(&scope);
	return claimed;
}

PG_FUNCTION_INFO_V1(ls_notifications_claim);

/* claim_notifications(batch, lease) */
Datum
ls_notifications_claim(PG_FUNCTION_ARGS)
{
	LS_QUERY(organizations,
		"SELECT organization_id FROM lead_system.notifications"
		" WHERE status = 'pending' AND scheduled_at <= $1"
		" UNION SELECT organization_id FROM lead_system.notifications"
		" WHERE status = 'sending' AND lease_until <= $1 ORDER BY 1",
		TIMESTAMPTZOID);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz lease_until;
	pg_uuid_t *orgs;
	int n;
	int i;
	int limit;
	int claimed = 0;

	LS_REQUIRE_ARG(0, "batch");
	LS_REQUIRE_ARG(1, "lease");
	limit = PG_GETARG_INT32(0);
	if (limit < 1 || limit > MAX_CLAIM)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", MAX_CLAIM)));
	lease_until = DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(ls_clock_now()), PG_GETARG_DATUM(1)));
	if (lease_until <= ls_clock_now() || TIMESTAMP_NOT_FINITE(lease_until))
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("lease must be positive")));
	InitMaterializedSRF(fcinfo, 0);
	orgs = ls_sweep_organizations(&organizations, &n);
	for (i = 0; i < n && claimed < limit; i++)
		claimed += claim_of(&orgs[i], lease_until, limit - claimed, rsinfo);
	return (Datum) 0;
}
