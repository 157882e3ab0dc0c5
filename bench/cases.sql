-- What is measured.  Each case has up to three variants that do the same work:
-- "ours", "plpgsql" (what a user would write) and "bare" (the statement alone).
\set ON_ERROR_STOP on
SET ROLE bench_app;
SET search_path = bench;
SET client_min_messages = warning;

CREATE TABLE bench.sizes AS SELECT :leads::bigint AS leads, :batch::integer AS batch, :members::integer AS members, :import::integer AS import, :'dir'::text AS dir;

CREATE TABLE bench.cases (
    position   serial,
    case_name  text    NOT NULL,
    variant    text    NOT NULL,
    units      integer NOT NULL, -- calls or rows of one run, for the figure per unit
    repeats    integer NOT NULL DEFAULT 1,
    unit       text    NOT NULL,
    prepare    text,             -- not timed
    statement  text    NOT NULL, -- $1 is the round
    conclude   text,             -- not timed
    UNIQUE (case_name, variant)
);

-- Leads that are changed: the first half by ours and plpgsql, the second by bare.
CREATE TABLE bench.sample AS
SELECT row_number() OVER (ORDER BY phone_number) AS n, id, phone_number FROM lead_system.leads
 WHERE hashtext(phone_number) % greatest(1, (SELECT leads / (4 * batch) FROM bench.sizes))::integer = 0
   -- Not those who are in an import file, too: what is written would depend on the order.
   AND substring(email from '^person(\d+)@')::integer % (SELECT import FROM bench.sizes) NOT BETWEEN 1 AND (SELECT import / 10 FROM bench.sizes)
 LIMIT (SELECT 2 * batch FROM bench.sizes);
CREATE UNIQUE INDEX ON bench.sample (n);
CREATE TABLE bench.numbers AS
SELECT phone_number FROM (SELECT phone_number FROM lead_system.dnc_list LIMIT (SELECT batch FROM bench.sizes)) d
UNION ALL (SELECT phone_number FROM bench.sample LIMIT (SELECT batch FROM bench.sizes));
CREATE TABLE bench.cursors AS
SELECT t.temperature, p.cursor
  FROM (VALUES (NULL), ('warm')) t(temperature)
 CROSS JOIN LATERAL (SELECT jsonb_build_object('raw_score', l.raw_score, 'created_at', l.created_at, 'id', l.id) AS cursor
      FROM lead_system.leads l WHERE (t.temperature IS NULL OR l.temperature = t.temperature) AND NOT l.is_spam AND l.deleted_at IS NULL
     ORDER BY l.raw_score DESC, l.created_at DESC, l.id DESC OFFSET 99 * 50 - 1 LIMIT 1) p;
-- The same many numbers that are listed, and that are not: a day's look-ups in no order.
CREATE TABLE bench.listed AS SELECT phone_number FROM lead_system.dnc_list ORDER BY hashtext(phone_number) LIMIT (SELECT members FROM bench.sizes);
CREATE TABLE bench.unlisted AS
SELECT phone_number FROM lead_system.leads l WHERE NOT do_not_call ORDER BY hashtext(phone_number) LIMIT (SELECT members FROM bench.sizes);
ANALYZE bench.sample, bench.numbers, bench.cursors, bench.listed, bench.unlisted;

