/*-------------------------------------------------------------------------
 *
 * queue_leave.c
 *	  The statements on campaign_leads for a list that gives leads away, or is
 *	  taken from the campaign (semantics I3).  See queue.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/query.h"
#include "outreach/outreach.h"
#include "outreach/queue.h"

#define OF_LIST(condition) \
	" FROM lead_system.campaign_leads c WHERE c.organization_id = $1 AND c.lead_list_id = $3" \
	"   AND " condition

/* Those rows of the campaign that will change, or all that the list has anywhere. */
#define CHANGING "c.campaign_id = $2 AND (c.attempts = 0 OR c.status IN ('new', 'queued'))"
#define ALL "$2 IS NOT NULL"

/*
 * Lock leads and rows of a list that is taken from the campaign: those that will
 * change; or from all campaigns, since it is deleted.
 */
void
ls_queue_lock_list(const LsAssignment *assignment, bool all)
{
	LS_QUERY(changing_leads, "SELECT coalesce(array_agg(c.lead_id), '{}')" OF_LIST(CHANGING),
		UUIDOID, UUIDOID, UUIDOID);
	LS_QUERY(all_leads, "SELECT coalesce(array_agg(c.lead_id), '{}')" OF_LIST(ALL), UUIDOID,
		UUIDOID, UUIDOID);
	LS_QUERY(changing_rows,
		"SELECT count(*) FROM (SELECT" OF_LIST(CHANGING) " ORDER BY c.lead_id FOR UPDATE) x",
		UUIDOID, UUIDOID, UUIDOID);
	LS_QUERY(all_rows,
		"SELECT count(*) FROM (SELECT" OF_LIST(
			ALL) " ORDER BY c.lead_id, c.campaign_id FOR UPDATE) x",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	ls_queue_lock_leads(assignment, ls_queue_array(all ? &all_leads : &changing_leads, &args));
	ls_query_run(all ? &all_rows : &changing_rows, &args, LS_WRITE);
}

/* The uncalled leads of the list, in the campaign. */
static Datum
uncalled_leads(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"SELECT coalesce(array_agg(c.lead_id), '{}') FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = $3"
		"   AND " LS_IS_UNCALLED_SQL,
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	return ls_queue_array(&query, &args);
}

/* Those of some leads that are members of a list go over to it. */
static void
hand_over_to(const LsAssignment *assignment, const LsAssignment *heir, Datum leads)
{
	LS_QUERY_ARRAY(find,
		"SELECT coalesce(array_agg(m.lead_id), '{}') FROM lead_system.lead_list_members m"
		" WHERE m.organization_id = $1 AND m.lead_list_id = $2 AND m.lead_id = ANY ($3)",
		UUIDOID, UUIDOID, UUIDARRAYOID);
	LS_QUERY_ARRAY(move,
		"UPDATE lead_system.campaign_leads c SET lead_list_id = $5, list_priority = $6"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = $3"
		"   AND c.lead_id = ANY ($4) AND " LS_IS_UNCALLED_SQL,
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID, UUIDOID, INT4OID);
	LsArgs find_args = {0};
	LsArgs move_args;
	Datum shared;

	ls_arg_uuid(&find_args, &heir->org);
	ls_arg_uuid(&find_args, &heir->list);
	ls_arg_datum(&find_args, leads, false);
	shared = ls_queue_array(&find, &find_args);
	if (ls_queue_is_empty(shared))
		return;
	move_args = ls_queue_args(assignment, shared);
	ls_arg_uuid(&move_args, &heir->list);
	ls_arg_int32(&move_args, heir->priority);
	ls_query_run(&move, &move_args, LS_WRITE);
}

/*
 * Leads of the list that were not called yet go to the list of the campaign
 * that now has the highest priority among those that have the lead, if that is
 * higher than "than".  With an array of heirs, only to those.
 */
void
ls_queue_hand_over(const LsAssignment *assignment, int64 than, const Datum *among)
{
	LS_QUERY(query,
		"SELECT a.lead_list_id, a.priority FROM lead_system.campaign_lead_lists a"
		" WHERE a.organization_id = $1 AND a.campaign_id = $2 AND a.lead_list_id <> $3"
		"   AND a.is_active AND a.priority < $4 AND ($5 IS NULL OR a.lead_list_id = ANY ($5))"
		" ORDER BY a.priority, a.assigned_at, a.id",
		UUIDOID, UUIDOID, UUIDOID, INT8OID, UUIDARRAYOID);
	LsArgs args = {0};
	LsAssignment *heirs;
	Datum leads = uncalled_leads(assignment);
	int n;
	int i;

	if (ls_queue_is_empty(leads))
		return;
	ls_assignment_args(&args, assignment);
	ls_arg_int64(&args, than);
	ls_arg_datum(&args, among ? *among : (Datum) 0, among == NULL);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	heirs = palloc(sizeof(LsAssignment) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		heirs[i] = *assignment;
		heirs[i].list = ls_result_uuid(i, 1);
		heirs[i].priority = ls_result_int32(i, 2);
	}
	for (i = 0; i < n; i++)
		hand_over_to(assignment, &heirs[i], leads);
}

/* Remove the leads that nobody called; returns how many. */
uint64
ls_queue_remove_uncalled(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"DELETE FROM lead_system.campaign_leads"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3 AND attempts = 0"
		"   AND status <> 'calling'",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	return ls_query_run(&query, &args, LS_WRITE);
}

/* Leads that were called, and are waiting to be called again, will not be. */
void
ls_queue_withdraw(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads c"
		"   SET status = " LS_SETTLED_SQL(
			"c") ", is_withdrawn = true"
				 " WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = $3"
				 "   AND c.status IN ('new', 'queued')",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	ls_query_run(&query, &args, LS_WRITE);
}
