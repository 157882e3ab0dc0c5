/*-------------------------------------------------------------------------
 *
 * pool.c
 *	  Those who can be given leads: active reps, and managers where the
 *	  organisation has them help out, all of them locked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/uuid.h"
#include "assignment/internal.h"

/* What the longest code takes in bytes, with its kind and the end. */
#define CODE_SIZE (20 * MAX_MULTIBYTE_CHAR_LEN + 2)

/* The users of one territory. */
typedef struct Territory
{
	char key[CODE_SIZE]; /* kind and code */
	List *users;         /* of LsAssignee */
} Territory;

struct LsTerritories
{
	HTAB *by_code;
};

static const char *const kinds[] = {"zip", "state", "country", "fallback"};

/* A text[] of the result as C strings. */
static char **
result_texts(uint64 row, int column, int *n)
{
	bool isnull;
	ArrayType *array = DatumGetArrayTypeP(ls_result(row, column, &isnull));
	Datum *elements;
	bool *nulls;
	char **texts;
	int n_texts = 0;
	int i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, n);
	texts = SPI_palloc(sizeof(char *) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		char *string;

		if (nulls[i])
			continue;
		string = TextDatumGetCString(elements[i]);
		texts[n_texts] = SPI_palloc(strlen(string) + 1);
		strcpy(texts[n_texts++], string);
	}
	*n = n_texts;
	return texts;
}

/* How many more leads a user may have: by the own maximum, and the limits. */
static int
room_of(const LsAssignee *user, int max_active, int max_total)
{
	int room = user->max - user->current;

	if (max_active > 0)
		room = Min(room, max_active - user->current);
	if (max_total > 0)
		room = Min(room, max_total - user->total);
	return room;
}

/* Read one row of the query below. */
static void
read_user(LsAssignee *user, uint64 row, int max_active, int max_total)
{
	user->id = ls_result_uuid(row, 1);
	user->is_manager = ls_result_bool(row, 2);
	user->current = ls_result_int32(row, 3);
	user->max = ls_result_int32(row, 4);
	user->weight = ls_result_int32(row, 5);
	user->total = ls_result_int32(row, 6);
	user->qualified = ls_result_int32(row, 7);
	user->was_assigned = !ls_result_isnull(row, 8);
	user->last_assigned = user->was_assigned ? ls_result_timestamptz(row, 8) : 0;
	user->skills = result_texts(row, 9, &user->n_skills);
	user->room = room_of(user, max_active, max_total);
}

/* Those who can be given leads, or those of some users ($3 not null). */
#define POOL_SQL \
	"SELECT u.id, u.role = 'manager', u.current_lead_count, u.max_active_leads," \
	"       u.assignment_weight, u.total_leads_assigned, u.total_leads_qualified," \
	"       u.last_assigned_at, lower(u.skills::text)::text[]" \
	"  FROM lead_system.users u" \
	" WHERE u.organization_id = $1 AND u.is_active AND NOT u.is_contractor" \
	"   AND (u.role = 'rep' OR (u.role = 'manager' AND $2)) AND ($3 IS NULL OR u.id = ANY ($3))" \
	" ORDER BY u.id"

/* Read the pool by a query on users. */
static void
read_pool(LsPool *pool, LsQuery *query, const pg_uuid_t *org, const pg_uuid_t *ids, int n_ids)
{
	int max_active = ls_config_int(org, "assignment.max_active");
	int max_total = ls_config_int(org, "assignment.max_total");
	LsScope scope;
	LsArgs args = {0};
	int i;

	memset(pool, 0, sizeof(LsPool));
	pool->now = ls_clock_now();
	ls_arg_uuid(&args, org);
	ls_arg_bool(&args, ls_config_bool(org, "assignment.manager_fallback"));
	ls_arg_datum(&args, ids ? ls_uuid_array(ids, n_ids) : (Datum) 0, ids == NULL);
	ls_scope_open(&scope, LS_AS_OWNER);
	pool->n = (int) ls_query_run(query, &args, LS_WRITE);
	pool->users = SPI_palloc(sizeof(LsAssignee) * (pool->n + 1));
	for (i = 0; i < pool->n; i++)
		read_user(&pool->users[i], i, max_active, max_total);
	ls_scope_close(&scope);
}

/*
 * Lock those who can be given leads, or those of some users ("ids" not NULL).
 *
 * Full ones are locked, too.  Otherwise a session that finds nobody and one that
 * makes room would miss each other, and the lead would wait beside a free user.
 */
void
ls_pool_lock(LsPool *pool, const pg_uuid_t *org, const pg_uuid_t *ids, int n_ids)
{
	LS_QUERY_ARRAY(query, POOL_SQL " FOR NO KEY UPDATE", UUIDOID, BOOLOID, UUIDARRAYOID);

	read_pool(pool, &query, org, ids, n_ids);
}

/*
 * Look at those who can be given leads, without locking them: for whoever has to
 * lock leads first, and would rather know how many.
 */
void
ls_pool_look(LsPool *pool, const pg_uuid_t *org)
{
	LS_QUERY_ARRAY(query, POOL_SQL, UUIDOID, BOOLOID, UUIDARRAYOID);

	read_pool(pool, &query, org, NULL, 0);
}

