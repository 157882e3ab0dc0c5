/*-------------------------------------------------------------------------
 *
 * filter.h
 *	  Filters of leads: jsonb, parsed once into a tree (semantics H).
 *
 *	  The same tree is evaluated on a row (filter_eval.c) and written as SQL
 *	  (filter_sql.c).  Both follow the logic of SQL, with "unknown" where a value
 *	  is NULL; a change of one must be made in the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_SEGMENTS_FILTER_H
#define LS_SEGMENTS_FILTER_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "core/input.h"
#include "leads/columns.h"

/*
 * What a test does.  The parser writes the other operators of a filter by these:
 * before and after, exists, the days, and the simple forms of like.
 */
typedef enum LsFilterOp
{
	LS_FILTER_EQ,
	LS_FILTER_NE,
	LS_FILTER_GT,
	LS_FILTER_GTE,
	LS_FILTER_LT,
	LS_FILTER_LTE,
	LS_FILTER_BETWEEN,
	LS_FILTER_IN,
	LS_FILTER_NOT_IN,
	LS_FILTER_IS_NULL,
	LS_FILTER_IS_NOT_NULL,
	LS_FILTER_LIKE,
	LS_FILTER_ILIKE,
	LS_FILTER_CONTAINS_ANY,
	LS_FILTER_CONTAINS_ALL,
	LS_FILTER_CONTAINS_NONE
} LsFilterOp;

typedef enum LsFilterKind
{
	LS_FILTER_AND,
	LS_FILTER_OR,
	LS_FILTER_NOT,
	LS_FILTER_TEST
} LsFilterKind;

/* A constant; a relative one is a distance from the time of evaluation. */
typedef struct LsFilterValue
{
	Datum value;
	bool is_relative;
	int64 distance; /* microseconds */
} LsFilterValue;

/* What a test reads. */
typedef struct LsFilterField
{
	const char *name; /* as the filter spells it */
	LsLeadColumn column;
	Datum path; /* text[] below a jsonb column; 0 for the column itself */
	int n_path;
	char **path_keys;
} LsFilterField;

typedef struct LsFilterNode
{
	LsFilterKind kind;
	/* and, or, not */
	int n_children;
	struct LsFilterNode **children;
	/* test */
	LsFilterField field;
	LsFilterOp op;
	Oid type;         /* of the comparison */
	bool is_relative; /* one of the values is */
	int n_values;
	LsFilterValue *values;
	LsFilterValue *sorted; /* the values of a long in or not_in; else NULL */
	Datum array;           /* the words of contains_*, a text[] */
	int n_words;
	Datum *words; /* the same, one by one */
} LsFilterNode;

/* A row is looked up among so many values, and more, by halves. */
#define LS_FILTER_MANY 16

#define LS_FILTER_WORDS ((LEAD_N_COLUMNS + 63) / 64)

typedef struct LsFilter
{
	LsFilterNode *root;
	uint64 columns[LS_FILTER_WORDS]; /* those that it reads */
	bool is_relative;                /* what it says changes with the time */
} LsFilter;

/* What a filter says of a row at all times. */
typedef enum LsFilterEver
{
	LS_FILTER_NEVER,
	LS_FILTER_ALWAYS,
	LS_FILTER_AT_TIMES /* or at none: the tests that move with the time decide */
} LsFilterEver;

/* SQL being written. */
typedef struct LsFilterSql
{
	StringInfoData text;
	bool literals; /* constants in the text, else as parameters */
	TimestampTz now;
	int n_params;
	int max_params;
	Oid *types;
	Datum *values;
} LsFilterSql;

/* filter_parse.c */
extern LsFilter *ls_lead_filter_parse(Jsonb *json);

/* filter_fields.c */
extern void ls_lead_filter_field(const char *name, LsFilterField *field);
extern Oid ls_lead_filter_type(const LsFilterField *field);
extern char *ls_lead_filter_path(const LsFilterField *field);

/* filter_values.c */
pg_noreturn extern void ls_lead_filter_bad_value(
	const LsFilterField *field, const char *detail, const char *hint);
extern LsFilterValue ls_lead_filter_value(
	const LsFilterField *field, Oid type, const JsonbValue *value);
extern LsFilterValue ls_lead_filter_days(const LsFilterField *field, const JsonbValue *value);
extern TimestampTz ls_lead_filter_at(TimestampTz now, int64 distance);

/* filter_eval.c */
extern bool ls_lead_filter_matches(const LsFilter *filter, const LsLeadRow *row, TimestampTz now);
extern LsFilterEver ls_lead_filter_ever_matches(const LsFilter *filter, const LsLeadRow *row);
extern int ls_lead_filter_compare(Oid type, Datum a, Datum b);
extern bool ls_lead_filter_is_number(const char *text, int length);

#define LS_FILTER_NUMBER_REGEX "^-?[0-9]{1,100}([.][0-9]{1,100})?$"
#define LS_FILTER_NUMBER_DIGITS 100

/* filter_sql.c */
extern void ls_lead_filter_sql_start(LsFilterSql *sql, bool literals, TimestampTz now);
extern int ls_lead_filter_sql_param(LsFilterSql *sql, Oid type, Datum value);
extern void ls_lead_filter_sql_where(LsFilterSql *sql, const LsFilter *filter, const char *table);
extern uint64 ls_lead_filter_sql_run(LsFilterSql *sql, bool read_only);

static inline bool
ls_lead_filter_reads(const LsFilter *filter, LsLeadColumn column)
{
	return (filter->columns[column / 64] & (UINT64CONST(1) << (column % 64))) != 0;
}

#endif /* LS_SEGMENTS_FILTER_H */
