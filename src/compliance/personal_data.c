/*-------------------------------------------------------------------------
 *
 * personal_data.c
 *	  Every column that could hold personal data, and what erasing a lead does
 *	  to it.
 *
 *	  The list is complete: test/pgtap/privacy.sql finds a column of type text,
 *	  jsonb, inet or text[] that is not in it.  Whoever adds a column decides
 *	  here what it is.  A column that is not in the list, as one that a user has
 *	  added, is erased.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "lead_system.h"
#include "compliance/privacy.h"

#define OURS "what the organization or the extension says, not the person"
#define STAFF "about the people of the organization, not about leads"
#define BY_LAW "kept by law: the proof that a request not to be called was honoured (semantics D13)"

#define BOOKS "kept by law: the books; they name rows by identifiers alone"
#define PROOF "kept by law: the proof that the person agreed, or took that back"
#define ARCHIVED "the lead is brought back from the archive first, and the row removed"

/* By table. */
static const LsPersonalColumn columns[] = {
	{"access_grants", "role_name", "none", LS_KEEP, NULL, OURS},
	{"access_grants", "level", "none", LS_KEEP, NULL, OURS},
	{"activities", "action_type", "none", LS_KEEP, NULL, OURS},
	{"activities", "old_value", "document", LS_CLEAR, NULL, "values of the lead"},
	{"activities", "new_value", "document", LS_CLEAR, NULL, "values of the lead"},
	{"activities", "description", "free_text", LS_CLEAR, NULL, "notes and reasons"},
	{"activities", "ip_address", "network", LS_CLEAR, NULL, "may be the lead's own, from a form"},
	{"activities", "user_agent", "network", LS_CLEAR, NULL, "may be the lead's own, from a form"},
	{"ad_campaigns", "external_id", "none", LS_KEEP, NULL, OURS},
	{"ad_campaigns", "name", "none", LS_KEEP, NULL, OURS},
	{"ad_campaigns", "campaign_type", "none", LS_KEEP, NULL, OURS},
	{"ad_campaigns", "status", "none", LS_KEEP, NULL, OURS},
	{"analytics_snapshots", "leads_by_source", "none", LS_KEEP, NULL, OURS},
	{"analytics_snapshots", "avg_score_by_source", "none", LS_KEEP, NULL, OURS},
	{"ai_agent_logs", "agent_name", "none", LS_KEEP, NULL, OURS},
	{"ai_agent_logs", "action_type", "none", LS_KEEP, NULL, OURS},
	{"ai_agent_logs", "action_data", "document", LS_REDACT, NULL,
		"what an agent did about the lead"},
	{"ai_agent_logs", "target_type", "none", LS_KEEP, NULL, OURS},
	{"ai_agent_logs", "guard", "none", LS_KEEP, NULL, OURS},
	{"ai_agent_logs", "estimated_impact", "document", LS_CLEAR, NULL,
		"what an agent expects of the lead"},
	{"ai_agent_logs", "result", "none", LS_KEEP, NULL, OURS},
	{"ai_agent_logs", "result_message", "free_text", LS_CLEAR, NULL, "may tell of the lead"},
	{"area_code_timezones", "area_code", "none", LS_KEEP, NULL, OURS},
	{"area_code_timezones", "country", "none", LS_KEEP, NULL, OURS},
	{"area_code_timezones", "states", "none", LS_KEEP, NULL, OURS},
	{"area_code_timezones", "timezone", "none", LS_KEEP, NULL, OURS},
	{"ban_appeals", "appeal_reason", "staff", LS_KEEP, NULL, STAFF},
	{"ban_appeals", "status", "none", LS_KEEP, NULL, OURS},
	{"bids", "status", "none", LS_KEEP, NULL, OURS},
	{"bids", "declined_reason", "free_text", LS_CLEAR, NULL, "may tell of the lead"},
	{"budget_accounts", "currency", "none", LS_KEEP, NULL, OURS},
	{"budget_holds", "status", "none", LS_KEEP, NULL, OURS},
	{"budget_transactions", "transaction_type", "none", LS_KEEP, NULL, OURS},
	{"budget_transactions", "description", "none", LS_KEEP, NULL, BOOKS},
	{"budget_transactions", "reference", "none", LS_KEEP, NULL, BOOKS},
	{"budget_transactions", "idempotency_key", "none", LS_KEEP, NULL, BOOKS},
	{"call_logs", "caller_phone", "phone", LS_CLEAR, NULL, "the lead's number"},
	{"call_logs", "called_phone", "phone", LS_CLEAR, NULL, "the lead's number"},
	{"call_logs", "direction", "none", LS_KEEP, NULL, OURS},
	{"call_logs", "status", "none", LS_KEEP, NULL, OURS},
	{"call_logs", "meaning", "none", LS_KEEP, NULL, OURS},
	{"call_logs", "outcome", "none", LS_KEEP, NULL, OURS},
	{"call_logs", "provider", "none", LS_KEEP, NULL, OURS},
	{"call_logs", "recording_url", "identifier", LS_CLEAR, NULL, "leads to the recording"},
	{"call_logs", "provider_call_id", "identifier", LS_CLEAR, NULL, "leads to the recording"},
	{"call_logs", "notes", "free_text", LS_CLEAR, NULL, "what was said"},
	{"calling_rules", "country", "none", LS_KEEP, NULL, OURS},
	{"calling_rules", "state", "none", LS_KEEP, NULL, OURS},
	{"calling_rules", "channel", "none", LS_KEEP, NULL, OURS},
	{"calling_rules", "source", "none", LS_KEEP, NULL, OURS},
	{"campaign_lead_lists", "filter_criteria", "none", LS_KEEP, NULL, OURS},
	{"campaign_leads", "status", "none", LS_KEEP, NULL, OURS},
	{"campaign_leads", "outcome", "none", LS_KEEP, NULL, OURS},
	{"campaign_leads", "notes", "free_text", LS_CLEAR, NULL, "what was said"},
	{"campaign_leads", "blocked_rule", "none", LS_KEEP, NULL, OURS},
	{"campaign_suppressions", "phone_number", "phone", LS_KEEP, NULL, BY_LAW},
	{"campaign_suppressions", "reason", "free_text", LS_KEEP, NULL, BY_LAW},
	{"campaigns", "name", "none", LS_KEEP, NULL, OURS},
	{"campaigns", "description", "none", LS_KEEP, NULL, OURS},
	{"campaigns", "status", "none", LS_KEEP, NULL, OURS},
	{"campaigns", "timezone", "none", LS_KEEP, NULL, OURS},
	{"campaigns", "metadata", "none", LS_KEEP, NULL, OURS},
	{"categories", "slug", "none", LS_KEEP, NULL, OURS},
	{"categories", "display_name", "none", LS_KEEP, NULL, OURS},
	{"categories", "description", "none", LS_KEEP, NULL, OURS},
	{"contact_attempts", "channel", "none", LS_KEEP, NULL, OURS},
	{"contact_attempts", "rule", "none", LS_KEEP, NULL, OURS},
	{"contact_attempts", "phone_number", "phone", LS_CLEAR, NULL,
		"the hash in erasures leads from the number to the attempts"},
	{"contact_attempts", "email", "email", LS_CLEAR, NULL, "the lead's address"},
	{"contact_attempts", "detail", "free_text", LS_CLEAR, NULL, "may tell of the lead"},
	{"contact_consents", "channel", "none", LS_KEEP, NULL, OURS},
	{"contact_consents", "action", "none", LS_KEEP, NULL, OURS},
	{"contact_consents", "phone_number", "phone", LS_KEEP, NULL, PROOF},
	{"contact_consents", "email", "email", LS_KEEP, NULL, PROOF},
	{"contact_consents", "evidence", "document", LS_REPLACE,
		"CASE action WHEN 'granted' THEN '{\"erased\": true}'::pg_catalog.jsonb"
		" ELSE '{}'::pg_catalog.jsonb END",
		"whatever was taken down; that there was evidence stays"},
	{"conversions", "conversion_type", "none", LS_KEEP, NULL, OURS},
	{"conversions", "currency", "none", LS_KEEP, NULL, OURS},
	{"dnc_audit_log", "action", "none", LS_KEEP, NULL, OURS},
	{"dnc_audit_log", "source", "none", LS_KEEP, NULL, OURS},
	{"dnc_audit_log", "phone_number", "phone", LS_KEEP, NULL, BY_LAW},
	{"dnc_audit_log", "reason", "free_text", LS_KEEP, NULL, BY_LAW},
	{"dnc_list", "phone_number", "phone", LS_KEEP, NULL, BY_LAW},
	{"dnc_list", "reason", "none", LS_KEEP, NULL, OURS},
	{"dnc_list", "source", "none", LS_KEEP, NULL, OURS},
	{"dnc_list", "opt_out_phrase", "free_text", LS_KEEP, NULL, BY_LAW},
	{"erasures", "reason", "none", LS_KEEP, NULL, OURS},
	{"keywords", "keyword_text", "none", LS_KEEP, NULL, OURS},
	{"keywords", "match_type", "none", LS_KEEP, NULL, OURS},
	{"keywords", "status", "none", LS_KEEP, NULL, OURS},
	{"lead_assignments", "strategy", "none", LS_KEEP, NULL, OURS},
	{"lead_assignments", "reason", "free_text", LS_CLEAR, NULL, "reasons"},
	{"lead_assignments", "metadata", "none", LS_KEEP, NULL, OURS},
	{"integrations", "provider", "none", LS_KEEP, NULL, OURS},
	{"integrations", "external_id", "none", LS_KEEP, NULL, OURS},
	{"lead_audit_log", "field_name", "none", LS_KEEP, NULL, OURS},
	{"lead_audit_log", "old_value", "document", LS_REPLACE,
		"CASE WHEN field_name = ANY ($3) THEN %s END", "values of fields that are kept stay"},
	{"lead_audit_log", "new_value", "document", LS_REPLACE,
		"CASE WHEN field_name = ANY ($3) THEN %s END", "values of fields that are kept stay"},
	{"lead_audit_log", "ip_address", "network", LS_CLEAR, NULL,
		"may be the lead's own, from a form"},
	{"lead_audit_log", "user_agent", "network", LS_CLEAR, NULL,
		"may be the lead's own, from a form"},
	{"lead_audit_log", "change_reason", "free_text", LS_CLEAR, NULL, "reasons"},
	{"lead_import_errors", "raw_text", "document", LS_REDACT, NULL,
		"lines in which the name, e-mail address or number occurs"},
	{"lead_import_errors", "reason", "document", LS_REDACT, NULL,
		"lines in which the name, e-mail address or number occurs"},
	{"lead_import_errors", "column_name", "none", LS_KEEP, NULL, OURS},
	{"lead_import_errors", "severity", "none", LS_KEEP, NULL, OURS},
	{"lead_import_errors", "sqlstate", "none", LS_KEEP, NULL, OURS},
	{"lead_imports", "source", "none", LS_KEEP, NULL, OURS},
	{"lead_imports", "options", "none", LS_KEEP, NULL, OURS},
	{"lead_imports", "status", "none", LS_KEEP, NULL, OURS},
	{"lead_intent_signals", "kind", "none", LS_KEEP, NULL, OURS},
	{"lead_credits", "milestone", "none", LS_KEEP, NULL, OURS},
	{"lead_list_members", "notes", "free_text", LS_CLEAR, NULL, "notes"},
	{"lead_listings", "rank_by", "none", LS_KEEP, NULL, OURS},
	{"lead_listings", "pricing", "none", LS_KEEP, NULL, OURS},
	{"lead_listings", "charge_on", "none", LS_KEEP, NULL, OURS},
	{"lead_lists", "name", "none", LS_KEEP, NULL, OURS},
	{"lead_lists", "description", "none", LS_KEEP, NULL, OURS},
	{"lead_lists", "list_type", "none", LS_KEEP, NULL, OURS},
	{"lead_lists", "tags", "none", LS_KEEP, NULL, OURS},
	{"lead_lists", "metadata", "none", LS_KEEP, NULL, OURS},
	{"lead_merge_rows", "table_name", "none", LS_KEEP, NULL, OURS},
	{"lead_merge_rows", "row_before", "document", LS_REDACT, NULL,
		"rows of the lead, as they were"},
	{"lead_merge_rows", "row_after", "document", LS_REDACT, NULL, "rows of the lead, as they were"},
	{"lead_merge_rows", "row_restored", "document", LS_REDACT, NULL,
		"rows of the lead, as they were"},
	{"lead_score_history", "model", "none", LS_KEEP, NULL, OURS},
	{"lead_score_history", "breakdown", "none", LS_KEEP, NULL,
		"points per rule, kept for statistics"},
	{"lead_score_history", "reason", "free_text", LS_CLEAR, NULL, "reasons"},
	{"lead_sequence_enrollments", "status", "none", LS_KEEP, NULL, OURS},
	{"lead_sequence_enrollments", "step_state", "none", LS_KEEP, NULL, OURS},
	{"lead_sequence_enrollments", "blocked_rule", "none", LS_KEEP, NULL, OURS},
	{"lead_sequence_enrollments", "claimed_channel", "none", LS_KEEP, NULL, OURS},
	{"lead_sequence_enrollments", "executed_steps", "none", LS_KEEP, NULL, OURS},
	{"lead_sequence_enrollments", "pause_reason", "free_text", LS_CLEAR, NULL, "reasons"},
	{"lead_sequence_enrollments", "cancel_reason", "free_text", LS_CLEAR, NULL, "reasons"},
	{"lead_sequence_enrollments", "last_error", "free_text", LS_CLEAR, NULL,
		"may hold the number or the address"},
	{"lead_source_costs", "source", "none", LS_KEEP, NULL, OURS},
	{"lead_source_costs", "sub_source", "none", LS_KEEP, NULL, OURS},
	{"lead_source_costs", "currency", "none", LS_KEEP, NULL, OURS},
	{"lead_status_history", "old_status", "none", LS_KEEP, NULL, OURS},
	{"lead_status_history", "new_status", "none", LS_KEEP, NULL, OURS},
	{"lead_status_history", "old_stage", "none", LS_KEEP, NULL, OURS},
	{"lead_status_history", "new_stage", "none", LS_KEEP, NULL, OURS},
	{"lead_status_history", "trigger_type", "none", LS_KEEP, NULL, OURS},
	{"lead_status_history", "reason", "free_text", LS_CLEAR, NULL, "reasons"},
	{"leads", "first_name", "name", LS_REPLACE, "'Deleted'", "a name for the screen"},
	{"leads", "last_name", "name", LS_REPLACE, "'User'", "a name for the screen"},
	{"leads", "company_name", "name", LS_CLEAR, NULL, "often the person's own name"},
	{"leads", "email", "email", LS_REPLACE, "'deleted_' || id || '@deleted.local'",
		"unique and without meaning (semantics A21)"},
	{"leads", "phone_number", "phone", LS_CLEAR, NULL, "a keyed hash stays in erasures"},
	{"leads", "address", "address", LS_CLEAR, NULL, "where the person lives"},
	{"leads", "city", "address", LS_CLEAR, NULL, "where the person lives"},
	{"leads", "zip_code", "address", LS_CLEAR, NULL, "where the person lives"},
	{"leads", "state", "none", LS_KEEP, NULL, "coarse, kept for statistics"},
	{"leads", "country", "none", LS_KEEP, NULL, "coarse, kept for statistics"},
	{"leads", "timezone", "none", LS_KEEP, NULL, "coarse, kept for statistics"},
	{"leads", "company_size", "none", LS_KEEP, NULL, "choices of a form, kept for statistics"},
	{"leads", "industry", "none", LS_KEEP, NULL, "choices of a form, kept for statistics"},
	{"leads", "inquiry_type", "none", LS_KEEP, NULL, "choices of a form, kept for statistics"},
	{"leads", "budget_timeline", "none", LS_KEEP, NULL, "choices of a form, kept for statistics"},
	{"leads", "service_type", "none", LS_KEEP, NULL, "choices of a form, kept for statistics"},
	{"leads", "urgency", "none", LS_KEEP, NULL, "choices of a form, kept for statistics"},
	{"leads", "lost_reason", "free_text", LS_REDACT, NULL, "a reason stays given"},
	{"leads", "current_solution", "free_text", LS_CLEAR, NULL,
		"what was written by or about the person"},
	{"leads", "message", "free_text", LS_CLEAR, NULL, "what was written by or about the person"},
	{"leads", "title", "free_text", LS_CLEAR, NULL, "what was written by or about the person"},
	{"leads", "description", "free_text", LS_CLEAR, NULL,
		"what was written by or about the person"},
	{"leads", "notes", "free_text", LS_CLEAR, NULL, "what was written by or about the person"},
	{"leads", "calling_blocked_reason", "free_text", LS_REDACT, NULL, "a block stays a block"},
	{"leads", "linkedin_url", "identifier", LS_CLEAR, NULL, "leads to the person"},
	{"leads", "company_website", "identifier", LS_CLEAR, NULL, "leads to the person"},
	{"leads", "company_revenue", "free_text", LS_CLEAR, NULL, "about the person's company"},
	{"leads", "source_id", "identifier", LS_CLEAR, NULL, "the person's key in another system"},
	{"leads", "source_metadata", "document", LS_REDACT, NULL, "whatever a source sent along"},
	{"leads", "external_ids", "document", LS_REDACT, NULL, "whatever a source sent along"},
	{"leads", "metadata", "document", LS_REDACT, NULL, "whatever a source sent along"},
	{"leads", "tags", "free_text", LS_REDACT, NULL, "labels"},
	{"leads", "enrichment_status", "none", LS_KEEP, NULL, OURS},
	{"leads", "status", "none", LS_KEEP, NULL, OURS},
	{"leads", "stage", "none", LS_KEEP, NULL, OURS},
	{"leads", "pipeline_stage", "none", LS_KEEP, NULL, OURS},
	{"leads", "score_breakdown", "none", LS_KEEP, NULL, OURS},
	{"leads", "temperature", "none", LS_KEEP, NULL, OURS},
	{"leads", "scoring_model", "none", LS_KEEP, NULL, OURS},
	{"leads", "source", "none", LS_KEEP, NULL, "where leads come from, kept for statistics"},
	{"leads", "sub_source", "none", LS_KEEP, NULL, "where leads come from, kept for statistics"},
	{"leads", "utm_source", "none", LS_KEEP, NULL, "where leads come from, kept for statistics"},
	{"leads", "utm_medium", "none", LS_KEEP, NULL, "where leads come from, kept for statistics"},
	{"leads", "utm_campaign", "none", LS_KEEP, NULL, "where leads come from, kept for statistics"},
	{"leads_archive", "first_name", "name", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "last_name", "name", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "company_name", "name", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "email", "email", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "phone_number", "phone", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "source_id", "identifier", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "lead", "document", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "children", "document", LS_CLEAR, NULL, ARCHIVED},
	{"leads_archive", "source", "none", LS_KEEP, NULL, OURS},
	{"leads_archive", "status", "none", LS_KEEP, NULL, OURS},
	{"maintenance_runs", "job", "none", LS_KEEP, NULL, OURS},
	{"maintenance_runs", "state", "none", LS_KEEP, NULL, OURS},
	{"maintenance_runs", "sqlstate", "none", LS_KEEP, NULL, OURS},
	{"maintenance_runs", "error", "none", LS_KEEP, NULL,
		"the server's words on a job that failed, kept for some days"},
	{"messages", "message_text", "free_text", LS_REDACT, NULL, "what was written"},
	{"national_dnc_loads", "area_code", "none", LS_KEEP, NULL, OURS},
	{"national_dnc_registry", "area_code", "none", LS_KEEP, NULL, OURS},
	{"national_dnc_registry", "phone_number", "phone", LS_KEEP, NULL, BY_LAW},
	{"nurture_daily_counts", "channel", "none", LS_KEEP, NULL, OURS},
	{"nurture_sequences", "name", "none", LS_KEEP, NULL, OURS},
	{"nurture_sequences", "description", "none", LS_KEEP, NULL, OURS},
	{"nurture_sequences", "steps", "none", LS_KEEP, NULL, OURS},
	{"nurture_sequences", "trigger_conditions", "none", LS_KEEP, NULL, OURS},
	{"notification_templates", "name", "none", LS_KEEP, NULL, OURS},
	{"notification_templates", "channel", "none", LS_KEEP, NULL, OURS},
	{"notification_templates", "subject", "none", LS_KEEP, NULL, OURS},
	{"notification_templates", "body", "none", LS_KEEP, NULL, OURS},
	{"notifications", "notification_type", "none", LS_KEEP, NULL, OURS},
	{"notifications", "template_name", "none", LS_KEEP, NULL, OURS},
	{"notifications", "payload", "document", LS_CLEAR, NULL, "values of the lead"},
	{"notifications", "recipient", "identifier", LS_CLEAR, NULL, "the lead's number or address"},
	{"notifications", "subject", "free_text", LS_REDACT, NULL, "what was written"},
	{"notifications", "body", "free_text", LS_REDACT, NULL, "what was written"},
	{"notifications", "status", "none", LS_KEEP, NULL, OURS},
	{"notifications", "error_message", "free_text", LS_CLEAR, NULL, "may hold the address"},
	{"notifications", "blocked_rule", "none", LS_KEEP, NULL, OURS},
	{"notifications", "dedupe_key", "identifier", LS_CLEAR, NULL, "whatever a program chose"},
	{"opt_out_phrases", "phrase", "none", LS_KEEP, NULL, OURS},
	{"opt_out_phrases", "kind", "none", LS_KEEP, NULL, OURS},
	{"opt_out_phrases", "language", "none", LS_KEEP, NULL, OURS},
	{"opt_out_phrases", "channel", "none", LS_KEEP, NULL, OURS},
	{"organizations", "name", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "owner_name", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "phone", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "address", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "city", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "state", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "zip_code", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "license_number", "staff", LS_KEEP, NULL, STAFF},
	{"organizations", "default_pipeline", "none", LS_KEEP, NULL, OURS},
	{"organizations", "default_region", "none", LS_KEEP, NULL, OURS},
	{"organizations", "timezone", "none", LS_KEEP, NULL, OURS},
	{"organizations", "country", "none", LS_KEEP, NULL, OURS},
	{"organizations", "currency", "none", LS_KEEP, NULL, OURS},
	{"organizations", "service_types", "none", LS_KEEP, NULL, OURS},
	{"organizations", "service_area", "none", LS_KEEP, NULL, OURS},
	{"organizations", "status", "none", LS_KEEP, NULL, OURS},
	{"pipeline_statuses", "status", "none", LS_KEEP, NULL, OURS},
	{"pipeline_statuses", "stage", "none", LS_KEEP, NULL, OURS},
	{"pipeline_statuses", "stamp_column", "none", LS_KEEP, NULL, OURS},
	{"pipeline_statuses", "pipeline_stage", "none", LS_KEEP, NULL, OURS},
	{"pipeline_transitions", "from_status", "none", LS_KEEP, NULL, OURS},
	{"pipeline_transitions", "to_status", "none", LS_KEEP, NULL, OURS},
	{"pipelines", "name", "none", LS_KEEP, NULL, OURS},
	{"pipelines", "description", "none", LS_KEEP, NULL, OURS},
	{"scoring_models", "name", "none", LS_KEEP, NULL, OURS},
	{"scoring_models", "description", "none", LS_KEEP, NULL, OURS},
	{"scoring_models", "components", "none", LS_KEEP, NULL, OURS},
	{"scoring_models", "thresholds", "none", LS_KEEP, NULL, OURS},
	{"scoring_models", "decay", "none", LS_KEEP, NULL, OURS},
	{"scoring_rules", "component", "none", LS_KEEP, NULL, OURS},
	{"scoring_rules", "attribute", "none", LS_KEEP, NULL, OURS},
	{"scoring_rules", "operator", "none", LS_KEEP, NULL, OURS},
	{"scoring_rules", "operand", "none", LS_KEEP, NULL, OURS},
	{"segments", "name", "none", LS_KEEP, NULL, OURS},
	{"segments", "description", "none", LS_KEEP, NULL, OURS},
	{"segments", "filter", "none", LS_KEEP, NULL, OURS},
	{"sms_logs", "direction", "none", LS_KEEP, NULL, OURS},
	{"sms_logs", "status", "none", LS_KEEP, NULL, OURS},
	{"sms_logs", "meaning", "none", LS_KEEP, NULL, OURS},
	{"sms_logs", "provider", "none", LS_KEEP, NULL, OURS},
	{"sms_logs", "from_phone", "phone", LS_CLEAR, NULL, "the lead's number"},
	{"sms_logs", "to_phone", "phone", LS_CLEAR, NULL, "the lead's number"},
	{"sms_logs", "message_text", "free_text", LS_REDACT, NULL, "what was written"},
	{"sms_logs", "error_message", "free_text", LS_CLEAR, NULL, "may hold the number"},
	{"sms_logs", "provider_message_id", "identifier", LS_CLEAR, NULL, "leads to the message"},
	{"state_timezones", "country", "none", LS_KEEP, NULL, OURS},
	{"state_timezones", "state", "none", LS_KEEP, NULL, OURS},
	{"state_timezones", "state_name", "none", LS_KEEP, NULL, OURS},
	{"state_timezones", "zip_prefix", "none", LS_KEEP, NULL, OURS},
	{"state_timezones", "timezone", "none", LS_KEEP, NULL, OURS},
	{"strike_logs", "strike_reason", "none", LS_KEEP, NULL, OURS},
	{"subscriptions", "stripe_subscription_id", "none", LS_KEEP, NULL, OURS},
	{"subscriptions", "stripe_price_id", "none", LS_KEEP, NULL, OURS},
	{"subscriptions", "plan_name", "none", LS_KEEP, NULL, OURS},
	{"subscriptions", "currency", "none", LS_KEEP, NULL, OURS},
	{"subscriptions", "status", "none", LS_KEEP, NULL, OURS},
	{"system_config", "key", "none", LS_KEEP, NULL, OURS},
	{"system_config", "value", "none", LS_KEEP, NULL, OURS},
	{"territories", "kind", "none", LS_KEEP, NULL, OURS},
	{"territories", "code", "none", LS_KEEP, NULL, OURS},
	{"user_credentials", "password_hash", "staff", LS_KEEP, NULL, STAFF},
	{"users", "full_name", "staff", LS_KEEP, NULL, STAFF},
	{"users", "email", "staff", LS_KEEP, NULL, STAFF},
	{"users", "phone_number", "staff", LS_KEEP, NULL, STAFF},
	{"users", "slack_user_id", "staff", LS_KEEP, NULL, STAFF},
	{"users", "role", "none", LS_KEEP, NULL, OURS},
	{"users", "skills", "none", LS_KEEP, NULL, OURS},
	{"users", "service_area_zip_codes", "none", LS_KEEP, NULL, OURS},
	{"users", "subscription_tier", "none", LS_KEEP, NULL, OURS},
	{"waiting_leads", "strategy", "none", LS_KEEP, NULL, OURS},
	{"workflow_runs", "run_key", "identifier", LS_REPLACE, "id::pg_catalog.text",
		"whatever a program chose"},
	{"workflow_runs", "status", "none", LS_KEEP, NULL, OURS},
	{"workflow_runs", "last_error", "free_text", LS_CLEAR, NULL,
		"may hold the number or the address"},
	{"workflows", "workflow_name", "none", LS_KEEP, NULL, OURS},
	{"workflows", "workflow_type", "none", LS_KEEP, NULL, OURS},
	{"workflows", "ghl_workflow_id", "none", LS_KEEP, NULL, OURS},
	{"workflows", "config", "none", LS_KEEP, NULL, OURS},
	{"workflows", "status", "none", LS_KEEP, NULL, OURS},
};

