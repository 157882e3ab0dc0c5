/*-------------------------------------------------------------------------
 *
 * attempts.c
 *	  record_call_attempt(): what came of a call (semantics I9 to I12).
 *
 *	  Locks are taken in the order of outreach.h: a lead that asks not to be
 *	  called is put on the do-not-call list before its row is locked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "billing/billing.h"
#include "communication/communication.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/json.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "outreach/call_details.h"
#include "outreach/outreach.h"

/* The longest call, in seconds. */
#define MAX_DURATION 86400

/* An outcome: what it means for the row, the lead and the call. */
typedef struct Outcome
{
	const char *name;
	const char *status; /* of the row; NULL: try again, or failed after the last attempt */
	bool reached;       /* a person was spoken to */
	const char *call_status;
} Outcome;

static const Outcome outcomes[] = {
	{"answered", "contacted", true, "answered"},
	{"pledged", "contacted", true, "answered"},
	{"donated", "converted", true, "answered"},
	{"declined", "contacted", true, "answered"},
	{"callback", "contacted", true, "answered"},
	{"no_answer", NULL, false, "no_answer"},
	{"voicemail", NULL, false, "voicemail"},
	{"busy", NULL, false, "busy"},
	{"failed", NULL, false, "failed"},
	{"wrong_number", "failed", false, "answered"},
	{"do_not_call", "dnc", true, "answered"},
};

/* The row of campaign_leads, with what decides about it. */
typedef struct AttemptRow
{
	pg_uuid_t org;
	pg_uuid_t id;
	pg_uuid_t campaign;
	pg_uuid_t lead;
	char *phone_number;
	char *status;
	int attempts;
	int max_attempts;
	TimestampTz retry_at;
	bool is_claimed;
	pg_uuid_t claimed_by;
	bool is_marked;   /* the lead says that it must not be called */
	bool was_reached; /* in an earlier call */
	bool is_done;     /* was reached, and is not to be called again */
	bool is_leaving;  /* its list was taken from the campaign */
	bool has_listed_at;
	TimestampTz listed_at; /* or since when the consent has been revoked */
	LsCents price;         /* of a call; 0: none */
} AttemptRow;

/* An outcome by name; 22023 when there is none. */
static const Outcome *
find_outcome(const char *name)
{
	StringInfoData names;
	int i;

	for (i = 0; i < (int) lengthof(outcomes); i++)
	{
		if (strcmp(outcomes[i].name, name) == 0)
			return &outcomes[i];
	}
	initStringInfo(&names);
	for (i = 0; i < (int) lengthof(outcomes); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", outcomes[i].name);
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized outcome \"%s\"", name),
			errhint("Outcomes are: %s.", names.data)));
}

/* Lock the lead of the row. */
static void
lock_lead(const AttemptRow *row)
{
	LS_QUERY(query,
		"SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ("
		"  SELECT c.lead_id FROM lead_system.campaign_leads c WHERE c.organization_id = $1 AND c.id = $2)"
		" FOR NO KEY UPDATE",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &row->org);
	ls_arg_uuid(&args, &row->id);
	ls_query_run(&query, &args, LS_WRITE);
}

#define SELECT_ROW \
	"SELECT c.campaign_id, c.lead_id, l.phone_number, c.status, c.attempts," \
	"       coalesce(a.max_attempts_override, p.max_attempts), $3 + p.retry_after," \
	"       c.status = 'calling' AND c.lease_until > $3, c.claimed_by, l.do_not_call," \
	"       c.contacted_at IS NOT NULL, a.id IS NULL OR a.removed_at IS NOT NULL," \
	"       coalesce(d.created_at, CASE WHEN l.calling_blocked_reason = '" LS_BLOCKED_BY_REVOCATION \
	"'         THEN (SELECT max(v.at) FROM lead_system.contact_consents v" \
	"          WHERE v.organization_id = $1 AND v.phone_number = l.phone_number" \
	"            AND v.channel = 'call' AND v.action = 'revoked') END)," \
	"       c.status = 'contacted' AND NOT c.is_withdrawn AND NOT " LS_IS_CALLBACK_SQL( \
		"c") ", coalesce((p.call_price * 100)::bigint, 0)" \
			 "  FROM lead_system.campaign_leads c" \
			 "  JOIN lead_system.campaigns p ON p.organization_id = $1 AND p.id = c.campaign_id" \
			 "  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = c.lead_id" \
			 "  LEFT JOIN lead_system.campaign_lead_lists a ON a.organization_id = $1" \
			 "       AND a.campaign_id = c.campaign_id AND a.lead_list_id = c.lead_list_id" \
			 "  LEFT JOIN lead_system.dnc_list d ON d.organization_id = $1 AND d.phone_number = l.phone_number" \
			 "       AND (d.expires_at IS NULL OR d.expires_at > $3)" \
			 " WHERE c.organization_id = $1 AND c.id = $2"

