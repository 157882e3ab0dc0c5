-- compliance: the do-not-call list and its audit.

CREATE TABLE lead_system.dnc_list (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    phone_number    text        COLLATE "C" NOT NULL,
    reason          text        NOT NULL,
    source          text        NOT NULL DEFAULT 'manual_entry',
    opt_out_phrase  text,
    added_by        uuid                 DEFAULT lead_system.current_user_id(),
    expires_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT dnc_list_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT dnc_list_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT dnc_list_organization_id_phone_number_key UNIQUE (organization_id, phone_number),
    CONSTRAINT dnc_list_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT dnc_list_reason_check CHECK (length(btrim(reason)) > 0),
    CONSTRAINT dnc_list_source_check CHECK (length(btrim(source)) > 0)
);
COMMENT ON TABLE lead_system.dnc_list IS
    'Numbers that an organization must not call. Never purged by retention (semantics D13).';
COMMENT ON COLUMN lead_system.dnc_list.reason IS 'Why: usually lead_requested, legal_requirement, admin_added, manual, sms_stop, national_registry, complaint or litigator (D1).';
COMMENT ON COLUMN lead_system.dnc_list.source IS 'Where from: usually call_transcript, manual_entry, complaint, automated, sms_reply, import or api (D2).';
COMMENT ON COLUMN lead_system.dnc_list.expires_at IS 'Listed until then; NULL means for good (D4).';
COMMENT ON COLUMN lead_system.dnc_list.created_at IS 'Listed without interruption since.';
CREATE INDEX dnc_list_expires_at_idx ON lead_system.dnc_list (organization_id, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE lead_system.dnc_audit_log (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    action          text        NOT NULL,
    phone_number    text        COLLATE "C" NOT NULL,
    reason          text,
    source          text,
    expires_at      timestamptz,
    user_id         uuid,
    consent_id      uuid,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT dnc_audit_log_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT dnc_audit_log_action_check CHECK (action IN ('added', 'extended', 'repeated', 'removed', 'overridden', 'suppressed', 'unsuppressed'))
);
COMMENT ON TABLE lead_system.dnc_audit_log IS
    'What was done to the do-not-call list, by whom and why. Written by the extension alone.';
CREATE INDEX dnc_audit_log_organization_id_phone_number_idx ON lead_system.dnc_audit_log (organization_id, phone_number, created_at);
CREATE INDEX dnc_audit_log_organization_id_created_at_idx ON lead_system.dnc_audit_log (organization_id, created_at);

ALTER TABLE lead_system.dnc_list ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.dnc_list FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.dnc_list
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.dnc_audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.dnc_audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.dnc_audit_log
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER dnc_list_a_normalize BEFORE INSERT OR UPDATE ON lead_system.dnc_list
    FOR EACH ROW EXECUTE FUNCTION lead_system.directory_normalize();
CREATE TRIGGER dnc_list_keep_number BEFORE UPDATE OF phone_number ON lead_system.dnc_list
    FOR EACH ROW EXECUTE FUNCTION lead_system.dnc_list_keep_number();
CREATE TRIGGER dnc_list_stamp_user BEFORE INSERT OR UPDATE ON lead_system.dnc_list
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('added_by');
CREATE TRIGGER dnc_list_touch_updated_at BEFORE UPDATE ON lead_system.dnc_list
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER dnc_list_after_insert AFTER INSERT ON lead_system.dnc_list
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.dnc_list_changed();
CREATE TRIGGER dnc_list_after_update AFTER UPDATE ON lead_system.dnc_list
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.dnc_list_changed();
CREATE TRIGGER dnc_list_after_delete AFTER DELETE ON lead_system.dnc_list
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.dnc_list_changed();
CREATE TRIGGER dnc_list_no_truncate BEFORE TRUNCATE ON lead_system.dnc_list
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER dnc_audit_log_append_only BEFORE UPDATE OR DELETE ON lead_system.dnc_audit_log
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER dnc_audit_log_no_truncate BEFORE TRUNCATE ON lead_system.dnc_audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
