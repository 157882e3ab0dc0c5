-- One lead at a time, the dashboard, pipelines, and what is recorded of it all.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name) VALUES
    ('40000000-0000-4000-8000-000000000001', 'Acme'),
    ('40000000-0000-4000-8000-000000000002', 'Globex');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    ('40000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000011', 'Rob Rep', 'rob@example.com', 'rep'),
    ('40000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000012', 'Ann Admin', 'ann@example.com', 'admin');
INSERT INTO lead_system.categories (organization_id, id, slug, display_name) VALUES
    ('40000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-0000000000c1', 'solar', 'Solar');

--
-- upsert_lead()
--
SELECT lead_system.upsert_lead('{"email": "early@example.com"}');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '40000000-0000-4000-8000-000000000001';
SELECT lead_system.upsert_lead('{"email": "First@Example.com"}') AS first \gset
\x on
SELECT organization_id, email, phone_number, status, stage, status_changed_at, lead_score, raw_score, temperature, score_breakdown,
       scoring_model, scored_at, enrichment_status, tags, metadata, source_metadata, external_ids, is_spam, needs_review, is_qualified,
       do_not_call, priority_flag, created_by, created_at, updated_at, deleted_at
  FROM lead_system.leads WHERE id = :'first';
\x off

-- Columns go by their names, or by those that the design documents use.
SET app.current_user_id = '40000000-0000-4000-8000-000000000011';
SELECT lead_system.upsert_lead('{
    "id": "40000000-0000-4000-8000-0000000000a1", "contact_name": "Mary Ann Example", "company": "Example Works", "phone": "(202) 555-0101",
    "customer_email": "mary@works.example.com", "customer_address": "1 Example Street", "city": "Springfield", "state": "IL", "zip": "62701",
    "company_size": 120, "industry": "Manufacturing", "inquiry_type": "Demo Request", "budget_timeline": "3-6 months",
    "urgency_level": "high", "budget_min": "1000.50", "budget_max": 2000, "category": "solar", "lead_source": "website", "source_id": "web-1",
    "utm_source": "newsletter", "tags": ["vip", "new"], "metadata": {"seats": 3}, "external_ids": {"crm": "17"},
    "last_contact_date": "2026-03-01 10:00:00+00", "notes": null, "timezone": "America/Chicago", "message": "  "}');
\x on
SELECT first_name, last_name, company_name, phone_number, email, address, city, state, zip_code, company_size, urgency, budget_min,
       budget_max, category_id, source, source_id, utm_source, tags, metadata, external_ids, last_contact_at, notes, timezone, message,
       created_by, lead_score, temperature, score_breakdown
  FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000a1';
\x off
-- A head count is as good as a size band.
SELECT count(lead_system.upsert_lead(jsonb_build_object('company_size', n, 'metadata', jsonb_build_object('n', n))))
  FROM unnest(ARRAY[1, 10, 11, 50, 51, 200, 201, 1000, 1001, 250000]) n;
SELECT metadata->>'n' AS employees, company_size FROM lead_system.leads WHERE metadata ? 'n' ORDER BY (metadata->>'n')::integer;
-- Lists come as arrays or as words between commas, semicolons or bars.
SELECT count(lead_system.upsert_lead(jsonb_build_object('tags', t.tags, 'metadata', jsonb_build_object('tags', t.tags))))
  FROM (VALUES ('["a", "b c"]'::jsonb), ('"a, b c ;d|e"'), ('"{a,\"b c\"}"'), ('[]'), ('""'), (NULL)) t(tags);
SELECT metadata->'tags' AS given, tags FROM lead_system.leads WHERE metadata ? 'tags' ORDER BY (metadata->'tags')::text COLLATE "C";
DELETE FROM lead_system.leads WHERE email IS NULL;
-- A pipeline by name
SELECT lead_system.upsert_lead('{"email": "job@example.com", "pipeline": "field_service", "status": "quoted"}') AS job \gset
SELECT p.name, l.status, l.stage, l.pipeline_stage, l.quoted_at, l.contacted_at
  FROM lead_system.leads l JOIN lead_system.pipelines p ON p.id = l.pipeline_id WHERE l.id = :'job';

