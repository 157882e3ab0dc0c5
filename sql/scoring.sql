-- Scores: what each answer is worth, decay, bonus, bands, explanations.
\set SHOW_CONTEXT never
LOAD 'lead_system';
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.organizations (id, name, timezone) VALUES
    ('60000000-0000-4000-8000-000000000001', 'Acme', 'America/Chicago'),
    ('60000000-0000-4000-8000-000000000002', 'Globex', 'America/Chicago');
SET app.current_org_id = '60000000-0000-4000-8000-000000000001';

--
-- b2b, the model of the form.  The first four rows are the examples of the
-- design document, the others were added up by hand.
--
CREATE TEMP TABLE golden (n integer, expected integer, raw integer, band text, company_size text, industry text,
    inquiry_type text, budget_timeline text, email text);
INSERT INTO golden VALUES
    (1, 100, 100, 'hot', '1000+', 'Software/SaaS', 'Demo Request', 'Immediate', 'a1@works.example.com'),
    (2, 73, 73, 'warm', '11-50', 'Marketing/Advertising', 'Pricing Information', '1-3 months', 'a2@works.example.com'),
    (3, 15, 15, 'cold', '1-10', 'Retail/E-commerce', 'Content Download', 'Just Researching', 'a3@gmail.com'),
    (4, 95, 95, 'hot', '51-200', 'Software/SaaS', 'Demo Request', 'Immediate', 'a4@works.example.com'),
    -- 30 + 20 + 30 + 20 + 5 is more than 100
    (5, 100, 105, 'hot', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', 'a5@works.example.com'),
    -- 5 + 3
    (6, 8, 8, 'cold', '1-10', 'Non-Profit', NULL, NULL, NULL),
    -- 10 + 18 + 25 + 10 + 0
    (7, 63, 63, 'warm', '11-50', 'Financial Services', 'Contact Sales', '3-6 months', 'a7@yahoo.com'),
    -- 25 + 12 + 15 + 0 + 5
    (8, 57, 57, 'warm', '1000+', 'Professional Services', 'General Question', 'Just Researching', 'a8@works.example.com'),
    -- 30 + 10 + 10 + 5 + 2
    (9, 57, 57, 'warm', '201-1000', 'Manufacturing', 'Partnership Inquiry', '6-12 months', 'a9@dept.example.edu'),
    -- 20 + 8 + 25 + 20 + 0
    (10, 73, 73, 'warm', '51-200', 'Aerospace', 'Pricing Information', 'Immediate', 'a10@outlook.com'),
    -- 0 + 5 + 5 + 15 + 2
    (11, 27, 27, 'cold', NULL, 'Education', 'Content Download', '1-3 months', 'a11@example.edu'),
    -- on the edges of the bands: 80, 79, 50, 49, 0
    (12, 80, 80, 'hot', '201-1000', 'Software/SaaS', 'Pricing Information', '6-12 months', NULL),
    (13, 79, 79, 'warm', '201-1000', 'Professional Services', 'Demo Request', '6-12 months', 'a13@example.edu'),
    (14, 50, 50, 'warm', '51-200', 'Healthcare', 'General Question', NULL, NULL),
    (15, 49, 49, 'cold', '201-1000', 'Professional Services', 'Content Download', 'Just Researching', 'a15@example.edu'),
    (16, 0, 0, 'cold', NULL, NULL, NULL, 'Just Researching', NULL);
INSERT INTO lead_system.leads (id, company_size, industry, inquiry_type, budget_timeline, email)
SELECT ('60000000-0000-4000-8000-0000000001' || to_char(n, 'FM00'))::uuid, company_size, industry, inquiry_type, budget_timeline, email FROM golden;
SELECT g.n, l.lead_score, l.raw_score, l.temperature, l.score_breakdown, l.scoring_model,
       (l.lead_score, l.raw_score, l.temperature) = (g.expected, g.raw, g.band) AS as_expected,
       lead_system.calculate_lead_score(l.id) = l.lead_score AS same_now
  FROM golden g JOIN lead_system.leads l ON l.id = ('60000000-0000-4000-8000-0000000001' || to_char(g.n, 'FM00'))::uuid ORDER BY g.n;

-- Each answer by itself
INSERT INTO lead_system.leads (first_name, last_name, company_size, industry, inquiry_type, budget_timeline)
SELECT 'Single', coalesce(company_size, industry, inquiry_type, budget_timeline), company_size, industry, inquiry_type, budget_timeline
  FROM (SELECT s AS company_size, NULL AS industry, NULL AS inquiry_type, NULL AS budget_timeline
          FROM unnest(ARRAY['1-10', '11-50', '51-200', '201-1000', '1000+']) s
        UNION ALL
        SELECT NULL, i, NULL, NULL FROM unnest(ARRAY['Software/SaaS', 'Marketing/Advertising', 'Financial Services', 'Healthcare',
            'Professional Services', 'Manufacturing', 'Retail/E-commerce', 'Education', 'Non-Profit', 'Other', 'Fishery', 'software/saas']) i
        UNION ALL
        SELECT NULL, NULL, q, NULL FROM unnest(ARRAY['Demo Request', 'Pricing Information', 'Contact Sales', 'General Question',
            'Partnership Inquiry', 'Content Download', 'Complaint']) q
        UNION ALL
        SELECT NULL, NULL, NULL, b FROM unnest(ARRAY['Immediate', '1-3 months', '3-6 months', '6-12 months', 'Just Researching', 'Never']) b) f;
SELECT last_name AS answer, raw_score FROM lead_system.leads WHERE first_name = 'Single'
 ORDER BY company_size IS NULL, industry IS NULL, inquiry_type IS NULL, raw_score DESC, last_name COLLATE "C";
-- The exact domain counts, not a part of it.
INSERT INTO lead_system.leads (first_name, email, company_size)
SELECT 'Domain', e, '1-10' FROM unnest(ARRAY['b1@works.example.com', 'b2@gmail.com', 'b3@GMAIL.COM', 'b4@yahoo.com', 'b5@hotmail.com', 'b6@outlook.com',
    'b7@aol.com', 'b8@gmail.com.example.com', 'x@notgmail.com', 'b9@mail.gmail.com', 'b10@example.edu', 'b11@cs.example.edu',
    'b12@example.edu.example.com', 'b13@exampleedu.example.com', NULL]) e;
SELECT email, score_breakdown->'email_validation' AS points FROM lead_system.leads WHERE first_name = 'Domain' ORDER BY id;
DELETE FROM lead_system.leads WHERE first_name IN ('Single', 'Domain');

-- Engagement: once each, whatever the count above the limit
INSERT INTO lead_system.leads (id, company_size, email_reply_count, pricing_page_visits, demo_video_watched) VALUES
    ('60000000-0000-4000-8000-000000000201', '1-10', 0, 2, false),
    ('60000000-0000-4000-8000-000000000202', '1-10', 1, 3, false),
    ('60000000-0000-4000-8000-000000000203', '1-10', 9, 99, true);
SELECT email_reply_count, pricing_page_visits, demo_video_watched, raw_score, score_breakdown FROM lead_system.leads
 WHERE id::text LIKE '60000000-0000-4000-8000-00000000020_' ORDER BY id;
-- The most a lead can have: 105 + 30 + 10
INSERT INTO lead_system.leads (id, company_size, industry, inquiry_type, budget_timeline, email, email_reply_count, pricing_page_visits,
        demo_video_watched, status) VALUES
    ('60000000-0000-4000-8000-000000000204', '201-1000', 'Software/SaaS', 'Demo Request', 'Immediate', 'max@works.example.com', 1, 3, true, 'Qualified')
    RETURNING lead_score, raw_score, temperature;

-- Qualification bonus: once, when the lead first gets there, and kept
INSERT INTO lead_system.leads (id, company_size, industry) VALUES ('60000000-0000-4000-8000-000000000301', '51-200', 'Healthcare')
    RETURNING raw_score, qualification_bonus_applied;
UPDATE lead_system.leads SET status = 'Contacted' WHERE id = '60000000-0000-4000-8000-000000000301' RETURNING raw_score, qualification_bonus_applied;
UPDATE lead_system.leads SET status = 'Qualified' WHERE id = '60000000-0000-4000-8000-000000000301'
    RETURNING raw_score, qualification_bonus_applied, score_breakdown;
UPDATE lead_system.leads SET status = 'Opportunity' WHERE id = '60000000-0000-4000-8000-000000000301' RETURNING raw_score;
UPDATE lead_system.leads SET industry = 'Manufacturing' WHERE id = '60000000-0000-4000-8000-000000000301' RETURNING raw_score, score_breakdown;
SELECT lead_system.change_lead_status('60000000-0000-4000-8000-000000000301', 'New', force => true);
SELECT raw_score, qualification_bonus_applied FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000301';
SELECT lead_system.change_lead_status('60000000-0000-4000-8000-000000000301', 'Qualified', force => true);
SELECT raw_score, qualification_bonus_applied FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000301';
-- Each change of the score is in its history and in the activities.
SELECT old_score, new_score, raw_score, model, breakdown FROM lead_system.lead_score_history
 WHERE lead_id = '60000000-0000-4000-8000-000000000301' ORDER BY id;
SELECT old_value, new_value FROM lead_system.activities
 WHERE lead_id = '60000000-0000-4000-8000-000000000301' AND action_type = 'score_updated' ORDER BY id;
-- What the model does not look at leaves the score alone.
UPDATE lead_system.leads SET notes = 'Nice', city = 'Springfield' WHERE id = '60000000-0000-4000-8000-000000000301' RETURNING raw_score;
SELECT count(*) FROM lead_system.lead_score_history WHERE lead_id = '60000000-0000-4000-8000-000000000301';

-- Decay: 5 points for each full week without activity, at most 30
SELECT after, lead_system.score_at('60000000-0000-4000-8000-000000000104', '2026-03-02 12:00+00'::timestamptz + after)
  FROM unnest(ARRAY['-1 year', '0', '6 days 23:59:59.999999', '7 days', '13 days 23:59:59', '14 days', '21 days', '28 days', '35 days',
                    '41 days 23:59:59', '42 days', '49 days', '10 years']::interval[]) after;
-- It goes by the last activity, if there is any; the raw score can fall below 0, the score cannot.
UPDATE lead_system.leads SET last_activity_at = '2026-03-16 12:00+00' WHERE id = '60000000-0000-4000-8000-000000000104';
SELECT after, lead_system.score_at('60000000-0000-4000-8000-000000000104', '2026-03-02 12:00+00'::timestamptz + after)
  FROM unnest(ARRAY['7 days', '14 days', '20 days 23:59:59', '21 days', '28 days']::interval[]) after;
SET lead_system.now = '2026-06-01 12:00:00+00';
UPDATE lead_system.leads SET company_size = '11-50' WHERE id = '60000000-0000-4000-8000-000000000106'
    RETURNING lead_score, raw_score, temperature, score_breakdown;
-- An engagement ends the decay, since it is activity.
UPDATE lead_system.leads SET email_reply_count = 1 WHERE id = '60000000-0000-4000-8000-000000000106'
    RETURNING lead_score, raw_score, score_breakdown, last_activity_at;

-- Times that are no instant: before all activity nothing has decayed, after all of it as much as can.
SELECT at, lead_system.score_at('60000000-0000-4000-8000-000000000104', at), lead_system.score_at('60000000-0000-4000-8000-000000000106', at)
  FROM unnest(ARRAY['-infinity', '4713-01-01 00:00:00+00 BC', '294276-12-31 23:59:59+00', 'infinity']::timestamptz[]) at;

-- A lead of the last century is as far from the end of time as any.
INSERT INTO lead_system.leads (id, company_size, industry, created_at) VALUES
    ('60000000-0000-4000-8000-000000000199', '201-1000', 'Healthcare', '1999-12-31 00:00:00+00');
SELECT lead_system.score_at('60000000-0000-4000-8000-000000000199', '1999-12-31 00:00:00+00') AS fresh,
       lead_system.score_at('60000000-0000-4000-8000-000000000199', 'infinity') AS last,
       lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000199', 'banti') AS banti;
DELETE FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000199';

-- Answers inferred, where an organization wants that (A9)
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.leads (id, company_name, industry, inquiry_type, message) VALUES
    ('60000000-0000-4000-8000-000000000401', 'Example Corp', 'Education', 'Content Download', 'Send me a DEMO'),
    ('60000000-0000-4000-8000-000000000402', 'Example, Inc.', 'Education', 'Content Download', 'What is the pricing?'),
    ('60000000-0000-4000-8000-000000000403', 'Example Works', 'Education', 'Content Download', 'Thanks'),
    ('60000000-0000-4000-8000-000000000404', 'Example LLC', 'Education', 'General Question', 'A demo?');
SELECT company_name, lead_system.calculate_lead_score(id) FROM lead_system.leads WHERE id::text LIKE '60000000-0000-4000-8000-00000000040_' ORDER BY id;
SELECT lead_system.set_config('scoring.infer_company_size', 'true');
SELECT company_name, lead_system.calculate_lead_score(id) FROM lead_system.leads WHERE id::text LIKE '60000000-0000-4000-8000-00000000040_' ORDER BY id;
SELECT lead_system.set_config('scoring.infer_inquiry_type', 'true');
SELECT company_name, lead_system.calculate_lead_score(id) FROM lead_system.leads WHERE id::text LIKE '60000000-0000-4000-8000-00000000040_' ORDER BY id;
-- What is inferred follows what it is inferred from.
UPDATE lead_system.leads SET notes = 'Touched' WHERE id = '60000000-0000-4000-8000-000000000403' RETURNING lead_score;
UPDATE lead_system.leads SET company_name = 'Example LLC' WHERE id = '60000000-0000-4000-8000-000000000403' RETURNING lead_score;
UPDATE lead_system.leads SET message = 'Pricing, please' WHERE id = '60000000-0000-4000-8000-000000000403' RETURNING lead_score;
UPDATE lead_system.leads SET company_name = 'Example Works', message = NULL WHERE id = '60000000-0000-4000-8000-000000000403' RETURNING lead_score;
SELECT lead_system.set_config('scoring.infer_company_size', NULL), lead_system.set_config('scoring.infer_inquiry_type', NULL);

--
-- banti, the model of leads without a form
--
CREATE TEMP TABLE banti (n integer, expected integer, band text, interest integer, authority integer, budget integer, need integer, timing integer,
    contact_days integer, calls integer, sms integer, opens integer, clicks integer, intent text, source text);
INSERT INTO banti VALUES
    -- nothing is known: 3 for an unknown source
    (1, 3, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, NULL),
    -- qualification on its edges: 70, 69, 50, 49, 30, 29
    (2, 40, 'cool', 25, 20, 25, 0, 0, NULL, 0, 0, 0, 0, NULL, 'purchased_list'),
    (3, 25, 'cold', 25, 20, 24, 0, 0, NULL, 0, 0, 0, 0, NULL, 'purchased_list'),
    (4, 25, 'cold', 0, 20, 0, 15, 15, NULL, 0, 0, 0, 0, NULL, 'purchased_list'),
    (5, 10, 'cold', 0, 19, 0, 15, 15, NULL, 0, 0, 0, 0, NULL, 'purchased_list'),
    (6, 10, 'cold', 0, 0, 0, 15, 15, NULL, 0, 0, 0, 0, NULL, 'purchased_list'),
    (7, 0, 'cold', 0, 0, 0, 15, 14, NULL, 0, 0, 0, 0, NULL, 'purchased_list'),
    -- engagement: last contact 7, 8, 30, 31, 90, 91 days ago
    (8, 15, 'cold', NULL, NULL, NULL, NULL, NULL, 7, 0, 0, 0, 0, NULL, 'purchased_list'),
    (9, 10, 'cold', NULL, NULL, NULL, NULL, NULL, 8, 0, 0, 0, 0, NULL, 'purchased_list'),
    (10, 10, 'cold', NULL, NULL, NULL, NULL, NULL, 30, 0, 0, 0, 0, NULL, 'purchased_list'),
    (11, 5, 'cold', NULL, NULL, NULL, NULL, NULL, 31, 0, 0, 0, 0, NULL, 'purchased_list'),
    (12, 5, 'cold', NULL, NULL, NULL, NULL, NULL, 90, 0, 0, 0, 0, NULL, 'purchased_list'),
    (13, 0, 'cold', NULL, NULL, NULL, NULL, NULL, 91, 0, 0, 0, 0, NULL, 'purchased_list'),
    -- calls, replies, opens, clicks; together at most 30
    (14, 3, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 2, 0, 0, 0, NULL, 'purchased_list'),
    (15, 7, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 3, 0, 0, 0, NULL, 'purchased_list'),
    (16, 10, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 5, 0, 0, 0, NULL, 'purchased_list'),
    (17, 13, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 4, 4, 4, NULL, 'purchased_list'),
    (18, 30, 'cold', NULL, NULL, NULL, NULL, NULL, 0, 9, 1, 1, 1, NULL, 'purchased_list'),
    -- intent: 10 + 5, 10 + 10 + 5 cut to 20, 5 - 10 cut to 0
    (19, 15, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 'explicit_interest,question', 'purchased_list'),
    (20, 20, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 'explicit_interest,callback,objection_handled', 'purchased_list'),
    (21, 0, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 'question,hard_objection', 'purchased_list'),
    -- sources
    (22, 10, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 'referral'),
    (23, 7, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 'email'),
    (24, 5, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 'facebook_ads'),
    (25, 5, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 'LinkedIn'),
    (26, 3, 'cold', NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 'carrier pigeon'),
    -- bands on their edges: 80, 79, 60, 59, 40 is above, 39, and all of it
    (27, 80, 'hot', 25, 20, 25, 15, 15, 7, 5, 1, 0, 0, 'explicit_interest', 'purchased_list'),
    (28, 79, 'warm', 25, 20, 25, 15, 15, 7, 3, 1, 0, 0, 'question', 'email'),
    (29, 60, 'warm', 25, 20, 25, 0, 0, 7, 0, 0, 0, 0, 'question', 'purchased_list'),
    (30, 59, 'cool', 25, 20, 25, 0, 0, NULL, 4, 0, 0, 0, 'question', 'email'),
    (31, 39, 'cold', 25, 20, 5, 0, 0, NULL, 3, 0, 0, 0, NULL, 'email'),
    (32, 100, 'hot', 25, 20, 25, 15, 15, 0, 5, 1, 1, 1, 'explicit_interest,callback', 'referral');
INSERT INTO lead_system.leads (id, source, last_contact_at, call_count, sms_reply_count, email_open_count, link_click_count)
SELECT ('60000000-0000-4000-8000-0000000005' || to_char(n, 'FM00'))::uuid, source, lead_system.clock_now() - make_interval(days => contact_days),
       calls, sms, opens, clicks
  FROM banti;
-- Assessments and what was heard in calls come in later; the leads are scored anew.
SET lead_system.now = '2026-03-02 12:00:01+00';
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest, authority, budget, need, timing)
SELECT '60000000-0000-4000-8000-000000000001', ('60000000-0000-4000-8000-0000000005' || to_char(n, 'FM00'))::uuid, interest, authority, budget, need, timing
  FROM banti WHERE interest IS NOT NULL;
