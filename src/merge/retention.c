/*-------------------------------------------------------------------------
 *
 * retention.c
 *	  What is thrown away in the end: archived leads after their export, and
 *	  histories, notifications and settled holds as old as the organisation's
 *	  settings say.
 *
 *	  Never touched: the do-not-call list, its audit, consents, suppressions and
 *	  erasures (semantics D13).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/tenant.h"
#include "assignment/assignment.h"
#include "merge/merge.h"

/* Rows o that came before $5 less so many days as $6 says. */
#define CREATED_BEFORE "o.created_at < $5 - make_interval(days => $6)"

/*
 * What may be cut, by which setting, and the oldest of it first.  Of notifications
 * only what is over since then: one may have been queued long before it was due.
 * The same goes for holds; what they were stays in the ledger.
 * Days of counts are those of the organisation's time zone, so one more is kept.
 *
 * Of what agents did and of what campaigns cost nothing is cut that the limits of
 * a change still count by: they look back 366 days at most.
 */
#define OVER_BEFORE "o.completed_at < $5 - make_interval(days => $6)"
#define AD_DAY_BEFORE "o.day < ($5 AT TIME ZONE 'UTC')::date - greatest($6, 367) - 1"

static const struct
{
	const char *table;
	const char *setting;
	const char *key; /* one column that tells its rows apart while they are locked */
	const char *condition;
	const char *ordering;
} histories[] = {{"ad_campaign_days", "retention.ad_days_days", "ctid", AD_DAY_BEFORE, "o.day"},
	{"ai_agent_logs", "retention.agent_logs_days", "id",
		CREATED_BEFORE " AND " OVER_BEFORE " AND (o.from_value IS NULL OR o.result <> 'success'"
					   " OR o.completed_at < $5 - interval '367 days')",
		"o.created_at"},
	{"keyword_days", "retention.ad_days_days", "ctid", AD_DAY_BEFORE, "o.day"},
	{"workflow_runs", "retention.workflow_runs_days", "id", CREATED_BEFORE " AND " OVER_BEFORE,
		"o.created_at"},
	{"activities", "retention.activities_days", "id", CREATED_BEFORE, "o.created_at"},
	{"budget_holds", "retention.budget_holds_days", "id",
		CREATED_BEFORE " AND o.settled_at < $5 - make_interval(days => $6)", "o.created_at"},
	{"contact_attempts", "retention.contact_attempts_days", "id", CREATED_BEFORE, "o.created_at"},
	{"lead_audit_log", "retention.audit_log_days", "id", CREATED_BEFORE, "o.created_at"},
	{"lead_score_history", "retention.score_history_days", "id", CREATED_BEFORE, "o.created_at"},
	{"lead_status_history", "retention.status_history_days", "id", CREATED_BEFORE, "o.created_at"},
	{"notifications", "retention.notifications_days", "id",
		CREATED_BEFORE " AND o.status IN ('sent', 'failed', 'dropped')"
					   " AND o.updated_at < $5 - make_interval(days => $6)",
		"o.created_at"},
	{"nurture_daily_counts", "retention.nurture_counts_days", "id",
		"o.day < ($5 AT TIME ZONE 'UTC')::date - $6 - 1", "o.day"}};

/* Up to which time of archiving is purged; none for what the settings say. */
static TimestampTz purge_before = 0;
static bool purge_by_settings = true;

/* Purge a batch of an organisation.  What users did for a lead that is gone does not count any more. */
static int64
purge_batch(const pg_uuid_t *org, int batch)
{
	LS_QUERY(query,
		"DELETE FROM lead_system.leads_archive a WHERE a.organization_id = $1 AND a.id = ANY (ARRAY("
		"  SELECT o.id FROM lead_system.leads_archive o WHERE o.organization_id = $1"
		"     AND o.archived_at < coalesce($2, $3 - make_interval(days => $4))"
		"     AND (o.exported_at IS NOT NULL OR NOT $5)"
		"   ORDER BY o.archived_at, o.id LIMIT $6 FOR UPDATE SKIP LOCKED))",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, BOOLOID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	uint64 n;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, TimestampTzGetDatum(purge_before), purge_by_settings);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_int32(&args, ls_config_int(org, "archive.purge_after_days"));
	ls_arg_bool(&args, ls_config_bool(org, "archive.export_required"));
	ls_arg_int32(&args, batch);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	if (n > 0)
		(void) ls_assignment_recount_users(org);
	return (int64) n;
}

