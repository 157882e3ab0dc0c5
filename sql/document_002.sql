-- document_002: the examples of design document 002 (the CRM), with our names.
-- Each section names the section of the document that it is from.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
\set crm '64000000-0000-4000-8000-000000000002'
\set team '64000000-0000-4000-8000-0000000000f0'
INSERT INTO lead_system.organizations (id, tenant_id, name, default_pipeline) VALUES (:'crm', :'team', 'Recruiting', 'recruiting');
CREATE ROLE regress_ls_queries;
SELECT lead_system.grant_access('regress_ls_queries', 'admin');
SET app.current_org_id = :'crm';
SET ROLE regress_ls_queries;

--
-- 1. Row-Level Security: set the tenant before queries
--
SET ROLE regress_ls_queries;
SET app.current_tenant_id = :'team';
SET app.current_org_id = :'crm';
SELECT count(*) AS leads_of_others FROM lead_system.leads;

--
-- 2. Data Migration (Existing Leads). What cannot be a lead is left out by the query, as there.
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
-- 3. Query Patterns
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
-- 4. is_on_dnc_list: Usage, before initiating a call
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
-- 5. dnc_list: expiration for 30-day grace periods; what AI found
--
SELECT lead_system.add_to_dnc_list('+12025550124', 'complaint', 'manual_entry', lead_system.clock_now() + interval '30 days') IS NOT NULL AS listed;
SELECT lead_system.is_on_dnc_list('+12025550124', :'crm') AS now;
-- "Review DNC additions (AI-detected)", a daily task
SELECT phone_number, reason, opt_out_phrase, created_at FROM lead_system.dnc_list WHERE source = 'call_transcript' AND created_at > lead_system.clock_now() - interval '1 day';
SELECT opt_out, kind, phrase FROM lead_system.detect_opt_out('Please take me off your list', 'call');

--
-- 6. calculate_lead_score(lead_id): the four parts, and their history
--
SELECT lead_system.record_intent_signal(:'ida', 'explicit_interest', '64000000-0000-4000-8000-00000000ca01') IS NOT NULL AS heard;
UPDATE lead_system.leads SET call_count = 1, last_contact_at = lead_system.clock_now() WHERE id = :'ida';
SELECT lead_system.calculate_lead_score(:'ida');
SELECT component, rule, points FROM lead_system.explain_lead_score(:'ida');
-- "Track lead score changes over time for trend analysis"
SELECT old_score, new_score, breakdown FROM lead_system.lead_score_history WHERE lead_id = :'ida' ORDER BY id;
SELECT created_at::date AS day, count(*) AS changes, avg(new_score - old_score)::numeric(5,1) AS trend FROM lead_system.lead_score_history GROUP BY 1 ORDER BY 1;

--
-- 7. Status Transitions: logged, with trigger type and id; the score is calculated again
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
-- 8. lead_status_history: Use Cases
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
-- 9. lead_audit_log: every field, who, from where and why
--
SET app.client_ip = '192.0.2.7';
UPDATE lead_system.leads SET title = 'Driver', city = 'Springfield' WHERE id = :'ida';
SELECT field_name, old_value, new_value, ip_address FROM lead_system.lead_audit_log WHERE lead_id = :'ida' AND field_name <> 'status' AND created_at > '2026-03-05' ORDER BY field_name COLLATE "C";
RESET app.client_ip;

--
-- 10. Duplicate phone number error
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
-- 11. Lead score not updating: manually recalculate. Only what is stale changes.
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
-- 12. system_config: "Update lead score algorithm weights", a monthly task
--
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 0.50, "engagement": 0.20, "intent": 0.20, "demographic": 0.10}');
SELECT key, value FROM lead_system.system_config ORDER BY key;
CALL lead_system.recalculate_lead_scores();
SELECT first_name, lead_score, score_breakdown FROM lead_system.leads WHERE id = :'ida';

--
-- 13. Best Practices: Lead Creation, 1 to 5
--
SELECT lead_system.is_on_dnc_list('+12025550123', :'crm') AS check_before;
SELECT lead_system.upsert_lead('{"first_name": "Lou", "phone_number": "(202) 555-0125", "source": "referral",
    "source_metadata": {"utm_source": "newsletter", "campaign": "spring"}}') AS lou \gset
