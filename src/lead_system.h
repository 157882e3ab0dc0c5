/*-------------------------------------------------------------------------
 *
 * lead_system.h
 *	  What every file of the extension includes after postgres.h: the schema's
 *	  name, the version shims and the error codes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LEAD_SYSTEM_H
#define LEAD_SYSTEM_H

#include "fmgr.h"

#include "core/compat.h"
#include "core/errors.h"

/* The control file pins the schema, so that SQL inside C may name it. */
#define LS_SCHEMA "lead_system"

/* The library's own version; the SQL side is checked against it. */
#define LS_VERSION "1.0.0"

#endif /* LEAD_SYSTEM_H */
