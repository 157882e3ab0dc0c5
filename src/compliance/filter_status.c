/*-------------------------------------------------------------------------
 *
 * filter_status.c
 *	  What a DBA wants to know of the do-not-call filters.
 *
 *	  The rate of false positives is computed from the bits as they are: a key
 *	  that is not there passes a block with the product of the parts of its
 *	  words that are set.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "port/pg_bitutils.h"
#include "access/xlog.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "compliance/filter_shared.h"

#define N_COLUMNS 14

/* The part of the bits that are set, and of the keys that pass by mistake. */
static void
measure(LsFilterBlock *blocks, uint32 n, double *fill, double *false_positives)
{
	uint64 set = 0;
	double passing = 0;
	uint32 block;

	for (block = 0; block < n; block++)
	{
		double passes = 1;
		int i;

		for (i = 0; i < LS_FILTER_WORDS; i++)
		{
			int bits = pg_popcount64(pg_atomic_read_u64(&blocks[block].word[i]));

			set += bits;
			passes *= bits / 64.0;
		}
		passing += passes;
	}
	*fill = set / (n * (double) sizeof(LsFilterBlock) * BITS_PER_BYTE);
	*false_positives = passing / n;
}

/* Why is there no filter at all?  NULL if there may be one. */
static const char *
no_filters(void)
{
	if (ls_filter_shared == NULL)
		return "no memory: shared_preload_libraries does not have lead_system, or "
			   "lead_system.dnc_filter_size is 0";
	return RecoveryInProgress() ? "not on a standby" : NULL;
}

/* What is known of the filter of a list. */
static void
status_row(ReturnSetInfo *rsinfo, LsFilterList list)
{
	Datum values[N_COLUMNS] = {0};
	bool nulls[N_COLUMNS];
	LsFilterSlot copy = {0};
	LsFilterSlot *slot = NULL;
	const char *why_not = no_filters();
	double fill;
	double false_positives;

	memset(nulls, true, sizeof(nulls));
	if (why_not == NULL)
	{
		LWLockAcquire(ls_filter_shared->lock, LW_SHARED);
		slot = ls_filter_slot(list, false);
		if (slot != NULL)
			copy = *slot;
		LWLockRelease(ls_filter_shared->lock);
	}
#define COLUMN(n, value) (values[n] = (value), nulls[n] = false)
	COLUMN(0, CStringGetTextDatum(ls_filter_tables[list].relname));
	COLUMN(1, CStringGetTextDatum(why_not ? "off" : ls_filter_state_name(copy.state)));
	if (why_not != NULL || copy.reason[0] != '\0')
		COLUMN(2, CStringGetTextDatum(why_not ? why_not : copy.reason));
	if (slot != NULL)
	{
		COLUMN(9, Int64GetDatum(pg_atomic_read_u64(&copy.counters.lookups)));
		COLUMN(10, Int64GetDatum(pg_atomic_read_u64(&copy.counters.excluded)));
		COLUMN(11, Int64GetDatum(pg_atomic_read_u64(&copy.counters.wrong)));
	}
	if (copy.state == LS_FILTER_READY && copy.n_blocks > 0)
	{
		measure(ls_filter_blocks(&copy), copy.n_blocks, &fill, &false_positives);
		COLUMN(3, Int64GetDatum((int64) copy.n_blocks * sizeof(LsFilterBlock)));
		COLUMN(4, Int64GetDatum(pg_atomic_read_u64(&copy.keys)));
		COLUMN(5, Int64GetDatum((int64) copy.n_blocks * LS_FILTER_KEYS_FULL));
		COLUMN(6, Int64GetDatum(pg_atomic_read_u64(&copy.removed)));
		COLUMN(7, Float8GetDatum(fill));
		COLUMN(8, Float8GetDatum(false_positives));
		COLUMN(12, TimestampTzGetDatum(copy.built_at));
	}
	if (ls_filter_shared != NULL)
		COLUMN(13, Int64GetDatum((int64) ls_filter_shared->total_blocks * sizeof(LsFilterBlock)));
#undef COLUMN
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(ls_compliance_dnc_filter_status);

/* dnc_filter_status(): one row per list. */
Datum
ls_compliance_dnc_filter_status(PG_FUNCTION_ARGS)
{
	int i;

	ls_filter_flush_counters();
	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < LS_FILTER_LISTS; i++)
		status_row((ReturnSetInfo *) fcinfo->resultinfo, (LsFilterList) i);
	return (Datum) 0;
}
