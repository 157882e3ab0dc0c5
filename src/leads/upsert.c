/*-------------------------------------------------------------------------
 *
 * upsert.c
 *	  upsert_lead(): one lead as a JSON object.
 *
 *	  What counts as a duplicate is what the table itself refuses (a live lead
 *	  with the phone number; the e-mail address within 24 hours), and a lead
 *	  from the same source with the same source_id.  Another session may insert
 *	  the same lead in between, so the insert runs in a subtransaction; when the
 *	  table refuses it, the look-up is made again and finds the other's row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "leads/input.h"
#include "leads/leads.h"

/* Attempts at inserting while other sessions insert and remove the same lead. */
#define MAX_ATTEMPTS 5

typedef enum OnDuplicate
{
	ON_DUPLICATE_REJECT,
	ON_DUPLICATE_MERGE,
	ON_DUPLICATE_SKIP
} OnDuplicate;

/* The third state of an insert: the table refused the row as a duplicate. */
typedef enum InsertResult
{
	INSERTED,
	REFUSED
} InsertResult;

/* The argument on_duplicate. */
static OnDuplicate
parse_on_duplicate(const char *text)
{
	if (strcmp(text, "reject") == 0)
		return ON_DUPLICATE_REJECT;
	if (strcmp(text, "merge") == 0)
		return ON_DUPLICATE_MERGE;
	if (strcmp(text, "skip") == 0)
		return ON_DUPLICATE_SKIP;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized value \"%s\" for on_duplicate", text),
					   errhint("Values are: reject, merge, skip.")));
}

/* Read the JSON object; unknown keys and bad values are refused. */
static void
read_lead(Jsonb *json, const LsOrganization *organization, LsLeadInput *input)
{
	LsJsonMember *members;
	int n;
	int i;

	memset(input, 0, sizeof(LsLeadInput));
	members = ls_json_members(json, "lead", &n);
	for (i = 0; i < n; i++)
	{
		LsLeadColumn column;
		LsInputTarget target = ls_lead_input_target(members[i].key, false, &column);
		LsInputError error;

		if (target == LS_INPUT_UNKNOWN)
			ls_json_unknown_key("lead", members[i].key, ls_lead_input_names());
		if (!ls_lead_input_set(input, organization, target, column,
				ls_json_scalar_text(&members[i].value), &error))
			ereport(ERROR, (errcode(error.sqlstate), errmsg("%s", error.message),
							   errdetail("Key \"%s\" of lead.", members[i].key)));
	}
}

/* Find and lock a lead that the input duplicates. */
static bool
find_duplicate(const pg_uuid_t *org, const LsLeadInput *input, pg_uuid_t *id, char **matched_on)
{
	LS_QUERY(query,
		"SELECT l.id, m.matched_on"
		"  FROM (SELECT id, 1 AS rank, 'id' AS matched_on FROM lead_system.leads"
		"         WHERE organization_id = $1 AND id = $2"
		"        UNION ALL"
		"        SELECT id, 2, 'source_id' FROM lead_system.leads"
		"         WHERE organization_id = $1 AND source_id = $3 AND source IS NOT DISTINCT FROM $4"
		"        UNION ALL"
		"        SELECT id, 3, 'phone_number' FROM lead_system.leads"
		"         WHERE organization_id = $1 AND phone_number = $5 AND deleted_at IS NULL"
		"        UNION ALL"
		"        SELECT id, 4, 'email' FROM lead_system.leads"
		"         WHERE organization_id = $1 AND email = $6 AND deleted_at IS NULL"
		"           AND created_at > $7 - make_interval(hours => $8)"
		"           AND created_at < $7 + make_interval(hours => $8)) m"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = m.id"
		" WHERE l.deleted_at IS NULL"
		" ORDER BY m.rank, l.created_at LIMIT 1 FOR NO KEY UPDATE OF l",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, input->values[LEAD_id], !input->set[LEAD_id]);
	ls_arg_text(&args, ls_lead_input_text(input, LEAD_source_id));
	ls_arg_text(&args, ls_lead_input_text(input, LEAD_source));
	ls_arg_text(&args, ls_lead_input_text(input, LEAD_phone_number));
	ls_arg_text(&args, ls_lead_input_text(input, LEAD_email));
	ls_arg_timestamptz(&args, input->set[LEAD_created_at]
								  ? DatumGetTimestampTz(input->values[LEAD_created_at])
								  : ls_clock_now());
	ls_arg_int32(&args, ls_config_int(org, "leads.duplicate_email_hours"));
	ls_scope_open(&scope, LS_AS_CALLER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		*id = ls_result_uuid(0, 1);
		*matched_on = ls_result_text(0, 2);
	}
	ls_scope_close(&scope);
	return found;
}

/* A statement whose parameters are columns of the input. */
typedef struct LeadStatement
{
	int n;
	Oid types[LEAD_N_COLUMNS + 2];
	Datum values[LEAD_N_COLUMNS + 2];
} LeadStatement;

/* Start it: $1 is the organisation, $2 the lead. */
static void
statement_start(LeadStatement *statement, const pg_uuid_t *org, const pg_uuid_t *id)
{
	statement->types[0] = statement->types[1] = UUIDOID;
	statement->values[0] = UUIDPGetDatum(org);
	statement->values[1] = UUIDPGetDatum(id);
	statement->n = 2;
}

/* Add a column as a parameter; returns its number. */
static int
statement_add(LeadStatement *statement, const LsLeadInput *input, int column)
{
	statement->types[statement->n] = ls_lead_columns[column].type;
	statement->values[statement->n] = input->values[column];
	return ++statement->n;
}

