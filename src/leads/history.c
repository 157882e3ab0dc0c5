/*-------------------------------------------------------------------------
 *
 * history.c
 *	  Writes the histories of leads: audit log, status history, activities.
 *
 *	  A listener of the statement trigger: rows are compared in memory and the
 *	  histories are written in batches, so that an UPDATE of many rows costs one
 *	  pass and not one statement per row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "leads/internal.h"
#include "leads/leads.h"

#define AUDIT_COLUMNS 6
#define STATUS_COLUMNS 8

/* What the listener keeps for one statement. */
typedef struct HistoryState
{
	LsBatch *audit;
	LsBatch *status;
	LsBatch *activities;
	const char *reason;    /* of the step that is being recorded, or NULL */
	MemoryContext context; /* of this state */
	FmgrInfo *output;      /* per attribute, looked up when needed */
} HistoryState;

/* The batch of changed fields. */
static LsBatch *
audit_batch(void)
{
	static const Oid types[AUDIT_COLUMNS] = {UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_audit_log"
		" (organization_id, lead_id, field_name, old_value, new_value, change_reason,"
		"  changed_by, ip_address, user_agent, created_at)"
		" SELECT a.*, $7, coalesce($8::inet, inet_client_addr()), $9, $10 FROM unnest($1, $2, $3, $4, $5, $6) a",
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDOID,
		TEXTOID, TEXTOID, TIMESTAMPTZOID);
	LsArgs fixed = {0};
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));

	ls_arg_uuid(&fixed, ls_current_user(user) ? user : NULL);
	ls_arg_text(&fixed, ls_client_ip());
	ls_arg_text(&fixed, ls_client_user_agent());
	ls_arg_timestamptz(&fixed, ls_clock_now());
	return ls_batch_create(&query, AUDIT_COLUMNS, types, &fixed);
}

/* The batch of status steps. */
static LsBatch *
status_batch(void)
{
	static const Oid types[STATUS_COLUMNS] = {
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INTERVALOID, TEXTOID};
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_status_history"
		" (organization_id, lead_id, old_status, new_status, old_stage, new_stage, time_in_status,"
		"  reason, trigger_type, trigger_id, changed_by, created_at)"
		" SELECT a.*, $9, $10, $11, $12 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) a",
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		INTERVALARRAYOID, TEXTARRAYOID, TEXTOID, UUIDOID, UUIDOID, TIMESTAMPTZOID);
	const LsLeadCause *cause = ls_lead_cause();
	LsArgs fixed = {0};
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));

	ls_arg_text(&fixed, cause->trigger_type);
	ls_arg_uuid(&fixed, cause->trigger_id);
	ls_arg_uuid(&fixed, ls_current_user(user) ? user : NULL);
	ls_arg_timestamptz(&fixed, ls_clock_now());
	return ls_batch_create(&query, STATUS_COLUMNS, types, &fixed);
}

/* The text of an attribute's value, for the audit log; NULL for null. */
static char *
attribute_text(HistoryState *history, const LsLeadRow *row, int attnum)
{
	FmgrInfo *output = &history->output[attnum - 1];
	Oid type = TupleDescAttr(row->desc, attnum - 1)->atttypid;
	const int utc = 0;

	if (row->nulls[attnum - 1])
		return NULL;
	/* Times in one form, whatever the session shows them in. */
	if (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID)
		return JsonEncodeDateTime(palloc(MAXDATELEN + 1), row->values[attnum - 1], type, &utc);
	if (output->fn_oid == InvalidOid)
	{
		Oid function;
		bool is_varlena;

		getTypeOutputInfo(TupleDescAttr(row->desc, attnum - 1)->atttypid, &function, &is_varlena);
		fmgr_info_cxt(function, output, history->context);
	}
	return OutputFunctionCall(output, row->values[attnum - 1]);
}

/* Add a line to the activities. */
static void
note(HistoryState *history, const LsLeadRow *row, const char *action, Jsonb *old_value,
	Jsonb *new_value, const char *description)
{
	bool isnull;
	LsActivity activity = {0};

	activity.org = DatumGetUUIDP(ls_lead_get(row, LEAD_organization_id, &isnull));
	activity.lead = DatumGetUUIDP(ls_lead_get(row, LEAD_id, &isnull));
	activity.action = action;
	activity.old_value = old_value;
	activity.new_value = new_value;
	activity.description = description;
	ls_activity_batch_add(history->activities, &activity);
}

/* Was a time stamped by the step that is recorded anyway? */
static bool
is_stamped(const LsLeadRow *old, const LsLeadRow *new, LsLeadColumn column)
{
	bool isnull;

	return (ls_lead_columns[column].flags & LS_LEAD_STAMP) && ls_lead_isnull(old, column) &&
		   DatumGetTimestampTz(ls_lead_get(new, column, &isnull)) ==
			   DatumGetTimestampTz(ls_lead_get(new, LEAD_status_changed_at, &isnull));
}