SELECT phone_number, source, source_metadata, lead_score, status FROM lead_system.leads WHERE id = :'lou';
-- Listed already: stored, and blocked from the first moment
SELECT lead_system.upsert_lead('{"first_name": "Mia", "phone_number": "+12025550126"}') AS mia FROM lead_system.add_to_dnc_list('+12025550126', 'manual', 'manual_entry') \gset
SELECT status, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = :'mia';

--
-- 14. Slow segment queries: add missing indexes
--
SET ROLE NONE;
BEGIN;
CREATE INDEX idx_custom ON lead_system.leads (organization_id, city) WHERE deleted_at IS NULL;
SELECT first_name FROM lead_system.leads WHERE organization_id = :'crm' AND city = 'Springfield' AND deleted_at IS NULL;
ROLLBACK;

--
-- 15. Verify Migration
--
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'lead_system'
AND (table_name IN ('leads', 'lead_audit_log', 'lead_status_history', 'lead_score_history', 'dnc_list', 'system_config', 'segments', 'lead_assignments',
    'nurture_sequences', 'lead_sequence_enrollments')) ORDER BY table_name;
SELECT count(*) > 0 AS tags_indexed FROM pg_indexes WHERE schemaname = 'lead_system' AND tablename = 'leads' AND indexdef LIKE '%USING gin%tags%';
SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'lead_system' AND tablename IN ('leads', 'dnc_list', 'lead_audit_log', 'segments', 'lead_assignments', 'nurture_sequences') ORDER BY tablename, policyname;
-- "Check for orphaned records", a weekly task
SELECT count(*) AS orphans FROM lead_system.lead_status_history h
 WHERE h.organization_id = :'crm' AND NOT EXISTS (SELECT 1 FROM lead_system.leads l WHERE l.organization_id = h.organization_id AND l.id = h.lead_id);

--
-- 16. segments: Filter Example, shared or private, lead_count, evaluated when asked
--
SET ROLE NONE;
SET lead_system.now = '2026-06-20 14:00:00+00';
SET ROLE regress_ls_queries;
RESET app.current_tenant_id;
SET app.current_org_id = :'crm';
SELECT lead_system.explain_filter('{
  "status": ["new", "contacted"],
  "lead_score": {"gte": 70},
  "tags": {"contains_any": ["facebook", "hot"]},
  "last_contact": {"lte": "2024-01-01"}
}');
INSERT INTO lead_system.segments (organization_id, name, filter, is_public) VALUES
    (:'crm', 'From facebook', '{"status": ["new", "contacted", "recruited"], "tags": {"contains_any": ["facebook", "hot"]}, "source": "facebook_ads"}', true) RETURNING id AS segment \gset
SELECT l.first_name FROM lead_system.segment_leads(:'segment') s JOIN lead_system.leads l ON l.id = s.lead_id ORDER BY 1;
UPDATE lead_system.leads SET tags = '{}' WHERE id = :'john';
SELECT l.first_name FROM lead_system.segment_leads(:'segment') s JOIN lead_system.leads l ON l.id = s.lead_id ORDER BY 1;
SELECT lead_count FROM lead_system.segments WHERE id = :'segment';
SELECT lead_system.refresh_segment_count(:'segment');
SELECT name, is_public, lead_count, last_calculated_at FROM lead_system.segments;
-- "Public/private segment sharing": what one keeps for oneself, another rep does not see
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, max_active_leads) VALUES
    (:'crm', '64000000-0000-4000-8000-000000000021', 'Nora Example', 'nora@crm.example.com', 'rep', 4),
    (:'crm', '64000000-0000-4000-8000-000000000022', 'Otto Example', 'otto@crm.example.com', 'rep', 2);
SET app.current_user_id = '64000000-0000-4000-8000-000000000021';
INSERT INTO lead_system.segments (organization_id, name, filter) VALUES (:'crm', 'Mine alone', '{"state": "IL"}');
SELECT name FROM lead_system.segments ORDER BY name;
SET app.current_user_id = '64000000-0000-4000-8000-000000000022';
SELECT name FROM lead_system.segments ORDER BY name;
RESET app.current_user_id;