SET lead_system.now = '2026-03-02 12:00:02+00';
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind)
SELECT '60000000-0000-4000-8000-000000000001', ('60000000-0000-4000-8000-0000000005' || to_char(n, 'FM00'))::uuid,
       '60000000-0000-4000-8000-00000000ca11', unnest(string_to_array(intent, ','))
  FROM banti;
SELECT b.n, l.lead_score, l.raw_score, l.temperature, l.score_breakdown, (l.lead_score, l.temperature) = (b.expected, b.band) AS as_expected
  FROM banti b JOIN lead_system.leads l ON l.id = ('60000000-0000-4000-8000-0000000005' || to_char(b.n, 'FM00'))::uuid ORDER BY b.n;

-- With a clock that stands still, and in one transaction with the lead, they are scored all the same.
SET lead_system.now = '2026-03-02 12:00:05+00';
BEGIN;
INSERT INTO lead_system.leads (id, source) VALUES ('60000000-0000-4000-8000-000000000533', 'referral') RETURNING lead_score;
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, id, interest, authority, budget) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000533', '60000000-0000-4000-8000-0000000000b3', 25, 20, 25);
SELECT lead_score, score_breakdown, scored_at FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000533';
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000533', '60000000-0000-4000-8000-00000000ca12', 'question');
SELECT lead_score, score_breakdown FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000533';
UPDATE lead_system.lead_qualifications SET budget = 0 WHERE id = '60000000-0000-4000-8000-0000000000b3';
SELECT lead_score, score_breakdown FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000533';
DELETE FROM lead_system.lead_qualifications WHERE id = '60000000-0000-4000-8000-0000000000b3';
SELECT lead_score, score_breakdown FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000533';
COMMIT;
SELECT old_score, new_score FROM lead_system.lead_score_history WHERE lead_id = '60000000-0000-4000-8000-000000000533' ORDER BY id;
DELETE FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000533';