-- What is refused
SELECT lead_system.upsert_lead('{"e_mail": "x@example.com"}');
\echo :LAST_ERROR_SQLSTATE
-- What the extension keeps itself is no key.
\set VERBOSITY terse
SELECT lead_system.upsert_lead('{"lead_score": 100}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"created_by": "40000000-0000-4000-8000-000000000012"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"organization_id": "40000000-0000-4000-8000-000000000002"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead_system.upsert_lead('["x@example.com"]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com"}', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com"}', 'replace');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone": "555-0101"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"budget_min": "a lot"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"created_at": "2026-02-30"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com", "timezone": "Mars/Olympus"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com", "pipeline": "sales"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com", "category": "lunar"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com", "status": "Won"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com", "pipeline": "field_service", "status": "lost"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "x@example.com", "assigned_to": "40000000-0000-4000-8000-0000000000ff"}');
\echo :LAST_ERROR_SQLSTATE

-- A key has one value, which a column can have; a column has one key.
SELECT lead_system.upsert_lead('{"first_name": {"a": 1}}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": ["x@example.com"]}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"name": {"first": "Ann", "last": "Lee"}}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"pipeline": ["b2b"]}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"do_not_call": [false]}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone": "202-555-0102", "phone_number": "202-555-0103"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone": null, "customer_phone": "202-555-0103"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"full_name": "Ann Lee", "contact_name": "Ann B. Lee"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"pipeline": "b2b", "pipeline_id": "00000000-0000-7000-8000-000000000001"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"category": "solar", "category_id": "40000000-0000-4000-8000-0000000000c1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.leads WHERE phone_number IN ('+12025550102', '+12025550103') OR email = 'x@example.com';

-- Duplicates: the same id, source and source_id, e-mail address within 24 hours, or phone number
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a1", "email": "other@example.com"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"source": "website", "source_id": "web-1"}', 'reject');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone": "202.555.0101"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"email": "MARY@works.example.com"}');
\echo :LAST_ERROR_SQLSTATE
-- skip leaves the lead that is there, and returns it.
SELECT lead_system.upsert_lead('{"phone": "202-555-0101", "first_name": "Nobody"}', 'skip');
SELECT first_name FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000a1';
-- merge overwrites with what is given, keeps the origin, and unites lists and objects.
SET lead_system.now = '2026-03-02 13:00:00+00';
SELECT lead_system.upsert_lead(on_duplicate => 'merge', lead => '{
    "phone": "+12025550101", "first_name": "Marie", "last_name": null, "city": "", "company_size": "201-1000", "source": "phone",
    "sub_source": "inbound", "source_id": "call-9", "utm_source": "ad", "tags": ["new", "called"], "metadata": {"seats": 5, "floor": 2},
    "external_ids": {"erp": "9"}}');
\x on
SELECT first_name, last_name, city, company_size, source, sub_source, source_id, utm_source, tags, metadata, external_ids, email,
       lead_score, created_at, updated_at
  FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000a1';
\x off
-- Without a duplicate, merge and skip insert.
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a2", "email": "bob@example.org", "source_id": "1"}', 'merge');
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a3", "email": "cat@example.org"}', 'skip');
-- The same source_id of another source is another lead.
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a4", "source": "other", "source_id": "web-1"}');
SELECT lead_system.upsert_lead('{"source_id": "1"}');
\echo :LAST_ERROR_SQLSTATE
-- The id is looked at before the source, the source before the address, that before the phone number.
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a3", "source": "other", "source_id": "web-1", "phone": "+12025550101",
    "email": "bob@example.org"}', 'skip');
SELECT lead_system.upsert_lead('{"source": "other", "source_id": "web-1", "phone": "+12025550101", "email": "bob@example.org"}', 'skip');
SELECT lead_system.upsert_lead('{"phone": "+12025550101", "email": "bob@example.org"}', 'skip');
SELECT lead_system.upsert_lead('{"phone": "+12025550101", "email": "nobody@example.org"}', 'skip');
-- A merge can run into a third lead: by phone number, address, source, or the other way round.
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a2", "phone": "+12025550101"}', 'merge');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"phone": "+12025550101", "email": "bob@example.org"}', 'merge');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a4", "email": "bob@example.org"}', 'merge');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a3", "source": "other", "source_id": "web-1"}', 'merge');
\echo :LAST_ERROR_SQLSTATE
SELECT id, source, source_id, phone_number, email FROM lead_system.leads
 WHERE id IN ('40000000-0000-4000-8000-0000000000a1', '40000000-0000-4000-8000-0000000000a2', '40000000-0000-4000-8000-0000000000a3',
              '40000000-0000-4000-8000-0000000000a4') ORDER BY id;
