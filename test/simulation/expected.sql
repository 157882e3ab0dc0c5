-- Kinds of events, each of which must have happened: otherwise the simulation
-- has not been where it is meant to be.  In "long" are those that need weeks, or
-- come too seldom to be sure of in some days: ids are random, so no two runs are the same.
CREATE TABLE sim.expected (kind text PRIMARY KEY, long boolean NOT NULL DEFAULT false);
INSERT INTO sim.expected (kind) SELECT unnest(ARRAY[
    'lead inserted', 'upsert', 'upsert again, merge', 'upsert again, skip', 'upsert again, reject refused LS031', 'import', 'imported, new', 'imported, known', 'import rejected',
    'engagement', 'qualification', 'intent', 'status', 'note', 'touch', 'fields changed', 'offer', 'bid', 'bid cancelled', 'bid refused 23505', 'message', 'message of a stranger refused LS013', 'decline', 'conversion',
    'contractor pays in', 'rating', 'claim', 'call answered', 'call donated', 'call no_answer', 'call callback', 'call failed', 'call do_not_call', 'call not reported', 'list to campaign',
    'step handed out', 'step completed', 'step failed', 'step confirmed', 'step to be retried', 'enrolled', 'enrolment, pause', 'enrolment, resume', 'enrolment, cancel',
    'notification queued', 'notification sent', 'notification not sent', 'notification not reported', 'sms in: stop', 'sms in: start', 'sms in: yes', 'sms out', 'sms out refused LS001', 'sms report', 'call out', 'call in', 'missed call',
    'number listed', 'number listed for a while', 'consent', 'consent revoked', 'assigned', 'assigned many', 'leads released', 'merged',
    'credit', 'debit', 'hold', 'hold captured', 'hold released', 'hold forgotten', 'adjustment', 'day closed', 'report: funnel', 'everything checked', 'advertising reported', 'proposal approved', 'workflow started', 'workflow completed', 'workflow failed', 'workflow again completed']);
INSERT INTO sim.expected SELECT unnest(ARRAY['appeal', 'appeal approved', 'appeal rejected', 'bid refused LS011', 'restored by upsert', 'number taken off', 'erased', 'lead deleted for good', 'imported, blocked',
    'suppressed in campaign', 'unsuppressed in campaign', 'matching leads to campaign', 'campaign paused or resumed', 'refund refused LS022', 'maintenance: recalculate_lead_scores', 'maintenance: lift_expired_bans', 'proposal rejected', 'workflow again failed', 'maintenance: apply_due_actions',
    'list from campaign', 'call out refused LS001', 'listing overridden', 'assigned by hand', 'unmerged', 'refund', 'restored', 'proposal applied', 'ban', 'activity restored', 'transaction is refund']), true;

-- What the rows tell beside the log: states that only the extension brings about.
CREATE FUNCTION sim.count_states() RETURNS void LANGUAGE sql AS $$
    SELECT sim.note(kind, n::bigint) FROM (
        SELECT 'lead is ' || status, count(*) FROM lead_system.leads WHERE pipeline_id = (SELECT id FROM lead_system.pipelines WHERE organization_id IS NULL AND name = 'marketplace') GROUP BY status
        UNION ALL SELECT 'bid is ' || status, count(*) FROM lead_system.bids GROUP BY status
        UNION ALL SELECT 'row of a campaign is ' || status, count(*) FROM lead_system.campaign_leads GROUP BY status
        UNION ALL SELECT 'enrolment is ' || status, count(*) FROM lead_system.lead_sequence_enrollments GROUP BY status
        UNION ALL SELECT 'notification is ' || status, count(*) FROM lead_system.notifications GROUP BY status
        UNION ALL SELECT 'hold is ' || status, count(*) FROM lead_system.budget_holds GROUP BY status
        UNION ALL SELECT 'transaction is ' || transaction_type, count(*) FROM lead_system.budget_transactions GROUP BY transaction_type
        UNION ALL SELECT 'strike', count(*) FROM lead_system.strike_logs
        UNION ALL SELECT 'ban', count(*) FROM lead_system.strike_logs WHERE ban_triggered
        UNION ALL SELECT 'archived lead', count(*) FROM lead_system.leads_archive
        UNION ALL SELECT 'activity ' || action_type, count(*) FROM lead_system.activities WHERE action_type IN ('restored', 'merged', 'assigned', 'list_entered', 'list_left', 'window_ending_soon', 'score_updated') GROUP BY action_type
        UNION ALL SELECT 'proposal is ' || result, count(*) FROM lead_system.ai_agent_logs GROUP BY result
        UNION ALL SELECT 'snapshot', count(*) FROM lead_system.analytics_snapshots
        UNION ALL SELECT 'maintenance: ' || job, sum(rows) FROM lead_system.maintenance_runs WHERE rows > 0 AND job !~ '^(recount|verify)' GROUP BY job) x(kind, n)
$$;
INSERT INTO sim.expected (kind) SELECT unnest(ARRAY['lead is CONTACTED', 'lead is EXPIRED', 'bid is WON', 'bid is LOST', 'bid is EXPIRED', 'bid is CANCELLED', 'row of a campaign is new', 'row of a campaign is queued',
    'row of a campaign is contacted', 'row of a campaign is converted', 'row of a campaign is failed', 'row of a campaign is dnc', 'enrolment is active', 'enrolment is completed', 'enrolment is cancelled', 'enrolment is failed',
    'notification is sent', 'notification is failed', 'notification is dropped', 'hold is captured', 'hold is released', 'hold is expired', 'strike', 'archived lead', 'activity assigned', 'activity list_entered', 'activity list_left',
    'activity score_updated', 'activity window_ending_soon', 'transaction is debit', 'transaction is credit', 'transaction is adjustment', 'transaction is hold', 'transaction is capture', 'transaction is release', 'snapshot',
    'maintenance: expire_response_windows', 'maintenance: close_due_bidding', 'maintenance: release_lapsed_steps', 'maintenance: release_expired_holds', 'maintenance: archive_leads', 'maintenance: take_analytics_snapshots',
    'maintenance: sweep_sla', 'maintenance: refresh_smart_lists', 'maintenance: release_expired_dnc_blocks', 'maintenance: archive_listings', 'maintenance: run_ad_diagnostics', 'maintenance: propose_actions', 'proposal is success']);
CREATE VIEW sim.missing AS
    SELECT kind FROM sim.expected e WHERE NOT EXISTS (SELECT FROM sim.log l WHERE l.kind = e.kind) AND (NOT e.long OR (SELECT days FROM sim.settings) >= 28);
