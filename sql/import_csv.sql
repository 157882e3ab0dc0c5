-- import_csv: import_leads_csv() and parse_csv().
\set SHOW_CONTEXT never
SET client_encoding = 'UTF8';
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd6000000-0000-4000-8000-00000000000a'
\set bravo 'd6000000-0000-4000-8000-00000000000b'
\set chief 'd6000000-0000-4000-8000-0000000000a1'
INSERT INTO lead_system.organizations (id, name, default_region) VALUES (:'alpha', 'Alpha', 'US'), (:'bravo', 'Bravo', 'GB');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES (:'alpha', :'chief', 'Chief', 'chief@example.com', 'manager');
CREATE ROLE regress_ls_import_manager;
CREATE ROLE regress_ls_import_agent;
SELECT lead_system.grant_access('regress_ls_import_manager', 'manager');
SELECT lead_system.grant_access('regress_ls_import_agent', 'agent');
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';
-- What became of the last import, and whether its counts add up.
CREATE TEMP VIEW last_import AS
SELECT i.row_count AS rows, i.inserted_count AS inserted, i.updated_count AS updated, i.duplicate_count AS duplicate,
       i.rejected_count AS rejected, i.blocked_count AS blocked, i.warning_count AS warnings,
       i.row_count = i.inserted_count + i.updated_count + i.duplicate_count + i.rejected_count
       AND i.rejected_count = (SELECT count(*) FROM lead_system.lead_import_errors e
                                WHERE e.organization_id = i.organization_id AND e.import_id = i.id AND e.severity = 'rejected')
       AND i.warning_count = (SELECT count(*) FROM lead_system.lead_import_errors e
                               WHERE e.organization_id = i.organization_id AND e.import_id = i.id AND e.severity = 'warning') AS adds_up
  FROM lead_system.lead_imports i ORDER BY i.id DESC LIMIT 1;
CREATE TEMP VIEW last_errors AS
SELECT e.line, e.raw_text, e.column_name, e.severity, e.sqlstate, e.reason FROM lead_system.lead_import_errors e
 WHERE e.import_id = (SELECT id FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1) ORDER BY e.line;
CREATE TEMP VIEW members AS
SELECT l.name AS list, d.first_name, d.last_name, d.company_name, d.email, d.phone_number, d.source, d.source_id, d.company_size, d.tags, d.metadata
  FROM lead_system.lead_lists l
  JOIN lead_system.lead_list_members m ON m.organization_id = l.organization_id AND m.lead_list_id = l.id
  JOIN lead_system.leads d ON d.organization_id = m.organization_id AND d.id = m.lead_id ORDER BY m.id;
GRANT SELECT ON last_import, last_errors, members TO regress_ls_import_manager;
SET ROLE regress_ls_import_manager;

--
-- A file as it comes: headers are recognised, what is not is kept in metadata
--
SELECT lead_system.import_leads_csv('Fair', $csv$First Name,Last Name,Company,E-Mail,Phone,Employees,Tags,Booth No.
Ann,Oak,"Oak, Ltd",Ann@Example.com,(202) 555-0101,120,"vip; fair",7
Bob,Elm,"Elm ""and"" Sons",bob@example.com,202.555.0102,,,8
Cid,Ash,,,202-555-0103,1500,,
$csv$) AS import \gset
SELECT * FROM last_import;
SELECT first_name, last_name, company_name, email, phone_number, company_size, tags, metadata, source FROM members WHERE list = 'Fair';
SELECT i.source, i.status, i.options, i.created_by = :'chief' AS by_chief, i.created_at, i.finished_at, l.name AS list, l.lead_count
  FROM lead_system.lead_imports i JOIN lead_system.lead_lists l ON l.organization_id = i.organization_id AND l.id = i.lead_list_id
 WHERE i.organization_id = :'alpha' AND i.id = :'import';
-- a second time: nothing new, nothing changed
SELECT lead_system.import_leads_csv(list_name => 'Fair', csv => $csv$First Name,Last Name,Company,E-Mail,Phone,Employees,Tags,Booth No.
Ann,Oak,"Oak, Ltd",ann@example.com,+12025550101,120,"vip; fair",7
Bob,Elm,"Elm ""and"" Sons",bob@example.com,202.555.0102,,,8
Cid,Ash,,,202-555-0103,1500,,
$csv$, options => '{}') <> :'import' AS another_import;
SELECT * FROM last_import;
SELECT count(*) FROM members WHERE list = 'Fair';
SELECT count(*) FROM lead_system.lead_audit_log;
SELECT action_type, count(*) FROM lead_system.activities WHERE organization_id = :'alpha' AND action_type = 'lead_created' GROUP BY action_type;

--
-- Options
--
-- mapping: header to column, to metadata, or null to leave it out; it goes before the names that are recognised
SELECT lead_system.import_leads_csv('Mapped', E'Firma,Wer,Phone,Notes,Code\nLinden AG,Dora Fir,303-555-0111,secret,x1\n',
    '{"mapping": {"Firma": "company", "Wer": "full_name", "Phone": "metadata", "Notes": null, "Code": "source_id"}}') IS NOT NULL AS done;
