-- analytics: daily figures, and what the reports read the history by.

CREATE TABLE lead_system.analytics_snapshots (
    organization_id               uuid         NOT NULL,
    id                            uuid         NOT NULL DEFAULT lead_system.uuid_v7(),
    snapshot_date                 date         NOT NULL,
    total_leads                   integer      NOT NULL,
    hot_leads                     integer      NOT NULL,
    warm_leads                    integer      NOT NULL,
    cool_leads                    integer      NOT NULL,
    cold_leads                    integer      NOT NULL,
    unrated_leads                 integer      NOT NULL,
    leads_contacted               integer      NOT NULL,
    leads_qualified               integer      NOT NULL,
    leads_disqualified            integer      NOT NULL,
    leads_to_opportunity          integer      NOT NULL,
    avg_lead_score                numeric(5,2),
    median_lead_score             integer,
    avg_response_time_minutes     integer,
    fastest_response_time_minutes integer,
    slowest_response_time_minutes integer,
    leads_by_source               jsonb        NOT NULL,
    avg_score_by_source           jsonb        NOT NULL,
    created_at                    timestamptz  NOT NULL DEFAULT lead_system.clock_now(),
    updated_at                    timestamptz  NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT analytics_snapshots_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT analytics_snapshots_snapshot_date_key UNIQUE (organization_id, snapshot_date),
    CONSTRAINT analytics_snapshots_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT analytics_snapshots_bands_check
        CHECK (total_leads = hot_leads + warm_leads + cool_leads + cold_leads + unrated_leads),
    CONSTRAINT analytics_snapshots_leads_by_source_check CHECK (jsonb_typeof(leads_by_source) = 'object'),
    CONSTRAINT analytics_snapshots_avg_score_by_source_check CHECK (jsonb_typeof(avg_score_by_source) = 'object')
);
COMMENT ON TABLE lead_system.analytics_snapshots IS
    'What came of the leads of a day, as of updated_at. Written by take_analytics_snapshot() alone.';
COMMENT ON COLUMN lead_system.analytics_snapshots.snapshot_date IS 'The day, by setting analytics.snapshot_day in UTC or in the time zone of the organization.';
COMMENT ON COLUMN lead_system.analytics_snapshots.leads_contacted IS 'Leads that came as far as contacted, wherever they are now.';
COMMENT ON COLUMN lead_system.analytics_snapshots.leads_qualified IS 'Leads that came as far as qualified, wherever they are now.';
COMMENT ON COLUMN lead_system.analytics_snapshots.leads_disqualified IS 'Leads that are lost now.';
COMMENT ON COLUMN lead_system.analytics_snapshots.leads_to_opportunity IS 'Leads that were won, wherever they are now.';
COMMENT ON COLUMN lead_system.analytics_snapshots.avg_response_time_minutes IS 'From coming in to the first contact.';
COMMENT ON COLUMN lead_system.analytics_snapshots.leads_by_source IS 'Number of leads by utm_source, else source, else direct.';
COMMENT ON COLUMN lead_system.analytics_snapshots.created_at IS 'When the first snapshot of the day was taken.';
COMMENT ON COLUMN lead_system.analytics_snapshots.updated_at IS 'When the last one was.';

-- Steps away from the end of the pipeline: how far leads came that went back or
-- were lost.  The predicate is LS_IS_RETREAT of analytics.h.
CREATE INDEX lead_status_history_retreat_idx ON lead_system.lead_status_history (organization_id, created_at) INCLUDE (lead_id, old_stage, new_stage)
    WHERE old_stage IN ('working', 'contacted', 'qualified', 'won')
      AND (new_stage IN ('lost', 'blocked', 'archived', 'new')
        OR (old_stage = 'contacted' AND new_stage = 'working')
        OR (old_stage = 'qualified' AND new_stage IN ('working', 'contacted'))
        OR (old_stage = 'won' AND new_stage IN ('working', 'contacted', 'qualified')));

ALTER TABLE lead_system.analytics_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.analytics_snapshots FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.analytics_snapshots
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY no_contractors ON lead_system.analytics_snapshots AS RESTRICTIVE
    USING ((SELECT lead_system.current_contractor_id()) IS NULL)
    WITH CHECK ((SELECT lead_system.current_contractor_id()) IS NULL);

CREATE TRIGGER analytics_snapshots_touch_updated_at BEFORE UPDATE ON lead_system.analytics_snapshots
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
