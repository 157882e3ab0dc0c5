/*-------------------------------------------------------------------------
 *
 * pipeline_triggers.c
 *	  What organisations, pipelines and leads owe each other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/transition.h"
#include "core/trigger.h"
#include "leads/leads.h"

PG_FUNCTION_INFO_V1(ls_leads_check_pipeline);

/*
 * organizations_check_pipeline(): BEFORE row trigger of organizations.  A
 * default pipeline must exist.
 */
Datum
ls_leads_check_pipeline(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "organizations_check_pipeline",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "organizations");
	HeapTuple tuple = ls_trigger_new_tuple(trigdata);
	Relation rel = trigdata->tg_relation;
	bool id_null;
	bool name_null;
	Datum id = SPI_getbinval(tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "id"), &id_null);
	Datum name = SPI_getbinval(
		tuple, RelationGetDescr(rel), ls_trigger_attnum(rel, "default_pipeline"), &name_null);

	ls_check_row_org(rel, id_null ? NULL : DatumGetUUIDP(id));
	if (!id_null && !name_null &&
		ls_pipeline_find(DatumGetUUIDP(id), TextDatumGetCString(name)) == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("pipeline \"%s\" does not exist", TextDatumGetCString(name)),
				errhint(
					"Built-in pipelines are: b2b, recruiting, field_service, marketplace, outreach.")));
	return PointerGetDatum(tuple);
}

/* Do new leads start in a pipeline? */
static bool
is_default_pipeline(const pg_uuid_t *org, const char *name)
{
	LS_QUERY(query,
		"SELECT 1 FROM lead_system.organizations"
		" WHERE default_pipeline = $2 AND ($1 IS NULL OR id = $1) LIMIT 1",
		UUIDOID, TEXTOID);
	LsScope scope;
	LsArgs args = {0};
	bool found;

	ls_arg_uuid(&args, org);
	ls_arg_text(&args, name);
	ls_scope_open(&scope, LS_AS_OWNER);
	found = ls_query_run(&query, &args, LS_WRITE) > 0;
	ls_scope_close(&scope);
	return found;
}

PG_FUNCTION_INFO_V1(ls_leads_keep_default_pipeline);

/* pipelines_keep_default(): BEFORE UPDATE OF name OR DELETE row trigger of pipelines. */
Datum
ls_leads_keep_default_pipeline(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "pipelines_keep_default",
		LS_TRIGGER_BEFORE_ROW, LS_TRIGGER_UPDATE | LS_TRIGGER_DELETE, "pipelines");
	Relation rel = trigdata->tg_relation;
	TupleDesc desc = RelationGetDescr(rel);
	HeapTuple result = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple
																   : trigdata->tg_trigtuple;
	bool isnull;
	Datum org = SPI_getbinval(
		trigdata->tg_trigtuple, desc, ls_trigger_attnum(rel, "organization_id"), &isnull);
	char *name = SPI_getvalue(trigdata->tg_trigtuple, desc, ls_trigger_attnum(rel, "name"));
	char *new_name = SPI_getvalue(result, desc, ls_trigger_attnum(rel, "name"));

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && new_name != NULL &&
		strcmp(name, new_name) == 0)
		return PointerGetDatum(result);
	if (!isnull && ls_org_is_leaving(DatumGetUUIDP(org)))
		return PointerGetDatum(result);
	if (is_default_pipeline(isnull ? NULL : DatumGetUUIDP(org), name))
		ereport(
			ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					   errmsg("pipeline \"%s\" is the default pipeline of an organization", name),
					   errhint("Set organizations.default_pipeline to another one first.")));
	return PointerGetDatum(result);
}

PG_FUNCTION_INFO_V1(ls_leads_stages_changed);

/*
 * pipeline_stages_changed(): AFTER UPDATE statement trigger of
 * pipeline_statuses.  Writing the stage has the row trigger read it anew.
 */
Datum
ls_leads_stages_changed(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"UPDATE lead_system.leads l SET stage = n.stage"
		"  FROM new_rows n JOIN old_rows o ON o.pipeline_id = n.pipeline_id AND o.status = n.status"
		" WHERE l.pipeline_id = n.pipeline_id AND l.status = n.status"
		"   AND (n.organization_id IS NULL OR l.organization_id = n.organization_id)"
		"   AND (n.stage <> o.stage OR n.pipeline_stage IS DISTINCT FROM o.pipeline_stage)",
		NULL};
	TriggerData *trigdata = ls_trigger_check(fcinfo, "pipeline_stages_changed",
		LS_TRIGGER_AFTER_STATEMENT, LS_TRIGGER_UPDATE, "pipeline_statuses");

	ls_transition_run(trigdata, statements, 0, NULL, NULL, NULL);
	return PointerGetDatum(NULL);
}
