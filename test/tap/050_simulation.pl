# A few simulated days of three organizations with every part in use, by the
# drivers of test/simulation: at the end everything holds, and every kind of event
# has happened. "make simulate" runs a quarter of it.
#
# SIM_LEADS (a month), SIM_DAYS, SIM_STEP (minutes), SIM_SEED: another simulation.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use LeadSystem;

my $leads = $ENV{SIM_LEADS} // 3000;
my $days = $ENV{SIM_DAYS} // 4;
my $step = $ENV{SIM_STEP} // 120;
my $seed = $ENV{SIM_SEED} // 20260202;

my $node = start_node('main', conf => "fsync = off\nsynchronous_commit = off\n");
create_database($node, 'quarter');
my @files = map { "\\i $ENV{LEAD_SYSTEM_SRC}/test/simulation/$_.sql\n" } qw(world leads market outreach follow_up office advertising run invariants expected);
$node->safe_psql('quarter', join '', @files);
my $started = time;
my ($status, undef, $err) = $node->psql('quarter', <<"SQL", on_error_stop => 1);
SET client_min_messages = error;
SET lead_system.now = '2026-02-02 06:00+00';
CALL sim.make_world($leads, $days, $seed, '$step minutes');
CALL sim.run_until(1);
ANALYZE;
CALL sim.run_until($days);
CALL sim.check_all();
SELECT sim.count_states();
SQL
is($err, '', "$days days of seed $seed go by, and everything holds");
note(sprintf '%.1f s', time - $started);
is($node->safe_psql('quarter', "SELECT string_agg(kind, ', ' ORDER BY kind) FROM sim.missing"), '', 'every kind of event has happened');
note($node->safe_psql('quarter', "SELECT kind, sum(n) FROM sim.log GROUP BY kind ORDER BY kind"));

# Rules that cannot fail would prove nothing.
my %damage = (
	'charge of bid' => 'UPDATE lead_system.bids SET charge_amount = charge_amount / 2',
	'sums of account' => 'UPDATE lead_system.budget_accounts SET balance = balance + 1',
	'counters of' => 'UPDATE lead_system.users SET current_lead_count = current_lead_count + 1',
	'not to be called' => 'UPDATE lead_system.leads SET do_not_call = true',
	'something went out' => "INSERT INTO lead_system.dnc_audit_log (organization_id, action, phone_number, created_at) SELECT organization_id, 'added', called_phone, created_at - interval '1 second' FROM lead_system.call_logs WHERE direction = 'outbound' AND called_phone IS NOT NULL",
	'and smart list' => 'DELETE FROM lead_system.lead_list_members m USING lead_system.lead_lists l WHERE l.id = m.lead_list_id AND l.list_type = \'smart\'',
);
foreach my $fault (sort keys %damage)
{
	my $kind = { 'charge of bid' => 'market', 'sums of account' => 'ledger', 'counters of' => 'count', 'not to be called' => 'queue', 'something went out' => 'dnc', 'and smart list' => 'count' }->{$fault};
	my $found = $node->safe_psql('quarter', <<"SQL");
SELECT set_config('lead_system.now', (hour + step)::text, false) IS NULL FROM sim.settings;
BEGIN;
SET LOCAL session_replication_role = replica;
$damage{$fault};
SET LOCAL session_replication_role = origin;
SELECT string_agg(f, '; ') FROM sim.orgs o, LATERAL (SELECT set_config('app.current_org_id', o.id::text, true)) s, LATERAL (SELECT f FROM sim.${kind}_faults(o) f WHERE s IS NOT NULL OFFSET 0) x;
ROLLBACK;
SQL
	like($found, qr/\Q$fault\E/, "it is found: $fault");
}
$node->stop;
done_testing();
