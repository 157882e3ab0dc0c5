/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of business refusals (class LS).
 *
 *	  Standard codes are used where one fits; a code of ours says that a rule
 *	  of the domain refused something, so that a caller can branch on it
 *	  without reading the message.  docs/errors.md lists them for users, and
 *	  the linter compares the two lists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_ERRORS_H
#define LS_CORE_ERRORS_H

#include "utils/elog.h"

/* compliance */
#define LS_ERRCODE_ON_DNC_LIST MAKE_SQLSTATE('L', 'S', '0', '0', '1')
#define LS_ERRCODE_OUTSIDE_HOURS MAKE_SQLSTATE('L', 'S', '0', '0', '2')
#define LS_ERRCODE_CONTACT_CAP MAKE_SQLSTATE('L', 'S', '0', '0', '3')
#define LS_ERRCODE_NO_CONSENT MAKE_SQLSTATE('L', 'S', '0', '0', '4')

/* marketplace */
#define LS_ERRCODE_BIDDING_NOT_OPEN MAKE_SQLSTATE('L', 'S', '0', '1', '0')
#define LS_ERRCODE_BIDDER_BANNED MAKE_SQLSTATE('L', 'S', '0', '1', '1')
#define LS_ERRCODE_BIDDER_NOT_ELIGIBLE MAKE_SQLSTATE('L', 'S', '0', '1', '2')
#define LS_ERRCODE_NOT_WINDOW_HOLDER MAKE_SQLSTATE('L', 'S', '0', '1', '3')

/* histories and ledgers */
#define LS_ERRCODE_NO_BUDGET MAKE_SQLSTATE('L', 'S', '0', '2', '0')
#define LS_ERRCODE_APPEND_ONLY MAKE_SQLSTATE('L', 'S', '0', '2', '1')
#define LS_ERRCODE_REFUND MAKE_SQLSTATE('L', 'S', '0', '2', '2')
#define LS_ERRCODE_HOLD_NOT_OPEN MAKE_SQLSTATE('L', 'S', '0', '2', '3')

/* leads */
#define LS_ERRCODE_STATUS_STEP MAKE_SQLSTATE('L', 'S', '0', '3', '0')
#define LS_ERRCODE_DUPLICATE_LEAD MAKE_SQLSTATE('L', 'S', '0', '3', '1')

/* assignment */
#define LS_ERRCODE_NO_ASSIGNEE MAKE_SQLSTATE('L', 'S', '0', '4', '0')
#define LS_ERRCODE_NOT_ASSIGNABLE MAKE_SQLSTATE('L', 'S', '0', '4', '1')

/* outreach */
#define LS_ERRCODE_CLAIM_NOT_HELD MAKE_SQLSTATE('L', 'S', '0', '5', '0')

/* automation */
#define LS_ERRCODE_ABOVE_LIMITS MAKE_SQLSTATE('L', 'S', '0', '6', '0')

#endif /* LS_CORE_ERRORS_H */
