-- The access levels: what a database role of each level, and one without any,
-- may and may not do.  The matrix below says what each level needs for its
-- work; it is compared with the privileges of all tables and functions of the
-- schema, so an object that it does not name fails, and then everything is
-- tried as each role.
--
-- Runs alone: pg_prove test/pgtap/access.sql

BEGIN;
SELECT plan(134);
\ir lib/two_organizations.sql

-- Who needs what.  readonly looks at everything its organization has; an agent
-- works on leads; a manager runs lists, campaigns and imports; an admin sets the
-- organization up: users, rules, settings, and may delete.  maintenance reads,
-- and runs what a scheduler runs.  Histories, counts, queues and the do-not-call
-- list are written by functions alone, so nobody has a right to write those.
--
-- S select, I insert, U update, D delete, T truncate, - nothing; i and u: some
-- columns only, which are listed further down.
CREATE TEMP TABLE expected_tables (name text, none text, readonly text, agent text, manager text, admin text, maintenance text) ON COMMIT DROP;
INSERT INTO expected_tables VALUES
    ('access_grants',        '-', '-', '-',   '-',    'S',    'S'),
    ('activities',           '-', 'S', 'S',   'S',    'S',    'S'),
    ('analytics_snapshots',  '-', 'S', 'S',   'S',    'S',    'S'),
    ('campaign_lead_lists_with_stats', '-', 'S', 'S', 'S', 'S', 'S'),
    ('campaign_performance', '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_lists_with_campaigns', '-', 'S', 'S', 'S', 'S',   'S'),
    ('lead_pipeline',        '-', 'S', 'S',   'S',    'S',    'S'),
    ('user_dashboard',       '-', 'S', 'S',   'S',    'S',    'S'),
    ('area_code_timezones',  '-', 'S', 'S',   'S',    'S',    'S'),
    ('ad_campaign_days', '-', 'S', 'S', 'S', 'S', 'S'),
    ('ad_campaigns', '-', 'S', 'S', 'SiuD', 'SiuD', 'S'),
    ('ai_agent_logs', '-', 'S', 'S', 'S', 'S', 'S'),
    ('keyword_days', '-', 'S', 'S', 'S', 'S', 'S'),
    ('keywords', '-', 'S', 'S', 'SiuD', 'SiuD', 'S'),
    ('workflow_runs', '-', 'S', 'S', 'S', 'S', 'S'),
    ('workflows', '-', 'S', 'S', 'SiuD', 'SiuD', 'S'),
    ('ban_appeals',          '-', 'S', 'S',   'S',    'S',    'S'),
    ('bids',                 '-', 'S', 'Si',  'Si',   'Si',   'S'),
    ('call_logs',            '-', 'S', 'S',   'S',    'S',    'S'),
    ('calling_rules',        '-', 'S', 'S',   'S',    'SiuD', 'S'),
    ('budget_accounts',      '-', 'S', 'S',   'S',    'Su',   'S'),
    ('budget_holds',         '-', 'S', 'S',   'S',    'S',    'S'),
    ('budget_transactions',  '-', 'S', 'S',   'S',    'S',    'S'),
    ('financials',           '-', 'S', 'S',   'SiuD', 'SiuD', 'S'),
    ('lead_source_costs',    '-', 'S', 'S',   'SiuD', 'SiuD', 'S'),
    ('subscriptions',        '-', 'S', 'S',   'S',    'SiuD', 'S'),
    ('campaign_lead_lists',  '-', 'S', 'S',   'Su',   'Su',   'S'),
    ('campaign_leads',       '-', 'S', 'S',   'S',    'S',    'S'),
    ('campaign_suppressions', '-', 'S', 'S',  'S',    'S',    'S'),
    ('campaigns',            '-', 'S', 'S',   'SIUD', 'SIUD', 'S'),
    ('categories',           '-', 'S', 'S',   'SIUD', 'SIUD', 'S'),
    ('contact_consents',     '-', 'S', 'S',   'S',    'S',    'S'),
    ('contact_attempts',     '-', 'S', 'S',   'S',    'S',    'S'),
    ('contractor_metrics',   '-', 'S', 'S',   'S',    'S',    'S'),
    ('conversions',          '-', 'S', 'S',   'S',    'S',    'S'),
    ('dnc_audit_chain',      '-', 'S', 'S',   'S',    'S',    'S'),
    ('dnc_audit_heads',      '-', 'S', 'S',   'S',    'S',    'S'),
    ('erasure_keys',         '-', '-', '-',   '-',    '-',    '-'),
    ('erasures',             '-', 'S', 'S',   'S',    'S',    'S'),
    ('dnc_audit_log',        '-', 'S', 'S',   'S',    'S',    'S'),
    ('dnc_list',             '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_assignments',     '-', 'S', 'S',   'S',    'S',    'S'),
    ('integrations',         '-', '-', '-',   '-',    '-',    '-'),
    ('notification_templates', '-', 'S', 'S', 'SiuD', 'SiuD', 'S'),
    ('notifications',        '-', 'S', 'S',   'S',    'S',    'S'),
    ('user_credentials',     '-', '-', '-',   '-',    '-',    '-'),
    ('lead_audit_log',       '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_credits',         '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_import_errors',   '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_imports',         '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_intent_signals',  '-', 'S', 'SI',  'SI',   'SI',   'S'),
    ('lead_merge_rows',      '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_merges',          '-', 'S', 'S',   'S',    'S',    'S'),
    ('leads_archive',        '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_list_members',    '-', 'S', 'S',   'SIUD', 'SIUD', 'S'),
    ('lead_listings',        '-', 'S', 'S',   'Siu',  'Siu',  'S'),
    ('lead_lists',           '-', 'S', 'S',   'SiuD', 'SiuD', 'S'),
    ('lead_qualifications',  '-', 'S', 'SIU', 'SIU',  'SIU',  'S'),
    ('lead_score_history',   '-', 'S', 'S',   'S',    'S',    'S'),
    ('lead_status_history',  '-', 'S', 'S',   'S',    'S',    'S'),
    ('leads',                '-', 'S', 'SIU', 'SIU',  'SIUD', 'S'),
    ('maintenance_runs',     '-', 'S', 'S',   'S',    'S',    'S'),
    ('marketplace_leads',    '-', 'S', 'S',   'S',    'S',    'S'),
    ('messages',             '-', 'S', 'Siu', 'Siu',  'Siu',  'S'),
    ('national_dnc_loads',   '-', 'S', 'S',   'S',    'S',    'S'),
    ('national_dnc_registry', '-', '-', '-',  '-',    '-',    'S'),
    ('lead_sequence_enrollments', '-', 'S', 'S', 'S', 'S', 'S'),
    ('nurture_daily_counts', '-', 'S', 'S',   'S',    'S',    'S'),
    ('nurture_sequences',    '-', 'S', 'S',   'SiuD', 'SiuD', 'S'),
    ('opt_out_phrases',      '-', 'S', 'S',   'Si',   'SiuD', 'S'),
    ('segments',             '-', 'S', 'SiuD', 'SiuD', 'SiuD', 'S'),
    ('organizations',        '-', 'S', 'S',   'S',    'Su',   'SUD'),
    ('pipeline_statuses',    '-', 'S', 'S',   'S',    'SIUD', 'S'),
    ('pipeline_transitions', '-', 'S', 'S',   'S',    'SIUD', 'S'),
    ('pipelines',            '-', 'S', 'S',   'S',    'SiuD', 'S'),
    ('rating_discount_tiers', '-', 'S', 'S',  'S',    'SiuD', 'S'),
    ('scoring_models',       '-', 'S', 'S',   'S',    'SiuD', 'S'),
    ('scoring_rules',        '-', 'S', 'S',   'S',    'SiuD', 'S'),
    ('scoring_runs',         '-', 'S', 'S',   'S',    'S',    'S'),
    ('sms_logs',             '-', 'S', 'S',   'S',    'S',    'S'),
    ('state_timezones',      '-', 'S', 'S',   'S',    'S',    'S'),
    ('strike_logs',          '-', 'S', 'S',   'S',    'S',    'S'),
    ('system_config',        '-', 'S', 'S',   'S',    'SIUD', 'S'),
    ('territories',          '-', 'S', 'S',   'SIUD', 'SIUD', 'S'),
    ('users',                '-', 'S', 'S',   'S',    'SIU',  'S'),
    ('waiting_leads',        '-', 'S', 'S',   'S',    'S',    'S');

