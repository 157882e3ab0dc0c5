/*-------------------------------------------------------------------------
 *
 * opt_out.h
 *	  Recognizing opt-outs in messages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_COMPLIANCE_OPT_OUT_H
#define LS_COMPLIANCE_OPT_OUT_H

#include "utils/uuid.h"

/* Longest word that is told apart; what follows is cut off. */
#define LS_WORD_SIZE 32

/* A word of a message. */
typedef struct LsWord
{
	char text[LS_WORD_SIZE]; /* folded */
	int from;                /* bytes of the message that it stands for */
	int to;
	bool starts_clause;
} LsWord;

/* What a phrase is for.  The order is that of opt_out_kinds. */
typedef enum LsOptOutKind
{
	LS_OPT_OUT_NOTHING,
	LS_OPT_OUT_KEYWORD,
	LS_OPT_OUT_HARD,
	LS_OPT_OUT_SOFT,
	LS_OPT_OUT_RESUBSCRIBE,
	LS_OPT_OUT_HELP,
	LS_OPT_OUT_ORDINARY, /* sounds like an opt-out and is none */
	LS_OPT_OUT_LIMIT,    /* after a phrase: not always, but then */
	LS_OPT_OUT_FILLER,   /* may stand around a keyword */
	LS_OPT_OUT_SPELLING  /* a way to write a word, and the word */
} LsOptOutKind;

/* What a message says. */
typedef struct LsOptOut
{
	LsOptOutKind kind; /* nothing, keyword, hard, soft, resubscribe or help */
	char *phrase;      /* the words that say it, or NULL */
} LsOptOut;

/* Does it mean that nobody may contact the sender again? */
static inline bool
ls_opt_out_is_final(LsOptOutKind kind)
{
	return kind == LS_OPT_OUT_KEYWORD || kind == LS_OPT_OUT_HARD;
}

/* An element of a phrase: words of which one must stand there. */
typedef struct LsElement
{
	int *words;
	int n_words;
	bool is_any;    /* any word will do */
	bool is_number; /* so will one that begins with a digit */
	bool is_optional;
} LsElement;

/* A phrase, taken apart. */
typedef struct LsPhrase
{
	LsOptOutKind kind;
	char *channel; /* or NULL for all */
	LsElement *elements;
	int n_elements;
	bool at_start; /* of a clause, but for fillers */
	bool at_end;
	struct LsPhrase *next; /* that begins with the same word */
} LsPhrase;

/* All phrases of an organisation, indexed. */
typedef struct LsMatcher LsMatcher;

/* A word that some phrase has. */
typedef struct LsVocable
{
	char text[LS_WORD_SIZE]; /* hash key */
	int number;
	bool is_filler;
	LsPhrase *starts;        /* phrases that begin with it */
	struct LsVocable *means; /* the word it is a spelling of, or itself */
} LsVocable;

extern LsWord *ls_words(const char *message, int *n);
extern char *ls_words_joined(const LsWord *words, int n);

extern LsOptOutKind ls_opt_out_kind(const char *name);
extern const char *ls_opt_out_kind_name(LsOptOutKind kind);
extern const char *ls_opt_out_problem(LsOptOutKind kind, const char *phrase);
extern const LsMatcher *ls_matcher(const pg_uuid_t *org);
extern const LsVocable *ls_matcher_word(const LsMatcher *matcher, const char *text);
extern LsOptOutKind ls_matcher_keyword(
	const LsMatcher *matcher, const char *joined, const char *channel);

extern LsOptOut ls_opt_out_detect(const pg_uuid_t *org, const char *message, const char *channel);

#endif /* LS_COMPLIANCE_OPT_OUT_H */
