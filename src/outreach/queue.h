/*-------------------------------------------------------------------------
 *
 * queue.h
 *	  What giving a list to a campaign, or taking it away, does to the queue.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_QUEUE_H
#define LS_OUTREACH_QUEUE_H

#include "utils/jsonb.h"

#include "core/query.h"

/* A list of a campaign, being worked on. */
typedef struct LsAssignment
{
	pg_uuid_t org;
	pg_uuid_t campaign;
	pg_uuid_t list;
	pg_uuid_t id;
	int priority;
} LsAssignment;

/* Rows of campaign_leads c that a list of higher priority may take over (I3). */
#define LS_IS_UNCALLED_SQL "c.attempts = 0 AND c.status IN ('new', 'queued', 'dnc')"

/* What decides how the members of a list are queued. */
typedef struct LsQueueSettings
{
	bool exclude_dnc;
	bool dedupe_by_phone;
	bool has_deleted; /* the organisation has deleted leads with a number */
} LsQueueSettings;

extern void ls_queue_scope_open(LsScope *scope);
extern void ls_assignment_args(LsArgs *args, const LsAssignment *assignment);
extern LsArgs ls_queue_args(const LsAssignment *assignment, Datum ids);
extern Datum ls_queue_array(LsQuery *query, const LsArgs *args);
extern bool ls_queue_is_empty(Datum array);
extern Datum ls_queue_members(const LsAssignment *assignment, Jsonb *criteria);
extern void ls_queue_sync(const LsAssignment *assignment, const LsQueueSettings *settings,
	Datum members, int old_priority);
extern void ls_queue_lock_assignments(const LsAssignment *assignment);
extern void ls_queue_lock_list(const LsAssignment *assignment, bool all);
extern void ls_queue_lock_leads(const LsAssignment *assignment, Datum leads);
extern void ls_queue_hand_over(const LsAssignment *assignment, int64 than, const Datum *among);
extern uint64 ls_queue_remove_uncalled(const LsAssignment *assignment);
extern void ls_queue_withdraw(const LsAssignment *assignment);

#endif /* LS_OUTREACH_QUEUE_H */