-- X may execute.  Helpers that the tables' own defaults, checks and policies
-- call are PUBLIC's; without USAGE on the schema nobody can name them.
CREATE TEMP TABLE expected_functions (signature text, none text, readonly text, agent text, manager text, admin text, maintenance text) ON COMMIT DROP;
INSERT INTO expected_functions VALUES
    ('clock_now()',                                                     'X', 'X', 'X', 'X', 'X', 'X'),
    ('current_contractor_id()',                                         'X', 'X', 'X', 'X', 'X', 'X'),
    ('sees_all_segments()',                                             'X', 'X', 'X', 'X', 'X', 'X'),
    ('current_org_id()',                                                'X', 'X', 'X', 'X', 'X', 'X'),
    ('current_user_id()',                                               'X', 'X', 'X', 'X', 'X', 'X'),
    ('extension_version()',                                             'X', 'X', 'X', 'X', 'X', 'X'),
    ('is_e164(text)',                                                   'X', 'X', 'X', 'X', 'X', 'X'),
    ('is_valid_email(text)',                                            'X', 'X', 'X', 'X', 'X', 'X'),
    ('normalize_phone(text,text)',                                      'X', 'X', 'X', 'X', 'X', 'X'),
    ('uuid_v7()',                                                       'X', 'X', 'X', 'X', 'X', 'X'),
    ('access_levels()',                                                 '-', 'X', 'X', 'X', 'X', 'X'),
    ('detect_opt_out(text,text)',                                        '-', 'X', 'X', 'X', 'X', 'X'),
    ('load_national_dnc(text,text[])',                                   '-', '-', '-', '-', '-', 'X'),
    ('national_dnc_check(text,text)',                                    '-', 'X', 'X', 'X', 'X', 'X'),
    ('national_dnc_status()',                                            '-', 'X', 'X', 'X', 'X', 'X'),
    ('override_dnc(uuid,text,uuid)',                                     '-', '-', '-', '-', 'X', '-'),
    ('record_consent(uuid,text,jsonb)',                                  '-', '-', 'X', 'X', 'X', '-'),
    ('revoke_consent(uuid,text)',                                        '-', '-', 'X', 'X', 'X', '-'),
    ('calculate_lead_score(uuid)',                                      '-', 'X', 'X', 'X', 'X', 'X'),
    ('calculate_lead_score(uuid,text)',                                 '-', 'X', 'X', 'X', 'X', 'X'),
    ('config_keys()',                                                   '-', 'X', 'X', 'X', 'X', 'X'),
    ('dashboard_leads(text,text,integer,jsonb)',                        '-', 'X', 'X', 'X', 'X', 'X'),
    ('dnc_audit_head()',                                                '-', 'X', 'X', 'X', 'X', 'X'),
    ('open_account(uuid,boolean)',                                        '-', '-', '-', '-', 'X', '-'),
    ('close_account(uuid)',                                               '-', '-', '-', '-', 'X', '-'),
    ('post_transaction(uuid,text,numeric,text,jsonb)',                    '-', '-', '-', '-', 'X', '-'),
    ('hold_budget(uuid,numeric)',                                         '-', '-', '-', 'X', 'X', '-'),
    ('place_hold(uuid,numeric,interval,text,jsonb)',                      '-', '-', '-', 'X', 'X', '-'),
    ('capture_hold(uuid,numeric)',                                        '-', '-', '-', 'X', 'X', '-'),
    ('release_hold(uuid)',                                                '-', '-', '-', 'X', 'X', '-'),
    ('release_expired_holds(integer)',                                    '-', '-', '-', '-', 'X', 'X'),
    ('verify_ledger(uuid)',                                               '-', 'X', 'X', 'X', 'X', 'X'),
    ('roi(numeric,numeric,text)',                                         '-', 'X', 'X', 'X', 'X', 'X'),
    ('subscription_mrr()',                                                '-', 'X', 'X', 'X', 'X', 'X'),
    ('find_duplicate_leads()',                                          '-', 'X', 'X', 'X', 'X', 'X'),
    ('merge_leads(uuid,uuid[])',                                        '-', '-', '-', 'X', 'X', '-'),
    ('unmerge_leads(uuid)',                                             '-', '-', '-', 'X', 'X', '-'),
    ('archive_leads(integer)',                                          '-', '-', '-', '-', 'X', 'X'),
    ('restore_lead(uuid)',                                              '-', '-', '-', 'X', 'X', '-'),
    ('export_archive_csv(integer)',                                     '-', '-', '-', '-', 'X', 'X'),
    ('purge_archived_leads(integer,timestamp with time zone)',          '-', '-', '-', '-', 'X', 'X'),
    ('apply_retention(integer)',                                        '-', '-', '-', '-', 'X', 'X'),
    ('erase_lead(uuid,text)',                                           '-', '-', '-', '-', 'X', '-'),
    ('export_lead(uuid)',                                               '-', 'X', 'X', 'X', 'X', 'X'),
    ('personal_data_columns()',                                         '-', 'X', 'X', 'X', 'X', 'X'),
    ('verify_dnc_audit()',                                              '-', 'X', 'X', 'X', 'X', 'X'),
    ('explain_lead_score(uuid,text)',                                   '-', 'X', 'X', 'X', 'X', 'X'),
    ('get_config(text)',                                                '-', 'X', 'X', 'X', 'X', 'X'),
    ('can_contact(uuid,text)',                                          '-', 'X', 'X', 'X', 'X', 'X'),
    ('contact_blockers(uuid,text,uuid)',                                '-', 'X', 'X', 'X', 'X', 'X'),
    ('contact_time_zones(uuid)',                                        '-', 'X', 'X', 'X', 'X', 'X'),
    ('count_leads(jsonb)',                                              '-', 'X', 'X', 'X', 'X', 'X'),
    ('explain_filter(jsonb)',                                           '-', 'X', 'X', 'X', 'X', 'X'),
    ('filter_matches(jsonb,record)',                                    '-', 'X', 'X', 'X', 'X', 'X'),
    ('lead_list_leads(uuid)',                                           '-', 'X', 'X', 'X', 'X', 'X'),
    ('segment_leads(uuid)',                                             '-', 'X', 'X', 'X', 'X', 'X'),
    ('refresh_segment_count(uuid)',                                     '-', '-', 'X', 'X', 'X', 'X'),
    ('refresh_lead_list(uuid)',                                         '-', '-', '-', 'X', 'X', '-'),
    ('refresh_smart_lists()',                                           '-', '-', '-', 'X', 'X', 'X'),
    ('enroll_lead(uuid,uuid)',                                            '-', '-', 'X', 'X', 'X', '-'),
    ('pause_enrollment(uuid,text)',                                       '-', '-', 'X', 'X', 'X', '-'),
    ('resume_enrollment(uuid,text)',                                      '-', '-', 'X', 'X', 'X', '-'),
    ('cancel_enrollment(uuid,text)',                                      '-', '-', 'X', 'X', 'X', '-'),
    ('claim_due_steps(integer,interval)',                                 '-', '-', 'X', 'X', 'X', '-'),
    ('complete_step(uuid,integer)',                                       '-', '-', 'X', 'X', 'X', '-'),
    ('fail_step(uuid,integer,text)',                                      '-', '-', 'X', 'X', 'X', '-'),
    ('confirm_step(uuid,integer)',                                        '-', '-', 'X', 'X', 'X', '-'),
    ('retry_step(uuid,integer)',                                          '-', '-', '-', 'X', 'X', '-'),
    ('release_lapsed_steps(integer)',                                     '-', '-', '-', '-', 'X', 'X'),
    ('record_call(jsonb)',                                                '-', '-', 'X', 'X', 'X', '-'),
    ('record_sms(jsonb)',                                                 '-', '-', 'X', 'X', 'X', '-'),
    ('record_engagement(uuid,text)',                                      '-', '-', 'X', 'X', 'X', '-'),
    ('sweep_missed_calls(integer)',                                       '-', '-', '-', '-', 'X', 'X'),
    ('record_reply(uuid,text)',                                           '-', '-', 'X', 'X', 'X', '-'),
    ('next_call_time(uuid,timestamp with time zone)',                   '-', 'X', 'X', 'X', 'X', 'X'),
    ('is_on_dnc_list(text,uuid)',                                       '-', 'X', 'X', 'X', 'X', 'X'),
    ('parse_csv(text,text,text)',                                       '-', 'X', 'X', 'X', 'X', 'X'),
    ('score_at(uuid,timestamp with time zone)',                         '-', 'X', 'X', 'X', 'X', 'X'),
    ('search_leads(text,integer)',                                      '-', 'X', 'X', 'X', 'X', 'X'),
    ('add_lead_note(uuid,text)',                                        '-', '-', 'X', 'X', 'X', '-'),
    ('record_intent_signal(uuid,text,uuid)',                            '-', '-', 'X', 'X', 'X', '-'),
    ('record_qualification(uuid,jsonb)',                                '-', '-', 'X', 'X', 'X', '-'),
    ('add_to_dnc_list(text,text,text,timestamp with time zone,text)',   '-', '-', 'X', 'X', 'X', '-'),
    ('authorize_contact(uuid,text,uuid)',                               '-', '-', 'X', 'X', 'X', '-'),
    ('compliance_report(timestamp with time zone,timestamp with time zone)', '-', 'X', 'X', 'X', 'X', 'X'),
    ('suppress_in_campaign(uuid,text,text)',                            '-', '-', '-', 'X', 'X', '-'),
    ('unsuppress_in_campaign(uuid,text,text)',                          '-', '-', '-', '-', 'X', '-'),
    ('change_lead_status(uuid,text,text,text,uuid,boolean)',            '-', '-', 'X', 'X', 'X', '-'),
    ('claim_campaign_leads(uuid,integer,uuid,interval)',                '-', '-', 'X', 'X', 'X', '-'),
    ('record_call_attempt(uuid,text,integer,jsonb)',                    '-', '-', 'X', 'X', 'X', '-'),
    ('upsert_lead(jsonb,text)',                                         '-', '-', 'X', 'X', 'X', '-'),
    ('add_lead_list_to_campaign(uuid,uuid,integer)',                    '-', '-', '-', 'X', 'X', '-'),
    ('add_matching_leads_to_campaign(uuid,uuid,jsonb,integer)',         '-', '-', '-', 'X', 'X', '-'),
    ('add_numbers_to_dnc_list(text[],text,text,timestamp with time zone)', '-', '-', '-', 'X', 'X', '-'),
    ('create_lead_list_from_csv(uuid,character varying,jsonb)',         '-', '-', '-', 'X', 'X', '-'),
    ('import_leads_csv(text,text,jsonb)',                               '-', '-', '-', 'X', 'X', '-'),
    ('remove_lead_list_from_campaign(uuid,uuid)',                       '-', '-', '-', 'X', 'X', '-'),
    ('rank_bids(uuid)',                                                 '-', 'X', 'X', 'X', 'X', 'X'),
    ('appeal_ban(uuid,text)',                                           '-', '-', 'X', 'X', 'X', '-'),
    ('cancel_bid(uuid)',                                                '-', '-', 'X', 'X', 'X', '-'),
    ('decline_lead(uuid,text)',                                         '-', '-', 'X', 'X', 'X', '-'),
    ('place_bid(uuid,uuid,numeric)',                                    '-', '-', 'X', 'X', 'X', '-'),
    ('record_conversion(uuid,text)',                                    '-', '-', 'X', 'X', 'X', '-'),
    ('send_message(uuid,uuid,text)',                                    '-', '-', 'X', 'X', 'X', '-'),
    ('close_bidding(uuid)',                                             '-', '-', '-', 'X', 'X', '-'),
    ('assign_lead(uuid,text,uuid)',                                     '-', '-', 'X', 'X', 'X', '-'),
    ('assign_lead_to(uuid,uuid,text,boolean)',                          '-', '-', 'X', 'X', 'X', '-'),
    ('assign_leads(uuid[],text,text)',                                  '-', '-', '-', 'X', 'X', '-'),
    ('release_leads(uuid,text,text)',                                   '-', '-', '-', 'X', 'X', '-'),
    ('assign_waiting_leads(integer)',                                   '-', '-', '-', 'X', 'X', 'X'),
    ('record_ad_days(jsonb)', '-', '-', 'X', 'X', 'X', '-'),
    ('run_ad_diagnostics(date)', '-', '-', '-', 'X', 'X', 'X'),
    ('propose_actions()', '-', '-', '-', 'X', 'X', 'X'),
    ('propose_action(text,text,uuid,numeric,jsonb)', '-', '-', 'X', 'X', 'X', '-'),
    ('apply_action(uuid)', '-', '-', '-', 'X', 'X', '-'),
    ('apply_due_actions(integer)', '-', '-', '-', 'X', 'X', 'X'),
    ('log_agent_action(text,text,jsonb,text,text,jsonb,uuid)', '-', '-', 'X', 'X', 'X', '-'),
    ('approve_action(uuid,text)', '-', '-', '-', 'X', 'X', '-'),
    ('reject_action(uuid,text)', '-', '-', '-', 'X', 'X', '-'),
    ('record_workflow_run(uuid,text,text,uuid,text)', '-', '-', 'X', 'X', 'X', '-'),
    ('due_workflow_runs(integer)', '-', 'X', 'X', 'X', 'X', 'X'),
    ('sla_breaches()',                                                  '-', 'X', 'X', 'X', 'X', 'X'),
    ('sweep_sla(integer)',                                              '-', '-', '-', 'X', 'X', 'X'),
    ('recount_user_counters()',                                         '-', '-', '-', '-', 'X', 'X'),
    ('open_bidding(uuid,numeric,timestamp with time zone)',             '-', '-', '-', 'X', 'X', '-'),
    ('review_appeal(uuid,boolean,uuid)',                                '-', '-', '-', 'X', 'X', '-'),
    ('archive_listings(integer)',                                       '-', '-', '-', '-', 'X', 'X'),
    ('close_due_bidding(integer)',                                      '-', '-', '-', '-', 'X', 'X'),
    ('expire_response_windows(integer)',                                '-', '-', '-', '-', 'X', 'X'),
    ('lift_expired_bans()',                                             '-', '-', '-', '-', 'X', 'X'),
    ('refresh_contractor_metrics(uuid)',                                '-', '-', '-', '-', 'X', 'X'),
    ('warn_response_windows(integer)',                                  '-', '-', '-', '-', 'X', 'X'),
    ('copy_pipeline(text,text)',                                        '-', '-', '-', '-', 'X', '-'),
    ('copy_scoring_model(text,text)',                                   '-', '-', '-', '-', 'X', '-'),
    ('remove_from_dnc_list(text,text)',                                 '-', '-', '-', '-', 'X', '-'),
    ('release_expired_dnc_blocks()',                                    '-', '-', '-', '-', 'X', 'X'),
    ('dnc_filter_status()',                                             '-', '-', '-', '-', '-', 'X'),
    ('rebuild_dnc_filter()',                                            '-', '-', '-', '-', '-', 'X'),
    ('enqueue_notification(jsonb)',                                     '-', '-', 'X', 'X', 'X', '-'),
    ('claim_notifications(integer,interval)',                           '-', '-', '-', '-', 'X', 'X'),
    ('complete_notification(uuid)',                                     '-', '-', '-', '-', 'X', 'X'),
    ('fail_notification(uuid,text)',                                    '-', '-', '-', '-', 'X', 'X'),
    ('render_template(text,uuid,uuid,jsonb)',                           '-', 'X', 'X', 'X', 'X', 'X'),
    ('set_password(uuid,text)',                                         '-', '-', 'X', 'X', 'X', '-'),
    ('verify_password(text,text)',                                      '-', '-', 'X', 'X', 'X', '-'),
    ('set_integration_token(text,text,text,text,timestamp with time zone)', '-', '-', '-', '-', 'X', '-'),
    ('get_integration_token(text)',                                     '-', '-', '-', '-', 'X', '-'),
    ('take_analytics_snapshot(date)',                                   '-', '-', '-', '-', 'X', 'X'),
    ('lead_funnel(date,date)',                                          '-', 'X', 'X', 'X', 'X', 'X'),
    ('time_in_stage(date,date)',                                        '-', 'X', 'X', 'X', 'X', 'X'),
    ('source_performance(date,date)',                                   '-', 'X', 'X', 'X', 'X', 'X'),
    ('cohort_report(date,date,text)',                                   '-', 'X', 'X', 'X', 'X', 'X'),
    ('velocity_report(date,date,text)',                                 '-', 'X', 'X', 'X', 'X', 'X'),
    ('attribution(date,date,text,boolean)',                             '-', 'X', 'X', 'X', 'X', 'X'),
    ('record_touch(uuid,text,jsonb)',                                   '-', '-', 'X', 'X', 'X', '-'),
    ('require_org_id()',                                                '-', 'X', 'X', 'X', 'X', 'X'),
    ('set_config(text,jsonb)',                                          '-', '-', '-', '-', 'X', '-'),
    ('create_organization(text,text,jsonb)',                            '-', '-', '-', '-', 'X', 'X'),
    ('health_check()',                                                  '-', '-', '-', '-', 'X', 'X'),
    ('recalculate_lead_scores(integer)',                                '-', '-', '-', '-', 'X', 'X'),
    ('run_maintenance(text[])',                                         '-', '-', '-', '-', 'X', 'X'),
    ('maintenance_status()',                                            '-', 'X', 'X', 'X', 'X', 'X'),
    ('maintenance_jobs()',                                              '-', 'X', 'X', 'X', 'X', 'X'),
    ('schedule_maintenance(text)',                                      '-', '-', '-', '-', '-', 'X'),
    ('unschedule_maintenance()',                                        '-', '-', '-', '-', '-', 'X'),
    ('rls_selftest()',                                                  '-', '-', '-', '-', 'X', 'X'),
    ('grant_access(text,text)',                                         '-', '-', '-', '-', '-', '-'),
    ('revoke_access(text)',                                             '-', '-', '-', '-', '-', '-'),
    ('install()',                                                       '-', '-', '-', '-', '-', '-'),
    ('install_storage()',                                               '-', '-', '-', '-', '-', '-'),
    ('storage_script()',                                                '-', '-', '-', '-', '-', '-');

