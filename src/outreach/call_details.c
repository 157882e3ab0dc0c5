/*-------------------------------------------------------------------------
 *
 * call_details.c
 *	  Reading p_details of record_call_attempt().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/json.h"
#include "outreach/call_details.h"

/* A detail that has a type; NULL means not given. */
static bool
typed_detail(const LsJsonMember *member, Oid type, Datum *value)
{
	char *text = ls_json_scalar_text(&member->value);
	LsInputError error;

	if (text == NULL)
		return false;
	if (!ls_type_input(type, text, value, &error))
		ereport(ERROR, (errcode(error.sqlstate), errmsg("%s", error.message),
						   errdetail("Key \"%s\" of p_details.", member->key)));
	return true;
}

/* A value of p_details that its type has, but no call. */
static void
refuse_detail(const LsJsonMember *member, const char *rule)
{
	ereport(
		ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" %s", member->key, rule),
				   errdetail("Key \"%s\" of p_details.", member->key)));
}

/* An amount of money. */
static bool
amount_detail(const LsJsonMember *member, Datum *value)
{
	Numeric amount;

	if (!typed_detail(member, NUMERICOID, value))
		return false;
	amount = DatumGetNumeric(*value);
	if (numeric_is_nan(amount) || numeric_is_inf(amount) ||
		DatumGetBool(DirectFunctionCall2(
			numeric_lt, *value, DirectFunctionCall1(int4_numeric, Int32GetDatum(0)))))
		refuse_detail(member, "must be an amount of 0 or more");
	return true;
}

/* A point in time. */
static bool
time_detail(const LsJsonMember *member, TimestampTz *time)
{
	Datum value;

	if (!typed_detail(member, TIMESTAMPTZOID, &value))
		return false;
	*time = DatumGetTimestampTz(value);
	if (TIMESTAMP_NOT_FINITE(*time))
		refuse_detail(member, "must be a point in time");
	return true;
}

/* When the call began.  The clock of who reports it may be a little fast. */
static bool
started_detail(const LsJsonMember *member, TimestampTz *time)
{
	if (!time_detail(member, time))
		return false;
	if (*time > ls_clock_now() + USECS_PER_MINUTE)
		refuse_detail(member, "must not be in the future");
	return true;
}

/* One member of p_details. */
static void
read_detail(const LsJsonMember *member, LsCallDetails *details)
{
	if (strcmp(member->key, "pledged_amount") == 0)
		details->has_pledged = amount_detail(member, &details->pledged_amount);
	else if (strcmp(member->key, "donated_amount") == 0)
		details->has_donated = amount_detail(member, &details->donated_amount);
	else if (strcmp(member->key, "callback_at") == 0)
		details->has_callback = time_detail(member, &details->callback_at);
	else if (strcmp(member->key, "started_at") == 0)
		details->has_started = started_detail(member, &details->started_at);
	else if (strcmp(member->key, "notes") == 0)
		details->notes = ls_json_scalar_text(&member->value);
	else if (strcmp(member->key, "provider_call_id") == 0)
		details->provider_call_id = ls_json_scalar_text(&member->value);
	else if (strcmp(member->key, "recording_url") == 0)
		details->recording_url = ls_json_scalar_text(&member->value);
	else if (strcmp(member->key, "caller_phone") == 0)
		details->caller_phone = ls_json_scalar_text(&member->value);
	else
		ls_json_unknown_key("p_details", member->key,
			"pledged_amount, donated_amount, callback_at, notes, provider_call_id, recording_url, "
			"caller_phone, started_at");
}

/* The argument p_details. */
void
ls_call_details_read(Jsonb *json, LsCallDetails *details)
{
	LsJsonMember *members;
	int n;
	int i;

	memset(details, 0, sizeof(LsCallDetails));
	if (json == NULL)
		return;
	members = ls_json_members(json, "p_details", &n);
	for (i = 0; i < n; i++)
		read_detail(&members[i], details);
}
