# The hash chain of the do-not-call audit: whatever is changed below the
# extension, by somebody who may switch triggers off, is found; and what is done
# through it never is: savepoints, prepared transactions, a crash, a dump, many
# organizations at once, one that leaves.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $node = start_node('audit', conf => "max_prepared_transactions = 4\n");
$node->safe_psql('postgres', 'CREATE EXTENSION pg_trgm; CREATE EXTENSION lead_system');
my $alpha = 'd0000000-0000-4000-8000-00000000000a';
my $bravo = 'd0000000-0000-4000-8000-00000000000b';
$node->safe_psql('postgres', "INSERT INTO lead_system.organizations (id, name) VALUES ('$alpha', 'Alpha'), ('$bravo', 'Bravo')");

sub org { return "SET app.current_org_id = '$_[0]';"; }
sub verify { return $node->safe_psql('postgres', org($_[0] // $alpha) . 'SELECT * FROM lead_system.verify_dnc_audit()'); }
sub add { return "SELECT lead_system.add_to_dnc_list('+1202555$_[0]', 'request');"; }

is(verify(), 't|', 'an empty audit is whole');
$node->safe_psql('postgres', org($alpha) . 'SELECT * FROM lead_system.dnc_audit_head()');
$node->safe_psql('postgres', org($alpha) . add($_)) for '0101' .. '0106';
$node->safe_psql('postgres', org($alpha) . "SELECT lead_system.remove_from_dnc_list('+12025550102', 'asked')");
is(verify(), 't|', 'so is one that functions have written');

# What a transaction can do.
$node->safe_psql('postgres', org($alpha) . 'BEGIN; SAVEPOINT s;' . add('0110') . 'SAVEPOINT t;' . add('0111')
      . 'RELEASE t; ROLLBACK TO s;' . add('0112') . 'COMMIT');
is(verify(), 't|', 'what was rolled back to a savepoint is not chained');
$node->safe_psql('postgres', org($alpha) . 'BEGIN;' . add('0113') . 'ROLLBACK');
$node->safe_psql('postgres', org($alpha) . 'BEGIN ISOLATION LEVEL SERIALIZABLE;' . add('0114') . 'COMMIT');
$node->safe_psql('postgres', org($alpha) . 'BEGIN;' . add('0115') . "PREPARE TRANSACTION 'p'");
is(verify(), 't|', 'a prepared transaction does not show');
$node->safe_psql('postgres', org($alpha) . 'BEGIN;' . add('0119') . "PREPARE TRANSACTION 'q'");
$node->safe_psql('postgres', "SET lock_timeout = '10s';" . org($alpha) . add('0117'));
is(verify(), 't|', 'and others can change the list meanwhile');
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
is(verify(), 't|', 'nor does it break the chain when it is committed, after a crash');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'q'");
is(verify(), 't|', 'one that is rolled back leaves nothing');
is($node->safe_psql('postgres', org($alpha) . "SELECT count(*), count(*) FILTER (WHERE sequence = 1), min(branch::text) FROM lead_system.dnc_audit_head()"),
    '2|1|00000000-0000-0000-0000-000000000000', 'a prepared transaction has a branch of its own');
$node->safe_psql('postgres', "INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason)
    SELECT o, '+13125550' || (100 + i), 'both' FROM unnest(ARRAY['$bravo', '$alpha']::uuid[]) o, generate_series(1, 40) i");
is(verify($_), 't|', 'one statement for two organizations is chained in both') for $alpha, $bravo;
is($node->safe_psql('postgres', org($alpha) . 'BEGIN;' . add('0116') . 'SELECT ok FROM lead_system.verify_dnc_audit(); COMMIT') =~ s/.*\n//r,
    't', 'own rows that are not committed yet are no break');
is($node->safe_psql('postgres', "SELECT count(*) - max(sequence) FROM lead_system.dnc_audit_chain WHERE organization_id = '$alpha' AND branch = '00000000-0000-0000-0000-000000000000'"),
    '0', 'the sequence has no gaps');

# Each column of the audit is hashed.
my $id = $node->safe_psql('postgres', "SELECT audit_id FROM lead_system.dnc_audit_chain WHERE organization_id = '$alpha' AND sequence = 4");
my $next = $node->safe_psql('postgres', "SELECT audit_id FROM lead_system.dnc_audit_chain WHERE organization_id = '$alpha' AND sequence = 5");
my $first = $node->safe_psql('postgres', "SELECT audit_id FROM lead_system.dnc_audit_chain WHERE organization_id = '$alpha' AND sequence = 1 AND branch = '00000000-0000-0000-0000-000000000000'");
my $main = "branch = '00000000-0000-0000-0000-000000000000'";
my $last = $node->safe_psql('postgres', "SELECT audit_id FROM lead_system.dnc_audit_heads WHERE organization_id = '$alpha' AND $main");
my $prepared = $node->safe_psql('postgres', "SELECT audit_id FROM lead_system.dnc_audit_heads WHERE organization_id = '$alpha' AND NOT $main");

# Do something with triggers switched off, look, and undo it.
sub tampered {
    my ($sql, $broken, $name) = @_;
    my $whole = $node->safe_psql('postgres', "BEGIN; SET LOCAL session_replication_role = replica; $sql; SET LOCAL session_replication_role = origin;"
          . org($alpha) . "SELECT * FROM lead_system.verify_dnc_audit(); ROLLBACK");
    is($whole, "f|$broken", $name);
}
my %other = (action => "'extended'", phone_number => "'+12025550199'", user_id => 'gen_random_uuid()',
    consent_id => 'gen_random_uuid()');
for my $column (split /\n/, $node->safe_psql('postgres', "SELECT attname FROM pg_attribute
    WHERE attrelid = 'lead_system.dnc_audit_log'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'organization_id')")) {
    my $value = $other{$column} // ($column =~ /_at$/ ? "'2020-01-01'" : "'changed'");
    tampered("UPDATE lead_system.dnc_audit_log SET $column = $value WHERE id = '$id'", $id, "a changed $column is found");
}
tampered("DELETE FROM lead_system.dnc_audit_log WHERE id = '$id'", $id, 'a removed row is found');
tampered("DELETE FROM lead_system.dnc_audit_log WHERE id = '$first'", $first, 'so is the first one');
tampered("DELETE FROM lead_system.dnc_audit_log WHERE id = '$id'; DELETE FROM lead_system.dnc_audit_chain WHERE audit_id = '$id'",
    $next, 'a row removed with its link is found at the link that follows');
tampered("UPDATE lead_system.dnc_audit_chain SET sequence = -sequence + 9 WHERE organization_id = '$alpha' AND sequence IN (4, 5) AND false;
    UPDATE lead_system.dnc_audit_chain c SET audit_id = o.audit_id, row_hash = o.row_hash FROM lead_system.dnc_audit_chain o
     WHERE c.organization_id = '$alpha' AND o.organization_id = '$alpha' AND c.sequence IN (4, 5) AND o.sequence = 9 - c.sequence",
    $next, 'swapped links are found');
tampered("DELETE FROM lead_system.dnc_audit_log WHERE id = '$last'; DELETE FROM lead_system.dnc_audit_chain WHERE audit_id = '$last'",
    $last, 'an end that was cut off is found');
tampered("DELETE FROM lead_system.dnc_audit_heads WHERE organization_id = '$alpha' AND $main", $last, 'a missing head is found');
tampered("DELETE FROM lead_system.dnc_audit_heads WHERE organization_id = '$alpha' AND NOT $main", $prepared, 'that of a branch, too');
tampered("DELETE FROM lead_system.dnc_audit_log WHERE id = '$prepared'", $prepared, 'a row that is removed from a branch is found');
tampered("DELETE FROM lead_system.dnc_audit_log WHERE id = '$prepared'; DELETE FROM lead_system.dnc_audit_chain WHERE audit_id = '$prepared'",
    $prepared, 'so is a branch without links');
tampered("UPDATE lead_system.dnc_audit_chain SET branch = '00000000-0000-0000-0000-000000000001' WHERE audit_id = '$prepared'", $prepared, 'and one that is renamed');
tampered("UPDATE lead_system.dnc_audit_chain SET chain_hash = sha256('x') WHERE audit_id = '$id'", $id, 'a changed link is found');

# An inserted row is told from one of the own transaction by who wrote it.
my $forged = 'e0000000-0000-4000-8000-000000000001';
$node->safe_psql('postgres', "SET session_replication_role = replica; INSERT INTO lead_system.dnc_audit_log (organization_id, id, action, phone_number)
    VALUES ('$alpha', '$forged', 'removed', '+12025550101')");
is(verify(), "f|$forged", 'an inserted row is found');
$node->safe_psql('postgres', "SET session_replication_role = replica; DELETE FROM lead_system.dnc_audit_log WHERE id = '$forged'");
is(verify(), 't|', 'and all is well when it is gone');

# The hashes are what docs/dnc-audit.md says: computed here, without the extension.
is($node->safe_psql('postgres', "
    WITH RECURSIVE rows AS (
        SELECT c.sequence, c.chain_hash, c.row_hash, sha256((SELECT string_agg(int8send(length(f.name)) || convert_to(f.name, 'UTF8')
                   || int8send(length(f.value)) || f.value, '' ORDER BY f.n)
                 FROM (VALUES (1, 'organization_id', uuid_send(a.organization_id)), (2, 'id', uuid_send(a.id)),
                         (3, 'action', convert_to(a.action, 'UTF8')), (4, 'phone_number', convert_to(a.phone_number, 'UTF8')),
                         (5, 'reason', convert_to(a.reason, 'UTF8')), (6, 'source', convert_to(a.source, 'UTF8')),
                         (7, 'expires_at', timestamptz_send(a.expires_at)), (8, 'user_id', uuid_send(a.user_id)),
                         (9, 'consent_id', uuid_send(a.consent_id)), (10, 'created_at', timestamptz_send(a.created_at))) f(n, name, value)
                WHERE f.value IS NOT NULL)) AS computed, uuid_send(c.organization_id) || int8send(c.sequence) || uuid_send(c.audit_id) AS place
          FROM lead_system.dnc_audit_chain c JOIN lead_system.dnc_audit_log a ON a.id = c.audit_id WHERE c.organization_id = '$alpha' AND c.$main),
    chain AS (
        SELECT 0::bigint AS sequence, decode(repeat('00', 32), 'hex') AS hash, true AS ok
        UNION ALL
        SELECT r.sequence, sha256(c.hash || r.place || r.row_hash),
               r.row_hash = r.computed AND r.chain_hash = sha256(c.hash || r.place || r.row_hash)
          FROM chain c JOIN rows r ON r.sequence = c.sequence + 1)
    SELECT bool_and(ok), count(*) > 40 FROM chain"), 't|t', 'the hashes can be computed without the extension');

# Many sessions add to one chain.
my $script = $node->basedir . '/add.sql';
append_to_file($script, "SET app.current_org_id = '$alpha';
SELECT lead_system.add_to_dnc_list('+1312' || (5550100 + (random() * 99)::int), 'request', 'api', NULL, NULL);\n");
$node->command_ok([ 'pgbench', '-n', '-c', '8', '-t', '50', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
    'eight sessions add at once');
is(verify(), 't|', 'and the chain is whole');

# What a transaction remembers until it commits is as big as what it has written,
# even when each row has a subtransaction of its own, or organizations take turns.
my $remembered = "SELECT sum(total_bytes) < 16 * 1024 * 1024 FROM pg_backend_memory_contexts WHERE name IN ('TopTransactionContext', 'rows to be chained')";
sub remembered {
    my ($sql, $name) = @_;
    my $small = $node->safe_psql('postgres', "BEGIN; $sql; $remembered; COMMIT");
    is((split /\n/, $small)[-1], 't', $name);
    return;
}
remembered(org($alpha) . "DO \$\$ BEGIN FOR i IN 1..1500 LOOP
    BEGIN PERFORM lead_system.add_to_dnc_list('+1415555' || (1000 + i), 'request'); EXCEPTION WHEN division_by_zero THEN NULL; END;
    END LOOP; END \$\$", 'a subtransaction for each row costs little memory');
my $in_turn = "INSERT INTO lead_system.dnc_list (organization_id, phone_number, reason)
    SELECT CASE i % 2 WHEN 0 THEN '$alpha' ELSE '$bravo' END::uuid, '+1503555' || (1000 + i), 'both' FROM generate_series";
remembered("$in_turn(1, 1500) i", 'nor do organizations that take turns');
$node->safe_psql('postgres', "BEGIN; SAVEPOINT s; $in_turn(1501, 1520) i; ROLLBACK TO s;" . org($bravo) . add('0130') . 'COMMIT');
is(verify($_), 't|', 'the chain of each is whole, though one has nothing left') for $alpha, $bravo;

# Dump and restore.
my $dump = $node->basedir . '/audit.sql';
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, 'postgres' ], 'the database is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE again');
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'again', '-f', $dump ], 'and restored');
is($node->safe_psql('again', org($alpha) . 'SELECT * FROM lead_system.verify_dnc_audit(); SELECT * FROM lead_system.dnc_audit_head()'),
    $node->safe_psql('postgres', org($alpha) . 'SELECT * FROM lead_system.verify_dnc_audit(); SELECT * FROM lead_system.dnc_audit_head()'),
    'the chain is as it was');
$node->safe_psql('again', org($alpha) . add('0120'));
is($node->safe_psql('again', org($alpha) . 'SELECT * FROM lead_system.verify_dnc_audit()'), 't|', 'and goes on');

# An organization takes its chain with it.
$node->safe_psql('postgres', org($bravo) . "BEGIN; SELECT lead_system.add_to_dnc_list('+12025550130', 'x'); DELETE FROM lead_system.organizations WHERE id = '$bravo'; COMMIT");
is($node->safe_psql('postgres', "SELECT count(*) FROM lead_system.dnc_audit_chain WHERE organization_id = '$bravo'"), '0', 'an organization takes its chain with it');
is(verify(), 't|', 'and leaves those of others whole');

$node->stop;
done_testing();
