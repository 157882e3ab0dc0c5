/*-------------------------------------------------------------------------
 *
 * csv_reader.h
 *	  Records of a CSV text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_OUTREACH_CSV_READER_H
#define LS_OUTREACH_CSV_READER_H

#include "utils/palloc.h"

typedef struct LsCsvReader
{
	const char *text;
	size_t len;
	size_t pos; /* of the next physical line */
	int line;   /* its number, from 1 */
	char delimiter;
	char quote;
	int n_columns; /* that a record must have; 0 until known */
	MemoryContext record_context;
} LsCsvReader;

/* A record; valid until the next one is read. */
typedef struct LsCsvRecord
{
	int line;      /* on which it begins */
	char **fields; /* NULL when it cannot be read */
	int n_fields;
	const char *raw; /* as it came, with raw_len */
	size_t raw_len;
	const char *problem; /* why it cannot be read, or what is doubtful; else NULL */
} LsCsvRecord;

extern void ls_csv_open(
	LsCsvReader *reader, const char *text, size_t len, char delimiter, char quote);
extern bool ls_csv_next(LsCsvReader *reader, LsCsvRecord *record);

#endif /* LS_OUTREACH_CSV_READER_H */
