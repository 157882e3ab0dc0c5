/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  Advisory locks of the extension.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "lead_system.h"
#include "core/lock.h"

/* The lock of a class with a key. */
LOCKTAG
ls_lock_tag(LsLockClass class, uint32 high, uint32 low)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, high, low, class);
	return tag;
}

/* The lock of a class for an organisation. */
LOCKTAG
ls_lock_tag_org(LsLockClass class, const pg_uuid_t *org)
{
	uint32 words[4];

	memcpy(words, org->data, UUID_LEN);
	return ls_lock_tag(class, words[0] ^ words[2], words[1] ^ words[3]);
}
