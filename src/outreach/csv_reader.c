/*-------------------------------------------------------------------------
 *
 * csv_reader.c
 *	  Reads records of a CSV text with libcsv, and goes on after a broken one.
 *
 *	  libcsv is fed one physical line at a time, so that it is known on which
 *	  line a record begins.  It runs in strict mode.  What it accepts is one
 *	  record, however many lines and fields it has: with the wrong number of
 *	  fields it is reported as a whole, since the lines within its quotes are
 *	  somebody's text, not records.  When libcsv refuses a record, the first line
 *	  of it is split here, leniently: if this gives as many fields as the file
 *	  has columns, it is taken, with a warning (a quote in the middle of a field
 *	  is the usual case); if not, or if a quote is never closed, the line is
 *	  reported as broken, and reading goes on with the line after it, so that a
 *	  quote that is not closed costs one line.
 *
 *	  The server's own COPY parser was compared (docs/benchmarks.md): it ends at
 *	  the first error, and drops quotes in the middle of a field silently.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <csv.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "lead_system.h"
#include "outreach/csv_reader.h"

/* Bytes of the longest record of several lines; a quote that is never closed ends there. */
#define MAX_RECORD (1024 * 1024)

/* What libcsv's callbacks collect. */
typedef struct CsvCollector
{
	char **fields;
	int n;
	int capacity;
	bool complete; /* the end of the record was seen */
} CsvCollector;

/* Memory for libcsv, which frees it itself. */
static void *
csv_realloc(void *pointer, size_t size)
{
	return pointer ? repalloc(pointer, size) : palloc(size);
}

/* The counterpart of csv_realloc. */
static void
csv_pfree(void *pointer)
{
	if (pointer != NULL)
		pfree(pointer);
}

/* White space belongs to the data. */
static int
csv_no_space(unsigned char c)
{
	return 0;
}

/* libcsv's callback for a field. */
static void
csv_field(void *data, size_t len, void *arg)
{
	CsvCollector *collector = arg;

	if (collector->n == collector->capacity)
	{
		collector->capacity *= 2;
		collector->fields = repalloc(collector->fields, sizeof(char *) * collector->capacity);
	}
	collector->fields[collector->n++] = pnstrdup(data, len);
}

/* libcsv's callback for the end of a record. */
static void
csv_end(int terminator, void *arg)
{
	((CsvCollector *) arg)->complete = true;
}

