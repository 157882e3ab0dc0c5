-- scoring: models as data, their inputs, and the history of scores.

CREATE TABLE lead_system.scoring_models (
    organization_id uuid,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    name            text        NOT NULL,
    description     text,
    components      jsonb       NOT NULL,
    thresholds      jsonb       NOT NULL,
    decay           jsonb,
    is_active       boolean     NOT NULL DEFAULT true,
    is_shadow       boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT scoring_models_pkey PRIMARY KEY (id),
    CONSTRAINT scoring_models_id_organization_id_key UNIQUE (id, organization_id),
    CONSTRAINT scoring_models_organization_id_name_key UNIQUE NULLS NOT DISTINCT (organization_id, name),
    CONSTRAINT scoring_models_name_check CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$')
);
COMMENT ON TABLE lead_system.scoring_models IS
    'Ways to score a lead. Rows without organization are built in; an organization''s own model of the same name takes precedence.';
COMMENT ON COLUMN lead_system.scoring_models.components IS 'Array of objects: name, and optionally cap, floor (limits of the sum of points), weighted (scaled by lead_scoring_weights), optional (left out of the breakdown when 0), decay (switched off by scoring.decay).';
COMMENT ON COLUMN lead_system.scoring_models.thresholds IS 'Lowest score of each temperature; cold is what is below all others.';
COMMENT ON COLUMN lead_system.scoring_models.decay IS 'every_days, and factors by component: what remains of its points per period of inactivity.';
COMMENT ON COLUMN lead_system.scoring_models.is_shadow IS 'Only used when asked for by name, to compare; never stored on leads.';

