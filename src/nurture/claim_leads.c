/*-------------------------------------------------------------------------
 *
 * claim_leads.c
 *	  The leads of a claim: locked without waiting, and one step of each, however
 *	  many sequences it is in and however many rounds the claim has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/uuid.h"
#include "nurture/claim.h"

/* Compare rows by their leads, for qsort. */
static int
compare_leads(const void *a, const void *b)
{
	const LsNurtureRow *x = *(LsNurtureRow *const *) a;
	const LsNurtureRow *y = *(LsNurtureRow *const *) b;
	int order = memcmp(x->lead.data, y->lead.data, UUID_LEN);

	return order != 0 ? order : (x < y ? -1 : 1);
}

/* The row of a lead among rows that are sorted by it; the first, should it have several. */
static LsNurtureRow *
find_lead(LsNurtureRow **sorted, int n, const pg_uuid_t *lead)
{
	int low = 0;
	int high = n;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (memcmp(sorted[middle]->lead.data, lead->data, UUID_LEN) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && ls_uuid_equal(&sorted[low]->lead, lead) ? sorted[low] : NULL;
}

/* Has the lead not come up in this claim?  It has now. */
static bool
is_first_of_lead(LsNurtureClaim *claim, const pg_uuid_t *lead)
{
	bool found;

	(void) hash_search(claim->leads, lead, HASH_ENTER, &found);
	return !found;
}

/*
 * Lock the leads; rows whose lead is locked by somebody else are left, and all
 * rows of a lead but the first of the claim.  The lead's own state decides first,
 * since tasks are no contacts and are not judged.
 */
void
ls_nurture_lock_leads(LsNurtureClaim *claim, LsNurtureRow *rows, int n_rows)
{
	LS_QUERY_ARRAY(query,
		"SELECT l.id, CASE WHEN l.do_not_call THEN '" LS_NURTURE_LISTED "'"
		"       WHEN l.deleted_at IS NOT NULL THEN 'Lead deleted'"
		"       WHEN l.stage IN " LS_NURTURE_CLOSED_STAGES_SQL " THEN 'Lead is ' || l.stage END"
		"  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = ANY ($2)"
		"   FOR NO KEY UPDATE SKIP LOCKED",
		UUIDOID, UUIDARRAYOID);
	LsNurtureRow **sorted = palloc(sizeof(LsNurtureRow *) * n_rows);
	pg_uuid_t *leads = palloc(sizeof(pg_uuid_t) * n_rows);
	LsArgs args = {0};
	uint64 n;
	uint64 found;
	int i;

	for (i = 0; i < n_rows; i++)
	{
		sorted[i] = &rows[i];
		sorted[i]->fate = FATE_LEFT;
		leads[i] = sorted[i]->lead;
	}
	qsort(sorted, n_rows, sizeof(LsNurtureRow *), compare_leads);
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(leads, n_rows), false);
	n = ls_query_run(&query, &args, LS_WRITE);
	for (found = 0; found < n; found++)
	{
		pg_uuid_t lead = ls_result_uuid(found, 1);
		LsNurtureRow *row = find_lead(sorted, n_rows, &lead);

		if (!is_first_of_lead(claim, &lead))
			continue;
		row->reason = ls_result_text(found, 2);
		row->fate = FATE_PENDING;
	}
}
