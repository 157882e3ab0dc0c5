/*-------------------------------------------------------------------------
 *
 * growth.h
 *	  Plans that were made while a table was small.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_GROWTH_H
#define LS_CORE_GROWTH_H

#include "utils/relcache.h"

extern void ls_plans_follow_growth(Relation rel);

#endif /* LS_CORE_GROWTH_H */
