/*-------------------------------------------------------------------------
 *
 * lead_step.c
 *	  What happens to a market when somebody else changes its lead.
 *
 *	  Leads that are not listed move as their pipeline allows.  Of a listed lead
 *	  the marketplace makes the steps; by hand it can be archived, and an
 *	  administrator can force it to where its market is over.  Bids that were
 *	  open then have lost, without strike and without charge.  A lead that is
 *	  deleted while its market is open is archived with that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* Leads of one organisation that have something in common. */
typedef struct LeadList
{
	void (*flush)(const pg_uuid_t *org, const pg_uuid_t *leads, int n);
	pg_uuid_t org;
	pg_uuid_t *leads;
	int n;
	int capacity;
	MemoryContext context;
} LeadList;

/* Leads that a statement changed, to be looked at when it ends. */
typedef struct MarketState
{
	LeadList over;      /* no longer open */
	LeadList archived;  /* archived, or no longer so */
	LeadList qualified; /* qualified now */
} MarketState;

/* Is a lead listed? */
static bool
is_listed(const pg_uuid_t *org, const pg_uuid_t *lead)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.lead_listings WHERE organization_id = $1 AND lead_id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool listed;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, lead);
	ls_scope_open(&scope, LS_AS_OWNER);
	listed = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return listed;
}

/* The function that makes a step which may not be made by hand. */
static const char *
function_for(const char *status)
{
	if (strcmp(status, LS_MARKET_ACTIVE) == 0)
		return "open_bidding() offers a lead.";
	if (strcmp(status, LS_MARKET_CONTACTED) == 0)
		return "send_message() of the contractor whose window is open contacts the lead.";
	if (strcmp(status, LS_MARKET_CLOSED) == 0 || strcmp(status, LS_MARKET_PENDING "1") == 0)
		return "close_bidding() and close_due_bidding() end the bidding.";
	return "decline_lead() and expire_response_windows() end a window.";
}

/* A step of a listed lead by hand: is it one of those that may be made? */
static void
check_step_by_hand(LsLeadChange *change, const char *from, const char *to)
{
	bool is_archiving = strcmp(to, LS_MARKET_ARCHIVED) == 0;

	if (ls_market_is_open_status(to) || (!is_archiving && !ls_lead_cause()->force))
		ereport(ERROR,
			(errcode(LS_ERRCODE_STATUS_STEP),
				errmsg("status step from \"%s\" to \"%s\" is the marketplace's to make", from, to),
				errdetail("The lead is offered to contractors."), errhint("%s", function_for(to)),
				errtablecol(change->rel, change->row->map->attnum[LEAD_status])));
}

/* Step of the row trigger of leads. */
void
ls_market_step(LsLeadChange *change)
{
	bool isnull;
	bool deleted;
	bool moved;
	char *from;

	if (change->old == NULL || ls_market_is_moving())
		return;
	moved = ls_lead_differs(change->old, change->row, LEAD_status) ||
			ls_lead_differs(change->old, change->row, LEAD_pipeline_id);
	deleted = ls_lead_isnull(change->old, LEAD_deleted_at) &&
			  !ls_lead_isnull(change->row, LEAD_deleted_at);
	if ((!moved && !deleted) ||
		!ls_market_is_pipeline(
			DatumGetUUIDP(ls_lead_get(change->old, LEAD_pipeline_id, &isnull))) ||
		!is_listed(&change->org, DatumGetUUIDP(ls_lead_get(change->row, LEAD_id, &isnull))))
		return;
	ls_market_refuse_contractor(
		deleted ? "delete a lead that is offered" : "change the status of a lead that is offered");
	from = ls_lead_text(change->old, LEAD_status);
	if (moved)
		check_step_by_hand(change, from, ls_lead_text(change->row, LEAD_status));
	if (deleted && ls_market_is_open_status(ls_lead_text(change->row, LEAD_status)))
		ls_lead_change_status_now(change, LS_MARKET_ARCHIVED);
}

