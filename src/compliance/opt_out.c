/*-------------------------------------------------------------------------
 *
 * opt_out.c
 *	  detect_opt_out(): does a message say that its sender wants to hear no more?
 *
 *	  A message that is a keyword, but for words like "please" around it, is
 *	  what the keyword says (semantics D11).  Otherwise phrases are looked for
 *	  in it (D9, D10), within a clause.  Of two that overlap, one within the
 *	  other, the longer counts: "don't stop calling" is an ordinary phrase and
 *	  contains a hard one.  A hard phrase that is followed by a limit ("until
 *	  Monday", "at work") is soft: somebody has to read it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/opt_out.h"
#include "core/input.h"
#include "core/tenant.h"

/* A message that is being read. */
typedef struct Reading
{
	const LsMatcher *matcher;
	const char *channel;
	LsWord *words;
	const LsVocable **vocables; /* what is known of the words that are meant, or NULL */
	bool *is_head;              /* only fillers before it, in its clause */
	bool *is_tail;              /* only fillers from here on; has n + 1 elements */
	int n;
	List *matches; /* in the order in which they begin */
	int longest;   /* words of the longest of them */
} Reading;

/* A phrase that was found. */
typedef struct Match
{
	LsOptOutKind kind;
	int from;
	int to; /* the word after it */
} Match;

/* May a word be left out of account at the edge of a message? */
static bool
is_filler(const Reading *r, int i)
{
	return r->vocables[i] != NULL && r->vocables[i]->is_filler;
}

/* Look the words up, spell them as they are meant, and find the edges of clauses. */
static void
prepare(Reading *r)
{
	int i;

	r->vocables = palloc(sizeof(LsVocable *) * (r->n + 1));
	r->is_head = palloc(sizeof(bool) * (r->n + 1));
	r->is_tail = palloc(sizeof(bool) * (r->n + 1));
	for (i = 0; i < r->n; i++)
	{
		const LsVocable *vocable = ls_matcher_word(r->matcher, r->words[i].text);

		r->vocables[i] = vocable ? vocable->means : NULL;
		if (vocable != NULL && vocable->means != vocable)
			strlcpy(r->words[i].text, vocable->means->text, LS_WORD_SIZE);
		r->is_head[i] = r->words[i].starts_clause || (r->is_head[i - 1] && is_filler(r, i - 1));
	}
	r->is_tail[r->n] = true;
	for (i = r->n - 1; i >= 0; i--)
		r->is_tail[i] = r->words[i].starts_clause || (is_filler(r, i) && r->is_tail[i + 1]);
}

/* Does an element of a phrase match a word? */
static bool
element_matches(const Reading *r, const LsElement *element, int at)
{
	int i;

	if (element->is_any)
		return true;
	if (element->is_number && r->words[at].text[0] >= '0' && r->words[at].text[0] <= '9')
		return true;
	for (i = 0; r->vocables[at] != NULL && i < element->n_words; i++)
	{
		if (element->words[i] == r->vocables[at]->number)
			return true;
	}
	return false;
}

/* The farthest word at which a phrase can end, from an element on; 0 for none. */
static int
match_from(const Reading *r, const LsPhrase *phrase, int element, int start, int at)
{
	int end = 0;

	if (element == phrase->n_elements)
		return !phrase->at_end || r->is_tail[at] ? at : 0;
	if (at < r->n && (at == start || !r->words[at].starts_clause) &&
		element_matches(r, &phrase->elements[element], at))
		end = match_from(r, phrase, element + 1, start, at + 1);
	if (phrase->elements[element].is_optional)
	{
		int without = match_from(r, phrase, element + 1, start, at);

		end = Max(end, without);
	}
	return end;
}

/* Find the phrases that begin at a word. */
static void
find_matches_at(Reading *r, int at)
{
	const LsPhrase *phrase = r->vocables[at] ? r->vocables[at]->starts : NULL;

	for (; phrase != NULL; phrase = phrase->next)
	{
		Match *match;
		int to;

		if ((phrase->at_start && !r->is_head[at]) ||
			(phrase->channel != NULL && strcmp(phrase->channel, r->channel) != 0))
			continue;
		to = match_from(r, phrase, 0, at, at);
		if (to == 0)
			continue;
		match = palloc(sizeof(Match));
		match->kind = phrase->kind;
		match->from = at;
		match->to = to;
		r->matches = lappend(r->matches, match);
		r->longest = Max(r->longest, to - at);
	}
}

/* Does a match lie within another that counts more?  Of the same words, ordinary before hard before soft. */
static bool
overrules(const Match *other, const Match *match)
{
	if (other->kind == LS_OPT_OUT_LIMIT || other->from > match->from || other->to < match->to)
		return false;
	return other->to - other->from > match->to - match->from ||
		   (other->kind == LS_OPT_OUT_ORDINARY && match->kind != LS_OPT_OUT_ORDINARY) ||
		   (other->kind == LS_OPT_OUT_HARD && match->kind == LS_OPT_OUT_SOFT);
}

/*
 * Is a match overruled?  Only those near it are looked at, or a long message of
 * nothing but phrases would take a time that grows with the square of its length.
 */
