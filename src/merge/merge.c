/*-------------------------------------------------------------------------
 *
 * merge.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/grants.h"
#include "merge/merge.h"

static const LsGrant merge_grants[] = {
	{"lead_merges", "SELECT", LS_LEVEL_READONLY, false},
	{"lead_merge_rows", "SELECT", LS_LEVEL_READONLY, false},
	{"leads_archive", "SELECT", LS_LEVEL_READONLY, false},
	{"find_duplicate_leads()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"merge_leads(uuid, uuid[])", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"unmerge_leads(uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"archive_leads(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"restore_lead(uuid)", "EXECUTE", LS_LEVEL_MANAGER, false},
	{"export_archive_csv(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"purge_archived_leads(integer, timestamp with time zone)", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"apply_retention(integer)", "EXECUTE", LS_LEVEL_ADMIN, true},
};

void
ls_merge_init(void)
{
	ls_move_exact_init();
	ls_leads_register_archive(&ls_merge_archive);
	ls_grants_register(merge_grants, lengthof(merge_grants));
}
