-- A simulated time of several organizations, with every part of lead_system in
-- use at once.  This file: what the drivers share, and the organizations.
CREATE SCHEMA sim;
SELECT pg_catalog.set_config('lead_system.now', '2026-02-02 06:00+00', false) AS start;

-- What happened, by kind.  A line per event rather than a count, so that no row
-- is written again and again.
CREATE UNLOGGED TABLE sim.log (kind text NOT NULL, n bigint NOT NULL);
CREATE TABLE sim.settings (leads integer, days integer, step interval, started timestamptz, hour timestamptz);
CREATE TABLE sim.orgs (n integer PRIMARY KEY, id uuid, pipeline text, share numeric, zip text, made integer NOT NULL DEFAULT 0, imports integer NOT NULL DEFAULT 0);
CREATE TABLE sim.leads (org integer, n integer, id uuid UNIQUE, PRIMARY KEY (org, n));
CREATE TABLE sim.areas (n integer PRIMARY KEY, code text);
-- What workers know: which calls, steps and messages they were given.
CREATE TABLE sim.claims (campaign_lead_id uuid PRIMARY KEY, lead_id uuid, until timestamptz);
CREATE TABLE sim.steps (enrollment_id uuid, step integer, times integer, PRIMARY KEY (enrollment_id, step));
CREATE TABLE sim.sent (id uuid PRIMARY KEY);

INSERT INTO sim.areas
SELECT row_number() OVER (ORDER BY md5(area_code)), area_code
  FROM (SELECT DISTINCT area_code FROM lead_system.area_code_timezones WHERE country = 'US') a;

CREATE FUNCTION sim.note(kind text, n bigint DEFAULT 1) RETURNS void LANGUAGE sql AS
$$ INSERT INTO sim.log SELECT kind, n WHERE n > 0 $$;

