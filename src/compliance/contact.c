/*-------------------------------------------------------------------------
 *
 * contact.c
 *	  The judge of contacts: applies every rule to some leads at once.
 *
 *	  E-mail is bound by consent alone: the do-not-call list, the registry,
 *	  hours and limits are about telephones (semantics D).
 *
 *	  A lead that nobody needs to do anything about is told the first instant at
 *	  which no rule will block it.  Leads that share zones and hours share the
 *	  search for it, which is what costs most.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "compliance/contact_facts.h"
#include "compliance/national.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/errors.h"
#include "core/json.h"

/* Searches that are remembered within one judgement. */
#define N_REMEMBERED 16

/* The next open hours of a calendar. */
typedef struct Remembered
{
	const LsCalendar *calendar;
	TimestampTz at;
	TimestampTz next;
} Remembered;

/* A judgement being made. */
typedef struct Judging
{
	const LsContactQuestion *question;
	LsContactLimits limits;
	bool consent_required;
	bool registry_binds_stale; /* an old load of the registry refuses */
	bool has_window;
	LsWeek window_week;
	LsHours window; /* of the campaign */
	TimestampTz window_next;
	int n_remembered;
	Remembered remembered[N_REMEMBERED];
} Judging;

static const struct
{
	const char *name;
	int errcode;
} rules[LS_N_RULES] = {
	[LS_RULE_LEAD_DELETED] = {"lead_deleted", ERRCODE_NO_DATA_FOUND},
	[LS_RULE_SPAM] = {"spam", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[LS_RULE_NO_PHONE_NUMBER] = {"no_phone_number", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[LS_RULE_NO_EMAIL] = {"no_email", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[LS_RULE_ORGANIZATION_INACTIVE] = {"organization_inactive",
		ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[LS_RULE_DO_NOT_CALL] = {"do_not_call", LS_ERRCODE_ON_DNC_LIST},
	[LS_RULE_DNC_LIST] = {"dnc_list", LS_ERRCODE_ON_DNC_LIST},
	[LS_RULE_CAMPAIGN_SUPPRESSION] = {"campaign_suppression", LS_ERRCODE_ON_DNC_LIST},
	[LS_RULE_CONSENT_REVOKED] = {"consent_revoked", LS_ERRCODE_NO_CONSENT},
	[LS_RULE_CONSENT_MISSING] = {"consent_missing", LS_ERRCODE_NO_CONSENT},
	[LS_RULE_NATIONAL_REGISTRY] = {"national_registry", LS_ERRCODE_ON_DNC_LIST},
	[LS_RULE_NATIONAL_REGISTRY_STALE] = {"national_registry_stale", LS_ERRCODE_ON_DNC_LIST},
	[LS_RULE_TIMEZONE_UNKNOWN] = {"timezone_unknown", LS_ERRCODE_OUTSIDE_HOURS},
	[LS_RULE_CALLING_HOURS] = {"calling_hours", LS_ERRCODE_OUTSIDE_HOURS},
	[LS_RULE_FREQUENCY_CAP] = {"frequency_cap", LS_ERRCODE_CONTACT_CAP},
	[LS_RULE_MINIMUM_GAP] = {"minimum_gap", LS_ERRCODE_CONTACT_CAP},
	[LS_RULE_CAMPAIGN_WINDOW] = {"campaign_window", LS_ERRCODE_OUTSIDE_HOURS},
};

static const char *const channels[LS_N_CHANNELS] = {"call", "sms", "email"};

/* The name of a rule. */
const char *
ls_contact_rule_name(LsRule rule)
{
	return rules[rule].name;
}

/* The SQLSTATE of a refusal by a rule. */
int
ls_contact_rule_errcode(LsRule rule)
{
	return rules[rule].errcode;
}

/* The name of a channel. */
const char *
ls_channel_name(LsChannel channel)
{
	return channels[channel];
}

/* A channel by its name; 22023 when there is none. */
LsChannel
ls_channel_parse(const char *name)
{
	int channel;

	for (channel = 0; channel < LS_N_CHANNELS; channel++)
	{
		if (strcmp(channels[channel], name) == 0)
			return (LsChannel) channel;
	}
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized channel \"%s\"", name),
			errhint("Channels are call, sms and email.")));
}

/* Is a channel one of those that need consent? */
static bool
requires_consent(const LsContactQuestion *question)
{
	Jsonb *required = ls_config_get(&question->org, "compliance.consent_required");
	JsonbValue channel;

	channel.type = jbvString;
	channel.val.string.val = (char *) channels[question->channel];
	channel.val.string.len = (int) strlen(channels[question->channel]);
	return findJsonbValueFromContainer(&required->root, JB_FARRAY, &channel) != NULL;
}

/* Read the settings of the organisation, and the campaign. */
static void
prepare(Judging *judging)
{
	const LsContactQuestion *question = judging->question;
	const pg_uuid_t *org = &question->org;
	bool sms = question->channel == LS_CHANNEL_SMS;
	LsContactCampaign campaign = {0};

	judging->consent_required = requires_consent(question);
	if (question->channel == LS_CHANNEL_EMAIL)
		return;
	judging->limits.per_day = ls_config_int(
		org, sms ? "compliance.sms_max_attempts_per_day" : "compliance.max_attempts_per_day");
	judging->limits.gap =
		ls_config_int(org, sms ? "compliance.sms_min_gap_minutes" : "compliance.min_gap_minutes") *
		USECS_PER_MINUTE;
	judging->registry_binds_stale =
		strcmp(ls_config_choice(org, "compliance.national_dnc"), "deny") == 0;
	if (question->campaign != NULL)
		ls_contact_source()->campaign(org, question->campaign, &campaign);
	judging->has_window = campaign.has_window;
	if (!campaign.has_window)
		return;
	ls_week_daily(&judging->window_week, campaign.from, campaign.to);
	judging->window.week = &judging->window_week;
	judging->window.zone = pg_tzset(campaign.timezone);
	judging->window_next =
		judging->window.zone ? ls_hours_next(&judging->window, 1, question->at) : LS_NEVER;
}

/* Note that a rule blocks, until an instant. */
static void
block(LsContact *contact, LsRule rule, TimestampTz until)
{
	contact->rules |= LS_RULE_BIT(rule);
	contact->rule_unblocks_at[rule] = until;
	if (contact->rule == LS_RULE_NONE || rule < contact->rule)
		contact->rule = rule;
}

/* Do two calendars have the same hours in the same zones? */
static bool
same_hours(const LsCalendar *a, const LsCalendar *b)
{
	return a->n_zones == b->n_zones &&
		   memcmp(a->zones, b->zones, sizeof(pg_tz *) * a->n_zones) == 0 &&
		   memcmp(&a->week, &b->week, sizeof(LsWeek)) == 0;
}

/* The first instant from "at" on that is within the hours of a calendar. */
static TimestampTz
next_open(Judging *judging, const LsCalendar *calendar, TimestampTz at)
{
	Remembered *slot;
	int i;

	for (i = 0; i < Min(judging->n_remembered, N_REMEMBERED); i++)
	{
		if (judging->remembered[i].at == at &&
			same_hours(judging->remembered[i].calendar, calendar))
			return judging->remembered[i].next;
	}
	slot = &judging->remembered[judging->n_remembered++ % N_REMEMBERED];
	slot->calendar = calendar;
	slot->at = at;
	slot->next = ls_calendar_next(calendar, NULL, at);
	return slot->next;
}

/* What keeps anybody from contacting the lead by any means. */
static void
judge_lead(const Judging *judging, LsContact *contact)
{
	const LsContactFacts *facts = contact->facts;
	bool email = judging->question->channel == LS_CHANNEL_EMAIL;

	if (!contact->found || facts->deleted)
		block(contact, LS_RULE_LEAD_DELETED, LS_NEVER);
	if (!contact->found)
		return;
	if (facts->is_spam)
		block(contact, LS_RULE_SPAM, LS_NEVER);
	if (!email && contact->phone_number == NULL)
		block(contact, LS_RULE_NO_PHONE_NUMBER, LS_NEVER);
	if (email && contact->email == NULL)
		block(contact, LS_RULE_NO_EMAIL, LS_NEVER);
	if (!facts->organization_active)
		block(contact, LS_RULE_ORGANIZATION_INACTIVE, LS_NEVER);
	if (facts->consent != NULL && strcmp(facts->consent, "revoked") == 0)
		block(contact, LS_RULE_CONSENT_REVOKED, LS_NEVER);
	else if (judging->consent_required && facts->consent == NULL)
		block(contact, LS_RULE_CONSENT_MISSING, LS_NEVER);
}

/*
 * Does the lead's mark bind on the channel?  One that tells of a consent to calls
 * that was taken back says nothing of texts: their own consent is judged.
 */
static bool
mark_binds(const Judging *judging, const LsContactFacts *facts)
{
	if (!facts->do_not_call)
		return false;
	return judging->question->channel == LS_CHANNEL_CALL || facts->blocked_reason == NULL ||
		   strcmp(facts->blocked_reason, LS_BLOCKED_BY_REVOCATION) != 0;
}

/* What the lists say of the number. */
static void
judge_number(const Judging *judging, LsContact *contact)
{
	const LsContactFacts *facts = contact->facts;
	const LsContactQuestion *question = judging->question;
	const char *rule = NULL;

	if (mark_binds(judging, facts))
		block(contact, LS_RULE_DO_NOT_CALL, LS_NEVER);
	if (contact->phone_number == NULL)
		return;
	if (ls_dnc_listed(&question->org, contact->phone_number))
		block(contact, LS_RULE_DNC_LIST,
			ls_contact_listed_until(&question->org, contact->phone_number));
	if (facts->suppressed)
		block(contact, LS_RULE_CAMPAIGN_SUPPRESSION, LS_NEVER);
	if (facts->nationally_listed || judging->registry_binds_stale)
		rule = ls_national_rule(&question->org, contact->phone_number,
			ls_channel_name(question->channel), Max(question->at, ls_clock_now()));
	if (rule != NULL)
		block(contact,
			strcmp(rule, "national_registry") == 0 ? LS_RULE_NATIONAL_REGISTRY
												   : LS_RULE_NATIONAL_REGISTRY_STALE,
			LS_NEVER);
}

/* What the time says. */
static void
judge_time(Judging *judging, LsContact *contact)
{
	const LsContactFacts *facts = contact->facts;
	TimestampTz at = judging->question->at;
	LsContactLimits cap = {judging->limits.per_day, 0};
	LsContactLimits gap = {0, judging->limits.gap};
	TimestampTz next;

	if (facts->calendar.n_zones == 0)
		block(contact, LS_RULE_TIMEZONE_UNKNOWN, LS_NEVER);
	else if ((next = next_open(judging, &facts->calendar, at)) != at)
		block(contact, LS_RULE_CALLING_HOURS, next);
	if (ls_contact_cap_reached(facts, &cap, at))
		block(contact, LS_RULE_FREQUENCY_CAP, ls_contact_next_by_limits(facts, &cap, at));
	if (ls_contact_too_soon(facts, &gap, at))
		block(contact, LS_RULE_MINIMUM_GAP, ls_contact_next_by_limits(facts, &gap, at));
	if (judging->has_window && judging->window_next != at)
		block(contact, LS_RULE_CAMPAIGN_WINDOW, judging->window_next);
}

/*
 * The first instant at which no rule blocks: each rule moves it on, until all
 * agree.  Ends, since hours are only looked for within a year or so.
 */
static TimestampTz
unblocks_at(Judging *judging, const LsContact *contact)
{
	const LsContactFacts *facts = contact->facts;
	TimestampTz at = judging->question->at;
	TimestampTz before;
	int rule;

	for (rule = 0; rule < LS_N_RULES; rule++)
	{
		if ((contact->rules & LS_RULE_BIT(rule)) == 0)
			continue;
		if (contact->rule_unblocks_at[rule] == LS_NEVER)
			return LS_NEVER;
		at = Max(at, contact->rule_unblocks_at[rule]);
	}
	do
	{
		before = at;
		at = ls_contact_next_by_limits(facts, &judging->limits, at);
		if (at == LS_NEVER)
			break;
		if (judging->has_window)
			at = ls_calendar_next(&facts->calendar, &judging->window, at);
		else
			at = next_open(judging, &facts->calendar, at);
	} while (at != before && at != LS_NEVER);
	return at;
}

/* Judge some leads of an organisation; see contact.h. */
void
ls_contact_judge(const LsContactQuestion *question, LsContact *contacts, int n)
{
	Judging judging = {.question = question};
	int i;

	if (n == 0)
		return;
	prepare(&judging);
	ls_contact_read_facts(question, contacts, n, &judging.limits);
	for (i = 0; i < n; i++)
	{
		LsContact *contact = &contacts[i];

		contact->rule = LS_RULE_NONE;
		contact->rules = 0;
		judge_lead(&judging, contact);
		if (contact->found && question->channel != LS_CHANNEL_EMAIL)
		{
			judge_number(&judging, contact);
			judge_time(&judging, contact);
		}
		contact->unblocks_at = contact->rules == 0 ? question->at : unblocks_at(&judging, contact);
	}
}
