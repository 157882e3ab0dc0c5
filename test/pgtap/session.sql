-- Settings in sessions that have not loaded the library yet: until then the
-- server takes any value for a name with a dot, whoever sets it.  What becomes
-- of the values when the library comes in must not weaken a rule.
--
-- Each part runs in a new session; what it saw is kept in variables of psql
-- and judged at the end.  pg_read_all_data is a role that every server has, that
-- may name everything, and that row level security applies to.
--
-- Runs alone: pg_prove test/pgtap/session.sql

\set QUIET on
SET client_min_messages = error;

-- A clock set by somebody who is not a superuser.
SET ROLE pg_read_all_data;
SET lead_system.now = '2001-01-01 00:00:00+00';
SELECT current_setting('lead_system.now') AS clock_before \gset
SELECT lead_system.clock_now() = now() AS clock_is_real, current_setting('lead_system.now') AS clock_after \gset
DO $$ BEGIN SET lead_system.now = '2001-01-01 00:00:00+00'; EXCEPTION WHEN OTHERS THEN PERFORM set_config('tap.state', SQLSTATE, false); END $$;
SELECT current_setting('tap.state') AS clock_set_again \gset
DO $$ BEGIN SET lead_system.later = 'x'; EXCEPTION WHEN OTHERS THEN PERFORM set_config('tap.state', SQLSTATE, false); END $$;
SELECT current_setting('tap.state') AS reserved_state \gset

-- The same in a transaction that is rolled back to before the library came in.
\connect
SET client_min_messages = error;
SET ROLE pg_read_all_data;
BEGIN;
SAVEPOINT before;
SET LOCAL lead_system.now = '2001-01-01 00:00:00+00';
SELECT lead_system.clock_now() = now() AS clock_is_real_in_transaction \gset
ROLLBACK TO before;
SELECT lead_system.clock_now() = now() AS clock_is_real_after_rollback \gset
COMMIT;

-- A clock set by a superuser, who may.
\connect
SET client_min_messages = error;
SET lead_system.now = '2001-01-01 00:00:00+00';
SELECT lead_system.clock_now() = '2001-01-01 00:00:00+00' AS superusers_clock_holds \gset
SET ROLE pg_read_all_data;
SELECT lead_system.clock_now() = '2001-01-01 00:00:00+00' AS superusers_clock_holds_for_others \gset

-- A clock that is no time, set by a superuser.
\connect
SET client_min_messages = error;
SET lead_system.now = 'never';
SELECT lead_system.clock_now() = now() AS bad_clock_is_real \gset

-- An organization that is none.
\connect
SET client_min_messages = error;
SET ROLE pg_read_all_data;
SET app.current_org_id = 'everything';
SELECT coalesce(lead_system.current_org_id()::text, 'none') AS bad_org \gset

-- An organization that could be one.
\connect
SET client_min_messages = error;
SET ROLE pg_read_all_data;
SET app.current_org_id = 'a0000000-0000-4000-8000-000000000000';
SELECT lead_system.current_org_id() AS good_org \gset

-- SET LOCAL before the library is loaded ends with its transaction.
\connect
SET client_min_messages = error;
SET ROLE pg_read_all_data;
BEGIN;
SET LOCAL app.current_org_id = 'a0000000-0000-4000-8000-000000000000';
SELECT lead_system.current_org_id() AS local_org \gset
COMMIT;
SELECT coalesce(lead_system.current_org_id()::text, 'none') AS org_after_local \gset

-- A user that belongs nowhere, set before: the session must not read as one
-- that has no user.
\connect
SET client_min_messages = error;
SET ROLE pg_read_all_data;
SET app.current_org_id = 'a0000000-0000-4000-8000-000000000000';
SET app.current_user_id = 'a0000000-0000-4000-8000-0000000000a1';
DO $$ BEGIN PERFORM lead_system.current_org_id(); EXCEPTION WHEN OTHERS THEN PERFORM set_config('tap.state', SQLSTATE, false); END $$;
SELECT current_setting('tap.state') AS stranger_state \gset

-- A setting that a role carries from its login is one that was set before.
\connect
SET client_min_messages = error;
SET ROLE pg_read_all_data;
SET app.client_ip = 'elsewhere';
SELECT lead_system.current_org_id() IS NULL AS bad_ip_is_harmless, current_setting('app.client_ip') AS bad_ip \gset

\connect
BEGIN;
SELECT plan(16);

SELECT is(:'clock_before'::text, '2001-01-01 00:00:00+00', 'before the library is loaded, the server takes any value');
SELECT ok(:'clock_is_real'::boolean, 'a clock set by an ordinary role before the library is loaded does not count');
SELECT is(:'clock_after'::text, '', 'and is gone');
SELECT is(:'clock_set_again'::text, '42501', 'afterwards it is refused');
SELECT is(:'reserved_state'::text, '42602', 'other names with the prefix lead_system are refused');
SELECT ok(:'clock_is_real_in_transaction'::boolean, 'a clock set by SET LOCAL before the library is loaded does not count');
SELECT ok(:'clock_is_real_after_rollback'::boolean, 'nor does it come back with a rollback');
SELECT ok(:'superusers_clock_holds'::boolean, 'a clock set by a superuser before the library is loaded counts');
SELECT ok(:'superusers_clock_holds_for_others'::boolean, 'and stays when the session becomes another role');
SELECT ok(:'bad_clock_is_real'::boolean, 'a clock that is no time does not count');
SELECT is(:'bad_org'::text, 'none', 'an organization that is no uuid counts as none');
SELECT is(:'good_org'::text, 'a0000000-0000-4000-8000-000000000000', 'an organization set before the library is loaded counts');
SELECT is(array[:'local_org', :'org_after_local'], array['a0000000-0000-4000-8000-000000000000', 'none'],
    'one set by SET LOCAL counts until its transaction ends');
SELECT is(:'stranger_state'::text, '42501', 'a user who is no member, set before the library is loaded, is refused');
SELECT ok(:'bad_ip_is_harmless'::boolean, 'an address that is none hinders nothing');
SELECT is(:'bad_ip'::text, '', 'and does not count');

SELECT * FROM finish();
ROLLBACK;
