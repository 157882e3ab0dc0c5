-- The rules of leads as a good developer would write them in PL/pgSQL: one row
-- trigger before, statement triggers with transition tables after.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;

CREATE FUNCTION bench.leads_before_row() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    points integer[];
    listed boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.organization_id := coalesce(NEW.organization_id, lead_system.current_org_id());
    END IF;
    IF NEW.phone_number IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.phone_number IS DISTINCT FROM OLD.phone_number) THEN
        IF NEW.phone_number !~ '^\+[1-9][0-9]{6,14}$' THEN
            NEW.phone_number := lead_system.normalize_phone(NEW.phone_number);
            IF NEW.phone_number IS NULL THEN
                RAISE invalid_parameter_value USING MESSAGE = 'not a valid phone number';
            END IF;
        END IF;
        SELECT true INTO listed FROM lead_system.dnc_list d
         WHERE d.organization_id = NEW.organization_id AND d.phone_number = NEW.phone_number
           AND (d.expires_at IS NULL OR d.expires_at > now());
        IF listed THEN
            NEW.do_not_call := true;
            NEW.calling_blocked_reason := coalesce(NEW.calling_blocked_reason, 'dnc_list');
        END IF;
    END IF;
    IF NEW.email IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.email IS DISTINCT FROM OLD.email) THEN
        NEW.email := lower(btrim(NEW.email));
        IF EXISTS (SELECT FROM bench.leads l
                    WHERE l.organization_id = NEW.organization_id AND l.email = NEW.email AND l.deleted_at IS NULL
                      AND l.created_at > NEW.created_at - interval '24 hours'
                      AND l.created_at < NEW.created_at + interval '24 hours' AND l.id <> NEW.id) THEN
            RAISE unique_violation USING MESSAGE = 'a lead with this e-mail address exists';
        END IF;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.pipeline_id IS NULL THEN
        SELECT p.id, s.status, s.stage, s.pipeline_stage
          INTO NEW.pipeline_id, NEW.status, NEW.stage, NEW.pipeline_stage
          FROM lead_system.organizations o
          JOIN lead_system.pipelines p ON p.name = o.default_pipeline AND (p.organization_id IS NULL OR p.organization_id = o.id)
          JOIN lead_system.pipeline_statuses s ON s.pipeline_id = p.id AND s.is_initial
         WHERE o.id = NEW.organization_id ORDER BY p.organization_id NULLS LAST LIMIT 1;
        NEW.status_changed_at := now();
    END IF;
    IF TG_OP = 'INSERT' OR (NEW.company_size, NEW.industry, NEW.inquiry_type, NEW.budget_timeline, NEW.email, NEW.email_reply_count,
            NEW.pricing_page_visits, NEW.demo_video_watched, NEW.qualification_bonus_applied, NEW.last_activity_at)
        IS DISTINCT FROM (OLD.company_size, OLD.industry, OLD.inquiry_type, OLD.budget_timeline, OLD.email, OLD.email_reply_count,
            OLD.pricing_page_visits, OLD.demo_video_watched, OLD.qualification_bonus_applied, OLD.last_activity_at) THEN
        points := bench.points(NEW.company_size, NEW.industry, NEW.inquiry_type, NEW.budget_timeline, NEW.email, NEW.email_reply_count,
            NEW.pricing_page_visits, NEW.demo_video_watched, NEW.qualification_bonus_applied,
            coalesce(NEW.last_activity_at, NEW.created_at), now());
        NEW.raw_score := bench.raw_score(points);
        NEW.lead_score := least(greatest(NEW.raw_score, 0), 100);
        NEW.temperature := CASE WHEN NEW.lead_score >= 80 THEN 'hot' WHEN NEW.lead_score >= 50 THEN 'warm' ELSE 'cold' END;
        NEW.score_breakdown := jsonb_build_object('company_size', points[1], 'industry', points[2], 'inquiry_type', points[3],
            'budget_timeline', points[4], 'email_validation', points[5]);
        IF points[6] <> 0 THEN NEW.score_breakdown := NEW.score_breakdown || jsonb_build_object('engagement', points[6]); END IF;
        IF points[7] <> 0 THEN NEW.score_breakdown := NEW.score_breakdown || jsonb_build_object('qualification_bonus', points[7]); END IF;
        IF points[8] <> 0 THEN NEW.score_breakdown := NEW.score_breakdown || jsonb_build_object('decay', points[8]); END IF;
        NEW.scored_at := now();
        NEW.scoring_model := 'b2b';
        IF TG_OP = 'INSERT' AND (NEW.email = 'test@test.com' OR NEW.company_name ~ '^[0-9]+$'
            OR NEW.lead_score < 10 AND (NEW.email LIKE '%test%' OR length(NEW.company_name) < 4)) THEN
            NEW.is_spam := true;
        END IF;
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION bench.leads_after_insert() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO bench.activities (organization_id, lead_id, user_id, action_type, new_value)
    SELECT n.organization_id, n.id, lead_system.current_user_id(), 'lead_created', jsonb_build_object('score', n.lead_score)
      FROM new_rows n;
    RETURN NULL;
