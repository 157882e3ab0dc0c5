/*-------------------------------------------------------------------------
 *
 * status.c
 *	  Status steps (semantics A14, J3, C7): which are allowed, and what they
 *	  stamp.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "leads/internal.h"
#include "leads/leads.h"

static const LsLeadCause no_cause = {NULL, "manual", NULL, false};
static const LsLeadCause *current_cause = &no_cause;

/* What causes the change that is being made. */
const LsLeadCause *
ls_lead_cause(void)
{
	return current_cause;
}

/*
 * Say what causes the changes that follow; returns what to put back.  The
 * caller does so in PG_FINALLY.
 */
const LsLeadCause *
ls_lead_cause_set(const LsLeadCause *cause)
{
	const LsLeadCause *previous = current_cause;

	current_cause = cause;
	return previous;
}

/* The pipeline of a row; one of another organisation does not exist. */
static const LsPipeline *
row_pipeline(LsLeadChange *change)
{
	bool isnull;
	Datum id = ls_lead_get(change->row, LEAD_pipeline_id, &isnull);
	const LsPipeline *pipeline;

	if (isnull)
	{
		pipeline = ls_pipeline_default(change->organization);
		ls_lead_set(change->row, LEAD_pipeline_id, UUIDPGetDatum(&pipeline->id), false);
		return pipeline;
	}
	pipeline = ls_pipeline(DatumGetUUIDP(id));
	if (pipeline == NULL || (!pipeline->built_in && !ls_uuid_equal(&pipeline->org, &change->org)))
		ereport(
			ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					   errmsg("pipeline \"%s\" does not exist", ls_uuid_text(DatumGetUUIDP(id)))));
	return pipeline;
}

/* The status of a row, which must be one of the pipeline's. */
static const LsStatus *
row_status(LsLeadChange *change, const LsPipeline *pipeline)
{
	char *name = ls_lead_text(change->row, LEAD_status);
	const LsStatus *status = name ? ls_pipeline_status(pipeline, name) : pipeline->initial;

	if (status == NULL && name == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("pipeline \"%s\" has no initial status", pipeline->name)));
	if (status == NULL)
		ereport(
			ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					   errmsg("\"%s\" is not a status of pipeline \"%s\"", name, pipeline->name),
					   errhint("Statuses are: %s.", ls_status_names(pipeline, NULL)),
					   errtablecol(change->rel, change->row->map->attnum[LEAD_status])));
	return status;
}

/* May a lead make this step? */
static void
check_step(const LsPipeline *pipeline, const char *from_name, const LsStatus *to)
{
	const LsStatus *from = ls_pipeline_status(pipeline, from_name);
	char *next;

	if (ls_lead_cause()->force || (from != NULL && list_member_ptr(from->next, to)))
		return;
	next = from ? ls_status_names(pipeline, from) : "";
	ereport(
		ERROR, (errcode(LS_ERRCODE_STATUS_STEP),
				   errmsg("status step from \"%s\" to \"%s\" is not allowed in pipeline \"%s\"",
					   from_name, to->status, pipeline->name),
				   *next ? errdetail("Allowed next steps are: %s.", next)
						 : errdetail("\"%s\" is a final status.", from_name),
				   errhint("An administrator can use change_lead_status() with force => true.")));
}

/*
 * The status that a lead passes between two others, as the cause of the change
 * says; NULL when there is none, or the pipeline does not have both steps.
 */
const char *
ls_lead_passed_status(const LsPipeline *pipeline, const char *from_name, const char *to_name)
{
	const char *name = ls_lead_cause()->via;
	const LsStatus *from;
	const LsStatus *via;
	const LsStatus *to;

	if (name == NULL || pipeline == NULL)
		return NULL;
	from = ls_pipeline_status(pipeline, from_name);
	via = ls_pipeline_status(pipeline, name);
	to = ls_pipeline_status(pipeline, to_name);
	if (from == NULL || via == NULL || to == NULL || !list_member_ptr(from->next, via) ||
		!list_member_ptr(via->next, to))
		return NULL;
	return via->status;
}

/* A status that needs a reason must have one. */
static void
check_reason(LsLeadChange *change, const LsStatus *status)
{
	char *reason = ls_lead_text(change->row, LEAD_lost_reason);

	if (status->requires_reason && (reason == NULL || reason[strspn(reason, " \t\r\n")] == '\0'))
		ereport(ERROR, (errcode(LS_ERRCODE_STATUS_STEP),
						   errmsg("status \"%s\" needs a reason", status->status),
						   errhint("Set lost_reason, or pass a reason to change_lead_status().")));
}

