-- advertising: reports, findings, proposals, limits; automation: log, workflows.
SET lead_system.now = '2026-03-10 15:00+00';
SET timezone = 'UTC';
SELECT lead_system.create_organization('Advertising', 'field_service') AS org \gset
SET app.current_org_id = :'org';
UPDATE lead_system.organizations SET timezone = 'America/Chicago' WHERE id = :'org';
-- The n-th campaign, keyword, lead.
CREATE FUNCTION c(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION k(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid $$;
CREATE VIEW log AS SELECT agent_name, action_type, coalesce((SELECT name FROM lead_system.ad_campaigns c WHERE c.id = l.target_id), (SELECT keyword_text FROM lead_system.keywords k WHERE k.id = l.target_id), target_type) AS target,
    from_value, to_value, guard, estimated_impact AS impact, result, result_message FROM lead_system.ai_agent_logs l;
CREATE FUNCTION log_of(action text, target uuid) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM lead_system.ai_agent_logs WHERE action_type = action AND target_id = target ORDER BY id DESC LIMIT 1 $$;

-- Decide on a proposal; ids differ from run to run.
CREATE FUNCTION try(what text, id uuid, reason text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
BEGIN
    CASE what
    WHEN 'apply_action' THEN answer := lead_system.apply_action(id);
    WHEN 'approve_action' THEN PERFORM lead_system.approve_action(id, reason); answer := 'approved';
    WHEN 'reject_action' THEN PERFORM lead_system.reject_action(id, reason); answer := 'rejected';
    WHEN 'propose_action' THEN PERFORM lead_system.propose_action('optimizing', reason, id, 111); answer := 'proposed';
    END CASE;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, '')), '"[0-9a-f-]{36}"', '<id>', 'g');
END $$;

INSERT INTO lead_system.ad_campaigns (organization_id, id, external_id, name, daily_budget) VALUES
    (:'org', c(1), 'g-1', 'roofs', 50), (:'org', c(2), 'g-2', 'drains', 100), (:'org', c(3), 'g-3', 'gutters', 2000);
INSERT INTO lead_system.keywords (organization_id, id, campaign_id, keyword_text, match_type, max_cpc) VALUES
    (:'org', k(1), c(1), 'roof repair', 'exact', 2.00), (:'org', k(2), c(1), 'roof pictures', 'broad', 1.00),
    (:'org', k(3), c(2), 'drain', 'phrase', 2.00), (:'org', k(4), c(2), 'blocked drain', 'exact', 3.00);

-- reports: replaced, not added; totals follow
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "2026-03-07", "spend": 62.10, "clicks": 40, "impressions": 900, "conversions": 2},
    {"campaign": "g-1", "day": "2026-03-08", "spend": 45, "clicks": 30, "impressions": 800, "conversions": 0},
    {"campaign": "g-1", "day": "2026-03-09", "spend": 31, "clicks": 20, "impressions": 700, "conversions": 1},
    {"campaign": "g-2", "day": "2026-03-07", "spend": 300, "clicks": 90, "impressions": 900, "conversions": 9},
    {"campaign": "g-2", "day": "2026-03-08", "spend": 300, "clicks": 90, "impressions": 900, "conversions": 10},
    {"campaign": "g-2", "day": "2026-03-09", "spend": 301, "clicks": 90, "impressions": 900, "conversions": 10}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "2026-03-07", "spend": 62.20, "clicks": 41, "impressions": 901, "conversions": 2},
    {"campaign": "g-1", "day": "2026-03-10", "spend": 10, "clicks": 4, "impressions": 90, "conversions": 0},
    {"campaign": "g-1", "keyword": "roof pictures", "match_type": "broad", "day": "2026-03-09", "spend": 14, "clicks": 49, "impressions": 700, "conversions": 0}]');
