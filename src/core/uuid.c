/*-------------------------------------------------------------------------
 *
 * uuid.c
 *	  Version 7 identifiers (RFC 9562).
 *
 *	  Keys are made by time, so that rows inserted together lie together in
 *	  every index that begins with the key.  The twelve bits after the version
 *	  hold the fraction of the millisecond (RFC 9562, 6.2, method 3), and a
 *	  backend never hands out a smaller value than before, even when the
 *	  system's clock is set back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "lead_system.h"
#include "core/uuid.h"

/* One step of the twelve bits is about 244 ns. */
#define UUID_SUB_MS_BITS 12
#define NS_PER_MS INT64CONST(1000000)

/* Nanoseconds since 1970, strictly greater than at the last call. */
static int64
uuid_clock_ns(void)
{
	static int64 last = 0;
	const int64 step = NS_PER_MS / (1 << UUID_SUB_MS_BITS) + 1;
	struct timespec ts;
	int64 ns;

	clock_gettime(CLOCK_REALTIME, &ts);
	ns = (int64) ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
	if (ns < last + step)
		ns = last + step;
	last = ns;
	return ns;
}

/*
 * Random bytes, fetched many at a time: asking for eight each time would cost
 * more than all the rest.  They are used once and never leave this process but
 * as part of an identifier.
 */
static void
uuid_random(unsigned char *bytes, int n)
{
	static unsigned char buffer[4096];
	static int used = sizeof(buffer);

	if (used + n > (int) sizeof(buffer))
	{
		if (!pg_strong_random(buffer, sizeof(buffer)))
			ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
		used = 0;
	}
	memcpy(bytes, buffer + used, n);
	used += n;
}

/* Make a new identifier. */
void
ls_uuid_v7(pg_uuid_t *result)
{
	int64 ns = uuid_clock_ns();
	uint64 ms = (uint64) (ns / NS_PER_MS);
	uint32 fraction = (uint32) (((ns % NS_PER_MS) << UUID_SUB_MS_BITS) / NS_PER_MS);
	int i;

	uuid_random(result->data + 8, UUID_LEN - 8);
	for (i = 0; i < 6; i++)
		result->data[i] = (unsigned char) (ms >> (40 - 8 * i));
	result->data[6] = (unsigned char) (0x70 | (fraction >> 8));
	result->data[7] = (unsigned char) (fraction & 0xFF);
	result->data[8] = (result->data[8] & 0x3F) | 0x80;
}

/* The identifier as text, palloc'd. */
char *
ls_uuid_text(const pg_uuid_t *uuid)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
}

/*
 * Read an identifier in the standard form of 36 characters.  Does not raise
 * errors, so it can be used where none may be raised.
 */
bool
ls_uuid_parse(const char *text, pg_uuid_t *result)
{
	int byte = 0;

	while (*text != '\0' && byte < UUID_LEN)
	{
		unsigned int value = 0;
		int digit;

		if (byte == 4 || byte == 6 || byte == 8 || byte == 10)
		{
			if (*text++ != '-')
				return false;
		}
		for (digit = 0; digit < 2; digit++)
		{
			char c = *text++;

			if (c >= '0' && c <= '9')
				value = value * 16 + (c - '0');
			else if (c >= 'a' && c <= 'f')
				value = value * 16 + (c - 'a' + 10);
			else if (c >= 'A' && c <= 'F')
				value = value * 16 + (c - 'A' + 10);
			else
				return false;
		}
		result->data[byte++] = (unsigned char) value;
	}
	return byte == UUID_LEN && *text == '\0';
}

PG_FUNCTION_INFO_V1(ls_core_uuid_v7);

/* uuid_v7(): see ls_uuid_v7. */
Datum
ls_core_uuid_v7(PG_FUNCTION_ARGS)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));

	ls_uuid_v7(result);
	PG_RETURN_UUID_P(result);
}
