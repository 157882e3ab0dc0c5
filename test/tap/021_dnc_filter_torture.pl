# The filter of the do-not-call list under fire.  Sixteen sessions add, remove,
# roll back, prepare, rebuild, and load with the trigger off; meanwhile others
# ask the filter, in one snapshot, of every row that the list shows.  The server
# is killed three times and a standby promoted.
#
# It takes about 20 seconds; LEAD_SYSTEM_TORTURE_SECONDS makes it longer.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use LeadSystem;

my $rounds = 5;
my $seconds = int(($ENV{LEAD_SYSTEM_TORTURE_SECONDS} || 20) / $rounds) || 1;
my $conf = <<'CONF';
shared_preload_libraries = 'lead_system'
lead_system.dnc_filter_size = 2MB
max_prepared_transactions = 100
max_connections = 60
fsync = off
restart_after_crash = on
CONF
my $org = 'a0000000-0000-4000-8000-000000000000';

my $primary = start_node('primary', init => { allows_streaming => 1 }, conf => $conf);
create_database($primary, 'crm');
$primary->safe_psql('crm', <<"SQL");
INSERT INTO lead_system.organizations (id, name) VALUES ('$org', 'Alpha');
-- The x-th of 80000 fictional numbers.
CREATE FUNCTION number(x int) RETURNS text LANGUAGE sql IMMUTABLE AS
    \$\$ SELECT '+1' || (200 + x / 100) || '55501' || lpad((x % 100)::text, 2, '0') \$\$;
-- Fails when there is something that must not be.  The second is called for
-- each row of a statement, which sees the rows before.
CREATE FUNCTION must_be_none(n bigint, what text) RETURNS void LANGUAGE plpgsql AS
    \$\$ BEGIN IF n <> 0 THEN RAISE EXCEPTION 'FALSE NEGATIVE: %, %', n, what; END IF; END \$\$;
CREATE FUNCTION looking(x int) RETURNS text LANGUAGE plpgsql AS
    \$\$ BEGIN
        PERFORM must_be_none(count(*), 'inside') FROM (SELECT * FROM lead_system.dnc_list ORDER BY id DESC LIMIT 10) d
          WHERE NOT lead_system.is_on_dnc_list(d.phone_number, d.organization_id);
        RETURN number(x);
    END \$\$;
SQL
# A load with the trigger off; a transaction that stays prepared is in its way.
$primary->safe_psql('crm', <<"SQL");
CREATE FUNCTION load_with_trigger_off(n text) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
    BEGIN
        SET LOCAL lock_timeout = '200ms';
        LOCK TABLE lead_system.dnc_list IN SHARE ROW EXCLUSIVE MODE;
    EXCEPTION WHEN lock_not_available THEN
        RETURN;
    END;
    ALTER TABLE lead_system.dnc_list DISABLE TRIGGER dnc_list_filter;
    INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES ('$org', n, 'manual') ON CONFLICT DO NOTHING;
    ALTER TABLE lead_system.dnc_list ENABLE ALWAYS TRIGGER dnc_list_filter;
END \$\$;
-- What replication does to one of the newest entries; it may be taken.
CREATE FUNCTION renumber(n text) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
    SET LOCAL session_replication_role = replica;
    UPDATE lead_system.dnc_list SET phone_number = n
     WHERE id = (SELECT id FROM lead_system.dnc_list ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED);
EXCEPTION WHEN unique_violation THEN
    NULL;
END \$\$;
SQL
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# What the sessions do, and how often.
my $insert = "INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES ('$org', number(:x), 'manual') ON CONFLICT DO NOTHING;";
my $newest = "SELECT must_be_none(count(*), 'newest') FROM (SELECT * FROM lead_system.dnc_list ORDER BY id DESC LIMIT 50) d"
  . ' WHERE NOT lead_system.is_on_dnc_list(d.phone_number, d.organization_id);';
