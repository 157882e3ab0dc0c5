/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of the assignment domain share among themselves.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ASSIGNMENT_INTERNAL_H
#define LS_ASSIGNMENT_INTERNAL_H

#include "assignment/assignment.h"

#define LS_ASSIGNMENT_MAX_BATCH 100000

typedef enum LsStrategy
{
	LS_STRATEGY_NONE, /* of an organisation that has not chosen one */
	LS_STRATEGY_MANUAL,
	LS_STRATEGY_ROUND_ROBIN,
	LS_STRATEGY_CAPACITY,
	LS_STRATEGY_GEOGRAPHIC,
	LS_STRATEGY_SKILL_BASED
} LsStrategy;

/* A user who could be given leads. */
typedef struct LsAssignee
{
	pg_uuid_t id;
	bool is_manager; /* asked only when no other has room */
	int current;
	int max;
	int room; /* how many more; what the limits of the organisation leave */
	int weight;
	int total;
	int qualified;
	bool was_assigned; /* last_assigned means something */
	TimestampTz last_assigned;
	char **skills; /* in lower case */
	int n_skills;
} LsAssignee;

/* A lead that somebody is looked for. */
typedef struct LsAssignLead
{
	pg_uuid_t id; /* hash key */
	pg_uuid_t from;
	bool is_assigned; /* "from" means something */
	bool is_assignable;
	bool is_hot;
	char *skills[2]; /* in lower case, or NULL */
	char *places[3]; /* zip, state, country; in capital letters, or NULL */
	LsStrategy strategy;
	int position;         /* in the array that a caller passed */
	LsAssignee *to;       /* NULL while nobody was found */
	const char *metadata; /* JSON text: how it was found; or NULL */
} LsAssignLead;

/* A territory's users among those that could be chosen. */
typedef struct LsTerritories LsTerritories;

/* Those who can be chosen, locked. */
typedef struct LsPool
{
	LsAssignee *users; /* by id */
	int n;
	LsTerritories *territories; /* NULL unless somebody asks for places */
	TimestampTz now;
} LsPool;

/* Leads of one organisation that are being assigned in one pass. */
typedef struct LsAssignPass
{
	pg_uuid_t org;
	LsAssignLead *leads;
	int n;
	const char *reason; /* or NULL */
	bool wait;          /* those that nobody has room for wait */
	bool release;       /* whoever has one that nobody has room for has it no longer */
	HTAB *by_id;        /* for the listener */
} LsAssignPass;

/* A lead can be given to somebody: semantics G and A10, A16. */
#define LS_ASSIGNABLE_SQL(lead) \
	"(" lead ".deleted_at IS NULL AND NOT " lead ".is_spam AND " lead \
	".stage IN ('new', 'working', 'contacted', 'qualified')" \
	" AND (" lead ".scoring_model = 'b2b' AND " lead ".temperature = 'cold') IS NOT TRUE)"

/* A lead counts for the user that it is assigned to. */
#define LS_OPEN_SQL(lead) \
	"(" lead ".deleted_at IS NULL AND NOT " lead ".is_spam AND " lead \
	".stage IN ('new', 'working', 'contacted', 'qualified'))"

/* strategy.c */
extern LsStrategy ls_strategy_parse(const char *name);
extern LsStrategy ls_strategy_parse_many(const char *name);
extern const char *ls_strategy_name(LsStrategy strategy);
extern LsStrategy ls_strategy_of_org(const pg_uuid_t *org);
extern LsAssignee *ls_strategy_choose(LsPool *pool, LsAssignLead *lead);
extern void ls_assignee_take(LsPool *pool, LsAssignee *user);

/* pool.c */
extern void ls_pool_lock(LsPool *pool, const pg_uuid_t *org, const pg_uuid_t *ids, int n_ids);
extern void ls_pool_look(LsPool *pool, const pg_uuid_t *org);
extern const LsAssignee *ls_pool_only_free(const LsPool *pool);
extern int64 ls_pool_room(const LsPool *pool);
extern void ls_pool_load_territories(LsPool *pool, const pg_uuid_t *org, const LsAssignPass *pass);
extern List *ls_pool_territory(const LsPool *pool, int kind, const char *code);

/* pass.c */
extern const LsAssignPass *ls_assign_current_pass(void);
extern const LsAssignLead *ls_assign_lead_of(const LsAssignPass *pass, const pg_uuid_t *lead);
extern void ls_assign_read_leads(LsAssignPass *pass, LsQuery *query, const LsArgs *args);
extern int64 ls_assign_run(LsAssignPass *pass, LsPool *pool);
extern void ls_assign_write(LsAssignPass *pass);
extern void ls_assign_lock_queue(const pg_uuid_t *org, bool alone);
extern void ls_assign_lock_users(const LsAssignPass *pass, LsPool *pool);
extern int64 ls_assign_waiting(
	const pg_uuid_t *org, const pg_uuid_t *users, int n_users, int batch);
extern void ls_assign_new_leads(const pg_uuid_t *org, const pg_uuid_t *leads, int n);

/* counters.c */
/* What a statement adds to the counters of a user. */
typedef struct LsUserDelta
{
	pg_uuid_t org; /* hash key, with the next */
	pg_uuid_t user;
	int open;
	int assigned;
	int contacted;
	int qualified;
	int64 response_seconds;
	bool was_assigned;
	TimestampTz last_assigned;
} LsUserDelta;

extern HTAB *ls_user_deltas_create(void);
extern LsUserDelta *ls_user_delta(HTAB *deltas, const pg_uuid_t *org, const pg_uuid_t *user);
extern void ls_user_deltas_lock(HTAB *deltas);
extern void ls_user_deltas_write(HTAB *deltas);

/* A zip code without the four digits that tell a delivery route in the United States. */
#define LS_ZIP_SQL(zip) \
	"CASE WHEN " zip " ~ '^[0-9]{5}-[0-9]{4}$' THEN left(" zip ", 5) ELSE " zip " END"

/* The columns that ls_assign_read_leads() expects, of a lead "l". */
#define LS_ASSIGN_COLUMNS \
	"l.id, l.assigned_to, " LS_ASSIGNABLE_SQL( \
		"l") ", l.temperature = 'hot'," \
			 " lower(l.service_type), lower(l.metadata ->> 'skill')," \
			 " upper(" LS_ZIP_SQL( \
				 "btrim(l.zip_code)") "), upper(btrim(l.state)), upper(btrim(l.country))"

#endif /* LS_ASSIGNMENT_INTERNAL_H */