-- One row per object and level.
CREATE TEMP VIEW expected AS
SELECT 'table' AS kind, e.name AS object, l.level, l.role_name, to_jsonb(e) ->> l.level AS privileges
  FROM expected_tables e CROSS JOIN levels l
UNION ALL
SELECT 'function', e.signature, l.level, l.role_name, to_jsonb(e) ->> l.level
  FROM expected_functions e CROSS JOIN levels l;

-- A function that only triggers call is nobody's.
CREATE TEMP VIEW actual AS
SELECT 'table' AS kind, c.relname::text COLLATE "default" AS object, l.level, l.role_name,
       coalesce(nullif(concat(
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'SELECT') THEN 'S' END,
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'INSERT') THEN 'I'
                WHEN has_any_column_privilege(l.role_name, c.oid, 'INSERT') THEN 'i' END,
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'UPDATE') THEN 'U'
                WHEN has_any_column_privilege(l.role_name, c.oid, 'UPDATE') THEN 'u' END,
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'DELETE') THEN 'D' END,
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'TRUNCATE') THEN 'T' END,
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'REFERENCES') THEN 'R' END,
           CASE WHEN has_table_privilege(l.role_name, c.oid, 'TRIGGER') THEN 'G' END), ''), '-') AS privileges
  FROM pg_catalog.pg_class c CROSS JOIN levels l
 WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT 'function', replace(p.oid::regprocedure::text, 'lead_system.', '') COLLATE "default", l.level, l.role_name,
       CASE WHEN has_function_privilege(l.role_name, p.oid, 'EXECUTE') THEN 'X' ELSE '-' END
  FROM pg_catalog.pg_proc p CROSS JOIN levels l
 WHERE p.pronamespace = 'lead_system'::regnamespace AND p.prorettype <> 'trigger'::regtype;

