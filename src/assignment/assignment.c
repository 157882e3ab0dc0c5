/*-------------------------------------------------------------------------
 *
 * assignment.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "assignment/internal.h"

static const LsGrant assignment_grants[] = {
	{"territories", "SELECT", LS_LEVEL_READONLY, false},
	{"territories", "INSERT, UPDATE, DELETE", LS_LEVEL_MANAGER, false},
	{"waiting_leads", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_assignments", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_credits", "SELECT", LS_LEVEL_READONLY, false},
	{"assign_lead(uuid, text, uuid)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"assign_lead_to(uuid, uuid, text, boolean)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"assign_leads(uuid[], text, text)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"assign_waiting_leads(integer)", "EXECUTE", LS_LEVEL_MANAGER, true},
	{"release_leads(uuid, text, text)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"sla_breaches()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"sweep_sla(integer)", "EXECUTE", LS_LEVEL_MANAGER, true},
	{"recount_user_counters()", "EXECUTE", LS_LEVEL_ADMIN, true},
};

void
ls_assignment_init(void)
{
	ls_leads_register_listener(&ls_assignment_listener);
	ls_grants_register(assignment_grants, lengthof(assignment_grants));
}
