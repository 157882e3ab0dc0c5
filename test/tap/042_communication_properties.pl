# Eight clients record calls and texts at random, many of them twice, while others
# claim and call the rows of a queue; some numbers say STOP in between, and the
# server is killed once.  Afterwards nothing went out that began after a STOP had
# been committed, nothing was counted or paid twice, and the counters are a recount.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use LeadSystem;

my $seconds = $ENV{COMMUNICATION_SECONDS} || 4;
my $clients = 8;

my $node = start_node('main', conf => "fsync = on\n");
create_database($node, 'crm');
my $org = $node->safe_psql('crm', "SELECT lead_system.create_organization('Talk')");
my $enter = "SET app.current_org_id = '$org'; SET lead_system.now = '2026-03-02 18:00:00+00';";

# A ticket is drawn before something is sent, and after a STOP was committed.
$node->safe_psql('crm', <<"SQL");
$enter
CREATE SEQUENCE tickets;
CREATE TABLE stopped (phone text, ticket bigint);
CREATE TABLE claimed (campaign_lead_id uuid, phone text, ticket bigint);
CREATE FUNCTION phone(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS \$\$ SELECT format('+1%s5550%s', CASE WHEN n < 100 THEN 202 ELSE 203 END, 100 + n % 100) \$\$;
CREATE FUNCTION try_report(kind text, report jsonb) RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE format('SELECT lead_system.record_%s(\$1)', kind) USING report;
EXCEPTION WHEN SQLSTATE 'LS001' OR SQLSTATE 'LS004' OR SQLSTATE '55000' THEN
	NULL;
END \$\$;
INSERT INTO lead_system.leads (organization_id, first_name, phone_number, timezone) SELECT '$org', 'n' || n, phone(n), 'America/Chicago' FROM generate_series(0, 199) n;
SELECT lead_system.post_transaction(lead_system.open_account(), 'credit', 100000);
INSERT INTO lead_system.campaigns (organization_id, id, name, status, call_price, daily_cap) VALUES ('$org', 'dc000000-0000-4000-8000-0000000000c1', 'c', 'active', 0.10, 10000);
INSERT INTO lead_system.lead_lists (organization_id, id, name) VALUES ('$org', 'dc000000-0000-4000-8000-0000000000b1', 'l');
INSERT INTO lead_system.lead_list_members (organization_id, lead_list_id, lead_id) SELECT '$org', 'dc000000-0000-4000-8000-0000000000b1', id FROM lead_system.leads;
SELECT lead_system.add_lead_list_to_campaign('dc000000-0000-4000-8000-0000000000c1', 'dc000000-0000-4000-8000-0000000000b1');
SQL

# The number of a report follows from its id, so the same id is the same report.
my $script = $node->basedir . '/talk.sql';
append_to_file($script, <<"SQL");
\\set kind random(1, 20)
\\set id random(1, 4000)
\\set n random(0, 199)
SET app.current_org_id = '$org';
SET lead_system.now = '2026-03-02 18:00:00+00';
SELECT nextval('tickets') AS ticket \\gset
\\if :kind = 1
SELECT lead_system.record_sms(jsonb_build_object('direction', 'inbound', 'from_phone', phone(:n), 'message_text', 'STOP'));
INSERT INTO stopped VALUES (phone(:n), nextval('tickets'));
\\elif :kind <= 5
SELECT lead_system.record_sms(jsonb_build_object('direction', 'inbound', 'from_phone', phone(:id % 200), 'message_text', 'hello', 'provider_message_id', 'i' || :id));
\\elif :kind <= 9
SELECT try_report('sms', jsonb_build_object('direction', 'outbound', 'to_phone', phone(:n), 'message_text', :ticket));
\\elif :kind <= 12
SELECT try_report('call', jsonb_build_object('direction', 'inbound', 'caller_phone', phone(:id % 200), 'status', CASE :id % 2 WHEN 0 THEN 'answered' ELSE 'no_answer' END, 'provider_call_id', 'i' || :id));
\\elif :kind <= 14
SELECT try_report('call', jsonb_build_object('direction', 'outbound', 'called_phone', phone(:n), 'status', 'answered', 'notes', :ticket));
\\elif :kind <= 16
INSERT INTO claimed SELECT campaign_lead_id, phone_number, :ticket FROM lead_system.claim_campaign_leads('dc000000-0000-4000-8000-0000000000c1');
\\else
SELECT try_report('call', jsonb_build_object('campaign_lead_id', c.campaign_lead_id, 'outcome', CASE :id % 3 WHEN 0 THEN 'failed' WHEN 1 THEN 'answered' ELSE 'no_answer' END, 'provider_call_id', 'q' || c.campaign_lead_id))
  FROM (SELECT campaign_lead_id FROM claimed ORDER BY random() LIMIT 1) c;
\\endif
SQL

# What must be true whenever one looks: each query counts what is wrong.
my %rules = (
	'no text went out after a STOP' => "lead_system.sms_logs s JOIN stopped x ON x.phone = s.to_phone AND s.direction = 'outbound' AND s.message_text::bigint > x.ticket",
	'no call was made after a STOP' => "lead_system.call_logs c JOIN stopped x ON x.phone = c.called_phone AND c.direction = 'outbound' AND c.notes::bigint > x.ticket",
	'nobody was handed out after a STOP' => "claimed c JOIN stopped x ON x.phone = c.phone AND c.ticket > x.ticket",
	'who said STOP is listed, and the leads are marked' => "stopped x LEFT JOIN lead_system.dnc_list d ON d.phone_number = x.phone LEFT JOIN lead_system.leads l ON l.phone_number = x.phone AND l.do_not_call WHERE d.id IS NULL OR l.id IS NULL",
	'counters are a recount' => "lead_system.leads l WHERE (sms_reply_count, call_count) <> ((SELECT count(*) FROM lead_system.sms_logs s WHERE s.lead_id = l.id AND s.direction = 'inbound' AND s.meaning IS DISTINCT FROM 'opt_out'), (SELECT count(*) FROM lead_system.call_logs c WHERE c.lead_id = l.id))",
	'each row of the queue was called as often as there are calls' => 'lead_system.campaign_leads q WHERE attempts <> (SELECT count(*) FROM lead_system.call_logs c WHERE c.campaign_lead_id = q.id)',
	'one lead has a number, and every report its lead' => 'lead_system.sms_logs WHERE lead_id IS NULL OR (SELECT count(*) FROM lead_system.leads) <> 200',
	'each call that was made is paid once' => "(SELECT count(*) n FROM lead_system.call_logs WHERE campaign_lead_id IS NOT NULL AND status <> 'failed') c, (SELECT count(*) n FROM lead_system.budget_transactions WHERE transaction_type IN ('capture', 'debit')) t WHERE c.n <> t.n",
	'what is held is for rows that wait for their call' => "(SELECT coalesce(sum(amount), 0) n FROM lead_system.budget_holds WHERE status = 'held') h, lead_system.budget_accounts a WHERE h.n <> a.held",
	'one enrolment of a lead is alive' => "(SELECT FROM lead_system.lead_sequence_enrollments WHERE status IN ('active', 'paused') GROUP BY lead_id HAVING count(*) > 1) e",
	'nobody who said STOP is in a sequence' => "stopped x JOIN lead_system.leads l ON l.phone_number = x.phone JOIN lead_system.lead_sequence_enrollments e ON e.lead_id = l.id WHERE e.status IN ('active', 'paused')",
);

sub check_rules
{
	my ($name) = @_;
	foreach my $rule (sort keys %rules)
	{
		is($node->safe_psql('crm', "SELECT count(*) FROM $rules{$rule}"), '0', "$name: $rule");
	}
	return;
}

sub count_of
{
	return $node->safe_psql('crm', 'SELECT count(*) FROM lead_system.sms_logs');
}

# Kill the postmaster; its children notice, and leave.
sub kill_server
{
	$node->kill9;
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return pass('the server starts again') if $node->start(fail_ok => 1);
		usleep(100_000);
		$node->stop('immediate', fail_ok => 1);
	}
	BAIL_OUT('the server does not start after kill -9');
	return;
}

