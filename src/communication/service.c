/*-------------------------------------------------------------------------
 *
 * service.c
 *	  After a job is done: the request for a review, and the offer of a
 *	  maintenance contract (semantics J4).
 *
 *	  Both are notifications to the lead, queued for their time by the statement
 *	  that completes the job.  Whether the lead may be contacted is asked when
 *	  they are claimed.  A job that turns out not to be completed takes them back.
 *	  A time that has passed already, as for jobs that are imported, queues
 *	  nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/batch.h"
#include "core/config.h"
#include "core/query.h"

/* What a statement on leads means for us. */
typedef struct Changes
{
	LsBatch *completed;
	LsBatch *reopened;
} Changes;

static const Oid completed_types[] = {UUIDOID, UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID};
static const Oid reopened_types[] = {UUIDOID, UUIDOID};

/* Writes to the customers of jobs that are done. */
static LsBatch *
completed_batch(const LsLeadStatement *statement)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.notifications (organization_id, lead_id, notification_type,"
		"   template_name, dedupe_key, scheduled_at, created_at)"
		" SELECT x.organization_id, x.lead_id,"
		"        CASE WHEN (l.phone_number IS NULL OR m.name = 'amc_offer') AND l.email IS NOT NULL"
		"             THEN 'email' ELSE 'sms' END,"
		"        m.name, concat_ws('/', m.name, x.lead_id, extract(epoch FROM x.at)), m.due, $6"
		"   FROM unnest($1, $2, $3, $4, $5) x(organization_id, lead_id, at, hours, months)"
		"   JOIN lead_system.leads l ON l.organization_id = x.organization_id AND l.id = x.lead_id"
		"    AND num_nonnulls(l.phone_number, l.email) > 0"
		"  CROSS JOIN LATERAL (VALUES"
		"    ('review_request', x.at + make_interval(hours => nullif(x.hours, 0))),"
		"    ('amc_offer', x.at + make_interval(months => nullif(x.months, 0)))) m(name, due)"
		"  WHERE m.due > $6"
		" ON CONFLICT (organization_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING",
		UUIDARRAYOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID, INT4ARRAYOID,
		TIMESTAMPTZOID);
	LsArgs fixed = {0};

	ls_arg_timestamptz(&fixed, statement->now);
	return ls_batch_create(&query, lengthof(completed_types), completed_types, &fixed);
}

/* Takes back what waits for leads whose job is not done after all. */
static LsBatch *
reopened_batch(void)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications n"
		"   SET status = 'dropped', blocked_rule = 'not_completed', dedupe_key = NULL"
		"  FROM unnest($1, $2) u(organization_id, lead_id)"
		" WHERE n.organization_id = u.organization_id AND n.lead_id = u.lead_id"
		"   AND n.user_id IS NULL AND n.status = 'pending'"
		"   AND n.template_name IN ('review_request', 'amc_offer')",
		UUIDARRAYOID, UUIDARRAYOID);

	return ls_batch_create(&query, lengthof(reopened_types), reopened_types, NULL);
}

/* Is the job of a lead done, and was it not called off later? */
static bool
is_completed(const LsLeadRow *row)
{
	return !ls_lead_isnull(row, LEAD_completed_at) && ls_lead_isnull(row, LEAD_deleted_at) &&
		   strcmp(ls_lead_text(row, LEAD_stage), "won") == 0;
}

/* Add a lead whose job has been completed. */
static void
add_completed(LsLeadStatement *statement, Changes *changes, const LsLeadRow *row)
{
	Datum values[lengthof(completed_types)];
	bool nulls[lengthof(completed_types)] = {false};
	pg_uuid_t org;

	values[0] = ls_lead_get(row, LEAD_organization_id, &nulls[0]);
	org = *DatumGetUUIDP(values[0]);
	values[1] = ls_lead_get(row, LEAD_id, &nulls[1]);
	values[2] = ls_lead_get(row, LEAD_completed_at, &nulls[2]);
	values[3] = Int32GetDatum(ls_config_int(&org, "communication.review_request_hours"));
	values[4] = Int32GetDatum(ls_config_int(&org, "communication.amc_offer_months"));
	if (changes->completed == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		changes->completed = completed_batch(statement);
		MemoryContextSwitchTo(caller);
	}
	ls_batch_add(changes->completed, values, nulls);
}

/* Add a lead whose job is not done after all. */
static void
add_reopened(LsLeadStatement *statement, Changes *changes, const LsLeadRow *row)
{
	Datum values[lengthof(reopened_types)];
	bool nulls[lengthof(reopened_types)];

	values[0] = ls_lead_get(row, LEAD_organization_id, &nulls[0]);
	values[1] = ls_lead_get(row, LEAD_id, &nulls[1]);
	if (changes->reopened == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		changes->reopened = reopened_batch();
		MemoryContextSwitchTo(caller);
	}
	ls_batch_add(changes->reopened, values, nulls);
}

/* Listener: one row. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	bool was_completed;
	bool completed;

	if (new == NULL || (old == NULL && ls_lead_isnull(new, LEAD_completed_at)))
		return;
	was_completed = old != NULL && is_completed(old);
	completed = is_completed(new);
	if (was_completed == completed || (completed && ls_lead_cause()->undone))
		return;
	if (*state == NULL)
		*state = MemoryContextAllocZero(statement->context, sizeof(Changes));
	if (completed)
		add_completed(statement, *state, new);
	else
		add_reopened(statement, *state, new);
}

/* Listener: write what the statement means. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	Changes *changes = *state;

	if (changes->completed != NULL)
		ls_batch_flush(changes->completed);
	if (changes->reopened != NULL)
		ls_batch_flush(changes->reopened);
}

const LsLeadListener ls_service_listener = {listener_row, listener_end};
