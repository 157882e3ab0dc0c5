/*-------------------------------------------------------------------------
 *
 * engagement.c
 *	  record_engagement(): what a lead did with what it was sent.
 *
 *	  Nothing but the counters of the lead is written; they score it anew, and a
 *	  reply pauses its sequences, in the same transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"

/* The event must be one that there is. */
static void
check_event(const char *event)
{
	static const char *const events[] = {
		"email_open", "email_reply", "link_click", "pricing_page_visit", "demo_video_watched"};
	int i;

	for (i = 0; i < (int) lengthof(events); i++)
	{
		if (strcmp(events[i], event) == 0)
			return;
	}
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized event \"%s\"", event),
			errhint("Events are: email_open, email_reply, link_click, "
					"pricing_page_visit, demo_video_watched.")));
}

PG_FUNCTION_INFO_V1(ls_communication_record_engagement);

/* record_engagement(lead_id, event) */
Datum
ls_communication_record_engagement(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads SET"
		"  email_open_count = email_open_count + ($3 = 'email_open')::integer,"
		"  email_reply_count = email_reply_count + ($3 = 'email_reply')::integer,"
		"  link_click_count = link_click_count + ($3 = 'link_click')::integer,"
		"  pricing_page_visits = pricing_page_visits + ($3 = 'pricing_page_visit')::integer,"
		"  demo_video_watched = demo_video_watched OR $3 = 'demo_video_watched',"
		"  last_activity_at = greatest(last_activity_at, $4),"
		"  last_contact_at = CASE $3 WHEN 'email_reply' THEN greatest(last_contact_at, $4)"
		"    ELSE last_contact_at END,"
		"  tags = CASE $3 WHEN 'email_reply' THEN array_remove(tags, '" LS_COLD_TAG
		"') ELSE tags END"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;
	char *event;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "event");
	event = text_to_cstring(PG_GETARG_TEXT_PP(1));
	check_event(event);
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_text(&args, event);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("lead", PG_GETARG_UUID_P(0));
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}
