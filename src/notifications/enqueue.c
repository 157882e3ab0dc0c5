/*-------------------------------------------------------------------------
 *
 * enqueue.c
 *	  enqueue_notification().
 *
 *	  Whether a lead may be contacted is asked when the notification is claimed,
 *	  not here: what counts is the moment at which it is sent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "lead_system.h"
#include "core/clock.h"
#include "core/email.h"
#include "core/input.h"
#include "core/json.h"
#include "core/phone.h"
#include "core/tenant.h"
#include "core/uuid.h"
#include "directory/directory.h"
#include "notifications/template.h"

#define KNOWN_KEYS \
	"body, dedupe_key, lead_id, notification_type, payload, recipient, scheduled_at, subject," \
	" template_name, user_id"

/* A notification that is being queued; NULL where nothing was passed. */
typedef struct Request
{
	pg_uuid_t org;
	pg_uuid_t id;
	char *lead_text;
	char *user_text;
	pg_uuid_t lead;
	pg_uuid_t user;
	char *type;
	char *template_name;
	char *recipient;
	char *subject;
	char *body;
	char *dedupe_key;
	Jsonb *payload;
	TimestampTz scheduled_at;
} Request;

/* Raise 22023 with a message of our own. */
#define REFUSE(...) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg(__VA_ARGS__)))

/* Take over one member of the argument. */
static void
set_member(Request *request, const LsJsonMember *member)
{
	const struct
	{
		const char *key;
		char **place;
	} texts[] = {{"lead_id", &request->lead_text}, {"user_id", &request->user_text},
		{"notification_type", &request->type}, {"template_name", &request->template_name},
		{"recipient", &request->recipient}, {"subject", &request->subject},
		{"body", &request->body}, {"dedupe_key", &request->dedupe_key}};
	int i;

	for (i = 0; i < (int) lengthof(texts); i++)
	{
		if (strcmp(member->key, texts[i].key) != 0)
			continue;
		if (member->value.type != jbvNull && member->value.type != jbvString)
			REFUSE("\"%s\" of the notification must be a string", member->key);
		*texts[i].place = ls_json_scalar_text(&member->value);
		return;
	}
	if (strcmp(member->key, "payload") == 0)
	{
		request->payload = ls_json_value_to_jsonb(&member->value);
		if (!JB_ROOT_IS_OBJECT(request->payload))
			REFUSE("\"payload\" of the notification must be a JSON object");
	}
	else if (strcmp(member->key, "scheduled_at") == 0)
	{
		char *text = ls_json_scalar_text(&member->value);

		if (text != NULL)
			request->scheduled_at = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
				CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	else
		ls_json_unknown_key("the notification", member->key, KNOWN_KEYS);
}

/* An identifier that was passed as a text. */
static pg_uuid_t
parse_id(const char *key, const char *text)
{
	pg_uuid_t id;

	if (!ls_uuid_parse(text, &id))
		REFUSE("\"%s\" of the notification is not a uuid: \"%s\"", key, text);
	return id;
}

/* What can be said of the request without looking at anything else. */
static void
check_form(Request *request)
{
	static const char *const types[] = {"email", "slack", "sms", "call"};
	int i;

	if (request->type == NULL)
		REFUSE("a notification needs a notification_type");
	for (i = 0; i < (int) lengthof(types) && strcmp(types[i], request->type) != 0; i++)
		;
	if (i == (int) lengthof(types))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized notification_type \"%s\"", request->type),
						   errhint("Types are: email, slack, sms, call.")));
	if (request->lead_text == NULL && request->user_text == NULL)
		REFUSE("a notification is for a user or a lead: user_id or lead_id is missing");
	if (request->user_text == NULL && strcmp(request->type, "slack") == 0)
		REFUSE("leads are not told anything by slack");
	if ((request->body == NULL) == (request->template_name == NULL) ||
		(request->subject != NULL && request->template_name != NULL))
		REFUSE("a notification needs either a template_name, or a body and maybe a subject");
	if (request->body != NULL && ls_trim(request->body) == NULL)
		REFUSE("the body of a notification must not be empty");
	if (request->dedupe_key != NULL &&
		(*request->dedupe_key == '\0' || strlen(request->dedupe_key) > 500))
		REFUSE("a dedupe_key must have 1 to 500 characters");
	if (TIMESTAMP_NOT_FINITE(request->scheduled_at))
		REFUSE("\"scheduled_at\" of the notification must be a finite time");
	if (request->lead_text != NULL)
		request->lead = parse_id("lead_id", request->lead_text);
	if (request->user_text != NULL)
		request->user = parse_id("user_id", request->user_text);
}

/* The template must be there, and be one for the channel. */
static void
check_template(const Request *request)
{
	LS_QUERY(query, LS_TEMPLATE_SQL("t.channel", "$2"), UUIDOID, TEXTOID);
	LsArgs args = {0};
	LsScope scope;
	char *channel = NULL;
	bool found;

	ls_arg_uuid(&args, &request->org);
	ls_arg_text(&args, request->template_name);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	if (found)
		channel = ls_result_text(0, 1);
	ls_scope_close(&scope);
	if (!found)
		ls_template_missing(request->template_name);
	if (channel != NULL && strcmp(channel, request->type) != 0)
		REFUSE("notification template \"%s\" is for %s, not for %s", request->template_name,
			channel, request->type);
}

