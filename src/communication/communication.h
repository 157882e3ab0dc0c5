/*-------------------------------------------------------------------------
 *
 * communication.h
 *	  Calls and text messages, as other domains see them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMMUNICATION_H
#define LS_COMMUNICATION_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* A call to be recorded; pointers may be NULL. */
typedef struct LsCall
{
	const pg_uuid_t *org;
	const pg_uuid_t *user;
	const pg_uuid_t *lead;
	const pg_uuid_t *campaign;
	const pg_uuid_t *campaign_lead;
	const char *caller_phone;
	const char *called_phone;
	const char *direction;
	const char *status;
	const char *outcome;
	int duration; /* seconds */
	const char *recording_url;
	const char *provider_call_id;
	const char *notes;
	TimestampTz started_at;
} LsCall;

/*
 * Records a call that was made for a row of a campaign's queue, with the details
 * that record_call_attempt() takes; returns the call.
 */
typedef pg_uuid_t (*LsCampaignCall)(
	const pg_uuid_t *campaign_lead, const char *outcome, int duration, Jsonb *details);

extern void ls_calls_register_campaigns(LsCampaignCall record);
extern pg_uuid_t ls_call_add(const LsCall *call);
extern bool ls_call_find(
	const pg_uuid_t *org, const char *provider_call_id, pg_uuid_t *id, pg_uuid_t *campaign_lead);
extern bool ls_call_lead(
	const pg_uuid_t *org, const pg_uuid_t *call, pg_uuid_t *lead, TimestampTz *began_at);
extern int ls_calls_of_campaign_since(
	const pg_uuid_t *org, const pg_uuid_t *campaign, TimestampTz since, int limit);
extern void ls_communication_init(void);

#endif /* LS_COMMUNICATION_H */
