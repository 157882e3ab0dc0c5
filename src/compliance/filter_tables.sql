-- compliance: what keeps the filters in shared memory complete.

CREATE TRIGGER dnc_list_filter AFTER INSERT OR UPDATE OR DELETE ON lead_system.dnc_list
    FOR EACH ROW EXECUTE FUNCTION lead_system.dnc_filter_note();
ALTER TABLE lead_system.dnc_list ENABLE ALWAYS TRIGGER dnc_list_filter;
CREATE TRIGGER national_dnc_registry_filter AFTER INSERT OR UPDATE OR DELETE ON lead_system.national_dnc_registry
    FOR EACH ROW EXECUTE FUNCTION lead_system.dnc_filter_note();
ALTER TABLE lead_system.national_dnc_registry ENABLE ALWAYS TRIGGER national_dnc_registry_filter;