-- The scores as one expression, for the bare statement.
CREATE VIEW bench.scores WITH (security_invoker) AS
SELECT id, least(greatest(
       CASE company_size WHEN '1-10' THEN 5 WHEN '11-50' THEN 10 WHEN '51-200' THEN 20 WHEN '201-1000' THEN 30 WHEN '1000+' THEN 25 ELSE 0 END
     + CASE industry WHEN 'Software/SaaS' THEN 20 WHEN 'Marketing/Advertising' THEN 18 WHEN 'Financial Services' THEN 18
           WHEN 'Healthcare' THEN 15 WHEN 'Professional Services' THEN 12 WHEN 'Manufacturing' THEN 10 WHEN 'Retail/E-commerce' THEN 5
           WHEN 'Education' THEN 5 WHEN 'Non-Profit' THEN 3 ELSE CASE WHEN industry IS NULL THEN 0 ELSE 8 END END
     + CASE inquiry_type WHEN 'Demo Request' THEN 30 WHEN 'Pricing Information' THEN 25 WHEN 'Contact Sales' THEN 25
           WHEN 'General Question' THEN 15 WHEN 'Partnership Inquiry' THEN 10 WHEN 'Content Download' THEN 5 ELSE 0 END
     + CASE budget_timeline WHEN 'Immediate' THEN 20 WHEN '1-3 months' THEN 15 WHEN '3-6 months' THEN 10 WHEN '6-12 months' THEN 5 ELSE 0 END
     + CASE WHEN email IS NULL OR split_part(email, '@', 2) IN ('gmail.com', 'yahoo.com', 'hotmail.com', 'outlook.com', 'aol.com') THEN 0
           WHEN email LIKE '%.edu' THEN 2 ELSE 5 END
     + CASE WHEN email_reply_count >= 1 THEN 5 ELSE 0 END + CASE WHEN pricing_page_visits >= 3 THEN 10 ELSE 0 END
     + CASE WHEN demo_video_watched THEN 15 ELSE 0 END + CASE WHEN qualification_bonus_applied THEN 10 ELSE 0 END
     + greatest(-5 * floor(extract(epoch FROM greatest(now() - coalesce(last_activity_at, created_at), interval '0')) / 604800)::integer, -30),
       0), 100) AS score
  FROM lead_system.leads;

-- Pages of the dashboard, 20 calls a run.
INSERT INTO bench.cases (case_name, variant, units, unit, statement)
SELECT format('dashboard_leads, %s, page %s', coalesce(c.temperature, 'all'), p.page), v.variant, v.calls, 'page',
       replace(replace(replace(v.statement, '$temperature', coalesce(quote_literal(c.temperature), 'NULL')),
               '$after', CASE p.page WHEN 1 THEN 'NULL' ELSE quote_literal(c.cursor) || '::jsonb' END),
               '$offset', (50 * (p.page - 1))::text)
  FROM bench.cursors c CROSS JOIN (VALUES (1), (100)) p(page)
 CROSS JOIN LATERAL (VALUES
    ('ours', 20, 'SELECT count(d) FROM generate_series(1, 20) g, lead_system.dashboard_leads($temperature, NULL, 50 + 0 * g, $after) d'),
    ('plpgsql', 20, 'SELECT count(d) FROM generate_series(1, 20) g, bench.dashboard($temperature, 50 + 0 * g, $after) d'),
    ('bare', 1, 'SELECT count(d) FROM (SELECT l.id, l.company_name, concat_ws('' '', l.first_name, l.last_name), l.email, l.phone_number,'
        ' l.status, l.temperature, l.lead_score, l.raw_score, l.assigned_to, l.created_at FROM lead_system.leads l'
        ' WHERE ($temperature IS NULL OR l.temperature = $temperature) AND l.deleted_at IS NULL AND NOT l.is_spam'
        ' ORDER BY l.raw_score DESC, l.created_at DESC, l.id DESC OFFSET $offset LIMIT 50) d')) v(variant, calls, statement)
 ORDER BY c.temperature NULLS FIRST, p.page;

INSERT INTO bench.cases (case_name, variant, units, unit, statement)
SELECT v.case_name, v.variant, v.units, v.unit, v.statement FROM bench.sizes s CROSS JOIN LATERAL (VALUES
    ('calculate_lead_score', 'ours', 2 * batch, 'call', 'SELECT sum(lead_system.calculate_lead_score(id)) FROM bench.sample'),
    ('calculate_lead_score', 'plpgsql', 2 * batch, 'call', 'SELECT sum(bench.calculate_lead_score(id)) FROM bench.sample'),
    ('calculate_lead_score', 'bare', 2 * batch, 'call', 'SELECT sum(score) FROM bench.sample JOIN bench.scores USING (id)')) v(case_name, variant, units, unit, statement);

