-- Tenants are kept apart: a session of organization alpha sees, changes and
-- guesses nothing of organization bravo, at any access level, through any table
-- or function.
--
-- "Guesses" is tested by asking twice: about something of bravo's, and about
-- something that does not exist.  Both answers must be the same, but for the
-- names that the caller passed.  Tables, foreign keys and functions are taken
-- from the catalogs, so that what is added later is covered.
--
-- Runs alone: pg_prove test/pgtap/tenants.sql

BEGIN;
SELECT plan(66);
\ir lib/two_organizations.sql
\ir lib/two_markets.sql

-- Functions must keep to the organization of the session even when row level
-- security does not apply to the caller.
CREATE ROLE tap_bypass NOLOGIN BYPASSRLS;
SELECT lead_system.grant_access('tap_bypass', 'admin') \g /dev/null

-- Which tables can a level write, and how?
CREATE TEMP VIEW writable AS
SELECT t.name, t.tenant_column, t.is_shared, l.level, l.role_name, l.position, c.command,
       -- A column that the level may update.
       (SELECT a.attname FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = t.oid AND a.attnum > 0 AND has_column_privilege(l.role_name, t.oid, a.attnum, 'UPDATE')
         ORDER BY a.attname <> t.tenant_column, a.attnum LIMIT 1)::text AS column_name
  FROM tenant_tables t CROSS JOIN levels l CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE')) c(command)
 WHERE CASE c.command WHEN 'DELETE' THEN has_table_privilege(l.role_name, t.oid, c.command)
                      ELSE has_any_column_privilege(l.role_name, t.oid, c.command) END;

-- One row of each organization in each table, as an object.
CREATE TEMP TABLE samples (name text, org uuid, row_data jsonb) ON COMMIT DROP;
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM tenant_tables LOOP
        EXECUTE format('INSERT INTO samples SELECT DISTINCT ON (r.%1$I) %2$L, r.%1$I, to_jsonb(r) FROM lead_system.%2$I r'
            '  WHERE r.%1$I IN (pg_temp.alpha(), pg_temp.bravo()) ORDER BY r.%1$I, r::text', t.tenant_column, t.name);
    END LOOP;
END $$;

SELECT is_empty($$
    SELECT t.name, o.org FROM tenant_tables t CROSS JOIN (VALUES (pg_temp.alpha()), (pg_temp.bravo())) o(org)
     WHERE NOT EXISTS (SELECT 1 FROM samples s WHERE s.name = t.name AND s.org = o.org)
$$, 'both organizations have rows in every tenant table, so that there is something to leak');

-- What makes a copy of a row of alpha's a row that can be inserted.
CREATE TEMP TABLE variations (name text, change jsonb) ON COMMIT DROP;
INSERT INTO variations VALUES
    ('ad_campaigns', '{"external_id": "other"}'),
    ('keywords', '{"keyword_text": "other"}'),
    ('workflows', '{"workflow_name": "other"}'),
    ('bids', '{"lead_id": "a0000000-0000-4000-8000-000000000004", "contractor_id": "a0000000-0000-4000-8000-0000000000d3"}'),
    ('categories', '{"slug": "other"}'),
    ('lead_list_members', '{"lead_id": "a0000000-0000-4000-8000-000000000002"}'),
    ('lead_listings', '{"lead_id": "a0000000-0000-4000-8000-000000000005"}'),
    ('lead_lists', '{"name": "other"}'),
    ('leads', '{"email": null, "phone_number": null, "source_id": null}'),
    ('pipeline_statuses', '{"status": "other", "is_initial": false}'),
    ('pipeline_transitions', '{"from_status": "New", "to_status": "alpha status"}'),
    ('calling_rules', '{"weekdays": 1, "from_time": "09:00", "to_time": "10:00", "source": "other"}'),
    ('pipelines', '{"name": "other"}'),
    ('nurture_sequences', '{"name": "other"}'),
    ('financials', '{"date": "2026-03-03"}'),
    ('lead_source_costs', '{"source": "other"}'),
    ('subscriptions', '{"stripe_subscription_id": "other"}'),
    ('notification_templates', '{"name": "other"}'),
    ('opt_out_phrases', '{"phrase": "other"}'),
    ('rating_discount_tiers', '{"min_rating": 4.3}'),
    ('scoring_models', '{"name": "other"}'),
    ('segments', '{"name": "other"}'),
    ('system_config', '{"key": "scoring.decay", "value": false}'),
    ('territories', '{"code": "OTHER"}'),
    ('users', '{"email": "other@alpha.example"}');

-- The columns that a statement names: those that an administrator may write,
-- if that is some only.
CREATE FUNCTION pg_temp.columns_to_insert(table_name text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = format('lead_system.%I', table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND (has_column_privilege('tap_admin', a.attrelid, a.attnum, 'INSERT')
            OR NOT has_any_column_privilege('tap_admin', a.attrelid, 'INSERT'))
$$;

-- The statement that inserts a row; "id" is the one it gets, if it has any.
CREATE FUNCTION pg_temp.insertion(table_name text, row_data jsonb, id uuid, change jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO lead_system.%1$I (%3$s) SELECT %3$s FROM jsonb_populate_record(NULL::lead_system.%1$I, %2$L)', table_name,
        row_data || CASE WHEN row_data ? 'id' THEN jsonb_build_object('id', id) ELSE '{}' END
        || coalesce((SELECT v.change FROM variations v WHERE v.name = table_name), '{}') || change,
        pg_temp.columns_to_insert(table_name))
$$;

-- Seeing.

CREATE FUNCTION pg_temp.selection(table_name text, tenant_column text, org uuid) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT 1 FROM lead_system.%I WHERE %I = %L', table_name, tenant_column, org)
$$;

SELECT is_empty(format($$
    SELECT t.name, x.visible, x.foreign_rows, x.own
      FROM tenant_tables t JOIN levels l ON l.level = %L
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha(l.role_name, format('SELECT 1 FROM lead_system.%%I WHERE %%I IS NOT NULL', t.name, t.tenant_column)),
        pg_temp.in_alpha(l.role_name, pg_temp.selection(t.name, t.tenant_column, pg_temp.bravo())),
        split_part(pg_temp.digest(t.name, pg_temp.alpha()), ' ', 1) || ' rows') x(visible, foreign_rows, own)
     WHERE CASE WHEN t.name IN ('erasure_keys', 'integrations', 'user_credentials') THEN (x.visible NOT LIKE '42501%%' OR x.foreign_rows NOT LIKE '42501%%')
                     -- Of integrations an admin reads what is no secret.
                     AND NOT (t.name = 'integrations' AND l.level = 'admin' AND x.visible = x.own AND x.foreign_rows = '0 rows')
                ELSE x.visible <> x.own OR x.foreign_rows <> '0 rows' END $$, l.level),
    format('level %s sees the rows of its organization and of no other', l.level))
  FROM levels l WHERE l.level <> 'none' ORDER BY l.position;

SELECT is_empty($$
    SELECT w.name, w.level, x.answer
      FROM writable w
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, pg_temp.selection(w.name, w.tenant_column, pg_temp.bravo()) || ' FOR UPDATE')) x(answer)
     WHERE w.command = 'UPDATE' AND x.answer <> '0 rows'
$$, 'nobody can lock a row of another organization');

-- Changing what is there.  Statements without a condition are those that would
-- hit everything.

CREATE TEMP TABLE before ON COMMIT DROP AS SELECT pg_temp.digest(pg_temp.bravo()) AS bravo;
CREATE FUNCTION pg_temp.bravo_is_as_before() RETURNS text LANGUAGE sql AS $$
    SELECT 'SELECT CASE WHEN pg_temp.digest(pg_temp.bravo()) = bravo THEN ''bravo is as before'' ELSE ''bravo has changed'' END FROM before'
