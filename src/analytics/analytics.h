/*-------------------------------------------------------------------------
 *
 * analytics.h
 *	  Reports over leads: what is counted, and by which days.
 *
 *	  All reports count the same leads, those of LS_REPORT_LEADS: not spam, not
 *	  deleted, with those that were erased (A21) and those in the archive.  A
 *	  report reads as the caller, and takes no locks: it sees one moment.
 *
 *	  The texts below have the organisation as $1 and the time of creation from
 *	  $2 to before $3.  What a query adds of its own starts at $4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ANALYTICS_H
#define LS_ANALYTICS_H

#include "utils/date.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/query.h"

/* How far a stage is along the way to being won; 0 is off the way. */
#define LS_STAGE_RANK(stage) \
	"CASE " stage " WHEN 'new' THEN 1 WHEN 'working' THEN 2 WHEN 'contacted' THEN 3" \
	" WHEN 'qualified' THEN 4 WHEN 'won' THEN 5 ELSE 0 END"

/*
 * A lead l counts: not spam, and not deleted but by its erasure.  One that was
 * merged into another, or deleted before, does not come back with the erasure.
 */
#define LS_LEAD_COUNTS \
	"NOT l.is_spam AND (l.deleted_at IS NULL OR (EXISTS (" \
	"      SELECT 1 FROM lead_system.erasures e WHERE e.organization_id = $1" \
	"         AND e.subject_id = l.id AND e.created_at <= l.deleted_at)" \
	"    AND NOT EXISTS (SELECT 1 FROM lead_system.lead_merges m WHERE m.organization_id = $1" \
	"         AND m.duplicate_ids @> ARRAY[l.id] AND m.unmerged_at IS NULL)))"

/* The leads of a report, wherever they lie. */
#define LS_REPORT_LEADS \
	"(SELECT l.id, l.created_at, l.source, l.sub_source, l.utm_source, l.stage, l.temperature," \
	"        l.lead_score, l.actual_amount, l.contacted_at," \
	"        least(l.qualified_at, l.quoted_at) AS qualified_at," \
	"        least(l.booked_at, l.completed_at) AS won_at" \
	"   FROM lead_system.leads l" \
	"  WHERE l.organization_id = $1 AND l.created_at >= $2 AND l.created_at < $3" \
	"    AND " LS_LEAD_COUNTS " UNION ALL" \
	" SELECT a.id, a.created_at, r.source, r.sub_source, r.utm_source, r.stage, r.temperature," \
	"        r.lead_score, r.actual_amount, r.contacted_at, least(r.qualified_at, r.quoted_at)," \
	"        least(r.booked_at, r.completed_at)" \
	"   FROM lead_system.leads_archive a" \
	"  CROSS JOIN LATERAL jsonb_to_record(a.lead) AS r(source text, sub_source text," \
	"    utm_source text, stage text, temperature text, lead_score integer," \
	"    actual_amount numeric, contacted_at timestamptz, qualified_at timestamptz," \
	"    quoted_at timestamptz, booked_at timestamptz, completed_at timestamptz, is_spam boolean)" \
	"  WHERE a.organization_id = $1 AND a.created_at >= $2 AND a.created_at < $3" \
	"    AND NOT r.is_spam)"

/* The status steps of leads in the archive, which took their history along. */
#define LS_ARCHIVED_STEPS \
	"SELECT a.id AS lead_id, s.id, s.old_stage, s.new_stage, s.time_in_status, s.created_at" \
	"   FROM lead_system.leads_archive a" \
	"  CROSS JOIN LATERAL jsonb_to_recordset(a.children->'lead_status_history') AS s(id uuid," \
	"    old_stage text, new_stage text, time_in_status interval, created_at timestamptz)" \
	"  WHERE a.organization_id = $1"

/*
 * Steps away from the end of the way.  The furthest stage of a lead is the one it
 * is in, or one that it left by such a step; the predicate is that of the index
 * lead_status_history_retreat_idx.
 */
#define LS_IS_RETREAT \
	"h.old_stage IN ('working', 'contacted', 'qualified', 'won')" \
	" AND (h.new_stage IN ('lost', 'blocked', 'archived', 'new')" \
	"   OR (h.old_stage = 'contacted' AND h.new_stage = 'working')" \
	"   OR (h.old_stage = 'qualified' AND h.new_stage IN ('working', 'contacted'))" \
	"   OR (h.old_stage = 'won' AND h.new_stage IN ('working', 'contacted', 'qualified')))"

