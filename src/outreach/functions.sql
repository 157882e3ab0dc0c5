-- outreach: lists, campaigns, imports.

CREATE FUNCTION lead_system.create_lead_list_from_csv(p_business_id uuid, p_list_name character varying, p_leads jsonb) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_create_list_from_csv';
COMMENT ON FUNCTION lead_system.create_lead_list_from_csv(uuid, character varying, jsonb) IS
    'Imports an array of objects, the rows of a CSV file with its headers as keys, into a list of that name, which is made if need be; returns the list''s id. Works as import_leads_csv() does; how it went is in lead_imports. Raises 42501 for an organization that is not the session''s.';
REVOKE ALL ON FUNCTION lead_system.create_lead_list_from_csv(uuid, character varying, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.import_leads_csv(list_name text, csv text, options jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_import_csv';
COMMENT ON FUNCTION lead_system.import_leads_csv(text, text, jsonb) IS
    'Imports CSV text into a list of leads, which is made if need be; returns the import''s id: lead_imports tells what became of the rows, lead_import_errors which were rejected and why. A lead that exists is found by id, source and source_id, e-mail address, or phone number, in this order (semantics I13). Options: mapping (header to column, null to ignore), delimiter, quote, header, region, on_duplicate (merge, skip, reject), source, null_values. Progress is shown in pg_stat_progress_copy.';
REVOKE ALL ON FUNCTION lead_system.import_leads_csv(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.parse_csv(csv text, delimiter text DEFAULT ',', quote text DEFAULT '"')
    RETURNS TABLE (line integer, fields text[], raw_text text, problem text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'ls_outreach_parse_csv';
COMMENT ON FUNCTION lead_system.parse_csv(text, text, text) IS
    'The records of a CSV text as import_leads_csv() reads them: fields are NULL for a record that cannot be read, problem tells why, or what was doubtful.';
REVOKE ALL ON FUNCTION lead_system.parse_csv(text, text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.add_lead_list_to_campaign(p_campaign_id uuid, p_lead_list_id uuid, p_priority integer DEFAULT 1) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_add_list';
COMMENT ON FUNCTION lead_system.add_lead_list_to_campaign(uuid, uuid, integer) IS
    'Gives a list to a campaign and queues its leads; returns the assignment''s id (campaign_lead_lists). Repeating the call takes over new members and the priority (semantics I1 to I8). Raises P0002 for a campaign or list that is not the organization''s, 55000 for a completed campaign or an archived list.';
REVOKE ALL ON FUNCTION lead_system.add_lead_list_to_campaign(uuid, uuid, integer) FROM PUBLIC;

CREATE FUNCTION lead_system.add_matching_leads_to_campaign(p_campaign_id uuid, p_lead_list_id uuid, p_filter_criteria jsonb,
        p_priority integer DEFAULT 1) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_add_matching';
COMMENT ON FUNCTION lead_system.add_matching_leads_to_campaign(uuid, uuid, jsonb, integer) IS
    'Like add_lead_list_to_campaign(), but queues only those leads of the list that match the filter, now and when the list is added again (semantics I7); {} is all. Raises 22023 for a filter that cannot be read.';
REVOKE ALL ON FUNCTION lead_system.add_matching_leads_to_campaign(uuid, uuid, jsonb, integer) FROM PUBLIC;

CREATE FUNCTION lead_system.remove_lead_list_from_campaign(p_campaign_id uuid, p_lead_list_id uuid) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_remove_list';
COMMENT ON FUNCTION lead_system.remove_lead_list_from_campaign(uuid, uuid) IS
    'Takes a list from a campaign. Leads that nobody has called yet go to the next list that has them, or leave; returns how many left. Leads that were called, or are being called, stay, as what happened, and are not called again.';
REVOKE ALL ON FUNCTION lead_system.remove_lead_list_from_campaign(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.claim_campaign_leads(p_campaign_id uuid, p_limit integer DEFAULT 1, p_user_id uuid DEFAULT NULL,
        p_lease interval DEFAULT '5 minutes')
    RETURNS TABLE (campaign_lead_id uuid, lead_id uuid, phone_number text, attempts integer, lead_list_id uuid)
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'ls_outreach_claim';
COMMENT ON FUNCTION lead_system.claim_campaign_leads(uuid, integer, uuid, interval) IS
    'Hands out the next leads of an active campaign to be called (semantics I4, I10, I16), never one twice; the do-not-call list is asked again. A claim lapses after p_lease unless record_call_attempt() is called. No rows when there is nothing to call, the campaign is paused, its daily cap is reached, or it is outside its calling hours. Raises 55000 for a draft.';
REVOKE ALL ON FUNCTION lead_system.claim_campaign_leads(uuid, integer, uuid, interval) FROM PUBLIC;

CREATE FUNCTION lead_system.record_call_attempt(p_campaign_lead_id uuid, p_outcome text, p_duration integer DEFAULT 0,
        p_details jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_record_attempt';
COMMENT ON FUNCTION lead_system.record_call_attempt(uuid, text, integer, jsonb) IS
    'Records a call to a lead of a campaign and what came of it: answered, pledged, donated, declined, callback, no_answer, voicemail, busy, failed, wrong_number or do_not_call (semantics I9 to I12); returns the call''s id. p_duration in seconds. p_details: pledged_amount, donated_amount, callback_at, notes, provider_call_id (a repeated report is recognised by it), recording_url, caller_phone, started_at. Raises LS001 when the number was on the do-not-call list before the call began or the lead is marked, LS050 when somebody else holds the claim, 23505 for a provider_call_id of another campaign lead.';
REVOKE ALL ON FUNCTION lead_system.record_call_attempt(uuid, text, integer, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.lead_lists_leave_campaigns() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_leave_campaigns';
COMMENT ON FUNCTION lead_system.lead_lists_leave_campaigns() IS
    'Trigger of lead_lists: takes a list that is deleted from its campaigns, as remove_lead_list_from_campaign() does.';
REVOKE ALL ON FUNCTION lead_system.lead_lists_leave_campaigns() FROM PUBLIC;

CREATE FUNCTION lead_system.lead_list_members_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_members_changed';
COMMENT ON FUNCTION lead_system.lead_list_members_changed() IS
    'Trigger of lead_list_members: keeps lead_lists.lead_count.';
REVOKE ALL ON FUNCTION lead_system.lead_list_members_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.campaign_leads_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_campaign_leads_changed';
COMMENT ON FUNCTION lead_system.campaign_leads_changed() IS
    'Trigger of campaign_leads: keeps the counts of campaign_lead_lists.';
REVOKE ALL ON FUNCTION lead_system.campaign_leads_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.campaign_lead_lists_check() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_assignment_check';
COMMENT ON FUNCTION lead_system.campaign_lead_lists_check() IS
    'Trigger of campaign_lead_lists: refuses filter_criteria that are not a valid filter.';
REVOKE ALL ON FUNCTION lead_system.campaign_lead_lists_check() FROM PUBLIC;
