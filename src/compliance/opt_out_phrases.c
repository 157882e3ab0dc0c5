/*-------------------------------------------------------------------------
 *
 * opt_out_phrases.c
 *	  The phrases of opt_out_phrases, taken apart, indexed and remembered.
 *
 *	  A phrase is a sequence of elements with spaces between them:
 *
 *		stop|quit		one of these words
 *		[please]		a word that may be missing
 *		*				any word; [*] any word or none
 *		#				a word that begins with a digit; also as one of several
 *		^ and $			first and last: the clause begins, or ends, there
 *
 *	  The first element is a word, so that a phrase is only looked at where that
 *	  word stands.  An organisation has the built-in phrases and its own; one of
 *	  its own that is not active switches off the built-in one of the same text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "lead_system.h"
#include "compliance/compliance.h"
#include "compliance/opt_out.h"
#include "core/cache.h"
#include "core/query.h"
#include "core/tenant.h"
#include "core/trigger.h"

static const char *const kind_names[] = {NULL, "keyword", "hard", "soft", "resubscribe", "help",
	"ordinary", "limit", "filler", "spelling"};

/* A keyword; the whole of a message. */
typedef struct Keyword
{
	char text[LS_WORD_SIZE * 2]; /* hash key */
	struct Meaning *meanings;
} Keyword;

/* What a keyword means on a channel. */
typedef struct Meaning
{
	LsOptOutKind kind;
	char *channel;
	struct Meaning *next;
} Meaning;

struct LsMatcher
{
	pg_uuid_t org; /* hash key */
	HTAB *words;
	HTAB *keywords;
};

static LsCache matcher_cache = {.name = "opt-out phrases", .relations = {"opt_out_phrases"}};
static HTAB *matchers = NULL;

/* The kind that a name stands for; LS_OPT_OUT_NOTHING when there is none. */
LsOptOutKind
ls_opt_out_kind(const char *name)
{
	int i;

	for (i = LS_OPT_OUT_KEYWORD; i < (int) lengthof(kind_names); i++)
	{
		if (strcmp(kind_names[i], name) == 0)
			return i;
	}
	return LS_OPT_OUT_NOTHING;
}

const char *
ls_opt_out_kind_name(LsOptOutKind kind)
{
	return kind_names[kind];
}

/* Is a kind one of those that are compared with whole messages? */
static bool
is_whole_message(LsOptOutKind kind)
{
	return kind == LS_OPT_OUT_KEYWORD || kind == LS_OPT_OUT_RESUBSCRIBE || kind == LS_OPT_OUT_HELP;
}

/* Split a text at one character; empty pieces count. */
static List *
split(const char *text, char at)
{
	List *pieces = NIL;
	const char *end;

	while ((end = strchr(text, at)) != NULL)
	{
		pieces = lappend(pieces, pnstrdup(text, end - text));
		text = end + 1;
	}
	return lappend(pieces, pstrdup(text));
}

/* What is wrong with the words of an element, or NULL. */
static const char *
element_problem(const char *text, bool first)
{
	int length = strlen(text);
	bool optional = length > 2 && text[0] == '[' && text[length - 1] == ']';
	char *inner = optional ? pnstrdup(text + 1, length - 2) : pstrdup(text);
	ListCell *cell;

	if (first && (optional || strcmp(inner, "*") == 0))
		return "A phrase begins with a word.";
	if (strcmp(inner, "*") == 0)
		return NULL;
	foreach (cell, split(inner, '|'))
	{
		int n;

		if (!first && strcmp(lfirst(cell), "#") == 0)
			continue;
		(void) ls_words(lfirst(cell), &n);
		if (n != 1 || strpbrk(lfirst(cell), "[]^$*#") != NULL)
			return "An element is a word, or words with \"|\" between them.";
	}
	return NULL;
}

/* What is wrong with a phrase, or NULL. */
const char *
ls_opt_out_problem(LsOptOutKind kind, const char *phrase)
{
	List *elements = split(phrase, ' ');
	int words = 0;
	int i;
	int n;

	(void) ls_words(phrase, &n);
	if (n == 0)
		return "A phrase has words.";
	if (is_whole_message(kind))
		return strlen(phrase) < LS_WORD_SIZE ? NULL : "A keyword has at most 31 characters.";
	if (kind == LS_OPT_OUT_FILLER || kind == LS_OPT_OUT_SPELLING)
		return n == (kind == LS_OPT_OUT_FILLER ? 1 : 2)
				   ? NULL
				   : "A filler is one word; a spelling is two: as written, and as meant.";
	for (i = 0; i < list_length(elements); i++)
	{
		const char *element = list_nth(elements, i);
		const char *problem;

		if ((i == 0 && strcmp(element, "^") == 0) ||
			(i > 0 && i == list_length(elements) - 1 && strcmp(element, "$") == 0))
			continue;
		problem = element_problem(element, words++ == 0);
		if (problem != NULL)
			return problem;
	}
	return words > 0 ? NULL : "A phrase has words.";
}

