/*-------------------------------------------------------------------------
 *
 * config.c
 *	  Settings per organisation.
 *
 *	  Every setting, its type, its default and its limits are in config_keys
 *	  below and nowhere else; docs/configuration.md shows the same list by
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

static const char *const charge_on_choices[] = {"contact", "win", NULL};
static const char *const pricing_choices[] = {"first", "second", NULL};
static const char *const stale_registry_choices[] = {"off", "warn", "deny", NULL};
static const char *const rank_by_choices[] = {"final_amount", "gross_amount", NULL};

/* In alphabetical order; the position is the key's number in the cache. */
static const LsConfigKey config_keys[] = {
	{"compliance.consent_required", LS_CONFIG_ARRAY, "[]", 0, 0, ls_config_check_channels,
		"channels that need a recorded consent: call, sms, email"},
	{"compliance.cross_channel_revocation", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"a consent that is revoked for one channel is revoked for all (D12)"},
	{"compliance.ebr_inquiry_months", LS_CONFIG_INT, "3", 0, 3, NULL,
		"months after an inquiry in which the national registry does not bind; 0 for none (D16)"},
	{"compliance.ebr_transaction_months", LS_CONFIG_INT, "18", 0, 18, NULL,
		"months after a transaction in which the national registry does not bind; 0 for none (D16)"},
	{"compliance.max_attempts_per_day", LS_CONFIG_INT, "3", 0, 100, NULL,
		"calls to a number within 24 hours, over all campaigns; 0 for no limit (D15)"},
	{"compliance.min_gap_minutes", LS_CONFIG_INT, "60", 0, 10080, NULL,
		"minutes between two calls to a number; 0 for none (D15)"},
	{"compliance.national_dnc", LS_CONFIG_CHOICE, "\"warn\"", 0, 0, NULL,
		"numbers of an area code whose load is missing or too old: off says nothing, warn tells, "
		"deny blocks; a listed number is blocked in any case (D16)",
		stale_registry_choices},
	{"compliance.national_dnc_max_age_days", LS_CONFIG_INT, "31", 1, 31, NULL,
		"age in days up to which a load of the national registry can be used (D16)"},
	{"compliance.sms_max_attempts_per_day", LS_CONFIG_INT, "3", 0, 100, NULL,
		"text messages to a number within 24 hours, over all campaigns; 0 for no limit"},
	{"compliance.sms_min_gap_minutes", LS_CONFIG_INT, "0", 0, 10080, NULL,
		"minutes between two text messages to a number; 0 for none"},
	{"import.batch_size", LS_CONFIG_INT, "1000", 1, 100000, NULL,
		"rows that an import matches and writes at a time"},
	{"import.max_errors", LS_CONFIG_INT, "1000", 0, 1000000, NULL,
		"rejected rows that an import records in full; further ones are only counted"},
	{"lead_scoring_weights", LS_CONFIG_OBJECT,
		"{\"qualification\": 0.40, \"engagement\": 0.30, \"intent\": 0.20, \"demographic\": 0.10}",
		0, 0, ls_config_check_weights, "weights of the banti components; they add up to 1 (B6)"},
	{"leads.duplicate_email_hours", LS_CONFIG_INT, "24", 0, 8760, NULL,
		"hours within which an e-mail address may not come in twice; 0 allows it (A13)"},
	{"leads.flag_spam", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"mark leads that look like spam when they come in (A10)"},
	{"marketplace.anti_snipe", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"a bid in the last minutes extends the bidding (C17)"},
	{"marketplace.anti_snipe_minutes", LS_CONFIG_INT, "2", 1, 1440, NULL,
		"how long the last minutes are, and by how much a bid in them extends the bidding (C17)"},
	{"marketplace.appeal_retry_days", LS_CONFIG_INT, "7", 0, 3650, NULL,
		"days after a rejected appeal until the next one may be made (C13)"},
	{"marketplace.appeal_review_hours", LS_CONFIG_INT, "48", 1, 8760, NULL,
		"hours within which an appeal should be reviewed (C13)"},
	{"marketplace.archive_after_days", LS_CONFIG_INT, "30", 1, 36500, NULL,
		"age at which archive_listings() archives a lead that was offered (C7)"},
	{"marketplace.auto_open", LS_CONFIG_BOOL, "true", 0, 0, NULL,
		"bidding on a listed lead opens by itself once the lead is qualified (C5)"},
	{"marketplace.ban_days", LS_CONFIG_INT, "30", 1, 36500, NULL,
		"days that a ban from bidding lasts (C11)"},
	{"marketplace.bidding_minutes", LS_CONFIG_INT, "30", 1, 525600, NULL,
		"minutes that bidding on a lead lasts (C5)"},
	{"marketplace.charge_on", LS_CONFIG_CHOICE, "\"contact\"", 0, 0, NULL,
		"what a contractor pays for: the first contact, or being given a window (C3)",
		charge_on_choices},
	{"marketplace.pricing", LS_CONFIG_CHOICE, "\"first\"", 0, 0, NULL,
		"what a contractor pays: the own bid, or the one below it (C3)", pricing_choices},
	{"marketplace.rank_by", LS_CONFIG_CHOICE, "\"final_amount\"", 0, 0, NULL,
		"amount that bids are ranked by: after, or before the rating discount (C2)",
		rank_by_choices},
	{"marketplace.response_minutes", LS_CONFIG_INT, "120", 1, 525600, NULL,
		"minutes that a contractor has to contact the lead (C6)"},
	{"marketplace.strike_decay_days", LS_CONFIG_INT, "0", 0, 36500, NULL,
		"days after which a strike no longer counts; 0 for never (C12)"},
	{"marketplace.strikes_until_ban", LS_CONFIG_INT, "10", 1, 10000, NULL,
		"strikes that lead to a ban (C11)"},
	{"scoring.decay", LS_CONFIG_BOOL, "true", 0, 0, NULL, "inactivity lowers the score (A8, B8)"},
	{"scoring.high_opportunity_locations", LS_CONFIG_ARRAY, "[]", 0, 0, NULL,
		"states whose leads get the location points of banti (B5)"},
	{"scoring.infer_company_size", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"a company named Inc, Corp or LLC of unknown size counts as 11-50 (A9a)"},
	{"scoring.infer_inquiry_type", LS_CONFIG_BOOL, "false", 0, 0, NULL,
		"a Content Download that asks for a demo or prices counts as Pricing Information (A9b)"},
};

