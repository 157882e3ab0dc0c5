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
			"INSERT INTO lead_system.leads (%1$s) SELECT %1$s FROM (SELECT t.* FROM lead_system.leads_archive a"
			" CROSS JOIN LATERAL jsonb_populate_record(NULL::lead_system.leads, a.lead"
			"   || jsonb_build_object('deleted_at', $5)"
			"   || CASE WHEN EXISTS (SELECT 1 FROM lead_system.users u WHERE u.organization_id = $1"
			"             AND u.id::text = a.lead ->> 'assigned_to') THEN '{}'"
			"           ELSE '{\"assigned_to\": null}'::jsonb END"
			"   || CASE WHEN EXISTS (SELECT 1 FROM lead_system.categories u WHERE u.organization_id = $1"
			"             AND u.id::text = a.lead ->> 'category_id') THEN '{}'"
			"           ELSE '{\"category_id\": null}'::jsonb END) t"
			" WHERE a.organization_id = $1 AND a.id = $4) t WHERE true%2$s",
			leads->columns, ls_move_parents_exist("leads")));
	if (ls_move_run(
			move, "SELECT 1 FROM lead_system.leads WHERE organization_id = $1 AND id = $4") == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the lead cannot be restored"),
						   errdetail("Its pipeline, or the status in it, is not there any more.")));
}

/* Write the rows of a table; those whose parent is gone stay away. */
static void
write_children(const LsMove *move, const LsMoveTable *table)
{
	char *sql = psprintf(
		"INSERT INTO lead_system.%1$s (%2$s) SELECT %2$s FROM ("
		" SELECT p.* FROM lead_system.leads_archive a"
		"  CROSS JOIN LATERAL jsonb_populate_recordset(NULL::lead_system.%1$s, a.children -> %3$s) p"
		"  WHERE a.organization_id = $1 AND a.id = $4) t WHERE true%4$s",
		quote_identifier(table->name), table->columns, quote_literal_cstr(table->name),
		ls_move_parents_exist(table->name));

	(void) (table->counted ? ls_move_run(move, sql) : ls_move_run_exactly(move, sql));
}

/* Make the rows of a table, which triggers have touched, what they were. */
static void
make_exact(const LsMove *move, const LsMoveTable *table)
{
	(void) ls_move_run_exactly(move,
		psprintf(
			"UPDATE lead_system.%1$s t SET (%2$s) = (SELECT %2$s FROM jsonb_populate_record(NULL::lead_system.%1$s, e.value))"
			"  FROM lead_system.leads_archive a"
			" CROSS JOIN LATERAL jsonb_array_elements(a.children -> %3$s) e"
			" CROSS JOIN LATERAL jsonb_populate_record(NULL::lead_system.%1$s, e.value) p"
			" WHERE a.organization_id = $1 AND a.id = $4 AND %4$s AND to_jsonb(t) IS DISTINCT FROM e.value",
			quote_identifier(table->name), table->columns, quote_literal_cstr(table->name),
			table->key));
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
			(void) ls_move_run_exactly(move,
				psprintf("DELETE FROM lead_system.%s t WHERE t.organization_id = $1 AND t.%s = $4",
					quote_identifier(tables[i].name), quote_identifier(tables[i].column)));
	}
}

/* Make the lead's row what it was; one that was listed stays as it is. */
static void
make_lead_exact(const LsMove *move, const LsMoveTable *leads)
{
	(void) ls_move_run_exactly(move,
		psprintf(
			"UPDATE lead_system.leads t SET (%1$s) = (SELECT %1$s FROM jsonb_populate_record(NULL::lead_system.leads,"
			"    a.lead || jsonb_build_object('assigned_to', t.assigned_to, 'category_id', t.category_id)))"
			"  FROM lead_system.leads_archive a WHERE a.organization_id = $1 AND a.id = $4"
			"   AND t.organization_id = $1 AND t.id = $4"
			"   AND NOT (t.do_not_call AND NOT (a.lead ->> 'do_not_call')::boolean)",
			leads->columns));
}

/* Write what belongs to the lead: what others refer to first, histories last. */
static void
write_all_children(const LsMove *move, const LsMoveTable *tables, int n, bool histories)
{
	int depth;
	int i;

	for (depth = 0; depth <= LS_MOVE_MAX_DEPTH; depth++)
	{
		for (i = 0; i < n; i++)
		{
			if (tables[i].depth == depth && tables[i].has_fk != histories &&
				(i == 0 || strcmp(tables[i].name, tables[i - 1].name) != 0))
				write_children(move, &tables[i]);
		}
	}
}

/* All of it, as the owner of the tables. */
static void
restore(LsMove *move, bool alive)
{
	LsScope scope;
	LsMoveTable *leads;
	LsMoveTable *tables;
	int n;
	int i;

	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_move_run(move,
			"SELECT lead_system.is_on_dnc_list(a.phone_number, $1) FROM lead_system.leads_archive a"
			" WHERE a.organization_id = $1 AND a.id = $4 FOR UPDATE") == 0)
		ls_no_such_row("archived lead", &move->survivor);
	move->leads = ls_uuid_array(&move->survivor, 1);
	leads = ls_move_leads_table();
	tables = ls_move_archived_tables(&n);
	write_lead(move, leads);
	write_all_children(move, tables, n, false);
	if (alive)
		revive(move, tables, n);
	write_all_children(move, tables, n, true);
	for (i = 0; i < n; i++)
	{
		if (tables[i].counted)
			make_exact(move, &tables[i]);
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
