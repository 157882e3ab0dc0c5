/*-------------------------------------------------------------------------
 *
 * compliance.h
 *	  What must not be called.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_H
#define LS_COMPLIANCE_H

#include "commands/trigger.h"
#include "fmgr.h"

#include "core/phone.h"
#include "leads/leads.h"

/* dnc_list.reason of a number that is listed because a message said STOP; START takes it off. */
#define LS_DNC_BY_STOP "sms_stop"

/* leads.calling_blocked_reason of a lead that is blocked by the list. */
#define LS_BLOCKED_BY_LIST "dnc_list"

extern bool ls_dnc_listed_soon(const pg_uuid_t *org, const char *e164);
extern bool ls_dnc_listed(const pg_uuid_t *org, const char *e164);
extern void ls_dnc_step(LsLeadChange *change);
extern void ls_dnc_status_follows(LsLeadChange *change, bool was_blocked, bool is_blocked);
extern void ls_dnc_add(
	const pg_uuid_t *org, const char *e164, const char *reason, const char *source);
extern void ls_dnc_add_opt_out(const pg_uuid_t *org, const char *e164, const char *reason,
	const char *source, const char *phrase);
extern bool ls_dnc_resubscribe(const pg_uuid_t *org, const char *e164, const char *reason);
extern const pg_uuid_t *ls_dnc_overriding(void);
extern bool ls_dnc_override(
	const pg_uuid_t *org, const char *e164, const char *reason, const pg_uuid_t *consent);
extern void ls_dnc_await_leads(TriggerData *trigdata);
extern void ls_require_number(
	FunctionCallInfo fcinfo, int arg, const pg_uuid_t *org, char e164[LS_PHONE_SIZE]);
extern Datum ls_require_words(FunctionCallInfo fcinfo, int arg, const char *name);
extern void ls_consent_check_channel(const char *channel);
extern void ls_lookup_init(void);
extern void ls_national_init(void);
extern void ls_consents_init(void);
extern void ls_guards_init(void);
extern void ls_opt_out_init(void);
extern void ls_compliance_init(void);

#endif /* LS_COMPLIANCE_H */
