-- communication: how callers, and customers whose job is done, are written to.

INSERT INTO lead_system.notification_templates (organization_id, id, name, channel, subject, body)
SELECT NULL, ('00000000-0000-7000-8000-' || substr(md5('notification template ' || v.name), 1, 12))::uuid, v.name, v.channel, v.subject, v.body
  FROM (VALUES
    ('missed_call_sms', 'sms', NULL,
     'Sorry we missed your call. This is {{organization.name}}. Reply YES for prices, BOOK for an appointment or CALL to be called back. Reply STOP to hear no more.'),
    ('missed_call_email', 'email', 'We missed your call',
     'Hello {{lead.first_name}}, you called {{organization.name}} and we could not answer. Reply to this message, or call again, and we will help you.'),
    ('missed_call_final', 'sms', NULL,
     '{{organization.name}}: can we still help you? Reply YES for prices, BOOK for an appointment. Reply STOP to hear no more.'),
    ('pricing', 'sms', NULL,
     '{{organization.name}}: our prices depend on the job. Tell us what you need, or reply BOOK for an appointment or CALL to be called back.'),
    ('sms_help', 'sms', NULL,
     '{{organization.name}}: reply to this message and we will help you. Reply STOP to hear no more.'),
    ('callback_requested', NULL, '{{payload.word}}: {{lead.first_name}} {{lead.last_name}}',
     '{{lead.first_name}} {{lead.last_name}}, {{lead.phone_number}}, wrote {{payload.word}} and waits to hear from you.'),
    ('missed_call', NULL, 'Missed call: {{lead.first_name}} {{lead.last_name}}',
     '{{lead.first_name}} {{lead.last_name}}, {{lead.phone_number}}, called and was not answered. The lead is closed, so it is not written to.'),
    ('review_request', NULL, 'How did we do?',
     'Hello {{lead.first_name}}, {{organization.name}} has finished your job. We would be glad if you told others how it went.'),
    ('amc_offer', NULL, 'Your next service',
     'Hello {{lead.first_name}}, it is almost a year since {{organization.name}} was with you. A maintenance contract keeps things running; reply to hear more.')
  ) v(name, channel, subject, body)
ON CONFLICT DO NOTHING;
