-- Personal data: every column is classified, an erased lead leaves no trace, and
-- who may erase and export.
--
-- Runs alone: pg_prove test/pgtap/privacy.sql

BEGIN;
SELECT plan(38);
\ir lib/two_organizations.sql

CREATE TEMP VIEW text_columns AS
SELECT c.relname::text AS table_name, a.attname::text AS column_name, t.typname::text AS type
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('r', 'p');

SELECT is_empty($$
    SELECT table_name, column_name FROM text_columns
     WHERE type IN ('text', 'varchar', 'bpchar', 'json', 'jsonb', 'xml', 'inet', 'cidr', 'macaddr', '_text', '_varchar', '_inet', '_jsonb')
    EXCEPT
    SELECT table_name, column_name FROM lead_system.personal_data_columns()
$$, 'every column that could hold personal data is classified in personal_data.c');

SELECT is_empty($$
    SELECT table_name, column_name FROM lead_system.personal_data_columns()
     WHERE table_name IN (SELECT table_name FROM text_columns)
    EXCEPT
    SELECT table_name, column_name FROM text_columns
$$, 'every column of that list exists, where its table does');

SELECT is_empty($$
    SELECT table_name, column_name, count(*) FROM lead_system.personal_data_columns() GROUP BY 1, 2 HAVING count(*) > 1
$$, 'no column is in the list twice');

SELECT is_empty($$
    SELECT table_name, column_name FROM lead_system.personal_data_columns()
     WHERE kind IN ('none', 'staff') AND on_erasure <> 'keep' OR kind NOT IN ('none', 'staff') AND on_erasure = 'keep' AND note NOT LIKE 'kept by law%'
$$, 'what is personal is erased, or kept by law');

-- A person with traces everywhere, and another one.
\set lead 'a0000000-0000-4000-8000-0000000000e1'
\set other 'a0000000-0000-4000-8000-0000000000e2'
SELECT set_config('app.current_org_id', :'alpha', true), set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000a1', true) \g /dev/null
INSERT INTO lead_system.leads (organization_id, id, first_name, last_name, email, phone_number, notes)
VALUES (:'alpha', :'other', 'Another', 'Person', 'another@person.example', '+12125550178', 'keep me');
UPDATE lead_system.leads SET notes = 'changed' WHERE id = :'other';
SELECT set_config('app.client_ip', '192.0.2.77', true), set_config('app.user_agent', 'Zebedee agent', true) \g /dev/null
INSERT INTO lead_system.leads (organization_id, id, first_name, last_name, company_name, email, phone_number, address, city, state, zip_code,
    current_solution, message, title, description, linkedin_url, company_website, company_revenue, source, source_id, source_metadata, external_ids,
    tags, notes, metadata, timezone)
VALUES (:'alpha', :'lead', 'Zebedee', 'Quillfeather', 'Zebedee Quillfeather Ltd', 'zebedee@quillfeather.example', '+12125550177', '1 Quillfeather Road',
    'Quillfeather', 'NY', '10001', 'Zebedee does it', 'I am Zebedee', 'Zebedee job', 'for Zebedee', 'https://example.com/in/quillfeather',
    'https://quillfeather.example', 'Zebedee much', 'web', 'zebedee-1', '{"name": "Zebedee"}', '{"crm": "zebedee"}', '{zebedee}', 'Zebedee notes', '{"phone": "+12125550177"}',
    'America/New_York');
UPDATE lead_system.leads SET first_name = 'Zebedee2', phone_number = '+12125550176' WHERE id = :'lead';
UPDATE lead_system.leads SET first_name = 'Zebedee', phone_number = '+12125550177' WHERE id = :'lead';
SELECT lead_system.change_lead_status(:'lead', 'Contacted', 'Zebedee called') \g /dev/null
SELECT lead_system.add_lead_note(:'lead', 'Zebedee said +1 212 555 0177') \g /dev/null
INSERT INTO lead_system.call_logs (organization_id, lead_id, caller_phone, called_phone, direction, status, notes, recording_url)
VALUES (:'alpha', :'lead', '+12025550199', '+12125550177', 'outbound', 'answered', 'Zebedee talked', 'https://example.com/zebedee.mp3'),
       (:'alpha', NULL, '+12125550177', '+12025550199', 'inbound', 'answered', 'of a lead that is gone', NULL);
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id, notes)
SELECT :'alpha', l.id, :'lead', 'Zebedee again' FROM lead_system.lead_lists l WHERE l.organization_id = :'alpha';
INSERT INTO lead_system.campaign_leads (organization_id, campaign_id, lead_id, notes)
VALUES (:'alpha', 'a0000000-0000-4000-8000-0000000000c1', :'lead', 'Zebedee wants a call');
-- As if a contractor had written when the window was open.
SET LOCAL session_replication_role = replica;
INSERT INTO lead_system.messages (organization_id, lead_id, sender_id, message_text)
VALUES (:'alpha', :'lead', 'a0000000-0000-4000-8000-0000000000a1', 'Dear Zebedee');
SET LOCAL session_replication_role = origin;
INSERT INTO lead_system.lead_import_errors (organization_id, import_id, line, raw_text, sqlstate, reason)
SELECT :'alpha', i.id, v.line, v.raw_text, '22023', v.reason
  FROM lead_system.lead_imports i,
       (VALUES (97, 'zebedee,QUILLFEATHER,12', '"12" is not a number'), (98, 'x,(212) 555-0177', 'duplicate'),
               (99, 'x', '"Zebedee@Quillfeather.example" is taken'), (100, 'Someone,Else', 'stays')) v(line, raw_text, reason)
 WHERE i.organization_id = :'alpha';

