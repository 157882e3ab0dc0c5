# Transaction pooling: one connection serves many clients.  What one of them set
# with SET LOCAL is gone with its transaction, and plans that were made for one
# organization or role serve the next one right.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $node = start_node('main', conf => "fsync = off\n");
create_database($node, 'crm');
fill($node, 'crm');
$node->safe_psql('crm', 'CREATE ROLE pooler LOGIN; GRANT tap_agent, tap_admin, tap_readonly, tap_none TO pooler;'
	  . " SELECT lead_system.grant_access('pooler', 'agent')");
my ($alpha, $bravo) = (ALPHA, BRAVO);
my $alpha_lead = 'a0000000-0000-4000-8000-000000000001';
my $bravo_lead = 'b0000000-0000-4000-8000-000000000001';

my $pool;

sub ask
{
	my ($sql) = @_;
	$pool->{stderr} = '';
	my ($out) = $pool->query($sql);
	my $err = $pool->{stderr};
	$err =~ s/background_psql: QUERY_SEPARATOR \d+:\s*//g;
	$pool->{stderr} = '';
	return "$1: $2" if $err =~ /ERROR:\s+(\w{5}): (.*)/;
	return $out;
}

sub connect_pool
{
	$pool->quit if $pool;
	$pool = $node->background_psql('crm', on_error_stop => 0, extra_params => [ '-U', 'pooler', '-v', 'VERBOSITY=verbose' ]);
	return;
}
connect_pool();

# SET LOCAL ends with its transaction, however that ends.
my $who = "SELECT coalesce(lead_system.current_org_id()::text, 'none') || ' ' || coalesce(lead_system.current_user_id()::text, 'none')";
my $count = 'SELECT count(*) FROM lead_system.leads';
is(ask("BEGIN; SET LOCAL app.current_org_id = '$alpha'; $count; COMMIT"), '4', 'a client sees its organization');
is(ask($who), 'none none', 'the next one has none');
is(ask($count), '0', 'and sees nothing');
ask("BEGIN; SET LOCAL app.current_org_id = '$alpha'; ROLLBACK");
is(ask($who), 'none none', 'nor after a rollback');
ask("BEGIN; SET LOCAL app.current_org_id = '$alpha'; SELECT 1 / 0; COMMIT");
is(ask($who), 'none none', 'nor after an error');
ask("BEGIN");
ask("SET LOCAL app.current_org_id = '$alpha'");
ask("SAVEPOINT a");
ask("SET LOCAL app.current_org_id = '$bravo'");
is(ask($who), "$bravo none", 'a savepoint may change it');
ask("ROLLBACK TO a");
is(ask($who), "$alpha none", 'going back brings the former one back');
is(ask("SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads"), 'alpha', 'and its rows');
ask("COMMIT");
is(ask("SELECT set_config('app.current_org_id', '$alpha', true) <> ''"), 't', 'set_config() for one statement');
is(ask($who), 'none none', 'is gone with it');

# A user of one organization is nobody in the next.
my $alpha_user = 'a0000000-0000-4000-8000-0000000000a2';
ask("BEGIN; SET LOCAL app.current_org_id = '$alpha'; SET LOCAL app.current_user_id = '$alpha_user'");
is(ask($who), "$alpha $alpha_user", 'a member');
ask("COMMIT");
is(ask($who), 'none none', 'is gone, too');
ask("BEGIN; SET LOCAL app.current_user_id = '$alpha_user'; SET LOCAL app.current_org_id = '$bravo'");
like(ask($count), qr/^42501: user .* is not an active member of organization/, 'and not a member elsewhere');
ask("ROLLBACK");

# Sessions that are reset between clients.
ask("SET app.current_org_id = '$alpha'");
is(ask($count), '4', 'a session setting');
ask("DISCARD ALL");
is(ask($who), 'none none', 'DISCARD ALL takes it away');
is(ask($count), '0', 'and with it the rows');
ask("SET app.current_org_id = '$alpha'");
ask("RESET ALL");
is(ask($who), 'none none', 'so does RESET ALL');
ask("SET app.current_org_id = '$alpha'; SET app.current_org_id = ''");
is(ask($who), 'none none', 'and the empty text');
like(ask("SET app.current_org_id = 'alpha'"), qr/^22023: invalid value/, 'what is no uuid is refused');
is(ask($who), 'none none', 'and changes nothing');

# Prepared statements, with plans of their own and with one for all.
foreach my $mode (qw(auto force_generic_plan force_custom_plan))
{
	connect_pool();
	ask("SET plan_cache_mode = $mode");
	ask("PREPARE names AS SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads");
	ask("PREPARE one(uuid) AS SELECT first_name FROM lead_system.leads WHERE id = \$1");
	ask("PREPARE score(uuid) AS SELECT lead_system.calculate_lead_score(\$1) IS NOT NULL");
	ask("PREPARE write(uuid) AS UPDATE lead_system.leads SET notes = 'seen' WHERE id = \$1 RETURNING first_name");
	my @wrong;
	foreach my $round (1 .. 7)
	{
		foreach my $org ([ $alpha, 'alpha', $alpha_lead, $bravo_lead ], [ $bravo, 'bravo', $bravo_lead, $alpha_lead ])
		{
			my ($id, $name, $own, $foreign) = @$org;
			ask("BEGIN; SET LOCAL app.current_org_id = '$id'");
			push @wrong, "$round $name names" if ask('EXECUTE names') ne $name;
			push @wrong, "$round $name own" if ask("EXECUTE one('$own')") ne $name;
			push @wrong, "$round $name foreign" if ask("EXECUTE one('$foreign')") ne '';
			push @wrong, "$round $name score" if ask("EXECUTE score('$own')") ne 't';
			push @wrong, "$round $name write" if ask("EXECUTE write('$foreign')") ne '';
			ask("COMMIT");
			ask("BEGIN; SET LOCAL app.current_org_id = '$id'");
			push @wrong, "$round $name foreign score" if ask("EXECUTE score('$foreign')") !~ /^P0002: lead ".*" does not exist/;
			ask("ROLLBACK");
		}
		push @wrong, "$round none" if ask('EXECUTE names') ne '';
		push @wrong, "$round none one" if ask("EXECUTE one('$alpha_lead')") ne '';
		push @wrong, "$round none score" if ask("EXECUTE score('$alpha_lead')") !~ /^42501: /;
	}
	is(join(', ', @wrong), '', "prepared statements serve each organization its own: $mode");
}

