# Random merges, unmerges, archivings and restorings of random leads with lists,
# queue rows, calls and notes.  After each unmerge and restore, every row that
# belongs to a lead is what it was, by its hash; the counts of lists and campaigns
# are those of their rows at every step; and no row is left with a lead that is
# gone.
#
# LEAD_SYSTEM_MERGES: how many rounds; LEAD_SYSTEM_SEED: which.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $seed = $ENV{LEAD_SYSTEM_SEED} // 20260302;
my $rounds = $ENV{LEAD_SYSTEM_MERGES} // 12;
my $node = start_node('main', conf => "fsync = off\nsynchronous_commit = off\n");
create_database($node, 'merge');
$node->safe_psql('merge', "\\i $ENV{LEAD_SYSTEM_SRC}/test/tap/lib/merge_properties.sql");
diag("seed $seed, $rounds rounds");

foreach my $round (1 .. $rounds)
{
	my ($status, undef, $err) = $node->psql('merge', "CALL prop.run_round($round, $seed)", on_error_stop => 1);
	is($err, '', "round $round of seed $seed");
	last if $status != 0;
}
is($node->safe_psql('merge', 'SELECT count(*) > 0 FROM lead_system.lead_merges WHERE unmerged_at IS NOT NULL'), 't', 'something was merged and undone');
is($node->safe_psql('merge', 'SELECT bool_and(times > 0) AND count(*) = 3 FROM prop.outcomes'), 't', 'every kind of event happened');
is($node->safe_psql('merge', "SELECT count(*) > 0 FROM lead_system.lead_merge_rows WHERE table_name = 'campaign_leads' AND row_after IS NULL"), 't', 'rows of the queue were in the way of each other');
$node->stop;
done_testing();
