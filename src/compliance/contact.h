/*-------------------------------------------------------------------------
 *
 * contact.h
 *	  May these leads be contacted, and if not, why, and when?
 *
 *	  The one judge of all rules.  It judges any number of leads of one
 *	  organisation at once, with a handful of set-wise queries, all under the
 *	  active snapshot: a caller that acts on the judgement pushes
 *	  GetLatestSnapshot() first, so that what others have committed by now
 *	  counts, whatever the isolation level.  The caller checks the tenant; the
 *	  queries run as the owner of the tables.
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
 *	  The claims of other campaigns on a lead count as attempts until they
 *	  lapse.  What campaigns and claims are, outreach knows: it registers an
 *	  LsContactSource.
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

/* No instant, in unblocks_at: a only an act of somebody lifts the rule. */
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
	pg_uuid_t lead;          /* set by the caller; the rest by ls_contact_judge() */
	bool found;              /* false: there is no such lead, as good as deleted */
	char *phone_number;      /* or NULL */
	char *email;             /* or NULL */
	LsRule rule;             /* the first one that blocks, or LS_RULE_NONE */
	uint32 rules;            /* all that block, by LS_RULE_BIT() */
	TimestampTz unblocks_at; /* the first instant from question.at on at which no rule blocks,
							  * if nothing happens; LS_NEVER if somebody has to act */
	TimestampTz rule_unblocks_at[LS_N_RULES]; /* the same for each rule that blocks */
	struct LsContactFacts *facts;             /* what the judgement rests on */
} LsContact;

#define LS_RULE_BIT(rule) (1U << (rule))

/* A campaign, as far as it decides about contacts. */
typedef struct LsContactCampaign
{
	bool has_window;
	int64 from; /* time of day in microseconds; later than "to": over midnight */
	int64 to;
	char *timezone;
} LsContactCampaign;

/* Takes a claim: the number of a lead among those asked for, and when the claim lapses. */
typedef void (*LsContactClaim)(void *arg, int lead, TimestampTz lapses_at);

/* What outreach knows. */
typedef struct LsContactSource
{
	void (*campaign)(const pg_uuid_t *org, const pg_uuid_t *campaign, LsContactCampaign *result);
	void (*claims)(const LsContactQuestion *question, const pg_uuid_t *leads, int n,
		LsContactClaim claim, void *arg);
} LsContactSource;

extern void ls_contact_register_source(const LsContactSource *source);
extern void ls_contact_judge(const LsContactQuestion *question, LsContact *contacts, int n);
extern bool ls_contact_await(const pg_uuid_t *org, const char *e164, const pg_uuid_t *campaign);
extern const char *ls_contact_rule_name(LsRule rule);
extern int ls_contact_rule_errcode(LsRule rule);
extern char *ls_contact_detail(
	const LsContactQuestion *question, const LsContact *contact, LsRule rule);
extern const char *ls_channel_name(LsChannel channel);
extern LsChannel ls_channel_parse(const char *name);
extern void ls_contact_init(void);

#endif /* LS_CONTACT_H */
