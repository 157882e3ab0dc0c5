/*-------------------------------------------------------------------------
 *
 * config_keys.c
 *	  The settings that exist: types, defaults, limits.
 *
 *	  A domain that needs a setting adds a line here; docs/configuration.md has
 *	  the same list, and a test compares the two.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/json.h"

static const char *const snapshot_day_choices[] = {"utc", "organization", NULL};
static const char *const assignment_choices[] = {
	"none", "round_robin", "capacity", "geographic", "skill_based", NULL};
static const char *const charge_on_choices[] = {"contact", "win", NULL};
static const char *const create_leads_choices[] = {"none", "missed_calls", "all", NULL};
static const char *const pricing_choices[] = {"first", "second", NULL};
static const char *const stale_registry_choices[] = {"off", "warn", "deny", NULL};
static const char *const alert_choices[] = {"off", "assigned", "assigned_or_managers", NULL};
static const char *const rank_by_choices[] = {"final_amount", "gross_amount", NULL};

/* Channels of contact are call, sms and email. */
static bool
check_channels(Jsonb *value, const char **problem)
{
	JsonbIterator *iterator = JsonbIteratorInit(&value->root);
	JsonbIteratorToken token;
	JsonbValue element;

	*problem = "The elements must be \"call\", \"sms\" or \"email\".";
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && (element.type != jbvString ||
									 !((element.val.string.len == 4 &&
										   strncmp(element.val.string.val, "call", 4) == 0) ||
										 (element.val.string.len == 3 &&
											 strncmp(element.val.string.val, "sms", 3) == 0) ||
										 (element.val.string.len == 5 &&
											 strncmp(element.val.string.val, "email", 5) == 0))))
			return false;
	}
	return true;
}

/* Channels of steps that a worker carries out are sms, email, call and task. */
static bool
check_step_channels(Jsonb *value, const char **problem)
{
	static const char *const known[] = {"sms", "email", "call", "task"};
	JsonbIterator *iterator = JsonbIteratorInit(&value->root);
	JsonbIteratorToken token;
	JsonbValue element;
	int i;

	*problem = "The elements must be \"sms\", \"email\", \"call\" or \"task\".";
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		char *name;

		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvString)
			return false;
		name = ls_json_scalar_text(&element);
		for (i = 0; i < (int) lengthof(known) && strcmp(known[i], name) != 0; i++)
			;
		if (i == (int) lengthof(known))
			return false;
	}
	return true;
}

/* Retries come after whole minutes, at most a week. */
static bool
check_retry_minutes(Jsonb *value, const char **problem)
{
	JsonbIterator *iterator = JsonbIteratorInit(&value->root);
	JsonbIteratorToken token;
	JsonbValue element;
	int minutes;

	*problem = "The elements must be at most 20 whole numbers from 1 to 10080.";
	if (JB_ROOT_COUNT(value) > 20)
		return false;
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM &&
			(!ls_json_int(&element, &minutes) || minutes < 1 || minutes > 10080))
			return false;
	}
	return true;
}

/* The weights of the scoring model must be numbers that add up to one. */
static bool
check_weights(Jsonb *value, const char **problem)
{
	static const char *const names[] = {"qualification", "engagement", "intent", "demographic"};
	LsJsonMember *members;
	double sum = 0;
	int n;
	int i;
	int j;

	members = ls_json_members(value, "lead_scoring_weights", &n);
	for (i = 0; i < n; i++)
	{
		double weight;

		for (j = 0; j < (int) lengthof(names); j++)
		{
			if (strcmp(members[i].key, names[j]) == 0)
				break;
		}
		if (j == (int) lengthof(names))
		{
			*problem = "The keys are qualification, engagement, intent and demographic.";
			return false;
		}
		if (!ls_json_number(&members[i].value, &weight) || weight < 0 || weight > 1)
		{
			*problem = "Each weight must be a number from 0 to 1.";
			return false;
		}
		sum += weight;
	}
	if (n != (int) lengthof(names) || fabs(sum - 1.0) > 1e-9)
	{
		*problem = "The four weights must add up to 1.";
		return false;
	}
	return true;
}

