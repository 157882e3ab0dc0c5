/*-------------------------------------------------------------------------
 *
 * api.c
 *	  assign_lead(), assign_leads(), assign_waiting_leads().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "assignment/internal.h"

/* Read and lock leads of an organisation, in the order of their ids. */
static void
read_by_ids(LsAssignPass *pass, Datum ids)
{
	LS_QUERY_ARRAY(query,
		"SELECT " LS_ASSIGN_COLUMNS " FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = ANY ($2) ORDER BY l.id FOR NO KEY UPDATE",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &pass->org);
	ls_arg_datum(&args, ids, false);
	ls_assign_read_leads(pass, &query, &args);
}

/* Nobody can be given the lead that a function was asked to assign. */
pg_noreturn static void
no_assignee(const char *detail)
{
	ereport(ERROR, (errcode(LS_ERRCODE_NO_ASSIGNEE), errmsg("no assignee is available"),
					   errdetail("%s", detail)));
}

/* Refuse a lead that is not to be assigned. */
static void
check_assignable(const LsAssignLead *lead)
{
	if (!lead->is_assignable)
		ereport(
			ERROR, (errcode(LS_ERRCODE_NOT_ASSIGNABLE), errmsg("the lead is not to be assigned"),
					   errdetail("It is closed, deleted, spam, or a cold one of the model b2b.")));
}

/* Find and lock the user that a lead is to be given to by hand. */
static LsAssignee *
named_user(const pg_uuid_t *org, const pg_uuid_t *id, bool force)
{
	LS_QUERY(query,
		"SELECT u.is_active AND NOT u.is_contractor AND u.role IN ('rep', 'manager', 'admin'),"
		"       u.max_active_leads - u.current_lead_count"
		"  FROM lead_system.users u WHERE u.organization_id = $1 AND u.id = $2 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsAssignee *user = palloc0(sizeof(LsAssignee));
	bool is_able = false;
	bool found;
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		is_able = ls_result_bool(0, 1);
		user->room = ls_result_int32(0, 2);
	}
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("user", id);
	if (!is_able)
		no_assignee("The user is inactive, a contractor or a viewer.");
	if (user->room <= 0 && !force)
		ereport(ERROR, (errcode(LS_ERRCODE_NO_ASSIGNEE), errmsg("no assignee is available"),
						   errdetail("The user has as many leads as max_active_leads allows."),
						   errhint("assign_lead_to() goes beyond it with force => true.")));
	user->id = *id;
	return user;
}

/* Give a lead to a named user. */
static void
assign_by_hand(LsAssignPass *pass, const pg_uuid_t *user_id, bool force)
{
	LsAssignLead *lead = &pass->leads[0];

	if (lead->is_assigned && ls_uuid_equal(&lead->from, user_id))
		return;
	lead->to = named_user(&pass->org, user_id, force);
	lead->metadata = lead->to->room <= 0 ? "{\"forced\": true}" : NULL;
	ls_assign_write(pass);
}

/* Find a user for a lead. */
static void
assign_by_strategy(LsAssignPass *pass)
{
	LsPool pool;

	pass->wait = !pass->leads[0].is_assigned;
	ls_assign_lock_users(pass, &pool);
	if (ls_assign_run(pass, &pool) == 0 && !pass->wait)
		no_assignee("No other user has room for the lead.");
}

/* The strategy and the user must fit together. */
static void
check_arguments(LsStrategy strategy, bool has_user)
{
	if (strategy == LS_STRATEGY_MANUAL && !has_user)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("strategy \"manual\" needs a user_id")));
	if (strategy != LS_STRATEGY_MANUAL && has_user)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("user_id is for strategy \"manual\" only"),
						   errhint("Pass strategy => 'manual', or no user_id.")));
}

/* Lock the lead that a call names, which must be one to be assigned. */
static void
read_lead(LsAssignPass *pass, const pg_uuid_t *id, LsStrategy strategy)
{
	ls_enter_org_of("leads", "lead", id, LS_WRITE, &pass->org);
	read_by_ids(pass, ls_uuid_array(id, 1));
	if (pass->n == 0)
		ls_no_such_row("lead", id);
	check_assignable(&pass->leads[0]);
	pass->leads[0].strategy = strategy;
}

PG_FUNCTION_INFO_V1(ls_assignment_assign_lead);

/* assign_lead(lead_id, strategy, user_id): the user, or NULL. */
Datum
ls_assignment_assign_lead(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsAssignPass pass = {0};
	LsStrategy strategy;

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "strategy");
	strategy = ls_strategy_parse(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	check_arguments(strategy, !PG_ARGISNULL(2));
	read_lead(&pass, PG_GETARG_UUID_P(0), strategy);
	if (strategy == LS_STRATEGY_MANUAL)
	{
		assign_by_hand(&pass, PG_GETARG_UUID_P(2), false);
		*result = *PG_GETARG_UUID_P(2);
		PG_RETURN_UUID_P(result);
	}
	assign_by_strategy(&pass);
	if (pass.leads[0].to == NULL)
		PG_RETURN_NULL();
	*result = pass.leads[0].to->id;
	PG_RETURN_UUID_P(result);
}

