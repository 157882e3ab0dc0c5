/*-------------------------------------------------------------------------
 *
 * growth.c
 *	  Plans that were made while a table was small.
 *
 *	  Kept plans, ours as well as those of the server's foreign-key checks, are
 *	  made again only when the server says that their table has changed, which
 *	  it does when it analyzes the table.  Until then a plan of an empty table
 *	  stays, and for an empty table any index that begins with organization_id
 *	  looks as good as the primary key: each check then reads all rows of the
 *	  organisation.  A table that is filled by one transaction is not analyzed
 *	  before that ends.  So whoever adds many rows says so here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/bufmgr.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/growth.h"

/* Tables that this backend has seen grow, and how large they were then. */
static struct
{
	Oid relid;
	BlockNumber blocks;
} seen[16];

/*
 * Have plans on a table made again when it is twice as large as the server
 * knows, and as it was when this was last done.
 */
void
ls_plans_follow_growth(Relation rel)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(rel);
	BlockNumber known = Max(rel->rd_rel->relpages, 0);
	int i;

	if (blocks / 2 < Max(known, 1))
		return;
	for (i = 0; i < (int) lengthof(seen) - 1 && OidIsValid(seen[i].relid); i++)
	{
		if (seen[i].relid == RelationGetRelid(rel))
			break;
	}
	if (seen[i].relid != RelationGetRelid(rel) || seen[i].blocks > blocks)
		seen[i].blocks = 0;
	if (blocks / 2 < seen[i].blocks)
		return;
	seen[i].relid = RelationGetRelid(rel);
	seen[i].blocks = blocks;
	CacheInvalidateRelcache(rel);
}
