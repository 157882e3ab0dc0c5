-- opt_out: detect_opt_out (semantics D9 to D11).
\set SHOW_CONTEXT never
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'ac000000-0000-4000-8000-00000000000a'
\set bravo 'ac000000-0000-4000-8000-00000000000b'
\set chief 'ac000000-0000-4000-8000-0000000000a1'
INSERT INTO lead_system.organizations (id, name, default_pipeline) VALUES (:'alpha', 'Alpha', 'b2b'), (:'bravo', 'Bravo', 'b2b');
INSERT INTO lead_system.users (organization_id, id, full_name, email, role) VALUES
    (:'alpha', :'chief', 'Chief', 'chief@example.com', 'admin');
CREATE ROLE regress_ls_optout_manager;
CREATE ROLE regress_ls_optout_admin;
SELECT lead_system.grant_access('regress_ls_optout_manager', 'manager');
SELECT lead_system.grant_access('regress_ls_optout_admin', 'admin');

--
-- Words of the carriers: exact, however they are written
--
WITH words(kind, word) AS (VALUES
    ('keyword', 'STOP'), ('keyword', 'STOPALL'), ('keyword', 'STOP ALL'), ('keyword', 'QUIT'), ('keyword', 'END'),
    ('keyword', 'REVOKE'), ('keyword', 'OPT OUT'), ('keyword', 'OPTOUT'), ('keyword', 'OPT-OUT'), ('keyword', 'CANCEL'),
    ('keyword', 'UNSUBSCRIBE'), ('keyword', 'REMOVE'), ('keyword', 'TD'), ('keyword', 'ARRET'), ('keyword', 'ARRÊT'),
    ('keyword', 'ARRETT'), ('keyword', 'ARRETE'), ('keyword', 'BAJA'), ('keyword', 'NO MÁS'),
    ('resubscribe', 'START'), ('resubscribe', 'UNSTOP'), ('resubscribe', 'YES'), ('help', 'HELP'), ('help', 'INFO')),
written(kind, word, text) AS (
    SELECT w.kind, w.word, v.text FROM words w
     CROSS JOIN LATERAL (VALUES (w.word), (lower(w.word)), (initcap(w.word)), ('  ' || w.word || E'\n'), (w.word || '.'), (lower(w.word) || '!!!'),
        ('"' || w.word || '"'), ('“' || lower(w.word) || '”'), (w.word || ' 🛑'), ('👎 ' || w.word || '…'), ('Please ' || lower(w.word)),
        (lower(w.word) || ' please, thanks'), (regexp_replace(w.word, '(\w)', '\1 ', 'g')), (regexp_replace(w.word, '(\w)', '\1.', 'g'))) v(text))
SELECT count(*), count(*) FILTER (WHERE d.kind = w.kind AND d.opt_out = (w.kind = 'keyword')) AS recognized
  FROM written w CROSS JOIN LATERAL lead_system.detect_opt_out(w.text) d;
-- exactly one row, also for nothing
SELECT message, d.* FROM (VALUES (NULL), (''), ('   '), ('...'), ('🛑'), ('ok')) v(message) CROSS JOIN LATERAL lead_system.detect_opt_out(v.message) d;
-- the phrase is what was written
SELECT d.* FROM (VALUES ('STOP!!!'), ('Wrong number, STOP'), ('Hi. Please DON’T call me again, ever.'), ('I''m not interested'),
    ('Yes please'), ('help')) v(message) CROSS JOIN LATERAL lead_system.detect_opt_out(v.message) d;
-- carriers' words are words of text messages; a spoken "end" is none
SELECT channel, d.* FROM (VALUES ('sms'), ('call'), ('email')) c(channel) CROSS JOIN LATERAL lead_system.detect_opt_out('End.', c.channel) d;
SELECT channel, d.* FROM (VALUES ('sms'), ('call'), ('email')) c(channel) CROSS JOIN LATERAL lead_system.detect_opt_out('Stop.', c.channel) d;
SELECT * FROM lead_system.detect_opt_out('stop', 'fax');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.detect_opt_out('stop', NULL);
\echo :LAST_ERROR_SQLSTATE

--
-- The phrases of D9, with and without what is optional
--
SELECT message, d.opt_out, d.kind FROM (VALUES
    ('remove me from your list'), ('do not call me'), ('don''t call me again'), ('dont call me'), ('don`t call me'), ('DO NOT CALL ME AGAIN'),
    ('I want to be removed'), ('stop calling me'), ('take me off'), ('take me off your list'), ('unsubscribe'), ('remove my number'),
    ('delete my number'), ('no more calls'), ('stop these calls'), ('leave me alone'), ('never call again'), ('remove me'), ('opt out'),
    ('I opt out')) v(message) CROSS JOIN LATERAL lead_system.detect_opt_out(v.message, 'call') d
 WHERE NOT d.opt_out OR d.kind <> 'hard';
