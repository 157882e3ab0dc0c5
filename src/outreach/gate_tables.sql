-- outreach: leads that a claim passed over.

CREATE TRIGGER contact_consents_wake_queue AFTER INSERT ON lead_system.contact_consents
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_consents_wake_queue();

CREATE TRIGGER calling_rules_wake_queue_update AFTER UPDATE ON lead_system.calling_rules
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.calling_rules_wake_queue();
CREATE TRIGGER calling_rules_wake_queue_delete AFTER DELETE ON lead_system.calling_rules
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.calling_rules_wake_queue();

CREATE TRIGGER system_config_wake_queue_insert AFTER INSERT ON lead_system.system_config
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.system_config_wake_queue();
CREATE TRIGGER system_config_wake_queue_update AFTER UPDATE ON lead_system.system_config
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.system_config_wake_queue();
CREATE TRIGGER system_config_wake_queue_delete AFTER DELETE ON lead_system.system_config
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.system_config_wake_queue();
