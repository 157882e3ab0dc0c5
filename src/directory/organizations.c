/*-------------------------------------------------------------------------
 *
 * organizations.c
 *	  create_organization().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "core/input.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "directory/directory.h"

/* Columns that settings may carry. */
static const char *const setting_columns[] = {"owner_name", "tenant_id", "default_region",
	"timezone", "phone", "address", "city", "state", "zip_code", "country", "currency",
	"service_types", "service_area", "years_in_business", "license_number", "status",
	"onboarding_completed", "onboarding_step"};

/* Is a key one of the columns above?  Raises an error when it is not. */
static void
check_setting(const char *key)
{
	StringInfoData known;
	int i;

	for (i = 0; i < (int) lengthof(setting_columns); i++)
	{
		if (strcmp(setting_columns[i], key) == 0)
			return;
	}
	initStringInfo(&known);
	for (i = 0; i < (int) lengthof(setting_columns); i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", setting_columns[i]);
	ls_json_unknown_key("settings", key, known.data);
}

/*
 * The tenant of the new organisation: the session's, if it is bound to one.
 * Naming another is for those who see all organisations anyway; NULL for none.
 */
static pg_uuid_t *
tenant_of(Jsonb *settings)
{
	JsonbValue *value = ls_json_get(settings, "tenant_id");
	pg_uuid_t *current = palloc(sizeof(pg_uuid_t));
	pg_uuid_t *tenant;

	if (!ls_current_tenant(current))
		current = NULL;
	if (value == NULL || value->type == jbvNull)
		return current;
	tenant =
		DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(ls_json_scalar_text(value))));
	if (!ls_caller_bypasses_rls() && (current == NULL || !ls_uuid_equal(current, tenant)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("permission denied for tenant \"%s\"", ls_uuid_text(tenant)),
						   errhint("app.current_tenant_id must be set to it.")));
	return tenant;
}

PG_FUNCTION_INFO_V1(ls_directory_create_organization);

/*
 * create_organization(name, pipeline, settings): the settings are columns by
 * name.  Runs as the owner, since a new organisation is nobody's yet.
 */
Datum
ls_directory_create_organization(PG_FUNCTION_ARGS)
{
	Jsonb *settings = PG_ARGISNULL(2) ? ls_json_parse("{}") : PG_GETARG_JSONB_P(2);
	Oid argtypes[5] = {UUIDOID, TEXTOID, TEXTOID, JSONBOID, UUIDOID};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	Datum args[5] = {
		UUIDPGetDatum(id), PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), JsonbPGetDatum(settings)};
	pg_uuid_t *tenant;
	StringInfoData columns;
	LsJsonMember *members;
	LsScope scope;
	int n;
	int i;
	int rc;

	LS_REQUIRE_ARG(0, "name");
	LS_REQUIRE_ARG(1, "pipeline");
	members = ls_json_members(settings, "settings", &n);
	initStringInfo(&columns);
	for (i = 0; i < n; i++)
	{
		check_setting(members[i].key);
		if (members[i].value.type != jbvNull && strcmp(members[i].key, "tenant_id") != 0)
			appendStringInfo(&columns, ", %s", quote_identifier(members[i].key));
	}
	tenant = tenant_of(settings);
	args[4] = UUIDPGetDatum(tenant);
	ls_uuid_v7(id);

	ls_scope_open(&scope, LS_AS_OWNER);
	rc = SPI_execute_with_args(
		psprintf("INSERT INTO lead_system.organizations (id, name, default_pipeline, tenant_id%s)"
				 " SELECT $1, $2, $3, $5%s"
				 "   FROM pg_catalog.jsonb_populate_record(NULL::lead_system.organizations, $4) s",
			columns.data, columns.data),
		5, argtypes, args, tenant ? NULL : "    n", false, 0);
	if (rc != SPI_OK_INSERT)
		elog(ERROR, "could not create the organization: %s", SPI_result_code_string(rc));
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}
