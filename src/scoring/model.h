/*-------------------------------------------------------------------------
 *
 * model.h
 *	  Compiled scoring models, and the attributes that rules look at.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_SCORING_MODEL_H
#define LS_SCORING_MODEL_H

#include "leads/leads.h"

#define LS_SCORE_MAX_COMPONENTS 16
#define LS_SCORE_SIGNALS 5
#define LS_SCORE_CALLS 3 /* whose signals count (B4) */

typedef enum AttributeType
{
	ATTRIBUTE_TEXT,
	ATTRIBUTE_NUMBER,
	ATTRIBUTE_BOOLEAN,
	ATTRIBUTE_ANY /* metadata.*: as the value is */
} AttributeType;

/* What a rule sees of a lead: a value of one of the three types, or nothing. */
typedef struct AttributeValue
{
	bool isnull;
	AttributeType type;
	const char *text; /* not terminated */
	int text_len;
	double number;
	bool boolean;
} AttributeValue;

/* What is known of a lead besides its row. */
typedef struct ScoreExtras
{
	bool loaded;
	bool has_qualification;
	int interest;
	int authority;
	int budget;
	int need;
	int timing;
	int intent[LS_SCORE_SIGNALS]; /* calls, of the last three, in which a signal was heard */
} ScoreExtras;

/* A lead being scored. */
typedef struct ScoreSubject
{
	const LsLeadRow *row;
	const LsOrganization *organization;
	TimestampTz at;
	bool is_new;    /* not stored yet, hence without extras */
	bool is_locked; /* by us: what others committed before counts, too */
	ScoreExtras extras;
} ScoreSubject;

struct ScoreAttribute;
typedef void (*AttributeGetter)(
	const struct ScoreAttribute *attribute, ScoreSubject *subject, AttributeValue *value);

typedef struct ScoreAttribute
{
	const char *name;
	AttributeType type;
	AttributeGetter get;
	LsLeadColumn column; /* that it is read from, LEAD_NONE if from elsewhere */
	int detail;          /* for the getter */
	LsLeadColumn also;   /* that it may be inferred from; read when has_also */
	bool has_also;
} ScoreAttribute;

typedef enum ScoreOperator
{
	SCORE_EQ,
	SCORE_NE,
	SCORE_IN,
	SCORE_GT,
	SCORE_GTE,
	SCORE_LT,
	SCORE_LTE,
	SCORE_BETWEEN,
	SCORE_CONTAINS,
	SCORE_UNDER,
	SCORE_IS_SET,
	SCORE_ANY,
	SCORE_EACH,
	SCORE_N_OPERATORS
} ScoreOperator;

/* A constant that an attribute is compared with. */
typedef struct ScoreOperand
{
	AttributeType type;
	char *text;
	int text_len;
	double number;
	bool boolean;
} ScoreOperand;

typedef struct ScoreRule
{
	const ScoreAttribute *attribute;
	const char *metadata_key; /* for metadata.*, else NULL */
	ScoreOperator op;
	ScoreOperand *operands;
	int n_operands;
	int points;
	bool has_cap;
	int cap;
	char *description;
	bool alternative; /* looks at the same attribute as the rule before it */
} ScoreRule;

typedef struct ScoreComponent
{
	char *name;
	bool has_cap;
	int cap;
	bool has_floor;
	int floor;
	bool weighted;
	double weight; /* 0..1, of 100 points */
	bool optional;
	bool is_decay;
	double decay_factor; /* per period; 1 = none */
	ScoreRule *rules;
	int n_rules;
} ScoreComponent;

typedef struct ScoreThreshold
{
	const char *temperature;
	int min;
} ScoreThreshold;

typedef struct ScoreModel
{
	char *name;
	ScoreComponent components[LS_SCORE_MAX_COMPONENTS];
	int n_components;
	ScoreThreshold thresholds[3]; /* highest first; cold below */
	int n_thresholds;
	bool decays; /* scoring.decay */
	int decay_every_days;
	LsLeadColumn *columns; /* that rules read */
	int n_columns;
} ScoreModel;

typedef struct ScoreResult
{
	const ScoreModel *model;
	int raw;
	int score; /* raw cut to 0..100 */
	const char *temperature;
	int points[LS_SCORE_MAX_COMPONENTS];
} ScoreResult;

/* Told of every amount of points, when an explanation is wanted. */
typedef void (*ScoreTrace)(
	void *arg, const char *component, const char *rule, const char *value, int points);

/* attributes.c */
extern const ScoreAttribute *ls_score_attribute(const char *name, const char **metadata_key);
extern char *ls_score_attribute_names(void);
extern void ls_score_get(const ScoreRule *rule, ScoreSubject *subject, AttributeValue *value);
extern int ls_score_days_inactive(const ScoreSubject *subject);

/* extras.c */
extern void ls_score_load_extras(ScoreSubject *subject);
extern int ls_score_signal_number(const char *kind, int len);
extern const char *ls_score_signal_kinds(void);
extern void ls_score_extras_init(void);

/* model.c */
extern const ScoreModel *ls_score_model(const pg_uuid_t *org, const char *name, bool by_name);
extern const ScoreModel *ls_score_model_for(const ScoreSubject *subject);
extern void ls_score_model_init(void);

/* definition.c: parsing, shared by the compiler and the triggers */
extern ScoreOperator ls_score_operator(const char *name);
extern void ls_score_parse_components(Jsonb *json, ScoreModel *model);
extern void ls_score_parse_thresholds(Jsonb *json, ScoreModel *model);
extern void ls_score_parse_decay(Jsonb *json, ScoreModel *model);
extern void ls_score_parse_rule(ScoreRule *rule, const char *attribute, const char *op,
	Jsonb *operand, int points, bool has_cap, int cap);

/* evaluate.c */
extern void ls_score_evaluate(const ScoreModel *model, ScoreSubject *subject, ScoreResult *result,
	ScoreTrace trace, void *trace_arg);
extern Jsonb *ls_score_breakdown(const ScoreResult *result);

#endif /* LS_SCORING_MODEL_H */
