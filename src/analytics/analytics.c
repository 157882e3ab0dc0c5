/*-------------------------------------------------------------------------
 *
 * analytics.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "analytics/analytics.h"

static const LsGrant analytics_grants[] = {
	{"analytics_snapshots", "SELECT", LS_LEVEL_READONLY, false},
	{"user_dashboard", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_pipeline", "SELECT", LS_LEVEL_READONLY, false},
	{"campaign_performance", "SELECT", LS_LEVEL_READONLY, false},
	{"campaign_lead_lists_with_stats", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_lists_with_campaigns", "SELECT", LS_LEVEL_READONLY, false},
	{"take_analytics_snapshot(date)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"lead_funnel(date, date)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"time_in_stage(date, date)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"source_performance(date, date)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"cohort_report(date, date, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"velocity_report(date, date, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"attribution(date, date, text, boolean)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"record_touch(uuid, text, jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
};

void
ls_analytics_init(void)
{
	ls_grants_register(analytics_grants, lengthof(analytics_grants));
}
