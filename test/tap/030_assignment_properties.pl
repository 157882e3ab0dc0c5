# Random work on leads and users: after each step the counters of users equal a
# recount, nobody who is assigned waits, and no strategy goes above capacity;
# lib/assignment_properties.sql says what that is. Then several sessions at once.
#
# LEAD_SYSTEM_WORLDS: how many organizations; LEAD_SYSTEM_SEED: which.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $seed = $ENV{LEAD_SYSTEM_SEED} // 20260302;
my $worlds = $ENV{LEAD_SYSTEM_WORLDS} // 10;

my $node = start_node('main', conf => "fsync = off\nsynchronous_commit = off\ndeadlock_timeout = 100ms\n");
create_database($node, 'assignment');
$node->safe_psql('assignment', "\\i $ENV{LEAD_SYSTEM_SRC}/test/tap/lib/assignment_properties.sql");
foreach my $world (1 .. $worlds)
{
	my ($status, undef, $err) = $node->psql('assignment', "CALL prop.run_world($world, $seed, 150)", on_error_stop => 1);
	is($err, '', "world $world of seed $seed");
	last if $status != 0;
}
is($node->safe_psql('assignment', "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM prop.outcomes WHERE code = '00000'"),
	'delete gone manual many new one release setting sla spam status time update user waiting warmer',
	'every kind of step');
is($node->safe_psql('assignment', "SELECT string_agg(DISTINCT code, ' ' ORDER BY code) FROM prop.outcomes"),
	'00000 LS030 LS040 LS041', 'and every refusal');

# Sessions that assign, close and look for room at once: as many leads as places
# are assigned, and none waits beside a free user.
$node->safe_psql('assignment', q{
	SELECT set_config('app.current_org_id', lead_system.create_organization('Race', 'recruiting')::text, false);
	SELECT lead_system.set_config('assignment.strategy', '"capacity"');
	INSERT INTO lead_system.users (organization_id, full_name, email, max_active_leads) SELECT lead_system.current_org_id(), 'rep ' || n, 'rep' || n || '@example.com', 5 FROM generate_series(1, 4) n;
	INSERT INTO lead_system.leads (organization_id, first_name) SELECT lead_system.current_org_id(), 'lead ' || n FROM generate_series(1, 200) n;
	CREATE TABLE prop.race AS SELECT lead_system.current_org_id() AS org;
});
my $script = $node->basedir . '/race.sql';
PostgreSQL::Test::Utils::append_to_file($script, q{SELECT set_config('app.current_org_id', org::text, false) FROM prop.race;
SELECT lead_system.assign_leads(array_agg(id)) FROM (SELECT id FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() AND assigned_to IS NULL AND deleted_at IS NULL ORDER BY random() LIMIT 2) l HAVING count(*) > 0;
UPDATE lead_system.leads SET deleted_at = now() WHERE organization_id = lead_system.current_org_id() AND id = (SELECT id FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() AND assigned_to IS NOT NULL AND deleted_at IS NULL ORDER BY random() LIMIT 1);
});
$node->command_ok([ 'pgbench', '-n', '-c', '4', '-t', '25', '-f', $script, '--max-tries=10', $node->connstr('assignment') ], 'four sessions at once');
is($node->safe_psql('assignment', q{SELECT set_config('app.current_org_id', org::text, false) IS NOT NULL FROM prop.race;
	SELECT lead_system.recount_user_counters(), lead_system.assign_waiting_leads(), max(current_lead_count) <= 5 FROM lead_system.users WHERE organization_id = lead_system.current_org_id()}),
	"t\n0|0|t", 'the counters are right, no place was given twice, and nobody waits beside a free user');

# The same while users come, go and get other maxima, and leads come in: whatever
# the order, the counters are those of a recount, and nobody waits beside a free user.
$node->safe_psql('assignment', q{SELECT set_config('app.current_org_id', org::text, false) FROM prop.race; SELECT lead_system.set_config('assignment.auto', 'true')});
my $storm = $node->basedir . '/storm.sql';
PostgreSQL::Test::Utils::append_to_file($storm, q{SELECT set_config('app.current_org_id', org::text, false) FROM prop.race;
INSERT INTO lead_system.leads (organization_id, first_name) VALUES (lead_system.current_org_id(), 'late');
UPDATE lead_system.users SET is_active = random() < 0.7, max_active_leads = floor(random() * 8)::int WHERE organization_id = lead_system.current_org_id() AND id = (SELECT id FROM lead_system.users WHERE organization_id = lead_system.current_org_id() ORDER BY random() LIMIT 1);
SELECT lead_system.release_leads(id) FROM (SELECT id FROM lead_system.users WHERE organization_id = lead_system.current_org_id() ORDER BY random() LIMIT 1) u;
UPDATE lead_system.leads SET deleted_at = now() WHERE organization_id = lead_system.current_org_id() AND id = (SELECT id FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() AND assigned_to IS NOT NULL AND deleted_at IS NULL ORDER BY random() LIMIT 1);
});
$node->command_ok([ 'pgbench', '-n', '-c', '4', '-t', '40', '-f', $storm, '--max-tries=20', $node->connstr('assignment') ], 'a storm of four sessions');
is($node->safe_psql('assignment', q{SELECT set_config('app.current_org_id', org::text, false) IS NOT NULL FROM prop.race;
	SELECT lead_system.recount_user_counters(), lead_system.assign_waiting_leads(), count(*) FROM lead_system.waiting_leads w JOIN lead_system.leads l ON l.id = w.lead_id AND l.assigned_to IS NOT NULL WHERE w.organization_id = lead_system.current_org_id()}),
	"t\n0|0|0", 'the counters are right, and nobody waits beside a free user');
$node->stop;
done_testing();
