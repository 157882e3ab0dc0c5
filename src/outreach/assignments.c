/*-------------------------------------------------------------------------
 *
 * assignments.c
 *	  Lists given to campaigns and taken from them (semantics I1 to I8).
 *
 *	  The row of campaign_lead_lists is locked first, so that calls for the same
 *	  list and campaign take turns; rows of campaign_leads follow in the order of
 *	  their leads.
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

/* A list of a campaign, being worked on. */
typedef struct Assignment
{
	pg_uuid_t org;
	pg_uuid_t campaign;
	pg_uuid_t list;
	pg_uuid_t id;
	int priority;
} Assignment;

/* The identifiers, as the first three arguments of a query. */
static void
assignment_args(LsArgs *args, const Assignment *assignment)
{
	ls_arg_uuid(args, &assignment->org);
	ls_arg_uuid(args, &assignment->campaign);
	ls_arg_uuid(args, &assignment->list);
}

/* Check campaign and list; both must be of one organisation (I14). */
static void
enter(Assignment *assignment, const pg_uuid_t *campaign, const pg_uuid_t *list)
{
	pg_uuid_t list_org;

	assignment->campaign = *campaign;
	assignment->list = *list;
	ls_enter_org_of("campaigns", "campaign", campaign, LS_WRITE, &assignment->org);
	ls_enter_org_of("lead_lists", "lead list", list, LS_WRITE, &list_org);
	if (!ls_uuid_equal(&assignment->org, &list_org))
		ls_no_such_row("lead list", list);
}

/* What decides how a list is added. */
typedef struct CampaignSettings
{
	bool exclude_dnc;
	bool dedupe_by_phone;
	bool has_deleted; /* the organisation has deleted leads with a number */
} CampaignSettings;

/* Read the settings; refuses a campaign that is over and an archived list. */
static CampaignSettings
read_settings(const Assignment *assignment)
{
	LS_QUERY(query,
		"SELECT c.status, c.exclude_dnc, c.dedupe_by_phone, l.is_archived,"
		"       EXISTS (SELECT 1 FROM lead_system.leads d WHERE d.organization_id = $1"
		"                  AND d.deleted_at IS NOT NULL AND d.phone_number IS NOT NULL)"
		"  FROM lead_system.campaigns c, lead_system.lead_lists l"
		" WHERE c.organization_id = $1 AND c.id = $2 AND l.organization_id = $1 AND l.id = $3",
		UUIDOID, UUIDOID, UUIDOID);
	CampaignSettings settings;
	LsArgs args = {0};

	assignment_args(&args, assignment);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("campaign", &assignment->campaign);
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

/* Make the assignment, or lock the one that is there; returns its old priority. */
static int
upsert_assignment(Assignment *assignment)
{
	LS_QUERY(insert,
		"INSERT INTO lead_system.campaign_lead_lists"
		" (organization_id, campaign_id, lead_list_id, priority, assigned_at) VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (organization_id, campaign_id, lead_list_id) DO NOTHING",
		UUIDOID, UUIDOID, UUIDOID, INT4OID, TIMESTAMPTZOID);
	LS_QUERY(lock,
		"SELECT id, priority FROM lead_system.campaign_lead_lists"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID, UUIDOID);
	LS_QUERY(update,
		"UPDATE lead_system.campaign_lead_lists SET priority = $3, is_active = true"
		" WHERE organization_id = $1 AND id = $2 AND (priority <> $3 OR NOT is_active)",
		UUIDOID, UUIDOID, INT4OID);
	LsArgs insert_args = {0};
	LsArgs lock_args = {0};
	LsArgs update_args = {0};
	int old_priority;

	assignment_args(&insert_args, assignment);
	ls_arg_int32(&insert_args, assignment->priority);
	ls_arg_timestamptz(&insert_args, ls_clock_now());
	ls_query_run(&insert, &insert_args, LS_WRITE);

	assignment_args(&lock_args, assignment);
	if (ls_query_run(&lock, &lock_args, LS_WRITE) == 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("the list was taken from the campaign by another session"),
						   errhint("Retry the transaction.")));
	assignment->id = ls_result_uuid(0, 1);
	old_priority = ls_result_int32(0, 2);

	ls_arg_uuid(&update_args, &assignment->org);
	ls_arg_uuid(&update_args, &assignment->id);
	ls_arg_int32(&update_args, assignment->priority);
	ls_query_run(&update, &update_args, LS_WRITE);
	return old_priority;
}

