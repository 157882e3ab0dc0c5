/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  From the rows of a scoring model to the compiled form.
 *
 *	  The triggers that refuse a bad definition and the compiler share this
 *	  code, so whatever could be written can be computed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/json.h"
#include "scoring/model.h"

static const char *const operator_names[SCORE_N_OPERATORS] = {"eq", "ne", "in", "gt", "gte", "lt",
	"lte", "between", "contains", "under", "is_set", "any", "each"};

/* A definition that cannot be computed. */
static void
bad_definition(const char *message, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message),
					   detail ? errdetail("%s", detail) : 0));
}

/* An operator by name; SCORE_N_OPERATORS when there is none of that name. */
ScoreOperator
ls_score_operator(const char *name)
{
	int i;

	for (i = 0; i < SCORE_N_OPERATORS; i++)
	{
		if (strcmp(operator_names[i], name) == 0)
			break;
	}
	return (ScoreOperator) i;
}

/* A whole number of points in a definition. */
static int
definition_int(const LsJsonMember *member)
{
	int number;

	if (!ls_json_int(&member->value, &number) || number < -1000 || number > 1000)
		bad_definition(
			psprintf("\"%s\" must be a whole number from -1000 to 1000", member->key), NULL);
	return number;
}

/* true or false in a definition. */
static bool
definition_bool(const LsJsonMember *member)
{
	if (member->value.type != jbvBool)
		bad_definition(psprintf("\"%s\" must be true or false", member->key), NULL);
	return member->value.val.boolean;
}

/* One member of a component. */
static void
parse_component_member(ScoreComponent *component, const LsJsonMember *member)
{
	if (strcmp(member->key, "name") == 0)
	{
		if (member->value.type != jbvString || member->value.val.string.len == 0)
			bad_definition("a component's name must be a text", NULL);
		component->name = ls_json_scalar_text(&member->value);
	}
	else if (strcmp(member->key, "cap") == 0)
	{
		component->has_cap = true;
		component->cap = definition_int(member);
	}
	else if (strcmp(member->key, "floor") == 0)
	{
		component->has_floor = true;
		component->floor = definition_int(member);
	}
	else if (strcmp(member->key, "weighted") == 0)
		component->weighted = definition_bool(member);
	else if (strcmp(member->key, "optional") == 0)
		component->optional = definition_bool(member);
	else if (strcmp(member->key, "decay") == 0)
		component->is_decay = definition_bool(member);
	else
		ls_json_unknown_key(
			"component", member->key, "name, cap, floor, weighted, optional, decay");
}

/* One component; it must be computable by itself. */
static void
parse_component(ScoreModel *model, const JsonbValue *value)
{
	ScoreComponent *component = &model->components[model->n_components];
	LsJsonMember *members;
	int n;
	int i;

	if (model->n_components == LS_SCORE_MAX_COMPONENTS)
		bad_definition(
			psprintf("a scoring model has at most %d components", LS_SCORE_MAX_COMPONENTS), NULL);
	if (value->type != jbvBinary)
		bad_definition("each component must be a JSON object", NULL);
	memset(component, 0, sizeof(ScoreComponent));
	component->decay_factor = 1.0;
	members = ls_json_members(ls_json_value_to_jsonb(value), "component", &n);
	for (i = 0; i < n; i++)
		parse_component_member(component, &members[i]);
	if (component->name == NULL)
		bad_definition("a component has no name", NULL);
	if (component->weighted && (!component->has_cap || component->cap <= 0))
		bad_definition(psprintf("weighted component \"%s\" needs a positive cap", component->name),
			"Its points are scaled from the cap to its share of 100.");
	if (component->has_cap && component->has_floor && component->floor > component->cap)
		bad_definition(
			psprintf("floor of component \"%s\" is above its cap", component->name), NULL);
	for (i = 0; i < model->n_components; i++)
	{
		if (strcmp(model->components[i].name, component->name) == 0)
			bad_definition(
				psprintf("component \"%s\" is there more than once", component->name), NULL);
	}
	model->n_components++;
}

/* scoring_models.components */
void
ls_score_parse_components(Jsonb *json, ScoreModel *model)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json) || JB_ROOT_COUNT(json) == 0)
		bad_definition("components must be a JSON array with at least one object", NULL);
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			parse_component(model, &value);
	}
}

