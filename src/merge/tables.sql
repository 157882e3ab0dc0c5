-- merge: what was merged, and the archive.

CREATE TABLE lead_system.lead_merges (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    survivor_id     uuid        NOT NULL,
    duplicate_ids   uuid[]      NOT NULL,
    merged_by       uuid,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    unmerged_by     uuid,
    unmerged_at     timestamptz,
    CONSTRAINT lead_merges_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_merges_duplicate_ids_check CHECK (cardinality(duplicate_ids) > 0)
);
COMMENT ON TABLE lead_system.lead_merges IS
    'Leads that were merged into another one, and when that was undone. Written by merge_leads() and unmerge_leads() alone.';
COMMENT ON COLUMN lead_system.lead_merges.lead_id IS 'The lead that it belongs to now: the survivor, or the one that the survivor was merged into.';
COMMENT ON COLUMN lead_system.lead_merges.survivor_id IS 'The lead that kept its id.';
CREATE INDEX lead_merges_lead_id_idx ON lead_system.lead_merges (lead_id, organization_id);
CREATE INDEX lead_merges_survivor_id_idx ON lead_system.lead_merges (survivor_id, organization_id);
CREATE INDEX lead_merges_duplicate_ids_idx ON lead_system.lead_merges USING gin (duplicate_ids);
CREATE INDEX lead_merges_organization_id_created_at_idx ON lead_system.lead_merges (organization_id, created_at);

CREATE TABLE lead_system.lead_merge_rows (
    organization_id uuid   NOT NULL,
    id              uuid   NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid   NOT NULL,
    subject_id      uuid   NOT NULL,
    merge_id        uuid   NOT NULL,
    table_name      text   NOT NULL,
    moved_ids       uuid[],
    row_before      jsonb,
    row_after       jsonb,
    row_restored    jsonb,
    CONSTRAINT lead_merge_rows_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_merge_rows_row_before_check CHECK ((moved_ids IS NULL) <> (row_before IS NULL))
);
COMMENT ON TABLE lead_system.lead_merge_rows IS
    'Rows that a merge changed, moved or dropped, as they were before and after it: what unmerge_leads() works from.';
COMMENT ON COLUMN lead_system.lead_merge_rows.subject_id IS 'The lead that the rows belonged to before.';
COMMENT ON COLUMN lead_system.lead_merge_rows.moved_ids IS 'Rows of a history, of which only the lead was changed.';
COMMENT ON COLUMN lead_system.lead_merge_rows.row_after IS 'NULL for a row that was dropped, since the survivor has one like it.';
COMMENT ON COLUMN lead_system.lead_merge_rows.row_restored IS 'What unmerge_leads() made of the row.';
CREATE INDEX lead_merge_rows_merge_id_idx ON lead_system.lead_merge_rows (merge_id, organization_id, table_name);
CREATE INDEX lead_merge_rows_lead_id_idx ON lead_system.lead_merge_rows (lead_id, organization_id);
CREATE INDEX lead_merge_rows_subject_id_idx ON lead_system.lead_merge_rows (subject_id, organization_id);

CREATE TABLE lead_system.leads_archive (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    first_name      text,
    last_name       text,
    company_name    text,
    email           text,
    phone_number    text COLLATE "C",
    source          text,
    source_id       text,
    status          text        NOT NULL,
    created_at      timestamptz NOT NULL,
    archived_at     timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    exported_at     timestamptz,
    lead            jsonb       NOT NULL,
    children        jsonb       NOT NULL,
    CONSTRAINT leads_archive_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT leads_archive_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE,
    CONSTRAINT leads_archive_email_check CHECK (lead_system.is_valid_email(email)),
    CONSTRAINT leads_archive_phone_number_check CHECK (lead_system.is_e164(phone_number)),
    CONSTRAINT leads_archive_children_check CHECK (jsonb_typeof(children) = 'object')
);
COMMENT ON TABLE lead_system.leads_archive IS
    'Leads that archive_leads() took out of the way, whole, with the columns that one searches by. restore_lead() brings one back.';
COMMENT ON COLUMN lead_system.leads_archive.lead IS 'The row of leads.';
COMMENT ON COLUMN lead_system.leads_archive.children IS 'The rows of every other table that belong to it, by table.';
COMMENT ON COLUMN lead_system.leads_archive.exported_at IS 'When export_archive_csv() gave it out.';
CREATE INDEX leads_archive_phone_number_idx ON lead_system.leads_archive (organization_id, phone_number);
CREATE INDEX leads_archive_email_idx ON lead_system.leads_archive (organization_id, email);
CREATE INDEX leads_archive_source_id_idx ON lead_system.leads_archive (organization_id, source_id);
CREATE INDEX leads_archive_archived_at_idx ON lead_system.leads_archive (organization_id, archived_at);
CREATE INDEX leads_archive_organization_id_created_at_idx ON lead_system.leads_archive (organization_id, created_at);

ALTER TABLE lead_system.lead_merges ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_merges FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_merges
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_merge_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_merge_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_merge_rows
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.leads_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.leads_archive FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.leads_archive
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER lead_merges_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_merges
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_merges_no_truncate BEFORE TRUNCATE ON lead_system.lead_merges
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER lead_merge_rows_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_merge_rows
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_merge_rows_no_truncate BEFORE TRUNCATE ON lead_system.lead_merge_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER leads_forget_merges AFTER DELETE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.forget_histories('lead_merge_rows', 'lead_id', 'lead_merges', 'lead_id');
