#!/bin/sh
# make check: everything, in a throw-away server, on a machine with only a
# compiler and make.  Closes with "N passed, N failed".
#
# SUITES limits it to some of: lint regress isolation pgtap tap.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"

SUITES=${SUITES:-lint regress isolation pgtap tap}
passed=0
failed=0

# Count the tests of a suite from its output: pg_regress of 15 and of 16 and
# later, and TAP.  A suite that ends badly without a failed test counts as one.
count() { # count SUITE STATUS LOG
    good=$(grep -cE '^(ok |test .* \.\.\. +ok)' "$3" || true)
    bad=$(grep -cE '^(not ok |test .* \.\.\. +FAILED)' "$3" || true)
    [ "$2" != 0 ] && [ "$bad" = 0 ] && bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
    say "$1: $good passed, $bad failed"
}

wanted() { case " $SUITES " in *" $1 "*) return 0 ;; esac; return 1; }

# Run a suite; show its output only when something failed.
suite() { # suite NAME COMMAND...
    name=$1
    shift
    status=0
    "$@" >"$TMP/$name.log" 2>&1 || status=$?
    if [ $status != 0 ]; then
        grep -vE '^ok |\.\.\. +ok' "$TMP/$name.log" | tail -n 300
    fi
    count "$name" $status "$TMP/$name.log"
}

pgxs_make() {
    as_server_user make -s -C "$TMP/src" installcheck PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config" "$@"
}

run_regress() { # pg_regress writes its differences into a file
    pgxs_make ISOLATION= || { cat "$TMP/src/regression.diffs" 2>/dev/null; return 1; }
}

run_isolation() {
    pgxs_make REGRESS= || { cat "$TMP/src/test/isolation/output_iso/regression.diffs" "$TMP/src/test/isolation/regression.diffs" 2>/dev/null; return 1; }
}

run_pgtap() {
    as_server_user createdb pgtap
    as_server_user psql -qX -d pgtap -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION pg_trgm' -c 'CREATE EXTENSION lead_system'
    as_server_user pg_prove -v -d pgtap "$TMP"/src/test/pgtap/*.sql
}

run_tap() {
    # PostgreSQL::Test looks for pg_regress to configure authentication.
    as_server_user env PERL5LIB="$PGXS_DIR/src/test/perl:$TMP/src/test/tap/lib" \
        PG_REGRESS="$PGXS_DIR/src/test/regress/pg_regress" TESTDATADIR="$TMP/tap" TESTLOGDIR="$TMP/tap/log" \
        LEAD_SYSTEM_SRC="$TMP/src" \
        sh -c "cd '$TMP/src' && prove -v -j2 test/tap/*.pl"
}

build_packages
test_packages
make_temporary
started=$(date +%s)
if wanted lint; then suite lint "$here/scripts/lint.sh"; fi
build_copy "$here"
install_copy
start_cluster
if wanted regress; then suite regress run_regress; fi
if wanted isolation; then suite isolation run_isolation; fi
if wanted pgtap; then suite pgtap run_pgtap; fi
if wanted tap; then suite tap run_tap; fi
say "took $(($(date +%s) - started)) s on PostgreSQL $PG_MAJOR"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