SELECT is_empty(format($$
    SELECT object, e.privileges AS expected, a.privileges AS actual
      FROM (SELECT * FROM expected WHERE kind = %L AND level = %L) e
      FULL JOIN (SELECT * FROM actual WHERE kind = %1$L AND level = %2$L) a USING (object)
     WHERE e.privileges IS DISTINCT FROM a.privileges $$, k.kind, l.level),
    format('privileges of level %s: every %s, exactly as needed', l.level, k.kind))
  FROM levels l CROSS JOIN (VALUES ('table'), ('function')) k(kind)
 ORDER BY l.position, k.kind DESC;

SELECT is_empty($$
    SELECT p.oid::regprocedure, l.level FROM pg_catalog.pg_proc p CROSS JOIN levels l
     WHERE p.pronamespace = 'lead_system'::regnamespace AND p.prorettype = 'trigger'::regtype
       AND has_function_privilege(l.role_name, p.oid, 'EXECUTE')
$$, 'no level may execute a trigger function');

SELECT results_eq($$
    SELECT level, has_schema_privilege(role_name, 'lead_system', 'USAGE'), has_schema_privilege(role_name, 'lead_system', 'CREATE')
      FROM levels ORDER BY position
$$, $$ VALUES ('none', false, false), ('readonly', true, false), ('agent', true, false), ('manager', true, false),
              ('admin', true, false), ('maintenance', true, false) $$,
    'each level may use the schema and create nothing in it; a role without level may not even use it');

-- Where only some columns may be written: which ones may not.
SELECT results_eq($$
    SELECT c.relname::text COLLATE "default", l.level, p.command, string_agg(a.attname::text COLLATE "default", ', ' ORDER BY a.attname)
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     CROSS JOIN levels l CROSS JOIN (VALUES ('INSERT'), ('UPDATE')) p(command)
     WHERE c.relnamespace = 'lead_system'::regnamespace AND c.relkind IN ('r', 'p')
       AND has_any_column_privilege(l.role_name, c.oid, p.command) AND NOT has_column_privilege(l.role_name, c.oid, a.attnum, p.command)
     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
$$, $$ VALUES
    ('ad_campaigns', 'admin', 'INSERT', 'created_at, last_synced_at, paused_for, updated_at'),
    ('ad_campaigns', 'admin', 'UPDATE', 'created_at, id, last_synced_at, paused_for, total_clicks, total_conversions, total_impressions, total_spend, updated_at'),
    ('ad_campaigns', 'manager', 'INSERT', 'created_at, last_synced_at, paused_for, updated_at'),
    ('ad_campaigns', 'manager', 'UPDATE', 'created_at, id, last_synced_at, paused_for, total_clicks, total_conversions, total_impressions, total_spend, updated_at'),
    ('bids', 'admin', 'INSERT', 'bid_placed_at, bid_rank, cancelled_at, charge_amount, created_at, declined_reason, discount_multiplier, final_bid_amount, rank_amount, rating_at_bid, responded_at, response_window_ends_at, response_window_starts_at, status, strike_applied, window_warned_at'),
    ('bids', 'agent', 'INSERT', 'bid_placed_at, bid_rank, cancelled_at, charge_amount, created_at, declined_reason, discount_multiplier, final_bid_amount, rank_amount, rating_at_bid, responded_at, response_window_ends_at, response_window_starts_at, status, strike_applied, window_warned_at'),
    ('bids', 'manager', 'INSERT', 'bid_placed_at, bid_rank, cancelled_at, charge_amount, created_at, declined_reason, discount_multiplier, final_bid_amount, rank_amount, rating_at_bid, responded_at, response_window_ends_at, response_window_starts_at, status, strike_applied, window_warned_at'),
    ('budget_accounts', 'admin', 'UPDATE', 'balance, closed_at, created_at, currency, held, id, last_hash, last_sequence, organization_id, updated_at, user_id'),
    ('calling_rules', 'admin', 'INSERT', 'created_at, id'),
    ('calling_rules', 'admin', 'UPDATE', 'created_at, id'),
    ('campaign_lead_lists', 'admin', 'UPDATE', 'assigned_at, campaign_id, completed_at, contacted_leads, id, lead_list_id, open_leads, organization_id, priority, removed_at, successful_leads, total_leads'),
    ('campaign_lead_lists', 'manager', 'UPDATE', 'assigned_at, campaign_id, completed_at, contacted_leads, id, lead_list_id, open_leads, organization_id, priority, removed_at, successful_leads, total_leads'),
    ('financials', 'admin', 'INSERT', 'conversion_rate, cpl, created_at, roi, updated_at'),
    ('financials', 'admin', 'UPDATE', 'conversion_rate, cpl, created_at, id, roi, updated_at'),
    ('financials', 'manager', 'INSERT', 'conversion_rate, cpl, created_at, roi, updated_at'),
    ('financials', 'manager', 'UPDATE', 'conversion_rate, cpl, created_at, id, roi, updated_at'),
    ('keywords', 'admin', 'INSERT', 'created_at, last_synced_at, updated_at'),
    ('keywords', 'admin', 'UPDATE', 'created_at, id, last_synced_at, total_clicks, total_conversions, total_impressions, total_spend, updated_at'),
    ('keywords', 'manager', 'INSERT', 'created_at, last_synced_at, updated_at'),
    ('keywords', 'manager', 'UPDATE', 'created_at, id, last_synced_at, total_clicks, total_conversions, total_impressions, total_spend, updated_at'),
    ('lead_listings', 'admin', 'INSERT', 'archived_at, bidding_closed_at, bidding_opens_at, charge_on, created_at, has_unmarked_bids, pricing, rank_by, updated_at, winner_bid_id'),
    ('lead_listings', 'admin', 'UPDATE', 'archived_at, bidding_closed_at, bidding_closes_at, bidding_opens_at, charge_on, created_at, has_unmarked_bids, lead_id, organization_id, pricing, rank_by, updated_at, winner_bid_id'),
    ('lead_listings', 'manager', 'INSERT', 'archived_at, bidding_closed_at, bidding_opens_at, charge_on, created_at, has_unmarked_bids, pricing, rank_by, updated_at, winner_bid_id'),
    ('lead_listings', 'manager', 'UPDATE', 'archived_at, bidding_closed_at, bidding_closes_at, bidding_opens_at, charge_on, created_at, has_unmarked_bids, lead_id, organization_id, pricing, rank_by, updated_at, winner_bid_id'),
    ('lead_lists', 'admin', 'INSERT', 'created_at, lead_count, updated_at'),
    ('lead_lists', 'admin', 'UPDATE', 'created_at, created_by, id, lead_count, list_type, segment_id, updated_at'),
    ('lead_lists', 'manager', 'INSERT', 'created_at, lead_count, updated_at'),
    ('lead_lists', 'manager', 'UPDATE', 'created_at, created_by, id, lead_count, list_type, segment_id, updated_at'),
    ('lead_source_costs', 'admin', 'INSERT', 'created_at, updated_at'),
    ('lead_source_costs', 'admin', 'UPDATE', 'created_at, id, updated_at'),
    ('lead_source_costs', 'manager', 'INSERT', 'created_at, updated_at'),
    ('lead_source_costs', 'manager', 'UPDATE', 'created_at, id, updated_at'),
    ('messages', 'admin', 'INSERT', 'created_at, is_read, read_at, sent_at'),
    ('messages', 'admin', 'UPDATE', 'created_at, id, lead_id, message_text, organization_id, read_at, recipient_id, sender_id, sent_at'),
    ('messages', 'agent', 'INSERT', 'created_at, is_read, read_at, sent_at'),
    ('messages', 'agent', 'UPDATE', 'created_at, id, lead_id, message_text, organization_id, read_at, recipient_id, sender_id, sent_at'),
    ('messages', 'manager', 'INSERT', 'created_at, is_read, read_at, sent_at'),
    ('messages', 'manager', 'UPDATE', 'created_at, id, lead_id, message_text, organization_id, read_at, recipient_id, sender_id, sent_at'),
    ('notification_templates', 'admin', 'INSERT', 'created_at, id, updated_at'),
    ('notification_templates', 'admin', 'UPDATE', 'created_at, id, updated_at'),
    ('notification_templates', 'manager', 'INSERT', 'created_at, id, updated_at'),
    ('notification_templates', 'manager', 'UPDATE', 'created_at, id, updated_at'),
    ('nurture_sequences', 'admin', 'INSERT', 'active_enrollments, completed_enrollments, completion_rate, created_at, total_enrollments, updated_at'),
    ('nurture_sequences', 'admin', 'UPDATE', 'active_enrollments, completed_enrollments, completion_rate, created_at, created_by, id, total_enrollments, updated_at'),
    ('nurture_sequences', 'manager', 'INSERT', 'active_enrollments, completed_enrollments, completion_rate, created_at, total_enrollments, updated_at'),
    ('nurture_sequences', 'manager', 'UPDATE', 'active_enrollments, completed_enrollments, completion_rate, created_at, created_by, id, total_enrollments, updated_at'),
    ('opt_out_phrases', 'admin', 'INSERT', 'created_at, id'),
    ('opt_out_phrases', 'admin', 'UPDATE', 'created_at, id'),
    ('opt_out_phrases', 'manager', 'INSERT', 'created_at, id'),
    ('organizations', 'admin', 'UPDATE', 'created_at, id, status, tenant_id, updated_at'),
    ('pipelines', 'admin', 'INSERT', 'created_at, id'),
    ('pipelines', 'admin', 'UPDATE', 'created_at, id'),
    ('rating_discount_tiers', 'admin', 'INSERT', 'created_at, id'),
    ('rating_discount_tiers', 'admin', 'UPDATE', 'created_at, id'),
    ('scoring_models', 'admin', 'INSERT', 'created_at, id, updated_at'),
    ('scoring_models', 'admin', 'UPDATE', 'created_at, id, updated_at'),
    ('scoring_rules', 'admin', 'INSERT', 'created_at, id, updated_at'),
    ('scoring_rules', 'admin', 'UPDATE', 'created_at, id, updated_at'),
    ('segments', 'admin', 'INSERT', 'created_at, last_calculated_at, lead_count, updated_at'),
    ('segments', 'admin', 'UPDATE', 'created_at, id, last_calculated_at, lead_count, updated_at, user_id'),
    ('segments', 'agent', 'INSERT', 'created_at, last_calculated_at, lead_count, updated_at'),
    ('segments', 'agent', 'UPDATE', 'created_at, id, last_calculated_at, lead_count, updated_at, user_id'),
    ('segments', 'manager', 'INSERT', 'created_at, last_calculated_at, lead_count, updated_at'),
    ('segments', 'manager', 'UPDATE', 'created_at, id, last_calculated_at, lead_count, updated_at, user_id'),
    ('subscriptions', 'admin', 'INSERT', 'created_at, updated_at'),
    ('subscriptions', 'admin', 'UPDATE', 'created_at, id, updated_at'),
    ('workflows', 'admin', 'INSERT', 'created_at, total_completed, total_failed, total_triggered, updated_at'),
    ('workflows', 'admin', 'UPDATE', 'created_at, id, total_completed, total_failed, total_triggered, updated_at'),
    ('workflows', 'manager', 'INSERT', 'created_at, total_completed, total_failed, total_triggered, updated_at'),
    ('workflows', 'manager', 'UPDATE', 'created_at, id, total_completed, total_failed, total_triggered, updated_at')
$$, 'rights on single columns are those that the level needs');

