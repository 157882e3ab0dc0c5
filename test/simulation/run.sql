-- The days go by.

-- How many leads an organization gets in a step that begins now: more in its daytime.
CREATE FUNCTION sim.leads_now(o sim.orgs) RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT floor(s.leads / 30.0 * o.share * extract(epoch FROM s.step) / 86400 * CASE WHEN extract(hour FROM lead_system.clock_now() AT TIME ZONE g.timezone) BETWEEN 8 AND 19 THEN 1.8 ELSE 0.2 END + random())::integer
      FROM sim.settings s, lead_system.organizations g WHERE g.id = o.id $$;

-- What happens in one organization in a step: in parts, each a transaction, in which the clock moves on.
CREATE PROCEDURE sim.work(o sim.orgs, at timestamptz, n integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.enter(o.id, at);
    SELECT * INTO o FROM sim.orgs x WHERE x.n = o.n;
    PERFORM sim.intake(o, n);
    COMMIT;
    PERFORM sim.enter(o.id, at);
    PERFORM sim.offer(o), sim.respond(o), sim.contractors(o);
    COMMIT;
    PERFORM sim.enter(o.id, at);
    PERFORM sim.signal(o) FROM generate_series(1, n + 1);
    PERFORM sim.talk(o) FROM generate_series(1, 1 + n / 2);
    PERFORM sim.comply(o) FROM generate_series(1, 1 + n / 8);
    PERFORM sim.notice_leads(o);
    COMMIT;
    PERFORM sim.enter(o.id, at);
    PERFORM sim.dial(o, 2 + n);
    PERFORM sim.work_steps(o, 10 + 3 * n), sim.send(o, 10 + 2 * n);
    COMMIT;
    PERFORM sim.enter(o.id, at);
    IF sim.chance(40) THEN PERFORM sim.manage_enrollments(o); END IF;
    IF sim.chance(50) THEN PERFORM sim.assign(o); END IF;
    IF sim.chance(8) THEN PERFORM sim.merge(o); END IF;
    IF sim.chance(10) THEN PERFORM sim.restore(o); END IF;
    IF sim.chance(60) THEN PERFORM sim.spend(o); END IF;
    IF sim.chance(25) THEN PERFORM sim.report_ads(o), sim.decide(o); END IF;
    IF sim.chance(25) THEN PERFORM sim.run_workflows(o); END IF;
    PERFORM sim.notice_leads(o);
    COMMIT;
END
$$;

-- One step of the clock: work at its beginning, calls and answers in its middle, maintenance at its end.
CREATE PROCEDURE sim.step(start timestamptz, step interval) LANGUAGE plpgsql AS $$
DECLARE
    o sim.orgs;
BEGIN
    UPDATE sim.settings SET hour = start;
    FOR o IN SELECT * FROM sim.orgs ORDER BY n LOOP
        PERFORM pg_catalog.set_config('lead_system.now', start::text, false);
        CALL sim.work(o, start, sim.leads_now(o));
    END LOOP;
    FOR o IN SELECT * FROM sim.orgs ORDER BY n LOOP
        PERFORM sim.enter(o.id, start + step * (0.2 + 0.1 * o.n));
        PERFORM sim.report_calls(o), sim.respond(o), sim.offer(o);
        IF ((start + step) AT TIME ZONE 'UTC')::date > (start AT TIME ZONE 'UTC')::date THEN PERFORM sim.close_day(o); END IF;
        COMMIT;
    END LOOP;
    PERFORM pg_catalog.set_config('lead_system.now', (start + step - interval '1 second')::text, false);
    COMMIT;
    CALL lead_system.run_maintenance();
END
$$;

-- From where the clock stands to so many days after the start.  Returns at midnight.
CREATE PROCEDURE sim.run_until(day integer) LANGUAGE plpgsql AS $$
DECLARE
    s sim.settings;
    at timestamptz;
BEGIN
    SELECT * INTO s FROM sim.settings;
    at := CASE WHEN s.hour = s.started THEN s.started ELSE s.hour + s.step END;
    WHILE at < s.started + least(day, s.days) * interval '1 day' LOOP
        CALL sim.step(at, s.step);
        at := at + s.step;
    END LOOP;
END
$$;
