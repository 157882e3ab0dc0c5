/*-------------------------------------------------------------------------
 *
 * restore.c
 *	  restore_lead(): a lead comes back from the archive, whole.
 *
 *	  It is written as deleted, then brought back to life by an ordinary update,
 *	  which asks whether its number is free, listed or erased, and counts it;
 *	  then its row is made what it was.  Was its number listed in the meantime,
 *	  it stays blocked.
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

/* Write the lead as it was, but deleted; what it refers to may be gone. */
static void
write_lead(const LsMove *move, const LsMoveTable *leads)
{
	(void) ls_move_run_exactly(move,
		psprintf(
			"WITH ls_new AS (SELECT t.* FROM lead_system.leads_archive a"
			" CROSS JOIN LATERAL jsonb_populate_record(NULL::lead_system.leads, a.lead"
			"   || jsonb_build_object('deleted_at', $5)"
			"   || CASE WHEN EXISTS (SELECT 1 FROM lead_system.users u WHERE u.organization_id = $1"
			"             AND u.id::text = a.lead ->> 'assigned_to') THEN '{}'"
			"           ELSE '{\"assigned_to\": null}'::jsonb END"
			"   || CASE WHEN EXISTS (SELECT 1 FROM lead_system.categories u WHERE u.organization_id = $1"
			"             AND u.id::text = a.lead ->> 'category_id') THEN '{}'"
			"           ELSE '{\"category_id\": null}'::jsonb END) t"
			" WHERE a.organization_id = $1 AND a.id = $4)"
			" INSERT INTO lead_system.leads (%1$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM ls_new t WHERE true%3$s",
			leads->insert_columns, leads->insert_values, ls_move_parents_exist(leads)));
	if (ls_move_run(
			move, "SELECT 1 FROM lead_system.leads WHERE organization_id = $1 AND id = $4") == 0)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the lead cannot be restored"),
				errdetail("What it refers to, such as the status in its pipeline, is not there "
						  "any more.")));
}

/*
 * Write the rows of a table; those whose parent is gone stay away, and so do
 * members of smart lists: which leads those have their filters say.
 */
static void
write_children(const LsMove *move, const LsMoveTable *table)
{
	bool members = strcmp(table->name, "lead_list_members") == 0;
	char *sql;

	if (table->theirs)
	{
		ls_move_insert_theirs(move, table,
			ls_move_document(
				move, psprintf("SELECT a.children -> %s FROM lead_system.leads_archive a"
							   " WHERE a.organization_id = $1 AND a.id = $4",
						  quote_literal_cstr(table->name))),
			"");
		return;
	}
	sql = psprintf(
		"WITH ls_new AS (SELECT p.* FROM lead_system.leads_archive a"
		"  CROSS JOIN LATERAL jsonb_populate_recordset(NULL::%1$s, a.children -> %3$s) p"
		"  WHERE a.organization_id = $1 AND a.id = $4)"
		" INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE SELECT %5$s FROM ls_new t WHERE true%4$s%6$s",
		table->relation, table->insert_columns, quote_literal_cstr(table->name),
		ls_move_parents_exist(table), table->insert_values,
		members
			? " AND NOT EXISTS (SELECT 1 FROM lead_system.lead_lists s WHERE s.organization_id = $1"
			  "   AND s.id = t.lead_list_id AND s.list_type = 'smart')"
			: "");

	(void) (table->counted ? ls_move_run(move, sql) : ls_move_run_exactly(move, sql));
}

/* Make the rows of a table, which triggers have touched, what they were. */
static void
make_exact(const LsMove *move, const LsMoveTable *table)
{
	(void) ls_move_run_exactly(move,
		psprintf(
			"UPDATE %1$s t SET (%2$s) = (SELECT %5$s FROM jsonb_populate_record(NULL::%1$s, e.value))"
			"  FROM lead_system.leads_archive a"
			" CROSS JOIN LATERAL jsonb_array_elements(a.children -> %3$s) e"
			" CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, e.value) p"
			" WHERE a.organization_id = $1 AND a.id = $4 AND %4$s AND %6$s IS DISTINCT FROM e.value",
			table->relation, table->columns, quote_literal_cstr(table->name), table->key,
			table->values, table->row));
}

/* Was the lead free to be called, and is not any more? */
#define WAS_LISTED \
	"(l.do_not_call AND NOT (SELECT (a.lead ->> 'do_not_call')::boolean" \
	"   FROM lead_system.leads_archive a WHERE a.organization_id = $1 AND a.id = l.id))"

