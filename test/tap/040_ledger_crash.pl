# Sixteen clients spend from one account, with holds, refunds and captures, and
# the server is killed in the middle: the chain is whole, the balance is the sum,
# nothing is below zero, and what was acknowledged is there.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use LeadSystem;

my $seconds = $ENV{LEDGER_SECONDS} || 4;
my $clients = 16;

my $node = start_node('main', conf => "fsync = on\nsynchronous_commit = on\n");
create_database($node, 'crm');
my $org = $node->safe_psql('crm', "SELECT lead_system.create_organization('Ledger')");
my $enter = "SET app.current_org_id = '$org';";
my $account = $node->safe_psql('crm', "$enter SELECT lead_system.open_account()");
$node->safe_psql('crm', "$enter SELECT lead_system.post_transaction('$account', 'credit', 50)");

# What is refused for want of money is part of the game; any other error ends a client.
$node->safe_psql('crm', <<"SQL");
CREATE FUNCTION try_post(kind text, cents integer) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
	PERFORM lead_system.post_transaction('$account', kind, cents / 100.0);
EXCEPTION WHEN SQLSTATE 'LS020' THEN
	NULL;
END \$\$;
CREATE FUNCTION try_hold(cents integer, capture boolean) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
	hold uuid;
BEGIN
	hold := lead_system.hold_budget('$account', cents / 100.0);
	IF capture THEN
		PERFORM lead_system.capture_hold(hold, (1 + cents / 2) / 100.0);
	ELSE
		PERFORM lead_system.release_hold(hold);
	END IF;
EXCEPTION WHEN SQLSTATE 'LS020' THEN
	NULL;
END \$\$;
SQL
my $script = $node->basedir . '/spend.sql';
append_to_file($script, <<"SQL");
\\set kind random(1, 10)
\\set cents random(2, 700)
SET app.current_org_id = '$org';
\\if :kind <= 5
SELECT try_post('debit', -:cents);
\\elif :kind <= 7
SELECT try_post('credit', :cents);
\\else
SELECT try_hold(:cents, :kind = 8);
\\endif
SQL

# What must be true whenever one looks: each query answers whether it is not.
my %rules = (
	'the chain is whole' => "SELECT concat_ws(' ', ok, broken_at, detail) <> 't' FROM lead_system.verify_ledger('$account')",
	'the balance is the sum of the amounts, and of what is held' => "SELECT ROW(balance, held, last_sequence) <> ANY (SELECT sum(amount), sum(held_change), count(*) FROM lead_system.budget_transactions WHERE account_id = a.id) FROM lead_system.budget_accounts a WHERE id = '$account'",
	'the sequence has no gap' => "SELECT count(*) <> max(sequence) OR min(sequence) <> 1 FROM lead_system.budget_transactions WHERE account_id = '$account'",
	'nothing was ever below zero, or below what was held' => "SELECT count(*) > 0 FROM lead_system.budget_transactions WHERE account_id = '$account' AND (balance_after < held_after OR held_after < 0)",
	'holds that are open add up to what is held' => "SELECT held <> (SELECT coalesce(sum(amount), 0) FROM lead_system.budget_holds WHERE account_id = a.id AND status = 'held') FROM lead_system.budget_accounts a WHERE id = '$account'",
);

sub check_rules
{
	my ($name) = @_;
	foreach my $rule (sort keys %rules)
	{
		is($node->safe_psql('crm', "$enter $rules{$rule}"), 'f', "$name: $rule");
	}
	return;
}

sub count_of
{
	return $node->safe_psql('crm', "SELECT count(*) FROM lead_system.budget_transactions WHERE account_id = '$account'");
}

# Kill the postmaster; its children notice, and leave. The server can start when
# the last one has.
sub kill_server
{
	$node->kill9;
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return pass('the server starts again') if $node->start(fail_ok => 1);
		usleep(100_000);
		$node->stop('immediate', fail_ok => 1);
	}
	BAIL_OUT('the server does not start after kill -9');
	return;
}

# One run of pgbench; calls back in the middle of it.
sub run_clients
{
	my ($interruption) = @_;
	my ($out, $err) = ('', '');
	my @command = ('pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $clients, '-j', 2,
		'-T', $seconds, '-M', 'simple', '-f', $script, 'crm');
	my $run = IPC::Run::start(\@command, '<', \undef, '>', \$out, '2>', \$err);
	if ($interruption)
	{
		my $before = count_of();
		usleep(100_000) while count_of() < $before + 100;
		$interruption->();
	}
	$run->finish;
	return ($out, $err);
}

my ($out, $err) = run_clients();
like($out, qr/tps = /, 'sixteen clients work');
unlike($err, qr/aborted/, 'none of them meets an error');
my ($tps) = $out =~ /tps = ([0-9.]+)/;
note("$clients clients, one account: $tps transactions per second");
check_rules('after a run');

my $before = count_of();
cmp_ok($before, '>', 100, 'there are transactions');
run_clients(\&kill_server);
cmp_ok(count_of(), '>', $before, 'the server was killed in the middle');
check_rules('after the kill');

($out, $err) = run_clients();
unlike($err, qr/aborted/, 'it goes on');
check_rules('after another run');

# A rule that cannot fail would prove nothing.
$node->safe_psql('crm', "SET session_replication_role = replica; UPDATE lead_system.budget_transactions SET amount = amount - 1, balance_after = balance_after - 1 WHERE account_id = '$account' AND sequence = (SELECT max(sequence) FROM lead_system.budget_transactions WHERE transaction_type = 'debit')");
is($node->safe_psql('crm', "$enter $rules{'the chain is whole'}"), 't', 'a change is found');

$node->stop;
done_testing();