--
-- 17. Slow segment queries: Refresh segment lead count; "Verify segment lead counts", a daily task
--
UPDATE lead_system.leads SET tags = '{hot}' WHERE id = :'john';
SELECT name, lead_count, lead_system.count_leads(filter) AS really FROM lead_system.segments ORDER BY name;
-- The extension's owner may write the count; everybody else calls refresh_segment_count().
UPDATE lead_system.segments SET lead_count = 5;
\echo :LAST_ERROR_SQLSTATE
SET ROLE NONE;
UPDATE lead_system.segments
SET lead_count = (
    SELECT COUNT(*) FROM lead_system.leads
    WHERE organization_id = :'crm' AND lead_system.filter_matches(filter, leads.*)
) WHERE organization_id = :'crm' AND is_public RETURNING name, lead_count;
SET ROLE regress_ls_queries;
SELECT name, lead_count = lead_system.count_leads(filter) AS verified FROM lead_system.segments WHERE is_public;

--
-- 18. lead_assignments: Distribution Strategies, ownership changes, metadata
--
INSERT INTO lead_system.territories (organization_id, kind, code, user_id) VALUES (:'crm', 'state', 'IL', '64000000-0000-4000-8000-000000000022');
UPDATE lead_system.users SET skills = '{solar}' WHERE full_name = 'Nora Example';
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, state, service_type)
SELECT :'crm', name, phone, state, skill FROM (VALUES ('Manual', '+12025550131', NULL, NULL), ('Robin', '+12025550132', NULL, NULL), ('Room', '+12025550133', NULL, NULL),
    ('Place', '+12025550134', 'IL', NULL), ('Skill', '+12025550135', NULL, 'solar')) v(name, phone, state, skill);
SELECT lead_system.assign_lead(id, 'manual', '64000000-0000-4000-8000-000000000022') IS NOT NULL AS assigned FROM lead_system.leads WHERE first_name = 'Manual';
SELECT lead_system.assign_lead(id, 'round_robin') IS NOT NULL AS assigned FROM lead_system.leads WHERE first_name = 'Robin';
SELECT lead_system.assign_lead(id) IS NOT NULL AS assigned FROM lead_system.leads WHERE first_name = 'Room';
SELECT lead_system.assign_lead(id, 'geographic') IS NOT NULL AS assigned FROM lead_system.leads WHERE first_name = 'Place';
SELECT lead_system.assign_lead(id, 'skill_based') IS NOT NULL AS assigned FROM lead_system.leads WHERE first_name = 'Skill';
-- From one to another, when the one is away
SELECT lead_system.assign_lead_to(id, '64000000-0000-4000-8000-000000000021', 'Otto is on holiday') IS NOT NULL AS assigned FROM lead_system.leads WHERE first_name = 'Manual';
SELECT l.first_name, f.full_name AS from_user, t.full_name AS to_user, a.strategy, a.reason, a.metadata
  FROM lead_system.lead_assignments a JOIN lead_system.leads l ON l.organization_id = a.organization_id AND l.id = a.lead_id
  LEFT JOIN lead_system.users f ON f.id = a.from_user_id LEFT JOIN lead_system.users t ON t.id = a.to_user_id ORDER BY a.id;

--
-- 19. nurture_sequences: Step Format, trigger conditions, one enrolment only
--
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps, trigger_conditions) VALUES (:'crm', 'welcome', '[{
  "step": 1,
  "delay_days": 0,
  "channel": "sms",
  "template_id": "welcome_sms",
  "conditions": {}
}, {"step": 2, "delay_days": 2, "channel": "email", "template_id": "story"}]', '{"tag": "welcome"}') RETURNING id AS sequence \gset
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, email, tags)
SELECT :'crm', name, phone, lower(name) || '@nurture.example.com', '{welcome}'
  FROM (VALUES ('Paused', '+12025550151'), ('Stopped', '+12025550152'), ('Broken', '+12025550153')) v(name, phone);
SELECT count(*) AS enrolled FROM lead_system.lead_sequence_enrollments;
SELECT count(DISTINCT lead_system.enroll_lead(:'sequence', id)) AS no_more FROM lead_system.leads WHERE tags && '{welcome}';
SELECT count(*) AS enrolled FROM lead_system.lead_sequence_enrollments;
-- The unique index is behind it, whoever writes the table
SET ROLE NONE;
\set VERBOSITY terse
INSERT INTO lead_system.lead_sequence_enrollments (organization_id, sequence_id, lead_id, next_step_scheduled_at)
SELECT organization_id, sequence_id, lead_id, lead_system.clock_now() FROM lead_system.lead_sequence_enrollments WHERE organization_id = :'crm' LIMIT 1;
\set VERBOSITY default
SET ROLE regress_ls_queries;