$$;

SELECT is_empty(format($$
    SELECT w.name, w.command, x.answer
      FROM writable w
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, CASE w.command
        WHEN 'UPDATE' THEN format('UPDATE lead_system.%%I SET %%I = %%2$I WHERE %%I = %%L', w.name, w.column_name, w.tenant_column, pg_temp.bravo())
        ELSE format('DELETE FROM lead_system.%%I WHERE %%I = %%L', w.name, w.tenant_column, pg_temp.bravo()) END)) x(answer)
     WHERE w.level = %L AND w.command IN ('UPDATE', 'DELETE') AND x.answer <> '0 rows' $$, l.level),
    format('level %s finds no row of another organization to change or delete', l.level))
  FROM levels l WHERE l.level IN ('agent', 'manager', 'admin') ORDER BY l.position;

SELECT is_empty(format($$
    SELECT w.name, w.command, x.answer
      FROM writable w
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, CASE w.command
        WHEN 'UPDATE' THEN format('UPDATE lead_system.%%I SET %%I = %%2$I', w.name, w.column_name)
        ELSE format('DELETE FROM lead_system.%%I', w.name) END, pg_temp.bravo_is_as_before())) x(answer)
     WHERE w.level = %L AND w.command IN ('UPDATE', 'DELETE') AND x.answer NOT LIKE '%%bravo is as before' $$, l.level),
    format('level %s, changing or deleting all that it can, leaves another organization as it is', l.level))
  FROM levels l WHERE l.level IN ('agent', 'manager', 'admin') ORDER BY l.position;

-- Putting rows into another organization.

SELECT is_empty($$
    SELECT w.name, w.level, x.answer
      FROM writable w JOIN samples s ON s.name = w.name AND s.org = pg_temp.alpha()
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, pg_temp.insertion(s.name, s.row_data, gen_random_uuid()))) x(answer)
     WHERE w.command = 'INSERT' AND x.answer <> '1 rows'
$$, 'who may insert into a table can insert a row of the own organization, so that the refusals below mean something');

SELECT is_empty(format($$
    SELECT s.name, x.answer
      FROM samples s JOIN levels l ON l.level = %L
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(l.role_name, pg_temp.insertion(s.name, s.row_data, gen_random_uuid()))) x(answer)
     WHERE s.org = pg_temp.bravo()
       AND x.answer !~ '^42501 \| (permission denied for table|new row violates row-level security policy for table) ' $$, l.level),
    format('level %s cannot insert a row into another organization', l.level))
  FROM levels l WHERE l.level <> 'none' ORDER BY l.position;

SELECT is_empty($$
    SELECT w.name, w.level, x.existing, x.unknown
      FROM writable w JOIN samples s ON s.name = w.name AND s.org = pg_temp.bravo()
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha(w.role_name, pg_temp.insertion(s.name, s.row_data, gen_random_uuid())),
        pg_temp.in_alpha(w.role_name, pg_temp.insertion(s.name, s.row_data, gen_random_uuid(),
            jsonb_build_object(w.tenant_column, pg_temp.nobody())))) x(existing, unknown)
     WHERE w.command = 'INSERT' AND pg_temp.without_ids(x.existing) <> pg_temp.without_ids(x.unknown)
$$, 'inserting into an organization that exists and into one that does not are refused alike');

SELECT is_empty($$
    SELECT w.name, w.level, x.existing, x.unknown
      FROM writable w
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha(w.role_name, format('UPDATE lead_system.%I SET %I = %L', w.name, w.tenant_column, pg_temp.bravo())),
        pg_temp.in_alpha(w.role_name, format('UPDATE lead_system.%I SET %I = %L', w.name, w.tenant_column, pg_temp.nobody()))) x(existing, unknown)
     WHERE w.command = 'UPDATE' AND (x.existing LIKE '% rows' OR pg_temp.without_ids(x.existing) <> pg_temp.without_ids(x.unknown))
$$, 'no row can be moved to another organization, whether that exists or not');

-- A row without organization would be everybody's.
CREATE FUNCTION pg_temp.built_in_rows(table_name text, tenant_column text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM lead_system.%I WHERE %I IS NULL', table_name, tenant_column) INTO n;
    RETURN n;
END
$$;
SELECT is_empty($$
    SELECT w.name, w.level, w.command, x.answer
      FROM writable w JOIN samples s ON s.name = w.name AND s.org = pg_temp.alpha()
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, CASE w.command
        WHEN 'INSERT' THEN pg_temp.insertion(s.name, s.row_data, gen_random_uuid(), jsonb_build_object(w.tenant_column, NULL))
        ELSE format('UPDATE lead_system.%I SET %I = NULL', w.name, w.tenant_column) END,
        format('SELECT pg_temp.built_in_rows(%L, %L)', w.name, w.tenant_column))) x(answer)
     WHERE w.command IN ('INSERT', 'UPDATE') AND x.answer NOT LIKE '% -> ' || pg_temp.built_in_rows(w.name, w.tenant_column)
$$, 'no row can be made one of no organization, which would show it to all');

-- References.  A row of alpha's gets each of its references replaced: by one to
-- bravo's row, and by one to no row at all.

CREATE TEMP TABLE attempts_at_references ON COMMIT DROP AS
SELECT s.name, k.name AS constraint_name, l.level, l.role_name, l.position, k.columns,
       pg_temp.insertion(s.name, s.row_data, gen_random_uuid(), k.existing) AS insert_existing,
       pg_temp.insertion(s.name, s.row_data, gen_random_uuid(), k.unknown) AS insert_unknown,
       format('UPDATE lead_system.%I SET %s', s.name, (SELECT string_agg(format('%I = %L', key, value), ', ') FROM jsonb_each_text(k.existing))) AS update_existing,
       format('UPDATE lead_system.%I SET %s', s.name, (SELECT string_agg(format('%I = %L', key, value), ', ') FROM jsonb_each_text(k.unknown))) AS update_unknown
  FROM samples s
  JOIN (SELECT c.relname::text COLLATE "default" AS table_name, n.conname::text COLLATE "default" AS name,
               string_agg(a.attname, ', ') AS columns,
               jsonb_object_agg(a.attname, target.row_data -> ta.attname::text) AS existing,
               jsonb_object_agg(a.attname, gen_random_uuid()) AS unknown
          FROM pg_catalog.pg_constraint n
          JOIN pg_catalog.pg_class c ON c.oid = n.conrelid
          JOIN pg_catalog.pg_class tc ON tc.oid = n.confrelid
         CROSS JOIN LATERAL unnest(n.conkey, n.confkey) u(attnum, target_attnum)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = u.attnum
          JOIN pg_catalog.pg_attribute ta ON ta.attrelid = n.confrelid AND ta.attnum = u.target_attnum
          JOIN samples target ON target.name = tc.relname AND target.org = pg_temp.bravo()
         WHERE n.contype = 'f' AND c.relnamespace = 'lead_system'::regnamespace AND tc.relname <> 'organizations'
           AND a.attname <> 'organization_id' AND a.atttypid = 'uuid'::regtype
         GROUP BY c.relname, n.conname) k ON k.table_name = s.name
 CROSS JOIN levels l
 WHERE s.org = pg_temp.alpha();

