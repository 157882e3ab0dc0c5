-- marketplace: leads that contractors bid for, their windows, strikes and bans.

CREATE TABLE lead_system.lead_listings (
    organization_id        uuid          NOT NULL,
    lead_id                uuid          NOT NULL,
    base_lead_cost         numeric(12,2) NOT NULL,
    service_area_radius_km integer,
    bidding_opens_at       timestamptz,
    bidding_closes_at      timestamptz,
    bidding_closed_at      timestamptz,
    rank_by                text,
    pricing                text,
    charge_on              text,
    has_unmarked_bids      boolean       NOT NULL DEFAULT false,
    winner_bid_id          uuid,
    archived_at            timestamptz,
    created_at             timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at             timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_listings_pkey PRIMARY KEY (organization_id, lead_id),
    CONSTRAINT lead_listings_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_listings_base_lead_cost_check CHECK (base_lead_cost > 0 AND base_lead_cost <= 1000000000),
    CONSTRAINT lead_listings_service_area_radius_km_check CHECK (service_area_radius_km >= 0),
    CONSTRAINT lead_listings_rank_by_check CHECK (rank_by IN ('final_amount', 'gross_amount')),
    CONSTRAINT lead_listings_pricing_check CHECK (pricing IN ('first', 'second')),
    CONSTRAINT lead_listings_charge_on_check CHECK (charge_on IN ('contact', 'win')),
    CONSTRAINT lead_listings_opening_check CHECK (bidding_opens_at IS NULL
        OR (bidding_closes_at > bidding_opens_at AND rank_by IS NOT NULL AND pricing IS NOT NULL AND charge_on IS NOT NULL))
);
COMMENT ON TABLE lead_system.lead_listings IS
    'Leads that are offered to contractors. The state of a listing is the status of its lead, in a pipeline with the statuses of the marketplace.';
COMMENT ON COLUMN lead_system.lead_listings.base_lead_cost IS 'What a bid of 1.00 costs; fixed once bidding has opened.';
COMMENT ON COLUMN lead_system.lead_listings.bidding_closes_at IS 'A bid at this time is late.';
COMMENT ON COLUMN lead_system.lead_listings.bidding_closed_at IS 'When bidding was in fact closed; NULL while it is open.';
COMMENT ON COLUMN lead_system.lead_listings.rank_by IS 'Setting marketplace.rank_by at the opening: the rules of an auction do not change while it runs.';
COMMENT ON COLUMN lead_system.lead_listings.pricing IS 'Setting marketplace.pricing at the opening.';
COMMENT ON COLUMN lead_system.lead_listings.charge_on IS 'Setting marketplace.charge_on at the opening.';
COMMENT ON COLUMN lead_system.lead_listings.has_unmarked_bids IS 'Bids that have lost are still to be marked LOST by close_due_bidding(): closing marks a limited number itself.';
COMMENT ON COLUMN lead_system.lead_listings.winner_bid_id IS 'The bid whose contractor contacted the lead first; without foreign key, since bids refer to the lead.';
COMMENT ON COLUMN lead_system.lead_listings.archived_at IS 'When the lead was archived; kept by trigger of leads.';
CREATE INDEX lead_listings_due_idx ON lead_system.lead_listings (organization_id, bidding_closes_at)
    WHERE bidding_opens_at IS NOT NULL AND bidding_closed_at IS NULL;
CREATE INDEX lead_listings_unmarked_idx ON lead_system.lead_listings (organization_id, lead_id) WHERE has_unmarked_bids;
CREATE INDEX lead_listings_unarchived_idx ON lead_system.lead_listings (organization_id, lead_id) WHERE archived_at IS NULL;