-- Every row of every table as text, with the tables and columns in which a
-- word is found.  The identifiers of the row are not words.
CREATE FUNCTION pg_temp.traces(word text) RETURNS SETOF text LANGUAGE plpgsql AS $traces$
DECLARE
    c record;
    n bigint;
BEGIN
    FOR c IN SELECT * FROM text_columns LOOP
        EXECUTE format('SELECT count(*) FROM lead_system.%I t WHERE strpos(lower(t.%I::text), lower(%L)) > 0', c.table_name, c.column_name, word) INTO n;
        IF n > 0 THEN RETURN NEXT c.table_name || '.' || c.column_name; END IF;
    END LOOP;
END
$traces$;

SELECT cmp_ok((SELECT count(*) FROM pg_temp.traces('zebedee')), '>=', 20::bigint, 'the person''s name is in many places before');

CREATE TEMP TABLE exported AS SELECT lead_system.export_lead(:'lead') AS data;
SELECT bag_has(format('SELECT jsonb_object_keys(%L::jsonb)', data),
    $$ VALUES ('leads'), ('lead_audit_log'), ('activities'), ('lead_status_history'), ('call_logs'), ('campaign_leads'),
              ('lead_list_members'), ('messages'), ('lead_import_errors') $$, 'an export has every table that tells of the lead') FROM exported;