SELECT name, total_spend, total_clicks, total_impressions, total_conversions, last_synced_at FROM lead_system.ad_campaigns ORDER BY 1;
SELECT keyword_text, total_spend, total_clicks, total_impressions, total_conversions FROM lead_system.keywords WHERE total_clicks > 0;
SELECT lead_system.record_ad_days(NULL);
SELECT lead_system.record_ad_days('{}');
SELECT lead_system.record_ad_days('[1]');
SELECT lead_system.record_ad_days('[{"campaing": "g-1"}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "2026-03-07"}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "keyword": "roof repair", "day": "2026-03-07", "spend": 1, "clicks": 1, "impressions": 1, "conversions": 1}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-9", "day": "2026-03-07", "spend": 1, "clicks": 1, "impressions": 1, "conversions": 1}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "keyword": "roof repair", "match_type": "broad", "day": "2026-03-07", "spend": 1, "clicks": 1, "impressions": 1, "conversions": 1}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "2026-03-07", "spend": -1, "clicks": 1, "impressions": 1, "conversions": 1}]');
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "2026-03-07", "spend": 1, "clicks": 1, "impressions": 1, "conversions": 1},
    {"campaign": "g-1", "day": "2026-03-07", "spend": 2, "clicks": 1, "impressions": 1, "conversions": 1}]');
SELECT lead_system.record_ad_days('[]');

-- findings: leads above 30 on three days running; nothing yet about leads
SELECT lead_system.run_ad_diagnostics();
SELECT lead_system.run_ad_diagnostics();
SELECT * FROM log;
SELECT action_data FROM lead_system.ai_agent_logs;
-- a day earlier there were two days only; the future cannot be looked at; midnight is Chicago's
SELECT lead_system.run_ad_diagnostics('2026-03-09');
SELECT lead_system.run_ad_diagnostics('2026-03-11');
SELECT lead_system.run_ad_diagnostics('infinity');
SET lead_system.now = '2026-03-11 04:59+00';
SELECT lead_system.run_ad_diagnostics('2026-03-11');
SET lead_system.now = '2026-03-10 15:00+00';

-- 12 leads within seven days, 3 booked: a quarter, which is enough; then 2
INSERT INTO lead_system.leads (organization_id, id, first_name, created_at)
SELECT :'org', ('00000000-0000-4000-8000-0000000002' || lpad(n::text, 2, '0'))::uuid, 'lead ' || n, '2026-03-03 12:00-06' FROM generate_series(1, 12) n;
SELECT lead_system.change_lead_status(id, 'contacted'), lead_system.change_lead_status(id, 'quoted'), lead_system.change_lead_status(id, 'booked') FROM lead_system.leads ORDER BY id LIMIT 3 \g /dev/null
UPDATE lead_system.leads SET last_contact_at = created_at;
SELECT lead_system.run_ad_diagnostics();
INSERT INTO lead_system.leads (organization_id, first_name, created_at, last_contact_at) VALUES (:'org', 'late', '2026-03-09 23:59-05', '2026-03-10 00:00+00'), (:'org', 'next day', '2026-03-10 00:01-05', '2026-03-10 00:00+00');
SELECT lead_system.run_ad_diagnostics();
SELECT action_type, action_data FROM lead_system.ai_agent_logs WHERE action_type = 'detect_low_booking_rate';
-- leads that nobody has touched for two days
INSERT INTO lead_system.leads (organization_id, id, first_name, created_at) VALUES
    (:'org', '00000000-0000-4000-8000-0000000002a1', 'untouched', '2026-03-08 14:59+00'), (:'org', '00000000-0000-4000-8000-0000000002a2', 'fresh', '2026-03-08 15:01+00');
SELECT lead_system.run_ad_diagnostics();
SELECT action_data FROM lead_system.ai_agent_logs WHERE action_type = 'alert_untouched_leads';
-- 120 leads in the first weeks, 16 in the last: declining
INSERT INTO lead_system.leads (organization_id, first_name, created_at, last_contact_at) SELECT :'org', 'old ' || n, '2026-02-15 12:00+00', '2026-02-15 12:00+00' FROM generate_series(1, 120) n;
SELECT lead_system.run_ad_diagnostics();
SELECT action_data, result_message FROM lead_system.ai_agent_logs WHERE action_type = 'detect_declining_trend';

-- proposals: 49 clicks are too few; 50 are not; a campaign that has spent its budget; bids by what a conversion costs
SELECT lead_system.propose_actions();
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "keyword": "roof pictures", "match_type": "broad", "day": "2026-03-10", "spend": 0.5, "clicks": 1, "impressions": 10, "conversions": 0},
    {"campaign": "g-1", "day": "2026-03-10", "spend": 50, "clicks": 40, "impressions": 90, "conversions": 0},
    {"campaign": "g-2", "keyword": "drain", "match_type": "phrase", "day": "2026-03-09", "spend": 75, "clicks": 70, "impressions": 700, "conversions": 5},
    {"campaign": "g-2", "keyword": "blocked drain", "match_type": "exact", "day": "2026-03-09", "spend": 7, "clicks": 7, "impressions": 700, "conversions": 7}]');
