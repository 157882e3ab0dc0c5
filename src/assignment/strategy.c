/*-------------------------------------------------------------------------
 *
 * strategy.c
 *	  The strategies: which of those who have room gets a lead (semantics G).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/uuid.h"
#include "assignment/internal.h"

/* Leads that a user must have had before the conversion rate tells anything. */
#define MIN_HISTORY 5

static const char *const names[] = {
	"none", "manual", "round_robin", "capacity", "geographic", "skill_based"};

/* Which of those who have room are asked. */
typedef bool (*Filter)(const LsAssignee *user, const LsAssignLead *lead);
typedef bool (*Before)(const LsAssignee *a, const LsAssignee *b);

/* A strategy by its name. */
LsStrategy
ls_strategy_parse(const char *name)
{
	int i;

	for (i = LS_STRATEGY_MANUAL; i < (int) lengthof(names); i++)
	{
		if (strcmp(names[i], name) == 0)
			return (LsStrategy) i;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized assignment strategy \"%s\"", name),
					   errhint("Strategies are: manual, round_robin, capacity, geographic, "
							   "skill_based.")));
}

/* A strategy that finds users for many leads, by its name. */
LsStrategy
ls_strategy_parse_many(const char *name)
{
	LsStrategy strategy = ls_strategy_parse(name);

	if (strategy == LS_STRATEGY_MANUAL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("many leads cannot be assigned by strategy \"manual\""),
						   errhint("Use assign_lead(), or UPDATE leads SET assigned_to.")));
	return strategy;
}

/* The name of a strategy. */
const char *
ls_strategy_name(LsStrategy strategy)
{
	return names[strategy];
}

/* The strategy that an organisation has chosen for what happens by itself. */
LsStrategy
ls_strategy_of_org(const pg_uuid_t *org)
{
	const char *name = ls_config_choice(org, "assignment.strategy");

	return strcmp(name, names[LS_STRATEGY_NONE]) == 0 ? LS_STRATEGY_NONE : ls_strategy_parse(name);
}

/* Order of round robin: who has waited longest for a lead; then by id. */
static bool
before_in_turn(const LsAssignee *a, const LsAssignee *b)
{
	if (a->was_assigned != b->was_assigned)
		return !a->was_assigned;
	if (a->was_assigned && a->last_assigned != b->last_assigned)
		return a->last_assigned < b->last_assigned;
	return memcmp(a->id.data, b->id.data, UUID_LEN) < 0;
}

/* Order of capacity: the lowest share of what a user takes on, by weight. */
static bool
before_by_load(const LsAssignee *a, const LsAssignee *b)
{
	double load_a = (double) a->current / ((double) a->max * a->weight);
	double load_b = (double) b->current / ((double) b->max * b->weight);

	if (load_a != load_b)
		return load_a < load_b;
	return before_in_turn(a, b);
}

/* Order of performance: the share of leads that became qualified. */
static bool
before_by_success(const LsAssignee *a, const LsAssignee *b)
{
	int64 rate_a = (int64) a->qualified * b->total;
	int64 rate_b = (int64) b->qualified * a->total;

	if (rate_a != rate_b)
		return rate_a > rate_b;
	return before_by_load(a, b);
}

/* Can a user be given a lead at all? */
static bool
has_room(const LsAssignee *user, const LsAssignLead *lead)
{
	return user->room > 0 && user->weight > 0 &&
		   !(lead->is_assigned && ls_uuid_equal(&user->id, &lead->from));
}

/* Does a user have a skill that the lead names? */
static bool
has_skill(const LsAssignee *user, const LsAssignLead *lead)
{
	int i;
	int j;

	for (i = 0; i < (int) lengthof(lead->skills); i++)
	{
		for (j = 0; lead->skills[i] != NULL && j < user->n_skills; j++)
		{
			if (strcmp(lead->skills[i], user->skills[j]) == 0)
				return true;
		}
	}
	return false;
}

/* Has a user had leads enough for the conversion rate to tell something? */
static bool
has_history(const LsAssignee *user, const LsAssignLead *lead)
{
	return user->total >= MIN_HISTORY;
}

