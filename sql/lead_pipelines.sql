-- Leads and their pipelines: moves, stages that change, reasons of a loss, and
-- what is recorded of it.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
\set b2b           '00000000-0000-7000-8000-000000000001'
\set recruiting    '00000000-0000-7000-8000-000000000002'
\set field_service '00000000-0000-7000-8000-000000000003'
\set outreach      '00000000-0000-7000-8000-000000000005'
INSERT INTO lead_system.organizations (id, name) VALUES
    ('52000000-0000-4000-8000-000000000001', 'Acme'),
    ('52000000-0000-4000-8000-000000000002', 'Globex');
SET app.current_org_id = '52000000-0000-4000-8000-000000000001';
-- The table of all steps and statuses of a lead
CREATE FUNCTION pg_temp.history(text) RETURNS TABLE (old_status text, new_status text, old_stage text, new_stage text, reason text) LANGUAGE sql AS $$
    SELECT old_status, new_status, old_stage, new_stage, reason FROM lead_system.lead_status_history
     WHERE lead_id = ('52000000-0000-4000-8000-0000000000' || $1)::uuid ORDER BY id
$$;

--
-- Into another pipeline: to its initial status, or to one of the same stage
--
INSERT INTO lead_system.leads (id, pipeline_id, status) VALUES
    ('52000000-0000-4000-8000-0000000000a1', :'recruiting', 'contacted'),
    ('52000000-0000-4000-8000-0000000000a2', :'recruiting', 'qualified'),
    ('52000000-0000-4000-8000-0000000000a3', :'recruiting', 'cold'),
    ('52000000-0000-4000-8000-0000000000a4', :'recruiting', 'recruited'),
    ('52000000-0000-4000-8000-0000000000a5', :'recruiting', 'contacted');
SET lead_system.now = '2026-03-02 13:00:00+00';
-- a status of the same name and stage is kept
UPDATE lead_system.leads SET pipeline_id = :'field_service' WHERE id = '52000000-0000-4000-8000-0000000000a1'
    RETURNING status, stage, pipeline_stage, status_changed_at;
-- none of that name: from the start
UPDATE lead_system.leads SET pipeline_id = :'b2b' WHERE id = '52000000-0000-4000-8000-0000000000a1' RETURNING status, stage, pipeline_stage;
-- another name of the same stage
UPDATE lead_system.leads SET pipeline_id = :'field_service', status = 'quoted' WHERE id = '52000000-0000-4000-8000-0000000000a2' RETURNING status, stage;
-- the initial one may be named, too
UPDATE lead_system.leads SET pipeline_id = :'field_service', status = 'new' WHERE id = '52000000-0000-4000-8000-0000000000a5' RETURNING status, stage;
-- No way around the steps: neither forward nor backward
UPDATE lead_system.leads SET pipeline_id = :'recruiting', status = 'recruited' WHERE id = '52000000-0000-4000-8000-0000000000a5';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET pipeline_id = :'recruiting', status = 'contacted' WHERE id = '52000000-0000-4000-8000-0000000000a2';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET pipeline_id = :'b2b', status = 'Qualified' WHERE id = '52000000-0000-4000-8000-0000000000a4';
\echo :LAST_ERROR_SQLSTATE
-- a status that this pipeline does not have
UPDATE lead_system.leads SET pipeline_id = :'b2b', status = 'quoted' WHERE id = '52000000-0000-4000-8000-0000000000a4';
\echo :LAST_ERROR_SQLSTATE
-- a lost lead stays lost, where that needs a reason with one
UPDATE lead_system.leads SET pipeline_id = :'field_service', status = 'lost' WHERE id = '52000000-0000-4000-8000-0000000000a3';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET pipeline_id = :'field_service', status = 'lost', lost_reason = 'No answer' WHERE id = '52000000-0000-4000-8000-0000000000a3'
    RETURNING status, stage, pipeline_stage, lost_reason;
-- A move is a step, even when the word for the status stays.
SELECT * FROM pg_temp.history('a1');
SELECT action_type, old_value, new_value, description FROM lead_system.activities WHERE lead_id = '52000000-0000-4000-8000-0000000000a1' ORDER BY id;