/*
 * Bring the lead to life, and take away what is told of that, unless it was
 * listed in the meantime.
 */
static void
revive(const LsMove *move, const LsMoveTable *tables, int n)
{
	int i;

	(void) ls_move_run(move,
		"UPDATE lead_system.leads SET deleted_at = NULL WHERE organization_id = $1 AND id = $4");
	if (ls_move_run(move, "SELECT 1 FROM lead_system.leads l WHERE l.organization_id = $1"
						  " AND l.id = $4 AND " WAS_LISTED) > 0)
		return;
	for (i = 0; i < n; i++)
	{
		if (!tables[i].has_fk)
			(void) ls_move_run_exactly(
				move, psprintf("DELETE FROM %s t WHERE t.organization_id = $1 AND %s = $4",
						  tables[i].relation, tables[i].lead));
	}
}

/*
 * A lead that is in a smart list again has the row there that it had.  The list
 * has written another one when the lead came to life.
 */
static void
keep_smart_members(const LsMove *move, const LsMoveTable *members)
{
	(void) ls_move_run_exactly(move,
		psprintf("UPDATE lead_system.lead_list_members t SET (%1$s) = (SELECT %2$s"
				 "   FROM jsonb_populate_record(NULL::lead_system.lead_list_members, e.value))"
				 "  FROM lead_system.leads_archive a"
				 " CROSS JOIN LATERAL jsonb_array_elements(a.children -> 'lead_list_members') e"
				 "  JOIN lead_system.lead_lists s ON s.organization_id = $1"
				 "   AND s.id::text = e.value ->> 'lead_list_id' AND s.list_type = 'smart'"
				 " WHERE a.organization_id = $1 AND a.id = $4 AND t.organization_id = $1"
				 "   AND t.lead_list_id = s.id AND t.lead_id = a.id",
			members->columns, members->values));
}

/* Make the lead's row what it was; one that was listed stays as it is. */
static void
make_lead_exact(const LsMove *move, const LsMoveTable *leads)
{
	(void) ls_move_run_exactly(move,
		psprintf(
			"UPDATE lead_system.leads t SET (%1$s) = (SELECT %2$s FROM jsonb_populate_record(NULL::lead_system.leads,"
			"    a.lead || jsonb_build_object('assigned_to', t.assigned_to, 'category_id', t.category_id)))"
			"  FROM lead_system.leads_archive a WHERE a.organization_id = $1 AND a.id = $4"
			"   AND t.organization_id = $1 AND t.id = $4"
			"   AND NOT (t.do_not_call AND NOT (a.lead ->> 'do_not_call')::boolean)",
			leads->columns, leads->values));
}

