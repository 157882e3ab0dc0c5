-- The story that "make demo" tells; scripts/demo.sh prepares the stage.
\echo
\echo '-- 1. THE FILE OF A TRADE FAIR ---------------------------------------------'
\echo '-- 14,000 people, 200 of them written down twice, and 12 rows are wrong.'
SELECT import_leads_csv('Trade fair', pg_read_file('fair.csv'),
                        '{"source": "trade_fair"}') AS import \gset
\echo '-- A wrong row costs itself and no other, and the report says why:'
\timing off
SELECT line, left(raw_text, 28) AS raw_text, left(reason, 40) AS reason
  FROM lead_import_errors ORDER BY line LIMIT 3;
\echo '-- 8,000 enquiries through a web form; 2,000 of them by people of the fair.'
\timing on
SELECT import_leads_csv('Web form', pg_read_file('web.csv'),
                        '{"source": "web_form"}') AS import \gset
\timing off
SELECT source, row_count AS rows, inserted_count AS new,
       updated_count AS updated, duplicate_count AS duplicates,
       rejected_count AS rejected
  FROM lead_imports ORDER BY id;
\echo '-- 2. WHO IS WORTH A CALL? -------------------------------------------------'
\echo '-- Every lead got its score when it came in.'
SELECT temperature, count(*) AS leads, min(lead_score), max(lead_score)
  FROM leads GROUP BY temperature ORDER BY min(lead_score) DESC;
\echo '-- What makes the first lead of the dashboard the first?'
\timing on
SELECT e.component, e.rule, e.points, sum(e.points) OVER () AS raw_score
  FROM dashboard_leads(page_size => 1) d, explain_lead_score(d.lead_id) e;
\echo '-- 3. WHO MUST NOT BE CALLED? ----------------------------------------------'
\echo '-- 2,000 numbers that asked for peace, as people wrote them.'
SELECT result, count(*)
  FROM add_numbers_to_dnc_list(
         string_to_array(rtrim(pg_read_file('dnc.txt'), E'\n'), E'\n'),
         'lead_requested')
 GROUP BY result;
\timing off
SELECT count(*) AS leads_blocked FROM leads WHERE do_not_call;
\echo '-- 4. A CAMPAIGN -----------------------------------------------------------'
\echo '-- The web form is called first; who is in both lists is called once.'
INSERT INTO campaigns (organization_id, name, status)
VALUES (current_org_id(), 'Spring calls', 'active')
RETURNING id AS campaign \gset
\timing on
SELECT count(add_lead_list_to_campaign(
         :'campaign', l.id,
         CASE l.name WHEN 'Web form' THEN 1 ELSE 2 END)) AS lists_added
  FROM lead_lists l;
\timing off
SELECT l.name AS list, a.priority, l.lead_count AS members,
       a.total_leads AS in_campaign, a.open_leads AS to_call,
       a.total_leads - a.open_leads AS scrubbed
  FROM campaign_lead_lists a JOIN lead_lists l ON l.id = a.lead_list_id
 ORDER BY a.priority;
\echo '-- Ten leads for who asks next; nobody else is given the same ones.'
\timing on
SELECT q.phone_number, l.first_name || ' ' || l.last_name AS name,
       l.temperature, l.raw_score, q.attempts
  FROM claim_campaign_leads(:'campaign', 10) q
  JOIN leads l ON l.id = q.lead_id
 ORDER BY l.raw_score DESC, q.phone_number;
\echo '-- The first of them answers and wants to hear more.'
\set ECHO none
\timing off
SELECT c.id AS claimed, c.lead_id AS lead
  FROM campaign_leads c JOIN leads l ON l.id = c.lead_id
 WHERE c.status = 'calling' ORDER BY l.raw_score DESC, l.phone_number LIMIT 1 \gset
\timing on
\set ECHO queries
SELECT record_call_attempt(:'claimed', 'answered',
         184, '{"notes": "Send the price list"}') AS call \gset
\timing off
SELECT status, outcome, attempts, last_call_duration AS seconds, notes
  FROM campaign_leads WHERE id = :'claimed';
\echo '-- 5. WHAT HAS HAPPENED TO THAT LEAD? --------------------------------------'
\echo '-- The application knows plain SQL only: the rules hold all the same.'
\timing on
UPDATE leads SET city = 'Exampleton', budget_timeline = 'Just Researching',
       status = 'Contacted'
 WHERE id = :'lead';
