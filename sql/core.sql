-- The ground: who the session works for, the clock, identifiers, phone
-- numbers, e-mail addresses, settings, access levels.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name, tenant_id) VALUES
    ('20000000-0000-4000-8000-000000000001', 'Acme', '20000000-0000-4000-8000-0000000000aa'),
    ('20000000-0000-4000-8000-000000000002', 'Globex', NULL);
INSERT INTO lead_system.users (organization_id, id, full_name, email, role, is_active) VALUES
    ('20000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000011', 'Ann Admin', 'ann@example.com', 'admin', true),
    ('20000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000012', 'Rob Rep', 'rob@example.com', 'rep', true),
    ('20000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000013', 'Pat Past', 'pat@example.com', 'rep', false),
    ('20000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000021', 'Flo Foreign', 'flo@example.com', 'admin', true);

--
-- The tenant context
--
-- Unset, and '', mean none.
SELECT lead_system.current_org_id() IS NULL AS no_org, lead_system.current_user_id() IS NULL AS no_user;
-- What needs an organization asks for it in another way, and is refused.
SELECT lead_system.require_org_id();
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '20000000-0000-4000-8000-000000000001';
SELECT lead_system.current_org_id(), lead_system.current_user_id(), lead_system.require_org_id();
SET app.current_org_id = '';
SELECT lead_system.current_org_id() IS NULL AS no_org;
-- Anything but a uuid is refused.
SET app.current_org_id = 'acme';
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = '1';
\echo :LAST_ERROR_SQLSTATE
SET app.current_tenant_id = '20000000-0000-4000-8000-0000000000';
\echo :LAST_ERROR_SQLSTATE
-- An organization that does not exist owns nothing; nobody is told that it does not exist.
SET app.current_org_id = '20000000-0000-4000-8000-0000000000ff';
SELECT lead_system.current_org_id();

-- With a user: he must be an active member of the organization.
SET app.current_org_id = '20000000-0000-4000-8000-000000000001';
SET app.current_user_id = '20000000-0000-4000-8000-000000000012';
SELECT lead_system.current_org_id(), lead_system.current_user_id();
SET app.current_user_id = '20000000-0000-4000-8000-000000000021';
SELECT lead_system.current_org_id();
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = '20000000-0000-4000-8000-000000000013';
SELECT lead_system.current_org_id();
\echo :LAST_ERROR_SQLSTATE
SET app.current_user_id = '20000000-0000-4000-8000-0000000000ff';
SELECT lead_system.current_org_id();
\echo :LAST_ERROR_SQLSTATE
-- The answer does not outlive the membership.
SET app.current_user_id = '20000000-0000-4000-8000-000000000012';
SELECT lead_system.current_org_id();
UPDATE lead_system.users SET is_active = false WHERE id = '20000000-0000-4000-8000-000000000012';
SELECT lead_system.current_org_id();
UPDATE lead_system.users SET is_active = true WHERE id = '20000000-0000-4000-8000-000000000012';
SELECT lead_system.current_org_id();
-- A user without an organization sees nothing.
SET app.current_org_id = '';
SELECT lead_system.current_org_id() IS NULL AS no_org, lead_system.current_user_id();
RESET app.current_user_id;

-- With a tenant: the organization must belong to it.
SET app.current_tenant_id = '20000000-0000-4000-8000-0000000000aa';
SET app.current_org_id = '20000000-0000-4000-8000-000000000001';
SELECT lead_system.current_org_id();
SET app.current_org_id = '20000000-0000-4000-8000-000000000002';
SELECT lead_system.current_org_id();
\echo :LAST_ERROR_SQLSTATE
RESET app.current_tenant_id;
SELECT lead_system.current_org_id();

-- Settings follow the transaction.
SET app.current_org_id = '20000000-0000-4000-8000-000000000001';
BEGIN;
SET LOCAL app.current_org_id = '20000000-0000-4000-8000-000000000002';
SELECT lead_system.current_org_id();
COMMIT;
SELECT lead_system.current_org_id();
BEGIN;
SET app.current_org_id = '20000000-0000-4000-8000-000000000002';
ROLLBACK;
SELECT lead_system.current_org_id();

