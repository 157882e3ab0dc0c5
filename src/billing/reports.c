/*-------------------------------------------------------------------------
 *
 * reports.c
 *	  Return on costs, recurring revenue.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "lead_system.h"
#include "core/query.h"
#include "core/tenant.h"

PG_FUNCTION_INFO_V1(ls_billing_roi);

/* roi(revenue, cost, unit): one rule for all reports (semantics E6). */
Datum
ls_billing_roi(PG_FUNCTION_ARGS)
{
	char *unit = PG_ARGISNULL(2) ? pstrdup("ratio") : text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool is_percent = strcmp(unit, "percent") == 0;
	Datum zero = NumericGetDatum(int64_to_numeric(0));
	Datum hundred = NumericGetDatum(int64_to_numeric(100));
	Datum result;

	if (!is_percent && strcmp(unit, "ratio") != 0)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized unit \"%s\"", unit),
				errhint("Units are: ratio, percent.")));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) ||
		DatumGetBool(DirectFunctionCall2(numeric_eq, PG_GETARG_DATUM(1), zero)))
		PG_RETURN_NULL();
	result = DirectFunctionCall2(numeric_sub, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	if (is_percent)
		result = DirectFunctionCall2(numeric_mul, result, hundred);
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_div, result, PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(ls_billing_subscription_mrr);

/* subscription_mrr(): what active subscriptions bring in a month (semantics J8). */
Datum
ls_billing_subscription_mrr(PG_FUNCTION_ARGS)
{
	LS_QUERY(query,
		"SELECT s.plan_name, s.currency, count(*), sum(s.amount) FROM lead_system.subscriptions s"
		" WHERE ($1 IS NULL OR s.organization_id = $1) AND s.status = 'active'"
		" GROUP BY s.plan_name, s.currency"
		" ORDER BY array_position(ARRAY['Basic', 'Pro', 'Enterprise'], s.plan_name), s.currency",
		UUIDOID);
	pg_uuid_t org;
	pg_uuid_t contractor;
	bool bound = ls_current_org(&org);
	LsScope scope;
	LsArgs args = {0};

	if (!bound && !ls_caller_bypasses_rls())
		ls_require_org(&org);
	InitMaterializedSRF(fcinfo, 0);
	/* The policy of subscriptions, which the owner reads past. */
	if (ls_current_contractor(&contractor))
		return (Datum) 0;
	ls_arg_uuid(&args, bound ? &org : NULL);
	ls_scope_open(&scope, LS_AS_OWNER);
	(void) ls_query_run(&query, &args, LS_READ);
	ls_result_to_srf(fcinfo);
	ls_scope_close(&scope);
	return (Datum) 0;
}
