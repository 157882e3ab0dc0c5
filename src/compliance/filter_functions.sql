-- compliance: the filter of the do-not-call lists in shared memory.

CREATE FUNCTION lead_system.dnc_filter_status()
    RETURNS TABLE (list text, state text, detail text, size_bytes bigint, numbers bigint, capacity bigint, removed bigint,
                   fill double precision, false_positive_rate double precision, lookups bigint, skips bigint,
                   false_positives bigint, built_at timestamptz, memory_bytes bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 2 AS 'MODULE_PATHNAME', 'ls_compliance_dnc_filter_status';
COMMENT ON FUNCTION lead_system.dnc_filter_status() IS
    'State of the filters of this database, one row per list: size, numbers, the number at which it is built anew and bigger, numbers removed since it was built, share of bits set, expected rate of false positives; look-ups, those that the filter answered alone (skips), those that it passed on and the index had nothing; and the memory for all filters of the server.';
REVOKE ALL ON FUNCTION lead_system.dnc_filter_status() FROM PUBLIC;

CREATE FUNCTION lead_system.rebuild_dnc_filter() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_rebuild_dnc_filter';
COMMENT ON FUNCTION lead_system.rebuild_dnc_filter() IS
    'Builds the filters of this database now; else that is done in the background when a look-up misses them. Does not disturb writers; look-ups use the index meanwhile. Raises 55000 without shared_preload_libraries.';
REVOKE ALL ON FUNCTION lead_system.rebuild_dnc_filter() FROM PUBLIC;

CREATE FUNCTION lead_system.dnc_filter_note() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_compliance_dnc_filter_note';
COMMENT ON FUNCTION lead_system.dnc_filter_note() IS
    'Trigger of dnc_list and national_dnc_registry, ENABLE ALWAYS: tells the filter in shared memory of each row that comes in, before its transaction can commit.';
REVOKE ALL ON FUNCTION lead_system.dnc_filter_note() FROM PUBLIC;
