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
	LsLeadInput own;   /* of its rows */
	LsLeadInput input; /* with what was folded into it in the current attempt */
	List *rows;        /* of LsImportRow */
	int wave;          /* is written after all units of the waves before */
	int next;          /* the unit of the same lead in a later wave; 0 when there is none */
	pg_uuid_t lead;
	bool matched; /* the lead was there before; then */
	pg_uuid_t pipeline;
	char *status;
	bool folded;    /* the same lead as an earlier unit, into which it went */
	bool postponed; /* the same lead as an earlier unit, to be written after it */
	bool refused;   /* it has been reported */
} LsImportUnit;

/* Keys by which two rows are known to be of one lead, in the order of I13. */
#define LS_IMPORT_N_KEYS 4
extern const LsLeadColumn ls_import_keys[LS_IMPORT_N_KEYS];

/* import_collapse.c */
extern int ls_import_collapse(LsImport *import, LsImportUnit *units);
extern void ls_import_merge_input(LsLeadInput *into, const LsLeadInput *from);
extern bool ls_import_may_join(const LsLeadInput *into, const LsLeadInput *from);

/* import_batch.c */
extern bool ls_import_is_row_error(int sqlstate);

/* import_refuse.c */
extern void ls_import_check_rows(LsImport *import);
extern char *ls_import_column_at_fault(const ErrorData *error);
extern void ls_import_reject_row(LsImport *import, const LsImportRow *row, const ErrorData *error);

/* import_match.c */
extern void ls_import_match(LsImport *import, LsImportUnit *units, int n);
extern bool ls_import_is_unseen(LsImport *import, const LsImportUnit *unit, const ErrorData *error);
extern LsImportUnit *ls_import_mergeable(LsImport *import, LsImportUnit *unit);

/* import_write.c */
extern Datum ls_import_column_array(
	LsImportUnit **units, int n, LsLeadColumn column, Oid *array_type);
extern void ls_import_write(LsImport *import, LsImportUnit *units, int n);

#endif /* LS_OUTREACH_IMPORT_WRITE_H */