-- The latest assessment counts; a removed one does not.
SET lead_system.now = '2026-03-02 13:00:00+00';
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, id, interest, authority) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000532', '60000000-0000-4000-8000-0000000000b1', 25, 10);
SELECT lead_score, score_breakdown->'qualification' AS qualification FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000532';
SET lead_system.now = '2026-03-02 14:00:00+00';
DELETE FROM lead_system.lead_qualifications WHERE id = '60000000-0000-4000-8000-0000000000b1';
SELECT lead_score, score_breakdown->'qualification' AS qualification FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000532';
\set VERBOSITY terse
INSERT INTO lead_system.lead_qualifications (organization_id, lead_id, interest) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000532', 26);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000532', '60000000-0000-4000-8000-00000000ca11', 'yawn');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- The signals of the last three calls count, each kind once.
SET lead_system.now = '2026-03-03 12:00:00+00';
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000519', '60000000-0000-4000-8000-00000000ca12', 'explicit_interest');
SELECT score_breakdown->'intent' AS intent FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000519';
SET lead_system.now = '2026-03-04 12:00:00+00';
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000519', '60000000-0000-4000-8000-00000000ca13', 'objection_handled');
SELECT score_breakdown->'intent' AS intent FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000519';
SET lead_system.now = '2026-03-05 12:00:00+00';
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000519', '60000000-0000-4000-8000-00000000ca14', 'hard_objection');
SELECT score_breakdown->'intent' AS intent FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000519';
-- Time zone and state of the lead; source, zone and state together at most 10
SELECT lead_system.set_config('scoring.high_opportunity_locations', '["TX", "FL"]');
INSERT INTO lead_system.leads (source, timezone, state) VALUES
    ('purchased_list', 'America/Chicago', NULL), ('purchased_list', 'America/New_York', 'TX'), ('purchased_list', 'America/Chicago', 'FL'),
    ('purchased_list', NULL, 'CA'), ('email', 'America/Chicago', 'TX')
    RETURNING source, timezone, state, lead_score;
