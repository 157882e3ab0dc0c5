-- core: what the extension remembers about itself.

CREATE TABLE lead_system.access_grants (
    role_name  text        NOT NULL,
    role_id    oid         NOT NULL,
    level      text        NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT access_grants_pkey PRIMARY KEY (role_name),
    CONSTRAINT access_grants_level_check
        CHECK (level IN ('readonly', 'agent', 'manager', 'admin', 'maintenance'))
);
COMMENT ON TABLE lead_system.access_grants IS
    'Database roles and the access level that grant_access() gave them; install() gives it again.';
COMMENT ON COLUMN lead_system.access_grants.role_id IS 'The role of this cluster that was meant; another one of its name gets nothing.';
