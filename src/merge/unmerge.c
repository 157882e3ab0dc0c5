/*-------------------------------------------------------------------------
 *
 * unmerge.c
 *	  unmerge_leads(): leads that were merged are apart again.
 *
 *	  Each row has three versions: before the merge, after it, and now.  What the
 *	  merge changed in a row gets its old value, if nobody has changed it since;
 *	  what it did not change stays as it is now.  Rows that came since stay with
 *	  the survivor, rows that went since stay away.  When nothing was changed,
 *	  every row is as it was, to the last byte.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "merge/merge.h"

/* Columns that are derived from others, and so may have changed at any time. */
#define DERIVED \
	"'{updated_at,lead_score,raw_score,score_breakdown,temperature,scored_at,scoring_model,stage," \
	"pipeline_stage,status_changed_at,last_activity_at,last_contact_at,temperature_rank,is_dialable}'::text[]"

/* Counters, whose part that came since is kept. */
#define ADDED_UP \
	"'{email_reply_count,email_open_count,link_click_count,sms_reply_count,pricing_page_visits," \
	"call_count}'::text[]"

/* The rows of the merge in a table, each with what it is now. */
#define ROWS_NOW \
	" FROM %3$s" \
	" CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, b.row_after) p" \
	"  JOIN %1$s t ON %2$s" \
	" WHERE b.row_after IS NOT NULL"

/* Read the merge and lock its leads. */
static void
find_merge(LsMove *move, const LsMoveTable *tables, int n)
{
	LS_QUERY(query,
		"SELECT m.survivor_id, m.duplicate_ids || m.survivor_id, cardinality(m.duplicate_ids) + 1,"
		"       m.unmerged_at IS NOT NULL"
		"  FROM lead_system.lead_merges m WHERE m.organization_id = $1 AND m.id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};
	bool isnull;
	bool undone;

	ls_arg_uuid(&args, &move->org);
	ls_arg_uuid(&args, &move->merge);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		ls_no_such_row("merge", &move->merge);
	move->survivor = ls_result_uuid(0, 1);
	move->leads = SPI_datumTransfer(ls_result(0, 2, &isnull), false, -1);
	move->number = ls_result_int32(0, 3);
	undone = ls_result_bool(0, 4);
	if (!undone)
	{
		ls_move_lock_leads(move, move->number, tables, n);
		(void) ls_query_run(&query, &args, LS_WRITE);
		undone = ls_result_bool(0, 4);
	}
	if (undone)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the merge has been undone already")));
}

/* Later merges are undone first, and the leads must still be what it left. */
static void
check_merge(const LsMove *move)
{
	if (ls_move_run(move,
			"SELECT 1 FROM lead_system.lead_merges m WHERE m.organization_id = $1 AND m.id > $2"
			"   AND m.unmerged_at IS NULL AND (m.survivor_id = ANY ($3) OR m.duplicate_ids && $3)") >
		0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("a later merge builds on this one"), errhint("Undo the later one first.")));
	if (ls_move_run(move, "SELECT 1 FROM lead_system.leads WHERE organization_id = $1"
						  " AND id = ANY ($3) AND (deleted_at IS NULL) <> (id = $4)") > 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the merge cannot be undone"),
						   errdetail("A lead of it has been deleted or brought back since.")));
	if (ls_move_run(move, "SELECT 1 FROM lead_system.lead_merge_rows WHERE organization_id = $1"
						  " AND merge_id = $2 AND row_before = '{}'") > 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the merge cannot be undone"),
						   errdetail("The personal data of a lead of it has been erased.")));
}

