/*-------------------------------------------------------------------------
 *
 * phone.h
 *	  Phone numbers: the stored form, and the way to it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_PHONE_H
#define LS_CORE_PHONE_H

/* '+', at most 15 digits, and the terminating zero. */
#define LS_PHONE_SIZE 17

/* What became of an input. */
typedef enum LsPhoneJudgement
{
	LS_PHONE_NOT_A_NUMBER, /* nothing that could be dialled */
	LS_PHONE_IMPLAUSIBLE,  /* has an E.164 form, but no such number is assigned */
	LS_PHONE_VALID
} LsPhoneJudgement;

extern bool ls_phone_is_e164(const char *text);
extern bool ls_phone_is_nanp(const char *text);
extern bool ls_phone_region_exists(const char *region);
extern LsPhoneJudgement ls_phone_judge(
	const char *raw, const char *region, char e164[LS_PHONE_SIZE]);
extern bool ls_phone_to_e164(const char *raw, const char *region, char e164[LS_PHONE_SIZE]);
extern bool ls_phone_parser_available(void);

#endif /* LS_CORE_PHONE_H */
