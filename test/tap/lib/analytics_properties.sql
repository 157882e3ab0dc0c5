-- Random organizations, and every report and view computed again in another way:
-- lead by lead, from copies of the rows that were made before any of them went into the archive.
CREATE SCHEMA prop;
CREATE TABLE prop.leads (LIKE lead_system.leads);
CREATE TABLE prop.steps (LIKE lead_system.lead_status_history);
CREATE TABLE prop.acts (LIKE lead_system.activities);
CREATE TABLE prop.truth (id uuid, created_at timestamptz, day date, source text, sub_source text, origin text, amount numeric, stage text, temperature text, score integer,
    furthest integer, contacted timestamptz, qualified timestamptz, won timestamptz, is_won boolean, response interval);
CREATE TABLE prop.checks (name text, seen bigint);

CREATE FUNCTION prop.pick(choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::integer] $$;
CREATE FUNCTION prop.rank(stage text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((SELECT r.n FROM (VALUES ('new', 1), ('working', 2), ('contacted', 3), ('qualified', 4), ('won', 5)) r(s, n) WHERE r.s = stage), 0) $$;

-- Two queries return the same rows.
CREATE PROCEDURE prop.same(name text, actual text, expected text) LANGUAGE plpgsql AS $$
DECLARE
    difference text;
    n bigint;
BEGIN
    EXECUTE format('WITH a AS (%s), e AS (%s) SELECT (SELECT count(*) FROM e), (SELECT string_agg(x, E''\n'') FROM (
        (SELECT ''only in the report: '' || a::text AS x FROM (SELECT * FROM a EXCEPT ALL SELECT * FROM e) a LIMIT 3)
        UNION ALL (SELECT ''missing: '' || e::text FROM (SELECT * FROM e EXCEPT ALL SELECT * FROM a) e LIMIT 3)) d)', actual, expected) INTO n, difference;
    IF difference IS NOT NULL THEN
        RAISE EXCEPTION '%: %', name, difference;
    END IF;
    INSERT INTO prop.checks VALUES (name, n);
END
$$;

-- One lead: at a time that is often just before or after a midnight, through random statuses.
CREATE PROCEDURE prop.make_lead(org uuid, zone text) LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := ('2025-12-20'::date + floor(random() * 95)::integer)::timestamp AT TIME ZONE CASE WHEN random() < 0.5 THEN zone ELSE 'UTC' END;
    pipeline uuid := ('00000000-0000-7000-8000-00000000000' || prop.pick('{1,2,3,5}'))::uuid;
    lead uuid;
    step text;
BEGIN
    at := at + CASE floor(random() * 4)::integer WHEN 0 THEN interval '0' WHEN 1 THEN interval '-1 microsecond' ELSE random() * interval '24 hours' END;
    PERFORM set_config('lead_system.now', at::text, false);
    INSERT INTO lead_system.leads (organization_id, first_name, pipeline_id, status, source, sub_source, utm_source, actual_amount, quoted_amount, company_size, inquiry_type, budget_timeline, is_spam)
    SELECT org, 'lead', pipeline, (SELECT s.status FROM lead_system.pipeline_statuses s WHERE s.pipeline_id = pipeline AND (s.is_initial OR (random() < 0.05 AND NOT s.requires_reason)) ORDER BY random() LIMIT 1),
           prop.pick('{web,fair,radio,NULL}'), prop.pick('{spring,autumn,"",NULL,NULL}'), prop.pick('{google,NULL,NULL}'),
           CASE WHEN random() < 0.7 THEN round((random() * 1000)::numeric, 2) END, CASE WHEN random() < 0.3 THEN round((random() * 1000)::numeric, 2) END,
           prop.pick('{1-10,51-200,201-1000,NULL}'), prop.pick('{"Demo Request","Content Download",NULL}'), prop.pick('{Immediate,"Just Researching"}'), random() < 0.03
    RETURNING id INTO lead;
    FOR i IN 1 .. floor(random() * 7)::integer LOOP
        at := at + CASE WHEN random() < 0.1 THEN interval '0' ELSE random() * random() * interval '20 days' END;
        PERFORM set_config('lead_system.now', at::text, false);
        IF random() < 0.4 THEN
            PERFORM lead_system.record_touch(lead, prop.pick('{newsletter,google,fair}'));
        END IF;
        IF random() < 0.2 THEN
            INSERT INTO lead_system.activities (organization_id, lead_id, action_type) VALUES (org, lead, prop.pick('{call_made,sms_sent,email_sent,note_added}'));
        END IF;
        SELECT s.status INTO step FROM lead_system.pipeline_statuses s WHERE s.pipeline_id = pipeline ORDER BY random() LIMIT 1;
        PERFORM lead_system.change_lead_status(lead, step, 'because', force => true);
    END LOOP;
    IF random() < 0.05 THEN
        UPDATE lead_system.leads SET completed_at = created_at + interval '3 days' WHERE organization_id = org AND id = lead;
    END IF;
    IF random() < 0.05 THEN
        UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = org AND id = lead;
    ELSIF random() < 0.04 THEN
        PERFORM lead_system.erase_lead(lead, 'asked for it');
    END IF;
