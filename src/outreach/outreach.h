/*-------------------------------------------------------------------------
 *
 * outreach.h
 *	  Lists, campaigns, imports.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_H
#define LS_OUTREACH_H

#include "leads/leads.h"

extern const LsLeadListener ls_outreach_listener;
extern void ls_outreach_init(void);

/* The place of a temperature in the queue (I4), for SQL texts. */
#define LS_TEMPERATURE_RANK_SQL(expression) \
	"CASE " expression " WHEN 'hot' THEN 1 WHEN 'warm' THEN 2 WHEN 'cool' THEN 3" \
	" WHEN 'cold' THEN 4 ELSE 5 END"

/* Whether a lead can be dialled at all, for SQL texts; the list is asked apart. */
#define LS_IS_DIALABLE_SQL(lead) \
	"(" lead ".phone_number IS NOT NULL AND " lead ".deleted_at IS NULL AND NOT " lead ".is_spam)"

#endif /* LS_OUTREACH_H */
