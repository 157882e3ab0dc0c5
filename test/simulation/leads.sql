-- Leads come in by every door, are scored by what becomes known of them, and move on.

-- The next lead of an organization that nobody has seen; sometimes without address or number.
CREATE FUNCTION sim.new_lead(o sim.orgs) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    i integer;
BEGIN
    UPDATE sim.orgs SET made = made + 1 WHERE n = o.n RETURNING made INTO i;
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'first_name', sim.word('{Ada,Alan,Barbara,Donald,Edsger,Frances,Grace,Hedy,John,Kurt}'), 'last_name', 'Example ' || i,
        'company_name', CASE WHEN sim.chance(70) THEN 'Works ' || i END,
        'email', CASE WHEN sim.chance(80) THEN format('person%s@%s', i, sim.word('{example.com,example.org,example.net}')) END,
        'phone_number', CASE WHEN sim.chance(92) THEN '+1' || (SELECT code FROM sim.areas WHERE n = 1 + (i / 100) % (SELECT count(*) FROM sim.areas)) || '55501' || lpad((i % 100)::text, 2, '0') END,
        'company_size', CASE WHEN sim.chance(60) THEN sim.word('{1-10,11-50,51-200,201-1000,1000+}') END,
        'industry', CASE WHEN sim.chance(60) THEN sim.word('{Software/SaaS,Healthcare,Manufacturing,Education,Other}') END,
        'inquiry_type', CASE WHEN sim.chance(60) THEN sim.word('{Demo Request,Pricing Information,General Question,Content Download}') END,
        'budget_timeline', CASE WHEN sim.chance(60) THEN sim.word('{Immediate,1-3 months,3-6 months,Just Researching}') END,
        'source', sim.word('{web,web,referral,fair,google_ads}'), 'utm_source', sim.word('{google,newsletter,NULL}'), 'zip_code', CASE WHEN sim.chance(50) THEN o.zip END));
END
$$;

