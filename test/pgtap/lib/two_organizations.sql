-- Two organizations, alpha and bravo, each with rows in every tenant table,
-- and a database role for each access level.  Included by the tests inside
-- their transaction; nothing of it stays.
--
-- Every text of bravo has the word bravo in it, so that a test can look for it
-- in whatever alpha gets to see.

SET LOCAL client_min_messages = warning;
SET LOCAL lead_system.now = '2026-03-02 15:00:00+00';

\set alpha 'a0000000-0000-4000-8000-000000000000'
\set bravo 'b0000000-0000-4000-8000-000000000000'

CREATE FUNCTION pg_temp.alpha() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT 'a0000000-0000-4000-8000-000000000000'::uuid $$;
CREATE FUNCTION pg_temp.bravo() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT 'b0000000-0000-4000-8000-000000000000'::uuid $$;
CREATE FUNCTION pg_temp.nobody() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT 'f0000000-0000-4000-8000-00000000ffff'::uuid $$;

CREATE ROLE tap_none NOLOGIN;
CREATE ROLE tap_readonly NOLOGIN;
CREATE ROLE tap_agent NOLOGIN;
CREATE ROLE tap_manager NOLOGIN;
CREATE ROLE tap_admin NOLOGIN;
CREATE ROLE tap_maintenance NOLOGIN;
SELECT lead_system.grant_access('tap_' || level, level) AS granted
  FROM unnest(ARRAY['readonly', 'agent', 'manager', 'admin', 'maintenance']) level \g /dev/null

CREATE TEMP TABLE levels (level text, role_name name, position integer) ON COMMIT DROP;
INSERT INTO levels VALUES ('none', 'tap_none', 0), ('readonly', 'tap_readonly', 1), ('agent', 'tap_agent', 2),
    ('manager', 'tap_manager', 3), ('admin', 'tap_admin', 4), ('maintenance', 'tap_maintenance', 5);
GRANT SELECT ON levels TO PUBLIC;

INSERT INTO lead_system.organizations (id, name, default_region, tenant_id) VALUES
    (:'alpha', 'alpha ltd', 'US', 'a0000000-0000-4000-8000-0000000000ff'),
    (:'bravo', 'bravo ltd', 'GB', 'b0000000-0000-4000-8000-0000000000ff');

-- Fill one organization.  "digit" makes its identifiers, "number" its phone
-- numbers, which are of the block that is reserved for fiction.
CREATE FUNCTION pg_temp.fill(org uuid, word text, digit text, number text) RETURNS void LANGUAGE plpgsql AS $fill$
DECLARE
    admin_id uuid := (digit || '0000000-0000-4000-8000-0000000000a1')::uuid;
    rep_id uuid := (digit || '0000000-0000-4000-8000-0000000000a2')::uuid;
    category uuid := (digit || '0000000-0000-4000-8000-0000000000b1')::uuid;
    lead uuid := (digit || '0000000-0000-4000-8000-000000000001')::uuid;
    pipeline uuid;
    model uuid;
    list uuid;
    campaign uuid := (digit || '0000000-0000-4000-8000-0000000000c1')::uuid;
    claimed uuid;
