/*-------------------------------------------------------------------------
 *
 * log.c
 *	  What is written into executed_steps.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/json.h"

#include "lead_system.h"
#include "nurture/nurture.h"

/*
 * Add an entry to a log, which is JSON text without its brackets.  "value" is a
 * further member, named "key", or NULL.  Times are written in UTC, so that the log
 * does not depend on the session that wrote it.
 */
void
ls_nurture_log(StringInfo log, int step, TimestampTz at, const char *status, const char *channel,
	const char *key, const char *value)
{
	int utc = 0;
	char time[MAXDATELEN + 1];

	(void) JsonEncodeDateTime(time, TimestampTzGetDatum(at), TIMESTAMPTZOID, &utc);
	appendStringInfo(log, "%s{\"step\": %d, \"executed_at\": \"%s\", \"status\": \"%s\"",
		log->len > 0 ? ", " : "", step, time, status);
	if (channel != NULL)
		appendStringInfo(log, ", \"channel\": \"%s\"", channel);
	if (value != NULL)
	{
		appendStringInfo(log, ", \"%s\": ", key);
		escape_json(log, value);
	}
	appendStringInfoChar(log, '}');
}