/* The entry of a word, made if it is new. */
static LsVocable *
vocable(LsMatcher *matcher, const char *text)
{
	LsWord *words;
	LsVocable *entry;
	bool found;
	int n;

	words = ls_words(text, &n);
	Assert(n > 0);
	entry = hash_search(matcher->words, words[0].text, HASH_ENTER, &found);
	if (!found)
	{
		entry->number = hash_get_num_entries(matcher->words);
		entry->means = entry;
		entry->is_filler = false;
		entry->starts = NULL;
	}
	return entry;
}

/* Take an element apart. */
static void
read_element(LsMatcher *matcher, const char *text, LsElement *element)
{
	int length = strlen(text);
	List *words;
	ListCell *cell;

	element->is_optional = text[0] == '[';
	if (element->is_optional)
		text = pnstrdup(text + 1, length - 2);
	element->is_any = strcmp(text, "*") == 0;
	if (element->is_any)
		return;
	words = split(text, '|');
	element->words = palloc(sizeof(int) * list_length(words));
	foreach (cell, words)
	{
		if (strcmp(lfirst(cell), "#") == 0)
			element->is_number = true;
		else
			element->words[element->n_words++] = vocable(matcher, lfirst(cell))->number;
	}
}

/* A phrase is found by each of the words that it can begin with. */
static void
add_phrase(LsMatcher *matcher, LsOptOutKind kind, const char *text, char *channel)
{
	List *elements = split(text, ' ');
	LsPhrase phrase = {.kind = kind, .channel = channel};
	ListCell *cell;

	phrase.at_start = strcmp(linitial(elements), "^") == 0;
	phrase.at_end = strcmp(llast(elements), "$") == 0;
	if (phrase.at_start)
		elements = list_delete_first(elements);
	if (phrase.at_end)
		elements = list_delete_last(elements);
	phrase.elements = palloc0(sizeof(LsElement) * list_length(elements));
	foreach (cell, elements)
		read_element(matcher, lfirst(cell), &phrase.elements[phrase.n_elements++]);
	foreach (cell, split(linitial(elements), '|'))
	{
		LsVocable *first = vocable(matcher, lfirst(cell));
		LsPhrase *copy = palloc(sizeof(LsPhrase));

		*copy = phrase;
		copy->next = first->starts;
		first->starts = copy;
	}
}

/* Keep what a keyword means; opting out comes before all else. */
static void
add_keyword(LsMatcher *matcher, LsOptOutKind kind, const char *text, char *channel)
{
	Meaning *meaning = palloc(sizeof(Meaning));
	Keyword *keyword;
	bool found;
	int n;
	LsWord *words = ls_words(text, &n);

	keyword = hash_search(matcher->keywords, ls_words_joined(words, n), HASH_ENTER, &found);
	if (!found)
		keyword->meanings = NULL;
	meaning->kind = kind;
	meaning->channel = channel;
	meaning->next = keyword->meanings;
	keyword->meanings = meaning;
}

/* Keep a row of the table. */
static void
add_row(LsMatcher *matcher, LsOptOutKind kind, const char *text, char *channel)
{
	LsWord *words;
	int n;

	if (is_whole_message(kind))
		add_keyword(matcher, kind, text, channel);
	else if (kind == LS_OPT_OUT_FILLER)
		vocable(matcher, text)->is_filler = true;
	else if (kind == LS_OPT_OUT_SPELLING)
	{
		words = ls_words(text, &n);
		vocable(matcher, words[0].text)->means = vocable(matcher, words[1].text);
	}
	else if (kind != LS_OPT_OUT_NOTHING)
		add_phrase(matcher, kind, text, channel);
}

/* Read the phrases of an organisation; NULL has the built-in ones only. */
static void
load_rows(LsMatcher *matcher, const pg_uuid_t *org)
{
	LS_QUERY(query,
		"SELECT p.phrase, p.kind, p.channel FROM lead_system.opt_out_phrases p"
		" WHERE (p.organization_id IS NULL OR p.organization_id = $1) AND p.is_active"
		"   AND (p.organization_id IS NOT NULL OR NOT EXISTS ("
		"        SELECT FROM lead_system.opt_out_phrases o WHERE o.organization_id = $1"
		"           AND lower(o.phrase) = lower(p.phrase) AND NOT o.is_active))",
		UUIDOID);
	MemoryContext caller = CurrentMemoryContext;
	LsScope scope;
	LsArgs args = {0};
	uint64 n;
	uint64 row;

	ls_arg_uuid(&args, org);
	ls_scope_open(&scope, LS_AS_OWNER);
	n = ls_query_run_latest(&query, &args);
	for (row = 0; row < n; row++)
	{
		char *phrase = ls_result_text(row, 1);
		LsOptOutKind kind = ls_opt_out_kind(ls_result_text(row, 2));
		char *channel = ls_result_text(row, 3);

		MemoryContextSwitchTo(matcher_cache.context);
		add_row(matcher, kind, phrase, channel ? pstrdup(channel) : NULL);
		MemoryContextSwitchTo(caller);
	}
	ls_scope_close(&scope);
}