-- The do-not-call list: numbers that are on it, that are not, and the leads of a
-- list.  The bare statement probes the index for each.
INSERT INTO bench.cases (case_name, variant, units, unit, prepare, statement, conclude)
SELECT c.case_name, v.variant, s.members, 'call', 'SET enable_hashjoin = off; SET enable_mergejoin = off', replace(v.statement, '$numbers', c.numbers),
       'RESET enable_hashjoin; RESET enable_mergejoin'
  FROM bench.sizes s CROSS JOIN (VALUES
    (1, 'is_on_dnc_list, unlisted', 'bench.unlisted'),
    (2, 'is_on_dnc_list, listed', 'bench.listed'),
    (3, 'scrubbing a list of leads', '(SELECT phone_number FROM lead_system.leads LIMIT ' || (SELECT members FROM bench.sizes) || ')')) c(position, case_name, numbers)
 CROSS JOIN LATERAL (VALUES
    (1, 'ours', 'SELECT count(*) FILTER (WHERE lead_system.is_on_dnc_list(n.phone_number, (SELECT lead_system.current_org_id()))) FROM $numbers n'),
    (2, 'plpgsql', 'SELECT count(*) FILTER (WHERE bench.is_on_dnc_list(n.phone_number, (SELECT lead_system.current_org_id()))) FROM $numbers n'),
    (3, 'bare', 'SELECT count(d.id) FROM $numbers n LEFT JOIN lead_system.dnc_list d ON d.organization_id = (SELECT lead_system.current_org_id())'
        ' AND d.phone_number = n.phone_number AND (d.expires_at IS NULL OR d.expires_at > now())')) v(position, variant, statement)
 ORDER BY c.position, v.position;

-- Writing leads.  The bare statement writes the copy with its triggers off.
INSERT INTO bench.cases (case_name, variant, units, unit, prepare, statement, conclude)
SELECT v.case_name, v.variant, s.batch, 'row',
       CASE v.variant WHEN 'bare' THEN 'ALTER TABLE bench.leads DISABLE TRIGGER USER' END,
       replace(v.statement, '$batch', s.batch::text),
       CASE v.variant WHEN 'bare' THEN 'ALTER TABLE bench.leads ENABLE TRIGGER USER' END
  FROM bench.sizes s CROSS JOIN (VALUES
    ('INSERT leads', 'ours', 'INSERT INTO lead_system.leads (first_name, last_name, company_name, email, phone_number, city, company_size, industry, inquiry_type,'
        ' budget_timeline, source) SELECT * FROM bench.people(100000000 + $1 * $batch + 1, 100000000 + ($1 + 1) * $batch)'),
    ('INSERT leads', 'plpgsql', 'INSERT INTO bench.leads (first_name, last_name, company_name, email, phone_number, city, company_size, industry, inquiry_type,'
        ' budget_timeline, source) SELECT * FROM bench.people(100000000 + $1 * $batch + 1, 100000000 + ($1 + 1) * $batch)'),
    ('INSERT leads', 'bare', 'INSERT INTO bench.leads (first_name, last_name, company_name, email, phone_number, city, company_size, industry, inquiry_type,'
        ' budget_timeline, source, organization_id, pipeline_id, status, stage, status_changed_at)'
        ' SELECT p.*, lead_system.current_org_id(), ''00000000-0000-7000-8000-000000000001'', ''New'', ''new'', now()'
        ' FROM bench.people(200000000 + $1 * $batch + 1, 200000000 + ($1 + 1) * $batch) p'),
    ('UPDATE leads, audited', 'ours', 'UPDATE lead_system.leads SET city = ''Town '' || $1, notes = ''round '' || $1 WHERE id IN (SELECT id FROM bench.sample WHERE n <= $batch)'),
    ('UPDATE leads, audited', 'plpgsql', 'UPDATE bench.leads SET city = ''Town '' || $1, notes = ''round '' || $1 WHERE id IN (SELECT id FROM bench.sample WHERE n <= $batch)'),
    ('UPDATE leads, audited', 'bare', 'UPDATE bench.leads SET city = ''Town '' || $1, notes = ''round '' || $1, updated_at = now() WHERE id IN (SELECT id FROM bench.sample WHERE n > $batch)'),
    ('UPDATE leads, re-scored', 'ours', 'UPDATE lead_system.leads SET inquiry_type = CASE $1 % 2 WHEN 1 THEN ''Demo Request'' ELSE ''Content Download'' END WHERE id IN (SELECT id FROM bench.sample WHERE n <= $batch)'),
    ('UPDATE leads, re-scored', 'plpgsql', 'UPDATE bench.leads SET inquiry_type = CASE $1 % 2 WHEN 1 THEN ''Demo Request'' ELSE ''Content Download'' END WHERE id IN (SELECT id FROM bench.sample WHERE n <= $batch)'),
    ('UPDATE leads, re-scored', 'bare', 'UPDATE bench.leads SET inquiry_type = CASE $1 % 2 WHEN 1 THEN ''Demo Request'' ELSE ''Content Download'' END, raw_score = raw_score # 1, updated_at = now()'
        ' WHERE id IN (SELECT id FROM bench.sample WHERE n > $batch)')) v(case_name, variant, statement);

