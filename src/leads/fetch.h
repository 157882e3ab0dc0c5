/*-------------------------------------------------------------------------
 *
 * fetch.h
 *	  Reading single leads below SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_FETCH_H
#define LS_LEADS_FETCH_H

#include "leads/leads.h"

/* A lead that has been fetched; to be released with ls_lead_release(). */
typedef struct LsFetchedLead
{
	LsLeadRow row;
	pg_uuid_t org;
	Relation rel;
	TupleTableSlot *slot;
} LsFetchedLead;

extern void ls_lead_fetch(const pg_uuid_t *id, LsFetchedLead *lead);
extern void ls_lead_release(LsFetchedLead *lead);

#endif /* LS_LEADS_FETCH_H */
