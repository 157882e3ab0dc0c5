/*-------------------------------------------------------------------------
 *
 * capacity.c
 *	  Room of users: when one gets some, leads that wait are assigned in the
 *	  same transaction.
 *	  
 *	  Every way leads through here, since the counts are columns of users: a lead
 *	  that is closed, deleted or given to somebody else, a higher maximum, a user
 *	  who becomes active.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "assignment/internal.h"

/* Columns of users that room depends on. */
typedef struct RoomColumns
{
	int org;
	int id;
	int is_active;
	int role;
	int max;
	int current;
	int weight;
} RoomColumns;

/* Users of one statement that have got room. */
typedef struct Freed
{
	pg_uuid_t org;
	pg_uuid_t user;
} Freed;

/* A column of a slot that is never null. */
static Datum
slot_value(TupleTableSlot *slot, int attnum)
{
	bool isnull;

	return slot_getattr(slot, attnum, &isnull);
}

/* How many leads more a version of a user could be given. */
static int
room_of_slot(TupleTableSlot *slot, const RoomColumns *columns)
{
	char *role;

	if (slot == NULL || !DatumGetBool(slot_value(slot, columns->is_active)) ||
		DatumGetInt32(slot_value(slot, columns->weight)) == 0)
		return 0;
	role = TextDatumGetCString(slot_value(slot, columns->role));
	if (strcmp(role, "rep") != 0 && strcmp(role, "manager") != 0)
		return 0;
	return Max(DatumGetInt32(slot_value(slot, columns->max)) -
				   DatumGetInt32(slot_value(slot, columns->current)),
		0);
}

/* Collect the users that have got room. */
static Freed *
find_freed(TriggerData *trigdata, int *n)
{
	Relation rel = trigdata->tg_relation;
	RoomColumns columns;
	LsTransition transition;
	Freed *freed = NULL;
	int capacity = 0;

	columns.org = ls_trigger_attnum(rel, "organization_id");
	columns.id = ls_trigger_attnum(rel, "id");
	columns.is_active = ls_trigger_attnum(rel, "is_active");
	columns.role = ls_trigger_attnum(rel, "role");
	columns.max = ls_trigger_attnum(rel, "max_active_leads");
	columns.current = ls_trigger_attnum(rel, "current_lead_count");
	columns.weight = ls_trigger_attnum(rel, "assignment_weight");
	*n = 0;
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		if (room_of_slot(transition.new, &columns) <= room_of_slot(transition.old, &columns))
			continue;
		if (*n == capacity)
		{
			capacity = capacity ? capacity * 2 : 16;
			freed = freed ? repalloc(freed, sizeof(Freed) * capacity)
						  : palloc(sizeof(Freed) * capacity);
		}
		freed[*n].org = *DatumGetUUIDP(slot_value(transition.new, columns.org));
		freed[(*n)++].user = *DatumGetUUIDP(slot_value(transition.new, columns.id));
	}
	ls_transition_close(&transition);
	return freed;
}

/* Compare by organisation, then user, for qsort. */
static int
compare_freed(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(Freed));
}

/* Does an organisation want leads to be given away when there is room? */
static bool
wants_drain(const pg_uuid_t *org)
{
	return !ls_org_is_leaving(org) && ls_config_bool(org, "assignment.drain") &&
		   ls_strategy_of_org(org) != LS_STRATEGY_NONE;
}

PG_FUNCTION_INFO_V1(ls_assignment_capacity_changed);

/*
 * users_capacity_changed(): AFTER INSERT and AFTER UPDATE statement triggers of
 * users.  The users were written by this statement, so they are locked.
 */
Datum
ls_assignment_capacity_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "users_capacity_changed",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "users");
	pg_uuid_t *users;
	Freed *freed;
	int n_users = 0;
	int n;
	int i;

	freed = find_freed(trigdata, &n);
	if (n == 0)
		return PointerGetDatum(NULL);
	qsort(freed, n, sizeof(Freed), compare_freed);
	users = palloc(sizeof(pg_uuid_t) * n);
	for (i = 0; i < n; i++)
	{
		users[n_users++] = freed[i].user;
		if (i + 1 < n && ls_uuid_equal(&freed[i].org, &freed[i + 1].org))
			continue;
		if (wants_drain(&freed[i].org))
			(void) ls_assign_waiting(&freed[i].org, users, n_users, LS_ASSIGNMENT_MAX_BATCH);
		n_users = 0;
	}
	return PointerGetDatum(NULL);
}
