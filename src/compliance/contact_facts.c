/*-------------------------------------------------------------------------
 *
 * contact_facts.c
 *	  Reads what the judgement on contacts rests on: one query for the leads,
 *	  one for their numbers (or addresses), and one for claims.
 *
 *	  Kept plans are made for tables that may be empty then, so the texts leave
 *	  no choice: one probe per lead or number, of the one index that fits.  Where a
 *	  table was empty when it was analyzed, to read all of it looks cheapest, and a
 *	  session would go on doing so while it fills; so that is off here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "compliance/consents.h"
#include "compliance/contact_facts.h"
#include "compliance/national.h"
#include "core/query.h"
#include "core/uuid.h"

static const LsContactSource *contact_source = NULL;

/* Make known where claims and campaigns are read.  Called once, from a domain's Init. */
void
ls_contact_register_source(const LsContactSource *source)
{
	contact_source = source;
}

const LsContactSource *
ls_contact_source(void)
{
	return contact_source;
}

/* Open a scope in which tables are read by their indexes. */
static void
open_scope(LsScope *scope)
{
	ls_scope_open(scope, LS_AS_OWNER);
	(void) set_config_option(
		"enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Take over a row of the query for leads. */
static void
set_lead(LsContact *contact, uint64 row)
{
	LsContactFacts *facts = contact->facts;

	contact->found = true;
	contact->phone_number = ls_result_text(row, 2);
	contact->email = ls_result_text(row, 3);
	facts->whereabouts.phone_number = contact->phone_number;
	facts->whereabouts.state = ls_result_text(row, 4);
	facts->whereabouts.zip_code = ls_result_text(row, 5);
	facts->whereabouts.country = ls_result_text(row, 6);
	facts->whereabouts.timezone = ls_result_text(row, 7);
	facts->deleted = ls_result_bool(row, 8);
	facts->is_spam = ls_result_bool(row, 9);
	facts->do_not_call = ls_result_bool(row, 10);
	facts->blocked_reason = ls_result_text(row, 11);
	facts->organization_active = ls_result_bool(row, 12);
}

/* Read the leads. */
static void
read_leads(const LsContactQuestion *question, LsContact *contacts, int n)
{
	LS_QUERY(query,
		"SELECT u.i::integer, l.phone_number, l.email, l.state, l.zip_code, l.country, l.timezone,"
		"       l.deleted_at IS NOT NULL, l.is_spam, l.do_not_call, l.calling_blocked_reason,"
		"       o.status = 'active'"
		"  FROM lead_system.organizations o CROSS JOIN unnest($2) WITH ORDINALITY u(id, i)"
		" CROSS JOIN LATERAL (SELECT x.* FROM lead_system.leads x"
		"        WHERE x.organization_id = $1 AND x.id = u.id OFFSET 0) l"
		" WHERE o.id = $1",
		UUIDOID, UUIDARRAYOID);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * n);
	LsScope scope;
	LsArgs args = {0};
	uint64 rows;
	uint64 row;
	int i;

	for (i = 0; i < n; i++)
	{
		ids[i] = contacts[i].lead;
		contacts[i].facts = palloc0(sizeof(LsContactFacts));
	}
	ls_arg_uuid(&args, &question->org);
	ls_arg_datum(&args, ls_uuid_array(ids, n), false);
	open_scope(&scope);
	rows = ls_query_run(&query, &args, LS_READ);
	for (row = 0; row < rows; row++)
		set_lead(&contacts[ls_result_int32(row, 1) - 1], row);
	ls_scope_close(&scope);
}

/* The numbers of contacts, or their addresses, as an array; NULL where there is none. */
static Datum
points(const LsContact *contacts, int n, bool email)
{
	Datum *values = palloc(sizeof(Datum) * n);
	bool *nulls = palloc(sizeof(bool) * n);
	int lower = 1;
	int i;

	for (i = 0; i < n; i++)
	{
		const char *point = email ? contacts[i].email : contacts[i].phone_number;

		nulls[i] = point == NULL;
		values[i] = point ? CStringGetTextDatum(point) : (Datum) 0;
	}
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Take over a row of the query for numbers. */
static void
set_number(LsContact *contact, uint64 row)
{
	LsContactFacts *facts = contact->facts;
	bool isnull;
	Datum value;
	Datum *instants;
	int i;

	facts->consent = ls_result_text(row, 2);
	facts->nationally_listed = ls_result_bool(row, 3);
	value = ls_result(row, 4, &isnull);
	facts->load_is_known = !isnull;
	facts->loaded_on = isnull ? 0 : DatumGetDateADT(value);
	facts->suppressed = ls_result_bool(row, 5);
	value = ls_result(row, 6, &isnull);
	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(value), TIMESTAMPTZOID, sizeof(TimestampTz),
		FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &instants, NULL, &facts->n_attempts);
	facts->attempts = SPI_palloc(sizeof(TimestampTz) * facts->n_attempts);
	for (i = 0; i < facts->n_attempts; i++)
		facts->attempts[i] = DatumGetTimestampTz(instants[i]);
}

/*
 * Read what is known of numbers.  Attempts count that are not older than the
 * longer of the two limits.
 */
static void
read_numbers(
	const LsContactQuestion *question, LsContact *contacts, int n, const LsContactLimits *limits)
{
	LS_QUERY(query,
		"SELECT u.i::integer, " LS_CONSENT_SQL("$1", "phone_number", "u.phone_number", "$3") ", " LS_NATIONAL_LISTED_SQL("u.phone_number") ", " LS_NATIONAL_LOADED_SQL(
			"u.phone_number") ","
							  "       EXISTS (SELECT FROM lead_system.campaign_suppressions s WHERE s.organization_id = $1"
							  "          AND s.campaign_id = $5 AND s.phone_number = u.phone_number OFFSET 0),"
							  "       (SELECT array_agg(a.created_at) FROM lead_system.contact_attempts a"
							  "         WHERE a.organization_id = $1 AND a.phone_number = u.phone_number"
							  "           AND (a.phone_number, a.created_at) > (u.phone_number, $4)"
							  "           AND a.channel = $3 AND a.allowed)"
							  "  FROM unnest($2) WITH ORDINALITY u(phone_number, i) WHERE u.phone_number IS NOT NULL",
		UUIDOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	uint64 rows;
	uint64 row;

	ls_arg_uuid(&args, &question->org);
	ls_arg_datum(&args, points(contacts, n, false), false);
	ls_arg_text(&args, ls_channel_name(question->channel));
	ls_arg_timestamptz(&args, question->at - Max(limits->gap, USECS_PER_DAY));
	ls_arg_uuid(&args, question->campaign);
	open_scope(&scope);
	rows = ls_query_run(&query, &args, LS_READ);
	for (row = 0; row < rows; row++)
		set_number(&contacts[ls_result_int32(row, 1) - 1], row);
	ls_scope_close(&scope);
}

/* Read what is known of addresses. */
static void
read_addresses(const LsContactQuestion *question, LsContact *contacts, int n)
{
	LS_QUERY(query,
		"SELECT u.i::integer, " LS_CONSENT_SQL(
			"$1", "email", "u.email", "'email'") "  FROM unnest($2) WITH ORDINALITY u(email, i)"
												 " WHERE u.email IS NOT NULL",
		UUIDOID, TEXTARRAYOID);
	LsScope scope;
	LsArgs args = {0};
	uint64 rows;
	uint64 row;

	ls_arg_uuid(&args, &question->org);
	ls_arg_datum(&args, points(contacts, n, true), false);
	open_scope(&scope);
	rows = ls_query_run(&query, &args, LS_READ);
	for (row = 0; row < rows; row++)
		contacts[ls_result_int32(row, 1) - 1].facts->consent = ls_result_text(row, 2);
	ls_scope_close(&scope);
}

/* Take over a claim. */
static void
add_claim(void *arg, int lead, TimestampTz lapses_at)
{
	LsContactFacts *facts = ((LsContact *) arg)[lead].facts;

	if (facts->claims == NULL)
		facts->claims = SPI_palloc(sizeof(TimestampTz));
	else
		facts->claims = repalloc(facts->claims, sizeof(TimestampTz) * (facts->n_claims + 1));
	facts->claims[facts->n_claims++] = lapses_at;
}

/* Read the claims of other campaigns. */
static void
read_claims(const LsContactQuestion *question, LsContact *contacts, int n)
{
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * n);
	int i;

	for (i = 0; i < n; i++)
		leads[i] = contacts[i].lead;
	contact_source->claims(question, leads, n, add_claim, contacts);
}

/* Read all that is needed to judge some contacts. */
void
ls_contact_read_facts(
	const LsContactQuestion *question, LsContact *contacts, int n, const LsContactLimits *limits)
{
	int i;

	read_leads(question, contacts, n);
	if (question->channel == LS_CHANNEL_EMAIL)
	{
		read_addresses(question, contacts, n);
		return;
	}
	read_numbers(question, contacts, n, limits);
	if (question->channel == LS_CHANNEL_CALL && (limits->per_day > 0 || limits->gap > 0))
		read_claims(question, contacts, n);
	for (i = 0; i < n; i++)
		ls_calendar_make(&question->org, question->channel, &contacts[i].facts->whereabouts,
			&contacts[i].facts->calendar);
}

/* Until when is a number on the do-not-call list?  LS_NEVER for good. */
TimestampTz
ls_contact_listed_until(const pg_uuid_t *org, const char *phone_number)
{
	LS_QUERY(query,
		"SELECT expires_at FROM lead_system.dnc_list"
		" WHERE organization_id = $1 AND phone_number = $2",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	TimestampTz until = LS_NEVER;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, phone_number);
	open_scope(&scope);
	if (ls_query_run(&query, &args, LS_READ) > 0 && !ls_result_isnull(0, 1))
		until = ls_result_timestamptz(0, 1);
	ls_scope_close(&scope);
	return until;
}
