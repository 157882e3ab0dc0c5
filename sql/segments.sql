-- Filters of leads, segments, lists that follow them.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
-- a filter does not depend on the session's zone
SET timezone = 'America/New_York';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'a0000000-0000-4000-8000-000000000000'
INSERT INTO lead_system.organizations (id, name, default_region) VALUES (:'alpha', 'alpha ltd', 'US');
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.leads (organization_id, id, first_name, city, tags, call_count, budget_min, metadata, last_contact_at, status) VALUES
    (:'alpha', 'd0000000-0000-4000-8000-000000000001', 'Ada', 'Springfield', '{vip,new}', 5, 100, '{"size": 5, "utm": {"source": "news"}, "likes": ["a", "b"]}', '2026-03-01', 'New'),
    (:'alpha', 'd0000000-0000-4000-8000-000000000002', 'Ben', NULL, '{}', 0, NULL, '{"size": "7", "vip": true}', '2026-01-01', 'New'),
    (:'alpha', 'd0000000-0000-4000-8000-000000000003', 'Cy_', 'Shelbyville', '{old}', 2, 50.5, '{"size": "big", "likes": "a"}', NULL, 'Contacted'),
    (:'alpha', 'd0000000-0000-4000-8000-000000000004', 'Deleted', 'Springfield', '{vip}', 9, 10, '{}', NULL, 'New');
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE first_name = 'Deleted';

-- The same answer from the tree, from the SQL, and from the count.
CREATE FUNCTION pg_temp.ask(filter jsonb) RETURNS TABLE (leads text, condition text) LANGUAGE plpgsql AS $$
DECLARE
    by_sql text;
