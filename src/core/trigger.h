/*-------------------------------------------------------------------------
 *
 * trigger.h
 *	  The prologue that all trigger functions share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_TRIGGER_H
#define LS_CORE_TRIGGER_H

#include "commands/trigger.h"
#include "utils/uuid.h"

typedef enum LsTriggerKind
{
	LS_TRIGGER_BEFORE_ROW,
	LS_TRIGGER_AFTER_ROW,
	LS_TRIGGER_BEFORE_STATEMENT,
	LS_TRIGGER_AFTER_STATEMENT
} LsTriggerKind;

/* Events that a trigger function accepts, as a bit mask. */
#define LS_TRIGGER_INSERT 0x01
#define LS_TRIGGER_UPDATE 0x02
#define LS_TRIGGER_DELETE 0x04
#define LS_TRIGGER_TRUNCATE 0x08
#define LS_TRIGGER_ANY_EVENT 0x0F

extern TriggerData *ls_trigger_check(FunctionCallInfo fcinfo, const char *function,
	LsTriggerKind kind, int events, const char *relname);
extern void ls_trigger_check_args(TriggerData *trigdata, const char *function, int n);
extern HeapTuple ls_trigger_new_tuple(TriggerData *trigdata);
extern bool ls_trigger_fires_always(Relation rel, const char *name);
extern int ls_trigger_attnum(Relation rel, const char *column);

extern bool ls_row_is_being_erased(TriggerData *trigdata);
extern void ls_rows_set_moved(bool moved);
extern bool ls_rows_are_moved(void);
extern void ls_histories_open(const pg_uuid_t *org, const pg_uuid_t *lead);

#endif /* LS_CORE_TRIGGER_H */
