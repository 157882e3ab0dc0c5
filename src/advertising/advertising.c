/*-------------------------------------------------------------------------
 *
 * advertising.c
 *	  Init of the domain, and who may use it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "advertising/advertising.h"
#include "core/grants.h"

static const LsGrant advertising_grants[] = {
	{"ad_campaigns", "SELECT", LS_LEVEL_READONLY, false},
	{"ad_campaigns", "INSERT, UPDATE, DELETE", LS_LEVEL_MANAGER, false},
};

void
ls_advertising_init(void)
{
	ls_grants_register(advertising_grants, lengthof(advertising_grants));
}
