/*-------------------------------------------------------------------------
 *
 * national.h
 *	  The national do-not-call registry, for whoever is about to call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_NATIONAL_H
#define LS_COMPLIANCE_NATIONAL_H

#include "utils/date.h"
#include "utils/uuid.h"

/*
 * Is a number (an SQL expression) in the registry?  OFFSET 0 keeps the planner,
 * which may have seen the table empty, from hashing all of it.
 */
#define LS_NATIONAL_LISTED_SQL(phone) \
	"EXISTS (SELECT FROM lead_system.national_dnc_registry nr" \
	" WHERE nr.phone_number = " phone " OFFSET 0)"

/* The latest load of a number's area code, as a date; NULL when there is none. */
#define LS_NATIONAL_LOADED_SQL(phone) \
	"(SELECT max(nl.loaded_on) FROM lead_system.national_dnc_loads nl" \
	"  WHERE nl.area_code = substr(" phone ", 3, 3))"

/* What the registry says of a number, before exemptions. */
typedef enum LsNationalState
{
	LS_NATIONAL_UNLISTED,
	LS_NATIONAL_LISTED, /* however old the load */
	LS_NATIONAL_STALE,  /* not listed, by a load that is too old */
	LS_NATIONAL_MISSING /* nobody has loaded the area code */
} LsNationalState;

extern bool ls_national_listed(const char *e164);
extern LsNationalState ls_national_state(
	const pg_uuid_t *org, const char *e164, TimestampTz at, DateADT *loaded_on);
extern const char *ls_national_exemption(
	const pg_uuid_t *org, const char *e164, const char *channel, TimestampTz at);
extern const char *ls_national_rule(
	const pg_uuid_t *org, const char *e164, const char *channel, TimestampTz at);

#endif /* LS_COMPLIANCE_NATIONAL_H */
