/*-------------------------------------------------------------------------
 *
 * record.h
 *	  What a statement on leads means for their users, on its way from the
 *	  listener that collects it to the tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ASSIGNMENT_RECORD_H
#define LS_ASSIGNMENT_RECORD_H

#include "assignment/internal.h"

/* A lead that has changed hands. */
typedef struct Change
{
	pg_uuid_t org;
	pg_uuid_t lead;
	pg_uuid_t from;
	pg_uuid_t to;
	bool has_from;
	bool has_to;
} Change;

/* A milestone that a lead has reached. */
typedef struct Credit
{
	pg_uuid_t org;
	pg_uuid_t lead;
	pg_uuid_t user;
	bool is_contact;
	int64 seconds;
} Credit;

/* Elements of one size that grow in number. */
typedef struct Series
{
	char *items;
	Size size;
	int64 n;
	int64 capacity;
} Series;

/* A lead by its key. */
typedef struct LeadKey
{
	pg_uuid_t org;
	pg_uuid_t lead;
} LeadKey;

/* What the listener keeps for one statement. */
typedef struct AssignmentState
{
	HTAB *deltas;
	Series changes;     /* of Change */
	Series credits;     /* of Credit */
	Series not_waiting; /* of LeadKey: these wait no longer, if they did */
	Series deleted;     /* of LeadKey: gone for good */
	Series fresh;       /* of LeadKey: to be assigned by themselves */
	LsBatch *activities;
	MemoryContext context;
} AssignmentState;

/* An element. */
static inline void *
series_get(const Series *series, int64 i)
{
	return series->items + series->size * i;
}

extern void ls_assignment_record(LsLeadStatement *statement, void **state);

#endif /* LS_ASSIGNMENT_RECORD_H */
