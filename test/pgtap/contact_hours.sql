-- Calling hours against the server's own AT TIME ZONE: every state at both
-- daylight-saving changes, twenty zones of the world at theirs, and random leads,
-- rules and attempts, of which next_call_time() must name the first instant.
--
-- Runs alone: pg_prove test/pgtap/contact_hours.sql

BEGIN;
SELECT plan(16);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SET LOCAL lead_system.now = '2026-03-02 15:00:00+00';
SELECT setseed(0.4711) \g /dev/null

\set org 'c0000000-0000-4000-8000-000000000000'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'org', 'Hours', 'outreach');
SET LOCAL app.current_org_id = :'org';

-- Is a lead within its hours at an instant, by what the function says?
CREATE FUNCTION pg_temp.is_open(lead uuid, moment timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lead_system.now', moment::text, true);
    RETURN NOT EXISTS (SELECT FROM lead_system.contact_blockers(lead) WHERE rule IN ('calling_hours', 'timezone_unknown'));
END $$;

-- Is it, by the server's own clocks?
CREATE FUNCTION pg_temp.is_within(zones text[], from_time time, to_time time, moment timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    z text;
BEGIN
    FOREACH z IN ARRAY zones LOOP
        IF (moment AT TIME ZONE z)::time < from_time OR (moment AT TIME ZONE z)::time >= to_time THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

--
-- The facts
--

SELECT is_empty($$
    SELECT timezone FROM lead_system.area_code_timezones UNION SELECT timezone FROM lead_system.state_timezones
    EXCEPT SELECT name FROM pg_catalog.pg_timezone_names
$$, 'the server knows every time zone of the tables');
SELECT is_empty($$
    SELECT a.area_code, a.timezone FROM lead_system.area_code_timezones a
     WHERE cardinality(a.states) > 0 AND NOT EXISTS (
        SELECT FROM lead_system.state_timezones s
         WHERE s.country = a.country AND s.state = ANY (a.states)
           AND (SELECT array_agg(h AT TIME ZONE s.timezone ORDER BY h) = array_agg(h AT TIME ZONE a.timezone ORDER BY h)
                  FROM generate_series('2026-01-01'::timestamptz, '2026-12-31', '6 days') h))
$$, 'no area code lies in a zone that its state does not have');
SELECT is_empty($$
    SELECT s.state, s.zip_prefix, s.timezone FROM lead_system.state_timezones s
     WHERE s.zip_prefix <> '' AND s.timezone NOT IN (
        SELECT w.timezone FROM lead_system.state_timezones w WHERE w.country = s.country AND w.state = s.state AND w.zip_prefix = '')
$$, 'a ZIP code lies in a zone of its state');
SELECT is((SELECT count(DISTINCT state)::integer FROM lead_system.state_timezones WHERE country = 'US' AND zip_prefix = ''), 56,
    'there are the fifty states, the capital and five territories');
SELECT is((SELECT count(DISTINCT state)::integer FROM lead_system.state_timezones WHERE country = 'CA' AND zip_prefix = ''), 13,
    'and thirteen provinces and territories');

--
-- Every state at both changes of the clocks, with the hours of the law
--

INSERT INTO lead_system.leads (organization_id, id, country, state)
SELECT :'org', ('c0000000-0000-4000-8000-00000001' || lpad(row_number() OVER (ORDER BY country, state)::text, 4, '0'))::uuid, country, state
  FROM (SELECT DISTINCT country, state FROM lead_system.state_timezones) s;
CREATE TEMP TABLE states ON COMMIT DROP AS
SELECT l.id, l.state, s.zones, CASE WHEN l.state IN ('FL', 'OK', 'WA') THEN '20:00'::time ELSE '21:00' END AS to_time
  FROM lead_system.leads l
  JOIN (SELECT country, state, array_agg(timezone) AS zones FROM lead_system.state_timezones WHERE zip_prefix = '' GROUP BY 1, 2) s USING (country, state);

SELECT is_empty(format($$
    SELECT s.state, m FROM states s
     CROSS JOIN generate_series(%L::timestamptz - interval '12 hours', %L::timestamptz + interval '36 hours', '15 minutes') m
     WHERE pg_temp.is_open(s.id, m) <> pg_temp.is_within(s.zones, '08:00', s.to_time, m)
$$, day, day), format('every state, every quarter of an hour around %s', day))
  FROM (VALUES ('2026-03-08'), ('2026-11-01')) d(day);
SELECT is((SELECT count(*)::integer FROM states), 69, 'and these are all states');

--
-- Twenty zones at the changes of their own, with windows that the changes cut
--

CREATE TEMP TABLE zones ON COMMIT DROP AS
SELECT ('c0000000-0000-4000-8000-00000002' || lpad(n::text, 4, '0'))::uuid AS id, zone
  FROM unnest(ARRAY['America/New_York', 'America/Chicago', 'America/Denver', 'America/Phoenix', 'America/Los_Angeles', 'America/Anchorage',
    'America/Adak', 'Pacific/Honolulu', 'America/St_Johns', 'America/Halifax', 'America/Havana', 'America/Santiago', 'America/Asuncion',
    'Europe/London', 'Europe/Berlin', 'Asia/Beirut', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Australia/Adelaide', 'Pacific/Chatham'])
       WITH ORDINALITY u(zone, n);
INSERT INTO lead_system.leads (organization_id, id, timezone) SELECT :'org', id, zone FROM zones;
-- The changes of a zone in a year: hours after which its clocks are not an hour later.
CREATE TEMP TABLE changes ON COMMIT DROP AS
SELECT z.id, z.zone, h AS moment FROM zones z
 CROSS JOIN generate_series('2026-01-01'::timestamptz, '2026-12-31', '1 hour') h
 WHERE (h + interval '1 hour') AT TIME ZONE z.zone - h AT TIME ZONE z.zone <> interval '1 hour';
-- Those that have no change get a day all the same.
INSERT INTO changes SELECT id, zone, '2026-03-08 09:00+00' FROM zones WHERE id NOT IN (SELECT id FROM changes);
SELECT cmp_ok((SELECT count(*)::integer FROM changes), '>=', 35, 'most of the zones change their clocks twice');

UPDATE lead_system.calling_rules SET from_time = '00:00', to_time = '24:00' WHERE organization_id IS NULL;
CREATE FUNCTION pg_temp.wrong(from_time time, to_time time) RETURNS TABLE (zone text, moment timestamptz, what text) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM lead_system.calling_rules WHERE organization_id = lead_system.current_org_id();
    INSERT INTO lead_system.calling_rules (organization_id, from_time, to_time, source)
    VALUES (lead_system.current_org_id(), from_time, to_time, 'test');
    RETURN QUERY
    SELECT c.zone, m, 'open'::text FROM changes c
     CROSS JOIN generate_series(c.moment - interval '20 hours', c.moment + interval '30 hours', '15 minutes') m
     WHERE pg_temp.is_open(c.id, m) <> pg_temp.is_within(ARRAY[c.zone], from_time, to_time, m);
    -- The next open instant is the first of the minutes that is open.
    RETURN QUERY
    SELECT c.zone, s.start, 'next'::text FROM changes c
     CROSS JOIN LATERAL (VALUES (c.moment - interval '25 hours'), (c.moment - interval '3 hours'), (c.moment), (c.moment + interval '1 hour')) s(start)
     CROSS JOIN LATERAL (
        SELECT min(m) AS expected FROM generate_series(s.start, s.start + interval '50 hours', '1 minute') m
         WHERE pg_temp.is_within(ARRAY[c.zone], from_time, to_time, m)) e
     WHERE (SELECT unblocks_at FROM pg_temp.blocked_until(c.id, s.start)) IS DISTINCT FROM e.expected;
END $$;
CREATE FUNCTION pg_temp.blocked_until(lead uuid, moment timestamptz) RETURNS TABLE (unblocks_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lead_system.now', moment::text, true);
    RETURN QUERY SELECT coalesce((SELECT b.unblocks_at FROM lead_system.contact_blockers(lead) b WHERE b.rule = 'calling_hours'), moment);
END $$;
SELECT is_empty(format('SELECT * FROM pg_temp.wrong(%L, %L)', from_time, to_time),
    format('twenty zones around their changes, open from %s to %s', from_time, to_time))
  FROM (VALUES ('01:30', '02:30'), ('02:00', '03:00'), ('00:00', '00:30'), ('23:30', '24:00')) w(from_time, to_time);

--
-- Random leads, rules and attempts
--

UPDATE lead_system.calling_rules SET from_time = '08:00', to_time = CASE WHEN state IS NULL THEN '21:00'::time ELSE '20:00' END
 WHERE organization_id IS NULL;

CREATE TEMP TABLE random_leads (id uuid PRIMARY KEY, phone_number text, states text[], zones text[]) ON COMMIT DROP;
-- The rules by themselves: may the lead be called at an instant?
CREATE FUNCTION pg_temp.may_call(lead uuid, moment timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT l.zones <> '{}'
       AND NOT EXISTS (
            SELECT FROM unnest(l.zones) z
              JOIN lead_system.calling_rules r ON (r.organization_id IS NULL OR r.organization_id = lead_system.current_org_id())
               AND (r.state IS NULL OR r.state = ANY (l.states)) AND r.channel IS DISTINCT FROM 'sms'
             WHERE (r.weekdays >> (extract(isodow FROM moment AT TIME ZONE z)::integer - 1)) & 1 = 1
               AND NOT ((moment AT TIME ZONE z)::time >= r.from_time AND (moment AT TIME ZONE z)::time < r.to_time))
       AND (SELECT count(*) FROM lead_system.contact_attempts a
             WHERE a.organization_id = lead_system.current_org_id() AND a.phone_number = l.phone_number AND a.allowed AND a.channel = 'call' AND a.lead_id = lead
               AND a.created_at <= moment AND a.created_at > moment - interval '24 hours') < 3
       AND NOT EXISTS (SELECT FROM lead_system.contact_attempts a
             WHERE a.organization_id = lead_system.current_org_id() AND a.phone_number = l.phone_number AND a.allowed AND a.channel = 'call' AND a.lead_id = lead
               AND a.created_at <= moment AND a.created_at > moment - interval '60 minutes')
      FROM random_leads l WHERE l.id = lead);
END $$;

CREATE TEMP TABLE failures (round integer, lead uuid, after timestamptz, next timestamptz, what text) ON COMMIT DROP;
CREATE TEMP TABLE answers (kind text) ON COMMIT DROP;

-- Leads with and without state, ZIP code and zone of their own.
CREATE FUNCTION pg_temp.make_leads(round integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM random_leads;
    DELETE FROM lead_system.calling_rules WHERE organization_id = lead_system.current_org_id();
    WITH made AS (
        INSERT INTO lead_system.leads (organization_id, country, phone_number, state, zip_code, timezone)
        SELECT lead_system.current_org_id(), CASE WHEN random() < 0.05 THEN 'GB' END, '+1' || a.area_code || '55501' || lpad(round::text, 2, '0'),
               CASE WHEN random() < 0.5 THEN (ARRAY['FL', 'fl', 'Florida', 'WA', 'NY', 'TX', 'IN', 'AZ', 'AK', 'nowhere'])[1 + floor(random() * 10)] END,
               CASE WHEN random() < 0.5 THEN (ARRAY['32501', '33101', '99546', '79901', '85001', '46401-1234'])[1 + floor(random() * 6)] END,
               CASE WHEN random() < 0.1 THEN (ARRAY['Europe/Berlin', 'America/Phoenix', 'Asia/Kathmandu'])[1 + floor(random() * 3)] END
          FROM (SELECT DISTINCT area_code FROM lead_system.area_code_timezones ORDER BY 1) a
         WHERE random() < 0.2
        RETURNING id, country, phone_number, state)
    INSERT INTO random_leads
    SELECT m.id, m.phone_number, ARRAY[upper(CASE WHEN m.country = 'GB' THEN NULL WHEN m.state = 'Florida' THEN 'FL' ELSE m.state END)] || c.states,
           '{}'
      FROM made m JOIN (SELECT DISTINCT area_code, states FROM lead_system.area_code_timezones) c ON c.area_code = substr(m.phone_number, 3, 3);
    UPDATE random_leads r SET zones = ARRAY(SELECT timezone FROM lead_system.contact_time_zones(r.id));
    INSERT INTO lead_system.calling_rules (organization_id, country, state, channel, weekdays, from_time, to_time, source)
    SELECT lead_system.current_org_id(), CASE WHEN s.state IS NOT NULL THEN 'US' END, s.state,
           CASE WHEN random() < 0.2 THEN 'sms' END, 1 + floor(random() * 127), t.from_time, least(t.from_time + interval '1 hour' * floor(random() * 12), time '23:59'), 'test'
      FROM generate_series(1, floor(random() * 5)::integer) g
     CROSS JOIN LATERAL (SELECT CASE WHEN random() < 0.5 AND g > 0 THEN (ARRAY['FL', 'NY', 'TX'])[1 + floor(random() * 3)] END AS state) s
     CROSS JOIN LATERAL (SELECT time '06:00' + interval '1 minute' * floor(random() * 400 + g * 0) AS from_time) t;
    INSERT INTO lead_system.contact_attempts (organization_id, lead_id, channel, phone_number, allowed, rule, created_at)
    SELECT lead_system.current_org_id(), l.id, CASE WHEN random() < 0.8 THEN 'call' ELSE 'sms' END, l.phone_number, x.allowed, CASE WHEN NOT x.allowed THEN 'spam' END,
           timestamptz '2026-10-30 00:00+00' + random() * interval '3 days'
      FROM random_leads l CROSS JOIN generate_series(1, 6) g CROSS JOIN LATERAL (SELECT random() < 0.8 AND g > 0 AS allowed) x WHERE random() < 0.6;
END $$;

-- What is wrong with an answer of next_call_time().
CREATE FUNCTION pg_temp.judge(round integer, lead uuid, after timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    next timestamptz := lead_system.next_call_time(lead, after);
    until timestamptz := coalesce(next, after + interval '20 days');
BEGIN
    INSERT INTO answers VALUES (CASE WHEN next IS NULL THEN 'never' WHEN next = after THEN 'now' ELSE 'later' END);
    IF next IS NOT NULL AND NOT pg_temp.may_call(lead, next) THEN
        INSERT INTO failures VALUES (round, lead, after, next, 'not allowed then');
    END IF;
    IF next > after AND pg_temp.may_call(lead, next - interval '1 microsecond') THEN
        INSERT INTO failures VALUES (round, lead, after, next, 'allowed the instant before');
    END IF;
    IF EXISTS (SELECT FROM generate_series(1, 12) g WHERE until > after AND pg_temp.may_call(lead, after + (until - after) * (random() * 0.999 + g * 0))) THEN
        INSERT INTO failures VALUES (round, lead, after, next, 'allowed earlier');
    END IF;
    IF next IS NOT NULL THEN
        PERFORM set_config('lead_system.now', next::text, true);
        IF NOT lead_system.can_contact(lead) THEN
            INSERT INTO failures VALUES (round, lead, after, next, 'can_contact() says no');
        END IF;
        PERFORM set_config('lead_system.now', (next - interval '1 microsecond')::text, true);
        IF next > after AND lead_system.can_contact(lead) THEN
            INSERT INTO failures VALUES (round, lead, after, next, 'can_contact() says yes before');
        END IF;
    END IF;
END $$;
DO $$
BEGIN
    FOR round IN 1 .. 40 LOOP
        PERFORM pg_temp.make_leads(round);
        ANALYZE lead_system.contact_attempts;
        PERFORM pg_temp.judge(round, id, timestamptz '2026-10-30 12:00+00' + random() * interval '3 days') FROM random_leads;
    END LOOP;
END $$;
SELECT is_empty('SELECT * FROM failures', 'the next call time is allowed, and no instant before it is');
SELECT cmp_ok((SELECT count(*)::integer FROM answers), '>', 3000, 'of some thousand random leads, rules and instants');
SELECT is((SELECT count(DISTINCT kind)::integer FROM answers), 3, 'now, later and never have all come up');

SELECT * FROM finish();
ROLLBACK;
