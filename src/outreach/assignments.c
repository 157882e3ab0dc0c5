/*-------------------------------------------------------------------------
 *
 * assignments.c
 *	  Lists given to campaigns and taken from them (semantics I1 to I8).
 *
 *	  Whoever does either locks the campaign, so that they take turns; the rest
 *	  of the locks are as outreach.h says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "outreach/outreach.h"
#include "outreach/queue.h"
#include "segments/filter.h"

/* Check campaign and list; both must be of one organisation (I14). */
static void
enter(LsAssignment *assignment, const pg_uuid_t *campaign, const pg_uuid_t *list)
{
	pg_uuid_t list_org;

	assignment->campaign = *campaign;
	assignment->list = *list;
	ls_enter_org_of("campaigns", "campaign", campaign, LS_WRITE, &assignment->org);
	ls_enter_org_of("lead_lists", "lead list", list, LS_WRITE, &list_org);
	if (!ls_uuid_equal(&assignment->org, &list_org))
		ls_no_such_row("lead list", list);
}

/*
 * The lists of the campaign must stay while rows go from one to another, so they
 * are kept from being deleted, before anything else is locked.
 */
static void
keep_lists(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"SELECT count(*) FROM (SELECT FROM lead_system.lead_lists l"
		" WHERE l.organization_id = $1 AND (l.id = $3 OR l.id = ANY (ARRAY("
		"         SELECT a.lead_list_id FROM lead_system.campaign_lead_lists a"
		"          WHERE a.organization_id = $1 AND a.campaign_id = $2)))"
		" ORDER BY l.id FOR KEY SHARE) x",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Take the turn of the campaign; false when it is gone. */
static bool
take_turn(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"SELECT FROM lead_system.campaigns c WHERE c.organization_id = $1 AND c.id = $2"
		" FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->campaign);
	return ls_query_run(&query, &args, LS_WRITE) > 0;
}

/* Keep the lists of the campaign, and take its turn. */
static void
lock_campaign(const LsAssignment *assignment)
{
	keep_lists(assignment);
	if (!take_turn(assignment))
		ls_no_such_row("campaign", &assignment->campaign);
}

/* Read the settings; refuses a campaign that is over and an archived list. */
static LsQueueSettings
read_settings(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"SELECT c.status, c.exclude_dnc, c.dedupe_by_phone, l.is_archived,"
		"       EXISTS (SELECT 1 FROM lead_system.leads d WHERE d.organization_id = $1"
		"                  AND d.deleted_at IS NOT NULL AND d.phone_number IS NOT NULL)"
		"  FROM lead_system.campaigns c, lead_system.lead_lists l"
		" WHERE c.organization_id = $1 AND c.id = $2 AND l.organization_id = $1 AND l.id = $3",
		UUIDOID, UUIDOID, UUIDOID);
	LsQueueSettings settings;
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("lead list", &assignment->list);
	settings.exclude_dnc = ls_result_bool(0, 2);
	settings.dedupe_by_phone = ls_result_bool(0, 3);
	settings.has_deleted = ls_result_bool(0, 5);
	if (strcmp(ls_result_text(0, 1), "completed") == 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the campaign is completed"),
				errhint("Set campaigns.status to 'active' to go on with it.")));
	if (ls_result_bool(0, 4))
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the lead list is archived"),
				errhint("Set lead_lists.is_archived to false to use it again.")));
	return settings;
}

/* Find the assignment; false when there is none. */
static bool
find_assignment(LsAssignment *assignment, int *priority)
{
	LS_QUERY(query,
		"SELECT id, priority FROM lead_system.campaign_lead_lists"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_assignment_args(&args, assignment);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	assignment->id = ls_result_uuid(0, 1);
	*priority = ls_result_int32(0, 2);
	return true;
}

/* Make the assignment, unless it is there; returns its old priority. */
static int
make_assignment(LsAssignment *assignment)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.campaign_lead_lists"
		" (organization_id, campaign_id, lead_list_id, priority, assigned_at) VALUES ($1, $2, $3, $4, $5)"
		" RETURNING id",
		UUIDOID, UUIDOID, UUIDOID, INT4OID, TIMESTAMPTZOID);
	LsArgs args = {0};
	int old_priority;

	if (find_assignment(assignment, &old_priority))
		return old_priority;
	ls_assignment_args(&args, assignment);
	ls_arg_int32(&args, assignment->priority);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&insert, &args, LS_WRITE);
	assignment->id = ls_result_uuid(0, 1);
	return assignment->priority;
}

/* The assignment is in force, with its priority. */
static void
activate(const LsAssignment *assignment)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_lead_lists"
		"   SET priority = $3, is_active = true, removed_at = NULL"
		" WHERE organization_id = $1 AND id = $2 AND (priority <> $3 OR NOT is_active)",
		UUIDOID, UUIDOID, INT4OID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->id);
	ls_arg_int32(&args, assignment->priority);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Write down filter criteria, if there are new ones; returns those in force, or NULL. */
