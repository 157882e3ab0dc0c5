# Workers are killed with kill -9 while they claim steps and while they report them,
# and then the whole server: no step is handed out twice, and none is lost.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $leads = 60;
my $node = start_node('main', conf => "restart_after_crash = on\n");
create_database($node, 'crm');
my $org = $node->safe_psql('crm', "SELECT lead_system.create_organization('Crash')");
my $enter = "SET app.current_org_id = '$org'; SET lead_system.now = '2026-03-02 15:00:00+00';";
my $later = "SET app.current_org_id = '$org'; SET lead_system.now = '2026-03-02 15:10:00+00';";

# What went out is written by each worker after its claim was committed.
$node->safe_psql('crm', <<"SQL");
$enter
CREATE TABLE public.sent (enrollment_id uuid, step integer, worker text);
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES ('$org', 'drip',
  '[{"step": 1, "channel": "email", "template_id": "a"}, {"step": 2, "channel": "email", "template_id": "b", "delay_minutes": 10}]');
INSERT INTO lead_system.leads (organization_id, first_name, email) SELECT '$org', 'lead ' || n, 'lead' || n || '\@example.com' FROM generate_series(1, $leads) n;
SELECT count(lead_system.enroll_lead(s.id, l.id)) FROM lead_system.nurture_sequences s, lead_system.leads l;
SQL

sub state
{
	return $node->safe_psql('crm', "SELECT string_agg(x, ' ') FROM (SELECT step_state || current_step || ':' || count(*) AS x FROM lead_system.lead_sequence_enrollments WHERE status = 'active' GROUP BY step_state, current_step ORDER BY 1) y");
}

# What must be true whenever one looks.
sub check_rules
{
	my ($name) = @_;
	is($node->safe_psql('crm', 'SELECT count(*) FROM (SELECT FROM public.sent GROUP BY enrollment_id, step HAVING count(*) > 1) x'), '0', "$name: no step went out twice");
	is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.lead_sequence_enrollments e, jsonb_array_elements(e.executed_steps) x WHERE x->>'status' = 'completed' AND NOT EXISTS (SELECT FROM public.sent s WHERE s.enrollment_id = e.id AND s.step = (x->>'step')::integer)"),
		'0', "$name: none is completed that did not go out");
	is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.nurture_sequences WHERE (total_enrollments, active_enrollments, completed_enrollments) <> (SELECT count(*), count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'completed') FROM lead_system.lead_sequence_enrollments)"),
		'0', "$name: the counts are right");
	return;
}

# A worker in the middle of a transaction, killed.
sub die_within
{
	my ($statement, $whole) = @_;
	my $worker = $node->background_psql('crm', on_error_stop => 0);
	my $pid = $worker->query_safe('SELECT pg_backend_pid()');
	$worker->query("$enter BEGIN; $statement");
	if ($whole)
	{
		$node->kill9;
		my $started = 0;
		foreach (1 .. 100)
		{
			last if $started = $node->start(fail_ok => 1);
			$node->stop('immediate', fail_ok => 1);
			select(undef, undef, undef, 0.2);
		}
		ok($started, 'the server starts again');
	}
	else
	{
		crash_backend($node, $pid);
	}
	eval { $worker->quit };
	return;
}

die_within('SELECT count(*) FROM lead_system.claim_due_steps(20);', 0);
is(state(), "scheduled1:$leads", 'killed while claiming: nothing was handed out');
die_within('SELECT count(*) FROM lead_system.claim_due_steps(20);', 1);
is(state(), "scheduled1:$leads", 'the same with the server');
is($node->safe_psql('crm', 'SELECT count(*) FROM lead_system.nurture_daily_counts'), '0', 'nor counted');

# Three workers claim twenty each, and send; the first one reports, the second is
# killed while it reports, the third before it does.
foreach my $worker ('first', 'second', 'third')
{
	$node->safe_psql('crm', "$enter INSERT INTO public.sent SELECT enrollment_id, step, '$worker' FROM lead_system.claim_due_steps(20)");
}
is(state(), 'claimed1:60', 'all are out');
my $report = sub { "SELECT count(lead_system.complete_step(enrollment_id, step)) FROM public.sent WHERE worker = '$_[0]';" };
$node->safe_psql('crm', $enter . $report->('first'));
die_within($report->('second'), 0);
is(state(), 'claimed1:40 scheduled2:20', 'a report that was not committed is none');
check_rules('killed while reporting');
die_within($report->('second'), 1);
check_rules('the server killed while reporting');

# The leases have lapsed: what nobody reported is not handed out again.
is($node->safe_psql('crm', "$later SELECT count(*) FROM (SELECT * FROM lead_system.claim_due_steps()) c WHERE step = 1"), '0', 'no step is handed out a second time');
is(state(), 'claimed2:20 uncertain1:40', 'but it is not lost either');
$node->safe_psql('crm', "$later INSERT INTO public.sent SELECT id, 2, 'fourth' FROM lead_system.lead_sequence_enrollments WHERE step_state = 'claimed'");
$node->safe_psql('crm', $later . $report->('fourth'));

# The provider knows what went out.
my ($status, $out, $error) = $node->psql('crm', $later . $report->('second'));
like($error, qr/the lease on step 1 has lapsed/, 'who comes late is told so');
$node->safe_psql('crm', "$later SELECT lead_system.confirm_step(enrollment_id, step) FROM public.sent WHERE worker IN ('second', 'third')");
is(state(), 'scheduled2:40', 'confirmed');
my $end = "SET app.current_org_id = '$org'; SET lead_system.now = '2026-03-03 15:20:00+00';";
$node->safe_psql('crm', "$end INSERT INTO public.sent SELECT enrollment_id, step, 'fifth' FROM lead_system.claim_due_steps()");
$node->safe_psql('crm', $end . $report->('fifth'));
check_rules('at the end');
is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.lead_sequence_enrollments WHERE status = 'completed'"), $leads, 'all are through');
is($node->safe_psql('crm', 'SELECT count(*) FROM public.sent'), 2 * $leads, 'with two steps each');
$node->stop;
done_testing();
