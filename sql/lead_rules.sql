-- The rules that plain statements on leads obey, and what they refuse.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name, default_region) VALUES
    ('50000000-0000-4000-8000-000000000001', 'Acme', 'US'),
    ('50000000-0000-4000-8000-000000000002', 'Thames', 'GB');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    ('50000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000011', 'Rob Rep', 'rob@example.com', 'rep'),
    ('50000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000012', 'Ann Admin', 'ann@example.com', 'admin');

--
-- Whose lead it is
--
INSERT INTO lead_system.leads (first_name) VALUES ('Nobody''s');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (organization_id, first_name) VALUES ('50000000-0000-4000-8000-0000000000ff', 'Nobody''s');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '50000000-0000-4000-8000-000000000001';
INSERT INTO lead_system.leads (id, first_name) VALUES ('50000000-0000-4000-8000-0000000000a1', 'Acme''s') RETURNING organization_id;
UPDATE lead_system.leads SET organization_id = '50000000-0000-4000-8000-000000000002' WHERE id = '50000000-0000-4000-8000-0000000000a1';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET id = '50000000-0000-4000-8000-0000000000a2' WHERE id = '50000000-0000-4000-8000-0000000000a1';
\echo :LAST_ERROR_SQLSTATE

--
-- Phone numbers: normalized in the organization's region, or refused
--
INSERT INTO lead_system.leads (organization_id, id, phone_number) VALUES
    ('50000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000101', ' (202) 555-0101 '),
    ('50000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000102', '020 7946 0101'),
    ('50000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000103', '+1 202-555-0101'),
    ('50000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000104', '+12025550104'),
    ('50000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000105', '  '),
    ('50000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000106', NULL)
    RETURNING id, phone_number;
INSERT INTO lead_system.leads (phone_number) VALUES ('020 7946 0101');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (organization_id, phone_number) VALUES ('50000000-0000-4000-8000-000000000002', '202-555-0101');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET phone_number = 'none' WHERE id = '50000000-0000-4000-8000-000000000101';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET phone_number = '' WHERE id = '50000000-0000-4000-8000-000000000104' RETURNING phone_number IS NULL AS cleared;
-- The region of the organization is asked, as it is now.
UPDATE lead_system.organizations SET default_region = 'GB' WHERE id = '50000000-0000-4000-8000-000000000001';
UPDATE lead_system.leads SET phone_number = '020 7946 0104' WHERE id = '50000000-0000-4000-8000-000000000104' RETURNING phone_number;
UPDATE lead_system.organizations SET default_region = 'US' WHERE id = '50000000-0000-4000-8000-000000000001';

-- One live lead per number and organization
INSERT INTO lead_system.leads (phone_number) VALUES ('202.555.0101');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET phone_number = '2025550101' WHERE id = '50000000-0000-4000-8000-000000000106';
\echo :LAST_ERROR_SQLSTATE
-- A deleted lead's number is free, and cannot be had back while another uses it.
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = '50000000-0000-4000-8000-000000000101';
INSERT INTO lead_system.leads (id, phone_number) VALUES ('50000000-0000-4000-8000-000000000107', '202.555.0101') RETURNING phone_number;
UPDATE lead_system.leads SET deleted_at = NULL WHERE id = '50000000-0000-4000-8000-000000000101';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.leads WHERE id = '50000000-0000-4000-8000-000000000107';
UPDATE lead_system.leads SET deleted_at = NULL WHERE id = '50000000-0000-4000-8000-000000000101' RETURNING phone_number;
-- Twice in one statement
INSERT INTO lead_system.leads (phone_number) VALUES ('202-555-0108'), ('+1 (202) 555-0108');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.leads WHERE phone_number = '+12025550108';
-- ON CONFLICT sees the normalized number.
INSERT INTO lead_system.leads (first_name, phone_number) VALUES ('Skipped', '(202) 555-0101')
    ON CONFLICT (organization_id, phone_number) WHERE deleted_at IS NULL DO NOTHING;
INSERT INTO lead_system.leads AS l (first_name, phone_number) VALUES ('Updated', '(202) 555-0101')
    ON CONFLICT (organization_id, phone_number) WHERE deleted_at IS NULL DO UPDATE SET first_name = excluded.first_name
    RETURNING id, first_name, phone_number;
