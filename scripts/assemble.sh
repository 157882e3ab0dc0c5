#!/bin/sh
# Assembles the install script from the parts that src/install.list names.
# Functions come as they are; tables and views become the body of
# storage_script(), which install_storage() runs outside the extension.
#
# usage: assemble.sh LIST > SCRIPT
set -eu

list=$1
parts() { grep -v '^#' "$list" | grep -E "$1" || true; }

cat <<'HEAD'
/* lead_system install script; made by scripts/assemble.sh, not edited by hand */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION lead_system" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

HEAD

for part in $(parts '[/_]functions\.sql$'); do
    cat "$part"
    echo
done

cat <<'STORAGE'
CREATE FUNCTION lead_system.storage_script() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$ SELECT $storage$
STORAGE
for part in $(parts '[/_](tables|views)\.sql$'); do
    cat "$part"
    echo
done
cat <<'TAIL'
$storage$::text $function$;
COMMENT ON FUNCTION lead_system.storage_script() IS
    'Internal: the statements that make tables, indexes, triggers, policies and views of this version.';
REVOKE ALL ON FUNCTION lead_system.storage_script() FROM PUBLIC;

SELECT lead_system.install_storage();
TAIL
