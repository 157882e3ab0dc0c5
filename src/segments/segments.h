/*-------------------------------------------------------------------------
 *
 * segments.h
 *	  Segments, and the lists that follow them.
 *
 *	  Whoever writes leads of an organisation holds its lock of lists in share
 *	  mode, from the statement to the end of the transaction; whoever makes a
 *	  smart list or changes the filter of one holds it alone.  So a list is filled
 *	  when nobody is writing leads who does not know of it.  It is taken after
 *	  leads and campaigns, and before the rows of lists that count members.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_SEGMENTS_H
#define LS_SEGMENTS_H

#include "leads/leads.h"
#include "segments/filter.h"

/* A segment that the caller may see. */
typedef struct LsSegment
{
	pg_uuid_t org;
	pg_uuid_t id;
	LsFilter *filter;
} LsSegment;

extern void ls_segments_init(void);
extern void ls_smart_init(void);
extern const LsLeadListener ls_smart_listener;

/* segments.c */
extern void ls_segment_enter(const pg_uuid_t *id, LsSegment *segment);
extern void ls_segment_require(const pg_uuid_t *org, const pg_uuid_t *id);

/* smart.c */
extern void ls_smart_lock(const pg_uuid_t *org, bool alone);

/* rebuild.c */
extern int64 ls_smart_rebuild(
	const pg_uuid_t *org, const pg_uuid_t *list, const LsFilter *filter, bool sweep);
extern void ls_smart_rebuild_followers(const pg_uuid_t *org, const pg_uuid_t *segment);

/* lists.c */
extern bool ls_list_members_open(bool open);
extern Datum ls_segments_list_leads(const pg_uuid_t *org, const pg_uuid_t *list, Jsonb *criteria);

/* SQL that is the same wherever members come and go. */
#define LS_SMART_ACTIVITIES(action, source, user, ip, agent, at) \
	"INSERT INTO lead_system.activities (organization_id, lead_id, action_type, new_value, user_id," \
	" ip_address, user_agent, created_at)" \
	" SELECT x.organization_id, x.lead_id, '" action \
	"', jsonb_build_object('lead_list_id', x.lead_list_id), " user ", coalesce(" ip \
	"::inet, inet_client_addr()), " agent ", " at " FROM " source " x"

#endif /* LS_SEGMENTS_H */
