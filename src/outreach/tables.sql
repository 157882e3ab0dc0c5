-- outreach: lists, campaigns and their queue, imports.

CREATE TABLE lead_system.lead_lists (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name            text        NOT NULL,
    description     text,
    list_type       text        NOT NULL DEFAULT 'static',
    segment_id      uuid,
    lead_count      integer     NOT NULL DEFAULT 0,
    is_archived     boolean     NOT NULL DEFAULT false,
    tags            jsonb       NOT NULL DEFAULT '[]',
    metadata        jsonb       NOT NULL DEFAULT '{}',
    created_by      uuid                 DEFAULT lead_system.current_user_id(),
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_lists_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_lists_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT lead_lists_name_check CHECK (length(btrim(name)) > 0),
    CONSTRAINT lead_lists_list_type_check CHECK (list_type IN ('static', 'dynamic', 'smart')),
    CONSTRAINT lead_lists_segment_id_check CHECK ((segment_id IS NULL) = (list_type = 'static')),
    CONSTRAINT lead_lists_segment_id_fkey FOREIGN KEY (segment_id, organization_id)
        REFERENCES lead_system.segments (id, organization_id),
    CONSTRAINT lead_lists_lead_count_check CHECK (lead_count >= 0),
    CONSTRAINT lead_lists_tags_check CHECK (jsonb_typeof(tags) = 'array'),
    CONSTRAINT lead_lists_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE lead_system.lead_lists IS
    'Groups of leads that can be given to any number of campaigns.';
COMMENT ON COLUMN lead_system.lead_lists.list_type IS 'static: members by hand; smart: members follow the segment as leads change; dynamic: no members, the segment is asked.';
COMMENT ON COLUMN lead_system.lead_lists.lead_count IS 'Number of members, kept by trigger; of a dynamic list, the segment''s when it was last counted.';
CREATE UNIQUE INDEX lead_lists_organization_id_name_idx ON lead_system.lead_lists (organization_id, name) WHERE NOT is_archived;
CREATE INDEX lead_lists_segment_id_idx ON lead_system.lead_lists (segment_id, organization_id) WHERE segment_id IS NOT NULL;
CREATE INDEX lead_lists_smart_idx ON lead_system.lead_lists (organization_id) WHERE list_type = 'smart';

CREATE TABLE lead_system.lead_list_members (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_list_id    uuid        NOT NULL,
    lead_id         uuid        NOT NULL,
    added_at        timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    added_by        uuid                 DEFAULT lead_system.current_user_id(),
    notes           text,
    CONSTRAINT lead_list_members_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_list_members_lead_list_id_lead_id_key UNIQUE (organization_id, lead_list_id, lead_id),
    CONSTRAINT lead_list_members_lead_list_id_fkey FOREIGN KEY (lead_list_id, organization_id)
        REFERENCES lead_system.lead_lists (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_list_members_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE
);
COMMENT ON TABLE lead_system.lead_list_members IS
    'Which lead is in which list.';
CREATE INDEX lead_list_members_lead_id_idx ON lead_system.lead_list_members (lead_id, organization_id);

CREATE TABLE lead_system.campaigns (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name            text        NOT NULL,
    description     text,
    status          text        NOT NULL DEFAULT 'draft',
    max_attempts    integer     NOT NULL DEFAULT 3,
    retry_after     interval    NOT NULL DEFAULT '24 hours',
    daily_cap       integer              DEFAULT 100,
    exclude_dnc     boolean     NOT NULL DEFAULT true,
    dedupe_by_phone boolean     NOT NULL DEFAULT true,
    calling_from    time,
    calling_to      time,
    timezone        text,
    call_price      numeric(12,2),
    metadata        jsonb       NOT NULL DEFAULT '{}',
    created_by      uuid                 DEFAULT lead_system.current_user_id(),
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT campaigns_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT campaigns_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT campaigns_name_check CHECK (length(btrim(name)) > 0),
    CONSTRAINT campaigns_status_check CHECK (status IN ('draft', 'active', 'paused', 'completed')),
    CONSTRAINT campaigns_max_attempts_check CHECK (max_attempts BETWEEN 1 AND 100),
    CONSTRAINT campaigns_retry_after_check CHECK (retry_after BETWEEN interval '0' AND interval '10 years'),
    CONSTRAINT campaigns_daily_cap_check CHECK (daily_cap >= 0),
    CONSTRAINT campaigns_call_price_check CHECK (call_price > 0 AND call_price <> 'NaN'),
    CONSTRAINT campaigns_calling_window_check CHECK ((calling_from IS NULL) = (calling_to IS NULL) AND calling_from <> calling_to)
);
COMMENT ON TABLE lead_system.campaigns IS
    'Efforts to reach leads by phone.';
COMMENT ON COLUMN lead_system.campaigns.daily_cap IS 'Calls per day of the campaign''s time zone; NULL for no limit.';
COMMENT ON COLUMN lead_system.campaigns.exclude_dnc IS 'Show listed leads as dnc when a list is added. They are never handed out, either way.';
COMMENT ON COLUMN lead_system.campaigns.calling_from IS 'Leads are handed out from this time of day, by the campaign''s time zone, until before calling_to; that may be after midnight. NULL for no limit.';
COMMENT ON COLUMN lead_system.campaigns.call_price IS 'What a call costs the organization''s budget account, held by the claim; NULL for nothing.';
COMMENT ON COLUMN lead_system.campaigns.timezone IS 'NULL for the organization''s.';
CREATE INDEX campaigns_organization_id_status_idx ON lead_system.campaigns (organization_id, status);

CREATE TABLE lead_system.campaign_lead_lists (
    organization_id       uuid        NOT NULL,
    id                    uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    campaign_id           uuid        NOT NULL,
    lead_list_id          uuid        NOT NULL,
    priority              integer     NOT NULL DEFAULT 1,
    max_attempts_override integer,
    filter_criteria       jsonb,
    total_leads           integer     NOT NULL DEFAULT 0,
    open_leads            integer     NOT NULL DEFAULT 0,
    contacted_leads       integer     NOT NULL DEFAULT 0,
    successful_leads      integer     NOT NULL DEFAULT 0,
    is_active             boolean     NOT NULL DEFAULT true,
    assigned_at           timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    completed_at          timestamptz,
    removed_at            timestamptz,
    CONSTRAINT campaign_lead_lists_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT campaign_lead_lists_campaign_id_lead_list_id_key UNIQUE (organization_id, campaign_id, lead_list_id),
    CONSTRAINT campaign_lead_lists_campaign_id_fkey FOREIGN KEY (campaign_id, organization_id)
        REFERENCES lead_system.campaigns (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT campaign_lead_lists_lead_list_id_fkey FOREIGN KEY (lead_list_id, organization_id)
        REFERENCES lead_system.lead_lists (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT campaign_lead_lists_priority_check CHECK (priority >= 1),
    CONSTRAINT campaign_lead_lists_max_attempts_override_check CHECK (max_attempts_override BETWEEN 1 AND 100),
    CONSTRAINT campaign_lead_lists_removed_at_check CHECK (removed_at IS NULL OR NOT is_active),
    CONSTRAINT campaign_lead_lists_counts_check CHECK (total_leads >= 0 AND open_leads >= 0
        AND contacted_leads >= 0 AND successful_leads >= 0)
);
COMMENT ON TABLE lead_system.campaign_lead_lists IS
    'The lists of a campaign, in the order of their priority (1 first). Counts are kept by trigger (semantics I8).';
COMMENT ON COLUMN lead_system.campaign_lead_lists.open_leads IS 'Leads that are calling, or are new or queued and can be dialled.';
COMMENT ON COLUMN lead_system.campaign_lead_lists.is_active IS 'The leads of a list that is not active wait.';
COMMENT ON COLUMN lead_system.campaign_lead_lists.completed_at IS 'When no lead was open any more (I12); leads that cannot be dialled are not waited for.';
COMMENT ON COLUMN lead_system.campaign_lead_lists.removed_at IS 'When the list was taken from the campaign, after some of its leads had been called.';
CREATE INDEX campaign_lead_lists_campaign_id_idx ON lead_system.campaign_lead_lists (campaign_id, organization_id);
CREATE INDEX campaign_lead_lists_lead_list_id_idx ON lead_system.campaign_lead_lists (lead_list_id, organization_id);

CREATE TABLE lead_system.campaign_leads (
    organization_id    uuid          NOT NULL,
    id                 uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    campaign_id        uuid          NOT NULL,
    lead_id            uuid          NOT NULL,
    lead_list_id       uuid,
    list_priority      integer       NOT NULL DEFAULT 1,
    temperature_rank   smallint      NOT NULL DEFAULT 5,
    lead_score         integer       NOT NULL DEFAULT 0,
    is_dialable        boolean       NOT NULL DEFAULT true,
    status             text          NOT NULL DEFAULT 'new',
    attempts           integer       NOT NULL DEFAULT 0,
    last_attempt_at    timestamptz,
    next_attempt_at    timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    is_waiting         boolean       NOT NULL DEFAULT false,
    blocked_rule       text,
    contacted_at       timestamptz,
    is_withdrawn       boolean       NOT NULL DEFAULT false,
    claimed_by         uuid,
    lease_until        timestamptz,
    outcome            text,
    pledged_amount     numeric(12,2),
    donated_amount     numeric(12,2),
    total_talk_time    integer       NOT NULL DEFAULT 0,
    last_call_duration integer,
    notes              text,
    added_at           timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at         timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT campaign_leads_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT campaign_leads_campaign_id_lead_id_key UNIQUE (organization_id, campaign_id, lead_id),
    CONSTRAINT campaign_leads_campaign_id_fkey FOREIGN KEY (campaign_id, organization_id)
        REFERENCES lead_system.campaigns (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT campaign_leads_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT campaign_leads_lead_list_id_fkey FOREIGN KEY (lead_list_id, organization_id)
        REFERENCES lead_system.lead_lists (id, organization_id),
    CONSTRAINT campaign_leads_status_check CHECK (status IN
        ('new', 'queued', 'calling', 'contacted', 'converted', 'failed', 'dnc')),
    CONSTRAINT campaign_leads_temperature_rank_check CHECK (temperature_rank BETWEEN 1 AND 5),
    CONSTRAINT campaign_leads_attempts_check CHECK (attempts >= 0),
    CONSTRAINT campaign_leads_amounts_check CHECK (pledged_amount >= 0 AND donated_amount >= 0
        AND pledged_amount <> 'NaN' AND donated_amount <> 'NaN'),
    CONSTRAINT campaign_leads_durations_check CHECK (total_talk_time >= 0 AND last_call_duration >= 0),
    CONSTRAINT campaign_leads_lease_check CHECK ((status = 'calling') = (lease_until IS NOT NULL))
);
COMMENT ON TABLE lead_system.campaign_leads IS
    'The leads of a campaign: the queue of its dialers, and what came of each lead.';
COMMENT ON COLUMN lead_system.campaign_leads.lead_list_id IS 'The list that owns the row: the one of the highest priority that has the lead (semantics I3).';
COMMENT ON COLUMN lead_system.campaign_leads.temperature_rank IS 'Place of the lead''s temperature in the queue: 1 hot, 2 warm, 3 cool, 4 cold, 5 unrated; kept by trigger of leads.';
COMMENT ON COLUMN lead_system.campaign_leads.lead_score IS 'The lead''s score; kept by trigger of leads.';
COMMENT ON COLUMN lead_system.campaign_leads.is_dialable IS 'The lead has a number, is not deleted and not spam; kept by trigger of leads.';
COMMENT ON COLUMN lead_system.campaign_leads.is_waiting IS 'Kept out of the queue until next_attempt_at; a claim lets in those whose time has come.';
COMMENT ON COLUMN lead_system.campaign_leads.blocked_rule IS 'The rule by which a claim passed the lead over, until next_attempt_at or, with status dnc, until somebody acts; NULL when the lead itself is blocked.';
COMMENT ON COLUMN lead_system.campaign_leads.contacted_at IS 'When a person was first spoken to.';
COMMENT ON COLUMN lead_system.campaign_leads.is_withdrawn IS 'The list was taken from the campaign before the campaign was done with the lead.';
COMMENT ON COLUMN lead_system.campaign_leads.lease_until IS 'When a claim lapses, if nothing is recorded before.';
CREATE INDEX campaign_leads_queue_idx ON lead_system.campaign_leads (organization_id, campaign_id, list_priority,
    temperature_rank, lead_score DESC, last_attempt_at NULLS FIRST, added_at, id, next_attempt_at)
    WHERE status IN ('new', 'queued') AND is_dialable AND NOT is_waiting;
CREATE INDEX campaign_leads_waiting_idx ON lead_system.campaign_leads (organization_id, campaign_id, lead_list_id, next_attempt_at)
    WHERE status IN ('new', 'queued') AND is_dialable AND is_waiting;
CREATE INDEX campaign_leads_lease_idx ON lead_system.campaign_leads (organization_id, campaign_id, lease_until) WHERE status = 'calling';
CREATE INDEX campaign_leads_callback_idx ON lead_system.campaign_leads (organization_id, campaign_id, next_attempt_at)
    WHERE status = 'contacted' AND outcome = 'callback' AND is_dialable;
CREATE INDEX campaign_leads_lead_id_idx ON lead_system.campaign_leads (lead_id, organization_id);
CREATE INDEX campaign_leads_campaign_id_idx ON lead_system.campaign_leads (campaign_id, organization_id, lead_list_id);
CREATE INDEX campaign_leads_lead_list_id_idx ON lead_system.campaign_leads (lead_list_id, organization_id);

CREATE TABLE lead_system.lead_imports (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_list_id    uuid,
    source          text        NOT NULL,
    options         jsonb       NOT NULL DEFAULT '{}',
    status          text        NOT NULL DEFAULT 'running',
    row_count       integer     NOT NULL DEFAULT 0,
    inserted_count  integer     NOT NULL DEFAULT 0,
    updated_count   integer     NOT NULL DEFAULT 0,
    duplicate_count integer     NOT NULL DEFAULT 0,
    rejected_count  integer     NOT NULL DEFAULT 0,
    blocked_count   integer     NOT NULL DEFAULT 0,
    warning_count   integer     NOT NULL DEFAULT 0,
    created_by      uuid                 DEFAULT lead_system.current_user_id(),
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    finished_at     timestamptz,
    CONSTRAINT lead_imports_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_imports_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT lead_imports_lead_list_id_fkey FOREIGN KEY (lead_list_id, organization_id)
        REFERENCES lead_system.lead_lists (id, organization_id),
    CONSTRAINT lead_imports_status_check CHECK (status IN ('running', 'completed')),
    CONSTRAINT lead_imports_counts_check CHECK (status = 'running'
        OR row_count = inserted_count + updated_count + duplicate_count + rejected_count)
);
COMMENT ON TABLE lead_system.lead_imports IS
    'Imports and what became of their rows: each was inserted, updated a lead, was a duplicate, or was rejected. Blocked ones (on the do-not-call list) are counted beside that.';
CREATE INDEX lead_imports_organization_id_created_at_idx ON lead_system.lead_imports (organization_id, created_at);
CREATE INDEX lead_imports_lead_list_id_idx ON lead_system.lead_imports (lead_list_id, organization_id);

CREATE TABLE lead_system.lead_import_errors (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    import_id       uuid        NOT NULL,
    line            integer     NOT NULL,
    raw_text        text        NOT NULL,
    column_name     text,
    severity        text        NOT NULL DEFAULT 'rejected',
    sqlstate        text        NOT NULL,
    reason          text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_import_errors_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_import_errors_import_id_fkey FOREIGN KEY (import_id, organization_id)
        REFERENCES lead_system.lead_imports (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_import_errors_severity_check CHECK (severity IN ('rejected', 'warning'))
);
COMMENT ON TABLE lead_system.lead_import_errors IS
    'Rows of an import that were rejected, or imported with a warning, with the text as it came.';
CREATE INDEX lead_import_errors_import_id_idx ON lead_system.lead_import_errors (import_id, organization_id, line);
CREATE INDEX lead_import_errors_organization_id_created_at_idx ON lead_system.lead_import_errors (organization_id, created_at);

CREATE INDEX lead_lists_organization_id_created_at_idx ON lead_system.lead_lists (organization_id, created_at);

ALTER TABLE lead_system.lead_lists ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_lists FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_lists
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_list_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_list_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_list_members
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.campaigns
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.campaign_lead_lists ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.campaign_lead_lists FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.campaign_lead_lists
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.campaign_leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.campaign_leads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.campaign_leads
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_imports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_imports
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_import_errors ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_import_errors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_import_errors
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER lead_lists_stamp_user BEFORE INSERT OR UPDATE ON lead_system.lead_lists
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('created_by');
CREATE TRIGGER lead_lists_touch_updated_at BEFORE UPDATE ON lead_system.lead_lists
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER lead_lists_a_leave_campaigns BEFORE DELETE ON lead_system.lead_lists
    FOR EACH ROW EXECUTE FUNCTION lead_system.lead_lists_leave_campaigns();
CREATE TRIGGER lead_lists_clear_references BEFORE DELETE ON lead_system.lead_lists
    FOR EACH ROW EXECUTE FUNCTION lead_system.clear_references('campaign_leads', 'lead_list_id', 'lead_imports', 'lead_list_id');
CREATE TRIGGER lead_list_members_stamp_user BEFORE INSERT OR UPDATE ON lead_system.lead_list_members
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('added_by');
CREATE TRIGGER lead_list_members_after_insert AFTER INSERT ON lead_system.lead_list_members
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_list_members_changed();
CREATE TRIGGER lead_list_members_after_update AFTER UPDATE ON lead_system.lead_list_members
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_list_members_changed();
CREATE TRIGGER lead_list_members_after_delete AFTER DELETE ON lead_system.lead_list_members
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_list_members_changed();
CREATE TRIGGER campaigns_a_normalize BEFORE INSERT OR UPDATE ON lead_system.campaigns
    FOR EACH ROW EXECUTE FUNCTION lead_system.directory_normalize();
CREATE TRIGGER campaigns_stamp_user BEFORE INSERT OR UPDATE ON lead_system.campaigns
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('created_by');
CREATE TRIGGER campaigns_touch_updated_at BEFORE UPDATE ON lead_system.campaigns
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER campaign_lead_lists_check BEFORE INSERT OR UPDATE ON lead_system.campaign_lead_lists
    FOR EACH ROW EXECUTE FUNCTION lead_system.campaign_lead_lists_check();
CREATE TRIGGER campaign_leads_touch_updated_at BEFORE UPDATE ON lead_system.campaign_leads
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER campaign_leads_after_insert AFTER INSERT ON lead_system.campaign_leads
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.campaign_leads_changed();
CREATE TRIGGER campaign_leads_after_update AFTER UPDATE ON lead_system.campaign_leads
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.campaign_leads_changed();
CREATE TRIGGER campaign_leads_after_delete AFTER DELETE ON lead_system.campaign_leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.campaign_leads_changed();
