-- archive: leads out of the way and back, export, purge, retention.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set org 'd3000000-0000-4000-8000-00000000000a'
\set one 'd3000000-0000-4000-8000-0000000000b1'
\set calls 'd3000000-0000-4000-8000-0000000000c1'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Archive', 'recruiting');
SET app.current_org_id = :'org';
CREATE FUNCTION row_hashes() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r'
                AND (a.attname = 'lead_id' OR (c.relname = 'leads' AND a.attname = 'id')) ORDER BY 1 LOOP
        RETURN QUERY EXECUTE format('SELECT %L || '' '' || coalesce(to_jsonb(x) ->> ''id'', to_jsonb(x) ->> ''lead_id''), md5(x::text)'
            ' FROM lead_system.%I x WHERE x.organization_id = lead_system.current_org_id()', t, t);
    END LOOP;
END
$$;
-- 1 lost, 2 lost and in the queue, 3 cold by score, 4 warm and open, 5 lost and offered to nobody, 6 lost not long ago.
INSERT INTO lead_system.leads (organization_id, id, first_name, email, phone_number, source, source_id, status)
SELECT :'org', ('d3000000-0000-4000-8000-00000000000' || n)::uuid, 'lead ' || n, n || '@example.com', '+1202555010' || n, 'web', 'w' || n, 'new' FROM generate_series(1, 6) n;
SELECT lead_system.change_lead_status(id, 'cold', 'no interest') FROM lead_system.leads WHERE right(id::text, 1) IN ('1', '2', '5') ORDER BY id;
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'org', :'one', 'one');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT :'org', :'one', id FROM lead_system.leads WHERE right(id::text, 1) IN ('1', '2');
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'org', :'calls', 'calls', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'calls', :'one') IS NOT NULL AS given;
UPDATE lead_system.campaign_leads SET status = 'failed' WHERE lead_id = 'd3000000-0000-4000-8000-000000000001';
INSERT INTO lead_system.call_logs (organization_id, lead_id, caller_phone, called_phone, direction, status)
VALUES (:'org', 'd3000000-0000-4000-8000-000000000001', '+12025550199', '+12025550101', 'outbound', 'answered');
SELECT lead_system.add_lead_note('d3000000-0000-4000-8000-000000000001', 'a note') IS NOT NULL AS noted;
SELECT right(id::text, 1) AS lead, stage, temperature FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SET lead_system.now = '2026-05-31 14:59:59+00';
SELECT lead_system.change_lead_status('d3000000-0000-4000-8000-000000000006', 'cold', 'late');
SELECT lead_system.archive_leads();
CREATE TEMP TABLE before AS SELECT * FROM row_hashes();
SET lead_system.now = '2026-05-31 15:00:01+00';
SELECT lead_system.archive_leads(0);
SELECT lead_system.archive_leads(NULL);
SELECT lead_system.archive_leads(1);
SELECT lead_system.archive_leads();
SELECT right(id::text, 1) AS lead, first_name, email, phone_number, source_id, status, archived_at, exported_at,
       (SELECT jsonb_object_agg(key, jsonb_array_length(value)) FROM jsonb_each(children)) AS rows FROM lead_system.leads_archive WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT right(id::text, 1) AS lead, status FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT lead_count FROM lead_system.lead_lists;
