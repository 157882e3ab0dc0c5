# A database is dumped, restored and dumped again: both dumps are the same, and
# so is every row.  The extension is dropped and created again: the same.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $node = start_node('main', conf => "fsync = off\nmax_wal_size = 1GB\n");
my $dir = PostgreSQL::Test::Utils::tempdir;
my $agent = "SET ROLE tap_agent; SET app.current_org_id = '" . ALPHA . "';";

create_database($node, 'source');
fill($node, 'source', markets => 1);

# What users add to our tables, and beside them.
$node->safe_psql('source', <<'SQL');
CREATE SCHEMA crm;
CREATE TABLE crm.favourites (organization_id uuid NOT NULL, lead_id uuid NOT NULL, stars integer CHECK (stars BETWEEN 1 AND 5),
    PRIMARY KEY (organization_id, lead_id),
    FOREIGN KEY (lead_id, organization_id) REFERENCES lead_system.leads (id, organization_id));
INSERT INTO crm.favourites SELECT organization_id, id, 3 FROM lead_system.leads;
CREATE VIEW crm.callable AS SELECT id, phone_number, lead_system.is_e164(phone_number) AS dialable FROM lead_system.leads WHERE NOT do_not_call;
ALTER TABLE lead_system.leads ADD COLUMN favourite_colour text;
UPDATE lead_system.leads SET favourite_colour = 'green' WHERE phone_number IS NOT NULL;
ALTER TABLE lead_system.leads ADD CONSTRAINT crm_colour_check CHECK (favourite_colour <> 'invisible');
CREATE INDEX crm_colour_idx ON lead_system.leads (organization_id, favourite_colour);
CREATE POLICY crm_green ON lead_system.leads AS RESTRICTIVE FOR UPDATE USING (favourite_colour IS DISTINCT FROM 'red');
CREATE FUNCTION crm.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.metadata := NEW.metadata || '{"crm": true}'; RETURN NEW; END $$;
CREATE TRIGGER crm_note BEFORE INSERT ON lead_system.leads FOR EACH ROW EXECUTE FUNCTION crm.note();
COMMENT ON COLUMN lead_system.leads.favourite_colour IS 'asked at the fair';
COMMENT ON TABLE lead_system.leads IS 'our leads';
ALTER TABLE lead_system.leads ALTER COLUMN city SET STATISTICS 500;
GRANT SELECT (id, city) ON lead_system.leads TO tap_none;
SQL

my $rows = digests($node, 'source');
my @empty = map { /^(.*?)\|0\|/ } split /\n/, $rows;
is_deeply(\@empty, [], 'every table has rows');
my $dump = dump_database($node, 'source');

sub check_copy
{
	my ($db) = @_;
	same_text(dump_database($node, $db), $dump, "$db: the dump of the copy is the dump of the original");
	same_text(digests($node, $db), $rows, "$db: every row of every table is there");
	is($node->safe_psql($db, "SELECT string_agg(check_name || ': ' || detail, E'\n') FROM lead_system.health_check() WHERE NOT ok"),
		'', "$db: health_check() finds nothing");
	return;
}

# Is the copy alive: do rules, rights and histories work?
sub check_rules
{
	my ($db) = @_;
	is($node->safe_psql($db,
			"SELECT count(*) FROM pg_depend d WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'"
			  . " AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lead_system') AND classid <> 'pg_proc'::regclass"),
		'0', "$db: members are functions only");
	is(try_sql($node, $db, "$agent SELECT count(*) FROM lead_system.leads"), '7', "$db: an agent sees the leads of the organization");
	is(try_sql($node, $db, 'SET ROLE tap_agent; SELECT count(*) FROM lead_system.leads'), '0', "$db: but none without one");
	is(try_sql($node, $db, 'SET ROLE tap_none; SELECT lead_system.uuid_v7() IS NULL'),
		"42501: permission denied for schema lead_system", "$db: a role without access has none");
	is(try_sql($node, $db, "$agent INSERT INTO lead_system.dnc_audit_log (organization_id, action, phone_number) VALUES ('"
			  . ALPHA . "', 'added', '+12025550199')"),
		'42501: permission denied for table dnc_audit_log', "$db: histories are not written by hand");
	is(try_sql($node, $db, "$agent INSERT INTO lead_system.leads (organization_id, first_name, industry, email, phone_number) VALUES ('"
			  . ALPHA . "', 'After', 'Healthcare', 'AFTER\@example.com', '(202) 555-0188') RETURNING email, phone_number, status, lead_score, metadata"),
		'after@example.com|+12025550188|New|20|{"crm": true}', "$db: a new lead is normalized and scored, the user's trigger fires");
	is(try_sql($node, $db, "$agent INSERT INTO lead_system.leads (organization_id, phone_number) VALUES ('" . ALPHA . "', '202-555-0188')"),
		'23505: duplicate key value violates unique constraint "leads_organization_id_phone_number_idx"', "$db: a duplicate is refused");
	is(try_sql($node, $db, "$agent UPDATE lead_system.leads SET status = 'Opportunity' WHERE first_name = 'After'"),
		'LS030: status step from "New" to "Opportunity" is not allowed in pipeline "b2b"', "$db: a status step is refused");
	is(try_sql($node, $db, "$agent SELECT lead_system.add_to_dnc_list('+12025550188', 'manual') IS NOT NULL;"
			  . " SELECT do_not_call FROM lead_system.leads WHERE first_name = 'After';"
			  . " SELECT action_type FROM lead_system.activities a JOIN lead_system.leads l ON l.id = a.lead_id WHERE first_name = 'After' ORDER BY a.id"),
		"t\nt\nlead_created\ncalling_blocked", "$db: the do-not-call list blocks, activities are written");
	return;
}