-- MERGE goes through the same triggers; it compares what it is given with what is stored.
MERGE INTO lead_system.leads l
    USING (VALUES ('Merged', '(202) 555-0101'), ('Made', '(202) 555-0109')) n(first_name, phone_number)
    ON l.organization_id = '50000000-0000-4000-8000-000000000001' AND l.phone_number = lead_system.normalize_phone(n.phone_number)
    WHEN MATCHED THEN UPDATE SET first_name = n.first_name
    WHEN NOT MATCHED THEN INSERT (first_name, phone_number) VALUES (n.first_name, n.phone_number);
SELECT first_name, phone_number, status, created_at FROM lead_system.leads
 WHERE organization_id = '50000000-0000-4000-8000-000000000001' AND phone_number IN ('+12025550101', '+12025550109') ORDER BY phone_number;

--
-- E-mail addresses: lower-cased, checked, once in 24 hours
--
INSERT INTO lead_system.leads (id, email) VALUES ('50000000-0000-4000-8000-000000000201', ' Eve@Example.ORG') RETURNING email;
INSERT INTO lead_system.leads (email) VALUES ('eve@example');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (email) VALUES ('eve, adam@example.org');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET email = ' ' WHERE id = '50000000-0000-4000-8000-0000000000a1' RETURNING email IS NULL AS none;
INSERT INTO lead_system.leads (email) VALUES ('EVE@example.org');
\echo :LAST_ERROR_SQLSTATE
-- Midnight changes nothing; the last microsecond is too early, the next one is not.
SET lead_system.now = '2026-03-03 00:01:00+00';
INSERT INTO lead_system.leads (email) VALUES ('eve@example.org');
\echo :LAST_ERROR_SQLSTATE
SET lead_system.now = '2026-03-03 11:59:59.999999+00';
INSERT INTO lead_system.leads (email) VALUES ('eve@example.org');
\echo :LAST_ERROR_SQLSTATE
SET lead_system.now = '2026-03-03 12:00:00+00';
INSERT INTO lead_system.leads (id, email) VALUES ('50000000-0000-4000-8000-000000000202', 'eve@example.org') RETURNING email, created_at;
-- The rule goes by created_at, to both sides.
INSERT INTO lead_system.leads (email, created_at) VALUES ('eve@example.org', '2026-03-01 12:00:00.000001+00');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (id, email, created_at) VALUES ('50000000-0000-4000-8000-000000000203', 'eve@example.org', '2026-03-01 12:00:00+00')
    RETURNING created_at;
UPDATE lead_system.leads SET created_at = '2026-03-01 12:00:01+00' WHERE id = '50000000-0000-4000-8000-000000000203';
\echo :LAST_ERROR_SQLSTATE
-- A changed address counts as a new one; the same address again does not.
INSERT INTO lead_system.leads (id, email) VALUES ('50000000-0000-4000-8000-000000000204', 'other@example.org');
UPDATE lead_system.leads SET email = 'Eve@example.org' WHERE id = '50000000-0000-4000-8000-000000000204';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET email = 'OTHER@example.org', first_name = 'Otto' WHERE id = '50000000-0000-4000-8000-000000000204' RETURNING email;
-- Deleted leads do not count, until they are restored.
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = '50000000-0000-4000-8000-000000000204';
INSERT INTO lead_system.leads (id, email) VALUES ('50000000-0000-4000-8000-000000000205', 'other@example.org');
UPDATE lead_system.leads SET deleted_at = NULL WHERE id = '50000000-0000-4000-8000-000000000204';
\echo :LAST_ERROR_SQLSTATE
-- Other organizations do not count.
INSERT INTO lead_system.leads (organization_id, email) VALUES ('50000000-0000-4000-8000-000000000002', 'other@example.org') RETURNING email;
-- Twice in one statement
INSERT INTO lead_system.leads (email) VALUES ('twin@example.org'), ('one@example.org'), ('Twin@example.org');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET email = 'same@example.org'
 WHERE id IN ('50000000-0000-4000-8000-000000000205', '50000000-0000-4000-8000-000000000202');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.leads WHERE email IN ('twin@example.org', 'one@example.org', 'same@example.org');
