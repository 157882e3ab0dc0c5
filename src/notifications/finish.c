/*-------------------------------------------------------------------------
 *
 * finish.c
 *	  complete_notification() and fail_notification(): what became of a
 *	  notification that was claimed.
 *
 *	  Who reports late, after the lease has lapsed, is believed as long as no
 *	  claim has come since: a message that was sent was sent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/input.h"
#include "core/json.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "notifications/internal.h"

/* After how many minutes a notification is tried again (A18): one number per retry. */
int *
ls_notification_retries(const pg_uuid_t *org, int *n)
{
	Jsonb *setting = ls_config_get(org, "notifications.retry_minutes");
	int *minutes = palloc(sizeof(int) * Max(JB_ROOT_COUNT(setting), 1));
	JsonbIterator *iterator = JsonbIteratorInit(&setting->root);
	JsonbIteratorToken token;
	JsonbValue element;

	*n = 0;
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && ls_json_int(&element, &minutes[*n]))
			(*n)++;
	}
	return minutes;
}

/* The status of a notification, as of now; a scope is open. */
static char *
status_of(const pg_uuid_t *org, const pg_uuid_t *id)
{
	LS_QUERY(query,
		"SELECT status FROM lead_system.notifications WHERE organization_id = $1 AND id = $2",
		UUIDOID, UUIDOID);
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, id);
	return ls_query_run_latest(&query, &args) > 0 ? ls_result_text(0, 1) : pstrdup("gone");
}

/* Refuse a report about a notification that nobody has claimed. */
static void
not_held(const pg_uuid_t *id, const char *status)
{
	ereport(ERROR, (errcode(LS_ERRCODE_CLAIM_NOT_HELD),
					   errmsg("notification \"%s\" is not being sent", ls_uuid_text(id)),
					   errdetail("It is %s.", status),
					   errhint("claim_notifications() hands notifications out.")));
}

PG_FUNCTION_INFO_V1(ls_notifications_complete);

/* complete_notification(id) */
Datum
ls_notifications_complete(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications SET status = 'sent', sent_at = $3, lease_until = NULL,"
		"       error_message = NULL"
		" WHERE organization_id = $1 AND id = $2 AND status = 'sending'",
		UUIDOID, UUIDOID, TIMESTAMPTZOID);
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;
	char *status = NULL;

	LS_REQUIRE_ARG(0, "id");
	ls_enter_org_of("notifications", "notification", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		status = status_of(&org, PG_GETARG_UUID_P(0));
	ls_scope_close(&scope);
	if (status != NULL && strcmp(status, "sent") != 0)
		not_held(PG_GETARG_UUID_P(0), status);
	PG_RETURN_VOID();
}

/* Minutes as an int4[]. */
static Datum
minutes_array(const int *minutes, int n)
{
	Datum *values = palloc(sizeof(Datum) * Max(n, 1));
	int i;

	for (i = 0; i < n; i++)
		values[i] = Int32GetDatum(minutes[i]);
	return PointerGetDatum(construct_array(values, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(ls_notifications_fail);

/* fail_notification(id, error) */
Datum
ls_notifications_fail(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications SET lease_until = NULL, error_message = $4,"
		"       status = CASE WHEN retry_count < cardinality($5) THEN 'pending' ELSE 'failed' END,"
		"       scheduled_at = CASE WHEN retry_count < cardinality($5)"
		"         THEN $3 + make_interval(mins => ($5)[retry_count + 1]) ELSE scheduled_at END,"
		"       retry_count = CASE WHEN retry_count < cardinality($5) THEN retry_count + 1"
		"         ELSE retry_count END"
		" WHERE organization_id = $1 AND id = $2 AND status = 'sending'",
		UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, INT4ARRAYOID);
	LsArgs args = {0};
	LsScope scope;
	pg_uuid_t org;
	char *status = NULL;
	char *error;
	int *minutes;
	int n;

	LS_REQUIRE_ARG(0, "id");
	LS_REQUIRE_ARG(1, "error");
	ls_enter_org_of("notifications", "notification", PG_GETARG_UUID_P(0), LS_WRITE, &org);
	error = ls_error_text(PG_GETARG_TEXT_PP(1));
	minutes = ls_notification_retries(&org, &n);
	ls_arg_uuid(&args, &org);
	ls_arg_uuid(&args, PG_GETARG_UUID_P(0));
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_text(&args, error);
	ls_arg_datum(&args, minutes_array(minutes, n), false);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
		status = status_of(&org, PG_GETARG_UUID_P(0));
	ls_scope_close(&scope);
	if (status != NULL)
		not_held(PG_GETARG_UUID_P(0), status);
	PG_RETURN_VOID();
}
