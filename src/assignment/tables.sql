-- assignment: who works on which lead.

CREATE TABLE lead_system.territories (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    kind            text        NOT NULL,
    code            text        COLLATE "C" NOT NULL DEFAULT '',
    user_id         uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT territories_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT territories_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT territories_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES lead_system.users (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT territories_organization_id_code_kind_user_id_key UNIQUE (organization_id, code, kind, user_id),
    CONSTRAINT territories_kind_check CHECK (kind IN ('zip', 'state', 'country', 'fallback')),
    CONSTRAINT territories_code_check CHECK (code = upper(btrim(code)) AND length(code) <= 20 AND (code = '') = (kind = 'fallback'))
);
COMMENT ON TABLE lead_system.territories IS
    'Who takes the leads of a place when leads are assigned by place. Several users can share a territory.';
COMMENT ON COLUMN lead_system.territories.code IS 'Zip code, state or country as leads have it, in capital letters; empty for the fallback, which takes what no other territory does.';
CREATE INDEX territories_user_id_idx ON lead_system.territories (user_id, organization_id);

ALTER TABLE lead_system.territories ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.territories FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.territories
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE TRIGGER territories_touch_updated_at BEFORE UPDATE ON lead_system.territories
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();

CREATE TABLE lead_system.waiting_leads (
    organization_id uuid        NOT NULL,
    lead_id         uuid        NOT NULL,
    strategy        text        NOT NULL,
    waiting_since   timestamptz NOT NULL,
    set_review      boolean     NOT NULL,
    CONSTRAINT waiting_leads_pkey PRIMARY KEY (organization_id, lead_id),
    CONSTRAINT waiting_leads_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT waiting_leads_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT waiting_leads_strategy_check CHECK (strategy IN ('round_robin', 'capacity', 'geographic', 'skill_based'))
);
COMMENT ON TABLE lead_system.waiting_leads IS
    'Leads that nobody had room for. Written by the extension alone; a lead leaves when it is assigned, or can no longer be.';
COMMENT ON COLUMN lead_system.waiting_leads.set_review IS 'Waiting has set needs_review of the lead, so the end of waiting takes it back.';
CREATE INDEX waiting_leads_organization_id_waiting_since_idx ON lead_system.waiting_leads (organization_id, waiting_since, lead_id);

ALTER TABLE lead_system.waiting_leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.waiting_leads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.waiting_leads
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TABLE lead_system.lead_assignments (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    from_user_id    uuid,
    to_user_id      uuid,
    assigned_by     uuid,
    strategy        text        NOT NULL,
    reason          text,
    metadata        jsonb       NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_assignments_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_assignments_strategy_check
        CHECK (strategy IN ('manual', 'round_robin', 'capacity', 'geographic', 'skill_based')),
    CONSTRAINT lead_assignments_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE lead_system.lead_assignments IS
    'Every change of the user that a lead is assigned to, whichever way it was made. Written by the extension alone.';
COMMENT ON COLUMN lead_system.lead_assignments.strategy IS 'How the user was chosen; manual also for a plain UPDATE of the lead.';
COMMENT ON COLUMN lead_system.lead_assignments.created_at IS 'When. The assignments of one user in one transaction are a microsecond apart, so that they have an order.';
CREATE INDEX lead_assignments_lead_id_idx ON lead_system.lead_assignments (lead_id, organization_id, created_at);
CREATE INDEX lead_assignments_organization_id_created_at_idx ON lead_system.lead_assignments (organization_id, created_at);
CREATE INDEX lead_assignments_to_user_id_idx ON lead_system.lead_assignments (organization_id, to_user_id, created_at);

CREATE TABLE lead_system.lead_credits (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id          uuid        NOT NULL,
    user_id          uuid        NOT NULL,
    milestone        text        NOT NULL,
    response_seconds bigint,
    created_at       timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_credits_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_credits_organization_id_lead_id_milestone_key UNIQUE (organization_id, lead_id, milestone),
    CONSTRAINT lead_credits_milestone_check CHECK (milestone IN ('contacted', 'qualified')),
    CONSTRAINT lead_credits_response_seconds_check
        CHECK (response_seconds >= 0 AND (response_seconds IS NOT NULL) = (milestone = 'contacted'))
);
COMMENT ON TABLE lead_system.lead_credits IS
    'Who had a lead when it was contacted, and when it was qualified, for the first time. Written by the extension alone.';
COMMENT ON COLUMN lead_system.lead_credits.response_seconds IS 'From the creation of the lead to its first contact.';
CREATE INDEX lead_credits_user_id_idx ON lead_system.lead_credits (organization_id, user_id, milestone);
CREATE INDEX lead_credits_organization_id_created_at_idx ON lead_system.lead_credits (organization_id, created_at);

ALTER TABLE lead_system.lead_assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_assignments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_assignments
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_credits ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_credits FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_credits
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER lead_assignments_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_assignments
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_assignments_no_truncate BEFORE TRUNCATE ON lead_system.lead_assignments
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER lead_credits_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_credits
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_credits_no_truncate BEFORE TRUNCATE ON lead_system.lead_credits
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
-- After leads_after_delete, which counts what is forgotten here.
CREATE TRIGGER leads_forget_assignments AFTER DELETE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.forget_histories('lead_assignments', 'lead_id', 'lead_credits', 'lead_id');

CREATE INDEX leads_sla_idx ON lead_system.leads (organization_id, needs_review, status_changed_at)
    WHERE stage = 'new' AND temperature IN ('hot', 'warm') AND deleted_at IS NULL AND NOT is_spam;
CREATE INDEX leads_sla_assigned_idx ON lead_system.leads (organization_id, status_changed_at)
    WHERE stage = 'new' AND temperature IN ('hot', 'warm') AND deleted_at IS NULL AND NOT is_spam AND assigned_to IS NOT NULL;

CREATE TRIGGER users_keep_counters BEFORE INSERT OR UPDATE ON lead_system.users
    FOR EACH ROW EXECUTE FUNCTION lead_system.users_keep_counters();
CREATE TRIGGER users_capacity_added AFTER INSERT ON lead_system.users
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.users_capacity_changed();
CREATE TRIGGER users_capacity_changed AFTER UPDATE ON lead_system.users
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.users_capacity_changed();
CREATE TRIGGER system_config_drain_insert AFTER INSERT ON lead_system.system_config
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.system_config_drain();
CREATE TRIGGER system_config_drain_update AFTER UPDATE ON lead_system.system_config
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.system_config_drain();
CREATE TRIGGER system_config_drain_delete AFTER DELETE ON lead_system.system_config
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.system_config_drain();
