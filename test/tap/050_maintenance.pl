# run_maintenance() over organizations: as a role of level maintenance, with one
# organization that is broken, killed in the middle and resumed, and started by pg_cron.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $node = start_node('main', conf => <<'CONF');
restart_after_crash = on
shared_preload_libraries = 'pg_cron'
cron.database_name = 'cron'
cron.use_background_workers = on
cron.timezone = 'UTC'
max_worker_processes = 20
CONF

# pg_cron starts with the minute; so it is told first, and asked last.
create_database($node, 'cron');
create_database($node, 'crm');
$node->safe_psql('cron', <<'SQL');
CREATE EXTENSION pg_cron;
CREATE ROLE worker LOGIN BYPASSRLS;
SELECT lead_system.grant_access('worker', 'maintenance');
GRANT USAGE ON SCHEMA cron TO worker;
SELECT lead_system.create_organization('Example Ltd');
SQL
my $job = $node->safe_psql('cron', 'SET ROLE worker; SELECT lead_system.schedule_maintenance()');
like($job, qr/^\d+$/, 'a job of pg_cron is made');
is($node->safe_psql('cron', "SET ROLE worker; SELECT lead_system.schedule_maintenance('*/5 * * * *')"), $job, 'called again it is the same one');
is($node->safe_psql('cron', 'SELECT schedule, command, database, username FROM cron.job'), '*/5 * * * *|CALL lead_system.run_maintenance()|cron|worker', 'with other times');
isnt((try_sql($node, 'cron', "SELECT lead_system.schedule_maintenance('every minute')"))[0], '', 'pg_cron refuses what it does not understand');
is($node->safe_psql('cron', 'SET ROLE worker; SELECT lead_system.schedule_maintenance()'), $job, 'and every minute again');

# The runner, three organizations, and an expired entry of the do-not-call list in each.
my $as_worker = "SET SESSION AUTHORIZATION worker;";
my $march = "SET lead_system.now = '2026-03-02 15:00:00+00';";
my $later = "SET lead_system.now = '2026-03-10 15:00:00+00';";
$node->safe_psql('crm', "SELECT lead_system.grant_access('worker', 'maintenance')");
my @orgs = map { $node->safe_psql('crm', "SELECT lead_system.create_organization('Org $_')") } 1 .. 3;
foreach my $org (@orgs)
{
	$node->safe_psql('crm', <<"SQL");
SET app.current_org_id = '$org'; $march
INSERT INTO lead_system.leads (organization_id, first_name, industry, phone_number)
SELECT '$org', 'lead ' || n, 'Software/SaaS', '+1202555010' || n FROM generate_series(0, 4) n;
SELECT lead_system.add_to_dnc_list('+12025550103', 'asked', expires_at => '2026-03-03 15:00:00+00');
SQL
}
is($node->safe_psql('crm', "$as_worker SELECT count(*), count(last_run) FROM lead_system.maintenance_status()"),
	$node->safe_psql('crm', 'SELECT count(*), 0 FROM lead_system.maintenance_jobs()'), 'nothing has run yet');
# The virtual clock is for superusers; a session keeps it when it becomes another role.
sub run
{
	my ($when, @jobs) = @_;
	my $list = @jobs ? "ARRAY['" . join("', '", @jobs) . "']" : '';
	my $stderr;
	$node->psql('crm', "$when\nSET ROLE worker;\nCALL lead_system.run_maintenance($list);\n", stderr => \$stderr);
	return $stderr;
}
is(run($march), '', 'a role of level maintenance runs all jobs');
is($node->safe_psql('crm', 'SELECT bool_and(ok), count(*) = count(last_run) FROM lead_system.maintenance_status()'), 't|t', 'and all are well');
is($node->safe_psql('crm', 'SELECT count(DISTINCT organization_id) FROM lead_system.scoring_runs WHERE finished_at IS NOT NULL'), '3', 'in all organizations');

