-- marketplace: the life of leads that are offered, from listing to archive
-- (semantics C1 to C17).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set market 'f4000000-0000-4000-8000-00000000000a'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'market', 'Market', 'marketplace');
SET app.current_org_id = :'market';
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_contractor, profile_rating)
SELECT :'market', ('f4000000-0000-4000-8000-0000000000a' || i)::uuid, n, n || '@example.com', 'contractor', true, r
  FROM (VALUES (1, 'ada', 4.90), (2, 'ben', 4.50), (3, 'cleo', 4.20), (4, 'dan', 0), (5, 'eva', 3.99)) v(i, n, r);
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'market', 'f4000000-0000-4000-8000-0000000000a9', 'meg', 'meg@example.com', 'manager');
\set ada  'f4000000-0000-4000-8000-0000000000a1'
\set ben  'f4000000-0000-4000-8000-0000000000a2'
\set cleo 'f4000000-0000-4000-8000-0000000000a3'
\set dan  'f4000000-0000-4000-8000-0000000000a4'
\set eva  'f4000000-0000-4000-8000-0000000000a5'
\set meg  'f4000000-0000-4000-8000-0000000000a9'
-- The discount follows the rating (C4); own tiers replace the built-in ones as a whole.
SELECT full_name, profile_rating, lead_discount_multiplier FROM lead_system.users WHERE organization_id = :'market' ORDER BY full_name;
BEGIN;
INSERT INTO lead_system.rating_discount_tiers (organization_id, min_rating, discount_multiplier) VALUES (:'market', 4.90, 0.50);
SELECT full_name, lead_discount_multiplier FROM lead_system.users WHERE organization_id = :'market' ORDER BY full_name;
DELETE FROM lead_system.rating_discount_tiers WHERE organization_id = :'market';
SELECT full_name, lead_discount_multiplier FROM lead_system.users WHERE organization_id = :'market' ORDER BY full_name;
ROLLBACK;

INSERT INTO lead_system.leads (organization_id, id, title, zip_code, category_id)
SELECT :'market', ('f4000000-0000-4000-8000-00000000010' || i)::uuid, 'lead ' || i, '60601',
       (SELECT id FROM lead_system.categories WHERE organization_id = :'market' AND slug = 'roofing')
  FROM generate_series(1, 7) i;
INSERT INTO lead_system.leads (organization_id, id, title, pipeline_id) VALUES
    (:'market', 'f4000000-0000-4000-8000-000000000108', 'lead of sales', '00000000-0000-7000-8000-000000000001');
\set one   'f4000000-0000-4000-8000-000000000101'
\set two   'f4000000-0000-4000-8000-000000000102'
\set three 'f4000000-0000-4000-8000-000000000103'
\set four  'f4000000-0000-4000-8000-000000000104'
\set five  'f4000000-0000-4000-8000-000000000105'
\set six   'f4000000-0000-4000-8000-000000000106'
\set seven 'f4000000-0000-4000-8000-000000000107'
\set sales 'f4000000-0000-4000-8000-000000000108'
CREATE TEMP VIEW state AS
SELECT l.title, l.status, s.bidding_opens_at, s.bidding_closes_at, s.bidding_closed_at, u.full_name AS winner
  FROM lead_system.leads l
  LEFT JOIN lead_system.lead_listings s ON s.organization_id = l.organization_id AND s.lead_id = l.id
  LEFT JOIN lead_system.bids b ON b.organization_id = l.organization_id AND b.id = s.winner_bid_id
  LEFT JOIN lead_system.users u ON u.organization_id = l.organization_id AND u.id = b.contractor_id
 WHERE l.organization_id = 'f4000000-0000-4000-8000-00000000000a' ORDER BY l.title;
CREATE TEMP VIEW auction AS
SELECT l.title, u.full_name, b.bid_multiplier AS multiplier, b.discount_multiplier AS discount, b.final_bid_amount AS amount, b.bid_rank AS rank,
       b.charge_amount AS charge, b.status, b.response_window_starts_at AS window_from, b.response_window_ends_at AS window_to,
       b.responded_at, b.declined_reason, b.strike_applied AS strike
  FROM lead_system.bids b
  JOIN lead_system.leads l ON l.organization_id = b.organization_id AND l.id = b.lead_id
  JOIN lead_system.users u ON u.organization_id = b.organization_id AND u.id = b.contractor_id
 WHERE b.organization_id = 'f4000000-0000-4000-8000-00000000000a'
 ORDER BY l.title, b.rank_amount DESC, b.bid_placed_at, b.rating_at_bid DESC, b.id;

