# Random filters over random leads: the tree, its SQL and the count agree.
# LEAD_SYSTEM_FILTERS is the number of filters (1000 unless set).
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $n = $ENV{LEAD_SYSTEM_FILTERS} || 1000;
my $node = start_node('main', conf => "fsync = off\nsynchronous_commit = off\n");
create_database($node, 'filters');
$node->safe_psql('filters', q{
ALTER DATABASE filters SET lead_system.now = '2026-03-02 15:00:00+00';
ALTER DATABASE filters SET app.current_org_id = 'a0000000-0000-4000-8000-000000000000';
ALTER DATABASE filters SET timezone = 'Asia/Kolkata';
});
$node->safe_psql('filters', q{
INSERT INTO lead_system.organizations (id, name) VALUES
    ('a0000000-0000-4000-8000-000000000000', 'alpha'), ('b0000000-0000-4000-8000-000000000000', 'bravo');
SELECT setseed(0.5);
CREATE FUNCTION pick(VARIADIC words text[]) RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT words[1 + floor(random() * array_length(words, 1))::int] $$;
INSERT INTO lead_system.leads (organization_id, first_name, city, status, temperature, call_count, budget_min, tags, metadata,
        last_contact_at, created_at, is_spam, deleted_at)
SELECT CASE WHEN i % 50 = 0 THEN 'b0000000-0000-4000-8000-000000000000' ELSE 'a0000000-0000-4000-8000-000000000000' END::uuid,
       pick('Ada', 'ada', 'B_b', 'B%b', 'C\c', '', 'Élan', NULL), pick('x', 'y', NULL), pick('New', 'Contacted'), 'unrated',
       floor(random() * 5), CASE WHEN random() < 0.7 THEN round((random() * 5)::numeric, 1) END,
       pick('{}', '{a}', '{a,b}', '{b,c}', '{"",a}')::text[],
       pick('{}', '{"k": 1}', '{"k": 1.0}', '{"k": "1"}', '{"k": "x"}', '{"k": null}', '{"k": true}', '{"k": ["a", "b"]}', '{"k": []}',
            '{"k": {"a": 1}}', '{"k": {"a": "x"}}', '{"k": "-2.5"}', '{"k": "1e3"}', '{"k": 1e3}', '{"k": [["a"], 1]}', '{"k": ""}')::jsonb,
       CASE WHEN random() < 0.7 THEN timestamptz '2026-03-02 15:00:00+00' - floor(random() * 20 - 3) * interval '1 day' END,
       timestamptz '2026-03-02 15:00:00+00' - floor(random() * 20) * interval '1 day', random() < 0.3,
       CASE WHEN random() < 0.2 THEN timestamptz '2026-03-01' END
  FROM generate_series(1, 600) i;
ANALYZE lead_system.leads;

CREATE FUNCTION number() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT pick('0', '1', '2', '3', '-2.5', '1.0', '1000') $$;
CREATE FUNCTION whole() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT pick('0', '1', '2', '3', '-1', '"4"') $$;
CREATE FUNCTION word() RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT pick('"Ada"', '"ada"', '"B_b"', '"C\\\\c"', '""', '"x"', '"y"', '"Élan"', '"New"', '"a"', '"1"', '"true"') $$;
CREATE FUNCTION moment() RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT pick('"now"', '"-5d"', '"-1w"', '"+24h"', '"2026-02-25"', '"2026-02-25T10:00:00Z"', '"2026-03-01 20:30:00+05:30"') $$;
-- One operand of the kind, several, or two.
CREATE FUNCTION operand(kind text) RETURNS text LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN RETURN CASE kind WHEN 'n' THEN number() WHEN 'i' THEN whole() WHEN 't' THEN moment() ELSE word() END; END $$;
CREATE FUNCTION test(field text, kind text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    op text := pick('eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'between', 'in', 'not_in', 'is_null', 'exists', 'special', 'special');
    value text;
BEGIN
    IF op = 'special' THEN
        op := CASE kind WHEN 't' THEN pick('within_days', 'older_than_days', 'before', 'after')
                        WHEN 'w' THEN pick('like', 'ilike', 'starts_with', 'ends_with', 'contains') ELSE 'eq' END;
    END IF;
    value := CASE WHEN op IN ('is_null', 'exists') THEN pick('true', 'false')
                  WHEN op IN ('within_days', 'older_than_days') THEN pick('0', '3', '7')
                  WHEN op IN ('like', 'ilike') THEN pick('"%a%"', '"_d_"', '"B\\\\_%"', '"%"', '"é%"', '""', '"C\\\\\\\\c"')
                  WHEN op IN ('between', 'in', 'not_in') THEN '[' || operand(kind) || ',' || operand(kind) || ']'
                  ELSE operand(kind) END;
    IF op = 'eq' AND random() < 0.5 THEN
        RETURN format('{"%s": %s}', field, value);
    END IF;
    RETURN format('{"%s": {"%s": %s}}', field, op, value);
END $$;
CREATE FUNCTION filter(depth int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    choice int := floor(random() * CASE WHEN depth > 0 THEN 16 ELSE 11 END);
BEGIN
    RETURN CASE choice
        WHEN 0 THEN test('first_name', 'w') WHEN 1 THEN test('city', 'w') WHEN 2 THEN test('call_count', 'i')
        WHEN 3 THEN test('budget_min', 'n') WHEN 4 THEN test('last_contact', 't') WHEN 5 THEN test('created_at', 't')
        WHEN 6 THEN format('{"%s": {"%s": [%s, %s]}}', pick('tags', 'metadata.k'), pick('contains_any', 'contains_all', 'contains_none'), word(), word())
        WHEN 7 THEN test(pick('metadata.k', 'metadata.k.a', 'metadata.k.0', 'metadata.none'), pick('w', 'n'))
        WHEN 8 THEN format('{"is_spam": %s}', pick('true', 'false', '{"ne": true}', '[true, false]'))
        WHEN 9 THEN format('{"%s": {"%s": %s}}', pick('tags', 'metadata', 'city'), pick('is_null', 'exists'), pick('true', 'false'))
        WHEN 10 THEN test('status', 'w')
        WHEN 11 THEN format('{"and": [%s, %s]}', filter(depth - 1), filter(depth - 1))
        WHEN 12 THEN format('{"or": [%s, %s, %s]}', filter(depth - 1), filter(depth - 1), filter(depth - 1))
        WHEN 13 THEN format('{"or": [%s, %s]}', filter(depth - 1), filter(depth - 1))
        ELSE format('{"not": %s}', filter(depth - 1)) END;
END $$;
CREATE FUNCTION disagreements(n int) RETURNS TABLE (filter jsonb, condition text, problem text) LANGUAGE plpgsql AS $$
DECLARE
    by_sql uuid[];
    by_tree uuid[];
BEGIN
    FOR i IN 1..n LOOP
        filter := filter(3)::jsonb;
        condition := lead_system.explain_filter(filter);
        EXECUTE 'SELECT array_agg(id ORDER BY id) FROM lead_system.leads WHERE organization_id = lead_system.current_org_id() AND '
            || condition INTO by_sql;
        SELECT array_agg(l.id ORDER BY l.id) INTO by_tree FROM lead_system.leads l
         WHERE l.organization_id = lead_system.current_org_id() AND lead_system.filter_matches(filter, l);
        problem := CASE WHEN by_sql IS DISTINCT FROM by_tree THEN 'tree'
            WHEN lead_system.count_leads(filter) <> coalesce(cardinality(by_sql), 0) THEN 'count' END;
        CONTINUE WHEN problem IS NULL;
        RETURN NEXT;
    END LOOP;
END $$;
});

is($node->safe_psql('filters', "SELECT setseed(0.1); SELECT * FROM disagreements($n) LIMIT 5") =~ s/^\s+//r,
    '', "tree, SQL and count agree on $n filters");
my $spread = $node->safe_psql('filters', q{
SELECT setseed(0.2);
SELECT count(DISTINCT lead_system.count_leads(f)) > 10 FROM (SELECT filter(3)::jsonb AS f FROM generate_series(1, 200)) x});
is($spread =~ s/^\s+//r, 't', 'the filters tell leads apart');

# A smart list of each of many filters, kept through random changes, has what the filter has.
$node->safe_psql('filters', q{
SELECT setseed(0.3);
INSERT INTO lead_system.segments (organization_id, name, filter)
SELECT 'a0000000-0000-4000-8000-000000000000', 'filter ' || i, f.f FROM generate_series(1, 60) i, LATERAL (SELECT filter(2 + i * 0)::jsonb AS f) f;
INSERT INTO lead_system.lead_lists (organization_id, name, list_type, segment_id)
SELECT organization_id, name, 'smart', id FROM lead_system.segments;
UPDATE lead_system.leads SET call_count = floor(random() * 5), city = pick('x', 'y', NULL), is_spam = random() < 0.5
 WHERE random() < 0.5;
UPDATE lead_system.leads SET deleted_at = CASE WHEN deleted_at IS NULL THEN lead_system.clock_now() END WHERE random() < 0.1;
UPDATE lead_system.leads SET tags = '{c}', metadata = '{"k": "x"}', last_contact_at = lead_system.clock_now() WHERE random() < 0.3;
DELETE FROM lead_system.leads WHERE random() < 0.1;
UPDATE lead_system.segments SET filter = filter(2)::jsonb WHERE random() < 0.2;
});
# The lists whose members or count are not what their filter says at a time.
sub wrong_lists {
    my ($now, $which, $first) = @_;
    my $answer = $node->safe_psql('filters', qq{
SET lead_system.now = '$now';
$first
SELECT count(*) FROM lead_system.lead_lists l JOIN lead_system.segments s ON s.id = l.segment_id
 WHERE s.filter::text LIKE '$which' AND (l.lead_count <> lead_system.refresh_segment_count(l.segment_id)
    OR EXISTS (SELECT lead_id FROM lead_system.segment_leads(l.segment_id)
               EXCEPT SELECT m.lead_id FROM lead_system.lead_list_members m WHERE m.lead_list_id = l.id))});
    return $answer =~ s/^.*\n//sr;
}
is(wrong_lists('2026-03-02 15:00:00+00', '%', ''), '0', 'smart lists have what their filters have');
# Time has passed: what reads a changed column is tested as of now, the rest by the sweep.
isnt(wrong_lists('2026-03-08 15:00:00+00', '%', ''), '0', 'filters move with the time');
is( wrong_lists('2026-03-08 15:00:00+00', '%call_count%', 'UPDATE lead_system.leads SET call_count = (call_count + 1) % 5;'),
    '0', 'smart lists that read what changed are right as of now');
is(wrong_lists('2026-03-08 15:00:00+00', '%', 'SELECT lead_system.refresh_smart_lists();'), '0', 'the sweep does the others');
$node->stop;
done_testing();
