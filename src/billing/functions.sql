-- billing: accounts, the ledger, holds, reports.

CREATE FUNCTION lead_system.open_account(user_id uuid DEFAULT NULL, allow_overdraft boolean DEFAULT false) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_open_account';
COMMENT ON FUNCTION lead_system.open_account(uuid, boolean) IS
    'Opens the budget account of a user, or of the organization when user_id is NULL; returns its id. Raises 23505 when there is one already.';
REVOKE ALL ON FUNCTION lead_system.open_account(uuid, boolean) FROM PUBLIC;

CREATE FUNCTION lead_system.close_account(account_id uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_close_account';
COMMENT ON FUNCTION lead_system.close_account(uuid) IS
    'Closes a budget account: nothing is posted to it any more. Raises 55000 unless its balance is zero and nothing of it is held.';
REVOKE ALL ON FUNCTION lead_system.close_account(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.post_transaction(account_id uuid, transaction_type text, amount numeric,
    description text DEFAULT NULL, reference jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_post_transaction';
COMMENT ON FUNCTION lead_system.post_transaction(uuid, text, numeric, text, jsonb) IS
    'Adds a debit (amount < 0), credit or refund (> 0) or adjustment to an account; returns its id. reference may hold call_id, sms_id, refund_of (which a refund needs), idempotency_key (a second call with the same one returns the first one''s id) and whatever else. Raises LS020 when the money is not there, LS022 for a refund of more than the debit or a second one.';
REVOKE ALL ON FUNCTION lead_system.post_transaction(uuid, text, numeric, text, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.hold_budget(account_id uuid, amount numeric) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_hold_budget';
COMMENT ON FUNCTION lead_system.hold_budget(uuid, numeric) IS
    'Sets money of an account aside for the time of setting billing.hold_minutes; returns the hold''s id. Raises LS020 when the money is not there.';
REVOKE ALL ON FUNCTION lead_system.hold_budget(uuid, numeric) FROM PUBLIC;

CREATE FUNCTION lead_system.place_hold(account_id uuid, amount numeric, lasts interval DEFAULT NULL,
    description text DEFAULT NULL, reference jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_place_hold';
COMMENT ON FUNCTION lead_system.place_hold(uuid, numeric, interval, text, jsonb) IS
    'As hold_budget(), for a time of one''s own and with a reference, as post_transaction() takes it.';
REVOKE ALL ON FUNCTION lead_system.place_hold(uuid, numeric, interval, text, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.capture_hold(hold_id uuid, amount numeric) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_capture_hold';
COMMENT ON FUNCTION lead_system.capture_hold(uuid, numeric) IS
    'Spends what a hold has set aside, or a part (NULL: all of it); the rest can be spent otherwise. Returns the transaction''s id. Raises LS023 unless the hold is open.';
REVOKE ALL ON FUNCTION lead_system.capture_hold(uuid, numeric) FROM PUBLIC;

CREATE FUNCTION lead_system.release_hold(hold_id uuid) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_release_hold';
COMMENT ON FUNCTION lead_system.release_hold(uuid) IS
    'Ends a hold without spending; returns the transaction''s id. Raises LS023 unless the hold is open.';
REVOKE ALL ON FUNCTION lead_system.release_hold(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.release_expired_holds(batch integer DEFAULT 1000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_billing_release_expired';
COMMENT ON FUNCTION lead_system.release_expired_holds(integer) IS
    'Releases up to batch holds whose time is over; returns how many. Accounts that another session is using are left for the next run. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.release_expired_holds(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.verify_ledger(account_id uuid) RETURNS TABLE (ok boolean, broken_at bigint, detail text)
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1 COST 100000 AS 'MODULE_PATHNAME', 'ls_billing_verify_ledger';
COMMENT ON FUNCTION lead_system.verify_ledger(uuid) IS
    'Is the ledger of an account whole? One row: true, or false with the first place in the sequence where it is not, and why.';
REVOKE ALL ON FUNCTION lead_system.verify_ledger(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.roi(revenue numeric, cost numeric, unit text DEFAULT 'ratio') RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_billing_roi';
COMMENT ON FUNCTION lead_system.roi(numeric, numeric, text) IS
    'Return on a cost: (revenue - cost) / cost as a ''ratio'' or in ''percent''; NULL when there is no cost (semantics E6).';
REVOKE ALL ON FUNCTION lead_system.roi(numeric, numeric, text) FROM PUBLIC;

CREATE FUNCTION lead_system.subscription_mrr() RETURNS TABLE (plan_name text, currency text, subscriptions bigint, mrr numeric)
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 3 COST 1000 AS 'MODULE_PATHNAME', 'ls_billing_subscription_mrr';
COMMENT ON FUNCTION lead_system.subscription_mrr() IS
    'Monthly recurring revenue: number and sum of active subscriptions by plan and currency, in the session''s organization; in all for a role above row level security that has none set.';
REVOKE ALL ON FUNCTION lead_system.subscription_mrr() FROM PUBLIC;
