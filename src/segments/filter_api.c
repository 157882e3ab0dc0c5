/*-------------------------------------------------------------------------
 *
 * filter_api.c
 *	  filter_matches(), explain_filter(), count_leads().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/query.h"
#include "core/tenant.h"
#include "segments/filter.h"

/* What filter_matches() keeps from row to row. */
typedef struct MatchState
{
	MemoryContext context; /* of what follows, made anew with each filter or row type */
	Jsonb *json;
	LsFilter *filter;
	uint64 row_type; /* the server's number of the row type as it was then */
	TupleDesc desc;
	LsLeadMap map;
	Datum *values;
	bool *nulls;
} MatchState;

/* Find the columns that a filter reads in a row type. */
static void
map_columns(MatchState *state, TupleDesc desc)
{
	int i;

	memset(&state->map, 0, sizeof(LsLeadMap));
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		LsLeadColumn column =
			att->attisdropped ? LEAD_NONE : ls_lead_find_column(NameStr(att->attname));

		if (column == LEAD_NONE || !ls_lead_filter_reads(state->filter, column))
			continue;
		if (att->atttypid != ls_lead_columns[column].type)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							   errmsg("column \"%s\" of the record has the type %s, not %s",
								   ls_lead_columns[column].name, format_type_be(att->atttypid),
								   format_type_be(ls_lead_columns[column].type))));
		state->map.attnum[column] = i + 1;
	}
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		if (i != LEAD_deleted_at && ls_lead_filter_reads(state->filter, (LsLeadColumn) i) &&
			state->map.attnum[i] == 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							   errmsg("the record has no column \"%s\", which the filter reads",
								   ls_lead_columns[i].name)));
	}

	/*
	 * With the values of columns that rows lack, and whole: what the server keeps
	 * behind the columns to check rows of a type that was altered is found by
	 * their number.
	 */
	state->desc = CreateTupleDescCopyConstr(desc);
	state->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	state->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
}

/* Make the state for a filter and a row type. */
static void
state_renew(MatchState *state, Jsonb *json, HeapTupleHeader record, uint64 row_type)
{
	MemoryContext caller;
	TupleDesc desc;

	state->json = NULL;
	MemoryContextReset(state->context);
	caller = MemoryContextSwitchTo(state->context);
	state->filter = ls_lead_filter_parse(json);
	state->row_type = row_type;
	desc = lookup_rowtype_tupdesc_domain(
		HeapTupleHeaderGetTypeId(record), HeapTupleHeaderGetTypMod(record), false);
	map_columns(state, desc);
	ReleaseTupleDesc(desc);
	state->json = palloc(VARSIZE(json));
	memcpy(state->json, json, VARSIZE(json));
	MemoryContextSwitchTo(caller);
}

/* The state that fits, made when the filter or the row type is another one. */
static MatchState *
state_for(FmgrInfo *flinfo, Jsonb *json, HeapTupleHeader record)
{
	MatchState *state = flinfo->fn_extra;
	uint64 row_type = assign_record_type_identifier(
		HeapTupleHeaderGetTypeId(record), HeapTupleHeaderGetTypMod(record));

	if (state == NULL)
	{
		state = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(MatchState));
		state->context =
			AllocSetContextCreate(flinfo->fn_mcxt, "lead_system filter", ALLOCSET_DEFAULT_SIZES);
		flinfo->fn_extra = state;
	}
	if (state->json == NULL || state->row_type != row_type ||
		VARSIZE(state->json) != VARSIZE(json) || memcmp(state->json, json, VARSIZE(json)) != 0)
		state_renew(state, json, record, row_type);
	return state;
}

PG_FUNCTION_INFO_V1(ls_segments_filter_matches);

/* filter_matches(filter, lead) */
Datum
ls_segments_filter_matches(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	HeapTupleHeader record = PG_GETARG_HEAPTUPLEHEADER(1);
	MatchState *state = state_for(fcinfo->flinfo, json, record);
	HeapTupleData tuple = {0};
	LsLeadRow row;

	tuple.t_len = HeapTupleHeaderGetDatumLength(record);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_data = record;
	heap_deform_tuple(&tuple, state->desc, state->values, state->nulls);
	row.map = &state->map;
	row.desc = state->desc;
	row.values = state->values;
	row.nulls = state->nulls;
	PG_RETURN_BOOL(ls_lead_filter_matches(
		state->filter, &row, state->filter->is_relative ? ls_clock_now() : 0));
}

PG_FUNCTION_INFO_V1(ls_segments_explain_filter);

/* explain_filter(filter) */
Datum
ls_segments_explain_filter(PG_FUNCTION_ARGS)
{
	LsFilter *filter = ls_lead_filter_parse(PG_GETARG_JSONB_P(0));
	LsFilterSql sql;

	ls_lead_filter_sql_start(&sql, true, ls_clock_now());
	ls_lead_filter_sql_where(&sql, filter, "");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(sql.text.data, sql.text.len));
}

PG_FUNCTION_INFO_V1(ls_segments_count_leads);

/* count_leads(filter) */
Datum
ls_segments_count_leads(PG_FUNCTION_ARGS)
{
	LsFilter *filter = ls_lead_filter_parse(PG_GETARG_JSONB_P(0));
	LsFilterSql sql;
	pg_uuid_t org;
	LsScope scope;
	int64 count;

	ls_require_org(&org);
	ls_lead_filter_sql_start(&sql, false, ls_clock_now());
	ls_lead_filter_sql_param(&sql, UUIDOID, UUIDPGetDatum(&org));
	appendStringInfoString(
		&sql.text, "SELECT count(*) FROM lead_system.leads l WHERE l.organization_id = $1 AND ");
	ls_lead_filter_sql_where(&sql, filter, "l.");
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_lead_filter_sql_run(&sql, true);
	count = ls_result_int64(0, 1);
	ls_scope_close(&scope);
	PG_RETURN_INT64(count);
}