CREATE TABLE lead_system.bids (
    organization_id           uuid          NOT NULL,
    id                        uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id                   uuid          NOT NULL,
    contractor_id             uuid          NOT NULL,
    bid_multiplier            numeric(3,2)  NOT NULL,
    discount_multiplier       numeric(3,2)  NOT NULL,
    final_bid_amount          numeric(12,2) NOT NULL,
    rank_amount               numeric(12,2) NOT NULL,
    rating_at_bid             numeric(3,2)  NOT NULL,
    bid_placed_at             timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    status                    text          NOT NULL DEFAULT 'ACTIVE',
    bid_rank                  smallint,
    charge_amount             numeric(12,2),
    response_window_starts_at timestamptz,
    response_window_ends_at   timestamptz,
    window_warned_at          timestamptz,
    responded_at              timestamptz,
    declined_reason           text,
    strike_applied            boolean       NOT NULL DEFAULT false,
    cancelled_at              timestamptz,
    created_at                timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT bids_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT bids_lead_id_contractor_id_key UNIQUE (organization_id, lead_id, contractor_id),
    CONSTRAINT bids_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT bids_contractor_id_fkey FOREIGN KEY (contractor_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT bids_bid_multiplier_check CHECK (bid_multiplier BETWEEN 0.50 AND 2.00),
    CONSTRAINT bids_discount_multiplier_check CHECK (discount_multiplier BETWEEN 0 AND 1),
    CONSTRAINT bids_amounts_check CHECK (final_bid_amount >= 0 AND rank_amount >= 0 AND charge_amount >= 0
        AND final_bid_amount <> 'NaN' AND rank_amount <> 'NaN' AND charge_amount <> 'NaN' AND charge_amount <= final_bid_amount),
    CONSTRAINT bids_bid_rank_check CHECK (bid_rank IN (1, 2, 3)),
    CONSTRAINT bids_status_check CHECK (status IN ('ACTIVE', 'WON', 'LOST', 'EXPIRED', 'CANCELLED')),
    CONSTRAINT bids_window_check CHECK ((response_window_starts_at IS NULL) = (response_window_ends_at IS NULL)
        AND response_window_starts_at < response_window_ends_at AND (response_window_starts_at IS NULL OR bid_rank IS NOT NULL)),
    CONSTRAINT bids_outcome_check CHECK ((responded_at IS NOT NULL) = (status = 'WON') AND (NOT strike_applied OR status = 'EXPIRED')
        AND (cancelled_at IS NOT NULL) = (status = 'CANCELLED')
        AND (status NOT IN ('WON', 'EXPIRED') OR response_window_starts_at IS NOT NULL))
);
COMMENT ON TABLE lead_system.bids IS
    'Bids for leads, one per contractor and lead. What ranking needs is frozen into the bid. A contractor''s session sees the contractor''s own.';
COMMENT ON COLUMN lead_system.bids.discount_multiplier IS 'users.lead_discount_multiplier when the bid was placed.';
COMMENT ON COLUMN lead_system.bids.final_bid_amount IS 'base_lead_cost times bid_multiplier times discount_multiplier, rounded (semantics C1).';
COMMENT ON COLUMN lead_system.bids.rank_amount IS 'The amount that the bid is ranked by: final_bid_amount, or the amount before the discount (setting marketplace.rank_by).';
COMMENT ON COLUMN lead_system.bids.rating_at_bid IS 'users.profile_rating when the bid was placed.';
COMMENT ON COLUMN lead_system.bids.status IS 'ACTIVE until its fate is known, also while its window is open; WON who contacted the lead, EXPIRED whose window lapsed, LOST, CANCELLED.';
COMMENT ON COLUMN lead_system.bids.bid_rank IS 'Place among all bids when bidding closed, of the first three.';
COMMENT ON COLUMN lead_system.bids.charge_amount IS 'What the contractor pays if charged, fixed when bidding closed (setting marketplace.pricing).';
COMMENT ON COLUMN lead_system.bids.response_window_ends_at IS 'A message at this time still counts.';
COMMENT ON COLUMN lead_system.bids.window_warned_at IS 'When warn_response_windows() wrote that the window is about to end; NULL if it did not.';
COMMENT ON COLUMN lead_system.bids.strike_applied IS 'The lapse of the window has been counted as a strike: once and once only.';
CREATE INDEX bids_rank_idx ON lead_system.bids (organization_id, lead_id, rank_amount DESC, bid_placed_at, rating_at_bid DESC, id)
    WHERE status = 'ACTIVE' AND bid_rank IS NULL;
CREATE INDEX bids_contractor_id_idx ON lead_system.bids (contractor_id, organization_id, bid_placed_at);
CREATE UNIQUE INDEX bids_lead_id_bid_rank_idx ON lead_system.bids (organization_id, lead_id, bid_rank) WHERE bid_rank IS NOT NULL;
CREATE UNIQUE INDEX bids_open_window_idx ON lead_system.bids (organization_id, lead_id)
    WHERE status = 'ACTIVE' AND response_window_starts_at IS NOT NULL;
CREATE INDEX bids_response_window_idx ON lead_system.bids (organization_id, response_window_ends_at)
    WHERE status = 'ACTIVE' AND response_window_starts_at IS NOT NULL;

CREATE TABLE lead_system.messages (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    sender_id       uuid        NOT NULL,
    recipient_id    uuid,
    message_text    text        NOT NULL,
    sent_at         timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    is_read         boolean     NOT NULL DEFAULT false,
    read_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT messages_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT messages_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT messages_sender_id_fkey FOREIGN KEY (sender_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT messages_recipient_id_fkey FOREIGN KEY (recipient_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT messages_message_text_check CHECK (length(message_text) <= 5000 AND length(btrim(message_text)) > 0),
    CONSTRAINT messages_read_check CHECK (is_read = (read_at IS NOT NULL))
);
COMMENT ON TABLE lead_system.messages IS
    'Messages about a lead. The first one, from the contractor whose window is open, converts the lead (semantics C16).';
COMMENT ON COLUMN lead_system.messages.recipient_id IS 'A user; NULL for the customer.';
CREATE INDEX messages_lead_id_idx ON lead_system.messages (lead_id, organization_id, sent_at);
CREATE INDEX messages_sender_id_idx ON lead_system.messages (sender_id, organization_id, sent_at);
CREATE INDEX messages_recipient_id_idx ON lead_system.messages (recipient_id, organization_id, sent_at) WHERE recipient_id IS NOT NULL;
CREATE INDEX messages_organization_id_sent_at_idx ON lead_system.messages (organization_id, sent_at);

CREATE TABLE lead_system.conversions (
    organization_id uuid          NOT NULL,
    id              uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid          NOT NULL,
    contractor_id   uuid          NOT NULL,
    bid_id          uuid          NOT NULL,
    conversion_type text          NOT NULL DEFAULT 'contacted',
    amount          numeric(12,2),
    currency        text,
    charged_at      timestamptz,
    converted_at    timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    created_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT conversions_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT conversions_bid_id_conversion_type_key UNIQUE (organization_id, bid_id, conversion_type),
    CONSTRAINT conversions_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT conversions_contractor_id_fkey FOREIGN KEY (contractor_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT conversions_bid_id_fkey FOREIGN KEY (bid_id, organization_id)
        REFERENCES lead_system.bids (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT conversions_conversion_type_check CHECK (conversion_type IN ('won', 'contacted', 'booked', 'paid')),
    CONSTRAINT conversions_amount_check CHECK (amount >= 0 AND amount <> 'NaN'),
    CONSTRAINT conversions_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT conversions_charge_check CHECK ((amount IS NULL) = (charged_at IS NULL) AND (amount IS NULL) = (currency IS NULL)
        AND (amount IS NULL OR conversion_type IN ('won', 'contacted')))
);
COMMENT ON TABLE lead_system.conversions IS
    'What came of a lead: the contractor won a window (only where that is charged), contacted the lead, booked the job, was paid.';
COMMENT ON COLUMN lead_system.conversions.amount IS 'What the contractor was charged for the lead; NULL where this conversion was not the one that is charged.';
CREATE UNIQUE INDEX conversions_charge_idx ON lead_system.conversions (organization_id, bid_id) WHERE charged_at IS NOT NULL;
CREATE INDEX conversions_lead_id_idx ON lead_system.conversions (lead_id, organization_id);
CREATE INDEX conversions_bid_id_idx ON lead_system.conversions (bid_id, organization_id);
CREATE INDEX conversions_contractor_id_idx ON lead_system.conversions (contractor_id, organization_id, converted_at);
CREATE INDEX conversions_organization_id_converted_at_idx ON lead_system.conversions (organization_id, converted_at);

-- A history: no foreign keys, written by the extension alone.
CREATE TABLE lead_system.strike_logs (
    organization_id    uuid        NOT NULL,
    id                 uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    contractor_id      uuid        NOT NULL,
    lead_id            uuid        NOT NULL,
    bid_id             uuid        NOT NULL,
    strike_reason      text        NOT NULL DEFAULT 'response_window_expired',
    strike_count_after integer     NOT NULL,
    ban_triggered      boolean     NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT strike_logs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT strike_logs_bid_id_key UNIQUE (organization_id, bid_id),
    CONSTRAINT strike_logs_strike_count_after_check CHECK (strike_count_after >= 0)
);
COMMENT ON TABLE lead_system.strike_logs IS
    'One row per response window that a contractor let lapse. Never changed; a reset of strike_count leaves them.';
CREATE INDEX strike_logs_contractor_id_idx ON lead_system.strike_logs (contractor_id, organization_id, created_at);
CREATE INDEX strike_logs_lead_id_idx ON lead_system.strike_logs (lead_id, organization_id);
CREATE INDEX strike_logs_organization_id_created_at_idx ON lead_system.strike_logs (organization_id, created_at);

CREATE TABLE lead_system.ban_appeals (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    contractor_id   uuid        NOT NULL,
    appeal_reason   text        NOT NULL,
    status          text        NOT NULL DEFAULT 'PENDING',
    review_due_at   timestamptz NOT NULL,
    reviewed_by_id  uuid,
    reviewed_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT ban_appeals_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT ban_appeals_contractor_id_fkey FOREIGN KEY (contractor_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT ban_appeals_reviewed_by_id_fkey FOREIGN KEY (reviewed_by_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT ban_appeals_appeal_reason_check CHECK (length(appeal_reason) BETWEEN 10 AND 1000),
    CONSTRAINT ban_appeals_status_check CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED')),
    CONSTRAINT ban_appeals_review_check CHECK ((status = 'PENDING') = (reviewed_at IS NULL)
        AND (reviewed_by_id IS NULL OR status <> 'PENDING'))
);
COMMENT ON TABLE lead_system.ban_appeals IS
    'Appeals of contractors against their ban, one pending at a time (semantics C13).';
COMMENT ON COLUMN lead_system.ban_appeals.review_due_at IS 'When the appeal should have been reviewed (setting marketplace.appeal_review_hours).';
CREATE UNIQUE INDEX ban_appeals_pending_idx ON lead_system.ban_appeals (organization_id, contractor_id) WHERE status = 'PENDING';
CREATE INDEX ban_appeals_contractor_id_idx ON lead_system.ban_appeals (contractor_id, organization_id, created_at);
CREATE INDEX ban_appeals_reviewed_by_id_idx ON lead_system.ban_appeals (reviewed_by_id, organization_id) WHERE reviewed_by_id IS NOT NULL;
CREATE INDEX ban_appeals_organization_id_status_idx ON lead_system.ban_appeals (organization_id, status, review_due_at);

CREATE TABLE lead_system.contractor_metrics (
    organization_id             uuid          NOT NULL,
    id                          uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    contractor_id               uuid          NOT NULL,
    total_bids_placed           integer       NOT NULL DEFAULT 0,
    total_leads_won             integer       NOT NULL DEFAULT 0,
    total_leads_contacted       integer       NOT NULL DEFAULT 0,
    total_contact_seconds       bigint        NOT NULL DEFAULT 0,
    contact_rate                numeric(3,2)  NOT NULL GENERATED ALWAYS AS
        (CASE WHEN total_leads_won > 0 THEN round(total_leads_contacted::numeric / total_leads_won, 2) ELSE 0 END) STORED,
    avg_time_to_contact_minutes integer       GENERATED ALWAYS AS
        (CASE WHEN total_leads_contacted > 0 THEN round(total_contact_seconds::numeric / total_leads_contacted / 60)::integer END) STORED,
    total_spent                 numeric(12,2) NOT NULL DEFAULT 0,
    roi                         numeric,
    created_at                  timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at                  timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT contractor_metrics_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT contractor_metrics_contractor_id_key UNIQUE (organization_id, contractor_id),
    CONSTRAINT contractor_metrics_contractor_id_fkey FOREIGN KEY (contractor_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT contractor_metrics_counts_check CHECK (total_bids_placed >= 0 AND total_leads_won >= 0
        AND total_leads_contacted >= 0 AND total_leads_contacted <= total_leads_won AND total_contact_seconds >= 0),
    CONSTRAINT contractor_metrics_contact_rate_check CHECK (contact_rate BETWEEN 0 AND 1),
    CONSTRAINT contractor_metrics_total_spent_check CHECK (total_spent >= 0 AND total_spent <> 'NaN')
);
COMMENT ON TABLE lead_system.contractor_metrics IS
    'What became of a contractor''s bids, kept by triggers of bids and conversions.';
COMMENT ON COLUMN lead_system.contractor_metrics.total_leads_won IS 'Response windows that were granted (semantics C9).';
COMMENT ON COLUMN lead_system.contractor_metrics.total_contact_seconds IS 'From the start of the window to the first message, of all leads contacted.';
COMMENT ON COLUMN lead_system.contractor_metrics.roi IS 'Return on what was spent; not computed by this version.';
CREATE INDEX contractor_metrics_organization_id_contact_rate_idx ON lead_system.contractor_metrics (organization_id, contact_rate DESC);

CREATE TABLE lead_system.rating_discount_tiers (
    organization_id     uuid,
    id                  uuid         NOT NULL DEFAULT lead_system.uuid_v7(),
    min_rating          numeric(3,2) NOT NULL,
    discount_multiplier numeric(3,2) NOT NULL,
    created_at          timestamptz  NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT rating_discount_tiers_pkey PRIMARY KEY (id),
    CONSTRAINT rating_discount_tiers_organization_id_min_rating_key UNIQUE NULLS NOT DISTINCT (organization_id, min_rating),
    CONSTRAINT rating_discount_tiers_min_rating_check CHECK (min_rating > 0 AND min_rating <= 5),
    CONSTRAINT rating_discount_tiers_discount_multiplier_check CHECK (discount_multiplier BETWEEN 0 AND 1)
);
COMMENT ON TABLE lead_system.rating_discount_tiers IS
    'Discounts by rating: the tier with the highest min_rating that is reached counts, none means 1.00. Rows without organization are built in; an organization''s own rows replace them all.';

INSERT INTO lead_system.rating_discount_tiers (organization_id, id, min_rating, discount_multiplier) VALUES
    (NULL, '00000000-0000-7000-8000-000000000c41', 4.80, 0.85),
    (NULL, '00000000-0000-7000-8000-000000000c42', 4.50, 0.90),
    (NULL, '00000000-0000-7000-8000-000000000c43', 4.00, 0.95)
ON CONFLICT DO NOTHING;

ALTER TABLE lead_system.lead_listings ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_listings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_listings
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

ALTER TABLE lead_system.bids ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.bids FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.bids
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.bids AS RESTRICTIVE
    USING (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id))
    WITH CHECK (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id));

ALTER TABLE lead_system.messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.messages
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.messages AS RESTRICTIVE
    USING (coalesce((SELECT lead_system.current_contractor_id()), sender_id) IN (sender_id, recipient_id))
    WITH CHECK (coalesce((SELECT lead_system.current_contractor_id()), sender_id) IN (sender_id, recipient_id));

ALTER TABLE lead_system.conversions ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.conversions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.conversions
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.conversions AS RESTRICTIVE
    USING (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id))
    WITH CHECK (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id));

ALTER TABLE lead_system.strike_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.strike_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.strike_logs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.strike_logs AS RESTRICTIVE
    USING (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id))
    WITH CHECK (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id));

ALTER TABLE lead_system.ban_appeals ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.ban_appeals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.ban_appeals
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.ban_appeals AS RESTRICTIVE
    USING (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id))
    WITH CHECK (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id));

