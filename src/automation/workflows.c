/*-------------------------------------------------------------------------
 *
 * workflows.c
 *	  The definition of a workflow: what the trigger refuses, and what runs read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/json.h"
#include "core/trigger.h"
#include "automation/automation.h"

#define MAX_STEPS 50
#define MAX_RETRIES 20
#define MAX_RETRY_MINUTES 10080
#define MAX_DELAY_MINUTES (366 * 24 * 60)

static const char *const actions[] = {"sms", "email", "call", "task", "notify", "webhook", "wait"};

/* A definition that cannot be carried out. */
pg_noreturn static void
bad_config(const char *message)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message)));
}

/* Is a text one of the actions of steps? */
static bool
is_action(const JsonbValue *value)
{
	int i;

	if (value->type != jbvString)
		return false;
	for (i = 0; i < (int) lengthof(actions); i++)
	{
		if ((int) strlen(actions[i]) == value->val.string.len &&
			memcmp(actions[i], value->val.string.val, value->val.string.len) == 0)
			return true;
	}
	return false;
}

/* A step: an action, when, and with which text. */
static void
check_step(Jsonb *step)
{
	int n;
	LsJsonMember *members = ls_json_members(step, "a step", &n);
	bool has_action = false;
	int minutes;
	int i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(members[i].key, "action") == 0)
		{
			if (!is_action(&members[i].value))
				bad_config(
					"\"action\" of a step must be sms, email, call, task, notify, webhook or wait");
			has_action = true;
		}
		else if (strcmp(members[i].key, "delay_minutes") == 0)
		{
			if (!ls_json_int(&members[i].value, &minutes) || minutes < 0 ||
				minutes > MAX_DELAY_MINUTES)
				bad_config(
					psprintf("\"delay_minutes\" of a step must be a whole number from 0 to %d",
						MAX_DELAY_MINUTES));
		}
		else if (strcmp(members[i].key, "template") == 0)
		{
			if (members[i].value.type != jbvString || members[i].value.val.string.len == 0)
				bad_config("\"template\" of a step must be a text");
		}
		else
			ls_json_unknown_key("a step", members[i].key, "action, delay_minutes, template");
	}
	if (!has_action)
		bad_config("a step needs an action");
}

/* The steps, in their order. */
static void
check_steps(const JsonbValue *value, bool may_be_empty)
{
	Jsonb *steps = ls_json_value_to_jsonb(value);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue element;

	if (!JB_ROOT_IS_ARRAY(steps) || JB_ROOT_IS_SCALAR(steps) || JB_ROOT_COUNT(steps) > MAX_STEPS ||
		(JB_ROOT_COUNT(steps) == 0 && !may_be_empty))
		bad_config(
			psprintf("\"steps\" of a workflow must be an array of 1 to %d steps", MAX_STEPS));
	it = JsonbIteratorInit(&steps->root);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
		{
			if (element.type != jbvBinary)
				bad_config("a step must be a JSON object");
			check_step(ls_json_value_to_jsonb(&element));
		}
	}
}

/* Whole minutes, one per retry; NULL when it is not an array of such. */
static int *
parse_minutes(Jsonb *value, int *n)
{
	int *minutes = palloc(sizeof(int) * MAX_RETRIES);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue element;

	*n = 0;
	if (!JB_ROOT_IS_ARRAY(value) || JB_ROOT_IS_SCALAR(value) || JB_ROOT_COUNT(value) > MAX_RETRIES)
		return NULL;
	it = JsonbIteratorInit(&value->root);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (!ls_json_int(&element, &minutes[*n]) || minutes[*n] < 1 ||
			minutes[*n] > MAX_RETRY_MINUTES)
			return NULL;
		(*n)++;
	}
	return minutes;
}

/* Refuse a definition that cannot be carried out. */
void
ls_workflow_config_check(Jsonb *config, bool may_be_empty)
{
	int n;
	LsJsonMember *members = ls_json_members(config, "config of a workflow", &n);
	bool has_steps = false;
	int i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(members[i].key, "steps") == 0)
		{
			check_steps(&members[i].value, may_be_empty);
			has_steps = true;
		}
		else if (strcmp(members[i].key, "retry_minutes") == 0)
		{
			int count;

			if (parse_minutes(ls_json_value_to_jsonb(&members[i].value), &count) == NULL)
				bad_config(psprintf("\"retry_minutes\" of a workflow must be an array of at most %d"
									" whole numbers from 1 to %d",
					MAX_RETRIES, MAX_RETRY_MINUTES));
		}
		else if (strcmp(members[i].key, "settings") == 0)
		{
			if (!JB_ROOT_IS_OBJECT(ls_json_value_to_jsonb(&members[i].value)))
				bad_config("\"settings\" of a workflow must be a JSON object");
		}
		else
			ls_json_unknown_key(
				"config of a workflow", members[i].key, "steps, retry_minutes, settings");
	}
	if (!has_steps && !may_be_empty)
		bad_config("a workflow needs steps, unless it is a draft");
}

/* After how many minutes a run is tried again; the workflow's own, or the organisation's. */
int *
ls_workflow_retry_minutes(const pg_uuid_t *org, Jsonb *config, int *n)
{
	JsonbValue *own = ls_json_get(config, "retry_minutes");
	int *minutes = parse_minutes(
		own ? ls_json_value_to_jsonb(own) : ls_config_get(org, "automation.retry_minutes"), n);

	if (minutes == NULL)
		bad_config("\"retry_minutes\" of a workflow is not valid");
	return minutes;
}

PG_FUNCTION_INFO_V1(ls_automation_workflows_check);

/* workflows_check(): BEFORE row trigger of workflows. */
Datum
ls_automation_workflows_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "workflows_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "workflows");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	Relation rel = trigdata->tg_relation;
	bool config_isnull;
	bool status_isnull;
	Datum config = SPI_getbinval(
		tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "config"), &config_isnull);
	Datum status = SPI_getbinval(
		tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "status"), &status_isnull);

	/* The server refuses NULL itself, afterwards. */
	if (!config_isnull && !status_isnull)
		ls_workflow_config_check(
			DatumGetJsonbP(config), strcmp(TextDatumGetCString(status), "draft") == 0);
	return PointerGetDatum(tuple);
}