--
-- Opening (C5)
--
SELECT lead_system.open_bidding(:'one', 72.00);
SELECT lead_system.open_bidding(:'two', 100, '2026-03-02 15:10:00+00');
-- a listing opens by itself when its lead is qualified
INSERT INTO lead_system.lead_listings (organization_id, lead_id, base_lead_cost) VALUES (:'market', :'three', 50);
SELECT * FROM state WHERE title = 'lead 3';
UPDATE lead_system.leads SET is_qualified = true WHERE id = :'three';
UPDATE lead_system.leads SET is_qualified = true WHERE id = :'four';
INSERT INTO lead_system.lead_listings (organization_id, lead_id, base_lead_cost, bidding_closes_at) VALUES (:'market', :'four', 50, '2026-03-02 18:00:00+00');
SELECT * FROM state;
-- refused
SELECT lead_system.open_bidding(:'one', 72.00);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.open_bidding(:'sales', 72.00);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.open_bidding(:'five', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.open_bidding(:'five', 10, '2026-03-02 15:00:00+00');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.open_bidding(:'five', 0);
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.lead_listings SET base_lead_cost = 1 WHERE organization_id = :'market' AND lead_id = :'one';
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status(:'one', 'BIDDING_CLOSED');
\echo :LAST_ERROR_SQLSTATE

--
-- Bids (C1, C2, C15)
--
SELECT lead_system.place_bid(:'one', :'ada', 1.40) IS NOT NULL AS placed;
SET lead_system.now = '2026-03-02 15:01:00+00';
INSERT INTO lead_system.bids (organization_id, id, lead_id, contractor_id, bid_multiplier) VALUES
    (:'market', 'f4000000-0000-4000-8000-000000000201', :'one', :'ben', 1.25),
    (:'market', 'f4000000-0000-4000-8000-000000000202', :'one', :'cleo', 1.30),
    (:'market', 'f4000000-0000-4000-8000-000000000203', :'one', :'dan', 1.05),
    (:'market', 'f4000000-0000-4000-8000-000000000204', :'one', :'eva', 0.50),
    (:'market', 'f4000000-0000-4000-8000-000000000205', :'two', :'dan', 2.00),
    (:'market', 'f4000000-0000-4000-8000-000000000206', :'three', :'dan', 1.00),
    (:'market', 'f4000000-0000-4000-8000-000000000207', :'three', :'eva', 1.00),
    (:'market', 'f4000000-0000-4000-8000-000000000208', :'three', :'ben', 1.00);
-- a rating that changes counts for later bids
UPDATE lead_system.users SET profile_rating = 5.00 WHERE id = :'dan';
SELECT title, full_name, multiplier, discount, amount, status FROM auction;
SELECT u.full_name, r.final_bid_amount, r.bid_rank FROM lead_system.rank_bids(:'one') r JOIN lead_system.users u ON u.id = r.contractor_id ORDER BY r.bid_rank;
-- refused
SELECT lead_system.place_bid(:'one', :'ben', 2.00);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.place_bid(:'four', :'ada', 2.001);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.place_bid(:'four', :'ada', 0.49);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.place_bid(:'five', :'ada', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.place_bid(:'four', :'meg', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.place_bid(:'four', :'market', 1);
\echo :LAST_ERROR_SQLSTATE
BEGIN;
UPDATE lead_system.users SET contractor_categories = ARRAY[:'market']::uuid[] WHERE id = :'ada';
SELECT lead_system.place_bid(:'four', :'ada', 1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
UPDATE lead_system.users SET service_area_zip_codes = '{10001,10002}' WHERE id = :'ada';
SELECT lead_system.place_bid(:'four', :'ada', 1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
UPDATE lead_system.users SET is_active = false WHERE id = :'ada';
SELECT lead_system.place_bid(:'four', :'ada', 1);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
UPDATE lead_system.bids SET final_bid_amount = 1 WHERE organization_id = :'market' AND id = 'f4000000-0000-4000-8000-000000000201';
\echo :LAST_ERROR_SQLSTATE
-- a bid is taken back while bidding is open, and cannot be placed again
SELECT lead_system.cancel_bid('f4000000-0000-4000-8000-000000000208');
SELECT lead_system.cancel_bid('f4000000-0000-4000-8000-000000000208');
SELECT lead_system.place_bid(:'three', :'ben', 1.00);
\echo :LAST_ERROR_SQLSTATE

--
-- The end of bidding: a bid at the closing time is late
--
SET lead_system.now = '2026-03-02 15:10:00+00';
SELECT lead_system.place_bid(:'two', :'ada', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.close_due_bidding();
SET lead_system.now = '2026-03-02 15:30:00+00';
SELECT lead_system.close_due_bidding();
SELECT lead_system.close_due_bidding();
SELECT lead_system.close_bidding(:'four');
SELECT lead_system.close_bidding(:'four');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.cancel_bid('f4000000-0000-4000-8000-000000000201');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM state;
SELECT title, full_name, amount, rank, charge, status, window_from, window_to FROM auction;

--
-- Windows (C6, C10, C14): a reply at the very end counts
--
SELECT lead_system.send_message(:'one', :'ada', 'Too early');
\echo :LAST_ERROR_SQLSTATE
SET lead_system.now = '2026-03-02 17:10:00+00';
SELECT lead_system.expire_response_windows();
SELECT lead_system.send_message(:'two', :'dan', 'At the very end') IS NOT NULL AS sent;
SET lead_system.now = '2026-03-02 17:30:00.000001+00';
SELECT lead_system.send_message(:'one', :'cleo', 'Too late');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.decline_lead('f4000000-0000-4000-8000-000000000202', 'Too late');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.expire_response_windows(1);
SELECT lead_system.expire_response_windows();
SELECT lead_system.expire_response_windows();
SELECT * FROM state;
SELECT lead_system.decline_lead('f4000000-0000-4000-8000-000000000201', 'Not yet');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.decline_lead((SELECT id FROM lead_system.bids WHERE lead_id = :'one' AND contractor_id = :'ada'), 'Number does not answer');
SELECT lead_system.send_message(:'one', :'ben', '');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.messages (organization_id, id, lead_id, sender_id, message_text)
VALUES (:'market', 'f4000000-0000-4000-8000-000000000301', :'one', :'ben', 'Good morning');
SELECT lead_system.send_message(:'one', :'ada', 'Me, too');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.send_message(:'one', :'ben', 'We come tomorrow') IS NOT NULL AND lead_system.send_message(:'one', :'meg', 'Good') IS NOT NULL AS sent;
UPDATE lead_system.messages SET is_read = true WHERE organization_id = :'market' AND id = 'f4000000-0000-4000-8000-000000000301';
UPDATE lead_system.messages SET message_text = 'Bad morning' WHERE organization_id = :'market' AND id = 'f4000000-0000-4000-8000-000000000301';
\echo :LAST_ERROR_SQLSTATE
-- three: both bidders let their windows lapse
SET lead_system.now = '2026-03-02 20:00:00+00';
SELECT lead_system.expire_response_windows();
SELECT * FROM state;
SELECT title, full_name, rank, status, window_from, window_to, responded_at, declined_reason, strike FROM auction;
SELECT lead_system.record_conversion(:'one', 'booked') IS NOT NULL AND lead_system.record_conversion(:'one', 'booked') IS NOT NULL AS recorded;
SELECT lead_system.record_conversion(:'three', 'booked');
\echo :LAST_ERROR_SQLSTATE

--
-- What was written
--
SELECT l.title, u.full_name, c.conversion_type, c.amount, c.currency, c.charged_at, c.converted_at
  FROM lead_system.conversions c JOIN lead_system.leads l ON l.id = c.lead_id JOIN lead_system.users u ON u.id = c.contractor_id
 WHERE c.organization_id = :'market' ORDER BY c.id;
SELECT l.title, u.full_name, s.strike_reason, s.strike_count_after, s.ban_triggered, s.created_at
  FROM lead_system.strike_logs s JOIN lead_system.leads l ON l.id = s.lead_id JOIN lead_system.users u ON u.id = s.contractor_id
 WHERE s.organization_id = :'market' ORDER BY s.created_at, l.title;
SELECT l.title, h.old_status, h.new_status, h.trigger_type, h.reason, h.created_at
  FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.id = h.lead_id
 WHERE h.organization_id = :'market' ORDER BY l.title, h.id;
SELECT a.action_type, a.new_value - 'bid_id' AS new_value, a.description FROM lead_system.activities a
 WHERE a.organization_id = :'market' AND a.lead_id = :'one' ORDER BY a.id;
SELECT u.full_name, m.total_bids_placed AS bids, m.total_leads_won AS won, m.total_leads_contacted AS contacted, m.contact_rate,
       m.avg_time_to_contact_minutes AS minutes, m.total_spent, u.response_rate, u.strike_count
  FROM lead_system.contractor_metrics m JOIN lead_system.users u ON u.id = m.contractor_id WHERE m.organization_id = :'market' ORDER BY 1;
-- finds nothing to change
SELECT u.full_name, lead_system.refresh_contractor_metrics(u.id) FROM lead_system.users u WHERE u.organization_id = :'market' AND u.is_contractor ORDER BY 1;

--
-- A ban, an appeal, and the end of a ban (C11 to C13)
--
SELECT lead_system.set_config('marketplace.strikes_until_ban', '2');
SELECT lead_system.appeal_ban(:'dan', 'I have done nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.open_bidding(:'five', 10), lead_system.place_bid(:'five', :'dan', 2), lead_system.place_bid(:'five', :'eva', 1) \g /dev/null
SELECT lead_system.close_bidding(:'five');
SET lead_system.now = '2026-03-02 22:00:01+00';
SELECT lead_system.expire_response_windows();
SELECT full_name, strike_count, is_bidding_banned, bidding_ban_until FROM lead_system.users WHERE id = :'dan';
SELECT lead_system.open_bidding(:'six', 10);
SELECT lead_system.place_bid(:'six', :'dan', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.appeal_ban(:'dan', 'Too short');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.appeal_ban(:'dan', 'I was in hospital') AS appeal \gset
\set VERBOSITY sqlstate
SELECT lead_system.appeal_ban(:'dan', 'I was in hospital, really');
\set VERBOSITY default
SELECT lead_system.review_appeal(:'appeal', true, :'ada');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.review_appeal(:'appeal', false, :'meg');
\set VERBOSITY sqlstate
SELECT lead_system.review_appeal(:'appeal', true, :'meg');
\set VERBOSITY default
SET lead_system.now = '2026-03-09 22:00:00+00';
SELECT lead_system.appeal_ban(:'dan', 'Six days and some hours later');
\echo :LAST_ERROR_SQLSTATE
SET lead_system.now = '2026-03-09 22:00:01+00';
SELECT lead_system.appeal_ban(:'dan', 'Seven days later') AS appeal \gset
BEGIN;
SELECT lead_system.review_appeal(:'appeal', true, :'meg');
SELECT full_name, strike_count, is_bidding_banned, bidding_ban_until, strikes_reset_at FROM lead_system.users WHERE id = :'dan';
SELECT status, review_due_at, reviewed_at FROM lead_system.ban_appeals WHERE organization_id = :'market' ORDER BY created_at;
ROLLBACK;
-- a ban ends by itself, whether that was written down or not
SET lead_system.now = '2026-04-01 22:00:00+00';
SELECT lead_system.lift_expired_bans();
SET lead_system.now = '2026-04-01 22:00:01+00';
SELECT lead_system.open_bidding(:'seven', 10), lead_system.place_bid(:'seven', :'dan', 1) \g /dev/null
SELECT lead_system.lift_expired_bans();
SELECT lead_system.lift_expired_bans();
SELECT full_name, strike_count, is_bidding_banned, bidding_ban_until FROM lead_system.users WHERE id = :'dan';

--
-- The archive (C7): by hand while bids are open, and by age
--
SELECT lead_system.change_lead_status(:'seven', 'ARCHIVED', 'withdrawn');
SELECT title, full_name, status FROM auction WHERE title = 'lead 7';
SELECT lead_system.close_due_bidding();
SELECT lead_system.archive_listings();
SELECT lead_system.archive_listings();
SELECT * FROM state;

--
-- What a contractor sees
--
CREATE ROLE regress_ls_contractor;
SELECT lead_system.grant_access('regress_ls_contractor', 'agent');
INSERT INTO lead_system.leads (organization_id, id, title) VALUES (:'market', 'f4000000-0000-4000-8000-000000000109', 'lead 9');
\set nine 'f4000000-0000-4000-8000-000000000109'
SELECT lead_system.open_bidding(:'nine', 10), lead_system.place_bid(:'nine', :'ada', 2), lead_system.place_bid(:'nine', :'ben', 1) \g /dev/null
SET ROLE regress_ls_contractor;
SET app.current_user_id = :'ben';
SELECT count(*) AS own, count(*) FILTER (WHERE contractor_id <> :'ben') AS of_others FROM lead_system.bids;
SELECT final_bid_amount, bid_rank FROM lead_system.rank_bids(:'nine');
SELECT lead_system.place_bid(:'six', :'ada', 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier) VALUES (:'market', :'nine', :'cleo', 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET app.current_user_id = '';
SELECT lead_system.close_bidding(:'nine');
SET app.current_user_id = :'ben';
SET ROLE regress_ls_contractor;
SELECT contractor_id = :'ben' AS own, final_bid_amount, bid_rank FROM lead_system.rank_bids(:'nine');
SELECT count(*) FILTER (WHERE contractor_id <> :'ben') AS charges_of_others FROM lead_system.conversions;
RESET ROLE;
SET app.current_user_id = '';

--
-- Other rules: ranked before the discount, second price, charged for the window, late bids extend
--
BEGIN;
SELECT lead_system.set_config('marketplace.rank_by', '"gross_amount"'), lead_system.set_config('marketplace.pricing', '"second"'),
       lead_system.set_config('marketplace.charge_on', '"win"'), lead_system.set_config('marketplace.anti_snipe', 'true') \g /dev/null
INSERT INTO lead_system.leads (organization_id, id, title) VALUES (:'market', 'f4000000-0000-4000-8000-00000000010a', 'lead A');
\set ten 'f4000000-0000-4000-8000-00000000010a'
SELECT lead_system.open_bidding(:'ten', 100), lead_system.place_bid(:'ten', :'ada', 1.50), lead_system.place_bid(:'ten', :'dan', 1.45) \g /dev/null
SET lead_system.now = '2026-04-01 22:28:01+00';
SELECT lead_system.place_bid(:'ten', :'eva', 1.45) IS NOT NULL AS placed;
SELECT bidding_closes_at FROM lead_system.lead_listings WHERE lead_id = :'ten';
SELECT lead_system.close_bidding(:'ten');
SELECT full_name, multiplier, discount, amount, rank, charge, status FROM auction WHERE title = 'lead A';
SELECT conversion_type, amount FROM lead_system.conversions WHERE lead_id = :'ten';
SELECT lead_system.send_message(:'ten', :'ada', 'Good morning') IS NOT NULL AS sent;
SELECT conversion_type, amount FROM lead_system.conversions WHERE lead_id = :'ten' ORDER BY conversion_type;
ROLLBACK;
SET lead_system.now = '2026-04-01 22:00:01+00';

-- A lead that goes takes its market along, and the metrics follow.
DELETE FROM lead_system.leads WHERE organization_id = :'market' AND id = :'one';
SELECT u.full_name, m.total_bids_placed AS bids, m.total_leads_won AS won, m.total_leads_contacted AS contacted, m.total_spent
  FROM lead_system.contractor_metrics m JOIN lead_system.users u ON u.id = m.contractor_id WHERE m.organization_id = :'market' ORDER BY 1;
SELECT lead_system.refresh_contractor_metrics(u.id) FROM lead_system.users u WHERE u.organization_id = :'market' AND u.is_contractor \g /dev/null

SELECT lead_system.revoke_access('regress_ls_contractor');
DROP ROLE regress_ls_contractor;
SET app.current_org_id = '';
DELETE FROM lead_system.organizations WHERE id = :'market';
SELECT count(*) AS left_over FROM lead_system.bids WHERE organization_id = :'market';
RESET lead_system.now;