SELECT lead_system.propose_actions();
SELECT lead_system.propose_actions();
SELECT * FROM log WHERE guard <> 'finding' ORDER BY 2, 3;
SELECT name, status, daily_budget FROM lead_system.ad_campaigns ORDER BY 1;

-- applied without approval up to ten percent, and only then
SELECT try('apply_action', log_of('change_bid', k(3)));
SELECT try('apply_action', log_of('change_bid', k(3)));
SELECT try('apply_action', log_of('change_bid', k(4)));
SELECT try('approve_action', log_of('change_bid', k(4)), 'go on');
SELECT try('approve_action', log_of('change_bid', k(4)));
SELECT try('apply_action', log_of('change_bid', k(4)));
SELECT try('reject_action', log_of('change_bid', k(4)));
SELECT try('reject_action', log_of('pause_keyword', k(2)), 'they are nice');
SELECT try('apply_action', log_of('pause_keyword', k(2)));
SELECT lead_system.apply_due_actions();
SELECT lead_system.set_config('ads.automatic', 'true');
SELECT lead_system.apply_due_actions();
SELECT keyword_text, max_cpc, status FROM lead_system.keywords ORDER BY 1;
SELECT name, status, paused_for FROM lead_system.ad_campaigns ORDER BY 1;
SELECT action_type, target, result, result_message FROM log WHERE guard <> 'finding' ORDER BY 1, 2;
SELECT lead_system.propose_actions();

-- the next day it goes on, and what was rejected may be proposed again; a campaign that somebody paused stays so
SET lead_system.now = '2026-03-11 15:00+00';
SELECT lead_system.propose_actions();
SELECT action_type, target, result FROM log WHERE result = 'pending' ORDER BY 1, 2;
SELECT lead_system.apply_due_actions();
SELECT name, status, paused_for FROM lead_system.ad_campaigns ORDER BY 1;
UPDATE lead_system.ad_campaigns SET status = 'paused' WHERE id = c(1);
SET lead_system.now = '2026-03-12 15:00+00';
SELECT lead_system.propose_actions();
UPDATE lead_system.ad_campaigns SET status = 'active' WHERE id = c(1);

