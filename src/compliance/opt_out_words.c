/*-------------------------------------------------------------------------
 *
 * opt_out_words.c
 *	  Messages as folded words.
 *
 *	  People write STOP, "stop.", Stop!!! and s t o p, with straight and curly
 *	  apostrophes, accents or none, and pictures.  Folding makes one thing of
 *	  them: lower case, without accents and apostrophes, letters that are drawn
 *	  out ("pleeease") written once, and contractions as one word: "do not",
 *	  "don't" and "dont" are all "dont".
 *
 *	  Punctuation ends a clause.  Letters of other scripts stay what they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "lead_system.h"
#include "compliance/opt_out.h"

/* What a character is. */
typedef enum CharClass
{
	CHAR_LETTER,
	CHAR_IGNORED, /* belongs to the word around it */
	CHAR_SPACE,
	CHAR_BREAK /* ends a clause */
} CharClass;

/* Letters without their accents, U+00C0 to U+017F. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
							"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
							"lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* The class of an ASCII character. */
static CharClass
classify_ascii(pg_wchar c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return CHAR_LETTER;
	if (c == '\'' || c == '`')
		return CHAR_IGNORED;
	return strchr(".!?;:,()\"\n", (int) c) != NULL ? CHAR_BREAK : CHAR_SPACE;
}

/* Is this one of the characters that nobody sees, or that pass for an apostrophe? */
static bool
is_ignored(pg_wchar c)
{
	return c == 0x00AD || c == 0x00B4 || c == 0x02B9 || c == 0x02BC || c == 0x2018 || c == 0x2019 ||
		   c == 0x201B || c == 0x2032 || (c >= 0x0300 && c <= 0x036F) ||
		   (c >= 0x200B && c <= 0x200F) || c == 0x2060 || (c >= 0xFE00 && c <= 0xFE0F) ||
		   c == 0xFEFF;
}

/* The class of a character, which is folded. */
static CharClass
classify(pg_wchar *c)
{
	if (*c >= 0xFF01 && *c <= 0xFF5E) /* full-width forms */
		*c -= 0xFEE0;
	if (*c >= 'A' && *c <= 'Z')
		*c += 'a' - 'A';
	if (*c < 0x80)
		return classify_ascii(*c);
	if (is_ignored(*c))
		return CHAR_IGNORED;
	if (*c >= 0x00C0 && *c < 0x00C0 + sizeof(latin) - 1)
	{
		*c = latin[*c - 0x00C0];
		return *c == ' ' ? CHAR_SPACE : CHAR_LETTER;
	}
	if ((*c >= 0x0410 && *c <= 0x042F) || (*c >= 0x0391 && *c <= 0x03A9))
		*c += 0x20;
	if (*c == 0x2026 || *c == 0x2013 || *c == 0x2014 || *c == 0x3001 || *c == 0x3002 ||
		*c == 0x201C || *c == 0x201D || *c == 0x00A1 || *c == 0x00BF || *c == 0x0964)
		return CHAR_BREAK;
	if (*c < 0x00C0 || (*c >= 0x2000 && *c <= 0x2BFF) || (*c >= 0x3000 && *c <= 0x303F) ||
		(*c >= 0xE000 && *c <= 0xF8FF) || *c >= 0x1F000)
		return CHAR_SPACE;
	return CHAR_LETTER;
}

/* The next character; bytes that are none count as letters. */
static pg_wchar
next_char(const char *p, int *length)
{
	if (GetDatabaseEncoding() != PG_UTF8 || !IS_HIGHBIT_SET(*p))
	{
		*length = 1;
		return IS_HIGHBIT_SET(*p) ? 0x0250 : (unsigned char) *p;
	}
	*length = pg_utf_mblen((const unsigned char *) p);
	return utf8_to_unicode((const unsigned char *) p);
}

/* A word being put together. */
typedef struct Builder
{
	LsWord *words;
	int n;
	bool in_word;
	bool new_clause;
	int length;
	int repeated; /* how often the last letter stands there */
	pg_wchar last;
} Builder;

