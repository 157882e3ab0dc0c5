/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  What the files of the leads domain share among themselves.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_INTERNAL_H
#define LS_LEADS_INTERNAL_H

#include "leads/leads.h"

#define LS_MAX_LEAD_STEPS 8
#define LS_MAX_LEAD_LISTENERS 16

extern LsLeadStep ls_lead_steps[LS_MAX_LEAD_STEPS];
extern int ls_lead_n_steps;
extern const LsLeadListener *ls_lead_listeners[LS_MAX_LEAD_LISTENERS];
extern int ls_lead_n_listeners;

extern void ls_pipelines_init(void);
extern char *ls_status_names(const LsPipeline *pipeline, const LsStatus *from);

extern void ls_lead_step_normalize(LsLeadChange *change);
extern void ls_lead_step_status(LsLeadChange *change);
extern void ls_lead_step_email_unique(LsLeadChange *change);
extern const LsLeadListener ls_lead_history_listener;
extern const LsLeadListener ls_lead_email_listener;

#endif /* LS_LEADS_INTERNAL_H */
