/*-------------------------------------------------------------------------
 *
 * template.c
 *	  Texts with placeholders: {{lead.first_name}}, {{user.full_name}},
 *	  {{organization.name}}, {{payload.key}}.
 *
 *	  A text is read once, from its beginning to its end, and values are put
 *	  where placeholders are.  What a value says is never looked at again, so a
 *	  lead that calls itself {{user.email}} is called just that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "leads/columns.h"
#include "notifications/template.h"

/* What a template may say of a user. */
static const char *const user_columns[] = {
	"email", "full_name", "id", "phone_number", "role", "slack_user_id"};

/* A piece of a text: literal characters, or a placeholder's name. */
typedef struct Piece
{
	bool is_placeholder;
	const char *start;
	int length;
} Piece;

/* Is a string that is not terminated the same as another? */
static bool
is_word(const char *start, int length, const char *word)
{
	return strlen(word) == (size_t) length && strncmp(start, word, length) == 0;
}

/*
 * The next piece of a text; false at its end.  Raises 22023 for a placeholder
 * that is not closed, which a check has not let in.
 */
static bool
next_piece(const char **text, Piece *piece)
{
	const char *open = strstr(*text, "{{");
	const char *close;

	if (**text == '\0')
		return false;
	piece->is_placeholder = open == *text;
	piece->start = *text;
	if (!piece->is_placeholder)
	{
		piece->length = open ? (int) (open - *text) : (int) strlen(*text);
		*text += piece->length;
		return true;
	}
	close = strstr(open, "}}");
	if (close == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a placeholder of the template is not closed"), errhint("Write {{name}}.")));
	*text = close + 2;
	for (open += 2; open < close && *open == ' '; open++)
		;
	for (; close > open && close[-1] == ' '; close--)
		;
	piece->start = open;
	piece->length = (int) (close - open);
	return true;
}

/* Is a name that of a column of leads that templates may use? */
static bool
is_lead_column(const char *name, int length)
{
	int i;

	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (i != LEAD_organization_id && is_word(name, length, ls_lead_columns[i].name))
			return true;
	}
	return false;
}

/* The same of users. */
static bool
is_user_column(const char *name, int length)
{
	int i;

	for (i = 0; i < (int) lengthof(user_columns); i++)
	{
		if (is_word(name, length, user_columns[i]))
			return true;
	}
	return false;
}

/* May a template have this placeholder? */
static bool
is_known(const Piece *piece)
{
	const char *dot = memchr(piece->start, '.', piece->length);
	int prefix;
	int length;

	if (dot == NULL)
		return false;
	prefix = (int) (dot - piece->start);
	length = piece->length - prefix - 1;
	if (is_word(piece->start, prefix, "lead"))
		return is_lead_column(dot + 1, length);
	if (is_word(piece->start, prefix, "user"))
		return is_user_column(dot + 1, length);
	if (is_word(piece->start, prefix, "organization"))
		return is_word(dot + 1, length, "name");
	return is_word(piece->start, prefix, "payload") && length > 0;
}

/* All that a template may have, for a hint. */
static char *
known_placeholders(void)
{
	StringInfoData known;
	int i;

	initStringInfo(&known);
	appendStringInfoString(&known, "organization.name, payload.<key>");
	for (i = 0; i < (int) lengthof(user_columns); i++)
		appendStringInfo(&known, ", user.%s", user_columns[i]);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (i != LEAD_organization_id)
			appendStringInfo(&known, ", lead.%s", ls_lead_columns[i].name);
	}
	return known.data;
}

/* Refuse a text with placeholders that there are not; "column" says where it is. */
void
ls_template_check(const char *column, const char *text)
{
	Piece piece;

	while (next_piece(&text, &piece))
	{
		if (piece.is_placeholder && !is_known(&piece))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("unrecognized placeholder \"%.*s\" in the %s", piece.length,
								   piece.start, column),
							   errhint("Known placeholders are: %s.", known_placeholders())));
	}
}

/* What a placeholder stands for; NULL when there is nothing. */
static char *
value_of(const Piece *piece, const LsTemplateValues *values)
{
	char *name = pnstrdup(piece->start, piece->length);
	char *key = strchr(name, '.');
	Jsonb *source;
	JsonbValue *value;

	if (strcmp(name, "organization.name") == 0)
		return values->organization ? pstrdup(values->organization) : NULL;
	if (key == NULL)
		return NULL;
	key++;
	source = name[0] == 'l' ? values->lead : name[0] == 'u' ? values->user : values->payload;
	value = source ? ls_json_get(source, key) : NULL;
	return value ? ls_json_scalar_text(value) : NULL;
}

