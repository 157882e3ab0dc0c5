/*-------------------------------------------------------------------------
 *
 * find.c
 *	  Finding leads by what identifies them: id, source_id, e-mail address or
 *	  phone number.
 *
 *	  The indexes are read below SQL.  All of them but the primary key begin
 *	  with organization_id, so a planner that has no statistics of a tenant yet
 *	  takes any of them for as good as any other, and a bulk load then reads all
 *	  leads of the tenant for each row.  Here it is known which index it is.
 *	  Callers check the tenant, and ask the database instead when leads cannot
 *	  be found here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "core/extension.h"
#include "core/query.h"
#include "leads/find.h"

#define MAX_KEYS 3

/* The columns that are given for a look-up, in the order of the index. */
typedef struct Identity
{
	LsLeadColumn key;
	int n;
	LsLeadColumn columns[MAX_KEYS];
} Identity;

static const Identity identities[] = {
	{LEAD_id, 2, {LEAD_id, LEAD_organization_id}},
	{LEAD_source_id, 3, {LEAD_organization_id, LEAD_source_id, LEAD_source}},
	{LEAD_email, 2, {LEAD_organization_id, LEAD_email}},
	{LEAD_phone_number, 2, {LEAD_organization_id, LEAD_phone_number}},
};

struct LsLeadFinder
{
	pg_uuid_t org;
	Relation rel;
	const LsLeadMap *map;
	TupleTableSlot *slot;
	Relation indexes[lengthof(identities)]; /* opened when first asked for */
};

/* The index of a key; InvalidOid when the table has none that will do. */
static Oid
index_of(const LsLeadMap *map, LsLeadColumn key)
{
	switch (key)
	{
		case LEAD_id:
			return map->id_index;
		case LEAD_source_id:
			return map->source_index;
		case LEAD_email:
			return map->email_index;
		default:
			return map->phone_index;
	}
}

/*
 * Can leads be looked up here?  Not when they are distributed, or have lost an
 * index; they are then to be asked for by a query.
 */
bool
ls_leads_can_be_found(void)
{
	Oid relid = ls_relation_oid("leads", false);
	Relation rel;
	bool answer = true;
	int i;

	if (ls_relation_is_distributed(relid))
		return false;
	rel = table_open(relid, AccessShareLock);
	for (i = 0; i < (int) lengthof(identities); i++)
		answer = answer && OidIsValid(index_of(ls_lead_map(rel), identities[i].key));
	table_close(rel, AccessShareLock);
	return answer;
}

/* Start looking; what has been written so far is seen. */
LsLeadFinder *
ls_lead_finder_open(const pg_uuid_t *org)
{
	LsLeadFinder *finder = palloc0(sizeof(LsLeadFinder));

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	finder->org = *org;
	finder->rel = table_open(ls_relation_oid("leads", false), AccessShareLock);
	finder->map = ls_lead_map(finder->rel);
	finder->slot = table_slot_create(finder->rel, NULL);
	return finder;
}

/* The place of a key among the identities. */
static int
identity_of(LsLeadColumn key)
{
	int i;

	for (i = 0; i < (int) lengthof(identities); i++)
	{
		if (identities[i].key == key)
			return i;
	}
	elog(ERROR, "leads are not found by column %d", (int) key);
}

/* Set up the scan keys. */
static void
scan_keys(const LsLeadFinder *finder, const Identity *identity, Relation index,
	const LsLeadInput *input, ScanKey keys)
{
	int i;

	for (i = 0; i < identity->n; i++)
	{
		LsLeadColumn column = identity->columns[i];
		bool is_uuid = ls_lead_columns[column].type == UUIDOID;
		bool is_org = column == LEAD_organization_id;
		int flags = is_org || input->set[column] ? 0 : SK_ISNULL | SK_SEARCHNULL;

		ScanKeyEntryInitialize(&keys[i], flags, i + 1,
			flags == 0 ? BTEqualStrategyNumber : InvalidStrategy, InvalidOid,
			flags == 0 ? index->rd_indcollation[i] : InvalidOid,
			flags != 0 ? InvalidOid
			: is_uuid  ? F_UUID_EQ
					   : F_TEXTEQ,
			is_org       ? UUIDPGetDatum(&finder->org)
			: flags == 0 ? input->values[column]
						 : (Datum) 0);
	}
}

/* A column of the row found that is never null. */
static Datum
found_value(LsLeadFinder *finder, LsLeadColumn column)
{
	bool isnull;

	return slot_getattr(finder->slot, finder->map->attnum[column], &isnull);
}

/*
 * Put the lead that has the key of the input, which is set there, into the
 * slot; the one that was created first, if there are several.
 */
static bool
look_up(LsLeadFinder *finder, LsLeadColumn key, const LsLeadInput *input, bool live_only)
{
	int i = identity_of(key);
	ScanKeyData keys[MAX_KEYS];
	IndexScanDesc scan;
	bool found = false;

	if (finder->indexes[i] == NULL)
		finder->indexes[i] = index_open(index_of(finder->map, key), AccessShareLock);
	scan_keys(finder, &identities[i], finder->indexes[i], input, keys);
	scan =
		ls_index_beginscan(finder->rel, finder->indexes[i], GetActiveSnapshot(), identities[i].n);
	index_rescan(scan, keys, identities[i].n, NULL, 0);
	while (!found && index_getnext_slot(scan, ForwardScanDirection, finder->slot))
		found = !live_only || slot_attisnull(finder->slot, finder->map->attnum[LEAD_deleted_at]);
	/* The slot keeps the row. */
	index_endscan(scan);
	return found;
}

/* Find the live lead that has the key of the input. */
bool
ls_lead_find(LsLeadFinder *finder, LsLeadColumn key, const LsLeadInput *input, LsFoundLead *found)
{
	if (!look_up(finder, key, input, true))
		return false;
	found->id = *DatumGetUUIDP(found_value(finder, LEAD_id));
	found->pipeline = *DatumGetUUIDP(found_value(finder, LEAD_pipeline_id));
	found->status = TextDatumGetCString(found_value(finder, LEAD_status));
	return true;
}

/* Does this transaction see what has the key of the input, live or deleted? */
bool
ls_lead_is_visible(LsLeadFinder *finder, LsLeadColumn key, const LsLeadInput *input)
{
	return look_up(finder, key, input, false);
}

/* End looking. */
void
ls_lead_finder_close(LsLeadFinder *finder)
{
	int i;

	ExecDropSingleTupleTableSlot(finder->slot);
	for (i = 0; i < (int) lengthof(identities); i++)
	{
		if (finder->indexes[i] != NULL)
			index_close(finder->indexes[i], AccessShareLock);
	}
	table_close(finder->rel, AccessShareLock);
	PopActiveSnapshot();
	pfree(finder);
}
