/*-------------------------------------------------------------------------
 *
 * call_details.h
 *	  The argument p_details of record_call_attempt().
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_CALL_DETAILS_H
#define LS_OUTREACH_CALL_DETAILS_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Optional details of a call. */
typedef struct LsCallDetails
{
	Datum pledged_amount;
	Datum donated_amount;
	bool has_pledged;
	bool has_donated;
	bool has_callback;
	bool has_started;
	TimestampTz callback_at;
	TimestampTz started_at;
	char *notes;
	char *provider_call_id;
	char *recording_url;
	char *caller_phone;
} LsCallDetails;

extern void ls_call_details_read(Jsonb *json, LsCallDetails *details);

#endif /* LS_OUTREACH_CALL_DETAILS_H */
