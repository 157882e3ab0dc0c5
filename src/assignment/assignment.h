/*-------------------------------------------------------------------------
 *
 * assignment.h
 *	  Who works on which lead.
 *
 *	  Locks are taken in this order: leads, then users by id.  Who looks for a
 *	  user locks all that could be chosen, full ones too: a user who is just
 *	  getting room is then seen, or sees the lead that waits.  A drain, which
 *	  starts from a user, never waits for a lead.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ASSIGNMENT_H
#define LS_ASSIGNMENT_H

#include "leads/leads.h"

extern const LsLeadListener ls_assignment_listener;
extern void ls_assignment_init(void);

/* counters.c: count the counters of an organisation's users anew; how many were wrong. */
extern int64 ls_assignment_recount_users(const pg_uuid_t *org);

#endif /* LS_ASSIGNMENT_H */