-- Importing a file: nine new people to one known, ten bad rows.
CREATE FUNCTION bench.import_file(round integer) RETURNS integer
    LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE bench.staging;
    EXECUTE format('COPY bench.staging (first_name, last_name, company_name, email, phone_number, city, company_size, industry,'
        ' inquiry_type, budget_timeline) FROM %L (FORMAT csv, HEADER)', (SELECT dir FROM bench.sizes) || '/import' || round || '.csv');
    RETURN bench.import('import ' || round);
END
$$;
CREATE FUNCTION bench.read_file(round integer) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE bench.staging;
    EXECUTE format('COPY bench.staging (first_name, last_name, company_name, email, phone_number, city, company_size, industry,'
        ' inquiry_type, budget_timeline) FROM %L (FORMAT csv, HEADER)', (SELECT dir FROM bench.sizes) || '/import' || round || '.csv');
END
$$;
INSERT INTO bench.cases (case_name, variant, units, unit, statement)
SELECT 'import_leads_csv', v.variant, s.import, 'row', v.statement
  FROM bench.sizes s CROSS JOIN (VALUES
    ('ours', 'SELECT lead_system.import_leads_csv(''import '' || $1, pg_read_file((SELECT dir FROM bench.sizes) || ''/import'' || $1 || ''.csv''), ''{"source": "bench_import"}'')'),
    ('plpgsql', 'SELECT bench.import_file($1)'),
    ('bare', 'SELECT bench.read_file($1)')) v(variant, statement);

