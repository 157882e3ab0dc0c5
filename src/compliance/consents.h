/*-------------------------------------------------------------------------
 *
 * consents.h
 *	  Who agreed to be contacted, and who took that back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_CONSENTS_H
#define LS_COMPLIANCE_CONSENTS_H

#include "leads/leads.h"

/* leads.calling_blocked_reason of a lead whose consent to calls is revoked. */
#define LS_BLOCKED_BY_REVOCATION "consent_revoked"

/*
 * The latest word on a contact point and a channel, as SQL: 'granted',
 * 'revoked' or NULL.  "column" is phone_number, or email for channel email.
 */
#define LS_CONSENT_SQL(org, column, point, channel) \
	"(SELECT cc.action FROM lead_system.contact_consents cc" \
	"  WHERE cc.organization_id = " org " AND cc." column " = " point " AND cc.channel = " channel \
	"  ORDER BY cc.at DESC, cc.id DESC LIMIT 1)"

typedef enum LsConsent
{
	LS_CONSENT_NONE,
	LS_CONSENT_GRANTED,
	LS_CONSENT_REVOKED
} LsConsent;

extern LsConsent ls_consent(const pg_uuid_t *org, const char *channel, const char *point);
extern bool ls_consents_await(const pg_uuid_t *org, const char *e164);
extern void ls_consent_revoke(const pg_uuid_t *org, const pg_uuid_t *lead, const char *channel);
extern void ls_consent_grant(
	const pg_uuid_t *org, const pg_uuid_t *lead, const char *channel, Jsonb *evidence);
extern void ls_consent_step(LsLeadChange *change);
extern bool ls_consent_is_revoked(const LsLeadChange *change);
extern bool ls_consent_unblocks(const LsLeadChange *change);

#endif /* LS_COMPLIANCE_CONSENTS_H */