/* Does a changed attribute go into the audit log? */
static bool
is_audited(const LsLeadRow *old, const LsLeadRow *new, int attnum, bool status_changed)
{
	LsLeadColumn column = new->map->column_of[attnum - 1];

	if (TupleDescAttr(new->desc, attnum - 1)->attisdropped)
		return false;
	if (column == LEAD_NONE)
		return true;
	return !(ls_lead_columns[column].flags & LS_LEAD_DERIVED) &&
		   !(status_changed && is_stamped(old, new, column));
}

/* Write a line to the audit log for each changed field. */
static void
audit_changes(
	HistoryState *history, const LsLeadRow *old, const LsLeadRow *new, bool status_changed)
{
	int attnum;
	bool isnull;

	for (attnum = 1; attnum <= new->desc->natts; attnum++)
	{
		Datum values[AUDIT_COLUMNS];
		bool nulls[AUDIT_COLUMNS] = {false};
		char *old_text;
		char *new_text;

		if (ls_lead_same(old, new, attnum) || !is_audited(old, new, attnum, status_changed))
			continue;
		old_text = attribute_text(history, old, attnum);
		new_text = attribute_text(history, new, attnum);
		values[0] = ls_lead_get(new, LEAD_organization_id, &isnull);
		values[1] = ls_lead_get(new, LEAD_id, &isnull);
		values[2] = CStringGetTextDatum(NameStr(TupleDescAttr(new->desc, attnum - 1)->attname));
		nulls[3] = (old_text == NULL);
		values[3] = old_text ? CStringGetTextDatum(old_text) : (Datum) 0;
		nulls[4] = (new_text == NULL);
		values[4] = new_text ? CStringGetTextDatum(new_text) : (Datum) 0;
		nulls[5] = (history->reason == NULL);
		values[5] = history->reason ? CStringGetTextDatum(history->reason) : (Datum) 0;
		ls_batch_add(history->audit, values, nulls);
	}
}

/* Write a status step to the status history and the activities. */
static void
record_step(HistoryState *history, const LsLeadRow *old, const LsLeadRow *new)
{
	Datum values[STATUS_COLUMNS];
	bool nulls[STATUS_COLUMNS] = {false};
	bool isnull;
	char *old_status = ls_lead_text(old, LEAD_status);
	char *new_status = ls_lead_text(new, LEAD_status);

	values[0] = ls_lead_get(new, LEAD_organization_id, &isnull);
	values[1] = ls_lead_get(new, LEAD_id, &isnull);
	values[2] = ls_lead_get(old, LEAD_status, &isnull);
	values[3] = ls_lead_get(new, LEAD_status, &isnull);
	values[4] = ls_lead_get(old, LEAD_stage, &isnull);
	values[5] = ls_lead_get(new, LEAD_stage, &isnull);
	values[6] = DirectFunctionCall2(timestamp_mi, ls_lead_get(new, LEAD_status_changed_at, &isnull),
		ls_lead_get(old, LEAD_status_changed_at, &isnull));
	nulls[7] = (history->reason == NULL);
	values[7] = history->reason ? CStringGetTextDatum(history->reason) : (Datum) 0;
	ls_batch_add(history->status, values, nulls);
	note(history, new, "status_changed", ls_json_pair_text("status", old_status),
		ls_json_pair_text("status", new_status),
		ls_lead_differs(old, new, LEAD_pipeline_id)
			? psprintf("Moved to another pipeline, from status %s to %s", old_status, new_status)
			: psprintf("Changed status from %s to %s", old_status, new_status));
}

/* The value of a uuid column as {"user_id": ...}; NULL when there is none. */
static Jsonb *
assignee_json(const LsLeadRow *row)
{
	bool isnull;
	Datum user = ls_lead_get(row, LEAD_assigned_to, &isnull);

	return isnull ? NULL : ls_json_pair_text("user_id", ls_uuid_text(DatumGetUUIDP(user)));
}

/* Lines of the activities that tell of single columns. */
static void
record_events(HistoryState *history, const LsLeadRow *old, const LsLeadRow *new)
{
	if (ls_lead_differs(old, new, LEAD_assigned_to))
		note(history, new, "assigned", assignee_json(old), assignee_json(new), NULL);
	if (ls_lead_differs(old, new, LEAD_priority_flag))
		note(history, new, "priority_flagged",
			ls_json_parse(
				ls_lead_bool(old, LEAD_priority_flag) ? "{\"flag\": true}" : "{\"flag\": false}"),
			ls_json_parse(
				ls_lead_bool(new, LEAD_priority_flag) ? "{\"flag\": true}" : "{\"flag\": false}"),
			NULL);
	if (ls_lead_differs(old, new, LEAD_enrichment_status) &&
		strcmp(ls_lead_text(new, LEAD_enrichment_status), "Enriched") == 0)
		note(history, new, "enrichment_completed", NULL,
			ls_json_pair_text("linkedin", ls_lead_text(new, LEAD_linkedin_url)), NULL);
	if (ls_lead_differs(old, new, LEAD_do_not_call))
		note(history, new,
			ls_lead_bool(new, LEAD_do_not_call) ? "calling_blocked" : "calling_allowed", NULL,
			ls_json_pair_text("reason", ls_lead_text(new, LEAD_calling_blocked_reason)), NULL);
	if (ls_lead_isnull(old, LEAD_deleted_at) != ls_lead_isnull(new, LEAD_deleted_at))
		note(history, new, ls_lead_isnull(new, LEAD_deleted_at) ? "lead_restored" : "lead_deleted",
			NULL, NULL, NULL);
}

