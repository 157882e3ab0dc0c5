-- Scoring models as data: what the operators mean, what is refused when it is
-- written, and when a change takes effect.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name) VALUES
    ('70000000-0000-4000-8000-000000000001', 'Acme'),
    ('70000000-0000-4000-8000-000000000002', 'Globex');
SET app.current_org_id = '70000000-0000-4000-8000-000000000001';

--
-- A model from nothing
--
INSERT INTO lead_system.scoring_models (organization_id, id, name, components, thresholds) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 'ops',
     '[{"name": "numbers"}, {"name": "texts", "cap": 40}, {"name": "flags", "optional": true}, {"name": "debts", "floor": -10, "optional": true}]',
     '{"hot": 90, "cool": 10}');
INSERT INTO lead_system.scoring_rules (organization_id, model_id, position, component, attribute, operator, operand, points, cap)
SELECT '70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', r.*
  FROM (VALUES
    (1, 'numbers', 'metadata.gt', 'gt', '5'::jsonb, 1, NULL::integer),
    (2, 'numbers', 'metadata.gte', 'gte', '5', 1, NULL),
    (3, 'numbers', 'metadata.lt', 'lt', '5', 1, NULL),
    (4, 'numbers', 'metadata.lte', 'lte', '5', 1, NULL),
    (5, 'numbers', 'metadata.between', 'between', '[5, 7.5]', 1, NULL),
    (6, 'numbers', 'metadata.eq', 'eq', '5', 1, NULL),
    (7, 'numbers', 'metadata.ne', 'ne', '5', 1, NULL),
    (8, 'numbers', 'metadata.each', 'each', NULL, 2, 9),
    (11, 'texts', 'company_name', 'eq', '"Acme"', 1, NULL),
    (12, 'texts', 'city', 'ne', '"Paris"', 1, NULL),
    (13, 'texts', 'state', 'in', '["TX", "FL"]', 1, NULL),
    (14, 'texts', 'message', 'contains', '"price"', 1, NULL),
    (15, 'texts', 'email_domain', 'under', '"example.com"', 1, NULL),
    (16, 'texts', 'title', 'is_set', NULL, 1, NULL),
    (17, 'texts', 'utm_source', 'any', NULL, 1, NULL),
    (21, 'flags', 'priority_flag', 'eq', 'true', 1, NULL),
    (22, 'flags', 'metadata.flag', 'eq', 'false', 1, NULL),
    (23, 'flags', 'metadata.mixed', 'in', '[true, 3, "yes"]', 1, NULL),
    (31, 'debts', 'call_count', 'each', NULL, -3, -20)) r;
-- A lead that every rule matches
INSERT INTO lead_system.leads (id, company_name, city, state, message, email, title, priority_flag, call_count, metadata) VALUES
    ('70000000-0000-4000-8000-0000000000a1', 'ACME', 'Rome', 'tx', 'Your PRICES?', 'a1@mail.example.com', 'CEO', true, 2,
     '{"gt": 5.01, "gte": 5, "lt": 4.99, "lte": 5, "between": 7.5, "eq": 5.0, "ne": 4, "each": 3, "flag": false, "mixed": "YES"}'),
-- and one that none matches, but "any"
    ('70000000-0000-4000-8000-0000000000a2', 'Acme Inc', 'PARIS', 'CA', 'Hello', 'a2@example.com.example.org', '', false, 0,
     '{"gt": 5, "gte": 4.99, "lt": 5, "lte": 5.01, "between": 7.51, "eq": "5", "ne": 5, "each": 0, "flag": true, "mixed": 4}'),
-- Without a value nothing matches but "any".
    ('70000000-0000-4000-8000-0000000000a3', NULL, NULL, NULL, NULL, NULL, NULL, false, 0,
     '{"gt": null, "gte": "5", "between": true, "each": "3"}'),
-- Limits of a rule and of a component
    ('70000000-0000-4000-8000-0000000000a4', NULL, NULL, NULL, NULL, NULL, NULL, false, 9, '{"each": 100}');
SELECT component, rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000a1', 'ops');
SELECT component, rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000a2', 'ops');
SELECT component, rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000a3', 'ops');
SELECT component, rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000a4', 'ops');
SELECT lead_system.calculate_lead_score(id, 'ops') FROM lead_system.leads WHERE organization_id = '70000000-0000-4000-8000-000000000001' ORDER BY id;
-- Rules that look at the same attribute are alternatives: the first that matches, by position.
INSERT INTO lead_system.scoring_rules (organization_id, model_id, position, component, attribute, operator, operand, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 10, 'texts', 'company_name', 'contains', '"acme"', 30),
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 19, 'texts', 'company_name', 'any', NULL, 20);
SELECT id, rule, points FROM lead_system.leads l, lead_system.explain_lead_score(l.id, 'ops') e
 WHERE l.organization_id = '70000000-0000-4000-8000-000000000001' AND e.rule LIKE 'company_name%' ORDER BY id;
