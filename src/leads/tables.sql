-- leads: pipelines, leads, and what happened to them.

CREATE TABLE lead_system.pipelines (
    organization_id uuid,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name            text        NOT NULL,
    description     text,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT pipelines_pkey PRIMARY KEY (id),
    CONSTRAINT pipelines_id_organization_id_key UNIQUE (id, organization_id),
    CONSTRAINT pipelines_organization_id_name_key UNIQUE NULLS NOT DISTINCT (organization_id, name),
    CONSTRAINT pipelines_name_check CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$')
);
COMMENT ON TABLE lead_system.pipelines IS
    'Ways in which leads move from status to status. Rows without organization are built in and shared.';

CREATE TABLE lead_system.pipeline_statuses (
    organization_id uuid,
    pipeline_id     uuid     NOT NULL,
    status          text     NOT NULL,
    stage           text     NOT NULL,
    position        smallint NOT NULL,
    is_initial      boolean  NOT NULL DEFAULT false,
    requires_reason boolean  NOT NULL DEFAULT false,
    stamp_column    text,
    pipeline_stage  text,
    CONSTRAINT pipeline_statuses_pkey PRIMARY KEY (pipeline_id, status),
    CONSTRAINT pipeline_statuses_pipeline_id_fkey FOREIGN KEY (pipeline_id)
        REFERENCES lead_system.pipelines (id) ON DELETE CASCADE,
    CONSTRAINT pipeline_statuses_pipeline_id_organization_id_fkey FOREIGN KEY (pipeline_id, organization_id)
        REFERENCES lead_system.pipelines (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT pipeline_statuses_stage_check CHECK (stage IN
        ('new', 'working', 'contacted', 'qualified', 'won', 'lost', 'blocked', 'archived')),
    CONSTRAINT pipeline_statuses_stamp_column_check CHECK (stamp_column IN
        ('contacted_at', 'qualified_at', 'quoted_at', 'booked_at', 'completed_at', 'lost_at')),
    CONSTRAINT pipeline_statuses_pipeline_stage_check CHECK (pipeline_stage IN
        ('lead', 'opportunity', 'proposal', 'negotiation', 'closed'))
);
COMMENT ON TABLE lead_system.pipeline_statuses IS
    'The statuses of a pipeline, each with the stage that it means in every report.';
COMMENT ON COLUMN lead_system.pipeline_statuses.stamp_column IS 'Column of leads that is set when a lead first enters the status.';
COMMENT ON COLUMN lead_system.pipeline_statuses.requires_reason IS 'Entering the status needs lost_reason.';
CREATE UNIQUE INDEX pipeline_statuses_pipeline_id_initial_idx ON lead_system.pipeline_statuses (pipeline_id) WHERE is_initial;
CREATE INDEX pipeline_statuses_pipeline_id_organization_id_idx ON lead_system.pipeline_statuses (pipeline_id, organization_id);

CREATE TABLE lead_system.pipeline_transitions (
    organization_id uuid,
    pipeline_id     uuid NOT NULL,
    from_status     text NOT NULL,
    to_status       text NOT NULL,
    CONSTRAINT pipeline_transitions_pkey PRIMARY KEY (pipeline_id, from_status, to_status),
    CONSTRAINT pipeline_transitions_pipeline_id_organization_id_fkey FOREIGN KEY (pipeline_id, organization_id)
        REFERENCES lead_system.pipelines (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT pipeline_transitions_pipeline_id_from_status_fkey FOREIGN KEY (pipeline_id, from_status)
        REFERENCES lead_system.pipeline_statuses (pipeline_id, status) ON DELETE CASCADE,
    CONSTRAINT pipeline_transitions_pipeline_id_to_status_fkey FOREIGN KEY (pipeline_id, to_status)
        REFERENCES lead_system.pipeline_statuses (pipeline_id, status) ON DELETE CASCADE,
    CONSTRAINT pipeline_transitions_to_status_check CHECK (to_status <> from_status)
);
COMMENT ON TABLE lead_system.pipeline_transitions IS
    'The status steps that are allowed in a pipeline.';
CREATE INDEX pipeline_transitions_pipeline_id_organization_id_idx ON lead_system.pipeline_transitions (pipeline_id, organization_id);
CREATE INDEX pipeline_transitions_pipeline_id_to_status_idx ON lead_system.pipeline_transitions (pipeline_id, to_status);

ALTER TABLE lead_system.pipelines ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.pipelines FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.pipelines FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.pipelines
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.pipeline_statuses ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.pipeline_statuses FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.pipeline_statuses FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.pipeline_statuses
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.pipeline_transitions ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.pipeline_transitions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.pipeline_transitions FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.pipeline_transitions
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER pipeline_statuses_a_same_owner BEFORE INSERT OR UPDATE ON lead_system.pipeline_statuses
    FOR EACH ROW EXECUTE FUNCTION lead_system.same_owner('pipelines', 'pipeline_id');
CREATE TRIGGER pipeline_transitions_a_same_owner BEFORE INSERT OR UPDATE ON lead_system.pipeline_transitions
    FOR EACH ROW EXECUTE FUNCTION lead_system.same_owner('pipelines', 'pipeline_id');
CREATE TRIGGER pipelines_keep_default BEFORE UPDATE OF name OR DELETE ON lead_system.pipelines
    FOR EACH ROW EXECUTE FUNCTION lead_system.pipelines_keep_default();
CREATE TRIGGER pipelines_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.pipelines
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
CREATE TRIGGER pipeline_statuses_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.pipeline_statuses
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
CREATE TRIGGER pipeline_statuses_stages_changed AFTER UPDATE ON lead_system.pipeline_statuses
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.pipeline_stages_changed();
CREATE TRIGGER pipeline_transitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.pipeline_transitions
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();

-- Built-in pipelines, spelled as in the design documents (semantics A14, J3, C7, I9, L).
INSERT INTO lead_system.pipelines (organization_id, id, name, description) VALUES
    (NULL, '00000000-0000-7000-8000-000000000001', 'b2b', 'Sales to companies: from the form to the opportunity'),
    (NULL, '00000000-0000-7000-8000-000000000002', 'recruiting', 'Winning partners: nurtured until recruited'),
    (NULL, '00000000-0000-7000-8000-000000000003', 'field_service', 'Jobs: contacted, quoted, booked, completed'),
    (NULL, '00000000-0000-7000-8000-000000000004', 'marketplace', 'Leads that contractors bid for'),
    (NULL, '00000000-0000-7000-8000-000000000005', 'outreach', 'Campaign calls: from the queue to the conversion')
ON CONFLICT DO NOTHING;

INSERT INTO lead_system.pipeline_statuses
    (organization_id, pipeline_id, status, stage, position, is_initial, requires_reason, stamp_column, pipeline_stage) VALUES
    (NULL, '00000000-0000-7000-8000-000000000001', 'New', 'new', 1, true, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000001', 'Contacted', 'contacted', 2, false, false, 'contacted_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000001', 'Qualified', 'qualified', 3, false, false, 'qualified_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000001', 'Opportunity', 'won', 4, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000001', 'Disqualified', 'lost', 5, false, false, 'lost_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'new', 'new', 1, true, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'contacted', 'contacted', 2, false, false, 'contacted_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'qualified', 'qualified', 3, false, false, 'qualified_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'nurturing', 'working', 4, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'hot', 'qualified', 5, false, false, 'qualified_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'cold', 'lost', 6, false, false, 'lost_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'recruited', 'won', 7, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000002', 'dnc', 'blocked', 8, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000003', 'new', 'new', 1, true, false, NULL, 'lead'),
    (NULL, '00000000-0000-7000-8000-000000000003', 'contacted', 'contacted', 2, false, false, 'contacted_at', 'opportunity'),
    (NULL, '00000000-0000-7000-8000-000000000003', 'quoted', 'qualified', 3, false, false, 'quoted_at', 'proposal'),
    (NULL, '00000000-0000-7000-8000-000000000003', 'booked', 'won', 4, false, false, 'booked_at', 'negotiation'),
    (NULL, '00000000-0000-7000-8000-000000000003', 'completed', 'won', 5, false, false, 'completed_at', 'closed'),
    (NULL, '00000000-0000-7000-8000-000000000003', 'lost', 'lost', 6, false, true, 'lost_at', 'closed'),
    (NULL, '00000000-0000-7000-8000-000000000004', 'CREATED', 'new', 1, true, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'ACTIVE', 'new', 2, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'BIDDING_CLOSED', 'new', 3, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'PENDING_RESPONSE_1', 'working', 4, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'PENDING_RESPONSE_2', 'working', 5, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'PENDING_RESPONSE_3', 'working', 6, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'CONTACTED', 'contacted', 7, false, false, 'contacted_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'EXPIRED', 'lost', 8, false, false, 'lost_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000004', 'ARCHIVED', 'archived', 9, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'new', 'new', 1, true, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'queued', 'new', 2, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'calling', 'working', 3, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'contacted', 'contacted', 4, false, false, 'contacted_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'converted', 'won', 5, false, false, NULL, NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'failed', 'lost', 6, false, false, 'lost_at', NULL),
    (NULL, '00000000-0000-7000-8000-000000000005', 'dnc', 'blocked', 7, false, false, NULL, NULL)
ON CONFLICT DO NOTHING;

INSERT INTO lead_system.pipeline_transitions (organization_id, pipeline_id, from_status, to_status)
SELECT NULL::uuid, ('00000000-0000-7000-8000-00000000000' || p.pipeline)::uuid, p.from_status, t.to_status
  FROM (VALUES
    (1, 'New', '{Contacted,Disqualified}'::text[]),
    (1, 'Contacted', '{Qualified,Disqualified}'),
    (1, 'Qualified', '{Opportunity,Disqualified}'),
    (2, 'new', '{contacted,nurturing,cold,dnc}'),
    (2, 'contacted', '{qualified,nurturing,hot,cold,dnc}'),
    (2, 'qualified', '{nurturing,hot,recruited,cold,dnc}'),
    (2, 'nurturing', '{contacted,qualified,hot,cold,dnc}'),
    (2, 'hot', '{qualified,nurturing,recruited,cold,dnc}'),
    (2, 'cold', '{contacted,nurturing,dnc}'),
    (2, 'recruited', '{dnc}'),
    (3, 'new', '{contacted,quoted,booked,completed,lost}'),
    (3, 'contacted', '{quoted,booked,completed,lost}'),
    (3, 'quoted', '{booked,completed,lost}'),
    (3, 'booked', '{completed,lost}'),
    (3, 'completed', '{lost}'),
    (4, 'CREATED', '{ACTIVE,ARCHIVED}'),
    (4, 'ACTIVE', '{BIDDING_CLOSED,ARCHIVED}'),
    (4, 'BIDDING_CLOSED', '{PENDING_RESPONSE_1,EXPIRED,ARCHIVED}'),
    (4, 'PENDING_RESPONSE_1', '{PENDING_RESPONSE_2,CONTACTED,EXPIRED,ARCHIVED}'),
    (4, 'PENDING_RESPONSE_2', '{PENDING_RESPONSE_3,CONTACTED,EXPIRED,ARCHIVED}'),
    (4, 'PENDING_RESPONSE_3', '{CONTACTED,EXPIRED,ARCHIVED}'),
    (4, 'CONTACTED', '{ARCHIVED}'),
    (4, 'EXPIRED', '{ARCHIVED}'),
    (5, 'new', '{queued,calling,contacted,converted,failed,dnc}'),
    (5, 'queued', '{calling,contacted,converted,failed,dnc}'),
    (5, 'calling', '{queued,contacted,converted,failed,dnc}'),
    (5, 'contacted', '{queued,converted,failed,dnc}'),
    (5, 'converted', '{dnc}'),
    (5, 'failed', '{queued,dnc}')) p(pipeline, from_status, to_statuses)
 CROSS JOIN LATERAL unnest(p.to_statuses) t(to_status)
ON CONFLICT DO NOTHING;

CREATE TABLE lead_system.leads (
    organization_id             uuid          NOT NULL,
    id                          uuid          NOT NULL DEFAULT lead_system.uuid_v7(),
    -- contact
    first_name                  text,
    last_name                   text,
    company_name                text,
    email                       text,
    phone_number                text COLLATE "C",
    address                     text,
    city                        text,
    state                       text,
    zip_code                    text,
    country                     text,
    timezone                    text,
    -- what they want
    company_size                text,
    industry                    text,
    inquiry_type                text,
    budget_timeline             text,
    current_solution            text,
    message                     text,
    title                       text,
    description                 text,
    service_type                text,
    urgency                     text,
    budget_min                  numeric(12,2),
    budget_max                  numeric(12,2),
    category_id                 uuid,
    -- enrichment
    linkedin_url                text,
    company_website             text,
    company_revenue             text,
    enrichment_status           text          NOT NULL DEFAULT 'Pending',
    -- lifecycle
    pipeline_id                 uuid          NOT NULL,
    status                      text          NOT NULL,
    stage                       text          NOT NULL,
    pipeline_stage              text,
    status_changed_at           timestamptz   NOT NULL,
    contacted_at                timestamptz,
    qualified_at                timestamptz,
    quoted_at                   timestamptz,
    booked_at                   timestamptz,
    completed_at                timestamptz,
    lost_at                     timestamptz,
    lost_reason                 text,
    -- money
    quoted_amount               numeric(12,2),
    actual_amount               numeric(12,2),
    -- score
    lead_score                  integer       NOT NULL DEFAULT 0,
    raw_score                   integer       NOT NULL DEFAULT 0,
    score_breakdown             jsonb,
    temperature                 text          NOT NULL DEFAULT 'unrated',
    scored_at                   timestamptz,
    scoring_model               text,
    -- ownership
    assigned_to                 uuid,
    priority_flag               boolean       NOT NULL DEFAULT false,
    -- engagement
    email_reply_count           integer       NOT NULL DEFAULT 0,
    email_open_count            integer       NOT NULL DEFAULT 0,
    link_click_count            integer       NOT NULL DEFAULT 0,
    sms_reply_count             integer       NOT NULL DEFAULT 0,
    pricing_page_visits         integer       NOT NULL DEFAULT 0,
    demo_video_watched          boolean       NOT NULL DEFAULT false,
    call_count                  integer       NOT NULL DEFAULT 0,
    last_contact_at             timestamptz,
    last_activity_at            timestamptz,
    -- source
    source                      text,
    sub_source                  text,
    source_id                   text,
    source_metadata             jsonb         NOT NULL DEFAULT '{}',
    utm_source                  text,
    utm_medium                  text,
    utm_campaign                text,
    external_ids                jsonb         NOT NULL DEFAULT '{}',
    -- flags
    is_spam                     boolean       NOT NULL DEFAULT false,
    needs_review                boolean       NOT NULL DEFAULT false,
    is_qualified                boolean       NOT NULL DEFAULT false,
    qualification_bonus_applied boolean       NOT NULL DEFAULT false,
    do_not_call                 boolean       NOT NULL DEFAULT false,
    calling_blocked_reason      text,
    -- the rest
    tags                        text[]        NOT NULL DEFAULT '{}',
    notes                       text,
    metadata                    jsonb         NOT NULL DEFAULT '{}',
    created_by                  uuid,
    created_at                  timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    updated_at                  timestamptz   NOT NULL DEFAULT lead_system.clock_now(),
    deleted_at                  timestamptz,
    CONSTRAINT leads_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT leads_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT leads_pipeline_id_status_fkey FOREIGN KEY (pipeline_id, status)
        REFERENCES lead_system.pipeline_statuses (pipeline_id, status),
    CONSTRAINT leads_category_id_fkey FOREIGN KEY (category_id, organization_id)
        REFERENCES lead_system.categories (id, organization_id),
    CONSTRAINT leads_assigned_to_fkey FOREIGN KEY (assigned_to, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT leads_email_check CHECK (lead_system.is_valid_email(email)),
    CONSTRAINT leads_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT leads_company_size_check CHECK (company_size IN ('1-10', '11-50', '51-200', '201-1000', '1000+')),
    CONSTRAINT leads_urgency_check CHECK (urgency IN ('low', 'medium', 'high', 'urgent')),
    CONSTRAINT leads_budget_check CHECK (budget_min >= 0 AND budget_max >= 0 AND budget_min <= budget_max
        AND budget_min <> 'NaN' AND budget_max <> 'NaN'),
    CONSTRAINT leads_enrichment_status_check CHECK (enrichment_status IN ('Pending', 'Enriched', 'Failed')),
    CONSTRAINT leads_amounts_check CHECK (quoted_amount >= 0 AND actual_amount >= 0
        AND quoted_amount <> 'NaN' AND actual_amount <> 'NaN'),
    -- What is indexed fits into an index.
    CONSTRAINT leads_source_check CHECK (octet_length(source) <= 200 AND octet_length(source_id) <= 512),
    CONSTRAINT leads_tags_check CHECK (array_position(tags, NULL) IS NULL AND octet_length(array_to_string(tags, ',')) <= 4000),
    CONSTRAINT leads_lead_score_check CHECK (lead_score BETWEEN 0 AND 100),
    CONSTRAINT leads_temperature_check CHECK (temperature IN ('hot', 'warm', 'cool', 'cold', 'unrated')),
    CONSTRAINT leads_counts_check CHECK (email_reply_count >= 0 AND email_open_count >= 0 AND link_click_count >= 0
        AND sms_reply_count >= 0 AND pricing_page_visits >= 0 AND call_count >= 0),
    CONSTRAINT leads_source_metadata_check CHECK (jsonb_typeof(source_metadata) = 'object'),
    CONSTRAINT leads_external_ids_check CHECK (jsonb_typeof(external_ids) = 'object'),
    CONSTRAINT leads_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
)
-- Room for a new version of a row beside the old one: most updates change no column
-- that is indexed, and none of the many indexes is written then.
WITH (fillfactor = 90);
COMMENT ON TABLE lead_system.leads IS
    'People and companies who may buy. Written by plain statements as well as by functions; triggers keep every rule.';
COMMENT ON COLUMN lead_system.leads.stage IS 'What the status means in every pipeline; kept by trigger.';
COMMENT ON COLUMN lead_system.leads.raw_score IS 'Sum of all points; kept by trigger.';
COMMENT ON COLUMN lead_system.leads.lead_score IS 'raw_score cut to 0..100; kept by trigger.';
COMMENT ON COLUMN lead_system.leads.temperature IS 'Band of the score by the thresholds of its model; kept by trigger.';
COMMENT ON COLUMN lead_system.leads.do_not_call IS 'Never to be called: listed, or marked by hand.';
COMMENT ON COLUMN lead_system.leads.deleted_at IS 'Soft deletion; a deleted lead is hidden, never dialled, and its number is free for a new lead.';

CREATE UNIQUE INDEX leads_organization_id_phone_number_idx ON lead_system.leads (organization_id, phone_number) WHERE deleted_at IS NULL;
CREATE INDEX leads_organization_id_email_created_at_idx ON lead_system.leads (organization_id, email, created_at) WHERE deleted_at IS NULL AND email IS NOT NULL;
CREATE UNIQUE INDEX leads_organization_id_source_source_id_idx ON lead_system.leads (organization_id, source_id, source) NULLS NOT DISTINCT WHERE source_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX leads_dashboard_temperature_idx ON lead_system.leads (organization_id, temperature, raw_score DESC, created_at DESC, id DESC) WHERE deleted_at IS NULL AND NOT is_spam;
CREATE INDEX leads_dashboard_status_idx ON lead_system.leads (organization_id, status, temperature, raw_score DESC, created_at DESC, id DESC) WHERE deleted_at IS NULL AND NOT is_spam;
CREATE INDEX leads_organization_id_created_at_id_idx ON lead_system.leads (organization_id, created_at, id);
CREATE INDEX leads_pipeline_id_status_idx ON lead_system.leads (pipeline_id, status);
CREATE INDEX leads_assigned_to_idx ON lead_system.leads (assigned_to, organization_id) WHERE assigned_to IS NOT NULL;
CREATE INDEX leads_category_id_idx ON lead_system.leads (category_id, organization_id) WHERE category_id IS NOT NULL;
CREATE INDEX leads_deleted_phone_number_idx ON lead_system.leads (organization_id, phone_number) WHERE deleted_at IS NOT NULL;
CREATE INDEX leads_tags_idx ON lead_system.leads USING gin (tags);
CREATE INDEX leads_search_idx ON lead_system.leads USING gin ((coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(company_name, '')) gin_trgm_ops);

ALTER TABLE lead_system.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.leads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.leads
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER categories_clear_references BEFORE DELETE ON lead_system.categories
    FOR EACH ROW EXECUTE FUNCTION lead_system.clear_references('leads', 'category_id');
CREATE TRIGGER organizations_check_pipeline BEFORE INSERT OR UPDATE ON lead_system.organizations
    FOR EACH ROW EXECUTE FUNCTION lead_system.organizations_check_pipeline();

CREATE TRIGGER leads_before_row BEFORE INSERT OR UPDATE ON lead_system.leads
    FOR EACH ROW EXECUTE FUNCTION lead_system.leads_before_row();
CREATE TRIGGER leads_after_insert AFTER INSERT ON lead_system.leads
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.leads_after_statement();
CREATE TRIGGER leads_after_update AFTER UPDATE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.leads_after_statement();
CREATE TRIGGER leads_after_delete AFTER DELETE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.leads_after_statement();

-- Histories have no foreign keys.  Only the extension writes them, in the
-- transaction that writes the lead, so a check of each row would tell nothing
-- and cost more than the row; they go with their lead by its delete trigger.

CREATE TABLE lead_system.lead_audit_log (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    field_name      text        NOT NULL,
    old_value       text,
    new_value       text,
    changed_by      uuid,
    ip_address      inet,
    user_agent      text,
    change_reason   text,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_audit_log_pkey PRIMARY KEY (id, organization_id)
);
COMMENT ON TABLE lead_system.lead_audit_log IS
    'One row per changed field of a lead. Written by the extension alone; columns that it derives itself are not audited.';
CREATE INDEX lead_audit_log_lead_id_idx ON lead_system.lead_audit_log (lead_id, organization_id, created_at);
CREATE INDEX lead_audit_log_organization_id_created_at_idx ON lead_system.lead_audit_log (organization_id, created_at);

CREATE TABLE lead_system.lead_status_history (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    old_status      text        NOT NULL,
    new_status      text        NOT NULL,
    old_stage       text        NOT NULL,
    new_stage       text        NOT NULL,
    time_in_status  interval    NOT NULL,
    trigger_type    text        NOT NULL DEFAULT 'manual',
    trigger_id      uuid,
    reason          text,
    changed_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_status_history_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_status_history_trigger_type_check
        CHECK (trigger_type IN ('call', 'manual', 'automation', 'ai', 'import'))
);
COMMENT ON TABLE lead_system.lead_status_history IS
    'Every status step of a lead, what caused it, and how long the lead had been in the old status.';
CREATE INDEX lead_status_history_lead_id_idx ON lead_system.lead_status_history (lead_id, organization_id, created_at);
CREATE INDEX lead_status_history_organization_id_created_at_idx ON lead_system.lead_status_history (organization_id, created_at);

CREATE TABLE lead_system.activities (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid,
    user_id         uuid,
    action_type     text        NOT NULL,
    old_value       jsonb,
    new_value       jsonb,
    description     text,
    ip_address      inet,
    user_agent      text,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT activities_pkey PRIMARY KEY (id, organization_id)
);
COMMENT ON TABLE lead_system.activities IS
    'What happened to leads, in the order in which it happened. A row without lead tells of one that was deleted for good, or of a contractor.';
CREATE INDEX activities_lead_id_idx ON lead_system.activities (lead_id, organization_id, created_at);
CREATE INDEX activities_organization_id_created_at_idx ON lead_system.activities (organization_id, created_at);
CREATE INDEX activities_user_id_idx ON lead_system.activities (organization_id, user_id, created_at) WHERE user_id IS NOT NULL;

ALTER TABLE lead_system.lead_audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_audit_log
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_status_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_status_history FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_status_history
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.activities ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.activities FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.activities
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER lead_audit_log_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_audit_log
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_audit_log_no_truncate BEFORE TRUNCATE ON lead_system.lead_audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER lead_status_history_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_status_history
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_status_history_no_truncate BEFORE TRUNCATE ON lead_system.lead_status_history
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER activities_append_only BEFORE UPDATE OR DELETE ON lead_system.activities
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER leads_forget_histories AFTER DELETE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.forget_histories(
        'lead_audit_log', 'lead_id', 'lead_status_history', 'lead_id', 'activities', 'lead_id');
CREATE TRIGGER activities_no_truncate BEFORE TRUNCATE ON lead_system.activities
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