/* A hash by text in the cache. */
static HTAB *
create_hash(const char *name, int keysize, int entrysize)
{
	HASHCTL ctl = {0};

	ctl.keysize = keysize;
	ctl.entrysize = entrysize;
	ctl.hcxt = matcher_cache.context;
	return hash_create(name, 256, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

/* Fill the matcher of an organisation; it is kept when it is complete. */
static const LsMatcher *
load_matcher(const pg_uuid_t *key, const pg_uuid_t *org)
{
	LsMatcher matcher = {.org = *key};
	LsMatcher *entry;

	matcher.words = create_hash("opt-out words", LS_WORD_SIZE, sizeof(LsVocable));
	matcher.keywords = create_hash("opt-out keywords", LS_WORD_SIZE * 2, sizeof(Keyword));
	load_rows(&matcher, org);
	entry = hash_search(matchers, key, HASH_ENTER, NULL);
	*entry = matcher;
	return entry;
}

/* The matcher of an organisation (NULL: built-in phrases), from the cache. */
const LsMatcher *
ls_matcher(const pg_uuid_t *org)
{
	pg_uuid_t key = {0};
	const LsMatcher *matcher;

	if (org != NULL)
		key = *org;
	if (!ls_cache_valid(&matcher_cache))
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(pg_uuid_t);
		ctl.entrysize = sizeof(LsMatcher);
		ctl.hcxt = ls_cache_renew(&matcher_cache);
		matchers = hash_create("opt-out matchers", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	matcher = hash_search(matchers, &key, HASH_FIND, NULL);
	return matcher ? matcher : load_matcher(&key, org);
}

/* What is known of a word; NULL when no phrase has it. */
const LsVocable *
ls_matcher_word(const LsMatcher *matcher, const char *text)
{
	return hash_search(matcher->words, text, HASH_FIND, NULL);
}

/* What a whole message means as a keyword; an opt-out before all else. */
LsOptOutKind
ls_matcher_keyword(const LsMatcher *matcher, const char *joined, const char *channel)
{
	LsOptOutKind kind = LS_OPT_OUT_NOTHING;
	const Keyword *keyword;
	const Meaning *meaning;

	if (strlen(joined) >= LS_WORD_SIZE)
		return LS_OPT_OUT_NOTHING;
	keyword = hash_search(matcher->keywords, joined, HASH_FIND, NULL);
	for (meaning = keyword ? keyword->meanings : NULL; meaning != NULL; meaning = meaning->next)
	{
		if ((meaning->channel == NULL || strcmp(meaning->channel, channel) == 0) &&
			(kind == LS_OPT_OUT_NOTHING || meaning->kind < kind))
			kind = meaning->kind;
	}
	return kind;
}

/* A text column of a row that is being written; NULL when it is null. */
static char *
row_text(TriggerData *trigdata, const char *column)
{
	Relation rel = trigdata->tg_relation;
	bool isnull;
	Datum value = SPI_getbinval(ls_trigger_new_tuple(trigdata), RelationGetDescr(rel),
		ls_trigger_attnum(rel, column), &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

PG_FUNCTION_INFO_V1(ls_compliance_phrases_check);

/*
 * opt_out_phrases_check(): BEFORE row trigger.  Whoever may write phrases adds
 * ways to opt out; only an administrator takes one away, by switching it off or
 * by saying that it is none.
 */
Datum
ls_compliance_phrases_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ls_trigger_check(fcinfo, "opt_out_phrases_check", LS_TRIGGER_BEFORE_ROW,
		LS_TRIGGER_INSERT | LS_TRIGGER_UPDATE, "opt_out_phrases");
	Relation rel = trigdata->tg_relation;
	char *phrase = row_text(trigdata, "phrase");
	char *kind_name = row_text(trigdata, "kind");
	LsOptOutKind kind = kind_name ? ls_opt_out_kind(kind_name) : LS_OPT_OUT_NOTHING;
	const char *problem;
	bool isnull;
	bool active;

	active = DatumGetBool(SPI_getbinval(ls_trigger_new_tuple(trigdata), RelationGetDescr(rel),
		ls_trigger_attnum(rel, "is_active"), &isnull));
	if (ls_caller_is_confined(rel) && !ls_caller_is_admin() &&
		(!active ||
			(kind != LS_OPT_OUT_KEYWORD && kind != LS_OPT_OUT_HARD && kind != LS_OPT_OUT_SOFT)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						   errmsg("only an administrator can make fewer messages opt-outs"),
						   errdetail("Others add phrases of the kinds keyword, hard and soft.")));
	/* What is missing or unrecognized is told by the constraints. */
	if (phrase == NULL || kind == LS_OPT_OUT_NOTHING)
		return PointerGetDatum(ls_trigger_new_tuple(trigdata));
	problem = ls_opt_out_problem(kind, phrase);
	if (problem != NULL)
		ereport(
			ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					   errmsg("\"%s\" cannot be an opt-out phrase of kind %s", phrase, kind_name),
					   errdetail("%s", problem)));
	return PointerGetDatum(ls_trigger_new_tuple(trigdata));
}

void
ls_opt_out_init(void)
{
	ls_cache_register(&matcher_cache);
}
