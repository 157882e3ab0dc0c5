-- dnc_filter: without shared_preload_libraries there is no filter, and all
-- works by index.  What it does with it is in test/tap/020_dnc_filter.pl.
\set alpha 'f1000000-0000-4000-8000-00000000000a'
SELECT current_setting('shared_preload_libraries') LIKE '%lead_system%' AS preloaded \gset
\if :preloaded
    \quit
\endif
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha');
SHOW lead_system.dnc_filter_size;
SELECT * FROM lead_system.dnc_filter_status();
SELECT lead_system.rebuild_dnc_filter();
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES (:'alpha', '+12025550101', 'manual');
SELECT n, lead_system.is_on_dnc_list(n, :'alpha') FROM unnest(ARRAY['+12025550101', '+12025550102']) n;
SELECT list, state, lookups FROM lead_system.dnc_filter_status();

-- the triggers that set the bits fire whatever the session says
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgfoid = 'lead_system.dnc_filter_note'::regproc ORDER BY 1;
ALTER TABLE lead_system.dnc_list ENABLE TRIGGER dnc_list_filter;
SELECT ok, detail FROM lead_system.health_check() WHERE check_name = 'storage';
CALL lead_system.install();
SELECT ok, detail FROM lead_system.health_check() WHERE check_name = 'storage';
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgfoid = 'lead_system.dnc_filter_note'::regproc ORDER BY 1;

-- the function is for these triggers only
SELECT lead_system.dnc_filter_note();
CREATE TABLE elsewhere (x int);
CREATE TRIGGER wrong BEFORE INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION lead_system.dnc_filter_note();
INSERT INTO elsewhere VALUES (1);
DROP TABLE elsewhere;

-- for maintenance only
CREATE ROLE regress_ls_filter_admin;
CREATE ROLE regress_ls_filter_maintenance;
SELECT lead_system.grant_access('regress_ls_filter_admin', 'admin');
SELECT lead_system.grant_access('regress_ls_filter_maintenance', 'maintenance');
SET ROLE regress_ls_filter_admin;
SELECT count(*) FROM lead_system.dnc_filter_status();
SELECT lead_system.rebuild_dnc_filter();
SET ROLE regress_ls_filter_maintenance;
SELECT count(*) FROM lead_system.dnc_filter_status();
SELECT lead_system.rebuild_dnc_filter();
RESET ROLE;
SELECT lead_system.revoke_access('regress_ls_filter_admin');
SELECT lead_system.revoke_access('regress_ls_filter_maintenance');
DROP ROLE regress_ls_filter_admin, regress_ls_filter_maintenance;
DELETE FROM lead_system.organizations WHERE id = :'alpha';
