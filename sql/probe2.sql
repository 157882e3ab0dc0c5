BEGIN;
SET client_min_messages=error;
INSERT INTO lead_system.organizations (id, name) VALUES ('d9000000-0000-4000-8000-00000000000a', 'x');
SET app.current_org_id='d9000000-0000-4000-8000-00000000000a';
SELECT lead_system.create_lead_list_from_csv('d9000000-0000-4000-8000-00000000000a', 'L', '[{"phone":"+12025550101"},{"phone":"+12025550102"},{"phone":"+12025550103"},{"phone":"+12025550104"}]') l \gset
INSERT INTO lead_system.campaigns (organization_id,id,name,status) VALUES ('d9000000-0000-4000-8000-00000000000a','d9000000-0000-4000-8000-00000000000c','C','active');
SELECT lead_system.add_lead_list_to_campaign('d9000000-0000-4000-8000-00000000000c', :'l');
SELECT array_agg(id) a from lead_system.campaign_leads \gset
\set ON_ERROR_ROLLBACK on
SELECT lead_system.record_call_attempt((:'a'::uuid[])[1],'answered',1,'{"provider_call_id":"p1"}') x \gset
SELECT lead_system.record_call_attempt((:'a'::uuid[])[2],'answered',1,'{"provider_call_id":"p1"}') = :'x' AS other_row_same_call;
SELECT lead_system.record_call_attempt((:'a'::uuid[])[2],'pledged',1,'{"pledged_amount":"NaN","started_at":"2099-01-01"}');
SELECT lead_system.record_call_attempt((:'a'::uuid[])[3],'pledged',1,'{"pledged_amount":"Infinity"}');
SELECT lead_system.record_call_attempt((:'a'::uuid[])[3],'callback',1,'{"callback_at":"infinity"}');
SELECT lead_system.record_call_attempt((:'a'::uuid[])[4],'callback',1,'{"callback_at":"1999-01-01"}');
SELECT lead_system.record_call_attempt((:'a'::uuid[])[4],'answered',1,'{"notes":{"a":1}}');
SELECT status,attempts,pledged_amount,last_attempt_at,next_attempt_at,notes from lead_system.campaign_leads order by lead_id;
SELECT last_contact_at, last_activity_at,lead_score from lead_system.leads order by id;
-- expired entry: lead stays blocked
SELECT lead_system.add_to_dnc_list('+12025550103','x',expires_at=>lead_system.clock_now()-interval '1 day');
SELECT do_not_call FROM lead_system.leads WHERE phone_number='+12025550103';
SELECT action from lead_system.dnc_audit_log where phone_number='+12025550103';
-- update number of entry
INSERT INTO lead_system.dnc_list(organization_id,phone_number,reason) values ('d9000000-0000-4000-8000-00000000000a','+12025550101','x');
UPDATE lead_system.dnc_list SET phone_number='+12025550102' where phone_number='+12025550101';
select phone_number,do_not_call from lead_system.leads order by 1;
select action, phone_number from lead_system.dnc_audit_log order by id;
ROLLBACK;