-- The end user's address, for the audit trail.
SET app.client_ip = '192.0.2.300';
\echo :LAST_ERROR_SQLSTATE
SET app.client_ip = '2001:db8::1';
SET app.client_ip = '192.0.2.1';
RESET app.client_ip;
-- It ends up in a column of type inet, so it is what that type takes, and no more.
CREATE FUNCTION pg_temp.answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT address, pg_temp.answer(format('SET app.client_ip = %L', address)) AS setting, pg_temp.answer(format('SELECT %L::inet', address)) AS inet
  FROM unnest(ARRAY['10', '10.1', '192.0.2', '192.0.2.', '192.0.2.1', '192.0.2.1/24', '192.0.2.1/33', '192.0.2.256', '::', '::1', '2001:db8::1/64',
                    '2001:db8::/129', '2001:db8', '::ffff:192.0.2.1', ' 192.0.2.1', '192.0.2.1 ', 'localhost', '192.0.2.1, 192.0.2.2']) address;
RESET app.client_ip;

--
-- The clock
--
SELECT lead_system.clock_now();
SET lead_system.now = '2026-03-02 12:00:00-05';
SELECT lead_system.clock_now();
SET lead_system.now = 'yesterday-ish';
\echo :LAST_ERROR_SQLSTATE
SET lead_system.now = '2026-02-30 12:00:00+00';
\echo :LAST_ERROR_SQLSTATE
SET lead_system.now = '';
SELECT lead_system.clock_now() = now() AS transaction_time;
-- It could be used to reach around calling hours, so it is not for everybody.
CREATE ROLE regress_ls_app;
SET ROLE regress_ls_app;
SET lead_system.now = '2026-03-02 12:00:00+00';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET lead_system.now = '2026-03-02 12:00:00+00';

--
-- Identifiers: version 7, in the order in which they were made
--
SELECT count(DISTINCT id) AS ids, bool_and(substr(id::text, 15, 1) = '7') AS version_7,
       bool_and(substr(id::text, 20, 1) IN ('8', '9', 'a', 'b')) AS rfc_variant,
       bool_and(id > previous IS NOT FALSE) AS ascending
  FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous
          FROM (SELECT n, lead_system.uuid_v7() AS id FROM generate_series(1, 10000) n OFFSET 0) g) i;

--
-- Phone numbers
--
SELECT raw, region, lead_system.normalize_phone(raw, region) AS e164
  FROM (VALUES
    (1, '+12025550123', 'US'),
    (2, '2025550123', 'US'),
    (3, '12025550123', 'US'),
    (4, '(202) 555-0123', 'US'),
    (5, '202.555.0123', 'US'),
    (6, '1-202-555-0123', 'US'),
    (7, ' +1 202 555 0123 ', 'US'),
    (8, '202-555-0123 x45', 'US'),
    (9, 'tel:+1-202-555-0123', 'US'),
    (10, '+1 (202) 555-0123', 'GB'),
    (11, '001 202 555 0123', 'GB'),
    (12, '020 7946 0123', 'GB'),
    (13, '+44 (0)20 7946 0123', 'US'),
    (14, '020 7946 0123', 'US'),
    (15, '555-0123', 'US'),
    (16, '202555012', 'US'),
    (17, '20255501234', 'US'),
    (18, '000-555-0123', 'US'),
    (19, '+999 202 555 0123', 'US'),
    (20, '+1202', 'US'),
    (21, 'call me', 'US'),
    (22, '', 'US'),
    (23, NULL, 'US'),
    (24, '2025550123', NULL)) v(n, raw, region) ORDER BY n;
