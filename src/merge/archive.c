/*-------------------------------------------------------------------------
 *
 * archive.c
 *	  archive_leads(): leads that nobody works on any more go into the archive,
 *	  with every row that belongs to them.
 *
 *	  A mark by hand is on the lead alone, so such a lead is not archived; what the
 *	  list or a consent says holds for the number, and stays in force.
 *
 *	  A batch is one statement per table.  Leads that another session holds are
 *	  left for the next run.  The leads are first deleted the soft way, by which
 *	  whoever counts them takes them out, and are then removed exactly: nothing
 *	  is written about rows that are kept whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "merge/merge.h"

/* What is still to be done about a lead, by the status of a row that it has. */
#define LIVE_STATUSES "'{new,queued,calling,active,paused,pending,scheduled,claimed}'::text[]"

/* So many leads are looked at at once, where some may be kept by tables of theirs. */
#define LOOK_AT 10000

/* Has a table a status in words? */
static bool
has_status(const LsMoveTable *table)
{
	LS_QUERY(query,
		"SELECT 1 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
		" WHERE a.attrelid = $1::regclass AND a.attname = 'status'"
		"   AND t.typcategory = 'S' AND NOT a.attisdropped",
		TEXTOID);
	LsArgs args = {0};

	ls_arg_text(&args, table->relation);
	return ls_query_run(&query, &args, LS_WRITE) > 0;
}

/*
 * The conditions, with OR between them, under which a row t keeps its lead: any
 * does in a table whose rows stay, one that something is to be done about, and
 * one that is of another lead, too.  NULL when none does.
 */
static char *
keeps(const LsMoveTable *tables, int n, int i)
{
	StringInfoData sql;
	int j;

	if (tables[i].stays)
		return tables[i].is_leads ? psprintf("t.id <> %s", tables[i].lead) : "true";
	initStringInfo(&sql);
	if (tables[i].has_fk && has_status(&tables[i]))
		appendStringInfoString(&sql, " OR lower(t.status) = ANY (" LIVE_STATUSES ")");
	for (j = 0; j < n; j++)
	{
		if (j != i && ls_move_same_table(&tables[i], &tables[j]))
			appendStringInfo(&sql, " OR %s <> %s", tables[j].lead, tables[i].lead);
	}
	return sql.len > 0 ? sql.data + strlen(" OR ") : NULL;
}

/* The condition that no table keeps lead l; but for those of theirs, which are asked one by one. */
static char *
nothing_keeps(const LsMoveTable *tables, int n)
{
	StringInfoData sql;
	int i;

	initStringInfo(&sql);
	for (i = 0; i < n; i++)
	{
		char *condition = tables[i].theirs ? NULL : keeps(tables, n, i);

		if (condition != NULL)
			appendStringInfo(&sql,
				" AND NOT EXISTS (SELECT 1 FROM %s WHERE %s AND %s = l.id AND (%s))",
				tables[i].source, tables[i].org_is, tables[i].lead, condition);
	}
	return sql.data;
}

/* The condition under which lead l goes. */
static char *
may_go(const LsMoveTable *tables, int n)
{
	return psprintf(
		"l.organization_id = $1"
		" AND l.deleted_at IS NULL AND (l.stage = 'lost' OR (l.temperature = 'cold' AND l.stage <> 'won'))"
		" AND NOT (l.do_not_call AND coalesce(l.calling_blocked_reason, '')"
		"          NOT IN ('" LS_BLOCKED_BY_LIST "', '" LS_BLOCKED_BY_REVOCATION "'))"
		" AND l.created_at < $5 - make_interval(days => $6)"
		" AND greatest(l.last_activity_at, l.last_contact_at, l.status_changed_at)"
		"     < $5 - make_interval(days => $6)"
		" AND NOT EXISTS (SELECT 1 FROM lead_system.lead_listings s WHERE s.organization_id = $1"
		"   AND s.lead_id = l.id AND s.bidding_opens_at IS NOT NULL AND s.bidding_closed_at IS NULL"
		"   AND s.archived_at IS NULL)"
		" AND NOT EXISTS (SELECT 1 FROM lead_system.campaign_leads c WHERE c.organization_id = $1"
		"   AND c.lead_id = l.id AND c.status = 'contacted' AND c.outcome = 'callback')%s",
		nothing_keeps(tables, n));
}

/* Make the leads that the last statement has found those of the move. */
static int
take_found(LsMove *move, uint64 found)
{
	pg_uuid_t *ids = SPI_palloc(sizeof(pg_uuid_t) * (found + 1));
	uint64 row;

	for (row = 0; row < found; row++)
		ids[row] = ls_result_uuid(row, 1);
	move->leads = ls_uuid_array(ids, (int) found);
	return (int) found;
}

