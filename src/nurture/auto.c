/*-------------------------------------------------------------------------
 *
 * auto.c
 *	  Enrolment by events: which sequences a change of a lead enrols it in.
 *
 *	  trigger_conditions names events, any of which enrols:
 *
 *		{"lead_created": true}			the lead is new
 *		{"status": ["contacted"]}		it enters one of the statuses
 *		{"temperature": ["cold"]}		it becomes that
 *		{"score": {"min": 50}}			its score comes into the range
 *		{"tag": ["webinar"]}			it gets one of the tags
 *
 *	  and may have a filter that the lead has to match, too.  A lead that is new
 *	  enters its status, temperature, score and tags.  A lead that has been in a
 *	  sequence is not enrolled in it again by itself, unless "again" is true.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "nurture/nurture.h"
#include "segments/segments.h"

/* What enrols a lead. */
typedef struct AutoConditions
{
	bool lead_created;
	bool again;
	char **statuses;
	int n_statuses;
	char **temperatures;
	int n_temperatures;
	char **tags;
	int n_tags;
	bool has_score;
	int min_score;
	int max_score;
	LsFilter *filter; /* or NULL */
} AutoConditions;

/* A sequence that enrols leads by itself. */
typedef struct AutoSequence
{
	pg_uuid_t id;
	AutoConditions conditions;
	int first_step;
	int64 first_delay;
} AutoSequence;

/* The sequences of an organisation; most have none. */
typedef struct AutoEntry
{
	pg_uuid_t org; /* hash key */
	int n;
	AutoSequence *sequences;
} AutoEntry;

static LsCache auto_cache = {.name = "nurture sequences", .relations = {"nurture_sequences"}};
static HTAB *auto_entries = NULL;

/* Columns of the batch that enrols. */
#define AUTO_COLUMNS 6

static const Oid auto_types[AUTO_COLUMNS] = {UUIDOID, UUIDOID, UUIDOID, INT4OID, INT8OID, BOOLOID};

/* Conditions that mean nothing. */
pg_noreturn static void
bad_conditions(const char *key, const char *expected)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("\"%s\" of trigger_conditions must be %s", key, expected)));
}

/* A list of texts; one text is a list of one. */
static char **
parse_texts(const LsJsonMember *member, int *n)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	char **texts;

	*n = 0;
	if (member->value.type == jbvString)
	{
		texts = palloc(sizeof(char *));
		texts[(*n)++] = ls_json_scalar_text(&member->value);
		return texts;
	}
	if (member->value.type != jbvBinary || !JsonContainerIsArray(member->value.val.binary.data) ||
		JsonContainerSize(member->value.val.binary.data) == 0)
		bad_conditions(member->key, "a text or a list of texts");
	texts = palloc(sizeof(char *) * JsonContainerSize(member->value.val.binary.data));
	iterator = JsonbIteratorInit(member->value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvString)
			bad_conditions(member->key, "a text or a list of texts");
		texts[(*n)++] = ls_json_scalar_text(&value);
	}
	return texts;
}

/* A range of scores. */
static void
parse_score(AutoConditions *conditions, const LsJsonMember *member)
{
	LsJsonMember *members;
	int n;
	int i;

	if (member->value.type != jbvBinary || !JsonContainerIsObject(member->value.val.binary.data))
		bad_conditions(member->key, "an object with min, max");
	conditions->has_score = true;
	conditions->min_score = 0;
	conditions->max_score = 100;
	members = ls_json_members(ls_json_value_to_jsonb(&member->value), "score", &n);
	for (i = 0; i < n; i++)
	{
		int *limit = strcmp(members[i].key, "min") == 0   ? &conditions->min_score
					 : strcmp(members[i].key, "max") == 0 ? &conditions->max_score
														  : NULL;

		if (limit == NULL)
			ls_json_unknown_key("score", members[i].key, "min, max");
		if (!ls_json_int(&members[i].value, limit) || *limit < 0 || *limit > 100)
			bad_conditions(members[i].key, "a whole number from 0 to 100");
	}
	if (conditions->min_score > conditions->max_score)
		bad_conditions("min", "at most max");
}

/* true or false. */
static bool
parse_flag(const LsJsonMember *member)
{
	if (member->value.type != jbvBool)
		bad_conditions(member->key, "true or false");
	return member->value.val.boolean;
}

/* Temperatures that there are. */
static void
check_temperatures(const AutoConditions *conditions)
{
	static const char *const known[] = {"hot", "warm", "cool", "cold", "unrated"};
	int i;
	int j;

	for (i = 0; i < conditions->n_temperatures; i++)
	{
		for (j = 0; j < (int) lengthof(known); j++)
		{
			if (strcmp(known[j], conditions->temperatures[i]) == 0)
				break;
		}
		if (j == (int) lengthof(known))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							   errmsg("\"%s\" is not a temperature", conditions->temperatures[i]),
							   errhint("Temperatures are hot, warm, cool, cold and unrated.")));
	}
}

