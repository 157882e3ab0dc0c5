/*-------------------------------------------------------------------------
 *
 * filter.h
 *	  "Certainly not listed", from shared memory: see filter.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_FILTER_H
#define LS_COMPLIANCE_FILTER_H

#include "utils/uuid.h"

/* The lists that have a filter. */
typedef enum LsFilterList
{
	LS_FILTER_DNC,     /* dnc_list, by organisation and number */
	LS_FILTER_NATIONAL /* national_dnc_registry, by number; org is NULL */
} LsFilterList;

#define LS_FILTER_LISTS 2

typedef enum LsFilterAnswer
{
	LS_FILTER_NO_ANSWER,  /* not to be used: ask the index */
	LS_FILTER_MAYBE,      /* ask the index, and tell ls_filter_was_wrong() if it has nothing */
	LS_FILTER_NOT_LISTED, /* certainly */
} LsFilterAnswer;

extern LsFilterAnswer ls_filter_ask(LsFilterList list, const pg_uuid_t *org, const char *e164);
extern void ls_filter_was_wrong(LsFilterList list);
extern void ls_filter_init(void);

#endif /* LS_COMPLIANCE_FILTER_H */
