/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  Advisory locks of the extension.
 *
 *	  Each kind of lock has a class of its own, so that none meets another, or
 *	  the locks that applications take with SQL functions, whose classes are 1
 *	  and 2.  Two things that share a lock by chance only wait for each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_LOCK_H
#define LS_CORE_LOCK_H

#include "storage/lock.h"
#include "utils/uuid.h"

typedef enum LsLockClass
{
	LS_LOCK_NURTURE_PART = 0x4c4e,  /* daily counts of a channel */
	LS_LOCK_LEAD_IDENTITY = 0x4c53, /* a number, address or source id that is being written */
	LS_LOCK_NATIONAL_AREA = 0x4c54, /* an area code that is being loaded */
	LS_LOCK_SMART_LISTS = 0x4c55,   /* smart lists of an organisation */
	LS_LOCK_AUDIT_CHAIN = 0x4c56,   /* the end of an organisation's audit chain */
	LS_LOCK_WAITING_LEADS = 0x4c57, /* leads that find nobody, against users who join in */
	LS_LOCK_MAINTENANCE = 0x4c58,   /* the runner of maintenance, of an organisation or of all */
	LS_LOCK_SNAPSHOTS = 0x4c5a      /* analytics snapshots of an organisation */
} LsLockClass;

extern LOCKTAG ls_lock_tag(LsLockClass class, uint32 high, uint32 low);
extern LOCKTAG ls_lock_tag_org(LsLockClass class, const pg_uuid_t *org);

#endif /* LS_CORE_LOCK_H */
