/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  The virtual clock: transaction time, unless a superuser overrides it.
 *
 *	  Windows, leases, decay, retention and calling hours all read
 *	  ls_clock_now(), so that they are tested without sleeping and a change
 *	  of rules can be replayed over history.  The override could be used to
 *	  reach around a calling window, hence PGC_SUSET.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "lead_system.h"
#include "core/clock.h"

static char *clock_override_text = NULL;
static bool clock_overridden = false;
static TimestampTz clock_override = 0;

/*
 * Parse the text of lead_system.now.  The date parser is called directly,
 * since timestamptz_in would raise an error, which a GUC hook must not do.
 */
static bool
clock_parse(const char *text, TimestampTz *result)
{
	char workbuf[MAXDATELEN + MAXDATEFIELDS];
	char *field[MAXDATEFIELDS];
	int ftype[MAXDATEFIELDS];
	struct pg_tm tm;
	fsec_t fsec;
	int dtype;
	int nf;
	int tz;

	if (strlen(text) >= MAXDATELEN ||
		ParseDateTime(text, workbuf, sizeof(workbuf), field, ftype, MAXDATEFIELDS, &nf) != 0)
		return false;
	if (ls_decode_datetime(field, ftype, nf, &dtype, &tm, &fsec, &tz) != 0 || dtype != DTK_DATE)
		return false;
	return tm2timestamp(&tm, fsec, &tz, result) == 0;
}

/* Check hook of lead_system.now: empty, or a timestamp. */
static bool
clock_check(char **newval, void **extra, GucSource source)
{
	TimestampTz parsed;
	TimestampTz *kept;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!clock_parse(*newval, &parsed))
	{
		GUC_check_errdetail("\"%s\" is not a timestamp.", *newval);
		return false;
	}
	kept = guc_malloc(LOG, sizeof(TimestampTz));
	if (kept == NULL)
		return false;
	*kept = parsed;
	*extra = kept;
	return true;
}

/* Assign hook of lead_system.now: take over what the check hook parsed. */
static void
clock_assign(const char *newval, void *extra)
{
	clock_overridden = (extra != NULL);
	if (extra != NULL)
		clock_override = *((TimestampTz *) extra);
}

/*
 * The time that rules go by: constant within a transaction, as now() is.
 */
TimestampTz
ls_clock_now(void)
{
	return clock_overridden ? clock_override : GetCurrentTransactionStartTimestamp();
}

/*
 * The time at this very moment, for what must not be judged as of when a long
 * transaction began.
 */
TimestampTz
ls_clock_instant(void)
{
	return clock_overridden ? clock_override : GetCurrentTimestamp();
}

PG_FUNCTION_INFO_V1(ls_core_clock_now);

/* clock_now(): see ls_clock_now. */
Datum
ls_core_clock_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(ls_clock_now());
}

void
ls_clock_init(void)
{
	DefineCustomStringVariable("lead_system.now",
		"Sets the time that all rules of lead_system go by, instead of the transaction's time.",
		"For tests and for replaying rule changes over history. Empty means the real time.",
		&clock_override_text, "", PGC_SUSET, 0, clock_check, clock_assign, NULL);
}
