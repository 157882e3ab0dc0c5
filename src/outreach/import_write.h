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
	bool matched; /* the lead was there before; then */
	pg_uuid_t pipeline;
	char *status;
	bool folded;  /* the same lead as an earlier unit, into which it went */
	bool refused; /* it has been reported */
} LsImportUnit;

/* Keys by which two rows are known to be of one lead, in the order of I13. */
#define LS_IMPORT_N_KEYS 4
extern const LsLeadColumn ls_import_keys[LS_IMPORT_N_KEYS];

/* import_batch.c */
extern void ls_import_merge_input(LsLeadInput *into, const LsLeadInput *from);

extern bool ls_import_is_row_error(int sqlstate);

/* import_refuse.c */
extern void ls_import_refuse_rows(LsImport *import);
extern void ls_import_reject_row(LsImport *import, const LsImportRow *row, const ErrorData *error);

/* import_match.c */
extern void ls_import_match(LsImport *import, LsImportUnit *units, int n);
extern LsImportUnit *ls_import_mergeable(LsImport *import, LsImportUnit *unit);

/* import_write.c */
extern Datum ls_import_column_array(
	LsImportUnit **units, int n, LsLeadColumn column, Oid *array_type);
extern void ls_import_write(LsImport *import, LsImportUnit *units, int n);

#endif /* LS_OUTREACH_IMPORT_WRITE_H */