SELECT is_empty(format($$
    SELECT a.name, a.columns, w.command, x.existing, x.unknown
      FROM attempts_at_references a
      JOIN writable w ON w.name = a.name AND w.level = a.level AND w.command IN ('INSERT', 'UPDATE')
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha(a.role_name, CASE w.command WHEN 'INSERT' THEN a.insert_existing ELSE a.update_existing END || '; SET CONSTRAINTS ALL IMMEDIATE'),
        pg_temp.in_alpha(a.role_name, CASE w.command WHEN 'INSERT' THEN a.insert_unknown ELSE a.update_unknown END || '; SET CONSTRAINTS ALL IMMEDIATE')) x(existing, unknown)
     WHERE a.level = %L AND (x.existing LIKE '%% rows' OR pg_temp.without_ids(x.existing) <> pg_temp.without_ids(x.unknown)) $$, l.level),
    format('level %s cannot point at a row of another organization, nor learn that it exists', l.level))
  FROM levels l WHERE l.level IN ('agent', 'manager', 'admin') ORDER BY l.position;

-- The same identifier.  What bravo's row is called must neither be refused to
-- alpha, which would tell that the row exists, nor get in bravo's way.

SELECT is_empty($$
    SELECT w.name, w.level, x.answer
      FROM writable w
      JOIN samples s ON s.name = w.name AND s.org = pg_temp.alpha() AND s.row_data ? 'id'
      JOIN samples f ON f.name = w.name AND f.org = pg_temp.bravo()
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, pg_temp.insertion(s.name, s.row_data, (f.row_data ->> 'id')::uuid))) x(answer)
     WHERE w.command = 'INSERT' AND x.answer <> '1 rows'
       AND has_column_privilege(w.role_name, format('lead_system.%I', w.name), 'id', 'INSERT')
$$, 'the id of another organization''s row is free for an own one');

-- Functions that are given an identifier.  %1$s is one of bravo's, or one that
-- does not exist; the other identifiers are alpha's own.

