-- Money: what each level may do, error codes, and what must add up.
BEGIN;
\ir lib/two_organizations.sql

SELECT no_plan();

SELECT set_config('app.current_org_id', :'alpha', true) \g /dev/null
\set account 'a0000000-0000-4000-8000-0000000000e1'
\set other 'b0000000-0000-4000-8000-0000000000e1'
INSERT INTO lead_system.budget_accounts (organization_id, id, user_id)
SELECT :'alpha', :'account', id FROM lead_system.users WHERE organization_id = :'alpha' AND role <> 'contractor' ORDER BY id LIMIT 1;
INSERT INTO lead_system.budget_accounts (organization_id, id, user_id)
SELECT :'bravo', :'other', id FROM lead_system.users WHERE organization_id = :'bravo' AND role <> 'contractor' ORDER BY id LIMIT 1;
SELECT lead_system.post_transaction(:'account', 'credit', 100) \g /dev/null

-- What each level may do.
CREATE TEMP TABLE calls (least text, position integer, statement text) ON COMMIT DROP;
INSERT INTO calls VALUES
    ('readonly', 1, 'SELECT * FROM lead_system.budget_accounts'),
    ('readonly', 1, 'SELECT * FROM lead_system.budget_transactions'),
    ('readonly', 1, 'SELECT * FROM lead_system.budget_holds'),
    ('readonly', 1, 'SELECT * FROM lead_system.subscriptions'),
    ('readonly', 1, 'SELECT * FROM lead_system.financials'),
    ('readonly', 1, 'SELECT * FROM lead_system.lead_source_costs'),
    ('readonly', 1, 'SELECT * FROM lead_system.verify_ledger(%1$L)'),
    ('readonly', 1, 'SELECT * FROM lead_system.subscription_mrr()'),
    ('readonly', 1, 'SELECT lead_system.roi(2, 1)'),
    ('manager', 3, 'SELECT lead_system.hold_budget(%1$L, 1)'),
    ('manager', 3, 'SELECT lead_system.release_hold(lead_system.place_hold(%1$L, 1))'),
    ('manager', 3, 'SELECT lead_system.capture_hold(lead_system.place_hold(%1$L, 1), 1)'),
    ('manager', 3, 'INSERT INTO lead_system.financials (organization_id, date) VALUES (lead_system.current_org_id(), ''2020-01-01'')'),
    ('manager', 3, 'INSERT INTO lead_system.lead_source_costs (organization_id, source, period_month) VALUES (lead_system.current_org_id(), ''x'', ''2020-01-01'')'),
    ('admin', 4, 'SELECT lead_system.post_transaction(%1$L, ''credit'', 1)'),
    ('admin', 4, 'SELECT lead_system.open_account(u.id) FROM lead_system.users u WHERE NOT EXISTS (SELECT FROM lead_system.budget_accounts a WHERE a.user_id = u.id) LIMIT 1'),
    ('admin', 4, 'SELECT lead_system.release_expired_holds()'),
    ('admin', 4, 'UPDATE lead_system.budget_accounts SET allow_overdraft = true WHERE id = %1$L'),
    ('admin', 4, 'INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end) VALUES (lead_system.current_org_id(), ''s'', ''p'', ''Pro'', 1, ''2020-01-01'', ''2020-02-01'')'),
    ('nobody', 5, 'UPDATE lead_system.budget_accounts SET balance = 1 WHERE id = %1$L'),
    ('nobody', 5, 'INSERT INTO lead_system.budget_accounts (organization_id) VALUES (lead_system.current_org_id())'),
    ('nobody', 5, 'DELETE FROM lead_system.budget_accounts'),
    ('nobody', 5, 'INSERT INTO lead_system.budget_transactions (organization_id, account_id) VALUES (lead_system.current_org_id(), %1$L)'),
    ('nobody', 5, 'UPDATE lead_system.budget_transactions SET amount = 1'),
    ('nobody', 5, 'DELETE FROM lead_system.budget_transactions'),
    ('nobody', 5, 'TRUNCATE lead_system.budget_transactions'),
    ('nobody', 5, 'UPDATE lead_system.budget_holds SET status = ''held'''),
    ('nobody', 5, 'DELETE FROM lead_system.budget_holds');
GRANT SELECT ON calls TO PUBLIC;