-- Decay: a component keeps a part per 30 days without activity; 30, 24, 19 and 20, 10, 5.
SET lead_system.now = '2026-03-02 12:00:00+00';
INSERT INTO lead_system.leads (id, source, created_at, last_contact_at, call_count, sms_reply_count) VALUES
    ('60000000-0000-4000-8000-000000000601', 'purchased_list', '2026-03-02 12:00+00', '2026-05-01 12:00+00', 5, 1);
SET lead_system.now = '2026-03-02 12:00:01+00';
INSERT INTO lead_system.lead_intent_signals (organization_id, lead_id, call_id, kind) VALUES
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000601', '60000000-0000-4000-8000-00000000ca15', 'explicit_interest'),
    ('60000000-0000-4000-8000-000000000001', '60000000-0000-4000-8000-000000000601', '60000000-0000-4000-8000-00000000ca15', 'callback');
SELECT after, lead_system.score_at('60000000-0000-4000-8000-000000000601', '2026-03-02 12:00+00'::timestamptz + after)
  FROM unnest(ARRAY['0', '29 days 23:59:59', '30 days', '59 days 23:59:59', '60 days']::interval[]) after;
SET lead_system.now = '2026-05-01 12:00:00+00';
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000601');
SET lead_system.now = '2026-03-02 12:00:00+00';

