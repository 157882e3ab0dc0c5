-- merge: duplicates, merging, undoing it: results and errors.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set org 'd2000000-0000-4000-8000-00000000000a'
\set a 'd2000000-0000-4000-8000-000000000001'
\set b 'd2000000-0000-4000-8000-000000000002'
\set c 'd2000000-0000-4000-8000-000000000003'
\set one 'd2000000-0000-4000-8000-0000000000b1'
\set two 'd2000000-0000-4000-8000-0000000000b2'
\set calls 'd2000000-0000-4000-8000-0000000000c1'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Merge', 'recruiting');
SET app.current_org_id = :'org';
-- Every row of the organization that belongs to a lead, with its hash.
CREATE FUNCTION row_hashes() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r'
                AND (a.attname = 'lead_id' OR (c.relname = 'leads' AND a.attname = 'id'))
                AND c.relname NOT IN ('lead_merges', 'lead_merge_rows') ORDER BY 1 LOOP
        RETURN QUERY EXECUTE format('SELECT %L || '' '' || coalesce(to_jsonb(x) ->> ''id'', to_jsonb(x) ->> ''lead_id''), md5(x::text)'
            ' FROM lead_system.%I x WHERE x.organization_id = lead_system.current_org_id()', t, t);
    END LOOP;
END
$$;
INSERT INTO lead_system.leads (organization_id, id, first_name, last_name, company_name, email, phone_number, tags, call_count, metadata, notes, source, source_id)
VALUES (:'org', :'a', 'Ada', 'Example', 'Example Works', NULL, '+12025550101', '{x}', 2, '{"k": 1}', NULL, NULL, NULL),
       (:'org', :'b', 'ADA', 'Example', 'Example Works, Inc.', 'ada@example.com', '+12025550102', '{y,x}', 3, '{"k": 2, "j": 3}', 'older note', 'web', 'w1'),
       (:'org', :'c', 'Bob', 'Other', 'Other Ltd', 'bob@example.com', '+12025550103', '{}', 0, '{}', 'newer note', NULL, NULL);
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'org', :'one', 'one'), (:'org', :'two', 'two');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
VALUES (:'org', :'one', :'a'), (:'org', :'one', :'b'), (:'org', :'two', :'b'), (:'org', :'two', :'c');
INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (:'org', :'calls', 'calls', 'active');
SELECT lead_system.add_lead_list_to_campaign(:'calls', :'one') IS NOT NULL AS one, lead_system.add_lead_list_to_campaign(:'calls', :'two', 2) IS NOT NULL AS two;
INSERT INTO lead_system.call_logs (organization_id, lead_id, caller_phone, called_phone, direction, status)
VALUES (:'org', :'b', '+12025550199', '+12025550102', 'outbound', 'answered');
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest) VALUES (:'org', :'b', 20);
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES (:'org', :'b', 'd2000000-0000-4000-8000-0000000000e1', 'question');
SELECT lead_system.add_lead_note(:'b', 'of b') IS NOT NULL AS noted;
CREATE TEMP TABLE before AS SELECT * FROM row_hashes();
CREATE TEMP VIEW counts AS
SELECT name AS what, lead_count AS n FROM lead_system.lead_lists WHERE organization_id = lead_system.current_org_id()
UNION ALL SELECT m.name || ' in calls', s.total_leads * 100 + s.open_leads FROM lead_system.campaign_lead_lists s
  JOIN lead_system.lead_lists m ON m.organization_id = s.organization_id AND m.id = s.lead_list_id WHERE s.organization_id = lead_system.current_org_id();
