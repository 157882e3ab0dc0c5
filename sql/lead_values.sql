-- What the columns of leads take and refuse: nulls, infinite times, numbers that
-- are none, values too long for an index; identity by source; users' indexes.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name) VALUES
    ('51000000-0000-4000-8000-000000000001', 'Acme'),
    ('51000000-0000-4000-8000-000000000002', 'Globex');
SET app.current_org_id = '51000000-0000-4000-8000-000000000001';

-- What a statement answers; nothing of it stays.
CREATE FUNCTION pg_temp.answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'UNDOX';
EXCEPTION
    WHEN SQLSTATE 'UNDOX' THEN RETURN 'accepted';
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TEMP VIEW columns AS
    SELECT attnum, attname::text AS name, atttypid::regtype AS type FROM pg_attribute
     WHERE attrelid = 'lead_system.leads'::regclass AND attnum > 0 AND NOT attisdropped;

--
-- NULL for every column, in a new lead and in one that has everything
--
INSERT INTO lead_system.categories (organization_id, id, slug, display_name) VALUES
    ('51000000-0000-4000-8000-000000000001', '51000000-0000-4000-8000-0000000000c1', 'solar', 'Solar');
INSERT INTO lead_system.users (organization_id, id, full_name, email) VALUES
    ('51000000-0000-4000-8000-000000000001', '51000000-0000-4000-8000-000000000011', 'Rob Rep', 'rob@example.com');
INSERT INTO lead_system.leads (id, first_name, last_name, company_name, email, phone_number, timezone, company_size, industry, inquiry_type,
        budget_timeline, budget_min, budget_max, category_id, status, contacted_at, lost_reason, quoted_amount, assigned_to, last_contact_at,
        last_activity_at, source, source_id, calling_blocked_reason, do_not_call, tags, metadata, created_by) VALUES
    ('51000000-0000-4000-8000-0000000000a1', 'Ann', 'All', 'Works', 'ann@example.com', '+12025550101', 'America/Chicago', '1-10', 'Education',
     'Demo Request', 'Immediate', 1, 2, '51000000-0000-4000-8000-0000000000c1', 'Contacted', '2026-03-01', 'None', 3,
     '51000000-0000-4000-8000-000000000011', '2026-03-01', '2026-03-01', 'web', '1', 'Asked', true, '{a}', '{"a": 1}',
     '51000000-0000-4000-8000-000000000011');
-- A second one like it, but for what must differ, and for one column
CREATE FUNCTION pg_temp.copy_but(name text) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO lead_system.leads SELECT n.* FROM lead_system.leads l, jsonb_populate_record(l, %L) n
                    WHERE l.id = ''51000000-0000-4000-8000-0000000000a1''',
        '{"id": "51000000-0000-4000-8000-0000000000a2", "email": "two@example.com", "phone_number": "+12025550102", "source_id": "2"}'::jsonb
        || jsonb_build_object(name, NULL))
$$;
CREATE TEMP TABLE nulls AS
SELECT attnum, name, pg_temp.answer(format('INSERT INTO lead_system.leads (%I) VALUES (NULL)', name)) AS alone,
       pg_temp.answer(pg_temp.copy_but(name)) AS on_insert,
       pg_temp.answer(format('UPDATE lead_system.leads SET %I = NULL WHERE id = ''51000000-0000-4000-8000-0000000000a1''', name)) AS on_update
  FROM columns;
SELECT name, alone = on_insert AS same, on_insert, on_update FROM nulls WHERE alone <> 'accepted' OR on_insert <> 'accepted' OR on_update <> 'accepted' ORDER BY attnum;
SELECT string_agg(name, ', ' ORDER BY attnum) AS accepted FROM nulls WHERE alone = 'accepted' AND on_insert = 'accepted' AND on_update = 'accepted';
-- Nulls for all of them at once
SELECT pg_temp.answer(format('INSERT INTO lead_system.leads (%s) VALUES (%s)', string_agg(quote_ident(name), ', '), string_agg('NULL', ', '))) AS new,
       pg_temp.answer(format('UPDATE lead_system.leads SET %s WHERE id = ''51000000-0000-4000-8000-0000000000a1''',
           string_agg(format('%I = NULL', name), ', '))) AS old
  FROM columns;
-- What the extension keeps itself is not lost by that.
BEGIN;
UPDATE lead_system.leads SET stage = NULL, status_changed_at = NULL, lead_score = NULL, raw_score = NULL, score_breakdown = NULL, temperature = NULL,
       scored_at = NULL, scoring_model = NULL, qualification_bonus_applied = NULL, updated_at = NULL, organization_id = NULL
 WHERE id = '51000000-0000-4000-8000-0000000000a1'
    RETURNING organization_id, stage, status_changed_at, lead_score, raw_score, temperature, scored_at, scoring_model, qualification_bonus_applied, updated_at;