SELECT total_leads, open_leads FROM lead_system.campaign_lead_lists;
SELECT count(*) FROM row_hashes() WHERE name LIKE '%d3000000-0000-4000-8000-000000000001';
-- Back, whole.
SELECT lead_system.restore_lead(NULL);
SELECT lead_system.restore_lead('d3000000-0000-4000-8000-000000000009');
SELECT lead_system.restore_lead(lead_id => id) FROM lead_system.leads_archive WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT name FROM (SELECT * FROM before EXCEPT SELECT * FROM row_hashes()) x ORDER BY 1;
SELECT lead_count FROM lead_system.lead_lists;
SELECT total_leads, open_leads FROM lead_system.campaign_lead_lists;
SELECT count(*) FROM lead_system.leads_archive;
-- A number that is listed meanwhile stays blocked; one that is taken is refused.
SELECT lead_system.archive_leads() > 0 AS archived;
SELECT lead_system.add_to_dnc_list('+12025550101', 'request') IS NOT NULL AS listed;
SELECT lead_system.restore_lead('d3000000-0000-4000-8000-000000000001');
SELECT do_not_call, status FROM lead_system.leads WHERE id = 'd3000000-0000-4000-8000-000000000001';
SELECT lead_system.upsert_lead('{"phone": "+12025550105", "first_name": "new"}') IS NOT NULL AS made;
SELECT lead_system.restore_lead('d3000000-0000-4000-8000-000000000005');
DELETE FROM lead_system.leads WHERE first_name = 'new';
-- Merging with one that was archived brings it back.
SELECT right(lead_system.upsert_lead('{"source": "web", "source_id": "w5", "notes": "again"}', 'merge')::text, 1) AS lead;
SELECT first_name, notes, phone_number FROM lead_system.leads WHERE id = 'd3000000-0000-4000-8000-000000000005';
-- Erasing one that was archived.
SET lead_system.now = '2026-12-01 15:00:00+00';
SELECT lead_system.archive_leads();
SELECT lead_system.erase_lead('d3000000-0000-4000-8000-000000000005', 'request');
SELECT first_name, phone_number, deleted_at FROM lead_system.leads WHERE id = 'd3000000-0000-4000-8000-000000000005';
SELECT count(*) FROM lead_system.leads_archive WHERE id = 'd3000000-0000-4000-8000-000000000005';
-- Purging: after the export, and after two years.
SELECT lead_system.export_archive_csv(0);
SET lead_system.now = '2029-01-01 15:00:00+00';
SELECT lead_system.purge_archived_leads();
SELECT left(line, 60) AS line FROM lead_system.export_archive_csv(1) line;
SELECT lead_system.purge_archived_leads(before => '2026-01-01');
SELECT lead_system.purge_archived_leads(before => '2000-01-01 00:00+00');
SELECT lead_system.purge_archived_leads();
SELECT count(*) FROM lead_system.leads_archive;
SELECT lead_system.set_config('archive.export_required', 'false');
SELECT lead_system.purge_archived_leads();
-- Retention: nothing by default; never what is kept by law.
SELECT lead_system.apply_retention();
SELECT lead_system.set_config('retention.activities_days', '30'), lead_system.set_config('retention.audit_log_days', '30');
SELECT lead_system.apply_retention(2);
SELECT lead_system.apply_retention() > 0 AS removed;
SELECT (SELECT count(*) FROM lead_system.activities) AS activities, (SELECT count(*) FROM lead_system.lead_audit_log) AS audit,
       (SELECT count(*) > 0 FROM lead_system.lead_status_history) AS statuses, (SELECT count(*) FROM lead_system.dnc_audit_log) AS dnc_audit;
-- Notifications that are over, not those that wait; counts of days gone by.
SET lead_system.now = '2029-01-01 15:00:00+00';
INSERT INTO lead_system.notifications (organization_id, lead_id, notification_type, body, status, sent_at, dedupe_key)
SELECT lead_system.current_org_id(), l.id, 'email', s, s, CASE s WHEN 'sent' THEN lead_system.clock_now() END, s
  FROM (SELECT id FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() ORDER BY id LIMIT 1) l, unnest(ARRAY['pending', 'sent', 'failed', 'dropped']) s;
SET lead_system.now = '2029-01-20 15:00:00+00';
UPDATE lead_system.notifications SET error_message = 'late' WHERE body = 'failed';
INSERT INTO lead_system.nurture_daily_counts (organization_id, day, channel, part, step_count)
SELECT lead_system.current_org_id(), day, 'sms', 0, 1 FROM unnest(ARRAY['2029-01-08', '2029-01-09', '2029-01-20']::date[]) day;
SELECT lead_system.apply_retention();
SELECT lead_system.set_config('retention.notifications_days', '10'), lead_system.set_config('retention.nurture_counts_days', '10');
SELECT lead_system.apply_retention();
SELECT body FROM lead_system.notifications WHERE dedupe_key IS NOT NULL ORDER BY id;
SELECT day FROM lead_system.nurture_daily_counts ORDER BY day;
SET lead_system.now = '2029-02-01 15:00:00+00';
SELECT lead_system.apply_retention();
SELECT body FROM lead_system.notifications WHERE dedupe_key IS NOT NULL ORDER BY id;
DROP TABLE before;
DROP FUNCTION row_hashes();
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd3000000%';
SELECT count(*) FROM lead_system.leads_archive;
