/*-------------------------------------------------------------------------
 *
 * core.h
 *	  Init of what every domain stands on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_CORE_H
#define LS_CORE_CORE_H

extern void ls_core_init(void);

#endif /* LS_CORE_CORE_H */