-- 0 to n - 1; one of some words; true so many times of a hundred.
CREATE FUNCTION sim.dice(n integer) RETURNS integer LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::integer $$;
CREATE FUNCTION sim.word(words text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT words[1 + floor(random() * cardinality(words))::integer] $$;
CREATE FUNCTION sim.chance(percent numeric) RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT random() * 100 < percent $$;

-- Do something that may be refused: only with the SQLSTATEs named, all of which
-- are counted.  Returns the result; NULL when it was refused.
CREATE FUNCTION sim.try(kind text, refusals text[], statement text, VARIADIC args text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    detail text;
BEGIN
    EXECUTE format(statement, VARIADIC args) INTO result;
    PERFORM sim.note(kind);
    RETURN coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    IF SQLSTATE <> ALL (refusals) THEN
        RAISE EXCEPTION '%: % at %: % (%) %', kind, SQLSTATE, lead_system.clock_now(), SQLERRM, detail, format(statement, VARIADIC args);
    END IF;
    PERFORM sim.note(kind || ' refused ' || SQLSTATE);
    RETURN NULL;
END
$$;

-- Be an application that works for an organization, at a time; until the end of the transaction.
CREATE FUNCTION sim.enter(org uuid, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF at < lead_system.clock_now() THEN
        RAISE EXCEPTION 'the clock of the simulation goes back from % to %', lead_system.clock_now(), at;
    END IF;
    PERFORM pg_catalog.set_config('lead_system.now', at::text, false),
            pg_catalog.set_config('app.current_org_id', org::text, true),
            pg_catalog.set_config('role', 'sim_app', true);
END
$$;

-- A lead that is there, mostly one of the last ones.
CREATE FUNCTION sim.lead(o sim.orgs, condition text DEFAULT 'true') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    most integer := (SELECT max(n) FROM sim.leads WHERE org = o.n);
    found uuid;
BEGIN
    FOR i IN 1 .. 5 LOOP
        EXECUTE format('SELECT l.id FROM lead_system.leads l JOIN sim.leads s ON s.id = l.id
                         WHERE s.org = $1 AND s.n = $2 AND l.organization_id = $3 AND l.deleted_at IS NULL AND (%s)', condition)
           INTO found USING o.n, most - floor(most * random() ^ CASE WHEN i < 4 THEN 3 ELSE 1 END)::integer, o.id;
        EXIT WHEN found IS NOT NULL;
    END LOOP;
    RETURN found;
END
$$;

-- Leads that have come in are known from now on.
CREATE FUNCTION sim.notice_leads(o sim.orgs) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sim.leads
    SELECT o.n, (SELECT coalesce(max(n), 0) FROM sim.leads WHERE org = o.n) + row_number() OVER (ORDER BY l.id), l.id
      FROM lead_system.leads l
     WHERE l.organization_id = o.id AND l.created_at >= (SELECT hour FROM sim.settings) AND NOT EXISTS (SELECT FROM sim.leads s WHERE s.id = l.id)
$$;

-- People, sequences, segments, lists, campaigns, accounts: with other settings in each.
CREATE FUNCTION sim.make_rules(o sim.orgs, days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    setting record;
BEGIN
    FOR setting IN SELECT k, v FROM (VALUES
        ('archive.after_days', to_jsonb(greatest(1, days / 3))), ('marketplace.archive_after_days', to_jsonb(greatest(2, days / 4))),
        ('marketplace.ban_days', to_jsonb(greatest(1, days / 12))), ('marketplace.strikes_until_ban', to_jsonb(2 + o.n % 2)),
        ('marketplace.appeal_retry_days', to_jsonb(greatest(1, days / 30))),
        ('marketplace.pricing', to_jsonb(sim.nth('{first,second}', o.n))), ('marketplace.charge_on', to_jsonb(sim.nth('{contact,contact,win}', o.n))),
        ('marketplace.anti_snipe', to_jsonb(o.n = 2)), ('billing.contractor_overdraft', to_jsonb(o.n <> 2)),
        ('assignment.auto', to_jsonb(o.n <> 3)), ('assignment.strategy', to_jsonb(sim.nth('{capacity,geographic,skill_based,round_robin}', o.n))),
        ('assignment.manager_fallback', to_jsonb(o.n = 1)), ('communication.create_leads', to_jsonb(sim.nth('{all,missed_calls}', o.n))),
        ('compliance.consent_required', CASE WHEN o.n = 2 THEN '["sms"]'::jsonb ELSE '[]' END),
        ('compliance.max_attempts_per_day', to_jsonb(2 + o.n)), ('nurture.daily_email_cap', to_jsonb(20 * o.n)),
        ('nurture.max_retries', '1'), ('nurture.retry_lapsed', CASE WHEN o.n = 2 THEN '["email"]'::jsonb ELSE '[]' END),
        ('notifications.retry_minutes', '[1, 5]'), ('analytics.snapshot_day', to_jsonb(sim.nth('{utc,organization}', o.n)))) s(k, v) LOOP
        PERFORM lead_system.set_config(setting.k, setting.v);
    END LOOP;
    INSERT INTO lead_system.users (organization_id, full_name, email, role, max_active_leads, skills)
    SELECT o.id, 'Rep ' || n, 'rep' || n || '@example.com', CASE WHEN n = 0 THEN 'manager' WHEN n = 1 THEN 'admin' ELSE 'rep' END, 15 + 5 * n, '{roofing}'
      FROM generate_series(0, 7) n ORDER BY n;
    INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor, profile_rating)
    SELECT o.id, 'Contractor ' || n, 'contractor' || n || '@example.com', 'contractor', true, (ARRAY[0, 3.9, 4, 4.5, 4.8, 5])[1 + n % 6]
      FROM generate_series(0, 11) n ORDER BY n;
    INSERT INTO lead_system.territories (organization_id, kind, code, user_id)
    SELECT o.id, 'zip', o.zip, u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.full_name = 'Rep 2';
    INSERT INTO lead_system.territories (organization_id, kind, code, user_id)
    SELECT o.id, 'fallback', '', u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.full_name IN ('Rep 3', 'Rep 4') AND o.n = 2 ORDER BY u.full_name;
    INSERT INTO lead_system.nurture_sequences (organization_id, name, steps, trigger_conditions) VALUES
        (o.id, 'welcome', '[{"step": 1, "channel": "email", "template_id": "a"}, {"step": 2, "channel": "sms", "template_id": "b", "delay_hours": 5},
                            {"step": 3, "channel": "call", "template_id": "c", "delay_days": 1}, {"step": 4, "channel": "task", "delay_hours": 2}]', '{"lead_created": true, "filter": {"source": "web"}}'),
        (o.id, 'cold leads', '[{"step": 1, "channel": "email", "template_id": "d"}, {"step": 2, "channel": "wait", "delay_days": 1},
                               {"step": 3, "channel": "email", "template_id": "e"}]', '{"temperature": "cold", "again": true}'),
        (o.id, 'by hand', '[{"step": 1, "channel": "task"}, {"step": 2, "channel": "email", "template_id": "f", "delay_hours": 3}]', NULL);
    INSERT INTO lead_system.segments (organization_id, name, filter, is_public) VALUES
        (o.id, 'warm', '{"temperature": ["warm", "hot"], "do_not_call": false}', true),
        (o.id, 'recent', '{"created_at": {"within_days": 2}, "tags": {"contains_any": ["fair"]}}', true),
        (o.id, 'called', '{"call_count": {"gte": 1}}', true);
    INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id)
    SELECT o.id, s.name, CASE WHEN s.name = 'called' THEN 'dynamic' ELSE 'smart' END, s.id FROM lead_system.segments s WHERE s.organization_id = o.id ORDER BY s.name;
    INSERT INTO lead_system.campaigns (organization_id, name, status, max_attempts, retry_after, daily_cap, call_price, dedupe_by_phone) VALUES
        (o.id, 'paid', 'active', 2, '4 hours', 200, 0.25, true), (o.id, 'free', 'active', 3, '6 hours', 100, NULL, o.n <> 1);
    PERFORM lead_system.add_lead_list_to_campaign(c.id, l.id, 5) FROM lead_system.campaigns c, lead_system.lead_lists l
      WHERE c.organization_id = o.id AND l.organization_id = o.id AND (c.name, l.name) IN (('paid', 'warm'), ('free', 'recent'), ('free', 'warm'));
    PERFORM lead_system.open_account();
    PERFORM lead_system.post_transaction(a.id, 'credit', 50) FROM lead_system.budget_accounts a WHERE a.organization_id = o.id;
    INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end)
    VALUES (o.id, 'sub_' || o.n, 'price_1', 'Pro', 99, lead_system.clock_now(), lead_system.clock_now() + interval '1 month');
END
$$;
CREATE FUNCTION sim.nth(words text[], n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT words[1 + n % cardinality(words)] $$;

CREATE PROCEDURE sim.make_world(leads integer, days integer, seed integer, step interval) LANGUAGE plpgsql AS $$
DECLARE
    o sim.orgs;
BEGIN
    PERFORM setseed((seed % 100000) / 100000.0);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sim_app') THEN
        CREATE ROLE sim_app;
    END IF;
    PERFORM lead_system.grant_access('sim_app', 'admin');
    GRANT USAGE ON SCHEMA sim TO sim_app;
    GRANT ALL ON ALL TABLES IN SCHEMA sim TO sim_app;
    INSERT INTO sim.settings VALUES (leads, days, step, lead_system.clock_now(), lead_system.clock_now());
    FOR o IN SELECT * FROM (VALUES (1, lead_system.create_organization('Software Example', 'b2b'), 'b2b', 0.4, '10001'),
                                   (2, lead_system.create_organization('Recruiting Example', 'recruiting'), 'recruiting', 0.3, '60601'),
                                   (3, lead_system.create_organization('Roofs Example', 'field_service'), 'field_service', 0.3, '98101')) v LOOP
        INSERT INTO sim.orgs SELECT o.n, o.id, o.pipeline, o.share, o.zip;
        UPDATE lead_system.organizations SET timezone = sim.nth('{America/New_York,America/Chicago,America/Los_Angeles}', o.n - 1) WHERE id = o.id;
        PERFORM pg_catalog.set_config('app.current_org_id', o.id::text, true), pg_catalog.set_config('role', 'sim_app', true);
        PERFORM sim.make_rules(o, days), sim.make_ads(o);
        COMMIT;
    END LOOP;
END
$$;
