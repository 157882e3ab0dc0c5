-- billing: accounts, their ledger, and what is held of them.

CREATE TABLE lead_system.budget_accounts (
    organization_id uuid          NOT NULL,
    id              uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    user_id         uuid,
    balance         numeric(12,2) NOT NULL DEFAULT 0,
    held            numeric(12,2) NOT NULL DEFAULT 0,
    currency        text          NOT NULL DEFAULT 'USD',
    allow_overdraft boolean       NOT NULL DEFAULT false,
    last_sequence   bigint        NOT NULL DEFAULT 0,
    last_hash       bytea         NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
    closed_at       timestamptz,
    created_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT budget_accounts_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT budget_accounts_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT budget_accounts_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT budget_accounts_balance_check CHECK (balance - held <> 'NaN'),
    CONSTRAINT budget_accounts_held_check CHECK (held >= 0),
    CONSTRAINT budget_accounts_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT budget_accounts_last_sequence_check CHECK (last_sequence >= 0),
    CONSTRAINT budget_accounts_last_hash_check CHECK (length(last_hash) = 32),
    CONSTRAINT budget_accounts_closed_check CHECK (closed_at IS NULL OR (balance = 0 AND held = 0))
) WITH (fillfactor = 50);
COMMENT ON TABLE lead_system.budget_accounts IS
    'Who can spend what: an account of the organization (user_id is NULL) and of users. Its row is locked by whatever changes the balance.';
COMMENT ON COLUMN lead_system.budget_accounts.user_id IS 'Whose account; NULL for the organization''s.';
COMMENT ON COLUMN lead_system.budget_accounts.balance IS 'Sum of the amounts of its transactions.';
COMMENT ON COLUMN lead_system.budget_accounts.held IS 'Part of the balance that holds have set aside; the rest can be spent.';
COMMENT ON COLUMN lead_system.budget_accounts.allow_overdraft IS 'May the balance less what is held fall below zero?';
COMMENT ON COLUMN lead_system.budget_accounts.last_sequence IS 'Number of its transactions.';
COMMENT ON COLUMN lead_system.budget_accounts.last_hash IS 'row_hash of its last transaction, which stands for all of them; zeros before the first.';
CREATE UNIQUE INDEX budget_accounts_owner_idx ON lead_system.budget_accounts
    (organization_id, coalesce(user_id, '00000000-0000-0000-0000-000000000000')) WHERE closed_at IS NULL;
CREATE INDEX budget_accounts_organization_id_user_id_idx ON lead_system.budget_accounts (organization_id, user_id);

-- The server reads the text of each check again for every statement that inserts,
-- so one check says which signs of amount and held_change a type may have.
CREATE TABLE lead_system.budget_transactions (
    organization_id  uuid          NOT NULL,
    id               uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    account_id       uuid          NOT NULL,
    user_id          uuid,
    sequence         bigint        NOT NULL,
    transaction_type text          NOT NULL,
    amount           numeric(12,2) NOT NULL,
    balance_before   numeric(12,2) NOT NULL,
    balance_after    numeric(12,2) NOT NULL,
    held_change      numeric(12,2) NOT NULL DEFAULT 0,
    held_after       numeric(12,2) NOT NULL DEFAULT 0,
    hold_id          uuid,
    refund_of        uuid,
    call_id          uuid,
    sms_id           uuid,
    description      text,
    reference        jsonb         NOT NULL DEFAULT '{}',
    idempotency_key  text,
    created_by       uuid,
    row_hash         bytea         NOT NULL,
    created_at       timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT budget_transactions_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT budget_transactions_account_id_sequence_key UNIQUE (organization_id, account_id, sequence),
    CONSTRAINT budget_transactions_sequence_check CHECK (sequence >= 1),
    CONSTRAINT budget_transactions_transaction_type_check CHECK (
        concat_ws(' ', transaction_type, sign(amount), sign(held_change)) IN (
            'debit -1 0', 'credit 1 0', 'refund 1 0', 'adjustment -1 0', 'adjustment 1 0',
            'hold 0 1', 'capture -1 -1', 'release 0 -1')),
    CONSTRAINT budget_transactions_balance_check CHECK (balance_after = balance_before + amount),
    CONSTRAINT budget_transactions_held_after_check CHECK (held_after >= 0),
    CONSTRAINT budget_transactions_refund_of_check CHECK ((transaction_type = 'refund') = (refund_of IS NOT NULL)),
    CONSTRAINT budget_transactions_hold_id_check CHECK ((held_change <> 0) = (hold_id IS NOT NULL)),
    CONSTRAINT budget_transactions_row_hash_check CHECK (length(row_hash) = 32)
);
COMMENT ON TABLE lead_system.budget_transactions IS
    'The ledger: every movement of every account, numbered without gaps and chained by hashes. Written by the extension alone.';
