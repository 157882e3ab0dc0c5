/*-------------------------------------------------------------------------
 *
 * dnc_list.c
 *	  Changing the do-not-call list.
 *
 *	  What a change entails (audit, blocking and unblocking of leads) is done by
 *	  the statement trigger of the table, so that COPY obeys the same rules as
 *	  the functions.  Leads in turn stop what is pending for them when they are
 *	  blocked (see the listeners of the domains that queue work).
 *
 *	  Locks are taken in the order dnc_list (by number), leads, campaign_leads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

/*
 * Put numbers on the list, or extend the time they are on it: permanent beats
 * temporary, later beats earlier, and an entry that had expired starts anew
 * (D4).  Returns rows of id, phone_number, "was added" for those that changed.
 */
static uint64
upsert_entries(const pg_uuid_t *org, Datum phone_numbers, Datum reason, Datum source,
	const TimestampTz *expires_at, const char *opt_out_phrase)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.dnc_list AS d"
		" (organization_id, phone_number, reason, source, expires_at, opt_out_phrase, added_by,"
		"  created_at, updated_at)"
		" SELECT $1, p.phone_number, $3, $4, $5, $6, $7, $8, $8"
		"   FROM (SELECT DISTINCT u COLLATE \"C\" AS phone_number FROM unnest($2) u) p"
		"  ORDER BY p.phone_number"
		" ON CONFLICT (organization_id, phone_number) DO UPDATE"
		"   SET reason = excluded.reason, source = excluded.source,"
		"       opt_out_phrase = excluded.opt_out_phrase, added_by = excluded.added_by,"
		"       expires_at = excluded.expires_at,"
		"       created_at = CASE WHEN d.expires_at <= $8 THEN excluded.created_at ELSE d.created_at END"
		" WHERE d.expires_at <= $8 OR excluded.expires_at > d.expires_at"
		"    OR (d.expires_at IS NOT NULL AND excluded.expires_at IS NULL)"
		" RETURNING d.id, d.phone_number, d.created_at = $8",
		UUIDOID, TEXTARRAYOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	pg_uuid_t user;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, phone_numbers, false);
	ls_arg_datum(&args, reason, false);
	ls_arg_datum(&args, source, false);
	ls_arg_datum(&args, expires_at ? TimestampTzGetDatum(*expires_at) : (Datum) 0, !expires_at);
	ls_arg_text(&args, opt_out_phrase);
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	return ls_query_run(&query, &args, LS_WRITE);
}

/* The id of an entry that is there. */
static pg_uuid_t
entry_id(const pg_uuid_t *org, const char *e164)
{
	LS_QUERY(query,
		"SELECT id FROM lead_system.dnc_list WHERE organization_id = $1 AND phone_number = $2",
		UUIDOID, TEXTOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, e164);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("the entry was removed by another session"),
						   errhint("Retry the transaction.")));
	return ls_result_uuid(0, 1);
}

/* Keep that somebody asked again, although the list says all of it already. */
static void
audit_repetition(const pg_uuid_t *org, const char *e164, Datum reason, Datum source,
	const TimestampTz *expires_at)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.dnc_audit_log"
		" (organization_id, action, phone_number, reason, source, expires_at, user_id, created_at)"
		" VALUES ($1, 'repeated', $2, $3, $4, $5, $6, $7)",
		UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	pg_uuid_t user;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, e164);
	ls_arg_datum(&args, reason, false);
	ls_arg_datum(&args, source, false);
	ls_arg_datum(&args, expires_at ? TimestampTzGetDatum(*expires_at) : (Datum) 0, !expires_at);
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&query, &args, LS_WRITE);
}

/* Add one number; returns the entry's id. */
static pg_uuid_t
add_number(const pg_uuid_t *org, const char *e164, Datum reason, Datum source,
	const TimestampTz *expires_at, const char *opt_out_phrase)
{
	Datum number = CStringGetTextDatum(e164);
	ArrayType *numbers = construct_array(&number, 1, TEXTOID, -1, false, TYPALIGN_INT);
	LsScope scope;
	pg_uuid_t id;

	ls_scope_open(&scope, LS_AS_OWNER);
	if (upsert_entries(org, PointerGetDatum(numbers), reason, source, expires_at, opt_out_phrase) >
		0)
		id = ls_result_uuid(0, 1);
	else
	{
		id = entry_id(org, e164);
		audit_repetition(org, e164, reason, source, expires_at);
	}
	ls_scope_close(&scope);
	return id;
}

/* The same for other domains: for good, in the caller's organisation. */
void
ls_dnc_add(const pg_uuid_t *org, const char *e164, const char *reason, const char *source)
{
	(void) add_number(
		org, e164, CStringGetTextDatum(reason), CStringGetTextDatum(source), NULL, NULL);
}