static Jsonb *
keep_criteria(const LsAssignment *assignment, Jsonb *criteria)
{
	LS_QUERY(update,
		"UPDATE lead_system.campaign_lead_lists SET filter_criteria = $3"
		" WHERE organization_id = $1 AND id = $2 AND filter_criteria IS DISTINCT FROM $3",
		UUIDOID, UUIDOID, JSONBOID);
	LS_QUERY(read,
		"SELECT filter_criteria FROM lead_system.campaign_lead_lists"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	Datum kept;
	bool isnull;

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->id);
	if (criteria != NULL)
	{
		ls_arg_datum(&args, JsonbPGetDatum(criteria), false);
		ls_query_run(&update, &args, LS_WRITE);
		return criteria;
	}
	ls_query_run(&read, &args, LS_WRITE);
	kept = ls_result(0, 1, &isnull);
	return isnull ? NULL : (Jsonb *) PG_DETOAST_DATUM_COPY(kept);
}

/*
 * Give a list to a campaign, or bring it up to date; criteria NULL leaves the
 * filter that it has.
 */
static pg_uuid_t *
add_list(const pg_uuid_t *campaign, const pg_uuid_t *list, int priority, Jsonb *criteria)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsAssignment assignment;
	LsQueueSettings settings;
	LsScope scope;
	int old_priority;

	if (priority < 1)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p_priority must be at least 1"),
				errdetail("Lists are called in the order of their priority, 1 first.")));
	assignment.priority = priority;
	enter(&assignment, campaign, list);

	ls_queue_scope_open(&scope);
	lock_campaign(&assignment);
	settings = read_settings(&assignment);
	old_priority = make_assignment(&assignment);
	criteria = keep_criteria(&assignment, criteria);
	ls_queue_sync(&assignment, &settings, ls_queue_members(&assignment, criteria), old_priority);
	activate(&assignment);
	ls_scope_close(&scope);

	*result = assignment.id;
	return result;
}

PG_FUNCTION_INFO_V1(ls_outreach_add_list);

/* add_lead_list_to_campaign(p_campaign_id, p_lead_list_id, p_priority) */
Datum
ls_outreach_add_list(PG_FUNCTION_ARGS)
{
	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(1, "p_lead_list_id");
	PG_RETURN_UUID_P(add_list(
		PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1), PG_ARGISNULL(2) ? 1 : PG_GETARG_INT32(2), NULL));
}

PG_FUNCTION_INFO_V1(ls_outreach_add_matching);

/* add_matching_leads_to_campaign(p_campaign_id, p_lead_list_id, p_filter_criteria, p_priority) */
Datum
ls_outreach_add_matching(PG_FUNCTION_ARGS)
{
	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(1, "p_lead_list_id");
	LS_REQUIRE_ARG(2, "p_filter_criteria");
	PG_RETURN_UUID_P(add_list(PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1),
		PG_ARGISNULL(3) ? 1 : PG_GETARG_INT32(3), PG_GETARG_JSONB_P(2)));
}

/* End the assignment: without a trace if none of its leads was called. */
static void
end_assignment(const LsAssignment *assignment)
{
	LS_QUERY(drop,
		"DELETE FROM lead_system.campaign_lead_lists a WHERE a.organization_id = $1 AND a.id = $2"
		"   AND NOT EXISTS (SELECT 1 FROM lead_system.campaign_leads c WHERE c.organization_id = $1"
		"          AND c.campaign_id = a.campaign_id AND c.lead_list_id = a.lead_list_id)",
		UUIDOID, UUIDOID);
	LS_QUERY(deactivate,
		"UPDATE lead_system.campaign_lead_lists"
		"   SET is_active = false, removed_at = coalesce(removed_at, $3)"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->id);
	if (ls_query_run(&drop, &args, LS_WRITE) == 0)
	{
		ls_arg_timestamptz(&args, ls_clock_now());
		ls_query_run(&deactivate, &args, LS_WRITE);
	}
}

/*
 * Take the list from the campaign, whose rows are locked; returns how many leads
 * left.  They go to lists among the heirs, or to any without such an array.
 */
static uint64
leave_campaign(LsAssignment *assignment, const Datum *heirs)
{
	uint64 removed;

	ls_queue_hand_over(assignment, PG_INT64_MAX, heirs);
	removed = ls_queue_remove_uncalled(assignment);
	ls_queue_withdraw(assignment);
	end_assignment(assignment);
	return removed;
}

PG_FUNCTION_INFO_V1(ls_outreach_remove_list);