/* Both. */
static bool
has_skill_and_history(const LsAssignee *user, const LsAssignLead *lead)
{
	return has_skill(user, lead) && has_history(user, lead);
}

/* The first, in an order, of those who have room and pass a filter (or NULL). */
static LsAssignee *
first_of(LsPool *pool, const LsAssignLead *lead, bool managers, Filter filter, Before before)
{
	LsAssignee *best = NULL;
	int i;

	for (i = 0; i < pool->n; i++)
	{
		LsAssignee *user = &pool->users[i];

		if (user->is_manager == managers && has_room(user, lead) &&
			(filter == NULL || filter(user, lead)) && (best == NULL || before(user, best)))
			best = user;
	}
	return best;
}

/* By territory: the smallest one that somebody with room has; else by capacity. */
static LsAssignee *
choose_by_place(LsPool *pool, LsAssignLead *lead)
{
	static const char *const found_in[] = {"{\"territory\": \"zip\"}", "{\"territory\": \"state\"}",
		"{\"territory\": \"country\"}", "{\"territory\": \"fallback\"}"};
	int kind;

	for (kind = 0; kind < (int) lengthof(found_in); kind++)
	{
		const char *code = kind < (int) lengthof(lead->places) ? lead->places[kind] : "";
		LsAssignee *best = NULL;
		ListCell *cell;

		if (code == NULL)
			continue;
		foreach (cell, ls_pool_territory(pool, kind, code))
		{
			LsAssignee *user = lfirst(cell);

			if (!user->is_manager && has_room(user, lead) &&
				(best == NULL || before_by_load(user, best)))
				best = user;
		}
		if (best != NULL)
		{
			lead->metadata = found_in[kind];
			return best;
		}
	}
	return first_of(pool, lead, false, NULL, before_by_load);
}

/*
 * By skill: those who have what the lead names come first, if there are any; hot
 * leads go to those who turn most of theirs into qualified ones.
 */
static LsAssignee *
choose_by_skill(LsPool *pool, LsAssignLead *lead)
{
	LsAssignee *user = NULL;
	bool names_one = lead->skills[0] != NULL || lead->skills[1] != NULL;

	if (names_one && lead->is_hot)
		user = first_of(pool, lead, false, has_skill_and_history, before_by_success);
	if (names_one && user == NULL)
		user = first_of(pool, lead, false, has_skill, before_by_load);
	if (user != NULL)
	{
		lead->metadata = "{\"matched\": \"skill\"}";
		return user;
	}
	if (lead->is_hot)
		user = first_of(pool, lead, false, has_history, before_by_success);
	if (user != NULL)
		lead->metadata = "{\"matched\": \"performance\"}";
	else
		user = first_of(pool, lead, false, NULL, before_by_load);
	return user;
}

/* Choose a user for a lead; NULL when nobody has room. */
LsAssignee *
ls_strategy_choose(LsPool *pool, LsAssignLead *lead)
{
	LsAssignee *user;

	lead->metadata = NULL;
	switch (lead->strategy)
	{
		case LS_STRATEGY_ROUND_ROBIN:
			user = first_of(pool, lead, false, NULL, before_in_turn);
			break;
		case LS_STRATEGY_GEOGRAPHIC:
			user = choose_by_place(pool, lead);
			break;
		case LS_STRATEGY_SKILL_BASED:
			user = choose_by_skill(pool, lead);
			break;
		default:
			user = first_of(pool, lead, false, NULL, before_by_load);
	}
	if (user == NULL)
	{
		user = first_of(pool, lead, true, NULL, before_by_load);
		if (user != NULL)
			lead->metadata = "{\"manager_fallback\": true}";
	}
	return user;
}

/* Count a lead that was given to a user, as the listener will. */
void
ls_assignee_take(LsPool *pool, LsAssignee *user)
{
	user->current++;
	user->room--;
	user->total++;
	user->last_assigned = user->was_assigned ? Max(pool->now, user->last_assigned + 1) : pool->now;
	user->was_assigned = true;
}
