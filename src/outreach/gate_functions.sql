-- outreach: leads that a claim passed over.

CREATE FUNCTION lead_system.contact_consents_wake_queue() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_consents_wake';
COMMENT ON FUNCTION lead_system.contact_consents_wake_queue() IS
    'Trigger of contact_consents: leads that a claim passed over for want of a consent are judged anew by the next one, once there is one.';
REVOKE ALL ON FUNCTION lead_system.contact_consents_wake_queue() FROM PUBLIC;

CREATE FUNCTION lead_system.calling_rules_wake_queue() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_hours_wake';
COMMENT ON FUNCTION lead_system.calling_rules_wake_queue() IS
    'Trigger of calling_rules: leads that wait for the hours of an organization are judged anew by the next claim, once the hours are others.';
REVOKE ALL ON FUNCTION lead_system.calling_rules_wake_queue() FROM PUBLIC;

CREATE FUNCTION lead_system.system_config_wake_queue() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_settings_wake';
COMMENT ON FUNCTION lead_system.system_config_wake_queue() IS
    'Trigger of system_config: leads that a claim passed over by a limit are judged anew by the next one, once the limit is another.';
REVOKE ALL ON FUNCTION lead_system.system_config_wake_queue() FROM PUBLIC;