END
$$;

-- What is true of each lead, from its copy.
CREATE PROCEDURE prop.make_truth(org uuid, zone text) LANGUAGE plpgsql AS $$
DECLARE
    l prop.leads;
    s prop.steps;
    t prop.truth;
BEGIN
    TRUNCATE prop.truth;
    FOR l IN SELECT * FROM prop.leads LOOP
        CONTINUE WHEN l.is_spam OR (l.deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lead_system.erasures e WHERE e.subject_id = l.id));
        t := NULL;
        t.id := l.id;
        t.created_at := l.created_at;
        t.day := (l.created_at AT TIME ZONE zone)::date;
        t.source := coalesce(l.source, 'direct');
        t.sub_source := nullif(l.sub_source, '');
        t.origin := coalesce(l.utm_source, l.source, 'direct');
        t.amount := l.actual_amount;
        t.stage := l.stage;
        t.temperature := l.temperature;
        t.score := l.lead_score;
        t.response := greatest(l.contacted_at, l.created_at) - l.created_at;
        IF l.contacted_at IS NULL THEN
            t.response := NULL;
        END IF;
        t.furthest := greatest(1, prop.rank(l.stage));
        t.contacted := least(l.contacted_at, l.qualified_at, l.quoted_at, l.booked_at, l.completed_at);
        t.qualified := least(l.qualified_at, l.quoted_at, l.booked_at, l.completed_at);
        t.won := least(l.booked_at, l.completed_at);
        FOR s IN SELECT * FROM prop.steps x WHERE x.lead_id = l.id ORDER BY x.created_at, x.id LOOP
            t.furthest := greatest(t.furthest, prop.rank(s.old_stage), prop.rank(s.new_stage));
            IF prop.rank(s.new_stage) >= 3 THEN t.contacted := least(t.contacted, s.created_at); END IF;
            IF prop.rank(s.new_stage) >= 4 THEN t.qualified := least(t.qualified, s.created_at); END IF;
            IF prop.rank(s.new_stage) >= 5 THEN t.won := least(t.won, s.created_at); END IF;
        END LOOP;
        IF t.contacted IS NOT NULL THEN t.furthest := greatest(t.furthest, 3); END IF;
        IF t.qualified IS NOT NULL THEN t.furthest := greatest(t.furthest, 4); END IF;
        IF t.won IS NOT NULL THEN t.furthest := 5; END IF;
        IF t.furthest >= 3 AND t.contacted IS NULL THEN t.contacted := l.created_at; END IF;
        IF t.furthest >= 4 AND t.qualified IS NULL THEN t.qualified := l.created_at; END IF;
        IF t.furthest >= 5 AND t.won IS NULL THEN t.won := l.created_at; END IF;
        t.is_won := t.furthest = 5 AND t.stage IN ('won', 'blocked', 'archived');
        INSERT INTO prop.truth VALUES (t.*);
    END LOOP;