SELECT first_name, last_name, company_name, phone_number, source_id, metadata FROM members WHERE list = 'Mapped';
SELECT count(*) FROM lead_system.leads WHERE notes = 'secret';
-- delimiter, quote
SELECT lead_system.import_leads_csv('Semicolon', E'name;email;phone\n''Eve; Gum'';eve@example.com;303 555 0112\n',
    '{"delimiter": ";", "quote": "''"}') IS NOT NULL AS done;
SELECT lead_system.import_leads_csv('Tab', E'name\temail\nFay Yew\tfay@example.com\n', '{"delimiter": "\t"}') IS NOT NULL AS done;
SELECT lead_system.import_leads_csv('Tab', E'name\temail\nGus Bay\tgus@example.com\n', '{"delimiter": "\\t"}') IS NOT NULL AS done;
SELECT list, first_name, last_name, email, phone_number FROM members WHERE list IN ('Semicolon', 'Tab');
-- header: without one, columns are known by their positions
SELECT lead_system.import_leads_csv('Positions', E'Hal,hal@example.com,ignored,kept\nIda,ida@example.com,,\n',
    '{"header": false, "mapping": {"1": "first_name", "2": "email", "3": null}}') IS NOT NULL AS done;
SELECT first_name, email, metadata FROM members WHERE list = 'Positions';
-- region: numbers are read as that region's
SELECT lead_system.import_leads_csv('Regions', E'phone,name\n(506) 234-5678,Kai\n0049 506 234 567,Lea\n', '{"region": "GB", "source": "fair"}') IS NOT NULL AS done;
SELECT line, reason FROM last_errors;
SELECT lead_system.import_leads_csv('Regions', E'phone,name\n(202) 555-0169,Moe\n', '{"region": "us"}') IS NOT NULL AS done;
SELECT first_name, phone_number FROM members WHERE list = 'Regions' AND first_name = 'Moe';
-- source, null_values
SELECT lead_system.import_leads_csv('Nulls', E'email,first_name,last_name,industry,Club\njan@example.com,Select,-,Select,-\n',
    '{"source": "partner", "null_values": ["Select", "-"]}') IS NOT NULL AS done;
SELECT first_name, last_name, email, source, metadata FROM members WHERE list = 'Nulls';
SELECT industry FROM lead_system.leads WHERE email = 'jan@example.com';
-- a column of the file goes before the option
SELECT lead_system.import_leads_csv('Sources', E'email,source\nkim@example.com,web\nlou@example.com,\n', '{"source": "partner"}') IS NOT NULL AS done;
SELECT email, source FROM members WHERE list = 'Sources';
-- on_duplicate: merge is the default, skip leaves the lead, reject reports the row; skip puts it into the list all the same
SELECT lead_system.import_leads_csv('Again', E'email,first_name,last_name\nkim@example.com,Kim,Pine\nmia@example.com,Mia,\n', '{"on_duplicate": "skip"}') IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT first_name, last_name, email FROM members WHERE list = 'Again';
SELECT lead_system.import_leads_csv('Again', E'email,first_name\nkim@example.com,Kim\nmia@example.com,Maria\nned@example.com,Ned\n', '{"on_duplicate": "reject"}') IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT * FROM last_errors;
SELECT lead_system.import_leads_csv('Again', E'email,first_name,last_name\nkim@example.com,Kim,Pine\nmia@example.com,,Palm\n', '{"on_duplicate": "merge"}') IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT first_name, last_name, email FROM members WHERE list = 'Again';

--
-- Whose lead is it (I13): by source and source_id, else e-mail address, else phone number
--
SELECT lead_system.import_leads_csv('Match', $csv$source_id,email,phone,first_name,city,tags
A1,olga@example.com,202-555-0141,Olga,Austin,one
A2,pia@example.com,202-555-0142,Pia,Boston,
$csv$, '{"source": "crm"}') IS NOT NULL AS done;
SELECT lead_system.import_leads_csv('Match', $csv$source_id,email,phone,first_name,city,tags
A1,olga.new@example.com,,,Dallas,two
,PIA@example.com,,,,three
,,(202) 555-0142,Pia Maria,,
$csv$, '{"source": "crm"}') IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT d.source_id, d.email, d.phone_number, d.first_name, d.city, d.tags FROM lead_system.leads d WHERE d.source = 'crm' ORDER BY d.source_id COLLATE "C";
-- a source_id counts within its source, and the origin of a lead is not overwritten
SELECT lead_system.import_leads_csv('Match', E'source_id,email,first_name\nA1,quin@example.com,Quin\nB7,pia@example.com,\n', '{"source": "shop"}') IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT source, source_id, email, first_name FROM lead_system.leads WHERE source IN ('crm', 'shop') ORDER BY source COLLATE "C", source_id COLLATE "C";
-- what was merged is audited
SELECT field_name, old_value, new_value, changed_by = :'chief' AS by_chief FROM lead_system.lead_audit_log a
 WHERE a.lead_id = (SELECT id FROM lead_system.leads WHERE source = 'crm' AND source_id = 'A1') ORDER BY field_name COLLATE "C";

