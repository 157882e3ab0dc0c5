/*-------------------------------------------------------------------------
 *
 * step.c
 *	  Keeps scores current: the step of the row trigger of leads, the history
 *	  of scores, and the triggers of the other inputs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "scoring/model.h"
#include "scoring/scoring.h"

/* Columns that only scoring writes. */
static const LsLeadColumn score_columns[] = {LEAD_lead_score, LEAD_raw_score, LEAD_score_breakdown,
	LEAD_temperature, LEAD_scored_at, LEAD_scoring_model};

/*
 * The bonus for being qualified is given once, when the lead first gets there,
 * and kept (A6).
 */
static void
apply_qualification_bonus(LsLeadChange *change)
{
	char *stage = ls_lead_text(change->row, LEAD_stage);
	bool had = change->old != NULL && ls_lead_bool(change->old, LEAD_qualification_bonus_applied);
	bool has = had || (stage != NULL && strcmp(stage, "qualified") == 0);

	ls_lead_set(change->row, LEAD_qualification_bonus_applied, BoolGetDatum(has), false);
}

/*
 * Must the score be computed again?  Yes when something that the model reads
 * changed, when another model applies, and when somebody wrote to the columns
 * of the score, which is how a re-scoring is asked for.
 */
static bool
must_score(const LsLeadChange *change, const ScoreModel *model)
{
	int i;

	if (change->old == NULL)
		return true;
	for (i = 0; i < model->n_columns; i++)
	{
		if (ls_lead_differs(change->old, change->row, model->columns[i]))
			return true;
	}
	for (i = 0; i < (int) lengthof(score_columns); i++)
	{
		if (ls_lead_differs(change->old, change->row, score_columns[i]))
			return true;
	}
	return ls_lead_isnull(change->row, LEAD_scoring_model) ||
		   strcmp(ls_lead_text(change->row, LEAD_scoring_model), model->name) != 0;
}

/* Put a result into the row. */
static void
store_score(LsLeadChange *change, const ScoreResult *result)
{
	LsLeadRow *row = change->row;

	ls_lead_set(row, LEAD_lead_score, Int32GetDatum(result->score), false);
	ls_lead_set(row, LEAD_raw_score, Int32GetDatum(result->raw), false);
	ls_lead_set(row, LEAD_score_breakdown, JsonbPGetDatum(ls_score_breakdown(result)), false);
	ls_lead_set_text(row, LEAD_temperature, result->temperature);
	ls_lead_set(row, LEAD_scored_at, TimestampTzGetDatum(change->now), false);
	ls_lead_set_text(row, LEAD_scoring_model, result->model->name);
}

/* Has a text no character but digits, and at least one? */
static bool
all_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/*
 * Does a lead look like spam? (A10)
 *
 * A low score only counts by the model of the form: a record that was imported
 * without its fields scores low for other reasons.
 */
static bool
looks_like_spam(const LsLeadChange *change, const ScoreResult *result)
{
	char *email = ls_lead_text(change->row, LEAD_email);
	char *company = ls_lead_text(change->row, LEAD_company_name);

	if ((email != NULL && strcmp(email, "test@test.com") == 0) ||
		(company != NULL && all_digits(company)))
		return true;
	return strcmp(result->model->name, "b2b") == 0 && result->score < 10 &&
		   ((email != NULL && strstr(email, "test") != NULL) ||
			   (company != NULL && pg_mbstrlen(company) < 4));
}

/* Step of the row trigger of leads. */
void
ls_scoring_step(LsLeadChange *change)
{
	ScoreSubject subject = {0};
	const ScoreModel *model;
	ScoreResult result;

	apply_qualification_bonus(change);
	subject.row = change->row;
	subject.organization = change->organization;
	subject.at = change->now;
	subject.is_new = (change->old == NULL);
	subject.is_locked = (change->old != NULL);
	model = ls_score_model_for(&subject);
	if (!must_score(change, model))
		return;
	ls_score_evaluate(model, &subject, &result, NULL, NULL);
	store_score(change, &result);
	if (change->old == NULL && looks_like_spam(change, &result) &&
		ls_config_bool(&change->org, "leads.flag_spam"))
		ls_lead_set(change->row, LEAD_is_spam, BoolGetDatum(true), false);
}

