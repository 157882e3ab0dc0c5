-- advertising, automation: lost runs, alerts, retention, contractors.
SET lead_system.now = '2026-03-10 15:00+00';
SET timezone = 'UTC';
SELECT lead_system.create_organization('Upkeep', 'field_service') AS org \gset
SET app.current_org_id = :'org';
CREATE FUNCTION c(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid $$;
CREATE VIEW runs AS SELECT r.run_key, r.status, r.failures, r.next_attempt_at, r.last_error, w.total_triggered, w.total_completed, w.total_failed
  FROM lead_system.workflow_runs r JOIN lead_system.workflows w ON w.id = r.workflow_id ORDER BY 1;

-- a run whose program died is due again after an hour, and begins as a failure does
INSERT INTO lead_system.workflows (organization_id, id, workflow_name, workflow_type, config)
VALUES (:'org', c(50), 'missed call', 'missed_call', '{"steps": [{"action": "sms"}], "retry_minutes": [1]}');
SELECT lead_system.record_workflow_run(c(50), 'call-1') IS NOT NULL AS begun, lead_system.record_workflow_run(c(50), 'call-2') IS NOT NULL AS begun;
SELECT lead_system.record_workflow_run(c(50), 'call-2', 'completed') \g /dev/null
SET lead_system.now = '2026-03-10 15:59+00';
SELECT run_key FROM lead_system.due_workflow_runs();
SELECT lead_system.record_workflow_run(c(50), 'call-1') IS NOT NULL AS as_before;
SELECT * FROM runs;
SET lead_system.now = '2026-03-10 16:00+00';
SELECT run_key, failures, due_at FROM lead_system.due_workflow_runs();
SELECT lead_system.record_workflow_run(c(50), 'call-1') IS NOT NULL AS begun;
SELECT run_key FROM lead_system.due_workflow_runs();
SELECT * FROM runs;
SET lead_system.now = '2026-03-10 17:00+00';
SELECT run_key FROM lead_system.due_workflow_runs();
SELECT lead_system.record_workflow_run(c(50), 'call-1') IS NULL AS no_retries_left;
SELECT run_key FROM lead_system.due_workflow_runs();
SELECT * FROM runs;
-- one that is late may still be told of; 0 is never
SELECT lead_system.record_workflow_run(c(50), 'call-3') \g /dev/null
SELECT lead_system.set_config('automation.run_minutes', '0') \g /dev/null
SELECT lead_system.record_workflow_run(c(50), 'call-4') \g /dev/null
SET lead_system.now = '2026-03-10 19:00+00';
SELECT run_key FROM lead_system.due_workflow_runs();
SELECT lead_system.record_workflow_run(c(50), 'call-3', 'completed') IS NOT NULL AS told;
SELECT * FROM runs WHERE run_key IN ('call-3', 'call-4');

-- alerts: once of each lead, to who has it or the managers; not of what was late long ago
INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, daily_budget) VALUES (:'org', 'g-1', 'roofs', 50);
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_active) VALUES
    (:'org', c(91), 'ann', 'ann@example.com', 'rep', true), (:'org', c(92), 'meg', 'meg@example.com', 'manager', true),
    (:'org', c(93), 'bob', 'bob@example.com', 'rep', false), (:'org', c(94), 'kim', 'kim@example.com', 'contractor', true);
INSERT INTO lead_system.leads (organization_id, id, first_name, created_at, assigned_to) VALUES
    (:'org', c(1), 'of ann', '2026-03-08 18:59+00', c(91)), (:'org', c(2), 'of nobody', '2026-03-08 18:58+00', NULL),
    (:'org', c(3), 'of bob', '2026-03-08 18:57+00', c(93)), (:'org', c(4), 'in time', '2026-03-08 19:00+00', c(91)),
    (:'org', c(5), 'old', '2026-03-06 18:59+00', c(91)), (:'org', c(6), 'contacted', '2026-03-08 18:00+00', c(91));
UPDATE lead_system.leads SET last_contact_at = created_at WHERE id = c(6);
SELECT lead_system.set_config('ads.untouched_alerts', '2') \g /dev/null
CREATE VIEW told AS SELECT l.first_name, u.full_name, n.notification_type, n.payload FROM lead_system.notifications n
  JOIN lead_system.leads l ON l.id = n.lead_id JOIN lead_system.users u ON u.id = n.user_id WHERE n.template_name = 'untouched_lead' ORDER BY 1, 2, 3;
SELECT lead_system.run_ad_diagnostics('2026-03-10');
SELECT * FROM told;
SELECT lead_system.run_ad_diagnostics();
SELECT * FROM told;
SELECT lead_system.run_ad_diagnostics();
SELECT lead_system.run_ad_diagnostics();
SELECT * FROM told;
SELECT subject, body FROM lead_system.render_template('untouched_lead', c(1), c(91), '{"hours": "48"}');

-- contractors have no part in it
SET app.current_user_id = '00000000-0000-4000-8000-000000000094';
SELECT lead_system.record_ad_days('[]');
SELECT lead_system.run_ad_diagnostics();
SELECT lead_system.propose_actions();
SELECT lead_system.propose_action('optimizing', 'pause_campaign', id) FROM lead_system.ad_campaigns;
SELECT lead_system.apply_due_actions();
SELECT lead_system.log_agent_action('cx', 'ask');
SELECT lead_system.record_workflow_run(c(50), 'call-9');
RESET app.current_user_id;

-- a day that never ends
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "infinity", "spend": 5, "clicks": 4, "impressions": 9, "conversions": 1}]');

-- retention: what is over, but not the changes and the days that limits count by
SELECT lead_system.record_ad_days('[{"campaign": "g-1", "day": "2026-03-08", "spend": 5, "clicks": 4, "impressions": 9, "conversions": 1},
    {"campaign": "g-1", "day": "2026-03-09", "spend": 6, "clicks": 4, "impressions": 9, "conversions": 1}]');
SELECT lead_system.propose_action('optimizing', 'change_budget', id, 55) AS change FROM lead_system.ad_campaigns \gset
SELECT lead_system.apply_action(:'change');
SELECT lead_system.propose_action('optimizing', 'change_budget', id, 56) IS NOT NULL AS open FROM lead_system.ad_campaigns;
SET lead_system.now = '2027-03-11 15:00+00';
SELECT lead_system.apply_retention();
SELECT lead_system.set_config('retention.' || k || '_days', '1') FROM unnest(ARRAY['ad_days', 'agent_logs', 'workflow_runs']) k \g /dev/null
SELECT lead_system.apply_retention(2) > 0 AS cut, lead_system.apply_retention() > 0 AS cut, lead_system.apply_retention() AS none;
SELECT run_key, status FROM runs;
SELECT action_type, result FROM lead_system.ai_agent_logs ORDER BY id;
SELECT day FROM lead_system.ad_campaign_days;
SET lead_system.now = '2027-03-14 15:00+00';
SELECT lead_system.apply_retention();
SELECT action_type, result FROM lead_system.ai_agent_logs ORDER BY id;
SELECT total_spend, (SELECT count(*) FROM lead_system.ad_campaign_days) AS days FROM lead_system.ad_campaigns;

DELETE FROM lead_system.organizations WHERE id = :'org';
DROP VIEW runs, told;
DROP FUNCTION c(int);