--
-- Which model (B10): b2b when any answer of the form is there, else banti
--
SELECT id, scoring_model FROM lead_system.leads WHERE id IN ('60000000-0000-4000-8000-000000000116', '60000000-0000-4000-8000-000000000501') ORDER BY id;
UPDATE lead_system.leads SET industry = 'Education' WHERE id = '60000000-0000-4000-8000-000000000501' RETURNING scoring_model, lead_score;
UPDATE lead_system.leads SET industry = NULL WHERE id = '60000000-0000-4000-8000-000000000501' RETURNING scoring_model, lead_score;
-- An empty answer is none.
UPDATE lead_system.leads SET industry = '' WHERE id = '60000000-0000-4000-8000-000000000501' RETURNING scoring_model, lead_score;
INSERT INTO lead_system.leads (source, industry, inquiry_type, budget_timeline) VALUES ('referral', '', '', '') RETURNING scoring_model, lead_score;
INSERT INTO lead_system.leads (source, industry, inquiry_type) VALUES ('referral', '', 'Demo Request') RETURNING scoring_model, lead_score;
UPDATE lead_system.leads SET industry = NULL WHERE id = '60000000-0000-4000-8000-000000000501';
-- A model that is named wins.
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000101') AS chosen,
       lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000101', 'b2b') AS b2b,
       lead_system.calculate_lead_score(lead_id => '60000000-0000-4000-8000-000000000101', model => 'banti') AS banti;