/* Refuse when a value that the merge changed was changed again. */
static void
check_changes(const LsMove *move, const LsMoveTable *table)
{
	char *sql = psprintf(
		"SELECT o.key::text FROM (SELECT b.row_before, b.row_after, %4$s AS now" ROWS_NOW
		") x, jsonb_each(x.row_before) o WHERE x.row_after -> o.key IS DISTINCT FROM o.value"
		" AND x.now -> o.key IS DISTINCT FROM x.row_after -> o.key"
		" AND x.now -> o.key IS DISTINCT FROM o.value"
		" AND o.key <> ALL (" DERIVED " || " ADDED_UP ") ORDER BY 1 LIMIT 1",
		table->relation, table->key, ls_move_rows(table, "b"), table->row);
	LsMove with = ls_move_with_rows(move, table);

	if (ls_move_run_on(&with, table, sql, false) > 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the merge cannot be undone"),
				errdetail("Column \"%s\" of table \"%s\" was changed since, and by the merge.",
					ls_result_text(0, 1), table->name)));
}

/* Work out what each row of a table becomes. */
static void
work_out(const LsMove *move, const LsMoveTable *table)
{
	char *sql = psprintf(
		"SELECT x.id, x.now || coalesce("
		"  (SELECT jsonb_object_agg(o.key, CASE WHEN o.key = ANY (" ADDED_UP ")"
		"     THEN to_jsonb((x.now ->> o.key)::bigint - (x.row_after ->> o.key)::bigint + (o.value #>> '{}')::bigint)"
		"     ELSE o.value END)"
		"     FROM jsonb_each(x.row_before) o WHERE x.row_after -> o.key IS DISTINCT FROM o.value"
		"      AND (x.now -> o.key IS NOT DISTINCT FROM x.row_after -> o.key OR o.key = ANY (" ADDED_UP
		"))), '{}') AS row_restored"
		" FROM (SELECT b.id, b.row_before, b.row_after, %4$s AS now" ROWS_NOW ") x",
		table->relation, table->key, ls_move_rows(table, "b"), table->row);
	LsMove with = ls_move_with_rows(move, table);
	char *rows = ls_move_gather(&with, table, sql, "id uuid, row_restored jsonb");

	(void) ls_move_run_exactly(&with,
		psprintf("UPDATE lead_system.lead_merge_rows r SET row_restored = x.row_restored FROM %s"
				 " WHERE r.organization_id = $1 AND r.id = x.id",
			rows));
}

/*
 * Write the rows of a table as worked out.  Exactly, but for leads that were
 * listed in the meantime: those stay as the triggers made them.
 */
static void
write_rows(const LsMove *move, const LsMoveTable *table, bool exactly, const char *condition)
{
	char *sql = psprintf(
		"UPDATE %1$s t SET (%4$s) = (SELECT %7$s"
		"   FROM jsonb_populate_record(NULL::%1$s, b.row_restored))"
		"  FROM %3$s"
		" CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, b.%6$s) p"
		" WHERE %2$s AND b.row_restored IS NOT NULL AND %8$s IS DISTINCT FROM b.row_restored%5$s",
		table->relation, table->key, ls_move_rows(table, "b"), table->columns, condition,
		exactly && table->counted ? "row_restored" : "row_after", table->values, table->row);
	LsMove with = ls_move_with_rows(move, table);

	(void) ls_move_run_on(&with, table, sql, exactly);
}

/*
 * Which leads a smart list has its filter says, and has said when the leads were
 * written: of the members that came back so, the rows are the old ones.
 */
static void
keep_smart_members(const LsMove *move, const LsMoveTable *table)
{
	(void) ls_move_run_exactly(move,
		psprintf(
			"UPDATE lead_system.lead_list_members t SET (%1$s) = (SELECT %2$s"
			"   FROM jsonb_populate_record(NULL::lead_system.lead_list_members, b.row_before))"
			"  FROM lead_system.lead_merge_rows b"
			" CROSS JOIN LATERAL jsonb_populate_record(NULL::lead_system.lead_list_members, b.row_before) p"
			"  JOIN lead_system.lead_lists s ON s.organization_id = $1 AND s.id = p.lead_list_id"
			" WHERE b.organization_id = $1 AND b.merge_id = $2 AND b.table_name = 'lead_list_members'"
			"   AND b.row_before IS NOT NULL AND b.row_after IS NULL AND s.list_type = 'smart'"
			"   AND t.organization_id = $1 AND t.lead_list_id = p.lead_list_id AND t.lead_id = p.lead_id",
			table->columns, table->values));
}

