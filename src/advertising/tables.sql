-- advertising: campaigns on advertising platforms.

CREATE TABLE lead_system.ad_campaigns (
    organization_id   uuid          NOT NULL,
    id                uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    external_id       text          NOT NULL,
    name              text          NOT NULL,
    campaign_type     text          NOT NULL DEFAULT 'search',
    daily_budget      numeric(12,2) NOT NULL,
    monthly_budget    numeric(12,2),
    status            text          NOT NULL DEFAULT 'active',
    total_spend       numeric(12,2) NOT NULL DEFAULT 0,
    total_clicks      integer       NOT NULL DEFAULT 0,
    total_impressions integer       NOT NULL DEFAULT 0,
    total_conversions integer       NOT NULL DEFAULT 0,
    last_synced_at    timestamptz,
    created_at        timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at        timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT ad_campaigns_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT ad_campaigns_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT ad_campaigns_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT ad_campaigns_name_check CHECK (length(btrim(name)) > 0),
    CONSTRAINT ad_campaigns_campaign_type_check CHECK (campaign_type IN ('search', 'display', 'video')),
    CONSTRAINT ad_campaigns_status_check CHECK (status IN ('active', 'paused', 'ended')),
    CONSTRAINT ad_campaigns_budgets_check CHECK (daily_budget >= 0 AND daily_budget <> 'NaN'
        AND monthly_budget >= 0 AND monthly_budget <> 'NaN'),
    CONSTRAINT ad_campaigns_totals_check CHECK (total_spend >= 0 AND total_spend <> 'NaN' AND total_clicks >= 0
        AND total_impressions >= 0 AND total_conversions >= 0)
);
COMMENT ON TABLE lead_system.ad_campaigns IS
    'Campaigns on an advertising platform, with its totals as they were last read.';
COMMENT ON COLUMN lead_system.ad_campaigns.external_id IS 'The platform''s id.';
CREATE INDEX ad_campaigns_organization_id_status_idx ON lead_system.ad_campaigns (organization_id, status);

ALTER TABLE lead_system.ad_campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.ad_campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.ad_campaigns
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER ad_campaigns_touch_updated_at BEFORE UPDATE ON lead_system.ad_campaigns
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
