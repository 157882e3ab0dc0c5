/*-------------------------------------------------------------------------
 *
 * erasure.c
 *	  The numbers of erased leads stay suppressed.
 *
 *	  What is left of such a number is an HMAC under the organisation's secret.
 *	  A lead that comes in with a number is compared with those, by the row
 *	  trigger of leads, and stored blocked.  The look-up waits for erasures
 *	  that are under way, as that of the do-not-call list does; while the table
 *	  is empty, which it is in most databases, it costs next to nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/privacy.h"
#include "core/cache.h"
#include "core/dirty.h"
#include "core/extension.h"
#include "core/hash.h"
#include "core/index.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"

/* The secret that was used last; secrets are not changed, only go. */
static LsCache key_cache = {
	.name = "secret of erasures", .relations = {"organizations", "erasure_keys"}};
static pg_uuid_t key_org;
static uint8 key[LS_HASH_SIZE];

/* The lead that this session is erasing. */
static pg_uuid_t erased_lead;
static bool is_erasing = false;

/* Note the lead that is being erased; NULL: none. */
void
ls_lead_set_being_erased(const pg_uuid_t *lead)
{
	is_erasing = (lead != NULL);
	if (is_erasing)
		erased_lead = *lead;
}

/* Is a change of a lead its erasure?  Its block and its status stay as they are. */
bool
ls_lead_is_being_erased(const LsLeadChange *change)
{
	bool isnull;

	return is_erasing &&
		   ls_uuid_equal(&erased_lead, DatumGetUUIDP(ls_lead_get(change->row, LEAD_id, &isnull)));
}

/* Read an organisation's secret. */
static void
load_key(const pg_uuid_t *org)
{
	LS_QUERY(query, "SELECT key FROM lead_system.erasure_keys WHERE organization_id = $1", UUIDOID);
	LsArgs args = {0};
	LsScope scope;
	bool isnull;
	bytea *value;

	(void) ls_cache_renew(&key_cache);
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) == 0)
	{
		key_cache.valid = false;
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("the organization has no secret for erasures"),
						   errhint("Restore table %s.erasure_keys from a backup.", LS_SCHEMA)));
	}
	value = DatumGetByteaPP(ls_result(0, 1, &isnull));
	memcpy(key, VARDATA_ANY(value), LS_HASH_SIZE);
	key_org = *org;
	ls_scope_close(&scope);
}

/* What is kept of an erased number. */
void
ls_erasure_hash(const pg_uuid_t *org, const char *e164, uint8 *result)
{
	if (!ls_cache_valid(&key_cache) || !ls_uuid_equal(&key_org, org))
		load_key(org);
	ls_hmac(key, LS_HASH_SIZE, e164, strlen(e164), result);
}

/* A hash as a bytea. */
static bytea *
number_hash(const pg_uuid_t *org, const char *e164)
{
	bytea *result = palloc(VARHDRSZ + LS_HASH_SIZE);

	SET_VARSIZE(result, VARHDRSZ + LS_HASH_SIZE);
	ls_erasure_hash(org, e164, (uint8 *) VARDATA(result));
	return result;
}

/* Look through SQL, for a table that is distributed or has lost its index. */
static bool
erased_by_query(const pg_uuid_t *org, const char *e164)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.erasures WHERE organization_id = $1 AND phone_hash = $2",
		UUIDOID, BYTEAOID);
	LsArgs args = {0};
	LsScope scope;
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, PointerGetDatum(number_hash(org, e164)), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return found;
}

/* Look into the index, waiting for those who are about to write there. */
static bool
erased_by_index(Relation rel, Oid indexid, const pg_uuid_t *org, const char *e164)
{
	Relation index = index_open(indexid, AccessShareLock);
	ScanKeyData keys[2];
	bool found;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(org));
	ScanKeyInit(
		&keys[1], 2, BTEqualStrategyNumber, F_BYTEAEQ, PointerGetDatum(number_hash(org, e164)));
	found = ls_dirty_exists(rel, index, keys, 2, NULL, NULL);
	index_close(index, AccessShareLock);
	return found;
}

/* May there be erased leads at all? */
static bool
anything_is_erased(void)
{
	Oid relid = ls_relation_oid("erasures", false);
	Relation rel = table_open(relid, AccessShareLock);
	bool may_be = ls_relation_is_distributed(relid) || RelationGetNumberOfBlocks(rel) > 0;

	table_close(rel, AccessShareLock);
	return may_be;
}

