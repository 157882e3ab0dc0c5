-- outreach: numbers that one campaign must not contact.

CREATE FUNCTION lead_system.suppress_in_campaign(campaign_id uuid, phone_number text, reason text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_suppress';
COMMENT ON FUNCTION lead_system.suppress_in_campaign(uuid, text, text) IS
    'Keeps a campaign from contacting a number, although others may; what is pending for it in the campaign stops in the same transaction. Returns the id of the suppression; repeating the call changes nothing. Raises P0002 for a campaign that is not the organization''s, 22023 when it is not a phone number.';
REVOKE ALL ON FUNCTION lead_system.suppress_in_campaign(uuid, text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.unsuppress_in_campaign(campaign_id uuid, phone_number text, reason text) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_unsuppress';
COMMENT ON FUNCTION lead_system.unsuppress_in_campaign(uuid, text, text) IS
    'Lets a campaign contact a number again; what the suppression had stopped goes on. True when it was suppressed. For administrators, with a reason, which is kept in dnc_audit_log; raises 42501 and 22023.';
REVOKE ALL ON FUNCTION lead_system.unsuppress_in_campaign(uuid, text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.campaign_suppressions_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_outreach_suppressions_changed';
COMMENT ON FUNCTION lead_system.campaign_suppressions_changed() IS
    'Trigger of campaign_suppressions: audits the change, stops what the campaign has pending for the number, or lets it go on.';
REVOKE ALL ON FUNCTION lead_system.campaign_suppressions_changed() FROM PUBLIC;
