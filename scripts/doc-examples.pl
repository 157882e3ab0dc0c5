#!/usr/bin/perl
# Runs the examples of the documentation and compares what psql prints with
# what the page shows.  Prints a TAP line per page.
#
#   scripts/doc-examples.pl [--update] PAGE...
#
# A page is run in a database of its own, in one session, by a superuser of the
# server that PGHOST and its like name.  Its parts:
#
#   ```sql ... ```        run; a ```text block that follows shows the output,
#                         without one there must be none
#   <!-- run ... -->      run, but neither shown nor compared
#   ```sql norun ... ```  not run: what needs a second server, or a shell
#
# Roles that a page makes have names that begin with doc_, and are dropped again.
# Identifiers differ from run to run and are compared as any uuid.  --update
# writes the output into the page where it differs.
use strict;
use warnings;
use File::Temp;
use Test::More;

# The parts of a page, in order: [kind, text], kind sql, hidden, text or other.
sub page_parts
{
	my ($page) = @_;
	my @parts;
	while ($page =~ /\G(?:
			^```sql\n(?<sql>.*?)^```\n |
			^<!--\ run\n(?<hidden>.*?)^-->\n |
			^```text\n(?<text>.*?)^```\n |
			(?<other>[^\n]*\n))/gsmx)
	{
		my ($kind) = keys %+;
		push @parts, [ $kind, $+{$kind} ];
	}
	return @parts;
}

# Run SQL texts in one session; returns what each of them printed.
sub run_texts
{
	my ($database, @texts) = @_;
	my $dir = File::Temp->newdir;

	open my $in, '>', "$dir/in" or die "$dir/in: $!";
	print $in "\\set SHOW_CONTEXT never\n";
	print $in "$_\n\\echo <<mark>>\n" for @texts;
	close $in;
	system("psql -X -q -d '$database' <'$dir/in' >'$dir/out' 2>&1") == 0
		or die 'psql failed: ' . slurp("$dir/out");
	my @printed = split /^<<mark>>\n/m, slurp("$dir/out"), -1;
	for my $text (@printed)
	{
		$text =~ s/[ \t]+$//mg;
		$text =~ s/\n+\z/\n/;
	}
	return @printed[ 0 .. $#texts ];
}

sub slurp
{
	my ($file) = @_;
	local $/;
	open my $handle, '<', $file or die "$file: $!";
	my $text = <$handle>;
	return defined $text ? $text : '';
}

# Any uuid is as good as another.
sub masked
{
	my ($text) = @_;
	$text =~ s/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/<uuid>/g;
	$text =~ s/\s+\z//;
	return $text;
}

# The roles that pages make; their names begin with doc_.
sub page_roles
{
	return split /\n/, `psql -X -q -At -d postgres -c "SELECT rolname FROM pg_roles WHERE rolname ~ '^doc_[a-z]+\$' ORDER BY 1"`;
}

# Run a page; returns the page as it should be, and whether it was so.
sub run_page
{
	my ($file) = @_;
	my $database = 'doc_examples';
	my @parts = page_parts(slurp($file));
	my @run = grep { $parts[$_][0] =~ /^(sql|hidden)$/ } 0 .. $#parts;
	my ($good, $result) = (1, '');
	my @roles = page_roles();

	system("psql -X -q -d postgres -c 'CREATE DATABASE $database'") == 0 or die 'could not create a database';
	my @printed = eval { run_texts($database, map { $parts[$_][1] } @run) };
	my $problem = $@;
	system("psql -X -q -d postgres -c 'DROP DATABASE $database WITH (FORCE)'") == 0 or die 'could not drop the database';
	for my $role (grep { my $made = $_; !grep { $_ eq $made } @roles } page_roles())
	{
		system("psql -X -q -d postgres -c 'DROP ROLE $role'") == 0 or die "could not drop role $role";
	}
	die $problem if $problem;

	for my $i (0 .. $#parts)
	{
		my ($kind, $text) = @{ $parts[$i] };
		if ($kind eq 'other') { $result .= $text; next; }
		if ($kind eq 'hidden') { $result .= "<!-- run\n$text-->\n"; }
		elsif ($kind eq 'sql') { $result .= "```sql\n$text```\n"; }
		else { $result .= "```text\n$text```\n" unless $i > 0 && $parts[ $i - 1 ][0] eq 'sql'; next; }

		my $output = shift @printed;
		if ($kind eq 'hidden')
		{
			next unless $output =~ /ERROR/;
			diag("$file: hidden statements failed:\n$output");
			$good = 0;
			next;
		}
		my $shown = $i < $#parts && $parts[ $i + 1 ][0] eq 'text' ? $parts[ $i + 1 ][1] : '';
		if (masked($shown) ne masked($output))
		{
			diag("$file: after\n$text-- the page shows\n$shown-- but psql prints\n$output");
			$good = 0;
			$shown = $output;
		}
		$result .= "```text\n$shown```\n" if $shown ne '';
	}
	return ($good, $result);
}

sub run_pages
{
	my ($update, @pages) = @_;
	for my $file (@pages)
	{
		my ($good, $page) = run_page($file);
		if ($update && !$good)
		{
			open my $out, '>', $file or die "$file: $!";
			print $out $page;
			close $out;
		}
		ok($good, "examples of $file");
	}
}

unless (caller)
{
	my $update = @ARGV && $ARGV[0] eq '--update' ? shift @ARGV : '';
	run_pages($update, @ARGV);
	done_testing();
}
1;