/* Bring back the rows of a table of theirs that were dropped. */
static void
bring_back_theirs(const LsMove *move, const LsMoveTable *table)
{
	Datum rows = ls_move_document(
		move, psprintf("SELECT jsonb_agg(b.row_before) FROM lead_system.lead_merge_rows b"
					   " WHERE b.organization_id = $1 AND b.merge_id = $2 AND b.table_name = %s"
					   "   AND b.row_before IS NOT NULL AND b.row_after IS NULL",
				  quote_literal_cstr(table->name)));

	ls_move_insert_theirs(move, table, rows, " ON CONFLICT DO NOTHING");
}

/* The same for one of ours; rows whose parent is gone stay away. */
static void
bring_back(const LsMove *move, const LsMoveTable *table)
{
	bool members = strcmp(table->name, "lead_list_members") == 0;
	char *sql = psprintf(
		"WITH ls_new AS ("
		" SELECT (ls_p).* FROM (SELECT jsonb_populate_record(NULL::%1$s, b.row_before) AS ls_p"
		"    FROM lead_system.lead_merge_rows b WHERE b.organization_id = $1 AND b.merge_id = $2"
		"     AND b.table_name = %3$s AND b.row_before IS NOT NULL AND b.row_after IS NULL) x)"
		" INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE SELECT %6$s FROM ls_new t"
		" WHERE true%4$s%5$s ON CONFLICT DO NOTHING",
		table->relation, table->insert_columns, quote_literal_cstr(table->name),
		ls_move_parents_exist(table),
		members
			? " AND NOT EXISTS (SELECT 1 FROM lead_system.lead_lists s WHERE s.organization_id = $1"
			  "   AND s.id = t.lead_list_id AND s.list_type = 'smart')"
			: "",
		table->insert_values);

	if (members)
		keep_smart_members(move, table);
	(void) (table->counted ? ls_move_run(move, sql) : ls_move_run_exactly(move, sql));
}

/* Make the rows of a table, which triggers have touched, what they are to be. */
static void
make_exact(const LsMove *move, const LsMoveTable *table)
{
	write_rows(move, table, true, "");
	(void) ls_move_run_exactly(move,
		psprintf(
			"UPDATE %1$s t SET (%2$s) = (SELECT %5$s"
			"   FROM jsonb_populate_record(NULL::%1$s, b.row_before))"
			"  FROM lead_system.lead_merge_rows b"
			" CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, b.row_before) p"
			" WHERE %4$s AND b.organization_id = $1 AND b.merge_id = $2 AND b.table_name = %3$s"
			"   AND b.row_before IS NOT NULL AND b.row_after IS NULL AND %6$s IS DISTINCT FROM b.row_before",
			table->relation, table->columns, quote_literal_cstr(table->name), table->key,
			table->values, table->row));
}

/* Give the rows of a history back to the lead that they were of. */
static void
give_back(const LsMove *move, const LsMoveTable *table)
{
	(void) ls_move_run_exactly(move,
		psprintf("UPDATE %1$s t SET %2$s = b.subject_id FROM lead_system.lead_merge_rows b"
				 " WHERE b.organization_id = $1 AND b.merge_id = $2 AND b.table_name = %3$s"
				 "   AND t.organization_id = $1 AND t.id = ANY (b.moved_ids) AND t.%2$s = $4",
			table->relation, quote_identifier(table->column), quote_literal_cstr(table->name)));
}

/*
 * Leave the tables of which the merge has rows, and return how many.  Leads that
 * refer to leads are written as leads.
 */
