/*-------------------------------------------------------------------------
 *
 * email_rule.c
 *	  An e-mail address comes in once in 24 hours (semantics A13).
 *
 *	  No unique index can say "within a rolling day", so rows of transactions in
 *	  progress are looked at, too.  The BEFORE ROW check refuses nearly always;
 *	  two sessions that both passed it before either had inserted are caught by
 *	  the second look after the statement, since then each row is in the index
 *	  where the other session sees it.  Should both wait for each other, the
 *	  deadlock detector ends one of them (40P01, to be retried).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/dirty.h"
#include "core/query.h"
#include "core/uuid.h"
#include "leads/internal.h"
#include "leads/leads.h"

/* The row that the rule is asked about, as others of its address come by. */
typedef struct OwnRow
{
	const pg_uuid_t *id;
	AttrNumber id_attnum;
	AttrNumber deleted_attnum;
} OwnRow;

/* Is it the row itself, or one that an index of a user's has although it is deleted? */
static bool
is_not_meant(TupleTableSlot *slot, const void *arg)
{
	const OwnRow *own = arg;
	bool isnull;
	Datum id = slot_getattr(slot, own->id_attnum, &isnull);

	return (!isnull && ls_uuid_equal(DatumGetUUIDP(id), own->id)) ||
		   !slot_attisnull(slot, own->deleted_attnum);
}

/* Is there another live lead with the address, less than "hours" away? */
static bool
email_taken(Relation rel, const LsLeadRow *row, const pg_uuid_t *org, int hours)
{
	const int64 window = (int64) hours * USECS_PER_HOUR;
	OwnRow own = {.id_attnum = row->map->attnum[LEAD_id],
		.deleted_attnum = row->map->attnum[LEAD_deleted_at]};
	bool isnull;
	Datum email = ls_lead_get(row, LEAD_email, &isnull);
	TimestampTz created_at = DatumGetTimestampTz(ls_lead_get(row, LEAD_created_at, &isnull));
	ScanKeyData keys[4];
	Relation index;
	bool taken;

	if (!OidIsValid(row->map->email_index))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("table \"%s\" lacks the index on organization, e-mail and time",
							   RelationGetRelationName(rel)),
						   errhint("CALL %s.install() creates what is missing.", LS_SCHEMA)));
	own.id = DatumGetUUIDP(ls_lead_get(row, LEAD_id, &isnull));
	index = index_open(row->map->email_index, AccessShareLock);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(org));
	ScanKeyEntryInitialize(&keys[1], 0, 2, BTEqualStrategyNumber, InvalidOid,
		index->rd_indcollation[1], F_TEXTEQ, email);
	ScanKeyInit(&keys[2], 3, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT,
		TimestampTzGetDatum(created_at - window));
	ScanKeyInit(&keys[3], 3, BTLessStrategyNumber, F_TIMESTAMPTZ_LT,
		TimestampTzGetDatum(created_at + window));
	taken = ls_dirty_exists(rel, index, keys, 4, is_not_meant, &own);
	index_close(index, AccessShareLock);
	return taken;
}

/* Does the rule have to look at this version of a row? */
static bool
rule_applies(const LsLeadRow *old, const LsLeadRow *new)
{
	if (ls_lead_isnull(new, LEAD_email) || !ls_lead_isnull(new, LEAD_deleted_at))
		return false;
	return old == NULL || ls_lead_differs(old, new, LEAD_email) ||
		   ls_lead_differs(old, new, LEAD_created_at) || ls_lead_differs(old, new, LEAD_deleted_at);
}

/*
 * Will the unique index refuse the new row because of its phone number?  Then
 * it is the one to say so, for the sake of INSERT ... ON CONFLICT, which cannot
 * be told about this rule.
 */
static bool
phone_taken(const LsLeadRow *row, const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.leads"
		" WHERE organization_id = $1 AND phone_number = $2 AND deleted_at IS NULL",
		UUIDOID, TEXTOID);
	char *phone_number = ls_lead_text(row, LEAD_phone_number);
	LsScope scope;
	LsArgs args = {0};
	bool taken;

	if (phone_number == NULL)
		return false;
	ls_arg_uuid(&args, org);
	ls_arg_text(&args, phone_number);
	ls_scope_open(&scope, LS_AS_OWNER);
	taken = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return taken;
}

/* Refuse a row whose address is taken. */
static void
check_email(Relation rel, const LsLeadRow *row, const pg_uuid_t *org, bool about_to_insert)
{
	int hours = ls_config_int(org, "leads.duplicate_email_hours");

	if (hours > 0 && email_taken(rel, row, org, hours) &&
		!(about_to_insert && phone_taken(row, org)))
		ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
				errmsg("a lead with e-mail address \"%s\" exists", ls_lead_text(row, LEAD_email)),
				errdetail("An address may come in once in %d hours.", hours),
				errhint("upsert_lead() can merge the new lead into the one that exists."),
				errtablecol(rel, row->map->attnum[LEAD_email])));
}

/* Step of the row trigger. */
void
ls_lead_step_email_unique(LsLeadChange *change)
{
	if (rule_applies(change->old, change->row))
		check_email(change->rel, change->row, &change->org, change->old == NULL);
}

/* The second look, per row, after the statement. */
static void
email_listener_row(
	LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	bool isnull;

	if (new != NULL && rule_applies(old, new))
		check_email(statement->rel, new,
			DatumGetUUIDP(ls_lead_get(new, LEAD_organization_id, &isnull)), false);
}

const LsLeadListener ls_lead_email_listener = {email_listener_row, NULL};
