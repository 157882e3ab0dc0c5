-- billing: edges of the ledger, what contractors see, holds that are removed.
SET lead_system.now = '2026-05-04 16:00:00+00';
\set org 'b2000000-0000-4000-8000-00000000000a'
\set account 'b2000000-0000-4000-8000-0000000000aa'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Echo Plumbing', 'marketplace');
SET app.current_org_id = :'org';
\set SHOW_CONTEXT never
\pset null '-'
INSERT INTO lead_system.budget_accounts (organization_id, id) VALUES (:'org', :'account');
SELECT lead_system.post_transaction(:'account', 'credit', 100) AS credit \gset

-- Each type says which signs it may have, and the table agrees.
CREATE FUNCTION pg_temp.insert_as(type text, amount numeric, held_change numeric) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lead_system.budget_transactions (organization_id, account_id, sequence, transaction_type, amount, balance_before, balance_after,
        held_change, held_after, hold_id, refund_of, row_hash)
    VALUES ('b2000000-0000-4000-8000-00000000000a', lead_system.uuid_v7(), 1, type, amount, 0, amount, held_change, 5,
        CASE WHEN held_change <> 0 THEN lead_system.uuid_v7() END, CASE WHEN type = 'refund' THEN lead_system.uuid_v7() END, sha256(''));
    RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ000';
EXCEPTION WHEN check_violation THEN
    RETURN 'no';
WHEN SQLSTATE 'ZZ000' THEN
    RETURN 'yes';
END $$;
SELECT type, string_agg(format('%s/%s', a, h), ' ' ORDER BY a, h) FILTER (WHERE pg_temp.insert_as(type, a, h) = 'yes') AS allowed
  FROM unnest(ARRAY['debit', 'credit', 'refund', 'adjustment', 'hold', 'capture', 'release', 'gift']) type,
       unnest(ARRAY[-1.5, 0, 1.5, 'NaN']::numeric[]) a, unnest(ARRAY[-2, 0, 2, 'NaN']::numeric[]) h GROUP BY type ORDER BY type;

-- Texts of any length, and what is no object.
SELECT lead_system.post_transaction(:'account', 'debit', -1, repeat('x', 1000000), jsonb_build_object('note', repeat('y', 1000000))) IS NOT NULL AS posted;
SELECT lead_system.post_transaction(:'account', 'debit', -1, NULL, NULL) IS NOT NULL AS posted;
SELECT lead_system.post_transaction(:'account', 'debit', -1, NULL, '"text"');
SELECT lead_system.post_transaction(:'account', 'debit', -1, NULL, 'null');
SELECT lead_system.post_transaction(:'account', 'debit', -1, NULL, jsonb_build_object('idempotency_key', repeat('k', 201)));
SELECT lead_system.post_transaction(:'account', 'debit', -1, NULL, '{"idempotency_key": ""}');
SELECT lead_system.post_transaction(:'account', 'debit', -1e1000);
SELECT lead_system.post_transaction(:'account', 'credit', 1e-1000);
SELECT lead_system.hold_budget(:'account', NULL);
SELECT lead_system.hold_budget(:'account', 'Infinity');
SELECT lead_system.hold_budget(NULL, 1);
SELECT lead_system.place_hold(:'account', 1, '-1 second');
SELECT lead_system.place_hold(:'account', 1, '300000 years');
SELECT lead_system.place_hold(:'account', 1, NULL, NULL, '{"refund_of": "b2000000-0000-4000-8000-0000000000aa"}');
SELECT lead_system.capture_hold(NULL, 1);
SELECT lead_system.close_account(NULL);
SELECT lead_system.verify_ledger(NULL);
-- A refund of something that cannot be refunded.
SELECT lead_system.place_hold(:'account', 5, '1 hour') AS hold \gset
\set VERBOSITY terse
SELECT lead_system.post_transaction(:'account', 'refund', 1, NULL, jsonb_build_object('refund_of', :'credit'));
SELECT lead_system.post_transaction(:'account', 'refund', 1, NULL, jsonb_build_object('refund_of', :'hold'));
SELECT lead_system.post_transaction(:'account', 'refund', 1, NULL, jsonb_build_object('refund_of', :'org'));
\set VERBOSITY default
-- What a rolled-back subtransaction added leaves no gap.
BEGIN;
SAVEPOINT one;
SELECT lead_system.post_transaction(:'account', 'debit', -3) IS NOT NULL AS posted;
ROLLBACK TO one;
SELECT lead_system.capture_hold(:'hold', 2) IS NOT NULL AS captured;
COMMIT;
SELECT count(*) = max(sequence) AS no_gap, sum(amount) FROM lead_system.budget_transactions WHERE account_id = :'account';
SELECT * FROM lead_system.verify_ledger(:'account');

