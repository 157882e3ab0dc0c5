/*-------------------------------------------------------------------------
 *
 * smart.c
 *	  Smart lists: a listener of leads that keeps their members current in the
 *	  transaction that changes a lead.
 *
 *	  Filters are kept parsed, per organisation.  A changed lead is tested only by
 *	  those that read a changed column, on its old and its new version; the lists
 *	  where the two differ are written at the end of the statement, all at once.
 *	  What a filter that moves with the time said of the old version when it was
 *	  last asked is not known, unless the rest of the filter decides.  There the
 *	  members are asked, per lead and not per list: most lists are none of the
 *	  lead's, and must be neither read nor locked.
 *
 *	  A list that is being deleted is passed over.  Its deletion takes the leads
 *	  out of the queue and may wait for this very transaction.  The other lists
 *	  are locked in the order of their ids, since counts are kept in them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lock.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/lock.h"
#include "core/query.h"
#include "core/tenant.h"
#include "segments/segments.h"

typedef struct SmartList
{
	pg_uuid_t id;
	LsFilter *filter;
} SmartList;

/* The smart lists of an organisation. */
typedef struct SmartLists
{
	pg_uuid_t org; /* hash key */
	bool loaded;
	int n;
	SmartList *lists;
	uint64 columns[LS_FILTER_WORDS]; /* that any of them reads */
} SmartLists;

/* Leads that come into lists, or leave them. */
typedef struct Moves
{
	int n;
	int capacity;
	pg_uuid_t *orgs;
	pg_uuid_t *lists;
	pg_uuid_t *leads;
} Moves;

/* What the listener keeps for one statement. */
typedef struct SmartState
{
	const SmartLists *lists; /* of the last organisation */
	Moves enter;
	Moves leave;
	Moves may_enter; /* unless they are members already */
	Moves may_leave; /* if they are members */
} SmartState;

/* A lead in a list; hash key. */
typedef struct Member
{
	pg_uuid_t list;
	pg_uuid_t lead;
} Member;

/* Open moves are settled when there are so many. */
#define MAX_OPEN_MOVES 50000

static LsCache smart_cache = {.name = "smart lists", .relations = {"lead_lists", "segments"}};
static HTAB *smart_lists = NULL;

/* Take the lock of an organisation's lists, until the end of the transaction. */
void
ls_smart_lock(const pg_uuid_t *org, bool alone)
{
	LOCKTAG tag = ls_lock_tag_org(LS_LOCK_SMART_LISTS, org);

	if (LockAcquire(&tag, alone ? ExclusiveLock : ShareLock, false, false) !=
		LOCKACQUIRE_ALREADY_HELD)
		AcceptInvalidationMessages();
}

