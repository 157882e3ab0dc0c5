/*-------------------------------------------------------------------------
 *
 * columns.h
 *	  The columns of leads, as C knows them.
 *
 *	  The table belongs to the user, who may have added columns, so a column's
 *	  number is looked up by name, once per backend.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_COLUMNS_H
#define LS_LEADS_COLUMNS_H

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "utils/relcache.h"

/* May be set through jsonb and CSV. */
#define LS_LEAD_INPUT 0x01
/* Kept by the extension itself, hence not audited. */
#define LS_LEAD_DERIVED 0x02
/* Stamped by a status step; audited only when changed without one. */
#define LS_LEAD_STAMP 0x04
/* The number of times something happened; an increase is activity of the lead. */
#define LS_LEAD_ENGAGEMENT 0x08
/* Set by what comes in through jsonb and CSV, but never cleared by it. */
#define LS_LEAD_STICKY 0x10
/* Guarded by who the caller is, hence not set by imports, which write as the owner. */
#define LS_LEAD_BY_CALLER 0x20

#define LS_LEAD_COLUMNS(X) \
	X(organization_id, UUIDOID, 0) \
	X(id, UUIDOID, LS_LEAD_INPUT) \
	X(first_name, TEXTOID, LS_LEAD_INPUT) \
	X(last_name, TEXTOID, LS_LEAD_INPUT) \
	X(company_name, TEXTOID, LS_LEAD_INPUT) \
	X(email, TEXTOID, LS_LEAD_INPUT) \
	X(phone_number, TEXTOID, LS_LEAD_INPUT) \
	X(address, TEXTOID, LS_LEAD_INPUT) \
	X(city, TEXTOID, LS_LEAD_INPUT) \
	X(state, TEXTOID, LS_LEAD_INPUT) \
	X(zip_code, TEXTOID, LS_LEAD_INPUT) \
	X(country, TEXTOID, LS_LEAD_INPUT) \
	X(timezone, TEXTOID, LS_LEAD_INPUT) \
	X(company_size, TEXTOID, LS_LEAD_INPUT) \
	X(industry, TEXTOID, LS_LEAD_INPUT) \
	X(inquiry_type, TEXTOID, LS_LEAD_INPUT) \
	X(budget_timeline, TEXTOID, LS_LEAD_INPUT) \
	X(current_solution, TEXTOID, LS_LEAD_INPUT) \
	X(message, TEXTOID, LS_LEAD_INPUT) \
	X(title, TEXTOID, LS_LEAD_INPUT) \
	X(description, TEXTOID, LS_LEAD_INPUT) \
	X(service_type, TEXTOID, LS_LEAD_INPUT) \
	X(urgency, TEXTOID, LS_LEAD_INPUT) \
	X(budget_min, NUMERICOID, LS_LEAD_INPUT) \
	X(budget_max, NUMERICOID, LS_LEAD_INPUT) \
	X(category_id, UUIDOID, LS_LEAD_INPUT) \
	X(linkedin_url, TEXTOID, LS_LEAD_INPUT) \
	X(company_website, TEXTOID, LS_LEAD_INPUT) \
	X(company_revenue, TEXTOID, LS_LEAD_INPUT) \
	X(enrichment_status, TEXTOID, LS_LEAD_INPUT) \
	X(pipeline_id, UUIDOID, LS_LEAD_INPUT) \
	X(status, TEXTOID, LS_LEAD_INPUT) \
	X(stage, TEXTOID, LS_LEAD_DERIVED) \
	X(pipeline_stage, TEXTOID, LS_LEAD_DERIVED) \
	X(status_changed_at, TIMESTAMPTZOID, LS_LEAD_DERIVED) \
	X(contacted_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_STAMP) \
	X(qualified_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_STAMP) \
	X(quoted_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_STAMP) \
	X(booked_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_STAMP) \
	X(completed_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_STAMP) \
	X(lost_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_STAMP) \
	X(lost_reason, TEXTOID, LS_LEAD_INPUT) \
	X(quoted_amount, NUMERICOID, LS_LEAD_INPUT) \
	X(actual_amount, NUMERICOID, LS_LEAD_INPUT) \
	X(lead_score, INT4OID, LS_LEAD_DERIVED) \
	X(raw_score, INT4OID, LS_LEAD_DERIVED) \
	X(score_breakdown, JSONBOID, LS_LEAD_DERIVED) \
	X(temperature, TEXTOID, LS_LEAD_DERIVED) \
	X(scored_at, TIMESTAMPTZOID, LS_LEAD_DERIVED) \
	X(scoring_model, TEXTOID, LS_LEAD_DERIVED) \
	X(assigned_to, UUIDOID, LS_LEAD_INPUT) \
	X(priority_flag, BOOLOID, LS_LEAD_INPUT) \
	X(email_reply_count, INT4OID, LS_LEAD_INPUT | LS_LEAD_DERIVED | LS_LEAD_ENGAGEMENT) \
	X(email_open_count, INT4OID, LS_LEAD_INPUT | LS_LEAD_DERIVED | LS_LEAD_ENGAGEMENT) \
	X(link_click_count, INT4OID, LS_LEAD_INPUT | LS_LEAD_DERIVED | LS_LEAD_ENGAGEMENT) \
	X(sms_reply_count, INT4OID, LS_LEAD_INPUT | LS_LEAD_DERIVED | LS_LEAD_ENGAGEMENT) \
	X(pricing_page_visits, INT4OID, LS_LEAD_INPUT | LS_LEAD_DERIVED | LS_LEAD_ENGAGEMENT) \
	X(demo_video_watched, BOOLOID, LS_LEAD_INPUT | LS_LEAD_DERIVED) \
	X(call_count, INT4OID, LS_LEAD_DERIVED | LS_LEAD_ENGAGEMENT) \
	X(last_contact_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_DERIVED) \
	X(last_activity_at, TIMESTAMPTZOID, LS_LEAD_INPUT | LS_LEAD_DERIVED) \
	X(source, TEXTOID, LS_LEAD_INPUT) \
	X(sub_source, TEXTOID, LS_LEAD_INPUT) \
	X(source_id, TEXTOID, LS_LEAD_INPUT) \
	X(source_metadata, JSONBOID, LS_LEAD_INPUT) \
	X(utm_source, TEXTOID, LS_LEAD_INPUT) \
	X(utm_medium, TEXTOID, LS_LEAD_INPUT) \
	X(utm_campaign, TEXTOID, LS_LEAD_INPUT) \
	X(external_ids, JSONBOID, LS_LEAD_INPUT) \
	X(is_spam, BOOLOID, LS_LEAD_INPUT) \
	X(needs_review, BOOLOID, LS_LEAD_INPUT) \
	X(is_qualified, BOOLOID, LS_LEAD_INPUT) \
	X(qualification_bonus_applied, BOOLOID, LS_LEAD_DERIVED) \
	X(do_not_call, BOOLOID, LS_LEAD_INPUT | LS_LEAD_STICKY) \
	X(calling_blocked_reason, TEXTOID, LS_LEAD_INPUT | LS_LEAD_BY_CALLER) \
	X(tags, TEXTARRAYOID, LS_LEAD_INPUT) \
	X(notes, TEXTOID, LS_LEAD_INPUT) \
	X(metadata, JSONBOID, LS_LEAD_INPUT) \
	X(created_by, UUIDOID, 0) \
	X(created_at, TIMESTAMPTZOID, LS_LEAD_INPUT) \
	X(updated_at, TIMESTAMPTZOID, LS_LEAD_DERIVED) \
	X(deleted_at, TIMESTAMPTZOID, LS_LEAD_INPUT)

