# A backend, and then the whole server, goes down in the middle of an import and
# of a recalculation: what was committed is there in full, nothing of the rest
# is, and running it again completes it.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $node = start_node('main', conf => "restart_after_crash = on\n");
create_database($node, 'crm');
my $org = $node->safe_psql('crm', "SELECT lead_system.create_organization('Crash')");
my $enter = "SET app.current_org_id = '$org';";
$node->safe_psql('crm', "$enter SELECT lead_system.set_config('import.batch_size', '10')");

# The rows of a file: 99 in the first one, 100 in each later one.
my $csv = q{(SELECT 'first_name,email,phone' || E'\n' || string_agg(format('lead %s,lead%s@example.com,+1%s55501%s', n, n, 201 + n / 100, lpad((n % 100)::text, 2, '0')), E'\n' ORDER BY n)
	FROM generate_series(:from, :to) n)};

sub import_sql
{
	my ($file) = @_;
	my ($from, $to) = (($file - 1) * 100 + ($file > 1 ? 0 : 1), $file * 100 - 1);
	(my $rows = $csv) =~ s/:from/$from/;
	$rows =~ s/:to/$to/;
	return "SELECT lead_system.import_leads_csv('file $file', $rows)";
}

# Everything that an import writes, table by table.
sub state_of
{
	return $node->safe_psql('crm', join ' UNION ALL ', map { "SELECT '$_', count(*) FROM lead_system.$_ WHERE organization_id = '$org'" }
		  qw(activities lead_import_errors lead_imports lead_list_members lead_lists leads));
}

# Counts of lists, and of imports, against the rows.
sub check_counts
{
	my ($name) = @_;
	is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.lead_lists l WHERE lead_count <> (SELECT count(*) FROM lead_system.lead_list_members m WHERE m.lead_list_id = l.id)"),
		'0', "$name: lists have as many members as they say");
	is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.lead_imports WHERE status <> 'completed' OR row_count <> inserted_count + updated_count + duplicate_count + rejected_count"),
		'0', "$name: imports add up");
	is($node->safe_psql('crm', "SELECT (SELECT sum(inserted_count) FROM lead_system.lead_imports) = (SELECT count(*) FROM lead_system.leads)"),
		't', "$name: and say where the leads are from");
	return;
}

# Start a statement that has to wait for a row which another session holds, and
# call back while it does.
sub interrupt
{
	my ($hold, $statement, $interruption) = @_;
	my $holder = $node->background_psql('crm', on_error_stop => 0);
	$holder->query_safe("$enter BEGIN; $hold");
	my $worker = $node->background_psql('crm', on_error_stop => 0);
	my $pid = $worker->query_safe('SELECT pg_backend_pid()');
	$worker->query_safe($enter);
	$worker->query_until(qr/started/, "\\echo started\n$statement;\n");
	ok(wait_for_lock($node, 'crm', $pid), 'it is in the middle of its work');
	$interruption->($pid);
	# Both sessions are gone; psql may or may not have noticed.
	eval { $_->quit } foreach ($worker, $holder);
	return;
}

sub stop_server
{
	$node->stop('immediate');
	$node->start;
	return;
}

# Imports.  The first file is committed; the second waits in its sixth batch.
$node->safe_psql('crm', "$enter " . import_sql(1));
my $committed = state_of();
like($committed, qr/^leads\|99$/m, 'the first file is in');

my $hold = "INSERT INTO lead_system.leads (organization_id, phone_number) VALUES ('$org', '+12025550155')";
interrupt($hold, import_sql(2), sub { crash_backend($node, $_[0]) });
is(state_of(), $committed, 'killed backend: the import left nothing behind');
check_counts('killed backend');

interrupt($hold, import_sql(2), \&stop_server);
is(state_of(), $committed, 'stopped server: the import left nothing behind');
check_counts('stopped server');

