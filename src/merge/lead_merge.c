/*-------------------------------------------------------------------------
 *
 * lead_merge.c
 *	  merge_leads(): several leads become one.
 *
 *	  First every row is written down as it is, then the duplicates are deleted,
 *	  which sets their number and address free, then their rows and what they
 *	  know go to the survivor, and last every row is written down as it is now.
 *	  unmerge_leads() works from the two versions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "merge/merge.h"
#include "nurture/nurture.h"
#include "outreach/outreach.h"

/* Raise a refusal that the state of the leads causes. */
static void
refuse(const char *message, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", message),
					   errdetail("%s", detail)));
}

/* The leads must be there, and nobody in the middle of something with them. */
static void
check_leads(const LsMove *move)
{
	if (ls_move_run(move, "SELECT 1 FROM lead_system.leads WHERE organization_id = $1"
						  " AND id = ANY ($3) AND deleted_at IS NOT NULL") > 0)
		refuse("the leads cannot be merged", "One of them is deleted.");
	if (ls_move_run(move,
			"SELECT 1 FROM lead_system.lead_listings WHERE organization_id = $1 AND lead_id = ANY ($3)"
			"   AND bidding_opens_at IS NOT NULL AND bidding_closed_at IS NULL AND archived_at IS NULL"
			" UNION ALL SELECT 1 FROM lead_system.bids WHERE organization_id = $1"
			"   AND lead_id = ANY ($3) AND status = 'ACTIVE'") > 0)
		refuse("the leads cannot be merged", "One of them is offered, and its market is open.");
	if (ls_move_run(move, "SELECT 1 FROM lead_system.lead_listings WHERE organization_id = $1"
						  " AND lead_id = ANY ($3)") > 1)
		refuse("the leads cannot be merged", "More than one of them has been offered.");
	if (ls_move_run(move,
			"SELECT 1 FROM lead_system.campaign_leads WHERE organization_id = $1 AND lead_id = ANY ($3)"
			"   AND status = 'calling' GROUP BY campaign_id HAVING count(*) > 1") > 0)
		refuse("the leads cannot be merged", "They are being called twice at this moment.");
}

/* Rows that cannot be moved must not be left behind unseen. */
static void
check_unfit(const LsMove *move, const LsMoveTable *tables, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (!tables[i].unfit || tables[i].depth > 0 ||
			ls_move_run_on(move, &tables[i],
				psprintf("SELECT 1 FROM %s WHERE %s AND %s = ANY ($3) AND %s <> $4",
					tables[i].source, tables[i].org_is, tables[i].lead, tables[i].lead),
				false) == 0)
			continue;
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the leads cannot be merged"),
				errdetail("Table \"%s\" refers to them, and cannot be written.", tables[i].name),
				errhint("It needs a primary key.")));
	}
}

/* The rows of a table that change their lead. */
static char *
moving_rows(const LsMoveTable *table)
{
	return psprintf("%s AND %s = ANY ($3) AND %s <> $4%s", table->org_is, table->lead, table->lead,
		table->is_leads ? " AND t.id <> ALL ($3)" : "");
}

/*
 * Write down the rows of a table as they are; of a history only which they are.
 * Returns how many there are.
 */
static uint64
write_down(const LsMove *move, const LsMoveTable *table)
{
	LsMove with = *move;

	if (table->has_fk)
	{
		char *rows = ls_move_gather(&with, table,
			psprintf("SELECT %s AS subject_id, %s AS row_before FROM %s t WHERE %s",
				table->is_leads ? "t.id" : table->lead, table->row, table->relation,
				table->counted ? psprintf("%s AND %s = ANY ($3)", table->org_is, table->lead)
							   : moving_rows(table)),
			"subject_id uuid, row_before jsonb");

		return ls_move_run(&with,
			psprintf("INSERT INTO lead_system.lead_merge_rows"
					 " (organization_id, lead_id, subject_id, merge_id, table_name, row_before)"
					 " SELECT $1, $4, x.subject_id, $2, %s, x.row_before FROM %s",
				quote_literal_cstr(table->name), rows));
	}
	return ls_move_run(move,
		psprintf("INSERT INTO lead_system.lead_merge_rows"
				 " (organization_id, lead_id, subject_id, merge_id, table_name, moved_ids)"
				 " SELECT $1, $4, %1$s, $2, %2$s, array_agg(t.id ORDER BY t.id)"
				 "   FROM %3$s t WHERE %4$s GROUP BY %1$s",
			table->lead, quote_literal_cstr(table->name), table->relation, moving_rows(table)));
}

