-- privacy: erasing and exporting leads, the audit's chain: results and errors.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd1000000-0000-4000-8000-00000000000a'
\set lead 'd1000000-0000-4000-8000-000000000001'
SELECT * FROM lead_system.verify_dnc_audit();
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'alpha', 'Alpha', 'recruiting');
SET app.current_org_id = :'alpha';
SELECT * FROM lead_system.verify_dnc_audit();
SELECT * FROM lead_system.dnc_audit_head();
INSERT INTO lead_system.leads (organization_id, id, first_name, email, phone_number)
VALUES (:'alpha', :'lead', 'Ada', 'ada@example.com', '+12025550101');
SELECT jsonb_object_keys(lead_system.export_lead(:'lead')) ORDER BY 1;
SELECT lead_system.export_lead(NULL);
SELECT lead_system.export_lead('d1000000-0000-4000-8000-000000000009');
SELECT lead_system.erase_lead(NULL, 'x');
SELECT lead_system.erase_lead(:'lead', NULL);
SELECT lead_system.erase_lead(:'lead', ' ');
SELECT lead_system.erase_lead('d1000000-0000-4000-8000-000000000009', 'x');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT lead_system.erase_lead(:'lead', 'x');
ROLLBACK;
SELECT lead_system.erase_lead(lead_id => :'lead', reason => 'request');
SELECT first_name, last_name, email, phone_number, deleted_at IS NOT NULL AS deleted FROM lead_system.leads;
SELECT subject_id = :'lead' AS lead, length(phone_hash), reason FROM lead_system.erasures;
UPDATE lead_system.erasures SET reason = 'x';
UPDATE lead_system.dnc_audit_chain SET sequence = 9;
SELECT lead_system.add_to_dnc_list('+12025550102', 'request') IS NOT NULL AS added;
SELECT sequence, length(hash) FROM lead_system.dnc_audit_head();
SELECT * FROM lead_system.verify_dnc_audit();
UPDATE lead_system.dnc_audit_chain SET sequence = 9;
TRUNCATE lead_system.dnc_audit_chain;
DELETE FROM lead_system.organizations WHERE id = :'alpha';
SELECT count(*) FROM lead_system.dnc_audit_chain;
SELECT count(*) FROM lead_system.erasures;
