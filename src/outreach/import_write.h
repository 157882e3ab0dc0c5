/*-------------------------------------------------------------------------
 *
 * import_write.h
 *	  Writing units of an import.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_IMPORT_WRITE_H
#define LS_OUTREACH_IMPORT_WRITE_H

#include "outreach/import.h"

/* One lead of a batch, with the rows that are about it. */
typedef struct LsImportUnit
{
	LsLeadInput input;
	List *rows; /* of LsImportRow */
	pg_uuid_t lead;
	bool matched; /* the lead was there before */
	bool folded;  /* the same lead as an earlier unit, into which it went */
} LsImportUnit;

extern void ls_import_merge_input(LsLeadInput *into, const LsLeadInput *from);
extern void ls_import_write(LsImport *import, LsImportUnit *units, int n);

#endif /* LS_OUTREACH_IMPORT_WRITE_H */
