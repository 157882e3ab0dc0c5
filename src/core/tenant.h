/*-------------------------------------------------------------------------
 *
 * tenant.h
 *	  Who is calling: organisation, user, and what they may see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_TENANT_H
#define LS_CORE_TENANT_H

#include "utils/relcache.h"

#include "core/query.h"

extern bool ls_current_org(pg_uuid_t *org);
extern bool ls_current_user(pg_uuid_t *user);
extern bool ls_current_contractor(pg_uuid_t *user);
extern bool ls_current_tenant(pg_uuid_t *tenant);
extern const char *ls_client_ip(void);
extern const char *ls_client_user_agent(void);

extern void ls_require_org(pg_uuid_t *org);
extern void ls_check_org(const pg_uuid_t *org);
extern void ls_enter_org_of(
	const char *relname, const char *kind, const pg_uuid_t *id, LsRunMode mode, pg_uuid_t *org);
extern bool ls_row_exists(const char *relname, const pg_uuid_t *org, const pg_uuid_t *id);
extern bool ls_caller_is_confined(Relation rel);
extern void ls_check_row_org(Relation rel, const pg_uuid_t *org);
extern void ls_org_set_leaving(const pg_uuid_t *org);
extern bool ls_org_is_leaving(const pg_uuid_t *org);
extern bool ls_caller_bypasses_rls(void);
extern bool ls_caller_is_admin(void);
pg_noreturn extern void ls_ambiguous_row(const char *kind, const pg_uuid_t *id);
pg_noreturn extern void ls_no_such_row(const char *kind, const pg_uuid_t *id);

extern void ls_tenant_init(void);

#endif /* LS_CORE_TENANT_H */
