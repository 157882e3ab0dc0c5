/*-------------------------------------------------------------------------
 *
 * rebuild.c
 *	  Smart lists brought in line with their filter as a whole: when they are
 *	  made, when the filter changes, on demand, and as the time goes by.
 *
 *	  Only the difference is written.  A rebuild holds the lock of lists alone, so
 *	  nobody is writing leads meanwhile, but for deleting them, which it waits
 *	  for.  A sweep works beside those who write: it locks the leads that come or
 *	  go, tests them again, and leaves those that others hold for the next run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/sweep.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "segments/segments.h"

/* The parameters that all texts begin with: $1 organisation, $2 list, $3 time, $4 to $6 who. */
static void
start_text(LsFilterSql *sql, const pg_uuid_t *org, const pg_uuid_t *list)
{
	const char *ip = ls_client_ip();
	const char *agent = ls_client_user_agent();
	pg_uuid_t *user = palloc0(sizeof(pg_uuid_t));

	(void) ls_current_user(user);
	ls_lead_filter_sql_start(sql, false, ls_clock_now());
	ls_lead_filter_sql_param(sql, UUIDOID, UUIDPGetDatum(org));
	ls_lead_filter_sql_param(sql, UUIDOID, UUIDPGetDatum(list));
	ls_lead_filter_sql_param(sql, TIMESTAMPTZOID, TimestampTzGetDatum(sql->now));
	/* There are no NULLs among the parameters of a built text. */
	ls_lead_filter_sql_param(sql, UUIDOID, UUIDPGetDatum(user));
	ls_lead_filter_sql_param(sql, TEXTOID, CStringGetTextDatum(ip ? ip : ""));
	ls_lead_filter_sql_param(sql, TEXTOID, CStringGetTextDatum(agent ? agent : ""));
}

#define ACTIVITIES(action) \
	LS_SMART_ACTIVITIES(action, "x", "nullif($4, '00000000-0000-0000-0000-000000000000')", \
		"nullif($5, '')", "nullif($6, '')", "$3")

/* Let the leads that match, and are no members, come in; returns how many did. */
static uint64
let_in(const pg_uuid_t *org, const pg_uuid_t *list, const LsFilter *filter, const char *lock)
{
	LsFilterSql sql;

	start_text(&sql, org, list);
	appendStringInfoString(&sql.text,
		"WITH f AS MATERIALIZED (SELECT l.id FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND NOT EXISTS (SELECT 1 FROM lead_system.lead_list_members m"
		"        WHERE m.organization_id = $1 AND m.lead_list_id = $2 AND m.lead_id = l.id) AND ");
	ls_lead_filter_sql_where(&sql, filter, "l.");
	appendStringInfo(&sql.text,
		" ORDER BY l.id FOR %s),"
		" x AS (INSERT INTO lead_system.lead_list_members"
		" (organization_id, lead_list_id, lead_id, added_at) SELECT $1, $2, f.id, $3 FROM f"
		" ON CONFLICT DO NOTHING RETURNING *) " ACTIVITIES("list_entered"),
		lock);
	return ls_lead_filter_sql_run(&sql, false);
}

/* Let the members that do not match leave; returns how many did. */
static uint64
let_out(const pg_uuid_t *org, const pg_uuid_t *list, const LsFilter *filter, const char *lock)
{
	LsFilterSql sql;

	start_text(&sql, org, list);
	appendStringInfoString(&sql.text,
		"WITH f AS MATERIALIZED (SELECT l.id FROM lead_system.leads l"
		"   JOIN lead_system.lead_list_members m ON m.organization_id = $1"
		"    AND m.lead_list_id = $2 AND m.lead_id = l.id"
		" WHERE l.organization_id = $1 AND (");
	ls_lead_filter_sql_where(&sql, filter, "l.");
	appendStringInfo(&sql.text,
		") IS NOT TRUE ORDER BY l.id FOR %s),"
		" x AS (DELETE FROM lead_system.lead_list_members m USING f WHERE m.organization_id = $1"
		"   AND m.lead_list_id = $2 AND m.lead_id = f.id RETURNING m.*) " ACTIVITIES("list_left"),
		lock);
	return ls_lead_filter_sql_run(&sql, false);
}

/* Let leads out of a list and in, which are locked as the clause says. */
static uint64
let_out_and_in(
	const pg_uuid_t *org, const pg_uuid_t *list, const LsFilter *filter, const char *lock)
{
	uint64 changes = let_out(org, list, filter, lock);

	return changes + let_in(org, list, filter, lock);
}

/*
 * Bring a list in line with its filter; returns how many leads came or went.  A
 * sweep needs the lock of lists in share mode, others need it alone.
 */
