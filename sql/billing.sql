-- billing: accounts, the ledger, holds, what calls and leads cost, reports.

CREATE ROLE billing_reader;
CREATE ROLE billing_manager;
CREATE ROLE billing_admin;
SELECT lead_system.grant_access('billing_reader', 'readonly');
SELECT lead_system.grant_access('billing_manager', 'manager');
SELECT lead_system.grant_access('billing_admin', 'admin');

SET lead_system.now = '2026-05-04 16:00:00+00';
\set org 'b1000000-0000-4000-8000-00000000000a'
\set bravo 'b1000000-0000-4000-8000-00000000000b'
\set account 'b1000000-0000-4000-8000-0000000000aa'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Alpha Plumbing', 'marketplace'), (:'bravo', 'Bravo Roofing', 'b2b');
SET app.current_org_id = :'org';

\set SHOW_CONTEXT never
\pset null '-'

-- Accounts: one of the organization, one per user.
INSERT INTO lead_system.budget_accounts (organization_id, id) VALUES (:'org', :'account');
SELECT lead_system.open_account();
SELECT lead_system.open_account('00000000-0000-7000-8000-00000000ffff');
SELECT balance, held, currency, allow_overdraft, last_sequence, user_id FROM lead_system.budget_accounts;

-- Amounts are signed, and money has two decimals.
SELECT lead_system.post_transaction(:'account', 'credit', 100, 'top-up') AS credit \gset
SELECT lead_system.post_transaction(:'account', 'debit', -0.75, 'call', '{"minutes": 3}') AS debit \gset
SELECT lead_system.post_transaction(:'account', 'debit', 5);
SELECT lead_system.post_transaction(:'account', 'credit', -5);
SELECT lead_system.post_transaction(:'account', 'adjustment', 0);
SELECT lead_system.post_transaction(:'account', 'credit', 0.001);
SELECT lead_system.post_transaction(:'account', 'credit', 'NaN');
SELECT lead_system.post_transaction(:'account', 'credit', 'Infinity');
SELECT lead_system.post_transaction(:'account', 'credit', 10000000000);
SELECT lead_system.post_transaction(:'account', 'gift', 5);
SELECT lead_system.post_transaction(:'account', 'hold', 5);
SELECT lead_system.post_transaction(:'account', NULL, 5);
SELECT lead_system.post_transaction('00000000-0000-7000-8000-00000000ffff', 'credit', 5);
SELECT lead_system.post_transaction(:'account', 'credit', 5, NULL, '[]');
SELECT lead_system.post_transaction(:'account', 'credit', 5, NULL, '{"call_id": 7}');
SELECT lead_system.post_transaction(:'account', 'credit', 5, NULL, '{"call_id": "x"}');
SELECT lead_system.post_transaction(:'account', 'debit', -5, NULL, '{"call_id": "00000000-0000-7000-8000-00000000ffff"}');
SELECT lead_system.post_transaction(:'account', 'credit', 9999999999.99);

-- No overdraft, unless it is allowed.
SELECT lead_system.post_transaction(:'account', 'debit', -99.26);
SELECT lead_system.post_transaction(:'account', 'adjustment', -99.26);

-- The same key is the same transaction.
SELECT lead_system.post_transaction(:'account', 'debit', -2, 'text', '{"idempotency_key": "sms-1"}') AS first \gset
SELECT lead_system.post_transaction(:'account', 'debit', -2, 'text', '{"idempotency_key": "sms-1"}') = :'first' AS same;
\set VERBOSITY terse
SELECT lead_system.post_transaction(:'account', 'debit', -3, 'text', '{"idempotency_key": "sms-1"}');
\set VERBOSITY default
SELECT lead_system.post_transaction(:'account', 'debit', -3, 'text', '{"idempotency_key": ""}');

-- A refund gives a debit back, at most its amount, and once.
SELECT lead_system.post_transaction(:'account', 'refund', 0.75);
SELECT lead_system.post_transaction(:'account', 'credit', 0.75, NULL, jsonb_build_object('refund_of', :'debit'));
SELECT lead_system.post_transaction(:'account', 'refund', 0.75, NULL, '{"refund_of": "00000000-0000-7000-8000-00000000ffff"}');
SELECT lead_system.post_transaction(:'account', 'refund', 0.76, NULL, jsonb_build_object('refund_of', :'debit'));
SELECT lead_system.post_transaction(:'account', 'refund', 1, NULL, jsonb_build_object('refund_of', :'credit'));
SELECT lead_system.post_transaction(:'account', 'refund', 0.50, NULL, jsonb_build_object('refund_of', :'debit')) AS refund \gset
\set VERBOSITY terse
SELECT lead_system.post_transaction(:'account', 'refund', 0.25, NULL, jsonb_build_object('refund_of', :'debit'));
\set VERBOSITY default

