/*-------------------------------------------------------------------------
 *
 * find.h
 *	  Finding leads by what identifies them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_FIND_H
#define LS_LEADS_FIND_H

#include "leads/input.h"

typedef struct LsLeadFinder LsLeadFinder;

/* What is told of a lead that was found. */
typedef struct LsFoundLead
{
	pg_uuid_t id;
	pg_uuid_t pipeline;
	char *status;
} LsFoundLead;

extern bool ls_leads_can_be_found(void);
extern LsLeadFinder *ls_lead_finder_open(const pg_uuid_t *org);
extern bool ls_lead_find(
	LsLeadFinder *finder, LsLeadColumn key, const LsLeadInput *input, LsFoundLead *found);
extern bool ls_lead_is_visible(LsLeadFinder *finder, LsLeadColumn key, const LsLeadInput *input);
extern void ls_lead_finder_close(LsLeadFinder *finder);

#endif /* LS_LEADS_FIND_H */
