/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of the marketplace share among themselves.
 *
 *	  Locks are taken in the order leads, lead_listings, bids, users,
 *	  contractor_metrics; several rows of one table in the order of their ids.
 *	  Whoever changes the state of a lead's market holds the lead's row; bidders
 *	  hold it FOR SHARE, so that they do not wait for each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_MARKETPLACE_INTERNAL_H
#define LS_MARKETPLACE_INTERNAL_H

#include "commands/trigger.h"
#include "utils/timestamp.h"

#include "core/query.h"
#include "core/sweep.h"
#include "leads/leads.h"

/* The statuses of the state machine (semantics C7). */
#define LS_MARKET_CREATED "CREATED"
#define LS_MARKET_ACTIVE "ACTIVE"
#define LS_MARKET_CLOSED "BIDDING_CLOSED"
#define LS_MARKET_PENDING "PENDING_RESPONSE_" /* and the rank */
#define LS_MARKET_CONTACTED "CONTACTED"
#define LS_MARKET_EXPIRED "EXPIRED"
#define LS_MARKET_ARCHIVED "ARCHIVED"

/* The order of bids (C2), as in the index bids_rank_idx, which has those without rank. */
#define LS_RANK_ORDER_SQL(bid) \
	bid ".rank_amount DESC, " bid ".bid_placed_at, " bid ".rating_at_bid DESC, " bid ".id"

/* Bids that closing marks as LOST itself, per lead; the sweeper does the rest. */
#define LS_MARKET_MARK_AT_CLOSE 100

/* Rows that one call of a sweeper may ask for. */
#define LS_MARKET_MAX_BATCH 1000000

/* A lead whose row is locked, and where it stands. */
typedef struct LsMarketLead
{
	pg_uuid_t id;
	pg_uuid_t pipeline;
	const char *status;
	pg_uuid_t bid; /* what made a sweeper find the lead; else not set */
} LsMarketLead;

/* Leads of one organisation that are worked on together. */
typedef struct LsMarketBatch
{
	pg_uuid_t org;
	TimestampTz now;
	LsMarketLead *leads;
	int n;
} LsMarketBatch;

/* How a lead is locked. */
typedef enum LsMarketLock
{
	LS_MARKET_TO_BID,   /* beside others who bid */
	LS_MARKET_TO_CHANGE /* alone */
} LsMarketLock;

/* A bid with its window. */
typedef struct LsMarketBid
{
	pg_uuid_t id;
	pg_uuid_t lead;
	pg_uuid_t contractor;
	int rank; /* 0 when it has none */
} LsMarketBid;

/* state.c */
extern bool ls_market_is_moving(void);
extern bool ls_market_is_open_status(const char *status);
extern const char *ls_market_pending_status(int rank);
extern void ls_market_lock_lead(
	const pg_uuid_t *org, const pg_uuid_t *lead, LsMarketLock lock, LsMarketLead *result);
extern void ls_market_move(
	LsMarketBatch *batch, const char *const *statuses, const LsLeadCause *cause);
extern uint64 ls_market_run(LsQuery *query, const LsArgs *args, const LsLeadCause *cause);
extern Datum ls_market_lead_ids(const LsMarketBatch *batch);
extern TimestampTz ls_market_minutes_later(TimestampTz at, int minutes);
extern void ls_market_check_self(const pg_uuid_t *contractor);
extern void ls_market_refuse_contractor(const char *action);

/* pipeline.c */
extern bool ls_market_is_pipeline(const pg_uuid_t *pipeline);

/* columns.c */
extern Datum ls_market_required(TriggerData *trigdata, const char *what, const char *column);
extern void ls_market_refuse_changes(
	TriggerData *trigdata, const char *what, const char *const *columns, int n, const char *hint);

/* bids.c */
extern void ls_market_read_bid(const pg_uuid_t *org, const pg_uuid_t *id, LsMarketBid *bid);

/* sweep.c */
extern Datum ls_market_lock_contractors(const pg_uuid_t *org, const pg_uuid_t *ids, int n);
extern int ls_market_compare_ids(const void *a, const void *b);
extern void ls_market_read_leads(LsMarketBatch *batch, LsQuery *query, const LsArgs *args);
extern bool ls_market_id_in(Datum uuid_array, const pg_uuid_t *id);

/* listings.c */
extern void ls_market_open_listed(const pg_uuid_t *org, const pg_uuid_t *leads, int n);

/* close.c */
extern void ls_market_mark_lost(const pg_uuid_t *org, Datum lead_ids);

/* windows.c */
extern void ls_market_note_windows(
	const LsMarketBatch *batch, const LsMarketBid *bids, int n, TimestampTz ends_at);

/* strikes.c */
extern void ls_market_note_unbanned(
	const pg_uuid_t *org, const pg_uuid_t *contractors, int n, const char *how);
extern void ls_market_strike(const LsMarketBatch *batch, const LsMarketBid *bids, int n);

/* charge.c */
extern void ls_market_charge_windows(const pg_uuid_t *org, Datum bid_ids, TimestampTz at);
extern void ls_market_charge_contact(const pg_uuid_t *org, const pg_uuid_t *bid, TimestampTz at);

/* lead_step.c */
extern void ls_market_note_archived(const pg_uuid_t *org, const pg_uuid_t *leads, int n);
extern void ls_market_step(LsLeadChange *change);
extern const LsLeadListener ls_market_listener;

#endif /* LS_MARKETPLACE_INTERNAL_H */
