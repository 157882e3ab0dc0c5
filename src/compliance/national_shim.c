/* Stands in for national.c of part CONSENT until it is merged. */
#include "postgres.h"

#include "lead_system.h"
#include "compliance/consents.h"
#include "compliance/national.h"

const char *
ls_national_rule(const pg_uuid_t *org, const char *e164, const char *channel)
{
	return "national_registry";
}
