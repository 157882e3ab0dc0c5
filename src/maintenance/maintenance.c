/*-------------------------------------------------------------------------
 *
 * maintenance.c
 *	  Init of the domain, its parameters, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "lead_system.h"
#include "core/grants.h"
#include "core/tenant.h"
#include "maintenance/internal.h"
#include "maintenance/maintenance.h"

int ls_maintenance_history_days = 14;
int ls_maintenance_job_seconds = 60;
int ls_maintenance_day_start = 9;

/* Tenants' own administrators may run the jobs, in their organisation. */
static const LsGrant maintenance_grants[] = {
	{"maintenance_runs", "SELECT", LS_LEVEL_READONLY, false},
	{"run_maintenance(text[])", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"maintenance_status()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"maintenance_jobs()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"schedule_maintenance(text)", "EXECUTE", LS_LEVEL_MAINTENANCE, true},
	{"unschedule_maintenance()", "EXECUTE", LS_LEVEL_MAINTENANCE, true},
};

/*
 * What the session's maintenance works in: its organisation, or all of them for
 * a role above row level security that has none set.
 */
void
ls_maintenance_target(LsJobTarget *target)
{
	memset(target, 0, sizeof(*target));
	if (ls_current_org(&target->org))
		return;
	if (!ls_caller_bypasses_rls())
		ls_require_org(&target->org);
	target->is_all = true;
}

void
ls_maintenance_init(void)
{
	DefineCustomIntVariable("lead_system.maintenance_day_start",
		"Sets the hour of the day, in UTC, at which daily jobs of run_maintenance() become due.",
		NULL, &ls_maintenance_day_start, 9, 0, 23, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("lead_system.maintenance_history_days",
		"Sets for how many days maintenance_runs keeps what jobs did.", NULL,
		&ls_maintenance_history_days, 14, 1, 3650, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("lead_system.maintenance_job_seconds",
		"Sets the time after which a job of run_maintenance() starts no further batch.",
		"The next run goes on where it stopped. 0 means one batch in each run.",
		&ls_maintenance_job_seconds, 60, 0, 86400, PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	ls_maintenance_lock_init();
	ls_grants_register(maintenance_grants, lengthof(maintenance_grants));
}
