/*-------------------------------------------------------------------------
 *
 * checks.c
 *	  Triggers that refuse a scoring model or rule which cannot be computed,
 *	  when it is written and not when a lead comes in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/json.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "scoring/model.h"

/* A row of a rule table, for reading by column name. */
typedef struct RuleRow
{
	Relation rel;
	HeapTuple tuple;
} RuleRow;

/* A column of the row by name. */
static Datum
row_value(const RuleRow *row, const char *column, bool *isnull)
{
	return SPI_getbinval(
		row->tuple, RelationGetDescr(row->rel), ls_trigger_attnum(row->rel, column), isnull);
}

/* The same as text; NULL for null. */
static char *
row_text(const RuleRow *row, const char *column)
{
	bool isnull;
	Datum value = row_value(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* The same as jsonb; NULL for null. */
static Jsonb *
row_json(const RuleRow *row, const char *column)
{
	bool isnull;
	Datum value = row_value(row, column, &isnull);

	return isnull ? NULL : DatumGetJsonbP(value);
}

/*
 * The weights of the weighted components must divide the whole: each has one,
 * and together they make 1.
 */
static void
check_weights(const ScoreModel *model, const pg_uuid_t *org)
{
	Jsonb *weights = ls_config_get(org, "lead_scoring_weights");
	double sum = 0;
	int weighted = 0;
	int i;

	for (i = 0; i < model->n_components; i++)
	{
		const ScoreComponent *component = &model->components[i];
		JsonbValue *value;
		double weight = 0;

		if (!component->weighted)
			continue;
		value = ls_json_get(weights, component->name);
		if (value == NULL || !ls_json_number(value, &weight))
			ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("component \"%s\" has no weight", component->name),
					errdetail(
						"Weights are those of the setting lead_scoring_weights: qualification, "
						"engagement, intent, demographic.")));
		sum += weight;
		weighted++;
	}
	if (weighted > 0 && fabs(sum - 1.0) > 1e-9)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the weights of the weighted components add up to %g, not 1", sum),
				errhint(
					"All of qualification, engagement, intent and demographic must be weighted.")));
}

/* Rules of the model must not lose their component. */
static void
check_rules_keep_component(const ScoreModel *model, const pg_uuid_t *id, const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT DISTINCT component FROM lead_system.scoring_rules"
		" WHERE model_id = $1 AND organization_id IS NOT DISTINCT FROM $2",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	char *lost = NULL;
	uint64 n;
	uint64 row;

	ls_arg_uuid(&args, id);
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < n && lost == NULL; row++)
	{
		char *name = ls_result_text(row, 1);
		int i;

		for (i = 0; i < model->n_components; i++)
		{
			if (strcmp(model->components[i].name, name) == 0)
				break;
		}
		if (i == model->n_components)
			lost = name;
	}
	ls_scope_close(&scope);
	if (lost != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("component \"%s\" is used by rules of the model", lost),
						   errhint("Delete its rules first.")));
}

PG_FUNCTION_INFO_V1(ls_scoring_models_check);

/* scoring_models_check(): BEFORE row trigger of scoring_models. */
Datum
ls_scoring_models_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "scoring_models_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "scoring_models");
	RuleRow row = {trigdata->tg_relation, ls_trigger_new_tuple(trigdata)};
	Jsonb *components = row_json(&row, "components");
	Jsonb *thresholds = row_json(&row, "thresholds");
	ScoreModel *model = palloc0(sizeof(ScoreModel));
	bool org_null;
	bool id_null;
	Datum org_value = row_value(&row, "organization_id", &org_null);
	Datum id = row_value(&row, "id", &id_null);
	const pg_uuid_t *org = org_null ? NULL : DatumGetUUIDP(org_value);

	ls_check_row_org(row.rel, org);
	/* NULLs are left to the columns' own constraints. */
	if (components == NULL || thresholds == NULL || id_null)
		return PointerGetDatum(row.tuple);
	ls_score_parse_components(components, model);
	ls_score_parse_thresholds(thresholds, model);
	ls_score_parse_decay(row_json(&row, "decay"), model);
	check_weights(model, org);
	check_rules_keep_component(model, DatumGetUUIDP(id), org);
	return PointerGetDatum(row.tuple);
}

