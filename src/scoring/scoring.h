/*-------------------------------------------------------------------------
 *
 * scoring.h
 *	  Scores of leads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_SCORING_H
#define LS_SCORING_H

#include "leads/leads.h"

extern void ls_scoring_step(LsLeadChange *change);
extern const LsLeadListener ls_scoring_listener;
extern bool ls_score_upgraded(const LsLeadRow *old, const LsLeadRow *new);
extern int64 ls_scoring_recalculate_batch(const pg_uuid_t *org, int batch, bool first, bool *more);
extern void ls_scoring_init(void);

#endif /* LS_SCORING_H */
