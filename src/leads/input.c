/*-------------------------------------------------------------------------
 *
 * input.c
 *	  A lead as it comes in: names, values, normal forms.
 *
 *	  The names are the columns of leads and, beside them, what the five design
 *	  documents and common exports call the same thing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "lead_system.h"
#include "core/email.h"
#include "core/phone.h"
#include "core/query.h"
#include "leads/input.h"

typedef struct InputAlias
{
	const char *name;
	const char *column;
} InputAlias;

/* Names of the design documents, understood in jsonb and in CSV headers. */
static const InputAlias document_aliases[] = {
	{"phone", "phone_number"},
	{"company", "company_name"},
	{"zip", "zip_code"},
	{"customer_phone", "phone_number"},
	{"customer_email", "email"},
	{"customer_address", "address"},
	{"customer_zip_code", "zip_code"},
	{"urgency_level", "urgency"},
	{"lead_source", "source"},
	{"last_contact_date", "last_contact_at"},
	{"last_activity_date", "last_activity_at"},
};

/* Further names that exports use, understood in CSV headers only. */
static const InputAlias header_aliases[] = {
	{"first", "first_name"},
	{"firstname", "first_name"},
	{"given_name", "first_name"},
	{"last", "last_name"},
	{"lastname", "last_name"},
	{"surname", "last_name"},
	{"family_name", "last_name"},
	{"e_mail", "email"},
	{"mail", "email"},
	{"email_address", "email"},
	{"e_mail_address", "email"},
	{"phone1", "phone_number"},
	{"phone_1", "phone_number"},
	{"telephone", "phone_number"},
	{"tel", "phone_number"},
	{"mobile", "phone_number"},
	{"mobile_phone", "phone_number"},
	{"cell", "phone_number"},
	{"cell_phone", "phone_number"},
	{"contact_phone_number", "phone_number"},
	{"organization", "company_name"},
	{"organisation", "company_name"},
	{"account", "company_name"},
	{"account_name", "company_name"},
	{"web", "company_website"},
	{"website", "company_website"},
	{"url", "company_website"},
	{"employees", "company_size"},
	{"number_of_employees", "company_size"},
	{"street", "address"},
	{"street_address", "address"},
	{"zipcode", "zip_code"},
	{"postal_code", "zip_code"},
	{"postcode", "zip_code"},
	{"province", "state"},
	{"region", "state"},
	{"revenue", "company_revenue"},
	{"linkedin", "linkedin_url"},
	{"external_id", "source_id"},
	{"record_id", "source_id"},
	{"prospect_id", "source_id"},
	{"organization_id", "source_id"},
	{"organisation_id", "source_id"},
	{"comment", "notes"},
	{"comments", "notes"},
};

/* Names of a person in one field. */
static const char *const name_aliases[] = {
	"contact_name", "customer_name", "full_name", "name", "contact"};

/* The origin of a lead and why it is blocked: a later record fills, but does not replace. */
static const LsLeadColumn origin_columns[] = {LEAD_source, LEAD_sub_source, LEAD_source_id,
	LEAD_utm_source, LEAD_utm_medium, LEAD_utm_campaign, LEAD_created_at, LEAD_id,
	LEAD_calling_blocked_reason};

/* Flags of columns that a kind of input does not set. */
static int
excepted(LsInputKind kind)
{
	return kind == LS_INPUT_KEY ? 0 : LS_LEAD_BY_CALLER;
}

/* The column of a name; LEAD_NONE when there is none that the input may set. */
static LsLeadColumn
input_column(const char *name, LsInputKind kind)
{
	LsLeadColumn column = ls_lead_find_column(name);

	if (column != LEAD_NONE && (!(ls_lead_columns[column].flags & LS_LEAD_INPUT) ||
								   (ls_lead_columns[column].flags & excepted(kind))))
		return LEAD_NONE;
	return column;
}

/* The column that an alias stands for; LEAD_NONE when it is none. */
static LsLeadColumn
alias_column(const InputAlias *aliases, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(aliases[i].name, name) == 0)
			return ls_lead_find_column(aliases[i].column);
	}
	return LEAD_NONE;
}

