-- lists: lists of leads, their members, and create_lead_list_from_csv().
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'd1000000-0000-4000-8000-00000000000a'
\set bravo 'd1000000-0000-4000-8000-00000000000b'
\set chief 'd1000000-0000-4000-8000-0000000000a1'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'Alpha'), (:'bravo', 'Bravo');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'alpha', :'chief', 'Chief', 'chief@example.com', 'manager');
CREATE ROLE regress_ls_lists_manager;
SELECT lead_system.grant_access('regress_ls_lists_manager', 'manager');
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';

--
-- Lists by plain statements: defaults, names, counts
--
\set gala 'd1000000-0000-4000-8000-000000000001'
\set news 'd1000000-0000-4000-8000-000000000002'
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'alpha', :'gala', 'Gala'), (:'alpha', :'news', 'News');
SELECT name, description, list_type, lead_count, is_archived, tags, metadata, created_by = :'chief' AS by_chief, created_at
  FROM lead_system.lead_lists WHERE organization_id = :'alpha' AND id = :'gala';
-- a name is free again when its list has been archived
\set VERBOSITY terse
INSERT INTO lead_system.lead_lists (organization_id, name) VALUES (:'alpha', 'Gala');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.lead_lists (organization_id, name) VALUES (:'alpha', '  ');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.lead_lists (organization_id, name, list_type) VALUES (:'alpha', 'Hot', 'dynamic');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.lead_lists (organization_id, name, tags) VALUES (:'alpha', 'Hot', '{"a": 1}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.lead_lists (organization_id, name, metadata) VALUES (:'alpha', 'Hot', '[]');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
BEGIN;
UPDATE lead_system.lead_lists SET is_archived = true WHERE organization_id = :'alpha' AND id = :'gala';
INSERT INTO lead_system.lead_lists (organization_id, name) VALUES (:'alpha', 'Gala');
SELECT name, is_archived FROM lead_system.lead_lists WHERE organization_id = :'alpha' AND name = 'Gala' ORDER BY is_archived;
ROLLBACK;

-- members, by one statement or many; lead_count follows every way of changing them
INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number)
SELECT :'alpha', ('d1000000-0000-4000-8000-00000000010' || n)::uuid, 'Lead ' || n, '+1202555010' || n FROM generate_series(1, 5) n;
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
SELECT :'alpha', :'gala', id FROM lead_system.leads WHERE organization_id = :'alpha';
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id, notes)
VALUES (:'alpha', :'news', 'd1000000-0000-4000-8000-000000000101', 'asked for it');
SELECT name, lead_count FROM lead_system.lead_lists WHERE organization_id = :'alpha' ORDER BY name COLLATE "C";
SELECT l.first_name, m.added_at, m.added_by = :'chief' AS by_chief, m.notes
  FROM lead_system.lead_list_members m JOIN lead_system.leads l ON l.organization_id = m.organization_id AND l.id = m.lead_id
 WHERE m.organization_id = :'alpha' AND m.lead_list_id = :'news';
-- a lead is in a list once
\set VERBOSITY terse
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
VALUES (:'alpha', :'news', 'd1000000-0000-4000-8000-000000000101');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- moving members from list to list
UPDATE lead_system.lead_list_members SET lead_list_id = :'news'
 WHERE organization_id = :'alpha' AND lead_list_id = :'gala'
   AND lead_id IN ('d1000000-0000-4000-8000-000000000102', 'd1000000-0000-4000-8000-000000000103');
SELECT name, lead_count FROM lead_system.lead_lists WHERE organization_id = :'alpha' ORDER BY name COLLATE "C";
DELETE FROM lead_system.lead_list_members
 WHERE organization_id = :'alpha' AND lead_id IN ('d1000000-0000-4000-8000-000000000101', 'd1000000-0000-4000-8000-000000000104');