BEGIN
    condition := lead_system.explain_filter(filter);
    EXECUTE 'SELECT string_agg(left(first_name, 1), '''' ORDER BY first_name) FROM lead_system.leads WHERE ' || condition INTO by_sql;
    SELECT string_agg(left(l.first_name, 1), '' ORDER BY l.first_name) INTO leads
      FROM lead_system.leads l WHERE lead_system.filter_matches(filter, l);
    IF leads IS DISTINCT FROM by_sql OR coalesce(length(leads), 0) <> lead_system.count_leads(filter) THEN
        RAISE EXCEPTION 'tree %, SQL %, count %', leads, by_sql, lead_system.count_leads(filter);
    END IF;
    RETURN NEXT;
END
$$;
SELECT a.leads, a.condition FROM unnest(ARRAY[
    '{}',
    '{"status": "New"}',
    '{"status": ["New", "Contacted"], "call_count": {"gte": 2}}',
    '{"city": {"ne": "Springfield"}}',
    '{"not": {"city": "Springfield"}}',
    '{"city": {"is_null": true}}',
    '{"city": {"exists": true}}',
    '{"city": {"not_in": ["Ogdenville"]}}',
    '{"or": [{"city": "Springfield"}, {"call_count": 0}], "category": "Unrated"}',
    '{"tags": {"contains_any": ["vip", "old"]}}',
    '{"tags": {"contains_all": ["vip", "new"]}}',
    '{"tags": {"contains_none": ["vip"]}}',
    '{"last_contact": {"gte": "-30d"}}',
    '{"last_contact": {"within_days": 7}}',
    '{"last_contact": {"older_than_days": 30}}',
    '{"last_contact": {"before": "2026-02-01"}}',
    '{"created_at": {"between": ["2026-03-02T14:00:00Z", "now"]}}',
    '{"first_name": {"starts_with": "A"}}',
    '{"first_name": {"ends_with": "_"}}',
    '{"first_name": {"contains": "e"}}',
    '{"first_name": {"like": "_d%"}}',
    '{"first_name": {"ilike": "ADA"}}',
    '{"first_name": {"gt": "B"}}',
    '{"budget_min": {"between": [50.5, 100]}}',
    '{"metadata.size": {"gte": 5}}',
    '{"metadata.size": 7}',
    '{"metadata.size": "big"}',
    '{"metadata.utm.source": "news"}',
    '{"metadata.vip": true}',
    '{"metadata.likes": {"contains_any": ["a"]}}',
    '{"metadata.likes": {"contains_none": ["z"]}}',
    '{"metadata.size": {"exists": false}}',
    '{"is_spam": false, "and": [{"first_name": "Ada"}, {"not": {"or": [{"city": "x"}, {"call_count": {"lt": 1}}]}}]}'
]::jsonb[]) f(filter), pg_temp.ask(f.filter) a;

-- What is wrong with a filter is said when it is read.
\set VERBOSITY default
SELECT lead_system.explain_filter('{"lead_scor": 5}');
SELECT lead_system.explain_filter('{"wholly_unlike": 5}');
SELECT lead_system.explain_filter('{"status.x": 5}');
SELECT lead_system.explain_filter('{"metadata..x": 5}');
SELECT lead_system.explain_filter('{"organization_id": "x"}');
SELECT lead_system.explain_filter('{"lead_score": {"above": 5}}');
SELECT lead_system.explain_filter('{"lead_score": {"like": "5%"}}');
SELECT lead_system.explain_filter('{"tags": "vip"}');
SELECT lead_system.explain_filter('{"lead_score": "many"}');
SELECT lead_system.explain_filter('{"lead_score": 79.5}');
SELECT lead_system.explain_filter('{"lead_score": {}}');
SELECT lead_system.explain_filter('{"lead_score": []}');
SELECT lead_system.explain_filter('{"lead_score": {"between": [1]}}');
SELECT lead_system.explain_filter('{"city": null}');
SELECT lead_system.explain_filter('{"city": true}');
SELECT lead_system.explain_filter('{"category": "boiling"}');
SELECT lead_system.explain_filter('{"created_at": "tomorrow"}');
SELECT lead_system.explain_filter('{"created_at": "-30x"}');
SELECT lead_system.explain_filter('{"created_at": "2026-02-30"}');
SELECT lead_system.explain_filter('{"created_at": {"within_days": -1}}');
SELECT lead_system.explain_filter('{"first_name": {"like": "x\\"}}');
SELECT lead_system.explain_filter('{"or": []}');
SELECT lead_system.explain_filter('{"not": 5}');
SELECT lead_system.explain_filter('[1]');

-- Any record with the columns will do.
SELECT lead_system.filter_matches('{"status": "New"}', r) FROM (SELECT 5 AS n, 'New'::text AS status) r;
SELECT lead_system.filter_matches('{"status": "New"}', r) FROM (SELECT 5 AS n) r;
SELECT lead_system.filter_matches('{"status": "New"}', r) FROM (SELECT 5 AS status) r;
SELECT lead_system.filter_matches('{"status": "New"}', r) FROM (SELECT 'New'::text AS status, now() AS deleted_at) r;
-- So do rows of a table that was altered, with columns that came and went since they were written.
BEGIN;
ALTER TABLE lead_system.leads ADD COLUMN shoe_size integer DEFAULT 40;
SELECT first_name, lead_system.filter_matches('{"call_count": {"gte": 2}}', l) FROM lead_system.leads l ORDER BY 1;
ALTER TABLE lead_system.leads DROP COLUMN shoe_size, DROP COLUMN city;
SELECT first_name, lead_system.filter_matches('{"call_count": {"gte": 2}}', l) FROM lead_system.leads l ORDER BY 1;
ALTER TABLE lead_system.leads ADD COLUMN city text DEFAULT 'Ogdenville';
SELECT first_name, lead_system.filter_matches('{"city": "Ogdenville"}', l) FROM lead_system.leads l ORDER BY 1;
-- Also when it is altered between two calls of one expression.
DO $$
DECLARE
    lead lead_system.leads;
BEGIN
    FOR i IN 1..3 LOOP
        SELECT * INTO lead FROM lead_system.leads l WHERE l.first_name = 'Ada';
        ASSERT lead_system.filter_matches('{"city": "Ogdenville"}', lead);
        EXECUTE format('ALTER TABLE lead_system.leads ADD COLUMN shoe_%s text DEFAULT ''x''', i);
    END LOOP;
END
$$;
ROLLBACK;

-- Segments.
\set VERBOSITY terse
INSERT INTO lead_system.segments (organization_id, id, name, filter, is_public) VALUES
    (:'alpha', 'e0000000-0000-4000-8000-000000000001', 'Busy', '{"call_count": {"gte": 2}}', true),
    (:'alpha', 'e0000000-0000-4000-8000-000000000002', 'Recent', '{"last_contact": {"within_days": 7}}', true);
INSERT INTO lead_system.segments (organization_id, name, filter) VALUES (:'alpha', 'Broken', '{"call_cont": 1}');
INSERT INTO lead_system.segments (organization_id, name, filter) VALUES (:'alpha', 'Busy', '{}');
SELECT count(*) FROM lead_system.segment_leads('e0000000-0000-4000-8000-000000000001');
SELECT lead_system.refresh_segment_count('e0000000-0000-4000-8000-000000000001');
SELECT name, lead_count, last_calculated_at FROM lead_system.segments ORDER BY name;
SELECT lead_system.segment_leads('e0000000-0000-4000-8000-00000000ffff');

-- Lists.
INSERT INTO lead_system.lead_lists (organization_id, id, name, list_type, segment_id) VALUES
    (:'alpha', 'c0000000-0000-4000-8000-000000000001', 'Smart', 'smart', 'e0000000-0000-4000-8000-000000000001'),
    (:'alpha', 'c0000000-0000-4000-8000-000000000002', 'Dynamic', 'dynamic', 'e0000000-0000-4000-8000-000000000001'),
    (:'alpha', 'c0000000-0000-4000-8000-000000000003', 'Recent', 'smart', 'e0000000-0000-4000-8000-000000000002');