int64
ls_smart_rebuild(const pg_uuid_t *org, const pg_uuid_t *list, const LsFilter *filter, bool sweep)
{
	volatile uint64 changes = 0;
	bool previous;
	LsScope scope;

	ls_scope_open(&scope, LS_AS_OWNER);
	previous = ls_list_members_open(true);
	PG_TRY();
	{
		changes = let_out_and_in(
			org, list, filter, sweep ? "NO KEY UPDATE OF l SKIP LOCKED" : "KEY SHARE OF l");
	}
	PG_FINALLY();
	{
		(void) ls_list_members_open(previous);
	}
	PG_END_TRY();
	ls_scope_close(&scope);
	return (int64) changes;
}

/* A smart list, and whose filter it follows. */
typedef struct Follower
{
	pg_uuid_t list;
	LsFilter *filter;
} Follower;

/*
 * The smart lists of an organisation that follow a segment (NULL: any), or the
 * one with an id; those that are being deleted are passed over.
 */
static Follower *
followers_of(const pg_uuid_t *org, const pg_uuid_t *segment, const pg_uuid_t *list, uint64 *n)
{
	LS_QUERY(query,
		"SELECT l.id, s.filter FROM lead_system.lead_lists l"
		"  JOIN lead_system.segments s ON s.organization_id = $1 AND s.id = l.segment_id"
		" WHERE l.organization_id = $1 AND l.list_type = 'smart'"
		"   AND ($2 IS NULL OR l.segment_id = $2) AND ($3 IS NULL OR l.id = $3)"
		" ORDER BY l.id FOR KEY SHARE OF l SKIP LOCKED",
		UUIDOID, UUIDOID, UUIDOID);
	MemoryContext caller = CurrentMemoryContext;
	Follower *followers;
	LsScope scope;
	LsArgs args = {0};
	uint64 i;
	bool isnull;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, segment);
	ls_arg_uuid(&args, list);
	ls_scope_open(&scope, LS_AS_OWNER);
	*n = ls_query_write_latest(&query, &args);
	followers = MemoryContextAlloc(caller, sizeof(Follower) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		followers[i].list = ls_result_uuid(i, 1);
		followers[i].filter =
			ls_lead_filter_parse((Jsonb *) PG_DETOAST_DATUM_COPY(ls_result(i, 2, &isnull)));
		MemoryContextSwitchTo(spi);
	}
	ls_scope_close(&scope);
	return followers;
}

/* Rebuild all smart lists that follow a segment. */
void
ls_smart_rebuild_followers(const pg_uuid_t *org, const pg_uuid_t *segment)
{
	Follower *followers;
	uint64 n;
	uint64 i;

	ls_smart_lock(org, true);
	followers = followers_of(org, segment, NULL, &n);
	for (i = 0; i < n; i++)
		(void) ls_smart_rebuild(org, &followers[i].list, followers[i].filter, false);
}

PG_FUNCTION_INFO_V1(ls_segments_refresh_list);

/* refresh_lead_list(lead_list_id) */
Datum
ls_segments_refresh_list(PG_FUNCTION_ARGS)
{
	Follower *followers;
	pg_uuid_t org;
	uint64 n;

	LS_REQUIRE_ARG(0, "lead_list_id");
	ls_enter_org_of("lead_lists", "lead list", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_smart_lock(&org, true);
	followers = followers_of(&org, NULL, PG_GETARG_UUID_P(0), &n);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the lead list is not a smart list"),
						   errhint("A dynamic list is always current; refresh_segment_count() "
								   "counts its leads.")));
	PG_RETURN_INT64(ls_smart_rebuild(&org, &followers[0].list, followers[0].filter, false));
}

/* Sweep the lists of an organisation whose filters move with the time. */
static int64
sweep(const pg_uuid_t *org)
{
	Follower *followers;
	int64 changes = 0;
	uint64 n;
	uint64 i;

	ls_smart_lock(org, false);
	followers = followers_of(org, NULL, NULL, &n);
	for (i = 0; i < n; i++)
	{
		if (followers[i].filter->is_relative)
			changes += ls_smart_rebuild(org, &followers[i].list, followers[i].filter, true);
	}
	return changes;
}

PG_FUNCTION_INFO_V1(ls_segments_refresh_smart_lists);

/* refresh_smart_lists() */
Datum
ls_segments_refresh_smart_lists(PG_FUNCTION_ARGS)
{
	LS_QUERY0(query, "SELECT DISTINCT l.organization_id FROM lead_system.lead_lists l"
					 " WHERE l.list_type = 'smart' ORDER BY l.organization_id");
	pg_uuid_t *orgs;
	int64 changes = 0;
	int n;
	int i;

	orgs = ls_sweep_organizations(&query, &n);
	for (i = 0; i < n; i++)
		changes += sweep(&orgs[i]);
	PG_RETURN_INT64(changes);
}