my %script = (
	add => [ 20, "BEGIN; $insert COMMIT; $newest" ],
	api => [ 6, "SET app.current_org_id = '$org'; SELECT lead_system.add_to_dnc_list(number(:x), 'manual'); RESET app.current_org_id; $newest" ],
	many => [ 2, "INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) SELECT '$org', number((:x + g * 7) % 80000), 'manual' FROM generate_series(1, 60) g ORDER BY 2 ON CONFLICT DO NOTHING; $newest" ],
	inside => [ 2, "INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) SELECT '$org', looking(g), 'manual' FROM generate_series(:x, least(:x + 9, 79999)) g ON CONFLICT DO NOTHING;" ],
	rollback => [ 5, "BEGIN; $insert ROLLBACK;" ],
	savepoint => [ 6, "BEGIN; SAVEPOINT s; $insert ROLLBACK TO s; \\set x random(0, 79999)\n$insert RELEASE s; SAVEPOINT t; $insert RELEASE t; COMMIT; $newest" ],
	own => [ 6, "BEGIN; $insert SELECT must_be_none(count(*), 'own') FROM (SELECT 1) x WHERE lead_system.is_on_dnc_list(number(:x), '$org') <> EXISTS (SELECT FROM lead_system.dnc_list WHERE organization_id = '$org' AND phone_number = number(:x)); COMMIT;" ],
	prepare => [ 8, "BEGIN; $insert PREPARE TRANSACTION 'p:client_id.:x'; $newest COMMIT PREPARED 'p:client_id.:x'; $newest" ],
	unprepare => [ 2, "BEGIN; $insert PREPARE TRANSACTION 'p:client_id.:x'; ROLLBACK PREPARED 'p:client_id.:x';" ],
	remove => [ 6, "DELETE FROM lead_system.dnc_list WHERE organization_id = '$org' AND phone_number = number(:x);" ],
	replica => [ 6, "SELECT renumber(number(:x)); $newest" ],
	off => [ 8, "SELECT load_with_trigger_off(number(:x)); $newest" ],
	rebuild => [ 12, 'SELECT lead_system.rebuild_dnc_filter();' ],
	vacuum => [ 1, 'VACUUM lead_system.dnc_list;' ],
	newest => [ 40, $newest x 5 ],
	all => [ 8, "SELECT must_be_none(count(*), 'all') FROM lead_system.dnc_list d WHERE NOT lead_system.is_on_dnc_list(d.phone_number, d.organization_id);" ],
	other => [ 10, "SELECT must_be_none(count(*), 'other') FROM generate_series(:x, least(:x + 50, 79999)) g WHERE lead_system.is_on_dnc_list(number(g), '$org') <> EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = '$org' AND d.phone_number = number(g));" ]);
my $dir = PostgreSQL::Test::Utils::tempdir;
my @files;
foreach my $name (sort keys %script)
{
	my ($weight, $text) = @{ $script{$name} };
	append_to_file("$dir/$name.sql", "\\set x random(0, 79999)\n" . join(";\n", split(/; */, $text)) . ";\n");
	push @files, '-f', "$dir/$name.sql\@$weight";
}

# A round of torture, with something happening in the middle of it.
sub round
{
	my ($node, $name, $event) = @_;
	my ($out, $err) = ('', '');
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGAPPNAME} = 'pgbench';
	my $h = IPC::Run::start([ 'pgbench', '-n', '-c', 16, '-j', 2, '-T', $event ? $seconds * 10 : $seconds, '--max-tries=20', '--random-seed=7', @files, 'crm' ],
		'>', \$out, '2>', \$err);
	my $until = time + $seconds * ($event ? 1 : 3);
	while (time < $until && $err !~ /FALSE NEGATIVE/ && $h->pumpable)
	{
		IPC::Run::pump_nb($h);
		select(undef, undef, undef, 0.1);
	}
	my $found = $err !~ /FALSE NEGATIVE/;
	$event->() if $event && $found;
	# A session that gave up may have left a prepared transaction, for which others wait.
	$node->stop('immediate') unless $found;
	IPC::Run::finish($h);
	ok($found && $err !~ /FALSE NEGATIVE/, "$name: every number that the list shows is found");
	unless ($found)
	{
		diag($1) if $err =~ /(FALSE NEGATIVE.*)/;
		done_testing();
		exit 1;
	}
	# Of other errors only those that the event brings.
	my @errors = grep { /ERROR|FATAL/ && !/terminating connection|shutting down|starting up|recovery mode|FALSE NEGATIVE|deadlock|not yet accepting/ } split /\n/, $err;
	is(join("\n", @errors), '', "$name: no other errors");
	like($out, qr/number of transactions actually processed: [1-9]/, "$name: work was done") unless $event;
	diag($1) if $ENV{LEAD_SYSTEM_TORTURE_SECONDS} && $out =~ /(number of transactions actually processed: \d+)/;
	return;
}