/* Read the smart lists of an organisation, into the cache. */
static void
load_lists(SmartLists *entry, MemoryContext context)
{
	LS_QUERY(query,
		"SELECT l.id, s.filter FROM lead_system.lead_lists l"
		"  JOIN lead_system.segments s ON s.organization_id = $1 AND s.id = l.segment_id"
		" WHERE l.organization_id = $1 AND l.list_type = 'smart' ORDER BY l.id",
		UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	int i;
	int j;

	ls_arg_uuid(&args, &entry->org);
	ls_scope_open(&scope, LS_AS_OWNER);
	entry->n = (int) ls_query_run_latest(&query, &args);
	entry->lists = MemoryContextAllocZero(context, sizeof(SmartList) * Max(entry->n, 1));
	for (i = 0; i < entry->n; i++)
	{
		SmartList *list = &entry->lists[i];
		bool isnull;
		MemoryContext spi = MemoryContextSwitchTo(context);

		list->id = ls_result_uuid(i, 1);
		list->filter =
			ls_lead_filter_parse((Jsonb *) PG_DETOAST_DATUM_COPY(ls_result(i, 2, &isnull)));
		MemoryContextSwitchTo(spi);
		for (j = 0; j < LS_FILTER_WORDS; j++)
			entry->columns[j] |= list->filter->columns[j];
	}
	ls_scope_close(&scope);
	entry->loaded = true;
}

/*
 * The smart lists of an organisation whose leads are being written.  What is
 * returned stays readable until the end of the transaction.
 */
static const SmartLists *
lists_of(const pg_uuid_t *org)
{
	SmartLists *entry;
	bool found;

	ls_smart_lock(org, false);
	if (!ls_cache_valid(&smart_cache))
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(SmartLists);
		ctl.hcxt = ls_cache_renew(&smart_cache);
		smart_lists =
			hash_create("lead_system smart lists", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(smart_lists, org, HASH_ENTER, &found);
	if (!found)
		memset((char *) entry + sizeof(pg_uuid_t), 0, sizeof(SmartLists) - sizeof(pg_uuid_t));
	if (!entry->loaded)
	{
		memset(entry->columns, 0, sizeof(entry->columns));
		load_lists(entry, smart_cache.context);
	}
	return entry;
}

/* Remember a lead that comes into a list, or leaves it. */
static void
add_move(MemoryContext context, Moves *moves, const pg_uuid_t *org, const pg_uuid_t *list,
	const pg_uuid_t *lead)
{
	if (moves->n == moves->capacity)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);
		bool first = moves->capacity == 0;
		Size size;

		moves->capacity = Max(16, moves->capacity * 2);
		size = sizeof(pg_uuid_t) * moves->capacity;
		if (first)
		{
			moves->orgs = palloc(size);
			moves->lists = palloc(size);
			moves->leads = palloc(size);
		}
		else
		{
			moves->orgs = repalloc_huge(moves->orgs, size);
			moves->lists = repalloc_huge(moves->lists, size);
			moves->leads = repalloc_huge(moves->leads, size);
		}
		MemoryContextSwitchTo(caller);
	}
	moves->orgs[moves->n] = *org;
	moves->lists[moves->n] = *list;
	moves->leads[moves->n++] = *lead;
}

/* The columns that lists read and a change changed; false when there are none. */
static bool
changed_columns(
	const SmartLists *lists, const LsLeadRow *old, const LsLeadRow *new, uint64 *changed)
{
	bool any = false;
	int i;

	memset(changed, 0, sizeof(uint64) * LS_FILTER_WORDS);
	for (i = 0; i < LEAD_N_COLUMNS; i++)
	{
		uint64 bit = UINT64CONST(1) << (i % 64);

		if ((lists->columns[i / 64] & bit) && ls_lead_differs(old, new, (LsLeadColumn) i))
		{
			changed[i / 64] |= bit;
			any = true;
		}
	}
	return any;
}

/* Does a filter read one of the columns? */
static bool
reads_any(const LsFilter *filter, const uint64 *columns)
{
	int i;

	for (i = 0; i < LS_FILTER_WORDS; i++)
	{
		if (filter->columns[i] & columns[i])
			return true;
	}
	return false;
}

/* Where a lead goes that a filter did or did not match so far, and does or does not now. */
static Moves *
direction(SmartState *state, LsFilterEver was, bool matches)
{
	switch (was)
	{
		case LS_FILTER_NEVER:
			return matches ? &state->enter : NULL;
		case LS_FILTER_ALWAYS:
			return matches ? NULL : &state->leave;
		default:
			return matches ? &state->may_enter : &state->may_leave;
	}
}

/* Test a lead by the filters that read what changed. */
static void
test_lead(LsLeadStatement *statement, SmartState *state, const LsLeadRow *old, const LsLeadRow *new)
{
	uint64 changed[LS_FILTER_WORDS];
	bool isnull;
	const pg_uuid_t *lead = DatumGetUUIDP(ls_lead_get(new, LEAD_id, &isnull));
	int i;

	if (old != NULL && !changed_columns(state->lists, old, new, changed))
		return;
	for (i = 0; i < state->lists->n; i++)
	{
		const SmartList *list = &state->lists->lists[i];
		LsFilterEver was = LS_FILTER_NEVER;
		Moves *moves;

		if (old != NULL)
		{
			if (!reads_any(list->filter, changed))
				continue;
			was = ls_lead_filter_ever_matches(list->filter, old);
		}
		moves = direction(state, was, ls_lead_filter_matches(list->filter, new, statement->now));
		if (moves != NULL)
			add_move(statement->context, moves, &state->lists->org, &list->id, lead);
	}
}

/* Add the leads of moves, which come one after the other, to those that are known. */
static int
add_leads(pg_uuid_t *leads, int n, const Moves *moves)
{
	int i;

	for (i = 0; i < moves->n; i++)
	{
		if (n == 0 || memcmp(&leads[n - 1], &moves->leads[i], UUID_LEN) != 0)
			leads[n++] = moves->leads[i];
	}
	return n;
}

