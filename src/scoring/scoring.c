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

static const LsGrant scoring_grants[] = {
	{"scoring_models", "SELECT", LS_LEVEL_READONLY, false},
	{"scoring_models", "INSERT, UPDATE, DELETE", LS_LEVEL_ADMIN, false},
	{"scoring_rules", "SELECT", LS_LEVEL_READONLY, false},
	{"scoring_rules", "INSERT, UPDATE, DELETE", LS_LEVEL_ADMIN, false},
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
	{"recalculate_lead_scores(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"copy_scoring_model(text, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
};

void
ls_scoring_init(void)
{
	ls_score_model_init();
	ls_leads_register_step(ls_scoring_step);
	ls_leads_register_listener(&ls_scoring_listener);
	ls_grants_register(scoring_grants, lengthof(scoring_grants));
}
