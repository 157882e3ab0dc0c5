#!/bin/sh
# Transactions per second on one account, ours beside PL/pgSQL, in a database of
# its own on the server that PGHOST names. See bench/README.md.
#   LEDGER_SECONDS=60 LEDGER_CLIENTS=16 LEDGER_ROUNDS=3 bench/ledger.sh
set -e
here=$(cd "$(dirname "$0")" && pwd)
seconds=${LEDGER_SECONDS:-60}
clients=${LEDGER_CLIENTS:-16}
rounds=${LEDGER_ROUNDS:-3}
database=ledger_bench
directory=$(mktemp -d)
trap 'rm -rf "$directory"; dropdb --if-exists "$database"' EXIT
dropdb --if-exists "$database" 2>/dev/null
createdb "$database"
psql -qX -d "$database" -c 'CREATE EXTENSION lead_system'
psql -qX -d "$database" -f "$here/ledger.sql"
ask() { psql -qXAt -d "$database" -c "$1"; }
org=$(ask 'SELECT organization_id FROM lead_system.budget_accounts')
account=$(ask 'SELECT id FROM lead_system.budget_accounts')
ask "ALTER DATABASE $database SET app.current_org_id = '$org'"
echo "SELECT lead_system.post_transaction('$account', 'debit', -0.01, 'call');" >"$directory/ours.sql"
echo "SELECT ledger_bench.post('$account', 'debit', -0.01, 'call');" >"$directory/plpgsql.sql"
for round in $(seq "$rounds"); do
    for n in 1 "$clients"; do
        for variant in ours plpgsql; do
            tps=$(pgbench -n -M prepared -c "$n" -j 2 -T "$seconds" -f "$directory/$variant.sql" "$database" 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p')
            echo "round $round, $n clients, $variant: $tps transactions per second"
        done
    done
done
ask "SELECT format('%s transactions, verify_ledger: %s', a.last_sequence, v.ok) FROM lead_system.budget_accounts a, lead_system.verify_ledger(a.id) v"
