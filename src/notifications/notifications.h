/*-------------------------------------------------------------------------
 *
 * notifications.h
 *	  Telling users of an organisation something, as other domains do it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_NOTIFICATIONS_H
#define LS_NOTIFICATIONS_H

#include "core/query.h"
#include "leads/leads.h"

/* Built-in templates that the extension uses itself. */
#define LS_TEMPLATE_HOT_LEAD "hot_lead_alert"
#define LS_TEMPLATE_UNTOUCHED_LEAD "untouched_lead"
#define LS_TEMPLATE_WINDOW_ENDING "window_ending"

/* Tell a user something about a lead. */
typedef struct LsUserNotice
{
	pg_uuid_t lead;
	pg_uuid_t user;
	Jsonb *payload;         /* values for the template */
	const char *dedupe_key; /* a second notice with the same key is not made */
} LsUserNotice;

extern void ls_notify_users(
	const pg_uuid_t *org, const char *template_name, const LsUserNotice *notices, int n);
extern void ls_notifications_init(void);

#endif /* LS_NOTIFICATIONS_H */
