-- compliance: when people may be contacted, and where they are.

CREATE TABLE lead_system.calling_rules (
    organization_id uuid,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    country         text,
    state           text,
    channel         text,
    weekdays        integer     NOT NULL DEFAULT 127,
    from_time       time        NOT NULL,
    to_time         time        NOT NULL,
    source          text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT calling_rules_pkey PRIMARY KEY (id),
    CONSTRAINT calling_rules_country_check CHECK (country ~ '^[A-Z]{2}$'),
    CONSTRAINT calling_rules_state_check CHECK (state IS NULL OR (state ~ '^[A-Z]{2}$' AND country IS NOT NULL)),
    CONSTRAINT calling_rules_channel_check CHECK (channel IN ('call', 'sms')),
    CONSTRAINT calling_rules_weekdays_check CHECK (weekdays BETWEEN 1 AND 127),
    CONSTRAINT calling_rules_times_check CHECK (from_time <= to_time),
    CONSTRAINT calling_rules_source_check CHECK (length(btrim(source)) > 0)
);
COMMENT ON TABLE lead_system.calling_rules IS
    'Hours within which people may be called and texted, by their own time. Every row that applies must allow it: an organization''s own rows narrow what the built-in ones (those without organization) allow, and never widen it. A weekday that no built-in row names is closed.';
COMMENT ON COLUMN lead_system.calling_rules.country IS 'Two letters; NULL for all.';
COMMENT ON COLUMN lead_system.calling_rules.state IS 'Two letters, of the lead or of the area code of its number; NULL for all.';
COMMENT ON COLUMN lead_system.calling_rules.channel IS 'call or sms; NULL for both.';
COMMENT ON COLUMN lead_system.calling_rules.weekdays IS 'Days that the row speaks of, by the called party''s time: the sum of 1 Monday, 2 Tuesday, 4 Wednesday, 8 Thursday, 16 Friday, 32 Saturday, 64 Sunday.';
COMMENT ON COLUMN lead_system.calling_rules.to_time IS 'Until before this time; the same as from_time for not at all, 24:00 for the end of the day.';
COMMENT ON COLUMN lead_system.calling_rules.source IS 'The law, or the policy, that asks for it.';
CREATE INDEX calling_rules_organization_id_created_at_idx ON lead_system.calling_rules (organization_id, created_at);

CREATE TABLE lead_system.area_code_timezones (
    area_code text   COLLATE "C" NOT NULL,
    timezone  text   NOT NULL,
    country   text   NOT NULL,
    states    text[] NOT NULL DEFAULT '{}',
    CONSTRAINT area_code_timezones_pkey PRIMARY KEY (area_code, timezone),
    CONSTRAINT area_code_timezones_area_code_check CHECK (area_code ~ '^[2-9][0-9]{2}$'),
    CONSTRAINT area_code_timezones_country_check CHECK (country ~ '^[A-Z]{2}$')
);
COMMENT ON TABLE lead_system.area_code_timezones IS
    'Time zones of the geographic area codes of North America; a code that lies in several zones has several rows.';
COMMENT ON COLUMN lead_system.area_code_timezones.states IS 'States or provinces that the code serves; empty where a country has none.';

CREATE TABLE lead_system.state_timezones (
    country    text NOT NULL,
    state      text NOT NULL,
    state_name text NOT NULL,
    zip_prefix text COLLATE "C" NOT NULL DEFAULT '',
    timezone   text NOT NULL,
    CONSTRAINT state_timezones_pkey PRIMARY KEY (country, state, zip_prefix, timezone),
    CONSTRAINT state_timezones_country_check CHECK (country ~ '^[A-Z]{2}$'),
    CONSTRAINT state_timezones_state_check CHECK (state ~ '^[A-Z]{2}$'),
    CONSTRAINT state_timezones_zip_prefix_check CHECK (zip_prefix ~ '^[A-Z0-9]{0,6}$')
);
COMMENT ON TABLE lead_system.state_timezones IS
    'Time zones of states and provinces. The rows with the longest zip_prefix that a lead''s ZIP code begins with count.';
COMMENT ON COLUMN lead_system.state_timezones.zip_prefix IS 'Empty for the whole state.';

ALTER TABLE lead_system.calling_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.calling_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.calling_rules FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.calling_rules
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER calling_rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.calling_rules
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
CREATE TRIGGER area_code_timezones_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.area_code_timezones
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();
CREATE TRIGGER state_timezones_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_system.state_timezones
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.cache_invalidate();

CREATE TRIGGER area_code_timezones_check BEFORE INSERT OR UPDATE ON lead_system.area_code_timezones
    FOR EACH ROW EXECUTE FUNCTION lead_system.contact_timezone_check();
CREATE TRIGGER state_timezones_check BEFORE INSERT OR UPDATE ON lead_system.state_timezones
    FOR EACH ROW EXECUTE FUNCTION lead_system.contact_timezone_check();