# Plain.
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'pg_dump', '--no-sync', '-f', "$dir/plain.sql", $node->connstr('source') ], 'dumped as a script');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql", '-d', $node->connstr('plain') ],
	'restored by psql');
check_copy('plain');
check_rules('plain');

# Custom format, four jobs.
$node->safe_psql('postgres', 'CREATE DATABASE parallel');
$node->command_ok([ 'pg_dump', '--no-sync', '-Fc', '-f', "$dir/source.dump", $node->connstr('source') ], 'dumped in custom format');
$node->command_ok([ 'pg_restore', '-j4', '--exit-on-error', '-d', $node->connstr('parallel'), "$dir/source.dump" ],
	'restored by four jobs');
check_copy('parallel');
check_rules('parallel');

# A copy over a database that has the extension already.
create_database($node, 'again');
$node->command_ok(
	[ 'pg_restore', '--clean', '--if-exists', '--exit-on-error', '-d', $node->connstr('again'), "$dir/source.dump" ],
	'restored over an installation');
check_copy('again');

# Schema and rows apart.
$node->safe_psql('postgres', 'CREATE DATABASE apart');
foreach my $section (qw(pre-data data post-data))
{
	$node->command_ok(
		[ 'pg_restore', "--section=$section", '--exit-on-error', '-d', $node->connstr('apart'), "$dir/source.dump" ],
		"restored section $section");
}
check_copy('apart');

# Positions of unfinished recalculations, which are no data of the user.
sub without_runs
{
	my ($text) = @_;
	$text =~ s/^(COPY lead_system\.scoring_runs .*?;\n).*?^\\\.\n/$1/ms;
	$text =~ s/^lead_system\.scoring_runs\|.*\n?//m;
	return $text;
}

# Grants of an object, in no order: they come back by role, not by age.
sub sorted_grants
{
	my ($text) = @_;
	$text =~ s/((?:^GRANT .*\n)+)/join '', sort split m{^}m, $1/gme;
	return $text;
}

# The extension goes and comes back.
is(try_sql($node, 'source', 'DROP EXTENSION lead_system'),
	'2BP01: cannot drop extension lead_system because other objects depend on it', 'the extension does not go by accident');
# The user's view calls a member function, and goes with it.
my $view = 'CREATE VIEW crm.callable AS SELECT id, phone_number, lead_system.is_e164(phone_number) AS dialable'
  . ' FROM lead_system.leads WHERE NOT do_not_call';
$node->safe_psql('source', 'DROP EXTENSION lead_system CASCADE');
same_text(digests($node, 'source'), $rows, 'with CASCADE every row stays');
is(try_sql($node, 'source', 'SET ROLE tap_agent; SELECT count(*) FROM lead_system.leads'), '0', 'and nobody sees any');
is(try_sql($node, 'source', "SET ROLE tap_admin; SET app.current_org_id = '" . ALPHA . "'; SELECT count(*) FROM lead_system.organizations"),
	'0', 'whatever they set');
$node->safe_psql('source', "CREATE EXTENSION lead_system; CALL lead_system.install(); $view");
same_text(sorted_grants(without_runs(dump_database($node, 'source'))), sorted_grants(without_runs($dump)), 'created again: the dump is the same');
same_text(without_runs(digests($node, 'source')), without_runs($rows), 'and so is every row');
check_rules('source');
my $before = $node->safe_psql('source', 'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM pg_class t');
$node->safe_psql('source', 'CALL lead_system.install()');
is($node->safe_psql('source', 'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM pg_class t'),
	$before, 'install() on a whole installation changes nothing');

$node->stop;
done_testing();