/* Does a table refer to another one among n that is not written yet? */
static bool
waits_for(const LsMoveTable *table, const LsMoveTable *tables, const bool *written, int n)
{
	LS_QUERY(query,
		"SELECT DISTINCT f.confrelid::regclass::text FROM pg_constraint f"
		" WHERE f.contype = 'f' AND f.conrelid = $1::regclass AND f.confrelid <> f.conrelid",
		TEXTOID);
	LsArgs args = {0};
	uint64 rows;
	uint64 row;
	int i;

	ls_arg_text(&args, table->relation);
	rows = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < rows; row++)
	{
		for (i = 0; i < n; i++)
		{
			if (!written[i] && strcmp(tables[i].relation, ls_result_text(row, 1)) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Write what belongs to the lead: what others refer to first, since a row whose
 * parent is not there stays away.  Tables that refer to each other in a circle
 * come as they are.
 */
static void
write_all_children(const LsMove *move, const LsMoveTable *tables, int n, bool histories)
{
	bool *written = palloc0(sizeof(bool) * (n + 1));
	int n_written = 0;
	bool stuck = false;
	int i;

	while (n_written < n)
	{
		int before = n_written;

		for (i = 0; i < n; i++)
		{
			if (written[i] || (!stuck && waits_for(&tables[i], tables, written, n)))
				continue;
			if (tables[i].has_fk != histories)
				write_children(move, &tables[i]);
			written[i] = true;
			n_written++;
		}
		stuck = n_written == before;
	}
}

/* The tables of which the archive has rows of the lead, each once. */
static LsMoveTable *
tables_with_rows(const LsMove *move, const LsMoveTable *all, int n_all, int *n)
{
	uint64 rows = ls_move_run(move,
		"SELECT k.name FROM lead_system.leads_archive a, jsonb_object_keys(a.children) k(name)"
		" WHERE a.organization_id = $1 AND a.id = $4");
	char **names = SPI_palloc(sizeof(char *) * (rows + 1));
	LsMoveTable *tables = SPI_palloc(sizeof(LsMoveTable) * (n_all + 1));
	uint64 row;
	int i;

	for (row = 0; row < rows; row++)
		names[row] = ls_result_text(row, 1);
	*n = 0;
	for (row = 0; row < rows; row++)
	{
		for (i = 0; i < n_all && strcmp(all[i].name, names[row]) != 0; i++)
			;
		if (i == n_all)
			ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("the lead cannot be restored"),
					errdetail("It has rows of table \"%s\", which is not there any more, or does "
							  "not refer to leads.",
						names[row])));
		tables[(*n)++] = all[i];
	}
	return tables;
}

/* All of it, as the owner of the tables. */
static void
restore(LsMove *move, bool alive)
{
	LsScope scope;
	LsMoveTable *leads;
	LsMoveTable *tables;
	LsMoveTable *kept;
	int n;
	int n_kept;
	int i;

	ls_scope_open(&scope, LS_AS_OWNER);
	ls_move_set_formats();
	if (ls_move_run(move,
			"SELECT lead_system.is_on_dnc_list(a.phone_number, $1) FROM lead_system.leads_archive a"
			" WHERE a.organization_id = $1 AND a.id = $4 FOR UPDATE") == 0)
		ls_no_such_row("archived lead", &move->survivor);
	move->leads = ls_uuid_array(&move->survivor, 1);
	leads = ls_move_leads_table();
	tables = ls_move_archived_tables(&n);
	kept = tables_with_rows(move, tables, n, &n_kept);
	write_lead(move, leads);
	write_all_children(move, kept, n_kept, false);
	if (alive)
		revive(move, tables, n);
	write_all_children(move, kept, n_kept, true);
	for (i = 0; i < n_kept; i++)
	{
		if (strcmp(kept[i].name, "lead_list_members") == 0)
			keep_smart_members(move, &kept[i]);
		if (kept[i].counted)
			make_exact(move, &kept[i]);
	}
	if (alive)
		make_lead_exact(move, leads);
	ls_move_block_queue(move, WAS_LISTED);
	(void) ls_move_run(
		move, "DELETE FROM lead_system.leads_archive WHERE organization_id = $1 AND id = $4");
	ls_move_note(move, &move->survivor, "restored", NULL, NULL);
	ls_scope_close(&scope);
}

/* Restore a lead of which the caller may know. */
static void
restore_lead(const pg_uuid_t *org, const pg_uuid_t *lead, bool alive)
{
	LsLeadCause cause = {"restored from the archive", "manual", NULL, true, NULL, NULL, true};
	const LsLeadCause *previous;
	LsMove move = {.org = *org, .survivor = *lead, .now = ls_clock_now()};

	ls_move_require_read_committed("a lead is restored");
	previous = ls_lead_cause_set(&cause);
	PG_TRY();
	{
		restore(&move, alive);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
}

PG_FUNCTION_INFO_V1(ls_merge_restore_lead);

/* restore_lead(lead_id) */
Datum
ls_merge_restore_lead(PG_FUNCTION_ARGS)
{
	pg_uuid_t org;

	LS_REQUIRE_ARG(0, "lead_id");
	ls_enter_org_of("leads_archive", "archived lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	restore_lead(&org, PG_GETARG_UUID_P(0), true);
	PG_RETURN_VOID();
}

/* Bring a lead back for its erasure: deleted, so that nothing can be in its way. */
static bool
recall(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	if (!ls_row_exists("leads_archive", org, lead))
		return false;
	restore_lead(org, lead, false);
	return true;
}

/* Bring back the lead that is the same as one that comes in. */
static bool
recall_same(const pg_uuid_t *org, const char *source, const char *source_id, const char *phone)
{
	LS_QUERY(query,
		"SELECT a.id FROM lead_system.leads_archive a WHERE a.organization_id = $1"
		"   AND ((a.source_id = $3 AND a.source IS NOT DISTINCT FROM $2) OR a.phone_number = $4)"
		" ORDER BY a.source_id = $3 AND a.source IS NOT DISTINCT FROM $2 DESC NULLS LAST,"
		"          a.phone_number = $4 DESC NULLS LAST, a.created_at, a.id LIMIT 1",
		UUIDOID, TEXTOID, TEXTOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, source);
	ls_arg_text(&args, source_id);
	ls_arg_text(&args, phone);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
		id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	if (found)
		restore_lead(org, &id, true);
	return found;
}

const LsLeadArchive ls_merge_archive = {recall, recall_same};