-- and in other words
SELECT message, d.* FROM (VALUES
    ('lose my number'), ('Wrong number, stop'), ('quit texting me already'), ('I told you to stop contacting us'), ('Please do not text this number anymore'),
    ('no more texts pls'), ('take me off ur list'), ('Get me off this list'), ('delete me from your database'), ('I don’t want to hear from you again'),
    ('I do not wish to receive these messages'), ('u need to stop txting me'), ('stop blowing up my phone'), ('would you stop'), ('Could you please not call me anymore'),
    ('never ever contact me again'), ('Put me on your do not call list'), ('we''re on the national do not call registry'), ('I''m tired of these calls'), ('cease and desist'),
    ('I revoke my consent to be contacted'), ('I never signed up for this'), ('stop it'), ('Enough with the texts'), ('go away'),
    ('don''t ever call here again'), ('Nobody here by that name. Remove this number.'), ('STOP texting, I already bought a house'), ('you have the wrong person, take me off please'), ('please discontinue all messages'),
    ('cancel these texts'), ('no solicitation please'), ('my consent is withdrawn'), ('forget my number'), ('I said no, leave us alone'),
    ('Do not email me'), ('this needs to stop'), ('pleeease stoppp'), ('unsuscribe me'), ('I''d like to be taken off your mailing list')) v(message)
 CROSS JOIN LATERAL lead_system.detect_opt_out(v.message, 'sms') d WHERE NOT d.opt_out;

--
-- For somebody to read: not an opt-out
--
SELECT message, d.* FROM (VALUES
    ('I''m not interested'), ('no thanks'), ('wrong number'), ('Don''t call me until Monday'), ('please don''t call me at work'), ('don''t text me before 9am'),
    ('You keep calling me'), ('stop calling me so early'), ('Don''t call me today, I am sick'), ('how did you get my number?')) v(message)
 CROSS JOIN LATERAL lead_system.detect_opt_out(v.message) d;

--
-- Ordinary sentences: no alarm
--
SELECT message, d.* FROM (VALUES
    ('I can''t stop thinking about it'), ('We close at the end of the month'), ('Please don''t stop calling'), ('call me back later'), ('maybe in the future'),
    ('Can you stop by on Tuesday?'), ('The bus stop is right outside'), ('Don''t hesitate to call me'), ('I have to cancel my appointment for Friday'), ('Let''s cancel tomorrow and meet on Monday'),
    ('I quit my job last week'), ('He quit smoking'), ('Could you call me at 2pm?'), ('What time does the sale end?'), ('Is there an end date on this offer?'),
    ('I''ll be there at the end of the day'), ('Text me the address'), ('Call me when you are free'), ('My phone number changed, the new one is on file'), ('Remove the old stump, please'),
    ('Can you remove wallpaper?'), ('How much to remove a tree?'), ('The old carpet needs to be removed'), ('Take the second exit and turn left'), ('I take my coffee black'),
    ('Take me through the numbers'), ('Please take my call at noon'), ('Why don''t you call me tomorrow'), ('If you don''t call me I will call you'), ('I don''t text while driving'),
    ('I don''t call people at night'), ('Sorry, I did not call you back'), ('You never called me back'), ('Why did you not call me yesterday?'), ('Don''t forget to call me'),
    ('Do not worry about it'), ('Don''t send me the invoice yet'), ('I never got your email'), ('We never received the quote'), ('I''m interested, tell me more'),
    ('Yes, I am interested'), ('Still interested but busy this week'), ('How much do you charge?'), ('What are your rates?'), ('Do you have slots tomorrow?'),
    ('ok'), ('OK thanks'), ('Sounds good'), ('See you then'), ('Thank you for calling'),
    ('Thanks for the text'), ('Got your message, will reply tonight'), ('I got your messages'), ('Keep me on the list please'), ('Add me to your list'),
    ('Am I on the list?'), ('Which list is that?'), ('Put me on the waiting list'), ('Do you offer a subscription?'), ('My subscription renews in May'),
    ('I would like to subscribe'), ('Is the warranty optional?'), ('Can I opt for the larger unit?'), ('I opted for the blue one'), ('What are my options'),
    ('The leak won''t stop'), ('My AC stopped working'), ('The heater stops after ten minutes'), ('Water keeps dripping, it never stops'), ('When can you start?'),
    ('We can start on the first'), ('I need help with my roof'), ('Could you help me choose?'), ('Please send more info'), ('Send info to my email'),
    ('Leave a message with my wife'), ('Leave it at the front door'), ('I left you a voicemail'), ('The kids are home alone'), ('My number is 202-555-0143'),
    ('You can reach me at this number'), ('This is a good number for me'), ('Is this the right number?'), ('No problem, call me anytime'), ('No worries'),
    ('No, the other house'), ('Not yet, still waiting on the bank'), ('Not sure, let me check'), ('I am not home right now'), ('More than one bid would be great'),
    ('No more than three rooms'), ('It is the last house before the dead end'), ('The meeting will end at five'), ('I revoked the old lease in March'), ('The door is stuck, please advise'),
    ('Please call after 5'), ('Call my office instead'), ('Text is better than a call'), ('Don''t leave me alone with this decision'), ('Please don''t remove me from the list'),
    ('I do not want to opt out'), ('We never stop learning here'), ('Take me off hold please'), ('Never mind'), ('Don''t mention it')) v(message)
 CROSS JOIN LATERAL lead_system.detect_opt_out(v.message) d WHERE d.kind IS NOT NULL OR d.opt_out;

