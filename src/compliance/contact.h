/*-------------------------------------------------------------------------
 *
 * contact.h
 *	  May these leads be contacted, and if not, since when and until when?
 *
 *	  The one judge of all rules.  It judges any number of leads of one
 *	  organisation at once, with a handful of set-wise queries, under the
 *	  latest snapshot: what others have committed by now counts, whatever the
 *	  isolation level.  The caller checks the tenant, and has a scope open that
 *	  runs as the owner of the tables.
 *
 *		LsContactQuestion question = {.org = org, .channel = LS_CHANNEL_CALL,
 *									  .campaign = &campaign, .at = ls_clock_now()};
 *		LsContact *contacts = palloc0(sizeof(LsContact) * n);
 *
 *		contacts[i].lead = ...;
 *		ls_contact_judge(&question, contacts, n);
 *		if (contacts[i].rule == LS_RULE_NONE)
 *			...
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CONTACT_H
#define LS_CONTACT_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef enum LsChannel
{
	LS_CHANNEL_CALL,
	LS_CHANNEL_SMS,
	LS_CHANNEL_EMAIL
} LsChannel;

#define LS_N_CHANNELS (LS_CHANNEL_EMAIL + 1)

/*
 * The rules, in the order in which the first one that blocks is named: what is
 * for good before what passes.
 */
typedef enum LsRule
{
	LS_RULE_NONE, /* contact is allowed */
	LS_RULE_LEAD_DELETED,
	LS_RULE_SPAM,
	LS_RULE_NO_PHONE_NUMBER,
	LS_RULE_NO_EMAIL,
	LS_RULE_ORGANIZATION_INACTIVE,
	LS_RULE_DO_NOT_CALL,
	LS_RULE_DNC_LIST,
	LS_RULE_CAMPAIGN_SUPPRESSION,
	LS_RULE_CONSENT_REVOKED,
	LS_RULE_CONSENT_MISSING,
	LS_RULE_NATIONAL_REGISTRY,
	LS_RULE_NATIONAL_REGISTRY_STALE,
	LS_RULE_TIMEZONE_UNKNOWN,
	LS_RULE_CALLING_HOURS,
	LS_RULE_FREQUENCY_CAP,
	LS_RULE_MINIMUM_GAP,
	LS_RULE_CAMPAIGN_WINDOW
} LsRule;

#define LS_N_RULES (LS_RULE_CAMPAIGN_WINDOW + 1)

/* No instant: a rule that does not block, or one that only somebody's act lifts. */
#define LS_NEVER DT_NOEND

/* What is asked of some leads. */
typedef struct LsContactQuestion
{
	pg_uuid_t org;
	LsChannel channel;
	const pg_uuid_t *campaign; /* NULL: apart from any campaign */
	TimestampTz at;
} LsContactQuestion;

/* A lead, and the judgement on it. */
typedef struct LsContact
{
	pg_uuid_t lead; /* set by the caller; the rest by ls_contact_judge() */
	bool found;     /* false: there is no such lead; rule is LS_RULE_LEAD_DELETED */
	char *phone_number;
	char *email;
	bool do_not_call;        /* leads.do_not_call */
	LsRule rule;             /* the first one that blocks */
	uint32 rules;            /* all that block: bit 1 << LsRule */
	TimestampTz unblocks_at; /* first instant at which no rule will block, if nothing
							  * happens; LS_NEVER if somebody has to act */
	TimestampTz rule_unblocks_at[LS_N_RULES]; /* the same for each rule that blocks */
} LsContact;

/* Does this rule block this lead? */
#define LS_CONTACT_BLOCKED_BY(contact, which) (((contact)->rules & (1U << (which))) != 0)

extern void ls_contact_judge(const LsContactQuestion *question, LsContact *contacts, int n);
extern const char *ls_contact_rule_name(LsRule rule);
extern int ls_contact_rule_errcode(LsRule rule);
extern bool ls_contact_rule_is_for_good(LsRule rule);
extern const char *ls_contact_detail(
	const LsContactQuestion *question, const LsContact *contact, LsRule rule);
extern const char *ls_channel_name(LsChannel channel);
extern LsChannel ls_channel_parse(const char *name);

#endif /* LS_CONTACT_H */
