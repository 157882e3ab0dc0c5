/*-------------------------------------------------------------------------
 *
 * growth.h
 *	  Has a table outgrown the plans that were made for it?
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_GROWTH_H
#define LS_CORE_GROWTH_H

#include "utils/relcache.h"

extern void ls_growth_note(Relation rel);

#endif /* LS_CORE_GROWTH_H */
