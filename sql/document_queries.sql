-- document_queries: the examples of the design documents, with our names.
-- Each section names the document and the section that it is from.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
\set sales '64000000-0000-4000-8000-000000000001'
\set crm '64000000-0000-4000-8000-000000000002'
\set marcus '64000000-0000-4000-8000-000000000011'
\set sarah '64000000-0000-4000-8000-000000000012'
\set team '64000000-0000-4000-8000-0000000000f0'
INSERT INTO lead_system.organizations (id, tenant_id, name, default_pipeline) VALUES
    (:'sales', NULL, 'Sales', 'b2b'), (:'crm', :'team', 'Recruiting', 'recruiting');
CREATE ROLE regress_ls_queries;
SELECT lead_system.grant_access('regress_ls_queries', 'admin');
SET app.current_org_id = :'sales';
SET ROLE regress_ls_queries;

--
-- 1. 001, Database Seeding: Seed Script. The score is not given, it comes out.
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
-- 2. 001, Table 1: the document of the Firestore schema
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
-- 3. 001, Table 1: Unique Constraint (duplicate submissions within 24 hours)
--
\set VERBOSITY terse
SELECT lead_system.upsert_lead('{"email": "JOHN@acme.example.com"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead_system.upsert_lead('{"email": "JOHN@acme.example.com", "title": "CTO"}', 'merge') = :'acme' AS merged;

--
-- 4. 001, Database-Level Constraints, and Application-Level Validation
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
-- 5. 001, Performance Optimization: Slow Query, Dashboard query
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
-- 6. 001, Caching Strategy: getDashboardLeads(category, page)
--
SELECT company_name FROM lead_system.dashboard_leads(page_size => 2);
SELECT cursor AS after FROM lead_system.dashboard_leads(page_size => 2) OFFSET 1 \gset
SELECT company_name FROM lead_system.dashboard_leads(page_size => 2, after => :'after');

--
-- 7. 001, Data Lifecycle: Lead Lifecycle States, Alternative Paths
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
-- 8. 001, Table 3: Activity Types
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
-- 9. 001, Database Migration Strategy: a column is added, filled and removed
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
-- 10. 002, Row-Level Security: set the tenant before queries
--
SET ROLE regress_ls_queries;
SET app.current_tenant_id = :'team';
SET app.current_org_id = :'crm';
SELECT count(*) AS leads_of_others FROM lead_system.leads;

--
-- 11. 002, Data Migration (Existing Leads). What cannot be a lead is left out by the query, as there.
--
CREATE TEMP TABLE old_leads_table (assigned_to uuid, first_name text, last_name text, phone text, email text, status text,
    qualification_score integer, notes text, created_at timestamptz, updated_at timestamptz);
INSERT INTO old_leads_table VALUES
    (NULL, 'John', 'Moss', '+12025550121', 'john.moss@example.com', 'new', NULL, 'old note', '2026-01-05 09:00+00', '2026-01-06 09:00+00'),
    (NULL, 'Ida', 'Johnson', '+12025550122', 'ida@example.com', 'contacted', 60, NULL, '2026-01-07 09:00+00', '2026-01-08 09:00+00'),
    (NULL, 'Kim', 'Fern', '+12025550123', 'kim@example.com', 'new', 20, NULL, '2026-02-07 09:00+00', '2026-02-08 09:00+00');
INSERT INTO lead_system.leads (
    organization_id, assigned_to, first_name, last_name,
    phone_number, email, status, notes,
    created_at, source, tags
)
SELECT
    :'crm', assigned_to,
    first_name, last_name,
    phone, email, status,
    notes,
    created_at, 'facebook_ads', CASE first_name WHEN 'John' THEN ARRAY['hot', 'referral'] ELSE ARRAY['facebook'] END
FROM old_leads_table
WHERE NOT EXISTS (SELECT 1 FROM lead_system.leads WHERE phone_number = old_leads_table.phone);
-- The score of old is an assessment of now.
SELECT l.first_name, lead_system.record_qualification(l.id, jsonb_build_object('interest', 25, 'budget', 25, 'need', 10)) IS NOT NULL AS recorded
  FROM lead_system.leads l JOIN old_leads_table o ON o.phone = l.phone_number WHERE o.qualification_score >= 50;
SELECT first_name, last_name, phone_number, status, lead_score, tags, notes, created_at FROM lead_system.leads ORDER BY created_at;
SELECT id AS john FROM lead_system.leads WHERE phone_number = '+12025550121' \gset
SELECT id AS ida FROM lead_system.leads WHERE phone_number = '+12025550122' \gset
SELECT id AS kim FROM lead_system.leads WHERE phone_number = '+12025550123' \gset

--
-- 12. 002, Query Patterns
--
-- Find leads by tag (uses GIN index)
SELECT first_name FROM lead_system.leads WHERE tags @> ARRAY['hot', 'referral'];
-- Find leads by tag (any match)
SELECT first_name FROM lead_system.leads WHERE tags && ARRAY['facebook', 'linkedin'] ORDER BY first_name;
-- Full-text name search
SELECT first_name, last_name FROM lead_system.leads WHERE (first_name || ' ' || last_name) ILIKE '%john%' ORDER BY first_name;
-- Check DNC before calling
SELECT lead_system.add_to_dnc_list('+12025550123', 'opt_out_ai_detected', 'call_transcript', opt_out_phrase => 'take me off your list') IS NOT NULL AS listed;
SELECT lead_system.is_on_dnc_list('+12025550123', :'crm'), lead_system.is_on_dnc_list('+12025550121', :'crm') AS other;

--
-- 13. 002, is_on_dnc_list: Usage, before initiating a call
--
DO $$
DECLARE
    lead record;
BEGIN
    FOR lead IN SELECT * FROM lead_system.leads ORDER BY created_at LOOP
        IF lead_system.is_on_dnc_list(lead.phone_number, lead.organization_id) THEN
            RAISE EXCEPTION 'Lead on Do Not Call list' USING DETAIL = lead.first_name;
        END IF;
    END LOOP;
END $$;
SELECT first_name, status, do_not_call FROM lead_system.leads WHERE id = :'kim';

--
-- 14. 002, dnc_list: expiration for 30-day grace periods; what AI found
--
SELECT lead_system.add_to_dnc_list('+12025550124', 'complaint', 'manual_entry', lead_system.clock_now() + interval '30 days') IS NOT NULL AS listed;
SELECT lead_system.is_on_dnc_list('+12025550124', :'crm') AS now;
-- "Review DNC additions (AI-detected)", a daily task
SELECT phone_number, reason, opt_out_phrase, created_at FROM lead_system.dnc_list WHERE source = 'call_transcript' AND created_at > lead_system.clock_now() - interval '1 day';
SELECT opt_out, kind, phrase FROM lead_system.detect_opt_out('Please take me off your list', 'call');

--
-- 15. 002, calculate_lead_score(lead_id): the four parts, and their history
--
SELECT lead_system.record_intent_signal(:'ida', 'explicit_interest', '64000000-0000-4000-8000-00000000ca01') IS NOT NULL AS heard;
UPDATE lead_system.leads SET call_count = 1, last_contact_at = lead_system.clock_now() WHERE id = :'ida';
SELECT lead_system.calculate_lead_score(:'ida');
SELECT component, rule, points FROM lead_system.explain_lead_score(:'ida');
-- "Track lead score changes over time for trend analysis"
SELECT old_score, new_score, breakdown FROM lead_system.lead_score_history WHERE lead_id = :'ida' ORDER BY id;
SELECT created_at::date AS day, count(*) AS changes, avg(new_score - old_score)::numeric(5,1) AS trend FROM lead_system.lead_score_history GROUP BY 1 ORDER BY 1;

--
-- 16. 002, Status Transitions: logged, with trigger type and id; the score is calculated again
--
SET ROLE NONE;
SET lead_system.now = '2026-03-04 12:00:00+00';
SET ROLE regress_ls_queries;
SELECT lead_system.change_lead_status(:'ida', 'qualified', 'Fits', 'call', '64000000-0000-4000-8000-00000000ca01');
SELECT lead_system.change_lead_status(:'john', 'contacted', NULL, 'automation', '64000000-0000-4000-8000-00000000ca02');
SET ROLE NONE;
SET lead_system.now = '2026-03-09 12:00:00+00';
SET ROLE regress_ls_queries;
SELECT lead_system.change_lead_status(:'ida', 'recruited', 'Signed', 'manual');
SELECT l.first_name, h.old_status, h.new_status, h.time_in_status, h.trigger_type, h.trigger_id, h.reason
  FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.organization_id = h.organization_id AND l.id = h.lead_id ORDER BY h.id;

--
-- 17. 002, lead_status_history: Use Cases
--
-- Average time from "new" to "recruited"
SELECT avg(h.created_at - l.created_at) AS to_recruited
  FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.organization_id = h.organization_id AND l.id = h.lead_id
 WHERE h.new_status = 'recruited';
-- Bottleneck stages: time in each, and how many went on ("Analyze funnel conversion rates", a weekly task)
SELECT old_status, count(*) AS left_it, avg(time_in_status) AS time_in_status,
       round(100.0 * count(*) FILTER (WHERE new_stage NOT IN ('lost', 'blocked')) / count(*), 1) AS went_on
  FROM lead_system.lead_status_history GROUP BY old_status ORDER BY old_status;
-- Qualification approaches, side by side
SELECT trigger_type, count(*) AS steps, count(*) FILTER (WHERE new_status = 'qualified') AS qualified
  FROM lead_system.lead_status_history GROUP BY trigger_type ORDER BY trigger_type;

--
-- 18. 002, lead_audit_log: every field, who, from where and why
--
SET app.client_ip = '192.0.2.7';
UPDATE lead_system.leads SET title = 'Driver', city = 'Springfield' WHERE id = :'ida';
SELECT field_name, old_value, new_value, ip_address FROM lead_system.lead_audit_log WHERE lead_id = :'ida' AND field_name <> 'status' AND created_at > '2026-03-05' ORDER BY field_name COLLATE "C";
RESET app.client_ip;

--
-- 19. 002, Duplicate phone number error
--
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'crm', 'Twin', '202-555-0121');
\echo :LAST_ERROR_SQLSTATE
-- There are none, by the unique index; so it is taken away here. The oldest stays: uuids have no order in time.
SET ROLE NONE;
BEGIN;
DROP INDEX lead_system.leads_organization_id_phone_number_idx;
INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES (:'crm', 'Twin', '202-555-0121');
SELECT phone_number, COUNT(*) FROM lead_system.leads
WHERE deleted_at IS NULL AND organization_id = :'crm'
GROUP BY phone_number HAVING COUNT(*) > 1;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now()
WHERE organization_id = :'crm' AND id NOT IN (
    SELECT DISTINCT ON (phone_number, organization_id) id FROM lead_system.leads
    ORDER BY phone_number, organization_id, created_at, id
) RETURNING first_name;
ROLLBACK;
SET ROLE regress_ls_queries;

