/*-------------------------------------------------------------------------
 *
 * email.c
 *	  E-mail addresses.
 *
 *	  Accepted is what mail for people uses: a dot-atom before the @ (RFC 5322,
 *	  3.2.3; at most 64 characters, RFC 5321, 4.5.3.1), and a host name of two
 *	  labels or more behind it.  Quoted local parts, comments and address
 *	  literals are legal in mail headers, but a form that contains one holds a
 *	  mistake or an attack; they are refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "lead_system.h"
#include "core/email.h"

#define MAX_ADDRESS 254
#define MAX_LOCAL_PART 64
#define MAX_LABEL 63

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Characters of an atom besides letters and digits (RFC 5322, 3.2.3). */
static bool
is_atom_char(char c)
{
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Is the part before the @ a dot-atom of acceptable length? */
static bool
local_part_is_valid(const char *start, const char *end)
{
	const char *p;

	if (start == end || end - start > MAX_LOCAL_PART || *start == '.' || end[-1] == '.')
		return false;
	for (p = start; p < end; p++)
	{
		if (*p == '.' ? p[1] == '.' : !is_atom_char(*p))
			return false;
	}
	return true;
}

/* Is one label of a host name valid? */
static bool
label_is_valid(const char *start, const char *end)
{
	const char *p;

	if (start == end || end - start > MAX_LABEL || *start == '-' || end[-1] == '-')
		return false;
	for (p = start; p < end; p++)
	{
		if (!is_letter(*p) && !is_digit(*p) && *p != '-')
			return false;
	}
	return true;
}

/* Is the part behind the @ a host name with a top-level domain? */
static bool
domain_is_valid(const char *domain)
{
	const char *label = domain;
	const char *p;
	int labels = 0;

	for (p = domain;; p++)
	{
		if (*p != '.' && *p != '\0')
			continue;
		if (!label_is_valid(label, p))
			return false;
		labels++;
		if (*p == '\0')
			break;
		label = p + 1;
	}
	/* The top-level domain starts with a letter (also xn--…) and has two characters or more. */
	return labels >= 2 && is_letter(*label) && p - label >= 2;
}

/* Can mail be sent to an address, as far as its form tells? */
bool
ls_email_is_valid(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL && strlen(address) <= MAX_ADDRESS && local_part_is_valid(address, at) &&
		   domain_is_valid(at + 1);
}

/*
 * Fold an address in place.  Valid ones are ASCII, so no locale is involved.
 */
void
ls_email_fold(char *address)
{
	for (; *address != '\0'; address++)
		*address = pg_ascii_tolower((unsigned char) *address);
}

/* The part behind the last @; NULL when there is none. */
const char *
ls_email_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : NULL;
}

PG_FUNCTION_INFO_V1(ls_core_is_valid_email);

/* is_valid_email(address): see ls_email_is_valid. */
Datum
ls_core_is_valid_email(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(ls_email_is_valid(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