SELECT change_lead_status(:'lead',
                          'Qualified', 'Has a budget') \gset
\timing off
SELECT field_name, left(old_value, 16) AS old_value,
       left(new_value, 23) AS new_value, change_reason
  FROM lead_audit_log
 WHERE lead_id = :'lead' ORDER BY id;
SELECT action_type, old_value, new_value
  FROM activities
 WHERE lead_id = :'lead' ORDER BY id;
\echo '-- 6. A MARKET IN ONE MINUTE -----------------------------------------------'
\echo '-- Four contractors, and a lead that they can buy.'
INSERT INTO users (organization_id, full_name, email, role,
                   is_contractor, profile_rating)
SELECT current_org_id(), n, lower(n) || '@example.com', 'contractor', true, r
  FROM (VALUES ('Ada', 4.9), ('Ben', 4.2), ('Cleo', 0), ('Dan', 0)) v(n, r);
INSERT INTO leads (organization_id, title, source, pipeline_id)
SELECT current_org_id(), 'Leaking roof', 'referral', id
  FROM pipelines WHERE name = 'marketplace'
RETURNING id AS roof \gset
SELECT open_bidding(:'roof', 72.00) \gset
\echo '-- A bid is base cost times multiplier times the discount for the rating.'
\timing on
SELECT u.full_name, m.multiplier,
       place_bid(:'roof',
                 u.id, m.multiplier) IS NOT NULL AS placed
  FROM users u
  JOIN (VALUES ('Ada', 1.40), ('Ben', 1.25), ('Cleo', 1.30), ('Dan', 0.80))
       m(name, multiplier) ON m.name = u.full_name
 ORDER BY u.full_name;
SELECT close_bidding(:'roof')
       AS windows_granted;
\timing off
\echo '-- Cleo is first and lets two hours go by: a strike, and Ada is next.'
\set ECHO none
RESET ROLE;
SELECT clock_now() + interval '2 hours 1 minute' AS later \gset
SET lead_system.now = :'later';
SET ROLE demo_app;
SELECT b.id AS bid_of_ada FROM bids b JOIN users u ON u.id = b.contractor_id
 WHERE b.lead_id = :'roof' AND u.full_name = 'Ada' \gset
SELECT id AS ben FROM users WHERE full_name = 'Ben' \gset
\set ECHO queries
SELECT expire_response_windows() AS lapsed;
\echo '-- Ada passes it on; Ben writes, wins, and pays for it.'
SELECT decline_lead(:'bid_of_ada',
                    'Number does not answer') \gset
SELECT send_message(:'roof',
                    :'ben',
                    'We can come tomorrow') AS message \gset
SELECT u.full_name, b.final_bid_amount AS amount, b.bid_rank AS rank,
       b.status, b.strike_applied AS strike, c.amount AS charged
  FROM bids b JOIN users u ON u.id = b.contractor_id
  LEFT JOIN conversions c ON c.bid_id = b.id
 WHERE b.lead_id = :'roof'
 ORDER BY b.final_bid_amount DESC;
SELECT old_status, new_status, reason
  FROM lead_status_history
 WHERE lead_id = :'roof' ORDER BY id;
\echo '-- 7. WHO FOLLOWS UP? ------------------------------------------------------'
\echo '-- A segment is a filter with a name. What it says in SQL, and whom it finds:'
INSERT INTO segments (organization_id, name, filter)
VALUES (current_org_id(), 'Hot care and schools',
        '{"temperature": "hot", "industry": ["Healthcare", "Education"],
          "source": "web_form", "do_not_call": false}')
RETURNING id AS segment \gset
SELECT regexp_split_to_table(explain_filter(filter), ' (?=AND )') AS "WHERE"
  FROM segments;
\timing on
SELECT refresh_segment_count(:'segment') AS leads;
\timing off
\echo '-- A smart list follows it: one lead warms up, another wants no calls.'
INSERT INTO lead_lists (organization_id, name, list_type, segment_id)
VALUES (current_org_id(), 'Follow-up', 'smart',
        :'segment')
