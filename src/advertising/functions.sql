-- advertising: what is found, what is proposed, and what is done about it.

CREATE FUNCTION lead_system.record_ad_days(days jsonb) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_record_days';
COMMENT ON FUNCTION lead_system.record_ad_days(jsonb) IS
    'Takes down what campaigns, and keywords, cost and brought on days: an array of objects with campaign (the external_id), day, spend, clicks, impressions, conversions, and for a keyword keyword and match_type. A day that is told again is replaced; totals follow. Returns the number of objects. Raises P0002 for an unknown campaign or keyword.';
REVOKE ALL ON FUNCTION lead_system.record_ad_days(jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.run_ad_diagnostics(as_of date DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_run_diagnostics';
COMMENT ON FUNCTION lead_system.run_ad_diagnostics(date) IS
    'Looks, as of a day, for campaigns whose leads cost too much, a booking rate that is too low, fewer leads than usual, and leads that nobody has touched; writes what it finds into ai_agent_logs, once a day each, and returns how many. As of now it also tells users of leads that nobody has touched, once of each. For a scheduler. Without organization, for a role above row level security, all organizations with campaigns.';
REVOKE ALL ON FUNCTION lead_system.run_ad_diagnostics(date) FROM PUBLIC;

CREATE FUNCTION lead_system.propose_actions() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_propose_actions';
COMMENT ON FUNCTION lead_system.propose_actions() IS
    'Proposes to pause keywords without conversions and campaigns whose daily budget is reached, to resume those on the next day, and to raise the bids of keywords that do well; returns how many proposals are new. Changes nothing else. Proposals that have expired are closed. For a scheduler. Without organization, for a role above row level security, all organizations with campaigns.';
REVOKE ALL ON FUNCTION lead_system.propose_actions() FROM PUBLIC;

CREATE FUNCTION lead_system.propose_action(agent_name text, action_type text, target_id uuid, to_value numeric DEFAULT NULL,
    action_data jsonb DEFAULT '{}') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_propose_action';
COMMENT ON FUNCTION lead_system.propose_action(text, text, uuid, numeric, jsonb) IS
    'Proposes pause_campaign, resume_campaign, change_budget of a campaign, or pause_keyword, change_bid of a keyword. What the limits refuse is written down as refused. action_data must not have the key rule. Returns the id; that of the proposal which exists if the same was proposed on the same day. Raises 55000 when another value is proposed already, or there is nothing to change, P0002 for an unknown campaign or keyword.';
REVOKE ALL ON FUNCTION lead_system.propose_action(text, text, uuid, numeric, jsonb) FROM PUBLIC;

CREATE FUNCTION lead_system.apply_action(log_id uuid) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_apply_action';
COMMENT ON FUNCTION lead_system.apply_action(uuid) IS
    'Carries a proposal out, if the limits of this moment allow it: returns success, or failed when what it is about has changed since. Raises LS060 when it needs an approval or is above the limits, 55000 when it is not open or has expired, P0002 for an unknown one.';
REVOKE ALL ON FUNCTION lead_system.apply_action(uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.apply_due_actions(batch integer DEFAULT 100) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_apply_due';
COMMENT ON FUNCTION lead_system.apply_due_actions(integer) IS
    'Carries out what is approved and, if ads.automatic is on, what needs no approval; returns how many were done, or failed. What the limits do not allow any more goes back to pending, or is refused. For a scheduler; proposals that another session holds are left for the next run.';
REVOKE ALL ON FUNCTION lead_system.apply_due_actions(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.ad_campaigns_end_pause() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_advertising_end_pause';
COMMENT ON FUNCTION lead_system.ad_campaigns_end_pause() IS
    'Trigger of ad_campaigns: a campaign whose status somebody changes is no longer paused because of its budget.';
REVOKE ALL ON FUNCTION lead_system.ad_campaigns_end_pause() FROM PUBLIC;
