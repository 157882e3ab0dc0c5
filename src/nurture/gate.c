/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  The gate of a claim: which of the steps that are due may be carried out at
 *	  this moment, and what becomes of the others (semantics F4).
 *
 *	  Compliance judges all leads of a channel at once, as of this moment.  Who
 *	  must not be contacted leaves the sequence; what may not be now waits; a step
 *	  that the lead cannot get is skipped, and the next one may be due at once.
 *
 *	  A step that is handed out counts in contact_attempts at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/contact_log.h"
#include "core/query.h"
#include "nurture/claim.h"

/* A step for which no instant is known is looked at again after this time. */
#define LOOK_AGAIN USECS_PER_DAY

/* Rows at the gate. */
typedef struct Gate
{
	LsNurtureClaim *claim;
	LsNurtureRow *rows;
	int n;
	int wanted;
	int claimed;
} Gate;

/* Write a line of the log of a row. */
static void
log_row(LsNurtureRow *row, TimestampTz at, const char *status, const char *key, const char *value)
{
	ls_nurture_log(&row->log, row->step->number, at, status,
		ls_nurture_channel_name(row->step->channel), key, value);
	row->changed = true;
}

/* Go on to the step after the current one, which was done with at an instant. */
static void
advance(LsNurtureRow *row, TimestampTz at)
{
	const LsNurtureSteps *steps = &row->sequence->steps;
	const LsNurtureStep *next = ls_nurture_step_from(steps, row->step->number + 1);

	row->current_step = next ? next->number : row->step->number + 1;
	row->due = next ? ls_nurture_step_due(next, at, row->enrolled_at) : at;
	row->retry_count = 0;
	row->blocked_rule = NULL;
	row->changed = true;
}

/* Go on to the first step that needs somebody; waits are over by themselves, on time. */
static void
settle(const LsNurtureClaim *claim, LsNurtureRow *row)
{
	while (row->fate == FATE_PENDING)
	{
		row->step = ls_nurture_step_from(&row->sequence->steps, row->current_step);
		if (row->step == NULL)
			row->fate = FATE_COMPLETED;
		else if (row->step->number != row->current_step)
		{
			row->current_step = row->step->number; /* its step was removed */
			row->retry_count = 0;
			row->blocked_rule = NULL;
			row->changed = true;
		}
		else if (row->due > claim->now)
			row->fate = FATE_WAITING;
		else if (row->step->channel == NURTURE_WAIT)
		{
			log_row(row, row->due, "completed", NULL, NULL);
			advance(row, row->due);
		}
		else
			break;
	}
}

/* A step that the lead cannot get. */
static void
skip(const LsNurtureClaim *claim, LsNurtureRow *row, const char *rule)
{
	log_row(row, claim->now, "skipped", "rule", rule);
	advance(row, claim->now);
}

/* Hand a step out, unless enough others are. */
static void
hand_out(Gate *gate, LsNurtureRow *row)
{
	if (gate->claimed == gate->wanted)
		row->fate = FATE_LEFT;
	else
	{
		row->fate = FATE_CLAIMED;
		gate->claimed++;
	}
}

/*
 * A step that may not be carried out now.  A rule that somebody's act has to end
 * is noted once, not each time that the step is looked at again; was it noted?
 */
static bool
postpone(const LsNurtureClaim *claim, LsNurtureRow *row, const char *rule, TimestampTz until)
{
	bool noted = row->blocked_rule != NULL && strcmp(row->blocked_rule, rule) == 0;

	row->due = Max(until == LS_NEVER ? claim->now + LOOK_AGAIN : until, claim->now + USECS_PER_SEC);
	row->fate = FATE_WAITING;
	row->blocked_rule = pstrdup(rule);
	row->changed = true;
	if (until == LS_NEVER && noted)
		return false;
	log_row(row, claim->now, "postponed", "rule", rule);
	return true;
}

/* What a refusal means for a row; is it to be noted in contact_attempts? */
static bool
refuse(const LsNurtureClaim *claim, LsNurtureRow *row, const LsContact *contact)
{
	switch (contact->rule)
	{
		case LS_RULE_NO_PHONE_NUMBER:
		case LS_RULE_NO_EMAIL:
			skip(claim, row, ls_contact_rule_name(contact->rule));
			return true;
		case LS_RULE_LEAD_DELETED:
		case LS_RULE_SPAM:
		case LS_RULE_DO_NOT_CALL:
		case LS_RULE_DNC_LIST:
		case LS_RULE_CONSENT_REVOKED:
			row->fate = FATE_CANCELLED;
			row->reason = contact->rule == LS_RULE_DO_NOT_CALL || contact->rule == LS_RULE_DNC_LIST
							  ? LS_NURTURE_LISTED
						  : contact->rule == LS_RULE_CONSENT_REVOKED ? "Consent revoked"
						  : contact->rule == LS_RULE_SPAM            ? "Lead is spam"
																	 : "Lead deleted";
			log_row(row, claim->now, "cancelled", "rule", ls_contact_rule_name(contact->rule));
			return true;
		default:
			return postpone(claim, row, ls_contact_rule_name(contact->rule), contact->unblocks_at);
	}
}

