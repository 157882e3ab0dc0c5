# What the tests of lead_system share on top of PostgreSQL::Test.
package LeadSystem;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(start_node create_database fill digests dump_database same_text
  try_sql sql_as wait_for_lock crash_backend ALPHA BRAVO);

# The organizations that fill() makes.
use constant ALPHA => 'a0000000-0000-4000-8000-000000000000';
use constant BRAVO => 'b0000000-0000-4000-8000-000000000000';

# A server that is quick to start and says the same in every time zone.
sub start_node
{
	my ($name, %param) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, %{ $param{new} || {} });
	$node->init(%{ $param{init} || {} });
	$node->append_conf('postgresql.conf', <<"CONF");
shared_buffers = 32MB
max_connections = 30
autovacuum = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
@{[ $param{conf} || '' ]}
CONF
	$node->start;
	return $node;
}

# A database with the extension.
sub create_database
{
	my ($node, $name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION pg_trgm; CREATE EXTENSION lead_system');
	return;
}

# Two organizations with rows in the tables, and a role for each level; the same
# that the pgTAP tests look at, but committed.  The marketplace has tables of its
# own, which are filled on request.
sub fill
{
	my ($node, $db, %param) = @_;
	my @parts = ('two_organizations', $param{markets} ? 'two_markets' : ());
	my $files = join '', map { "\\i $ENV{LEAD_SYSTEM_SRC}/test/pgtap/lib/$_.sql\n" } @parts;
	$node->safe_psql($db, "BEGIN;\n${files}COMMIT;");
	return;
}

# Table by table: how many rows, and a digest of all of them.
sub digests
{
	my ($node, $db) = @_;
	my $tables = $node->safe_psql($db,
		q{SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'lead_system'::regnamespace AND relkind = 'r' ORDER BY 1::text});
	my $sql = join ' UNION ALL ', map {
		"SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) FROM $_ t"
	} split /\n/, $tables;
	return $node->safe_psql($db, "$sql ORDER BY 1");
}

# A dump as text.  The key that keeps psql from running more than it should is
# another one each time.
sub dump_database
{
	my ($node, $db, @options) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir . "/$db.sql";
	$node->command_ok([ 'pg_dump', @options, '--no-sync', '-f', $file, $node->connstr($db) ], "$db is dumped");
	my $text = slurp_file($file);
	$text =~ s/^\\(un)?restrict .*\n//mg;
	return $text;
}

# Two long texts are the same; show where they begin to differ, not all of it.
sub same_text
{
	my ($got, $expected, $name) = @_;
	return pass($name) if $got eq $expected;
	my @got = split /\n/, $got;
	my @expected = split /\n/, $expected;
	my $i = 0;
	$i++ while $i < @got && $i < @expected && $got[$i] eq $expected[$i];
	fail($name);
	diag("line " . ($i + 1) . "\n got:      " . ($got[$i] // '(end)') . "\n expected: " . ($expected[$i] // '(end)'));
	return 0;
}

# Run statements as a role; returns standard output, or the SQLSTATE and the
# message when they fail.
sub try_sql
{
	my ($node, $db, $sql, @options) = @_;
	my ($status, $out, $err) = $node->psql($db, $sql,
		extra_params => [ '-v', 'VERBOSITY=verbose', @options ], on_error_stop => 1);
	return $out if $status == 0;
	return "$1: $2" if $err =~ /ERROR:\s+(\w{5}): (.*)/;
	return "FATAL: $err";
}

# The same inside an organization, as a login role.
sub sql_as
{
	my ($node, $db, $role, $org, $sql) = @_;
	return try_sql($node, $db, $sql, '-U', $role) unless defined $org;
	return try_sql($node, $db, "SET app.current_org_id = '$org';\n$sql", '-U', $role);
}

# Wait until a backend waits for a lock.
sub wait_for_lock
{
	my ($node, $db, $pid) = @_;
	return $node->poll_query_until($db,
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
}

# Kill a backend as the kernel would, short of memory, and wait until the server
# has recovered.
sub crash_backend
{
	my ($node, $pid) = @_;
	my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
	my $log = -s $node->logfile;
	is(PostgreSQL::Test::Utils::system_log('pg_ctl', 'kill', 'KILL', $pid), 0, "backend is killed");
	ok($node->wait_for_log(qr/all server processes terminated; reinitializing.*database system is ready/s, $log),
		'the server recovers');
	$node->poll_query_until('postgres', 'SELECT true');
	is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'by itself');
	return;
}

1;
