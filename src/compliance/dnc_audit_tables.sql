-- compliance: the hash chain over the audit of the do-not-call list.

CREATE TABLE lead_system.dnc_audit_chain (
    organization_id uuid   NOT NULL,
    branch          uuid   NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    sequence        bigint NOT NULL,
    audit_id        uuid   NOT NULL,
    row_hash        bytea  NOT NULL,
    chain_hash      bytea  NOT NULL,
    CONSTRAINT dnc_audit_chain_pkey PRIMARY KEY (organization_id, branch, sequence),
    CONSTRAINT dnc_audit_chain_sequence_check CHECK (sequence >= 1),
    CONSTRAINT dnc_audit_chain_row_hash_check CHECK (length(row_hash) = 32),
    CONSTRAINT dnc_audit_chain_chain_hash_check CHECK (length(chain_hash) = 32)
);
COMMENT ON TABLE lead_system.dnc_audit_chain IS
    'One link for each row of dnc_audit_log, in the order in which they were committed. Written by the extension alone, at the end of each transaction.';
COMMENT ON COLUMN lead_system.dnc_audit_chain.branch IS 'Zero for the organization''s chain; else one that a prepared transaction has written for itself.';
COMMENT ON COLUMN lead_system.dnc_audit_chain.sequence IS 'Place in the chain, from 1 without gaps.';
COMMENT ON COLUMN lead_system.dnc_audit_chain.row_hash IS 'SHA-256 of the audit row.';
COMMENT ON COLUMN lead_system.dnc_audit_chain.chain_hash IS 'SHA-256 of the chain_hash before, the place, and row_hash: it stands for all links up to this one.';

-- No foreign key, as for a history: an organization that leaves takes it last,
-- when nobody can be committing a change of the list any more.
CREATE TABLE lead_system.dnc_audit_heads (
    organization_id uuid   NOT NULL,
    branch          uuid   NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    sequence        bigint NOT NULL,
    audit_id        uuid   NOT NULL,
    chain_hash      bytea  NOT NULL,
    CONSTRAINT dnc_audit_heads_pkey PRIMARY KEY (organization_id, branch),
    CONSTRAINT dnc_audit_heads_chain_hash_check CHECK (length(chain_hash) = 32)
);
COMMENT ON TABLE lead_system.dnc_audit_heads IS
    'The last link of each chain, so that links cut off its end are missed.';

ALTER TABLE lead_system.dnc_audit_chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.dnc_audit_chain FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.dnc_audit_chain
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.dnc_audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.dnc_audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.dnc_audit_heads
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER dnc_audit_log_after_insert AFTER INSERT ON lead_system.dnc_audit_log
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.dnc_audit_collect();
CREATE TRIGGER dnc_audit_chain_append_only BEFORE UPDATE OR DELETE ON lead_system.dnc_audit_chain
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER dnc_audit_chain_no_truncate BEFORE TRUNCATE ON lead_system.dnc_audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
