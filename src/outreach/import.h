/*-------------------------------------------------------------------------
 *
 * import.h
 *	  Importing leads, whatever they come from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_IMPORT_H
#define LS_OUTREACH_IMPORT_H

#include "utils/hsearch.h"

#include "leads/check.h"
#include "leads/input.h"

typedef enum LsOnDuplicate
{
	LS_IMPORT_MERGE,
	LS_IMPORT_SKIP,
	LS_IMPORT_REJECT
} LsOnDuplicate;

/* Options of import_leads_csv(). */
typedef struct LsImportOptions
{
	Jsonb *json;
	Jsonb *mapping; /* or NULL */
	char delimiter;
	char quote;
	bool header;
	const char *region; /* or NULL: the organisation's */
	LsOnDuplicate on_duplicate;
	const char *source;
	char **null_values;
	int n_null_values;
} LsImportOptions;

/* How a column of the input is known to stand for one of the lead. */
typedef enum LsImportRank
{
	LS_IMPORT_MAPPED,
	LS_IMPORT_OWN_NAME,
	LS_IMPORT_OTHER_NAME,
	LS_IMPORT_FULL_NAME
} LsImportRank;

/* What a column of the input becomes. */
typedef struct LsImportColumn
{
	const char *header; /* as the input calls it */
	const char *name;   /* the same, and different from all others */
	bool ignored;
	LsImportRank rank;
	LsInputTarget target; /* LS_INPUT_UNKNOWN: goes into metadata */
	LsLeadColumn column;
} LsImportColumn;

/* A row of the input on its way. */
typedef struct LsImportRow
{
	int line;
	char *raw;
	LsLeadInput input;
	bool suspect; /* the table may refuse it: to be written alone */
	LsLeadFault suspicion;
} LsImportRow;

typedef struct LsImportCounts
{
	int rows;
	int inserted;
	int updated;
	int duplicate;
	int rejected;
	int blocked;
	int warnings;
} LsImportCounts;

typedef struct LsImport
{
	pg_uuid_t org;
	pg_uuid_t id;
	pg_uuid_t list;
	LsOrganization organization; /* with the region that numbers are read in */
	LsImportOptions options;
	LsImportCounts counts;
	int batch_size;
	int max_errors;
	MemoryContext batch_context; /* of the rows below */
	LsImportRow **rows;
	int n_rows;
	int n_begun;         /* of the batch, with rows that are not in it: they were reported */
	bool may_be_changed; /* a trigger of the user's may change what is written */
	HTAB *fingerprints;  /* of rows that have nothing else to be known by */
} LsImport;

/* import_options.c */
extern char ls_csv_char(const char *name, const char *value);
extern void ls_import_read_options(
	Jsonb *json, const char *default_source, LsImportOptions *options);
extern void ls_import_map_column(const LsImport *import, const char *name, LsImportColumn *column);
extern bool ls_import_is_null(const LsImport *import, const char *value);

/* import_record.c */
extern int *ls_import_column_order(LsImportColumn *columns, int n);
extern bool ls_import_fill_row(LsImport *import, LsImportRow *row, const LsImportColumn *columns,
	const int *order, char **values, int n);

/* import.c */
extern LsImport *ls_import_start(
	const pg_uuid_t *org, const char *list_name, const LsImportOptions *options);
extern LsImportRow *ls_import_new_row(LsImport *import, int line, const char *raw, size_t raw_len);
extern void ls_import_add_row(LsImport *import, LsImportRow *row);
extern bool ls_import_set(
	LsImport *import, LsImportRow *row, const LsImportColumn *column, const char *value);
extern void ls_import_problem(LsImport *import, int line, const char *raw, size_t raw_len,
	const char *column, bool rejected, int sqlstate, const char *reason);
extern void ls_import_finish(LsImport *import);
extern void ls_import_show_progress(const LsImport *import);

/* import_batch.c */
extern void ls_import_flush(LsImport *import);

#endif /* LS_OUTREACH_IMPORT_H */
