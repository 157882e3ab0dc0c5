/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  A claim on steps that are due, being made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_NURTURE_CLAIM_H
#define LS_NURTURE_CLAIM_H

#include "utils/hsearch.h"

#include "nurture/nurture.h"

/* An active sequence. */
typedef struct LsNurtureSequence
{
	pg_uuid_t id;
	LsNurtureSteps steps;
} LsNurtureSequence;

/* What becomes of an enrolment that is due. */
typedef enum LsNurtureFate
{
	FATE_PENDING,   /* not known yet */
	FATE_LEFT,      /* for the next claim */
	FATE_CLAIMED,   /* handed out */
	FATE_WAITING,   /* not before row->due: another step, or not allowed now */
	FATE_CANCELLED, /* must not be contacted */
	FATE_COMPLETED  /* no step is left */
} LsNurtureFate;

/* An enrolment that is due, as it will be written. */
typedef struct LsNurtureRow
{
	pg_uuid_t id;
	pg_uuid_t lead;
	const LsNurtureSequence *sequence;
	int current_step;
	TimestampTz due;
	TimestampTz enrolled_at;
	char *blocked_rule; /* or NULL */
	int retry_count;
	const LsNurtureStep *step; /* the current one */
	LsNurtureFate fate;
	bool changed;       /* something is to be written even if it is left */
	const char *reason; /* why the lead is not followed up, or NULL */
	StringInfoData log; /* what comes to executed_steps */
} LsNurtureRow;

/* A claim being made. */
typedef struct LsNurtureClaim
{
	pg_uuid_t org;
	pg_uuid_t user;
	bool has_user;
	TimestampTz now;
	TimestampTz lease_until;
	LsNurtureSequence *sequences;
	int n_sequences;
	Datum sequence_ids; /* uuid[] */
	pg_uuid_t *passed;  /* enrolments that are left for the next claim */
	int n_passed;
	HTAB *leads;   /* of all rounds: a claim hands out one step of a lead */
	int n_refused; /* enrolments that were looked at and not handed out */
} LsNurtureClaim;

/* gate.c */
extern int ls_nurture_gate(LsNurtureClaim *claim, LsNurtureRow *rows, int n, int wanted);

/* claim_leads.c */
extern void ls_nurture_lock_leads(LsNurtureClaim *claim, LsNurtureRow *rows, int n_rows);

/* daily.c */
extern int ls_nurture_take_daily(
	const LsNurtureClaim *claim, LsNurtureChannel channel, int wanted, TimestampTz *until);

/* release.c */
extern int64 ls_nurture_release_lapsed(const pg_uuid_t *org, int batch);

#endif /* LS_NURTURE_CLAIM_H */