/* A text with values in place of its placeholders; NULL for NULL. */
char *
ls_template_fill(const char *text, const LsTemplateValues *values)
{
	StringInfoData filled;
	Piece piece;

	if (text == NULL)
		return NULL;
	initStringInfo(&filled);
	while (next_piece(&text, &piece))
	{
		char *value;

		if (!piece.is_placeholder)
			appendBinaryStringInfo(&filled, piece.start, piece.length);
		else if ((value = value_of(&piece, values)) != NULL)
			appendStringInfoString(&filled, value);
	}
	return filled.data;
}

/* Report a template that there is not. */
void
ls_template_missing(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
					   errmsg("notification template \"%s\" does not exist", name),
					   errhint("lead_system.notification_templates has those that there are.")));
}

PG_FUNCTION_INFO_V1(ls_notifications_template_check);

/* notification_templates_check(): BEFORE row trigger of notification_templates. */
Datum
ls_notifications_template_check(PG_FUNCTION_ARGS)
{
	static const char *const columns[] = {"subject", "body"};
	TriggerData *trigdata = ls_trigger_check(fcinfo, "notification_templates_check",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "notification_templates");
	Relation rel = trigdata->tg_relation;
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	bool isnull;
	Datum value = SPI_getbinval(
		tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "organization_id"), &isnull);
	int i;

	ls_check_row_org(rel, isnull ? NULL : DatumGetUUIDP(value));
	for (i = 0; i < (int) lengthof(columns); i++)
	{
		value = SPI_getbinval(
			tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, columns[i]), &isnull);
		if (!isnull)
			ls_template_check(columns[i], TextDatumGetCString(value));
	}
	return PointerGetDatum(tuple);
}

/* A row of a table as a jsonb, in the caller's context; P0002 when it is not there. */
static Jsonb *
read_row(LsQuery *query, const char *kind, const pg_uuid_t *org, const pg_uuid_t *id)
{
	LsArgs args = {0};
	LsScope scope;
	Jsonb *row = NULL;
	bool isnull;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(query, &args, LS_READ) > 0)
	{
		Jsonb *found = DatumGetJsonbP(ls_result(0, 1, &isnull));

		row = SPI_palloc(VARSIZE(found));
		memcpy(row, found, VARSIZE(found));
	}
	ls_scope_close(&scope);
	if (row == NULL)
		ls_no_such_row(kind, id);
	return row;
}

/* Subject and body of a template, and the name of the organisation. */
static void
read_template(const pg_uuid_t *org, const char *name, char **subject, char **body, char **org_name)
{
	LS_QUERY(query,
		"SELECT x.subject, x.body, o.name FROM lead_system.organizations o CROSS JOIN LATERAL"
		" (" LS_TEMPLATE_SQL("t.subject, t.body", "$2") ") x WHERE o.id = $1",
		UUIDOID, TEXTOID);
	LsArgs args = {0};
	LsScope scope;
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, name);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_READ) > 0;
	if (found)
	{
		*subject = ls_result_text(0, 1);
		*body = ls_result_text(0, 2);
		*org_name = ls_result_text(0, 3);
	}
	ls_scope_close(&scope);
	if (!found)
		ls_template_missing(name);
}

PG_FUNCTION_INFO_V1(ls_notifications_render);

/* render_template(template_name, lead_id, user_id, payload) */
Datum
ls_notifications_render(PG_FUNCTION_ARGS)
{
	LS_QUERY(lead,
		"SELECT to_jsonb(l) FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $2",
		UUIDOID, UUIDOID);
	LS_QUERY(user,
		"SELECT to_jsonb(u) FROM lead_system.users u WHERE u.organization_id = $1 AND u.id = $2",
		UUIDOID, UUIDOID);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	LsTemplateValues values = {0};
	Datum result[2] = {0};
	bool nulls[2] = {true, true};
	char *texts[2];
	char *organization;
	pg_uuid_t org;
	int i;

	LS_REQUIRE_ARG(0, "template_name");
	ls_require_org(&org);
	read_template(&org, text_to_cstring(PG_GETARG_TEXT_PP(0)), &texts[0], &texts[1], &organization);
	values.organization = organization;
	if (!PG_ARGISNULL(1))
		values.lead = read_row(&lead, "lead", &org, PG_GETARG_UUID_P(1));
	if (!PG_ARGISNULL(2))
		values.user = read_row(&user, "user", &org, PG_GETARG_UUID_P(2));
	if (!PG_ARGISNULL(3))
	{
		values.payload = PG_GETARG_JSONB_P(3);
		if (!JB_ROOT_IS_OBJECT(values.payload))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("payload must be a JSON object")));
	}
	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < 2; i++)
	{
		nulls[i] = texts[i] == NULL;
		if (!nulls[i])
			result[i] = CStringGetTextDatum(ls_template_fill(texts[i], &values));
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, result, nulls);
	return (Datum) 0;
}
