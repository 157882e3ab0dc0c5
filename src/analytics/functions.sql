-- analytics: reports.

CREATE FUNCTION lead_system.take_analytics_snapshot(day date) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_analytics_take_snapshot';
COMMENT ON FUNCTION lead_system.take_analytics_snapshot(date) IS
    'Writes what came of the leads that came in on a day into analytics_snapshots, in place of what a call before wrote. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.take_analytics_snapshot(date) FROM PUBLIC;

CREATE FUNCTION lead_system.lead_funnel(from_day date, to_day date)
    RETURNS TABLE (stage text, "position" integer, leads bigint, reached bigint, rate numeric, step_rate numeric)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 8 AS 'MODULE_PATHNAME', 'ls_analytics_funnel';
COMMENT ON FUNCTION lead_system.lead_funnel(date, date) IS
    'Leads of the session''s organization that came in on these days: how many are in each stage, and how many came as far. rate is the part of all leads, step_rate that of those that came to the stage before; NULL when there are none.';
REVOKE ALL ON FUNCTION lead_system.lead_funnel(date, date) FROM PUBLIC;

CREATE FUNCTION lead_system.time_in_stage(from_day date, to_day date)
    RETURNS TABLE (stage text, stays bigint, leads bigint, average interval, median interval, percentile_90 interval, longest interval)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 8 AS 'MODULE_PATHNAME', 'ls_analytics_time_in_stage';
COMMENT ON FUNCTION lead_system.time_in_stage(date, date) IS
    'How long leads of the session''s organization stayed in each stage that they left on these days.';
REVOKE ALL ON FUNCTION lead_system.time_in_stage(date, date) FROM PUBLIC;

CREATE FUNCTION lead_system.source_performance(from_day date, to_day date)
    RETURNS TABLE (source text, sub_source text, leads bigint, won bigint, cost numeric, revenue numeric, cpl numeric, cpr numeric, roi numeric)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'ls_analytics_source_performance';
COMMENT ON FUNCTION lead_system.source_performance(date, date) IS
    'What the leads that came in on these days cost and brought, by source: cpl is cost per lead, cpr cost per won lead, roi (revenue - cost) / cost; NULL when the cost is zero.';
REVOKE ALL ON FUNCTION lead_system.source_performance(date, date) FROM PUBLIC;

CREATE FUNCTION lead_system.cohort_report(from_day date, to_day date, bucket text DEFAULT 'month')
    RETURNS TABLE (cohort date, age integer, leads bigint, contacted bigint, qualified bigint, won bigint, revenue numeric,
        contact_rate numeric, qualification_rate numeric, win_rate numeric)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'ls_analytics_cohorts';
COMMENT ON FUNCTION lead_system.cohort_report(date, date, text) IS
    'Leads that came in on these days, by the day, week, month or quarter in which they did, and how many of them had come how far when that was age buckets ago.';
REVOKE ALL ON FUNCTION lead_system.cohort_report(date, date, text) FROM PUBLIC;

CREATE FUNCTION lead_system.velocity_report(from_day date, to_day date, bucket text DEFAULT 'month')
    RETURNS TABLE (bucket_start date, leads bigint, contacted bigint, qualified bigint, won bigint, lead_velocity_rate numeric,
        time_to_contact interval, time_to_qualify interval, time_to_win interval)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'ls_analytics_velocity';
COMMENT ON FUNCTION lead_system.velocity_report(date, date, text) IS
    'How many leads came in, and how many came for the first time as far as contacted, qualified and won, in each day, week, month or quarter; how long that took on average; and lead_velocity_rate, by how much more leads were qualified than in the bucket before.';
REVOKE ALL ON FUNCTION lead_system.velocity_report(date, date, text) FROM PUBLIC;

CREATE FUNCTION lead_system.attribution(from_day date, to_day date, model text DEFAULT 'linear', contacts boolean DEFAULT true)
    RETURNS TABLE (source text, touches bigint, leads numeric, revenue numeric)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'ls_analytics_attribution';
COMMENT ON FUNCTION lead_system.attribution(date, date, text, boolean) IS
    'Which sources won the leads that were won on these days: each lead and its revenue is shared out among the sources that it came from, by model first, last, linear or position (40 % for the first and the last, the rest between). With contacts, calls, texts and e-mails to the lead count as sources call, sms and email.';
REVOKE ALL ON FUNCTION lead_system.attribution(date, date, text, boolean) FROM PUBLIC;

CREATE FUNCTION lead_system.record_touch(lead_id uuid, source text, details jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_analytics_record_touch';
COMMENT ON FUNCTION lead_system.record_touch(uuid, text, jsonb) IS
    'Records that a lead came by a source again, for attribution(); returns the id of the activity. Raises P0002 when there is no such lead.';
REVOKE ALL ON FUNCTION lead_system.record_touch(uuid, text, jsonb) FROM PUBLIC;
