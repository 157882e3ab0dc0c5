/*-------------------------------------------------------------------------
 *
 * pass.c
 *	  One pass of assignment: leads are read and locked, users found for them
 *	  in memory, and all of them written by one statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/lock.h"
#include "core/uuid.h"
#include "assignment/internal.h"

/* A lead by its id. */
typedef struct LeadEntry
{
	pg_uuid_t id;
	LsAssignLead *lead;
} LeadEntry;

static const LsAssignPass *current_pass = NULL;

/* What happens by itself has no reason of somebody else's statement. */
static const LsLeadCause no_cause = {NULL, "automation", NULL, false};

/* The pass whose leads are being written; NULL for somebody else's statement. */
const LsAssignPass *
ls_assign_current_pass(void)
{
	return current_pass;
}

/* A lead as LS_ASSIGN_COLUMNS has it. */
static void
read_lead(LsAssignLead *lead, uint64 row)
{
	int i;

	lead->id = ls_result_uuid(row, 1);
	lead->is_assigned = !ls_result_isnull(row, 2);
	if (lead->is_assigned)
		lead->from = ls_result_uuid(row, 2);
	lead->is_assignable = ls_result_bool(row, 3);
	lead->is_hot = ls_result_bool(row, 4);
	for (i = 0; i < (int) lengthof(lead->skills); i++)
		lead->skills[i] = ls_result_text(row, 5 + i);
	for (i = 0; i < (int) lengthof(lead->places); i++)
		lead->places[i] = ls_result_text(row, 7 + i);
	/* The strategy that a lead waits for, if the query has one more column. */
	if (SPI_tuptable->tupdesc->natts > 9)
		lead->strategy = ls_strategy_parse(ls_result_text(row, 10));
}

/* Read the leads of a pass; the query locks them. */
void
ls_assign_read_leads(LsAssignPass *pass, LsQuery *query, const LsArgs *args)
{
	LsScope scope;
	uint64 n;
	uint64 row;

	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(query, args, LS_WRITE);
	pass->leads = SPI_palloc(sizeof(LsAssignLead) * (n + 1));
	memset(pass->leads, 0, sizeof(LsAssignLead) * (n + 1));
	for (row = 0; row < n; row++)
		read_lead(&pass->leads[row], row);
	pass->n = (int) n;
	ls_scope_close(&scope);
}

/* The lead of a pass that has an id; NULL when it is not one of them. */
const LsAssignLead *
ls_assign_lead_of(const LsAssignPass *pass, const pg_uuid_t *lead)
{
	LeadEntry *entry = pass->by_id ? hash_search(pass->by_id, lead, HASH_FIND, NULL) : NULL;

	return entry ? entry->lead : NULL;
}

/* The leads of a pass by their ids, for the listener. */
static HTAB *
leads_by_id(const LsAssignPass *pass)
{
	HASHCTL ctl = {0};
	HTAB *by_id;
	int i;

	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(LeadEntry);
	ctl.hcxt = CurrentMemoryContext;
	by_id = hash_create("leads of a pass", pass->n, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < pass->n; i++)
	{
		LeadEntry *entry = hash_search(by_id, &pass->leads[i].id, HASH_ENTER, NULL);

		entry->lead = &pass->leads[i];
	}
	return by_id;
}

