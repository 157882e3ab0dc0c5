/*-------------------------------------------------------------------------
 *
 * advertising.c
 *	  Init of the domain, who may use it, and what its files have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/grants.h"
#include "core/sweep.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "advertising/internal.h"

/* What a person may write at any time. */
#define CAMPAIGN_COLUMNS \
	"organization_id, external_id, name, campaign_type, daily_budget, monthly_budget, status"
#define KEYWORD_COLUMNS \
	"organization_id, campaign_id, keyword_text, match_type, max_cpc, quality_score, status"

/* What there was before; later record_ad_days() keeps it. */
#define TOTAL_COLUMNS "total_spend, total_clicks, total_impressions, total_conversions"

static const LsGrant advertising_grants[] = {
	{"ad_campaigns", "SELECT", LS_LEVEL_READONLY, false},
	{"ad_campaigns",
		"DELETE, INSERT (id, " TOTAL_COLUMNS ", " CAMPAIGN_COLUMNS "), UPDATE (" CAMPAIGN_COLUMNS
		")",
		LS_LEVEL_MANAGER, false},
	{"keywords", "SELECT", LS_LEVEL_READONLY, false},
	{"keywords",
		"DELETE, INSERT (id, " TOTAL_COLUMNS ", " KEYWORD_COLUMNS "), UPDATE (" KEYWORD_COLUMNS ")",
		LS_LEVEL_MANAGER, false},
	{"ad_campaign_days", "SELECT", LS_LEVEL_READONLY, false},
	{"keyword_days", "SELECT", LS_LEVEL_READONLY, false},
	{"record_ad_days(jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"run_ad_diagnostics(date)", "EXECUTE", LS_LEVEL_MANAGER, true},
	{"propose_actions()", "EXECUTE", LS_LEVEL_MANAGER, true},
	{"propose_action(text, text, uuid, numeric, jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"apply_action(uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"apply_due_actions(integer)", "EXECUTE", LS_LEVEL_MANAGER, true},
};

/* Today, in the time zone of an organisation; a session can name one that is not there. */
void
ls_ad_today(const pg_uuid_t *org, LsAdDay *day)
{
	LS_QUERY(query,
		"SELECT x.day, x.day::timestamp AT TIME ZONE x.timezone,"
		"       (x.day + 1)::timestamp AT TIME ZONE x.timezone"
		"  FROM (SELECT ($2 AT TIME ZONE o.timezone)::date AS day, o.timezone"
		"          FROM lead_system.organizations o WHERE o.id = $1) x",
		UUIDOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool isnull;

	day->org = *org;
	day->now = ls_clock_now();
	ls_arg_uuid(&args, org);
	ls_arg_timestamptz(&args, day->now);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
						   errmsg("organization \"%s\" does not exist", ls_uuid_text(org))));
	day->date = DatumGetDateADT(ls_result(0, 1, &isnull));
	day->starts_at = ls_result_timestamptz(0, 2);
	day->ends_at = ls_result_timestamptz(0, 3);
	ls_scope_close(&scope);
}

/* The first parameters of a statement that judges by the limits. */
void
ls_ad_limit_args(LsArgs *args, const LsAdDay *day)
{
	ls_arg_uuid(args, &day->org);
	ls_arg_timestamptz(args, day->now);
	ls_arg_datum(args, DateADTGetDatum(day->date), false);
	ls_arg_int32(args, ls_config_int(&day->org, "ads.approval_percent"));
	ls_arg_int32(args, ls_config_int(&day->org, "ads.max_percent"));
	ls_arg_int32(args, ls_config_int(&day->org, "ads.max_impact"));
	ls_arg_int32(args, ls_config_int(&day->org, "ads.limit_days"));
	ls_arg_int32(args, ls_config_int(&day->org, "ads.impact_days"));
}

/* The organisations in which a scheduler's call works. */
pg_uuid_t *
ls_ad_organizations(int *n)
{
	LS_QUERY0(query,
		"SELECT o.id FROM lead_system.organizations o WHERE EXISTS (SELECT 1"
		"  FROM lead_system.ad_campaigns c WHERE c.organization_id = o.id) ORDER BY o.id");

	ls_agent_refuse_contractor();
	return ls_sweep_organizations(&query, n);
}

PG_FUNCTION_INFO_V1(ls_advertising_end_pause);

/*
 * ad_campaigns_end_pause(): BEFORE UPDATE row trigger.  What somebody pauses or
 * resumes by hand is not resumed because a new day has begun.
 */
Datum
ls_advertising_end_pause(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "ad_campaigns_end_pause", LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_UPDATE, "ad_campaigns");
	HeapTuple new = ls_trigger_new_tuple(trigdata);
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	int status = ls_trigger_attnum(trigdata->tg_relation, "status");
	int paused_for = ls_trigger_attnum(trigdata->tg_relation, "paused_for");
	bool isnull[4];
	Datum was = SPI_getbinval(trigdata->tg_trigtuple, desc, status, &isnull[0]);
	Datum is = SPI_getbinval(new, desc, status, &isnull[1]);
	Datum was_for = SPI_getbinval(trigdata->tg_trigtuple, desc, paused_for, &isnull[2]);
	Datum is_for = SPI_getbinval(new, desc, paused_for, &isnull[3]);
	bool null = true;
	Datum nothing = (Datum) 0;

	if (isnull[1] || isnull[3] || isnull[2] || was_for != is_for ||
		strcmp(TextDatumGetCString(was), TextDatumGetCString(is)) == 0)
		return PointerGetDatum(new);
	return PointerGetDatum(heap_modify_tuple_by_cols(new, desc, 1, &paused_for, &nothing, &null));
}

void
ls_advertising_init(void)
{
	ls_grants_register(advertising_grants, lengthof(advertising_grants));
}
