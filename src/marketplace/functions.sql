-- marketplace: bidding, windows, messages, strikes, bans.

CREATE FUNCTION lead_system.open_bidding(lead_id uuid, base_lead_cost numeric, closes_at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_open_bidding';
COMMENT ON FUNCTION lead_system.open_bidding(uuid, numeric, timestamptz) IS
    'Offers a lead to contractors: status ACTIVE until closes_at, by default marketplace.bidding_minutes from now (semantics C5). base_lead_cost may be NULL for a lead that is listed already. Opening by hand says that the lead is qualified. Raises 55000 for a lead that was offered before or is in another pipeline.';
REVOKE ALL ON FUNCTION lead_system.open_bidding(uuid, numeric, timestamptz) FROM PUBLIC;

CREATE FUNCTION lead_system.place_bid(lead_id uuid, contractor_id uuid, bid_multiplier numeric) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_place_bid';
COMMENT ON FUNCTION lead_system.place_bid(uuid, uuid, numeric) IS
    'Bids for a lead, as INSERT INTO bids does; returns the bid''s id (semantics C1, C15). bid_multiplier is 0.50 to 2.00, rounded to two decimals. Raises LS010 when bidding is not open, LS011 for a banned contractor, LS012 for one who is not eligible, 23505 for a second bid on the lead.';
REVOKE ALL ON FUNCTION lead_system.place_bid(uuid, uuid, numeric) FROM PUBLIC;

CREATE FUNCTION lead_system.cancel_bid(bid_id uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_cancel_bid';
COMMENT ON FUNCTION lead_system.cancel_bid(uuid) IS
    'Takes a bid back while bidding is open; nothing happens when it is cancelled already. Raises LS010 once bidding is closed.';
REVOKE ALL ON FUNCTION lead_system.cancel_bid(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.rank_bids(lead_id uuid)
    RETURNS TABLE (bid_id uuid, contractor_id uuid, final_bid_amount numeric, bid_rank integer)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'ls_market_rank_bids';
COMMENT ON FUNCTION lead_system.rank_bids(uuid) IS
    'All bids of a lead but cancelled ones, in the order of their rank: amount, then the earlier bid, then the better rating (semantics C2). A contractor''s session sees its own bid without rank while bidding is open, and after that the ranks of all, with its own amount alone.';
REVOKE ALL ON FUNCTION lead_system.rank_bids(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.close_bidding(lead_id uuid) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_close_bidding';
COMMENT ON FUNCTION lead_system.close_bidding(uuid) IS
    'Closes bidding on a lead now: ranks the first three bids and gives the first one its response window; a lead without bids is EXPIRED. Returns the number of windows granted, 0 or 1. Raises LS010 when bidding is not open.';
REVOKE ALL ON FUNCTION lead_system.close_bidding(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.close_due_bidding(batch integer DEFAULT 100) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_close_due';
COMMENT ON FUNCTION lead_system.close_due_bidding(integer) IS
    'Closes bidding on up to batch leads whose time is over, set-wise; returns how many. Leads that another session holds are left for the next run. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.close_due_bidding(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.send_message(lead_id uuid, sender_id uuid, message_text text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_send_message';
COMMENT ON FUNCTION lead_system.send_message(uuid, uuid, text) IS
    'Sends a message about a lead, as INSERT INTO messages does; returns its id. The first one must come from the contractor whose window is open; it wins the lead and charges the bid (semantics C16). Raises LS013 for anybody else.';
REVOKE ALL ON FUNCTION lead_system.send_message(uuid, uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.decline_lead(bid_id uuid, reason text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_decline';
COMMENT ON FUNCTION lead_system.decline_lead(uuid, text) IS
    'The contractor whose window is open cannot contact the lead: no charge, no strike, the next one''s window begins at once (semantics C14). Raises LS013 when the bid''s window is not open.';
REVOKE ALL ON FUNCTION lead_system.decline_lead(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.expire_response_windows(batch integer DEFAULT 100) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_expire_windows';
COMMENT ON FUNCTION lead_system.expire_response_windows(integer) IS
    'Ends up to batch response windows that have lapsed, set-wise: a strike each, once and once only, and the next contractor''s window begins (semantics C6, C10, C11); returns how many. Leads that another session holds are left for the next run. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.expire_response_windows(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.warn_response_windows(batch integer DEFAULT 100) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_warn_windows';
COMMENT ON FUNCTION lead_system.warn_response_windows(integer) IS
    'Writes an activity window_ending_soon for up to batch leads whose open response window ends within marketplace.warning_minutes, once per window (semantics C6); returns how many. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.warn_response_windows(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.record_conversion(lead_id uuid, conversion_type text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_record_conversion';
COMMENT ON FUNCTION lead_system.record_conversion(uuid, text) IS
    'Records that the contractor who won a lead has booked the job, or was paid (booked, paid); returns the conversion''s id, also of one that was recorded before. Raises 55000 for a lead that nobody has won.';
REVOKE ALL ON FUNCTION lead_system.record_conversion(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.archive_listings(batch integer DEFAULT 100) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_archive_listings';
COMMENT ON FUNCTION lead_system.archive_listings(integer) IS
    'Moves up to batch leads that were offered, are older than marketplace.archive_after_days and have neither bidding nor a window open to ARCHIVED (semantics C7); returns how many. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.archive_listings(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.appeal_ban(contractor_id uuid, appeal_reason text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_appeal_ban';
COMMENT ON FUNCTION lead_system.appeal_ban(uuid, text) IS
    'A banned contractor asks to be let in again, in 10 to 1000 characters; returns the appeal''s id. Raises 55000 when the contractor is not banned or an appeal was rejected a short time ago, 23505 while one is pending (semantics C13).';
REVOKE ALL ON FUNCTION lead_system.appeal_ban(uuid, text) FROM PUBLIC;

CREATE FUNCTION lead_system.review_appeal(appeal_id uuid, approve boolean, reviewed_by uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_review_appeal';
COMMENT ON FUNCTION lead_system.review_appeal(uuid, boolean, uuid) IS
    'Decides an appeal: approved, the ban ends and strike_count starts anew. reviewed_by may be NULL for the session''s user. Raises 55000 for an appeal that is decided already, 42501 for a reviewer who is a contractor.';
REVOKE ALL ON FUNCTION lead_system.review_appeal(uuid, boolean, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.lift_expired_bans() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_lift_bans';
COMMENT ON FUNCTION lead_system.lift_expired_bans() IS
    'Writes down that bans which have run out are over, and starts strike_count anew; returns how many. They do not hinder bidding any more before that. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.lift_expired_bans() FROM PUBLIC;

CREATE FUNCTION lead_system.refresh_contractor_metrics(contractor_id uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_refresh_metrics';
COMMENT ON FUNCTION lead_system.refresh_contractor_metrics(uuid) IS
    'Recomputes a contractor''s metrics from bids and conversions. Finds nothing to change unless somebody has written the tables by other means; then says so in a NOTICE.';
REVOKE ALL ON FUNCTION lead_system.refresh_contractor_metrics(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.lead_listings_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_listings_check';
COMMENT ON FUNCTION lead_system.lead_listings_check() IS
    'Trigger of lead_listings: what is offered must be a lead of a marketplace pipeline; what bidders rely on does not change.';
REVOKE ALL ON FUNCTION lead_system.lead_listings_check() FROM PUBLIC;

CREATE FUNCTION lead_system.lead_listings_added() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_listings_added';
COMMENT ON FUNCTION lead_system.lead_listings_added() IS
    'Trigger of lead_listings: opens bidding on leads that are qualified, if marketplace.auto_open is on.';
REVOKE ALL ON FUNCTION lead_system.lead_listings_added() FROM PUBLIC;

CREATE FUNCTION lead_system.bids_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_bids_check';
COMMENT ON FUNCTION lead_system.bids_check() IS
    'Trigger of bids: who may bid, and what the bid amounts to; a bid that was placed does not change.';
REVOKE ALL ON FUNCTION lead_system.bids_check() FROM PUBLIC;

CREATE FUNCTION lead_system.contractor_metrics_follow() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_metrics_follow';
COMMENT ON FUNCTION lead_system.contractor_metrics_follow() IS
    'Trigger of bids and conversions: keeps contractor_metrics and users.response_rate.';
REVOKE ALL ON FUNCTION lead_system.contractor_metrics_follow() FROM PUBLIC;

CREATE FUNCTION lead_system.messages_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_messages_check';
COMMENT ON FUNCTION lead_system.messages_check() IS
    'Trigger of messages: who may send one. A message that was sent can be marked as read, not changed.';
REVOKE ALL ON FUNCTION lead_system.messages_check() FROM PUBLIC;

CREATE FUNCTION lead_system.messages_convert() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_messages_convert';
COMMENT ON FUNCTION lead_system.messages_convert() IS
    'Trigger of messages: the first one converts the lead, once it is there.';
REVOKE ALL ON FUNCTION lead_system.messages_convert() FROM PUBLIC;

CREATE FUNCTION lead_system.pipeline_statuses_keep_market() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_keep_statuses';
COMMENT ON FUNCTION lead_system.pipeline_statuses_keep_market() IS
    'Trigger of pipeline_statuses: a pipeline whose leads are offered keeps the statuses of the marketplace.';
REVOKE ALL ON FUNCTION lead_system.pipeline_statuses_keep_market() FROM PUBLIC;

CREATE FUNCTION lead_system.users_rating_discount() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_rating_discount';
COMMENT ON FUNCTION lead_system.users_rating_discount() IS
    'Trigger of users: lead_discount_multiplier follows profile_rating.';
REVOKE ALL ON FUNCTION lead_system.users_rating_discount() FROM PUBLIC;

CREATE FUNCTION lead_system.rating_discount_tiers_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_market_tiers_changed';
COMMENT ON FUNCTION lead_system.rating_discount_tiers_changed() IS
    'Trigger of rating_discount_tiers: gives users the discounts of the changed tiers.';
REVOKE ALL ON FUNCTION lead_system.rating_discount_tiers_changed() FROM PUBLIC;