CREATE TABLE lead_system.scoring_rules (
    organization_id uuid,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    model_id        uuid        NOT NULL,
    component       text        NOT NULL,
    attribute       text        NOT NULL,
    operator        text        NOT NULL,
    operand         jsonb,
    points          integer     NOT NULL,
    cap             integer,
    position        integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    updated_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT scoring_rules_pkey PRIMARY KEY (id),
    CONSTRAINT scoring_rules_model_id_fkey FOREIGN KEY (model_id)
        REFERENCES lead_system.scoring_models (id) ON DELETE CASCADE,
    CONSTRAINT scoring_rules_model_id_organization_id_fkey FOREIGN KEY (model_id, organization_id)
        REFERENCES lead_system.scoring_models (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT scoring_rules_points_check CHECK (points BETWEEN -1000 AND 1000),
    CONSTRAINT scoring_rules_cap_check CHECK (cap BETWEEN -1000 AND 1000)
);
COMMENT ON TABLE lead_system.scoring_rules IS
    'Points for what is known of a lead. Rules of a component that look at the same attribute are alternatives: the first that matches, by position, counts.';
COMMENT ON COLUMN lead_system.scoring_rules.cap IS 'With operator each: limit of points times value.';
CREATE INDEX scoring_rules_model_id_organization_id_idx ON lead_system.scoring_rules (model_id, organization_id);

ALTER TABLE lead_system.scoring_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.scoring_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.scoring_models FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.scoring_models
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.scoring_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.scoring_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_and_built_in_read ON lead_system.scoring_rules FOR SELECT
    USING (organization_id IS NULL OR organization_id = (SELECT lead_system.current_org_id()));
CREATE POLICY tenant_write ON lead_system.scoring_rules
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TABLE lead_system.scoring_runs (
    organization_id   uuid        NOT NULL,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    leads_seen        bigint      NOT NULL DEFAULT 0,
    leads_changed     bigint      NOT NULL DEFAULT 0,
    cursor_created_at timestamptz NOT NULL DEFAULT '-infinity',
    cursor_id         uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    CONSTRAINT scoring_runs_pkey PRIMARY KEY (organization_id),
    CONSTRAINT scoring_runs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES lead_system.organizations (id) ON DELETE CASCADE
);
COMMENT ON TABLE lead_system.scoring_runs IS
    'How far recalculate_lead_scores() has come: updated with every batch that it commits, and where it resumes.';

ALTER TABLE lead_system.scoring_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.scoring_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.scoring_runs
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER scoring_models_check BEFORE INSERT OR UPDATE ON lead_system.scoring_models
    FOR EACH ROW EXECUTE FUNCTION lead_system.scoring_models_check();
CREATE TRIGGER scoring_models_touch_updated_at BEFORE UPDATE ON lead_system.scoring_models
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER scoring_models_after_insert AFTER INSERT ON lead_system.scoring_models
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_models_after_update AFTER UPDATE ON lead_system.scoring_models
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_models_after_delete AFTER DELETE ON lead_system.scoring_models
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_models_after_truncate AFTER TRUNCATE ON lead_system.scoring_models
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_rules_a_same_owner BEFORE INSERT OR UPDATE ON lead_system.scoring_rules
    FOR EACH ROW EXECUTE FUNCTION lead_system.same_owner('scoring_models', 'model_id');
CREATE TRIGGER scoring_rules_check BEFORE INSERT OR UPDATE ON lead_system.scoring_rules
    FOR EACH ROW EXECUTE FUNCTION lead_system.scoring_rules_check();
CREATE TRIGGER scoring_rules_touch_updated_at BEFORE UPDATE ON lead_system.scoring_rules
    FOR EACH ROW EXECUTE FUNCTION lead_system.touch_updated_at();
CREATE TRIGGER scoring_rules_after_insert AFTER INSERT ON lead_system.scoring_rules
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_rules_after_update AFTER UPDATE ON lead_system.scoring_rules
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_rules_after_delete AFTER DELETE ON lead_system.scoring_rules
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER scoring_rules_after_truncate AFTER TRUNCATE ON lead_system.scoring_rules
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER system_config_scoring_after_insert AFTER INSERT ON lead_system.system_config
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER system_config_scoring_after_update AFTER UPDATE ON lead_system.system_config
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER system_config_scoring_after_delete AFTER DELETE ON lead_system.system_config
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();
CREATE TRIGGER system_config_scoring_after_truncate AFTER TRUNCATE ON lead_system.system_config
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_changed();

-- Built-in models: b2b is semantics A, banti semantics B.
INSERT INTO lead_system.scoring_models (organization_id, id, name, description, components, thresholds, decay) VALUES
    (NULL, '00000000-0000-7000-8000-000000000011', 'b2b', 'What the form says, plus engagement, less inactivity',
     '[{"name": "company_size", "cap": 30}, {"name": "industry", "cap": 20}, {"name": "inquiry_type", "cap": 30},
       {"name": "budget_timeline", "cap": 20}, {"name": "email_validation", "cap": 5},
       {"name": "engagement", "optional": true}, {"name": "qualification_bonus", "optional": true},
       {"name": "decay", "optional": true, "decay": true}]',
     '{"hot": 80, "warm": 50}', NULL),
    (NULL, '00000000-0000-7000-8000-000000000012', 'banti', 'Interest, authority, budget, need, timing; engagement; intent; demographics',
     '[{"name": "qualification", "cap": 40, "weighted": true}, {"name": "engagement", "cap": 30, "weighted": true},
       {"name": "intent", "cap": 20, "floor": 0, "weighted": true}, {"name": "demographic", "cap": 10, "weighted": true}]',
     '{"hot": 80, "warm": 60, "cool": 40}',
     '{"every_days": 30, "factors": {"engagement": 0.80, "intent": 0.50}}')
ON CONFLICT DO NOTHING;

