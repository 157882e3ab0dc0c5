/*-------------------------------------------------------------------------
 *
 * lead_tables.c
 *	  Which tables have rows about a lead: what the catalog says.
 *
 *	  A table that refers to leads by a foreign key, or has a column lead_id as
 *	  histories do, is found whoever made it and whenever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/privacy.h"

/*
 * The tables, those that refer to leads by a foreign key before the histories,
 * the queue first: the order in which everybody locks their rows.
 */
LsLeadTable *
ls_lead_tables(int *n)
{
	LS_QUERY0(query,
		"SELECT c.relname::text, a.attname::text"
		"  FROM pg_catalog.pg_class c"
		"  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
		"   AND NOT a.attisdropped AND a.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype"
		"  LEFT JOIN pg_catalog.pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'"
		"   AND f.confrelid = 'lead_system.leads'::pg_catalog.regclass"
		"   AND a.attnum = ANY (f.conkey) AND a.attname <> 'organization_id'"
		" WHERE c.relnamespace = 'lead_system'::pg_catalog.regnamespace"
		"   AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
		"   AND (f.oid IS NOT NULL OR a.attname IN ('lead_id', 'subject_id'))"
		"   AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute o WHERE o.attrelid = c.oid"
		"                  AND o.attname = 'organization_id' AND NOT o.attisdropped)"
		" ORDER BY c.relname <> 'campaign_leads', f.oid IS NULL, c.relname, a.attnum");
	uint64 rows = ls_query_run(&query, NULL, LS_WRITE);
	LsLeadTable *tables = palloc0(sizeof(LsLeadTable) * (rows + 1));
	uint64 row;

	*n = 0;
	for (row = 0; row < rows; row++)
	{
		char *name = ls_result_text(row, 1);
		LsLeadTable *table;

		if (*n == 0 || strcmp(tables[*n - 1].name, name) != 0)
		{
			tables[*n].name = name;
			tables[*n].references = palloc0(sizeof(char *) * (rows + 1));
			(*n)++;
		}
		table = &tables[*n - 1];
		table->references[table->n_references++] = ls_result_text(row, 2);
	}
	return tables;
}

/*
 * The condition that finds the rows of lead $2 of organisation $1, and those that
 * belong to no lead, or to one that was deleted for good, and have its number: a
 * parameter, which is null when another lead has the number, too.
 */
char *
ls_lead_condition(const LsLeadTable *table, const char *number)
{
	char *has_number = ls_personal_number_is(table->name, number);
	StringInfoData sql;
	int i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "organization_id = $1 AND (");
	for (i = 0; i < table->n_references; i++)
		appendStringInfo(
			&sql, "%s%s = $2", i > 0 ? " OR " : "", quote_identifier(table->references[i]));
	if (has_number != NULL)
		appendStringInfo(
			&sql, " OR (%s IS NULL AND (%s))", quote_identifier(table->references[0]), has_number);
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/*
 * The digits by which a number is found in running text: without the country
 * code, which people leave out.  NULL for NULL.
 */
char *
ls_phone_digits(const char *e164)
{
	size_t len = e164 ? strlen(e164) : 0;
	size_t keep = (e164 && e164[1] == '1') ? 10 : 8;

	if (e164 == NULL)
		return NULL;
	return pstrdup(len > keep ? e164 + len - keep : e164 + 1);
}