/* scoring_models.thresholds: in the order hot, warm, cool, each below the last. */
void
ls_score_parse_thresholds(Jsonb *json, ScoreModel *model)
{
	static const char *const names[] = {"hot", "warm", "cool"};
	LsJsonMember *members;
	int n;
	int i;
	int j;
	int found = 0;

	members = ls_json_members(json, "thresholds", &n);
	model->n_thresholds = 0;
	for (i = 0; i < (int) lengthof(names); i++)
	{
		for (j = 0; j < n; j++)
		{
			ScoreThreshold *threshold = &model->thresholds[model->n_thresholds];

			if (strcmp(members[j].key, names[i]) != 0)
				continue;
			threshold->temperature = names[i];
			threshold->min = definition_int(&members[j]);
			if (threshold->min < 1 || threshold->min > 100 ||
				(found > 0 && threshold->min >= threshold[-1].min))
				bad_definition(
					"thresholds must be between 1 and 100 and fall from hot to cool", NULL);
			model->n_thresholds++;
			found++;
		}
	}
	for (j = 0; j < n; j++)
	{
		if (strcmp(members[j].key, "hot") != 0 && strcmp(members[j].key, "warm") != 0 &&
			strcmp(members[j].key, "cool") != 0)
			ls_json_unknown_key("thresholds", members[j].key, "hot, warm, cool");
	}
}

/* The component that a name refers to. */
static ScoreComponent *
find_component(ScoreModel *model, const char *name)
{
	int i;

	for (i = 0; i < model->n_components; i++)
	{
		if (strcmp(model->components[i].name, name) == 0)
			return &model->components[i];
	}
	return NULL;
}

/* decay.factors: what remains of a component after one period. */
static void
parse_factors(const JsonbValue *value, ScoreModel *model)
{
	LsJsonMember *members;
	int n;
	int i;

	if (value->type != jbvBinary)
		bad_definition("\"factors\" of decay must be a JSON object", NULL);
	members = ls_json_members(ls_json_value_to_jsonb(value), "factors", &n);
	for (i = 0; i < n; i++)
	{
		ScoreComponent *component = find_component(model, members[i].key);
		double factor;

		if (component == NULL)
			bad_definition(
				psprintf("decay refers to unknown component \"%s\"", members[i].key), NULL);
		if (!ls_json_number(&members[i].value, &factor) || factor < 0 || factor > 1)
			bad_definition(
				psprintf("decay factor of component \"%s\" must be from 0 to 1", members[i].key),
				NULL);
		component->decay_factor = factor;
	}
}

/* scoring_models.decay; parsed after the components. */
void
ls_score_parse_decay(Jsonb *json, ScoreModel *model)
{
	LsJsonMember *members;
	int n;
	int i;

	if (json == NULL)
		return;
	members = ls_json_members(json, "decay", &n);
	for (i = 0; i < n; i++)
	{
		if (strcmp(members[i].key, "every_days") == 0)
		{
			model->decay_every_days = definition_int(&members[i]);
			if (model->decay_every_days < 1)
				bad_definition("\"every_days\" of decay must be at least 1", NULL);
		}
		else if (strcmp(members[i].key, "factors") == 0)
			parse_factors(&members[i].value, model);
		else
			ls_json_unknown_key("decay", members[i].key, "every_days, factors");
	}
	if (model->decay_every_days == 0)
		bad_definition("decay needs \"every_days\"", NULL);
}

/* One constant of a rule. */
static void
parse_operand(ScoreRule *rule, const JsonbValue *value)
{
	ScoreOperand *operand = &rule->operands[rule->n_operands++];
	AttributeType want = rule->attribute->type;

	if (value->type == jbvString)
	{
		operand->type = ATTRIBUTE_TEXT;
		operand->text = ls_json_scalar_text(value);
		operand->text_len = strlen(operand->text);
	}
	else if (value->type == jbvBool)
	{
		operand->type = ATTRIBUTE_BOOLEAN;
		operand->boolean = value->val.boolean;
	}
	else if (ls_json_number(value, &operand->number))
		operand->type = ATTRIBUTE_NUMBER;
	else
		bad_definition("an operand must be a text, a number, true or false", NULL);
	if (want != ATTRIBUTE_ANY && want != operand->type)
		bad_definition(
			psprintf("operand does not have the type of attribute \"%s\"", rule->attribute->name),
			NULL);
}

/* All constants of a rule: one, or the elements of an array. */
static void
parse_operands(ScoreRule *rule, Jsonb *json)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (json == NULL)
		return;
	if (JB_ROOT_IS_OBJECT(json))
		bad_definition("an operand must be a text, a number, true or false", NULL);
	rule->operands = palloc0(sizeof(ScoreOperand) * Max(JB_ROOT_COUNT(json), 1));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			parse_operand(rule, &value);
	}
}

