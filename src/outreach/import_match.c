/*-------------------------------------------------------------------------
 *
 * import_match.c
 *	  Which leads are units of an import about (semantics I13)?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/uuid.h"
#include "leads/find.h"
#include "outreach/import_write.h"

/* A lead, and the first unit that is about it. */
typedef struct LeadEntry
{
	pg_uuid_t lead; /* hash key */
	LsImportUnit *unit;
	bool closed; /* later units are to be written after it */
} LeadEntry;

/* A unit's lead exists. */
static void
unit_matched(LsImportUnit *unit, const LsFoundLead *found)
{
	unit->matched = true;
	unit->lead = found->id;
	unit->pipeline = found->pipeline;
	unit->status = found->status;
}

/* Look every unit up in the indexes. */
static void
match_by_index(LsImport *import, LsImportUnit *units, int n)
{
	LsLeadFinder *finder = ls_lead_finder_open(&import->org);
	int i;
	int k;

	for (i = 0; i < n; i++)
	{
		LsFoundLead found;

		for (k = 0; k < LS_IMPORT_N_KEYS && !units[i].matched; k++)
		{
			if (units[i].input.set[ls_import_keys[k]] &&
				ls_lead_find(finder, ls_import_keys[k], &units[i].input, &found))
				unit_matched(&units[i], &found);
		}
	}
	ls_lead_finder_close(finder);
}

/* Look all units up by one query, when the indexes cannot be used. */
static void
match_by_query(LsImport *import, LsImportUnit *units, int n)
{
/* clang-format off */
#define LIVE_LEAD(condition) \
	"LEFT JOIN LATERAL (SELECT l.id FROM lead_system.leads l WHERE l.organization_id = $1 AND " condition \
	" AND l.deleted_at IS NULL ORDER BY l.created_at, l.id LIMIT 1) "
	LS_QUERY(query,
		"SELECT k.ordinality::integer, f.id, f.pipeline_id, f.status"
		"  FROM unnest($2, $3, $4, $5, $6) WITH ORDINALITY"
		"       k(id, source, source_id, email, phone_number, ordinality) "
		LIVE_LEAD("l.id = k.id") "i ON true "
		LIVE_LEAD("l.source_id = k.source_id AND l.source IS NOT DISTINCT FROM k.source")
		"s ON i.id IS NULL " LIVE_LEAD("l.email = k.email") "e ON i.id IS NULL AND s.id IS NULL "
		LIVE_LEAD("l.phone_number = k.phone_number")
		"p ON i.id IS NULL AND s.id IS NULL AND e.id IS NULL"
		"  JOIN lead_system.leads f ON f.organization_id = $1 AND f.id = coalesce(i.id, s.id, e.id, p.id)",
		UUIDOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID);
	/* clang-format on */
	static const LsLeadColumn keys[] = {
		LEAD_id, LEAD_source, LEAD_source_id, LEAD_email, LEAD_phone_number};
	LsImportUnit **all = palloc(sizeof(LsImportUnit *) * n);
	LsArgs args = {0};
	Oid array_type;
	uint64 count;
	uint64 row;
	int i;

	for (i = 0; i < n; i++)
		all[i] = &units[i];
	ls_arg_uuid(&args, &import->org);
	for (i = 0; i < (int) lengthof(keys); i++)
		ls_arg_datum(&args, ls_import_column_array(all, n, keys[i], &array_type), false);
	count = ls_query_run(&query, &args, LS_WRITE);
	for (row = 0; row < count; row++)
	{
		LsFoundLead found = {
			ls_result_uuid(row, 2), ls_result_uuid(row, 3), ls_result_text(row, 4)};

		unit_matched(&units[ls_result_int32(row, 1) - 1], &found);
	}
}

