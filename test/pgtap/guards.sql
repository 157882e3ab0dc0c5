-- Attempts, refusals and suppressions: what each access level may do, and that
-- nothing is recorded of whom must not be contacted, whichever way it is written.
--
-- Runs alone: pg_prove test/pgtap/guards.sql

BEGIN;
SELECT plan(11);
\ir lib/two_organizations.sql

-- What happens with these is a record: functions and triggers write it.
SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('INSERT INTO lead_system.call_logs (organization_id, direction, status) VALUES (pg_temp.alpha(), ''inbound'', ''answered'')'),
        ('INSERT INTO lead_system.sms_logs (organization_id, direction, from_phone, message_text) VALUES (pg_temp.alpha(), ''inbound'', ''+12025550111'', ''x'')'),
        ('INSERT INTO lead_system.contact_attempts (organization_id, channel, allowed) VALUES (pg_temp.alpha(), ''call'', true)'),
        ('INSERT INTO lead_system.campaign_suppressions (organization_id, campaign_id, phone_number, reason) VALUES (pg_temp.alpha(), ''a0000000-0000-4000-8000-0000000000c1'', ''+12025550111'', ''x'')'),
        ('UPDATE lead_system.contact_attempts SET allowed = true'),
        ('DELETE FROM lead_system.contact_attempts'),
        ('TRUNCATE lead_system.contact_attempts'),
        ('UPDATE lead_system.call_logs SET direction = ''inbound'''),
        ('DELETE FROM lead_system.campaign_suppressions')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | permission denied for %'
$$, 'no level writes calls, messages, attempts or suppressions');

SELECT set_eq($$
    SELECT l.level, s.name
      FROM levels l
     CROSS JOIN (VALUES
        ('attempts', 'SELECT 1 FROM lead_system.contact_attempts HAVING count(*) > 0'),
        ('report', 'SELECT lead_system.compliance_report(''2026-01-01'', ''2027-01-01'')'),
        ('authorize', 'SELECT lead_system.authorize_contact(''a0000000-0000-4000-8000-000000000001'')'),
        ('suppress', 'SELECT lead_system.suppress_in_campaign(''a0000000-0000-4000-8000-0000000000c1'', ''+12025550171'', ''x'')'),
        ('unsuppress', 'SELECT 1 WHERE lead_system.unsuppress_in_campaign(''a0000000-0000-4000-8000-0000000000c1'', ''+12025550170'', ''x'')')) s(name, statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer = '1 rows'
$$, $$
    SELECT l.level, s.name FROM (VALUES ('attempts', 1), ('report', 1), ('authorize', 2), ('suppress', 3), ('unsuppress', 4)) s(name, lowest)
      JOIN levels l ON l.position BETWEEN s.lowest AND 4
    UNION ALL VALUES ('maintenance', 'attempts'), ('maintenance', 'report')
$$, 'who may look, ask, suppress and unsuppress');

SELECT is_empty($$
    SELECT l.level, s.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('SELECT lead_system.authorize_contact(''a0000000-0000-4000-8000-000000000001'')'),
        ('SELECT lead_system.suppress_in_campaign(''a0000000-0000-4000-8000-0000000000c1'', ''+12025550171'', ''x'')'),
        ('SELECT lead_system.compliance_report(''2026-01-01'', ''2027-01-01'')')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, '', s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | %'
$$, 'nobody does any of it without an organization');

SELECT is(pg_temp.try_as('tap_agent', :'alpha', 'SELECT lead_system.authorize_contact(''a0000000-0000-4000-8000-000000000001'')',
        'SELECT allowed || '' '' || detail FROM lead_system.contact_attempts WHERE lead_id = ''a0000000-0000-4000-8000-000000000001'' ORDER BY id DESC LIMIT 1'),
    '1 rows -> true authorized', 'an agent who asks leaves an attempt');

-- The owner's own statements.
CREATE TEMP TABLE ways (what text, statement text) ON COMMIT DROP;
INSERT INTO ways VALUES
    ('a call', 'INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (pg_temp.alpha(), ''outbound'', ''answered'', %L)'),
    ('a call of a campaign', 'INSERT INTO lead_system.call_logs (organization_id, campaign_id, direction, status, called_phone) VALUES (pg_temp.alpha(), ''a0000000-0000-4000-8000-0000000000c1'', ''outbound'', ''answered'', %L)'),
    ('a call that gets another number', 'UPDATE lead_system.call_logs SET called_phone = %L WHERE organization_id = pg_temp.alpha()'),
    ('a message', 'INSERT INTO lead_system.sms_logs (organization_id, direction, to_phone, message_text) VALUES (pg_temp.alpha(), ''outbound'', %L, ''x'')'),
    ('a message that gets another addressee', 'UPDATE lead_system.sms_logs SET to_phone = %L WHERE organization_id = pg_temp.alpha()');

SELECT is_empty($$
    SELECT w.what, s.spelling, x.answer
      FROM ways w CROSS JOIN unnest(ARRAY['+12025550150', '2025550150', '(202) 555-0150', '1-202-555-0150', '+1 202 555 0150', '202.555.0150']) s(spelling)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as('postgres', '', format(w.statement, s.spelling))) x(answer)
     WHERE x.answer NOT LIKE 'LS001 | %Rule "dnc_list"%'
$$, 'a listed number is refused in every spelling');

