/*-------------------------------------------------------------------------
 *
 * merge.h
 *	  Duplicates, merging, archive and retention.
 *
 *	  Which tables have rows of a lead the catalog says, so that no table is
 *	  missed, whoever made it.  Rows are moved as they are ("exactly"): ordinary
 *	  triggers do not fire, so nothing is stamped, judged or derived again.
 *	  Where triggers keep counts, the rows are first written with triggers, and
 *	  then made exact.
 *
 *	  Locks: the numbers of the leads on the do-not-call list, leads by id, then
 *	  their rows, campaign_leads first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_MERGE_H
#define LS_MERGE_H

#include "core/query.h"
#include "core/sweep.h"
#include "leads/leads.h"

/* References that are followed from a table of leads. */
#define LS_MOVE_MAX_DEPTH 8

/* A table with rows of leads. */
typedef struct LsMoveTable
{
	char *name; /* in what is written down; with its schema when that is not ours */
	char *relation;
	char *column;  /* that refers to the lead; of a deeper one, NULL */
	bool has_fk;   /* refers to leads, or to a table that does, by a foreign key */
	bool counted;  /* its triggers keep counts that must stay true */
	bool is_leads; /* leads that refer to leads, by a column that somebody added */
	bool unfit;    /* its rows cannot be moved; refuse when there are some */
	bool stays;    /* a lead with rows in it is not archived */
	char *source;  /* FROM item with which its rows are t and "lead" is their lead */
	char *lead;
	char *org_is;  /* condition by which row t is the organisation's */
	char *columns; /* that can be updated, and what they are in a record, by comma */
	char *values;
	char *insert_columns; /* the same for those that can be inserted */
	char *insert_values;
	char *row;       /* row t as JSON, from which it can be written again exactly */
	char *key;       /* condition by which row t is that of record p */
	char *moved_key; /* the same once its lead is $4 */
	int depth;
	Oid owner;
	bool theirs; /* of another owner, or refers to a table that is: see owners.c */
	const struct LsMoveTable *parent; /* a deeper one of theirs: what it refers to */
	char *parent_keys;                /* what of that one's row t it refers to, as JSON */
} LsMoveTable;

/*
 * A move.  The parameters of its statements are, in this order: $1 organization,
 * $2 merge, $3 all leads, $4 the survivor, $5 the time, $6 a number, $7 and $8 what
 * is given of other tables.
 */
typedef struct LsMove
{
	pg_uuid_t org;
	pg_uuid_t merge;
	Datum leads; /* uuid[] */
	pg_uuid_t survivor;
	TimestampTz now;
	int number;
	Datum given; /* jsonb, or none */
	Datum found; /* the same */
} LsMove;

extern LsMoveTable *ls_move_tables(int *n);
extern LsMoveTable *ls_move_archived_tables(int *n);
extern LsMoveTable *ls_move_leads_table(void);
extern uint64 ls_move_run(const LsMove *move, const char *sql);
extern uint64 ls_move_run_exactly(const LsMove *move, const char *sql);
extern uint64 ls_move_run_on(
	const LsMove *move, const LsMoveTable *table, const char *sql, bool exactly);
extern Datum ls_move_document(const LsMove *move, const char *sql);
extern char *ls_move_gather(
	LsMove *move, const LsMoveTable *table, const char *query, const char *columns);
extern char *ls_move_rows(const LsMoveTable *table, const char *alias);
extern LsMove ls_move_with_rows(const LsMove *move, const LsMoveTable *table);
extern void ls_move_insert_theirs(
	const LsMove *move, const LsMoveTable *table, Datum rows, const char *suffix);
extern void ls_move_lock_leads(
	const LsMove *move, int n_expected, const LsMoveTable *tables, int n);
extern void ls_move_lock_rows(const LsMove *move, const LsMoveTable *tables, int n);
extern void ls_move_require_read_committed(const char *what);
extern char *ls_move_parents_exist(const LsMoveTable *table);
extern bool ls_move_same_table(const LsMoveTable *a, const LsMoveTable *b);
extern void ls_move_set_formats(void);
extern void ls_move_block_queue(const LsMove *move, const char *was_free);
extern char *ls_move_survivor_statement(void);
extern int64 ls_move_sweep(LsQuery *organizations, LsSweep sweep, int64 batch);
extern void ls_move_note(const LsMove *move, const pg_uuid_t *lead, const char *action,
	const char *key, const char *value);

extern const LsLeadArchive ls_merge_archive;
extern void ls_move_exact_init(void);
extern void ls_merge_init(void);

#endif /* LS_MERGE_H */
