-- One case of one round, which is rolled back.  What ours wrote must be right:
-- every lead has a user, nobody is above capacity, and the counters are those of a recount.
\set ON_ERROR_STOP on
SELECT statement, is_ours, leads FROM bench.cases WHERE name = :'name' \gset
CHECKPOINT;
BEGIN;
\if :is_ours
\else
ALTER TABLE lead_system.leads DISABLE TRIGGER USER;
ALTER TABLE lead_system.users DISABLE TRIGGER USER;
\endif
SELECT clock_timestamp() AS started \gset
:statement;
SELECT extract(epoch FROM clock_timestamp() - :'started') AS seconds \gset
SELECT (SELECT count(*) FROM lead_system.leads WHERE assigned_to IS NOT NULL) AS assigned, min(current_lead_count) AS fewest, max(current_lead_count) AS most,
       count(*) FILTER (WHERE current_lead_count > max_active_leads) AS above FROM lead_system.users \gset
\if :is_ours
SELECT lead_system.recount_user_counters() AS wrong \gset
SELECT 1 / (:assigned = :leads AND :above = 0 AND :wrong = 0)::integer AS is_right;
\else
\set wrong NULL
\endif
ROLLBACK;
INSERT INTO bench.timings VALUES (:'name', :round, :seconds, :assigned, :fewest, :most, :above, :wrong);
VACUUM lead_system.leads, lead_system.users, lead_system.lead_assignments;
