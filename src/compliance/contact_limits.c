/*-------------------------------------------------------------------------
 *
 * contact_limits.c
 *	  How often a number may be contacted: so many times in 24 hours, and not
 *	  again at once (semantics D15).
 *
 *	  An attempt counts from its instant on, for 24 hours or the length of the
 *	  gap; a claim, until it lapses.  At any instant it is thus known what
 *	  counts, and the first one from which the limits allow a contact is either
 *	  the one asked for or one at which something stops to count.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/contact_facts.h"

/* Was a number contacted as often as it may be within the 24 hours that end at an instant? */
bool
ls_contact_cap_reached(const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at)
{
	int count = 0;
	int i;

	if (limits->per_day == 0)
		return false;
	for (i = 0; i < facts->n_attempts; i++)
	{
		if (facts->attempts[i] <= at && facts->attempts[i] > at - USECS_PER_DAY)
			count++;
	}
	for (i = 0; i < facts->n_claims; i++)
	{
		if (facts->claims[i] > at)
			count++;
	}
	return count >= limits->per_day;
}

/* Was a number contacted only just before an instant, or is being? */
bool
ls_contact_too_soon(const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at)
{
	int i;

	if (limits->gap == 0)
		return false;
	for (i = 0; i < facts->n_attempts; i++)
	{
		if (facts->attempts[i] <= at && facts->attempts[i] > at - limits->gap)
			return true;
	}
	for (i = 0; i < facts->n_claims; i++)
	{
		if (facts->claims[i] > at)
			return true;
	}
	return false;
}

/* Keep the earliest instant that the limits allow. */
static void
consider(const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at,
	TimestampTz candidate, TimestampTz *best)
{
	if (candidate >= at && candidate < *best && !ls_contact_cap_reached(facts, limits, candidate) &&
		!ls_contact_too_soon(facts, limits, candidate))
		*best = candidate;
}

/* The first instant from "at" on at which the limits allow a contact. */
TimestampTz
ls_contact_next_by_limits(
	const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at)
{
	TimestampTz best = LS_NEVER;
	int i;

	consider(facts, limits, at, at, &best);
	if (best == at)
		return at;
	for (i = 0; i < facts->n_attempts; i++)
	{
		consider(facts, limits, at, facts->attempts[i] + USECS_PER_DAY, &best);
		consider(facts, limits, at, facts->attempts[i] + limits->gap, &best);
	}
	for (i = 0; i < facts->n_claims; i++)
		consider(facts, limits, at, facts->claims[i], &best);
	return best;
}
