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

/* What is wrong with a row. */
typedef struct LsLeadFault
{
	LsLeadColumn column;
	LsInputError error;
	const char *constraint; /* or NULL */
	bool certain;           /* else the table may take it all the same */
} LsLeadFault;

extern LsLeadChecker *ls_lead_checker_open(void);
extern bool ls_lead_checker_is_certain(const LsLeadChecker *checker);
extern bool ls_lead_check(LsLeadChecker *checker, const LsLeadInput *input, LsLeadFault *fault);
extern void ls_lead_checker_close(LsLeadChecker *checker);

#endif /* LS_LEADS_CHECK_H */