-- The region is US unless said otherwise; it must exist.
SELECT lead_system.normalize_phone('202-555-0123') AS e164, lead_system.normalize_phone(region => 'GB', raw => '020 7946 0123');
SELECT lead_system.normalize_phone('202-555-0123', 'XX');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.normalize_phone('202-555-0123', 'us');
\echo :LAST_ERROR_SQLSTATE
-- Text that has the stored form can still be another spelling of a number, or none at all.
SELECT raw, lead_system.is_e164(raw), lead_system.normalize_phone(raw) AS e164
  FROM unnest(ARRAY['+442079460958', '+4402079460958', '+12025550123', '+10000000', '+10025550123', '+11025550123', '+1202555012', '+120255501234']) raw;
-- Only the form is looked at: a plus sign, then 7 to 15 digits, the first not 0.
SELECT number, lead_system.is_e164(number)
  FROM unnest(ARRAY['+12025550123', '+1234567', '+123456789012345', '+123456', '+1234567890123456', '+0123456789',
                    '12025550123', '+1 202 555 0123', '+12025550123 ', '+1202555012a', '+', '', NULL]) number;

--
-- E-mail addresses
--
SELECT address, lead_system.is_valid_email(address)
  FROM unnest(ARRAY['ann@example.com', 'Ann.Lee+tag@Mail.Example.COM', 'o''hara@example.org', 'a@b.co', 'x_1-2@a-b.example.net',
                    '1@example.com', 'ann@xn--bcher-kva.example.com', 'ann@example.xn--p1ai',
                    'ann', 'ann@', '@example.com', 'ann@example', 'ann@.com', 'ann@example.', 'ann@example..com', 'ann@-example.com',
                    'ann@example-.com', 'ann@example.c', 'ann@example.1a', '.ann@example.com', 'ann.@example.com', 'a..b@example.com',
                    'ann lee@example.com', 'ann@exam ple.com', 'ann@@example.com', 'a@b@example.com', 'ann@192.0.2.1', '"ann"@example.com',
                    'ann@example.com ', 'ann,lee@example.com', 'Ann <ann@example.com>', '', NULL]) address;
-- 64 characters before the @, 63 in a label, 254 in all.
SELECT lead_system.is_valid_email(repeat('a', 64) || '@example.com') AS local_64,
       lead_system.is_valid_email(repeat('a', 65) || '@example.com') AS local_65,
       lead_system.is_valid_email('a@' || repeat('b', 63) || '.com') AS label_63,
       lead_system.is_valid_email('a@' || repeat('b', 64) || '.com') AS label_64,
       lead_system.is_valid_email('a@' || repeat('bcdefgh.', 31) || 'info') AS all_254,
       lead_system.is_valid_email('ab@' || repeat('bcdefgh.', 31) || 'info') AS all_255;

--
-- Settings
--
SELECT * FROM lead_system.config_keys();
SELECT lead_system.get_config('leads.duplicate_email_hours');
SELECT lead_system.set_config('leads.duplicate_email_hours', '48');
SELECT lead_system.get_config('leads.duplicate_email_hours');
-- Each organization has its own; without one, the defaults are shown.
SET app.current_org_id = '20000000-0000-4000-8000-000000000002';
SELECT lead_system.get_config('leads.duplicate_email_hours');
SET app.current_org_id = '';
SELECT lead_system.get_config('leads.duplicate_email_hours');
SELECT lead_system.set_config('leads.duplicate_email_hours', '48');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '20000000-0000-4000-8000-000000000001';
-- NULL goes back to the default; only overrides are rows.
SELECT organization_id, key, value FROM lead_system.system_config;
SELECT lead_system.set_config('leads.duplicate_email_hours', NULL);
SELECT lead_system.get_config('leads.duplicate_email_hours'), (SELECT count(*) FROM lead_system.system_config) AS overrides;
-- A rolled back override leaves nothing behind.
BEGIN;
SELECT lead_system.set_config('scoring.decay', 'false');
SELECT lead_system.get_config('scoring.decay');
ROLLBACK;
SELECT lead_system.get_config('scoring.decay');
-- Unknown keys
SELECT lead_system.get_config('scoring.decays');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('scoring.decays', 'true');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config(NULL, 'true');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.get_config(NULL) IS NULL AS null_for_null;
-- Values that a key cannot have, by function or by statement
SELECT lead_system.set_config('scoring.decay', '1');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('scoring.decay', '"true"');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('scoring.decay', 'null');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('leads.duplicate_email_hours', '-1');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('leads.duplicate_email_hours', '8761');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('leads.duplicate_email_hours', '1.5');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('leads.duplicate_email_hours', '[24]');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('scoring.high_opportunity_locations', '"TX"');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.set_config('lead_scoring_weights', '[]');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.system_config (organization_id, key, value) VALUES ('20000000-0000-4000-8000-000000000001', 'scoring.decay', '5');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.system_config (organization_id, key, value) VALUES ('20000000-0000-4000-8000-000000000001', 'decay', 'true');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS overrides FROM lead_system.system_config;

