-- outreach: leads that a claim passed over.

CREATE FUNCTION lead_system.contact_consents_wake_queue() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_consents_wake';
COMMENT ON FUNCTION lead_system.contact_consents_wake_queue() IS
    'Trigger of contact_consents: leads that a claim passed over for want of a consent are judged anew by the next one, once there is one.';
REVOKE ALL ON FUNCTION lead_system.contact_consents_wake_queue() FROM PUBLIC;
