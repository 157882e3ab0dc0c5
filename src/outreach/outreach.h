/*-------------------------------------------------------------------------
 *
 * outreach.h
 *	  Lists, campaigns, imports.
 *
 *	  Locks are taken in this order, by everything that writes the queue:
 *
 *		dnc_list (by number)
 *		lead_lists (of a campaign by id; shared, but for a list being deleted)
 *		campaigns (by whoever gives it a list or takes one away: they take turns)
 *		leads
 *		campaign_leads (by lead, then by campaign)
 *		campaign_lead_lists (by campaign, then by list; the counts)
 *
 *	  Counts are written by the statement triggers of campaign_leads, so who
 *	  writes with several statements locks all rows of the queue before the
 *	  first of them, and then either the assignments, too, or has the counts
 *	  written after the last (ls_counts_defer).
 *
 *	  Nobody waits for a list while holding something else: the deletion of one
 *	  passes over lists that are being deleted themselves, and so does a claim,
 *	  which never waits for a row of the queue either.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_H
#define LS_OUTREACH_H

#include "compliance/contact.h"
#include "leads/leads.h"

extern const LsLeadListener ls_outreach_listener;
extern const LsContactSource ls_outreach_contact_source;
extern void ls_outreach_init(void);
extern void ls_suppressions_init(void);
extern void ls_attempts_init(void);
extern const pg_uuid_t *ls_queue_set_recorded(const pg_uuid_t *row);
extern int64 ls_outreach_recount_batch(const pg_uuid_t *org, int batch, bool first, bool *more);
extern void ls_counts_defer(void (*work)(void *), void *argument);

/* The place of a temperature in the queue (I4), for SQL texts. */
#define LS_TEMPERATURE_RANK_SQL(expression) \
	"CASE " expression " WHEN 'hot' THEN 1 WHEN 'warm' THEN 2 WHEN 'cool' THEN 3" \
	" WHEN 'cold' THEN 4 ELSE 5 END"

/* Whether a lead can be dialled at all, for SQL texts; the list is asked apart. */
#define LS_IS_DIALABLE_SQL(lead) \
	"(" lead ".phone_number IS NOT NULL AND " lead ".deleted_at IS NULL AND NOT " lead ".is_spam)"

/* The status of a row that is not called any more: failed only without contact (I10). */
#define LS_SETTLED_SQL(row) \
	"CASE WHEN " row ".contacted_at IS NULL THEN 'failed' ELSE 'contacted' END"

/* A row that waits for its call-back stands beside the queue, as contacted. */
#define LS_IS_CALLBACK_SQL(row) \
	"(" row ".outcome = 'callback' AND " row ".contacted_at IS NOT NULL)"

/* The status of a row that comes back into the queue. */
#define LS_REQUEUED_SQL(row) \
	"CASE WHEN " LS_IS_CALLBACK_SQL(row) " THEN 'contacted'" \
										 " WHEN " row ".attempts = 0 THEN 'new' ELSE 'queued' END"

#endif /* LS_OUTREACH_H */