SELECT is(data #>> '{leads,0,email}', 'zebedee@quillfeather.example', 'an export has the lead itself') FROM exported;
SELECT is(jsonb_array_length(data -> 'lead_import_errors'), 3, 'an export has the lines of imports') FROM exported;

SELECT set_config('app.client_ip', '', true), set_config('app.user_agent', '', true) \g /dev/null
SELECT lives_ok(format('SELECT lead_system.erase_lead(%L, %L)', :'lead', 'request of the person'), 'a lead is erased');

SELECT is_empty($$ SELECT pg_temp.traces('zebedee') $$, 'no trace of the first name is left');
SELECT is_empty($$ SELECT pg_temp.traces('quillfeather') $$, 'no trace of the last name or e-mail address is left');
SELECT is_empty($$ SELECT pg_temp.traces('2125550177') $$, 'no trace of the number is left');
SELECT is_empty($$ SELECT pg_temp.traces('555-0177') UNION ALL SELECT pg_temp.traces('555 0177') $$, 'nor of other ways of writing it');
SELECT is_empty($$ SELECT pg_temp.traces('2125550176') $$, 'no trace of an earlier number is left');
SELECT is_empty($$ SELECT pg_temp.traces('192.0.2.77') $$, 'no trace of the address is left');
SELECT results_eq(format($$ SELECT first_name, last_name, email, phone_number, state, source, deleted_at IS NOT NULL FROM lead_system.leads WHERE id = %L $$, :'lead'),
    format($$ VALUES ('Deleted', 'User', 'deleted_%s@deleted.local', NULL, 'NY', 'web', true) $$, :'lead'), 'the row stays for statistics');
SELECT results_eq(format($$ SELECT notes, phone_number COLLATE "default" FROM lead_system.leads WHERE id = %L $$, :'other'),
    $$ VALUES ('changed', '+12125550178') $$, 'another lead is as it was');
SELECT isnt_empty(format($$ SELECT 1 FROM lead_system.lead_audit_log WHERE lead_id = %L AND old_value = 'keep me' $$, :'other'), 'and so are its histories');
SELECT isnt_empty($$ SELECT 1 FROM lead_system.lead_import_errors WHERE raw_text = 'Someone,Else' $$, 'lines about others stay');
SELECT isnt_empty(format($$ SELECT 1 FROM lead_system.lead_status_history WHERE lead_id = %L AND new_status = 'Contacted' $$, :'lead'), 'steps stay for statistics');

-- Again changes nothing.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $state$
DECLARE
    t text;
    part text;
    whole text := '';
BEGIN
    FOR t IN SELECT DISTINCT table_name FROM text_columns ORDER BY 1 LOOP
        EXECUTE format('SELECT md5(string_agg(x::text, %L ORDER BY x::text)) FROM lead_system.%I x', ',', t) INTO part;
        whole := whole || t || coalesce(part, '');
    END LOOP;
    RETURN whole;
END
$state$;
CREATE TEMP TABLE before AS SELECT pg_temp.state() AS state;
SELECT lead_system.erase_lead(:'lead', 'once more') \g /dev/null
SELECT is(pg_temp.state(), (SELECT state FROM before), 'erasing again changes nothing');

-- The number stays suppressed.
SELECT lead_system.upsert_lead('{"name": "New Owner", "phone": "(212) 555-0177"}') AS again \gset
SELECT results_eq(format($$ SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = %L $$, :'again'),
    $$ VALUES (true, 'erased') $$, 'a lead that comes in with the number is stored and blocked');
SELECT lead_system.upsert_lead('{"name": "Neighbour", "phone": "(212) 555-0175"}') AS neighbour \gset
SELECT results_eq(format($$ SELECT do_not_call FROM lead_system.leads WHERE id = %L $$, :'neighbour'), $$ VALUES (false) $$, 'one with another number is not');
UPDATE lead_system.leads SET phone_number = NULL WHERE id = :'again';
UPDATE lead_system.leads SET phone_number = '+12125550177' WHERE id = :'neighbour';
SELECT results_eq(format($$ SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = %L $$, :'neighbour'),
    $$ VALUES (true, 'erased') $$, 'a lead that gets the number is blocked');
UPDATE lead_system.leads SET do_not_call = false WHERE id = :'neighbour';
SELECT results_eq(format($$ SELECT do_not_call FROM lead_system.leads WHERE id = %L $$, :'neighbour'), $$ VALUES (false) $$, 'an administrator may unblock it');
SELECT set_config('app.current_org_id', :'bravo', true), set_config('app.current_user_id', '', true) \g /dev/null
SELECT lead_system.upsert_lead('{"name": "Zed", "phone": "+12125550177"}') AS elsewhere \gset
SELECT results_eq(format($$ SELECT do_not_call FROM lead_system.leads WHERE id = %L $$, :'elsewhere'), $$ VALUES (false) $$, 'another organization is not concerned');
SELECT set_config('app.current_org_id', :'alpha', true) \g /dev/null

-- What was listed stays listed, with the proof.
SELECT lead_system.add_to_dnc_list('+12125550178', 'lead_requested') \g /dev/null
SELECT lead_system.erase_lead(:'other', 'request') \g /dev/null
SELECT ok(lead_system.is_on_dnc_list('+12125550178', :'alpha'), 'a number that was listed stays listed');
SELECT set_eq($$ SELECT pg_temp.traces('2125550178') $$, ARRAY['dnc_list.phone_number', 'dnc_audit_log.phone_number'], 'and is found in the list and its audit only');
SELECT results_eq(format($$ SELECT do_not_call, calling_blocked_reason FROM lead_system.leads WHERE id = %L $$, :'other'),
    $$ VALUES (true, '[erased]') $$, 'the block of an erased lead stays');

-- Refusals.
SELECT throws_ok($$ SELECT lead_system.erase_lead('f0000000-0000-4000-8000-00000000ffff', 'x') $$, 'P0002', NULL, 'an unknown lead is refused');
SELECT throws_ok($$ SELECT lead_system.erase_lead('b0000000-0000-4000-8000-000000000001', 'x') $$, 'P0002', NULL, 'so is another organization''s');
SELECT throws_ok(format($$ SELECT lead_system.erase_lead(%L, ' ') $$, :'lead'), '22023', NULL, 'a reason is needed');
SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000a2', true) \g /dev/null
SELECT throws_ok(format($$ SELECT lead_system.erase_lead(%L, 'x') $$, :'lead'), '42501', NULL, 'a user who is no administrator may not erase');
SELECT throws_ok($$ UPDATE lead_system.activities SET description = 'x' $$, 'LS021', NULL, 'histories are closed again');
-- By level: everybody who reads may export, and gets what the level reads.
SELECT set_config('app.current_user_id', '', true) \g /dev/null
REVOKE SELECT ON lead_system.activities FROM tap_readonly;
SELECT set_config('role', 'tap_readonly', true) \g /dev/null
SELECT ok(lead_system.export_lead('a0000000-0000-4000-8000-000000000001') ? 'lead_audit_log', 'level readonly exports');
SELECT ok(NOT lead_system.export_lead('a0000000-0000-4000-8000-000000000001') ? 'activities', 'but not what it may not read');
SELECT throws_ok($$ SELECT lead_system.erase_lead('a0000000-0000-4000-8000-000000000001', 'x') $$, '42501', NULL, 'and erases nothing');
SELECT throws_ok($$ SELECT key FROM lead_system.erasure_keys $$, '42501', NULL, 'nor reads the secret');

SELECT set_config('role', 'none', true) \g /dev/null

SELECT * FROM finish();
ROLLBACK;