/* Parameters: $1-$3 identifiers, $4 priority, $5 exclude_dnc, $6 now. */
/* clang-format off */
#define QUEUE_MEMBERS(condition)                                                                                                                  \
	"INSERT INTO lead_system.campaign_leads AS c"                                                                                                 \
	" (organization_id, campaign_id, lead_id, lead_list_id, list_priority, temperature_rank,"                                                     \
	"  lead_score, is_dialable, status, added_at, next_attempt_at)"                                                                               \
	" SELECT $1, $2, l.id, $3, $4, " LS_TEMPERATURE_RANK_SQL(                                                                                     \
		"l.temperature") ","                                                                                                                      \
						 "        l.lead_score, " LS_IS_DIALABLE_SQL(                                                                             \
							 "l") ","                                                                                                             \
								  "        CASE WHEN $5 AND (l.do_not_call OR d.id IS NOT NULL) THEN 'dnc' ELSE 'new' END, $6, $6"                \
								  "   FROM lead_system.lead_list_members m"                                                                       \
								  "   JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = m.lead_id AND l.deleted_at IS NULL"           \
								  "   LEFT JOIN lead_system.dnc_list d ON d.organization_id = $1 AND d.phone_number = l.phone_number"             \
								  "        AND (d.expires_at IS NULL OR d.expires_at > $6)"                                                       \
								  "  WHERE m.organization_id = $1 AND m.lead_list_id = $3" condition                                              \
								  "  ORDER BY m.lead_id"                                                                                          \
								  " ON CONFLICT (organization_id, campaign_id, lead_id) DO UPDATE"                                                \
								  "   SET lead_list_id = CASE WHEN c.attempts = 0 AND excluded.list_priority < c.list_priority"                   \
								  "         THEN excluded.lead_list_id ELSE c.lead_list_id END,"                                                  \
								  "       list_priority = CASE WHEN c.attempts = 0 AND excluded.list_priority < c.list_priority"                  \
								  "         THEN excluded.list_priority ELSE c.list_priority END,"                                                \
								  "       status = CASE WHEN c.status IN ('dnc', 'failed')"                                                       \
								  "         THEN CASE WHEN excluded.status = 'new' AND c.attempts > 0 THEN 'queued' ELSE excluded.status END"     \
								  "         ELSE c.status END,"                                                                                   \
								  "       outcome = CASE WHEN c.status = 'failed' THEN NULL ELSE c.outcome END"                                   \
								  " WHERE (c.attempts = 0 AND c.status IN ('new', 'queued', 'dnc') AND excluded.list_priority < c.list_priority)" \
								  "    OR (c.status = 'dnc' AND excluded.status = 'new')"                                                         \
								  "    OR (c.status = 'failed' AND c.outcome = 'list_removed' AND c.lead_list_id = excluded.lead_list_id)"
/* clang-format on */

/*
 * Queue the members of the list.  A lead that is in the campaign already goes
 * over to this list when it has the higher priority and the lead was not called
 * yet (I3).  A lead that has been unblocked is queued again.
 */
static void
queue_members(const Assignment *assignment, const CampaignSettings *settings)
{
	LS_QUERY(
		queue_all, QUEUE_MEMBERS(""), UUIDOID, UUIDOID, UUIDOID, INT4OID, BOOLOID, TIMESTAMPTZOID);
	/* Live leads have distinct numbers; a deleted one may have had the same (I6). */
	LS_QUERY(queue_distinct,
		QUEUE_MEMBERS(
			" AND NOT EXISTS (SELECT 1 FROM lead_system.leads x"
			"       JOIN lead_system.campaign_leads y"
			"         ON y.organization_id = $1 AND y.campaign_id = $2 AND y.lead_id = x.id"
			"      WHERE x.organization_id = $1 AND x.phone_number = l.phone_number"
			"        AND x.deleted_at IS NOT NULL)"),
		UUIDOID, UUIDOID, UUIDOID, INT4OID, BOOLOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	assignment_args(&args, assignment);
	ls_arg_int32(&args, assignment->priority);
	ls_arg_bool(&args, settings->exclude_dnc);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(settings->dedupe_by_phone && settings->has_deleted ? &queue_distinct : &queue_all,
		&args, LS_WRITE);
}

/*
 * Leads of the list that were not called yet go to the list of the campaign
 * that now has the highest priority among those that have the lead, if that is
 * higher than "than".
 */
static void
hand_over(const Assignment *assignment, int than)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads c SET lead_list_id = b.lead_list_id, list_priority = b.priority"
		"  FROM (SELECT DISTINCT ON (m.lead_id) m.lead_id, a.lead_list_id, a.priority"
		"          FROM lead_system.campaign_lead_lists a"
		"          JOIN lead_system.campaign_leads o ON o.organization_id = $1 AND o.campaign_id = $2"
		"           AND o.lead_list_id = $3 AND o.attempts = 0 AND o.status IN ('new', 'queued', 'dnc')"
		"          JOIN lead_system.lead_list_members m ON m.organization_id = $1"
		"           AND m.lead_list_id = a.lead_list_id AND m.lead_id = o.lead_id"
		"         WHERE a.organization_id = $1 AND a.campaign_id = $2 AND a.lead_list_id <> $3"
		"           AND a.is_active AND a.priority < $4"
		"         ORDER BY m.lead_id, a.priority, a.assigned_at, a.id) b"
		" WHERE c.organization_id = $1 AND c.campaign_id = $2 AND c.lead_id = b.lead_id"
		"   AND c.lead_list_id = $3 AND c.attempts = 0 AND c.status IN ('new', 'queued', 'dnc')",
		UUIDOID, UUIDOID, UUIDOID, INT8OID);
	LsArgs args = {0};

	assignment_args(&args, assignment);
	ls_arg_int64(&args, than);
	ls_query_run(&query, &args, LS_WRITE);
}

