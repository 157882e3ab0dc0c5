/*-------------------------------------------------------------------------
 *
 * owners.c
 *	  Statements on tables that belong to other roles than ours do.
 *
 *	  Whose table it is, his code runs when its rows are read or written: casts,
 *	  checks, triggers that fire always.  So it is done with his rights, as the
 *	  server does when it looks after a foreign key (ri_triggers.c).  He may not
 *	  read our tables, nor another's, so a statement as one owner is about tables
 *	  of that owner alone, and what it has to know of others it is given as a
 *	  document ($7).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "merge/merge.h"

/* One row for each way in which a table refers to another one, for reading below. */
#define PARENTS \
	"SELECT f.confrelid::regclass::text, p.relowner::bigint," \
	"       string_agg(format('%L, r.row -> %L', a.attname, k.attname), ', ')," \
	"       string_agg(format('r.row ->> %L IS NULL', k.attname), ' OR ')," \
	"       string_agg(format('f.%1$I = p.%1$I', a.attname), ' AND ')" \
	"  FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid" \
	" CROSS JOIN LATERAL unnest(f.conkey, f.confkey) u(k, a)" \
	"  JOIN pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = u.k" \
	"  JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = u.a" \
	" WHERE f.contype = 'f' AND f.conrelid = $1::regclass AND f.confrelid <> f.conrelid" \
	"   AND f.conparentid = 0 GROUP BY f.oid, f.confrelid, p.relowner ORDER BY f.oid"

/*
 * Run a statement with the rights of a role; an error gives them back, too.  What
 * the role's own code does to leads is not part of the move, and judged as ever.
 */
