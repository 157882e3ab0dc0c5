/*-------------------------------------------------------------------------
 *
 * maintenance.h
 *	  The jobs that a scheduler runs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_MAINTENANCE_H
#define LS_MAINTENANCE_H

extern void ls_maintenance_init(void);

#endif /* LS_MAINTENANCE_H */
