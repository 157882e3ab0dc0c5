/*-------------------------------------------------------------------------
 *
 * opt_outs.c
 *	  What a lead says of further contact takes effect in the transaction that
 *	  records it (semantics D9 to D12).
 *
 *	  Who says STOP, or asks in words, has the consent revoked, by D12 on all
 *	  channels; the number is listed, too, so that it stays known when the lead
 *	  goes.  Where compliance.cross_channel_revocation is off, STOP is about text
 *	  messages alone, which the list cannot say, so only the consent is revoked;
 *	  a number without a lead has no consents and is listed in any case.
 *
 *	  START takes off the list what STOP had put there, and no more, and is a
 *	  consent to text messages: the revocation of the others stays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "core/config.h"
#include "core/json.h"
#include "core/query.h"
#include "core/uuid.h"

/* Find out what the lead said. */
void
ls_report_read_words(LsReport *report, const char *words)
{
	report->said.kind = LS_OPT_OUT_NOTHING;
	if (words != NULL)
		report->said = ls_opt_out_detect(&report->org, words, report->what);
}

/* Did it ask to hear no more? */
bool
ls_report_opts_out(const LsReport *report)
{
	return ls_opt_out_is_final(report->said.kind);
}

/* Does the list say what the lead asked for, and not too much? */
static bool
is_to_be_listed(const LsReport *report)
{
	char *number = ls_report_lead_number(report);

	return strcmp(report->what, "call") == 0 || number == NULL ||
		   strcmp(number, report->contact) != 0 ||
		   ls_config_bool(&report->org, "compliance.cross_channel_revocation");
}

/*
 * List the number.  This comes before the lead is locked; the lead is looked for
 * again afterwards, when nobody brings in another one with the number.
 */
void
ls_report_list(LsReport *report)
{
	bool is_call = strcmp(report->what, "call") == 0;
	const char *reason =
		report->said.kind == LS_OPT_OUT_KEYWORD && !is_call ? LS_DNC_BY_STOP : "lead_requested";

	if (report->contact == NULL)
		return;
	ls_report_find_lead(report);
	report->is_listed = is_to_be_listed(report);
	if (report->is_listed)
		ls_dnc_add_opt_out(&report->org, report->contact, reason,
			is_call ? "call_transcript" : "sms_reply", report->said.phrase);
	ls_report_find_lead(report);
}

/*
 * Revoke the consents of the lead, which is locked from then on.  A number that
 * is not listed must be the one that this was about.
 */
void
ls_report_revoke(LsReport *report)
{
	char *number = ls_report_lead_number(report);

	if (number != NULL)
	{
		ls_consent_revoke(&report->org, &report->lead, report->what);
		number = ls_report_lead_number(report);
	}
	if (report->contact != NULL && !report->is_listed &&
		(number == NULL || strcmp(number, report->contact) != 0))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("the lead's number was changed by another session"),
						   errhint("Retry the transaction.")));
}

/*
 * Has the number said since that it wants to hear no more?  Reports overtake each
 * other: a START that comes after a later STOP takes nothing back.  What was
 * revoked by no message counts from when it was written.
 */
static bool
was_stopped_since(const LsReport *report)
{
	LS_QUERY(query,
		"SELECT EXISTS (SELECT FROM lead_system.sms_logs s"
		"   WHERE s.organization_id = $1 AND s.from_phone = $2 AND s.meaning = 'opt_out'"
		"     AND s.created_at > $3)"
		"  OR (EXISTS (SELECT FROM lead_system.contact_consents c"
		"      WHERE c.organization_id = $1 AND c.phone_number = $2 AND c.channel = 'sms'"
		"        AND c.action = 'revoked' AND c.at > $3)"
		"    AND NOT EXISTS (SELECT FROM lead_system.sms_logs s"
		"      WHERE s.organization_id = $1 AND s.from_phone = $2 AND s.meaning = 'opt_out'))",
		UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool stopped;

	if (!report->set[REPORT_CREATED_AT])
		return false;
	ls_arg_uuid(&args, &report->org);
	ls_arg_text(&args, report->contact);
	ls_arg_timestamptz(&args, report->at);
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run_latest(&query, &args);
	stopped = ls_result_bool(0, 1);
	ls_scope_close(&scope);
	return stopped;
}

/*
 * Take back an earlier STOP.  False when there was none: then START is nothing
 * but a consent, and YES an answer to a question.
 */
bool
ls_report_resubscribe(LsReport *report)
{
	Jsonb *evidence = ls_json_pair_text("message", report->said.phrase);
	bool was_revoked;

	if (report->contact == NULL || was_stopped_since(report))
		return false;
	was_revoked = ls_consent(&report->org, "sms", report->contact) == LS_CONSENT_REVOKED;
	if (!was_revoked && pg_strcasecmp(report->said.phrase, "yes") == 0)
		return false;
	if (ls_dnc_resubscribe(
			&report->org, report->contact, "the number resubscribed by text message"))
		was_revoked = true;
	ls_report_find_lead(report);
	if (ls_report_lead_number(report) != NULL)
		ls_consent_grant(&report->org, &report->lead, "sms", evidence);
	return was_revoked;
}
