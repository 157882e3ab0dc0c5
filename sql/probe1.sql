BEGIN;
INSERT INTO lead_system.organizations (id, name) VALUES ('d9000000-0000-4000-8000-00000000000a', 'x');
SET app.current_org_id='d9000000-0000-4000-8000-00000000000a';
SELECT lead_system.create_lead_list_from_csv('d9000000-0000-4000-8000-00000000000a', 'L', '[{"email":"a@example.com","tags":["vip","x"],"metadata":{"k":1},"extra":{"n":2}, "source_metadata": {"q":1}}]');
SELECT email,tags,metadata,source_metadata FROM lead_system.leads;
SELECT lead_system.upsert_lead('{"email":"b@example.com","tags":["vip","x"],"metadata":{"k":1}, "source_metadata": {"q":1}}');
SELECT email,tags,metadata,source_metadata FROM lead_system.leads;
SELECT * FROM lead_system.lead_import_errors;
-- row with nothing
SELECT lead_system.create_lead_list_from_csv('d9000000-0000-4000-8000-00000000000a', 'L2', '[{},{"email":null}]');
SELECT row_count,inserted_count,rejected_count FROM lead_system.lead_imports order by id desc limit 1;
SELECT email,source_id from lead_system.leads;
SELECT lead_system.import_leads_csv('L3', E'a,b\n1,2\n', '{"mapping":{"a":"email","b":{}}}');