# One organization is broken: a sweeper does its work in the others.
$node->safe_psql('crm', <<"SQL");
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'not today'; END \$\$;
CREATE TRIGGER refuse BEFORE UPDATE ON lead_system.leads FOR EACH ROW WHEN (old.organization_id = '$orgs[1]') EXECUTE FUNCTION refuse();
SQL
like(run($later, 'release_expired_dnc_blocks', 'close_due_bidding'), qr/WARNING:.*organization $orgs[1]: not today/, 'the error names the organization');
is($node->safe_psql('crm', "SELECT rows, ok, detail FROM lead_system.maintenance_status() WHERE job = 'release_expired_dnc_blocks'"),
	"2|f|P0001: organization $orgs[1]: not today", 'and is kept');
is($node->safe_psql('crm', 'SELECT organization_id FROM lead_system.leads WHERE do_not_call'), $orgs[1], 'the others are done');
is($node->safe_psql('crm', "SELECT ok FROM lead_system.maintenance_status() WHERE job = 'close_due_bidding'"), 't', 'the next job runs');
$node->safe_psql('crm', 'DROP TRIGGER refuse ON lead_system.leads');
is(run($later, 'release_expired_dnc_blocks'), '', 'when it is mended');
is($node->safe_psql('crm', 'SELECT count(*) FROM lead_system.leads WHERE do_not_call'), '0', 'it is done, too');

# Killed while it is at the second organization.
my $scores = "SELECT rows, ok, regexp_replace(detail, '\\d+', 'N') FROM lead_system.maintenance_status() WHERE job = 'recalculate_lead_scores'";
my $holder = $node->background_psql('crm');
$holder->query_safe("BEGIN; SELECT 1 FROM lead_system.leads WHERE organization_id = '$orgs[1]' FOR UPDATE");
my $runner = $node->background_psql('crm', on_error_stop => 0);
my $pid = $runner->query_safe("SELECT pg_backend_pid()");
$runner->query_safe("$later SET ROLE worker");
$runner->query_until(qr/begins/, "\\echo begins\nCALL lead_system.run_maintenance(ARRAY['recalculate_lead_scores', 'recount_users']);\n");
ok(wait_for_lock($node, 'crm', $pid), 'the runner waits for a lead of the second one');
is($node->safe_psql('crm', $scores), '5||running, process N', 'what it did in the first one can be seen meanwhile');
like(run($later, 'recalculate_lead_scores'), qr/maintenance is already running/, 'a second runner leaves');
crash_backend($node, $pid);
eval { $runner->quit };
eval { $holder->quit };
is($node->safe_psql('crm', $scores), '5|f|interrupted', 'the run is interrupted');
is($node->safe_psql('crm', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), '0', 'and holds nothing');
is(run($later, 'recalculate_lead_scores'), '', 'the next runner');
is($node->safe_psql('crm', $scores), '10|t|done', 'goes on with the second organization');
is($node->safe_psql('crm', "SELECT string_agg(state, ' ' ORDER BY id) FROM lead_system.maintenance_runs WHERE job = 'recalculate_lead_scores'"), 'done interrupted done', 'and says so');
is($node->safe_psql('crm', "SELECT count(*), count(DISTINCT lead_id) FROM lead_system.lead_score_history WHERE created_at = '2026-03-10 15:00:00+00'"), '15|15', 'every lead was scored once');

# A runner that waits is ended, by whatever: the run is written down, the lock is gone, and nobody else is the worse.
my $last = "SELECT ok, regexp_replace(detail, '\\d+', 'N') FROM lead_system.maintenance_status() WHERE job = 'release_expired_dnc_blocks'";
my $locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
$holder = $node->background_psql('crm');
$holder->query_safe('BEGIN; LOCK TABLE lead_system.leads');
like(run("SET statement_timeout = 300; $later", 'release_expired_dnc_blocks'), qr/canceling statement due to statement timeout/, 'a timeout ends the runner');
is($node->safe_psql('crm', $last), 'f|cancelled', 'which says so');
is($node->safe_psql('crm', $locks), '0', 'and holds nothing');
$runner = $node->background_psql('crm', on_error_stop => 0);
$pid = $runner->query_safe('SELECT pg_backend_pid()');
$runner->query_safe("$later SET ROLE worker");
$runner->query_until(qr/begins/, "\\echo begins\nCALL lead_system.run_maintenance(ARRAY['release_expired_dnc_blocks']);\n");
ok(wait_for_lock($node, 'crm', $pid), 'the next one waits, too');
is($node->safe_psql('crm', $last), '|running, process N', 'and can be seen');
is($node->safe_psql('crm', "SELECT pg_terminate_backend($pid, 60000)"), 't', 'it is terminated');
is($node->safe_psql('crm', $last), 'f|interrupted', 'its run is interrupted');
is($node->safe_psql('crm', $locks), '0', 'and holds nothing, either');
eval { $runner->quit };
$holder->quit;
is(run($later, 'release_expired_dnc_blocks'), '', 'the one after it');
is($node->safe_psql('crm', $last), 't|done', 'comes to the end');