#define LS_LEAD_ENUM(column, type, flags) LEAD_##column,
typedef enum LsLeadColumn
{
	LS_LEAD_COLUMNS(LS_LEAD_ENUM) LEAD_N_COLUMNS
} LsLeadColumn;
#undef LS_LEAD_ENUM

/* No such column. */
#define LEAD_NONE LEAD_N_COLUMNS

typedef struct LsLeadColumnInfo
{
	const char *name;
	Oid type;
	int flags;
} LsLeadColumnInfo;

extern const LsLeadColumnInfo ls_lead_columns[LEAD_N_COLUMNS];

/* Where the columns stand in a relation. */
typedef struct LsLeadMap
{
	Oid relid;
	AttrNumber attnum[LEAD_N_COLUMNS];
	Oid email_index;  /* on organization, e-mail and time; InvalidOid when there is none */
	Oid phone_index;  /* on organization and phone number */
	Oid id_index;     /* on id and organization */
	Oid source_index; /* on organization, source_id and source */
	int natts;
	LsLeadColumn *column_of; /* by attribute number - 1; LEAD_NONE for a user's column */
} LsLeadMap;

/* A row of leads, taken apart. */
typedef struct LsLeadRow
{
	const LsLeadMap *map;
	TupleDesc desc;
	Datum *values;
	bool *nulls;
} LsLeadRow;

extern const LsLeadMap *ls_lead_map(Relation rel);
extern LsLeadColumn ls_lead_find_column(const char *name);
extern char *ls_lead_text(const LsLeadRow *row, LsLeadColumn column);
extern void ls_lead_set_text(LsLeadRow *row, LsLeadColumn column, const char *value);
extern bool ls_lead_same(const LsLeadRow *a, const LsLeadRow *b, int attnum);
extern char *ls_lead_input_columns(int except);
extern void ls_lead_columns_init(void);

static inline Datum
ls_lead_get(const LsLeadRow *row, LsLeadColumn column, bool *isnull)
{
	int i = row->map->attnum[column] - 1;

	*isnull = row->nulls[i];
	return row->values[i];
}

static inline bool
ls_lead_isnull(const LsLeadRow *row, LsLeadColumn column)
{
	return row->nulls[row->map->attnum[column] - 1];
}

static inline void
ls_lead_set(LsLeadRow *row, LsLeadColumn column, Datum value, bool isnull)
{
	int i = row->map->attnum[column] - 1;

	row->values[i] = value;
	row->nulls[i] = isnull;
}

/* Column values that cannot be null, or count as 0 when they are. */
static inline int32
ls_lead_int(const LsLeadRow *row, LsLeadColumn column)
{
	bool isnull;
	Datum value = ls_lead_get(row, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static inline bool
ls_lead_bool(const LsLeadRow *row, LsLeadColumn column)
{
	bool isnull;
	Datum value = ls_lead_get(row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

/* Did a column change between two versions of a row? */
static inline bool
ls_lead_differs(const LsLeadRow *a, const LsLeadRow *b, LsLeadColumn column)
{
	return !ls_lead_same(a, b, a->map->attnum[column]);
}

#endif /* LS_LEADS_COLUMNS_H */