/* Rows of which the survivor may have one only. */
typedef struct Doubles
{
	char *rows; /* FROM item: part, place, and n above 1 of those that are not the best */
	bool referenced;
} Doubles;

/*
 * Find rows of which the survivor may have one only: for each unique index with
 * the lead in it, those that would be the same.  The best is the one that is
 * being called, then the one that has come farthest, then the survivor's.
 */
static Doubles *
find_doubles(const LsMoveTable *table, uint64 *n)
{
	LS_QUERY(query,
		"SELECT format('(SELECT t.tableoid AS part, t.ctid AS place, row_number() OVER (PARTITION BY %s ORDER BY %s t.%I = $4 DESC, t.ctid) AS n"
		"  FROM %s t WHERE %s AND t.%I = ANY ($3)%s%s)',"
		"         (SELECT coalesce(string_agg(format('t.%I', k.attname), ', '), '1') FROM pg_attribute k"
		"           WHERE k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)"
		"             AND k.attname <> $2),"
		"         (SELECT string_agg(CASE a.attname WHEN 'status' THEN 't.status = ''calling'' DESC, '"
		"                                           ELSE format('t.%I DESC NULLS LAST, ', a.attname) END,"
		"                            '' ORDER BY a.attname <> 'status', a.attname)"
		"            FROM pg_attribute a WHERE a.attrelid = i.indrelid"
		"             AND a.attname IN ('status', 'attempts', 'current_step', 'contacted_at')),"
		"         $2, $1, $3, $2,"
		"         (SELECT string_agg(format(' AND t.%I IS NOT NULL', k.attname), '') FROM pg_attribute k"
		"           WHERE NOT i.indnullsnotdistinct AND k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)),"
		"         ' AND ' || pg_get_expr(i.indpred, i.indrelid)),"
		"       EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = i.indrelid)"
		"  FROM pg_index i"
		"  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2 AND a.attnum = ANY (i.indkey)"
		" WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indexprs IS NULL",
		TEXTOID, TEXTOID, TEXTOID);
	LsArgs args = {0};
	Doubles *doubles;
	uint64 i;

	ls_arg_text(&args, table->relation);
	ls_arg_text(&args, table->column);
	ls_arg_text(&args, table->org_is);
	*n = ls_query_run(&query, &args, LS_WRITE);
	doubles = SPI_palloc(sizeof(Doubles) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		doubles[i].rows = ls_result_text(i, 1);
		doubles[i].referenced = ls_result_bool(i, 2);
	}
	return doubles;
}

/* Drop all of them but the best. */
static void
drop_doubles(const LsMove *move, const LsMoveTable *table)
{
	uint64 n;
	Doubles *doubles = find_doubles(table, &n);
	uint64 i;

	for (i = 0; i < n; i++)
	{
		char *sql;

		if (doubles[i].referenced &&
			ls_move_run_on(move, table,
				psprintf("SELECT 1 FROM %s d WHERE d.n > 1", doubles[i].rows), false) > 0)
			refuse("the leads cannot be merged",
				psprintf(
					"Each has a row of table \"%s\" of which one lead has one only.", table->name));
		sql = psprintf("DELETE FROM %s t USING %s d"
					   " WHERE t.tableoid = d.part AND t.ctid = d.place AND d.n > 1",
			table->relation, doubles[i].rows);
		(void) ls_move_run_on(move, table, sql, !table->counted);
	}
}

/*
 * Give the rows of a history to the survivor: what was written down, and not what
 * the deletion has added since.  Of which it may have one only, the others stay.
 */
static void
move_history(const LsMove *move, const LsMoveTable *table)
{
	StringInfoData sql;
	uint64 n;
	Doubles *doubles = find_doubles(table, &n);
	uint64 i;

	initStringInfo(&sql);
	appendStringInfo(&sql,
		"UPDATE %1$s t SET %2$s = $4 FROM lead_system.lead_merge_rows b"
		" WHERE b.organization_id = $1 AND b.merge_id = $2 AND b.table_name = %3$s"
		"   AND t.organization_id = $1 AND t.id = ANY (b.moved_ids)",
		table->relation, quote_identifier(table->column), quote_literal_cstr(table->name));
	for (i = 0; i < n; i++)
		appendStringInfo(&sql,
			" AND (t.tableoid, t.ctid) NOT IN (SELECT d.part, d.place FROM %s d WHERE d.n > 1)",
			doubles[i].rows);
	(void) ls_move_run_exactly(move, sql.data);
}