-- Rows as a form of the web writes them.
CREATE FUNCTION sim.insert_leads(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    added bigint;
BEGIN
    INSERT INTO lead_system.leads (organization_id, first_name, last_name, company_name, email, phone_number, company_size, industry, inquiry_type, budget_timeline, source, utm_source, zip_code, tags, pipeline_id)
    SELECT o.id, r.first_name, r.last_name, r.company_name, r.email, r.phone_number, r.company_size, r.industry, r.inquiry_type, r.budget_timeline, r.source, r.utm_source, r.zip_code,
           CASE WHEN r.source = 'fair' THEN '{fair}'::text[] ELSE '{}' END,
           (SELECT p.id FROM lead_system.pipelines p WHERE p.organization_id IS NULL AND p.name = x.pipeline)
      FROM generate_series(1, n) g CROSS JOIN LATERAL (SELECT sim.new_lead(o) AS j, CASE WHEN sim.chance(30) THEN 'marketplace' ELSE o.pipeline END AS pipeline WHERE g > 0) x
     CROSS JOIN LATERAL jsonb_to_record(x.j) r(first_name text, last_name text, company_name text, email text, phone_number text, company_size text, industry text,
           inquiry_type text, budget_timeline text, source text, utm_source text, zip_code text);
    GET DIAGNOSTICS added = ROW_COUNT;
    PERFORM sim.note('lead inserted', added);
END
$$;

-- The API of a program; and the same people a second time.
CREATE FUNCTION sim.upsert_leads(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    FOR i IN 1 .. n LOOP
        PERFORM sim.try('upsert', '{}', 'SELECT lead_system.upsert_lead(%L)',
            (sim.new_lead(o) || CASE WHEN sim.chance(30) THEN '{"pipeline": "marketplace"}'::jsonb ELSE '{}' END)::text);
        SELECT l.phone_number, l.first_name INTO known FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = (SELECT sim.lead(o, 'phone_number IS NOT NULL'));
        CONTINUE WHEN known.phone_number IS NULL OR sim.chance(50);
        PERFORM sim.try('upsert again, ' || how, CASE WHEN how = 'reject' THEN '{LS031}'::text[] ELSE '{}' END, 'SELECT lead_system.upsert_lead(%L, %L)',
            jsonb_build_object('phone_number', known.phone_number, 'message', 'It is me again', 'tags', jsonb_build_array('fair'))::text, how)
           FROM sim.word('{reject,merge,skip}') how;
    END LOOP;
END
$$;

-- A file with new people, old people and nonsense, which becomes a list of both campaigns.
CREATE FUNCTION sim.import_leads(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    file text := E'First Name,Last Name,E-Mail,Phone,Company Size,Source,Tags\n';
    row jsonb;
    import uuid;
    r record;
BEGIN
    FOR i IN 1 .. n LOOP
        row := sim.new_lead(o);
        IF sim.chance(15) THEN
            row := row || coalesce((SELECT jsonb_build_object('phone_number', l.phone_number) FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = (SELECT sim.lead(o, 'phone_number IS NOT NULL'))), '{}');
        ELSIF sim.chance(5) THEN
            row := row || '{"phone_number": "12"}';
        END IF;
        file := file || format(E'%s,"%s",%s,%s,%s,%s,%s\n', row->>'first_name', row->>'last_name', row->>'email', row->>'phone_number', row->>'company_size', row->>'source', sim.word('{fair,""}'));
    END LOOP;
    UPDATE sim.orgs SET imports = imports + 1 WHERE orgs.n = o.n;
    import := lead_system.import_leads_csv('File ' || (o.imports + 1) % 6, file);
    SELECT * INTO r FROM lead_system.lead_imports WHERE organization_id = o.id AND id = import;
    IF r.row_count <> n OR r.row_count <> r.inserted_count + r.updated_count + r.duplicate_count + r.rejected_count THEN
        RAISE EXCEPTION 'an import of % rows says: %', n, to_jsonb(r);
    END IF;
    PERFORM sim.note('import'), sim.note('imported, new', r.inserted_count), sim.note('imported, known', r.updated_count), sim.note('import rejected', r.rejected_count), sim.note('imported, blocked', r.blocked_count);
    PERFORM lead_system.add_lead_list_to_campaign(c.id, r.lead_list_id, 1 + (o.imports % 3)) FROM lead_system.campaigns c WHERE c.organization_id = o.id AND (c.name = 'paid' OR o.imports % 2 = 0) ORDER BY c.name;
    PERFORM sim.note('list to campaign');
END
$$;

CREATE FUNCTION sim.intake(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    inserted integer := round(n * 0.5);
BEGIN
    PERFORM sim.insert_leads(o, inserted);
    IF sim.chance(12) THEN
        PERFORM sim.import_leads(o, 3 + 3 * n);
    END IF;
    PERFORM sim.upsert_leads(o, greatest(0, n - inserted - n / 3));
    PERFORM sim.notice_leads(o);
END
$$;

-- What becomes known of a lead.
CREATE FUNCTION sim.signal(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kind text := sim.word('{engagement,engagement,qualification,intent,status,status,status,note,touch,fields}');
    lead uuid := sim.lead(o);
    step text;
BEGIN
    IF lead IS NULL THEN
        RETURN;
    END IF;
    CASE kind
    WHEN 'engagement' THEN
        PERFORM sim.try(kind, '{}', 'SELECT lead_system.record_engagement(%L, %L)', lead::text, sim.word('{email_open,email_reply,link_click,pricing_page_visit,demo_video_watched}'));
    WHEN 'qualification' THEN
        PERFORM sim.try(kind, '{}', 'SELECT lead_system.record_qualification(%L, %L)', lead::text, jsonb_build_object('interest', sim.dice(26), 'authority', sim.dice(21), 'budget', sim.dice(26))::text);
    WHEN 'intent' THEN
        PERFORM sim.try(kind, '{}', 'SELECT lead_system.record_intent_signal(%L, %L, %L)', lead::text, sim.word('{explicit_interest,question,callback,hard_objection,none}'), lead_system.uuid_v7()::text);
    WHEN 'status' THEN
        SELECT t.to_status INTO step FROM lead_system.leads l JOIN lead_system.pipeline_transitions t ON t.pipeline_id = l.pipeline_id AND t.from_status = l.status
         WHERE l.organization_id = o.id AND l.id = lead AND t.to_status <> 'dnc'
           AND NOT EXISTS (SELECT FROM lead_system.lead_listings s WHERE s.organization_id = o.id AND s.lead_id = lead) AND t.to_status <> 'ACTIVE'
           AND (sim.chance(40) OR t.to_status NOT IN ('Disqualified', 'cold', 'lost', 'ARCHIVED')) ORDER BY t.to_status OFFSET sim.dice(3) LIMIT 1;
        IF step IS NOT NULL THEN
            PERFORM sim.try('status', '{}', 'SELECT lead_system.change_lead_status(%L, %L, %L)', lead::text, step, 'as it happens');
        END IF;
        UPDATE lead_system.leads SET actual_amount = 50 * sim.dice(20) WHERE organization_id = o.id AND id = lead AND stage = 'won' AND actual_amount IS NULL;
    WHEN 'note' THEN
        PERFORM sim.try(kind, '{}', 'SELECT lead_system.add_lead_note(%L, %L)', lead::text, 'called back');
    WHEN 'touch' THEN
        PERFORM sim.try(kind, '{}', 'SELECT lead_system.record_touch(%L, %L)', lead::text, sim.word('{newsletter,fair,web}'));
    WHEN 'fields' THEN
        UPDATE lead_system.leads SET budget_timeline = sim.word('{Immediate,1-3 months}'), tags = CASE WHEN 'fair' = ANY (tags) THEN array_remove(tags, 'fair') ELSE tags || '{fair}' END WHERE organization_id = o.id AND id = lead;
        PERFORM sim.note('fields changed');
    END CASE;
END
$$;