/* Leave those leads of the move that no table of theirs keeps; returns how many. */
static int
drop_kept(LsMove *move, const LsMoveTable *tables, int n, int n_leads)
{
	int i;

	for (i = 0; i < n && n_leads > 0; i++)
	{
		char *condition = tables[i].theirs ? keeps(tables, n, i) : NULL;
		LsMove with = *move;

		if (condition == NULL ||
			ls_move_run_on(move, &tables[i],
				psprintf("SELECT DISTINCT %s FROM %s WHERE %s AND %s = ANY ($3) AND (%s)",
					tables[i].lead, tables[i].source, tables[i].org_is, tables[i].lead, condition),
				false) == 0)
			continue;
		take_found(&with, SPI_processed);
		with.given = ls_move_document(&with, "SELECT to_jsonb($3)");
		with.leads = move->leads;
		n_leads = take_found(
			move, ls_move_run(&with,
					  "SELECT l.id FROM unnest($3) WITH ORDINALITY l(id, n) WHERE l.id NOT IN"
					  " (SELECT k::uuid FROM jsonb_array_elements_text($7) k) ORDER BY l.n"));
	}
	return n_leads;
}

/*
 * Find and lock the leads of a batch.  Where tables of theirs are asked, what
 * those keep is passed over without a lock, and the search goes on behind it:
 * leads that stay for ever must not be in the way of others.
 */
static int
find(LsMove *move, const LsMoveTable *tables, int n, int batch, const char *condition)
{
	const char *after = "";
	bool theirs = false;
	int found;
	int done;
	int i;

	for (i = 0; i < n; i++)
		theirs |= tables[i].theirs;
	do
	{
		found = take_found(
			move, ls_move_run(move, psprintf("SELECT l.id FROM lead_system.leads l WHERE %s%s"
											 " ORDER BY l.created_at, l.id LIMIT %d%s",
										condition, after, theirs ? Max(batch, LOOK_AT) : batch,
										theirs ? "" : " FOR UPDATE OF l SKIP LOCKED")));
		if (!theirs || found == 0)
			return found;
		move->survivor = ls_result_uuid(found - 1, 1);
		after = " AND (l.created_at, l.id) > (SELECT f.created_at, f.id FROM lead_system.leads f"
				" WHERE f.organization_id = $1 AND f.id = $4)";
		done = drop_kept(move, tables, n, found);
		done = take_found(
			move, ls_move_run(move,
					  psprintf("SELECT l.id FROM lead_system.leads l WHERE l.id = ANY ($3) AND %s"
							   " ORDER BY l.created_at, l.id LIMIT %d"
							   " FOR UPDATE OF l SKIP LOCKED",
						  condition, batch)));
	} while (done == 0);
	return done;
}

/*
 * Choose the leads of a batch and lock them and their rows; returns how many.
 * What others have written while the leads were looked for, or while their rows
 * were waited for, is seen by the second look.
 */
static int
choose(LsMove *move, const LsMoveTable *tables, int n, int batch)
{
	char *condition = may_go(tables, n);
	int found;

	if (find(move, tables, n, batch, condition) == 0)
		return 0;
	ls_move_lock_rows(move, tables, n);
	found = take_found(move, ls_move_run(move, psprintf("SELECT l.id FROM lead_system.leads l"
														" WHERE l.id = ANY ($3) AND %s",
												   condition)));
	return drop_kept(move, tables, n, found);
}

/*
 * Add to "children" what tells the rows of a table, and to the document of the
 * move what a table of theirs tells of them.
 */
static void
gather_children(LsMove *move, const LsMoveTable *tables, int i, StringInfo children)
{
	StringInfoData sql;
	LsMove with = *move;
	int j;

	initStringInfo(&sql);
	appendStringInfo(&sql,
		"SELECT %s AS name, %s AS lead, %s AS found FROM %s WHERE %s AND %s = ANY ($3)",
		quote_literal_cstr(tables[i].name), tables[i].lead, tables[i].row, tables[i].source,
		tables[i].org_is, tables[i].lead);
	/* a row that has the lead in several columns is kept once */
	for (j = 0; j < i; j++)
	{
		if (ls_move_same_table(&tables[i], &tables[j]))
			appendStringInfo(&sql, " AND %s IS DISTINCT FROM %s", tables[j].lead, tables[i].lead);
	}
	if (!tables[i].theirs)
	{
		appendStringInfo(children, " UNION ALL %s", sql.data);
		return;
	}
	with.given = (Datum) 0;
	(void) ls_move_gather(&with, &tables[i], sql.data, "");
	if (with.given == (Datum) 0)
		return;
	with.found = move->given;
	move->given = ls_move_document(&with, "SELECT coalesce($8, '[]') || $7");
}