/* Give the rows of a table to the survivor. */
static void
move_rows(const LsMove *move, const LsMoveTable *table)
{
	char *sql;

	if (!table->has_fk)
	{
		move_history(move, table);
		return;
	}
	if (!table->is_leads)
		drop_doubles(move, table);
	sql = psprintf("UPDATE %s t SET %s = $4 WHERE %s", table->relation,
		quote_identifier(table->column), moving_rows(table));
	(void) ls_move_run_on(move, table, sql, !table->counted);
}

/*
 * Write down the rows of a table as they have become.  Where the lead is part of
 * the key, a row that the survivor had before is that one, and no other's.
 */
static void
write_down_after(const LsMove *move, const LsMoveTable *table)
{
	LsMove with = ls_move_with_rows(move, table);
	char *survivors = "";
	char *rows;

	if (strcmp(table->key, table->moved_key) != 0)
		survivors = psprintf(" AND (b.subject_id = $4 OR NOT EXISTS (SELECT 1 FROM %s"
							 " CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, s.row_before) p"
							 " WHERE s.subject_id = $4 AND s.row_before IS NOT NULL AND %s))",
			ls_move_rows(table, "s"), table->relation, table->moved_key);
	rows = ls_move_gather(&with, table,
		psprintf("SELECT b.id, %5$s AS row_after FROM %3$s"
				 " CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, b.row_before) p"
				 "  JOIN %1$s t ON %2$s WHERE b.row_before IS NOT NULL%4$s",
			table->relation, table->moved_key, ls_move_rows(table, "b"), survivors, table->row),
		"id uuid, row_after jsonb");
	(void) ls_move_run_exactly(
		&with, psprintf("UPDATE lead_system.lead_merge_rows r SET row_after = x.row_after FROM %s"
						" WHERE r.organization_id = $1 AND r.id = x.id",
				   rows));
}

/* The queue has what the survivor is: its score, and whether it may be called. */
static void
refresh_queue(const LsMove *move)
{
	(void) ls_move_run(move,
		"UPDATE lead_system.campaign_leads c SET lead_score = l.lead_score,"
		"       temperature_rank = " LS_TEMPERATURE_RANK_SQL(
			"l.temperature") ","
							 "       is_dialable = " LS_IS_DIALABLE_SQL(
								 "l") ","
									  "       status = CASE WHEN l.do_not_call AND c.status IN ('new', 'queued') THEN 'dnc' ELSE c.status END"
									  "  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $4"
									  "   AND c.organization_id = $1 AND c.lead_id = $4");
}

/*
 * Write down the rows of all tables; leave the tables that have something to do
 * with the leads, and return how many.  Of those that are counted that is all,
 * since the triggers of one write rows of another.
 */
static int
write_all_down(const LsMove *move, LsMoveTable *tables, int n)
{
	int n_left = 0;
	int i;

	for (i = 0; i < n; i++)
	{
		if (tables[i].depth > 0 || tables[i].unfit)
			continue;
		if (write_down(move, &tables[i]) > 0 || tables[i].counted)
			tables[n_left++] = tables[i];
	}
	return n_left;
}

/*
 * A sequence that a duplicate is in goes on with the survivor, where that is in
 * none of its own: of several the one that has come farthest.  This comes before
 * the duplicates are deleted, which ends theirs.
 */
static void
carry_on_sequences(const LsMove *move)
{
	(void) ls_move_run(move,
		"UPDATE lead_system.lead_sequence_enrollments e SET lead_id = $4 FROM ("
		"  SELECT d.id, row_number() OVER (PARTITION BY d.sequence_id"
		"           ORDER BY d.current_step DESC, d.enrolled_at, d.id) AS n"
		"    FROM lead_system.lead_sequence_enrollments d"
		"    JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = $4 AND NOT l.do_not_call"
		"     AND l.stage NOT IN " LS_NURTURE_CLOSED_STAGES_SQL
		"   WHERE d.organization_id = $1 AND d.lead_id = ANY ($3) AND d.lead_id <> $4"
		"     AND d.status IN ('active', 'paused')"
		"     AND NOT EXISTS (SELECT 1 FROM lead_system.lead_sequence_enrollments s"
		"       WHERE s.organization_id = $1 AND s.lead_id = $4 AND s.sequence_id = d.sequence_id"
		"         AND s.status IN ('active', 'paused'))) x"
		" WHERE x.n = 1 AND e.organization_id = $1 AND e.id = x.id");
}

