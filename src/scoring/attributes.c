/*-------------------------------------------------------------------------
 *
 * attributes.c
 *	  What scoring rules can look at: columns of the lead, values derived from
 *	  them, and assessments and signals from other tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/email.h"
#include "core/json.h"
#include "scoring/model.h"

/* Whole periods of "seconds" between two instants; 0 when the first is later. */
static int
periods_between(TimestampTz from, TimestampTz to, int64 seconds)
{
	int64 periods;

	if (to <= from)
		return 0;
	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to))
		return PG_INT32_MAX;
	periods = (to - from) / (seconds * USECS_PER_SEC);
	return (int) Min(periods, PG_INT32_MAX);
}

/* Days without activity: since the last one, or since the lead came in (A8). */
int
ls_score_days_inactive(const ScoreSubject *subject)
{
	bool isnull;
	Datum since = ls_lead_get(subject->row, LEAD_last_activity_at, &isnull);

	if (isnull)
		since = ls_lead_get(subject->row, LEAD_created_at, &isnull);
	if (isnull)
		return 0;
	return periods_between(DatumGetTimestampTz(since), subject->at, SECS_PER_DAY);
}

/* Hand out a text without copying it; a toasted one is fetched. */
static void
set_text(AttributeValue *value, Datum datum)
{
	text *packed = DatumGetTextPP(datum);

	value->type = ATTRIBUTE_TEXT;
	value->text = VARDATA_ANY(packed);
	value->text_len = VARSIZE_ANY_EXHDR(packed);
	value->isnull = (value->text_len == 0);
}

static void
set_number(AttributeValue *value, double number)
{
	value->type = ATTRIBUTE_NUMBER;
	value->number = number;
	value->isnull = false;
}

static void
set_boolean(AttributeValue *value, bool boolean)
{
	value->type = ATTRIBUTE_BOOLEAN;
	value->boolean = boolean;
	value->isnull = false;
}

static void
get_text(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	bool isnull;
	Datum datum = ls_lead_get(subject->row, attribute->column, &isnull);

	if (!isnull)
		set_text(value, datum);
}

static void
get_integer(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	bool isnull;
	Datum datum = ls_lead_get(subject->row, attribute->column, &isnull);

	if (!isnull)
		set_number(value, DatumGetInt32(datum));
}

static void
get_numeric(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	bool isnull;
	Datum datum = ls_lead_get(subject->row, attribute->column, &isnull);

	if (!isnull)
		set_number(value, DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, datum)));
}

static void
get_boolean(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	bool isnull;
	Datum datum = ls_lead_get(subject->row, attribute->column, &isnull);

	if (!isnull)
		set_boolean(value, DatumGetBool(datum));
}

/* Case-insensitive search for an ASCII word in a text. */
static bool
text_mentions(const AttributeValue *value, const char *word)
{
	int len = strlen(word);
	int i;

	for (i = 0; !value->isnull && i + len <= value->text_len; i++)
	{
		if (pg_strncasecmp(value->text + i, word, len) == 0)
			return true;
	}
	return false;
}

/* A text column by number, outside the registry. */
static void
column_text(ScoreSubject *subject, LsLeadColumn column, AttributeValue *value)
{
	ScoreAttribute plain = {NULL, ATTRIBUTE_TEXT, get_text, column, 0};

	value->isnull = true;
	get_text(&plain, subject, value);
}

/* company_size, inferred from the name where that is switched on (A9a). */
static void
get_company_size(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	AttributeValue name;

	get_text(attribute, subject, value);
	if (!value->isnull || !ls_config_bool(&subject->organization->id, "scoring.infer_company_size"))
		return;
	column_text(subject, LEAD_company_name, &name);
	if (text_mentions(&name, "Inc.") || text_mentions(&name, "Corp") || text_mentions(&name, "LLC"))
	{
		value->isnull = false;
		value->type = ATTRIBUTE_TEXT;
		value->text = "11-50";
		value->text_len = strlen(value->text);
	}
}

/* inquiry_type; who downloads and asks for more is more interested (A9b). */
static void
get_inquiry_type(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	AttributeValue message;

	get_text(attribute, subject, value);
	if (value->isnull || value->text_len != strlen("Content Download") ||
		strncmp(value->text, "Content Download", value->text_len) != 0 ||
		!ls_config_bool(&subject->organization->id, "scoring.infer_inquiry_type"))
		return;
	column_text(subject, LEAD_message, &message);
	if (text_mentions(&message, "demo") || text_mentions(&message, "pricing"))
	{
		value->text = "Pricing Information";
		value->text_len = strlen(value->text);
	}
}

