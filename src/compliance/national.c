/*-------------------------------------------------------------------------
 *
 * national.c
 *	  The national do-not-call registry: whom it keeps from being called.
 *
 *	  The registry is the same for all organisations; how old a load may be, and
 *	  who is exempt, is each organisation's own (semantics D16).  A listed number
 *	  is listed however old the load, since numbers seldom leave; what an old
 *	  load cannot tell is that a number is *not* listed.
 *
 *	  Exempt is whoever consented to be contacted on the channel, and whoever
 *	  has an established business relationship: a transaction or an inquiry not
 *	  long ago.  A revocation ends both: the consent, and the relationship.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/consents.h"
#include "compliance/national.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/extension.h"
#include "core/index.h"
#include "core/input.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

/* The index of the registry by number; remembered until it changes. */
static LsCache index_cache = {
	.name = "index of national_dnc_registry", .relations = {"national_dnc_registry"}};
static Oid index_id = InvalidOid;

/* Find the index; InvalidOid when the registry has none that will do. */
static Oid
registry_index(Relation rel)
{
	if (!ls_cache_valid(&index_cache))
	{
		AttrNumber attnum = ls_trigger_attnum(rel, "phone_number");

		(void) ls_cache_renew(&index_cache);
		index_id = ls_index_on(rel, &attnum, 1, InvalidAttrNumber);
	}
	return index_id;
}

/* Look into the index. */
static bool
listed_by_index(Relation rel, Oid indexid, const char *e164)
{
	Relation index = index_open(indexid, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	IndexScanDesc scan = ls_index_beginscan(rel, index, GetActiveSnapshot(), 1);
	ScanKeyData key;
	bool listed;

	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[0],
		F_TEXTEQ, CStringGetTextDatum(e164));
	index_rescan(scan, &key, 1, NULL, 0);
	listed = index_getnext_slot(scan, ForwardScanDirection, slot);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	return listed;
}