--
-- Calculating reads and never writes
--
BEGIN READ ONLY;
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000101'), lead_system.score_at('60000000-0000-4000-8000-000000000101', '2027-01-01');
SELECT sum(points) FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000101');
COMMIT;
SELECT lead_system.calculate_lead_score(NULL) IS NULL AS n1, lead_system.calculate_lead_score(NULL, 'b2b') IS NULL AS n2,
       lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000101', NULL) IS NULL AS n3,
       lead_system.score_at('60000000-0000-4000-8000-000000000101', NULL) IS NULL AS n4;
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-0000000000ff');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000101', 'c3po');
\echo :LAST_ERROR_SQLSTATE
-- A name that no model can have is not cut to one that a model has.
SELECT lead_system.copy_scoring_model('b2b', repeat('b', 63)) IS NOT NULL AS copied;
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000104', repeat('b', 63)),
       lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000104', 'b2b') AS b2b;
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000104', repeat('b', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000104', repeat('b', 63) || '2');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000104', repeat('b', 100));
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT lead_system.copy_scoring_model('b2b', repeat('b', 64));
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
DELETE FROM lead_system.scoring_models WHERE name = repeat('b', 63);
SELECT lead_system.score_at('60000000-0000-4000-8000-0000000000ff', '2026-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.explain_lead_score(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-0000000000ff');
\echo :LAST_ERROR_SQLSTATE
-- A lead of another organization does not exist.
SET app.current_org_id = '60000000-0000-4000-8000-000000000002';
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000101');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000101');
\echo :LAST_ERROR_SQLSTATE
SET app.current_org_id = '60000000-0000-4000-8000-000000000001';

