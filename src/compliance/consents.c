/*-------------------------------------------------------------------------
 *
 * consents.c
 *	  Reading the log of consents, and what a revocation means for leads.
 *
 *	  A revoked consent to calls blocks the leads that have the number, as the
 *	  do-not-call list does: what is pending for a lead is stopped by whoever
 *	  queued it, who listens to leads.  So a revocation is seen by the next
 *	  claim, and new leads with the number are blocked when they come in.  Other
 *	  channels queue nothing on leads; who sends on them asks ls_consent().
 *
 *	  Whoever brings a number into leads waits for those who are writing consents
 *	  of it; whoever writes consents waits for those who are bringing the number
 *	  in (await_leads).  A lead that is there is locked by both, so the second
 *	  sees what the first one did.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "core/dirty.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"

/* Words on a number that are being written. */
static LsAwaited awaited_words = {
	.cache = {.name = "index of contact_consents", .relations = {"contact_consents"}},
	.n_columns = 2,
	.columns = {"organization_id", "phone_number"}};

/* The channel must be one that there is. */
void
ls_consent_check_channel(const char *channel)
{
	if (strcmp(channel, "call") != 0 && strcmp(channel, "sms") != 0 &&
		strcmp(channel, "email") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized channel \"%s\"", channel),
						   errhint("Channels are: call, sms, email.")));
}

/* The latest word on a phone number, or an e-mail address for channel email. */
LsConsent
ls_consent(const pg_uuid_t *org, const char *channel, const char *point)
{
	LS_QUERY(by_number, "SELECT " LS_CONSENT_SQL("$1", "phone_number", "$2", "$3"), UUIDOID,
		TEXTOID, TEXTOID);
	LS_QUERY(
		by_email, "SELECT " LS_CONSENT_SQL("$1", "email", "$2", "$3"), UUIDOID, TEXTOID, TEXTOID);
	LsConsent consent = LS_CONSENT_NONE;
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, point);
	ls_arg_text(&args, channel);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run_latest(strcmp(channel, "email") == 0 ? &by_email : &by_number, &args);
	if (!ls_result_isnull(0, 1))
		consent =
			strcmp(ls_result_text(0, 1), "granted") == 0 ? LS_CONSENT_GRANTED : LS_CONSENT_REVOKED;
	ls_scope_close(&scope);
	return consent;
}

/* Wait for those who are writing consents of a number; is there any word on it? */
bool
ls_consents_await(const pg_uuid_t *org, const char *e164)
{
	Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(e164)};

	return ls_dirty_await(&awaited_words, values);
}

/* Is a lead blocked because of a revocation? */
static bool
blocked_by_revocation(const LsLeadRow *row)
{
	char *reason = ls_lead_text(row, LEAD_calling_blocked_reason);

	return reason != NULL && strcmp(reason, LS_BLOCKED_BY_REVOCATION) == 0;
}

/* Is this the unblocking of a lead that a new consent brings about? */
bool
ls_consent_unblocks(const LsLeadChange *change)
{
	return ls_lead_cause()->force && change->old != NULL &&
		   ls_lead_bool(change->old, LEAD_do_not_call) && blocked_by_revocation(change->old);
}

/* Has a lead got a number that it did not have, or come back with it? */
static bool
brings_number(const LsLeadChange *change)
{
	return change->old == NULL || ls_lead_differs(change->old, change->row, LEAD_phone_number) ||
		   (ls_lead_isnull(change->row, LEAD_deleted_at) &&
			   !ls_lead_isnull(change->old, LEAD_deleted_at));
}

/* Is the consent to call a lead revoked? */
bool
ls_consent_is_revoked(const LsLeadChange *change)
{
	char *e164 = ls_lead_text(change->row, LEAD_phone_number);

	return e164 != NULL && ls_consent(&change->org, "call", e164) == LS_CONSENT_REVOKED;
}

/*
 * Part of the step of leads in dnc_triggers.c: a lead whose number must not be
 * called any more is blocked when it comes in, and stays so when another reason
 * ends.
 */
void
ls_consent_step(LsLeadChange *change)
{
	char *e164 = ls_lead_text(change->row, LEAD_phone_number);
	bool brings = brings_number(change);
	bool unblocks = change->old != NULL && ls_lead_bool(change->old, LEAD_do_not_call) &&
					!ls_lead_bool(change->row, LEAD_do_not_call);
	bool revoked = false;

	if (!brings && !unblocks)
		return;
	if (e164 != NULL && (!brings || ls_consents_await(&change->org, e164)))
		revoked = ls_consent_is_revoked(change);
	if (revoked && unblocks && !brings && !ls_lead_cause()->force)
		ereport(
			ERROR, (errcode(LS_ERRCODE_NO_CONSENT),
					   errmsg("the consent to call the lead's number is revoked"),
					   errhint("record_consent() records a new consent and unblocks the lead.")));
	if (revoked && !ls_lead_bool(change->row, LEAD_do_not_call))
	{
		ls_lead_set_text(change->row, LEAD_calling_blocked_reason, LS_BLOCKED_BY_REVOCATION);
		ls_lead_set(change->row, LEAD_do_not_call, BoolGetDatum(true), false);
	}
	else if (!revoked && brings && change->old != NULL && blocked_by_revocation(change->old) &&
			 blocked_by_revocation(change->row))
	{
		ls_lead_set(change->row, LEAD_do_not_call, BoolGetDatum(false), false);
		ls_lead_set_text(change->row, LEAD_calling_blocked_reason, NULL);
	}
}

/* The leads of numbers whose latest word on calls is in the new rows. */
#define OF_NEW_WORD(action) \
	"  FROM new_rows n" \
	" WHERE n.channel = 'call' AND n.action = '" action "'" \
	"   AND l.organization_id = n.organization_id AND l.phone_number = n.phone_number" \
	"   AND l.deleted_at IS NULL" \
	"   AND NOT EXISTS (SELECT FROM lead_system.contact_consents x" \
	"         WHERE x.organization_id = n.organization_id AND x.phone_number = n.phone_number" \
	"           AND x.channel = 'call' AND (x.at, x.id) > (n.at, n.id))"

static const char *const sql_after_insert[] = {
	"UPDATE lead_system.leads l SET do_not_call = true,"
	" calling_blocked_reason = '" LS_BLOCKED_BY_REVOCATION
	"'" OF_NEW_WORD("revoked") " AND NOT l.do_not_call",
	"UPDATE lead_system.leads l SET do_not_call = false, calling_blocked_reason = NULL" OF_NEW_WORD(
		"granted") " AND l.do_not_call AND l.calling_blocked_reason = '" LS_BLOCKED_BY_REVOCATION
				   "'",
	NULL};

PG_FUNCTION_INFO_V1(ls_compliance_consents_changed);

/* contact_consents_changed(): AFTER INSERT statement trigger of contact_consents. */
Datum
ls_compliance_consents_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "contact_consents_changed",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "contact_consents");
	LsLeadCause cause = {"consent", "automation", NULL, true};
	const LsLeadCause *previous = ls_lead_cause_set(&cause);

	PG_TRY();
	{
		ls_dnc_await_leads(trigdata);
		ls_transition_run(trigdata, sql_after_insert, 0, NULL, NULL, NULL);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
	return PointerGetDatum(NULL);
}

void
ls_consents_init(void)
{
	ls_cache_register(&awaited_words.cache);
}