# A run whose time is over goes on with the next one; the first has done one organization.
$node->safe_psql('crm', "INSERT INTO lead_system.users (organization_id, email, full_name) SELECT id, 'ada\@example.com', 'Ada' FROM lead_system.organizations");
$node->safe_psql('crm', 'UPDATE lead_system.users SET total_leads_assigned = 7');
$node->safe_psql('crm', "UPDATE lead_system.maintenance_runs SET state = 'continues', position = '$orgs[0]', started_at = '2026-03-10 14:59:00+00' WHERE job = 'recount_users'");
my $more = "SET lead_system.maintenance_job_seconds = 0;";
run("$later $more", 'recount_users');
is($node->safe_psql('crm', "SELECT organization_id FROM lead_system.users WHERE total_leads_assigned = 0"), $orgs[1], 'a run without time deals with one organization, the next one');
run("$later $more", 'recount_users');
is($node->safe_psql('crm', "SELECT organization_id FROM lead_system.users WHERE total_leads_assigned = 7"), $orgs[0], 'and the next run with the one after it');
is($node->safe_psql('crm', "SELECT state FROM lead_system.maintenance_runs WHERE job = 'recount_users' ORDER BY id DESC LIMIT 1"), 'done', 'until there is none');
run("$later", 'recount_users');
is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.users WHERE total_leads_assigned = 7"), '0', 'then it begins anew');

# pg_cron lives in another database: the lines that the errors tell do it there, one job for each database.
my $hint = ($node->psql('crm', 'SET ROLE worker; SELECT lead_system.schedule_maintenance()'))[2];
like($hint, qr/pg_cron is not installed in database "crm"/, 'pg_cron is somewhere else');
$node->safe_psql('postgres', 'CREATE DATABASE erp');
my ($line) = $hint =~ /run there: (SELECT cron\..*;)/;
$node->safe_psql('cron', $line);
$node->safe_psql('cron', $line =~ s/\bcrm\b/erp/gr);
is($node->safe_psql('cron', "SELECT string_agg(database || ' ' || username || ' ' || schedule || ' ' || command, ', ' ORDER BY database) FROM cron.job WHERE jobid <> $job"),
	'crm worker * * * * * CALL lead_system.run_maintenance(), erp worker * * * * * CALL lead_system.run_maintenance()', 'two databases, two jobs');
($line) = ($node->psql('crm', 'SELECT lead_system.unschedule_maintenance()'))[2] =~ /run there: (SELECT cron\..*;)/;
$node->safe_psql('cron', $line);
$node->safe_psql('cron', $line =~ s/\bcrm\b/erp/gr);
is($node->safe_psql('cron', 'SELECT count(*) FROM cron.job'), '1', 'and both are taken back');

# pg_cron has done it by now, or does with the next minute.
ok($node->poll_query_until('cron', "SELECT count(*) > 0 FROM cron.job_run_details WHERE status = 'succeeded'"), 'pg_cron runs the job');
is($node->safe_psql('cron', 'SELECT count(*) = count(last_run), bool_and(ok) FROM lead_system.maintenance_status()'), 't|t', 'and all jobs have run');
is($node->safe_psql('cron', 'SET ROLE worker; SELECT lead_system.unschedule_maintenance()'), 't', 'it is taken back');
is($node->safe_psql('cron', 'SET ROLE worker; SELECT lead_system.unschedule_maintenance()'), 'f', 'once');
is($node->safe_psql('cron', 'SELECT count(*) FROM cron.job'), '0', 'for good');

$node->stop;
done_testing();