--
-- Phrases of one's own
--
SET app.current_org_id = :'alpha';
SELECT * FROM lead_system.detect_opt_out('no pigeons please');
SET ROLE regress_ls_optout_manager;
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'no pigeons', 'hard');
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'stop calling me', 'ordinary');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (NULL, 'hello', 'hard');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind, is_active) VALUES (:'alpha', 'END', 'keyword', false);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM lead_system.opt_out_phrases;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM lead_system.detect_opt_out('no pigeons please');
RESET ROLE;
SET app.current_org_id = :'bravo';
SELECT * FROM lead_system.detect_opt_out('no pigeons please');
-- an administrator switches a built-in one off, for the own organization
SET app.current_org_id = :'alpha';
SET app.current_user_id = :'chief';
SET ROLE regress_ls_optout_admin;
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind, channel, is_active) VALUES (:'alpha', 'end', 'keyword', 'sms', false);
SELECT * FROM lead_system.detect_opt_out('END');
DELETE FROM lead_system.opt_out_phrases WHERE phrase = 'end';
SELECT * FROM lead_system.detect_opt_out('END');
-- built-in rows cannot be changed
UPDATE lead_system.opt_out_phrases SET is_active = false WHERE organization_id IS NULL;
DELETE FROM lead_system.opt_out_phrases WHERE organization_id IS NULL;
-- phrases must be phrases
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', '[please] go', 'hard');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', '* go', 'hard');
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'go || away', 'hard');
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'go  away', 'hard');
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', '!!!', 'keyword');
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'one', 'spelling');
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'go', 'rude');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- a change that is rolled back leaves nothing behind
BEGIN;
INSERT INTO lead_system.opt_out_phrases (organization_id, phrase, kind) VALUES (:'alpha', 'no badgers', 'hard');
SELECT * FROM lead_system.detect_opt_out('no badgers');
ROLLBACK;
SELECT * FROM lead_system.detect_opt_out('no badgers');
-- people who were told, and stops and unsubscribings that are of something else
SELECT m.message, d.opt_out, d.kind FROM (VALUES
    ('I told you people not to text me'), ('I asked you all not to'), ('I need to stop at the bank first'), ('we have to stop for gas'),
    ('I need you to stop'), ('I would like to unsubscribe from my current insurer and join you'), ('unsubscribe from your list'),
    ('stop sending it to the old address, use the new one'), ('stop sending it to me')) m(message), lead_system.detect_opt_out(m.message) d;
-- long messages, and odd ones
SELECT d.* FROM lead_system.detect_opt_out(repeat('All work and no play. ', 20000) || 'Please stop texting me.') d;
SELECT d.* FROM lead_system.detect_opt_out(repeat('stop ', 5000)) d;
SELECT d.* FROM lead_system.detect_opt_out(repeat('x', 100000)) d;
SET statement_timeout = '30s';
SELECT d.* FROM lead_system.detect_opt_out(repeat('don''t stop calling me ', 150000)) d;
RESET statement_timeout;

RESET app.current_org_id;
RESET app.current_user_id;
DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'bravo');
SELECT lead_system.revoke_access('regress_ls_optout_manager');
SELECT lead_system.revoke_access('regress_ls_optout_admin');
DROP ROLE regress_ls_optout_manager, regress_ls_optout_admin;
