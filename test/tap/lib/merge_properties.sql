-- For 031_merge_properties.pl: a random organization, and random events in it.
CREATE SCHEMA prop;
CREATE TABLE prop.outcomes (kind text PRIMARY KEY, times int NOT NULL);

-- Every row that belongs to a lead, with its hash; but for what tells of the events themselves.
CREATE FUNCTION prop.hashes() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r'
                AND (a.attname = 'lead_id' OR (c.relname = 'leads' AND a.attname = 'id'))
                AND c.relname NOT IN ('lead_merges', 'lead_merge_rows') LOOP
        RETURN QUERY EXECUTE format('SELECT %L || '' '' || coalesce(to_jsonb(x) ->> ''id'', to_jsonb(x) ->> ''lead_id''), md5(x::text)'
            ' FROM lead_system.%I x WHERE x.organization_id = lead_system.current_org_id()', t, t);
    END LOOP;
END
$$;

-- What must hold at every moment.
CREATE PROCEDURE prop.check_counts(step text) LANGUAGE plpgsql AS $$
DECLARE
    org CONSTANT uuid = lead_system.current_org_id();
    t record;
    n bigint;
BEGIN
    IF EXISTS (SELECT 1 FROM lead_system.lead_lists m WHERE m.organization_id = org AND m.lead_count <>
               (SELECT count(*) FROM lead_system.lead_list_members x WHERE x.organization_id = org AND x.lead_list_id = m.id)) THEN
        RAISE 'after %: lead_count of a list is wrong', step;
    END IF;
    IF EXISTS (SELECT 1 FROM lead_system.campaign_lead_lists s WHERE s.organization_id = org AND (s.total_leads, s.open_leads) <>
               (SELECT count(*), count(*) FILTER (WHERE x.status = 'calling' OR (x.status IN ('new', 'queued') AND x.is_dialable))
                  FROM lead_system.campaign_leads x WHERE x.organization_id = org AND x.campaign_id = s.campaign_id AND x.lead_list_id = s.lead_list_id)) THEN
        RAISE 'after %: counts of a campaign are wrong', step;
    END IF;
    FOR t IN SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'lead_id'
              WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('SELECT count(*) FROM lead_system.%I x WHERE x.organization_id = $1 AND x.lead_id IS NOT NULL AND NOT EXISTS'
            ' (SELECT 1 FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = x.lead_id)', t.relname) INTO n USING org;
        IF n > 0 THEN
            RAISE 'after %: % rows of % belong to a lead that is gone', step, n, t.relname;
        END IF;
    END LOOP;
END
$$;

-- Rows that a step and its undoing changed.
CREATE PROCEDURE prop.compare(step text) LANGUAGE plpgsql AS $$
DECLARE
    changed text;
BEGIN
    SELECT string_agg(b.name, ', ') INTO changed FROM (SELECT * FROM was EXCEPT SELECT * FROM prop.hashes()) b;
    IF changed IS NOT NULL THEN
        RAISE 'after %: not what they were: %', step, changed;
    END IF;
END
$$;

CREATE PROCEDURE prop.make_world() LANGUAGE plpgsql AS $$
DECLARE
    org uuid = lead_system.create_organization('random', 'recruiting');
BEGIN
    PERFORM set_config('app.current_org_id', org::text, true);
    INSERT INTO lead_system.leads (organization_id, first_name, company_name, email, phone_number, tags, call_count, notes, metadata, lead_score, created_at, is_spam)
    SELECT org, 'lead ' || n, CASE WHEN random() < 0.5 THEN 'company ' || n % 5 END, CASE WHEN random() < 0.5 THEN n || '@example.com' END,
           CASE WHEN random() < 0.7 THEN '+1202555' || lpad((100 + n)::text, 4, '0') END, CASE WHEN random() < 0.5 THEN ARRAY['t' || n % 4] ELSE '{}' END,
           (random() * 5)::int, CASE WHEN random() < 0.5 THEN 'note ' || n END, jsonb_build_object('k' || n % 3, n), 0, lead_system.clock_now() - random() * interval '9 days', random() < 0.05
      FROM generate_series(1, 24) n;
    INSERT INTO lead_system.lead_lists (organization_id, name) SELECT org, 'list ' || n FROM generate_series(1, 3) n;
    INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id)
    SELECT org, m.id, l.id FROM lead_system.lead_lists m, lead_system.leads l WHERE m.organization_id = org AND l.organization_id = org AND random() < 0.5;
    INSERT INTO lead_system.campaigns (organization_id, name, status) SELECT org, 'campaign ' || n, 'active' FROM generate_series(1, 2) n;
    PERFORM lead_system.add_lead_list_to_campaign(c.id, m.id, (random() * 3)::int + 1) FROM lead_system.campaigns c, lead_system.lead_lists m WHERE c.organization_id = org AND m.organization_id = org;
    UPDATE lead_system.campaign_leads SET status = (ARRAY['failed', 'contacted', 'queued'])[1 + floor(random() * 3)::int], attempts = (random() * 3)::int WHERE organization_id = org AND random() < 0.7;
    INSERT INTO lead_system.call_logs (organization_id, lead_id, caller_phone, called_phone, direction, status)
    SELECT org, l.id, '+12025550199', l.phone_number, 'inbound', 'answered' FROM lead_system.leads l WHERE l.organization_id = org AND l.phone_number IS NOT NULL AND random() < 0.5;
    PERFORM lead_system.add_lead_note(l.id, 'a note') FROM lead_system.leads l WHERE l.organization_id = org AND random() < 0.5;
    PERFORM lead_system.add_to_dnc_list(l.phone_number, 'request') FROM lead_system.leads l WHERE l.organization_id = org AND l.phone_number IS NOT NULL AND random() < 0.15;
