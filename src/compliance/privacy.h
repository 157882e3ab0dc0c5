/*-------------------------------------------------------------------------
 *
 * privacy.h
 *	  Personal data: what it is, erasing it, telling what is held.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_PRIVACY_H
#define LS_PRIVACY_H

#include "core/query.h"
#include "leads/leads.h"

/* leads.calling_blocked_reason of a lead whose number belongs to an erased one. */
#define LS_BLOCKED_BY_ERASURE "erased"

/* What takes the place of a text that is erased. */
#define LS_ERASED_TEXT "[erased]"

/* What erasing a lead does to a column. */
typedef enum LsErasure
{
	LS_KEEP,
	LS_CLEAR,  /* set to NULL */
	LS_REDACT, /* a value becomes one that says nothing */
	LS_REPLACE /* by an expression, in which %s is the column */
} LsErasure;

typedef struct LsPersonalColumn
{
	const char *table;
	const char *column;
	const char *kind;
	LsErasure erasure;
	const char *expression; /* for LS_REPLACE */
	const char *note;
} LsPersonalColumn;

extern const LsPersonalColumn *ls_personal_column(const char *table, const char *column);
extern Datum ls_personal_kept(const char *table);
extern char *ls_personal_number_is(const char *table, const char *parameter);

/* A table with rows about leads, and its columns that refer to one. */
typedef struct LsLeadTable
{
	char *name;
	char **references;
	int n_references;
} LsLeadTable;

extern LsLeadTable *ls_lead_tables(int *n);
extern char *ls_lead_condition(const LsLeadTable *table, const char *number);
extern char *ls_phone_digits(const char *e164);

extern void ls_erasure_hash(const pg_uuid_t *org, const char *e164, uint8 *result);
extern bool ls_number_was_erased(const pg_uuid_t *org, const char *e164, TimestampTz at);
extern void ls_erasure_step(LsLeadChange *change);
extern bool ls_lead_is_being_erased(const LsLeadChange *change);
extern void ls_lead_set_being_erased(const pg_uuid_t *lead);
extern void ls_erasure_init(void);

#endif /* LS_PRIVACY_H */