CREATE TEMP TABLE identifier_calls (function_name text, kind text, statement text) ON COMMIT DROP;
INSERT INTO identifier_calls VALUES
    ('change_lead_status', 'lead', 'SELECT lead_system.change_lead_status(%L, ''Qualified'')'),
    ('change_lead_status', 'lead', 'SELECT lead_system.change_lead_status(%L, ''Opportunity'', force => true)'),
    ('change_lead_status', 'lead', 'SELECT lead_system.change_lead_status(%L, ''no such status'')'),
    ('add_lead_note', 'lead', 'SELECT lead_system.add_lead_note(%L, ''note'')'),
    ('record_touch', 'lead', 'SELECT lead_system.record_touch(%L, ''web'')'),
    ('record_intent_signal', 'lead', 'SELECT lead_system.record_intent_signal(%L, ''question'', ''a0000000-0000-4000-8000-0000000000ca'')'),
    ('record_qualification', 'lead', 'SELECT lead_system.record_qualification(%L, ''{"need": 1}'')'),
    ('assign_lead', 'lead', 'SELECT lead_system.assign_lead(%L)'),
    ('assign_lead', 'lead', 'SELECT lead_system.assign_lead(%L, ''manual'', ''a0000000-0000-4000-8000-0000000000a2'')'),
    ('assign_lead_to', 'lead', 'SELECT lead_system.assign_lead_to(%L, ''a0000000-0000-4000-8000-0000000000a2'', force => true)'),
    ('assign_lead_to', 'user', 'SELECT lead_system.assign_lead_to(''a0000000-0000-4000-8000-000000000002'', %L)'),
    ('assign_leads', 'lead', 'SELECT lead_system.assign_leads(ARRAY[%L]::uuid[])'),
    ('release_leads', 'user', 'SELECT lead_system.release_leads(%L)'),
    ('erase_lead', 'lead', 'SELECT lead_system.erase_lead(%L, ''request'')'),
    ('merge_leads', 'lead', 'SELECT lead_system.merge_leads(%L, ARRAY[''00000000-0000-4000-8000-0000000000ff''::uuid])'),
    ('unmerge_leads', 'merge', 'SELECT lead_system.unmerge_leads(%L)'),
    ('open_account', 'user', 'SELECT lead_system.open_account(%L)'),
    ('close_account', 'account', 'SELECT lead_system.close_account(%L)'),
    ('post_transaction', 'account', 'SELECT lead_system.post_transaction(%L, ''credit'', 1)'),
    ('post_transaction', 'account', 'SELECT lead_system.post_transaction(%L, ''debit'', -100000)'),
    ('hold_budget', 'account', 'SELECT lead_system.hold_budget(%L, 1)'),
    ('place_hold', 'account', 'SELECT lead_system.place_hold(%L, 1)'),
    ('verify_ledger', 'account', 'SELECT * FROM lead_system.verify_ledger(%L)'),
    ('capture_hold', 'hold', 'SELECT lead_system.capture_hold(%L, 1)'),
    ('release_hold', 'hold', 'SELECT lead_system.release_hold(%L)'),
    ('restore_lead', 'archived lead', 'SELECT lead_system.restore_lead(%L)'),
    ('export_lead', 'lead', 'SELECT lead_system.export_lead(%L)'),
    ('calculate_lead_score', 'lead', 'SELECT lead_system.calculate_lead_score(%L)'),
    ('calculate_lead_score', 'lead', 'SELECT lead_system.calculate_lead_score(%L, ''b2b'')'),
    ('calculate_lead_score', 'lead', 'SELECT lead_system.calculate_lead_score(%L, ''bravo_model'')'),
    ('explain_lead_score', 'lead', 'SELECT lead_system.explain_lead_score(%L)'),
    ('explain_lead_score', 'lead', 'SELECT lead_system.explain_lead_score(%L, ''banti'')'),
    ('score_at', 'lead', 'SELECT lead_system.score_at(%L, ''2026-04-01'')'),
    ('record_consent', 'lead', 'SELECT lead_system.record_consent(%L, ''call'', ''{"form": "x"}'')'),
    ('revoke_consent', 'lead', 'SELECT lead_system.revoke_consent(%L)'),
    ('override_dnc', 'lead', 'SELECT lead_system.override_dnc(%L, ''reason'', ''b0000000-0000-4000-8000-000000000001'')'),
    ('authorize_contact', 'lead', 'SELECT lead_system.authorize_contact(%L)'),
    ('authorize_contact', 'campaign', 'SELECT lead_system.authorize_contact(''a0000000-0000-4000-8000-000000000001'', ''call'', %L)'),
    ('suppress_in_campaign', 'campaign', 'SELECT lead_system.suppress_in_campaign(%L, ''+13035550170'', ''reason'')'),
    ('unsuppress_in_campaign', 'campaign', 'SELECT lead_system.unsuppress_in_campaign(%L, ''+13035550170'', ''reason'')'),
    ('is_on_dnc_list', 'organization', 'SELECT lead_system.is_on_dnc_list(''+13035550150'', %L)'),
    ('can_contact', 'lead', 'SELECT lead_system.can_contact(%L)'),
    ('contact_blockers', 'lead', 'SELECT lead_system.contact_blockers(%L)'),
    ('contact_blockers', 'campaign', 'SELECT lead_system.contact_blockers(''a0000000-0000-4000-8000-000000000001'', ''call'', %L)'),
    ('next_call_time', 'lead', 'SELECT lead_system.next_call_time(%L)'),
    ('contact_time_zones', 'lead', 'SELECT lead_system.contact_time_zones(%L)'),
    ('is_on_dnc_list', 'organization', 'SELECT lead_system.is_on_dnc_list(''303 555 0150'', %L)'),
    ('is_on_dnc_list', 'organization', 'SELECT lead_system.is_on_dnc_list(''no number'', %L)'),
    ('create_lead_list_from_csv', 'organization', 'SELECT lead_system.create_lead_list_from_csv(%L, ''bravo list'', ''[{"email": "one@bravo.example"}]'')'),
    ('create_lead_list_from_csv', 'organization', 'SELECT lead_system.create_lead_list_from_csv(%L, ''bravo list'', ''{}'')'),
    ('add_lead_list_to_campaign', 'campaign', 'SELECT lead_system.add_lead_list_to_campaign(%L, (SELECT min(id::text)::uuid FROM lead_system.lead_lists))'),
    ('add_lead_list_to_campaign', 'list', 'SELECT lead_system.add_lead_list_to_campaign(''a0000000-0000-4000-8000-0000000000c1'', %L)'),
    ('add_lead_list_to_campaign', 'list', 'SELECT lead_system.add_lead_list_to_campaign(''b0000000-0000-4000-8000-0000000000c1'', %L)'),
    ('add_matching_leads_to_campaign', 'campaign', 'SELECT lead_system.add_matching_leads_to_campaign(%L, (SELECT min(id::text)::uuid FROM lead_system.lead_lists), ''{}'')'),
    ('add_matching_leads_to_campaign', 'list', 'SELECT lead_system.add_matching_leads_to_campaign(''a0000000-0000-4000-8000-0000000000c1'', %L, ''{}'')'),
    ('remove_lead_list_from_campaign', 'campaign', 'SELECT lead_system.remove_lead_list_from_campaign(%L, (SELECT min(id::text)::uuid FROM lead_system.lead_lists))'),
    ('remove_lead_list_from_campaign', 'list', 'SELECT lead_system.remove_lead_list_from_campaign(''a0000000-0000-4000-8000-0000000000c1'', %L)'),
    ('claim_campaign_leads', 'campaign', 'SELECT lead_system.claim_campaign_leads(%L)'),
    ('claim_campaign_leads', 'user', 'SELECT lead_system.claim_campaign_leads(''a0000000-0000-4000-8000-0000000000c1'', 1, %L)'),
    ('record_call_attempt', 'campaign lead', 'SELECT lead_system.record_call_attempt(%L, ''no_answer'')'),
    ('propose_action', 'ad campaign', 'SELECT lead_system.propose_action(''cx'', ''resume_campaign'', %L)'),
    ('propose_action', 'keyword', 'SELECT lead_system.propose_action(''cx'', ''change_bid'', %L, 2.1)'),
    ('apply_action', 'action', 'SELECT lead_system.apply_action(%L)'),
    ('approve_action', 'action', 'SELECT lead_system.approve_action(%L)'),
    ('reject_action', 'action', 'SELECT lead_system.reject_action(%L)'),
    ('log_agent_action', 'lead', 'SELECT lead_system.log_agent_action(''cx'', ''x'', lead_id => %L)'),
    ('record_workflow_run', 'workflow', 'SELECT lead_system.record_workflow_run(%L, ''x'')'),
    ('record_workflow_run', 'lead', 'SELECT lead_system.record_workflow_run(''a0000000-0000-4000-8000-0000000000f3'', ''x'', lead_id => %L)'),
    ('complete_notification', 'notification', 'SELECT lead_system.complete_notification(%L)'),
    ('fail_notification', 'notification', 'SELECT lead_system.fail_notification(%L, ''error'')'),
    ('enqueue_notification', 'lead', 'SELECT lead_system.enqueue_notification(jsonb_build_object(''notification_type'', ''email'', ''body'', ''x'', ''lead_id'', %L::text))'),
    ('enqueue_notification', 'user', 'SELECT lead_system.enqueue_notification(jsonb_build_object(''notification_type'', ''email'', ''body'', ''x'', ''user_id'', %L::text))'),
    ('render_template', 'lead', 'SELECT lead_system.render_template(''welcome'', %L)'),
    ('render_template', 'user', 'SELECT lead_system.render_template(''welcome'', NULL, %L)'),
    ('set_password', 'user', 'SELECT lead_system.set_password(%L, ''a long enough password'')'),
    ('enroll_lead', 'lead', 'SELECT lead_system.enroll_lead(''a0000000-0000-4000-8000-0000000000e1'', %L)'),
    ('enroll_lead', 'sequence', 'SELECT lead_system.enroll_lead(%L, ''a0000000-0000-4000-8000-000000000001'')'),
    ('pause_enrollment', 'enrollment', 'SELECT lead_system.pause_enrollment(%L)'),
    ('resume_enrollment', 'enrollment', 'SELECT lead_system.resume_enrollment(%L)'),
    ('cancel_enrollment', 'enrollment', 'SELECT lead_system.cancel_enrollment(%L)'),
    ('complete_step', 'enrollment', 'SELECT lead_system.complete_step(%L, 1)'),
    ('fail_step', 'enrollment', 'SELECT lead_system.fail_step(%L, 1, ''error'')'),
    ('confirm_step', 'enrollment', 'SELECT lead_system.confirm_step(%L, 1)'),
    ('retry_step', 'enrollment', 'SELECT lead_system.retry_step(%L, 1)'),
    ('record_engagement', 'lead', 'SELECT lead_system.record_engagement(%L, ''email_open'')'),
    ('record_call', 'lead', 'SELECT lead_system.record_call(jsonb_build_object(''lead_id'', %L::text, ''direction'', ''inbound'', ''status'', ''answered''))'),
    ('record_call', 'user', 'SELECT lead_system.record_call(jsonb_build_object(''user_id'', %L::text, ''direction'', ''inbound'', ''status'', ''answered''))'),
    ('record_call', 'campaign', 'SELECT lead_system.record_call(jsonb_build_object(''campaign_id'', %L::text, ''direction'', ''inbound'', ''status'', ''answered''))'),
    ('record_call', 'campaign lead', 'SELECT lead_system.record_call(jsonb_build_object(''campaign_lead_id'', %L::text, ''status'', ''answered''))'),
    ('record_sms', 'lead', 'SELECT lead_system.record_sms(jsonb_build_object(''lead_id'', %L::text, ''direction'', ''outbound'', ''message_text'', ''x''))'),
    ('record_sms', 'user', 'SELECT lead_system.record_sms(jsonb_build_object(''user_id'', %L::text, ''direction'', ''inbound'', ''from_phone'', ''+12025550101'', ''message_text'', ''x''))'),
    ('record_sms', 'message', 'SELECT lead_system.record_sms(jsonb_build_object(''reply_to_sms_id'', %L::text, ''direction'', ''inbound'', ''from_phone'', ''+12025550101'', ''message_text'', ''x''))'),
    ('record_sms', 'campaign', 'SELECT lead_system.record_sms(jsonb_build_object(''campaign_id'', %L::text, ''direction'', ''inbound'', ''from_phone'', ''+12025550101'', ''message_text'', ''x''))'),
    ('record_sms', 'campaign lead', 'SELECT lead_system.record_sms(jsonb_build_object(''campaign_lead_id'', %L::text, ''direction'', ''inbound'', ''from_phone'', ''+12025550101'', ''message_text'', ''x''))'),
    ('record_reply', 'lead', 'SELECT lead_system.record_reply(%L, ''sms'')'),
    ('segment_leads', 'segment', 'SELECT lead_system.segment_leads(%L)'),
    ('refresh_segment_count', 'segment', 'SELECT lead_system.refresh_segment_count(%L)'),
    ('lead_list_leads', 'list', 'SELECT lead_system.lead_list_leads(%L)'),
    ('refresh_lead_list', 'list', 'SELECT lead_system.refresh_lead_list(%L)'),
    ('open_bidding', 'lead', 'SELECT lead_system.open_bidding(%L, 10)'),
    ('place_bid', 'lead', 'SELECT lead_system.place_bid(%L, ''a0000000-0000-4000-8000-0000000000d3'', 1)'),
    ('place_bid', 'user', 'SELECT lead_system.place_bid(''a0000000-0000-4000-8000-000000000004'', %L, 1)'),
    ('cancel_bid', 'bid', 'SELECT lead_system.cancel_bid(%L)'),
    ('rank_bids', 'lead', 'SELECT lead_system.rank_bids(%L)'),
    ('close_bidding', 'lead', 'SELECT lead_system.close_bidding(%L)'),
    ('send_message', 'lead', 'SELECT lead_system.send_message(%L, ''a0000000-0000-4000-8000-0000000000d2'', ''hello'')'),
    ('send_message', 'user', 'SELECT lead_system.send_message(''a0000000-0000-4000-8000-000000000003'', %L, ''hello'')'),
    ('decline_lead', 'bid', 'SELECT lead_system.decline_lead(%L, ''busy'')'),
    ('record_conversion', 'lead', 'SELECT lead_system.record_conversion(%L, ''booked'')'),
    ('appeal_ban', 'user', 'SELECT lead_system.appeal_ban(%L, ''let me in again'')'),
    ('review_appeal', 'appeal', 'SELECT lead_system.review_appeal(%L, true, ''a0000000-0000-4000-8000-0000000000a1'')'),
    ('review_appeal', 'user', 'SELECT lead_system.review_appeal((SELECT id FROM lead_system.ban_appeals), true, %L)'),
    ('refresh_contractor_metrics', 'user', 'SELECT lead_system.refresh_contractor_metrics(%L)'),
    ('upsert_lead', 'user', 'SELECT lead_system.upsert_lead(jsonb_build_object(''assigned_to'', %L::text))'),
    ('upsert_lead', 'category', 'SELECT lead_system.upsert_lead(jsonb_build_object(''category_id'', %L::text))'),
    ('upsert_lead', 'pipeline', 'SELECT lead_system.upsert_lead(jsonb_build_object(''pipeline_id'', %L::text))'),
    ('upsert_lead', 'pipeline', 'SELECT lead_system.upsert_lead(jsonb_build_object(''pipeline_id'', %L::text, ''status'', ''no such status''))'),
    ('current_org_id', 'user', 'SELECT set_config(''app.current_user_id'', %L, true), lead_system.current_org_id()'),
    ('current_org_id', 'tenant', 'SELECT set_config(''app.current_tenant_id'', %L, true), lead_system.current_org_id()'),
    ('current_org_id', 'user', 'SELECT set_config(''app.current_user_id'', %L, true) FROM lead_system.leads UNION ALL SELECT ''x'' FROM lead_system.leads');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'lead_system'::regnamespace AND 'uuid'::regtype = ANY (p.proargtypes::oid[])
       AND p.proname NOT IN (SELECT function_name FROM identifier_calls)