BEGIN
    PERFORM set_config('app.current_org_id', org::text, true);
    INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
        (org, admin_id, word || ' admin', 'admin@' || word || '.example', 'admin'),
        (org, rep_id, word || ' rep', 'rep@' || word || '.example', 'rep');
    PERFORM set_config('app.current_user_id', admin_id::text, true);
    INSERT INTO lead_system.categories (organization_id, id, slug, display_name) VALUES (org, category, word || '-work', word);

    pipeline := lead_system.copy_pipeline('b2b', word || '_pipeline');
    INSERT INTO lead_system.pipeline_statuses (organization_id, pipeline_id, status, stage, position)
    VALUES (org, pipeline, word || ' status', 'working', 9);
    UPDATE lead_system.pipelines SET description = word WHERE id = pipeline;
    model := lead_system.copy_scoring_model('b2b', word || '_model');
    UPDATE lead_system.scoring_models SET components = components || jsonb_build_object('name', word || '_component', 'optional', true)
     WHERE id = model;
    INSERT INTO lead_system.scoring_rules (organization_id, model_id, component, attribute, operator, operand, points)
    VALUES (org, model, word || '_component', 'industry', 'eq', to_jsonb(word), 1);
    PERFORM lead_system.set_config('import.batch_size', '77');

    INSERT INTO lead_system.leads (organization_id, id, first_name, company_name, email, phone_number, industry, source,
        source_id, category_id, assigned_to, notes)
    VALUES (org, lead, word, word || ' company', 'one@' || word || '.example', number || '01', 'Education', word || '_source', word || '-1',
        category, rep_id, word);
    INSERT INTO lead_system.leads (organization_id, id, first_name, email, pipeline_id, status, notes)
    VALUES (org, (digit || '0000000-0000-4000-8000-000000000002')::uuid, word, 'two@' || word || '.example', pipeline, word || ' status', word);
    PERFORM lead_system.change_lead_status(lead, 'Contacted', word);
    UPDATE lead_system.leads SET industry = 'Software/SaaS' WHERE id = lead;
    PERFORM lead_system.add_lead_note(lead, word);
    INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest) VALUES (org, lead, 7);
    INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (org, word || ' enough', 'hard');
    PERFORM lead_system.record_consent(lead, 'call', jsonb_build_object('form', word));
    INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES (org, lead, lead, 'question');

    PERFORM lead_system.add_to_dnc_list(number || '50', word, word);
    INSERT INTO lead_system.calling_rules (organization_id, weekdays, from_time, to_time, source) VALUES (org, 64, '09:00', '20:00', word);

    PERFORM lead_system.import_leads_csv(word || ' list',
        'first_name,phone' || E'\n' || word || ',' || number || '10' || E'\n' || word || ',' || number || '11' || E'\n' || word || ',12');
    SELECT id INTO STRICT list FROM lead_system.lead_lists WHERE organization_id = org;
    INSERT INTO lead_system.segments (organization_id, name, filter, is_public, user_id)
    VALUES (org, word || ' segment', jsonb_build_object('company_name', word), true, NULL);
    INSERT INTO lead_system.campaigns (organization_id, id, name, status) VALUES (org, campaign, word || ' campaign', 'active');
    PERFORM lead_system.add_lead_list_to_campaign(campaign, list);
    SELECT campaign_lead_id INTO STRICT claimed FROM lead_system.claim_campaign_leads(campaign);
    PERFORM lead_system.record_call_attempt(claimed, 'no_answer', 3, jsonb_build_object('notes', word));
    INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text) VALUES (org, 'outbound', number || '60', word);
    INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (org, word || '_template', word || ' {{lead.first_name}}');
    PERFORM lead_system.enqueue_notification(jsonb_build_object('notification_type', 'email', 'user_id', rep_id, 'lead_id', lead, 'body', word));
    INSERT INTO lead_system.user_credentials (organization_id, user_id, password_hash) VALUES (org, rep_id, '$2a$04$' || word);
    INSERT INTO lead_system.integrations (organization_id, provider, external_id, access_token) VALUES (org, word, word, sha256(word::bytea));
    PERFORM lead_system.suppress_in_campaign(campaign, number || '70', word);
    INSERT INTO lead_system.nurture_sequences (organization_id, id, name, description, steps)
    VALUES (org, (digit || '0000000-0000-4000-8000-0000000000e1')::uuid, word || ' sequence', word,
        jsonb_build_array(jsonb_build_object('step', 1, 'channel', 'task', 'template_id', word)));
    PERFORM lead_system.enroll_lead((digit || '0000000-0000-4000-8000-0000000000e1')::uuid, lead);
    PERFORM lead_system.take_analytics_snapshot('2026-03-01');
    INSERT INTO lead_system.nurture_daily_counts (organization_id, day, channel, part) VALUES (org, '2026-03-02', 'sms', 0);
    INSERT INTO lead_system.ad_campaigns (organization_id, id, external_id, name, daily_budget) VALUES (org, (digit || '0000000-0000-4000-8000-0000000000f1')::uuid, word, word || ' ads', 100);
    INSERT INTO lead_system.keywords (organization_id, id, campaign_id, keyword_text, match_type, max_cpc)
    VALUES (org, (digit || '0000000-0000-4000-8000-0000000000f2')::uuid, (digit || '0000000-0000-4000-8000-0000000000f1')::uuid, word, 'exact', 2);
    PERFORM lead_system.record_ad_days(jsonb_build_array(
        jsonb_build_object('campaign', word, 'day', '2026-03-02', 'spend', 100, 'clicks', 60, 'impressions', 900, 'conversions', 0),
        jsonb_build_object('campaign', word, 'keyword', word, 'match_type', 'exact', 'day', '2026-03-02', 'spend', 90, 'clicks', 60, 'impressions', 900, 'conversions', 0)));
    PERFORM lead_system.propose_actions();
    INSERT INTO lead_system.workflows (organization_id, id, workflow_name, workflow_type, config)
    VALUES (org, (digit || '0000000-0000-4000-8000-0000000000f3')::uuid, word, 'missed_call', '{"steps": [{"action": "sms"}]}');
    PERFORM lead_system.record_workflow_run((digit || '0000000-0000-4000-8000-0000000000f3')::uuid, word, 'failed', lead, word);
    INSERT INTO lead_system.territories (organization_id, kind, code, user_id) VALUES (org, 'state', upper(word), rep_id);
    INSERT INTO lead_system.waiting_leads (organization_id, lead_id, strategy, waiting_since, set_review)
    VALUES (org, (digit || '0000000-0000-4000-8000-000000000002')::uuid, 'capacity', lead_system.clock_now(), false);

    PERFORM lead_system.post_transaction(lead_system.open_account(), 'credit', 100, word);
    PERFORM lead_system.hold_budget(a.id, 5) FROM lead_system.budget_accounts a WHERE a.organization_id = org AND a.user_id IS NULL;
    INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end)
    VALUES (org, word, word, 'Pro', 79, '2026-03-01', '2026-04-01');
    INSERT INTO lead_system.financials (organization_id, date, ad_spend) VALUES (org, '2026-03-02', 10);
    INSERT INTO lead_system.lead_source_costs (organization_id, source, period_month, total_cost) VALUES (org, word, '2026-03-01', 10);

    PERFORM set_config('app.current_org_id', '', true), set_config('app.current_user_id', '', true);
