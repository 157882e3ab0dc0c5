-- maintenance: organizations that are not there, clocks that go backwards, callers of all kinds.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:10+00';
\set org 'e9000000-0000-4000-8000-00000000000a'
\set gone 'e9000000-0000-4000-8000-0000000000ff'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Edges', 'b2b');
-- A session can name an organization that does not exist: nothing is written of it, and no sweeper falls over it.
SET app.current_org_id = :'gone';
CALL lead_system.run_maintenance();
CALL lead_system.run_maintenance('{recount_users}');
SELECT lead_system.run_ad_diagnostics();
SELECT lead_system.propose_actions();
SELECT lead_system.apply_due_actions();
SELECT lead_system.close_due_bidding(), lead_system.expire_response_windows(), lead_system.warn_response_windows(), lead_system.lift_expired_bans(), lead_system.release_lapsed_steps(), lead_system.sweep_missed_calls();
SELECT lead_system.assign_waiting_leads(), lead_system.sweep_sla(), lead_system.release_expired_holds(), lead_system.release_expired_dnc_blocks(), lead_system.archive_listings(), lead_system.archive_leads(), lead_system.purge_archived_leads(10), lead_system.apply_retention();
SELECT count(*) FROM lead_system.maintenance_runs WHERE organization_id = :'gone';
-- An organization that leaves while a job goes through all of them is passed over.
SET app.current_org_id = '';
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES ('e9000000-0000-4000-8000-00000000000b', 'Leaves', 'b2b');
CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM lead_system.organizations WHERE id = 'e9000000-0000-4000-8000-00000000000b';
    RETURN NULL;
END $$;
CREATE TRIGGER leave AFTER UPDATE ON lead_system.maintenance_runs FOR EACH ROW WHEN (new.job = 'recalculate_lead_scores' AND new.position IS NOT NULL) EXECUTE FUNCTION leave();
CALL lead_system.run_maintenance('{recalculate_lead_scores}');
SELECT job, ok, detail FROM lead_system.maintenance_status() WHERE job = 'recalculate_lead_scores';
DROP TRIGGER leave ON lead_system.maintenance_runs;
SELECT count(*) FROM lead_system.organizations WHERE name = 'Leaves';
-- A clock that was fast, and is put right: each job once in its time, as before.
SET app.current_org_id = :'org';
CREATE FUNCTION ran() RETURNS TABLE (at timestamptz, jobs bigint) LANGUAGE sql AS $$
    SELECT r.started_at, count(*) FROM lead_system.maintenance_runs r WHERE r.organization_id = lead_system.current_org_id() GROUP BY 1 ORDER BY 1 $$;
SET lead_system.now = '2027-03-02 15:00:10+00';
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-02 15:00:10+00';
CALL lead_system.run_maintenance();
CALL lead_system.run_maintenance();
SET lead_system.now = '2026-03-02 15:01:10+00';
CALL lead_system.run_maintenance();
SELECT * FROM ran();
SELECT last_run, count(*) FROM lead_system.maintenance_status() GROUP BY 1 ORDER BY 1;
-- The days of daylight saving time: daily jobs run once, whatever the session's time zone.
SET timezone = 'America/New_York';
DELETE FROM lead_system.maintenance_runs WHERE organization_id = :'org';
DO $$
BEGIN
    FOR hour IN 0 .. 71 LOOP
        PERFORM set_config('lead_system.now', ('2026-03-07 09:00:00+00'::timestamptz + hour * interval '1 hour')::text, false);
        CALL lead_system.run_maintenance();
    END LOOP;
END $$;
SELECT r.job, count(*), min(started_at AT TIME ZONE 'UTC'), max(started_at AT TIME ZONE 'UTC') FROM lead_system.maintenance_runs r WHERE r.organization_id = :'org' AND r.job IN ('recount_users', 'refresh_smart_lists', 'sweep_sla') GROUP BY 1 ORDER BY 1;
RESET timezone;
-- Called from code: where that may commit.
SET lead_system.now = '2026-03-20 15:00:10+00';
CREATE PROCEDURE nightly() LANGUAGE plpgsql AS $$
DECLARE job text;
BEGIN
    FOR job IN SELECT j.job FROM lead_system.maintenance_jobs() j WHERE j.job LIKE 'recount%' LOOP
        CALL lead_system.run_maintenance(ARRAY[job]);
    END LOOP;
END $$;
CALL nightly();
SELECT count(*) FROM lead_system.maintenance_runs WHERE organization_id = :'org' AND started_at = '2026-03-20 15:00:10+00' AND state = 'done';
DO $$ BEGIN CALL lead_system.run_maintenance('{recount_users}'); EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%: %', sqlstate, sqlerrm; END $$;
CREATE FUNCTION nightly_function() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL lead_system.run_maintenance('{recount_users}'); END $$;
SELECT nightly_function();
ALTER PROCEDURE nightly SET work_mem = '1MB';
CALL nightly();
SET default_transaction_read_only = on;
CALL lead_system.run_maintenance();
RESET default_transaction_read_only;
SET default_transaction_isolation = 'serializable';
CALL lead_system.run_maintenance();
RESET default_transaction_isolation;
SELECT DISTINCT ok, detail FROM lead_system.maintenance_status();
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
-- Names of jobs.
CALL lead_system.run_maintenance('{{recount_users},{recount_lists}}');
CALL lead_system.run_maintenance('{""}');
CALL lead_system.run_maintenance('{RECOUNT_USERS}');
-- What is under way is found without reading the runs of weeks.
SELECT pg_get_indexdef('lead_system.maintenance_runs_running_idx'::regclass);
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id = :'org';
DELETE FROM lead_system.maintenance_runs;
DROP FUNCTION ran(), leave(), nightly_function();
DROP PROCEDURE nightly;
