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
-- an erased number is not contacted without a lead either, from then on
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text) VALUES (:'alpha', 'outbound', '+12025550101', 'hello');
INSERT INTO lead_system.call_logs (organization_id, direction, called_phone, status) VALUES (:'alpha', 'outbound', '(202) 555-0101', 'answered');
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text, created_at)
VALUES (:'alpha', 'outbound', '+12025550101', 'hello', '2026-03-01 15:00:00+00');
-- what has the number and no lead is exported, as it is erased, unless another lead has the number
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES (:'alpha', 'd1000000-0000-4000-8000-000000000002', 'Bea', '+12025550103');
INSERT INTO lead_system.sms_logs (organization_id, direction, from_phone, message_text) VALUES (:'alpha', 'inbound', '+12025550103', 'it is Bea');
SELECT lead_system.export_lead('d1000000-0000-4000-8000-000000000002') #> '{sms_logs,0,message_text}' AS exported;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE first_name = 'Bea';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES (:'alpha', 'd1000000-0000-4000-8000-000000000003', 'Cy', '+12025550103');
SELECT lead_system.export_lead('d1000000-0000-4000-8000-000000000002') ? 'sms_logs' AS exported;
-- a number that was erased stays blocked when its entry in the list expires, and when it is removed
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES (:'alpha', 'd1000000-0000-4000-8000-000000000004', 'Dee', '+12025550104');
SELECT lead_system.erase_lead('d1000000-0000-4000-8000-000000000004', 'request');
SELECT lead_system.add_to_dnc_list('+12025550104', 'request', expires_at => '2026-03-03 15:00:00+00') IS NOT NULL AS added;
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES (:'alpha', 'd1000000-0000-4000-8000-000000000005', 'Eve', '+12025550104');
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE first_name = 'Eve';
SET lead_system.now = '2026-03-04 15:00:00+00';
SELECT lead_system.release_expired_dnc_blocks() AS released;
SELECT status, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE first_name = 'Eve';
UPDATE lead_system.leads SET do_not_call = false WHERE first_name = 'Eve';
SELECT lead_system.add_to_dnc_list('+12025550104', 'request') IS NOT NULL AS added;
SELECT lead_system.remove_from_dnc_list('+12025550104', 'asked') AS removed;
SELECT status, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE first_name = 'Eve';
-- unless an administrator has unblocked it by hand
UPDATE lead_system.leads SET do_not_call = false WHERE first_name = 'Eve';
INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text) VALUES (:'alpha', 'outbound', '+12025550104', 'hello') RETURNING status;
DELETE FROM lead_system.organizations WHERE id = :'alpha';
SELECT count(*) FROM lead_system.dnc_audit_chain;
SELECT count(*) FROM lead_system.erasures;
