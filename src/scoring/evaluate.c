/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *	  Points of a lead by a compiled model.
 *
 *	  Scoring and explaining run the same code: an explanation is the trace of
 *	  the very evaluation, so it adds up to raw_score by construction.  All
 *	  amounts are whole points; what a cap, a weight or decay takes away is an
 *	  amount of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/json.h"
#include "scoring/model.h"

/* Half away from zero, as people round. */
static int
round_points(double points)
{
	return (int) (points < 0 ? -floor(-points + 0.5) : floor(points + 0.5));
}

/* Are a value and a constant equal?  Texts are, whatever their case. */
static bool
operand_equal(const AttributeValue *value, const ScoreOperand *operand)
{
	if (value->type != operand->type)
		return false;
	switch (value->type)
	{
		case ATTRIBUTE_TEXT:
			return value->text_len == operand->text_len &&
				   pg_strncasecmp(value->text, operand->text, value->text_len) == 0;
		case ATTRIBUTE_NUMBER:
			return value->number == operand->number;
		case ATTRIBUTE_BOOLEAN:
			return value->boolean == operand->boolean;
		case ATTRIBUTE_ANY:
			break;
	}
	return false;
}

/* Is a host name the constant, or below it ("x.edu" is under "edu")? */
static bool
text_under(const AttributeValue *value, const ScoreOperand *operand)
{
	int start = value->text_len - operand->text_len;

	return start >= 0 &&
		   pg_strncasecmp(value->text + start, operand->text, operand->text_len) == 0 &&
		   (start == 0 || value->text[start - 1] == '.');
}

/* Does a text contain the constant? */
static bool
text_contains(const AttributeValue *value, const ScoreOperand *operand)
{
	int i;

	for (i = 0; i + operand->text_len <= value->text_len; i++)
	{
		if (pg_strncasecmp(value->text + i, operand->text, operand->text_len) == 0)
			return true;
	}
	return false;
}

/* Does a rule match?  Nothing but SCORE_ANY matches a value that is not there. */
static bool
rule_matches(const ScoreRule *rule, const AttributeValue *value)
{
	const ScoreOperand *operand = rule->operands;
	int i;

	if (rule->op == SCORE_ANY)
		return true;
	if (value->isnull)
		return false;
	switch (rule->op)
	{
		case SCORE_EQ:
			return operand_equal(value, operand);
		case SCORE_NE:
			return !operand_equal(value, operand);
		case SCORE_IN:
			for (i = 0; i < rule->n_operands; i++)
			{
				if (operand_equal(value, &operand[i]))
					return true;
			}
			return false;
		case SCORE_CONTAINS:
			return value->type == ATTRIBUTE_TEXT && text_contains(value, operand);
		case SCORE_UNDER:
			return value->type == ATTRIBUTE_TEXT && text_under(value, operand);
		case SCORE_IS_SET:
			return true;
		default:
			break;
	}
	if (value->type != ATTRIBUTE_NUMBER)
		return false;
	switch (rule->op)
	{
		case SCORE_GT:
			return value->number > operand->number;
		case SCORE_GTE:
			return value->number >= operand->number;
		case SCORE_LT:
			return value->number < operand->number;
		case SCORE_LTE:
			return value->number <= operand->number;
		case SCORE_BETWEEN:
			return value->number >= operand[0].number && value->number <= operand[1].number;
		default:
			return rule->op == SCORE_EACH;
	}
}

/* The points of a rule that matches. */
static int
rule_points(const ScoreRule *rule, const AttributeValue *value)
{
	double points = rule->points;

	if (rule->op == SCORE_EACH)
	{
		points *= value->number;
		if (rule->has_cap)
			points = rule->cap < 0 ? Max(points, rule->cap) : Min(points, rule->cap);
	}
	return round_points(Max(Min(points, 1000000.0), -1000000.0));
}

/* A value as text, for the trace. */
static char *
value_text(const AttributeValue *value)
{
	if (value->isnull)
		return NULL;
	switch (value->type)
	{
		case ATTRIBUTE_TEXT:
			return pnstrdup(value->text, value->text_len);
		case ATTRIBUTE_NUMBER:
			return psprintf("%g", value->number);
		default:
			return pstrdup(value->boolean ? "true" : "false");
	}
}