/* Leads whose market is over: bids that were open have lost. */
static void
end_markets(const pg_uuid_t *org, const pg_uuid_t *leads, int n)
{
	LS_QUERY(listings,
		"UPDATE lead_system.lead_listings SET bidding_closed_at = $3"
		" WHERE organization_id = $1 AND lead_id = ANY ($2)"
		"   AND bidding_opens_at IS NOT NULL AND bidding_closed_at IS NULL",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID);
	LS_QUERY(ranked,
		"UPDATE lead_system.bids SET status = 'LOST' WHERE organization_id = $1"
		"   AND lead_id = ANY ($2) AND status = 'ACTIVE' AND bid_rank IS NOT NULL",
		UUIDOID, UUIDARRAYOID);
	LsScope scope;
	LsArgs args = {0};
	LsArgs listing_args;
	Datum ids = ls_uuid_array(leads, n);

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ids, false);
	listing_args = args;
	ls_arg_timestamptz(&listing_args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&listings, &listing_args, LS_WRITE);
	ls_query_run(&ranked, &args, LS_WRITE);
	ls_scope_close(&scope);
	ls_market_mark_lost(org, ids);
}

/* Leads that were archived, or are no longer: the listings say so. */
void
ls_market_note_archived(const pg_uuid_t *org, const pg_uuid_t *leads, int n)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_listings s"
		"   SET archived_at = CASE WHEN l.status = 'ARCHIVED' THEN $3 END"
		"  FROM lead_system.leads l WHERE s.organization_id = $1 AND s.lead_id = ANY ($2)"
		"   AND l.organization_id = $1 AND l.id = s.lead_id",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}

/* Do what is to be done with the leads of a list. */
static void
list_flush(LeadList *list)
{
	int n = list->n;

	list->n = 0;
	if (n > 0)
		list->flush(&list->org, list->leads, n);
}

/* Add a lead to a list; a list is of one organisation and of limited length. */
static void
list_add(LeadList *list, const LsLeadRow *row)
{
	bool isnull;
	const pg_uuid_t *org = DatumGetUUIDP(ls_lead_get(row, LEAD_organization_id, &isnull));

	if (list->n == LS_BATCH_ROWS || (list->n > 0 && !ls_uuid_equal(&list->org, org)))
		list_flush(list);
	if (list->leads == NULL)
	{
		list->capacity = 16;
		list->leads = MemoryContextAlloc(list->context, sizeof(pg_uuid_t) * list->capacity);
	}
	if (list->n == list->capacity)
	{
		list->capacity *= 4;
		list->leads = repalloc(list->leads, sizeof(pg_uuid_t) * list->capacity);
	}
	list->org = *org;
	list->leads[list->n++] = *DatumGetUUIDP(ls_lead_get(row, LEAD_id, &isnull));
}

/* The state of the listener, made when the first row calls for it. */
static MarketState *
market_state(LsLeadStatement *statement, void **state)
{
	MarketState *market = *state;

	if (market == NULL)
	{
		market = MemoryContextAllocZero(statement->context, sizeof(MarketState));
		market->over.flush = end_markets;
		market->over.context = statement->context;
		market->archived.flush = ls_market_note_archived;
		market->archived.context = statement->context;
		market->qualified.flush = ls_market_open_listed;
		market->qualified.context = statement->context;
		*state = market;
	}
	return market;
}

/* Note a status step that was made by hand. */
static void
note_step(MarketState *market, const LsLeadRow *old, const LsLeadRow *new)
{
	char *from = ls_lead_text(old, LEAD_status);
	char *to = ls_lead_text(new, LEAD_status);

	if (ls_market_is_open_status(from) && !ls_market_is_open_status(to))
		list_add(&market->over, new);
	if ((strcmp(from, LS_MARKET_ARCHIVED) == 0) != (strcmp(to, LS_MARKET_ARCHIVED) == 0))
		list_add(&market->archived, new);
}

/*
 * Listener: one row.  What follows from the marketplace's own steps is done
 * where they are made.
 */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	bool moved;
	bool qualified;
	bool isnull;

	if (old == NULL || new == NULL || ls_market_is_moving())
		return;
	moved = ls_lead_differs(old, new, LEAD_status) || ls_lead_differs(old, new, LEAD_pipeline_id);
	qualified = ls_lead_bool(new, LEAD_is_qualified) && !ls_lead_bool(old, LEAD_is_qualified);
	if ((!moved && !qualified) ||
		!ls_market_is_pipeline(DatumGetUUIDP(ls_lead_get(old, LEAD_pipeline_id, &isnull))))
		return;
	if (moved)
		note_step(market_state(statement, state), old, new);
	if (qualified)
		list_add(&market_state(statement, state)->qualified, new);
}

/* Listener: write what is left. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	MarketState *market = *state;

	list_flush(&market->over);
	list_flush(&market->archived);
	list_flush(&market->qualified);
}

const LsLeadListener ls_market_listener = {listener_row, listener_end};
