/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of the domain share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_MAINTENANCE_INTERNAL_H
#define LS_MAINTENANCE_INTERNAL_H

#include "datatype/timestamp.h"

#include "core/query.h"

/* How often a job is due: once in each minute, hour or day of the clock. */
typedef enum LsJobInterval
{
	LS_EVERY_MINUTE = 60,
	LS_EVERY_HOUR = 3600,
	LS_EVERY_DAY = 86400
} LsJobInterval;

/* What a run works on. */
typedef enum LsJobScope
{
	/*
	 * One statement for whatever the session may work in: a sweeper.  When it
	 * fails, the organisations are tried one by one.
	 */
	LS_JOB_SWEEP,
	/* One organisation after the other; the statement takes it as its last parameter. */
	LS_JOB_EACH_ORGANIZATION,
	/* The same, and what the statement returns is a number of faults. */
	LS_JOB_VERIFY
} LsJobScope;

/*
 * A batch that is written in C; org is NULL for all organisations.  *more says
 * whether there is another one; "first" whether this is a run's first for org.
 */
typedef int64 (*LsJobBatch)(const pg_uuid_t *org, int batch, bool first, bool *more);

/*
 * A job.  The statement returns one bigint.  It runs as the caller, who needs
 * the right to execute the function in it.  With a batch its first parameter is
 * the number of rows, and it is run again until it did fewer.
 */
typedef struct LsJob
{
	const char *name;
	LsJobInterval interval;
	LsJobScope scope;
	int batch; /* rows in one transaction; 0 for all that there are */
	LsQuery *query;
	LsJobBatch run; /* instead of a statement */
	const char *description;
} LsJob;

extern const LsJob ls_jobs[];
extern const int ls_n_jobs;

/* What one call of run_maintenance() works in: an organisation, or all (zero). */
typedef struct LsJobTarget
{
	pg_uuid_t org;
	bool is_all;
} LsJobTarget;

/* A run of a job. */
typedef struct LsJobRun
{
	const LsJob *job;
	const LsJobTarget *target;
	pg_uuid_t id;
	TimestampTz deadline; /* of the real clock */
	int n_failed;         /* errors */
	char *error;          /* the first one, or NULL */
	int sqlstate;
} LsJobRun;

/* maintenance.c */
extern int ls_maintenance_history_days;
extern int ls_maintenance_job_seconds;
extern int ls_maintenance_day_start;
extern void ls_maintenance_target(LsJobTarget *target);

/* lock.c */
extern bool ls_maintenance_lock(const LsJobTarget *target);
extern void ls_maintenance_unlock(void);
extern void ls_maintenance_keep_lock(bool keep);
extern bool ls_maintenance_is_running(const LsJobTarget *target);
extern void ls_maintenance_lock_init(void);

/* runs.c */
extern void ls_runs_close_interrupted(const LsJobTarget *target);
extern bool ls_runs_due(const LsJob *job, const LsJobTarget *target);
extern void ls_run_begin(LsJobRun *run);
extern bool ls_run_position(const LsJobRun *run, pg_uuid_t *position);
extern void ls_run_progress(const LsJobRun *run, int64 rows, const pg_uuid_t *position);
extern void ls_run_end(const LsJobRun *run, const char *state);
extern int64 ls_runs_forget(const pg_uuid_t *org, int batch, bool first, bool *more);

/* job.c */
extern void ls_job_run(LsJobRun *run);

/* run.c */
extern void ls_maintenance_commit(void);
extern void ls_maintenance_read_committed(void);

#endif /* LS_MAINTENANCE_INTERNAL_H */
