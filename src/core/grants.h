/*-------------------------------------------------------------------------
 *
 * grants.h
 *	  Access levels: which objects each level may use.
 *
 *	  Every domain registers its tables, views and functions with the lowest
 *	  level that may use them.  A level includes those before it; maintenance
 *	  stands beside them and reads everything.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_GRANTS_H
#define LS_CORE_GRANTS_H

typedef enum LsLevel
{
	LS_LEVEL_READONLY,
	LS_LEVEL_AGENT,
	LS_LEVEL_MANAGER,
	LS_LEVEL_ADMIN,
	LS_LEVEL_MAINTENANCE, /* maintenance only */
	LS_LEVEL_OWNER        /* no level: the owner's own business */
} LsLevel;

typedef struct LsGrant
{
	const char *object;     /* "leads" or "upsert_lead(jsonb, text)" */
	const char *privileges; /* "SELECT", "INSERT, UPDATE", "EXECUTE" */
	LsLevel level;
	bool maintenance; /* for the maintenance level, too */
} LsGrant;

extern void ls_grants_register(const LsGrant *grants, int n);
extern void ls_grants_restore(void);

#endif /* LS_CORE_GRANTS_H */
