-- merge: what becomes of sequences that duplicates are in.
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set org 'd5000000-0000-4000-8000-00000000000a'
\set s 'd5000000-0000-4000-8000-000000000001'
\set d 'd5000000-0000-4000-8000-000000000002'
\set e 'd5000000-0000-4000-8000-000000000003'
\set won 'd5000000-0000-4000-8000-000000000004'
\set one 'd5000000-0000-4000-8000-0000000000d1'
\set two 'd5000000-0000-4000-8000-0000000000d2'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Sequences', 'recruiting');
SET app.current_org_id = :'org';
INSERT INTO lead_system.nurture_sequences (organization_id, id, name, steps)
SELECT :'org', v.id, v.name, '[{"step": 1, "channel": "task", "delay_days": 1}, {"step": 2, "channel": "task", "delay_days": 1}, {"step": 3, "channel": "task", "delay_days": 9}]' FROM (VALUES (:'one'::uuid, 'one'), (:'two', 'two')) v(id, name);
INSERT INTO lead_system.leads (organization_id, id, first_name, status, email_reply_count) VALUES
    (:'org', :'s', 'S', 'new', 0), (:'org', :'d', 'D', 'new', 0), (:'org', :'e', 'E', 'new', 2), (:'org', :'won', 'W', 'recruited', 0);
SELECT count(lead_system.enroll_lead(sequence, lead)) FROM (VALUES (:'two'::uuid, :'s'::uuid), (:'one', :'d'), (:'two', :'d'), (:'one', :'e')) v(sequence, lead);
CREATE TEMP VIEW enrolments AS
SELECT right(e.lead_id::text, 1) AS lead, s.name, e.status, e.current_step AS step, e.pause_reason, e.cancel_reason, e.next_step_scheduled_at::date AS next
  FROM lead_system.lead_sequence_enrollments e JOIN lead_system.nurture_sequences s ON s.id = e.sequence_id WHERE e.organization_id = :'org' ORDER BY e.id;
CREATE TEMP VIEW counts AS SELECT name, total_enrollments, active_enrollments, completed_enrollments FROM lead_system.nurture_sequences WHERE organization_id = :'org' ORDER BY 1;
-- E has come to the second step; a worker has that in hand, when the leads are merged.
SET lead_system.now = '2026-03-03 15:00:00+00';
SELECT lead_system.complete_step(c.enrollment_id, c.step) FROM lead_system.claim_due_steps() c WHERE c.lead_id = :'e';
SET lead_system.now = '2026-03-04 15:00:00+00';
SELECT c.enrollment_id AS claimed, c.step FROM lead_system.claim_due_steps() c WHERE c.lead_id = :'e' \gset
SELECT * FROM enrolments;
SELECT * FROM counts;
CREATE TEMP TABLE before AS SELECT e.id, e::text AS hash FROM lead_system.lead_sequence_enrollments e UNION ALL SELECT l.id, l::text FROM lead_system.leads l;
-- One goes on with the survivor, which had none, where it stands; the others end. Nobody has replied.
SELECT lead_system.merge_leads(:'s', ARRAY[:'d', :'e']::uuid[]) AS merge \gset
SELECT * FROM enrolments;
SELECT * FROM counts;
SELECT email_reply_count FROM lead_system.leads WHERE id = :'s';
SELECT lead_system.unmerge_leads(:'merge');
SELECT * FROM before EXCEPT SELECT id, hash FROM (SELECT e.id, e::text AS hash FROM lead_system.lead_sequence_enrollments e UNION ALL SELECT l.id, l::text FROM lead_system.leads l) x;
SELECT * FROM counts;
-- The worker is done; undoing the merge leaves that done, with the lead that it was of.
SELECT lead_system.merge_leads(:'s', ARRAY[:'d', :'e']::uuid[]) AS merge \gset
SELECT lead_system.complete_step(:'claimed', :step);
SELECT * FROM enrolments;
SELECT lead_system.unmerge_leads(:'merge');
SELECT * FROM enrolments;
SELECT * FROM counts;
-- A lead that is won, or blocked, is followed up no more.
BEGIN;
SELECT lead_system.merge_leads(:'won', ARRAY[:'e']::uuid[]) IS NOT NULL AS merged;
SELECT * FROM enrolments WHERE lead = '4';
ROLLBACK;
UPDATE lead_system.leads SET do_not_call = true WHERE id = :'d';
SELECT lead_system.merge_leads(:'s', ARRAY[:'d', :'e']::uuid[]) AS merge \gset
SELECT * FROM enrolments;
SELECT lead_system.unmerge_leads(:'merge');
SELECT * FROM enrolments;
SELECT * FROM counts;
DROP TABLE before;
DROP VIEW enrolments, counts;
DELETE FROM lead_system.organizations WHERE id = :'org';
