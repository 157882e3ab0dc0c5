/*-------------------------------------------------------------------------
 *
 * notifications.c
 *	  Init of the domain, who may use it, and the word to those who wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/async.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/grants.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "notifications/internal.h"
#include "notifications/notifications.h"

/* Any role may LISTEN to any channel, so the word has no data but the organisation. */
#define CHANNEL "lead_system_notifications"

/* Not the id, for the reason given for pipelines. */
#define TEMPLATE_COLUMNS "organization_id, name, channel, subject, body"

static const LsGrant notifications_grants[] = {
	{"notifications", "SELECT", LS_LEVEL_READONLY, false},
	{"notification_templates", "SELECT", LS_LEVEL_READONLY, false},
	{"notification_templates",
		"DELETE, INSERT (" TEMPLATE_COLUMNS "), UPDATE (" TEMPLATE_COLUMNS ")", LS_LEVEL_MANAGER,
		false},
	{"enqueue_notification(jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"claim_notifications(integer, interval)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"complete_notification(uuid)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"fail_notification(uuid, text)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"render_template(text, uuid, uuid, jsonb)", "EXECUTE", LS_LEVEL_READONLY, false},
};

PG_FUNCTION_INFO_V1(ls_notifications_tell);

/*
 * notifications_tell(): AFTER INSERT statement trigger of notifications.
 *
 * The server sends the same word once per transaction, when it commits.
 */
Datum
ls_notifications_tell(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "notifications_tell",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "notifications");
	int org_attnum = ls_trigger_attnum(trigdata->tg_relation, "organization_id");
	int at_attnum = ls_trigger_attnum(trigdata->tg_relation, "scheduled_at");
	TimestampTz now = ls_clock_now();
	LsTransition transition;
	pg_uuid_t told;
	bool has_told = false;

	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		bool isnull;
		pg_uuid_t org = *DatumGetUUIDP(slot_getattr(transition.new, org_attnum, &isnull));

		if ((has_told && ls_uuid_equal(&org, &told)) ||
			DatumGetTimestampTz(slot_getattr(transition.new, at_attnum, &isnull)) > now)
			continue;
		told = org;
		has_told = true;
		if (ls_config_bool(&org, "notifications.notify"))
			Async_Notify(CHANNEL, ls_uuid_text(&org));
	}
	ls_transition_close(&transition);
	return PointerGetDatum(NULL);
}

void
ls_notifications_init(void)
{
	ls_leads_register_listener(&ls_notifications_listener);
	ls_grants_register(notifications_grants, lengthof(notifications_grants));
}
