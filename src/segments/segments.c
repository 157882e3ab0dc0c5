/*-------------------------------------------------------------------------
 *
 * segments.c
 *	  Segments: filters with a name.  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/grants.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "segments/segments.h"

/* Not the count, which is calculated. */
#define SEGMENT_COLUMNS "organization_id, name, description, filter, is_public"

static const LsGrant segments_grants[] = {
	{"segments", "SELECT", LS_LEVEL_READONLY, false},
	{"segments", "DELETE, INSERT (id, user_id, " SEGMENT_COLUMNS "), UPDATE (" SEGMENT_COLUMNS ")",
		LS_LEVEL_AGENT, false},
	{"filter_matches(jsonb, record)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"explain_filter(jsonb)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"count_leads(jsonb)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"segment_leads(uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"lead_list_leads(uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"refresh_segment_count(uuid)", "EXECUTE", LS_LEVEL_AGENT, true},
	{"refresh_lead_list(uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"refresh_smart_lists()", "EXECUTE", LS_LEVEL_MANAGER, true},
};

/* Read a segment by id, with the policies of the caller. */
static void
read_segment(LsSegment *segment, const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT s.organization_id, s.filter FROM lead_system.segments s"
		" WHERE s.id = $1 AND ($2 IS NULL OR s.organization_id = $2)",
		UUIDOID, UUIDOID);
	MemoryContext caller = CurrentMemoryContext;
	LsScope scope;
	LsArgs args = {0};
	uint64 found;
	bool isnull;

	ls_arg_uuid(&args, &segment->id);
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_CALLER);
	found = ls_query_run(&query, &args, LS_WRITE);
	if (found == 1)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		segment->org = ls_result_uuid(0, 1);
		segment->filter =
			ls_lead_filter_parse((Jsonb *) PG_DETOAST_DATUM_COPY(ls_result(0, 2, &isnull)));
		MemoryContextSwitchTo(spi);
	}
	ls_scope_close(&scope);
	if (found == 0)
		ls_no_such_row("segment", &segment->id);
	if (found > 1)
		ls_ambiguous_row("segment", &segment->id);
}

/* A segment that the caller may see; raises P0002 when there is none. */
void
ls_segment_enter(const pg_uuid_t *id, LsSegment *segment)
{
	pg_uuid_t current;
	bool bound = ls_current_org(&current);

	if (!bound && !ls_caller_bypasses_rls())
		ls_require_org(&current);
	segment->id = *id;
	read_segment(segment, bound ? &current : NULL);
}

/* Raise P0002 unless the caller may see a segment of an organisation. */
void
ls_segment_require(const pg_uuid_t *org, const pg_uuid_t *id)
{
	LsSegment segment;

	segment.id = *id;
	read_segment(&segment, org);
}

PG_FUNCTION_INFO_V1(ls_segments_segment_leads);

/* segment_leads(segment_id) */
Datum
ls_segments_segment_leads(PG_FUNCTION_ARGS)
{
	LsSegment segment;
	LsFilterSql sql;
	LsScope scope;

	LS_REQUIRE_ARG(0, "segment_id");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ls_segment_enter(PG_GETARG_UUID_P(0), &segment);
	ls_lead_filter_sql_start(&sql, false, ls_clock_now());
	ls_lead_filter_sql_param(&sql, UUIDOID, UUIDPGetDatum(&segment.org));
	appendStringInfoString(
		&sql.text, "SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND ");
	ls_lead_filter_sql_where(&sql, segment.filter, "l.");
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_lead_filter_sql_run(&sql, true);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}

/* Write down a count, for the segment and the lists that follow it. */
static void
keep_count(const LsSegment *segment, int64 count)
{
	LS_QUERY(segments,
		"UPDATE lead_system.segments SET lead_count = $3, last_calculated_at = $4"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, INT8OID, TIMESTAMPTZOID);
	LS_QUERY(lists,
		"UPDATE lead_system.lead_lists l SET lead_count = $3 FROM ("
		"   SELECT d.id FROM lead_system.lead_lists d WHERE d.organization_id = $1"
		"      AND d.segment_id = $2 AND d.list_type = 'dynamic' AND d.lead_count <> $3"
		"    ORDER BY d.id FOR NO KEY UPDATE) x"
		" WHERE l.organization_id = $1 AND l.id = x.id",
		UUIDOID, UUIDOID, INT8OID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &segment->org);
	ls_arg_uuid(&args, &segment->id);
	ls_arg_int64(&args, count);
	ls_query_run(&lists, &args, LS_WRITE);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&segments, &args, LS_WRITE);
}

