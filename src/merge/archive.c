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

/* The condition that nothing is waiting for lead l, whichever table has it. */
static char *
nothing_waits(const LsMoveTable *tables, int n)
{
	LS_QUERY(query,
		"SELECT 1 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
		" WHERE a.attrelid = format('lead_system.%I', $1)::regclass AND a.attname = 'status'"
		"   AND t.typcategory = 'S' AND NOT a.attisdropped",
		TEXTOID);
	StringInfoData sql;
	int i;

	initStringInfo(&sql);
	for (i = 0; i < n; i++)
	{
		LsArgs args = {0};

		ls_arg_text(&args, tables[i].name);
		if (!tables[i].has_fk || ls_query_run(&query, &args, LS_WRITE) == 0)
			continue;
		appendStringInfo(&sql,
			" AND NOT EXISTS (SELECT 1 FROM %s WHERE t.organization_id = $1 AND %s = l.id"
			"  AND lower(t.status) = ANY (" LIVE_STATUSES "))",
			tables[i].source, tables[i].lead);
	}
	return sql.data;
}

/* Choose the leads of a batch and lock them; returns how many. */
static int
choose(LsMove *move, const LsMoveTable *tables, int n, int batch)
{
	pg_uuid_t *ids;
	uint64 found;
	uint64 row;

	found = ls_move_run(move,
		psprintf(
			"SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1"
			"   AND l.deleted_at IS NULL AND (l.stage = 'lost' OR (l.temperature = 'cold' AND l.stage <> 'won'))"
			"   AND NOT (l.do_not_call AND coalesce(l.calling_blocked_reason, '')"
			"            NOT IN ('" LS_BLOCKED_BY_LIST "', '" LS_BLOCKED_BY_REVOCATION "'))"
			"   AND l.created_at < $5 - make_interval(days => $6)"
			"   AND greatest(l.last_activity_at, l.last_contact_at, l.status_changed_at)"
			"       < $5 - make_interval(days => $6)"
			"   AND NOT EXISTS (SELECT 1 FROM lead_system.lead_listings s WHERE s.organization_id = $1"
			"     AND s.lead_id = l.id AND s.bidding_opens_at IS NOT NULL AND s.bidding_closed_at IS NULL"
			"     AND s.archived_at IS NULL)"
			"   AND NOT EXISTS (SELECT 1 FROM lead_system.campaign_leads c WHERE c.organization_id = $1"
			"     AND c.lead_id = l.id AND c.status = 'contacted' AND c.outcome = 'callback')%s"
			" ORDER BY l.created_at, l.id LIMIT %d FOR UPDATE OF l SKIP LOCKED",
			nothing_waits(tables, n), batch));
	ids = SPI_palloc(sizeof(pg_uuid_t) * (found + 1));
	for (row = 0; row < found; row++)
		ids[row] = ls_result_uuid(row, 1);
	move->leads = ls_uuid_array(ids, (int) found);
	return (int) found;
}

/* Put the leads into the archive, with what belongs to them. */
static void
keep(const LsMove *move, const LsMoveTable *tables, int n)
{
	StringInfoData children;
	int i;

	initStringInfo(&children);
	for (i = 0; i < n; i++)
	{
		if (i > 0 && strcmp(tables[i].name, tables[i - 1].name) == 0)
			continue;
		appendStringInfo(&children,
			"%sSELECT %s AS name, %s AS lead, jsonb_agg(to_jsonb(t)%s) AS found FROM %s"
			" WHERE t.organization_id = $1 AND %s = ANY ($3) GROUP BY %s",
			children.len > 0 ? " UNION ALL " : "", quote_literal_cstr(tables[i].name),
			tables[i].lead, tables[i].depth > 0 ? " - 'lead of t'" : "", tables[i].source,
			tables[i].lead, tables[i].lead);
	}
	(void) ls_move_run(move,
		psprintf(
			"INSERT INTO lead_system.leads_archive (organization_id, id, first_name, last_name,"
			"   company_name, email, phone_number, source, source_id, status, created_at, archived_at,"
			"   lead, children)"
			" SELECT l.organization_id, l.id, l.first_name, l.last_name, l.company_name, l.email,"
			"        l.phone_number, l.source, l.source_id, l.status, l.created_at, $5, to_jsonb(l),"
			"        coalesce(c.children, '{}')"
			"   FROM lead_system.leads l"
			"   LEFT JOIN (SELECT x.lead, jsonb_object_agg(x.name, x.found) AS children"
			"                FROM (%s) x GROUP BY x.lead) c ON c.lead = l.id"
			"  WHERE l.organization_id = $1 AND l.id = ANY ($3)",
			children.data));
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

			if (tables[i].depth != depth)
				continue;
			sql = psprintf(
				"DELETE FROM lead_system.%s x USING (SELECT t.ctid AS place FROM %s"
				" WHERE t.organization_id = $1 AND %s = ANY ($3)) d WHERE x.ctid = d.place",
				quote_identifier(tables[i].name), tables[i].source, tables[i].lead);
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
		tables = ls_move_archived_tables(&n);
		done = choose(&move, tables, n, batch);
		if (done > 0)
		{
			ls_move_lock_rows(&move, tables, n);
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