END
$$;

-- Stays in stages, walked step by step.
CREATE FUNCTION prop.stays(zone text, from_day date, to_day date) RETURNS TABLE (stage text, lead_id uuid, lasted interval) LANGUAGE plpgsql AS $$
DECLARE
    s prop.steps;
    lead uuid;
    total interval;
BEGIN
    FOR s IN SELECT * FROM prop.steps x WHERE x.lead_id IN (SELECT t.id FROM prop.truth t) ORDER BY x.lead_id, x.created_at, x.id LOOP
        IF lead IS DISTINCT FROM s.lead_id THEN
            total := '0';
            lead := s.lead_id;
        END IF;
        total := total + s.time_in_status;
        IF s.old_stage <> s.new_stage THEN
            IF (s.created_at AT TIME ZONE zone)::date BETWEEN from_day AND to_day THEN
                stage := s.old_stage;
                lead_id := lead;
                lasted := total;
                RETURN NEXT;
            END IF;
            total := '0';
        END IF;
    END LOOP;
END
$$;

-- The shares of the touches of leads that were won, touch by touch.
CREATE FUNCTION prop.shares(zone text, from_day date, to_day date, model text, contacts boolean) RETURNS TABLE (source text, share numeric, amount numeric) LANGUAGE plpgsql AS $$
DECLARE
    t prop.truth;
    touches text[];
    n integer;
BEGIN
    FOR t IN SELECT * FROM prop.truth x WHERE x.is_won AND (x.won AT TIME ZONE zone)::date BETWEEN from_day AND to_day LOOP
        SELECT ARRAY[t.origin] || coalesce(array_agg(y.s ORDER BY y.at, y.id), '{}') INTO touches
          FROM (SELECT a.created_at AS at, a.id, CASE a.action_type WHEN 'touch' THEN a.new_value->>'source' WHEN 'call_made' THEN CASE WHEN contacts THEN 'call' END
                    WHEN 'sms_sent' THEN CASE WHEN contacts THEN 'sms' END WHEN 'email_sent' THEN CASE WHEN contacts THEN 'email' END END AS s
                  FROM prop.acts a WHERE a.lead_id = t.id AND a.created_at <= t.won) y WHERE y.s IS NOT NULL;
        n := cardinality(touches);
        FOR i IN 1 .. n LOOP
            source := touches[i];
            amount := coalesce(t.amount, 0);
            share := CASE model WHEN 'first' THEN (i = 1)::integer WHEN 'last' THEN (i = n)::integer WHEN 'linear' THEN 1.0 / n
                ELSE CASE WHEN n = 1 THEN 1 WHEN n = 2 THEN 0.5 WHEN i = 1 OR i = n THEN 0.4 ELSE 0.2 / (n - 2) END END;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;

-- All reports of some days.
CREATE PROCEDURE prop.check_reports(org uuid, zone text, a date, b date) LANGUAGE plpgsql AS $$
DECLARE
    days text := format('%L, %L', a, b);
    mine text := format('(SELECT * FROM prop.truth WHERE day BETWEEN %L AND %L)', a, b);
    bucket text := prop.pick('{day,week,month,quarter}');
    model text := prop.pick('{first,last,linear,position}');
    contacts boolean := random() < 0.5;
