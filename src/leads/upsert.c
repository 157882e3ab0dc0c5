/*-------------------------------------------------------------------------
 *
 * upsert.c
 *	  upsert_lead(): one lead as a JSON object.
 *
 *	  What counts as a duplicate is what the table itself refuses: a live lead
 *	  from the same source with the same source_id, with the phone number, or
 *	  with the e-mail address within 24 hours.  Calls that are about the same
 *	  lead take turns, so a form that is sent twice ends well twice.  Other
 *	  statements may insert the lead in between, so the insert runs in a
 *	  subtransaction; when the table refuses it, the look-up is made again and
 *	  finds the other's row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/lock.h"
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

/* What makes a lead the same lead, besides its id. */
static const LsLeadColumn identity[] = {LEAD_source_id, LEAD_email, LEAD_phone_number};

/* The locks that a call holds until it is done. */
typedef struct IdentityLocks
{
	int n;
	uint64 keys[lengthof(identity)];
} IdentityLocks;

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

/*
 * Refuse an object or an array where a single value belongs, and a second name
 * for what has been given already ("seen" has the first one).
 */
static void
check_member(
	const LsJsonMember *member, LsInputTarget target, LsLeadColumn column, const char **seen)
{
	Oid type = target == LS_INPUT_COLUMN ? ls_lead_columns[column].type : TEXTOID;

	if (member->value.type == jbvBinary && type != JSONBOID && type != TEXTARRAYOID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("key \"%s\" of lead takes a single value", member->key)));
	if (target == LS_INPUT_PIPELINE)
		column = LEAD_pipeline_id;
	else if (target == LS_INPUT_CATEGORY)
		column = LEAD_category_id;
	else if (target == LS_INPUT_NAME)
		column = LEAD_NONE;
	if (seen[column] != NULL)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("keys \"%s\" and \"%s\" of lead mean the same", seen[column], member->key)));
	seen[column] = member->key;
}

/* Read the JSON object; unknown keys and bad values are refused. */
static void
read_lead(Jsonb *json, const LsOrganization *organization, LsLeadInput *input)
{
	LsJsonMember *members;
	const char *seen[LEAD_N_COLUMNS + 1] = {NULL};
	int n;
	int i;

	memset(input, 0, sizeof(LsLeadInput));
	members = ls_json_members(json, "lead", &n);
	for (i = 0; i < n; i++)
	{
		LsLeadColumn column;
		LsInputTarget target = ls_lead_input_target(members[i].key, LS_INPUT_KEY, &column);
		LsInputError error;

		if (target == LS_INPUT_UNKNOWN)
			ls_json_unknown_key("lead", members[i].key, ls_lead_input_names(LS_INPUT_KEY));
		check_member(&members[i], target, column, seen);
		if (!ls_lead_input_set(input, organization, target, column,
				ls_json_scalar_text(&members[i].value), &error))
			ereport(ERROR, (errcode(error.sqlstate), errmsg("%s", error.message),
							   errdetail("Key \"%s\" of lead.", members[i].key)));
	}
}

/*
 * Find and lock a lead that the input duplicates.
 *
 * What matches is looked for once, whatever the planner knows of the table: a
 * plan that was made while it was small must not look again for each lead.
 */
static bool
find_duplicate(const pg_uuid_t *org, const LsLeadInput *input, pg_uuid_t *id, char **matched_on)
{
	LS_QUERY(query,
		"WITH m AS MATERIALIZED (SELECT id, 1 AS rank, 'id' AS matched_on FROM lead_system.leads"
		"         WHERE organization_id = $1 AND id = $2"
		"        UNION ALL"
		"        SELECT id, 2, 'source_id' FROM lead_system.leads"
		"         WHERE organization_id = $1 AND source_id = $3 AND source IS NOT DISTINCT FROM $4"
		"           AND deleted_at IS NULL"
		"        UNION ALL"
		"        SELECT id, 3, 'email' FROM lead_system.leads"
		"         WHERE organization_id = $1 AND email = $6 AND deleted_at IS NULL"
		"           AND created_at > $7 - make_interval(hours => $8)"
		"           AND created_at < $7 + make_interval(hours => $8)"
		"        UNION ALL"
		"        SELECT id, 4, 'phone_number' FROM lead_system.leads"
		"         WHERE organization_id = $1 AND phone_number = $5 AND deleted_at IS NULL)"
		" SELECT l.id, m.matched_on FROM m"
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

/* Did one of the rules refuse a row that say which leads are the same? */
static bool
is_duplicate(const ErrorData *error)
{
	static const char *const keys[] = {"leads_pkey", "leads_organization_id_phone_number_idx",
		"leads_organization_id_source_source_id_idx"};
	int i;

	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
		return false;
	if (error->constraint_name == NULL)
		return error->column_name != NULL && strcmp(error->column_name, "email") == 0;
	for (i = 0; i < (int) lengthof(keys); i++)
	{
		/* The key of a shard carries a number. */
		if (strncmp(error->constraint_name, keys[i], strlen(keys[i])) == 0)
			return true;
	}
	return false;
}

/*
 * Write in a subtransaction.  Returns what the table said when it refused the
 * row as a duplicate, NULL when the row was written; any other error goes on.
 */
static ErrorData *
try_write(void (*writer)(const pg_uuid_t *, const pg_uuid_t *, const LsLeadInput *),
	const pg_uuid_t *org, const pg_uuid_t *id, const LsLeadInput *input)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile refusal = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		writer(org, id, input);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		refusal = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (!is_duplicate(refusal))
			ReThrowError(refusal);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return refusal;
}

/* Merge, unless that makes the lead the same as a third one. */
static void
merge(const pg_uuid_t *org, const pg_uuid_t *existing, const char *matched_on,
	const LsLeadInput *input)
{
	ErrorData *refusal = try_write(merge_into, org, existing, input);

	if (refusal != NULL)
		ereport(ERROR,
			(errcode(LS_ERRCODE_DUPLICATE_LEAD), errmsg("the lead is the same as two others"),
				errdetail("Lead \"%s\" has the same %s. %s: %s", ls_uuid_text(existing), matched_on,
					refusal->message, refusal->detail ? refusal->detail : ""),
				errhint("Leave out what belongs to the other lead, or delete one of them.")));
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
			merge(org, existing, matched_on, input);
			break;
		case ON_DUPLICATE_SKIP:
			break;
	}
	return *existing;
}

