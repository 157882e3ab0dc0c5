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
#include "compliance/contact_log.h"
#include "compliance/dnc_audit.h"
#include "compliance/privacy.h"
#include "compliance/filter.h"
#include "core/grants.h"

/* Not the id, for the reason given for pipelines. */
#define PHRASE_COLUMNS "organization_id, phrase, kind, language, channel, is_active"

static const LsGrant compliance_grants[] = {
	{"dnc_list", "SELECT", LS_LEVEL_READONLY, false},
	{"dnc_audit_log", "SELECT", LS_LEVEL_READONLY, false},
	{"campaign_suppressions", "SELECT", LS_LEVEL_READONLY, false},
	{"contact_attempts", "SELECT", LS_LEVEL_READONLY, false},
	{"national_dnc_registry", "SELECT", LS_LEVEL_MAINTENANCE, false},
	{"national_dnc_loads", "SELECT", LS_LEVEL_READONLY, false},
	{"contact_consents", "SELECT", LS_LEVEL_READONLY, false},
	{"opt_out_phrases", "SELECT", LS_LEVEL_READONLY, false},
	{"opt_out_phrases", "INSERT (" PHRASE_COLUMNS ")", LS_LEVEL_MANAGER, false},
	{"opt_out_phrases", "DELETE, UPDATE (" PHRASE_COLUMNS ")", LS_LEVEL_ADMIN, false},
	{"detect_opt_out(text, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"dnc_audit_chain", "SELECT", LS_LEVEL_READONLY, false},
	{"dnc_audit_heads", "SELECT", LS_LEVEL_READONLY, false},
	{"verify_dnc_audit()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"dnc_audit_head()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"erasures", "SELECT", LS_LEVEL_READONLY, false},
	{"erasure_keys", "SELECT", LS_LEVEL_OWNER, false},
	{"personal_data_columns()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"export_lead(uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"erase_lead(uuid, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"is_on_dnc_list(text, uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"add_to_dnc_list(text, text, text, timestamptz, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"add_numbers_to_dnc_list(text[], text, text, timestamptz)", "EXECUTE", LS_LEVEL_MANAGER,
		false},
	{"remove_from_dnc_list(text, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"release_expired_dnc_blocks()", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"load_national_dnc(text, text[])", "EXECUTE", LS_LEVEL_MAINTENANCE, false},
	{"national_dnc_status()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"national_dnc_check(text, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"record_consent(uuid, text, jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"revoke_consent(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"override_dnc(uuid, text, uuid)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"dnc_filter_status()", "EXECUTE", LS_LEVEL_MAINTENANCE, true},
	{"rebuild_dnc_filter()", "EXECUTE", LS_LEVEL_MAINTENANCE, true},
};

void
ls_compliance_init(void)
{
	ls_lookup_init();
	ls_contact_log_init();
	ls_contact_init();
	ls_national_init();
	ls_consents_init();
	ls_guards_init();
	ls_opt_out_init();
	ls_audit_init();
	ls_filter_init();
	ls_leads_register_step(ls_dnc_step);
	ls_erasure_init();
	ls_grants_register(compliance_grants, lengthof(compliance_grants));
}
