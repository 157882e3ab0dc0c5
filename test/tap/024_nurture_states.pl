# docs/nurture-states.dot shows how enrolments go from state to state.  A random
# walk over everything that changes them must find these ways, all of them and no
# others; and the picture must be drawn from that file.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadSystem;

my $docs = "$ENV{LEAD_SYSTEM_SRC}/docs";
my $dot = slurp_file("$docs/nurture-states.dot");
my $svg = slurp_file("$docs/nurture-states.svg");

my @drawn = sort map { s/\s//gr } $dot =~ /^\s*(\w+ -> \w+)/mg;
my %unescaped = ('&#45;' => '-', '&gt;' => '>', '&lt;' => '<', '&amp;' => '&');
$svg =~ s/(&#45;|&gt;|&lt;|&amp;)/$unescaped{$1}/g;
is(join("\n", sort $svg =~ /<title>(\w+->\w+)</g), join("\n", @drawn), 'the picture has the ways of nurture-states.dot: run make er-diagrams');
my @labels = map { s/^\s+//r } $dot =~ /label="([^"]*)"/g;
is(join("\n", grep { index($svg, "$_</text>") < 0 } @labels), '', 'and what is written at them');

my $node = start_node('main');
create_database($node, 'crm');
my $org = $node->safe_psql('crm', "SELECT lead_system.create_organization('States')");
$node->safe_psql('crm', <<"SQL");
SET app.current_org_id = '$org';
SET lead_system.now = '2026-03-02 15:00:00+00';
SELECT lead_system.set_config('nurture.max_retries', '1'), lead_system.set_config('nurture.daily_email_cap', '5'),
       lead_system.set_config('nurture.retry_lapsed', '["task"]');
INSERT INTO lead_system.nurture_sequences (organization_id, name, steps) VALUES
    ('$org', 'long', '[{"step": 1, "channel": "email", "template_id": "a"}, {"step": 2, "channel": "wait", "delay_hours": 1}, {"step": 3, "channel": "email", "template_id": "b"}, {"step": 4, "channel": "wait", "delay_minutes": 5}]'),
    ('$org', 'task', '[{"step": 1, "channel": "task"}]'),
    ('$org', 'short', '[{"step": 1, "channel": "email", "template_id": "a"}]');
INSERT INTO lead_system.leads (organization_id, first_name, email)
SELECT '$org', 'lead ' || n, 'lead' || n || '\@example.com' FROM generate_series(1, 20) n;

-- The state that the diagram shows.
CREATE FUNCTION public.state(e record) RETURNS text LANGUAGE plpgsql IMMUTABLE AS \$\$
BEGIN RETURN CASE e.status WHEN 'active' THEN e.step_state ELSE e.status END; END \$\$;
CREATE TABLE public.ways (way text PRIMARY KEY, n integer NOT NULL DEFAULT 1);
CREATE FUNCTION public.note_way() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
    IF public.state(old) <> public.state(new) OR (public.state(old) = 'scheduled' AND old.executed_steps <> new.executed_steps) THEN
        INSERT INTO public.ways AS w (way) VALUES (public.state(old) || '->' || public.state(new)) ON CONFLICT (way) DO UPDATE SET n = w.n + 1;
    END IF;
    RETURN NULL;
END \$\$;
CREATE TRIGGER note_way AFTER UPDATE ON lead_system.lead_sequence_enrollments FOR EACH ROW EXECUTE FUNCTION public.note_way();

CREATE FUNCTION public.walk(part integer) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
    at timestamptz := timestamptz '2026-03-02 15:00:00+00' + part * interval '30 days';
    e record;
    act text;
BEGIN
    PERFORM setseed(part / 100.0);
    FOR i IN 1 .. 250 LOOP
        at := at + (ARRAY['1 second', '2 minutes', '10 minutes', '5 hours'])[1 + floor(random() * 4)]::interval;
        PERFORM pg_catalog.set_config('lead_system.now', at::text, false);
        SELECT * INTO e FROM lead_system.lead_sequence_enrollments ORDER BY status IN ('active', 'paused') DESC, random() LIMIT 1;
        act := (ARRAY['enroll', 'enroll', 'claim', 'claim', 'complete', 'complete', 'fail', 'fail', 'fail', 'confirm', 'retry', 'release',
                      'pause', 'resume', 'resume', 'cancel', 'reply', 'delete'])[1 + floor(random() * 18)];
        IF e.id IS NULL THEN
            act := 'enroll';
        END IF;
        BEGIN
            CASE act
                WHEN 'enroll' THEN PERFORM lead_system.enroll_lead(s.id, l.id)
                    FROM (SELECT id FROM lead_system.nurture_sequences ORDER BY random() LIMIT 1) s, (SELECT id FROM lead_system.leads WHERE deleted_at IS NULL ORDER BY random() LIMIT 1) l;
                WHEN 'claim' THEN PERFORM count(*) FROM lead_system.claim_due_steps(5);
                WHEN 'complete' THEN PERFORM lead_system.complete_step(e.id, e.current_step);
                WHEN 'fail' THEN PERFORM lead_system.fail_step(e.id, e.current_step, 'no answer');
                WHEN 'confirm' THEN PERFORM lead_system.confirm_step(e.id, e.current_step);
                WHEN 'retry' THEN PERFORM lead_system.retry_step(e.id, e.current_step);
                WHEN 'release' THEN PERFORM lead_system.release_lapsed_steps();
                WHEN 'pause' THEN PERFORM lead_system.pause_enrollment(e.id);
                WHEN 'resume' THEN PERFORM lead_system.resume_enrollment(x.id) FROM (SELECT id FROM lead_system.lead_sequence_enrollments WHERE status = 'paused' ORDER BY random() LIMIT 1) x;
                WHEN 'cancel' THEN IF random() < 0.3 THEN PERFORM lead_system.cancel_enrollment(e.id); END IF;
                WHEN 'reply' THEN PERFORM lead_system.record_reply(e.lead_id, 'email');
                WHEN 'delete' THEN
                    UPDATE lead_system.leads SET deleted_at = CASE WHEN deleted_at IS NULL THEN lead_system.clock_now() END WHERE id = e.lead_id AND random() < 0.3;
                    UPDATE lead_system.leads SET deleted_at = NULL WHERE deleted_at IS NOT NULL AND random() < 0.3;
            END CASE;
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            NULL; -- refused, as it should be in that state
        END;
    END LOOP;
END \$\$;
SQL
$node->safe_psql('crm', join(' ', "SET app.current_org_id = '$org';", map { "SELECT public.walk($_);" } 1 .. 20));
is($node->safe_psql('crm', 'SELECT way FROM public.ways ORDER BY way COLLATE "C"'), join("\n", @drawn), 'enrolments go these ways, and no others');
note($node->safe_psql('crm', "SELECT string_agg(way || ' ' || n, ', ' ORDER BY way) FROM public.ways"));
is($node->safe_psql('crm', "SELECT count(*) FROM lead_system.nurture_sequences WHERE (total_enrollments, active_enrollments, completed_enrollments) <> (SELECT count(*), count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'completed') FROM lead_system.lead_sequence_enrollments e WHERE e.sequence_id = nurture_sequences.id)"),
	'0', 'the counts are right');
$node->stop;
done_testing();
