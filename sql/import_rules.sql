-- import_rules: how imports treat files that are odd, and rows that are about
-- the same lead (semantics A13, D17, I13).
\set SHOW_CONTEXT never
SET client_encoding = 'UTF8';
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd7000000-0000-4000-8000-00000000000a'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'alpha', 'Alpha', 'recruiting');
SET app.current_org_id = :'alpha';
-- Import a text, and tell what became of it.
CREATE FUNCTION pg_temp.import(list text, csv text, options jsonb DEFAULT '{}', OUT rows integer, OUT inserted integer, OUT updated integer,
    OUT duplicate integer, OUT rejected integer, OUT blocked integer, OUT warnings integer, OUT members integer) LANGUAGE plpgsql AS $$
DECLARE
    import_id uuid := lead_system.import_leads_csv(list, csv, options);
BEGIN
    SELECT i.row_count, i.inserted_count, i.updated_count, i.duplicate_count, i.rejected_count, i.blocked_count, i.warning_count, l.lead_count
      INTO STRICT rows, inserted, updated, duplicate, rejected, blocked, warnings, members
      FROM lead_system.lead_imports i JOIN lead_system.lead_lists l ON l.organization_id = i.organization_id AND l.id = i.lead_list_id
     WHERE i.organization_id = lead_system.current_org_id() AND i.id = import_id;
END
$$;
CREATE TEMP VIEW last_errors AS
SELECT e.line, e.raw_text, e.column_name, e.severity, e.sqlstate, e.reason FROM lead_system.lead_import_errors e
 WHERE e.import_id = (SELECT id FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1) ORDER BY e.line;
CREATE FUNCTION pg_temp.members(list text) RETURNS TABLE (first_name text, last_name text, email text, phone_number text, source_id text, status text)
    LANGUAGE sql AS $$
    SELECT d.first_name, d.last_name, d.email, d.phone_number, d.source_id, d.status
      FROM lead_system.lead_lists l
      JOIN lead_system.lead_list_members m ON m.organization_id = l.organization_id AND m.lead_list_id = l.id
      JOIN lead_system.leads d ON d.organization_id = m.organization_id AND d.id = m.lead_id
     WHERE l.organization_id = lead_system.current_org_id() AND l.name = $1 ORDER BY d.first_name COLLATE "C", d.email COLLATE "C"
$$;

--
-- Texts
--
-- a header and nothing else makes an empty list
SELECT * FROM pg_temp.import('Header only', 'email,phone');
SELECT * FROM pg_temp.import('Header only', E'email,phone\n');
-- a byte order mark, and line ends of three kinds
SELECT * FROM pg_temp.import('Lines', E'\uFEFFfirst_name,email\r\nBom,bom@example.com\r\n');
SELECT * FROM pg_temp.import('Lines', E'\uFEFF"first_name","email"\n"Quoted bom","qbom@example.com"\n');
SELECT * FROM pg_temp.import('Lines', E'first_name,email\rMac,mac@example.com\r');
SELECT * FROM pg_temp.import('Lines', E'first_name,email\nNone,none@example.com');
SELECT * FROM pg_temp.import('Lines', E'\n\nfirst_name,email\n\nGap,gap@example.com\n\n\n');
SELECT first_name, email FROM pg_temp.members('Lines');
-- lines are counted as an editor counts them, whatever is in the records
SELECT * FROM pg_temp.import('Counted', E'first_name,email,notes\r\nTwo,two@example.com,"a\r\nb\nc"\r\n\r\nSix,six@example\r\nSeven,seven,\r\n');
SELECT line, raw_text, reason FROM last_errors;
SELECT first_name, replace(replace(notes, E'\r', '<CR>'), E'\n', '<LF>') AS notes FROM lead_system.leads WHERE email = 'two@example.com';
-- quotes: doubled ones are one, one inside a field is kept and pointed out, one that is not closed costs its line
SELECT * FROM pg_temp.import('Quotes', E'first_name,email\n"Doub ""le""",double@example.com\nIn"side,inside@example.com\n"Open,open@example.com\nAfter,after@example.com\n');
SELECT line, raw_text, column_name, severity, sqlstate FROM last_errors;
SELECT first_name, email FROM pg_temp.members('Quotes');
SELECT reason FROM last_errors WHERE severity = 'warning';
-- letters of any script
SELECT * FROM pg_temp.import('Letters', E'Vorname;E-Mail;Straße\nJürgen;juergen@example.com;Hauptstraße 1\n李;li@example.com;\n', '{"delimiter": ";", "mapping": {"Vorname": "first_name"}}');
SELECT first_name, email FROM pg_temp.members('Letters');
SELECT metadata FROM lead_system.leads WHERE email = 'juergen@example.com';
-- a long field
SELECT * FROM pg_temp.import('Long', 'email,notes' || E'\n' || 'long@example.com,' || repeat('n', 500000) || E'\n' || 'next@example.com,short' || E'\n');
SELECT email, length(notes) FROM lead_system.leads WHERE email IN ('long@example.com', 'next@example.com') ORDER BY email COLLATE "C";
-- many errors: all are counted, the first so many recorded
SELECT lead_system.set_config('import.max_errors', '2');
SELECT * FROM pg_temp.import('Errors', E'email\na\nb\nc\nd\ngood@example.com\n');
SELECT line, raw_text FROM last_errors;
SELECT lead_system.set_config('import.max_errors', NULL);
-- two columns for one field: the first is taken, the second kept aside
SELECT * FROM pg_temp.import('Twice', E'phone,name,mobile\n202-555-0110,Ada Lee,202-555-0111\n');
SELECT first_name, last_name, phone_number, metadata FROM lead_system.leads WHERE first_name = 'Ada';

