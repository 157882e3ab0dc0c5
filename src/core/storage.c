/*-------------------------------------------------------------------------
 *
 * storage.c
 *	  Creates tables, indexes, triggers, policies, views and seed rows outside
 *	  the extension's membership.
 *
 *	  Member tables lose data when a database is dumped and restored, and are
 *	  dropped with the extension; so logic is made of members and storage is
 *	  not (docs/internals.md).  The script that makes the storage is the body
 *	  of the member function storage_script(), so that it has the version of
 *	  the SQL side and not of the library, and a DBA can read it.
 *
 *	  The script has no IF NOT EXISTS.  Each statement is parsed, and run only
 *	  when what it makes is not there; a table that is there gets back the
 *	  defaults and constraints that depend on member functions and were dropped
 *	  with them.  The same code thus serves CREATE EXTENSION, install() after
 *	  DROP EXTENSION ... CASCADE, and health_check(), which only looks.
 *
 *	  What somebody else owns is never adopted: the extension's functions will
 *	  write to these tables with its owner's rights.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "commands/policy.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "parser/parser.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "lead_system.h"
#include "core/extension.h"
#include "core/grants.h"
#include "core/query.h"
#include "core/storage.h"
#include "core/trigger.h"

/* The operator class that tells that an index needs pg_trgm. */
#define TRGM_OPCLASS "gin_trgm_ops"

/* A walk over the script: either make what is missing, or only note it. */
typedef struct StorageWalk
{
	const char *script;
	List *missing;         /* C strings, when only looking, */
	MemoryContext context; /* which outlive the scope in here */
	bool dry_run;
} StorageWalk;

/* Note that something is missing. */
static void
note_missing(StorageWalk *walk, const char *what)
{
	MemoryContext caller = MemoryContextSwitchTo(walk->context);

	walk->missing = lappend(walk->missing, pstrdup(what));
	MemoryContextSwitchTo(caller);
}

/* True while only looking: whose a thing is, is then for health_check() to say. */
static bool looking = false;

/* May what a role owns be used as our storage? */
static bool
owner_is_trusted(Oid owner)
{
	return looking || owner == GetUserId() || superuser_arg(owner);
}

/* Refuse a schema that somebody else owns. */
static void
check_schema_owner(void)
{
	Oid namespace_oid = get_namespace_oid(LS_SCHEMA, false);
	HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(namespace_oid));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", namespace_oid);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	if (!owner_is_trusted(owner))
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("schema \"%s\" is owned by role \"%s\"", LS_SCHEMA,
					GetUserNameFromId(owner, false)),
				errdetail("The extension does not use a schema that another role controls."),
				errhint(
					"Drop the schema, or give it to a superuser with ALTER SCHEMA ... OWNER TO.")));
}

/* Find a relation of ours; refuses one that somebody else owns. */
static Oid
existing_relation(const char *relname)
{
	Oid relid = ls_relation_oid(relname, true);
	HeapTuple tuple;
	Oid owner;

	if (!OidIsValid(relid))
		return InvalidOid;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (!owner_is_trusted(owner))
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("relation \"%s.%s\" is owned by role \"%s\"", LS_SCHEMA, relname,
					GetUserNameFromId(owner, false)),
				errdetail("The extension does not use a relation that another role controls."),
				errhint(
					"Drop or rename it, or give it to a superuser with ALTER TABLE ... OWNER TO.")));
	return relid;
}

/* Is a subcommand of ALTER TABLE already in effect? */
static bool
alter_in_effect(AlterTableStmt *stmt)
{
	AlterTableCmd *cmd = linitial_node(AlterTableCmd, stmt->cmds);
	Oid relid = existing_relation(stmt->relation->relname);
	Relation rel;
	bool in_effect = false;

	if (!OidIsValid(relid))
		return false;
	rel = relation_open(relid, AccessShareLock);
	switch (cmd->subtype)
	{
		case AT_EnableRowSecurity:
			in_effect = rel->rd_rel->relrowsecurity;
			break;
		case AT_ForceRowSecurity:
			in_effect = rel->rd_rel->relforcerowsecurity;
			break;
		case AT_AddConstraint:
			in_effect = OidIsValid(
				get_relation_constraint_oid(relid, castNode(Constraint, cmd->def)->conname, true));
			break;
		case AT_EnableAlwaysTrig:
			in_effect = ls_trigger_fires_always(rel, cmd->name);
			break;
		default:
			elog(ERROR, "unexpected ALTER TABLE in the storage script");
	}
	relation_close(rel, AccessShareLock);
	return in_effect;
}

