-- The dialer: claims, calls with every outcome, claims that nobody reports.

-- Claim, and check that nobody else has the lead and that it may be called.
CREATE FUNCTION sim.claim(o sim.orgs, campaign uuid, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c record;
    got integer := 0;
BEGIN
    FOR c IN SELECT * FROM lead_system.claim_campaign_leads(campaign, n, NULL, '20 minutes') LOOP
        IF lead_system.is_on_dnc_list(c.phone_number, o.id) THEN
            RAISE EXCEPTION 'lead % was handed out, and is on the do-not-call list', c.lead_id;
        ELSIF EXISTS (SELECT FROM sim.claims s WHERE s.lead_id = c.lead_id AND s.until > lead_system.clock_now()) THEN
            RAISE EXCEPTION 'lead % was handed out twice', c.lead_id;
        END IF;
        INSERT INTO sim.claims VALUES (c.campaign_lead_id, c.lead_id, lead_system.clock_now() + interval '20 minutes')
            ON CONFLICT (campaign_lead_id) DO UPDATE SET until = EXCLUDED.until;
        got := got + 1;
    END LOOP;
    PERFORM sim.note('claim', got), sim.note('claim without a lead', (got = 0)::integer);
END
$$;

-- Report the calls that were claimed; some are never reported, some late.
CREATE FUNCTION sim.report_calls(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c record;
    outcome text;
    details jsonb;
BEGIN
    FOR c IN SELECT s.campaign_lead_id AS id, s.until FROM sim.claims s JOIN lead_system.campaign_leads x ON x.organization_id = o.id AND x.id = s.campaign_lead_id ORDER BY s.campaign_lead_id LOOP
        IF sim.chance(8) THEN
            DELETE FROM sim.claims WHERE campaign_lead_id = c.id AND until < lead_system.clock_now();
            PERFORM sim.note('call not reported');
            CONTINUE;
        END IF;
        outcome := sim.word('{answered,pledged,declined,callback,no_answer,no_answer,no_answer,voicemail,busy,failed,donated,donated,wrong_number,do_not_call}');
        IF outcome = 'do_not_call' AND sim.chance(70) THEN outcome := 'no_answer'; END IF;
        details := jsonb_build_object('provider_call_id', c.id || ' ' || lead_system.clock_now())
            || CASE outcome WHEN 'callback' THEN jsonb_build_object('callback_at', lead_system.clock_now() + interval '1 hour' * (1 + sim.dice(30)))
                    WHEN 'pledged' THEN '{"pledged_amount": 20}' WHEN 'donated' THEN '{"donated_amount": 25}' ELSE '{}' END;
        PERFORM sim.try('call ' || outcome, '{LS001,LS050,55000}', 'SELECT lead_system.record_call_attempt(%L, %L, %s, %L)', c.id::text, outcome,
            CASE WHEN outcome IN ('answered', 'pledged', 'donated') THEN (30 + sim.dice(300))::text ELSE '0' END, details::text);
        DELETE FROM sim.claims WHERE campaign_lead_id = c.id;
    END LOOP;
END
$$;

-- Lists come and go; numbers that a campaign must not call.
CREATE FUNCTION sim.manage_lists(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a record;
    phone text;
    campaign uuid := (SELECT c.id FROM lead_system.campaigns c WHERE c.organization_id = o.id ORDER BY c.name OFFSET (SELECT sim.dice(2)) LIMIT 1);
BEGIN
    SELECT x.campaign_id, x.lead_list_id INTO a FROM lead_system.campaign_lead_lists x WHERE x.organization_id = o.id AND x.campaign_id = campaign ORDER BY x.id OFFSET (SELECT sim.dice(6)) LIMIT 1;
    SELECT l.phone_number INTO phone FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = (SELECT sim.lead(o, 'phone_number IS NOT NULL'));
    CASE sim.word('{remove,again,suppress,unsuppress,filter,status}')
    WHEN 'remove' THEN
        IF a.campaign_id IS NOT NULL THEN PERFORM sim.try('list from campaign', '{}', 'SELECT lead_system.remove_lead_list_from_campaign(%L, %L)', a.campaign_id::text, a.lead_list_id::text); END IF;
    WHEN 'again' THEN
        IF a.campaign_id IS NOT NULL THEN PERFORM sim.try('list to campaign', '{}', 'SELECT lead_system.add_lead_list_to_campaign(%L, %L, %s)', a.campaign_id::text, a.lead_list_id::text, (1 + sim.dice(5))::text); END IF;
    WHEN 'suppress' THEN
        IF phone IS NOT NULL THEN PERFORM sim.try('suppressed in campaign', '{}', 'SELECT lead_system.suppress_in_campaign(%L, %L, %L)', campaign::text, phone, 'a customer'); END IF;
    WHEN 'unsuppress' THEN
        SELECT s.phone_number INTO phone FROM lead_system.campaign_suppressions s WHERE s.organization_id = o.id AND s.campaign_id = campaign ORDER BY s.id LIMIT 1;
        IF phone IS NOT NULL THEN PERFORM sim.try('unsuppressed in campaign', '{}', 'SELECT lead_system.unsuppress_in_campaign(%L, %L, %L)', campaign::text, phone, 'no customer any more'); END IF;
    WHEN 'filter' THEN
        PERFORM sim.try('matching leads to campaign', '{}', 'SELECT lead_system.add_matching_leads_to_campaign(%L, %L, %L, 4)', campaign::text, l.id::text, '{"temperature": ["warm", "hot", "cool"]}')
           FROM lead_system.lead_lists l WHERE l.organization_id = o.id AND l.name = 'called';
    ELSE
        UPDATE lead_system.campaigns SET status = CASE status WHEN 'active' THEN 'paused' ELSE 'active' END WHERE organization_id = o.id AND id = campaign AND (status = 'paused' OR sim.chance(20));
        PERFORM sim.note('campaign paused or resumed');
    END CASE;
END
$$;

CREATE FUNCTION sim.dial(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.claim(o, c.id, n) FROM lead_system.campaigns c WHERE c.organization_id = o.id ORDER BY c.name;
    IF sim.chance(10) THEN PERFORM sim.manage_lists(o); END IF;
END
$$;
