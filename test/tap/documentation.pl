# The examples of the documentation print what the pages show.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('documentation');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\njit = off\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
delete $ENV{PGOPTIONS};

require './scripts/doc-examples.pl';
my @pages = grep { PostgreSQL::Test::Utils::slurp_file($_) =~ /^```sql$/m } 'README.md', sort glob('docs/*.md');
cmp_ok(scalar @pages, '>', 5, 'there are pages with examples');
run_pages('', @pages);

$node->stop;
done_testing();
