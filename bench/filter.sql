-- The filter of the do-not-call list: what it adds to a COPY, and its memory.
-- A tenth of the list is copied into another organization, in turns with the
-- filter's trigger and without it; each load is removed before the next one.
\set ON_ERROR_STOP on
RESET app.current_org_id;
SET lead_system.now = '';
SELECT lead_system.create_organization('Filter') AS org \gset
SELECT format('COPY (SELECT %L, bench.number(3000000 + g), ''import'' FROM generate_series(1, %s) g) TO %L',
              :'org', greatest(:dnc / 10, 1000), :'dir' || '/dnc') \gexec
CREATE TEMP TABLE loads (variant text, ms numeric);
CREATE PROCEDURE bench.load(variant text, file text, org uuid) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
BEGIN
    EXECUTE format('ALTER TABLE lead_system.dnc_list %s TRIGGER dnc_list_filter', CASE variant WHEN 'with' THEN 'ENABLE ALWAYS' ELSE 'DISABLE' END);
    PERFORM lead_system.rebuild_dnc_filter();
    COMMIT;
    CHECKPOINT;
    began := clock_timestamp();
    EXECUTE format('COPY lead_system.dnc_list (organization_id, phone_number, reason) FROM %L', file);
    COMMIT;
    INSERT INTO loads VALUES (variant, extract(epoch FROM clock_timestamp() - began) * 1000);
    SET LOCAL session_replication_role = replica;
    DELETE FROM lead_system.dnc_list WHERE organization_id = org;
    COMMIT;
END
$$;
SELECT format('CALL bench.load(%L, %L, %L)', CASE (g + g / 2) % 2 WHEN 0 THEN 'with' ELSE 'without' END, :'dir' || '/dnc', :'org')
  FROM generate_series(1, 12) g \gexec
ALTER TABLE lead_system.dnc_list ENABLE ALWAYS TRIGGER dnc_list_filter;
VACUUM lead_system.dnc_list;
SELECT lead_system.rebuild_dnc_filter() \g /dev/null
SELECT round(w.ms) AS "COPY with filter, ms", round(o.ms) AS "without, ms", round((w.ms / o.ms)::numeric, 2) AS "with/without"
  FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM loads WHERE variant = 'with') w,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM loads WHERE variant = 'without') o;
SELECT numbers, size_bytes, round(size_bytes * 1000000.0 / numbers / 1048576, 2) AS "MB per million",
       round(fill::numeric, 3) AS fill, round((false_positive_rate * 100)::numeric, 3) AS "false positives, %"
  FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list';
