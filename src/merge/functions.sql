-- merge: duplicates, merging, archive, retention.

CREATE FUNCTION lead_system.find_duplicate_leads()
    RETURNS TABLE (lead_id uuid, duplicate_of uuid, matched_on text)
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 100000 ROWS 1000 AS 'MODULE_PATHNAME', 'ls_merge_find_duplicates';
COMMENT ON FUNCTION lead_system.find_duplicate_leads() IS
    'Live leads of the session''s organization that look like an older one: by phone_number, email, or name (name and company, as alike as merge.similarity says when pg_trgm is there, otherwise equal but for case and punctuation). duplicate_of is the oldest of those that hang together; one row per lead.';
REVOKE ALL ON FUNCTION lead_system.find_duplicate_leads() FROM PUBLIC;

CREATE FUNCTION lead_system.merge_leads(survivor uuid, duplicates uuid[])
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_merge_leads';
COMMENT ON FUNCTION lead_system.merge_leads(uuid, uuid[]) IS
    'Merges leads into one that keeps its id: all their rows become its rows, what it lacks is filled from the newest of them, counts are added, a block of any of them blocks it; they are deleted. Returns the id of the merge, for unmerge_leads(). Raises P0002 for an unknown lead, 55000 for one that is deleted, being called twice, or offered with bidding or a window open, 25000 in another isolation level than READ COMMITTED.';
REVOKE ALL ON FUNCTION lead_system.merge_leads(uuid, uuid[]) FROM PUBLIC;

CREATE FUNCTION lead_system.unmerge_leads(merge_id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_merge_unmerge';
COMMENT ON FUNCTION lead_system.unmerge_leads(uuid) IS
    'Undoes a merge: every row that it touched is as it was, and what came since stays with the survivor. Raises P0002 for an unknown merge, 55000 when it was undone before, when a later one builds on it, or when something was changed since that cannot be told apart.';
REVOKE ALL ON FUNCTION lead_system.unmerge_leads(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.archive_leads(batch integer DEFAULT 1000)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_merge_archive_leads';
COMMENT ON FUNCTION lead_system.archive_leads(integer) IS
    'Moves up to batch leads that are lost or cold, had no activity for archive.after_days and have nothing waiting into leads_archive, whole; returns how many. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.archive_leads(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.restore_lead(lead_id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_merge_restore_lead';
COMMENT ON FUNCTION lead_system.restore_lead(uuid) IS
    'Brings a lead back from leads_archive with all its rows, as they were. What was listed in the meantime is blocked. Raises P0002 when it is not in the archive, 23505 when a live lead has its number.';
REVOKE ALL ON FUNCTION lead_system.restore_lead(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.export_archive_csv(batch integer DEFAULT 1000)
    RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1000 AS 'MODULE_PATHNAME', 'ls_merge_export_archive';
COMMENT ON FUNCTION lead_system.export_archive_csv(integer) IS
    'Up to batch archived leads of the session''s organization that were not exported yet, oldest first, as lines of CSV under a heading; marks them as exported. The columns lead and children hold all of it as JSON.';
REVOKE ALL ON FUNCTION lead_system.export_archive_csv(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.purge_archived_leads(batch integer DEFAULT 1000, before timestamp with time zone DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_merge_purge';
COMMENT ON FUNCTION lead_system.purge_archived_leads(integer, timestamptz) IS
    'Removes up to batch leads from the archive that came into it before the time given, by default archive.purge_after_days ago, and were exported, unless archive.export_required is off; returns how many. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.purge_archived_leads(integer, timestamptz) FROM PUBLIC;

CREATE FUNCTION lead_system.apply_retention(batch integer DEFAULT 10000)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_merge_apply_retention';
COMMENT ON FUNCTION lead_system.apply_retention(integer) IS
    'Removes up to batch rows from each history, from the notifications, budget holds, workflow_runs and ai_agent_logs that are over, and from nurture_daily_counts, ad_campaign_days and keyword_days, that are older than the setting retention.* says; returns how many. Never the do-not-call list, its audit, consents and merges. Works in the session''s organization, or in all for a role above row level security that has none set. For a scheduler.';
REVOKE ALL ON FUNCTION lead_system.apply_retention(integer) FROM PUBLIC;