/* clang-format off */
/* How far leads came that went back or left: lead_id, furthest (a rank). */
#define LS_RETREATS \
	"(SELECT s.lead_id, max(" LS_STAGE_RANK("s.old_stage") ") AS furthest" \
	"   FROM (SELECT h.lead_id, h.old_stage FROM lead_system.lead_status_history h" \
	"          WHERE h.organization_id = $1 AND h.created_at >= $2 AND " LS_IS_RETREAT \
	"         UNION ALL SELECT x.lead_id, x.old_stage FROM (" LS_ARCHIVED_STEPS \
	"            AND a.created_at >= $2 AND a.created_at < $3) x) s" \
	"  GROUP BY s.lead_id)"

/* The stage that lead c came furthest to, with h of LS_RETREATS, as a rank. */
#define LS_FURTHEST \
	"greatest(" LS_STAGE_RANK("c.stage") ", CASE WHEN c.won_at IS NOT NULL THEN 5" \
	" WHEN c.qualified_at IS NOT NULL THEN 4" \
	" WHEN c.contacted_at IS NOT NULL THEN 3 ELSE 1 END, h.furthest)"

/* When leads first took a step to a stage: lead_id, contacted, qualified, won. */
#define LS_FIRST_STEPS \
	"(SELECT s.lead_id, max(" LS_STAGE_RANK("s.old_stage") ") AS furthest," \
	"   min(s.created_at) FILTER (WHERE s.new_stage IN ('contacted', 'qualified', 'won')) AS contacted," \
	"   min(s.created_at) FILTER (WHERE s.new_stage IN ('qualified', 'won')) AS qualified," \
	"   min(s.created_at) FILTER (WHERE s.new_stage = 'won') AS won" \
	"   FROM (SELECT h.lead_id, h.old_stage, h.new_stage, h.created_at" \
	"           FROM lead_system.lead_status_history h" \
	"          WHERE h.organization_id = $1 AND h.created_at >= $2" \
	"         UNION ALL SELECT x.lead_id, x.old_stage, x.new_stage, x.created_at" \
	"           FROM (" LS_ARCHIVED_STEPS " AND a.created_at >= $2 AND a.created_at < $3) x) s" \
	"  GROUP BY s.lead_id)"

/*
 * The leads of a report, and when each first came as far as contacted, qualified
 * and won.  A lead that came in further along was there from the start.  "is_won":
 * won, or it was when it was blocked or archived; not one that was lost after that.
 */
#define LS_MILESTONES \
	"(SELECT f.id, f.created_at, f.source, f.sub_source, f.utm_source, f.actual_amount," \
	"   coalesce(f.contacted, CASE WHEN f.furthest >= 3 THEN f.created_at END) AS contacted," \
	"   coalesce(f.qualified, CASE WHEN f.furthest >= 4 THEN f.created_at END) AS qualified," \
	"   coalesce(f.won, CASE WHEN f.furthest >= 5 THEN f.created_at END) AS won," \
	"   f.furthest = 5 AND f.stage IN ('won', 'blocked', 'archived') AS is_won" \
	"  FROM (SELECT c.*, " LS_FURTHEST " AS furthest," \
	"          least(c.contacted_at, c.qualified_at, c.won_at, h.contacted) AS contacted," \
	"          least(c.qualified_at, c.won_at, h.qualified) AS qualified," \
	"          least(c.won_at, h.won) AS won" \
	"     FROM " LS_REPORT_LEADS " c LEFT JOIN " LS_FIRST_STEPS " h ON h.lead_id = c.id) f)"
/* clang-format on */

/* The source of a lead, as reports name it (A20). */
#define LS_LEAD_SOURCE(lead) "coalesce(" lead ".utm_source, " lead ".source, 'direct')"

/* A report that is being made: for whom, and of which days. */
typedef struct LsReport
{
	pg_uuid_t org;
	DateADT from_day;
	DateADT to_day;
	char *timezone;
	TimestampTz from;  /* when the first day begins */
	TimestampTz until; /* when the last one is over */
} LsReport;

extern void ls_report_refuse_contractor(void);
extern void ls_report_open(FunctionCallInfo fcinfo, LsReport *report);
extern const char *ls_report_bucket(FunctionCallInfo fcinfo, int argument);
extern const char *ls_report_bucket_length(const char *bucket);
extern void ls_report_check_buckets(DateADT from_day, DateADT to_day, const char *bucket, int most);
extern void ls_report_run(FunctionCallInfo fcinfo, LsQuery *query, LsArgs *args);
extern void ls_report_args(LsArgs *args, const LsReport *report);

extern void ls_analytics_init(void);

#endif /* LS_ANALYTICS_H */