/* Overrides of one organisation: one slot per key, NULL for the default. */
typedef struct ConfigEntry
{
	pg_uuid_t org; /* hash key */
	Jsonb *values[lengthof(config_keys)];
} ConfigEntry;

static LsCache config_cache = {.name = "config", .relations = {"system_config"}};
static HTAB *config_hash = NULL;
static Jsonb *config_defaults[lengthof(config_keys)];

/* The number of a key, or -1. */
static int
config_find(const char *key)
{
	int i;

	for (i = 0; i < (int) lengthof(config_keys); i++)
	{
		if (strcmp(config_keys[i].key, key) == 0)
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
	for (i = 0; i < (int) lengthof(config_keys); i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", config_keys[i].key);
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
	const LsConfigKey *key = &config_keys[number];
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

	memset(&loaded, 0, sizeof(loaded));
	loaded.org = *org;
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
	if (config_defaults[number] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		config_defaults[number] = ls_json_parse(config_keys[number].default_value);
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
	const LsConfigKey *known = &config_keys[config_find_or_error(key)];
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
	for (i = 0; i < (int) lengthof(config_keys); i++)
	{
		Datum values[3] = {CStringGetTextDatum(config_keys[i].key),
			JsonbPGetDatum(config_default(i)), CStringGetTextDatum(config_keys[i].description)};
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