ALTER TABLE lead_system.contractor_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.contractor_metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.contractor_metrics
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.contractor_metrics AS RESTRICTIVE
    USING (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id))
    WITH CHECK (contractor_id = coalesce((SELECT lead_system.current_contractor_id()), contractor_id));

ALTER TABLE lead_system.rating_discount_tiers ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.rating_discount_tiers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.rating_discount_tiers FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.rating_discount_tiers
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER lead_listings_check BEFORE INSERT OR UPDATE ON lead_system.lead_listings
    FOR EACH ROW EXECUTE FUNCTION lead_system.lead_listings_check();
CREATE TRIGGER lead_listings_touch_updated_at BEFORE UPDATE ON lead_system.lead_listings
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER lead_listings_after_insert AFTER INSERT ON lead_system.lead_listings
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_listings_added();
CREATE TRIGGER bids_check BEFORE INSERT OR UPDATE ON lead_system.bids
    FOR EACH ROW EXECUTE FUNCTION lead_system.bids_check();
CREATE TRIGGER bids_after_insert AFTER INSERT ON lead_system.bids
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contractor_metrics_follow();
CREATE TRIGGER bids_after_update AFTER UPDATE ON lead_system.bids
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contractor_metrics_follow();
CREATE TRIGGER bids_after_delete AFTER DELETE ON lead_system.bids
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contractor_metrics_follow();
CREATE TRIGGER conversions_after_insert AFTER INSERT ON lead_system.conversions
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contractor_metrics_follow();
CREATE TRIGGER conversions_after_update AFTER UPDATE ON lead_system.conversions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contractor_metrics_follow();
CREATE TRIGGER conversions_after_delete AFTER DELETE ON lead_system.conversions
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contractor_metrics_follow();
CREATE TRIGGER messages_check BEFORE INSERT OR UPDATE ON lead_system.messages
    FOR EACH ROW EXECUTE FUNCTION lead_system.messages_check();