# One run of pgbench; deadlocks are retried, as programs have to.
sub run_clients
{
	my ($interruption) = @_;
	my ($out, $err) = ('', '');
	my @command = ('pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $clients, '-j', 2,
		'-T', $seconds, '--max-tries', 20, '-f', $script, 'crm');
	my $run = IPC::Run::start(\@command, '<', \undef, '>', \$out, '2>', \$err);
	if ($interruption)
	{
		my $before = count_of();
		usleep(100_000) while count_of() < $before + 20;
		$interruption->();
	}
	$run->finish;
	return ($out, $err);
}

my ($out, $err) = run_clients();
unlike($err, qr/aborted/, 'none of the clients meets an error') or diag($err);
my ($tps) = $out =~ /tps = ([0-9.]+)/;
my ($retried) = $out =~ /transactions retried: (\d+)/;
note("$clients clients: $tps reports per second, " . ($retried || 0) . ' retried');
check_rules('after a run');
run_clients(\&kill_server);
check_rules('after the kill');
($out, $err) = run_clients();
unlike($err, qr/aborted/, 'it goes on') or diag($err);
check_rules('after another run');
cmp_ok($node->safe_psql('crm', "SELECT least((SELECT count(*) FROM stopped), (SELECT count(*) FROM lead_system.call_logs WHERE campaign_lead_id IS NOT NULL), (SELECT count(*) FROM lead_system.sms_logs WHERE direction = 'outbound'), (SELECT count(*) FROM lead_system.lead_sequence_enrollments))"),
	'>', 5, 'all of it took place');

# Rules that cannot fail would prove nothing.
$node->safe_psql('crm', "SET session_replication_role = replica; UPDATE lead_system.sms_logs SET message_text = (SELECT max(ticket) + 1 FROM stopped) WHERE id = (SELECT s.id FROM lead_system.sms_logs s JOIN stopped x ON x.phone = s.to_phone WHERE s.direction = 'outbound' LIMIT 1)");
isnt($node->safe_psql('crm', "SELECT count(*) FROM $rules{'no text went out after a STOP'}"), '0', 'a text after the STOP is found');
$node->stop;
done_testing();
