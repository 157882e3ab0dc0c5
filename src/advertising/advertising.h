/*-------------------------------------------------------------------------
 *
 * advertising.h
 *	  Campaigns on advertising platforms.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ADVERTISING_H
#define LS_ADVERTISING_H

extern void ls_advertising_init(void);

#endif /* LS_ADVERTISING_H */