-- Holds leave the balance, and lower what can be spent.
SELECT lead_system.hold_budget(:'account', 0);
SELECT lead_system.hold_budget(:'account', 97.76);
SELECT lead_system.hold_budget(:'account', 40) AS hold \gset
SELECT balance, held FROM lead_system.budget_accounts WHERE id = :'account';
SELECT lead_system.post_transaction(:'account', 'debit', -60);
SELECT lead_system.capture_hold(:'hold', 41);
SELECT lead_system.capture_hold(:'hold', 0);
SELECT lead_system.capture_hold(:'hold', 12.50) IS NOT NULL AS captured;
SELECT lead_system.capture_hold(:'hold', 1);
SELECT lead_system.release_hold(:'hold');
SELECT balance, held FROM lead_system.budget_accounts WHERE id = :'account';
SELECT lead_system.place_hold(:'account', 10, '-1 minute');
SELECT lead_system.place_hold(:'account', 10, '10 minutes', 'a quote', '{"idempotency_key": "quote-1"}') AS hold \gset
SELECT lead_system.place_hold(:'account', 10, '10 minutes', 'a quote', '{"idempotency_key": "quote-1"}') = :'hold' AS same;
SELECT lead_system.release_hold(:'hold') IS NOT NULL AS released;
SELECT lead_system.release_hold('00000000-0000-7000-8000-00000000ffff');

-- A hold ends when its time is over; whoever needs the money takes it then.
SELECT lead_system.place_hold(:'account', 80, '10 minutes') AS hold \gset
SELECT lead_system.hold_budget(:'account', 80);
SET lead_system.now = '2026-05-04 16:10:00+00';
SELECT lead_system.capture_hold(:'hold', 80);
SELECT lead_system.hold_budget(:'account', 80) AS hold2 \gset
SELECT status, amount FROM lead_system.budget_holds WHERE id IN (:'hold', :'hold2') ORDER BY id;
SELECT lead_system.release_expired_holds();
SET lead_system.now = '2026-05-04 17:10:00+00';
SELECT lead_system.release_expired_holds(0);
SELECT lead_system.release_expired_holds();
SELECT lead_system.release_expired_holds();

SELECT sequence, transaction_type, amount, balance_before, balance_after, held_change, held_after, description, reference - 'refund_of' AS reference
  FROM lead_system.budget_transactions WHERE account_id = :'account' ORDER BY sequence;
SELECT * FROM lead_system.verify_ledger(:'account');
SELECT a.balance = sum(t.amount) AS balance_is_sum, a.held = sum(t.held_change) AS held_is_sum
  FROM lead_system.budget_accounts a JOIN lead_system.budget_transactions t ON t.account_id = a.id GROUP BY a.balance, a.held;

-- Append-only, for the owner, too.
UPDATE lead_system.budget_transactions SET amount = 1;
DELETE FROM lead_system.budget_transactions;
TRUNCATE lead_system.budget_transactions;
TRUNCATE lead_system.budget_accounts CASCADE;

-- The sequence has no gap when something is rolled back.
BEGIN;
SELECT lead_system.post_transaction(:'account', 'credit', 1) IS NOT NULL AS posted;
SAVEPOINT s;
SELECT lead_system.post_transaction(:'account', 'credit', 1) IS NOT NULL AS posted;
ROLLBACK TO s;
SELECT lead_system.post_transaction(:'account', 'credit', 1) IS NOT NULL AS posted;
COMMIT;
SELECT count(*) = max(sequence) AS gap_free FROM lead_system.budget_transactions;
SELECT * FROM lead_system.verify_ledger(:'account');

-- What a superuser does to the ledger is found: each in a transaction that is rolled back.
CREATE FUNCTION pg_temp.tampered(statement text, account uuid) RETURNS TABLE (ok boolean, broken_at bigint, detail text) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE statement;
    SELECT v.ok, v.broken_at, v.detail INTO ok, broken_at, detail FROM lead_system.verify_ledger(account) v;
    RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = format('%s | %s | %s', ok, broken_at, detail);
EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
    detail := SQLERRM;
    RETURN NEXT;
