/*-------------------------------------------------------------------------
 *
 * lead_system_phone.cc
 *	  C shim over libphonenumber.
 *
 *	  A library of its own, loaded by the first backend call that has to read a
 *	  number as people write it, so that no C++ runtime enters a backend that
 *	  only meets numbers in their stored form.  No exception leaves this file,
 *	  and nothing of PostgreSQL is called, so no longjmp crosses C++ frames.
 *
 *-------------------------------------------------------------------------
 */
#include "phone/lead_system_phone.h"

#include <cstring>
#include <string>

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

const PhoneNumberUtil &
util()
{
	static const PhoneNumberUtil *instance = []
	{
		PhoneNumberUtil *made = PhoneNumberUtil::GetInstance();

		/* By default the library writes about odd input to the server's stdout. */
		made->SetLogger(new NullLogger);
		return made;
	}();

	return *instance;
}

bool
region_exists(const std::string &region)
{
	return util().GetCountryCodeForRegion(region) != 0;
}

int
parse(const char *raw, const char *region, char *e164, size_t size)
{
	PhoneNumber number;
	std::string formatted;

	if (!region_exists(region))
		return LEAD_SYSTEM_PHONE_BAD_REGION;
	if (util().Parse(raw, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
		return LEAD_SYSTEM_PHONE_NO_NUMBER;
	util().Format(number, PhoneNumberUtil::E164, &formatted);
	if (formatted.size() + 1 > size)
		return LEAD_SYSTEM_PHONE_NO_NUMBER;
	std::memcpy(e164, formatted.c_str(), formatted.size() + 1);
	return util().IsValidNumber(number) ? LEAD_SYSTEM_PHONE_OK : LEAD_SYSTEM_PHONE_INVALID;
}

} // namespace

extern "C" int
lead_system_phone_parse(const char *raw, const char *region, char *e164, size_t size)
{
	try
	{
		return parse(raw, region, e164, size);
	}
	catch (...)
	{
		return LEAD_SYSTEM_PHONE_FAILED;
	}
}
