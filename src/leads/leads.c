/*-------------------------------------------------------------------------
 *
 * leads.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "leads/input.h"
#include "leads/internal.h"
#include "leads/leads.h"

LsLeadStep ls_lead_steps[LS_MAX_LEAD_STEPS];
int ls_lead_n_steps = 0;
const LsLeadListener *ls_lead_listeners[LS_MAX_LEAD_LISTENERS];
int ls_lead_n_listeners = 0;

/*
 * Not the id: it is unique among all tenants, so choosing one would tell whether
 * another has it.
 */
#define PIPELINE_COLUMNS "organization_id, name, description"

static const LsGrant leads_grants[] = {
	{"pipelines", "SELECT", LS_LEVEL_READONLY, false},
	{"pipelines", "DELETE, INSERT (" PIPELINE_COLUMNS "), UPDATE (" PIPELINE_COLUMNS ")",
		LS_LEVEL_ADMIN, false},
	{"pipeline_statuses", "SELECT", LS_LEVEL_READONLY, false},
	{"pipeline_statuses", "INSERT, UPDATE, DELETE", LS_LEVEL_ADMIN, false},
	{"pipeline_transitions", "SELECT", LS_LEVEL_READONLY, false},
	{"pipeline_transitions", "INSERT, UPDATE, DELETE", LS_LEVEL_ADMIN, false},
	{"leads", "SELECT", LS_LEVEL_READONLY, false},
	{"leads", "INSERT, UPDATE", LS_LEVEL_AGENT, false},
	{"leads", "DELETE", LS_LEVEL_ADMIN, false},
	{"lead_audit_log", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_status_history", "SELECT", LS_LEVEL_READONLY, false},
	{"activities", "SELECT", LS_LEVEL_READONLY, false},
	{"upsert_lead(jsonb, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"change_lead_status(uuid, text, text, text, uuid, boolean)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"add_lead_note(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"dashboard_leads(text, text, integer, jsonb)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"search_leads(text, integer)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"copy_pipeline(text, text)", "EXECUTE", LS_LEVEL_ADMIN, false},
};

/* Add a step to the row trigger.  Called from the Init of a domain. */
void
ls_leads_register_step(LsLeadStep step)
{
	if (ls_lead_n_steps == LS_MAX_LEAD_STEPS)
		elog(ERROR, "too many steps of the row trigger of leads");
	ls_lead_steps[ls_lead_n_steps++] = step;
}

/* Add a listener to the statement trigger.  Called from the Init of a domain. */
void
ls_leads_register_listener(const LsLeadListener *listener)
{
	if (ls_lead_n_listeners == LS_MAX_LEAD_LISTENERS)
		elog(ERROR, "too many listeners of the statement trigger of leads");
	ls_lead_listeners[ls_lead_n_listeners++] = listener;
}

/* Where leads are kept that are not in the table; NULL when nowhere. */
static const LsLeadArchive *lead_archive = NULL;

/* Called from the Init of the domain that has the archive. */
void
ls_leads_register_archive(const LsLeadArchive *archive)
{
	lead_archive = archive;
}

const LsLeadArchive *
ls_lead_archive(void)
{
	return lead_archive;
}

/* A lead that is merged with one that was archived brings that back. */
bool
ls_lead_recall(const pg_uuid_t *org, const LsLeadInput *input)
{
	return lead_archive != NULL &&
		   lead_archive->recall_same(org, ls_lead_input_text(input, LEAD_source),
			   ls_lead_input_text(input, LEAD_source_id),
			   ls_lead_input_text(input, LEAD_phone_number));
}

void
ls_leads_init(void)
{
	ls_lead_columns_init();
	ls_pipelines_init();
	ls_leads_register_step(ls_lead_step_normalize);
	ls_leads_register_step(ls_lead_step_status);
	ls_leads_register_step(ls_lead_step_email_unique);
	ls_leads_register_listener(&ls_lead_email_listener);
	ls_leads_register_listener(&ls_lead_history_listener);
	ls_grants_register(leads_grants, lengthof(leads_grants));
}
