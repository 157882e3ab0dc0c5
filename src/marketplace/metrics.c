/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  contractor_metrics: kept by the statements that write bids and
 *	  conversions, and recomputed from those on request.
 *
 *	  Each row of the two tables contributes a fixed amount to the numbers of
 *	  its contractor, so that an insert adds it, a delete takes it away, and an
 *	  update does both.  A statement's rows are summed in memory and written at
 *	  once, contractors in the order of their ids, after their rows of users,
 *	  whose response_rate mirrors the contact rate.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/growth.h"
#include "core/input.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* Whose numbers. */
typedef struct MetricsKey
{
	pg_uuid_t org;
	pg_uuid_t contractor;
} MetricsKey;

/* By how much they change. */
typedef struct MetricsDelta
{
	MetricsKey key; /* hash key */
	int64 bids;
	int64 won;
	int64 contacted;
	int64 seconds;
	Datum spent; /* numeric */
} MetricsDelta;

/* Where the columns stand in the table that was written; 0 for none. */
typedef struct MetricsColumns
{
	int org;
	int contractor;
	int starts_at;
	int responded_at;
	int amount;
} MetricsColumns;

/* The columns of bids or of conversions. */
static MetricsColumns
find_columns(Relation rel)
{
	MetricsColumns columns = {0};

	columns.org = ls_trigger_attnum(rel, "organization_id");
	columns.contractor = ls_trigger_attnum(rel, "contractor_id");
	if (SPI_fnumber(RelationGetDescr(rel), "amount") > 0)
		columns.amount = ls_trigger_attnum(rel, "amount");
	else
	{
		columns.starts_at = ls_trigger_attnum(rel, "response_window_starts_at");
		columns.responded_at = ls_trigger_attnum(rel, "responded_at");
	}
	return columns;
}

/* The entry of a contractor, with nothing in it at first. */
static MetricsDelta *
delta_of(HTAB *deltas, TupleTableSlot *slot, const MetricsColumns *columns)
{
	MetricsKey key;
	MetricsDelta *delta;
	bool found;

	memset(&key, 0, sizeof(key));
	key.org = *DatumGetUUIDP(slot->tts_values[columns->org - 1]);
	key.contractor = *DatumGetUUIDP(slot->tts_values[columns->contractor - 1]);
	delta = hash_search(deltas, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) delta + sizeof(MetricsKey), 0, sizeof(MetricsDelta) - sizeof(MetricsKey));
		delta->spent = NumericGetDatum(int64_to_numeric(0));
	}
	return delta;
}

/* Add what a row contributes, or take it away. */
static void
contribute(HTAB *deltas, TupleTableSlot *slot, const MetricsColumns *columns, int sign)
{
	MetricsDelta *delta = delta_of(deltas, slot, columns);
	Datum starts_at;
	Datum responded_at;

	if (columns->amount > 0)
	{
		if (!slot->tts_isnull[columns->amount - 1])
			delta->spent = DirectFunctionCall2(sign > 0 ? numeric_add : numeric_sub, delta->spent,
				slot->tts_values[columns->amount - 1]);
		return;
	}
	delta->bids += sign;
	if (slot->tts_isnull[columns->starts_at - 1])
		return;
	delta->won += sign;
	if (slot->tts_isnull[columns->responded_at - 1])
		return;
	starts_at = slot->tts_values[columns->starts_at - 1];
	responded_at = slot->tts_values[columns->responded_at - 1];
	delta->contacted += sign;
	delta->seconds += sign * ((DatumGetTimestampTz(responded_at) - DatumGetTimestampTz(starts_at)) /
								 USECS_PER_SEC);
}

/* Sort by organisation, then contractor, for qsort. */
static int
compare_deltas(const void *a, const void *b)
{
	return memcmp(
		&(*(MetricsDelta *const *) a)->key, &(*(MetricsDelta *const *) b)->key, sizeof(MetricsKey));
}

/* The entries with a change, sorted. */
static MetricsDelta **
changed_deltas(HTAB *deltas, int *n)
{
	MetricsDelta **entries = palloc(sizeof(MetricsDelta *) * Max(hash_get_num_entries(deltas), 1));
	Datum zero = NumericGetDatum(int64_to_numeric(0));
	HASH_SEQ_STATUS scan;
	MetricsDelta *delta;

	*n = 0;
	hash_seq_init(&scan, deltas);
	while ((delta = hash_seq_search(&scan)) != NULL)
	{
		if (delta->bids != 0 || delta->won != 0 || delta->contacted != 0 || delta->seconds != 0 ||
			DatumGetBool(DirectFunctionCall2(numeric_ne, delta->spent, zero)))
			entries[(*n)++] = delta;
	}
	qsort(entries, *n, sizeof(MetricsDelta *), compare_deltas);
	return entries;
}