-- The hours are a setting; 0 switches the rule off.
SELECT lead_system.set_config('leads.duplicate_email_hours', '48');
SET lead_system.now = '2026-03-05 11:59:59+00';
INSERT INTO lead_system.leads (email) VALUES ('other@example.org');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('leads.duplicate_email_hours', '0');
INSERT INTO lead_system.leads (email) VALUES ('other@example.org'), ('other@example.org') RETURNING email;
SELECT lead_system.set_config('leads.duplicate_email_hours', NULL);

--
-- Status steps, every pair of every built-in pipeline
--
CREATE FUNCTION pg_temp.steps(pipeline uuid, from_name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    lead uuid;
    to_name text;
    allowed text[] := '{}';
BEGIN
    INSERT INTO lead_system.leads (pipeline_id, status, lost_reason) VALUES (pipeline, from_name, 'A reason') RETURNING id INTO lead;
    FOR to_name IN SELECT status FROM lead_system.pipeline_statuses WHERE pipeline_id = pipeline AND status <> from_name ORDER BY position LOOP
        BEGIN
            UPDATE lead_system.leads SET status = to_name WHERE id = lead;
            allowed := allowed || to_name;
            RAISE SQLSTATE 'UNDOX';
        EXCEPTION
            WHEN SQLSTATE 'LS030' OR SQLSTATE 'UNDOX' THEN NULL;
        END;
    END LOOP;
    DELETE FROM lead_system.leads WHERE id = lead;
    RETURN array_to_string(allowed, ', ');
END $$;
SELECT p.name AS pipeline, s.status, s.stage, pg_temp.steps(p.id, s.status) AS next
  FROM lead_system.pipelines p JOIN lead_system.pipeline_statuses s ON s.pipeline_id = p.id
 WHERE p.organization_id IS NULL ORDER BY p.id, s.position;

-- A new lead gets the first status of the default pipeline; a status is one of its pipeline.
SET lead_system.now = '2026-03-10 12:00:00+00';
INSERT INTO lead_system.leads (id) VALUES ('50000000-0000-4000-8000-000000000301') RETURNING status, stage, status_changed_at;
INSERT INTO lead_system.leads (status) VALUES ('new');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'Lost' WHERE id = '50000000-0000-4000-8000-000000000301';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'Qualified' WHERE id = '50000000-0000-4000-8000-000000000301';
\echo :LAST_ERROR_SQLSTATE
-- Times are stamped when a status is first entered, and stay.
SET lead_system.now = '2026-03-10 13:00:00+00';
UPDATE lead_system.leads SET status = 'Contacted' WHERE id = '50000000-0000-4000-8000-000000000301' RETURNING stage, contacted_at, status_changed_at;
SET lead_system.now = '2026-03-10 14:00:00+00';
UPDATE lead_system.leads SET first_name = 'Kim' WHERE id = '50000000-0000-4000-8000-000000000301' RETURNING contacted_at, status_changed_at, updated_at;
SET app.current_user_id = '50000000-0000-4000-8000-000000000012';
SELECT lead_system.change_lead_status('50000000-0000-4000-8000-000000000301', 'New', force => true);
UPDATE lead_system.leads SET status = 'Contacted' WHERE id = '50000000-0000-4000-8000-000000000301' RETURNING contacted_at, status_changed_at;
SET app.current_user_id = '';
-- Stage and times of steps follow the status; nobody else writes them.
UPDATE lead_system.leads SET stage = 'won', status_changed_at = '2020-01-01' WHERE id = '50000000-0000-4000-8000-000000000301'
    RETURNING stage, status_changed_at;
-- What comes in with a past keeps it.
INSERT INTO lead_system.leads (id, status, created_at, contacted_at) VALUES
    ('50000000-0000-4000-8000-000000000302', 'Contacted', '2026-01-01 00:00:00+00', '2026-01-03 00:00:00+00')
    RETURNING status_changed_at, contacted_at;
-- Final statuses
UPDATE lead_system.leads SET status = 'Disqualified' WHERE id = '50000000-0000-4000-8000-000000000301' RETURNING stage, lost_at;
UPDATE lead_system.leads SET status = 'Contacted' WHERE id = '50000000-0000-4000-8000-000000000301';
\echo :LAST_ERROR_SQLSTATE

-- A reason where the status asks for one
INSERT INTO lead_system.leads (id, pipeline_id) VALUES ('50000000-0000-4000-8000-000000000303', '00000000-0000-7000-8000-000000000003')
    RETURNING status, pipeline_stage;
UPDATE lead_system.leads SET status = 'lost' WHERE id = '50000000-0000-4000-8000-000000000303';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'lost', lost_reason = ' ' WHERE id = '50000000-0000-4000-8000-000000000303';
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('50000000-0000-4000-8000-000000000303', 'lost');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET status = 'lost', lost_reason = 'Moved away' WHERE id = '50000000-0000-4000-8000-000000000303'
    RETURNING status, pipeline_stage, lost_at, lost_reason;

-- Into another pipeline: from its start, or with a status of the same stage
INSERT INTO lead_system.leads (id, status) VALUES ('50000000-0000-4000-8000-000000000304', 'Contacted');
UPDATE lead_system.leads SET pipeline_id = '00000000-0000-7000-8000-000000000003' WHERE id = '50000000-0000-4000-8000-000000000304'
    RETURNING status, stage;
UPDATE lead_system.leads SET pipeline_id = '00000000-0000-7000-8000-000000000002', status = 'nurturing' WHERE id = '50000000-0000-4000-8000-000000000304'
    RETURNING status, stage;
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET pipeline_id = '00000000-0000-7000-8000-000000000005', status = 'recruited' WHERE id = '50000000-0000-4000-8000-000000000304';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET pipeline_id = '50000000-0000-4000-8000-0000000000ff' WHERE id = '50000000-0000-4000-8000-000000000304';
\echo :LAST_ERROR_SQLSTATE

--
-- Columns that the extension keeps
--
SET app.current_user_id = '50000000-0000-4000-8000-000000000011';
INSERT INTO lead_system.leads (id, company_size, lead_score, raw_score, temperature, score_breakdown, scored_at, scoring_model,
        qualification_bonus_applied, updated_at) VALUES
    ('50000000-0000-4000-8000-000000000401', '11-50', 99, 99, 'hot', '{"luck": 99}', '2020-01-01', 'mine', true, '2020-01-01')
    RETURNING lead_score, raw_score, temperature, score_breakdown, scored_at, scoring_model, qualification_bonus_applied, created_by, updated_at;
UPDATE lead_system.leads SET lead_score = 99, raw_score = 99, temperature = 'hot', qualification_bonus_applied = true, updated_at = '2020-01-01'
 WHERE id = '50000000-0000-4000-8000-000000000401'
    RETURNING lead_score, raw_score, temperature, qualification_bonus_applied, updated_at;
SELECT count(*) FROM lead_system.lead_score_history WHERE lead_id = '50000000-0000-4000-8000-000000000401';
SET app.current_user_id = '';
-- More engagement is activity; less is a correction.
SET lead_system.now = '2026-03-11 12:00:00+00';
UPDATE lead_system.leads SET email_open_count = 2 WHERE id = '50000000-0000-4000-8000-000000000401' RETURNING last_activity_at;
SET lead_system.now = '2026-03-12 12:00:00+00';
UPDATE lead_system.leads SET email_open_count = 1, notes = 'Opened once' WHERE id = '50000000-0000-4000-8000-000000000401' RETURNING last_activity_at;

--
-- Values that a column cannot have
--
UPDATE lead_system.leads SET timezone = 'Mars/Olympus' WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
UPDATE lead_system.leads SET company_size = '5' WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET urgency = 'asap' WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET budget_min = 2, budget_max = 1 WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET quoted_amount = -1 WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET email_reply_count = -1 WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET enrichment_status = 'Done' WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET metadata = '[1]' WHERE id = '50000000-0000-4000-8000-000000000401';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

--
-- Spam is stored and marked, when it comes in (A10)
--
INSERT INTO lead_system.leads (company_name, email, industry, company_size) VALUES
    ('Acme Test', 'test@gmail.com', 'Retail/E-commerce', NULL),
    ('Acme Test', 'test2@gmail.com', 'Retail/E-commerce', '1-10'),
    ('AB', 'ann@gmail.com', 'Retail/E-commerce', NULL),
    ('ABCD', 'bob@gmail.com', 'Retail/E-commerce', NULL),
    ('12345', 'cat@corp.example.com', 'Software/SaaS', '201-1000'),
    ('12345 Ltd', 'dan@corp.example.com', 'Software/SaaS', '201-1000'),
    ('Acme', 'test@test.com', 'Software/SaaS', '201-1000')
    RETURNING company_name, email, lead_score, is_spam;
-- So it is by any model; a low score and short names only count where a form was filled in.
INSERT INTO lead_system.leads (company_name, email, created_at) VALUES
    ('Acme', 'test@test.com', '2026-01-01'),
    ('98765', 'eve@corp.example.com', '2026-01-01'),
    ('AB', 'test3@gmail.com', '2026-01-01'),
    ('', 'fay@corp.example.com', '2026-01-01')
    RETURNING company_name, email, scoring_model, lead_score, is_spam;
SELECT lead_system.set_config('leads.flag_spam', 'false');
INSERT INTO lead_system.leads (company_name, industry) VALUES ('777', 'Education') RETURNING is_spam;
SELECT lead_system.set_config('leads.flag_spam', NULL);

--
-- Statements on many rows: all or nothing, and one line of history per change
--
DELETE FROM lead_system.leads WHERE organization_id = '50000000-0000-4000-8000-000000000001';
INSERT INTO lead_system.leads (id, first_name, phone_number)
SELECT ('50000000-0000-4000-8000-0000000005' || to_char(n, 'FM00'))::uuid, 'Lead ' || n, '+120255501' || to_char(n, 'FM00') FROM generate_series(1, 20) n;
SELECT action_type, count(*) FROM lead_system.activities a JOIN lead_system.leads l ON l.id = a.lead_id
 WHERE l.organization_id = '50000000-0000-4000-8000-000000000001' GROUP BY action_type;
UPDATE lead_system.leads SET status = 'Contacted', notes = 'Called', city = 'Springfield' WHERE first_name IN ('Lead 1', 'Lead 2', 'Lead 3');
SELECT field_name, count(*) FROM lead_system.lead_audit_log a JOIN lead_system.leads l ON l.id = a.lead_id
 WHERE l.organization_id = '50000000-0000-4000-8000-000000000001' GROUP BY field_name ORDER BY field_name COLLATE "C";
SELECT count(*) AS steps FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.id = h.lead_id
 WHERE l.organization_id = '50000000-0000-4000-8000-000000000001';
-- Three can be qualified, the others cannot: none is.
UPDATE lead_system.leads SET status = 'Qualified' WHERE organization_id = '50000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
SELECT status, count(*) FROM lead_system.leads WHERE organization_id = '50000000-0000-4000-8000-000000000001' GROUP BY status ORDER BY status COLLATE "C";
-- Values by row
UPDATE lead_system.leads l SET first_name = n.first_name FROM (VALUES ('Lead 1', 'A'), ('Lead 2', 'B')) n(old, first_name) WHERE l.first_name = n.old;
SELECT first_name FROM lead_system.leads WHERE id::text LIKE '50000000-0000-4000-8000-00000000050_' AND first_name NOT LIKE 'Lead%' ORDER BY first_name;

--
-- Histories are append-only, for superusers too
--
UPDATE lead_system.lead_audit_log SET new_value = 'Other' WHERE organization_id = '50000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.lead_audit_log WHERE organization_id = '50000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.lead_status_history SET reason = 'Other' WHERE organization_id = '50000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.activities WHERE organization_id = '50000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
TRUNCATE lead_system.lead_audit_log;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE lead_system.activities;
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET company_size = '1-10' WHERE id = '50000000-0000-4000-8000-000000000501';
DELETE FROM lead_system.lead_score_history WHERE organization_id = '50000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
TRUNCATE lead_system.lead_score_history;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE lead_system.lead_status_history;
\echo :LAST_ERROR_SQLSTATE

DELETE FROM lead_system.organizations WHERE id::text LIKE '50000000-0000-4000-8000-%';
