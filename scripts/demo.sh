#!/bin/sh
# make demo: the main job done on screen, in a throw-away server, with data
# that it invents.  Fails when something does, or when the story ends
# differently.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"

build_packages
make_temporary
build_copy "$here"
install_copy
start_cluster
started=$(date +%s)
as_server_user awk -v dir="$TMP/data" -f "$TMP/src/demo/generate.awk"
as_server_user psql -qX -o /dev/null -f "$TMP/src/demo/stage.sql"
as_server_user psql -qX -v ON_ERROR_STOP=1 -P footer=off -P pager=off \
    -c 'SET ROLE demo_app' -c '\set ECHO queries' -c '\timing on' -f "$TMP/src/demo/story.sql"
as_server_user psql -qX -f "$TMP/src/demo/verify.sql"
say "that took $(($(date +%s) - started)) s, and every count is as it has to be"
