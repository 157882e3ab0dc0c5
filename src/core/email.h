/*-------------------------------------------------------------------------
 *
 * email.h
 *	  E-mail addresses: check and fold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_EMAIL_H
#define LS_CORE_EMAIL_H

extern bool ls_email_is_valid(const char *address);
extern void ls_email_fold(char *address);
extern const char *ls_email_domain(const char *address);

#endif /* LS_CORE_EMAIL_H */