--
-- Rows about one lead in one file: collapsed, the later value wins, a missing one takes nothing away
--
SELECT * FROM pg_temp.import('Same', $csv$first_name,last_name,email,phone,city
Bo,Birch,bo@example.com,,
,,BO@EXAMPLE.COM,202-555-0120,Boston
Beau,,,+1 202 555 0120,
Cy,Cedar,cy@example.com,,
$csv$);
SELECT d.first_name, d.last_name, d.email, d.phone_number, d.city FROM lead_system.leads d WHERE d.email IN ('bo@example.com', 'cy@example.com') ORDER BY d.email COLLATE "C";
-- rows that nothing tells apart are leads of their own, but not when the file comes again
SELECT * FROM pg_temp.import('Nameless', E'first_name,city\nDi,Dover\nDi,Dover\nEd,Essex\n');
SELECT * FROM pg_temp.import('Nameless', E'first_name,city\nDi,Dover\nDi,Dover\nEd,Essex\n');
SELECT * FROM pg_temp.import('Nameless', E'first_name,city\nDi,Dover\nDi,Dover\nDi,Dover\nEd,Essex\n');
SELECT first_name, count(*) FROM pg_temp.members('Nameless') GROUP BY first_name ORDER BY first_name COLLATE "C";
-- it is what a row says that tells, under which names, and not how the file is written
SELECT * FROM pg_temp.import('Fingerprints', E'first_name,city\nAda,Chicago\n');
SELECT * FROM pg_temp.import('Fingerprints', E'company_name,city\nAda,Chicago\n');
SELECT * FROM pg_temp.import('Fingerprints', E'City;First Name\n"Chicago";Ada\n', '{"delimiter": ";"}');
-- in batches of two the leads come out the same as in one
\set file 'first_name,email,phone\nAl,al@example.com,\nBob,bad address,\nCal,cal@example.com,202-555-0131\nDeb,deb@example.com,\nAl2,al@example.com,\nCal2,,202-555-0131\nFlo,flo@example.com,202-555-0132\n'
BEGIN;
SELECT * FROM pg_temp.import('Batches', :'file');
SELECT first_name, email, phone_number FROM pg_temp.members('Batches');
ROLLBACK;
SELECT lead_system.set_config('import.batch_size', '2');
SELECT * FROM pg_temp.import('Batches', :'file');
SELECT line, reason FROM last_errors;
SELECT first_name, email, phone_number FROM pg_temp.members('Batches');
SELECT lead_system.set_config('import.batch_size', NULL);