PG_FUNCTION_INFO_V1(ls_segments_refresh_count);

/* refresh_segment_count(segment_id) */
Datum
ls_segments_refresh_count(PG_FUNCTION_ARGS)
{
	LsSegment segment;
	LsFilterSql sql;
	LsScope scope;
	int64 count;

	LS_REQUIRE_ARG(0, "segment_id");
	ls_segment_enter(PG_GETARG_UUID_P(0), &segment);
	ls_lead_filter_sql_start(&sql, false, ls_clock_now());
	ls_lead_filter_sql_param(&sql, UUIDOID, UUIDPGetDatum(&segment.org));
	appendStringInfoString(
		&sql.text, "SELECT count(*) FROM lead_system.leads l WHERE l.organization_id = $1 AND ");
	ls_lead_filter_sql_where(&sql, segment.filter, "l.");
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_lead_filter_sql_run(&sql, true);
	count = ls_result_int64(0, 1);
	keep_count(&segment, count);
	ls_scope_close(&scope);
	PG_RETURN_INT64(count);
}

PG_FUNCTION_INFO_V1(ls_segments_check);

/* segments_check(): BEFORE row trigger of segments: the filter can be parsed. */
Datum
ls_segments_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "segments_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "segments");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	Relation rel = trigdata->tg_relation;
	bool isnull;
	Datum filter =
		SPI_getbinval(tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "filter"), &isnull);

	if (!isnull)
		(void) ls_lead_filter_parse(DatumGetJsonbP(filter));
	return PointerGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(ls_segments_changed);

/* segments_changed(): AFTER UPDATE statement trigger: smart lists follow a changed filter. */
Datum
ls_segments_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "segments_changed", LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_UPDATE, "segments");
	Relation rel = trigdata->tg_relation;
	int org = ls_trigger_attnum(rel, "organization_id");
	int id = ls_trigger_attnum(rel, "id");
	int filter = ls_trigger_attnum(rel, "filter");
	LsTransition transition;

	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		Datum was = transition.old->tts_values[filter - 1];
		Datum is = transition.new->tts_values[filter - 1];

		if (!DatumGetBool(DirectFunctionCall2(jsonb_eq, was, is)))
			ls_smart_rebuild_followers(DatumGetUUIDP(transition.new->tts_values[org - 1]),
				DatumGetUUIDP(transition.new->tts_values[id - 1]));
	}
	ls_transition_close(&transition);
	return PointerGetDatum(NULL);
}

/* Has the calling role the level of a manager, and the session's user, too? */
static bool
caller_is_manager(void)
{
	LS_QUERY(query,
		"SELECT u.role FROM lead_system.users u WHERE u.organization_id = $1 AND u.id = $2",
		UUIDOID, UUIDOID);
	Oid argtypes[1] = {UUIDOID};
	Oid funcid = LookupFuncName(
		list_make2(makeString(LS_SCHEMA), makeString("refresh_lead_list")), 1, argtypes, false);
	pg_uuid_t org;
	pg_uuid_t user;
	LsScope scope;
	LsArgs args = {0};
	bool result = true;

	if (object_aclcheck(ProcedureRelationId, funcid, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		return false;
	if (!ls_current_user(&user) || !ls_current_org(&org))
		return true;
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, &user);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_READ) > 0)
	{
		char *role = ls_result_text(0, 1);

		result = strcmp(role, "manager") == 0 || strcmp(role, "admin") == 0;
	}
	ls_scope_close(&scope);
	return result;
}

PG_FUNCTION_INFO_V1(ls_segments_sees_all);

/* sees_all_segments() */
Datum
ls_segments_sees_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(caller_is_manager());
}

void
ls_segments_init(void)
{
	ls_smart_init();
	ls_leads_register_listener(&ls_smart_listener);
	ls_grants_register(segments_grants, lengthof(segments_grants));
}