-- A deleted lead is none that could be found, but its id is taken.
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = '40000000-0000-4000-8000-0000000000a3';
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000a3", "email": "cat@example.org"}', 'merge');
\echo :LAST_ERROR_SQLSTATE
-- What says that a lead is not to be called is added by a merge, and never taken back.
SELECT lead_system.upsert_lead('{"email": "bob@example.org", "do_not_call": true, "calling_blocked_reason": "asked"}', 'merge');
SELECT lead_system.upsert_lead('{"email": "bob@example.org", "do_not_call": false, "calling_blocked_reason": "none", "city": "Reno"}', 'merge');
SELECT do_not_call, calling_blocked_reason, city FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000a2';
-- Another organization's leads are no duplicates.
SET app.current_user_id = '';
SET app.current_org_id = '40000000-0000-4000-8000-000000000002';
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-0000000000b1", "phone": "+12025550101", "email": "mary@works.example.com"}');
SET app.current_org_id = '40000000-0000-4000-8000-000000000001';
SET app.current_user_id = '40000000-0000-4000-8000-000000000011';

--
-- Plain statements do the same as functions
--
INSERT INTO lead_system.leads (id, first_name, phone_number, email) VALUES
    ('40000000-0000-4000-8000-0000000000d1', 'Don', '(202) 555-0104', 'Don@Example.org')
    RETURNING organization_id, phone_number, email, status, created_by;
UPDATE lead_system.leads SET phone_number = '202 555 0105' WHERE id = '40000000-0000-4000-8000-0000000000d1' RETURNING phone_number;
COPY lead_system.leads (id, first_name, phone_number, email, company_size, tags) FROM stdin;
40000000-0000-4000-8000-0000000000d2	Eve	1-202-555-0106	EVE@example.org	11-50	{copied}
40000000-0000-4000-8000-0000000000d3	Fay	\N	fay@example.org	\N	{}
\.
SELECT organization_id, first_name, phone_number, email, status, lead_score, scoring_model, tags FROM lead_system.leads
 WHERE id IN ('40000000-0000-4000-8000-0000000000d2', '40000000-0000-4000-8000-0000000000d3') ORDER BY id;
-- A broken row of COPY takes the statement along.
COPY lead_system.leads (first_name, phone_number) FROM stdin;
Gil	202-555-0107
Hal	555-0108
\.
SELECT count(*) FROM lead_system.leads WHERE first_name IN ('Gil', 'Hal');
DELETE FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000d3';
-- What stays of a lead that was deleted for good
SELECT lead_id, user_id, action_type, old_value, description FROM lead_system.activities
 WHERE old_value->>'lead_id' = '40000000-0000-4000-8000-0000000000d3';
SELECT count(*) AS histories FROM lead_system.activities WHERE lead_id = '40000000-0000-4000-8000-0000000000d3';

--
-- change_lead_status(), in each of the five pipelines
--
SET lead_system.now = '2026-03-03 10:00:00+00';
INSERT INTO lead_system.leads (id, first_name, pipeline_id)
SELECT ('40000000-0000-4000-8000-0000000000f' || n)::uuid, p.name, p.id
  FROM unnest(ARRAY['b2b', 'recruiting', 'field_service', 'marketplace', 'outreach']) WITH ORDINALITY w(name, n)
  JOIN lead_system.pipelines p ON p.name = w.name AND p.organization_id IS NULL;
