-- use_cases: the five ways in which lists and campaigns are used together.
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2025-10-18 15:00:00+00';
\set business 'd2000000-0000-4000-8000-00000000000a'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'business', 'Helping Hands', 'outreach');
INSERT INTO lead_system.system_config (organization_id, key, value) VALUES (:'business', 'compliance.min_gap_minutes', '0');
-- all this is the daily work of a manager
CREATE ROLE regress_ls_use_cases;
SELECT lead_system.grant_access('regress_ls_use_cases', 'manager');
SET app.current_org_id = :'business';
SET ROLE regress_ls_use_cases;

--
-- 1. Leads are uploaded without a campaign
--
\set prospects 'd2000000-0000-4000-8000-000000000456'
INSERT INTO lead_system.leads (organization_id, id, first_name, last_name, email, phone_number, source) VALUES
    (:'business', 'd2000000-0000-4000-8000-000000000001', 'Ida', 'Fern', 'ida@example.com', '202-555-0101', 'csv_import'),
    (:'business', 'd2000000-0000-4000-8000-000000000002', 'Jon', 'Moss', 'jon@example.com', '202-555-0102', 'csv_import');
INSERT INTO lead_system.lead_lists (organization_id, id, name, description, list_type)
VALUES (:'business', :'prospects', 'Prospects Q4', 'Signed up at the October event', 'static');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES
    (:'business', :'prospects', 'd2000000-0000-4000-8000-000000000001'),
    (:'business', :'prospects', 'd2000000-0000-4000-8000-000000000002');
SELECT name, description, list_type, lead_count, is_archived, tags, metadata FROM lead_system.lead_lists;
SELECT first_name, phone_number, status, source, temperature, lead_score FROM lead_system.leads ORDER BY first_name COLLATE "C";
SELECT count(*) AS in_campaigns FROM lead_system.campaign_leads;

--
-- 2. Groups are made first, then filled
--
\set donors   'd2000000-0000-4000-8000-000000000461'
\set visitors 'd2000000-0000-4000-8000-000000000462'
\set readers  'd2000000-0000-4000-8000-000000000463'
INSERT INTO lead_system.lead_lists (organization_id, id, name, tags) VALUES
    (:'business', :'donors', 'Donors', '["high-value", "priority"]'),
    (:'business', :'visitors', 'Visitors', '["events", "engaged"]'),
    (:'business', :'readers', 'Readers', '["email", "nurture"]');
-- an upload goes into the group of its name
SELECT lead_system.create_lead_list_from_csv(:'business', 'Donors', '[
    {"first_name": "Kim", "phone": "(303) 555-0111", "email": "kim@example.com"},
    {"first_name": "Lou", "phone": "(303) 555-0112"}]'::jsonb) = :'donors' AS same_list;
SELECT lead_system.import_leads_csv('Visitors',
    E'First Name,Phone,Visited\nLou,303-555-0112,October\nMia,303-555-0113,November\n') IS NOT NULL AS imported;
-- or leads that are there are assigned by a criterion
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT organization_id, :'readers', id FROM lead_system.leads WHERE organization_id = :'business' AND email IS NOT NULL;
SELECT l.name, l.tags, l.lead_count, string_agg(d.first_name, ', ' ORDER BY d.first_name COLLATE "C") AS members
  FROM lead_system.lead_lists l
  JOIN lead_system.lead_list_members m ON m.organization_id = l.organization_id AND m.lead_list_id = l.id
  JOIN lead_system.leads d ON d.organization_id = m.organization_id AND d.id = m.lead_id
 GROUP BY l.id, l.name, l.tags, l.lead_count ORDER BY l.id;
SELECT first_name, metadata FROM lead_system.leads WHERE metadata <> '{}' ORDER BY first_name COLLATE "C";

--
-- 3. A campaign with several lists
--
\set year_end 'd2000000-0000-4000-8000-000000000789'
INSERT INTO lead_system.campaigns (organization_id, id, name, status)
VALUES (:'business', :'year_end', 'Year end 2025', 'draft');
SELECT lead_system.add_lead_list_to_campaign(:'year_end', :'donors', 1) IS NOT NULL AS first,
       lead_system.add_lead_list_to_campaign(:'year_end', :'visitors', 2) IS NOT NULL AS second,
       lead_system.add_lead_list_to_campaign(:'year_end', :'readers', 3) IS NOT NULL AS third;