-- A campaign: the list goes in, then 50 claims of 10 leads each.
INSERT INTO bench.cases (case_name, variant, units, repeats, unit, statement)
SELECT v.case_name, v.variant, CASE v.unit WHEN 'call' THEN 50 ELSE :members END, v.repeats, v.unit, v.statement
  FROM (VALUES
    ('add_lead_list_to_campaign', 'ours', 1, 'row', 'SELECT lead_system.add_lead_list_to_campaign(c.id, l.id) FROM lead_system.campaigns c, lead_system.lead_lists l WHERE c.name = ''round '' || $1 AND l.name = ''Benchmark'''),
    ('add_lead_list_to_campaign', 'plpgsql', 1, 'row', 'SELECT bench.add_list(c.id, l.id, 1) FROM bench.campaigns c, bench.lead_lists l WHERE c.name = ''round '' || $1 AND l.name = ''Benchmark'''),
    ('add_lead_list_to_campaign', 'bare', 1, 'row', 'INSERT INTO bench.bare_campaign_leads (organization_id, campaign_id, lead_id, lead_list_id, temperature_rank, lead_score, status)'
        ' SELECT m.organization_id, c.id, m.lead_id, m.lead_list_id, bench.temperature_rank(l.temperature), l.lead_score, CASE WHEN l.do_not_call THEN ''dnc'' ELSE ''new'' END'
        ' FROM bench.campaigns c, bench.lead_list_members m JOIN bench.lead_lists ll ON ll.id = m.lead_list_id JOIN lead_system.leads l ON l.id = m.lead_id'
        ' WHERE c.name = ''round '' || $1 AND ll.name = ''Benchmark'' ORDER BY m.lead_id'),
    ('claim_campaign_leads, 10 leads', 'ours', 50, 'call', 'SELECT count(*) FROM lead_system.campaigns c, lead_system.claim_campaign_leads(c.id, 10) WHERE c.name = ''round '' || $1'),
    ('claim_campaign_leads, 10 leads', 'plpgsql', 50, 'call', 'SELECT count(*) FROM bench.campaigns c, bench.claim(c.id, 10) WHERE c.name = ''round '' || $1'),
    ('claim_campaign_leads, 10 leads', 'bare', 50, 'call', 'UPDATE bench.bare_campaign_leads SET status = ''calling'', lease_until = now() + interval ''5 minutes'' WHERE id IN ('
        'SELECT q.id FROM bench.bare_campaign_leads q WHERE q.campaign_id = (SELECT id FROM bench.campaigns WHERE name = ''round '' || $1)'
        ' AND q.organization_id = (SELECT lead_system.current_org_id()) AND q.status IN (''new'', ''queued'') AND q.is_dialable AND NOT q.is_waiting AND q.next_attempt_at <= now()'
        ' ORDER BY q.list_priority, q.temperature_rank, q.lead_score DESC, q.last_attempt_at NULLS FIRST, q.added_at, q.id LIMIT 10 FOR UPDATE SKIP LOCKED)')
  ) v(case_name, variant, repeats, unit, statement);

-- The same for an organization that has just come, of which the statistics of
-- the tables know nothing.  No bare statement; a tenth of the file's rows.
CREATE TABLE bench.newcomers AS
SELECT r AS round, 'first_name,last_name,company_name,email,phone_number,city,company_size,industry,inquiry_type,budget_timeline' || E'\n'
           || string_agg(concat_ws(',', p.first_name, p.last_name, p.company_name, p.email, p.phone_number, p.city, p.company_size,
                                   p.industry, p.inquiry_type, p.budget_timeline), E'\n') AS csv
  FROM generate_series(1, 10) r, bench.sizes s, bench.people(1, s.import / 10) p GROUP BY r;
CREATE FUNCTION bench.become(round integer) RETURNS void
    LANGUAGE sql
AS $$ SELECT set_config('app.current_org_id', t.id::text, true) FROM bench.tenants t WHERE t.round = become.round $$;
CREATE FUNCTION bench.stage_newcomer(round integer) RETURNS void
    LANGUAGE sql
AS $$
    SELECT bench.become(round);
    TRUNCATE bench.staging;
    INSERT INTO bench.staging (first_name, last_name, company_name, email, phone_number, city, company_size, industry, inquiry_type, budget_timeline)
    SELECT p.first_name, p.last_name, p.company_name, p.email, p.phone_number, p.city, p.company_size, p.industry, p.inquiry_type, p.budget_timeline
      FROM bench.sizes s, bench.people(1, s.import / 10) p;
