# The libraries: what works without the phone number parser, what a setting is
# worth that was made before the library was loaded, and who may set the clock.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my ($alpha, $bravo) = (ALPHA, BRAVO);

# An installation without lead_system_phone.so: the server finds its files next
# to its programs, so a copy of both is one.
chomp(my $bin = qx(pg_config --bindir));
chomp(my $lib = qx(pg_config --pkglibdir));
chomp(my $share = qx(pg_config --sharedir));
my $root = PostgreSQL::Test::Utils::tempdir . '/bare';
my $shared_by_all = $bin;
chop $shared_by_all until grep({ index($_, "$shared_by_all/") == 0 } $bin, $lib, $share) == 3;
foreach my $dir ($bin, $lib, $share)
{
	my $target = $root . substr($dir, length $shared_by_all);
	(my $parent = $target) =~ s{/[^/]*$}{};
	system_or_bail('mkdir', '-p', $parent);
	system_or_bail('cp', '-a', $dir, $target);
}
unlink $root . substr($lib, length $shared_by_all) . '/lead_system_phone.so';
(my $install_path = $root . substr($bin, length $shared_by_all)) =~ s{/bin$}{};

my $bare = start_node('bare', new => { install_path => $install_path }, conf => "fsync = off\n");
is($bare->safe_psql('postgres', "SELECT setting LIKE '%/bare/%' FROM pg_config() WHERE name = 'PKGLIBDIR'"), 't', 'the copy is what runs');
create_database($bare, 'crm');
my $org = $bare->safe_psql('crm', "SELECT lead_system.create_organization('Bare')");
my $enter = "SET app.current_org_id = '$org';";
my $unavailable = '0A000: phone number is not in E.164 form, and the number parser is not available';

is(try_sql($bare, 'crm', "SELECT lead_system.normalize_phone('+12025550101')"), '+12025550101', 'E.164 is understood');
is(try_sql($bare, 'crm', "SELECT lead_system.normalize_phone('(202) 555-0101')"), $unavailable, 'raw text is refused with a clear error');
is(try_sql($bare, 'crm', "SELECT lead_system.normalize_phone('(202) 555-0101')"), $unavailable, 'each time');
my ($ret, $out, $err) = $bare->psql('crm', "SELECT lead_system.normalize_phone('202-555-0101')");
like($err, qr/DETAIL:  .*lead_system_phone.*HINT:  Pass the number as \+<country code><number>, or install lead_system_phone\.so/s,
	'that tells what is missing and what to do');
is(try_sql($bare, 'crm', "$enter INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES ('$org', 'a', '+12025550101') RETURNING phone_number"),
	'+12025550101', 'leads with E.164 numbers come in');
is(try_sql($bare, 'crm', "$enter INSERT INTO lead_system.leads (organization_id, first_name, phone_number) VALUES ('$org', 'b', '202-555-0102')"),
	$unavailable, 'others do not');
is(try_sql($bare, 'crm', "$enter INSERT INTO lead_system.leads (organization_id, first_name, email) VALUES ('$org', 'c', 'c\@example.com') RETURNING lead_score"),
	'3', 'leads without number need no parser');
is(try_sql($bare, 'crm', "$enter SELECT lead_system.add_to_dnc_list('+12025550101', 'manual') IS NOT NULL; SELECT lead_system.is_on_dnc_list('+12025550101', '$org')"),
	"t\nt", 'the do-not-call list works on E.164');
is(try_sql($bare, 'crm', "SELECT lead_system.is_on_dnc_list('202 555 0101', '$org')"), $unavailable, 'and never says that a number it cannot read is free');
is(try_sql($bare, 'crm', "SELECT detail FROM lead_system.health_check() WHERE check_name = 'phone parser'"),
	'not available: phone numbers must come in E.164 form', 'health_check() says so');
is(try_sql($bare, 'crm', "$enter SELECT lead_system.import_leads_csv('e164', E'first_name,phone\\nd,+12025550104\\n') IS NOT NULL;"
		  . " SELECT inserted_count, rejected_count FROM lead_system.lead_imports"), "t\n1|0", 'a file with E.164 numbers is imported');
# A session that met the error goes on.
my $session = $bare->background_psql('crm', on_error_stop => 0);
$session->query_safe($enter);
$session->query("SELECT lead_system.normalize_phone('202 555 0101')");
$session->{stderr} = '';
is($session->query_safe('SELECT count(*) FROM lead_system.leads'), '3', 'a session goes on after the error');
$session->quit;
$bare->stop;

