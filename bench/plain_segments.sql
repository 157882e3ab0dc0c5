-- Filters and segments: the evaluator of filters that a user would write in
-- PL/pgSQL, an organization of its own with :segment_leads leads to count, and
-- organizations with 1 and with 500 smart lists.
\set ON_ERROR_STOP on
RESET ROLE;
SET client_min_messages = warning;
SELECT lead_system.create_organization('Segments') AS segments \gset
CREATE TABLE bench.segment_stages (kind text PRIMARY KEY, org uuid NOT NULL, lead uuid);
INSERT INTO bench.segment_stages VALUES ('count', :'segments');
INSERT INTO bench.segment_stages SELECT k, lead_system.create_organization(k) FROM unnest(ARRAY['one', 'others', 'all', 'time']) k;
GRANT SELECT ON bench.segment_stages TO bench_app;
SET app.current_org_id = :'segments';
INSERT INTO lead_system.leads (organization_id, first_name, last_name, company_name, email, phone_number, city, company_size,
        industry, inquiry_type, budget_timeline, source, tags, status)
SELECT :'segments', p.*, (ARRAY['{}', '{new}', '{new,vip}', '{web}', '{old,web}', '{old}'])[1 + (hashtext(p.email) & 1023) % 6]::text[],
       CASE WHEN hashtext(p.phone_number) % 4 = 0 THEN 'Contacted' ELSE 'New' END
  FROM bench.people(300000001, 300000000 + :segment_leads) p;
VACUUM ANALYZE lead_system.leads;

CREATE FUNCTION bench.use_stage(p_kind text) RETURNS text
    LANGUAGE sql
AS $$ SELECT set_config('app.current_org_id', s.org::text, false) FROM bench.segment_stages s WHERE s.kind = p_kind $$;

-- The plain statement as the owner of everything runs it: no policy, and each
-- condition free to use an index.
CREATE FUNCTION bench.count_without_policies(plain text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM lead_system.leads WHERE organization_id = %L AND %s', lead_system.current_org_id(), plain) INTO n;
    RETURN n;
END
$$;

-- A lead by a filter with AND of keys, equality, arrays and the operators that are
-- asked most.  Reads each column that a key names, and not the row as a whole.
CREATE FUNCTION bench.filter_matches(filter jsonb, l lead_system.leads) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    key text;
    wanted jsonb;
    operator text;
    operand jsonb;
    actual jsonb;
BEGIN
    IF l.deleted_at IS NOT NULL THEN
        RETURN false;
    END IF;
    FOR key, wanted IN SELECT * FROM jsonb_each(filter) LOOP
        actual := CASE key WHEN 'status' THEN to_jsonb(l.status) WHEN 'lead_score' THEN to_jsonb(l.lead_score)
                           WHEN 'tags' THEN to_jsonb(l.tags) WHEN 'temperature' THEN to_jsonb(l.temperature)
                           WHEN 'source' THEN to_jsonb(l.source) WHEN 'city' THEN to_jsonb(l.city)
                           WHEN 'created_at' THEN to_jsonb(l.created_at) END;
        IF actual IS NULL THEN
            RETURN false;
        END IF;
        CASE jsonb_typeof(wanted)
        WHEN 'array' THEN
            IF NOT wanted @> actual THEN RETURN false; END IF;
        WHEN 'object' THEN
            FOR operator, operand IN SELECT * FROM jsonb_each(wanted) LOOP
                IF NOT (CASE operator
                    WHEN 'eq' THEN actual = operand WHEN 'ne' THEN actual <> operand
                    WHEN 'gt' THEN actual > operand WHEN 'gte' THEN actual >= operand
                    WHEN 'lt' THEN actual < operand WHEN 'lte' THEN actual <= operand
                    WHEN 'contains_any' THEN EXISTS (SELECT 1 FROM jsonb_array_elements_text(operand) w WHERE actual ? w)
                    WHEN 'contains_all' THEN actual @> operand END)
                THEN
                    RETURN false;
                END IF;
            END LOOP;
        ELSE
            IF actual <> wanted THEN RETURN false; END IF;
        END CASE;
    END LOOP;
    RETURN true;
END
$$;

-- One list, or 500: of which five read the column that is changed, or all of them
-- do, or all do and move with the time.
CREATE PROCEDURE bench.make_lists(p_kind text, lists integer)
    LANGUAGE plpgsql
AS $$
DECLARE
    v_org uuid := (SELECT org FROM bench.segment_stages WHERE kind = p_kind);
BEGIN
    PERFORM bench.use_stage(p_kind);
    INSERT INTO lead_system.leads (organization_id, first_name, city) SELECT v_org, 'lead ' || g, 'none' FROM generate_series(1, 1000) g;
    UPDATE bench.segment_stages SET lead = (SELECT min(id::text)::uuid FROM lead_system.leads WHERE organization_id = v_org) WHERE kind = p_kind;
    INSERT INTO lead_system.segments (organization_id, name, filter)
    SELECT v_org, 'segment ' || g, CASE WHEN p_kind = 'others' AND g > 5 THEN jsonb_build_object('industry', 'industry ' || g)
               WHEN p_kind = 'time' THEN jsonb_build_object('city', 'city ' || g, 'created_at', jsonb_build_object('gte', '-30d'))
               ELSE jsonb_build_object('city', 'city ' || g) END
      FROM generate_series(1, lists) g;
    INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id)
    SELECT organization_id, name, 'smart', id FROM lead_system.segments WHERE organization_id = v_org;
END
$$;
CALL bench.make_lists('one', 1);
CALL bench.make_lists('others', 500);
CALL bench.make_lists('all', 500);
CALL bench.make_lists('time', 500);
RESET app.current_org_id;
VACUUM ANALYZE lead_system.leads, lead_system.segments, lead_system.lead_lists, lead_system.lead_list_members;

-- Change a lead again and again: to cities that no list has, or that each time
-- another list has, so that it comes into one and leaves one.
CREATE FUNCTION bench.change_lead(p_kind text, moves boolean, times integer) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    s bench.segment_stages;
BEGIN
    SELECT t.* INTO s FROM bench.segment_stages t WHERE t.kind = p_kind;
    FOR i IN 1 .. times LOOP
        UPDATE lead_system.leads SET city = CASE WHEN moves THEN 'city ' ELSE 'town ' END || 1 + i % 2
         WHERE organization_id = s.org AND id = s.lead;
    END LOOP;
END
$$;
