/*-------------------------------------------------------------------------
 *
 * input.h
 *	  Function arguments and text input.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_INPUT_H
#define LS_CORE_INPUT_H

/* Raise an error when a required argument of a function is NULL. */
#define LS_REQUIRE_ARG(n, name) \
	do \
	{ \
		if (PG_ARGISNULL(n)) \
			ls_null_argument(name); \
	} while (0)

/* What was wrong with a text. */
typedef struct LsInputError
{
	int sqlstate;
	char *message;
} LsInputError;

extern char *ls_trim(const char *text);
extern char *ls_error_text(const text *error);
pg_noreturn extern void ls_null_argument(const char *name);
extern bool ls_type_input_typmod(
	Oid type, int32 typmod, const char *text, Datum *value, LsInputError *error);
extern bool ls_type_input(Oid type, const char *text, Datum *value, LsInputError *error);

#endif /* LS_CORE_INPUT_H */
