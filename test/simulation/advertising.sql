-- Advertising: the platform reports, agents propose, a manager decides; programs report their runs.

CREATE FUNCTION sim.make_ads(o sim.orgs) RETURNS void LANGUAGE sql AS $$
    INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, daily_budget)
    SELECT o.id, 'g-' || n, 'Campaign ' || n, 60 + 20 * n FROM generate_series(1, 3) n;
    INSERT INTO lead_system.keywords (organization_id, campaign_id, keyword_text, match_type, max_cpc)
    SELECT o.id, c.id, k, 'exact', 2 FROM lead_system.ad_campaigns c, unnest('{roof repair,roof pictures}'::text[]) k WHERE c.organization_id = o.id ORDER BY c.external_id, k;
    INSERT INTO lead_system.workflows (organization_id, workflow_name, workflow_type, config)
    VALUES (o.id, 'Sorry', 'missed_call', '{"steps": [{"action": "sms", "template": "sorry"}], "retry_minutes": [5, 10]}');
    SELECT lead_system.set_config('ads.automatic', to_jsonb(o.n <> 1));
$$;

-- The figures of the day so far, as the platform has them: the same day again is replaced.
CREATE FUNCTION sim.report_ads(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    today date := (SELECT (lead_system.clock_now() AT TIME ZONE timezone)::date FROM lead_system.organizations WHERE id = o.id);
    days jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('campaign', c.external_id, 'day', today, 'spend', 20 + sim.dice(100), 'clicks', 20 + sim.dice(40), 'impressions', 500, 'conversions', CASE WHEN sim.chance(60) THEN 1 + sim.dice(4) ELSE 0 END) ORDER BY c.external_id)
      INTO days FROM lead_system.ad_campaigns c WHERE c.organization_id = o.id;
    SELECT days || jsonb_agg(jsonb_build_object('campaign', c.external_id, 'keyword', k.keyword_text, 'match_type', k.match_type, 'day', today, 'spend', 10, 'clicks', 10 + sim.dice(20), 'impressions', 200,
           'conversions', CASE WHEN k.keyword_text = 'roof repair' THEN 2 + sim.dice(2) ELSE 0 END) ORDER BY c.external_id, k.keyword_text)
      INTO days FROM lead_system.keywords k JOIN lead_system.ad_campaigns c ON c.organization_id = o.id AND c.id = k.campaign_id WHERE k.organization_id = o.id;
    PERFORM sim.try('advertising reported', '{}', 'SELECT lead_system.record_ad_days(%L)', days::text);
END
$$;

-- A manager decides about some of the proposals; what was decided is applied, by hand or by maintenance.
CREATE FUNCTION sim.decide(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT a.id, a.guard, a.result FROM lead_system.ai_agent_logs a WHERE a.organization_id = o.id AND a.result IN ('pending', 'approved') ORDER BY a.id LOOP
        CASE sim.word('{approve,apply,reject,later,later}')
        WHEN 'approve' THEN PERFORM sim.try('proposal approved', '{55000,LS060,LS061,LS062,42501}', 'SELECT lead_system.approve_action(%L)', p.id::text);
        WHEN 'apply' THEN PERFORM sim.try('proposal applied', '{55000,LS060,LS061,LS062,42501}', 'SELECT lead_system.apply_action(%L)', p.id::text);
        WHEN 'reject' THEN PERFORM sim.try('proposal rejected', '{55000}', 'SELECT lead_system.reject_action(%L)', p.id::text) WHERE sim.chance(40);
        ELSE NULL;
        END CASE;
    END LOOP;
END
$$;

CREATE FUNCTION sim.run_workflows(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    workflow text := (SELECT w.id FROM lead_system.workflows w WHERE w.organization_id = o.id);
    r record;
BEGIN
    PERFORM sim.try('workflow ' || how, '{}', 'SELECT lead_system.record_workflow_run(%L, %L, %L)', workflow, 'run ' || lead_system.clock_now(), how) FROM sim.word('{started,completed,failed,failed}') how;
    FOR r IN SELECT * FROM lead_system.due_workflow_runs() LOOP
        PERFORM sim.try('workflow again ' || how, '{}', 'SELECT lead_system.record_workflow_run(%L, %L, %L)', workflow, r.run_key, how) FROM sim.word('{completed,failed}') how;
    END LOOP;
END
$$;

-- Totals are the sums of the days; nothing beyond the limits was ever carried out.
CREATE FUNCTION sim.ad_faults(o sim.orgs) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'totals of ' || c.name FROM lead_system.ad_campaigns c WHERE c.organization_id = o.id AND (c.total_spend, c.total_clicks, c.total_conversions) <>
           (SELECT coalesce(sum(d.spend), 0), coalesce(sum(d.clicks), 0)::bigint, coalesce(sum(d.conversions), 0)::bigint FROM lead_system.ad_campaign_days d WHERE d.organization_id = o.id AND d.campaign_id = c.id)
    UNION ALL
    SELECT 'proposal ' || a.id || ' was ' || a.guard || ', and carried out' FROM lead_system.ai_agent_logs a WHERE a.organization_id = o.id AND a.result = 'success' AND (a.guard = 'refused' OR (a.guard = 'approval' AND a.decided_at IS NULL)
        OR (a.action_type = 'change_bid' AND a.guard = 'automatic' AND abs(a.to_value - a.from_value) > 0.101 * a.from_value))
    UNION ALL
    SELECT 'several proposals are open: ' || action_type FROM lead_system.ai_agent_logs WHERE organization_id = o.id AND result IN ('pending', 'approved') AND target_id IS NOT NULL GROUP BY action_type, target_id HAVING count(*) > 1
    UNION ALL
    SELECT 'runs of workflow ' || w.workflow_name FROM lead_system.workflows w WHERE w.organization_id = o.id AND (w.total_triggered, w.total_completed, w.total_failed) <>
           (SELECT (count(*))::integer, (count(*) FILTER (WHERE r.status = 'completed'))::integer, (count(*) FILTER (WHERE r.status = 'failed'))::integer FROM lead_system.workflow_runs r WHERE r.organization_id = o.id AND r.workflow_id = w.id)
$$;
