/*-------------------------------------------------------------------------
 *
 * check.h
 *	  Would the table take these values?
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_LEADS_CHECK_H
#define LS_LEADS_CHECK_H

#include "leads/input.h"

typedef struct LsLeadChecker LsLeadChecker;

extern LsLeadChecker *ls_lead_checker_open(void);
extern bool ls_lead_check(
	LsLeadChecker *checker, const LsLeadInput *input, LsLeadColumn *column, LsInputError *error);
extern void ls_lead_checker_close(LsLeadChecker *checker);

#endif /* LS_LEADS_CHECK_H */
