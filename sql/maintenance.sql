-- maintenance: which jobs run when, what they leave in maintenance_runs, errors.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:10+00';
\set org 'e8000000-0000-4000-8000-00000000000a'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Maintenance', 'b2b');
SET app.current_org_id = :'org';
SELECT job, runs_every, batch FROM lead_system.maintenance_jobs();
SELECT * FROM lead_system.maintenance_status() LIMIT 2;
-- What is refused.
BEGIN;
CALL lead_system.run_maintenance();
ROLLBACK;
CALL lead_system.run_maintenance(ARRAY['close_due_bidding', 'tidy up']);
CALL lead_system.run_maintenance(ARRAY['close_due_bidding', NULL]);
CREATE ROLE maintenance_worker BYPASSRLS;
SELECT lead_system.grant_access('maintenance_worker', 'maintenance');
SET ROLE maintenance_worker;
SELECT lead_system.schedule_maintenance('0 * * * *');
SELECT lead_system.unschedule_maintenance();
RESET ROLE;
SELECT lead_system.schedule_maintenance(NULL);
SELECT count(*) AS runs FROM lead_system.maintenance_runs WHERE organization_id = :'org';
-- All jobs at first; then each once in its minute, hour and day.
CREATE FUNCTION ran() RETURNS TABLE (at timestamptz, jobs bigint, of_day bigint) LANGUAGE sql AS $$
    SELECT r.started_at, count(*), count(*) FILTER (WHERE j.runs_every = '1 day')
      FROM lead_system.maintenance_runs r JOIN lead_system.maintenance_jobs() j ON j.job = r.job
     WHERE r.organization_id = lead_system.current_org_id() AND r.state = 'done' GROUP BY 1 ORDER BY 1 $$;
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-02 15:00:50+00';
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-02 15:01:00+00';
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-02 16:00:00+00';
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-03 08:59:59+00';
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-03 09:00:00+00';
CALL lead_system.run_maintenance();
SELECT * FROM ran();
SELECT DISTINCT ok, detail FROM lead_system.maintenance_status();
-- Jobs that are named run whether due or not; NULL and none.
CALL lead_system.run_maintenance(ARRAY['recount_lists', 'recount_lists', 'recount_users']);
CALL lead_system.run_maintenance('{}');
SELECT job, count(*) FROM lead_system.maintenance_runs WHERE organization_id = :'org' AND started_at = '2026-03-03 09:00:00+00' GROUP BY 1 HAVING count(*) > 1 ORDER BY 1;
-- The daily jobs become due at another hour.
SET lead_system.maintenance_day_start = 12;
SET lead_system.now = '2026-03-03 12:00:00+00';
CALL lead_system.run_maintenance();
RESET lead_system.maintenance_day_start;
SELECT * FROM ran() WHERE at >= '2026-03-03 12:00:00+00';
-- What jobs do is done: counts that somebody has written over are found and put right.
\set list 'e8000000-0000-4000-8000-0000000000b1'
\set calls 'e8000000-0000-4000-8000-0000000000c1'
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, industry)
SELECT :'org', ('e8000000-0000-4000-8000-00000000000' || n)::uuid, 'lead ' || n, '+1202555011' || n, 'Software/SaaS' FROM generate_series(1, 5) n;
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'org', :'list', 'one');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT :'org', :'list', id FROM lead_system.leads WHERE organization_id = :'org';
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'org', :'calls', 'calls', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'calls', :'list') IS NOT NULL AS given;
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES (:'org', 'drip', '[{"step": 1, "channel": "email", "template_id": "a"}]');
SELECT count(lead_system.enroll_lead(s.id, l.id)) FROM lead_system.nurture_sequences s JOIN lead_system.leads l USING (organization_id) WHERE s.organization_id = :'org';
CREATE VIEW counts AS
SELECT l.lead_count, c.total_leads, c.open_leads, c.contacted_leads, c.successful_leads, s.total_enrollments, s.active_enrollments, s.completed_enrollments
  FROM lead_system.lead_lists l JOIN lead_system.campaign_lead_lists c USING (organization_id) JOIN lead_system.nurture_sequences s USING (organization_id)
 WHERE l.organization_id = lead_system.current_org_id();