/*
 * Of rows that may be contacted, hand out as many as the day's cap allows; the
 * others wait for the next day, or for the claims that are counting just now.
 */
static void
apply_cap(Gate *gate, LsNurtureChannel channel, LsNurtureRow **rows, int n)
{
	TimestampTz until = 0;
	int allowed = Min(n, gate->wanted - gate->claimed);
	int taken = allowed;
	int i;

	if (allowed > 0 && (channel == NURTURE_SMS || channel == NURTURE_EMAIL))
		taken = ls_nurture_take_daily(gate->claim, channel, allowed, &until);
	for (i = 0; i < n; i++)
	{
		if (i < taken)
			hand_out(gate, rows[i]);
		else if (until != 0)
			(void) postpone(gate->claim, rows[i], "daily_cap", until);
		else
			rows[i]->fate = FATE_LEFT;
	}
}

/* Judge the pending rows of a channel of contact. */
static void
judge_channel(Gate *gate, LsNurtureChannel channel)
{
	LsContactQuestion question = {.org = gate->claim->org, .at = gate->claim->now};
	LsNurtureRow **rows = palloc(sizeof(LsNurtureRow *) * gate->n);
	LsNurtureRow **allowed = palloc(sizeof(LsNurtureRow *) * gate->n);
	LsContact *contacts = palloc0(sizeof(LsContact) * gate->n);
	LsContactEntry *log = palloc0(sizeof(LsContactEntry) * gate->n);
	int n_allowed = 0;
	int n_log = 0;
	int n = 0;
	int i;

	question.channel = ls_channel_parse(ls_nurture_channel_name(channel));
	for (i = 0; i < gate->n; i++)
	{
		if (gate->rows[i].fate != FATE_PENDING || gate->rows[i].step->channel != channel)
			continue;
		contacts[n].lead = gate->rows[i].lead;
		rows[n++] = &gate->rows[i];
	}
	if (n == 0)
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	ls_contact_judge(&question, contacts, n);
	PopActiveSnapshot();
	for (i = 0; i < n; i++)
	{
		if (contacts[i].rule == LS_RULE_NONE)
			allowed[n_allowed++] = rows[i];
		else if (refuse(gate->claim, rows[i], &contacts[i]))
		{
			log[n_log].contact = &contacts[i];
			log[n_log++].detail = ls_contact_detail(&question, &contacts[i], contacts[i].rule);
		}
	}
	apply_cap(gate, channel, allowed, n_allowed);
	for (i = 0; i < n; i++)
	{
		if (rows[i]->fate == FATE_CLAIMED)
		{
			log[n_log].contact = &contacts[i];
			log[n_log++].detail = "authorized";
		}
	}
	ls_contact_log(&question, gate->claim->has_user ? &gate->claim->user : NULL, log, n_log);
}

/* Skip the steps whose conditions the lead does not match; were there any? */
static bool
check_conditions(Gate *gate)
{
	LsNurtureRow **rows = palloc(sizeof(LsNurtureRow *) * gate->n);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * gate->n);
	Jsonb **filters = palloc(sizeof(Jsonb *) * gate->n);
	bool *matches = palloc0(sizeof(bool) * gate->n);
	bool skipped = false;
	int n = 0;
	int i;

	for (i = 0; i < gate->n; i++)
	{
		LsNurtureRow *row = &gate->rows[i];

		if (row->fate != FATE_PENDING || row->reason != NULL || row->step->conditions == NULL)
			continue;
		leads[n] = row->lead;
		filters[n] = row->step->conditions;
		rows[n++] = row;
	}
	if (n > 0)
		ls_nurture_filter_match(&gate->claim->org, leads, filters, n, matches);
	for (i = 0; i < n; i++)
	{
		if (matches[i])
			continue;
		skip(gate->claim, rows[i], "conditions");
		skipped = true;
	}
	return skipped;
}

/*
 * Cancel the rows of leads that are not followed up; who must not be contacted, the
 * judge says, and it is noted.
 */
static void
cancel_closed(Gate *gate)
{
	int i;

	for (i = 0; i < gate->n; i++)
	{
		LsNurtureRow *row = &gate->rows[i];

		if (row->fate != FATE_PENDING || row->reason == NULL)
			continue;
		if (row->step->channel != NURTURE_TASK && strcmp(row->reason, LS_NURTURE_LISTED) == 0)
			continue;
		row->fate = FATE_CANCELLED;
		log_row(row, gate->claim->now, "cancelled", NULL, NULL);
	}
}

/* Hand out tasks, which are no contacts. */
static void
hand_out_tasks(Gate *gate)
{
	int i;

	for (i = 0; i < gate->n; i++)
	{
		if (gate->rows[i].fate == FATE_PENDING && gate->rows[i].step->channel == NURTURE_TASK)
			hand_out(gate, &gate->rows[i]);
	}
}

