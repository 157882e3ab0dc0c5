-- What somebody tries who has an agent's role in organization alpha, may write
-- any SQL, has a schema of his own, and knows how the server works.  He is not to
-- get at a row of organization bravo, nor to make the extension's code do for
-- him what he may not do himself.
--
-- He may set app.current_org_id, since that is how an application says who is
-- calling; keeping others from the SQL prompt is the application's business.
-- Hence no attack here sets it, but where switching is the point.
--
-- Runs alone: pg_prove test/pgtap/attacks.sql

BEGIN;
SELECT plan(110);
\ir lib/two_organizations.sql

CREATE SCHEMA evil AUTHORIZATION tap_agent;
GRANT pg_read_server_files TO tap_agent;
ANALYZE lead_system.leads;
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT pg_temp.digest(pg_temp.bravo()) AS bravo, pg_temp.digest(pg_temp.alpha()) AS alpha;

SET LOCAL app.current_org_id = :'alpha';
SET LOCAL ROLE tap_agent;

-- Functions in conditions.  A cheap one is called first, so if it were called
-- for rows that the policy then hides, it would have seen them.

CREATE TEMP TABLE seen (what text);
CREATE FUNCTION evil.look(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    INSERT INTO seen VALUES (what);
    RETURN true;
END
$$;
CREATE FUNCTION evil.look_equal(a text, b text) RETURNS boolean LANGUAGE sql COST 0.0000001 AS $$ SELECT evil.look(a) $$;
CREATE OPERATOR evil.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.look_equal, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE FUNCTION evil.look_step(state text, what text) RETURNS text LANGUAGE sql AS $$ SELECT evil.look(what)::text $$;
CREATE AGGREGATE evil.look_all(text) (SFUNC = evil.look_step, STYPE = text);

SELECT throws_ok($$ CREATE FUNCTION evil.leakproof(what text) RETURNS boolean LEAKPROOF LANGUAGE sql AS 'SELECT true' $$, '42501',
    'only superuser can define a leakproof function', 'a function cannot be called leakproof by who wrote it');

-- Runs a statement and says which e-mail addresses were shown to evil.look()
-- that are not alpha's, and how many that are.
CREATE FUNCTION evil.saw(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    DELETE FROM pg_temp.seen;
    EXECUTE statement;
    SELECT coalesce(string_agg(what, ', ') FILTER (WHERE what NOT LIKE '%@alpha.example'), 'nothing') INTO answer
      FROM pg_temp.seen;
    RETURN answer || ' of others, ' || (SELECT count(DISTINCT what) FROM pg_temp.seen WHERE what LIKE '%@alpha.example') || ' own';
END
$$;

SELECT is(evil.saw(a.statement), 'nothing of others, 2 own', a.what)
  FROM (VALUES
    (1, 'a cheap function in WHERE sees only own rows', 'SELECT 1 FROM lead_system.leads WHERE evil.look(email)'),
    (2, 'a cheap operator in WHERE sees only own rows', 'SELECT 1 FROM lead_system.leads WHERE email OPERATOR(evil.===) ''x'''),
    (3, 'OR does not get around the policy', 'SELECT 1 FROM lead_system.leads WHERE organization_id = pg_temp.bravo() OR evil.look(email) OR email IS NULL'),
    (4, 'CASE does not get around the policy', 'SELECT 1 FROM lead_system.leads WHERE CASE WHEN evil.look(email) THEN organization_id = pg_temp.bravo() END'),
    (5, 'nor a join with itself', 'SELECT 1 FROM lead_system.leads a JOIN lead_system.leads b ON evil.look(a.email) AND evil.look(b.email)'),
    (6, 'nor a join by an own operator', 'SELECT 1 FROM lead_system.leads a JOIN lead_system.users b ON a.email OPERATOR(evil.===) b.email'),
    (7, 'nor a lateral join', 'SELECT 1 FROM lead_system.organizations o, LATERAL (SELECT 1 FROM lead_system.leads l WHERE evil.look(l.email) OFFSET 0) x'),
    (8, 'nor a subquery', 'SELECT 1 FROM lead_system.organizations o WHERE EXISTS (SELECT 1 FROM lead_system.leads l WHERE evil.look(l.email) AND NOT evil.look(l.email))'),
    (9, 'nor a set operation', 'SELECT email FROM lead_system.leads WHERE evil.look(email) EXCEPT SELECT email FROM lead_system.leads WHERE organization_id <> pg_temp.bravo()'),
    (10, 'nor an aggregate', 'SELECT evil.look_all(email) FROM lead_system.leads'),
    (11, 'nor a window', 'SELECT evil.look_all(email) OVER (ORDER BY id) FROM lead_system.leads'),
    (12, 'nor ORDER BY', 'SELECT 1 FROM lead_system.leads ORDER BY evil.look(email)'),
    (13, 'nor GROUP BY with HAVING', 'SELECT 1 FROM lead_system.leads GROUP BY email HAVING evil.look(email)'),
    (14, 'nor a common table expression', 'WITH l AS (SELECT * FROM lead_system.leads) SELECT 1 FROM l WHERE evil.look(email)'),
    (15, 'nor a view', 'CREATE TEMP VIEW v15 AS SELECT * FROM lead_system.leads; SELECT 1 FROM v15 WHERE evil.look(email)'),
    (16, 'nor a view that claims to be a barrier', 'CREATE TEMP VIEW v16 WITH (security_barrier) AS SELECT * FROM lead_system.leads; SELECT 1 FROM v16 WHERE evil.look(email)'),
    (17, 'nor TABLESAMPLE', 'SELECT 1 FROM lead_system.leads TABLESAMPLE bernoulli (100) WHERE evil.look(email)'),
    (18, 'nor UPDATE', 'UPDATE lead_system.leads SET city = ''x'' WHERE evil.look(email)'),
    (19, 'nor UPDATE with FROM and RETURNING', 'UPDATE lead_system.leads l SET city = ''y'' FROM lead_system.leads o WHERE evil.look(o.email) AND l.id = o.id RETURNING evil.look(l.email)'),
    (20, 'nor SELECT FOR UPDATE', 'SELECT 1 FROM lead_system.leads WHERE evil.look(email) FOR UPDATE'),
    (21, 'nor MERGE', 'MERGE INTO lead_system.leads l USING (SELECT id FROM lead_system.leads) s ON l.id = s.id AND evil.look(l.email) WHEN MATCHED AND evil.look(l.email) THEN UPDATE SET city = ''z'''),
    (22, 'nor CREATE TABLE AS', 'CREATE TEMP TABLE t22 AS SELECT evil.look(email) FROM lead_system.leads')) a(position, what, statement)
 ORDER BY a.position;

-- The own rows of users are two as well, which shows that the barrier is not
-- that of leads alone.
SELECT is(evil.saw('SELECT 1 FROM lead_system.users WHERE evil.look(email)'), 'nothing of others, 2 own', 'users are kept as leads are');
SELECT is(evil.saw('SELECT 1 FROM lead_system.dnc_list WHERE evil.look(reason)'), 'alpha of others, 0 own', 'so is the do-not-call list');

-- Rows by other ways than a plain query.

SELECT results_eq('SELECT count(*)::int FROM lead_system.leads', ARRAY[4], 'four rows are there to be seen');
COPY lead_system.leads TO STDOUT \g /dev/null
SELECT is(:ROW_COUNT, 4, 'COPY TO copies only own rows');
COPY (SELECT * FROM lead_system.leads) TO STDOUT \g /dev/null
SELECT is(:ROW_COUNT, 4, 'COPY of a query, too');
SELECT throws_ok($$ COPY lead_system.leads (organization_id, email) FROM '/dev/null' $$, '0A000', NULL,
    'COPY FROM is refused by the server where row level security applies');
SELECT throws_ok($$ SET LOCAL row_security = off; SELECT 1 FROM lead_system.leads $$, '42501',
    'query would be affected by row-level security policy for table "leads"', 'row security cannot be switched off');
SET LOCAL row_security = on;
SELECT is_empty($$ SELECT tablename, attname FROM pg_catalog.pg_stats WHERE schemaname = 'lead_system'
    AND tablename NOT IN ('area_code_timezones', 'state_timezones') /* facts, the same for all */ $$,
    'the planner''s statistics, which hold values of all tenants, cannot be read');
SELECT throws_ok('SELECT 1 FROM pg_catalog.pg_statistic', '42501', NULL, 'nor can the table behind them');
SELECT results_eq($$ SELECT DISTINCT organization_id FROM lead_system.leads WHERE ctid = ANY (ARRAY(
    SELECT format('(%s,%s)', p, t)::tid FROM generate_series(0, 20) p, generate_series(1, 200) t)) $$, ARRAY[pg_temp.alpha()],
    'a row cannot be had by its place in the table');
SELECT is((xpath('count(//row)', query_to_xml('SELECT * FROM lead_system.leads', true, false, '')))[1]::text, '4', 'query_to_xml() shows only own rows');
SELECT is((xpath('count(/*/*)', table_to_xml('lead_system.leads', true, false, '')))[1]::text, '4', 'table_to_xml() shows only own rows');

-- A view or a definer's function is worth what its owner may see.
CREATE VIEW evil.all_leads AS SELECT * FROM lead_system.leads;
CREATE MATERIALIZED VIEW evil.kept AS SELECT * FROM lead_system.leads;
CREATE FUNCTION evil.definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM lead_system.leads';
SELECT results_eq('SELECT count(*) FROM evil.all_leads', ARRAY[4::bigint], 'an own view shows own rows');
SELECT results_eq('SELECT count(*) FROM evil.kept', ARRAY[4::bigint], 'an own materialized view, too');
SELECT is(evil.definer(), 4::bigint, 'a function that runs as its owner, too');

-- Prepared statements and cursors that outlive a change of organization.
PREPARE own AS SELECT count(*)::int FROM lead_system.leads WHERE notes = 'alpha';
SELECT results_eq('EXECUTE own', ARRAY[2], 'a prepared statement sees the organization''s rows');
DECLARE started NO SCROLL CURSOR FOR SELECT organization_id FROM lead_system.leads ORDER BY id;
DECLARE waiting NO SCROLL CURSOR FOR SELECT organization_id FROM lead_system.leads ORDER BY id;
FETCH 1 FROM started \g /dev/null
SET LOCAL app.current_org_id = :'bravo';
SELECT results_eq('EXECUTE own', ARRAY[0], 'after the organization was changed it sees those of the other, and none of the first');
SELECT results_eq('FETCH ALL FROM started', $$ SELECT pg_temp.alpha() FROM generate_series(1, 3) $$,
    'a cursor that was begun goes on with the organization that it was begun in');
SELECT results_eq('FETCH ALL FROM waiting', $$ SELECT pg_temp.bravo() FROM generate_series(1, 4) $$,
    'one that was not has that of its first row');
SET LOCAL app.current_org_id = '';
SELECT results_eq('EXECUTE own', ARRAY[0], 'without organization a prepared statement sees nothing');
SET LOCAL app.current_org_id = :'alpha';

-- A statement that changes the organization while it runs stays in the one it
-- was begun in.
CREATE FUNCTION evil.switch(id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN set_config('app.current_org_id', pg_temp.bravo()::text, true) IS NOT NULL;
END
$$;
SELECT results_eq('SELECT DISTINCT organization_id FROM lead_system.leads WHERE evil.switch(id)', ARRAY[pg_temp.alpha()],
    'a query keeps the organization that it was begun in');
SET LOCAL app.current_org_id = :'alpha';

-- Names.  The extension's code must find its own objects, whatever the path and
-- the temporary schema hold.
CREATE TABLE evil.organizations (id uuid, default_region text);
CREATE FUNCTION evil.current_org_id() RETURNS uuid LANGUAGE sql AS 'SELECT pg_temp.bravo()';
CREATE FUNCTION evil.clock_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2001-01-01'::timestamptz $$;
CREATE FUNCTION evil.equal(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.equal);
CREATE FUNCTION evil.coalesce(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
CREATE FUNCTION evil.concat_ws(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
CREATE FUNCTION evil.inet_client_addr() RETURNS inet LANGUAGE sql AS $$ SELECT '192.0.2.1'::inet $$;
CREATE TEMP TABLE leads (organization_id uuid, id uuid, email text, lead_id uuid);
CREATE TEMP TABLE activities AS SELECT * FROM lead_system.activities WITH NO DATA;
CREATE TEMP TABLE new_rows AS SELECT * FROM lead_system.leads WITH NO DATA;
CREATE TEMP TABLE old_rows AS SELECT * FROM lead_system.leads WITH NO DATA;
CREATE TEMP TABLE changed_rows (organization_id uuid, lead_id uuid);
INSERT INTO pg_temp.changed_rows VALUES (pg_temp.bravo(), 'b0000000-0000-4000-8000-000000000001');
INSERT INTO pg_temp.new_rows (organization_id, id, pipeline_id, status, stage, status_changed_at)
VALUES (pg_temp.bravo(), 'b0000000-0000-4000-8000-000000000001', pg_temp.bravo(), 'x', 'x', now());

SET LOCAL search_path = evil, pg_temp, pg_catalog, public;
SELECT lead_system.upsert_lead('{"email": "path@alpha.example", "phone_number": "(202) 555-0181"}') AS made \gset
SELECT count(*) AS listed, count(*) FILTER (WHERE contact_name = 'evil') AS misnamed FROM lead_system.dashboard_leads() \gset
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest) VALUES (:'alpha', :'made', 25);
SELECT lead_system.add_to_dnc_list('+12025550181', 'path') \g /dev/null
SELECT count(*) AS claimed FROM lead_system.claim_campaign_leads('a0000000-0000-4000-8000-0000000000c1') \gset
SELECT lead_system.current_org_id() AS org, count(*) AS visible FROM lead_system.leads \gset
SET LOCAL search_path = public;

SELECT is(:'org'::uuid, pg_temp.alpha(), 'an own path does not change the organization');
SELECT is(:visible, 5, 'nor what can be seen');
SELECT is(:listed, 5, 'nor what the dashboard lists');
SELECT is(:misnamed, 0, 'nor which functions its query calls');
SELECT is(:claimed, 1, 'nor what can be claimed');
SELECT is_empty('SELECT 1 FROM pg_temp.activities', 'histories are not written to a temporary table of the same name');

-- The rights of the owner, in which functions and triggers write histories, end
-- with them, also when they end with an error.
DO $$ BEGIN PERFORM lead_system.record_call_attempt(id, 'no_answer') FROM lead_system.campaign_leads WHERE status = 'queued';
    PERFORM lead_system.add_to_dnc_list('+12025550182', E'\t');
EXCEPTION WHEN OTHERS THEN NULL; END $$;
SELECT is(current_user::text, 'tap_agent', 'after an error a function''s caller is who he was');
DO $$ BEGIN UPDATE lead_system.leads SET email = 'one@alpha.example' WHERE email = 'two@alpha.example';
EXCEPTION WHEN unique_violation THEN NULL; END $$;
SELECT is(current_user::text, 'tap_agent', 'after an error in a trigger, too');
SELECT throws_ok('DELETE FROM lead_system.dnc_list', '42501', 'permission denied for table dnc_list', 'and may do what he might before');
SELECT is(current_setting('search_path'), 'public', 'the path is the caller''s again');

-- Code of his own in the extension's way.
SELECT throws_ok(a.statement, '42501', NULL, a.what)
  FROM (VALUES
    (1, 'no trigger on a table of the extension', 'CREATE TRIGGER t BEFORE INSERT ON lead_system.leads FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
    (2, 'no trigger of the extension on an own table: forget_histories() deletes with the owner''s rights',
        'CREATE TRIGGER t AFTER DELETE ON evil.organizations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_system.forget_histories(''leads'', ''id'', ''organization_id'')'),
    (3, 'nor clear_references(), which updates with them',
        'CREATE TRIGGER t BEFORE DELETE ON evil.organizations FOR EACH ROW EXECUTE FUNCTION lead_system.clear_references(''leads'', ''email'')'),
    (4, 'nor dnc_list_changed(), on a temporary table of the right name',
        'CREATE TEMP TABLE dnc_list (LIKE lead_system.dnc_list); CREATE TRIGGER t AFTER DELETE ON pg_temp.dnc_list REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lead_system.dnc_list_changed()'),
    (5, 'no call of a trigger function by hand', 'SELECT lead_system.append_only()'),
    (6, 'no policy', 'CREATE POLICY p ON lead_system.leads USING (true)'),
    (7, 'no end of row level security', 'ALTER TABLE lead_system.leads DISABLE ROW LEVEL SECURITY'),
    (8, 'no end of triggers', 'ALTER TABLE lead_system.leads DISABLE TRIGGER ALL'),
    (9, 'no replication role, which would end them, too', 'SET LOCAL session_replication_role = replica'),
    (10, 'no rule', 'CREATE RULE r AS ON INSERT TO lead_system.leads DO ALSO NOTHING'),
    (11, 'no index whose expression would run for all rows', 'CREATE INDEX i ON lead_system.leads (evil.look(email))'),
    (12, 'no column', 'ALTER TABLE lead_system.leads ADD c text DEFAULT evil.look(''x'')::text'),
    (13, 'no foreign key to a table of the extension, which would tell what it holds',
        'CREATE TABLE evil.probe (id uuid, o uuid, FOREIGN KEY (id, o) REFERENCES lead_system.leads)'),
    (14, 'no child', 'CREATE TABLE evil.child () INHERITS (lead_system.leads)'),
    (15, 'no table in the schema', 'CREATE TABLE lead_system.mine (a integer)'),
    (16, 'no function in the schema', 'CREATE FUNCTION lead_system.mine() RETURNS integer LANGUAGE sql AS ''SELECT 1'''),
    (17, 'no other body for a function', 'CREATE OR REPLACE FUNCTION lead_system.current_org_id() RETURNS uuid LANGUAGE sql AS ''SELECT pg_temp.bravo()'''),
    (18, 'no other rights of a function', 'ALTER FUNCTION lead_system.dashboard_leads(text, text, integer, jsonb) SECURITY DEFINER'),
    (19, 'no statistics on expressions', 'CREATE STATISTICS evil.s ON (evil.look(email)), city FROM lead_system.leads'),
    (20, 'no ANALYZE hook: an operator class for the tables'' types', 'CREATE OPERATOR CLASS evil.c DEFAULT FOR TYPE text USING btree AS OPERATOR 3 evil.===(text, text)'),
    (21, 'no cast', 'CREATE CAST (text AS uuid) WITH INOUT AS IMPLICIT'),
    (22, 'no publication', 'CREATE PUBLICATION p FOR TABLE lead_system.leads'),
    (23, 'no update of the extension', 'ALTER EXTENSION lead_system UPDATE'),
    (24, 'no function in C', 'CREATE FUNCTION evil.scope() RETURNS void LANGUAGE c AS ''$libdir/lead_system'', ''ls_scope_open''')) a(position, what, statement)
 ORDER BY a.position;

SET LOCAL client_min_messages = error;
GRANT SELECT ON lead_system.leads TO PUBLIC;
SET LOCAL client_min_messages = warning;
SELECT ok(NOT has_table_privilege('tap_none', 'lead_system.leads', 'SELECT'), 'rights cannot be handed on');

-- Statements that write in one go what may and what may not be written.
SELECT throws_ok(a.statement, '42501', 'new row violates row-level security policy for table "leads"', a.what)
  FROM (VALUES
    (1, 'INSERT of own and foreign rows', 'INSERT INTO lead_system.leads (organization_id, first_name) VALUES (pg_temp.alpha(), ''n''), (pg_temp.bravo(), ''n'')'),
    (2, 'INSERT that meets a foreign row', 'INSERT INTO lead_system.leads (organization_id, id) VALUES (pg_temp.bravo(), ''b0000000-0000-4000-8000-000000000001'') ON CONFLICT (id, organization_id) DO UPDATE SET notes = ''x'''),
    (3, 'INSERT that does nothing when it does', 'INSERT INTO lead_system.leads (organization_id, id) VALUES (pg_temp.bravo(), ''b0000000-0000-4000-8000-000000000001'') ON CONFLICT DO NOTHING'),
    (4, 'MERGE that inserts what it does not see', 'MERGE INTO lead_system.leads l USING (VALUES (''b0000000-0000-4000-8000-000000000001''::uuid)) s(id) ON l.id = s.id WHEN MATCHED THEN UPDATE SET notes = ''x'' WHEN NOT MATCHED THEN INSERT (organization_id, id) VALUES (pg_temp.bravo(), s.id)')) a(position, what, statement)
 ORDER BY a.position;

-- The user that the session acts for.
CREATE FUNCTION evil.as_user(id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.current_user_id', id, true);
    RETURN (SELECT count(*) FROM lead_system.leads) || ' leads';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(evil.as_user('a0000000-0000-4000-8000-0000000000a2'), '5 leads', 'a member works in the organization');
SELECT is(evil.as_user('b0000000-0000-4000-8000-0000000000a1'), '42501', 'a member of another one does not');
SELECT is(evil.as_user('f0000000-0000-4000-8000-00000000ffff'), '42501', 'nor somebody who does not exist');
SELECT is(evil.as_user('NULL'), '22023', 'nor somebody who cannot');
SELECT is(evil.as_user(''), '5 leads', 'no user at all is a service');

SET LOCAL app.current_user_id = 'b0000000-0000-4000-8000-0000000000a1';
SELECT throws_ok(a.statement, '42501', 'user "b0000000-0000-4000-8000-0000000000a1" is not an active member of organization "a0000000-0000-4000-8000-000000000000"', a.what)
  FROM (VALUES
    (1, 'a foreign user: no insert', 'INSERT INTO lead_system.leads (organization_id, first_name) VALUES (pg_temp.alpha(), ''n'')'),
    (2, 'a foreign user: no update', 'UPDATE lead_system.leads SET notes = ''x'''),
    (3, 'a foreign user: no dashboard', 'SELECT lead_system.dashboard_leads()'),
    (4, 'a foreign user: no note', 'SELECT lead_system.add_lead_note(''a0000000-0000-4000-8000-000000000001'', ''n'')'),
    (5, 'a foreign user: no score', 'SELECT lead_system.calculate_lead_score(''a0000000-0000-4000-8000-000000000001'')'),
    (6, 'a foreign user: no question to the list', 'SELECT lead_system.is_on_dnc_list(''+12025550150'', pg_temp.alpha())'),
    (7, 'a foreign user: no entry on it', 'SELECT lead_system.add_to_dnc_list(''+12025550183'', ''r'')'),
    (8, 'a foreign user: no claim', 'SELECT lead_system.claim_campaign_leads(''a0000000-0000-4000-8000-0000000000c1'')'),
    (9, 'a foreign user: no setting', 'SELECT lead_system.get_config(''import.batch_size'')')) a(position, what, statement)
 ORDER BY a.position;

-- A member who is deactivated is out at once; the answer is not remembered
-- longer than it holds.
SET LOCAL app.current_user_id = 'a0000000-0000-4000-8000-0000000000a2';
SELECT results_eq('SELECT count(*)::int FROM lead_system.leads', ARRAY[5], 'a member sees the rows');
SAVEPOINT member;
RESET ROLE;
UPDATE lead_system.users SET is_active = false WHERE id = 'a0000000-0000-4000-8000-0000000000a2';
SET LOCAL ROLE tap_agent;
SELECT throws_ok('SELECT 1 FROM lead_system.leads', '42501', NULL, 'a member who has been deactivated does not');
ROLLBACK TO member;
SELECT results_eq('SELECT count(*)::int FROM lead_system.leads', ARRAY[5], 'nor is it remembered that he was, when that was undone');
SET LOCAL app.current_tenant_id = 'a0000000-0000-4000-8000-0000000000ff';
SELECT results_eq('SELECT count(*)::int FROM lead_system.leads', ARRAY[5], 'the organization''s tenant may be named');
SET LOCAL app.current_tenant_id = 'b0000000-0000-4000-8000-0000000000ff';
SELECT throws_ok('SELECT 1 FROM lead_system.leads', '42501', NULL, 'another tenant may not');
SET LOCAL app.current_tenant_id = '';

-- In parallel workers: each loads the library anew and is told the settings.
SELECT set_config(name, 'on', true) FROM pg_catalog.pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
CREATE FUNCTION evil.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RETURN plan;
END
$$;
SELECT alike(evil.plan_of('SELECT lead_system.current_org_id()'), '%Gather%', 'a worker is asked for the organization');
SELECT lead_system.current_org_id() AS org, lead_system.current_user_id() AS app_user, lead_system.clock_now() AS clock,
       lead_system.is_on_dnc_list('+12025550150', :'alpha') AS own_number, lead_system.is_on_dnc_list('+13035550150', :'alpha') AS other_number,
       lead_system.get_config('import.batch_size') AS setting \gset
SELECT count(*) AS visible FROM lead_system.leads \gset
SELECT set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SELECT is(:'org'::uuid, pg_temp.alpha(), 'and says the session''s');
SELECT is(:'app_user'::uuid, 'a0000000-0000-4000-8000-0000000000a2', 'and the session''s user');
SELECT is(:'clock'::timestamptz, '2026-03-02 15:00:00+00', 'and goes by the session''s clock');
SELECT is(ARRAY[:'own_number', :'other_number'], ARRAY['t', 'f'], 'and knows its do-not-call list');
SELECT is(:'setting'::text, '77', 'and its settings');
SELECT is(:visible, 5, 'and sees its rows');

-- After all this.
SET LOCAL app.current_user_id = '';
RESET ROLE;
SELECT is(pg_temp.digest(pg_temp.bravo()), (SELECT bravo FROM before), 'the other organization is as it was');

SELECT * FROM finish();
ROLLBACK;
