-- directory: passwords of users, and tokens for programs of others.  Nobody is
-- granted what is secret: functions alone read and write it.

CREATE TABLE lead_system.user_credentials (
    organization_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    password_hash   text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT user_credentials_pkey PRIMARY KEY (organization_id, user_id),
    CONSTRAINT user_credentials_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT user_credentials_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT user_credentials_password_hash_check CHECK (password_hash ~ '^\$2[a-z]?\$[0-9]{2}\$')
);
COMMENT ON TABLE lead_system.user_credentials IS
    'Hashes of passwords. No access level may read them; set_password() and verify_password() do.';
COMMENT ON COLUMN lead_system.user_credentials.password_hash IS 'bcrypt, made by pgcrypto.';

ALTER TABLE lead_system.user_credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.user_credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.user_credentials
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER user_credentials_touch_updated_at BEFORE UPDATE ON lead_system.user_credentials
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();

CREATE TABLE lead_system.integrations (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    provider        text        NOT NULL,
    external_id     text,
    access_token    bytea       NOT NULL,
    refresh_token   bytea,
    expires_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT integrations_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT integrations_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT integrations_organization_id_provider_key UNIQUE (organization_id, provider),
    CONSTRAINT integrations_provider_check CHECK (provider ~ '^[a-z][a-z0-9_]{0,62}$')
);
COMMENT ON TABLE lead_system.integrations IS
    'Programs of others that the organization uses, with the tokens for them. No access level may read the tokens; get_integration_token() does, with the key.';
COMMENT ON COLUMN lead_system.integrations.external_id IS 'What the provider calls the organization: account, location or customer.';
COMMENT ON COLUMN lead_system.integrations.access_token IS 'Encrypted by pgcrypto under the key of the session that set it; the key is stored nowhere.';
COMMENT ON COLUMN lead_system.integrations.refresh_token IS 'As access_token.';

ALTER TABLE lead_system.integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.integrations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.integrations
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER integrations_touch_updated_at BEFORE UPDATE ON lead_system.integrations
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
