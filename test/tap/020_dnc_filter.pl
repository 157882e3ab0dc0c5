# When the filter of the do-not-call lists is built, used, and not used.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Cwd 'abs_path';
use LeadSystem;

my $org = 'a0000000-0000-4000-8000-000000000000';
my $node = start_node('primary', init => { allows_streaming => 'logical' }, conf => <<'CONF');
shared_preload_libraries = 'lead_system'
lead_system.dnc_filter_size = 1MB
max_prepared_transactions = 10
fsync = off
CONF
create_database($node, 'crm');
$node->safe_psql('crm', <<"SQL");
INSERT INTO lead_system.organizations (id, name) VALUES ('$org', 'Alpha');
CREATE FUNCTION number(x int) RETURNS text LANGUAGE sql IMMUTABLE AS
    \$\$ SELECT '+1' || (200 + x / 100) || '55501' || lpad((x % 100)::text, 2, '0') \$\$;
SQL

sub insert_sql
{
	my ($from, $to) = @_;
	return "INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) SELECT '$org', number(g), 'manual' FROM generate_series($from, $to) g;";
}

sub state_of
{
	my ($db, $list) = @_;
	return $node->safe_psql($db, "SELECT state FROM lead_system.dnc_filter_status() WHERE list = '" . ($list || 'dnc_list') . "'");
}

sub skips
{
	my ($db) = @_;
	return $node->safe_psql($db, "SELECT skips FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list'");
}

# All answers are the list's, whether or not there is a filter.
sub agrees
{
	my ($db, $name) = @_;
	is($node->safe_psql($db, "SELECT count(*) FROM generate_series(0, 3999) x WHERE lead_system.is_on_dnc_list(number(x), '$org') <> EXISTS (SELECT FROM lead_system.dnc_list d WHERE d.organization_id = '$org' AND d.phone_number = number(x))"),
		'0', "$name: all answers are the list's");
	return;
}

sub rebuilt
{
	my ($name) = @_;
	$node->safe_psql('crm', 'SELECT lead_system.rebuild_dnc_filter()');
	is(state_of('crm'), 'ready', "$name: built again");
	agrees('crm', $name);
	return;
}

# The first look-up that misses it has it built.
$node->safe_psql('crm', insert_sql(0, 9));
is(state_of('crm'), 'empty', 'nobody has asked');
$node->safe_psql('crm', "SELECT lead_system.is_on_dnc_list(number(5), '$org')");
ok($node->poll_query_until('crm', "SELECT state = 'ready' FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list'"),
	'the first look-up starts a worker that builds it');
agrees('crm', 'built');
my $skips = skips('crm');
cmp_ok($skips, '>', 3900, 'the filter answers for those that are not listed');
is($node->safe_psql('crm', "SELECT numbers FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list'"), '10', 'it has ten numbers');

# Not used where it cannot know.
$node->safe_psql('crm', "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT lead_system.is_on_dnc_list(number(3000), '$org'); COMMIT");
is(skips('crm'), $skips, 'a serializable transaction asks the index');
is($node->safe_psql('crm', "BEGIN; WITH new AS (" . insert_sql(3000, 3000) =~ s/;$//r . " RETURNING phone_number) SELECT count(*) FROM new; SELECT lead_system.is_on_dnc_list(number(3000), '$org'), lead_system.is_on_dnc_list(number(3001), '$org'); ROLLBACK"),
	"1\nt|f", 'one sees the own rows');
is(skips('crm'), $skips, 'through the index');
$node->safe_psql('crm', <<"SQL");
CREATE FUNCTION sees(x int) RETURNS text LANGUAGE plpgsql VOLATILE AS
    \$\$ BEGIN IF x > 3010 AND NOT lead_system.is_on_dnc_list(number(x - 1), '$org') THEN RAISE 'row of this statement is not found'; END IF; RETURN number(x); END \$\$;
INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason) SELECT '$org', sees(g), 'manual' FROM generate_series(3010, 3020) g;
SQL
pass('one sees the rows of a statement that has not ended');
agrees('crm', 'inserted');

