-- document_001: the examples of design document 001 (scoring of business leads), with our names.
-- Each section names the section of the document that it is from.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
\set sales '64000000-0000-4000-8000-000000000001'
\set marcus '64000000-0000-4000-8000-000000000011'
\set sarah '64000000-0000-4000-8000-000000000012'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'sales', 'Sales', 'b2b');
CREATE ROLE regress_ls_queries;
SELECT lead_system.grant_access('regress_ls_queries', 'admin');
SET app.current_org_id = :'sales';
SET ROLE regress_ls_queries;

--
-- 1. Database Seeding: Seed Script. The score is not given, it comes out.
--
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'sales', :'marcus', 'Marcus Example', 'marcus@example.com', 'rep'),
    (:'sales', :'sarah', 'Sarah Example', 'sarah@example.com', 'manager');
INSERT INTO lead_system.leads (
  organization_id, company_name, first_name, last_name, email, company_size, industry,
  inquiry_type, budget_timeline, phone_number
) VALUES
  (:'sales', 'Large Vendor', 'John', 'Doe', 'john@vendor.example.com', '1000+', 'Software/SaaS',
   'Demo Request', 'Immediate', '+12025550100'),
  (:'sales', 'Brooklyn Agency', 'Jane', 'Smith', 'jane@brooklyn.example.com', '11-50', 'Marketing/Advertising',
   'Pricing Information', '1-3 months', NULL),
  (:'sales', 'Local Coffee Shop', 'Bob', 'Lee', 'bob@gmail.com', '1-10', 'Retail/E-commerce',
   'Content Download', 'Just Researching', NULL);
SELECT company_name, lead_score, temperature, status FROM lead_system.leads ORDER BY lead_score DESC;

