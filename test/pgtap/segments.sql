-- Segments and the lists that follow them: who sees, counts, changes and uses
-- which, by level and by the session's user.
--
-- Runs alone: pg_prove test/pgtap/segments.sql

BEGIN;
SELECT plan(33);
\ir lib/two_organizations.sql
SET LOCAL app.current_org_id = :'alpha';
-- Two agents and a manager of alpha; each of the agents has a private segment and a public one.
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-0000000000a3', 'alpha rep two', 'rep2@alpha.example', 'rep'),
    (:'alpha', 'a0000000-0000-4000-8000-0000000000a4', 'alpha manager', 'manager@alpha.example', 'manager');
DELETE FROM lead_system.segments WHERE organization_id = :'alpha';
SET LOCAL app.current_user_id = 'a0000000-0000-4000-8000-0000000000a2';
INSERT INTO lead_system.segments (organization_id, id, name, filter, is_public) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-0000000000d1', 'one private', '{"first_name": {"exists": true}}', false),
    (:'alpha', 'a0000000-0000-4000-8000-0000000000d2', 'one public', '{"industry": "Software/SaaS"}', true);
SET LOCAL app.current_user_id = 'a0000000-0000-4000-8000-0000000000a3';
INSERT INTO lead_system.segments (organization_id, id, name, filter, is_public) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-0000000000d3', 'two private', '{"first_name": {"is_null": true}}', false);
SET LOCAL app.current_user_id = '';
INSERT INTO lead_system.segments (organization_id, id, name, filter, is_public) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-0000000000d4', 'nobody''s private', '{}', false);

-- As a role and a user of alpha.
CREATE FUNCTION pg_temp.ask(role_name name, digit text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('app.current_user_id', CASE WHEN digit <> '' THEN 'a0000000-0000-4000-8000-0000000000' || digit ELSE '' END, true);
    answer := pg_temp.text_as(role_name, pg_temp.alpha()::text, query);
    PERFORM set_config('app.current_user_id', '', true);
    RETURN answer;
END $$;
CREATE FUNCTION pg_temp.try_user(role_name name, digit text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('app.current_user_id', CASE WHEN digit <> '' THEN 'a0000000-0000-4000-8000-0000000000' || digit ELSE '' END, true);
    answer := split_part(pg_temp.try_as(role_name, pg_temp.alpha()::text, statement), ' | ', 1);
    PERFORM set_config('app.current_user_id', '', true);
    RETURN answer;
END $$;
\set names 'SELECT name FROM lead_system.segments'

-- Reading.
SELECT is(pg_temp.ask('tap_agent', 'a2', :'names'), E'("one private")\n("one public")', 'an agent sees the own ones and public ones');
SELECT is(pg_temp.ask('tap_agent', 'a3', :'names'), E'("one public")\n("two private")', 'so does another agent');
SELECT is(pg_temp.ask('tap_agent', '', :'names'), E'("nobody''s private")\n("one public")', 'an agent''s session without user sees what is nobody''s');
SELECT is(pg_temp.ask('tap_readonly', 'a2', :'names'), E'("one private")\n("one public")', 'readonly, the same as the agent');
SELECT is(pg_temp.ask('tap_manager', 'a4', :'names'), E'("nobody''s private")\n("one private")\n("one public")\n("two private")', 'a manager sees all');
SELECT is(pg_temp.ask('tap_manager', '', :'names'), E'("nobody''s private")\n("one private")\n("one public")\n("two private")', 'so does a manager''s session without user');
SELECT is(pg_temp.ask('tap_manager', 'a2', :'names'), E'("one private")\n("one public")', 'a manager''s role with an agent''s user sees what that agent sees');
SELECT is(pg_temp.ask('tap_agent', 'a4', :'names'), '("one public")', 'an agent''s role with a manager''s user is no manager');
SELECT is(pg_temp.ask('tap_agent', 'a2', 'SELECT lead_system.sees_all_segments()') || pg_temp.ask('tap_manager', 'a4', 'SELECT lead_system.sees_all_segments()'),
    '(f)(t)', 'sees_all_segments() says so');
SELECT is(pg_temp.text_as('tap_manager', :'bravo', :'names'), '("bravo segment")', 'of another organization nothing');

-- Functions that take a segment: what is not seen does not exist.
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ SELECT * FROM lead_system.segment_leads('a0000000-0000-4000-8000-0000000000d1') $$), '4 rows', 'segment_leads: the own one');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ SELECT * FROM lead_system.segment_leads('a0000000-0000-4000-8000-0000000000d3') $$), 'P0002', 'segment_leads: a private one of another');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ SELECT * FROM lead_system.segment_leads('a0000000-0000-4000-8000-00000000dddd') $$), 'P0002', 'segment_leads: none');
SELECT is(pg_temp.try_user('tap_manager', 'a4', $$ SELECT * FROM lead_system.segment_leads('a0000000-0000-4000-8000-0000000000d1') $$), '4 rows', 'segment_leads: a manager, any');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ SELECT lead_system.refresh_segment_count('a0000000-0000-4000-8000-0000000000d3') $$), 'P0002', 'refresh_segment_count: a private one of another');
SELECT is(pg_temp.try_user('tap_readonly', 'a2', $$ SELECT lead_system.refresh_segment_count('a0000000-0000-4000-8000-0000000000d1') $$), '42501', 'refresh_segment_count: not for readonly');