/* Read the row and what goes with it; with "lock", lead and row are locked. */
static void
read_row(AttemptRow *row, bool lock)
{
	LS_QUERY(locking, SELECT_ROW " FOR UPDATE OF c", UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LS_QUERY(reading, SELECT_ROW, UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};

	if (lock)
		lock_lead(row);
	ls_arg_uuid(&args, &row->org);
	ls_arg_uuid(&args, &row->id);
	ls_arg_timestamptz(&args, ls_clock_now());
	if (ls_query_run(lock ? &locking : &reading, &args, LS_WRITE) == 0)
		ls_no_such_row("campaign lead", &row->id);
	row->campaign = ls_result_uuid(0, 1);
	row->lead = ls_result_uuid(0, 2);
	row->phone_number = ls_result_text(0, 3);
	row->status = ls_result_text(0, 4);
	row->attempts = ls_result_int32(0, 5);
	row->max_attempts = ls_result_int32(0, 6);
	row->retry_at = ls_result_timestamptz(0, 7);
	row->is_claimed = ls_result_bool(0, 8) && !ls_result_isnull(0, 9);
	if (row->is_claimed)
		row->claimed_by = ls_result_uuid(0, 9);
	row->is_marked = ls_result_bool(0, 10);
	row->was_reached = ls_result_bool(0, 11);
	row->is_leaving = ls_result_bool(0, 12);
	row->has_listed_at = !ls_result_isnull(0, 13);
	if (row->has_listed_at)
		row->listed_at = ls_result_timestamptz(0, 13);
	row->is_done = ls_result_bool(0, 14);
	row->price = ls_result_int64(0, 15);
}

/*
 * May the call be recorded?
 *
 * A call to a listed number must not have been made; one that had begun before
 * the number was listed was right, and is recorded, if the caller says so.
 */
static void
check_row(const AttemptRow *row, const LsCallDetails *details)
{
	pg_uuid_t user;

	if ((row->has_listed_at || row->is_marked || strcmp(row->status, "dnc") == 0) &&
		!(details->has_started && row->has_listed_at && details->started_at < row->listed_at))
		ereport(
			ERROR, (errcode(LS_ERRCODE_ON_DNC_LIST), errmsg("the lead must not be called"),
					   errdetail("Its number is on the do-not-call list, or the lead is marked."),
					   errhint("If the call had begun before, pass started_at in p_details.")));
	if (strcmp(row->status, "converted") == 0 || strcmp(row->status, "failed") == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the campaign is done with this lead"),
						   errdetail("Its status is \"%s\".", row->status)));
	if (row->is_claimed && ls_current_user(&user) && !ls_uuid_equal(&user, &row->claimed_by))
		ereport(ERROR,
			(errcode(LS_ERRCODE_CLAIM_NOT_HELD),
				errmsg("another user holds the claim on this lead"),
				errhint("Record calls for leads that claim_campaign_leads() handed to you.")));
}

/* Would the row be called again, if its list were still there (I10)? */
static bool
wants_retry(const AttemptRow *row, const Outcome *outcome)
{
	return outcome->status == NULL && strcmp(row->status, "dnc") != 0 && !row->is_done &&
		   row->attempts + 1 < row->max_attempts;
}

/*
 * The status that the row gets (I10, I11).  Who was reached in an earlier call
 * has been contacted, whatever became of the later ones.
 */
static const char *
new_status(const AttemptRow *row, const Outcome *outcome)
{
	if (strcmp(row->status, "dnc") == 0)
		return "dnc";
	if (outcome->status != NULL)
		return outcome->status;
	if (wants_retry(row, outcome) && !row->is_leaving)
		return "queued";
	return row->was_reached ? "contacted" : "failed";
}

/* When the row is to be called again, if it is. */
static TimestampTz
next_attempt(const AttemptRow *row, const Outcome *outcome, const LsCallDetails *details)
{
	if (strcmp(outcome->name, "callback") == 0 && details->has_callback)
		return details->callback_at;
	return row->retry_at;
}