/* The pipeline that a unit's lead will be in; NULL when the row trigger decides. */
static const LsPipeline *
pipeline_of(const LsImport *import, const LsImportUnit *unit)
{
	const LsPipeline *pipeline;

	if (unit->input.set[LEAD_pipeline_id])
		pipeline = ls_pipeline(DatumGetUUIDP(unit->input.values[LEAD_pipeline_id]));
	else if (unit->matched)
		pipeline = ls_pipeline(&unit->pipeline);
	else
		pipeline = ls_pipeline_default(&import->organization);
	if (pipeline != NULL && !pipeline->built_in && !ls_uuid_equal(&pipeline->org, &import->org))
		return NULL;
	return pipeline;
}

/*
 * Refuse a unit of one row whose status the row trigger would refuse, sooner
 * than writing it and trying again in parts.
 */
static void
refuse_status(LsImport *import, LsImportUnit *unit)
{
	const LsPipeline *pipeline = pipeline_of(import, unit);
	const char *name = ls_lead_input_text(&unit->input, LEAD_status);
	const LsStatus *status = pipeline ? ls_pipeline_status(pipeline, name) : NULL;
	const LsImportRow *row = linitial(unit->rows);
	int sqlstate = ERRCODE_CHECK_VIOLATION;
	const char *reason;

	/* A lead that is not updated may have any status, and triggers may change it. */
	if (pipeline == NULL || import->may_be_changed ||
		(unit->matched && import->options.on_duplicate != LS_IMPORT_MERGE))
		return;
	if (status == NULL)
		reason = psprintf("\"%s\" is not a status of pipeline \"%s\"", name, pipeline->name);
	else if (!unit->matched && status->requires_reason && !unit->input.set[LEAD_lost_reason])
	{
		sqlstate = LS_ERRCODE_STATUS_STEP;
		reason = psprintf("status \"%s\" needs a reason", name);
	}
	else
		return;
	ls_import_problem(
		import, row->line, row->raw, strlen(row->raw), "status", true, sqlstate, reason);
	unit->refused = true;
	unit->matched = false;
}

/*
 * Two units can turn out to be the same lead, one found by its e-mail address
 * and one by its number; the later one goes into the earlier one, or is written
 * after it.
 */
static void
fold_units(const LsImport *import, LsImportUnit *units, int n)
{
	HASHCTL ctl = {0};
	HTAB *leads;
	int i;

	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(LeadEntry);
	ctl.hcxt = CurrentMemoryContext;
	leads =
		hash_create("lead_system imported leads", n, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < n; i++)
	{
		LeadEntry *entry;
		bool found;

		if (!units[i].matched)
			continue;
		entry = hash_search(leads, &units[i].lead, HASH_ENTER, &found);
		if (!found)
		{
			entry->unit = &units[i];
			entry->closed = false;
		}
		else if (import->options.on_duplicate == LS_IMPORT_MERGE &&
				 (entry->closed || !ls_import_may_join(&entry->unit->input, &units[i].input)))
			units[i].postponed = entry->closed = true;
		else
		{
			/* What is merged outlasts this attempt at writing the batch. */
			MemoryContext caller = MemoryContextSwitchTo(import->batch_context);

			if (import->options.on_duplicate == LS_IMPORT_MERGE)
				ls_import_merge_input(&entry->unit->input, &units[i].input);
			MemoryContextSwitchTo(caller);
			units[i].folded = true;
		}
	}
	hash_destroy(leads);
}

/*
 * Find the lead that each unit is about, among those that exist, and refuse what
 * cannot be written.
 */
void
ls_import_match(LsImport *import, LsImportUnit *units, int n)
{
	int i;

	for (i = 0; i < n; i++)
	{
		units[i].matched = units[i].folded = units[i].postponed = units[i].refused = false;
		units[i].input = units[i].own;
	}
	if (!ls_leads_can_be_found())
		match_by_query(import, units, n);
	else
		match_by_index(import, units, n);
	for (i = 0; i < n; i++)
	{
		if (units[i].input.set[LEAD_status] && list_length(units[i].rows) == 1)
			refuse_status(import, &units[i]);
	}
	fold_units(import, units, n);
}

/*
 * Is a unit refused because of a lead that this transaction does not see, since
 * another one has written it after this one's snapshot was taken?
 */
