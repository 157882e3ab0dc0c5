/*-------------------------------------------------------------------------
 *
 * contact_facts.h
 *	  What the judgement on contacts rests on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CONTACT_FACTS_H
#define LS_CONTACT_FACTS_H

#include "utils/date.h"

#include "compliance/calendar.h"
#include "compliance/contact.h"

/* What is known of a lead and of its number or address. */
typedef struct LsContactFacts
{
	bool deleted;
	bool is_spam;
	bool organization_active;
	bool do_not_call;
	char *blocked_reason;
	LsWhereabouts whereabouts;
	const char *consent; /* granted, revoked, or NULL */
	bool nationally_listed;
	bool load_is_known; /* the national registry's area code was loaded ... */
	DateADT loaded_on;  /* ... then */
	bool suppressed;    /* in the campaign */
	int n_attempts;
	TimestampTz *attempts; /* those that count for the cap or the gap */
	int n_claims;
	TimestampTz *claims; /* when they lapse */
	LsCalendar calendar;
} LsContactFacts;

/* Limits of how often a number may be contacted; 0 for none. */
typedef struct LsContactLimits
{
	int per_day;
	int64 gap; /* microseconds */
} LsContactLimits;

extern void ls_contact_read_facts(
	const LsContactQuestion *question, LsContact *contacts, int n, const LsContactLimits *limits);
extern TimestampTz ls_contact_listed_until(const pg_uuid_t *org, const char *phone_number);
extern bool ls_contact_cap_reached(
	const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at);
extern bool ls_contact_too_soon(
	const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at);
extern TimestampTz ls_contact_next_by_limits(
	const LsContactFacts *facts, const LsContactLimits *limits, TimestampTz at);
extern const LsContactSource *ls_contact_source(void);

#endif /* LS_CONTACT_FACTS_H */