END
$fill$;
SELECT pg_temp.fill(:'alpha', 'alpha', 'a', '+120255501'), pg_temp.fill(:'bravo', 'bravo', 'b', '+130355501') \g /dev/null
SELECT lead_system.load_national_dnc('404', '{4045550101}') \g /dev/null

-- What is written when a transaction commits, which this one does not.
INSERT INTO lead_system.dnc_audit_chain (organization_id, sequence, audit_id, row_hash, chain_hash)
SELECT DISTINCT ON (a.organization_id) a.organization_id, 1, a.id, sha256('row'), sha256('chain') FROM lead_system.dnc_audit_log a
 WHERE a.organization_id IN (:'alpha', :'bravo');
INSERT INTO lead_system.dnc_audit_heads (organization_id, sequence, audit_id, chain_hash)
SELECT organization_id, sequence, audit_id, chain_hash FROM lead_system.dnc_audit_chain WHERE organization_id IN (:'alpha', :'bravo');
INSERT INTO lead_system.erasures (organization_id, subject_id, reason)
VALUES (:'alpha', pg_temp.nobody(), 'alpha'), (:'bravo', pg_temp.nobody(), 'bravo');

-- A merge that was, and a lead that was archived.
INSERT INTO lead_system.lead_merges (organization_id, lead_id, survivor_id, duplicate_ids)
VALUES (:'alpha', pg_temp.nobody(), pg_temp.nobody(), ARRAY[pg_temp.nobody()]), (:'bravo', pg_temp.nobody(), pg_temp.nobody(), ARRAY[pg_temp.nobody()]);
INSERT INTO lead_system.lead_merge_rows (organization_id, lead_id, subject_id, merge_id, table_name, moved_ids)
VALUES (:'alpha', pg_temp.nobody(), pg_temp.nobody(), pg_temp.nobody(), 'alpha', '{}'), (:'bravo', pg_temp.nobody(), pg_temp.nobody(), pg_temp.nobody(), 'bravo', '{}');
INSERT INTO lead_system.leads_archive (organization_id, id, first_name, status, created_at, lead, children)
SELECT o.org::uuid, gen_random_uuid(), o.name, 'New', lead_system.clock_now(), '{}', '{}' FROM (VALUES (:'alpha', 'alpha'), (:'bravo', 'bravo')) o(org, name);

