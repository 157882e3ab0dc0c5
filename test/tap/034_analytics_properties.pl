# Every report and view over random leads, costs and campaigns, in several time
# zones, against the same computed lead by lead; before and after leads went into
# the archive. lib/analytics_properties.sql says what is true.
#
# LEAD_SYSTEM_WORLDS: how many organizations; LEAD_SYSTEM_SEED: which.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $seed = $ENV{LEAD_SYSTEM_SEED} // 20260302;
my $worlds = $ENV{LEAD_SYSTEM_WORLDS} // 8;

my $node = start_node('main', conf => "fsync = off\nsynchronous_commit = off\n");
create_database($node, 'analytics');
$node->safe_psql('analytics', "\\i $ENV{LEAD_SYSTEM_SRC}/test/tap/lib/analytics_properties.sql");
foreach my $world (1 .. $worlds)
{
	my ($status, undef, $err) = $node->psql('analytics', "CALL prop.run_world($world, $seed, 60)", on_error_stop => 1);
	is($err, '', "world $world of seed $seed");
	last if $status != 0;
}
is($node->safe_psql('analytics', q{SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT name FROM prop.checks GROUP BY name HAVING sum(seen) > 0) c}),
	'archived attribution sums attribution touches campaign_lead_lists_with_stats campaign_performance cohort_report lead_funnel lead_lists_with_campaigns '
	  . 'lead_pipeline snapshot source_performance time_in_stage user_dashboard velocity_report',
	'each was checked over something');
$node->stop;
done_testing();