/* Look through SQL, for a registry that is distributed or has lost its index. */
static bool
listed_by_query(const char *e164)
{
	LS_QUERY(
		query, "SELECT 1 FROM lead_system.national_dnc_registry WHERE phone_number = $1", TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool listed;

	ls_arg_text(&args, e164);
	ls_scope_open(&scope, LS_AS_OWNER);
	listed = ls_query_run(&query, &args, LS_READ) > 0;
	ls_scope_close(&scope);
	return listed;
}

/* Is a number, in its stored form, in the registry? */
bool
ls_national_listed(const char *e164)
{
	Oid relid;
	Relation rel;
	Oid indexid;
	bool listed;

	if (!ls_phone_is_nanp(e164))
		return false;
	relid = ls_relation_oid("national_dnc_registry", false);
	rel = table_open(relid, AccessShareLock);
	indexid = ls_relation_is_distributed(relid) ? InvalidOid : registry_index(rel);
	listed = OidIsValid(indexid) ? listed_by_index(rel, indexid, e164) : listed_by_query(e164);
	table_close(rel, AccessShareLock);
	return listed;
}

/* The day of an instant, in UTC. */
static DateADT
day_of(TimestampTz at)
{
	return (DateADT) (at >= 0 ? at / USECS_PER_DAY : -((-at + USECS_PER_DAY - 1) / USECS_PER_DAY));
}

/* When was the area code of a number last loaded?  False for never. */
static bool
last_load(const char *e164, DateADT *loaded_on)
{
	LS_QUERY(query, "SELECT " LS_NATIONAL_LOADED_SQL("$1"), TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool isnull;
	Datum value;

	ls_arg_text(&args, e164);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_READ);
	value = ls_result(0, 1, &isnull);
	ls_scope_close(&scope);
	*loaded_on = isnull ? 0 : DatumGetDateADT(value);
	return !isnull;
}

/*
 * What the registry, as it is now, will say of a number at an instant;
 * *loaded_on is set where there is a load.  Numbers of other countries are none
 * of its business.
 */
LsNationalState
ls_national_state(const pg_uuid_t *org, const char *e164, TimestampTz at, DateADT *loaded_on)
{
	bool loaded;

	*loaded_on = 0;
	if (!ls_phone_is_nanp(e164))
		return LS_NATIONAL_UNLISTED;
	loaded = last_load(e164, loaded_on);
	if (ls_national_listed(e164))
		return LS_NATIONAL_LISTED;
	if (!loaded)
		return LS_NATIONAL_MISSING;
	return day_of(at) - *loaded_on > ls_config_int(org, "compliance.national_dnc_max_age_days")
			   ? LS_NATIONAL_STALE
			   : LS_NATIONAL_UNLISTED;
}

/*
 * Why the registry does not bind for a number at an instant: consent,
 * transaction, inquiry, or NULL when it does.
 */
const char *
ls_national_exemption(const pg_uuid_t *org, const char *e164, const char *channel, TimestampTz at)
{
	LS_QUERY(query,
		"SELECT coalesce(bool_or(l.stage = 'won' AND l.status_changed_at > $3), false)"
		"       OR coalesce(bool_or(greatest(l.booked_at, l.completed_at) > $3), false)"
		"       OR coalesce(bool_or(EXISTS (SELECT FROM lead_system.conversions v"
		"            WHERE v.organization_id = $1 AND v.lead_id = l.id"
		"              AND v.conversion_type IN ('booked', 'paid') AND v.converted_at > $3)), false),"
		"       coalesce(bool_or(l.inquiry_type IS NOT NULL AND l.created_at > $4), false)"
		"       OR coalesce(bool_or(EXISTS (SELECT FROM lead_system.call_logs k"
		"            WHERE k.organization_id = $1 AND k.lead_id = l.id AND k.direction = 'inbound'"
		"              AND k.created_at > $4)), false)"
		"  FROM (SELECT o.* FROM lead_system.leads o"
		"         WHERE o.organization_id = $1 AND o.phone_number = $2 AND o.deleted_at IS NULL) l",
		UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LsConsent consent = ls_consent(org, channel, e164);
	const char *months[] = {"compliance.ebr_transaction_months", "compliance.ebr_inquiry_months"};
	LsScope scope;
	LsArgs args = {0};
	const char *exemption = NULL;
	int i;

	if (consent == LS_CONSENT_GRANTED)
		return "consent";
	if (consent == LS_CONSENT_REVOKED)
		return NULL;
	ls_arg_uuid(&args, org);
	ls_arg_text(&args, e164);
	for (i = 0; i < 2; i++)
	{
		Interval span = {.month = ls_config_int(org, months[i])};

		ls_arg_datum(&args,
			DirectFunctionCall2(
				timestamptz_mi_interval, TimestampTzGetDatum(at), IntervalPGetDatum(&span)),
			false);
	}
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_READ);
	if (ls_result_bool(0, 1))
		exemption = "transaction";
	else if (ls_result_bool(0, 2))
		exemption = "inquiry";
	ls_scope_close(&scope);
	return exemption;
}

/*
 * The rule by which the registry forbids to contact a number at an instant, or
 * NULL.  It is about calls and texts; e-mail is free.
 */
const char *
ls_national_rule(const pg_uuid_t *org, const char *e164, const char *channel, TimestampTz at)
{
	const char *rule = NULL;
	DateADT loaded_on;

	if (strcmp(channel, "email") == 0)
		return NULL;
	switch (ls_national_state(org, e164, at, &loaded_on))
	{
		case LS_NATIONAL_UNLISTED:
			return NULL;
		case LS_NATIONAL_LISTED:
			rule = "national_registry";
			break;
		case LS_NATIONAL_STALE:
		case LS_NATIONAL_MISSING:
			if (strcmp(ls_config_choice(org, "compliance.national_dnc"), "deny") != 0)
				return NULL;
			rule = "national_registry_stale";
	}
	return ls_national_exemption(org, e164, channel, at) == NULL ? rule : NULL;
}

/* Tell that the registry cannot be asked about a number, if the organisation wants to know. */
static void
warn_of_state(const pg_uuid_t *org, const char *e164, LsNationalState state)
{
	if ((state != LS_NATIONAL_STALE && state != LS_NATIONAL_MISSING) ||
		strcmp(ls_config_choice(org, "compliance.national_dnc"), "warn") != 0)
		return;
	ereport(WARNING,
		(errmsg(state == LS_NATIONAL_MISSING
					? "area code %.3s of the national do-not-call registry was not loaded"
					: "the load of area code %.3s of the national do-not-call registry is too old",
			e164 + 2)));
}

PG_FUNCTION_INFO_V1(ls_compliance_national_dnc_check);

/* national_dnc_check(phone_number, channel) */
Datum
ls_compliance_national_dnc_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum values[5] = {0};
	bool nulls[5] = {false};
	char e164[LS_PHONE_SIZE];
	const char *exemption;
	const char *rule;
	char *channel;
	LsNationalState state;
	DateADT loaded_on;
	TimestampTz now = ls_clock_now();
	pg_uuid_t org;

	LS_REQUIRE_ARG(1, "channel");
	ls_require_org(&org);
	ls_require_number(fcinfo, 0, &org, e164);
	channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ls_consent_check_channel(channel);
	state = ls_national_state(&org, e164, now, &loaded_on);
	exemption =
		strcmp(channel, "email") == 0 ? NULL : ls_national_exemption(&org, e164, channel, now);
	rule = ls_national_rule(&org, e164, channel, now);
	warn_of_state(&org, e164, state);
	InitMaterializedSRF(fcinfo, 0);
	values[0] = BoolGetDatum(state == LS_NATIONAL_LISTED);
	values[1] = DateADTGetDatum(loaded_on);
	nulls[1] = state == LS_NATIONAL_MISSING || loaded_on == 0;
	values[2] =
		BoolGetDatum(!nulls[1] && day_of(now) - loaded_on <=
									  ls_config_int(&org, "compliance.national_dnc_max_age_days"));
	values[3] = exemption ? CStringGetTextDatum(exemption) : (Datum) 0;
	nulls[3] = exemption == NULL;
	values[4] = rule ? CStringGetTextDatum(rule) : (Datum) 0;
	nulls[4] = rule == NULL;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(ls_compliance_national_dnc_status);

/* national_dnc_status(): the latest load of each area code. */
Datum
ls_compliance_national_dnc_status(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT d.area_code, d.loaded_on, d.rows, $1 - d.loaded_on, $1 - d.loaded_on <= $2"
		"  FROM (SELECT DISTINCT ON (l.area_code) l.area_code, l.loaded_on, l.rows"
		"          FROM lead_system.national_dnc_loads l"
		"         ORDER BY l.area_code, l.loaded_on DESC) d ORDER BY d.area_code",
		DATEOID, INT4OID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t org;
	bool bound = ls_current_org(&org);

	InitMaterializedSRF(fcinfo, 0);
	ls_arg_datum(&args, DateADTGetDatum(day_of(ls_clock_now())), false);
	ls_arg_int32(&args, ls_config_int(bound ? &org : NULL, "compliance.national_dnc_max_age_days"));
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}

void
ls_national_init(void)
{
	ls_cache_register(&index_cache);
}