/* The host of the e-mail address; nothing for an address that is not valid (A4). */
static void
get_email_domain(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	char *address = ls_lead_text(subject->row, LEAD_email);

	if (address == NULL || !ls_email_is_valid(address))
		return;
	value->isnull = false;
	value->type = ATTRIBUTE_TEXT;
	value->text = ls_email_domain(address);
	value->text_len = strlen(value->text);
}

static void
get_inactive(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	set_number(value, ls_score_days_inactive(subject) / attribute->detail);
}

static void
get_days_since(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	bool isnull;
	Datum since = ls_lead_get(subject->row, attribute->column, &isnull);

	if (!isnull)
		set_number(value, periods_between(DatumGetTimestampTz(since), subject->at, SECS_PER_DAY));
}

/* Does the lead live in the organisation's time zone? (B5) */
static void
get_timezone_match(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	AttributeValue timezone;

	column_text(subject, LEAD_timezone, &timezone);
	set_boolean(
		value, !timezone.isnull && timezone.text_len == strlen(subject->organization->timezone) &&
				   strncmp(timezone.text, subject->organization->timezone, timezone.text_len) == 0);
}

/* Is the lead's state one of those that the organisation looks for? (B5) */
static void
get_high_opportunity(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	Jsonb *locations =
		ls_config_get(&subject->organization->id, "scoring.high_opportunity_locations");
	char *state = ls_lead_text(subject->row, LEAD_state);
	JsonbValue key;

	set_boolean(value, false);
	if (state == NULL)
		return;
	key.type = jbvString;
	key.val.string.val = state;
	key.val.string.len = strlen(state);
	set_boolean(value, findJsonbValueFromContainer(&locations->root, JB_FARRAY, &key) != NULL);
}

/* Parts of the latest assessment; detail 0 is the total. */
static void
get_qualification(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	ScoreExtras *extras = &subject->extras;
	int parts[6];

	ls_score_load_extras(subject);
	if (!extras->has_qualification)
		return;
	parts[1] = extras->interest;
	parts[2] = extras->authority;
	parts[3] = extras->budget;
	parts[4] = extras->need;
	parts[5] = extras->timing;
	parts[0] = parts[1] + parts[2] + parts[3] + parts[4] + parts[5];
	set_number(value, parts[attribute->detail]);
}

static void
get_intent(const ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value)
{
	ls_score_load_extras(subject);
	set_number(value, subject->extras.intent[attribute->detail]);
}

#define TEXT_COLUMN(name) \
	{ \
#name, ATTRIBUTE_TEXT, get_text, LEAD_##name, 0 \
	}
#define INT_COLUMN(name) \
	{ \
#name, ATTRIBUTE_NUMBER, get_integer, LEAD_##name, 0 \
	}
#define NUMERIC_COLUMN(name) \
	{ \
#name, ATTRIBUTE_NUMBER, get_numeric, LEAD_##name, 0 \
	}
#define BOOL_COLUMN(name) \
	{ \
#name, ATTRIBUTE_BOOLEAN, get_boolean, LEAD_##name, 0 \
	}

