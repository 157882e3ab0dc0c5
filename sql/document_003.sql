-- document_003: the examples of design document 003 (calls, advertising and money of a field service), with our names.
-- Each section names the section of the document that it is from; an organization is its "user".
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-10 15:00:00+00';
\set plumbing '64000000-0000-4000-8000-000000000003'
\set john '64000000-0000-4000-8000-000000000031'
CREATE ROLE regress_ls_queries;
SELECT lead_system.grant_access('regress_ls_queries', 'admin');

--
-- 1. Seed data: the example user is an organization and a user of it
--
INSERT INTO lead_system.organizations (id, name, default_pipeline, timezone) VALUES (:'plumbing', 'John''s Plumbing', 'field_service', 'America/Chicago');
SET app.current_org_id = :'plumbing';
SET ROLE regress_ls_queries;
INSERT INTO lead_system.users (organization_id, id, full_name, email, phone_number, role) VALUES
    (:'plumbing', :'john', 'John Example', 'john@plumbing.example.com', '+15125550134', 'manager');
SELECT o.name AS business_name, o.status, o.timezone, u.full_name AS owner_name, u.phone_number AS primary_phone
  FROM lead_system.organizations o JOIN lead_system.users u ON u.organization_id = o.id;

--
-- 2. Leads: sources, stages with their times, amounts
--
SELECT lead_system.upsert_lead('{"customer_name": "Pat Example", "customer_phone": "(512) 555-0101", "source": "google_ads", "service_type": "Emergency Plumbing", "urgency": "high"}') AS pat \gset
SELECT lead_system.upsert_lead('{"name": "Kim Example", "phone": "(512) 555-0102", "source": "referral"}') AS kim \gset
SELECT lead_system.change_lead_status(:'pat', 'contacted');
SELECT lead_system.change_lead_status(:'pat', 'quoted');
UPDATE lead_system.leads SET quoted_amount = 450 WHERE id = :'pat';
SELECT status, pipeline_stage, quoted_amount, contacted_at IS NOT NULL AS contacted, quoted_at IS NOT NULL AS quoted, booked_at FROM lead_system.leads WHERE id = :'pat';

--
-- 3. Call logs and SMS logs: direction, status, provider, reply tracking
--
SELECT lead_system.record_call('{"direction": "inbound", "caller_phone": "(512) 555-0103", "called_phone": "+15125550134", "status": "no_answer", "provider": "ghl", "provider_call_id": "ghl-1"}') IS NOT NULL AS recorded;
SELECT lead_system.record_call('{"direction": "outbound", "called_phone": "+15125550101", "status": "answered", "duration": 60, "provider_call_id": "ghl-2", "recording_url": "https://example.com/2", "recording_duration": 58}') IS NOT NULL AS recorded;
SELECT c.direction, c.caller_phone, c.called_phone, c.status, c.duration, c.recording_duration, c.provider, c.provider_call_id, l.source
  FROM lead_system.call_logs c JOIN lead_system.leads l ON l.id = c.lead_id ORDER BY c.id;
SELECT lead_system.record_sms('{"direction": "outbound", "to_phone": "+15125550101", "message_text": "Shall we come on Monday?", "provider": "twilio", "provider_message_id": "tw-1"}') AS asked \gset
SELECT lead_system.record_sms('{"direction": "inbound", "from_phone": "+15125550101", "message_text": "Monday is fine", "provider_message_id": "tw-2"}') IS NOT NULL AS recorded;
SELECT direction, message_text, status, provider, replied_at, reply_to_sms_id = :'asked' AS answers FROM lead_system.sms_logs ORDER BY id;

--
-- 4. Campaigns (of an advertising platform) and keywords, with cached performance
--
INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, campaign_type, daily_budget, monthly_budget) VALUES
    (:'plumbing', 'ads-1', 'Emergency', 'search', 50, 1500), (:'plumbing', 'ads-2', 'Brand', 'display', 20, NULL);
UPDATE lead_system.ad_campaigns SET status = 'paused' WHERE external_id = 'ads-2';
INSERT INTO lead_system.keywords (organization_id, campaign_id, keyword_text, match_type, max_cpc, quality_score)
SELECT organization_id, id, 'plumber near me', 'exact', 4.50, 8 FROM lead_system.ad_campaigns WHERE external_id = 'ads-1';
SELECT lead_system.record_ad_days('[{"campaign": "ads-1", "day": "2026-03-09", "spend": 48.60, "clicks": 20, "impressions": 400, "conversions": 3},
    {"campaign": "ads-1", "keyword": "plumber near me", "match_type": "exact", "day": "2026-03-09", "spend": 30, "clicks": 12, "impressions": 210, "conversions": 2}]');
