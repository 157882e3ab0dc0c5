-- Lists, campaigns and their queue as a good developer would write them in
-- PL/pgSQL: set-based, counts by statement triggers, claims with SKIP LOCKED.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;

CREATE FUNCTION bench.count_queue() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE bench.campaign_lead_lists a SET total_leads = a.total_leads + d.total, open_leads = a.open_leads + d.open
          FROM (SELECT organization_id, campaign_id, lead_list_id, count(*) AS total,
                       count(*) FILTER (WHERE status IN ('new', 'queued', 'calling')) AS open
                  FROM new_rows GROUP BY 1, 2, 3) d
         WHERE a.organization_id = d.organization_id AND a.campaign_id = d.campaign_id AND a.lead_list_id = d.lead_list_id;
    ELSE
        UPDATE bench.campaign_lead_lists a SET total_leads = a.total_leads + d.total, open_leads = a.open_leads + d.open
          FROM (SELECT organization_id, campaign_id, lead_list_id, sum(sign) AS total,
                       sum(sign) FILTER (WHERE status IN ('new', 'queued', 'calling')) AS open
                  FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) c
                 GROUP BY 1, 2, 3) d
         WHERE a.organization_id = d.organization_id AND a.campaign_id = d.campaign_id AND a.lead_list_id = d.lead_list_id
           AND (d.total <> 0 OR d.open <> 0);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER campaign_leads_after_insert AFTER INSERT ON bench.campaign_leads
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION bench.count_queue();
CREATE TRIGGER campaign_leads_after_update AFTER UPDATE ON bench.campaign_leads
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION bench.count_queue();

CREATE FUNCTION bench.add_list(p_campaign uuid, p_list uuid, p_priority integer) RETURNS uuid
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    assignment uuid;
BEGIN
    IF NOT EXISTS (SELECT FROM bench.campaigns c WHERE c.organization_id = org AND c.id = p_campaign AND c.status <> 'completed')
        OR NOT EXISTS (SELECT FROM bench.lead_lists l WHERE l.organization_id = org AND l.id = p_list AND NOT l.is_archived) THEN
        RAISE no_data_found USING MESSAGE = 'no such campaign or list';
    END IF;
    INSERT INTO bench.campaign_lead_lists AS a (organization_id, campaign_id, lead_list_id, priority)
    VALUES (org, p_campaign, p_list, p_priority)
    ON CONFLICT (organization_id, campaign_id, lead_list_id) DO UPDATE SET priority = excluded.priority, is_active = true
    RETURNING a.id INTO assignment;
    INSERT INTO bench.campaign_leads AS c (organization_id, campaign_id, lead_id, lead_list_id, list_priority, temperature_rank,
        lead_score, is_dialable, status)
    SELECT org, p_campaign, l.id, p_list, p_priority, bench.temperature_rank(l.temperature), l.lead_score,
           l.phone_number IS NOT NULL AND NOT l.is_spam,
           CASE WHEN l.do_not_call OR d.id IS NOT NULL THEN 'dnc' ELSE 'new' END
      FROM bench.lead_list_members m
      JOIN bench.leads l ON l.organization_id = org AND l.id = m.lead_id AND l.deleted_at IS NULL
      LEFT JOIN lead_system.dnc_list d ON d.organization_id = org AND d.phone_number = l.phone_number
           AND (d.expires_at IS NULL OR d.expires_at > now())
     WHERE m.organization_id = org AND m.lead_list_id = p_list
     ORDER BY m.lead_id
    ON CONFLICT (organization_id, campaign_id, lead_id) DO UPDATE
       SET lead_list_id = excluded.lead_list_id, list_priority = excluded.list_priority
     WHERE c.attempts = 0 AND excluded.list_priority < c.list_priority;
    RETURN assignment;
END
$$;

CREATE FUNCTION bench.claim(p_campaign uuid, p_limit integer)
    RETURNS TABLE (campaign_lead_id uuid, lead_id uuid, phone_number text, attempts integer)
    -- Without this it sorts the whole queue once the table has been analyzed: 50 ms a claim.
    LANGUAGE plpgsql SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
BEGIN
    UPDATE bench.campaign_leads SET status = 'queued', claimed_by = NULL, lease_until = NULL
     WHERE organization_id = org AND campaign_id = p_campaign AND status = 'calling' AND lease_until <= now();
    RETURN QUERY
    WITH next AS MATERIALIZED (
        SELECT c.id FROM bench.campaign_leads c
         WHERE c.organization_id = org AND c.campaign_id = p_campaign AND c.status IN ('new', 'queued') AND c.is_dialable AND NOT c.is_waiting
           AND c.next_attempt_at <= now()
           AND NOT EXISTS (SELECT FROM bench.leads l
                             JOIN lead_system.dnc_list d ON d.organization_id = org AND d.phone_number = l.phone_number
                              AND (d.expires_at IS NULL OR d.expires_at > now())
                            WHERE l.organization_id = org AND l.id = c.lead_id)
         ORDER BY c.list_priority, c.temperature_rank, c.lead_score DESC, c.last_attempt_at NULLS FIRST, c.added_at, c.id
         LIMIT p_limit FOR UPDATE SKIP LOCKED)
    UPDATE bench.campaign_leads c SET status = 'calling', lease_until = now() + interval '5 minutes'
      FROM next, bench.leads l
     WHERE c.organization_id = org AND c.id = next.id AND l.organization_id = org AND l.id = c.lead_id
    RETURNING c.id, c.lead_id, l.phone_number, c.attempts;
END
$$;

-- The two queues hold the same leads in the same order.
INSERT INTO bench.campaigns (organization_id, name, status, daily_cap)
SELECT lead_system.current_org_id(), 'round ' || r, 'active', NULL FROM generate_series(1, 20) r;
INSERT INTO lead_system.campaigns (organization_id, id, name, status, daily_cap)
SELECT organization_id, id, name, status, daily_cap FROM bench.campaigns;
