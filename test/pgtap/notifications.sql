-- Notifications, passwords and tokens: what each access level may do and read,
-- and that secrets come out nowhere.
--
-- Runs alone: pg_prove test/pgtap/notifications.sql

BEGIN;
SELECT plan(14);
\ir lib/two_organizations.sql
CREATE SCHEMA tap_crypto;
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA tap_crypto;
\set rep 'a0000000-0000-4000-8000-0000000000a2'
\set admin 'a0000000-0000-4000-8000-0000000000a1'

SELECT set_config('app.current_org_id', :'alpha', true) \g /dev/null
SELECT lead_system.set_config('credentials.bcrypt_cost', '4') \g /dev/null
SELECT lead_system.set_password(:'rep', 'a secret of the rep') \g /dev/null
SELECT set_config('lead_system.secret_key', 'a key for the tests', true) \g /dev/null
SELECT lead_system.set_integration_token('twilio', 'alpha-access-token', 'alpha-refresh-token') \g /dev/null
SELECT set_config('app.current_org_id', '', true) \g /dev/null

-- No level reads hashes or tokens, nor writes them.
SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('SELECT password_hash FROM lead_system.user_credentials'), ('SELECT count(*) FROM lead_system.user_credentials'),
        ('SELECT user_id FROM lead_system.user_credentials WHERE password_hash LIKE ''$2%'''),
        ('SELECT c FROM lead_system.user_credentials c'),
        ('INSERT INTO lead_system.user_credentials VALUES (pg_temp.alpha(), pg_temp.nobody(), ''$2a$04$'')'),
        ('UPDATE lead_system.user_credentials SET password_hash = ''$2a$04$'''), ('DELETE FROM lead_system.user_credentials'),
        ('SELECT access_token FROM lead_system.integrations'), ('SELECT refresh_token FROM lead_system.integrations'),
        ('SELECT i FROM lead_system.integrations i'), ('SELECT * FROM lead_system.integrations'),
        ('SELECT provider FROM lead_system.integrations WHERE access_token IS NOT NULL'),
        ('INSERT INTO lead_system.integrations (organization_id, provider, access_token) VALUES (pg_temp.alpha(), ''x'', ''x'')'),
        ('UPDATE lead_system.integrations SET provider = ''x'''), ('DELETE FROM lead_system.integrations')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | permission denied for %'
$$, 'no level reads or writes hashes and tokens');

SELECT is_empty($$
    SELECT l.level, a.attname FROM levels l CROSS JOIN pg_attribute a
     WHERE (a.attrelid = 'lead_system.user_credentials'::regclass AND a.attnum > 0
            OR a.attrelid = 'lead_system.integrations'::regclass AND a.attname LIKE '%_token')
       AND (has_column_privilege(l.role_name, a.attrelid, a.attnum, 'SELECT') OR has_column_privilege(l.role_name, a.attrelid, a.attnum, 'INSERT')
            OR has_column_privilege(l.role_name, a.attrelid, a.attnum, 'UPDATE') OR has_column_privilege(l.role_name, a.attrelid, a.attnum, 'REFERENCES'))
$$, '... nor has it a privilege for any of those columns');

SELECT is_empty($$
    SELECT l.level, x.answer FROM levels l
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, $s$
        SELECT 1 FROM (SELECT lead_system.export_lead('a0000000-0000-4000-8000-000000000001')::text) x(t) WHERE t ~ '\$2a\$|access-token' $s$)) x(answer)
     WHERE x.answer <> CASE l.level WHEN 'none' THEN x.answer ELSE '0 rows' END
$$, 'what is exported of a lead has no secret in it');