END $$;
SELECT t.what, (pg_temp.tampered(t.statement, :'account')).detail FROM (VALUES
    (1, 'amount', 'UPDATE lead_system.budget_transactions SET amount = amount - 1, balance_after = balance_after - 1 WHERE sequence = 2'),
    (2, 'description', 'UPDATE lead_system.budget_transactions SET description = ''nothing'' WHERE sequence = 3'),
    (3, 'time', 'UPDATE lead_system.budget_transactions SET created_at = created_at + interval ''1 us'' WHERE sequence = 1'),
    (4, 'row removed', 'DELETE FROM lead_system.budget_transactions WHERE sequence = 4'),
    (5, 'first row removed', 'DELETE FROM lead_system.budget_transactions WHERE sequence = 1'),
    (6, 'rows renumbered', 'DELETE FROM lead_system.budget_transactions WHERE sequence = 4; UPDATE lead_system.budget_transactions SET sequence = 4 WHERE sequence = 5'),
    (7, 'row put in', 'CREATE TEMP TABLE copied AS SELECT * FROM lead_system.budget_transactions WHERE sequence = 6; UPDATE copied SET id = lead_system.uuid_v7(), sequence = 1000; INSERT INTO lead_system.budget_transactions SELECT * FROM copied'),
    (8, 'rows swapped', 'ALTER TABLE lead_system.budget_transactions DROP CONSTRAINT budget_transactions_sequence_check; UPDATE lead_system.budget_transactions SET sequence = -2 WHERE sequence = 2; UPDATE lead_system.budget_transactions SET sequence = 2 WHERE sequence = 5; UPDATE lead_system.budget_transactions SET sequence = 5 WHERE sequence = -2'),
    (9, 'tail cut', 'DELETE FROM lead_system.budget_transactions WHERE sequence >= 14'),
    (10, 'all removed', 'DELETE FROM lead_system.budget_transactions'),
    (11, 'hash', 'UPDATE lead_system.budget_transactions SET row_hash = sha256(''x'') WHERE sequence = 7'),
    (12, 'balance', 'UPDATE lead_system.budget_accounts SET balance = balance + 1'),
    (13, 'tail cut with the account', 'DELETE FROM lead_system.budget_transactions WHERE sequence >= 14; UPDATE lead_system.budget_accounts SET last_sequence = 13'),
    (14, 'hold', 'UPDATE lead_system.budget_holds SET status = ''held'', settled_at = NULL, captured_amount = 0 WHERE amount = 40')
) t(n, what, statement) ORDER BY t.n;

-- A row that is right in itself, after another one than it was written after.
BEGIN;
SELECT lead_system.post_transaction(:'account', 'credit', 1, 'one') IS NOT NULL AS posted;
SELECT lead_system.post_transaction(:'account', 'credit', 2, 'two') AS two \gset
SELECT to_jsonb(t) AS row FROM lead_system.budget_transactions t WHERE id = :'two' \gset
ROLLBACK;
BEGIN;
SELECT lead_system.post_transaction(:'account', 'credit', 1, 'another') IS NOT NULL AS posted;
SET LOCAL session_replication_role = replica;
INSERT INTO lead_system.budget_transactions SELECT (jsonb_populate_record(NULL::lead_system.budget_transactions, :'row')).*;
UPDATE lead_system.budget_accounts a SET balance = t.balance_after, last_sequence = t.sequence, last_hash = t.row_hash
  FROM lead_system.budget_transactions t WHERE t.id = :'two' AND a.id = t.account_id;
SELECT * FROM lead_system.verify_ledger(:'account');
ROLLBACK;

-- Closing: the account is empty first; after that nothing is posted.
SELECT lead_system.close_account(:'account');
SELECT lead_system.post_transaction(:'account', 'adjustment', -balance, 'paid out') IS NOT NULL AS paid FROM lead_system.budget_accounts WHERE id = :'account';
SELECT lead_system.close_account(:'account');
SELECT lead_system.close_account(:'account');
SELECT lead_system.post_transaction(:'account', 'credit', 1);
SELECT lead_system.open_account(allow_overdraft => true) AS opened \gset
SELECT lead_system.post_transaction(:'opened', 'credit', 1) IS NOT NULL AS posted;
SELECT lead_system.post_transaction(:'opened', 'debit', -1) IS NOT NULL AS posted;
SELECT lead_system.close_account(:'opened');
\set account 'b1000000-0000-4000-8000-0000000000ab'
INSERT INTO lead_system.budget_accounts (organization_id, id, allow_overdraft) VALUES (:'org', :'account', true);
SELECT lead_system.post_transaction(:'account', 'debit', -5) IS NOT NULL AS debt;
SELECT balance FROM lead_system.budget_accounts WHERE id = :'account';

