# A backend, and then the whole server, is killed while response windows are
# swept: of each window all is there or nothing, a strike included, and sweeping
# again strikes the rest once, and nobody twice.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use LeadSystem;

# Leads with three bids each; the windows of the first half end a minute earlier.
my $leads = 300;
my $half = $leads / 2;
my $batch = 50;

my $node = start_node('main', conf => "restart_after_crash = on\n");
create_database($node, 'crm');
my $org = $node->safe_psql('crm', "SELECT lead_system.create_organization('Crash', 'marketplace')");
my $enter = "SET app.current_org_id = '$org';";
my $late = "$enter SET lead_system.now = '2026-03-02 18:00:00+00';";
my $later = "$enter SET lead_system.now = '2026-03-02 21:00:00+00';";
$node->safe_psql('crm', <<"SQL");
$enter
SET lead_system.now = '2026-03-02 15:00:00+00';
INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor)
SELECT '$org', 'contractor ' || n, 'contractor' || n || '\@example.com', 'contractor', true FROM generate_series(0, 39) n;
INSERT INTO lead_system.leads (organization_id, title) SELECT '$org', 'lead ' || n FROM generate_series(1, $leads) n;
SELECT lead_system.open_bidding(id, 100, CASE WHEN substr(title, 6)::integer <= $half THEN timestamptz '2026-03-02 15:30:00+00' ELSE '2026-03-02 15:31:00+00' END)
  FROM lead_system.leads;
INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier)
SELECT '$org', l.id, u.id, 2 - 0.1 * k
  FROM lead_system.leads l CROSS JOIN generate_series(0, 2) k
  JOIN lead_system.users u ON u.full_name = 'contractor ' || (substr(l.title, 6)::integer + 7 * k) % 40;
SET lead_system.now = '2026-03-02 15:30:00+00';
SELECT lead_system.close_due_bidding(1000);
SET lead_system.now = '2026-03-02 15:31:00+00';
SELECT lead_system.close_due_bidding(1000);
SQL

sub count_of
{
	my ($what) = @_;
	return $node->safe_psql('crm', "SELECT count(*) FROM lead_system.$what");
}

# What must be true whenever one looks.
my @rules = (
	'a window that lapsed has one strike, no other bid has any', q{
	SELECT b.id FROM lead_system.bids b WHERE (b.status = 'EXPIRED')::integer
	   <> (SELECT count(*) FROM lead_system.strike_logs s WHERE s.organization_id = b.organization_id AND s.bid_id = b.id)
	    OR b.strike_applied <> (b.status = 'EXPIRED')},
	'strike_count is the number of strikes', q{
	SELECT u.id FROM lead_system.users u WHERE u.strike_count
	   <> (SELECT count(*) FROM lead_system.strike_logs s WHERE s.organization_id = u.organization_id AND s.contractor_id = u.id)},
	'strikes are numbered without gaps, and the tenth one bans', q{
	SELECT 1 FROM (SELECT s.*, row_number() OVER (PARTITION BY contractor_id ORDER BY strike_count_after) AS n FROM lead_system.strike_logs s) s
	  JOIN lead_system.users u ON u.organization_id = s.organization_id AND u.id = s.contractor_id
	 WHERE s.n <> s.strike_count_after OR s.ban_triggered <> (s.n = 10) OR u.is_bidding_banned <> (u.strike_count >= 10)},
	'the status of a lead says whose window is open', q{
	SELECT l.id FROM lead_system.leads l LEFT JOIN lead_system.bids b ON b.organization_id = l.organization_id AND b.lead_id = l.id
	       AND b.status = 'ACTIVE' AND b.response_window_starts_at IS NOT NULL
	 WHERE l.status <> coalesce('PENDING_RESPONSE_' || b.bid_rank, 'EXPIRED')},
	'each strike, each step and each window is in the histories once', q{
	SELECT 1 WHERE (SELECT count(*) FROM lead_system.strike_logs) <> ALL (ARRAY[
	       (SELECT count(*) FROM lead_system.activities WHERE action_type = 'strike_applied'),
	       (SELECT count(DISTINCT new_value->>'bid_id') FROM lead_system.activities WHERE action_type = 'strike_applied'),
	       (SELECT count(*) FROM lead_system.lead_status_history WHERE reason = 'response window expired')])
	    OR (SELECT count(*) FROM lead_system.activities WHERE action_type = 'window_opened')
	       <> (SELECT count(*) FROM lead_system.bids WHERE response_window_starts_at IS NOT NULL)},
	'the metrics count the windows', q{
	SELECT m.contractor_id FROM lead_system.contractor_metrics m WHERE m.total_leads_won <> (SELECT count(*) FROM lead_system.bids b
	 WHERE b.organization_id = m.organization_id AND b.contractor_id = m.contractor_id AND b.response_window_starts_at IS NOT NULL)},
);

sub check_rules
{
	my ($name, $strikes) = @_;
	is(count_of('strike_logs'), $strikes, "$name: $strikes strikes");
	for (my $i = 0; $i < @rules; $i += 2)
	{
		is($node->safe_psql('crm', "SELECT count(*) FROM ($rules[$i + 1]) x"), '0', "$name: $rules[$i]");
	}
	return;
}

