-- maintenance: what the runs of the jobs did.

-- No foreign key: rows of an organization go with it (directory/offboard.c), and
-- those of runs for all organizations have none.
CREATE TABLE lead_system.maintenance_runs (
    organization_id uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    job             text        NOT NULL,
    state           text        NOT NULL DEFAULT 'running',
    started_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    finished_at     timestamptz,
    rows            bigint      NOT NULL DEFAULT 0,
    position        uuid,
    sqlstate        text,
    error           text,
    pid             integer     NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
    CONSTRAINT maintenance_runs_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT maintenance_runs_job_check CHECK (length(job) > 0),
    CONSTRAINT maintenance_runs_state_check CHECK (state IN ('running', 'done', 'continues', 'failed', 'cancelled', 'interrupted')),
    CONSTRAINT maintenance_runs_finished_at_check CHECK ((state = 'running') = (finished_at IS NULL)),
    CONSTRAINT maintenance_runs_error_check CHECK (state <> 'failed' OR error IS NOT NULL),
    CONSTRAINT maintenance_runs_rows_check CHECK (rows >= 0)
);
COMMENT ON TABLE lead_system.maintenance_runs IS
    'One row for each run of a job of run_maintenance(), committed with every batch. Written by the extension alone.';
COMMENT ON COLUMN lead_system.maintenance_runs.organization_id IS 'The organization that the run was for; zero for a run for all of them.';
COMMENT ON COLUMN lead_system.maintenance_runs.state IS 'running, done, continues (its time was over, the next run goes on), failed, cancelled (by a user), interrupted (its session ended).';
COMMENT ON COLUMN lead_system.maintenance_runs.rows IS 'What the job''s function returned, summed up over its batches.';
COMMENT ON COLUMN lead_system.maintenance_runs.position IS 'Of a job that goes through the organizations one by one: the last that was dealt with.';
COMMENT ON COLUMN lead_system.maintenance_runs.error IS 'The first error, or what a job that verifies something found.';
COMMENT ON COLUMN lead_system.maintenance_runs.pid IS 'The server process, as pg_cancel_backend() takes it.';
CREATE INDEX maintenance_runs_organization_id_job_idx ON lead_system.maintenance_runs (organization_id, job, started_at);
CREATE INDEX maintenance_runs_organization_id_started_at_idx ON lead_system.maintenance_runs (organization_id, started_at);
CREATE INDEX maintenance_runs_running_idx ON lead_system.maintenance_runs (organization_id) WHERE state = 'running';

ALTER TABLE lead_system.maintenance_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.maintenance_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.maintenance_runs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER maintenance_runs_touch_updated_at BEFORE UPDATE ON lead_system.maintenance_runs
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
