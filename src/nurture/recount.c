/*-------------------------------------------------------------------------
 *
 * recount.c
 *	  Counts of enrolments, counted anew.
 *
 *	  Who changes enrolments holds the row of their sequence until the end of the
 *	  transaction, or has yet to write it; so once the sequences are locked, all
 *	  that counts is there, or will be added to what is written here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/query.h"
#include "nurture/nurture.h"

/* A job of maintenance: the number of sequences whose counts were wrong. */
int64
ls_nurture_recount_batch(const pg_uuid_t *org, int batch, bool first, bool *more)
{
	LS_QUERY(lock,
		"SELECT FROM lead_system.nurture_sequences s WHERE s.organization_id = $1"
		" ORDER BY s.id FOR NO KEY UPDATE",
		UUIDOID);
	LS_QUERY(query,
		"WITH e AS MATERIALIZED (SELECT e.sequence_id, count(*)::integer AS n,"
		"     (count(*) FILTER (WHERE e.status = 'active'))::integer AS active,"
		"     (count(*) FILTER (WHERE e.status = 'completed'))::integer AS completed"
		"   FROM lead_system.lead_sequence_enrollments e WHERE e.organization_id = $1"
		"  GROUP BY e.sequence_id),"
		" w AS (SELECT s.id, coalesce(e.n, 0) AS n, coalesce(e.active, 0) AS active,"
		"     coalesce(e.completed, 0) AS completed"
		"   FROM lead_system.nurture_sequences s LEFT JOIN e ON e.sequence_id = s.id"
		"  WHERE s.organization_id = $1)"
		" UPDATE lead_system.nurture_sequences s SET total_enrollments = w.n,"
		"     active_enrollments = w.active, completed_enrollments = w.completed"
		"  FROM w WHERE s.organization_id = $1 AND s.id = w.id"
		"   AND (s.total_enrollments, s.active_enrollments, s.completed_enrollments)"
		"       IS DISTINCT FROM (w.n, w.active, w.completed)",
		UUIDOID);
	int64 wrong = 0;
	LsScope scope;
	LsArgs args = {0};

	*more = false;
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&lock, &args, LS_WRITE) > 0)
		wrong = (int64) ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
	return wrong;
}