$node->safe_psql('crm', "$enter " . import_sql(2));
is($node->safe_psql('crm', "SELECT row_count, inserted_count, updated_count, duplicate_count, rejected_count FROM lead_system.lead_imports WHERE lead_list_id = (SELECT id FROM lead_system.lead_lists WHERE name = 'file 2')"),
	'100|100|0|0|0', 'run again, all of it comes in');
is($node->safe_psql('crm', "$enter " . import_sql(2) . ' IS NOT NULL'), 't', 'run once more');
is($node->safe_psql('crm', "SELECT inserted_count, updated_count, duplicate_count FROM lead_system.lead_imports ORDER BY id DESC LIMIT 1"),
	'0|0|100', 'it adds nothing');
check_counts('completed');

# Several files in one go, each its own transaction: what was committed stays.
$hold = "INSERT INTO lead_system.leads (organization_id, phone_number) VALUES ('$org', '+12045550155')";
interrupt($hold, import_sql(3) . ";\n" . import_sql(4), sub { crash_backend($node, $_[0]) });
like(state_of(), qr/^leads\|299$/m, 'the file that was committed is in, the other is not');
check_counts('one of two files');
$node->safe_psql('crm', "$enter " . import_sql($_)) foreach (3, 4);
like(state_of(), qr/^leads\|399$/m, 'both, run again, complete it');
check_counts('both files');

# Recalculation: a batch is a transaction.
my $total = 399;
sub run_state
{
	return $node->safe_psql('crm', 'SELECT leads_seen, leads_changed, finished_at IS NOT NULL FROM lead_system.scoring_runs');
}

sub scored
{
	return $node->safe_psql('crm', "SELECT count(*) FILTER (WHERE lead_score = 3), count(*) FILTER (WHERE lead_score = 10) FROM lead_system.leads");
}

# A rule that concerns all of them.
$node->safe_psql('crm', "$enter SELECT lead_system.copy_scoring_model('banti');"
	  . " UPDATE lead_system.scoring_rules SET points = 10 WHERE organization_id = '$org' AND attribute = 'source' AND operator = 'any'");
is(scored(), "$total|0", 'leads are scored by the old rule');

my $lead = sub { "UPDATE lead_system.leads SET notes = 'held' WHERE id = (SELECT id FROM lead_system.leads ORDER BY created_at, id OFFSET $_[0] LIMIT 1)" };
interrupt($lead->(125), 'CALL lead_system.recalculate_lead_scores(50)', sub { crash_backend($node, $_[0]) });
is(run_state(), '100|100|f', 'killed backend: two batches are done');
is(scored(), ($total - 100) . '|100', 'in full, and nothing of the third');

interrupt($lead->(225), 'CALL lead_system.recalculate_lead_scores(50)', \&stop_server);
is(run_state(), '200|200|f', 'stopped server: it had gone on where the first had been, for two batches');
is(scored(), ($total - 200) . '|200', 'in full, and nothing of the next');

$node->safe_psql('crm', "$enter CALL lead_system.recalculate_lead_scores(50)");
is(run_state(), "$total|$total|t", 'run again, it completes');
is(scored(), "0|$total", 'all leads are scored by the new rule');
is($node->safe_psql('crm', 'SELECT count(*), count(DISTINCT lead_id) FROM lead_system.lead_score_history'),
	"$total|$total", 'and each of them once');
is($node->safe_psql('crm', 'SELECT count(*) FROM lead_system.leads WHERE notes IS NOT NULL'), '0', 'what held them up was undone');

# A caller's own transaction around a recalculation is all or nothing.
$node->safe_psql('crm', "UPDATE lead_system.scoring_rules SET points = 3 WHERE organization_id = '$org' AND attribute = 'source' AND operator = 'any'");
interrupt($lead->(225), "BEGIN;\nCALL lead_system.recalculate_lead_scores(50)", sub { crash_backend($node, $_[0]) });
is(scored(), "0|$total", 'within a transaction nothing is done by halves');

is($node->safe_psql('crm', "SELECT string_agg(check_name || ': ' || detail, E'\n') FROM lead_system.health_check() WHERE NOT ok"),
	'', 'health_check() finds nothing');
$node->stop;
done_testing();
