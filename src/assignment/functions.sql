-- assignment: who works on which lead.

CREATE FUNCTION lead_system.assign_lead(lead_id uuid, strategy text DEFAULT 'capacity', user_id uuid DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_assign_lead';
COMMENT ON FUNCTION lead_system.assign_lead(uuid, text, uuid) IS
    'Assigns a lead to a user: by round_robin, capacity, geographic or skill_based, or manual to a given user. Returns the user; NULL when nobody has room, and the lead waits. An assigned lead goes to another user. Raises LS040 when the given user, or any other one, has no room, LS041 for a lead that is not to be assigned, P0002 for an unknown lead or user.';
REVOKE ALL ON FUNCTION lead_system.assign_lead(uuid, text, uuid) FROM PUBLIC;

CREATE FUNCTION lead_system.assign_lead_to(lead_id uuid, user_id uuid, reason text DEFAULT NULL, force boolean DEFAULT false) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_assign_lead_to';
COMMENT ON FUNCTION lead_system.assign_lead_to(uuid, uuid, text, boolean) IS
    'Assigns a lead to a given user, as strategy manual of assign_lead() does, with a reason, and with force above the user''s max_active_leads. Returns the user. Raises LS040, LS041 and P0002 as assign_lead() does.';
REVOKE ALL ON FUNCTION lead_system.assign_lead_to(uuid, uuid, text, boolean) FROM PUBLIC;

CREATE FUNCTION lead_system.assign_leads(lead_ids uuid[], strategy text DEFAULT 'capacity', reason text DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_assign_leads';
COMMENT ON FUNCTION lead_system.assign_leads(uuid[], text, text) IS
    'Assigns many leads in the order given, spread by a strategy; returns how many. Leads that nobody has room for wait; those that are assigned already, or are not to be assigned, are left alone. Raises P0002 for an unknown lead.';
REVOKE ALL ON FUNCTION lead_system.assign_leads(uuid[], text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.assign_waiting_leads(batch integer DEFAULT 100) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_assign_waiting';
COMMENT ON FUNCTION lead_system.assign_waiting_leads(integer) IS
    'Assigns waiting leads, those that have waited longest first, as far as there is room; returns how many. For a scheduler; leads that another session holds are left for the next run.';
REVOKE ALL ON FUNCTION lead_system.assign_waiting_leads(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.release_leads(user_id uuid, strategy text DEFAULT 'capacity', reason text DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_release';
COMMENT ON FUNCTION lead_system.release_leads(uuid, text, text) IS
    'Gives the open leads of a user to others, spread by a strategy; returns how many the user has no longer. What nobody has room for stays with an active user, and waits when the user is not active. For users who leave or are away. Raises P0002 for an unknown user.';
REVOKE ALL ON FUNCTION lead_system.release_leads(uuid, text, text) FROM PUBLIC;

CREATE FUNCTION lead_system.sla_breaches()
    RETURNS TABLE (lead_id uuid, assigned_to uuid, temperature text, lead_score integer, new_since timestamptz,
        due_at timestamptz, overdue interval, level text)
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 100 AS 'MODULE_PATHNAME', 'ls_assignment_sla_breaches';
COMMENT ON FUNCTION lead_system.sla_breaches() IS
    'Hot and warm leads of the session''s organization that are still new after the time in which they should have been contacted, the longest overdue first; level is response, review or escalate.';
REVOKE ALL ON FUNCTION lead_system.sla_breaches() FROM PUBLIC;

CREATE FUNCTION lead_system.sweep_sla(batch integer DEFAULT 1000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_sweep_sla';
COMMENT ON FUNCTION lead_system.sweep_sla(integer) IS
    'Marks hot and warm leads that have been new for too long for review, and gives those that were not contacted for longer still to another user; returns how many steps it made. For a scheduler; leads that another session holds are left for the next run.';
REVOKE ALL ON FUNCTION lead_system.sweep_sla(integer) FROM PUBLIC;

CREATE FUNCTION lead_system.recount_user_counters() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_recount';
COMMENT ON FUNCTION lead_system.recount_user_counters() IS
    'Counts the leads of all users of the session''s organization anew, and writes what differs; returns the number of users whose counters were wrong, which is 0 unless triggers were switched off.';
REVOKE ALL ON FUNCTION lead_system.recount_user_counters() FROM PUBLIC;

CREATE FUNCTION lead_system.users_keep_counters() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_keep_counters';
COMMENT ON FUNCTION lead_system.users_keep_counters() IS
    'Trigger of users: the counters of leads are kept by the extension alone.';
REVOKE ALL ON FUNCTION lead_system.users_keep_counters() FROM PUBLIC;

CREATE FUNCTION lead_system.users_capacity_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_capacity_changed';
COMMENT ON FUNCTION lead_system.users_capacity_changed() IS
    'Trigger of users: when one gets room, leads that wait are assigned.';
REVOKE ALL ON FUNCTION lead_system.users_capacity_changed() FROM PUBLIC;

CREATE FUNCTION lead_system.system_config_drain() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ls_assignment_settings_changed';
COMMENT ON FUNCTION lead_system.system_config_drain() IS
    'Trigger of system_config: when a strategy is chosen, or a limit of leads changes, leads that wait are assigned.';
REVOKE ALL ON FUNCTION lead_system.system_config_drain() FROM PUBLIC;