/* Does a number belong to an erased lead? */
static bool
number_is_erased(const pg_uuid_t *org, const char *e164)
{
	Oid relid = ls_relation_oid("erasures", false);
	Relation rel = table_open(relid, AccessShareLock);
	bool distributed = ls_relation_is_distributed(relid);
	bool found = false;

	if (distributed)
		found = erased_by_query(org, e164);
	else if (RelationGetNumberOfBlocks(rel) > 0)
	{
		AttrNumber attnums[] = {
			ls_trigger_attnum(rel, "organization_id"), ls_trigger_attnum(rel, "phone_hash")};
		Oid indexid = ls_index_on(rel, attnums, lengthof(attnums), InvalidAttrNumber);

		found = OidIsValid(indexid) ? erased_by_index(rel, indexid, org, e164)
									: erased_by_query(org, e164);
	}
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Had a lead with this number been erased at an instant, and does none have it
 * now that an administrator has unblocked?  For contacts with a number alone.
 */
bool
ls_number_was_erased(const pg_uuid_t *org, const char *e164, TimestampTz at)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.erasures e"
		" WHERE e.organization_id = $1 AND e.phone_hash = $2 AND e.created_at <= $4"
		"   AND NOT EXISTS (SELECT FROM lead_system.leads l WHERE l.organization_id = $1"
		"                      AND l.phone_number = $3 AND l.deleted_at IS NULL AND NOT l.do_not_call)",
		UUIDOID, BYTEAOID, TEXTOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	LsScope scope;
	bool found;

	if (!anything_is_erased())
		return false;
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, PointerGetDatum(number_hash(org, e164)), false);
	ls_arg_text(&args, e164);
	ls_arg_timestamptz(&args, at);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run_latest(&query, &args) > 0;
	ls_scope_close(&scope);
	return found;
}

/* Does a block by the do-not-call list end of itself, without a consent that is documented? */
static bool
list_lets_go(const LsLeadChange *change)
{
	char *reason = ls_lead_text(change->old, LEAD_calling_blocked_reason);

	return ls_lead_cause()->force && ls_dnc_overriding() == NULL &&
		   ls_lead_bool(change->old, LEAD_do_not_call) && reason != NULL &&
		   strcmp(reason, LS_BLOCKED_BY_LIST) == 0;
}

/* Must the number of a lead that is not blocked be compared with erased ones? */
static bool
may_be_erased(const LsLeadChange *change)
{
	if (change->old == NULL || ls_lead_differs(change->old, change->row, LEAD_phone_number))
		return true;
	if (ls_lead_isnull(change->row, LEAD_deleted_at) &&
		!ls_lead_isnull(change->old, LEAD_deleted_at))
		return true;
	return list_lets_go(change);
}

/*
 * Step of the row trigger of leads: a lead that comes in with the number of an
 * erased one, gets it, or comes back with it, is stored and blocked.  So is one
 * that had been blocked by the list only, when its entry expires or is removed.
 * An administrator may unblock it when the person wants to be called after all.
 */
void
ls_erasure_step(LsLeadChange *change)
{
	char *e164 = ls_lead_text(change->row, LEAD_phone_number);

	if (e164 == NULL || ls_lead_bool(change->row, LEAD_do_not_call) || !may_be_erased(change) ||
		!number_is_erased(&change->org, e164))
		return;
	ls_lead_set(change->row, LEAD_do_not_call, BoolGetDatum(true), false);
	ls_lead_set_text(change->row, LEAD_calling_blocked_reason, LS_BLOCKED_BY_ERASURE);
	ls_dnc_status_follows(change, false, true);
}

PG_FUNCTION_INFO_V1(ls_compliance_make_keys);

/*
 * organizations_erasure_key(): AFTER INSERT statement trigger of organizations.
 * Each of the two uuids has 122 random bits from the server's strong source.
 */
Datum
ls_compliance_make_keys(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"INSERT INTO lead_system.erasure_keys (organization_id, key)"
		" SELECT n.id, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))"
		"   FROM new_rows n",
		NULL};
	TriggerData *trigdata = ls_trigger_check(fcinfo, "organizations_erasure_key",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_INSERT, "organizations");

	ls_transition_run(trigdata, statements, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}

void
ls_erasure_init(void)
{
	ls_cache_register(&key_cache);
	ls_leads_register_step(ls_erasure_step);
}