-- The cap of a component
UPDATE lead_system.scoring_rules SET points = 50 WHERE model_id = '70000000-0000-4000-8000-000000000011' AND position = 10;
SELECT rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000a1', 'ops') WHERE component = 'texts';

--
-- Models that cannot be computed are refused
--
CREATE FUNCTION pg_temp.try_model(components jsonb, thresholds jsonb DEFAULT '{"hot": 80}', decay jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    INSERT INTO lead_system.scoring_models (organization_id, name, components, thresholds, decay)
    VALUES ('70000000-0000-4000-8000-000000000001', 'trial', components, thresholds, decay);
    DELETE FROM lead_system.scoring_models WHERE name = 'trial';
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM) || CASE WHEN detail <> '' THEN ' / ' || detail ELSE '' END;
END $$;
SELECT left(components::text, 64) AS components, pg_temp.try_model(components) AS answer FROM (VALUES
    (1, '[{"name": "a"}]'::jsonb),
    (2, '[]'), (3, '{}'), (4, '"a"'), (5, '["a"]'), (6, '[{}]'), (7, '[{"name": ""}]'), (8, '[{"name": 1}]'), (9, '[{"name": "a"}, {"name": "a"}]'),
    (10, '[{"name": "a", "limit": 1}]'), (11, '[{"name": "a", "cap": "30"}]'), (12, '[{"name": "a", "cap": 1.5}]'), (13, '[{"name": "a", "cap": 1001}]'),
    (14, '[{"name": "a", "cap": 1, "floor": 2}]'), (15, '[{"name": "a", "optional": 1}]'), (16, '[{"name": "a", "decay": "yes"}]'),
    (17, '[{"name": "intent", "weighted": true}]'), (18, '[{"name": "intent", "cap": 0, "weighted": true}]'),
    (19, '[{"name": "charm", "cap": 10, "weighted": true}]'), (20, '[{"name": "intent", "cap": 10, "weighted": true}]'),
    (21, '[{"name": "intent", "cap": 1, "weighted": true}, {"name": "engagement", "cap": 1, "weighted": true}, {"name": "demographic", "cap": 1, "weighted": true}, {"name": "qualification", "cap": 1, "weighted": true}]'),
    (22, (SELECT jsonb_agg(jsonb_build_object('name', 'c' || n)) FROM generate_series(1, 17) n))) c(n, components) ORDER BY n;
SELECT thresholds, pg_temp.try_model('[{"name": "a"}]', thresholds) AS answer FROM (VALUES
    (1, '{}'::jsonb), (2, '{"hot": 80, "warm": 60, "cool": 40}'), (3, '{"hot": 100, "cool": 1}'), (4, '{"hot": 101}'), (5, '{"cool": 0}'),
    (6, '{"hot": 50, "warm": 50}'), (7, '{"warm": 40, "cool": 41}'), (8, '{"hot": "80"}'), (9, '{"tepid": 20}'), (10, '{"cold": 0}'), (11, '[80, 50]'))
    t(n, thresholds) ORDER BY n;
SELECT decay, pg_temp.try_model('[{"name": "a"}]', decay => decay) AS answer FROM (VALUES
    (1, NULL::jsonb), (2, '{"every_days": 30, "factors": {"a": 0.5}}'), (3, '{"every_days": 1, "factors": {"a": 0}}'), (4, '{}'), (5, '{"factors": {"a": 0.5}}'),
    (6, '{"every_days": 0}'), (7, '{"every_days": 30, "factors": {"b": 0.5}}'), (8, '{"every_days": 30, "factors": {"a": 1.01}}'),
    (9, '{"every_days": 30, "factors": {"a": -0.1}}'), (10, '{"every_days": 30, "factors": {"a": "half"}}'), (11, '{"every_days": 30, "factors": [0.5]}'),
    (12, '{"every_days": 30, "per": "week"}'), (13, '30')) d(n, decay) ORDER BY n;