SELECT * FROM counts ORDER BY 1;
SELECT * FROM lead_system.find_duplicate_leads();
SELECT lead_system.set_config('merge.similarity', '100');
SELECT * FROM lead_system.find_duplicate_leads();
-- What is refused.
SELECT lead_system.merge_leads(NULL, ARRAY[:'b']::uuid[]);
SELECT lead_system.merge_leads(:'a', NULL);
SELECT lead_system.merge_leads(:'a', '{}');
SELECT lead_system.merge_leads(:'a', ARRAY[:'a']::uuid[]);
SELECT lead_system.merge_leads(:'a', ARRAY[NULL]::uuid[]);
SELECT lead_system.merge_leads('d2000000-0000-4000-8000-000000000009', ARRAY[:'a']::uuid[]);
SELECT lead_system.merge_leads(:'a', ARRAY['d2000000-0000-4000-8000-000000000009']::uuid[]);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
ROLLBACK;
-- Merging.
SET lead_system.now = '2026-03-02 16:00:00+00';
SELECT lead_system.merge_leads(survivor => :'a', duplicates => ARRAY[:'c', :'b', :'b']::uuid[]) AS merge \gset
SELECT right(id::text, 1) AS lead, first_name, email, phone_number, tags, call_count, metadata, notes, source, source_id, last_activity_at, deleted_at FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT m.name, right(x.lead_id::text, 1) AS lead FROM lead_system.lead_list_members x JOIN lead_system.lead_lists m ON m.id = x.lead_list_id ORDER BY 1, 2;
SELECT right(lead_id::text, 1) AS lead, status, lead_score = (SELECT lead_score FROM lead_system.leads WHERE id = :'a') AS same_score FROM lead_system.campaign_leads;
SELECT * FROM counts ORDER BY 1;
SELECT right(lead_id::text, 1) AS lead, action_type FROM lead_system.activities ORDER BY 1, id;
SELECT table_name, right(subject_id::text, 1) AS lead, count(*) FILTER (WHERE row_after IS NOT NULL) AS kept, count(*) FILTER (WHERE row_before IS NOT NULL AND row_after IS NULL) AS dropped, sum(cardinality(moved_ids)) AS moved
  FROM lead_system.lead_merge_rows GROUP BY 1, 2 ORDER BY 1, 2;
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]);
UPDATE lead_system.lead_merges SET merged_by = NULL;
-- Undoing it: every row is what it was.
SET lead_system.now = '2026-03-02 17:00:00+00';
SELECT lead_system.unmerge_leads(NULL);
SELECT lead_system.unmerge_leads('d2000000-0000-4000-8000-000000000009');
SELECT lead_system.unmerge_leads(merge_id => :'merge');
SELECT name FROM (SELECT * FROM before EXCEPT SELECT * FROM row_hashes()) x ORDER BY 1;
SELECT * FROM counts ORDER BY 1;
SELECT lead_system.unmerge_leads(:'merge');
-- A chain is undone from its end.
SELECT lead_system.merge_leads(:'b', ARRAY[:'c']::uuid[]) AS first \gset
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS second \gset
SELECT lead_system.unmerge_leads(:'first');
SELECT lead_system.unmerge_leads(:'second');
SELECT lead_system.unmerge_leads(:'first');
SELECT name FROM (SELECT * FROM before EXCEPT SELECT * FROM row_hashes()) x ORDER BY 1;
-- What came since stays with the survivor; counters keep what came since.
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS merge \gset
UPDATE lead_system.leads SET call_count = call_count + 4, city = 'Springfield' WHERE id = :'a';
SELECT lead_system.add_lead_note(:'a', 'since') IS NOT NULL AS noted;
BEGIN;
UPDATE lead_system.leads SET tags = '{z}' WHERE id = :'a';
SELECT lead_system.unmerge_leads(:'merge');
ROLLBACK;
BEGIN;
UPDATE lead_system.leads SET deleted_at = NULL, phone_number = NULL, email = NULL, source_id = NULL WHERE id = :'b';
SELECT lead_system.unmerge_leads(:'merge');
ROLLBACK;
-- A number that is listed in the meantime stays blocked.
SELECT lead_system.add_to_dnc_list('+12025550102', 'request') IS NOT NULL AS listed;
SELECT lead_system.unmerge_leads(:'merge');
SELECT right(id::text, 1) AS lead, call_count, city, tags, do_not_call, status, deleted_at FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT right(lead_id::text, 1) AS lead, status FROM lead_system.campaign_leads ORDER BY 1;
SELECT right(lead_id::text, 1) AS lead, new_value FROM lead_system.activities WHERE action_type = 'note_added' ORDER BY 1, id;
-- A block of any blocks the survivor, and its queue.
SELECT lead_system.merge_leads(:'a', ARRAY[:'b']::uuid[]) AS merge \gset
SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = :'a';
SELECT right(lead_id::text, 1) AS lead, status FROM lead_system.campaign_leads ORDER BY 1;
-- Erasing the survivor erases whom was merged into it.
SELECT lead_system.erase_lead(:'a', 'request');
SELECT right(id::text, 1) AS lead, first_name, phone_number, notes FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT count(*) FROM lead_system.lead_merge_rows WHERE concat(row_before, row_after, row_restored) ~* 'ada|25550102' AND merge_id = :'merge';
SELECT lead_system.unmerge_leads(:'merge');
-- What other domains count: enrolments, assignments, milestones, who waits, smart lists.
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES ('d2000000-0000-4000-8000-00000000000c', 'Domains', 'recruiting');
SET app.current_org_id = 'd2000000-0000-4000-8000-00000000000c';
\set g 'd2000000-0000-4000-8000-0000000000a1'
\set h 'd2000000-0000-4000-8000-0000000000a2'
\set j 'd2000000-0000-4000-8000-0000000000a3'
\set k 'd2000000-0000-4000-8000-0000000000a4'
\set seq 'd2000000-0000-4000-8000-0000000000d1'
SELECT lead_system.set_config('assignment.strategy', '"capacity"'), lead_system.set_config('assignment.auto', 'true'), lead_system.set_config('assignment.drain', 'false');
INSERT INTO lead_system.users (organization_id, id, full_name, email, max_active_leads)
SELECT lead_system.current_org_id(), ('d2000000-0000-4000-8000-0000000001d' || n)::uuid, 'rep ' || n, 'rep' || n || '@example.com', 1 FROM generate_series(1, 2) n;
INSERT INTO lead_system.segments (organization_id, id, name, filter) VALUES (lead_system.current_org_id(), 'd2000000-0000-4000-8000-0000000000e1', 'town', '{"city": "Springfield"}');
INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id) VALUES (lead_system.current_org_id(), 'smart', 'smart', 'd2000000-0000-4000-8000-0000000000e1');
INSERT INTO lead_system.nurture_sequences (organization_id, id, name, steps, trigger_conditions) VALUES
    (lead_system.current_org_id(), :'seq', 'by hand', '[{"step": 1, "channel": "task", "delay_days": 3}]', NULL),
    (lead_system.current_org_id(), 'd2000000-0000-4000-8000-0000000000d2', 'by tag', '[{"step": 1, "channel": "task", "delay_days": 3}]', '{"tag": "called", "again": true}');