static const ScoreAttribute attributes[] = {
	TEXT_COLUMN(budget_timeline),
	NUMERIC_COLUMN(budget_max),
	NUMERIC_COLUMN(budget_min),
	INT_COLUMN(call_count),
	TEXT_COLUMN(city),
	TEXT_COLUMN(company_name),
	{"company_size", ATTRIBUTE_TEXT, get_company_size, LEAD_company_size, 0, LEAD_company_name,
		true},
	TEXT_COLUMN(country),
	TEXT_COLUMN(current_solution),
	BOOL_COLUMN(demo_video_watched),
	INT_COLUMN(email_open_count),
	INT_COLUMN(email_reply_count),
	TEXT_COLUMN(enrichment_status),
	TEXT_COLUMN(industry),
	{"inquiry_type", ATTRIBUTE_TEXT, get_inquiry_type, LEAD_inquiry_type, 0, LEAD_message, true},
	BOOL_COLUMN(is_qualified),
	INT_COLUMN(link_click_count),
	TEXT_COLUMN(message),
	INT_COLUMN(pricing_page_visits),
	BOOL_COLUMN(priority_flag),
	BOOL_COLUMN(qualification_bonus_applied),
	NUMERIC_COLUMN(quoted_amount),
	TEXT_COLUMN(service_type),
	INT_COLUMN(sms_reply_count),
	TEXT_COLUMN(source),
	TEXT_COLUMN(stage),
	TEXT_COLUMN(state),
	TEXT_COLUMN(status),
	TEXT_COLUMN(sub_source),
	TEXT_COLUMN(title),
	TEXT_COLUMN(urgency),
	TEXT_COLUMN(utm_campaign),
	TEXT_COLUMN(utm_medium),
	TEXT_COLUMN(utm_source),
	TEXT_COLUMN(zip_code),
	{"banti_authority", ATTRIBUTE_NUMBER, get_qualification, LEAD_NONE, 2},
	{"banti_budget", ATTRIBUTE_NUMBER, get_qualification, LEAD_NONE, 3},
	{"banti_interest", ATTRIBUTE_NUMBER, get_qualification, LEAD_NONE, 1},
	{"banti_need", ATTRIBUTE_NUMBER, get_qualification, LEAD_NONE, 4},
	{"banti_timing", ATTRIBUTE_NUMBER, get_qualification, LEAD_NONE, 5},
	{"banti_total", ATTRIBUTE_NUMBER, get_qualification, LEAD_NONE, 0},
	{"days_inactive", ATTRIBUTE_NUMBER, get_inactive, LEAD_last_activity_at, 1},
	{"days_since_contact", ATTRIBUTE_NUMBER, get_days_since, LEAD_last_contact_at, 0},
	{"email_domain", ATTRIBUTE_TEXT, get_email_domain, LEAD_email, 0},
	{"high_opportunity_location", ATTRIBUTE_BOOLEAN, get_high_opportunity, LEAD_state, 0},
	{"intent_callback", ATTRIBUTE_NUMBER, get_intent, LEAD_NONE, 2},
	{"intent_explicit_interest", ATTRIBUTE_NUMBER, get_intent, LEAD_NONE, 0},
	{"intent_hard_objection", ATTRIBUTE_NUMBER, get_intent, LEAD_NONE, 4},
	{"intent_objection_handled", ATTRIBUTE_NUMBER, get_intent, LEAD_NONE, 3},
	{"intent_question", ATTRIBUTE_NUMBER, get_intent, LEAD_NONE, 1},
	{"timezone_match", ATTRIBUTE_BOOLEAN, get_timezone_match, LEAD_timezone, 0},
	{"weeks_inactive", ATTRIBUTE_NUMBER, get_inactive, LEAD_last_activity_at, 7},
};

static const ScoreAttribute metadata_attribute = {
	"metadata", ATTRIBUTE_ANY, NULL, LEAD_metadata, 0};

/*
 * Find an attribute; NULL when there is none of that name.  metadata.<key>
 * stands for a member of the lead's metadata, whose key is returned.
 */
const ScoreAttribute *
ls_score_attribute(const char *name, const char **metadata_key)
{
	static const char prefix[] = "metadata.";
	int i;

	*metadata_key = NULL;
	if (strncmp(name, prefix, strlen(prefix)) == 0 && name[strlen(prefix)] != '\0')
	{
		*metadata_key = name + strlen(prefix);
		return &metadata_attribute;
	}
	for (i = 0; i < (int) lengthof(attributes); i++)
	{
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	}
	return NULL;
}

/* The names of all attributes, for messages. */
char *
ls_score_attribute_names(void)
{
	StringInfoData names;
	int i;

	initStringInfo(&names);
	for (i = 0; i < (int) lengthof(attributes); i++)
		appendStringInfo(&names, "%s, ", attributes[i].name);
	appendStringInfoString(&names, "metadata.<key>");
	return names.data;
}

/* A member of the lead's metadata. */
static void
get_metadata(const char *key, ScoreSubject *subject, AttributeValue *value)
{
	bool isnull;
	Datum metadata = ls_lead_get(subject->row, LEAD_metadata, &isnull);
	JsonbValue *member = isnull ? NULL : ls_json_get(DatumGetJsonbP(metadata), key);
	double number;

	if (member == NULL || member->type == jbvNull)
		return;
	if (member->type == jbvBool)
		set_boolean(value, member->val.boolean);
	else if (ls_json_number(member, &number))
		set_number(value, number);
	else
	{
		value->type = ATTRIBUTE_TEXT;
		value->text = ls_json_scalar_text(member);
		value->text_len = strlen(value->text);
		value->isnull = (value->text_len == 0);
	}
}

/* What a rule's attribute is for a lead. */
void
ls_score_get(const ScoreRule *rule, ScoreSubject *subject, AttributeValue *value)
{
	value->isnull = true;
	value->type = rule->attribute->type;
	if (rule->metadata_key != NULL)
		get_metadata(rule->metadata_key, subject, value);
	else
		rule->attribute->get(rule->attribute, subject, value);
}
