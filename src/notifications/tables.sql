-- notifications: what is to be told to users and leads, and how it is worded.

CREATE TABLE lead_system.notification_templates (
    organization_id uuid,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name            text        NOT NULL,
    channel         text,
    subject         text,
    body            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT notification_templates_pkey PRIMARY KEY (id),
    CONSTRAINT notification_templates_organization_id_name_key UNIQUE NULLS NOT DISTINCT (organization_id, name),
    CONSTRAINT notification_templates_name_check CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    CONSTRAINT notification_templates_channel_check CHECK (channel IN ('email', 'slack', 'sms', 'call')),
    CONSTRAINT notification_templates_body_check CHECK (length(btrim(body)) > 0)
);
COMMENT ON TABLE lead_system.notification_templates IS
    'How notifications are worded. Rows without organization are built in; one of an organization''s own takes the place of the built-in one of the same name.';
COMMENT ON COLUMN lead_system.notification_templates.channel IS 'Where the template can be used; NULL for all channels.';
COMMENT ON COLUMN lead_system.notification_templates.subject IS 'With placeholders, as the body: {{lead.first_name}}, {{user.full_name}}, {{organization.name}}, {{payload.key}}.';

ALTER TABLE lead_system.notification_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.notification_templates FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.notification_templates FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.notification_templates
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER notification_templates_check BEFORE INSERT OR UPDATE ON lead_system.notification_templates
    FOR EACH ROW EXECUTE FUNCTION lead_system.notification_templates_check();
CREATE TRIGGER notification_templates_touch_updated_at BEFORE UPDATE ON lead_system.notification_templates
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();

CREATE TABLE lead_system.notifications (
    organization_id   uuid        NOT NULL,
    id                uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id           uuid,
    user_id           uuid,
    notification_type text        NOT NULL,
    template_name     text,
    payload           jsonb       NOT NULL DEFAULT '{}',
    recipient         text,
    subject           text,
    body              text,
    status            text        NOT NULL DEFAULT 'pending',
    scheduled_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    lease_until       timestamptz,
    retry_count       integer     NOT NULL DEFAULT 0,
    sent_at           timestamptz,
    error_message     text,
    blocked_rule      text,
    dedupe_key        text,
    created_at        timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at        timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT notifications_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT notifications_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT notifications_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES lead_system.users (id, organization_id),
    CONSTRAINT notifications_addressee_check CHECK (lead_id IS NOT NULL OR user_id IS NOT NULL),
    CONSTRAINT notifications_content_check CHECK (body IS NOT NULL OR template_name IS NOT NULL),
    CONSTRAINT notifications_notification_type_check CHECK (notification_type IN ('email', 'slack', 'sms', 'call')),
    CONSTRAINT notifications_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT notifications_status_check CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'dropped')),
    CONSTRAINT notifications_lease_check CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT notifications_sent_check CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT notifications_retry_count_check CHECK (retry_count >= 0),
    CONSTRAINT notifications_dedupe_key_check CHECK (length(dedupe_key) BETWEEN 1 AND 500)
);
COMMENT ON TABLE lead_system.notifications IS
    'Messages that a program outside sends: to a user, who may be told of a lead, or to a lead. Written by the extension alone.';
COMMENT ON COLUMN lead_system.notifications.user_id IS 'The user it is for; NULL when it is for the lead.';
COMMENT ON COLUMN lead_system.notifications.recipient IS 'Address, number or Slack id. Of a notification to a lead: what the lead had when it was claimed last; NULL before.';
COMMENT ON COLUMN lead_system.notifications.body IS 'What is sent; of a notification with a template set when it is claimed.';
COMMENT ON COLUMN lead_system.notifications.scheduled_at IS 'Not before this time; moved by retries, and by rules that forbid contact for a time.';
COMMENT ON COLUMN lead_system.notifications.lease_until IS 'While it is being sent: when others may claim it again.';
COMMENT ON COLUMN lead_system.notifications.retry_count IS 'How often it was tried again, or is to be.';
COMMENT ON COLUMN lead_system.notifications.blocked_rule IS 'Why it was dropped, or moved to a later time.';
COMMENT ON COLUMN lead_system.notifications.dedupe_key IS 'A second notification with the same key is not made.';
CREATE INDEX notifications_due_idx ON lead_system.notifications (organization_id, scheduled_at, id) WHERE status = 'pending';
CREATE INDEX notifications_leased_idx ON lead_system.notifications (organization_id, lease_until) WHERE status = 'sending';
CREATE INDEX notifications_organization_id_created_at_idx ON lead_system.notifications (organization_id, created_at);
CREATE INDEX notifications_lead_id_idx ON lead_system.notifications (lead_id, organization_id) WHERE lead_id IS NOT NULL;
CREATE INDEX notifications_user_id_idx ON lead_system.notifications (user_id, organization_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX notifications_organization_id_dedupe_key_idx ON lead_system.notifications (organization_id, dedupe_key) WHERE dedupe_key IS NOT NULL;

ALTER TABLE lead_system.notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.notifications FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.notifications
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY contractor_own ON lead_system.notifications AS RESTRICTIVE
    USING (user_id IS NOT DISTINCT FROM coalesce((SELECT lead_system.current_contractor_id()), user_id))
    WITH CHECK (user_id IS NOT DISTINCT FROM coalesce((SELECT lead_system.current_contractor_id()), user_id));

CREATE TRIGGER notifications_touch_updated_at BEFORE UPDATE ON lead_system.notifications
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER notifications_tell AFTER INSERT ON lead_system.notifications
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.notifications_tell();

-- Built-in templates.
INSERT INTO lead_system.notification_templates (organization_id, id, name, subject, body)
SELECT NULL, ('00000000-0000-7000-8000-' || substr(md5('notification template ' || v.name), 1, 12))::uuid, v.name, v.subject, v.body
  FROM (VALUES
    ('hot_lead_alert', 'Hot lead: {{lead.first_name}} {{lead.last_name}} {{lead.company_name}}',
     'A lead is hot, with a score of {{lead.lead_score}}: {{lead.first_name}} {{lead.last_name}} {{lead.company_name}}, {{lead.email}} {{lead.phone_number}}.'),
    ('untouched_lead', 'Nobody has contacted {{lead.first_name}} {{lead.last_name}} {{lead.company_name}} yet',
     'A lead has waited for more than {{payload.hours}} hours: {{lead.first_name}} {{lead.last_name}} {{lead.company_name}}, {{lead.email}} {{lead.phone_number}}.'),
    ('welcome', 'Welcome from {{organization.name}}',
     'Hello {{lead.first_name}}, thank you for getting in touch with {{organization.name}}. We will come back to you soon.'),
    ('window_ending', 'Your response window ends at {{payload.ends_at}}',
     '{{user.full_name}}, the window in which you can contact {{lead.first_name}} {{lead.last_name}} ends at {{payload.ends_at}}.')
  ) v(name, subject, body)
ON CONFLICT DO NOTHING;
