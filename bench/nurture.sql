-- claim_due_steps: :due due steps, handed out in batches of 100 by one worker,
-- beside the worker that a careful user would write in PL/pgSQL: one statement a
-- claim, the same rules (do-not-call list, consent, hours, attempts and gap per
-- number, cap of the day), the same locks, the same log and counts, on copies of
-- the tables with the same indexes.  In a database of its own.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET app.current_org_id = '';
CREATE EXTENSION lead_system;
CREATE SCHEMA bench;
SET lead_system.now = '2026-03-02 15:00:00+00';
SELECT lead_system.create_organization('Nurture') AS org \gset
SET app.current_org_id = :'org';
SELECT lead_system.set_config('nurture.daily_sms_cap', '1000000') \g /dev/null
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES (:'org', 'drip',
    '[{"step": 1, "channel": "sms", "template_id": "hello"}, {"step": 2, "channel": "sms", "template_id": "again", "delay_days": 3}]') RETURNING id AS sequence \gset
-- Numbers of exchange 555, which nobody is called at; one lead in fifty is listed,
-- one in twenty is in a zone where it is too early.
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason)
SELECT :'org', '+1' || 201 + g / 10000 || '555' || lpad((g % 10000)::text, 4, '0'), 'lead_requested' FROM generate_series(0, :due - 1, 50) g;
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, timezone)
SELECT :'org', 'Lead ' || g, '+1' || 201 + g / 10000 || '555' || lpad((g % 10000)::text, 4, '0'),
       CASE g % 20 WHEN 7 THEN 'Pacific/Honolulu' ELSE 'America/Chicago' END
  FROM generate_series(0, :due - 1) g;
-- Leads that are listed are not enrolled by a function; they were listed since.
INSERT INTO lead_system.lead_sequence_enrollments (organization_id, lead_id, sequence_id, next_step_scheduled_at, enrolled_at)
SELECT :'org', id, :'sequence', lead_system.clock_now(), lead_system.clock_now() FROM lead_system.leads ORDER BY id;

CREATE TABLE bench.enrollments (LIKE lead_system.lead_sequence_enrollments INCLUDING ALL);
CREATE TABLE bench.contact_attempts (LIKE lead_system.contact_attempts INCLUDING ALL);
CREATE TABLE bench.sequences (LIKE lead_system.nurture_sequences INCLUDING DEFAULTS INCLUDING INDEXES);
CREATE TABLE bench.daily (organization_id uuid, day date, channel text, step_count integer NOT NULL, PRIMARY KEY (organization_id, day, channel));
INSERT INTO bench.enrollments SELECT * FROM lead_system.lead_sequence_enrollments ORDER BY next_step_scheduled_at, id;
INSERT INTO bench.sequences SELECT * FROM lead_system.nurture_sequences;
ANALYZE;

-- One claim.  Who is listed is cancelled, who may not be texted at this hour or so
-- often is postponed, the rest is handed out as far as the day's cap allows.
CREATE FUNCTION bench.claim(p_batch integer, p_lease interval)
    RETURNS TABLE (enrollment_id uuid, lead_id uuid, step integer, channel text, template_id text, payload jsonb)
    LANGUAGE plpgsql SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    org CONSTANT uuid := lead_system.current_org_id();
    t CONSTANT timestamptz := lead_system.clock_now();
    today CONSTANT date := (t AT TIME ZONE (SELECT timezone FROM lead_system.organizations WHERE id = org))::date;
    left_today integer;
    n integer;
    cancelled integer;