-- What levels may do.
SET ROLE billing_reader;
SELECT lead_system.post_transaction(:'account', 'credit', 1);
SELECT lead_system.hold_budget(:'account', 1);
SELECT ok FROM lead_system.verify_ledger(:'account');
UPDATE lead_system.budget_accounts SET balance = 1000000;
SET ROLE billing_manager;
SELECT lead_system.post_transaction(:'account', 'credit', 1);
SELECT lead_system.hold_budget(:'account', 1) IS NOT NULL AS held;
INSERT INTO lead_system.budget_transactions (organization_id, account_id) VALUES (:'org', :'account');
SET ROLE billing_admin;
SELECT lead_system.post_transaction(:'account', 'credit', 1) IS NOT NULL AS posted;
UPDATE lead_system.budget_accounts SET balance = 1000000;
UPDATE lead_system.budget_accounts SET allow_overdraft = false WHERE id = :'account';
SELECT lead_system.post_transaction(:'account', 'debit', -1);

-- Another organization knows nothing of it.
SET app.current_org_id = :'bravo';
SELECT count(*) FROM lead_system.budget_accounts;
SELECT lead_system.post_transaction(:'account', 'credit', 1);
SELECT lead_system.verify_ledger(:'account');
\set VERBOSITY sqlstate
SELECT lead_system.release_hold(:'hold2');
\set VERBOSITY default
RESET ROLE;
SET app.current_org_id = :'org';

-- Calls of a campaign have a price: the claim holds it, the call captures it.
SELECT lead_system.set_config('compliance.max_attempts_per_day', '0');
SELECT lead_system.set_config('compliance.min_gap_minutes', '0');
INSERT INTO lead_system.campaigns (organization_id, name, status, call_price, daily_cap, retry_after) VALUES (:'org', 'Spring', 'active', 2.50, NULL, '1 hour') RETURNING id AS campaign \gset
INSERT INTO lead_system.lead_lists (organization_id, name) VALUES (:'org', 'People') RETURNING id AS list \gset
WITH l AS (INSERT INTO lead_system.leads (organization_id, phone_number, timezone)
    SELECT :'org', '+1303555010' || n, 'America/Denver' FROM generate_series(1, 4) n RETURNING id)
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT :'org', :'list', id FROM l;
SELECT lead_system.add_lead_list_to_campaign(:'campaign', :'list') IS NOT NULL AS added;
SELECT * FROM lead_system.claim_campaign_leads(:'campaign', 4);
SELECT lead_system.post_transaction(:'account', 'credit', 12.40) IS NOT NULL AS credited;
SELECT balance, held FROM lead_system.budget_accounts WHERE id = :'account';
SELECT phone_number FROM lead_system.claim_campaign_leads(:'campaign', 4) ORDER BY phone_number;
SELECT balance, held FROM lead_system.budget_accounts WHERE id = :'account';
SELECT id AS claimed FROM lead_system.campaign_leads WHERE status = 'calling' ORDER BY id LIMIT 1 \gset
SELECT lead_system.record_call_attempt(:'claimed', 'no_answer', 0, '{"provider_call_id": "c-1"}') AS call \gset
SELECT lead_system.record_call_attempt(:'claimed', 'no_answer', 0, '{"provider_call_id": "c-1"}') = :'call' AS same;
SELECT transaction_type, amount, held_change, call_id = :'call' AS of_call, reference = jsonb_build_object('campaign_lead_id', :'claimed') AS of_lead
  FROM lead_system.budget_transactions WHERE account_id = :'account' ORDER BY sequence DESC LIMIT 1;
