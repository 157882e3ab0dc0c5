-- Random work on leads and users, and what must hold after each step.
CREATE SCHEMA prop;
CREATE TABLE prop.before (id uuid PRIMARY KEY, n int);
CREATE TABLE prop.outcomes (kind text, code text, times int, PRIMARY KEY (kind, code));

-- A number from 0 to n - 1.
CREATE FUNCTION prop.pick(n int) RETURNS int LANGUAGE sql AS $$ SELECT floor(random() * n)::int $$;
CREATE FUNCTION prop.some_user() RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM lead_system.users ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION prop.some_leads(n int) RETURNS uuid[] LANGUAGE sql AS $$ SELECT coalesce(array_agg(id), '{}') FROM (SELECT id FROM lead_system.leads ORDER BY random() LIMIT n) l $$;
CREATE FUNCTION prop.strategy() RETURNS text LANGUAGE sql AS $$ SELECT (ARRAY['round_robin', 'capacity', 'geographic', 'skill_based'])[1 + prop.pick(4)] $$;

-- One step; "forced" says that a user may now be above the maximum.
CREATE FUNCTION prop.step(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE ids uuid[] := prop.some_leads(1 + prop.pick(4));
BEGIN
    IF ids = '{}' THEN kind := 'new'; END IF;
    CASE kind
    WHEN 'new' THEN
        INSERT INTO lead_system.leads (company_name, company_size, industry, inquiry_type, budget_timeline, state, service_type, assigned_to)
        SELECT 'Company', (ARRAY['1-10', '1000+'])[1 + prop.pick(2)], 'Software/SaaS', (ARRAY['Content Download', 'Demo Request'])[1 + prop.pick(2)], 'Immediate',
               (ARRAY['IL', 'NY', NULL])[1 + prop.pick(3)], (ARRAY['roofing', NULL])[1 + prop.pick(2)], CASE WHEN random() < 0.05 THEN prop.some_user() END
          FROM generate_series(1, 1 + prop.pick(4));
    WHEN 'one' THEN PERFORM lead_system.assign_lead(ids[1], prop.strategy());
    WHEN 'manual' THEN PERFORM lead_system.assign_lead_to(ids[1], prop.some_user(), force => random() < 0.2);
    WHEN 'many' THEN PERFORM lead_system.assign_leads(ids, prop.strategy());
    WHEN 'waiting' THEN PERFORM lead_system.assign_waiting_leads(1 + prop.pick(5));
    WHEN 'update' THEN UPDATE lead_system.leads SET assigned_to = CASE WHEN random() < 0.5 THEN prop.some_user() END WHERE id = ANY (ids);
    WHEN 'status' THEN
        PERFORM lead_system.change_lead_status(id, (ARRAY['Contacted', 'Qualified', 'Opportunity', 'Disqualified'])[1 + prop.pick(4)], 'random', force => random() < 0.5)
           FROM unnest(ids) id;
    WHEN 'delete' THEN UPDATE lead_system.leads SET deleted_at = CASE WHEN deleted_at IS NULL THEN lead_system.clock_now() END WHERE id = ids[1];
    WHEN 'gone' THEN DELETE FROM lead_system.leads WHERE id = ids[1];
    WHEN 'spam' THEN UPDATE lead_system.leads SET is_spam = NOT is_spam WHERE id = ids[1];
    WHEN 'warmer' THEN UPDATE lead_system.leads SET inquiry_type = 'Demo Request', company_size = '1000+' WHERE id = ANY (ids);
    WHEN 'user' THEN
        UPDATE lead_system.users SET max_active_leads = greatest(current_lead_count, prop.pick(8)), is_active = random() < 0.8, assignment_weight = prop.pick(3)
         WHERE id = prop.some_user();
    WHEN 'setting' THEN
        PERFORM lead_system.set_config('assignment.auto', to_jsonb(random() < 0.5)), lead_system.set_config('assignment.drain', to_jsonb(random() < 0.8)),
                lead_system.set_config('assignment.manager_fallback', to_jsonb(random() < 0.5)), lead_system.set_config('assignment.strategy', to_jsonb(prop.strategy()));
    WHEN 'release' THEN PERFORM lead_system.release_leads(prop.some_user(), prop.strategy());
    WHEN 'sla' THEN PERFORM lead_system.sweep_sla(10);
    WHEN 'time' THEN PERFORM set_config('lead_system.now', (lead_system.clock_now() + random() * interval '20 hours')::text, false);
    END CASE;
END $$;

-- What is wrong; no row when all is right.
CREATE FUNCTION prop.faults(kind text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'counters of ' || n || ' users are wrong' FROM lead_system.recount_user_counters() n WHERE n <> 0
    UNION ALL
    SELECT 'a lead waits that is assigned or not to be assigned' FROM lead_system.waiting_leads w JOIN lead_system.leads l ON l.id = w.lead_id
     WHERE l.assigned_to IS NOT NULL OR l.deleted_at IS NOT NULL OR l.is_spam OR l.stage NOT IN ('new', 'working', 'contacted', 'qualified') OR l.temperature = 'cold'
    UNION ALL
    SELECT 'the last assignment of a lead says somebody else' FROM lead_system.leads l
     WHERE l.assigned_to IS DISTINCT FROM (SELECT a.to_user_id FROM lead_system.lead_assignments a WHERE a.lead_id = l.id ORDER BY a.id DESC LIMIT 1)
    UNION ALL
    SELECT 'a user is above capacity by ' || kind FROM lead_system.users u, prop.before b
     WHERE b.id = u.id AND kind IN ('one', 'many', 'waiting', 'sla', 'user', 'setting', 'release') AND u.current_lead_count > greatest(u.max_active_leads, b.n)
    UNION ALL
    SELECT 'a lead waits beside ' || u.full_name FROM lead_system.users u
     WHERE EXISTS (SELECT FROM lead_system.waiting_leads) AND lead_system.get_config('assignment.drain') = 'true' AND lead_system.get_config('assignment.strategy') <> '"none"'
       AND u.is_active AND u.assignment_weight > 0 AND u.current_lead_count < u.max_active_leads
       AND (u.role = 'rep' OR u.role = 'manager' AND lead_system.get_config('assignment.manager_fallback') = 'true')
    UNION ALL
    SELECT 'a lead went to somebody who takes none' FROM lead_system.lead_assignments a JOIN lead_system.users u ON u.id = a.to_user_id
     WHERE a.strategy <> 'manual' AND (u.role NOT IN ('rep', 'manager') OR u.is_contractor)
$$;

-- A world of its own: steps, each checked.
CREATE PROCEDURE prop.run_world(world int, seed int, steps int) LANGUAGE plpgsql AS $$
DECLARE
    kinds text[] := '{new,new,new,one,manual,many,many,waiting,update,status,status,delete,gone,spam,warmer,user,user,setting,release,sla,time}';
    kind text;
    fault text;
    code text;
BEGIN
    DELETE FROM lead_system.organizations; -- a superuser sees all
    PERFORM setseed(((seed + world) % 1000) / 1000.0), set_config('lead_system.now', '2026-03-02 15:00+00', false);
    PERFORM set_config('app.current_org_id', lead_system.create_organization('World ' || world, 'b2b')::text, false);
    INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor, max_active_leads, skills)
    SELECT lead_system.current_org_id(), 'user ' || n, 'user' || n || '@example.com', (ARRAY['rep', 'rep', 'rep', 'manager', 'contractor', 'viewer'])[1 + n % 6], n % 6 = 4, prop.pick(6), '{roofing}'
      FROM generate_series(0, 9) n;
    INSERT INTO lead_system.territories (organization_id, kind, code, user_id) SELECT DISTINCT lead_system.current_org_id(), 'state', 'IL', prop.some_user() FROM generate_series(1, 3);
    FOR i IN 1 .. steps LOOP
        kind := kinds[1 + prop.pick(cardinality(kinds))];
        DELETE FROM prop.before;
        INSERT INTO prop.before SELECT id, current_lead_count FROM lead_system.users;
        code := '00000';
        BEGIN
            PERFORM prop.step(kind);
        EXCEPTION WHEN OTHERS THEN
            code := SQLSTATE;
            IF code NOT IN ('LS040', 'LS041', 'LS030') THEN RAISE; END IF;
        END;
        INSERT INTO prop.outcomes VALUES (kind, code, 1) ON CONFLICT ON CONSTRAINT outcomes_pkey DO UPDATE SET times = prop.outcomes.times + 1;
        SELECT string_agg(f, ', ') INTO fault FROM prop.faults(kind) f;
        IF fault IS NOT NULL THEN RAISE EXCEPTION 'step % (%): %', i, kind, fault; END IF;
        COMMIT;
    END LOOP;
END $$;