/* The list's leads stand in the queue by its new priority. */
static void
set_priority(const Assignment *assignment)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads SET list_priority = $4"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3 AND list_priority <> $4",
		UUIDOID, UUIDOID, UUIDOID, INT4OID);
	LsArgs args = {0};

	assignment_args(&args, assignment);
	ls_arg_int32(&args, assignment->priority);
	ls_query_run(&query, &args, LS_WRITE);
}

PG_FUNCTION_INFO_V1(ls_outreach_add_list);

/* add_lead_list_to_campaign(p_campaign_id, p_lead_list_id, p_priority) */
Datum
ls_outreach_add_list(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	Assignment assignment;
	CampaignSettings settings;
	LsScope scope;
	int old_priority;

	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(1, "p_lead_list_id");
	assignment.priority = PG_ARGISNULL(2) ? 1 : PG_GETARG_INT32(2);
	if (assignment.priority < 1)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p_priority must be at least 1"),
				errdetail("Lists are called in the order of their priority, 1 first.")));
	enter(&assignment, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1));

	ls_scope_open(&scope, LS_AS_OWNER);
	settings = read_settings(&assignment);
	old_priority = upsert_assignment(&assignment);
	if (old_priority != assignment.priority)
		set_priority(&assignment);
	if (old_priority < assignment.priority)
		hand_over(&assignment, assignment.priority);
	queue_members(&assignment, &settings);
	ls_scope_close(&scope);

	*result = assignment.id;
	PG_RETURN_UUID_P(result);
}

/* Lock the assignment that is to go; false when there is none. */
static bool
lock_assignment(Assignment *assignment)
{
	LS_QUERY(query,
		"SELECT id FROM lead_system.campaign_lead_lists"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3 FOR NO KEY UPDATE",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	assignment_args(&args, assignment);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return false;
	assignment->id = ls_result_uuid(0, 1);
	return true;
}

/* Remove the leads that nobody called; returns how many. */
static uint64
remove_uncalled(const Assignment *assignment)
{
	LS_QUERY(query,
		"DELETE FROM lead_system.campaign_leads"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3 AND attempts = 0"
		"   AND status <> 'calling'",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	assignment_args(&args, assignment);
	return ls_query_run(&query, &args, LS_WRITE);
}

/* Leads that were called, and are waiting to be called again, will not be. */
static void
close_called(const Assignment *assignment)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads"
		"   SET status = 'failed', outcome = 'list_removed'"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3"
		"   AND status IN ('new', 'queued')",
		UUIDOID, UUIDOID, UUIDOID);
	LsArgs args = {0};

	assignment_args(&args, assignment);
	ls_query_run(&query, &args, LS_WRITE);
}

/* End the assignment: without a trace if none of its leads was called. */
static void
end_assignment(const Assignment *assignment)
{
	LS_QUERY(drop,
		"DELETE FROM lead_system.campaign_lead_lists a WHERE a.organization_id = $1 AND a.id = $2"
		"   AND NOT EXISTS (SELECT 1 FROM lead_system.campaign_leads c WHERE c.organization_id = $1"
		"          AND c.campaign_id = a.campaign_id AND c.lead_list_id = a.lead_list_id)",
		UUIDOID, UUIDOID);
	LS_QUERY(deactivate,
		"UPDATE lead_system.campaign_lead_lists SET is_active = false"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &assignment->org);
	ls_arg_uuid(&args, &assignment->id);
	if (ls_query_run(&drop, &args, LS_WRITE) == 0)
		ls_query_run(&deactivate, &args, LS_WRITE);
}

PG_FUNCTION_INFO_V1(ls_outreach_remove_list);

/* remove_lead_list_from_campaign(p_campaign_id, p_lead_list_id) */
Datum
ls_outreach_remove_list(PG_FUNCTION_ARGS)
{
	Assignment assignment;
	LsScope scope;
	uint64 removed = 0;

	LS_REQUIRE_ARG(0, "p_campaign_id");
	LS_REQUIRE_ARG(1, "p_lead_list_id");
	enter(&assignment, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1));
	ls_scope_open(&scope, LS_AS_OWNER);
	if (lock_assignment(&assignment))
	{
		hand_over(&assignment, PG_INT32_MAX);
		removed = remove_uncalled(&assignment);
		close_called(&assignment);
		end_assignment(&assignment);
	}
	ls_scope_close(&scope);
	PG_RETURN_INT64((int64) removed);
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

	(void) SPI_getbinval(tuple, RelationGetDescr(trigdata->tg_relation), attnum, &isnull);
	if (!isnull)
		ereport(
			ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					   errmsg("filter_criteria cannot be evaluated by this version of lead_system"),
					   errhint("Make a list of the leads that fit, and add that.")));
	return PointerGetDatum(tuple);
}