SELECT name, lead_count FROM lead_system.lead_lists WHERE organization_id = :'alpha' ORDER BY name COLLATE "C";
-- neither a list nor a lead of another organization fits
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES (:'bravo', 'd1000000-0000-4000-8000-0000000000b1', 'Bravo''s');
\set VERBOSITY terse
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
VALUES (:'alpha', 'd1000000-0000-4000-8000-0000000000b1', 'd1000000-0000-4000-8000-000000000101');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
VALUES (:'bravo', 'd1000000-0000-4000-8000-0000000000b1', 'd1000000-0000-4000-8000-000000000101');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- a list that goes takes its members, not the leads
DELETE FROM lead_system.lead_lists WHERE organization_id = :'alpha' AND id = :'gala';
SELECT (SELECT count(*) FROM lead_system.lead_list_members WHERE organization_id = :'alpha' AND lead_list_id = :'gala') AS members,
       (SELECT count(*) FROM lead_system.leads WHERE organization_id = :'alpha') AS leads;

--
-- create_lead_list_from_csv(): rows of a file as objects
--
CREATE TEMP VIEW lists AS
SELECT l.organization_id, l.name AS list, l.lead_count, d.first_name, d.last_name, d.company_name, d.email, d.phone_number, d.source, d.metadata
  FROM lead_system.lead_lists l
  JOIN lead_system.lead_list_members m ON m.organization_id = l.organization_id AND m.lead_list_id = l.id
  JOIN lead_system.leads d ON d.organization_id = m.organization_id AND d.id = m.lead_id
 ORDER BY l.name COLLATE "C", d.email COLLATE "C", d.phone_number;
CREATE TEMP VIEW imports AS
SELECT organization_id, source, status, row_count AS rows, inserted_count AS inserted, updated_count AS updated,
       duplicate_count AS duplicate, rejected_count AS rejected, blocked_count AS blocked, warning_count AS warnings
  FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1;
GRANT SELECT ON lists, imports TO regress_ls_lists_manager;
SET ROLE regress_ls_lists_manager;
-- keys are read as the headers of a file are, and unknown ones kept in metadata
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Spring', '[
    {"First Name": "Ann", "last_name": "Oak", "Email": "Ann@Example.com", "company": "Oak Ltd", "Shoe Size": 38, "vip": true},
    {"name": "Bob Elm", "phone": "(303) 555-0102", "email": null, "notes": ""}
]'::jsonb) AS spring \gset
SELECT list, lead_count, first_name, last_name, company_name, email, phone_number, source, metadata FROM lists WHERE list = 'Spring';
SELECT rows, inserted, updated, duplicate, rejected, blocked, warnings, source, status FROM imports;
-- clients call by name
SELECT lead_system.create_lead_list_from_csv(p_business_id => :'alpha', p_list_name => 'Spring', p_leads => '[]') = :'spring' AS same_list;
SELECT rows, inserted, status FROM imports;
-- the same rows again: the same list, nothing new
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Spring', '[
    {"First Name": "Ann", "last_name": "Oak", "Email": "ann@example.com", "company": "Oak Ltd", "Shoe Size": 38, "vip": true},
    {"name": "Bob Elm", "phone": "+1 303 555 0102"}
]'::jsonb) = :'spring' AS same_list;
SELECT rows, inserted, updated, duplicate, rejected FROM imports;
SELECT count(*), min(lead_count) FROM lists WHERE list = 'Spring';
-- the same leads in another list: what is set overwrites, what is not stays
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Summer', '[
    {"email": "ANN@example.com", "company": "Oak & Ash Ltd", "Shoe Size": "39"},
    {"phone": "303.555.0102", "last_name": "Elmer"},
    {"phone": "303.555.0103"}
]'::jsonb) <> :'spring' AS another_list;
SELECT rows, inserted, updated, duplicate, rejected FROM imports;
SELECT list, lead_count, first_name, last_name, company_name, email, phone_number, metadata FROM lists WHERE list IN ('Spring', 'Summer');
-- rows that cannot be stored are reported and cost nothing but themselves
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Autumn', '[
    {"email": "carl@example.com"},
    {"email": "not an address"},
    {"phone": "555-0104"},
    7, "text", null, ["email"],
    {"email": "dora@example.com", "budget_min": "cheap"},
    {"email": "ed@example.com", "status": "Nowhere"}
]'::jsonb) AS autumn \gset
SELECT rows, inserted, updated, duplicate, rejected FROM imports;
SELECT line, raw_text, column_name, severity, sqlstate, reason FROM lead_system.lead_import_errors
 WHERE import_id = (SELECT id FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1) ORDER BY line;