-- Writing.
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ UPDATE lead_system.segments SET filter = '{}' $$), '2 rows', 'an agent changes the own ones');
SELECT is(pg_temp.try_user('tap_agent', 'a3', $$ UPDATE lead_system.segments SET filter = '{}' WHERE name = 'one public' $$), '0 rows', 'not a public one of another');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ DELETE FROM lead_system.segments $$), '2 rows', 'an agent deletes the own ones');
SELECT is(pg_temp.try_user('tap_manager', 'a4', $$ UPDATE lead_system.segments SET is_public = true $$), '4 rows', 'a manager changes all');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ UPDATE lead_system.segments SET user_id = 'a0000000-0000-4000-8000-0000000000a3' $$), '42501', 'nobody gives a segment away');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ INSERT INTO lead_system.segments (organization_id, name, filter, user_id)
    VALUES (lead_system.current_org_id(), 'x', '{}', 'a0000000-0000-4000-8000-0000000000a3') RETURNING 1 / (user_id = 'a0000000-0000-4000-8000-0000000000a2')::integer $$), '1 rows', 'what a user makes is the user''s, whatever is written');
SELECT is(pg_temp.try_user('tap_readonly', 'a2', $$ INSERT INTO lead_system.segments (organization_id, name, filter) VALUES (lead_system.current_org_id(), 'x', '{}') $$),
    '42501', 'readonly makes none');

-- Lists: only of a segment that is seen; then everybody has the leads, but not the filter.
SELECT is(pg_temp.try_user('tap_manager', u, format($$ INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id)
        VALUES (lead_system.current_org_id(), 'x', %L, %L) $$, t, 'a0000000-0000-4000-8000-00000000' || d)), expected, format('%s makes a %s list of %s', u, t, d))
  FROM (VALUES ('a4', 'dynamic', '00d1', '1 rows'), ('a2', 'smart', '00d1', '1 rows'), ('a3', 'dynamic', '00d1', 'P0002'), ('a3', 'smart', '00d1', 'P0002'),
               ('a3', 'smart', '00d2', '1 rows'), ('a3', 'dynamic', 'dddd', 'P0002')) c(u, t, d, expected);
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id)
    VALUES (lead_system.current_org_id(), 'x', 'smart', 'a0000000-0000-4000-8000-0000000000d1') $$), '42501', 'an agent makes no lists');
INSERT INTO lead_system.lead_lists (organization_id, id, name, list_type, segment_id) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-0000000000f1', 'dynamic', 'dynamic', 'a0000000-0000-4000-8000-0000000000d1'),
    (:'alpha', 'a0000000-0000-4000-8000-0000000000f2', 'smart', 'smart', 'a0000000-0000-4000-8000-0000000000d1');
SELECT is(pg_temp.ask('tap_readonly', 'a3', $$ SELECT (SELECT count(*) FROM lead_system.lead_list_leads('a0000000-0000-4000-8000-0000000000f1')) AS d,
        (SELECT count(*) FROM lead_system.lead_list_leads('a0000000-0000-4000-8000-0000000000f2')) AS s,
        (SELECT count(*) FROM lead_system.lead_list_members WHERE lead_list_id = 'a0000000-0000-4000-8000-0000000000f2') AS m,
        (SELECT count(*) FROM lead_system.segments WHERE id = 'a0000000-0000-4000-8000-0000000000d1') AS seen $$), '(4,4,4,0)', 'lists are open to everybody, their segment is not');
SELECT is(pg_temp.try_as('tap_readonly', :'bravo', $$ SELECT lead_system.lead_list_leads('a0000000-0000-4000-8000-0000000000f1') $$) LIKE 'P0002%', true, 'but not to another organization');
SELECT is(pg_temp.try_user('tap_agent', 'a2', $$ SELECT lead_system.refresh_lead_list('a0000000-0000-4000-8000-0000000000f2') $$) || pg_temp.try_user('tap_manager', 'a4', $$ SELECT lead_system.refresh_lead_list('a0000000-0000-4000-8000-0000000000f2') $$),
    '425011 rows', 'a manager brings a list in line, an agent does not');
SELECT * FROM finish();
ROLLBACK;
