-- Nurture, rule by rule: every step from state to state of an enrolment, what is
-- refused in each, and who may do what. The life of a sequence as a whole is in
-- sql/nurture.sql.
--
-- Runs alone: pg_prove test/pgtap/nurture.sql

BEGIN;
SELECT plan(21);
\ir lib/two_organizations.sql
SET LOCAL timezone = 'UTC';
SET LOCAL app.current_org_id = :'alpha';
DELETE FROM lead_system.nurture_sequences WHERE organization_id = :'alpha';
INSERT INTO lead_system.nurture_sequences (organization_id, id, name, steps) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-0000000000e2', 'tap', '[{"step": 1, "channel": "task"}, {"step": 2, "channel": "task", "delay_hours": 1}]');
INSERT INTO lead_system.leads (organization_id, id, first_name) VALUES (:'alpha', 'a0000000-0000-4000-8000-0000000000e3', 'tap');

-- Bring a lead into a state, do something, and say what became of it; undo it all.
CREATE FUNCTION pg_temp.try(state text, act text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    e uuid;
    answer text;
BEGIN
    BEGIN
        e := lead_system.enroll_lead('a0000000-0000-4000-8000-0000000000e2', 'a0000000-0000-4000-8000-0000000000e3');
        IF state IN ('claimed', 'uncertain', 'completed', 'failed', 'paused claimed', 'cancelled claimed', 'paused uncertain') THEN
            PERFORM lead_system.claim_due_steps();
        END IF;
        CASE state
        WHEN 'uncertain', 'paused uncertain' THEN
            PERFORM set_config('lead_system.now', '2026-03-02 15:05:00+00', true), lead_system.release_lapsed_steps();
        WHEN 'completed' THEN
            PERFORM lead_system.complete_step(e, 1);
            PERFORM set_config('lead_system.now', '2026-03-02 16:00:00+00', true);
            PERFORM lead_system.claim_due_steps();
            PERFORM lead_system.complete_step(e, 2);
        WHEN 'failed' THEN
            PERFORM lead_system.set_config('nurture.max_retries', '0');
            PERFORM lead_system.fail_step(e, 1, 'x');
        ELSE NULL;
        END CASE;
        IF state LIKE 'paused%' THEN
            PERFORM lead_system.pause_enrollment(e);
        ELSIF state LIKE 'cancelled%' THEN
            PERFORM lead_system.cancel_enrollment(e);
        END IF;
        BEGIN
            EXECUTE CASE WHEN act LIKE '%$1%' THEN act ELSE format('SELECT lead_system.%s_enrollment($1)', act) END USING e;
            SELECT concat_ws(' ', n.status, n.step_state, n.current_step) INTO answer FROM lead_system.lead_sequence_enrollments n WHERE n.id = e;
        EXCEPTION WHEN OTHERS THEN
            answer := SQLSTATE;
        END;
        RAISE EXCEPTION SQLSTATE 'UNDO0' USING MESSAGE = 'undo';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
        RETURN answer;
    END;
END
$$;
-- What each act comes to in each state: pause, resume, cancel, complete 1, complete 2, fail 1, confirm 1, retry 1.
CREATE FUNCTION pg_temp.acts(state text) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(pg_temp.try(state, act) ORDER BY n) FROM unnest(ARRAY['pause', 'resume', 'cancel', 'SELECT lead_system.complete_step($1, 1)',
        'SELECT lead_system.complete_step($1, 2)', 'SELECT lead_system.fail_step($1, 1, ''x'')', 'SELECT lead_system.confirm_step($1, 1)', 'SELECT lead_system.retry_step($1, 1)'])
        WITH ORDINALITY u(act, n) $$;
SELECT is(pg_temp.acts('active'), ARRAY['paused scheduled 1', 'active scheduled 1', 'cancelled scheduled 1', '55000', '55000', '55000', '55000', '55000'], 'active');
SELECT is(pg_temp.acts('claimed'), ARRAY['paused claimed 1', 'active claimed 1', 'cancelled claimed 1', 'active scheduled 2', '55000', 'active scheduled 1', '55000', '55000'], 'claimed');
SELECT is(pg_temp.acts('uncertain'), ARRAY['paused uncertain 1', 'active uncertain 1', 'cancelled uncertain 1', '55000', '55000', '55000', 'active scheduled 2', 'active scheduled 1'], 'uncertain');
SELECT is(pg_temp.acts('paused'), ARRAY['paused scheduled 1', 'active scheduled 1', 'cancelled scheduled 1', '55000', '55000', '55000', '55000', '55000'], 'paused');
SELECT is(pg_temp.acts('paused claimed'), ARRAY['paused claimed 1', 'active claimed 1', 'cancelled claimed 1', 'paused scheduled 2', '55000', 'paused scheduled 1', '55000', '55000'], 'paused while a worker has the step');
SELECT is(pg_temp.acts('paused uncertain'), ARRAY['paused uncertain 1', 'active uncertain 1', 'cancelled uncertain 1', '55000', '55000', '55000', 'paused scheduled 2', 'paused scheduled 1'], 'paused and uncertain');
SELECT is(pg_temp.acts('cancelled'), ARRAY['55000', '55000', 'cancelled scheduled 1', '55000', '55000', '55000', '55000', '55000'], 'cancelled');
SELECT is(pg_temp.acts('cancelled claimed'), ARRAY['55000', '55000', 'cancelled claimed 1', 'cancelled scheduled 2', '55000', 'cancelled scheduled 1', '55000', '55000'], 'cancelled while a worker has the step');
SELECT is(pg_temp.acts('completed'), ARRAY['55000', '55000', '55000', 'completed scheduled 3', 'completed scheduled 3', '55000', 'completed scheduled 3', '55000'], 'completed');
SELECT is(pg_temp.acts('failed'), ARRAY['55000', '55000', '55000', '55000', '55000', '55000', '55000', '55000'], 'failed');

-- What a change of the lead comes to.
CREATE FUNCTION pg_temp.change(state text, assignment text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try(state, 'UPDATE lead_system.leads SET ' || assignment || ' WHERE id = ''a0000000-0000-4000-8000-0000000000e3'' AND $1 IS NOT NULL') $$;
SELECT is(pg_temp.change(state, 'do_not_call = true'), 'cancelled scheduled 1', 'do_not_call ends an enrolment that is ' || state) FROM unnest(ARRAY['active', 'paused']) state;
SELECT is(pg_temp.change('active', 'status = ''Disqualified'''), 'cancelled scheduled 1', 'a closed stage ends it');
SELECT is(pg_temp.change('active', 'deleted_at = lead_system.clock_now()'), 'cancelled scheduled 1', 'deletion ends it');
SELECT is(pg_temp.change('active', 'email_reply_count = 1'), 'paused scheduled 1', 'a reply pauses it');
SELECT is(pg_temp.change('claimed', 'sms_reply_count = 1'), 'paused claimed 1', 'also while a worker has the step');
SELECT is(pg_temp.change('active', 'email_open_count = 1'), 'active scheduled 1', 'what is no reply does not');
SELECT is(pg_temp.try('active', 'DELETE FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-0000000000e3'' AND $1 IS NOT NULL'), NULL, 'an enrolment goes with its lead');
SET LOCAL app.current_org_id = '';

-- Nobody writes what happened; managers make sequences, but not their counts.
SELECT is_empty($$
    SELECT l.level, s.statement, x.answer FROM levels l
     CROSS JOIN (VALUES ('UPDATE lead_system.lead_sequence_enrollments SET status = ''completed'''), ('DELETE FROM lead_system.lead_sequence_enrollments'),
        ('UPDATE lead_system.nurture_daily_counts SET step_count = 0'), ('UPDATE lead_system.nurture_sequences SET total_enrollments = 7')) s(statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, pg_temp.alpha()::text, s.statement)) x(answer)
     WHERE x.answer NOT LIKE '42501 | permission denied for %'
$$, 'no level writes enrolments or counts');
SELECT is((SELECT array_agg(l.level ORDER BY l.position) FROM levels l
    WHERE pg_temp.try_as(l.role_name, pg_temp.alpha()::text, 'SELECT * FROM lead_system.claim_due_steps()') NOT LIKE '42501%'), ARRAY['agent', 'manager', 'admin'], 'who may claim steps');
SELECT is((SELECT array_agg(DISTINCT left(pg_temp.try_as(l.role_name, pg_temp.alpha()::text, format('SELECT lead_system.%s', f)), 5)) FROM levels l,
    unnest(ARRAY['pause_enrollment(%L)', 'complete_step(%L, 1)', 'fail_step(%L, 1, ''x'')', 'confirm_step(%L, 1)', 'cancel_enrollment(%L)']) t,
    LATERAL (SELECT format(t, (SELECT id FROM lead_system.lead_sequence_enrollments WHERE organization_id = pg_temp.bravo()))) u(f)
    WHERE l.level = 'admin'), ARRAY['P0002'], 'enrolments of others do not exist');
SELECT * FROM finish();
ROLLBACK;
