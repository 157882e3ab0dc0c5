/*-------------------------------------------------------------------------
 *
 * template.h
 *	  Texts with placeholders.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_NOTIFICATIONS_TEMPLATE_H
#define LS_NOTIFICATIONS_TEMPLATE_H

#include "core/json.h"
#include "core/query.h"

/* What placeholders stand for; NULL where there is nothing. */
typedef struct LsTemplateValues
{
	Jsonb *lead; /* the row, by column */
	Jsonb *user; /* the same */
	Jsonb *payload;
	const char *organization; /* its name */
} LsTemplateValues;

extern void ls_template_check(const char *column, const char *text);
extern char *ls_template_fill(const char *text, const LsTemplateValues *values);
pg_noreturn extern void ls_template_missing(const char *name);

/*
 * The template of a name, for an organisation $1: its own before the built-in
 * one.  "name" is an expression.
 */
#define LS_TEMPLATE_SQL(columns, name) \
	"SELECT " columns " FROM lead_system.notification_templates t" \
	" WHERE t.name = " name " AND (t.organization_id = $1 OR t.organization_id IS NULL)" \
	" ORDER BY t.organization_id NULLS LAST LIMIT 1"

#endif /* LS_NOTIFICATIONS_TEMPLATE_H */
