-- marketplace: a lead and its listing as one row.

CREATE VIEW lead_system.marketplace_leads WITH (security_invoker = true) AS
SELECT l.organization_id, l.id, l.category_id, l.title, l.description,
       nullif(concat_ws(' ', l.first_name, l.last_name), '') AS customer_name,
       l.email AS customer_email, l.phone_number AS customer_phone, l.zip_code AS customer_zip_code,
       l.budget_min, l.budget_max, l.urgency AS urgency_level, s.service_area_radius_km,
       l.source AS lead_source, s.base_lead_cost, l.status, l.created_at, l.updated_at,
       s.bidding_opens_at, s.bidding_closes_at, s.bidding_closed_at, s.winner_bid_id, l.metadata, l.is_qualified
  FROM lead_system.leads l
  JOIN lead_system.lead_listings s ON s.organization_id = l.organization_id AND s.lead_id = l.id
 WHERE l.deleted_at IS NULL;
COMMENT ON VIEW lead_system.marketplace_leads IS
    'Leads that are offered to contractors, with their listings, under the column names of the marketplace''s design document.';