/* Write the row. */
static void
update_row(const AttemptRow *row, const Outcome *outcome, int duration,
	const LsCallDetails *details, TimestampTz at)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_leads c"
		"   SET status = $3, attempts = c.attempts + 1, last_attempt_at = $4, next_attempt_at = $5,"
		"       claimed_by = NULL, lease_until = NULL, outcome = $6,"
		"       pledged_amount = coalesce($7, c.pledged_amount),"
		"       donated_amount = coalesce($8, c.donated_amount),"
		"       total_talk_time = c.total_talk_time + $9, last_call_duration = $9,"
		"       notes = coalesce($10, c.notes), is_waiting = $3 = 'queued' AND $5 > $11,"
		"       blocked_rule = NULL,"
		"       contacted_at = CASE WHEN $12 THEN least(c.contacted_at, $4) ELSE c.contacted_at END,"
		"       is_withdrawn = $13,"
		"       temperature_rank = " LS_TEMPERATURE_RANK_SQL(
			"l.temperature") ","
							 "       lead_score = l.lead_score, is_dialable = " LS_IS_DIALABLE_SQL(
								 "l") "  FROM lead_system.leads l"
									  " WHERE c.organization_id = $1 AND c.id = $2 AND l.organization_id = $1 AND l.id = c.lead_id",
		UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, NUMERICOID, NUMERICOID,
		INT4OID, TEXTOID, TIMESTAMPTZOID, BOOLOID, BOOLOID);
	LsArgs args = {0};
	const char *status = new_status(row, outcome);

	ls_arg_uuid(&args, &row->org);
	ls_arg_uuid(&args, &row->id);
	ls_arg_text(&args, status);
	ls_arg_timestamptz(&args, at);
	ls_arg_timestamptz(&args, next_attempt(row, outcome, details));
	ls_arg_text(&args, outcome->name);
	ls_arg_datum(&args, details->pledged_amount, !details->has_pledged);
	ls_arg_datum(&args, details->donated_amount, !details->has_donated);
	ls_arg_int32(&args, duration);
	ls_arg_text(&args, details->notes);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_bool(&args, outcome->reached);
	ls_arg_bool(&args, wants_retry(row, outcome) && row->is_leaving);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Write what the call means for the lead. */
static void
update_lead(const AttemptRow *row, const Outcome *outcome, TimestampTz at)
{
	LS_QUERY(query,
		"UPDATE lead_system.leads"
		"   SET call_count = call_count + 1, last_activity_at = greatest(last_activity_at, $3),"
		"       last_contact_at = CASE WHEN $4 THEN greatest(last_contact_at, $3) ELSE last_contact_at END"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID, BOOLOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, &row->org);
	ls_arg_uuid(&args, &row->lead);
	ls_arg_timestamptz(&args, at);
	ls_arg_bool(&args, outcome->reached);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Write the call itself; returns its id. */
static pg_uuid_t
add_call(const AttemptRow *row, const Outcome *outcome, int duration, const LsCallDetails *details,
	TimestampTz at)
{
	LsCall call = {0};
	LsActivity activity = {0};
	pg_uuid_t user;
	char caller[LS_PHONE_SIZE];

	if (details->caller_phone != NULL && !ls_phone_to_e164(details->caller_phone,
											 ls_organization(&row->org)->default_region, caller))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" is not a valid phone number", details->caller_phone),
						   errdetail("Key \"caller_phone\" of p_details.")));
	call.org = &row->org;
	call.user = row->is_claimed ? &row->claimed_by : (ls_current_user(&user) ? &user : NULL);
	call.lead = &row->lead;
	call.campaign = &row->campaign;
	call.campaign_lead = &row->id;
	call.caller_phone = details->caller_phone ? caller : NULL;
	call.called_phone = row->phone_number;
	call.direction = "outbound";
	call.status = outcome->call_status;
	call.outcome = outcome->name;
	call.duration = duration;
	call.recording_url = details->recording_url;
	call.provider_call_id = details->provider_call_id;
	call.notes = details->notes;
	call.started_at = at;

	activity.org = &row->org;
	activity.lead = &row->lead;
	activity.action = "call_made";
	activity.new_value = ls_json_pair_text("outcome", outcome->name);
	(void) ls_activity_add(&activity);
	return ls_call_add(&call);
}

/*
 * Has the call been recorded already?  A report that is repeated changes
 * nothing; the provider's id of a call to somebody else is a mistake.
 */
static bool
is_repeated(const AttemptRow *row, const LsCallDetails *details, pg_uuid_t *call)
{
	pg_uuid_t campaign_lead;

	if (details->provider_call_id == NULL ||
		!ls_call_find(&row->org, details->provider_call_id, call, &campaign_lead))
		return false;
	if (!ls_uuid_equal(&campaign_lead, &row->id))
		ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
				errmsg("call \"%s\" was made to another campaign lead", details->provider_call_id),
				errdetail("Key \"provider_call_id\" of p_details.")));
	return true;
}

