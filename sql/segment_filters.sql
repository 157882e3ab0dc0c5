-- Filters at their limits: words that look like SQL, long and deep ones, many
-- values, columns of the user; smart lists through savepoints.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET lead_system.now = '2026-03-02 15:00:00+00';
\set alpha 'a0000000-0000-4000-8000-000000000000'
INSERT INTO lead_system.organizations (id, name) VALUES (:'alpha', 'alpha ltd');
SET app.current_org_id = :'alpha';
INSERT INTO lead_system.leads (organization_id, first_name, call_count, budget_min, city, tags, metadata) VALUES
    (:'alpha', 'Ada', 3, 10.5, '5', '{a,b}', '{"o''x": "q", "a b": {"c\"d": 1}, "x\\": "q\\''", "n": "NaN", "big": 1e300}'),
    (:'alpha', 'Ben', 70, NULL, '19', '{}', '{"$1": "$2"}'),
    (:'alpha', 'Cy', 3, 0.5, NULL, '{c}', '{}');
-- How many match by the count, the condition, and the tree.
CREATE FUNCTION pg_temp.ask(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_sql bigint;
    by_tree bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM lead_system.leads WHERE ' || lead_system.explain_filter(filter) INTO by_sql;
    SELECT count(*) INTO by_tree FROM lead_system.leads l WHERE lead_system.filter_matches(filter, l);
    RETURN concat_ws(' ', lead_system.count_leads(filter), by_sql, by_tree);
END
$$;

-- Words that look like SQL, in names, paths and values.
SELECT f, pg_temp.ask(f) FROM unnest(ARRAY[
    jsonb_build_object('metadata.o''x', 'q'),
    jsonb_build_object('metadata.a b.c"d', 1),
    jsonb_build_object('metadata.x\', 'q\'''),
    jsonb_build_object('metadata.$1', '$2'),
    jsonb_build_object('metadata.{a,b}', 'x'),
    jsonb_build_object('tags', jsonb_build_object('contains_any', jsonb_build_array('a"''b\c', 'a'))),
    jsonb_build_object('first_name', ''' OR true --')]) f;
SET standard_conforming_strings = off;
SELECT pg_temp.ask(jsonb_build_object('metadata.x' || chr(92), 'q' || chr(92) || ''''));
RESET standard_conforming_strings;
SELECT lead_system.count_leads(jsonb_build_object('first_name"; DROP TABLE x; --', 'q'));
SELECT lead_system.count_leads(jsonb_build_object('metadata"; DROP TABLE x; --.a', 'q'));

-- Numbers: not one is an infinite one below a path, and each type has its range.
SELECT f, pg_temp.ask(f) FROM unnest(ARRAY['{"budget_min": "NaN"}', '{"budget_min": {"lt": "NaN"}}', '{"budget_min": {"lt": "Infinity"}}', '{"budget_min": {"gt": -1e20}}',
    '{"metadata.n": {"lte": 1e20}}', '{"metadata.n": "NaN"}', '{"metadata.big": {"gt": 1}}', '{"call_count": {"gt": -2147483648}}']::jsonb[]) f;
SELECT lead_system.count_leads('{"call_count": 2147483648}');
SELECT lead_system.count_leads('{"call_count": {"gt": 1e300}}');
SELECT lead_system.count_leads('{"metadata.n": {"within_days": 3}}');

-- Unknown is neither true nor false, however deep: Cy has no city, Ben no budget.
SELECT f, pg_temp.ask(f) FROM unnest(ARRAY['{"city": {"ne": "5"}}', '{"not": {"city": {"ne": "5"}}}', '{"not": {"not": {"city": "5"}}}',
    '{"or": [{"city": "x"}, {"first_name": "Cy"}]}', '{"not": {"or": [{"city": "x"}, {"first_name": "Ada"}]}}', '{"not": {"city": "x", "first_name": "Ada"}}',
    '{"not": {"and": [{"city": "5"}, {"budget_min": {"gt": 1}}]}}', '{"not": {"city": {"in": ["5", "19"]}}}', '{"not": {"city": {"not_in": ["x"]}}}',
    '{"tags": {"contains_none": ["c"]}}', '{"tags": {"contains_all": ["c", "z"]}}', '{"not": {"metadata.none": "x"}}']::jsonb[]) f;

-- Many values: the tree looks them up by halves, with NULL as before.
SELECT pg_temp.ask(jsonb_build_object('call_count', (SELECT jsonb_agg(i * 7 % 101) FROM generate_series(1, n) i))),
       pg_temp.ask(jsonb_build_object('city', (SELECT jsonb_agg((i * 7 % 101)::text) FROM generate_series(1, n) i))),
       pg_temp.ask(jsonb_build_object('city', jsonb_build_object('not_in', (SELECT jsonb_agg(i::text) FROM generate_series(6, n + 6) i))))
  FROM unnest(ARRAY[15, 16, 17, 100, 5000]) n;
SELECT pg_temp.ask(jsonb_build_object('created_at', (SELECT jsonb_agg('-' || i || 'd') FROM generate_series(1, 40) i) || '"now"'));

-- Long and deep: refused, or answered.
SELECT pg_temp.ask((repeat('{"not":', 2000) || '{}' || repeat('}', 2000))::jsonb), pg_temp.ask((repeat('{"or":[{"call_count":1},', 900) || '{}' || repeat(']}', 900))::jsonb);
SELECT pg_temp.ask(jsonb_build_object('or', (SELECT jsonb_agg(jsonb_build_object('call_count', i)) FROM generate_series(1, 1000) i)));
SELECT pg_temp.ask(jsonb_build_object('or', (SELECT jsonb_agg(jsonb_build_object('call_count', i)) FROM generate_series(1, 1001) i)));
SELECT pg_temp.ask(jsonb_build_object('first_name', repeat('x', 100000)));
SELECT lead_system.count_leads(jsonb_build_object(repeat('x', 100000), 1));
CREATE FUNCTION pg_temp.deep() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN lead_system.explain_filter((repeat('{"not":', 200000) || '{}' || repeat('}', 200000))::jsonb);
EXCEPTION WHEN statement_too_complex THEN
    RETURN 'too deep';
END
$$;
SELECT pg_temp.deep();

-- A column that was added is none of the filter's, and is in nobody's way.
BEGIN;
ALTER TABLE lead_system.leads ADD COLUMN shoe_size integer DEFAULT 40;
SELECT pg_temp.ask('{"call_count": 3}');
SELECT lead_system.explain_filter('{"shoe_size": 40}');
ROLLBACK;

-- Smart lists through savepoints: made, changed or removed, and that undone.
INSERT INTO lead_system.segments (organization_id, id, name, filter) VALUES (:'alpha', 'e0000000-0000-4000-8000-000000000001', 'three', '{"call_count": 3}');
CREATE FUNCTION pg_temp.members() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(l.name || ' ' || l.lead_count || ':' || (SELECT coalesce(string_agg(d.first_name, ',' ORDER BY d.first_name), '') FROM lead_system.lead_list_members m
             JOIN lead_system.leads d ON d.id = m.lead_id WHERE m.lead_list_id = l.id), '; ' ORDER BY l.name) FROM lead_system.lead_lists l $$;
BEGIN;
SAVEPOINT a;
INSERT INTO lead_system.lead_lists (organization_id, id, name, list_type, segment_id) VALUES (:'alpha', 'c0000000-0000-4000-8000-000000000001', 'first', 'smart', 'e0000000-0000-4000-8000-000000000001');
UPDATE lead_system.leads SET call_count = 3 WHERE first_name = 'Ben';
SELECT pg_temp.members();
ROLLBACK TO a;
UPDATE lead_system.leads SET call_count = 4 WHERE first_name = 'Ada';
INSERT INTO lead_system.lead_lists (organization_id, id, name, list_type, segment_id) VALUES (:'alpha', 'c0000000-0000-4000-8000-000000000002', 'second', 'smart', 'e0000000-0000-4000-8000-000000000001');
SELECT pg_temp.members();
SAVEPOINT b;
DELETE FROM lead_system.lead_lists WHERE name = 'second';
UPDATE lead_system.leads SET notes = 'x' WHERE first_name = 'Ben';
ROLLBACK TO b;
UPDATE lead_system.leads SET call_count = 3 WHERE first_name = 'Ben';
SELECT pg_temp.members();
SAVEPOINT c;
UPDATE lead_system.segments SET filter = '{"call_count": 4}';
UPDATE lead_system.leads SET call_count = 4 WHERE first_name = 'Cy';
SELECT pg_temp.members();
ROLLBACK TO c;
UPDATE lead_system.leads SET call_count = 5 WHERE first_name = 'Cy';
SELECT pg_temp.members();
COMMIT;

-- A filter that moves with the time. What the rest of it decides needs no look at
-- the members; the others come and go as of now, and twice in one statement is once.
INSERT INTO lead_system.segments (organization_id, id, name, filter) VALUES
    (:'alpha', 'e0000000-0000-4000-8000-000000000002', 'old', '{"call_count": {"gte": 3}, "last_contact": {"older_than_days": 30}}');
INSERT INTO lead_system.lead_lists (organization_id, id, name, list_type, segment_id) VALUES (:'alpha', 'c0000000-0000-4000-8000-000000000003', 'third', 'smart', 'e0000000-0000-4000-8000-000000000002');
UPDATE lead_system.leads SET last_contact_at = CASE first_name WHEN 'Ada' THEN timestamptz '2026-01-01' WHEN 'Ben' THEN '2026-02-20' END;
SELECT pg_temp.members();
SET lead_system.now = '2026-04-02 15:00:00+00';
UPDATE lead_system.leads SET notes = 'not read' WHERE true;
SELECT pg_temp.members();
UPDATE lead_system.leads SET call_count = call_count + 1;
SELECT pg_temp.members();
UPDATE lead_system.leads SET call_count = 2 WHERE first_name = 'Ada';
UPDATE lead_system.leads SET last_contact_at = NULL WHERE first_name = 'Ben';
SELECT pg_temp.members();
UPDATE lead_system.leads SET call_count = 9, last_contact_at = '2026-03-01';
UPDATE lead_system.leads SET deleted_at = lead_system.clock_now() WHERE first_name = 'Cy';
SELECT pg_temp.members();
-- The clock goes back: who is a member by what was, and is touched, leaves.
SET lead_system.now = '2026-03-03 15:00:00+00';
UPDATE lead_system.leads SET call_count = 8;
SELECT pg_temp.members(), lead_system.refresh_smart_lists();
SELECT count(*) FILTER (WHERE action_type = 'list_entered') AS entered, count(*) FILTER (WHERE action_type = 'list_left') AS "left" FROM lead_system.activities;
DELETE FROM lead_system.lead_lists;
DELETE FROM lead_system.segments;
DELETE FROM lead_system.organizations WHERE id = :'alpha';