COMMENT ON COLUMN lead_system.budget_transactions.user_id IS 'Whose account it is; NULL for the organization''s.';
COMMENT ON COLUMN lead_system.budget_transactions.sequence IS 'Place in the account, from 1 without gaps.';
COMMENT ON COLUMN lead_system.budget_transactions.amount IS 'What the balance changed by, signed (semantics E1). Zero for holds and releases, which change what is held.';
COMMENT ON COLUMN lead_system.budget_transactions.held_change IS 'What the part of the balance that is held changed by.';
COMMENT ON COLUMN lead_system.budget_transactions.hold_id IS 'The hold that began here, or was captured or released here.';
COMMENT ON COLUMN lead_system.budget_transactions.refund_of IS 'The debit or capture that is given back.';
COMMENT ON COLUMN lead_system.budget_transactions.reference IS 'What the caller said about it. Identifiers only: the ledger is never erased.';
COMMENT ON COLUMN lead_system.budget_transactions.row_hash IS 'SHA-256 of the row_hash before and of this row.';
CREATE UNIQUE INDEX budget_transactions_idempotency_idx ON lead_system.budget_transactions
    (organization_id, account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX budget_transactions_refund_of_idx ON lead_system.budget_transactions (organization_id, refund_of) WHERE refund_of IS NOT NULL;
CREATE INDEX budget_transactions_account_id_created_at_idx ON lead_system.budget_transactions (organization_id, account_id, created_at);
CREATE INDEX budget_transactions_call_id_idx ON lead_system.budget_transactions (organization_id, call_id) WHERE call_id IS NOT NULL;

CREATE TABLE lead_system.budget_holds (
    organization_id  uuid          NOT NULL,
    id               uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    account_id       uuid          NOT NULL,
    user_id          uuid,
    amount           numeric(12,2) NOT NULL,
    captured_amount  numeric(12,2) NOT NULL DEFAULT 0,
    status           text          NOT NULL DEFAULT 'held',
    campaign_lead_id uuid,
    expires_at       timestamptz   NOT NULL,
    settled_at       timestamptz,
    created_at       timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at       timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT budget_holds_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT budget_holds_account_id_fkey FOREIGN KEY (account_id, organization_id)
        REFERENCES lead_system.budget_accounts (id, organization_id),
    CONSTRAINT budget_holds_amount_check CHECK (amount > 0 AND amount <> 'NaN'),
    CONSTRAINT budget_holds_captured_amount_check CHECK (captured_amount >= 0 AND captured_amount <> 'NaN'),
    CONSTRAINT budget_holds_status_check CHECK (status IN ('held', 'captured', 'released', 'expired')),
    CONSTRAINT budget_holds_settled_check CHECK ((status = 'held') = (settled_at IS NULL)
        AND (status = 'captured') = (captured_amount > 0) AND captured_amount <= amount)
);
COMMENT ON TABLE lead_system.budget_holds IS
    'Money that is set aside until it is captured or released, or until its time is over. Written by the extension alone.';
COMMENT ON COLUMN lead_system.budget_holds.id IS 'The id of the transaction that began it, too.';
COMMENT ON COLUMN lead_system.budget_holds.campaign_lead_id IS 'The claim whose call is to be paid from it.';
COMMENT ON COLUMN lead_system.budget_holds.expires_at IS 'From then on it cannot be captured, and the money can be spent otherwise.';
CREATE INDEX budget_holds_account_id_idx ON lead_system.budget_holds (account_id, organization_id);
CREATE INDEX budget_holds_open_idx ON lead_system.budget_holds (organization_id, account_id, expires_at) WHERE status = 'held';
CREATE INDEX budget_holds_campaign_lead_id_idx ON lead_system.budget_holds (organization_id, campaign_lead_id) WHERE campaign_lead_id IS NOT NULL AND status = 'held';
CREATE INDEX budget_holds_organization_id_created_at_idx ON lead_system.budget_holds (organization_id, created_at);

ALTER TABLE lead_system.budget_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.budget_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.budget_accounts
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.budget_accounts AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL OR user_id = (SELECT lead_system.current_contractor_id()))
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL OR user_id = (SELECT lead_system.current_contractor_id()));
ALTER TABLE lead_system.budget_transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.budget_transactions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.budget_transactions
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.budget_transactions AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL OR user_id = (SELECT lead_system.current_contractor_id()))
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL OR user_id = (SELECT lead_system.current_contractor_id()));
ALTER TABLE lead_system.budget_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.budget_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.budget_holds
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.budget_holds AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL OR user_id = (SELECT lead_system.current_contractor_id()))
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL OR user_id = (SELECT lead_system.current_contractor_id()));

CREATE TRIGGER budget_accounts_touch_updated_at BEFORE UPDATE ON lead_system.budget_accounts
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER budget_accounts_no_truncate BEFORE TRUNCATE ON lead_system.budget_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER budget_transactions_append_only BEFORE UPDATE OR DELETE ON lead_system.budget_transactions
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER budget_transactions_no_truncate BEFORE TRUNCATE ON lead_system.budget_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER budget_holds_touch_updated_at BEFORE UPDATE ON lead_system.budget_holds
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