--
-- explain_lead_score(): rule by rule
--
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000104');
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000203');
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000518');
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000521');
SELECT * FROM lead_system.explain_lead_score('60000000-0000-4000-8000-000000000104', 'banti');

--
-- recalculate_lead_scores(): what time has done to all of them
--
INSERT INTO lead_system.leads (organization_id, id, company_size) VALUES
    ('60000000-0000-4000-8000-000000000002', '60000000-0000-4000-8000-000000000701', '201-1000') RETURNING lead_score;
SET lead_system.now = '2026-04-20 12:00:00+00';
CALL lead_system.recalculate_lead_scores(0);
\echo :LAST_ERROR_SQLSTATE
CALL lead_system.recalculate_lead_scores(100001);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS leads, count(*) FILTER (WHERE lead_score <> lead_system.calculate_lead_score(id)) > 0 AS stale FROM lead_system.leads
 WHERE organization_id = '60000000-0000-4000-8000-000000000001';
CALL lead_system.recalculate_lead_scores(batch => 7);
SELECT count(*) FILTER (WHERE lead_score <> lead_system.calculate_lead_score(id)) AS stale FROM lead_system.leads
 WHERE organization_id = '60000000-0000-4000-8000-000000000001';
SELECT organization_id, started_at, finished_at, leads_seen, leads_changed FROM lead_system.scoring_runs;
SELECT lead_score, raw_score, temperature, score_breakdown, scored_at FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000104';
SELECT old_score, new_score, raw_score, breakdown, created_at FROM lead_system.lead_score_history
 WHERE lead_id = '60000000-0000-4000-8000-000000000104' ORDER BY id;
-- Its batches follow an index.
SELECT indexdef LIKE '%USING btree (organization_id, created_at, id)' AS by_time FROM pg_indexes
 WHERE schemaname = 'lead_system' AND indexname = 'leads_organization_id_created_at_id_idx';
