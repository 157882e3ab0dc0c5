/*-------------------------------------------------------------------------
 *
 * replies.c
 *	  Words that a message can consist of, and what is done about them
 *	  (semantics J2): YES is answered with the prices, of BOOK and CALL somebody
 *	  is told, and the lead goes on in its pipeline.
 *
 *	  They mean this in an answer to the follow-up of a missed call, and from
 *	  leads of a pipeline that has jobs to book.  From others they are messages
 *	  like any.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "communication/internal.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/query.h"
#include "core/uuid.h"
#include "notifications/notifications.h"

/* What the words are taken for, which is what sms_logs.meaning says. */
static const struct
{
	const char *words;
	const char *meaning;
} replies[] = {
	{"yes", "yes"},
	{"y", "yes"},
	{"sure", "yes"},
	{"yes please", "yes"},
	{"book", "book"},
	{"book it", "book"},
	{"book me", "book"},
	{"book now", "book"},
	{"book please", "book"},
	{"please book", "book"},
	{"call", "call"},
	{"call me", "call"},
	{"call now", "call"},
	{"call please", "call"},
	{"please call", "call"},
	{"call me please", "call"},
	{"please call me", "call"},
};

/* The meaning of a message that is such a word; NULL when it is none. */
const char *
ls_reply_word(const char *message)
{
	int n;
	LsWord *words = ls_words(message, &n);
	char *joined = ls_words_joined(words, n);
	int i;

	for (i = 0; i < (int) lengthof(replies); i++)
	{
		if (strcmp(joined, replies[i].words) == 0)
			return replies[i].meaning;
	}
	return NULL;
}

/* Does a word from this lead mean what it says above? */
static bool
is_meant(const LsReport *report)
{
	LS_QUERY(query,
		"SELECT EXISTS (SELECT FROM lead_system.lead_sequence_enrollments e"
		"  WHERE e.organization_id = $1 AND e.lead_id = $2"
		"    AND e.sequence_id = " LS_MISSED_CALL_SEQUENCE_SQL ")"
		" OR EXISTS (SELECT FROM lead_system.leads l"
		"   JOIN lead_system.pipeline_statuses s ON s.pipeline_id = l.pipeline_id"
		"    AND s.stamp_column = 'booked_at'"
		"  WHERE l.organization_id = $1 AND l.id = $2)",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	(void) ls_query_run(&query, &args, LS_WRITE);
	return ls_result_bool(0, 1);
}

/* Tell the lead's user, or the managers where there is none; once of each report. */
void
ls_reply_tell_users(const LsReport *report, const char *template_name, const char *word)
{
	LS_QUERY(query,
		"SELECT u.id FROM lead_system.leads l"
		"  JOIN lead_system.users u ON u.organization_id = $1 AND u.is_active"
		"   AND (u.id = l.assigned_to OR (u.role IN ('manager', 'admin')"
		"        AND NOT EXISTS (SELECT FROM lead_system.users a WHERE a.organization_id = $1"
		"              AND a.id = l.assigned_to AND a.is_active)))"
		" WHERE l.organization_id = $1 AND l.id = $2",
		UUIDOID, UUIDOID);
	LsUserNotice *notices;
	LsArgs args = {0};
	int n;
	int i;

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	notices = palloc0(sizeof(LsUserNotice) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		notices[i].lead = report->lead;
		notices[i].user = ls_result_uuid(i, 1);
		notices[i].payload = ls_json_pair_text("word", word);
	}
	for (i = 0; i < n; i++)
		notices[i].dedupe_key = psprintf(
			"%s/%s/%s", template_name, ls_uuid_text(&report->id), ls_uuid_text(&notices[i].user));
	ls_notify_users(&report->org, template_name, notices, n);
}

/* A lead that is new has been in contact with us now, if its pipeline says so. */
static void
advance_lead(const LsReport *report, const char *word)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads l SET status = t.to_status"
		"  FROM lead_system.pipeline_transitions t, lead_system.pipeline_statuses s"
		" WHERE l.organization_id = $1 AND l.id = $2 AND l.stage = 'new'"
		"   AND t.pipeline_id = l.pipeline_id AND t.from_status = l.status"
		"   AND s.pipeline_id = l.pipeline_id AND s.status = t.to_status"
		"   AND s.stage = 'contacted' AND NOT s.requires_reason",
		UUIDOID, UUIDOID);
	LsLeadCause cause = {psprintf("replied %s", word), "automation", &report->id};
	const LsLeadCause *previous = ls_lead_cause_set(&cause);
	LsArgs args = {0};

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	PG_TRY();
	{
		(void) ls_query_run(&query, &args, LS_WRITE);
	}
	PG_FINALLY();
	{
		ls_lead_cause_set(previous);
	}
	PG_END_TRY();
}

/*
 * Queue a message to the lead, due now; false when it cannot be reached.  Whether
 * it may be is asked when the message is claimed.
 */
bool
ls_reply_answer(const LsReport *report, const char *template_name, pg_uuid_t *answer)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.notifications (organization_id, lead_id, notification_type,"
		"   template_name, dedupe_key, scheduled_at, created_at)"
		" SELECT $1, l.id, 'sms', $3, $4, $5, $5 FROM lead_system.leads l"
		"  WHERE l.organization_id = $1 AND l.id = $2 AND l.deleted_at IS NULL"
		"    AND l.phone_number IS NOT NULL"
		" ON CONFLICT (organization_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING"
		" RETURNING id",
		UUIDOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool queued;

	ls_arg_uuid(&args, &report->org);
	ls_arg_uuid(&args, &report->lead);
	ls_arg_text(&args, template_name);
	ls_arg_text(&args, psprintf("%s/%s", template_name, ls_uuid_text(&report->id)));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	queued = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (queued)
		*answer = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return queued;
}

/* Do what the word asks for; true when an answer was queued. */
bool
ls_reply_act(const LsReport *report, const char *word, pg_uuid_t *answer)
{
	LsScope scope;
	bool meant;

	if (!ls_config_bool(&report->org, "communication.reply_words"))
		return false;
	ls_scope_open(&scope, LS_AS_OWNER);
	meant = is_meant(report);
	if (meant && strcmp(word, "yes") != 0)
	{
		ls_reply_tell_users(report, "callback_requested", word);
		advance_lead(report, word);
	}
	ls_scope_close(&scope);
	return meant && strcmp(word, "yes") == 0 && ls_reply_answer(report, "pricing", answer);
}
