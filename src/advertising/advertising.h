/*-------------------------------------------------------------------------
 *
 * advertising.h
 *	  Campaigns and keywords of an advertising platform.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_ADVERTISING_ADVERTISING_H
#define LS_ADVERTISING_ADVERTISING_H

extern void ls_advertising_init(void);

#endif /* LS_ADVERTISING_ADVERTISING_H */
