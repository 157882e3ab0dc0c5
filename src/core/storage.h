/*-------------------------------------------------------------------------
 *
 * storage.h
 *	  The storage installer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LS_CORE_STORAGE_H
#define LS_CORE_STORAGE_H

#include "nodes/pg_list.h"

/* What of the storage script is not there; a List of C strings. */
extern List *ls_storage_missing(void);

#endif /* LS_CORE_STORAGE_H */
