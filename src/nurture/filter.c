/*-------------------------------------------------------------------------
 *
 * filter.c
 *	  Conditions of steps, and filters of trigger conditions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"

#include "lead_system.h"
#include "core/query.h"
#include "nurture/nurture.h"
#include "segments/segments.h"

/* Does a filter let everything through? */
bool
ls_nurture_filter_is_empty(Jsonb *filter)
{
	return JB_ROOT_IS_OBJECT(filter) && JB_ROOT_COUNT(filter) == 0;
}

/* Refuse what is no filter.  "what" is the key that it stands under. */
void
ls_nurture_filter_check(Jsonb *filter, const char *what)
{
	if (!JB_ROOT_IS_OBJECT(filter))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"%s\" must be a JSON object", what)));
	(void) ls_lead_filter_parse(filter);
}

/*
 * Which of some leads match a filter each?  The caller has a scope open as the
 * owner of the tables.
 */
void
ls_nurture_filter_match(
	const pg_uuid_t *org, const pg_uuid_t *leads, Jsonb *const *filters, int n, bool *matches)
{
	LS_QUERY_ARRAY(query,
		"SELECT u.n::integer FROM unnest($2, $3) WITH ORDINALITY u(lead_id, filter, n)"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = u.lead_id"
		" WHERE lead_system.filter_matches(u.filter, l)",
		UUIDOID, UUIDARRAYOID, JSONBARRAYOID);
	Datum *values = palloc(sizeof(Datum) * n);
	LsArgs args = {0};
	uint64 found;
	uint64 row;
	int i;

	for (i = 0; i < n; i++)
		values[i] = JsonbPGetDatum(filters[i]);
	ls_arg_uuid(&args, org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(values, n, JSONBOID, -1, false, TYPALIGN_INT)), false);
	memset(matches, false, sizeof(bool) * n);
	found = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < found; row++)
		matches[ls_result_int32(row, 1) - 1] = true;
}