/* In alphabetical order; the position is the key's number in the cache. */
const LsConfigKey ls_config_keys[] = {
	{"ads.approval_percent", LS_CONFIG_INT, "10", 0, 1000, NULL,
		"percent above which a change of a budget or a bid needs an approval (J6)"},
	{"ads.automatic", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"apply_due_actions() carries out what needs no approval (J6)"},
	{"ads.bid_max_percent", LS_CONFIG_INT, "20", 1, 1000, NULL,
		"percent by which the bid of the best keyword is raised (J5)"},
	{"ads.bid_min_percent", LS_CONFIG_INT, "10", 1, 1000, NULL,
		"percent by which the bid of a keyword that does well is raised at least (J5)"},
	{"ads.booking_days", LS_CONFIG_INT, "7", 1, 366, NULL,
		"days whose leads the booking rate is taken of (J5)"},
	{"ads.booking_min_leads", LS_CONFIG_INT, "10", 1, 1000000, NULL,
		"leads below which there is no booking rate"},
	{"ads.booking_percent", LS_CONFIG_INT, "25", 0, 100, NULL,
		"percent of leads booked below which the rate is too low (J5)"},
	{"ads.cpl_days", LS_CONFIG_INT, "3", 1, 366, NULL,
		"consecutive days on which the leads of a campaign cost too much (J5)"},
	{"ads.cpl_limit", LS_CONFIG_INT, "30", 1, 1000000, NULL,
		"what a lead may cost, in the organization's currency (J5)"},
	{"ads.impact_days", LS_CONFIG_INT, "7", 1, 366, NULL,
		"days by whose clicks and spend the effect of a change is estimated"},
	{"ads.keyword_clicks", LS_CONFIG_INT, "50", 1, 1000000000, NULL,
		"clicks without a conversion after which a keyword should be paused (J5)"},
	{"ads.limit_days", LS_CONFIG_INT, "7", 1, 366, NULL,
		"days over which the changes of a budget or a bid count together (J6)"},
	{"ads.max_impact", LS_CONFIG_INT, "100", 0, 1000000000, NULL,
		"change of the spend of a day above which a proposal is refused, in the organization's currency (J6)"},
	{"ads.max_percent", LS_CONFIG_INT, "20", 0, 1000, NULL,
		"percent above which a change of a budget or a bid is for a person to make (J6)"},
	{"ads.performer_conversions", LS_CONFIG_INT, "5", 1, 1000000, NULL,
		"conversions from which a keyword can be one that does well (J5)"},
	{"ads.performer_cost_percent", LS_CONFIG_INT, "50", 1, 100, NULL,
		"percent of ads.cpl_limit that a conversion of a keyword that does well costs at most (J5)"},
	{"ads.proposal_days", LS_CONFIG_INT, "7", 1, 366, NULL,
		"days after which a proposal expires that nobody decided on"},
	{"ads.trend_base_days", LS_CONFIG_INT, "30", 2, 366, NULL,
		"days of the mean that the trend is compared with (J5)"},
	{"ads.trend_days", LS_CONFIG_INT, "7", 1, 366, NULL, "days of the mean that is the trend (J5)"},
	{"ads.trend_min_leads", LS_CONFIG_INT, "30", 1, 1000000, NULL,
		"leads within ads.trend_base_days below which there is no trend"},
	{"ads.trend_percent", LS_CONFIG_INT, "80", 1, 100, NULL,
		"percent of the mean of ads.trend_base_days below which leads are declining (J5)"},
	{"ads.untouched_alerts", LS_CONFIG_INT, "100", 0, 10000, NULL,
		"leads that nobody has touched of which users are told by one run_ad_diagnostics(); 0 for none (J5)"},
	{"ads.untouched_hours", LS_CONFIG_INT, "48", 1, 8760, NULL,
		"hours after which a lead that nobody has touched is told of (J5)"},
	{"analytics.snapshot_day", LS_CONFIG_CHOICE, "\"utc\"", 0, 0, NULL,
		"days of analytics_snapshots: by UTC, or by the organization's time zone (A20)",
		snapshot_day_choices},
	{"archive.after_days", LS_CONFIG_INT, "90", 1, 36500, NULL,
		"days without activity after which archive_leads() takes a lost or cold lead (A19)"},
	{"archive.export_required", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"purge_archived_leads() leaves what export_archive_csv() has not given out"},
	{"archive.purge_after_days", LS_CONFIG_INT, "730", 1, 36500, NULL,
		"days in the archive after which purge_archived_leads() removes a lead (A19)"},
	{"assignment.auto", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"new leads are assigned by themselves, by assignment.strategy (G)"},
	{"assignment.drain", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"leads that wait are assigned as soon as a user has room, if assignment.strategy is set (G)"},
	{"assignment.manager_fallback", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"managers are given leads when no rep has room (G)"},
	{"assignment.max_active", LS_CONFIG_INT, "0", 0, 1000000, NULL,
		"open leads that a user is given at most, whatever max_active_leads says; 0 for no limit (G)"},
	{"assignment.max_total", LS_CONFIG_INT, "0", 0, 1000000000, NULL,
		"leads that a user is given at most in all; 0 for no limit (G)"},
	{"assignment.sla_escalate_hours", LS_CONFIG_INT, "48", 1, 8760, NULL,
		"hours after which sweep_sla() gives a hot or warm lead that is still new to another user (A16)"},
	{"assignment.sla_hot_minutes", LS_CONFIG_INT, "60", 1, 525600, NULL,
		"minutes within which a hot lead should be contacted (A16)"},
	{"assignment.sla_review_hours", LS_CONFIG_INT, "24", 1, 8760, NULL,
		"hours after which sweep_sla() marks a hot or warm lead that is still new for review (A11)"},
	{"assignment.sla_warm_minutes", LS_CONFIG_INT, "1440", 1, 525600, NULL,
		"minutes within which a warm lead should be contacted (A16)"},
	{"assignment.strategy", LS_CONFIG_CHOICE, "\"none\"", 0, 0, NULL,
		"how leads are assigned that nobody assigns by a call: new ones, waiting ones, overdue ones (G)",
		assignment_choices},
	{"automation.retry_minutes", LS_CONFIG_ARRAY, "[1, 5, 15]", 0, 0, check_retry_minutes,
		"minutes after which a run of a workflow that failed is tried again, one number per retry (J7)"},
	{"automation.run_minutes", LS_CONFIG_INT, "60", 0, 525600, NULL,
		"minutes after which a run of a workflow that nothing is heard of is due again; 0 for never"},
	{"billing.contractor_overdraft", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"accounts that charges open for contractors may be overdrawn"},
	{"billing.hold_minutes", LS_CONFIG_INT, "60", 1, 525600, NULL,
		"minutes after which a hold of hold_budget() expires"},
	{"communication.amc_offer_months", LS_CONFIG_INT, "11", 0, 120, NULL,
		"months after a job is completed at which the customer is offered a maintenance contract; 0 "
		"for never (J4)"},
	{"communication.answer_help", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"a message that says HELP is answered with the template sms_help (D11)"},
	{"communication.cold_hours", LS_CONFIG_INT, "48", 0, 8760, NULL,
		"hours after a missed call at which sweep_missed_calls() gives up a caller who did not "
		"reply; 0 for never (J1)"},
	{"communication.create_leads", LS_CONFIG_CHOICE, "\"missed_calls\"", 0, 0, NULL,
		"which contacts from unknown numbers make a lead: none, missed calls, or all calls and "
		"messages (J1)",
		create_leads_choices},
	{"communication.missed_call_follow_up", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"who calls and is not answered is enrolled in the sequence missed_call (J1)"},
	{"communication.reply_words", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"YES is answered with the template pricing; of BOOK and CALL somebody is told (J2)"},
	{"communication.review_request_hours", LS_CONFIG_INT, "4", 0, 8760, NULL,
		"hours after a job is completed at which the customer is asked for a review; 0 for never "
		"(J4)"},
	{"compliance.consent_required", LS_CONFIG_ARRAY, "[]", 0, 0, check_channels,
		"channels that need a recorded consent: call, sms, email"},
	{"compliance.cross_channel_revocation", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"a consent that is revoked for one channel is revoked for all (D12)"},
	{"compliance.ebr_inquiry_months", LS_CONFIG_INT, "3", 0, 3, NULL,
		"months after an inquiry in which the national registry does not bind; 0 for none (D16)"},
	{"compliance.ebr_transaction_months", LS_CONFIG_INT, "18", 0, 18, NULL,
		"months after a transaction in which the national registry does not bind; 0 for none (D16)"},
	{"compliance.max_attempts_per_day", LS_CONFIG_INT, "3", 0, 100, NULL,
		"calls to a number within 24 hours, over all campaigns; 0 for no limit (D15)"},
	{"compliance.min_gap_minutes", LS_CONFIG_INT, "60", 0, 10080, NULL,
		"minutes between two calls to a number; 0 for none (D15)"},
	{"compliance.national_dnc", LS_CONFIG_CHOICE, "\"warn\"", 0, 0, NULL,
		"numbers of an area code whose load is missing or too old: off says nothing, warn tells, "
		"deny blocks; a listed number is blocked in any case (D16)",
		stale_registry_choices},
	{"compliance.national_dnc_max_age_days", LS_CONFIG_INT, "31", 1, 31, NULL,
		"age in days up to which a load of the national registry can be used (D16)"},
	{"compliance.sms_max_attempts_per_day", LS_CONFIG_INT, "3", 0, 100, NULL,
		"text messages to a number within 24 hours, over all campaigns; 0 for no limit"},
	{"compliance.sms_min_gap_minutes", LS_CONFIG_INT, "0", 0, 10080, NULL,
		"minutes between two text messages to a number; 0 for none"},
	{"credentials.bcrypt_cost", LS_CONFIG_INT, "10", 4, 16, NULL,
		"cost of the hash of a password; one more doubles the time"},
	{"credentials.min_password_length", LS_CONFIG_INT, "12", 8, 72, NULL,
		"characters that a password must have"},
	{"import.batch_size", LS_CONFIG_INT, "1000", 1, 100000, NULL,
		"rows that an import matches and writes at a time"},
	{"import.max_errors", LS_CONFIG_INT, "1000", 0, 1000000, NULL,
		"rejected rows that an import records in full; further ones are only counted"},
	{"lead_scoring_weights", LS_CONFIG_OBJECT,
		"{\"qualification\": 0.40, \"engagement\": 0.30, \"intent\": 0.20, \"demographic\": 0.10}",
		0, 0, check_weights, "weights of the banti components; they add up to 1 (B6)"},
	{"leads.duplicate_email_hours", LS_CONFIG_INT, "24", 0, 8760, NULL,
		"hours within which an e-mail address may not come in twice; 0 allows it (A13)"},
	{"leads.flag_spam", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"mark leads that look like spam when they come in (A10)"},
	{"marketplace.anti_snipe", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"a bid in the last minutes extends the bidding (C17)"},
	{"marketplace.anti_snipe_minutes", LS_CONFIG_INT, "2", 1, 1440, NULL,
		"how long the last minutes are, and by how much a bid in them extends the bidding (C17)"},
	{"marketplace.appeal_retry_days", LS_CONFIG_INT, "7", 0, 3650, NULL,
		"days after a rejected appeal until the next one may be made (C13)"},
	{"marketplace.appeal_review_hours", LS_CONFIG_INT, "48", 1, 8760, NULL,
		"hours within which an appeal should be reviewed (C13)"},
	{"marketplace.archive_after_days", LS_CONFIG_INT, "30", 1, 36500, NULL,
		"age at which archive_listings() archives a lead that was offered (C7)"},
	{"marketplace.auto_open", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"bidding on a listed lead opens by itself once the lead is qualified (C5)"},
	{"marketplace.ban_days", LS_CONFIG_INT, "30", 1, 36500, NULL,
		"days that a ban from bidding lasts (C11)"},
	{"marketplace.bidding_minutes", LS_CONFIG_INT, "30", 1, 525600, NULL,
		"minutes that bidding on a lead lasts (C5)"},
	{"marketplace.charge_on", LS_CONFIG_CHOICE, "\"contact\"", 0, 0, NULL,
		"what a contractor pays for: the first contact, or being given a window (C3)",
		charge_on_choices},
	{"marketplace.pricing", LS_CONFIG_CHOICE, "\"first\"", 0, 0, NULL,
		"what a contractor pays: the own bid, or the one below it (C3)", pricing_choices},
	{"marketplace.rank_by", LS_CONFIG_CHOICE, "\"final_amount\"", 0, 0, NULL,
		"amount that bids are ranked by: after, or before the rating discount (C2)",
		rank_by_choices},
	{"marketplace.response_minutes", LS_CONFIG_INT, "120", 1, 525600, NULL,
		"minutes that a contractor has to contact the lead (C6)"},
	{"marketplace.strike_decay_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days after which a strike no longer counts; 0 for never (C12)"},
	{"marketplace.strikes_until_ban", LS_CONFIG_INT, "10", 1, 10000, NULL,
		"strikes that lead to a ban (C11)"},
	{"marketplace.warning_minutes", LS_CONFIG_INT, "30", 0, 525600, NULL,
		"minutes before the end of a response window at which its holder is warned; 0 for never (C6)"},
	{"merge.similarity", LS_CONFIG_INT, "60", 1, 100, NULL,
		"percent of likeness of name and company from which find_duplicate_leads() names two leads"},
	{"notifications.hot_lead_alerts", LS_CONFIG_CHOICE, "\"assigned_or_managers\"", 0, 0, NULL,
		"who is told of a hot lead: nobody, the assigned user, or the managers where there is none",
		alert_choices},
	{"notifications.notify", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"NOTIFY lead_system_notifications when notifications are queued"},
	{"notifications.retry_minutes", LS_CONFIG_ARRAY, "[1, 5, 15]", 0, 0, check_retry_minutes,
		"minutes after which a notification that failed is tried again, one number per retry (A18)"},
	{"nurture.daily_email_cap", LS_CONFIG_INT, "100", 0, 1000000, NULL,
		"e-mails that sequences hand out per day of the organization; 0 for no limit (F8)"},
	{"nurture.daily_sms_cap", LS_CONFIG_INT, "100", 0, 1000000, NULL,
		"text messages that sequences hand out per day of the organization; 0 for no limit (F8)"},
	{"nurture.max_retries", LS_CONFIG_INT, "3", 0, 100, NULL,
		"how often a step that failed is tried again, after 1, 5 and 15 minutes (F6)"},
	{"nurture.retry_lapsed", LS_CONFIG_ARRAY, "[]", 0, 0, check_step_channels,
		"channels whose steps are handed out again when the worker did not report: sms, email, "
		"call, task"},
	{"retention.activities_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps activities; 0 for ever"},
	{"retention.ad_days_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps ad_campaign_days and keyword_days, at least 367; 0 for ever"},
	{"retention.agent_logs_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps ai_agent_logs that are over; 0 for ever"},
	{"retention.audit_log_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps lead_audit_log; 0 for ever"},
	{"retention.budget_holds_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps budget_holds that are settled; 0 for ever"},
	{"retention.contact_attempts_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps contact_attempts; 0 for ever"},
	{"retention.notifications_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps notifications that are sent, failed or dropped; 0 for ever"},
	{"retention.nurture_counts_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps nurture_daily_counts; 0 for ever"},
	{"retention.score_history_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps lead_score_history; 0 for ever"},
	{"retention.status_history_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps lead_status_history; 0 for ever"},
	{"retention.workflow_runs_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days that apply_retention() keeps workflow_runs that are over; 0 for ever"},
	{"scoring.decay", LS_CONFIG_BOOL, "true", 0, 0, NULL, "inactivity lowers the score (A8, B8)"},
	{"scoring.high_opportunity_locations", LS_CONFIG_ARRAY, "[]", 0, 0, NULL,
		"states whose leads get the location points of banti (B5)"},
	{"scoring.infer_company_size", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"a company named Inc, Corp or LLC of unknown size counts as 11-50 (A9a)"},
	{"scoring.infer_inquiry_type", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"a Content Download that asks for a demo or prices counts as Pricing Information (A9b)"},
	{"scoring.upgrade_score", LS_CONFIG_INT, "50", 0, 100, NULL,
		"score from which a lead that was below is worth a call; 0 for never (A17)"},
};

const int ls_n_config_keys = lengthof(ls_config_keys);