/* The one user who has room; NULL when nobody has, or several have. */
const LsAssignee *
ls_pool_only_free(const LsPool *pool)
{
	const LsAssignee *only = NULL;
	int i;

	for (i = 0; i < pool->n; i++)
	{
		if (pool->users[i].weight <= 0 || pool->users[i].room <= 0)
			continue;
		if (only != NULL)
			return NULL;
		only = &pool->users[i];
	}
	return only;
}

/* How many leads all of them together can be given. */
int64
ls_pool_room(const LsPool *pool)
{
	int64 room = 0;
	int i;

	for (i = 0; i < pool->n; i++)
	{
		if (pool->users[i].weight > 0)
			room += Max(pool->users[i].room, 0);
	}
	return room;
}

/* Write the key of a territory. */
static bool
territory_key(char *key, int kind, const char *code)
{
	memset(key, 0, CODE_SIZE);
	if (strlen(code) + 2 > CODE_SIZE)
		return false;
	key[0] = (char) ('0' + kind);
	strcpy(key + 1, code);
	return true;
}

/* A user of the pool; NULL when it is not in it. */
static LsAssignee *
find_user(const LsPool *pool, const pg_uuid_t *id)
{
	int low = 0;
	int high = pool->n - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;
		int order = memcmp(pool->users[middle].id.data, id->data, UUID_LEN);

		if (order == 0)
			return &pool->users[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

/* The places of the leads of a pass, as an array without repetitions. */
static Datum
places_of(const LsAssignPass *pass)
{
	HASHCTL ctl = {0};
	HTAB *seen;
	HASH_SEQ_STATUS all;
	Datum *codes;
	char *code;
	int n = 0;
	int i;
	int kind;

	ctl.keysize = CODE_SIZE;
	ctl.entrysize = CODE_SIZE;
	ctl.hcxt = CurrentMemoryContext;
	seen = hash_create("places of leads", 256, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	(void) hash_search(seen, "", HASH_ENTER, NULL); /* the fallback */
	for (i = 0; i < pass->n; i++)
	{
		for (kind = 0; kind < (int) lengthof(pass->leads[i].places); kind++)
		{
			const char *place = pass->leads[i].places[kind];

			if (place != NULL && strlen(place) < CODE_SIZE - 1)
				(void) hash_search(seen, place, HASH_ENTER, NULL);
		}
	}
	codes = palloc(sizeof(Datum) * hash_get_num_entries(seen));
	hash_seq_init(&all, seen);
	while ((code = hash_seq_search(&all)) != NULL)
		codes[n++] = CStringGetTextDatum(code);
	hash_destroy(seen);
	return PointerGetDatum(construct_array(codes, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Put a user of the pool into a territory. */
static void
add_to_territory(LsPool *pool, const char *kind_name, const char *code, const pg_uuid_t *user_id)
{
	LsAssignee *user = find_user(pool, user_id);
	char key[CODE_SIZE];
	Territory *territory;
	bool found;
	int kind = 0;

	while (strcmp(kinds[kind], kind_name) != 0)
		kind++;
	if (user == NULL || !territory_key(key, kind, code))
		return;
	territory = hash_search(pool->territories->by_code, key, HASH_ENTER, &found);
	if (!found)
		territory->users = NIL;
	territory->users = lappend(territory->users, user);
}

/* Read the territories that the leads of a pass lie in. */
void
ls_pool_load_territories(LsPool *pool, const pg_uuid_t *org, const LsAssignPass *pass)
{
	LS_QUERY_ARRAY(query,
		"SELECT t.kind, t.code, t.user_id FROM lead_system.territories t"
		" WHERE t.organization_id = $1 AND t.code = ANY ($2) ORDER BY t.kind, t.code, t.user_id",
		UUIDOID, TEXTARRAYOID);
	HASHCTL ctl = {0};
	LsScope scope;
	LsArgs args = {0};
	char **texts;
	pg_uuid_t *users;
	uint64 n;
	uint64 row;

	ctl.keysize = CODE_SIZE;
	ctl.entrysize = sizeof(Territory);
	ctl.hcxt = CurrentMemoryContext;
	pool->territories = palloc(sizeof(LsTerritories));
	pool->territories->by_code =
		hash_create("territories", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, places_of(pass), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	texts = SPI_palloc(sizeof(char *) * (n * 2 + 1));
	users = SPI_palloc(sizeof(pg_uuid_t) * (n + 1));
	for (row = 0; row < n; row++)
	{
		texts[row * 2] = ls_result_text(row, 1);
		texts[row * 2 + 1] = ls_result_text(row, 2);
		users[row] = ls_result_uuid(row, 3);
	}
	ls_scope_close(&scope);
	for (row = 0; row < n; row++)
		add_to_territory(pool, texts[row * 2], texts[row * 2 + 1], &users[row]);
}

/* The users of the pool that have a territory. */
List *
ls_pool_territory(const LsPool *pool, int kind, const char *code)
{
	char key[CODE_SIZE];
	Territory *territory;

	if (pool->territories == NULL || !territory_key(key, kind, code))
		return NIL;
	territory = hash_search(pool->territories->by_code, key, HASH_FIND, NULL);
	return territory ? territory->users : NIL;
}