/*
 * Lock the row for a call that may be recorded.  False when the call has been
 * recorded already.
 *
 * The guard of call_logs waits for who is writing of the number, on the
 * do-not-call list or elsewhere, and who does that goes on to lock the lead.  So the number
 * comes first here, too.  (Who begins to list it between that and the lock of the
 * lead makes one of the two fail with 40P01.)
 *
 * The account that pays comes before all other locks, see billing/calls.c, and
 * listing the number before those that are left, so what decides about such a
 * call is read before it, without a lock; only the number has to be the same
 * afterwards.
 */
static bool
prepare_row(AttemptRow *row, const Outcome *outcome, const LsCallDetails *details, pg_uuid_t *call)
{
	bool lists_number = strcmp(outcome->name, "do_not_call") == 0;
	AttemptRow locked = *row;

	read_row(row, false);
	ls_calls_lock_account(&row->org, &row->id, row->price);
	if (!lists_number)
	{
		if (row->phone_number != NULL)
			(void) ls_contact_await(&row->org, row->phone_number, &row->campaign);
		read_row(row, true);
	}
	if (is_repeated(row, details, call))
		return false;
	check_row(row, details);
	if (!lists_number)
		return true;
	if (row->phone_number != NULL)
		ls_dnc_add(&row->org, row->phone_number, "lead_requested", "call_transcript");
	read_row(&locked, true);
	if ((row->phone_number == NULL) != (locked.phone_number == NULL) ||
		(row->phone_number != NULL && strcmp(row->phone_number, locked.phone_number) != 0))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						   errmsg("the lead's number was changed by another session"),
						   errhint("Retry the transaction.")));
	return !is_repeated(row, details, call);
}

/* A call that is being recorded. */
typedef struct Recording
{
	AttemptRow row;
	const Outcome *outcome;
	int duration;
	LsCallDetails details;
	pg_uuid_t *call; /* the answer */
} Recording;

/* Record the call, unless that has been done; the row is written once. */
static void
record_call(void *argument)
{
	Recording *this = argument;
	AttemptRow *row = &this->row;
	const LsCallDetails *details = &this->details;
	TimestampTz at = details->has_started ? details->started_at : ls_clock_now();
	const pg_uuid_t *previous = ls_queue_set_recorded(&row->id);

	PG_TRY();
	{
		if (prepare_row(row, this->outcome, details, this->call))
		{
			*this->call = add_call(row, this->outcome, this->duration, details, at);
			update_lead(row, this->outcome, at);
			update_row(row, this->outcome, this->duration, details, at);
			ls_calls_settle(&row->org, &row->id, row->price, this->call,
				strcmp(this->outcome->call_status, "failed") != 0);
		}
	}
	PG_FINALLY();
	{
		ls_queue_set_recorded(previous);
	}
	PG_END_TRY();
}

/* Record the call of a campaign's row; returns its id. */
static pg_uuid_t
record_attempt(const pg_uuid_t *row, const char *outcome, int duration, Jsonb *details)
{
	Recording this = {0};
	LsScope scope;
	pg_uuid_t call;

	this.row.id = *row;
	this.outcome = find_outcome(outcome);
	this.duration = duration;
	if (this.duration < 0 || this.duration > MAX_DURATION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("p_duration must be between 0 and %d", MAX_DURATION),
						   errhint("It is the length of the call in seconds.")));
	ls_call_details_read(details, &this.details);
	ls_enter_org_of("campaign_leads", "campaign lead", &this.row.id, LS_WRITE, &this.row.org);

	this.call = &call;
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_counts_defer(record_call, &this);
	ls_scope_close(&scope);
	return call;
}

PG_FUNCTION_INFO_V1(ls_outreach_record_attempt);

/* record_call_attempt(p_campaign_lead_id, p_outcome, p_duration, p_details) */
Datum
ls_outreach_record_attempt(PG_FUNCTION_ARGS)
{
	pg_uuid_t *call = palloc(sizeof(pg_uuid_t));

	LS_REQUIRE_ARG(0, "p_campaign_lead_id");
	LS_REQUIRE_ARG(1, "p_outcome");
	*call = record_attempt(PG_GETARG_UUID_P(0), text_to_cstring(PG_GETARG_TEXT_PP(1)),
		PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2), PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	PG_RETURN_UUID_P(call);
}

/* record_call() hands on the calls that are a campaign's. */
void
ls_attempts_init(void)
{
	ls_calls_register_campaigns(record_attempt);
}