SELECT set_eq($$
    SELECT l.level, s.name
      FROM levels l
     CROSS JOIN (VALUES
        ('queue', 'SELECT 1 FROM lead_system.notifications HAVING count(*) = 1'),
        ('templates', 'SELECT 1 FROM lead_system.notification_templates HAVING count(*) FILTER (WHERE organization_id IS NULL) > 1 AND count(organization_id) = 1'),
        ('render', 'SELECT lead_system.render_template(''welcome'', ''a0000000-0000-4000-8000-000000000001'')'),
        ('enqueue', 'SELECT lead_system.enqueue_notification(''{"notification_type": "email", "body": "x", "user_id": "a0000000-0000-4000-8000-0000000000a2"}'')'),
        ('verify', 'SELECT 1 WHERE lead_system.verify_password(''rep@alpha.example'', ''a secret of the rep'') = ''a0000000-0000-4000-8000-0000000000a2'''),
        ('template', 'INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (pg_temp.alpha(), ''mine'', ''x'')'),
        ('claim', 'SELECT lead_system.claim_notifications()'),
        ('integrations', 'SELECT 1 FROM lead_system.integrations HAVING count(provider) = 2'),
        ('token', 'SELECT 1 FROM lead_system.get_integration_token(''twilio'') WHERE access_token = ''alpha-access-token''')) s(name, statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer = '1 rows'
$$, $$
    SELECT l.level, s.name
      FROM (VALUES ('queue', 1), ('templates', 1), ('render', 1), ('enqueue', 2), ('verify', 2), ('template', 3), ('claim', 4), ('integrations', 4), ('token', 4)) s(name, lowest)
      JOIN levels l ON l.position BETWEEN s.lowest AND 4
    UNION ALL VALUES ('maintenance', 'queue'), ('maintenance', 'templates'), ('maintenance', 'render'), ('maintenance', 'claim')
$$, 'who may look, queue, send and use tokens');

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('INSERT INTO lead_system.notifications (organization_id, user_id, notification_type, body) VALUES (pg_temp.alpha(), ''a0000000-0000-4000-8000-0000000000a2'', ''email'', ''x'')'),
        ('UPDATE lead_system.notifications SET status = ''sent'''), ('DELETE FROM lead_system.notifications')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | permission denied for %'
$$, 'no level writes the queue');

-- Built-in templates, and those of others.
SELECT is(pg_temp.try_as('tap_admin', :'alpha', $$ UPDATE lead_system.notification_templates SET body = 'x' $$), '1 rows', 'an admin changes the own template only');
SELECT alike(pg_temp.try_as('tap_admin', :'alpha', $$ INSERT INTO lead_system.notification_templates (name, body) VALUES ('built_in', 'x') $$), '42501 | %', 'nobody makes a built-in one');
SELECT alike(pg_temp.try_as('tap_admin', :'alpha', $$ INSERT INTO lead_system.notification_templates (organization_id, name, body) VALUES (pg_temp.bravo(), 'x', '{{bad}}') $$),
    '42501 | %', 'one for another organization is refused before it is looked at');
SELECT alike(pg_temp.try_as('tap_admin', :'alpha', $$ SELECT lead_system.render_template('bravo_template') $$), 'P0002 | %', 'the template of another organization is not there');
SELECT is(pg_temp.without_ids(pg_temp.try_as('tap_admin', :'alpha', format('SELECT lead_system.complete_notification(%L)', n.id))),
          pg_temp.without_ids(pg_temp.try_as('tap_admin', :'alpha', format('SELECT lead_system.complete_notification(%L)', pg_temp.nobody()))),
          'a notification of another organization is like one that is not there')
  FROM lead_system.notifications n WHERE n.organization_id = :'bravo';

-- Another organization has neither the passwords nor the tokens.
SELECT is(pg_temp.try_as('tap_admin', :'bravo', $$ SELECT 1 WHERE lead_system.verify_password('rep@alpha.example', 'a secret of the rep') IS NOT NULL $$), '0 rows',
    'a password counts in its organization');
SELECT alike(pg_temp.try_as('tap_admin', :'bravo', $$ SELECT lead_system.get_integration_token('twilio') $$), 'P0002 | %', 'so does a token');

-- A contractor sees what is for the contractor, and queues nothing.
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES (:'alpha', 'a0000000-0000-4000-8000-0000000000d9', 'outsider', 'out@alpha.example', 'contractor');
SELECT is(pg_temp.try_as('tap_agent', :'alpha', $$ SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000d9', true) $$,
    $$ SELECT pg_temp.text_as('tap_agent', pg_temp.alpha()::text, 'SELECT count(*) FROM lead_system.notifications') $$), '1 rows -> (0)', 'a contractor does not see what others are told');
SELECT alike(pg_temp.try_as('tap_agent', :'alpha', $$ SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000d9', true);
    SELECT lead_system.enqueue_notification('{"notification_type": "email", "body": "x", "user_id": "a0000000-0000-4000-8000-0000000000a2"}') $$),
    '42501 | contractors cannot queue notifications%', 'nor queues anything');

SELECT * FROM finish();
ROLLBACK;