INSERT INTO lead_system.scoring_rules (organization_id, id, model_id, component, attribute, operator, operand, points, cap, position)
SELECT NULL::uuid, ('00000000-0000-7000-8001-' || lpad(r.position::text, 12, '0'))::uuid,
       CASE WHEN r.position < 1000 THEN '00000000-0000-7000-8000-000000000011'::uuid
            ELSE '00000000-0000-7000-8000-000000000012'::uuid END,
       r.component, r.attribute, r.operator, r.operand::jsonb, r.points, r.cap, r.position
  FROM (VALUES
    (101, 'company_size', 'company_size', 'eq', '"1-10"', 5, NULL::integer),
    (102, 'company_size', 'company_size', 'eq', '"11-50"', 10, NULL),
    (103, 'company_size', 'company_size', 'eq', '"51-200"', 20, NULL),
    (104, 'company_size', 'company_size', 'eq', '"201-1000"', 30, NULL),
    (105, 'company_size', 'company_size', 'eq', '"1000+"', 25, NULL),
    (201, 'industry', 'industry', 'eq', '"Software/SaaS"', 20, NULL),
    (202, 'industry', 'industry', 'eq', '"Marketing/Advertising"', 18, NULL),
    (203, 'industry', 'industry', 'eq', '"Financial Services"', 18, NULL),
    (204, 'industry', 'industry', 'eq', '"Healthcare"', 15, NULL),
    (205, 'industry', 'industry', 'eq', '"Professional Services"', 12, NULL),
    (206, 'industry', 'industry', 'eq', '"Manufacturing"', 10, NULL),
    (207, 'industry', 'industry', 'eq', '"Retail/E-commerce"', 5, NULL),
    (208, 'industry', 'industry', 'eq', '"Education"', 5, NULL),
    (209, 'industry', 'industry', 'eq', '"Non-Profit"', 3, NULL),
    (210, 'industry', 'industry', 'is_set', NULL, 8, NULL),
    (301, 'inquiry_type', 'inquiry_type', 'eq', '"Demo Request"', 30, NULL),
    (302, 'inquiry_type', 'inquiry_type', 'eq', '"Pricing Information"', 25, NULL),
    (303, 'inquiry_type', 'inquiry_type', 'eq', '"Contact Sales"', 25, NULL),
    (304, 'inquiry_type', 'inquiry_type', 'eq', '"General Question"', 15, NULL),
    (305, 'inquiry_type', 'inquiry_type', 'eq', '"Partnership Inquiry"', 10, NULL),
    (306, 'inquiry_type', 'inquiry_type', 'eq', '"Content Download"', 5, NULL),
    (401, 'budget_timeline', 'budget_timeline', 'eq', '"Immediate"', 20, NULL),
    (402, 'budget_timeline', 'budget_timeline', 'eq', '"1-3 months"', 15, NULL),
    (403, 'budget_timeline', 'budget_timeline', 'eq', '"3-6 months"', 10, NULL),
    (404, 'budget_timeline', 'budget_timeline', 'eq', '"6-12 months"', 5, NULL),
    (405, 'budget_timeline', 'budget_timeline', 'eq', '"Just Researching"', 0, NULL),
    (501, 'email_validation', 'email_domain', 'in', '["gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "aol.com"]', 0, NULL),
    (502, 'email_validation', 'email_domain', 'under', '"edu"', 2, NULL),
    (503, 'email_validation', 'email_domain', 'is_set', NULL, 5, NULL),
    (601, 'engagement', 'email_reply_count', 'gte', '1', 5, NULL),
    (602, 'engagement', 'pricing_page_visits', 'gte', '3', 10, NULL),
    (603, 'engagement', 'demo_video_watched', 'eq', 'true', 15, NULL),
    (701, 'qualification_bonus', 'qualification_bonus_applied', 'eq', 'true', 10, NULL),
    (801, 'decay', 'weeks_inactive', 'each', NULL, -5, -30),
    (1101, 'qualification', 'banti_total', 'gte', '70', 40, NULL),
    (1102, 'qualification', 'banti_total', 'gte', '50', 25, NULL),
    (1103, 'qualification', 'banti_total', 'gte', '30', 10, NULL),
    (1201, 'engagement', 'days_since_contact', 'lte', '7', 15, NULL),
    (1202, 'engagement', 'days_since_contact', 'lte', '30', 10, NULL),
    (1203, 'engagement', 'days_since_contact', 'lte', '90', 5, NULL),
    (1211, 'engagement', 'call_count', 'gte', '5', 10, NULL),
    (1212, 'engagement', 'call_count', 'gte', '3', 7, NULL),
    (1213, 'engagement', 'call_count', 'gte', '1', 3, NULL),
    (1221, 'engagement', 'sms_reply_count', 'gte', '1', 5, NULL),
    (1222, 'engagement', 'email_open_count', 'gte', '1', 3, NULL),
    (1223, 'engagement', 'link_click_count', 'gte', '1', 5, NULL),
    (1301, 'intent', 'intent_explicit_interest', 'gte', '1', 10, NULL),
    (1302, 'intent', 'intent_question', 'gte', '1', 5, NULL),
    (1303, 'intent', 'intent_callback', 'gte', '1', 10, NULL),
    (1304, 'intent', 'intent_objection_handled', 'gte', '1', 5, NULL),
    (1305, 'intent', 'intent_hard_objection', 'gte', '1', -10, NULL),
    (1401, 'demographic', 'timezone_match', 'eq', 'true', 5, NULL),
    (1402, 'demographic', 'high_opportunity_location', 'eq', 'true', 5, NULL),
    (1411, 'demographic', 'source', 'eq', '"referral"', 10, NULL),
    (1412, 'demographic', 'source', 'in', '["email", "e-mail"]', 7, NULL),
    (1413, 'demographic', 'source', 'in', '["facebook", "facebook_ads", "linkedin", "linkedin_ads"]', 5, NULL),
    (1414, 'demographic', 'source', 'eq', '"purchased_list"', 0, NULL),
    (1415, 'demographic', 'source', 'any', NULL, 3, NULL)
  ) r(position, component, attribute, operator, operand, points, cap)
