/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Reading jsonb arguments: objects whose keys must be known, and scalars.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_JSON_H
#define LS_CORE_JSON_H

#include "utils/jsonb.h"

/* One member of an object being walked. */
typedef struct LsJsonMember
{
	char *key;
	JsonbValue value;
} LsJsonMember;

extern LsJsonMember *ls_json_members(Jsonb *object, const char *what, int *n);
extern char *ls_json_scalar_text(const JsonbValue *value);
extern Jsonb *ls_json_value_to_jsonb(const JsonbValue *value);
extern bool ls_json_number(const JsonbValue *value, double *result);
extern bool ls_json_int(const JsonbValue *value, int *result);
extern Jsonb *ls_json_pair_text(const char *key, const char *value);
extern Jsonb *ls_json_pair_int(const char *key, int64 value);
extern Jsonb *ls_json_parse(const char *text);
extern char *ls_json_text(Jsonb *json);
extern JsonbValue *ls_json_get(Jsonb *object, const char *key);
pg_noreturn extern void ls_json_unknown_key(const char *what, const char *key, const char *known);

#endif /* LS_CORE_JSON_H */