/* One number of some entries as an array. */
static Datum
int8_array(MetricsDelta **entries, int n, size_t offset)
{
	Datum *elements = palloc(sizeof(Datum) * n);
	int i;

	for (i = 0; i < n; i++)
		elements[i] = Int64GetDatum(*(int64 *) ((char *) entries[i] + offset));
	return PointerGetDatum(
		construct_array(elements, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The parameters of the statements: organisation, contractors, numbers. */
static void
delta_args(LsArgs *args, MetricsDelta **entries, int n)
{
	pg_uuid_t *contractors = palloc(sizeof(pg_uuid_t) * n);
	Datum *spent = palloc(sizeof(Datum) * n);
	int i;

	for (i = 0; i < n; i++)
	{
		contractors[i] = entries[i]->key.contractor;
		spent[i] = entries[i]->spent;
	}
	ls_arg_uuid(args, &entries[0]->key.org);
	ls_arg_datum(args, ls_uuid_array(contractors, n), false);
	ls_arg_datum(args, int8_array(entries, n, offsetof(MetricsDelta, bids)), false);
	ls_arg_datum(args, int8_array(entries, n, offsetof(MetricsDelta, won)), false);
	ls_arg_datum(args, int8_array(entries, n, offsetof(MetricsDelta, contacted)), false);
	ls_arg_datum(args, int8_array(entries, n, offsetof(MetricsDelta, seconds)), false);
	ls_arg_datum(args,
		PointerGetDatum(construct_array(spent, n, NUMERICOID, -1, false, TYPALIGN_INT)), false);
}

#define SQL_DELTAS \
	"unnest($2, $3, $4, $5, $6, $7) d(contractor_id, bids, won, contacted, seconds, spent)"

/* Change the metrics; a contractor who has none yet gets them. */
static void
write_metrics(MetricsDelta **entries, int n)
{
	LS_QUERY(update,
		"UPDATE lead_system.contractor_metrics m SET total_bids_placed = m.total_bids_placed + d.bids,"
		"       total_leads_won = m.total_leads_won + d.won,"
		"       total_leads_contacted = m.total_leads_contacted + d.contacted,"
		"       total_contact_seconds = m.total_contact_seconds + d.seconds,"
		"       total_spent = m.total_spent + d.spent"
		"  FROM " SQL_DELTAS " WHERE m.organization_id = $1 AND m.contractor_id = d.contractor_id",
		UUIDOID, UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
		NUMERICARRAYOID);
	LS_QUERY(insert,
		"INSERT INTO lead_system.contractor_metrics (organization_id, contractor_id, total_bids_placed,"
		"       total_leads_won, total_leads_contacted, total_contact_seconds, total_spent)"
		" SELECT $1, d.contractor_id, d.bids, d.won, d.contacted, d.seconds, d.spent FROM " SQL_DELTAS
		"  WHERE NOT EXISTS (SELECT 1 FROM lead_system.contractor_metrics m"
		"          WHERE m.organization_id = $1 AND m.contractor_id = d.contractor_id)"
		" ON CONFLICT (organization_id, contractor_id) DO NOTHING",
		UUIDOID, UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
		NUMERICARRAYOID);
	LsArgs args = {0};
	uint64 written;

	/*
	 * The insert first would find its own rows in the update.  Since the
	 * contractors are locked, it conflicts with nothing but rows that the
	 * snapshot of a repeatable read transaction does not show: ON CONFLICT makes
	 * that a serialization failure, not a duplicate key.
	 */
	delta_args(&args, entries, n);
	written = ls_query_run(&update, &args, LS_WRITE);
	if (written < (uint64) n)
		written += ls_query_run(&insert, &args, LS_WRITE);
	if (written != (uint64) n)
		elog(ERROR, "metrics of contractors were neither changed nor added");
}

/* Hold the contractors, so that nobody else changes their metrics. */
static void
lock_users(const pg_uuid_t *org, Datum contractors)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.users WHERE organization_id = $1 AND id = ANY ($2)"
		" ORDER BY id FOR NO KEY UPDATE",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, contractors, false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Mirror the contact rate into the rows of users. */
static void
mirror_rate(const pg_uuid_t *org, Datum contractors)
{
	LS_QUERY(query,
		"UPDATE lead_system.users u SET response_rate = m.contact_rate"
		"  FROM lead_system.contractor_metrics m"
		" WHERE u.organization_id = $1 AND u.id = ANY ($2)"
		"   AND m.organization_id = $1 AND m.contractor_id = u.id AND u.response_rate <> m.contact_rate",
		UUIDOID, UUIDARRAYOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, contractors, false);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Write the changes of one organisation. */
static void
apply(MetricsDelta **entries, int n)
{
	pg_uuid_t *contractors = palloc(sizeof(pg_uuid_t) * n);
	bool rate_changed = false;
	LsScope scope;
	Datum ids;
	int i;

	for (i = 0; i < n; i++)
	{
		contractors[i] = entries[i]->key.contractor;
		rate_changed = rate_changed || entries[i]->won != 0 || entries[i]->contacted != 0;
	}
	ids = ls_uuid_array(contractors, n);
	ls_scope_open(&scope, LS_AS_OWNER);
	lock_users(&entries[0]->key.org, ids);
	write_metrics(entries, n);
	if (rate_changed)
		mirror_rate(&entries[0]->key.org, ids);
	ls_scope_close(&scope);
}

/* Sum up what the statement wrote. */
static HTAB *
sum_rows(TriggerData *trigdata)
{
	MetricsColumns columns = find_columns(trigdata->tg_relation);
	HASHCTL ctl = {0};
	LsTransition transition;
	HTAB *deltas;

	ctl.keysize = sizeof(MetricsKey);
	ctl.entrysize = sizeof(MetricsDelta);
	ctl.hcxt = CurrentMemoryContext;
	deltas = hash_create("lead_system metrics", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		if (transition.old != NULL)
			contribute(deltas, transition.old, &columns, -1);
		if (transition.new != NULL)
			contribute(deltas, transition.new, &columns, 1);
	}
	ls_transition_close(&transition);
	return deltas;
}

PG_FUNCTION_INFO_V1(ls_market_metrics_follow);

/* contractor_metrics_follow(): AFTER statement triggers of bids and conversions. */
Datum
ls_market_metrics_follow(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "contractor_metrics_follow", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, NULL);
	MetricsDelta **entries;
	int n;
	int start;
	int end;

	if (ls_org_is_leaving(NULL))
		return PointerGetDatum(NULL);
	entries = changed_deltas(sum_rows(trigdata), &n);
	for (start = 0; start < n; start = end)
	{
		for (end = start + 1;
			 end < n && ls_uuid_equal(&entries[start]->key.org, &entries[end]->key.org); end++)
			;
		apply(entries + start, end - start);
	}
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ls_plans_follow_growth(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}

/* Recompute a contractor's metrics; true when they were not right. */
static bool
refresh(const pg_uuid_t *org, const pg_uuid_t *contractor)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.contractor_metrics AS m (organization_id, contractor_id,"
		"       total_bids_placed, total_leads_won, total_leads_contacted, total_contact_seconds, total_spent)"
		" SELECT $1, $2, count(*), count(b.response_window_starts_at), count(b.responded_at),"
		"        coalesce(sum(trunc(extract(epoch FROM b.responded_at - b.response_window_starts_at))), 0),"
		"        (SELECT coalesce(sum(c.amount), 0) FROM lead_system.conversions c"
		"          WHERE c.organization_id = $1 AND c.contractor_id = $2)"
		"   FROM lead_system.bids b WHERE b.organization_id = $1 AND b.contractor_id = $2"
		" ON CONFLICT (organization_id, contractor_id) DO UPDATE"
		"   SET total_bids_placed = excluded.total_bids_placed, total_leads_won = excluded.total_leads_won,"
		"       total_leads_contacted = excluded.total_leads_contacted,"
		"       total_contact_seconds = excluded.total_contact_seconds, total_spent = excluded.total_spent"
		" WHERE (m.total_bids_placed, m.total_leads_won, m.total_leads_contacted, m.total_contact_seconds, m.total_spent)"
		"       IS DISTINCT FROM (excluded.total_bids_placed, excluded.total_leads_won,"
		"         excluded.total_leads_contacted, excluded.total_contact_seconds, excluded.total_spent)"
		" RETURNING xmax <> 0 OR total_bids_placed > 0",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, contractor);
	return ls_query_run(&query, &args, LS_WRITE) > 0 && ls_result_bool(0, 1);
}

PG_FUNCTION_INFO_V1(ls_market_refresh_metrics);

/* refresh_contractor_metrics(contractor_id) */
Datum
ls_market_refresh_metrics(PG_FUNCTION_ARGS)
{
	pg_uuid_t *contractor;
	pg_uuid_t org;
	LsScope scope;
	bool corrected;

	LS_REQUIRE_ARG(0, "contractor_id");
	contractor = PG_GETARG_UUID_P(0);
	ls_enter_org_of("users", "contractor", contractor, LS_WRITE, &org);
	ls_market_check_self(contractor);
	ls_scope_open(&scope, LS_AS_OWNER);
	lock_users(&org, ls_uuid_array(contractor, 1));
	corrected = refresh(&org, contractor);
	mirror_rate(&org, ls_uuid_array(contractor, 1));
	ls_scope_close(&scope);
	if (corrected)
		ereport(NOTICE,
			(errmsg("metrics of contractor \"%s\" were corrected", ls_uuid_text(contractor)),
				errdetail("They did not agree with the bids and conversions.")));
	PG_RETURN_VOID();
}