--
-- Rows that cannot be stored: reported with line, text, column and reason, and nothing else lost
--
SELECT lead_system.import_leads_csv('Bad rows', $csv$first_name,email,phone,budget_min,timezone,created_at,status
Rae,rae@example.com,,100,America/Chicago,2026-02-01,
Sam,not-an-address,,,,,
Tom,,12345,,,,
Una,una@example.com,,lots,,,
Val,val@example.com,,,Mars/Olympus,,
Wes,wes@example.com,,,,yesterday-ish,
Xan,xan@example.com,,,,,Nowhere
Yul,yul@example.com
Zoe,zoe@example.com,,,,,,extra
,,,,,,
"Abe
Abel",abe@example.com,202-555-0151,,,,
Bea,bea@example.com,(202) 555-0152,12.5,,,
$csv$) IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT * FROM last_errors;
SELECT first_name, email, phone_number FROM members WHERE list = 'Bad rows';
SELECT budget_min, timezone, created_at FROM lead_system.leads WHERE email = 'rae@example.com';

--
-- Errors: the import as a whole
--
SELECT lead_system.import_leads_csv(NULL, 'email');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', 'email', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv(' ', E'email\na@example.com\n');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', '');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT lead_system.import_leads_csv('List', E'colour,shape\nred,round\n');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'a@example.com\n', '{"header": false}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"mapping": {"email": "mail_address"}}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"encoding": "latin1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"mapping": "email"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"delimiter": "||"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"delimiter": ""}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"delimiter": "\n"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"quote": "„"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"delimiter": "\""}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"header": "yes"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"on_duplicate": "overwrite"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"null_values": "none"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n', '{"source": 7}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'phone\n202-555-0160\n', '{"region": "XX"}');
\echo :LAST_ERROR_SQLSTATE
-- a region is checked whether or not a number needs it
SELECT lead_system.import_leads_csv('List', E'phone\n+12025550160\n', '{"region": "USA"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'phone\n+12025550160\n', '{"region": "Atlantis"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.import_leads_csv('List', E'phone\n+12025550160\n', '{"region": "Ü"}');
\echo :LAST_ERROR_SQLSTATE
-- nothing of all that left anything behind
SELECT count(*) FROM lead_system.lead_lists WHERE name = 'List';
RESET app.current_org_id;
RESET app.current_user_id;
SELECT lead_system.import_leads_csv('List', E'email\na@example.com\n');
\echo :LAST_ERROR_SQLSTATE
-- each organization has its own leads
RESET ROLE;
SET app.current_org_id = :'bravo';
SET ROLE regress_ls_import_manager;
SELECT lead_system.import_leads_csv('Fair', E'email,first_name\nann@example.com,Another Ann\n') IS NOT NULL AS done;
SELECT * FROM last_import;
SELECT first_name, email FROM lead_system.leads;
SELECT name, lead_count FROM lead_system.lead_lists;
RESET ROLE;
SET ROLE regress_ls_import_agent;
SELECT lead_system.import_leads_csv('Fair', E'email\na@example.com\n');
\echo :LAST_ERROR_SQLSTATE

--
-- parse_csv(): how a text is read
--
SELECT * FROM lead_system.parse_csv(E'a,b\n1,"two\nlines"\n"say ""hi""",\n');
SELECT line, fields, problem FROM lead_system.parse_csv(csv => E'a;b\n''x;y'';2\n', delimiter => ';', quote => '''');
SELECT line, fields FROM lead_system.parse_csv(E'a\tb\n1\t2\n', '\t');
-- white space is data; an empty text has no records
SELECT line, fields FROM lead_system.parse_csv(E' a , b \n 1 ,\t2\n');
SELECT count(*) FROM lead_system.parse_csv('');
SELECT * FROM lead_system.parse_csv(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.parse_csv('a', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.parse_csv('a', ',', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.parse_csv('a', 'ab');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.parse_csv('a', ',', E'\n');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
RESET app.current_org_id;

DROP VIEW last_import, last_errors, members;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd6000000-%';
SELECT (SELECT count(*) FROM lead_system.lead_imports WHERE organization_id::text LIKE 'd6000000-%') AS lead_imports,
       (SELECT count(*) FROM lead_system.lead_import_errors WHERE organization_id::text LIKE 'd6000000-%') AS lead_import_errors,
       (SELECT count(*) FROM lead_system.leads WHERE organization_id::text LIKE 'd6000000-%') AS leads,
       (SELECT count(*) FROM lead_system.lead_audit_log WHERE organization_id::text LIKE 'd6000000-%') AS lead_audit_log;
SELECT lead_system.revoke_access('regress_ls_import_manager');
SELECT lead_system.revoke_access('regress_ls_import_agent');
DROP ROLE regress_ls_import_manager, regress_ls_import_agent;