--
-- 20. 002, Lead score not updating: manually recalculate. Only what is stale changes.
--
SET ROLE NONE;
SET lead_system.now = '2026-06-15 12:00:00+00';
SET ROLE regress_ls_queries;
SELECT first_name, lead_score AS stored, lead_system.calculate_lead_score(id) AS now FROM lead_system.leads ORDER BY created_at;
UPDATE lead_system.leads SET lead_score = lead_system.calculate_lead_score(id)
WHERE updated_at > lead_system.clock_now() - INTERVAL '1 year';
SELECT first_name, lead_score AS stored, lead_system.calculate_lead_score(id) AS now FROM lead_system.leads ORDER BY created_at;
-- "Monitor lead score calculation", a daily task
CALL lead_system.recalculate_lead_scores();
SELECT leads_seen, leads_changed, started_at, finished_at FROM lead_system.scoring_runs;

--
-- 21. 002, system_config: "Update lead score algorithm weights", a monthly task
--
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 0.50, "engagement": 0.20, "intent": 0.20, "demographic": 0.10}');
SELECT key, value FROM lead_system.system_config ORDER BY key;
CALL lead_system.recalculate_lead_scores();
SELECT first_name, lead_score, score_breakdown FROM lead_system.leads WHERE id = :'ida';

--
-- 22. 002, Best Practices: Lead Creation, 1 to 5
--
SELECT lead_system.is_on_dnc_list('+12025550123', :'crm') AS check_before;
SELECT lead_system.upsert_lead('{"first_name": "Lou", "phone_number": "(202) 555-0125", "source": "referral",
    "source_metadata": {"utm_source": "newsletter", "campaign": "spring"}}') AS lou \gset