# Start statements that have to wait for what another session holds, and call
# back while they do.
sub interrupt
{
	my ($hold, $statements, $interruption) = @_;
	my $holder = $node->background_psql('crm', on_error_stop => 0);
	$holder->query_safe("$enter BEGIN; $hold");
	my $worker = $node->background_psql('crm', on_error_stop => 0);
	my $pid = $worker->query_safe('SELECT pg_backend_pid()');
	$worker->query_until(qr/started/, "\\echo started\n$statements\n");
	ok(wait_for_lock($node, 'crm', $pid), 'it is in the middle of a sweep');
	$interruption->($pid);
	eval { $_->quit } foreach ($worker, $holder);
	return;
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
		# What a start left behind that took too long.
		$node->stop('immediate', fail_ok => 1);
	}
	BAIL_OUT('the server does not start after kill -9');
	return;
}

check_rules('before', 0);
is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.bids WHERE status = 'ACTIVE' AND response_window_starts_at IS NOT NULL"),
	$leads, 'all leads have a window open');

# The first half is swept in three transactions; the fourth one meets strikes
# that another session is writing for the second half.
my $strikes_of_half = "INSERT INTO lead_system.strike_logs (organization_id, contractor_id, lead_id, bid_id, strike_count_after)"
  . " SELECT organization_id, contractor_id, lead_id, id, 1 FROM lead_system.bids WHERE response_window_ends_at = '2026-03-02 17:31:00+00'";
interrupt($strikes_of_half, $late . "SELECT lead_system.expire_response_windows($batch);\n" x ($leads / $batch), \&kill_server);
check_rules('killed in the fourth sweep', $half);

# One large sweep that is stopped at each of its stages.
foreach my $stage ('strike_logs', 'users', 'activities', 'contractor_metrics', 'lead_status_history', 'leads')
{
	my $crash = $stage eq 'leads' ? \&kill_server : sub { crash_backend($node, $_[0]) };
	interrupt("LOCK TABLE lead_system.$stage IN SHARE MODE", "$late SELECT lead_system.expire_response_windows(1000);", $crash);
	check_rules("killed before writing $stage", $half);
}

is($node->safe_psql('crm', "$late SELECT lead_system.expire_response_windows(1000)"), $half, 'sweeping again does the rest');
check_rules('swept', $leads);
is($node->safe_psql('crm', "$late SELECT lead_system.expire_response_windows(1000)"), '0', 'once');

# The next windows, and the end of the market, where nobody is left.
interrupt("LOCK TABLE lead_system.lead_status_history IN SHARE MODE", "$later SELECT lead_system.expire_response_windows(1000);", \&kill_server);
check_rules('killed in the second round', $leads);
is($node->safe_psql('crm', "$later SELECT lead_system.expire_response_windows(1000)"), $leads, 'the second round is swept');
check_rules('second round', 2 * $leads);
my $last = "$enter SET lead_system.now = '2026-03-03 00:00:00+00';";
interrupt("LOCK TABLE lead_system.users IN SHARE MODE", "$last SELECT lead_system.expire_response_windows(1000);", \&kill_server);
check_rules('killed in the last round', 2 * $leads);
is($node->safe_psql('crm', "$last SELECT lead_system.expire_response_windows(1000)"), $leads, 'the last round is swept');
check_rules('last round', 3 * $leads);
is($node->safe_psql('crm', "SELECT DISTINCT status FROM lead_system.leads"), 'EXPIRED', 'nobody is left');

# A bidding that is being closed.
$node->safe_psql('crm', "$last INSERT INTO lead_system.users (organization_id, full_name, email, role, is_contractor) SELECT '$org', 'newcomer ' || n, 'newcomer' || n || '\@example.com', 'contractor', true FROM generate_series(1, 4) n;"
	  . "INSERT INTO lead_system.leads (organization_id, title) SELECT '$org', 'new ' || n FROM generate_series(1, 20) n;"
	  . "SELECT lead_system.open_bidding(id, 100) FROM lead_system.leads WHERE title LIKE 'new %';"
	  . "INSERT INTO lead_system.bids (organization_id, lead_id, contractor_id, bid_multiplier) SELECT '$org', l.id, u.id, 1 FROM lead_system.leads l, lead_system.users u WHERE l.title LIKE 'new %' AND u.full_name LIKE 'newcomer %'");
my $due = "$enter SET lead_system.now = '2026-03-03 00:30:00+00';";
my $closed = "SELECT l.status, b.bid_rank, b.status, count(*) FROM lead_system.leads l JOIN lead_system.bids b ON b.lead_id = l.id WHERE l.title LIKE 'new %' GROUP BY 1, 2, 3 ORDER BY 1, 2";
interrupt("LOCK TABLE lead_system.contractor_metrics IN SHARE MODE", "$due SELECT lead_system.close_due_bidding(1000);", \&kill_server);
is($node->safe_psql('crm', $closed), 'ACTIVE||ACTIVE|80', 'killed while closing: nothing is closed');
is($node->safe_psql('crm', "$due SELECT lead_system.close_due_bidding(1000)"), '20', 'closing again closes all');
is($node->safe_psql('crm', $closed), join("\n", (map { "PENDING_RESPONSE_1|$_|ACTIVE|20" } 1 .. 3), 'PENDING_RESPONSE_1||LOST|20'), 'with three ranks each');

# NOTICE says that something had to be corrected.
my ($status, $out, $notices) = $node->psql('crm', "$due SELECT count(lead_system.refresh_contractor_metrics(id)) FROM lead_system.users WHERE is_contractor");
is($notices, '', 'the metrics are what the history says');
is($node->safe_psql('crm', "SELECT string_agg(check_name || ': ' || detail, E'\n') FROM lead_system.health_check() WHERE NOT ok"),
	'', 'health_check() finds nothing');
$node->stop;
done_testing();
