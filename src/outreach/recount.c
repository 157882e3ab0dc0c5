/*-------------------------------------------------------------------------
 *
 * recount.c
 *	  Counts of lists and campaigns, counted anew.
 *
 *	  Who changes what is counted holds the row with the count until the end of
 *	  the transaction, or has yet to write it.  So once these rows are locked,
 *	  all that they count is there, or will be added to what is written here.
 *	  They are locked in the order of outreach.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/query.h"
#include "outreach/outreach.h"

/* Run a query for an organisation, as the owner; returns the number of rows. */
static int64
run_for(LsQuery *query, const pg_uuid_t *org)
{
	LsScope scope;
	LsArgs args = {0};
	int64 n;

	ls_arg_uuid(&args, org);
	if (query->nargs > 1)
		ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int64) ls_query_run(query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return n;
}

/* Members of lists; a dynamic list counts its segment instead. */
static int64
recount_lists(const pg_uuid_t *org)
{
	LS_QUERY(lock,
		"SELECT FROM lead_system.lead_lists l WHERE l.organization_id = $1 AND l.list_type <> 'dynamic'"
		" ORDER BY l.id FOR NO KEY UPDATE",
		UUIDOID);
	LS_QUERY(query,
		"WITH m AS MATERIALIZED (SELECT m.lead_list_id, count(*)::integer AS n"
		"    FROM lead_system.lead_list_members m WHERE m.organization_id = $1 GROUP BY m.lead_list_id)"
		" UPDATE lead_system.lead_lists l SET lead_count = coalesce(c.n, 0), updated_at = $2"
		"  FROM lead_system.lead_lists o LEFT JOIN m c ON c.lead_list_id = o.id"
		" WHERE o.organization_id = $1 AND l.organization_id = $1 AND l.id = o.id"
		"   AND l.list_type <> 'dynamic' AND l.lead_count <> coalesce(c.n, 0)",
		UUIDOID, TIMESTAMPTZOID);

	if (run_for(&lock, org) == 0)
		return 0;
	return run_for(&query, org);
}

/* Leads of campaigns by list. */
static int64
recount_campaigns(const pg_uuid_t *org)
{
	LS_QUERY(lock,
		"SELECT FROM lead_system.campaign_lead_lists l WHERE l.organization_id = $1"
		" ORDER BY l.campaign_id, l.lead_list_id FOR NO KEY UPDATE",
		UUIDOID);
	LS_QUERY(query,
		"WITH c AS MATERIALIZED (SELECT c.campaign_id, c.lead_list_id, count(*)::integer AS n,"
		"     (count(*) FILTER (WHERE c.status = 'calling'"
		"        OR c.status IN ('new', 'queued') AND c.is_dialable))::integer AS open,"
		"     (count(*) FILTER (WHERE c.status IN ('contacted', 'converted')))::integer AS contacted,"
		"     (count(*) FILTER (WHERE c.status = 'converted'))::integer AS successful"
		"   FROM lead_system.campaign_leads c WHERE c.organization_id = $1"
		"  GROUP BY c.campaign_id, c.lead_list_id),"
		" w AS (SELECT l.id, coalesce(c.n, 0) AS n, coalesce(c.open, 0) AS open,"
		"     coalesce(c.contacted, 0) AS contacted, coalesce(c.successful, 0) AS successful"
		"   FROM lead_system.campaign_lead_lists l LEFT JOIN c"
		"     ON c.campaign_id = l.campaign_id AND c.lead_list_id = l.lead_list_id"
		"  WHERE l.organization_id = $1)"
		" UPDATE lead_system.campaign_lead_lists l SET total_leads = w.n, open_leads = w.open,"
		"     contacted_leads = w.contacted, successful_leads = w.successful,"
		"     completed_at = CASE WHEN w.open > 0 OR w.n = 0 THEN NULL ELSE coalesce(l.completed_at, $2) END"
		"  FROM w WHERE l.organization_id = $1 AND l.id = w.id"
		"   AND (l.total_leads, l.open_leads, l.contacted_leads, l.successful_leads)"
		"       IS DISTINCT FROM (w.n, w.open, w.contacted, w.successful)",
		UUIDOID, TIMESTAMPTZOID);

	if (run_for(&lock, org) == 0)
		return 0;
	return run_for(&query, org);
}

/* A job of maintenance: the number of counts that were wrong. */
int64
ls_outreach_recount_batch(const pg_uuid_t *org, int batch, bool first, bool *more)
{
	int64 wrong = recount_lists(org);

	*more = false;
	return wrong + recount_campaigns(org);
}