/*
 * The lists of the leads of open moves; within a scope.  NULL when there are none.
 * The kept plan probes the index by lead, however few leads the table has.
 */
static HTAB *
read_members(const pg_uuid_t *org, const Moves *enter, const Moves *leave)
{
	LS_QUERY(query,
		"SELECT m.lead_list_id, m.lead_id FROM lead_system.lead_list_members m"
		" WHERE m.organization_id = $1 AND m.lead_id = ANY ($2)",
		UUIDOID, UUIDARRAYOID);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * (enter->n + leave->n));
	HASHCTL ctl = {0};
	HTAB *members;
	LsArgs args = {0};
	uint64 n;
	uint64 i;

	ls_arg_uuid(&args, org);
	ls_arg_datum(
		&args, ls_uuid_array(leads, add_leads(leads, add_leads(leads, 0, enter), leave)), false);
	n = ls_query_run_latest(&query, &args);
	if (n == 0)
		return NULL;
	ctl.keysize = sizeof(Member);
	ctl.entrysize = sizeof(Member);
	ctl.hcxt = CurrentMemoryContext;
	members =
		hash_create("lead_system members", (long) n, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < n; i++)
	{
		Member member = {ls_result_uuid(i, 1), ls_result_uuid(i, 2)};

		(void) hash_search(members, &member, HASH_ENTER, NULL);
	}
	return members;
}

/* Add those open moves to the others that are of members, or of none. */
static void
settle_moves(MemoryContext context, Moves *open, HTAB *members, bool are_members, Moves *moves)
{
	int i;

	for (i = 0; i < open->n; i++)
	{
		Member member = {open->lists[i], open->leads[i]};
		bool is_member = members != NULL && hash_search(members, &member, HASH_FIND, NULL) != NULL;

		if (is_member == are_members)
			add_move(context, moves, &open->orgs[i], &open->lists[i], &open->leads[i]);
	}
	open->n = 0;
}

/*
 * Settle what is open, of one organisation.  The statement holds the leads, so nobody else lets them in
 * or out.
 */
static void
settle(LsLeadStatement *statement, SmartState *state)
{
	HTAB *members;
	LsScope scope;

	if (state->may_enter.n == 0 && state->may_leave.n == 0)
		return;
	ls_scope_open(&scope, LS_AS_OWNER);
	members = read_members(&state->lists->org, &state->may_enter, &state->may_leave);
	settle_moves(statement->context, &state->may_enter, members, false, &state->enter);
	settle_moves(statement->context, &state->may_leave, members, true, &state->leave);
	ls_scope_close(&scope);
}

/* Listener: one row.  A lead that is deleted for good takes its memberships along. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	SmartState *smart = *state;
	const pg_uuid_t *org;
	bool isnull;

	if (new == NULL)
		return;
	if (smart == NULL)
		*state = smart = MemoryContextAllocZero(statement->context, sizeof(SmartState));
	org = DatumGetUUIDP(ls_lead_get(new, LEAD_organization_id, &isnull));
	if (smart->lists == NULL || memcmp(&smart->lists->org, org, UUID_LEN) != 0)
	{
		if (ls_org_is_leaving(org))
			return;
		settle(statement, smart);
		smart->lists = lists_of(org);
	}
	if (smart->lists->n > 0)
		test_lead(statement, smart, old, new);
	if (smart->may_enter.n + smart->may_leave.n > MAX_OPEN_MOVES)
		settle(statement, smart);
}

/*
 * Lock the lists, in the order of their ids; returns those that are there.  They
 * are kept from being deleted first: one that is being deleted is not waited for.
 */