CREATE TRIGGER messages_convert AFTER INSERT ON lead_system.messages
    FOR EACH ROW EXECUTE FUNCTION lead_system.messages_convert();
CREATE TRIGGER strike_logs_append_only BEFORE UPDATE OR DELETE ON lead_system.strike_logs
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER strike_logs_no_truncate BEFORE TRUNCATE ON lead_system.strike_logs
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER leads_forget_strikes AFTER DELETE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.forget_histories('strike_logs', 'lead_id');
CREATE TRIGGER ban_appeals_touch_updated_at BEFORE UPDATE ON lead_system.ban_appeals
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER contractor_metrics_touch_updated_at BEFORE UPDATE ON lead_system.contractor_metrics
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER users_rating_discount BEFORE INSERT OR UPDATE ON lead_system.users
    FOR EACH ROW EXECUTE FUNCTION lead_system.users_rating_discount();
CREATE TRIGGER pipeline_statuses_keep_market BEFORE UPDATE OF status OR DELETE ON lead_system.pipeline_statuses
    FOR EACH ROW EXECUTE FUNCTION lead_system.pipeline_statuses_keep_market();
CREATE TRIGGER rating_discount_tiers_after_insert AFTER INSERT ON lead_system.rating_discount_tiers
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.rating_discount_tiers_changed();
CREATE TRIGGER rating_discount_tiers_after_update AFTER UPDATE ON lead_system.rating_discount_tiers
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.rating_discount_tiers_changed();
CREATE TRIGGER rating_discount_tiers_after_delete AFTER DELETE ON lead_system.rating_discount_tiers
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.rating_discount_tiers_changed();
