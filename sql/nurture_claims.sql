-- nurture_claims: a claim of several rounds is one claim; what a worker reports is cut.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
SELECT lead_system.create_organization('Rounds') AS org \gset
SET app.current_org_id = :'org';
CREATE FUNCTION id(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('d7000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid $$;
INSERT INTO lead_system.nurture_sequences (organization_id, id, name, steps) VALUES
    (:'org', id(1), 'first',  '[{"step": 1, "channel": "task"}]'),
    (:'org', id(2), 'second', '[{"step": 1, "channel": "task"}]'),
    (:'org', id(3), 'nobody', '[{"step": 1, "channel": "task", "conditions": {"source": "fair"}}]'),
    (:'org', id(4), 'none',   '[{"step": 1, "channel": "task", "conditions": {"source": "fair"}}]');
INSERT INTO lead_system.leads (organization_id, id, first_name, source) SELECT :'org', id(10 + n), 'Lead ' || n, 'web' FROM generate_series(1, 4) n;
CREATE FUNCTION enrol(lead int, sequence int) RETURNS uuid LANGUAGE sql AS $$ SELECT lead_system.enroll_lead(id(sequence), id(10 + lead)) $$;
-- The first round of a claim of two: a lead, and one that a sequence is over for. The second: the same lead again, and two more.
SELECT enrol(1, 1) AS a \gset
SET lead_system.now = '2026-03-02 15:01:00+00';
SELECT enrol(2, 4) AS b \gset
SET lead_system.now = '2026-03-02 15:02:00+00';
SELECT enrol(1, 2) AS c, enrol(3, 3) AS d \gset
SET lead_system.now = '2026-03-02 15:03:00+00';
SELECT enrol(4, 1) AS e \gset
SELECT name, total_enrollments AS total, active_enrollments AS active, completed_enrollments AS completed FROM lead_system.nurture_sequences ORDER BY 1;
-- Each statement on the counts says so: they are written once, in the order of their ids.
CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'counts are written'; RETURN NULL; END $$;
CREATE TRIGGER say AFTER UPDATE ON lead_system.nurture_sequences FOR EACH STATEMENT EXECUTE FUNCTION say();
SET lead_system.now = '2026-03-02 16:00:00+00';
SELECT l.first_name, s.name FROM lead_system.claim_due_steps(2) c JOIN lead_system.leads l ON l.id = c.lead_id JOIN lead_system.nurture_sequences s ON s.id = (c.payload ->> 'sequence_id')::uuid ORDER BY 1;
SELECT name, total_enrollments AS total, active_enrollments AS active, completed_enrollments AS completed FROM lead_system.nurture_sequences ORDER BY 1;
-- Its other sequence has its turn in the next claim, which has nothing to count.
SELECT l.first_name, s.name FROM lead_system.claim_due_steps(2) c JOIN lead_system.leads l ON l.id = c.lead_id JOIN lead_system.nurture_sequences s ON s.id = (c.payload ->> 'sequence_id')::uuid ORDER BY 1;
DROP TRIGGER say ON lead_system.nurture_sequences;
-- A claim that fails leaves nothing behind that would keep the counts from being written.
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER fail AFTER UPDATE ON lead_system.lead_sequence_enrollments FOR EACH STATEMENT EXECUTE FUNCTION fail();
SELECT enrol(2, 1) AS f \gset
SELECT count(*) FROM lead_system.claim_due_steps(2);
DROP TRIGGER fail ON lead_system.lead_sequence_enrollments;
SELECT enrol(3, 1) IS NOT NULL AS enrolled;
SELECT name, total_enrollments AS total, active_enrollments AS active, completed_enrollments AS completed FROM lead_system.nurture_sequences WHERE name = 'first';
-- Some gateways answer with a whole page; a character is never cut.
SELECT lead_system.fail_step(:'a', 1, repeat(chr(228), 1001) || 'x');
SELECT octet_length(last_error), right(last_error, 1) FROM lead_system.lead_sequence_enrollments WHERE id = :'a';
SELECT lead_system.fail_step(:'e', 1, 'x' || repeat(chr(228), 1500));
SELECT octet_length(last_error), right(last_error, 1) FROM lead_system.lead_sequence_enrollments WHERE id = :'e';
DELETE FROM lead_system.organizations WHERE id = :'org';
DROP FUNCTION id, enrol, say, fail;
