/*-------------------------------------------------------------------------
 *
 * core.c
 *	  Init of what every domain stands on, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/core.h"
#include "core/extension.h"
#include "core/grants.h"
#include "core/tenant.h"

/* The pure helpers, executable by everybody, are not listed. */
static const LsGrant core_grants[] = {
	{"system_config", "SELECT", LS_LEVEL_READONLY, false},
	{"system_config", "INSERT, UPDATE, DELETE", LS_LEVEL_ADMIN, false},
	{"access_grants", "SELECT", LS_LEVEL_ADMIN, true},
	{"require_org_id()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"get_config(text)", "EXECUTE", LS_LEVEL_READONLY, false},
	{"config_keys()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"set_config(text, jsonb)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"access_levels()", "EXECUTE", LS_LEVEL_READONLY, false},
	{"health_check()", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"rls_selftest()", "EXECUTE", LS_LEVEL_ADMIN, true},
	{"grant_access(text, text)", "EXECUTE", LS_LEVEL_OWNER, false},
	{"revoke_access(text)", "EXECUTE", LS_LEVEL_OWNER, false},
	{"install()", "EXECUTE", LS_LEVEL_OWNER, false},
	{"install_storage()", "EXECUTE", LS_LEVEL_OWNER, false},
	{"storage_script()", "EXECUTE", LS_LEVEL_OWNER, false},
};

void
ls_core_init(void)
{
	ls_clock_init();
	ls_tenant_init();
	ls_cache_init();
	ls_config_init();
	ls_extension_init();
	ls_grants_register(core_grants, lengthof(core_grants));
}
