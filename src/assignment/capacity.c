/*-------------------------------------------------------------------------
 *
 * capacity.c
 *	  Room of users: when one gets some, leads that wait are assigned in the
 *	  same transaction.
 *	  
 *	  Every way leads through here, since the counts are columns of users: a lead
 *	  that is closed, deleted or given to somebody else, a higher maximum, a user
 *	  who becomes active.  Settings are the other source: a strategy that is
 *	  chosen, a limit that is raised, managers who are asked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
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
	bool joins; /* could not be chosen before, so nobody has locked it */
} Freed;

/* A column of a slot that is never null. */
static Datum
slot_value(TupleTableSlot *slot, int attnum)
{
	bool isnull;

	return slot_getattr(slot, attnum, &isnull);
}

/* Could a version of a user be chosen at all? */
static bool
takes_leads(TupleTableSlot *slot, const RoomColumns *columns)
{
	char *role;

	if (slot == NULL || !DatumGetBool(slot_value(slot, columns->is_active)))
		return false;
	role = TextDatumGetCString(slot_value(slot, columns->role));
	return strcmp(role, "rep") == 0 || strcmp(role, "manager") == 0;
}

/* How many leads more a version of a user could be given. */
static int
room_of_slot(TupleTableSlot *slot, const RoomColumns *columns)
{
	if (!takes_leads(slot, columns) || DatumGetInt32(slot_value(slot, columns->weight)) == 0)
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
		freed[*n].joins = !takes_leads(transition.old, &columns);
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
	return memcmp(a, b, offsetof(Freed, joins));
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
	bool joins = false;
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
		joins = joins || freed[i].joins;
		if (i + 1 < n && ls_uuid_equal(&freed[i].org, &freed[i + 1].org))
			continue;
		if (wants_drain(&freed[i].org))
		{
			if (joins)
				ls_assign_lock_queue(&freed[i].org, true);
			(void) ls_assign_waiting(&freed[i].org, users, n_users, LS_ASSIGNMENT_MAX_BATCH);
		}
		n_users = 0;
		joins = false;
	}
	return PointerGetDatum(NULL);
}

/* Can another value of a setting mean that there is room for leads that wait? */
static bool
setting_makes_room(const char *key)
{
	static const char *const keys[] = {"assignment.drain", "assignment.manager_fallback",
		"assignment.max_active", "assignment.max_total", "assignment.strategy"};
	int i;

	for (i = 0; i < (int) lengthof(keys); i++)
	{
		if (strcmp(keys[i], key) == 0)
			return true;
	}
	return false;
}

/* The organisations of the rows of a statement whose settings make room. */
static pg_uuid_t *
find_changed(TriggerData *trigdata, int *n)
{
	int org = ls_trigger_attnum(trigdata->tg_relation, "organization_id");
	int key = ls_trigger_attnum(trigdata->tg_relation, "key");
	LsTransition transition;
	pg_uuid_t *orgs = NULL;
	int capacity = 0;

	*n = 0;
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		TupleTableSlot *slot = transition.new ? transition.new : transition.old;

		if (!setting_makes_room(TextDatumGetCString(slot_value(slot, key))))
			continue;
		if (*n == capacity)
		{
			capacity = capacity ? capacity * 2 : 16;
			orgs = orgs ? repalloc(orgs, sizeof(pg_uuid_t) * capacity)
						: palloc(sizeof(pg_uuid_t) * capacity);
		}
		orgs[(*n)++] = *DatumGetUUIDP(slot_value(slot, org));
	}
	ls_transition_close(&transition);
	return orgs;
}

/* Compare organisations, for qsort. */
static int
compare_orgs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(pg_uuid_t));
}

PG_FUNCTION_INFO_V1(ls_assignment_settings_changed);

/* system_config_drain(): AFTER statement triggers of system_config. */
Datum
ls_assignment_settings_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "system_config_drain", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "system_config");
	pg_uuid_t *orgs;
	int n;
	int i;

	orgs = find_changed(trigdata, &n);
	if (n == 0)
		return PointerGetDatum(NULL);
	/* The cache of settings learns of the change. */
	CommandCounterIncrement();
	qsort(orgs, n, sizeof(pg_uuid_t), compare_orgs);
	for (i = 0; i < n; i++)
	{
		if ((i > 0 && ls_uuid_equal(&orgs[i - 1], &orgs[i])) || !wants_drain(&orgs[i]))
			continue;
		ls_assign_lock_queue(&orgs[i], true);
		(void) ls_assign_waiting(&orgs[i], NULL, 0, LS_ASSIGNMENT_MAX_BATCH);
	}
	return PointerGetDatum(NULL);
}
