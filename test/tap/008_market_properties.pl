# Random markets, driven by random events: bids, cancellations, the end of
# bidding, messages, declines, appeals, reviews, and the clock.  What must hold
# is checked after each event; lib/market_properties.sql says what that is.
#
# LEAD_SYSTEM_MARKETS: how many markets, 20 to a world; LEAD_SYSTEM_SEED: which.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $seed = $ENV{LEAD_SYSTEM_SEED} // 20260302;
my $markets = $ENV{LEAD_SYSTEM_MARKETS} // 300;
my $worlds = int(($markets + 19) / 20);

my $node = start_node('main', conf => "fsync = off\nsynchronous_commit = off\n");
create_database($node, 'market');
$node->safe_psql('market', "\\i $ENV{LEAD_SYSTEM_SRC}/test/tap/lib/market_properties.sql");
diag("seed $seed, $worlds worlds of 20 markets");

# A world in each of two sessions at a time would be faster; one after the other
# is the same each time.
foreach my $world (1 .. $worlds)
{
	my ($status, undef, $err) = $node->psql('market', "CALL prop.run_world($world, $seed)", on_error_stop => 1);
	is($err, '', "world $world of seed $seed");
	last if $status != 0;
}

# The events were those that were meant: each kind has succeeded and, where it
# can be, has been refused.
my $sql = "SELECT string_agg(kind || ' ' || code, ', ' ORDER BY kind, code) FROM prop.outcomes WHERE code <> 'none'";
is($node->safe_psql('market', $sql),
	'appeal 00000, appeal 23505, appeal 55000, bid 00000, bid 23505, bid LS010, bid LS011, cancel 00000, cancel LS010,'
	  . ' close 00000, close LS010, close due 00000, decline 00000, decline LS013, lift 00000, message 00000, message LS013,'
	  . ' open 00000, open 55000, rating 00000, refresh 00000, review 00000, review 55000, sweep some, tick 00000',
	'every kind of event, and every refusal');
note($node->safe_psql('market', 'SELECT kind, code, times FROM prop.outcomes ORDER BY 1, 2'));
is($node->safe_psql('market', "SELECT count(*) FROM lead_system.lead_listings s JOIN lead_system.leads l ON l.organization_id = s.organization_id AND l.id = s.lead_id WHERE l.status IN ('CONTACTED', 'EXPIRED')"),
	20 * $worlds, 'every market came to its end');
is($node->safe_psql('market', 'SELECT count(DISTINCT least(n, 4)) FROM (SELECT count(b.id) AS n FROM lead_system.lead_listings s LEFT JOIN lead_system.bids b ON b.organization_id = s.organization_id AND b.lead_id = s.lead_id GROUP BY s.organization_id, s.lead_id) x'),
	5, 'with none, one, two, three and more bids');
$node->stop;
done_testing();