INSERT INTO lead_system.scoring_models (organization_id, name, components, thresholds) VALUES
    ('70000000-0000-4000-8000-000000000001', 'ops', '[{"name": "a"}]', '{}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO lead_system.scoring_models (organization_id, name, components, thresholds) VALUES
    ('70000000-0000-4000-8000-000000000001', 'Ops 2', '[{"name": "a"}]', '{}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.scoring_models (organization_id, name, components) VALUES
    ('70000000-0000-4000-8000-000000000001', 'ops_2', '[{"name": "a"}]');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- A component that rules belong to stays.
UPDATE lead_system.scoring_models SET components = '[{"name": "numbers"}, {"name": "texts"}]' WHERE id = '70000000-0000-4000-8000-000000000011';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.scoring_models SET thresholds = '{"hot": 0}' WHERE id = '70000000-0000-4000-8000-000000000011';
\echo :LAST_ERROR_SQLSTATE

--
-- Rules that cannot be computed are refused
--
CREATE FUNCTION pg_temp.try_rule(component text, attribute text, operator text, operand jsonb, points integer DEFAULT 1, cap integer DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points, cap, position)
    VALUES ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', component, attribute, operator, operand, points, cap, 99);
    DELETE FROM lead_system.scoring_rules r WHERE r.model_id = '70000000-0000-4000-8000-000000000011' AND r.position = 99;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM) || CASE WHEN detail <> '' AND SQLSTATE <> '23514' THEN ' / ' || detail ELSE '' END;
END $$;
SELECT attribute, operator, operand, cap, pg_temp.try_rule('numbers', attribute, operator, operand, cap => cap) AS answer FROM (VALUES
    (1, 'industry', 'eq', '"Retail"'::jsonb, NULL::integer), (2, 'call_count', 'eq', '3', NULL), (3, 'is_qualified', 'eq', 'true', NULL),
    (4, 'industry', 'eq', '3', NULL), (5, 'call_count', 'eq', '"3"', NULL), (6, 'is_qualified', 'eq', '"true"', NULL), (7, 'industry', 'eq', 'null', NULL),
    (8, 'industry', 'eq', NULL, NULL), (9, 'industry', 'eq', '["Retail"]', NULL), (10, 'industry', 'eq', '{"is": "Retail"}', NULL),
    (11, 'industry', 'in', '["Retail", "Other"]', NULL), (12, 'industry', 'in', '[]', NULL), (13, 'industry', 'in', '"Retail"', NULL),
    (14, 'industry', 'in', '["Retail", 3]', NULL), (15, 'industry', 'in', '[["Retail"]]', NULL), (16, 'industry', 'in', NULL, NULL),
    (17, 'call_count', 'between', '[1, 3]', NULL), (18, 'call_count', 'between', '[3, 1]', NULL), (19, 'call_count', 'between', '[1]', NULL),
    (20, 'call_count', 'between', '[1, 2, 3]', NULL), (21, 'call_count', 'between', '3', NULL), (22, 'metadata.x', 'between', '["a", "b"]', NULL),
    (23, 'industry', 'gt', '"Retail"', NULL), (24, 'is_qualified', 'gte', 'true', NULL), (25, 'industry', 'each', NULL, NULL),
    (26, 'call_count', 'contains', '1', NULL), (27, 'is_qualified', 'under', 'true', NULL), (28, 'industry', 'contains', '"tail"', NULL),
    (29, 'industry', 'is_set', '"Retail"', NULL), (30, 'industry', 'any', '"Retail"', NULL), (31, 'call_count', 'each', '1', NULL),
    (32, 'call_count', 'each', NULL, 10), (33, 'call_count', 'gte', '1', 10), (34, 'call_count', 'each', NULL, 1001),
    (35, 'industry', 'like', '"Re%"', NULL), (36, 'industry', 'EQ', '"Retail"', NULL),
    (37, 'metadata.x', 'eq', '"a"', NULL), (38, 'metadata.x', 'gt', '1', NULL),
    (39, 'metadata.x', 'gt', '"a"', NULL), (40, 'metadata.x', 'gte', 'true', NULL), (41, 'metadata.x', 'lt', '"1"', NULL),
    (42, 'metadata.x', 'lte', 'null', NULL), (43, 'metadata.x', 'between', '[1, "b"]', NULL), (44, 'metadata.x', 'between', '[true, false]', NULL),
    (45, 'metadata.x', 'between', '[1, 2]', NULL), (46, 'metadata.x', 'contains', '1', NULL), (47, 'metadata.x', 'contains', 'true', NULL),
    (48, 'metadata.x', 'contains', '"a"', NULL), (49, 'metadata.x', 'under', '1', NULL), (50, 'metadata.x', 'under', '"example.com"', NULL),
    (51, 'metadata.x', 'in', '[1, "a", true]', NULL), (52, 'metadata.x', 'each', NULL, 5)) r(n, attribute, operator, operand, cap) ORDER BY n;
SELECT pg_temp.try_rule('numbers', 'industry', 'is_set', NULL, 1001) AS too_much, pg_temp.try_rule('numbers', 'industry', 'is_set', NULL, -1000) AS enough;
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 'numbers', 'shoe_size', 'is_set', 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 'numbers', 'metadata.', 'is_set', 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 'numbers', 'industry', 'like', '"Re%"', 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-000000000011', 'luck', 'industry', 'is_set', 1);
\echo :LAST_ERROR_SQLSTATE
-- The same for changes
UPDATE lead_system.scoring_rules SET operand = '"5"' WHERE model_id = '70000000-0000-4000-8000-000000000011' AND attribute = 'call_count';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.scoring_rules SET component = 'luck' WHERE model_id = '70000000-0000-4000-8000-000000000011' AND position = 1;
\echo :LAST_ERROR_SQLSTATE
-- A rule belongs to a model of its own organization.
\set VERBOSITY sqlstate
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-0000000000ff', 'numbers', 'industry', 'is_set', 1);
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, points) VALUES
    ('70000000-0000-4000-8000-000000000002', '70000000-0000-4000-8000-000000000011', 'numbers', 'industry', 'is_set', 1);
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, points) VALUES
    ('70000000-0000-4000-8000-000000000001', '00000000-0000-7000-8000-000000000011', 'industry', 'industry', 'is_set', 1);
