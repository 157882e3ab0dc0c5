/*-------------------------------------------------------------------------
 *
 * pipelines.c
 *	  The cache of pipelines: statuses and the steps between them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "core/cache.h"
#include "core/query.h"
#include "core/uuid.h"
#include "leads/internal.h"
#include "leads/leads.h"

/* The default pipeline of an organisation. */
typedef struct DefaultPipeline
{
	pg_uuid_t org; /* hash key */
	pg_uuid_t pipeline;
} DefaultPipeline;

static LsCache pipeline_cache = {.name = "pipelines",
	.relations = {"pipelines", "pipeline_statuses", "pipeline_transitions", "organizations"}};
static HTAB *pipeline_hash = NULL;
static HTAB *default_hash = NULL;

/* Start the cache afresh if something changed. */
static void
pipelines_refresh(void)
{
	HASHCTL ctl = {0};

	if (ls_cache_valid(&pipeline_cache))
		return;
	ctl.keysize = sizeof(pg_uuid_t);
	ctl.hcxt = ls_cache_renew(&pipeline_cache);
	ctl.entrysize = sizeof(LsPipeline);
	pipeline_hash =
		hash_create("lead_system pipelines", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ctl.entrysize = sizeof(DefaultPipeline);
	default_hash = hash_create(
		"lead_system default pipelines", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Copy a nullable text result into the cache. */
static char *
cached_text(uint64 row, int column)
{
	char *text = ls_result_text(row, column);

	return text ? MemoryContextStrdup(pipeline_cache.context, text) : NULL;
}

/* Load the statuses of a pipeline; those of a built-in one have no tenant. */
static void
load_statuses(LsPipeline *pipeline, const LsArgs *args)
{
	LS_QUERY(query,
		"SELECT s.status, s.stage, s.pipeline_stage, s.stamp_column, s.requires_reason, s.is_initial"
		"  FROM lead_system.pipeline_statuses s"
		" WHERE s.pipeline_id = $1 AND s.organization_id IS NOT DISTINCT FROM $2"
		" ORDER BY s.position, s.status",
		UUIDOID, UUIDOID);
	uint64 n = ls_query_run_latest(&query, args);
	uint64 row;

	pipeline->n_statuses = (int) n;
	pipeline->statuses =
		MemoryContextAllocZero(pipeline_cache.context, sizeof(LsStatus) * Max(n, 1));
	for (row = 0; row < n; row++)
	{
		LsStatus *status = &pipeline->statuses[row];
		char *stamp = ls_result_text(row, 4);

		status->status = cached_text(row, 1);
		status->stage = cached_text(row, 2);
		status->pipeline_stage = cached_text(row, 3);
		status->stamp_column = stamp ? ls_lead_find_column(stamp) : LEAD_NONE;
		status->requires_reason = ls_result_bool(row, 5);
		if (ls_result_bool(row, 6))
			pipeline->initial = status;
	}
}

/* Load the steps between the statuses. */
static void
load_transitions(LsPipeline *pipeline, const LsArgs *args)
{
	LS_QUERY(query,
		"SELECT t.from_status, t.to_status"
		"  FROM lead_system.pipeline_transitions t"
		"  JOIN lead_system.pipeline_statuses s ON s.pipeline_id = t.pipeline_id AND s.status = t.to_status"
		" WHERE t.pipeline_id = $1 AND t.organization_id IS NOT DISTINCT FROM $2"
		" ORDER BY s.position, s.status",
		UUIDOID, UUIDOID);
	uint64 n = ls_query_run_latest(&query, args);
	uint64 row;

	for (row = 0; row < n; row++)
	{
		LsStatus *from = (LsStatus *) ls_pipeline_status(pipeline, ls_result_text(row, 1));
		LsStatus *to = (LsStatus *) ls_pipeline_status(pipeline, ls_result_text(row, 2));

		if (from != NULL && to != NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(pipeline_cache.context);

			from->next = lappend(from->next, to);
			MemoryContextSwitchTo(old);
		}
	}
}

/* Load a pipeline; NULL when it does not exist. */
static const LsPipeline *
pipeline_load(const pg_uuid_t *id)
{
	LS_QUERY(
		query, "SELECT organization_id, name FROM lead_system.pipelines WHERE id = $1", UUIDOID);
	LsPipeline loaded;
	LsPipeline *pipeline;
	LsScope scope;
	LsArgs args = {0};
	bool found;

	memset(&loaded, 0, sizeof(loaded));
	loaded.id = *id;
	ls_arg_uuid(&args, id);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run_latest(&query, &args) > 0;
	if (found)
	{
		loaded.built_in = ls_result_isnull(0, 1);
		if (!loaded.built_in)
			loaded.org = ls_result_uuid(0, 1);
		loaded.name = cached_text(0, 2);
		ls_arg_uuid(&args, loaded.built_in ? NULL : &loaded.org);
		load_statuses(&loaded, &args);
		load_transitions(&loaded, &args);
	}
	ls_scope_close(&scope);
	if (!found)
		return NULL;
	pipeline = hash_search(pipeline_hash, id, HASH_ENTER, NULL);
	*pipeline = loaded;
	return pipeline;
}

/*
 * Look up a pipeline by id, whosever it is; NULL when it does not exist.  The
 * answer stays readable until the end of the transaction.
 */
const LsPipeline *
ls_pipeline(const pg_uuid_t *id)
{
	const LsPipeline *pipeline;

	pipelines_refresh();
	pipeline = hash_search(pipeline_hash, id, HASH_FIND, NULL);
	return pipeline ? pipeline : pipeline_load(id);
}

/*
 * Look up a pipeline by name for an organisation: its own before a built-in
 * one.  NULL when there is none.
 */
const LsPipeline *
ls_pipeline_find(const pg_uuid_t *org, const char *name)
{
	LS_QUERY(query,
		"SELECT id FROM lead_system.pipelines"
		" WHERE name = $2 AND (organization_id = $1 OR organization_id IS NULL)"
		" ORDER BY organization_id NULLS LAST LIMIT 1",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	pg_uuid_t id;
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, name);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run_latest(&query, &args) > 0;
	if (found)
		id = ls_result_uuid(0, 1);
	ls_scope_close(&scope);
	return found ? ls_pipeline(&id) : NULL;
}

/* The pipeline in which an organisation's leads start. */
const LsPipeline *
ls_pipeline_default(const LsOrganization *organization)
{
	DefaultPipeline *entry;
	const LsPipeline *pipeline;

	pipelines_refresh();
	entry = hash_search(default_hash, &organization->id, HASH_FIND, NULL);
	if (entry != NULL)
		return ls_pipeline(&entry->pipeline);

	pipeline = ls_pipeline_find(&organization->id, organization->default_pipeline);
	if (pipeline == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("default pipeline \"%s\" does not exist", organization->default_pipeline),
				errhint("Set organizations.default_pipeline to an existing pipeline.")));
	if (ls_cache_valid(&pipeline_cache))
	{
		entry = hash_search(default_hash, &organization->id, HASH_ENTER, NULL);
		entry->pipeline = pipeline->id;
	}
	return pipeline;
}

/* A status of a pipeline by name; NULL when it has no such status. */
const LsStatus *
ls_pipeline_status(const LsPipeline *pipeline, const char *status)
{
	int i;

	for (i = 0; i < pipeline->n_statuses; i++)
	{
		if (strcmp(pipeline->statuses[i].status, status) == 0)
			return &pipeline->statuses[i];
	}
	return NULL;
}

/* The first status of a pipeline that means a stage; NULL when there is none. */
const LsStatus *
ls_pipeline_stage_status(const LsPipeline *pipeline, const char *stage)
{
	int i;

	for (i = 0; i < pipeline->n_statuses; i++)
	{
		if (strcmp(pipeline->statuses[i].stage, stage) == 0)
			return &pipeline->statuses[i];
	}
	return NULL;
}

/* Names of a list of statuses, for messages. */
char *
ls_status_names(const LsPipeline *pipeline, const LsStatus *from)
{
	StringInfoData names;
	ListCell *cell;
	int i;

	initStringInfo(&names);
	if (from != NULL)
	{
		foreach (cell, from->next)
			appendStringInfo(
				&names, "%s%s", names.len > 0 ? ", " : "", ((LsStatus *) lfirst(cell))->status);
	}
	else
	{
		for (i = 0; i < pipeline->n_statuses; i++)
			appendStringInfo(
				&names, "%s%s", names.len > 0 ? ", " : "", pipeline->statuses[i].status);
	}
	return names.data;
}

void
ls_pipelines_init(void)
{
	ls_cache_register(&pipeline_cache);
}