/* What the list says of a column; NULL when it is not in it. */
const LsPersonalColumn *
ls_personal_column(const char *table, const char *column)
{
	int i;

	for (i = 0; i < lengthof(columns); i++)
	{
		if (strcmp(columns[i].table, table) == 0 && strcmp(columns[i].column, column) == 0)
			return &columns[i];
	}
	return NULL;
}

/*
 * The condition that one of a table's columns for phone numbers has the value of
 * a parameter; NULL when there is no such column.
 */
char *
ls_personal_number_is(const char *table, const char *parameter)
{
	StringInfoData sql;
	int i;

	initStringInfo(&sql);
	for (i = 0; i < lengthof(columns); i++)
	{
		if (strcmp(columns[i].table, table) == 0 && strcmp(columns[i].kind, "phone") == 0)
			appendStringInfo(&sql, "%s%s = %s", sql.len > 0 ? " OR " : "",
				quote_identifier(columns[i].column), parameter);
	}
	return sql.len > 0 ? sql.data : NULL;
}

/* The columns of a table that are kept, as a text[]. */
Datum
ls_personal_kept(const char *table)
{
	Datum names[lengthof(columns)];
	int n = 0;
	int i;

	for (i = 0; i < lengthof(columns); i++)
	{
		if (strcmp(columns[i].table, table) == 0 && columns[i].erasure == LS_KEEP)
			names[n++] = CStringGetTextDatum(columns[i].column);
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(ls_compliance_personal_data);

/* personal_data_columns() */
Datum
ls_compliance_personal_data(PG_FUNCTION_ARGS)
{
	static const char *const erasures[] = {"keep", "clear", "redact", "replace"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < lengthof(columns); i++)
	{
		Datum values[5] = {CStringGetTextDatum(columns[i].table),
			CStringGetTextDatum(columns[i].column), CStringGetTextDatum(columns[i].kind),
			CStringGetTextDatum(erasures[columns[i].erasure]),
			CStringGetTextDatum(columns[i].note)};
		bool nulls[5] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