/* Has the object of a COMMENT statement got a comment?  Users may edit them. */
static bool
comment_in_effect(CommentStmt *stmt)
{
	Relation rel = NULL;
	ObjectAddress address;
	char *comment;

	address = get_object_address(stmt->objtype, stmt->object, &rel, AccessShareLock, true);
	if (!OidIsValid(address.objectId))
		return false;
	if (rel != NULL)
		relation_close(rel, NoLock);
	comment = GetComment(address.objectId, address.classId, address.objectSubId);
	return comment != NULL;
}

/* Does an index need an extension that is not installed? */
static bool
index_not_possible(IndexStmt *stmt)
{
	IndexElem *elem = linitial_node(IndexElem, stmt->indexParams);

	return elem->opclass != NIL && strcmp(strVal(llast(elem->opclass)), TRGM_OPCLASS) == 0 &&
		   !OidIsValid(get_extension_oid("pg_trgm", true));
}

/*
 * Is what a statement makes there already?  *what gets its description, NULL
 * for statements that are run each time (seed rows).
 */
static bool
statement_in_effect(Node *stmt, char **what)
{
	*what = NULL;
	switch (nodeTag(stmt))
	{
		case T_CreateStmt:
			*what = psprintf("table %s", ((CreateStmt *) stmt)->relation->relname);
			return OidIsValid(existing_relation(((CreateStmt *) stmt)->relation->relname));
		case T_ViewStmt:
			*what = psprintf("view %s", ((ViewStmt *) stmt)->view->relname);
			return OidIsValid(existing_relation(((ViewStmt *) stmt)->view->relname));
		case T_IndexStmt:
			*what = psprintf("index %s", ((IndexStmt *) stmt)->idxname);
			return index_not_possible((IndexStmt *) stmt) ||
				   OidIsValid(ls_relation_oid(((IndexStmt *) stmt)->idxname, true));
		case T_CreateTrigStmt:
		{
			CreateTrigStmt *trigger = (CreateTrigStmt *) stmt;
			Oid relid = existing_relation(trigger->relation->relname);

			*what = psprintf("trigger %s on %s", trigger->trigname, trigger->relation->relname);
			return OidIsValid(relid) && OidIsValid(get_trigger_oid(relid, trigger->trigname, true));
		}
		case T_CreatePolicyStmt:
		{
			CreatePolicyStmt *policy = (CreatePolicyStmt *) stmt;
			Oid relid = existing_relation(policy->table->relname);

			*what = psprintf("policy %s on %s", policy->policy_name, policy->table->relname);
			return OidIsValid(relid) &&
				   OidIsValid(get_relation_policy_oid(relid, policy->policy_name, true));
		}
		case T_AlterTableStmt:
		{
			AlterTableCmd *cmd = linitial_node(AlterTableCmd, ((AlterTableStmt *) stmt)->cmds);

			*what = psprintf("%s of table %s",
				cmd->subtype == AT_EnableAlwaysTrig
					? psprintf("ENABLE ALWAYS TRIGGER %s", cmd->name)
					: "row security or constraint",
				((AlterTableStmt *) stmt)->relation->relname);
			return alter_in_effect((AlterTableStmt *) stmt);
		}
		case T_CommentStmt:
			return comment_in_effect((CommentStmt *) stmt);
		case T_InsertStmt:
			return false;
		default:
			elog(ERROR, "unexpected statement in the storage script: node %d", (int) nodeTag(stmt));
	}
	return false;
}