#define HISTORY_COLUMNS 7

/* What the listener keeps for one statement. */
typedef struct ScoreHistory
{
	LsBatch *history;
	LsBatch *activities;
} ScoreHistory;

/* Start the state of one statement. */
static ScoreHistory *
history_start(void)
{
	static const Oid types[HISTORY_COLUMNS] = {
		UUIDOID, UUIDOID, INT4OID, INT4OID, INT4OID, TEXTOID, JSONBOID};
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_score_history"
		" (organization_id, lead_id, old_score, new_score, raw_score, model, breakdown, reason, created_at)"
		" SELECT h.*, $8, $9 FROM unnest($1, $2, $3, $4, $5, $6, $7) h",
		UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
		JSONBARRAYOID, TEXTOID, TIMESTAMPTZOID);
	ScoreHistory *state = palloc(sizeof(ScoreHistory));
	LsArgs fixed = {0};

	ls_arg_text(&fixed, ls_lead_cause()->reason);
	ls_arg_timestamptz(&fixed, ls_clock_now());
	state->history = ls_batch_create(&query, HISTORY_COLUMNS, types, &fixed);
	state->activities = ls_activity_batch();
	return state;
}

/* Add a line to the activities. */
static void
note(ScoreHistory *state, const LsLeadRow *row, const char *action, Jsonb *old_value,
	Jsonb *new_value)
{
	bool isnull;
	LsActivity activity = {0};

	activity.org = DatumGetUUIDP(ls_lead_get(row, LEAD_organization_id, &isnull));
	activity.lead = DatumGetUUIDP(ls_lead_get(row, LEAD_id, &isnull));
	activity.action = action;
	activity.old_value = old_value;
	activity.new_value = new_value;
	ls_activity_batch_add(state->activities, &activity);
}

/*
 * Has a lead become worth a call? (A17)  For listeners of leads: it has come up
 * to scoring.upgrade_score, from below.
 */
bool
ls_score_upgraded(const LsLeadRow *old, const LsLeadRow *new)
{
	int was = ls_lead_int(old, LEAD_lead_score);
	int is = ls_lead_int(new, LEAD_lead_score);
	bool isnull;
	int limit;

	if (is <= was || !ls_lead_isnull(new, LEAD_deleted_at))
		return false;
	limit = ls_config_int(
		DatumGetUUIDP(ls_lead_get(new, LEAD_organization_id, &isnull)), "scoring.upgrade_score");
	return was < limit && is >= limit;
}

/* Tell of a new score in the activities. */
static void
note_changes(ScoreHistory *state, const LsLeadRow *old, const LsLeadRow *new)
{
	int was = ls_lead_int(old, LEAD_lead_score);
	int is = ls_lead_int(new, LEAD_lead_score);

	if (was != is)
		note(state, new, "score_updated", ls_json_pair_int("score", was),
			ls_json_pair_int("score", is));
	if (ls_lead_differs(old, new, LEAD_temperature))
		note(state, new, "temperature_changed",
			ls_json_pair_text("temperature", ls_lead_text(old, LEAD_temperature)),
			ls_json_pair_text("temperature", ls_lead_text(new, LEAD_temperature)));
	if (ls_score_upgraded(old, new))
		note(state, new, "lead_upgraded", ls_json_pair_int("score", was),
			ls_json_pair_int("score", is));
}

/* Add a line to the history of scores. */
static void
add_history(ScoreHistory *state, const LsLeadRow *old, const LsLeadRow *new)
{
	static const LsLeadColumn columns[HISTORY_COLUMNS] = {LEAD_organization_id, LEAD_id,
		LEAD_lead_score, LEAD_lead_score, LEAD_raw_score, LEAD_scoring_model, LEAD_score_breakdown};
	Datum values[HISTORY_COLUMNS];
	bool nulls[HISTORY_COLUMNS];
	int i;

	for (i = 0; i < HISTORY_COLUMNS; i++)
		values[i] = ls_lead_get(i == 2 ? old : new, columns[i], &nulls[i]);
	ls_batch_add(state->history, values, nulls);
}

