/*-------------------------------------------------------------------------
 *
 * compliance.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/filter.h"
#include "core/grants.h"

static const LsGrant compliance_grants[] = {
	{"dnc_list", "SELECT", LS_LEVEL_READONLY, false},
	{"dnc_audit_log", "SELECT", LS_LEVEL_READONLY, false},
	{"national_dnc_registry", "SELECT", LS_LEVEL_MAINTENANCE, false},
	{"national_dnc_loads", "SELECT", LS_LEVEL_READONLY, true},
	{"contact_consents", "SELECT", LS_LEVEL_READONLY, false},
	{"is_on_dnc_list(text, uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"add_to_dnc_list(text, text, text, timestamptz, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"add_numbers_to_dnc_list(text[], text, text, timestamptz)", "EXECUTE", LS_LEVEL_MANAGER,
		false},
	{"remove_from_dnc_list(text, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"release_expired_dnc_blocks()", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"dnc_filter_status()", "EXECUTE", LS_LEVEL_MAINTENANCE, true},
	{"rebuild_dnc_filter()", "EXECUTE", LS_LEVEL_MAINTENANCE, true},
};

void
ls_compliance_init(void)
{
	ls_lookup_init();
	ls_filter_init();
	ls_leads_register_step(ls_dnc_step);
	ls_grants_register(compliance_grants, lengthof(compliance_grants));
}