/* Take the rows that are pending one stage on; is any still pending? */
static bool
next_stage(Gate *gate)
{
	int channel;
	int i;

	do
	{
		for (i = 0; i < gate->n; i++)
			settle(gate->claim, &gate->rows[i]);
		cancel_closed(gate);
	} while (check_conditions(gate));
	hand_out_tasks(gate);
	for (channel = 0; channel < NURTURE_TASK; channel++)
		judge_channel(gate, (LsNurtureChannel) channel);
	for (i = 0; i < gate->n; i++)
	{
		if (gate->rows[i].fate == FATE_PENDING)
			return true;
	}
	return false;
}

/* Columns of the batch that writes the rows. */
#define WRITE_COLUMNS 9

/* Writes what became of the rows, each of them once. */
static LsBatch *
write_batch(const LsNurtureClaim *claim)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_sequence_enrollments e SET status = u.status,"
		"  current_step = u.step, next_step_scheduled_at = u.due, retry_count = u.retries,"
		"  blocked_rule = u.rule, cancel_reason = u.reason,"
		"  executed_steps = e.executed_steps || u.log::jsonb,"
		"  ended_at = CASE WHEN u.status <> 'active' THEN $11 END,"
		"  step_state = CASE WHEN u.channel IS NULL THEN 'scheduled' ELSE 'claimed' END,"
		"  claimed_channel = coalesce(u.channel, e.claimed_channel),"
		"  claimed_by = CASE WHEN u.channel IS NOT NULL THEN $12 END,"
		"  lease_until = CASE WHEN u.channel IS NOT NULL THEN $13 END"
		"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		"       u(id, status, step, due, retries, rule, reason, log, channel)"
		" WHERE e.organization_id = $10 AND e.id = u.id",
		UUIDARRAYOID, TEXTARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDOID, TIMESTAMPTZOID, UUIDOID, TIMESTAMPTZOID);
	static const Oid types[WRITE_COLUMNS] = {
		UUIDOID, TEXTOID, INT4OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	LsArgs fixed = {0};

	ls_arg_uuid(&fixed, &claim->org);
	ls_arg_timestamptz(&fixed, claim->now);
	ls_arg_uuid(&fixed, claim->has_user ? &claim->user : NULL);
	ls_arg_timestamptz(&fixed, claim->lease_until);
	return ls_batch_create(&query, WRITE_COLUMNS, types, &fixed);
}

/* Set a text of a row of the batch; NULL becomes null. */
static void
set_text(Datum *value, bool *isnull, const char *text)
{
	*isnull = text == NULL;
	*value = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* Add a row to the batch. */
static void
add_row(LsBatch *batch, const LsNurtureRow *row)
{
	const char *status = row->fate == FATE_CANCELLED   ? "cancelled"
						 : row->fate == FATE_COMPLETED ? "completed"
													   : "active";
	Datum values[WRITE_COLUMNS];
	bool nulls[WRITE_COLUMNS] = {false};

	values[0] = UUIDPGetDatum(&row->id);
	values[1] = CStringGetTextDatum(status);
	values[2] = Int32GetDatum(row->current_step);
	values[3] = TimestampTzGetDatum(row->due);
	nulls[3] = strcmp(status, "active") != 0;
	values[4] = Int32GetDatum(row->retry_count);
	set_text(&values[5], &nulls[5], row->blocked_rule);
	set_text(&values[6], &nulls[6], row->fate == FATE_CANCELLED ? row->reason : NULL);
	values[7] = CStringGetTextDatum(psprintf("[%s]", row->log.data));
	set_text(&values[8], &nulls[8],
		row->fate == FATE_CLAIMED ? ls_nurture_channel_name(row->step->channel) : NULL);
	ls_batch_add(batch, values, nulls);
}

/* Write what became of the rows; those that are left do not come up again in this claim. */
static void
write_rows(const Gate *gate)
{
	LsNurtureClaim *claim = gate->claim;
	LsBatch *batch = write_batch(claim);
	int i;

	for (i = 0; i < gate->n; i++)
	{
		LsNurtureRow *row = &gate->rows[i];

		if (row->fate != FATE_LEFT || row->changed)
			add_row(batch, row);
		if (row->fate == FATE_LEFT)
			claim->passed[claim->n_passed++] = row->id;
		if (row->fate != FATE_CLAIMED)
			claim->n_refused++;
	}
	ls_batch_flush(batch);
}

/*
 * Let enrolments that are due through the gate, handing out up to "wanted", and
 * write what became of them all; returns how many were handed out.
 */
int
ls_nurture_gate(LsNurtureClaim *claim, LsNurtureRow *rows, int n, int wanted)
{
	Gate gate = {.claim = claim, .rows = rows, .n = n, .wanted = wanted};

	if (n == 0)
		return 0;
	ls_nurture_lock_leads(claim, rows, n);
	while (next_stage(&gate))
		;
	write_rows(&gate);
	return gate.claimed;
}
