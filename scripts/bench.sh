#!/bin/sh
# make bench: how fast is it, beside the PL/pgSQL that does the same and the
# bare statement?  In a throw-away server; see bench/README.md.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"

part=${BENCH_PART:-all}
case $part in
all) leads=1000000 dnc=2000000 ;;
market | segments) leads=10000 dnc=10000 ;;
assignment) leads=100000 dnc=0 ;;
nurture | ledger) leads=10000 dnc=0 ;;
analytics) leads=1200000 dnc=0 ;;
*) die "BENCH_PART must be all, market, segments, assignment, nurture, ledger or analytics" ;;
esac
segment_leads=1000000
if [ "$part" = segments ]; then
    # The leads that are counted, beside a small stage.
    segment_leads=${BENCH_LEADS:-$segment_leads}
else
    leads=${BENCH_LEADS:-$leads}
    segment_leads=$((leads / 5))
fi
dnc=${BENCH_DNC:-$dnc}
due=${BENCH_DUE:-100000}
rounds=${BENCH_ROUNDS:-5}
[ "${BENCH_LEADS:-10000}" -ge 10000 ] || die "BENCH_LEADS must be at least 10000"
[ "$due" -ge 1000 ] && [ "$due" -le 100000 ] || die "BENCH_DUE must be between 1000 and 100000"
[ "$rounds" -ge 1 ] && [ "$rounds" -le 10 ] || die "BENCH_ROUNDS must be between 1 and 10"
at_most() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }
members=$(at_most $((leads / 10)) 100000)
import=$(at_most $((leads / 50)) 20000)
batch=$(at_most $((leads / 20)) 5000)

build_packages
make_temporary
build_copy "$here"
install_copy
# Vacuum and checkpoints at a moment of their own choice would only add noise.
start_cluster "shared_preload_libraries = 'lead_system'
lead_system.dnc_filter_size = 64MB
autovacuum = off
checkpoint_timeout = 1h
max_wal_size = 64GB"
as_server_user mkdir "$TMP/files"
run() { as_server_user psql -qX -v dir="$TMP/files" -v leads="$leads" -v dnc="$dnc" -v members="$members" \
    -v import="$import" -v batch="$batch" -v segment_leads="$segment_leads" -P pager=off "$@"; }
part() { [ "$part" = all ] || [ "$part" = "$1" ]; }

# Assignment has a database of its own.  A different case is first in every round.
if [ "$part" = assignment ]; then
    say "$leads leads, 200 users, $rounds rounds"
    run -o /dev/null -f "$TMP/src/bench/assignment.sql"
    round=1
    while [ "$round" -le "$rounds" ]; do
        say "round $round"
        run -At -c "SELECT name FROM bench.cases ORDER BY (position + $round) % 6" >"$TMP/cases"
        while read -r name; do
            run -o /dev/null -v name="$name" -v round="$round" -f "$TMP/src/bench/assignment_run.sql" </dev/null
        done <"$TMP/cases"
        round=$((round + 1))
    done
    run -f "$TMP/src/bench/assignment_report.sql"
    say "PostgreSQL $PG_MAJOR, $(nproc) cores"
    exit
fi

# Steps of sequences, in a database of their own, once.
bench_nurture() {
    as_server_user createdb nurture
    run -d nurture -v due="$due" -f "$TMP/src/bench/nurture.sql"
}
if [ "$part" = nurture ]; then
    bench_nurture
    exit
fi

# Transactions on one account, with the durability of a real server.
bench_ledger() {
    say "the ledger"
    run -c "ALTER SYSTEM SET fsync = on"
    run -o /dev/null -c "SELECT pg_reload_conf()"
    as_server_user env LEDGER_SECONDS="${LEDGER_SECONDS:-20}" LEDGER_ROUNDS="${LEDGER_ROUNDS:-$rounds}" \
        PATH="$PGBIN:$PATH" sh "$TMP/src/bench/ledger.sh"
}
if [ "$part" = ledger ]; then
    bench_ledger
    say "PostgreSQL $PG_MAJOR, $(nproc) cores"
    exit
fi

# Reports, in a database of their own; beside everything else over fewer leads.
bench_analytics() {
    as_server_user createdb analytics
    say "reports over $1 leads, $rounds rounds"
    run -d analytics -v leads="$1" -v rounds="$rounds" -f "$TMP/src/bench/analytics.sql"
}
if [ "$part" = analytics ]; then
    bench_analytics "$leads"
    say "PostgreSQL $PG_MAJOR, $(nproc) cores"
    exit
fi

say "$leads leads, $segment_leads to filter, $dnc numbers on the do-not-call list, $rounds rounds"
started=$(date +%s)
for file in setup plain_read plain_write plain_campaign plain_market plain_segments cases; do
    run -o /dev/null -f "$TMP/src/bench/$file.sql"
done
say "that was there after $(($(date +%s) - started)) s"
if [ "$part" = all ]; then
    run -At -f "$TMP/src/bench/check_read.sql"
    run -f "$TMP/src/bench/filter.sql"
fi
round=1
while [ "$round" -le "$rounds" ]; do
    say "round $round"
    if [ "$part" = all ]; then
        run -o /dev/null -v round="$round" -f "$TMP/src/bench/files.sql"
        run -o /dev/null -v round="$round" -f "$TMP/src/bench/round.sql"
    fi
    if part market; then run -o /dev/null -v round="$round" -f "$TMP/src/bench/round_market.sql"; fi
    if part segments; then run -o /dev/null -v round="$round" -f "$TMP/src/bench/round_segments.sql"; fi
    round=$((round + 1))
done
if [ "$part" = all ]; then run -At -f "$TMP/src/bench/check_write.sql"; fi
if part market; then run -At -f "$TMP/src/bench/check_market.sql"; fi
if part segments; then run -At -f "$TMP/src/bench/check_segments.sql"; fi
run -f "$TMP/src/bench/report.sql"
if [ "$part" = all ]; then
    bench_nurture
    bench_ledger
    bench_analytics $((leads / 5))
fi
say "PostgreSQL $PG_MAJOR, $(nproc) cores, $(($(date +%s) - started)) s in all"
