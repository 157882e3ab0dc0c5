-- The functions that programs outside the project call: their names, arguments,
-- defaults and results do not change within a major version.  More may come.
--
-- Runs alone: pg_prove test/pgtap/surface.sql

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(2);

CREATE TEMP TABLE promised (name text, arguments text, result text);
INSERT INTO promised VALUES
    ('add_lead_list_to_campaign', 'p_campaign_id uuid, p_lead_list_id uuid, p_priority integer DEFAULT 1', 'uuid'),
    ('add_lead_note', 'lead_id uuid, note text', 'uuid'),
    ('add_to_dnc_list', 'phone_number text, reason text, source text DEFAULT ''manual_entry'', expires_at timestamptz DEFAULT NULL, opt_out_phrase text DEFAULT NULL', 'uuid'),
    ('appeal_ban', 'contractor_id uuid, appeal_reason text', 'uuid'),
    ('archive_leads', 'batch integer DEFAULT 1000', 'bigint'),
    ('assign_lead', 'lead_id uuid, strategy text DEFAULT ''capacity'', user_id uuid DEFAULT NULL', 'uuid'),
    ('assign_waiting_leads', 'batch integer DEFAULT 100', 'bigint'),
    ('calculate_lead_score', 'lead_id uuid', 'integer'),
    ('calculate_lead_score', 'lead_id uuid, model text', 'integer'),
    ('can_contact', 'lead_id uuid, channel text DEFAULT ''call''', 'boolean'),
    ('cancel_bid', 'bid_id uuid', 'void'),
    ('cancel_enrollment', 'enrollment_id uuid, reason text DEFAULT NULL', 'void'),
    ('capture_hold', 'hold_id uuid, amount numeric', 'uuid'),
    ('change_lead_status', 'lead_id uuid, new_status text, reason text DEFAULT NULL, trigger_type text DEFAULT ''manual'', trigger_id uuid DEFAULT NULL, force boolean DEFAULT false', 'void'),
    ('claim_campaign_leads', 'p_campaign_id uuid, p_limit integer DEFAULT 1, p_user_id uuid DEFAULT NULL, p_lease interval DEFAULT ''00:05:00''', 'TABLE(campaign_lead_id uuid, lead_id uuid, phone_number text, attempts integer, lead_list_id uuid)'),
    ('claim_due_steps', 'batch integer DEFAULT 100, lease interval DEFAULT ''00:05:00''', 'TABLE(enrollment_id uuid, lead_id uuid, step integer, channel text, template_id text, payload jsonb)'),
    ('claim_notifications', 'batch integer DEFAULT 100, lease interval DEFAULT ''00:05:00''', 'TABLE(organization_id uuid, id uuid, lead_id uuid, user_id uuid, notification_type text, recipient text, subject text, body text, template_name text, payload jsonb, retry_count integer)'),
    ('clock_now', '', 'timestamptz'),
    ('close_bidding', 'lead_id uuid', 'integer'),
    ('close_due_bidding', 'batch integer DEFAULT 100', 'bigint'),
    ('complete_notification', 'id uuid', 'void'),
    ('complete_step', 'enrollment_id uuid, step integer', 'void'),
    ('contact_blockers', 'lead_id uuid, channel text DEFAULT ''call'', campaign_id uuid DEFAULT NULL', 'TABLE(rule text, detail text, unblocks_at timestamptz)'),
    ('create_lead_list_from_csv', 'p_business_id uuid, p_list_name character varying, p_leads jsonb', 'uuid'),
    ('create_organization', 'name text, pipeline text DEFAULT ''b2b'', settings jsonb DEFAULT ''{}''', 'uuid'),
    ('current_org_id', '', 'uuid'),
    ('current_user_id', '', 'uuid'),
    ('dashboard_leads', 'temperature text DEFAULT NULL, status text DEFAULT NULL, page_size integer DEFAULT 50, after jsonb DEFAULT NULL', 'TABLE(lead_id uuid, company_name text, contact_name text, email text, phone_number text, status text, temperature text, lead_score integer, raw_score integer, assigned_to uuid, created_at timestamptz, cursor jsonb)'),
    ('decline_lead', 'bid_id uuid, reason text', 'void'),
    ('detect_opt_out', 'message text, channel text DEFAULT ''sms''', 'TABLE(opt_out boolean, kind text, phrase text)'),
    ('enqueue_notification', 'notification jsonb', 'uuid'),
    ('enroll_lead', 'sequence_id uuid, lead_id uuid', 'uuid'),
    ('erase_lead', 'lead_id uuid, reason text', 'void'),
    ('expire_response_windows', 'batch integer DEFAULT 100', 'bigint'),
    ('explain_filter', 'filter jsonb', 'text'),
    ('explain_lead_score', 'lead_id uuid, model text DEFAULT NULL', 'TABLE(component text, rule text, value text, points numeric)'),
    ('export_lead', 'lead_id uuid', 'jsonb'),
    ('extension_version', '', 'text'),
    ('fail_notification', 'id uuid, error text', 'void'),
    ('fail_step', 'enrollment_id uuid, step integer, error text', 'void'),
    ('filter_matches', 'filter jsonb, lead record', 'boolean'),
    ('find_duplicate_leads', '', 'TABLE(lead_id uuid, duplicate_of uuid, matched_on text)'),
    ('get_config', 'key text', 'jsonb'),
    ('grant_access', 'role_name text, level text', 'void'),
    ('health_check', '', 'TABLE(check_name text, ok boolean, detail text)'),
    ('hold_budget', 'account_id uuid, amount numeric', 'uuid'),
    ('import_leads_csv', 'list_name text, csv text, options jsonb DEFAULT ''{}''', 'uuid'),
    ('install', '', 'CALL'),
    ('is_on_dnc_list', 'phone_number text, org_id uuid', 'boolean'),
    ('is_valid_email', 'address text', 'boolean'),
    ('lead_funnel', 'from_day date, to_day date', 'TABLE(stage text, "position" integer, leads bigint, reached bigint, rate numeric, step_rate numeric)'),
    ('lift_expired_bans', '', 'bigint'),
    ('load_national_dnc', 'area_code text, numbers text[]', 'bigint'),
    ('maintenance_status', '', 'TABLE(job text, last_run timestamptz, rows bigint, ok boolean, detail text)'),
    ('merge_leads', 'survivor uuid, duplicates uuid[]', 'uuid'),
    ('next_call_time', 'lead_id uuid, after timestamptz DEFAULT clock_now()', 'timestamptz'),
    ('normalize_phone', 'raw text, region text DEFAULT ''US''', 'text'),
    ('open_bidding', 'lead_id uuid, base_lead_cost numeric, closes_at timestamptz DEFAULT NULL', 'void'),
    ('override_dnc', 'lead_id uuid, reason text, consent_id uuid', 'uuid'),
    ('pause_enrollment', 'enrollment_id uuid, reason text DEFAULT NULL', 'void'),
    ('place_bid', 'lead_id uuid, contractor_id uuid, bid_multiplier numeric', 'uuid'),
    ('post_transaction', 'account_id uuid, transaction_type text, amount numeric, description text DEFAULT NULL, reference jsonb DEFAULT ''{}''', 'uuid'),
    ('rank_bids', 'lead_id uuid', 'TABLE(bid_id uuid, contractor_id uuid, final_bid_amount numeric, bid_rank integer)'),
    ('recalculate_lead_scores', 'IN batch integer DEFAULT 10000', 'CALL'),
    ('record_call', 'call jsonb', 'uuid'),
    ('record_call_attempt', 'p_campaign_lead_id uuid, p_outcome text, p_duration integer DEFAULT 0, p_details jsonb DEFAULT ''{}''', 'uuid'),
    ('record_consent', 'lead_id uuid, channel text, evidence jsonb', 'uuid'),
    ('record_sms', 'sms jsonb', 'uuid'),
    ('refresh_contractor_metrics', 'contractor_id uuid', 'void'),
    ('refresh_segment_count', 'segment_id uuid', 'bigint'),
    ('release_hold', 'hold_id uuid', 'uuid'),
    ('remove_from_dnc_list', 'phone_number text, reason text', 'boolean'),
    ('remove_lead_list_from_campaign', 'p_campaign_id uuid, p_lead_list_id uuid', 'bigint'),
    ('restore_lead', 'lead_id uuid', 'void'),
    ('resume_enrollment', 'enrollment_id uuid, reason text DEFAULT NULL', 'void'),
    ('review_appeal', 'appeal_id uuid, approve boolean, reviewed_by uuid', 'void'),
    ('revoke_consent', 'lead_id uuid, channel text DEFAULT NULL', 'void'),
    ('rls_selftest', '', 'TABLE(table_name text, leaked bigint)'),
    ('run_maintenance', 'IN jobs text[] DEFAULT NULL', 'CALL'),
    ('schedule_maintenance', 'cron text DEFAULT ''* * * * *''', 'bigint'),
    ('score_at', 'lead_id uuid, at timestamptz', 'integer'),
    ('segment_leads', 'segment_id uuid', 'TABLE(lead_id uuid)'),
    ('send_message', 'lead_id uuid, sender_id uuid, message_text text', 'uuid'),
    ('set_config', 'key text, value jsonb', 'void'),
    ('set_password', 'user_id uuid, password text', 'void'),
    ('source_performance', 'from_day date, to_day date', 'TABLE(source text, sub_source text, leads bigint, won bigint, cost numeric, revenue numeric, cpl numeric, cpr numeric, roi numeric)'),
    ('take_analytics_snapshot', 'day date', 'void'),
    ('time_in_stage', 'from_day date, to_day date', 'TABLE(stage text, stays bigint, leads bigint, average interval, median interval, percentile_90 interval, longest interval)'),
    ('unmerge_leads', 'merge_id uuid', 'void'),
    ('upsert_lead', 'lead jsonb, on_duplicate text DEFAULT ''reject''', 'uuid'),
    ('uuid_v7', '', 'uuid'),
    ('verify_dnc_audit', '', 'TABLE(ok boolean, broken_at uuid)'),
    ('verify_ledger', 'account_id uuid', 'TABLE(ok boolean, broken_at bigint, detail text)'),
    ('verify_password', 'email text, password text', 'uuid');

-- As the catalog prints them, without what only repeats the type.
CREATE TEMP TABLE found AS
SELECT p.proname::text AS name,
       replace(replace(regexp_replace(pg_get_function_arguments(p.oid), '::(text|uuid|jsonb|timestamp with time zone|interval|text\[\])', '', 'g'),
           'timestamp with time zone', 'timestamptz'), 'lead_system.', '') AS arguments,
       coalesce(replace(pg_get_function_result(p.oid), 'timestamp with time zone', 'timestamptz'), 'CALL') AS result
  FROM pg_catalog.pg_proc p
 WHERE p.pronamespace = 'lead_system'::regnamespace;

SELECT is((SELECT count(*) FROM promised), 94::bigint, 'the list is whole');
SELECT is_empty($$ SELECT p.*, (SELECT string_agg(f.arguments || ' -> ' || f.result, '; ') FROM found f WHERE f.name = p.name) AS but_found
    FROM promised p WHERE NOT EXISTS (SELECT 1 FROM found f WHERE (f.name, f.arguments, f.result) = (p.name, p.arguments, p.result)) $$,
    'every promised function is there as promised');

SELECT * FROM finish();
ROLLBACK;
