/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Is a number on the do-not-call list?
 *
 *	  Everything that may lead to a call asks ls_dnc_listed(), and nothing else
 *	  reads the list for that purpose; whatever makes the answer faster belongs
 *	  in there.  It reads the unique index (organization_id, phone_number)
 *	  itself, below SQL, so its callers check the tenant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/filter.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/dirty.h"
#include "core/extension.h"
#include "core/index.h"
#include "core/phone.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "directory/directory.h"

/* The index of the list by organisation and number; remembered until it changes. */
static LsCache index_cache = {.name = "index of dnc_list", .relations = {"dnc_list"}};
static Oid index_id = InvalidOid;

/* Find the index; InvalidOid when the list has none that will do. */
static Oid
list_index(Relation rel)
{
	if (!ls_cache_valid(&index_cache))
	{
		AttrNumber attnums[] = {
			ls_trigger_attnum(rel, "organization_id"), ls_trigger_attnum(rel, "phone_number")};

		(void) ls_cache_renew(&index_cache);
		index_id = ls_index_on(rel, attnums, 2, InvalidAttrNumber);
	}
	return index_id;
}

/* Is the entry in a slot in force? */
static bool
entry_in_force(Relation rel, TupleTableSlot *slot)
{
	bool isnull;
	Datum expires_at = slot_getattr(slot, ls_trigger_attnum(rel, "expires_at"), &isnull);

	return isnull || DatumGetTimestampTz(expires_at) > ls_clock_now();
}

/* The same, the other way round, for ls_dirty_exists(). */
static bool
entry_has_expired(TupleTableSlot *slot, const void *rel)
{
	return !entry_in_force((Relation) rel, slot);
}

/* The entry of a number in the index. */
static void
entry_keys(Relation index, const pg_uuid_t *org, const char *e164, ScanKeyData keys[2])
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(org));
	ScanKeyEntryInitialize(&keys[1], 0, 2, BTEqualStrategyNumber, InvalidOid,
		index->rd_indcollation[1], F_TEXTEQ, CStringGetTextDatum(e164));
}

/* Does the index have an entry in force that a snapshot shows? */
static bool
visible_in_index(Relation rel, Relation index, ScanKeyData keys[2])
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	IndexScanDesc scan = ls_index_beginscan(rel, index, GetActiveSnapshot(), 2);
	bool listed = false;

	index_rescan(scan, keys, 2, NULL, 0);
	while (!listed && index_getnext_slot(scan, ForwardScanDirection, slot))
		listed = entry_in_force(rel, slot);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return listed;
}

/* Look into the index; waiting for those who are about to write there, or not. */
static bool
listed_by_index(Relation rel, Oid indexid, const pg_uuid_t *org, const char *e164, bool wait)
{
	Relation index = index_open(indexid, AccessShareLock);
	ScanKeyData keys[2];
	bool listed;

	entry_keys(index, org, e164, keys);
	if (wait)
		listed = ls_dirty_exists(rel, index, keys, 2, entry_has_expired, rel);
	else
		listed = visible_in_index(rel, index, keys);
	index_close(index, AccessShareLock);
	return listed;
}

/* Look through SQL, for a list that is distributed or has lost its index. */
static bool
listed_by_query(const pg_uuid_t *org, const char *e164)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.dnc_list WHERE organization_id = $1 AND phone_number = $2"
		"   AND (expires_at IS NULL OR expires_at > $3)",
		UUIDOID, TEXTOID, TIMESTAMPTZOID);
	LsScope scope;
	LsArgs args = {0};
	bool listed;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, e164);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	listed = ls_query_run(&query, &args, LS_READ) > 0;
	ls_scope_close(&scope);
	return listed;
}

/* The only reader of the list itself. */
static bool
is_listed(const pg_uuid_t *org, const char *e164, bool wait)
{
	Oid relid = ls_relation_oid("dnc_list", false);
	Relation rel = table_open(relid, AccessShareLock);
	Oid indexid = ls_relation_is_distributed(relid) ? InvalidOid : list_index(rel);
	bool listed = OidIsValid(indexid) ? listed_by_index(rel, indexid, org, e164, wait)
									  : listed_by_query(org, e164);

	table_close(rel, AccessShareLock);
	return listed;
}

/*
 * Is a number, in its stored form, on an organisation's list now?  The filter
 * answers for most numbers that are not.
 */
bool
ls_dnc_listed(const pg_uuid_t *org, const char *e164)
{
	LsFilterAnswer answer = ls_filter_ask(LS_FILTER_DNC, org, e164);
	bool listed;

	if (answer == LS_FILTER_NOT_LISTED)
		return false;
	listed = is_listed(org, e164, false);
	if (answer == LS_FILTER_MAYBE && !listed)
		ls_filter_was_wrong(LS_FILTER_DNC);
	return listed;
}

/*
 * The same, after all transactions have ended that are listing the number or
 * taking it off.  For those who write down what they were told.
 */
bool
ls_dnc_listed_soon(const pg_uuid_t *org, const char *e164)
{
	return is_listed(org, e164, true);
}

PG_FUNCTION_INFO_V1(ls_compliance_is_on_dnc_list);

/*
 * is_on_dnc_list(phone_number, org_id)
 *
 * A number that nobody has been assigned is looked up all the same, since it
 * may have been listed in its stored form; "false" is only said of a number
 * that can exist.
 */
Datum
ls_compliance_is_on_dnc_list(PG_FUNCTION_ARGS)
{
	char *raw = text_to_cstring(PG_GETARG_TEXT_PP(0));
	pg_uuid_t *org = PG_GETARG_UUID_P(1);
	LsPhoneJudgement judgement = LS_PHONE_VALID;
	char e164[LS_PHONE_SIZE];

	ls_check_org(org);
	if (ls_phone_is_nanp(raw))
		strlcpy(e164, raw, sizeof(e164));
	else
	{
		const LsOrganization *organization = ls_organization(org);

		judgement = ls_phone_judge(raw, organization ? organization->default_region : "US", e164);
		if (judgement == LS_PHONE_NOT_A_NUMBER && ls_phone_is_e164(raw))
		{
			strlcpy(e164, raw, sizeof(e164));
			judgement = LS_PHONE_IMPLAUSIBLE;
		}
	}
	if (judgement == LS_PHONE_NOT_A_NUMBER)
		PG_RETURN_NULL();
	if (ls_dnc_listed(org, e164))
		PG_RETURN_BOOL(true);
	if (judgement == LS_PHONE_IMPLAUSIBLE)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(false);
}

void
ls_lookup_init(void)
{
	ls_cache_register(&index_cache);
}
