/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  What happens to leads, and who is told: hot leads, windows that end, and
 *	  leads that must not be contacted any more.
 *
 *	  A user is told of a hot lead once per channel, until the lead has been
 *	  something else in between.  The key of an alert sees to that: a second one
 *	  with the same key is not made, and a lead that is hot no more lets go of
 *	  its keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/batch.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/query.h"
#include "notifications/internal.h"
#include "notifications/notifications.h"

/* The channels that a user u has switched on and can be reached by. */
#define CHANNELS_SQL \
	" CROSS JOIN LATERAL (VALUES ('email', u.notify_email, u.email)," \
	"    ('slack', u.notify_slack, u.slack_user_id), ('sms', u.notify_sms, u.phone_number))" \
	"    c(channel, is_on, recipient)" \
	" WHERE c.is_on AND c.recipient IS NOT NULL"

#define ONCE_SQL \
	" ON CONFLICT (organization_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING"

/* What a statement on leads means for notifications. */
typedef struct Changes
{
	LsBatch *cooled;
	LsBatch *hot;
	LsBatch *blocked;
} Changes;

static const Oid lead_types[] = {UUIDOID, UUIDOID};
static const Oid hot_types[] = {UUIDOID, UUIDOID, BOOLOID};

/* Leads that are hot no more let go of the keys of their alerts. */
static LsBatch *
cooled_batch(void)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications n SET dedupe_key = NULL"
		"  FROM unnest($1, $2) u(organization_id, lead_id)"
		" WHERE n.organization_id = u.organization_id AND n.lead_id = u.lead_id"
		"   AND n.dedupe_key IS NOT NULL AND n.template_name = '" LS_TEMPLATE_HOT_LEAD "'"
		"   AND n.dedupe_key LIKE '" LS_TEMPLATE_HOT_LEAD "/%'",
		UUIDARRAYOID, UUIDARRAYOID);

	return ls_batch_create(&query, lengthof(lead_types), lead_types, NULL);
}

/*
 * Leads that are hot: their users are told, or the managers where there is none.  A
 * lead may have been given to somebody since, by the statement that made it hot.
 */
static LsBatch *
hot_batch(TimestampTz now)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.notifications (organization_id, lead_id, user_id,"
		"   notification_type, template_name, recipient, dedupe_key, scheduled_at, created_at)"
		" SELECT x.organization_id, x.lead_id, u.id, c.channel, '" LS_TEMPLATE_HOT_LEAD "',"
		"        c.recipient,"
		"        concat_ws('/', '" LS_TEMPLATE_HOT_LEAD "', x.lead_id, u.id, c.channel), $4, $4"
		"   FROM unnest($1, $2, $3) x(organization_id, lead_id, or_managers)"
		"   JOIN lead_system.leads l ON l.organization_id = x.organization_id AND l.id = x.lead_id"
		"  CROSS JOIN LATERAL ("
		"    SELECT a.* FROM lead_system.users a WHERE a.organization_id = x.organization_id"
		"       AND a.id = l.assigned_to AND a.is_active"
		"    UNION ALL"
		"    SELECT m.* FROM lead_system.users m WHERE m.organization_id = x.organization_id"
		"       AND m.role = 'manager' AND m.is_active AND x.or_managers"
		"       AND NOT EXISTS (SELECT FROM lead_system.users a"
		"         WHERE a.organization_id = x.organization_id AND a.id = l.assigned_to"
		"           AND a.is_active)) u" CHANNELS_SQL ONCE_SQL,
		UUIDARRAYOID, UUIDARRAYOID, BOOLARRAYOID, TIMESTAMPTZOID);
	LsArgs fixed = {0};

	ls_arg_timestamptz(&fixed, now);
	return ls_batch_create(&query, lengthof(hot_types), hot_types, &fixed);
}

/* Leads that must not be contacted any more: what waits to be sent to them is dropped (D5). */
static LsBatch *
blocked_batch(void)
{
	LS_QUERY(query,
		"UPDATE lead_system.notifications n SET status = 'dropped', blocked_rule = 'do_not_call'"
		"  FROM unnest($1, $2) u(organization_id, lead_id)"
		" WHERE n.organization_id = u.organization_id AND n.lead_id = u.lead_id"
		"   AND n.user_id IS NULL AND n.status = 'pending'",
		UUIDARRAYOID, UUIDARRAYOID);

	return ls_batch_create(&query, lengthof(lead_types), lead_types, NULL);
}

/* The changes of a statement, made at the first of them. */
static Changes *
changes_of(LsLeadStatement *statement, void **state)
{
	if (*state == NULL)
		*state = MemoryContextAllocZero(statement->context, sizeof(Changes));
	return *state;
}

/* Add a lead to a batch of organisation and lead; makes the batch when it is the first. */
static void
add_lead(
	LsLeadStatement *statement, LsBatch **batch, LsBatch *(*create)(void), const LsLeadRow *row)
{
	Datum values[lengthof(lead_types)];
	bool nulls[lengthof(lead_types)];

	if (*batch == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		*batch = create();
		MemoryContextSwitchTo(caller);
	}
	values[0] = ls_lead_get(row, LEAD_organization_id, &nulls[0]);
	values[1] = ls_lead_get(row, LEAD_id, &nulls[1]);
	ls_batch_add(*batch, values, nulls);
}