# With the parser.
my $node = start_node('main', conf => "fsync = off\n");
create_database($node, 'crm');
fill($node, 'crm');
$node->safe_psql('crm', "CREATE ROLE app LOGIN; SELECT lead_system.grant_access('app', 'agent')");
is(try_sql($node, 'crm', "SELECT lead_system.normalize_phone('(202) 555-0101')"), '+12025550101', 'with the parser raw numbers are read');

# Settings made before the library is loaded are text without meaning; loading
# it makes them settings or throws them away, and never gives what the role may
# not have.
my $load = 'SELECT lead_system.uuid_v7() IS NOT NULL;';
my $now = 'SELECT lead_system.clock_now() = now();';
foreach my $set ("SET lead_system.now = '2020-01-01 00:00:00+00';", "SELECT set_config('lead_system.now', '2020-01-01 00:00:00+00', false);")
{
	my ($status, $stdout) = $node->psql('crm', "$set $load $now", extra_params => [ '-U', 'app' ]);
	like($stdout, qr/\bt$/, "the clock stays true: $set");
}
{
	local $ENV{PGOPTIONS} = '-c lead_system.now=2020-01-01';
	is(sql_as($node, 'crm', 'app', undef, "$load $now"), "t\nt", 'nor is it set by the connection');
}
try_sql($node, 'crm', "ALTER ROLE app SET lead_system.now = '2020-01-01'", '-U', 'app');
is(sql_as($node, 'crm', 'app', undef, "$load $now"), "t\nt", 'nor by what a role leaves in its own settings');
$node->safe_psql('crm', 'ALTER ROLE app RESET ALL');
like(sql_as($node, 'crm', 'app', $alpha, "$load SET lead_system.now = '2020-01-01'"), qr/^42501: permission denied to set parameter "lead_system.now"/, 'who is no superuser does not set it');
like(sql_as($node, 'crm', 'app', $alpha, "$load BEGIN; SET LOCAL lead_system.now = '2020-01-01'"), qr/^42501: /, 'nor for a transaction');
like(sql_as($node, 'crm', 'app', $alpha, "$load SELECT set_config('lead_system.now', '2020-01-01', true)"), qr/^42501: /, 'nor with set_config()');
is(try_sql($node, 'crm', "SET lead_system.now = '2020-01-01 00:00:00+00'; SELECT lead_system.clock_now()"), '2020-01-01 00:00:00+00', 'a superuser does');
like(try_sql($node, 'crm', "$load SET lead_system.now = 'yesterday-ish'"), qr/^22023: invalid value for parameter "lead_system.now"/, 'but not to nonsense');
like(try_sql($node, 'crm', "$load SET lead_system.nwo = '2020-01-01'"), qr/^42602: invalid configuration parameter name "lead_system.nwo"/, 'a setting that does not exist is refused');

# The organization, set before the library knows it, counts as soon as it does.
is(sql_as($node, 'crm', 'app', $alpha, "SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads"), 'alpha', 'the organization set first counts');
is(sql_as($node, 'crm', 'app', 'nonsense', "SELECT count(*) FROM lead_system.leads"), '0', 'nonsense set first is no organization');
{
	local $ENV{PGOPTIONS} = "-c app.current_org_id=$bravo";
	is(sql_as($node, 'crm', 'app', undef, "SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads"), 'bravo', 'nor is one set by the connection lost');
	is(sql_as($node, 'crm', 'app', $alpha, "SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads"), 'alpha', 'a later one replaces it');
}
# A user who is not a member, set first.
like(sql_as($node, 'crm', 'app', $alpha, "SET app.current_user_id = 'b0000000-0000-4000-8000-0000000000a1'; SELECT count(*) FROM lead_system.leads"),
	qr/^42501: user .* is not an active member/, 'who is not a member is refused, whenever set');

# Loaded with the server, settings are known from the start.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lead_system'\n");
$node->restart;
like(sql_as($node, 'crm', 'app', undef, "SET lead_system.now = '2020-01-01'"), qr/^42501: /, 'preloaded: the clock is refused at once');
like(sql_as($node, 'crm', 'app', 'nonsense', 'SELECT 1'), qr/^22023: /, 'preloaded: so is what is no organization');
is(sql_as($node, 'crm', 'app', $alpha, "SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads"), 'alpha', 'preloaded: an organization sees its own');
is($node->safe_psql('crm', "SELECT lead_system.normalize_phone('(202) 555-0101'), count(*) FILTER (WHERE NOT ok) FROM lead_system.health_check()"),
	'+12025550101|0', 'preloaded: the parser is found, health_check() finds nothing');

$node->stop;
done_testing();
