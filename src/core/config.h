/*-------------------------------------------------------------------------
 *
 * config.h
 *	  Settings per organisation: defaults in one table here, overrides in
 *	  system_config.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_CONFIG_H
#define LS_CORE_CONFIG_H

#include "utils/jsonb.h"
#include "utils/uuid.h"

/* A bad value is explained in *problem; true means acceptable. */
typedef bool (*LsConfigCheck)(Jsonb *value, const char **problem);

typedef enum LsConfigType
{
	LS_CONFIG_BOOL,
	LS_CONFIG_INT,
	LS_CONFIG_CHOICE,
	LS_CONFIG_OBJECT,
	LS_CONFIG_ARRAY
} LsConfigType;

typedef struct LsConfigKey
{
	const char *key;
	LsConfigType type;
	const char *default_value; /* as JSON text */
	int min;                   /* LS_CONFIG_INT only */
	int max;
	LsConfigCheck check; /* further condition, or NULL */
	const char *description;
	const char *const *choices; /* LS_CONFIG_CHOICE only; ends with NULL */
} LsConfigKey;

extern Jsonb *ls_config_get(const pg_uuid_t *org, const char *key);
extern bool ls_config_bool(const pg_uuid_t *org, const char *key);
extern int ls_config_int(const pg_uuid_t *org, const char *key);
extern const char *ls_config_choice(const pg_uuid_t *org, const char *key);
extern void ls_config_init(void);

/* Conditions, in config_checks.c. */
extern bool ls_config_check_channels(Jsonb *value, const char **problem);
extern bool ls_config_check_weights(Jsonb *value, const char **problem);

#endif /* LS_CORE_CONFIG_H */