$$;
INSERT INTO bench.cases (case_name, variant, units, unit, prepare, statement)
SELECT v.case_name, v.variant, s.import / 10, 'row', v.prepare, v.statement
  FROM bench.sizes s CROSS JOIN (VALUES
    ('import_leads_csv, new organization', 'ours', 'SELECT bench.become($1)',
     'SELECT lead_system.import_leads_csv(''first'', csv, ''{"source": "bench_import"}'') FROM bench.newcomers WHERE round = $1'),
    ('import_leads_csv, new organization', 'plpgsql', 'SELECT bench.stage_newcomer($1)', 'SELECT bench.import(''first'')'),
    ('add_lead_list_to_campaign, new organization', 'ours',
     'WITH c AS MATERIALIZED (SELECT bench.become($1)) INSERT INTO lead_system.campaigns (organization_id, name, status) SELECT t.id, ''first'', ''active'' FROM c, bench.tenants t WHERE t.round = $1',
     'SELECT lead_system.add_lead_list_to_campaign(c.id, l.id) FROM lead_system.campaigns c, lead_system.lead_lists l WHERE c.name = ''first'' AND l.name = ''first'''),
    ('add_lead_list_to_campaign, new organization', 'plpgsql',
     'WITH c AS MATERIALIZED (SELECT bench.become($1)) INSERT INTO bench.campaigns (organization_id, name, status) SELECT t.id, ''first'', ''active'' FROM c, bench.tenants t WHERE t.round = $1',
     'SELECT bench.add_list(c.id, l.id, 1) FROM bench.campaigns c, bench.lead_lists l WHERE c.name = ''first'' AND l.name = ''first''')
  ) v(case_name, variant, prepare, statement);

-- The marketplace, in an organization of its own: bids by contractors who have
-- not bid yet, 50 for leads with ten bids and 50 for one with 10,000; then the
-- ends of bidding, and of the first windows, on 10,000 leads in one call.
INSERT INTO bench.cases (case_name, variant, units, unit, prepare, statement, conclude)
SELECT v.case_name, v.variant, v.units, v.unit, 'SELECT bench.prepare_market($1)' || coalesce(', ' || v.later, ''), v.statement,
       'SELECT bench.set_clock(NULL)'
  FROM (VALUES
    ('place_bid, 10 bids', 'ours', 1, 'bid', 'bench.warm_up($1, ''ours'', 10101)', 'SELECT bench.bid_each($1, ''ours'', ''small'', 10001)'),
    ('place_bid, 10 bids', 'plpgsql', 1, 'bid', 'bench.warm_up($1, ''plpgsql'', 10101)', 'SELECT bench.bid_each($1, ''plpgsql'', ''small'', 10001)'),
    ('place_bid, 10,000 bids', 'ours', 1, 'bid', 'bench.warm_up($1, ''ours'', 10121)', 'SELECT bench.bid_each($1, ''ours'', ''large'', 10051)'),
    ('place_bid, 10,000 bids', 'plpgsql', 1, 'bid', 'bench.warm_up($1, ''plpgsql'', 10121)', 'SELECT bench.bid_each($1, ''plpgsql'', ''large'', 10051)'),
    ('close_due_bidding, 10,000 leads', 'ours', 10000, 'lead', 'bench.set_clock(lead_system.clock_now() + interval ''30 minutes'')', 'SELECT lead_system.close_due_bidding(10000)'),
    ('close_due_bidding, 10,000 leads', 'plpgsql', 10000, 'lead', 'bench.set_clock(lead_system.clock_now() + interval ''30 minutes'')', 'SELECT bench.close_due(10000)'),
    ('expire_response_windows, 10,000 leads', 'ours', 10000, 'lead', 'bench.set_clock(lead_system.clock_now() + interval ''3 hours'')', 'SELECT lead_system.expire_response_windows(10000)'),
    ('expire_response_windows, 10,000 leads', 'plpgsql', 10000, 'lead', 'bench.set_clock(lead_system.clock_now() + interval ''3 hours'')', 'SELECT bench.expire_windows(10000)')
  ) v(case_name, variant, units, unit, later, statement);

-- Filters over the leads of an organization of its own: counted, and asked row by
-- row; then what smart lists cost a lead that is changed. The count's rivals are the
-- plain statement of a user, under the policies, and the same without any.
CREATE TABLE bench.segment_filter AS
SELECT '{"status": ["New", "Contacted"], "lead_score": {"gte": 40}, "tags": {"contains_any": ["vip"]}}'::jsonb AS filter,
       'status IN (''New'', ''Contacted'') AND lead_score >= 40 AND tags && ARRAY[''vip''] AND deleted_at IS NULL'::text AS plain;
