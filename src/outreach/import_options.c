/*-------------------------------------------------------------------------
 *
 * import_options.c
 *	  Options of imports, and what the columns of the input become.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/phone.h"
#include "outreach/import.h"

/* An option whose value does not fit. */
static void
bad_option(const char *key, const char *expected)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("option \"%s\" must be %s", key, expected)));
}

/* A delimiter or quote: one ASCII character that can be told from data. */
char
ls_csv_char(const char *name, const char *value)
{
	if (strcmp(value, "\\t") == 0)
		return '\t';
	if (strlen(value) != 1 || IS_HIGHBIT_SET(*value) || *value == '\n' || *value == '\r')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("%s must be a single one-byte character", name)));
	return *value;
}

/* A text option. */
static char *
option_text(const LsJsonMember *member)
{
	if (member->value.type != jbvString || member->value.val.string.len == 0)
		bad_option(member->key, "a text");
	return ls_json_scalar_text(&member->value);
}

/* Option on_duplicate. */
static LsOnDuplicate
option_on_duplicate(const LsJsonMember *member)
{
	char *value = option_text(member);

	if (strcmp(value, "merge") == 0)
		return LS_IMPORT_MERGE;
	if (strcmp(value, "skip") == 0)
		return LS_IMPORT_SKIP;
	if (strcmp(value, "reject") != 0)
		bad_option(member->key, "merge, skip or reject");
	return LS_IMPORT_REJECT;
}

/* Texts that mean that there is no value. */
static void
option_null_values(const LsJsonMember *member, LsImportOptions *options)
{
	Jsonb *json = member->value.type == jbvBinary ? ls_json_value_to_jsonb(&member->value) : NULL;
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (json == NULL || !JB_ROOT_IS_ARRAY(json))
		bad_option(member->key, "an array of texts");
	options->null_values = palloc(sizeof(char *) * (JB_ROOT_COUNT(json) + 1));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char *text = token == WJB_ELEM ? ls_json_scalar_text(&value) : NULL;

		if (text != NULL)
			options->null_values[options->n_null_values++] = text;
	}
}

/*
 * A region: a two-letter code in either case.  Whether it exists can be told
 * only when the number parser is there.
 */
static char *
option_region(const LsJsonMember *member)
{
	char *region = option_text(member);
	char *c;

	for (c = region; *c != '\0'; c++)
		*c = pg_ascii_toupper((unsigned char) *c);
	if (strlen(region) != 2 || strspn(region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2 ||
		!ls_phone_region_exists(region))
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized region \"%s\"", region),
				errhint("A region is a two-letter ISO 3166 code such as US or GB.")));
	return region;
}

/* One option. */
static void
read_option(const LsJsonMember *member, LsImportOptions *options)
{
	if (strcmp(member->key, "mapping") == 0)
	{
		options->mapping =
			member->value.type == jbvBinary ? ls_json_value_to_jsonb(&member->value) : NULL;
		if (options->mapping == NULL || !JB_ROOT_IS_OBJECT(options->mapping))
			bad_option(member->key, "an object of headers and columns");
	}
	else if (strcmp(member->key, "delimiter") == 0)
		options->delimiter = ls_csv_char("delimiter", option_text(member));
	else if (strcmp(member->key, "quote") == 0)
		options->quote = ls_csv_char("quote", option_text(member));
	else if (strcmp(member->key, "header") == 0)
	{
		if (member->value.type != jbvBool)
			bad_option(member->key, "true or false");
		options->header = member->value.val.boolean;
	}
	else if (strcmp(member->key, "region") == 0)
		options->region = option_region(member);
	else if (strcmp(member->key, "on_duplicate") == 0)
		options->on_duplicate = option_on_duplicate(member);
	else if (strcmp(member->key, "source") == 0)
		options->source = option_text(member);
	else if (strcmp(member->key, "null_values") == 0)
		option_null_values(member, options);
	else
		ls_json_unknown_key("options", member->key,
			"mapping, delimiter, quote, header, region, on_duplicate, source, null_values");
}

/* Each name in the mapping must be one that a lead has. */
static void
check_mapping(const LsImportOptions *options)
{
	LsJsonMember *members;
	int n;
	int i;

	if (options->mapping == NULL)
		return;
	members = ls_json_members(options->mapping, "mapping", &n);
	for (i = 0; i < n; i++)
	{
		char *name = ls_json_scalar_text(&members[i].value);
		LsLeadColumn column;

		if (name != NULL && strcmp(name, "metadata") != 0 &&
			ls_lead_input_target(name, LS_INPUT_MAPPED, &column) == LS_INPUT_UNKNOWN)
			ls_json_unknown_key("mapping", name, ls_lead_input_names(LS_INPUT_MAPPED));
	}
}

/* Read the options; unknown ones are refused. */
void
ls_import_read_options(Jsonb *json, const char *default_source, LsImportOptions *options)
{
	LsJsonMember *members;
	int n;
	int i;

	memset(options, 0, sizeof(LsImportOptions));
	options->json = json;
	options->delimiter = ',';
	options->quote = '"';
	options->header = true;
	options->on_duplicate = LS_IMPORT_MERGE;
	options->source = default_source;
	members = ls_json_members(json, "options", &n);
	for (i = 0; i < n; i++)
		read_option(&members[i], options);
	if (options->delimiter == options->quote)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("delimiter and quote must be different")));
	check_mapping(options);
}

/* What a column of the input becomes: by the mapping, else by its name. */
void
ls_import_map_column(const LsImport *import, const char *name, LsImportColumn *column)
{
	const LsImportOptions *options = &import->options;
	JsonbValue *mapped = options->mapping ? ls_json_get(options->mapping, name) : NULL;

	memset(column, 0, sizeof(LsImportColumn));
	column->header = column->name = name;
	column->column = LEAD_NONE;
	if (mapped == NULL)
	{
		column->target = ls_lead_input_target(name, LS_INPUT_HEADER, &column->column);
		column->rank = column->target == LS_INPUT_NAME                   ? LS_IMPORT_FULL_NAME
					   : ls_lead_input_is_own_name(name, column->column) ? LS_IMPORT_OWN_NAME
																		 : LS_IMPORT_OTHER_NAME;
	}
	else if (mapped->type == jbvNull)
		column->ignored = true;
	else if (strcmp(ls_json_scalar_text(mapped), "metadata") == 0)
		column->target = LS_INPUT_UNKNOWN;
	else
		column->target =
			ls_lead_input_target(ls_json_scalar_text(mapped), LS_INPUT_MAPPED, &column->column);
}

/* Does a text mean that there is no value? */
bool
ls_import_is_null(const LsImport *import, const char *value)
{
	int i;

	for (i = 0; i < import->options.n_null_values; i++)
	{
		if (strcmp(import->options.null_values[i], value) == 0)
			return true;
	}
	return false;
}
