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
SELECT now() + interval '2 hours 1 minute' AS later \gset
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
