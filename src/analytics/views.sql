-- analytics: views.  Each reads as the caller; ratios are ratios of sums, and
-- NULL where there is nothing to divide by.

CREATE VIEW lead_system.user_dashboard WITH (security_invoker = true) AS
SELECT o.id AS organization_id, o.name AS business_name, o.status,
       s.plan_name, s.amount AS monthly_fee, s.status AS subscription_status,
       coalesce(f.ad_spend, 0) AS monthly_ad_spend, coalesce(f.leads, 0) AS monthly_leads,
       coalesce(f.bookings, 0) AS monthly_bookings, coalesce(f.revenue, 0) AS monthly_revenue,
       round(nullif(f.ad_spend, 0) / nullif(f.leads, 0), 2) AS avg_cpl,
       round(f.bookings::numeric / nullif(f.leads, 0) * 100, 2) AS avg_conversion_rate,
       round((f.revenue - f.ad_spend) / nullif(f.ad_spend, 0) * 100, 2) AS avg_roi,
       coalesce(c.campaigns, 0) AS active_campaigns
  FROM lead_system.organizations o
  LEFT JOIN LATERAL (
       SELECT x.plan_name, x.amount, x.status FROM lead_system.subscriptions x
        WHERE x.organization_id = o.id AND x.status = 'active'
        ORDER BY x.current_period_end DESC, x.id DESC LIMIT 1) s ON true
  LEFT JOIN LATERAL (
       SELECT sum(x.ad_spend) AS ad_spend, sum(x.leads_generated) AS leads, sum(x.leads_booked) AS bookings, sum(x.revenue) AS revenue
         FROM lead_system.financials x
        WHERE x.organization_id = o.id
          AND x.date >= date_trunc('month', lead_system.clock_now() AT TIME ZONE o.timezone)::date
          AND x.date <= (lead_system.clock_now() AT TIME ZONE o.timezone)::date) f ON true
  LEFT JOIN LATERAL (
       SELECT count(*) AS campaigns FROM lead_system.ad_campaigns x
        WHERE x.organization_id = o.id AND x.status = 'active') c ON true;
COMMENT ON VIEW lead_system.user_dashboard IS
    'One row per organization: its subscription, the money of this month by its own days, and how many advertising campaigns run. Rates are in per cent.';

CREATE VIEW lead_system.lead_pipeline WITH (security_invoker = true) AS
SELECT l.organization_id, l.status, count(*) AS count,
       sum(l.quoted_amount) AS total_quoted, sum(l.actual_amount) AS total_actual,
       avg(extract(epoch FROM l.completed_at - l.created_at) / 86400) AS avg_days_to_close
  FROM lead_system.organizations o
  JOIN lead_system.leads l ON l.organization_id = o.id
   AND l.created_at >= ((lead_system.clock_now() AT TIME ZONE o.timezone)::date - 30)::timestamp AT TIME ZONE o.timezone
 WHERE l.deleted_at IS NULL AND NOT l.is_spam
 GROUP BY l.organization_id, l.status;
COMMENT ON VIEW lead_system.lead_pipeline IS
    'Leads of the last 30 days of the organization, and of today, by status.';

CREATE VIEW lead_system.campaign_performance WITH (security_invoker = true) AS
SELECT c.organization_id, c.id AS ad_campaign_id, c.name AS campaign_name, c.daily_budget,
       c.total_spend, c.total_clicks, c.total_conversions,
       round(nullif(c.total_spend, 0) / nullif(c.total_conversions, 0), 2) AS cpl,
       round(c.total_conversions::numeric / nullif(c.total_clicks, 0) * 100, 2) AS conversion_rate
  FROM lead_system.ad_campaigns c
 WHERE c.status = 'active';
COMMENT ON VIEW lead_system.campaign_performance IS
    'Advertising campaigns that run: what a conversion costs, and how many per cent of the clicks convert.';

CREATE VIEW lead_system.campaign_lead_lists_with_stats WITH (security_invoker = true) AS
SELECT a.organization_id, a.id, a.campaign_id, c.name AS campaign_name, c.status AS campaign_status,
       a.lead_list_id, l.name AS lead_list_name, l.list_type, l.lead_count, a.priority, a.is_active,
       a.max_attempts_override, a.filter_criteria, a.total_leads, a.open_leads, a.contacted_leads, a.successful_leads,
       round(a.contacted_leads::numeric / nullif(a.total_leads, 0) * 100, 2) AS contact_rate,
       round(a.successful_leads::numeric / nullif(a.contacted_leads, 0) * 100, 2) AS conversion_rate,
       q.attempts, q.dnc_leads, q.failed_leads, q.pledged_amount, q.donated_amount, q.total_talk_time, q.last_attempt_at,
       a.assigned_at, a.completed_at, a.removed_at
  FROM lead_system.campaign_lead_lists a
  JOIN lead_system.campaigns c ON c.organization_id = a.organization_id AND c.id = a.campaign_id
  JOIN lead_system.lead_lists l ON l.organization_id = a.organization_id AND l.id = a.lead_list_id
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(x.attempts), 0) AS attempts, count(*) FILTER (WHERE x.status = 'dnc') AS dnc_leads,
              count(*) FILTER (WHERE x.status = 'failed') AS failed_leads,
              coalesce(sum(x.pledged_amount), 0) AS pledged_amount, coalesce(sum(x.donated_amount), 0) AS donated_amount,
              coalesce(sum(x.total_talk_time), 0) AS total_talk_time, max(x.last_attempt_at) AS last_attempt_at
         FROM lead_system.campaign_leads x
        WHERE x.organization_id = a.organization_id AND x.campaign_id = a.campaign_id AND x.lead_list_id = a.lead_list_id) q;
COMMENT ON VIEW lead_system.campaign_lead_lists_with_stats IS
    'The lists of campaigns, with what came of the leads that each of them owns. Rates are in per cent.';

CREATE VIEW lead_system.lead_lists_with_campaigns WITH (security_invoker = true) AS
SELECT l.organization_id, l.id, l.name, l.description, l.list_type, l.lead_count, l.is_archived, l.tags, l.metadata,
       l.created_by, l.created_at, l.updated_at, a.campaign_count, a.active_campaign_count, a.campaigns
  FROM lead_system.lead_lists l
 CROSS JOIN LATERAL (
       SELECT count(*) AS campaign_count, count(*) FILTER (WHERE c.status = 'active' AND x.is_active) AS active_campaign_count,
              coalesce(jsonb_agg(jsonb_build_object('campaign_id', c.id, 'name', c.name, 'status', c.status, 'priority', x.priority,
                'is_active', x.is_active, 'total_leads', x.total_leads, 'contacted_leads', x.contacted_leads,
                'successful_leads', x.successful_leads) ORDER BY x.assigned_at, x.id), '[]') AS campaigns
         FROM lead_system.campaign_lead_lists x
         JOIN lead_system.campaigns c ON c.organization_id = x.organization_id AND c.id = x.campaign_id
        WHERE x.organization_id = l.organization_id AND x.lead_list_id = l.id AND x.removed_at IS NULL) a;
COMMENT ON VIEW lead_system.lead_lists_with_campaigns IS
    'Lists, with the campaigns that each is in.';