/* Add a letter: at most twice in a row, and once if three times or more. */
static void
add_letter(Builder *b, pg_wchar c, int at, int length)
{
	LsWord *word;
	unsigned char bytes[8] = {0};
	int n;

	if (!b->in_word)
	{
		word = &b->words[b->n++];
		memset(word, 0, sizeof(LsWord));
		word->from = at;
		word->starts_clause = b->new_clause;
		b->in_word = true;
		b->new_clause = false;
		b->length = 0;
		b->repeated = 0;
	}
	word = &b->words[b->n - 1];
	word->to = at + length;
	b->repeated = b->repeated > 0 && c == b->last ? b->repeated + 1 : 1;
	b->last = c;
	if (b->repeated == 3 && c >= 'a' && c <= 'z' && b->length > 1)
		word->text[--b->length] = '\0';
	if (b->repeated >= 3 && c >= 'a' && c <= 'z')
		return;
	unicode_to_utf8(c, bytes);
	n = c < 0x80 ? 1 : pg_utf_mblen(bytes);
	if (b->length + n < LS_WORD_SIZE)
	{
		memcpy(word->text + b->length, bytes, n);
		b->length += n;
	}
}

/* Is this a verb that "not" follows, and how is it written with it? */
static const char *
contraction(const char *verb)
{
	static const char *const verbs[][2] = {{"do", "dont"}, {"does", "doesnt"}, {"did", "didnt"},
		{"can", "cant"}, {"will", "wont"}, {"would", "wouldnt"}, {"could", "couldnt"},
		{"should", "shouldnt"}, {"have", "havent"}, {"has", "hasnt"}};
	int i;

	for (i = 0; i < (int) lengthof(verbs); i++)
	{
		if (strcmp(verbs[i][0], verb) == 0)
			return verbs[i][1];
	}
	return NULL;
}

/* Make one word of "do not", of "don t" and of "cannot". */
static int
contract(LsWord *words, int n)
{
	int kept = 0;
	int i;

	for (i = 0; i < n; i++)
	{
		LsWord *previous = kept > 0 && !words[i].starts_clause ? &words[kept - 1] : NULL;
		const char *joined = NULL;
		int length = previous ? strlen(previous->text) : 0;

		if (previous != NULL && strcmp(words[i].text, "not") == 0)
			joined = contraction(previous->text);
		else if (length > 1 && previous->text[length - 1] == 'n' && strcmp(words[i].text, "t") == 0)
			joined = psprintf("%st", previous->text);
		if (joined != NULL)
		{
			strlcpy(previous->text, joined, LS_WORD_SIZE);
			previous->to = words[i].to;
			continue;
		}
		words[kept] = words[i];
		if (strcmp(words[kept].text, "cannot") == 0)
			strlcpy(words[kept].text, "cant", LS_WORD_SIZE);
		else if (strcmp(words[kept].text, "donot") == 0)
			strlcpy(words[kept].text, "dont", LS_WORD_SIZE);
		kept++;
	}
	return kept;
}

/* The words of a message. */
LsWord *
ls_words(const char *message, int *n)
{
	Builder b = {0};
	const char *p = message;

	b.words = palloc_extended(sizeof(LsWord) * (strlen(message) / 2 + 2), MCXT_ALLOC_HUGE);
	b.new_clause = true;
	while (*p != '\0')
	{
		int length;
		pg_wchar c = next_char(p, &length);
		CharClass class = classify(&c);

		if (class == CHAR_LETTER)
			add_letter(&b, c, p - message, length);
		else if (class != CHAR_IGNORED)
			b.in_word = false;
		if (class == CHAR_BREAK)
			b.new_clause = true;
		p += length;
	}
	*n = contract(b.words, b.n);
	return b.words;
}

/* Words written as one, as keywords are compared: "opt out" is "optout". */
char *
ls_words_joined(const LsWord *words, int n)
{
	char *joined = palloc(n * LS_WORD_SIZE + 1);
	char *end = joined;
	int i;

	for (i = 0; i < n; i++)
	{
		strcpy(end, words[i].text);
		end += strlen(end);
	}
	*end = '\0';
	return joined;
}
