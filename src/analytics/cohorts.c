/*-------------------------------------------------------------------------
 *
 * cohorts.c
 *	  cohort_report(): what became of the leads of each month, by their age.
 *	  velocity_report(): how many leads move on, and how quickly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "analytics/analytics.h"

/* A bucket is a row of a velocity report; a cohort has one for each bucket until now. */
#define MAX_BUCKETS 100000
#define MAX_COHORT_BUCKETS 5000

PG_FUNCTION_INFO_V1(ls_analytics_cohorts);

/*
 * cohort_report(from_day, to_day, bucket): leads that came in in a bucket, and
 * how many had come how far when they were that many buckets old.  A cohort
 * is followed up to now.
 */
Datum
ls_analytics_cohorts(PG_FUNCTION_ARGS)
{
	LS_QUERY_ARRAY(query,
		"WITH m AS MATERIALIZED (SELECT m.*,"
		"    date_trunc($5, m.created_at AT TIME ZONE $4) AS cohort FROM " LS_MILESTONES " m), "
		"sizes AS (SELECT m.cohort, count(*) AS leads FROM m GROUP BY m.cohort), "
		"events AS (SELECT m.cohort,"
		"    greatest(date_trunc($5, e.at AT TIME ZONE $4), m.cohort) AS bucket,"
		"    count(*) FILTER (WHERE e.kind = 3) AS contacted,"
		"    count(*) FILTER (WHERE e.kind = 4) AS qualified,"
		"    count(*) FILTER (WHERE e.kind = 5) AS won,"
		"    sum(m.actual_amount) FILTER (WHERE e.kind = 5 AND m.is_won) AS revenue"
		"  FROM m CROSS JOIN LATERAL (VALUES (3, m.contacted), (4, m.qualified), (5, m.won))"
		"       e(kind, at) WHERE e.at IS NOT NULL GROUP BY 1, 2), "
		"grid AS (SELECT s.cohort, s.leads, g.bucket, (g.age - 1)::integer AS age"
		"  FROM sizes s CROSS JOIN LATERAL generate_series(s.cohort,"
		"    greatest(date_trunc($5, $7 AT TIME ZONE $4), s.cohort), $6::interval)"
		"    WITH ORDINALITY g(bucket, age)), "
		"sums AS (SELECT g.cohort, g.age, g.leads, coalesce(sum(e.contacted) OVER w, 0) AS contacted,"
		"    coalesce(sum(e.qualified) OVER w, 0) AS qualified, coalesce(sum(e.won) OVER w, 0) AS won,"
		"    coalesce(sum(e.revenue) OVER w, 0) AS revenue"
		"  FROM grid g LEFT JOIN events e ON e.cohort = g.cohort AND e.bucket = g.bucket"
		" WINDOW w AS (PARTITION BY g.cohort ORDER BY g.age)) "
		"SELECT s.cohort::date, s.age, s.leads, s.contacted::bigint, s.qualified::bigint, s.won::bigint,"
		"       round(s.revenue, 2), round(s.contacted / s.leads, 4), round(s.qualified / s.leads, 4),"
		"       round(s.won / s.leads, 4)"
		"  FROM sums s ORDER BY s.cohort, s.age",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
	LsReport report;
	LsArgs args = {0};
	const char *bucket = ls_report_bucket(fcinfo, 2);

	ls_report_open(fcinfo, &report);
	ls_report_check_buckets(report.from_day, (DateADT) (ls_clock_now() / USECS_PER_DAY) + 1, bucket,
		MAX_COHORT_BUCKETS);
	ls_report_args(&args, &report);
	ls_arg_text(&args, report.timezone);
	ls_arg_text(&args, bucket);
	ls_arg_text(&args, ls_report_bucket_length(bucket));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_report_run(fcinfo, &query, &args);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_analytics_velocity);

/*
 * velocity_report(from_day, to_day, bucket): what happened in each bucket, to
 * leads of any age.  $2 is therefore the beginning of time, and the first day
 * is $8.
 */
Datum
ls_analytics_velocity(PG_FUNCTION_ARGS)
{
	LS_QUERY_ARRAY(query,
		"WITH m AS MATERIALIZED (SELECT m.* FROM " LS_MILESTONES " m), "
		"events AS (SELECT date_trunc($5, e.at AT TIME ZONE $4) AS bucket,"
		"    count(*) FILTER (WHERE e.kind = 1) AS leads,"
		"    count(*) FILTER (WHERE e.kind = 3) AS contacted,"
		"    count(*) FILTER (WHERE e.kind = 4) AS qualified,"
		"    count(*) FILTER (WHERE e.kind = 5) AS won,"
		"    avg(greatest(e.at - m.created_at, '0')) FILTER (WHERE e.kind = 3) AS to_contact,"
		"    avg(greatest(e.at - m.created_at, '0')) FILTER (WHERE e.kind = 4) AS to_qualify,"
		"    avg(greatest(e.at - m.created_at, '0')) FILTER (WHERE e.kind = 5) AS to_win"
		"  FROM m CROSS JOIN LATERAL (VALUES (1, m.created_at), (3, m.contacted),"
		"       (4, m.qualified), (5, m.won)) e(kind, at)"
		" WHERE e.at >= $8 AND e.at < $3 GROUP BY 1), "
		"filled AS (SELECT g.bucket, coalesce(e.leads, 0) AS leads,"
		"    coalesce(e.contacted, 0) AS contacted, coalesce(e.qualified, 0) AS qualified,"
		"    coalesce(e.won, 0) AS won, e.to_contact, e.to_qualify, e.to_win"
		"  FROM generate_series(date_trunc($5, $8 AT TIME ZONE $4), $7::timestamp, $6::interval) g(bucket)"
		"  LEFT JOIN events e ON e.bucket = g.bucket) "
		"SELECT f.bucket::date, f.leads, f.contacted, f.qualified, f.won,"
		"       round((f.qualified - lag(f.qualified) OVER w)::numeric"
		"         / nullif(lag(f.qualified) OVER w, 0), 4),"
		"       f.to_contact, f.to_qualify, f.to_win"
		"  FROM filled f WINDOW w AS (ORDER BY f.bucket) ORDER BY f.bucket",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, DATEOID,
		TIMESTAMPTZOID);
	LsReport report;
	LsArgs args = {0};
	const char *bucket = ls_report_bucket(fcinfo, 2);
	TimestampTz from;

	ls_report_open(fcinfo, &report);
	ls_report_check_buckets(report.from_day, report.to_day, bucket, MAX_BUCKETS);
	from = report.from;
	report.from = DT_NOBEGIN;
	ls_report_args(&args, &report);
	ls_arg_text(&args, report.timezone);
	ls_arg_text(&args, bucket);
	ls_arg_text(&args, ls_report_bucket_length(bucket));
	ls_arg_datum(&args, DateADTGetDatum(report.to_day), false);
	ls_arg_timestamptz(&args, from);
	ls_report_run(fcinfo, &query, &args);
	return (Datum) 0;
}