SELECT phone_number, source, source_metadata, lead_score, status FROM lead_system.leads WHERE id = :'lou';
-- Listed already: stored, and blocked from the first moment
SELECT lead_system.upsert_lead('{"first_name": "Mia", "phone_number": "+12025550126"}') AS mia FROM lead_system.add_to_dnc_list('+12025550126', 'manual', 'manual_entry') \gset
SELECT status, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = :'mia';

--
-- 23. 002, Slow segment queries: add missing indexes
--
SET ROLE NONE;
BEGIN;
CREATE INDEX idx_custom ON lead_system.leads (organization_id, city) WHERE deleted_at IS NULL;
SELECT first_name FROM lead_system.leads WHERE organization_id = :'crm' AND city = 'Springfield' AND deleted_at IS NULL;
ROLLBACK;

--
-- 24. 002, Verify Migration
--
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'lead_system'
AND (table_name IN ('leads', 'lead_audit_log', 'lead_status_history', 'lead_score_history', 'dnc_list', 'system_config')) ORDER BY table_name;
SELECT count(*) > 0 AS tags_indexed FROM pg_indexes WHERE schemaname = 'lead_system' AND tablename = 'leads' AND indexdef LIKE '%USING gin%tags%';
SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'lead_system' AND tablename IN ('leads', 'dnc_list', 'lead_audit_log') ORDER BY tablename, policyname;
-- "Check for orphaned records", a weekly task
SELECT count(*) AS orphans FROM lead_system.lead_status_history h
 WHERE h.organization_id = :'crm' AND NOT EXISTS (SELECT 1 FROM lead_system.leads l WHERE l.organization_id = h.organization_id AND l.id = h.lead_id);

DROP TABLE old_leads_table;
RESET app.current_tenant_id;
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id::text LIKE '64000000-%';
SELECT lead_system.revoke_access('regress_ls_queries');
DROP ROLE regress_ls_queries;
RESET lead_system.now;
