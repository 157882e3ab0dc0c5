-- advertising: campaigns and keywords of an advertising platform, day by day.

CREATE TABLE lead_system.ad_campaigns (
    organization_id   uuid          NOT NULL,
    id                uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    external_id       text          COLLATE "C" NOT NULL,
    name              text          NOT NULL,
    campaign_type     text          NOT NULL DEFAULT 'search',
    daily_budget      numeric(12,2) NOT NULL,
    monthly_budget    numeric(12,2),
    status            text          NOT NULL DEFAULT 'active',
    paused_for        date,
    total_spend       numeric(12,2) NOT NULL DEFAULT 0,
    total_clicks      bigint        NOT NULL DEFAULT 0,
    total_impressions bigint        NOT NULL DEFAULT 0,
    total_conversions bigint        NOT NULL DEFAULT 0,
    created_at        timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at        timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    last_synced_at    timestamptz,
    CONSTRAINT ad_campaigns_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT ad_campaigns_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT ad_campaigns_organization_id_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT ad_campaigns_external_id_check CHECK (length(external_id) BETWEEN 1 AND 255),
    CONSTRAINT ad_campaigns_name_check CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 255),
    CONSTRAINT ad_campaigns_campaign_type_check CHECK (campaign_type IN ('search', 'display', 'video')),
    CONSTRAINT ad_campaigns_budgets_check CHECK (daily_budget > 0 AND daily_budget <> 'NaN' AND monthly_budget > 0 AND monthly_budget <> 'NaN'),
    CONSTRAINT ad_campaigns_status_check CHECK (status IN ('active', 'paused', 'ended')),
    CONSTRAINT ad_campaigns_paused_for_check CHECK (paused_for IS NULL OR status = 'paused'),
    CONSTRAINT ad_campaigns_totals_check CHECK (total_spend >= 0 AND total_spend <> 'NaN' AND total_clicks >= 0
        AND total_impressions >= 0 AND total_conversions >= 0)
);
COMMENT ON TABLE lead_system.ad_campaigns IS
    'Campaigns of an advertising platform. Amounts are in the currency of the organization.';
COMMENT ON COLUMN lead_system.ad_campaigns.external_id IS 'What the platform calls the campaign.';
COMMENT ON COLUMN lead_system.ad_campaigns.paused_for IS 'The day whose budget was reached, when that is why the campaign is paused.';
COMMENT ON COLUMN lead_system.ad_campaigns.total_spend IS 'What it had when it was entered, and all days that record_ad_days() was told since.';

