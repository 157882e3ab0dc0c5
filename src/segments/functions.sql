-- segments: filters of leads, and lists that follow them.

CREATE FUNCTION lead_system.filter_matches(filter jsonb, lead record) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_segments_filter_matches';
COMMENT ON FUNCTION lead_system.filter_matches(jsonb, record) IS
    'Does a filter match a lead? The record is a row of leads, or any with the columns that the filter reads, by name (42703 when one is missing). Runs no SQL; a constant filter is parsed once. A deleted lead never matches. Raises 22023 for a filter that is not valid (semantics H).';
REVOKE ALL ON FUNCTION lead_system.filter_matches(jsonb, record) FROM PUBLIC;

CREATE FUNCTION lead_system.explain_filter(filter jsonb) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ls_segments_explain_filter';
COMMENT ON FUNCTION lead_system.explain_filter(jsonb) IS
    'The filter as the WHERE clause of a query on leads, with relative dates as of now.';
REVOKE ALL ON FUNCTION lead_system.explain_filter(jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.count_leads(filter jsonb) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_count_leads';
COMMENT ON FUNCTION lead_system.count_leads(jsonb) IS
    'The number of leads of the session''s organization that a filter matches.';
REVOKE ALL ON FUNCTION lead_system.count_leads(jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.segment_leads(segment_id uuid) RETURNS TABLE (lead_id uuid)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 1000 AS 'MODULE_PATHNAME', 'ls_segments_segment_leads';
COMMENT ON FUNCTION lead_system.segment_leads(uuid) IS
    'The leads of a segment as of now, in no particular order. Raises P0002 for a segment that the caller cannot see.';
REVOKE ALL ON FUNCTION lead_system.segment_leads(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.refresh_segment_count(segment_id uuid) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_refresh_count';
COMMENT ON FUNCTION lead_system.refresh_segment_count(uuid) IS
    'Counts the leads of a segment, and keeps the count in segments and in the dynamic lists that follow it.';
REVOKE ALL ON FUNCTION lead_system.refresh_segment_count(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.lead_list_leads(lead_list_id uuid) RETURNS TABLE (lead_id uuid)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 1000 AS 'MODULE_PATHNAME', 'ls_segments_lead_list_leads';
COMMENT ON FUNCTION lead_system.lead_list_leads(uuid) IS
    'The leads of a list of any type: its members, or what the segment of a dynamic list has now.';
REVOKE ALL ON FUNCTION lead_system.lead_list_leads(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.refresh_lead_list(lead_list_id uuid) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_refresh_list';
COMMENT ON FUNCTION lead_system.refresh_lead_list(uuid) IS
    'Brings a smart list in line with its segment; returns how many leads came or went. Leads cannot be written meanwhile. Raises 55000 for another list.';
REVOKE ALL ON FUNCTION lead_system.refresh_lead_list(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.refresh_smart_lists() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_refresh_smart_lists';
COMMENT ON FUNCTION lead_system.refresh_smart_lists() IS
    'Brings smart lists whose filters move with the time in line with it; returns how many leads came or went. For a scheduler; leads that another session holds are left for the next run. Without organization, for a role above row level security, all organizations.';
REVOKE ALL ON FUNCTION lead_system.refresh_smart_lists() FROM PUBLIC;

CREATE FUNCTION lead_system.sees_all_segments() RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ls_segments_sees_all';
COMMENT ON FUNCTION lead_system.sees_all_segments() IS
    'Does the caller see private segments of others? Managers do, if the session''s user is one, too.';

CREATE FUNCTION lead_system.segments_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_check';
COMMENT ON FUNCTION lead_system.segments_check() IS
    'Trigger of segments: refuses a filter that is not valid.';
REVOKE ALL ON FUNCTION lead_system.segments_check() FROM PUBLIC;

CREATE FUNCTION lead_system.segments_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_changed';
COMMENT ON FUNCTION lead_system.segments_changed() IS
    'Trigger of segments: smart lists follow a changed filter.';
REVOKE ALL ON FUNCTION lead_system.segments_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.lead_lists_keep_type() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_list_check';
COMMENT ON FUNCTION lead_system.lead_lists_keep_type() IS
    'Trigger of lead_lists: a list follows a segment that its maker sees; its type and its segment cannot be changed.';
REVOKE ALL ON FUNCTION lead_system.lead_lists_keep_type() FROM PUBLIC;

CREATE FUNCTION lead_system.lead_lists_fill() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_lists_fill';
COMMENT ON FUNCTION lead_system.lead_lists_fill() IS
    'Trigger of lead_lists: fills new smart lists.';
REVOKE ALL ON FUNCTION lead_system.lead_lists_fill() FROM PUBLIC;

CREATE FUNCTION lead_system.lead_list_members_guard() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_segments_members_guard';
COMMENT ON FUNCTION lead_system.lead_list_members_guard() IS
    'Trigger of lead_list_members: only static lists are written by hand.';
REVOKE ALL ON FUNCTION lead_system.lead_list_members_guard() FROM PUBLIC;
