/*-------------------------------------------------------------------------
 *
 * store.c
 *	  Writing what became of the notifications of a claim: one statement per
 *	  fate.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/query.h"
#include "notifications/internal.h"

/* Values of one fate, by column. */
typedef struct Columns
{
	pg_uuid_t *ids;
	Datum *texts[3];
	bool *nulls[3];
	Datum *times;
	int n;
} Columns;

/* Values, some of them null, as an array of uuid or text. */
Datum
ls_notices_array(Datum *values, bool *nulls, int n, Oid type)
{
	int lower_bound = 1;

	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower_bound, type,
		type == UUIDOID ? UUID_LEN : -1, false, type == UUIDOID ? TYPALIGN_CHAR : TYPALIGN_INT));
}

/* Set a text of the row that is being added; NULL becomes null. */
static void
set_text(Columns *columns, int column, const char *text)
{
	columns->nulls[column][columns->n] = text == NULL;
	if (text != NULL)
		columns->texts[column][columns->n] = CStringGetTextDatum(text);
}

/* Collect the notifications of one fate. */
static Columns
collect(const LsNoticeClaim *claim, LsNoticeFate fate)
{
	Columns columns = {
		.ids = palloc(sizeof(pg_uuid_t) * claim->n), .times = palloc(sizeof(Datum) * claim->n)};
	int i;

	for (i = 0; i < 3; i++)
	{
		columns.texts[i] = palloc0(sizeof(Datum) * claim->n);
		columns.nulls[i] = palloc0(sizeof(bool) * claim->n);
	}
	for (i = 0; i < claim->n; i++)
	{
		const LsNotice *notice = &claim->notices[i];

		if (notice->fate != fate)
			continue;
		columns.ids[columns.n] = notice->id;
		columns.times[columns.n] = TimestampTzGetDatum(notice->until);
		set_text(&columns, 0, fate == LS_NOTICE_CLAIMED ? notice->recipient : notice->rule);
		set_text(&columns, 1, fate == LS_NOTICE_CLAIMED ? notice->subject : notice->error);
		set_text(&columns, 2, notice->body);
		columns.n++;
	}
	return columns;
}

/* Add columns of text to the arguments. */
static void
add_texts(LsArgs *args, const Columns *columns, int from, int to)
{
	int i;

	for (i = from; i <= to; i++)
		ls_arg_datum(args,
			ls_notices_array(columns->texts[i], columns->nulls[i], columns->n, TEXTOID), false);
}

/* Those that are handed out. */
static void
store_claimed(const LsNoticeClaim *claim)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications n SET status = 'sending', lease_until = $3,"
		"       recipient = u.recipient, subject = u.subject, body = u.body, blocked_rule = NULL"
		"  FROM unnest($2, $4, $5, $6) u(id, recipient, subject, body)"
		" WHERE n.organization_id = $1 AND n.id = u.id",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID);
	Columns columns = collect(claim, LS_NOTICE_CLAIMED);
	LsArgs args = {0};

	if (columns.n == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(columns.ids, columns.n), false);
	ls_arg_timestamptz(&args, claim->lease_until);
	add_texts(&args, &columns, 0, 2);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Those that may be sent later. */
static void
store_waiting(const LsNoticeClaim *claim)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications n SET scheduled_at = u.at, blocked_rule = u.rule"
		"  FROM unnest($2, $3, $4) u(id, at, rule)"
		" WHERE n.organization_id = $1 AND n.id = u.id",
		UUIDOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID);
	Columns columns = collect(claim, LS_NOTICE_WAITING);
	LsArgs args = {0};

	if (columns.n == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(columns.ids, columns.n), false);
	ls_arg_datum(&args,
		PointerGetDatum(construct_array(columns.times, columns.n, TIMESTAMPTZOID,
			sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		false);
	add_texts(&args, &columns, 0, 0);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Those that are not sent at all. */
static void
store_ended(const LsNoticeClaim *claim, LsNoticeFate fate)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications n SET status = $3, blocked_rule = u.rule,"
		"       error_message = coalesce(u.error, n.error_message)"
		"  FROM unnest($2, $4, $5) u(id, rule, error)"
		" WHERE n.organization_id = $1 AND n.id = u.id",
		UUIDOID, UUIDARRAYOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID);
	Columns columns = collect(claim, fate);
	LsArgs args = {0};

	if (columns.n == 0)
		return;
	ls_arg_uuid(&args, &claim->org);
	ls_arg_datum(&args, ls_uuid_array(columns.ids, columns.n), false);
	ls_arg_text(&args, fate == LS_NOTICE_DROPPED ? "dropped" : "failed");
	add_texts(&args, &columns, 0, 1);
	ls_query_run(&query, &args, LS_WRITE);
}

/* Write all of a claim; a scope is open as the owner. */
void
ls_notices_store(const LsNoticeClaim *claim)
{
	store_claimed(claim);
	store_waiting(claim);
	store_ended(claim, LS_NOTICE_DROPPED);
	store_ended(claim, LS_NOTICE_FAILED);
}
