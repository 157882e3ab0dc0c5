-- The archive, the counters of users, and smart lists: found by the simulation
\pset format unaligned
SET lead_system.now = '2026-03-02 15:00+00';
INSERT INTO lead_system.organizations (id, name) VALUES ('d7000000-0000-4000-8000-000000000001', 'Example');
SET app.current_org_id = 'd7000000-0000-4000-8000-000000000001';
INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (lead_system.current_org_id(), 'Rita', 'rita@example.com');
INSERT INTO lead_system.leads (organization_id, id, first_name, company_size, industry, inquiry_type, tags)
SELECT lead_system.current_org_id(), ('d7000000-0000-4000-8000-00000000001' || n)::uuid, 'Ada ' || n, '51-200', 'Software/SaaS', 'Demo Request', '{fair}' FROM generate_series(1, 2) n;
INSERT INTO lead_system.segments (organization_id, name, filter, is_public) VALUES (lead_system.current_org_id(), 'fair', '{"tags": {"contains_any": ["fair"]}}', true);
INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id) SELECT lead_system.current_org_id(), 'fair', 'smart', id FROM lead_system.segments;
SELECT count(lead_system.assign_lead_to(l.id, u.id)) FROM lead_system.leads l, lead_system.users u;
SET lead_system.now = '2026-03-02 16:00+00';
SELECT count(lead_system.change_lead_status(id, 'Contacted')) FROM lead_system.leads;
SELECT count(lead_system.change_lead_status(id, 'Disqualified', 'no interest')) FROM lead_system.leads;
CREATE TABLE members_before AS SELECT to_jsonb(m) AS old FROM lead_system.lead_list_members m;

-- what users did for leads that are in the archive counts
SET lead_system.now = '2026-07-02 15:00+00';
SELECT lead_system.archive_leads(), (SELECT lead_count FROM lead_system.lead_lists);
SELECT lead_system.recount_user_counters() AS wrong;
SELECT current_lead_count, total_leads_assigned, total_leads_contacted, avg_response_time_minutes FROM lead_system.users;

-- a lead comes back into its smart list, in the row that it had
SELECT lead_system.restore_lead('d7000000-0000-4000-8000-000000000011');
SELECT lead_count FROM lead_system.lead_lists;
SELECT count(*) AS as_before FROM lead_system.lead_list_members m JOIN members_before b ON b.old = to_jsonb(m);
SELECT lead_system.recount_user_counters() AS wrong;

-- unless it is none of the list's any more
UPDATE lead_system.segments SET filter = '{"tags": {"contains_any": ["web"]}}';
SELECT lead_system.restore_lead('d7000000-0000-4000-8000-000000000012');
SELECT lead_count, (SELECT count(*) FROM lead_system.lead_list_members) FROM lead_system.lead_lists;
SELECT total_leads_assigned, total_leads_contacted FROM lead_system.users;

-- what is purged does not count
SELECT lead_system.archive_leads();
SELECT lead_system.set_config('archive.export_required', 'false');
SELECT lead_system.purge_archived_leads(1, '2026-07-03');
SELECT total_leads_assigned, total_leads_contacted, lead_system.recount_user_counters() AS wrong FROM lead_system.users;
DROP TABLE members_before;

-- upsert_lead() looks for source_id in its index, which has live leads only
INSERT INTO lead_system.leads (organization_id, first_name) SELECT lead_system.current_org_id(), 'Lead ' || n FROM generate_series(1, 3000) n;
ANALYZE lead_system.leads;
\c -
SET app.current_org_id = 'd7000000-0000-4000-8000-000000000001';
BEGIN;
SELECT lead_system.upsert_lead('{"first_name": "Zoe", "email": "zoe@example.com", "phone_number": "+13125550199", "source": "web", "source_id": "17"}') IS NOT NULL AS made;
SELECT pg_stat_get_xact_numscans('lead_system.leads_organization_id_source_source_id_idx'::regclass) AS scans;
ROLLBACK;
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id = 'd7000000-0000-4000-8000-000000000001';
