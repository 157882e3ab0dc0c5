-- Organizations, the people in them, and their categories.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET lead_system.now = '2026-03-02 12:00:00+00';

--
-- create_organization(): a name is enough
--
SELECT lead_system.create_organization('Acme') AS acme \gset
SELECT name, default_pipeline, default_region, timezone, country, currency, status, onboarding_completed, onboarding_step,
       service_types, created_at, updated_at
  FROM lead_system.organizations WHERE id = :'acme';
-- A pipeline, and further columns by name
SELECT lead_system.create_organization(name => 'Thames Plumbing', pipeline => 'marketplace', settings => '{
    "owner_name": "Tess", "tenant_id": "30000000-0000-4000-8000-0000000000aa", "default_region": "GB", "timezone": "Europe/London",
    "phone": "020 7946 0123", "address": "1 Example Street", "city": "London", "state": null, "zip_code": "N1", "country": "GB", "currency": "GBP",
    "service_types": ["plumbing", "heating"], "service_area": "North", "years_in_business": 7, "license_number": "L-1",
    "onboarding_completed": true, "onboarding_step": 5}') AS thames \gset
\x on
SELECT name, owner_name, tenant_id, default_pipeline, default_region, timezone, phone, address, city, state, zip_code, country,
       currency, service_types, service_area, years_in_business, license_number, status, onboarding_completed, onboarding_step
  FROM lead_system.organizations WHERE id = :'thames';
\x off
-- Settings may be NULL, too.
SELECT lead_system.create_organization('Plain', settings => NULL) AS plain \gset
SELECT name, default_pipeline, phone FROM lead_system.organizations WHERE id = :'plain';
DELETE FROM lead_system.organizations WHERE id = :'plain';

-- What is refused
SELECT lead_system.create_organization(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', 'sales');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"colour": "red"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"name": "Other"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '["phone"]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"phone": "12"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"timezone": "Mars/Olympus"}');
\echo :LAST_ERROR_SQLSTATE
-- A region is one that numbers are read in.
SELECT lead_system.create_organization('Acme', settings => '{"default_region": "XX"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"default_region": "gb"}');
\echo :LAST_ERROR_SQLSTATE
-- The detail of a failed CHECK shows the row, with identifiers that differ each time.
\set VERBOSITY terse
SELECT lead_system.create_organization('  ');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"default_region": "usa"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"status": "closed"}');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.create_organization('Acme', settings => '{"years_in_business": -1}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- Plain statements obey the same rules.
INSERT INTO lead_system.organizations (id, name, phone) VALUES ('30000000-0000-4000-8000-000000000001', 'Initech', '(202) 555-0100')
    RETURNING phone;
UPDATE lead_system.organizations SET default_pipeline = 'sales' WHERE id = '30000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.organizations SET timezone = 'nowhere' WHERE id = '30000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.organizations SET default_region = 'ZZ' WHERE id = '30000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
-- A number has one form, whoever wrote it; nothing, or white space, is no number.
UPDATE lead_system.organizations SET phone = '+4402079460123' WHERE id = '30000000-0000-4000-8000-000000000001' RETURNING phone;
UPDATE lead_system.organizations SET phone = '+10000000' WHERE id = '30000000-0000-4000-8000-000000000001';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.organizations SET phone = '' WHERE id = '30000000-0000-4000-8000-000000000001' RETURNING phone IS NULL AS none;
UPDATE lead_system.organizations SET phone = E' \t' WHERE id = '30000000-0000-4000-8000-000000000001' RETURNING phone IS NULL AS none;
SELECT lead_system.create_organization('Silent', settings => '{"phone": ""}') AS silent \gset
SELECT name, phone IS NULL AS none FROM lead_system.organizations WHERE id = :'silent';
DELETE FROM lead_system.organizations WHERE id = :'silent';
SET lead_system.now = '2026-03-02 13:00:00+00';
UPDATE lead_system.organizations SET name = 'Initech Inc', timezone = 'America/New_York'
 WHERE id = '30000000-0000-4000-8000-000000000001' RETURNING name, created_at, updated_at;
