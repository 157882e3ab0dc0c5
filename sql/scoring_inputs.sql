-- scoring_inputs: assessments and signals feed the score; what a new score says in the activities.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET lead_system.now = '2026-03-02 12:00:00+00';
\set org '63000000-0000-4000-8000-000000000001'
\set other '63000000-0000-4000-8000-000000000002'
\set ada '63000000-0000-4000-8000-0000000000a1'
\set bob '63000000-0000-4000-8000-0000000000a2'
\set eve '63000000-0000-4000-8000-0000000000a3'
INSERT INTO lead_system.organizations (id, name) VALUES (:'org', 'Acme'), (:'other', 'Globex');
INSERT INTO lead_system.leads (organization_id, id, first_name, source) VALUES
    (:'org', :'ada', 'Ada', 'purchased_list'), (:'org', :'bob', 'Bob', 'purchased_list'), (:'other', :'eve', 'Eve', 'purchased_list');
CREATE ROLE regress_ls_inputs;
SELECT lead_system.grant_access('regress_ls_inputs', 'agent');
SET app.current_org_id = :'org';
SET ROLE regress_ls_inputs;
CREATE TEMP VIEW now AS
    SELECT first_name, lead_score, temperature, score_breakdown->'qualification' AS qualification, score_breakdown->'intent' AS intent
      FROM lead_system.leads ORDER BY first_name COLLATE "C";
CREATE TEMP VIEW told AS
    SELECT l.first_name, a.action_type, a.old_value, a.new_value
      FROM lead_system.activities a JOIN lead_system.leads l ON l.organization_id = a.organization_id AND l.id = a.lead_id
     WHERE a.action_type IN ('score_updated', 'temperature_changed', 'lead_upgraded') ORDER BY a.id;