-- Nothing is left to do; a transaction block is fine, too.
BEGIN;
CALL lead_system.recalculate_lead_scores();
COMMIT;
SELECT leads_changed FROM lead_system.scoring_runs;
-- An explanation adds up to the raw score, for every lead.
SELECT l.scoring_model, count(*), count(*) FILTER (WHERE e.points IS DISTINCT FROM l.raw_score) AS wrong
  FROM lead_system.leads l, LATERAL (SELECT sum(x.points) AS points FROM lead_system.explain_lead_score(l.id) x) e
 WHERE l.organization_id = '60000000-0000-4000-8000-000000000001' GROUP BY l.scoring_model ORDER BY 1;
-- So does the breakdown.
SELECT count(*) AS wrong FROM lead_system.leads l
 WHERE l.organization_id = '60000000-0000-4000-8000-000000000001'
   AND l.raw_score <> (SELECT sum(value::integer) FROM jsonb_each_text(l.score_breakdown));
-- Deleted leads are left alone.
SET lead_system.now = '2026-04-27 12:00:00+00';
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE id = '60000000-0000-4000-8000-000000000104' RETURNING lead_score;
CALL lead_system.recalculate_lead_scores();
SELECT lead_score FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000104';
-- Other organizations were not touched; who sees them all and names none works for all.
SELECT lead_score FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000701';
SET app.current_org_id = '';
CALL lead_system.recalculate_lead_scores();
SELECT lead_score, scored_at FROM lead_system.leads WHERE id = '60000000-0000-4000-8000-000000000701';
SELECT organization_id, leads_seen FROM lead_system.scoring_runs ORDER BY organization_id;
SET app.current_org_id = '60000000-0000-4000-8000-000000000001';

--
-- copy_scoring_model(): an organization's own model
--
SELECT lead_system.copy_scoring_model('b2b') AS own \gset
SELECT m.organization_id, m.name, m.description, m.is_active, m.is_shadow, m.thresholds, count(r.id) AS rules,
       m.components = (SELECT b.components FROM lead_system.scoring_models b WHERE b.name = 'b2b' AND b.organization_id IS NULL) AS same_components
  FROM lead_system.scoring_models m JOIN lead_system.scoring_rules r ON r.model_id = m.id WHERE m.id = :'own' GROUP BY m.id;
SELECT count(*) AS differences FROM (
    (SELECT component, attribute, operator, operand, points, cap, position FROM lead_system.scoring_rules WHERE model_id = :'own'
     EXCEPT ALL
     SELECT component, attribute, operator, operand, points, cap, position FROM lead_system.scoring_rules
      WHERE model_id = '00000000-0000-7000-8000-000000000011')
    UNION ALL
    (SELECT component, attribute, operator, operand, points, cap, position FROM lead_system.scoring_rules
      WHERE model_id = '00000000-0000-7000-8000-000000000011'
     EXCEPT ALL
     SELECT component, attribute, operator, operand, points, cap, position FROM lead_system.scoring_rules WHERE model_id = :'own')) d;
-- It takes the built-in one's place here, and nowhere else.
UPDATE lead_system.scoring_rules SET points = 29 WHERE model_id = :'own' AND operand = '"201-1000"';
UPDATE lead_system.scoring_models SET thresholds = '{"hot": 90, "warm": 29}' WHERE id = :'own';
INSERT INTO lead_system.leads (organization_id, company_size) VALUES
    ('60000000-0000-4000-8000-000000000001', '201-1000'), ('60000000-0000-4000-8000-000000000002', '201-1000')
    RETURNING organization_id, raw_score, temperature;
-- Under another name it is used when asked for.
SELECT lead_system.copy_scoring_model(source => 'banti', name => 'banti_2') IS NOT NULL AS copied;
SELECT lead_system.calculate_lead_score('60000000-0000-4000-8000-000000000527', 'banti_2');
SELECT lead_system.copy_scoring_model('b2b');
\echo :LAST_ERROR_SQLSTATE
SELECT lead_system.copy_scoring_model('c3po') IS NULL AS no_such_model;
SET app.current_org_id = '';
SELECT lead_system.copy_scoring_model('b2b');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS nobodys FROM lead_system.scoring_models WHERE organization_id IS NULL;
SET app.current_org_id = '60000000-0000-4000-8000-000000000001';
\set VERBOSITY terse
SELECT lead_system.copy_scoring_model('b2b', 'Our Model');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

DELETE FROM lead_system.organizations WHERE id::text LIKE '60000000-0000-4000-8000-%';