# Ways in which rows come in.
my $file = abs_path(PostgreSQL::Test::Utils::tempdir) . '/copy';
append_to_file($file, join '', map { my $x = $_; sprintf "%s\t+1%d55501%02d\tmanual\n", $org, 200 + $x / 100, $x % 100 } 100 .. 199);
$node->safe_psql('crm', "COPY lead_system.dnc_list (organization_id, phone_number, reason) FROM '$file'");
agrees('crm', 'COPY');
$node->safe_psql('crm', 'SET session_replication_role = replica;' . insert_sql(200, 299));
agrees('crm', 'as a replica');
$node->safe_psql('crm', "SET session_replication_role = replica; UPDATE lead_system.dnc_list SET phone_number = number(300) WHERE phone_number = number(200)");
agrees('crm', 'update');
is(state_of('crm'), 'ready', 'it has been in use all the time');
$node->safe_psql('crm', 'BEGIN;' . insert_sql(400, 409) . "PREPARE TRANSACTION 'p'");
rebuilt('prepared');
$node->safe_psql('crm', "COMMIT PREPARED 'p'");
agrees('crm', 'committed');
is(state_of('crm'), 'ready', 'it was built with what was prepared');

# The list grows, and the filter with it.
$node->safe_psql('crm', insert_sql(500, 2999));
ok($node->poll_query_until('crm', "SELECT lead_system.is_on_dnc_list(number(1), '$org') AND state = 'ready' AND capacity > 2500 AND numbers <= capacity FROM lead_system.dnc_filter_status() WHERE list = 'dnc_list'"),
	'a full filter is replaced by a bigger one');
agrees('crm', 'grown');
$node->safe_psql('crm', "DELETE FROM lead_system.dnc_list WHERE phone_number >= number(500) AND phone_number < number(3000)");
agrees('crm', 'removed');

# The trigger.  Off and on again in one transaction is noticed, also by a session
# that has looked before.
my $session = $node->background_psql('crm', on_error_stop => 0);
my $question = "SELECT lead_system.is_on_dnc_list(number(3100), '$org')";
rebuilt('small again');
is($session->query_safe($question), 'f', 'not listed yet');
my $off = 'ALTER TABLE lead_system.dnc_list DISABLE TRIGGER dnc_list_filter;';
my $on = 'ALTER TABLE lead_system.dnc_list ENABLE ALWAYS TRIGGER dnc_list_filter;';
$node->safe_psql('crm', "BEGIN; $off" . insert_sql(3100, 3109) . "$on COMMIT");
is($session->query_safe($question), 't', 'a load with the trigger off is found');
rebuilt('off and on');
$node->safe_psql('crm', "BEGIN; $off" . insert_sql(3110, 3119) . "$on PREPARE TRANSACTION 'q'");
is(state_of('crm'), 'stale', 'not used from the moment at which the trigger is touched');
$node->safe_psql('crm', $question);
$node->stop('immediate');
$node->start;
my ($code, $out, $err) = $node->psql('crm', "SET lock_timeout = '100ms'; SELECT lead_system.rebuild_dnc_filter()");
like($err, qr/lock timeout/, 'not built while such a transaction is prepared');
is(state_of('crm'), 'empty', 'a start begins with nothing');
$node->safe_psql('crm', "COMMIT PREPARED 'q'");
agrees('crm', 'committed after a crash');
rebuilt('after a crash');
eval { $session->quit };
foreach my $change (
	[ $off, $on, 'off' ],
	[ 'ALTER TABLE lead_system.dnc_list ENABLE TRIGGER dnc_list_filter;', $on, 'not ALWAYS' ],
	[ 'DROP TRIGGER dnc_list_filter ON lead_system.dnc_list;', 'CALL lead_system.install();', 'dropped' ],
	[ "CREATE OR REPLACE TRIGGER dnc_list_filter AFTER INSERT OR UPDATE ON lead_system.dnc_list FOR EACH ROW WHEN (false) EXECUTE FUNCTION lead_system.dnc_filter_note(); $on",
		'DROP TRIGGER dnc_list_filter ON lead_system.dnc_list; CALL lead_system.install();', 'with a condition' ])
{
	my ($break, $repair, $name) = @$change;
	$node->safe_psql('crm', $break);
	is(state_of('crm'), 'stale', "$name: noticed");
	$node->safe_psql('crm', 'SELECT lead_system.rebuild_dnc_filter()');
	is(state_of('crm'), 'not possible', "$name: not built");
	$node->safe_psql('crm', "DELETE FROM lead_system.dnc_list WHERE phone_number = number(3200);" . insert_sql(3200, 3200));
	agrees('crm', $name);
	$node->safe_psql('crm', $repair);
	rebuilt("$name, repaired");
}
$node->safe_psql('crm', 'ALTER TRIGGER dnc_list_filter ON lead_system.dnc_list RENAME TO renamed');
is(state_of('crm'), 'stale', 'renamed: not trusted');
rebuilt('renamed');
$node->safe_psql('crm', 'ALTER TRIGGER renamed ON lead_system.dnc_list RENAME TO dnc_list_filter');
# Rolled back, the trigger is what it was before, and the filter another one.
$node->safe_psql('crm', "$off");
$node->safe_psql('crm', "BEGIN; $on SELECT lead_system.rebuild_dnc_filter(); ROLLBACK;" . insert_sql(3300, 3300));
agrees('crm', 'built under a trigger that was rolled back');
$node->safe_psql('crm', "$on");
rebuilt('on again');