SET lead_system.now = '2026-03-03 11:30:00+00';
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Contacted');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f2', 'contacted', 'Rang back', 'call', '40000000-0000-4000-8000-0000000000ca');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f3', 'quoted', trigger_type => 'automation');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f4', 'ACTIVE', trigger_type => 'ai');
SELECT lead_system.change_lead_status(lead_id => '40000000-0000-4000-8000-0000000000f5', new_status => 'calling', trigger_type => 'import');
SET lead_system.now = '2026-03-05 11:30:00+00';
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Qualified');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f2', 'hot');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f3', 'lost', 'Too dear');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f4', 'BIDDING_CLOSED');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f5', 'failed', 'Number is dead');
SELECT first_name AS pipeline, status, stage, pipeline_stage, status_changed_at, contacted_at, qualified_at, quoted_at, lost_at, lost_reason
  FROM lead_system.leads WHERE id::text LIKE '40000000-0000-4000-8000-0000000000f_' ORDER BY id;
SELECT l.first_name AS pipeline, h.old_status, h.new_status, h.old_stage, h.new_stage, h.time_in_status, h.trigger_type, h.trigger_id,
       h.reason, h.changed_by, h.created_at
  FROM lead_system.lead_status_history h JOIN lead_system.leads l ON l.id = h.lead_id
 WHERE l.id::text LIKE '40000000-0000-4000-8000-0000000000f_' ORDER BY l.id, h.created_at;
-- A step to where the lead is already does nothing.
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Qualified', 'Again');
SELECT count(*) FROM lead_system.lead_status_history WHERE lead_id = '40000000-0000-4000-8000-0000000000f1';
-- What is refused
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'New');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f5', 'contacted');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Closed');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Opportunity', trigger_type => 'whim');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status(NULL, 'Opportunity');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', NULL);
\echo :LAST_ERROR_SQLSTATE
-- No such lead, and a lead of another organization: the same answer
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000fe', 'Contacted');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000b1', 'Contacted');
\echo :LAST_ERROR_SQLSTATE
-- Only an administrator forces a step.
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'New', 'Wrong lead', force => true);
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = '40000000-0000-4000-8000-000000000012';
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'New', 'Wrong lead', force => true);
SELECT status, qualified_at FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000f1';
SET app.current_user_id = '';
-- The database role must have that level, too.
CREATE ROLE regress_ls_agent;
SELECT lead_system.grant_access('regress_ls_agent', 'agent');
SET ROLE regress_ls_agent;
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Qualified', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Contacted');
-- Without an organization it can do nothing, and is not told what there is.
SET app.current_org_id = '';
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Qualified');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000fe', 'Qualified');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT lead_system.revoke_access('regress_ls_agent');
DROP ROLE regress_ls_agent;
-- A role above the policies can: the lead tells the organization, unless two have one of that id.
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Qualified');
SELECT organization_id, new_status FROM lead_system.lead_status_history
 WHERE lead_id = '40000000-0000-4000-8000-0000000000f1' ORDER BY id DESC LIMIT 1;
INSERT INTO lead_system.leads (organization_id, id) VALUES
    ('40000000-0000-4000-8000-000000000002', '40000000-0000-4000-8000-0000000000f1');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Contacted');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '40000000-0000-4000-8000-000000000002';
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-0000000000f1', 'Contacted');
SELECT organization_id, status FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-0000000000f1' ORDER BY organization_id;
-- So it is with every function that takes an id.
SET app.current_org_id = '';
SELECT lead_system.add_lead_note('40000000-0000-4000-8000-0000000000f1', 'Whose?');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.calculate_lead_score('40000000-0000-4000-8000-0000000000f1');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.calculate_lead_score('40000000-0000-4000-8000-0000000000f1', 'b2b');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.score_at('40000000-0000-4000-8000-0000000000f1', '2026-03-03');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.explain_lead_score('40000000-0000-4000-8000-0000000000f1');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '40000000-0000-4000-8000-000000000001';
SET app.current_user_id = '40000000-0000-4000-8000-000000000011';

--
-- add_lead_note()
--
SELECT lead_system.add_lead_note('40000000-0000-4000-8000-0000000000f1', 'Prefers mornings') IS NOT NULL AS added;
SELECT action_type, user_id, old_value, new_value, created_at FROM lead_system.activities
 WHERE lead_id = '40000000-0000-4000-8000-0000000000f1' AND action_type = 'note_added';
