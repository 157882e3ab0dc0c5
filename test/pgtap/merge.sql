-- Merging and the archive: which tables are moved, and who may do it.
BEGIN;
-- Foremost, while nothing is locked: other tests write leads meanwhile.
CREATE TABLE lead_system.tap_of_leads (organization_id uuid NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(), lead_id uuid NOT NULL, note text,
    PRIMARY KEY (id, organization_id), UNIQUE (organization_id, lead_id, note), FOREIGN KEY (lead_id, organization_id) REFERENCES lead_system.leads (id, organization_id));
CREATE TABLE lead_system.tap_history (organization_id uuid NOT NULL, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), lead_id uuid NOT NULL);
CREATE TABLE lead_system.tap_below (organization_id uuid NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(), parent uuid NOT NULL,
    PRIMARY KEY (id, organization_id), FOREIGN KEY (parent, organization_id) REFERENCES lead_system.tap_of_leads (id, organization_id));
\ir lib/two_organizations.sql

SELECT no_plan();

-- Every table with rows of leads is moved, whoever made it: a new one, too.
SELECT set_config('app.current_org_id', :'alpha', true) \g /dev/null
\set kept 'a0000000-0000-4000-8000-0000000000d1'
\set gone 'a0000000-0000-4000-8000-0000000000d2'
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number, created_at)
VALUES (:'alpha', :'kept', 'kept', '+12125550181', '2020-01-01'), (:'alpha', :'gone', 'gone', '+12125550182', '2020-01-01');
INSERT INTO lead_system.tap_of_leads (organization_id, lead_id, note) VALUES (:'alpha', :'kept', 'a'), (:'alpha', :'gone', 'b');
INSERT INTO lead_system.tap_history (organization_id, lead_id) VALUES (:'alpha', :'gone');
INSERT INTO lead_system.tap_below (organization_id, parent) SELECT organization_id, id FROM lead_system.tap_of_leads WHERE lead_id = :'gone';
CREATE TEMP TABLE was AS SELECT md5(t::text) FROM lead_system.tap_of_leads t UNION ALL SELECT md5(t::text) FROM lead_system.tap_history t UNION ALL SELECT md5(t::text) FROM lead_system.tap_below t;
SELECT lead_system.merge_leads(:'kept', ARRAY[:'gone'::uuid]) AS merge \gset
SELECT results_eq('SELECT count(*)::int FROM lead_system.tap_of_leads WHERE lead_id = ''a0000000-0000-4000-8000-0000000000d1''', ARRAY[2], 'rows of a table that refers to leads are moved');
SELECT results_eq('SELECT count(*)::int FROM lead_system.tap_history WHERE lead_id = ''a0000000-0000-4000-8000-0000000000d1''', ARRAY[1], 'and those of one that has lead_id only');
SELECT is_empty(format('SELECT 1 FROM lead_system.%I WHERE lead_id = %L AND %s', c.relname, :'gone',
    CASE c.relname WHEN 'activities' THEN 'action_type NOT IN (''merged'', ''lead_deleted'')' WHEN 'lead_audit_log' THEN 'field_name <> ''deleted_at''' ELSE 'true' END),
    format('the lead that was merged has no rows left in %s', c.relname))
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'lead_id'
 WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname;
SELECT lead_system.unmerge_leads(:'merge') \g /dev/null
SELECT set_eq('SELECT md5(t::text) FROM lead_system.tap_of_leads t UNION ALL SELECT md5(t::text) FROM lead_system.tap_history t UNION ALL SELECT md5(t::text) FROM lead_system.tap_below t',
    'SELECT * FROM was', 'and gets them back as they were');
UPDATE lead_system.leads SET last_activity_at = '2020-01-02' WHERE id = :'gone';
SELECT lead_system.change_lead_status(:'gone', 'Disqualified', 'no') \g /dev/null
SET LOCAL lead_system.now = '2031-01-01 00:00+00';
SELECT ok(lead_system.archive_leads() > 0, 'leads are archived');
SELECT results_eq('SELECT (SELECT count(*)::int FROM lead_system.tap_of_leads) + (SELECT count(*)::int FROM lead_system.tap_history) + (SELECT count(*)::int FROM lead_system.tap_below)',
    ARRAY[0], 'what belongs to them, and what belongs to that, goes along');
SELECT lead_system.restore_lead(id) FROM lead_system.leads_archive WHERE organization_id = :'alpha' AND id IN (:'kept', :'gone') \g /dev/null
SELECT set_eq('SELECT md5(t::text) FROM lead_system.tap_of_leads t UNION ALL SELECT md5(t::text) FROM lead_system.tap_history t UNION ALL SELECT md5(t::text) FROM lead_system.tap_below t',
    'SELECT * FROM was', 'and comes back as it was');

SELECT * FROM finish();
ROLLBACK;
