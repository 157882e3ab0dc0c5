-- contact_rules: whether, when and where a lead may be contacted (semantics D14, D15).
\set SHOW_CONTEXT never
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET lead_system.now = '2026-03-04 18:00:00+00'; -- a Wednesday, 13:00 in New York
\set alpha 'd1000000-0000-4000-8000-00000000000a'
\set bravo 'd1000000-0000-4000-8000-00000000000b'
INSERT INTO lead_system.organizations (id, name, default_pipeline, timezone) VALUES
    (:'alpha', 'Alpha', 'outreach', 'America/New_York'), (:'bravo', 'Bravo', 'outreach', 'America/New_York');
SET app.current_org_id = :'bravo';
INSERT INTO lead_system.leads (organization_id, id, phone_number) VALUES (:'bravo', 'd1000000-0000-4000-8000-0000000000b1', '+12125550101');
SET app.current_org_id = :'alpha';
CREATE FUNCTION lead(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('d1000000-0000-4000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid $$;
CREATE FUNCTION blockers(n integer, channel text DEFAULT 'call') RETURNS TABLE (rule text, detail text, unblocks_at timestamptz)
LANGUAGE sql AS $$ SELECT * FROM lead_system.contact_blockers(lead(n), channel) $$;

--
-- The built-in rules, and the facts
--
SELECT country, state, channel, weekdays, from_time, to_time, source FROM lead_system.calling_rules ORDER BY id;
SELECT count(DISTINCT area_code) AS area_codes, count(*) FROM lead_system.area_code_timezones;
SELECT * FROM lead_system.area_code_timezones WHERE area_code IN ('212', '850', '867', '876', '800') ORDER BY area_code, timezone;
SELECT zip_prefix, timezone FROM lead_system.state_timezones WHERE state = 'AK' ORDER BY zip_prefix, timezone;

--
-- Where somebody is: own time zone, state and ZIP code, area code
--
INSERT INTO lead_system.leads (organization_id, id, phone_number, state, zip_code, country, timezone) VALUES
    (:'alpha', lead(1), '+12125550101', NULL, NULL, NULL, NULL),
    (:'alpha', lead(2), '+12125550102', 'CA', NULL, NULL, NULL),
    (:'alpha', lead(3), '+12125550103', 'CA', NULL, NULL, 'America/Denver'),
    (:'alpha', lead(4), '+18505550104', ' florida ', NULL, NULL, NULL),
    (:'alpha', lead(5), '+18505550105', 'fl', '32501', NULL, NULL),
    (:'alpha', lead(6), '+18505550106', 'FL', '33101-1234', NULL, NULL),
    (:'alpha', lead(7), '+18505550107', 'FL', '32401', NULL, NULL),
    (:'alpha', lead(8), '+442079460108', NULL, NULL, NULL, NULL),
    (:'alpha', lead(9), '+442079460109', 'WA', NULL, 'Australia', NULL),
    (:'alpha', lead(10), '+12125550110', NULL, NULL, 'Canada', NULL),
    (:'alpha', lead(11), '+12125550111', 'Ontario', 'p9n 1a1', 'Canada', NULL),
    (:'alpha', lead(12), '+12125550112', NULL, NULL, 'PR', NULL),
    (:'alpha', lead(13), '+18765550113', NULL, NULL, NULL, NULL),
    (:'alpha', lead(14), '+12125550114', 'somewhere', '10001', 'USA', NULL),
    (:'alpha', lead(15), NULL, 'TX', '79901', 'US', NULL);
SELECT n, z.* FROM generate_series(1, 15) n LEFT JOIN lead_system.contact_time_zones(lead(n)) z ON true;

--
-- Hours
--
SELECT lead_system.can_contact(lead(1)), lead_system.can_contact(lead(1), 'sms'), lead_system.can_contact(lead_id => lead(1), channel => 'email');
SELECT n, b.* FROM generate_series(1, 15) n CROSS JOIN LATERAL blockers(n) b;
-- half-open: from eight until before nine at night
SELECT at AT TIME ZONE 'America/New_York' AS new_york, lead_system.next_call_time(lead(1), at) AT TIME ZONE 'America/New_York' AS next
  FROM (VALUES ('2026-03-04 12:59:59.999999+00'::timestamptz), ('2026-03-04 13:00+00'), ('2026-03-05 01:59:59.999999+00'), ('2026-03-05 02:00+00')) v(at);
-- the rules of a state, and the wishes of several zones: from eight in Chicago until eight in New York
SELECT lead_system.next_call_time(lead(4), '2026-03-04 06:00+00') AS opens, lead_system.next_call_time(lead(4), '2026-03-05 01:00+00') AS opens_again;
-- a number of Florida is protected as one, wherever the lead says to live
INSERT INTO lead_system.leads (organization_id, id, phone_number, state) VALUES (:'alpha', lead(16), '+13055550116', 'NY');
SET lead_system.now = '2026-03-05 01:30:00+00';
SELECT * FROM blockers(16);
SELECT * FROM blockers(1);
-- both days on which the clocks change
SELECT lead_system.next_call_time(lead(1), '2026-03-08 04:00+00') AS spring, lead_system.next_call_time(lead(1), '2026-11-01 04:00+00') AS autumn;
SET lead_system.now = '2026-03-04 18:00:00+00';

-- an organization's own rules narrow, and never widen
INSERT INTO lead_system.calling_rules (organization_id, from_time, to_time, source) VALUES (:'alpha', '06:00', '23:00', 'eager');
SELECT lead_system.next_call_time(lead(1), '2026-03-04 06:00+00');
INSERT INTO lead_system.calling_rules (organization_id, weekdays, from_time, to_time, source) VALUES (:'alpha', 64, '00:00', '00:00', 'no Sundays');
SELECT lead_system.next_call_time(lead(1), '2026-03-08 06:00+00') AS monday;
INSERT INTO lead_system.calling_rules (organization_id, channel, from_time, to_time, source) VALUES (:'alpha', 'call', '09:30', '12:00', 'mornings');
SELECT * FROM blockers(1);
SELECT * FROM blockers(1, 'sms');
-- never: the search ends
INSERT INTO lead_system.calling_rules (organization_id, from_time, to_time, source) VALUES (:'alpha', '21:30', '22:00', 'nights');
SELECT lead_system.next_call_time(lead(1)) AS never;
SELECT * FROM blockers(1);
-- others are not concerned
SET app.current_org_id = :'bravo';
SELECT lead_system.can_contact('d1000000-0000-4000-8000-0000000000b1');
SET app.current_org_id = :'alpha';
DELETE FROM lead_system.calling_rules WHERE organization_id = :'alpha';
SELECT lead_system.can_contact(lead(1));
-- without built-in rules all is closed
BEGIN;
DELETE FROM lead_system.calling_rules WHERE organization_id IS NULL;
SELECT * FROM blockers(1);
ROLLBACK;
-- what cannot be a rule
\set VERBOSITY terse
INSERT INTO lead_system.calling_rules (organization_id, from_time, to_time, source) VALUES (:'alpha', '12:00', '09:00', 's');
INSERT INTO lead_system.calling_rules (organization_id, state, from_time, to_time, source) VALUES (:'alpha', 'FL', '09:00', '12:00', 's');
INSERT INTO lead_system.calling_rules (organization_id, weekdays, from_time, to_time, source) VALUES (:'alpha', 128, '09:00', '12:00', 's');
INSERT INTO lead_system.calling_rules (organization_id, channel, from_time, to_time, source) VALUES (:'alpha', 'email', '09:00', '12:00', 's');
INSERT INTO lead_system.area_code_timezones (area_code, timezone, country) VALUES ('999', 'America/Nowhere', 'US');
\set VERBOSITY default

--
-- Caps
--
INSERT INTO lead_system.contact_attempts (organization_id, lead_id, channel, phone_number, allowed, created_at)
SELECT :'alpha', lead(1), 'call', '+12125550101', true, at FROM (VALUES ('2026-03-03 20:00+00'::timestamptz), ('2026-03-04 15:00+00'), ('2026-03-04 16:30+00')) v(at);
SELECT * FROM blockers(1);
SELECT lead_system.next_call_time(lead(1));
-- a day after the oldest of the last three, to the microsecond
SET lead_system.now = '2026-03-04 19:59:59.999999+00';
SELECT lead_system.can_contact(lead(1));
SET lead_system.now = '2026-03-04 20:00+00';
SELECT lead_system.can_contact(lead(1));
-- refused ones and other channels do not count
SET lead_system.now = '2026-03-04 18:00:00+00';
SELECT lead_system.can_contact(lead(1), 'sms');
INSERT INTO lead_system.contact_attempts (organization_id, lead_id, channel, phone_number, allowed, rule, created_at)
SELECT :'alpha', lead(2), 'call', '+12125550102', false, 'spam', '2026-03-04 17:59+00' FROM generate_series(1, 5);
SELECT * FROM blockers(2);
-- the gap
INSERT INTO lead_system.contact_attempts (organization_id, lead_id, channel, phone_number, allowed, created_at)
VALUES (:'alpha', lead(2), 'call', '+12125550102', true, '2026-03-04 17:45+00');
SELECT * FROM blockers(2);
SELECT lead_system.set_config('compliance.min_gap_minutes', '10');
SELECT * FROM blockers(2);
-- settings
SELECT lead_system.set_config('compliance.max_attempts_per_day', '4');
SELECT lead_system.can_contact(lead(1));
SELECT lead_system.set_config('compliance.max_attempts_per_day', '0');
SELECT lead_system.can_contact(lead(1));
SELECT lead_system.set_config('compliance.max_attempts_per_day', NULL), lead_system.set_config('compliance.min_gap_minutes', NULL);

--
-- Claims of other campaigns, and the campaign's window
--
INSERT INTO lead_system.campaigns (organization_id, id, name, status, calling_from, calling_to) VALUES
    (:'alpha', 'd1000000-0000-4000-8000-0000000000c1', 'day', 'active', NULL, NULL),
    (:'alpha', 'd1000000-0000-4000-8000-0000000000c2', 'night', 'active', '20:00', '09:00');
INSERT INTO lead_system.campaign_leads (organization_id, campaign_id, lead_id, status, lease_until) VALUES
    (:'alpha', 'd1000000-0000-4000-8000-0000000000c1', lead(4), 'calling', '2026-03-04 18:05+00');
SELECT * FROM blockers(4);
SELECT * FROM lead_system.contact_blockers(lead(4), campaign_id => 'd1000000-0000-4000-8000-0000000000c1');
SELECT * FROM lead_system.contact_blockers(lead(4), campaign_id => 'd1000000-0000-4000-8000-0000000000c2');
SET lead_system.now = '2026-03-04 18:05:00+00';
SELECT * FROM blockers(4);
SET lead_system.now = '2026-03-04 18:00:00+00';
INSERT INTO lead_system.campaign_suppressions (organization_id, campaign_id, phone_number, reason) VALUES
    (:'alpha', 'd1000000-0000-4000-8000-0000000000c1', '+18505550105', 'asked');
SELECT * FROM lead_system.contact_blockers(lead(5), campaign_id => 'd1000000-0000-4000-8000-0000000000c1');
SELECT * FROM blockers(5);

--
-- Lists and consents
--
UPDATE lead_system.leads SET email = 'one@example.com' WHERE organization_id = :'alpha' AND id = lead(1);
SELECT lead_system.add_to_dnc_list('+12125550111', 'lead_requested', expires_at => '2026-03-10 00:00+00') IS NOT NULL AS listed;
SELECT * FROM blockers(11);
SELECT * FROM blockers(1, 'email');
SELECT * FROM blockers(2, 'email');
SELECT lead_system.set_config('compliance.consent_required', '["sms", "email"]');
SELECT rule FROM blockers(2, 'sms');
SELECT rule FROM blockers(1, 'email');
SELECT rule FROM blockers(5);
SELECT lead_system.set_config('compliance.consent_required', '["letter"]');
SELECT lead_system.set_config('compliance.consent_required', '"sms"');
SELECT lead_system.set_config('compliance.consent_required', NULL);
-- consent counts for the number, whichever lead it was recorded of; a revocation blocks always
SELECT lead_system.record_consent(lead(2), 'sms', '{"form": "https://example.com/form"}') IS NOT NULL AS recorded;
SELECT lead_system.set_config('compliance.consent_required', '["sms"]');
SELECT rule FROM blockers(2, 'sms');
SELECT rule FROM blockers(3, 'sms');
SELECT lead_system.set_config('compliance.consent_required', NULL);
SELECT lead_system.revoke_consent(lead(2), 'sms') IS NOT NULL AS revoked;
SELECT rule, unblocks_at FROM blockers(2, 'sms');
-- the national registry: a listed number, and a load that is too old, now or by then
INSERT INTO lead_system.national_dnc_loads (area_code, loaded_on, rows) VALUES ('876', '2026-02-20', 1), ('212', '2026-01-01', 0);
INSERT INTO lead_system.national_dnc_registry (phone_number, area_code, loaded_on) VALUES ('+18765550113', '876', '2026-02-20');
SELECT * FROM blockers(13);
SELECT * FROM blockers(13, 'email');
SELECT * FROM blockers(3);
SELECT lead_system.set_config('compliance.national_dnc', '"deny"');
SELECT * FROM blockers(3);
SELECT * FROM blockers(5);
DELETE FROM lead_system.national_dnc_registry;
SELECT * FROM blockers(13);
SELECT lead_system.next_call_time(lead(13), '2026-03-23 12:00+00') AS last_day, lead_system.next_call_time(lead(13), '2026-03-24 12:00+00') AS too_old;
SELECT lead_system.set_config('compliance.national_dnc', NULL);
DELETE FROM lead_system.national_dnc_loads;
UPDATE lead_system.leads SET is_spam = true, deleted_at = '2026-03-01' WHERE organization_id = :'alpha' AND id = lead(14);
SELECT * FROM blockers(14);
SELECT lead_system.next_call_time(lead(14)) AS never;
UPDATE lead_system.organizations SET status = 'suspended' WHERE id = :'alpha';
SELECT * FROM blockers(12);
UPDATE lead_system.organizations SET status = 'active' WHERE id = :'alpha';

--
-- Refusals of the questions
--
SELECT lead_system.can_contact('d1000000-0000-4000-8000-0000000000b1');
SELECT * FROM lead_system.contact_blockers('d1000000-0000-4000-8000-00000000ffff');
SELECT * FROM lead_system.contact_blockers(lead(1), campaign_id => 'd1000000-0000-4000-8000-00000000ffff');
SELECT lead_system.can_contact(lead(1), 'letter');
SELECT lead_system.can_contact(lead(1), NULL);
SELECT lead_system.can_contact(NULL);
SELECT lead_system.next_call_time(lead(1), 'infinity');
SELECT lead_system.next_call_time(lead(1), NULL);
SELECT lead_system.next_call_time(lead(2), '9999-01-01 00:00+00') AS too_late;
SELECT * FROM lead_system.contact_time_zones('d1000000-0000-4000-8000-0000000000b1');

DROP FUNCTION blockers(integer, text);
DROP FUNCTION lead(integer);
RESET app.current_org_id;
DELETE FROM lead_system.organizations WHERE id IN (:'alpha', :'bravo');
