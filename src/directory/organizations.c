/*-------------------------------------------------------------------------
 *
 * organizations.c
 *	  create_organization().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/json.h"
#include "core/query.h"
#include "core/uuid.h"
#include "directory/directory.h"

/* Columns that settings may carry. */
static const char *const setting_columns[] = {"owner_name", "tenant_id", "default_region",
	"timezone", "phone", "address", "city", "state", "zip_code", "country", "service_types",
	"service_area", "years_in_business", "license_number", "status", "onboarding_completed",
	"onboarding_step"};

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

PG_FUNCTION_INFO_V1(ls_directory_create_organization);

/*
 * create_organization(name, pipeline, settings): the settings are columns by
 * name.  Runs as the owner, since a new organisation is nobody's yet.
 */
Datum
ls_directory_create_organization(PG_FUNCTION_ARGS)
{
	Jsonb *settings = PG_GETARG_JSONB_P(2);
	Oid argtypes[4] = {UUIDOID, TEXTOID, TEXTOID, JSONBOID};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	Datum args[4] = {
		UUIDPGetDatum(id), PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), JsonbPGetDatum(settings)};
	StringInfoData columns;
	LsJsonMember *members;
	LsScope scope;
	int n;
	int i;
	int rc;

	members = ls_json_members(settings, "settings", &n);
	initStringInfo(&columns);
	for (i = 0; i < n; i++)
	{
		check_setting(members[i].key);
		if (members[i].value.type != jbvNull)
			appendStringInfo(&columns, ", %s", quote_identifier(members[i].key));
	}
	ls_uuid_v7(id);

	ls_scope_open(&scope, LS_AS_OWNER);
	rc = SPI_execute_with_args(
		psprintf("INSERT INTO lead_system.organizations (id, name, default_pipeline%s)"
				 " SELECT $1, $2, $3%s"
				 "   FROM pg_catalog.jsonb_populate_record(NULL::lead_system.organizations, $4) s",
			columns.data, columns.data),
		4, argtypes, args, NULL, false, 0);
	if (rc != SPI_OK_INSERT)
		elog(ERROR, "could not create the organization: %s", SPI_result_code_string(rc));
	ls_scope_close(&scope);
	PG_RETURN_UUID_P(id);
}
