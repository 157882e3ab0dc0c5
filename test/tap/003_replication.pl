# A standby answers every function that only reads, and its sessions know of
# changed rules as soon as the change is replayed.  Leads are replicated
# logically as they are, without the subscriber's triggers doing them again.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $primary = start_node('primary', init => { allows_streaming => 'logical' }, conf => "fsync = off\n");
create_database($primary, 'crm');
fill($primary, 'crm');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\n");
$standby->start;

sub catch_up
{
	$primary->wait_for_catchup($standby);
	return;
}
catch_up();

my ($alpha, $bravo) = (ALPHA, BRAVO);
my $lead = 'a0000000-0000-4000-8000-000000000001';
my $clock = "SET lead_system.now = '2026-03-03 15:00:00+00';";
my $role = "SET ROLE tap_readonly; SET app.current_org_id = '$alpha';";

# The same question to both.
my @reads = (
	"SELECT lead_system.current_org_id(), lead_system.current_user_id(), lead_system.clock_now()",
	"SELECT lead_system.normalize_phone('(202) 555-0101'), lead_system.is_valid_email('a\@example.com'), lead_system.is_e164('+12025550101')",
	"SELECT lead_system.get_config('import.batch_size')",
	"SELECT * FROM lead_system.compliance_report('2026-01-01', '2100-01-01')",
	"SELECT * FROM lead_system.config_keys() ORDER BY 1",
	"SELECT lead_system.extension_version()",
	"SELECT lead_system.calculate_lead_score('$lead'), lead_system.calculate_lead_score('$lead', 'banti'), lead_system.score_at('$lead', '2026-06-01')",
	"SELECT * FROM lead_system.explain_lead_score('$lead')",
	"SELECT lead_system.is_on_dnc_list('(202) 555-0150', '$alpha'), lead_system.is_on_dnc_list('+12025550150', '$alpha'), lead_system.is_on_dnc_list('+12025550101', '$alpha')",
	"SELECT * FROM lead_system.dashboard_leads(page_size => 10)",
	"SELECT * FROM lead_system.search_leads('alpha')",
	"SELECT * FROM lead_system.parse_csv(E'a,b\\n1,2\\n')",
	"SELECT count(*) FROM lead_system.leads",
	"SELECT lead_system.is_on_dnc_list('+13035550150', '$bravo')");
foreach my $sql (@reads)
{
	my $expected = try_sql($primary, 'crm', "$clock $role $sql");
	is(try_sql($standby, 'crm', "$clock $role $sql"), $expected, "standby: $sql");
	unlike($expected, qr/^(?!42501)[0-9A-Z]{5}: /, 'which is no error');
}
is(try_sql($standby, 'crm', "SELECT check_name, detail FROM lead_system.health_check() WHERE NOT ok"),
	'', 'standby: health_check() works and finds nothing');
is(try_sql($standby, 'crm', "SELECT sum(leaked) FROM lead_system.rls_selftest()"), '0', 'standby: so does rls_selftest()');

# What writes says that it cannot.
my $admin = "SET ROLE tap_admin; SET app.current_org_id = '$alpha';";
foreach my $sql ("SELECT lead_system.upsert_lead('{\"first_name\": \"x\"}')",
	"SELECT lead_system.add_to_dnc_list('+12025550177', 'manual')",
	"SELECT lead_system.import_leads_csv('x', E'first_name\\nx\\n')",
	"SELECT lead_system.change_lead_status('$lead', 'Qualified')",
	"SELECT * FROM lead_system.claim_campaign_leads('a0000000-0000-4000-8000-0000000000c1')",
	"SELECT lead_system.set_config('import.batch_size', '5')",
	"CALL lead_system.recalculate_lead_scores()")
{
	like(try_sql($standby, 'crm', "$admin $sql"), qr/^25006: cannot execute /, "standby refuses: $sql");
}

like(try_sql($standby, 'crm', 'CALL lead_system.run_maintenance()'), qr/^25006: cannot execute run_maintenance\(\) during recovery/, 'standby refuses: run_maintenance()');
$primary->safe_psql('crm', "INSERT INTO lead_system.maintenance_runs (job, started_at) VALUES ('recount_users', '2026-03-03 15:00:00+00')");
catch_up();
is(try_sql($standby, 'crm', "SET lead_system.now = '2026-03-03 15:00:00+00'; SELECT detail ~ '^running' FROM lead_system.maintenance_status() WHERE job = 'recount_users'"), 't', 'standby: what runs on the primary does not look interrupted');

# Caches of a session that stays connected.
my $session = $standby->background_psql('crm', on_error_stop => 0);
$session->query_safe("SET lead_system.now = '2026-03-03 15:00:00+00'");
$session->query_safe("SET app.current_org_id = '$alpha'");

sub replayed
{
	my ($change, $question, $before, $after, $name) = @_;
	is($session->query_safe($question), $before, "$name: before");
	$primary->safe_psql('crm', "SET app.current_org_id = '$alpha'; $change");
	catch_up();
	is($session->query_safe($question), $after, "$name: the standby's session knows of the change");
	return;
}
my $score = "SELECT lead_system.calculate_lead_score('$lead', 'alpha_model')";
my $points = $session->query_safe($score);
replayed("UPDATE lead_system.scoring_rules SET points = points - 7 WHERE organization_id = '$alpha' AND operand = '\"Software/SaaS\"'",
	$score, $points, $points - 7, 'scoring rule');