ROLLBACK;
-- The error names the column.
UPDATE lead_system.leads SET status = NULL WHERE id = '51000000-0000-4000-8000-0000000000a1';
\echo :LAST_ERROR_SQLSTATE
-- The e-mail rule compares with what is not null.
INSERT INTO lead_system.leads (id, email) VALUES (NULL, 'ann@example.com');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (created_at, email) VALUES (NULL, 'ann@example.com');
\echo :LAST_ERROR_SQLSTATE

--
-- Times have to be finite, whichever column they are in
--
SELECT name, pg_temp.answer(format('INSERT INTO lead_system.leads (%I) VALUES (''infinity'')', name)) AS on_insert,
       pg_temp.answer(format('UPDATE lead_system.leads SET %I = ''-infinity'' WHERE id = ''51000000-0000-4000-8000-0000000000a1''', name)) AS on_update
  FROM columns WHERE type = 'timestamptz'::regtype ORDER BY attnum;
SELECT pg_temp.answer($$ SELECT lead_system.upsert_lead('{"created_at": "infinity"}') $$) AS upsert;
-- The ends of what a timestamp can be are times.
SELECT pg_temp.answer($$ INSERT INTO lead_system.leads (created_at, last_activity_at) VALUES ('4713-01-01 00:00:00+00 BC', '294276-12-31 23:59:59+00') $$) AS ends,
       pg_temp.answer($$ INSERT INTO lead_system.leads (email, created_at) VALUES ('old@example.com', '4713-01-01 00:00:00+00 BC'),
                                                                              ('new@example.com', '294276-12-31 23:59:59+00') $$) AS with_address;

--
-- Amounts are numbers
--
SELECT name, pg_temp.answer(format('INSERT INTO lead_system.leads (%I) VALUES (''NaN'')', name)) AS nan,
       pg_temp.answer(format('UPDATE lead_system.leads SET %I = ''NaN'' WHERE id = ''51000000-0000-4000-8000-0000000000a1''', name)) LIKE '23514%' AS nan_refused,
       pg_temp.answer(format('INSERT INTO lead_system.leads (%I) VALUES (''infinity'')', name)) AS infinity
  FROM columns WHERE type = 'numeric'::regtype ORDER BY attnum;
SELECT pg_temp.answer($$ SELECT lead_system.upsert_lead('{"quoted_amount": "NaN"}') $$) AS upsert;

--
-- What is indexed fits into the index: refused by a rule, not by the index
--
SELECT name, length, pg_temp.answer(format('INSERT INTO lead_system.leads (source, %I) VALUES (%L, %L)', name, 'web', repeat('x', length))) AS answer
  FROM (VALUES ('source_id', 512), ('source_id', 513), ('source_id', 100000)) v(name, length);
SELECT length, pg_temp.answer(format('INSERT INTO lead_system.leads (source) VALUES (%L)', repeat('x', length))) AS answer
  FROM (VALUES (200), (201), (100000)) v(length);
-- bytes, not letters
SELECT pg_temp.answer(format('INSERT INTO lead_system.leads (source) VALUES (%L)', repeat(chr(233), 101))) AS source;
SELECT pg_temp.answer(format('INSERT INTO lead_system.leads (tags) VALUES (%L)', ARRAY[repeat('x', 2000), repeat('y', 1999)])) AS tags_4000,
       pg_temp.answer(format('INSERT INTO lead_system.leads (tags) VALUES (%L)', ARRAY[repeat('x', 2000), repeat('y', 2000)])) AS tags_4001,
       pg_temp.answer('INSERT INTO lead_system.leads (tags) VALUES (ARRAY[''a'', NULL])') AS null_tag;
SELECT pg_temp.answer(format('SELECT lead_system.upsert_lead(%L)', jsonb_build_object('source', repeat('x', 201)))) AS upsert;

--
-- One live lead per source and source_id; without a source, too
--
INSERT INTO lead_system.leads (id, source, source_id) VALUES
    ('51000000-0000-4000-8000-0000000000b1', 'form', 'f-1'),
    ('51000000-0000-4000-8000-0000000000b2', NULL, 'f-1'),
    ('51000000-0000-4000-8000-0000000000b3', 'form', NULL),
    ('51000000-0000-4000-8000-0000000000b4', 'form', NULL);
INSERT INTO lead_system.leads (organization_id, source, source_id) VALUES ('51000000-0000-4000-8000-000000000002', 'form', 'f-1');
INSERT INTO lead_system.leads (source, source_id) VALUES ('form', 'f-1');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (source_id) VALUES ('f-1');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET source_id = 'f-1' WHERE id = '51000000-0000-4000-8000-0000000000b3';
\echo :LAST_ERROR_SQLSTATE
-- A deleted lead's is free, and cannot be had back while another has it.
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = '51000000-0000-4000-8000-0000000000b1';
UPDATE lead_system.leads SET source_id = 'f-1' WHERE id = '51000000-0000-4000-8000-0000000000b3' RETURNING source_id;
UPDATE lead_system.leads SET deleted_at = NULL WHERE id = '51000000-0000-4000-8000-0000000000b1';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (source, source_id) VALUES ('form', 'f-1'), ('form', 'f-2')
    ON CONFLICT (organization_id, source_id, source) WHERE source_id IS NOT NULL AND deleted_at IS NULL DO NOTHING RETURNING source_id;