--
-- 20. lead_sequence_enrollments: Status Flow; Best Practices: Nurture Sequences
--
-- "Check DNC before sending": the list cancels what is planned, and every claim looks at it again
SELECT lead_system.add_to_dnc_list('+12025550152', 'lead_requested', 'sms_reply') IS NOT NULL AS listed;
CREATE TEMP TABLE claimed AS SELECT c.*, l.first_name FROM lead_system.claim_due_steps() c JOIN lead_system.leads l ON l.id = c.lead_id;
SELECT first_name, step, channel, template_id FROM claimed ORDER BY first_name;
SELECT lead_system.complete_step(enrollment_id, step) FROM claimed WHERE first_name = 'Paused';
SELECT lead_system.fail_step(enrollment_id, step, 'not delivered') FROM claimed WHERE first_name = 'Broken';
-- "Pause on reply", and go on
SELECT lead_system.record_reply(lead_id, 'sms') AS paused FROM claimed WHERE first_name = 'Paused';
SELECT l.first_name, e.status, e.current_step, e.next_step_scheduled_at, coalesce(e.pause_reason, e.cancel_reason, e.last_error) AS reason
  FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id ORDER BY 1;
SELECT lead_system.resume_enrollment(enrollment_id) FROM claimed WHERE first_name = 'Paused';
-- "Check for stuck nurture sequences", a daily task: due for long, or without a report
SET ROLE NONE;
SET lead_system.now = '2026-06-23 14:00:00+00';
SET ROLE regress_ls_queries;
SELECT l.first_name, e.current_step, e.step_state, lead_system.clock_now() - e.next_step_scheduled_at AS late FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id
 WHERE e.status = 'active' AND (e.step_state = 'uncertain' OR e.next_step_scheduled_at < lead_system.clock_now() - interval '1 hour') ORDER BY 1;
-- Delivery fails to the end; the other sequence is completed
CREATE TEMP VIEW run_steps AS
SELECT l.first_name, c.step, (CASE l.first_name WHEN 'Broken' THEN lead_system.fail_step(c.enrollment_id, c.step, 'not delivered')
           ELSE lead_system.complete_step(c.enrollment_id, c.step) END)::text AS reported
  FROM lead_system.claim_due_steps() c JOIN lead_system.leads l ON l.id = c.lead_id ORDER BY 1;
SELECT * FROM run_steps;
SET ROLE NONE; SET lead_system.now = '2026-06-23 15:30:00+00'; SET ROLE regress_ls_queries;
SELECT * FROM run_steps;
SET ROLE NONE; SET lead_system.now = '2026-06-23 17:00:00+00'; SET ROLE regress_ls_queries;
SELECT * FROM run_steps;
SELECT l.first_name, e.status, e.cancel_reason, e.last_error, jsonb_array_length(e.executed_steps) AS steps
  FROM lead_system.lead_sequence_enrollments e JOIN lead_system.leads l ON l.id = e.lead_id ORDER BY 1;
SELECT name, total_enrollments, active_enrollments, completed_enrollments, completion_rate FROM lead_system.nurture_sequences;
DROP VIEW run_steps;
DROP TABLE claimed;

--
-- 21. Find duplicates, Soft delete duplicates (keep oldest): the oldest stays, and has what the others had
--
INSERT INTO lead_system.leads (organization_id, first_name, last_name, company_name, email, tags, created_at) VALUES
    (:'crm', 'Zoe', 'Sample', 'Sample Works', 'zoe@sample.example.com', '{first}', '2026-06-20'), (:'crm', 'Zoe', 'Sample', 'Sample Works', 'zoe@sample.example.com', '{second}', '2026-06-22');
SELECT l.first_name, l.tags, o.tags AS duplicate_of, d.matched_on FROM lead_system.find_duplicate_leads() d JOIN lead_system.leads l ON l.id = d.lead_id JOIN lead_system.leads o ON o.id = d.duplicate_of;
SELECT lead_system.merge_leads(duplicate_of, array_agg(lead_id)) AS merge FROM lead_system.find_duplicate_leads() GROUP BY duplicate_of \gset
SELECT tags, deleted_at IS NOT NULL AS deleted FROM lead_system.leads WHERE first_name = 'Zoe' ORDER BY created_at;
SELECT count(*) AS duplicates FROM lead_system.find_duplicate_leads();
SELECT lead_system.unmerge_leads(:'merge');
SELECT tags, deleted_at IS NOT NULL AS deleted FROM lead_system.leads WHERE first_name = 'Zoe' ORDER BY created_at;