SELECT id AS claimed FROM lead_system.campaign_leads WHERE status = 'calling' ORDER BY id LIMIT 1 \gset
SELECT lead_system.record_call_attempt(:'claimed', 'failed') IS NOT NULL AS recorded;
SELECT transaction_type, amount, held_change FROM lead_system.budget_transactions WHERE account_id = :'account' ORDER BY sequence DESC LIMIT 1;
SELECT balance, held FROM lead_system.budget_accounts WHERE id = :'account';
-- The budget is a limit, and a claim that lapses gives the money back.
SET lead_system.now = '2026-05-04 18:30:00+00';
SELECT lead_system.post_transaction(:'account', 'adjustment', 5 - balance) IS NOT NULL AS set_to_five FROM lead_system.budget_accounts WHERE id = :'account';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'campaign', 4);
SELECT count(*) FROM lead_system.claim_campaign_leads(:'campaign', 4);
SET lead_system.now = '2026-05-04 18:36:00+00';
SELECT count(*) FROM lead_system.claim_campaign_leads(:'campaign', 4);
SELECT balance, held FROM lead_system.budget_accounts WHERE id = :'account';
-- A call that was made is recorded, whatever the budget says.
SELECT id AS claimed FROM lead_system.campaign_leads WHERE status = 'calling' ORDER BY id LIMIT 1 \gset
SET lead_system.now = '2026-05-04 18:50:00+00';
SELECT lead_system.release_expired_holds();
SELECT lead_system.record_call_attempt(:'claimed', 'answered', 30) IS NOT NULL AS recorded;
SELECT lead_system.post_transaction(:'account', 'adjustment', 1 - balance) IS NOT NULL AS set_to_one FROM lead_system.budget_accounts WHERE id = :'account';
SELECT id AS waiting FROM lead_system.campaign_leads WHERE status IN ('new', 'queued', 'calling') ORDER BY id LIMIT 1 \gset
SELECT lead_system.record_call_attempt(:'waiting', 'no_answer') IS NOT NULL AS recorded;
SELECT transaction_type, amount FROM lead_system.budget_transactions WHERE account_id = :'account' ORDER BY sequence DESC LIMIT 2;
SELECT * FROM lead_system.verify_ledger(:'account');

-- Contractors are charged on their own accounts, which may be overdrawn unless the setting says otherwise.
INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor, profile_rating)
    VALUES (:'org', 'Cara Contractor', 'cara@example.com', 'contractor', true, 4.0) RETURNING id AS cara \gset
INSERT INTO lead_system.leads (organization_id, email, is_qualified) VALUES (:'org', 'lead1@example.com', true) RETURNING id AS lead \gset
SELECT lead_system.open_bidding(:'lead', 50);
SELECT lead_system.place_bid(:'lead', :'cara', 1.0) IS NOT NULL AS bid;
SELECT lead_system.close_bidding(:'lead');
SELECT count(*) FROM lead_system.budget_accounts WHERE user_id = :'cara';
SELECT lead_system.send_message(:'lead', :'cara', 'Hello') IS NOT NULL AS sent;
SELECT a.balance, a.allow_overdraft, t.transaction_type, t.amount, t.reference->>'lead_id' = :'lead' AS of_lead, t.user_id = :'cara' AS of_cara
  FROM lead_system.budget_accounts a JOIN lead_system.budget_transactions t ON t.account_id = a.id WHERE a.user_id = :'cara';
UPDATE lead_system.budget_accounts SET allow_overdraft = false WHERE user_id = :'cara';
INSERT INTO lead_system.leads (organization_id, email, is_qualified) VALUES (:'org', 'lead2@example.com', true) RETURNING id AS lead2 \gset
SELECT lead_system.open_bidding(:'lead2', 50);
SELECT lead_system.place_bid(:'lead2', :'cara', 1.0) IS NOT NULL AS bid;
SELECT lead_system.close_bidding(:'lead2');
\set VERBOSITY terse
SELECT lead_system.send_message(:'lead2', :'cara', 'Hello');
\set VERBOSITY default
SELECT count(*) FROM lead_system.conversions WHERE lead_id = :'lead2';
SELECT lead_system.post_transaction(id, 'credit', 200) IS NOT NULL AS credited FROM lead_system.budget_accounts WHERE user_id = :'cara';
SELECT lead_system.send_message(:'lead2', :'cara', 'Hello') IS NOT NULL AS sent;
SELECT sum(amount) AS charged, (SELECT -sum(t.amount) FROM lead_system.budget_transactions t WHERE t.user_id = :'cara' AND t.transaction_type = 'debit') AS posted
  FROM lead_system.conversions WHERE contractor_id = :'cara';
-- Charged on the window: what is owed is booked, and the sweeper is not held up.
SELECT lead_system.set_config('marketplace.charge_on', '"win"');
SELECT lead_system.post_transaction(id, 'adjustment', 1 - balance) IS NOT NULL AS left_one FROM lead_system.budget_accounts WHERE user_id = :'cara';
INSERT INTO lead_system.leads (organization_id, email, is_qualified)
    SELECT :'org', 'more' || n || '@example.com', true FROM generate_series(1, 2) n;
