/*-------------------------------------------------------------------------
 *
 * fetch.c
 *	  Reading single leads below SQL.
 *
 *	  Opens table and index itself, which costs a third of a query.  The
 *	  tenant is checked here, since no policy is involved.  A distributed table
 *	  is an empty shell on this node and is read through SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lead_system.h"
#include "core/extension.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "leads/fetch.h"

/* Read the row through the index on id and organisation (NULL: any). */
static uint64
fetch_by_index(LsFetchedLead *lead, const pg_uuid_t *id, const pg_uuid_t *org)
{
	Relation index = index_open(lead->row.map->id_index, AccessShareLock);
	int n_keys = org ? 2 : 1;
	IndexScanDesc scan;
	ScanKeyData keys[2];
	uint64 found = 0;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	if (org != NULL)
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(org));
	scan = ls_index_beginscan(lead->rel, index, GetActiveSnapshot(), n_keys);
	index_rescan(scan, keys, n_keys, NULL, 0);
	lead->slot = table_slot_create(lead->rel, NULL);
	if (index_getnext_slot(scan, ForwardScanDirection, lead->slot))
	{
		TupleTableSlot *another = org ? NULL : table_slot_create(lead->rel, NULL);

		found = 1;
		ExecMaterializeSlot(lead->slot);
		if (another != NULL)
		{
			if (index_getnext_slot(scan, ForwardScanDirection, another))
				found = 2;
			ExecDropSingleTupleTableSlot(another);
		}
	}
	index_endscan(scan);
	index_close(index, AccessShareLock);
	return found;
}

/* Read the row through SQL. */
static uint64
fetch_by_query(LsFetchedLead *lead, const pg_uuid_t *id, const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT l FROM lead_system.leads l"
		" WHERE l.id = $1 AND ($2 IS NULL OR l.organization_id = $2)",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	uint64 found;

	ls_arg_uuid(&args, id);
	ls_arg_uuid(&args, org);
	lead->slot = MakeSingleTupleTableSlot(RelationGetDescr(lead->rel), &TTSOpsHeapTuple);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_READ);
	if (found > 0)
	{
		bool isnull;
		HeapTupleHeader header = DatumGetHeapTupleHeader(ls_result(0, 1, &isnull));
		HeapTupleData tuple = {0};

		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		ExecStoreHeapTuple(SPI_copytuple(&tuple), lead->slot, false);
	}
	ls_scope_close(&scope);
	return found;
}

/*
 * Fetch a lead that the caller may see; raises P0002 when there is none.  The
 * values live until the lead is released.
 */
void
ls_lead_fetch(const pg_uuid_t *id, LsFetchedLead *lead)
{
	Oid relid = ls_relation_oid("leads", false);
	pg_uuid_t current;
	bool bound = ls_current_org(&current);
	uint64 found;
	bool isnull;

	if (!bound && !ls_caller_bypasses_rls())
		ls_require_org(&current);
	lead->rel = table_open(relid, AccessShareLock);
	lead->row.map = ls_lead_map(lead->rel);
	if (ls_relation_is_distributed(relid) || !OidIsValid(lead->row.map->id_index))
		found = fetch_by_query(lead, id, bound ? &current : NULL);
	else
		found = fetch_by_index(lead, id, bound ? &current : NULL);
	if (found == 0)
		ls_no_such_row("lead", id);
	if (found > 1)
		ls_ambiguous_row("lead", id);
	slot_getallattrs(lead->slot);
	lead->row.desc = RelationGetDescr(lead->rel);
	lead->row.values = lead->slot->tts_values;
	lead->row.nulls = lead->slot->tts_isnull;
	lead->org = *DatumGetUUIDP(ls_lead_get(&lead->row, LEAD_organization_id, &isnull));
}

/* Let go of a fetched lead. */
void
ls_lead_release(LsFetchedLead *lead)
{
	ExecDropSingleTupleTableSlot(lead->slot);
	table_close(lead->rel, AccessShareLock);
}