BEGIN
    INSERT INTO bench.daily VALUES (org, today, 'sms', 0) ON CONFLICT DO NOTHING;
    SELECT 1000000 - d.step_count INTO left_today FROM bench.daily d WHERE d.organization_id = org AND d.day = today AND d.channel = 'sms' FOR UPDATE;
    DROP TABLE IF EXISTS pg_temp.fates;
    CREATE TEMP TABLE fates ON COMMIT DROP AS
    WITH due AS MATERIALIZED (
        SELECT e.* FROM bench.enrollments e WHERE e.organization_id = org AND e.status = 'active' AND e.step_state = 'scheduled' AND e.next_step_scheduled_at <= t
         ORDER BY e.next_step_scheduled_at, e.id LIMIT p_batch FOR NO KEY UPDATE SKIP LOCKED),
    locked AS MATERIALIZED (
        SELECT d.id AS enrollment, d.sequence_id, d.current_step, d.enrolled_at, l.* FROM due d JOIN lead_system.leads l ON l.organization_id = org AND l.id = d.lead_id
           FOR NO KEY UPDATE OF l SKIP LOCKED)
    SELECT l.enrollment, l.sequence_id, l.id AS lead, l.phone_number, l.email, s.step, s.step->>'channel' AS channel,
           (t AT TIME ZONE l.timezone)::date + interval '32 hours' AS morning, l.timezone,
           jsonb_build_object('organization_id', org, 'sequence_id', l.sequence_id, 'sequence_name', s.name, 'phone_number', l.phone_number,
               'email', l.email, 'lead', jsonb_build_object('first_name', l.first_name, 'last_name', l.last_name, 'company_name', l.company_name,
               'city', l.city, 'state', l.state, 'timezone', l.timezone, 'status', l.status, 'temperature', l.temperature, 'lead_score', l.lead_score,
               'source', l.source, 'assigned_to', l.assigned_to, 'tags', l.tags, 'metadata', l.metadata)) AS payload,
           CASE WHEN l.deleted_at IS NOT NULL OR l.is_spam OR l.stage IN ('won', 'lost', 'blocked', 'archived') OR l.do_not_call
                  OR EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = org AND d.phone_number = l.phone_number AND (d.expires_at IS NULL OR d.expires_at > t))
                  OR EXISTS (SELECT FROM lead_system.contact_consents c WHERE c.organization_id = org AND c.phone_number = l.phone_number AND c.channel = 'sms' AND c.action = 'revoked') THEN 'do_not_call'
                WHEN (t AT TIME ZONE l.timezone)::time NOT BETWEEN '08:00' AND '20:59:59' THEN 'calling_hours'
                WHEN a.today >= 3 THEN 'attempt_cap' WHEN a.last > t - interval '60 minutes' THEN 'minimum_gap' END AS rule
      FROM locked l
     CROSS JOIN LATERAL (SELECT q.name, x.step FROM bench.sequences q, jsonb_array_elements(q.steps) x(step)
                          WHERE q.organization_id = org AND q.id = l.sequence_id AND q.is_active AND (x.step->>'step')::integer = l.current_step) s
     CROSS JOIN LATERAL (SELECT count(*) AS today, max(c.created_at) AS last FROM bench.contact_attempts c
                          WHERE c.organization_id = org AND c.phone_number = l.phone_number AND c.allowed AND c.created_at > t - interval '1 day') a;
    UPDATE bench.enrollments e SET
           status = CASE f.rule WHEN 'do_not_call' THEN 'cancelled' ELSE 'active' END,
           ended_at = CASE f.rule WHEN 'do_not_call' THEN t END, cancel_reason = CASE f.rule WHEN 'do_not_call' THEN 'Lead added to DNC list' END,
           next_step_scheduled_at = CASE f.rule WHEN 'do_not_call' THEN NULL WHEN 'calling_hours' THEN f.morning AT TIME ZONE f.timezone
               ELSE t + interval '1 hour' END, blocked_rule = f.rule,
           executed_steps = e.executed_steps || jsonb_build_object('step', e.current_step, 'executed_at', t, 'status',
               CASE f.rule WHEN 'do_not_call' THEN 'cancelled' ELSE 'postponed' END, 'channel', f.channel, 'rule', f.rule), updated_at = t
      FROM pg_temp.fates f WHERE e.organization_id = org AND e.id = f.enrollment AND f.rule IS NOT NULL;
    SELECT count(*) INTO cancelled FROM pg_temp.fates WHERE rule = 'do_not_call';
    IF cancelled > 0 THEN
        UPDATE bench.sequences s SET active_enrollments = s.active_enrollments - c.n
          FROM (SELECT sequence_id, count(*) AS n FROM pg_temp.fates WHERE rule = 'do_not_call' GROUP BY 1) c WHERE s.organization_id = org AND s.id = c.sequence_id;
    END IF;
    DELETE FROM pg_temp.fates WHERE rule IS NULL AND ctid NOT IN (SELECT ctid FROM pg_temp.fates WHERE rule IS NULL LIMIT greatest(left_today, 0));
    UPDATE bench.enrollments e SET step_state = 'claimed', lease_until = t + p_lease, claimed_channel = f.channel, blocked_rule = NULL, updated_at = t
      FROM pg_temp.fates f WHERE e.organization_id = org AND e.id = f.enrollment AND f.rule IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO bench.contact_attempts (organization_id, lead_id, channel, phone_number, email, allowed, rule, detail, created_at)
    SELECT org, f.lead, f.channel, f.phone_number, f.email, f.rule IS NULL, f.rule, coalesce(f.rule, 'authorized'), t FROM pg_temp.fates f;
    UPDATE bench.daily d SET step_count = d.step_count + n WHERE d.organization_id = org AND d.day = today AND d.channel = 'sms';
    RETURN QUERY SELECT f.enrollment, f.lead, (f.step->>'step')::integer, f.channel, f.step->>'template_id', f.payload FROM pg_temp.fates f WHERE f.rule IS NULL;
END
$$;

-- Claims until nothing is due, each a transaction of its own; the median.
CREATE TABLE bench.claims (variant text, lead_id uuid, ms numeric);
CREATE PROCEDURE bench.work(variant text) LANGUAGE plpgsql
AS $$
DECLARE
    started timestamptz;
    leads uuid[];
    ms numeric;
BEGIN
    LOOP
        started := clock_timestamp();
        IF variant = 'ours' THEN
            SELECT array_agg(c.lead_id) INTO leads FROM lead_system.claim_due_steps(100) c;
        ELSE
            SELECT array_agg(c.lead_id) INTO leads FROM bench.claim(100, '5 minutes') c;
        END IF;
        ms := extract(epoch FROM clock_timestamp() - started) * 1000;
        COMMIT;
        EXIT WHEN leads IS NULL AND NOT EXISTS (SELECT FROM bench.enrollments WHERE variant <> 'ours' AND status = 'active' AND step_state = 'scheduled' AND next_step_scheduled_at <= lead_system.clock_now());
        INSERT INTO bench.claims SELECT variant, l, ms / cardinality(leads) FROM unnest(leads) l;
        COMMIT;
    END LOOP;
END
$$;
CALL bench.work('ours');
CALL bench.work('plpgsql');

-- The same leads?
SELECT 1 / (count(*) = 0)::integer AS same FROM (SELECT lead_id, count(*) FROM bench.claims GROUP BY lead_id HAVING count(*) <> 2) d \g /dev/null
SELECT 'claim_due_steps, 100 of ' || :due || ', per step' AS "case", round(o.us, 1) AS "ours µs", round(p.us, 1) AS "plpgsql µs", round(p.us / o.us, 2) AS "plpgsql/ours", o.n AS steps
  FROM (SELECT count(*) AS n, sum(ms) * 1000 / count(*) AS us FROM bench.claims WHERE variant = 'ours') o,
       (SELECT sum(ms) * 1000 / count(*) AS us FROM bench.claims WHERE variant = 'plpgsql') p;
