/*-------------------------------------------------------------------------
 *
 * judge.c
 *	  May notifications to leads be sent?
 *
 *	  compliance judges, with a snapshot of this very moment.  What must not be
 *	  sent is dropped, what may be sent later waits for that instant, and both
 *	  are logged as refusals.  What is handed out is logged as an attempt, so
 *	  that caps and gaps count it; the message that the sender records in
 *	  sms_logs or call_logs within ten minutes is that attempt (see
 *	  contact_log.c).
 *
 *	  A lead gets one notification per claim, the first that may be sent, and is locked meanwhile, so that
 *	  two claims cannot both come just under its cap.  Who does not get the lock
 *	  passes the notification over and never waits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/contact.h"
#include "compliance/contact_log.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "notifications/internal.h"

/* Is an identifier among some? */
static bool
is_among(const pg_uuid_t *id, const pg_uuid_t *ids, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (ls_uuid_equal(&ids[i], id))
			return true;
	}
	return false;
}

/* Is a notification one that the rules of contact decide about? */
static bool
is_judged(const LsNotice *notice)
{
	return !notice->has_user && notice->fate == LS_NOTICE_CLAIMED;
}

/* Lock leads that no other session holds; returns their identifiers. */
static pg_uuid_t *
lock_leads(const pg_uuid_t *org, const pg_uuid_t *leads, int n, int *n_locked)
{
	LS_QUERY(query,
		"SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		" FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};
	pg_uuid_t *locked;
	int i;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	*n_locked = (int) ls_query_run(&query, &args, LS_WRITE);
	locked = palloc(sizeof(pg_uuid_t) * Max(*n_locked, 1));
	for (i = 0; i < *n_locked; i++)
		locked[i] = ls_result_uuid(i, 1);
	return locked;
}

/* Pass over notifications whose lead is busy, or has its notification of this claim. */
static void
pass_busy(LsNoticeClaim *claim)
{
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * claim->n);
	pg_uuid_t *locked;
	int n = 0;
	int n_locked;
	int i;

	for (i = 0; i < claim->n; i++)
	{
		LsNotice *notice = &claim->notices[i];

		if (!is_judged(notice))
			continue;
		notice->again = is_among(&notice->lead, leads, n);
		if (notice->again || is_among(&notice->lead, claim->served, claim->n_served))
			notice->fate = LS_NOTICE_BUSY;
		else
			leads[n++] = notice->lead;
	}
	if (n == 0)
		return;
	locked = lock_leads(&claim->org, leads, n, &n_locked);
	for (i = 0; i < claim->n; i++)
	{
		if (is_judged(&claim->notices[i]) && !is_among(&claim->notices[i].lead, locked, n_locked))
			claim->notices[i].fate = LS_NOTICE_BUSY;
	}
}

/* What a judgement means for a notification. */
static void
set_fate(LsNotice *notice, const LsContact *contact, TimestampTz now)
{
	notice->recipient = strcmp(notice->type, "email") == 0 ? contact->email : contact->phone_number;
	if (contact->rule == LS_RULE_NONE)
		return;
	notice->rule = ls_contact_rule_name(contact->rule);
	notice->fate = LS_NOTICE_WAITING;
	notice->until = Max(contact->unblocks_at, now + USECS_PER_SEC);
	if (contact->unblocks_at == LS_NEVER || contact->rule == LS_RULE_DO_NOT_CALL ||
		contact->rule == LS_RULE_DNC_LIST)
		notice->fate = LS_NOTICE_DROPPED;
}

/* Judge the notifications of one channel. */
static void
judge_channel(LsNoticeClaim *claim, LsChannel channel)
{
	LsContactQuestion question = {.org = claim->org, .channel = channel, .at = claim->now};
	LsContact *contacts = palloc0(sizeof(LsContact) * claim->n);
	LsContactEntry *entries = palloc0(sizeof(LsContactEntry) * claim->n);
	LsNotice **notices = palloc(sizeof(LsNotice *) * claim->n);
	pg_uuid_t user;
	int n = 0;
	int i;

	for (i = 0; i < claim->n; i++)
	{
		LsNotice *notice = &claim->notices[i];

		if (!is_judged(notice) || strcmp(notice->type, ls_channel_name(channel)) != 0)
			continue;
		contacts[n].lead = notice->lead;
		notices[n++] = notice;
	}
	if (n == 0)
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	ls_contact_judge(&question, contacts, n);
	PopActiveSnapshot();
	for (i = 0; i < n; i++)
	{
		set_fate(notices[i], &contacts[i], claim->now);
		entries[i].contact = &contacts[i];
		entries[i].detail = contacts[i].rule == LS_RULE_NONE
								? "authorized"
								: ls_contact_detail(&question, &contacts[i], contacts[i].rule);
	}
	ls_contact_log(&question, ls_current_user(&user) ? &user : NULL, entries, n);
}

/* Judge the notifications of a claim; a scope is open as the owner. */
void
ls_notices_judge(LsNoticeClaim *claim)
{
	int channel;
	int i;

	pass_busy(claim);
	for (channel = 0; channel < LS_N_CHANNELS; channel++)
		judge_channel(claim, (LsChannel) channel);
	for (i = 0; i < claim->n; i++)
	{
		if (is_judged(&claim->notices[i]))
			claim->served[claim->n_served++] = claim->notices[i].lead;
	}
	for (i = 0; i < claim->n; i++)
	{
		LsNotice *notice = &claim->notices[i];

		notice->again = notice->again && !is_among(&notice->lead, claim->served, claim->n_served);
	}
}