\set VERBOSITY default
SELECT count(*) AS rules FROM lead_system.scoring_rules WHERE model_id = '70000000-0000-4000-8000-000000000011';

--
-- A change takes effect at once
--
INSERT INTO lead_system.leads (organization_id, id, company_size) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-0000000000b1', '1-10'),
    ('70000000-0000-4000-8000-000000000002', '70000000-0000-4000-8000-0000000000b2', '1-10') RETURNING lead_score;
SELECT lead_system.copy_scoring_model('b2b') AS own \gset
BEGIN;
UPDATE lead_system.scoring_rules SET points = 7 WHERE model_id = :'own' AND operand = '"1-10"';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1');
ROLLBACK;
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1');
UPDATE lead_system.scoring_rules SET points = 8 WHERE model_id = :'own' AND operand = '"1-10"';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1');
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points, position) VALUES
    ('70000000-0000-4000-8000-000000000001', :'own', 'engagement', 'link_click_count', 'gte', '1', 4, 604);
UPDATE lead_system.leads SET link_click_count = 1 WHERE id = '70000000-0000-4000-8000-0000000000b1' RETURNING lead_score;
DELETE FROM lead_system.scoring_rules WHERE model_id = :'own' AND component = 'company_size';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1');
-- Stored scores follow when the lead is next touched in what the model reads, or with recalculate_lead_scores().
SELECT lead_score FROM lead_system.leads WHERE id = '70000000-0000-4000-8000-0000000000b1';
-- ... which works although the clock stands still.
CALL lead_system.recalculate_lead_scores();
SELECT lead_score FROM lead_system.leads WHERE id = '70000000-0000-4000-8000-0000000000b1';
SELECT scored_at FROM lead_system.leads WHERE id = '70000000-0000-4000-8000-0000000000b1';
BEGIN;
INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points, position) VALUES
    ('70000000-0000-4000-8000-000000000001', :'own', 'engagement', 'metadata.vip', 'eq', 'true', 9, 605);
UPDATE lead_system.leads SET metadata = '{"vip": true}' WHERE id = '70000000-0000-4000-8000-0000000000b1' RETURNING lead_score;
UPDATE lead_system.scoring_rules SET points = 11 WHERE model_id = :'own' AND position = 605;
CALL lead_system.recalculate_lead_scores();
SELECT lead_score FROM lead_system.leads WHERE id = '70000000-0000-4000-8000-0000000000b1';
DELETE FROM lead_system.scoring_rules WHERE model_id = :'own' AND position = 605;
CALL lead_system.recalculate_lead_scores();
SELECT lead_score FROM lead_system.leads WHERE id = '70000000-0000-4000-8000-0000000000b1';
COMMIT;
SET lead_system.now = '2026-03-02 13:00:00+00';
-- A model that is switched off, or only for comparing, gives way to the built-in one; the latter can be named.
UPDATE lead_system.scoring_models SET is_active = false WHERE id = :'own';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1'), lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1', 'b2b');
UPDATE lead_system.scoring_models SET is_active = true, is_shadow = true WHERE id = :'own';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1'), lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1', 'b2b');
UPDATE lead_system.scoring_models SET is_active = false WHERE id = '70000000-0000-4000-8000-000000000011';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1', 'ops');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.scoring_models SET is_active = true WHERE id = '70000000-0000-4000-8000-000000000011';
DELETE FROM lead_system.scoring_models WHERE id = :'own';
SELECT count(*) AS rules_left FROM lead_system.scoring_rules WHERE model_id = :'own';
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1'), lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000b1', 'b2b');

