-- One account of ours, and the same ledger as a user would write it in PL/pgSQL:
-- a balance row that is locked, a row per transaction, no chain, no holds, no
-- keys, no tenants. See ledger.sh.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA ledger_bench;
SELECT lead_system.create_organization('Ledger') AS org \gset
SET app.current_org_id = :'org';
SELECT lead_system.open_account() AS account \gset
SELECT lead_system.post_transaction(:'account', 'credit', 1000000) \g /dev/null

CREATE TABLE ledger_bench.accounts (id uuid PRIMARY KEY, balance numeric(12,2) NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE ledger_bench.transactions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES ledger_bench.accounts,
    sequence bigint NOT NULL,
    transaction_type text NOT NULL,
    amount numeric(12,2) NOT NULL,
    balance_before numeric(12,2) NOT NULL,
    balance_after numeric(12,2) NOT NULL,
    description text,
    reference jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, sequence));
CREATE INDEX ON ledger_bench.transactions (account_id, created_at);
INSERT INTO ledger_bench.accounts (id, balance) VALUES (:'account', 1000000);

CREATE FUNCTION ledger_bench.post(p_account uuid, p_type text, p_amount numeric, p_description text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_balance numeric;
    v_sequence bigint;
    v_id uuid;
BEGIN
    SELECT balance INTO v_balance FROM ledger_bench.accounts WHERE id = p_account FOR UPDATE;
    IF v_balance + p_amount < 0 THEN
        RAISE EXCEPTION 'insufficient budget';
    END IF;
    SELECT coalesce(max(sequence), 0) + 1 INTO v_sequence FROM ledger_bench.transactions WHERE account_id = p_account;
    UPDATE ledger_bench.accounts SET balance = balance + p_amount, updated_at = now() WHERE id = p_account;
    INSERT INTO ledger_bench.transactions (account_id, sequence, transaction_type, amount, balance_before, balance_after, description)
    VALUES (p_account, v_sequence, p_type, p_amount, v_balance, v_balance + p_amount, p_description) RETURNING id INTO v_id;
    RETURN v_id;
END
$$;