static bool
is_overruled(const Reading *r, int n)
{
	const Match *match = list_nth(r->matches, n);
	const Match *other;
	int i;

	for (i = n; i < list_length(r->matches); i++)
	{
		other = list_nth(r->matches, i);
		if (other->from > match->from)
			break;
		if (overrules(other, match))
			return true;
	}
	for (i = n - 1; i >= 0; i--)
	{
		other = list_nth(r->matches, i);
		if (other->from + r->longest < match->to)
			break;
		if (overrules(other, match))
			return true;
	}
	return false;
}

/* Does a limit follow? */
static bool
is_limited(const Reading *r, int n)
{
	const Match *match = list_nth(r->matches, n);
	int i;

	for (i = n + 1; i < list_length(r->matches); i++)
	{
		const Match *other = list_nth(r->matches, i);

		if (other->from > match->to)
			break;
		if (other->kind == LS_OPT_OUT_LIMIT && other->from == match->to &&
			!r->words[other->from].starts_clause)
			return true;
	}
	return false;
}

/* The words of a message as they were written, in lower case. */
static char *
quote(const char *message, const LsWord *words, int from, int to)
{
	char *text = pnstrdup(message + words[from].from, words[to - 1].to - words[from].from);
	char *p;

	for (p = text; *p != '\0'; p++)
		*p = pg_ascii_tolower((unsigned char) *p);
	return text;
}

/* The longest message that can be a keyword with fillers around it, in words. */
#define MAX_KEYWORD_WORDS 16

/* Is the message a keyword, but for fillers?  A keyword may begin or end with one. */
static LsOptOut
detect_keyword(const Reading *r, const char *as_written, const char *message)
{
	LsOptOut result = {LS_OPT_OUT_NOTHING, NULL};
	int from;
	int to = r->n;

	result.kind = ls_matcher_keyword(r->matcher, as_written, r->channel);
	if (result.kind != LS_OPT_OUT_NOTHING)
		result.phrase = quote(message, r->words, 0, r->n);
	if (result.kind != LS_OPT_OUT_NOTHING || r->n > MAX_KEYWORD_WORDS)
		return result;
	for (from = 0; from < r->n && (from == 0 || is_filler(r, from - 1)); from++)
	{
		for (to = r->n; to > from && (to == r->n || is_filler(r, to)); to--)
		{
			result.kind = ls_matcher_keyword(
				r->matcher, ls_words_joined(r->words + from, to - from), r->channel);
			if (result.kind == LS_OPT_OUT_NOTHING)
				continue;
			result.phrase = quote(message, r->words, from, to);
			return result;
		}
	}
	return result;
}

/* The phrase that counts most: the first hard one, or the first soft one. */
static LsOptOut
detect_phrase(Reading *r, const char *message)
{
	LsOptOut result = {LS_OPT_OUT_NOTHING, NULL};
	int i;

	for (i = 0; i < r->n; i++)
		find_matches_at(r, i);
	for (i = 0; i < list_length(r->matches); i++)
	{
		const Match *match = list_nth(r->matches, i);
		LsOptOutKind kind = match->kind;

		CHECK_FOR_INTERRUPTS();
		if ((kind != LS_OPT_OUT_HARD && kind != LS_OPT_OUT_SOFT) || (result.kind == kind) ||
			is_overruled(r, i))
			continue;
		if (kind == LS_OPT_OUT_HARD && is_limited(r, i))
			kind = LS_OPT_OUT_SOFT;
		if (kind == result.kind)
			continue;
		result.kind = kind;
		result.phrase = quote(message, r->words, match->from, match->to);
		if (kind == LS_OPT_OUT_HARD)
			break;
	}
	return result;
}

/* What a message says, by the phrases of an organisation (NULL: the built-in ones). */
LsOptOut
ls_opt_out_detect(const pg_uuid_t *org, const char *message, const char *channel)
{
	Reading r = {.channel = channel};
	LsOptOut result = {LS_OPT_OUT_NOTHING, NULL};
	char *as_written;

	r.matcher = ls_matcher(org);
	r.words = ls_words(message, &r.n);
	if (r.n == 0)
		return result;
	as_written = ls_words_joined(r.words, r.n);
	prepare(&r);
	result = detect_keyword(&r, as_written, message);
	return result.kind != LS_OPT_OUT_NOTHING ? result : detect_phrase(&r, message);
}

PG_FUNCTION_INFO_V1(ls_compliance_detect_opt_out);

/* detect_opt_out(message, channel): always one row. */
Datum
ls_compliance_detect_opt_out(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	LsOptOut found = {LS_OPT_OUT_NOTHING, NULL};
	Datum values[3] = {0};
	bool nulls[3] = {false, true, true};
	pg_uuid_t org;
	char *channel;

	LS_REQUIRE_ARG(1, "channel");
	channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ls_consent_check_channel(channel);
	if (!PG_ARGISNULL(0))
		found = ls_opt_out_detect(
			ls_current_org(&org) ? &org : NULL, text_to_cstring(PG_GETARG_TEXT_PP(0)), channel);
	InitMaterializedSRF(fcinfo, 0);
	values[0] = BoolGetDatum(ls_opt_out_is_final(found.kind));
	if (found.kind != LS_OPT_OUT_NOTHING)
	{
		values[1] = CStringGetTextDatum(ls_opt_out_kind_name(found.kind));
		values[2] = CStringGetTextDatum(found.phrase);
		nulls[1] = nulls[2] = false;
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return (Datum) 0;
}