/* Listener: one row. */
static void
score_listener_row(
	LsLeadStatement *statement, void **state_pointer, const LsLeadRow *old, const LsLeadRow *new)
{
	bool rescored;

	if (old == NULL || new == NULL)
		return;
	rescored = ls_lead_differs(old, new, LEAD_raw_score);
	if (!rescored && !ls_lead_differs(old, new, LEAD_temperature))
		return;
	if (*state_pointer == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		*state_pointer = history_start();
		MemoryContextSwitchTo(caller);
	}
	if (rescored)
		add_history(*state_pointer, old, new);
	note_changes(*state_pointer, old, new);
}

/* Listener: write what is left. */
static void
score_listener_end(LsLeadStatement *statement, void **state_pointer)
{
	ScoreHistory *state = *state_pointer;

	ls_batch_flush(state->history);
	ls_batch_flush(state->activities);
}

const LsLeadListener ls_scoring_listener = {score_listener_row, score_listener_end};

/* The clock of who reports something may be that fast. */
#define FAST_CLOCK USECS_PER_MINUTE

PG_FUNCTION_INFO_V1(ls_scoring_inputs_check_time);

/*
 * scoring_inputs_check_time(): BEFORE row triggers of lead_qualifications and
 * lead_intent_signals.  The latest counts, so one of the future would outrank all
 * that is learnt until then.  A dump brings back what there was, whatever the clock
 * says: its sessions have row_security off.
 */
Datum
ls_scoring_inputs_check_time(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "scoring_inputs_check_time",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, NULL);
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	Relation rel = trigdata->tg_relation;
	int attnum = ls_trigger_attnum(rel, "created_at");
	TimestampTz now = ls_clock_now();
	bool isnull;
	Datum value = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);

	if (isnull || !row_security || DatumGetTimestampTz(value) <= now)
		return PointerGetDatum(tuple);
	if (DatumGetTimestampTz(value) > now + FAST_CLOCK)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("created_at must not be in the future"),
						   errhint("Leave created_at out, or say when it was learnt."),
						   errtablecol(rel, attnum)));
	value = TimestampTzGetDatum(now);
	return PointerGetDatum(
		heap_modify_tuple_by_cols(tuple, RelationGetDescr(rel), 1, &attnum, &value, &isnull));
}

/* The leads whose rows changed; one that a row moved away from is one, too. */
#define CHANGED "SELECT organization_id, lead_id FROM changed_rows"
#define CHANGED_OR_LEFT CHANGED " UNION SELECT organization_id, lead_id FROM old_rows"

#define LOCK_LEADS(rows) \
	"SELECT 1 FROM (" rows ") c JOIN lead_system.leads l" \
	"    ON l.organization_id = c.organization_id AND l.id = c.lead_id" \
	" ORDER BY l.id FOR NO KEY UPDATE OF l"
#define SCORE_LEADS(rows) \
	"UPDATE lead_system.leads l SET scored_at = NULL" \
	"  FROM (SELECT DISTINCT organization_id, lead_id FROM (" rows ") r) c" \
	" WHERE l.organization_id = c.organization_id AND l.id = c.lead_id"

PG_FUNCTION_INFO_V1(ls_scoring_inputs_changed);

/*
 * scoring_inputs_changed(): AFTER statement triggers of lead_qualifications and
 * lead_intent_signals.  A lead without scored_at is scored by its row trigger.
 * The leads are locked before, in the order that everybody keeps to.
 */
Datum
ls_scoring_inputs_changed(PG_FUNCTION_ARGS)
{
	static const char *const changed[] = {LOCK_LEADS(CHANGED), SCORE_LEADS(CHANGED), NULL};
	static const char *const changed_or_left[] = {
		LOCK_LEADS(CHANGED_OR_LEFT), SCORE_LEADS(CHANGED_OR_LEFT), NULL};
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "scoring_inputs_changed", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, NULL);
	bool moves = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);

	if (!ls_org_is_leaving(NULL))
		ls_transition_run(trigdata, moves ? changed_or_left : changed, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}