--
-- 22. Integration: "Lead UUID synced", transcripts and their signals: what AI assessed comes in by two functions
--
SELECT lead_system.record_qualification(:'kim', '{"interest": 20, "authority": 15, "budget": 20, "need": 10, "timing": 10}') IS NOT NULL AS assessed;
SELECT lead_system.record_intent_signal(:'kim', 'hard_objection', '64000000-0000-4000-8000-00000000ca03') IS NOT NULL AS heard;
SELECT component, rule, points FROM lead_system.explain_lead_score(:'kim');

--
-- 23. lead_source_costs: by month, source and part of it; "Review lead source ROI", a weekly task
--
INSERT INTO lead_system.lead_source_costs (organization_id, source, sub_source, period_month, total_cost) VALUES
    (:'crm', 'facebook_ads', NULL, '2026-01-01', 90), (:'crm', 'facebook_ads', 'spring', '2026-01-01', 10);
UPDATE lead_system.leads SET actual_amount = 400 WHERE id = :'ida';
SELECT currency, count(*) FROM lead_system.lead_source_costs GROUP BY currency;
INSERT INTO lead_system.lead_source_costs (organization_id, source, period_month, total_cost) VALUES (:'crm', 'facebook_ads', '2026-01-01', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT source, sub_source, leads, won, cost, revenue, cpl, cpr, roi FROM lead_system.source_performance('2026-01-01', '2026-01-31');
-- "Analyze funnel conversion rates", a weekly task
SELECT stage, reached, rate, step_rate FROM lead_system.lead_funnel('2026-01-01', '2026-02-28') WHERE reached > 0;

--
-- 24. budget_transactions: balance before and after, types, Transaction Flow; Best Practices: Budget Tracking
--
SELECT lead_system.open_account() AS account \gset
SELECT lead_system.post_transaction(:'account', 'credit', 100.00, 'top-up') IS NOT NULL AS credited;
SELECT lead_system.post_transaction(:'account', 'debit', -0.75, 'call', '{"idempotency_key": "telnyx-1"}') AS debit \gset
-- "Failed call -> refund transaction issued": of the debit, once
SELECT lead_system.post_transaction(:'account', 'refund', 0.75, 'failed call', jsonb_build_object('refund_of', :'debit')) IS NOT NULL AS refunded;
\set VERBOSITY terse
SELECT lead_system.post_transaction(:'account', 'refund', 0.75, 'again', jsonb_build_object('refund_of', :'debit')) IS NOT NULL AS refunded;
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.post_transaction(:'account', 'adjustment', -1.25, 'fee of the provider') IS NOT NULL AS adjusted;
-- "Verify balance before allowing calls"
SELECT lead_system.post_transaction(:'account', 'debit', -98.76, 'too many calls');
\echo :LAST_ERROR_SQLSTATE
-- "Never delete budget_transactions (append-only)": nobody may, and the owner is refused, too
DELETE FROM lead_system.budget_transactions;
\echo :LAST_ERROR_SQLSTATE
SET ROLE NONE;
DELETE FROM lead_system.budget_transactions;
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_ls_queries;
\set VERBOSITY default
SELECT sequence, transaction_type, amount, balance_before, balance_after, description FROM lead_system.budget_transactions ORDER BY sequence;
-- "Reconcile budget transactions with billing", a monthly task
SELECT transaction_type, count(*), sum(amount) FROM lead_system.budget_transactions GROUP BY transaction_type ORDER BY transaction_type;
SELECT a.balance, (SELECT sum(t.amount) FROM lead_system.budget_transactions t WHERE t.account_id = a.id) AS sum, v.* FROM lead_system.budget_accounts a, lead_system.verify_ledger(a.id) v;
SET ROLE NONE;

DROP TABLE old_leads_table;
RESET app.current_tenant_id;
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id::text LIKE '64000000-%';
SELECT lead_system.revoke_access('regress_ls_queries');
DROP ROLE regress_ls_queries;
RESET lead_system.now;
