/*-------------------------------------------------------------------------
 *
 * lists.c
 *	  Lists that follow a segment: dynamic ones are read through its filter, smart
 *	  ones have members that nobody else writes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "segments/segments.h"

/* Are members of smart lists being written by the extension itself? */
static bool members_open = false;

/* Let the extension write members of smart lists; returns what was set before. */
bool
ls_list_members_open(bool open)
{
	bool previous = members_open;

	members_open = open;
	return previous;
}

/* The filter of the segment that a list follows, if the list is dynamic; else NULL. */
static LsFilter *
dynamic_filter(const pg_uuid_t *org, const pg_uuid_t *list)
{
	LS_QUERY(query,
		"SELECT s.filter FROM lead_system.lead_lists l"
		"  JOIN lead_system.segments s ON s.organization_id = $1 AND s.id = l.segment_id"
		" WHERE l.organization_id = $1 AND l.id = $2 AND l.list_type = 'dynamic'",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	bool isnull;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, list);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		return NULL;
	return ls_lead_filter_parse((Jsonb *) PG_DETOAST_DATUM_COPY(ls_result(0, 1, &isnull)));
}

/* Write the query for the leads of a list that meet criteria; within a scope. */
static void
list_query(LsFilterSql *sql, const char *what, const pg_uuid_t *org, const pg_uuid_t *list,
	Jsonb *criteria)
{
	LsFilter *filter = dynamic_filter(org, list);
	LsFilter *more = criteria ? ls_lead_filter_parse(criteria) : NULL;

	ls_lead_filter_sql_start(sql, false, ls_clock_now());
	ls_lead_filter_sql_param(sql, UUIDOID, UUIDPGetDatum(org));
	appendStringInfo(&sql->text, "SELECT %s FROM lead_system.leads l", what);
	if (filter == NULL)
	{
		ls_lead_filter_sql_param(sql, UUIDOID, UUIDPGetDatum(list));
		appendStringInfoString(&sql->text,
			" JOIN lead_system.lead_list_members m ON m.organization_id = $1"
			" AND m.lead_list_id = $2 AND m.lead_id = l.id");
	}
	appendStringInfoString(&sql->text, " WHERE l.organization_id = $1");
	if (filter != NULL)
	{
		appendStringInfoString(&sql->text, " AND ");
		ls_lead_filter_sql_where(sql, filter, "l.");
	}
	if (more != NULL)
	{
		appendStringInfoString(&sql->text, " AND ");
		ls_lead_filter_sql_where(sql, more, "l.");
	}
}

/* The leads of a list that meet criteria (NULL: all), as an array; within a scope. */
Datum
ls_segments_list_leads(const pg_uuid_t *org, const pg_uuid_t *list, Jsonb *criteria)
{
	LsFilterSql sql;
	bool isnull;

	list_query(&sql, "coalesce(array_agg(l.id), '{}')", org, list, criteria);
	ls_lead_filter_sql_run(&sql, false);
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(ls_result(0, 1, &isnull)));
}

PG_FUNCTION_INFO_V1(ls_segments_lead_list_leads);

/* lead_list_leads(lead_list_id) */
Datum
ls_segments_lead_list_leads(PG_FUNCTION_ARGS)
{
	LsFilterSql sql;
	LsScope scope;
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "lead_list_id");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ls_enter_org_of("lead_lists", "lead list", PG_GETARG_UUID_P(0), LS_READ, &org);
	ls_scope_open(&scope, LS_AS_OWNER);
	list_query(&sql, "l.id", &org, PG_GETARG_UUID_P(0), NULL);
	ls_lead_filter_sql_run(&sql, true);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}

/* Do two versions of a row differ in a column? */
static bool
differs(TriggerData *trigdata, const char *column)
{
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	int attnum = ls_trigger_attnum(trigdata->tg_relation, column);
	char *was = SPI_getvalue(trigdata->tg_trigtuple, desc, attnum);
	char *is = SPI_getvalue(trigdata->tg_newtuple, desc, attnum);

	return (was == NULL || is == NULL) ? was != is : strcmp(was, is) != 0;
}

PG_FUNCTION_INFO_V1(ls_segments_list_check);

/*
 * lead_lists_keep_type(): BEFORE INSERT and UPDATE row trigger: a list stays what
 * it is.  Who makes one shows the leads of its segment to everybody in the
 * organisation, so it has to be one that the caller sees; the foreign key, which
 * sees all, would tell private ones from those that are not there.
 */
