-- compliance: the hash chain over the audit of the do-not-call list.

CREATE FUNCTION lead_system.verify_dnc_audit() RETURNS TABLE (ok boolean, broken_at uuid)
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1 COST 100000 AS 'MODULE_PATHNAME', 'ls_compliance_verify_audit';
COMMENT ON FUNCTION lead_system.verify_dnc_audit() IS
    'Is the do-not-call audit of the session''s organization whole? One row: true, or false and the id of the first audit row that was changed, removed, inserted or moved.';
REVOKE ALL ON FUNCTION lead_system.verify_dnc_audit() FROM PUBLIC;

CREATE FUNCTION lead_system.dnc_audit_head() RETURNS TABLE (branch uuid, sequence bigint, hash text)
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10 AS 'MODULE_PATHNAME', 'ls_compliance_audit_head';
COMMENT ON FUNCTION lead_system.dnc_audit_head() IS
    'The end of the do-not-call audit''s hash chain in the session''s organization: number of rows and the hash, in hexadecimal, that stands for all of them; 0 and NULL while nothing was audited. After it a row for each branch that a prepared transaction has written. To be noted where the database''s administrators cannot write.';
REVOKE ALL ON FUNCTION lead_system.dnc_audit_head() FROM PUBLIC;

CREATE FUNCTION lead_system.dnc_audit_collect() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_audit_collect';
COMMENT ON FUNCTION lead_system.dnc_audit_collect() IS
    'Trigger of dnc_audit_log: remembers the rows of the transaction, which are chained when it commits.';
REVOKE ALL ON FUNCTION lead_system.dnc_audit_collect() FROM PUBLIC;
