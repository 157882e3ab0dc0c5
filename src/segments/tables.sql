-- segments: filters of leads with a name.

CREATE TABLE lead_system.segments (
    organization_id    uuid        NOT NULL,
    id                 uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name               text        NOT NULL,
    description        text,
    filter             jsonb       NOT NULL,
    is_public          boolean     NOT NULL DEFAULT false,
    user_id            uuid                 DEFAULT lead_system.current_user_id(),
    lead_count         bigint,
    last_calculated_at timestamptz,
    created_at         timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at         timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT segments_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT segments_organization_id_name_key UNIQUE (organization_id, name),
    CONSTRAINT segments_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT segments_name_check CHECK (length(btrim(name)) > 0),
    CONSTRAINT segments_filter_check CHECK (jsonb_typeof(filter) = 'object'),
    CONSTRAINT segments_lead_count_check CHECK (lead_count >= 0)
);
COMMENT ON TABLE lead_system.segments IS
    'Filters of leads with a name. A segment has the leads that match now; nothing is stored of them but the count.';
COMMENT ON COLUMN lead_system.segments.is_public IS 'Seen by everybody in the organization; else by its user and by managers.';
COMMENT ON COLUMN lead_system.segments.lead_count IS 'Number of leads when it was last counted, by refresh_segment_count().';
CREATE INDEX segments_user_id_idx ON lead_system.segments (organization_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX segments_organization_id_created_at_idx ON lead_system.segments (organization_id, created_at);

ALTER TABLE lead_system.segments ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.segments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.segments
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
-- A session that names no user owns the segments that have none.
CREATE POLICY private_read ON lead_system.segments AS RESTRICTIVE FOR SELECT
    USING (is_public OR user_id IS NOT DISTINCT FROM (SELECT lead_system.current_user_id()) OR (SELECT lead_system.sees_all_segments()));
CREATE POLICY own_insert ON lead_system.segments AS RESTRICTIVE FOR INSERT
    WITH CHECK (user_id IS NOT DISTINCT FROM (SELECT lead_system.current_user_id()) OR (SELECT lead_system.sees_all_segments()));
CREATE POLICY own_update ON lead_system.segments AS RESTRICTIVE FOR UPDATE
    USING (user_id IS NOT DISTINCT FROM (SELECT lead_system.current_user_id()) OR (SELECT lead_system.sees_all_segments()));
CREATE POLICY own_delete ON lead_system.segments AS RESTRICTIVE FOR DELETE
    USING (user_id IS NOT DISTINCT FROM (SELECT lead_system.current_user_id()) OR (SELECT lead_system.sees_all_segments()));

CREATE TRIGGER segments_check BEFORE INSERT OR UPDATE ON lead_system.segments
    FOR EACH ROW EXECUTE FUNCTION lead_system.segments_check();
CREATE TRIGGER segments_stamp_user BEFORE INSERT OR UPDATE ON lead_system.segments
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('user_id');
CREATE TRIGGER segments_touch_updated_at BEFORE UPDATE ON lead_system.segments
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER segments_after_update AFTER UPDATE ON lead_system.segments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.segments_changed();
CREATE TRIGGER segments_cache AFTER UPDATE OF filter OR TRUNCATE ON lead_system.segments
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
