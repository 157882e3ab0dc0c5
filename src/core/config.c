/*-------------------------------------------------------------------------
 *
 * config.c
 *	  Settings per organisation.
 *
 *	  Every setting, its type, its default and its limits are in
 *	  config_keys.c and nowhere else; docs/configuration.md shows the same list by
 *	  asking config_keys().  system_config holds overrides only, and a trigger
 *	  refuses a row that this table does not allow, whatever way it is written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/config.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"

/* Overrides of one organisation: one slot per key, NULL for the default. */
typedef struct ConfigEntry
{
	pg_uuid_t org; /* hash key */
	Jsonb **values;
} ConfigEntry;

static LsCache config_cache = {.name = "config", .relations = {"system_config"}};
static HTAB *config_hash = NULL;
static Jsonb **config_defaults = NULL;

/* The number of a key, or -1. */
static int
config_find(const char *key)
{
	int i;

	for (i = 0; i < ls_n_config_keys; i++)
	{
		if (strcmp(ls_config_keys[i].key, key) == 0)
			return i;
	}
	return -1;
}

/* The number of a key, or an error that lists the known ones. */
static int
config_find_or_error(const char *key)
{
	int number = config_find(key);
	StringInfoData known;
	int i;

	if (number >= 0)
		return number;
	initStringInfo(&known);
	for (i = 0; i < ls_n_config_keys; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", ls_config_keys[i].key);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("unrecognized configuration key \"%s\"", key),
					   errhint("Known keys are: %s.", known.data)));
}

/* Is a value one of the choices of a key?  Lists them in *problem. */
static bool
config_choice_matches(const LsConfigKey *key, const JsonbValue *value, const char **problem)
{
	StringInfoData known;
	int i;

	initStringInfo(&known);
	for (i = 0; key->choices[i] != NULL; i++)
	{
		const char *choice = key->choices[i];

		if (value != NULL && value->type == jbvString &&
			(int) strlen(choice) == value->val.string.len &&
			strncmp(choice, value->val.string.val, value->val.string.len) == 0)
			return true;
		appendStringInfo(&known, "%s\"%s\"", i > 0 ? " or " : "", choice);
	}
	*problem = psprintf("The value must be %s.", known.data);
	return false;
}

/* Does a value have the type that a key wants?  Explains in *problem. */
static bool
config_type_matches(const LsConfigKey *key, Jsonb *value, const char **problem)
{
	JsonbValue scalar;
	bool is_scalar = JB_ROOT_IS_SCALAR(value) && JsonbExtractScalar(&value->root, &scalar);
	int number;

	switch (key->type)
	{
		case LS_CONFIG_BOOL:
			*problem = "The value must be true or false.";
			return is_scalar && scalar.type == jbvBool;
		case LS_CONFIG_INT:
			*problem =
				psprintf("The value must be a whole number from %d to %d.", key->min, key->max);
			return is_scalar && ls_json_int(&scalar, &number) && number >= key->min &&
				   number <= key->max;
		case LS_CONFIG_CHOICE:
			return config_choice_matches(key, is_scalar ? &scalar : NULL, problem);
		case LS_CONFIG_OBJECT:
			*problem = "The value must be a JSON object.";
			return JB_ROOT_IS_OBJECT(value);
		case LS_CONFIG_ARRAY:
			*problem = "The value must be a JSON array.";
			return JB_ROOT_IS_ARRAY(value) && !JB_ROOT_IS_SCALAR(value);
	}
	return false;
}

/* Refuse a value that a key cannot have. */
static void
config_check(int number, Jsonb *value)
{
	const LsConfigKey *key = &ls_config_keys[number];
	const char *problem = NULL;

	if (!config_type_matches(key, value, &problem) || (key->check && !key->check(value, &problem)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("invalid value for configuration key \"%s\"", key->key),
						   errdetail("%s", problem)));
}

/* Load the overrides of one organisation. */
static ConfigEntry *
config_load(const pg_uuid_t *org)
{
	LS_QUERY(query, "SELECT key, value FROM lead_system.system_config WHERE organization_id = $1",
		UUIDOID);
	ConfigEntry loaded;
	ConfigEntry *entry;
	LsScope scope;
	LsArgs args = {0};
	uint64 n;
	uint64 row;

	loaded.org = *org;
	loaded.values =
		MemoryContextAllocZero(config_cache.context, sizeof(Jsonb *) * ls_n_config_keys);
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run_latest(&query, &args);
	for (row = 0; row < n; row++)
	{
		int number = config_find(ls_result_text(row, 1));
		bool isnull;
		Datum value = ls_result(row, 2, &isnull);

		if (number >= 0 && !isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(config_cache.context);

			loaded.values[number] = DatumGetJsonbPCopy(value);
			MemoryContextSwitchTo(old);
		}
	}
	ls_scope_close(&scope);

	entry = hash_search(config_hash, org, HASH_ENTER, NULL);
	*entry = loaded;
	return entry;
}