replayed("SELECT lead_system.set_config('import.batch_size', '55')",
	"SELECT lead_system.get_config('import.batch_size')", '77', '55', 'setting');
replayed("SELECT lead_system.remove_from_dnc_list('+12025550150', 'mistake')",
	"SELECT lead_system.is_on_dnc_list('+12025550150', '$alpha')", 't', 'f', 'do-not-call list');
my $rep = 'a0000000-0000-4000-8000-0000000000a2';
$session->query_safe("SET app.current_user_id = '$rep'");
is($session->query_safe('SELECT lead_system.current_org_id()'), $alpha, 'member: before');
$primary->safe_psql('crm', "UPDATE lead_system.users SET is_active = false WHERE id = '$rep'");
catch_up();
my ($answer, $failed) = $session->query('SELECT lead_system.current_org_id()');
is($answer, '', 'member: who left is nobody on the standby either');
$session->{stderr} = '';
$session->quit;

# Logical replication into a database that has the extension.
create_database($primary, 'mirror');
my @tables = map { "lead_system.$_" } qw(organizations users categories leads lead_audit_log lead_status_history activities
	lead_score_history dnc_list dnc_audit_log lead_lists lead_list_members call_logs sms_logs contact_attempts);
my $list = join ', ', @tables;
$primary->safe_psql('mirror', "INSERT INTO lead_system.organizations (id, name) VALUES ('f0000000-0000-4000-8000-000000000000', 'resident')");
$primary->safe_psql('crm', "CREATE PUBLICATION leads FOR TABLE $list; SELECT pg_create_logical_replication_slot('mirror', 'pgoutput')");
my $source = $primary->connstr('crm');
$source =~ s/'/''/g;
$primary->safe_psql('mirror', "CREATE SUBSCRIPTION leads CONNECTION '$source' PUBLICATION leads WITH (create_slot = false, slot_name = 'mirror')");
$primary->wait_for_subscription_sync($primary, 'leads', 'mirror');

sub rows_of
{
	my ($db) = @_;
	return $primary->safe_psql($db, join ' UNION ALL ', map {
			"SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) FROM $_ t WHERE "
			  . ($_ eq 'lead_system.organizations' ? 'id' : 'organization_id') . " IN ('$alpha', '$bravo')" } @tables);
}
same_text(rows_of('mirror'), rows_of('crm'), 'logical replication: the first copy has every row as it is');

$primary->safe_psql('crm', <<"SQL");
SET app.current_org_id = '$alpha';
SELECT lead_system.upsert_lead('{"first_name": "Late", "email": "late\@example.com", "phone_number": "+12025550166"}');
SELECT lead_system.change_lead_status('$lead', 'Qualified', 'fits');
SELECT lead_system.add_to_dnc_list('+12025550166', 'manual');
UPDATE lead_system.leads SET city = 'Boise' WHERE organization_id = '$alpha';
DELETE FROM lead_system.lead_list_members WHERE organization_id = '$alpha';
SQL
$primary->wait_for_catchup('leads');
same_text(rows_of('mirror'), rows_of('crm'), 'changes arrive as they are, and write no second history');
is($primary->safe_psql('mirror', "SELECT lead_system.is_on_dnc_list('(202) 555-0166', '$alpha'), lead_system.calculate_lead_score('$lead') > 0"),
	't|t', 'functions work on the copy');

# A call that must not have been made is not taken over, although somebody got it past the publisher's guard.
my $log = -s $primary->logfile;
$primary->safe_psql('crm', <<"SQL");
ALTER TABLE lead_system.call_logs DISABLE TRIGGER call_logs_guard;
INSERT INTO lead_system.call_logs (organization_id, direction, status, called_phone) VALUES ('$alpha', 'outbound', 'answered', '+12025550166');
ALTER TABLE lead_system.call_logs ENABLE ALWAYS TRIGGER call_logs_guard;
SQL
$primary->wait_for_log(qr/an outbound row of "call_logs" is refused/, $log);
is($primary->safe_psql('mirror', "SELECT count(*) FROM lead_system.call_logs WHERE called_phone = '+12025550166'"), '0', 'a call to a listed number is refused by the subscriber');
$primary->safe_psql('mirror', 'ALTER SUBSCRIPTION leads DISABLE');
$primary->safe_psql('mirror', 'ALTER SUBSCRIPTION leads SET (slot_name = NONE)');
$primary->safe_psql('mirror', 'DROP SUBSCRIPTION leads');

# The standby takes over.
catch_up();
$primary->stop('immediate');
$standby->promote;
is(try_sql($standby, 'crm', "$admin SELECT lead_system.upsert_lead('{\"first_name\": \"After\", \"phone_number\": \"202-555-0189\"}') IS NOT NULL;"
		  . " SELECT count(*) FROM lead_system.activities a JOIN lead_system.leads l ON l.id = a.lead_id WHERE l.first_name = 'After'"),
	"t\n1", 'promoted: leads come in, histories are written');
is($standby->safe_psql('crm', "SELECT count(*) FROM lead_system.health_check() WHERE NOT ok"), '0', 'promoted: health_check() finds nothing');
$standby->stop;
done_testing();