$$, 'every function that is given an identifier is among those that are tried');

CREATE TEMP TABLE identifiers ON COMMIT DROP AS
SELECT k.kind, k.bravo FROM (VALUES
    ('lead', 'b0000000-0000-4000-8000-000000000001'::uuid),
    ('organization', pg_temp.bravo()),
    ('campaign', 'b0000000-0000-4000-8000-0000000000c1'),
    ('user', 'b0000000-0000-4000-8000-0000000000a1'),
    ('category', 'b0000000-0000-4000-8000-0000000000b1'),
    ('tenant', 'b0000000-0000-4000-8000-0000000000ff'),
    ('list', (SELECT id FROM lead_system.lead_lists WHERE organization_id = pg_temp.bravo())),
    ('campaign lead', (SELECT min(id::text)::uuid FROM lead_system.campaign_leads WHERE organization_id = pg_temp.bravo())),
    ('bid', (SELECT min(id::text)::uuid FROM lead_system.bids WHERE organization_id = pg_temp.bravo())),
    ('merge', (SELECT min(id::text)::uuid FROM lead_system.lead_merges WHERE organization_id = pg_temp.bravo())),
    ('account', (SELECT min(id::text)::uuid FROM lead_system.budget_accounts WHERE organization_id = pg_temp.bravo() AND user_id IS NULL)),
    ('hold', (SELECT min(id::text)::uuid FROM lead_system.budget_holds WHERE organization_id = pg_temp.bravo())),
    ('archived lead', (SELECT min(id::text)::uuid FROM lead_system.leads_archive WHERE organization_id = pg_temp.bravo())),
    ('message', (SELECT min(id::text)::uuid FROM lead_system.sms_logs WHERE organization_id = pg_temp.bravo())),
    ('notification', (SELECT min(id::text)::uuid FROM lead_system.notifications WHERE organization_id = pg_temp.bravo())),
    ('ad campaign', 'b0000000-0000-4000-8000-0000000000f1'),
    ('keyword', 'b0000000-0000-4000-8000-0000000000f2'),
    ('workflow', 'b0000000-0000-4000-8000-0000000000f3'),
    ('action', (SELECT min(id::text)::uuid FROM lead_system.ai_agent_logs WHERE organization_id = pg_temp.bravo() AND result = 'pending')),
    ('sequence', 'b0000000-0000-4000-8000-0000000000e1'),
    ('enrollment', (SELECT min(id::text)::uuid FROM lead_system.lead_sequence_enrollments WHERE organization_id = pg_temp.bravo())),
    ('segment', (SELECT min(id::text)::uuid FROM lead_system.segments WHERE organization_id = pg_temp.bravo())),
    ('appeal', (SELECT id FROM lead_system.ban_appeals WHERE organization_id = pg_temp.bravo())),
    ('pipeline', (SELECT id FROM lead_system.pipelines WHERE organization_id = pg_temp.bravo()))) k(kind, bravo);

CREATE TEMP VIEW callers AS
SELECT level, role_name, position FROM levels WHERE level <> 'none'
UNION ALL SELECT 'admin with BYPASSRLS', 'tap_bypass', 9;

SELECT is_empty(format($$
    SELECT c.statement, x.existing, x.unknown
      FROM identifier_calls c JOIN identifiers i USING (kind) JOIN callers l ON l.level = %L
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha(l.role_name, format(c.statement, i.bravo)),
        pg_temp.in_alpha(l.role_name, format(c.statement, pg_temp.nobody()))) x(existing, unknown)
     WHERE pg_temp.without_ids(x.existing) <> pg_temp.without_ids(x.unknown) $$, l.level),
    format('level %s: functions answer alike for another organization''s identifier and for one that does not exist', l.level))
  FROM callers l ORDER BY l.position;

SELECT is_empty($$
    SELECT c.statement, x.answer
      FROM identifier_calls c JOIN identifiers i USING (kind)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_admin', format(c.statement, i.bravo))) x(answer)
     WHERE x.answer !~ '^(42501|P0002|23503) '
$$, 'and the answer is 42501 or P0002, or that the reference leads nowhere');

-- The same with names.  %1$s is "bravo" or "zulu", which does not exist.

