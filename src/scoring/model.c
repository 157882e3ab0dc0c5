/*-------------------------------------------------------------------------
 *
 * model.c
 *	  The cache of compiled scoring models.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/config.h"
#include "core/json.h"
#include "core/query.h"
#include "scoring/model.h"

typedef struct ModelKey
{
	pg_uuid_t org;
	char name[NAMEDATALEN];
	bool by_name; /* asked for by name: a shadow model will do */
} ModelKey;

typedef struct ModelEntry
{
	ModelKey key;
	ScoreModel *model; /* NULL: there is none of that name */
} ModelEntry;

static LsCache model_cache = {
	.name = "scoring models", .relations = {"scoring_models", "scoring_rules", "system_config"}};
static HTAB *model_hash = NULL;

/* Take the weights of the organisation (B6). */
static void
apply_weights(ScoreModel *model, const pg_uuid_t *org)
{
	Jsonb *weights = ls_config_get(org, "lead_scoring_weights");
	int i;

	for (i = 0; i < model->n_components; i++)
	{
		ScoreComponent *component = &model->components[i];
		JsonbValue *weight = component->weighted ? ls_json_get(weights, component->name) : NULL;

		if (weight != NULL)
			(void) ls_json_number(weight, &component->weight);
	}
}

/* Note that rules read a column. */
static void
add_column(ScoreModel *model, LsLeadColumn column)
{
	int i;

	for (i = 0; i < model->n_columns; i++)
	{
		if (model->columns[i] == column)
			return;
	}
	if (column != LEAD_NONE)
		model->columns[model->n_columns++] = column;
}

/* The component that a rule belongs to. */
static ScoreComponent *
rule_component(ScoreModel *model, const char *name)
{
	int i;

	for (i = 0; i < model->n_components; i++)
	{
		if (strcmp(model->components[i].name, name) == 0)
			return &model->components[i];
	}
	return NULL;
}

/*
 * Load the rules.  The query returns rules that look at the same attribute of
 * a component together, the groups in the order of their first rules.
 */
static void
load_rules(ScoreModel *model, const LsArgs *args)
{
	LS_QUERY(query,
		"SELECT r.component, r.attribute, r.operator, r.operand, r.points, r.cap"
		"  FROM (SELECT x.*, min(x.position) OVER (PARTITION BY x.component, x.attribute) AS first"
		"          FROM lead_system.scoring_rules x"
		"         WHERE x.model_id = $1 AND x.organization_id IS NOT DISTINCT FROM $2) r"
		" ORDER BY r.component, r.first, r.attribute, r.position, r.id",
		UUIDOID, UUIDOID);
	uint64 n = ls_query_run_latest(&query, args);
	uint64 row;
	const char *previous_attribute = "";

	for (row = 0; row < n; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(model_cache.context);
		ScoreComponent *component = rule_component(model, ls_result_text(row, 1));
		char *attribute = MemoryContextStrdup(model_cache.context, ls_result_text(row, 2));
		bool no_operand;
		bool no_cap;
		Datum operand = ls_result(row, 4, &no_operand);
		Datum cap = ls_result(row, 6, &no_cap);
		ScoreRule *rule;

		if (component != NULL)
		{
			if (component->rules == NULL)
				component->rules = palloc0(sizeof(ScoreRule) * n);
			rule = &component->rules[component->n_rules];
			ls_score_parse_rule(rule, attribute, ls_result_text(row, 3),
				no_operand ? NULL : DatumGetJsonbPCopy(operand), ls_result_int32(row, 5), !no_cap,
				no_cap ? 0 : DatumGetInt32(cap));
			rule->alternative =
				component->n_rules > 0 && strcmp(attribute, previous_attribute) == 0;
			component->n_rules++;
			add_column(model, rule->attribute->column);
			if (rule->attribute->has_also)
				add_column(model, rule->attribute->also);
			previous_attribute = attribute;
		}
		MemoryContextSwitchTo(old);
	}
}

