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
 * The condition that no table keeps lead l: that nothing in it is waiting for the
 * lead, nothing is there at all in one whose rows stay, and no row is of another
 * lead, too.
 */
static char *
nothing_keeps(const LsMoveTable *tables, int n)
{
	StringInfoData sql;
	int i;
	int j;

	initStringInfo(&sql);
	for (i = 0; i < n; i++)
	{
		char *rows = psprintf("AND NOT EXISTS (SELECT 1 FROM %s WHERE %s AND %s = l.id",
			tables[i].source, tables[i].org_is, tables[i].lead);

		if (tables[i].stays)
			appendStringInfo(&sql, " %s%s)", rows, tables[i].is_leads ? " AND t.id <> l.id" : "");
		else if (tables[i].has_fk && has_status(&tables[i]))
			appendStringInfo(&sql, " %s AND lower(t.status) = ANY (" LIVE_STATUSES "))", rows);
		for (j = 0; j < n; j++)
		{
			if (j != i && !tables[i].stays && ls_move_same_table(&tables[i], &tables[j]))
				appendStringInfo(&sql, " %s AND %s <> l.id)", rows, tables[j].lead);
		}
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

/*
 * Choose the leads of a batch and lock them and their rows; returns how many.
 * What others have written while the leads were looked for, or while their rows
 * were waited for, is seen by the second look.
 */
static int
choose(LsMove *move, const LsMoveTable *tables, int n, int batch)
{
	char *condition = may_go(tables, n);

	if (take_found(move, ls_move_run(move, psprintf("SELECT l.id FROM lead_system.leads l WHERE %s"
													" ORDER BY l.created_at, l.id LIMIT %d"
													" FOR UPDATE OF l SKIP LOCKED",
											   condition, batch))) == 0)
		return 0;
	ls_move_lock_rows(move, tables, n);
	return take_found(move, ls_move_run(move, psprintf("SELECT l.id FROM lead_system.leads l"
													   " WHERE l.id = ANY ($3) AND %s",
												  condition)));
}

/* Put the leads into the archive, with what belongs to them. */
static void
keep(const LsMove *move, const LsMoveTable *tables, int n)
{
	StringInfoData children;
	int i;
	int j;

	initStringInfo(&children);
	for (i = 0; i < n; i++)
	{
		if (tables[i].stays)
			continue;
		appendStringInfo(&children,
			"%sSELECT %s AS name, %s AS lead, %s AS found FROM %s WHERE %s AND %s = ANY ($3)",
			children.len > 0 ? " UNION ALL " : "", quote_literal_cstr(tables[i].name),
			tables[i].lead, tables[i].row, tables[i].source, tables[i].org_is, tables[i].lead);
		/* a row that has the lead in several columns is kept once */
		for (j = 0; j < i; j++)
		{
			if (ls_move_same_table(&tables[i], &tables[j]))
				appendStringInfo(
					&children, " AND %s IS DISTINCT FROM %s", tables[j].lead, tables[i].lead);
		}
	}
	(void) ls_move_run(move,
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
			if (tables[i].counted)
				(void) ls_move_run(move, sql);
			else
				(void) ls_move_run_exactly(move, sql);
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