BEGIN
    CALL prop.same('lead_funnel', format('SELECT stage, leads, reached, rate FROM lead_system.lead_funnel(%s)', days), format(
        'SELECT s.stage, (SELECT count(*) FROM %1$s t WHERE t.stage = s.stage) AS leads,
                (SELECT count(*) FROM %1$s t WHERE CASE WHEN prop.rank(s.stage) > 0 THEN t.furthest >= prop.rank(s.stage) ELSE t.stage = s.stage END) AS reached,
                (SELECT round(avg(CASE WHEN CASE WHEN prop.rank(s.stage) > 0 THEN t.furthest >= prop.rank(s.stage) ELSE t.stage = s.stage END THEN 1 ELSE 0 END), 4) FROM %1$s t)
           FROM (VALUES (''new''), (''working''), (''contacted''), (''qualified''), (''won''), (''lost''), (''blocked''), (''archived'')) s(stage)', mine));
    CALL prop.same('time_in_stage', format('SELECT stage, stays, leads, average, median, longest FROM lead_system.time_in_stage(%s)', days), format(
        'SELECT stage, count(*), count(DISTINCT lead_id), avg(lasted), percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted), max(lasted) FROM prop.stays(%L, %s) GROUP BY stage', zone, days));
    CALL prop.same('source_performance', format('SELECT * FROM lead_system.source_performance(%s)', days), format(
        'SELECT k.source, k.sub_source, n.leads, n.won, round(c.cost, 2), round(n.revenue, 2), CASE WHEN c.cost <> 0 AND n.leads <> 0 THEN round(c.cost / n.leads, 2) END,
                CASE WHEN c.cost <> 0 AND n.won <> 0 THEN round(c.cost / n.won, 2) END, CASE WHEN c.cost <> 0 THEN round((n.revenue - c.cost) / c.cost, 4) END
           FROM (SELECT t.source, t.sub_source FROM %1$s t UNION SELECT x.source, nullif(x.sub_source, '''') FROM lead_system.lead_source_costs x JOIN lead_system.organizations o ON o.id = x.organization_id AND o.currency = x.currency
                  WHERE x.organization_id = %2$L AND EXISTS (SELECT 1 FROM generate_series(%3$L::date, %4$L::date, interval ''1 day'') d WHERE date_trunc(''month'', d) = x.period_month)) k
          CROSS JOIN LATERAL (SELECT count(*) AS leads, count(*) FILTER (WHERE t.is_won) AS won, coalesce(sum(t.amount) FILTER (WHERE t.is_won), 0) AS revenue
                  FROM %1$s t WHERE t.source = k.source AND t.sub_source IS NOT DISTINCT FROM k.sub_source) n
          CROSS JOIN LATERAL (SELECT coalesce(sum(x.total_cost * m.days / extract(day FROM x.period_month + interval ''1 month - 1 day'')), 0) AS cost
                  FROM (SELECT date_trunc(''month'', d)::date AS month, count(*) AS days FROM generate_series(%3$L::date, %4$L::date, interval ''1 day'') d GROUP BY 1) m
                  JOIN lead_system.lead_source_costs x ON x.period_month = m.month AND x.organization_id = %2$L AND x.currency = (SELECT currency FROM lead_system.organizations o WHERE o.id = %2$L)
                 WHERE x.source = k.source AND coalesce(x.sub_source, '''') = coalesce(k.sub_source, '''')) c', mine, org, a, b));
    CALL prop.same('velocity_report', format('SELECT bucket_start, leads, contacted, qualified, won, time_to_contact, time_to_qualify, time_to_win FROM lead_system.velocity_report(%s, %L)', days, bucket), format(
        'SELECT DISTINCT date_trunc(%1$L, d)::date AS start, (SELECT count(*) FROM prop.truth t WHERE prop.within(t.created_at, d, %1$L, %2$L, %3$s)),
                (SELECT count(*) FROM prop.truth t WHERE prop.within(t.contacted, d, %1$L, %2$L, %3$s)), (SELECT count(*) FROM prop.truth t WHERE prop.within(t.qualified, d, %1$L, %2$L, %3$s)),
                (SELECT count(*) FROM prop.truth t WHERE prop.within(t.won, d, %1$L, %2$L, %3$s)), (SELECT avg(t.contacted - t.created_at) FROM prop.truth t WHERE prop.within(t.contacted, d, %1$L, %2$L, %3$s)),
                (SELECT avg(t.qualified - t.created_at) FROM prop.truth t WHERE prop.within(t.qualified, d, %1$L, %2$L, %3$s)), (SELECT avg(t.won - t.created_at) FROM prop.truth t WHERE prop.within(t.won, d, %1$L, %2$L, %3$s))
           FROM generate_series(%4$L::date, %5$L::date, interval ''1 day'') d', bucket, zone, days, a, b));
    CALL prop.same('cohort_report', format('SELECT cohort, age, leads, contacted, qualified, won, revenue FROM lead_system.cohort_report(%s, %L)', days, bucket), format(
        'SELECT c.cohort, ages.age, c.leads, (SELECT count(*) FROM %1$s t WHERE prop.start(t.created_at, %2$L, %3$L) = c.cohort AND prop.start(t.contacted, %2$L, %3$L) <= ages.bucket),
                (SELECT count(*) FROM %1$s t WHERE prop.start(t.created_at, %2$L, %3$L) = c.cohort AND prop.start(t.qualified, %2$L, %3$L) <= ages.bucket),
                (SELECT count(*) FROM %1$s t WHERE prop.start(t.created_at, %2$L, %3$L) = c.cohort AND prop.start(t.won, %2$L, %3$L) <= ages.bucket),
                (SELECT coalesce(sum(t.amount), 0) FROM %1$s t WHERE t.is_won AND prop.start(t.created_at, %2$L, %3$L) = c.cohort AND prop.start(t.won, %2$L, %3$L) <= ages.bucket)
           FROM (SELECT prop.start(t.created_at, %2$L, %3$L) AS cohort, count(*) AS leads FROM %1$s t GROUP BY 1) c
          CROSS JOIN LATERAL (SELECT (row_number() OVER (ORDER BY x.bucket) - 1)::integer AS age, x.bucket
                  FROM (SELECT DISTINCT date_trunc(%2$L, d)::date AS bucket FROM generate_series(c.cohort::timestamp, lead_system.clock_now() AT TIME ZONE %3$L, interval ''1 day'') d) x) ages', mine, bucket, zone));
    CALL prop.same('attribution touches', format('SELECT source, touches FROM lead_system.attribution(%s, %L, %L)', days, model, contacts), format(
        'SELECT source, count(*) FROM prop.shares(%L, %s, %L, %L) GROUP BY source', zone, days, model, contacts));
    CALL prop.same('attribution', format('SELECT source FROM lead_system.attribution(%1$s, %2$L, %3$L) r JOIN (SELECT source, sum(share) AS share, sum(share * amount) AS revenue FROM prop.shares(%4$L, %1$s, %2$L, %3$L) GROUP BY source) x USING (source)
         WHERE abs(r.leads - x.share) > 0.0001 OR abs(r.revenue - x.revenue) > 0.01', days, model, contacts, zone), 'SELECT '''' WHERE false');
    CALL prop.same('attribution sums', format('SELECT coalesce(sum(leads), 0), coalesce(sum(revenue), 0) FROM lead_system.attribution(%s, %L, %L)', days, model, contacts), format(
        'SELECT count(*)::numeric, coalesce(sum(amount), 0) FROM prop.truth t WHERE is_won AND (won AT TIME ZONE %L)::date BETWEEN %L AND %L', zone, a, b));
END
$$;

-- The first day of a bucket, and whether a time lies in that of a day and in the days of a report.
CREATE FUNCTION prop.start(at timestamptz, bucket text, zone text) RETURNS date LANGUAGE sql STABLE AS $$ SELECT date_trunc(bucket, at AT TIME ZONE zone)::date $$;
CREATE FUNCTION prop.within(at timestamptz, d timestamptz, bucket text, zone text, a date, b date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (at AT TIME ZONE zone)::date BETWEEN a AND b AND prop.start(at, bucket, zone) = date_trunc(bucket, d)::date $$;

-- The snapshot of a day: by UTC, or by the organization.
CREATE PROCEDURE prop.check_snapshot(org uuid, zone text, d date) LANGUAGE plpgsql AS $$
DECLARE
    mine text := format('(SELECT * FROM prop.truth WHERE (created_at AT TIME ZONE %L)::date = %L)', zone, d);
BEGIN
    PERFORM lead_system.take_analytics_snapshot(d);
    CALL prop.same('snapshot', format('SELECT total_leads, hot_leads, warm_leads, cool_leads, cold_leads, unrated_leads, leads_contacted, leads_qualified, leads_disqualified, leads_to_opportunity,
        avg_lead_score, median_lead_score, avg_response_time_minutes, fastest_response_time_minutes, slowest_response_time_minutes, leads_by_source, avg_score_by_source
        FROM lead_system.analytics_snapshots WHERE organization_id = %L AND snapshot_date = %L', org, d), format(
        'SELECT count(*)::integer, count(*) FILTER (WHERE temperature = ''hot'')::integer, count(*) FILTER (WHERE temperature = ''warm'')::integer, count(*) FILTER (WHERE temperature = ''cool'')::integer,
                count(*) FILTER (WHERE temperature = ''cold'')::integer, count(*) FILTER (WHERE temperature = ''unrated'')::integer, count(contacted)::integer, count(qualified)::integer,
                count(*) FILTER (WHERE stage = ''lost'')::integer, count(won)::integer, round(avg(score), 2),
                (SELECT round(avg(m.score))::integer FROM (SELECT score, row_number() OVER (ORDER BY score) AS i, count(*) OVER () AS n FROM %1$s t) m WHERE m.i IN ((m.n + 1) / 2, (m.n + 2) / 2)),
                round(avg(extract(epoch FROM response)) / 60)::integer, round(min(extract(epoch FROM response)) / 60)::integer, round(max(extract(epoch FROM response)) / 60)::integer,
                coalesce((SELECT jsonb_object_agg(o.origin, o.n) FROM (SELECT origin, count(*) AS n FROM %1$s t GROUP BY origin) o), ''{}''),
                coalesce((SELECT jsonb_object_agg(o.origin, o.n) FROM (SELECT origin, round(avg(score), 2) AS n FROM %1$s t GROUP BY origin) o), ''{}'') FROM %1$s t', mine));
END
$$;

-- The views, against scalar queries.
CREATE PROCEDURE prop.check_views(org uuid, zone text) LANGUAGE plpgsql AS $$
DECLARE
    today date := (lead_system.clock_now() AT TIME ZONE zone)::date;
    money text := format('FROM lead_system.financials f WHERE f.organization_id = %L AND to_char(f.date, ''YYYY-MM'') = %L AND f.date <= %L', org, to_char(today, 'YYYY-MM'), today);
BEGIN
    CALL prop.same('user_dashboard', format('SELECT business_name, plan_name, monthly_ad_spend, monthly_leads, avg_cpl, avg_conversion_rate, avg_roi, active_campaigns FROM lead_system.user_dashboard WHERE organization_id = %L', org), format(
        'SELECT (SELECT name FROM lead_system.organizations WHERE id = %1$L), (SELECT plan_name FROM lead_system.subscriptions WHERE organization_id = %1$L AND status = ''active''), coalesce((SELECT sum(ad_spend) %2$s), 0),
                coalesce((SELECT sum(leads_generated) %2$s), 0), (SELECT CASE WHEN sum(ad_spend) > 0 AND sum(leads_generated) > 0 THEN round(sum(ad_spend) / sum(leads_generated), 2) END %2$s),
                (SELECT CASE WHEN sum(leads_generated) > 0 THEN round(100.0 * sum(leads_booked) / sum(leads_generated), 2) END %2$s),
                (SELECT CASE WHEN sum(ad_spend) > 0 THEN round(100 * (sum(revenue) - sum(ad_spend)) / sum(ad_spend), 2) END %2$s),
                (SELECT count(*) FROM lead_system.ad_campaigns WHERE organization_id = %1$L AND status = ''active'')', org, money));
    CALL prop.same('lead_pipeline', format('SELECT status, count, total_quoted, total_actual, round(avg_days_to_close, 6) FROM lead_system.lead_pipeline WHERE organization_id = %L', org), format(
        'SELECT status, count(*), sum(quoted_amount), sum(actual_amount), round(avg(extract(epoch FROM completed_at - created_at)) / 86400, 6) FROM lead_system.leads
          WHERE organization_id = %L AND NOT is_spam AND deleted_at IS NULL AND (created_at AT TIME ZONE %L)::date >= %L::date - 30 GROUP BY status', org, zone, today));
    CALL prop.same('campaign_performance', format('SELECT campaign_name, cpl, conversion_rate FROM lead_system.campaign_performance WHERE organization_id = %L', org), format(
        'SELECT name, CASE WHEN total_spend > 0 AND total_conversions > 0 THEN round(total_spend / total_conversions, 2) END, CASE WHEN total_clicks > 0 THEN round(100.0 * total_conversions / total_clicks, 2) END
           FROM lead_system.ad_campaigns WHERE organization_id = %L AND status = ''active''', org));
    CALL prop.same('campaign_lead_lists_with_stats', format('SELECT id, total_leads, contacted_leads, successful_leads, contact_rate, attempts, pledged_amount FROM lead_system.campaign_lead_lists_with_stats WHERE organization_id = %L', org), format(
        'SELECT a.id, count(c.id)::integer, count(*) FILTER (WHERE c.status IN (''contacted'', ''converted''))::integer, count(*) FILTER (WHERE c.status = ''converted'')::integer,
                CASE WHEN count(c.id) > 0 THEN round(100.0 * count(*) FILTER (WHERE c.status IN (''contacted'', ''converted'')) / count(c.id), 2) END, coalesce(sum(c.attempts), 0), coalesce(sum(c.pledged_amount), 0)
           FROM lead_system.campaign_lead_lists a LEFT JOIN lead_system.campaign_leads c ON c.campaign_id = a.campaign_id AND c.lead_list_id = a.lead_list_id WHERE a.organization_id = %L GROUP BY a.id', org));
    CALL prop.same('lead_lists_with_campaigns', format('SELECT name, lead_count, campaign_count, jsonb_array_length(campaigns)::bigint FROM lead_system.lead_lists_with_campaigns WHERE organization_id = %L', org), format(
        'SELECT l.name, (SELECT count(*) FROM lead_system.lead_list_members m WHERE m.lead_list_id = l.id)::integer, n.n, n.n FROM lead_system.lead_lists l
          CROSS JOIN LATERAL (SELECT count(*) AS n FROM lead_system.campaign_lead_lists a WHERE a.lead_list_id = l.id) n WHERE l.organization_id = %L', org));
END
$$;

-- Costs, money, advertising, lists and campaigns of an organization.
CREATE PROCEDURE prop.make_rest(org uuid) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lead_system.lead_source_costs (organization_id, source, sub_source, period_month, total_cost, currency)
    SELECT org, s, nullif(b, '-'), m::date, round((random() * 500)::numeric, 2) * (random() < 0.8)::integer, CASE WHEN random() < 0.1 THEN 'EUR' ELSE 'USD' END
      FROM unnest('{web,fair,radio,print}'::text[]) s, unnest('{-,spring,winter}'::text[]) b, generate_series('2025-11-01'::timestamp, '2026-04-01', '1 month') m WHERE random() < 0.4;
    INSERT INTO lead_system.financials (organization_id, date, ad_spend, leads_generated, leads_booked, revenue)
    SELECT org, d::date, round((random() * 100)::numeric, 2), floor(random() * 9), floor(random() * 4), round((random() * 400)::numeric, 2) FROM generate_series('2026-02-15'::timestamp, '2026-04-15', '1 day') d WHERE random() < 0.7;
    INSERT INTO lead_system.subscriptions (organization_id, stripe_subscription_id, stripe_price_id, plan_name, amount, current_period_start, current_period_end, status)
    SELECT org, n::text, 'price', 'Pro', 99, '2026-01-01', '2026-05-01', CASE WHEN n = 1 THEN 'active' ELSE 'cancelled' END FROM generate_series(1, 3) n;
    INSERT INTO lead_system.ad_campaigns (organization_id, external_id, name, daily_budget, status, total_spend, total_clicks, total_conversions)
    SELECT org, n::text, 'ad ' || n, 10, prop.pick('{active,active,paused}'), round((random() * 50)::numeric, 2) * floor(random() * 3), floor(random() * 4), floor(random() * 3) FROM generate_series(1, 8) n;
    INSERT INTO lead_system.lead_lists (organization_id, name) SELECT org, 'list ' || n FROM generate_series(1, 3) n;
    INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT org, s.id, l.id FROM lead_system.lead_lists s, lead_system.leads l WHERE s.organization_id = org AND l.organization_id = org AND random() < 0.3;
    INSERT INTO lead_system.campaigns (organization_id, name, status) SELECT org, 'campaign ' || n, 'active' FROM generate_series(1, 2) n;
    PERFORM lead_system.add_lead_list_to_campaign(c.id, s.id, 1) FROM lead_system.campaigns c, lead_system.lead_lists s WHERE c.organization_id = org AND s.organization_id = org AND random() < 0.7;
    UPDATE lead_system.campaign_leads SET status = prop.pick('{contacted,converted,failed}'), attempts = floor(random() * 4), pledged_amount = round((random() * 20)::numeric, 2) WHERE organization_id = org AND random() < 0.5;
END
$$;

-- A world: an organization with leads, whose reports are checked before and after some of them are archived.
CREATE PROCEDURE prop.run_world(world integer, seed integer, n_leads integer) LANGUAGE plpgsql AS $$
DECLARE
    zone text;
    org uuid;
    a date;
BEGIN
    PERFORM setseed((seed % 1000 + world * 7919 % 1000) / 2000.0);
    PERFORM set_config('lead_system.now', '2025-12-01 00:00+00', false), set_config('app.current_org_id', '', false);
    zone := prop.pick('{America/Chicago,Asia/Tokyo,Europe/London,Pacific/Auckland,Asia/Kolkata,UTC,America/St_Johns,Pacific/Pago_Pago,Pacific/Kiritimati,Africa/Cairo}');
    org := lead_system.create_organization('World ' || world, 'recruiting', jsonb_build_object('timezone', zone));
    PERFORM set_config('app.current_org_id', org::text, false);
    FOR i IN 1 .. n_leads LOOP
        CALL prop.make_lead(org, zone);
    END LOOP;
    PERFORM set_config('lead_system.now', '2026-04-10 04:30+00', false);
    CALL prop.make_rest(org);
    TRUNCATE prop.leads, prop.steps, prop.acts;
    INSERT INTO prop.leads SELECT * FROM lead_system.leads WHERE organization_id = org;
    INSERT INTO prop.steps SELECT * FROM lead_system.lead_status_history WHERE organization_id = org;
    INSERT INTO prop.acts SELECT * FROM lead_system.activities WHERE organization_id = org;
    CALL prop.make_truth(org, zone);
    CALL prop.check_views(org, zone);
    FOR round IN 1 .. 2 LOOP
        FOR i IN 1 .. 3 LOOP
            a := '2025-12-15'::date + floor(random() * 90)::integer;
            CALL prop.check_reports(org, zone, a, a + floor(random() * random() * 120)::integer);
            IF round = 2 THEN
                PERFORM lead_system.set_config('analytics.snapshot_day', '"organization"');
            END IF;
            CALL prop.check_snapshot(org, CASE round WHEN 1 THEN 'UTC' ELSE zone END, a);
        END LOOP;
        PERFORM set_config('lead_system.now', '2026-07-01 12:00+00', false);
        INSERT INTO prop.checks SELECT 'archived', lead_system.archive_leads();
    END LOOP;
END
$$;