/* The overrides of an organisation, from the cache. */
static ConfigEntry *
config_entry(const pg_uuid_t *org)
{
	ConfigEntry *entry;

	if (!ls_cache_valid(&config_cache))
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(ConfigEntry);
		ctl.hcxt = ls_cache_renew(&config_cache);
		config_hash =
			hash_create("lead_system config", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(config_hash, org, HASH_FIND, NULL);
	return entry ? entry : config_load(org);
}

/* The default of a key, parsed once per backend. */
static Jsonb *
config_default(int number)
{
	if (config_defaults == NULL)
		config_defaults =
			MemoryContextAllocZero(TopMemoryContext, sizeof(Jsonb *) * ls_n_config_keys);
	if (config_defaults[number] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		config_defaults[number] = ls_json_parse(ls_config_keys[number].default_value);
		MemoryContextSwitchTo(old);
	}
	return config_defaults[number];
}

/* The value of a setting for an organisation (NULL: the default). */
Jsonb *
ls_config_get(const pg_uuid_t *org, const char *key)
{
	int number = config_find_or_error(key);
	Jsonb *value = NULL;

	if (org != NULL)
		value = config_entry(org)->values[number];
	return value ? value : config_default(number);
}

bool
ls_config_bool(const pg_uuid_t *org, const char *key)
{
	JsonbValue scalar;

	(void) JsonbExtractScalar(&ls_config_get(org, key)->root, &scalar);
	Assert(scalar.type == jbvBool);
	return scalar.val.boolean;
}

int
ls_config_int(const pg_uuid_t *org, const char *key)
{
	JsonbValue scalar;
	int number = 0;

	(void) JsonbExtractScalar(&ls_config_get(org, key)->root, &scalar);
	if (!ls_json_int(&scalar, &number))
		elog(ERROR, "configuration key \"%s\" is not a number", key);
	return number;
}

/* One of the choices of a setting; a constant string. */
const char *
ls_config_choice(const pg_uuid_t *org, const char *key)
{
	const LsConfigKey *known = &ls_config_keys[config_find_or_error(key)];
	JsonbValue scalar;
	int i;

	(void) JsonbExtractScalar(&ls_config_get(org, key)->root, &scalar);
	for (i = 0; known->choices[i] != NULL; i++)
	{
		if (scalar.type == jbvString && (int) strlen(known->choices[i]) == scalar.val.string.len &&
			strncmp(known->choices[i], scalar.val.string.val, scalar.val.string.len) == 0)
			return known->choices[i];
	}
	elog(ERROR, "configuration key \"%s\" is not one of its choices", key);
}

PG_FUNCTION_INFO_V1(ls_core_get_config);

/*
 * get_config(key): the value in force for the session's organisation, or the
 * default when no organisation is set.
 */
Datum
ls_core_get_config(PG_FUNCTION_ARGS)
{
	char *key = text_to_cstring(PG_GETARG_TEXT_PP(0));
	pg_uuid_t org;
	bool bound = ls_current_org(&org);

	PG_RETURN_JSONB_P(ls_config_get(bound ? &org : NULL, key));
}

PG_FUNCTION_INFO_V1(ls_core_set_config);

/*
 * set_config(key, value): override a setting for the session's organisation;
 * NULL goes back to the default.
 */
Datum
ls_core_set_config(PG_FUNCTION_ARGS)
{
	LS_QUERY(upsert,
		"INSERT INTO lead_system.system_config (organization_id, key, value) VALUES ($1, $2, $3)"
		" ON CONFLICT (organization_id, key) DO UPDATE SET value = excluded.value",
		UUIDOID, TEXTOID, JSONBOID);
	LS_QUERY(reset, "DELETE FROM lead_system.system_config WHERE organization_id = $1 AND key = $2",
		UUIDOID, TEXTOID);
	pg_uuid_t org;
	char *key;
	LsScope scope;
	LsArgs args = {0};

	ls_require_org(&org);
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						   errmsg("configuration key must not be null")));
	key = text_to_cstring(PG_GETARG_TEXT_PP(0));
	(void) config_find_or_error(key);

	ls_arg_uuid(&args, &org);
	ls_arg_text(&args, key);
	ls_scope_open(&scope, LS_AS_CALLER);
	if (PG_ARGISNULL(1))
		ls_query_run(&reset, &args, LS_WRITE);
	else
	{
		ls_arg_datum(&args, PG_GETARG_DATUM(1), false);
		ls_query_run(&upsert, &args, LS_WRITE);
	}
	ls_scope_close(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_core_config_keys);

/* config_keys(): the settings that exist, with defaults and meaning. */
Datum
ls_core_config_keys(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < ls_n_config_keys; i++)
	{
		Datum values[3] = {CStringGetTextDatum(ls_config_keys[i].key),
			JsonbPGetDatum(config_default(i)), CStringGetTextDatum(ls_config_keys[i].description)};
		bool nulls[3] = {false, false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_core_config_check);

/* config_check(): BEFORE row trigger of system_config. */
Datum
ls_core_config_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "config_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "system_config");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	bool key_null;
	bool value_null;
	Datum key =
		SPI_getbinval(tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "key"), &key_null);
	Datum value =
		SPI_getbinval(tuple, desc, ls_trigger_attnum(trigdata->tg_relation, "value"), &value_null);

	/* NULLs are left to the columns' own constraints. */
	if (!key_null && !value_null)
		config_check(config_find_or_error(TextDatumGetCString(key)), DatumGetJsonbP(value));
	return PointerGetDatum(tuple);
}

void
ls_config_init(void)
{
	ls_cache_register(&config_cache);
}