--
-- 2. Table 1: the document of the Firestore schema
--
SELECT lead_system.upsert_lead('{
  "company_name": "Acme Example", "first_name": "John", "last_name": "Doe", "email": "john@acme.example.com",
  "phone_number": "+1-202-555-0101", "company_size": "51-200", "industry": "Software/SaaS", "inquiry_type": "Demo Request",
  "budget_timeline": "Immediate", "current_solution": "Using competitor X", "message": "Interested in enterprise plan",
  "company_website": "https://acme.example.com", "source": "Webflow Form",
  "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "q4-demo-push"}') AS acme \gset
SELECT lead_score, temperature, score_breakdown, raw_score, status, priority_flag, enrichment_status, email_reply_count,
       pricing_page_visits, demo_video_watched, is_spam, needs_review, qualification_bonus_applied, deleted_at
  FROM lead_system.leads WHERE id = :'acme';

--
-- 3. Table 1: Unique Constraint (duplicate submissions within 24 hours)
--
\set VERBOSITY terse
SELECT lead_system.upsert_lead('{"email": "JOHN@acme.example.com"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead_system.upsert_lead('{"email": "JOHN@acme.example.com", "title": "CTO"}', 'merge') = :'acme' AS merged;

--
-- 4. Database-Level Constraints, and Application-Level Validation
--
\set VERBOSITY terse
SELECT lead_system.upsert_lead('{"email": "no address"}');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'Sleeping' WHERE id = :'acme';
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone_number": "12"}');
\echo :LAST_ERROR_SQLSTATE
-- Scores and temperatures cannot be written at all, so they are never out of range.
UPDATE lead_system.leads SET lead_score = 101, temperature = 'Boiling' WHERE id = :'acme' RETURNING lead_score, temperature;
SELECT lead_system.upsert_lead('{"email": "x@example.com", "lead_score": 101}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

--
-- 5. Performance Optimization: Slow Query, Dashboard query
--
SELECT company_name, lead_score FROM lead_system.leads
WHERE temperature = 'hot' AND deleted_at IS NULL
ORDER BY lead_score DESC, created_at DESC
LIMIT 50;
SELECT company_name, contact_name, lead_score FROM lead_system.dashboard_leads('hot', page_size => 50);
-- With the index for it, nothing is sorted.
SET ROLE NONE;
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = off;
EXPLAIN (COSTS OFF) SELECT * FROM lead_system.leads
 WHERE organization_id = :'sales' AND temperature = 'hot' AND deleted_at IS NULL AND NOT is_spam
 ORDER BY raw_score DESC, created_at DESC, id DESC LIMIT 50;
COMMIT;
SET ROLE regress_ls_queries;

--
-- 6. Caching Strategy: getDashboardLeads(category, page)
--
SELECT company_name FROM lead_system.dashboard_leads(page_size => 2);
SELECT cursor AS after FROM lead_system.dashboard_leads(page_size => 2) OFFSET 1 \gset
SELECT company_name FROM lead_system.dashboard_leads(page_size => 2, after => :'after');

--
-- 7. Data Lifecycle: Lead Lifecycle States, Alternative Paths
--
SELECT lead_system.change_lead_status(:'acme', 'Contacted');
SELECT lead_system.change_lead_status(:'acme', 'Qualified', 'Budget, authority, need and timeline are there');
SELECT lead_system.change_lead_status(:'acme', 'Opportunity');
SELECT id AS bob FROM lead_system.leads WHERE email = 'bob@gmail.com' \gset
SELECT lead_system.change_lead_status(:'bob', 'Disqualified', 'Not a fit');
SELECT l.company_name, h.old_status, h.new_status, h.reason FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.id = h.lead_id ORDER BY h.id;
SELECT qualification_bonus_applied, lead_score, raw_score, score_breakdown->'qualification_bonus' AS bonus FROM lead_system.leads WHERE id = :'acme';
SELECT lead_system.change_lead_status(:'acme', 'New');
\echo :LAST_ERROR_SQLSTATE

--
-- 8. Table 3: Activity Types
--
SELECT id AS jane FROM lead_system.leads WHERE email = 'jane@brooklyn.example.com' \gset
UPDATE lead_system.leads SET pricing_page_visits = 3 WHERE id = :'jane';
UPDATE lead_system.leads SET assigned_to = :'marcus' WHERE id = :'jane';
SELECT lead_system.add_lead_note(:'jane', 'Left VM') IS NOT NULL AS noted;
UPDATE lead_system.leads SET enrichment_status = 'Enriched', linkedin_url = 'https://linkedin.example.com/jane' WHERE id = :'jane';
UPDATE lead_system.leads SET priority_flag = true WHERE id = :'jane';
SELECT lead_system.change_lead_status(:'jane', 'Contacted');
SELECT action_type, old_value, new_value, description FROM lead_system.activities WHERE lead_id = :'jane' ORDER BY id;

--
-- 9. Database Migration Strategy: a column is added, filled and removed
--
SET ROLE NONE;
BEGIN;
ALTER TABLE lead_system.leads ADD COLUMN partner_website VARCHAR(500);
UPDATE lead_system.leads
SET partner_website = CONCAT('https://www.', LOWER(REPLACE(company_name, ' ', '')), '.example.com')
WHERE partner_website IS NULL AND organization_id = :'sales';
UPDATE lead_system.leads
SET company_website = CONCAT('https://www.', LOWER(REPLACE(company_name, ' ', '')), '.example.com')
WHERE company_website IS NULL AND organization_id = :'sales';
SELECT company_name, company_website, partner_website FROM lead_system.leads WHERE organization_id = :'sales' ORDER BY company_name COLLATE "C";
SELECT field_name, count(*) FROM lead_system.lead_audit_log WHERE organization_id = :'sales' AND field_name LIKE '%website' GROUP BY 1 ORDER BY 1;
ROLLBACK;

--
-- 10. Table 2: the document of the Firestore schema, load balancing, and the counters. They are counted, never written.
--
SET lead_system.now = '2026-06-16 14:00:00+00';
SET ROLE regress_ls_queries;
SET app.current_org_id = :'sales';
\set alex '64000000-0000-4000-8000-000000000013'
INSERT INTO lead_system.users (organization_id, id, full_name, email, phone_number, role, is_active, max_active_leads, slack_user_id, notify_email, notify_slack, notify_sms) VALUES
    (:'sales', :'alex', 'Alex Example', 'alex@example.com', '+1-202-555-0140', 'rep', true, 20, 'U12345ABC', true, true, false);
UPDATE lead_system.users SET max_active_leads = 2 WHERE id = :'marcus';
INSERT INTO lead_system.leads (organization_id, company_name, email, company_size, industry, inquiry_type, budget_timeline, created_at)
SELECT :'sales', 'Prospect ' || n, 'buyer@prospect' || n || '.example.com', '201-1000', 'Healthcare', 'Demo Request', 'Immediate', '2026-06-16 13:00+00'::timestamptz + n * interval '1 minute'
  FROM generate_series(1, 4) n;
INSERT INTO lead_system.leads (organization_id, company_name, email, company_size, inquiry_type) VALUES (:'sales', 'Quiet Bakery', 'owner@bakery.example.com', '1-10', 'Content Download');
SELECT lead_system.assign_leads(array_agg(id ORDER BY created_at), 'round_robin', 'load balancing') FROM lead_system.leads WHERE company_name LIKE 'Prospect %';
SELECT u.full_name, array_agg(l.company_name ORDER BY l.created_at) AS leads FROM lead_system.leads l JOIN lead_system.users u ON u.id = l.assigned_to GROUP BY 1 ORDER BY 1;
SELECT id AS prospect FROM lead_system.leads WHERE company_name = 'Prospect 1' \gset
SELECT lead_system.change_lead_status(:'prospect', 'Contacted');
SELECT lead_system.change_lead_status(:'prospect', 'Qualified');
SELECT full_name, role, max_active_leads, current_lead_count, total_leads_assigned, total_leads_contacted, total_leads_qualified, avg_response_time_minutes
  FROM lead_system.users ORDER BY full_name;
UPDATE lead_system.users SET current_lead_count = 245 WHERE id = :'alex' RETURNING current_lead_count;
SELECT lead_system.recount_user_counters() AS wrong;

--
-- 11. Indexes: Rep's lead list (idx_leads_assigned_to); Activity Types: assigned
--
SELECT company_name, status, lead_score FROM lead_system.leads
WHERE assigned_to = :'alex' AND status = 'New'
ORDER BY lead_score DESC, company_name;
SELECT action_type, old_value, new_value->>'user_id' = assigned_to::text AS is_the_rep
  FROM lead_system.activities a JOIN lead_system.leads l ON l.id = a.lead_id WHERE l.company_name = 'Prospect 2' AND action_type = 'assigned';

--
-- 12. Table 4: Notifications, "hot_lead_alert" by the rep's preferences, "warm_lead_nurture", delivery status and retries
--
SELECT u.full_name, n.notification_type, n.template_name, n.recipient, n.status, count(*) FROM lead_system.notifications n JOIN lead_system.users u ON u.id = n.user_id
 WHERE n.created_at >= '2026-06-16' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;
INSERT INTO lead_system.notification_templates (organization_id, name, subject, body) VALUES
    (:'sales', 'warm_lead_nurture', 'For {{lead.company_name}}', 'Hello {{lead.first_name}}, {{user.full_name}} has an offer.');
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'template_name', 'warm_lead_nurture', 'lead_id', :'jane', 'user_id', :'marcus',
    'recipient', 'jane@brooklyn.example.com', 'dedupe_key', 'warm ' || :'jane')) AS mail \gset
SELECT notification_type, recipient, subject, body FROM lead_system.claim_notifications() WHERE template_name = 'warm_lead_nurture';
SELECT lead_system.fail_notification(:'mail', 'mailbox full');
SELECT status, sent_at, error_message, retry_count, scheduled_at FROM lead_system.notifications WHERE id = :'mail';
SELECT count(lead_system.complete_notification(id)) AS reported FROM lead_system.notifications WHERE status = 'sending';
SELECT status, count(*), count(sent_at) AS sent FROM lead_system.notifications GROUP BY status ORDER BY status;

--
-- 13. Performance Tracking: hot leads nobody has contacted yet
--
SET ROLE NONE;
SET lead_system.now = '2026-06-16 16:00:00+00';
SET ROLE regress_ls_queries;
SELECT l.company_name, u.full_name, b.temperature, b.due_at, b.overdue, b.level FROM lead_system.sla_breaches() b JOIN lead_system.leads l ON l.id = b.lead_id
  LEFT JOIN lead_system.users u ON u.id = b.assigned_to WHERE l.company_name LIKE 'Prospect %' ORDER BY 1;
SET ROLE NONE;

--
-- 14. Table 5: Analytics_Snapshots, every night for the day before; taken again it replaces the row
--
SET lead_system.now = '2026-06-17 00:05:00+00';
SET ROLE regress_ls_queries;
SELECT lead_system.take_analytics_snapshot('2026-06-16');
SELECT lead_system.take_analytics_snapshot('2026-06-16');
SELECT snapshot_date, total_leads, hot_leads, warm_leads, cold_leads, leads_contacted, leads_qualified, leads_disqualified, leads_to_opportunity, avg_lead_score, median_lead_score
  FROM lead_system.analytics_snapshots ORDER BY snapshot_date DESC;
SELECT avg_response_time_minutes, fastest_response_time_minutes, slowest_response_time_minutes, leads_by_source, avg_score_by_source FROM lead_system.analytics_snapshots;
SET ROLE NONE;

--
-- 15. Archival Strategy: after 90 days; not on the dashboard, "View Archive"; after 2 years: export as CSV, delete
--
SET lead_system.now = '2026-09-16 12:00:00+00';
SET ROLE regress_ls_queries;
SET app.current_org_id = :'sales';
SELECT lead_system.archive_leads();
SELECT company_name, status, archived_at FROM lead_system.leads_archive ORDER BY company_name COLLATE "C";
SELECT count(*) AS on_dashboard FROM lead_system.dashboard_leads() WHERE lead_id = :'bob';
SELECT lead_system.restore_lead(:'bob');
SELECT company_name, status, created_at FROM lead_system.leads WHERE id = :'bob';
SELECT lead_system.archive_leads() AS archived_again;
-- Not before the two years are over, and not before it was exported
SELECT lead_system.purge_archived_leads() AS too_early;
SET ROLE NONE;
SET lead_system.now = '2028-09-17 12:00:00+00';
SET ROLE regress_ls_queries;
SELECT lead_system.purge_archived_leads() AS not_exported;
SELECT csv LIKE 'id,%' AS heading, csv LIKE '%Local Coffee Shop%' AS coffee FROM lead_system.export_archive_csv() csv ORDER BY 1 DESC, 2;
SELECT lead_system.purge_archived_leads();
SELECT count(*) AS archive FROM lead_system.leads_archive;
-- 002, monthly tasks: "Archive old audit logs (>1 year)". Kept by default; here they are removed.
SELECT lead_system.apply_retention() AS by_default;
SELECT lead_system.set_config('retention.audit_log_days', '365');
SELECT lead_system.apply_retention() > 0 AS removed;
SELECT count(*) AS older FROM lead_system.lead_audit_log WHERE created_at < lead_system.clock_now() - interval '365 days';
SET ROLE NONE;

RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id::text LIKE '64000000-%';
SELECT lead_system.revoke_access('regress_ls_queries');
DROP ROLE regress_ls_queries;
RESET lead_system.now;
