/*-------------------------------------------------------------------------
 *
 * release.c
 *	  What a claim lets back into the queue, before it takes from it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/query.h"
#include "core/uuid.h"
#include "outreach/claim.h"
#include "outreach/outreach.h"

/* So many waiting leads are let into the queue at a time. */
#define RELEASE_ROWS 1000

/* Run a query that locks rows without waiting; returns their identifiers. */
static pg_uuid_t *
lock_some(LsQuery *query, const LsArgs *args, int *n)
{
	pg_uuid_t *ids;
	int i;

	*n = (int) ls_query_run(query, args, LS_WRITE);
	ids = palloc(sizeof(pg_uuid_t) * Max(*n, 1));
	for (i = 0; i < *n; i++)
		ids[i] = ls_result_uuid(i, 1);
	return ids;
}

/*
 * Keep the lists from being deleted while their rows change.  A row that is
 * written a second time by one transaction has its foreign keys checked, and who
 * deletes the list waits for the row.  So lists that are being deleted now are
 * left out of the claim.
 */
static void
keep_lists(LsClaim *claim)
{
	LS_QUERY(query,
		"SELECT l.id FROM lead_system.lead_lists l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		" FOR KEY SHARE SKIP LOCKED",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};
	pg_uuid_t *kept;
	int n;
	int n_lists = 0;
	int i;
	int j;

	if (claim->lists_kept)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, claim->lists, false);
	kept = lock_some(&query, &args, &n);
	for (i = 0; i < claim->n_lists; i++)
	{
		for (j = 0; j < n && !ls_uuid_equal(&kept[j], &claim->list_ids[i]); j++)
			;
		if (j == n)
			continue;
		claim->list_ids[n_lists] = claim->list_ids[i];
		claim->max_attempts[n_lists++] = claim->max_attempts[i];
	}
	claim->n_lists = n_lists;
	claim->lists = ls_uuid_array(claim->list_ids, n_lists);
	claim->lists_kept = true;
}

/*
 * The list that a lapsed row r belongs to (I3): its own, or the best that has the
 * lead, if nobody called it yet and its own is gone or of lower priority.
 */
#define LAPSED_ROWS \
	"SELECT r.id, coalesce(h.lead_list_id, r.lead_list_id) AS lead_list_id," \
	"       coalesce(h.priority, r.list_priority) AS list_priority," \
	"       coalesce(h.lead_list_id, a.lead_list_id) IS NULL AS is_withdrawn" \
	"  FROM lead_system.campaign_leads r" \
	"  LEFT JOIN lead_system.campaign_lead_lists a ON a.organization_id = $1" \
	"   AND a.campaign_id = r.campaign_id AND a.lead_list_id = r.lead_list_id" \
	"   AND a.removed_at IS NULL" \
	"  LEFT JOIN LATERAL (SELECT b.lead_list_id, b.priority FROM lead_system.campaign_lead_lists b" \
	"        WHERE b.organization_id = $1 AND b.campaign_id = r.campaign_id" \
	"          AND b.lead_list_id = ANY ($3) AND r.attempts = 0" \
	"          AND (a.id IS NULL OR b.priority < r.list_priority)" \
	"          AND EXISTS (SELECT FROM lead_system.lead_list_members m" \
	"               WHERE m.organization_id = $1 AND m.lead_list_id = b.lead_list_id" \
	"                 AND m.lead_id = r.lead_id)" \
	"        ORDER BY b.priority, b.assigned_at, b.id LIMIT 1) h ON true" \
	" WHERE r.organization_id = $1 AND r.id = ANY ($2)"

/*
 * Give back leads whose claim has lapsed.  Those whose list has left the
 * campaign meanwhile, with no other to take them, are not called any more.
 */
void
ls_claim_release_lapsed(LsClaim *claim)
{
	LS_QUERY(lapsed,
		"SELECT c.id FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.status = 'calling'"
		"   AND c.lease_until <= $3 FOR UPDATE SKIP LOCKED",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LS_QUERY(release,
		"UPDATE lead_system.campaign_leads c"
		"   SET status = CASE WHEN " LS_IS_CALLBACK_SQL(
			"c") " THEN 'contacted'"
				 "                     WHEN u.is_withdrawn THEN " LS_SETTLED_SQL(
					 "c") " ELSE 'queued' END,"
						  "       outcome = CASE WHEN u.is_withdrawn THEN coalesce(c.outcome, 'list_removed')"
						  "                      ELSE c.outcome END,"
						  "       is_withdrawn = u.is_withdrawn AND NOT " LS_IS_CALLBACK_SQL(
							  "c") ","
								   "       lead_list_id = u.lead_list_id, list_priority = u.list_priority,"
								   "       claimed_by = NULL, lease_until = NULL"
								   "  FROM (" LAPSED_ROWS ") u"
								   " WHERE c.organization_id = $1 AND c.id = u.id",
		UUIDOID, UUIDARRAYOID, UUIDARRAYOID);
	LsArgs find_args = {0};
	LsArgs args = {0};
	pg_uuid_t *ids;
	int n;

	ls_arg_uuid(&find_args, &claim->org);
	ls_arg_uuid(&find_args, &claim->campaign);
	ls_arg_timestamptz(&find_args, ls_clock_now());
	ids = lock_some(&lapsed, &find_args, &n);
	if (n == 0)
		return;
	keep_lists(claim);
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_arg_datum(&args, claim->lists, false);
	ls_query_run(&release, &args, LS_WRITE);
}

/*
 * Let waiting leads into the queue whose time has come, those of the lists that
 * are called first before others (I4); were there more?
 *
 * The order, together with sorting being off (claim.c), keeps the planner at the
 * index.  It guesses that a third of what waits is due, and would read the whole
 * table in each claim.
 */
bool
ls_claim_release_waiting(LsClaim *claim)
{
	LS_QUERY(due,
		"SELECT w.id FROM unnest($3) u(lead_list_id) CROSS JOIN LATERAL ("
		"  SELECT c.id FROM lead_system.campaign_leads c"
		"   WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = u.lead_list_id"
		"     AND c.next_attempt_at <= $4 AND c.status IN ('new', 'queued') AND c.is_dialable"
		"     AND c.is_waiting"
		"   ORDER BY c.next_attempt_at LIMIT $5 FOR UPDATE SKIP LOCKED) w"
		" LIMIT $5",
		UUIDOID, UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, INT8OID);
	LS_QUERY(release,
		"UPDATE lead_system.campaign_leads SET is_waiting = false"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LsArgs find_args = {0};
	LsArgs args = {0};
	pg_uuid_t *ids;
	int n;

	ls_arg_uuid(&find_args, &claim->org);
	ls_arg_uuid(&find_args, &claim->campaign);
	ls_arg_datum(&find_args, claim->lists, false);
	ls_arg_timestamptz(&find_args, ls_clock_now());
	ls_arg_int64(&find_args, RELEASE_ROWS);
	ids = lock_some(&due, &find_args, &n);
	if (n == 0)
		return false;
	keep_lists(claim);
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_query_run(&release, &args, LS_WRITE);
	return n == RELEASE_ROWS;
}