static uint64
run_as(Oid owner, const LsMove *move, const char *sql, bool exactly)
{
	static const LsLeadCause no_cause = {NULL, "manual", NULL, false};
	const LsLeadCause *cause = ls_lead_cause();
	Oid saved_user;
	int saved_security;
	uint64 n;

	if (owner != ls_owner())
		cause = ls_lead_cause_set(&no_cause); /* who began the move puts it back after an error */
	GetUserIdAndSecContext(&saved_user, &saved_security);
	SetUserIdAndSecContext(
		owner, saved_security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	n = exactly ? ls_move_run_exactly(move, sql) : ls_move_run(move, sql);
	SetUserIdAndSecContext(saved_user, saved_security);
	ls_lead_cause_set(cause);
	return n;
}

/* The document that the last statement has given; none when that is null. */
static Datum
take_document(void)
{
	bool isnull;
	Datum document = ls_result(0, 1, &isnull);

	return isnull ? (Datum) 0 : SPI_datumTransfer(document, false, -1);
}

/* What a statement on our own tables tells, as a document. */
Datum
ls_move_document(const LsMove *move, const char *sql)
{
	return ls_move_run(move, sql) > 0 ? take_document() : (Datum) 0;
}

/*
 * Run a statement on a table, and on no other one unless the table is ours.  One
 * that refers to a table that belongs to leads gets the keys of that one's rows.
 */
uint64
ls_move_run_on(const LsMove *move, const LsMoveTable *table, const char *sql, bool exactly)
{
	const LsMoveTable *parent = table->parent;
	LsMove with = *move;

	if (!table->theirs)
		return exactly ? ls_move_run_exactly(move, sql) : ls_move_run(move, sql);
	if (parent != NULL && with.given == (Datum) 0)
	{
		(void) ls_move_run_on(move, parent,
			psprintf("SELECT jsonb_agg(jsonb_build_object('lead', %s, 'k', %s)) FROM %s"
					 " WHERE %s AND %s = ANY ($3)",
				parent->lead, table->parent_keys, parent->source, parent->org_is, parent->lead),
			false);
		with.given = take_document();
	}
	return run_as(table->owner, &with, sql, exactly);
}

/*
 * FROM item x with what a query on a table gives, for a statement on ours.  The
 * columns are told for the case that it is given as a document.
 */
char *
ls_move_gather(LsMove *move, const LsMoveTable *table, const char *query, const char *columns)
{
	if (!table->theirs)
		return psprintf("(%s) x", query);
	(void) ls_move_run_on(
		move, table, psprintf("SELECT jsonb_agg(to_jsonb(x)) FROM (%s) x", query), false);
	move->given = take_document();
	return psprintf("jsonb_to_recordset($7) x(%s)", columns);
}

/* Which of our rows about a merge are about a table. */
static char *
rows_of_merge(const LsMoveTable *table)
{
	return psprintf("(SELECT r.id, r.subject_id, r.row_before, r.row_after, r.row_restored"
					"   FROM lead_system.lead_merge_rows r"
					"  WHERE r.organization_id = $1 AND r.merge_id = $2 AND r.table_name = %s)",
		quote_literal_cstr(table->name));
}

/* FROM item with those rows, for a statement on the table: see ls_move_with_rows(). */
char *
ls_move_rows(const LsMoveTable *table, const char *alias)
{
	if (!table->theirs)
		return psprintf("%s %s", rows_of_merge(table), alias);
	return psprintf("jsonb_to_recordset($7) %s(id uuid, subject_id uuid, row_before jsonb,"
					" row_after jsonb, row_restored jsonb)",
		alias);
}

/* The move with those rows at hand, as they are now. */
LsMove
ls_move_with_rows(const LsMove *move, const LsMoveTable *table)
{
	LsMove with = *move;

	if (table->theirs)
		with.given = ls_move_document(
			move, psprintf("SELECT jsonb_agg(to_jsonb(x)) FROM %s x", rows_of_merge(table)));
	return with;
}

/* Leave those rows of a table whose parent in another table is there; that is kept there. */
static Datum
with_parents(const LsMove *move, const LsMoveTable *table, Datum rows)
{
	LS_QUERY(query, PARENTS, TEXTOID);
	LsArgs args = {0};
	LsMove with = *move;
	SPITupleTable *parents;
	uint64 n;
	uint64 i;

	ls_arg_text(&args, table->relation);
	n = ls_query_run(&query, &args, LS_WRITE);
	parents = SPI_tuptable;
	for (i = 0; i < n && rows != (Datum) 0; i++)
	{
		HeapTuple tuple = parents->vals[i];
		TupleDesc desc = parents->tupdesc;
		char *relation = SPI_getvalue(tuple, desc, 1);
		char *keys = SPI_getvalue(tuple, desc, 3);
		char *none = SPI_getvalue(tuple, desc, 4);
		char *same = SPI_getvalue(tuple, desc, 5);
		bool isnull;
		Oid owner = (Oid) DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));

		with.given = rows;
		with.given = ls_move_document(&with,
			psprintf("SELECT jsonb_agg(jsonb_build_object('n', r.n, 'k', jsonb_build_object(%s)))"
					 "  FROM jsonb_array_elements($7) WITH ORDINALITY r(row, n) WHERE NOT (%s)",
				keys, none));
		(void) run_as(owner, &with,
			psprintf(
				"SELECT jsonb_agg(x.n) FROM (SELECT e.n FROM jsonb_to_recordset($7) e(n bigint, k jsonb)"
				" CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, e.k) p"
				"  JOIN %1$s f ON %2$s FOR KEY SHARE OF f) x",
				relation, same),
			false);
		with.found = take_document();
		with.given = rows;
		rows = ls_move_document(
			&with, psprintf("SELECT jsonb_agg(r.row ORDER BY r.n)"
							"  FROM jsonb_array_elements($7) WITH ORDINALITY r(row, n) WHERE %s"
							"    OR r.n IN (SELECT e::bigint FROM jsonb_array_elements_text($8) e)",
					   none));
	}
	return rows;
}

/* Write rows of a table again, as the document tells them; those without a parent stay away. */
void
ls_move_insert_theirs(const LsMove *move, const LsMoveTable *table, Datum rows, const char *suffix)
{
	LsMove with = *move;

	with.given = with_parents(move, table, rows);
	if (with.given == (Datum) 0)
		return;
	(void) run_as(table->owner, &with,
		psprintf("WITH ls_new AS (SELECT p.* FROM jsonb_populate_recordset(NULL::%1$s, $7) p)"
				 " INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE"
				 " SELECT %3$s FROM ls_new t WHERE true%4$s%5$s",
			table->relation, table->insert_columns, table->insert_values,
			ls_move_parents_exist(table), suffix),
		!table->counted);
}