SELECT lead_system.add_lead_note('40000000-0000-4000-8000-0000000000f1', E' \n');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_note('40000000-0000-4000-8000-0000000000f1', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_note(NULL, 'Lost');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_note('40000000-0000-4000-8000-0000000000fe', 'Lost');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.add_lead_note('40000000-0000-4000-8000-0000000000b1', 'Spying');
\echo :LAST_ERROR_SQLSTATE

--
-- What is recorded of one lead
--
SET lead_system.now = '2026-03-06 09:00:00+00';
SET app.client_ip = '192.0.2.7';
SET app.user_agent = 'Browser/1.0';
INSERT INTO lead_system.leads (id, first_name, phone_number, company_size) VALUES
    ('40000000-0000-4000-8000-0000000000a9', 'Kim', '+12025550109', '1-10');
SET lead_system.now = '2026-03-06 10:00:00+00';
UPDATE lead_system.leads SET first_name = 'Kimberly', company_size = '51-200', tags = '{vip}', notes = '', email_reply_count = 1
 WHERE id = '40000000-0000-4000-8000-0000000000a9';
SET lead_system.now = '2026-03-06 11:00:00+00';
UPDATE lead_system.leads SET status = 'Contacted', assigned_to = '40000000-0000-4000-8000-000000000011', priority_flag = true,
       enrichment_status = 'Enriched', linkedin_url = 'https://example.com/in/kim'
 WHERE id = '40000000-0000-4000-8000-0000000000a9';
SET lead_system.now = '2026-03-06 12:00:00+00';
UPDATE lead_system.leads SET deleted_at = '2026-03-06 12:00:00+00' WHERE id = '40000000-0000-4000-8000-0000000000a9';
SET lead_system.now = '2026-03-06 13:00:00+00';
UPDATE lead_system.leads SET deleted_at = NULL WHERE id = '40000000-0000-4000-8000-0000000000a9';
-- The user's own columns are recorded like ours.
ALTER TABLE lead_system.leads ADD COLUMN shoe_size integer;
SET lead_system.now = '2026-03-06 14:00:00+00';
UPDATE lead_system.leads SET shoe_size = 39 WHERE id = '40000000-0000-4000-8000-0000000000a9';
-- An update that changes nothing records nothing.
UPDATE lead_system.leads SET first_name = first_name WHERE id = '40000000-0000-4000-8000-0000000000a9';
SELECT created_at, field_name, old_value, new_value, changed_by, ip_address, user_agent, change_reason
  FROM lead_system.lead_audit_log WHERE lead_id = '40000000-0000-4000-8000-0000000000a9'
 ORDER BY created_at, field_name COLLATE "C";
SELECT created_at, action_type, old_value, new_value, description, user_id, ip_address, user_agent
  FROM lead_system.activities WHERE lead_id = '40000000-0000-4000-8000-0000000000a9'
 ORDER BY created_at, action_type COLLATE "C";
SELECT created_at, old_score, new_score, raw_score, model, breakdown, reason FROM lead_system.lead_score_history
 WHERE lead_id = '40000000-0000-4000-8000-0000000000a9' ORDER BY created_at;
RESET app.client_ip;
RESET app.user_agent;
ALTER TABLE lead_system.leads DROP COLUMN shoe_size;
UPDATE lead_system.leads SET first_name = 'Kim' WHERE id = '40000000-0000-4000-8000-0000000000a9';
SELECT count(*) FROM lead_system.lead_audit_log WHERE lead_id = '40000000-0000-4000-8000-0000000000a9';

--
-- dashboard_leads()
--
SET lead_system.now = '2026-03-10 12:00:00+00';
DELETE FROM lead_system.leads WHERE organization_id = '40000000-0000-4000-8000-000000000001';
INSERT INTO lead_system.leads (id, first_name, last_name, company_name, email, company_size, industry, inquiry_type, budget_timeline,
        status, created_at, pricing_page_visits, is_spam, deleted_at, assigned_to) VALUES
    ('40000000-0000-4000-8000-000000000d01', 'Ada', 'One', 'Top', 'd1@top.example.com', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', 'New', '2026-03-10 08:00+00', 0, false, NULL, NULL),
    ('40000000-0000-4000-8000-000000000d02', 'Bea', NULL, 'Top', 'd2@top.example.com', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', 'Contacted', '2026-03-10 07:00+00', 3, false, NULL, '40000000-0000-4000-8000-000000000011'),
    ('40000000-0000-4000-8000-000000000d03', NULL, NULL, 'Middle', 'd3@mid.example.com', '11-50', 'Healthcare', 'Contact Sales', '3-6 months', 'New', '2026-03-10 06:00+00', 0, false, NULL, NULL),
    ('40000000-0000-4000-8000-000000000d04', 'Dan', 'Four', 'Middle', 'd4@mid.example.com', '11-50', 'Healthcare', 'Contact Sales', '3-6 months', 'New', '2026-03-10 09:00+00', 0, false, NULL, NULL),
    ('40000000-0000-4000-8000-000000000d05', 'Eli', 'Five', 'Low', 'd5@low.example.com', '1-10', NULL, NULL, NULL, 'Contacted', '2026-03-10 10:00+00', 0, false, NULL, NULL),
    ('40000000-0000-4000-8000-000000000d06', 'Flo', 'Six', 'Low', 'd6@low.example.com', '1-10', NULL, NULL, NULL, 'New', '2026-03-10 10:00+00', 0, false, NULL, NULL),
    ('40000000-0000-4000-8000-000000000d07', 'Gus', 'Spam', 'Top', 'd7@top.example.com', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', 'New', '2026-03-10 08:00+00', 0, true, NULL, NULL),
    ('40000000-0000-4000-8000-000000000d08', 'Hal', 'Gone', 'Top', 'd8@top.example.com', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', 'New', '2026-03-10 08:00+00', 0, false, '2026-03-10 09:00+00', NULL);
-- Best score first, uncapped; then newest; spam and deleted leads are hidden.
SELECT lead_id, company_name, contact_name, email, status, temperature, lead_score, raw_score, assigned_to, created_at FROM lead_system.dashboard_leads();
SELECT cursor FROM lead_system.dashboard_leads(page_size => 1);
SELECT contact_name, temperature FROM lead_system.dashboard_leads('warm');
SELECT contact_name, status FROM lead_system.dashboard_leads(status => 'Contacted');
SELECT contact_name, status, temperature FROM lead_system.dashboard_leads('cold', 'New');
SELECT count(*) FROM lead_system.dashboard_leads('tepid');
SELECT count(*) FROM lead_system.dashboard_leads(NULL, NULL, NULL, NULL);
-- Page by page: each starts after the cursor of the last row of the one before.
SELECT cursor AS after FROM lead_system.dashboard_leads(page_size => 4) OFFSET 3 \gset
SELECT lead_id FROM lead_system.dashboard_leads(page_size => 4, after => :'after');
WITH RECURSIVE pages AS (
    SELECT 1 AS page, p.* FROM (SELECT lead_id, cursor FROM lead_system.dashboard_leads(page_size => 1)) p
    UNION ALL
    SELECT pages.page + 1, p.lead_id, p.cursor FROM pages, LATERAL lead_system.dashboard_leads(page_size => 1, after => pages.cursor) p)
SELECT page, lead_id FROM pages ORDER BY page;
SELECT cursor AS after FROM lead_system.dashboard_leads('cold', 'New') \gset
SELECT count(*) FROM lead_system.dashboard_leads('cold', 'New', after => :'after');
-- What is refused
SELECT * FROM lead_system.dashboard_leads(page_size => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.dashboard_leads(page_size => 1001);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.dashboard_leads(after => '{"raw_score": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.dashboard_leads(after => '{"raw_score": "high", "id": "1", "created_at": "now"}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.dashboard_leads(after => '{"page": 2}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.dashboard_leads(after => '2');
\echo :LAST_ERROR_SQLSTATE

--
-- search_leads(): needs pg_trgm
--
SELECT * FROM lead_system.search_leads('ada');
\echo :LAST_ERROR_SQLSTATE
CREATE SCHEMA regress_ls_trgm;
CREATE EXTENSION pg_trgm SCHEMA regress_ls_trgm;
CALL lead_system.install();
INSERT INTO lead_system.leads (id, first_name, last_name, company_name, email) VALUES
    ('40000000-0000-4000-8000-000000000e01', 'Jonathan', 'Appleseed', 'Orchard Supplies', 'j1@orchard.example.com'),
    ('40000000-0000-4000-8000-000000000e02', 'Johnny', 'Appleby', NULL, 'j2@orchard.example.com'),
    ('40000000-0000-4000-8000-000000000e03', NULL, NULL, 'Appleseed Ltd', 'j3@orchard.example.com');
INSERT INTO lead_system.leads (organization_id, last_name, email) VALUES
    ('40000000-0000-4000-8000-000000000002', 'Appleseed', 'j4@orchard.example.com');
SELECT lead_id, company_name, contact_name, email, phone_number, similarity FROM lead_system.search_leads('Appleseed') ORDER BY lead_id;
SELECT contact_name FROM lead_system.search_leads('aplleseed jonathan', 1);
SELECT count(*) FROM lead_system.search_leads('zzzz');
UPDATE lead_system.leads SET is_spam = true WHERE id = '40000000-0000-4000-8000-000000000e01';
UPDATE lead_system.leads SET deleted_at = '2026-03-10 12:00+00' WHERE id = '40000000-0000-4000-8000-000000000e03';
SELECT count(*) FROM lead_system.search_leads('Appleseed') WHERE similarity = 1;
SELECT * FROM lead_system.search_leads('x', 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.search_leads('x', 1001);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.search_leads(NULL);
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = warning;
DROP SCHEMA regress_ls_trgm CASCADE;
RESET client_min_messages;

--
-- copy_pipeline(): an organization's own way
--
SELECT lead_system.copy_pipeline('b2b', 'enterprise') AS enterprise \gset
SELECT organization_id, name, description FROM lead_system.pipelines WHERE id = :'enterprise';
SELECT s.status, s.stage, s.position, s.is_initial, s.stamp_column,
       (SELECT string_agg(t.to_status, ', ' ORDER BY t.to_status COLLATE "C") FROM lead_system.pipeline_transitions t
         WHERE t.pipeline_id = s.pipeline_id AND t.from_status = s.status) AS next
  FROM lead_system.pipeline_statuses s WHERE s.pipeline_id = :'enterprise' ORDER BY s.position;
-- It may be changed, and the built-in one stays as it is.
INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position) VALUES
    ('40000000-0000-4000-8000-000000000001', :'enterprise', 'Negotiation', 'working', 4);
INSERT INTO lead_system.pipeline_transitions (organization_id, pipeline_id, from_status, to_status) VALUES
    ('40000000-0000-4000-8000-000000000001', :'enterprise', 'New', 'Negotiation');
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-000000000f01", "email": "big@example.com", "pipeline": "enterprise"}');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-000000000f01', 'Negotiation');
SELECT status, stage FROM lead_system.leads WHERE id = '40000000-0000-4000-8000-000000000f01';
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-000000000f02", "email": "small@example.com"}');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-000000000f02', 'Negotiation');
\echo :LAST_ERROR_SQLSTATE
-- Under a built-in name, it takes its place for this organization.
SELECT lead_system.copy_pipeline('enterprise', 'b2b') IS NOT NULL AS copied;
SELECT lead_system.upsert_lead('{"id": "40000000-0000-4000-8000-000000000f03", "email": "third@example.com"}');
SELECT lead_system.change_lead_status('40000000-0000-4000-8000-000000000f03', 'Negotiation');
-- What is refused
SELECT lead_system.copy_pipeline('recruiting', 'enterprise');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT lead_system.copy_pipeline('recruiting', 'Big Deals');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT lead_system.copy_pipeline('sales', 'other') IS NULL AS no_such_pipeline;
-- Another organization cannot use it.
SET app.current_user_id = '';
SET app.current_org_id = '40000000-0000-4000-8000-000000000002';
SELECT lead_system.copy_pipeline('enterprise', 'stolen') IS NULL AS no_such_pipeline;
SELECT lead_system.upsert_lead('{"email": "sly@example.com", "pipeline": "enterprise"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
UPDATE lead_system.leads SET pipeline_id = :'enterprise' WHERE organization_id = '40000000-0000-4000-8000-000000000002';
\set VERBOSITY default
-- A pipeline that leads are in cannot go.
SET app.current_org_id = '40000000-0000-4000-8000-000000000001';
\set VERBOSITY sqlstate
DELETE FROM lead_system.pipelines WHERE id = :'enterprise';
\set VERBOSITY default

DELETE FROM lead_system.organizations WHERE id::text LIKE '40000000-0000-4000-8000-%';
