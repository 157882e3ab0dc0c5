-- leads: an update of columns that are not indexed writes no index.
SELECT lead_system.create_organization('Updates', 'b2b') AS org \gset
SET app.current_org_id = :'org';
INSERT INTO lead_system.leads (organization_id, first_name, company_name) SELECT :'org', 'lead ' || n, 'Company ' || n FROM generate_series(1, 600) n;
CREATE TABLE some_leads AS SELECT id FROM lead_system.leads WHERE organization_id = :'org' AND substring(first_name from '\d+')::int % 30 = 0;
BEGIN;
UPDATE lead_system.leads SET city = 'Town', notes = 'note' WHERE id IN (SELECT id FROM some_leads);
SELECT pg_stat_get_xact_tuples_updated(oid) AS updated, pg_stat_get_xact_tuples_hot_updated(oid) AS without_indexes
  FROM pg_class WHERE oid = 'lead_system.leads'::regclass;
ROLLBACK;
DROP TABLE some_leads;
DELETE FROM lead_system.organizations WHERE id = :'org';