/* Run an ALTER TABLE with one subcommand on a table of ours. */
static void
run_alter(RangeVar *relation, AlterTableCmd *cmd)
{
	AlterTableStmt *alter = makeNode(AlterTableStmt);
	PlannedStmt *wrapper = makeNode(PlannedStmt);

	alter->relation = copyObject(relation);
	alter->cmds = list_make1(cmd);
	alter->objtype = OBJECT_TABLE;
	wrapper->commandType = CMD_UTILITY;
	wrapper->utilityStmt = (Node *) alter;
	wrapper->stmt_location = -1;
	ProcessUtility(wrapper, "ALTER TABLE by lead_system.install()", false,
		PROCESS_UTILITY_SUBCOMMAND, NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
}

/* Has a column a default?  One that is not there needs none. */
static bool
column_has_default(Oid relid, const char *column)
{
	HeapTuple tuple = SearchSysCacheAttName(relid, column);
	bool has_default;

	if (!HeapTupleIsValid(tuple))
		return true;
	has_default = ((Form_pg_attribute) GETSTRUCT(tuple))->atthasdef;
	ReleaseSysCache(tuple);
	return has_default;
}

/* Give a column its default again, or note that it lacks it. */
static void
repair_default(StorageWalk *walk, CreateStmt *stmt, Oid relid, ColumnDef *column, Constraint *def)
{
	AlterTableCmd *cmd;

	if (column_has_default(relid, column->colname))
		return;
	if (walk->dry_run)
	{
		note_missing(
			walk, psprintf("default of column %s.%s", stmt->relation->relname, column->colname));
		return;
	}
	cmd = makeNode(AlterTableCmd);
	cmd->subtype = AT_ColumnDefault;
	cmd->name = pstrdup(column->colname);
	cmd->def = copyObject(def->raw_expr);
	run_alter(stmt->relation, cmd);
}

/* Give a table a named constraint again, or note that it lacks it. */
static void
repair_constraint(StorageWalk *walk, CreateStmt *stmt, Oid relid, Constraint *constraint)
{
	AlterTableCmd *cmd;

	if (constraint->conname == NULL ||
		OidIsValid(get_relation_constraint_oid(relid, constraint->conname, true)))
		return;
	if (walk->dry_run)
	{
		note_missing(walk,
			psprintf("constraint %s of table %s", constraint->conname, stmt->relation->relname));
		return;
	}
	cmd = makeNode(AlterTableCmd);
	cmd->subtype = AT_AddConstraint;
	cmd->def = (Node *) copyObject(constraint);
	run_alter(stmt->relation, cmd);
}

/*
 * A table that was there: bring back defaults and constraints, which go with
 * the member functions they call.
 */
static void
repair_table(StorageWalk *walk, CreateStmt *stmt)
{
	Oid relid = existing_relation(stmt->relation->relname);
	ListCell *element_cell;

	foreach (element_cell, stmt->tableElts)
	{
		Node *element = lfirst(element_cell);
		ListCell *constraint_cell;

		if (IsA(element, Constraint))
		{
			repair_constraint(walk, stmt, relid, (Constraint *) element);
			continue;
		}
		foreach (constraint_cell, castNode(ColumnDef, element)->constraints)
		{
			Constraint *constraint = lfirst_node(Constraint, constraint_cell);

			if (constraint->contype == CONSTR_DEFAULT)
				repair_default(walk, stmt, relid, (ColumnDef *) element, constraint);
			else if (constraint->contype == CONSTR_CHECK)
				repair_constraint(walk, stmt, relid, constraint);
		}
	}
}

/* The text of one statement; an index of pg_trgm gets the operator class's schema. */
static char *
statement_text(const char *script, RawStmt *raw)
{
	char *text = raw->stmt_len > 0 ? pnstrdup(script + raw->stmt_location, raw->stmt_len)
								   : pstrdup(script + raw->stmt_location);
	char *opclass = IsA(raw->stmt, IndexStmt) ? strstr(text, TRGM_OPCLASS) : NULL;

	if (opclass != NULL)
	{
		const char *name = quote_identifier(ls_extension_schema("pg_trgm"));

		*opclass = '\0';
		text = psprintf("%s%s.%s%s", text, name, TRGM_OPCLASS, opclass + strlen(TRGM_OPCLASS));
	}
	return text;
}

/* Handle one statement of the script. */
static void
walk_statement(StorageWalk *walk, RawStmt *raw)
{
	char *what;
	bool in_effect = statement_in_effect(raw->stmt, &what);

	if (in_effect && IsA(raw->stmt, CreateStmt))
		repair_table(walk, (CreateStmt *) raw->stmt);
	else if (!in_effect && walk->dry_run)
	{
		if (what != NULL)
			note_missing(walk, what);
	}
	else if (!in_effect)
	{
		int rc = SPI_execute(statement_text(walk->script, raw), false, 0);

		if (rc < 0)
			elog(ERROR, "storage script failed: %s", SPI_result_code_string(rc));
	}
}

/* Walk over the script of the installed version. */
static void
walk_script(StorageWalk *walk, LsRunAs run_as)
{
	List *name = list_make2(makeString(LS_SCHEMA), makeString("storage_script"));
	LsScope scope;
	ListCell *cell;

	/* Called here and not by SQL, for which the owner of the tables may lack the right. */
	walk->script =
		TextDatumGetCString(OidFunctionCall0Coll(LookupFuncName(name, 0, NULL, false), InvalidOid));
	ls_scope_open(&scope, run_as);
	foreach (cell, raw_parser(walk->script, RAW_PARSE_DEFAULT))
		walk_statement(walk, lfirst_node(RawStmt, cell));
	ls_scope_close(&scope);
}

/* Make the storage, with the recording of extension membership switched off. */
static void
storage_install(void)
{
	StorageWalk walk = {0};
	bool save_creating = creating_extension;

	check_schema_owner();
	PG_TRY();
	{
		creating_extension = false;
		walk_script(&walk, LS_AS_CALLER);
		CommandCounterIncrement();
		ls_grants_restore();
	}
	PG_FINALLY();
	{
		creating_extension = save_creating;
	}
	PG_END_TRY();
}

List *
ls_storage_missing(void)
{
	StorageWalk walk = {.context = CurrentMemoryContext, .dry_run = true};

	looking = true;
	PG_TRY();
	{
		walk_script(&walk, LS_AS_CALLER);
	}
	PG_FINALLY();
	{
		looking = false;
	}
	PG_END_TRY();
	return walk.missing;
}

PG_FUNCTION_INFO_V1(ls_core_install_storage);

/*
 * install_storage(): last statement of the install script.
 *
 * In a session that restores a dump the dump itself brings the storage, in the
 * right order; every script of pg_dump switches row_security off, which nothing
 * else that creates extensions does.  A worker of Citus gets it from the
 * coordinator.  CREATE EXTENSION silences a NOTICE of its script, not an INFO.
 */
Datum
ls_core_install_storage(PG_FUNCTION_ARGS)
{
	if (!creating_extension)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("install_storage() is part of CREATE EXTENSION"),
						   errhint("CALL %s.install() creates what is missing.", LS_SCHEMA)));
	if (!row_security)
		ereport(INFO, (errmsg("lead_system creates no tables while a dump is being restored"),
						  errdetail("row_security is off, as in every script of pg_dump."),
						  errhint("Otherwise, CALL %s.install() creates them.", LS_SCHEMA)));
	else if (strncmp(application_name, "citus_internal", strlen("citus_internal")) == 0)
		ereport(INFO, (errmsg("lead_system creates no tables on a Citus worker"),
						  errdetail("The coordinator brings them.")));
	else
		storage_install();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(ls_core_install);

/* install(): make what is missing of the storage. */
Datum
ls_core_install(PG_FUNCTION_ARGS)
{
	storage_install();
	PG_RETURN_VOID();
}