/* A recipient in the form in which it is stored. */
static char *
normal_recipient(const Request *request)
{
	const LsOrganization *organization = ls_organization(&request->org);
	char e164[LS_PHONE_SIZE];
	char *recipient = ls_trim(request->recipient);

	if (recipient == NULL)
		REFUSE("\"recipient\" of the notification must not be empty");
	if (strcmp(request->type, "slack") == 0)
		return recipient;
	if (strcmp(request->type, "email") == 0)
	{
		if (!ls_email_is_valid(recipient))
			REFUSE("\"%s\" is not a valid e-mail address", recipient);
		ls_email_fold(recipient);
		return recipient;
	}
	if (!ls_phone_to_e164(recipient, organization ? organization->default_region : "US", e164))
		REFUSE("\"%s\" is not a valid phone number", recipient);
	return pstrdup(e164);
}

/* Where the addressee can be reached; NULL when nowhere.  Raises P0002 when there is none. */
static char *
own_recipient(const Request *request)
{
	LS_QUERY(user,
		"SELECT CASE $3 WHEN 'email' THEN u.email WHEN 'slack' THEN u.slack_user_id"
		"       ELSE u.phone_number END"
		"  FROM lead_system.users u WHERE u.organization_id = $1 AND u.id = $2 AND u.is_active",
		UUIDOID, UUIDOID, TEXTOID);
	LS_QUERY(lead,
		"SELECT CASE $3 WHEN 'email' THEN l.email ELSE l.phone_number END"
		"  FROM lead_system.leads l WHERE l.organization_id = $1 AND l.id = $2",
		UUIDOID, UUIDOID, TEXTOID);
	bool to_user = request->user_text != NULL;
	LsArgs args = {0};
	LsScope scope;
	char *recipient = NULL;
	bool found;

	ls_arg_uuid(&args, &request->org);
	ls_arg_uuid(&args, to_user ? &request->user : &request->lead);
	ls_arg_text(&args, request->type);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(to_user ? &user : &lead, &args, LS_WRITE) > 0;
	if (found)
		recipient = ls_result_text(0, 1);
	ls_scope_close(&scope);
	if (!found)
		ls_no_such_row(to_user ? "active user" : "lead", to_user ? &request->user : &request->lead);
	return recipient;
}

/*
 * Find out where it goes.  A lead is reached where the lead says, since that is
 * what is judged; who it is then is found out when it is claimed.
 */
static void
set_recipient(Request *request)
{
	char *own = own_recipient(request);
	bool to_lead = request->user_text == NULL;

	if (request->recipient != NULL)
		request->recipient = normal_recipient(request);
	if (to_lead && request->recipient != NULL &&
		(own == NULL || strcmp(own, request->recipient) != 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("\"recipient\" is not the lead's own"),
						   errhint("Leave it out: the lead's number or address is taken.")));
	if (!to_lead && request->recipient == NULL && own == NULL)
		REFUSE("user \"%s\" cannot be reached by %s", request->user_text, request->type);
	if (to_lead)
		request->recipient = NULL;
	else if (request->recipient == NULL)
		request->recipient = own;
}

/* Write the notification; the id of the one that has the key already, if there is one. */
static pg_uuid_t
insert(Request *request)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.notifications (organization_id, id, lead_id, user_id,"
		"   notification_type, template_name, payload, recipient, subject, body, dedupe_key,"
		"   scheduled_at, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
		" ON CONFLICT (organization_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING",
		UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID);
	LS_QUERY(existing,
		"SELECT id FROM lead_system.notifications WHERE organization_id = $1 AND dedupe_key = $2",
		UUIDOID, TEXTOID);
	LsArgs args = {0};
	LsArgs key = {0};
	LsScope scope;
	pg_uuid_t id = request->id;

	ls_arg_uuid(&args, &request->org);
	ls_arg_uuid(&args, &request->id);
	ls_arg_uuid(&args, request->lead_text ? &request->lead : NULL);
	ls_arg_uuid(&args, request->user_text ? &request->user : NULL);
	ls_arg_text(&args, request->type);
	ls_arg_text(&args, request->template_name);
	ls_arg_datum(&args, JsonbPGetDatum(request->payload), false);
	ls_arg_text(&args, request->recipient);
	ls_arg_text(&args, request->subject);
	ls_arg_text(&args, request->body);
	ls_arg_text(&args, request->dedupe_key);
	ls_arg_timestamptz(&args, request->scheduled_at);
	ls_arg_timestamptz(&args, ls_clock_now());
	ls_arg_uuid(&key, &request->org);
	ls_arg_text(&key, request->dedupe_key);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) == 0)
	{
		if (ls_query_run_latest(&existing, &key) == 0)
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							   errmsg("the notification of the same dedupe_key has just gone"),
							   errhint("Run the transaction again.")));
		id = ls_result_uuid(0, 1);
	}
	ls_scope_close(&scope);
	return id;
}

PG_FUNCTION_INFO_V1(ls_notifications_enqueue);

/* enqueue_notification(notification) */
Datum
ls_notifications_enqueue(PG_FUNCTION_ARGS)
{
	Request request = {.payload = ls_json_parse("{}"), .scheduled_at = ls_clock_now()};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	pg_uuid_t contractor;
	LsJsonMember *members;
	int n;
	int i;

	LS_REQUIRE_ARG(0, "notification");
	ls_require_org(&request.org);
	if (ls_current_contractor(&contractor))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("contractors cannot queue notifications")));
	members = ls_json_members(PG_GETARG_JSONB_P(0), "the notification", &n);
	for (i = 0; i < n; i++)
		set_member(&request, &members[i]);
	check_form(&request);
	if (request.template_name != NULL)
		check_template(&request);
	if (request.user_text != NULL && request.lead_text != NULL &&
		!ls_row_exists("leads", &request.org, &request.lead))
		ls_no_such_row("lead", &request.lead);
	set_recipient(&request);
	ls_uuid_v7(&request.id);
	*id = insert(&request);
	PG_RETURN_UUID_P(id);
}
