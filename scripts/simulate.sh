#!/bin/sh
# make simulate: a simulated quarter of three organizations with everything in
# use, in a throw-away server; see test/simulation/README.md.  Fails when
# something does not hold at the end of a week, or a kind of event is missing.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"

leads=${SIM_LEADS:-10000}
days=${SIM_DAYS:-90}
step=${SIM_STEP:-60}
seed=${SIM_SEED:-20260202}
[ "$leads" -ge 1000 ] && [ "$leads" -le 12000 ] || die "SIM_LEADS must be between 1000 and 12000 a month: there are no more fictional numbers"
[ "$days" -ge 1 ] && [ "$days" -le 90 ] || die "SIM_DAYS must be between 1 and 90"
[ "$step" -ge 1 ] && [ "$step" -le 240 ] && [ $((1440 % step)) = 0 ] || die "SIM_STEP must be minutes that divide a day, 240 at most"

build_packages
make_temporary
build_copy "$here"
install_copy
start_cluster "max_locks_per_transaction = 256"
run() { as_server_user psql -qX -v ON_ERROR_STOP=1 -o /dev/null "$@"; }
run -c 'CREATE EXTENSION pg_trgm' -c 'CREATE EXTENSION lead_system' -c 'ALTER DATABASE postgres SET client_min_messages = error'
for file in world leads market outreach follow_up office advertising run invariants expected; do
    run -f "$TMP/src/test/simulation/$file.sql"
done
say "$leads leads a month, $days days, a step each $step minutes, seed $seed"
started=$(date +%s)
run -c "SET lead_system.now = '2026-02-02 06:00+00'" -c "CALL sim.make_world($leads, $days, $seed, '$step minutes')"
day=0
while [ "$day" -lt "$days" ]; do
    day=$((day + 1))
    # Plans that were made for empty tables are made again each day.
    run -c "SELECT set_config('lead_system.now', hour::text, false), setseed((($seed + $day) % 100000) / 100000.0) FROM sim.settings" \
        -c "CALL sim.run_until($day)" -c ANALYZE
    if [ $((day % 7)) = 0 ] || [ "$day" = "$days" ]; then
        run -c "SELECT set_config('lead_system.now', hour::text, false) FROM sim.settings" -c 'CALL sim.check_all()' -c VACUUM
        say "day $day: everything holds, after $(($(date +%s) - started)) s"
    fi
done
run -c 'SELECT sim.count_states()'
as_server_user psql -qX -P pager=off -At -F ' ' -c "SELECT sum(n), kind FROM sim.log GROUP BY kind ORDER BY kind"
missing=$(as_server_user psql -qXAt -c "SELECT string_agg(kind, ', ' ORDER BY kind) FROM sim.missing")
[ -z "$missing" ] || die "these have never happened: $missing"
as_server_user psql -qXAt -c "SELECT '== ' || sum(n) || ' events, ' || (SELECT sum(made) FROM sim.orgs) || ' leads' FROM sim.log"
say "PostgreSQL $PG_MAJOR, $(nproc) cores, $(($(date +%s) - started)) s of real time"