/* A CSV header in the form of a column name: "First Name" is first_name. */
static char *
header_name(const char *header)
{
	StringInfoData name;

	initStringInfo(&name);
	for (; *header != '\0'; header++)
	{
		char c = pg_ascii_tolower((unsigned char) *header);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char) c >= 0x80)
			appendStringInfoChar(&name, c);
		else if (name.len > 0 && name.data[name.len - 1] != '_')
			appendStringInfoChar(&name, '_');
	}
	while (name.len > 0 && name.data[name.len - 1] == '_')
		name.data[--name.len] = '\0';
	return name.data;
}

/* What a name stands for; the column goes to *column. */
LsInputTarget
ls_lead_input_target(const char *name, LsInputKind kind, LsLeadColumn *column)
{
	bool is_header = kind == LS_INPUT_HEADER;
	int i;

	if (is_header)
		name = header_name(name);
	*column = input_column(name, kind);
	if (*column == LEAD_NONE)
		*column = alias_column(document_aliases, lengthof(document_aliases), name);
	if (*column == LEAD_NONE && is_header)
		*column = alias_column(header_aliases, lengthof(header_aliases), name);
	if (*column != LEAD_NONE)
		return LS_INPUT_COLUMN;
	for (i = 0; i < (int) lengthof(name_aliases); i++)
	{
		if (strcmp(name_aliases[i], name) == 0)
			return LS_INPUT_NAME;
	}
	if (strcmp(name, "pipeline") == 0)
		return LS_INPUT_PIPELINE;
	if (strcmp(name, "category") == 0 || strcmp(name, "category_slug") == 0)
		return LS_INPUT_CATEGORY;
	return LS_INPUT_UNKNOWN;
}

/* Is a header the column's own name, and not another one for it? */
bool
ls_lead_input_is_own_name(const char *header, LsLeadColumn column)
{
	return column != LEAD_NONE && strcmp(header_name(header), ls_lead_columns[column].name) == 0;
}

/* All names that a key or a mapping may use, for messages. */
char *
ls_lead_input_names(LsInputKind kind)
{
	StringInfoData names;
	int i;

	initStringInfo(&names);
	appendStringInfoString(&names, ls_lead_input_columns(excepted(kind)));
	for (i = 0; i < (int) lengthof(document_aliases); i++)
		appendStringInfo(&names, ", %s", document_aliases[i].name);
	for (i = 0; i < (int) lengthof(name_aliases); i++)
		appendStringInfo(&names, ", %s", name_aliases[i]);
	appendStringInfoString(&names, ", pipeline, category");
	return names.data;
}

/* Does a merge leave the column alone when it has a value? */
bool
ls_lead_fills_only(LsLeadColumn column)
{
	int i;

	for (i = 0; i < (int) lengthof(origin_columns); i++)
	{
		if (origin_columns[i] == column)
			return true;
	}
	return false;
}

/* Note a problem; returns false for the caller to return. */
static bool
refuse(LsInputError *error, char *message)
{
	error->sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
	error->message = message;
	return false;
}

/* Set a column to a text. */
static void
set_text(LsLeadInput *input, LsLeadColumn column, const char *text)
{
	input->values[column] = CStringGetTextDatum(text);
	input->set[column] = true;
}

/* A full name: the first word is the first name. */
static void
set_name(LsLeadInput *input, const char *name)
{
	size_t first = strcspn(name, " \t");

	set_text(input, LEAD_first_name, pnstrdup(name, first));
	name += first;
	name += strspn(name, " \t");
	if (*name != '\0')
		set_text(input, LEAD_last_name, name);
}

/* A pipeline by name. */
static bool
set_pipeline(
	LsLeadInput *input, const LsOrganization *organization, const char *name, LsInputError *error)
{
	const LsPipeline *pipeline = ls_pipeline_find(&organization->id, name);

	if (pipeline == NULL)
		return refuse(error, psprintf("pipeline \"%s\" does not exist", name));
	input->values[LEAD_pipeline_id] = UUIDPGetDatum(&pipeline->id);
	input->set[LEAD_pipeline_id] = true;
	return true;
}