/* The same for a request in words, which are kept. */
void
ls_dnc_add_opt_out(const pg_uuid_t *org, const char *e164, const char *reason, const char *source,
	const char *phrase)
{
	(void) add_number(
		org, e164, CStringGetTextDatum(reason), CStringGetTextDatum(source), NULL, phrase);
}

/* The region in which the caller's organisation writes numbers. */
static const char *
caller_region(const pg_uuid_t *org)
{
	const LsOrganization *organization = ls_organization(org);

	if (organization == NULL)
		ls_no_such_row("organization", org);
	return organization->default_region;
}

/* A number argument in its stored form, or 22023. */
void
ls_require_number(FunctionCallInfo fcinfo, int arg, const pg_uuid_t *org, char e164[LS_PHONE_SIZE])
{
	char *raw;

	LS_REQUIRE_ARG(arg, "phone_number");
	raw = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	if (!ls_phone_to_e164(raw, caller_region(org), e164))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not a valid phone number", raw),
						   errhint("Pass the number as +<country code><number>.")));
}

/* A text argument that must say something. */
Datum
ls_require_words(FunctionCallInfo fcinfo, int arg, const char *name)
{
	char *words;

	LS_REQUIRE_ARG(arg, name);
	words = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	if (words[strspn(words, " \t\r\n")] == '\0')
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be empty", name)));
	return PG_GETARG_DATUM(arg);
}

/* The argument expires_at must lie ahead; an entry that lists nothing is a slip. */
static void
check_expiry(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(3) && PG_GETARG_TIMESTAMPTZ(3) <= ls_clock_now())
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("expires_at must be in the future"),
				errhint("NULL lists a number for good.")));
}

PG_FUNCTION_INFO_V1(ls_compliance_add_to_dnc_list);

/* add_to_dnc_list(phone_number, reason, source, expires_at, opt_out_phrase) */
Datum
ls_compliance_add_to_dnc_list(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	char e164[LS_PHONE_SIZE];
	TimestampTz expires_at = 0;
	pg_uuid_t org;
	Datum reason;
	Datum source;

	ls_require_org(&org);
	ls_require_number(fcinfo, 0, &org, e164);
	reason = ls_require_words(fcinfo, 1, "reason");
	source = ls_require_words(fcinfo, 2, "source");
	check_expiry(fcinfo);
	if (!PG_ARGISNULL(3))
		expires_at = PG_GETARG_TIMESTAMPTZ(3);
	*id = add_number(&org, e164, reason, source, PG_ARGISNULL(3) ? NULL : &expires_at,
		PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)));
	PG_RETURN_UUID_P(id);
}

/* A number that is to be added, and what became of it. */
typedef struct NumberResult
{
	char e164[LS_PHONE_SIZE]; /* hash key */
	const char *result;
	bool told; /* of an earlier element of the array */
} NumberResult;

/* Bring the numbers of an array to their stored form; bad ones become "". */
static char (
	*normalize_numbers(const pg_uuid_t *org, Datum *raw, bool *nulls, int n))[LS_PHONE_SIZE]
{
	char(*numbers)[LS_PHONE_SIZE] = palloc0(LS_PHONE_SIZE * Max(n, 1));
	const char *region = caller_region(org);
	int i;

	for (i = 0; i < n; i++)
	{
		if (nulls[i] || !ls_phone_to_e164(TextDatumGetCString(raw[i]), region, numbers[i]))
			numbers[i][0] = '\0';
	}
	return numbers;
}

/* Add the distinct good numbers; the answer says what became of each. */
static HTAB *
add_numbers(FunctionCallInfo fcinfo, const pg_uuid_t *org, char (*numbers)[LS_PHONE_SIZE], int n)
{
	HASHCTL ctl = {0};
	HTAB *results;
	Datum *distinct = palloc(sizeof(Datum) * Max(n, 1));
	int n_distinct = 0;
	TimestampTz expires_at = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);
	LsScope scope;
	uint64 changed;
	uint64 row;
	int i;

	ctl.keysize = LS_PHONE_SIZE;
	ctl.entrysize = sizeof(NumberResult);
	ctl.hcxt = CurrentMemoryContext;
	results = hash_create("numbers", n + 1, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	for (i = 0; i < n; i++)
	{
		bool found;
		NumberResult *entry;

		if (numbers[i][0] == '\0')
			continue;
		entry = hash_search(results, numbers[i], HASH_ENTER, &found);
		if (found)
			continue;
		entry->result = "unchanged";
		entry->told = false;
		distinct[n_distinct++] = CStringGetTextDatum(numbers[i]);
	}

	ls_scope_open(&scope, LS_AS_OWNER);
	changed = upsert_entries(org,
		PointerGetDatum(construct_array(distinct, n_distinct, TEXTOID, -1, false, TYPALIGN_INT)),
		PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), PG_ARGISNULL(3) ? NULL : &expires_at, NULL);
	for (row = 0; row < changed; row++)
	{
		NumberResult *entry = hash_search(results, ls_result_text(row, 2), HASH_FIND, NULL);

		entry->result = ls_result_bool(row, 3) ? "added" : "extended";
	}
	ls_scope_close(&scope);
	return results;
}