CREATE TEMP TABLE name_calls (statement text) ON COMMIT DROP;
INSERT INTO name_calls VALUES
    ('SELECT lead_system.copy_pipeline(''%1$s_pipeline'', ''mine'')'),
    ('SELECT lead_system.copy_scoring_model(''%1$s_model'', ''mine'')'),
    ('SELECT lead_system.copy_pipeline(''b2b'', ''%1$s_pipeline'')'),
    ('SELECT lead_system.copy_scoring_model(''b2b'', ''%1$s_model'')'),
    ('SELECT lead_system.calculate_lead_score(''a0000000-0000-4000-8000-000000000001'', ''%1$s_model'')'),
    ('SELECT lead_system.explain_lead_score(''a0000000-0000-4000-8000-000000000001'', ''%1$s_model'')'),
    ('SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''%1$s status'')'),
    ('SELECT lead_system.upsert_lead(''{"pipeline": "%1$s_pipeline"}'')'),
    ('SELECT lead_system.upsert_lead(''{"category": "%1$s-work"}'')'),
    ('SELECT lead_system.upsert_lead(''{"email": "one@%1$s.example"}'')'),
    ('SELECT lead_system.upsert_lead(''{"source": "%1$s_source", "source_id": "%1$s-1"}'')'),
    ('INSERT INTO lead_system.leads (email) VALUES (''one@%1$s.example'')'),
    ('UPDATE lead_system.leads SET email = ''one@%1$s.example'' WHERE id = ''a0000000-0000-4000-8000-000000000001'''),
    ('INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (pg_temp.alpha(), ''n'', ''admin@%1$s.example'')'),
    ('INSERT INTO lead_system.lead_lists (organization_id, name) VALUES (pg_temp.alpha(), ''%1$s list'')'),
    ('INSERT INTO lead_system.categories (organization_id, slug, display_name) VALUES (pg_temp.alpha(), ''%1$s-work'', ''w'')'),
    ('INSERT INTO lead_system.pipelines (organization_id, name) VALUES (pg_temp.alpha(), ''%1$s_pipeline'')'),
    ('UPDATE lead_system.organizations SET default_pipeline = ''%1$s_pipeline'''),
    ('SELECT lead_system.create_organization(''charlie'', ''%1$s_pipeline'')'),
    ('SELECT lead_system.create_organization(''%1$s ltd'')'),
    ('SELECT lead_system.dashboard_leads(status => ''%1$s status'')'),
    ('SELECT lead_system.search_leads(''%1$s'')'),
    ('SELECT lead_system.import_leads_csv(''%1$s list'', E''email\none@%1$s.example'', ''{"on_duplicate": "reject"}'')'),
    ('SELECT lead_system.add_to_dnc_list(''+12025550190'', ''%1$s'', ''%1$s'')');

SELECT is_empty(format($$
    SELECT c.statement, x.existing, x.unknown
      FROM name_calls c JOIN callers l ON l.level = %L
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha(l.role_name, format(c.statement, 'bravo'), 'SELECT count(*) FROM lead_system.lead_import_errors'),
        pg_temp.in_alpha(l.role_name, format(c.statement, 'zulu'), 'SELECT count(*) FROM lead_system.lead_import_errors')) x(existing, unknown)
     WHERE replace(pg_temp.without_ids(x.existing), 'bravo', 'zulu') <> pg_temp.without_ids(x.unknown) $$, l.level),
    format('level %s: names that another organization uses are as free, or as unknown, as any', l.level))
  FROM callers l WHERE l.level <> 'maintenance' ORDER BY l.position;

-- Phone numbers: bravo's lead has the first, and has listed the second.
SELECT is_empty($$
    SELECT c.statement, x.answer
      FROM (VALUES
        ('SELECT lead_system.upsert_lead(''{"phone_number": "+13035550101"}'')', '1 rows'),
        ('INSERT INTO lead_system.leads (phone_number) VALUES (''+13035550101'')', '1 rows'),
        ('SELECT 1 WHERE lead_system.is_on_dnc_list(''+13035550150'', pg_temp.alpha())', '0 rows'),
        ('SELECT 1 WHERE NOT lead_system.is_on_dnc_list(''+13035550150'', pg_temp.alpha())', '1 rows'),
        ('SELECT 1 WHERE lead_system.remove_from_dnc_list(''+13035550150'', ''r'')', '0 rows'),
        ('WITH l AS (INSERT INTO lead_system.leads (phone_number) VALUES (''+13035550150'') RETURNING do_not_call) SELECT 1 FROM l WHERE NOT do_not_call', '1 rows'),
        ('SELECT 1 FROM lead_system.add_numbers_to_dnc_list(''{+13035550150,+13035550101}'', ''r'') WHERE result = ''added''', '2 rows')) c(statement, expected)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_admin', c.statement, pg_temp.bravo_is_as_before())) x(answer)
     WHERE x.answer <> c.expected || ' -> bravo is as before'
$$, 'a number that another organization has, or has listed, is a number like any other');

-- Errors that are made to talk: each statement names bravo's organization, model
-- or pipeline, or one that does not exist.  What comes back must not differ, nor
-- tell anything of bravo that the caller did not know.
SELECT is_empty($$
    SELECT c.statement, x.existing, x.unknown
      FROM (VALUES
        ('organization', 'INSERT INTO lead_system.leads (organization_id, email) VALUES (%L, ''one@bravo.example'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, email) VALUES (%L, ''none@bravo.example'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, email) VALUES (%L, ''no address'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, phone_number) VALUES (%L, ''202 555 0101'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, phone_number) VALUES (%L, ''+13035550101'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, status) VALUES (%L, ''no such status'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, timezone) VALUES (%L, ''Nowhere'')'),
        ('organization', 'INSERT INTO lead_system.leads (organization_id, first_name) VALUES (%L, ''n'') ON CONFLICT DO NOTHING'),
        ('organization', 'INSERT INTO lead_system.users (organization_id, full_name, email, phone_number) VALUES (%L, ''n'', ''n@bravo.example'', ''202 555 0101'')'),
        ('organization', 'INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (%L, ''n'', ''admin@bravo.example'') ON CONFLICT (organization_id, email) DO UPDATE SET role = ''admin'''),
        ('organization', 'INSERT INTO lead_system.campaigns (organization_id, name) VALUES (%L, ''n'')'),
        ('organization', 'INSERT INTO lead_system.system_config (organization_id, key, value) VALUES (%L, ''import.batch_size'', ''78'') ON CONFLICT (organization_id, key) DO NOTHING'),
        ('organization', 'INSERT INTO lead_system.scoring_models (organization_id, name, components, thresholds) VALUES (%L, ''bravo_model'', ''[{"name": "qualification", "weighted": true}]'', ''{"hot": 80}'')'),
        ('organization', 'INSERT INTO lead_system.pipelines (organization_id, name) VALUES (%L, ''bravo_pipeline'')'),
        ('organization', 'UPDATE lead_system.organizations SET id = %L, default_pipeline = ''bravo_pipeline'''),
        ('organization', 'UPDATE lead_system.leads SET organization_id = %L, status = ''no such status'''),
        ('organization', 'UPDATE lead_system.users SET organization_id = %L, phone_number = ''202 555 0101'''),
        ('model', 'INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points) VALUES (pg_temp.alpha(), %L, ''x'', ''industry'', ''eq'', ''"x"'', 1)'),
        ('model', 'INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points) VALUES (pg_temp.alpha(), %L, ''industry'', ''industry'', ''eq'', ''"x"'', 1)'),
        ('model', 'UPDATE lead_system.scoring_rules SET model_id = %L WHERE organization_id IS NOT NULL'),
        ('model', 'INSERT INTO lead_system.scoring_models (organization_id, id, name, components, thresholds) VALUES (pg_temp.alpha(), %L, ''mine'', ''[{"name": "x"}]'', ''{"hot": 80}'')'),
        ('pipeline', 'INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position) VALUES (pg_temp.alpha(), %L, ''bravo status'', ''won'', 1)'),
        ('pipeline', 'INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position) VALUES (pg_temp.alpha(), %L, ''x'', ''won'', 1)'),
        ('pipeline', 'INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position, is_initial) VALUES (pg_temp.alpha(), %L, ''x'', ''won'', 1, true)'),
        ('pipeline', 'INSERT INTO lead_system.pipeline_transitions (organization_id, pipeline_id, from_status, to_status) VALUES (pg_temp.alpha(), %L, ''New'', ''bravo status'')'),
        ('pipeline', 'INSERT INTO lead_system.leads (pipeline_id, status) VALUES (%L, ''no such status'')'),
        ('pipeline', 'UPDATE lead_system.leads SET pipeline_id = %L')) c(kind, statement)
      JOIN (SELECT kind, bravo FROM identifiers
            UNION ALL SELECT 'model', id FROM lead_system.scoring_models WHERE organization_id = pg_temp.bravo()) i USING (kind)
     CROSS JOIN LATERAL (SELECT
        pg_temp.in_alpha('tap_admin', format(c.statement, i.bravo) || '; SET CONSTRAINTS ALL IMMEDIATE'),
        pg_temp.in_alpha('tap_admin', format(c.statement, pg_temp.nobody()) || '; SET CONSTRAINTS ALL IMMEDIATE')) x(existing, unknown)
     WHERE x.existing LIKE '% rows' OR pg_temp.without_ids(x.existing) <> pg_temp.without_ids(x.unknown)
        OR x.existing LIKE '%bravo%' AND c.statement NOT LIKE '%bravo%'
$$, 'no error tells anything of another organization');

