/*-------------------------------------------------------------------------
 *
 * api.c
 *	  Functions that compute or explain the score of a lead, without writing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/tenant.h"
#include "leads/fetch.h"
#include "scoring/model.h"

/* The model to use: the one that the caller names, or the one that applies. */
static const ScoreModel *
choose_model(const ScoreSubject *subject, const char *name)
{
	const ScoreModel *model;

	if (name == NULL)
		return ls_score_model_for(subject);
	model = ls_score_model(&subject->organization->id, name, true);
	if (model == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("scoring model \"%s\" does not exist", name),
						   errhint("Built-in models are: b2b, banti.")));
	return model;
}

/* Score a stored lead as of an instant. */
static void
score_lead(const pg_uuid_t *id, const char *model_name, TimestampTz at, ScoreResult *result,
	ScoreTrace trace, void *trace_arg)
{
	LsFetchedLead lead;
	ScoreSubject subject = {0};

	ls_lead_fetch(id, &lead);
	subject.row = &lead.row;
	subject.organization = ls_organization(&lead.org);
	subject.at = at;
	if (subject.organization == NULL)
		ls_no_such_row("organization", &lead.org);
	ls_score_evaluate(choose_model(&subject, model_name), &subject, result, trace, trace_arg);
	ls_lead_release(&lead);
}

PG_FUNCTION_INFO_V1(ls_scoring_calculate);

/* calculate_lead_score(lead_id) */
Datum
ls_scoring_calculate(PG_FUNCTION_ARGS)
{
	ScoreResult result;

	score_lead(PG_GETARG_UUID_P(0), NULL, ls_clock_now(), &result, NULL, NULL);
	PG_RETURN_INT32(result.score);
}

PG_FUNCTION_INFO_V1(ls_scoring_calculate_by_model);

/* calculate_lead_score(lead_id, model) */
Datum
ls_scoring_calculate_by_model(PG_FUNCTION_ARGS)
{
	ScoreResult result;

	score_lead(PG_GETARG_UUID_P(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), ls_clock_now(), &result,
		NULL, NULL);
	PG_RETURN_INT32(result.score);
}

PG_FUNCTION_INFO_V1(ls_scoring_score_at);

/* score_at(lead_id, at) */
Datum
ls_scoring_score_at(PG_FUNCTION_ARGS)
{
	ScoreResult result;

	score_lead(PG_GETARG_UUID_P(0), NULL, PG_GETARG_TIMESTAMPTZ(1), &result, NULL, NULL);
	PG_RETURN_INT32(result.score);
}

/* Add one amount of points to the answer of explain_lead_score(). */
static void
explain_trace(void *arg, const char *component, const char *rule, const char *value, int points)
{
	ReturnSetInfo *rsinfo = arg;
	Datum values[4] = {CStringGetTextDatum(component), CStringGetTextDatum(rule),
		value ? CStringGetTextDatum(value) : (Datum) 0, NumericGetDatum(int64_to_numeric(points))};
	bool nulls[4] = {false, false, value == NULL, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(ls_scoring_explain);

/* explain_lead_score(lead_id, model) */
Datum
ls_scoring_explain(PG_FUNCTION_ARGS)
{
	ScoreResult result;

	LS_REQUIRE_ARG(0, "lead_id");
	InitMaterializedSRF(fcinfo, 0);
	score_lead(PG_GETARG_UUID_P(0), PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)),
		ls_clock_now(), &result, explain_trace, fcinfo->resultinfo);
	return (Datum) 0;
}