-- A recalculation that is under way starts over: that of the organization whose
-- rules changed, or all of them when a built-in rule did.
INSERT INTO lead_system.scoring_runs (organization_id, started_at, leads_seen) VALUES
    ('70000000-0000-4000-8000-000000000001', '2026-03-02 12:30+00', 5), ('70000000-0000-4000-8000-000000000002', '2026-03-02 12:30+00', 6)
    ON CONFLICT (organization_id) DO UPDATE SET started_at = excluded.started_at, finished_at = NULL, leads_seen = excluded.leads_seen;
UPDATE lead_system.scoring_rules SET points = 2 WHERE model_id = '70000000-0000-4000-8000-000000000011' AND position = 1;
SELECT organization_id, leads_seen FROM lead_system.scoring_runs;
INSERT INTO lead_system.scoring_runs (organization_id, started_at) VALUES ('70000000-0000-4000-8000-000000000001', '2026-03-02 12:30+00');
SELECT lead_system.set_config('scoring.decay', 'false');
SELECT organization_id, leads_seen FROM lead_system.scoring_runs;
UPDATE lead_system.scoring_rules SET points = points WHERE id = '00000000-0000-7000-8001-000000000101';
SELECT count(*) FROM lead_system.scoring_runs;
SELECT lead_system.set_config('scoring.decay', NULL);

--
-- Settings
--
-- No decay, for those who do not want it
INSERT INTO lead_system.leads (id, company_size, created_at) VALUES
    ('70000000-0000-4000-8000-0000000000b3', '201-1000', '2026-03-02 12:00+00');
SELECT lead_system.score_at('70000000-0000-4000-8000-0000000000b3', '2026-03-16 12:00+00');
SELECT lead_system.set_config('scoring.decay', 'false');
SELECT lead_system.score_at('70000000-0000-4000-8000-0000000000b3', '2026-03-16 12:00+00');
SELECT lead_system.set_config('scoring.decay', NULL);
SELECT lead_system.score_at('70000000-0000-4000-8000-0000000000b3', '2026-03-16 12:00+00');

-- Weights of banti: each component is scaled to its share of 100.
INSERT INTO lead_system.leads (id, source, call_count, sms_reply_count) VALUES ('70000000-0000-4000-8000-0000000000c1', 'referral', 5, 1);
SET lead_system.now = '2026-03-02 13:00:01+00';
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest, authority, budget) VALUES
    ('70000000-0000-4000-8000-000000000001', '70000000-0000-4000-8000-0000000000c1', 25, 20, 10);
SELECT component, rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000c1');
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 0.25, "engagement": 0.25, "intent": 0.25, "demographic": 0.25}');
-- 25 of 40, 15 of 30, 0 of 20 and 10 of 10, each of a quarter of 100: 16 + 13 + 0 + 25
SELECT component, rule, value, points FROM lead_system.explain_lead_score('70000000-0000-4000-8000-0000000000c1');
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000c1');
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 1, "engagement": 0, "intent": 0, "demographic": 0}');
SELECT lead_system.calculate_lead_score('70000000-0000-4000-8000-0000000000c1');
-- They divide the whole.
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 0.5, "engagement": 0.3, "intent": 0.2, "demographic": 0.1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 0.4, "engagement": 0.3, "intent": 0.3}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 0.4, "engagement": 0.3, "intent": 0.2, "charm": 0.1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": 1.1, "engagement": -0.1, "intent": 0, "demographic": 0}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('lead_scoring_weights', '{"qualification": "0.4", "engagement": 0.3, "intent": 0.2, "demographic": 0.1}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.get_config('lead_scoring_weights');

DELETE FROM lead_system.organizations WHERE id::text LIKE '70000000-0000-4000-8000-%';
