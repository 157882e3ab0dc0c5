-- maintenance: the jobs that a scheduler runs.

CREATE PROCEDURE lead_system.run_maintenance(jobs text[] DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'ls_maintenance_run';
COMMENT ON PROCEDURE lead_system.run_maintenance(text[]) IS
    'Runs the jobs that are due, or those that are named, due or not. Each batch of a job is a transaction of its own. One runner at a time: a second one says so in a NOTICE and returns. An error in one job is recorded, and the others go on. Works in the session''s organization, or in all for a role above row level security that has none set. Raises 25001 in a transaction block, 25006 on a standby, 22023 for an unknown job, P0002 for an organization that does not exist.';
REVOKE ALL ON PROCEDURE lead_system.run_maintenance(text[]) FROM PUBLIC;

CREATE FUNCTION lead_system.maintenance_status()
    RETURNS TABLE (job text, last_run timestamptz, rows bigint, ok boolean, detail text)
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 20 AS 'MODULE_PATHNAME', 'ls_maintenance_status';
COMMENT ON FUNCTION lead_system.maintenance_status() IS
    'The jobs of run_maintenance() in the order in which they run, and what their last run did; ok is NULL while it runs, and before the first one. Of runs for the session''s organization, or of those for all for a role above row level security that has none set.';
REVOKE ALL ON FUNCTION lead_system.maintenance_status() FROM PUBLIC;

CREATE FUNCTION lead_system.maintenance_jobs()
    RETURNS TABLE (job text, runs_every interval, batch integer, description text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'ls_maintenance_jobs';
COMMENT ON FUNCTION lead_system.maintenance_jobs() IS
    'The jobs that run_maintenance() knows, in the order in which it runs them: how often each is due, how many rows it deals with in one transaction (NULL: as many as there are), and what it does.';
REVOKE ALL ON FUNCTION lead_system.maintenance_jobs() FROM PUBLIC;

CREATE FUNCTION lead_system.schedule_maintenance(cron text DEFAULT '* * * * *') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_maintenance_schedule';
COMMENT ON FUNCTION lead_system.schedule_maintenance(text) IS
    'Has pg_cron call run_maintenance() at these times, as the calling role; returns the id of the job in cron.job. Called again it changes the times. Raises 0A000, with the lines for cron and for pg_cron in another database, when pg_cron is not installed in this one.';
REVOKE ALL ON FUNCTION lead_system.schedule_maintenance(text) FROM PUBLIC;

CREATE FUNCTION lead_system.unschedule_maintenance() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_maintenance_unschedule';
COMMENT ON FUNCTION lead_system.unschedule_maintenance() IS
    'Takes back what schedule_maintenance() did; false when there was nothing to take back.';
REVOKE ALL ON FUNCTION lead_system.unschedule_maintenance() FROM PUBLIC;
