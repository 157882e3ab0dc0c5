#!/bin/sh
# Transactions per second on one account, ours beside PL/pgSQL, in a database of
# its own on the server that PGHOST names, with the durability of a real server.
# See bench/README.md.
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
ask "ALTER DATABASE $database SET synchronous_commit = on"
echo "SELECT lead_system.post_transaction('$account', 'debit', -0.01, 'call');" >"$directory/ours.sql"
echo "SELECT ledger_bench.post('$account', 'debit', -0.01, 'call');" >"$directory/plpgsql.sql"
echo "fsync $(ask 'SHOW fsync'), synchronous_commit $(ask 'SHOW synchronous_commit'), $seconds s per figure"
ask 'CREATE TABLE ledger_bench.figures (clients integer, variant text, tps numeric)'
for round in $(seq "$rounds"); do
    # Who comes first changes with the round.
    if [ $((round % 2)) = 1 ]; then variants='ours plpgsql'; else variants='plpgsql ours'; fi
    for n in 1 "$clients"; do
        for variant in $variants; do
            tps=$(pgbench -n -M prepared -c "$n" -j 2 -T "$seconds" -f "$directory/$variant.sql" "$database" 2>&1 | sed -n 's/^tps = \([0-9.]*\).*/\1/p')
            echo "round $round, $n clients, $variant: ${tps:-failed} transactions per second"
            ask "INSERT INTO ledger_bench.figures VALUES ($n, '$variant', $tps)"
        done
    done
done
psql -qX -P pager=off -d "$database" <<'SQL'
SELECT clients, round(m.ours) AS ours, round(m.plpgsql) AS plpgsql, round((m.ours / m.plpgsql)::numeric, 2) AS ratio
  FROM (SELECT clients, percentile_cont(0.5) WITHIN GROUP (ORDER BY tps) FILTER (WHERE variant = 'ours') AS ours,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY tps) FILTER (WHERE variant = 'plpgsql') AS plpgsql
          FROM ledger_bench.figures GROUP BY clients) m ORDER BY clients;
SQL
ask "SELECT format('%s transactions, verify_ledger: %s, balance is the sum: %s', a.last_sequence, v.ok,
            a.balance = (SELECT sum(amount) FROM lead_system.budget_transactions))
       FROM lead_system.budget_accounts a, lead_system.verify_ledger(a.id) v"