bool
ls_import_is_unseen(LsImport *import, const LsImportUnit *unit, const ErrorData *error)
{
	char *name =
		error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION ? ls_import_column_at_fault(error) : NULL;
	LsLeadColumn key = name ? ls_lead_find_column(name) : LEAD_NONE;
	LsLeadFinder *finder;
	bool visible;

	if (key == LEAD_source)
		key = LEAD_source_id;
	if ((key != LEAD_id && key != LEAD_source_id && key != LEAD_email &&
			key != LEAD_phone_number) ||
		!unit->input.set[key] || !ls_leads_can_be_found())
		return false;
	finder = ls_lead_finder_open(&import->org);
	visible = ls_lead_is_visible(finder, key, &unit->input);
	ls_lead_finder_close(finder);
	return !visible;
}

/* Is a status among those that may follow? */
static bool
may_follow(const LsStatus *from, const char *to)
{
	ListCell *cell;

	if (from == NULL)
		return false;
	foreach (cell, from->next)
	{
		if (strcmp(((const LsStatus *) lfirst(cell))->status, to) == 0)
			return true;
	}
	return false;
}

/*
 * May the lead that a unit was matched with take the unit's status?  A status
 * that the pipeline does not have is left to the row trigger to refuse.
 */
static bool
status_fits(const LsImportUnit *unit)
{
	const char *status = ls_lead_input_text(&unit->input, LEAD_status);
	const LsPipeline *from = ls_pipeline(&unit->pipeline);
	const LsPipeline *to = unit->input.set[LEAD_pipeline_id]
							   ? ls_pipeline(DatumGetUUIDP(unit->input.values[LEAD_pipeline_id]))
							   : from;
	const LsStatus *old = from ? ls_pipeline_status(from, unit->status) : NULL;
	const LsStatus *new = to ? ls_pipeline_status(to, status) : NULL;

	if (new == NULL)
		return true;
	if (ls_uuid_equal(&from->id, &to->id))
		return strcmp(status, unit->status) == 0 || may_follow(old, status);
	return new == to->initial || (old != NULL && strcmp(old->stage, new->stage) == 0);
}

/* The row of a unit that its status comes from. */
static const LsImportRow *
row_of_status(const LsImportUnit *unit)
{
	const LsImportRow *row = linitial(unit->rows);
	ListCell *cell;

	foreach (cell, unit->rows)
	{
		if (((LsImportRow *) lfirst(cell))->input.set[LEAD_status])
			row = lfirst(cell);
	}
	return row;
}

/* Is a matched unit to move into another pipeline? */
static bool
moves(const LsImportUnit *unit)
{
	return unit->input.set[LEAD_pipeline_id] &&
		   !ls_uuid_equal(DatumGetUUIDP(unit->input.values[LEAD_pipeline_id]), &unit->pipeline);
}

/*
 * A matched unit as it is merged.  A lead moves on after it was imported, so
 * when the file comes again, a status that the lead cannot go to is left out,
 * with a warning, and the rest is taken.  So is the pipeline of that status:
 * moved there without it, the lead would start anew.
 */
LsImportUnit *
ls_import_mergeable(LsImport *import, LsImportUnit *unit)
{
	const LsImportRow *row;
	LsImportUnit *copy;

	if (!unit->input.set[LEAD_status] || status_fits(unit))
		return unit;
	row = row_of_status(unit);
	ls_import_problem(import, row->line, row->raw, strlen(row->raw), "status", false,
		LS_ERRCODE_STATUS_STEP,
		psprintf("status step from \"%s\" to \"%s\" is not allowed; %s not taken over",
			unit->status, ls_lead_input_text(&unit->input, LEAD_status),
			moves(unit) ? "pipeline and status were" : "the status was"));
	/* The unit itself stays, since its batch may be tried again in parts. */
	copy = palloc(sizeof(LsImportUnit));
	*copy = *unit;
	copy->input.set[LEAD_status] = copy->input.set[LEAD_pipeline_id] = false;
	return copy;
}