ON CONFLICT DO NOTHING;

CREATE TABLE lead_system.lead_qualifications (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    interest        integer     NOT NULL DEFAULT 0,
    authority       integer     NOT NULL DEFAULT 0,
    budget          integer     NOT NULL DEFAULT 0,
    need            integer     NOT NULL DEFAULT 0,
    timing          integer     NOT NULL DEFAULT 0,
    assessed_by     uuid                 DEFAULT lead_system.current_user_id(),
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_qualifications_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_qualifications_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_qualifications_interest_check CHECK (interest BETWEEN 0 AND 25),
    CONSTRAINT lead_qualifications_authority_check CHECK (authority BETWEEN 0 AND 20),
    CONSTRAINT lead_qualifications_budget_check CHECK (budget BETWEEN 0 AND 25),
    CONSTRAINT lead_qualifications_need_check CHECK (need BETWEEN 0 AND 15),
    CONSTRAINT lead_qualifications_timing_check CHECK (timing BETWEEN 0 AND 15)
);
COMMENT ON TABLE lead_system.lead_qualifications IS
    'Assessments of a lead by the BANTI questions (semantics B1); the latest one counts.';
CREATE INDEX lead_qualifications_lead_id_idx ON lead_system.lead_qualifications (lead_id, organization_id, created_at);

