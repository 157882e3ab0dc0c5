/*-------------------------------------------------------------------------
 *
 * tenant.c
 *	  The tenant context: app.current_org_id and its companions.
 *
 *	  The settings are parsed once, when they are set.  When a user or a tenant
 *	  is set beside the organisation, current_org_id() also checks that they
 *	  belong together; the answer is remembered until a setting, a user or an
 *	  organisation changes.
 *
 *	  Policies read current_org_id().  C code that works below SQL, or as the
 *	  owner of the tables, makes the same check with the functions here: a row
 *	  of another organisation is reported exactly like one that does not exist.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>

#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"

/* One identifier setting: its text for the GUC machinery, and what it means. */
typedef struct TenantSetting
{
	char *text;
	bool isset;
	pg_uuid_t value;
} TenantSetting;

static TenantSetting org_setting;
static TenantSetting user_setting;
static TenantSetting tenant_setting;
static char *client_ip_text = NULL;
static char *client_user_agent_text = NULL;

/* Is the session's user a contractor?  Known while the membership is. */
static bool user_is_contractor = false;

/* Valid while the combination of settings is known to be consistent. */
static LsCache membership_cache = {.name = "membership", .relations = {"organizations", "users"}};

/* Check hook of the identifier settings: empty, or a uuid. */
static bool
tenant_check(char **newval, void **extra, GucSource source)
{
	pg_uuid_t parsed;
	pg_uuid_t *kept;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!ls_uuid_parse(*newval, &parsed))
	{
		GUC_check_errdetail("\"%s\" is not a uuid.", *newval);
		return false;
	}
	kept = guc_malloc(LOG, sizeof(pg_uuid_t));
	if (kept == NULL)
		return false;
	*kept = parsed;
	*extra = kept;
	return true;
}

/* Common part of the assign hooks. */
static void
tenant_assign(TenantSetting *setting, void *extra)
{
	setting->isset = (extra != NULL);
	if (extra != NULL)
		setting->value = *((pg_uuid_t *) extra);
	membership_cache.valid = false;
}

/* Assign hooks of the three settings. */
static void
org_assign(const char *newval, void *extra)
{
	tenant_assign(&org_setting, extra);
}

/* The same for app.current_user_id. */
static void
user_assign(const char *newval, void *extra)
{
	tenant_assign(&user_setting, extra);
}

/* The same for app.current_tenant_id. */
static void
tenant_id_assign(const char *newval, void *extra)
{
	tenant_assign(&tenant_setting, extra);
}

/* Check hook of app.client_ip: empty, or an address. */
static bool
client_ip_check(char **newval, void **extra, GucSource source)
{
	unsigned char addr[16 + 1]; /* with the length of a prefix */

	if (*newval == NULL || **newval == '\0')
		return true;
	/* Size -1 asks for an address of a host, as the type inet does. */
	if (pg_inet_net_pton(PGSQL_AF_INET, *newval, addr, -1) >= 0 ||
		pg_inet_net_pton(PGSQL_AF_INET6, *newval, addr, -1) >= 0)
		return true;
	GUC_check_errdetail("\"%s\" is not a network address.", *newval);
	return false;
}

/*
 * Do organisation, user and tenant belong together?  Raises 42501 if not: a
 * session that claims to be somebody it is not must not read as "no rows".
 */
static void
membership_check(void)
{
	LS_QUERY(query,
		"SELECT o.tenant_id, u.is_active, u.role"
		"  FROM lead_system.organizations o"
		"  LEFT JOIN lead_system.users u ON u.organization_id = o.id AND u.id = $2"
		" WHERE o.id = $1",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool is_member = false;
	bool in_tenant = false;

	ls_arg_uuid(&args, &org_setting.value);
	ls_arg_uuid(&args, user_setting.isset ? &user_setting.value : NULL);
	(void) ls_cache_renew(&membership_cache);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
	{
		bool isnull;
		Datum tenant = ls_result(0, 1, &isnull);

		in_tenant = !isnull && ls_uuid_equal(DatumGetUUIDP(tenant), &tenant_setting.value);
		is_member = !ls_result_isnull(0, 2) && ls_result_bool(0, 2);
		user_is_contractor = is_member && strcmp(ls_result_text(0, 3), "contractor") == 0;
	}
	ls_scope_close(&scope);

	if ((user_setting.isset && !is_member) || (tenant_setting.isset && !in_tenant))
	{
		membership_cache.valid = false;
		if (user_setting.isset && !is_member)
			ereport(
				ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("user \"%s\" is not an active member of organization \"%s\"",
							   ls_uuid_text(&user_setting.value), ls_uuid_text(&org_setting.value)),
						   errhint("Set app.current_user_id to a member, or to ''.")));
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("organization \"%s\" does not belong to tenant \"%s\"",
					ls_uuid_text(&org_setting.value), ls_uuid_text(&tenant_setting.value)),
				errhint("Set app.current_tenant_id to the organization's tenant, or to ''.")));
	}
}

/* The organisation of this session; false when none is set. */
bool
ls_current_org(pg_uuid_t *org)
{
	if (!org_setting.isset)
		return false;
	if ((user_setting.isset || tenant_setting.isset) && !ls_cache_valid(&membership_cache))
		membership_check();
	*org = org_setting.value;
	return true;
}

/* The user of this session; false when none is set. */
bool
ls_current_user(pg_uuid_t *user)
{
	if (!user_setting.isset)
		return false;
	*user = user_setting.value;
	return true;
}

