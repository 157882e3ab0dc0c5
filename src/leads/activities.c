/*-------------------------------------------------------------------------
 *
 * activities.c
 *	  Writing activities: one at a time, or set-wise.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "leads/leads.h"

#define ACTIVITY_COLUMNS 7

static const Oid activity_types[ACTIVITY_COLUMNS] = {
	UUIDOID, UUIDOID, UUIDOID, TEXTOID, JSONBOID, JSONBOID, TEXTOID};

LS_QUERY(insert_activities,
	"INSERT INTO lead_system.activities"
	" (organization_id, id, lead_id, action_type, old_value, new_value, description,"
	"  user_id, ip_address, user_agent, created_at)"
	" SELECT a.*, $8, coalesce($9::inet, inet_client_addr()), $10, $11"
	"   FROM unnest($1, $2, $3, $4, $5, $6, $7) a",
	UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, JSONBARRAYOID, JSONBARRAYOID,
	TEXTARRAYOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);

/*
 * Start a batch of activities of this session's user.  Batches are flushed
 * with ls_batch_flush().
 */
LsBatch *
ls_activity_batch(void)
{
	LsArgs fixed = {0};
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));

	ls_arg_uuid(&fixed, ls_current_user(user) ? user : NULL);
	ls_arg_text(&fixed, ls_client_ip());
	ls_arg_text(&fixed, ls_client_user_agent());
	ls_arg_timestamptz(&fixed, ls_clock_now());
	return ls_batch_create(&insert_activities, ACTIVITY_COLUMNS, activity_types, &fixed);
}

/* Add an activity with a given id. */
static void
batch_add(LsBatch *batch, const pg_uuid_t *id, const LsActivity *activity)
{
	Datum values[ACTIVITY_COLUMNS] = {0};
	bool nulls[ACTIVITY_COLUMNS] = {false};

	values[0] = UUIDPGetDatum(activity->org);
	values[1] = UUIDPGetDatum(id);
	nulls[2] = (activity->lead == NULL);
	values[2] = UUIDPGetDatum(activity->lead);
	values[3] = CStringGetTextDatum(activity->action);
	nulls[4] = (activity->old_value == NULL);
	values[4] = JsonbPGetDatum(activity->old_value);
	nulls[5] = (activity->new_value == NULL);
	values[5] = JsonbPGetDatum(activity->new_value);
	nulls[6] = (activity->description == NULL);
	if (!nulls[6])
		values[6] = CStringGetTextDatum(activity->description);
	ls_batch_add(batch, values, nulls);
}

/* Add an activity to a batch. */
void
ls_activity_batch_add(LsBatch *batch, const LsActivity *activity)
{
	pg_uuid_t id;

	ls_uuid_v7(&id);
	batch_add(batch, &id, activity);
}

/*
 * Hold on to a lead.  Histories have no foreign keys, so without this a line
 * could outlive the lead that it is about.
 */
static void
hold_lead(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.leads WHERE organization_id = $1 AND id = $2 FOR KEY SHARE",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("lead", lead);
}

/* Write one activity; returns its id.  Raises P0002 when the lead is gone. */
pg_uuid_t
ls_activity_add(const LsActivity *activity)
{
	LsBatch *batch;
	pg_uuid_t id;

	if (activity->lead != NULL)
		hold_lead(activity->org, activity->lead);
	batch = ls_activity_batch();
	ls_uuid_v7(&id);
	batch_add(batch, &id, activity);
	ls_batch_flush(batch);
	return id;
}