RETURNING id AS follow_up \gset
\set ECHO none
SELECT id AS warm FROM leads
 WHERE temperature = 'warm' AND industry = 'Education' AND source = 'web_form' AND NOT do_not_call
 ORDER BY raw_score DESC, phone_number LIMIT 1 \gset
SELECT l.id AS unwilling, l.phone_number AS phone
  FROM lead_list_members m JOIN leads l ON l.id = m.lead_id
 WHERE m.lead_list_id = :'follow_up' ORDER BY l.phone_number LIMIT 1 \gset
\set ECHO queries
\timing on
UPDATE leads SET pricing_page_visits = 3, demo_video_watched = true
 WHERE id = :'warm';
\timing off
SELECT add_to_dnc_list(:'phone', 'lead_requested') AS listed \gset
SELECT a.action_type, l.temperature, l.do_not_call, s.lead_count AS in_list
  FROM activities a JOIN leads l ON l.id = a.lead_id
  JOIN lead_lists s ON s.id = :'follow_up'
 WHERE a.lead_id IN (:'warm',
                     :'unwilling')
   AND a.action_type LIKE 'list%' ORDER BY a.id DESC LIMIT 2;
\echo '-- Three people share them by what each can take; what is too much, waits.'
INSERT INTO users (organization_id, full_name, email, max_active_leads)
SELECT current_org_id(), n, lower(n) || '@example.com', m
  FROM (VALUES ('Edda', 80), ('Finn', 60), ('Gus', 40)) v(n, m);
\timing on
SELECT assign_leads(array_agg(lead_id), 'capacity') AS assigned
  FROM lead_list_leads(:'follow_up');
\timing off
SELECT full_name, current_lead_count AS leads, max_active_leads AS at_most,
       (SELECT count(*) FROM notifications n WHERE n.user_id = u.id) AS alerts,
       (SELECT count(*) FROM waiting_leads) AS waiting
  FROM users u WHERE role = 'rep' ORDER BY full_name;
\echo '-- The price list that was promised, and a call three days later.'
INSERT INTO nurture_sequences (organization_id, name, steps)
VALUES (current_org_id(), 'Price list',
  '[{"step": 1, "channel": "email", "template_id": "price_list"},
    {"step": 2, "channel": "call", "delay_days": 3}]')
RETURNING id AS sequence \gset
SELECT enroll_lead(:'sequence',
                   :'lead') AS enrolment \gset
\timing on
SELECT step, channel, template_id, payload->>'email' AS email
  FROM claim_due_steps();
\timing off
SELECT complete_step(:'enrolment', 1) \gset
SELECT status, current_step, next_step_scheduled_at - clock_now() AS due_in,
       executed_steps->0->>'status' AS step_1
  FROM lead_sequence_enrollments;
\echo '-- The same lead comes in by another door: found, merged, and taken apart.'
INSERT INTO leads (organization_id, first_name, last_name, company_name,
                   email, tags)
SELECT organization_id, upper(first_name), last_name, company_name || ' Ltd',
       'me@home.example.com', '{open_day}'
  FROM leads WHERE id = :'lead';
\timing on
SELECT l.first_name || ' ' || l.last_name AS name, d.matched_on,
       o.first_name || ' ' || o.last_name AS duplicate_of
  FROM find_duplicate_leads() d JOIN leads l ON l.id = d.lead_id
  JOIN leads o ON o.id = d.duplicate_of;
\timing off
SELECT merge_leads(duplicate_of, ARRAY[lead_id]) AS merge
  FROM find_duplicate_leads() \gset
SELECT first_name, email, tags, deleted_at IS NOT NULL AS deleted
  FROM leads WHERE tags = '{open_day}'
    OR id = :'lead' ORDER BY id;
SELECT unmerge_leads(:'merge') \gset
SELECT first_name, email, tags, deleted_at IS NOT NULL AS deleted
  FROM leads WHERE tags = '{open_day}'
    OR id = :'lead' ORDER BY id;
\echo '-- 8. WHAT DID IT COST AND BRING? ------------------------------------------'
\echo '-- Nobody answers a call: its caller is a lead, and is written to at once.'
SELECT record_call('{"direction": "inbound", "status": "no_answer",
                     "caller_phone": "(773) 555-0177"}') AS missed \gset
\timing on
SELECT step, channel, template_id, payload->>'phone_number' AS phone
  FROM claim_due_steps();
