/*-------------------------------------------------------------------------
 *
 * contact_source.c
 *	  What the judge of contacts needs to know of campaigns and claims.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/date.h"

#include "lead_system.h"
#include "compliance/contact.h"
#include "core/query.h"
#include "core/tenant.h"
#include "outreach/outreach.h"

/* The window of a campaign; raises P0002 when there is no such campaign. */
static void
read_campaign(const pg_uuid_t *org, const pg_uuid_t *campaign, LsContactCampaign *result)
{
	LS_QUERY(query,
		"SELECT c.calling_from, c.calling_to, coalesce(c.timezone, o.timezone)"
		"  FROM lead_system.campaigns c JOIN lead_system.organizations o ON o.id = $1"
		" WHERE c.organization_id = $1 AND c.id = $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool no_window;
	Datum from;
	Datum to;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, campaign);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_READ) == 0)
		ls_no_such_row("campaign", campaign);
	from = ls_result(0, 1, &no_window);
	to = ls_result(0, 2, &no_window);
	result->has_window = !no_window;
	if (result->has_window)
	{
		result->from = DatumGetTimeADT(from);
		result->to = DatumGetTimeADT(to);
	}
	result->timezone = ls_result_text(0, 3);
	ls_scope_close(&scope);
}

/* The claims on leads that have not lapsed, except those of the campaign that asks. */
static void
read_claims(const LsContactQuestion *question, const pg_uuid_t *leads, int n, LsContactClaim claim,
	void *arg)
{
	LS_QUERY(query,
		"SELECT u.i::integer, c.lease_until FROM unnest($2) WITH ORDINALITY u(lead_id, i)"
		" CROSS JOIN LATERAL (SELECT x.* FROM lead_system.campaign_leads x"
		"        WHERE x.organization_id = $1 AND x.lead_id = u.lead_id OFFSET 0) c"
		" WHERE c.status = 'calling' AND c.lease_until > $3"
		"   AND ($4 IS NULL OR c.campaign_id <> $4)",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	uint64 rows;
	uint64 row;

	ls_arg_uuid(&args, &question->org);
	ls_arg_datum(&args, ls_uuid_array(leads, n), false);
	ls_arg_timestamptz(&args, question->at);
	ls_arg_uuid(&args, question->campaign);
	ls_scope_open(&scope, LS_AS_OWNER);
	rows = ls_query_run(&query, &args, LS_READ);
	for (row = 0; row < rows; row++)
		claim(arg, ls_result_int32(row, 1) - 1, ls_result_timestamptz(row, 2));
	ls_scope_close(&scope);
}

const LsContactSource ls_outreach_contact_source = {read_campaign, read_claims};