SELECT campaign_name, daily_budget, total_spend, total_clicks, total_conversions, cpl, conversion_rate FROM lead_system.campaign_performance;
SELECT keyword_text, max_cpc, quality_score, total_spend, total_clicks, total_conversions FROM lead_system.keywords;

--
-- 5. Financials: generated columns, 0 where there is nothing to divide by, one row a day
--
INSERT INTO lead_system.financials (organization_id, date, ad_spend, platform_fee, leads_generated, leads_booked, revenue) VALUES
    (:'plumbing', '2026-02-27', 900, 0, 1, 0, 0), (:'plumbing', '2026-03-08', 100, 10, 1, 1, 450), (:'plumbing', '2026-03-09', 50, 10, 4, 1, 300), (:'plumbing', '2026-03-10', 0, 10, 0, 0, 0);
SELECT date, cpl, conversion_rate, roi FROM lead_system.financials ORDER BY date;
INSERT INTO lead_system.financials (organization_id, date, ad_spend) VALUES (:'plumbing', '2026-03-10', 1);
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.financials SET cpl = 1;
\echo :LAST_ERROR_SQLSTATE

--
-- 6. Subscriptions; "Calculate Monthly MRR"
--
INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end, status) VALUES
    (:'plumbing', 'sub_1', 'price_1', 'Pro', 199, '2026-03-01', '2026-04-01', 'active'), (:'plumbing', 'sub_0', 'price_0', 'Basic', 99, '2026-02-01', '2026-03-01', 'cancelled');
SELECT SUM(amount) AS mrr, COUNT(*) AS active_subscriptions FROM lead_system.subscriptions WHERE status = 'active';
SELECT * FROM lead_system.subscription_mrr();

--
-- 7. "Get User Dashboard": a second campaign or a second day multiplies nothing; averages are ratios of sums
--
UPDATE lead_system.ad_campaigns SET status = 'active' WHERE external_id = 'ads-2';
SELECT business_name, plan_name, monthly_fee, subscription_status, monthly_ad_spend, monthly_leads, monthly_bookings, monthly_revenue, avg_cpl, avg_conversion_rate, avg_roi, active_campaigns
  FROM lead_system.user_dashboard WHERE organization_id = :'plumbing';

--
-- 8. "Get Lead Pipeline"
--
SELECT status, count, total_quoted, total_actual, avg_days_to_close FROM lead_system.lead_pipeline WHERE organization_id = :'plumbing' ORDER BY status;

--
-- 9. AI agent logs; "Get Recent AI Actions"
--
SELECT lead_system.log_agent_action('retention', 'send_review_request') IS NOT NULL AS logged;
SELECT lead_system.propose_action('optimizing', 'change_budget', id, 54) IS NOT NULL AS proposed FROM lead_system.ad_campaigns WHERE external_id = 'ads-1';
SELECT agent_name, action_type, result, estimated_impact FROM lead_system.ai_agent_logs ORDER BY created_at DESC, id DESC LIMIT 10;

--
-- 10. Workflows: configuration and counters
--
INSERT INTO lead_system.workflows (organization_id, workflow_name, workflow_type, ghl_workflow_id, config) VALUES
    (:'plumbing', 'Missed call', 'missed_call', 'wf-1', '{"steps": [{"action": "sms", "template": "sorry"}]}') RETURNING id AS workflow \gset
SELECT lead_system.record_workflow_run(:'workflow', 'ghl-1', 'completed') IS NOT NULL AS reported;
SELECT workflow_name, workflow_type, status, total_triggered, total_completed FROM lead_system.workflows;

--
-- 11. Functions: updated_at follows every UPDATE
--
SET ROLE NONE;
SET lead_system.now = '2026-03-11 15:00:00+00';
SET ROLE regress_ls_queries;
UPDATE lead_system.keywords SET max_cpc = 5;
UPDATE lead_system.subscriptions SET status = 'past_due' WHERE status = 'active';
SELECT k.updated_at AS keyword, s.updated_at AS subscription FROM lead_system.keywords k, lead_system.subscriptions s WHERE s.status = 'past_due';
SET ROLE NONE;

RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id::text LIKE '64000000-%';
SELECT lead_system.revoke_access('regress_ls_queries');
DROP ROLE regress_ls_queries;
RESET lead_system.now;