END
$$;

CREATE FUNCTION bench.temperature_rank(temperature text) RETURNS smallint
    LANGUAGE sql IMMUTABLE
AS $$ SELECT (CASE temperature WHEN 'hot' THEN 1 WHEN 'warm' THEN 2 WHEN 'cool' THEN 3 WHEN 'cold' THEN 4 ELSE 5 END)::smallint $$;

CREATE FUNCTION bench.leads_after_update() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    derived CONSTANT text[] := '{stage,pipeline_stage,status_changed_at,lead_score,raw_score,score_breakdown,temperature,scored_at,scoring_model,is_qualified,qualification_bonus_applied,created_at,updated_at}';
BEGIN
    INSERT INTO bench.lead_audit_log (organization_id, lead_id, field_name, old_value, new_value, changed_by)
    SELECT p.organization_id, p.id, f.key, p.old->>f.key, f.value, lead_system.current_user_id()
      FROM (SELECT n.organization_id, n.id, to_jsonb(o) - derived AS old, to_jsonb(n) - derived AS new
              FROM new_rows n JOIN old_rows o ON o.id = n.id
            OFFSET 0) p -- else the planner would convert the rows once per field
     CROSS JOIN LATERAL jsonb_each_text(p.new) f
     WHERE p.old <> p.new AND f.value IS DISTINCT FROM p.old->>f.key;

    INSERT INTO bench.lead_score_history (organization_id, lead_id, old_score, new_score, raw_score, model, breakdown)
    SELECT n.organization_id, n.id, o.lead_score, n.lead_score, n.raw_score, n.scoring_model, n.score_breakdown
      FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.raw_score <> o.raw_score;
    INSERT INTO bench.activities (organization_id, lead_id, user_id, action_type, old_value, new_value)
    SELECT n.organization_id, n.id, lead_system.current_user_id(), 'score_updated', jsonb_build_object('score', o.lead_score),
           jsonb_build_object('score', n.lead_score)
      FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.lead_score <> o.lead_score;
    UPDATE bench.campaign_leads q SET temperature_rank = bench.temperature_rank(n.temperature), lead_score = n.lead_score,
           is_dialable = n.phone_number IS NOT NULL AND n.deleted_at IS NULL AND NOT n.is_spam,
           status = CASE WHEN n.do_not_call AND NOT o.do_not_call THEN 'dnc' ELSE q.status END
      FROM new_rows n JOIN old_rows o ON o.id = n.id
     WHERE (n.lead_score, n.temperature, n.is_spam, n.deleted_at IS NULL, n.phone_number IS NULL, n.do_not_call)
            IS DISTINCT FROM (o.lead_score, o.temperature, o.is_spam, o.deleted_at IS NULL, o.phone_number IS NULL, o.do_not_call)
       AND q.organization_id = n.organization_id AND q.lead_id = n.id AND q.status IN ('new', 'queued', 'calling', 'contacted');
    RETURN NULL;
