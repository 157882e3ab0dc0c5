/*-------------------------------------------------------------------------
 *
 * jobs.c
 *	  The table of jobs: whoever has something for a scheduler adds a line.
 *
 *	  They run in this order: what has a deadline first, then what follows from
 *	  it, then what counts and throws away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "maintenance/internal.h"
#include "nurture/nurture.h"
#include "outreach/outreach.h"
#include "scoring/scoring.h"

LS_QUERY(close_due_bidding, "SELECT lead_system.close_due_bidding($1)", INT4OID);
LS_QUERY(expire_windows, "SELECT lead_system.expire_response_windows($1)", INT4OID);
LS_QUERY(warn_windows, "SELECT lead_system.warn_response_windows($1)", INT4OID);
LS_QUERY0(lift_bans, "SELECT lead_system.lift_expired_bans()");
LS_QUERY0(release_dnc, "SELECT lead_system.release_expired_dnc_blocks()");
LS_QUERY(release_steps, "SELECT lead_system.release_lapsed_steps($1)", INT4OID);
LS_QUERY(missed_calls, "SELECT lead_system.sweep_missed_calls($1)", INT4OID);
LS_QUERY(assign_waiting, "SELECT lead_system.assign_waiting_leads($1)", INT4OID);
LS_QUERY(sweep_sla, "SELECT lead_system.sweep_sla($1)", INT4OID);
LS_QUERY0(ad_diagnostics, "SELECT lead_system.run_ad_diagnostics()");
LS_QUERY0(propose_actions, "SELECT lead_system.propose_actions()");
LS_QUERY(apply_actions, "SELECT lead_system.apply_due_actions($1)", INT4OID);
LS_QUERY(release_holds, "SELECT lead_system.release_expired_holds($1)", INT4OID);
LS_QUERY(smart_lists,
	"SELECT lead_system.refresh_smart_lists() WHERE EXISTS (SELECT FROM lead_system.lead_lists l"
	"  WHERE l.organization_id = $1 AND l.list_type = 'smart')",
	UUIDOID);
/* MATERIALIZED, since counting writes the table that is read. */
LS_QUERY(segment_counts,
	"WITH s AS MATERIALIZED (SELECT s.id FROM lead_system.segments s WHERE s.organization_id = $1)"
	" SELECT count(lead_system.refresh_segment_count(s.id)) FROM s",
	UUIDOID);
/*
 * A day is over when it is over both in UTC and where the organisation is, since
 * a setting decides which of the two counts.  Days that were missed are made up for.
 */
LS_QUERY(snapshots,
	"WITH o AS MATERIALIZED (SELECT least(lead_system.clock_now() AT TIME ZONE o.timezone,"
	"     lead_system.clock_now() AT TIME ZONE 'UTC')::date - 1 AS day"
	"   FROM lead_system.organizations o WHERE o.id = $1 AND o.status <> 'cancelled'),"
	" d AS MATERIALIZED (SELECT o.day - n AS day FROM o CROSS JOIN generate_series(30, 0, -1) n"
	"   WHERE o.day - n > coalesce((SELECT max(s.snapshot_date)"
	"     FROM lead_system.analytics_snapshots s WHERE s.organization_id = $1 AND s.snapshot_date <= o.day),"
	"     o.day - 1))"
	" SELECT count(*) FROM d CROSS JOIN LATERAL lead_system.take_analytics_snapshot(d.day)",
	UUIDOID);
LS_QUERY(archive_listings, "SELECT lead_system.archive_listings($1)", INT4OID);
LS_QUERY(archive_leads, "SELECT lead_system.archive_leads($1)", INT4OID);
LS_QUERY(purge_archive, "SELECT lead_system.purge_archived_leads($1)", INT4OID);
LS_QUERY(retention, "SELECT lead_system.apply_retention($1)", INT4OID);
LS_QUERY(user_counters,
	"SELECT lead_system.recount_user_counters() WHERE EXISTS (SELECT FROM lead_system.users u"
	"  WHERE u.organization_id = $1)",
	UUIDOID);
LS_QUERY(dnc_audit,
	"SELECT count(*) FROM lead_system.verify_dnc_audit() v WHERE NOT v.ok"
	"   AND EXISTS (SELECT FROM lead_system.organizations o WHERE o.id = $1)",
	UUIDOID);

LS_QUERY(ledgers,
	"SELECT count(*) FROM lead_system.budget_accounts a"
	"  CROSS JOIN LATERAL lead_system.verify_ledger(a.id) v"
	" WHERE a.organization_id = $1 AND NOT v.ok",
	UUIDOID);

