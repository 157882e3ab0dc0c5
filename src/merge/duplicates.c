/*-------------------------------------------------------------------------
 *
 * duplicates.c
 *	  find_duplicate_leads(): which leads look like an older one.
 *
 *	  Numbers and addresses are compared as they are stored.  Names are compared
 *	  by trigrams, but only within blocks: leads with the same beginning of the
 *	  last name and of the company, or of the first name and more of the company.
 *	  So a hundred thousand leads do not compare all their pairs.
 *
 *	  Each lead is given to the oldest of those that it hangs together with, so
 *	  what is found can be merged as it stands.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/config.h"
#include "core/tenant.h"
#include "merge/merge.h"

/* Blocks of more leads than this are told apart by the whole name instead. */
#define MAX_BLOCK "200"

/* Letters and digits alone, in lower case, without the forms of companies. */
#define PLAIN(column) \
	"regexp_replace(regexp_replace(lower(coalesce(" column ", '')), '[^[:alnum:]]+', ' ', 'g')," \
	" ' (inc|incorporated|llc|ltd|limited|corp|corporation|co|company|gmbh|plc)( |$)', ' ', 'g')"

/* How alike two names are, in percent; %s is the schema of pg_trgm. */
#define ALIKE "%s.similarity(a.whole, b.whole) * 100 >= $2"
#define EQUAL "a.whole = b.whole AND $2 > 0"

/*
 * The query: what is known of each lead, the pairs by each rule, the best pair
 * of each lead, and from there to the oldest.
 */
static const char duplicates_query[] =
	"WITH RECURSIVE lead AS MATERIALIZED ("
	"  SELECT l.id, l.created_at, l.phone_number, l.email, n.first, n.last, n.company,"
	"         btrim(n.first || ' ' || n.last || ' ' || n.company) AS whole"
	"    FROM lead_system.leads l"
	"   CROSS JOIN LATERAL (SELECT btrim(" PLAIN("l.first_name") ") AS first, btrim(" PLAIN(
		"l.last_name") ") AS last,"
					   "                              btrim(" PLAIN(
						   "l.company_name || ' '") ") AS company) n"
													"   WHERE l.organization_id = $1 AND l.deleted_at IS NULL AND NOT l.is_spam), "
													"block AS MATERIALIZED ("
													"  SELECT l.*, CASE WHEN count(*) OVER (PARTITION BY k.key) > " MAX_BLOCK
													" THEN l.whole ELSE k.key END AS key"
													"    FROM lead l CROSS JOIN LATERAL (VALUES"
													"      ('1' || left(l.last, 4) || '|' || left(l.company, 3)),"
													"      ('2' || left(l.first, 2) || '|' || left(l.company, 8))) k(key)"
													"   WHERE l.company <> '' AND (l.first <> '' OR l.last <> '')), "
													"pair AS ("
													"  SELECT x.id, x.older, x.created_at, 1 AS rank, 'phone_number' AS matched_on FROM ("
													"    SELECT l.id, first_value(l.id) OVER w AS older, first_value(l.created_at) OVER w AS created_at"
													"      FROM lead l WHERE l.phone_number IS NOT NULL"
													"    WINDOW w AS (PARTITION BY l.phone_number ORDER BY l.created_at, l.id)) x WHERE x.older <> x.id"
													"  UNION ALL"
													"  SELECT x.id, x.older, x.created_at, 2, 'email' FROM ("
													"    SELECT l.id, first_value(l.id) OVER w AS older, first_value(l.created_at) OVER w AS created_at"
													"      FROM lead l WHERE l.email IS NOT NULL"
													"    WINDOW w AS (PARTITION BY l.email ORDER BY l.created_at, l.id)) x WHERE x.older <> x.id"
													"  UNION ALL"
													"  SELECT a.id, b.id, b.created_at, 3, 'name' FROM block a JOIN block b ON b.key = a.key"
													"     AND (b.created_at, b.id) < (a.created_at, a.id) WHERE %s), "
													"best AS MATERIALIZED ("
													"  SELECT DISTINCT ON (p.id) p.id, p.older, p.matched_on FROM pair p"
													"   ORDER BY p.id, p.rank, p.created_at, p.older), "
													"root (id, older, matched_on) AS ("
													"  SELECT b.id, b.older, b.matched_on FROM best b"
													"  UNION ALL"
													"  SELECT r.id, b.older, r.matched_on FROM root r JOIN best b ON b.id = r.older) "
													"SELECT r.id, r.older, r.matched_on FROM root r"
													" WHERE NOT EXISTS (SELECT 1 FROM best b WHERE b.id = r.older) ORDER BY r.older, r.id";

/* The condition under which two leads of a block are the same. */
static char *
likeness(void)
{
	LS_QUERY0(query,
		"SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
		" WHERE e.extname = 'pg_trgm'");

	if (ls_query_run(&query, NULL, LS_READ) == 0)
		return pstrdup(EQUAL);
	return psprintf(ALIKE, ls_result_text(0, 1));
}

PG_FUNCTION_INFO_V1(ls_merge_find_duplicates);

/* find_duplicate_leads() */
Datum
ls_merge_find_duplicates(PG_FUNCTION_ARGS)
{
	Oid types[2] = {UUIDOID, INT4OID};
	Datum values[2];
	pg_uuid_t org;
	LsScope scope;
	int rc;

	ls_require_org(&org);
	values[0] = UUIDPGetDatum(&org);
	values[1] = Int32GetDatum(ls_config_int(&org, "merge.similarity"));
	InitMaterializedSRF(fcinfo, 0);
	ls_scope_open(&scope, LS_AS_CALLER);
	rc = SPI_execute_with_args(
		psprintf(duplicates_query, likeness()), 2, types, values, NULL, true, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "could not look for duplicates: %s", SPI_result_code_string(rc));
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