PG_FUNCTION_INFO_V1(ls_compliance_add_numbers);

/* add_numbers_to_dnc_list(phone_numbers, reason, source, expires_at) */
Datum
ls_compliance_add_numbers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char(*numbers)[LS_PHONE_SIZE];
	pg_uuid_t org;
	HTAB *results;
	Datum *raw;
	bool *nulls;
	int n;
	int i;

	LS_REQUIRE_ARG(0, "phone_numbers");
	(void) ls_require_words(fcinfo, 1, "reason");
	(void) ls_require_words(fcinfo, 2, "source");
	check_expiry(fcinfo);
	ls_require_org(&org);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &raw, &nulls, &n);
	numbers = normalize_numbers(&org, raw, nulls, n);
	results = add_numbers(fcinfo, &org, numbers, n);

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < n; i++)
	{
		bool valid = numbers[i][0] != '\0';
		NumberResult *entry = valid ? hash_search(results, numbers[i], HASH_FIND, NULL) : NULL;
		const char *result = !valid ? "invalid" : entry->told ? "unchanged" : entry->result;
		Datum values[3] = {raw[i], valid ? CStringGetTextDatum(numbers[i]) : (Datum) 0,
			CStringGetTextDatum(result)};
		bool result_nulls[3] = {nulls[i], !valid, false};

		if (valid)
			entry->told = true;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, result_nulls);
	}
	return (Datum) 0;
}

/* Delete an entry; the trigger does the rest.  Was it in force? */
static bool
remove_number(const pg_uuid_t *org, const char *e164)
{
	LS_QUERY(query,
		"DELETE FROM lead_system.dnc_list WHERE organization_id = $1 AND phone_number = $2"
		" RETURNING expires_at IS NULL OR expires_at > $3",
		UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool was_listed;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, e164);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	was_listed = ls_query_run(&query, &args, LS_WRITE) > 0 && ls_result_bool(0, 1);
	ls_scope_close(&scope);
	return was_listed;
}

/* The consent for the sake of which an entry is being removed, or NULL. */
static const pg_uuid_t *overriding = NULL;

const pg_uuid_t *
ls_dnc_overriding(void)
{
	return overriding;
}

/* Remove an entry for a reason, which goes into the audit. */
static bool
remove_for(const pg_uuid_t *org, const char *e164, const char *reason)
{
	const LsLeadCause cause = {reason, "manual", NULL, true};
	const LsLeadCause *previous = ls_lead_cause_set(&cause);
	volatile bool was_listed = false;

	PG_TRY();
	{
		was_listed = remove_number(org, e164);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	return was_listed;
}

/* Remove an entry on the strength of a consent (D7).  Was it in force? */
bool
ls_dnc_override(
	const pg_uuid_t *org, const char *e164, const char *reason, const pg_uuid_t *consent)
{
	volatile bool was_listed = false;

	overriding = consent;
	PG_TRY();
	{
		was_listed = remove_for(org, e164, reason);
	}
	PG_FINALLY();
	{
		overriding = NULL;
	}
	PG_END_TRY();
	return was_listed;
}

/*
 * Take off a number that a message had listed, since another one takes that back
 * (D11).  What was listed for any other reason stays.  Was it in force?
 */
bool
ls_dnc_resubscribe(const pg_uuid_t *org, const char *e164, const char *reason)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.dnc_list WHERE organization_id = $1 AND phone_number = $2"
		"   AND reason = '" LS_DNC_BY_STOP "' FOR UPDATE",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, e164);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return found && remove_for(org, e164, reason);
}

PG_FUNCTION_INFO_V1(ls_compliance_remove_from_dnc_list);

/* remove_from_dnc_list(phone_number, reason) */
Datum
ls_compliance_remove_from_dnc_list(PG_FUNCTION_ARGS)
{
	char e164[LS_PHONE_SIZE];
	pg_uuid_t org;
	char *reason;

	ls_require_org(&org);
	if (!ls_caller_is_admin())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied to take a number off the do-not-call list"),
						   errdetail("Only administrators may do so.")));
	ls_require_number(fcinfo, 0, &org, e164);
	reason = TextDatumGetCString(ls_require_words(fcinfo, 1, "reason"));
	PG_RETURN_BOOL(remove_for(&org, e164, reason));
}