CREATE TABLE lead_system.lead_intent_signals (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    call_id         uuid        NOT NULL,
    kind            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_intent_signals_pkey PRIMARY KEY (id, organization_id),
    CONSTRAINT lead_intent_signals_lead_id_fkey FOREIGN KEY (lead_id, organization_id)
        REFERENCES lead_system.leads (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT lead_intent_signals_kind_check CHECK (kind IN
        ('explicit_interest', 'question', 'callback', 'objection_handled', 'hard_objection', 'none'))
);
COMMENT ON TABLE lead_system.lead_intent_signals IS
    'What was heard in a call (semantics B4); the signals of the last three calls count.';
COMMENT ON COLUMN lead_system.lead_intent_signals.kind IS 'none is of a call in which nothing of the kind was heard: it counts as one of the last three.';
COMMENT ON COLUMN lead_system.lead_intent_signals.created_at IS 'When the call began, which is what makes it one of the last three; of a call that is not in call_logs, when the signal was recorded.';
CREATE INDEX lead_intent_signals_lead_id_idx ON lead_system.lead_intent_signals (lead_id, organization_id, created_at);

CREATE TABLE lead_system.lead_score_history (
    organization_id uuid        NOT NULL,
    id              uuid        NOT NULL DEFAULT lead_system.uuid_v7(),
    lead_id         uuid        NOT NULL,
    old_score       integer     NOT NULL,
    new_score       integer     NOT NULL,
    raw_score       integer     NOT NULL,
    model           text        NOT NULL,
    breakdown       jsonb       NOT NULL,
    reason          text,
    created_at      timestamptz NOT NULL DEFAULT lead_system.clock_now(),
    CONSTRAINT lead_score_history_pkey PRIMARY KEY (id, organization_id)
);
COMMENT ON TABLE lead_system.lead_score_history IS
    'Every change of a lead''s score, with the points it consists of. The first score is in the lead_created activity.';
CREATE INDEX lead_score_history_lead_id_idx ON lead_system.lead_score_history (lead_id, organization_id, created_at);
CREATE INDEX lead_score_history_organization_id_created_at_idx ON lead_system.lead_score_history (organization_id, created_at);

ALTER TABLE lead_system.lead_qualifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_qualifications FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_qualifications
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_intent_signals ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_intent_signals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_intent_signals
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));
ALTER TABLE lead_system.lead_score_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_system.lead_score_history FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_system.lead_score_history
    USING (organization_id = (SELECT lead_system.current_org_id()))
    WITH CHECK (organization_id = (SELECT lead_system.current_org_id()));

CREATE TRIGGER lead_qualifications_after_insert AFTER INSERT ON lead_system.lead_qualifications
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_inputs_changed();
CREATE TRIGGER lead_qualifications_after_update AFTER UPDATE ON lead_system.lead_qualifications
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_inputs_changed();
CREATE TRIGGER lead_qualifications_after_delete AFTER DELETE ON lead_system.lead_qualifications
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_inputs_changed();
CREATE TRIGGER lead_intent_signals_after_insert AFTER INSERT ON lead_system.lead_intent_signals
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_inputs_changed();
CREATE TRIGGER lead_intent_signals_after_update AFTER UPDATE ON lead_system.lead_intent_signals
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_inputs_changed();
CREATE TRIGGER lead_intent_signals_after_delete AFTER DELETE ON lead_system.lead_intent_signals
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.scoring_inputs_changed();
CREATE TRIGGER lead_score_history_append_only BEFORE UPDATE OR DELETE ON lead_system.lead_score_history
    FOR EACH ROW EXECUTE FUNCTION lead_system.append_only('leads', 'lead_id');
CREATE TRIGGER lead_score_history_no_truncate BEFORE TRUNCATE ON lead_system.lead_score_history
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.append_only();
CREATE TRIGGER leads_forget_scores AFTER DELETE ON lead_system.leads
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lead_system.forget_histories('lead_score_history', 'lead_id');
CREATE TRIGGER lead_qualifications_check_time BEFORE INSERT OR UPDATE OF created_at ON lead_system.lead_qualifications
    FOR EACH ROW EXECUTE FUNCTION lead_system.scoring_inputs_check_time();
CREATE TRIGGER lead_intent_signals_check_time BEFORE INSERT OR UPDATE OF created_at ON lead_system.lead_intent_signals
    FOR EACH ROW EXECUTE FUNCTION lead_system.scoring_inputs_check_time();
CREATE TRIGGER lead_qualifications_stamp_user BEFORE INSERT OR UPDATE ON lead_system.lead_qualifications
    FOR EACH ROW EXECUTE FUNCTION lead_system.stamp_user('assessed_by');
