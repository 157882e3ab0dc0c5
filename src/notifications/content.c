/*-------------------------------------------------------------------------
 *
 * content.c
 *	  What notifications that are being claimed say.
 *
 *	  Templates are filled when a notification is claimed, so that it says what
 *	  is true then, and nothing personal lies in the queue before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/query.h"
#include "notifications/internal.h"
#include "notifications/template.h"

/* A jsonb of the last result; NULL for NULL. */
static Jsonb *
result_jsonb(uint64 row, int column)
{
	bool isnull;
	Datum value = ls_result(row, column, &isnull);

	return isnull ? NULL : DatumGetJsonbP(value);
}

/* Take over a row of the query: fill the template, or say why there is nothing to send. */
static void
set_content(LsNotice *notice, uint64 row)
{
	LsTemplateValues values = {0};
	char *subject = ls_result_text(row, 2);
	char *body = ls_result_text(row, 3);

	if (notice->has_user && !ls_result_bool(row, 7))
	{
		notice->fate = LS_NOTICE_DROPPED;
		notice->rule = "user_inactive";
	}
	else if (notice->has_user && notice->recipient == NULL)
	{
		/* whoever it was to tell of the lead: the lead has been erased */
		notice->fate = LS_NOTICE_DROPPED;
		notice->rule = "lead_erased";
	}
	if (notice->template_name == NULL)
		return;
	if (body == NULL)
	{
		notice->fate = LS_NOTICE_FAILED;
		notice->error =
			psprintf("notification template \"%s\" does not exist", notice->template_name);
		return;
	}
	values.lead = result_jsonb(row, 4);
	values.user = result_jsonb(row, 5);
	values.organization = ls_result_text(row, 6);
	values.payload = notice->payload;
	notice->subject = ls_template_fill(subject, &values);
	notice->body = ls_template_fill(body, &values);
}

/* Read what the notifications of a claim say; a scope is open. */
void
ls_notices_read(LsNoticeClaim *claim)
{
	LS_QUERY(query,
		"SELECT x.i::integer, t.subject, t.body, to_jsonb(l), to_jsonb(u), o.name,"
		"       coalesce(u.is_active, false)"
		"  FROM lead_system.organizations o"
		" CROSS JOIN unnest($2, $3, $4) WITH ORDINALITY x(lead_id, user_id, template_name, i)"
		"  LEFT JOIN LATERAL (" LS_TEMPLATE_SQL("t.subject, t.body",
			"x.template_name") ") t ON true"
							   "  LEFT JOIN LATERAL (SELECT a.* FROM lead_system.leads a"
							   "    WHERE a.organization_id = $1 AND a.id = x.lead_id"
							   "      AND x.template_name IS NOT NULL OFFSET 0) l ON true"
							   "  LEFT JOIN LATERAL (SELECT b.* FROM lead_system.users b"
							   "    WHERE b.organization_id = $1 AND b.id = x.user_id OFFSET 0) u"
							   "    ON true"
							   " WHERE o.id = $1",
		UUIDOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID);
	LsArgs args = {0};
	Datum *leads = palloc(sizeof(Datum) * claim->n);
	Datum *users = palloc(sizeof(Datum) * claim->n);
	Datum *names = palloc(sizeof(Datum) * claim->n);
	bool *no_lead = palloc(sizeof(bool) * claim->n);
	bool *no_user = palloc(sizeof(bool) * claim->n);
	bool *no_name = palloc(sizeof(bool) * claim->n);
	uint64 rows;
	uint64 row;
	int i;

	for (i = 0; i < claim->n; i++)
	{
		LsNotice *notice = &claim->notices[i];

		leads[i] = UUIDPGetDatum(&notice->lead);
		no_lead[i] = !notice->has_lead;
		users[i] = UUIDPGetDatum(&notice->user);
		no_user[i] = !notice->has_user;
		no_name[i] = notice->template_name == NULL;
		names[i] = no_name[i] ? (Datum) 0 : CStringGetTextDatum(notice->template_name);
	}
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_notices_array(leads, no_lead, claim->n, UUIDOID), false);
	ls_arg_datum(&args, ls_notices_array(users, no_user, claim->n, UUIDOID), false);
	ls_arg_datum(&args, ls_notices_array(names, no_name, claim->n, TEXTOID), false);
	rows = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < rows; row++)
		set_content(&claim->notices[ls_result_int32(row, 1) - 1], row);
}
