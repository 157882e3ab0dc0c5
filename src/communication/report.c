/*-------------------------------------------------------------------------
 *
 * report.c
 *	  Reading the argument of record_call() and record_sms().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/json.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"

/* The keys that a report of this kind has, for messages. */
static char *
known_keys(const LsReport *report)
{
	StringInfoData names;
	int i;

	initStringInfo(&names);
	for (i = 0; i < report->n_keys; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", report->keys[i].key);
	return names.data;
}

/* The name of a field in a report of this kind. */
static const char *
key_of(const LsReport *report, LsReportField field)
{
	int i;

	for (i = 0; i < report->n_keys; i++)
	{
		if (report->keys[i].field == field)
			return report->keys[i].key;
	}
	elog(ERROR, "a report of kind \"%s\" has no field %d", report->what, (int) field);
}

/* Refuse a value. */
pg_noreturn static void
refuse(const LsReport *report, LsReportField field, const char *rule)
{
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" %s", key_of(report, field), rule),
			errdetail("Key \"%s\" of %s.", key_of(report, field), report->what)));
}

/* Take over one member of the argument. */
static void
set_member(LsReport *report, const LsJsonMember *member)
{
	const LsReportKey *key = NULL;
	LsInputError error;
	char *text;
	int i;

	for (i = 0; i < report->n_keys && key == NULL; i++)
	{
		if (strcmp(report->keys[i].key, member->key) == 0)
			key = &report->keys[i];
	}
	if (key == NULL)
		ls_json_unknown_key(report->what, member->key, known_keys(report));
	if (member->value.type == jbvBinary)
		refuse(report, key->field, "takes a single value");
	text = ls_json_scalar_text(&member->value);
	if (text == NULL || (key->field != REPORT_MESSAGE_TEXT && ls_trim(text) == NULL))
		return;
	if (!ls_type_input(key->type, text, &report->values[key->field], &error))
		ereport(ERROR, (errcode(error.sqlstate), errmsg("%s", error.message),
						   errdetail("Key \"%s\" of %s.", key->key, report->what)));
	report->set[key->field] = true;
}

/* Read the object; the kind of report and its keys are set. */
void
ls_report_read(LsReport *report, Jsonb *json)
{
	LsJsonMember *members;
	int n;
	int i;

	members = ls_json_members(json, report->what, &n);
	for (i = 0; i < n; i++)
		set_member(report, &members[i]);
}

/* A text that was passed; NULL when none was. */
const char *
ls_report_text(const LsReport *report, LsReportField field)
{
	return report->set[field] ? TextDatumGetCString(report->values[field]) : NULL;
}

/* Pass a field to a query. */
void
ls_report_arg(LsArgs *args, const LsReport *report, LsReportField field)
{
	ls_arg_datum(args, report->values[field], !report->set[field]);
}

/*
 * Enter the organisation that the report is about: the lead's, the campaign's or
 * the session's.
 */
void
ls_report_enter(LsReport *report)
{
	pg_uuid_t contractor;

	if (report->set[REPORT_LEAD_ID])
	{
		report->lead = *DatumGetUUIDP(report->values[REPORT_LEAD_ID]);
		report->has_lead = true;
		ls_enter_org_of("leads", "lead", &report->lead, LS_WRITE, &report->org);
	}
	else if (report->set[REPORT_CAMPAIGN_LEAD_ID])
		ls_enter_org_of("campaign_leads", "campaign lead",
			DatumGetUUIDP(report->values[REPORT_CAMPAIGN_LEAD_ID]), LS_WRITE, &report->org);
	else
		ls_require_org(&report->org);
	if (ls_current_contractor(&contractor))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("contractors cannot record calls and messages")));
	report->organization = ls_organization(&report->org);
	if (report->organization == NULL)
		ls_no_such_row("organization", &report->org);
}

/* Is it the word as one types it on the keys of a phone, after a plus? */
static bool
is_typed(const char *raw, const char *word)
{
	static const char keys[] = "22233344455566677778889999";

	if (*raw++ != '+' || strlen(raw) != strlen(word))
		return false;
	while (*word != '\0' && *raw == keys[*word - 'a'])
	{
		raw++;
		word++;
	}
	return *word == '\0';
}

/*
 * What providers say instead of a number that the caller withholds.  Some type it
 * where a number is expected: +266696687 is "anonymous".
 */
static bool
is_withheld(const char *raw)
{
	static const char *const words[] = {
		"anonymous", "restricted", "private", "unknown", "unavailable", "withheld", "blocked"};
	char *trimmed = ls_trim(raw);
	int i;

	for (i = 0; i < (int) lengthof(words); i++)
	{
		if (pg_strcasecmp(trimmed, words[i]) == 0 || is_typed(trimmed, words[i]))
			return true;
	}
	return false;
}

/*
 * A number in its stored form.  The organisation's own may be a short code or a
 * name, which has none; the lead's must be a number.
 */
