/*-------------------------------------------------------------------------
 *
 * nurture.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "nurture/nurture.h"

/* Not the counts, which a trigger keeps. */
#define SEQUENCE_COLUMNS \
	"organization_id, name, description, steps, trigger_conditions, is_active, auto_pause_on_reply"

static const LsGrant nurture_grants[] = {
	{"nurture_sequences", "SELECT", LS_LEVEL_READONLY, false},
	{"nurture_sequences",
		"DELETE, INSERT (id, created_by, " SEQUENCE_COLUMNS "), UPDATE (" SEQUENCE_COLUMNS ")",
		LS_LEVEL_MANAGER, false},
	{"lead_sequence_enrollments", "SELECT", LS_LEVEL_READONLY, false},
	{"nurture_daily_counts", "SELECT", LS_LEVEL_READONLY, false},
	{"enroll_lead(uuid, uuid)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"pause_enrollment(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"resume_enrollment(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"cancel_enrollment(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"claim_due_steps(integer, interval)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"complete_step(uuid, integer)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"fail_step(uuid, integer, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"confirm_step(uuid, integer)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"retry_step(uuid, integer)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"release_lapsed_steps(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"record_reply(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
};

void
ls_nurture_init(void)
{
	ls_leads_register_listener(&ls_nurture_listener);
	ls_nurture_auto_init();
	ls_grants_register(nurture_grants, lengthof(nurture_grants));
}