/*
 * A row that is gone for good takes its histories along.  What stays is one
 * line without personal data, unless the whole organisation went.
 */
static void
record_deletion(HistoryState *history, const LsLeadRow *old)
{
	bool isnull;
	const pg_uuid_t *org = DatumGetUUIDP(ls_lead_get(old, LEAD_organization_id, &isnull));
	LsActivity activity = {0};

	if (ls_org_is_leaving(org))
		return;
	activity.org = org;
	activity.action = "lead_deleted";
	activity.old_value = ls_json_pair_text(
		"lead_id", ls_uuid_text(DatumGetUUIDP(ls_lead_get(old, LEAD_id, &isnull))));
	activity.description = "Deleted for good";
	ls_activity_batch_add(history->activities, &activity);
}

/* Record what changed between two versions of a row. */
static void
record_change(HistoryState *history, const LsLeadRow *old, const LsLeadRow *new)
{
	bool status_changed =
		ls_lead_differs(old, new, LEAD_status) || ls_lead_differs(old, new, LEAD_pipeline_id);

	audit_changes(history, old, new, status_changed);
	if (status_changed)
		record_step(history, old, new);
	record_events(history, old, new);
}

/* The status that was passed between two versions of a row; NULL for none. */
static const char *
passed_status(const LsLeadRow *old, const LsLeadRow *new)
{
	bool isnull;

	if (ls_lead_cause()->via == NULL || !ls_lead_differs(old, new, LEAD_status) ||
		ls_lead_differs(old, new, LEAD_pipeline_id))
		return NULL;
	return ls_lead_passed_status(
		ls_pipeline(DatumGetUUIDP(ls_lead_get(new, LEAD_pipeline_id, &isnull))),
		ls_lead_text(old, LEAD_status), ls_lead_text(new, LEAD_status));
}

/*
 * The version of a row that would have been between two others, had the status
 * that was passed on the way been written.  It is of the stage before it.
 */
static LsLeadRow *
row_on_the_way(const LsLeadRow *old, const LsLeadRow *new, const char *via)
{
	LsLeadRow *row = palloc(sizeof(LsLeadRow));
	int natts = new->desc->natts;
	bool isnull;
	Datum stage = ls_lead_get(old, LEAD_stage, &isnull);

	*row = *new;
	row->values = memcpy(palloc(sizeof(Datum) * natts), new->values, sizeof(Datum) * natts);
	row->nulls = memcpy(palloc(sizeof(bool) * natts), new->nulls, sizeof(bool) * natts);
	ls_lead_set_text(row, LEAD_status, via);
	ls_lead_set(row, LEAD_stage, stage, isnull);
	return row;
}

/* Start the state of one statement. */
static HistoryState *
history_start(const LsLeadRow *row)
{
	HistoryState *history = palloc0(sizeof(HistoryState));

	history->context = CurrentMemoryContext;
	history->audit = audit_batch();
	history->status = status_batch();
	history->activities = ls_activity_batch();
	history->output = palloc0(sizeof(FmgrInfo) * row->desc->natts);
	return history;
}

/* Listener: one row. */
static void
history_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	HistoryState *history;
	const char *via;

	if (*state == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		*state = history_start(old ? old : new);
		MemoryContextSwitchTo(caller);
	}
	history = *state;
	if (old == NULL)
	{
		note(history, new, "lead_created", NULL,
			ls_json_pair_int("score", ls_lead_int(new, LEAD_lead_score)), NULL);
		return;
	}
	if (new == NULL)
	{
		record_deletion(history, old);
		return;
	}
	via = passed_status(old, new);
	if (via != NULL)
	{
		const LsLeadRow *between = row_on_the_way(old, new, via);

		history->reason = ls_lead_cause()->via_reason;
		record_change(history, old, between);
		old = between;
	}
	history->reason = ls_lead_cause()->reason;
	record_change(history, old, new);
}

/* Listener: write what is left. */
static void
history_end(LsLeadStatement *statement, void **state)
{
	HistoryState *history = *state;

	ls_batch_flush(history->audit);
	ls_batch_flush(history->status);
	ls_batch_flush(history->activities);
}

const LsLeadListener ls_lead_history_listener = {history_row, history_end};
