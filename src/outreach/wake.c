/*-------------------------------------------------------------------------
 *
 * wake.c
 *	  Leads that a claim passed over until some instant, and that may be called
 *	  earlier, since what stood against them has changed.  They come back into
 *	  the queue, and the next claim judges them anew.
 *
 *	  What grows stricter wakes nobody: a lead is judged when its time comes, by
 *	  the rules of that time.  Nor does a change of built-in hours, which would
 *	  wake all organisations; their leads are looked at when they are due.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"

/* Wake rows c that are found by what changed, locked in the order of outreach.h. */
#define WAKE(tables, condition) \
	"WITH u AS MATERIALIZED (SELECT c.organization_id, c.id FROM " tables \
	" WHERE c.is_waiting AND " condition \
	" ORDER BY c.lead_id, c.campaign_id FOR NO KEY UPDATE OF c)" \
	" UPDATE lead_system.campaign_leads c SET is_waiting = false, next_attempt_at = $1" \
	"  FROM u WHERE c.organization_id = u.organization_id AND c.id = u.id"

/* Leads whose number was given a consent. */
#define BY_CONSENTS \
	WAKE("new_rows n JOIN lead_system.leads l ON l.organization_id = n.organization_id" \
		 "  AND l.phone_number = n.phone_number AND l.deleted_at IS NULL" \
		 " JOIN lead_system.campaign_leads c ON c.organization_id = n.organization_id" \
		 "  AND c.lead_id = l.id", \
		"n.action = 'granted' AND n.channel = 'call' AND c.blocked_rule IN" \
		" ('consent_missing', 'consent_revoked', 'national_registry', 'national_registry_stale')")

/* Leads of an organisation that has other hours. */
#define BY_HOURS \
	WAKE("(SELECT DISTINCT o.organization_id FROM old_rows o) n" \
		 " JOIN lead_system.campaign_leads c ON c.organization_id = n.organization_id", \
		"c.blocked_rule = 'calling_hours'")

/* Leads of an organisation that has another setting for the rule that blocks them. */
#define BY_SETTINGS(rows) \
	WAKE(rows " n JOIN lead_system.campaign_leads c ON c.organization_id = n.organization_id", \
		"c.blocked_rule = ANY (CASE" \
		"  WHEN n.key IN ('compliance.max_attempts_per_day', 'compliance.min_gap_minutes')" \
		"   THEN '{frequency_cap, minimum_gap}'" \
		"  WHEN n.key = 'compliance.consent_required' THEN '{consent_missing}'" \
		"  WHEN n.key LIKE 'compliance.national\\_dnc%' OR n.key LIKE 'compliance.ebr\\_%'" \
		"   THEN '{national_registry, national_registry_stale}' END::text[])")

/* Run a statement that wakes rows. */
static void
wake(TriggerData *trigdata, const char *sql)
{
	const char *const statements[] = {sql, NULL};
	Oid types[] = {TIMESTAMPTZOID};
	Datum values[] = {TimestampTzGetDatum(ls_clock_now())};

	if (!ls_org_is_leaving(NULL))
		ls_transition_run(trigdata, statements, 1, types, values, " ");
}

PG_FUNCTION_INFO_V1(ls_outreach_consents_wake);

/* contact_consents_wake_queue(): AFTER INSERT statement trigger of contact_consents. */
Datum
ls_outreach_consents_wake(PG_FUNCTION_ARGS)
{
	wake(ls_trigger_check(fcinfo, "contact_consents_wake_queue", LS_TRIGGER_AFTER_STATEMENT,
			 LS_TRIGGER_INSERT, "contact_consents"),
		BY_CONSENTS);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(ls_outreach_hours_wake);

/*
 * calling_rules_wake_queue(): AFTER UPDATE and AFTER DELETE statement triggers of
 * calling_rules.  A new row only closes hours.
 */
Datum
ls_outreach_hours_wake(PG_FUNCTION_ARGS)
{
	wake(ls_trigger_check(fcinfo, "calling_rules_wake_queue", LS_TRIGGER_AFTER_STATEMENT,
			 LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "calling_rules"),
		BY_HOURS);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(ls_outreach_settings_wake);

/* system_config_wake_queue(): AFTER statement triggers of system_config. */
Datum
ls_outreach_settings_wake(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "system_config_wake_queue", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "system_config");

	wake(trigdata, TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ? BY_SETTINGS("old_rows")
															   : BY_SETTINGS("new_rows"));
	return PointerGetDatum(NULL);
}