/* Add a lead that is hot, as far as its organisation wants alerts. */
static void
add_hot(LsLeadStatement *statement, void **state, const LsLeadRow *row)
{
	Changes *changes = changes_of(statement, state);
	Datum values[lengthof(hot_types)];
	bool nulls[lengthof(hot_types)] = {false};
	const char *wanted;

	values[0] = ls_lead_get(row, LEAD_organization_id, &nulls[0]);
	wanted = ls_config_choice(DatumGetUUIDP(values[0]), "notifications.hot_lead_alerts");
	if (strcmp(wanted, "off") == 0)
		return;
	if (changes->hot == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);

		changes->hot = hot_batch(statement->now);
		MemoryContextSwitchTo(caller);
	}
	values[1] = ls_lead_get(row, LEAD_id, &nulls[1]);
	values[2] = BoolGetDatum(strcmp(wanted, "assigned") != 0);
	ls_batch_add(changes->hot, values, nulls);
}

/* Is a lead hot, and one that somebody should look at? */
static bool
is_hot(const LsLeadRow *row)
{
	bool isnull;
	Datum temperature;

	if (!ls_lead_isnull(row, LEAD_deleted_at) || ls_lead_bool(row, LEAD_is_spam))
		return false;
	temperature = ls_lead_get(row, LEAD_temperature, &isnull);
	return !isnull && strcmp(TextDatumGetCString(temperature), "hot") == 0;
}

/* Listener: one row. */
static void
listener_row(LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new)
{
	bool was_hot;
	bool hot;

	if (new == NULL)
		return;
	was_hot = old != NULL && is_hot(old);
	hot = is_hot(new);
	if (was_hot && !hot)
		add_lead(statement, &changes_of(statement, state)->cooled, cooled_batch, new);
	if (hot && (!was_hot || (!ls_lead_isnull(new, LEAD_assigned_to) &&
								ls_lead_differs(old, new, LEAD_assigned_to))))
		add_hot(statement, state, new);
	if (old != NULL && !ls_lead_bool(old, LEAD_do_not_call) && ls_lead_bool(new, LEAD_do_not_call))
		add_lead(statement, &changes_of(statement, state)->blocked, blocked_batch, new);
}

/* Listener: write what the statement means. */
static void
listener_end(LsLeadStatement *statement, void **state)
{
	Changes *changes = *state;

	if (changes->cooled != NULL)
		ls_batch_flush(changes->cooled);
	if (changes->hot != NULL)
		ls_batch_flush(changes->hot);
	if (changes->blocked != NULL)
		ls_batch_flush(changes->blocked);
}

const LsLeadListener ls_notifications_listener = {listener_row, listener_end};

/*
 * Tell users of an organisation something about leads, by every channel that
 * they have switched on.  Those that are not active are told nothing.
 */
void
ls_notify_users(const pg_uuid_t *org, const char *template_name, const LsUserNotice *notices, int n)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.notifications (organization_id, lead_id, user_id,"
		"   notification_type, template_name, payload, recipient, dedupe_key, scheduled_at,"
		"   created_at)"
		" SELECT $1, x.lead_id, u.id, c.channel, $2, x.payload, c.recipient,"
		"        x.dedupe_key || '/' || c.channel, $3, $3"
		"   FROM unnest($4, $5, $6, $7) x(lead_id, user_id, payload, dedupe_key)"
		"   JOIN lead_system.users u ON u.organization_id = $1 AND u.id = x.user_id"
		"    AND u.is_active" CHANNELS_SQL ONCE_SQL,
		UUIDOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDARRAYOID, JSONBARRAYOID, TEXTARRAYOID);
	static const Oid types[] = {UUIDOID, UUIDOID, JSONBOID, TEXTOID};
	LsArgs args = {0};
	LsScope scope;
	Datum *columns[lengthof(types)];
	int i;

	if (n == 0)
		return;
	for (i = 0; i < (int) lengthof(types); i++)
		columns[i] = palloc(sizeof(Datum) * n);
	for (i = 0; i < n; i++)
	{
		columns[0][i] = UUIDPGetDatum(&notices[i].lead);
		columns[1][i] = UUIDPGetDatum(&notices[i].user);
		columns[2][i] = JsonbPGetDatum(notices[i].payload);
		columns[3][i] = CStringGetTextDatum(notices[i].dedupe_key);
	}
	ls_arg_uuid(&args, org);
	ls_arg_text(&args, template_name);
	ls_arg_timestamptz(&args, ls_clock_now());
	for (i = 0; i < (int) lengthof(types); i++)
		ls_arg_datum(&args,
			PointerGetDatum(construct_array(columns[i], n, types[i], i < 2 ? UUID_LEN : -1, false,
				i < 2 ? TYPALIGN_CHAR : TYPALIGN_INT)),
			false);
	ls_scope_open(&scope, LS_AS_OWNER);
	ls_query_run(&query, &args, LS_WRITE);
	ls_scope_close(&scope);
}
