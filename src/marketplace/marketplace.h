/*-------------------------------------------------------------------------
 *
 * marketplace.h
 *	  The marketplace, as other domains see it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_MARKETPLACE_H
#define LS_MARKETPLACE_H

extern void ls_marketplace_init(void);

#endif /* LS_MARKETPLACE_H */