static int
moved_tables(const LsMove *move, LsMoveTable *tables, int n)
{
	uint64 rows = ls_move_run(move, "SELECT DISTINCT table_name FROM lead_system.lead_merge_rows"
									" WHERE organization_id = $1 AND merge_id = $2");
	char **names = SPI_palloc(sizeof(char *) * (rows + 1));
	uint64 row;
	int n_left = 0;
	int i;

	for (row = 0; row < rows; row++)
		names[row] = ls_result_text(row, 1);
	for (i = 0; i < n; i++)
	{
		for (row = 0; row < rows && strcmp(names[row], tables[i].name) != 0; row++)
			;
		if (row < rows && tables[i].depth == 0 && !tables[i].unfit && !tables[i].is_leads)
			tables[n_left++] = tables[i];
	}
	return n_left;
}

/* The rows of all tables: worked out first, since writing one changes others. */
static void
restore_rows(const LsMove *move, LsMoveTable *tables, int n)
{
	LsMoveTable *leads = ls_move_leads_table();
	int i;

	n = moved_tables(move, tables, n);
	check_changes(move, leads);
	work_out(move, leads);
	for (i = 0; i < n; i++)
	{
		if (!tables[i].has_fk)
			continue;
		check_changes(move, &tables[i]);
		work_out(move, &tables[i]);
	}
	/* The survivor first: it gives back a number that one lead alone may have. */
	write_rows(move, leads, false, " AND t.id = $4");
	write_rows(move, leads, false, " AND t.id <> $4");
	for (i = 0; i < n; i++)
	{
		if (!tables[i].has_fk)
		{
			give_back(move, &tables[i]);
			continue;
		}
		write_rows(move, &tables[i], !tables[i].counted, "");
		if (tables[i].theirs)
			bring_back_theirs(move, &tables[i]);
		else
			bring_back(move, &tables[i]);
	}
	/* What the triggers of one have changed in another. */
	for (i = 0; i < n; i++)
	{
		if (tables[i].counted)
			make_exact(move, &tables[i]);
	}
	write_rows(move, leads, true,
		" AND NOT (t.do_not_call AND NOT (b.row_restored ->> 'do_not_call')::boolean)");
	ls_move_block_queue(move,
		"EXISTS (SELECT 1 FROM lead_system.lead_merge_rows b WHERE b.organization_id = $1"
		"   AND b.merge_id = $2 AND b.table_name = 'leads' AND b.subject_id = l.id"
		"   AND NOT (b.row_restored ->> 'do_not_call')::boolean)");
}

/* All of it, as the owner of the tables. */
static void
unmerge(LsMove *move)
{
	LsScope scope;
	LsMoveTable *tables;
	pg_uuid_t user;
	int n;

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_move_set_formats();
	tables = ls_move_tables(&n);
	find_merge(move, tables, n);
	check_merge(move);
	restore_rows(move, tables, n);
	(void) ls_move_run_exactly(
		move, psprintf("UPDATE lead_system.lead_merges SET unmerged_at = $5, unmerged_by = %s"
					   " WHERE organization_id = $1 AND id = $2",
				  ls_current_user(&user) ? psprintf("'%s'", ls_uuid_text(&user)) : "NULL"));
	(void) ls_move_run(move,
		"INSERT INTO lead_system.activities (organization_id, lead_id, action_type, new_value, user_id, created_at)"
		" SELECT $1, l.id, 'unmerged', jsonb_build_object('merge_id', $2), lead_system.current_user_id(), $5"
		"   FROM unnest($3) WITH ORDINALITY l(id, n) ORDER BY l.n DESC");
	ls_scope_close(&scope);
}

PG_FUNCTION_INFO_V1(ls_merge_unmerge);

/* unmerge_leads(merge_id) */
Datum
ls_merge_unmerge(PG_FUNCTION_ARGS)
{
	LsLeadCause cause = {"unmerge", "manual", NULL, true, NULL, NULL, true, true};
	const LsLeadCause *previous;
	LsMove move = {0};

	LS_REQUIRE_ARG(0, "merge_id");
	ls_move_require_read_committed("a merge is undone");
	move.merge = *PG_GETARG_UUID_P(0);
	ls_enter_org_of("lead_merges", "merge", &move.merge, LS_WRITE, &move.org);
	move.now = ls_clock_now();

	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		unmerge(&move);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
