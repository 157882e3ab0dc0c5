/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  The statements on campaign_leads for a list that is given to a campaign
 *	  or taken from it (semantics I3, I5, I6).
 *
 *	  The statistics may not know an organisation at all; then the planner
 *	  expects one row of it anywhere, and a join becomes a loop over everything
 *	  that the organisation has, for each member.  So rows are named by arrays
 *	  of identifiers, each statement reads one table, and nested loops are off:
 *	  at worst a statement reads once what the organisation has.
 *
 *	  Rows are read first, without locks; only those that are to be changed are
 *	  locked, in the order of outreach.h, and each change looks at its row again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "core/clock.h"
#include "core/query.h"
#include "outreach/outreach.h"
#include "outreach/queue.h"
#include "segments/segments.h"

/* The list of a row was taken from the campaign, or deleted. */
#define HAS_NO_LIST \
	"NOT EXISTS (SELECT FROM lead_system.campaign_lead_lists a WHERE a.organization_id = $1" \
	" AND a.campaign_id = $2 AND a.lead_list_id = c.lead_list_id AND a.removed_at IS NULL)"

/* Rows that were left when their list was taken away, and belong to $3 again. */
#define IS_GIVEN_BACK "c.is_withdrawn AND (c.lead_list_id = $3 OR c.attempts = 0)"

