/*-------------------------------------------------------------------------
 *
 * counters.c
 *	  Counts that triggers keep: members of lists, leads of a campaign by list
 *	  (semantics I8, I12).
 *
 *	  A statement's rows are summed in memory first, so that adding a list of a
 *	  million leads updates one row once.  Rows to be updated are locked in the
 *	  order of their keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/growth.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "outreach/outreach.h"

#define MAX_DELTAS 4

/* What is counted: the organisation and up to two identifiers. */
typedef struct CountKey
{
	pg_uuid_t org;
	pg_uuid_t first;
	pg_uuid_t second;
} CountKey;

typedef struct CountEntry
{
	CountKey key; /* hash key */
	int delta[MAX_DELTAS];
} CountEntry;

/* Where counts of campaign_leads are summed up, by which (sub)transaction. */
static HTAB *deferred_counts = NULL;
static SubTransactionId deferred_in = InvalidSubTransactionId;

/* Add to the counts of a key. */
static void
count_add(HTAB *counts, const CountKey *key, const int *amounts, int n, int sign)
{
	bool found;
	CountEntry *entry = hash_search(counts, key, HASH_ENTER, &found);
	int i;

	if (!found)
		memset(entry->delta, 0, sizeof(entry->delta));
	for (i = 0; i < n; i++)
		entry->delta[i] += sign * amounts[i];
}

