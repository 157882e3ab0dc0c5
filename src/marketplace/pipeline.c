/*-------------------------------------------------------------------------
 *
 * pipeline.c
 *	  Pipelines in which leads can be offered, and that they stay such while
 *	  leads are.
 *
 *	  An organisation may change its copy of the pipeline.  Steps that it takes
 *	  away are forced; a status that it took away would stop every sweeper at the
 *	  first lead that has to enter it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/tenant.h"
#include "core/trigger.h"
#include "core/uuid.h"
#include "marketplace/internal.h"

/* The statuses that a market goes through. */
static const char *const needed[] = {LS_MARKET_CREATED, LS_MARKET_ACTIVE, LS_MARKET_CLOSED,
	LS_MARKET_PENDING "1", LS_MARKET_PENDING "2", LS_MARKET_PENDING "3", LS_MARKET_CONTACTED,
	LS_MARKET_EXPIRED, LS_MARKET_ARCHIVED};

/* Can leads of a pipeline be offered?  It must have the statuses that takes. */
bool
ls_market_is_pipeline(const pg_uuid_t *id)
{
	const LsPipeline *pipeline = ls_pipeline(id);
	int i;

	for (i = 0; pipeline != NULL && i < (int) lengthof(needed); i++)
	{
		if (ls_pipeline_status(pipeline, needed[i]) == NULL)
			return false;
	}
	return pipeline != NULL;
}

/* Does a market need a status? */
static bool
is_needed(const char *status)
{
	int i;

	for (i = 0; i < (int) lengthof(needed); i++)
	{
		if (strcmp(status, needed[i]) == 0)
			return true;
	}
	return false;
}

/* Are there leads in a pipeline that are listed, and not archived yet? */
static bool
has_listed(const pg_uuid_t *org, const pg_uuid_t *pipeline)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.lead_listings s"
		"  JOIN lead_system.leads l ON l.organization_id = $1 AND l.id = s.lead_id"
		" WHERE s.organization_id = $1 AND s.archived_at IS NULL AND l.pipeline_id = $2 LIMIT 1",
		UUIDOID, UUIDOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_uuid(&args, pipeline);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return found;
}

PG_FUNCTION_INFO_V1(ls_market_keep_statuses);

/*
 * pipeline_statuses_keep_market(): BEFORE UPDATE OF status OR DELETE row trigger
 * of pipeline_statuses.  Built-in pipelines are nobody's to change.
 */
Datum
ls_market_keep_statuses(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "pipeline_statuses_keep_market",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "pipeline_statuses");
	Relation rel = trigdata->tg_relation;
	TupleDesc desc = RelationGetDescr(rel);
	HeapTuple result = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple
																   : trigdata->tg_trigtuple;
	int attnum = ls_trigger_attnum(rel, "status");
	char *status = SPI_getvalue(trigdata->tg_trigtuple, desc, attnum);
	char *new_status = SPI_getvalue(result, desc, attnum);
	bool isnull;
	Datum pipeline =
		SPI_getbinval(trigdata->tg_trigtuple, desc, ls_trigger_attnum(rel, "pipeline_id"), &isnull);
	Datum org = SPI_getbinval(
		trigdata->tg_trigtuple, desc, ls_trigger_attnum(rel, "organization_id"), &isnull);

	if (isnull || ls_org_is_leaving(DatumGetUUIDP(org)) || !is_needed(status) ||
		(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && new_status != NULL &&
			strcmp(status, new_status) == 0))
		return PointerGetDatum(result);
	if (has_listed(DatumGetUUIDP(org), DatumGetUUIDP(pipeline)))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						   errmsg("status \"%s\" is needed by leads that are offered", status),
						   errdetail("The pipeline has leads that are listed and not archived."),
						   errhint("Archive them first."), errtablecol(rel, attnum)));
	return PointerGetDatum(result);
}