CREATE VIEW pg_temp.members AS
    SELECT l.name, l.lead_count, string_agg(left(d.first_name, 1), '' ORDER BY d.first_name) AS members
      FROM lead_system.lead_lists l
      LEFT JOIN lead_system.lead_list_members m ON m.lead_list_id = l.id AND m.organization_id = l.organization_id
      LEFT JOIN lead_system.leads d ON d.id = m.lead_id AND d.organization_id = m.organization_id
     GROUP BY l.name, l.lead_count;
SELECT * FROM pg_temp.members ORDER BY name;
UPDATE lead_system.leads SET call_count = 3 WHERE first_name = 'Ben';
UPDATE lead_system.leads SET city = 'Ogdenville', call_count = 0 WHERE first_name = 'Ada';
UPDATE lead_system.leads SET notes = 'not read by a filter' WHERE first_name = 'Ben';
INSERT INTO lead_system.leads (organization_id, first_name, call_count, last_contact_at) VALUES (:'alpha', 'Eve', 7, '2026-03-02');
SELECT * FROM pg_temp.members ORDER BY name;
SELECT left(l.first_name, 1) AS lead, a.action_type, c.name FROM lead_system.activities a
  JOIN lead_system.leads l ON l.id = a.lead_id JOIN lead_system.lead_lists c ON c.id = (a.new_value ->> 'lead_list_id')::uuid
 WHERE a.action_type LIKE 'list%' ORDER BY c.name, 1, 2;
SELECT count(*) FROM lead_system.lead_list_leads('c0000000-0000-4000-8000-000000000002');
-- A changed filter, a deleted lead, one that comes back, one that is removed for good.
UPDATE lead_system.segments SET filter = '{"call_count": {"gte": 3}}' WHERE name = 'Busy';
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE first_name = 'Eve';
SELECT * FROM pg_temp.members ORDER BY name;
UPDATE lead_system.leads SET deleted_at = NULL WHERE first_name = 'Deleted';
DELETE FROM lead_system.leads WHERE first_name = 'Ben';
SELECT * FROM pg_temp.members ORDER BY name;
-- As the time goes by.
SET lead_system.now = '2026-03-20 15:00:00+00';
SELECT lead_system.refresh_smart_lists(), lead_system.refresh_smart_lists() AS again;
SELECT * FROM pg_temp.members ORDER BY name;
SELECT lead_system.refresh_lead_list('c0000000-0000-4000-8000-000000000001');
SELECT lead_system.refresh_lead_list('c0000000-0000-4000-8000-000000000002');
-- Their members are nobody else's business; a list stays what it is.
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) VALUES (:'alpha', 'c0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000003');
DELETE FROM lead_system.lead_list_members;
UPDATE lead_system.lead_lists SET list_type = 'static', segment_id = NULL WHERE name = 'Smart';
DELETE FROM lead_system.segments WHERE name = 'Busy';
INSERT INTO lead_system.lead_lists (organization_id, name, list_type) VALUES (:'alpha', 'Smart without', 'smart');

-- Campaigns.
INSERT INTO lead_system.campaigns (organization_id, id, name, dedupe_by_phone) VALUES (:'alpha', 'ca000000-0000-4000-8000-000000000001', 'Spring', false);
UPDATE lead_system.segments SET filter = '{"first_name": {"exists": true}}' WHERE name = 'Busy';
SELECT lead_system.add_matching_leads_to_campaign('ca000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000002', '{"call_count": {"gt": 100}}') AS assignment \gset
SELECT count(*) FROM lead_system.campaign_leads;
UPDATE lead_system.campaign_lead_lists SET filter_criteria = '{"call_count": {"lt": 9}}';
SELECT lead_system.add_lead_list_to_campaign('ca000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000002') = :'assignment' AS same;
SELECT l.first_name FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.id = c.lead_id ORDER BY 1;
SELECT lead_system.add_matching_leads_to_campaign('ca000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000002', '{}') = :'assignment' AS same;
SELECT l.first_name FROM lead_system.campaign_leads c JOIN lead_system.leads l ON l.id = c.lead_id ORDER BY 1;
UPDATE lead_system.campaign_lead_lists SET filter_criteria = '{"nothing": 1}';
DELETE FROM lead_system.lead_lists WHERE name = 'Dynamic';
DELETE FROM lead_system.lead_lists WHERE name = 'Smart';
DELETE FROM lead_system.segments WHERE name = 'Busy';
DELETE FROM lead_system.organizations WHERE id = :'alpha';
