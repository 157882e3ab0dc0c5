/*-------------------------------------------------------------------------
 *
 * contact_log.h
 *	  Writing contact_attempts: who was contacted, and who was not, and why.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CONTACT_LOG_H
#define LS_CONTACT_LOG_H

#include "compliance/contact.h"

/* One attempt or refusal; pointers may be NULL. */
typedef struct LsContactEntry
{
	const LsContact *contact;       /* lead, number, address, rule */
	const pg_uuid_t *campaign_lead; /* the row of the queue */
	const char *detail;             /* what the rule found */
} LsContactEntry;

extern void ls_contact_log(
	const LsContactQuestion *question, const pg_uuid_t *user, const LsContactEntry *entries, int n);
extern void ls_contact_log_init(void);

#endif /* LS_CONTACT_LOG_H */
