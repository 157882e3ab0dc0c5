-- The marketplace: leads are offered, contractors bid, contact, decline or sleep.

CREATE FUNCTION sim.contractor(o sim.orgs) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT id FROM (SELECT u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.is_contractor ORDER BY u.email OFFSET (SELECT sim.dice(12)) LIMIT 1) x $$;

-- Offer leads that are new, and bid for what is open.
CREATE FUNCTION sim.offer(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lead uuid;
    bid text;
BEGIN
    FOR lead IN SELECT l.id FROM lead_system.leads l JOIN lead_system.pipelines p ON p.id = l.pipeline_id
                 WHERE l.organization_id = o.id AND p.name = 'marketplace' AND l.status = 'CREATED' AND l.deleted_at IS NULL AND NOT l.is_spam ORDER BY l.id LIMIT 6 LOOP
        IF sim.chance(90) THEN
            PERFORM sim.try('offer', '{}', 'SELECT lead_system.open_bidding(%L, %s, %L)', lead::text, (10 + sim.dice(50))::text, (lead_system.clock_now() + interval '20 minutes' * (1 + sim.dice(8)))::text);
        ELSE
            PERFORM sim.try('status', '{}', 'SELECT lead_system.change_lead_status(%L, %L)', lead::text, 'ARCHIVED');
        END IF;
    END LOOP;
    FOR lead IN SELECT s.lead_id FROM lead_system.lead_listings s JOIN lead_system.leads l ON l.organization_id = o.id AND l.id = s.lead_id AND l.status = 'ACTIVE'
                 WHERE s.organization_id = o.id AND s.bidding_closed_at IS NULL ORDER BY s.lead_id LOOP
        FOR i IN 1 .. sim.dice(5) LOOP
            bid := sim.try('bid', '{23505,LS010,LS011}', 'SELECT lead_system.place_bid(%L, %L, %s)', lead::text, sim.contractor(o)::text, sim.word('{0.50,0.80,1,1.25,2}'));
            IF bid IS NOT NULL AND sim.chance(8) THEN
                PERFORM sim.try('bid cancelled', '{LS010}', 'SELECT lead_system.cancel_bid(%L)', bid);
            END IF;
        END LOOP;
        IF sim.chance(5) THEN
            PERFORM sim.try('bidding closed by hand', '{LS010}', 'SELECT lead_system.close_bidding(%L)', lead::text);
        END IF;
    END LOOP;
END
$$;

-- Those whose window is open; others try, too.
CREATE FUNCTION sim.respond(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
BEGIN
    FOR b IN SELECT x.id, x.lead_id, x.contractor_id FROM lead_system.bids x JOIN lead_system.leads l ON l.organization_id = o.id AND l.id = x.lead_id AND l.deleted_at IS NULL
              WHERE x.organization_id = o.id AND x.status = 'ACTIVE' AND x.response_window_starts_at IS NOT NULL ORDER BY x.id LOOP
        CASE sim.word('{message,message,message,decline,sleep,sleep,sleep,sleep,stranger}')
        WHEN 'message' THEN
            IF sim.try('message', '{LS013,LS020}', 'SELECT lead_system.send_message(%L, %L, %L)', b.lead_id::text, b.contractor_id::text, 'Good morning') IS NOT NULL THEN
                PERFORM sim.try('conversion', '{}', 'SELECT lead_system.record_conversion(%L, %L)', b.lead_id::text, k) FROM sim.word('{booked,booked,none}') k WHERE k <> 'none';
            END IF;
        WHEN 'decline' THEN
            PERFORM sim.try('decline', '{LS013}', 'SELECT lead_system.decline_lead(%L, %L)', b.id::text, 'number does not answer');
        WHEN 'stranger' THEN
            PERFORM sim.try('message of a stranger', '{LS013,P0002,42501}', 'SELECT lead_system.send_message(%L, %L, %L)', b.lead_id::text,
                (SELECT u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.is_contractor AND u.id <> b.contractor_id ORDER BY u.email LIMIT 1)::text, 'Hello');
        ELSE
            NULL;
        END CASE;
    END LOOP;
END
$$;

-- Bans and ratings; contractors pay in what they owe.
CREATE FUNCTION sim.contractors(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who uuid;
    account uuid;
    appeal uuid;
BEGIN
    FOR who IN SELECT u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.is_bidding_banned ORDER BY u.email LOOP
        IF sim.chance(20) THEN
            PERFORM sim.try('appeal', '{55000,23505}', 'SELECT lead_system.appeal_ban(%L, %L)', who::text, 'I was in hospital');
        END IF;
    END LOOP;
    FOR appeal IN SELECT a.id FROM lead_system.ban_appeals a WHERE a.organization_id = o.id AND a.status = 'PENDING' ORDER BY a.id LOOP
        IF sim.chance(30) THEN
            PERFORM sim.try('appeal ' || CASE WHEN yes THEN 'approved' ELSE 'rejected' END, '{}', 'SELECT lead_system.review_appeal(%L, %L, %L)', appeal::text, yes::text,
                (SELECT u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.role = 'manager')::text) FROM sim.chance(40) yes;
        END IF;
    END LOOP;
    IF sim.chance(10) THEN
        UPDATE lead_system.users SET profile_rating = (ARRAY[0, 4, 4.5, 4.8])[1 + sim.dice(4)] WHERE organization_id = o.id AND id = (SELECT sim.contractor(o));
        PERFORM sim.note('rating'), lead_system.refresh_contractor_metrics(sim.contractor(o));
    END IF;
    SELECT a.id INTO account FROM lead_system.budget_accounts a JOIN lead_system.users u ON u.organization_id = o.id AND u.id = a.user_id AND u.is_contractor
     WHERE a.organization_id = o.id AND a.balance < 20 AND a.closed_at IS NULL ORDER BY a.id LIMIT 1;
    IF account IS NOT NULL AND sim.chance(50) THEN
        PERFORM sim.try('contractor pays in', '{}', 'SELECT lead_system.post_transaction(%L, ''credit'', %s)', account::text, (50 + sim.dice(100))::text);
    END IF;
END
$$;