INSERT INTO bench.cases (case_name, variant, units, repeats, unit, prepare, statement)
SELECT v.case_name, v.variant, CASE WHEN v.unit = 'call' THEN 5 ELSE :segment_leads END, CASE WHEN v.unit = 'call' THEN 5 ELSE 1 END, v.unit, 'SELECT bench.use_stage(''count'')',
       replace(replace(replace(v.statement, '$filter', quote_literal(f.filter)), '$plain', f.plain), '$quoted', quote_literal(f.plain))
  FROM bench.segment_filter f CROSS JOIN (VALUES
    ('count_leads, status + score + tags', 'ours', 'call', 'SELECT lead_system.count_leads($filter)'),
    ('count_leads, status + score + tags', 'plpgsql', 'call', 'SELECT count(*) FROM lead_system.leads WHERE $plain'),
    ('count_leads, status + score + tags', 'bare', 'call', 'SELECT bench.count_without_policies($quoted)'),
    ('filter_matches over all leads', 'ours', 'row', 'SELECT count(*) FROM lead_system.leads l WHERE lead_system.filter_matches($filter, l)'),
    ('filter_matches over all leads', 'plpgsql', 'row', 'SELECT count(*) FROM lead_system.leads l WHERE bench.filter_matches($filter, l)')
  ) v(case_name, variant, unit, statement);
INSERT INTO bench.cases (case_name, variant, units, unit, prepare, statement)
SELECT v.case_name, 'ours', 200, 'change', format('SELECT bench.use_stage(%L), bench.change_lead(%1$L, %L, 10)', v.kind, v.moves),
       format('SELECT bench.change_lead(%L, %L, 200)', v.kind, v.moves)
  FROM (VALUES
    ('change of a lead, 1 smart list', 'one', false),
    ('change of a lead, 500, of which 5 read the column', 'others', false),
    ('change of a lead, 500 that read the column', 'all', false),
    ('change of a lead, 500 that move with the time', 'time', false),
    ('change of a lead that comes or goes, 1 smart list', 'one', true),
    ('change of a lead that comes and goes, 500', 'all', true)) v(case_name, kind, moves);

-- Run one variant once and note how long it took.
CREATE FUNCTION bench.measure(p_case text, p_variant text, p_round integer) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    c bench.cases;
    started timestamptz;
    median numeric;
BEGIN
    SELECT * INTO STRICT c FROM bench.cases WHERE case_name = p_case AND variant = p_variant;
    IF c.prepare IS NOT NULL THEN EXECUTE c.prepare USING p_round; END IF;
    started := clock_timestamp();
    IF c.statement LIKE 'SELECT bench.bid_each%' THEN
        EXECUTE c.statement INTO median USING p_round;
    ELSE
        FOR i IN 1 .. c.repeats LOOP
            EXECUTE c.statement USING p_round;
        END LOOP;
    END IF;
    INSERT INTO bench.timings VALUES (p_case, p_variant, p_round, c.units, coalesce(median, extract(epoch FROM clock_timestamp() - started) * 1000));
    IF c.conclude IS NOT NULL THEN EXECUTE c.conclude; END IF;
END
$$;

CREATE FUNCTION bench.same(what text, ours text, theirs text) RETURNS text
    LANGUAGE plpgsql
AS $$
DECLARE
    rows bigint;
    differences bigint;
    example text;
BEGIN
    EXECUTE format('SELECT count(*) FROM (%s) o', ours) INTO rows;
    EXECUTE format('SELECT count(*), min(d::text) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', ours, theirs)
       INTO differences, example;
    IF rows = 0 OR differences <> 0 THEN
        RAISE EXCEPTION '%: % rows, % differences, such as %', what, rows, differences, example;
    END IF;
    RETURN format('same: %s (%s rows)', what, rows);
END
$$;