-- A recalculation that is under way.
INSERT INTO lead_system.scoring_runs (organization_id, started_at)
VALUES (:'alpha', lead_system.clock_now()), (:'bravo', lead_system.clock_now());

INSERT INTO lead_system.maintenance_runs (organization_id, job)
VALUES (:'alpha', 'alpha'), (:'bravo', 'bravo');

CREATE TEMP VIEW tenant_tables AS
SELECT c.oid, c.relname::text COLLATE "default" AS name, a.attname::text COLLATE "default" AS tenant_column, NOT a.attnotnull AS is_shared
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attname = CASE c.relname WHEN 'organizations' THEN 'id' ELSE 'organization_id' END
 WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('r', 'p');

-- Identifiers that a caller passed come back in messages; what matters is
-- whether the rest differs.
CREATE FUNCTION pg_temp.without_ids(message text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(message, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g')
$$;

-- Run a statement as a role inside an organization.  Says how many rows it
-- returned or changed, or everything that a client is told of an error.
CREATE FUNCTION pg_temp.run_as(role_name name, org text, statement text) RETURNS text LANGUAGE plpgsql AS $run$
DECLARE
    n bigint;
    state text;
    message text;
    detail text;
    hint text;
    context text;
BEGIN
    BEGIN
        PERFORM set_config('app.current_org_id', org, true);
        PERFORM set_config('role', role_name, true);
        EXECUTE statement;
        GET DIAGNOSTICS n = ROW_COUNT;
        PERFORM set_config('role', 'none', true), set_config('app.current_org_id', '', true);
        RETURN format('%s rows', n);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
            hint = PG_EXCEPTION_HINT;
        PERFORM set_config('role', 'none', true), set_config('app.current_org_id', '', true);
        RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
    END;
END
$run$;

-- The same, but what the statement did is undone.  "probe" is a query that a
-- superuser runs before that; its one value is added to the answer.
CREATE FUNCTION pg_temp.try_as(role_name name, org text, statement text, probe text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $try$
DECLARE
    answer text;
    seen text;
BEGIN
    BEGIN
        answer := pg_temp.run_as(role_name, org, statement);
        IF probe IS NOT NULL THEN
            EXECUTE probe INTO seen;
            answer := answer || ' -> ' || coalesce(seen, 'NULL');
        END IF;
        RAISE EXCEPTION SQLSTATE 'UNDO0' USING MESSAGE = 'undo';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
        RETURN answer;
    END;
END
$try$;

-- Everything that an organization has in a table, as one value to compare.
CREATE FUNCTION pg_temp.digest(table_name text, org uuid) RETURNS text LANGUAGE plpgsql AS $digest$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SELECT count(*) || '' rows '' || coalesce(md5(string_agg(t::text, '','' ORDER BY t::text)), '''')'
                   '  FROM lead_system.%I t WHERE t.%I = $1', table_name,
        (SELECT tenant_column FROM tenant_tables WHERE name = table_name)) INTO answer USING org;
    RETURN answer;
END
$digest$;

-- The same of all tables together.
CREATE FUNCTION pg_temp.digest(org uuid) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(pg_temp.digest(name, org), ',' ORDER BY name)) FROM tenant_tables
$$;

-- Try a statement inside alpha, or inside bravo.
CREATE FUNCTION pg_temp.in_alpha(role_name name, statement text, probe text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try_as(role_name, pg_temp.alpha()::text, statement, probe)
$$;
CREATE FUNCTION pg_temp.in_bravo(role_name name, statement text, probe text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try_as(role_name, pg_temp.bravo()::text, statement, probe)
$$;

-- What a query tells a role inside an organization, as one text.
CREATE FUNCTION pg_temp.text_as(role_name name, org text, query text) RETURNS text LANGUAGE plpgsql AS $text$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('app.current_org_id', org, true), set_config('role', role_name, true);
    EXECUTE format('SELECT string_agg(q::text, E''\n'' ORDER BY q::text) FROM (%s) q', query) INTO answer;
    PERFORM set_config('role', 'none', true), set_config('app.current_org_id', '', true);
    RETURN answer;
END
$text$;