/* A category by slug. */
static bool
set_category(
	LsLeadInput *input, const LsOrganization *organization, const char *slug, LsInputError *error)
{
	LS_QUERY(query,
		"SELECT id FROM lead_system.categories WHERE organization_id = $1 AND slug = $2", UUIDOID,
		TEXTOID);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, &organization->id);
	ls_arg_text(&args, slug);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
		*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	if (!found)
		return refuse(error, psprintf("category \"%s\" does not exist", slug));
	input->values[LEAD_category_id] = UUIDPGetDatum(id);
	input->set[LEAD_category_id] = true;
	return true;
}

/* A head count is as good as a size band (S2's bands). */
static const char *
company_size_band(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long count;

	if (digits == 0 || digits > 9 || text[digits] != '\0')
		return text;
	count = strtol(text, NULL, 10);
	if (count == 0)
		return text;
	return count <= 10     ? "1-10"
		   : count <= 50   ? "11-50"
		   : count <= 200  ? "51-200"
		   : count <= 1000 ? "201-1000"
						   : "1000+";
}

/* The modifier of a column's type, such as the scale of an amount. */
static int32
column_typmod(LsLeadColumn column)
{
	Oid relid = ls_relation_oid("leads", false);
	Oid type;
	Oid collation;
	int32 typmod;

	get_atttypetypmodcoll(
		relid, get_attnum(relid, ls_lead_columns[column].name), &type, &typmod, &collation);
	return typmod;
}

/* A column of leads, from text. */
static bool
set_column(LsLeadInput *input, const LsOrganization *organization, LsLeadColumn column,
	const char *text, LsInputError *error)
{
	char e164[LS_PHONE_SIZE];

	if (ls_lead_columns[column].type == TEXTARRAYOID)
	{
		input->set[column] = ls_lead_list_parse(text, &input->values[column], error);
		return input->set[column];
	}
	if (column == LEAD_phone_number)
	{
		if (!ls_phone_to_e164(text, organization->default_region, e164))
			return refuse(error, psprintf("\"%s\" is not a valid phone number", text));
		text = e164;
	}
	else if (column == LEAD_email)
	{
		char *folded = pstrdup(text);

		if (!ls_email_is_valid(text))
			return refuse(error, psprintf("\"%s\" is not a valid e-mail address", text));
		ls_email_fold(folded);
		text = folded;
	}
	else if (column == LEAD_company_size)
		text = company_size_band(text);

	if (!ls_type_input_typmod(ls_lead_columns[column].type, column_typmod(column), text,
			&input->values[column], error))
		return false;
	input->set[column] = true;
	return true;
}

/*
 * Set what a name stands for.  An empty text sets nothing.  False, with the
 * reason, when the text is not a value of the column.
 */
bool
ls_lead_input_set(LsLeadInput *input, const LsOrganization *organization, LsInputTarget target,
	LsLeadColumn column, const char *text, LsInputError *error)
{
	char *trimmed = text ? ls_trim(text) : NULL;

	if (trimmed == NULL)
		return true;
	switch (target)
	{
		case LS_INPUT_COLUMN:
			return set_column(input, organization, column, trimmed, error);
		case LS_INPUT_NAME:
			set_name(input, trimmed);
			return true;
		case LS_INPUT_PIPELINE:
			return set_pipeline(input, organization, trimmed, error);
		case LS_INPUT_CATEGORY:
			return set_category(input, organization, trimmed, error);
		case LS_INPUT_UNKNOWN:
			break;
	}
	return true;
}

/* A text column of the input; NULL when it is not set. */
const char *
ls_lead_input_text(const LsLeadInput *input, LsLeadColumn column)
{
	return input->set[column] ? TextDatumGetCString(input->values[column]) : NULL;
}
