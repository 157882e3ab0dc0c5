-- directory: organizations, users, categories, settings.

CREATE TABLE lead_system.organizations (
    id                   uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name                 text        NOT NULL,
    owner_name           text,
    tenant_id            uuid,
    default_pipeline     text        NOT NULL DEFAULT 'b2b',
    default_region       text        NOT NULL DEFAULT 'US',
    timezone             text        NOT NULL DEFAULT 'America/Chicago',
    phone                text        COLLATE "C",
    address              text,
    city                 text,
    state                text,
    zip_code             text,
    country              text        NOT NULL DEFAULT 'US',
    currency             text        NOT NULL DEFAULT 'USD',
    service_types        text[]      NOT NULL DEFAULT '{}',
    service_area         text,
    years_in_business    integer,
    license_number       text,
    status               text        NOT NULL DEFAULT 'active',
    onboarding_completed boolean     NOT NULL DEFAULT false,
    onboarding_step      integer     NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at           timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (id),
    CONSTRAINT organizations_name_check CHECK (length(btrim(name)) > 0),
    CONSTRAINT organizations_default_region_check CHECK (default_region ~ '^[A-Z]{2}$'),
    CONSTRAINT organizations_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT organizations_phone_check CHECK (lead_system.is_e164(phone)),
    CONSTRAINT organizations_years_in_business_check CHECK (years_in_business >= 0),
    CONSTRAINT organizations_status_check CHECK (status IN ('active', 'suspended', 'cancelled')),
    CONSTRAINT organizations_onboarding_step_check CHECK (onboarding_step >= 1)
);
COMMENT ON TABLE lead_system.organizations IS
    'The tenants: each row owns rows in all other tables, which carry its id as organization_id.';
COMMENT ON COLUMN lead_system.organizations.tenant_id IS 'Groups organizations; no rule depends on it but the check of app.current_tenant_id.';
COMMENT ON COLUMN lead_system.organizations.default_pipeline IS 'Name of the pipeline of new leads: one of the organization''s own, or a built-in one.';
COMMENT ON COLUMN lead_system.organizations.default_region IS 'ISO 3166 code: phone numbers without a country code are read as numbers of this region.';
COMMENT ON COLUMN lead_system.organizations.currency IS 'ISO 4217 code: all money of the organization is in it.';

CREATE INDEX organizations_tenant_id_idx ON lead_system.organizations (tenant_id) WHERE tenant_id IS NOT NULL;

