-- What people in an office do: numbers that must not be called, consents,
-- assignment, duplicates, the archive, money, figures.

CREATE FUNCTION sim.comply(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kind text := sim.word('{list,list for days,remove,override,consent,consent,revoke,revoke,erase}');
    who record;
    consent uuid;
BEGIN
    SELECT l.id, l.phone_number INTO who FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = (SELECT sim.lead(o, CASE WHEN kind = 'override' THEN 'do_not_call AND ' ELSE '' END || 'phone_number IS NOT NULL'));
    IF who.id IS NULL THEN
        RETURN;
    END IF;
    CASE kind
    WHEN 'list' THEN
        PERFORM sim.try('number listed', '{}', 'SELECT lead_system.add_to_dnc_list(%L, %L)', who.phone_number, 'lead_requested');
    WHEN 'list for days' THEN
        PERFORM sim.try('number listed for a while', '{}', 'SELECT lead_system.add_to_dnc_list(%L, %L, %L, %L)', who.phone_number, 'complaint', 'complaint', (lead_system.clock_now() + interval '1 hour' * (5 + sim.dice(100)))::text);
    WHEN 'remove' THEN
        SELECT d.phone_number INTO who.phone_number FROM lead_system.dnc_list d WHERE d.organization_id = o.id ORDER BY d.id OFFSET (SELECT sim.dice(20)) LIMIT 1;
        IF FOUND AND who.phone_number IS NOT NULL AND sim.chance(30) THEN PERFORM sim.try('number taken off', '{}', 'SELECT lead_system.remove_from_dnc_list(%L, %L)', who.phone_number, 'a mistake'); END IF;
    WHEN 'override' THEN
        consent := lead_system.record_consent(who.id, 'call', '{"letter": "as written"}');
        PERFORM sim.try('listing overridden', '{55000,P0002}', 'SELECT lead_system.override_dnc(%L, %L, %L)', who.id::text, 'asked for a call in writing', consent::text);
    WHEN 'consent' THEN
        PERFORM sim.try('consent', '{22023}', 'SELECT lead_system.record_consent(%L, %L, %L)', who.id::text, sim.word('{call,sms,sms,email}'), '{"form": "v3"}');
    WHEN 'revoke' THEN
        IF sim.chance(40) THEN PERFORM sim.try('consent revoked', '{22023}', 'SELECT lead_system.revoke_consent(%L, %L)', who.id::text, sim.word('{call,sms,email}')); END IF;
    WHEN 'erase' THEN
        IF sim.chance(20) THEN PERFORM sim.try('erased', '{55000}', 'SELECT lead_system.erase_lead(%L, %L)', who.id::text, 'asked for it'); END IF;
    END CASE;
END
$$;

CREATE FUNCTION sim.assign(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lead uuid := sim.lead(o);
    rep uuid := (SELECT u.id FROM lead_system.users u WHERE u.organization_id = o.id AND u.role = 'rep' ORDER BY u.email OFFSET (SELECT sim.dice(6)) LIMIT 1);
BEGIN
    IF lead IS NULL THEN
        RETURN;
    END IF;
    CASE sim.word('{assign,assign,by hand,many,leave,come}')
    WHEN 'assign' THEN
        PERFORM sim.try('assigned', '{LS040,LS041,55000}', 'SELECT lead_system.assign_lead(%L, %L)', lead::text, sim.word('{capacity,round_robin,geographic,skill_based}'));
    WHEN 'by hand' THEN
        PERFORM sim.try('assigned by hand', '{LS040,LS041,55000}', 'SELECT lead_system.assign_lead_to(%L, %L, %L, %L)', lead::text, rep::text, 'knows them', sim.chance(20)::text);
    WHEN 'many' THEN
        PERFORM sim.try('assigned many', '{LS040,LS041,55000}', 'SELECT lead_system.assign_leads(ARRAY[%L, %L]::uuid[])', lead::text, coalesce(sim.lead(o), lead)::text);
    WHEN 'leave' THEN
        UPDATE lead_system.users SET is_active = false WHERE organization_id = o.id AND id = rep AND sim.chance(20);
        PERFORM sim.try('leads released', '{}', 'SELECT lead_system.release_leads(id) FROM lead_system.users WHERE organization_id = %L AND id = %L AND NOT is_active', o.id::text, rep::text);
    ELSE
        UPDATE lead_system.users SET is_active = true, max_active_leads = 15 + 5 * sim.dice(8) WHERE organization_id = o.id AND id = rep;
        PERFORM sim.note('user changed');
    END CASE;
END
$$;

-- Somebody comes in by another door; the two are merged, and sometimes taken apart.
CREATE FUNCTION sim.merge(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old uuid := sim.lead(o, 'company_name IS NOT NULL AND assigned_to IS NOT NULL OR call_count > 0');
    again uuid;
    merge uuid;
BEGIN
    IF old IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO lead_system.leads (organization_id, first_name, last_name, company_name, phone_number, email, pipeline_id, source, tags)
    SELECT o.id, upper(l.first_name), l.last_name, l.company_name || ' Ltd', sim.new_lead(o)->>'phone_number', 'again.' || l.email, l.pipeline_id, 'fair', '{fair}' FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = old
    RETURNING id INTO again;
    merge := sim.try('merged', '{55000}', 'SELECT lead_system.merge_leads(%L, ARRAY[%L]::uuid[])', old::text, again::text);
    SELECT m.id INTO merge FROM (SELECT id FROM lead_system.lead_merges WHERE organization_id = o.id AND unmerged_at IS NULL ORDER BY id DESC LIMIT 6) m ORDER BY random() LIMIT 1;
    IF merge IS NOT NULL AND sim.chance(50) THEN
        PERFORM sim.try('unmerged', '{55000,23505}', 'SELECT lead_system.unmerge_leads(%L)', merge::text);
    END IF;
END
$$;

CREATE FUNCTION sim.restore(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a record;
BEGIN
    SELECT x.id, x.phone_number INTO a FROM lead_system.leads_archive x WHERE x.organization_id = o.id ORDER BY x.id DESC OFFSET (SELECT sim.dice(20)) LIMIT 1;
    IF a.id IS NULL THEN
        RETURN;
    ELSIF sim.chance(60) THEN
        PERFORM sim.try('restored', '{23505}', 'SELECT lead_system.restore_lead(%L)', a.id::text);
    ELSIF a.phone_number IS NOT NULL THEN
        PERFORM sim.try('restored by upsert', '{}', 'SELECT lead_system.upsert_lead(%L, ''merge'')', jsonb_build_object('phone_number', a.phone_number, 'message', 'It is me')::text);
    END IF;
END
$$;

-- The organization's budget.
CREATE FUNCTION sim.spend(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    account text := (SELECT a.id FROM lead_system.budget_accounts a WHERE a.organization_id = o.id AND a.user_id IS NULL);
    t record;
    hold text;
BEGIN
    PERFORM sim.try('credit', '{}', 'SELECT lead_system.post_transaction(%L, ''credit'', 30)', account) FROM lead_system.budget_accounts a WHERE a.id = account::uuid AND a.balance < 5 AND sim.chance(70);
    CASE sim.word('{credit,debit,debit,hold,hold,refund,refund,adjust}')
    WHEN 'credit' THEN
        PERFORM sim.try('credit', '{}', 'SELECT lead_system.post_transaction(%L, ''credit'', %s)', account, (5 + sim.dice(40))::text);
    WHEN 'debit' THEN
        PERFORM sim.try('debit', '{LS020}', 'SELECT lead_system.post_transaction(%L, ''debit'', -%s)', account, (1 + sim.dice(30))::text);
    WHEN 'hold' THEN
        hold := sim.try('hold', '{LS020}', 'SELECT lead_system.hold_budget(%L, %s)', account, (1 + sim.dice(20))::text);
        IF hold IS NOT NULL THEN
            CASE sim.word('{capture,release,forget}')
            WHEN 'capture' THEN PERFORM sim.try('hold captured', '{}', 'SELECT lead_system.capture_hold(%L, 0.50)', hold);
            WHEN 'release' THEN PERFORM sim.try('hold released', '{}', 'SELECT lead_system.release_hold(%L)', hold);
            ELSE PERFORM sim.note('hold forgotten');
            END CASE;
        END IF;
    WHEN 'refund' THEN
        SELECT x.id, x.amount INTO t FROM lead_system.budget_transactions x WHERE x.organization_id = o.id AND x.account_id = account::uuid AND x.transaction_type = 'debit' ORDER BY x.sequence DESC OFFSET (SELECT sim.dice(10)) LIMIT 1;
        IF t.id IS NOT NULL THEN
            PERFORM sim.try('refund', '{LS022,23505,55000,LS023}', 'SELECT lead_system.post_transaction(%L, ''refund'', %s, ''complaint'', %L)', account, sim.word(ARRAY[-t.amount, 1, -t.amount + 1]::text[]), jsonb_build_object('refund_of', t.id)::text);
        END IF;
    ELSE
        PERFORM sim.try('adjustment', '{LS020}', 'SELECT lead_system.post_transaction(%L, ''adjustment'', %s)', account, sim.word('{1,-1}'));
    END CASE;
END
$$;

-- Once a day: figures, costs, the registry of the country, snapshots.
CREATE FUNCTION sim.close_day(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    day date := (lead_system.clock_now() AT TIME ZONE 'UTC')::date;
BEGIN
    INSERT INTO lead_system.financials AS f (organization_id, date, ad_spend, leads_generated, revenue) VALUES (o.id, day, sim.dice(100), sim.dice(20), sim.dice(500))
        ON CONFLICT (organization_id, date) DO UPDATE SET revenue = f.revenue + EXCLUDED.revenue;
    INSERT INTO lead_system.lead_source_costs AS c (organization_id, source, period_month, total_cost)
    SELECT o.id, s, date_trunc('month', day)::date, 100 FROM unnest('{web,fair,google_ads}'::text[]) s
     WHERE NOT EXISTS (SELECT FROM lead_system.lead_source_costs c WHERE c.organization_id = o.id AND c.source = s AND c.period_month = date_trunc('month', day)::date);
    PERFORM sim.note('day closed'), sim.note('leads out for export', (SELECT count(*) FROM lead_system.export_archive_csv(50)));
    PERFORM sim.note('report: ' || name, n) FROM (VALUES
        ('funnel', (SELECT count(*) FROM lead_system.lead_funnel(day - 7, day))), ('stages', (SELECT count(*) FROM lead_system.time_in_stage(day - 7, day))),
        ('sources', (SELECT count(*) FROM lead_system.source_performance(day - 7, day))), ('cohorts', (SELECT count(*) FROM lead_system.cohort_report(day - 7, day, 'week'))),
        ('duplicates', (SELECT count(*) FROM lead_system.find_duplicate_leads())), ('dashboard', (SELECT count(*) FROM lead_system.dashboard_leads()))) r(name, n);
    IF o.n = 1 AND sim.chance(50) THEN
        DELETE FROM lead_system.leads WHERE organization_id = o.id AND id = (SELECT sim.lead(o, 'stage IN (''lost'', ''new'') AND NOT EXISTS (SELECT FROM lead_system.lead_listings x WHERE x.organization_id = l.organization_id AND x.lead_id = l.id)'));
        PERFORM sim.note('lead deleted for good');
    END IF;
    UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE organization_id = o.id AND id = (SELECT sim.lead(o, 'stage = ''new'''));
    PERFORM sim.note('lead deleted');
END
$$;