/*
 * The user of this session, if that is one with the role contractor, who sees
 * and does less than the people of the organisation.
 */
bool
ls_current_contractor(pg_uuid_t *user)
{
	pg_uuid_t org;

	if (!user_setting.isset || !ls_current_org(&org) || !user_is_contractor)
		return false;
	*user = user_setting.value;
	return true;
}

/* The tenant that the session is bound to; false when unset. */
bool
ls_current_tenant(pg_uuid_t *tenant)
{
	if (tenant_setting.isset)
		*tenant = tenant_setting.value;
	return tenant_setting.isset;
}

/*
 * The end user's address for the audit trail, as the application told it; NULL
 * when it did not.  The histories then take the address of the database client.
 */
const char *
ls_client_ip(void)
{
	return (client_ip_text != NULL && *client_ip_text != '\0') ? client_ip_text : NULL;
}

/* The end user's program for the audit trail; NULL when not told. */
const char *
ls_client_user_agent(void)
{
	if (client_user_agent_text != NULL && *client_user_agent_text != '\0')
		return client_user_agent_text;
	return NULL;
}

/* The organisation of this session, or 42501. */
void
ls_require_org(pg_uuid_t *org)
{
	if (!ls_current_org(org))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("no organization is set for this session"),
						   errhint("SET app.current_org_id = '<uuid of the organization>'.")));
}

/* May the calling role see the rows of every tenant? */
bool
ls_caller_bypasses_rls(void)
{
	return has_bypassrls_privilege(GetUserId());
}

/*
 * May the caller act in an organisation that was named explicitly?  The answer
 * does not depend on whether the organisation exists.
 */
void
ls_check_org(const pg_uuid_t *org)
{
	pg_uuid_t current;
	bool allowed;

	if (ls_current_org(&current))
		allowed = ls_uuid_equal(&current, org);
	else
		allowed = ls_caller_bypasses_rls();
	if (!allowed)
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("permission denied for organization \"%s\"", ls_uuid_text(org)),
				errhint("app.current_org_id must be set to the organization that is worked on.")));
}

/*
 * Is the caller an administrator?  The database role must have been given the
 * level 'admin' (it may then execute set_config), and when the session names a
 * user, that user must have the role 'admin' in the organisation.
 */
bool
ls_caller_is_admin(void)
{
	LS_QUERY(query,
		"SELECT u.role FROM lead_system.users u WHERE u.id = $1 AND u.organization_id = $2",
		UUIDOID, UUIDOID);
	Oid argtypes[2] = {TEXTOID, JSONBOID};
	List *name = list_make2(makeString(LS_SCHEMA), makeString("set_config"));
	Oid funcid = LookupFuncName(name, 2, argtypes, false);
	pg_uuid_t org;
	LsScope scope;
	LsArgs args = {0};
	bool is_admin = true;

	if (object_aclcheck(ProcedureRelationId, funcid, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		return false;
	if (!user_setting.isset || !ls_current_org(&org))
		return true;

	ls_arg_uuid(&args, &user_setting.value);
	ls_arg_uuid(&args, &org);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_READ) > 0)
	{
		char *role = ls_result_text(0, 1);

		is_admin = (strcmp(role, "admin") == 0);
	}
	ls_scope_close(&scope);
	return is_admin;
}

PG_FUNCTION_INFO_V1(ls_core_current_org_id);

/* current_org_id(): the organisation of this session, NULL when unset. */
Datum
ls_core_current_org_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t *org = palloc(sizeof(pg_uuid_t));

	if (!ls_current_org(org))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(org);
}

PG_FUNCTION_INFO_V1(ls_core_require_org_id);

/* require_org_id(): the same, or an error when unset. */
Datum
ls_core_require_org_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t *org = palloc(sizeof(pg_uuid_t));

	ls_require_org(org);
	PG_RETURN_UUID_P(org);
}

PG_FUNCTION_INFO_V1(ls_core_current_user_id);

/* current_user_id(): the application's user of this session, NULL when unset. */
Datum
ls_core_current_user_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));

	if (!ls_current_user(user))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user);
}

PG_FUNCTION_INFO_V1(ls_core_current_contractor_id);

/* current_contractor_id(): the session's user if a contractor, else NULL. */
Datum
ls_core_current_contractor_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t *user = palloc(sizeof(pg_uuid_t));

	if (!ls_current_contractor(user))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user);
}

/* One identifier setting; all three look alike. */
static void
define_identifier(
	const char *name, const char *description, char **text, GucStringAssignHook assign)
{
	DefineCustomStringVariable(name, description, "A uuid, or '' for none.", text, "", PGC_USERSET,
		0, tenant_check, assign, NULL);
}

void
ls_tenant_init(void)
{
	ls_cache_register(&membership_cache);

	DefineCustomStringVariable("app.client_ip", "Sets the end user's address for the audit trail.",
		"Empty means the address of the database client.", &client_ip_text, "", PGC_USERSET, 0,
		client_ip_check, NULL, NULL);
	define_identifier("app.current_org_id", "Sets the organization whose rows this session sees.",
		&org_setting.text, org_assign);
	define_identifier("app.current_tenant_id",
		"Sets the tenant that the current organization must belong to.", &tenant_setting.text,
		tenant_id_assign);
	define_identifier("app.current_user_id", "Sets the user that this session acts for.",
		&user_setting.text, user_assign);
	DefineCustomStringVariable("app.user_agent", "Sets the end user's program for the audit trail.",
		NULL, &client_user_agent_text, "", PGC_USERSET, 0, NULL, NULL, NULL);
}
