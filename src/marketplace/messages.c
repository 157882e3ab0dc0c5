/*-------------------------------------------------------------------------
 *
 * messages.c
 *	  Messages about a lead (semantics C16).  The first one is what the market
 *	  is about: it comes from the contractor whose window is open, wins the
 *	  lead, converts it and charges the bid.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

#define MAX_MESSAGE 5000

/* A message that is being sent. */
typedef struct NewMessage
{
	pg_uuid_t id;
	pg_uuid_t sender;
	LsMarketBatch batch; /* of its lead alone, which is locked */
} NewMessage;

/* What the market of the lead looks like to the sender. */
typedef struct Standing
{
	bool has_window;
	LsMarketBid holder;
	TimestampTz window_ends_at;
	bool has_winner;
	pg_uuid_t winner; /* the contractor */
	bool is_staff;    /* the sender is no contractor */
} Standing;

/* A message has a text, of limited length. */
static void
check_text(const char *text)
{
	if (pg_mbstrlen(text) > MAX_MESSAGE || text[strspn(text, " \t\r\n")] == '\0')
		ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
				errmsg("a message must have 1 to %d characters", MAX_MESSAGE),
				errdetail("It has %d, white space at its ends included.", pg_mbstrlen(text))));
}

/* Read who has the window, and who has won, after the lead was locked. */
static void
read_standing(const NewMessage *message, Standing *standing)
{
	LS_QUERY(query,
		"SELECT b.id, b.contractor_id, b.bid_rank::integer, b.response_window_ends_at,"
		"       w.contractor_id, NOT u.is_contractor AND u.role <> 'contractor' AND u.is_active"
		"  FROM lead_system.users u"
		"  LEFT JOIN lead_system.lead_listings s ON s.organization_id = $1 AND s.lead_id = $2"
		"  LEFT JOIN lead_system.bids b ON b.organization_id = $1 AND b.lead_id = $2"
		"   AND b.status = 'ACTIVE' AND b.response_window_starts_at IS NOT NULL"
		"  LEFT JOIN lead_system.bids w ON w.organization_id = $1 AND w.id = s.winner_bid_id"
		" WHERE u.organization_id = $1 AND u.id = $3",
		UUIDOID, UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	memset(standing, 0, sizeof(Standing));
	ls_arg_uuid(&args, &message->batch.org);
	ls_arg_uuid(&args, &message->batch.leads[0].id);
	ls_arg_uuid(&args, &message->sender);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
	{
		standing->has_window = !ls_result_isnull(0, 1);
		if (standing->has_window)
		{
			standing->holder.id = ls_result_uuid(0, 1);
			standing->holder.contractor = ls_result_uuid(0, 2);
			standing->holder.rank = ls_result_int32(0, 3);
			standing->holder.lead = message->batch.leads[0].id;
			standing->window_ends_at = ls_result_timestamptz(0, 4);
		}
		standing->has_winner = !ls_result_isnull(0, 5);
		if (standing->has_winner)
			standing->winner = ls_result_uuid(0, 5);
		standing->is_staff = ls_result_bool(0, 6);
	}
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row("user", &message->sender);
}

/* Is the window of the sender open? */
static bool
holds_window(const NewMessage *message, const Standing *standing)
{
	return standing->has_window && ls_uuid_equal(&standing->holder.contractor, &message->sender) &&
		   message->batch.now <= standing->window_ends_at;
}

/*
 * Refuse a sender who does not hold the window.  Only the holder is told when
 * it ended.
 */
static void
refuse_sender(const NewMessage *message, const Standing *standing)
{
	const LsMarketLead *lead = &message->batch.leads[0];
	const char *detail;

	if (standing->has_window && ls_uuid_equal(&standing->holder.contractor, &message->sender))
		detail = psprintf("The window ended at %s.", timestamptz_to_str(standing->window_ends_at));
	else if (standing->has_winner)
		detail = "Another contractor has contacted the lead.";
	else
		detail = psprintf("The lead is %s.", lead->status);
	ereport(
		ERROR, (errcode(LS_ERRCODE_NOT_WINDOW_HOLDER),
				   errmsg("user \"%s\" does not hold the response window of lead \"%s\"",
					   ls_uuid_text(&message->sender), ls_uuid_text(&lead->id)),
				   errdetail("%s", detail),
				   errhint("The first message comes from the contractor whose window is open.")));
}

/*
 * The bid has won; those that were next have lost.  A transaction that began
 * before the window was opened answers at its opening, not before it.
 */
static void
settle_bids(const NewMessage *message, const LsMarketBid *holder)
{
	LS_QUERY(win,
		"UPDATE lead_system.bids SET status = 'WON',"
		"       responded_at = greatest($3, response_window_starts_at)"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LS_QUERY(lose,
		"UPDATE lead_system.bids SET status = 'LOST'"
		" WHERE organization_id = $1 AND lead_id = $2 AND status = 'ACTIVE' AND bid_rank IS NOT NULL",
		UUIDOID, UUIDOID);
	LS_QUERY(listing,
		"UPDATE lead_system.lead_listings SET winner_bid_id = $3"
		" WHERE organization_id = $1 AND lead_id = $2",
		UUIDOID, UUIDOID, UUIDOID);
	const LsMarketBatch *batch = &message->batch;
	LsScope scope;
	LsArgs win_args = {0};
	LsArgs lead_args = {0};
	LsArgs listing_args = {0};

	ls_arg_uuid(&win_args, &batch->org);
	ls_arg_uuid(&win_args, &holder->id);
	ls_arg_timestamptz(&win_args, batch->now);
	ls_arg_uuid(&lead_args, &batch->org);
	ls_arg_uuid(&lead_args, &holder->lead);
	listing_args = lead_args;
	ls_arg_uuid(&listing_args, &holder->id);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_market_run(&listing, &listing_args, NULL);
	ls_query_run(&win, &win_args, LS_WRITE);
	ls_query_run(&lose, &lead_args, LS_WRITE);
	ls_scope_close(&scope);
}

/* The holder of the window has contacted the lead. */
static void
convert(NewMessage *message, const LsMarketBid *holder)
{
	const LsLeadCause cause = {"contractor sent a message", "manual", &message->id, false};
	const char *status = LS_MARKET_CONTACTED;
	LsActivity activity = {.org = &message->batch.org, .lead = &holder->lead};

	settle_bids(message, holder);
	ls_market_move(&message->batch, &status, &cause);
	ls_market_charge_contact(&message->batch.org, &holder->id, message->batch.now);

	activity.action = "lead_contacted";
	activity.new_value =
		ls_json_parse(psprintf("{\"bid_id\": \"%s\", \"contractor_id\": \"%s\", \"rank\": %d}",
			ls_uuid_text(&holder->id), ls_uuid_text(&holder->contractor), holder->rank));
	(void) ls_activity_add(&activity);
}

/*
 * A message comes in: the first one from the holder of the window, further ones
 * from the winner and from the organisation's own people.  What the first one
 * does is done when it is there, see ls_market_messages_convert().
 */
static HeapTuple
check_insert(TriggerData *trigdata)
{
	static const char *const columns[] = {"sent_at", "created_at", "is_read", "read_at"};
	NewMessage message = {.batch = {.n = 1, .now = ls_clock_now()}};
	Datum values[lengthof(columns)] = {TimestampTzGetDatum(message.batch.now),
		TimestampTzGetDatum(message.batch.now), BoolGetDatum(false), (Datum) 0};
	bool nulls[lengthof(columns)] = {false, false, false, true};
	int attnums[lengthof(columns)];
	pg_uuid_t lead_id;
	LsMarketLead lead;
	Standing standing;
	int i;

	message.batch.leads = &lead;
	message.batch.org = *DatumGetUUIDP(ls_market_required(trigdata, "message", "organization_id"));
	ls_check_row_org(trigdata->tg_relation, &message.batch.org);
	message.sender = *DatumGetUUIDP(ls_market_required(trigdata, "message", "sender_id"));
	lead_id = *DatumGetUUIDP(ls_market_required(trigdata, "message", "lead_id"));
	check_text(TextDatumGetCString(ls_market_required(trigdata, "message", "message_text")));
	ls_market_check_self(&message.sender);

	ls_market_lock_lead(&message.batch.org, &lead_id, LS_MARKET_TO_CHANGE, &lead);
	read_standing(&message, &standing);
	if (!holds_window(&message, &standing) &&
		(!standing.has_winner ||
			(!standing.is_staff && !ls_uuid_equal(&standing.winner, &message.sender))))
		refuse_sender(&message, &standing);

	for (i = 0; i < (int) lengthof(columns); i++)
		attnums[i] = ls_trigger_attnum(trigdata->tg_relation, columns[i]);
	return heap_modify_tuple_by_cols(trigdata->tg_trigtuple,
		RelationGetDescr(trigdata->tg_relation), lengthof(columns), attnums, values, nulls);
}

/* A message is marked as read, or as unread: the time goes with it. */
static HeapTuple
check_update(TriggerData *trigdata)
{
	static const char *const frozen[] = {
		"organization_id", "id", "lead_id", "sender_id", "recipient_id", "message_text", "sent_at"};
	Relation rel = trigdata->tg_relation;
	TupleDesc desc = RelationGetDescr(rel);
	int is_read = ls_trigger_attnum(rel, "is_read");
	int read_at = ls_trigger_attnum(rel, "read_at");
	bool isnull;
	bool was_read;
	bool now_read;
	Datum at = SPI_getbinval(trigdata->tg_trigtuple, desc, read_at, &isnull);

	ls_market_refuse_changes(trigdata, "message", frozen, lengthof(frozen),
		"A message can be marked as read: set is_read.");
	was_read = !isnull;
	now_read = DatumGetBool(SPI_getbinval(trigdata->tg_newtuple, desc, is_read, &isnull));
	if (isnull)
		return trigdata->tg_newtuple;
	if (now_read && !was_read)
		at = TimestampTzGetDatum(ls_clock_now());
	isnull = !now_read;
	return heap_modify_tuple_by_cols(trigdata->tg_newtuple, desc, 1, &read_at, &at, &isnull);
}

PG_FUNCTION_INFO_V1(ls_market_messages_check);

/* messages_check(): BEFORE row trigger of messages. */
Datum
ls_market_messages_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "messages_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "messages");

	return PointerGetDatum(TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? check_insert(trigdata)
																	   : check_update(trigdata));
}

PG_FUNCTION_INFO_V1(ls_market_messages_convert);

/*
 * messages_convert(): AFTER INSERT row trigger of messages.  A message that ON
 * CONFLICT or another trigger kept out charges nobody.  The lead is locked since
 * messages_check().
 */
Datum
ls_market_messages_convert(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "messages_convert", LS_TRIGGER_AFTER_ROW, LS_TRIGGER_INSERT, "messages");
	NewMessage message = {.batch = {.n = 1, .now = ls_clock_now()}};
	LsMarketLead lead;
	Standing standing;

	message.batch.leads = &lead;
	message.batch.org = *DatumGetUUIDP(ls_market_required(trigdata, "message", "organization_id"));
	message.id = *DatumGetUUIDP(ls_market_required(trigdata, "message", "id"));
	message.sender = *DatumGetUUIDP(ls_market_required(trigdata, "message", "sender_id"));
	lead.id = *DatumGetUUIDP(ls_market_required(trigdata, "message", "lead_id"));
	read_standing(&message, &standing);
	if (!holds_window(&message, &standing))
		return PointerGetDatum(NULL);
	ls_market_lock_lead(&message.batch.org, &standing.holder.lead, LS_MARKET_TO_CHANGE, &lead);
	convert(&message, &standing.holder);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(ls_market_send_message);

/* send_message(lead_id, sender_id, message_text) */
Datum
ls_market_send_message(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.messages (organization_id, lead_id, sender_id, message_text)"
		" VALUES ($1, $2, $3, $4) RETURNING id",
		UUIDOID, UUIDOID, UUIDOID, TEXTOID);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};

	LS_REQUIRE_ARG(0, "lead_id");
	LS_REQUIRE_ARG(1, "sender_id");
	LS_REQUIRE_ARG(2, "message_text");
	ls_enter_org_of("leads", "lead", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_uuid(&args, PG_GETARG_UUID_P(1));
	ls_arg_datum(&args, PG_GETARG_DATUM(2), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	*id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}
