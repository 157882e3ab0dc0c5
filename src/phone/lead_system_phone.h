/*-------------------------------------------------------------------------
 *
 * lead_system_phone.h
 *	  The one function of lead_system_phone.so, as C sees it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LEAD_SYSTEM_PHONE_H
#define LEAD_SYSTEM_PHONE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C"
{
#endif

#define LEAD_SYSTEM_PHONE_SYMBOL "lead_system_phone_parse"

	/* Results of lead_system_phone_parse. */
	enum
	{
		LEAD_SYSTEM_PHONE_FAILED = -2,     /* out of memory or the like */
		LEAD_SYSTEM_PHONE_BAD_REGION = -1, /* no such region */
		LEAD_SYSTEM_PHONE_NO_NUMBER = 0,
		LEAD_SYSTEM_PHONE_INVALID = 1, /* written to "e164", but not assigned */
		LEAD_SYSTEM_PHONE_OK = 2
	};

	/*
	 * Read a number the way people write it in a region (ISO 3166 code) and
	 * write its E.164 form to a buffer.
	 */
	int lead_system_phone_parse(const char *raw, const char *region, char *e164, size_t size);

	typedef int (*lead_system_phone_parse_fn)(
		const char *raw, const char *region, char *e164, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* LEAD_SYSTEM_PHONE_H */
