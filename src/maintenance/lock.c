/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  One runner at a time.
 *
 *	  A runner holds an advisory lock over its many transactions.  It belongs to
 *	  the session, so it is gone when that ends, however it ends; and it is given
 *	  back when a transaction of the runner is aborted, since then the runner has
 *	  ended with an error: errors in jobs end only subtransactions, and those of a
 *	  commit are caught while the lock is kept.
 *
 *	  Runs for one organisation and runs for all have different locks.  They may
 *	  go on at the same time, as jobs skip rows that another session holds; a
 *	  tenant cannot keep the others from being maintained.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "storage/lock.h"

#include "lead_system.h"
#include "core/lock.h"
#include "maintenance/internal.h"

static LOCKTAG held_tag;
static bool is_held = false;
static bool is_kept = false;

/* Become the runner; false when there is one. */
bool
ls_maintenance_lock(const LsJobTarget *target)
{
	LOCKTAG tag = ls_lock_tag_org(LS_LOCK_MAINTENANCE, &target->org);

	if (is_held || LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	held_tag = tag;
	is_held = true;
	return true;
}

/* Be the runner no more. */
void
ls_maintenance_unlock(void)
{
	is_kept = false;
	if (!is_held)
		return;
	is_held = false;
	LockRelease(&held_tag, ExclusiveLock, true);
}

/* Until told otherwise, a transaction that is aborted does not end the runner. */
void
ls_maintenance_keep_lock(bool keep)
{
	is_kept = keep;
}

/*
 * Is there a runner?  This session itself may be it.  A standby does not know the
 * locks of its primary, so what is under way there counts as being so.
 */
bool
ls_maintenance_is_running(const LsJobTarget *target)
{
	LOCKTAG tag = ls_lock_tag_org(LS_LOCK_MAINTENANCE, &target->org);
	int n = 0;

	if (RecoveryInProgress())
		return true;
	if (is_held && memcmp(&tag, &held_tag, sizeof(LOCKTAG)) == 0)
		return true;
	(void) GetLockConflicts(&tag, ShareLock, &n);
	return n > 0;
}

/* End of a transaction: an abort ends the runner. */
static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT && !is_kept)
		ls_maintenance_unlock();
}

void
ls_maintenance_lock_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}
