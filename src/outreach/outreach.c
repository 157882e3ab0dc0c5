/*-------------------------------------------------------------------------
 *
 * outreach.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "outreach/outreach.h"

/* Not the count, which a trigger keeps. */
#define LIST_COLUMNS "organization_id, name, description, is_archived, tags, metadata"

static const LsGrant outreach_grants[] = {
	{"lead_lists", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_lists",
		"DELETE, INSERT (id, created_by, list_type, segment_id, " LIST_COLUMNS
		"), UPDATE (" LIST_COLUMNS ")",
		LS_LEVEL_MANAGER, false},
	{"lead_list_members", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_list_members", "INSERT, UPDATE, DELETE", LS_LEVEL_MANAGER, false},
	{"campaigns", "SELECT", LS_LEVEL_READONLY, false},
	{"campaigns", "INSERT, UPDATE, DELETE", LS_LEVEL_MANAGER, false},
	{"campaign_lead_lists", "SELECT", LS_LEVEL_READONLY, false},
	{"campaign_lead_lists", "UPDATE (max_attempts_override, filter_criteria, is_active)",
		LS_LEVEL_MANAGER, false},
	{"campaign_leads", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_imports", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_import_errors", "SELECT", LS_LEVEL_READONLY, false},
	{"create_lead_list_from_csv(uuid, character varying, jsonb)", "EXECUTE", LS_LEVEL_MANAGER,
		false},
	{"import_leads_csv(text, text, jsonb)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"parse_csv(text, text, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"add_lead_list_to_campaign(uuid, uuid, integer)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"add_matching_leads_to_campaign(uuid, uuid, jsonb, integer)", "EXECUTE", LS_LEVEL_MANAGER,
		false},
	{"remove_lead_list_from_campaign(uuid, uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"claim_campaign_leads(uuid, integer, uuid, interval)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"record_call_attempt(uuid, text, integer, jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
};

void
ls_outreach_init(void)
{
	ls_leads_register_listener(&ls_outreach_listener);
	ls_contact_register_source(&ls_outreach_contact_source);
	ls_suppressions_init();
	ls_attempts_init();
	ls_grants_register(outreach_grants, lengthof(outreach_grants));
}
