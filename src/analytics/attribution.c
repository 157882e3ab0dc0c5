/*-------------------------------------------------------------------------
 *
 * attribution.c
 *	  attribution(): which sources won the leads.  record_touch(): a lead was
 *	  seen again, by another source.
 *
 *	  The touches of a lead are the source that it came from, then the
 *	  activities up to when it was won that name a source, or, if asked for,
 *	  the calls, texts and e-mails that it was sent.  The shares of a lead add up
 *	  to one; amounts are rounded so that their sum is the sum of the revenue.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/json.h"
#include "core/tenant.h"
#include "leads/leads.h"
#include "analytics/analytics.h"

#define MAX_SOURCE_LENGTH 200

/* What a touch is worth: $4 is the model, n the number of touches, i its place. */
#define SHARE \
	"CASE $4 WHEN 'first' THEN CASE WHEN t.i = 1 THEN 1.0 ELSE 0 END" \
	" WHEN 'last' THEN CASE WHEN t.i = t.n THEN 1.0 ELSE 0 END" \
	" WHEN 'linear' THEN 1.0 / t.n" \
	" ELSE CASE WHEN t.n <= 2 THEN 1.0 / t.n WHEN t.i IN (1, t.n) THEN 0.4" \
	"           ELSE 0.2 / (t.n - 2) END END"

/* The activities of leads that were won, wherever they lie. */
#define ACTIVITIES \
	"(SELECT a.id, a.lead_id, a.action_type, a.new_value, a.created_at" \
	"   FROM lead_system.activities a WHERE a.organization_id = $1" \
	" UNION ALL" \
	" SELECT r.id, v.id, r.action_type, r.new_value, r.created_at" \
	"   FROM won JOIN lead_system.leads_archive v ON v.organization_id = $1 AND v.id = won.id" \
	"  CROSS JOIN LATERAL jsonb_to_recordset(v.children->'activities') AS r(id uuid," \
	"    action_type text, new_value jsonb, created_at timestamptz))"

/* Read the argument that names the model. */
static char *
read_model(FunctionCallInfo fcinfo)
{
	static const char *const models[] = {"first", "last", "linear", "position"};
	char *model;
	int i;

	LS_REQUIRE_ARG(2, "model");
	model = text_to_cstring(PG_GETARG_TEXT_PP(2));
	for (i = 0; i < (int) lengthof(models); i++)
	{
		if (strcmp(models[i], model) == 0)
			return model;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized attribution model \"%s\"", model),
					   errhint("Models are: first, last, linear, position.")));
}

PG_FUNCTION_INFO_V1(ls_analytics_attribution);

/*
 * attribution(from_day, to_day, model, contacts): of leads that were won in these
 * days, whenever they came in; $2 is therefore the beginning of time.
 */
Datum
ls_analytics_attribution(PG_FUNCTION_ARGS)
{
	LS_QUERY_ARRAY(query,
		"WITH won AS MATERIALIZED (SELECT m.id, m.created_at, m.won, coalesce(m.actual_amount, 0) AS amount,"
		"    " LS_LEAD_SOURCE(
			"m") " AS source FROM " LS_MILESTONES " m"
				 "   WHERE m.is_won AND m.won >= $6 AND m.won < $3), "
				 "touches AS (SELECT w.id AS lead_id, w.amount, NULL::uuid AS id, w.created_at AS at,"
				 "      w.source FROM won w"
				 "  UNION ALL"
				 "  SELECT w.id, w.amount, a.id, a.created_at, coalesce(a.new_value->>'utm_source',"
				 "      a.new_value->>'source', CASE WHEN $5 THEN CASE a.action_type WHEN 'call_made' THEN 'call'"
				 "        WHEN 'sms_sent' THEN 'sms' WHEN 'email_sent' THEN 'email' END END)"
				 "    FROM won w JOIN " ACTIVITIES
				 " a ON a.lead_id = w.id AND a.created_at <= w.won"
				 "     AND a.action_type IN ('touch', 'call_made', 'sms_sent', 'email_sent')), "
				 "numbered AS (SELECT t.lead_id, t.amount, t.source, count(*) OVER (PARTITION BY t.lead_id) AS n,"
				 "    row_number() OVER (PARTITION BY t.lead_id ORDER BY t.id IS NOT NULL, t.at, t.id) AS i"
				 "  FROM touches t WHERE t.source IS NOT NULL), "
				 "credit AS (SELECT t.source, count(*) AS touches, sum(" SHARE ") AS leads,"
				 "    sum(t.amount * " SHARE ") AS revenue FROM numbered t GROUP BY t.source), "
				 "running AS (SELECT c.source, c.touches, sum(c.leads) OVER w AS leads,"
				 "    sum(c.revenue) OVER w AS revenue, sum(c.leads) OVER () AS total"
				 "  FROM credit c WINDOW w AS (ORDER BY c.source)) "
				 "SELECT r.source, r.touches,"
				 "       round(r.leads, 4) - coalesce(lag(round(r.leads, 4)) OVER w, 0),"
				 "       round(r.revenue, 2) - coalesce(lag(round(r.revenue, 2)) OVER w, 0)"
				 "  FROM running r WINDOW w AS (ORDER BY r.source) ORDER BY r.source",
		UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, BOOLOID, TIMESTAMPTZOID);
	LsReport report;
	LsArgs args = {0};
	char *model = read_model(fcinfo);
	TimestampTz from;

	LS_REQUIRE_ARG(3, "contacts");
	ls_report_open(fcinfo, &report);
	from = report.from;
	report.from = DT_NOBEGIN;
	ls_report_args(&args, &report);
	ls_arg_text(&args, model);
	ls_arg_bool(&args, PG_GETARG_BOOL(3));
	ls_arg_timestamptz(&args, from);
	ls_report_run(fcinfo, &query, &args);
	return (Datum) 0;
}

/* The new value of a touch: the details with the source. */
static Jsonb *
touch_value(const char *source, Jsonb *details)
{
	Jsonb *pair = ls_json_pair_text("source", source);

	if (!JB_ROOT_IS_OBJECT(details))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("details must be a JSON object")));
	if (ls_json_get(details, "source") != NULL || ls_json_get(details, "utm_source") != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("details must not name the source again")));
	return DatumGetJsonbP(
		DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(details), JsonbPGetDatum(pair)));
}

PG_FUNCTION_INFO_V1(ls_analytics_record_touch);

/* record_touch(lead_id, source, details): returns the id of the activity. */
Datum
ls_analytics_record_touch(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsActivity activity = {0};
	pg_uuid_t org;
	char *source;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "source");
	LS_REQUIRE_ARG(2, "details");
	source = ls_trim(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (source == NULL || strlen(source) > MAX_SOURCE_LENGTH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("source must have 1 to %d bytes", MAX_SOURCE_LENGTH)));
	activity.new_value = touch_value(source, PG_GETARG_JSONB_P(2));
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_report_refuse_contractor();
	activity.org = &org;
	activity.lead = PG_GETARG_UUID_P(0);
	activity.action = "touch";
	*result = ls_activity_add(&activity);
	PG_RETURN_UUID_P(result);
}