-- A default pipeline may be the organization's own, but not another one's.
SET app.current_org_id = '30000000-0000-4000-8000-000000000001';
SELECT lead_system.copy_pipeline('b2b', 'enterprise') IS NOT NULL AS copied;
UPDATE lead_system.organizations SET default_pipeline = 'enterprise' WHERE id = '30000000-0000-4000-8000-000000000001'
    RETURNING default_pipeline;
UPDATE lead_system.organizations SET default_pipeline = 'enterprise' WHERE id = :'acme';
\echo :LAST_ERROR_SQLSTATE
-- Without it, new leads would have nowhere to start.
UPDATE lead_system.pipelines SET name = 'business' WHERE name = 'enterprise';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.pipelines WHERE name = 'enterprise';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.pipelines WHERE name = 'marketplace' AND organization_id IS NULL;
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.pipelines SET name = name, description = 'Ours' WHERE name = 'enterprise' RETURNING name, description;
SELECT lead_system.copy_pipeline('b2b', 'spare') IS NOT NULL AS copied;
UPDATE lead_system.pipelines SET name = 'reserve' WHERE name = 'spare' RETURNING name;
DELETE FROM lead_system.pipelines WHERE name = 'reserve' RETURNING name;
UPDATE lead_system.organizations SET default_pipeline = 'b2b' WHERE id = '30000000-0000-4000-8000-000000000001';
UPDATE lead_system.pipelines SET name = 'business' WHERE name = 'enterprise' RETURNING name;
UPDATE lead_system.organizations SET default_pipeline = 'business' WHERE id = '30000000-0000-4000-8000-000000000001'
    RETURNING default_pipeline;

--
-- Categories: ten for an organization that starts in the marketplace
--
SELECT o.name, count(c.id) FROM lead_system.organizations o LEFT JOIN lead_system.categories c ON c.organization_id = o.id
 WHERE o.id IN (:'acme', :'thames', '30000000-0000-4000-8000-000000000001') GROUP BY o.name ORDER BY o.name COLLATE "C";
SELECT slug, display_name, description FROM lead_system.categories WHERE organization_id = :'thames' ORDER BY slug COLLATE "C";
INSERT INTO lead_system.categories (organization_id, id, slug, display_name) VALUES
    ('30000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-0000000000c1', 'solar', 'Solar');
INSERT INTO lead_system.categories (organization_id, slug, display_name) VALUES ('30000000-0000-4000-8000-000000000001', 'solar', 'Sun');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.categories (organization_id, slug, display_name) VALUES (:'acme', 'solar', 'Sun');
\set VERBOSITY terse
INSERT INTO lead_system.categories (organization_id, slug, display_name) VALUES (:'acme', 'Solar Power', 'Sun');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- A lead cannot have another organization's category; deleting one clears it from leads.
INSERT INTO lead_system.leads (organization_id, id, email, category_id) VALUES
    ('30000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-0000000000e1', 'sun@example.com', '30000000-0000-4000-8000-0000000000c1');
\set VERBOSITY terse
INSERT INTO lead_system.leads (organization_id, email, category_id) VALUES
    (:'acme', 'sun@example.com', '30000000-0000-4000-8000-0000000000c1');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
DELETE FROM lead_system.categories WHERE id = '30000000-0000-4000-8000-0000000000c1';
SELECT email, category_id FROM lead_system.leads WHERE id = '30000000-0000-4000-8000-0000000000e1';

--
-- Users
--
SET lead_system.now = '2026-03-02 14:00:00+00';
INSERT INTO lead_system.users (organization_id, id, full_name, email, phone_number) VALUES
    ('30000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000011', 'Rob Rep', 'Rob@Example.COM', '202 555 0111')
    RETURNING email, phone_number, role, is_active, max_active_leads, current_lead_count, assignment_weight, skills,
              is_contractor, profile_rating, lead_discount_multiplier, notify_email, notify_slack, notify_sms, created_at;
-- An address is unique in an organization, whatever its case.
INSERT INTO lead_system.users (organization_id, full_name, email) VALUES ('30000000-0000-4000-8000-000000000001', 'Robert', 'ROB@example.com');
\echo :LAST_ERROR_SQLSTATE
-- A number without country code is read as one of the organization's region.
INSERT INTO lead_system.users (organization_id, id, full_name, email, phone_number, role, is_contractor) VALUES
    (:'thames', '30000000-0000-4000-8000-000000000012', 'Rob Roy', 'rob@example.com', '020 7946 0124', 'contractor', true)
    RETURNING email, phone_number, role;
