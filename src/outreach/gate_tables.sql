-- outreach: leads that a claim passed over.

CREATE TRIGGER contact_consents_wake_queue AFTER INSERT ON lead_system.contact_consents
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.contact_consents_wake_queue();