\echo '-- The answer is STOP. When it is written down, it has taken effect.'
SELECT record_sms('{"direction": "inbound", "message_text": "Stop please",
                    "from_phone": "773 555 0177"}') AS answer \gset
\timing off
SELECT s.meaning, l.source, l.do_not_call, d.reason, e.status AS follow_up
  FROM sms_logs s JOIN leads l ON l.id = s.lead_id
  JOIN dnc_list d ON d.phone_number = l.phone_number
  JOIN lead_sequence_enrollments e ON e.lead_id = l.id;
\echo '-- A call costs 0.75: held when the lead is handed out, spent by the call.'
SELECT open_account() AS account \gset
SELECT post_transaction(:'account',
                        'credit', 20.00, 'top-up') AS credit \gset
UPDATE campaigns SET call_price = 0.75;
\timing on
SELECT campaign_lead_id AS claim
  FROM claim_campaign_leads(:'campaign', 1) \gset
SELECT record_call(jsonb_build_object(
         'campaign_lead_id', :'claim',
         'direction', 'outbound', 'status', 'answered', 'duration', 95,
         'provider_call_id', 'example-1')) AS call \gset
\echo '-- The provider reports it twice; it is paid for once.'
SELECT record_call(jsonb_build_object(
         'campaign_lead_id', :'claim',
         'direction', 'outbound', 'status', 'answered', 'duration', 95,
         'provider_call_id', 'example-1'))
       = :'call' AS same_call;
\timing off
SELECT sequence, transaction_type, amount, balance_after AS balance,
       held_after AS held, left(encode(row_hash, 'hex'), 12) AS hash
  FROM budget_transactions
 WHERE account_id = :'account' ORDER BY sequence;
\echo '-- A superuser makes the call cheaper, behind the back of the ledger.'
BEGIN;
RESET ROLE;
SAVEPOINT honest;
SET LOCAL session_replication_role = replica;
UPDATE budget_transactions SET amount = -0.05, balance_after = 19.95
 WHERE transaction_type = 'capture';
SELECT ok, broken_at, left(detail, 36) AS detail
  FROM verify_ledger(:'account');
ROLLBACK TO honest;
SELECT ok, broken_at, left(detail, 36) AS detail
  FROM verify_ledger(:'account');
COMMIT;
SET ROLE demo_app;
\echo '-- Agents propose budgets for an advertisement. It is 600 a day now.'
INSERT INTO ad_campaigns (organization_id, external_id, name, daily_budget)
VALUES (current_org_id(), 'example-1', 'Spring offer', 600)
RETURNING id AS ad \gset
\timing on
SELECT propose_action('optimizing', 'change_budget',
                      :'ad', 720) AS too_much \gset
SELECT propose_action('optimizing', 'change_budget',
                      :'ad', 690) AS more \gset
\timing off
SELECT to_value AS proposed, guard, result, result_message,
       estimated_impact->'change_percent' AS percent
  FROM ai_agent_logs ORDER BY to_value DESC;
SELECT approve_action(:'more', 'a fair is near') \gset
SELECT apply_action(:'more') AS applied;
SELECT name, daily_budget FROM ad_campaigns;
\echo '-- One lead becomes an opportunity of 1,800. What did the sources bring?'
INSERT INTO lead_source_costs (organization_id, source, period_month,
                               total_cost)
VALUES (current_org_id(), 'trade_fair', '2026-03-01', 4340),
       (current_org_id(), 'web_form', '2026-03-01', 930);
UPDATE leads SET status = 'Opportunity', actual_amount = 1800
 WHERE id = :'lead';
\timing on
SELECT source, leads, won, cost, revenue, cpl, cpr, roi
  FROM source_performance('2026-03-01', '2026-03-31');
SELECT stage, leads, reached, rate, step_rate
  FROM lead_funnel('2026-03-01', '2026-03-31') WHERE reached > 0;
\echo '-- What has to happen because time passes, and what it did:'
CALL run_maintenance();
\timing off
SELECT count(*) AS jobs, count(*) FILTER (WHERE ok) AS ok, sum(rows) AS rows
  FROM maintenance_status();
SELECT job, rows, ok, detail FROM maintenance_status() WHERE rows > 0;