/* A scope for the statements of this file. */
void
ls_queue_scope_open(LsScope *scope)
{
	ls_scope_open(scope, LS_AS_OWNER);
	(void) set_config_option(
		"enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* The identifiers, as the first three arguments of a query. */
void
ls_assignment_args(LsArgs *args, const LsAssignment *assignment)
{
	ls_arg_uuid(args, &assignment->org);
	ls_arg_uuid(args, &assignment->campaign);
	ls_arg_uuid(args, &assignment->list);
}

/* The identifiers and an array. */
LsArgs
ls_queue_args(const LsAssignment *assignment, Datum ids)
{
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	ls_arg_datum(&args, ids, false);
	return args;
}

/* Run a query for its only value, an array; it outlives the scope. */
Datum
ls_queue_array(LsQuery *query, const LsArgs *args)
{
	bool isnull;
	Datum array;

	ls_query_run(query, args, LS_WRITE);
	array = ls_result(0, 1, &isnull);
	Assert(!isnull);
	return SPI_datumTransfer(array, false, -1);
}

/* Is an array empty? */
bool
ls_queue_is_empty(Datum array)
{
	ArrayType *value = DatumGetArrayTypeP(array);

	return ArrayGetNItems(ARR_NDIM(value), ARR_DIMS(value)) == 0;
}

/* The leads of the list, as of now, that meet the criteria (NULL: all of them). */
Datum
ls_queue_members(const LsAssignment *assignment, Jsonb *criteria)
{
	LS_QUERY(query,
		"SELECT CASE WHEN l.list_type <> 'dynamic' THEN ARRAY("
		"         SELECT m.lead_id FROM lead_system.lead_list_members m"
		"          WHERE m.organization_id = $1 AND m.lead_list_id = $2) END"
		"  FROM lead_system.lead_lists l WHERE l.organization_id = $1 AND l.id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	Datum members;
	bool isnull;

	if (criteria != NULL)
		return ls_segments_list_leads(&assignment->org, &assignment->list, criteria);
	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->list);
	ls_query_run(&query, &args, LS_WRITE);
	members = ls_result(0, 1, &isnull);
	return isnull ? ls_segments_list_leads(&assignment->org, &assignment->list, NULL) : members;
}

/* Members that are not in the campaign. */
static Datum
missing_members(const LsAssignment *assignment, Datum members)
{
	LS_QUERY_ARRAY(query,
		"SELECT coalesce(array_agg(x.id), '{}') FROM (SELECT unnest($4) EXCEPT"
		"       SELECT c.lead_id FROM lead_system.campaign_leads c"
		"        WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_id = ANY ($4)) x(id)",
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID);
	LsArgs args = ls_queue_args(assignment, members);

	return ls_queue_array(&query, &args);
}

/*
 * Members that are in the campaign as blocked, and would be called again: with
 * attempts left, by a list that is there; an uncalled one can change over to
 * this.  Who said so in a call of the campaign is not called by it again.
 */
static Datum
blocked_members(const LsAssignment *assignment, Datum members)
{
	LS_QUERY_ARRAY(query,
		"SELECT coalesce(array_agg(c.lead_id), '{}') FROM lead_system.campaign_leads c"
		"  LEFT JOIN lead_system.campaign_lead_lists a ON a.organization_id = $1"
		"   AND a.campaign_id = $2 AND a.lead_list_id = c.lead_list_id"
		"   AND (a.removed_at IS NULL OR a.lead_list_id = $3)"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_id = ANY ($4)"
		"   AND c.status = 'dnc' AND c.outcome IS DISTINCT FROM 'do_not_call'"
		"   AND (c.attempts = 0 OR (a.id IS NOT NULL AND c.attempts < coalesce("
		"        a.max_attempts_override, (SELECT p.max_attempts FROM lead_system.campaigns p"
		"            WHERE p.organization_id = $1 AND p.id = $2))))",
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID);
	LsArgs args = ls_queue_args(assignment, members);

	return ls_queue_array(&query, &args);
}

/*
 * Those of some leads that are not marked themselves, and whose number is, or
 * is not, on the do-not-call list.
 */
static Datum
unmarked_leads(const LsAssignment *assignment, Datum leads, bool listed)
{
	LS_QUERY_ARRAY(query,
		"SELECT l.id, l.phone_number FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = ANY ($2) AND l.deleted_at IS NULL"
		"   AND NOT l.do_not_call",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};
	pg_uuid_t *found;
	int n_found = 0;
	uint64 n;
	uint64 row;

	if (ls_queue_is_empty(leads))
		return leads;
	ls_arg_uuid(&args, &assignment->org);
	ls_arg_datum(&args, leads, false);
	n = ls_query_run(&query, &args, LS_WRITE);
	found = palloc_extended(sizeof(pg_uuid_t) * Max(n, 1), MCXT_ALLOC_HUGE);
	PushActiveSnapshot(GetLatestSnapshot());
	for (row = 0; row < n; row++)
	{
		char *number = ls_result_text(row, 2);

		if ((number != NULL && ls_dnc_listed(&assignment->org, number)) == listed)
			found[n_found++] = ls_result_uuid(row, 1);
	}
	PopActiveSnapshot();
	return ls_uuid_array(found, n_found);
}

/*
 * Rows that the list is going to change: its own if its priority is another,
 * those it takes over, those it had left, those whose lead was unblocked.
 */
static Datum
rows_to_change(const LsAssignment *assignment, Datum members, Datum unblocked)
{
	LS_QUERY(of_list,
		"SELECT coalesce(array_agg(c.id), '{}') FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = $3"
		"   AND c.list_priority <> $4",
		UUIDOID, UUIDOID, UUIDOID, INT4OID);
	LS_QUERY_ARRAY(of_members,
		"SELECT $7 || coalesce(array_agg(c.id), '{}') FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_id = ANY ($4)"
		"   AND ((" LS_IS_UNCALLED_SQL " AND c.list_priority > $5 AND c.lead_list_id <> $3)"
		"        OR (" IS_GIVEN_BACK ") OR c.lead_id = ANY ($6))",
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID, INT4OID, UUIDARRAYOID, UUIDARRAYOID);
	LsArgs list_args = {0};
	LsArgs member_args = ls_queue_args(assignment, members);

	ls_assignment_args(&list_args, assignment);
	ls_arg_int32(&list_args, assignment->priority);
	ls_arg_int32(&member_args, assignment->priority);
	ls_arg_datum(&member_args, unblocked, false);
	ls_arg_datum(&member_args, ls_queue_array(&of_list, &list_args), false);
	return ls_queue_array(&of_members, &member_args);
}

/* The leads that are missing, and those of rows. */
static Datum
leads_to_change(const LsAssignment *assignment, Datum missing, Datum rows)
{
	LS_QUERY_ARRAY(query,
		"SELECT $2 || coalesce(array_agg(c.lead_id), '{}') FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.id = ANY ($3)",
		UUIDOID, UUIDARRAYOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_datum(&args, missing, false);
	ls_arg_datum(&args, rows, false);
	return ls_queue_array(&query, &args);
}

/*
 * Lock leads whose rows come or change, before these: foreign keys would do it
 * afterwards, and who deletes leads has them before their rows.
 */
void
ls_queue_lock_leads(const LsAssignment *assignment, Datum leads)
{
	LS_QUERY_ARRAY(query,
		"SELECT count(*) FROM (SELECT FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = ANY ($2) ORDER BY l.id FOR KEY SHARE) x",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_datum(&args, leads, false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Lock rows of the queue, in the order of their leads. */
static void
lock_rows(const LsAssignment *assignment, Datum rows)
{
	LS_QUERY_ARRAY(query,
		"SELECT count(*) FROM (SELECT FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.id = ANY ($2) ORDER BY c.lead_id FOR NO KEY UPDATE) x",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_datum(&args, rows, false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Lock the assignments of the campaign, whose counts will change. */
void
ls_queue_lock_assignments(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"SELECT count(*) FROM (SELECT FROM lead_system.campaign_lead_lists a"
		" WHERE a.organization_id = $1 AND a.campaign_id = $2"
		" ORDER BY a.lead_list_id FOR NO KEY UPDATE) x",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->campaign);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Rows stand in the queue by the new priority of the list. */
static void
set_priority(const LsAssignment *assignment, Datum rows)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.campaign_leads c SET list_priority = $4"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = $3"
		"   AND c.id = ANY ($5) AND c.list_priority <> $4",
		UUIDOID, UUIDOID, UUIDOID, INT4OID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	ls_arg_int32(&args, assignment->priority);
	ls_arg_datum(&args, rows, false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Uncalled leads of lists with a lower priority come over (I3). */
static void
take_over(const LsAssignment *assignment, Datum rows)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.campaign_leads c SET lead_list_id = $3, list_priority = $4"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id <> $3"
		"   AND c.id = ANY ($5) AND " LS_IS_UNCALLED_SQL " AND c.list_priority > $4",
		UUIDOID, UUIDOID, UUIDOID, INT4OID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	ls_arg_int32(&args, assignment->priority);
	ls_arg_datum(&args, rows, false);
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Leads that were unblocked, or left with the list, are queued again, in the
 * place that they have now.
 */
static void
requeue(const LsAssignment *assignment, Datum members, Datum rows, Datum unblocked)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.campaign_leads c"
		"   SET status = " LS_REQUEUED_SQL(
			"c") ", outcome = nullif(c.outcome, 'list_removed'),"
				 "       is_withdrawn = false, is_waiting = c.next_attempt_at > $8, blocked_rule = NULL,"
				 "       lead_list_id = CASE WHEN c.is_withdrawn OR " HAS_NO_LIST
				 " THEN $3 ELSE c.lead_list_id END,"
				 "       list_priority = CASE WHEN c.is_withdrawn OR " HAS_NO_LIST
				 " THEN $5 ELSE c.list_priority END,"
				 "       temperature_rank = " LS_TEMPERATURE_RANK_SQL(
					 "l.temperature") ","
									  "       lead_score = l.lead_score, is_dialable = " LS_IS_DIALABLE_SQL(
										  "l") "  FROM lead_system.leads l"
											   " WHERE l.organization_id = $1 AND l.id = ANY ($4) AND NOT l.do_not_call"
											   "   AND c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_id = l.id"
											   "   AND c.id = ANY ($6)"
											   "   AND ((c.status = 'dnc' AND c.lead_id = ANY ($7)) OR (" IS_GIVEN_BACK
											   "))",
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID, INT4OID, UUIDARRAYOID, UUIDARRAYOID,
		TIMESTAMPTZOID);
	LsArgs args = ls_queue_args(assignment, members);

	ls_arg_int32(&args, assignment->priority);
	ls_arg_datum(&args, rows, false);
	ls_arg_datum(&args, unblocked, false);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Numbers that the campaign has called under leads that are deleted.  Live
 * leads have distinct numbers; a deleted one may have had the same (I6).
 */
static Datum
called_numbers(const LsAssignment *assignment, const LsQueueSettings *settings)
{
	LS_QUERY(query,
		"SELECT coalesce(array_agg(x.phone_number), '{}') FROM lead_system.leads x"
		"  JOIN lead_system.campaign_leads y ON y.organization_id = $1 AND y.campaign_id = $2"
		"   AND y.lead_id = x.id AND (y.attempts > 0 OR y.status = 'calling')"
		" WHERE x.organization_id = $1 AND x.phone_number IS NOT NULL AND x.deleted_at IS NOT NULL",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	if (!settings->dedupe_by_phone || !settings->has_deleted)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->campaign);
	return ls_queue_array(&query, &args);
}

/* Members that are not in the campaign come in. */
static void
insert_members(const LsAssignment *assignment, const LsQueueSettings *settings, Datum missing)
{
	LS_QUERY_ARRAY(query,
		"INSERT INTO lead_system.campaign_leads"
		" (organization_id, campaign_id, lead_id, lead_list_id, list_priority, temperature_rank,"
		"  lead_score, is_dialable, status, added_at, next_attempt_at)"
		" SELECT $1, $2, l.id, $3, $5, " LS_TEMPERATURE_RANK_SQL(
			"l.temperature") ","
							 "        l.lead_score, " LS_IS_DIALABLE_SQL(
								 "l") ","
									  "        CASE WHEN $6 AND (l.do_not_call OR l.id = ANY ($7)) THEN 'dnc' ELSE 'new' END, $9, $9"
									  "   FROM lead_system.leads l"
									  "  WHERE l.organization_id = $1 AND l.id = ANY ($4) AND l.deleted_at IS NULL"
									  "    AND (l.phone_number IS NULL OR l.phone_number <> ALL ($8))"
									  "  ORDER BY l.id"
									  " ON CONFLICT (organization_id, campaign_id, lead_id) DO NOTHING",
		UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID, INT4OID, BOOLOID, UUIDARRAYOID, TEXTARRAYOID,
		TIMESTAMPTZOID);
	Datum listed;
	LsArgs args;

	listed = settings->exclude_dnc ? unmarked_leads(assignment, missing, true)
								   : PointerGetDatum(construct_empty_array(UUIDOID));
	args = ls_queue_args(assignment, missing);
	ls_arg_int32(&args, assignment->priority);
	ls_arg_bool(&args, settings->exclude_dnc);
	ls_arg_datum(&args, listed, false);
	ls_arg_datum(&args, called_numbers(assignment, settings), false);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/*
 * Bring the queue in line with the list: its priority, its members, the rows
 * that it takes from others or gives to them.
 */
void
ls_queue_sync(const LsAssignment *assignment, const LsQueueSettings *settings, Datum members,
	int old_priority)
{
	Datum unblocked = unmarked_leads(assignment, blocked_members(assignment, members), false);
	Datum rows = rows_to_change(assignment, members, unblocked);
	Datum missing = missing_members(assignment, members);

	if (ls_queue_is_empty(rows) && ls_queue_is_empty(missing))
		return;
	ls_queue_lock_leads(assignment, leads_to_change(assignment, missing, rows));
	lock_rows(assignment, rows);
	ls_queue_lock_assignments(assignment);
	if (!ls_queue_is_empty(rows))
	{
		if (old_priority < assignment->priority)
			ls_queue_hand_over(assignment, assignment->priority, NULL);
		set_priority(assignment, rows);
		take_over(assignment, rows);
		requeue(assignment, members, rows, unblocked);
	}
	if (!ls_queue_is_empty(missing))
		insert_members(assignment, settings, missing);
}