--
-- A phone number in another spelling is the same number
--
INSERT INTO lead_system.leads (id, phone_number) VALUES ('51000000-0000-4000-8000-0000000000d1', '+4402079460958') RETURNING phone_number;
INSERT INTO lead_system.leads (phone_number) VALUES ('+442079460958');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone": "+44 (0) 20 7946 0958"}', 'skip');
INSERT INTO lead_system.leads (phone_number) VALUES ('+10000000');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (phone_number) VALUES ('+10025550123');
\echo :LAST_ERROR_SQLSTATE

--
-- ON CONFLICT on the phone number works although the address is known, too
--
INSERT INTO lead_system.leads (id, first_name, phone_number, email) VALUES
    ('51000000-0000-4000-8000-0000000000e1', 'Eve', '+12025550110', 'eve@example.com');
INSERT INTO lead_system.leads (first_name, phone_number, email) VALUES ('Skipped', '(202) 555-0110', 'eve@example.com')
    ON CONFLICT (organization_id, phone_number) WHERE deleted_at IS NULL DO NOTHING RETURNING first_name;
INSERT INTO lead_system.leads (first_name, phone_number, email) VALUES ('Updated', '(202) 555-0110', 'eve@example.com')
    ON CONFLICT (organization_id, phone_number) WHERE deleted_at IS NULL DO UPDATE SET first_name = excluded.first_name
    RETURNING id, first_name, phone_number, email;
INSERT INTO lead_system.leads (first_name, phone_number, email) VALUES ('Skipped', '(202) 555-0110', 'eve@example.com')
    ON CONFLICT DO NOTHING RETURNING first_name;
-- Without it, the number is told of first; the address alone is refused as ever, whatever is said about conflicts.
INSERT INTO lead_system.leads (phone_number, email) VALUES ('(202) 555-0110', 'eve@example.com');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.leads (phone_number, email) VALUES ('(202) 555-0111', 'eve@example.com') ON CONFLICT DO NOTHING;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.leads WHERE email = 'eve@example.com';

--
-- Indexes of users
--
-- One that begins with the same columns, but does not hold every lead or not in
-- that order, is not the one that the e-mail rule asks.
CREATE INDEX regress_ls_part_idx ON lead_system.leads (organization_id, email, created_at) WHERE city = 'Nowhere';
CREATE INDEX regress_ls_tags_idx ON lead_system.leads (organization_id, email, created_at) WHERE is_spam;
CREATE INDEX regress_ls_ops_idx ON lead_system.leads (organization_id, email text_pattern_ops, created_at);
CREATE INDEX regress_ls_brin_idx ON lead_system.leads USING brin (organization_id, email, created_at);
INSERT INTO lead_system.leads (email) VALUES ('eve@example.com');
\echo :LAST_ERROR_SQLSTATE
-- One that holds them all will do.
CREATE INDEX regress_ls_full_idx ON lead_system.leads (organization_id, email, created_at);
-- Deleted leads do not count, although that index has them.
BEGIN;
DROP INDEX lead_system.leads_organization_id_email_created_at_idx;
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE email = 'eve@example.com';
INSERT INTO lead_system.leads (email) VALUES ('eve@example.com');
ROLLBACK;
INSERT INTO lead_system.leads (email) VALUES ('eve@example.com');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
DROP INDEX lead_system.leads_organization_id_email_created_at_idx;
INSERT INTO lead_system.leads (email) VALUES ('eve@example.com');
ROLLBACK;
DROP INDEX lead_system.regress_ls_full_idx;
BEGIN;
DROP INDEX lead_system.leads_organization_id_email_created_at_idx;
INSERT INTO lead_system.leads (email) VALUES ('eve@example.com');
ROLLBACK;
DROP INDEX lead_system.regress_ls_part_idx, lead_system.regress_ls_tags_idx, lead_system.regress_ls_ops_idx, lead_system.regress_ls_brin_idx;
-- A unique index of theirs is theirs: upsert_lead() raises what it says, and calls nothing a duplicate.
CREATE UNIQUE INDEX regress_ls_title_idx ON lead_system.leads (title);
SELECT lead_system.upsert_lead('{"id": "51000000-0000-4000-8000-0000000000f1", "title": "CEO"}');
SELECT lead_system.upsert_lead('{"title": "CEO", "email": "ceo@example.com"}', 'skip');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"id": "51000000-0000-4000-8000-0000000000e1", "title": "CEO"}', 'merge');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX lead_system.regress_ls_title_idx;

DELETE FROM lead_system.organizations WHERE id::text LIKE '51000000-0000-4000-8000-%';