Datum
ls_segments_list_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "lead_lists_keep_type", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "lead_lists");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	bool no_org;
	bool no_segment;
	Datum org;
	Datum segment;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		if (differs(trigdata, "list_type") || differs(trigdata, "segment_id"))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							   errmsg("list_type and segment_id of a lead list cannot be changed"),
							   errhint("Make another list.")));
		return PointerGetDatum(tuple);
	}
	org = SPI_getbinval(
		tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "organization_id"), &no_org);
	segment = SPI_getbinval(
		tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "segment_id"), &no_segment);
	if (!no_org && !no_segment)
	{
		ls_check_row_org(trigdata->tg_relation, DatumGetUUIDP(org));
		ls_segment_require(DatumGetUUIDP(org), DatumGetUUIDP(segment));
	}
	return PointerGetDatum(tuple);
}

/* A new smart list. */
typedef struct NewList
{
	pg_uuid_t org;
	pg_uuid_t segment;
} NewList;

/* Compare by organisation, for list_sort(): locks are taken in this order. */
static int
compare_new(const ListCell *a, const ListCell *b)
{
	return memcmp(lfirst(a), lfirst(b), sizeof(NewList));
}

PG_FUNCTION_INFO_V1(ls_segments_lists_fill);

/* lead_lists_fill(): AFTER INSERT statement trigger: fills new smart lists. */
Datum
ls_segments_lists_fill(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "lead_lists_fill", LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "lead_lists");
	Relation rel = trigdata->tg_relation;
	int org = ls_trigger_attnum(rel, "organization_id");
	int type = ls_trigger_attnum(rel, "list_type");
	int segment = ls_trigger_attnum(rel, "segment_id");
	List *lists = NIL;
	LsTransition transition;
	ListCell *cell;

	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		const Datum *values = transition.new->tts_values;

		if (strcmp(TextDatumGetCString(values[type - 1]), "smart") == 0)
		{
			NewList *list = palloc(sizeof(NewList));

			list->org = *DatumGetUUIDP(values[org - 1]);
			list->segment = *DatumGetUUIDP(values[segment - 1]);
			lists = lappend(lists, list);
		}
	}
	ls_transition_close(&transition);
	list_sort(lists, compare_new);
	foreach (cell, lists)
	{
		const NewList *list = lfirst(cell);

		ls_smart_rebuild_followers(&list->org, &list->segment);
	}
	return PointerGetDatum(NULL);
}

/* Refuse what was written if one of the lists follows a segment. */
static void
check_lists(const pg_uuid_t *orgs, const pg_uuid_t *lists, const pg_uuid_t *leads, int n)
{
	LS_QUERY_ARRAY(query,
		"SELECT l.list_type FROM unnest($1, $2, $3) u(organization_id, list_id, lead_id)"
		"  JOIN lead_system.lead_lists l ON l.organization_id = u.organization_id"
		"   AND l.id = u.list_id"
		"  JOIN lead_system.leads d ON d.organization_id = u.organization_id AND d.id = u.lead_id"
		" WHERE l.list_type <> 'static' LIMIT 1",
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_datum(&args, ls_uuid_array(orgs, n), false);
	ls_arg_datum(&args, ls_uuid_array(lists, n), false);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("a %s list has the leads that its segment says", ls_result_text(0, 1)),
				errhint("Change the segment's filter, or use a static list.")));
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_segments_members_guard);

/*
 * lead_list_members_guard(): AFTER statement triggers of lead_list_members.  The
 * members that go with their lead or their list are none of its business.
 */
Datum
ls_segments_members_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "lead_list_members_guard", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "lead_list_members");
	Relation rel = trigdata->tg_relation;
	int org = ls_trigger_attnum(rel, "organization_id");
	int list = ls_trigger_attnum(rel, "lead_list_id");
	int lead = ls_trigger_attnum(rel, "lead_id");
	LsTransition transition;
	pg_uuid_t *ids[3];
	int capacity = 64;
	int n = 0;
	int i;

	if (members_open)
		return PointerGetDatum(NULL);
	for (i = 0; i < 3; i++)
		ids[i] = palloc(sizeof(pg_uuid_t) * capacity);
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		TupleTableSlot *slots[2] = {transition.old, transition.new};

		for (i = 0; i < 2; i++)
		{
			if (slots[i] == NULL)
				continue;
			if (n == capacity)
			{
				Size size = sizeof(pg_uuid_t) * (capacity *= 2);

				ids[0] = repalloc_huge(ids[0], size);
				ids[1] = repalloc_huge(ids[1], size);
				ids[2] = repalloc_huge(ids[2], size);
			}
			ids[0][n] = *DatumGetUUIDP(slots[i]->tts_values[org - 1]);
			ids[1][n] = *DatumGetUUIDP(slots[i]->tts_values[list - 1]);
			ids[2][n++] = *DatumGetUUIDP(slots[i]->tts_values[lead - 1]);
		}
	}
	ls_transition_close(&transition);
	if (n > 0 && !ls_org_is_leaving(&ids[0][0]))
		check_lists(ids[0], ids[1], ids[2], n);
	return PointerGetDatum(NULL);
}