-- limits of what agents propose: automatic, approval, a person, refused
SELECT lead_system.set_config('ads.automatic', 'false') \g /dev/null
SELECT lead_system.propose_action('optimizing', 'change_budget', c(2), 110) = log_of('change_budget', c(2)) AS proposed;
SELECT lead_system.propose_action('optimizing', 'change_budget', c(2), 110) = log_of('change_budget', c(2)) AS same;
SELECT try('propose_action', c(2), 'change_budget');
SELECT try('apply_action', log_of('change_budget', c(2)));
-- eleven percent more than 100: small steps count together, over a week
SELECT lead_system.propose_action('optimizing', 'change_budget', c(2), 111, '{"why": "more"}') IS NOT NULL AS proposed;
SELECT try('apply_action', log_of('change_budget', c(2)));
SELECT try('reject_action', log_of('change_budget', c(2)));
SELECT lead_system.propose_action('optimizing', 'change_budget', c(2), 121) IS NOT NULL AS proposed;
SELECT try('approve_action', log_of('change_budget', c(2)));
SELECT try('apply_action', log_of('change_budget', c(2)));
-- a person does it, and the proposal is closed
UPDATE lead_system.ad_campaigns SET daily_budget = 121 WHERE id = c(2);
SELECT try('apply_action', log_of('change_budget', c(2)));
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3), 2101) IS NOT NULL AS proposed;
SELECT try('approve_action', log_of('change_budget', c(3)));
SELECT try('apply_action', log_of('change_budget', c(3)));
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3), 1900) IS NOT NULL AS proposed;
SELECT from_value, to_value, guard, impact, result, result_message FROM log WHERE action_type = 'change_budget';
-- a step back counts from where it starts, too: from 60 to 101 is no step of one percent
UPDATE lead_system.ad_campaigns SET daily_budget = 60 WHERE id = c(2);
SELECT lead_system.propose_action('optimizing', 'change_budget', c(2), 101) IS NOT NULL AS proposed;
SELECT from_value, to_value, guard, impact FROM log WHERE to_value = 101;
-- what has changed since fails; a limit that was lowered holds
UPDATE lead_system.ad_campaigns SET daily_budget = 1990 WHERE id = c(3);
SELECT try('apply_action', log_of('change_budget', c(3)));
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3), 2000) IS NOT NULL AS proposed;
SELECT lead_system.set_config('ads.max_impact', '9') \g /dev/null
SELECT try('apply_action', log_of('change_budget', c(3)));
SELECT lead_system.set_config('ads.max_impact', NULL) \g /dev/null
-- proposals expire
SET lead_system.now = '2026-03-19 15:00+00';
SELECT try('approve_action', log_of('change_budget', c(3)));
SELECT try('apply_action', log_of('change_budget', c(3)));
SELECT lead_system.propose_actions();
SELECT result, completed_at FROM lead_system.ai_agent_logs WHERE id = log_of('change_budget', c(3));
-- refusals
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3));
SELECT lead_system.propose_action('optimizing', 'pause_campaign', c(3), 5);
SELECT lead_system.propose_action('optimizing', 'burn', c(3));
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3), 0.004);
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3), 'NaN');
SELECT lead_system.propose_action('optimizing', 'change_budget', c(3), 1990);
SELECT lead_system.propose_action('optimizing', 'resume_campaign', c(3));
SELECT lead_system.propose_action('optimizing', 'change_bid', c(3), 5);
SELECT lead_system.propose_action('nobody', 'pause_campaign', c(3));
SELECT lead_system.propose_action('optimizing', 'pause_campaign', c(3), action_data => '[]');
SELECT lead_system.approve_action(k(1));
SELECT lead_system.apply_action(NULL);
SELECT lead_system.apply_due_actions(0);
-- only managers decide
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES (:'org', c(91), 'ann', 'ann@example.com', 'rep'), (:'org', c(92), 'meg', 'meg@example.com', 'manager');
UPDATE lead_system.ad_campaigns SET daily_budget = 90 WHERE id = c(3);
SELECT lead_system.propose_action('cx', 'pause_campaign', c(3)) IS NOT NULL AS proposed;
SET app.current_user_id = '00000000-0000-4000-8000-000000000091';
SELECT try('approve_action', log_of('pause_campaign', c(3)));
SET app.current_user_id = '00000000-0000-4000-8000-000000000092';
SELECT try('approve_action', log_of('pause_campaign', c(3)));
RESET app.current_user_id;
SELECT result, decided_by = c(92) AS by_meg, decided_at FROM lead_system.ai_agent_logs WHERE id = log_of('pause_campaign', c(3));
-- a campaign that is gone
DELETE FROM lead_system.ad_campaigns WHERE id = c(3);
SELECT try('apply_action', log_of('pause_campaign', c(3)));

-- what agents did elsewhere
SELECT lead_system.log_agent_action('cx', 'send_review_request', '{"template": "review"}', lead_id => '00000000-0000-4000-8000-0000000002a1') IS NOT NULL AS logged;
SELECT lead_system.log_agent_action('cx', 'send_review_request', result => 'failed', result_message => 'no route', estimated_impact => '{"conversion_change": 2}') IS NOT NULL AS logged;
SELECT lead_system.log_agent_action('cx', 'send_review_request', result => 'pending');
SELECT lead_system.log_agent_action('cx', 'Send It');
SELECT lead_system.log_agent_action('cx', 'send_it', lead_id => k(1));
SELECT agent_name, action_type, action_data, guard, result, result_message, estimated_impact, lead_id IS NOT NULL AS lead FROM lead_system.ai_agent_logs WHERE guard = 'note' ORDER BY id;

-- workflows: definitions
CREATE FUNCTION workflow(config jsonb, status text DEFAULT 'active') RETURNS void LANGUAGE sql AS $$
    INSERT INTO lead_system.workflows (organization_id, id, workflow_name, workflow_type, config, status)
    VALUES (lead_system.current_org_id(), c(50), 'missed call', 'missed_call', config, status) $$;
