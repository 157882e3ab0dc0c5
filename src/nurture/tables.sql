-- nurture: sequences of steps, and the leads that go through them.

CREATE TABLE lead_system.nurture_sequences (
    organization_id       uuid        NOT NULL,
    id                    uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name                  text        NOT NULL,
    description           text,
    steps                 jsonb       NOT NULL,
    trigger_conditions    jsonb,
    is_active             boolean     NOT NULL DEFAULT true,
    auto_pause_on_reply   boolean     NOT NULL DEFAULT true,
    total_enrollments     integer     NOT NULL DEFAULT 0,
    active_enrollments    integer     NOT NULL DEFAULT 0,
    completed_enrollments integer     NOT NULL DEFAULT 0,
    completion_rate       numeric(5,2) GENERATED ALWAYS AS
        (CASE WHEN total_enrollments = 0 THEN 0 ELSE round(completed_enrollments * 100.0 / total_enrollments, 2) END) STORED,
    created_by            uuid                 DEFAULT lead_system.current_user_id(),
    created_at            timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at            timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT nurture_sequences_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT nurture_sequences_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT nurture_sequences_name_check CHECK (length(btrim(name)) > 0),
    CONSTRAINT nurture_sequences_steps_check CHECK (jsonb_typeof(steps) = 'array'),
    CONSTRAINT nurture_sequences_trigger_conditions_check CHECK (jsonb_typeof(trigger_conditions) = 'object'),
    CONSTRAINT nurture_sequences_counts_check CHECK (active_enrollments >= 0 AND completed_enrollments >= 0
        AND active_enrollments + completed_enrollments <= total_enrollments)
);
COMMENT ON TABLE lead_system.nurture_sequences IS
    'Steps by which leads are followed up: text messages, e-mails, calls, tasks and waits, with the delays between them.';
COMMENT ON COLUMN lead_system.nurture_sequences.steps IS 'Array of objects with step, channel, delay_days, delay_hours, delay_minutes, delay_from, template_id, conditions; checked by trigger, and kept in the order of step.';
COMMENT ON COLUMN lead_system.nurture_sequences.trigger_conditions IS 'What enrols a lead by itself: lead_created, status, temperature, score, tag, and a filter; NULL for nothing.';
COMMENT ON COLUMN lead_system.nurture_sequences.is_active IS 'The leads of a sequence that is not active wait. Of those that are active each has its name alone.';
COMMENT ON COLUMN lead_system.nurture_sequences.auto_pause_on_reply IS 'A reply of the lead pauses its enrolment.';
COMMENT ON COLUMN lead_system.nurture_sequences.total_enrollments IS 'Number of enrolments; kept by trigger, as the two after it.';
COMMENT ON COLUMN lead_system.nurture_sequences.completion_rate IS 'Completed enrolments of all, in percent (semantics F9).';
CREATE UNIQUE INDEX nurture_sequences_organization_id_name_idx ON lead_system.nurture_sequences (organization_id, name) WHERE is_active;
CREATE INDEX nurture_sequences_organization_id_created_at_idx ON lead_system.nurture_sequences (organization_id, created_at);