CREATE TEMP VIEW progress AS
SELECT c.name AS campaign, a.priority, l.name AS list, a.total_leads, a.open_leads, a.contacted_leads, a.successful_leads, a.is_active, a.completed_at
  FROM lead_system.campaign_lead_lists a
  JOIN lead_system.campaigns c ON c.organization_id = a.organization_id AND c.id = a.campaign_id
  JOIN lead_system.lead_lists l ON l.organization_id = a.organization_id AND l.id = a.lead_list_id
 ORDER BY c.name COLLATE "C", a.priority, l.name COLLATE "C";
CREATE TEMP VIEW queue AS
SELECT c.name AS campaign, d.first_name, l.name AS list, q.status, q.attempts, q.outcome, q.donated_amount
  FROM lead_system.campaign_leads q
  JOIN lead_system.campaigns c ON c.organization_id = q.organization_id AND c.id = q.campaign_id
  JOIN lead_system.leads d ON d.organization_id = q.organization_id AND d.id = q.lead_id
  LEFT JOIN lead_system.lead_lists l ON l.organization_id = q.organization_id AND l.id = q.lead_list_id
 ORDER BY c.name COLLATE "C", q.list_priority, d.first_name COLLATE "C";
-- each lead is in the campaign once, and it is known from which list
SELECT * FROM queue;
SELECT * FROM progress;

--
-- 4. A file goes straight into a campaign
--
SELECT lead_system.create_lead_list_from_csv(
    :'business',
    'Holiday import',
    '[
        {"first_name": "Noa", "last_name": "Reed", "email": "noa@example.com", "phone": "202-555-0121"},
        {"first_name": "Oli", "last_name": "Sage", "email": "oli@example.com"}
    ]'::jsonb
) AS holiday \gset
SELECT lead_system.add_lead_list_to_campaign(:'year_end', :'holiday', 4) IS NOT NULL AS assigned;
SELECT * FROM queue WHERE list = 'Holiday import';
SELECT * FROM progress WHERE list = 'Holiday import';
-- nobody can be called without a number: Oli waits until one comes in
UPDATE lead_system.campaigns SET status = 'active' WHERE id = :'year_end';
SELECT d.first_name, q.phone_number FROM lead_system.claim_campaign_leads(:'year_end', 100) q
  JOIN lead_system.leads d ON d.organization_id = :'business' AND d.id = q.lead_id ORDER BY d.first_name COLLATE "C";
UPDATE lead_system.leads SET phone_number = '202-555-0122' WHERE email = 'oli@example.com';
SELECT d.first_name, q.phone_number FROM lead_system.claim_campaign_leads(:'year_end', 100) q
  JOIN lead_system.leads d ON d.organization_id = :'business' AND d.id = q.lead_id;

--
-- 5. One list in many campaigns
--
\set spring 'd2000000-0000-4000-8000-000000000781'
\set fall   'd2000000-0000-4000-8000-000000000782'
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES
    (:'business', :'spring', 'Spring', 'active'), (:'business', :'fall', 'Fall', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'spring', :'donors', 1) <> lead_system.add_lead_list_to_campaign(:'fall', :'donors', 1) AS own_assignments;
-- a call in one campaign is none in the others; this charity takes no break between calls
SELECT count(lead_system.record_call_attempt(q.campaign_lead_id, 'donated', 90, '{"donated_amount": 50}')) AS calls
  FROM lead_system.claim_campaign_leads(:'spring', 1) q;
SELECT * FROM progress WHERE list = 'Donors';
SELECT * FROM queue WHERE campaign IN ('Fall', 'Spring');
-- how a list does in a campaign, and how often it is used
SELECT campaign, list, round(successful_leads::numeric / nullif(contacted_leads, 0) * 100, 2) AS conversion_rate
  FROM progress WHERE campaign = 'Spring';
SELECT l.name, count(DISTINCT a.campaign_id) AS campaigns, coalesce(sum(a.successful_leads), 0) AS conversions
  FROM lead_system.lead_lists l
  LEFT JOIN lead_system.campaign_lead_lists a ON a.organization_id = l.organization_id AND a.lead_list_id = l.id
 GROUP BY l.id, l.name ORDER BY l.id;

RESET ROLE;
RESET app.current_org_id;
DROP VIEW queue, progress;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd2000000-%';
SELECT (SELECT count(*) FROM lead_system.lead_lists WHERE organization_id::text LIKE 'd2000000-%') AS lead_lists,
       (SELECT count(*) FROM lead_system.campaigns WHERE organization_id::text LIKE 'd2000000-%') AS campaigns,
       (SELECT count(*) FROM lead_system.campaign_leads WHERE organization_id::text LIKE 'd2000000-%') AS campaign_leads;
SELECT lead_system.revoke_access('regress_ls_use_cases');
DROP ROLE regress_ls_use_cases;
