-- Sequences, messages and calls beside the campaigns; what people answer.

-- A worker of sequences.  No step is carried out twice.
CREATE FUNCTION sim.work_steps(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s record;
    how text;
BEGIN
    FOR s IN SELECT * FROM lead_system.claim_due_steps(n, '10 minutes') LOOP
        IF EXISTS (SELECT FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = s.lead_id AND l.do_not_call) AND s.channel IN ('sms', 'call') THEN
            RAISE EXCEPTION 'a step by % for lead %, which is not to be contacted', s.channel, s.lead_id;
        END IF;
        PERFORM sim.note('step handed out');
        how := sim.word('{complete,complete,complete,complete,complete,complete,fail,silent}');
        IF how = 'complete' THEN
            PERFORM sim.try('step completed', '{}', 'SELECT lead_system.complete_step(%L, %s)', s.enrollment_id::text, s.step::text);
            PERFORM sim.done(s.enrollment_id, s.step);
        ELSIF how = 'fail' THEN
            PERFORM sim.try('step failed', '{}', 'SELECT lead_system.fail_step(%L, %s, ''no route'')', s.enrollment_id::text, s.step::text);
        END IF;
    END LOOP;
    -- of some nobody knows: the provider says
    FOR s IN SELECT e.id, e.current_step FROM lead_system.lead_sequence_enrollments e WHERE e.organization_id = o.id AND e.status = 'active' AND e.step_state = 'uncertain' ORDER BY e.id LOOP
        how := sim.word('{confirm,retry,later}');
        IF how = 'confirm' THEN
            PERFORM sim.try('step confirmed', '{}', 'SELECT lead_system.confirm_step(%L, %s)', s.id::text, s.current_step::text);
            PERFORM sim.done(s.id, s.current_step);
        ELSIF how = 'retry' THEN
            PERFORM sim.try('step to be retried', '{}', 'SELECT lead_system.retry_step(%L, %s)', s.id::text, s.current_step::text);
        END IF;
    END LOOP;
END
$$;
CREATE FUNCTION sim.done(enrollment uuid, step integer) RETURNS void LANGUAGE sql AS
$$ INSERT INTO sim.steps VALUES (enrollment, step, 1) ON CONFLICT ON CONSTRAINT steps_pkey DO UPDATE SET times = steps.times + 1 $$;

-- People put leads into sequences, and take them out.
CREATE FUNCTION sim.manage_enrollments(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lead uuid := sim.lead(o, 'stage IN (''new'', ''contacted'', ''qualified'') AND NOT do_not_call AND NOT is_spam');
    e record;
BEGIN
    IF lead IS NOT NULL THEN
        PERFORM sim.try('enrolled', '{55000}', 'SELECT lead_system.enroll_lead(%L, %L)', s.id::text, lead::text) FROM lead_system.nurture_sequences s WHERE s.organization_id = o.id AND s.name = 'by hand';
    END IF;
    SELECT x.id, x.status INTO e FROM lead_system.lead_sequence_enrollments x WHERE x.organization_id = o.id AND x.status IN ('active', 'paused') ORDER BY x.id DESC OFFSET (SELECT sim.dice(40)) LIMIT 1;
    IF e.id IS NOT NULL THEN
        PERFORM sim.try('enrolment, ' || what, '{55000}', 'SELECT lead_system.' || what || '_enrollment(%L)', e.id::text) FROM sim.word('{pause,resume,pause,resume,cancel}') what;
    END IF;
    SELECT x.id INTO e FROM lead_system.lead_sequence_enrollments x WHERE x.organization_id = o.id AND x.status = 'paused' ORDER BY x.id LIMIT 1;
    IF e.id IS NOT NULL THEN
        PERFORM sim.try('enrolment, resume', '{55000}', 'SELECT lead_system.resume_enrollment(%L)', e.id::text);
    END IF;
END
$$;

-- A sender of notifications.  What was reported as sent does not come again.
CREATE FUNCTION sim.send(o sim.orgs, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    m record;
    how text;
    lead uuid := sim.lead(o, 'email IS NOT NULL');
BEGIN
    PERFORM sim.try('notification queued', '{23505}', 'SELECT lead_system.enqueue_notification(%L)',
        jsonb_build_object('notification_type', sim.word('{email,sms}'), 'lead_id', lead, 'body', 'See you', 'dedupe_key', 'n' || sim.dice(2000))::text) WHERE lead IS NOT NULL AND sim.chance(40);
    FOR m IN SELECT * FROM lead_system.claim_notifications(n, '5 minutes') LOOP
        IF EXISTS (SELECT FROM sim.sent s WHERE s.id = m.id) THEN
            RAISE EXCEPTION 'notification % was handed out after it was sent', m.id;
        END IF;
        how := sim.word('{sent,sent,sent,sent,sent,failed,failed,silent}');
        IF how = 'sent' THEN
            PERFORM sim.try('notification sent', '{}', 'SELECT lead_system.complete_notification(%L)', m.id::text);
            INSERT INTO sim.sent VALUES (m.id);
        ELSIF how = 'failed' THEN
            PERFORM sim.try('notification not sent', '{}', 'SELECT lead_system.fail_notification(%L, ''mailbox full'')', m.id::text);
        ELSE
            PERFORM sim.note('notification not reported');
        END IF;
    END LOOP;
END
$$;

-- The provider of telephony reports.
CREATE FUNCTION sim.talk(o sim.orgs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who record;
    id text := md5(random()::text);
    kind text := sim.word('{sms in,sms in,sms out,sms out,call out,call out,call in,missed}');
    text text := sim.word('{yes,book,Monday is fine,thank you,help,start,I am not interested,thanks,stop,take me off your list}');
BEGIN
    SELECT l.id, l.phone_number INTO who FROM lead_system.leads l WHERE l.organization_id = o.id AND l.id = (SELECT sim.lead(o, 'phone_number IS NOT NULL'));
    IF who.id IS NULL THEN
        RETURN;
    END IF;
    IF text IN ('stop', 'take me off your list') AND sim.chance(50) THEN text := 'fine'; END IF;
    CASE kind
    WHEN 'sms in' THEN
        PERFORM sim.try('sms in: ' || text, '{}', 'SELECT lead_system.record_sms(%L)', jsonb_build_object('direction', 'inbound', 'from_phone', who.phone_number, 'message_text', text, 'provider_message_id', id)::text);
    WHEN 'sms out' THEN
        IF sim.try(kind, '{LS001,LS002,LS003,LS004,55000}', 'SELECT lead_system.record_sms(%L)', jsonb_build_object('direction', 'outbound', 'to_phone', who.phone_number, 'message_text', 'Shall we come?', 'status', 'queued', 'provider_message_id', id)::text) IS NOT NULL THEN
            PERFORM sim.try('sms report', '{}', 'SELECT lead_system.record_sms(%L)', jsonb_build_object('provider_message_id', id, 'status', s)::text) FROM sim.word('{sent,delivered,failed}') s;
        END IF;
    WHEN 'call out' THEN
        PERFORM sim.try(kind, '{LS001,LS002,LS003,LS004,55000}', 'SELECT lead_system.record_call(%L)', jsonb_build_object('direction', 'outbound', 'called_phone', who.phone_number, 'status', sim.word('{answered,answered,no_answer,voicemail}'), 'duration', sim.dice(200),
            'provider_call_id', id, 'transcript', sim.word('{Good morning,NULL,please stop calling me,Call me next week}'))::text);
    WHEN 'call in' THEN
        PERFORM sim.try(kind, '{}', 'SELECT lead_system.record_call(%L)', jsonb_build_object('direction', 'inbound', 'caller_phone', who.phone_number, 'status', 'answered', 'duration', 60, 'provider_call_id', id)::text);
    ELSE
        IF sim.chance(50) THEN
            who.phone_number := coalesce(sim.new_lead(o)->>'phone_number', who.phone_number);
        END IF;
        PERFORM sim.try('missed call', '{}', 'SELECT lead_system.record_call(%L)', jsonb_build_object('direction', 'inbound', 'caller_phone', who.phone_number, 'status', sim.word('{no_answer,busy,voicemail}'), 'provider_call_id', id)::text);
    END CASE;
END
$$;