/* All of it, as the owner of the tables. */
static void
merge(LsMove *move, const pg_uuid_t *duplicates, int n_duplicates)
{
	LsScope scope;
	LsMoveTable *tables;
	LsMoveTable *leads;
	pg_uuid_t user;
	int n;
	int i;

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_move_set_formats();
	tables = ls_move_tables(&n);
	ls_move_lock_leads(move, n_duplicates + 1, tables, n);
	check_leads(move);
	check_unfit(move, tables, n);
	leads = ls_move_leads_table();
	(void) ls_move_run(move,
		psprintf(
			"INSERT INTO lead_system.lead_merges"
			" (organization_id, id, lead_id, survivor_id, duplicate_ids, merged_by, created_at)"
			" VALUES ($1, $2, $4, $4, array_remove($3, $4), %s, $5)",
			ls_current_user(&user) ? psprintf("'%s'", ls_uuid_text(&user)) : "NULL"));
	(void) write_down(move, leads);
	n = write_all_down(move, tables, n);
	carry_on_sequences(move);
	(void) ls_move_run(move, "UPDATE lead_system.leads SET deleted_at = $5"
							 " WHERE organization_id = $1 AND id = ANY ($3) AND id <> $4");
	for (i = 0; i < n; i++)
		move_rows(move, &tables[i]);
	(void) ls_move_run(move, ls_move_survivor_statement());
	refresh_queue(move);
	write_down_after(move, leads);
	for (i = 0; i < n; i++)
	{
		if (tables[i].has_fk && !tables[i].is_leads)
			write_down_after(move, &tables[i]);
	}
	ls_move_note(move, &move->survivor, "merged", "merge_id", ls_uuid_text(&move->merge));
	for (i = 0; i < n_duplicates; i++)
		ls_move_note(move, &duplicates[i], "merged", "merged_into", ls_uuid_text(&move->survivor));
	ls_scope_close(&scope);
}

/* The leads of the call: each once, and the survivor not among the duplicates. */
static pg_uuid_t *
read_duplicates(ArrayType *array, const pg_uuid_t *survivor, int *n)
{
	pg_uuid_t *ids;
	Datum *values;
	bool *nulls;
	int given;
	int i;
	int j;

	deconstruct_array(array, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &values, &nulls, &given);
	if (given == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"duplicates\" must name at least one lead")));
	ids = palloc(sizeof(pg_uuid_t) * (given + 1));
	*n = 0;
	for (i = 0; i < given; i++)
	{
		if (nulls[i])
			ls_null_argument("duplicates");
		for (j = 0; j < *n && !ls_uuid_equal(&ids[j], DatumGetUUIDP(values[i])); j++)
			;
		if (ls_uuid_equal(survivor, DatumGetUUIDP(values[i])))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("a lead cannot be merged into itself")));
		if (j == *n)
			ids[(*n)++] = *DatumGetUUIDP(values[i]);
	}
	ids[*n] = *survivor;
	return ids;
}

PG_FUNCTION_INFO_V1(ls_merge_leads);

/* merge_leads(survivor, duplicates) */
Datum
ls_merge_leads(PG_FUNCTION_ARGS)
{
	LsLeadCause cause = {"merge", "manual", NULL, true, NULL, NULL, true};
	const LsLeadCause *previous;
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	LsMove move = {0};
	pg_uuid_t *ids;
	int n;

	LS_REQUIRE_ARG(0, "survivor");
	LS_REQUIRE_ARG(1, "duplicates");
	ls_move_require_read_committed("leads are merged");
	move.survivor = *PG_GETARG_UUID_P(0);
	ids = read_duplicates(PG_GETARG_ARRAYTYPE_P(1), &move.survivor, &n);
	ls_enter_org_of("leads", "lead", &move.survivor, LS_WRITE, &move.org);
	move.leads = ls_uuid_array(ids, n + 1);
	move.now = ls_clock_now();
	ls_uuid_v7(&move.merge);

	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		merge(&move, ids, n);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	*result = move.merge;
	PG_RETURN_UUID_P(result);
}
