-- Writes the file that a round imports.
\set ON_ERROR_STOP on
SELECT format('COPY (SELECT first_name, last_name, company_name, email, phone_number, city, company_size, industry, inquiry_type, budget_timeline'
    ' FROM (SELECT CASE WHEN g %% 10 = 0 THEN g / 10 + %1$s * %2$s ELSE 300000000 + %1$s * %2$s + g END AS person, g FROM generate_series(1, %2$s) g) n'
    ' CROSS JOIN LATERAL (SELECT p.first_name, p.last_name, p.company_name,'
    '   CASE WHEN g %% (%2$s / 10) = 1 THEN ''nobody at example'' ELSE p.email END AS email, p.phone_number, ''Importville %1$s'' AS city,'
    '   p.company_size, p.industry, p.inquiry_type, p.budget_timeline FROM bench.people(person, person) p) r ORDER BY g)'
    ' TO %3$L (FORMAT csv, HEADER)', :round, :import, :'dir' || '/import' || :round || '.csv') \gexec
