/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of notifications share among themselves.
 *
 *	  Locks: rows of notifications come after leads.  A claim, which locks them
 *	  first, takes locks on leads without waiting.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_NOTIFICATIONS_INTERNAL_H
#define LS_NOTIFICATIONS_INTERNAL_H

#include "datatype/timestamp.h"

#include "core/query.h"
#include "leads/leads.h"

/* What becomes of a notification that is being claimed. */
typedef enum LsNoticeFate
{
	LS_NOTICE_CLAIMED,
	LS_NOTICE_BUSY,    /* another session is at its lead, or it has had one already */
	LS_NOTICE_WAITING, /* not now */
	LS_NOTICE_DROPPED, /* never */
	LS_NOTICE_FAILED   /* there is nothing to send */
} LsNoticeFate;

/* A notification that is being claimed; its row is locked. */
typedef struct LsNotice
{
	pg_uuid_t id;
	bool has_lead;
	pg_uuid_t lead;
	bool has_user; /* false: it is for the lead */
	pg_uuid_t user;
	char *type;
	char *template_name;
	char *recipient;
	char *subject;
	char *body;
	Jsonb *payload;
	int retry_count;
	LsNoticeFate fate;
	bool again;        /* busy, but may be looked at again in this claim */
	const char *rule;  /* of those that wait or are dropped */
	TimestampTz until; /* of those that wait */
	const char *error; /* of those that failed */
} LsNotice;

/* A claim in one organisation. */
typedef struct LsNoticeClaim
{
	pg_uuid_t org;
	TimestampTz now;
	TimestampTz lease_until;
	LsNotice *notices;
	int n;
	pg_uuid_t *passed; /* that are busy, and stay as they are */
	int n_passed;
	pg_uuid_t *served; /* leads that got one in this claim */
	int n_served;
} LsNoticeClaim;

/* alerts.c */
extern const LsLeadListener ls_notifications_listener;

/* content.c */
extern void ls_notices_read(LsNoticeClaim *claim);

/* judge.c */
extern void ls_notices_judge(LsNoticeClaim *claim);

/* store.c */
extern Datum ls_notices_array(Datum *values, bool *nulls, int n, Oid type);
extern void ls_notices_store(const LsNoticeClaim *claim);

/* finish.c */
extern int *ls_notification_retries(const pg_uuid_t *org, int *n);

#endif /* LS_NOTIFICATIONS_INTERNAL_H */