# Two builders take turns, and the writers that they do not wait for are found.
my ($holder, $writer, @builders) = map { $node->background_psql('crm', on_error_stop => 0) } 1 .. 4;
$holder->query_safe('BEGIN; LOCK TABLE lead_system.dnc_list IN SHARE UPDATE EXCLUSIVE MODE');
$writer->query_safe('BEGIN;' . insert_sql(3310, 3310));
foreach my $builder (@builders)
{
	my $pid = $builder->query_safe('SELECT pg_backend_pid()');
	$builder->query_until(qr/started/, "\\echo started\nSELECT lead_system.rebuild_dnc_filter();\n");
	ok(wait_for_lock($node, 'crm', $pid), 'a builder waits for the lock');
}
$holder->query_safe('COMMIT');
$_->query_safe('SELECT 1') foreach @builders;
is(state_of('crm'), 'ready', 'both are done, whoever is writing');
$writer->query_safe('SAVEPOINT s;' . insert_sql(3311, 3311) . 'ROLLBACK TO s; COMMIT');
agrees('crm', 'written while it was built');
is($node->safe_psql('crm', "SELECT lead_system.is_on_dnc_list(number(3310), '$org'), lead_system.is_on_dnc_list(number(3311), '$org')"),
	't|f', 'what was committed is listed, what was rolled back is not');
eval { $_->quit } foreach ($holder, $writer, @builders);

# An error gives it back.
$node->safe_psql('crm', "INSERT INTO lead_system.national_dnc_registry SELECT '+1' || n, substr(n::text, 1, 3), '2026-03-01' FROM (SELECT 2002000000 + 3 * g AS n FROM generate_series(1, 300000) g) s");
foreach my $ms (60, 30, 15, 8, 4, 2, 1)
{
	($code, $out, $err) = $node->psql('crm', "SET statement_timeout = '${ms}ms'; SELECT lead_system.rebuild_dnc_filter()");
	last if $code != 0;
}
like($err, qr/statement timeout/, 'building can be cancelled');
# An earlier attempt may have built it, and this one have been cancelled before it took it away.
# The client hears of the error before the server has taken the work back.
ok($node->poll_query_until('crm', "SELECT state IN ('empty', 'stale', 'ready') FROM lead_system.dnc_filter_status() WHERE list = 'national_dnc_registry'"),
	'and leaves nothing half done');