--
-- Access levels
--
SELECT DISTINCT level FROM lead_system.access_levels() ORDER BY 1;
-- What a level adds is what some object has as its lowest level.
SELECT object, privileges, level, maintenance FROM lead_system.access_levels()
 WHERE object IN ('leads', 'lead_audit_log', 'get_config(text)', 'set_config(text,jsonb)', 'set_config(text, jsonb)',
                  'dashboard_leads(text,text,integer,jsonb)', 'install()', 'users', 'recalculate_lead_scores(integer)')
 ORDER BY object COLLATE "C", privileges COLLATE "C";
SELECT lead_system.grant_access('regress_ls_app', 'boss');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.grant_access('regress_ls_app', 'owner');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.grant_access('regress_ls_nobody', 'agent');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.revoke_access('regress_ls_nobody');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.grant_access(NULL, 'agent');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.grant_access('regress_ls_app', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.revoke_access(NULL);
\echo :LAST_ERROR_SQLSTATE

-- An agent writes leads and reads settings, in the session's organization.
SELECT lead_system.grant_access('regress_ls_app', 'agent');
SELECT role_name, level FROM lead_system.access_grants;
INSERT INTO lead_system.leads (organization_id, email) VALUES ('20000000-0000-4000-8000-000000000002', 'theirs@example.com');
SET ROLE regress_ls_app;
INSERT INTO lead_system.leads (email) VALUES ('ours@example.com') RETURNING organization_id;
SELECT email FROM lead_system.leads;
SELECT count(*) AS organizations FROM lead_system.organizations;
SELECT lead_system.get_config('scoring.decay');
SELECT lead_system.set_config('scoring.decay', 'false');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.grant_access('regress_ls_app', 'admin');
\echo :LAST_ERROR_SQLSTATE
-- No organization, no rows.
SET app.current_org_id = '';
SELECT count(*) FROM lead_system.leads;
INSERT INTO lead_system.leads (organization_id, email) VALUES ('20000000-0000-4000-8000-000000000001', 'late@example.com');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.dashboard_leads();
\echo :LAST_ERROR_SQLSTATE
-- The wrong user is an error, not an empty answer.
SET app.current_org_id = '20000000-0000-4000-8000-000000000001';
SET app.current_user_id = '20000000-0000-4000-8000-000000000021';
SELECT count(*) FROM lead_system.leads;
\echo :LAST_ERROR_SQLSTATE
RESET app.current_user_id;
RESET ROLE;

-- Granting another level replaces the first.
SELECT lead_system.grant_access('regress_ls_app', 'readonly');
SELECT role_name, level FROM lead_system.access_grants;
SET ROLE regress_ls_app;
SELECT count(*) FROM lead_system.leads;
DELETE FROM lead_system.leads;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT lead_system.grant_access('regress_ls_app', 'admin');
SET ROLE regress_ls_app;
SELECT lead_system.set_config('scoring.decay', 'false');
SELECT lead_system.set_config('scoring.decay', NULL);
RESET ROLE;
SELECT lead_system.grant_access('regress_ls_app', 'maintenance');
SELECT lead_system.revoke_access('regress_ls_app');
SELECT count(*) FROM lead_system.access_grants;
SET ROLE regress_ls_app;
SELECT count(*) FROM lead_system.leads;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- The pure helpers need the schema only.
GRANT USAGE ON SCHEMA lead_system TO regress_ls_app;
SET ROLE regress_ls_app;
SELECT lead_system.is_valid_email('ann@example.com'), lead_system.is_e164('+12025550123'), lead_system.normalize_phone('202-555-0123');
SELECT lead_system.get_config('scoring.decay');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
REVOKE USAGE ON SCHEMA lead_system FROM regress_ls_app;

--
-- Trigger functions on a table of somebody else, with no to three arguments: they
-- work, or refuse (39P01, or a column or table that is not there), and never crash.
--
CREATE TABLE regress_ls_other (organization_id uuid, id uuid, added_by uuid, name text);
CREATE FUNCTION pg_temp.fire(function text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kind text;
    command text;
    answers text[] := '{}';
BEGIN
    FOREACH kind IN ARRAY ARRAY['BEFORE INSERT', 'BEFORE UPDATE', 'BEFORE DELETE', 'AFTER INSERT', 'AFTER UPDATE', 'AFTER DELETE'] LOOP
        FOREACH command IN ARRAY ARRAY['ROW', 'STATEMENT'] LOOP
            CONTINUE WHEN kind LIKE 'AFTER%' AND command = 'ROW';
            BEGIN
                INSERT INTO regress_ls_other VALUES ('20000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-0000000000e1');
                EXECUTE format('CREATE TRIGGER t %s ON regress_ls_other %s FOR EACH %s EXECUTE FUNCTION lead_system.%I(%s)', kind,
                    CASE kind WHEN 'AFTER INSERT' THEN 'REFERENCING NEW TABLE AS new_rows'
                              WHEN 'AFTER UPDATE' THEN 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'
                              WHEN 'AFTER DELETE' THEN 'REFERENCING OLD TABLE AS old_rows' ELSE '' END, command, function, arguments);
                EXECUTE CASE WHEN kind LIKE '%INSERT' THEN 'INSERT INTO regress_ls_other VALUES (''20000000-0000-4000-8000-000000000001'', ''20000000-0000-4000-8000-0000000000e2'')'
                             WHEN kind LIKE '%UPDATE' THEN 'UPDATE regress_ls_other SET name = ''x''' ELSE 'DELETE FROM regress_ls_other' END;
                RAISE SQLSTATE 'DONE0';
            EXCEPTION WHEN OTHERS THEN
                answers := answers || CASE SQLSTATE WHEN 'DONE0' THEN 'done' ELSE SQLSTATE END;
            END;
        END LOOP;
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT a, ' ' ORDER BY a) FROM unnest(answers) a);
END $$;
SELECT p.proname, pg_temp.fire(p.proname, '') AS none, pg_temp.fire(p.proname, '''one''') AS one, pg_temp.fire(p.proname, '''one'', ''two''') AS two,
       pg_temp.fire(p.proname, '''one'', ''two'', ''three''') AS three
  FROM pg_proc p WHERE p.pronamespace = 'lead_system'::regnamespace AND p.prorettype = 'trigger'::regtype ORDER BY p.proname COLLATE "C";
CREATE TRIGGER stamp BEFORE INSERT ON regress_ls_other FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user();
INSERT INTO regress_ls_other (name) VALUES ('x');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE regress_ls_other;

-- A wrong identifier in a session that had not loaded the library yet is as
-- good as none.
\c -
SET app.current_org_id = 'acme';
SELECT lead_system.current_org_id() IS NULL AS no_org;

DROP ROLE regress_ls_app;
DELETE FROM lead_system.organizations WHERE id::text LIKE '20000000-0000-4000-8000-%';
