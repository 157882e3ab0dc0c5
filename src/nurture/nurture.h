/*-------------------------------------------------------------------------
 *
 * nurture.h
 *	  Sequences of steps by which leads are followed up.
 *
 *	  Locks are taken in this order:
 *
 *		leads
 *		lead_sequence_enrollments (by lead, then by id)
 *		nurture_sequences (by id; the counts)
 *
 *	  A claim waits for none of the first two: it steps over enrolments that are
 *	  locked, and leaves alone those whose lead is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_NURTURE_H
#define LS_NURTURE_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "core/query.h"
#include "leads/leads.h"

/* How a step is carried out. */
typedef enum LsNurtureChannel
{
	NURTURE_SMS,
	NURTURE_EMAIL,
	NURTURE_CALL,
	NURTURE_TASK, /* somebody of the organisation has to do something */
	NURTURE_WAIT  /* nothing is to be done */
} LsNurtureChannel;

#define LS_NURTURE_N_CHANNELS (NURTURE_WAIT + 1)

/* A step of a sequence. */
typedef struct LsNurtureStep
{
	int number;
	LsNurtureChannel channel;
	int64 delay;          /* in microseconds */
	bool from_enrollment; /* the delay counts from there, not from the previous step */
	char *template_id;    /* or NULL */
	Jsonb *conditions;    /* who gets it; NULL for all */
} LsNurtureStep;

/* The steps of a sequence, in their order. */
typedef struct LsNurtureSteps
{
	int n;
	LsNurtureStep *steps;
} LsNurtureSteps;

/* Stages in which a lead is not followed up any more, for SQL texts. */
#define LS_NURTURE_CLOSED_STAGES_SQL "('won', 'lost', 'blocked', 'archived')"

/* Why enrolments end that a block ends (semantics D5). */
#define LS_NURTURE_LISTED "Lead added to DNC list"

/* Largest batch of a claim. */
#define LS_NURTURE_MAX_BATCH 1000

/* steps.c */
extern void ls_nurture_steps_parse(Jsonb *json, LsNurtureSteps *steps);
extern Jsonb *ls_nurture_steps_sorted(Jsonb *json, const LsNurtureSteps *steps);
extern const LsNurtureStep *ls_nurture_step_from(const LsNurtureSteps *steps, int number);
extern TimestampTz ls_nurture_step_due(
	const LsNurtureStep *step, TimestampTz previous, TimestampTz enrolled);
extern const char *ls_nurture_channel_name(LsNurtureChannel channel);

/* filter.c */
extern bool ls_nurture_filter_is_empty(Jsonb *filter);
extern void ls_nurture_filter_check(Jsonb *filter, const char *what);
extern void ls_nurture_filter_match(
	const pg_uuid_t *org, const pg_uuid_t *leads, Jsonb *const *filters, int n, bool *matches);

/* auto.c */
extern void ls_nurture_auto_check(Jsonb *json);
extern void ls_nurture_auto_row(
	LsLeadStatement *statement, LsBatch **batch, const LsLeadRow *old, const LsLeadRow *new);
extern void ls_nurture_auto_init(void);

/* log.c */
extern void ls_nurture_log(StringInfo log, int step, TimestampTz at, const char *status,
	const char *channel, const char *key, const char *value);

/* enroll.c */
extern void ls_nurture_enroll_locked(
	const pg_uuid_t *org, const pg_uuid_t *sequence, const pg_uuid_t *lead);

/* reply.c */
extern void ls_nurture_replied(const pg_uuid_t *org, const pg_uuid_t *lead);
/* counts.c */
extern void ls_nurture_counts_once(void (*run)(void *), void *arg);

/* listener.c */
extern const LsLeadListener ls_nurture_listener;

extern int64 ls_nurture_recount_batch(const pg_uuid_t *org, int batch, bool first, bool *more);
extern void ls_nurture_init(void);

#endif /* LS_NURTURE_H */