-- Settled holds go by their setting; those that are open, and the ledger, stay.
SELECT lead_system.place_hold(:'account', 5, '100 days') AS open \gset
SELECT lead_system.set_config('retention.budget_holds_days', '30');
SELECT lead_system.apply_retention();
SET lead_system.now = '2026-06-04 16:00:01+00';
SELECT lead_system.apply_retention();
SELECT id = :'open' AS is_open, status FROM lead_system.budget_holds WHERE account_id = :'account';
SELECT lead_system.release_hold(:'open') IS NOT NULL AS released;
SELECT lead_system.apply_retention();
SELECT count(*) AS holds, (SELECT ok FROM lead_system.verify_ledger(:'account')) FROM lead_system.budget_holds WHERE account_id = :'account';

-- What the organization pays and earns is not for contractors.
INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor) VALUES (:'org', 'Cara Contractor', 'cara@example.com', 'contractor', true) RETURNING id AS cara \gset
SELECT lead_system.open_account(:'cara') AS caras \gset
SELECT lead_system.post_transaction(:'caras', 'credit', 50) IS NOT NULL AS credited, lead_system.hold_budget(:'caras', 20) AS deposit \gset
INSERT INTO lead_system.financials (organization_id, date, ad_spend) VALUES (:'org', '2026-05-04', 10);
INSERT INTO lead_system.lead_source_costs (organization_id, source, period_month, total_cost) VALUES (:'org', 'web', '2026-05-01', 10);
INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end)
    VALUES (:'org', 's', 'p', 'Pro', 79, '2026-05-01', '2026-06-01');
CREATE ROLE billing_edges;
SELECT lead_system.grant_access('billing_edges', 'admin');
SET ROLE billing_edges;
SELECT (SELECT count(*) FROM lead_system.financials) AS days, (SELECT count(*) FROM lead_system.lead_source_costs) AS costs,
       (SELECT count(*) FROM lead_system.subscriptions) AS subscriptions, (SELECT count(*) FROM lead_system.subscription_mrr()) AS plans;
SET app.current_user_id = :'cara';
SELECT (SELECT count(*) FROM lead_system.financials) AS days, (SELECT count(*) FROM lead_system.lead_source_costs) AS costs,
       (SELECT count(*) FROM lead_system.subscriptions) AS subscriptions, (SELECT count(*) FROM lead_system.subscription_mrr()) AS plans;
INSERT INTO lead_system.financials (organization_id, date) VALUES (:'org', '2026-05-05');
-- Nor may they end what is held of them, or hold or spend anything.
SELECT lead_system.release_hold(:'deposit');
SELECT lead_system.capture_hold(:'deposit', 1);
SELECT lead_system.hold_budget(:'caras', 1);
SELECT lead_system.place_hold(:'caras', 1);
SELECT lead_system.verify_ledger(:'account');
SELECT ok FROM lead_system.verify_ledger(:'caras');
RESET ROLE;
RESET app.current_user_id;

DELETE FROM lead_system.organizations WHERE id = :'org';
SELECT count(*) FROM lead_system.budget_transactions WHERE organization_id = :'org';
SELECT count(*) FROM lead_system.budget_holds WHERE organization_id = :'org';
SELECT lead_system.revoke_access('billing_edges');
DROP ROLE billing_edges;