INSERT INTO lead_system.users (organization_id, full_name, email, phone_number) VALUES (:'thames', 'Ann', 'ann@example.com', '12');
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.users SET phone_number = '+4402079460125' WHERE id = '30000000-0000-4000-8000-000000000012' RETURNING phone_number;
UPDATE lead_system.users SET phone_number = '+10000000' WHERE id = '30000000-0000-4000-8000-000000000012';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.users SET phone_number = '' WHERE id = '30000000-0000-4000-8000-000000000012' RETURNING phone_number IS NULL AS none;
INSERT INTO lead_system.users (organization_id, full_name, email) VALUES ('30000000-0000-4000-8000-0000000000ff', 'Ann', 'ann@example.com');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (:'acme', 'Ann', 'ann');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (:'acme', ' ', 'ann@example.com');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.users (organization_id, full_name, email, role) VALUES (:'acme', 'Ann', 'ann@example.com', 'boss');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.users (organization_id, full_name, email, profile_rating) VALUES (:'acme', 'Ann', 'ann@example.com', 5.01);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.users (organization_id, full_name, email, current_lead_count) VALUES (:'acme', 'Ann', 'ann@example.com', -1);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- A lead belongs to a user of its own organization only.
UPDATE lead_system.leads SET assigned_to = '30000000-0000-4000-8000-000000000012' WHERE id = '30000000-0000-4000-8000-0000000000e1';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.leads SET assigned_to = '30000000-0000-4000-8000-000000000011' WHERE id = '30000000-0000-4000-8000-0000000000e1';

-- Users are deactivated, not deleted.
DELETE FROM lead_system.users WHERE id = '30000000-0000-4000-8000-000000000011';
\echo :LAST_ERROR_SQLSTATE
UPDATE lead_system.users SET is_active = false WHERE id = '30000000-0000-4000-8000-000000000011';
SELECT l.email, u.full_name, u.is_active FROM lead_system.leads l JOIN lead_system.users u ON u.id = l.assigned_to
 WHERE l.id = '30000000-0000-4000-8000-0000000000e1';
SET app.current_user_id = '30000000-0000-4000-8000-000000000011';
SELECT lead_system.add_lead_note('30000000-0000-4000-8000-0000000000e1', 'Still here');
\echo :LAST_ERROR_SQLSTATE
RESET app.current_user_id;

-- Settings live with their organization.
SELECT lead_system.set_config('leads.duplicate_email_hours', '12');

--
-- Deleting an organization takes everything along, and nothing of others
--
SELECT lead_system.copy_scoring_model('b2b') IS NOT NULL AS copied;
UPDATE lead_system.leads SET status = 'Contacted', company_size = '1-10' WHERE id = '30000000-0000-4000-8000-0000000000e1';
CREATE FUNCTION pg_temp.tables_with_rows_of(org uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    name text;
    found boolean;
BEGIN
    FOR name IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                 WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r' AND a.attname = 'organization_id'
                 ORDER BY c.relname COLLATE "C" LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM lead_system.%I WHERE organization_id = $1)', name) INTO found USING org;
        IF found THEN
            RETURN NEXT name;
        END IF;
    END LOOP;
END $$;
SELECT * FROM pg_temp.tables_with_rows_of('30000000-0000-4000-8000-000000000001');
SELECT * FROM pg_temp.tables_with_rows_of(:'thames');
DELETE FROM lead_system.organizations WHERE id = '30000000-0000-4000-8000-000000000001';
SELECT * FROM pg_temp.tables_with_rows_of('30000000-0000-4000-8000-000000000001');
SELECT * FROM pg_temp.tables_with_rows_of(:'thames');
-- The session still names it, and sees nothing.
SELECT count(*) FROM lead_system.dashboard_leads();
SELECT lead_system.upsert_lead('{"email": "late@example.com"}');
\echo :LAST_ERROR_SQLSTATE

-- Several at once
DELETE FROM lead_system.organizations WHERE id IN (:'acme', :'thames');
SELECT * FROM pg_temp.tables_with_rows_of(:'acme');
SELECT * FROM pg_temp.tables_with_rows_of(:'thames');
