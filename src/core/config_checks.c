/*-------------------------------------------------------------------------
 *
 * config_checks.c
 *	  Conditions on the values of single settings.  See config.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lead_system.h"
#include "core/config.h"
#include "core/json.h"

/* Channels of contact are call, sms and email. */
bool
ls_config_check_channels(Jsonb *value, const char **problem)
{
	JsonbIterator *iterator = JsonbIteratorInit(&value->root);
	JsonbIteratorToken token;
	JsonbValue element;

	*problem = "The elements must be \"call\", \"sms\" or \"email\".";
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && (element.type != jbvString ||
									 !((element.val.string.len == 4 &&
										   strncmp(element.val.string.val, "call", 4) == 0) ||
										 (element.val.string.len == 3 &&
											 strncmp(element.val.string.val, "sms", 3) == 0) ||
										 (element.val.string.len == 5 &&
											 strncmp(element.val.string.val, "email", 5) == 0))))
			return false;
	}
	return true;
}

/* The weights of the scoring model must be numbers that add up to one. */
bool
ls_config_check_weights(Jsonb *value, const char **problem)
{
	static const char *const names[] = {"qualification", "engagement", "intent", "demographic"};
	LsJsonMember *members;
	double sum = 0;
	int n;
	int i;
	int j;

	members = ls_json_members(value, "lead_scoring_weights", &n);
	for (i = 0; i < n; i++)
	{
		double weight;

		for (j = 0; j < (int) lengthof(names); j++)
		{
			if (strcmp(members[i].key, names[j]) == 0)
				break;
		}
		if (j == (int) lengthof(names))
		{
			*problem = "The keys are qualification, engagement, intent and demographic.";
			return false;
		}
		if (!ls_json_number(&members[i].value, &weight) || weight < 0 || weight > 1)
		{
			*problem = "Each weight must be a number from 0 to 1.";
			return false;
		}
		sum += weight;
	}
	if (n != (int) lengthof(names) || fabs(sum - 1.0) > 1e-9)
	{
		*problem = "The four weights must add up to 1.";
		return false;
	}
	return true;
}
