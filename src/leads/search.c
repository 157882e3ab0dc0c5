/*-------------------------------------------------------------------------
 *
 * search.c
 *	  search_leads(): by name of person or company, with misspellings.
 *
 *	  Trigram conditions are not leakproof, so under row level security they
 *	  could not use the index; hence the function checks the tenant itself and
 *	  runs as the owner.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "core/extension.h"
#include "core/input.h"
#include "core/query.h"
#include "core/tenant.h"
#include "leads/leads.h"

#define MAX_RESULTS 1000

PG_FUNCTION_INFO_V1(ls_leads_search);

/* search_leads(name, max_results) */
Datum
ls_leads_search(PG_FUNCTION_ARGS)
{
	Oid types[3] = {UUIDOID, TEXTOID, INT8OID};
	Datum values[3];
	const char *schema;
	int max_results = PG_ARGISNULL(1) ? 20 : PG_GETARG_INT32(1);
	pg_uuid_t org;
	LsScope scope;
	int rc;

	LS_REQUIRE_ARG(0, "name");
	if (max_results < 1 || max_results > MAX_RESULTS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						   errmsg("max_results must be between 1 and %d", MAX_RESULTS)));
	ls_require_org(&org);
	schema = quote_identifier(ls_require_extension("pg_trgm", "search_leads()"));
	InitMaterializedSRF(fcinfo, 0);
	values[0] = UUIDPGetDatum(&org);
	values[1] = PG_GETARG_DATUM(0);
	values[2] = Int64GetDatum(max_results);

	ls_scope_open(&scope, LS_AS_OWNER);
	rc = SPI_execute_with_args(
		psprintf(
			"SELECT m.id, m.company_name, nullif(concat_ws(' ', m.first_name, m.last_name), ''),"
			"       m.email, m.phone_number, m.similarity"
			"  FROM (SELECT l.*, %s.word_similarity($2, n.name) AS similarity"
			"          FROM lead_system.leads l,"
			"               LATERAL (SELECT coalesce(l.first_name, '') || ' ' ||"
			"                  coalesce(l.last_name, '') || ' ' || coalesce(l.company_name, '')) n(name)"
			"         WHERE l.organization_id = $1 AND l.deleted_at IS NULL AND NOT l.is_spam"
			"           AND $2 OPERATOR(%s.<%%) n.name) m"
			" ORDER BY m.similarity DESC, m.created_at DESC, m.id LIMIT $3",
			schema, schema),
		3, types, values, NULL, true, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "search failed: %s", SPI_result_code_string(rc));
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