SELECT is_empty($$
    SELECT w.what, x.answer
      FROM ways w CROSS JOIN LATERAL (SELECT pg_temp.try_as('postgres', '', format(w.statement, '+12025550188'))) x(answer)
     WHERE x.answer NOT LIKE '% rows'
$$, 'another number is not');

SELECT is_empty($$
    SELECT s.statement, x.answer
      FROM (VALUES
        ('INSERT INTO lead_system.call_logs (organization_id, campaign_id, direction, status, called_phone) VALUES (pg_temp.alpha(), ''a0000000-0000-4000-8000-0000000000c1'', ''outbound'', ''answered'', ''+12025550170'')'),
        ('INSERT INTO lead_system.sms_logs (organization_id, campaign_id, direction, to_phone, message_text) VALUES (pg_temp.alpha(), ''a0000000-0000-4000-8000-0000000000c1'', ''outbound'', ''202-555-0170'', ''x'')')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as('postgres', '', s.statement)) x(answer)
     WHERE x.answer NOT LIKE 'LS001 | %Rule "campaign_suppression"%'
$$, 'a suppressed number is refused to its campaign');

SELECT is(pg_temp.try_as('postgres', '', 'INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (pg_temp.alpha(), ''outbound'', ''answered'', ''+12025550170'')'),
    '1 rows', '... and to no other');
SELECT is(pg_temp.try_as('postgres', '', 'INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES (pg_temp.bravo(), ''outbound'', ''answered'', ''+12025550150'')'),
    '1 rows', 'another organization''s list does not count');
SELECT is(pg_temp.try_as('postgres', '', 'INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone, created_at) VALUES (pg_temp.alpha(), ''outbound'', ''answered'', ''+12025550150'', ''2026-03-02 14:59:59+00'')',
        'SELECT count(*)::text FROM lead_system.contact_attempts WHERE organization_id = pg_temp.alpha() AND phone_number = ''+12025550150'' AND allowed AND created_at = ''2026-03-02 14:59:59+00'''),
    '1 rows -> 1', 'a call that had begun before is recorded, as an attempt of that time');

-- The guard is what refuses: without it the same statement passes.
ALTER TABLE lead_system.call_logs DISABLE TRIGGER call_logs_guard;
SELECT is(pg_temp.try_as('postgres', '', format((SELECT statement FROM ways WHERE what = 'a call'), '+12025550150')), '1 rows', 'without the trigger nothing is refused');

SELECT * FROM finish();
ROLLBACK;
