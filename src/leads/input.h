/*-------------------------------------------------------------------------
 *
 * input.h
 *	  A lead as it comes in, from jsonb or from a CSV row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_INPUT_H
#define LS_LEADS_INPUT_H

#include "core/input.h"
#include "core/json.h"
#include "leads/leads.h"

/* What a name in the input stands for. */
typedef enum LsInputTarget
{
	LS_INPUT_UNKNOWN,
	LS_INPUT_COLUMN,   /* a column of leads */
	LS_INPUT_NAME,     /* a full name, to be split */
	LS_INPUT_PIPELINE, /* the name of a pipeline */
	LS_INPUT_CATEGORY  /* the slug of a category */
} LsInputTarget;

/* Where a name comes from. */
typedef enum LsInputKind
{
	LS_INPUT_KEY,    /* of a JSON object that is written as the caller */
	LS_INPUT_HEADER, /* of an import */
	LS_INPUT_MAPPED  /* by an import's mapping */
} LsInputKind;

typedef struct LsLeadInput
{
	bool set[LEAD_N_COLUMNS]; /* with a value that is not null */
	Datum values[LEAD_N_COLUMNS];
} LsLeadInput;

extern LsInputTarget ls_lead_input_target(const char *name, LsInputKind kind, LsLeadColumn *column);
extern bool ls_lead_input_is_own_name(const char *header, LsLeadColumn column);
extern char *ls_lead_input_names(LsInputKind kind);
extern bool ls_lead_input_set(LsLeadInput *input, const LsOrganization *organization,
	LsInputTarget target, LsLeadColumn column, const char *text, LsInputError *error);
extern const char *ls_lead_input_text(const LsLeadInput *input, LsLeadColumn column);
extern bool ls_lead_fills_only(LsLeadColumn column);

/* list_input.c */
extern bool ls_lead_list_parse(const char *text, Datum *list, LsInputError *error);
extern Datum ls_lead_list_union(Datum list, Datum more);
extern bool ls_lead_recall(const pg_uuid_t *org, const LsLeadInput *input);

#endif /* LS_LEADS_INPUT_H */