ALTER TABLE lead_system.organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.organizations
    USING (id = (SELECT lead_system.current_org_id()))
    WITH CHECK (id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER organizations_a_normalize BEFORE INSERT OR UPDATE ON lead_system.organizations
    FOR EACH ROW EXECUTE FUNCTION lead_system.directory_normalize();
CREATE TRIGGER organizations_touch_updated_at BEFORE UPDATE ON lead_system.organizations
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER organizations_default_categories AFTER INSERT ON lead_system.organizations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.organizations_default_categories();
CREATE TRIGGER organizations_delete_data BEFORE DELETE ON lead_system.organizations
    FOR EACH ROW EXECUTE FUNCTION lead_system.organizations_delete_data();
CREATE TRIGGER organizations_membership_changed AFTER UPDATE OR DELETE OR TRUNCATE ON lead_system.organizations
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();

CREATE TABLE lead_system.users (
    organization_id           uuid          NOT NULL,
    id                        uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    full_name                 text          NOT NULL,
    email                     text          NOT NULL,
    phone_number              text          COLLATE "C",
    role                      text          NOT NULL DEFAULT 'rep',
    is_active                 boolean       NOT NULL DEFAULT true,
    max_active_leads          integer       NOT NULL DEFAULT 20,
    current_lead_count        integer       NOT NULL DEFAULT 0,
    total_leads_assigned      integer       NOT NULL DEFAULT 0,
    total_leads_contacted     integer       NOT NULL DEFAULT 0,
    total_leads_qualified     integer       NOT NULL DEFAULT 0,
    total_response_seconds    bigint        NOT NULL DEFAULT 0,
    avg_response_time_minutes integer,
    last_assigned_at          timestamptz,
    assignment_weight         integer       NOT NULL DEFAULT 1,
    skills                    text[]        NOT NULL DEFAULT '{}',
    is_contractor             boolean       NOT NULL DEFAULT false,
    service_area_zip_codes    text[]        NOT NULL DEFAULT '{}',
    contractor_categories     uuid[]        NOT NULL DEFAULT '{}',
    profile_rating            numeric(3,2)  NOT NULL DEFAULT 0.00,
    response_rate             numeric(3,2)  NOT NULL DEFAULT 0.00,
    strike_count              integer       NOT NULL DEFAULT 0,
    is_bidding_banned         boolean       NOT NULL DEFAULT false,
    bidding_ban_until         timestamptz,
    strikes_reset_at          timestamptz,
    subscription_tier         text,
    subscription_renewal_date date,
    lead_discount_multiplier  numeric(3,2)  NOT NULL DEFAULT 1.00,
    slack_user_id             text,
    notify_email              boolean       NOT NULL DEFAULT true,
    notify_slack              boolean       NOT NULL DEFAULT true,
    notify_sms                boolean       NOT NULL DEFAULT false,
    last_login_at             timestamptz,
    created_at                timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at                timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT users_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT users_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT users_organization_id_email_key UNIQUE (organization_id, email),
    CONSTRAINT users_full_name_check CHECK (length(btrim(full_name)) > 0),
    CONSTRAINT users_email_check CHECK (lead_system.is_valid_email(email)),
    CONSTRAINT users_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT users_role_check CHECK (role IN ('rep', 'manager', 'admin', 'contractor', 'viewer')),
    CONSTRAINT users_counts_check CHECK (max_active_leads >= 0 AND current_lead_count >= 0
        AND total_leads_assigned >= 0 AND total_leads_contacted >= 0 AND total_leads_qualified >= 0
        AND total_response_seconds >= 0 AND strike_count >= 0 AND assignment_weight >= 0),
    CONSTRAINT users_profile_rating_check CHECK (profile_rating BETWEEN 0 AND 5),
    CONSTRAINT users_response_rate_check CHECK (response_rate BETWEEN 0 AND 1),
    CONSTRAINT users_lead_discount_multiplier_check CHECK (lead_discount_multiplier BETWEEN 0 AND 1),
    CONSTRAINT users_subscription_tier_check CHECK (subscription_tier IN ('starter', 'pro', 'enterprise'))
);
COMMENT ON TABLE lead_system.users IS
    'People who work for an organization: reps, managers, administrators, contractors, viewers. Deactivated, not deleted.';
COMMENT ON COLUMN lead_system.users.current_lead_count IS 'Open leads that are assigned to the user; kept by trigger, as the other counts of leads are.';
COMMENT ON COLUMN lead_system.users.total_response_seconds IS 'From creation to first contact, over the leads that the user was the first to contact.';
COMMENT ON COLUMN lead_system.users.strike_count IS 'Response windows that the contractor let lapse since strikes_reset_at.';
COMMENT ON COLUMN lead_system.users.bidding_ban_until IS 'When a ban ends; NULL while banned means until somebody lifts it.';
COMMENT ON COLUMN lead_system.users.response_rate IS 'contact_rate of contractor_metrics; kept by trigger.';
COMMENT ON COLUMN lead_system.users.lead_discount_multiplier IS 'What the contractor''s bids are multiplied with; follows profile_rating by rating_discount_tiers until it is set by hand.';
CREATE INDEX users_organization_id_role_idx ON lead_system.users (organization_id, role) WHERE is_active;
CREATE INDEX users_organization_id_is_contractor_idx ON lead_system.users (organization_id) WHERE is_contractor;
CREATE INDEX users_organization_id_is_bidding_banned_idx ON lead_system.users (organization_id, bidding_ban_until) WHERE is_bidding_banned;
CREATE INDEX users_service_area_zip_codes_idx ON lead_system.users USING gin (service_area_zip_codes) WHERE is_contractor;

ALTER TABLE lead_system.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.users
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER users_a_normalize BEFORE INSERT OR UPDATE ON lead_system.users
    FOR EACH ROW EXECUTE FUNCTION lead_system.directory_normalize();
CREATE TRIGGER users_touch_updated_at BEFORE UPDATE ON lead_system.users
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER users_refuse_delete BEFORE DELETE ON lead_system.users
    FOR EACH ROW EXECUTE FUNCTION lead_system.users_refuse_delete();
CREATE TRIGGER users_membership_changed AFTER UPDATE ON lead_system.users
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.users_membership_changed();
CREATE TRIGGER users_membership_ended AFTER DELETE OR TRUNCATE ON lead_system.users
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();

CREATE TABLE lead_system.categories (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    slug            text        NOT NULL,
    display_name    text        NOT NULL,
    description     text,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT categories_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT categories_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT categories_organization_id_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT categories_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$')
);
COMMENT ON TABLE lead_system.categories IS
    'Kinds of work that leads ask for and contractors do.';

ALTER TABLE lead_system.categories ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.categories FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.categories
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TABLE lead_system.system_config (
    organization_id uuid        NOT NULL,
    key             text        NOT NULL,
    value           jsonb       NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT system_config_pkey PRIMARY KEY (organization_id, key),
    CONSTRAINT system_config_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE
);
COMMENT ON TABLE lead_system.system_config IS
    'Settings of an organization that differ from the defaults; config_keys() lists all settings.';

ALTER TABLE lead_system.system_config ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.system_config FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.system_config
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER system_config_check BEFORE INSERT OR UPDATE ON lead_system.system_config
    FOR EACH ROW EXECUTE FUNCTION lead_system.config_check();
CREATE TRIGGER system_config_touch_updated_at BEFORE UPDATE ON lead_system.system_config
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER system_config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.system_config
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
