/*-------------------------------------------------------------------------
 *
 * report.c
 *	  What all reports have in common: their arguments, and how they run.
 *
 *	  Days are days of the organisation, by its time zone: the day on which the
 *	  clocks change has 23 or 25 hours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/tenant.h"
#include "analytics/analytics.h"

/* What a report can be divided into. */
static const struct
{
	const char *name;
	const char *length;
	int days; /* at least */
} buckets[] = {{"day", "1 day", 1}, {"week", "7 days", 7}, {"month", "1 month", 28},
	{"quarter", "3 months", 90}};

/* When the days of a report begin and end. */
static void
find_edges(LsReport *report)
{
	LS_QUERY(query,
		"SELECT o.timezone, $2::timestamp AT TIME ZONE o.timezone,"
		"       ($3 + 1)::timestamp AT TIME ZONE o.timezone"
		"  FROM lead_system.organizations o WHERE o.id = $1",
		UUIDOID, DATEOID, DATEOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_datum(&args, DateADTGetDatum(report->from_day), false);
	ls_arg_datum(&args, DateADTGetDatum(report->to_day), false);
	ls_scope_open(&scope, LS_AS_CALLER);
	if (ls_query_run(&query, &args, LS_READ) == 0)
		ls_no_such_row("organization", &report->org);
	report->timezone = ls_result_text(0, 1);
	report->from = ls_result_timestamptz(0, 2);
	report->until = ls_result_timestamptz(0, 3);
	ls_scope_close(&scope);
}

/* Contractors are outsiders: what the organisation earns by its leads is not for them. */
void
ls_report_refuse_contractor(void)
{
	pg_uuid_t contractor;

	if (ls_current_contractor(&contractor))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("reports of the organization are not for contractors")));
}

/* Read the first two arguments, the days, and make the function return a set. */
void
ls_report_open(FunctionCallInfo fcinfo, LsReport *report)
{
	LS_REQUIRE_ARG(0, "from_day");
	LS_REQUIRE_ARG(1, "to_day");
	report->from_day = PG_GETARG_DATEADT(0);
	report->to_day = PG_GETARG_DATEADT(1);
	if (DATE_NOT_FINITE(report->from_day) || DATE_NOT_FINITE(report->to_day))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("from_day and to_day must be finite")));
	if (report->from_day > report->to_day)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("from_day must not be after to_day")));
	ls_require_org(&report->org);
	ls_report_refuse_contractor();
	find_edges(report);
	InitMaterializedSRF(fcinfo, 0);
}

/* Read the argument that says what a report is divided into. */
const char *
ls_report_bucket(FunctionCallInfo fcinfo, int argument)
{
	char *name;
	int i;

	LS_REQUIRE_ARG(argument, "bucket");
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	for (i = 0; i < (int) lengthof(buckets); i++)
	{
		if (strcmp(buckets[i].name, name) == 0)
			return buckets[i].name;
	}
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized bucket \"%s\"", name),
			errhint("Buckets are: day, week, month, quarter.")));
}

/* The place of a bucket in the table above. */
static int
bucket_index(const char *bucket)
{
	int i;

	for (i = 0; i < (int) lengthof(buckets); i++)
	{
		if (strcmp(buckets[i].name, bucket) == 0)
			return i;
	}
	elog(ERROR, "unexpected bucket \"%s\"", bucket);
}

/* How long a bucket is, as text for an interval. */
const char *
ls_report_bucket_length(const char *bucket)
{
	return buckets[bucket_index(bucket)].length;
}

/* Refuse days whose buckets would be more rows than a session has memory for. */
void
ls_report_check_buckets(DateADT from_day, DateADT to_day, const char *bucket, int most)
{
	int64 n = ((int64) to_day - from_day) / buckets[bucket_index(bucket)].days;

	if (n > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("a report has at most %d buckets", most),
						   errhint("Take fewer days, or a longer bucket.")));
}

/* The first three parameters of the texts in analytics.h. */
void
ls_report_args(LsArgs *args, const LsReport *report)
{
	ls_arg_uuid(args, &report->org);
	ls_arg_timestamptz(args, report->from);
	ls_arg_timestamptz(args, report->until);
}

/* Run the query of a report as the caller, and return what it finds. */
void
ls_report_run(FunctionCallInfo fcinfo, LsQuery *query, LsArgs *args)
{
	LsScope scope;

	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(query, args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
}