/* Start a parser. */
static void
parser_start(struct csv_parser *parser, CsvCollector *collector, const LsCsvReader *reader)
{
	collector->capacity = 16;
	collector->fields = palloc(sizeof(char *) * collector->capacity);
	collector->n = 0;
	collector->complete = false;
	if (csv_init(parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		elog(ERROR, "csv_init failed");
	csv_set_realloc_func(parser, csv_realloc);
	csv_set_free_func(parser, csv_pfree);
	csv_set_space_func(parser, csv_no_space);
	csv_set_delim(parser, (unsigned char) reader->delimiter);
	csv_set_quote(parser, (unsigned char) reader->quote);
}

/* Length of the physical line at a position, with its end. */
static size_t
line_length(const LsCsvReader *reader, size_t pos)
{
	const char *start = reader->text + pos;
	size_t rest = reader->len - pos;
	size_t i;

	for (i = 0; i < rest; i++)
	{
		if (start[i] == '\n')
			return i + 1;
		if (start[i] == '\r')
			return (i + 1 < rest && start[i + 1] == '\n') ? i + 2 : i + 1;
	}
	return rest;
}

/* Length of a line without its end. */
static size_t
content_length(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	return len;
}

/* Start reading a text, which must stay valid. */
void
ls_csv_open(LsCsvReader *reader, const char *text, size_t len, char delimiter, char quote)
{
	static const char bom[] = "\xEF\xBB\xBF";

	memset(reader, 0, sizeof(LsCsvReader));
	reader->text = text;
	reader->len = len;
	reader->line = 1;
	reader->delimiter = delimiter;
	reader->quote = quote;
	reader->record_context = AllocSetContextCreate(
		CurrentMemoryContext, "lead_system CSV record", ALLOCSET_DEFAULT_SIZES);
	if (len >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0)
		reader->pos = strlen(bom);
}

/*
 * Read a record strictly, over as many lines as it has.  False when libcsv
 * refuses it; the reader then stands where it stood.
 */
static bool
read_strictly(LsCsvReader *reader, LsCsvRecord *record)
{
	struct csv_parser parser;
	CsvCollector collector;
	size_t pos = reader->pos;
	int line = reader->line;
	bool refused = false;

	parser_start(&parser, &collector, reader);
	while (!refused && !collector.complete && pos < reader->len)
	{
		size_t len = line_length(reader, pos);

		CHECK_FOR_INTERRUPTS();
		refused =
			csv_parse(&parser, reader->text + pos, len, csv_field, csv_end, &collector) != len;
		pos += len;
		line++;
		refused = refused || (!collector.complete && line > reader->line + 1 &&
								 pos - reader->pos > MAX_RECORD);
	}
	if (!refused && !collector.complete)
		refused = csv_fini(&parser, csv_field, csv_end, &collector) != 0;
	csv_free(&parser);
	if (refused)
		return false;
	record->fields = collector.fields;
	record->n_fields = collector.n;
	record->raw_len = content_length(record->raw, pos - reader->pos);
	reader->pos = pos;
	reader->line = line;
	return true;
}

/* Add a field to what a lenient reading collects; doubled quotes become one. */
static void
lenient_field(
	CsvCollector *collector, const LsCsvReader *reader, const char *text, size_t len, bool quoted)
{
	char *field = palloc(len + 1);
	size_t n = 0;
	size_t i;

	for (i = 0; i < len; i++)
	{
		field[n++] = text[i];
		if (quoted && text[i] == reader->quote && i + 1 < len && text[i + 1] == reader->quote)
			i++;
	}
	csv_field(field, n, collector);
	pfree(field);
}

/*
 * The end of a field that opens with a quote: the closing quote, which stands
 * before a delimiter or the end of the line.  Where there is none, but another
 * quote, the field is taken with all its quotes as if it had not been quoted
 * (*quoted is cleared).  NULL when the quote is not closed at all.
 */
static const char *
quoted_end(const LsCsvReader *reader, const char *field, const char *end, bool *quoted)
{
	const char *inner = NULL;
	const char *c;

	for (c = field + 1; c < end; c++)
	{
		if (*c != reader->quote)
			continue;
		if (c + 1 == end || c[1] == reader->delimiter)
			return c;
		if (c[1] == reader->quote)
			c++;
		else if (inner == NULL)
			inner = c;
	}
	*quoted = false;
	if (inner == NULL)
		return NULL;
	c = memchr(inner, reader->delimiter, end - inner);
	return c ? c : end;
}

/* Split one line, without its end, leniently; false when a quote is left open. */
static bool
read_leniently(LsCsvReader *reader, const char *line, size_t len, LsCsvRecord *record)
{
	CsvCollector collector = {palloc(sizeof(char *) * 16), 0, 16, false};
	const char *end = line + len;
	const char *field = line;

	for (;;)
	{
		bool quoted = field < end && *field == reader->quote;
		const char *stop;

		if (quoted)
			stop = quoted_end(reader, field, end, &quoted);
		else
		{
			stop = memchr(field, reader->delimiter, end - field);
			stop = stop ? stop : end;
		}
		if (stop == NULL)
			return false;
		if (quoted)
			field++;
		lenient_field(&collector, reader, field, stop - field, quoted);
		field = quoted ? stop + 1 : stop;
		if (field == end)
			break;
		field++;
	}
	record->fields = collector.fields;
	record->n_fields = collector.n;
	return true;
}

/* A record that cannot be read. */
static void
broken(LsCsvRecord *record, const char *problem)
{
	record->fields = NULL;
	record->n_fields = 0;
	record->problem = problem;
}

/* Take what can be taken of a record that is not good CSV. */
static void
salvage(LsCsvReader *reader, LsCsvRecord *record)
{
	size_t len = line_length(reader, reader->pos);

	record->raw_len = content_length(record->raw, len);
	if (!read_leniently(reader, record->raw, record->raw_len, record))
		broken(record, "a quoted field is not closed");
	else if (reader->n_columns > 0 && record->n_fields != reader->n_columns)
		broken(record, "a quote is misplaced");
	else
		record->problem = "a quote in the middle of a field was taken as it is";
	reader->pos += len;
	reader->line++;
}

/*
 * Skip lines without content.  In a file of one column such a line is a record
 * with an empty field, unless it is the end of the file.
 */
static bool
at_record(LsCsvReader *reader)
{
	while (reader->pos < reader->len)
	{
		size_t len = line_length(reader, reader->pos);

		if (content_length(reader->text + reader->pos, len) > 0 || reader->n_columns == 1)
			return true;
		reader->pos += len;
		reader->line++;
	}
	return false;
}

/* Read the next record; false at the end of the text. */
bool
ls_csv_next(LsCsvReader *reader, LsCsvRecord *record)
{
	MemoryContext caller;

	if (!at_record(reader))
		return false;
	MemoryContextReset(reader->record_context);
	caller = MemoryContextSwitchTo(reader->record_context);
	memset(record, 0, sizeof(LsCsvRecord));
	record->line = reader->line;
	record->raw = reader->text + reader->pos;
	if (content_length(record->raw, line_length(reader, reader->pos)) == 0)
	{
		record->fields = palloc(sizeof(char *));
		record->fields[0] = pstrdup("");
		record->n_fields = 1;
		reader->pos += line_length(reader, reader->pos);
		reader->line++;
	}
	else if (!read_strictly(reader, record))
		salvage(reader, record);
	if (record->fields != NULL && reader->n_columns > 0 && record->n_fields != reader->n_columns)
	{
		const char *problem =
			psprintf("the record has %d fields instead of %d", record->n_fields, reader->n_columns);

		broken(record, problem);
	}
	MemoryContextSwitchTo(caller);
	return true;
}
