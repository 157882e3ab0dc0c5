-- scoring_upgrade: what scoring changes by itself starts sequences and tells of hot leads, once (A17); nothing is learnt in the future.
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
SELECT lead_system.create_organization('Upgrades', 'b2b') AS org \gset
SET app.current_org_id = :'org';
\set ada 'd6000000-0000-4000-8000-000000000101'
INSERT INTO lead_system.users (organization_id, full_name, email, role) VALUES
    (:'org', 'Rita', 'rita@example.com', 'rep'), (:'org', 'Max', 'max@example.com', 'manager');
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps, trigger_conditions) VALUES
    (:'org', 'cold', '[{"step": 1, "channel": "task", "delay_days": 3}]', '{"temperature": "cold"}'),
    (:'org', 'warm', '[{"step": 1, "channel": "task"}]', '{"score": {"min": 50, "max": 79}, "again": true}'),
    (:'org', 'hot', '[{"step": 1, "channel": "task"}]', '{"temperature": ["hot"], "filter": {"lead_score": {"gte": 80}}}');
CREATE VIEW pg_temp.seen AS
SELECT l.lead_score AS score, l.temperature, u.full_name AS "user",
       (SELECT string_agg(s.name || ' ' || e.status, ', ' ORDER BY e.enrolled_at, s.name) FROM lead_system.lead_sequence_enrollments e JOIN lead_system.nurture_sequences s ON s.id = e.sequence_id WHERE e.lead_id = l.id) AS sequences,
       (SELECT string_agg(n.recipient, ', ' ORDER BY n.recipient) FROM lead_system.notifications n WHERE n.lead_id = l.id) AS told,
       (SELECT count(*) FROM lead_system.activities a WHERE a.lead_id = l.id AND a.action_type = 'lead_upgraded') AS upgrades
  FROM lead_system.leads l LEFT JOIN lead_system.users u ON u.id = l.assigned_to;

-- Decay alone: a warm lead cools by recalculation.
INSERT INTO lead_system.leads (organization_id, id, company_name, email, company_size, industry, inquiry_type, budget_timeline) VALUES
    (:'org', :'ada', 'Ada Works', 'ada@example.com', '51-200', 'Other', 'General Question', '3-6 months');
TABLE pg_temp.seen;
SET lead_system.now = '2026-03-17 15:00:00+00';
CALL lead_system.recalculate_lead_scores();
TABLE pg_temp.seen;
-- What it does then brings it up; the sequence of warm leads again, since it may.
SELECT lead_system.set_config('assignment.auto', 'true'), lead_system.set_config('assignment.strategy', '"capacity"');
UPDATE lead_system.nurture_sequences SET is_active = false WHERE name = 'cold';
UPDATE lead_system.lead_sequence_enrollments SET status = 'completed', next_step_scheduled_at = NULL, ended_at = lead_system.clock_now() WHERE status = 'active';
UPDATE lead_system.leads SET email_reply_count = 1, pricing_page_visits = 3 WHERE id = :'ada';
TABLE pg_temp.seen;
-- Hot: whoever has it is told, once, however often it is scored.
UPDATE lead_system.leads SET demo_video_watched = true, inquiry_type = 'Demo Request', budget_timeline = 'Immediate' WHERE id = :'ada';
TABLE pg_temp.seen;
UPDATE lead_system.leads SET scored_at = NULL WHERE id = :'ada';
SET lead_system.now = '2026-03-17 15:30:00+00';
CALL lead_system.recalculate_lead_scores();
TABLE pg_temp.seen;

-- A new hot lead that is assigned at once: whoever gets it is told, and no manager.
SELECT lead_system.upsert_lead('{"company_name": "Bob Works", "email": "bob@example.org", "company_size": "1000+", "industry": "Software/SaaS", "inquiry_type": "Demo Request", "budget_timeline": "Immediate"}') AS bob \gset
SELECT * FROM pg_temp.seen WHERE told IS NOT NULL ORDER BY upgrades;

-- By assessments and signals, which are no columns of the lead.
SELECT lead_system.create_organization('Signals') AS signals \gset
SET app.current_org_id = :'signals';
\set eve 'd6000000-0000-4000-8000-000000000102'
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps, trigger_conditions) VALUES
    (:'signals', 'worth it', '[{"step": 1, "channel": "task"}]', '{"score": {"min": 50}}');
INSERT INTO lead_system.leads (organization_id, id, first_name, source) VALUES (:'signals', :'eve', 'Eve', 'referral');
SELECT lead_system.record_qualification(:'eve', '{"interest": 25, "authority": 20, "budget": 25}') IS NOT NULL AS recorded;
SELECT score, sequences, upgrades FROM pg_temp.seen WHERE score = 50;
SELECT count(lead_system.record_intent_signal(:'eve', kind, 'd6000000-0000-4000-8000-0000000ca110')) FROM unnest('{explicit_interest,callback}'::text[]) kind;
SELECT lead_score AS score, (SELECT count(*) FROM lead_system.lead_sequence_enrollments e WHERE e.lead_id = l.id) AS enrolled FROM lead_system.leads l WHERE id = :'eve';

-- The latest counts, so nothing is learnt in the future; a clock may be a little fast.
CREATE ROLE regress_ls_upgrade;
SELECT lead_system.grant_access('regress_ls_upgrade', 'agent');
SET ROLE regress_ls_upgrade;
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest, created_at) VALUES (:'signals', :'eve', 1, '2026-03-17 15:31:01+00');
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind, created_at) VALUES (:'signals', :'eve', :'eve', 'hard_objection', 'infinity');
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest, created_at) VALUES (:'signals', :'eve', 1, '2026-03-17 15:30:59+00') RETURNING created_at;
UPDATE lead_system.lead_qualifications SET created_at = '2099-01-01' WHERE lead_id = :'eve';
RESET ROLE;
-- Of a call that says that it begins later, the signal is of now.
INSERT INTO lead_system.call_logs (organization_id, id, lead_id, direction, status, created_at) VALUES (:'signals', 'd6000000-0000-4000-8000-0000000ca111', :'eve', 'outbound', 'answered', '2099-01-01');
SELECT lead_system.record_intent_signal(:'eve', 'question', 'd6000000-0000-4000-8000-0000000ca111') IS NOT NULL AS recorded;
SELECT kind, created_at FROM lead_system.lead_intent_signals ORDER BY id;

DELETE FROM lead_system.organizations WHERE id IN (:'org', :'signals');
DROP OWNED BY regress_ls_upgrade;
DROP ROLE regress_ls_upgrade;