CALL lead_system.run_maintenance('{recount_lists,recount_sequences}');
SELECT job, rows, ok FROM lead_system.maintenance_status() WHERE job IN ('recount_lists', 'recount_sequences');
UPDATE lead_system.lead_lists SET lead_count = 7 WHERE organization_id = :'org';
UPDATE lead_system.campaign_lead_lists SET total_leads = 1, open_leads = 2, contacted_leads = 3, successful_leads = 4, completed_at = lead_system.clock_now() WHERE organization_id = :'org';
UPDATE lead_system.nurture_sequences SET total_enrollments = 9, completed_enrollments = 2 WHERE organization_id = :'org';
CALL lead_system.run_maintenance('{recount_lists,recount_sequences}');
SELECT job, rows, ok FROM lead_system.maintenance_status() WHERE job IN ('recount_lists', 'recount_sequences');
SELECT * FROM counts;
-- A number comes off the do-not-call list, a segment is counted, scores decay.
SELECT lead_system.add_to_dnc_list('+12025550111', 'asked', expires_at => '2026-03-03 14:00:00+00') IS NOT NULL AS listed;
INSERT INTO lead_system.segments (organization_id, name, filter) VALUES (:'org', 'all', '{}');
SET lead_system.now = '2026-05-03 15:00:00+00';
CALL lead_system.run_maintenance();
SELECT job, rows, ok, detail FROM lead_system.maintenance_status() WHERE rows > 0;
SELECT do_not_call FROM lead_system.leads WHERE id = 'e8000000-0000-4000-8000-000000000001';
SELECT lead_count FROM lead_system.segments WHERE organization_id = :'org';
-- Days of which there is no snapshot yet, the last ones at first; west of Greenwich a day ends later.
SELECT count(*), min(snapshot_date), max(snapshot_date) FROM lead_system.analytics_snapshots WHERE organization_id = :'org';
UPDATE lead_system.organizations SET timezone = 'America/Los_Angeles' WHERE id = :'org';
SET lead_system.now = '2026-05-04 06:59:00+00';
CALL lead_system.run_maintenance('{take_analytics_snapshots}');
SELECT max(snapshot_date) FROM lead_system.analytics_snapshots WHERE organization_id = :'org';
SET lead_system.now = '2026-05-04 07:00:00+00';
CALL lead_system.run_maintenance('{take_analytics_snapshots}');
SELECT max(snapshot_date) FROM lead_system.analytics_snapshots WHERE organization_id = :'org';
SET lead_system.now = '2026-05-03 15:00:00+00';
-- An error in one job is recorded, and the others go on; it is tried again in an hour.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = 'ZZ001'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON lead_system.segments FOR EACH ROW WHEN (old.organization_id = 'e8000000-0000-4000-8000-00000000000a') EXECUTE FUNCTION refuse();
SET lead_system.now = '2026-05-03 16:00:00+00';
CALL lead_system.run_maintenance();
SELECT job, rows, ok, detail FROM lead_system.maintenance_status() WHERE NOT ok;
SELECT state, sqlstate, error FROM lead_system.maintenance_runs WHERE organization_id = :'org' AND error IS NOT NULL;
SELECT count(*) AS others, bool_and(ok) AS ok FROM lead_system.maintenance_status() WHERE last_run = '2026-05-03 16:00:00+00' AND job <> 'refresh_segment_counts';
SET lead_system.now = '2026-05-03 16:01:00+00';
CALL lead_system.run_maintenance();
SELECT last_run FROM lead_system.maintenance_status() WHERE NOT ok;
DROP TRIGGER refuse ON lead_system.segments;
-- The same for an error that comes with the commit; and what the batch had done is undone.
CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON lead_system.segments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (old.organization_id = 'e8000000-0000-4000-8000-00000000000a') EXECUTE FUNCTION refuse();
SET lead_system.now = '2026-05-03 17:00:00+00';
CALL lead_system.run_maintenance('{refresh_segment_counts,apply_retention}');
SELECT job, rows, ok, detail FROM lead_system.maintenance_status() WHERE last_run = '2026-05-03 17:00:00+00';
DROP TRIGGER refuse ON lead_system.segments;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
-- One batch in each run: what is left goes on with the next one, at once.
SET lead_system.maintenance_job_seconds = 0;
INSERT INTO lead_system.leads (organization_id, first_name, created_at, pipeline_id)
SELECT :'org', 'offer ' || n, '2026-05-03 16:00:00+00', (SELECT id FROM lead_system.pipelines WHERE organization_id IS NULL AND name = 'marketplace') FROM generate_series(1, 150) n;
SELECT count(lead_system.open_bidding(id, 10, '2026-05-03 17:00:01+00')) FROM lead_system.leads WHERE organization_id = :'org' AND first_name LIKE 'offer%';
SET lead_system.now = '2026-05-03 18:00:00+00';
CALL lead_system.run_maintenance('{close_due_bidding}');
SELECT job, rows, ok, detail FROM lead_system.maintenance_status() WHERE job = 'close_due_bidding';
CALL lead_system.run_maintenance();
SELECT job, rows, ok, detail FROM lead_system.maintenance_status() WHERE job = 'close_due_bidding';
RESET lead_system.maintenance_job_seconds;
-- The audit of the do-not-call list is broken: the job finds it.
ALTER TABLE lead_system.dnc_audit_log DISABLE TRIGGER dnc_audit_log_append_only;
UPDATE lead_system.dnc_audit_log SET reason = 'never asked' WHERE organization_id = :'org';
ALTER TABLE lead_system.dnc_audit_log ENABLE TRIGGER dnc_audit_log_append_only;
CALL lead_system.run_maintenance('{verify_dnc_audit}');
SELECT rows, ok, detail FROM lead_system.maintenance_status() WHERE job = 'verify_dnc_audit';
-- Old runs are forgotten.
SET lead_system.now = '2026-05-17 17:00:01+00';
SELECT count(*) > 20 AS runs FROM lead_system.maintenance_runs WHERE organization_id = :'org';
CALL lead_system.run_maintenance('{forget_runs}');
SELECT count(*) < 40 AS few, min(started_at) FROM lead_system.maintenance_runs WHERE organization_id = :'org';
SELECT rows > 20 AS many, ok FROM lead_system.maintenance_status() WHERE job = 'forget_runs';
-- A role of level admin: its organization alone, and none without.
CREATE ROLE maintenance_admin;
SELECT lead_system.grant_access('maintenance_admin', 'admin');
SET ROLE maintenance_admin;
SET client_min_messages = error;
CALL lead_system.run_maintenance();
SELECT count(*) AS jobs, count(last_run) AS ran, bool_and(ok) AS ok FROM lead_system.maintenance_status();
SELECT job, detail FROM lead_system.maintenance_status() WHERE NOT ok;
SET app.current_org_id = '';
CALL lead_system.run_maintenance();
SELECT * FROM lead_system.maintenance_status();
SELECT count(*) FROM lead_system.maintenance_runs;
INSERT INTO lead_system.maintenance_runs (job) VALUES ('close_due_bidding');
RESET ROLE;
RESET client_min_messages;
-- An organization that leaves takes its runs along.
DELETE FROM lead_system.organizations WHERE id = :'org';
SELECT count(*) FROM lead_system.maintenance_runs WHERE organization_id = :'org';
DROP VIEW counts;
DROP FUNCTION refuse(), ran();
SELECT lead_system.revoke_access('maintenance_admin');
SELECT lead_system.revoke_access('maintenance_worker');
DROP ROLE maintenance_admin, maintenance_worker;