/* Start counting. */
static HTAB *
counts_create(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(CountKey);
	ctl.entrysize = sizeof(CountEntry);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create("lead_system counts", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Sort entries by key, for qsort. */
static int
compare_entries(const void *a, const void *b)
{
	return memcmp(
		&(*(CountEntry *const *) a)->key, &(*(CountEntry *const *) b)->key, sizeof(CountKey));
}

/* The entries with a change, in the order of their keys. */
static CountEntry **
counts_changed(HTAB *counts, int n_deltas, int *n)
{
	CountEntry **entries = palloc(sizeof(CountEntry *) * Max(hash_get_num_entries(counts), 1));
	HASH_SEQ_STATUS scan;
	CountEntry *entry;
	int i;

	*n = 0;
	hash_seq_init(&scan, counts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		for (i = 0; i < n_deltas; i++)
		{
			if (entry->delta[i] != 0)
			{
				entries[(*n)++] = entry;
				break;
			}
		}
	}
	qsort(entries, *n, sizeof(CountEntry *), compare_entries);
	return entries;
}

/* Run a query per key: organisation, identifiers, deltas, time. */
static void
counts_apply(HTAB *counts, LsQuery *query, int n_ids, int n_deltas)
{
	CountEntry **entries;
	LsScope scope;
	int n;
	int i;
	int j;

	entries = counts_changed(counts, n_deltas, &n);
	if (n == 0)
		return;
	ls_scope_open(&scope, LS_AS_OWNER);
	for (i = 0; i < n; i++)
	{
		LsArgs args = {0};

		ls_arg_uuid(&args, &entries[i]->key.org);
		ls_arg_uuid(&args, &entries[i]->key.first);
		if (n_ids > 1)
			ls_arg_uuid(&args, &entries[i]->key.second);
		for (j = 0; j < n_deltas; j++)
			ls_arg_int32(&args, entries[i]->delta[j]);
		ls_arg_timestamptz(&args, ls_clock_now());
		ls_query_run(query, &args, LS_WRITE);
	}
	ls_scope_close(&scope);
}

/* An identifier column of a row; false when it is null. */
static bool
slot_uuid(TupleTableSlot *slot, int attnum, pg_uuid_t *value)
{
	if (slot->tts_isnull[attnum - 1])
		return false;
	*value = *DatumGetUUIDP(slot->tts_values[attnum - 1]);
	return true;
}

PG_FUNCTION_INFO_V1(ls_outreach_members_changed);

/* lead_list_members_changed(): AFTER statement triggers of lead_list_members. */
Datum
ls_outreach_members_changed(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"UPDATE lead_system.lead_lists SET lead_count = lead_count + $3, updated_at = $4"
		" WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID, INT4OID, TIMESTAMPTZOID);
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "lead_list_members_changed", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "lead_list_members");
	int org = ls_trigger_attnum(trigdata->tg_relation, "organization_id");
	int list = ls_trigger_attnum(trigdata->tg_relation, "lead_list_id");
	const int one = 1;
	HTAB *counts = counts_create();
	LsTransition transition;
	CountKey key;

	if (ls_org_is_leaving(NULL))
		return PointerGetDatum(NULL);
	memset(&key, 0, sizeof(key));
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		if (transition.old && slot_uuid(transition.old, org, &key.org) &&
			slot_uuid(transition.old, list, &key.first))
			count_add(counts, &key, &one, 1, -1);
		if (transition.new &&slot_uuid(transition.new, org, &key.org) &&
			slot_uuid(transition.new, list, &key.first))
			count_add(counts, &key, &one, 1, 1);
	}
	ls_transition_close(&transition);
	counts_apply(counts, &query, 1, 1);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ls_plans_follow_growth(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}

/* Write the counts of campaign_leads. */
static void
apply_campaign_counts(HTAB *counts)
{
	LS_QUERY(query,
		"UPDATE lead_system.campaign_lead_lists"
		"   SET total_leads = total_leads + $4, open_leads = open_leads + $5,"
		"       contacted_leads = contacted_leads + $6, successful_leads = successful_leads + $7,"
		"       completed_at = CASE WHEN open_leads + $5 > 0 OR total_leads + $4 = 0 THEN NULL"
		"                           ELSE coalesce(completed_at, $8) END"
		" WHERE organization_id = $1 AND campaign_id = $2 AND lead_list_id = $3",
		UUIDOID, UUIDOID, UUIDOID, INT4OID, INT4OID, INT4OID, INT4OID, TIMESTAMPTZOID);

	counts_apply(counts, &query, 2, MAX_DELTAS);
}

/* Do work while counts are summed up. */
static void
run_deferred(HTAB *counts, void (*work)(void *), void *argument)
{
	HTAB *outer_counts = deferred_counts;
	SubTransactionId outer_in = deferred_in;

	deferred_counts = counts;
	deferred_in = GetCurrentSubTransactionId();
	PG_TRY();
	{
		work(argument);
	}
	PG_FINALLY();
	{
		deferred_counts = outer_counts;
		deferred_in = outer_in;
	}
	PG_END_TRY();
}

/*
 * Are counts summed up for later?  Not those of a subtransaction within, which
 * may be rolled back alone.
 */
static bool
counts_are_deferred(void)
{
	return deferred_counts != NULL && deferred_in == GetCurrentSubTransactionId();
}

/*
 * Do work of several statements on campaign_leads, and write their counts once,
 * after the last of them: so that no row is waited for while counts are locked,
 * and these are locked in their order.  Work within work is part of it.
 */
void
ls_counts_defer(void (*work)(void *), void *argument)
{
	HTAB *counts;

	if (counts_are_deferred())
	{
		work(argument);
		return;
	}
	counts = counts_create();
	run_deferred(counts, work, argument);
	apply_campaign_counts(counts);
	hash_destroy(counts);
}

/* Where the columns of campaign_leads stand. */
typedef struct CampaignLeadColumns
{
	int org;
	int campaign;
	int list;
	int status;
	int is_dialable;
} CampaignLeadColumns;

/*
 * Count a row of campaign_leads: total, open, contacted, successful.  A lead that
 * cannot be dialled is not open, or its list would never be complete.
 */
static void
count_campaign_lead(
	HTAB *counts, TupleTableSlot *slot, const CampaignLeadColumns *columns, int sign)
{
	char *status;
	bool dialable = DatumGetBool(slot->tts_values[columns->is_dialable - 1]);
	int amounts[MAX_DELTAS] = {1, 0, 0, 0};
	CountKey key;

	memset(&key, 0, sizeof(key));
	if (!slot_uuid(slot, columns->org, &key.org) ||
		!slot_uuid(slot, columns->campaign, &key.first) ||
		!slot_uuid(slot, columns->list, &key.second))
		return;
	status = TextDatumGetCString(slot->tts_values[columns->status - 1]);
	amounts[1] = strcmp(status, "calling") == 0 ||
				 (dialable && (strcmp(status, "new") == 0 || strcmp(status, "queued") == 0));
	amounts[2] = strcmp(status, "contacted") == 0 || strcmp(status, "converted") == 0;
	amounts[3] = strcmp(status, "converted") == 0;
	count_add(counts, &key, amounts, MAX_DELTAS, sign);
}

PG_FUNCTION_INFO_V1(ls_outreach_campaign_leads_changed);

/* campaign_leads_changed(): AFTER statement triggers of campaign_leads. */
Datum
ls_outreach_campaign_leads_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata =
		ls_trigger_check(fcinfo, "campaign_leads_changed", LS_TRIGGER_AFTER_STATEMENT,
			LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "campaign_leads");
	Relation rel = trigdata->tg_relation;
	CampaignLeadColumns columns = {ls_trigger_attnum(rel, "organization_id"),
		ls_trigger_attnum(rel, "campaign_id"), ls_trigger_attnum(rel, "lead_list_id"),
		ls_trigger_attnum(rel, "status"), ls_trigger_attnum(rel, "is_dialable")};
	MemoryContext row_context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system row of campaign_leads", ALLOCSET_SMALL_SIZES);
	bool deferred = counts_are_deferred();
	HTAB *counts = deferred ? deferred_counts : counts_create();
	LsTransition transition;

	if (ls_org_is_leaving(NULL))
		return PointerGetDatum(NULL);
	ls_transition_open(&transition, trigdata);
	while (ls_transition_next(&transition))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		if (transition.old != NULL)
			count_campaign_lead(counts, transition.old, &columns, -1);
		if (transition.new != NULL)
			count_campaign_lead(counts, transition.new, &columns, 1);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	ls_transition_close(&transition);
	if (!deferred)
		apply_campaign_counts(counts);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ls_plans_follow_growth(rel);
	return PointerGetDatum(NULL);
}