CREATE TABLE lead_system.keywords (
    organization_id   uuid          NOT NULL,
    id                uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    campaign_id       uuid          NOT NULL,
    keyword_text      text          NOT NULL,
    match_type        text          NOT NULL,
    max_cpc           numeric(12,2),
    quality_score     integer,
    status            text          NOT NULL DEFAULT 'active',
    total_spend       numeric(12,2) NOT NULL DEFAULT 0,
    total_clicks      bigint        NOT NULL DEFAULT 0,
    total_impressions bigint        NOT NULL DEFAULT 0,
    total_conversions bigint        NOT NULL DEFAULT 0,
    created_at        timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at        timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    last_synced_at    timestamptz,
    CONSTRAINT keywords_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT keywords_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT keywords_campaign_id_fkey FOREIGN KEY (campaign_id, organization_id)
        REFERENCES lead_system.ad_campaigns (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT keywords_campaign_id_keyword_text_match_type_key UNIQUE (organization_id, campaign_id, keyword_text, match_type),
    CONSTRAINT keywords_keyword_text_check CHECK (keyword_text = btrim(keyword_text) AND length(keyword_text) BETWEEN 1 AND 255),
    CONSTRAINT keywords_match_type_check CHECK (match_type IN ('exact', 'phrase', 'broad')),
    CONSTRAINT keywords_max_cpc_check CHECK (max_cpc > 0 AND max_cpc <> 'NaN'),
    CONSTRAINT keywords_quality_score_check CHECK (quality_score BETWEEN 1 AND 10),
    CONSTRAINT keywords_status_check CHECK (status IN ('active', 'paused', 'removed')),
    CONSTRAINT keywords_totals_check CHECK (total_spend >= 0 AND total_spend <> 'NaN' AND total_clicks >= 0
        AND total_impressions >= 0 AND total_conversions >= 0)
);
COMMENT ON TABLE lead_system.keywords IS 'What the searches have in them that an ad is shown for.';
COMMENT ON COLUMN lead_system.keywords.campaign_id IS 'A row of ad_campaigns.';
COMMENT ON COLUMN lead_system.keywords.max_cpc IS 'The bid: what a click may cost at most.';

CREATE TABLE lead_system.ad_campaign_days (
    organization_id uuid          NOT NULL,
    campaign_id     uuid          NOT NULL,
    day             date          NOT NULL,
    spend           numeric(12,2) NOT NULL,
    clicks          bigint        NOT NULL,
    impressions     bigint        NOT NULL,
    conversions     bigint        NOT NULL,
    CONSTRAINT ad_campaign_days_pkey PRIMARY KEY (organization_id, campaign_id, day),
    CONSTRAINT ad_campaign_days_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT ad_campaign_days_campaign_id_fkey FOREIGN KEY (campaign_id, organization_id)
        REFERENCES lead_system.ad_campaigns (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT ad_campaign_days_counts_check CHECK (spend >= 0 AND spend <> 'NaN' AND clicks >= 0 AND impressions >= 0 AND conversions >= 0)
);
COMMENT ON TABLE lead_system.ad_campaign_days IS
    'What a campaign cost and brought on a day of the organization''s time zone; a conversion is a lead. Written by record_ad_days() alone.';
CREATE INDEX ad_campaign_days_organization_id_day_idx ON lead_system.ad_campaign_days (organization_id, day);

CREATE TABLE lead_system.keyword_days (
    organization_id uuid          NOT NULL,
    keyword_id      uuid          NOT NULL,
    day             date          NOT NULL,
    spend           numeric(12,2) NOT NULL,
    clicks          bigint        NOT NULL,
    impressions     bigint        NOT NULL,
    conversions     bigint        NOT NULL,
    CONSTRAINT keyword_days_pkey PRIMARY KEY (organization_id, keyword_id, day),
    CONSTRAINT keyword_days_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT keyword_days_keyword_id_fkey FOREIGN KEY (keyword_id, organization_id)
        REFERENCES lead_system.keywords (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT keyword_days_counts_check CHECK (spend >= 0 AND spend <> 'NaN' AND clicks >= 0 AND impressions >= 0 AND conversions >= 0)
);
COMMENT ON TABLE lead_system.keyword_days IS
    'What a keyword cost and brought on a day of the organization''s time zone. Written by record_ad_days() alone.';
CREATE INDEX keyword_days_organization_id_day_idx ON lead_system.keyword_days (organization_id, day);

ALTER TABLE lead_system.ad_campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.ad_campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.ad_campaigns
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.ad_campaigns AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.keywords ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.keywords FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.keywords
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.keywords AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.ad_campaign_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.ad_campaign_days FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.ad_campaign_days
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.ad_campaign_days AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);
ALTER TABLE lead_system.keyword_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.keyword_days FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.keyword_days
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY not_for_contractors ON lead_system.keyword_days AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);

CREATE TRIGGER ad_campaigns_end_pause BEFORE UPDATE ON lead_system.ad_campaigns
    FOR EACH ROW EXECUTE FUNCTION lead_system.ad_campaigns_end_pause();
CREATE TRIGGER ad_campaigns_touch_updated_at BEFORE UPDATE ON lead_system.ad_campaigns
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER keywords_touch_updated_at BEFORE UPDATE ON lead_system.keywords
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