/* Fill a model from the row that was found. */
static ScoreModel *
compile(const pg_uuid_t *org)
{
	MemoryContext old = MemoryContextSwitchTo(model_cache.context);
	ScoreModel *model = palloc0(sizeof(ScoreModel));
	LsArgs args = {0};
	pg_uuid_t id = ls_result_uuid(0, 1);
	pg_uuid_t owner;
	bool built_in;
	bool isnull;
	Datum value = ls_result(0, 2, &built_in);

	if (!built_in)
		owner = *DatumGetUUIDP(value);
	model->name = pstrdup(ls_result_text(0, 3));
	ls_score_parse_components(DatumGetJsonbPCopy(ls_result(0, 4, &isnull)), model);
	ls_score_parse_thresholds(DatumGetJsonbPCopy(ls_result(0, 5, &isnull)), model);
	value = ls_result(0, 6, &isnull);
	ls_score_parse_decay(isnull ? NULL : DatumGetJsonbPCopy(value), model);
	model->columns = palloc(sizeof(LsLeadColumn) * LEAD_N_COLUMNS);
	add_column(model, LEAD_created_at);
	if (model->decay_every_days > 0)
		add_column(model, LEAD_last_activity_at);
	MemoryContextSwitchTo(old);

	ls_arg_uuid(&args, &id);
	ls_arg_uuid(&args, built_in ? NULL : &owner);
	load_rules(model, &args);
	model->decays = ls_config_bool(org, "scoring.decay");
	apply_weights(model, org);
	return model;
}

/* Load a model for an organisation: its own before a built-in one. */
static ScoreModel *
model_load(const pg_uuid_t *org, const char *name, bool by_name)
{
	LS_QUERY(query,
		"SELECT id, organization_id, name, components, thresholds, decay"
		"  FROM lead_system.scoring_models"
		" WHERE name = $2 AND is_active AND ($3 OR NOT is_shadow) AND (organization_id = $1 OR organization_id IS NULL)"
		" ORDER BY organization_id NULLS LAST LIMIT 1",
		UUIDOID, TEXTOID, BOOLOID);
	ScoreModel *model = NULL;
	LsScope scope;
	LsArgs args = {0};

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, name);
	ls_arg_bool(&args, by_name);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run_latest(&query, &args) > 0)
		model = compile(org);
	ls_scope_close(&scope);
	return model;
}

/*
 * The model of a name for an organisation; NULL when there is none.  "by_name"
 * when the caller named it, who may mean a shadow model.  The answer stays
 * readable until the end of the transaction.
 */
const ScoreModel *
ls_score_model(const pg_uuid_t *org, const char *name, bool by_name)
{
	ModelKey key;
	ModelEntry *entry;
	ScoreModel *model;

	if (strlen(name) >= sizeof(key.name))
		return NULL; /* longer than a name can be */
	if (!ls_cache_valid(&model_cache))
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(ModelKey);
		ctl.entrysize = sizeof(ModelEntry);
		ctl.hcxt = ls_cache_renew(&model_cache);
		model_hash = hash_create(
			"lead_system scoring models", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	memset(&key, 0, sizeof(key));
	key.org = *org;
	strlcpy(key.name, name, sizeof(key.name));
	key.by_name = by_name;
	entry = hash_search(model_hash, &key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->model;
	model = model_load(org, name, by_name);
	entry = hash_search(model_hash, &key, HASH_ENTER, NULL);
	entry->model = model;
	return model;
}

/*
 * The model that applies to a lead (B10): b2b when the form was filled in, in
 * any part, else banti.
 */
const ScoreModel *
ls_score_model_for(const ScoreSubject *subject)
{
	static const LsLeadColumn form[] = {
		LEAD_company_size, LEAD_industry, LEAD_inquiry_type, LEAD_budget_timeline};
	const char *name = "banti";
	const ScoreModel *model;
	int i;

	for (i = 0; i < (int) lengthof(form); i++)
	{
		if (!ls_lead_isnull(subject->row, form[i]) && *ls_lead_text(subject->row, form[i]) != '\0')
			name = "b2b";
	}
	model = ls_score_model(&subject->organization->id, name, false);
	if (model == NULL)
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("there is no active scoring model \"%s\"", name),
					   errhint("CALL %s.install() brings the built-in models back.", LS_SCHEMA)));
	return model;
}

void
ls_score_model_init(void)
{
	ls_cache_register(&model_cache);
}