CREATE FUNCTION pg_temp.outcome(level text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', 'tap_' || level);
        EXECUTE statement;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
    END;
    RETURN CASE state WHEN 'ZZ000' THEN 'done' ELSE state END;
END $$;
SELECT is(pg_temp.outcome(l.level, format(c.statement, :'account')), CASE WHEN l.position >= c.position THEN 'done' ELSE '42501' END,
    format('%s: %s', l.level, c.statement))
  FROM calls c CROSS JOIN (VALUES ('readonly', 1), ('agent', 2), ('manager', 3), ('admin', 4)) l(level, position)
 ORDER BY c.position, c.statement, l.position;

-- Error codes.
SELECT throws_ok(format('SELECT lead_system.post_transaction(%L, ''debit'', -100.01)', :'account'), 'LS020', NULL, 'no overdraft');
SELECT throws_ok(format('SELECT lead_system.hold_budget(%L, 100.01)', :'account'), 'LS020', NULL, 'no hold beyond the balance');
SELECT throws_ok('UPDATE lead_system.budget_transactions SET amount = 1', 'LS021', NULL, 'the ledger is append-only for its owner');
SELECT throws_ok('DELETE FROM lead_system.budget_transactions', 'LS021', NULL, 'nothing is deleted');
SELECT throws_ok('TRUNCATE lead_system.budget_transactions', 'LS021', NULL, 'nor truncated');
SELECT lead_system.post_transaction(:'account', 'debit', -5) AS debit \gset
SELECT throws_ok(format('SELECT lead_system.post_transaction(%L, ''refund'', 5.01, NULL, %L)', :'account', format('{"refund_of": "%s"}', :'debit')),
    'LS022', NULL, 'a refund is at most the debit');
SELECT lead_system.post_transaction(:'account', 'refund', 5, NULL, format('{"refund_of": "%s"}', :'debit')::jsonb) \g /dev/null
SELECT throws_ok(format('SELECT lead_system.post_transaction(%L, ''refund'', 5, NULL, %L)', :'account', format('{"refund_of": "%s"}', :'debit')),
    'LS022', NULL, 'and given once');
SELECT lead_system.hold_budget(:'account', 5) AS hold \gset
SELECT lead_system.release_hold(:'hold') \g /dev/null
SELECT throws_ok(format('SELECT lead_system.release_hold(%L)', :'hold'), 'LS023', NULL, 'a hold is settled once');
SELECT throws_ok(format('SELECT lead_system.post_transaction(%L, ''debit'', 5)', :'account'), '22023', NULL, 'a debit is negative');
SELECT throws_ok(format('SELECT lead_system.post_transaction(%L, ''credit'', 0.005)', :'account'), '22023', NULL, 'money has two decimals');
SELECT throws_ok(format('SELECT lead_system.close_account(%L)', :'account'), '55000', NULL, 'an account that is closed is empty');
SELECT throws_ok(format('SELECT lead_system.post_transaction(%L, ''credit'', 5)', :'other'), 'P0002', NULL, 'a foreign account does not exist');
SELECT throws_ok('SELECT lead_system.post_transaction(''00000000-0000-4000-8000-000000000001'', ''credit'', 5)', 'P0002', NULL, 'nor does one that is not there');
SELECT throws_ok(format('SELECT lead_system.verify_ledger(%L)', :'other'), 'P0002', NULL, 'nor can it be verified');

-- Random transactions: what can be refused is, and all adds up.
CREATE FUNCTION pg_temp.play(account uuid, steps integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    refused integer := 0;
    held uuid[] := '{}';
BEGIN
    PERFORM setseed(0.42);
    FOR i IN 1 .. steps LOOP
        BEGIN
            CASE floor(random() * 7)::integer
                WHEN 0 THEN PERFORM lead_system.post_transaction(account, 'credit', (1 + floor(random() * 3000))::numeric / 100);
                WHEN 1, 2 THEN PERFORM lead_system.post_transaction(account, 'debit', -(1 + floor(random() * 5000))::numeric / 100);
                WHEN 3 THEN PERFORM lead_system.post_transaction(account, 'adjustment', (floor(random() * 4000) - 2000.5)::numeric(12,0) / 100);
                WHEN 4 THEN held := held || lead_system.hold_budget(account, (1 + floor(random() * 4000))::numeric / 100);
                WHEN 5 THEN PERFORM lead_system.capture_hold(held[1 + floor(random() * cardinality(held))::integer], (1 + floor(random() * 4000))::numeric / 100);
                ELSE PERFORM lead_system.release_hold(held[1 + floor(random() * cardinality(held))::integer]);
            END CASE;
        EXCEPTION WHEN OTHERS THEN
            refused := refused + 1;
        END;
    END LOOP;
    RETURN refused;
END $$;
SELECT cmp_ok(pg_temp.play(:'account', 2000), '>', 100, 'many random steps are refused');
SELECT is_empty($$
    SELECT t.sequence FROM (SELECT t.*, lag(balance_after, 1, 0::numeric) OVER w AS before, lag(held_after, 1, 0::numeric) OVER w AS held_before,
        row_number() OVER w AS place, sum(amount) OVER w AS total, sum(held_change) OVER w AS held_total
        FROM lead_system.budget_transactions t WHERE account_id = 'a0000000-0000-4000-8000-0000000000e1' WINDOW w AS (PARTITION BY account_id ORDER BY sequence)) t
     WHERE t.place <> t.sequence OR t.balance_before <> t.before OR t.balance_after <> t.total OR t.held_after <> t.held_total
        OR t.balance_after < t.held_after OR t.held_after < 0 $$,
    'the sequence has no gap, each balance follows from the one before, and none is below what is held');
SELECT is_empty($$
    SELECT 1 FROM lead_system.budget_accounts a WHERE a.id = 'a0000000-0000-4000-8000-0000000000e1' AND
       ROW(a.balance, a.held, a.last_sequence) <> ANY (SELECT sum(amount), sum(held_change), count(*) FROM lead_system.budget_transactions t WHERE t.account_id = a.id)
    UNION ALL
    SELECT 1 FROM lead_system.budget_accounts a WHERE a.id = 'a0000000-0000-4000-8000-0000000000e1' AND
       a.held <> (SELECT coalesce(sum(amount), 0) FROM lead_system.budget_holds h WHERE h.account_id = a.id AND h.status = 'held')
    UNION ALL
    SELECT 1 FROM lead_system.budget_holds h WHERE h.account_id = 'a0000000-0000-4000-8000-0000000000e1' AND h.captured_amount <>
       (SELECT -coalesce(sum(amount), 0) FROM lead_system.budget_transactions t WHERE t.hold_id = h.id) $$,
    'account, holds and ledger agree');
SELECT results_eq(format('SELECT ok FROM lead_system.verify_ledger(%L)', :'account'), ARRAY[true], 'the chain is whole');

SELECT * FROM finish();
ROLLBACK;
