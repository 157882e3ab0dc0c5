/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  Telling users of leads that nobody has touched (semantics J5): who has the
 *	  lead, or the managers where nobody does, once.
 *
 *	  Only leads that have come to be late within the last two days: whoever
 *	  begins with this, or has thrown old notifications away, is not told of
 *	  years of leads at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/json.h"
#include "core/uuid.h"
#include "notifications/notifications.h"
#include "advertising/internal.h"

/* Tell of leads that have become late, and that nobody was told of before. */
void
ls_ad_alert_untouched(const LsAdDay *day)
{
	LS_QUERY(query,
		"SELECT l.id, u.id FROM (SELECT l.* FROM lead_system.leads l WHERE l.organization_id = $1"
		"      AND " LS_AD_UNTOUCHED_SQL " AND l.created_at < $2 - make_interval(hours => $3)"
		"      AND l.created_at >= $2 - make_interval(days => 2, hours => $3)"
		"      AND NOT EXISTS (SELECT FROM lead_system.notifications n WHERE n.organization_id = $1"
		"             AND n.lead_id = l.id AND n.template_name = '" LS_TEMPLATE_UNTOUCHED_LEAD "')"
		"    ORDER BY l.created_at, l.id LIMIT $4) l"
		"  JOIN lead_system.users u ON u.organization_id = $1 AND u.is_active"
		"   AND (u.id = l.assigned_to OR (u.role IN ('manager', 'admin')"
		"        AND NOT EXISTS (SELECT FROM lead_system.users a WHERE a.organization_id = $1"
		"              AND a.id = l.assigned_to AND a.is_active)))"
		" ORDER BY l.created_at, l.id, u.id",
		UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID);
	int hours = ls_config_int(&day->org, "ads.untouched_hours");
	LsUserNotice *notices;
	LsScope scope;
	LsArgs args = {0};
	int n;
	int i;

	ls_arg_uuid(&args, &day->org);
	ls_arg_timestamptz(&args, day->now);
	ls_arg_int32(&args, hours);
	ls_arg_int32(&args, ls_config_int(&day->org, "ads.untouched_alerts"));
	ls_scope_open(&scope, LS_AS_OWNER);
	n = (int) ls_query_run(&query, &args, LS_WRITE);
	notices = palloc0(sizeof(LsUserNotice) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		notices[i].lead = ls_result_uuid(i, 1);
		notices[i].user = ls_result_uuid(i, 2);
		notices[i].payload = ls_json_pair_text("hours", psprintf("%d", hours));
		notices[i].dedupe_key = psprintf("%s/%s/%s", LS_TEMPLATE_UNTOUCHED_LEAD,
			ls_uuid_text(&notices[i].lead), ls_uuid_text(&notices[i].user));
	}
	ls_notify_users(&day->org, LS_TEMPLATE_UNTOUCHED_LEAD, notices, n);
	ls_scope_close(&scope);
}
