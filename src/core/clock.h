/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  The one clock that every rule reads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_CLOCK_H
#define LS_CORE_CLOCK_H

#include "datatype/timestamp.h"

extern TimestampTz ls_clock_now(void);
extern TimestampTz ls_clock_instant(void);
extern void ls_clock_init(void);

#endif /* LS_CORE_CLOCK_H */