/* Run it as the caller. */
static void
statement_run(LeadStatement *statement, const char *sql)
{
	LsScope scope;
	int rc;

	ls_scope_open(&scope, LS_AS_CALLER);
	rc = SPI_execute_with_args(
		sql, statement->n, statement->types, statement->values, NULL, false, 0);
	if (rc < 0)
		elog(ERROR, "could not write the lead: %s", SPI_result_code_string(rc));
	ls_scope_close(&scope);
}

/* Insert the lead with the columns that are set. */
static void
insert_lead(const pg_uuid_t *org, const pg_uuid_t *id, const LsLeadInput *input)
{
	LeadStatement statement;
	StringInfoData columns;
	StringInfoData params;
	int i;

	initStringInfo(&columns);
	initStringInfo(&params);
	statement_start(&statement, org, id);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (!input->set[i] || i == LEAD_id)
			continue;
		appendStringInfo(&columns, ", %s", ls_lead_columns[i].name);
		appendStringInfo(&params, ", $%d", statement_add(&statement, input, i));
	}
	statement_run(&statement,
		psprintf("INSERT INTO lead_system.leads (organization_id, id%s) VALUES ($1, $2%s)",
			columns.data, params.data));
}

/*
 * Insert in a subtransaction.  REFUSED when the table says that it is there
 * already; any other error goes on.
 */
static InsertResult
try_insert(const pg_uuid_t *org, const pg_uuid_t *id, const LsLeadInput *input)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile InsertResult result = INSERTED;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		insert_lead(org, id, input);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
		{
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			ReThrowError(error);
		}
		result = REFUSED;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return result;
}

/* How a column is merged into one that has a value. */
static void
append_merge(StringInfo set, LsLeadColumn column, int param)
{
	const char *name = ls_lead_columns[column].name;

	if (ls_lead_fills_only(column))
		appendStringInfo(set, "%s = coalesce(%s, $%d)", name, name, param);
	else if (ls_lead_columns[column].flags & LS_LEAD_STICKY)
		appendStringInfo(set, "%s = %s OR $%d", name, name, param);
	else if (ls_lead_columns[column].type == JSONBOID)
		appendStringInfo(set, "%s = %s || $%d", name, name, param);
	else if (ls_lead_columns[column].type == TEXTARRAYOID)
		appendStringInfo(set, "%s = %s || ARRAY(SELECT t FROM unnest($%d) t WHERE t <> ALL (%s))",
			name, name, param, name);
	else
		appendStringInfo(set, "%s = $%d", name, param);
}

/* Merge the input into a lead: what is set overwrites, the origin stays. */
static void
merge_into(const pg_uuid_t *org, const pg_uuid_t *id, const LsLeadInput *input)
{
	LeadStatement statement;
	StringInfoData set;
	int i;

	initStringInfo(&set);
	statement_start(&statement, org, id);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (!input->set[i] || i == LEAD_id)
			continue;
		appendStringInfoString(&set, set.len > 0 ? ", " : "");
		append_merge(&set, (LsLeadColumn) i, statement_add(&statement, input, i));
	}
	if (set.len > 0)
		statement_run(&statement,
			psprintf("UPDATE lead_system.leads SET %s WHERE organization_id = $1 AND id = $2",
				set.data));
}

/* Handle a lead that is there already; returns its id. */
static pg_uuid_t
handle_duplicate(const pg_uuid_t *org, const pg_uuid_t *existing, const char *matched_on,
	const LsLeadInput *input, OnDuplicate action)
{
	switch (action)
	{
		case ON_DUPLICATE_REJECT:
			ereport(ERROR,
				(errcode(LS_ERRCODE_DUPLICATE_LEAD), errmsg("the lead exists already"),
					errdetail("Lead \"%s\" has the same %s.", ls_uuid_text(existing), matched_on),
					errhint("on_duplicate => 'merge' updates it, 'skip' leaves it as it is.")));
			break;
		case ON_DUPLICATE_MERGE:
			merge_into(org, existing, input);
			break;
		case ON_DUPLICATE_SKIP:
			break;
	}
	return *existing;
}

PG_FUNCTION_INFO_V1(ls_leads_upsert);

/* upsert_lead(lead, on_duplicate): returns the id of the lead. */
Datum
ls_leads_upsert(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	OnDuplicate action;
	pg_uuid_t org;
	pg_uuid_t id;
	LsLeadInput input;
	const LsOrganization *organization;
	int attempt;

	LS_REQUIRE_ARG(0, "lead");
	LS_REQUIRE_ARG(1, "on_duplicate");
	action = parse_on_duplicate(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	ls_require_org(&org);
	organization = ls_organization(&org);
	if (organization == NULL)
		ls_no_such_row("organization", &org);
	read_lead(PG_GETARG_JSONB_P(0), organization, &input);

	for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
	{
		pg_uuid_t existing;
		char *matched_on;

		if (find_duplicate(&org, &input, &existing, &matched_on))
		{
			*result = handle_duplicate(&org, &existing, matched_on, &input, action);
			PG_RETURN_UUID_P(result);
		}
		if (input.set[LEAD_id])
			id = *DatumGetUUIDP(input.values[LEAD_id]);
		else
			ls_uuid_v7(&id);
		if (try_insert(&org, &id, &input) == INSERTED)
		{
			*result = id;
			PG_RETURN_UUID_P(result);
		}
	}
	ereport(ERROR,
		(errcode(LS_ERRCODE_DUPLICATE_LEAD), errmsg("the lead exists already"),
			errdetail("Another lead with its phone number, e-mail address or id is not visible to "
					  "this transaction."),
			errhint("Retry in a new transaction.")));
}
