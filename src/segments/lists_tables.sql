-- segments: triggers of lists that follow a segment.

CREATE TRIGGER lead_lists_keep_type BEFORE INSERT OR UPDATE ON lead_system.lead_lists
    FOR EACH ROW EXECUTE FUNCTION lead_system.lead_lists_keep_type();
CREATE TRIGGER lead_lists_after_insert AFTER INSERT ON lead_system.lead_lists
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_lists_fill();
CREATE TRIGGER lead_lists_cache AFTER INSERT OR DELETE OR TRUNCATE ON lead_system.lead_lists
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
CREATE TRIGGER lead_list_members_guard_insert AFTER INSERT ON lead_system.lead_list_members
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_list_members_guard();
CREATE TRIGGER lead_list_members_guard_update AFTER UPDATE ON lead_system.lead_list_members
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_list_members_guard();
CREATE TRIGGER lead_list_members_guard_delete AFTER DELETE ON lead_system.lead_list_members
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.lead_list_members_guard();