SELECT workflow('[]');
SELECT workflow('{}');
SELECT workflow('{"steps": []}');
SELECT workflow('{"steps": {}}');
SELECT workflow('{"steps": [1]}');
SELECT workflow('{"steps": [{}]}');
SELECT workflow('{"steps": [[]]}');
SELECT workflow('{"steps": [{"action": "fax"}]}');
SELECT workflow('{"steps": [{"action": "sms", "delay_minutes": -1}]}');
SELECT workflow('{"steps": [{"action": "sms", "template": 1}]}');
SELECT workflow('{"steps": [{"action": "sms", "delay": 1}]}');
SELECT workflow('{"steps": [{"action": "sms"}], "retries": 3}');
SELECT workflow('{"steps": [{"action": "sms"}], "retry_minutes": [0]}');
SELECT workflow('{"steps": [{"action": "sms"}], "retry_minutes": 3}');
SELECT workflow('{"steps": [{"action": "sms"}], "settings": 3}');
SELECT workflow('{}', 'draft');
UPDATE lead_system.workflows SET status = 'active';
SELECT lead_system.record_workflow_run(c(50), 'early');
UPDATE lead_system.workflows SET status = 'active', config = '{"steps": [{"action": "sms", "template": "sorry"}, {"action": "email", "delay_minutes": 5}], "settings": {"from": "office"}}';
-- three retries, after 1, 5 and 15 minutes
CREATE VIEW runs AS SELECT r.run_key, r.status, r.failures, r.next_attempt_at, r.last_error, r.completed_at, w.total_triggered, w.total_completed, w.total_failed FROM lead_system.workflow_runs r JOIN lead_system.workflows w ON w.id = r.workflow_id;
SELECT lead_system.record_workflow_run(c(50), 'call-1', lead_id => '00000000-0000-4000-8000-0000000002a1') = lead_system.record_workflow_run(c(50), 'call-1') AS same;
SELECT lead_system.record_workflow_run(c(50), 'call-1', 'completed') = lead_system.record_workflow_run(c(50), 'call-1', 'completed') AS same;
SELECT lead_system.record_workflow_run(c(50), 'call-1', 'failed');
SELECT lead_system.record_workflow_run(c(50), 'call-2', 'failed', error => 'no route') \g /dev/null
SELECT lead_system.record_workflow_run(c(50), 'call-2', 'failed', error => 'told twice') \g /dev/null
SELECT * FROM runs ORDER BY 1;
SELECT run_key FROM lead_system.due_workflow_runs();
SET lead_system.now = '2026-03-19 15:01+00';
SELECT run_key, failures, due_at, last_error FROM lead_system.due_workflow_runs();
SELECT lead_system.record_workflow_run(c(50), 'call-2'), lead_system.record_workflow_run(c(50), 'call-2', 'failed') \g /dev/null
SELECT next_attempt_at FROM runs WHERE run_key = 'call-2';
SELECT lead_system.record_workflow_run(c(50), 'call-2'), lead_system.record_workflow_run(c(50), 'call-2', 'failed') \g /dev/null
SELECT next_attempt_at FROM runs WHERE run_key = 'call-2';
SELECT lead_system.record_workflow_run(c(50), 'call-2'), lead_system.record_workflow_run(c(50), 'call-2', 'failed', error => 'given up') \g /dev/null
SELECT * FROM runs ORDER BY 1;
-- a workflow of its own mind: no retries
UPDATE lead_system.workflows SET config = config || '{"retry_minutes": []}';
SELECT lead_system.record_workflow_run(c(50), 'call-3', 'failed') \g /dev/null
SELECT * FROM runs WHERE run_key = 'call-3';
SELECT lead_system.record_workflow_run(c(50), 'call-4', 'lost');
SELECT lead_system.record_workflow_run(c(50), NULL);
SELECT lead_system.record_workflow_run(c(51), 'call-4');
SELECT lead_system.record_workflow_run(c(50), 'call-4', lead_id => k(1));
SELECT lead_system.due_workflow_runs(0);

-- erasing the lead erases what was written about it
SELECT lead_system.erase_lead('00000000-0000-4000-8000-0000000002a1', 'asked for it') \g /dev/null
SELECT action_data, result_message FROM lead_system.ai_agent_logs WHERE lead_id IS NOT NULL;
SELECT run_key = id::text AS anonymous, last_error FROM lead_system.workflow_runs WHERE lead_id IS NOT NULL;
DELETE FROM lead_system.organizations WHERE id = :'org';
SELECT (SELECT count(*) FROM lead_system.ai_agent_logs) + (SELECT count(*) FROM lead_system.ad_campaign_days) + (SELECT count(*) FROM lead_system.workflow_runs) AS left_over;
DROP VIEW log, runs;
DROP FUNCTION c(int), k(int), try(text, uuid, text), log_of(text, uuid), workflow(jsonb, text);