INSERT INTO lead_system.leads (organization_id, id, first_name, email, city, tags, assigned_to) VALUES
    (lead_system.current_org_id(), :'g', 'Gil', NULL, NULL, '{}', 'd2000000-0000-4000-8000-0000000001d1'),
    (lead_system.current_org_id(), :'h', 'Hal', 'hal@example.com', 'Springfield', '{called}', 'd2000000-0000-4000-8000-0000000001d2');
UPDATE lead_system.leads SET status = 'contacted' WHERE id IN (:'g', :'h');
INSERT INTO lead_system.leads (organization_id, id, first_name) VALUES (lead_system.current_org_id(), :'j', 'Jo'), (lead_system.current_org_id(), :'k', 'Kit');
SELECT lead_system.enroll_lead(:'seq', lead) IS NOT NULL AS enrolled FROM (VALUES (:'g'::uuid), (:'h')) v(lead);
SELECT lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'lead_id', :'h', 'body', 'hello')) IS NOT NULL AS queued;
DROP TABLE before;
CREATE TEMP TABLE before AS SELECT * FROM row_hashes();
CREATE TEMP VIEW domain_counts AS
SELECT 'enrolments ' || name AS what, concat_ws(' ', total_enrollments, active_enrollments, completed_enrollments) AS n FROM lead_system.nurture_sequences WHERE organization_id = lead_system.current_org_id()
UNION ALL SELECT 'leads of ' || full_name, concat_ws(' ', current_lead_count, total_leads_assigned, total_leads_contacted) FROM lead_system.users WHERE organization_id = lead_system.current_org_id()
UNION ALL SELECT 'members', lead_count::text FROM lead_system.lead_lists WHERE organization_id = lead_system.current_org_id()
UNION ALL SELECT 'waiting', count(*)::text FROM lead_system.waiting_leads WHERE organization_id = lead_system.current_org_id();
SELECT * FROM domain_counts ORDER BY 1;
SET lead_system.now = '2026-03-02 18:00:00+00';
SELECT lead_system.merge_leads(:'g', ARRAY[:'h']::uuid[]) AS first \gset
SELECT lead_system.merge_leads(:'j', ARRAY[:'k']::uuid[]) AS second \gset
SELECT * FROM domain_counts ORDER BY 1;
SELECT right(lead_id::text, 1) AS lead, status, cancel_reason FROM lead_system.lead_sequence_enrollments WHERE organization_id = lead_system.current_org_id() ORDER BY id;
SELECT right(lead_id::text, 1) AS lead, milestone FROM lead_system.lead_credits WHERE organization_id = lead_system.current_org_id() ORDER BY 1;
SELECT right(lead_id::text, 1) AS lead FROM lead_system.lead_list_members WHERE organization_id = lead_system.current_org_id();
SELECT lead_system.recount_user_counters() AS wrong_counters;
SET lead_system.now = '2026-03-02 19:00:00+00';
SELECT lead_system.unmerge_leads(:'second');
SELECT lead_system.unmerge_leads(:'first');
SELECT name FROM (SELECT * FROM before EXCEPT SELECT * FROM row_hashes()) x ORDER BY 1;
SELECT regexp_replace(name, ' .*', '') AS new FROM (SELECT * FROM row_hashes() EXCEPT SELECT * FROM before) x WHERE name !~ '^(activities|lead_audit_log)' ORDER BY 1;
SELECT * FROM domain_counts ORDER BY 1;
SELECT lead_system.recount_user_counters() AS wrong_counters;
DROP VIEW domain_counts;
-- A lead whose market is open is not merged.
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES ('d2000000-0000-4000-8000-00000000000b', 'Market', 'marketplace');
SET app.current_org_id = 'd2000000-0000-4000-8000-00000000000b';
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) SELECT lead_system.current_org_id(), ('d2000000-0000-4000-8000-0000000000f' || n)::uuid, 'lead', '+1202555011' || n FROM generate_series(1, 2) n;
SELECT lead_system.open_bidding('d2000000-0000-4000-8000-0000000000f1', 72);
SELECT lead_system.merge_leads('d2000000-0000-4000-8000-0000000000f2', ARRAY['d2000000-0000-4000-8000-0000000000f1']::uuid[]);
DROP VIEW counts;
DROP TABLE before;
DROP FUNCTION row_hashes();
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd2000000%';
SELECT (SELECT count(*) FROM lead_system.lead_merges) AS merges, (SELECT count(*) FROM lead_system.lead_merge_rows) AS rows;