static Datum
lock_lists(const Moves *enter, const Moves *leave)
{
	LS_QUERY_ARRAY(keep,
		"SELECT coalesce(array_agg(x.id), '{}'), coalesce(array_agg(x.organization_id), '{}') FROM ("
		"   SELECT l.organization_id, l.id FROM lead_system.lead_lists l"
		"     JOIN (SELECT DISTINCT u.organization_id, u.id FROM (SELECT * FROM unnest($1, $2)"
		"            UNION ALL SELECT * FROM unnest($3, $4)) u(organization_id, id)) u"
		"       ON u.organization_id = l.organization_id AND u.id = l.id"
		"    WHERE l.list_type = 'smart' FOR KEY SHARE OF l SKIP LOCKED) x",
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID);
	LS_QUERY_ARRAY(lock,
		"SELECT coalesce(array_agg(x.id), '{}') FROM (SELECT l.id FROM lead_system.lead_lists l"
		"   JOIN unnest($1, $2) u(id, organization_id)"
		"     ON u.organization_id = l.organization_id AND u.id = l.id"
		"  ORDER BY l.id FOR NO KEY UPDATE OF l) x",
		UUIDARRAYOID, UUIDARRAYOID);
	LsArgs args = {0};
	LsArgs kept = {0};
	bool isnull;

	ls_arg_datum(&args, ls_uuid_array(enter->orgs, enter->n), false);
	ls_arg_datum(&args, ls_uuid_array(enter->lists, enter->n), false);
	ls_arg_datum(&args, ls_uuid_array(leave->orgs, leave->n), false);
	ls_arg_datum(&args, ls_uuid_array(leave->lists, leave->n), false);
	ls_query_write_latest(&keep, &args);
	ls_arg_datum(&kept, ls_result(0, 1, &isnull), false);
	ls_arg_datum(&kept, ls_result(0, 2, &isnull), false);
	ls_query_write_latest(&lock, &kept);
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(ls_result(0, 1, &isnull)));
}

/* Write moves in one direction. */
static void
write_moves(LsQuery *query, const Moves *moves, Datum lists)
{
	pg_uuid_t user;
	LsArgs args = {0};

	if (moves->n == 0)
		return;
	ls_arg_datum(&args, ls_uuid_array(moves->orgs, moves->n), false);
	ls_arg_datum(&args, ls_uuid_array(moves->lists, moves->n), false);
	ls_arg_datum(&args, ls_uuid_array(moves->leads, moves->n), false);
	ls_arg_datum(&args, lists, false);
	ls_arg_uuid(&args, ls_current_user(&user) ? &user : NULL);
	ls_arg_text(&args, ls_client_ip());
	ls_arg_text(&args, ls_client_user_agent());
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_query_write_latest(query, &args);
}

#define MOVES "unnest($1, $2, $3) u(organization_id, lead_list_id, lead_id)"

/* Listener: write what the statement means for lists. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	LS_QUERY_ARRAY(leave,
		"WITH x AS (DELETE FROM lead_system.lead_list_members m USING " MOVES
		" WHERE m.organization_id = u.organization_id AND m.lead_list_id = u.lead_list_id"
		"   AND m.lead_id = u.lead_id AND u.lead_list_id = ANY ($4) RETURNING m.*) " //
		LS_SMART_ACTIVITIES("list_left", "x", "$5", "$6", "$7", "$8"),
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDOID, TEXTOID, TEXTOID,
		TIMESTAMPTZOID);
	LS_QUERY_ARRAY(enter,
		"WITH x AS (INSERT INTO lead_system.lead_list_members"
		" (organization_id, lead_list_id, lead_id, added_at) SELECT u.*, $8 FROM " MOVES
		" WHERE u.lead_list_id = ANY ($4) ON CONFLICT DO NOTHING RETURNING *) " //
		LS_SMART_ACTIVITIES("list_entered", "x", "$5", "$6", "$7", "$8"),
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDOID, TEXTOID, TEXTOID,
		TIMESTAMPTZOID);
	SmartState *smart = *state;
	bool previous;
	Datum lists;
	LsScope scope;

	settle(statement, smart);
	if (smart->enter.n == 0 && smart->leave.n == 0)
		return;
	ls_scope_open(&scope, LS_AS_OWNER);
	lists = lock_lists(&smart->enter, &smart->leave);
	previous = ls_list_members_open(true);
	PG_TRY();
	{
		write_moves(&leave, &smart->leave, lists);
		write_moves(&enter, &smart->enter, lists);
	}
	PG_FINALLY();
	{
		(void) ls_list_members_open(previous);
	}
	PG_END_TRY();
	ls_scope_close(&scope);
}

const LsLeadListener ls_smart_listener = {listener_row, listener_end};

void
ls_smart_init(void)
{
	ls_cache_register(&smart_cache);
}
