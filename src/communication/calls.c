/*-------------------------------------------------------------------------
 *
 * calls.c
 *	  Recording calls, for the domains that make them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/communication.h"
#include "communication/internal.h"
#include "core/grants.h"
#include "core/query.h"

static const LsGrant communication_grants[] = {
	{"call_logs", "SELECT", LS_LEVEL_READONLY, false},
	{"sms_logs", "SELECT", LS_LEVEL_READONLY, false},
	{"record_call(jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"record_sms(jsonb)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"record_engagement(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"sweep_missed_calls(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
};

/* Record a call; returns its id. */
pg_uuid_t
ls_call_add(const LsCall *call)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.call_logs"
		" (organization_id, user_id, lead_id, campaign_id, campaign_lead_id, caller_phone, called_phone,"
		"  direction, status, outcome, duration, recording_url, provider_call_id, notes, created_at, ended_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
		"         $15 + make_interval(secs => $11))"
		" RETURNING id",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		INT4OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;

	ls_arg_uuid(&args, call->org);
	ls_arg_uuid(&args, call->user);
	ls_arg_uuid(&args, call->lead);
	ls_arg_uuid(&args, call->campaign);
	ls_arg_uuid(&args, call->campaign_lead);
	ls_arg_text(&args, call->caller_phone);
	ls_arg_text(&args, call->called_phone);
	ls_arg_text(&args, call->direction);
	ls_arg_text(&args, call->status);
	ls_arg_text(&args, call->outcome);
	ls_arg_int32(&args, call->duration);
	ls_arg_text(&args, call->recording_url);
	ls_arg_text(&args, call->provider_call_id);
	ls_arg_text(&args, call->notes);
	ls_arg_timestamptz(&args, call->started_at);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return id;
}

/*
 * Whom was a call with, and when did it begin?  False when there is no such
 * call; the lead is all zeros when it is not known.
 */
bool
ls_call_lead(const pg_uuid_t *org, const pg_uuid_t *call, pg_uuid_t *lead, TimestampTz *began_at)
{
	LS_QUERY(query,
		"SELECT lead_id, created_at FROM lead_system.call_logs WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, call);
	memset(lead, 0, sizeof(pg_uuid_t));
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found && !ls_result_isnull(0, 1))
		*lead = ls_result_uuid(0, 1);
	if (found)
		*began_at = ls_result_timestamptz(0, 2);
	ls_scope_close(&scope);
	return found;
}

/*
 * Find a call by the provider's id: a report that is repeated.  Tells the lead
 * of a campaign that was called, too; zeros when it was none.
 */
bool
ls_call_find(
	const pg_uuid_t *org, const char *provider_call_id, pg_uuid_t *id, pg_uuid_t *campaign_lead)
{
	LS_QUERY(query,
		"SELECT id, campaign_lead_id FROM lead_system.call_logs"
		" WHERE organization_id = $1 AND provider_call_id = $2",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, provider_call_id);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		*id = ls_result_uuid(0, 1);
		memset(campaign_lead, 0, sizeof(pg_uuid_t));
		if (!ls_result_isnull(0, 2))
			*campaign_lead = ls_result_uuid(0, 2);
	}
	ls_scope_close(&scope);
	return found;
}

/* Count a campaign's outbound calls since an instant, up to a limit. */
int
ls_calls_of_campaign_since(
	const pg_uuid_t *org, const pg_uuid_t *campaign, TimestampTz since, int limit)
{
	LS_QUERY(query,
		"SELECT count(*)::integer FROM (SELECT 1 FROM lead_system.call_logs"
		" WHERE organization_id = $1 AND campaign_id = $2 AND created_at >= $3"
		"   AND direction = 'outbound' LIMIT $4) c",
		UUIDOID, UUIDOID, TIMESTAMPTZOID, INT8OID);
	LsScope scope;
	LsArgs args = {0};
	int n;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, campaign);
	ls_arg_timestamptz(&args, since);
	ls_arg_int64(&args, limit);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	n = ls_result_int32(0, 1);
	ls_scope_close(&scope);
	return n;
}

void
ls_communication_init(void)
{
	ls_leads_register_listener(&ls_service_listener);
	ls_grants_register(communication_grants, lengthof(communication_grants));
}
