/*-------------------------------------------------------------------------
 *
 * directory.h
 *	  Organisations, users, categories.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_DIRECTORY_H
#define LS_DIRECTORY_H

#include "utils/uuid.h"

/* What other domains need to know of an organisation. */
typedef struct LsOrganization
{
	pg_uuid_t id;
	char default_region[3];
	char *default_pipeline;
	char *timezone;
} LsOrganization;

extern const LsOrganization *ls_organization(const pg_uuid_t *id);
extern void ls_directory_init(void);

#endif /* LS_DIRECTORY_H */