/* Parse trigger_conditions, in the current memory context. */
static void
parse_conditions(Jsonb *json, AutoConditions *conditions)
{
	LsJsonMember *members;
	int n;
	int i;

	memset(conditions, 0, sizeof(AutoConditions));
	members = ls_json_members(json, "trigger_conditions", &n);
	for (i = 0; i < n; i++)
	{
		const LsJsonMember *member = &members[i];

		if (strcmp(member->key, "lead_created") == 0)
			conditions->lead_created = parse_flag(member);
		else if (strcmp(member->key, "again") == 0)
			conditions->again = parse_flag(member);
		else if (strcmp(member->key, "status") == 0)
			conditions->statuses = parse_texts(member, &conditions->n_statuses);
		else if (strcmp(member->key, "temperature") == 0)
			conditions->temperatures = parse_texts(member, &conditions->n_temperatures);
		else if (strcmp(member->key, "tag") == 0)
			conditions->tags = parse_texts(member, &conditions->n_tags);
		else if (strcmp(member->key, "score") == 0)
			parse_score(conditions, member);
		else if (strcmp(member->key, "filter") == 0)
		{
			Jsonb *filter = ls_json_value_to_jsonb(&member->value);

			ls_nurture_filter_check(filter, "filter");
			if (!ls_nurture_filter_is_empty(filter))
				conditions->filter = ls_lead_filter_parse(filter);
		}
		else
			ls_json_unknown_key("trigger_conditions", member->key,
				"lead_created, status, temperature, score, tag, filter, again");
	}
	check_temperatures(conditions);
}

/* Refuse trigger_conditions that cannot be evaluated, or that name no event. */
void
ls_nurture_auto_check(Jsonb *json)
{
	AutoConditions conditions;

	parse_conditions(json, &conditions);
	if (JB_ROOT_COUNT(json) > 0 && !conditions.lead_created && !conditions.has_score &&
		conditions.n_statuses + conditions.n_temperatures + conditions.n_tags == 0)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("trigger_conditions name no event"),
				errhint("Events are lead_created, status, temperature, score and tag; "
						"NULL enrols nobody.")));
}

/* Read the sequences of an organisation into the cache. */
static void
read_sequences(AutoEntry *entry)
{
	LS_QUERY(query,
		"SELECT s.id, s.steps, s.trigger_conditions FROM lead_system.nurture_sequences s"
		" WHERE s.organization_id = $1 AND s.is_active AND s.trigger_conditions <> '{}'"
		" ORDER BY s.id",
		UUIDOID);
	LsArgs args = {0};
	LsScope scope;
	uint64 n;
	uint64 row;

	entry->n = 0;
	ls_arg_uuid(&args, &entry->org);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run_latest(&query, &args);
	entry->sequences = MemoryContextAllocZero(auto_cache.context, sizeof(AutoSequence) * (n + 1));
	for (row = 0; row < n; row++)
	{
		AutoSequence *sequence = &entry->sequences[row];
		MemoryContext caller;
		LsNurtureSteps steps;
		bool isnull;

		sequence->id = ls_result_uuid(row, 1);
		caller = MemoryContextSwitchTo(auto_cache.context);
		ls_nurture_steps_parse(DatumGetJsonbPCopy(ls_result(row, 2, &isnull)), &steps);
		parse_conditions(DatumGetJsonbPCopy(ls_result(row, 3, &isnull)), &sequence->conditions);
		MemoryContextSwitchTo(caller);
		sequence->first_step = steps.steps[0].number;
		sequence->first_delay = steps.steps[0].delay;
	}
	entry->n = (int) n;
	ls_scope_close(&scope);
}

/* The sequences of an organisation that enrol leads by themselves. */
static const AutoEntry *
sequences_of(const pg_uuid_t *org)
{
	AutoEntry *entry;
	bool found;

	if (!ls_cache_valid(&auto_cache) || auto_entries == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(AutoEntry);
		ctl.hcxt = ls_cache_renew(&auto_cache);
		auto_entries =
			hash_create("lead_system nurture", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(auto_entries, org, HASH_FIND, NULL);
	if (entry == NULL)
	{
		AutoEntry fresh = {.org = *org};

		read_sequences(&fresh);
		entry = hash_search(auto_entries, org, HASH_ENTER, &found);
		*entry = fresh;
	}
	return entry;
}

/* Is a text among some? */
static bool
is_among(const char *text, char **texts, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(texts[i], text) == 0)
			return true;
	}
	return false;
}

/* Did the lead enter one of some values of a column? */
static bool
enters(const LsLeadRow *old, const LsLeadRow *new, LsLeadColumn column, char **values, int n)
{
	char *value;

	if (n == 0 || (old != NULL && !ls_lead_differs(old, new, column)))
		return false;
	value = ls_lead_text(new, column);
	return value != NULL && is_among(value, values, n);
}