SELECT lead_system.open_bidding(id, 50), lead_system.place_bid(id, :'cara', 1.0) IS NOT NULL AS bid FROM lead_system.leads WHERE organization_id = :'org' AND email LIKE 'more%';
SET lead_system.now = '2026-05-04 20:00:00+00';
SELECT lead_system.close_due_bidding();
SELECT balance, allow_overdraft, (SELECT ok FROM lead_system.verify_ledger(id)) FROM lead_system.budget_accounts WHERE user_id = :'cara';
SELECT sum(amount) AS charged, (SELECT -sum(t.amount) FROM lead_system.budget_transactions t WHERE t.user_id = :'cara' AND t.transaction_type = 'debit') AS posted
  FROM lead_system.conversions WHERE contractor_id = :'cara';
-- A contractor sees the own account alone.
SET app.current_user_id = :'cara';
SET ROLE billing_admin;
SELECT user_id = :'cara' AS own, count(*) FROM lead_system.budget_accounts GROUP BY 1;
SELECT user_id = :'cara' AS own, count(*) FROM lead_system.budget_transactions GROUP BY 1;
SELECT ok FROM lead_system.verify_ledger((SELECT id FROM lead_system.budget_accounts));
SELECT lead_system.post_transaction(:'account', 'credit', 1);
SELECT lead_system.post_transaction(id, 'credit', 1) FROM lead_system.budget_accounts;
SELECT lead_system.open_account();
RESET ROLE;
RESET app.current_user_id;

-- Reports.
INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, status, current_period_start, current_period_end)
SELECT o.id, 'sub_' || n, 'price_1', p.plan, p.amount, p.status, '2026-05-01', '2026-06-01'
  FROM (VALUES (1, 'Basic', 29, 'active'), (2, 'Basic', 29, 'active'), (3, 'Pro', 79, 'active'), (4, 'Enterprise', 199, 'cancelled'), (5, 'Pro', 79, 'past_due')) p(n, plan, amount, status),
       (VALUES (:'org'::uuid), (:'bravo')) o(id);
SELECT * FROM lead_system.subscription_mrr();
RESET app.current_org_id;
SELECT * FROM lead_system.subscription_mrr();
SET ROLE billing_admin;
SELECT * FROM lead_system.subscription_mrr();
RESET ROLE;
SET app.current_org_id = :'org';
\set VERBOSITY terse
INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end)
VALUES (:'org', 'sub_9', 'price_1', 'Gold', 1, '2026-05-01', '2026-06-01');

INSERT INTO lead_system.financials (organization_id, date, ad_spend, leads_generated, leads_booked, revenue) VALUES
    (:'org', '2026-05-01', 300, 12, 3, 1500), (:'org', '2026-05-02', 0, 0, 0, 100),
    (:'org', '2026-05-03', 0.01, 1, 2147483647, 9999999999.99), (:'org', '2026-05-04', 9999999999.99, 1, 0, -9999999999.99);
SELECT date, cpl, conversion_rate, roi FROM lead_system.financials ORDER BY date;
\set VERBOSITY terse
INSERT INTO lead_system.financials (organization_id, date) VALUES (:'org', '2026-05-01');
SELECT round(lead_system.roi(1500, 300), 2) AS ratio, round(lead_system.roi(1500, 300, 'percent'), 2) AS percent, lead_system.roi(1500, 0) AS without_cost;
SELECT lead_system.roi(1, 1, 'points');

INSERT INTO lead_system.lead_source_costs (organization_id, source, sub_source, period_month, total_cost) VALUES
    (:'org', 'google', NULL, '2026-05-01', 100), (:'org', 'google', 'brand', '2026-05-01', 50);
\set VERBOSITY terse
INSERT INTO lead_system.lead_source_costs (organization_id, source, period_month, total_cost) VALUES (:'org', 'google', '2026-05-01', 10);
\set VERBOSITY terse
INSERT INTO lead_system.lead_source_costs (organization_id, source, period_month, total_cost) VALUES (:'org', 'google', '2026-05-02', 10);

-- An organization that goes takes its ledger with it.
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id = :'org';
SELECT (SELECT count(*) FROM lead_system.budget_transactions) AS transactions, (SELECT count(*) FROM lead_system.budget_accounts) AS accounts;
DELETE FROM lead_system.organizations WHERE id = :'bravo';
DROP OWNED BY billing_reader, billing_manager, billing_admin;
DROP ROLE billing_reader, billing_manager, billing_admin;