# The kept plans and caches of the functions themselves.
connect_pool();
my %expected = ($alpha => 'alpha', $bravo => 'bravo');
my @wrong;
foreach my $round (1 .. 7)
{
	foreach my $org ($alpha, $bravo)
	{
		my $other = $org eq $alpha ? $bravo : $alpha;
		ask("BEGIN; SET LOCAL app.current_org_id = '$org'");
		push @wrong, "$round dashboard" if ask("SELECT string_agg(DISTINCT contact_name, ',') FROM lead_system.dashboard_leads()") ne $expected{$org};
		push @wrong, "$round search" if ask("SELECT string_agg(DISTINCT contact_name, ',') FROM lead_system.search_leads('$expected{$other}')") ne '';
		push @wrong, "$round config" if ask("SELECT lead_system.get_config('import.batch_size')") ne '77';
		push @wrong, "$round model" if ask("SELECT lead_system.calculate_lead_score('"
			  . ($org eq $alpha ? $alpha_lead : $bravo_lead) . "', '$expected{$org}_model') IS NOT NULL") ne 't';
		ask("COMMIT");
		ask("BEGIN; SET LOCAL app.current_org_id = '$org'");
		push @wrong, "$round foreign model" if ask("SELECT lead_system.calculate_lead_score('"
			  . ($org eq $alpha ? $alpha_lead : $bravo_lead) . "', '$expected{$other}_model')") !~ /^22023: /;
		ask("ROLLBACK");
		ask("BEGIN; SET LOCAL app.current_org_id = '$org'");
		push @wrong, "$round list" if ask("SELECT lead_system.is_on_dnc_list('" . ($org eq $alpha ? '+12025550150' : '+13035550150') . "', '$org')") ne 't';
		push @wrong, "$round foreign list" if ask("SELECT lead_system.is_on_dnc_list('+12025550150', '$other')") !~ /^42501: /;
		ask("ROLLBACK");
		ask("BEGIN; SET LOCAL app.current_org_id = '$org'");
		push @wrong, "$round note" if ask("SELECT lead_system.add_lead_note('" . ($org eq $alpha ? $bravo_lead : $alpha_lead) . "', 'x')") !~ /^P0002: /;
		ask("ROLLBACK");
	}
	push @wrong, "$round dashboard of none" if ask('SELECT count(*) FROM lead_system.dashboard_leads()') !~ /^42501: /;
	push @wrong, "$round config of none" if ask("SELECT lead_system.get_config('import.batch_size')") eq '77';
}
is(join(', ', @wrong), '', 'functions serve each organization its own');

# Roles change within a connection.
connect_pool();
ask("SET app.current_org_id = '$alpha'");
ask("PREPARE conf AS SELECT lead_system.set_config('import.batch_size', '77')");
ask("PREPARE note(uuid) AS UPDATE lead_system.leads SET notes = 'role' WHERE id = \$1 RETURNING first_name");
is(ask("EXECUTE note('$alpha_lead')"), 'alpha', 'an agent writes');
ask("SET ROLE tap_readonly");
is(ask("EXECUTE note('$alpha_lead')"), '42501: permission denied for table leads', 'a reader does not, with the same statement');
is(ask($count), '4', 'but reads');
ask("SET ROLE tap_admin");
is(ask("EXECUTE conf"), '', 'an administrator configures');
ask("SET ROLE tap_agent");
is(ask("EXECUTE conf"), '42501: permission denied for function set_config', 'an agent does not, with the same statement');
ask("SET ROLE tap_none");
is(ask($count), '42501: permission denied for schema lead_system', 'who has no access has none');
ask("RESET ROLE");
ask("BEGIN; SET LOCAL ROLE tap_readonly; COMMIT");
is(ask("EXECUTE note('$alpha_lead')"), 'alpha', 'SET LOCAL ROLE ends with its transaction');

# A role that no policy confines, and then one that they do: the statement is
# planned anew.
my $super = $node->background_psql('crm', on_error_stop => 0);
$super->query_safe("PREPARE names AS SELECT string_agg(DISTINCT first_name, ',') FROM lead_system.leads");
is($super->query_safe('EXECUTE names'), 'alpha,bravo', 'a superuser sees all organizations');
$super->query_safe('SET ROLE tap_agent');
is($super->query_safe('EXECUTE names'), '', 'an agent without organization none, with the same statement');
$super->query_safe("SET app.current_org_id = '$bravo'");
is($super->query_safe('EXECUTE names'), 'bravo', 'and with one its own');
$super->query_safe('RESET ROLE');
is($super->query_safe('EXECUTE names'), 'alpha,bravo', 'back again, all of them');
$super->quit;

$pool->quit;
$node->stop;
done_testing();