/* Write what follows from having entered a status. */
static void
enter_status(LsLeadChange *change, const LsStatus *status, TimestampTz at)
{
	LsLeadRow *row = change->row;

	ls_lead_set_text(row, LEAD_status, status->status);
	ls_lead_set_text(row, LEAD_stage, status->stage);
	ls_lead_set_text(row, LEAD_pipeline_stage, status->pipeline_stage);
	ls_lead_set(row, LEAD_status_changed_at, TimestampTzGetDatum(at), false);
	if (status->stamp_column != LEAD_NONE && ls_lead_isnull(row, status->stamp_column))
		ls_lead_set(row, status->stamp_column, TimestampTzGetDatum(at), false);
}

/*
 * Put a row into a status from within a step of the trigger, for a rule that
 * does not ask the pipeline (do-not-call).
 */
void
ls_lead_change_status_now(LsLeadChange *change, const char *status_name)
{
	const LsPipeline *pipeline = row_pipeline(change);
	const LsStatus *status = ls_pipeline_status(pipeline, status_name);

	if (status != NULL)
		enter_status(change, status, change->now);
}

/* A new row: give it pipeline and status where it has none. */
static void
status_of_new_row(LsLeadChange *change)
{
	const LsStatus *status = row_status(change, row_pipeline(change));
	bool isnull;
	Datum created_at = ls_lead_get(change->row, LEAD_created_at, &isnull);
	TimestampTz at = change->now;

	check_reason(change, status);
	if (!isnull && DatumGetTimestampTz(created_at) < at)
		at = DatumGetTimestampTz(created_at);
	enter_status(change, status, at);
}

/* Take over a column that only this trigger writes. */
static void
keep_old(LsLeadChange *change, LsLeadColumn column)
{
	bool isnull;
	Datum value = ls_lead_get(change->old, column, &isnull);

	ls_lead_set(change->row, column, value, isnull);
}

/* What the status means follows the pipeline, which may have changed since. */
static void
follow_pipeline(LsLeadChange *change)
{
	const LsStatus *status =
		ls_pipeline_status(row_pipeline(change), ls_lead_text(change->row, LEAD_status));

	ls_lead_set_text(
		change->row, LEAD_stage, status ? status->stage : ls_lead_text(change->old, LEAD_stage));
	ls_lead_set_text(change->row, LEAD_pipeline_stage, status ? status->pipeline_stage : NULL);
}

/*
 * The status in a pipeline that a lead moves to.  Where none was chosen, one of
 * the same name and meaning, or else the initial one.  A lead gains no stage by
 * moving: that would be a way around the steps.
 */
static const LsStatus *
status_after_move(LsLeadChange *change, const LsPipeline *pipeline, bool chosen)
{
	char *stage = ls_lead_text(change->old, LEAD_stage);
	const LsStatus *status = ls_pipeline_status(pipeline, ls_lead_text(change->row, LEAD_status));

	if (!chosen && (status == NULL || strcmp(status->stage, stage) != 0))
		ls_lead_set_text(change->row, LEAD_status, NULL);
	status = row_status(change, pipeline);
	if (status != pipeline->initial && strcmp(status->stage, stage) != 0 && !ls_lead_cause()->force)
		ereport(ERROR,
			(errcode(LS_ERRCODE_STATUS_STEP),
				errmsg("a lead cannot move to status \"%s\" of pipeline \"%s\"", status->status,
					pipeline->name),
				errdetail("It is in stage %s, and the status means %s.", stage, status->stage),
				errhint("It can move to the initial status, or to one of its stage.")));
	return status;
}

/* The reason of a loss goes when the lead is no longer lost; histories keep it. */
static void
forget_reason(LsLeadChange *change, const LsStatus *status)
{
	if (strcmp(ls_lead_text(change->old, LEAD_stage), "lost") == 0 &&
		strcmp(status->stage, "lost") != 0 &&
		!ls_lead_differs(change->old, change->row, LEAD_lost_reason))
		ls_lead_set_text(change->row, LEAD_lost_reason, NULL);
}

/* Step of the row trigger: pipeline, status and what depends on them. */
void
ls_lead_step_status(LsLeadChange *change)
{
	const LsPipeline *pipeline;
	const LsStatus *status;
	bool pipeline_changed;
	bool status_changed;

	if (change->old == NULL)
	{
		status_of_new_row(change);
		return;
	}
	pipeline_changed = ls_lead_differs(change->old, change->row, LEAD_pipeline_id);
	status_changed = ls_lead_differs(change->old, change->row, LEAD_status);
	keep_old(change, LEAD_status_changed_at);
	if (!pipeline_changed && !status_changed)
	{
		follow_pipeline(change);
		return;
	}

	pipeline = row_pipeline(change);
	if (pipeline_changed)
		status = status_after_move(change, pipeline, status_changed);
	else
	{
		char *from = ls_lead_text(change->old, LEAD_status);

		status = row_status(change, pipeline);
		if (ls_lead_passed_status(pipeline, from, status->status) == NULL)
			check_step(pipeline, from, status);
	}
	forget_reason(change, status);
	check_reason(change, status);
	enter_status(change, status, change->now);
}
