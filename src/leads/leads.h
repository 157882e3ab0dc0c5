/*-------------------------------------------------------------------------
 *
 * leads.h
 *	  Leads, as other domains see them.
 *
 *	  Domains that build on leads take part in what happens to a row without
 *	  leads knowing them: they register a step of the BEFORE ROW trigger, or a
 *	  listener of the AFTER STATEMENT trigger, in their Init.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_H
#define LS_LEADS_H

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/batch.h"
#include "core/json.h"
#include "core/query.h"
#include "directory/directory.h"
#include "leads/columns.h"

/* A row about to be written. */
typedef struct LsLeadChange
{
	Relation rel;
	LsLeadRow *row;       /* the new version; steps change it */
	const LsLeadRow *old; /* NULL on insert */
	ItemPointer old_tid;  /* where the old version lies; NULL on insert */
	pg_uuid_t org;
	const LsOrganization *organization;
	TimestampTz now;
} LsLeadChange;

/* A step of the BEFORE ROW trigger; runs in the order of registration. */
typedef void (*LsLeadStep)(LsLeadChange *change);

/* A statement that wrote leads, while its rows are walked. */
typedef struct LsLeadStatement
{
	Relation rel;
	TimestampTz now;
	MemoryContext context; /* lives as long as the statement is walked */
	void **states;         /* one per listener, for its own use */
} LsLeadStatement;

/*
 * A listener of the AFTER STATEMENT trigger.  "row" is called per row with the
 * old version (NULL on insert) and the new one (NULL on delete), in a memory
 * context that lasts for that row; what has to stay goes into *state, made in
 * statement->context.  "end" is called once, if *state was made.
 */
typedef struct LsLeadListener
{
	void (*row)(
		LsLeadStatement *statement, void **state, const LsLeadRow *old, const LsLeadRow *new);
	void (*end)(LsLeadStatement *statement, void **state);
} LsLeadListener;

/* What caused a change, for the histories. */
typedef struct LsLeadCause
{
	const char *reason;       /* or NULL */
	const char *trigger_type; /* call, manual, automation, ai, import */
	const pg_uuid_t *trigger_id;
	bool force; /* status steps that the pipeline does not have are allowed */
	/*
	 * A status that is passed on the way, or NULL.  The histories have both
	 * steps, the row is written once.  It must be one that entering does nothing
	 * else for: no stamp, no reason, no other stage.
	 */
	const char *via;
	const char *via_reason; /* of the step to it, or NULL */
	bool no_activity;       /* sums of counters that grow are not activity of the lead */
	bool undone;            /* leads become what they were: nothing begins for them */
} LsLeadCause;

/* A status of a pipeline. */
typedef struct LsStatus
{
	char *status;
	char *stage;
	char *pipeline_stage;      /* or NULL */
	LsLeadColumn stamp_column; /* or LEAD_NONE */
	bool requires_reason;
	List *next; /* of LsStatus, the steps that are allowed */
} LsStatus;

typedef struct LsPipeline
{
	pg_uuid_t id; /* hash key */
	pg_uuid_t org;
	bool built_in;
	char *name;
	LsStatus *statuses;
	int n_statuses;
	LsStatus *initial;
} LsPipeline;

extern void ls_leads_register_step(LsLeadStep step);
extern void ls_leads_register_listener(const LsLeadListener *listener);
extern void ls_leads_init(void);

/*
 * Bring back a lead that is kept elsewhere: the one of that id, for the erasure
 * (then deleted), or one that is the same by source or number.
 */
typedef struct LsLeadArchive
{
	bool (*recall)(const pg_uuid_t *org, const pg_uuid_t *lead);
	bool (*recall_same)(
		const pg_uuid_t *org, const char *source, const char *source_id, const char *phone);
} LsLeadArchive;

extern void ls_leads_register_archive(const LsLeadArchive *archive);
extern const LsLeadArchive *ls_lead_archive(void);

extern const LsLeadCause *ls_lead_cause(void);
extern const LsLeadCause *ls_lead_cause_set(const LsLeadCause *cause);

extern const LsPipeline *ls_pipeline(const pg_uuid_t *id);
extern const LsPipeline *ls_pipeline_default(const LsOrganization *organization);
extern const LsPipeline *ls_pipeline_find(const pg_uuid_t *org, const char *name);
extern const LsStatus *ls_pipeline_status(const LsPipeline *pipeline, const char *status);
extern const LsStatus *ls_pipeline_stage_status(const LsPipeline *pipeline, const char *stage);

extern const char *ls_lead_passed_status(
	const LsPipeline *pipeline, const char *from, const char *to);
extern void ls_lead_change_status_now(LsLeadChange *change, const char *status);

/* One line of the activities of a lead; values are JSON or NULL. */
typedef struct LsActivity
{
	const pg_uuid_t *org;
	const pg_uuid_t *lead;
	const char *action;
	Jsonb *old_value;
	Jsonb *new_value;
	const char *description;
} LsActivity;

extern pg_uuid_t ls_activity_add(const LsActivity *activity);
extern LsBatch *ls_activity_batch(void);
extern void ls_activity_batch_add(LsBatch *batch, const LsActivity *activity);

#endif /* LS_LEADS_H */