-- Work in one organization leaves the other as it is.
SELECT is_empty($$
    SELECT c.statement, x.answer
      FROM (VALUES
        ('SELECT lead_system.set_config(''import.batch_size'', ''500'')'),
        ('SELECT lead_system.add_to_dnc_list(''+13035550101'', ''r'')'),
        ('SELECT lead_system.import_leads_csv(''bravo list'', E''email,phone,first_name\none@bravo.example,+13035550101,x\ntwo@bravo.example,+13035550110,y'')'),
        ('SELECT lead_system.upsert_lead(''{"email": "one@bravo.example", "phone_number": "+13035550101", "first_name": "x"}'', ''merge'')'),
        ('CALL lead_system.recalculate_lead_scores()'),
        ('SELECT lead_system.claim_campaign_leads(''a0000000-0000-4000-8000-0000000000c1'', 10)'),
        ('SELECT lead_system.copy_pipeline(''b2b'', ''bravo_pipeline'')'),
        ('SELECT lead_system.copy_scoring_model(''b2b'', ''bravo_model'')'),
        ('UPDATE lead_system.scoring_rules SET points = 0'),
        ('UPDATE lead_system.scoring_models SET is_active = false'),
        ('UPDATE lead_system.pipeline_statuses SET stage = ''won'''),
        ('UPDATE lead_system.leads SET deleted_at = created_at'),
        ('UPDATE lead_system.users SET is_active = false'),
        ('UPDATE lead_system.organizations SET name = ''bravo'', city = NULL'),
        ('DELETE FROM lead_system.leads'),
        ('DELETE FROM lead_system.lead_lists'),
        ('DELETE FROM lead_system.campaigns')) c(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_admin', c.statement, pg_temp.bravo_is_as_before())) x(answer)
     WHERE x.answer !~ '^[0-9]+ rows -> bravo is as before$'
$$, 'what an administrator does in one organization does not reach another');

-- What is told without being asked for by name.
SELECT is_empty(format($$
    SELECT q.query, x.answer
      FROM (VALUES
        ('SELECT * FROM lead_system.dashboard_leads()'),
        ('SELECT * FROM lead_system.dashboard_leads(page_size => 1000)'),
        ('SELECT * FROM lead_system.dashboard_leads(after => ''{"raw_score": 1000, "created_at": "infinity", "id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}'')'),
        ('SELECT * FROM lead_system.search_leads(''bravo'')'),
        ('SELECT * FROM lead_system.search_leads(''company'', 1000)'),
        ('SELECT * FROM lead_system.config_keys()'),
        ('SELECT lead_system.get_config(key) FROM lead_system.config_keys()'),
        ('SELECT * FROM lead_system.access_levels()'),
        ('SELECT e.* FROM lead_system.leads l, lead_system.explain_lead_score(l.id) e')) q(query)
     CROSS JOIN LATERAL (SELECT pg_temp.text_as(%L, pg_temp.alpha()::text, q.query)) x(answer)
     WHERE x.answer ~* 'bravo|3035550|b0000000-' $$, l.role_name), format('level %s: nothing of another organization is listed, counted or found', l.level))
  FROM levels l WHERE l.level <> 'none' ORDER BY l.position;

-- Every view, whatever it shows.
SELECT is_empty($$
    SELECT c.relname, l.level, x.answer
      FROM pg_catalog.pg_class c CROSS JOIN levels l
     CROSS JOIN LATERAL (SELECT CASE WHEN has_table_privilege(l.role_name, c.oid, 'SELECT')
        THEN pg_temp.text_as(l.role_name, pg_temp.alpha()::text, format('SELECT * FROM lead_system.%I', c.relname)) END) x(answer)
     WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('v', 'm') AND l.level <> 'none'
       AND x.answer ~* 'bravo|3035550|b0000000-'
$$, 'no view shows anything of another organization');

SELECT is_empty($$
    SELECT q.query, x.answer
      FROM (VALUES
        ('SELECT * FROM lead_system.dashboard_leads(page_size => 1000)'),
        ('SELECT * FROM lead_system.search_leads(''bravo'')'),
        ('SELECT * FROM lead_system.search_leads(''company'', 1000)')) q(query)
     CROSS JOIN LATERAL (SELECT pg_temp.text_as('tap_bypass', pg_temp.alpha()::text, q.query)) x(answer)
     WHERE x.answer ~* 'bravo|3035550|b0000000-'
$$, 'functions list the session''s organization alone, even to a caller with BYPASSRLS');

SELECT is_empty(format($$
    SELECT q.query, x.answer
      FROM (VALUES ('SELECT * FROM lead_system.health_check()'), ('SELECT * FROM lead_system.rls_selftest()')) q(query)
     CROSS JOIN LATERAL (SELECT pg_temp.text_as(%L, pg_temp.alpha()::text, q.query)) x(answer)
     WHERE x.answer IS NULL OR x.answer ~* 'bravo|3035550|b0000000-' $$, l.role_name), format('level %s: reports on the installation name no organization', l.level))
  FROM levels l WHERE l.level IN ('admin', 'maintenance') ORDER BY l.position;

-- Built-in pipelines and models are everybody's, and nobody's to change.  Who
-- may only insert into a table cannot lock its rows at all.
SELECT is_empty($$
    SELECT w.name, w.level, w.command, x.answer
      FROM writable w
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha(w.role_name, CASE w.command
        WHEN 'UPDATE' THEN format('UPDATE lead_system.%I SET organization_id = organization_id WHERE organization_id IS NULL', w.name)
        WHEN 'DELETE' THEN format('DELETE FROM lead_system.%I WHERE organization_id IS NULL', w.name)
        ELSE format('SELECT 1 FROM lead_system.%I WHERE organization_id IS NULL FOR UPDATE', w.name) END)) x(answer)
     WHERE w.is_shared AND x.answer <> '0 rows' AND NOT (w.command = 'INSERT' AND w.column_name IS NULL AND x.answer LIKE '42501 %')
$$, 'built-in rows cannot be changed, deleted or locked by a tenant');