/* Order of locks: the same in all sessions. */
static int
compare_keys(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/* The lock of one key. */
static LOCKTAG
identity_tag(uint64 key)
{
	return ls_lock_tag(LS_LOCK_LEAD_IDENTITY, (uint32) (key >> 32), (uint32) key);
}

/*
 * Keep other calls that are about the same lead out.  Only until this one is
 * done: from then on they see the row, and wait for its transaction.  Held to
 * the end of the transaction, the locks of one with many calls would fill the
 * lock table.
 */
static void
lock_identity(IdentityLocks *locks, const pg_uuid_t *org, const LsLeadInput *input)
{
	int i;

	locks->n = 0;
	for (i = 0; i < (int) lengthof(identity); i++)
	{
		const char *text = ls_lead_input_text(input, identity[i]);

		if (text != NULL)
			locks->keys[locks->n++] = hash_combine64(
				DatumGetUInt64(hash_any_extended(org->data, UUID_LEN, identity[i])),
				DatumGetUInt64(hash_any_extended((const unsigned char *) text, strlen(text), 0)));
	}
	qsort(locks->keys, locks->n, sizeof(uint64), compare_keys);
	for (i = 0; i < locks->n; i++)
	{
		LOCKTAG tag = identity_tag(locks->keys[i]);

		(void) LockAcquire(&tag, ExclusiveLock, false, false);
	}
}

/* Let the other calls go on. */
static void
unlock_identity(const IdentityLocks *locks)
{
	int i;

	for (i = 0; i < locks->n; i++)
	{
		LOCKTAG tag = identity_tag(locks->keys[i]);

		LockRelease(&tag, ExclusiveLock, false);
	}
}

/* Find the lead or make it; what the table says against that comes last. */
static pg_uuid_t
find_or_insert(const pg_uuid_t *org, const LsLeadInput *input, OnDuplicate action)
{
	ErrorData *refusal = NULL;
	pg_uuid_t id;
	int attempt;

	for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
	{
		char *matched_on;

		if (find_duplicate(org, input, &id, &matched_on))
			return handle_duplicate(org, &id, matched_on, input, action);
		if (action == ON_DUPLICATE_MERGE && ls_lead_recall(org, input))
			continue;
		if (input->set[LEAD_id])
			id = *DatumGetUUIDP(input->values[LEAD_id]);
		else
			ls_uuid_v7(&id);
		refusal = try_write(insert_lead, org, &id, input);
		if (refusal == NULL)
			return id;
	}
	ereport(ERROR,
		(errcode(LS_ERRCODE_DUPLICATE_LEAD), errmsg("the lead exists already"),
			errdetail("%s: %s", refusal->message, refusal->detail ? refusal->detail : ""),
			errhint("It has been deleted, or this transaction is older than it; in the latter case "
					"retry in a new transaction.")));
}

PG_FUNCTION_INFO_V1(ls_leads_upsert);

/* upsert_lead(lead, on_duplicate): returns the id of the lead. */
Datum
ls_leads_upsert(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	OnDuplicate action;
	IdentityLocks locks;
	pg_uuid_t org;
	LsLeadInput input;
	const LsOrganization *organization;

	LS_REQUIRE_ARG(0, "lead");
	LS_REQUIRE_ARG(1, "on_duplicate");
	action = parse_on_duplicate(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	ls_require_org(&org);
	organization = ls_organization(&org);
	if (organization == NULL)
		ls_no_such_row("organization", &org);
	read_lead(PG_GETARG_JSONB_P(0), organization, &input);

	lock_identity(&locks, &org, &input);
	*result = find_or_insert(&org, &input, action);
	unlock_identity(&locks);
	PG_RETURN_UUID_P(result);
}