/* Sum of the rules of a component. */
static int
component_sum(
	const ScoreComponent *component, ScoreSubject *subject, ScoreTrace trace, void *trace_arg)
{
	AttributeValue value;
	bool matched = false;
	bool any = false;
	int sum = 0;
	int i;

	for (i = 0; i < component->n_rules; i++)
	{
		const ScoreRule *rule = &component->rules[i];

		if (!rule->alternative)
		{
			matched = false;
			ls_score_get(rule, subject, &value);
		}
		if (matched || !rule_matches(rule, &value))
			continue;
		matched = any = true;
		sum += rule_points(rule, &value);
		if (trace != NULL && !(component->optional && rule_points(rule, &value) == 0))
			trace(trace_arg, component->name, rule->description, value_text(&value),
				rule_points(rule, &value));
	}
	if (!any && trace != NULL && !component->optional)
		trace(trace_arg, component->name, "no rule applies", NULL, 0);
	return sum;
}

/* Change a sum, telling the trace why. */
static int
adjust(int sum, int adjusted, const ScoreComponent *component, const char *why, ScoreTrace trace,
	void *trace_arg)
{
	if (trace != NULL && adjusted != sum)
		trace(trace_arg, component->name, why, psprintf("%d", sum), adjusted - sum);
	return adjusted;
}

/* Points of one component: rules, limits, weight, decay. */
static int
component_points(const ScoreModel *model, const ScoreComponent *component, ScoreSubject *subject,
	ScoreTrace trace, void *arg)
{
	int points;

	if (component->is_decay && !model->decays)
		return 0;
	points = component_sum(component, subject, trace, arg);
	if (component->has_cap && points > component->cap)
		points = adjust(points, component->cap, component,
			trace ? psprintf("at most %d", component->cap) : NULL, trace, arg);
	if (component->has_floor && points < component->floor)
		points = adjust(points, component->floor, component,
			trace ? psprintf("at least %d", component->floor) : NULL, trace, arg);
	if (component->weighted)
		points = adjust(points, round_points(points * component->weight * 100.0 / component->cap),
			component, trace ? psprintf("weight %g", component->weight) : NULL, trace, arg);
	if (model->decays && component->decay_factor < 1.0)
	{
		int periods = ls_score_days_inactive(subject) / model->decay_every_days;

		if (periods > 0)
			points = adjust(points, round_points(points * pow(component->decay_factor, periods)),
				component,
				trace ? psprintf("inactive for %d days", periods * model->decay_every_days) : NULL,
				trace, arg);
	}
	return points;
}

/* The temperature of a score (A1, B7). */
static const char *
temperature_of(const ScoreModel *model, int score)
{
	int i;

	for (i = 0; i < model->n_thresholds; i++)
	{
		if (score >= model->thresholds[i].min)
			return model->thresholds[i].temperature;
	}
	return "cold";
}

/* Score a lead; "trace", if given, is told of every amount. */
void
ls_score_evaluate(const ScoreModel *model, ScoreSubject *subject, ScoreResult *result,
	ScoreTrace trace, void *trace_arg)
{
	int i;

	result->model = model;
	result->raw = 0;
	for (i = 0; i < model->n_components; i++)
	{
		result->points[i] =
			component_points(model, &model->components[i], subject, trace, trace_arg);
		result->raw += result->points[i];
	}
	result->score = Min(Max(result->raw, 0), 100);
	result->temperature = temperature_of(model, result->score);
}

/* The points by component as JSON (A3). */
Jsonb *
ls_score_breakdown(const ScoreResult *result)
{
	JsonbParseState *state = NULL;
	int i;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < result->model->n_components; i++)
	{
		const ScoreComponent *component = &result->model->components[i];
		JsonbValue value;

		if (component->optional && result->points[i] == 0)
			continue;
		value.type = jbvString;
		value.val.string.val = component->name;
		value.val.string.len = strlen(component->name);
		(void) pushJsonbValue(&state, WJB_KEY, &value);
		value.type = jbvNumeric;
		value.val.numeric = int64_to_numeric(result->points[i]);
		(void) pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