SELECT is_empty($$
    SELECT c.statement, x.answer
      FROM (VALUES
        ('INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position) VALUES (pg_temp.alpha(), ''00000000-0000-7000-8000-000000000001'', ''x'', ''won'', 9)'),
        ('INSERT INTO lead_system.pipeline_transitions (organization_id, pipeline_id, from_status, to_status) VALUES (pg_temp.alpha(), ''00000000-0000-7000-8000-000000000001'', ''New'', ''Opportunity'')'),
        ('INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points) VALUES (pg_temp.alpha(), ''00000000-0000-7000-8000-000000000011'', ''industry'', ''industry'', ''eq'', ''"x"'', 1)'),
        ('UPDATE lead_system.pipeline_statuses SET pipeline_id = ''00000000-0000-7000-8000-000000000002'' WHERE status = ''alpha status'''),
        ('UPDATE lead_system.scoring_rules SET model_id = ''00000000-0000-7000-8000-000000000011'' WHERE component = ''alpha_component''')) c(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.in_alpha('tap_admin', c.statement || '; SET CONSTRAINTS ALL IMMEDIATE')) x(answer)
     WHERE x.answer NOT LIKE '23503 |%' AND x.answer NOT LIKE '22023 |%'
$$, 'nothing can be added to a built-in pipeline or model');

SELECT is(pg_temp.in_alpha('tap_admin', 'SELECT lead_system.copy_pipeline(''b2b'', ''mine'')',
    'SELECT bool_and(organization_id = pg_temp.alpha()) FROM lead_system.pipelines WHERE name = ''mine'''), '1 rows -> true',
    'a copy of a built-in pipeline is the organization''s own');

-- The self-test.
SELECT set_eq('SELECT table_name FROM lead_system.rls_selftest()', 'SELECT name FROM tenant_tables', 'rls_selftest() looks at every tenant table');
SELECT is_empty('SELECT * FROM lead_system.rls_selftest() WHERE leaked <> 0', 'rls_selftest() finds nothing');

SAVEPOINT leak;
CREATE POLICY everything ON lead_system.leads USING (true);
SELECT is_empty($$ SELECT * FROM lead_system.rls_selftest() WHERE (leaked > 0) <> (table_name = 'leads') $$,
    'rls_selftest() finds a policy that lets everything through');
ROLLBACK TO leak;
ALTER TABLE lead_system.dnc_list DISABLE ROW LEVEL SECURITY;
SELECT is_empty($$ SELECT * FROM lead_system.rls_selftest() WHERE (leaked > 0) <> (table_name = 'dnc_list') $$,
    'rls_selftest() finds a table without row level security');
ROLLBACK TO leak;
CREATE POLICY all_organizations ON lead_system.organizations FOR SELECT USING (name <> '');
SELECT is_empty($$ SELECT * FROM lead_system.rls_selftest() WHERE (leaked > 0) <> (table_name = 'organizations') $$,
    'rls_selftest() finds organizations that others can see');
ROLLBACK TO leak;
CREATE POLICY of_agents ON lead_system.campaigns TO tap_agent USING (true);
SELECT is_empty($$ SELECT * FROM lead_system.rls_selftest() WHERE (leaked > 0) <> (table_name = 'campaigns') $$,
    'rls_selftest() finds a policy that lets one role through');
SELECT results_eq($$ SELECT detail FROM lead_system.health_check() WHERE NOT ok $$, ARRAY['campaigns.of_agents'],
    'health_check() names a policy that does not look at the organization');
ROLLBACK TO leak;

SAVEPOINT own_work;

-- Bravo works on its own rows; then alpha makes rows with the same identifiers,
-- which are no secret (they are in links and exports); then bravo works again.
CREATE TEMP TABLE own_work ON COMMIT DROP AS
SELECT c.function_name, c.statement, pg_temp.in_bravo('tap_admin', c.statement) AS undisturbed
  FROM (VALUES
    ('change_lead_status', 'SELECT lead_system.change_lead_status(''b0000000-0000-4000-8000-000000000001'', ''Qualified'')'),
    ('add_lead_note', 'SELECT lead_system.add_lead_note(''b0000000-0000-4000-8000-000000000001'', ''note'')'),
    ('record_touch', 'SELECT lead_system.record_touch(''b0000000-0000-4000-8000-000000000001'', ''web'')'),
    ('record_intent_signal', 'SELECT lead_system.record_intent_signal(''b0000000-0000-4000-8000-000000000001'', ''question'', ''a0000000-0000-4000-8000-0000000000ca'')'),
    ('record_qualification', 'SELECT lead_system.record_qualification(''b0000000-0000-4000-8000-000000000001'', ''{"need": 1}'')'),
    ('assign_lead', 'SELECT lead_system.assign_lead(''b0000000-0000-4000-8000-000000000002'')'),
    ('calculate_lead_score', 'SELECT 1 WHERE lead_system.calculate_lead_score(''b0000000-0000-4000-8000-000000000001'') > 0'),
    ('explain_lead_score', 'SELECT lead_system.explain_lead_score(''b0000000-0000-4000-8000-000000000001'')'),
    ('score_at', 'SELECT lead_system.score_at(''b0000000-0000-4000-8000-000000000001'', ''2026-04-01'')'),
    ('claim_campaign_leads', 'SELECT lead_system.claim_campaign_leads(''b0000000-0000-4000-8000-0000000000c1'')'),
    ('add_lead_list_to_campaign', 'SELECT lead_system.add_lead_list_to_campaign(''b0000000-0000-4000-8000-0000000000c1'', id) FROM lead_system.lead_lists'),
    ('remove_lead_list_from_campaign', 'SELECT lead_system.remove_lead_list_from_campaign(''b0000000-0000-4000-8000-0000000000c1'', id) FROM lead_system.lead_lists'),
    ('delete a lead', 'DELETE FROM lead_system.leads WHERE id = ''b0000000-0000-4000-8000-000000000001'''),
    ('import', 'SELECT lead_system.import_leads_csv(''bravo list'', E''id,first_name\nb0000000-0000-4000-8000-000000000001,x'')')) c(function_name, statement);
SELECT is_empty($$ SELECT * FROM own_work WHERE undisturbed !~ '^[1-9][0-9]* rows$' $$, 'an organization can work on its own rows');

SELECT is_empty($$
    SELECT f.name, x.answer
      FROM (VALUES ('leads', 'lead'), ('campaigns', 'campaign'), ('lead_lists', 'list'), ('categories', 'category'), ('users', 'user')) f(name, kind)
      JOIN identifiers i USING (kind)
      JOIN samples s ON s.name = f.name AND s.org = pg_temp.alpha()
     CROSS JOIN LATERAL (SELECT pg_temp.run_as('tap_admin', pg_temp.alpha()::text, pg_temp.insertion(s.name, s.row_data, i.bravo))) x(answer)
     WHERE x.answer <> '1 rows'
$$, 'another organization makes rows with the same identifiers');

SELECT is_empty($$
    SELECT o.statement, o.undisturbed, x.answer
      FROM own_work o CROSS JOIN LATERAL (SELECT pg_temp.in_bravo('tap_admin', o.statement)) x(answer)
     WHERE x.answer <> o.undisturbed
$$, 'rows of the same identifier in another organization do not get in the way');

-- The end of an organization, without such rows.
ROLLBACK TO own_work;
SELECT is(pg_temp.run_as('postgres', '', 'DELETE FROM lead_system.organizations WHERE id = pg_temp.bravo()'), '1 rows',
    'an organization can be deleted');
SELECT is_empty($$
    WITH digests AS MATERIALIZED (SELECT name, pg_temp.digest(name, pg_temp.bravo()) AS rows_left FROM tenant_tables)
    SELECT * FROM digests WHERE rows_left <> '0 rows '
$$, 'and leaves nothing behind');

SELECT * FROM finish();
ROLLBACK;
