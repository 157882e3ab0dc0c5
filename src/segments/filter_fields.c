/*-------------------------------------------------------------------------
 *
 * filter_fields.c
 *	  What a filter can read: columns of leads, the names that the design
 *	  documents have for them, and paths below the jsonb columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "lead_system.h"
#include "segments/filter.h"

#define MAX_NAME 200

/* Names of the design documents. */
static const struct
{
	const char *name;
	LsLeadColumn column;
} aliases[] = {
	{"assigned_rep", LEAD_assigned_to},
	{"assigned_rep_id", LEAD_assigned_to},
	{"assigned_user_id", LEAD_assigned_to},
	{"category", LEAD_temperature},
	{"company", LEAD_company_name},
	{"created_date", LEAD_created_at},
	{"customer_address", LEAD_address},
	{"customer_email", LEAD_email},
	{"customer_phone", LEAD_phone_number},
	{"customer_zip_code", LEAD_zip_code},
	{"last_activity", LEAD_last_activity_at},
	{"last_activity_date", LEAD_last_activity_at},
	{"last_contact", LEAD_last_contact_at},
	{"last_contact_date", LEAD_last_contact_at},
	{"lead_source", LEAD_source},
	{"phone", LEAD_phone_number},
	{"quality_rating", LEAD_temperature},
	{"score", LEAD_lead_score},
	{"time_zone", LEAD_timezone},
	{"urgency_level", LEAD_urgency},
	{"zip", LEAD_zip_code},
};

/* May a filter read a column?  Organisation and deletion are no matter of it. */
static bool
is_readable(LsLeadColumn column)
{
	return column != LEAD_NONE && column != LEAD_organization_id && column != LEAD_deleted_at;
}

/* The column that a name stands for; LEAD_NONE when there is none. */
static LsLeadColumn
find_column(const char *name)
{
	LsLeadColumn column = ls_lead_find_column(name);
	int i;

	for (i = 0; column == LEAD_NONE && i < (int) lengthof(aliases); i++)
	{
		if (strcmp(aliases[i].name, name) == 0)
			column = aliases[i].column;
	}
	return is_readable(column) ? column : LEAD_NONE;
}

/* Remember a name that is closer to the one that was meant. */
static void
consider(const char *meant, const char *name, const char **closest, int *distance)
{
	int d = varstr_levenshtein_less_equal(
		meant, strlen(meant), name, strlen(name), 1, 1, 1, *distance - 1, true);

	if (d < *distance)
	{
		*distance = d;
		*closest = name;
	}
}

/* Refuse a name, and say which one may have been meant. */
static void
unknown_field(const char *name)
{
	const char *closest = NULL;
	int distance = Min(4, (int) strlen(name) / 2 + 1);
	char *shown = pnstrdup(name, pg_mbcliplen(name, strlen(name), MAX_NAME));
	int i;

	if (strlen(name) <= MAX_NAME)
	{
		for (i = 0; i < LEAD_N_COLUMNS; i++)
		{
			if (is_readable((LsLeadColumn) i))
				consider(name, ls_lead_columns[i].name, &closest, &distance);
		}
		for (i = 0; i < (int) lengthof(aliases); i++)
			consider(name, aliases[i].name, &closest, &distance);
	}
	ereport(
		ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				   errmsg("unrecognized key \"%s\" in filter", shown),
				   closest ? errhint("Perhaps you meant \"%s\".", closest)
						   : errhint("Keys are columns of leads, and, or, not, and paths such as "
									 "metadata.<key>.")));
}

/* Split what follows the column at the dots. */
static void
split_path(const char *name, const char *path, LsFilterField *field)
{
	Datum *keys = palloc(sizeof(Datum) * (strlen(path) + 1));

	field->path_keys = palloc(sizeof(char *) * (strlen(path) + 1));
	for (;;)
	{
		size_t length = strcspn(path, ".");

		if (length == 0)
			ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid path \"%s\" in filter", name),
					errdetail("A path is a column and keys below it, with a dot before each.")));
		field->path_keys[field->n_path] = pnstrdup(path, length);
		keys[field->n_path] = CStringGetTextDatum(field->path_keys[field->n_path]);
		field->n_path++;
		if (path[length] == '\0')
			break;
		path += length + 1;
	}
	field->path =
		PointerGetDatum(construct_array(keys, field->n_path, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Find what a key of a filter stands for; raises 22023 when that is nothing. */
void
ls_lead_filter_field(const char *name, LsFilterField *field)
{
	const char *dot = strchr(name, '.');

	memset(field, 0, sizeof(LsFilterField));
	field->name = name;
	field->column = find_column(dot ? pnstrdup(name, dot - name) : name);
	if (field->column == LEAD_NONE)
		unknown_field(name);
	if (dot == NULL)
		return;
	if (ls_lead_columns[field->column].type != JSONBOID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized key \"%s\" in filter", name),
						   errdetail("Column \"%s\" has no keys below it.",
							   ls_lead_columns[field->column].name),
						   errhint("Paths begin with metadata, source_metadata, external_ids or "
								   "score_breakdown.")));
	split_path(name, dot + 1, field);
}

/* The type that tests of a field are about; JSONBOID for what is below a path. */
Oid
ls_lead_filter_type(const LsFilterField *field)
{
	return ls_lead_columns[field->column].type;
}

/* The path as a text[] literal, for SQL. */
char *
ls_lead_filter_path(const LsFilterField *field)
{
	StringInfoData text;
	int i;

	initStringInfo(&text);
	appendStringInfoString(&text, "ARRAY[");
	for (i = 0; i < field->n_path; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(field->path_keys[i]));
	appendStringInfoString(&text, "]");
	return text.data;
}