-- The privileges at work: every command on every table, as each role.  The
-- server checks them before it looks at a row, so it needs none; 42501 with
-- another message would come from row level security, which is not meant here.

CREATE FUNCTION pg_temp.refused(answer text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT answer LIKE '42501 | permission denied for %'
$$;

CREATE TEMP TABLE commands (code text, template text) ON COMMIT DROP;
INSERT INTO commands VALUES
    ('S', 'SELECT 1 FROM lead_system.%1$I WHERE false'),
    ('I', 'INSERT INTO lead_system.%1$I (%3$s) SELECT %3$s FROM jsonb_populate_record(NULL::lead_system.%1$I, ''{}'') WHERE false'),
    ('U', 'UPDATE lead_system.%1$I SET %2$I = DEFAULT WHERE false'),
    ('D', 'DELETE FROM lead_system.%1$I WHERE false'),
    ('T', 'TRUNCATE lead_system.%1$I CASCADE');

SELECT is_empty(format($$
    SELECT e.object, c.code, x.answer
      FROM (SELECT * FROM expected WHERE kind = 'table' AND level = %L) e
     CROSS JOIN commands c
     CROSS JOIN LATERAL (
        SELECT pg_temp.try_as(e.role_name, %L, format(c.template, e.object,
            (SELECT a.attname FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = ('lead_system.' || e.object)::regclass AND a.attnum > 0
              ORDER BY has_column_privilege(e.role_name, a.attrelid, a.attnum, 'UPDATE') DESC, a.attnum LIMIT 1),
            (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = ('lead_system.' || e.object)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')))) x(answer)
     -- What cannot be done to a view of several tables is not asked of its rights.
     -- Of integrations an admin sees some columns; notifications.sql tries those.
     WHERE (e.object, c.code) <> ('integrations', 'S') AND (c.code = 'S' OR EXISTS (SELECT 1 FROM pg_catalog.pg_class v WHERE v.oid = ('lead_system.' || e.object)::regclass AND v.relkind <> 'v'))
       AND CASE WHEN strpos(e.privileges, c.code) > 0 OR c.code = 'U' AND strpos(e.privileges, 'u') > 0 THEN x.answer <> '0 rows' ELSE NOT pg_temp.refused(x.answer) END
$$, l.level, :'alpha'), format('level %s can run the commands it has rights for on every table, and is refused all others', l.level))
  FROM levels l ORDER BY l.position;

-- Every function, with NULL for each argument that must be given: what comes
-- then (a refusal of the NULL, mostly) does not matter, only whether the call
-- was let in.  The NULLs come from a table, so that the planner does not answer
-- for functions that are STRICT.
CREATE TEMP VIEW calls AS
SELECT replace(p.oid::regprocedure::text, 'lead_system.', '') COLLATE "default" AS object,
       CASE WHEN p.prokind = 'p'
            THEN format('CALL lead_system.%I(%s)', p.proname, a.nulls)
            ELSE format('SELECT lead_system.%I(%s) FROM (SELECT NULL::text AS nothing OFFSET 0) n', p.proname, a.columns) END AS statement
  FROM pg_catalog.pg_proc p
 CROSS JOIN LATERAL (
    SELECT coalesce(string_agg('NULL::' || format_type(t, NULL), ', ' ORDER BY position), ''),
           coalesce(string_agg('n.nothing::' || format_type(t, NULL), ', ' ORDER BY position), '')
      FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(t, position)) a(nulls, columns)
 WHERE p.pronamespace = 'lead_system'::regnamespace AND p.prorettype <> 'trigger'::regtype;

SELECT is_empty(format($$
    SELECT e.object, x.answer
      FROM (SELECT * FROM expected WHERE kind = 'function' AND level = %L) e
      JOIN calls c USING (object)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(e.role_name, %L, c.statement)) x(answer)
     WHERE pg_temp.refused(x.answer) <> (e.privileges = '-' OR e.level = 'none')
$$, l.level, :'alpha'), format('level %s can call the functions it has rights for, and is refused all others', l.level))
  FROM levels l ORDER BY l.position;

-- Without an organization there is nothing to see and nothing to do, whatever
-- the level.

SELECT is_empty(format($$
    SELECT t.name, x.answer
      FROM tenant_tables t
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(%L, %L,
        format('SELECT 1 FROM lead_system.%%I WHERE %%I IS NOT NULL', t.name, t.tenant_column))) x(answer)
     WHERE x.answer <> '0 rows'
       -- The secrets of erasures, and passwords, are nobody's; tokens stand beside what an admin sees.
       AND (t.name NOT IN ('erasure_keys', 'integrations', 'user_credentials') OR NOT pg_temp.refused(x.answer)) $$, l.role_name, ''),
    format('level %s without an organization sees no row of any tenant', l.level))
  FROM levels l WHERE l.level <> 'none' ORDER BY l.position;

SELECT is(pg_temp.try_as('tap_admin', '', 'SELECT 1 FROM lead_system.pipelines'), '5 rows',
    'the five built-in pipelines can be seen without an organization');

SELECT is_empty(format($$
    SELECT l.level, c.statement, x.answer
      FROM levels l
     CROSS JOIN (VALUES
        ('agent', 'SELECT lead_system.upsert_lead(''{"first_name": "n"}'')'),
        ('agent', 'INSERT INTO lead_system.leads (first_name) VALUES (''n'')'),
        ('agent', 'SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''Qualified'')'),
        ('agent', 'SELECT lead_system.add_lead_note(''a0000000-0000-4000-8000-000000000001'', ''n'')'),
        ('agent', 'SELECT lead_system.record_qualification(''a0000000-0000-4000-8000-000000000001'', ''{"need": 1}'')'),
        ('agent', 'SELECT lead_system.record_intent_signal(''a0000000-0000-4000-8000-000000000001'', ''question'', ''a0000000-0000-4000-8000-0000000000ca'')'),
        ('agent', 'SELECT lead_system.add_to_dnc_list(''+12025550199'', ''r'')'),
        ('agent', 'SELECT lead_system.claim_campaign_leads(''a0000000-0000-4000-8000-0000000000c1'')'),
        ('readonly', 'SELECT lead_system.is_on_dnc_list(''+12025550150'', ''a0000000-0000-4000-8000-000000000000'')'),
        ('readonly', 'SELECT lead_system.dashboard_leads()'),
        ('readonly', 'SELECT lead_system.can_contact(''a0000000-0000-4000-8000-000000000001'')'),
        ('readonly', 'SELECT lead_system.contact_blockers(''a0000000-0000-4000-8000-000000000001'')'),
        ('readonly', 'SELECT lead_system.next_call_time(''a0000000-0000-4000-8000-000000000001'')'),
        ('readonly', 'SELECT lead_system.search_leads(''alpha'')'),
        ('readonly', 'SELECT lead_system.calculate_lead_score(''a0000000-0000-4000-8000-000000000001'')'),
        ('readonly', 'SELECT lead_system.explain_lead_score(''a0000000-0000-4000-8000-000000000001'')'),
        ('manager', 'SELECT lead_system.import_leads_csv(''l'', ''first_name'')'),
        ('manager', 'SELECT lead_system.create_lead_list_from_csv(''a0000000-0000-4000-8000-000000000000'', ''l'', ''[]'')'),
        ('manager', 'SELECT lead_system.add_numbers_to_dnc_list(''{+12025550199}'', ''r'')'),
        ('admin', 'SELECT lead_system.remove_from_dnc_list(''+12025550150'', ''r'')'),
        ('admin', 'SELECT lead_system.set_config(''scoring.decay'', ''false'')'),
        ('admin', 'SELECT lead_system.copy_pipeline(''b2b'', ''other'')'),
        ('admin', 'SELECT lead_system.copy_scoring_model(''b2b'', ''other'')'),
        ('admin', 'SELECT lead_system.release_expired_dnc_blocks()'),
        ('maintenance', 'SELECT lead_system.release_expired_dnc_blocks()'),
        ('readonly', 'SELECT lead_system.require_org_id()'),
        ('admin', 'CALL lead_system.recalculate_lead_scores()'),
        ('maintenance', 'CALL lead_system.recalculate_lead_scores()')) c(level, statement)
     CROSS JOIN LATERAL (SELECT pg_temp.try_as(l.role_name, %L, c.statement)) x(answer)
     WHERE l.level = c.level AND x.answer NOT LIKE '42501 | %%' AND x.answer NOT LIKE '23502 | a lead needs an organization%%'
$$, ''), 'functions refuse to work without an organization');

-- Representative work of each level in its organization, done for real.

SELECT is(pg_temp.try_as(w.role_name, :'alpha', w.statement, w.probe), w.expected, format('%s: %s', w.role_name, w.what))
  FROM (VALUES
    (1, 'tap_readonly', 'reads leads', 'SELECT 1 FROM lead_system.leads', NULL, '4 rows'),
    (2, 'tap_readonly', 'reads the dashboard', 'SELECT lead_system.dashboard_leads()', NULL, '4 rows'),
    (3, 'tap_readonly', 'searches', 'SELECT lead_system.search_leads(''alpha'')', NULL, '4 rows'),
    (4, 'tap_readonly', 'asks the do-not-call list',
        'DO $d$ BEGIN ASSERT lead_system.is_on_dnc_list(''(202) 555-0150'', ''a0000000-0000-4000-8000-000000000000''); END $d$', NULL, '0 rows'),
    (5, 'tap_readonly', 'reads histories', 'SELECT 1 FROM lead_system.lead_audit_log', NULL, '2 rows'),
    (6, 'tap_readonly', 'reads settings', 'SELECT lead_system.get_config(''import.batch_size'')', NULL, '1 rows'),
    (7, 'tap_readonly', 'may not change a lead', 'UPDATE lead_system.leads SET notes = ''x''', NULL, '42501 | permission denied for table leads'),
    (8, 'tap_readonly', 'may not note', 'SELECT lead_system.add_lead_note(''a0000000-0000-4000-8000-000000000001'', ''x'')', NULL,
        '42501 | permission denied for function add_lead_note'),

    (10, 'tap_agent', 'makes a lead by statement', 'INSERT INTO lead_system.leads (email) VALUES (''new@alpha.example'')',
        'SELECT organization_id FROM lead_system.leads WHERE email = ''new@alpha.example''', '1 rows -> a0000000-0000-4000-8000-000000000000'),
    (11, 'tap_agent', 'makes a lead by function, with its history',
        'SELECT lead_system.upsert_lead(''{"email": "new@alpha.example"}'')',
        'SELECT count(*) FROM lead_system.activities a JOIN lead_system.leads l ON l.id = a.lead_id WHERE l.email = ''new@alpha.example''', '1 rows -> 1'),
    (12, 'tap_agent', 'changes a lead, and the change is audited',
        'UPDATE lead_system.leads SET city = ''Denver'' WHERE id = ''a0000000-0000-4000-8000-000000000001''',
        'SELECT new_value FROM lead_system.lead_audit_log WHERE field_name = ''city''', '1 rows -> Denver'),
    (13, 'tap_agent', 'moves a lead',
        'SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''Qualified'')',
        'SELECT status FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> Qualified'),
    (14, 'tap_agent', 'lists a number',
        'SELECT lead_system.add_to_dnc_list(''+12025550101'', ''lead_requested'')',
        'SELECT do_not_call FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> true'),
    (15, 'tap_agent', 'claims a lead', 'SELECT lead_system.claim_campaign_leads(''a0000000-0000-4000-8000-0000000000c1'')',
        'SELECT count(*) FROM lead_system.campaign_leads WHERE status = ''calling''', '1 rows -> 1'),
    (16, 'tap_agent', 'assesses a lead, which scores it',
        'INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest) VALUES (''a0000000-0000-4000-8000-000000000000'', ''a0000000-0000-4000-8000-000000000001'', 25)',
        'SELECT count(*) FROM lead_system.lead_qualifications WHERE interest = 25', '1 rows -> 1'),
    (17, 'tap_agent', 'may not delete a lead for good', 'DELETE FROM lead_system.leads', NULL, '42501 | permission denied for table leads'),
    (18, 'tap_agent', 'may not force a step',
        'SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''Opportunity'', force => true)', NULL,
        '42501 | permission denied to force a status step | Only administrators may use force.'),
    (19, 'tap_agent', 'may not skip a step', 'SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''Opportunity'')', NULL,
        'LS030 | status step from "Contacted" to "Opportunity" is not allowed in pipeline "b2b" | Allowed next steps are: Qualified, Disqualified. | An administrator can use change_lead_status() with force => true.'),
    (20, 'tap_agent', 'may not take a number off the list', 'SELECT lead_system.remove_from_dnc_list(''+12025550150'', ''r'')', NULL,
        '42501 | permission denied for function remove_from_dnc_list'),
    (21, 'tap_agent', 'may not take it off by statement either', 'DELETE FROM lead_system.dnc_list', NULL, '42501 | permission denied for table dnc_list'),
    (22, 'tap_agent', 'may not write a history', 'INSERT INTO lead_system.activities (organization_id, action_type) VALUES (''a0000000-0000-4000-8000-000000000000'', ''x'')', NULL,
        '42501 | permission denied for table activities'),
    (23, 'tap_agent', 'may not put itself into the queue', 'UPDATE lead_system.campaign_leads SET status = ''new''', NULL,
        '42501 | permission denied for table campaign_leads'),
    (24, 'tap_agent', 'may not import', 'SELECT lead_system.import_leads_csv(''l'', ''first_name'')', NULL,
        '42501 | permission denied for function import_leads_csv'),
    (25, 'tap_agent', 'may not change the rules', 'UPDATE lead_system.scoring_rules SET points = 0', NULL,
        '42501 | permission denied for table scoring_rules'),
    (26, 'tap_agent', 'may not change a user', 'UPDATE lead_system.users SET role = ''admin''', NULL, '42501 | permission denied for table users'),

    (30, 'tap_manager', 'imports', 'SELECT lead_system.import_leads_csv(''more'', E''email\nnew@alpha.example'')',
        'SELECT lead_count FROM lead_system.lead_lists WHERE name = ''more''', '1 rows -> 1'),
    (31, 'tap_manager', 'makes a list from rows',
        'SELECT lead_system.create_lead_list_from_csv(''a0000000-0000-4000-8000-000000000000'', ''more'', ''[{"email": "new@alpha.example"}]'')',
        'SELECT lead_count FROM lead_system.lead_lists WHERE name = ''more''', '1 rows -> 1'),
    (32, 'tap_manager', 'runs a campaign',
        'INSERT INTO lead_system.campaigns (organization_id, name) VALUES (''a0000000-0000-4000-8000-000000000000'', ''second'')',
        'SELECT status FROM lead_system.campaigns WHERE name = ''second''', '1 rows -> draft'),
    (33, 'tap_manager', 'gives it a list',
        'SELECT lead_system.add_lead_list_to_campaign(''a0000000-0000-4000-8000-0000000000c1'', id, 3) FROM lead_system.lead_lists',
        'SELECT priority FROM lead_system.campaign_lead_lists WHERE campaign_id = ''a0000000-0000-4000-8000-0000000000c1''', '1 rows -> 3'),
    (34, 'tap_manager', 'takes it away',
        'SELECT lead_system.remove_lead_list_from_campaign(''a0000000-0000-4000-8000-0000000000c1'', id) FROM lead_system.lead_lists',
        'SELECT is_active FROM lead_system.campaign_lead_lists WHERE campaign_id = ''a0000000-0000-4000-8000-0000000000c1''', '1 rows -> false'),
    (35, 'tap_manager', 'fills a list by hand, and the list is counted',
        'INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT organization_id, id, ''a0000000-0000-4000-8000-000000000002'' FROM lead_system.lead_lists',
        'SELECT lead_count FROM lead_system.lead_lists WHERE name = ''alpha list''', '1 rows -> 3'),
    (36, 'tap_manager', 'deletes a list', 'DELETE FROM lead_system.lead_lists',
        'SELECT count(*) FROM lead_system.lead_list_members WHERE organization_id = ''a0000000-0000-4000-8000-000000000000''', '1 rows -> 0'),
    (37, 'tap_manager', 'lists many numbers', 'SELECT lead_system.add_numbers_to_dnc_list(''{+12025550190,+12025550191}'', ''complaint'')',
        'SELECT count(*) FROM lead_system.dnc_list WHERE reason = ''complaint''', '2 rows -> 2'),
    (38, 'tap_manager', 'may not delete a lead for good', 'DELETE FROM lead_system.leads', NULL, '42501 | permission denied for table leads'),
    (39, 'tap_manager', 'may not change a setting', 'SELECT lead_system.set_config(''scoring.decay'', ''false'')', NULL,
        '42501 | permission denied for function set_config'),
    (40, 'tap_manager', 'may not change counts', 'UPDATE lead_system.campaign_lead_lists SET total_leads = 0', NULL,
        '42501 | permission denied for table campaign_lead_lists'),
    (40, 'tap_manager', 'may not change the number of members', 'UPDATE lead_system.lead_lists SET lead_count = 0', NULL,
        '42501 | permission denied for table lead_lists'),
    (41, 'tap_manager', 'may not force a step',
        'SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''Opportunity'', force => true)', NULL,
        '42501 | permission denied to force a status step | Only administrators may use force.'),
    (42, 'tap_manager', 'may not take a number off the list', 'SELECT lead_system.remove_from_dnc_list(''+12025550150'', ''r'')', NULL,
        '42501 | permission denied for function remove_from_dnc_list'),

    (50, 'tap_admin', 'deletes a lead for good, with its histories', 'DELETE FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''',
        'SELECT count(*) FROM lead_system.lead_audit_log WHERE lead_id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> 0'),
    (51, 'tap_admin', 'changes a setting', 'SELECT lead_system.set_config(''scoring.decay'', ''false'')',
        'SELECT value FROM lead_system.system_config WHERE key = ''scoring.decay''', '1 rows -> false'),
    (52, 'tap_admin', 'takes a number off the list', 'SELECT lead_system.remove_from_dnc_list(''+12025550150'', ''mistake'')',
        'SELECT action || '' '' || reason FROM lead_system.dnc_audit_log WHERE organization_id = ''a0000000-0000-4000-8000-000000000000'' AND action = ''removed''', '1 rows -> removed mistake'),
    (53, 'tap_admin', 'forces a step',
        'SELECT lead_system.change_lead_status(''a0000000-0000-4000-8000-000000000001'', ''Opportunity'', force => true)',
        'SELECT status FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> Opportunity'),
    (54, 'tap_admin', 'copies a pipeline', 'SELECT lead_system.copy_pipeline(''recruiting'', ''ours'')',
        'SELECT count(*) FROM lead_system.pipeline_statuses s JOIN lead_system.pipelines p ON p.id = s.pipeline_id WHERE p.name = ''ours''', '1 rows -> 8'),
    (55, 'tap_admin', 'changes a rule', 'UPDATE lead_system.scoring_rules SET points = 1 WHERE component = ''industry'' AND organization_id IS NOT NULL',
        'SELECT count(DISTINCT points) FROM lead_system.scoring_rules WHERE component = ''industry'' AND organization_id = ''a0000000-0000-4000-8000-000000000000''', '10 rows -> 1'),
    (56, 'tap_admin', 'makes a user', 'INSERT INTO lead_system.users (organization_id, full_name, email) VALUES (''a0000000-0000-4000-8000-000000000000'', ''Third'', ''Third@Alpha.example'')',
        'SELECT email FROM lead_system.users WHERE full_name = ''Third''', '1 rows -> third@alpha.example'),
    (57, 'tap_admin', 'names the organization', 'UPDATE lead_system.organizations SET name = ''alpha inc''',
        'SELECT string_agg(name, '', '' ORDER BY name) FROM lead_system.organizations WHERE name IN (''alpha inc'', ''bravo ltd'')', '1 rows -> alpha inc, bravo ltd'),
    (58, 'tap_admin', 'scores all leads again', 'CALL lead_system.recalculate_lead_scores()',
        'SELECT leads_seen FROM lead_system.scoring_runs WHERE organization_id = ''a0000000-0000-4000-8000-000000000000'' AND finished_at IS NOT NULL', '0 rows -> 4'),
    (59, 'tap_admin', 'asks for the state of the installation', 'SELECT 1 FROM lead_system.health_check() WHERE NOT ok', NULL, '0 rows'),
    (60, 'tap_admin', 'makes an organization', 'SELECT lead_system.create_organization(''charlie'', ''recruiting'')',
        'SELECT default_pipeline FROM lead_system.organizations WHERE name = ''charlie''', '1 rows -> recruiting'),
    (61, 'tap_admin', 'may not delete a user', 'DELETE FROM lead_system.users', NULL, '42501 | permission denied for table users'),
    (62, 'tap_admin', 'may not delete the organization', 'DELETE FROM lead_system.organizations', NULL, '42501 | permission denied for table organizations'),
    (63, 'tap_admin', 'may not change the past', 'UPDATE lead_system.lead_audit_log SET new_value = NULL', NULL, '42501 | permission denied for table lead_audit_log'),
    (64, 'tap_admin', 'may not change the do-not-call list by statement', 'DELETE FROM lead_system.dnc_list', NULL, '42501 | permission denied for table dnc_list'),
    (65, 'tap_admin', 'may not give access', 'SELECT lead_system.grant_access(''tap_none'', ''admin'')', NULL, '42501 | permission denied for function grant_access'),
    (66, 'tap_admin', 'may not install', 'CALL lead_system.install()', NULL, '42501 | permission denied for procedure install'),
    (67, 'tap_admin', 'may not set the clock', 'SET LOCAL lead_system.now = ''2020-01-01''', NULL, '42501 | permission denied to set parameter "lead_system.now"'),

    (90, 'tap_agent', 'blocks a lead by hand', 'UPDATE lead_system.leads SET do_not_call = true WHERE id = ''a0000000-0000-4000-8000-000000000001''',
        'SELECT do_not_call FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> true'),
    (91, 'tap_manager', 'may not unblock one', $s$ UPDATE lead_system.leads SET do_not_call = true WHERE id = 'a0000000-0000-4000-8000-000000000001'; UPDATE lead_system.leads SET do_not_call = false WHERE id = 'a0000000-0000-4000-8000-000000000001' $s$,
        NULL, '42501 | only an administrator can unblock a lead | Neither do_not_call nor calling_blocked_reason of a blocked lead can be changed.'),
    (92, 'tap_admin', 'unblocks a lead', $s$ UPDATE lead_system.leads SET do_not_call = true WHERE id = 'a0000000-0000-4000-8000-000000000001'; UPDATE lead_system.leads SET do_not_call = false WHERE id = 'a0000000-0000-4000-8000-000000000001' $s$,
        'SELECT do_not_call FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> false'),
    (93, 'tap_agent', 'unblocks none by passing the lead again', $s$ UPDATE lead_system.leads SET do_not_call = true WHERE id = 'a0000000-0000-4000-8000-000000000001';
         SELECT lead_system.upsert_lead('{"id": "a0000000-0000-4000-8000-000000000001", "do_not_call": false, "city": "Reno"}', 'merge') $s$,
        'SELECT do_not_call::text || '' '' || city FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> true Reno'),
    (190, 'tap_manager', 'gives no other reason for a block by importing it', $s$ UPDATE lead_system.leads SET do_not_call = true WHERE id = 'a0000000-0000-4000-8000-000000000001';
         SELECT lead_system.import_leads_csv('l', E'id,calling_blocked_reason,city\na0000000-0000-4000-8000-000000000001,dnc_list,Reno\n') $s$,
        'SELECT concat_ws('' '', do_not_call, coalesce(calling_blocked_reason, ''-''), city, metadata ->> ''calling_blocked_reason'') FROM lead_system.leads WHERE id = ''a0000000-0000-4000-8000-000000000001''', '1 rows -> t - Reno dnc_list'),
    (191, 'tap_manager', 'nor in a new lead', $s$ SELECT lead_system.import_leads_csv('l', E'email,do_not_call,calling_blocked_reason\nblocked@alpha.example,true,dnc_list\n') $s$,
        'SELECT concat_ws('' '', do_not_call, coalesce(calling_blocked_reason, ''-''), metadata ->> ''calling_blocked_reason'') FROM lead_system.leads WHERE email = ''blocked@alpha.example''', '1 rows -> t - dnc_list'),
    (192, 'tap_manager', 'nor from objects', $s$ SELECT lead_system.create_lead_list_from_csv('a0000000-0000-4000-8000-000000000000', 'l', '[{"email": "blocked@alpha.example", "do_not_call": true, "Calling blocked reason": "dnc_list"}]') $s$,
        'SELECT concat_ws('' '', do_not_call, coalesce(calling_blocked_reason, ''-''), metadata ->> ''Calling blocked reason'') FROM lead_system.leads WHERE email = ''blocked@alpha.example''', '1 rows -> t - dnc_list'),
    (94, 'tap_agent', 'cannot say that somebody else made a lead', 'INSERT INTO lead_system.leads (email, created_by) VALUES (''new@alpha.example'', ''a0000000-0000-4000-8000-0000000000a1'')',
        'SELECT created_by IS NULL FROM lead_system.leads WHERE email = ''new@alpha.example''', '1 rows -> true'),
    (95, 'tap_agent', 'nor later', 'UPDATE lead_system.leads SET created_by = NULL',
        'SELECT count(created_by) FROM lead_system.leads', '4 rows -> 8'),
    (96, 'tap_manager', 'cannot say that somebody else made a list', 'INSERT INTO lead_system.lead_lists (organization_id, name, created_by) VALUES (''a0000000-0000-4000-8000-000000000000'', ''new'', ''a0000000-0000-4000-8000-0000000000a1'')',
        'SELECT created_by IS NULL FROM lead_system.lead_lists WHERE name = ''new''', '1 rows -> true'),
    (97, 'tap_admin', 'may not make an organization for another tenant', 'SELECT lead_system.create_organization(''delta'', ''b2b'', ''{"tenant_id": "b0000000-0000-4000-8000-0000000000ff"}'')', NULL,
        '42501 | permission denied for tenant "b0000000-0000-4000-8000-0000000000ff" | app.current_tenant_id must be set to it.'),
    (98, 'tap_admin', 'makes one for the tenant of the session', 'SELECT set_config(''app.current_tenant_id'', ''a0000000-0000-4000-8000-0000000000ff'', true), lead_system.create_organization(''delta'')',
        'SELECT tenant_id FROM lead_system.organizations WHERE name = ''delta''', '1 rows -> a0000000-0000-4000-8000-0000000000ff'),
    (99, 'tap_maintenance', 'suspends the organization', 'UPDATE lead_system.organizations SET status = ''suspended''',
        'SELECT string_agg(name || '' '' || status, '', '' ORDER BY name) FROM lead_system.organizations WHERE name IN (''alpha ltd'', ''bravo ltd'')', '1 rows -> alpha ltd suspended, bravo ltd active'),

    (70, 'tap_maintenance', 'reads leads', 'SELECT 1 FROM lead_system.leads', NULL, '4 rows'),
    (71, 'tap_maintenance', 'scores all leads again', 'CALL lead_system.recalculate_lead_scores()',
        'SELECT leads_seen FROM lead_system.scoring_runs WHERE organization_id = ''a0000000-0000-4000-8000-000000000000'' AND finished_at IS NOT NULL', '0 rows -> 4'),
    (72, 'tap_maintenance', 'looks for leaks', 'SELECT 1 FROM lead_system.rls_selftest() WHERE leaked > 0', NULL, '0 rows'),
    (73, 'tap_maintenance', 'asks for the state of the installation', 'SELECT 1 FROM lead_system.health_check() WHERE NOT ok', NULL, '0 rows'),
    (74, 'tap_maintenance', 'may not make a lead', 'SELECT lead_system.upsert_lead(''{"email": "new@alpha.example"}'')', NULL,
        '42501 | permission denied for function upsert_lead'),
    (75, 'tap_maintenance', 'may not change a lead', 'UPDATE lead_system.leads SET notes = ''x''', NULL, '42501 | permission denied for table leads'),
    (76, 'tap_maintenance', 'may not set the clock', 'SET LOCAL lead_system.now = ''2020-01-01''', NULL, '42501 | permission denied to set parameter "lead_system.now"'),

    (80, 'tap_none', 'may not even look', 'SELECT 1 FROM lead_system.pipelines', NULL, '42501 | permission denied for schema lead_system'),
    (81, 'tap_none', 'may not call a helper by name', 'SELECT lead_system.clock_now()', NULL, '42501 | permission denied for schema lead_system')
  ) w(position, role_name, what, statement, probe, expected)
 ORDER BY w.position;

-- The user of the application narrows a level, and never widens it.

SELECT is(pg_temp.try_as('tap_admin', :'alpha', $$
    SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000a2', true),
           lead_system.remove_from_dnc_list('+12025550150', 'r') $$),
    '42501 | permission denied to take a number off the do-not-call list | Only administrators may do so.',
    'a user who is a rep cannot take a number off the list with an admin''s database role');

SELECT is(pg_temp.try_as('tap_agent', :'alpha', $$
    SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000a1', true),
           lead_system.change_lead_status('a0000000-0000-4000-8000-000000000001', 'Opportunity', force => true) $$),
    '42501 | permission denied to force a status step | Only administrators may use force.',
    'a user who is an admin cannot force a step with an agent''s database role');

SELECT alike(pg_temp.try_as('tap_manager', :'alpha', $$
    SELECT lead_system.import_leads_csv('l', E'email,why\nblocked@alpha.example,dnc_list\n', '{"mapping": {"why": "calling_blocked_reason"}}') $$),
    '22023 | unrecognized key "calling_blocked_reason" in mapping | %', 'a mapping makes no import say why a lead is blocked');

-- Blocks: an agent puts one on, an administrator takes it off, and a scheduler
-- those whose entry on the list has expired.

INSERT INTO lead_system.leads (organization_id, id, first_name, phone_number) VALUES
    (:'alpha', 'a0000000-0000-4000-8000-000000000050', 'alpha', '+12025550150'),
    (:'bravo', 'b0000000-0000-4000-8000-000000000050', 'bravo', '+13035550150');
UPDATE lead_system.dnc_list SET expires_at = '2026-03-02 14:00:00+00';
CREATE ROLE tap_scheduler NOLOGIN BYPASSRLS;
SELECT lead_system.grant_access('tap_scheduler', 'maintenance') \g /dev/null

SELECT is(pg_temp.try_as(w.role_name, w.org, w.statement, 'SELECT string_agg(do_not_call::text, '' '' ORDER BY organization_id) FROM lead_system.leads WHERE phone_number LIKE ''%50150'''),
          w.expected, w.what)
  FROM (VALUES
    (1, 'tap_agent', :'alpha', 'SELECT lead_system.release_expired_dnc_blocks()', '42501 | permission denied for function release_expired_dnc_blocks -> true true',
        'an agent may not release what has expired'),
    (2, 'tap_manager', :'alpha', 'SELECT lead_system.release_expired_dnc_blocks()', '42501 | permission denied for function release_expired_dnc_blocks -> true true',
        'nor may a manager'),
    (3, 'tap_admin', :'alpha', 'SELECT lead_system.release_expired_dnc_blocks()', '1 rows -> false true', 'an admin does, in the organization'),
    (4, 'tap_maintenance', :'bravo', 'SELECT lead_system.release_expired_dnc_blocks()', '1 rows -> true false', 'maintenance does, in the organization'),
    (5, 'tap_scheduler', :'bravo', 'SELECT lead_system.release_expired_dnc_blocks()', '1 rows -> true false', 'so does a role above the policies that names one'),
    (6, 'tap_scheduler', '', 'SELECT lead_system.release_expired_dnc_blocks()', '1 rows -> false false', '... and in all when it names none'),
    (7, 'tap_agent', :'alpha', 'UPDATE lead_system.leads SET calling_blocked_reason = ''other'' WHERE do_not_call',
        '42501 | only an administrator can unblock a lead | Neither do_not_call nor calling_blocked_reason of a blocked lead can be changed. -> true true',
        'an agent may not change why a lead is blocked'),
    (8, 'tap_admin', :'alpha', $s$ SELECT set_config('app.current_user_id', 'a0000000-0000-4000-8000-0000000000a2', true);
            UPDATE lead_system.leads SET do_not_call = false WHERE do_not_call $s$,
        '42501 | only an administrator can unblock a lead | Neither do_not_call nor calling_blocked_reason of a blocked lead can be changed. -> true true',
        'nor may a user who is a rep unblock one with an admin''s database role'),
    (9, 'tap_admin', :'alpha', $s$ UPDATE lead_system.leads SET do_not_call = true, calling_blocked_reason = 'dnc_list' WHERE NOT do_not_call $s$,
        '22023 | calling_blocked_reason "dnc_list" is for numbers that are listed -> true true', 'nobody passes a block by hand off as one by the list')
  ) w(position, role_name, org, statement, expected, what)
 ORDER BY w.position;

-- Giving access.

SELECT throws_ok($$ SELECT lead_system.grant_access('tap_none', 'owner') $$, '22023', 'unrecognized access level "owner"',
    'the owner''s rights are not a level');
SELECT throws_ok($$ SELECT lead_system.grant_access('tap_none', 'Admin') $$, '22023', 'unrecognized access level "Admin"',
    'levels are spelled as they are');
SELECT throws_ok($$ SELECT lead_system.grant_access('tap_nobody', 'agent') $$, '42704', 'role "tap_nobody" does not exist',
    'a role that does not exist cannot be given access');

SELECT lives_ok($$ SELECT lead_system.grant_access('tap_none', 'admin'), lead_system.grant_access('tap_none', 'readonly') $$,
    'a role can be given another level');
SELECT is_empty($$
    SELECT a.object, a.privileges, b.privileges FROM actual a JOIN actual b USING (kind, object)
     WHERE a.level = 'none' AND b.level = 'readonly' AND a.privileges <> b.privileges
$$, 'a lower level takes away what a higher one gave');
SELECT results_eq($$ SELECT level FROM lead_system.access_grants WHERE role_name = 'tap_none' $$, ARRAY['readonly'],
    'the level that a role has is remembered once');

CREATE ROLE "tap odd ""name""" NOLOGIN;
SELECT lives_ok($$ SELECT lead_system.grant_access('tap odd "name"', 'agent') $$, 'a role''s name may need quotes');
SELECT ok(has_table_privilege('tap odd "name"', 'lead_system.leads', 'INSERT'), 'and it gets its rights');

-- What install() gives back is what was given.
REVOKE ALL ON ALL TABLES IN SCHEMA lead_system FROM tap_agent;
REVOKE ALL ON ALL ROUTINES IN SCHEMA lead_system FROM tap_agent;
CALL lead_system.install();
SELECT is_empty($$
    SELECT object, e.privileges AS expected, a.privileges AS actual
      FROM (SELECT * FROM expected WHERE level = 'agent') e JOIN (SELECT * FROM actual WHERE level = 'agent') a USING (kind, object)
     WHERE e.privileges <> a.privileges
$$, 'install() gives a level back that was lost');

SELECT * FROM finish();
ROLLBACK;