/* The component of a rule must be one of its model's; same_owner() has seen the model. */
static void
check_component(const char *component, Datum model_id, Datum org, bool org_null)
{
	LS_QUERY(query,
		"SELECT components FROM lead_system.scoring_models"
		" WHERE id = $1 AND organization_id IS NOT DISTINCT FROM $2",
		UUIDOID, UUIDOID);
	ScoreModel *model = palloc0(sizeof(ScoreModel));
	StringInfoData names;
	LsScope scope;
	LsArgs args = {0};
	bool found = false;
	int i;

	initStringInfo(&names);
	ls_arg_datum(&args, model_id, false);
	ls_arg_datum(&args, org, org_null);
	ls_scope_open(&scope, LS_AS_OWNER);
	if (ls_query_run(&query, &args, LS_WRITE) > 0)
	{
		bool isnull;

		ls_score_parse_components(DatumGetJsonbPCopy(ls_result(0, 1, &isnull)), model);
		for (i = 0; i < model->n_components; i++)
		{
			found = found || strcmp(model->components[i].name, component) == 0;
			appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", model->components[i].name);
		}
	}
	else
		found = true; /* no such model: left to the foreign key */
	ls_scope_close(&scope);
	if (!found)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("the model has no component \"%s\"", component),
						   errhint("Its components are: %s.", names.data)));
}

PG_FUNCTION_INFO_V1(ls_scoring_rules_check);

/* scoring_rules_check(): BEFORE row trigger of scoring_rules. */
Datum
ls_scoring_rules_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "scoring_rules_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "scoring_rules");
	RuleRow row = {trigdata->tg_relation, ls_trigger_new_tuple(trigdata)};
	char *component = row_text(&row, "component");
	char *attribute = row_text(&row, "attribute");
	char *op = row_text(&row, "operator");
	bool points_null;
	bool cap_null;
	bool model_null;
	bool org_null;
	Datum points = row_value(&row, "points", &points_null);
	Datum cap = row_value(&row, "cap", &cap_null);
	Datum model_id = row_value(&row, "model_id", &model_null);
	Datum org = row_value(&row, "organization_id", &org_null);
	ScoreRule rule;

	/* NULLs are left to the columns' own constraints. */
	if (component == NULL || attribute == NULL || op == NULL || points_null || model_null)
		return PointerGetDatum(row.tuple);
	ls_score_parse_rule(&rule, attribute, op, row_json(&row, "operand"), DatumGetInt32(points),
		!cap_null, cap_null ? 0 : DatumGetInt32(cap));
	check_component(component, model_id, org, org_null);
	return PointerGetDatum(row.tuple);
}

PG_FUNCTION_INFO_V1(ls_scoring_changed);

/*
 * scoring_changed(): AFTER statement triggers of the tables that models are
 * made of, with the rows in a transition table changed_rows.  A recalculation
 * that is under way has used the old rules, so it starts over: that of the
 * organisations whose rules they are, or of all if the rules are built in.
 *
 * The rows before and after an UPDATE are of one organisation, since no level
 * may change organization_id; a superuser who does so starts it by hand.
 */
Datum
ls_scoring_changed(PG_FUNCTION_ARGS)
{
	static const char *const of_rows[] = {
		"DELETE FROM lead_system.scoring_runs r"
		" WHERE r.finished_at IS NULL AND EXISTS (SELECT 1 FROM changed_rows c"
		"   WHERE c.organization_id IS NULL OR c.organization_id = r.organization_id)",
		NULL};
	static const char *const of_all[] = {
		"DELETE FROM lead_system.scoring_runs WHERE finished_at IS NULL", NULL};
	TriggerData *trigdata = ls_trigger_check(
		fcinfo, "scoring_changed", LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_ANY_EVENT, NULL);
	bool truncated = TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event);

	CacheInvalidateRelcache(trigdata->tg_relation);
	ls_transition_run(trigdata, truncated ? of_all : of_rows, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}