PG_FUNCTION_INFO_V1(ls_assignment_assign_lead_to);

/* assign_lead_to(lead_id, user_id, reason, force): the user. */
Datum
ls_assignment_assign_lead_to(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsAssignPass pass = {0};

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "user_id");
	pass.reason = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	read_lead(&pass, PG_GETARG_UUID_P(0), LS_STRATEGY_MANUAL);
	assign_by_hand(&pass, PG_GETARG_UUID_P(1), !PG_ARGISNULL(3) && PG_GETARG_BOOL(3));
	*result = *PG_GETARG_UUID_P(1);
	PG_RETURN_UUID_P(result);
}

/* A lead and its place in the array that was passed. */
typedef struct Place
{
	pg_uuid_t id;
	int position;
} Place;

/* Compare ids, then places, for qsort. */
static int
compare_places(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;
	int order = memcmp(x->id.data, y->id.data, UUID_LEN);

	return order != 0 ? order : x->position - y->position;
}

/* Compare leads by their places in the array that was passed. */
static int
compare_positions(const void *a, const void *b)
{
	int x = ((const LsAssignLead *) a)->position;
	int y = ((const LsAssignLead *) b)->position;

	return x < y ? -1 : x > y;
}

/* Sort the ids that were passed; NULLs and repetitions are not counted. */
static Place *
sorted_ids(ArrayType *array, int *n)
{
	Datum *elements;
	bool *nulls;
	Place *places;
	int n_elements;
	int i;

	deconstruct_array(
		array, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &elements, &nulls, &n_elements);
	places = palloc(sizeof(Place) * (n_elements + 1));
	*n = 0;
	for (i = 0; i < n_elements; i++)
	{
		if (nulls[i])
			ls_null_argument("an element of lead_ids");
		places[i].id = *DatumGetUUIDP(elements[i]);
		places[i].position = i;
	}
	qsort(places, n_elements, sizeof(Place), compare_places);
	for (i = 0; i < n_elements; i++)
	{
		if (i == 0 || !ls_uuid_equal(&places[*n - 1].id, &places[i].id))
			places[(*n)++] = places[i];
	}
	return places;
}

/*
 * Put the leads, which were locked by id, into the order in which they were
 * passed, without those that somebody has or that are not to be assigned.
 */
static void
keep_in_order(LsAssignPass *pass, const Place *places, int n_places, LsStrategy strategy)
{
	int n = 0;
	int i;

	for (i = 0; i < n_places; i++)
	{
		if (i >= pass->n || !ls_uuid_equal(&pass->leads[i].id, &places[i].id))
			ls_no_such_row("lead", &places[i].id);
		pass->leads[i].position = places[i].position;
		pass->leads[i].strategy = strategy;
	}
	for (i = 0; i < pass->n; i++)
	{
		if (pass->leads[i].is_assignable && !pass->leads[i].is_assigned)
			pass->leads[n++] = pass->leads[i];
	}
	pass->n = n;
	qsort(pass->leads, n, sizeof(LsAssignLead), compare_positions);
}

PG_FUNCTION_INFO_V1(ls_assignment_assign_leads);

/* assign_leads(lead_ids, strategy, reason): the number of leads assigned. */
Datum
ls_assignment_assign_leads(PG_FUNCTION_ARGS)
{
	LsAssignPass pass = {0};
	LsStrategy strategy;
	LsPool pool;
	Place *places;
	pg_uuid_t *ids;
	int n;
	int i;

	LS_REQUIRE_ARG(0, "lead_ids");
	LS_REQUIRE_ARG(1, "strategy");
	strategy = ls_strategy_parse_many(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	ls_require_org(&pass.org);
	pass.reason = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	pass.wait = true;
	places = sorted_ids(PG_GETARG_ARRAYTYPE_P(0), &n);
	if (n == 0)
		PG_RETURN_INT64(0);
	ids = palloc(sizeof(pg_uuid_t) * n);
	for (i = 0; i < n; i++)
		ids[i] = places[i].id;
	read_by_ids(&pass, ls_uuid_array(ids, n));
	keep_in_order(&pass, places, n, strategy);
	if (pass.n == 0)
		PG_RETURN_INT64(0);
	ls_assign_lock_users(&pass, &pool);
	PG_RETURN_INT64(ls_assign_run(&pass, &pool));
}

/* Assign waiting leads of an organisation to all who have room. */
static int64
sweep_waiting(const pg_uuid_t *org, int batch)
{
	return ls_assign_waiting(org, NULL, 0, batch);
}

PG_FUNCTION_INFO_V1(ls_assignment_assign_waiting);

/* assign_waiting_leads(batch): the number of leads assigned. */
Datum
ls_assignment_assign_waiting(PG_FUNCTION_ARGS)
{
	LS_QUERY0(organizations,
		"SELECT o.id FROM lead_system.organizations o WHERE EXISTS ("
		"  SELECT 1 FROM lead_system.waiting_leads w WHERE w.organization_id = o.id) ORDER BY o.id");

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(
		ls_sweep(&organizations, sweep_waiting, PG_GETARG_INT32(0), LS_ASSIGNMENT_MAX_BATCH));
}
