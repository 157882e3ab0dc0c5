-- billing: subscriptions, the money of each day, what sources cost.

CREATE TABLE lead_system.subscriptions (
    organization_id        uuid          NOT NULL,
    id                     uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    stripe_subscription_id text          NOT NULL,
    stripe_price_id        text          NOT NULL,
    plan_name              text          NOT NULL,
    amount                 numeric(12,2) NOT NULL,
    currency               text          NOT NULL DEFAULT 'USD',
    status                 text          NOT NULL DEFAULT 'active',
    current_period_start   timestamptz   NOT NULL,
    current_period_end     timestamptz   NOT NULL,
    cancel_at_period_end   boolean       NOT NULL DEFAULT false,
    cancelled_at           timestamptz,
    created_at             timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at             timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT subscriptions_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT subscriptions_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT subscriptions_stripe_subscription_id_key UNIQUE (organization_id, stripe_subscription_id),
    CONSTRAINT subscriptions_plan_name_check CHECK (plan_name IN ('Basic', 'Pro', 'Enterprise')),
    CONSTRAINT subscriptions_amount_check CHECK (amount >= 0 AND amount <> 'NaN'),
    CONSTRAINT subscriptions_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT subscriptions_status_check CHECK (status IN ('active', 'past_due', 'cancelled', 'unpaid')),
    CONSTRAINT subscriptions_period_check CHECK (current_period_end > current_period_start)
);
COMMENT ON TABLE lead_system.subscriptions IS
    'What an organization pays for each month.';
COMMENT ON COLUMN lead_system.subscriptions.amount IS 'Per month.';
CREATE INDEX subscriptions_organization_id_status_idx ON lead_system.subscriptions (organization_id, status);

CREATE TABLE lead_system.financials (
    organization_id uuid          NOT NULL,
    id              uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    date            date          NOT NULL,
    ad_spend        numeric(12,2) NOT NULL DEFAULT 0,
    platform_fee    numeric(12,2) NOT NULL DEFAULT 0,
    other_costs     numeric(12,2) NOT NULL DEFAULT 0,
    leads_generated integer       NOT NULL DEFAULT 0,
    leads_contacted integer       NOT NULL DEFAULT 0,
    leads_quoted    integer       NOT NULL DEFAULT 0,
    leads_booked    integer       NOT NULL DEFAULT 0,
    leads_completed integer       NOT NULL DEFAULT 0,
    leads_lost      integer       NOT NULL DEFAULT 0,
    revenue         numeric(12,2) NOT NULL DEFAULT 0,
    cpl             numeric(12,2) GENERATED ALWAYS AS
        (CASE WHEN leads_generated > 0 THEN ad_spend / leads_generated ELSE 0 END) STORED,
    conversion_rate numeric(14,2) GENERATED ALWAYS AS
        (CASE WHEN leads_generated > 0 THEN leads_booked::numeric / leads_generated * 100 ELSE 0 END) STORED,
    roi             numeric(18,2) GENERATED ALWAYS AS
        (CASE WHEN ad_spend > 0 THEN (revenue - ad_spend) / ad_spend * 100 ELSE 0 END) STORED,
    created_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT financials_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT financials_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT financials_date_key UNIQUE (organization_id, date),
    CONSTRAINT financials_costs_check CHECK (ad_spend >= 0 AND ad_spend <> 'NaN' AND platform_fee >= 0
        AND platform_fee <> 'NaN' AND other_costs >= 0 AND other_costs <> 'NaN'),
    CONSTRAINT financials_leads_check CHECK (leads_generated >= 0 AND leads_contacted >= 0 AND leads_quoted >= 0
        AND leads_booked >= 0 AND leads_completed >= 0 AND leads_lost >= 0),
    CONSTRAINT financials_revenue_check CHECK (revenue <> 'NaN')
);
COMMENT ON TABLE lead_system.financials IS
    'Costs, leads and revenue of a day of the organization.';
COMMENT ON COLUMN lead_system.financials.cpl IS 'Cost per lead: ad_spend / leads_generated; 0 without leads.';
COMMENT ON COLUMN lead_system.financials.conversion_rate IS 'Per cent of the leads that booked; 0 without leads.';
COMMENT ON COLUMN lead_system.financials.roi IS 'Return on ad_spend in per cent; 0 without ad_spend (semantics E6).';

CREATE TABLE lead_system.lead_source_costs (
    organization_id uuid          NOT NULL,
    id              uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    user_id         uuid,
    source          text          NOT NULL,
    sub_source      text,
    period_month    date          NOT NULL,
    total_cost      numeric(12,2) NOT NULL DEFAULT 0,
    currency        text          NOT NULL DEFAULT 'USD',
    created_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_source_costs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_source_costs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT lead_source_costs_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT lead_source_costs_source_check CHECK (length(btrim(source)) > 0),
    CONSTRAINT lead_source_costs_period_month_check CHECK (extract(day FROM period_month) = 1),
    CONSTRAINT lead_source_costs_total_cost_check CHECK (total_cost >= 0 AND total_cost <> 'NaN'),
    CONSTRAINT lead_source_costs_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);
COMMENT ON TABLE lead_system.lead_source_costs IS
    'What a source of leads cost in a month; cost per lead and return follow from it.';
COMMENT ON COLUMN lead_system.lead_source_costs.user_id IS 'Whose leads were paid for; NULL for the organization''s.';
COMMENT ON COLUMN lead_system.lead_source_costs.sub_source IS 'A part of the source, as one of its campaigns; NULL for the source as a whole.';
COMMENT ON COLUMN lead_system.lead_source_costs.period_month IS 'First day of the month.';
CREATE UNIQUE INDEX lead_source_costs_source_idx ON lead_system.lead_source_costs
    (organization_id, source, coalesce(sub_source, ''), period_month, coalesce(user_id, '00000000-0000-0000-0000-000000000000'));
CREATE INDEX lead_source_costs_period_month_idx ON lead_system.lead_source_costs (organization_id, period_month);
CREATE INDEX lead_source_costs_user_id_idx ON lead_system.lead_source_costs (user_id, organization_id) WHERE user_id IS NOT NULL;

ALTER TABLE lead_system.subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.subscriptions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.subscriptions
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.subscriptions AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.financials ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.financials FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.financials
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.financials AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.lead_source_costs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_source_costs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_source_costs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.lead_source_costs AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);

CREATE TRIGGER subscriptions_touch_updated_at BEFORE UPDATE ON lead_system.subscriptions
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER financials_touch_updated_at BEFORE UPDATE ON lead_system.financials
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER lead_source_costs_touch_updated_at BEFORE UPDATE ON lead_system.lead_source_costs
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