/* Write the leads that somebody was found for. */
static void
write_assigned(LsAssignPass *pass)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.leads l SET assigned_to = a.user_id,"
		"       needs_review = l.needs_review AND w.set_review IS NOT TRUE"
		"  FROM unnest($2, $3) a(lead_id, user_id)"
		"  LEFT JOIN lead_system.waiting_leads w ON w.organization_id = $1 AND w.lead_id = a.lead_id"
		" WHERE l.organization_id = $1 AND l.id = a.lead_id",
		UUIDOID, UUIDARRAYOID, UUIDARRAYOID);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * (pass->n + 1));
	pg_uuid_t *users = palloc(sizeof(pg_uuid_t) * (pass->n + 1));
	LsScope scope;
	LsArgs args = {0};
	int n = 0;
	int i;

	for (i = 0; i < pass->n; i++)
	{
		if (pass->leads[i].to != NULL)
		{
			leads[n] = pass->leads[i].id;
			users[n++] = pass->leads[i].to->id;
		}
	}
	if (n == 0)
		return;
	ls_arg_uuid(&args, &pass->org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_arg_datum(&args, ls_uuid_array(users, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Take the leads that nobody was found for from those who have them. */
static void
write_released(const LsAssignPass *pass)
{
	LS_QUERY_ARRAY(query,
		"UPDATE lead_system.leads SET assigned_to = NULL"
		" WHERE organization_id = $1 AND id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * (pass->n + 1));
	LsScope scope;
	LsArgs args = {0};
	int n = 0;
	int i;

	for (i = 0; i < pass->n; i++)
	{
		if (pass->leads[i].to == NULL)
			leads[n++] = pass->leads[i].id;
	}
	if (n == 0)
		return;
	ls_arg_uuid(&args, &pass->org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Have the leads wait that nobody was found for; they are marked for review. */
static void
write_waiting(LsAssignPass *pass)
{
	LS_QUERY_ARRAY(queue,
		"INSERT INTO lead_system.waiting_leads (organization_id, lead_id, strategy, waiting_since, set_review)"
		" SELECT $1, a.lead_id, a.strategy, $4::timestamptz + (a.n - 1) * interval '1 microsecond', NOT l.needs_review"
		"   FROM unnest($2, $3) WITH ORDINALITY a(lead_id, strategy, n)"
		"   JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = a.lead_id"
		" ON CONFLICT (organization_id, lead_id) DO UPDATE SET strategy = excluded.strategy",
		UUIDOID, UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID);
	LS_QUERY_ARRAY(mark,
		"UPDATE lead_system.leads SET needs_review = true"
		" WHERE organization_id = $1 AND id = ANY ($2) AND NOT needs_review",
		UUIDOID, UUIDARRAYOID);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * (pass->n + 1));
	Datum *strategies = palloc(sizeof(Datum) * (pass->n + 1));
	LsScope scope;
	LsArgs args = {0};
	int n = 0;
	int i;

	for (i = 0; i < pass->n; i++)
	{
		if (pass->leads[i].to == NULL && pass->leads[i].is_assignable)
		{
			leads[n] = pass->leads[i].id;
			strategies[n++] = CStringGetTextDatum(ls_strategy_name(pass->leads[i].strategy));
		}
	}
	if (n == 0)
		return;
	ls_arg_uuid(&args, &pass->org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	args.n = 2;
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(strategies, n, TEXTOID, -1, false, TYPALIGN_INT)), false);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_run(&queue, &args, LS_WRITE);
	args.n = 2;
	ls_query_run(&mark, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Write what a pass has found, and leave its mark for the listener. */
void
ls_assign_write(LsAssignPass *pass)
{
	const LsAssignPass *previous = current_pass;
	const LsLeadCause *cause = ls_lead_cause_set(&no_cause);

	pass->by_id = leads_by_id(pass);
	current_pass = pass;
	PG_TRY();
	{
		write_assigned(pass);
		if (pass->release)
			write_released(pass);
		if (pass->wait)
			write_waiting(pass);
	}
	PG_FINALLY();
	{
		current_pass = previous;
		ls_lead_cause_set(cause);
	}
	PG_END_TRY();
}

/*
 * Take the lock of an organisation's queue, until the end of the transaction: by
 * those who may have leads wait, together, or alone by whoever makes users known
 * that they cannot see, and so not lock.  Otherwise the two would miss each other,
 * and a lead would wait beside a free user.
 */
void
ls_assign_lock_queue(const pg_uuid_t *org, bool alone)
{
	LOCKTAG tag = ls_lock_tag_org(LS_LOCK_WAITING_LEADS, org);

	if (LockAcquire(&tag, alone ? ExclusiveLock : ShareLock, false, false) !=
		LOCKACQUIRE_ALREADY_HELD)
		AcceptInvalidationMessages();
}

/* Lock all who could be given the leads of a pass. */
void
ls_assign_lock_users(const LsAssignPass *pass, LsPool *pool)
{
	if (pass->wait)
		ls_assign_lock_queue(&pass->org, false);
	ls_pool_lock(pool, &pass->org, NULL, 0);
}

/* Find a user for each lead of a pass, and write that; returns how many. */
int64
ls_assign_run(LsAssignPass *pass, LsPool *pool)
{
	int64 done = 0;
	int i;

	if (pass->n == 0)
		return 0;
	for (i = 0; i < pass->n && pool->territories == NULL; i++)
	{
		if (pass->leads[i].strategy == LS_STRATEGY_GEOGRAPHIC)
			ls_pool_load_territories(pool, &pass->org, pass);
	}
	for (i = 0; i < pass->n; i++)
	{
		LsAssignLead *lead = &pass->leads[i];

		lead->to = lead->is_assignable ? ls_strategy_choose(pool, lead) : NULL;
		if (lead->to == NULL)
			continue;
		ls_assignee_take(pool, lead->to);
		done++;
	}
	ls_assign_write(pass);
	return done;
}

/*
 * Read the leads of a pass that have waited longest.  They are read in the order
 * of their index, and each lead is looked up, whatever the planner expects: of
 * tables that were never analyzed it expects so little that it would read all
 * leads, and sort all of the queue, for each free place.  OFFSET 0 keeps what is
 * asked of the lead out of the look-up, where it would bring in other indexes.
 */
static void
read_waiting(LsAssignPass *pass, int n)
{
	LS_QUERY(query,
		"SELECT l.*, w.strategy FROM lead_system.waiting_leads w"
		" CROSS JOIN LATERAL (SELECT " LS_ASSIGN_COLUMNS " FROM lead_system.leads l"
		"    WHERE l.organization_id = $1 AND l.id = w.lead_id OFFSET 0 FOR NO KEY UPDATE SKIP LOCKED)"
		"    l(id, assigned_to, is_assignable)"
		" WHERE w.organization_id = $1 AND l.assigned_to IS NULL AND l.is_assignable"
		" ORDER BY w.waiting_since, w.lead_id LIMIT $2",
		UUIDOID, INT4OID);
	LsArgs args = {0};
	int level = NewGUCNestLevel();

	(void) set_config_option(
		"enable_sort", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	ls_arg_uuid(&args, &pass->org);
	ls_arg_int32(&args, n);
	ls_assign_read_leads(pass, &query, &args);
	AtEOXact_GUC(true, level);
}

/*
 * Give waiting leads to those who have room, all or some users; returns how many
 * were given.  Leads that another session holds are passed over, so this waits
 * for no lead, whatever is locked already: the users can come first, and no more
 * leads are touched than there is room for.
 */
int64
ls_assign_waiting(const pg_uuid_t *org, const pg_uuid_t *users, int n_users, int batch)
{
	LsAssignPass pass = {0};
	LsPool pool;

	ls_pool_lock(&pool, org, users, n_users);
	batch = (int) Min((int64) batch, ls_pool_room(&pool));
	if (batch == 0)
		return 0;
	pass.org = *org;
	pass.reason = "room has become free";
	read_waiting(&pass, batch);
	return ls_assign_run(&pass, &pool);
}

/* Assign leads that have just come in, or have just become worth it. */
void
ls_assign_new_leads(const pg_uuid_t *org, const pg_uuid_t *leads, int n)
{
	LS_QUERY_ARRAY(query,
		"SELECT " LS_ASSIGN_COLUMNS " FROM lead_system.leads l"
		" WHERE l.organization_id = $1 AND l.id = ANY ($2) AND l.assigned_to IS NULL"
		"   AND " LS_ASSIGNABLE_SQL("l") //
		" ORDER BY l.id FOR NO KEY UPDATE",
		UUIDOID, UUIDARRAYOID);
	LsStrategy strategy = ls_strategy_of_org(org);
	LsAssignPass pass = {0};
	LsPool pool;
	LsArgs args = {0};
	int i;

	pass.org = *org;
	pass.reason = "assigned by itself";
	pass.wait = true;
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_assign_read_leads(&pass, &query, &args);
	for (i = 0; i < pass.n; i++)
		pass.leads[i].strategy = strategy;
	if (pass.n == 0)
		return;
	ls_assign_lock_users(&pass, &pool);
	(void) ls_assign_run(&pass, &pool);
}