CREATE TABLE lead_system.lead_sequence_enrollments (
    organization_id        uuid        NOT NULL,
    id                     uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id                uuid        NOT NULL,
    sequence_id            uuid        NOT NULL,
    status                 text        NOT NULL DEFAULT 'active',
    current_step           integer     NOT NULL DEFAULT 1,
    next_step_scheduled_at timestamptz,
    step_state             text        NOT NULL DEFAULT 'scheduled',
    retry_count            integer     NOT NULL DEFAULT 0,
    blocked_rule           text,
    claimed_by             uuid,
    claimed_channel        text,
    lease_until            timestamptz,
    executed_steps         jsonb       NOT NULL DEFAULT '[]',
    pause_reason           text,
    cancel_reason          text,
    last_error             text,
    enrolled_by            uuid                 DEFAULT lead_system.current_user_id(),
    enrolled_at            timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    ended_at               timestamptz,
    updated_at             timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_sequence_enrollments_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_sequence_enrollments_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_sequence_enrollments_sequence_id_fkey FOREIGN KEY (sequence_id, organization_id)
        REFERENCES lead_system.nurture_sequences (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_sequence_enrollments_status_check CHECK (status IN ('active', 'paused', 'completed', 'cancelled', 'failed')),
    CONSTRAINT lead_sequence_enrollments_step_state_check CHECK (step_state IN ('scheduled', 'claimed', 'uncertain')),
    CONSTRAINT lead_sequence_enrollments_current_step_check CHECK (current_step >= 1),
    CONSTRAINT lead_sequence_enrollments_retry_count_check CHECK (retry_count >= 0),
    CONSTRAINT lead_sequence_enrollments_scheduled_check CHECK ((status = 'active') = (next_step_scheduled_at IS NOT NULL)),
    CONSTRAINT lead_sequence_enrollments_lease_check CHECK ((step_state = 'claimed') = (lease_until IS NOT NULL)),
    CONSTRAINT lead_sequence_enrollments_ended_check CHECK ((status IN ('active', 'paused')) = (ended_at IS NULL)),
    CONSTRAINT lead_sequence_enrollments_executed_steps_check CHECK (jsonb_typeof(executed_steps) = 'array')
);
COMMENT ON TABLE lead_system.lead_sequence_enrollments IS
    'Which lead is at which step of which sequence: the queue of those who carry out the steps, and what came of them.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.current_step IS 'The next step to be carried out (semantics F1), or the one that is being carried out.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.next_step_scheduled_at IS 'When the step is due; NULL unless active.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.step_state IS 'scheduled; claimed: a worker has it; uncertain: the worker did not report, so that confirm_step() or retry_step() has to decide.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.retry_count IS 'How often the current step has failed.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.blocked_rule IS 'The rule by which the current step was postponed last; NULL when it was not.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.claimed_channel IS 'Channel of the step that was handed out last.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.lease_until IS 'When a claim lapses, if nothing is reported before.';
COMMENT ON COLUMN lead_system.lead_sequence_enrollments.executed_steps IS 'Array of objects with step, executed_at, status (completed, failed, skipped, postponed, cancelled, lapsed) and channel.';
CREATE UNIQUE INDEX lead_sequence_enrollments_live_idx ON lead_system.lead_sequence_enrollments (organization_id, lead_id, sequence_id)
    WHERE status IN ('active', 'paused');
CREATE INDEX lead_sequence_enrollments_due_idx ON lead_system.lead_sequence_enrollments (organization_id, next_step_scheduled_at, id, sequence_id)
    WHERE status = 'active' AND step_state = 'scheduled';
CREATE INDEX lead_sequence_enrollments_lease_idx ON lead_system.lead_sequence_enrollments (organization_id, lease_until) WHERE step_state = 'claimed';
CREATE INDEX lead_sequence_enrollments_lead_id_idx ON lead_system.lead_sequence_enrollments (lead_id, organization_id, sequence_id);
CREATE INDEX lead_sequence_enrollments_sequence_id_idx ON lead_system.lead_sequence_enrollments (sequence_id, organization_id, status);
CREATE INDEX lead_sequence_enrollments_enrolled_at_idx ON lead_system.lead_sequence_enrollments (organization_id, enrolled_at);

CREATE TABLE lead_system.nurture_daily_counts (
    organization_id uuid    NOT NULL,
    id              uuid    NOT NULL DEFAULT lead_system.uuid_v7(),
    day             date    NOT NULL,
    channel         text    NOT NULL,
    part            integer NOT NULL,
    step_count      integer NOT NULL DEFAULT 0,
    CONSTRAINT nurture_daily_counts_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT nurture_daily_counts_day_channel_part_key UNIQUE (organization_id, day, channel, part),
    CONSTRAINT nurture_daily_counts_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT nurture_daily_counts_channel_check CHECK (channel IN ('sms', 'email')),
    CONSTRAINT nurture_daily_counts_step_count_check CHECK (step_count >= 0)
);
COMMENT ON TABLE lead_system.nurture_daily_counts IS
    'Steps that were handed out per day of the organization''s time zone (semantics F8), in parts, so that claims do not wait for each other.';
COMMENT ON COLUMN lead_system.nurture_daily_counts.part IS 'Each part has its share of the cap; a claim counts in those that no other claim is counting in.';

ALTER TABLE lead_system.nurture_sequences ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.nurture_sequences FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.nurture_sequences
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_sequence_enrollments ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_sequence_enrollments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_sequence_enrollments
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.nurture_daily_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.nurture_daily_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.nurture_daily_counts
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER nurture_sequences_a_check BEFORE INSERT OR UPDATE OF steps, trigger_conditions ON lead_system.nurture_sequences
    FOR EACH ROW EXECUTE FUNCTION lead_system.nurture_sequences_check();
CREATE TRIGGER nurture_sequences_stamp_user BEFORE INSERT OR UPDATE ON lead_system.nurture_sequences
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('created_by');
CREATE TRIGGER nurture_sequences_touch_updated_at BEFORE UPDATE OF name, description, steps, trigger_conditions, is_active, auto_pause_on_reply
    ON lead_system.nurture_sequences
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER nurture_sequences_changed AFTER INSERT OR UPDATE OF organization_id, id, steps, trigger_conditions, is_active OR DELETE OR TRUNCATE
    ON lead_system.nurture_sequences
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
CREATE TRIGGER lead_sequence_enrollments_touch_updated_at BEFORE UPDATE ON lead_system.lead_sequence_enrollments
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER lead_sequence_enrollments_after_insert AFTER INSERT ON lead_system.lead_sequence_enrollments
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_sequence_enrollments_changed();
CREATE TRIGGER lead_sequence_enrollments_after_update AFTER UPDATE ON lead_system.lead_sequence_enrollments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_sequence_enrollments_changed();
CREATE TRIGGER lead_sequence_enrollments_after_delete AFTER DELETE ON lead_system.lead_sequence_enrollments
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_sequence_enrollments_changed();
CREATE TRIGGER sms_logs_pause_nurture AFTER INSERT ON lead_system.sms_logs
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.sms_logs_pause_nurture();
