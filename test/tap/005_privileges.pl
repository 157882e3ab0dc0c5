# Access levels through connections of login roles: what each may do, what
# default privileges add, what revoke_access() takes, and who gets nothing
# although the name is the same.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $node = start_node('main', conf => "fsync = off\n");
my ($alpha, $bravo) = (ALPHA, BRAVO);
my $lead = 'a0000000-0000-4000-8000-000000000001';
my $foreign = 'b0000000-0000-4000-8000-000000000001';

# A generous administrator: everything that is made is for everybody.
$node->safe_psql('postgres', 'CREATE ROLE generous LOGIN; CREATE DATABASE crm');
$node->safe_psql('crm', 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO generous;'
	  . ' ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO generous;'
	  . ' ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO generous');
$node->safe_psql('crm', 'CREATE EXTENSION pg_trgm; CREATE EXTENSION lead_system');
fill($node, 'crm');
my @levels = qw(readonly agent manager admin maintenance);
foreach my $level (@levels)
{
	$node->safe_psql('crm', "CREATE ROLE app_$level LOGIN; SELECT lead_system.grant_access('app_$level', '$level')");
}
$node->safe_psql('crm', 'CREATE ROLE app_none LOGIN');

sub ask
{
	my ($level, $sql, $org) = @_;
	return sql_as($node, 'crm', $level =~ /^app_|generous/ ? $level : "app_$level", $org // $alpha, $sql);
}

# Each statement, and for which levels it works.  All others get 42501.
my @matrix = (
	[ 'SELECT count(*) FROM lead_system.leads', '4', @levels ],
	[ "SELECT lead_system.calculate_lead_score('$lead') IS NOT NULL", 't', @levels ],
	[ 'SELECT count(*) > 0 FROM lead_system.activities', 't', @levels ],
	[ "SELECT lead_system.is_on_dnc_list('+12025550150', '$alpha')", 't', @levels ],
	[ "SELECT lead_system.add_lead_note('$lead', 'called') IS NOT NULL", 't', qw(agent manager admin) ],
	[ "UPDATE lead_system.leads SET notes = 'x' WHERE id = '$lead' RETURNING notes", 'x', qw(agent manager admin) ],
	[ "SELECT lead_system.add_to_dnc_list('+12025550170', 'manual') IS NOT NULL", 't', qw(agent manager admin) ],
	[ "SELECT lead_system.set_config('import.batch_size', '77')", '', qw(admin) ],
	[ "SELECT lead_system.remove_from_dnc_list('+12025550199', 'mistake')", 'f', qw(admin) ],
	[ 'SELECT count(*) > 0 FROM lead_system.access_grants', 't', qw(admin maintenance) ]);
foreach my $case (@matrix)
{
	my ($sql, $answer, @allowed) = @$case;
	my %allowed = map { $_ => 1 } @allowed;
	my @got = map { my $got = ask($_, $sql); $got =~ s/^(42501): .*/$1/; "$_: $got" } 'none', @levels;
	my @expected = map { "$_: " . ($allowed{$_} ? $answer : '42501') } 'none', @levels;
	is_deeply(\@got, \@expected, $sql);
}

# No level writes a history, plays with the clock, or gives itself more.
foreach my $level (@levels)
{
	my @wrong;
	foreach my $sql ("INSERT INTO lead_system.lead_audit_log (organization_id, lead_id, field_name) VALUES ('$alpha', '$lead', 'x')",
		'UPDATE lead_system.lead_score_history SET new_score = 0', 'DELETE FROM lead_system.dnc_audit_log',
		'TRUNCATE lead_system.activities', "SELECT lead_system.clock_now() IS NULL; SET lead_system.now = '2020-01-01'",
		"SELECT lead_system.grant_access('app_$level', 'admin')", "SELECT lead_system.revoke_access('app_none')",
		'CALL lead_system.install()', "INSERT INTO lead_system.access_grants (role_name, role_id, level) VALUES ('app_none', 0, 'admin')",
		'ALTER TABLE lead_system.leads DISABLE ROW LEVEL SECURITY', 'DROP TRIGGER leads_before_row ON lead_system.leads',
		"SET session_replication_role = 'replica'", 'CREATE TABLE lead_system.mine (x integer)')
	{
		my $got = ask($level, $sql);
		push @wrong, "$sql: $got" unless $got =~ /^42501: /;
	}
	is(join("\n", @wrong), '', "$level: histories, clock, rights and rules are out of reach");
}

# Nor does one see another organization, or anything without one.
foreach my $level (@levels)
{
	is(ask($level, "SELECT count(*) FROM lead_system.leads WHERE id = '$foreign'"), '0', "$level: no foreign row");
	like(ask($level, "SELECT lead_system.calculate_lead_score('$foreign')"), qr/^P0002: /, "$level: no foreign score");
	is(sql_as($node, 'crm', "app_$level", undef, 'SELECT count(*) FROM lead_system.leads'), '0', "$level: nothing without an organization");
}

# Default privileges open tables, not tenants, nor histories, nor the schema
# once a level says what a role may do.
is($node->safe_psql('crm', "SELECT has_table_privilege('generous', 'lead_system.leads', 'DELETE'), has_table_privilege('generous', 'lead_system.activities', 'INSERT')"),
	't|t', 'default privileges are in force');
$node->safe_psql('crm', 'GRANT USAGE ON SCHEMA lead_system TO generous');
is(sql_as($node, 'crm', 'generous', undef, 'SELECT count(*) FROM lead_system.leads'), '0', 'no rows without an organization');
is(ask('generous', "UPDATE lead_system.leads SET notes = 'y' WHERE organization_id = '$bravo' RETURNING 1"), '', 'no foreign rows');
like(ask('generous', "UPDATE lead_system.activities SET description = 'y'"), qr/^LS021: /, 'histories are append-only even so');
like(ask('generous', 'TRUNCATE lead_system.lead_audit_log'), qr/^(LS021|42501): /, 'and are not truncated');
$node->safe_psql('crm', "SELECT lead_system.grant_access('generous', 'readonly')");
# Trigger functions and what PUBLIC may call belong to no level.
is($node->safe_psql('crm', <<'SQL'), '', 'a level takes away what default privileges gave beyond it');
SELECT string_agg(object, ', ') FROM (
    SELECT c.oid::regclass::text FROM pg_class c, aclexplode(c.relacl) a
     WHERE c.relnamespace = 'lead_system'::regnamespace AND a.grantee = 'generous'::regrole AND a.privilege_type <> 'SELECT'
    UNION ALL
    SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(p.proacl) a
     WHERE p.pronamespace = 'lead_system'::regnamespace AND a.grantee = 'generous'::regrole
       AND p.prorettype <> 'trigger'::regtype AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
       AND NOT EXISTS (SELECT 1 FROM pg_proc q, aclexplode(q.proacl) b WHERE q.oid = p.oid AND b.grantee = 'app_readonly'::regrole)) x(object)
SQL
is(ask('generous', 'SELECT count(*) FROM lead_system.leads'), '4', 'and leaves what it includes');

# Another level replaces the first.
$node->safe_psql('crm', "SELECT lead_system.grant_access('generous', 'agent')");
is(ask('generous', "UPDATE lead_system.leads SET notes = 'z' WHERE id = '$lead' RETURNING notes"), 'z', 'a higher level');
$node->safe_psql('crm', "SELECT lead_system.grant_access('generous', 'readonly')");
like(ask('generous', "UPDATE lead_system.leads SET notes = 'z' WHERE id = '$lead'"), qr/^42501: /, 'and back to a lower one');

# What is taken is gone in connections that are open.
my $open = $node->background_psql('crm', on_error_stop => 0, extra_params => [ '-U', 'app_manager' ]);
$open->query_safe("SET app.current_org_id = '$alpha'");
$open->query_safe('PREPARE leads AS SELECT count(*) FROM lead_system.leads');
is($open->query_safe('EXECUTE leads'), '4', 'an open connection reads');
$node->safe_psql('crm', "SELECT lead_system.revoke_access('app_manager')");
my ($out) = $open->query('EXECUTE leads');
is($out, '', 'and reads no more');
like($open->{stderr}, qr/permission denied/, 'since it has no right to');
$open->{stderr} = '';
$open->quit;
is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.access_grants WHERE role_name = 'app_manager'"), '0', 'the level is forgotten');
is($node->safe_psql('crm', 'DROP ROLE app_manager'), '', 'and the role can be dropped');

# A role of the same name is another role.
$node->safe_psql('crm', 'DROP OWNED BY app_admin; DROP ROLE app_admin; CREATE ROLE app_admin LOGIN');
like(ask('admin', 'SELECT count(*) FROM lead_system.leads'), qr/^42501: /, 'a role of the same name has no access');
my ($status, $stdout, $stderr) = $node->psql('crm',
	'SET client_min_messages = warning; DROP EXTENSION lead_system CASCADE; SET client_min_messages = notice;'
	  . ' CREATE EXTENSION lead_system; CALL lead_system.install()');
is($status, 0, 'the extension is dropped and created again');
like($stderr, qr/NOTICE:  role "app_admin" is not the one that had access/, 'which says who is somebody else');
like(ask('admin', 'SELECT count(*) FROM lead_system.leads'), qr/^42501: /, 'who gets nothing');
like(ask('none', 'SELECT count(*) FROM lead_system.leads'), qr/^42501: /, 'nor does who had nothing');
is(ask('agent', "SELECT lead_system.add_lead_note('$lead', 'again') IS NOT NULL"), 't', 'the others have their level again');
like(ask('agent', "SELECT lead_system.set_config('import.batch_size', '5')"), qr/^42501: /, 'no more than that');
like(ask('readonly', "SELECT lead_system.add_lead_note('$lead', 'again')"), qr/^42501: /, 'each of them its own');
is(ask('generous', 'SELECT count(*) FROM lead_system.leads'), '4', 'default privileges or not');
like(ask('generous', "UPDATE lead_system.leads SET notes = 'z' WHERE id = '$lead'"), qr/^42501: /, 'not more than its level');

# Nobody but a superuser installs, and nobody's schema is adopted.
$node->safe_psql('postgres', 'CREATE ROLE squatter LOGIN; CREATE DATABASE trap; CREATE DATABASE plain; GRANT CREATE ON DATABASE trap TO squatter');
like(sql_as($node, 'trap', 'squatter', undef, 'CREATE EXTENSION lead_system'), qr/^42501: permission denied to create extension/, 'who is no superuser does not install');
sql_as($node, 'trap', 'squatter', undef, 'CREATE SCHEMA lead_system; CREATE TABLE lead_system.leads (organization_id uuid, id uuid)');
like(try_sql($node, 'trap', 'CREATE EXTENSION lead_system'), qr/^42501: schema "lead_system" is owned by role "squatter"/, 'a schema of somebody else is refused');
$node->safe_psql('trap', 'ALTER SCHEMA lead_system OWNER TO CURRENT_USER');
like(try_sql($node, 'trap', 'CREATE EXTENSION lead_system'), qr/^42501: relation "lead_system.leads" is owned by role "squatter"/, 'and so is a table');
is($node->safe_psql('trap', "SELECT count(*) FROM pg_proc WHERE pronamespace = 'lead_system'::regnamespace"), '0', 'nothing is left of the attempt');
$node->safe_psql('trap', 'DROP TABLE lead_system.leads; CREATE EXTENSION lead_system');
is($node->safe_psql('trap', 'SELECT count(*) FROM lead_system.health_check() WHERE NOT ok'), '0', 'afterwards it installs');

$node->stop;
done_testing();
