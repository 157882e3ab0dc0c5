/*-------------------------------------------------------------------------
 *
 * steps.c
 *	  The steps of a sequence: from jsonb to the parsed form (semantics F2, F3).
 *
 *	  The trigger that refuses bad steps and the claim share this code, so
 *	  whatever could be written can be carried out.
 *
 *	  Delays are exact times: a day is 24 hours, whatever the clocks of the time
 *	  zone do in between.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/json.h"
#include "nurture/nurture.h"

#define MAX_STEP 1000
#define MAX_DELAY_DAYS 3650

static const char *const channel_names[LS_NURTURE_N_CHANNELS] = {
	"sms", "email", "call", "task", "wait"};

/* A delay's key, and what one of it is. */
typedef struct DelayUnit
{
	const char *key;
	int max;
	int64 usecs;
} DelayUnit;

static const DelayUnit delay_units[] = {
	{"delay_days", MAX_DELAY_DAYS, USECS_PER_DAY},
	{"delay_hours", MAX_DELAY_DAYS * 24, USECS_PER_HOUR},
	{"delay_minutes", MAX_DELAY_DAYS * 24 * 60, USECS_PER_MINUTE},
};

/* Steps that cannot be carried out. */
pg_noreturn static void
bad_steps(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message),
					   hint ? errhint("%s", hint) : 0));
}

/* The name of a channel, as in the steps. */
const char *
ls_nurture_channel_name(LsNurtureChannel channel)
{
	return channel_names[channel];
}

/* A text of a step. */
static char *
step_text(const LsJsonMember *member)
{
	if (member->value.type != jbvString || member->value.val.string.len == 0)
		bad_steps(psprintf("\"%s\" of a step must be a text", member->key), NULL);
	return ls_json_scalar_text(&member->value);
}

/* A whole number of a step. */
static int
step_int(const LsJsonMember *member, int min, int max)
{
	int number;

	if (!ls_json_int(&member->value, &number) || number < min || number > max)
		bad_steps(psprintf("\"%s\" of a step must be a whole number from %d to %d", member->key,
					  min, max),
			NULL);
	return number;
}

/* The channel of a step. */
static LsNurtureChannel
step_channel(const LsJsonMember *member)
{
	char *name = step_text(member);
	int i;

	for (i = 0; i < LS_NURTURE_N_CHANNELS; i++)
	{
		if (strcmp(channel_names[i], name) == 0)
			return (LsNurtureChannel) i;
	}
	bad_steps(psprintf("\"%s\" is not a channel of steps", name),
		"Channels are sms, email, call, task and wait.");
}

/* Is the delay of a step counted from the enrolment? */
static bool
step_delay_from(const LsJsonMember *member)
{
	char *from = step_text(member);

	if (strcmp(from, "enrollment") != 0 && strcmp(from, "previous") != 0)
		bad_steps(psprintf("\"%s\" is not what a delay can count from", from),
			"delay_from is \"previous\" (the default) or \"enrollment\".");
	return strcmp(from, "enrollment") == 0;
}

/* Add a delay to a step; false when the key is no delay. */
static bool
add_delay(LsNurtureStep *step, const LsJsonMember *member)
{
	int i;

	for (i = 0; i < (int) lengthof(delay_units); i++)
	{
		if (strcmp(member->key, delay_units[i].key) == 0)
		{
			step->delay += step_int(member, 0, delay_units[i].max) * delay_units[i].usecs;
			return true;
		}
	}
	return false;
}

/* One member of a step. */
static void
parse_member(LsNurtureStep *step, const LsJsonMember *member, bool *has_channel)
{
	if (strcmp(member->key, "step") == 0)
		step->number = step_int(member, 1, MAX_STEP);
	else if (strcmp(member->key, "channel") == 0)
	{
		step->channel = step_channel(member);
		*has_channel = true;
	}
	else if (strcmp(member->key, "delay_from") == 0)
		step->from_enrollment = step_delay_from(member);
	else if (strcmp(member->key, "template_id") == 0)
		step->template_id = step_text(member);
	else if (strcmp(member->key, "conditions") == 0)
	{
		Jsonb *conditions = ls_json_value_to_jsonb(&member->value);

		ls_nurture_filter_check(conditions, "conditions");
		step->conditions = ls_nurture_filter_is_empty(conditions) ? NULL : conditions;
	}
	else if (!add_delay(step, member))
		ls_json_unknown_key("step", member->key,
			"step, channel, delay_days, delay_hours, delay_minutes, delay_from, template_id, "
			"conditions");
}