static char *
read_number(const LsReport *report, LsReportField field, bool is_own)
{
	const char *raw = ls_report_text(report, field);
	char e164[LS_PHONE_SIZE];

	if (raw == NULL)
		return NULL;
	if (is_withheld(raw) && (is_own || report->is_inbound))
		return NULL;
	if (ls_phone_to_e164(raw, report->organization->default_region, e164))
		return pstrdup(e164);
	if (!is_own)
		refuse(report, field, psprintf("is not a valid phone number: \"%s\"", raw));
	return NULL;
}

/* A row that the report names must be there. */
static void
check_row(const LsReport *report, LsReportField field, const char *relname, const char *kind)
{
	if (report->set[field] &&
		!ls_row_exists(relname, &report->org, DatumGetUUIDP(report->values[field])))
		ls_no_such_row(kind, DatumGetUUIDP(report->values[field]));
}

/* A length must be one. */
static void
check_length(const LsReport *report, LsReportField field)
{
	if (report->set[field] &&
		(DatumGetInt32(report->values[field]) < 0 || DatumGetInt32(report->values[field]) > 86400))
		refuse(report, field, "must be between 0 and 86400 seconds");
}

/* An instant must be one. */
static void
check_instant(const LsReport *report, LsReportField field)
{
	if (report->set[field] && TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(report->values[field])))
		refuse(report, field, "must be finite");
}

/* Complete a report of something that has not been recorded yet, and check it. */
void
ls_report_complete(LsReport *report)
{
	const char *direction = ls_report_text(report, REPORT_DIRECTION);

	if (direction == NULL && report->set[REPORT_CAMPAIGN_LEAD_ID])
		direction = "outbound";
	if (direction == NULL ||
		(strcmp(direction, "inbound") != 0 && strcmp(direction, "outbound") != 0))
		refuse(report, REPORT_DIRECTION, "must be inbound or outbound");
	report->is_inbound = strcmp(direction, "inbound") == 0;
	report->contact = read_number(report, report->is_inbound ? REPORT_FROM : REPORT_TO, false);
	report->own = read_number(report, report->is_inbound ? REPORT_TO : REPORT_FROM, true);
	report->at = ls_clock_now();
	if (report->set[REPORT_CREATED_AT])
		report->at = DatumGetTimestampTz(report->values[REPORT_CREATED_AT]);
	/* The clock of who reports it may be a little fast. */
	if (TIMESTAMP_NOT_FINITE(report->at) || report->at > ls_clock_now() + USECS_PER_MINUTE)
		refuse(report, REPORT_CREATED_AT, "must not be in the future");
	check_instant(report, REPORT_ENDED_AT);
	check_instant(report, REPORT_DELIVERED_AT);
	check_length(report, REPORT_DURATION);
	check_length(report, REPORT_RECORDING_DURATION);
	check_row(report, REPORT_USER_ID, "users", "user");
	check_row(report, REPORT_CAMPAIGN_ID, "campaigns", "campaign");
	check_row(report, REPORT_CAMPAIGN_LEAD_ID, "campaign_leads", "campaign lead");
	check_row(report, REPORT_REPLY_TO, "sms_logs", "message");
	ls_uuid_v7(&report->id);
}

/* Is the number that the report gives another one than the recorded?  Either may be missing. */
static bool
is_other_number(const LsReport *report, LsReportField field, const char *recorded)
{
	char *number = read_number(report, field, true);

	return number != NULL && recorded != NULL && strcmp(number, recorded) != 0;
}

/*
 * A report that comes again must be about what has been recorded with its id.
 * Providers number their messages each for themselves, and a STOP that is taken
 * for the repetition of another message would be lost without a trace.
 */
void
ls_report_check_same(LsReport *report, const char *provider, bool is_inbound,
	const char *from_phone, const char *to_phone)
{
	const char *direction = ls_report_text(report, REPORT_DIRECTION);
	LsReportField id = REPORT_PROVIDER_ID;

	if ((direction == NULL || (strcmp(direction, "inbound") == 0) == is_inbound) &&
		(provider == NULL || !report->set[REPORT_PROVIDER] ||
			strcmp(provider, ls_report_text(report, REPORT_PROVIDER)) == 0) &&
		!is_other_number(report, REPORT_FROM, from_phone) &&
		!is_other_number(report, REPORT_TO, to_phone))
		return;
	ereport(ERROR,
		(errcode(ERRCODE_UNIQUE_VIOLATION),
			errmsg("\"%s\" is the id of another %s", ls_report_text(report, id), report->what),
			errdetail("Its direction, its provider or its numbers are others."),
			errhint("Ids are unique within an organization; where providers use the same ones, put "
					"the provider's name before them.")));
}

/* The status, if there is one, must be one of a list that ends with NULL. */
void
ls_report_check_status(const LsReport *report, const char *const *statuses)
{
	const char *status = ls_report_text(report, REPORT_STATUS);
	StringInfoData names;
	int i;

	if (status == NULL)
		return;
	initStringInfo(&names);
	for (i = 0; statuses[i] != NULL; i++)
	{
		if (strcmp(status, statuses[i]) == 0)
			return;
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", statuses[i]);
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized status \"%s\" of %s", status, report->what),
					   errhint("Statuses are: %s.", names.data)));
}
