/*-------------------------------------------------------------------------
 *
 * contact_detail.c
 *	  Says why a rule blocks a contact, for people.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/contact_facts.h"

/* What there is to say of rules that need no figures. */
static const char *
plain_detail(LsRule rule)
{
	switch (rule)
	{
		case LS_RULE_LEAD_DELETED:
			return "the lead is deleted";
		case LS_RULE_SPAM:
			return "the lead is marked as spam";
		case LS_RULE_NO_PHONE_NUMBER:
			return "the lead has no phone number";
		case LS_RULE_NO_EMAIL:
			return "the lead has no e-mail address";
		case LS_RULE_ORGANIZATION_INACTIVE:
			return "the organization is not active";
		case LS_RULE_DNC_LIST:
			return "the number is on the do-not-call list";
		case LS_RULE_CAMPAIGN_SUPPRESSION:
			return "the number is suppressed in this campaign";
		case LS_RULE_CONSENT_REVOKED:
			return "consent to this channel was revoked";
		case LS_RULE_CONSENT_MISSING:
			return "compliance.consent_required asks for consent to this channel, and none is recorded";
		case LS_RULE_NATIONAL_REGISTRY:
			return "the number is in the national registry, and nothing exempts it";
		case LS_RULE_TIMEZONE_UNKNOWN:
			return "neither the lead's time zone, nor its state, nor its area code says where it is";
		case LS_RULE_CAMPAIGN_WINDOW:
			return "outside the campaign's calling_from and calling_to";
		default:
			return NULL;
	}
}

/* How old the national registry is for a number. */
static char *
registry_detail(const LsContactFacts *facts)
{
	if (!facts->load_is_known)
		return pstrdup("the area code of the national registry was never loaded");
	return psprintf("the area code of the national registry was last loaded on %s",
		DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(facts->loaded_on))));
}

/* How often a number was contacted before an instant. */
static char *
cap_detail(const LsContactFacts *facts, TimestampTz at)
{
	int attempts = 0;
	int claims = 0;
	int i;

	for (i = 0; i < facts->n_attempts; i++)
	{
		if (facts->attempts[i] <= at && facts->attempts[i] > at - USECS_PER_DAY)
			attempts++;
	}
	for (i = 0; i < facts->n_claims; i++)
	{
		if (facts->claims[i] > at)
			claims++;
	}
	return psprintf("attempts within 24 hours: %d, open claims: %d", attempts, claims);
}

/* How long ago a number was contacted, before an instant. */
static char *
gap_detail(const LsContactFacts *facts, TimestampTz at)
{
	TimestampTz last = DT_NOBEGIN;
	int i;

	for (i = 0; i < facts->n_claims; i++)
	{
		if (facts->claims[i] > at)
			return pstrdup("another campaign is contacting the number");
	}
	for (i = 0; i < facts->n_attempts; i++)
	{
		if (facts->attempts[i] <= at)
			last = Max(last, facts->attempts[i]);
	}
	return psprintf("minutes since the last attempt: %d", (int) ((at - last) / USECS_PER_MINUTE));
}

/* Say why a rule blocks a contact that has been judged. */
char *
ls_contact_detail(const LsContactQuestion *question, const LsContact *contact, LsRule rule)
{
	const LsContactFacts *facts = contact->facts;
	const char *plain = plain_detail(rule);

	if (plain != NULL)
		return pstrdup(plain);
	switch (rule)
	{
		case LS_RULE_DO_NOT_CALL:
			if (facts->blocked_reason == NULL)
				return pstrdup("the lead is marked do_not_call");
			return psprintf("the lead is marked do_not_call: %s", facts->blocked_reason);
		case LS_RULE_NATIONAL_REGISTRY_STALE:
			return registry_detail(facts);
		case LS_RULE_CALLING_HOURS:
			return ls_calendar_describe(&facts->calendar, question->at);
		case LS_RULE_FREQUENCY_CAP:
			return cap_detail(facts, question->at);
		case LS_RULE_MINIMUM_GAP:
			return gap_detail(facts, question->at);
		default:
			elog(ERROR, "no detail for rule %d", rule);
	}
}