/* remove_lead_list_from_campaign(p_campaign_id, p_lead_list_id) */
Datum
ls_outreach_remove_list(PG_FUNCTION_ARGS)
{
	LsAssignment assignment;
	LsScope scope;
	uint64 removed = 0;
	int priority;

	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(1, "p_lead_list_id");
	enter(&assignment, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1));
	ls_queue_scope_open(&scope);
	lock_campaign(&assignment);
	if (find_assignment(&assignment, &priority))
	{
		ls_queue_lock_list(&assignment, false);
		ls_queue_lock_assignments(&assignment);
		removed = leave_campaign(&assignment, NULL);
	}
	ls_scope_close(&scope);
	PG_RETURN_INT64((int64) removed);
}

/* The campaigns that have a list; returns how many. */
static int
campaigns_of(const LsAssignment *list, pg_uuid_t **campaigns)
{
	LS_QUERY(query,
		"SELECT a.campaign_id FROM lead_system.campaign_lead_lists a"
		" WHERE a.organization_id = $1 AND a.lead_list_id = $2 ORDER BY a.campaign_id",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	int n;
	int i;

	ls_arg_uuid(&args, &list->org);
	ls_arg_uuid(&args, &list->list);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	*campaigns = palloc(sizeof(pg_uuid_t) * Max(n, 1));
	for (i = 0; i < n; i++)
		(*campaigns)[i] = ls_result_uuid(i, 1);
	return n;
}

/*
 * The lists that may inherit from one that is being deleted, kept from being
 * deleted themselves.  Its own row is locked already, so others are not waited
 * for: those that are being deleted at this moment inherit nothing.
 */
static Datum
keep_heirs(const LsAssignment *list)
{
	LS_QUERY(query,
		"SELECT coalesce(array_agg(x.id), '{}') FROM (SELECT l.id FROM lead_system.lead_lists l"
		" WHERE l.organization_id = $1 AND l.id <> $2 AND l.id = ANY (ARRAY("
		"         SELECT b.lead_list_id FROM lead_system.campaign_lead_lists b"
		"           JOIN lead_system.campaign_lead_lists a ON a.organization_id = $1"
		"            AND a.campaign_id = b.campaign_id AND a.lead_list_id = $2"
		"          WHERE b.organization_id = $1))"
		" FOR KEY SHARE SKIP LOCKED) x",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &list->org);
	ls_arg_uuid(&args, &list->list);
	return ls_queue_array(&query, &args);
}

/* Take a list that is being deleted from all of its campaigns. */
static void
leave_all_campaigns(LsAssignment *list)
{
	pg_uuid_t *campaigns;
	Datum heirs;
	int n = campaigns_of(list, &campaigns);
	int n_left = 0;
	int priority;
	int i;

	for (i = 0; i < n; i++)
	{
		list->campaign = campaigns[i];
		if (take_turn(list))
			campaigns[n_left++] = campaigns[i];
	}
	if (n_left == 0)
		return;
	heirs = keep_heirs(list);
	ls_queue_lock_list(list, true);
	for (i = 0; i < n_left; i++)
	{
		list->campaign = campaigns[i];
		ls_queue_lock_assignments(list);
	}
	for (i = 0; i < n_left; i++)
	{
		list->campaign = campaigns[i];
		if (find_assignment(list, &priority))
			(void) leave_campaign(list, &heirs);
	}
}

PG_FUNCTION_INFO_V1(ls_outreach_leave_campaigns);

/* lead_lists_leave_campaigns(): BEFORE DELETE row trigger of lead_lists. */
Datum
ls_outreach_leave_campaigns(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "lead_lists_leave_campaigns",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_DELETE, "lead_lists");
	HeapTuple tuple = trigdata->tg_trigtuple;
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	LsAssignment list = {0};
	LsScope scope;
	bool isnull;

	list.org = *DatumGetUUIDP(SPI_getbinval(
		tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "organization_id"), &isnull));
	list.list = *DatumGetUUIDP(
		SPI_getbinval(tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "id"), &isnull));
	if (ls_org_is_leaving(&list.org))
		return PointerGetDatum(tuple);
	ls_queue_scope_open(&scope);
	leave_all_campaigns(&list);
	ls_scope_close(&scope);
	return PointerGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(ls_outreach_assignment_check);

/* campaign_lead_lists_check(): BEFORE row trigger of campaign_lead_lists. */
Datum
ls_outreach_assignment_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "campaign_lead_lists_check",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "campaign_lead_lists");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	int attnum = ls_trigger_attnum(trigdata->tg_relation, "filter_criteria");
	bool isnull;
	Datum criteria = SPI_getbinval(tuple, RelationGetDescr(trigdata->tg_relation), attnum, &isnull);

	if (!isnull)
		(void) ls_lead_filter_parse(DatumGetJsonbP(criteria));
	return PointerGetDatum(tuple);
}