SELECT list, lead_count, email FROM lists WHERE list = 'Autumn';
-- an object without a value is no lead; keys that mean the same: the lead's own name goes first, the others are kept
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Autumn', '[
    {}, {"email": null}, {"email": "", "notes": "  "},
    {"mobile": "303 555 0111", "tel": "303 555 0112", "phone_number": "303 555 0113"},
    {"phone": null, "mobile": "303 555 0114", "metadata": {"a": 1}, "Shoe Size": 40}
]'::jsonb) = :'autumn' AS same_list;
SELECT rows, inserted, updated, duplicate, rejected FROM imports;
SELECT line, column_name, sqlstate, reason FROM lead_system.lead_import_errors
 WHERE import_id = (SELECT id FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1) ORDER BY line;
SELECT phone_number, metadata FROM lists WHERE list = 'Autumn' AND phone_number IS NOT NULL;
-- listed leads are imported and blocked (D17)
SELECT lead_system.add_to_dnc_list('303 555 0105', 'lead_requested') IS NOT NULL AS added;
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Winter', '[{"phone": "303 555 0105"}, {"phone": "303 555 0106"}]') IS NOT NULL AS made;
SELECT rows, inserted, blocked FROM imports;
SELECT phone_number, do_not_call, calling_blocked_reason FROM lead_system.leads WHERE phone_number IN ('+13035550105', '+13035550106') ORDER BY phone_number;

-- errors
SELECT lead_system.create_lead_list_from_csv(NULL, 'List', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv(:'alpha', NULL, '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'List', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv(:'alpha', '  ', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'List', '{"email": "fay@example.com"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'List', '7');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv(:'bravo', 'List', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_lead_list_from_csv('d1000000-0000-4000-8000-0000000000ff', 'List', '[]');
\echo :LAST_ERROR_SQLSTATE
-- nothing of all that left a list behind
SELECT name, lead_count FROM lead_system.lead_lists ORDER BY name COLLATE "C";
RESET ROLE;

-- an archived list is not added to: a new one of its name is made
UPDATE lead_system.lead_lists SET is_archived = true WHERE organization_id = :'alpha' AND id = :'spring';
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Spring', '[{"email": "ann@example.com"}]') <> :'spring' AS another_list;
SELECT name, is_archived, lead_count FROM lead_system.lead_lists WHERE organization_id = :'alpha' AND name = 'Spring' ORDER BY is_archived;
-- a role without the level may not
CREATE ROLE regress_ls_lists_agent;
SELECT lead_system.grant_access('regress_ls_lists_agent', 'agent');
SET ROLE regress_ls_lists_agent;
SELECT lead_system.create_lead_list_from_csv(:'alpha', 'Spring', '[]');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

RESET app.current_org_id;
RESET app.current_user_id;
DROP VIEW lists, imports;
-- An organization takes everything along.
DELETE FROM lead_system.organizations WHERE id::text LIKE 'd1000000-%';
SELECT (SELECT count(*) FROM lead_system.lead_lists WHERE organization_id::text LIKE 'd1000000-%') AS lead_lists,
       (SELECT count(*) FROM lead_system.lead_list_members WHERE organization_id::text LIKE 'd1000000-%') AS lead_list_members,
       (SELECT count(*) FROM lead_system.lead_imports WHERE organization_id::text LIKE 'd1000000-%') AS lead_imports,
       (SELECT count(*) FROM lead_system.lead_import_errors WHERE organization_id::text LIKE 'd1000000-%') AS lead_import_errors;
SELECT lead_system.revoke_access('regress_ls_lists_agent');
SELECT lead_system.revoke_access('regress_ls_lists_manager');
DROP ROLE regress_ls_lists_agent, regress_ls_lists_manager;
