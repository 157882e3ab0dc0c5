-- advertising: limits hold for a change of status too, and at the time of applying; what is blocked makes room.
SET lead_system.now = '2026-03-10 15:00+00';
SET timezone = 'UTC';
SELECT lead_system.create_organization('Limits', 'field_service') AS org \gset
SET app.current_org_id = :'org';
CREATE FUNCTION c(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION log_of(action text, target uuid) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM lead_system.ai_agent_logs WHERE action_type = action AND target_id = target ORDER BY id DESC LIMIT 1 $$;
CREATE FUNCTION try(what text, id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text := what;
BEGIN
    IF what = 'approve' THEN PERFORM lead_system.approve_action(id);
    ELSE answer := lead_system.apply_action(id); END IF;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN regexp_replace(concat_ws(' | ', SQLSTATE, SQLERRM), '"[0-9a-f-]{36}"', '<id>', 'g');
END $$;
CREATE FUNCTION spend(campaign text, amount numeric) RETURNS bigint LANGUAGE sql AS $$
    SELECT lead_system.record_ad_days(jsonb_build_array(jsonb_build_object('campaign', campaign,
        'day', (lead_system.clock_now() AT TIME ZONE 'UTC')::date, 'spend', amount, 'clicks', 1, 'impressions', 1, 'conversions', 0))) $$;
CREATE VIEW campaigns AS SELECT external_id, status, daily_budget, paused_for FROM lead_system.ad_campaigns ORDER BY external_id;
CREATE VIEW log AS SELECT c.external_id AS campaign, l.action_type, l.guard, l.estimated_impact AS impact, l.result, l.result_message
  FROM lead_system.ai_agent_logs l JOIN lead_system.ad_campaigns c ON c.id = l.target_id ORDER BY l.id;
INSERT INTO lead_system.ad_campaigns (organization_id, id, external_id, name, daily_budget, status) VALUES
    (:'org', c(1), 'g-1', 'roofs', 50, 'active'), (:'org', c(2), 'g-2', 'drains', 60, 'active'),
    (:'org', c(3), 'g-3', 'gutters', 2000, 'paused'), (:'org', c(4), 'g-4', 'walls', 100, 'paused'),
    (:'org', c(5), 'g-5', 'floors', 100.01, 'active');

-- what the rules alone say of a proposal is no agent's to say
SELECT lead_system.propose_action('optimizing', 'pause_campaign', c(1), NULL, '{"rule": "daily_budget"}');

-- the effect of a resumed campaign is its budget: above 100 a day it is refused, below it wants an approval
SELECT lead_system.set_config('ads.automatic', 'true') \g /dev/null
SELECT lead_system.propose_action('optimizing', 'resume_campaign', c(3)) IS NOT NULL AS proposed;
SELECT lead_system.propose_action('optimizing', 'resume_campaign', c(4)) IS NOT NULL AS proposed;
SELECT lead_system.propose_action('optimizing', 'pause_campaign', c(5)) IS NOT NULL AS proposed;
SELECT * FROM log;
SELECT try('apply', log_of('resume_campaign', c(3)));
SELECT try('apply', log_of('resume_campaign', c(4)));
SELECT lead_system.apply_due_actions();
SELECT * FROM campaigns;
-- its budget has been raised above the limit since the approval
SELECT try('approve', log_of('resume_campaign', c(4)));
UPDATE lead_system.ad_campaigns SET daily_budget = 101 WHERE id = c(4);
SELECT try('apply', log_of('resume_campaign', c(4)));
UPDATE lead_system.ad_campaigns SET daily_budget = 100 WHERE id = c(4);
SELECT try('apply', log_of('resume_campaign', c(4)));

-- a budget that was raised is not reached any more
SELECT spend('g-1', 50), spend('g-2', 60);
SELECT lead_system.propose_actions();
UPDATE lead_system.ad_campaigns SET daily_budget = 80 WHERE id = c(1);
SELECT lead_system.apply_due_actions();
SELECT * FROM campaigns WHERE external_id IN ('g-1', 'g-2');

-- a campaign that somebody resumed and paused since is not resumed by the rule
SET lead_system.now = '2026-03-11 15:00+00';
SELECT lead_system.propose_actions();
UPDATE lead_system.ad_campaigns SET status = 'active' WHERE id = c(2);
UPDATE lead_system.ad_campaigns SET status = 'paused' WHERE id = c(2);
SELECT try('apply', log_of('resume_campaign', c(2)));
SELECT * FROM campaigns WHERE external_id = 'g-2';
SELECT campaign, action_type, result, result_message FROM log WHERE campaign IN ('g-1', 'g-2');

-- approved changes that a lowered limit blocks do not keep those behind them waiting
SELECT lead_system.propose_action('optimizing', 'change_budget', c(1), 90) IS NOT NULL AS a, lead_system.propose_action('optimizing', 'change_budget', c(4), 119) IS NOT NULL AS b,
    lead_system.propose_action('optimizing', 'change_budget', c(5), 105) IS NOT NULL AS c;
SELECT try('approve', log_of('change_budget', c(1))), try('approve', log_of('change_budget', c(4)));
SELECT lead_system.set_config('ads.max_percent', '11'), lead_system.set_config('ads.max_impact', '15') \g /dev/null
SELECT lead_system.apply_due_actions(2) AS first, lead_system.apply_due_actions(2) AS second, lead_system.apply_due_actions(2) AS third;
SELECT campaign, guard, result, result_message FROM log WHERE action_type = 'change_budget';
SELECT * FROM campaigns;

-- exactly at the limits: 10 and 20 percent, 100 a day
SELECT lead_system.set_config('ads.max_percent', NULL), lead_system.set_config('ads.max_impact', NULL) \g /dev/null
SET lead_system.now = '2026-04-10 15:00+00';
INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, daily_budget)
SELECT :'org', 'edge ' || n, 'edge', b FROM (VALUES (1, 100), (2, 100), (3, 100), (4, 100), (5, 1000), (6, 1000)) v(n, b);
SELECT lead_system.propose_action('optimizing', 'change_budget', id, v.b) IS NOT NULL AS proposed
  FROM (VALUES (1, 110), (2, 110.01), (3, 80), (4, 79.99), (5, 900), (6, 1100.01)) v(n, b) JOIN lead_system.ad_campaigns c ON c.external_id = 'edge ' || v.n;
SELECT campaign, guard, impact, result FROM log WHERE campaign LIKE 'edge%' ORDER BY 1;

-- who decides is a manager who still works here
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_active) VALUES (:'org', c(91), 'meg', 'meg@example.com', 'manager', false),
    (:'org', c(92), 'kim', 'kim@example.com', 'contractor', true);
SELECT id AS edge FROM lead_system.ad_campaigns WHERE external_id = 'edge 2' \gset
SELECT log_of('change_budget', :'edge') AS log \gset
SET app.current_user_id = '00000000-0000-4000-8000-000000000091';
SELECT try('approve', :'log');
SET app.current_user_id = '00000000-0000-4000-8000-000000000092';
SELECT try('approve', :'log');
RESET app.current_user_id;
SELECT result FROM lead_system.ai_agent_logs WHERE id = :'log';

DELETE FROM lead_system.organizations WHERE id = :'org';
DROP VIEW log, campaigns;
DROP FUNCTION c(int), try(text, uuid), log_of(text, uuid), spend(text, numeric);
