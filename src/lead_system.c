/*-------------------------------------------------------------------------
 *
 * lead_system.c
 *	  Entry point of the library: settings first, then one Init per domain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "advertising/advertising.h"
#include "analytics/analytics.h"
#include "assignment/assignment.h"
#include "automation/automation.h"
#include "billing/billing.h"
#include "communication/communication.h"
#include "compliance/compliance.h"
#include "core/core.h"
#include "directory/directory.h"
#include "leads/leads.h"
#include "maintenance/maintenance.h"
#include "marketplace/marketplace.h"
#include "nurture/nurture.h"
#include "merge/merge.h"
#include "notifications/notifications.h"
#include "outreach/outreach.h"
#include "scoring/scoring.h"
#include "segments/segments.h"

LS_MODULE_MAGIC("lead_system", LS_VERSION);

void _PG_init(void);

void
_PG_init(void)
{
	ls_core_init();
	ls_directory_init();
	ls_leads_init();
	ls_compliance_init();
	ls_scoring_init();
	ls_billing_init();
	ls_communication_init();
	ls_outreach_init();
	ls_marketplace_init();
	ls_segments_init();
	ls_nurture_init();
	ls_assignment_init();
	ls_notifications_init(); /* hears of a lead after it was assigned, so that its user is told */
	ls_merge_init();
	ls_automation_init();
	ls_advertising_init();
	ls_analytics_init();
	ls_maintenance_init();

	MarkGUCPrefixReserved("lead_system");
}
