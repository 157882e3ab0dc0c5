/*-------------------------------------------------------------------------
 *
 * growth.c
 *	  Has a table outgrown the plans that were made for it?
 *
 *	  Plans are kept, ours and those of foreign keys, and a plan that was made
 *	  when a table was empty takes any index for as good as the right one.  The
 *	  server plans anew when VACUUM or ANALYZE have looked at the table; in the
 *	  first import of a new database that is too late, as every row would be
 *	  looked for among all others.  So plans are thrown away each time that a
 *	  table has doubled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/bufmgr.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "core/growth.h"

#define MAX_TABLES 16
/* Pages below which no plan is bad enough to matter. */
#define SMALL_TABLE 8

/* The size of a table when its plans were last thrown away. */
typedef struct TableSize
{
	Oid relid;
	BlockNumber pages;
} TableSize;

static TableSize sizes[MAX_TABLES];
static int n_sizes = 0;

/* The remembered size of a table; NULL when no more can be remembered. */
static TableSize *
size_of(Oid relid)
{
	int i;

	for (i = 0; i < n_sizes; i++)
	{
		if (sizes[i].relid == relid)
			return &sizes[i];
	}
	if (n_sizes == MAX_TABLES)
		return NULL;
	sizes[n_sizes].relid = relid;
	sizes[n_sizes].pages = 0;
	return &sizes[n_sizes++];
}

/* Rows have been added to a table. */
void
ls_growth_note(Relation rel)
{
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	TableSize *size = size_of(RelationGetRelid(rel));

	if (size == NULL || pages < SMALL_TABLE || pages < 2 * size->pages)
		return;
	size->pages = pages;
	CacheInvalidateRelcache(rel);
}