-- A status of the same name that means another stage is not kept.
SELECT lead_system.copy_pipeline('recruiting', 'hiring') AS hiring \gset
UPDATE lead_system.pipeline_statuses SET stage = 'won' WHERE pipeline_id = :'hiring' AND status = 'contacted';
INSERT INTO lead_system.leads (id, pipeline_id, status) VALUES ('52000000-0000-4000-8000-0000000000a6', :'recruiting', 'contacted');
UPDATE lead_system.leads SET pipeline_id = :'hiring' WHERE id = '52000000-0000-4000-8000-0000000000a6' RETURNING status, stage;

--
-- Stages follow their pipeline
--
INSERT INTO lead_system.leads (id, pipeline_id, status, pipeline_stage) VALUES
    ('52000000-0000-4000-8000-0000000000b1', :'hiring', 'qualified', 'mine'),
    ('52000000-0000-4000-8000-0000000000b2', :'recruiting', 'qualified', 'mine'),
    ('52000000-0000-4000-8000-0000000000b3', :'field_service', 'quoted', 'mine')
    RETURNING status, stage, pipeline_stage;
-- Nobody writes them.
UPDATE lead_system.leads SET stage = 'won', pipeline_stage = 'mine' WHERE id = '52000000-0000-4000-8000-0000000000b3' RETURNING stage, pipeline_stage;
UPDATE lead_system.leads SET pipeline_stage = NULL WHERE id = '52000000-0000-4000-8000-0000000000b3' RETURNING stage, pipeline_stage;
\set VERBOSITY terse
SELECT lead_system.upsert_lead('{"email": "x@example.com", "pipeline_stage": "closed"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- A status that comes to mean something else takes its leads along, and no others.
UPDATE lead_system.pipeline_statuses SET stage = 'working', pipeline_stage = 'opportunity' WHERE pipeline_id = :'hiring' AND status = 'qualified';
SELECT id, status, stage, pipeline_stage, status_changed_at FROM lead_system.leads WHERE id::text LIKE '52000000-0000-4000-8000-0000000000b_' ORDER BY id;
UPDATE lead_system.pipeline_statuses SET pipeline_stage = NULL WHERE pipeline_id = :'hiring' AND status = 'qualified';
SELECT stage, pipeline_stage FROM lead_system.leads WHERE id = '52000000-0000-4000-8000-0000000000b1';
-- It is no step of theirs.
SELECT * FROM pg_temp.history('b1');
SELECT count(*) FROM lead_system.lead_audit_log WHERE lead_id = '52000000-0000-4000-8000-0000000000b1';
-- A built-in one takes the leads of all organizations along.
INSERT INTO lead_system.leads (organization_id, id, pipeline_id, status) VALUES
    ('52000000-0000-4000-8000-000000000002', '52000000-0000-4000-8000-0000000000b4', :'recruiting', 'nurturing'),
    ('52000000-0000-4000-8000-000000000001', '52000000-0000-4000-8000-0000000000b5', :'recruiting', 'nurturing');
BEGIN;
UPDATE lead_system.pipeline_statuses SET stage = 'contacted' WHERE pipeline_id = :'recruiting' AND status = 'nurturing';
SELECT id, stage FROM lead_system.leads WHERE id IN ('52000000-0000-4000-8000-0000000000b4', '52000000-0000-4000-8000-0000000000b5') ORDER BY id;
ROLLBACK;
SELECT id, stage FROM lead_system.leads WHERE id IN ('52000000-0000-4000-8000-0000000000b4', '52000000-0000-4000-8000-0000000000b5') ORDER BY id;
-- A lead that reaches stage qualified that way gets the bonus.
UPDATE lead_system.leads SET company_size = '1-10' WHERE id = '52000000-0000-4000-8000-0000000000a6' RETURNING lead_score;
UPDATE lead_system.pipeline_statuses SET stage = 'qualified' WHERE pipeline_id = :'hiring' AND status = 'new';
SELECT status, stage, lead_score, qualification_bonus_applied FROM lead_system.leads WHERE id = '52000000-0000-4000-8000-0000000000a6';

--
-- The reason of a loss goes when the lead is no longer lost
--
INSERT INTO lead_system.leads (id, pipeline_id) VALUES ('52000000-0000-4000-8000-0000000000c1', :'field_service');
SELECT lead_system.change_lead_status('52000000-0000-4000-8000-0000000000c1', 'lost', 'Too dear');
SELECT status, lost_reason FROM lead_system.leads WHERE id = '52000000-0000-4000-8000-0000000000c1';
SELECT lead_system.change_lead_status('52000000-0000-4000-8000-0000000000c1', 'contacted', 'Called back', force => true);
SELECT status, lost_reason, lost_at IS NOT NULL AS lost_before FROM lead_system.leads WHERE id = '52000000-0000-4000-8000-0000000000c1';
-- So the second loss needs one again.
SELECT lead_system.change_lead_status('52000000-0000-4000-8000-0000000000c1', 'lost');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'lost' WHERE id = '52000000-0000-4000-8000-0000000000c1';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'lost', lost_reason = 'Went elsewhere' WHERE id = '52000000-0000-4000-8000-0000000000c1' RETURNING lost_reason;
SELECT * FROM pg_temp.history('c1');
SELECT field_name, old_value, new_value FROM lead_system.lead_audit_log
 WHERE lead_id = '52000000-0000-4000-8000-0000000000c1' AND field_name = 'lost_reason' ORDER BY id;
-- A move to the start of another pipeline is no longer lost, either.
UPDATE lead_system.leads SET pipeline_id = :'b2b' WHERE id = '52000000-0000-4000-8000-0000000000c1' RETURNING status, stage, lost_reason;

--
-- What is audited, and how times are written
--
SET lead_system.now = '2026-03-02 14:00:00+00';
INSERT INTO lead_system.leads (id) VALUES ('52000000-0000-4000-8000-0000000000d1');
-- The stamp of a step is the step's; one that somebody writes is his.
UPDATE lead_system.leads SET status = 'Contacted' WHERE id = '52000000-0000-4000-8000-0000000000d1' RETURNING contacted_at;
SET lead_system.now = '2026-03-02 15:00:00+00';
UPDATE lead_system.leads SET status = 'Qualified', qualified_at = '2026-03-01 09:00:00+00', contacted_at = '2026-02-28 09:00:00+00'
 WHERE id = '52000000-0000-4000-8000-0000000000d1' RETURNING qualified_at, contacted_at;
SET lead_system.now = '2026-03-02 16:00:00+00';
UPDATE lead_system.leads SET booked_at = '2026-03-02 16:00:00+00' WHERE id = '52000000-0000-4000-8000-0000000000d1';
SELECT created_at, field_name, old_value, new_value FROM lead_system.lead_audit_log
 WHERE lead_id = '52000000-0000-4000-8000-0000000000d1' ORDER BY created_at, field_name COLLATE "C";
-- Times are in one form, whatever the session likes; those of users' columns, too.
ALTER TABLE lead_system.leads ADD COLUMN regress_ls_day date, ADD COLUMN regress_ls_local timestamp, ADD COLUMN regress_ls_moment timestamptz;
SET datestyle = 'SQL, DMY';
SET timezone = 'America/Chicago';
SET lead_system.now = '2026-03-02 17:00:00+00';
UPDATE lead_system.leads SET booked_at = '2026-03-04 05:06:07.891+00', regress_ls_day = '2026-03-04', regress_ls_local = '2026-03-04 05:06:07',
       regress_ls_moment = '2026-03-04 05:06:07+00' WHERE id = '52000000-0000-4000-8000-0000000000d1';
SET datestyle = 'Postgres, MDY';
SET timezone = 'Asia/Tokyo';
SET lead_system.now = '2026-03-02 18:00:00+00';
UPDATE lead_system.leads SET booked_at = NULL, regress_ls_day = 'infinity', regress_ls_local = NULL, regress_ls_moment = '-infinity'
 WHERE id = '52000000-0000-4000-8000-0000000000d1';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT created_at, field_name, old_value, new_value FROM lead_system.lead_audit_log
 WHERE lead_id = '52000000-0000-4000-8000-0000000000d1' AND created_at > '2026-03-02 16:00:00+00' ORDER BY created_at, field_name COLLATE "C";
ALTER TABLE lead_system.leads DROP COLUMN regress_ls_day, DROP COLUMN regress_ls_local, DROP COLUMN regress_ls_moment;

--
-- A pipeline of one's own needs an organization
--
SET app.current_org_id = '';
SELECT lead_system.copy_pipeline('b2b', 'nobodys');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.pipelines WHERE name = 'nobodys';

DELETE FROM lead_system.organizations WHERE id::text LIKE '52000000-0000-4000-8000-%';
