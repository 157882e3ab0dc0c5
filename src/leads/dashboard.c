/*-------------------------------------------------------------------------
 *
 * dashboard.c
 *	  dashboard_leads(): keyset paging, best score first, then newest.
 *
 *	  A page starts behind the last row of the page before, found in an index
 *	  that is in the order of the page; page one hundred costs what the first
 *	  one costs.  Two indexes serve the four combinations of filters: both have
 *	  the temperature before the score; a page over all temperatures takes a
 *	  page of each of the five and sorts those.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "leads/leads.h"

#define MAX_PAGE_SIZE 1000

/* clang-format off */
/* Parameters: $1 organisation, $2-$4 cursor, $5 page size, then the filters. */
#define PAGE_COLUMNS \
	"SELECT p.id, p.company_name, nullif(concat_ws(' ', p.first_name, p.last_name), '')," \
	" p.email, p.phone_number, p.status, p.temperature, p.lead_score, p.raw_score," \
	" p.assigned_to, p.created_at," \
	" jsonb_build_object('raw_score', p.raw_score, 'created_at', p.created_at, 'id', p.id)" \
	" FROM ("
#define PAGE_LEADS(temperature, status) \
	"SELECT * FROM lead_system.leads WHERE organization_id = $1" \
	" AND temperature = " temperature status \
	" AND deleted_at IS NULL AND NOT is_spam AND (raw_score, created_at, id) < ($2, $3, $4)" \
	" ORDER BY raw_score DESC, created_at DESC, id DESC LIMIT $5"
#define PAGE_ALL_TEMPERATURES(status) \
	"(" PAGE_LEADS("'hot'", status) ") UNION ALL (" PAGE_LEADS("'warm'", status) \
	") UNION ALL (" PAGE_LEADS("'cool'", status) ") UNION ALL (" PAGE_LEADS("'cold'", status) \
	") UNION ALL (" PAGE_LEADS("'unrated'", status) ")"
#define PAGE_ORDER ") p ORDER BY p.raw_score DESC, p.created_at DESC, p.id DESC LIMIT $5"
/* clang-format on */

LS_QUERY(page_all, PAGE_COLUMNS PAGE_ALL_TEMPERATURES("") PAGE_ORDER, UUIDOID, INT4OID,
	TIMESTAMPTZOID, UUIDOID, INT8OID);
LS_QUERY(page_temperature, PAGE_COLUMNS PAGE_LEADS("$6", "") PAGE_ORDER, UUIDOID, INT4OID,
	TIMESTAMPTZOID, UUIDOID, INT8OID, TEXTOID);
LS_QUERY(page_status, PAGE_COLUMNS PAGE_ALL_TEMPERATURES(" AND status = $6") PAGE_ORDER, UUIDOID,
	INT4OID, TIMESTAMPTZOID, UUIDOID, INT8OID, TEXTOID);
LS_QUERY(page_both, PAGE_COLUMNS PAGE_LEADS("$6", " AND status = $7") PAGE_ORDER, UUIDOID, INT4OID,
	TIMESTAMPTZOID, UUIDOID, INT8OID, TEXTOID, TEXTOID);

/* Where a page starts. */
typedef struct Cursor
{
	int raw_score;
	TimestampTz created_at;
	pg_uuid_t id;
} Cursor;

/* A cursor that is not one that a page returned. */
static void
bad_cursor(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid cursor"),
					   errdetail("%s", detail),
					   errhint("Pass the cursor of the last row of the page before, unchanged.")));
}

/* Read the cursor of the last row of the page before; without one, start on top. */
static void
read_cursor(Jsonb *after, Cursor *cursor)
{
	LsJsonMember *members;
	bool found[3] = {false, false, false};
	int n;
	int i;

	cursor->raw_score = PG_INT32_MAX;
	cursor->created_at = DT_NOEND;
	memset(cursor->id.data, 0xFF, UUID_LEN);
	if (after == NULL)
		return;
	members = ls_json_members(after, "cursor", &n);
	for (i = 0; i < n; i++)
	{
		char *text = ls_json_scalar_text(&members[i].value);
		LsInputError error;
		Datum at;

		if (strcmp(members[i].key, "raw_score") == 0)
			found[0] = ls_json_int(&members[i].value, &cursor->raw_score);
		else if (strcmp(members[i].key, "id") == 0)
			found[1] = text != NULL && ls_uuid_parse(text, &cursor->id);
		else if (strcmp(members[i].key, "created_at") == 0)
		{
			found[2] = text != NULL && ls_type_input(TIMESTAMPTZOID, text, &at, &error);
			if (found[2])
				cursor->created_at = DatumGetTimestampTz(at);
		}
		else
			ls_json_unknown_key("cursor", members[i].key, "raw_score, created_at, id");
	}
	if (!found[0] || !found[1] || !found[2])
		bad_cursor("It needs raw_score, created_at and id.");
}

PG_FUNCTION_INFO_V1(ls_leads_dashboard);

/* dashboard_leads(temperature, status, page_size, after) */
Datum
ls_leads_dashboard(PG_FUNCTION_ARGS)
{
	bool has_temperature = !PG_ARGISNULL(0);
	bool has_status = !PG_ARGISNULL(1);
	int page_size = PG_ARGISNULL(2) ? 50 : PG_GETARG_INT32(2);
	LsQuery *query;
	Cursor cursor;
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	if (page_size < 1 || page_size > MAX_PAGE_SIZE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("page_size must be between 1 and %d", MAX_PAGE_SIZE)));
	read_cursor(PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3), &cursor);
	ls_require_org(&org);
	InitMaterializedSRF(fcinfo, 0);

	ls_arg_uuid(&args, &org);
	ls_arg_int32(&args, cursor.raw_score);
	ls_arg_timestamptz(&args, cursor.created_at);
	ls_arg_uuid(&args, &cursor.id);
	ls_arg_int64(&args, page_size);
	if (has_temperature)
		ls_arg_datum(&args, PG_GETARG_DATUM(0), false);
	if (has_status)
		ls_arg_datum(&args, PG_GETARG_DATUM(1), false);
	if (has_temperature)
		query = has_status ? &page_both : &page_temperature;
	else
		query = has_status ? &page_status : &page_all;

	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