/* clang-format off */
const LsJob ls_jobs[] = {
	{"expire_response_windows", LS_EVERY_MINUTE, LS_JOB_SWEEP, 100, &expire_windows, NULL,
		"ends response windows that have lapsed, and opens the next ones"},
	{"close_due_bidding", LS_EVERY_MINUTE, LS_JOB_SWEEP, 100, &close_due_bidding, NULL,
		"closes bidding whose time is over"},
	{"warn_response_windows", LS_EVERY_MINUTE, LS_JOB_SWEEP, 100, &warn_windows, NULL,
		"warns contractors whose response window is about to end"},
	{"lift_expired_bans", LS_EVERY_MINUTE, LS_JOB_SWEEP, 0, &lift_bans, NULL,
		"writes down that bans are over"},
	{"release_lapsed_steps", LS_EVERY_MINUTE, LS_JOB_SWEEP, 1000, &release_steps, NULL,
		"deals with steps of sequences whose worker did not report"},
	{"sweep_missed_calls", LS_EVERY_MINUTE, LS_JOB_SWEEP, 1000, &missed_calls, NULL,
		"gives up callers who were missed and did not answer"},
	{"assign_waiting_leads", LS_EVERY_MINUTE, LS_JOB_SWEEP, 100, &assign_waiting, NULL,
		"assigns leads that wait for somebody with room"},
	{"sweep_sla", LS_EVERY_MINUTE, LS_JOB_SWEEP, 1000, &sweep_sla, NULL,
		"marks and passes on leads that nobody has contacted in time"},
	{"release_expired_holds", LS_EVERY_MINUTE, LS_JOB_SWEEP, 1000, &release_holds, NULL,
		"gives back money that was held for longer than it may be"},
	{"release_expired_dnc_blocks", LS_EVERY_HOUR, LS_JOB_SWEEP, 0, &release_dnc, NULL,
		"unblocks leads whose entry on the do-not-call list has expired"},
	{"refresh_smart_lists", LS_EVERY_HOUR, LS_JOB_EACH_ORGANIZATION, 0, &smart_lists, NULL,
		"brings smart lists in line with filters that move with the time"},
	{"refresh_segment_counts", LS_EVERY_HOUR, LS_JOB_EACH_ORGANIZATION, 0, &segment_counts, NULL,
		"counts the leads of each segment"},
	{"run_ad_diagnostics", LS_EVERY_HOUR, LS_JOB_SWEEP, 0, &ad_diagnostics, NULL,
		"looks for campaigns, keywords and leads that need attention"},
	{"propose_actions", LS_EVERY_HOUR, LS_JOB_SWEEP, 0, &propose_actions, NULL,
		"proposes changes of campaigns and keywords"},
	{"apply_due_actions", LS_EVERY_MINUTE, LS_JOB_SWEEP, 100, &apply_actions, NULL,
		"carries out what is approved, or needs no approval"},
	{"take_analytics_snapshots", LS_EVERY_HOUR, LS_JOB_EACH_ORGANIZATION, 0, &snapshots, NULL,
		"writes what came of the leads of the days that are over"},
	{"recalculate_lead_scores", LS_EVERY_DAY, LS_JOB_EACH_ORGANIZATION, 5000, NULL,
		ls_scoring_recalculate_batch, "scores leads anew, which decay"},
	{"archive_listings", LS_EVERY_DAY, LS_JOB_SWEEP, 100, &archive_listings, NULL,
		"archives offers of the marketplace that are over for long"},
	{"archive_leads", LS_EVERY_DAY, LS_JOB_SWEEP, 1000, &archive_leads, NULL,
		"moves leads that are lost or cold for long into the archive"},
	{"purge_archived_leads", LS_EVERY_DAY, LS_JOB_SWEEP, 1000, &purge_archive, NULL,
		"removes leads that were in the archive for long, and were exported"},
	{"apply_retention", LS_EVERY_DAY, LS_JOB_SWEEP, 10000, &retention, NULL,
		"removes rows of histories that are older than the settings say"},
	{"recount_users", LS_EVERY_DAY, LS_JOB_EACH_ORGANIZATION, 0, &user_counters, NULL,
		"counts the leads of users anew; rows are users whose counts were wrong"},
	{"recount_lists", LS_EVERY_DAY, LS_JOB_EACH_ORGANIZATION, 0, NULL, ls_outreach_recount_batch,
		"counts the leads of lists and campaigns anew; rows are counts that were wrong"},
	{"recount_sequences", LS_EVERY_DAY, LS_JOB_EACH_ORGANIZATION, 0, NULL, ls_nurture_recount_batch,
		"counts the enrolments of sequences anew; rows are sequences whose counts were wrong"},
	{"verify_dnc_audit", LS_EVERY_DAY, LS_JOB_VERIFY, 0, &dnc_audit, NULL,
		"verifies the audit chain of the do-not-call list; rows are chains that are broken"},
	{"verify_ledgers", LS_EVERY_DAY, LS_JOB_VERIFY, 0, &ledgers, NULL,
		"verifies the ledgers of all accounts; rows are those that are broken"},
	{"forget_runs", LS_EVERY_DAY, LS_JOB_SWEEP, 10000, NULL, ls_runs_forget,
		"removes rows of maintenance_runs that are older than lead_system.maintenance_history_days"},
};
/* clang-format on */

const int ls_n_jobs = lengthof(ls_jobs);
