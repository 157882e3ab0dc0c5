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
 * Give back leads whose claim has lapsed.  Those whose list has left the
 * campaign meanwhile are not called any more.
 */
void
ls_claim_release_lapsed(const LsClaim *claim)
{
	LS_QUERY(lapsed,
		"SELECT c.id FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.status = 'calling'"
		"   AND c.lease_until <= $3 FOR UPDATE SKIP LOCKED",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LS_QUERY(release,
		"UPDATE lead_system.campaign_leads c"
		"   SET status = CASE WHEN " LS_IS_CALLBACK_SQL(
			"c") " THEN 'contacted' ELSE 'queued' END,"
				 "       claimed_by = NULL, lease_until = NULL"
				 " WHERE c.organization_id = $1 AND c.id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	LS_QUERY(withdraw,
		"UPDATE lead_system.campaign_leads c"
		"   SET status = " LS_SETTLED_SQL(
			"c") ", outcome = coalesce(c.outcome, 'list_removed'),"
				 "       is_withdrawn = true"
				 " WHERE c.organization_id = $1 AND c.id = ANY ($2) AND c.status = 'queued'"
				 "   AND NOT EXISTS (SELECT 1 FROM lead_system.campaign_lead_lists a"
				 "        WHERE a.organization_id = $1 AND a.campaign_id = c.campaign_id"
				 "          AND a.lead_list_id = c.lead_list_id AND a.removed_at IS NULL)",
		UUIDOID, UUIDARRAYOID);
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
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_query_run(&release, &args, LS_WRITE);
	ls_query_run(&withdraw, &args, LS_WRITE);
}

/* Let waiting leads into the queue whose time has come; were there more? */
bool
ls_claim_release_waiting(const LsClaim *claim)
{
	LS_QUERY(due,
		"SELECT c.id FROM lead_system.campaign_leads c"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_list_id = ANY ($3)"
		"   AND c.next_attempt_at <= $4 AND c.status IN ('new', 'queued') AND c.is_dialable"
		"   AND c.is_waiting"
		" LIMIT $5 FOR UPDATE SKIP LOCKED",
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
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	ls_query_run(&release, &args, LS_WRITE);
	return n == RELEASE_ROWS;
}
