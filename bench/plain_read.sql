-- The reading functions as a good developer would write them in PL/pgSQL, on
-- the tables and indexes of the extension itself.
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;

-- Points of the form (semantics A), component by component.
CREATE FUNCTION bench.points(company_size text, industry text, inquiry_type text, budget_timeline text, email text,
        replies integer, visits integer, demo boolean, bonus boolean, active_at timestamptz, at timestamptz)
    RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    domain text := split_part(email, '@', 2);
    points integer[];
BEGIN
    points := ARRAY[
        CASE company_size WHEN '1-10' THEN 5 WHEN '11-50' THEN 10 WHEN '51-200' THEN 20
            WHEN '201-1000' THEN 30 WHEN '1000+' THEN 25 ELSE 0 END,
        CASE industry WHEN 'Software/SaaS' THEN 20 WHEN 'Marketing/Advertising' THEN 18 WHEN 'Financial Services' THEN 18
            WHEN 'Healthcare' THEN 15 WHEN 'Professional Services' THEN 12 WHEN 'Manufacturing' THEN 10
            WHEN 'Retail/E-commerce' THEN 5 WHEN 'Education' THEN 5 WHEN 'Non-Profit' THEN 3
            ELSE CASE WHEN industry IS NULL THEN 0 ELSE 8 END END,
        CASE inquiry_type WHEN 'Demo Request' THEN 30 WHEN 'Pricing Information' THEN 25 WHEN 'Contact Sales' THEN 25
            WHEN 'General Question' THEN 15 WHEN 'Partnership Inquiry' THEN 10 WHEN 'Content Download' THEN 5 ELSE 0 END,
        CASE budget_timeline WHEN 'Immediate' THEN 20 WHEN '1-3 months' THEN 15 WHEN '3-6 months' THEN 10
            WHEN '6-12 months' THEN 5 ELSE 0 END,
        CASE WHEN email IS NULL OR domain IN ('gmail.com', 'yahoo.com', 'hotmail.com', 'outlook.com', 'aol.com') THEN 0
            WHEN domain LIKE '%.edu' THEN 2 ELSE 5 END,
        CASE WHEN replies >= 1 THEN 5 ELSE 0 END + CASE WHEN visits >= 3 THEN 10 ELSE 0 END + CASE WHEN demo THEN 15 ELSE 0 END,
        CASE WHEN bonus THEN 10 ELSE 0 END,
        greatest(-5 * floor(extract(epoch FROM greatest(at - active_at, interval '0')) / 604800)::integer, -30)];
    RETURN points;
END
$$;

CREATE FUNCTION bench.raw_score(points integer[]) RETURNS integer
    LANGUAGE sql IMMUTABLE
AS $$ SELECT points[1] + points[2] + points[3] + points[4] + points[5] + points[6] + points[7] + points[8] $$;

CREATE FUNCTION bench.calculate_lead_score(lead_id uuid) RETURNS integer
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    raw integer;
BEGIN
    SELECT bench.raw_score(bench.points(l.company_size, l.industry, l.inquiry_type, l.budget_timeline, l.email, l.email_reply_count,
               l.pricing_page_visits, l.demo_video_watched, l.qualification_bonus_applied,
               coalesce(l.last_activity_at, l.created_at), now()))
      INTO raw
      FROM lead_system.leads l WHERE l.id = lead_id;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('lead %s does not exist', lead_id);
    END IF;
    RETURN least(greatest(raw, 0), 100);
END
$$;

CREATE FUNCTION bench.is_on_dnc_list(phone text, org_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    org CONSTANT uuid := nullif(current_setting('app.current_org_id', true), '')::uuid;
BEGIN
    IF org IS NOT NULL AND org <> org_id THEN
        RAISE insufficient_privilege USING MESSAGE = 'another organization';
    END IF;
    IF phone !~ '^\+[1-9][0-9]{6,14}$' THEN
        phone := lead_system.normalize_phone(phone);
        IF phone IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = org_id AND d.phone_number = phone
                      AND (d.expires_at IS NULL OR d.expires_at > now()));
END
$$;

-- Keyset paging that uses the index: one branch per temperature, merged.
CREATE FUNCTION bench.dashboard(p_temperature text, page_size integer, after jsonb)
    RETURNS TABLE (lead_id uuid, company_name text, contact_name text, email text, phone_number text, status text,
        temperature text, lead_score integer, raw_score integer, assigned_to uuid, created_at timestamptz, cursor jsonb)
    LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    org CONSTANT uuid := nullif(current_setting('app.current_org_id', true), '')::uuid;
    at_score CONSTANT integer := coalesce((after->>'raw_score')::integer, 2147483647);
    at_time CONSTANT timestamptz := coalesce((after->>'created_at')::timestamptz, 'infinity');
    at_id CONSTANT uuid := coalesce((after->>'id')::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
BEGIN
    RETURN QUERY
    SELECT p.id, p.company_name, nullif(concat_ws(' ', p.first_name, p.last_name), ''), p.email, p.phone_number, p.status,
           p.temperature, p.lead_score, p.raw_score, p.assigned_to, p.created_at,
           jsonb_build_object('raw_score', p.raw_score, 'created_at', p.created_at, 'id', p.id)
      FROM unnest(CASE WHEN p_temperature IS NULL THEN ARRAY['hot', 'warm', 'cool', 'cold', 'unrated'] ELSE ARRAY[p_temperature] END) t
     CROSS JOIN LATERAL (SELECT * FROM lead_system.leads l
          WHERE l.organization_id = org AND l.temperature = t AND l.deleted_at IS NULL AND NOT l.is_spam
            AND (l.raw_score, l.created_at, l.id) < (at_score, at_time, at_id)
          ORDER BY l.raw_score DESC, l.created_at DESC, l.id DESC LIMIT page_size) p
     ORDER BY p.raw_score DESC, p.created_at DESC, p.id DESC LIMIT page_size;
END
$$;
