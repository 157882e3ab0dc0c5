-- compliance: triggers of the records of calls and messages.

CREATE INDEX call_logs_called_phone_idx ON lead_system.call_logs (organization_id, called_phone, created_at) WHERE direction = 'outbound';
CREATE INDEX sms_logs_to_phone_idx ON lead_system.sms_logs (organization_id, to_phone, created_at) WHERE direction = 'outbound';

-- Rows that logical replication brings are judged, too.
CREATE TRIGGER call_logs_guard BEFORE INSERT OR UPDATE ON lead_system.call_logs
    FOR EACH ROW EXECUTE FUNCTION lead_system.contact_guard('call', 'called_phone');
ALTER TABLE lead_system.call_logs ENABLE ALWAYS TRIGGER call_logs_guard;
CREATE TRIGGER sms_logs_guard BEFORE INSERT OR UPDATE ON lead_system.sms_logs
    FOR EACH ROW EXECUTE FUNCTION lead_system.contact_guard('sms', 'to_phone');
ALTER TABLE lead_system.sms_logs ENABLE ALWAYS TRIGGER sms_logs_guard;

CREATE TRIGGER call_logs_attempt_after_insert AFTER INSERT ON lead_system.call_logs
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_attempted('call');
CREATE TRIGGER call_logs_attempt_after_update AFTER UPDATE ON lead_system.call_logs
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_attempted('call');
CREATE TRIGGER sms_logs_attempt_after_insert AFTER INSERT ON lead_system.sms_logs
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_attempted('sms');
CREATE TRIGGER sms_logs_attempt_after_update AFTER UPDATE ON lead_system.sms_logs
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_attempted('sms');
