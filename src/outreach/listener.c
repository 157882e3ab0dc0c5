/*-------------------------------------------------------------------------
 *
 * listener.c
 *	  What a change of a lead means for the campaigns it is in: its place in the
 *	  queue, whether it can be dialled, and whether it may be called at all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/batch.h"
#include "core/query.h"
#include "outreach/outreach.h"

#define LISTENER_COLUMNS 6

/*
 * Leads on their way into the queue.  Rows that are being called are left
 * alone, unless the lead has been blocked, which ends the claim (D5).
 */
static LsBatch *
queue_batch(void)
{
	static const Oid types[LISTENER_COLUMNS] = {
		UUIDOID, UUIDOID, TEXTOID, INT4OID, BOOLOID, BOOLOID};
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads c"
		"   SET temperature_rank = " LS_TEMPERATURE_RANK_SQL(
			"u.temperature") ","
							 "       lead_score = u.lead_score, is_dialable = u.is_dialable,"
							 "       status = CASE WHEN u.blocked THEN 'dnc' ELSE c.status END,"
							 "       claimed_by = CASE WHEN u.blocked THEN NULL ELSE c.claimed_by END,"
							 "       lease_until = CASE WHEN u.blocked THEN NULL ELSE c.lease_until END"
							 "  FROM unnest($1, $2, $3, $4, $5, $6)"
							 "       u(organization_id, lead_id, temperature, lead_score, is_dialable, blocked)"
							 " WHERE c.organization_id = u.organization_id AND c.lead_id = u.lead_id"
							 "   AND (c.status IN ('new', 'queued') OR (u.blocked AND c.status IN ('calling', 'contacted')"
							 "        AND (c.status = 'calling' OR c.outcome = 'callback')))",
		UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, BOOLARRAYOID, BOOLARRAYOID);

	return ls_batch_create(&query, LISTENER_COLUMNS, types, NULL);
}

/* Can a lead be dialled?  As LS_IS_DIALABLE_SQL. */
static bool
is_dialable(const LsLeadRow *row)
{
	return !ls_lead_isnull(row, LEAD_phone_number) && ls_lead_isnull(row, LEAD_deleted_at) &&
		   !ls_lead_bool(row, LEAD_is_spam);
}

/* Listener: one row. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	Datum values[LISTENER_COLUMNS];
	bool nulls[LISTENER_COLUMNS] = {false};
	bool blocked;

	if (old == NULL || new == NULL)
		return;
	blocked = ls_lead_bool(new, LEAD_do_not_call);
	if (!ls_lead_differs(old, new, LEAD_lead_score) &&
		!ls_lead_differs(old, new, LEAD_temperature) && is_dialable(old) == is_dialable(new) &&
		ls_lead_bool(old, LEAD_do_not_call) == blocked)
		return;
	if (*state == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		*state = queue_batch();
		MemoryContextSwitchTo(caller);
	}
	values[0] = ls_lead_get(new, LEAD_organization_id, &nulls[0]);
	values[1] = ls_lead_get(new, LEAD_id, &nulls[1]);
	values[2] = ls_lead_get(new, LEAD_temperature, &nulls[2]);
	values[3] = ls_lead_get(new, LEAD_lead_score, &nulls[3]);
	values[4] = BoolGetDatum(is_dialable(new));
	values[5] = BoolGetDatum(blocked && !ls_lead_bool(old, LEAD_do_not_call));
	ls_batch_add(*state, values, nulls);
}

/* Listener: write what is left. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	ls_batch_flush(*state);
}

const LsLeadListener ls_outreach_listener = {listener_row, listener_end};
