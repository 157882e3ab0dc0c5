/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of the advertising domain share among themselves.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ADVERTISING_INTERNAL_H
#define LS_ADVERTISING_INTERNAL_H

#include "utils/date.h"

#include "core/query.h"
#include "advertising/advertising.h"
#include "automation/automation.h"

#define LS_AD_MAX_BATCH 10000

/* A day of an organisation. */
typedef struct LsAdDay
{
	pg_uuid_t org;
	TimestampTz now;
	DateADT date;
	TimestampTz starts_at;
	TimestampTz ends_at;
} LsAdDay;

/*
 * The limits (semantics J6), as parameters $4 to $8 of a statement whose first
 * ones are the organisation, the time and the day: ls_ad_limit_args().
 *
 * Changes of the same thing within ads.limit_days count together, so that small
 * steps do not lead further than one step may: "base" is what the value was
 * before the first of them.
 */
#define LS_AD_LIMIT_TYPES \
	UUIDOID, TIMESTAMPTZOID, DATEOID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID

/* What "value" of a target was before the changes that count together. */
#define LS_AD_BASE_SQL(target, action, value) \
	"coalesce((SELECT b.from_value FROM lead_system.ai_agent_logs b WHERE b.organization_id = $1" \
	"     AND b.target_id = " target " AND b.action_type = " action \
	"     AND b.result = 'success' AND b.from_value IS NOT NULL" \
	"     AND b.completed_at > $2 - make_interval(days => $7)" \
	"   ORDER BY b.completed_at, b.id LIMIT 1), " value ")"

/*
 * What the limits say of a row with from_value, to_value, base and per_unit
 * (what one unit of it costs a day): the step alone and all of them together
 * have to be within them, since a person may have gone back in between.
 *
 * A change of status has the effect "spend"; to resume what was paused for
 * another reason than the day's budget is no step of ten percent.  The rules'
 * own ones are automatic: they cut a loss, or go back to what was before.
 */
#define LS_AD_GUARD_SQL(r) \
	"CASE WHEN " r ".to_value IS NULL AND " r ".by_rule THEN 'automatic'" \
	"     WHEN " r ".to_value IS NULL THEN CASE WHEN abs(" r ".spend) > $6 THEN 'refused'" \
	"          WHEN " r ".action_type = 'resume_campaign' THEN 'approval' ELSE 'automatic' END" \
	"     WHEN greatest(abs(" r ".to_value - " r ".base), abs(" r ".to_value - " r \
	".from_value)) * " r ".per_unit > $6" \
	"     THEN 'refused'" \
	"     WHEN " LS_AD_PERCENT_SQL(r) " > $5 THEN 'manual'" \
									  "     WHEN " LS_AD_PERCENT_SQL( \
										  r) " > $4 THEN 'approval' ELSE 'automatic' END"

#define LS_AD_PERCENT_SQL(r) \
	"greatest(abs(" r ".to_value - " r ".base) * 100 / " r ".base," \
	"   abs(" r ".to_value - " r ".from_value) * 100 / " r ".from_value)"

/* Did a rule make a line of the log?  Agents cannot say so: propose_action() refuses the key. */
#define LS_AD_RULE "rule"
#define LS_AD_BY_RULE_SQL(data) data " ->> '" LS_AD_RULE "' IS NOT NULL"

/*
 * The mean spend and clicks of a day of a keyword, within ads.impact_days: read
 * for each by its primary key, whatever the plan.
 */
#define LS_AD_USUAL_SQL(keyword) \
	"(SELECT sum(d.spend) / $8 AS spend, sum(d.clicks)::numeric / $8 AS clicks" \
	"   FROM lead_system.keyword_days d WHERE d.organization_id = $1 AND d.keyword_id = " keyword \
	"    AND d.day >= $3 - $8 AND d.day < $3)"

/* Of a lead "l": nobody has been in touch, and somebody might have been. */
#define LS_AD_UNTOUCHED_SQL \
	"l.stage = 'new' AND l.contacted_at IS NULL AND l.last_contact_at IS NULL" \
	" AND NOT l.do_not_call AND l.deleted_at IS NULL AND NOT l.is_spam"

/* alerts.c */
extern void ls_ad_alert_untouched(const LsAdDay *day);

/* advertising.c */
extern void ls_ad_today(const pg_uuid_t *org, LsAdDay *day);
extern void ls_ad_limit_args(LsArgs *args, const LsAdDay *day);
extern pg_uuid_t *ls_ad_organizations(int *n);

#endif /* LS_ADVERTISING_INTERNAL_H */