/* Put the leads into the archive, with what belongs to them. */
static void
keep(const LsMove *move, const LsMoveTable *tables, int n)
{
	StringInfoData children;
	LsMove with = *move;
	int i;

	initStringInfo(&children);
	appendStringInfoString(&children,
		"SELECT o.name, o.lead, o.found FROM jsonb_to_recordset($7) o(name text, lead uuid, found jsonb)");
	for (i = 0; i < n; i++)
	{
		if (!tables[i].stays)
			gather_children(&with, tables, i, &children);
	}
	(void) ls_move_run(&with,
		psprintf(
			"INSERT INTO lead_system.leads_archive (organization_id, id, first_name, last_name,"
			"   company_name, email, phone_number, source, source_id, status, created_at, archived_at,"
			"   lead, children)"
			" SELECT l.organization_id, l.id, l.first_name, l.last_name, l.company_name, l.email,"
			"        l.phone_number, l.source, l.source_id, l.status, l.created_at, $5, l.row,"
			"        coalesce(c.children, '{}')"
			"   FROM (SELECT t.*, %s AS row FROM lead_system.leads t"
			"          WHERE t.organization_id = $1 AND t.id = ANY ($3)) l"
			"   LEFT JOIN (SELECT y.lead, jsonb_object_agg(y.name, y.found) AS children"
			"                FROM (SELECT x.lead, x.name, jsonb_agg(x.found) AS found FROM (%s) x"
			"                       GROUP BY x.lead, x.name) y GROUP BY y.lead) c ON c.lead = l.id",
			ls_move_leads_table()->row, children.data));
}

/* Remove the leads and what belongs to them, what refers to others first. */
static void
remove_rows(const LsMove *move, const LsMoveTable *tables, int n)
{
	int depth;
	int i;

	(void) ls_move_run(move, "UPDATE lead_system.leads SET deleted_at = $5"
							 " WHERE organization_id = $1 AND id = ANY ($3)");
	for (depth = LS_MOVE_MAX_DEPTH; depth >= 0; depth--)
	{
		for (i = 0; i < n; i++)
		{
			char *sql;

			if (tables[i].depth != depth || tables[i].stays)
				continue;
			sql = psprintf("DELETE FROM %s x USING (SELECT t.tableoid AS part, t.ctid AS place"
						   " FROM %s WHERE %s AND %s = ANY ($3)) d"
						   " WHERE x.tableoid = d.part AND x.ctid = d.place",
				tables[i].relation, tables[i].source, tables[i].org_is, tables[i].lead);
			(void) ls_move_run_on(move, &tables[i], sql, !tables[i].counted);
		}
	}
	(void) ls_move_run_exactly(
		move, "DELETE FROM lead_system.leads WHERE organization_id = $1 AND id = ANY ($3)");
}

/* Archive a batch of an organisation. */
static int64
archive_batch(const pg_uuid_t *org, int batch)
{
	LsLeadCause cause = {"archive", "automation", NULL, true, NULL, NULL, true};
	const LsLeadCause *previous = ls_lead_cause_set(&cause);
	LsMove move = {.org = *org, .now = ls_clock_now()};
	LsMoveTable *tables;
	LsScope scope;
	int64 done = 0;
	int n;

	move.number = ls_config_int(org, "archive.after_days");
	PG_TRY();
	{
		ls_scope_open(&scope, LS_AS_OWNER);
		ls_move_set_formats();
		tables = ls_move_archived_tables(&n);
		done = choose(&move, tables, n, batch);
		if (done > 0)
		{
			keep(&move, tables, n);
			remove_rows(&move, tables, n);
		}
		ls_scope_close(&scope);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	return done;
}

PG_FUNCTION_INFO_V1(ls_merge_archive_leads);

/* archive_leads(batch) */
Datum
ls_merge_archive_leads(PG_FUNCTION_ARGS)
{
	LS_QUERY0(organizations, "SELECT id FROM lead_system.organizations ORDER BY id");

	LS_REQUIRE_ARG(0, "batch");
	PG_RETURN_INT64(ls_move_sweep(&organizations, archive_batch, PG_GETARG_INT32(0)));
}
