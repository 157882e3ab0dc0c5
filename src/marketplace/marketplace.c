/*-------------------------------------------------------------------------
 *
 * marketplace.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "marketplace/internal.h"
#include "marketplace/marketplace.h"

/* Not the id of a tier, for the reason given for pipelines. */
#define TIER_COLUMNS "organization_id, min_rating, discount_multiplier"

static const LsGrant marketplace_grants[] = {
	{"lead_listings", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_listings",
		"INSERT (organization_id, lead_id, base_lead_cost, service_area_radius_km, bidding_closes_at),"
		" UPDATE (base_lead_cost, service_area_radius_km)",
		LS_LEVEL_MANAGER, false},
	{"bids", "SELECT", LS_LEVEL_READONLY, false},
	{"bids", "INSERT (organization_id, id, lead_id, contractor_id, bid_multiplier)", LS_LEVEL_AGENT,
		false},
	{"messages", "SELECT", LS_LEVEL_READONLY, false},
	{"messages",
		"INSERT (organization_id, id, lead_id, sender_id, recipient_id, message_text),"
		" UPDATE (is_read)",
		LS_LEVEL_AGENT, false},
	{"conversions", "SELECT", LS_LEVEL_READONLY, false},
	{"strike_logs", "SELECT", LS_LEVEL_READONLY, false},
	{"ban_appeals", "SELECT", LS_LEVEL_READONLY, false},
	{"contractor_metrics", "SELECT", LS_LEVEL_READONLY, false},
	{"rating_discount_tiers", "SELECT", LS_LEVEL_READONLY, false},
	{"rating_discount_tiers", "DELETE, INSERT (" TIER_COLUMNS "), UPDATE (" TIER_COLUMNS ")",
		LS_LEVEL_ADMIN, false},
	{"marketplace_leads", "SELECT", LS_LEVEL_READONLY, false},
	{"open_bidding(uuid, numeric, timestamptz)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"place_bid(uuid, uuid, numeric)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"cancel_bid(uuid)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"rank_bids(uuid)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"close_bidding(uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"close_due_bidding(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"send_message(uuid, uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"decline_lead(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"expire_response_windows(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"warn_response_windows(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"record_conversion(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"archive_listings(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"appeal_ban(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"review_appeal(uuid, boolean, uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"lift_expired_bans()", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"refresh_contractor_metrics(uuid)", "EXECUTE", LS_LEVEL_ADMIN, true},
};

void
ls_marketplace_init(void)
{
	ls_leads_register_step(ls_market_step);
	ls_leads_register_listener(&ls_market_listener);
	ls_grants_register(marketplace_grants, lengthof(marketplace_grants));
}