--
-- Leads that exist
--
INSERT INTO lead_system.leads (organization_id, id, first_name, email, phone_number) VALUES
    (:'alpha', 'd7000000-0000-4000-8000-000000000001', 'Gia', 'gia@example.com', '202-555-0141'),
    (:'alpha', 'd7000000-0000-4000-8000-000000000002', 'Hal', NULL, '202-555-0142'),
    (:'alpha', 'd7000000-0000-4000-8000-000000000003', 'Ivy', 'ivy@example.com', '202-555-0143');
-- found by e-mail address and by number; a row for each may be the same lead
SELECT * FROM pg_temp.import('Existing', $csv$email,phone,last_name
gia@example.com,,Green
,202-555-0141,Grey
hal@example.com,202-555-0142,Hill
$csv$);
SELECT first_name, last_name, email, phone_number FROM pg_temp.members('Existing');
-- a number that is another lead's is refused for the one found by its address (I13: the address goes first)
SELECT * FROM pg_temp.import('Existing', E'email,phone\nivy@example.com,202-555-0141\n');
SELECT line, raw_text, severity, sqlstate FROM last_errors;
SELECT first_name, phone_number FROM lead_system.leads WHERE id IN ('d7000000-0000-4000-8000-000000000001', 'd7000000-0000-4000-8000-000000000003') ORDER BY id;
-- by id
SELECT * FROM pg_temp.import('Existing', E'id,last_name\nd7000000-0000-4000-8000-000000000003,Ivory\nd7000000-0000-4000-8000-000000000004,Jet\nnot-a-uuid,Kit\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT id, first_name, last_name FROM lead_system.leads WHERE id::text LIKE 'd7000000-%' ORDER BY id;
-- a deleted lead is another one
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = :'alpha' AND first_name = 'Hal';
SELECT * FROM pg_temp.import('Deleted', E'first_name,email,phone\nHal anew,hal@example.com,202-555-0142\n');
SELECT first_name, email, phone_number, deleted_at IS NOT NULL AS deleted FROM lead_system.leads WHERE phone_number = '+12025550142' ORDER BY first_name COLLATE "C";

--
-- The rule for e-mail addresses (A13) does not stand in the way: rows of a known address are merged, also on the day after
--
SET lead_system.now = '2026-03-05 15:00:00+00';
SELECT * FROM pg_temp.import('Later', E'email,first_name\ngia@example.com,Gianna\nnew@example.com,New\n');
SELECT first_name, email FROM pg_temp.members('Later');
SELECT count(*) FROM lead_system.leads WHERE email = 'gia@example.com';
-- times of creation that the file brings count
SELECT * FROM pg_temp.import('History', E'email,created_at,first_name\nold@example.com,2025-01-01,Old\nold@example.com,2025-06-01,Older\n');
SELECT first_name, created_at FROM lead_system.leads WHERE email = 'old@example.com';

--
-- Statuses: a new lead may have any, a lead that exists takes allowed steps only
--
SELECT * FROM pg_temp.import('Statuses', E'email,status\ns1@example.com,contacted\ns2@example.com,recruited\ns3@example.com,Contacted\ns4@example.com,\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT email, status FROM pg_temp.members('Statuses') ORDER BY email COLLATE "C";
SELECT * FROM pg_temp.import('Statuses', E'email,status,first_name\ns1@example.com,qualified,Sue\ns2@example.com,new,Sid\ns4@example.com,,Sky\n');
SELECT line, sqlstate, reason FROM last_errors;
SELECT first_name, email, status FROM pg_temp.members('Statuses') ORDER BY email COLLATE "C";
SELECT old_status, new_status, trigger_type, trigger_id = (SELECT id FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1) AS of_import
  FROM lead_system.lead_status_history WHERE lead_id = (SELECT id FROM lead_system.leads WHERE email = 's1@example.com');
-- pipelines and categories by name
INSERT INTO lead_system.categories (organization_id, slug, display_name) VALUES (:'alpha', 'roofing', 'Roofing');
SELECT * FROM pg_temp.import('Pipelines', E'email,pipeline,category,status\np1@example.com,b2b,roofing,Qualified\np2@example.com,none,,\np3@example.com,,painting,\n');
SELECT line, column_name, reason FROM last_errors;
SELECT l.email, p.name AS pipeline, c.slug AS category, l.status FROM lead_system.leads l
  JOIN lead_system.pipelines p ON p.id = l.pipeline_id LEFT JOIN lead_system.categories c ON c.organization_id = l.organization_id AND c.id = l.category_id
 WHERE l.email = 'p1@example.com';

--
-- Numbers on the do-not-call list (D17): stored, blocked, counted
--
SET lead_system.now = '2026-03-05 14:00:00+00';
SELECT lead_system.add_to_dnc_list(n, 'lead_requested', expires_at => e) IS NOT NULL AS added
  FROM (VALUES ('202-555-0151', NULL::timestamptz), ('202-555-0152', '2026-03-06'), ('202-555-0153', '2026-03-05 15:00:00+00')) v(n, e);
SET lead_system.now = '2026-03-05 15:00:00+00';
SELECT * FROM pg_temp.import('Listed', E'first_name,phone,status\nFor good,202.555.0151,\nFor now,202.555.0152,contacted\nNo more,202.555.0153,\nNever,202.555.0154,\n');
SELECT first_name, phone_number, status FROM pg_temp.members('Listed');
SELECT first_name, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE phone_number BETWEEN '+12025550151' AND '+12025550154' ORDER BY phone_number;
-- a lead that exists counts as well, and so does one that gets a listed number
SELECT * FROM pg_temp.import('Listed', E'first_name,phone\nFor good,202.555.0151\n');
SELECT * FROM pg_temp.import('Listed', E'email,phone\nnew@example.com,202-555-0155\n');
SELECT lead_system.add_to_dnc_list('202-555-0156', 'lead_requested') IS NOT NULL AS added;
SELECT * FROM pg_temp.import('Listed', E'email,phone\nnew@example.com,202-555-0156\n');
SELECT email, phone_number, do_not_call FROM lead_system.leads WHERE email = 'new@example.com';

--
-- Quotes that are not closed, and lines that are long
--
-- what stands within quotes is text, never a record, also when the record has too few fields or too many
SELECT * FROM pg_temp.import('Within', E'email,notes,city\na@example.com,"hello\nevil@example.com,n,Rome\nbye"\nb@example.com,"c\nevil@example.com,n,Rome\nd",x,y\nnext@example.com,,Oslo\n');
SELECT line, raw_text, sqlstate, reason FROM last_errors;
SELECT email FROM pg_temp.members('Within');
-- in the header, in a file of one column, behind a field that went on after its quote
SELECT lead_system.import_leads_csv('Unclosed', E'"email,b\n1,2\n');
\echo :LAST_ERROR_SQLSTATE
SELECT line, fields, problem FROM lead_system.parse_csv(E'"email,b\n1,2\n');
SELECT line, fields, problem FROM lead_system.parse_csv(E'a\n"1\n3\n');
SELECT line, fields, problem FROM lead_system.parse_csv(E'a,b\n1,"2"x\n"3"",4\n"5 "5"" 5",6\n"7 "7, 8"\r\n"9","9');
-- a line may have any length; a record of several lines ends at a megabyte
SELECT line, array_length(fields, 1), length(fields[2]), problem
  FROM lead_system.parse_csv('a,b' || E'\n' || '1,' || repeat('x', 1100000) || E'\n' || '2,' || repeat('x', 1100000));
SELECT line, array_length(fields, 1), problem FROM lead_system.parse_csv(E'a,b\n1,"' || repeat(repeat('x', 99) || E'\n', 11000)) WHERE line < 4;
-- lines without anything are no records
SELECT line, fields FROM lead_system.parse_csv(E'\n\n');
SELECT lead_system.import_leads_csv('Blank', E'\n\n');
\echo :LAST_ERROR_SQLSTATE

--
-- What goes where: a column that the mapping names goes before one with the lead's name, that before another name for it;
-- who comes too late, or has an unknown name, goes into metadata, where nothing is lost
--
SELECT * FROM pg_temp.import('Order', E'name,mobile,phone_number,first_name,Note,Note\nAl Ash,202-555-0161,202-555-0162,Albert,one,two\nBo Bay,202-555-0163,,,,\n');
SELECT first_name, last_name, phone_number, metadata FROM lead_system.leads WHERE phone_number BETWEEN '+12025550161' AND '+12025550163' ORDER BY phone_number;
SELECT * FROM pg_temp.import('Order', E'phone_number,Desk\n202-555-0164,202-555-0165\n', '{"mapping": {"Desk": "phone"}}');
SELECT phone_number, metadata FROM lead_system.leads WHERE phone_number BETWEEN '+12025550164' AND '+12025550165';
SELECT * FROM pg_temp.import('Metadata', E'email,metadata,Colour,a\nmeta@example.com,"{""a"": 1, ""b"": {""c"": 2}}",red,\nmeta2@example.com,"{""a"": 1}",blue,3\nmeta3@example.com,"[1]",blue,\n');
SELECT email, metadata FROM lead_system.leads WHERE email LIKE 'meta%@example.com' ORDER BY email COLLATE "C";
SELECT line, column_name, sqlstate, reason FROM last_errors;
-- nothing but white space is nothing
SELECT * FROM pg_temp.import('Blank', E'first_name,Colour\n  ,\t\n');
SELECT line, reason FROM last_errors;

--
-- Where batches end makes no difference: tags are a set, a status is taken or not row by row, a bad row gives nothing
--
CREATE FUNCTION pg_temp.by_batch(rows integer, csv text, OUT size integer, OUT inserted integer, OUT rejected integer, OUT warnings integer, OUT leads text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lead_system.set_config('import.batch_size', $1::text::jsonb);
    SELECT $1, i.inserted, i.rejected, i.warnings INTO by_batch.size, by_batch.inserted, by_batch.rejected, by_batch.warnings FROM pg_temp.import('By batch', csv) i;
    SELECT string_agg(concat_ws(' ', d.first_name, d.status, d.city, d.tags), '; ' ORDER BY d.email COLLATE "C") INTO leads
      FROM lead_system.leads d WHERE d.email LIKE 'batch_@example.com';
    RAISE EXCEPTION '%', leads;
EXCEPTION WHEN raise_exception THEN NULL;
END
$$;
\set file 'email,first_name,status,city,tags\nbatch1@example.com,One,,,"spring;fair;spring"\nbatch1@example.com,,,Rome,"summer;spring"\nbatch2@example.com,Two,contacted,,\nbatch2@example.com,,Nowhere,Oslo,lost\nbatch2@example.com,,qualified,,\nbatch2@example.com,,,Bern,\nbatch2@example.com,,new,,\nbatch3@example.com,Three,Nowhere,,\nbatch3@example.com,Tri,contacted,,\n'
SELECT (pg_temp.by_batch(n, :'file')).* FROM unnest('{1,2,3,500}'::integer[]) n;
SELECT lead_system.set_config('import.batch_size', NULL);

--
-- on_duplicate skip and reject: the first row of a lead counts, wherever the batches end
--
CREATE FUNCTION pg_temp.on_duplicate(action text, OUT counts text, OUT lead text) LANGUAGE plpgsql AS $$
BEGIN
    SELECT i::text INTO counts FROM pg_temp.import('Twins', E'email,phone,first_name\ntwin@example.com,,First\ntwin@example.com,202-555-0166,Second\nother@example.com,,Other\n,202-555-0166,Third\n',
        jsonb_build_object('on_duplicate', action)) i;
    SELECT string_agg(d.first_name || ' ' || coalesce(d.phone_number, '-'), ', ' ORDER BY d.first_name) INTO lead
      FROM lead_system.leads d WHERE d.email IN ('twin@example.com', 'other@example.com') OR d.phone_number = '+12025550166';
    RAISE EXCEPTION USING message = counts || ' ' || lead;
EXCEPTION WHEN raise_exception THEN NULL;
END
$$;
SELECT action, (pg_temp.on_duplicate(action)).* FROM unnest('{merge,skip,reject}'::text[]) action;
SELECT lead_system.set_config('import.batch_size', '1');
SELECT action, (pg_temp.on_duplicate(action)).* FROM unnest('{merge,skip,reject}'::text[]) action;
SELECT lead_system.set_config('import.batch_size', NULL);
-- when the first row is refused, the second is the first
SELECT * FROM pg_temp.import('Twins', E'email,company_size,first_name\ntwin@example.com,Large,First\ntwin@example.com,1-10,Second\ntwin@example.com,1-10,Third\n', '{"on_duplicate": "reject"}');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT first_name FROM lead_system.leads WHERE email = 'twin@example.com';

--
-- A file that comes again
--
-- amounts are compared as they are stored
SELECT * FROM pg_temp.import('Money', E'email,budget_min,quoted_amount\nmoney@example.com,100.555,0.001\n');
SELECT * FROM pg_temp.import('Money', E'email,budget_min,quoted_amount\nmoney@example.com,100.555,0.001\n');
SELECT budget_min, quoted_amount FROM lead_system.leads WHERE email = 'money@example.com';
-- leads have moved on since: the status stays, with a warning, and the rest is taken
SELECT * FROM pg_temp.import('Moved', E'email,status,city\nm1@example.com,new,Rome\nm2@example.com,new,Rome\nm3@example.com,new,Rome\n');
UPDATE lead_system.leads SET status = 'contacted' WHERE organization_id = :'alpha' AND email IN ('m1@example.com', 'm2@example.com');
SELECT * FROM pg_temp.import('Moved', E'email,status,city\nm1@example.com,new,Oslo\nm2@example.com,qualified,Oslo\nm3@example.com,new,Rome\nm1@example.com,,Bern\n');
SELECT line, column_name, severity, sqlstate, reason FROM last_errors;
SELECT email, status, city FROM lead_system.leads WHERE email LIKE 'm_@example.com' ORDER BY email COLLATE "C";
-- also into another pipeline: only to its initial status, or to one of the same stage
SELECT * FROM pg_temp.import('Moved', E'email,pipeline,status\nm1@example.com,b2b,Qualified\nm2@example.com,b2b,Qualified\n');
SELECT line, severity, sqlstate, reason FROM last_errors;
SELECT email, status FROM lead_system.leads WHERE email IN ('m1@example.com', 'm2@example.com') ORDER BY email COLLATE "C";
-- two rows of a lead that exists, one of them bad: what was merged for the first attempt does not outlast it
SELECT * FROM pg_temp.import('Moved', E'email,phone,metadata\nm3@example.com,202-555-0167,"{""a"": 1}"\n');
SELECT * FROM pg_temp.import('Moved', E'email,phone,Colour,assigned_to\nm3@example.com,,red,\n,202-555-0167,blue,d7000000-0000-4000-8000-0000000000ff\nm4@example.com,,green,\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT email, metadata FROM lead_system.leads WHERE email IN ('m3@example.com', 'm4@example.com') ORDER BY email COLLATE "C";
-- a pipeline whose status does not fit is left out with it: the lead would start anew
INSERT INTO lead_system.leads (organization_id, email, status) VALUES (:'alpha', 'm5@example.com', 'hot'), (:'alpha', 'm6@example.com', 'hot');
SELECT * FROM pg_temp.import('Moved', E'email,pipeline,status,city\nm5@example.com,field_service,booked,Pisa\nm6@example.com,field_service,,Pisa\n');
SELECT line, severity, sqlstate, reason FROM last_errors;
SELECT l.email, p.name AS pipeline, l.status, l.city FROM lead_system.leads l JOIN lead_system.pipelines p ON p.id = l.pipeline_id
 WHERE l.email IN ('m5@example.com', 'm6@example.com') ORDER BY l.email COLLATE "C";
-- a row of a deleted lead is not taken, so it does not come in again and again
SELECT * FROM pg_temp.import('Gone', E'source_id,email,deleted_at\nG1,gone@example.com,2026-01-01\nG2,here@example.com,\n');
SELECT line, column_name, reason FROM last_errors;
SELECT source_id, deleted_at FROM lead_system.leads WHERE source_id IN ('G1', 'G2');

--
-- Rows that the table refuses: each with its column and a reason in words, nothing of the row or of other leads in it
--
ALTER TABLE lead_system.leads ADD CONSTRAINT own_rule CHECK (industry <> 'None');
CREATE INDEX own_index ON lead_system.leads (organization_id, company_website);
SELECT * FROM pg_temp.import('Refused', $csv$email,phone,company_size,urgency,enrichment_status,budget_min,budget_max,quoted_amount,email_open_count,source_id,source_metadata,timezone,last_contact_at,industry,category_id,assigned_to,status,tags
r2@example.com,,Large,,,,,,,,,,,,,,,
r3@example.com,,,soon,,,,,,,,,,,,,,
r4@example.com,,,,Maybe,,,,,,,,,,,,,
r5@example.com,,,,,-1,5,,,,,,,,,,,
r6@example.com,,,,,NaN,,,,,,,,,,,,
r7@example.com,,,,,9,8,,,,,,,,,,,
r8@example.com,,,,,10000000000,,,,,,,,,,,,
r9@example.com,,,,,,,-0.01,,,,,,,,,,
r10@example.com,,,,,,,,-1,,,,,,,,,
r11@example.com,,,,,,,,,,7,,,,,,,
r12@example.com,,,,,,,,,,,Mars/Olympus,,,,,,
r13@example.com,,,,,,,,,,,,infinity,,,,,
r14@example.com,,,,,,,,,,,,,None,,,,
r15@example.com,,,,,,,,,,,,,,d7000000-0000-4000-8000-0000000000ff,,,
r16@example.com,,,,,,,,,,,,,,,d7000000-0000-4000-8000-0000000000ff,,
r17@example.com,,,,,,,,,,,,,,,,Nowhere,
r18@example.com,202-555-0141,,,,,,,,,,,,,,,,
ivy@example.com,202-555-0141,,,,,,,,,,,,,,,,
r20@example.com,,1-10,low,Pending,1,2,3,4,R20,"{""a"": 1}",UTC,2026-01-01,Trade,,,new,"a,b"
$csv$);
SELECT line, column_name, sqlstate, reason FROM last_errors;
-- values that an index has no room for; a constraint that raises an error
SELECT string_agg(md5(n::text), '' ORDER BY n) AS long FROM generate_series(1, 200) n \gset
SELECT * FROM pg_temp.import('Refused', 'email,company_website,source_id,industry' || E'\nw1@example.com,' || :'long' || E',,\nw2@example.com,,' || :'long'
    || E',\nw3@example.com,w3.example.com,,\nw4@example.com,,,\n');
SELECT line, column_name, sqlstate, left(reason, 100) AS reason FROM last_errors;
ALTER TABLE lead_system.leads ADD CONSTRAINT own_error CHECK (CASE WHEN title = 'Dr' THEN 1 / length(btrim(title, 'Dr')) > 0 END);
SELECT * FROM pg_temp.import('Refused', E'email,title,company_size\nt1@example.com,Dr,\nt2@example.com,,Large\nt3@example.com,Mr,\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
ALTER TABLE lead_system.leads DROP CONSTRAINT own_error;
-- a rule may raise what it likes: it costs the row
CREATE FUNCTION pg_temp.own_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'Sir' THEN
        RAISE 'no titles' USING ERRCODE = 'MY001';
    ELSIF NEW.title = 'Lord' THEN
        RAISE insufficient_privilege USING MESSAGE = 'no lords';
    ELSIF NEW.title = 'Stop' THEN
        RAISE query_canceled USING MESSAGE = 'enough';
    END IF;
    NEW.country := upper(NEW.country);
    RETURN NEW;
END
$$;
CREATE FUNCTION lead_system.regress_check(title text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF title = 'Mx' THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'not now';
    END IF;
    RETURN true;
END
$$;
CREATE TRIGGER own_rules BEFORE INSERT OR UPDATE ON lead_system.leads FOR EACH ROW EXECUTE FUNCTION pg_temp.own_rules();
ALTER TABLE lead_system.leads ADD CONSTRAINT own_function CHECK (lead_system.regress_check(title));
SELECT * FROM pg_temp.import('Own', E'email,title\no1@example.com,Sir\no2@example.com,Mx\no3@example.com,Ms\no4@example.com,Lord\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT lead_system.import_leads_csv('Own', E'email,title\no5@example.com,Stop\n');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE lead_system.leads DROP CONSTRAINT own_function;
DROP FUNCTION lead_system.regress_check(text);
-- what the table takes is taken: a trigger changes a value, or it is merged with what the lead has
ALTER TABLE lead_system.leads ADD CONSTRAINT own_upper CHECK (country = upper(country));
SELECT * FROM pg_temp.import('Own', E'email,country,company_size\no6@example.com,us,\no7@example.com,de,Large\no8@example.com,,\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT email, country FROM lead_system.leads WHERE email IN ('o6@example.com', 'o8@example.com') ORDER BY email COLLATE "C";
ALTER TABLE lead_system.leads DROP CONSTRAINT own_upper;
DROP TRIGGER own_rules ON lead_system.leads;
INSERT INTO lead_system.leads (organization_id, email, metadata) VALUES (:'alpha', 'o9@example.com', '{"consent": true}');
ALTER TABLE lead_system.leads ADD CONSTRAINT own_consent CHECK (metadata ? 'consent') NOT VALID;
SELECT * FROM pg_temp.import('Own', E'email,Shoe\no9@example.com,38\no10@example.com,39\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT metadata FROM lead_system.leads WHERE email = 'o9@example.com';
ALTER TABLE lead_system.leads DROP CONSTRAINT own_consent;
-- a lead that exists and is not updated is a duplicate, whatever the row says
SELECT * FROM pg_temp.import('Own', E'email,company_size,status\no9@example.com,Large,\no9@example.com,,Nowhere\no11@example.com,Large,\n', '{"on_duplicate": "skip"}');
SELECT line, column_name, sqlstate, reason FROM last_errors;
-- a constraint that does something with nulls blames no single column
ALTER TABLE lead_system.leads ADD CONSTRAINT own_range CHECK (coalesce(quoted_amount, 0) <= coalesce(actual_amount, 0)) NOT VALID;
SELECT * FROM pg_temp.import('Own', E'email,quoted_amount,actual_amount\no12@example.com,9,8\no13@example.com,8,9\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
ALTER TABLE lead_system.leads DROP CONSTRAINT own_range;
-- a constraint that asks for one of two columns is the lead's affair, not the row's
ALTER TABLE lead_system.leads ADD CONSTRAINT own_either CHECK (email IS NOT NULL OR phone_number IS NOT NULL) NOT VALID;
SELECT * FROM pg_temp.import('Refused', E'source_id,phone,first_name\nE1,202-555-0168,One\nE2,,Two\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
SELECT * FROM pg_temp.import('Refused', E'source_id,first_name\nE1,Uno\n');
ALTER TABLE lead_system.leads DROP CONSTRAINT own_either;
-- a status that needs a reason
UPDATE lead_system.organizations SET default_pipeline = 'field_service' WHERE id = :'alpha';
SELECT * FROM pg_temp.import('Refused', E'email,status,lost_reason\nl1@example.com,lost,\nl2@example.com,lost,price\n');
SELECT line, column_name, sqlstate, reason FROM last_errors;
ALTER TABLE lead_system.leads DROP CONSTRAINT own_rule;
DROP INDEX lead_system.own_index;

-- An index of ours that is gone, or another of its name, costs time and no lead.
BEGIN;
DROP INDEX lead_system.leads_organization_id_phone_number_idx;
SELECT rows, inserted, duplicate FROM pg_temp.import('Without', E'first_name,phone\nGus,202-555-0188\n');
CREATE INDEX leads_organization_id_phone_number_idx ON lead_system.leads (phone_number, organization_id);
SELECT rows, inserted, duplicate FROM pg_temp.import('Without', E'first_name,phone\nGus,202-555-0188\n');
ROLLBACK;

RESET app.current_org_id;
DROP VIEW last_errors;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd7000000-%';
SELECT (SELECT count(*) FROM lead_system.lead_imports WHERE organization_id::text LIKE 'd7000000-%') AS lead_imports,
       (SELECT count(*) FROM lead_system.leads WHERE organization_id::text LIKE 'd7000000-%') AS leads,
       (SELECT count(*) FROM lead_system.lead_status_history WHERE organization_id::text LIKE 'd7000000-%') AS lead_status_history,
       (SELECT count(*) FROM lead_system.categories WHERE organization_id::text LIKE 'd7000000-%') AS categories;
