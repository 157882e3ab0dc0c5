/*-------------------------------------------------------------------------
 *
 * scoring.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "scoring/model.h"
#include "scoring/scoring.h"

/*
 * Not the id: it is unique among all tenants, so choosing one would tell whether
 * another has it.
 */
#define MODEL_COLUMNS \
	"organization_id, name, description, components, thresholds, decay, is_active, is_shadow"
#define RULE_COLUMNS \
	"organization_id, model_id, component, attribute, operator, operand, points, cap, position"

static const LsGrant scoring_grants[] = {
	{"scoring_models", "SELECT", LS_LEVEL_READONLY, false},
	{"scoring_models", "DELETE, INSERT (" MODEL_COLUMNS "), UPDATE (" MODEL_COLUMNS ")",
		LS_LEVEL_ADMIN, false},
	{"scoring_rules", "SELECT", LS_LEVEL_READONLY, false},
	{"scoring_rules", "DELETE, INSERT (" RULE_COLUMNS "), UPDATE (" RULE_COLUMNS ")",
		LS_LEVEL_ADMIN, false},
	{"scoring_runs", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_qualifications", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_qualifications", "INSERT, UPDATE", LS_LEVEL_AGENT, false},
	{"lead_intent_signals", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_intent_signals", "INSERT", LS_LEVEL_AGENT, false},
	{"lead_score_history", "SELECT", LS_LEVEL_READONLY, false},
	{"calculate_lead_score(uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"calculate_lead_score(uuid, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"explain_lead_score(uuid, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"score_at(uuid, timestamptz)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"record_qualification(uuid, jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"record_intent_signal(uuid, text, uuid)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"recalculate_lead_scores(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"copy_scoring_model(text, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
};

void
ls_scoring_init(void)
{
	ls_score_model_init();
	ls_score_extras_init();
	ls_leads_register_step(ls_scoring_step);
	ls_leads_register_listener(&ls_scoring_listener);
	ls_grants_register(scoring_grants, lengthof(scoring_grants));
}
