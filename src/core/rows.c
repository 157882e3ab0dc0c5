/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  Whose row is it: finding the organisation of a row, and asking whether
 *	  the caller may have to do with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/uuid.h"

/* Report a row that does not exist, or that the caller may not know of. */
void
ls_no_such_row(const char *kind, const pg_uuid_t *id)
{
	ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
					   errmsg("%s \"%s\" does not exist", kind, ls_uuid_text(id))));
}

/*
 * The kept query that finds the organisation of a row of one table, among all
 * or in one.  There are as many as there are tables that functions take a row
 * of.
 */
static LsQuery *
org_query(const char *relname)
{
	static const Oid argtypes[] = {UUIDOID, UUIDOID};
	static struct
	{
		const char *relname;
		LsQuery query;
	} queries[32];
	const char *tenant_column = strcmp(relname, "organizations") == 0 ? "id" : "organization_id";
	int i;

	for (i = 0; i < (int) lengthof(queries) && queries[i].relname != NULL; i++)
	{
		if (strcmp(queries[i].relname, relname) == 0)
			return &queries[i].query;
	}
	if (i == (int) lengthof(queries))
		elog(ERROR, "too many tables in org_query");
	queries[i].query.sql = MemoryContextStrdup(
		TopMemoryContext, psprintf("SELECT %s FROM %s.%s WHERE id = $1 AND ($2 IS NULL OR %s = $2)",
							  tenant_column, LS_SCHEMA, relname, tenant_column));
	queries[i].query.nargs = 2;
	queries[i].query.argtypes = argtypes;
	queries[i].relname = MemoryContextStrdup(TopMemoryContext, relname);
	return &queries[i].query;
}

/*
 * Is there a row with an identifier in an organisation?  For triggers that keep
 * references right; not for telling a caller.
 */
bool
ls_row_exists(const char *relname, const pg_uuid_t *org, const pg_uuid_t *id)
{
	LsScope scope;
	LsArgs args = {0};
	bool exists;

	ls_arg_uuid(&args, id);
	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	exists = ls_query_run(org_query(relname), &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return exists;
}

/*
 * An identifier alone can be in several organisations, since it is unique
 * within one; a caller who may see all of them has to say which.
 */
void
ls_ambiguous_row(const char *kind, const pg_uuid_t *id)
{
	ereport(ERROR, (errcode(ERRCODE_CARDINALITY_VIOLATION),
					   errmsg("more than one organization has %s \"%s\"", kind, ls_uuid_text(id)),
					   errhint("SET app.current_org_id = '<uuid of the organization>'.")));
}

/*
 * Find the organisation of the row that a function is asked to work on, and
 * check that the caller may.  "kind" is the word for error messages; "mode" is
 * LS_READ in functions that are not volatile.
 */
void
ls_enter_org_of(
	const char *relname, const char *kind, const pg_uuid_t *id, LsRunMode mode, pg_uuid_t *org)
{
	pg_uuid_t current;
	bool bound = ls_current_org(&current);
	uint64 found;
	LsScope scope;
	LsArgs args = {0};

	if (!bound && !ls_caller_bypasses_rls())
		ls_require_org(&current);

	ls_arg_uuid(&args, id);
	ls_arg_uuid(&args, bound ? &current : NULL);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(org_query(relname), &args, mode);
	if (found > 0)
		*org = ls_result_uuid(0, 1);
	ls_scope_close(&scope);

	if (found == 0)
		ls_no_such_row(kind, id);
	if (found > 1)
		ls_ambiguous_row(kind, id);
}

/* Do policies decide what the caller may do with a table? */
bool
ls_caller_is_confined(Relation rel)
{
	return check_enable_rls(RelationGetRelid(rel), InvalidOid, true) == RLS_ENABLED;
}

/*
 * May the caller write a row of an organisation (NULL: a shared row)?
 *
 * Policies are asked after BEFORE triggers have run.  A trigger that reads what
 * belongs to the organisation of a new row asks here first, or its errors, or
 * the time it takes, would tell of another tenant.
 */
void
ls_check_row_org(Relation rel, const pg_uuid_t *org)
{
	pg_uuid_t current;

	if (!ls_caller_is_confined(rel))
		return;
	if (org == NULL || !ls_current_org(&current) || !ls_uuid_equal(&current, org))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("new row violates row-level security policy for table \"%s\"",
							   RelationGetRelationName(rel))));
}

/* The organisation whose data is being deleted as a whole. */
static pg_uuid_t leaving_org;
static bool org_is_leaving = false;

/* Start (or end, with NULL) the deletion of all that an organisation has. */
void
ls_org_set_leaving(const pg_uuid_t *org)
{
	org_is_leaving = (org != NULL);
	if (org != NULL)
		leaving_org = *org;
}

/*
 * Is everything of an organisation (NULL: of any) being deleted?  Guards then
 * let rows go, and nobody writes histories or keeps counts.
 */
bool
ls_org_is_leaving(const pg_uuid_t *org)
{
	return org_is_leaving && (org == NULL || ls_uuid_equal(&leaving_org, org));
}