# Everything as the list has it; what was prepared is found once it is committed.
sub check
{
	my ($node, $name) = @_;
	my @prepared = split /\n/, $node->safe_psql('crm', "SELECT gid FROM pg_prepared_xacts WHERE database = 'crm'");
	$node->safe_psql('crm', 'SELECT lead_system.rebuild_dnc_filter()');
	foreach my $i (0 .. $#prepared)
	{
		$node->safe_psql('crm', ($i % 2 ? 'ROLLBACK' : 'COMMIT') . " PREPARED '$prepared[$i]'");
	}
	is($node->safe_psql('crm', "SELECT state FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list'"), 'ready', "$name: there is a filter");
	is($node->safe_psql('crm', "SELECT count(*) FROM generate_series(0, 79999) x WHERE lead_system.is_on_dnc_list(number(x), '$org') <> EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = '$org' AND d.phone_number = number(x))"),
		'0', "$name: all answers are the table's, " . @prepared . ' transactions were prepared');
	is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.dnc_list") > 0, 1, "$name: and there are entries");
	is($node->safe_psql('crm', "SELECT skips > 0 FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list'"), 't', "$name: the filter was asked");
	return;
}

# Something stays prepared while the server goes down.
sub leave_prepared
{
	my ($node, $x) = @_;
	$node->safe_psql('crm', "BEGIN; INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) VALUES ('$org', number($x), 'manual') ON CONFLICT DO NOTHING; PREPARE TRANSACTION 'left$x'");
	return;
}

leave_prepared($primary, 1);
round($primary, 'a backend is killed', sub {
	my $pid = $primary->safe_psql('crm', "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench' LIMIT 1");
	return fail('somebody to kill') unless $pid;
	crash_backend($primary, $pid);
});
check($primary, 'after a killed backend');

leave_prepared($primary, 2);
round($primary, 'the server is stopped at once', sub { $primary->stop('immediate') });
$primary->start;
check($primary, 'after a stop at once');

leave_prepared($primary, 3);
# The children of a postmaster that is no more notice by themselves; they hold
# the memory until then.
my @children;
round($primary, 'the postmaster is killed', sub {
	@children = split /\n/, $primary->safe_psql('crm', 'SELECT pid FROM pg_stat_activity');
	$primary->kill9;
});
select(undef, undef, undef, 0.1) while kill(0, @children) > 0;
$primary->start;
check($primary, 'after the postmaster was killed');

leave_prepared($primary, 4);
round($primary, 'quiet', undef);
$primary->wait_for_catchup($standby);
is($standby->safe_psql('crm', "SELECT count(*) FROM lead_system.dnc_list d WHERE NOT lead_system.is_on_dnc_list(d.phone_number, d.organization_id)"), '0', 'the standby finds all');
is($standby->safe_psql('crm', "SELECT DISTINCT state, detail FROM lead_system.dnc_filter_status()"), 'off|not on a standby', 'without a filter');
my $entries = $primary->safe_psql('crm', 'SELECT count(*) FROM lead_system.dnc_list');
$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('crm', 'SELECT count(*) FROM lead_system.dnc_list'), $entries, 'promoted: it has all entries');
round($standby, 'promoted', undef);
check($standby, 'promoted');
$standby->stop;
done_testing();