/* Has a lead one of some tags? */
static bool
has_tag(const LsLeadRow *row, char **tags, int n)
{
	bool isnull;
	Datum value = ls_lead_get(row, LEAD_tags, &isnull);
	Datum *elements;
	bool *nulls;
	int count;
	int i;

	if (isnull)
		return false;
	deconstruct_array(
		DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (i = 0; i < count; i++)
	{
		if (!nulls[i] && is_among(TextDatumGetCString(elements[i]), tags, n))
			return true;
	}
	return false;
}

/* Did the lead get a tag that it had not, of some? */
static bool
gets_tag(const LsLeadRow *old, const LsLeadRow *new, char **tags, int n)
{
	int i;

	if (n == 0 || (old != NULL && !ls_lead_differs(old, new, LEAD_tags)))
		return false;
	for (i = 0; i < n; i++)
	{
		if (has_tag(new, &tags[i], 1) && (old == NULL || !has_tag(old, &tags[i], 1)))
			return true;
	}
	return false;
}

/* Is the score within the range? */
static bool
in_range(const AutoConditions *conditions, const LsLeadRow *row)
{
	int score = ls_lead_int(row, LEAD_lead_score);

	return score >= conditions->min_score && score <= conditions->max_score;
}

/* Does a change of a lead enrol it? */
static bool
enrols(const AutoConditions *conditions, const LsLeadRow *old, const LsLeadRow *new)
{
	if (conditions->lead_created && old == NULL)
		return true;
	if (enters(old, new, LEAD_status, conditions->statuses, conditions->n_statuses) ||
		enters(old, new, LEAD_temperature, conditions->temperatures, conditions->n_temperatures))
		return true;
	if (conditions->has_score && in_range(conditions, new) &&
		(old == NULL || !in_range(conditions, old)))
		return true;
	return gets_tag(old, new, conditions->tags, conditions->n_tags);
}

/* Enrols leads; whoever may not be followed up is left out. */
static LsQuery *
enrol_query(void)
{
	LS_QUERY(query,
		"INSERT INTO lead_system.lead_sequence_enrollments"
		" (organization_id, lead_id, sequence_id, current_step, next_step_scheduled_at, enrolled_at)"
		" SELECT u.organization_id, u.lead_id, u.sequence_id, u.step,"
		"        $7 + u.delay * interval '1 microsecond', $7"
		"   FROM unnest($1, $2, $3, $4, $5, $6)"
		"        u(organization_id, lead_id, sequence_id, step, delay, again)"
		"  WHERE u.again OR NOT EXISTS (SELECT FROM lead_system.lead_sequence_enrollments e"
		"         WHERE e.organization_id = u.organization_id AND e.lead_id = u.lead_id"
		"           AND e.sequence_id = u.sequence_id)"
		"  ORDER BY u.lead_id, u.sequence_id"
		" ON CONFLICT (organization_id, lead_id, sequence_id) WHERE status IN ('active', 'paused')"
		" DO NOTHING",
		UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, INT4ARRAYOID, INT8ARRAYOID, BOOLARRAYOID,
		TIMESTAMPTZOID);

	return &query;
}

/* Note that a lead is to be enrolled in a sequence. */
static void
add_enrolment(
	LsLeadStatement *statement, LsBatch **batch, const LsLeadRow *row, const AutoSequence *sequence)
{
	Datum values[AUTO_COLUMNS];
	bool nulls[AUTO_COLUMNS] = {false};

	if (*batch == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(statement->context);
		LsArgs fixed = {0};

		ls_arg_timestamptz(&fixed, statement->now);
		*batch = ls_batch_create(enrol_query(), AUTO_COLUMNS, auto_types, &fixed);
		MemoryContextSwitchTo(caller);
	}
	values[0] = ls_lead_get(row, LEAD_organization_id, &nulls[0]);
	values[1] = ls_lead_get(row, LEAD_id, &nulls[1]);
	values[2] = UUIDPGetDatum(&sequence->id);
	values[3] = Int32GetDatum(sequence->first_step);
	values[4] = Int64GetDatum(sequence->first_delay);
	values[5] = BoolGetDatum(sequence->conditions.again);
	ls_batch_add(*batch, values, nulls);
}

/*
 * Of the leads' listener: enrol a lead that is new or has changed.  The caller
 * has seen that it may be followed up.
 */
void
ls_nurture_auto_row(
	LsLeadStatement *statement, LsBatch **batch, const LsLeadRow *old, const LsLeadRow *new)
{
	bool isnull;
	const pg_uuid_t *org = DatumGetUUIDP(ls_lead_get(new, LEAD_organization_id, &isnull));
	const AutoEntry *entry = sequences_of(org);
	int i;

	for (i = 0; i < entry->n; i++)
	{
		const AutoConditions *conditions = &entry->sequences[i].conditions;

		if (enrols(conditions, old, new) &&
			(conditions->filter == NULL ||
				ls_lead_filter_matches(conditions->filter, new, statement->now)))
			add_enrolment(statement, batch, new, &entry->sequences[i]);
	}
}

void
ls_nurture_auto_init(void)
{
	ls_cache_register(&auto_cache);
}
