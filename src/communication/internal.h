/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of the communication domain share among themselves.
 *
 *	  Locks are taken in this order:
 *
 *		the report's own row (by the provider's id)
 *		dnc_list (by number)
 *		leads
 *		lead_sequence_enrollments, and what else hangs on the lead
 *		other rows of call_logs and sms_logs
 *
 *	  So a report writes its own row first, without its lead; the second of two
 *	  that are the same waits there, before it has done anything.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMMUNICATION_INTERNAL_H
#define LS_COMMUNICATION_INTERNAL_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compliance/opt_out.h"
#include "directory/directory.h"
#include "leads/leads.h"

/* What a report can say. */
typedef enum LsReportField
{
	REPORT_DIRECTION,
	REPORT_STATUS,
	REPORT_LEAD_ID,
	REPORT_USER_ID,
	REPORT_CAMPAIGN_ID,
	REPORT_CAMPAIGN_LEAD_ID,
	REPORT_FROM, /* number that called or wrote */
	REPORT_TO,
	REPORT_PROVIDER,
	REPORT_PROVIDER_ID,
	REPORT_CREATED_AT,
	/* calls */
	REPORT_ENDED_AT,
	REPORT_OUTCOME,
	REPORT_DURATION,
	REPORT_RECORDING_URL,
	REPORT_RECORDING_DURATION,
	REPORT_NOTES,
	REPORT_TRANSCRIPT,
	REPORT_PLEDGED_AMOUNT,
	REPORT_DONATED_AMOUNT,
	REPORT_CALLBACK_AT,
	/* messages */
	REPORT_MESSAGE_TEXT,
	REPORT_ERROR_MESSAGE,
	REPORT_REPLY_TO,
	REPORT_DELIVERED_AT,
	REPORT_N_FIELDS
} LsReportField;

/* A key of a report, and the type of its value. */
typedef struct LsReportKey
{
	const char *key;
	LsReportField field;
	Oid type;
} LsReportKey;

/* A call or a message that is being recorded. */
typedef struct LsReport
{
	const char *what; /* "call" or "sms", for messages and as a channel */
	const LsReportKey *keys;
	int n_keys;
	bool set[REPORT_N_FIELDS]; /* with a value that is not null */
	Datum values[REPORT_N_FIELDS];

	pg_uuid_t org;
	const LsOrganization *organization;
	pg_uuid_t id; /* of the row */
	bool is_inbound;
	TimestampTz at;
	char *contact; /* the lead's number, or NULL */
	char *own;     /* the organisation's number, or NULL */
	bool has_lead;
	pg_uuid_t lead;
	LsOptOut said;  /* by the lead, of further contact */
	bool is_listed; /* the number, because of that */
} LsReport;

/* What a contact means for the counters of its lead. */
typedef struct LsContactCounts
{
	int calls;
	int sms_replies;
	bool reached; /* somebody of the organisation and the lead had to do with each other */
	bool review;  /* somebody has to read it */
} LsContactCounts;

/* The sequence by which missed calls are followed up, for SQL; $1 is the organisation. */
#define LS_MISSED_CALL_SEQUENCE_SQL "md5('missed call ' || $1::uuid)::uuid"

/* Tag of leads that called, were not answered, and did not reply. */
#define LS_COLD_TAG "cold"

/* report.c */
extern void ls_report_read(LsReport *report, Jsonb *json);
extern void ls_report_enter(LsReport *report);
extern void ls_report_complete(LsReport *report);
extern void ls_report_check_same(LsReport *report, const char *provider, bool is_inbound,
	const char *from_phone, const char *to_phone);
extern void ls_report_check_status(const LsReport *report, const char *const *statuses);
extern const char *ls_report_text(const LsReport *report, LsReportField field);
extern void ls_report_arg(LsArgs *args, const LsReport *report, LsReportField field);

/* lead.c */
extern void ls_report_find_lead(LsReport *report);
extern char *ls_report_lead_number(const LsReport *report);
extern void ls_report_make_lead(LsReport *report, const char *source);
extern bool ls_report_lock_lead(LsReport *report);
extern void ls_report_count(const LsReport *report, const LsContactCounts *counts);
extern void ls_report_activity(const LsReport *report, const char *action, const char *detail);

/* opt_outs.c */
extern void ls_report_read_words(LsReport *report, const char *words);
extern bool ls_report_opts_out(const LsReport *report);
extern void ls_report_list(LsReport *report);
extern void ls_report_revoke(LsReport *report);
extern bool ls_report_resubscribe(LsReport *report);

/* replies.c */
extern const char *ls_reply_word(const char *message);
extern void ls_reply_tell_users(
	const LsReport *report, const char *template_name, const char *word);
extern bool ls_reply_act(const LsReport *report, const char *word, pg_uuid_t *answer);
extern bool ls_reply_answer(const LsReport *report, const char *template_name, pg_uuid_t *answer);

/* missed.c */
extern void ls_missed_call(const LsReport *report);

/* service.c */
extern const LsLeadListener ls_service_listener;

#endif /* LS_COMMUNICATION_INTERNAL_H */
