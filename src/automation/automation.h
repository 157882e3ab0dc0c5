/*-------------------------------------------------------------------------
 *
 * automation.h
 *	  What agents propose and do, and workflows that run elsewhere.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_AUTOMATION_AUTOMATION_H
#define LS_AUTOMATION_AUTOMATION_H

#include "utils/jsonb.h"
#include "utils/uuid.h"

/* A line of ai_agent_logs that may be decided on, locked. */
typedef struct LsAgentAction
{
	pg_uuid_t id;
	pg_uuid_t org;
	char *result;
	char *guard;
	bool has_expired;
} LsAgentAction;

extern void ls_agent_action_check(text *agent_name, Jsonb *action_data);
extern void ls_agent_refuse_contractor(void);
extern void ls_agent_action_lock(LsAgentAction *action, const pg_uuid_t *id);
extern void ls_agent_action_require_open(const LsAgentAction *action);
pg_noreturn extern void ls_agent_action_above_limits(const pg_uuid_t *id, const char *guard);

extern int *ls_workflow_retry_minutes(const pg_uuid_t *org, Jsonb *config, int *n);
extern void ls_workflow_config_check(Jsonb *config, bool may_be_empty);

extern void ls_automation_init(void);

#endif /* LS_AUTOMATION_AUTOMATION_H */
