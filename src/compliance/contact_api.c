/*-------------------------------------------------------------------------
 *
 * contact_api.c
 *	  Functions that ask whether, when and where a lead may be contacted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/contact_facts.h"
#include "core/clock.h"
#include "core/grants.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

/* Instants that next_call_time() tries before it gives up. */
#define MAX_TRIES 100

/* What an administrator may write of a calling rule. */
#define RULE_COLUMNS \
	"organization_id, country, state, channel, weekdays, from_time, to_time, source"

static const LsGrant contact_grants[] = {
	{"calling_rules", "SELECT", LS_LEVEL_READONLY, false},
	{"calling_rules", "DELETE, INSERT (" RULE_COLUMNS "), UPDATE (" RULE_COLUMNS ")",
		LS_LEVEL_ADMIN, false},
	{"area_code_timezones", "SELECT", LS_LEVEL_READONLY, false},
	{"state_timezones", "SELECT", LS_LEVEL_READONLY, false},
	{"contact_blockers(uuid, text, uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"can_contact(uuid, text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"next_call_time(uuid, timestamptz)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"contact_time_zones(uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
};

/* Judge one lead that the caller may see; raises P0002 when there is none. */
static LsContact *
judge_one(const pg_uuid_t *lead, LsContactQuestion *question)
{
	LsContact *contact = palloc0(sizeof(LsContact));

	ls_enter_org_of("leads", "lead", lead, LS_READ, &question->org);
	contact->lead = *lead;
	ls_contact_judge(question, contact, 1);
	return contact;
}

/* A channel given as an argument. */
static LsChannel
channel_argument(FunctionCallInfo fcinfo, int n)
{
	LS_REQUIRE_ARG(n, "channel");
	return ls_channel_parse(text_to_cstring(PG_GETARG_TEXT_PP(n)));
}

PG_FUNCTION_INFO_V1(ls_compliance_contact_blockers);

/* contact_blockers(lead_id, channel, campaign_id) */
Datum
ls_compliance_contact_blockers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	LsContactQuestion question = {.at = ls_clock_instant()};
	LsContact *contact;
	int rule;

	LS_REQUIRE_ARG(0, "lead_id");
	question.channel = channel_argument(fcinfo, 1);
	question.campaign = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	InitMaterializedSRF(fcinfo, 0);
	contact = judge_one(PG_GETARG_UUID_P(0), &question);
	for (rule = 0; rule < LS_N_RULES; rule++)
	{
		Datum values[3];
		bool nulls[3] = {false, false, false};

		if ((contact->rules & LS_RULE_BIT(rule)) == 0)
			continue;
		values[0] = CStringGetTextDatum(ls_contact_rule_name(rule));
		values[1] = CStringGetTextDatum(ls_contact_detail(&question, contact, rule));
		nulls[2] = contact->rule_unblocks_at[rule] == LS_NEVER;
		values[2] = TimestampTzGetDatum(contact->rule_unblocks_at[rule]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_compliance_can_contact);

/* can_contact(lead_id, channel) */
Datum
ls_compliance_can_contact(PG_FUNCTION_ARGS)
{
	LsContactQuestion question = {.at = ls_clock_instant()};

	LS_REQUIRE_ARG(0, "lead_id");
	question.channel = channel_argument(fcinfo, 1);
	PG_RETURN_BOOL(judge_one(PG_GETARG_UUID_P(0), &question)->rules == 0);
}

PG_FUNCTION_INFO_V1(ls_compliance_next_call_time);

/*
 * next_call_time(lead_id, after)
 *
 * The instant that the judge names is judged again, since what is allowed now
 * (by an exemption, say) may have ended by then.
 */
Datum
ls_compliance_next_call_time(PG_FUNCTION_ARGS)
{
	LsContactQuestion question = {.channel = LS_CHANNEL_CALL};
	int tries;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "after");
	question.at = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(question.at))
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"after\" must be finite")));
	for (tries = 0; tries < MAX_TRIES; tries++)
	{
		LsContact *contact = judge_one(PG_GETARG_UUID_P(0), &question);

		if (contact->rules == 0)
			PG_RETURN_TIMESTAMPTZ(question.at);
		if (contact->unblocks_at == LS_NEVER)
			break;
		question.at = contact->unblocks_at;
	}
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(ls_compliance_contact_time_zones);

/* contact_time_zones(lead_id) */
Datum
ls_compliance_contact_time_zones(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	LsContactQuestion question = {.at = ls_clock_now(), .channel = LS_CHANNEL_CALL};
	const LsCalendar *calendar;
	LsContact *contact;
	int i;

	LS_REQUIRE_ARG(0, "lead_id");
	InitMaterializedSRF(fcinfo, 0);
	contact = judge_one(PG_GETARG_UUID_P(0), &question);
	calendar = &contact->facts->calendar;
	for (i = 0; i < calendar->n_zones; i++)
	{
		Datum values[3] = {CStringGetTextDatum(pg_get_timezone_name((pg_tz *) calendar->zones[i])),
			CStringGetTextDatum(ls_calendar_source(calendar->source)),
			BoolGetDatum(ls_calendar_is_contradicted(calendar, question.at))};
		bool nulls[3] = {false, false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_compliance_timezone_check);

/* contact_timezone_check(): BEFORE row trigger of the tables of time zones. */
Datum
ls_compliance_timezone_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "contact_timezone_check",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	Relation rel = trigdata->tg_relation;
	bool isnull;
	Datum zone =
		SPI_getbinval(tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "timezone"), &isnull);

	if (!isnull && pg_tzset(TextDatumGetCString(zone)) == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized time zone \"%s\"", TextDatumGetCString(zone)),
						   errhint("Use a name from pg_timezone_names, such as America/Chicago.")));
	return PointerGetDatum(tuple);
}

void
ls_contact_init(void)
{
	ls_calendar_init();
	ls_grants_register(contact_grants, lengthof(contact_grants));
}