END
$$;

CREATE TRIGGER leads_before_row BEFORE INSERT OR UPDATE ON bench.leads
    FOR EACH ROW EXECUTE FUNCTION bench.leads_before_row();
CREATE TRIGGER leads_after_insert AFTER INSERT ON bench.leads
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION bench.leads_after_insert();
CREATE TRIGGER leads_after_update AFTER UPDATE ON bench.leads
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION bench.leads_after_update();

-- An import: COPY into a staging table, then row by row, so that a bad row
-- costs itself only.  Returns the number of rows that were refused.
CREATE TABLE bench.staging (
    line integer GENERATED ALWAYS AS IDENTITY,
    first_name text, last_name text, company_name text, email text, phone_number text, city text,
    company_size text, industry text, inquiry_type text, budget_timeline text
);

CREATE FUNCTION bench.import(list_name text) RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    list uuid;
    r bench.staging;
    found_id uuid;
    refused integer := 0;
BEGIN
    INSERT INTO bench.lead_lists (organization_id, name) VALUES (org, list_name) RETURNING id INTO list;
    FOR r IN SELECT * FROM bench.staging ORDER BY line LOOP
        BEGIN
            IF r.phone_number !~ '^\+[1-9][0-9]{6,14}$' THEN
                r.phone_number := coalesce(lead_system.normalize_phone(r.phone_number), r.phone_number);
            END IF;
            r.email := lower(btrim(r.email));
            SELECT l.id INTO found_id FROM bench.leads l
             WHERE l.organization_id = org AND l.email = r.email AND l.deleted_at IS NULL ORDER BY l.created_at LIMIT 1;
            IF found_id IS NULL THEN
                SELECT l.id INTO found_id FROM bench.leads l
                 WHERE l.organization_id = org AND l.phone_number = r.phone_number AND l.deleted_at IS NULL;
            END IF;
            IF found_id IS NULL THEN
                INSERT INTO bench.leads (organization_id, first_name, last_name, company_name, email, phone_number, city,
                    company_size, industry, inquiry_type, budget_timeline, source)
                VALUES (org, r.first_name, r.last_name, r.company_name, r.email, r.phone_number, r.city,
                    r.company_size, r.industry, r.inquiry_type, r.budget_timeline, 'bench_import')
                RETURNING id INTO found_id;
            ELSE
                UPDATE bench.leads l SET first_name = coalesce(r.first_name, l.first_name),
                    last_name = coalesce(r.last_name, l.last_name), company_name = coalesce(r.company_name, l.company_name),
                    email = coalesce(r.email, l.email), phone_number = coalesce(r.phone_number, l.phone_number),
                    city = coalesce(r.city, l.city), company_size = coalesce(r.company_size, l.company_size),
                    industry = coalesce(r.industry, l.industry), inquiry_type = coalesce(r.inquiry_type, l.inquiry_type),
                    budget_timeline = coalesce(r.budget_timeline, l.budget_timeline)
                 WHERE l.organization_id = org AND l.id = found_id;
            END IF;
            INSERT INTO bench.lead_list_members (organization_id, lead_list_id, lead_id)
            VALUES (org, list, found_id) ON CONFLICT (organization_id, lead_list_id, lead_id) DO NOTHING;
        EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
            refused := refused + 1;
        END;
    END LOOP;
    UPDATE bench.lead_lists l SET lead_count = (SELECT count(*) FROM bench.lead_list_members m
                                                 WHERE m.organization_id = org AND m.lead_list_id = list)
     WHERE l.organization_id = org AND l.id = list;
    RETURN refused;
END
$$;