PG_FUNCTION_INFO_V1(ls_merge_purge);

/* purge_archived_leads(batch, before) */
Datum
ls_merge_purge(PG_FUNCTION_ARGS)
{
	LS_QUERY0(
		organizations, "SELECT DISTINCT organization_id FROM lead_system.leads_archive ORDER BY 1");

	LS_REQUIRE_ARG(0, "batch");
	purge_by_settings = PG_ARGISNULL(1);
	purge_before = purge_by_settings ? 0 : PG_GETARG_TIMESTAMPTZ(1);
	PG_RETURN_INT64(ls_move_sweep(&organizations, purge_batch, PG_GETARG_INT32(0)));
}

/* Cut the histories of an organisation. */
static int64
retention_batch(const pg_uuid_t *org, int batch)
{
	LsMove move = {.org = *org, .now = ls_clock_now()};
	LsScope scope;
	int64 done = 0;
	int i;

	for (i = 0; i < (int) lengthof(histories); i++)
	{
		move.number = ls_config_int(org, histories[i].setting);
		if (move.number == 0)
			continue;
		ls_scope_open(&scope, LS_AS_OWNER);
		done += (int64) ls_move_run_exactly(&move,
			psprintf(
				"DELETE FROM lead_system.%1$s h WHERE h.organization_id = $1 AND h.%5$s = ANY (ARRAY("
				"  SELECT o.%5$s FROM lead_system.%1$s o WHERE o.organization_id = $1"
				"     AND %2$s ORDER BY %3$s LIMIT %4$d FOR UPDATE SKIP LOCKED))",
				quote_identifier(histories[i].table), histories[i].condition, histories[i].ordering,
				batch, histories[i].key));
		ls_scope_close(&scope);
	}
	return done;
}

PG_FUNCTION_INFO_V1(ls_merge_apply_retention);

/* apply_retention(batch) */
Datum
ls_merge_apply_retention(PG_FUNCTION_ARGS)
{
	LS_QUERY0(organizations, "SELECT DISTINCT organization_id FROM lead_system.system_config"
							 " WHERE key LIKE 'retention.%' ORDER BY 1");

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_move_sweep(&organizations, retention_batch, PG_GETARG_INT32(0)));
}

PG_FUNCTION_INFO_V1(ls_merge_export_archive);

/* export_archive_csv(batch): the heading, and a line per lead. */
Datum
ls_merge_export_archive(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"WITH given AS (UPDATE lead_system.leads_archive a SET exported_at = $3"
		"  WHERE a.organization_id = $1 AND a.id = ANY (ARRAY("
		"    SELECT o.id FROM lead_system.leads_archive o WHERE o.organization_id = $1"
		"       AND o.exported_at IS NULL ORDER BY o.archived_at, o.id LIMIT $2 FOR UPDATE SKIP LOCKED))"
		"  RETURNING a.*) "
		"SELECT x.line FROM ("
		"  SELECT 'id,first_name,last_name,company_name,email,phone_number,source,source_id,status,"
		"created_at,archived_at,lead,children' AS line, NULL::timestamptz AS archived_at, NULL::uuid AS id"
		"  UNION ALL"
		"  SELECT (SELECT string_agg('\"' || replace(coalesce(v.value, ''), '\"', '\"\"') || '\"', ',' ORDER BY v.n)"
		"            FROM unnest(ARRAY[g.id::text, g.first_name, g.last_name, g.company_name, g.email,"
		"                 g.phone_number, g.source, g.source_id, g.status, to_json(g.created_at) #>> '{}',"
		"                 to_json(g.archived_at) #>> '{}', g.lead::text, g.children::text])"
		"                 WITH ORDINALITY v(value, n)), g.archived_at, g.id"
		"    FROM given g) x ORDER BY x.archived_at NULLS FIRST, x.id NULLS FIRST",
		UUIDOID, INT4OID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "batch");
	if (PG_GETARG_INT32(0) < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("batch must be between 1 and %d", PG_INT32_MAX)));
	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ls_arg_uuid(&args, &org);
	ls_arg_int32(&args, PG_GETARG_INT32(0));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run(&query, &args, LS_WRITE);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