END
$$;

-- Merge at random, several upon each other, and undo all from the end.
CREATE PROCEDURE prop.merges() LANGUAGE plpgsql AS $$
DECLARE
    org CONSTANT uuid = lead_system.current_org_id();
    merges uuid[] = '{}';
    ids uuid[];
    i int;
BEGIN
    CREATE TEMP TABLE was ON COMMIT DROP AS SELECT * FROM prop.hashes();
    FOR i IN 1 .. 1 + floor(random() * 5)::int LOOP
        PERFORM set_config('lead_system.now', (lead_system.clock_now() + interval '7 minutes')::text, true);
        SELECT array_agg(id) INTO ids FROM (SELECT id FROM lead_system.leads WHERE organization_id = org AND deleted_at IS NULL ORDER BY random() LIMIT 2 + floor(random() * 3)::int) x;
        merges = merges || lead_system.merge_leads(ids[1], ids[2:]);
        CALL prop.check_counts('merge');
    END LOOP;
    FOR i IN REVERSE cardinality(merges) .. 1 LOOP
        PERFORM set_config('lead_system.now', (lead_system.clock_now() + interval '7 minutes')::text, true);
        PERFORM lead_system.unmerge_leads(merges[i]);
        CALL prop.check_counts('unmerge');
    END LOOP;
    CALL prop.compare('undoing all merges');
    DROP TABLE was;
    INSERT INTO prop.outcomes VALUES ('merge', 1) ON CONFLICT (kind) DO UPDATE SET times = outcomes.times + 1;
END
$$;

-- Archive what can be, and bring all of it back.
CREATE PROCEDURE prop.archive() LANGUAGE plpgsql AS $$
DECLARE
    org CONSTANT uuid = lead_system.current_org_id();
    n bigint;
BEGIN
    UPDATE lead_system.campaign_leads SET status = 'failed' WHERE organization_id = org AND status IN ('new', 'queued') AND random() < 0.6;
    CREATE TEMP TABLE was ON COMMIT DROP AS SELECT * FROM prop.hashes();
    PERFORM set_config('lead_system.now', (lead_system.clock_now() + interval '200 days')::text, true);
    n = lead_system.archive_leads(7) + lead_system.archive_leads();
    CALL prop.check_counts('archive');
    IF n > 0 THEN
        INSERT INTO prop.outcomes VALUES ('archive', 1) ON CONFLICT (kind) DO UPDATE SET times = outcomes.times + 1;
    END IF;
    PERFORM set_config('lead_system.now', (lead_system.clock_now() + interval '1 day')::text, true);
    PERFORM lead_system.restore_lead(id) FROM lead_system.leads_archive WHERE organization_id = org ORDER BY random();
    CALL prop.check_counts('restore');
    CALL prop.compare('restoring all');
    DROP TABLE was;
    INSERT INTO prop.outcomes VALUES ('restore', 1) ON CONFLICT (kind) DO UPDATE SET times = outcomes.times + 1;
END
$$;

CREATE PROCEDURE prop.run_round(round int, seed int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM setseed(((seed + round * 7919) % 100000) / 100000.0);
    PERFORM set_config('lead_system.now', '2026-03-02 15:00+00', true);
    CALL prop.make_world();
    CALL prop.check_counts('making the world');
    CALL prop.merges();
    CALL prop.archive();
    CALL prop.merges();
END
$$;
