/*-------------------------------------------------------------------------
 *
 * privacy_sql.h
 *	  Rows of an import that speak of a lead, for erasing and for exporting.
 *
 *	  They are raw text and refer to nothing.  Meant are those that contain the
 *	  e-mail address, the digits of the number however it is written, or first
 *	  and last name.  Rather one line too many.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_PRIVACY_SQL_H
#define LS_PRIVACY_SQL_H

/* Parameters: organization, e-mail address, digits, first name, last name. */
#define LS_IMPORT_LINES_OF_LEAD \
	"organization_id = $1 AND (" \
	" position(lower($2) IN lower(raw_text || ' ' || reason)) > 0" \
	" OR position($3 IN regexp_replace(raw_text || reason, '[^0-9]', '', 'g')) > 0" \
	" OR (position(lower($4) IN lower(raw_text)) > 0 AND position(lower($5) IN lower(raw_text)) > 0))"

#endif /* LS_PRIVACY_SQL_H */
