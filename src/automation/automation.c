/*-------------------------------------------------------------------------
 *
 * automation.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "automation/automation.h"

/* Not the counts, which are kept by record_workflow_run(). */
#define WORKFLOW_COLUMNS \
	"organization_id, workflow_name, workflow_type, ghl_workflow_id, config, status"

static const LsGrant automation_grants[] = {
	{"ai_agent_logs", "SELECT", LS_LEVEL_READONLY, false},
	{"workflows", "SELECT", LS_LEVEL_READONLY, false},
	{"workflows", "DELETE, INSERT (id, " WORKFLOW_COLUMNS "), UPDATE (" WORKFLOW_COLUMNS ")",
		LS_LEVEL_MANAGER, false},
	{"workflow_runs", "SELECT", LS_LEVEL_READONLY, false},
	{"log_agent_action(text, text, jsonb, text, text, jsonb, uuid)", "EXECUTE", LS_LEVEL_AGENT,
		false},
	{"approve_action(uuid, text)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"reject_action(uuid, text)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"record_workflow_run(uuid, text, text, uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"due_workflow_runs(integer)", "EXECUTE", LS_LEVEL_READONLY, false},
};

void
ls_automation_init(void)
{
	ls_grants_register(automation_grants, lengthof(automation_grants));
}