/* One step; it must be possible by itself. */
static void
parse_step(LsNurtureStep *step, const JsonbValue *value)
{
	bool has_channel = false;
	LsJsonMember *members;
	int n;
	int i;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		bad_steps("each step must be a JSON object", NULL);
	members = ls_json_members(ls_json_value_to_jsonb(value), "step", &n);
	for (i = 0; i < n; i++)
		parse_member(step, &members[i], &has_channel);
	if (step->number == 0)
		bad_steps("a step has no number", "Its key is \"step\".");
	if (!has_channel)
		bad_steps(psprintf("step %d has no channel", step->number),
			"Channels are sms, email, call, task and wait.");
	if (step->template_id == NULL &&
		(step->channel == NURTURE_SMS || step->channel == NURTURE_EMAIL))
		bad_steps(psprintf("step %d has no template_id", step->number),
			"A step of channel sms or email needs one.");
	if (step->delay > MAX_DELAY_DAYS * USECS_PER_DAY)
		bad_steps(
			psprintf("the delay of step %d is longer than %d days", step->number, MAX_DELAY_DAYS),
			NULL);
}

/* Order of steps, for qsort. */
static int
compare_steps(const void *a, const void *b)
{
	return ((const LsNurtureStep *) a)->number - ((const LsNurtureStep *) b)->number;
}

/* Parse steps, and sort them by number. */
void
ls_nurture_steps_parse(Jsonb *json, LsNurtureSteps *steps)
{
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue value;
	int i;

	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		bad_steps("steps must be a JSON array", NULL);
	if (JB_ROOT_COUNT(json) == 0)
		bad_steps("a sequence has at least one step", NULL);
	if (JB_ROOT_COUNT(json) > MAX_STEP)
		bad_steps(psprintf("a sequence has at most %d steps", MAX_STEP), NULL);
	steps->n = 0;
	steps->steps = palloc0(sizeof(LsNurtureStep) * JB_ROOT_COUNT(json));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			parse_step(&steps->steps[steps->n++], &value);
	}
	qsort(steps->steps, steps->n, sizeof(LsNurtureStep), compare_steps);
	for (i = 1; i < steps->n; i++)
	{
		if (steps->steps[i].number == steps->steps[i - 1].number)
			bad_steps(psprintf("there are two steps %d", steps->steps[i].number), NULL);
	}
}

/* The same jsonb, in the order of the steps, as it is kept. */
Jsonb *
ls_nurture_steps_sorted(Jsonb *json, const LsNurtureSteps *steps)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;
	int i;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < steps->n; i++)
	{
		JsonbIterator *iterator = JsonbIteratorInit(&json->root);
		JsonbIteratorToken token;
		JsonbValue value;

		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			JsonbValue *number;
			int actual;

			if (token != WJB_ELEM)
				continue;
			number = ls_json_get(ls_json_value_to_jsonb(&value), "step");
			if (number != NULL && ls_json_int(number, &actual) && actual == steps->steps[i].number)
				(void) pushJsonbValue(&state, WJB_ELEM, &value);
		}
	}
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(result);
}

/*
 * The step of a number, or the one after it: a lead whose step was removed goes
 * on with the next.  NULL when there is none.
 */
const LsNurtureStep *
ls_nurture_step_from(const LsNurtureSteps *steps, int number)
{
	int i;

	for (i = 0; i < steps->n; i++)
	{
		if (steps->steps[i].number >= number)
			return &steps->steps[i];
	}
	return NULL;
}

/* When is a step due, given the time of the one before it (F2)? */
TimestampTz
ls_nurture_step_due(const LsNurtureStep *step, TimestampTz previous, TimestampTz enrolled)
{
	if (step->from_enrollment)
		return Max(enrolled + step->delay, previous);
	return previous + step->delay;
}