/* Is an operator about numbers? */
static bool
compares_numbers(ScoreOperator op)
{
	return op == SCORE_GT || op == SCORE_GTE || op == SCORE_LT || op == SCORE_LTE ||
		   op == SCORE_BETWEEN || op == SCORE_EACH;
}

/* Is an operator about texts? */
static bool
compares_texts(ScoreOperator op)
{
	return op == SCORE_CONTAINS || op == SCORE_UNDER;
}

/* Does the operator have the operands, and the attribute the type, it needs? */
static void
check_operator(ScoreRule *rule, Jsonb *json)
{
	bool is_array = json != NULL && JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json);
	AttributeType type = rule->attribute->type;
	const char *name = operator_names[rule->op];

	switch (rule->op)
	{
		case SCORE_IN:
			if (!is_array || rule->n_operands == 0)
				bad_definition("operator \"in\" needs an array of values", NULL);
			break;
		case SCORE_BETWEEN:
			if (!is_array || rule->n_operands != 2 || rule->operands[0].type != ATTRIBUTE_NUMBER ||
				rule->operands[1].type != ATTRIBUTE_NUMBER ||
				rule->operands[0].number > rule->operands[1].number)
				bad_definition(
					"operator \"between\" needs an array of two numbers, the lower first", NULL);
			break;
		case SCORE_IS_SET:
		case SCORE_ANY:
		case SCORE_EACH:
			if (json != NULL)
				bad_definition(psprintf("operator \"%s\" takes no operand", name), NULL);
			break;
		default:
			if (is_array || rule->n_operands != 1)
				bad_definition(psprintf("operator \"%s\" needs one value", name), NULL);
	}
	if (compares_numbers(rule->op) && type != ATTRIBUTE_NUMBER && type != ATTRIBUTE_ANY)
		bad_definition(psprintf("operator \"%s\" does not apply to attribute \"%s\"", name,
						   rule->attribute->name),
			"It compares numbers.");
	if (compares_texts(rule->op) && type != ATTRIBUTE_TEXT && type != ATTRIBUTE_ANY)
		bad_definition(psprintf("operator \"%s\" does not apply to attribute \"%s\"", name,
						   rule->attribute->name),
			"It compares texts.");
	if (compares_numbers(rule->op) && rule->n_operands > 0 &&
		rule->operands[0].type != ATTRIBUTE_NUMBER)
		bad_definition(psprintf("operator \"%s\" needs a number", name), NULL);
	if (compares_texts(rule->op) && rule->operands[0].type != ATTRIBUTE_TEXT)
		bad_definition(psprintf("operator \"%s\" needs a text", name), NULL);
	if (rule->has_cap && rule->op != SCORE_EACH)
		bad_definition("only a rule with operator \"each\" has a cap", NULL);
}

/* What a rule says, for explanations. */
static char *
describe(const ScoreRule *rule, const char *attribute, Jsonb *operand)
{
	static const char *const words[SCORE_N_OPERATORS] = {"=", "<>", "in", ">", ">=", "<",
		"<=", "between", "contains", "under", "is set", "has any value", "for each of"};

	if (rule->op == SCORE_EACH)
		return psprintf("%d for each of %s", rule->points, attribute);
	if (operand == NULL)
		return psprintf("%s %s", attribute, words[rule->op]);
	return psprintf("%s %s %s", attribute, words[rule->op], ls_json_text(operand));
}

/* Compile one row of scoring_rules; refuses what cannot be computed. */
void
ls_score_parse_rule(ScoreRule *rule, const char *attribute, const char *op, Jsonb *operand,
	int points, bool has_cap, int cap)
{
	memset(rule, 0, sizeof(ScoreRule));
	rule->attribute = ls_score_attribute(attribute, &rule->metadata_key);
	if (rule->attribute == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("unrecognized attribute \"%s\"", attribute),
						   errhint("Attributes are: %s.", ls_score_attribute_names())));
	rule->op = ls_score_operator(op);
	if (rule->op == SCORE_N_OPERATORS)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized operator \"%s\"", op),
				errhint(
					"Operators are: eq, ne, in, gt, gte, lt, lte, between, contains, under, is_set, "
					"any, each.")));
	rule->points = points;
	rule->has_cap = has_cap;
	rule->cap = cap;
	parse_operands(rule, operand);
	check_operator(rule, operand);
	rule->description = describe(rule, attribute, operand);
}
