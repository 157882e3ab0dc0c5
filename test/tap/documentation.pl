# The examples of the documentation print what the pages show, and every page
# and diagram is found by who starts at README.md.
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

my $readme = PostgreSQL::Test::Utils::slurp_file('README.md');
is(join(' ', grep { index($readme, "($_)") < 0 } sort glob('docs/*.md')), '', 'README.md links every page');
my @broken;
for my $page ('README.md', 'CONTRIBUTING.md', glob('docs/*.md src/*/README.md bench/README.md'))
{
	my ($folder) = $page =~ m{^(.*/)};
	my $text = PostgreSQL::Test::Utils::slurp_file($page);
	while ($text =~ /\]\((?!http)([^)#\s]+)/g)
	{
		push @broken, "$page: $1" unless -e (defined $folder ? $folder : '') . $1;
	}
}
is(join(' ', @broken), '', 'every link leads somewhere');
my $links = join '', map { PostgreSQL::Test::Utils::slurp_file($_) } glob('docs/*.md');
my @pictures = map { s{^docs/}{}r } sort glob('docs/*.svg docs/er/*.svg');
cmp_ok(scalar @pictures, '>', 5, 'there are pictures');
is(join(' ', grep { index($links, "($_)") < 0 } @pictures), '', 'every picture is in a page');

$node->stop;
done_testing();
