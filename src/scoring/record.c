/*-------------------------------------------------------------------------
 *
 * record.c
 *	  Recording what is learnt of a lead: record_qualification(),
 *	  record_intent_signal().
 *
 *	  Both are an INSERT under the caller's rights; the trigger of the table
 *	  scores the lead.  The lead is locked before, so that two sessions which
 *	  learn something of it at once build on one another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/communication.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "scoring/model.h"

#define QUALIFICATION_INPUTS 5

/* The questions of an assessment, and what an answer is worth at most (B1). */
static const struct
{
	const char *name;
	int max;
} questions[QUALIFICATION_INPUTS] = {
	{"interest", 25}, {"authority", 20}, {"budget", 25}, {"need", 15}, {"timing", 15}};

/* Lock the lead that something is recorded of; P0002 when there is none. */
static void
lock_lead(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.leads WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_CALLER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("lead", lead);
}

/* The number of a question; an unknown one is refused. */
static int
find_question(const char *name)
{
	int i;

	for (i = 0; i < QUALIFICATION_INPUTS; i++)
	{
		if (strcmp(questions[i].name, name) == 0)
			return i;
	}
	ls_json_unknown_key("qualification input", name, "interest, authority, budget, need, timing");
}

/* Read the answers; those that are not given are -1. */
static void
read_answers(Jsonb *inputs, int answers[QUALIFICATION_INPUTS])
{
	LsJsonMember *members;
	int n;
	int i;

	for (i = 0; i < QUALIFICATION_INPUTS; i++)
		answers[i] = -1;
	members = ls_json_members(inputs, "inputs", &n);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("inputs must answer at least one question"),
						   errhint("Questions are: interest, authority, budget, need, timing.")));
	for (i = 0; i < n; i++)
	{
		int question = find_question(members[i].key);
		int answer;

		if (!ls_json_int(&members[i].value, &answer) || answer < 0 ||
			answer > questions[question].max)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("\"%s\" must be an integer from 0 to %d", members[i].key,
								   questions[question].max)));
		answers[question] = answer;
	}
}

/* Store an assessment; questions that were not asked keep their latest answer. */
static pg_uuid_t
insert_qualification(
	const pg_uuid_t *org, const pg_uuid_t *lead, const int answers[QUALIFICATION_INPUTS])
{
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_qualifications"
		" (organization_id, lead_id, interest, authority, budget, need, timing, created_at)"
		" SELECT $1, $2, coalesce($3, q.interest, 0), coalesce($4, q.authority, 0),"
		"        coalesce($5, q.budget, 0), coalesce($6, q.need, 0), coalesce($7, q.timing, 0), $8"
		"   FROM (SELECT 1) AS one LEFT JOIN ("
		"     SELECT interest, authority, budget, need, timing FROM lead_system.lead_qualifications"
		"      WHERE organization_id = $1 AND lead_id = $2"
		"      ORDER BY created_at DESC, id DESC LIMIT 1) q ON true"
		" RETURNING id",
		UUIDOID, UUIDOID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	for (i = 0; i < QUALIFICATION_INPUTS; i++)
		ls_arg_datum(&args, Int32GetDatum(answers[i]), answers[i] < 0);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(&query, &args, LS_WRITE);
	id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return id;
}

PG_FUNCTION_INFO_V1(ls_scoring_record_qualification);

/* record_qualification(lead_id, inputs): returns the id of the assessment. */
Datum
ls_scoring_record_qualification(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	int answers[QUALIFICATION_INPUTS];
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "inputs");
	read_answers(PG_GETARG_JSONB_P(1), answers);
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	lock_lead(&org, PG_GETARG_UUID_P(0));
	*result = insert_qualification(&org, PG_GETARG_UUID_P(0), answers);
	PG_RETURN_UUID_P(result);
}

/* Only kinds that the table knows. */
static void
check_kind(const char *kind)
{
	if (strcmp(kind, "none") != 0 && ls_score_signal_number(kind, strlen(kind)) < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized kind of signal \"%s\"", kind),
						   errhint("Kinds are: %s.", ls_score_signal_kinds())));
}

/*
 * When was a call?  One that we made is in call_logs, and must have been with
 * the lead; one that we know nothing of is taken to have been now.
 */
static TimestampTz
time_of_call(const pg_uuid_t *org, const pg_uuid_t *call, const pg_uuid_t *lead)
{
	static const pg_uuid_t nobody = {0};
	TimestampTz began_at;
	pg_uuid_t called;

	if (!ls_call_lead(org, call, &called, &began_at))
		return ls_clock_now();
	if (memcmp(&called, &nobody, UUID_LEN) != 0 && memcmp(&called, lead, UUID_LEN) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("call \"%s\" was with another lead", ls_uuid_text(call))));
	return Min(began_at, ls_clock_now());
}

/* Store a signal, unless it is there. */
static pg_uuid_t
insert_signal(const pg_uuid_t *org, const pg_uuid_t *lead, const pg_uuid_t *call, const char *kind,
	TimestampTz at)
{
	LS_QUERY(query,
		"WITH known AS ("
		"   SELECT id FROM lead_system.lead_intent_signals"
		"    WHERE organization_id = $1 AND lead_id = $2 AND call_id = $3 AND kind = $4"
		"    ORDER BY id LIMIT 1"
		" ), made AS ("
		"   INSERT INTO lead_system.lead_intent_signals"
		"     (organization_id, lead_id, call_id, kind, created_at)"
		"   SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM known)"
		"   RETURNING id"
		" )"
		" SELECT id FROM known UNION ALL SELECT id FROM made",
		UUIDOID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_arg_uuid(&args, call);
	ls_arg_text(&args, kind);
	ls_arg_timestamptz(&args, at);
	ls_scope_open(&scope, LS_AS_CALLER);
	ls_query_run(&query, &args, LS_WRITE);
	id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return id;
}

PG_FUNCTION_INFO_V1(ls_scoring_record_signal);

/* record_intent_signal(lead_id, kind, call_id): returns the id of the signal. */
Datum
ls_scoring_record_signal(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	pg_uuid_t *lead;
	pg_uuid_t *call;
	char *kind;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "kind");
	LS_REQUIRE_ARG(2, "call_id");
	lead = PG_GETARG_UUID_P(0);
	kind = text_to_cstring(PG_GETARG_TEXT_PP(1));
	call = PG_GETARG_UUID_P(2);
	check_kind(kind);
	ls_enter_org_of("leads", "lead", lead, LS_WRITE, &org);
	lock_lead(&org, lead);
	*result = insert_signal(&org, lead, call, kind, time_of_call(&org, call, lead));
	PG_RETURN_UUID_P(result);
}