--
-- record_qualification(): the lead is scored in the same statement
--
SELECT lead_system.record_qualification(:'ada', '{"interest": 20, "authority": 10}') IS NOT NULL AS recorded;
SELECT * FROM now;
-- What is not asked again stays as it was answered.
SELECT lead_system.record_qualification(lead_id => :'ada', inputs => '{"budget": 25, "authority": 15}') IS NOT NULL AS recorded;
SELECT interest, authority, budget, need, timing, created_at FROM lead_system.lead_qualifications WHERE lead_id = :'ada' ORDER BY id;
SELECT * FROM now;
SELECT old_score, new_score, raw_score, model, breakdown FROM lead_system.lead_score_history WHERE lead_id = :'ada' ORDER BY id;
-- The greatest answers are full marks; 0 is an answer.
SELECT lead_system.record_qualification(:'bob', '{"interest": 25, "authority": 20, "budget": 25, "need": 15, "timing": 15}') IS NOT NULL AS recorded;
SELECT * FROM now;
SELECT lead_system.record_qualification(:'bob', '{"interest": 0, "authority": 0, "budget": 0, "need": 0, "timing": 0}') IS NOT NULL AS recorded;
SELECT * FROM now;
-- What cannot be an assessment
SELECT lead_system.record_qualification(:'ada', '{"interest": 26}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_qualification(:'ada', '{"need": -1}');
SELECT lead_system.record_qualification(:'ada', '{"timing": 7.5}');
SELECT lead_system.record_qualification(:'ada', '{"timing": "soon"}');
SELECT lead_system.record_qualification(:'ada', '{"timing": null}');
SELECT lead_system.record_qualification(:'ada', '{"mood": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_qualification(:'ada', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_qualification(:'ada', '[5]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_qualification(NULL, '{"need": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_qualification(:'ada', NULL);
-- A lead of others is as good as none.
SELECT lead_system.record_qualification(:'eve', '{"need": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_qualification('63000000-0000-4000-8000-0000000000ff', '{"need": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.lead_qualifications;

--
-- record_intent_signal(): the signals of the last three calls count
--
\set call1 '63000000-0000-4000-8000-00000000ca01'
\set call2 '63000000-0000-4000-8000-00000000ca02'
\set call3 '63000000-0000-4000-8000-00000000ca03'
\set call4 '63000000-0000-4000-8000-00000000ca04'
\set call5 '63000000-0000-4000-8000-00000000ca05'
SELECT lead_system.record_intent_signal(:'ada', 'explicit_interest', :'call1') AS signal \gset
SELECT * FROM now;
-- A report that is repeated changes nothing.
SELECT lead_system.record_intent_signal(:'ada', 'explicit_interest', :'call1') = :'signal' AS same;
SELECT count(*) AS signals FROM lead_system.lead_intent_signals;
SELECT count(*) AS scores FROM lead_system.lead_score_history WHERE lead_id = :'ada';
SELECT lead_system.record_intent_signal(:'ada', 'question', :'call1') <> :'signal' AS another;
-- Three calls without anything in them, and the first one no longer counts.
SET ROLE NONE;
SET lead_system.now = '2026-03-02 12:00:01+00';
SELECT lead_system.record_intent_signal(:'ada', 'none', :'call2') IS NOT NULL AS recorded;
SET lead_system.now = '2026-03-02 12:00:02+00';
SELECT lead_system.record_intent_signal(:'ada', 'none', :'call3') IS NOT NULL AS recorded;
SELECT * FROM now WHERE first_name = 'Ada';
SET lead_system.now = '2026-03-02 12:00:03+00';
SELECT lead_system.record_intent_signal(:'ada', 'none', :'call4') IS NOT NULL AS recorded;
SELECT * FROM now WHERE first_name = 'Ada';
-- A call of ours counts by when it began, not by when it was listened to.
INSERT INTO lead_system.call_logs (organization_id, id, lead_id, direction, status, created_at) VALUES
    (:'org', :'call5', :'ada', 'outbound', 'answered', '2026-03-01 10:00+00'),
    (:'org', '63000000-0000-4000-8000-00000000ca06', :'bob', 'outbound', 'answered', '2026-03-01 10:00+00'),
    (:'org', '63000000-0000-4000-8000-00000000ca07', NULL, 'inbound', 'answered', '2026-03-02 12:00:04+00');
SET ROLE regress_ls_inputs;
SELECT lead_system.record_intent_signal(:'ada', 'callback', :'call5') IS NOT NULL AS recorded;
SELECT created_at FROM lead_system.lead_intent_signals WHERE call_id = :'call5';
SELECT * FROM now WHERE first_name = 'Ada';
SELECT lead_system.record_intent_signal(:'ada', 'callback', '63000000-0000-4000-8000-00000000ca07') IS NOT NULL AS recorded;
SELECT * FROM now WHERE first_name = 'Ada';
SELECT lead_system.record_intent_signal(:'ada', 'callback', '63000000-0000-4000-8000-00000000ca06');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_intent_signal(:'ada', 'yawn', :'call1');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_intent_signal(:'ada', 'question', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.record_intent_signal(:'ada', NULL, :'call1');
SELECT lead_system.record_intent_signal(NULL, 'question', :'call1');
SELECT lead_system.record_intent_signal(:'eve', 'question', :'call1');
\echo :LAST_ERROR_SQLSTATE

--
-- A row that moves to another lead counts for both; one that goes, no more
--
SET ROLE NONE;
UPDATE lead_system.lead_intent_signals SET lead_id = :'bob' WHERE organization_id = :'org' AND kind = 'callback';
SELECT first_name, intent FROM now;
UPDATE lead_system.lead_qualifications SET lead_id = :'bob' WHERE organization_id = :'org' AND lead_id = :'ada';
SELECT first_name, qualification FROM now;
DELETE FROM lead_system.lead_qualifications WHERE organization_id = :'org';
SELECT first_name, qualification FROM now;
SELECT count(*) FILTER (WHERE lead_score <> lead_system.calculate_lead_score(id)) AS stale FROM lead_system.leads WHERE organization_id = :'org';

--
-- Any calls and signals: what is read through the index is what SQL says, and
-- so it is without the index.
--
SELECT setseed(0.5) IS NULL AS seeded;
INSERT INTO lead_system.leads (organization_id, id, first_name, source)
SELECT :'org', ('63000000-0000-4000-8000-0000000010' || to_char(n, 'FM00'))::uuid, 'Any ' || n, 'purchased_list' FROM generate_series(0, 99) n;
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind, created_at)
SELECT :'org', ('63000000-0000-4000-8000-0000000010' || to_char(floor(random() * 100), 'FM00'))::uuid,
       ('63000000-0000-4000-8000-00000000ba0' || floor(random() * 8))::uuid,
       (ARRAY['explicit_interest', 'question', 'callback', 'objection_handled', 'hard_objection', 'none'])[1 + floor(random() * 6)],
       timestamptz '2026-03-01 12:00+00' - floor(random() * 6) * interval '1 hour'
  FROM generate_series(1, 800);
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest, budget, authority, created_at)
SELECT :'org', ('63000000-0000-4000-8000-0000000010' || to_char(floor(random() * 100), 'FM00'))::uuid,
       floor(random() * 26), floor(random() * 26), floor(random() * 21), timestamptz '2026-03-01 12:00+00' - floor(random() * 3) * interval '1 hour'
  FROM generate_series(1, 300);
CREATE TEMP VIEW said AS
SELECT l.id, l.lead_score, l.score_breakdown,
       (SELECT CASE WHEN t >= 70 THEN 40 WHEN t >= 50 THEN 25 WHEN t >= 30 THEN 10 ELSE 0 END
          FROM (SELECT interest + authority + budget + need + timing AS t FROM lead_system.lead_qualifications q
                 WHERE q.lead_id = l.id ORDER BY created_at DESC, id DESC LIMIT 1) b) AS qualification,
       (SELECT greatest(0, least(20, coalesce(sum(p.points), 0))) FROM (
            SELECT DISTINCT s.kind FROM lead_system.lead_intent_signals s WHERE s.lead_id = l.id AND s.call_id IN (
                SELECT call_id FROM lead_system.lead_intent_signals WHERE lead_id = l.id
                 GROUP BY call_id ORDER BY max(created_at) DESC, call_id LIMIT 3)) k
          JOIN (VALUES ('explicit_interest', 10), ('question', 5), ('callback', 10), ('objection_handled', 5), ('hard_objection', -10)) p(kind, points)
            ON p.kind = k.kind) AS intent
  FROM lead_system.leads l WHERE l.first_name LIKE 'Any %';
SELECT count(*) AS leads, count(DISTINCT score_breakdown) > 10 AS of_all_kinds,
       count(*) FILTER (WHERE score_breakdown->'intent' IS DISTINCT FROM to_jsonb(coalesce(intent, 0))) AS wrong_intent,
       count(*) FILTER (WHERE score_breakdown->'qualification' IS DISTINCT FROM to_jsonb(coalesce(qualification, 0))) AS wrong_qualification
  FROM said;
BEGIN;
DROP INDEX lead_system.lead_intent_signals_lead_id_idx, lead_system.lead_qualifications_lead_id_idx;
SELECT count(*) AS leads, count(*) FILTER (WHERE lead_score <> lead_system.calculate_lead_score(id)) AS wrong FROM said;
UPDATE lead_system.leads SET scored_at = NULL WHERE organization_id = :'org';
SELECT count(*) FILTER (WHERE score_breakdown->'intent' IS DISTINCT FROM to_jsonb(coalesce(intent, 0))
                           OR score_breakdown->'qualification' IS DISTINCT FROM to_jsonb(coalesce(qualification, 0))) AS wrong FROM said;
ROLLBACK;
SELECT count(*) FILTER (WHERE lead_score <> lead_system.calculate_lead_score(id)) AS wrong FROM said;
DELETE FROM lead_system.leads WHERE first_name LIKE 'Any %';

--
-- Temperatures: a change is told, with what it was before, for all leads of a statement
--
SELECT * FROM told WHERE action_type = 'temperature_changed';
INSERT INTO lead_system.leads (organization_id, first_name, company_size, industry, inquiry_type, budget_timeline) VALUES
    (:'org', 'Cold', '1-10', 'Healthcare', 'Contact Sales', NULL),
    (:'org', 'Mild', '51-200', 'Software/SaaS', NULL, NULL),
    (:'org', 'Warm', '201-1000', 'Software/SaaS', 'Contact Sales', NULL),
    (:'org', 'Warm too', '201-1000', 'Software/SaaS', NULL, NULL)
    RETURNING first_name, lead_score, temperature;
-- A new lead has no other temperature before.
SELECT * FROM told WHERE first_name IN ('Cold', 'Mild', 'Warm', 'Warm too');
UPDATE lead_system.leads SET budget_timeline = 'Immediate' WHERE organization_id = :'org' AND company_size IS NOT NULL;
SELECT * FROM told WHERE first_name IN ('Cold', 'Mild', 'Warm', 'Warm too');
-- Other bands, same points: the score is as it was, the temperature is not.
SELECT lead_system.copy_scoring_model('b2b') IS NOT NULL AS copied;
UPDATE lead_system.scoring_models SET thresholds = '{"hot": 99, "warm": 61}' WHERE organization_id = :'org';
CALL lead_system.recalculate_lead_scores();
SELECT * FROM told WHERE first_name IN ('Cold', 'Mild', 'Warm', 'Warm too') OFFSET 9;
DELETE FROM lead_system.scoring_models WHERE organization_id = :'org';
CALL lead_system.recalculate_lead_scores();

--
-- Cold leads warm up (A17): engagement scores again, and from 50 on that is told
--
\set fay '63000000-0000-4000-8000-0000000000a6'
INSERT INTO lead_system.leads (organization_id, id, first_name, company_size, industry)
VALUES (:'org', :'fay', 'Fay', '51-200', 'Software/SaaS') RETURNING lead_score;
SET lead_system.now = '2026-03-03 12:00:00+00';
UPDATE lead_system.leads SET email_reply_count = 1 WHERE organization_id = :'org' AND id = :'fay' RETURNING lead_score, temperature, last_activity_at;
UPDATE lead_system.leads SET pricing_page_visits = 3 WHERE organization_id = :'org' AND id = :'fay' RETURNING lead_score, temperature;
-- more is no second upgrade
UPDATE lead_system.leads SET demo_video_watched = true WHERE organization_id = :'org' AND id = :'fay' RETURNING lead_score;
SELECT * FROM told WHERE first_name = 'Fay';
-- Cooled off, and back after an e-mail was opened, which is activity: the weeks start over.
SET lead_system.now = '2026-04-20 12:00:00+00';
CALL lead_system.recalculate_lead_scores();
UPDATE lead_system.leads SET email_open_count = 1 WHERE organization_id = :'org' AND id = :'fay' RETURNING lead_score;
SELECT * FROM told WHERE first_name = 'Fay' OFFSET 5;
-- From which score on is a setting; nothing is told of deleted leads.
INSERT INTO lead_system.leads (organization_id, first_name, company_size) VALUES (:'org', 'Gus', '1-10') RETURNING lead_score;
SELECT lead_system.set_config('scoring.upgrade_score', '25');
UPDATE lead_system.leads SET industry = 'Software/SaaS' WHERE organization_id = :'org' AND first_name = 'Gus' RETURNING lead_score;
SELECT lead_system.set_config('scoring.upgrade_score', '0');
UPDATE lead_system.leads SET inquiry_type = 'Demo Request' WHERE organization_id = :'org' AND first_name = 'Gus' RETURNING lead_score;
SELECT lead_system.set_config('scoring.upgrade_score', '60');
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'org' AND first_name = 'Gus';
UPDATE lead_system.leads SET budget_timeline = 'Immediate' WHERE organization_id = :'org' AND first_name = 'Gus' RETURNING lead_score;
SELECT * FROM told WHERE first_name = 'Gus';

DROP VIEW now, told, said;
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id::text LIKE '63000000-%';
SELECT lead_system.revoke_access('regress_ls_inputs');
DROP ROLE regress_ls_inputs;
RESET lead_system.now;