rebuilt('after a cancel');
is(state_of('crm', 'national_dnc_registry'), 'ready', 'so is the national registry');

# A list that is too big for the memory says so.
$node->safe_psql('crm', "INSERT INTO lead_system.national_dnc_registry SELECT '+1' || n, substr(n::text, 1, 3), '2026-03-01' FROM (SELECT 2002000001 + 3 * g AS n FROM generate_series(1, 900000) g) s");
$node->safe_psql('crm', 'SELECT lead_system.rebuild_dnc_filter()');
is(state_of('crm', 'national_dnc_registry'), 'too small', 'a list that is too big has no filter, and says so');
is(state_of('crm'), 'ready', 'the other has one');

# Databases.
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE crm');
is(state_of('copy'), 'empty', 'another database knows nothing of the first');
$node->safe_psql('copy', 'SELECT lead_system.rebuild_dnc_filter();' . insert_sql(3400, 3409));
agrees('copy', 'copy');
agrees('crm', 'the first');
$node->safe_psql('postgres', "CREATE DATABASE copy$_ TEMPLATE copy") foreach (3 .. 17);
$node->safe_psql("copy$_", 'SELECT lead_system.rebuild_dnc_filter()') foreach (3 .. 17);
is(state_of('copy16'), 'ready', 'sixteen databases have filters');
is(state_of('copy17'), 'empty', 'one more has not');
agrees('copy17', 'one more');
{
	my $there = $node->background_psql('copy4');
	$there->query_safe('SELECT 1');
	isnt($node->psql('postgres', 'DROP DATABASE copy4'), 0, 'a database that is in use is not dropped');
	$there->quit;
	is(state_of('copy4'), 'ready', 'and keeps its filter');
}
$node->safe_psql('postgres', 'DROP DATABASE copy3');
$node->safe_psql('copy17', 'SELECT lead_system.rebuild_dnc_filter()');
is(state_of('copy17'), 'ready', 'until another one goes');
agrees('copy17', 'one more');

# Rows that come by logical replication.
$node->safe_psql('copy', "TRUNCATE lead_system.national_dnc_registry; ALTER TABLE lead_system.dnc_list DISABLE TRIGGER USER; DELETE FROM lead_system.dnc_list; ALTER TABLE lead_system.dnc_list ENABLE TRIGGER USER; $on");
$node->safe_psql('copy', 'SELECT lead_system.rebuild_dnc_filter()');
$node->safe_psql('crm', "CREATE PUBLICATION lists FOR TABLE lead_system.dnc_list; SELECT pg_create_logical_replication_slot('lists', 'pgoutput')");
my $source = $node->connstr('crm') =~ s/'/''/gr;
$node->safe_psql('copy', "CREATE SUBSCRIPTION lists CONNECTION '$source' PUBLICATION lists WITH (create_slot = false, slot_name = 'lists')");
$node->wait_for_subscription_sync($node, 'lists', 'copy');
agrees('copy', 'the first copy');
$node->safe_psql('crm', insert_sql(3500, 3599));
$node->wait_for_catchup('lists');
agrees('copy', 'logical apply');
is($node->safe_psql('copy', 'SELECT count(*) FROM lead_system.dnc_list'), $node->safe_psql('crm', 'SELECT count(*) FROM lead_system.dnc_list'), 'all have arrived');
is(state_of('copy'), 'ready', 'and the filter was in use');
$node->safe_psql('copy', 'ALTER SUBSCRIPTION lists DISABLE; ALTER SUBSCRIPTION lists SET (slot_name = NONE); DROP SUBSCRIPTION lists');
$node->stop;
done_testing();
