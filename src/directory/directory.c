/*-------------------------------------------------------------------------
 *
 * directory.c
 *	  Init of the domain, and the cache of organisations.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/grants.h"
#include "core/query.h"
#include "directory/crypto.h"
#include "directory/directory.h"

/* What an administrator may change: not the id, the tenant or the status. */
#define ORGANIZATION_COLUMNS \
	"name, owner_name, default_pipeline, default_region, timezone, phone, address, city, state," \
	" zip_code, country, currency, service_types, service_area, years_in_business," \
	" license_number, onboarding_completed, onboarding_step"

static const LsGrant directory_grants[] = {
	{"organizations", "SELECT", LS_LEVEL_READONLY, false},
	{"organizations", "UPDATE (" ORGANIZATION_COLUMNS ")", LS_LEVEL_ADMIN, false},
	{"organizations", "UPDATE, DELETE", LS_LEVEL_MAINTENANCE, true},
	{"users", "SELECT", LS_LEVEL_READONLY, false},
	{"users", "INSERT, UPDATE", LS_LEVEL_ADMIN, false},
	{"categories", "SELECT", LS_LEVEL_READONLY, false},
	{"categories", "INSERT, UPDATE, DELETE", LS_LEVEL_MANAGER, false},
	{"user_credentials", "SELECT", LS_LEVEL_OWNER, false},
	{"integrations",
		"SELECT (organization_id, id, provider, external_id, expires_at, created_at, updated_at)",
		LS_LEVEL_ADMIN, false},
	{"set_password(uuid, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"verify_password(text, text)", "EXECUTE", LS_LEVEL_AGENT, false},
	{"set_integration_token(text, text, text, text, timestamptz)", "EXECUTE", LS_LEVEL_ADMIN,
		false},
	{"get_integration_token(text)", "EXECUTE", LS_LEVEL_ADMIN, false},
	{"create_organization(text, text, jsonb)", "EXECUTE", LS_LEVEL_ADMIN, true},
};

static LsCache organization_cache = {.name = "organizations", .relations = {"organizations"}};
static HTAB *organization_hash = NULL;

/* Load one organisation into the cache; NULL when it does not exist. */
static const LsOrganization *
organization_load(const pg_uuid_t *id)
{
	LS_QUERY(query,
		"SELECT default_region, default_pipeline, timezone FROM lead_system.organizations WHERE id = $1",
		UUIDOID);
	LsOrganization *organization = NULL;
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, id);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
	{
		MemoryContext context = organization_cache.context;

		organization = hash_search(organization_hash, id, HASH_ENTER, NULL);
		strlcpy(organization->default_region, ls_result_text(0, 1),
			sizeof(organization->default_region));
		organization->default_pipeline = MemoryContextStrdup(context, ls_result_text(0, 2));
		organization->timezone = MemoryContextStrdup(context, ls_result_text(0, 3));
	}
	ls_scope_close(&scope);
	return organization;
}

/*
 * Look up an organisation; NULL when it does not exist.  The answer stays
 * readable until the end of the transaction.
 */
const LsOrganization *
ls_organization(const pg_uuid_t *id)
{
	const LsOrganization *organization;

	if (!ls_cache_valid(&organization_cache))
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(LsOrganization);
		ctl.hcxt = ls_cache_renew(&organization_cache);
		organization_hash = hash_create(
			"lead_system organizations", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	organization = hash_search(organization_hash, id, HASH_FIND, NULL);
	return organization ? organization : organization_load(id);
}

void
ls_directory_init(void)
{
	ls_crypto_init();
	ls_cache_register(&organization_cache);
	ls_grants_register(directory_grants, lengthof(directory_grants));
}
